/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_schannel after a handshake: that its secrets make core/tls_session's
 * records, the library's own records, datagrams, and second handshakes.
 */
#include "schannel.h"

static struct call_identity rsa, client_rsa;

static struct connection plain(const char *priorities)
{
    return (struct connection){
        .client = {.priorities = priorities, .server_name = "server.example"},
        .server = {.priorities = priorities, .identities = &rsa, .identity_count = 1},
    };
}

/* ---- records of core ---- */

static void session_make(const struct side *side, bool server, struct tls_session *out)
{
    struct schannel_call_secrets call = side_secrets(side);
    *out = (struct tls_session){.version = (uint16_t)call.version,
                                .suite = tls_suite_find((uint16_t)call.suite),
                                .server = server};
    out->send.sequence = call.send_sequence;
    out->receive.sequence = call.receive_sequence;
    memcpy(out->send.key, call.send_key, sizeof(out->send.key));
    memcpy(out->receive.key, call.receive_key, sizeof(out->receive.key));
    memcpy(out->send.iv, call.send_iv, sizeof(out->send.iv));
    memcpy(out->receive.iv, call.receive_iv, sizeof(out->receive.iv));
    memcpy(out->send.secret, call.send_secret, TLS_SECRET_MAX);
    memcpy(out->receive.secret, call.receive_secret, TLS_SECRET_MAX);
    memcpy(out->master, call.master, TLS_SECRET_MAX);
    memcpy(out->client_random, call.client_random, 32);
    memcpy(out->server_random, call.server_random, 32);
    ok(tls_session_start(out) == SEC_E_OK, "a session of version %#x", call.version);
}

/* One record of a text from one session to the other. */
static void record_pass(struct tls_session *from, struct tls_session *to, const char *text)
{
    uint8_t block[512];
    size_t header = tls_header_size(from), size = strlen(text), missing;
    struct tls_record record;
    memcpy(block + header, text, size);
    ok(tls_record_seal(from, TLS_APPLICATION_DATA, block, block + header, size,
                       block + header + size) == SEC_E_OK,
       "seal");
    status_t status = tls_record_open(to, block, header + size + tls_trailer_size(from), &record,
                                      &missing);
    ok(status == SEC_E_OK, "open: %#x", status);
    ok(status == SEC_E_OK && record.size == size && !memcmp(record.data, text, size), "text");
}

static void sessions_of_core(void)
{
    static const char *const priorities[] = {PRIORITY_1_2,
                                             PRIORITY_1_3,
                                             PRIORITY_1_2 ":-CIPHER-ALL:+CHACHA20-POLY1305",
                                             PRIORITY_1_3 ":-CIPHER-ALL:+CHACHA20-POLY1305",
                                             PRIORITY_1_3 ":-CIPHER-ALL:+AES-128-GCM",
                                             PRIORITY_1_3 ":-CIPHER-ALL:+AES-128-CCM",
                                             PRIORITY_1_3 ":-CIPHER-ALL:+AES-128-CCM-8",
                                             PRIORITY_RSA ":-CIPHER-ALL:+AES-256-CCM",
                                             PRIORITY_RSA ":-CIPHER-ALL:+AES-128-CCM-8"};
    for (size_t i = 0; i < sizeof(priorities) / sizeof(*priorities); i++) {
        static uint8_t key[64] = {9};
        struct connection c = plain(priorities[i]);
        struct tls_session client, server;
        struct tls_record record;
        size_t missing;
        c.server.ticket_key = view(key, sizeof(key));
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
        session_make(&c.client, false, &client);
        session_make(&c.server, true, &server);
        /* what the library has sent since: tickets of TLS 1.3 */
        while (c.client.inbox.size > c.client.read) {
            ok(tls_record_open(&client, c.client.inbox.data + c.client.read,
                               c.client.inbox.size - c.client.read, &record, &missing) == SEC_E_OK,
               "a ticket");
            ok(record.type == TLS_HANDSHAKE && record.data[0] == TLS_NEW_SESSION_TICKET, "type");
            c.client.read += record.whole;
        }
        for (int j = 0; j < 3; j++) {
            record_pass(&client, &server, "from the client");
            record_pass(&server, &client, "from the server");
        }
        tls_session_clear(&client);
        tls_session_clear(&server);
        connection_end(&c);
    }
}

/* ---- records of the library ---- */

static struct schannel_call_records record_call(struct side *side, const void *data, size_t size,
                                                enum tls_type type, uint8_t *output, size_t room)
{
    (void)side;
    return (struct schannel_call_records){.session = side->session,
                                          .input = {unixcall_address(data), size},
                                          .output = unixcall_address(output),
                                          .output_room = room,
                                          .type = type};
}

/* Sends a text and has the other side read it; the record. */
static struct slice text_pass(struct side *from, struct side *to, const char *text)
{
    static uint8_t wire[20000], read[20000];
    struct schannel_call_records call = record_call(from, text, strlen(text), TLS_APPLICATION_DATA,
                                                    wire, sizeof(wire));
    ok(half(SCHANNEL_CALL_SEND, &call) == SEC_E_OK, "send: %s", call.why);
    struct schannel_call_facts facts = side_facts(from);
    ok(call.output_size > strlen(text) &&
           call.output_size <= facts.record_header + strlen(text) + facts.record_trailer,
       "%u bytes, %u and %u around them", (unsigned)call.output_size, facts.record_header,
       facts.record_trailer);
    size_t size = (size_t)call.output_size;
    call = record_call(to, wire, size, 0, read, sizeof(read));
    ok(half(SCHANNEL_CALL_RECEIVE, &call) == SEC_E_OK, "receive: %s", call.why);
    ok(call.type == TLS_APPLICATION_DATA && call.consumed == size &&
           call.output_size == strlen(text) && !memcmp(read, text, strlen(text)),
       "received");
    return view(wire, size);
}

/* The largest record, whole and in parts, and what is no record. */
static void library_limits(struct connection *c)
{
    static uint8_t data[TLS_PLAIN_MAX + 1], wire[20000], read[20000];
    struct schannel_call_records call = record_call(&c->client, data, TLS_PLAIN_MAX,
                                                    TLS_APPLICATION_DATA, wire, sizeof(wire));
    ok(half(SCHANNEL_CALL_SEND, &call) == SEC_E_OK, "the largest");
    size_t size = (size_t)call.output_size;
    /* a part is left where it is; a whole one goes alone */
    memcpy(wire + size, wire, 7);
    for (size_t part = 0; part < size; part += part < 8 ? 1 : 1500) {
        call = record_call(&c->server, wire, part, 0, read, sizeof(read));
        ok(half(SCHANNEL_CALL_RECEIVE, &call) == SEC_E_INCOMPLETE_MESSAGE && !call.consumed,
           "%zu bytes of it", part);
    }
    call = record_call(&c->server, wire, size + 7, 0, read, sizeof(read));
    ok(half(SCHANNEL_CALL_RECEIVE, &call) == SEC_E_OK && call.consumed == size &&
           call.output_size == TLS_PLAIN_MAX,
       "read %u", (unsigned)call.output_size);

    call = record_call(&c->client, data, sizeof(data), TLS_APPLICATION_DATA, wire, sizeof(wire));
    ok(half(SCHANNEL_CALL_SEND, &call) == SEC_E_INVALID_PARAMETER, "too large");
    call = record_call(&c->client, data, 100, TLS_APPLICATION_DATA, wire, 120);
    ok(half(SCHANNEL_CALL_SEND, &call) == SEC_E_BUFFER_TOO_SMALL, "no room");
    call = record_call(&c->client, data, 100, TLS_HANDSHAKE, wire, sizeof(wire));
    ok(half(SCHANNEL_CALL_SEND, &call) == SEC_E_INVALID_PARAMETER, "another type");
    call = record_call(&c->client, data, 0, TLS_APPLICATION_DATA, wire, sizeof(wire));
    ok(half(SCHANNEL_CALL_SEND, &call) == SEC_E_UNSUPPORTED_FUNCTION, "the library has none");
}

static void library_damage(struct connection *c)
{
    static uint8_t wire[500], read[500];
    struct slice record = text_pass(&c->client, &c->server, "once");
    memcpy(wire, record.data, record.size);
    struct schannel_call_records call = record_call(&c->server, wire, record.size, 0, read,
                                                    sizeof(read));
    ok(half(SCHANNEL_CALL_RECEIVE, &call) == SEC_E_MESSAGE_ALTERED && call.why[0], "twice");
    ok(call.alert == 20, "alert %u", call.alert); /* RFC 5246 7.2.2 */
    memcpy(wire, "\x17\x03\x03\xff\xff\0\0", 7);
    call = record_call(&c->server, wire, 7, 0, read, sizeof(read));
    status_t status = half(SCHANNEL_CALL_RECEIVE, &call);
    ok(!status_ok(status) && status != SEC_E_INCOMPLETE_MESSAGE, "none at all: %#x", status);
}

static void library_records(void)
{
    static const char *const priorities[] = {PRIORITY_CBC, PRIORITY_1_0};
    for (size_t i = 0; i < 2; i++) {
        struct connection c = plain(priorities[i]);
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
        struct schannel_call_facts facts = side_facts(&c.client);
        ok(facts.library_records == 1 && facts.version == (i ? TLS_1_0 : TLS_1_2), "its own");
        ok(facts.record_header == (i ? 5 : 21), "header of %u", facts.record_header);
        for (int j = 0; j < 3; j++) {
            text_pass(&c.client, &c.server, "from the client");
            text_pass(&c.server, &c.client, "from the server");
        }
        library_limits(&c);
        library_damage(&c);
        connection_end(&c);
    }
}

static void library_alerts(void)
{
    static uint8_t wire[500], read[500];
    static const uint8_t alerts[][2] = {{1, 90}, {2, 80}, {1, 0}};
    for (size_t i = 0; i < 3; i++) {
        struct connection c = plain(PRIORITY_CBC);
        ok(connection_start(&c), "start");
        connection_run(&c);
        struct schannel_call_records call = record_call(&c.client, alerts[i], 2, TLS_ALERT, wire,
                                                        sizeof(wire));
        ok(half(SCHANNEL_CALL_SEND, &call) == SEC_E_OK, "send: %s", call.why);
        call = record_call(&c.server, wire, (size_t)call.output_size, 0, read, sizeof(read));
        ok(half(SCHANNEL_CALL_RECEIVE, &call) == SEC_E_OK, "receive: %s", call.why);
        ok(call.type == TLS_ALERT && call.alert == alerts[i][1] && call.output_size == 2 &&
               !memcmp(read, alerts[i], 2),
           "alert %u: %u %u", call.alert, read[0], read[1]);
        call = record_call(&c.client, alerts[i], 1, TLS_ALERT, wire, sizeof(wire));
        ok(half(SCHANNEL_CALL_SEND, &call) == SEC_E_INVALID_PARAMETER, "half an alert");
        connection_end(&c);
    }
}

/* ---- second handshakes ---- */

static bool renegotiate(struct side *side, uint64_t credentials)
{
    struct schannel_call_secrets secrets = side_secrets(side);
    struct schannel_call_renegotiate call = {.session = side->session,
                                             .credentials = credentials,
                                             .send_sequence = secrets.send_sequence,
                                             .receive_sequence = secrets.receive_sequence};
    status_t status = half(SCHANNEL_CALL_RENEGOTIATE, &call);
    ok(status == SEC_E_OK, "renegotiate: %#x %s", status, call.why);
    return status == SEC_E_OK;
}

static void keys_agree(const struct connection *c, uint8_t before[32])
{
    struct schannel_call_secrets client = side_secrets(&c->client),
                                 server = side_secrets(&c->server);
    ok(client.established && server.established, "established");
    ok(!memcmp(client.send_key, server.receive_key, 32) &&
           !memcmp(client.receive_key, server.send_key, 32),
       "keys");
    ok(!memcmp(client.finished, server.finished, 12) && client.finished_size == 12, "Finished");
    ok(memcmp(client.send_key, before, 32), "other keys than before");
    memcpy(before, client.send_key, 32);
}

/* The server asks for another handshake, in which it will ask for a certificate; the client begins
 * it with other credentials. */
static void renegotiation_begin(struct connection *c, const struct tls_session *server,
                                struct tls_session *client, uint64_t credentials)
{
    struct tls_record record;
    size_t missing;
    struct schannel_call_renegotiate call = {.session = c->server.session,
                                             .send_sequence = server->send.sequence,
                                             .receive_sequence = server->receive.sequence,
                                             .flags = CALL_SESSION_REQUEST_CERTIFICATE};
    ok(half(SCHANNEL_CALL_RENEGOTIATE, &call) == SEC_E_OK, "server: %s", call.why);
    ok(side_call(&c->server, &c->client, 0, 0) && c->server.event == CALL_EVENT_INPUT, "it asks");
    ok(tls_record_open(client, c->client.inbox.data + c->client.read,
                       c->client.inbox.size - c->client.read, &record, &missing) == SEC_E_OK &&
           record.type == TLS_HANDSHAKE && record.size == 4 && record.data[0] == TLS_HELLO_REQUEST,
       "a HelloRequest");
    c->client.read = c->client.inbox.size;
    call = (struct schannel_call_renegotiate){.session = c->client.session,
                                              .credentials = credentials,
                                              .send_sequence = client->send.sequence,
                                              .receive_sequence = client->receive.sequence};
    ok(half(SCHANNEL_CALL_RENEGOTIATE, &call) == SEC_E_OK, "client: %s", call.why);
}

/* Records of core in between: the library hears of them by the sequence numbers. */
static void renegotiations(void)
{
    struct connection c = plain(PRIORITY_1_2);
    struct side late = {.priorities = PRIORITY_1_2, .identities = &client_rsa, .identity_count = 1};
    uint8_t key[32] = {0};
    struct tls_session client, server;
    ok(side_credentials(&late, false), "credentials");
    ok(connection_start(&c), "start");
    connection_run(&c);
    ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
    for (int i = 0; i < 3; i++) {
        keys_agree(&c, key);
        session_make(&c.client, false, &client);
        session_make(&c.server, true, &server);
        for (int j = 0; j < 5; j++) record_pass(&client, &server, "from the client");
        for (int j = 0; j < 3; j++) record_pass(&server, &client, "from the server");
        if (i < 2) {
            renegotiation_begin(&c, &server, &client, late.credentials);
            connection_run(&c);
            ok(connection_done(&c), "client %#x %s, server %#x %s", c.client.status, c.client.why,
               c.server.status, c.server.why);
        }
        tls_session_clear(&client);
        tls_session_clear(&server);
    }
    ok(c.server.verified == 2, "the client's certificate was judged");
    ok(same(side_read(&c.server, CALL_READ_PEER_CHAIN), identity_chain(&client_rsa)),
       "it is there");
    side_stop(&c.client);
    connection_end(&c);
    side_end(&late);
}

/* A server has asked its client for another handshake. */
static void renegotiation_ask(struct connection *c, struct tls_session *client)
{
    *c = plain(PRIORITY_1_2);
    ok(connection_start(c), "start");
    connection_run(c);
    session_make(&c->client, false, client);
    ok(renegotiate(&c->server, 0), "server");
    side_call(&c->server, &c->client, 0, 0);
}

static void client_declines(struct connection *c, struct tls_session *client)
{
    uint8_t block[64], alert[2] = {TLS_ALERT_WARNING, TLS_NO_RENEGOTIATION};
    size_t header = tls_header_size(client);
    memcpy(block + header, alert, 2);
    ok(tls_record_seal(client, TLS_ALERT, block, block + header, 2, block + header + 2) == SEC_E_OK,
       "seal");
    writer_bytes(&c->server.inbox, block, header + 2 + tls_trailer_size(client));
    side_call(&c->server, &c->client, 0, 0);
}

/* A server whose client declines goes on as before. */
static void renegotiation_declined(void)
{
    struct connection c;
    struct tls_session client;
    renegotiation_ask(&c, &client);
    client_declines(&c, &client);
    ok(c.server.status == SEC_E_OK && c.server.event == CALL_EVENT_DONE && c.server.alert == 100,
       "%#x %u alert %u", c.server.status, c.server.event, c.server.alert);
    struct schannel_call_secrets secrets = side_secrets(&c.server);
    ok(secrets.established && secrets.send_sequence == 2 && secrets.receive_sequence == 2,
       "sequence numbers %u %u", (unsigned)secrets.send_sequence,
       (unsigned)secrets.receive_sequence);
    tls_session_clear(&client);
    connection_end(&c);

    c = plain(PRIORITY_1_3);
    ok(connection_start(&c), "start");
    connection_run(&c);
    struct schannel_call_renegotiate call = {.session = c.server.session};
    ok(half(SCHANNEL_CALL_RENEGOTIATE, &call) == SEC_E_UNSUPPORTED_FUNCTION, "not in TLS 1.3");
    connection_end(&c);
}

/* Not in the middle of the handshake: the server could have been shown a certificate by then that
 * nothing has proven to be the client's. */
static void renegotiation_broken_off(void)
{
    struct connection c;
    struct tls_session client;
    renegotiation_ask(&c, &client);
    c.client.read = c.client.inbox.size; /* a HelloRequest */
    ok(renegotiate(&c.client, 0), "client");
    side_call(&c.client, &c.server, 0, 0);
    client.send.sequence++;
    side_call(&c.server, &c.client, 0, 0);
    ok(c.server.event == CALL_EVENT_INPUT && c.client.inbox.size > c.client.read, "it answers");
    client_declines(&c, &client);
    ok(c.server.status != SEC_E_OK && c.server.event != CALL_EVENT_DONE, "%#x %u", c.server.status,
       c.server.event);
    tls_session_clear(&client);
    connection_end(&c);
}

/* Where the records are the library's, it is RECEIVE that sees what the peer wants. */
static void library_renegotiations(void)
{
    static uint8_t read[20000];
    for (size_t i = 0; i < 2; i++) {
        struct connection c = plain(PRIORITY_CBC);
        uint8_t key[32] = {0};
        struct side *first = i ? &c.client : &c.server, *second = i ? &c.server : &c.client;
        ok(connection_start(&c), "start");
        connection_run(&c);
        keys_agree(&c, key);
        ok(renegotiate(first, 0), "the first");
        side_call(first, second, 0, 0);
        struct schannel_call_records call = record_call(second, second->inbox.data + second->read,
                                                        second->inbox.size - second->read, 0, read,
                                                        sizeof(read));
        ok(half(SCHANNEL_CALL_RECEIVE, &call) == SEC_E_OK && call.type == TLS_HANDSHAKE,
           "type %u %s", call.type, call.why);
        second->read += (size_t)call.consumed;
        ok(renegotiate(second, 0), "the second");
        connection_run(&c);
        ok(connection_done(&c), "client %#x %s, server %#x %s", c.client.status, c.client.why,
           c.server.status, c.server.why);
        keys_agree(&c, key);
        text_pass(&c.client, &c.server, "from the client");
        text_pass(&c.server, &c.client, "from the server");
        connection_end(&c);
    }
}

/* ---- datagrams ---- */

static struct connection datagrams(void)
{
    struct connection c = plain(PRIORITY_DTLS);
    c.client.flags = c.server.flags = CALL_SESSION_DATAGRAM;
    c.client.mtu = c.server.mtu = 1096;
    c.server.peer = ascii("192.0.2.1:4711");
    return c;
}

static void datagram_handshake(void)
{
    static const uint32_t mtus[] = {1096, 300, 16000};
    for (size_t i = 0; i < 6; i++) {
        struct connection c = datagrams();
        c.client.mtu = c.server.mtu = mtus[i % 3];
        if (i / 3) c.server.peer = (struct slice){0};
        ok(connection_start(&c), "start");
        side_call(&c.client, &c.server, 0, 0);
        side_call(&c.server, &c.client, 0, 0);
        ok(c.client.inbox.data[13] == (i / 3 ? 2 : 3), "it %s a HelloVerifyRequest",
           i / 3 ? "is not" : "is");
        ok(c.client.inbox.size <= mtus[i % 3], "a datagram of %zu", c.client.inbox.size);
        connection_run(&c);
        ok(connection_done(&c), "client %#x %s, server %#x %s", c.client.status, c.client.why,
           c.server.status, c.server.why);
        struct schannel_call_facts facts = side_facts(&c.client);
        ok(facts.version == DTLS_1_2 && facts.library_records == 1, "version %#x", facts.version);
        ok(facts.record_header == 21 && facts.record_trailer == 16, "%u + %u", facts.record_header,
           facts.record_trailer);
        for (int j = 0; j < 3; j++) {
            text_pass(&c.client, &c.server, "from the client");
            text_pass(&c.server, &c.client, "from the server");
        }
        connection_end(&c);
    }
}

/* Who has not shown that it is where it says gets one answer to a datagram with a ClientHello, and
 * none to anything else. */
static void datagram_cookies(void)
{
    struct connection c = datagrams();
    uint8_t wrong_type[300], wrong_message[300], no_hello[300];
    ok(connection_start(&c), "start");
    side_call(&c.client, &c.server, 0, 0);
    size_t size = c.server.inbox.size;
    uint8_t *hello = exact_copy(c.server.inbox.data, size);
    ok(size <= sizeof(no_hello), "a ClientHello of %zu", size);
    memcpy(wrong_type, hello, size);
    wrong_type[0] = 23;
    memcpy(wrong_message, hello, size);
    wrong_message[13] = 2;
    memset(no_hello, 0, size);
    no_hello[0] = 22;
    no_hello[13] = 1;
    no_hello[12] = (uint8_t)(size - 13);
    no_hello[11] = (uint8_t)((size - 13) >> 8);
    /* a session ID that goes beyond the record */
    no_hello[13 + 12 + 34] = 33;
    const uint8_t *const rows[] = {wrong_type, wrong_message, no_hello};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        writer_free(&c.server.inbox);
        c.server.read = 0;
        writer_bytes(&c.server.inbox, rows[i], size);
        side_call(&c.server, &c.client, 0, 0);
        ok(!c.client.inbox.size && c.server.status == SEC_E_OK, "%zu is answered", i);
    }
    for (int i = 0; i < 3; i++) writer_bytes(&c.server.inbox, hello, size);
    side_call(&c.server, &c.client, 0, 0);
    ok(c.client.inbox.size && c.client.inbox.size < 100, "answers of %zu", c.client.inbox.size);
    connection_run(&c);
    ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
    free(hello);
    connection_end(&c);
}

/* Of each flight the first copy is lost. */
static void datagram_loss(void)
{
    struct connection c = datagrams();
    ok(connection_start(&c), "start");
    for (int i = 0; i < 40 && !connection_done(&c); i++) {
        struct side *from = i & 1 ? &c.server : &c.client, *to = i & 1 ? &c.client : &c.server;
        do side_call(from, to, 0, 0);
        while (!side_waits(from) && from->event != CALL_EVENT_DONE);
        while (from->queued) side_call(from, to, 0, 0);
        if (i / 2 % 2) continue;
        writer_free(&to->inbox);
        to->read = 0;
    }
    ok(connection_done(&c), "client %#x %s, server %#x %s", c.client.status, c.client.why,
       c.server.status, c.server.why);
    connection_end(&c);
}

/* Without the server's last flight the client repeats its own. RECEIVE has the server's repeated
 * for it: a handshake call has that. */
static void datagram_last_flight(void)
{
    static uint8_t read[2000];
    unsigned asked = 0;
    struct connection c = datagrams();
    ok(connection_start(&c), "start");
    while (c.server.event != CALL_EVENT_DONE) {
        side_call(&c.client, &c.server, 0, 0);
        while (!side_waits(&c.server) && c.server.event != CALL_EVENT_DONE)
            side_call(&c.server, &c.client, 0, 0);
    }
    while (c.server.queued) side_call(&c.server, &c.client, 0, 0);
    c.client.read = c.client.inbox.size; /* lost */
    side_call(&c.client, &c.server, 0, 0);
    ok(c.client.event == CALL_EVENT_INPUT && c.server.inbox.size > c.server.read, "it asks again");
    while (c.server.inbox.size > c.server.read) {
        struct schannel_call_records call = record_call(
            &c.server, c.server.inbox.data + c.server.read, c.server.inbox.size - c.server.read, 0,
            read, sizeof(read));
        ok(half(SCHANNEL_CALL_RECEIVE, &call) == SEC_E_OK && !call.output_size, "%s", call.why);
        c.server.read += (size_t)call.consumed;
        asked += call.type == TLS_HANDSHAKE;
    }
    ok(asked, "the server knows");
    connection_run(&c);
    ok(connection_done(&c), "client %#x %s", c.client.status, c.client.why);
    text_pass(&c.server, &c.client, "from the server");
    text_pass(&c.client, &c.server, "from the client");
    connection_end(&c);
}

/* A call without input repeats the flight at once, with other numbers on its records. */
static void datagram_retransmission(void)
{
    struct connection c = datagrams();
    ok(connection_start(&c), "start");
    side_call(&c.client, &c.server, 0, 0);
    size_t size = c.server.inbox.size;
    for (size_t i = 1; i < 4; i++) {
        side_call(&c.client, &c.server, 0, 0);
        ok(c.client.event == CALL_EVENT_INPUT && c.server.inbox.size == (i + 1) * size,
           "%zu bytes after %zu calls", c.server.inbox.size, i + 1);
        if (c.server.inbox.size != (i + 1) * size) continue;
        ok(c.server.inbox.data[i * size + 10] == i, "its number is %u",
           c.server.inbox.data[i * size + 10]);
        ok(!memcmp(c.server.inbox.data + 11, c.server.inbox.data + i * size + 11, size - 11),
           "the same otherwise");
    }
    connection_end(&c);
}

/* Nobody hears of records that are not the peer's, or come twice. */
static void datagram_nonsense(void)
{
    static uint8_t wire[500], read[500];
    struct connection c = datagrams();
    ok(connection_start(&c), "start");
    connection_run(&c);
    struct slice record = text_pass(&c.client, &c.server, "once");
    size_t size = record.size;
    memcpy(wire, record.data, size);
    for (size_t at = 0; at <= size; at++) {
        if (at < size) wire[at] ^= 1;
        struct schannel_call_records call = record_call(&c.server, wire, size, 0, read,
                                                        sizeof(read));
        status_t status = half(SCHANNEL_CALL_RECEIVE, &call);
        ok(status == SEC_E_OK && !call.output_size && call.consumed,
           "byte %zu: %#x %s, type %u, %u from %u", at, status, call.why, call.type,
           (unsigned)call.output_size, (unsigned)call.consumed);
        if (at < size) wire[at] ^= 1;
    }
    text_pass(&c.client, &c.server, "and on");
    connection_end(&c);
}

int main(void)
{
    if (!status_ok(crypto_init())) abort();
    rsa = unit_identity(CALL_KEY_RSA, "server.example");
    client_rsa = unit_identity(CALL_KEY_RSA, "client.example");
    RUN(sessions_of_core);
    RUN(library_records);
    RUN(library_alerts);
    RUN(renegotiations);
    RUN(renegotiation_declined);
    RUN(renegotiation_broken_off);
    RUN(library_renegotiations);
    RUN(datagram_handshake);
    RUN(datagram_cookies);
    RUN(datagram_loss);
    RUN(datagram_last_flight);
    RUN(datagram_retransmission);
    RUN(datagram_nonsense);
    return test_end("unit_schannel_records");
}
