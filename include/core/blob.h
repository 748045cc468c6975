/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that somebody owns; {NULL, 0} when there are none. */
#pragma once

#include "core/reader.h"
#include "core/status.h"

struct blob {
    uint8_t *data;
    size_t size;
};

/* Borrowed: good as long as the blob is not set or cleared. */
static inline struct slice blob_slice(const struct blob *blob)
{
    return (struct slice){blob->data, blob->size};
}

/* Puts a copy in the place of what was there, of which the bytes may be a part. On failure, which
 * is want of memory, that is still there. */
status_t blob_set(struct blob *out, struct slice bytes);

void blob_clear(struct blob *blob); /* wipes */
