/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DER as far as tokens need it: X.690 8.1 (tag, length, content), 10.1 (the one allowed form of a
 * length). What nests is walked by its caller, element by element, so there is no recursion here.
 */
#include "core/der.h"

#include <string.h>

#define LENGTH_MAX 0xFFFFu

/* 0x80 and what is longer than two octets would be indefinite or beyond any token. */
static size_t read_length(struct reader *r)
{
    uint8_t first = reader_u8(r);
    size_t size = first, least = 0;
    if (first == 0x81) {
        size = reader_u8(r);
        least = 0x80;
    } else if (first == 0x82) {
        size = reader_u16be(r);
        least = 0x100;
    } else if (first & 0x80) {
        reader_fail(r);
    }
    if (size < least) reader_fail(r);
    return size;
}

bool der_next_is(const struct reader *r, uint8_t tag)
{
    struct reader ahead = *r;
    return reader_left(r) && reader_u8(&ahead) == tag;
}

void der_enter(struct reader *r, uint8_t tag, struct reader *content)
{
    if (reader_u8(r) != tag) reader_fail(r);
    reader_sub(r, read_length(r), content);
}

bool der_optional(struct reader *r, uint8_t tag, struct reader *content)
{
    if (!der_next_is(r, tag)) return false;
    der_enter(r, tag, content);
    return true;
}

struct slice der_bytes(struct reader *r, uint8_t tag)
{
    struct reader content;
    der_enter(r, tag, &content);
    return reader_bytes(&content, reader_left(&content));
}

struct slice der_element(struct reader *r, uint8_t tag)
{
    struct reader ahead = *r;
    der_bytes(&ahead, tag);
    /* Both stand behind the element; a failure leaves nothing of it. */
    size_t size = reader_left(r) - reader_left(&ahead);
    if (!reader_ok(&ahead)) reader_fail(r);
    return reader_bytes(r, size);
}

/* One octet is kept for the length, which is all that most elements need. */
size_t der_open(struct writer *w, uint8_t tag)
{
    writer_u8(w, tag);
    return writer_reserve(w, 1);
}

/* Moves the content up by more octets. */
static void make_room(struct writer *w, size_t start, size_t more)
{
    size_t size = w->size - start;
    writer_zero(w, more);
    if (writer_status(w) == SEC_E_OK) memmove(w->data + start + more, w->data + start, size);
}

void der_close(struct writer *w, size_t mark)
{
    size_t start = mark + 1;
    if (w->bad) return;
    if (start > w->size || w->size - start > LENGTH_MAX) {
        writer_fail(w);
        return;
    }
    size_t size = w->size - start;
    size_t octets = size < 0x80 ? 0 : size < 0x100 ? 1 : 2;
    uint8_t length[3] = {(uint8_t)(0x80 + octets)};
    if (octets) make_room(w, start, octets);
    else length[0] = (uint8_t)size;
    for (size_t i = octets; i > 0; i--, size >>= 8) length[i] = (uint8_t)size;
    writer_patch_bytes(w, mark, length, 1 + octets);
}

void der_write(struct writer *w, uint8_t tag, struct slice content)
{
    size_t mark = der_open(w, tag);
    writer_slice(w, content);
    der_close(w, mark);
}
