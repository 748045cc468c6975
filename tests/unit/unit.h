/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers of the native test programs. Texts and bytes made here live until the end. */
#pragma once

#include "core/reader.h"
#include "test.h"

#include <stdint.h>

static uint8_t unit_pool[1 << 22];
static size_t unit_pool_used;

static inline uint8_t *unit_room(size_t size)
{
    if (size > sizeof(unit_pool) - unit_pool_used) abort();
    uint8_t *at = unit_pool + unit_pool_used;
    unit_pool_used += size;
    return at;
}

/* UTF-16LE of an ASCII text. */
static inline struct slice wide(const char *text)
{
    size_t size = strlen(text);
    uint8_t *at = unit_room(2 * size);
    for (size_t i = 0; i < size; i++) {
        at[2 * i] = (uint8_t)text[i];
        at[2 * i + 1] = 0;
    }
    return (struct slice){at, 2 * size};
}

/* The bytes of a text without its terminator. */
static inline struct slice ascii(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

/* Bytes of a hexadecimal text; blanks are left out. */
static inline struct slice hex(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *at = unit_room(strlen(text) / 2);
    size_t count = 0;
    for (; *text; text++) {
        const char *digit = strchr(digits, *text);
        if (*text == ' ') continue;
        if (!digit) abort();
        uint8_t value = (uint8_t)(digit - digits);
        if (count % 2) at[count / 2] = (uint8_t)(at[count / 2] << 4 | value);
        else at[count / 2] = value;
        count++;
    }
    return (struct slice){at, count / 2};
}

static inline bool same(struct slice a, struct slice b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

static inline struct slice view(const void *data, size_t size)
{
    return (struct slice){data, size};
}

/* A copy in a block of exactly its size, so that reading beyond it is noticed; free it. */
static inline uint8_t *exact_copy(const void *data, size_t size)
{
    uint8_t *copy = calloc(1, size ? size : 1);
    if (!copy) abort();
    if (size) memcpy(copy, data, size);
    return copy;
}

/* Deterministic bytes. */
static inline uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}
