/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See cksum.h. Four bits at a time: fast enough for a demonstration, and a table to be read. */
#include "cksum.h"

/* i * x^32 modulo the polynomial 0x04c11db7 */
static const uint32_t cksum_table[16] = {
    0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b, 0x1a864db2, 0x1e475005,
    0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61, 0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
};

static uint32_t cksum_byte(uint32_t state, uint8_t byte)
{
    state ^= (uint32_t)byte << 24;
    state = state << 4 ^ cksum_table[state >> 28];
    return state << 4 ^ cksum_table[state >> 28];
}

uint32_t cksum_add(uint32_t state, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) state = cksum_byte(state, bytes.data[i]);
    return state;
}

uint32_t cksum_end(uint32_t state, uint64_t size)
{
    for (; size; size >>= 8) state = cksum_byte(state, (uint8_t)size);
    return ~state;
}
