/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of TLS contexts: what each structure says, on both sides and in both versions, what
 * can be set, and what is refused when. Sources in brackets, as in api_packages.
 */
#include "support.h"
#include "tls_records.h"

#include <stdio.h>
#include <wchar.h>

static struct tls_pair pair;

static bool connect_with(const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    if (status == SEC_E_NOT_SUPPORTED || status == SEC_E_SECPKG_NOT_FOUND) {
        skip_case("TLS, or the key of a certificate");
        return false;
    }
    return ok(status == SEC_E_OK, "no connection: %08lx", status);
}

static bool connect_version(enum tls_pair_version version)
{
    const struct tls_pair_options options = {.client_version = version, .server_version = version};
    return connect_with(&options);
}

static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

static SECURITY_STATUS query(CtxtHandle *context, ULONG attribute, void *buffer)
{
    return QueryContextAttributesW(context, attribute, buffer);
}

/* ---- the connection ---- */

/* [WM schannel.c: header 13], [OBS corefx 4223: 16384], [INF] record layouts */
static void test_stream_sizes(void)
{
    for (int v = 0; v < 2; v++) {
        if (!connect_version(versions[v])) return;
        for (int side = 0; side < 2; side++) {
            SecPkgContext_StreamSizes sizes = {0};
            SECURITY_STATUS status = query(side ? &pair.server : &pair.client,
                                           SECPKG_ATTR_STREAM_SIZES, &sizes);
            ok(status == SEC_E_OK, "%d, %d: %08lx", v, side, status);
            ok(sizes.cbHeader == (v ? 5 : 13), "%d: header %lu", v, sizes.cbHeader);
            ok(sizes.cbTrailer == (v ? 17 : 16), "%d: trailer %lu", v, sizes.cbTrailer);
            ok(sizes.cbMaximumMessage == 16384, "message %lu", sizes.cbMaximumMessage);
            ok(sizes.cBuffers == 4, "%lu buffers", sizes.cBuffers);
            SecPkgContext_Sizes other = {0};
            status = query(side ? &pair.server : &pair.client, SECPKG_ATTR_SIZES, &other);
            ok(status == SEC_E_OK && other.cbMaxToken == 24576, "sizes: %08lx, %lu", status,
               other.cbMaxToken);
        }
        tls_pair_close(&pair);
    }
}

/* [W8 schannel.c:1318-1322], [WM] no hash strength with GCM; [H] one protocol bit, of the side */
static void test_connection_info(void)
{
    static const DWORD bits[2][2] = {{SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER},
                                     {SP_PROT_TLS1_3_CLIENT, SP_PROT_TLS1_3_SERVER}};
    for (int v = 0; v < 2; v++) {
        if (!connect_version(versions[v])) return;
        for (int side = 0; side < 2; side++) {
            CtxtHandle *context = side ? &pair.server : &pair.client;
            SecPkgContext_ConnectionInfo info = {0};
            SecPkgContext_ConnectionInfoEx more = {0};
            SECURITY_STATUS status = query(context, SECPKG_ATTR_CONNECTION_INFO, &info);
            winetest_push_context("version %d, side %d", v, side);
            ok(status == SEC_E_OK, "%08lx", status);
            ok(info.dwProtocol == bits[v][side], "protocol %#lx", info.dwProtocol);
            ok(info.aiCipher == CALG_AES_256, "cipher %#x", info.aiCipher);
            ok(info.dwCipherStrength == 256, "cipher strength %lu", info.dwCipherStrength);
            ok(info.aiHash == CALG_SHA_384, "hash %#x", info.aiHash);
            ok(!info.dwHashStrength, "hash strength %lu", info.dwHashStrength);
            ok(info.aiExch == CALG_ECDH_EPHEM, "exchange %#x", info.aiExch);
            ok(info.dwExchStrength >= 255, "exchange strength %lu", info.dwExchStrength);
            status = query(context, SECPKG_ATTR_CONNECTION_INFO_EX, &more);
            ok(status == SEC_E_OK, "EX: %08lx", status);
            ok(more.dwVersion == SECPKGCONTEXT_CONNECTION_INFO_EX_V1, "version %lu",
               more.dwVersion);
            ok(more.dwProtocol == info.dwProtocol, "protocol %#lx", more.dwProtocol);
            ok(!wcscmp(more.szCipher, L"AES") && more.dwCipherStrength == 256, "cipher %ls",
               more.szCipher);
            ok(!wcscmp(more.szExchange, L"ECDH"), "exchange %ls", more.szExchange);
            winetest_pop_context();
        }
        tls_pair_close(&pair);
    }
}

/* [WM schannel.c] TLS 1.2; TLS 1.3: as Get-TlsCipherSuite lists its suites, whose exchange and
 * certificate are open */
static void test_cipher_info(void)
{
    static const wchar_t *const names[] = {L"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                                           L"TLS_AES_256_GCM_SHA384"};
    for (int v = 0; v < 2; v++) {
        if (!connect_version(versions[v])) return;
        SecPkgContext_CipherInfo info = {0};
        SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_CIPHER_INFO, &info);
        ok(status == SEC_E_OK, "%08lx", status);
        ok(info.dwVersion == SECPKGCONTEXT_CIPHERINFO_V1, "version %lu", info.dwVersion);
        ok(info.dwProtocol == (v ? 0x304 : 0x303), "protocol %#lx", info.dwProtocol);
        ok(info.dwCipherSuite == (v ? 0x1302 : 0xc030), "suite %#lx", info.dwCipherSuite);
        ok(info.dwBaseCipherSuite == info.dwCipherSuite, "base %#lx", info.dwBaseCipherSuite);
        ok(!wcscmp(info.szCipherSuite, names[v]), "name %ls", info.szCipherSuite);
        ok(!wcscmp(info.szCipher, L"AES"), "cipher %ls", info.szCipher);
        ok(info.dwCipherLen == 256 && info.dwCipherBlockLen == 16, "lengths %lu, %lu",
           info.dwCipherLen, info.dwCipherBlockLen);
        ok(!info.szHash[0] && !info.dwHashLen, "hash %ls, %lu", info.szHash, info.dwHashLen);
        ok(!wcscmp(info.szExchange, v ? L"" : L"ECDH"), "exchange %ls", info.szExchange);
        ok(!info.dwMinExchangeLen && info.dwMaxExchangeLen == (v ? 0 : 65536), "from %lu to %lu",
           info.dwMinExchangeLen, info.dwMaxExchangeLen);
        ok(!wcscmp(info.szCertificate, v ? L"" : L"RSA"), "certificate %ls", info.szCertificate);
        ok(info.dwKeyType == 0x1d || info.dwKeyType == 0x17 || info.dwKeyType == 0x18,
           "key type %#lx", info.dwKeyType);
        tls_pair_close(&pair);
    }
}

/* [W8 schannel.c:1353-1362] */
static void test_key_info(void)
{
    for (int ec = 0; ec < 2; ec++) {
        for (int v = 0; v < 2; v++) {
            const struct tls_pair_options options = {.client_version = versions[v],
                                                     .server_version = versions[v],
                                                     .server_cert = ec ? TLS_CERT_SERVER_EC
                                                                       : TLS_CERT_SERVER_RSA};
            if (!connect_with(&options)) return;
            SecPkgContext_KeyInfoW info = {NULL};
            SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_KEY_INFO, &info);
            if (ok(status == SEC_E_OK, "%08lx", status)) {
                ok(info.SignatureAlgorithm == (ec ? CALG_ECDSA : CALG_RSA_SIGN), "signature %#lx",
                   info.SignatureAlgorithm);
                ok(!wcscmp(info.sSignatureAlgorithmName, ec ? L"ECDSA" : L"RSA"), "signature %ls",
                   info.sSignatureAlgorithmName);
                ok(info.KeySize >= 128, "%lu bits", info.KeySize);
                FreeContextBuffer(info.sSignatureAlgorithmName);
                FreeContextBuffer(info.sEncryptAlgorithmName);
            }
            tls_pair_close(&pair);
        }
    }
}

/* ours: no page says what the name is */
static void test_proto_info(void)
{
    if (!ours_only()) return;
    for (int v = 0; v < 2; v++) {
        if (!connect_version(versions[v])) return;
        SecPkgContext_ProtoInfoW info = {NULL, 0, 0};
        SECURITY_STATUS status = query(&pair.server, SECPKG_ATTR_PROTO_INFO, &info);
        ok(status == SEC_E_OK && !wcscmp(info.sProtocolName, L"TLS"), "%08lx", status);
        ok(info.majorVersion == 1 && info.minorVersion == (v ? 3u : 2u), "%lu.%lu",
           info.majorVersion, info.minorVersion);
        FreeContextBuffer(info.sProtocolName);
        tls_pair_close(&pair);
    }
}

/* [W8 schannel.c:1636-1643] */
static void test_application_protocol(void)
{
    for (int offered = 0; offered < 2; offered++) {
        const struct tls_pair_options options = {.client_alpn = offered ? "\10http/1.1\2h2" : NULL,
                                                 .server_alpn = offered ? "\10http/1.1\2h2" : NULL};
        if (!connect_with(&options)) return;
        for (int side = 0; side < 2; side++) {
            SecPkgContext_ApplicationProtocol protocol;
            memset(&protocol, 0x55, sizeof(protocol));
            SECURITY_STATUS status = query(side ? &pair.server : &pair.client,
                                           SECPKG_ATTR_APPLICATION_PROTOCOL, &protocol);
            ok(status == SEC_E_OK, "%08lx", status);
            ok(protocol.ProtoNegoStatus == (offered
                                                ? SecApplicationProtocolNegotiationStatus_Success
                                                : SecApplicationProtocolNegotiationStatus_None),
               "status %d", protocol.ProtoNegoStatus);
            ok(protocol.ProtocolIdSize == (offered ? 8 : 0), "size %u", protocol.ProtocolIdSize);
            if (!offered) continue;
            ok(protocol.ProtoNegoExt == SecApplicationProtocolNegotiationExt_ALPN, "extension %d",
               protocol.ProtoNegoExt);
            ok(!memcmp(protocol.ProtocolId, "http/1.1", 8), "name");
        }
        tls_pair_close(&pair);
    }
}

/* [D ns-schannel-secpkgcontext_sessioninfo] the flag tells of a resumed session */
static void test_session_info(void)
{
    for (int v = 0; v < 2; v++) {
        if (!connect_version(versions[v])) return;
        SecPkgContext_SessionInfo info;
        memset(&info, 0x55, sizeof(info));
        SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_SESSION_INFO, &info);
        ok(status == SEC_E_OK, "%08lx", status);
        ok(!(info.dwFlags & SSL_SESSION_RECONNECT), "flags %#lx", info.dwFlags);
        ok(info.cbSessionId <= 32, "%lu bytes", info.cbSessionId);
        tls_pair_close(&pair);
    }
}

/* [D ns-schannel-secpkgcontext_supportedsignatures] signature in the upper byte, hash in the lower
 * one; [D ns-sspi-secpkgcontext_negotiatedtlsextensions] ALPN is one that is told of */
static void test_lists(void)
{
    const struct tls_pair_options options = {.client_alpn = "\2h2", .server_alpn = "\2h2"};
    if (!connect_with(&options)) return;
    SecPkgContext_SupportedSignatures signatures = {0};
    SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_SUPPORTED_SIGNATURES, &signatures);
    if (ok(status == SEC_E_OK, "%08lx", status)) {
        bool rsa_sha256 = false;
        for (WORD i = 0; i < signatures.cSignatureAndHashAlgorithms; i++)
            if (signatures.pSignatureAndHashAlgorithms[i] == 0x0104) rsa_sha256 = true;
        ok(rsa_sha256, "no RSA with SHA-256 among %u", signatures.cSignatureAndHashAlgorithms);
        FreeContextBuffer(signatures.pSignatureAndHashAlgorithms);
    }
    SecPkgContext_NegotiatedTlsExtensions extensions = {0};
    status = query(&pair.client, SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, &extensions);
    if (ok(status == SEC_E_OK, "%08lx", status)) {
        bool alpn = false;
        for (ULONG i = 0; i < extensions.ExtensionsCount; i++)
            if (extensions.Extensions[i] == 16) alpn = true;
        ok(alpn, "no ALPN among %lu", extensions.ExtensionsCount);
        FreeContextBuffer(extensions.Extensions);
    }
    tls_pair_close(&pair);
}

/* ---- certificates ---- */

static bool store_has(HCERTSTORE store, enum tls_cert which)
{
    const CERT_CONTEXT *each = NULL;
    bool found = false;
    while ((each = CertEnumCertificatesInStore(store, each)))
        if (tls_cert_is(each, which)) found = true;
    return found;
}

/* [W8 schannel.c:564-579] the store holds the chain; [CI PSSPI] a client without a certificate */
static void test_certificates(void)
{
    for (int v = 0; v < 2; v++) {
        const struct tls_pair_options options = {.client_version = versions[v],
                                                 .server_version = versions[v],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH};
        const CERT_CONTEXT *cert = NULL;
        if (!connect_with(&options)) return;
        SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &cert);
        ok(status == SEC_E_OK && tls_cert_is(cert, TLS_CERT_SERVER_RSA), "server's: %08lx", status);
        if (!status) {
            ok(cert->hCertStore && store_has(cert->hCertStore, TLS_CERT_SERVER_RSA), "no store");
            CertFreeCertificateContext(cert);
        }
        status = query(&pair.server, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &cert);
        ok(status == SEC_E_OK && tls_cert_is(cert, TLS_CERT_SERVER_RSA), "its own: %08lx", status);
        if (!status) CertFreeCertificateContext(cert);
        status = query(&pair.server, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &cert);
        ok(status == SEC_E_NO_CREDENTIALS, "no client's: %08lx", status);
        status = query(&pair.client, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &cert);
        ok(status == SEC_E_NO_CREDENTIALS, "none of its own: %08lx", status); /* ours */
        tls_pair_close(&pair);
    }
}

static void test_client_certificates(void)
{
    static const enum tls_cert certs[] = {TLS_CERT_CLIENT_RSA, TLS_CERT_CLIENT_EC};
    for (int v = 0; v < 2; v++) {
        for (int i = 0; i < 2; i++) {
            const struct tls_pair_options options = {.client_version = versions[v],
                                                     .server_version = versions[v],
                                                     .client_cert = certs[i],
                                                     .server_flags = ASC_REQ_MUTUAL_AUTH};
            if (!connect_with(&options)) return;
            SECURITY_STATUS status = tls_pair_sees(&pair, true, certs[i]);
            ok(status == SEC_E_OK, "%d, %d: client's: %08lx", v, i, status);
            status = tls_pair_sees(&pair, false, certs[i]);
            ok(status == SEC_E_OK, "%d, %d: its own: %08lx", v, i, status);
            tls_pair_close(&pair);
        }
    }
}

/* A server that asks names no issuers unless it is told to. */
static void test_issuers(void)
{
    const struct tls_pair_options options = {.server_flags = ASC_REQ_MUTUAL_AUTH};
    if (!connect_with(&options)) return;
    SecPkgContext_IssuerListInfoEx list = {(CERT_NAME_BLOB *)(ULONG_PTR)1, 9};
    SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_ISSUER_LIST_EX, &list);
    ok(status == SEC_E_OK && !list.cIssuers && !list.aIssuers, "%08lx, %lu", status, list.cIssuers);
    tls_pair_close(&pair);
}

/* [D querycontextattributes--schannel] lists them; who is named is ours: the peer, by its
 * certificate, and whose certificate it is */
static void test_names(void)
{
    SecPkgContext_NamesW names = {NULL};
    SecPkgContext_NamesA narrow = {NULL};
    SecPkgContext_AuthorityW authority = {NULL};
    SecPkgContext_Lifespan lifespan = {{{0}}, {{0}}};
    if (!ours_only() || !connect_version(TLS_PAIR_1_3)) return;
    SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_NAMES, &names);
    if (ok(status == SEC_E_OK, "%08lx", status)) {
        ok(wcsstr(names.sUserName, L"CN=localhost") != NULL, "name %ls", names.sUserName);
        FreeContextBuffer(names.sUserName);
    }
    status = QueryContextAttributesA(&pair.client, SECPKG_ATTR_NAMES, &narrow);
    if (ok(status == SEC_E_OK, "A: %08lx", status)) {
        ok(strstr(narrow.sUserName, "CN=localhost") != NULL, "name %s", narrow.sUserName);
        FreeContextBuffer(narrow.sUserName);
    }
    status = query(&pair.client, SECPKG_ATTR_AUTHORITY, &authority);
    if (ok(status == SEC_E_OK, "authority: %08lx", status)) {
        ok(wcsstr(authority.sAuthorityName, L"CN=") != NULL, "name %ls", authority.sAuthorityName);
        FreeContextBuffer(authority.sAuthorityName);
    }
    status = query(&pair.server, SECPKG_ATTR_NAMES, &names);
    ok(status == SEC_E_NO_CREDENTIALS, "nobody: %08lx", status);
    status = query(&pair.server, SECPKG_ATTR_LIFESPAN, &lifespan);
    ok(status == SEC_E_OK && lifespan.tsStart.QuadPart &&
           lifespan.tsStart.QuadPart < lifespan.tsExpiry.QuadPart,
       "life: %08lx", status);
    tls_pair_close(&pair);
}

/* ---- what can be set, and what is refused ---- */

/* [D setcontextattributes] */
static void test_app_data(void)
{
    if (!connect_version(TLS_PAIR_1_3)) return;
    SecPkgContext_SessionAppData given = {0, 5, (BYTE *)"hello"}, got = {9, 9, NULL};
    SECURITY_STATUS status = query(&pair.server, SECPKG_ATTR_APP_DATA, &got);
    ok(status == SEC_E_OK && !got.cbAppData, "nothing: %08lx, %lu", status, got.cbAppData);
    for (ULONG size = 5; size; size = size > 2 ? size - 2 : 0) {
        given.cbAppData = size;
        status = SetContextAttributesW(&pair.server, SECPKG_ATTR_APP_DATA, &given, sizeof(given));
        ok(status == SEC_E_OK, "set: %08lx", status);
        status = query(&pair.server, SECPKG_ATTR_APP_DATA, &got);
        if (ok(status == SEC_E_OK && got.cbAppData == size, "%08lx", status)) {
            ok(!memcmp(got.pbAppData, "hello", size), "other data");
            FreeContextBuffer(got.pbAppData);
        }
    }
    tls_pair_close(&pair);
}

/* [D], [WM] 200 bytes to 64 KiB; TLS has none */
static void test_mtu(void)
{
    const struct tls_pair_options options = {.datagram = true};
    ULONG value = 0;
    if (!connect_version(TLS_PAIR_1_2)) return;
    SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_DTLS_MTU, &value);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "TLS: %08lx", status);
    tls_pair_close(&pair);
    status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "no credentials: %08lx", status)) return;
    ok(tls_pair_client_leg(&pair) == SEC_I_CONTINUE_NEEDED, "first leg");
    status = query(&pair.client, SECPKG_ATTR_DTLS_MTU, &value);
    ok(status == SEC_E_OK && (value & 0xffff) == 1096, "usual: %08lx, %lu", status, value);
    value = 1400;
    status = SetContextAttributesW(&pair.client, SECPKG_ATTR_DTLS_MTU, &value, sizeof(value));
    ok(status == SEC_E_OK, "set: %08lx", status);
    value = 0;
    status = query(&pair.client, SECPKG_ATTR_DTLS_MTU, &value);
    ok(status == SEC_E_OK && value == 1400, "set: %08lx, %lu", status, value);
    value = 199;
    status = SetContextAttributesW(&pair.client, SECPKG_ATTR_DTLS_MTU, &value, sizeof(value));
    ok(status < 0, "too small: %08lx", status);
    tls_pair_close(&pair);
}

/* [W8 schannel.c:1368-1369] NEGOTIATION_INFO; the rest is ours */
static void test_refused(void)
{
    static const ULONG refused[] = {SECPKG_ATTR_NEGOTIATION_INFO,    SECPKG_ATTR_SESSION_KEY,
                                    SECPKG_ATTR_TARGET_INFORMATION,  SECPKG_ATTR_LOCAL_CRED,
                                    SECPKG_ATTR_REMOTE_CRED,         SECPKG_ATTR_ROOT_STORE,
                                    SECPKG_ATTR_REMOTE_CERTIFICATES, 0x7777};
    static const ULONG not_set[] = {SECPKG_ATTR_EARLY_START, SECPKG_ATTR_STREAM_SIZES};
    BYTE room[1024];
    if (!connect_version(TLS_PAIR_1_3)) return;
    for (size_t i = 0; i < ARRAYSIZE(refused) && (!i || running_on_ours()); i++) {
        SECURITY_STATUS status = query(&pair.client, refused[i], room);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "%#lx: %08lx", refused[i], status);
    }
    for (size_t i = 0; i < ARRAYSIZE(not_set) && running_on_ours(); i++) {
        SECURITY_STATUS status = SetContextAttributesW(&pair.client, not_set[i], room, 64);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "set %#lx: %08lx", not_set[i], status);
    }
    SecPkgContext_PackageInfoW info = {NULL};
    SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_PACKAGE_INFO, &info);
    if (ok(status == SEC_E_OK, "package: %08lx", status)) {
        ok(!wcscmp(info.PackageInfo->Name, UNISP_NAME_W), "package %ls", info.PackageInfo->Name);
        FreeContextBuffer(info.PackageInfo);
    }
    tls_pair_close(&pair);
}

#define CERT_CHECK_RESULT 0x71 /* SECPKG_ATTR_, which MinGW lacks */
#define CERT_CHECK_RESULT_INPROC 0x72

/* What a handshake settles, or, as the peer's certificate, has not brought yet. */
static const ULONG late[] = {
    SECPKG_ATTR_SIZES,
    SECPKG_ATTR_STREAM_SIZES,
    SECPKG_ATTR_CONNECTION_INFO,
    SECPKG_ATTR_CONNECTION_INFO_EX,
    SECPKG_ATTR_CIPHER_INFO,
    SECPKG_ATTR_KEY_INFO,
    SECPKG_ATTR_PROTO_INFO,
    SECPKG_ATTR_SESSION_INFO,
    SECPKG_ATTR_REMOTE_CERT_CONTEXT,
    SECPKG_ATTR_REMOTE_CERT_CHAIN,
    SECPKG_ATTR_LOCAL_CERT_CONTEXT,
    SECPKG_ATTR_UNIQUE_BINDINGS,
    SECPKG_ATTR_ENDPOINT_BINDINGS,
    SECPKG_ATTR_EAP_KEY_BLOCK,
    SECPKG_ATTR_KEYING_MATERIAL,
    SECPKG_ATTR_KEYING_MATERIAL_INPROC,
    SECPKG_ATTR_NAMES,
    SECPKG_ATTR_AUTHORITY,
    SECPKG_ATTR_LIFESPAN,
    SECPKG_ATTR_FLAGS,
    SECPKG_ATTR_APPLICATION_PROTOCOL,
    SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS,
    CERT_CHECK_RESULT,
    CERT_CHECK_RESULT_INPROC,
};

static void expect_too_early(CtxtHandle *context, const char *when)
{
    BYTE room[1024], filled[sizeof(room)];
    memset(filled, 0x55, sizeof(filled));
    for (size_t i = 0; i < ARRAYSIZE(late); i++) {
        memcpy(room, filled, sizeof(room));
        SECURITY_STATUS status = query(context, late[i], room);
        ok(status == SEC_E_INVALID_HANDLE, "%s, %#lx: %08lx", when, late[i], status);
        ok(!memcmp(room, filled, sizeof(room)), "%s, %#lx: something was written", when, late[i]);
    }
}

/* [D querycontextattributes--credssp] an incomplete context: SEC_E_INVALID_HANDLE; on both sides,
 * and of a handshake that has failed */
static void test_half_open(void)
{
    const struct tls_pair_options options = {0};
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (status) {
        skip_case("TLS, or the key of a certificate");
        return;
    }
    ok(tls_pair_client_leg(&pair) == SEC_I_CONTINUE_NEEDED, "first leg");
    expect_too_early(&pair.client, "client");
    pair.to_server.arrived = pair.to_server.size;
    ok(tls_pair_server_leg(&pair) == SEC_I_CONTINUE_NEEDED, "the server's first leg");
    expect_too_early(&pair.server, "server");
    pair.to_client.bytes[pair.to_client.size / 2] ^= 1; /* behind it are tickets */
    pair.to_client.arrived = pair.to_client.size;
    status = tls_pair_client_leg(&pair);
    ok(status < 0 && status != SEC_E_INCOMPLETE_MESSAGE, "damaged: %08lx", status);
    if (running_on_ours()) expect_too_early(&pair.client, "failed"); /* ours */
    tls_pair_close(&pair);
}

int main(void)
{
    RUN(test_stream_sizes);
    RUN(test_connection_info);
    RUN(test_cipher_info);
    RUN(test_key_info);
    RUN(test_proto_info);
    RUN(test_application_protocol);
    RUN(test_session_info);
    RUN(test_lists);
    RUN(test_certificates);
    RUN(test_client_certificates);
    RUN(test_issuers);
    RUN(test_names);
    RUN(test_app_data);
    RUN(test_mtu);
    RUN(test_refused);
    RUN(test_half_open);
    tls_certs_end();
    return test_end("api_tls_attributes");
}
