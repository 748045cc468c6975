/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials: SCHANNEL_CRED of versions 3 and 4, whose members are the same, and SCH_CREDENTIALS
 * (schannel.h). What is wrong with a certificate or its key is known when the handle is acquired.
 * Principals, logon ids and mappers mean nothing here. A handle is a counted reference: a context
 * keeps its credential.
 */
#include "schannel_package.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("schannel");

/* What either structure says. */
struct request {
    DWORD format;
    DWORD certificate_count;
    const CERT_CONTEXT **certificates; /* or pointers to hashes, as the format says */
    HCERTSTORE roots;
    DWORD flags, lifespan;
    struct tls_wish wish;
};

struct credential *credential_hold(struct credential *credential)
{
    InterlockedIncrement(&credential->references);
    return credential;
}

static void library_free(uint64_t library)
{
    struct schannel_call_free call = {.object = library};
    if (library) library_call(SCHANNEL_CALL_CREDENTIALS_FREE, &call);
}

static void credential_free(struct credential *credential)
{
    credential_release(credential->named);
    blob_clear(&credential->protocol_ids);
    for (size_t i = 0; i < ARRAYSIZE(credential->library); i++) {
        library_free(credential->library[i]);
        free(credential->priorities[i]);
    }
    for (size_t i = 0; i < credential->certificate_count; i++) {
        struct key_holder *holder = &credential->holders[i];
        private_key_clear(&holder->key);
        blob_clear(&holder->chain);
        if (holder->certificate) CertFreeCertificateContext(holder->certificate);
    }
    free(credential->holders);
    free(credential->algorithms);
    if (credential->roots) CertCloseStore(credential->roots, 0);
    free(credential);
}

void credential_release(struct credential *credential)
{
    if (!credential || InterlockedDecrement(&credential->references)) return;
    if (!credential->server) resume_forget(credential);
    credential_free(credential);
}

/* ---- what the application gives ---- */

static status_t classic_read(const SCHANNEL_CRED *cred, struct request *out)
{
    out->format = cred->dwVersion == SCHANNEL_CRED_VERSION ? cred->dwCredFormat : 0;
    out->certificate_count = cred->cCreds;
    out->certificates = cred->paCred;
    out->roots = cred->hRootStore;
    out->flags = cred->dwFlags;
    out->lifespan = cred->dwSessionLifespan;
    out->wish.protocols = cred->grbitEnabledProtocols;
    out->wish.algorithms = cred->palgSupportedAlgs;
    out->wish.algorithm_count = cred->cSupportedAlgs;
    out->wish.minimum_strength = cred->dwMinimumCipherStrength;
    out->wish.maximum_strength = cred->dwMaximumCipherStrength;
    bool bad = cred->cSupportedAlgs > SCH_CRED_MAX_SUPPORTED_ALGS ||
               (cred->cSupportedAlgs && !cred->palgSupportedAlgs);
    return bad ? SEC_E_INVALID_PARAMETER : SEC_E_OK;
}

static bool settings_valid(const TLS_PARAMETERS *parameters)
{
    if (parameters->cDisabledCrypto > SCH_CRED_MAX_SUPPORTED_CRYPTO_SETTINGS) return false;
    if (parameters->cDisabledCrypto && !parameters->pDisabledCrypto) return false;
    for (DWORD i = 0; i < parameters->cDisabledCrypto; i++) {
        const CRYPTO_SETTINGS *setting = &parameters->pDisabledCrypto[i];
        if (setting->cChainingModes > SCH_CRED_MAX_SUPPORTED_CHAINING_MODES) return false;
        if (setting->cChainingModes && !setting->rgstrChainingModes) return false;
    }
    if (parameters->cAlpnIds > SCH_CRED_MAX_SUPPORTED_ALPN_IDS) return false;
    return !parameters->cAlpnIds || parameters->rgstrAlpnIds;
}

static status_t modern_read(const SCH_CREDENTIALS *cred, struct request *out)
{
    out->format = cred->dwCredFormat;
    out->certificate_count = cred->cCreds;
    out->certificates = cred->paCred;
    out->roots = cred->hRootStore;
    out->flags = cred->dwFlags;
    out->lifespan = cred->dwSessionLifespan;
    out->wish.modern = true;
    out->wish.parameters = cred->pTlsParameters;
    out->wish.parameter_count = cred->cTlsParameters;
    if (cred->cTlsParameters > SCH_CRED_MAX_SUPPORTED_PARAMETERS) return SEC_E_INVALID_PARAMETER;
    if (cred->cTlsParameters && !cred->pTlsParameters) return SEC_E_INVALID_PARAMETER;
    for (DWORD i = 0; i < cred->cTlsParameters; i++)
        if (!settings_valid(&cred->pTlsParameters[i])) return SEC_E_INVALID_PARAMETER;
    return SEC_E_OK;
}

/* One side at a time; a server has to say something. */
static status_t request_read(ULONG use, const void *auth_data, struct request *out)
{
    DWORD direction = use & SECPKG_CRED_BOTH;
    *out = (struct request){.wish.server = direction == SECPKG_CRED_INBOUND};
    if (direction != SECPKG_CRED_INBOUND && direction != SECPKG_CRED_OUTBOUND)
        return SEC_E_NO_CREDENTIALS;
    if (!auth_data) return out->wish.server ? SEC_E_NO_CREDENTIALS : SEC_E_OK;

    const DWORD version = *(const DWORD *)auth_data;
    if (version == SCH_CREDENTIALS_VERSION) return modern_read(auth_data, out);
    if (version == SCHANNEL_CRED_VERSION || version == SCH_CRED_V3)
        return classic_read(auth_data, out);
    return SEC_E_UNKNOWN_CREDENTIALS;
}

/* ---- certificates ---- */

static const CERT_CONTEXT *certificate_by_hash(const wchar_t *store_name, DWORD flags, BYTE *hash)
{
    DWORD location = flags & SCH_MACHINE_CERT_HASH ? CERT_SYSTEM_STORE_LOCAL_MACHINE
                                                   : CERT_SYSTEM_STORE_CURRENT_USER;
    CRYPT_HASH_BLOB blob = {20, hash};
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                                     location | CERT_STORE_READONLY_FLAG, store_name);
    if (!store) return NULL;
    const CERT_CONTEXT *found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0,
                                                           CERT_FIND_SHA1_HASH, &blob, NULL);
    CertCloseStore(store, 0); /* what was found keeps it */
    return found;
}

static const CERT_CONTEXT *certificate_by_store_hash(SCHANNEL_CERT_HASH_STORE *hash)
{
    wchar_t name[SCH_CRED_MAX_STORE_NAME_SIZE + 1] = {0};
    memcpy(name, hash->pwszStoreName, sizeof(hash->pwszStoreName));
    return certificate_by_hash(name, hash->dwFlags, hash->ShaHash);
}

/* One certificate, held. The forms with a hash are documented for the kernel; programs that do not
 * know of them may leave the field unset. */
static const CERT_CONTEXT *certificate_get(DWORD format, const void *given)
{
    SCHANNEL_CERT_HASH *hash = (SCHANNEL_CERT_HASH *)given;
    SCHANNEL_CERT_HASH_STORE *store_hash = (SCHANNEL_CERT_HASH_STORE *)given;
    const CERT_CONTEXT *certificate = given;
    if (!given) return NULL;
    switch (format) {
    case SCH_CRED_FORMAT_CERT_HASH:
        return hash->dwLength >= sizeof(*hash)
                   ? certificate_by_hash(L"MY", hash->dwFlags, hash->ShaHash)
                   : NULL;
    case SCH_CRED_FORMAT_CERT_HASH_STORE:
        return store_hash->dwLength >= sizeof(*store_hash) ? certificate_by_store_hash(store_hash)
                                                           : NULL;
    default: return certificate->pCertInfo ? CertDuplicateCertificateContext(certificate) : NULL;
    }
}

/* A credential is good for as long as each of its certificates. */
static void expiry_narrow(struct credential *credential, const CERT_CONTEXT *certificate)
{
    TimeStamp end;
    if (!package_time(&certificate->pCertInfo->NotAfter, &end)) return;
    if (end.QuadPart < credential->expiry.QuadPart) credential->expiry.QuadPart = end.QuadPart;
}

static status_t certificates_take(struct credential *credential, const struct request *request)
{
    DWORD count = request->certificate_count;
    if (!count) return SEC_E_OK;
    if (count > SCH_CRED_MAX_SUPPORTED_CERTS || !request->certificates)
        return SEC_E_UNKNOWN_CREDENTIALS;
    credential->holders = calloc(count, sizeof(*credential->holders));
    if (!credential->holders) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = SEC_E_OK;
    for (DWORD i = 0; i < count && status_ok(status); i++) {
        struct key_holder *holder = &credential->holders[credential->certificate_count++];
        holder->certificate = certificate_get(request->format, request->certificates[i]);
        if (!holder->certificate) return SEC_E_UNKNOWN_CREDENTIALS;
        status = private_key_get(holder->certificate, &holder->key);
        expiry_narrow(credential, holder->certificate);
    }
    return status;
}

/* ---- the rest ---- */

static status_t priorities_set(struct credential *credential, size_t kind, const char *text)
{
    size_t size = strlen(text) + 1;
    credential->priorities[kind] = malloc(size);
    if (!credential->priorities[kind]) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(credential->priorities[kind], text, size);
    return SEC_E_OK;
}

/* Which of the two kinds of protocols the credential is for is often told only by the context. */
static status_t priorities_make(struct credential *credential, const struct tls_policy *policy,
                                const struct tls_wish *given)
{
    struct tls_wish wish = *given;
    char text[PRIORITY_MAX];
    DWORD both = 0;
    for (size_t i = 0; i < ARRAYSIZE(credential->priorities); i++) {
        DWORD protocols;
        wish.datagram = i;
        status_t status = policy_priorities(policy, &wish, text, &protocols);
        if (status == SEC_E_ALGORITHM_MISMATCH) continue;
        if (status_ok(status)) status = priorities_set(credential, i, text);
        if (!status_ok(status)) return status;
        both |= protocols;
    }
    credential->protocols = both;
    return both ? SEC_E_OK : SEC_E_ALGORITHM_MISMATCH;
}

/* Streams and datagrams are not asked for together, nor bits of the other side alone. */
static status_t protocols_check(const struct request *request, struct tls_wish *wish)
{
    const DWORD clients = SP_PROT_X_CLIENTS & ~(DWORD)SP_PROT_DTLS1_X;
    const DWORD servers = SP_PROT_X_SERVERS & ~(DWORD)SP_PROT_DTLS1_X;
    DWORD side = wish->server ? servers | SP_PROT_DTLS1_X_SERVER : clients | SP_PROT_DTLS1_X_CLIENT;
    if (wish->protocols) {
        bool datagrams = wish->protocols & SP_PROT_DTLS1_X;
        bool streams = wish->protocols & (clients | servers);
        wish->protocols &= side;
        if ((datagrams && streams) || !wish->protocols) return SEC_E_ALGORITHM_MISMATCH;
    }
    if (request->flags & SCH_USE_DTLS_ONLY) {
        if (!wish->protocols) wish->protocols = side & SP_PROT_DTLS1_2;
        else if (!(wish->protocols & SP_PROT_DTLS1_X)) return SEC_E_ALGORITHM_MISMATCH;
    }
    return SEC_E_OK;
}

static status_t algorithms_take(struct credential *credential, const ALG_ID *ids, size_t count)
{
    if (!count) return SEC_E_OK;
    credential->algorithms = malloc(count * sizeof(*ids));
    if (!credential->algorithms) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(credential->algorithms, ids, count * sizeof(*ids));
    credential->algorithm_count = count;
    return SEC_E_OK;
}

/* The application may shorten what the policy says, or lengthen it, but not against a policy that
 * wants no resumption. */
static DWORD cache_time(const struct tls_policy *policy, const struct request *request)
{
    DWORD time = request->wish.server ? policy->server_cache_time : policy->client_cache_time;
    if (request->flags & SCH_CRED_DISABLE_RECONNECTS) return 0;
    return time && request->lifespan ? request->lifespan : time;
}

static status_t credential_fill(struct credential *credential, struct request *request)
{
    struct tls_policy policy;
    if (request->flags & SCH_USE_PRESHAREDKEY_ONLY) {
        WARN("handshakes with pre-shared keys are not supported\n");
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
    status_t status = policy_get(&policy);
    if (!status_ok(status)) return status;
    credential->server = request->wish.server;
    credential->modern = request->wish.modern;
    credential->is_named = request->wish.named;
    credential->flags = request->flags;
    credential->minimum_strength = request->wish.minimum_strength;
    credential->maximum_strength = request->wish.maximum_strength;
    credential->cache_time = cache_time(&policy, request);
    credential->renegotiates = request->wish.server ? policy.server_renegotiates
                                                    : policy.client_renegotiates;
    status = certificates_take(credential, request);
    if (status_ok(status)) status = protocols_check(request, &request->wish);
    if (status_ok(status)) status = priorities_make(credential, &policy, &request->wish);
    if (status_ok(status))
        status = algorithms_take(credential, request->wish.algorithms,
                                 request->wish.algorithm_count);
    if (status_ok(status) && request->roots) credential->roots = CertDuplicateStore(request->roots);
    return status;
}

/* ---- application protocols ---- */

/* Octets that are written as characters. */
static void protocol_id_write(struct writer *w, const UNICODE_STRING *text)
{
    size_t length = text->Buffer ? text->Length / sizeof(wchar_t) : 0;
    if (!length || length > UINT8_MAX) return; /* no such protocol */
    writer_u8(w, (uint8_t)length);
    for (size_t i = 0; i < length; i++) writer_u8(w, (uint8_t)text->Buffer[i]);
}

static status_t protocol_ids_take(const struct tls_wish *wish, struct blob *out)
{
    struct writer w;
    writer_init(&w);
    for (size_t i = 0; i < wish->parameter_count; i++)
        for (DWORD k = 0; k < wish->parameters[i].cAlpnIds; k++)
            protocol_id_write(&w, &wish->parameters[i].rgstrAlpnIds[k]);
    status_t status = writer_status(&w);
    if (status_ok(status)) status = blob_set(out, writer_view(&w));
    writer_free(&w);
    return status;
}

static bool is_among(struct slice name, struct slice list)
{
    struct reader r;
    reader_init(&r, list.data, list.size);
    while (reader_left(&r)) {
        struct slice other = reader_bytes(&r, reader_u8(&r));
        if (other.size == name.size && !memcmp(other.data, name.data, name.size)) return true;
    }
    return false;
}

struct credential *credential_for(struct credential *credential, struct slice protocol_ids)
{
    struct reader r;
    if (!credential || !credential->named) return credential;
    reader_init(&r, protocol_ids.data, protocol_ids.size);
    while (reader_left(&r)) {
        struct slice name = reader_bytes(&r, reader_u8(&r));
        if (is_among(name, blob_slice(&credential->protocol_ids))) return credential->named;
    }
    return credential;
}

/* ---- the whole ---- */

static status_t credential_create(struct credential **out)
{
    struct credential *credential = calloc(1, sizeof(*credential));
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    InitializeSRWLock(&credential->lock);
    credential->expiry.QuadPart = MAXLONGLONG;
    credential->references = 1;
    *out = credential;
    return SEC_E_OK;
}

/* Sessions are resumed by either alone. */
static status_t named_make(struct credential *credential, struct request *request)
{
    status_t status = protocol_ids_take(&request->wish, &credential->protocol_ids);
    if (!status_ok(status) || !credential->protocol_ids.size) return status;
    request->wish.named = true;
    status = credential_create(&credential->named);
    return status_ok(status) ? credential_fill(credential->named, request) : status;
}

static status_t credential_copy(struct credential *credential, const struct credential *like)
{
    status_t status = SEC_E_OK;
    credential->server = like->server;
    credential->modern = like->modern;
    credential->is_named = like->is_named;
    credential->flags = like->flags;
    credential->protocols = like->protocols;
    credential->minimum_strength = like->minimum_strength;
    credential->maximum_strength = like->maximum_strength;
    credential->cache_time = like->cache_time;
    credential->renegotiates = like->renegotiates;
    if (like->roots) credential->roots = CertDuplicateStore(like->roots);
    for (size_t i = 0; i < ARRAYSIZE(like->priorities) && status_ok(status); i++)
        if (like->priorities[i]) status = priorities_set(credential, i, like->priorities[i]);
    return status_ok(status) ? algorithms_take(credential, like->algorithms, like->algorithm_count)
                             : status;
}

status_t credential_with(const struct credential *like, const CERT_CONTEXT *certificate,
                         struct credential **out)
{
    const struct request request = {.certificate_count = 1, .certificates = &certificate};
    struct credential *credential;
    status_t status = credential_create(&credential);
    if (!status_ok(status)) return status;
    status = credential_copy(credential, like);
    if (status_ok(status)) status = certificates_take(credential, &request);
    if (status_ok(status)) *out = credential;
    else credential_free(credential);
    return status;
}

NTSTATUS NTAPI credentials_acquire(UNICODE_STRING *principal, ULONG use, LUID *logon_id,
                                   void *auth_data, void *get_key, void *get_key_argument,
                                   LSA_SEC_HANDLE *handle, TimeStamp *expiry)
{
    (void)principal;
    (void)logon_id;
    (void)get_key;
    (void)get_key_argument;
    struct credential *credential;
    struct request request;
    status_t status = request_read(use, auth_data, &request);
    if (status_ok(status)) status = credential_create(&credential);
    if (!status_ok(status)) return status;

    status = credential_fill(credential, &request);
    if (status_ok(status)) status = named_make(credential, &request);
    TRACE("use %#lx, %lu certificates, flags %#lx, protocols %#lx: status %#lx\n", use,
          request.certificate_count, request.flags, credential->protocols, (ULONG)status);
    if (!status_ok(status)) {
        credential_free(credential);
        return status;
    }
    *handle = (LSA_SEC_HANDLE)credential;
    if (expiry) *expiry = credential->expiry;
    return SEC_E_OK;
}

NTSTATUS NTAPI credentials_free(LSA_SEC_HANDLE handle)
{
    credential_release((struct credential *)handle);
    return SEC_E_OK;
}

/* ---- attributes ---- */

static status_t query_algorithms(const struct credential *credential, SecPkgCred_SupportedAlgs *out)
{
    static const ALG_ID all[] = {CALG_AES_256, CALG_AES_128,  CALG_3DES,     CALG_SHA1,
                                 CALG_SHA_256, CALG_SHA_384,  CALG_RSA_KEYX, CALG_DH_EPHEM,
                                 CALG_ECDH,    CALG_RSA_SIGN, CALG_ECDSA};
    const ALG_ID *algorithms = credential->algorithms ? credential->algorithms : all;
    size_t count = credential->algorithms ? credential->algorithm_count : ARRAYSIZE(all);
    ALG_ID *copy = package_alloc(count * sizeof(*copy));
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, algorithms, count * sizeof(*copy));
    out->cSupportedAlgs = (DWORD)count;
    out->palgSupportedAlgs = copy;
    return SEC_E_OK;
}

static status_t query_strengths(const struct credential *credential,
                                SecPkgCred_CipherStrengths *out)
{
    DWORD minimum = credential->minimum_strength, maximum = credential->maximum_strength;
    out->dwMinimumCipherStrength = minimum && minimum != ULONG_MAX ? minimum : 128;
    out->dwMaximumCipherStrength = maximum ? maximum : 256;
    return SEC_E_OK;
}

static status_t query_certificate(const struct credential *credential, SecPkgCredentials_Cert *out)
{
    if (!credential->certificate_count) return SEC_E_NO_CREDENTIALS;
    const CERT_CONTEXT *certificate = credential->holders[0].certificate;
    BYTE *copy = package_alloc(certificate->cbCertEncoded);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, certificate->pbCertEncoded, certificate->cbCertEncoded);
    out->EncodedCertSize = certificate->cbCertEncoded;
    out->EncodedCert = copy;
    return SEC_E_OK;
}

NTSTATUS NTAPI credentials_query(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer)
{
    const struct credential *credential = (const struct credential *)handle;
    SecPkgCred_SupportedProtocols *protocols = buffer;
    switch (attribute) {
    case SECPKG_CRED_ATTR_NAMES: return SEC_E_NO_CREDENTIALS;
    case SECPKG_CRED_ATTR_CERT:
    case SECPKG_ATTR_SUPPORTED_ALGS:
    case SECPKG_ATTR_CIPHER_STRENGTHS:
    case SECPKG_ATTR_SUPPORTED_PROTOCOLS: break;
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
    if (!buffer) return SEC_E_INTERNAL_ERROR;
    if (attribute == SECPKG_CRED_ATTR_CERT) return query_certificate(credential, buffer);
    if (attribute == SECPKG_ATTR_SUPPORTED_ALGS) return query_algorithms(credential, buffer);
    if (attribute == SECPKG_ATTR_CIPHER_STRENGTHS) return query_strengths(credential, buffer);
    protocols->grbitProtocol = credential->protocols;
    return SEC_E_OK;
}
