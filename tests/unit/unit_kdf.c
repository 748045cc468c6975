/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Key derivation: the limits of its arguments. Published values are in tests/vectors. */
#include "core/kdf.h"

#include "unit.h"

static uint8_t out[255 * HASH_SIZE_MAX + 1];

static void sizes(void)
{
    struct slice secret = ascii("secret"), info = ascii("info");
    for (unsigned hash = CRYPTO_SHA256; hash <= CRYPTO_SHA512; hash++) {
        enum crypto_hash id = (enum crypto_hash)hash;
        size_t most = 255 * hash_size(id);
        uint8_t whole[200], part[200];
        ok(!hkdf_expand(id, secret, info, out, most), "all blocks");
        ok(hkdf_expand(id, secret, info, out, most + 1) == SEC_E_INVALID_PARAMETER, "another");
        ok(!tls12_prf(id, secret, info, info, whole, sizeof(whole)), "PRF");
        for (size_t size = 0; size < sizeof(part); size++) {
            memset(part, 0x5a, sizeof(part));
            ok(!tls12_prf(id, secret, info, info, part, size) && !memcmp(part, whole, size) &&
                   part[size] == 0x5a,
               "PRF, %zu bytes", size);
        }
        ok(!hkdf_expand(id, secret, info, whole, sizeof(whole)), "HKDF");
        for (size_t size = 0; size < sizeof(part); size++) {
            memset(part, 0x5a, sizeof(part));
            ok(!hkdf_expand(id, secret, info, part, size) && !memcmp(part, whole, size) &&
                   part[size] == 0x5a,
               "HKDF, %zu bytes", size);
        }
    }
}

/* RFC 8446 7.1: the label has up to 255 bytes with its prefix, the context 255. */
static void labels(void)
{
    static const uint8_t text[256];
    struct slice secret = ascii("secret"), none = view(NULL, 0);
    ok(!hkdf_expand_label(CRYPTO_SHA256, secret, view(text, 249), view(text, 255), out, 32),
       "the largest");
    ok(hkdf_expand_label(CRYPTO_SHA256, secret, view(text, 250), none, out, 32) ==
           SEC_E_INVALID_PARAMETER,
       "a label too long");
    ok(hkdf_expand_label(CRYPTO_SHA256, secret, none, view(text, 256), out, 32) ==
           SEC_E_INVALID_PARAMETER,
       "a context too long");
    ok(hkdf_expand_label(CRYPTO_SHA256, secret, none, none, out, 255 * 32 + 1) ==
           SEC_E_INVALID_PARAMETER,
       "too much");
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(sizes);
    RUN(labels);
    return test_end("unit_kdf");
}
