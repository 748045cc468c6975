/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-16LE and UTF-8 (RFC 3629), on bytes: alignment and the width of wchar_t do not matter. */
#include "core/utf16.h"

#define REPLACEMENT 0xFFFDu

static bool is_high(uint32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

static uint32_t unit_at(struct slice text, size_t at)
{
    return (uint32_t)text.data[at] | (uint32_t)text.data[at + 1] << 8;
}

bool utf16_valid(struct slice text)
{
    if (text.size % 2) return false;
    for (size_t at = 0; at < text.size; at += 2) {
        uint32_t unit = unit_at(text, at);
        if (!unit || is_low(unit)) return false;
        if (!is_high(unit)) continue;
        at += 2;
        if (at == text.size || !is_low(unit_at(text, at))) return false;
    }
    return true;
}

/* Bytes that follow the first byte of a sequence, its payload bits, and the smallest code point
 * that needs so many; -1 when no sequence begins so. */
static int sequence_start(uint8_t first, uint32_t *bits, uint32_t *least)
{
    *least = 0;
    *bits = first;
    if (first < 0x80) return 0;
    if (first < 0xC0 || first > 0xF7) return -1; /* a following byte, or none of UTF-8 */
    int more = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    *bits = first & (0x3Fu >> more);
    *least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
    return more;
}

/* Moves *utf8 past one code point; false when it is none. The terminator is no following byte, so
 * a text that ends in the middle of a sequence is not read beyond its end. */
static bool next_code_point(const char **utf8, uint32_t *code)
{
    const uint8_t *at = (const uint8_t *)*utf8;
    uint32_t least;
    int more = sequence_start(*at++, code, &least);
    if (more < 0) return false;
    for (; more; more--, at++) {
        if ((*at & 0xC0) != 0x80) return false;
        *code = *code << 6 | (*at & 0x3Fu);
    }
    *utf8 = (const char *)at;
    return *code >= least && *code <= 0x10FFFF && (*code < 0xD800 || *code >= 0xE000);
}

void utf16_from_utf8(struct writer *w, const char *utf8)
{
    while (*utf8) {
        uint32_t code;
        if (!next_code_point(&utf8, &code)) {
            writer_fail(w);
            return;
        }
        if (code < 0x10000) {
            writer_u16le(w, (uint16_t)code);
        } else {
            /* 0xD7C0 is 0xD800 less the 0x10000 that a pair does not count */
            writer_u16le(w, (uint16_t)(0xD7C0 + (code >> 10)));
            writer_u16le(w, (uint16_t)(0xDC00 | (code & 0x3FF)));
        }
    }
}

/* 0xF80 >> more leaves in its low byte the mark of a first byte with so many more. */
static void write_utf8(struct writer *w, uint32_t code)
{
    if (code < 0x80) {
        writer_u8(w, (uint8_t)code);
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    writer_u8(w, (uint8_t)(0xF80 >> more | code >> 6 * more));
    while (more--) writer_u8(w, (uint8_t)(0x80 | (code >> 6 * more & 0x3F)));
}

void utf16_to_utf8(struct writer *w, struct slice text)
{
    for (size_t at = 0; at + 1 < text.size; at += 2) {
        uint32_t unit = unit_at(text, at);
        uint32_t next = at + 3 < text.size ? unit_at(text, at + 2) : 0;
        if (is_high(unit) && is_low(next)) {
            unit = ((unit - 0xD800) << 10) + (next - 0xDC00) + 0x10000;
            at += 2;
        } else if (is_high(unit) || is_low(unit)) {
            unit = REPLACEMENT;
        }
        write_utf8(w, unit);
    }
}

/* ASCII only: how other letters fold depends on tables that a peer need not share. */
static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool utf16_equal_ascii_case(struct slice a, struct slice b)
{
    if (a.size != b.size || a.size % 2) return false;
    for (size_t at = 0; at < a.size; at += 2) {
        if (a.data[at + 1] != b.data[at + 1]) return false;
        uint8_t left = a.data[at], right = b.data[at];
        if (left == right) continue;
        if (a.data[at + 1] || lower(left) != lower(right)) return false;
    }
    return true;
}
