/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ApplyControlToken, the legs after it, and the ends of connections. */
#include "support.h"
#include "tls_pair.h"

static struct tls_pair pair;

static bool open_pair(enum tls_pair_version version)
{
    const struct tls_pair_options options = {.client_version = version, .server_version = version};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    return ok(status == SEC_E_OK, "connect: %08lx", status);
}

static SECURITY_STATUS apply(CtxtHandle *context, ULONG count, ULONG type, const void *bytes,
                             ULONG size)
{
    SecBuffer buffers[2] = {{size, type, (void *)bytes}, {size, type, (void *)bytes}};
    SecBufferDesc desc = {SECBUFFER_VERSION, count, buffers};
    return ApplyControlToken(context, &desc);
}

/* A leg without input; its token goes to room. */
static SECURITY_STATUS empty_leg(bool server, BYTE room[512], ULONG *size)
{
    SecBuffer out = {512, SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    ULONG attrs;
    SECURITY_STATUS status = server ? AcceptSecurityContext(&pair.server_cred, &pair.server, NULL,
                                                            0, 0, NULL, &desc, &attrs, NULL)
                                    : InitializeSecurityContextW(&pair.client_cred, &pair.client,
                                                                 NULL, 0, 0, 0, NULL, 0, NULL,
                                                                 &desc, &attrs, NULL);
    *size = out.cbBuffer;
    return status;
}

/* ---- tokens ---- */

/* [W8 schannel.c:1826-1865] */
static void test_tokens(void)
{
    const DWORD shutdown[2] = {SCHANNEL_SHUTDOWN, 0};
    const DWORD renegotiate = SCHANNEL_RENEGOTIATE;
    const struct tls_pair_options options = {0};
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    tls_pair_client_leg(&pair);
    status = apply(&pair.client, 2, SECBUFFER_TOKEN, shutdown, 4);
    ok(status == SEC_E_INVALID_TOKEN, "two buffers: %08lx", status);
    status = apply(&pair.client, 1, SECBUFFER_TOKEN, &renegotiate, 4);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "renegotiate: %08lx", status);
    status = apply(&pair.client, 1, SECBUFFER_ALERT, shutdown, 4);
    ok(status == SEC_E_INVALID_TOKEN, "type ALERT: %08lx", status);
    status = apply(&pair.client, 1, SECBUFFER_DATA, shutdown, 4);
    ok(status == SEC_E_INVALID_TOKEN, "type DATA: %08lx", status);
    status = apply(&pair.client, 1, SECBUFFER_TOKEN, shutdown, 2);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "two bytes: %08lx", status);
    status = apply(&pair.client, 1, SECBUFFER_TOKEN, shutdown, 5);
    ok(status == SEC_E_OK, "five bytes: %08lx", status);
    status = apply(&pair.client, 1, SECBUFFER_TOKEN, shutdown, 5);
    ok(status == SEC_E_OK, "again: %08lx", status);
    tls_pair_close(&pair);
}

/* ours, as to the statuses */
static void test_bad_tokens(void)
{
    static const DWORD tokens[][3] = {
        {SCHANNEL_ALERT, 3, 40},
        {SCHANNEL_ALERT, TLS1_ALERT_FATAL, 256},
        {SCHANNEL_SESSION, 3, 0},
        {SCHANNEL_SESSION, 0, 0},
        {4, 0, 0},
    };
    const DWORD alert = SCHANNEL_ALERT, session = SCHANNEL_SESSION;
    BYTE room[512];
    ULONG size;
    if (!ours_only() || !open_pair(TLS_PAIR_1_3)) return;
    for (unsigned i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
        SECURITY_STATUS status = tls_control(&pair.client, tokens[i], 3);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "token %u: %08lx", i, status);
    }
    SECURITY_STATUS status = tls_control(&pair.client, &alert, 1);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "short alert: %08lx", status);
    status = tls_control(&pair.client, &session, 1);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "short session: %08lx", status);
    status = apply(&pair.client, 1, SECBUFFER_TOKEN, NULL, 4);
    ok(status == SEC_E_INVALID_TOKEN, "no bytes: %08lx", status);
    status = empty_leg(false, room, &size);
    ok(status == SEC_E_INCOMPLETE_MESSAGE, "none of them asked for anything: %08lx", status);
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

/* ---- before there are keys ---- */

/* [W8 schannel.c:1870-1901] */
static void test_early_shutdown(void)
{
    static const BYTE expected[] = {21, 3, 1, 0, 2, 1, 0};
    const DWORD shutdown = SCHANNEL_SHUTDOWN;
    const struct tls_pair_options options = {0};
    BYTE room[512];
    ULONG size;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    tls_pair_client_leg(&pair);
    tls_control(&pair.client, &shutdown, 1);
    status = empty_leg(false, room, &size);
    ok(status == SEC_E_OK, "%08lx", status);
    ok(size == sizeof(expected) && !memcmp(room, expected, size), "%lu bytes", size);
    status = empty_leg(false, room, &size);
    ok(status == SEC_E_INCOMPLETE_MESSAGE, "once more: %08lx", status);
    ok(size == sizeof(room), "the output was changed");
    tls_pair_close(&pair);
}

/* [WM schannel.c] */
static void test_early_alert(void)
{
    static const BYTE expected[] = {21, 3, 1, 0, 2, 2, 42};
    const DWORD alert[3] = {SCHANNEL_ALERT, TLS1_ALERT_FATAL, TLS1_ALERT_BAD_CERTIFICATE};
    const struct tls_pair_options options = {0};
    BYTE room[512];
    ULONG size;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    tls_pair_client_leg(&pair);
    tls_control(&pair.client, alert, 3);
    status = empty_leg(false, room, &size);
    ok(status == SEC_E_OK, "%08lx", status);
    ok(size == sizeof(expected) && !memcmp(room, expected, size), "%lu bytes", size);
    tls_pair_close(&pair);
}

/* What the peer comes to that has these bytes to read. */
static SECURITY_STATUS peer_status(bool server)
{
    BYTE data[64];
    DWORD size;
    struct tls_wire *wire = server ? &pair.to_server : &pair.to_client;
    wire->arrived = wire->size;
    SECURITY_STATUS status = server ? tls_pair_server_leg(&pair) : tls_pair_client_leg(&pair);
    if (status == SEC_I_CONTINUE_NEEDED && wire->size) return peer_status(server);
    return status ? status : tls_pair_receive(&pair, server, data, sizeof(data), &size);
}

/* ours, as to the point where it is given up: the server has keys by then in TLS 1.3, the client
 * has none yet, and in TLS 1.2 nobody has. What the peer hears is [D Schannel Error Codes for TLS
 * and SSL Alerts]. */
static void test_early_end(void)
{
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    const DWORD shutdown = SCHANNEL_SHUTDOWN;
    const DWORD alert[3] = {SCHANNEL_ALERT, TLS1_ALERT_FATAL, TLS1_ALERT_ACCESS_DENIED};
    for (unsigned i = 0; i < 8; i++) {
        const struct tls_pair_options options = {.client_version = versions[i / 4],
                                                 .server_version = versions[i / 4]};
        const bool server = i & 1, fatal = i & 2;
        BYTE room[512];
        ULONG size;
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "%08lx", status)) return;
        tls_pair_client_leg(&pair);
        pair.to_server.arrived = pair.to_server.size;
        tls_pair_server_leg(&pair);
        tls_control(server ? &pair.server : &pair.client, fatal ? alert : &shutdown, fatal ? 3 : 1);
        status = empty_leg(server, room, &size);
        ok(status == SEC_E_OK, "row %u: %08lx", i, status);
        ok((size == 7) != (server && i / 4), "row %u: %lu bytes", i, size);
        wire_put(server ? &pair.to_client : &pair.to_server, room, size);
        if (fatal) {
            status = peer_status(!server);
            /* a server may think nothing of the version of a client's alert */
            ok(server ? status == SEC_E_LOGON_DENIED : status < 0, "row %u: the peer: %08lx", i,
               status);
            status = empty_leg(server, room, &size);
            ok(status < 0, "row %u: it goes on: %08lx", i, status);
        }
        tls_pair_close(&pair);
    }
}

/* ---- the end of a connection ---- */

static SECURITY_STATUS receive(bool to_server)
{
    BYTE data[256];
    DWORD size;
    return tls_pair_receive(&pair, to_server, data, sizeof(data), &size);
}

static void send_control(bool server, const DWORD *token, DWORD count)
{
    BYTE room[512];
    ULONG size;
    SECURITY_STATUS status = tls_control(server ? &pair.server : &pair.client, token, count);
    ok(status == SEC_E_OK, "control: %08lx", status);
    status = empty_leg(server, room, &size);
    ok(status == SEC_E_OK || status == SEC_I_CONTEXT_EXPIRED, "leg: %08lx", status);
    ok(size >= 7 && size < 64, "%lu bytes", size);
    if (size <= sizeof(room)) wire_put(server ? &pair.to_client : &pair.to_server, room, size);
}

/* [D Shutting Down an Schannel Connection], [D DecryptMessage (Schannel)], [D EncryptMessage
 * (Schannel)] */
static void test_shutdown(void)
{
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    const DWORD shutdown = SCHANNEL_SHUTDOWN;
    for (unsigned i = 0; i < 4; i++) {
        const bool server = i & 1;
        if (!open_pair(versions[i / 2])) continue;
        ok(tls_pair_talk(&pair), "no data");
        send_control(server, &shutdown, 1);
        SECURITY_STATUS status = receive(!server);
        ok(status == SEC_I_CONTEXT_EXPIRED, "row %u: close_notify: %08lx", i, status);
        status = tls_pair_send(&pair, server, "late", 4);
        ok(status == SEC_E_CONTEXT_EXPIRED, "row %u: sent after it: %08lx", i, status);
        status = tls_pair_send(&pair, !server, "last", 4);
        ok(status == SEC_E_OK, "row %u: the other way: %08lx", i, status);
        status = receive(server);
        ok(status == SEC_E_OK, "row %u: read after it: %08lx", i, status);
        send_control(!server, &shutdown, 1);
        status = receive(server);
        ok(status == SEC_I_CONTEXT_EXPIRED, "row %u: the other end: %08lx", i, status);
        tls_pair_close(&pair);
    }
}

/* [D Schannel Error Codes for TLS and SSL Alerts] */
static void test_fatal_alert(void)
{
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    const DWORD alert[3] = {SCHANNEL_ALERT, TLS1_ALERT_FATAL, TLS1_ALERT_ACCESS_DENIED};
    for (unsigned i = 0; i < 2; i++) {
        BYTE room[512];
        ULONG size;
        if (!open_pair(versions[i])) continue;
        send_control(false, alert, 3);
        SECURITY_STATUS status = receive(true);
        ok(status == SEC_E_LOGON_DENIED, "received: %08lx", status);
        status = tls_pair_send(&pair, false, "late", 4);
        ok(status < 0, "sent after it: %08lx", status);
        status = empty_leg(false, room, &size);
        ok(status < 0, "a leg after it: %08lx", status);
        tls_pair_close(&pair);
    }
}

/* ours: a token that does not fit is given out by the next leg */
static void test_no_room(void)
{
    const DWORD shutdown = SCHANNEL_SHUTDOWN;
    BYTE room[512];
    SecBuffer out = {3, SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    ULONG attrs, size;
    if (!ours_only() || !open_pair(TLS_PAIR_1_3)) return;
    tls_control(&pair.server, &shutdown, 1);
    SECURITY_STATUS status = AcceptSecurityContext(&pair.server_cred, &pair.server, NULL, 0, 0,
                                                   NULL, &desc, &attrs, NULL);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "no room: %08lx", status);
    status = empty_leg(true, room, &size);
    ok(status == SEC_E_OK && size < sizeof(room), "room: %08lx, %lu bytes", status, size);
    wire_put(&pair.to_client, room, size);
    status = receive(false);
    ok(status == SEC_I_CONTEXT_EXPIRED, "received: %08lx", status);
    tls_pair_close(&pair);
}

int main(void)
{
    RUN(test_tokens);
    RUN(test_bad_tokens);
    RUN(test_early_shutdown);
    RUN(test_early_alert);
    RUN(test_early_end);
    RUN(test_shutdown);
    RUN(test_fatal_alert);
    RUN(test_no_room);
    tls_certs_end();
    return test_end("api_tls_control");
}
