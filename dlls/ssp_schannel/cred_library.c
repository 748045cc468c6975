/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library's credentials, made from ours when a handshake first needs them.
 *
 * A server's key for session tickets comes from the secret of the prefix, so that a session is
 * resumed by the next process of a server as well. Whoever makes the key can open every ticket that
 * was sealed with it, until the prefix's server ends; all processes of the prefix could anyway,
 * since they share that secret. What the key is made of keeps apart what must not be resumed for
 * each other: other programs, certificates, and ideas of which clients to trust.
 *
 * What was shown is not in a ticket, and channel bindings are made of it (RFC 5929 4): so where
 * there are several certificates to choose from there are no tickets.
 */
#include "schannel_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("schannel");

#define TICKET_KEY_SIZE 64u

/* ---- the key of tickets ---- */

/* MAC so far, then more: a chain of MACs under the secret. */
static status_t key_absorb(struct slice secret, uint8_t mac[32], const void *data, size_t size)
{
    uint8_t next[32];
    const struct slice parts[] = {{mac, 32}, {data, size}};
    status_t status = hmac_sha256(secret, parts, ARRAYSIZE(parts), next);
    if (status_ok(status)) memcpy(mac, next, sizeof(next));
    return status;
}

/* The order in which a store gives its roots is its own. */
static status_t roots_absorb(struct slice secret, HCERTSTORE store, uint8_t mac[32])
{
    uint8_t sum[20] = {0}, hash[20];
    const CERT_CONTEXT *root = NULL;
    while (store && (root = CertEnumCertificatesInStore(store, root))) {
        DWORD size = sizeof(hash);
        if (!CertGetCertificateContextProperty(root, CERT_HASH_PROP_ID, hash, &size)) continue;
        for (size_t i = 0; i < sizeof(sum); i++) sum[i] ^= hash[i];
    }
    return key_absorb(secret, mac, sum, sizeof(sum));
}

static status_t program_absorb(struct slice secret, uint8_t mac[32])
{
    wchar_t path[1024];
    DWORD length = GetModuleFileNameW(NULL, path, ARRAYSIZE(path));
    return key_absorb(secret, mac, path, min(length, ARRAYSIZE(path)) * sizeof(*path));
}

/* What the credential allows: the library looks at the version of a session that a client brings,
 * and not at its suite. */
static status_t priorities_absorb(struct slice secret, const struct credential *credential,
                                  uint8_t mac[32])
{
    status_t status = SEC_E_OK;
    for (size_t i = 0; i < ARRAYSIZE(credential->priorities) && status_ok(status); i++) {
        const char *priorities = credential->priorities[i];
        if (priorities) status = key_absorb(secret, mac, priorities, strlen(priorities) + 1);
    }
    return status;
}

static status_t key_derive(const struct credential *credential, struct slice secret,
                           uint8_t out[TICKET_KEY_SIZE])
{
    static const char label[] = "winesspi tls tickets";
    const DWORD flags[] = {credential->flags, credential->protocols, credential->is_named};
    uint8_t mac[32] = {0};
    status_t status = key_absorb(secret, mac, label, sizeof(label));
    if (status_ok(status)) status = program_absorb(secret, mac);
    if (status_ok(status)) status = key_absorb(secret, mac, flags, sizeof(flags));
    if (status_ok(status)) status = priorities_absorb(secret, credential, mac);
    if (status_ok(status)) status = roots_absorb(secret, credential->roots, mac);
    for (size_t i = 0; i < credential->certificate_count && status_ok(status); i++) {
        const CERT_CONTEXT *certificate = credential->holders[i].certificate;
        status = key_absorb(secret, mac, certificate->pbCertEncoded, certificate->cbCertEncoded);
    }
    for (uint8_t half = 0; half < 2 && status_ok(status); half++) {
        const struct slice parts[] = {{mac, sizeof(mac)}, {&half, 1}};
        status = hmac_sha256(secret, parts, ARRAYSIZE(parts), out + 32 * half);
    }
    secret_wipe(mac, sizeof(mac));
    return status;
}

/* Without a secret of the prefix sessions are resumed by this credential alone. */
static status_t ticket_key(const struct credential *credential, uint8_t out[TICKET_KEY_SIZE])
{
    struct prefix_secret secret;
    status_t status = prefix_secret_get(&secret);
    if (!status_ok(status)) return random_bytes(out, TICKET_KEY_SIZE);
    status = key_derive(credential, (struct slice){secret.key, sizeof(secret.key)}, out);
    secret_wipe(&secret, sizeof(secret));
    return status;
}

/* ---- certificates ---- */

static status_t holder_fill(const struct credential *credential, struct key_holder *holder,
                            struct call_identity *out, struct blob *staple)
{
    bool with_root = credential->flags & SCH_SEND_ROOT_CERT;
    status_t status = SEC_E_OK;
    if (!holder->chain.size) status = chain_make(holder->certificate, with_root, &holder->chain);
    if (!status_ok(status)) return status;
    out->chain = unixcall_slice(blob_slice(&holder->chain));
    out->kind = holder->key.kind;
    out->curve_bits = holder->key.curve_bits;
    for (size_t i = 0; i < CALL_KEY_PARTS; i++)
        out->parts[i] = unixcall_slice(blob_slice(&holder->key.parts[i]));
    if (!credential->server) return SEC_E_OK;
    /* An OCSP response that the application, or whoever filled the store, has put to it. */
    status = certificate_property(holder->certificate, CERT_OCSP_RESPONSE_PROP_ID, staple);
    out->staple = unixcall_slice(blob_slice(staple));
    return status;
}

/* The roots that a server wants its clients to have certificates of. */
static status_t issuers_make(const struct credential *credential, struct blob *out)
{
    struct tls_policy policy;
    status_t status = policy_get(&policy);
    if (!status_ok(status)) return status;
    if (!credential->server || !credential->roots || !policy.send_issuers) return SEC_E_OK;
    return chain_of_store(credential->roots, out);
}

/* ---- the whole ---- */

/* The lock is held. */
static status_t library_make(struct credential *credential, bool datagram)
{
    struct schannel_call_credentials_create call = {
        .priorities = unixcall_address(credential->priorities[datagram]),
        .identity_count = (uint32_t)credential->certificate_count,
        .server = credential->server,
    };
    uint8_t key[TICKET_KEY_SIZE];
    struct blob issuers = {NULL, 0};
    size_t count = credential->certificate_count;
    struct call_identity *identities = calloc(count + 1, sizeof(*identities));
    struct blob *staples = calloc(count + 1, sizeof(*staples));
    status_t status = identities && staples ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    for (size_t i = 0; i < count && status_ok(status); i++)
        status = holder_fill(credential, &credential->holders[i], &identities[i], &staples[i]);
    if (status_ok(status)) status = issuers_make(credential, &issuers);
    if (status_ok(status) && credential->server && credential->cache_time && count == 1) {
        call.ticket_lifetime = credential->cache_time / 1000 + (credential->cache_time % 1000 != 0);
        status = ticket_key(credential, key);
        call.ticket_key = unixcall_slice((struct slice){key, sizeof(key)});
    }
    call.identities = unixcall_address(identities);
    call.issuers = unixcall_slice(blob_slice(&issuers));
    if (status_ok(status)) {
        status = library_call(SCHANNEL_CALL_CREDENTIALS_CREATE, &call);
        if (status_ok(status)) credential->library[datagram] = call.credentials;
        else WARN("%s: status %#lx\n", call.why, (ULONG)status);
    }

    for (size_t i = 0; staples && i < count; i++) blob_clear(&staples[i]);
    free(staples);
    secret_free(identities, (count + 1) * sizeof(*identities));
    secret_wipe(key, sizeof(key));
    blob_clear(&issuers);
    return status;
}

status_t credential_library(struct credential *credential, bool datagram, uint64_t *out)
{
    status_t status = SEC_E_OK;
    if (!credential->priorities[datagram]) return SEC_E_ALGORITHM_MISMATCH;
    AcquireSRWLockShared(&credential->lock);
    uint64_t library = credential->library[datagram];
    ReleaseSRWLockShared(&credential->lock);
    if (!library) {
        AcquireSRWLockExclusive(&credential->lock);
        if (!credential->library[datagram]) status = library_make(credential, datagram);
        library = credential->library[datagram];
        ReleaseSRWLockExclusive(&credential->lock);
    }
    if (status_ok(status)) *out = library;
    return status;
}
