/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Encrypting identities in place, for the same process, the same logon session or the system. Only
 * the EX2 form tells how large it is; what these functions give has room for what encryption adds.
 */
#include "core/secret.h"
#include "opaque.h"
#include "ssp/authdata.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("sspi");

/* The bits of Flags for the options, 0 for options that are not known. */
static ULONG options_flags(ULONG options)
{
    static const struct {
        ULONG option, flag;
    } known[] = {
        {SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON,
         SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_PROTECTED},
        {SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS,
         SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED},
        {SEC_WINNT_AUTH_IDENTITY_ENCRYPT_FOR_SYSTEM,
         SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_ENCRYPTED},
    };
    ULONG flags = 0;
    for (size_t i = 0; i < ARRAYSIZE(known); i++) {
        if (options & known[i].option) flags |= known[i].flag;
        options &= ~known[i].option;
    }
    return options ? 0 : flags;
}

static status_t block_open(uint8_t *block, size_t size, ULONG flags)
{
    struct identity_key key;
    status_t status = opaque_opening_key(flags, &key);
    if (!status_ok(status)) return status;
    status = identity_open_block(block, size, &key);
    secret_wipe(&key, sizeof(key));
    return status;
}

static status_t block_seal(uint8_t *block, size_t size, ULONG flags)
{
    struct identity_key key;
    uint8_t nonce[12];
    status_t status = random_bytes(nonce, sizeof(nonce));
    if (status_ok(status)) status = authdata_key(flags, &key);
    if (!status_ok(status)) return status;
    status = identity_seal_block(block, size, &key, nonce);
    secret_wipe(&key, sizeof(key));
    return status;
}

/* What is encrypted already is encrypted anew: documentation prepares an identity for the function
 * with options by calling the one without. */
static status_t block_encrypt(uint8_t *block, size_t size, ULONG old_flags, ULONG flags)
{
    uint8_t *copy = malloc(size);
    status_t status = SEC_E_OK;
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, block, size);
    if (old_flags) status = block_open(copy, size, old_flags);
    if (status_ok(status)) status = block_seal(copy, size, flags);
    if (status_ok(status)) memcpy(block, copy, size);
    secret_free(copy, size);
    return status;
}

/* The EX2 form is the only one in which credentials are packed. */
static bool is_block(const void *identity)
{
    return *(const ULONG *)identity == IDENTITY_VERSION;
}

SECURITY_STATUS WINAPI SspiEncryptAuthIdentityEx(ULONG options,
                                                 PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    struct authdata data;
    ULONG flags = options_flags(options);
    if (!identity || !flags) return SEC_E_INVALID_PARAMETER;
    if (!status_ok(authdata_read(identity, &data))) return SEC_E_INVALID_TOKEN;
    status_t status = SEC_E_BUFFER_TOO_SMALL;
    if (is_block(identity))
        status = block_encrypt(identity, data.size, data.flags & IDENTITY_ENCRYPTED, flags);
    if (status == SEC_E_BUFFER_TOO_SMALL)
        WARN("no room to encrypt in; SspiCopyAuthIdentity gives a copy with room\n");
    return status;
}

SECURITY_STATUS WINAPI SspiDecryptAuthIdentityEx(ULONG options,
                                                 PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    struct authdata data;
    ULONG flags = options_flags(options);
    if (!identity || !flags) return SEC_E_INVALID_PARAMETER;
    if (!status_ok(authdata_read(identity, &data))) return SEC_E_INVALID_TOKEN;
    ULONG found = data.flags & IDENTITY_ENCRYPTED;
    if (!found) return SEC_E_OK;
    if (found != flags) return SEC_E_INVALID_PARAMETER;
    return is_block(identity) ? block_open(identity, data.size, flags) : SEC_E_INVALID_TOKEN;
}

/* Documentation calls these two the same as SAME_PROCESS. */
SECURITY_STATUS WINAPI SspiEncryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    return SspiEncryptAuthIdentityEx(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, identity);
}

SECURITY_STATUS WINAPI SspiDecryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    return SspiDecryptAuthIdentityEx(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, identity);
}

BOOLEAN WINAPI SspiIsAuthIdentityEncrypted(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    struct authdata data;
    if (!identity || !status_ok(authdata_read(identity, &data))) return FALSE;
    return (data.flags & IDENTITY_ENCRYPTED) != 0;
}
