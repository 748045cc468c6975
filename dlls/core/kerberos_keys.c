/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The encryption types, and keys derived from a session's: n-fold and DK of RFC 3961 5.1 for the
 * types of RFC 3962, KDF-HMAC-SHA2 of RFC 8009 3, and the fixed keys of RFC 4757 7.2 and 7.3. Which
 * key protects what: RFC 4121 2.
 */
#include "kerberos_private.h"

#include <stdlib.h>
#include <string.h>

/* RFC 4121 2. */
#define USAGE_ACCEPTOR_SEAL 22u
#define USAGE_ACCEPTOR_SIGN 23u
#define USAGE_INITIATOR_SEAL 24u
#define USAGE_INITIATOR_SIGN 25u

/* What stands behind the usage: RFC 3961 5.3. */
#define KEY_CHECKSUM 0x99u
#define KEY_ENCRYPTION 0xaau
#define KEY_INTEGRITY 0x55u

#define DERIVED_MAX 64u
#define LABEL_MAX 64u

static const struct kerberos_profile profiles[] = {
    [KERBEROS_AES128_SHA1] = {16, 12, CRYPTO_SHA1, false},
    [KERBEROS_AES256_SHA1] = {32, 12, CRYPTO_SHA1, false},
    [KERBEROS_AES128_SHA256] = {16, 16, CRYPTO_SHA256, true},
    [KERBEROS_AES256_SHA384] = {32, 24, CRYPTO_SHA384, true},
    [KERBEROS_RC4] = {16, 8, CRYPTO_MD5, false},
};

const struct kerberos_profile *kerberos_profile(uint32_t enctype)
{
    if (enctype >= sizeof(profiles) / sizeof(*profiles)) return NULL;
    return profiles[enctype].key_size ? &profiles[enctype] : NULL;
}

size_t kerberos_key_size(uint32_t enctype)
{
    const struct kerberos_profile *profile = kerberos_profile(enctype);
    return profile ? profile->key_size : 0;
}

/* ---- RFC 3961 5.1 ---- */

/* Byte number `at` of endless copies of the bytes, each turned right by 13 bits more than the one
 * before. */
static uint8_t turned(struct slice from, size_t at)
{
    size_t bits = 8 * from.size, turn = 13 * (at / from.size) % bits;
    size_t bit = (8 * (at % from.size) + bits - turn) % bits;
    size_t byte = bit / 8, next = (byte + 1) % from.size;
    unsigned both = (unsigned)from.data[byte] << 8 | from.data[next];
    return (uint8_t)(both >> (8 - bit % 8));
}

/* As many copies as make whole blocks of that size are added with end-around carry. */
void kerberos_n_fold(struct slice from, uint8_t *out, size_t size)
{
    size_t total = from.size;
    while (total % size) total += from.size;
    memset(out, 0, size);
    for (size_t block = 0; block < total; block += size) {
        unsigned carry = 0;
        for (size_t i = size; i-- > 0; carry >>= 8) {
            carry += (unsigned)out[i] + turned(from, block + i);
            out[i] = (uint8_t)carry;
        }
        /* Adding one to what overflowed by less than that overflows no more. */
        for (size_t i = size; carry && i-- > 0; carry >>= 8) {
            carry += out[i];
            out[i] = (uint8_t)carry;
        }
    }
}

static status_t derive_dk(struct slice key, struct slice constant, uint8_t *out, size_t size)
{
    struct cbc *cbc = NULL;
    uint8_t block[CFX_BLOCK];
    if (!constant.size) return SEC_E_INVALID_PARAMETER;
    status_t status = cbc_create(key, &cbc);
    if (!status_ok(status)) return status;
    kerberos_n_fold(constant, block, sizeof(block));
    for (size_t done = 0; done < size; done += sizeof(block)) {
        size_t part = size - done < sizeof(block) ? size - done : sizeof(block);
        cbc_start(cbc);
        cbc_encrypt(cbc, block, sizeof(block));
        memcpy(out + done, block, part);
    }
    secret_wipe(block, sizeof(block));
    cbc_free(cbc);
    return SEC_E_OK;
}

/* ---- RFC 8009 3 ---- */

static status_t derive_hmac(enum crypto_hash hash, struct slice key, struct slice label,
                            uint8_t *out, size_t size)
{
    uint8_t mac[HASH_SIZE_MAX];
    const uint8_t one[4] = {0, 0, 0, 1}, zero = 0;
    size_t bits = 8 * size;
    const uint8_t length[4] = {(uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
                               (uint8_t)bits};
    const struct slice parts[] = {{one, 4}, label, {&zero, 1}, {length, 4}};
    if (size > hash_size(hash)) return SEC_E_INVALID_PARAMETER;
    status_t status = hash_mac(hash, key, parts, 4, mac);
    if (status_ok(status)) memcpy(out, mac, size);
    secret_wipe(mac, sizeof(mac));
    return status;
}

status_t kerberos_derive(enum kerberos_enctype enctype, struct slice key, struct slice constant,
                         uint8_t *out, size_t size)
{
    const struct kerberos_profile *profile = kerberos_profile(enctype);
    if (!profile || enctype == KERBEROS_RC4) return SEC_E_UNSUPPORTED_FUNCTION;
    if (key.size != profile->key_size) return SEC_E_INVALID_PARAMETER;
    return profile->mac_of_cipher ? derive_hmac(profile->hash, key, constant, out, size)
                                  : derive_dk(key, constant, out, size);
}

/* ---- the keys of a direction ---- */

static status_t derive_usage(const struct kerberos_session *session, uint32_t usage, uint8_t kind,
                             uint8_t *out, size_t size)
{
    const uint8_t constant[5] = {0, 0, 0, (uint8_t)usage, kind};
    const struct slice key = {session->key, kerberos_key_size(session->enctype)};
    return kerberos_derive(session->enctype, key, (struct slice){constant, 5}, out, size);
}

/* Keys of a MAC are as long as it is in RFC 8009 5, and as the session's in RFC 3961 5.3. */
static status_t make_hasher(const struct kerberos_session *session, uint32_t usage, uint8_t kind,
                            struct hasher **out)
{
    const struct kerberos_profile *profile = kerberos_profile_of(session);
    uint8_t bytes[KERBEROS_KEY_MAX];
    const struct slice key = {bytes,
                              profile->mac_of_cipher ? profile->mac_size : profile->key_size};
    if (*out) return SEC_E_OK;
    status_t status = derive_usage(session, usage, kind, bytes, key.size);
    if (status_ok(status)) status = hasher_create(profile->hash, &key, out);
    secret_wipe(bytes, sizeof(bytes));
    return status;
}

static status_t make_cipher(const struct kerberos_session *session, uint32_t usage,
                            struct cbc **out)
{
    uint8_t bytes[KERBEROS_KEY_MAX];
    const struct slice key = {bytes, kerberos_key_size(session->enctype)};
    if (*out) return SEC_E_OK;
    status_t status = derive_usage(session, usage, KEY_ENCRYPTION, bytes, key.size);
    if (status_ok(status)) status = cbc_create(key, out);
    secret_wipe(bytes, sizeof(bytes));
    return status;
}

static status_t prepare_cfx(const struct kerberos_session *session, bool acceptor,
                            struct kerberos_keys *keys, enum kerberos_purpose purpose)
{
    uint32_t sign = acceptor ? USAGE_ACCEPTOR_SIGN : USAGE_INITIATOR_SIGN;
    uint32_t seal = acceptor ? USAGE_ACCEPTOR_SEAL : USAGE_INITIATOR_SEAL;
    if (purpose == KERBEROS_SIGN) return make_hasher(session, sign, KEY_CHECKSUM, &keys->sign);
    if (purpose == KERBEROS_CHECK) return make_hasher(session, seal, KEY_CHECKSUM, &keys->check);
    status_t status = make_hasher(session, seal, KEY_INTEGRITY, &keys->integrity);
    return status_ok(status) ? make_cipher(session, seal, &keys->cipher) : status;
}

/* A MAC under the MAC of some bytes under a key, for RFC 4757. */
static status_t make_rc4_hasher(struct slice key, struct slice bytes, struct hasher **out)
{
    uint8_t mac[16];
    const struct slice made = {mac, sizeof(mac)};
    if (*out) return SEC_E_OK;
    status_t status = hash_mac(CRYPTO_MD5, key, &bytes, 1, mac);
    if (status_ok(status)) status = hasher_create(CRYPTO_MD5, &made, out);
    secret_wipe(mac, sizeof(mac));
    return status;
}

static status_t prepare_rc4(const struct kerberos_session *session, struct kerberos_keys *keys,
                            enum kerberos_purpose purpose)
{
    static const char signature[] = "signaturekey"; /* with its zero (RFC 4757 7.2) */
    static const uint8_t zero[4];
    const struct slice key = {session->key, 16}, salt = {zero, sizeof(zero)};
    uint8_t local[16];
    status_t status = make_rc4_hasher(
        key, (struct slice){(const uint8_t *)signature, sizeof(signature)}, &keys->sign);
    if (status_ok(status)) status = make_rc4_hasher(key, salt, &keys->number);
    if (status_ok(status) && !keys->digest) status = hasher_create(CRYPTO_MD5, NULL, &keys->digest);
    if (!status_ok(status) || purpose != KERBEROS_SEAL || keys->crypt) return status;
    for (size_t i = 0; i < sizeof(local); i++) local[i] = session->key[i] ^ 0xf0;
    status = make_rc4_hasher((struct slice){local, sizeof(local)}, salt, &keys->crypt);
    secret_wipe(local, sizeof(local));
    return status;
}

status_t kerberos_keys_prepare(const struct kerberos_session *session,
                               struct kerberos_direction *direction, enum kerberos_purpose purpose)
{
    bool sending = direction == &session->send;
    if (!direction->keys) direction->keys = calloc(1, sizeof(*direction->keys));
    if (!direction->keys) return SEC_E_INSUFFICIENT_MEMORY;
    if (session->enctype == KERBEROS_RC4) return prepare_rc4(session, direction->keys, purpose);
    return prepare_cfx(session, kerberos_by_acceptor(session, sending), direction->keys, purpose);
}

void kerberos_keys_free(struct kerberos_keys *keys)
{
    if (!keys) return;
    hasher_free(keys->sign);
    hasher_free(keys->check);
    hasher_free(keys->integrity);
    cbc_free(keys->cipher);
    hasher_free(keys->digest);
    hasher_free(keys->number);
    hasher_free(keys->crypt);
    free(keys);
}
