/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client of TLS knows of its server's wishes and how it judges its certificate, before and
 * after a move: whom the server has named as issuers, and the flags and roots of the credential,
 * which itself stays behind.
 */
#include "../api/tls_records.h"
#include "support.h"

#define CERT_CHECK_RESULT 0x71 /* SECPKG_ATTR_CERT_CHECK_RESULT, which MinGW lacks */
#define SCHANNEL_KEY L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL"

static struct tls_pair pair;
static struct tls_bytes blob;

static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

static HCERTSTORE store_of(enum tls_cert which)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    const CERT_CONTEXT *certificate = tls_cert(which);
    CertAddCertificateContextToStore(store, certificate, CERT_STORE_ADD_ALWAYS, NULL);
    CertFreeCertificateContext(certificate);
    return store;
}

/* The client goes on in another context. */
static bool move_client(void)
{
    SECURITY_STATUS status = tls_export(&pair.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob);
    if (!ok(status == SEC_E_OK, "export: %08lx", status)) return false;
    DeleteSecurityContext(&pair.client);
    tls_handle_forget(&pair.client);
    status = tls_import(&blob, &pair.client);
    return ok(status == SEC_E_OK, "import: %08lx", status);
}

static SECURITY_STATUS acquire(bool server, DWORD flags, HCERTSTORE roots, CredHandle *out)
{
    const CERT_CONTEXT *certificate = server ? tls_cert_with_key(TLS_CERT_SERVER_RSA) : NULL;
    SCH_CREDENTIALS data = {.dwVersion = SCH_CREDENTIALS_VERSION,
                            .cCreds = certificate ? 1 : 0,
                            .paCred = certificate ? &certificate : NULL,
                            .hRootStore = roots,
                            .dwFlags = flags};
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)UNISP_NAME_W, server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
        &data, NULL, NULL, out, NULL);
    if (certificate) CertFreeCertificateContext(certificate);
    return status;
}

/* With one of the two credentials made here. */
static bool connect_with(bool server, DWORD flags, HCERTSTORE roots, const wchar_t *target,
                         enum tls_pair_version version)
{
    const struct tls_pair_options options = {.client_version = version,
                                             .server_version = version,
                                             .server_flags = server ? ASC_REQ_MUTUAL_AUTH : 0,
                                             .target = target};
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "credentials: %08lx", status)) return false;
    CredHandle *replaced = server ? &pair.server_cred : &pair.client_cred;
    FreeCredentialsHandle(replaced);
    status = acquire(server, flags, roots, replaced);
    if (ok(status == SEC_E_OK, "credential: %08lx", status)) status = tls_pair_connect(&pair);
    return ok(status == SEC_E_OK, "connect: %08lx", status);
}

/* [D QueryContextAttributes (Schannel), ISSUER_LIST_EX] */
static void check_issuers(const char *when)
{
    SecPkgContext_IssuerListInfoEx list = {0};
    const CERT_CONTEXT *root = tls_cert(TLS_CERT_ROOT);
    const CERT_NAME_BLOB *name = &root->pCertInfo->Subject;
    SECURITY_STATUS status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_ISSUER_LIST_EX,
                                                     &list);
    ok(status == SEC_E_OK && list.cIssuers == 1, "%s: %08lx, %lu issuers", when, status,
       list.cIssuers);
    ok(list.cIssuers && list.aIssuers[0].cbData == name->cbData &&
           !memcmp(list.aIssuers[0].pbData, name->pbData, name->cbData),
       "%s: another name", when);
    if (list.aIssuers) FreeContextBuffer(list.aIssuers);
    CertFreeCertificateContext(root);
}

static void test_issuers(void)
{
    static struct saved_value value;
    const DWORD on = 1;
    if (!ours_only()) return;
    HCERTSTORE store = store_of(TLS_CERT_ROOT);
    ok(value_save(&value, SCHANNEL_KEY, L"SendTrustedIssuerList") &&
           value_set(&value, REG_DWORD, &on, sizeof(on)),
       "the registry cannot be written");
    second_pass();
    for (unsigned i = 0; i < ARRAYSIZE(versions); i++) {
        if (!connect_with(true, 0, store, NULL, versions[i])) break;
        check_issuers("before");
        for (unsigned times = 0; times < 2 && move_client(); times++) check_issuers("after");
        tls_pair_close(&pair);
    }
    value_restore(&value);
    CertCloseStore(store, 0);
}

static HRESULT verdict(void)
{
    struct {
        DWORD chain_errors;
        HRESULT verdict;
    } result = {0x55, 0x55}; /* SecPkgContext_CertificateValidationResult */
    SECURITY_STATUS status = QueryContextAttributesW(&pair.client, CERT_CHECK_RESULT, &result);
    return status ? status : result.verdict;
}

/* [D SCH_CREDENTIALS] what is not compared, and the roots that there are; ours, as to the move */
static void test_judged(void)
{
    if (!ours_only() || !ok(tls_root_trust(), "the root cannot be trusted")) return;
    HCERTSTORE other = store_of(TLS_CERT_STRANGER), right = store_of(TLS_CERT_ROOT);
    const struct {
        DWORD flags;
        HCERTSTORE roots;
        HRESULT verdict;
    } rows[] = {
        {0, NULL, CERT_E_CN_NO_MATCH},
        {SCH_CRED_NO_SERVERNAME_CHECK, NULL, S_OK},
        {SCH_CRED_RESTRICTED_ROOTS, other, CERT_E_UNTRUSTEDROOT},
        {SCH_CRED_RESTRICTED_ROOTS | SCH_CRED_NO_SERVERNAME_CHECK, right, S_OK},
        {SCH_CRED_RESTRICTED_ROOTS | SCH_CRED_NO_SERVERNAME_CHECK, NULL, S_OK},
    };
    for (unsigned i = 0; i < ARRAYSIZE(rows); i++) {
        const DWORD flags = rows[i].flags | SCH_CRED_MANUAL_CRED_VALIDATION;
        if (!connect_with(false, flags, rows[i].roots, L"other.test", TLS_PAIR_1_3)) break;
        HRESULT before = verdict();
        ok(before == rows[i].verdict, "row %u: before: %08lx", i, before);
        for (unsigned times = 0; times < 2 && move_client(); times++) {
            HRESULT after = verdict();
            ok(after == before, "row %u: after: %08lx", i, after);
        }
        tls_pair_close(&pair);
    }
    CertCloseStore(other, 0);
    CertCloseStore(right, 0);
    tls_root_distrust();
}

int main(void)
{
    RUN(test_issuers);
    RUN(test_judged);
    tls_certs_end();
    return test_end("export_tls_judged");
}
