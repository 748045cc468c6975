/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_schannel: handshakes between two of it, with the library that there is. The
 * calls go through the table, as Wine's do.
 */
#include "schannel.h"

extern unixcall_function *const __wine_unix_call_wow64_funcs[];

static struct call_identity rsa, ec, client_rsa;

static void library(void)
{
    struct schannel_call_library call = {0};
    ok(half(SCHANNEL_CALL_LIBRARY, &call) == SEC_E_OK, "%s", call.why);
    ok(call.version[0] == '3' && call.version[1] == '.', "version %s", call.version);
    for (int i = 0; i <= SCHANNEL_CALL_SET_CREDENTIALS; i++)
        ok(__wine_unix_call_wow64_funcs[i] == __wine_unix_call_funcs[i], "call %d", i);
}

/* A server with an identity and a client for its name. */
static struct connection plain(const char *priorities, const struct call_identity *identity)
{
    return (struct connection){
        .client = {.priorities = priorities, .server_name = "server.example"},
        .server = {.priorities = priorities, .identities = identity, .identity_count = 1},
    };
}

static void secrets_agree(const struct connection *c, uint32_t version)
{
    struct schannel_call_secrets client = side_secrets(&c->client),
                                 server = side_secrets(&c->server);
    ok(client.established && server.established, "both are established");
    ok(client.version == version && server.version == version, "version %#x", client.version);
    ok(client.suite == server.suite && tls_suite_find((uint16_t)client.suite), "suite %#x",
       client.suite);
    ok(!memcmp(client.send_key, server.receive_key, 32) &&
           !memcmp(client.receive_key, server.send_key, 32),
       "keys");
    ok(!memcmp(client.send_iv, server.receive_iv, 12) &&
           !memcmp(client.receive_iv, server.send_iv, 12),
       "IVs");
    ok(!memcmp(client.master, server.master, CALL_SECRET_MAX), "master secret");
    ok(!memcmp(client.client_random, server.client_random, 32) &&
           !memcmp(client.server_random, server.server_random, 32),
       "random values");
    ok(client.send_sequence == server.receive_sequence, "sequence of the client");
    if (version != TLS_1_3) {
        ok(client.finished_size == 12 && !memcmp(client.finished, server.finished, 12), "Finished");
        ok(client.extended_master_secret && server.extended_master_secret, "RFC 7627");
        return;
    }
    ok(client.secret_size == server.secret_size && client.secret_size >= 32, "size of secrets");
    ok(!memcmp(client.send_secret, server.receive_secret, CALL_SECRET_MAX) &&
           !memcmp(client.receive_secret, server.send_secret, CALL_SECRET_MAX),
       "traffic secrets");
    ok(!memcmp(client.server_handshake, server.server_handshake, CALL_SECRET_MAX), "handshake's");
}

static void handshakes(void)
{
    static const struct {
        const char *priorities;
        const struct call_identity *identity;
        uint32_t version;
    } table[] = {
        {PRIORITY_1_2, &rsa, TLS_1_2}, {PRIORITY_1_2, &ec, TLS_1_2},  {PRIORITY_1_3, &rsa, TLS_1_3},
        {PRIORITY_1_3, &ec, TLS_1_3},  {PRIORITY_RSA, &rsa, TLS_1_2},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct connection c = plain(table[i].priorities, table[i].identity);
        ok(connection_start(&c), "start: %s%s", c.client.why, c.server.why);
        connection_run(&c);
        ok(connection_done(&c), "%zu: client %#x %s, server %#x %s", i, c.client.status,
           c.client.why, c.server.status, c.server.why);
        ok(c.client.verified == 1 && !c.server.verified, "%u verdicts", c.client.verified);
        secrets_agree(&c, table[i].version);
        ok(same(side_read(&c.client, CALL_READ_PEER_CHAIN), identity_chain(table[i].identity)),
           "the server's chain");
        ok(same(side_read(&c.server, CALL_READ_LOCAL_CHAIN), identity_chain(table[i].identity)),
           "the server's own chain");
        connection_end(&c);
    }
}

int main(void)
{
    rsa = unit_identity(CALL_KEY_RSA, "server.example");
    ec = unit_identity(CALL_KEY_EC, "server.example");
    client_rsa = unit_identity(CALL_KEY_RSA, "client.example");
    RUN(library);
    RUN(handshakes);
    return test_end("unit_schannel");
}
