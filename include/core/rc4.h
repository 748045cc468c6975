/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RC4 with a state that the caller owns, copies and writes down. It is ours because an exported
 * session carries its cipher in mid-stream and libgcrypt does not let that state out.
 */
#pragma once

#include "core/reader.h"
#include "core/writer.h"

struct rc4 {
    uint8_t s[256];
    uint8_t i, j;
};

/* key_size 1 to 256. */
void rc4_init(struct rc4 *rc4, const void *key, size_t key_size);

/* in and out may be the same block. */
void rc4_crypt(struct rc4 *rc4, const uint8_t *in, uint8_t *out, size_t size);

/* 258 bytes: i, j, s. rc4_read fails the reader when s is no permutation of 0 to 255. */
void rc4_write(const struct rc4 *rc4, struct writer *w);
void rc4_read(struct rc4 *rc4, struct reader *r);
