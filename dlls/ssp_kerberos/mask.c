/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passwords while they are kept: combined with a pad that comes from a random key of this process,
 * and opened for the step that needs one. A single block that gets out (freed memory, a page of a
 * swap file, part of a crash report) gives no password away.
 */
#include "kerberos_package.h"

#include "core/crypto.h"
#include "core/secret.h"
#include "ssp/prefix.h"

status_t secret_mask(const uint8_t nonce[16], uint8_t *data, size_t size)
{
    struct slice key;
    uint8_t pad[32], number[4];
    status_t status = process_key_get(&key);
    if (!status_ok(status)) return status;
    for (size_t at = 0; at < size; at += sizeof(pad)) {
        for (size_t i = 0; i < sizeof(number); i++) number[i] = (uint8_t)(at >> 8 * i);
        const struct slice parts[] = {{nonce, 16}, {number, sizeof(number)}};
        status = hmac_sha256(key, parts, ARRAYSIZE(parts), pad);
        if (!status_ok(status)) return status;
        for (size_t i = 0; i < sizeof(pad) && at + i < size; i++) data[at + i] ^= pad[i];
    }
    secret_wipe(pad, sizeof(pad));
    return SEC_E_OK;
}
