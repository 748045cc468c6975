/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RC4 as MS-NLMP 3.4 uses it, written for speed. */
#include "core/rc4.h"

#include "core/secret.h"

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

static void crypt_short(struct rc4 *rc4, const uint8_t *in, uint8_t *out, size_t size)
{
    uint8_t *s = rc4->s;
    uint8_t i = rc4->i, j = rc4->j;
    for (size_t k = 0; k < size; k++) {
        uint8_t si = s[++i];
        j = (uint8_t)(j + si);
        uint8_t sj = s[j];
        s[i] = sj;
        s[j] = si;
        out[k] = in[k] ^ s[(uint8_t)(si + sj)];
    }
    rc4->i = i;
    rc4->j = j;
}

/* The state as words, and S[i] for the next byte, which is read early. */
struct wide {
    uint32_t s[256];
    uint32_t i, j, si;
};

static inline uint8_t wide_next(struct wide *w)
{
    w->j = (w->j + w->si) & 255;
    uint32_t si = w->si, sj = w->s[w->j];
    w->s[w->i] = sj;
    w->s[w->j] = si;
    w->i = (w->i + 1) & 255;
    w->si = w->s[w->i];
    return (uint8_t)w->s[(si + sj) & 255];
}

/* Processors are twice as fast with words as with bytes that were just written, so that copying
 * the state to words and back pays from a hundred bytes on. */
#define LONG_SIZE 96u

static void crypt_long(struct rc4 *rc4, const uint8_t *in, uint8_t *out, size_t size)
{
    struct wide w;
    size_t k = 0;
    for (size_t n = 0; n < 256; n++) w.s[n] = rc4->s[n];
    w.i = (rc4->i + 1u) & 255;
    w.j = rc4->j;
    w.si = w.s[w.i];
    for (; k + 8 <= size; k += 8) {
#pragma GCC unroll 8
        for (size_t n = 0; n < 8; n++) out[k + n] = in[k + n] ^ wide_next(&w);
    }
    for (; k < size; k++) out[k] = in[k] ^ wide_next(&w);
    for (size_t n = 0; n < 256; n++) rc4->s[n] = (uint8_t)w.s[n];
    rc4->i = (uint8_t)(w.i - 1);
    rc4->j = (uint8_t)w.j;
    secret_wipe(&w, sizeof(w));
}

void rc4_crypt(struct rc4 *rc4, const uint8_t *in, uint8_t *out, size_t size)
{
    if (size < LONG_SIZE) crypt_short(rc4, in, out, size);
    else crypt_long(rc4, in, out, size);
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
