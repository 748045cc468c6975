/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wrapper of libgcrypt: what published values (tests/vectors) do not show. */
#include "core/crypto.h"

#include "unit.h"

static void init_again(void)
{
    ok(crypto_init() == SEC_E_OK, "first");
    ok(crypto_init() == SEC_E_OK, "again");
}

static void parts(void)
{
    struct slice whole = ascii("what is hashed in parts is hashed as a whole");
    struct slice key = ascii("key");
    for (size_t at = 0; at <= whole.size; at++) {
        const struct slice split[] = {view(whole.data, at), view(NULL, 0),
                                      view(whole.data + at, whole.size - at)};
        uint8_t a[32], b[32];
        ok(!md5(&whole, 1, a) && !md5(split, 3, b) && !memcmp(a, b, 16), "MD5 at %zu", at);
        ok(!hmac_md5(key, &whole, 1, a) && !hmac_md5(key, split, 3, b) && !memcmp(a, b, 16),
           "HMAC-MD5 at %zu", at);
        ok(!hmac_sha256(key, &whole, 1, a) && !hmac_sha256(key, split, 3, b) && !memcmp(a, b, 32),
           "HMAC-SHA-256 at %zu", at);
        uint32_t crc = crc32_update(crc32_update(0, whole.data, at), whole.data + at,
                                    whole.size - at);
        ok(crc == crc32_update(0, whole.data, whole.size), "CRC-32 at %zu", at);
    }
    uint8_t digest[16];
    ok(!md5(NULL, 0, digest) && same(view(digest, 16), hex("d41d8cd98f00b204e9800998ecf8427e")),
       "MD5 of no parts");
}

/* RFC 3962, appendix B. */
static void ciphertext_stealing(void)
{
    static const struct {
        size_t size;
        const char *cipher;
    } cases[] = {
        {17, "c6353568f2bf8cb4d8a580362da7ff7f97"},
        {31, "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5"},
        {32, "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584"},
    };
    struct slice key = ascii("chicken teriyaki"), text = ascii("I would like the General Gau's C");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t data[32];
        memcpy(data, text.data, sizeof(data));
        ok(!aes_cts_encrypt(key, data, cases[i].size), "encrypting %zu bytes", cases[i].size);
        ok(same(view(data, cases[i].size), hex(cases[i].cipher)), "cipher of %zu", cases[i].size);
        ok(!aes_cts_decrypt(key, data, cases[i].size), "decrypting %zu bytes", cases[i].size);
        ok(!memcmp(data, text.data, sizeof(data)), "text of %zu", cases[i].size);
    }
    uint8_t data[16] = "less than a bloc";
    ok(aes_cts_encrypt(key, data, 15) && !memcmp(data, "less than a bloc", 16), "15 bytes");
}

/* Keys that libgcrypt calls weak come from short passwords. */
static void weak_keys(void)
{
    static const uint8_t plain[] = "KGS!@#$%", zeros[7],
                         ones[7] = {255, 255, 255, 255, 255, 255, 255};
    uint8_t out[8];
    ok(!des_block(zeros, plain, out) && same(view(out, 8), hex("aad3b435b51404ee")), "zeros");
    ok(!des_block(ones, plain, out), "ones");
    ok(!same(view(out, 8), hex("aad3b435b51404ee")), "are another key");
}

static void kept_hmac(void)
{
    struct slice key = hex("000102030405060708090a0b0c0d0e0f");
    struct hasher *hmac = NULL;
    if (!ok(hasher_create(CRYPTO_MD5, &key, &hmac) == SEC_E_OK, "create")) return;
    for (size_t size = 0; size < 200; size += 7) {
        uint8_t block[200], kept[16], once[16];
        memset(block, (int)size, sizeof(block));
        hasher_start(hmac);
        hasher_update(hmac, block, size / 2);
        hasher_update(hmac, NULL, 0);
        hasher_update(hmac, block + size / 2, size - size / 2);
        hasher_finish(hmac, kept, sizeof(kept));
        struct slice part = view(block, size);
        ok(!hmac_md5(key, &part, 1, once) && !memcmp(kept, once, 16), "%zu bytes", size);
        hasher_start(hmac);
        hasher_update(hmac, block, 3); /* given up in the middle */
    }
    hasher_free(hmac);
    hasher_free(NULL);
}

static void kept_digest(void)
{
    struct hasher *hasher = NULL;
    uint8_t out[64];
    const enum crypto_hash hashes[] = {CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512, CRYPTO_SHA1,
                                       CRYPTO_MD5};
    for (size_t i = 0; i < sizeof(hashes) / sizeof(*hashes); i++) {
        struct slice text = ascii("some text");
        uint8_t once[64];
        if (!ok(!hasher_create(hashes[i], NULL, &hasher), "create")) continue;
        for (int times = 0; times < 3; times++) {
            memset(out, 0x55, sizeof(out));
            hasher_start(hasher);
            hasher_update(hasher, text.data, text.size);
            hasher_finish(hasher, out, hash_size(hashes[i]) - 1);
            ok(!hash_digest(hashes[i], &text, 1, once) &&
                   !memcmp(out, once, hash_size(hashes[i]) - 1),
               "hash %u", (unsigned)i);
            ok(out[hash_size(hashes[i]) - 1] == 0x55, "and no more");
        }
        hasher_free(hasher);
    }
}

/* Runs follow each other, and each message begins anew. */
static void kept_cbc(void)
{
    for (size_t key_size = 16; key_size <= 32; key_size += 16) {
        uint8_t key[32], whole[96], data[96];
        struct cbc *cbc = NULL;
        memset(key, 5, sizeof(key));
        memset(whole, 0x42, sizeof(whole));
        if (!ok(!cbc_create(view(key, key_size), &cbc), "create")) continue;
        cbc_start(cbc);
        cbc_encrypt(cbc, whole, sizeof(whole));
        for (size_t at = 0; at <= sizeof(data); at += 16) {
            memset(data, 0x42, sizeof(data));
            cbc_start(cbc);
            if (at) cbc_encrypt(cbc, data, at);
            if (at < sizeof(data)) cbc_encrypt(cbc, data + at, sizeof(data) - at);
            ok(!memcmp(data, whole, sizeof(data)), "in two runs");
            cbc_start(cbc);
            if (at) cbc_decrypt(cbc, data, at);
            if (at < sizeof(data)) cbc_decrypt(cbc, data + at, sizeof(data) - at);
            ok(data[0] == 0x42 && !memcmp(data, data + 1, sizeof(data) - 1), "and back");
        }
        cbc_free(cbc);
    }
    cbc_free(NULL);
}

static void aead_round_trip(void)
{
    uint8_t key[32], nonce[12] = {1}, tag[16];
    struct aead *aead = NULL;
    memset(key, 3, sizeof(key));
    if (!ok(aead_create(AEAD_AES_256_GCM, key, &aead) == SEC_E_OK, "create")) return;
    for (size_t size = 0; size < 70; size += 3) {
        uint8_t plain[70], data[70];
        memset(plain, 0x42, sizeof(plain));
        memcpy(data, plain, sizeof(data));
        nonce[11] = (uint8_t)size;
        ok(!aead_seal(aead, nonce, ascii("clear"), data, size, tag), "seal %zu", size);
        ok(size < 3 || memcmp(data, plain, size), "%zu bytes are enciphered", size);
        ok(data[size] == 0x42 || size == 70, "and no more");
        ok(!aead_open(aead, nonce, ascii("clear"), data, size, tag), "open %zu", size);
        ok(!memcmp(data, plain, size), "%zu bytes are back", size);
    }
    aead_free(aead);
    aead_free(NULL);
}

/* A message in two pieces, near each other or not, is sealed as one, and opened as one. */
static void aead_pieces(void)
{
    for (unsigned algorithm = 0; algorithm <= AEAD_AES_256_CCM_8; algorithm++) {
        const size_t tag_size = aead_tag_size((enum aead_algorithm)algorithm);
        uint8_t key[32] = {7}, nonce[12] = {1}, plain[70];
        struct aead *aead = NULL;
        memset(plain, 0x42, sizeof(plain));
        if (!ok(!aead_create((enum aead_algorithm)algorithm, key, &aead), "create")) continue;
        for (size_t at = 0; at <= sizeof(plain); at++) {
            uint8_t whole[70], tag[16], left[70], right[70], tag_of_two[16];
            memcpy(whole, plain, 70);
            memcpy(left, plain, at);
            memcpy(right, plain, 70 - at);
            ok(!aead_seal(aead, nonce, ascii("clear"), whole, 70, tag), "whole");
            ok(!aead_seal_pieces(aead, nonce, ascii("clear"), left, at, right, 70 - at, tag_of_two),
               "pieces");
            ok(!memcmp(whole, left, at) && !memcmp(whole + at, right, 70 - at) &&
                   !memcmp(tag, tag_of_two, tag_size),
               "cut at %zu", at);
            memcpy(left, plain, 70);
            ok(!aead_seal_pieces(aead, nonce, ascii("clear"), left, at, left + at, 70 - at,
                                 tag_of_two) &&
                   !memcmp(whole, left, 70) && !memcmp(tag, tag_of_two, tag_size),
               "side by side");
            ok(!aead_open(aead, nonce, ascii("clear"), whole, 70, tag) && !memcmp(whole, plain, 70),
               "open");
        }
        aead_free(aead);
    }
}

static bool refused(struct aead *aead, const uint8_t *nonce, struct slice clear,
                    struct slice sealed, const uint8_t *tag)
{
    uint8_t data[32];
    memcpy(data, sealed.data, sealed.size);
    status_t status = aead_open(aead, nonce, clear, data, sealed.size, tag);
    bool wiped = true;
    for (size_t i = 0; i < sealed.size; i++) wiped = wiped && !data[i];
    return status == SEC_E_MESSAGE_ALTERED && wiped;
}

static void aead_refuses(void)
{
    uint8_t key[32] = {9}, nonce[12] = {1}, tag[16], data[32], clear[5] = "clear";
    struct aead *aead = NULL;
    memset(data, 0x42, sizeof(data));
    if (!ok(aead_create(AEAD_AES_256_GCM, key, &aead) == SEC_E_OK, "create")) return;
    ok(!aead_seal(aead, nonce, view(clear, 5), data, sizeof(data), tag), "seal");
    struct {
        uint8_t *bytes;
        size_t size;
        const char *name;
    } inputs[] = {{nonce, 12, "nonce"}, {clear, 5, "clear"}, {data, 32, "data"}, {tag, 16, "tag"}};
    for (size_t i = 0; i < 4; i++) {
        for (size_t bit = 0; bit < 8 * inputs[i].size; bit++) {
            inputs[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            ok(refused(aead, nonce, view(clear, 5), view(data, 32), tag), "bit %zu of the %s", bit,
               inputs[i].name);
            inputs[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    ok(refused(aead, nonce, view(clear, 4), view(data, 32), tag), "less clear text");
    ok(refused(aead, nonce, view(clear, 5), view(data, 31), tag), "less data");
    ok(!aead_open(aead, nonce, view(clear, 5), data, 32, tag), "unchanged");
    aead_free(aead);
}

/* Small numbers, e of which d follows by hand: 17 d = 1 mod 60 * 52. */
static void private_exponent(void)
{
    uint8_t d[4] = {9, 9, 9, 9};
    ok(rsa_private_exponent(hex("11"), hex("3d"), hex("35"), d, 4) == SEC_E_OK, "a key");
    ok(same(view(d, 4), hex("00000ac1")), "2753");
    ok(rsa_private_exponent(hex("11"), hex("3d"), hex("35"), d, 1) == SEC_E_INVALID_TOKEN, "room");
    ok(rsa_private_exponent(hex("02"), hex("3d"), hex("35"), d, 4) == SEC_E_INVALID_TOKEN,
       "an exponent without an inverse");
    ok(rsa_private_exponent(hex("11"), hex("00"), hex("35"), d, 4) == SEC_E_INVALID_TOKEN,
       "no prime");
    ok(same(view(d, 4), hex("00000ac1")), "a failure changes nothing");
}

int main(void)
{
    RUN(init_again);
    RUN(private_exponent);
    RUN(parts);
    RUN(ciphertext_stealing);
    RUN(weak_keys);
    RUN(kept_hmac);
    RUN(kept_digest);
    RUN(kept_cbc);
    RUN(aead_round_trip);
    RUN(aead_pieces);
    RUN(aead_refuses);
    return test_end("unit_crypto");
}
