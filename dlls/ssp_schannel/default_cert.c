/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The certificate that a client shows when the application has none and has not said that it wants
 * to be asked: one in the user's store MY that has a key, is valid, serves for client
 * authentication, and has one of the issuers that the server names. A server that names none gets
 * none: what the user is called is not for everybody who asks. Nor is there one for a thread that
 * acts for a foreign client: it would speak as the user.
 */
#include "schannel_package.h"

#include "ssp/foreign.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("schannel");

#define CHAIN_MAX 8u
#define ENCODING (X509_ASN_ENCODING | PKCS_7_ASN_ENCODING)

static bool is_named(struct slice issuers, const CERT_NAME_BLOB *name)
{
    struct reader r;
    reader_init(&r, issuers.data, issuers.size);
    while (reader_ok(&r) && reader_left(&r)) {
        struct slice one = reader_bytes(&r, reader_u16be(&r));
        if (one.size && one.size == name->cbData && !memcmp(one.data, name->pbData, one.size))
            return true;
    }
    return false;
}

static const CERT_CONTEXT *find_issuer(const CERT_CONTEXT *certificate)
{
    static const wchar_t *const names[] = {L"CA", L"Root"};
    const CERT_CONTEXT *found = NULL;
    for (size_t i = 0; i < ARRAYSIZE(names) && !found; i++) {
        HCERTSTORE store = CertOpenSystemStoreW(0, names[i]);
        if (!store) continue;
        found = CertFindCertificateInStore(store, ENCODING, 0, CERT_FIND_SUBJECT_NAME,
                                           &certificate->pCertInfo->Issuer, NULL);
        CertCloseStore(store, 0);
    }
    return found;
}

static bool has_issuer(const CERT_CONTEXT *leaf, struct slice issuers)
{
    const CERT_CONTEXT *certificate = CertDuplicateCertificateContext(leaf);
    bool named = false;
    for (unsigned i = 0; i < CHAIN_MAX && certificate && !named; i++) {
        named = is_named(issuers, &certificate->pCertInfo->Issuer);
        const CERT_CONTEXT *issuer = named ? NULL : find_issuer(certificate);
        CertFreeCertificateContext(certificate);
        certificate = issuer;
    }
    if (certificate) CertFreeCertificateContext(certificate);
    return named;
}

static bool has_key(const CERT_CONTEXT *certificate)
{
    static const DWORD properties[] = {CERT_KEY_PROV_INFO_PROP_ID, CERT_KEY_CONTEXT_PROP_ID,
                                       CERT_NCRYPT_KEY_HANDLE_PROP_ID};
    DWORD size;
    for (size_t i = 0; i < ARRAYSIZE(properties); i++) {
        size = 0;
        if (CertGetCertificateContextProperty(certificate, properties[i], NULL, &size)) return true;
    }
    return false;
}

/* No usages at all mean any usage, which the error code tells from none that is good. */
static bool is_for_clients(const CERT_CONTEXT *certificate)
{
    union {
        CERT_ENHKEY_USAGE usage;
        BYTE bytes[4096];
    } room;
    DWORD size = sizeof(room);
    SetLastError(0);
    if (!CertGetEnhancedKeyUsage(certificate, 0, &room.usage, &size)) return false;
    if (!room.usage.cUsageIdentifier) return GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
    for (DWORD i = 0; i < room.usage.cUsageIdentifier; i++)
        if (!strcmp(room.usage.rgpszUsageIdentifier[i], szOID_PKIX_KP_CLIENT_AUTH)) return true;
    return false;
}

status_t default_credential(const struct credential *like, struct slice issuers,
                            struct credential **out)
{
    status_t status = SEC_E_NO_CREDENTIALS;
    bool asked = issuers.size && !foreign_caller();
    HCERTSTORE store = asked ? CertOpenSystemStoreW(0, L"MY") : NULL;
    const CERT_CONTEXT *certificate = NULL;
    if (!store) return SEC_E_NO_CREDENTIALS;
    while (!status_ok(status)) {
        certificate = CertEnumCertificatesInStore(store, certificate);
        if (!certificate) break;
        if (CertVerifyTimeValidity(NULL, certificate->pCertInfo) || !has_key(certificate) ||
            !is_for_clients(certificate) || !has_issuer(certificate, issuers))
            continue;
        status = credential_with(like, certificate, out);
        TRACE("a certificate of the user's serves: status %#lx\n", (ULONG)status);
    }
    if (certificate) CertFreeCertificateContext(certificate);
    CertCloseStore(store, 0);
    return status;
}
