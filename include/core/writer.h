/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mirror of the reader: either over the caller's fixed block or growing. The first error
 * (block full, no memory) empties it for good, and the caller asks once, at the end. Old blocks
 * are wiped when a writer grows or is freed, so it may carry secrets.
 */
#pragma once

#include "core/reader.h"
#include "core/status.h"

struct writer {
    uint8_t *data;
    size_t size, cap;
    bool bad, fixed;
};

void writer_init(struct writer *w);
void writer_init_fixed(struct writer *w, void *data, size_t cap);

/* Makes sure that the next size bytes need no memory; on failure nothing changes. */
status_t writer_prepare(struct writer *w, size_t size);

void writer_u8(struct writer *w, uint8_t value);
void writer_u16le(struct writer *w, uint16_t value);
void writer_u32le(struct writer *w, uint32_t value);
void writer_u64le(struct writer *w, uint64_t value);
void writer_u16be(struct writer *w, uint16_t value);
void writer_u32be(struct writer *w, uint32_t value);
void writer_u64be(struct writer *w, uint64_t value);
void writer_bytes(struct writer *w, const void *data, size_t size);
void writer_slice(struct writer *w, struct slice bytes);
void writer_zero(struct writer *w, size_t size);

/* Appends size zero bytes for later; returns their offset. */
size_t writer_reserve(struct writer *w, size_t size);
void writer_patch_u16le(struct writer *w, size_t offset, uint16_t value);
void writer_patch_u32le(struct writer *w, size_t offset, uint32_t value);
void writer_patch_bytes(struct writer *w, size_t offset, const void *data, size_t size);

/* A part behind its own length (u16le): open, write the part, close. A part over 65,535 bytes
 * makes the writer bad. */
size_t writer_open_u16le(struct writer *w);
void writer_close_u16le(struct writer *w, size_t mark);

/* Makes the writer bad: what should be written has no form here. */
void writer_fail(struct writer *w);

/* SEC_E_OK, SEC_E_BUFFER_TOO_SMALL (fixed and full) or SEC_E_INSUFFICIENT_MEMORY. */
status_t writer_status(const struct writer *w);
struct slice writer_view(const struct writer *w);

/* Hands the block of a growing writer over (release it with secret_free); *out is untouched on
 * failure. The writer is empty afterwards. */
status_t writer_take(struct writer *w, uint8_t **out, size_t *size);

/* Wipes what was written; releases the block of a growing writer. */
void writer_free(struct writer *w);
