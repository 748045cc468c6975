/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owned bytes, see schannel_package.h. */
#include "schannel_package.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

status_t bytes_set(struct bytes *out, struct slice from)
{
    struct bytes copy = {NULL, from.size};
    if (from.size) {
        copy.data = malloc(from.size);
        if (!copy.data) return SEC_E_INSUFFICIENT_MEMORY;
        memcpy(copy.data, from.data, from.size);
    }
    bytes_clear(out);
    *out = copy;
    return SEC_E_OK;
}

void bytes_clear(struct bytes *bytes)
{
    secret_free(bytes->data, bytes->size);
    *bytes = (struct bytes){NULL, 0};
}
