/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bounds-checked writer. A block that held bytes is never given to realloc, which would
 * leave a copy of them behind.
 */
#include "core/writer.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256u /* most tokens fit without growing */

void writer_init(struct writer *w)
{
    *w = (struct writer){0};
}

void writer_init_fixed(struct writer *w, void *data, size_t cap)
{
    *w = (struct writer){.data = data, .cap = cap, .fixed = true};
}

void writer_fail(struct writer *w)
{
    if (w->size) secret_wipe(w->data, w->size);
    w->size = 0;
    w->bad = true;
}

/* Doubling keeps the number of copies low; half of SIZE_MAX keeps the sums from wrapping. */
static bool grow(struct writer *w, size_t more)
{
    if (w->fixed || more > SIZE_MAX / 2 - w->size) return false;
    size_t cap = w->cap < FIRST_CAP ? FIRST_CAP : w->cap * 2;
    if (cap < w->size + more) cap = w->size + more;
    uint8_t *data = malloc(cap);
    if (!data) return false;
    if (w->size) memcpy(data, w->data, w->size);
    /* Beyond size nothing was ever written, so there is nothing to wipe. */
    secret_free(w->data, w->size);
    w->data = data;
    w->cap = cap;
    return true;
}

status_t writer_prepare(struct writer *w, size_t size)
{
    if (w->bad) return writer_status(w);
    if (size <= w->cap - w->size || grow(w, size)) return SEC_E_OK;
    return w->fixed ? SEC_E_BUFFER_TOO_SMALL : SEC_E_INSUFFICIENT_MEMORY;
}

/* The place of the next size bytes, which count as written; NULL after a failure or for none. */
static uint8_t *room(struct writer *w, size_t size)
{
    if (w->bad || !size) return NULL;
    if (size > w->cap - w->size && !grow(w, size)) {
        writer_fail(w);
        return NULL;
    }
    uint8_t *at = w->data + w->size;
    w->size += size;
    return at;
}

static void put_little(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static void little(struct writer *w, uint64_t value, size_t size)
{
    uint8_t *at = room(w, size);
    if (at) put_little(at, value, size);
}

static void big(struct writer *w, uint64_t value, size_t size)
{
    uint8_t *at = room(w, size);
    if (!at) return;
    for (size_t i = 0; i < size; i++) at[size - 1 - i] = (uint8_t)(value >> 8 * i);
}

void writer_u8(struct writer *w, uint8_t value)
{
    little(w, value, 1);
}

void writer_u16le(struct writer *w, uint16_t value)
{
    little(w, value, 2);
}

void writer_u32le(struct writer *w, uint32_t value)
{
    little(w, value, 4);
}

void writer_u64le(struct writer *w, uint64_t value)
{
    little(w, value, 8);
}

void writer_u16be(struct writer *w, uint16_t value)
{
    big(w, value, 2);
}

void writer_u32be(struct writer *w, uint32_t value)
{
    big(w, value, 4);
}

void writer_u64be(struct writer *w, uint64_t value)
{
    big(w, value, 8);
}

void writer_bytes(struct writer *w, const void *data, size_t size)
{
    uint8_t *at = room(w, size);
    if (at) memcpy(at, data, size);
}

void writer_slice(struct writer *w, struct slice bytes)
{
    writer_bytes(w, bytes.data, bytes.size);
}

void writer_zero(struct writer *w, size_t size)
{
    uint8_t *at = room(w, size);
    if (at) memset(at, 0, size);
}

size_t writer_reserve(struct writer *w, size_t size)
{
    size_t offset = w->size;
    writer_zero(w, size);
    return offset;
}

/* Bytes already written; a patch beyond them is a mistake of the caller and makes w bad. */
static uint8_t *written(struct writer *w, size_t offset, size_t size)
{
    if (w->bad || !size) return NULL;
    if (offset > w->size || size > w->size - offset) {
        writer_fail(w);
        return NULL;
    }
    return w->data + offset;
}

void writer_patch_u16le(struct writer *w, size_t offset, uint16_t value)
{
    uint8_t *at = written(w, offset, 2);
    if (at) put_little(at, value, 2);
}

void writer_patch_u32le(struct writer *w, size_t offset, uint32_t value)
{
    uint8_t *at = written(w, offset, 4);
    if (at) put_little(at, value, 4);
}

void writer_patch_bytes(struct writer *w, size_t offset, const void *data, size_t size)
{
    uint8_t *at = written(w, offset, size);
    if (at) memcpy(at, data, size);
}

/* The length is written when the part is there: nobody computes it ahead and gets it wrong. */
size_t writer_open_u16le(struct writer *w)
{
    return writer_reserve(w, 2);
}

void writer_close_u16le(struct writer *w, size_t mark)
{
    if (w->bad) return;
    size_t start = mark + 2;
    if (start > w->size || w->size - start > UINT16_MAX) {
        writer_fail(w);
        return;
    }
    writer_patch_u16le(w, mark, (uint16_t)(w->size - start));
}

status_t writer_status(const struct writer *w)
{
    if (!w->bad) return SEC_E_OK;
    return w->fixed ? SEC_E_BUFFER_TOO_SMALL : SEC_E_INSUFFICIENT_MEMORY;
}

struct slice writer_view(const struct writer *w)
{
    return (struct slice){w->data, w->size};
}

status_t writer_take(struct writer *w, uint8_t **out, size_t *size)
{
    /* The block is the caller's own; handing it over would have it freed. */
    if (w->fixed) return SEC_E_INTERNAL_ERROR;
    if (w->bad) return writer_status(w);
    *out = w->data;
    *size = w->size;
    writer_init(w);
    return SEC_E_OK;
}

void writer_free(struct writer *w)
{
    if (w->size) secret_wipe(w->data, w->size);
    if (!w->fixed) free(w->data);
    writer_init(w);
}
