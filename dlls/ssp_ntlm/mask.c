/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hashes of passwords while they are kept: combined with a pad that comes from a random key of
 * this process, and opened on the stack of the step that needs one. Whoever reads all memory of
 * the process finds the key as well; a single block that gets out (freed memory, a page of a
 * swap file, part of a crash report) gives no hash away.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"

static struct hmac_md5 *pad_maker; /* has the key; for one thread at a time */
static SRWLOCK pad_lock = SRWLOCK_INIT;

static BOOL CALLBACK pad_maker_create(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    uint8_t key[16];
    status_t status = crypto_ready();
    if (status_ok(status)) status = random_bytes(key, sizeof(key));
    if (status_ok(status)) status = hmac_md5_create(key, &pad_maker);
    secret_wipe(key, sizeof(key));
    return status_ok(status);
}

static status_t pad_apply(const uint8_t nonce[16], const uint8_t in[16], uint8_t out[16])
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    uint8_t pad[16];
    if (!InitOnceExecuteOnce(&once, pad_maker_create, NULL, NULL)) return SEC_E_INTERNAL_ERROR;
    AcquireSRWLockExclusive(&pad_lock);
    hmac_md5_start(pad_maker);
    hmac_md5_update(pad_maker, nonce, 16);
    hmac_md5_finish(pad_maker, pad);
    ReleaseSRWLockExclusive(&pad_lock);
    for (size_t i = 0; i < sizeof(pad); i++) out[i] = in[i] ^ pad[i];
    secret_wipe(pad, sizeof(pad));
    return SEC_E_OK;
}

status_t hash_mask(const uint8_t hash[16], struct masked_hash *out)
{
    struct masked_hash masked;
    status_t status = random_bytes(masked.nonce, sizeof(masked.nonce));
    if (status_ok(status)) status = pad_apply(masked.nonce, hash, masked.bytes);
    if (status_ok(status)) *out = masked;
    return status;
}

status_t hash_unmask(const struct masked_hash *masked, uint8_t hash[16])
{
    return pad_apply(masked->nonce, masked->bytes, hash);
}
