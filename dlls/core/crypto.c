/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The only file that calls libgcrypt. Its random source and its secure memory are not used: the
 * first would gather entropy of its own, the second needs privileges and is one small pool.
 */
#include "core/crypto.h"

#include "core/secret.h"

#include <gcrypt.h>
#include <stdlib.h>
#include <string.h>

#define MINIMUM_GCRYPT "1.8.0"
#define HASH_BLOCK_MAX 128u /* of SHA-384 */

/* What stands before the inner and before the outer message (RFC 2104 2). */
struct hmac_pads {
    size_t size; /* of a block of the hash */
    uint8_t inner[HASH_BLOCK_MAX], outer[HASH_BLOCK_MAX];
};

struct hasher {
    gcry_md_hd_t handle;
};

struct cbc {
    gcry_cipher_hd_t handle;
};

struct aead {
    gcry_cipher_hd_t handle;
    uint8_t tag_size;
    bool ccm; /* which wants all sizes beforehand */
};

/* Bad arguments are mistakes of ours; the only thing that goes wrong by itself is memory. */
static status_t from_gcry(gcry_error_t error)
{
    if (!error) return SEC_E_OK;
    return gcry_err_code(error) == GPG_ERR_ENOMEM ? SEC_E_INSUFFICIENT_MEMORY
                                                  : SEC_E_INTERNAL_ERROR;
}

/* ---- the beginning ---- */

/* A cipher tests itself with its first key, and is broken from then on if there was no memory for
 * it: so this belongs to the beginning. ChaCha20 needs none. */
static status_t cipher_try(int algorithm, int mode)
{
    static const uint8_t key[32] = "any but one of the weak of DES";
    gcry_cipher_hd_t handle = NULL;
    status_t status = from_gcry(gcry_cipher_open(&handle, algorithm, mode, 0));
    if (status_ok(status))
        status = from_gcry(gcry_cipher_setkey(handle, key, gcry_cipher_get_algo_keylen(algorithm)));
    gcry_cipher_close(handle);
    return status;
}

status_t crypto_init(void)
{
    if (gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) return SEC_E_OK;
    /* MD4, MD5 and DES are not there in FIPS mode, which a host may switch on for everybody. */
    gcry_control(GCRYCTL_NO_FIPS_MODE);
    if (!gcry_check_version(MINIMUM_GCRYPT)) return SEC_E_INTERNAL_ERROR;
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    status_t status = cipher_try(GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM);
    if (status_ok(status)) status = cipher_try(GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CBC);
    return status_ok(status) ? cipher_try(GCRY_CIPHER_DES, GCRY_CIPHER_MODE_ECB) : status;
}

/* ---- hashes ---- */

/*
 * RFC 2104 over the plain digest, which costs fewer allocations than libgcrypt's own HMAC for a key
 * that serves once. That one asks for memory when a message ends, and ends the process if there is
 * none.
 */
static void hmac_pads_make(gcry_md_hd_t handle, int algorithm, struct slice key,
                           struct hmac_pads *pads)
{
    uint8_t block[HASH_BLOCK_MAX] = {0};
    pads->size = gcry_md_get_algo_dlen(algorithm) > 32 ? 128 : 64;
    if (key.size > pads->size) {
        gcry_md_write(handle, key.data, key.size);
        memcpy(block, gcry_md_read(handle, algorithm), gcry_md_get_algo_dlen(algorithm));
        gcry_md_reset(handle);
    } else if (key.size) {
        memcpy(block, key.data, key.size);
    }
    for (size_t i = 0; i < pads->size; i++) {
        pads->inner[i] = block[i] ^ 0x36;
        pads->outer[i] = block[i] ^ 0x5c;
    }
    secret_wipe(block, sizeof(block));
}

/* The outer message; out has the inner digest, and then the MAC. */
static void hmac_end(gcry_md_hd_t handle, int algorithm, const struct hmac_pads *pads, uint8_t *out)
{
    size_t size = gcry_md_get_algo_dlen(algorithm);
    gcry_md_reset(handle);
    gcry_md_write(handle, pads->outer, pads->size);
    gcry_md_write(handle, out, size);
    memcpy(out, gcry_md_read(handle, algorithm), size);
}

/* A digest, or with a key an HMAC, over the parts in order. */
static status_t hash_parts(int algorithm, const struct slice *key, const struct slice *parts,
                           size_t count, uint8_t *out)
{
    gcry_md_hd_t handle = NULL;
    struct hmac_pads pads;
    status_t status = from_gcry(gcry_md_open(&handle, algorithm, 0));
    if (!status_ok(status)) return status;
    if (key) {
        hmac_pads_make(handle, algorithm, *key, &pads);
        gcry_md_write(handle, pads.inner, pads.size);
    }
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size) gcry_md_write(handle, parts[i].data, parts[i].size);
    }
    /* The digest lies in the handle, which wipes it when it is closed. */
    memcpy(out, gcry_md_read(handle, algorithm), gcry_md_get_algo_dlen(algorithm));
    if (key) {
        hmac_end(handle, algorithm, &pads, out);
        secret_wipe(&pads, sizeof(pads));
    }
    gcry_md_close(handle);
    secret_wipe_stack();
    return SEC_E_OK;
}

status_t md4(struct slice data, uint8_t digest[16])
{
    return hash_parts(GCRY_MD_MD4, NULL, &data, 1, digest);
}

status_t md5(const struct slice *parts, size_t count, uint8_t digest[16])
{
    return hash_parts(GCRY_MD_MD5, NULL, parts, count, digest);
}

status_t hmac_md5(struct slice key, const struct slice *parts, size_t count, uint8_t mac[16])
{
    return hash_parts(GCRY_MD_MD5, &key, parts, count, mac);
}

status_t hmac_sha256(struct slice key, const struct slice *parts, size_t count, uint8_t mac[32])
{
    return hash_parts(GCRY_MD_SHA256, &key, parts, count, mac);
}

static int hash_algorithm(enum crypto_hash hash)
{
    static const int algorithms[] = {
        [CRYPTO_SHA256] = GCRY_MD_SHA256, [CRYPTO_SHA384] = GCRY_MD_SHA384,
        [CRYPTO_SHA512] = GCRY_MD_SHA512, [CRYPTO_SHA1] = GCRY_MD_SHA1,
        [CRYPTO_MD5] = GCRY_MD_MD5,
    };
    return algorithms[hash];
}

size_t hash_size(enum crypto_hash hash)
{
    return gcry_md_get_algo_dlen(hash_algorithm(hash));
}

status_t hash_digest(enum crypto_hash hash, const struct slice *parts, size_t count, uint8_t *out)
{
    return hash_parts(hash_algorithm(hash), NULL, parts, count, out);
}

status_t hash_mac(enum crypto_hash hash, struct slice key, const struct slice *parts, size_t count,
                  uint8_t *out)
{
    return hash_parts(hash_algorithm(hash), &key, parts, count, out);
}

status_t des_block(const uint8_t key[7], const uint8_t in[8], uint8_t out[8])
{
    uint8_t wide[8];
    uint64_t bits = 0;
    for (size_t i = 0; i < 7; i++) bits = bits << 8 | key[i];
    /* Seven bits a byte; the lowest would be the parity, which DES does not look at. */
    for (size_t i = 0; i < 8; i++) wide[i] = (uint8_t)(bits >> (49 - 7 * i) << 1);

    gcry_cipher_hd_t handle = NULL;
    status_t status = from_gcry(
        gcry_cipher_open(&handle, GCRY_CIPHER_DES, GCRY_CIPHER_MODE_ECB, 0));
    if (status_ok(status)) {
        /* An empty or short password gives a key that libgcrypt would refuse as weak. */
        gcry_cipher_ctl(handle, GCRYCTL_SET_ALLOW_WEAK_KEY, NULL, 1);
        gcry_error_t error = gcry_cipher_setkey(handle, wide, sizeof(wide));
        /* Allowed, the key is set all the same, but the answer may still be this. */
        if (gcry_err_code(error) == GPG_ERR_WEAK_KEY) error = 0;
        if (!error) error = gcry_cipher_encrypt(handle, out, 8, in, 8);
        status = from_gcry(error);
    }
    gcry_cipher_close(handle);
    secret_wipe(wide, sizeof(wide));
    secret_wipe(&bits, sizeof(bits));
    return status;
}

static status_t aes_cts(struct slice key, bool encrypt, uint8_t *data, size_t size)
{
    if (size < 16) return SEC_E_INTERNAL_ERROR;
    int algorithm = key.size == 32 ? GCRY_CIPHER_AES256 : GCRY_CIPHER_AES128;
    gcry_cipher_hd_t handle = NULL;
    status_t status = from_gcry(
        gcry_cipher_open(&handle, algorithm, GCRY_CIPHER_MODE_CBC, GCRY_CIPHER_CBC_CTS));
    if (status_ok(status)) status = from_gcry(gcry_cipher_setkey(handle, key.data, key.size));
    if (status_ok(status))
        status = from_gcry(encrypt ? gcry_cipher_encrypt(handle, data, size, NULL, 0)
                                   : gcry_cipher_decrypt(handle, data, size, NULL, 0));
    gcry_cipher_close(handle);
    return status;
}

status_t aes_cts_encrypt(struct slice key, uint8_t *data, size_t size)
{
    return aes_cts(key, true, data, size);
}

status_t aes_cts_decrypt(struct slice key, uint8_t *data, size_t size)
{
    return aes_cts(key, false, data, size);
}

/* A table of 16 entries: CRC-32 serves sessions without extended session security only. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t size)
{
    static const uint32_t nibbles[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    const uint8_t *at = data;
    crc = ~crc;
    for (; size; size--) {
        crc ^= *at++;
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

/* ---- what serves many messages ---- */

status_t hasher_create(enum crypto_hash hash, const struct slice *key, struct hasher **out)
{
    struct hasher *hasher = calloc(1, sizeof(*hasher));
    if (!hasher) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = from_gcry(
        gcry_md_open(&hasher->handle, hash_algorithm(hash), key ? GCRY_MD_FLAG_HMAC : 0));
    if (status_ok(status) && key) {
        status = from_gcry(gcry_md_setkey(hasher->handle, key->data, key->size));
        secret_wipe_stack();
    }
    if (!status_ok(status)) {
        hasher_free(hasher);
        return status;
    }
    *out = hasher;
    return SEC_E_OK;
}

/* The key's two blocks were hashed once at setkey; a reset copies that state back. */
void hasher_start(struct hasher *hasher)
{
    gcry_md_reset(hasher->handle);
}

void hasher_update(struct hasher *hasher, const void *data, size_t size)
{
    if (size) gcry_md_write(hasher->handle, data, size);
}

void hasher_finish(struct hasher *hasher, uint8_t *out, size_t size)
{
    memcpy(out, gcry_md_read(hasher->handle, 0), size);
}

void hasher_free(struct hasher *hasher)
{
    if (!hasher) return;
    gcry_md_close(hasher->handle);
    free(hasher);
}

status_t cbc_create(struct slice key, struct cbc **out)
{
    int algorithm = key.size == 32 ? GCRY_CIPHER_AES256 : GCRY_CIPHER_AES128;
    struct cbc *cbc = calloc(1, sizeof(*cbc));
    if (!cbc) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = from_gcry(gcry_cipher_open(&cbc->handle, algorithm, GCRY_CIPHER_MODE_CBC, 0));
    if (status_ok(status)) status = from_gcry(gcry_cipher_setkey(cbc->handle, key.data, key.size));
    if (!status_ok(status)) {
        cbc_free(cbc);
        return status;
    }
    *out = cbc;
    return SEC_E_OK;
}

/* Neither this nor the rest fails for a handle with a key and for whole blocks. */
void cbc_start(struct cbc *cbc)
{
    static const uint8_t zeros[16];
    gcry_cipher_setiv(cbc->handle, zeros, sizeof(zeros));
}

void cbc_encrypt(struct cbc *cbc, uint8_t *data, size_t size)
{
    gcry_cipher_encrypt(cbc->handle, data, size, NULL, 0);
}

void cbc_decrypt(struct cbc *cbc, uint8_t *data, size_t size)
{
    gcry_cipher_decrypt(cbc->handle, data, size, NULL, 0);
}

void cbc_free(struct cbc *cbc)
{
    if (!cbc) return;
    gcry_cipher_close(cbc->handle);
    free(cbc);
}

/* ---- authenticated encryption ---- */

static const struct {
    int algorithm, mode;
    uint8_t key_size, tag_size;
} aead_kinds[] = {
    [AEAD_AES_128_GCM] = {GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_GCM, 16, 16},
    [AEAD_AES_256_GCM] = {GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 32, 16},
    [AEAD_CHACHA20_POLY1305] = {GCRY_CIPHER_CHACHA20, GCRY_CIPHER_MODE_POLY1305, 32, 16},
    [AEAD_AES_128_CCM] = {GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CCM, 16, 16},
    [AEAD_AES_256_CCM] = {GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CCM, 32, 16},
    [AEAD_AES_128_CCM_8] = {GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CCM, 16, 8},
    [AEAD_AES_256_CCM_8] = {GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CCM, 32, 8},
};

size_t aead_key_size(enum aead_algorithm algorithm)
{
    return aead_kinds[algorithm].key_size;
}

size_t aead_tag_size(enum aead_algorithm algorithm)
{
    return aead_kinds[algorithm].tag_size;
}

status_t aead_create(enum aead_algorithm algorithm, const uint8_t *key, struct aead **out)
{
    struct aead *aead = calloc(1, sizeof(*aead));
    if (!aead) return SEC_E_INSUFFICIENT_MEMORY;
    aead->tag_size = aead_kinds[algorithm].tag_size;
    aead->ccm = aead_kinds[algorithm].mode == GCRY_CIPHER_MODE_CCM;
    status_t status = from_gcry(gcry_cipher_open(&aead->handle, aead_kinds[algorithm].algorithm,
                                                 aead_kinds[algorithm].mode, 0));
    if (status_ok(status))
        status = from_gcry(gcry_cipher_setkey(aead->handle, key, aead_key_size(algorithm)));
    if (!status_ok(status)) {
        aead_free(aead);
        return status;
    }
    *out = aead;
    return SEC_E_OK;
}

/* Setting the nonce also forgets a message that was not finished. */
static gcry_error_t aead_start(struct aead *aead, const uint8_t nonce[12], struct slice associated,
                               size_t size)
{
    gcry_error_t error = gcry_cipher_setiv(aead->handle, nonce, 12);
    if (!error && aead->ccm) {
        uint64_t sizes[] = {size, associated.size, aead->tag_size};
        error = gcry_cipher_ctl(aead->handle, GCRYCTL_SET_CCM_LENGTHS, sizes, sizeof(sizes));
    }
    if (error || !associated.size) return error;
    return gcry_cipher_authenticate(aead->handle, associated.data, associated.size);
}

status_t aead_seal(struct aead *aead, const uint8_t nonce[12], struct slice associated,
                   uint8_t *data, size_t size, uint8_t tag[AEAD_TAG_SIZE])
{
    return aead_seal_pieces(aead, nonce, associated, data, size, NULL, 0, tag);
}

status_t aead_seal_pieces(struct aead *aead, const uint8_t nonce[12], struct slice associated,
                          uint8_t *data, size_t size, uint8_t *more, size_t more_size,
                          uint8_t tag[AEAD_TAG_SIZE])
{
    gcry_error_t error = aead_start(aead, nonce, associated, size + more_size);
    /* Pieces that lie side by side are one, which is faster. */
    if (more_size && more == data + size) {
        size += more_size;
        more_size = 0;
    }
    /* libgcrypt takes in-place work as no input, and does not like a block of no bytes. */
    if (!error && size) error = gcry_cipher_encrypt(aead->handle, data, size, NULL, 0);
    if (!error && more_size) error = gcry_cipher_encrypt(aead->handle, more, more_size, NULL, 0);
    if (!error) error = gcry_cipher_gettag(aead->handle, tag, aead->tag_size);
    return from_gcry(error);
}

status_t aead_open(struct aead *aead, const uint8_t nonce[12], struct slice associated,
                   uint8_t *data, size_t size, const uint8_t tag[AEAD_TAG_SIZE])
{
    gcry_error_t error = aead_start(aead, nonce, associated, size);
    if (!error && size) error = gcry_cipher_decrypt(aead->handle, data, size, NULL, 0);
    if (!error) error = gcry_cipher_checktag(aead->handle, tag, aead->tag_size);
    if (!error) return SEC_E_OK;
    /* Nobody gets to look at plain text that nothing vouches for. */
    secret_wipe(data, size);
    return gcry_err_code(error) == GPG_ERR_CHECKSUM ? SEC_E_MESSAGE_ALTERED : from_gcry(error);
}

void aead_free(struct aead *aead)
{
    if (!aead) return;
    gcry_cipher_close(aead->handle);
    free(aead);
}

/* ---- RSA ---- */

static gcry_error_t mpi_read(struct slice from, gcry_mpi_t *out)
{
    return gcry_mpi_scan(out, GCRYMPI_FMT_USG, from.data, from.size, NULL);
}

static gcry_error_t mpi_write(gcry_mpi_t from, uint8_t *out, size_t size)
{
    const size_t used = (gcry_mpi_get_nbits(from) + 7) / 8;
    if (!used || used > size) return gcry_error(GPG_ERR_TOO_LARGE);
    memset(out, 0, size - used);
    return gcry_mpi_print(GCRYMPI_FMT_USG, out + size - used, used, NULL, from);
}

/* libgcrypt wipes what it releases. */
status_t rsa_private_exponent(struct slice exponent, struct slice p, struct slice q, uint8_t *out,
                              size_t size)
{
    gcry_mpi_t e = NULL, a = NULL, b = NULL;
    gcry_error_t error = mpi_read(exponent, &e);
    if (!error) error = mpi_read(p, &a);
    if (!error) error = mpi_read(q, &b);
    if (error) goto done;
    error = gcry_error(GPG_ERR_BAD_SECKEY);
    if (gcry_mpi_cmp_ui(a, 2) <= 0 || gcry_mpi_cmp_ui(b, 2) <= 0) goto done;
    gcry_mpi_sub_ui(a, a, 1);
    gcry_mpi_sub_ui(b, b, 1);
    gcry_mpi_mul(a, a, b);
    if (gcry_mpi_invm(b, e, a)) error = mpi_write(b, out, size);
done:
    gcry_mpi_release(e);
    gcry_mpi_release(a);
    gcry_mpi_release(b);
    if (gcry_err_code(error) == GPG_ERR_ENOMEM) return SEC_E_INSUFFICIENT_MEMORY;
    return error ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}
