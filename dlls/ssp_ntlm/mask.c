/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hashes of passwords while they are kept: combined with a pad that comes from a random key of
 * this process, and opened on the stack of the step that needs one. A single block that gets out
 * (freed memory, a page of a swap file, part of a crash report) gives no hash away.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"

static status_t pad_apply(const uint8_t nonce[16], const uint8_t in[16], uint8_t out[16])
{
    struct slice parts[] = {{NULL, 0}, {nonce, 16}};
    uint8_t pad[16];
    status_t status = process_key_get(&parts[0]);
    if (status_ok(status)) status = md5(parts, ARRAYSIZE(parts), pad);
    if (!status_ok(status)) return status;
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
