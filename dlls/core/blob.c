/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owned bytes, see core/blob.h. */
#include "core/blob.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

status_t blob_set(struct blob *out, struct slice bytes)
{
    struct blob copy = {NULL, bytes.size};
    if (bytes.size) {
        copy.data = malloc(bytes.size);
        if (!copy.data) return SEC_E_INSUFFICIENT_MEMORY;
        memcpy(copy.data, bytes.data, bytes.size);
    }
    blob_clear(out);
    *out = copy;
    return SEC_E_OK;
}

void blob_clear(struct blob *blob)
{
    secret_free(blob->data, blob->size);
    *blob = (struct blob){NULL, 0};
}
