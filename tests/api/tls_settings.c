/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What TLS_PARAMETERS takes away from a credential by CRYPTO_SETTINGS, what SCHANNEL_CRED leaves by
 * its algorithms and strengths, and what is then negotiated: ciphers, digests, key exchanges and
 * signatures, of clients and of servers. [D crypto_settings] has the usages and the names of CNG;
 * which of the suites that are left is chosen is [D tls-cipher-suites-in-windows-11], and what
 * comes of having none ours.
 */
#include "support.h"
#include "tls_pair.h"

static struct tls_pair pair;

/* IANA's numbers of groups, which CipherInfo has as the type of the key. */
enum { P256 = 0x17, P384 = 0x18, X25519 = 0x1d };

#define CIPHER TlsParametersCngAlgUsageCipher
#define DIGEST TlsParametersCngAlgUsageDigest
#define EXCHANGE TlsParametersCngAlgUsageKeyExchange
#define SIGNATURE TlsParametersCngAlgUsageSignature

struct setting {
    eTlsAlgorithmUsage usage;
    const wchar_t *name, *mode;
    DWORD minimum, maximum; /* bits */
};

static const struct row {
    struct setting settings[4]; /* up to one without a name */
    enum tls_pair_version version;
    enum tls_cert server_cert;
    DWORD suite; /* 0: there is no connection */
    DWORD group; /* 0: any */
} rows[] = {
    /* ciphers */
    {{{CIPHER, L"AES", L"ChainingModeGCM", 256, 256}}, TLS_PAIR_1_3, 0, 0x1301, 0},
    {{{CIPHER, L"AES", L"ChainingModeGCM", 256, 256}}, TLS_PAIR_1_2, 0, 0xc02f, 0},
    {{{CIPHER, L"AES", NULL, 0, 0}}, TLS_PAIR_1_3, 0, 0x1303, 0},
    {{{CIPHER, L"AES", NULL, 0, 0}}, TLS_PAIR_1_2, 0, 0xcca8, 0},
    {{{CIPHER, L"AES", NULL, 0, 128}}, TLS_PAIR_1_2, 0, 0xc030, 0},
    {{{CIPHER, L"AES", NULL, 0, 0}, {CIPHER, L"CHACHA20_POLY1305", NULL, 0, 0}},
     TLS_PAIR_DEFAULT,
     0,
     0,
     0},
    /* digests: of the suite */
    {{{DIGEST, L"SHA384", NULL, 0, 0}}, TLS_PAIR_1_3, 0, 0x1301, 0},
    {{{DIGEST, L"SHA384", NULL, 0, 0}}, TLS_PAIR_1_2, 0, 0xc02f, 0},
    {{{DIGEST, L"SHA256", NULL, 0, 0}, {CIPHER, L"AES", L"ChainingModeGCM", 0, 0}},
     TLS_PAIR_1_2,
     0,
     0xc028,
     0},
    /* key exchanges: of the suite, and curves by each of their names */
    {{{EXCHANGE, L"ECDH", NULL, 0, 0}}, TLS_PAIR_1_2, 0, 0x009f, 0},
    {{{EXCHANGE, L"ECDH", NULL, 0, 0}, {EXCHANGE, L"DH", NULL, 0, 0}}, TLS_PAIR_1_2, 0, 0x009d, 0},
    {{{EXCHANGE, L"ECDH", NULL, 0, 0},
      {EXCHANGE, L"DH", NULL, 0, 0},
      {EXCHANGE, L"RSA", NULL, 0, 0}},
     TLS_PAIR_1_2,
     0,
     0,
     0},
    {{{EXCHANGE, L"curve25519", NULL, 0, 0}}, TLS_PAIR_1_3, 0, 0x1302, P256},
    {{{EXCHANGE, L"curve25519", NULL, 0, 0}}, TLS_PAIR_1_2, 0, 0xc030, P256},
    {{{EXCHANGE, L"curve25519", NULL, 0, 0}, {EXCHANGE, L"ECDH_P256", NULL, 0, 0}},
     TLS_PAIR_1_3,
     0,
     0x1302,
     P384},
    {{{EXCHANGE, L"curve25519", NULL, 0, 0}, {EXCHANGE, L"nistP256", NULL, 0, 0}},
     TLS_PAIR_1_2,
     0,
     0xc030,
     P384},
    {{{EXCHANGE, L"ECDH", NULL, 0, 256}}, TLS_PAIR_1_3, 0, 0x1302, P384},
    {{{EXCHANGE, L"ECDH", NULL, 257, 0}, {EXCHANGE, L"nistP256", NULL, 0, 0}},
     TLS_PAIR_1_3,
     0,
     0x1302,
     X25519},
    /* signatures: the certificate's key has to be of another kind */
    {{{SIGNATURE, L"RSA", NULL, 0, 0}}, TLS_PAIR_1_3, TLS_CERT_SERVER_RSA, 0, 0},
    {{{SIGNATURE, L"RSA", NULL, 0, 0}}, TLS_PAIR_1_3, TLS_CERT_SERVER_EC, 0x1302, 0},
    {{{SIGNATURE, L"RSA_SIGN", NULL, 0, 0}}, TLS_PAIR_1_2, TLS_CERT_SERVER_EC, 0xc02c, 0},
    {{{SIGNATURE, L"ECDSA", NULL, 0, 0}}, TLS_PAIR_1_3, TLS_CERT_SERVER_EC, 0, 0},
    {{{SIGNATURE, L"ECDSA", NULL, 0, 0}}, TLS_PAIR_1_2, TLS_CERT_SERVER_EC, 0, 0},
    {{{SIGNATURE, L"ECDSA", NULL, 0, 0}}, TLS_PAIR_1_2, TLS_CERT_SERVER_RSA, 0xc030, 0},
    /* of another usage these names take nothing away */
    {{{SIGNATURE, L"AES", NULL, 0, 0}, {DIGEST, L"curve25519", NULL, 0, 0}},
     TLS_PAIR_1_3,
     0,
     0x1302,
     X25519},
};

static UNICODE_STRING text(const wchar_t *name)
{
    USHORT size = (USHORT)(wcslen(name) * sizeof(*name));
    return (UNICODE_STRING){size, size, (wchar_t *)name};
}

/* A credential with these parameters; a server's has this certificate, or that of RSA for 0. */
static SECURITY_STATUS acquire_with(TLS_PARAMETERS *parameters, bool server,
                                    enum tls_cert server_cert, CredHandle *out)
{
    const CERT_CONTEXT *certificate = NULL;
    if (server) certificate = tls_cert_with_key(server_cert ? server_cert : TLS_CERT_SERVER_RSA);
    SCH_CREDENTIALS credentials = {.dwVersion = SCH_CREDENTIALS_VERSION,
                                   .cCreds = server ? 1 : 0,
                                   .paCred = &certificate,
                                   .dwFlags = SCH_CRED_NO_DEFAULT_CREDS |
                                              (server ? 0 : SCH_CRED_MANUAL_CRED_VALIDATION),
                                   .cTlsParameters = 1,
                                   .pTlsParameters = parameters};
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)UNISP_NAME_W, server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
        &credentials, NULL, NULL, out, NULL);
    if (certificate) CertFreeCertificateContext(certificate);
    return status;
}

/* A credential in place of the pair's, without what the row says. */
static SECURITY_STATUS acquire(const struct row *row, bool server, CredHandle *out)
{
    static const DWORD protocols[] = {
        [TLS_PAIR_1_2] = SP_PROT_TLS1_2, [TLS_PAIR_1_3] = SP_PROT_TLS1_3};
    CRYPTO_SETTINGS settings[ARRAYSIZE(row->settings)];
    UNICODE_STRING modes[ARRAYSIZE(row->settings)];
    DWORD count = 0;
    for (; count < ARRAYSIZE(settings) && row->settings[count].name; count++) {
        const struct setting *from = &row->settings[count];
        if (from->mode) modes[count] = text(from->mode);
        settings[count] = (CRYPTO_SETTINGS){from->usage,        text(from->name),
                                            from->mode ? 1 : 0, from->mode ? &modes[count] : NULL,
                                            from->minimum,      from->maximum};
    }
    TLS_PARAMETERS parameters = {.cDisabledCrypto = count, .pDisabledCrypto = settings};
    if (row->version) parameters.grbitDisabledProtocols = ~protocols[row->version];
    return acquire_with(&parameters, server, row->server_cert, out);
}

/* A connection with this credential on one side; SEC_E_OK when there is one. */
static SECURITY_STATUS connect_by(CredHandle *made, bool server, enum tls_cert server_cert)
{
    const struct tls_pair_options options = {.server_cert = server_cert};
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (status) {
        FreeCredentialsHandle(made);
        return status;
    }
    CredHandle *place = server ? &pair.server_cred : &pair.client_cred;
    FreeCredentialsHandle(place);
    *place = *made;
    status = tls_pair_connect(&pair);
    if (status) tls_pair_close(&pair);
    return status;
}

/* One side does without what the row says. */
static SECURITY_STATUS connect_without(const struct row *row, bool server)
{
    CredHandle made;
    SECURITY_STATUS status = acquire(row, server, &made);
    return status ? status : connect_by(&made, server, row->server_cert);
}

/* Zeros when it cannot be told. */
static SecPkgContext_CipherInfo cipher_info(void)
{
    SecPkgContext_CipherInfo info = {.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1};
    QueryContextAttributesW(&pair.client, SECPKG_ATTR_CIPHER_INFO, &info);
    return info;
}

static void run_row(const struct row *row, bool server)
{
    SECURITY_STATUS status = connect_without(row, server);
    if (!row->suite) {
        ok(status < 0, "there is a connection: %08lx", status);
        if (!status) tls_pair_close(&pair);
        return;
    }
    if (!ok(status == SEC_E_OK, "no connection: %08lx", status)) return;
    SecPkgContext_CipherInfo info = cipher_info();
    ok(info.dwCipherSuite == row->suite, "suite %#lx", info.dwCipherSuite);
    ok(!row->group || info.dwKeyType == row->group, "group %#lx", info.dwKeyType);
    ok(tls_pair_talk(&pair), "no talk");
    tls_pair_close(&pair);
}

static void run_rows(bool server)
{
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        winetest_push_context("row %u", (unsigned)i);
        run_row(&rows[i], server);
        winetest_pop_context();
    }
}

static void test_clients(void)
{
    run_rows(false);
}

static void test_servers(void)
{
    run_rows(true);
}

/* [D schannel_cred] palgSupportedAlgs, dwMinimumCipherStrength, dwMaximumCipherStrength */
static const struct plain_row {
    ALG_ID ids[4];
    DWORD count, minimum, maximum;
    enum tls_cert server_cert;
    DWORD suite;
} plain_rows[] = {
    {{CALG_AES_128}, 1, 0, 0, 0, 0xc02f},
    {{CALG_AES_256}, 1, 0, 0, 0, 0xc030},
    {{CALG_SHA1}, 1, 0, 0, 0, 0xc014},
    {{CALG_SHA_256}, 1, 0, 0, 0, 0xc02f},
    {{CALG_RSA_KEYX}, 1, 0, 0, 0, 0x009d},
    {{CALG_DH_EPHEM}, 1, 0, 0, 0, 0x009f},
    {{CALG_ECDH_EPHEM, CALG_ECDSA}, 2, 0, 0, TLS_CERT_SERVER_EC, 0xc02c},
    {{CALG_AES_128, CALG_AES_256, CALG_RSA_KEYX, CALG_SHA1}, 4, 0, 0, 0, 0x0035},
    {{0}, 0, 0, 128, 0, 0xc02f},
    {{0}, 0, 0, 256, 0, 0xc030},
    {{0}, 0, 129, 0, 0, 0xc030},
    {{CALG_AES_128}, 1, 128, 128, 0, 0xc02f},
};

static SECURITY_STATUS acquire_plain(const struct plain_row *row, bool server, CredHandle *out)
{
    const CERT_CONTEXT *certificate = NULL;
    ALG_ID ids[ARRAYSIZE(row->ids)];
    memcpy(ids, row->ids, sizeof(ids));
    if (server)
        certificate = tls_cert_with_key(row->server_cert ? row->server_cert : TLS_CERT_SERVER_RSA);
    SCHANNEL_CRED credentials = {.dwVersion = SCHANNEL_CRED_VERSION,
                                 .cCreds = server ? 1 : 0,
                                 .paCred = &certificate,
                                 .cSupportedAlgs = row->count,
                                 .palgSupportedAlgs = row->count ? ids : NULL,
                                 .dwMinimumCipherStrength = row->minimum,
                                 .dwMaximumCipherStrength = row->maximum,
                                 .dwFlags = SCH_CRED_NO_DEFAULT_CREDS |
                                            (server ? 0 : SCH_CRED_MANUAL_CRED_VALIDATION)};
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)UNISP_NAME_W, server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
        &credentials, NULL, NULL, out, NULL);
    if (certificate) CertFreeCertificateContext(certificate);
    return status;
}

static void test_algorithms(void)
{
    if (!ours_only()) return;
    for (size_t i = 0; i < 2 * ARRAYSIZE(plain_rows); i++) {
        const struct plain_row *row = &plain_rows[i / 2];
        CredHandle made;
        SECURITY_STATUS status = acquire_plain(row, i % 2, &made);
        if (!status) status = connect_by(&made, i % 2, row->server_cert);
        winetest_push_context("%s, row %u", i % 2 ? "server" : "client", (unsigned)i / 2);
        if (ok(status == SEC_E_OK, "no connection: %08lx", status)) {
            DWORD suite = cipher_info().dwCipherSuite;
            ok(suite == row->suite, "suite %#lx", suite);
            tls_pair_close(&pair);
        }
        winetest_pop_context();
    }
}

static bool replace_server(const struct row *row)
{
    FreeCredentialsHandle(&pair.server_cred);
    SECURITY_STATUS status = acquire(row, true, &pair.server_cred);
    return ok(status == SEC_E_OK, "another credential: %08lx", status);
}

/* ours: a client's session does not outlive the server's leave for its suite */
static void test_forbidden_since(void)
{
    static const struct row all = {{{DIGEST, L"no digest", NULL, 0, 0}}, TLS_PAIR_DEFAULT, 0, 0, 0},
                            less = {{{CIPHER, L"AES", NULL, 0, 128}}, TLS_PAIR_DEFAULT, 0, 0, 0},
                            client = {{{CIPHER, L"AES", NULL, 256, 256}}, TLS_PAIR_1_2, 0, 0, 0};
    CredHandle made;
    if (!ours_only()) return;
    SECURITY_STATUS status = acquire(&client, false, &made);
    if (!status) status = connect_by(&made, false, 0);
    if (!ok(status == SEC_E_OK, "no connection: %08lx", status)) return;
    for (unsigned i = 0; i < 3; i++) {
        SecPkgContext_SessionInfo info = {0};
        tls_pair_delete(&pair);
        if (i != 1 && !replace_server(i ? &less : &all)) break;
        status = tls_pair_connect(&pair);
        if (i == 2) {
            ok(status < 0 || cipher_info().dwCipherSuite != 0xc02f, "AES-128: %08lx", status);
            break;
        }
        ok(status == SEC_E_OK && tls_pair_talk(&pair), "time %u: %08lx", i, status);
        QueryContextAttributesW(&pair.client, SECPKG_ATTR_SESSION_INFO, &info);
        ok(!(info.dwFlags & SSL_SESSION_RECONNECT) == !i, "time %u: resumed or not", i);
    }
    tls_pair_close(&pair);
}

/* What a context says that it takes, of each side.
 * [D ns-schannel-secpkgcontext_supportedsignatures] has the form. */
static void test_signatures(void)
{
    static const struct {
        struct row row;
        DWORD left; /* RSA with SHA-256, 384 and 512, and ECDSA */
    } cases[] = {
        {{{{SIGNATURE, L"AES", NULL, 0, 0}}, TLS_PAIR_1_2, TLS_CERT_SERVER_RSA, 0, 0}, 0x7070},
        {{{{SIGNATURE, L"RSA", NULL, 0, 0}}, TLS_PAIR_1_2, TLS_CERT_SERVER_EC, 0, 0}, 0x7000},
        {{{{SIGNATURE, L"ECDSA", NULL, 0, 0}}, TLS_PAIR_1_3, TLS_CERT_SERVER_RSA, 0, 0}, 0x70},
        {{{{SIGNATURE, L"SHA512", NULL, 0, 0}}, TLS_PAIR_1_3, TLS_CERT_SERVER_RSA, 0, 0}, 0x3030},
    };
    if (!ours_only()) return;
    for (size_t i = 0; i < 2 * ARRAYSIZE(cases); i++) {
        SECURITY_STATUS status = connect_without(&cases[i / 2].row, i % 2);
        winetest_push_context("%s, row %u", i % 2 ? "server" : "client", (unsigned)i / 2);
        if (ok(status == SEC_E_OK, "no connection: %08lx", status)) {
            DWORD got = tls_signatures(i % 2 ? &pair.server : &pair.client);
            ok(got == cases[i / 2].left, "%#lx", got);
            got = tls_signatures(i % 2 ? &pair.client : &pair.server);
            ok(got == 0x7070, "the other side: %#lx", got);
            tls_pair_close(&pair);
        }
        winetest_pop_context();
    }
}

/* A credential in place of the pair's, which does without TLS 1.3 for one application protocol. */
static bool open_for_protocol(const struct tls_pair_options *options, bool server)
{
    UNICODE_STRING protocol = text(L"h2");
    TLS_PARAMETERS parameters = {
        .cAlpnIds = 1, .rgstrAlpnIds = &protocol, .grbitDisabledProtocols = SP_PROT_TLS1_3};
    CredHandle *place = server ? &pair.server_cred : &pair.client_cred;
    SECURITY_STATUS status = tls_pair_open(&pair, options);
    if (!ok(status == SEC_E_OK, "credentials: %08lx", status)) return false;
    FreeCredentialsHandle(place);
    status = acquire_with(&parameters, server, 0, place);
    return ok(status == SEC_E_OK, "a credential for protocols: %08lx", status);
}

/* [D TLS_PARAMETERS] rgstrAlpnIds; ours, as to a program that names several protocols, of which one
 * is meant. A session of one is not resumed for another. */
static void test_application_protocols(void)
{
    static const struct {
        const char *names;
        bool modern;
    } connections[] = {{NULL, true},          {"\10http/1.1", true},      {"\2h2", false},
                       {"\10http/1.1", true}, {"\2h2\10http/1.1", false}, {"\3h22", true}};
    if (!ours_only()) return;
    for (unsigned server = 0; server < 2; server++) {
        const struct tls_pair_options options = {0};
        if (!open_for_protocol(&options, server)) continue;
        for (unsigned i = 0; i < ARRAYSIZE(connections); i++) {
            SecPkgContext_ConnectionInfo info = {0};
            pair.options.client_alpn = pair.options.server_alpn = connections[i].names;
            SECURITY_STATUS status = tls_pair_connect(&pair);
            ok(status == SEC_E_OK && tls_pair_talk(&pair), "row %u: %08lx", i, status);
            QueryContextAttributesW(&pair.client, SECPKG_ATTR_CONNECTION_INFO, &info);
            ok(info.dwProtocol ==
                   (connections[i].modern ? SP_PROT_TLS1_3_CLIENT : SP_PROT_TLS1_2_CLIENT),
               "%s, row %u: protocol %#lx", server ? "server" : "client", i, info.dwProtocol);
            tls_pair_delete(&pair);
        }
        tls_pair_close(&pair);
    }
}

int main(void)
{
    RUN(test_clients);
    RUN(test_servers);
    RUN(test_algorithms);
    RUN(test_forbidden_since);
    RUN(test_signatures);
    RUN(test_application_protocols);
    tls_certs_end();
    return test_end("api_tls_settings");
}
