/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LsaProtectMemory and LsaUnprotectMemory: secrets that packages keep, under a random key of this
 * process. The bytes stay as many as they are and may be moved, so there is neither room for a tag
 * nor a place to take a nonce from: AES with ciphertext stealing from a fixed start, where equal
 * secrets of equal size give equal bytes.
 */
#include "core/crypto.h"
#include "core/secret.h"
#include "lsa_services.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

TRACE_CHANNEL("sspi");

#define BLOCK 16u

/* Less than a block is combined with a pad, the same for all of that size. */
static status_t pad_apply(struct slice key, uint8_t *data, size_t size)
{
    uint8_t pad[BLOCK] = {(uint8_t)size};
    status_t status = aes_cts_encrypt(key, pad, sizeof(pad));
    for (size_t i = 0; status_ok(status) && i < size; i++) data[i] ^= pad[i];
    secret_wipe(pad, sizeof(pad));
    return status;
}

/* The functions have no result. Out of memory, a secret that was to be hidden is wiped, since its
 * owner takes it for hidden; one that is hidden stays so. */
void NTAPI lsa_memory_protect(void *buffer, ULONG size)
{
    struct slice key;
    if (!buffer || !size) return;
    status_t status = process_key_get(&key);
    if (status_ok(status))
        status = size < BLOCK ? pad_apply(key, buffer, size) : aes_cts_encrypt(key, buffer, size);
    if (status_ok(status)) return;
    ERR("no cipher: %lu bytes wiped\n", size);
    secret_wipe(buffer, size);
}

void NTAPI lsa_memory_unprotect(void *buffer, ULONG size)
{
    struct slice key;
    if (!buffer || !size) return;
    status_t status = process_key_get(&key);
    if (status_ok(status))
        status = size < BLOCK ? pad_apply(key, buffer, size) : aes_cts_decrypt(key, buffer, size);
    if (!status_ok(status)) ERR("no cipher: %lu bytes stay protected\n", size);
}
