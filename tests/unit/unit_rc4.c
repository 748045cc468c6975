/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RC4 against its plainest form, cut anywhere, and its state written down in mid-stream. */
#include "core/rc4.h"

#include "unit.h"

#define STREAM 1100u

/* The textbook's stream for a key. */
static void plain_stream(const uint8_t *key, size_t key_size, uint8_t out[STREAM])
{
    uint8_t s[256];
    unsigned i, j = 0;
    for (i = 0; i < 256; i++) s[i] = (uint8_t)i;
    for (i = 0; i < 256; i++) {
        j = (j + s[i] + key[i % key_size]) % 256;
        uint8_t t = s[i];
        s[i] = s[j];
        s[j] = t;
    }
    i = j = 0;
    for (size_t n = 0; n < STREAM; n++) {
        i = (i + 1) % 256;
        j = (j + s[i]) % 256;
        uint8_t t = s[i];
        s[i] = s[j];
        s[j] = t;
        out[n] = s[(s[i] + s[j]) % 256];
    }
}

static void keys(void)
{
    uint8_t key[256], expected[STREAM], zeros[STREAM] = {0}, out[STREAM];
    uint32_t state = 5;
    for (size_t i = 0; i < sizeof(key); i++) key[i] = (uint8_t)next_random(&state);
    for (size_t size = 1; size <= 256; size++) {
        struct rc4 rc4;
        plain_stream(key, size, expected);
        rc4_init(&rc4, key, size);
        rc4_crypt(&rc4, zeros, out, STREAM);
        ok(!memcmp(out, expected, STREAM), "key of %zu bytes", size);
    }
}

static void cuts(void)
{
    uint8_t expected[STREAM], out[STREAM];
    plain_stream((const uint8_t *)"Key", 3, expected);
    /* Short and long pieces are made in two ways, which have to go on from each other. */
    for (size_t first = 0; first < 360; first += first < 40 ? 1 : 23) {
        for (size_t second = 0; second < 130; second += second < 40 ? 1 : 7) {
            struct rc4 rc4;
            memset(out, 0, sizeof(out));
            rc4_init(&rc4, "Key", 3);
            rc4_crypt(&rc4, out, out, first);
            rc4_crypt(&rc4, out + first, out + first, second);
            rc4_crypt(&rc4, out + first + second, out + first + second, STREAM - first - second);
            ok(!memcmp(out, expected, STREAM), "cut after %zu and %zu more", first, second);
        }
    }
}

static void written_down(void)
{
    struct rc4 rc4, again;
    uint8_t zeros[64] = {0}, a[64], b[64];
    rc4_init(&rc4, "secret", 6);
    for (size_t moved = 0; moved < 600; moved += 37) {
        struct writer w;
        struct reader r;
        writer_init(&w);
        rc4_write(&rc4, &w);
        ok(writer_view(&w).size == 258, "%zu bytes", writer_view(&w).size);
        reader_init(&r, writer_view(&w).data, writer_view(&w).size);
        rc4_read(&again, &r);
        ok(reader_end(&r), "read");
        rc4_crypt(&rc4, zeros, a, 37);
        rc4_crypt(&again, zeros, b, 37);
        ok(!memcmp(a, b, 37), "goes on after %zu", moved);
        writer_free(&w);
    }
}

static void no_permutation(void)
{
    struct rc4 rc4, again;
    struct writer w;
    rc4_init(&rc4, "secret", 6);
    writer_init(&w);
    rc4_write(&rc4, &w);
    uint8_t *bytes = exact_copy(writer_view(&w).data, 258);
    for (size_t at = 2; at < 258; at++) {
        struct reader r;
        bytes[at] ^= 0x80;
        reader_init(&r, bytes, 258);
        rc4_read(&again, &r);
        ok(!reader_ok(&r), "byte %zu twice", at);
        bytes[at] ^= 0x80;
    }
    for (size_t size = 0; size < 258; size++) {
        struct reader r;
        uint8_t *part = exact_copy(bytes, size);
        reader_init(&r, part, size);
        rc4_read(&again, &r);
        ok(!reader_ok(&r), "%zu bytes", size);
        free(part);
    }
    free(bytes);
    writer_free(&w);
}

int main(void)
{
    RUN(keys);
    RUN(cuts);
    RUN(written_down);
    RUN(no_permutation);
    return test_end("unit_rc4");
}
