/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_schannel and certificates that are asked for after the handshake of TLS 1.3
 * (RFC 8446 4.6.2), with records of the session in between that the library has not seen.
 */
#include "schannel.h"

static struct call_identity rsa, client_rsa, client_ec;

static struct connection make(const struct call_identity *shown)
{
    return (struct connection){
        .client = {.priorities = PRIORITY_1_3,
                   .identities = shown,
                   .identity_count = shown ? 1 : 0,
                   .flags = CALL_SESSION_LATE_CERTIFICATE},
        .server = {.priorities = PRIORITY_1_3,
                   .identities = &rsa,
                   .identity_count = 1,
                   .flags = CALL_SESSION_LATE_CERTIFICATE},
    };
}

/* How many records of a side the library knows of. */
struct counts {
    uint64_t sent, received;
};

static status_t begin(struct side *side, struct counts counts)
{
    struct schannel_call_renegotiate call = {.session = side->session,
                                             .send_sequence = counts.sent,
                                             .receive_sequence = counts.received};
    status_t status = half(SCHANNEL_CALL_RENEGOTIATE, &call);
    ok(status_ok(status) || call.why[0], "%#x says nothing", status);
    return status;
}

/* All that is in the inbox, as one post-handshake record. */
static status_t post(struct side *side, uint64_t sequence)
{
    size_t size = side->inbox.size - side->read;
    uint8_t *copy = exact_copy(side->inbox.data + side->read, size);
    struct schannel_call_post call = {.session = side->session,
                                      .record = unit_bytes(view(copy, size)),
                                      .receive_sequence = sequence};
    status_t status = half(SCHANNEL_CALL_POST, &call);
    ok(status_ok(status) || call.why[0], "%#x says nothing", status);
    side->read = side->inbox.size;
    free(copy);
    return status;
}

static bool connect_both(struct connection *c)
{
    if (!ok(connection_start(c), "start: %s %s", c->client.why, c->server.why)) return false;
    connection_run(c);
    return ok(connection_done(c), "client %s, server %s", c->client.why, c->server.why);
}

/* The server asks, after so many records of its own; the client answers after so many of its. */
static void ask_and_answer(struct connection *c, uint64_t from_server, uint64_t from_client)
{
    ok(begin(&c->server, (struct counts){from_server, from_client}) == SEC_E_OK, "the server");
    side_call(&c->server, &c->client, 0, 0);
    ok(c->server.event == CALL_EVENT_INPUT && c->client.inbox.size > c->client.read, "it asks");
    ok(post(&c->client, from_server) == SEC_E_OK, "the client reads it");
    from_client += 2;
    ok(begin(&c->client, (struct counts){from_client, from_server + 1}) == SEC_E_OK, "client");
    side_call(&c->client, &c->server, 0, 0);
    ok(c->client.event == CALL_EVENT_DONE && c->server.inbox.size > c->server.read, "it answers");
    ok(begin(&c->server, (struct counts){from_server + 1, from_client}) == SEC_E_OK, "hears");
    connection_run(c);
}

static void certificates(void)
{
    const struct call_identity *const shown[] = {&client_rsa, &client_ec, NULL};
    static const size_t pieces[] = {0, 1, 100};
    for (size_t i = 0; i < 3; i++) {
        struct connection c = make(shown[i]);
        if (!connect_both(&c)) return;
        ok(side_facts(&c.client).late_certificate && side_facts(&c.server).late_certificate,
           "it is known");
        ok(!side_read(&c.server, CALL_READ_PEER_CHAIN).size, "a certificate");
        c.piece = pieces[i];
        for (unsigned turn = 0; turn < 3; turn++) {
            struct schannel_call_secrets secrets = side_secrets(&c.server);
            ask_and_answer(&c, secrets.send_sequence + 7, secrets.receive_sequence + 5);
            ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
            ok(c.server.verified == (shown[i] ? turn + 1 : 0), "judged %u times",
               c.server.verified);
            struct slice expected = shown[i] ? identity_chain(shown[i]) : (struct slice){0};
            ok(same(side_read(&c.server, CALL_READ_PEER_CHAIN), expected), "the peer's");
            ok(same(side_read(&c.client, CALL_READ_LOCAL_CHAIN), expected), "our own");
        }
        connection_end(&c);
    }
}

/* Each answer is another one: none first, then certificates on keys of both kinds. The library
 * waits for a proof of possession whenever there was one before, which none at the end does not
 * have. */
static void others(void)
{
    const struct call_identity *const shown[] = {NULL,       NULL,       &client_rsa,
                                                 &client_ec, &client_ec, &client_rsa};
    struct connection c = make(NULL);
    struct side others[3] = {make(NULL).client, make(&client_rsa).client, make(&client_ec).client};
    if (!connect_both(&c)) return;
    for (size_t i = 0; i < 3; i++)
        ok(side_credentials(&others[i], false), "credentials: %s", others[i].why);
    for (size_t i = 0; i < 7; i++) {
        const struct call_identity *identity = i < 6 ? shown[i] : NULL;
        struct schannel_call_secrets secrets = side_secrets(&c.server);
        struct schannel_call_set_credentials set = {.session = c.client.session};
        set.credentials = others[!identity ? 0 : identity == &client_rsa ? 1 : 2].credentials;
        ok(half(SCHANNEL_CALL_SET_CREDENTIALS, &set) == SEC_E_OK, "set: %s", set.why);
        ask_and_answer(&c, secrets.send_sequence, secrets.receive_sequence);
        if (i == 6) break;
        ok(connection_done(&c), "%zu: client %s, server %s", i, c.client.why, c.server.why);
        struct slice expected = identity ? identity_chain(identity) : (struct slice){0};
        ok(same(side_read(&c.server, CALL_READ_PEER_CHAIN), expected), "%zu: the peer's", i);
    }
    ok(c.server.status == SEC_E_ILLEGAL_MESSAGE, "none at the end: %#x", c.server.status);
    connection_end(&c);
    for (size_t i = 0; i < 3; i++) {
        struct schannel_call_free call = {others[i].credentials};
        ok(half(SCHANNEL_CALL_CREDENTIALS_FREE, &call) == SEC_E_OK, "free");
    }
}

/* With a session in which the client had shown one. */
static void none_when_resumed(void)
{
    static const uint8_t key[64] = {1, 2, 3};
    struct connection c = make(&client_rsa);
    struct side other = make(NULL).client;
    c.server.flags |= CALL_SESSION_REQUEST_CERTIFICATE;
    c.server.ticket_key = view(key, sizeof(key));
    if (!connect_both(&c) || !ok(side_credentials(&other, false), "credentials")) return;
    ticket_give(&c.client);
    c.client.resume = side_read(&c.client, CALL_READ_RESUMPTION);
    side_stop(&c.client);
    side_stop(&c.server);
    if (!connect_both(&c)) return;
    ok(side_facts(&c.server).resumed, "resumed");
    ok(same(side_read(&c.server, CALL_READ_PEER_CHAIN), identity_chain(&client_rsa)), "as before");
    ticket_give(&c.client);
    struct schannel_call_secrets secrets = side_secrets(&c.server);
    struct schannel_call_set_credentials set = {.session = c.client.session,
                                                .credentials = other.credentials};
    ok(half(SCHANNEL_CALL_SET_CREDENTIALS, &set) == SEC_E_OK, "set: %s", set.why);
    ask_and_answer(&c, secrets.send_sequence, secrets.receive_sequence);
    ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
    ok(!side_read(&c.server, CALL_READ_PEER_CHAIN).size, "what was shown before");
    connection_end(&c);
    struct schannel_call_free call = {other.credentials};
    ok(half(SCHANNEL_CALL_CREDENTIALS_FREE, &call) == SEC_E_OK, "free");
}

/* A side's keys change: it has told the peer. */
static void update(struct side *side, struct side *peer, struct tls_session *session)
{
    uint8_t message[TLS_KEY_UPDATE_SIZE], block[64];
    const size_t header = tls_header_size(session), size = sizeof(message);
    const uint64_t sequence = session->send.sequence;
    struct schannel_call_key_update call = {.session = side->session};
    tls_key_update_write(false, message);
    memcpy(block + header, message, size);
    ok(tls_record_seal(session, TLS_HANDSHAKE, block, block + header, size,
                       block + header + size) == SEC_E_OK &&
           tls_key_update(session, &session->send) == SEC_E_OK,
       "new keys");
    writer_bytes(&peer->inbox, block, header + size + tls_trailer_size(session));
    ok(post(peer, sequence) == SEC_E_OK, "the peer is told");
    ok(half(SCHANNEL_CALL_KEY_UPDATE, &call) == SEC_E_OK, "the library: %s", call.why);
    ok(!peer->queued && peer->inbox.size == peer->read, "nothing is sent");
}

static void session_make(const struct side *side, bool server, struct tls_session *out)
{
    struct schannel_call_secrets secrets = side_secrets(side);
    *out = (struct tls_session){
        .version = TLS_1_3, .suite = tls_suite_find((uint16_t)secrets.suite), .server = server};
    memcpy(out->send.secret, secrets.send_secret, secrets.secret_size);
    memcpy(out->receive.secret, secrets.receive_secret, secrets.secret_size);
    ok(tls_session_start(out) == SEC_E_OK, "session");
}

static void new_keys(void)
{
    struct connection c = make(&client_rsa);
    struct tls_session client, server;
    if (!connect_both(&c)) return;
    session_make(&c.client, false, &client);
    session_make(&c.server, true, &server);
    for (int i = 0; i < 3; i++) {
        update(&c.client, &c.server, &client);
        if (i) update(&c.server, &c.client, &server);
    }
    ask_and_answer(&c, 0, 0);
    ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
    ok(same(side_read(&c.server, CALL_READ_PEER_CHAIN), identity_chain(&client_rsa)),
       "it is there");
    tls_session_clear(&client);
    tls_session_clear(&server);
    connection_end(&c);
}

/* The verdict is the caller's. */
static void refused(void)
{
    struct connection c = make(&client_rsa);
    if (!connect_both(&c)) return;
    c.server.verdict = CALL_VERDICT_BAD;
    c.server.verdict_alert = 42;
    ask_and_answer(&c, 0, 0);
    ok(c.server.status == SEC_E_CERT_UNKNOWN && c.server.alert == 42 &&
           c.client.inbox.size > c.client.read,
       "%#x, alert %u", c.server.status, c.server.alert);
    ok(begin(&c.server, (struct counts){0}) == SEC_E_UNSUPPORTED_FUNCTION, "it is over");
    connection_end(&c);
}

static void damaged(void)
{
    struct connection c = make(&client_rsa);
    if (!connect_both(&c)) return;
    ok(begin(&c.server, (struct counts){0}) == SEC_E_OK, "the server");
    side_call(&c.server, &c.client, 0, 0);
    ok(post(&c.client, 1) != SEC_E_OK, "another count than the server's");
    connection_end(&c);

    c = make(&client_rsa);
    if (!connect_both(&c)) return;
    ok(begin(&c.client, (struct counts){0}) == SEC_E_OK, "nobody has asked");
    side_call(&c.client, &c.server, 0, 0);
    ok(c.client.status == SEC_E_INVALID_PARAMETER, "%#x", c.client.status);
    connection_end(&c);
}

/* Either side has to be for it, in TLS 1.3, and the handshake over. */
static void not_offered(void)
{
    for (unsigned i = 0; i < 4; i++) {
        struct connection c = make(&client_rsa);
        struct schannel_call_key_update update_call = {0};
        if (i == 0) c.client.flags = 0;
        if (i == 1) c.server.flags = 0;
        if (i == 2) c.client.priorities = c.server.priorities = PRIORITY_1_2;
        if (!ok(connection_start(&c), "start")) return;
        if (i == 3) ok(begin(&c.server, (struct counts){0}) == SEC_E_UNSUPPORTED_FUNCTION, "early");
        update_call.session = c.server.session;
        ok(half(SCHANNEL_CALL_KEY_UPDATE, &update_call) == SEC_E_UNSUPPORTED_FUNCTION, "early");
        connection_run(&c);
        ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
        bool known = side_facts(&c.client).late_certificate;
        ok(known == (i == 1 || i == 3), "case %u: %d", i, known);
        status_t status = begin(&c.server, (struct counts){0});
        bool good = i >= 2; /* TLS 1.2 has other handshakes */
        ok(status == (good ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION), "case %u: %#x", i, status);
        connection_end(&c);
    }
}

int main(void)
{
    struct schannel_call_library library = {{0}, {0}};
    if (half(SCHANNEL_CALL_LIBRARY, &library) != SEC_E_OK) abort();
    rsa = unit_identity(CALL_KEY_RSA, "server.example");
    client_rsa = unit_identity(CALL_KEY_RSA, "client.example");
    client_ec = unit_identity(CALL_KEY_EC, "client.example");
    RUN(certificates);
    RUN(others);
    RUN(none_when_resumed);
    RUN(new_keys);
    RUN(refused);
    RUN(damaged);
    RUN(not_offered);
    return test_end("unit_schannel_late");
}
