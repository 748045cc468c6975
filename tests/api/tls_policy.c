/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the registry does to credentials: protocols, ciphers, hashes, key exchanges and their order
 * [D tls-registry-settings]. Values hold for the whole system, so only our modules are put to it.
 * They are read once a second: each case is a process of its own, which sees them from the start.
 */
#include "support.h"
#include "tls_pair.h"

#define SCHANNEL L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\"
#define ORDER \
    L"SYSTEM\\CurrentControlSet\\Control\\Cryptography\\Configuration\\Local\\SSL\\00010002"
#define ORDER_POLICY L"SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002"
#define WINHTTP L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\WinHttp"

static struct tls_pair pair;

/* ---- values ---- */

static struct saved_value saved[8];
static size_t saved_count;

static void put(const wchar_t *key, const wchar_t *name, DWORD type, const void *data, DWORD size)
{
    struct saved_value *value = &saved[saved_count++];
    ok(value_save(value, key, name) && value_set(value, type, data, size), "%ls\\%ls", key, name);
}

static void put_number(const wchar_t *key, const wchar_t *name, DWORD number)
{
    put(key, name, REG_DWORD, &number, sizeof(number));
}

static void put_back(void)
{
    while (saved_count) value_restore(&saved[--saved_count]);
}

/* ---- what credentials say ---- */

static DWORD protocols_of(ULONG side, DWORD asked, bool modern)
{
    SCH_CREDENTIALS new = {.dwVersion = SCH_CREDENTIALS_VERSION};
    SCHANNEL_CRED old = {.dwVersion = SCHANNEL_CRED_VERSION, .grbitEnabledProtocols = asked};
    SecPkgCred_SupportedProtocols protocols = {0};
    CredHandle made;
    TimeStamp expiry;
    if (AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, side, NULL,
                                  modern ? (void *)&new : (void *)&old, NULL, NULL, &made, &expiry))
        return 0;
    QueryCredentialsAttributesW(&made, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols);
    FreeCredentialsHandle(&made);
    return protocols.grbitProtocol;
}

/* The suite of a handshake between two defaults; 0 without one. */
static DWORD suite_made(void)
{
    const struct tls_pair_options options = {0};
    SecPkgContext_CipherInfo info = {.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1};
    if (tls_pair_make(&pair, &options) != SEC_E_OK) return 0;
    if (QueryContextAttributesW(&pair.client, SECPKG_ATTR_CIPHER_INFO, &info) != SEC_E_OK)
        info.dwCipherSuite = 0;
    tls_pair_close(&pair);
    return info.dwCipherSuite;
}

/* ---- protocols ---- */

static void put_enabled(void)
{
    put_number(SCHANNEL L"Protocols\\TLS 1.2\\Client", L"Enabled", 0);
    put_number(SCHANNEL L"Protocols\\TLS 1.0\\Client", L"Enabled", 0xffffffff);
    put_number(SCHANNEL L"Protocols\\TLS 1.1\\Client", L"Enabled", 1);
    put_number(SCHANNEL L"Protocols\\TLS 1.1\\Client", L"DisabledByDefault", 0);
}

static void test_enabled(void)
{
    DWORD got = protocols_of(SECPKG_CRED_OUTBOUND, 0, true);
    ok(got & SP_PROT_TLS1_3_CLIENT && !(got & SP_PROT_TLS1_2_CLIENT), "by default: %lx", got);
    got = protocols_of(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2_CLIENT, false);
    ok(!got, "1.2, which is disabled: %lx", got);
    got = protocols_of(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_0_CLIENT, false);
    ok(got == SP_PROT_TLS1_0_CLIENT, "1.0, which is enabled: %lx", got);
    got = protocols_of(SECPKG_CRED_OUTBOUND, 0, false);
    ok(got & SP_PROT_TLS1_1_CLIENT && !(got & SP_PROT_TLS1_0_CLIENT), "old structure: %lx", got);
    got = protocols_of(SECPKG_CRED_INBOUND, SP_PROT_TLS1_2_SERVER, false);
    ok(got == SP_PROT_TLS1_2_SERVER, "servers are something else: %lx", got);
}

static void put_disabled_by_default(void)
{
    put_number(SCHANNEL L"Protocols\\TLS 1.3\\Server", L"DisabledByDefault", 1);
    put_number(SCHANNEL L"Protocols\\TLS 1.2\\Client", L"DisabledByDefault", 1);
    put_number(SCHANNEL L"Protocols\\DTLS 1.2\\Server", L"Enabled", 0);
}

static void test_disabled_by_default(void)
{
    DWORD got = protocols_of(SECPKG_CRED_INBOUND, 0, true);
    ok(got == SP_PROT_TLS1_2_SERVER, "by default: %lx", got);
    got = protocols_of(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2_CLIENT, false);
    ok(got == SP_PROT_TLS1_2_CLIENT, "asked for: %lx", got);
    got = protocols_of(SECPKG_CRED_OUTBOUND, 0, true) & ~(DWORD)SP_PROT_DTLS1_X;
    ok(got == SP_PROT_TLS1_3_CLIENT, "clients are something else: %lx", got);
}

static void put_default_secure_protocols(void)
{
    put_number(WINHTTP, L"DefaultSecureProtocols", SP_PROT_TLS1_2_CLIENT | SP_PROT_SSL3_CLIENT);
    put_number(SCHANNEL L"Protocols\\TLS 1.1\\Client", L"Enabled", 1);
}

/* [D "Update to enable TLS 1.1 and TLS 1.2 as default secure protocols in WinHTTP"] */
static void test_default_secure_protocols(void)
{
    DWORD got = protocols_of(SECPKG_CRED_OUTBOUND, 0, true) & ~(DWORD)SP_PROT_DTLS1_X;
    ok(got == SP_PROT_TLS1_2_CLIENT, "by default: %lx", got);
    got = protocols_of(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_1_CLIENT, false);
    ok(got == SP_PROT_TLS1_1_CLIENT, "asked for: %lx", got);
}

/* In one process: what was read is read again. */
static void test_read_again(void)
{
    put_number(SCHANNEL L"Protocols\\TLS 1.2\\Client", L"Enabled", 0);
    DWORD got = protocols_of(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2_CLIENT, false);
    ok(!got, "disabled: %lx", got);
    put_back();
    second_pass();
    got = protocols_of(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2_CLIENT, false);
    ok(got == SP_PROT_TLS1_2_CLIENT, "put back: %lx", got);
    got = protocols_of(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_0_CLIENT, false);
    ok(!got, "1.0 is off: %lx", got);
}

/* ---- algorithms ---- */

static void put_nothing(void)
{
}

static void test_defaults(void)
{
    ok(suite_made() == 0x1302, "%lx", suite_made());
}

static void put_ciphers(void)
{
    put_number(SCHANNEL L"Ciphers\\AES 256/256", L"Enabled", 0);
}

static void test_ciphers(void)
{
    ok(suite_made() == 0x1301, "without AES-256: %lx", suite_made());
}

static void put_more_ciphers(void)
{
    put_ciphers();
    put_number(SCHANNEL L"Ciphers\\AES 128/128", L"Enabled", 0);
    put_number(SCHANNEL L"Protocols\\TLS 1.3\\Server", L"Enabled", 0);
}

static void test_more_ciphers(void)
{
    ok(suite_made() == 0xcca8, "without AES and TLS 1.3: %lx", suite_made());
}

static void put_exchanges(void)
{
    put_number(SCHANNEL L"KeyExchangeAlgorithms\\ECDH", L"Enabled", 0);
    put_number(SCHANNEL L"Hashes\\SHA384", L"Enabled", 0);
}

static void test_exchanges(void)
{
    ok(suite_made() == 0x009e, "without curves and SHA-384: %lx", suite_made());
}

static void put_more_exchanges(void)
{
    put_exchanges();
    put_number(SCHANNEL L"KeyExchangeAlgorithms\\Diffie-Hellman", L"Enabled", 0);
}

static void test_more_exchanges(void)
{
    ok(suite_made() == 0x009c, "without finite fields: %lx", suite_made());
}

static void put_all_exchanges(void)
{
    put_more_exchanges();
    put_number(SCHANNEL L"KeyExchangeAlgorithms\\PKCS", L"Enabled", 0);
}

static void test_all_exchanges(void)
{
    DWORD got = protocols_of(SECPKG_CRED_OUTBOUND, 0, true);
    ok(!got, "without any exchange: %lx", got);
}

static void put_hash_256(void)
{
    put_number(SCHANNEL L"Hashes\\SHA256", L"Enabled", 0);
    put_number(SCHANNEL L"Ciphers\\AES 256/256", L"Enabled", 0);
}

static void put_hash_512(void)
{
    put_number(SCHANNEL L"Hashes\\SHA512", L"Enabled", 0);
}

/* What a connection with these defaults would take of signatures, as tls_signatures has it. */
static void expect_signatures(DWORD expected)
{
    const struct tls_pair_options options = {0};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    ok(tls_signatures(&pair.client) == expected, "signatures %#lx", tls_signatures(&pair.client));
    tls_pair_close(&pair);
}

static void test_hash_256(void)
{
    ok(suite_made() == 0xc013, "without AES-256 and SHA-256: %lx", suite_made());
    expect_signatures(0x6060);
}

static void test_hash_512(void)
{
    ok(suite_made() == 0x1302, "no suite has SHA-512: %lx", suite_made());
    expect_signatures(0x3030);
}

/* ---- orders ---- */

static void put_order(void)
{
    static const wchar_t list[] = L"TLS_NO_SUCH_SUITE\0TLS_RSA_WITH_AES_128_GCM_SHA256\0"
                                  L"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256_P256\0";
    put(ORDER, L"Functions", REG_MULTI_SZ, list, sizeof(list));
}

/* [K] names of older systems end with a curve */
static void test_order(void)
{
    DWORD got = protocols_of(SECPKG_CRED_OUTBOUND, 0, true);
    ok(suite_made() == 0x009c, "the first of the list: %lx", suite_made());
    ok(got & SP_PROT_TLS1_2 && !(got & SP_PROT_TLS1_3), "1.3 has no suite: %lx", got);
}

static void put_order_policy(void)
{
    static const wchar_t policy[] = L"TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384";
    put_order();
    put(ORDER_POLICY, L"Functions", REG_SZ, policy, sizeof(policy));
}

/* [K] */
static void test_order_policy(void)
{
    DWORD got = protocols_of(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2_CLIENT, false);
    ok(suite_made() == 0x1301, "the administrator's list: %lx", suite_made());
    ok(!got, "1.2 has no suite: %lx", got);
}

static void put_order_commas(void)
{
    static const wchar_t list[] = L"TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384\0"
                                  L"TLS_RSA_WITH_AES_128_GCM_SHA256\0";
    put(ORDER, L"Functions", REG_MULTI_SZ, list, sizeof(list));
}

/* ours: what has strings of its own is not taken apart */
static void test_order_commas(void)
{
    ok(suite_made() == 0x009c, "two names in one of several strings: %lx", suite_made());
}

static void put_curves(void)
{
    static const wchar_t list[] = L"NistP384\0";
    put(ORDER, L"EccCurves", REG_MULTI_SZ, list, sizeof(list));
}

/* [K] */
static void test_curves(void)
{
    const struct tls_pair_options options = {0};
    SecPkgContext_ConnectionInfo info = {0};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    QueryContextAttributesW(&pair.client, SECPKG_ATTR_CONNECTION_INFO, &info);
    ok(info.dwExchStrength == 384, "%lu bits", info.dwExchStrength);
    tls_pair_close(&pair);
}

static void put_triple_des(void)
{
    static const wchar_t list[] = L"TLS_RSA_WITH_3DES_EDE_CBC_SHA\0"
                                  L"TLS_RSA_WITH_AES_128_GCM_SHA256\0";
    put(ORDER, L"Functions", REG_MULTI_SZ, list, sizeof(list));
}

static void test_triple_des(void)
{
    ok(suite_made() == 0x000a, "by its name: %lx", suite_made());
}

static void put_no_triple_des(void)
{
    put_triple_des();
    put_number(SCHANNEL L"Ciphers\\Triple DES 168", L"Enabled", 0);
}

static void test_no_triple_des(void)
{
    ok(suite_made() == 0x009c, "switched off: %lx", suite_made());
}

/* ---- finite fields ---- */

static void put_finite_field(void)
{
    static const wchar_t list[] = L"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256\0";
    put(ORDER, L"Functions", REG_MULTI_SZ, list, sizeof(list));
}

static void expect_field(DWORD bits)
{
    const struct tls_pair_options options = {0};
    SecPkgContext_ConnectionInfo info = {0};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    QueryContextAttributesW(&pair.client, SECPKG_ATTR_CONNECTION_INFO, &info);
    ok(info.aiExch == CALG_DH_EPHEM && info.dwExchStrength == bits, "%#x of %lu bits", info.aiExch,
       info.dwExchStrength);
    tls_pair_close(&pair);
}

static void test_finite_field(void)
{
    expect_field(2048);
}

static void put_server_field(void)
{
    put_finite_field();
    put_number(SCHANNEL L"KeyExchangeAlgorithms\\Diffie-Hellman", L"ServerMinKeyBitLength", 3072);
}

static void put_client_field(void)
{
    put_finite_field();
    put_number(SCHANNEL L"KeyExchangeAlgorithms\\Diffie-Hellman", L"ClientMinKeyBitLength", 3072);
}

static void test_larger_field(void)
{
    expect_field(3072);
}

/* ---- resumption ---- */

/* Whether a second connection comes back with the session of the first one, in both versions. */
static void expect_resumption(bool expected)
{
    for (enum tls_pair_version v = TLS_PAIR_1_2; v <= TLS_PAIR_1_3; v++) {
        const struct tls_pair_options options = {.client_version = v, .server_version = v};
        SecPkgContext_SessionInfo info = {0};
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (!ok(status == SEC_E_OK && tls_pair_talk(&pair), "first: %08lx", status)) return;
        tls_pair_delete(&pair);
        Sleep(100); /* longer than a client keeps them that keeps them for 1 ms */
        status = tls_pair_connect(&pair);
        ok(status == SEC_E_OK, "second: %08lx", status);
        status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_SESSION_INFO, &info);
        ok(status == SEC_E_OK && !!(info.dwFlags & SSL_SESSION_RECONNECT) == expected,
           "version %u: %08lx, flags %lx", v, status, info.dwFlags);
        tls_pair_close(&pair);
    }
}

static void test_resumption(void)
{
    expect_resumption(true);
}

static void test_no_resumption(void)
{
    expect_resumption(false);
}

static void put_client_cache_time(void)
{
    put_number(SCHANNEL, L"ClientCacheTime", 1);
}

static void put_no_client_cache(void)
{
    put_number(SCHANNEL, L"ClientCacheTime", 0);
}

static void put_no_server_cache(void)
{
    put_number(SCHANNEL, L"ServerCacheTime", 0);
}

static void put_no_cache(void)
{
    put_number(SCHANNEL, L"MaximumCacheSize", 0);
}

/* ---- further handshakes ---- */

static void put_no_renegotiation_server(void)
{
    put_number(SCHANNEL, L"DisableRenegoOnServer", 1);
}

static void put_no_renegotiation_client(void)
{
    put_number(SCHANNEL, L"DisableRenegoOnClient", 1);
}

/* The server wants another handshake of TLS 1.2; what becomes of it by the client. */
static void want_another(bool without_aead, SECURITY_STATUS server, SECURITY_STATUS end)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2,
                                             .without_aead = without_aead};
    BYTE heard[8];
    DWORD size;
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "connect: %08lx", status)) return;
    status = tls_pair_server_leg(&pair);
    ok(status == server, "a server's wish: %08lx", status);
    if (status >= 0) {
        status = tls_pair_receive(&pair, false, heard, sizeof(heard), &size);
        ok(status == SEC_E_INCOMPLETE_MESSAGE && pair.token_size, "client: %08lx", status);
        pair.to_server.arrived = pair.to_server.size;
        status = tls_pair_server_leg(&pair);
        ok(status == end, "answered: %08lx", status);
    }
    if (end < 0 || end == SEC_I_NO_RENEGOTIATION) ok(tls_pair_talk(&pair), "no data afterwards");
    tls_pair_close(&pair);
}

/* The server of TLS 1.3 wants a certificate after the handshake, of a client that has one. */
static void want_late(SECURITY_STATUS expected)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_3,
                                             .server_version = TLS_PAIR_1_3,
                                             .client_cert = TLS_CERT_CLIENT_RSA};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "connect: %08lx", status)) return;
    pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
    status = tls_pair_server_leg(&pair);
    ok(status == expected && !pair.token_size, "a server's wish: %08lx", status);
    ok(tls_pair_talk(&pair), "no data afterwards");
    tls_pair_close(&pair);
}

/* [K] KB977377; the statuses are ours */
static void test_no_renegotiation_server(void)
{
    want_another(false, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_UNSUPPORTED_FUNCTION);
    want_another(true, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_UNSUPPORTED_FUNCTION);
    want_late(SEC_E_UNSUPPORTED_FUNCTION);
}

static void test_no_renegotiation_client(void)
{
    want_another(false, SEC_E_OK, SEC_I_NO_RENEGOTIATION);
    want_another(true, SEC_I_CONTINUE_NEEDED, SEC_I_NO_RENEGOTIATION);
    want_late(SEC_I_NO_RENEGOTIATION);
}

/* ---- processes ---- */

static const struct {
    const char *name;
    void (*put)(void);
    void (*test)(void);
} cases[] = {
    {"enabled", put_enabled, test_enabled},
    {"disabled_by_default", put_disabled_by_default, test_disabled_by_default},
    {"default_secure_protocols", put_default_secure_protocols, test_default_secure_protocols},
    {"defaults", put_nothing, test_defaults},
    {"ciphers", put_ciphers, test_ciphers},
    {"more_ciphers", put_more_ciphers, test_more_ciphers},
    {"exchanges", put_exchanges, test_exchanges},
    {"more_exchanges", put_more_exchanges, test_more_exchanges},
    {"all_exchanges", put_all_exchanges, test_all_exchanges},
    {"hash_256", put_hash_256, test_hash_256},
    {"hash_512", put_hash_512, test_hash_512},
    {"order", put_order, test_order},
    {"order_policy", put_order_policy, test_order_policy},
    {"order_commas", put_order_commas, test_order_commas},
    {"curves", put_curves, test_curves},
    {"triple_des", put_triple_des, test_triple_des},
    {"no_triple_des", put_no_triple_des, test_no_triple_des},
    {"finite_field", put_finite_field, test_finite_field},
    {"server_field", put_server_field, test_larger_field},
    {"client_field", put_client_field, test_larger_field},
    {"resumption", put_nothing, test_resumption},
    {"client_cache_time", put_client_cache_time, test_no_resumption},
    {"no_client_cache", put_no_client_cache, test_no_resumption},
    {"no_server_cache", put_no_server_cache, test_no_resumption},
    {"no_cache", put_no_cache, test_no_resumption},
    {"server", put_no_renegotiation_server, test_no_renegotiation_server},
    {"client", put_no_renegotiation_client, test_no_renegotiation_client},
};

static void test_processes(void)
{
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        wchar_t argument[8];
        DWORD failures = 99;
        wsprintfW(argument, L"%u", (unsigned)i);
        cases[i].put();
        bool done = child_run(argument, &failures);
        put_back();
        ok(done && !failures, "%s: %lu failures", cases[i].name, failures);
    }
}

static void test_again(void)
{
    if (ours_only()) test_read_again();
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        size_t i = (size_t)atoi(argv[1]);
        if (i < ARRAYSIZE(cases)) test_run(cases[i].name, cases[i].test);
        tls_certs_end();
        return test_state.failed;
    }
    RUN(test_processes);
    RUN(test_again);
    return test_end("api_tls_policy");
}
