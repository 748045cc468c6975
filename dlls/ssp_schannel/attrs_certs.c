/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes made of certificates: the peer's and our own as CERT_CONTEXT, whether the peer's will
 * do, the names that a server accepts issuers by, and what a certificate says of its owner.
 */
#include "attrs.h"

#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("schannel");

static const struct blob *server_chain(const struct context *context)
{
    return context->server ? &context->connection.local_chain : &context->connection.peer_chain;
}

struct slice server_certificate(const struct context *context)
{
    const struct blob *chain = server_chain(context);
    return chain->size ? chain_leaf(blob_slice(chain)) : (struct slice){NULL, 0};
}

/* Before its end the first handshake may bring what is not there yet. In another one all is as it
 * was before, until that has ended, too: there are legs in its middle that answer SEC_E_OK, and
 * nothing may have proven by then that the certificate is the peer's. */
static bool may_come(const struct context *context)
{
    return context->stage == STAGE_HANDSHAKE && !context->renegotiating;
}

static status_t certificate_missing(const struct context *context)
{
    bool settled = context->stage == STAGE_ESTABLISHED || context->renegotiating;
    return settled ? SEC_E_NO_CREDENTIALS : SEC_E_INVALID_HANDLE;
}

static status_t give_certificate(struct slice chain, struct slice staple, void *buffer)
{
    const CERT_CONTEXT *made;
    status_t status = chain_context(chain, staple, &made);
    if (status_ok(status)) *(const CERT_CONTEXT **)buffer = made;
    return status;
}

/* In the middle of the first handshake the library has it, once it has come. */
static status_t query_coming_certificate(const struct context *context, void *buffer)
{
    struct blob chain = {NULL, 0};
    status_t status = library_read(context->library, CALL_READ_PEER_CHAIN, &chain);
    if (status_ok(status) && !chain.size) status = certificate_missing(context);
    if (status_ok(status))
        status = give_certificate(blob_slice(&chain), (struct slice){NULL, 0}, buffer);
    blob_clear(&chain);
    return status;
}

status_t query_remote_certificate(struct context *context, void *buffer)
{
    const struct connection *connection = &context->connection;
    if (connection->peer_chain.size)
        return give_certificate(blob_slice(&connection->peer_chain),
                                blob_slice(&connection->staple), buffer);
    if (may_come(context) && context->library) return query_coming_certificate(context, buffer);
    return certificate_missing(context);
}

status_t query_local_certificate(struct context *context, void *buffer)
{
    const struct blob *chain = &context->connection.local_chain;
    if (!chain->size) return certificate_missing(context);
    return give_certificate(blob_slice(chain), (struct slice){NULL, 0}, buffer);
}

/* ---- judgement ---- */

/* CERT_CHAIN_POLICY_STATUS has a number of its own for each. */
static HRESULT policy_error(status_t status, DWORD errors)
{
    switch (status) {
    case SEC_E_OK: return S_OK;
    case SEC_E_UNTRUSTED_ROOT:
        return errors & CERT_TRUST_IS_PARTIAL_CHAIN ? CERT_E_CHAINING : CERT_E_UNTRUSTEDROOT;
    case SEC_E_CERT_EXPIRED: return CERT_E_EXPIRED;
    case SEC_E_WRONG_PRINCIPAL: return CERT_E_CN_NO_MATCH;
    case SEC_E_CERT_WRONG_USAGE: return CERT_E_WRONG_USAGE;
    case SEC_E_CERT_UNKNOWN: return TRUST_E_CERT_SIGNATURE;
    default: return status; /* CRYPT_E_ */
    }
}

/* For who has put the judgement off, or judges by himself: it is made now, and changes nothing. */
status_t query_certificate_check(struct context *context, void *buffer)
{
    const struct connection *connection = &context->connection;
    const struct slice nothing = {NULL, 0};
    struct blob coming = {NULL, 0};
    struct slice chain = blob_slice(&connection->peer_chain);
    DWORD errors = 0;
    if (!chain.size && may_come(context) && context->library) {
        status_t status = library_read(context->library, CALL_READ_PEER_CHAIN, &coming);
        if (!status_ok(status)) return status;
        chain = blob_slice(&coming);
    }
    if (!chain.size) return certificate_missing(context);
    bool settled = !coming.size;
    status_t status = context_judge(context, chain,
                                    settled ? blob_slice(&connection->staple) : nothing, &errors);
    blob_clear(&coming);
    if (status == SEC_E_INSUFFICIENT_MEMORY) return status;
    *(struct certificate_check *)buffer = (struct certificate_check){errors,
                                                                     policy_error(status, errors)};
    return SEC_E_OK;
}

/* ---- issuers ---- */

static size_t issuers_count(struct slice names)
{
    struct reader r;
    size_t count = 0;
    reader_init(&r, names.data, names.size);
    while (reader_left(&r) && reader_ok(&r)) {
        reader_skip(&r, reader_u16be(&r));
        if (reader_ok(&r)) count++;
    }
    return count;
}

/* One block: the array, and the names behind it. */
static status_t issuers_copy(struct slice names, size_t count, CERT_NAME_BLOB **out)
{
    struct reader r;
    CERT_NAME_BLOB *blobs = package_alloc(count * sizeof(*blobs) + names.size);
    if (!blobs) return SEC_E_INSUFFICIENT_MEMORY;
    BYTE *at = (BYTE *)(blobs + count);
    reader_init(&r, names.data, names.size);
    for (size_t i = 0; i < count; i++) {
        struct slice name = reader_bytes(&r, reader_u16be(&r));
        if (name.size) memcpy(at, name.data, name.size);
        blobs[i] = (CERT_NAME_BLOB){(DWORD)name.size, at};
        at += name.size;
    }
    *out = blobs;
    return SEC_E_OK;
}

status_t query_issuers_ex(struct context *context, void *buffer)
{
    SecPkgContext_IssuerListInfoEx *out = buffer;
    struct slice names = blob_slice(&context->issuers);
    size_t count = issuers_count(names);
    CERT_NAME_BLOB *blobs = NULL;
    status_t status = count ? issuers_copy(names, count, &blobs) : SEC_E_OK;
    if (status_ok(status)) *out = (SecPkgContext_IssuerListInfoEx){blobs, (DWORD)count};
    return status;
}

/* The older form: the names as they are in the request, each behind its length. */
status_t query_issuers(struct context *context, void *buffer)
{
    SecPkgContext_IssuerListInfo *out = buffer;
    struct slice names = blob_slice(&context->issuers);
    BYTE *copy = NULL;
    if (names.size) {
        copy = answer_bytes(names);
        if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    }
    *out = (SecPkgContext_IssuerListInfo){(DWORD)names.size, copy};
    return SEC_E_OK;
}

/* ---- what a certificate says ---- */

static status_t certificate_open(struct slice der, const CERT_CONTEXT **out)
{
    if (!der.size) return SEC_E_NO_CREDENTIALS;
    *out = CertCreateCertificateContext(X509_ASN_ENCODING, der.data, (DWORD)der.size);
    if (*out) return SEC_E_OK;
    WARN("error %lu with a certificate\n", GetLastError());
    return SEC_E_CERT_UNKNOWN;
}

static status_t name_give(CERT_NAME_BLOB *name, wchar_t **out)
{
    DWORD chars = CertNameToStrW(X509_ASN_ENCODING, name, CERT_X500_NAME_STR, NULL, 0);
    wchar_t *text = package_alloc((chars ? chars : 1) * sizeof(*text));
    if (!text) return SEC_E_INSUFFICIENT_MEMORY;
    text[0] = 0;
    if (chars) CertNameToStrW(X509_ASN_ENCODING, name, CERT_X500_NAME_STR, text, chars);
    *out = text;
    return SEC_E_OK;
}

static status_t peer_open(const struct context *context, const CERT_CONTEXT **out)
{
    const struct blob *chain = &context->connection.peer_chain;
    if (!chain->size) return SEC_E_NO_CREDENTIALS;
    return certificate_open(chain_leaf(blob_slice(chain)), out);
}

/* Who the peer is, by its certificate. */
status_t query_names(struct context *context, void *buffer)
{
    SecPkgContext_NamesW *out = buffer;
    const CERT_CONTEXT *certificate;
    status_t status = peer_open(context, &certificate);
    if (!status_ok(status)) return status;
    status = name_give(&certificate->pCertInfo->Subject, &out->sUserName);
    CertFreeCertificateContext(certificate);
    return status;
}

/* Who vouches for the peer. */
status_t query_authority(struct context *context, void *buffer)
{
    SecPkgContext_AuthorityW *out = buffer;
    const CERT_CONTEXT *certificate;
    status_t status = peer_open(context, &certificate);
    if (!status_ok(status)) return status;
    status = name_give(&certificate->pCertInfo->Issuer, &out->sAuthorityName);
    CertFreeCertificateContext(certificate);
    return status;
}

/* A connection is good as long as the server's certificate. */
status_t query_lifespan(struct context *context, void *buffer)
{
    SecPkgContext_Lifespan *out = buffer;
    const CERT_CONTEXT *certificate;
    TimeStamp start, expiry;
    status_t status = certificate_open(server_certificate(context), &certificate);
    if (!status_ok(status)) return status;
    const CERT_INFO *info = certificate->pCertInfo;
    bool told = package_time(&info->NotBefore, &start) && package_time(&info->NotAfter, &expiry);
    CertFreeCertificateContext(certificate);
    if (!told) return SEC_E_INTERNAL_ERROR;
    out->tsStart = start;
    out->tsExpiry = expiry;
    return SEC_E_OK;
}
