/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bounds-checked reader. Every access goes through take or reader_window; nothing else in
 * the library does arithmetic on offsets that a peer wrote.
 */
#include "core/reader.h"

#include <string.h>

/* An address for slices and readers of size 0, so that no arithmetic is done on NULL. */
static const uint8_t nothing[1];

void reader_init(struct reader *r, const void *data, size_t size)
{
    r->base = data ? data : nothing;
    r->size = size;
    r->pos = 0;
    r->bad = !data && size;
}

/* The one place where the cursor moves. pos never exceeds size, so the subtraction is safe where
 * pos + size would wrap. */
static const uint8_t *take(struct reader *r, size_t size)
{
    if (r->bad || size > r->size - r->pos) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->base + r->pos;
    r->pos += size;
    return at;
}

/* The octets are shifted together, so the host's byte order and alignment do not matter. */
static uint64_t little(struct reader *r, size_t size)
{
    const uint8_t *at = take(r, size);
    uint64_t value = 0;
    if (!at) return 0;
    for (size_t i = size; i-- > 0;) value = value << 8 | at[i];
    return value;
}

static uint64_t big(struct reader *r, size_t size)
{
    const uint8_t *at = take(r, size);
    uint64_t value = 0;
    if (!at) return 0;
    for (size_t i = 0; i < size; i++) value = value << 8 | at[i];
    return value;
}

uint8_t reader_u8(struct reader *r)
{
    return (uint8_t)little(r, 1);
}

uint16_t reader_u16le(struct reader *r)
{
    return (uint16_t)little(r, 2);
}

uint32_t reader_u32le(struct reader *r)
{
    return (uint32_t)little(r, 4);
}

uint64_t reader_u64le(struct reader *r)
{
    return little(r, 8);
}

uint16_t reader_u16be(struct reader *r)
{
    return (uint16_t)big(r, 2);
}

uint32_t reader_u24be(struct reader *r)
{
    return (uint32_t)big(r, 3);
}

uint32_t reader_u32be(struct reader *r)
{
    return (uint32_t)big(r, 4);
}

uint64_t reader_u64be(struct reader *r)
{
    return big(r, 8);
}

struct slice reader_bytes(struct reader *r, size_t size)
{
    const uint8_t *at = take(r, size);
    return (struct slice){at, at ? size : 0};
}

void reader_copy(struct reader *r, void *to, size_t size)
{
    const uint8_t *at = take(r, size);
    if (!size) return; /* to may be NULL then, which memcpy does not allow */
    if (at) memcpy(to, at, size);
    else memset(to, 0, size);
}

void reader_skip(struct reader *r, size_t size)
{
    take(r, size);
}

void reader_sub(struct reader *r, size_t size, struct reader *child)
{
    struct slice part = reader_bytes(r, size);
    reader_init(child, part.data, part.size);
    /* An empty part of a failed reader looks like any other empty part. */
    child->bad = r->bad;
}

struct slice reader_window(struct reader *r, size_t offset, size_t size)
{
    if (r->bad || !size) return (struct slice){NULL, 0};
    if (offset > r->size || size > r->size - offset) {
        r->bad = true;
        return (struct slice){NULL, 0};
    }
    return (struct slice){r->base + offset, size};
}

size_t reader_left(const struct reader *r)
{
    return r->bad ? 0 : r->size - r->pos;
}

void reader_fail(struct reader *r)
{
    r->bad = true;
}

bool reader_ok(const struct reader *r)
{
    return !r->bad;
}

bool reader_end(const struct reader *r)
{
    return !r->bad && r->pos == r->size;
}
