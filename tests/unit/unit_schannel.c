/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_schannel: handshakes between two of it, with the library that there is. The
 * calls go through the table, as Wine's do.
 */
#include "schannel.h"

#include <unistd.h>

extern unixcall_function *const __wine_unix_call_wow64_funcs[];

static struct call_identity rsa, ec, other_ec, client_rsa;

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

/* However the input comes and the output goes, in pieces of every size. */
static void pieces(void)
{
    static const char *const priorities[] = {PRIORITY_1_2, PRIORITY_1_3};
    for (size_t i = 0; i < 2; i++) {
        struct connection c = plain(priorities[i], &ec);
        ok(side_credentials(&c.client, false) && side_credentials(&c.server, true), "credentials");
        for (c.piece = 1; c.piece < 1500; c.piece += c.piece < 64 ? 1 : 97) {
            c.room = c.piece * 7 % 501 + 1;
            ok(connection_start(&c), "start");
            connection_run(&c);
            ok(connection_done(&c), "pieces of %zu: client %#x %s, server %#x %s", c.piece,
               c.client.status, c.client.why, c.server.status, c.server.why);
            ok(c.client.inbox.size == c.client.read, "all is read");
            side_stop(&c.client);
            side_stop(&c.server);
        }
        connection_end(&c);
    }
}

static void alpn(void)
{
    static const char *const priorities[] = {PRIORITY_1_2, PRIORITY_1_3};
    for (size_t i = 0; i < 2; i++) {
        struct connection c = plain(priorities[i], &ec);
        c.client.alpn = ascii("\x08http/1.1\x02h2");
        c.server.alpn = ascii("\x02h2\x08http/1.1");
        c.server.flags = CALL_SESSION_ALPN_REQUIRED;
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(connection_done(&c), "the server prefers");
        struct schannel_call_facts facts = side_facts(&c.client);
        ok(facts.alpn_size == 2 && !memcmp(facts.alpn, "h2", 2), "h2");
        facts = side_facts(&c.server);
        ok(facts.alpn_size == 2 && !memcmp(facts.alpn, "h2", 2), "h2");
        connection_end(&c);

        c = plain(priorities[i], &ec);
        c.client.alpn = ascii("\x03pop");
        c.server.alpn = ascii("\x02h2");
        c.server.flags = CALL_SESSION_ALPN_REQUIRED;
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(c.server.status == SEC_E_APPLICATION_PROTOCOL_MISMATCH && c.server.alert == 120,
           "server %#x, alert %u", c.server.status, c.server.alert);
        ok(c.client.status == SEC_E_APPLICATION_PROTOCOL_MISMATCH && c.client.alert == 120,
           "client %#x, alert %u", c.client.status, c.client.alert);
        connection_end(&c);
    }
    struct connection c = plain(PRIORITY_1_2, &ec);
    c.client.alpn = ascii("\x04pop");
    ok(!side_start(&c.client, false) && c.client.status == SEC_E_INVALID_PARAMETER, "cut off");
    connection_end(&c);
}

/* The name chooses the certificate; an address is not sent. */
static void server_names(void)
{
    const struct call_identity both[] = {ec, other_ec};
    static const struct {
        const char *asked, *seen;
        const struct call_identity *shown;
    } table[] = {
        {"server.example", "server.example", &ec},
        {"other.example", "other.example", &other_ec},
        {"192.0.2.1", "", &ec},
        {"2001:db8::1", "", &ec},
        {"", "", &ec},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct connection c = plain(PRIORITY_1_3, both);
        c.server.identity_count = 2;
        c.client.server_name = table[i].asked;
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(connection_done(&c), "%s", table[i].asked);
        ok(!strcmp(side_facts(&c.server).server_name, table[i].seen), "the server sees %s",
           side_facts(&c.server).server_name);
        ok(!side_facts(&c.client).server_name[0], "a client has none");
        ok(same(side_read(&c.client, CALL_READ_PEER_CHAIN), identity_chain(table[i].shown)),
           "the certificate for %s", table[i].asked);
        ok(same(side_read(&c.server, CALL_READ_LOCAL_CHAIN), identity_chain(table[i].shown)),
           "its own one for %s", table[i].asked);
        connection_end(&c);
    }
}

static void client_certificates(void)
{
    static const char *const priorities[] = {PRIORITY_1_2, PRIORITY_1_3};
    for (size_t i = 0; i < 2; i++) {
        struct connection c = plain(priorities[i], &ec);
        c.server.flags = CALL_SESSION_REQUEST_CERTIFICATE;
        /* an issuer that is not the certificate's does not matter */
        c.server.issuers = identity_chain(&rsa);
        c.client.identities = &client_rsa;
        c.client.identity_count = 1;
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
        ok(c.client.verified == 1 && c.server.verified == 1, "both have judged");
        ok(same(side_read(&c.server, CALL_READ_PEER_CHAIN), identity_chain(&client_rsa)), "chain");
        ok(same(side_read(&c.client, CALL_READ_LOCAL_CHAIN), identity_chain(&client_rsa)), "own");
        secrets_agree(&c, i ? TLS_1_3 : TLS_1_2);
        connection_end(&c);

        c.client.identity_count = 0;
        c.client.why[0] = c.server.why[0] = 0;
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
        ok(!side_read(&c.server, CALL_READ_PEER_CHAIN).size, "no chain");
        ok(!side_read(&c.client, CALL_READ_LOCAL_CHAIN).size, "none of its own");
        connection_end(&c);
    }
}

/* Each side may refuse the other's certificate, with an alert of its choice. */
static void verdicts(void)
{
    static const char *const priorities[] = {PRIORITY_1_2, PRIORITY_1_3};
    for (size_t i = 0; i < 4; i++) {
        struct connection c = plain(priorities[i / 2], &ec);
        struct side *judge = i & 1 ? &c.server : &c.client;
        struct side *judged = i & 1 ? &c.client : &c.server;
        c.server.flags = CALL_SESSION_REQUEST_CERTIFICATE;
        c.client.identities = &client_rsa;
        c.client.identity_count = 1;
        judge->verdict = CALL_VERDICT_BAD;
        judge->verdict_alert = 45; /* certificate_expired */
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(judge->status == SEC_E_CERT_EXPIRED && judge->alert == 45, "%zu: judge %#x, alert %u", i,
           judge->status, judge->alert);
        /* in TLS 1.3 a client is through before the server looks */
        if (i == 3) ok(judged->event == CALL_EVENT_DONE, "judged %#x", judged->status);
        else
            ok(judged->status == SEC_E_CERT_EXPIRED && judged->alert == 45,
               "%zu: judged %#x, alert %u", i, judged->status, judged->alert);
        /* it stays so */
        side_call(judge, judged, 0, 0);
        ok(judge->status == SEC_E_CERT_EXPIRED && judge->alert == 45, "judge %#x", judge->status);
        connection_end(&c);
    }
}

/* A client without a certificate is given one in the middle of a handshake. */
static void other_credentials(void)
{
    static const char *const priorities[] = {PRIORITY_1_2, PRIORITY_1_3};
    for (size_t i = 0; i < 2; i++) {
        struct connection c = plain(priorities[i], &ec);
        struct side late = {
            .priorities = priorities[i], .identities = &client_rsa, .identity_count = 1};
        ok(side_credentials(&late, false), "credentials");
        c.server.flags = CALL_SESSION_REQUEST_CERTIFICATE;
        ok(connection_start(&c), "start");
        side_call(&c.client, &c.server, 0, 0);
        struct schannel_call_set_credentials call = {c.client.session, late.credentials, ""};
        ok(half(SCHANNEL_CALL_SET_CREDENTIALS, &call) == SEC_E_OK, "%s", call.why);
        call.credentials = c.server.credentials;
        ok(half(SCHANNEL_CALL_SET_CREDENTIALS, &call) == SEC_E_INVALID_PARAMETER, "a server's");
        connection_run(&c);
        ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
        ok(same(side_read(&c.client, CALL_READ_LOCAL_CHAIN), identity_chain(&client_rsa)), "own");
        side_stop(&c.client);
        connection_end(&c);
        side_end(&late);
    }
}

/* Keys that do not fit, numbers that name nothing, chains that are cut. */
static void bad_credentials(void)
{
    struct call_identity wrong = ec;
    struct side side = {.priorities = PRIORITY_1_2, .identities = &wrong, .identity_count = 1};
    for (size_t i = 0; i < CALL_KEY_PARTS; i++) wrong.parts[i] = other_ec.parts[i];
    ok(!side_credentials(&side, true) && side.status == SEC_E_UNKNOWN_CREDENTIALS && side.why[0],
       "another key: %#x", side.status);
    ok(!side_credentials(&side, false) && side.status == SEC_E_UNKNOWN_CREDENTIALS,
       "another key, client: %#x", side.status);
    wrong = ec;
    wrong.kind = CALL_KEY_RSA;
    ok(!side_credentials(&side, true), "another kind");
    wrong.kind = 7;
    ok(!side_credentials(&side, true), "no kind");
    wrong = ec;
    wrong.curve_bits = 255;
    ok(!side_credentials(&side, true), "no curve");
    for (size_t cut = 0; cut < ec.chain.size; cut++) {
        wrong = ec;
        wrong.chain.size = cut;
        ok(!side_credentials(&side, true), "a chain of %zu bytes", cut);
    }
    side.identities = &ec;
    side.ticket_key = ascii("too short");
    ok(!side_credentials(&side, true) && side.status == SEC_E_INVALID_PARAMETER, "key of tickets");
    side.ticket_key = (struct slice){0};
    side.issuers = view("\0\0\1", 3);
    ok(!side_credentials(&side, true), "issuers");
    side.issuers = (struct slice){0};
    side.priorities = "NONSENSE";
    ok(!side_credentials(&side, true) && side.status == SEC_E_INVALID_PARAMETER, "%#x %s",
       side.status, side.why);
}

/* Nothing in common, or no certificate on the server's side. */
static void mismatches(void)
{
    struct connection c = plain(PRIORITY_1_2, &rsa);
    c.client.priorities = PRIORITY_1_0;
    ok(connection_start(&c), "start");
    connection_run(&c);
    ok(c.server.status == SEC_E_UNSUPPORTED_FUNCTION && c.server.alert == 70, "server %#x, %u",
       c.server.status, c.server.alert);
    ok(c.client.status == SEC_E_UNSUPPORTED_FUNCTION && c.client.alert == 70, "client %#x, %u",
       c.client.status, c.client.alert);
    connection_end(&c);

    c = plain(PRIORITY_RSA, &ec);
    ok(connection_start(&c), "start");
    connection_run(&c);
    ok(c.server.status == SEC_E_ALGORITHM_MISMATCH, "server %#x %s", c.server.status, c.server.why);
    ok(c.client.alert == 40, "client %#x, alert %u", c.client.status, c.client.alert);
    connection_end(&c);

    c = plain(PRIORITY_1_2, &ec);
    c.server.identity_count = 0;
    ok(connection_start(&c), "start");
    connection_run(&c);
    ok(c.server.status == SEC_E_ALGORITHM_MISMATCH, "server %#x %s", c.server.status, c.server.why);
    connection_end(&c);
}

/* A session goes on in another connection. */
static void resumption(void)
{
    static const char *const priorities[] = {PRIORITY_1_2, PRIORITY_1_3};
    static uint8_t key[64] = {1, 2, 3};
    for (size_t i = 0; i < 2; i++) {
        struct connection c = plain(priorities[i], &rsa);
        c.server.ticket_key = view(key, sizeof(key));
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(connection_done(&c) && !side_facts(&c.client).resumed, "the first one");
        if (i) {
            ok(!side_read(&c.client, CALL_READ_RESUMPTION).size, "no ticket yet");
            ticket_give(&c.client);
        }
        c.client.resume = side_read(&c.client, CALL_READ_RESUMPTION);
        ok(c.client.resume.size > 100, "%zu bytes", c.client.resume.size);
        ok(!side_read(&c.server, CALL_READ_RESUMPTION).size, "a server has none");
        connection_end(&c);

        c.client.verified = 0;
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
        ok(side_facts(&c.client).resumed && side_facts(&c.server).resumed, "resumed");
        ok(same(side_read(&c.server, CALL_READ_LOCAL_CHAIN), identity_chain(&rsa)), "own chain");
        ok(!c.client.verified, "it was judged before");
        ok(same(side_read(&c.client, CALL_READ_PEER_CHAIN), identity_chain(&rsa)), "same chain");
        secrets_agree(&c, i ? TLS_1_3 : TLS_1_2);
        connection_end(&c);

        /* With another key the ticket is nothing, and damaged data as well. */
        key[0] ^= 1;
        ok(connection_start(&c), "start");
        connection_run(&c);
        ok(connection_done(&c) && !side_facts(&c.server).resumed, "begun anew");
        connection_end(&c);
        c.client.resume.size = 50;
        ok(connection_start(&c), "start: %s", c.client.why);
        connection_run(&c);
        ok(connection_done(&c) && !side_facts(&c.server).resumed, "begun anew");
        connection_end(&c);
    }
}

/* RFC 6066 3: a session is not for another name. */
static void resumption_by_name(void)
{
    static const char *const priorities[] = {PRIORITY_1_2, PRIORITY_1_3};
    static const char *const names[] = {"one.test", "two.test", NULL, "one.test"};
    static uint8_t key[64] = {4, 5};
    for (size_t i = 0; i < 2; i++) {
        struct connection c = plain(priorities[i], &rsa);
        c.server.ticket_key = view(key, sizeof(key));
        c.client.server_name = names[0];
        ok(connection_start(&c), "start");
        connection_run(&c);
        if (i) ticket_give(&c.client);
        c.client.resume = side_read(&c.client, CALL_READ_RESUMPTION);
        connection_end(&c);
        for (size_t k = 1; k < sizeof(names) / sizeof(*names); k++) {
            c.client.server_name = names[k];
            ok(connection_start(&c), "start");
            connection_run(&c);
            ok(connection_done(&c) && side_facts(&c.server).resumed == (k == 3), "%s, name %zu: %s",
               priorities[i], k, c.server.why);
            connection_end(&c);
        }
    }
}

/* Sessions are resumed for as long as the server says. */
static void ticket_lifetime(void)
{
    static const char *const priorities[] = {PRIORITY_1_2, PRIORITY_1_3};
    static uint8_t key[64] = {4, 5, 6};
    struct connection c[2];
    for (size_t i = 0; i < 2; i++) {
        c[i] = plain(priorities[i], &rsa);
        c[i].server.ticket_key = view(key, sizeof(key));
        c[i].server.ticket_lifetime = 1;
        ok(connection_start(&c[i]), "start");
        connection_run(&c[i]);
        if (i) ticket_give(&c[i].client);
        c[i].client.resume = side_read(&c[i].client, CALL_READ_RESUMPTION);
        ok(c[i].client.resume.size > 100, "%zu bytes", c[i].client.resume.size);
        connection_end(&c[i]);
    }
    sleep(2); /* whole seconds are counted */
    for (size_t i = 0; i < 2; i++) {
        ok(connection_start(&c[i]), "start");
        connection_run(&c[i]);
        ok(connection_done(&c[i]) && !side_facts(&c[i].server).resumed, "%s", priorities[i]);
        connection_end(&c[i]);
    }
}

static void facts(void)
{
    static uint8_t ticket_key[64] = {7, 8};
    struct connection c = plain(PRIORITY_1_2 ":-GROUP-ALL:+GROUP-SECP384R1", &rsa);
    ok(connection_start(&c), "start");
    ok(!side_facts(&c.client).version && !side_secrets(&c.client).version, "nothing yet");
    connection_run(&c);
    struct schannel_call_facts facts = side_facts(&c.client);
    ok(facts.group == 24 && facts.group_bits == 384, "group %u", facts.group);
    ok(facts.signature == 0x0401 || facts.signature == 0x0804, "signature %#x", facts.signature);
    ok(!facts.library_records && facts.record_header == 13 && facts.record_trailer == 16, "%u + %u",
       facts.record_header, facts.record_trailer);
    struct schannel_call_read read = {.session = c.client.session, .what = 99};
    ok(half(SCHANNEL_CALL_READ, &read) == SEC_E_INVALID_PARAMETER, "no such thing");
    connection_end(&c);

    c = plain(PRIORITY_RSA, &rsa);
    c.server.ticket_key = view(ticket_key, sizeof(ticket_key));
    for (uint32_t resumed = 0; resumed < 2; resumed++) {
        ok(connection_start(&c), "start");
        connection_run(&c);
        for (int i = 0; i < 2; i++) {
            facts = side_facts(i ? &c.client : &c.server);
            ok(!facts.group && facts.group_bits == 2048, "group %u, %u bits", facts.group,
               facts.group_bits);
            ok(!facts.signature && facts.resumed == resumed, "signature %#x, resumed %u",
               facts.signature, facts.resumed);
        }
        c.client.resume = side_read(&c.client, CALL_READ_RESUMPTION);
        connection_end(&c);
    }

    c = plain(PRIORITY_1_3 ":-GROUP-ALL:+GROUP-X25519", &ec);
    ok(connection_start(&c), "start");
    connection_run(&c);
    facts = side_facts(&c.server);
    ok(facts.group == 29 && facts.group_bits == 255 && facts.signature == 0x0403, "%u %#x",
       facts.group, facts.signature);
    ok(facts.record_header == 5 && facts.record_trailer == 17, "%u + %u", facts.record_header,
       facts.record_trailer);
    connection_end(&c);
}

/* Any byte of a flight changed: a failure of one side or none, and never harm. */
static void damage(void)
{
    static const char *const priorities[] = {PRIORITY_1_2, PRIORITY_1_3};
    for (size_t i = 0; i < 4; i++) {
        struct connection c = plain(priorities[i / 2], &ec);
        ok(side_credentials(&c.client, false) && side_credentials(&c.server, true), "credentials");
        struct side *from = i & 1 ? &c.server : &c.client;
        struct side *to = i & 1 ? &c.client : &c.server;
        size_t size = 1, failures = 0;
        for (size_t at = 0; at < size; at += 3) {
            ok(connection_start(&c), "start");
            side_call(&c.client, &c.server, 0, 0);
            if (from == &c.server) side_call(&c.server, &c.client, 0, 0);
            size = to->inbox.size; /* not always the same: signatures differ in length */
            if (at < size) to->inbox.data[at] ^= 0x15;
            connection_run(&c);
            failures += !connection_done(&c);
            if (at < size && !connection_done(&c))
                ok(!status_ok(c.client.status) || !status_ok(c.server.status) ||
                       c.server.event == CALL_EVENT_INPUT,
                   "byte %zu: %#x %#x", at, c.client.status, c.server.status);
            side_stop(&c.client);
            side_stop(&c.server);
        }
        ok(failures > size / 3 * 9 / 10, "%zu failures at %zu bytes", failures, size);
        connection_end(&c);
    }
}

static void wrong_calls(void)
{
    struct connection c = plain(PRIORITY_1_2, &ec);
    ok(connection_start(&c), "start");
    struct schannel_call_handshake call = {.session = c.client.session,
                                           .verdict = CALL_VERDICT_GOOD};
    ok(half(SCHANNEL_CALL_HANDSHAKE, &call) == SEC_E_INVALID_PARAMETER, "nothing is judged");
    struct schannel_call_records records = {.session = c.client.session,
                                            .type = TLS_APPLICATION_DATA};
    ok(half(SCHANNEL_CALL_SEND, &records) == SEC_E_CONTEXT_EXPIRED, "too early");
    ok(half(SCHANNEL_CALL_RECEIVE, &records) == SEC_E_CONTEXT_EXPIRED, "too early");
    struct schannel_call_renegotiate again = {.session = c.client.session};
    ok(half(SCHANNEL_CALL_RENEGOTIATE, &again) == SEC_E_UNSUPPORTED_FUNCTION, "too early");
    struct schannel_call_post ticket = {.session = c.client.session};
    ok(half(SCHANNEL_CALL_POST, &ticket) == SEC_E_UNSUPPORTED_FUNCTION, "too early");
    /* garbage */
    static const char nonsense[] = "GET / HTTP/1.1\r\nHost: server.example\r\n\r\n";
    writer_bytes(&c.server.inbox, nonsense, sizeof(nonsense));
    side_call(&c.server, &c.client, 0, 0);
    ok(!status_ok(c.server.status) && c.server.why[0], "server %#x %s", c.server.status,
       c.server.why);
    connection_end(&c);
}

int main(void)
{
    rsa = unit_identity(CALL_KEY_RSA, "server.example");
    ec = unit_identity(CALL_KEY_EC, "server.example");
    other_ec = unit_identity(CALL_KEY_EC, "other.example");
    client_rsa = unit_identity(CALL_KEY_RSA, "client.example");
    RUN(library);
    RUN(handshakes);
    RUN(pieces);
    RUN(alpn);
    RUN(server_names);
    RUN(client_certificates);
    RUN(verdicts);
    RUN(other_credentials);
    RUN(bad_credentials);
    RUN(mismatches);
    RUN(resumption);
    RUN(resumption_by_name);
    RUN(ticket_lifetime);
    RUN(facts);
    RUN(damage);
    RUN(wrong_calls);
    return test_end("unit_schannel");
}
