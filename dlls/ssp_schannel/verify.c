/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Judging the peer's certificate by crypt32: its chain up to a trusted root, time, usage,
 * revocation where that was asked for, and for clients the name of the server (RFC 6125 6, by
 * certificate_is_for). Certificates and revocation lists are fetched over the network only where a
 * flag asks for revocation to be checked and none keeps it to what is there.
 */
#include "schannel_package.h"

#include "ssp/trace.h"

#include <stddef.h>
#include <string.h>

TRACE_CHANNEL("schannel");

#define CACHE_ONLY (SCH_CRED_REVOCATION_CHECK_CACHE_ONLY | SCH_CRED_CACHE_ONLY_URL_RETRIEVAL)
#define REVOCATION                                                          \
    (SCH_CRED_REVOCATION_CHECK_END_CERT | SCH_CRED_REVOCATION_CHECK_CHAIN | \
     SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT)

static DWORD chain_flags(DWORD flags)
{
    DWORD result = 0;
    if (flags & SCH_CRED_REVOCATION_CHECK_END_CERT) result |= CERT_CHAIN_REVOCATION_CHECK_END_CERT;
    if (flags & SCH_CRED_REVOCATION_CHECK_CHAIN) result |= CERT_CHAIN_REVOCATION_CHECK_CHAIN;
    if (flags & SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT)
        result |= CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT;
    if (flags & SCH_CRED_REVOCATION_CHECK_CACHE_ONLY)
        result |= CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY;
    if (!(flags & REVOCATION) || flags & CACHE_ONLY) result |= CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL;
    return result;
}

/* The application's roots are a choice among the system's. Wine 8.0 takes no structure with the
 * members that come after these. */
static status_t engine_make(const struct verify_request *request, HCERTCHAINENGINE *out)
{
    CERT_CHAIN_ENGINE_CONFIG config = {
        .cbSize = offsetof(CERT_CHAIN_ENGINE_CONFIG, dwExclusiveFlags),
        .hRestrictedRoot = request->roots};
    *out = NULL;
    if (!request->roots) return SEC_E_OK;
    return CertCreateCertificateChainEngine(&config, out) ? SEC_E_OK : SEC_E_UNTRUSTED_ROOT;
}

/* Where issuers are looked for besides the system's stores: what the peer has sent. Wine looks for
 * revocation lists there alone, so the user's are added where they matter. */
static HCERTSTORE company_open(const struct verify_request *request, HCERTSTORE sent)
{
    if (!(request->flags & REVOCATION)) return CertDuplicateStore(sent);
    HCERTSTORE both = CertOpenStore(CERT_STORE_PROV_COLLECTION, 0, 0, CERT_STORE_CREATE_NEW_FLAG,
                                    NULL);
    HCERTSTORE lists = CertOpenSystemStoreW(0, L"CA");
    if (both) CertAddStoreToCollection(both, sent, 0, 0);
    if (both && lists) CertAddStoreToCollection(both, lists, 0, 1);
    if (lists) CertCloseStore(lists, 0);
    return both;
}

static status_t chain_get(const struct verify_request *request, const CERT_CONTEXT *leaf,
                          const CERT_CHAIN_CONTEXT **out)
{
    static char server_auth[] = szOID_PKIX_KP_SERVER_AUTH,
                client_auth[] = szOID_PKIX_KP_CLIENT_AUTH;
    char *usages[] = {request->server ? server_auth : client_auth};
    CERT_CHAIN_PARA para = {
        .cbSize = sizeof(para),
        .RequestedUsage = {USAGE_MATCH_TYPE_OR, {ARRAYSIZE(usages), usages}},
    };
    HCERTCHAINENGINE engine = NULL;
    HCERTSTORE company = company_open(request, leaf->hCertStore);
    status_t status = company ? engine_make(request, &engine) : SEC_E_INSUFFICIENT_MEMORY;
    if (status_ok(status) && !CertGetCertificateChain(engine, leaf, NULL, company, &para,
                                                      chain_flags(request->flags), NULL, out)) {
        WARN("no chain: error %#lx\n", GetLastError());
        status = SEC_E_CERT_UNKNOWN;
    }
    if (engine) CertFreeCertificateChainEngine(engine);
    if (company) CertCloseStore(company, 0);
    return status;
}

/* What is wrong with a chain; the first that applies is the answer. */
static status_t chain_status(DWORD errors, DWORD flags)
{
    static const struct {
        DWORD errors;
        status_t status;
    } answers[] = {
        {CERT_TRUST_IS_REVOKED, CRYPT_E_REVOKED},
        {CERT_TRUST_IS_NOT_SIGNATURE_VALID | CERT_TRUST_IS_CYCLIC, SEC_E_CERT_UNKNOWN},
        {CERT_TRUST_IS_UNTRUSTED_ROOT | CERT_TRUST_IS_PARTIAL_CHAIN |
             CERT_TRUST_IS_EXPLICIT_DISTRUST,
         SEC_E_UNTRUSTED_ROOT},
        {CERT_TRUST_IS_NOT_TIME_VALID, SEC_E_CERT_EXPIRED},
        {CERT_TRUST_IS_NOT_VALID_FOR_USAGE, SEC_E_CERT_WRONG_USAGE},
        {CERT_TRUST_IS_OFFLINE_REVOCATION, CRYPT_E_REVOCATION_OFFLINE},
        {CERT_TRUST_REVOCATION_STATUS_UNKNOWN, CRYPT_E_NO_REVOCATION_CHECK},
    };
    /* Not being known and not being there are told together: either flag forgives one of them. */
    bool ignore_offline = flags & SCH_CRED_IGNORE_REVOCATION_OFFLINE;
    bool ignore_unknown = flags & SCH_CRED_IGNORE_NO_REVOCATION_CHECK;
    if (errors & CERT_TRUST_IS_OFFLINE_REVOCATION ? ignore_offline : ignore_unknown)
        errors &= ~(DWORD)(CERT_TRUST_IS_OFFLINE_REVOCATION | CERT_TRUST_REVOCATION_STATUS_UNKNOWN);
    for (size_t i = 0; i < ARRAYSIZE(answers); i++)
        if (errors & answers[i].errors) return answers[i].status;
    return errors ? SEC_E_CERT_UNKNOWN : SEC_E_OK;
}

/* ---- strength ---- */

static bool signature_is_weak(const CERT_CONTEXT *certificate, const struct tls_policy *policy)
{
    const CRYPT_OID_INFO *info = CryptFindOIDInfo(
        CRYPT_OID_INFO_OID_KEY, certificate->pCertInfo->SignatureAlgorithm.pszObjId,
        CRYPT_SIGN_ALG_OID_GROUP_ID);
    if (!info) return false;
    if (info->Algid == CALG_SHA1) return !(policy->hashes & SIGNED_SHA1);
    return info->Algid == CALG_MD5 || info->Algid == CALG_MD4 || info->Algid == CALG_MD2;
}

static bool key_is_weak(const CERT_CONTEXT *certificate, const struct tls_policy *policy)
{
    CERT_PUBLIC_KEY_INFO *info = &certificate->pCertInfo->SubjectPublicKeyInfo;
    if (!info->Algorithm.pszObjId || strcmp(info->Algorithm.pszObjId, szOID_RSA_RSA)) return false;
    return CertGetPublicKeyLength(X509_ASN_ENCODING, info) < policy->rsa_minimum;
}

/* How a root is signed does not matter: it is trusted for being what it is. */
static status_t chain_strength(const CERT_SIMPLE_CHAIN *chain)
{
    struct tls_policy policy;
    status_t status = policy_get(&policy);
    if (!status_ok(status)) return status;
    for (DWORD i = 0; i < chain->cElement; i++) {
        const CERT_CHAIN_ELEMENT *element = chain->rgpElement[i];
        bool root = i && i + 1 == chain->cElement;
        if (key_is_weak(element->pCertContext, &policy) ||
            (!root && signature_is_weak(element->pCertContext, &policy)))
            return SEC_E_CERT_UNKNOWN;
    }
    return SEC_E_OK;
}

/* The errors of a chain; not those of signatures that are good after all. */
static DWORD chain_errors(const CERT_CHAIN_CONTEXT *chain)
{
    DWORD errors = chain->TrustStatus.dwErrorStatus;
    if (!(errors & CERT_TRUST_IS_NOT_SIGNATURE_VALID) || chain->cChain != 1) return errors;
    const CERT_SIMPLE_CHAIN *simple = chain->rgpChain[0];
    for (DWORD i = 0; i < simple->cElement; i++) {
        const CERT_CHAIN_ELEMENT *element = simple->rgpElement[i];
        const CERT_CHAIN_ELEMENT *issuer = simple->rgpElement[min(i + 1, simple->cElement - 1)];
        if (element->TrustStatus.dwErrorStatus & CERT_TRUST_IS_NOT_SIGNATURE_VALID &&
            !ecdsa_is_signed_by(element->pCertContext, issuer->pCertContext))
            return errors;
    }
    return errors & ~(DWORD)CERT_TRUST_IS_NOT_SIGNATURE_VALID;
}

status_t verify_peer(const struct verify_request *request, DWORD *errors)
{
    const CERT_CONTEXT *leaf = NULL;
    const CERT_CHAIN_CONTEXT *chain = NULL;
    *errors = 0;
    status_t status = chain_context(request->chain, request->staple, &leaf);
    if (!status_ok(status)) return status;

    status = chain_get(request, leaf, &chain);
    if (status_ok(status)) {
        *errors = chain_errors(chain);
        status = chain_status(*errors, request->flags);
    }
    if (status_ok(status) && chain->cChain) status = chain_strength(chain->rgpChain[0]);
    if (status_ok(status) && request->name && !(request->flags & SCH_CRED_NO_SERVERNAME_CHECK) &&
        !certificate_is_for(leaf, request->name))
        status = SEC_E_WRONG_PRINCIPAL;
    TRACE("errors %#lx of the chain: status %#lx\n", *errors, (ULONG)status);
    if (chain) CertFreeCertificateChain(chain);
    CertFreeCertificateContext(leaf);
    return status;
}
