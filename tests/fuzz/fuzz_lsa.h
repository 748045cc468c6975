/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What programs give to authentication packages, as input of a fuzz target. */
#pragma once

#include "fuzz.h"

#include "core/lsa_buffer.h"

/* The first byte says for which width and base, the rest is the buffer. */
static inline struct lsa_buffer lsa_input(const uint8_t *data, size_t size)
{
    return (struct lsa_buffer){{data + 1, size - 1}, data[0] & 2 ? 0x7ffd0000 : 0, data[0] & 1};
}

/* What was found lies in the buffer. */
static inline void inside(const struct lsa_buffer *buffer, struct slice part)
{
    const uint8_t *start = buffer->bytes.data;
    if (!part.size) return;
    must(part.data >= start + 4 && part.size <= buffer->bytes.size);
    must((size_t)(part.data - start) <= buffer->bytes.size - part.size);
}
