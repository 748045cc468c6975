/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_schannel and clients that show another certificate, or none, in a later
 * handshake of TLS 1.2, which they begin unasked or are asked for.
 */
#include "schannel.h"

static struct call_identity rsa, client_rsa, client_ec;

/* The clients that there are: without a certificate, and with one of each kind. */
enum { NONE, RSA, EC, CLIENTS };
static struct side clients[CLIENTS];

static struct slice chain_of(unsigned client)
{
    return client == NONE ? (struct slice){0}
                          : identity_chain(client == RSA ? &client_rsa : &client_ec);
}

static void clients_start(const char *priorities)
{
    const struct call_identity *const identities[] = {NULL, &client_rsa, &client_ec};
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct side){.priorities = priorities,
                                   .identities = identities[i],
                                   .identity_count = identities[i] ? 1 : 0};
        ok(side_credentials(&clients[i], false), "credentials: %s", clients[i].why);
    }
}

static void clients_end(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct schannel_call_free call = {clients[i].credentials};
        ok(half(SCHANNEL_CALL_CREDENTIALS_FREE, &call) == SEC_E_OK, "free");
    }
}

/* A connection with that client, whose credentials are not its own. */
static bool connect_both(struct connection *c, unsigned client, const char *priorities)
{
    *c = (struct connection){.client = clients[client],
                             .server = {.priorities = priorities,
                                        .identities = &rsa,
                                        .identity_count = 1,
                                        .flags = CALL_SESSION_REQUEST_CERTIFICATE}};
    ok(connection_start(c), "start: %s %s", c->client.why, c->server.why);
    connection_run(c);
    return ok(connection_done(c), "client %s, server %s", c->client.why, c->server.why);
}

static void end(struct connection *c)
{
    side_stop(&c->client);
    side_end(&c->server);
}

/* passed: records that the library has not seen. */
static void begin(struct side *side, uint64_t credentials, uint64_t passed)
{
    struct schannel_call_secrets secrets = side_secrets(side);
    struct schannel_call_renegotiate call = {.session = side->session,
                                             .credentials = credentials,
                                             .send_sequence = secrets.send_sequence,
                                             .receive_sequence = secrets.receive_sequence + passed,
                                             .flags = CALL_SESSION_REQUEST_CERTIFICATE};
    ok(half(SCHANNEL_CALL_RENEGOTIATE, &call) == SEC_E_OK, "renegotiate: %s", call.why);
}

/* Where the records are the library's: the client's ClientHello is what comes next. */
static void come_unasked(struct connection *c, unsigned client)
{
    static uint8_t read[20000];
    begin(&c->client, clients[client].credentials, 0);
    side_call(&c->client, &c->server, 0, 0);
    struct schannel_call_records call = {
        .session = c->server.session,
        .input = {unixcall_address(c->server.inbox.data + c->server.read),
                  c->server.inbox.size - c->server.read},
        .output = unixcall_address(read),
        .output_room = sizeof(read)};
    ok(half(SCHANNEL_CALL_RECEIVE, &call) == SEC_E_OK && call.type == TLS_HANDSHAKE, "type %u %s",
       call.type, call.why);
    c->server.read += (size_t)call.consumed;
    begin(&c->server, 0, 0);
    connection_run(c);
}

static void come_asked(struct connection *c, unsigned client)
{
    begin(&c->server, 0, 0);
    side_call(&c->server, &c->client, 0, 0);
    c->client.read = c->client.inbox.size; /* a HelloRequest */
    begin(&c->client, clients[client].credentials, 1);
    connection_run(c);
}

/* Who nobody has asked stays who it is, and need not be anybody. */
static void unasked(void)
{
    clients_start(PRIORITY_CBC);
    for (unsigned i = 0; i < CLIENTS * CLIENTS; i++) {
        const unsigned before = i / CLIENTS, after = i % CLIENTS;
        struct connection c;
        if (!connect_both(&c, before, PRIORITY_CBC)) break;
        come_unasked(&c, after);
        if (before == NONE || before == after) {
            ok(connection_done(&c), "%u, %u: client %s, server %s", before, after, c.client.why,
               c.server.why);
            ok(same(side_read(&c.server, CALL_READ_PEER_CHAIN), chain_of(after)), "%u, %u", before,
               after);
        } else {
            ok(c.server.status == SEC_E_CERT_UNKNOWN && c.server.event != CALL_EVENT_DONE,
               "%u, %u: %#x, alert %u: %s", before, after, c.server.status, c.server.alert,
               c.server.why);
        }
        end(&c);
    }
    clients_end();
}

/* Who is asked again may show another one, or none, and the last answer counts. */
static void asked(void)
{
    static const unsigned answers[] = {RSA, NONE, NONE, EC, RSA, NONE, RSA};
    struct connection c;
    clients_start(PRIORITY_1_2);
    if (!connect_both(&c, answers[0], PRIORITY_1_2)) return;
    for (unsigned i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        if (i) come_asked(&c, answers[i]);
        ok(connection_done(&c), "%u: client %s, server %s", i, c.client.why, c.server.why);
        ok(same(side_read(&c.server, CALL_READ_PEER_CHAIN), chain_of(answers[i])), "%u: the chain",
           i);
    }
    end(&c);
    clients_end();
}

int main(void)
{
    struct schannel_call_library library = {{0}, {0}};
    if (half(SCHANNEL_CALL_LIBRARY, &library) != SEC_E_OK) abort();
    rsa = unit_identity(CALL_KEY_RSA, "server.example");
    client_rsa = unit_identity(CALL_KEY_RSA, "client.example");
    client_ec = unit_identity(CALL_KEY_EC, "client.example");
    RUN(unasked);
    RUN(asked);
    return test_end("unit_schannel_identity");
}
