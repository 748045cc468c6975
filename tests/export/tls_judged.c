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

static bool connect_with(const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
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
    HCERTSTORE store = tls_cert_store(TLS_CERT_ROOT);
    ok(value_save(&value, SCHANNEL_KEY, L"SendTrustedIssuerList") &&
           value_set(&value, REG_DWORD, &on, sizeof(on)),
       "the registry cannot be written");
    second_pass();
    for (unsigned i = 0; i < ARRAYSIZE(versions); i++) {
        const struct tls_pair_options options = {.client_version = versions[i],
                                                 .server_version = versions[i],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH,
                                                 .server_roots = store};
        if (!connect_with(&options)) break;
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
    HCERTSTORE other = tls_cert_store(TLS_CERT_STRANGER), right = tls_cert_store(TLS_CERT_ROOT);
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
        const struct tls_pair_options options = {.client_version = TLS_PAIR_1_3,
                                                 .server_version = TLS_PAIR_1_3,
                                                 .client_cred_flags = rows[i].flags,
                                                 .client_roots = rows[i].roots,
                                                 .target = L"other.test"};
        if (!connect_with(&options)) break;
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
