/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What TLS_PARAMETERS takes away from a credential by CRYPTO_SETTINGS, and what is then negotiated:
 * ciphers, digests, key exchanges and signatures, of clients and of servers. [D crypto_settings]
 * has the usages and the names of CNG; which of the suites that are left is chosen is [D
 * tls-cipher-suites-in-windows-11], and what comes of having none ours.
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
    const CERT_CONTEXT *certificate = NULL;
    if (server)
        certificate = tls_cert_with_key(row->server_cert ? row->server_cert : TLS_CERT_SERVER_RSA);
    SCH_CREDENTIALS credentials = {.dwVersion = SCH_CREDENTIALS_VERSION,
                                   .cCreds = server ? 1 : 0,
                                   .paCred = &certificate,
                                   .dwFlags = SCH_CRED_NO_DEFAULT_CREDS |
                                              (server ? 0 : SCH_CRED_MANUAL_CRED_VALIDATION),
                                   .cTlsParameters = 1,
                                   .pTlsParameters = &parameters};
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)UNISP_NAME_W, server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
        &credentials, NULL, NULL, out, NULL);
    if (certificate) CertFreeCertificateContext(certificate);
    return status;
}

/* A connection in which one side does without; SEC_E_OK when there is one. */
static SECURITY_STATUS connect_without(const struct row *row, bool server)
{
    const struct tls_pair_options options = {.server_cert = row->server_cert};
    CredHandle made;
    SECURITY_STATUS status = acquire(row, server, &made);
    if (status) return status;
    status = tls_pair_open(&pair, &options);
    if (status) {
        FreeCredentialsHandle(&made);
        return status;
    }
    CredHandle *place = server ? &pair.server_cred : &pair.client_cred;
    FreeCredentialsHandle(place);
    *place = made;
    status = tls_pair_connect(&pair);
    if (status) tls_pair_close(&pair);
    return status;
}

static void run_row(const struct row *row, bool server)
{
    SecPkgContext_CipherInfo info = {.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1};
    SECURITY_STATUS status = connect_without(row, server);
    if (!row->suite) {
        ok(status < 0, "there is a connection: %08lx", status);
        if (!status) tls_pair_close(&pair);
        return;
    }
    if (!ok(status == SEC_E_OK, "no connection: %08lx", status)) return;
    status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_CIPHER_INFO, &info);
    ok(status == SEC_E_OK && info.dwCipherSuite == row->suite, "%08lx, suite %#lx", status,
       info.dwCipherSuite);
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

int main(void)
{
    RUN(test_clients);
    RUN(test_servers);
    tls_certs_end();
    return test_end("api_tls_settings");
}
