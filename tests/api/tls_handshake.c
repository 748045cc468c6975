/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handshakes of TLS: the buffers of their legs, what they can settle, and how they end. */
#include "support.h"
#include "tls_pair.h"

#include <stdio.h>

static struct tls_pair pair;

/* ---- the packages ---- */

/* [OBS listings of Windows 10 and 11] */
static void test_packages(void)
{
    static const wchar_t *const names[] = {SCHANNEL_NAME_W, UNISP_NAME_W, DEFAULT_TLS_SSP_NAME_W};
    for (unsigned i = 0; i < 3; i++) {
        SecPkgInfoW *info;
        SECURITY_STATUS status = QuerySecurityPackageInfoW((wchar_t *)names[i], &info);
        if (!ok(status == SEC_E_OK, "%ls: %08lx", names[i], status)) continue;
        ok((info->fCapabilities & 0x107b3) == 0x107b3, "capabilities %08lx", info->fCapabilities);
        ok(info->wRPCID == UNISP_RPC_ID, "RPC id %u", info->wRPCID);
        ok(info->cbMaxToken == 24576, "token %lu", info->cbMaxToken);
        ok(!lstrcmpW(info->Name, names[i]), "name %ls", info->Name);
        FreeContextBuffer(info);
    }
}

/* ---- the first leg of a client ---- */

#define USUAL (ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM)

static CredHandle client_cred;
static ULONG attrs;

static bool client_credential(void)
{
    const struct tls_pair_options options = {0};
    SECURITY_STATUS status = tls_pair_credential(&options, false, &client_cred);
    return ok(status == SEC_E_OK, "credential: %08lx", status);
}

static SECURITY_STATUS first_leg(ULONG flags, SecBufferDesc *input, SecBufferDesc *output,
                                 CtxtHandle *context)
{
    tls_handle_forget(context);
    return InitializeSecurityContextW(&client_cred, NULL, (wchar_t *)L"localhost", flags, 0, 0,
                                      input, 0, context, output, &attrs, NULL);
}

/* [W8 schannel.c:693-713, 1111-1114] */
static void test_first_output(void)
{
    BYTE room[2048], alert[64];
    SecBuffer out[2] = {{0, SECBUFFER_TOKEN, NULL}, {0, SECBUFFER_ALERT, alert}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, out};
    CtxtHandle context;
    if (!client_credential()) return;
    SECURITY_STATUS status = first_leg(USUAL, NULL, NULL, &context);
    ok(status == SEC_E_INVALID_TOKEN, "no output: %08lx", status);
    status = first_leg(USUAL, NULL, &desc, &context);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "no room: %08lx", status);
    ok(!tls_handle_present(&context), "a context was made");

    out[0] = (SecBuffer){0, SECBUFFER_TOKEN, room};
    status = first_leg(USUAL | ISC_REQ_ALLOCATE_MEMORY, NULL, &desc, &context);
    if (ok(status == SEC_I_CONTINUE_NEEDED, "allocated: %08lx", status)) {
        ok(out[0].pvBuffer != room && out[0].pvBuffer, "the caller's memory was kept");
        ok(out[0].cbBuffer > 64, "%lu bytes", out[0].cbBuffer);
        ok(attrs & ISC_RET_ALLOCATED_MEMORY, "attributes %08lx", attrs);
        FreeContextBuffer(out[0].pvBuffer);
        DeleteSecurityContext(&context);
    }

    out[0] = (SecBuffer){sizeof(room), SECBUFFER_TOKEN, room};
    desc.cBuffers = 2;
    status = first_leg(USUAL, NULL, &desc, &context);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "no room for an alert: %08lx", status);
    out[1].cbBuffer = sizeof(alert);
    status = first_leg(USUAL, NULL, &desc, &context);
    if (ok(status == SEC_I_CONTINUE_NEEDED, "%08lx", status)) {
        ok(out[1].cbBuffer == 0, "an alert of %lu bytes", out[1].cbBuffer);
        ok(room[0] == 22 && room[5] == 1, "record %02x, message %02x", room[0], room[5]);
        DeleteSecurityContext(&context);
    }
    FreeCredentialsHandle(&client_cred);
}

/* [WM schannel.c]: memory is allocated where a size is given and no memory */
static void test_first_allocated(void)
{
    SecBuffer out = {4096, SECBUFFER_TOKEN, NULL};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    if (!client_credential()) return;
    SECURITY_STATUS status = first_leg(USUAL, NULL, &desc, &context);
    if (ok(status == SEC_I_CONTINUE_NEEDED, "%08lx", status)) {
        ok(out.pvBuffer != NULL, "nothing was allocated");
        FreeContextBuffer(out.pvBuffer);
        DeleteSecurityContext(&context);
    }
    FreeCredentialsHandle(&client_cred);
}

/* [W8T schannel.c:1085-1101] */
static void test_first_garbage(void)
{
    BYTE room[2048], garbage[64];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room}, in = {4, SECBUFFER_TOKEN, garbage};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out}, in_desc = {SECBUFFER_VERSION, 1, &in};
    CtxtHandle context;
    if (!client_credential()) return;
    memset(garbage, 0xfa, sizeof(garbage));
    for (in.cbBuffer = 4; in.cbBuffer <= sizeof(garbage); in.cbBuffer += 60) {
        out.cbBuffer = sizeof(room);
        SECURITY_STATUS status = first_leg(USUAL, &in_desc, &out_desc, &context);
        ok(status == SEC_E_INVALID_TOKEN, "%lu bytes: %08lx", in.cbBuffer, status);
        ok(out.cbBuffer == 0, "%lu bytes: output %lu", in.cbBuffer, out.cbBuffer);
        ok(!tls_handle_present(&context), "a context was made");
    }
    FreeCredentialsHandle(&client_cred);
}

/* ours: what is too small for the ClientHello leaves no context behind */
static void test_first_small(void)
{
    BYTE room[2048];
    SecBuffer out = {16, SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    if (!ours_only() || !client_credential()) return;
    SECURITY_STATUS status = first_leg(USUAL, NULL, &desc, &context);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "%08lx", status);
    ok(!tls_handle_present(&context), "a context was made");
    FreeCredentialsHandle(&client_cred);
}

/* ---- later input ---- */

struct second {
    CtxtHandle context;
    BYTE token[4096], room[4096];
    SecBuffer in[2], out;
    SecBufferDesc in_desc, out_desc;
};

static bool second_open(struct second *second)
{
    SecBuffer out = {sizeof(second->token), SECBUFFER_TOKEN, second->token};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    if (!client_credential()) return false;
    SECURITY_STATUS status = first_leg(USUAL, NULL, &desc, &second->context);
    if (!ok(status == SEC_I_CONTINUE_NEEDED, "first leg: %08lx", status)) return false;
    second->in_desc = (SecBufferDesc){SECBUFFER_VERSION, 2, second->in};
    second->out_desc = (SecBufferDesc){SECBUFFER_VERSION, 1, &second->out};
    return true;
}

static SECURITY_STATUS second_leg(struct second *second, const void *bytes, DWORD size)
{
    second->in[0] = (SecBuffer){size, SECBUFFER_TOKEN, (void *)bytes};
    second->in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    second->out = (SecBuffer){sizeof(second->room), SECBUFFER_TOKEN, second->room};
    return InitializeSecurityContextW(&client_cred, &second->context, (wchar_t *)L"localhost",
                                      USUAL, 0, 0, &second->in_desc, 0, NULL, &second->out_desc,
                                      &attrs, NULL);
}

static void second_close(struct second *second)
{
    DeleteSecurityContext(&second->context);
    FreeCredentialsHandle(&client_cred);
}

/* [W8 schannel.c:1127-1187, 1218-1221] */
static void test_later_input(void)
{
    static const BYTE header[] = {22, 3, 3, 0, 64, 2, 0, 0};
    static const struct {
        DWORD size, missing;
    } rows[] = {{0, 5}, {4, 1}, {5, 64}, {8, 61}};
    static struct second second;
    if (!second_open(&second)) return;
    SECURITY_STATUS status = InitializeSecurityContextW(&client_cred, &second.context,
                                                        (wchar_t *)L"localhost", USUAL, 0, 0, NULL,
                                                        0, NULL, &second.out_desc, &attrs, NULL);
    ok(status == SEC_E_INCOMPLETE_MESSAGE, "no input: %08lx", status);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        status = second_leg(&second, header, rows[i].size);
        ok(status == SEC_E_INCOMPLETE_MESSAGE, "%lu bytes: %08lx", rows[i].size, status);
        ok(second.in[1].BufferType == SECBUFFER_MISSING, "type %lu", second.in[1].BufferType);
        ok(second.in[1].cbBuffer == rows[i].missing, "%lu bytes: %lu are missing", rows[i].size,
           second.in[1].cbBuffer);
        ok(second.out.cbBuffer == sizeof(second.room) && second.out.BufferType == SECBUFFER_TOKEN,
           "the output was changed");
    }
    second.in[1] = (SecBuffer){4, SECBUFFER_EMPTY, second.token};
    second.in[0] = (SecBuffer){8, SECBUFFER_TOKEN, (void *)header};
    status = InitializeSecurityContextW(&client_cred, &second.context, (wchar_t *)L"localhost",
                                        USUAL, 0, 0, &second.in_desc, 0, NULL, &second.out_desc,
                                        &attrs, NULL);
    ok(status == SEC_E_INVALID_TOKEN, "an empty buffer with bytes: %08lx", status);
    second_close(&second);
}

/* [W8 schannel.c:1097-1101] */
static void test_later_garbage(void)
{
    static const BYTE text[] = "HTTP/1.1 400 Bad Request\r\n\r\n", newer[] = {22, 4, 0, 0, 1, 0};
    static struct second second;
    if (!second_open(&second)) return;
    SECURITY_STATUS status = second_leg(&second, text, sizeof(text));
    ok(status == SEC_E_INVALID_TOKEN, "text: %08lx", status);
    ok(second.out.cbBuffer == 0, "output %lu", second.out.cbBuffer);
    second_close(&second);
    if (!second_open(&second)) return;
    status = second_leg(&second, newer, sizeof(newer));
    ok(status == SEC_E_INVALID_TOKEN, "a version that is none: %08lx", status);
    second_close(&second);
}

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

/* ours, as to the status: lists that are none are refused, and nothing is begun */
static void test_alpn_malformed(void)
{
    static const BYTE lists[][16] = {
        {11, 0, 0, 0, 2, 0, 0, 0, 3, 0, 2, 'h', '2'}, /* longer than it is */
        {9, 0, 0, 0, 2, 0, 0, 0, 4, 0, 2, 'h', '2'},  /* its list, too */
        {9, 0, 0, 0, 2, 0, 0, 0, 3, 0, 9, 'h', '2'},  /* its name, too */
        {9, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 'h', '2'},  /* a name of no length */
        {6, 0, 0, 0, 2, 0, 0, 0, 0, 0, 2, 'h', '2'},  /* no names */
        {3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 2, 'h', '2'},  /* no list */
    };
    BYTE room[2048];
    CtxtHandle context;
    if (!ours_only() || !client_credential()) return;
    for (unsigned i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
        SecBuffer in = {13, SECBUFFER_APPLICATION_PROTOCOLS, (void *)lists[i]};
        SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
        SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
        SECURITY_STATUS status = first_leg(USUAL, &in_desc, &out_desc, &context);
        ok(status == SEC_E_INVALID_PARAMETER, "list %u: %08lx", i, status);
    }
    FreeCredentialsHandle(&client_cred);
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

/* ---- what lies beside a handshake ---- */

/* Application data behind the last flight is EXTRA, for DecryptMessage. [D], [3P dotnet] */
static void test_extra(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    static struct tls_pair one;
    BYTE heard[64];
    DWORD size = 0;
    SECURITY_STATUS status = tls_pair_open(&one, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    status = SEC_I_CONTINUE_NEEDED;
    one.server_status = status;
    tls_pair_client_leg(&one);
    for (unsigned i = 0; i < 8 && one.server_status == SEC_I_CONTINUE_NEEDED; i++) {
        one.to_server.arrived = one.to_server.size;
        tls_pair_server_leg(&one);
        if (one.server_status != SEC_I_CONTINUE_NEEDED) break;
        one.to_client.arrived = one.to_client.size;
        tls_pair_client_leg(&one);
    }
    ok(one.server_status == SEC_E_OK, "server %08lx", one.server_status);
    status = tls_pair_send(&one, true, "at once", 7);
    ok(status == SEC_E_OK, "sent: %08lx", status);
    one.to_client.arrived = one.to_client.size;
    status = tls_pair_client_leg(&one);
    ok(status == SEC_E_OK, "client: %08lx", status);
    ok(one.to_client.size > 7, "%lu bytes are left", one.to_client.size);
    status = tls_pair_receive(&one, false, heard, sizeof(heard), &size);
    ok(status == SEC_E_OK && size == 7 && !memcmp(heard, "at once", 7), "%08lx, %lu bytes", status,
       size);
    tls_pair_close(&one);
}

/* ours, as to the status: a token that does not fit is not lost */
static void test_small_buffer(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    BYTE room[8192];
    SecBuffer in[2], out = {16, SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    if (!ours_only()) return;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    tls_pair_client_leg(&pair);
    pair.to_server.arrived = pair.to_server.size;
    tls_pair_server_leg(&pair);
    wire_put(&pair.to_client, "behind", 6); /* no record yet */
    for (unsigned i = 0; i < 2; i++) {
        in[0] = (SecBuffer){pair.to_client.size, SECBUFFER_TOKEN, pair.to_client.bytes};
        in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
        out.cbBuffer = i ? sizeof(room) : 16;
        status = InitializeSecurityContextW(&pair.client_cred, &pair.client, NULL, USUAL, 0, 0,
                                            &in_desc, 0, NULL, &out_desc, &attrs, NULL);
        if (!i) ok(status == SEC_E_INSUFFICIENT_MEMORY, "no room: %08lx", status);
    }
    ok(status == SEC_I_CONTINUE_NEEDED, "room: %08lx", status);
    ok(in[1].BufferType == SECBUFFER_EXTRA && in[1].cbBuffer == 6, "type %lu, %lu bytes",
       in[1].BufferType, in[1].cbBuffer);
    wire_put(&pair.to_server, room, out.cbBuffer);
    pair.to_server.arrived = pair.to_server.size;
    status = tls_pair_server_leg(&pair);
    ok(status == SEC_E_OK, "server: %08lx", status);
    tls_pair_close(&pair);
}

/* ---- the first leg of a server ---- */

static SECURITY_STATUS first_accept(const void *bytes, DWORD size, SecBuffer *spare)
{
    BYTE room[4096];
    SecBuffer in[2] = {{size, SECBUFFER_TOKEN, (void *)bytes}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = AcceptSecurityContext(&pair.server_cred, NULL, &in_desc, 0, 0,
                                                   &pair.server, &out_desc, &attrs, NULL);
    *spare = in[1];
    return status;
}

/* [3P schannel-rs]: there is no context before there is a whole message */
static void test_first_accept(void)
{
    const struct tls_pair_options options = {0};
    SecBuffer spare;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    tls_pair_client_leg(&pair);
    for (DWORD size = 0; size < pair.to_server.size; size += size < 6 ? 1 : 37) {
        status = first_accept(pair.to_server.bytes, size, &spare);
        ok(status == SEC_E_INCOMPLETE_MESSAGE, "%lu bytes: %08lx", size, status);
        ok(!tls_handle_present(&pair.server), "%lu bytes: a context was made", size);
        ok(spare.BufferType == SECBUFFER_MISSING, "%lu bytes: type %lu", size, spare.BufferType);
    }
    status = first_accept("GET / HTTP/1.0\r\n\r\n", 18, &spare);
    ok(status == SEC_E_INVALID_TOKEN, "text: %08lx", status);
    ok(!tls_handle_present(&pair.server), "a context was made of text");
    status = first_accept(pair.to_server.bytes, pair.to_server.size, &spare);
    ok(status == SEC_I_CONTINUE_NEEDED, "all: %08lx", status);
    tls_pair_close(&pair);
}

/* ours: a credential of the other side will not do, nor a server without a certificate */
static void test_wrong_credentials(void)
{
    const struct tls_pair_options options = {0};
    SCHANNEL_CRED bare = {.dwVersion = SCHANNEL_CRED_VERSION};
    CredHandle cred;
    SecBuffer spare;
    TimeStamp expiry;
    if (!ours_only()) return;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    client_cred = pair.server_cred;
    BYTE room[2048];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    status = first_leg(USUAL, NULL, &desc, &context);
    ok(status == SEC_E_NO_CREDENTIALS, "a server's: %08lx", status);

    tls_pair_client_leg(&pair);
    status = AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, SECPKG_CRED_INBOUND, NULL,
                                       &bare, NULL, NULL, &cred, &expiry);
    if (ok(status == SEC_E_OK, "bare: %08lx", status)) {
        CredHandle kept = pair.server_cred;
        pair.server_cred = cred;
        status = first_accept(pair.to_server.bytes, pair.to_server.size, &spare);
        ok(status == SEC_E_NO_CREDENTIALS, "no certificate: %08lx", status);
        pair.server_cred = kept;
        FreeCredentialsHandle(&cred);
    }
    tls_pair_close(&pair);
}

int main(void)
{
    RUN(test_packages);
    RUN(test_first_output);
    RUN(test_first_allocated);
    RUN(test_first_garbage);
    RUN(test_first_small);
    RUN(test_later_input);
    RUN(test_later_garbage);
    RUN(test_versions);
    RUN(test_defaults);
    RUN(test_attributes);
    RUN(test_expiry);
    RUN(test_chunks);
    RUN(test_split);
    RUN(test_alpn);
    RUN(test_alpn_malformed);
    RUN(test_resumption);
    RUN(test_no_resumption);
    RUN(test_extra);
    RUN(test_small_buffer);
    RUN(test_first_accept);
    RUN(test_wrong_credentials);
    tls_certs_end();
    return test_end("api_tls_handshake");
}
