/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a client judges a server's certificate when the application leaves that to the system, and
 * which certificates a server sends. Sources of expectations in brackets, as in api_packages; where
 * [D] is followed by a status, that is the one of "Schannel Error Codes for TLS and SSL Alerts" for
 * the alert that RFC 5246 7.2.2 gives for the fault.
 */
#include "support.h"
#include "tls_pair.h"

#define UNTRUSTED_ARGUMENT L"untrusted"

static struct tls_pair pair;

static SECURITY_STATUS judged(enum tls_cert cert, const wchar_t *target, DWORD flags)
{
    const struct tls_pair_options options = {
        .server_cert = cert, .automatic = true, .target = target, .client_cred_flags = flags};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (status == SEC_E_OK) tls_pair_close(&pair);
    return status;
}

static void expect(enum tls_cert cert, const wchar_t *target, DWORD flags, SECURITY_STATUS expected,
                   const char *what)
{
    SECURITY_STATUS status = judged(cert, target, flags);
    ok(status == expected, "%s: %08lx", what, status);
}

/* ---- without trust: a process of its own, since roots are read once ---- */

static void test_untrusted(void)
{
    /* [D] */
    expect(TLS_CERT_SERVER_RSA, NULL, 0, SEC_E_UNTRUSTED_ROOT, "a root that nobody trusts");
    expect(TLS_CERT_STRANGER, NULL, 0, SEC_E_UNTRUSTED_ROOT, "signed by itself");
    expect(TLS_CERT_EXPIRED, NULL, 0, SEC_E_UNTRUSTED_ROOT, "expired, too");
    /* [D schannel_cred]: SCH_CRED_MANUAL_CRED_VALIDATION */
    expect(TLS_CERT_SERVER_RSA, NULL, SCH_CRED_MANUAL_CRED_VALIDATION, SEC_E_OK, "not looked at");
}

static void test_untrusted_process(void)
{
    DWORD failures = 99;
    ok(child_run(UNTRUSTED_ARGUMENT, &failures) && !failures, "%lu failures", failures);
}

/* ---- names ---- */

static void test_names(void)
{
    static const struct {
        enum tls_cert cert;
        const wchar_t *target;
        bool matches;
    } cases[] = {
        /* RFC 6125 6.4, RFC 2818 3.1 */
        {TLS_CERT_SERVER_RSA, L"localhost", true},
        {TLS_CERT_SERVER_RSA, L"LocalHost", true},
        {TLS_CERT_SERVER_RSA, L"localhost.", true},
        {TLS_CERT_SERVER_RSA, L"localhos", false},
        {TLS_CERT_SERVER_RSA, L"localhost.test", false},
        {TLS_CERT_SERVER_RSA, L"a.wild.test", true},
        {TLS_CERT_SERVER_RSA, L"A.Wild.Test", true},
        {TLS_CERT_SERVER_RSA, L"wild.test", false},
        {TLS_CERT_SERVER_RSA, L".wild.test", false},
        {TLS_CERT_SERVER_RSA, L"a.b.wild.test", false},
        {TLS_CERT_SERVER_RSA, L"127.0.0.1", true},
        {TLS_CERT_SERVER_RSA, L"127.0.0.2", false},
        {TLS_CERT_SERVER_RSA, L"::1", true},
        {TLS_CERT_SERVER_RSA, L"[::1]", true},
        {TLS_CERT_SERVER_RSA, L"0:0:0:0:0:0:0:1", true},
        {TLS_CERT_SERVER_RSA, L"::2", false},
        {TLS_CERT_OTHER_NAME, L"other.test", true},
        {TLS_CERT_OTHER_NAME, L"localhost", false},
        {TLS_CERT_OTHER_NAME, L"127.0.0.1", false},
        {TLS_CERT_COMMON_NAME, L"localhost", true},
        {TLS_CERT_COMMON_NAME, L"other.test", false},
        {TLS_CERT_COMMON_NAME, L"127.0.0.1", false},
        /* a name goes to its end, whatever is in it (CVE-2009-2408 and others) */
        {TLS_CERT_ZERO_NAME, L"localhost", false},
        {TLS_CERT_ZERO_COMMON, L"localhost", false},
        {TLS_CERT_SERVER_RSA, L"b\u00fccher.test", false},
        {TLS_CERT_SERVER_RSA, L"b\u00fccher.wild.test", true},
    };
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        SECURITY_STATUS expected = cases[i].matches ? SEC_E_OK : SEC_E_WRONG_PRINCIPAL;
        SECURITY_STATUS status = judged(cases[i].cert, cases[i].target, 0);
        ok(status == expected, "%ls of certificate %d: %08lx", cases[i].target, cases[i].cert,
           status);
    }
    /* [D schannel_cred] */
    expect(TLS_CERT_SERVER_RSA, L"other.test", SCH_CRED_NO_SERVERNAME_CHECK, SEC_E_OK,
           "another name that does not matter");
}

/* ---- chains ---- */

static void test_chains(void)
{
    expect(TLS_CERT_SERVER_RSA, NULL, 0, SEC_E_OK, "signed by the root");
    expect(TLS_CERT_CHAINED, NULL, 0, SEC_E_OK, "signed by an intermediate");
    /* [D]; SEC_E_CERT_EXPIRED [W8 schannel.c:1506-1510] */
    expect(TLS_CERT_STRANGER, NULL, 0, SEC_E_UNTRUSTED_ROOT, "signed by itself");
    expect(TLS_CERT_EXPIRED, NULL, 0, SEC_E_CERT_EXPIRED, "expired");
    expect(TLS_CERT_EXPIRED, L"other.test", 0, SEC_E_CERT_EXPIRED, "expired, of another name");
    /* [H winerror.h], [INF] */
    expect(TLS_CERT_WRONG_USAGE, NULL, 0, SEC_E_CERT_WRONG_USAGE, "for something else");
    const CERT_CONTEXT *curve = tls_cert_with_key(TLS_CERT_SERVER_EC);
    if (!curve) return;
    CertFreeCertificateContext(curve);
    expect(TLS_CERT_SERVER_EC, NULL, 0, SEC_E_OK, "a key of a curve");
}

/* schannel.h of the SDK for Windows 11. */
#define CERT_CHECK_RESULT 0x71
#define CERT_CHECK_RESULT_INPROC 0x72
struct check_result { /* SecPkgContext_CertificateValidationResult */
    DWORD chain_errors;
    HRESULT verdict;
};

static SECURITY_STATUS check(bool server, ULONG attribute, struct check_result *out)
{
    memset(out, 0x55, sizeof(*out));
    return QueryContextAttributesW(server ? &pair.server : &pair.client, attribute, out);
}

/* [H schannel.h] the errors of the chain, and the verdict of its policy;
 * [D CERT_CHAIN_POLICY_STATUS] for who judges by himself. During a handshake the one,
 * afterwards both. */
static void test_check_result(void)
{
    static const struct {
        enum tls_cert cert;
        const wchar_t *target;
        DWORD errors;
        HRESULT verdict;
    } cases[] = {
        {TLS_CERT_SERVER_RSA, NULL, 0, S_OK},
        {TLS_CERT_SERVER_RSA, L"other.test", 0, CERT_E_CN_NO_MATCH},
        {TLS_CERT_STRANGER, NULL, CERT_TRUST_IS_UNTRUSTED_ROOT, CERT_E_UNTRUSTEDROOT},
        {TLS_CERT_EXPIRED, NULL, CERT_TRUST_IS_NOT_TIME_VALID, CERT_E_EXPIRED},
        {TLS_CERT_WRONG_USAGE, NULL, CERT_TRUST_IS_NOT_VALID_FOR_USAGE, CERT_E_WRONG_USAGE},
    };
    struct check_result result;
    if (!ours_only()) return; /* not every Windows has it */
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        const struct tls_pair_options options = {.server_cert = cases[i].cert,
                                                 .target = cases[i].target};
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "row %u: %08lx", (unsigned)i, status)) continue;
        tls_pair_client_leg(&pair);
        status = check(false, CERT_CHECK_RESULT, &result);
        ok(status == SEC_E_INVALID_HANDLE, "row %u: before it has come: %08lx", (unsigned)i,
           status);
        status = check(false, CERT_CHECK_RESULT_INPROC, &result);
        ok(status == SEC_E_INVALID_HANDLE, "row %u: too early: %08lx", (unsigned)i, status);
        tls_pair_delete(&pair);
        ok(!tls_pair_connect(&pair), "row %u: no connection", (unsigned)i);
        for (ULONG id = CERT_CHECK_RESULT; id <= CERT_CHECK_RESULT_INPROC; id++) {
            status = check(false, id, &result);
            ok(status == SEC_E_OK && result.chain_errors == cases[i].errors &&
                   result.verdict == cases[i].verdict,
               "row %u, %#lx: %08lx, %#lx, %08lx", (unsigned)i, id, status, result.chain_errors,
               result.verdict);
        }
        status = check(true, CERT_CHECK_RESULT, &result);
        ok(status == SEC_E_NO_CREDENTIALS, "row %u: no client's: %08lx", (unsigned)i, status);
        tls_pair_close(&pair);
    }
}

/* In the middle of a handshake of TLS 1.2, where the client is asked for a certificate: it has the
 * server's by then. ours, as to when it can be asked. */
static void test_check_coming(void)
{
    static const struct {
        enum tls_cert cert;
        DWORD errors;
        HRESULT verdict;
    } cases[] = {
        {TLS_CERT_SERVER_RSA, 0, S_OK},
        {TLS_CERT_OTHER_NAME, 0, CERT_E_CN_NO_MATCH},
        {TLS_CERT_STRANGER, CERT_TRUST_IS_UNTRUSTED_ROOT, CERT_E_UNTRUSTEDROOT},
    };
    struct check_result result;
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                                 .server_version = TLS_PAIR_1_2,
                                                 .server_cert = cases[i].cert,
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH};
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "row %u: %08lx", (unsigned)i, status)) continue;
        tls_pair_client_leg(&pair);
        pair.to_server.arrived = pair.to_server.size;
        tls_pair_server_leg(&pair);
        pair.to_client.arrived = pair.to_client.size;
        status = tls_pair_client_leg(&pair);
        ok(status == SEC_I_INCOMPLETE_CREDENTIALS, "row %u: asked: %08lx", (unsigned)i, status);
        status = check(false, CERT_CHECK_RESULT, &result);
        ok(status == SEC_E_OK && result.chain_errors == cases[i].errors &&
               result.verdict == cases[i].verdict,
           "row %u: %08lx, %#lx, %08lx", (unsigned)i, status, result.chain_errors, result.verdict);
        status = check(false, CERT_CHECK_RESULT_INPROC, &result);
        ok(status == SEC_E_INVALID_HANDLE, "row %u: too early: %08lx", (unsigned)i, status);
        tls_pair_close(&pair);
    }
}

/* ISC_REQ_DEFERRED_CRED_VALIDATION [D InitializeSecurityContext (Schannel)]: nothing is judged in
 * the handshake. ours: who asks hears of it, and the session serves none that is judged. */
static void test_deferred(void)
{
    struct check_result result;
    if (!ours_only()) return; /* older systems do not have it */
    for (enum tls_pair_version v = TLS_PAIR_1_2; v <= TLS_PAIR_1_3; v++) {
        const struct tls_pair_options options = {.client_version = v,
                                                 .server_version = v,
                                                 .server_cert = TLS_CERT_OTHER_NAME,
                                                 .automatic = true,
                                                 .deferred = true};
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (!ok(status == SEC_E_OK, "%u: put off: %08lx", v, status)) continue;
        status = check(false, CERT_CHECK_RESULT, &result);
        ok(status == SEC_E_OK && result.verdict == CERT_E_CN_NO_MATCH, "%u: later: %08lx, %08lx", v,
           status, result.verdict);
        ok(tls_pair_talk(&pair), "%u: no data", v);
        tls_pair_delete(&pair);
        pair.options.deferred = false;
        status = tls_pair_connect(&pair);
        ok(status == SEC_E_WRONG_PRINCIPAL, "%u: not put off: %08lx", v, status);
        tls_pair_close(&pair);
    }
}

/* A client's is judged as one, without a name. */
static void test_check_client(void)
{
    static const enum tls_cert certs[] = {TLS_CERT_CLIENT_RSA, TLS_CERT_SERVER_RSA};
    struct check_result result;
    if (!ours_only()) return;
    for (unsigned i = 0; i < ARRAYSIZE(certs); i++) {
        const struct tls_pair_options options = {.client_cert = certs[i],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH};
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (!ok(status == SEC_E_OK, "%08lx", status)) continue;
        status = check(true, CERT_CHECK_RESULT, &result);
        ok(status == SEC_E_OK && result.verdict == (i ? CERT_E_WRONG_USAGE : S_OK),
           "certificate %u: %08lx, %08lx", i, status, result.verdict);
        tls_pair_close(&pair);
    }
}

/* [D tls-registry-settings], [K]; the status is ours */
static void test_strength(void)
{
    static struct saved_value hash, key;
    const DWORD off = 0, bits = 2048;
    if (!ours_only()) return;
    expect(TLS_CERT_WEAK_HASH, NULL, 0, SEC_E_OK, "SHA-1");
    expect(TLS_CERT_WEAK_KEY, NULL, 0, SEC_E_OK, "1024 bits");
    if (!ok(value_save(
                &hash,
                L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Hashes\\SHA",
                L"Enabled") &&
                value_save(&key,
                           L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\"
                           L"KeyExchangeAlgorithms\\PKCS",
                           L"ClientMinKeyBitLength"),
            "values"))
        return;
    value_set(&hash, REG_DWORD, &off, sizeof(off));
    value_set(&key, REG_DWORD, &bits, sizeof(bits));
    second_pass();
    expect(TLS_CERT_WEAK_HASH, NULL, 0, SEC_E_CERT_UNKNOWN, "SHA-1, which is off");
    expect(TLS_CERT_WEAK_KEY, NULL, 0, SEC_E_CERT_UNKNOWN, "1024 bits of 2048");
    expect(TLS_CERT_SERVER_RSA, NULL, 0, SEC_E_OK, "neither");
    value_restore(&hash);
    value_restore(&key);
    second_pass();
}

/* ---- revocation ---- */

/* The list is in the user's store of intermediates, and out of it by its registry key. */
static bool list_publish(wchar_t path[160])
{
    BYTE hash[20];
    DWORD size = sizeof(hash);
    const CRL_CONTEXT *list = tls_crl();
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER,
                                     L"CA");
    bool done = list && store &&
                CertAddCRLContextToStore(store, list, CERT_STORE_ADD_REPLACE_EXISTING, NULL) &&
                CertGetCRLContextProperty(list, CERT_HASH_PROP_ID, hash, &size);
    wcscpy(path, L"Software\\Microsoft\\SystemCertificates\\CA\\CRLs\\");
    for (DWORD i = 0; done && i < size; i++) wsprintfW(path + wcslen(path), L"%02X", hash[i]);
    if (store) CertCloseStore(store, 0);
    if (list) CertFreeCRLContext(list);
    return done;
}

static const struct {
    DWORD flag;
    const char *name;
} extents[] = {
    {SCH_CRED_REVOCATION_CHECK_END_CERT, "the certificate"},
    {SCH_CRED_REVOCATION_CHECK_CHAIN, "the chain"},
    {SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT, "the chain without its root"},
};

static void test_revocation(void)
{
    /* [D schannel_cred]: no flag, no check */
    expect(TLS_CERT_REVOKED, NULL, 0, SEC_E_OK, "not asked for");
    for (size_t i = 0; i < ARRAYSIZE(extents); i++) {
        winetest_push_context("%s", extents[i].name);
        SECURITY_STATUS status = judged(TLS_CERT_REVOKED, NULL, extents[i].flag);
        /* [D schannel_cred] SCH_CRED_IGNORE_NO_REVOCATION_CHECK */
        ok(status == CRYPT_E_NO_REVOCATION_CHECK || status == CRYPT_E_REVOCATION_OFFLINE,
           "without a list: %08lx", status);
        expect(TLS_CERT_REVOKED, NULL,
               extents[i].flag | SCH_CRED_IGNORE_NO_REVOCATION_CHECK |
                   SCH_CRED_IGNORE_REVOCATION_OFFLINE,
               SEC_E_OK, "without a list, which does not matter");
        winetest_pop_context();
    }
}

/* In a process of its own: stores are read once. */
static void test_revoked(void)
{
    for (size_t i = 0; i < ARRAYSIZE(extents); i++) {
        winetest_push_context("%s", extents[i].name);
        expect(TLS_CERT_REVOKED, NULL, extents[i].flag, CRYPT_E_REVOKED, "revoked"); /* [D] */
        expect(TLS_CERT_REVOKED, NULL, extents[i].flag | SCH_CRED_IGNORE_NO_REVOCATION_CHECK,
               CRYPT_E_REVOKED, "revoked for certain");
        winetest_pop_context();
    }
    /* Wine 8.0 takes nobody's word for that but a list's that it has fetched itself */
    todo_wine expect(TLS_CERT_SERVER_RSA, NULL, SCH_CRED_REVOCATION_CHECK_END_CERT, SEC_E_OK,
                     "not revoked");
}

static void test_revoked_process(void)
{
    wchar_t path[160];
    DWORD failures = 99;
    if (!ok(list_publish(path), "no list: %lx", GetLastError())) return;
    ok(child_run(L"revoked", &failures) && !failures, "%lu failures", failures);
    RegDeleteKeyW(HKEY_CURRENT_USER, path);
}

/* ---- roots of the application ---- */

static SECURITY_STATUS with_roots(enum tls_cert root, enum tls_cert cert)
{
    HCERTSTORE store = tls_cert_store(root);
    const struct tls_pair_options options = {.plain_credentials = true,
                                             .server_cert = cert,
                                             .client_cred_flags = SCH_CRED_RESTRICTED_ROOTS,
                                             .client_roots = store,
                                             .automatic = true};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (status == SEC_E_OK) tls_pair_close(&pair);
    CertCloseStore(store, 0);
    return status;
}

/* [H schannel.h]; what the flag does is [INF] from CERT_CHAIN_ENGINE_CONFIG's hRestrictedRoot */
static void test_restricted_roots(void)
{
    if (!ours_only()) return;
    SECURITY_STATUS status = with_roots(TLS_CERT_ROOT, TLS_CERT_SERVER_RSA);
    ok(status == SEC_E_OK, "the root: %08lx", status);
    status = with_roots(TLS_CERT_STRANGER, TLS_CERT_SERVER_RSA);
    ok(status == SEC_E_UNTRUSTED_ROOT, "another root: %08lx", status);
    status = with_roots(TLS_CERT_STRANGER, TLS_CERT_STRANGER);
    ok(status == SEC_E_UNTRUSTED_ROOT, "a root that the system does not have: %08lx", status);
}

/* ---- what is sent ---- */

static DWORD sent(enum tls_cert cert, DWORD flags)
{
    const struct tls_pair_options options = {.server_cert = cert, .server_cred_flags = flags};
    const CERT_CONTEXT *remote = NULL, *each = NULL;
    DWORD count = 0;
    if (tls_pair_make(&pair, &options) != SEC_E_OK) return 0;
    if (QueryContextAttributesW(&pair.client, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &remote) ==
        SEC_E_OK) {
        while ((each = CertEnumCertificatesInStore(remote->hCertStore, each))) count++;
        CertFreeCertificateContext(remote);
    }
    tls_pair_close(&pair);
    return count;
}

/* [D schannel_cred]: SCH_SEND_ROOT_CERT; RFC 5246 7.4.2 */
static void test_sent(void)
{
    ok(sent(TLS_CERT_SERVER_RSA, 0) == 1, "a leaf: %lu", sent(TLS_CERT_SERVER_RSA, 0));
    ok(sent(TLS_CERT_CHAINED, 0) == 2, "with an intermediate: %lu", sent(TLS_CERT_CHAINED, 0));
    ok(sent(TLS_CERT_CHAINED, SCH_SEND_ROOT_CERT) == 3, "with the root: %lu",
       sent(TLS_CERT_CHAINED, SCH_SEND_ROOT_CERT));
    ok(sent(TLS_CERT_STRANGER, 0) == 1, "signed by itself: %lu", sent(TLS_CERT_STRANGER, 0));
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        if (!strcmp(argv[1], "untrusted")) RUN(test_untrusted);
        else RUN(test_revoked);
        tls_certs_end();
        return test_state.failed;
    }
    RUN(test_untrusted_process);
    if (!tls_root_trust()) {
        printf("skip: the test root cannot be made a trusted one\n");
        return test_end("api_tls_certificates");
    }
    RUN(test_names);
    RUN(test_chains);
    RUN(test_check_result);
    RUN(test_check_coming);
    RUN(test_deferred);
    RUN(test_check_client);
    RUN(test_strength);
    RUN(test_revocation);
    RUN(test_revoked_process);
    RUN(test_restricted_roots);
    RUN(test_sent);
    tls_root_distrust();
    tls_certs_end();
    return test_end("api_tls_certificates");
}
