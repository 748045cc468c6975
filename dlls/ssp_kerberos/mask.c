/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passwords while they are kept: combined with a pad that comes from a random key of this process,
 * and opened for the step that needs one. Whoever reads all memory of the process finds the key as
 * well; a single block that gets out (freed memory, a page of a swap file, part of a crash report)
 * gives no password away.
 */
#include "kerberos_package.h"

#include "core/crypto.h"
#include "core/secret.h"
#include "ssp/prefix.h"

static uint8_t pad_key[32];

static BOOL CALLBACK pad_key_make(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    return status_ok(crypto_ready()) && status_ok(random_bytes(pad_key, sizeof(pad_key)));
}

status_t secret_mask(const uint8_t nonce[16], uint8_t *data, size_t size)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    const struct slice key = {pad_key, sizeof(pad_key)};
    uint8_t pad[32], number[4];
    if (!InitOnceExecuteOnce(&once, pad_key_make, NULL, NULL)) return SEC_E_INTERNAL_ERROR;
    for (size_t at = 0; at < size; at += sizeof(pad)) {
        for (size_t i = 0; i < sizeof(number); i++) number[i] = (uint8_t)(at >> 8 * i);
        const struct slice parts[] = {{nonce, 16}, {number, sizeof(number)}};
        status_t status = hmac_sha256(key, parts, ARRAYSIZE(parts), pad);
        if (!status_ok(status)) return status;
        for (size_t i = 0; i < sizeof(pad) && at + i < size; i++) data[at + i] ^= pad[i];
    }
    secret_wipe(pad, sizeof(pad));
    return SEC_E_OK;
}
