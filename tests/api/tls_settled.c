/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What handshakes of TLS settle: versions, protocols of applications, resumption; and that it does
 * not matter in which pieces they come. */
#include "support.h"
#include "tls_pair.h"

#include <stdio.h>

static struct tls_pair pair;

/* ---- whole handshakes ---- */

static bool connected(const struct tls_pair_options *options, const char *what)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    if (status == SEC_E_NOT_SUPPORTED) {
        skip_case("this system cannot keep such a key");
        return false;
    }
    return ok(status == SEC_E_OK, "%s: %08lx (client %08lx, server %08lx)", what, status,
              pair.client_status, pair.server_status);
}

static void check_version(DWORD expected)
{
    SecPkgContext_ConnectionInfo info = {0};
    SECURITY_STATUS status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_CONNECTION_INFO,
                                                     &info);
    ok(status == SEC_E_OK && info.dwProtocol == expected, "%08lx, protocol %lx", status,
       info.dwProtocol);
}

/* [D InitializeSecurityContext (Schannel)] */
static void test_versions(void)
{
    static const struct {
        enum tls_pair_version client, server;
        DWORD protocol;
    } rows[] = {
        {TLS_PAIR_1_2, TLS_PAIR_1_2, SP_PROT_TLS1_2_CLIENT},
        {TLS_PAIR_1_3, TLS_PAIR_1_3, SP_PROT_TLS1_3_CLIENT},
        {TLS_PAIR_DEFAULT, TLS_PAIR_1_2, SP_PROT_TLS1_2_CLIENT},
        {TLS_PAIR_1_2, TLS_PAIR_DEFAULT, SP_PROT_TLS1_2_CLIENT},
    };
    static const enum tls_cert certs[] = {TLS_CERT_SERVER_RSA, TLS_CERT_SERVER_EC};
    for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
        const struct tls_pair_options options = {
            .client_version = rows[i / 2].client,
            .server_version = rows[i / 2].server,
            .server_cert = certs[i % 2],
            .caller_memory = i & 2,
        };
        char what[64];
        snprintf(what, sizeof(what), "row %u, %s", i / 2, i % 2 ? "EC" : "RSA");
        if (!connected(&options, what)) continue;
        check_version(rows[i / 2].protocol);
        ok(tls_pair_talk(&pair), "%s: no data", what);
        tls_pair_close(&pair);
    }
}

/* [CI PSSPI]: SCHANNEL_CRED comes to TLS 1.2, SCH_CREDENTIALS to TLS 1.3 */
static void test_defaults(void)
{
    struct tls_pair_options options = {.plain_credentials = true};
    if (connected(&options, "SCHANNEL_CRED")) {
        check_version(SP_PROT_TLS1_2_CLIENT);
        tls_pair_close(&pair);
    }
    options.plain_credentials = false;
    if (connected(&options, "SCH_CREDENTIALS")) {
        check_version(SP_PROT_TLS1_3_CLIENT);
        tls_pair_close(&pair);
    }
}

/* [W8 schannel.c:1237]; ours for the server */
static void test_attributes(void)
{
    const struct tls_pair_options options = {.client_flags = ISC_REQ_USE_SUPPLIED_CREDS};
    if (!connected(&options, "supplied")) return;
    const ULONG expected = ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT |
                           ISC_RET_CONFIDENTIALITY | ISC_RET_STREAM | ISC_RET_USED_SUPPLIED_CREDS;
    const ULONG others = ISC_RET_EXTENDED_ERROR | ISC_RET_ALLOCATED_MEMORY;
    ok((pair.client_attrs & ~others) == expected, "client %08lx", pair.client_attrs);
    const ULONG server = ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT | ASC_RET_CONFIDENTIALITY |
                         ASC_RET_STREAM;
    const ULONG server_others = ASC_RET_EXTENDED_ERROR | ASC_RET_ALLOCATED_MEMORY;
    ok((pair.server_attrs & ~server_others) == server, "server %08lx", pair.server_attrs);
    tls_pair_close(&pair);
}

/* [D InitializeSecurityContext (Schannel)]: that of the server's certificate; of a client without
 * one there is none */
static void test_expiry(void)
{
    const struct tls_pair_options options = {0};
    FILETIME local;
    if (!connected(&options, "expiry")) return;
    const CERT_CONTEXT *certificate = tls_cert(TLS_CERT_SERVER_RSA);
    FileTimeToLocalFileTime(&certificate->pCertInfo->NotAfter, &local);
    ok(pair.client_expiry.LowPart == local.dwLowDateTime &&
           pair.client_expiry.HighPart == (LONG)local.dwHighDateTime,
       "client's expiry %08lx%08lx", pair.client_expiry.HighPart, pair.client_expiry.LowPart);
    ok(pair.server_expiry.HighPart >= 0x7ffff000, "server's expiry %08lx",
       pair.server_expiry.HighPart);
    CertFreeCertificateContext(certificate);
    tls_pair_close(&pair);
}

/* Whatever the size in which the bytes come. ours, as to the sizes */
static void test_chunks(void)
{
    static const DWORD chunks[] = {1, 2, 3, 5, 7, 61, 509, 1021};
    for (unsigned i = 0; i < 2 * sizeof(chunks) / sizeof(*chunks); i++) {
        const enum tls_pair_version version = i % 2 ? TLS_PAIR_1_3 : TLS_PAIR_1_2;
        const struct tls_pair_options options = {.client_version = version,
                                                 .server_version = version,
                                                 .chunk = chunks[i / 2],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH};
        char what[64];
        snprintf(what, sizeof(what), "chunks of %lu", chunks[i / 2]);
        if (!connected(&options, what)) continue;
        ok(tls_pair_talk(&pair), "%s: no data", what);
        tls_pair_close(&pair);
    }
}

/* The server's flight in two parts, wherever it is cut: what is missing is told, what is extra is
 * kept. ours, as to the places */
static void test_split(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    static struct tls_pair one;
    DWORD size = 100, failed = 0;
    SECURITY_STATUS status = tls_pair_open(&one, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    for (DWORD at = 1; at < size; at += at < 24 ? 1 : 53) {
        tls_pair_client_leg(&one);
        one.to_server.arrived = one.to_server.size;
        tls_pair_server_leg(&one);
        size = one.to_client.size;
        one.to_client.arrived = at;
        status = tls_pair_client_leg(&one);
        bool waits = status == SEC_E_INCOMPLETE_MESSAGE || status == SEC_I_CONTINUE_NEEDED;
        bool told = status != SEC_E_INCOMPLETE_MESSAGE || (one.missing && one.missing <= size - at);
        one.to_client.arrived = one.to_client.size;
        SECURITY_STATUS rest = tls_pair_client_leg(&one);
        if (!waits || !told || rest != SEC_I_CONTINUE_NEEDED || one.to_client.size) failed++;
        if (failed == 1 && one.to_client.size + 1)
            printf("  cut at %lu: %08lx, %08lx, missing %lu\n", at, status, rest, one.missing);
        tls_pair_delete(&one);
    }
    ok(size > 500, "a flight of %lu bytes", size);
    ok(!failed, "%lu places", failed);
    tls_pair_close(&one);
}

/* ---- ALPN ---- */

static void check_protocol(CtxtHandle *context, const char *expected)
{
    SecPkgContext_ApplicationProtocol protocol = {0};
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_APPLICATION_PROTOCOL,
                                                     &protocol);
    ok(status == SEC_E_OK, "%08lx", status);
    ok(protocol.ProtoNegoStatus == (expected ? SecApplicationProtocolNegotiationStatus_Success
                                             : SecApplicationProtocolNegotiationStatus_None),
       "status %u", protocol.ProtoNegoStatus);
    if (!expected) return;
    ok(protocol.ProtoNegoExt == SecApplicationProtocolNegotiationExt_ALPN, "extension %u",
       protocol.ProtoNegoExt);
    ok(protocol.ProtocolIdSize == strlen(expected) &&
           !memcmp(protocol.ProtocolId, expected, strlen(expected)),
       "protocol of %u bytes", protocol.ProtocolIdSize);
}

#define H2 "\x02h2"
#define HTTP11 "\x08http/1.1"

/* [H SEC_APPLICATION_PROTOCOLS], [W8 schannel.c:1592-1643] */
static void test_alpn(void)
{
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    for (unsigned i = 0; i < 2; i++) {
        struct tls_pair_options options = {.client_version = versions[i],
                                           .server_version = versions[i],
                                           .client_alpn = HTTP11 H2,
                                           .server_alpn = H2 HTTP11};
        if (connected(&options, "common protocols")) {
            check_protocol(&pair.server, "h2");
            check_protocol(&pair.client, "h2");
            tls_pair_close(&pair);
        }
        options.server_alpn = NULL;
        if (connected(&options, "client's protocols only")) {
            check_protocol(&pair.client, NULL);
            tls_pair_close(&pair);
        }
        options.server_alpn = "\x05other";
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        ok(pair.server_status == SEC_E_APPLICATION_PROTOCOL_MISMATCH, "no common one: %08lx",
           pair.server_status);
        if (!status) tls_pair_close(&pair);
    }
}

/* ---- resumption ---- */

static bool is_resumed(CtxtHandle *context)
{
    SecPkgContext_SessionInfo info = {0};
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_SESSION_INFO, &info);
    ok(status == SEC_E_OK, "session info: %08lx", status);
    return info.dwFlags & SSL_SESSION_RECONNECT;
}

static SECURITY_STATUS reconnect(void)
{
    tls_pair_delete(&pair);
    return tls_pair_connect(&pair);
}

/* [D InitializeSecurityContext (Schannel)]: same credential, same target, same process */
static void test_resumption(void)
{
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_pair_options options = {.client_version = versions[i],
                                                 .server_version = versions[i]};
        if (!connected(&options, "first")) continue;
        ok(!is_resumed(&pair.client) && !is_resumed(&pair.server), "resumed at once");
        ok(tls_pair_talk(&pair), "no data"); /* TLS 1.3: the ticket is taken on the way */
        SECURITY_STATUS status = reconnect();
        ok(status == SEC_E_OK, "second: %08lx", status);
        ok(is_resumed(&pair.client), "version %u: the client does not resume", versions[i]);
        ok(is_resumed(&pair.server), "version %u: the server does not resume", versions[i]);
        ok(tls_pair_talk(&pair), "no data");
        pair.options.target = L"127.0.0.1";
        status = reconnect();
        ok(status == SEC_E_OK && !is_resumed(&pair.client), "another target: %08lx", status);
        tls_pair_close(&pair);
    }
}

/* [D SCHANNEL_SESSION_TOKEN] */
static void test_no_resumption(void)
{
    static const DWORD off[] = {SCHANNEL_SESSION, SSL_SESSION_DISABLE_RECONNECTS};
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    if (!connected(&options, "first")) return;
    SECURITY_STATUS status = tls_control(&pair.client, off, 2);
    ok(status == SEC_E_OK, "%08lx", status);
    status = reconnect();
    ok(status == SEC_E_OK && !is_resumed(&pair.client), "%08lx, or resumed", status);
    tls_pair_close(&pair);
}

int main(void)
{
    RUN(test_versions);
    RUN(test_defaults);
    RUN(test_attributes);
    RUN(test_expiry);
    RUN(test_chunks);
    RUN(test_split);
    RUN(test_alpn);
    RUN(test_resumption);
    RUN(test_no_resumption);
    tls_certs_end();
    return test_end("api_tls_settled");
}
