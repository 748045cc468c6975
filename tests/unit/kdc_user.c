/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User-to-user of the Unix half over a KDC: both sides of it, and each of them with a peer of the
 * program's own, which makes its AP exchange with libkrb5 and its frames by hand. Alice is the
 * client and bob the server. See kerberos.h for where it runs.
 */
#include "kerberos.h"
#include "unix.h"

#define BOB "bob" REALM

static uint64_t alice, bob; /* credentials by password */

static struct pair *user_pair(const char *target, uint32_t asked)
{
    struct pair *pair = pair_new(target, asked | CALL_USER_TO_USER);
    pair->client.credential = alice;
    pair->server.credential = bob;
    pair->server.asked = CALL_USER_TO_USER;
    return pair;
}

static void library(void)
{
    struct kerberos_call_library call = {0};
    snprintf(call.name, sizeof(call.name), "%s", getenv("GSS_LIBRARY"));
    ok(half(KERBEROS_CALL_LIBRARY, &call) == SEC_E_OK, "%s", call.why);
    alice = acquired(CALL_USE_INITIATE, "alice", "alice's");
    bob = acquired(CALL_USE_INITIATE, "bob", "bob's");
}

/* Its libkrb5 has another binary interface. */
static void heimdal(void)
{
    struct pair *pair = user_pair(BOB, USUAL_FLAGS);
    ok(!pair_run(pair) && pair->client.status == SEC_E_UNSUPPORTED_FUNCTION, "client: %#x %s",
       pair->client.status, pair->client.why);
    pair_free(pair);
}

/* ---- both sides ---- */

static void exchanges(void)
{
    static const struct {
        uint32_t asked;
        unsigned client_legs;
        uint32_t acceptor_subkey;
    } table[] = {
        {USUAL_FLAGS, 3, 1},
        {CALL_MUTUAL, 3, 1},
        {CALL_INTEGRITY | CALL_CONFIDENTIALITY, 2, 0},
        {USUAL_FLAGS | CALL_IDENTIFY | CALL_EXTENDED_ERROR, 3, 1},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct pair *pair = user_pair(BOB, table[i].asked);
        ok(pair_run(pair), "%zu: client %#x %s, server %#x %s", i, pair->client.status,
           pair->client.why, pair->server.status, pair->server.why);
        uint32_t granted = table[i].asked | CALL_USER_TO_USER;
        ok(pair->client.flags == granted && pair->server.flags == granted, "%zu: %#x and %#x", i,
           pair->client.flags, pair->server.flags);
        ok(pair->client.legs == table[i].client_legs && pair->server.legs == 2, "%zu: legs %u %u",
           i, pair->client.legs, pair->server.legs);
        struct kerberos_call_facts client = side_facts(&pair->client),
                                   server = side_facts(&pair->server);
        ok(is_text(client.client, client.client_size, "alice" REALM) &&
               is_text(server.client, server.client_size, "alice" REALM),
           "%zu: the client", i);
        ok(is_text(client.server, client.server_size, BOB) &&
               is_text(server.server, server.server_size, BOB),
           "%zu: the server", i);
        ok(client.expiry && client.expiry == server.expiry && client.start == server.start,
           "%zu: times", i);
        struct kerberos_call_session one = side_session(&pair->client),
                                     other = side_session(&pair->server);
        ok(one.enctype == 18 && one.key_size == 32 && other.key_size == 32 &&
               !memcmp(one.key, other.key, 32),
           "%zu: keys", i);
        ok(one.acceptor_subkey == table[i].acceptor_subkey &&
               other.acceptor_subkey == table[i].acceptor_subkey,
           "%zu: whose key", i);
        ok(one.send_sequence == other.receive_sequence &&
               one.receive_sequence == other.send_sequence,
           "%zu: numbers", i);
        pair_free(pair);
    }
}

static void rooms(void)
{
    for (size_t room = 1; room < 100; room += 90) {
        struct pair *pair = user_pair(BOB, USUAL_FLAGS);
        pair->room = room;
        ok(pair_run(pair), "%zu bytes: %s %s", room, pair->client.why, pair->server.why);
        pair_free(pair);
    }
}

/* As the KDC has been told: RC4 has no key of the acceptor's, and of another type core knows no
 * messages. */
static void other_keys(void)
{
    static const struct {
        const char *configuration;
        uint32_t enctype;
        status_t status;
    } table[] = {{"rc4-hmac.conf", 23, SEC_E_OK},
                 {"camellia256-cts.conf", 26, SEC_E_ALGORITHM_MISMATCH}};
    uint64_t usual[] = {alice, bob};
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        environment("KRB5_CONFIG", "", table[i].configuration);
        alice = acquired(CALL_USE_INITIATE, "alice", "alice's");
        bob = acquired(CALL_USE_INITIATE, "bob", "bob's");
        struct pair *pair = user_pair(BOB, USUAL_FLAGS);
        bool done = pair_run(pair);
        ok(done == (table[i].status == SEC_E_OK), "%zu: %s %s", i, pair->client.why,
           pair->server.why);
        if (done) {
            struct kerberos_call_session one = side_session(&pair->client),
                                         other = side_session(&pair->server);
            ok(one.enctype == table[i].enctype && !one.acceptor_subkey && !other.acceptor_subkey &&
                   !memcmp(one.key, other.key, CALL_KEY_MAX),
               "%zu: keys", i);
        } else {
            ok(pair->server.status == table[i].status, "%zu: server %#x", i, pair->server.status);
        }
        pair_free(pair);
        credential_end(alice);
        credential_end(bob);
    }
    environment_usual();
    alice = usual[0];
    bob = usual[1];
}

/* ---- a peer of libkrb5 ---- */

static krb5_context own;

static struct slice element(uint8_t tag, const struct slice *parts, size_t count)
{
    size_t size = 0, at = 0;
    for (size_t i = 0; i < count; i++) size += parts[i].size;
    uint8_t *out = unit_room(size + 4);
    out[at++] = tag;
    if (size >= 256) out[at++] = 0x82;
    else if (size >= 128) out[at++] = 0x81;
    if (size >= 256) out[at++] = (uint8_t)(size >> 8);
    out[at++] = (uint8_t)size;
    for (size_t i = 0; i < count; i++) {
        memcpy(out + at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    return view(out, at);
}

static void peer_frame(struct side *side, const char *kind, struct slice message)
{
    const struct slice parts[] = {hex("060a2a864886f71201020203"), hex(kind), message};
    struct slice frame = element(0x60, parts, 3);
    memcpy(side->token, frame.data, frame.size);
    side->token_size = frame.size;
}

/* What is behind the frame, of that kind. */
static struct slice peer_unframe(const struct side *side, const char *kind)
{
    size_t at = side->token[1] & 0x80 ? 2u + (side->token[1] & 0x7f) : 2;
    struct slice head = hex("060a2a864886f71201020203"), id = hex(kind);
    ok(side->token_size > at + 14 && side->token[0] == 0x60 &&
           same(view(side->token + at, 12), head) && same(view(side->token + at + 12, 2), id),
       "a token %s", kind);
    return view(side->token + at + 14, side->token_size - at - 14);
}

static krb5_data peer_data(struct slice bytes)
{
    return (krb5_data){.length = (unsigned)bytes.size, .data = (char *)(uintptr_t)bytes.data};
}

static void keys_agree(const struct side *side, krb5_auth_context auth, bool peer_is_client)
{
    struct kerberos_call_session session = side_session(side);
    krb5_keyblock *key = NULL;
    krb5_int32 send = 0, receive = 0;
    krb5_error_code error = peer_is_client ? krb5.auth_con_getrecvsubkey(own, auth, &key)
                                           : krb5.auth_con_getsendsubkey(own, auth, &key);
    ok(!error && key && (uint32_t)key->enctype == session.enctype &&
           key->length == session.key_size && !memcmp(key->contents, session.key, key->length),
       "the key");
    krb5.auth_con_getlocalseqnumber(own, auth, &send);
    krb5.auth_con_getremoteseqnumber(own, auth, &receive);
    ok(session.acceptor_subkey == 1 && session.send_sequence == (uint32_t)receive &&
           session.receive_sequence == (uint32_t)send,
       "the numbers");
    krb5.free_keyblock(own, key);
}

static const krb5_int32 auth_flags = KRB5_AUTH_CONTEXT_DO_TIME | KRB5_AUTH_CONTEXT_DO_SEQUENCE;

/* The ticket that the server has sent, of RFC 4120's tag, is what is left of its reply. */
static krb5_creds *peer_ticket(struct slice reply, krb5_ccache cache)
{
    krb5_creds wanted = {0}, *found = NULL;
    size_t at = 0;
    while (at < reply.size && reply.data[at] != 0x61) at++;
    krb5.cc_get_principal(own, cache, &wanted.client);
    krb5.parse_name(own, BOB, &wanted.server);
    wanted.second_ticket = peer_data(view(reply.data + at, reply.size - at));
    krb5_error_code error = krb5.get_credentials(own, KRB5_GC_USER_USER | KRB5_GC_NO_STORE, cache,
                                                 &wanted, &found);
    ok(!error, "a ticket for bob: %d", (int)error);
    krb5.free_principal(own, wanted.client);
    krb5.free_principal(own, wanted.server);
    return found;
}

/* A checksum with the mutual flag, and an extension that nobody knows. */
static krb5_error_code peer_request(krb5_creds *creds, krb5_flags options, krb5_auth_context *auth,
                                    krb5_data *out)
{
    krb5_data checksum = peer_data(
        hex("10000000 00000000000000000000000000000000 32000000 0000000100000001ff"));
    krb5.auth_con_init(own, auth);
    krb5.auth_con_setflags(own, *auth, auth_flags);
    krb5.auth_con_set_req_cksumtype(own, *auth, 0x8003);
    return krb5.mk_req_extended(own, auth, options, &checksum, creds, out);
}

static void peer_client(void)
{
    struct side *server = calloc(1, sizeof(*server));
    krb5_ccache cache = NULL;
    krb5_auth_context auth = NULL;
    krb5_ap_rep_enc_part *part = NULL;
    krb5_data made = {0};
    if (!server) abort();
    server->credential = bob;
    server->asked = CALL_USER_TO_USER;
    krb5.cc_default(own, &cache);
    peer_frame(server, "0400", hex("300a a003020105 a103020110"));
    side_run(server, KERBEROS_CALL_ACCEPT, "", server, 0);
    ok(server->status == SEC_E_OK && !server->done, "reply: %#x %s", server->status, server->why);
    krb5_creds *creds = peer_ticket(peer_unframe(server, "0401"), cache);
    krb5_error_code error = peer_request(
        creds, AP_OPTS_USE_SESSION_KEY | AP_OPTS_USE_SUBKEY | AP_OPTS_MUTUAL_REQUIRED, &auth,
        &made);
    ok(!error, "AP-REQ: %d", (int)error);
    peer_frame(server, "0100", view(made.data, made.length));
    side_run(server, KERBEROS_CALL_ACCEPT, "", server, 0);
    ok(server->status == SEC_E_OK && server->done, "server: %#x %s", server->status, server->why);
    ok(server->flags == (CALL_USER_TO_USER | 0x32), "flags %#x", server->flags);
    krb5_data answer = peer_data(peer_unframe(server, "0200"));
    error = krb5.rd_rep(own, auth, &answer, &part);
    ok(!error && part && part->subkey, "AP-REP: %d", (int)error);
    keys_agree(server, auth, true);
    krb5.free_ap_rep_enc_part(own, part);
    krb5.free_data_contents(own, &made);
    krb5.free_creds(own, creds);
    krb5.auth_con_free(own, auth);
    krb5.cc_close(own, cache);
    side_end(server);
    free(server);
}

/* Bob's ticket-granting ticket, of his cache. */
static krb5_error_code peer_own(krb5_creds *out)
{
    krb5_creds wanted = {0};
    krb5_ccache cache = NULL;
    krb5.cc_resolve(own, kdc_file("FILE:", "tickets-bob"), &cache);
    krb5.cc_get_principal(own, cache, &wanted.client);
    krb5.parse_name(own, "krbtgt/WINESSPI.TEST" REALM, &wanted.server);
    krb5_error_code error = krb5.cc_retrieve_cred(own, cache, 0, &wanted, out);
    krb5.free_principal(own, wanted.client);
    krb5.free_principal(own, wanted.server);
    krb5.cc_close(own, cache);
    return error;
}

static void peer_reply(struct side *client, const krb5_creds *creds)
{
    const struct slice ticket = view(creds->ticket.data, creds->ticket.length);
    const struct slice parts[] = {hex("a003020105"), hex("a103020111"), element(0xa2, &ticket, 1)};
    peer_frame(client, "0401", element(0x30, parts, 3));
}

static void authenticator_check(krb5_auth_context auth)
{
    krb5_authenticator *authenticator = NULL;
    struct slice expected = hex("10000000 00000000000000000000000000000000 3e000000");
    ok(!krb5.auth_con_getauthenticator(own, auth, &authenticator), "the authenticator");
    if (!authenticator) return;
    const krb5_checksum *checksum = authenticator->checksum;
    ok(checksum && checksum->checksum_type == 0x8003 &&
           same(view(checksum->contents, checksum->length), expected),
       "its checksum");
    krb5.free_authenticator(own, authenticator);
}

static void peer_server(void)
{
    struct side *client = calloc(1, sizeof(*client));
    krb5_creds creds = {0};
    krb5_auth_context auth = NULL;
    krb5_ticket *ticket = NULL;
    krb5_flags options = 0;
    krb5_data made = {0};
    if (!client) abort();
    client->credential = alice;
    client->asked = USUAL_FLAGS | CALL_USER_TO_USER;
    ok(!peer_own(&creds), "bob's ticket");
    side_run(client, KERBEROS_CALL_INITIATE, BOB, client, 0);
    ok(same(peer_unframe(client, "0400"),
            hex("302d a003020105 a103020110 a210 300e a003020101 a107 3005 1b03 626f62"
                "a30f 1b0d 57494e45535350492e54455354")),
       "the request: %zu bytes", client->token_size);
    peer_reply(client, &creds);
    side_run(client, KERBEROS_CALL_INITIATE, BOB, client, 0);
    ok(client->status == SEC_E_OK && !client->done, "client: %#x %s", client->status, client->why);
    krb5_data request = peer_data(peer_unframe(client, "0100"));
    krb5.auth_con_init(own, &auth);
    krb5.auth_con_setflags(own, auth, auth_flags);
    krb5.auth_con_setuseruserkey(own, auth, &creds.keyblock);
    krb5_error_code error = krb5.rd_req(own, &auth, &request, NULL, NULL, &options, &ticket);
    ok(!error && options == (AP_OPTS_USE_SESSION_KEY | AP_OPTS_MUTUAL_REQUIRED),
       "AP-REQ: %d, options %#x", (int)error, (unsigned)options);
    authenticator_check(auth);
    krb5.auth_con_setflags(own, auth, auth_flags | KRB5_AUTH_CONTEXT_USE_SUBKEY);
    error = krb5.mk_rep(own, auth, &made);
    ok(!error, "AP-REP: %d", (int)error);
    peer_frame(client, "0200", view(made.data, made.length));
    side_run(client, KERBEROS_CALL_INITIATE, BOB, client, 0);
    ok(client->status == SEC_E_OK && client->done, "client: %#x %s", client->status, client->why);
    keys_agree(client, auth, false);
    krb5.free_data_contents(own, &made);
    if (ticket) krb5.free_ticket(own, ticket);
    krb5.auth_con_free(own, auth);
    krb5.free_cred_contents(own, &creds);
    side_end(client);
    free(client);
}

/* ---- peers that are not right ---- */

/* A ticket for a service is encrypted with another key; a request that does not say which key it is
 * for is refused though it opens; and what the server says is wrong comes through. */
static void wrong_requests(void)
{
    struct side *server = calloc(1, sizeof(*server));
    krb5_ccache cache = NULL;
    if (!server) abort();
    krb5.cc_default(own, &cache);
    for (int i = 0; i < 2; i++) {
        krb5_auth_context auth = NULL;
        krb5_data made = {0};
        *server = (struct side){.credential = bob, .asked = CALL_USER_TO_USER};
        peer_frame(server, "0400", hex("300a a003020105 a103020110"));
        side_run(server, KERBEROS_CALL_ACCEPT, "", server, 0);
        krb5_creds *creds = peer_ticket(peer_unframe(server, "0401"), cache);
        krb5_flags options = i ? 0 : AP_OPTS_USE_SESSION_KEY;
        ok(!peer_request(creds, options, &auth, &made), "AP-REQ");
        if (!i) made.data[made.length - 1] ^= 1;
        peer_frame(server, "0100", view(made.data, made.length));
        side_run(server, KERBEROS_CALL_ACCEPT, "", server, 0);
        ok(server->status == (i ? SEC_E_INVALID_TOKEN : SEC_E_LOGON_DENIED), "request %d: %#x %s",
           i, server->status, server->why);
        krb5.free_data_contents(own, &made);
        krb5.free_creds(own, creds);
        krb5.auth_con_free(own, auth);
        side_end(server);
    }
    krb5.cc_close(own, cache);
    free(server);
}

/* KRB-ERROR (RFC 4120 5.9.1) of krb5srv at a time of 2000, with that code. */
static struct slice refusal(const char *code)
{
    const struct slice parts[] = {
        hex("a003020105 a10302011e a411 180f 32303030303130313030303030305a a503020100"), hex(code),
        hex("a906 1b04 4641524d aa0f 300d a003020101 a106 3004 1b02 6261")};
    struct slice fields = element(0x30, parts, 3);
    return element(0x7e, &fields, 1);
}

static void wrong_replies(void)
{
    static const struct {
        const char *kind, *code;
        status_t status;
    } table[] = {
        {"0300", "a603020143", SEC_E_NO_TGT_REPLY},         /* KRB_AP_ERR_NO_TGT */
        {"0300", "a603020145", SEC_E_NO_TGT_REPLY},         /* KRB_AP_ERR_USER_TO_USER_REQUIRED */
        {"0300", "a603020125", SEC_E_TIME_SKEW},            /* KRB_AP_ERR_SKEW */
        {"0300", "a606 0204 6938c60c", SEC_E_LOGON_DENIED}, /* would be ENOMEM */
        {"0300", "a607 0205 0080000000", SEC_E_LOGON_DENIED},
        {"0300", "a603020100", SEC_E_LOGON_DENIED},
        {"0200", "a603020125", SEC_E_INVALID_TOKEN}, /* out of turn */
        {"0401", "a603020125", SEC_E_INVALID_TOKEN}, /* no reply */
    };
    struct side *client = calloc(1, sizeof(*client));
    if (!client) abort();
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        *client = (struct side){.credential = alice, .asked = USUAL_FLAGS | CALL_USER_TO_USER};
        side_run(client, KERBEROS_CALL_INITIATE, BOB, client, 0);
        peer_frame(client, table[i].kind, refusal(table[i].code));
        side_run(client, KERBEROS_CALL_INITIATE, BOB, client, 0);
        ok(client->status == table[i].status, "reply %zu: %#x %s", i, client->status, client->why);
        side_end(client);
    }
    free(client);
}

/* Where six letters are in a token; NULL for NULL. */
static uint8_t *text_find(struct side *side, const char *text)
{
    for (size_t at = 0; text && at + 6 <= side->token_size; at++)
        if (!memcmp(side->token + at, text, 6)) return side->token + at;
    return NULL;
}

/* A ticket for a service, that of another realm, and one that its KDC cannot read. */
static void wrong_tickets(void)
{
    static const struct {
        const char *target, *find, *change, *words;
    } table[] = {
        {BOB, "krbtgt", "krbtgu", "grants no tickets"},
        {"bob@ELSEWHERE", "krbtgt", "krbtgt", "another realm"},
        {"alice" REALM, "krbtgt", "krbtgt", ""},
        {BOB, NULL, NULL, ""},
    };
    struct side *client = calloc(1, sizeof(*client));
    if (!client) abort();
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        krb5_creds creds = {0};
        *client = (struct side){.credential = alice, .asked = USUAL_FLAGS | CALL_USER_TO_USER};
        ok(!peer_own(&creds), "bob's ticket");
        side_run(client, KERBEROS_CALL_INITIATE, table[i].target, client, 0);
        peer_reply(client, &creds);
        uint8_t *at = text_find(client, table[i].find);
        if (at) memcpy(at, table[i].change, 6);
        else client->token[client->token_size - 1] ^= 1;
        side_run(client, KERBEROS_CALL_INITIATE, table[i].target, client, 0);
        ok(client->status == SEC_E_WRONG_PRINCIPAL && strstr(client->why, table[i].words),
           "ticket %zu: %#x %s", i, client->status, client->why);
        krb5.free_cred_contents(own, &creds);
        side_end(client);
    }
    free(client);
}

static void run_mit(void)
{
    if (krb5.init_context(&own)) abort();
    RUN(exchanges);
    RUN(rooms);
    RUN(other_keys);
    RUN(peer_client);
    RUN(peer_server);
    RUN(wrong_requests);
    RUN(wrong_replies);
    RUN(wrong_tickets);
    krb5.free_context(own);
}

int main(void)
{
    environment_usual();
    RUN(library);
    if (is_mit()) run_mit();
    else RUN(heimdal);
    credential_end(alice);
    credential_end(bob);
    return test_end("kdc_user");
}
