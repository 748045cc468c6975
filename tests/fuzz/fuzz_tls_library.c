/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_schannel with the library that there is, against a peer that goes astray.
 * The first byte chooses the side that is looked at, datagrams, the version, and how much room its
 * output has; the second one how many calls of a good handshake come first. Then come calls: which
 * one, the size of its input in two bytes, and the input.
 */
#include "../unit/schannel.h"
#include "fuzz.h"

#define SERVER 0x01u
#define DATAGRAM 0x02u
#define OLD 0x04u     /* TLS 1.2 */
#define LIBRARY 0x08u /* the library makes the records */
#define REQUEST 0x10u /* the server asks for a certificate */
#define NARROW 0x20u  /* the output has little room */

enum { CALL_HANDSHAKE, CALL_HANDSHAKE_GOOD, CALL_RECEIVE, CALL_POST, CALL_RENEGOTIATE, CALLS };

static struct call_identity identity;
static status_t failed; /* what the handshake has failed with */

static struct connection prepare(uint8_t choice)
{
    const char *priorities = choice & OLD ? PRIORITY_1_2 : PRIORITY_1_3;
    if (choice & LIBRARY) priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC";
    if (choice & DATAGRAM) priorities = "NORMAL:-VERS-ALL:+VERS-DTLS1.2";
    uint32_t flags = choice & DATAGRAM ? CALL_SESSION_DATAGRAM : 0;
    struct connection c = {
        .client = {.priorities = priorities, .server_name = "server.example", .flags = flags},
        .server = {.priorities = priorities,
                   .identities = &identity,
                   .identity_count = 1,
                   .flags = flags},
    };
    if (choice & REQUEST) c.server.flags |= CALL_SESSION_REQUEST_CERTIFICATE;
    if (choice & DATAGRAM) c.server.peer = ascii("a client");
    c.client.mtu = c.server.mtu = 1200;
    return c;
}

static void call_handshake(struct side *side, struct slice input, size_t room, bool good)
{
    static uint8_t output[1 << 16];
    struct schannel_call_handshake call = {.session = side->session,
                                           .input = unit_bytes(input),
                                           .output = unixcall_address(output),
                                           .output_room = room,
                                           .verdict = good ? CALL_VERDICT_GOOD : CALL_VERDICT_NONE};
    status_t status = half(SCHANNEL_CALL_HANDSHAKE, &call);
    must(call.consumed <= input.size && call.output_size <= room);
    if (status_ok(status)) must(call.event >= CALL_EVENT_INPUT && call.event <= CALL_EVENT_DONE);
    if (status == SEC_E_INVALID_PARAMETER && good) return; /* nobody has asked for a verdict */
    /* One that has failed stays so. */
    must(!failed || status == failed);
    if (!status_ok(status)) failed = status;
}

static void call_receive(struct side *side, struct slice input, size_t room)
{
    static uint8_t output[1 << 16];
    struct schannel_call_records call = {.session = side->session,
                                         .input = unit_bytes(input),
                                         .output = unixcall_address(output),
                                         .output_room = room};
    status_t status = half(SCHANNEL_CALL_RECEIVE, &call);
    must(call.consumed <= input.size && call.output_size <= room);
    must(status != SEC_E_INCOMPLETE_MESSAGE || !call.consumed);
}

static void call_others(struct side *side, unsigned which, struct slice input)
{
    struct schannel_call_post post = {.session = side->session, .record = unit_bytes(input)};
    struct schannel_call_renegotiate another = {.session = side->session,
                                                .send_sequence = CALL_SEQUENCE_KEPT,
                                                .receive_sequence = CALL_SEQUENCE_KEPT};
    if (which == CALL_POST) half(SCHANNEL_CALL_POST, &post);
    else half(SCHANNEL_CALL_RENEGOTIATE, &another);
}

/* What can be asked at any time. */
static void ask(const struct side *side)
{
    static uint8_t room[1 << 16];
    struct schannel_call_secrets secrets = {.session = side->session};
    struct schannel_call_facts facts = {.session = side->session};
    must(half(SCHANNEL_CALL_SECRETS, &secrets) == SEC_E_OK);
    must(secrets.secret_size <= CALL_SECRET_MAX && secrets.finished_size <= 12);
    if (half(SCHANNEL_CALL_FACTS, &facts) == SEC_E_OK) {
        must(facts.alpn_size < sizeof(facts.alpn));
        must(facts.session_id_size <= sizeof(facts.session_id));
        must(memchr(facts.server_name, 0, sizeof(facts.server_name)));
    }
    for (uint32_t what = CALL_READ_PEER_CHAIN; what <= CALL_READ_LOCAL_CHAIN; what++) {
        struct schannel_call_read call = {.session = side->session,
                                          .output = unixcall_address(room),
                                          .room = sizeof(room),
                                          .what = what};
        if (half(SCHANNEL_CALL_READ, &call) == SEC_E_OK) must(call.size <= sizeof(room));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r;
    if (!identity.chain.size) {
        struct schannel_call_library call = {0};
        must(half(SCHANNEL_CALL_LIBRARY, &call) == SEC_E_OK);
        identity = unit_identity(CALL_KEY_EC, "server.example");
    }
    reader_init(&r, data, size);
    uint8_t choice = reader_u8(&r), calls = reader_u8(&r) & 15;
    struct connection c = prepare(choice);
    struct side *side = choice & SERVER ? &c.server : &c.client;
    const size_t room = choice & NARROW ? 50 : 1 << 16;
    must(connection_start(&c));
    failed = SEC_E_OK;
    for (unsigned i = 0; i < calls; i++)
        side_call(i & 1 ? &c.server : &c.client, i & 1 ? &c.client : &c.server, 0, 0);
    while (reader_ok(&r) && reader_left(&r)) {
        unsigned which = reader_u8(&r) % CALLS;
        struct slice input = reader_bytes(&r, reader_u16be(&r));
        if (!reader_ok(&r)) break;
        uint8_t *block = exact_copy(input.data, input.size);
        input.data = block;
        if (which == CALL_RECEIVE) call_receive(side, input, room);
        else if (which > CALL_RECEIVE) call_others(side, which, input);
        else call_handshake(side, input, room, which == CALL_HANDSHAKE_GOOD);
        free(block);
        ask(side);
    }
    connection_end(&c);
    return 0;
}
