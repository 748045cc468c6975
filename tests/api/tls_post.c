/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What comes after a handshake of TLS 1.3: tickets and new keys, which go through legs. Peers that
 * say what SSPI has no call for are played with the secrets of TLS 1.3.
 */
#include "support.h"
#include "tls_records.h"

#include <stdio.h>

static struct tls_pair pair;
static struct forger forger;
static struct tls_bytes wire;

#define KEY_UPDATE "\x18\0\0\1\0"       /* RFC 8446 4.6.3 */
#define KEY_UPDATE_ASKED "\x18\0\0\1\1" /* update_requested */
#define KEY_UPDATE_SIZE 5u

/* One leg of a context with these bytes. */
struct result {
    SECURITY_STATUS status;
    ULONG used; /* of the input */
    BYTE token[512];
    ULONG size;
};

static void leg(bool server, const void *bytes, ULONG size, struct result *out)
{
    SecBuffer in[2] = {{size, SECBUFFER_TOKEN, (void *)bytes}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer token = {sizeof(out->token), SECBUFFER_TOKEN, out->token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &token};
    ULONG attrs;
    out->status = server ? AcceptSecurityContext(&pair.server_cred, &pair.server, &in_desc,
                                                 ASC_REQ_EXTENDED_ERROR, 0, NULL, &out_desc, &attrs,
                                                 NULL)
                         : InitializeSecurityContextW(&pair.client_cred, &pair.client, NULL,
                                                      ISC_REQ_EXTENDED_ERROR, 0, 0, &in_desc, 0,
                                                      NULL, &out_desc, &attrs, NULL);
    out->size = token.cbBuffer;
    out->used = size - (in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0);
}

static CtxtHandle *context_of(bool server)
{
    return server ? &pair.server : &pair.client;
}

/* A connection of which one end is played from here; the other one has taken what was there. */
static bool forge(bool server)
{
    const struct tls_pair_options options = {
        .client_version = TLS_PAIR_1_3, .server_version = TLS_PAIR_1_3, .want_secrets = true};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "connect: %08lx", status)) return false;
    if (!pair.client_secrets.size) {
        skip_case("this system gives no secrets of streams");
        tls_pair_close(&pair);
        return false;
    }
    wire.size = 0;
    return ok(forger_start(&forger, &pair, server), "no peer");
}

static void end(void)
{
    forger_end(&forger);
    tls_pair_close(&pair);
}

/* What the peer says in one record, in a leg of the context at its other side. */
static void say(bool server, const void *message, ULONG size, struct result *result)
{
    wire.size = 0;
    forger_put(&forger, TLS_HANDSHAKE, message, size, &wire);
    leg(server, wire.data, wire.size, result);
}

/* Whether each still understands the other. */
static bool still_talks(bool server)
{
    static const char text[] = "still there";
    struct opened opened;
    struct tls_bytes *bytes = &wire;
    bytes->size = 0;
    forger_put(&forger, TLS_APPLICATION_DATA, text, sizeof(text), bytes);
    record_open(context_of(server), bytes, 0, &opened);
    SecBuffer data = opened_part(&opened, SECBUFFER_DATA);
    if (opened.status || data.cbBuffer != sizeof(text) || memcmp(data.pvBuffer, text, sizeof(text)))
        return false;
    bytes->size = 0;
    if (record_seal(context_of(server), 0, text, sizeof(text), bytes)) return false;
    return forger_get(&forger, bytes, TLS_APPLICATION_DATA, text, sizeof(text));
}

/* ---- tickets ---- */

/* [D DecryptMessage (Schannel)], [OBS curl 18125, schannel-rs 111]: a ticket is EXTRA, goes through
 * a leg, and nothing else works before */
static void test_ticket(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_3,
                                             .server_version = TLS_PAIR_1_3};
    struct opened opened;
    struct result result;
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    ok(pair.to_client.size > 64, "no ticket: %lu bytes", pair.to_client.size);
    wire.size = pair.to_client.size;
    memcpy(wire.data, pair.to_client.bytes, wire.size);
    record_open(&pair.client, &wire, 0, &opened);
    SecBuffer extra = opened_part(&opened, SECBUFFER_EXTRA);
    ok(opened.status == SEC_I_RENEGOTIATE, "%08lx", opened.status);
    ok(extra.cbBuffer == pair.to_client.size, "%lu of %lu bytes are extra", extra.cbBuffer,
       pair.to_client.size);
    status = tls_pair_send(&pair, false, "early", 5);
    ok(status == SEC_E_CONTEXT_EXPIRED, "sent before the leg: %08lx", status);
    leg(false, pair.to_client.bytes, pair.to_client.size, &result);
    ok(result.status == SEC_E_OK && !result.size && result.used == pair.to_client.size,
       "%08lx, a token of %lu bytes, %lu used", result.status, result.size, result.used);
    pair.to_client.size = 0;
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

/* [OBS StackOverflow 72871449]: a leg takes it at once, too, and leaves what is not for it */
static void test_ticket_in_leg(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_3,
                                             .server_version = TLS_PAIR_1_3};
    struct result result;
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    ULONG size = pair.to_client.size;
    tls_pair_send(&pair, true, "data", 4);
    leg(false, pair.to_client.bytes, pair.to_client.size, &result);
    ok(result.status == SEC_E_OK && result.used == size, "%08lx, %lu of %lu used", result.status,
       result.used, size);
    wire_take(&pair.to_client, size);
    BYTE heard[16];
    DWORD heard_size;
    status = tls_pair_receive(&pair, false, heard, sizeof(heard), &heard_size);
    ok(status == SEC_E_OK && heard_size == 4, "%08lx, %lu bytes", status, heard_size);
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

/* ours: nor is a ticket for a server, and a part of one waits for the rest */
static void test_ticket_parts(void)
{
    BYTE ticket[300] = {TLS_NEW_SESSION_TICKET, 0, 0x01, 0x28};
    struct result result;
    if (!ours_only() || !forge(true)) return;
    ticket[4 + 8] = 0;    /* lifetime, age_add; no nonce */
    ticket[4 + 9] = 0x01; /* ticket: 283 bytes */
    ticket[4 + 10] = 0x1b;
    say(false, ticket, 100, &result);
    ok(result.status == SEC_E_OK && result.used == wire.size, "a part: %08lx", result.status);
    say(false, ticket + 100, sizeof(ticket) - 100, &result);
    ok(result.status == SEC_E_OK && result.used == wire.size, "the rest: %08lx", result.status);
    ok(still_talks(false), "no data");
    end();
    if (!forge(false)) return;
    say(true, ticket, sizeof(ticket), &result);
    ok(result.status == SEC_E_ILLEGAL_MESSAGE, "to a server: %08lx", result.status);
    end();
}

/* ---- new keys ---- */

/* [D DecryptMessage (Schannel)], [OS RFC 8446 4.6.3] */
static void test_key_update(void)
{
    struct result result;
    for (unsigned i = 0; i < 2; i++) {
        const bool server = i;
        if (!forge(!server)) return;
        say(server, KEY_UPDATE, KEY_UPDATE_SIZE, &result);
        ok(result.status == SEC_E_OK && !result.size, "%08lx, a token of %lu bytes", result.status,
           result.size);
        ok(forger_update(&forger, true), "the peer's keys");
        ok(still_talks(server), "no data behind new keys of the peer");

        say(server, KEY_UPDATE_ASKED, KEY_UPDATE_SIZE, &result);
        ok(result.status == SEC_E_OK && result.size, "asked: %08lx", result.status);
        ok(forger_update(&forger, true), "the peer's keys");
        wire.size = result.size;
        memcpy(wire.data, result.token, result.size);
        ok(forger_get(&forger, &wire, TLS_HANDSHAKE, KEY_UPDATE, KEY_UPDATE_SIZE), "the answer");
        ok(forger_update(&forger, false), "our keys");
        ok(still_talks(server), "no data behind new keys of both");
        end();
    }
}

/* Several in one leg are answered once, which is all that the peer may count on. [OS RFC 8446
 * 4.6.3] */
static void test_key_updates(void)
{
    struct result result;
    if (!forge(true)) return;
    wire.size = 0;
    for (unsigned i = 0; i < 3; i++) {
        forger_put(&forger, TLS_HANDSHAKE, KEY_UPDATE_ASKED, KEY_UPDATE_SIZE, &wire);
        ok(forger_update(&forger, true), "the peer's keys");
    }
    leg(false, wire.data, wire.size, &result);
    ok(result.status == SEC_E_OK && result.used == wire.size, "%08lx, %lu of %lu used",
       result.status, result.used, wire.size);
    wire.size = result.size;
    memcpy(wire.data, result.token, result.size);
    ok(forger_get(&forger, &wire, TLS_HANDSHAKE, KEY_UPDATE, KEY_UPDATE_SIZE), "one answer");
    ok(forger_update(&forger, false), "our keys");
    ok(still_talks(false), "no data");
    end();
}

/* A message may be spread over records. [OS RFC 8446 5.1] */
static void test_key_update_parts(void)
{
    struct result result;
    if (!forge(true)) return;
    say(false, KEY_UPDATE, 2, &result);
    ok(result.status == SEC_E_OK && !result.size, "a part: %08lx", result.status);
    say(false, &KEY_UPDATE[2], KEY_UPDATE_SIZE - 2, &result);
    ok(result.status == SEC_E_OK && !result.size, "the rest: %08lx", result.status);
    ok(forger_update(&forger, true), "the peer's keys");
    ok(still_talks(false), "no data");
    end();
}

/* ---- what has no place there ---- */

/* [OS RFC 8446 5.1]: between the parts of a message there is nothing else. The status is that of
 * unexpected_message. */
static void test_data_in_message(void)
{
    struct result result;
    struct opened opened;
    for (unsigned i = 0; i < 2; i++) {
        const bool server = i;
        if (!forge(!server)) return;
        say(server, KEY_UPDATE, 2, &result);
        ok(result.status == SEC_E_OK && !result.size, "a part: %08lx", result.status);
        wire.size = 0;
        forger_put(&forger, TLS_APPLICATION_DATA, "data", 4, &wire);
        record_open(context_of(server), &wire, 0, &opened);
        ok(opened.status == SEC_E_ILLEGAL_MESSAGE, "in the middle: %08lx", opened.status);
        end();
    }
}

/* [OS RFC 8446 4.6, 5.1]; the status is that of [D Schannel Error Codes for TLS and SSL Alerts] */
static void test_wrong_messages(void)
{
    static const struct {
        const char *message;
        ULONG size;
        const char *what;
    } rows[] = {
        {"\x18\0\0\1\2", 5, "an update of another kind"},
        {"\x18\0\0\2\0\0", 6, "an update that is too long"},
        {KEY_UPDATE KEY_UPDATE, 10, "two updates in a record"},
        {"\x0d\0\0\3\0\0\0", 7, "a request for a certificate that was not offered"},
        {"\1\0\0\0", 4, "a ClientHello"},
        {"\x14\0\0\0", 4, "a Finished"},
        {"\0\0\0\0", 4, "a HelloRequest"},
        {"\x4\xff\xff\xff", 4, "more than anybody waits for"},
    };
    for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
        const bool server = i & 1;
        struct result result;
        if (!forge(!server)) return;
        say(server, rows[i / 2].message, rows[i / 2].size, &result);
        if (i / 2 == 7) { /* a part is fine; see what comes of the rest */
            static BYTE more[16000];
            for (unsigned n = 0; n < 6 && result.status == SEC_E_OK; n++)
                say(server, more, sizeof(more), &result);
        }
        ok(result.status == SEC_E_ILLEGAL_MESSAGE, "%s: %08lx", rows[i / 2].what, result.status);
        ok(result.size > 7, "%s: the peer is not told", rows[i / 2].what);
        leg(server, NULL, 0, &result);
        ok(result.status < 0, "%s: again: %08lx", rows[i / 2].what, result.status);
        SECURITY_STATUS status = record_seal(context_of(server), 0, "late", 4, &wire);
        ok(status < 0, "%s: sent: %08lx", rows[i / 2].what, status);
        end();
    }
}

/* ours: an alert in a leg means what it means to DecryptMessage, and is not answered. [OS RFC 8446
 * 6.1, 6.2] */
static void test_alert_in_leg(void)
{
    static const struct {
        BYTE alert[2];
        SECURITY_STATUS status;
    } rows[] = {
        {{1, 90}, SEC_E_OK}, /* user_canceled: a close_notify will follow */
        {{1, 0}, SEC_I_CONTEXT_EXPIRED},
        {{2, 48}, SEC_E_UNTRUSTED_ROOT},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
        const bool server = i & 1;
        struct result result;
        if (!forge(!server)) return;
        wire.size = 0;
        forger_put(&forger, TLS_ALERT, rows[i / 2].alert, 2, &wire);
        leg(server, wire.data, wire.size, &result);
        ok(result.status == rows[i / 2].status && !result.size, "row %u: %08lx, %lu bytes", i,
           result.status, result.size);
        if (!i) ok(still_talks(server), "no data");
        end();
    }
}

/* [OS RFC 8446 6.1]: behind our close_notify there is nothing of ours, nor an answer to a
 * KeyUpdate; what the peer sends is read */
static void test_key_update_after_close(void)
{
    static const DWORD shutdown[] = {SCHANNEL_SHUTDOWN};
    struct result result;
    struct opened opened;
    if (!ours_only() || !forge(true)) return;
    ok(!tls_control(&pair.client, shutdown, 1), "control");
    leg(false, NULL, 0, &result);
    ok(result.status == SEC_E_OK && result.size, "close: %08lx", result.status);
    say(false, KEY_UPDATE_ASKED, KEY_UPDATE_SIZE, &result);
    ok(result.status == SEC_E_OK && !result.size, "asked: %08lx, %lu bytes", result.status,
       result.size);
    ok(forger_update(&forger, true), "the peer's keys");
    wire.size = 0;
    forger_put(&forger, TLS_APPLICATION_DATA, "data", 4, &wire);
    record_open(&pair.client, &wire, 0, &opened);
    ok(opened.status == SEC_E_OK, "read: %08lx", opened.status);
    end();
}

/* ours, as to the statuses: data is not for a leg, which leaves it as it was */
static void test_data_in_leg(void)
{
    struct result result;
    struct opened opened;
    if (!ours_only() || !forge(true)) return;
    wire.size = 0;
    forger_put(&forger, TLS_APPLICATION_DATA, "data", 4, &wire);
    leg(false, wire.data, wire.size, &result);
    ok(result.status == SEC_E_INVALID_TOKEN, "%08lx", result.status);
    record_open(&pair.client, &wire, 0, &opened);
    ok(opened.status == SEC_E_OK, "read afterwards: %08lx", opened.status);
    leg(false, wire.data, 3, &result);
    ok(result.status == SEC_E_INCOMPLETE_MESSAGE, "a piece: %08lx", result.status);
    wire.size = 0;
    forger_put(&forger, TLS_HANDSHAKE, KEY_UPDATE, KEY_UPDATE_SIZE, &wire);
    wire.data[wire.size - 1] ^= 1;
    leg(false, wire.data, wire.size, &result);
    ok(result.status == SEC_E_MESSAGE_ALTERED, "damaged: %08lx", result.status);
    ok(result.size > 7, "the peer is not told");
    end();
}

int main(void)
{
    RUN(test_ticket);
    RUN(test_ticket_in_leg);
    RUN(test_ticket_parts);
    RUN(test_key_update);
    RUN(test_key_updates);
    RUN(test_key_update_parts);
    RUN(test_data_in_message);
    RUN(test_wrong_messages);
    RUN(test_alert_in_leg);
    RUN(test_key_update_after_close);
    RUN(test_data_in_leg);
    tls_certs_end();
    return test_end("api_tls_post");
}
