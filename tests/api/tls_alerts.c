/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handshakes that fail: the statuses on both sides, and the alert that goes between them. */
#include "support.h"
#include "tls_pair.h"

static struct tls_pair pair;

/* ---- alerts that are received ---- */

/* [D Schannel Error Codes for TLS and SSL Alerts] */
static void test_received(void)
{
    static const struct {
        BYTE description;
        SECURITY_STATUS status;
    } rows[] = {
        {10, SEC_E_ILLEGAL_MESSAGE},
        {20, SEC_E_MESSAGE_ALTERED},
        {40, SEC_E_ILLEGAL_MESSAGE},
        {42, SEC_E_CERT_UNKNOWN},
        {44, CRYPT_E_REVOKED},
        {45, SEC_E_CERT_EXPIRED},
        {48, SEC_E_UNTRUSTED_ROOT},
        {49, SEC_E_LOGON_DENIED},
        {51, SEC_E_DECRYPT_FAILURE},
        {70, SEC_E_UNSUPPORTED_FUNCTION},
        {71, SEC_E_ALGORITHM_MISMATCH},
        {80, SEC_E_INTERNAL_ERROR},
        {120, SEC_E_APPLICATION_PROTOCOL_MISMATCH},
        {200, SEC_E_ILLEGAL_MESSAGE},
    };
    const struct tls_pair_options options = {0};
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const BYTE alert[] = {21, 3, 3, 0, 2, 2, rows[i].description};
        tls_pair_client_leg(&pair);
        wire_put(&pair.to_client, alert, sizeof(alert));
        pair.to_client.arrived = pair.to_client.size;
        status = tls_pair_client_leg(&pair);
        ok(status == rows[i].status, "alert %u: %08lx", rows[i].description, status);
        tls_pair_delete(&pair);
    }
    tls_pair_close(&pair);
}

/* ours, as to the status: a peer that closes in the middle of a handshake has ended it, be that by
 * a warning, as it should, or by an alert that says to be fatal */
static void test_closed(void)
{
    const struct tls_pair_options options = {0};
    if (!ours_only()) return;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    for (BYTE level = TLS1_ALERT_WARNING; level <= TLS1_ALERT_FATAL; level++) {
        const BYTE alert[] = {21, 3, 3, 0, 2, level, TLS1_ALERT_CLOSE_NOTIFY};
        tls_pair_client_leg(&pair);
        wire_put(&pair.to_client, alert, sizeof(alert));
        pair.to_client.arrived = pair.to_client.size;
        status = tls_pair_client_leg(&pair);
        ok(status == SEC_E_CONTEXT_EXPIRED, "level %u: %08lx", level, status);
        status = tls_pair_client_leg(&pair);
        ok(status == SEC_E_CONTEXT_EXPIRED, "level %u: again: %08lx", level, status);
        tls_pair_delete(&pair);
    }
    tls_pair_close(&pair);
}

/* ---- alerts that are sent ---- */

static BYTE token[256], alert[256];
static SecBuffer out[2];

/* The server's answer to a ClientHello that has nothing for it. */
static SECURITY_STATUS refuse(ULONG flags, ULONG count, ULONG alert_size)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_3};
    ULONG attrs;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return status;
    tls_pair_client_leg(&pair);
    SecBuffer in[2] = {{pair.to_server.size, SECBUFFER_TOKEN, pair.to_server.bytes},
                       {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, count, out};
    out[0] = (SecBuffer){sizeof(token), SECBUFFER_TOKEN, token};
    out[1] = (SecBuffer){alert_size, SECBUFFER_ALERT, alert};
    status = AcceptSecurityContext(&pair.server_cred, NULL, &in_desc, flags, 0, &pair.server,
                                   &out_desc, &attrs, NULL);
    ok(!tls_handle_present(&pair.server), "a context was made");
    tls_pair_close(&pair);
    return status;
}

/* Either tells that there is nothing in common (RFC 8446 4.1.2, 6.2). */
static bool is_alert(const SecBuffer *buffer)
{
    const BYTE *bytes = buffer->pvBuffer;
    return buffer->cbBuffer == 7 && bytes[0] == 21 && bytes[5] == TLS1_ALERT_FATAL &&
           (bytes[6] == TLS1_ALERT_PROTOCOL_VERSION || bytes[6] == TLS1_ALERT_HANDSHAKE_FAILURE);
}

/* [D AcceptSecurityContext (Schannel)]: with EXTENDED_ERROR the peer is told. Which buffer has the
 * alert is ours. */
static void test_sent(void)
{
    SECURITY_STATUS status = refuse(ASC_REQ_EXTENDED_ERROR, 1, 0);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "%08lx", status);
    ok(is_alert(&out[0]), "%lu bytes, alert %u", out[0].cbBuffer, token[6]);
    status = refuse(0, 1, 0);
    ok(status == SEC_E_ALGORITHM_MISMATCH && out[0].cbBuffer == 0,
       "not asked for: %08lx, %lu bytes", status, out[0].cbBuffer);
    if (!running_on_ours()) return;
    status = refuse(0, 2, sizeof(alert));
    ok(status == SEC_E_ALGORITHM_MISMATCH && out[0].cbBuffer == 0,
       "a buffer of its own: %08lx, %lu bytes", status, out[0].cbBuffer);
    ok(is_alert(&out[1]), "%lu bytes", out[1].cbBuffer);
    status = refuse(0, 2, 3);
    ok(status == SEC_E_ALGORITHM_MISMATCH && out[1].cbBuffer == 0, "small: %08lx, %lu bytes",
       status, out[1].cbBuffer);
}

/* What a leg makes of bytes that are no record. 0: the peer is not told. */
static BYTE told_of(bool server, bool first, ULONG flags, const BYTE *bytes, ULONG size)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    ULONG attrs;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return 0;
    tls_pair_client_leg(&pair);
    pair.to_server.arrived = pair.to_server.size;
    if (!first) tls_pair_server_leg(&pair);
    SecBuffer in[2] = {{size, SECBUFFER_TOKEN, (void *)bytes}, {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, out};
    out[0] = (SecBuffer){sizeof(token), SECBUFFER_TOKEN, token};
    status = server
                 ? AcceptSecurityContext(&pair.server_cred, first ? NULL : &pair.server, &in_desc,
                                         flags, 0, &pair.server, &out_desc, &attrs, NULL)
                 : InitializeSecurityContextW(&pair.client_cred, &pair.client, NULL, flags, 0, 0,
                                              &in_desc, 0, NULL, &out_desc, &attrs, NULL);
    ok(status == SEC_E_INVALID_TOKEN, "%08lx", status);
    tls_pair_close(&pair);
    bool made = out[0].cbBuffer == 7 && token[0] == 21 && token[5] == TLS1_ALERT_FATAL;
    ok(made || !out[0].cbBuffer, "%lu bytes", out[0].cbBuffer);
    return made ? token[6] : 0;
}

/* [OS RFC 5246 6.2.1, 6.2.3; RFC 8446 5, 5.2] also in a handshake, and before one */
static void test_sent_of_no_record(void)
{
    static const BYTE text[] = "HTTP/1.1 400 Bad Request\r\n\r\n", large[] = {22, 3, 3, 0x48, 1, 2};
    if (!ours_only()) return;
    for (unsigned i = 0; i < 3; i++) {
        const bool server = i, first = i == 1;
        const ULONG flags = server ? ASC_REQ_EXTENDED_ERROR : ISC_REQ_EXTENDED_ERROR;
        BYTE told = told_of(server, first, flags, text, sizeof(text));
        ok(told == TLS1_ALERT_UNEXPECTED_MESSAGE, "%u: text: %u", i, told);
        told = told_of(server, first, flags, large, sizeof(large));
        ok(told == 22, "%u: too large: %u", i, told);
        told = told_of(server, first, 0, large, sizeof(large));
        ok(!told, "%u: not asked for: %u", i, told);
    }
}

/* ---- certificates that will not do ---- */

/* [W8 schannel.c:1506-1510], [D InitializeSecurityContext (Schannel)]; what the server then hears
 * is [D Schannel Error Codes for TLS and SSL Alerts] */
static void test_certificates(void)
{
    static const struct {
        enum tls_cert certificate;
        SECURITY_STATUS client, server;
    } rows[] = {
        {TLS_CERT_SERVER_RSA, SEC_E_OK, SEC_E_OK},
        {TLS_CERT_EXPIRED, SEC_E_CERT_EXPIRED, SEC_E_CERT_EXPIRED},
        {TLS_CERT_STRANGER, SEC_E_UNTRUSTED_ROOT, SEC_E_UNTRUSTED_ROOT},
        {TLS_CERT_OTHER_NAME, SEC_E_WRONG_PRINCIPAL, SEC_E_CERT_UNKNOWN},
    };
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    if (!ok(tls_root_trust(), "the root cannot be trusted")) return;
    for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
        const struct tls_pair_options options = {.client_version = versions[i % 2],
                                                 .server_version = versions[i % 2],
                                                 .server_cert = rows[i / 2].certificate,
                                                 .automatic = true};
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "row %u: %08lx", i, status)) continue;
        status = tls_pair_connect(&pair);
        ok(status == rows[i / 2].client, "row %u: client %08lx", i, status);
        if (status) {
            pair.to_server.arrived = pair.to_server.size;
            status = tls_pair_server_leg(&pair);
            ok(status == rows[i / 2].server, "row %u: server %08lx", i, status);
            status = tls_pair_client_leg(&pair);
            ok(status < 0, "row %u: client again %08lx", i, status);
        }
        tls_pair_close(&pair);
    }
    tls_root_distrust();
}

/* [D SCHANNEL_CRED]: the flags that leave a part of it out */
static void test_leniency(void)
{
    struct tls_pair_options options = {.server_cert = TLS_CERT_OTHER_NAME,
                                       .automatic = true,
                                       .client_cred_flags = SCH_CRED_NO_SERVERNAME_CHECK};
    if (!ok(tls_root_trust(), "the root cannot be trusted")) return;
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    ok(status == SEC_E_OK, "names: %08lx", status);
    if (!status) tls_pair_close(&pair);
    options.client_cred_flags = 0;
    options.no_target = true; /* [INF]: nothing to compare with */
    status = tls_pair_make(&pair, &options);
    ok(status == SEC_E_OK, "no target: %08lx", status);
    if (!status) tls_pair_close(&pair);
    options.no_target = false;
    options.client_flags = ISC_REQ_MANUAL_CRED_VALIDATION;
    status = tls_pair_make(&pair, &options);
    ok(status == SEC_E_OK, "by request: %08lx", status);
    if (!status) {
        ok(pair.client_attrs & ISC_RET_MANUAL_CRED_VALIDATION, "attributes %08lx",
           pair.client_attrs);
        tls_pair_talk(&pair);
        /* what was let through so does not serve a connection that is judged */
        tls_pair_delete(&pair);
        pair.options.client_flags = 0;
        status = tls_pair_connect(&pair);
        ok(status == SEC_E_WRONG_PRINCIPAL, "after it: %08lx", status);
        tls_pair_close(&pair);
    }
    tls_root_distrust();
}

/* ---- messages that were changed ---- */

/* ours, as to the statuses: whatever byte of the server's flight is changed, the handshake does
 * not come to an end, and nothing crashes */
static void test_damage(void)
{
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    unsigned survived = 0, tried = 0;
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_pair_options options = {.client_version = versions[i],
                                                 .server_version = versions[i]};
        DWORD size = 6;
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "%08lx", status)) return;
        for (DWORD at = 5; at < size; at += 41) {
            tls_pair_client_leg(&pair);
            pair.to_server.arrived = pair.to_server.size;
            tls_pair_server_leg(&pair);
            size = pair.to_client.size;
            pair.to_client.bytes[at % size] ^= 0x20;
            pair.to_client.arrived = size;
            status = tls_pair_client_leg(&pair);
            DWORD used = size - pair.to_client.size; /* behind it are tickets of TLS 1.3 */
            if (status == SEC_I_CONTINUE_NEEDED || status == SEC_E_OK) {
                pair.to_server.arrived = pair.to_server.size;
                status = tls_pair_server_leg(&pair);
            }
            if (status == SEC_E_OK && at < used) survived++;
            tried += at < used || status < 0;
            tls_pair_delete(&pair);
        }
        tls_pair_close(&pair);
    }
    ok(tried > 40, "%u places", tried);
    ok(!survived, "%u of %u handshakes ended well", survived, tried);
}

int main(void)
{
    RUN(test_received);
    RUN(test_closed);
    RUN(test_sent);
    RUN(test_sent_of_no_record);
    RUN(test_certificates);
    RUN(test_leniency);
    RUN(test_damage);
    tls_certs_end();
    return test_end("api_tls_alerts");
}
