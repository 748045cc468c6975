/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libgcrypt gives, narrowed to our use. crypto_init must have succeeded once in the module
 * before anything else here; it may be called again and from several threads in turn, but the
 * first call is the caller's to serialise (InitOnce). Functions without a status cannot fail
 * after it; those with one fail for want of memory only, unless said otherwise.
 */
#pragma once

#include "core/reader.h"
#include "core/status.h"

status_t crypto_init(void);

status_t md4(struct slice data, uint8_t digest[16]);

/* Digest or HMAC over the parts in order. */
status_t md5(const struct slice *parts, size_t count, uint8_t digest[16]);
status_t hmac_md5(struct slice key, const struct slice *parts, size_t count, uint8_t mac[16]);
status_t hmac_sha256(struct slice key, const struct slice *parts, size_t count, uint8_t mac[32]);

/* One DES block under a 7-byte key (MS-NLMP 6, DES). */
status_t des_block(const uint8_t key[7], const uint8_t in[8], uint8_t out[8]);

/* AES-CBC with ciphertext stealing from an initial vector of zeros (RFC 3962 5), in place, under a
 * key of 16 or 32 bytes. Needs at least one block of 16. */
status_t aes_cts_encrypt(struct slice key, uint8_t *data, size_t size);
status_t aes_cts_decrypt(struct slice key, uint8_t *data, size_t size);

uint32_t crc32_update(uint32_t crc, const void *data, size_t size);

/* Digest, or HMAC, over the parts in order, of hash_size bytes. */
enum crypto_hash { CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512, CRYPTO_SHA1, CRYPTO_MD5 };
#define HASH_SIZE_MAX 64u
size_t hash_size(enum crypto_hash hash);
status_t hash_digest(enum crypto_hash hash, const struct slice *parts, size_t count, uint8_t *out);
status_t hash_mac(enum crypto_hash hash, struct slice key, const struct slice *parts, size_t count,
                  uint8_t *out);

/* A digest, or with a key its HMAC, for many messages: start, update..., finish, again and again
 * without a handle of its own for each. Not for two threads at once. */
struct hasher;
status_t hasher_create(enum crypto_hash hash, const struct slice *key, struct hasher **out);
void hasher_start(struct hasher *hasher);
void hasher_update(struct hasher *hasher, const void *data, size_t size);
/* The first size bytes of it. */
void hasher_finish(struct hasher *hasher, uint8_t *out, size_t size);
void hasher_free(struct hasher *hasher);

/* AES-CBC under a key of 16 or 32 bytes, for many messages: start sets the vector to zeros, and
 * runs of whole blocks follow each other, in place. Not for two threads at once. */
struct cbc;
status_t cbc_create(struct slice key, struct cbc **out);
void cbc_start(struct cbc *cbc);
void cbc_encrypt(struct cbc *cbc, uint8_t *data, size_t size);
void cbc_decrypt(struct cbc *cbc, uint8_t *data, size_t size);
void cbc_free(struct cbc *cbc);

/* Authenticated encryption under one key; not for two threads at once. seal encrypts data in place
 * and gives the tag; open decrypts in place and answers SEC_E_MESSAGE_ALTERED (data is then wiped)
 * when the tag does not match. After creation nothing allocates. */
enum aead_algorithm {
    AEAD_AES_128_GCM,
    AEAD_AES_256_GCM,
    AEAD_CHACHA20_POLY1305,
    AEAD_AES_128_CCM,
    AEAD_AES_256_CCM,
    AEAD_AES_128_CCM_8,
    AEAD_AES_256_CCM_8,
};
#define AEAD_TAG_SIZE 16u /* of all but CCM_8, which use 8 bytes of the place */
struct aead;
size_t aead_key_size(enum aead_algorithm algorithm);
size_t aead_tag_size(enum aead_algorithm algorithm);
status_t aead_create(enum aead_algorithm algorithm, const uint8_t *key, struct aead **out);
status_t aead_seal(struct aead *aead, const uint8_t nonce[12], struct slice associated,
                   uint8_t *data, size_t size, uint8_t tag[AEAD_TAG_SIZE]);
/* The same for data of two pieces that need not lie side by side: what open takes as one. */
status_t aead_seal_pieces(struct aead *aead, const uint8_t nonce[12], struct slice associated,
                          uint8_t *data, size_t size, uint8_t *more, size_t more_size,
                          uint8_t tag[AEAD_TAG_SIZE]);
status_t aead_open(struct aead *aead, const uint8_t nonce[12], struct slice associated,
                   uint8_t *data, size_t size, const uint8_t tag[AEAD_TAG_SIZE]);
void aead_free(struct aead *aead);

/* The private exponent of an RSA key (RFC 8017 3.2), from numbers that are big endian; of size
 * bytes. SEC_E_INVALID_TOKEN for numbers that are of no key, or of one that is longer. */
status_t rsa_private_exponent(struct slice exponent, struct slice p, struct slice q, uint8_t *out,
                              size_t size);
