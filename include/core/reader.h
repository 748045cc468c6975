/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The only way to look at bytes that somebody else wrote. A reader borrows its bytes, never
 * allocates, and remembers the first error: from then on every read yields zero or NULL, and
 * the caller asks reader_ok or reader_end once, at the end. Readers are passed by pointer and
 * may be copied freely; a child of a failed reader has failed too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. data may be NULL when size is 0. */
struct slice {
    const uint8_t *data;
    size_t size;
};

/* What follows the first size bytes, which are there. */
static inline struct slice slice_rest(struct slice bytes, size_t size)
{
    return (struct slice){bytes.data + size, bytes.size - size};
}

struct reader {
    const uint8_t *base;
    size_t size, pos;
    bool bad;
};

void reader_init(struct reader *r, const void *data, size_t size);

/* Integers at the cursor; 0 after a failure. */
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16le(struct reader *r);
uint32_t reader_u32le(struct reader *r);
uint64_t reader_u64le(struct reader *r);
uint16_t reader_u16be(struct reader *r);
uint32_t reader_u24be(struct reader *r);
uint32_t reader_u32be(struct reader *r);
uint64_t reader_u64be(struct reader *r);

/* The next size bytes, borrowed; {NULL, 0} after a failure. */
struct slice reader_bytes(struct reader *r, size_t size);

/* Copies the next size bytes; fills with zeros on failure. */
void reader_copy(struct reader *r, void *to, size_t size);
void reader_skip(struct reader *r, size_t size);

/* A reader over the next size bytes, which the cursor passes. */
void reader_sub(struct reader *r, size_t size, struct reader *child);

/* Bytes named by their offset from the start; the cursor stays. A window of size 0 is empty
 * wherever its offset points. */
struct slice reader_window(struct reader *r, size_t offset, size_t size);

size_t reader_left(const struct reader *r);
void reader_fail(struct reader *r);
bool reader_ok(const struct reader *r);

/* True when nothing failed and nothing is left. */
bool reader_end(const struct reader *r);
