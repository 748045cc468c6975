/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See tls_credential.h. Either file gives a store that holds a certificate with its key, and the
 * issuers, among which Schannel looks for the rest of the chain.
 */
#include "tls_credential.h"

#include "tls_key.h"

#include "../../tools/sspictl/names.h"

#include <ntsecapi.h>

#define SCHANNEL_USE_BLACKLISTS /* SCH_CREDENTIALS */
#include <schannel.h>

#include <stdio.h>
#include <string.h>

#ifndef SCH_CRED_SNI_CREDENTIAL
#define SCH_CRED_SNI_CREDENTIAL 0x00080000
#endif

#define FILE_MAX 65536u
#define ALL_VERSIONS 15u

static bool fail(const char *step, unsigned long why)
{
    printf("error: %s 0x%lx\n", step, why);
    return false;
}

static bool read_file(const char *name, BYTE *to, DWORD *size)
{
    FILE *file = fopen(name, "rb");
    if (!file) return fail(name, GetLastError());
    *size = (DWORD)fread(to, 1, FILE_MAX, file);
    fclose(file);
    return *size && *size < FILE_MAX;
}

static bool is_issuer_of(const CERT_CONTEXT *issuer, const CERT_CONTEXT *one)
{
    return CertCompareCertificateName(X509_ASN_ENCODING, &one->pCertInfo->Issuer,
                                      &issuer->pCertInfo->Subject) &&
           !CertCompareCertificate(X509_ASN_ENCODING, one->pCertInfo, issuer->pCertInfo);
}

/* Not by CertFindCertificateInStore: Wine 8.0 looks at the subject for CERT_FIND_ISSUER_NAME. */
static bool has_issued(HCERTSTORE store, const CERT_CONTEXT *issuer)
{
    const CERT_CONTEXT *one = NULL;
    while ((one = CertEnumCertificatesInStore(store, one)))
        if (is_issuer_of(issuer, one)) break;
    if (one) CertFreeCertificateContext(one);
    return one != NULL;
}

/* The one that has issued none of the others. */
static const CERT_CONTEXT *find_leaf(HCERTSTORE store)
{
    const CERT_CONTEXT *one = NULL;
    while ((one = CertEnumCertificatesInStore(store, one)))
        if (!has_issued(store, one)) break;
    return one;
}

static bool load_pfx(const char *name, const CERT_CONTEXT **out)
{
    static BYTE bytes[FILE_MAX];
    CRYPT_DATA_BLOB blob = {0, bytes};
    if (!read_file(name, bytes, &blob.cbData)) return false;
    HCERTSTORE store = PFXImportCertStore(&blob, TLS_PFX_PASSWORD, CRYPT_EXPORTABLE);
    if (!store) return fail("PFXImportCertStore", GetLastError());
    *out = find_leaf(store);
    return *out || fail("the certificate of the PFX file", GetLastError());
}

/* Certificates in a PKCS #7 message, and the key in a file of the same name and ".key". */
static bool load_p7b(const char *name, const CERT_CONTEXT **out)
{
    static BYTE bytes[FILE_MAX];
    CRYPT_DATA_BLOB blob = {0, bytes};
    char key[MAX_PATH];
    DWORD size;
    if (!read_file(name, bytes, &blob.cbData)) return false;
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_PKCS7, X509_ASN_ENCODING | PKCS_7_ASN_ENCODING,
                                     0, 0, &blob);
    if (!store) return fail("CertOpenStore", GetLastError());
    snprintf(key, sizeof(key), "%s.key", name);
    *out = find_leaf(store);
    if (!*out) return fail("the certificate of the PKCS #7 message", GetLastError());
    if (!read_file(key, bytes, &size)) return false;
    return tls_key_attach(*out, bytes, size) || fail("the key's container", GetLastError());
}

static bool load_certificate(const char *name, const CERT_CONTEXT **out)
{
    size_t length = strlen(name);
    return length > 4 && !strcmp(name + length - 4, ".p7b") ? load_p7b(name, out)
                                                            : load_pfx(name, out);
}

static bool load_der(const char *name, HCERTSTORE store)
{
    static BYTE bytes[FILE_MAX];
    DWORD size;
    if (!read_file(name, bytes, &size)) return false;
    return CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, bytes, size,
                                            CERT_STORE_ADD_REPLACE_EXISTING, NULL) ||
           fail("CertAddEncodedCertificateToStore", GetLastError());
}

static bool set_staple(const CERT_CONTEXT *certificate, const char *name)
{
    static BYTE bytes[FILE_MAX];
    CRYPT_DATA_BLOB blob = {0, bytes};
    if (!read_file(name, bytes, &blob.cbData)) return false;
    return CertSetCertificateContextProperty(certificate, CERT_OCSP_RESPONSE_PROP_ID, 0, &blob) ||
           fail("CertSetCertificateContextProperty", GetLastError());
}

static DWORD protocols_of(bool server, unsigned versions)
{
    static const DWORD bits[4][2] = {{SP_PROT_TLS1_CLIENT, SP_PROT_TLS1_SERVER},
                                     {SP_PROT_TLS1_1_CLIENT, SP_PROT_TLS1_1_SERVER},
                                     {SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER},
                                     {SP_PROT_TLS1_3_CLIENT, SP_PROT_TLS1_3_SERVER}};
    DWORD protocols = 0;
    for (unsigned i = 0; i < 4; i++)
        if (versions & (1u << i)) protocols |= bits[i][server];
    return protocols;
}

/* What both structures say in the same manner. */
struct plan {
    const CERT_CONTEXT *certificates[TLS_CERTIFICATES_MAX];
    DWORD count;
    HCERTSTORE roots;
    DWORD flags;
};

static bool make_plan(const struct tls_options *options, bool later, struct plan *plan)
{
    unsigned count = later ? 1 : options->certificate_count;
    for (unsigned i = 0; i < count; i++) {
        const char *name = later ? options->later : options->certificates[i];
        if (!load_certificate(name, &plan->certificates[plan->count++])) return false;
    }
    if (options->staple && !set_staple(plan->certificates[0], options->staple)) return false;
    if (options->issuers) {
        plan->roots = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
        if (!load_der(options->issuers, plan->roots)) return false;
    }
    if (options->manual) plan->flags |= SCH_CRED_MANUAL_CRED_VALIDATION;
    if (options->no_default) plan->flags |= SCH_CRED_NO_DEFAULT_CREDS;
    if (options->server && plan->count > 1) plan->flags |= SCH_CRED_SNI_CREDENTIAL;
    return true;
}

static SECURITY_STATUS acquire(bool server, void *data, CredHandle *out)
{
    wchar_t package[] = L"Microsoft Unified Security Protocol Provider";
    return AcquireCredentialsHandleW(NULL, package,
                                     server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
                                     data, NULL, NULL, out, NULL);
}

static SECURITY_STATUS acquire_old(const struct tls_options *options, struct plan *plan,
                                   CredHandle *out)
{
    SCHANNEL_CRED data = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = plan->count,
                          .paCred = plan->count ? plan->certificates : NULL,
                          .hRootStore = plan->roots,
                          .grbitEnabledProtocols = protocols_of(options->server, options->versions),
                          .dwFlags = plan->flags};
    return acquire(options->server, &data, out);
}

static SECURITY_STATUS acquire_new(const struct tls_options *options, struct plan *plan,
                                   CredHandle *out)
{
    TLS_PARAMETERS parameters = {
        .grbitDisabledProtocols = protocols_of(options->server, ALL_VERSIONS & ~options->versions)};
    SCH_CREDENTIALS data = {.dwVersion = SCH_CREDENTIALS_VERSION,
                            .cCreds = plan->count,
                            .paCred = plan->count ? plan->certificates : NULL,
                            .hRootStore = plan->roots,
                            .dwFlags = plan->flags,
                            .cTlsParameters = options->versions ? 1 : 0,
                            .pTlsParameters = options->versions ? &parameters : NULL};
    return acquire(options->server, &data, out);
}

bool tls_credential_acquire(const struct tls_options *options, bool later, CredHandle *out)
{
    struct plan plan = {.count = 0};
    if (!make_plan(options, later, &plan)) return false;
    SECURITY_STATUS status = options->old ? acquire_old(options, &plan, out)
                                          : acquire_new(options, &plan, out);
    if (status == SEC_E_OK) return true;
    printf("error: AcquireCredentialsHandle %s\n", status_text(status).text);
    return false;
}

bool tls_trust(const char *file)
{
    HCERTSTORE store = CertOpenSystemStoreW(0, L"Root");
    if (!store) return fail("CertOpenSystemStore", GetLastError());
    bool result = load_der(file, store);
    CertCloseStore(store, 0);
    return result;
}
