/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of an exported context: its layout, moving in mid-handshake and in mid-stream, and
 * bodies that nobody can have written. Built natively and for Windows, since the layout has to be
 * the same for all.
 */
#include "handshake.h"

static void moved_at_every_stage(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client.requested = 0x11223344;
    h.server.attributes = 0x55667788;
    ok(!handshake_move(&h.client, false) && !handshake_move(&h.server, false), "before it starts");
    ok(!handshake_start(&h) && !handshake_move(&h.client, false), "NEGOTIATE sent");
    ok(!handshake_challenge(&h) && !handshake_move(&h.server, false), "CHALLENGE sent");
    ok(h.server.negotiate_flags == 0xE28A8235, "flags of the handshake");
    ok(!memcmp(h.server.server_challenge, h.server_start.server_challenge, 8), "challenge");
    ok(!handshake_answer(&h) && !handshake_move(&h.client, false), "client established");
    ok(!handshake_accept(&h) && !handshake_move(&h.server, false), "server established");
    ok(handshake_works(&h), "both ends talk");
    ok(h.client.requested == 0x11223344 && h.server.attributes == 0x55667788, "flags kept");
    ok(blob_is(&h.server.user, wide("User")) && blob_is(&h.server.domain, wide("Domain")) &&
           blob_is(&h.server.target_name, wide("HTTP/server.example")),
       "names kept");
    ok(h.server.start_time == h.server_finish.now, "time kept");
    handshake_clear(&h);
}

static void moved_local(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.offer_local = true;
    h.server_start.local_ticket = 42;
    h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_LOCAL;
    ok(!handshake_start(&h) && !handshake_challenge(&h), "half way");
    ok(!handshake_move(&h.client, false) && !handshake_move(&h.server, false), "moved");
    ok(h.server.local_ticket == 42, "ticket");
    ok(!handshake_answer(&h) && !handshake_accept(&h) && !handshake_move(&h.server, false),
       "all the way");
    ok(h.server.local && handshake_works(&h), "local");
    handshake_clear(&h);
}

/* Streams and counters go on where they were, again and again. */
static void moved_mid_stream(void)
{
    struct handshake h;
    handshake_init(&h);
    ok(!handshake_run(&h), "run");
    for (uint32_t i = 0; i < 40; i++) {
        ok(handshake_say(&h.client.session, &h.server.session, "some text of the client"), "%u", i);
        if (i % 3 == 0)
            ok(handshake_say(&h.server.session, &h.client.session, "some of the server"), "%u", i);
        ok(!handshake_move(&h.server, false), "move %u", i);
        if (i % 5 == 0) ok(!handshake_move(&h.client, false), "move the client, %u", i);
    }
    ok(h.server.session.receive.sequence == 40 && h.server.session.send.sequence == 14, "counted");
    handshake_clear(&h);
}

static void reset(void)
{
    struct handshake h;
    handshake_init(&h);
    ok(!handshake_run(&h), "run");
    ok(handshake_say(&h.client.session, &h.server.session, "before"), "some talk");
    ok(handshake_say(&h.server.session, &h.client.session, "before"), "some talk");
    ok(!handshake_move(&h.server, true), "moved and reset");
    ok(!h.server.session.receive.sequence && !h.server.session.send.sequence, "counters");
    ok(h.client.session.send.sequence == 1, "the other end is untouched");
    ntlm_session_rewind(&h.client.session);
    ok(handshake_works(&h), "both at the beginning");
    handshake_clear(&h);
}

/* What SPNEGO does when the handshake is complete. */
static void exchange_mic(struct ntlm_session *from, struct ntlm_session *to)
{
    uint8_t list[4] = "list", mic[16];
    struct message_part part = {list, sizeof(list), false};
    ok(!ntlm_sign(from, 0, &part, 1, mic) && !ntlm_verify(to, 0, &part, 1, mic), "mechListMIC");
    ntlm_session_restart_stream(from, true);
    ntlm_session_restart_stream(to, false);
}

/* The peer, which is not reset, has counted the mechListMIC. */
static void reset_behind_mic(void)
{
    struct handshake h;
    handshake_init(&h);
    ok(!handshake_run(&h), "run");
    exchange_mic(&h.client.session, &h.server.session);
    exchange_mic(&h.server.session, &h.client.session);
    ok(!handshake_move(&h.server, true), "moved and reset");
    ok(handshake_works(&h), "the application's messages start where they did");
    ok(!handshake_move(&h.server, true) && !handshake_move(&h.server, true), "and again");
    ntlm_session_rewind(&h.client.session);
    ok(h.client.session.send.sequence == 1, "behind the mechListMIC");
    ok(handshake_works(&h), "both at the beginning");
    handshake_clear(&h);
}

static void without_ess(void)
{
    static const uint32_t flags[] = {NTLM_SIGN | NTLM_SEAL,
                                     NTLM_SIGN | NTLM_SEAL | NTLM_LM_KEY | NTLM_56};
    for (size_t i = 0; i < 2; i++) {
        struct handshake h;
        handshake_init(&h);
        h.client.stage = h.server.stage = NTLM_STAGE_ESTABLISHED;
        ok(!ntlm_session_init(&h.client.session, flags[i], unit_pool, true), "client");
        ok(!ntlm_session_init(&h.server.session, flags[i], unit_pool, false), "server");
        ok(handshake_works(&h), "before");
        ok(!handshake_move(&h.server, false) && !handshake_move(&h.client, false), "moved");
        ok(handshake_works(&h), "after");
        ok(h.client.session.send.sequence == 4, "one counter");
        handshake_clear(&h);
    }
}

/* ---- layout ---- */

static void half_open_layout(void)
{
    struct handshake h;
    struct writer w;
    handshake_init(&h);
    h.client.requested = 0x01020304;
    h.client_start.target_name = wide("X");
    ok(!handshake_start(&h), "start");
    writer_init(&w);
    ntlm_context_write(&h.client, false, &w);
    ok(same(writer_view(&w),
            hex("02 01 01 00 04030201 00000000 0000000000000000 0000 0000 0200 5800"
                "358208e2 30000000 0000000000000000 2800"
                "4e544c4d53535000 01000000 358208e2 0000000028000000 0000000028000000"
                "0a00614a0000000f")),
       "bytes");
    writer_free(&w);
    handshake_clear(&h);
}

/* A server that waits for datagrams: what its messages do not say comes before them. */
static void waiting_layout(void)
{
    struct handshake h;
    struct writer w;
    handshake_init(&h);
    h.server_start.flags = NTLM_UNICODE | NTLM_DATAGRAM | NTLM_SIGN;
    h.server_start.required = NTLM_SIGN;
    h.server_start.challenge_ticket = 0x1122334455667788;
    h.client_start.flags = NTLM_UNICODE | NTLM_DATAGRAM | NTLM_SIGN;
    ok(!handshake_start(&h) && !handshake_challenge(&h), "half way");
    writer_init(&w);
    ntlm_context_write(&h.server, false, &w);
    ok(same(view(writer_view(&w).data, 44),
            hex("02 02 02 00 00000000 00000000 0000000000000000 0000 0000 0000"
                "55828242 10000000 8877665544332211 0000")),
       "bytes");
    ok(!handshake_move(&h.server, false) && h.server.required == NTLM_SIGN &&
           h.server.challenge_ticket == h.server_start.challenge_ticket,
       "moved");
    ok(!handshake_move(&h.client, false) && h.client.required == (NTLM_SIGN | NTLM_KEY_EXCH),
       "the client too");
    ok(!handshake_answer(&h) && !handshake_accept(&h) && handshake_works(&h), "goes on");
    writer_free(&w);
    handshake_clear(&h);
}

/* The clear fields byte for byte, the whole by its digest. */
static void established_layout(void)
{
    struct handshake h;
    struct writer w;
    uint8_t digest[16];
    handshake_init(&h);
    ok(!handshake_run(&h), "run");
    ok(handshake_say(&h.client.session, &h.server.session, "a message"), "talk");
    h.server.attributes = 0x0A0B0C0D;
    writer_init(&w);
    ntlm_context_write(&h.server, false, &w);
    struct slice body = writer_view(&w);
    ok(body.size == 700, "%u bytes", (unsigned)body.size);
    ok(same(view(body.data, 104),
            hex("02 02 03 00 00000000 0d0c0b0a 020000000000da01 0800 5500730065007200"
                "0c00 44006f006d00610069006e00 2600 48005400540050002f007300650072007600650072"
                "002e006500780061006d0070006c006500 358288e2 55555555555555555555555555555555")),
       "head");
    ok(same(view(body.data + 104, 40),
            hex("d04d6f10741041d1d246d64188d7a8ad 9355f3a957c1583d25c4c2f11e40390e 00000000"
                "00000000")),
       "the sending direction: keys, counter and its start");
    ok(same(view(body.data + 402, 40),
            hex("4788dc861b4782f35d43fd98fe1a2d39 59f600973cc4960a25480a7c196e4c58 01000000"
                "00000000")),
       "the receiving direction: keys, counter and its start");
    ok(!md5(&body, 1, digest) && same(view(digest, 16), hex("0821f763e15eeef5207fc330b7dfc148")),
       "the whole");
    writer_free(&w);
    handshake_clear(&h);
}

/* ---- what nobody wrote ---- */

/* Whether a body is read; if so it must be what its context writes, byte for byte. */
static bool readable(struct slice body)
{
    struct ntlm_context ctx;
    struct writer w;
    memset(&ctx, 0xEE, sizeof(ctx));
    status_t status = ntlm_context_read(&ctx, body);
    ok(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN, "status %x", (unsigned)status);
    if (!status_ok(status)) return false;
    writer_init(&w);
    ntlm_context_write(&ctx, false, &w);
    ok(same(writer_view(&w), body), "a body that reads is one that was written");
    writer_free(&w);
    ntlm_context_clear(&ctx);
    return true;
}

static void damage(const struct ntlm_context *ctx, const char *what)
{
    struct writer w;
    writer_init(&w);
    ntlm_context_write(ctx, false, &w);
    size_t size = writer_view(&w).size;
    ok(readable(writer_view(&w)), "%s: as written", what);
    for (size_t part = 0; part < size; part++) {
        uint8_t *body = exact_copy(writer_view(&w).data, part);
        ok(!readable(view(body, part)), "%s: %u bytes", what, (unsigned)part);
        free(body);
    }
    uint8_t *body = exact_copy(writer_view(&w).data, size);
    for (size_t at = 0; at < size; at++) {
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            body[at] ^= (uint8_t)bit;
            readable(view(body, size));
            body[at] ^= (uint8_t)bit;
        }
    }
    free(body);
    writer_u8(&w, 0);
    ok(!readable(writer_view(&w)), "%s: a byte too many", what);
    writer_free(&w);
}

static void damaged_datagrams(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags |= NTLM_DATAGRAM;
    h.server_start.flags |= NTLM_DATAGRAM;
    h.server_start.challenge_ticket = 7;
    ok(!handshake_start(&h), "start");
    damage(&h.client, "datagram client");
    ok(!handshake_challenge(&h), "challenge");
    damage(&h.server, "datagram server");
    h.server.negotiate_flags ^= NTLM_SEAL;
    ok(handshake_move(&h.server, false) == SEC_E_INVALID_TOKEN, "flags not of its challenge");
    handshake_clear(&h);
}

static void damaged(void)
{
    struct handshake h;
    handshake_init(&h);
    damage(&h.client, "start");
    ok(!handshake_start(&h), "start");
    damage(&h.client, "NEGOTIATE sent");
    ok(!handshake_challenge(&h), "challenge");
    damage(&h.server, "CHALLENGE sent");
    ok(!handshake_answer(&h) && !handshake_accept(&h), "finish");
    damage(&h.client, "client established");
    damage(&h.server, "server established");
    handshake_clear(&h);
}

/* A half-open client up to its flags, and a message. */
#define CLIENT "02 01 01 00 00000000 00000000 0000000000000000 0000 0000 0000"
#define NEGOTIATE "4e544c4d53535000 01000000 01020820"

static void contradictions(void)
{
    static const struct {
        const char *body, *what;
        bool good;
    } cases[] = {
        {"02 01 00 00 00000000 00000000 0000000000000000 0000 0000 0000", "a client", true},
        {"02 02 00 00 00000000 00000000 0000000000000000 0000 0000 0000", "a server", true},
        {"01 01 00 00 00000000 00000000 0000000000000000 0000 0000 0000", "version 1", false},
        {"02 00 00 00 00000000 00000000 0000000000000000 0000 0000 0000", "role 0", false},
        {"02 03 00 00 00000000 00000000 0000000000000000 0000 0000 0000", "role 3", false},
        {"02 01 04 00 00000000 00000000 0000000000000000 0000 0000 0000", "stage 4", false},
        {"02 01 00 01 00000000 00000000 0000000000000000 0000 0000 0000", "local too early", false},
        {"02 01 00 02 00000000 00000000 0000000000000000 0000 0000 0000", "local 2", false},
        {"02 01 00 00 00000000 00000000 0100000000000000 0000 0000 0000", "time too early", false},
        {"02 01 00 00 00000000 00000000 0000000000000000 0200 00d8 0000 0000", "no text", false},
        {CLIENT "01020820 00000000 0000000000000000 1000" NEGOTIATE, "NEGOTIATE sent", true},
        {CLIENT "01020820 00000800 0000000000000000 1000" NEGOTIATE, "ESS required", true},
        {CLIENT "01020820 10000000 0000000000000000 1000" NEGOTIATE, "SIGN, not offered", false},
        {CLIENT "01020800 00000000 0000000000000000 1000" NEGOTIATE, "other flags", false},
        {CLIENT "01020820 00000000 0100000000000000 1000" NEGOTIATE, "a client's ticket", false},
        {CLIENT "41020820 00000000 0000000000000000 0000", "datagrams", true},
        {CLIENT "01020820 00000000 0000000000000000 0000", "no NEGOTIATE", false},
        {CLIENT "41020820 00000000 0000000000000000 1000" NEGOTIATE, "one too many", false},
        {CLIENT "40020820 00000000 0000000000000000 0000", "neither Unicode nor OEM", false},
        {CLIENT "41000820 00000000 0000000000000000 0000", "no NTLM", false},
        {"02 02 01 00 00000000 00000000 0000000000000000 0000 0000 0000"
         "01020820 00000000 0000000000000000 1000" NEGOTIATE,
         "a server that sent NEGOTIATE", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        ok(readable(hex(cases[i].body)) == cases[i].good, "%s", cases[i].what);
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(moved_at_every_stage);
    RUN(moved_local);
    RUN(moved_mid_stream);
    RUN(reset);
    RUN(reset_behind_mic);
    RUN(without_ess);
    RUN(half_open_layout);
    RUN(waiting_layout);
    RUN(established_layout);
    RUN(damaged);
    RUN(damaged_datagrams);
    RUN(contradictions);
    return test_end("unit_ntlm_body");
}
