/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handshakes of every kind of session: with and without extended session security and key
 * exchange, keys of every length, over a connection and in datagrams, Unicode and OEM strings; and
 * what is refused when somebody on the way leaves a flag out.
 */
#include "handshake.h"

/* ---- every kind of session ---- */

#define PROTECTION (NTLM_SIGN | NTLM_SEAL)

/* A message and its signature, then with one bit changed; true when only the first arrives. */
static bool arrives(struct ntlm_session *from, struct ntlm_session *to, bool sealed)
{
    uint8_t wire[24 + 16] = "some text for both ends", plain[24], changed[24 + 16];
    uint32_t sequence = handshake_sequence++;
    memcpy(plain, wire, 24);
    struct message_part part = {wire, 24, true}, got = {changed, 24, true};
    status_t status = sealed ? ntlm_seal(from, sequence, &part, 1, wire + 24)
                             : ntlm_sign(from, sequence, &part, 1, wire + 24);
    if (!status_ok(status)) return false;
    for (size_t at = 0; at < sizeof(wire); at += 13) {
        memcpy(changed, wire, sizeof(wire));
        changed[at] ^= 0x10;
        status = sealed ? ntlm_unseal(to, sequence, &got, 1, changed + 24)
                        : ntlm_verify(to, sequence, &got, 1, changed + 24);
        if (status != SEC_E_MESSAGE_ALTERED) return false;
    }
    status = sealed ? ntlm_unseal(to, sequence, &part, 1, wire + 24)
                    : ntlm_verify(to, sequence, &part, 1, wire + 24);
    return status_ok(status) && !memcmp(wire, plain, 24);
}

static void talk(struct handshake *h, uint32_t flags)
{
    struct ntlm_session *client = &h->client.session, *server = &h->server.session;
    ok(handshake_works(h), "%08x: the same key", flags);
    for (int i = 0; i < 3; i++) {
        bool can_seal = handshake_can_seal(client);
        ok(arrives(client, server, true) == can_seal, "%08x: sealed, to the server", flags);
        ok(arrives(server, client, true) == can_seal, "%08x: sealed, to the client", flags);
        if (!(flags & PROTECTION)) continue;
        ok(arrives(server, client, false), "%08x: signed, to the client", flags);
        ok(arrives(client, server, false), "%08x: signed, to the server", flags);
    }
}

/* What both ends have to agree on when the client wants these flags and the server grants all. */
static uint32_t expected_flags(uint32_t flags)
{
    if (flags & NTLM_ESS) flags &= ~NTLM_LM_KEY;
    if (flags & NTLM_DATAGRAM) return flags | NTLM_KEY_EXCH;
    return flags & PROTECTION ? flags : flags & ~NTLM_KEY_EXCH;
}

static void run_kind(uint32_t flags, enum ntlm_proof proof, bool move)
{
    const uint32_t compared = NTLM_STRONG | PROTECTION | NTLM_LM_KEY | NTLM_NON_NT_SESSION_KEY |
                              NTLM_DATAGRAM | NTLM_OEM;
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags = flags;
    /* Without a connection the server proposes, and ESS with LM_KEY is no proposal. */
    h.server_start.flags = flags & NTLM_DATAGRAM ? flags : h.server_start.flags | flags;
    h.client_finish.proof = h.server_finish.proof = proof;
    h.client_finish.send_lm = h.server_finish.has_lm = flags & NTLM_LM_KEY;
    if (flags & NTLM_NON_NT_SESSION_KEY) h.server_finish.has_lm = true;
    status_t status = handshake_start(&h);
    if (move) ok(!handshake_move(&h.client, false), "%08x: client moved", flags);
    if (status_ok(status)) status = handshake_challenge(&h);
    if (move) ok(!handshake_move(&h.server, false), "%08x: server moved", flags);
    if (status_ok(status)) status = handshake_answer(&h);
    if (status_ok(status)) status = handshake_accept(&h);
    ok(status == SEC_E_OK, "%08x, proof %d: %x", flags, proof, (unsigned)status);
    if (move) ok(!handshake_move(&h.server, false), "%08x: session moved", flags);
    ok((h.server.session.flags & compared) == expected_flags(flags), "%08x became %08x", flags,
       h.server.session.flags);
    talk(&h, flags);
    handshake_clear(&h);
}

static void every_kind(void)
{
    static const uint32_t lengths[] = {0, NTLM_56, NTLM_128, NTLM_56 | NTLM_128};
    static const uint32_t protection[] = {0, NTLM_SIGN, NTLM_SEAL, PROTECTION};
    static const uint32_t keys[] = {0, NTLM_LM_KEY, NTLM_NON_NT_SESSION_KEY};
    /* One bit of i for each of the four that are on or off. */
    for (unsigned i = 0; i < 16 * 4 * 4 * 3; i++) {
        uint32_t flags = NTLM_UNICODE | lengths[i / 16 % 4] | protection[i / 64 % 4] |
                         keys[i / 256];
        if (i & 1) flags |= NTLM_ESS;
        if (i & 2) flags |= NTLM_KEY_EXCH;
        if (i & 4) flags |= NTLM_DATAGRAM;
        /* There is no such session: see datagram_not_sealed. */
        if (flags & NTLM_DATAGRAM && flags & NTLM_SEAL && !(flags & NTLM_ESS)) continue;
        run_kind(flags, i & 8 ? NTLM_PROOF_V1 : NTLM_PROOF_V2, i % 5 == 0);
    }
}

/* What the server may not grant is not agreed on, and no end takes more than was asked for. */
static void granted_only(void)
{
    static const uint32_t withheld[] = {NTLM_ESS, NTLM_128, NTLM_56, NTLM_KEY_EXCH};
    for (size_t i = 0; i < sizeof(withheld) / sizeof(*withheld); i++) {
        struct handshake h;
        handshake_init(&h);
        h.server_start.flags &= ~withheld[i];
        ok(!handshake_run(&h) && handshake_works(&h), "%08x: run", withheld[i]);
        ok(!(h.client.session.flags & withheld[i]), "%08x is not there", withheld[i]);
        handshake_clear(&h);
    }
}

/* Of two that exclude each other the better one is agreed on (MS-NLMP 2.2.2.5). */
static void excluding_each_other(void)
{
    const uint32_t both = NTLM_UNICODE | NTLM_OEM | NTLM_ESS | NTLM_LM_KEY;
    const uint32_t better = NTLM_UNICODE | NTLM_ESS;
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags |= both;
    h.server_start.flags |= both;
    ok(!handshake_start(&h) && !handshake_challenge(&h), "half way");
    struct ntlm_challenge challenge = sent_challenge(&h);
    ok((challenge.flags & both) == better, "the server grants %08x", challenge.flags);
    challenge.flags |= both;
    ok(!ntlm_client_finish(&h.client, writer_view(&h.challenge), &challenge, &h.client_finish,
                           &h.authenticate),
       "a server that grants all");
    ok((sent_authenticate(&h).flags & both) == better, "the client chooses");
    ok((h.client.session.flags & both) == better, "for its session too");
    handshake_clear(&h);
}

/* Some clients send a key although nothing will use it; then it keys the MIC and the session. */
static void key_without_use(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags = NTLM_STRONG;
    ok(!handshake_start(&h), "start");
    h.client.negotiate_flags |= NTLM_KEY_EXCH;
    writer_patch_u32le(&h.negotiate, 12, h.client.negotiate_flags);
    h.client.negotiate.data[15] |= NTLM_KEY_EXCH >> 24;
    ok(!handshake_challenge(&h) && !handshake_answer(&h), "answer");
    ok(sent_authenticate(&h).encrypted_key.size == 16, "a key");
    ok(!handshake_accept(&h) && handshake_works(&h), "accepted");
    ok(!memcmp(h.server.session.session_key, h.client_finish.random_session_key, 16), "and used");
    handshake_clear(&h);

    /* Others set the flag and send none. */
    handshake_init(&h);
    h.client_start.flags = NTLM_STRONG;
    h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_V1;
    ok(!handshake_start(&h), "start");
    writer_patch_u32le(&h.negotiate, 12, h.client.negotiate_flags | NTLM_KEY_EXCH);
    ok(!handshake_challenge(&h) && !handshake_answer(&h), "answer");
    writer_patch_u32le(&h.authenticate, 60, sent_authenticate(&h).flags | NTLM_KEY_EXCH);
    ok(!handshake_accept(&h) && handshake_works(&h), "accepted");
    handshake_clear(&h);
}

/* ---- required flags ---- */

static void required_by_client(void)
{
    static const uint32_t flags[] = {NTLM_ESS, NTLM_128, NTLM_56, NTLM_KEY_EXCH, NTLM_IDENTIFY};
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        struct handshake h;
        handshake_init(&h);
        h.client_start.flags |= NTLM_IDENTIFY;
        h.client_start.required = flags[i];
        h.server_start.flags &= ~flags[i];
        ok(!handshake_start(&h) && !handshake_challenge(&h), "%08x: up to there", flags[i]);
        ok(!handshake_move(&h.client, false), "%08x: moved", flags[i]);
        ok(handshake_answer(&h) == SEC_E_UNSUPPORTED_FUNCTION, "%08x is missed", flags[i]);
        ok(h.client.stage == NTLM_STAGE_NEGOTIATE_SENT, "as it was");
        handshake_clear(&h);
    }
}

static void required_by_server(void)
{
    static const uint32_t flags[] = {NTLM_ESS,  NTLM_128,  NTLM_56,      NTLM_KEY_EXCH,
                                     NTLM_SIGN, NTLM_SEAL, NTLM_IDENTIFY};
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        struct handshake h;
        handshake_init(&h);
        h.client_start.flags |= NTLM_IDENTIFY;
        h.client_start.flags &= ~flags[i];
        h.server_start.required = flags[i];
        ok(!handshake_start(&h), "%08x: start", flags[i]);
        ok(handshake_challenge(&h) == SEC_E_UNSUPPORTED_FUNCTION, "%08x is missed", flags[i]);
        ok(h.server.stage == NTLM_STAGE_START && !h.server.challenge.data, "as it was");
        handshake_clear(&h);
    }
}

/* The length of keys is nothing to a client that protects no message, as those of HTTP. */
static void no_keys_no_length(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags = NTLM_UNICODE | NTLM_ESS;
    h.server_start.required = h.client_start.required = NTLM_128 | NTLM_56;
    ok(!handshake_run(&h) && handshake_works(&h), "run");
    handshake_clear(&h);
    ok(ntlm_flags_missing(NTLM_ESS, NTLM_128 | NTLM_SEAL) == NTLM_SEAL, "without protection");
    ok(ntlm_flags_missing(NTLM_SIGN, NTLM_128 | NTLM_SIGN) == NTLM_128, "with");
}

/* ---- somebody on the way leaves flags out ---- */

/* Where the flags stand in each message. */
static void strip(struct writer *message, size_t at, uint32_t flags)
{
    struct reader r;
    reader_init(&r, message->data + at, 4);
    writer_patch_u32le(message, at, reader_u32le(&r) & ~flags);
}

static status_t run_stripped_of(uint32_t offered, enum ntlm_proof proof, int which, uint32_t flags)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags = offered;
    h.client_finish.proof = h.server_finish.proof = proof;
    status_t status = handshake_start(&h);
    if (which == 0) strip(&h.negotiate, 12, flags);
    if (status_ok(status)) status = handshake_challenge(&h);
    if (which == 1) strip(&h.challenge, 20, flags);
    if (status_ok(status)) status = handshake_answer(&h);
    if (which == 2 && status_ok(status)) strip(&h.authenticate, 60, flags);
    if (status_ok(status)) status = handshake_accept(&h);
    handshake_clear(&h);
    return status;
}

static status_t run_stripped(enum ntlm_proof proof, int which, uint32_t flags)
{
    return run_stripped_of(NTLM_STRONG | PROTECTION, proof, which, flags);
}

/* The MIC covers all three messages; protection is missed by the client itself. */
static void stripped_with_mic(void)
{
    static const uint32_t flags[] = {
        NTLM_SIGN, NTLM_SEAL, NTLM_ESS, NTLM_128, NTLM_KEY_EXCH, NTLM_56, NTLM_SIGN | NTLM_SEAL};
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        bool missed = flags[i] & PROTECTION;
        status_t expected = missed ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_LOGON_DENIED;
        ok(run_stripped(NTLM_PROOF_V2, 0, flags[i]) == expected, "%08x: NEGOTIATE", flags[i]);
        ok(run_stripped(NTLM_PROOF_V2, 1, flags[i]) == expected, "%08x: CHALLENGE", flags[i]);
        ok(run_stripped(NTLM_PROOF_V2, 2, flags[i]) == SEC_E_LOGON_DENIED, "%08x: AUTHENTICATE",
           flags[i]);
    }
}

/* NTLMv1 has no MIC: what was granted must stay in the answer, what was asked for in the
 * challenge. Lesser features left out of the first message are what `required` is for. */
static void stripped_without_mic(void)
{
    static const uint32_t flags[] = {NTLM_SIGN, NTLM_SEAL, NTLM_ESS, NTLM_128, NTLM_KEY_EXCH};
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        ok(run_stripped(NTLM_PROOF_V1, 2, flags[i]) == SEC_E_LOGON_DENIED, "%08x: AUTHENTICATE",
           flags[i]);
        if (!(flags[i] & PROTECTION)) continue;
        ok(run_stripped(NTLM_PROOF_V1, 0, flags[i]) == SEC_E_UNSUPPORTED_FUNCTION,
           "%08x: NEGOTIATE", flags[i]);
        ok(run_stripped(NTLM_PROOF_V1, 1, flags[i]) == SEC_E_UNSUPPORTED_FUNCTION,
           "%08x: CHALLENGE", flags[i]);
    }
    ok(run_stripped(NTLM_PROOF_V1, 2, NTLM_56) == SEC_E_OK, "56 beside 128 is nothing");
    ok(run_stripped_of(NTLM_UNICODE | NTLM_SIGN | NTLM_56, NTLM_PROOF_V1, 2, NTLM_56) ==
           SEC_E_LOGON_DENIED,
       "56 alone is something");
    /* Taken out of the challenge, the answer lacks them too, which the server did not grant. */
    ok(run_stripped(NTLM_PROOF_V1, 1, NTLM_ESS) == SEC_E_LOGON_DENIED, "ESS");
    ok(run_stripped(NTLM_PROOF_V1, 1, NTLM_128) == SEC_E_LOGON_DENIED, "128");
}

/* ---- datagrams ---- */

static void init_datagram(struct handshake *h)
{
    handshake_init(h);
    h->client_start.flags |= NTLM_DATAGRAM;
    h->server_start.flags |= NTLM_DATAGRAM;
}

static void datagram(void)
{
    struct handshake h;
    init_datagram(&h);
    h.client_start.offer_local = true;
    h.server_start.local_ticket = 42;
    ok(!handshake_start(&h) && !writer_view(&h.negotiate).size, "the client sends nothing");
    ok(h.client.stage == NTLM_STAGE_NEGOTIATE_SENT, "but has started");
    ok(handshake_start(&h) == SEC_E_OUT_OF_SEQUENCE, "once");
    ok(!handshake_challenge(&h), "the server begins");
    struct ntlm_challenge challenge = sent_challenge(&h);
    ok((challenge.flags & (NTLM_DATAGRAM | NTLM_KEY_EXCH | NTLM_VERSION | NTLM_UNICODE)) ==
           (NTLM_DATAGRAM | NTLM_KEY_EXCH | NTLM_VERSION | NTLM_UNICODE),
       "flags %08x", challenge.flags);
    ok(!(challenge.flags & (NTLM_LOCAL_CALL | NTLM_OEM)), "no local call, one kind of string");
    challenge.flags |= NTLM_LOCAL_CALL;
    h.client_finish.proof = NTLM_PROOF_LOCAL;
    ok(ntlm_client_finish(&h.client, writer_view(&h.challenge), &challenge, &h.client_finish,
                          &h.authenticate) == SEC_E_INVALID_PARAMETER,
       "none was offered either");
    h.client_finish.proof = NTLM_PROOF_V2;
    ok(!handshake_answer(&h) && sent_authenticate(&h).has_mic, "an answer with a MIC");
    ok(!handshake_accept(&h), "accepted");
    ok(blob_is(&h.server.user, wide("User")), "user");
    talk(&h, h.server.session.flags);
    handshake_clear(&h);
}

/* The MIC covers the challenge, and that there was nothing before it. */
static void datagram_changed(void)
{
    struct handshake h;
    init_datagram(&h);
    ok(!handshake_start(&h) && !handshake_challenge(&h), "up to there");
    size_t size = writer_view(&h.challenge).size;
    handshake_clear(&h);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        init_datagram(&h);
        status_t status = handshake_start(&h);
        if (status_ok(status)) status = handshake_challenge(&h);
        h.challenge.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (status_ok(status)) status = handshake_answer(&h);
        if (status_ok(status)) status = handshake_accept(&h);
        ok(!status_ok(status), "bit %zu of byte %zu", bit % 8, bit / 8);
        handshake_clear(&h);
    }
}

/* Datagrams come in any order or not at all, each under its own number. */
static void datagram_order(void)
{
    static const uint32_t order[] = {7, 0, 3, 3, 0xFFFFFFFF, 1};
    struct handshake h;
    init_datagram(&h);
    ok(!handshake_run(&h), "run");
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        uint8_t data[8] = "message", signature[16], again[8], other[16];
        struct message_part part = {data, 8, true};
        ok(!ntlm_seal(&h.client.session, order[i], &part, 1, signature), "seal %x", order[i]);
        memcpy(again, data, 8);
        ok(ntlm_unseal(&h.server.session, order[i] + 1, &part, 1, signature) ==
               SEC_E_MESSAGE_ALTERED,
           "another number than %x", order[i]);
        ok(!memcmp(data, again, 8), "data as was");
        ok(!ntlm_unseal(&h.server.session, order[i], &part, 1, signature), "unseal %x", order[i]);
        ok(!memcmp(data, "message", 8), "data of %x", order[i]);
        ok(!ntlm_sign(&h.server.session, order[i], &part, 1, other), "sign %x", order[i]);
        ok(!ntlm_verify(&h.client.session, order[i], &part, 1, other), "verify %x", order[i]);
    }
    handshake_clear(&h);
}

static void datagram_refused(void)
{
    struct handshake h;
    init_datagram(&h);
    h.server_start.flags &= ~NTLM_DATAGRAM;
    ok(!handshake_start(&h), "start");
    ok(handshake_challenge(&h) == SEC_E_INVALID_TOKEN, "a server that knows connections only");
    handshake_clear(&h);

    /* One end each. */
    for (int i = 0; i < 2; i++) {
        init_datagram(&h);
        if (i) h.client_start.flags &= ~NTLM_DATAGRAM;
        ok(!handshake_start(&h), "start");
        struct slice negotiate = i ? view(NULL, 0)
                                   : hex("4e544c4d53535000 01000000 35820820 0000000000000000"
                                         "0000000000000000");
        ok(!ntlm_server_start(&h.server, negotiate, &h.server_start, &h.challenge), "challenge");
        ok(handshake_answer(&h) == SEC_E_UNSUPPORTED_FUNCTION, "%d: not of the same kind", i);
        handshake_clear(&h);
    }
    init_datagram(&h);
    ok(ntlm_server_start(
           &h.server, hex("4e544c4d53535000 01000000 75820820 0000000000000000 0000000000000000"),
           &h.server_start, &h.challenge) == SEC_E_UNSUPPORTED_FUNCTION,
       "a NEGOTIATE of a datagram client");
    handshake_clear(&h);
}

/* The challenge proposes, the client chooses, and the server may insist. */
static void datagram_choice(void)
{
    struct handshake h;
    for (int v1 = 0; v1 < 2; v1++) {
        init_datagram(&h);
        h.client_start.flags &= ~NTLM_SEAL;
        if (v1) h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_V1;
        ok(!handshake_run(&h) && handshake_works(&h), "run");
        ok((h.server.session.flags & PROTECTION) == NTLM_SIGN, "signed only");
        handshake_clear(&h);
    }

    init_datagram(&h);
    h.client_start.flags &= ~NTLM_SEAL;
    h.server_start.required = NTLM_SEAL;
    ok(handshake_run(&h) == SEC_E_UNSUPPORTED_FUNCTION, "SEAL is required");
    ok(h.server.stage == NTLM_STAGE_CHALLENGE_SENT, "as it was");
    handshake_clear(&h);
}

/* Datagrams are sealed with extended session security only (MS-NLMP 3.4.3), whoever gives it up. */
static void datagram_not_sealed(void)
{
    struct handshake h;
    init_datagram(&h);
    h.client_start.flags &= ~NTLM_ESS;
    ok(handshake_start(&h) == SEC_E_UNSUPPORTED_FUNCTION, "a client without");
    ok(h.client.stage == NTLM_STAGE_START, "as it was");
    handshake_clear(&h);

    init_datagram(&h);
    h.server_start.flags &= ~NTLM_ESS;
    ok(!handshake_start(&h) && !handshake_challenge(&h), "a server without");
    ok(!(sent_challenge(&h).flags & NTLM_SEAL), "does not propose to seal");
    ok(handshake_answer(&h) == SEC_E_UNSUPPORTED_FUNCTION, "and the client insists");
    handshake_clear(&h);

    init_datagram(&h);
    h.server_start.flags &= ~NTLM_ESS;
    h.server_start.required = NTLM_SEAL;
    ok(handshake_challenge(&h) == SEC_E_UNSUPPORTED_FUNCTION, "nor can it have to");
    handshake_clear(&h);

    init_datagram(&h);
    ok(!handshake_start(&h) && !handshake_challenge(&h), "both with");
    strip(&h.challenge, 20, NTLM_ESS);
    ok(handshake_answer(&h) == SEC_E_UNSUPPORTED_FUNCTION, "taken out of the challenge");
    handshake_clear(&h);

    init_datagram(&h);
    h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_V1;
    ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h), "both with");
    strip(&h.authenticate, 60, NTLM_ESS);
    ok(handshake_accept(&h) == SEC_E_UNSUPPORTED_FUNCTION, "taken out of the answer");
    handshake_clear(&h);
}

/* ---- OEM strings ---- */

/* A client of HTTP that knows OEM strings only, and neither signs nor seals. */
static void oem_client(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags = NTLM_OEM | NTLM_ESS;
    h.server_start.required = NTLM_ESS | NTLM_128;
    h.server_start.oem_target = ascii("S\xC9RVER");
    h.client_finish.user = hex("e900 7600 6500");
    h.client_finish.oem_user = ascii("\xE9ve");
    ok(!handshake_start(&h) && !handshake_challenge(&h), "half way");
    struct ntlm_challenge challenge = sent_challenge(&h);
    struct slice name;
    ok((challenge.flags & (NTLM_OEM | NTLM_UNICODE)) == NTLM_OEM, "flags %08x", challenge.flags);
    ok(same(challenge.target_name, ascii("S\xC9RVER")), "target");
    ok(ntlm_av_find(challenge.target_info, NTLM_AV_NB_COMPUTER, &name) &&
           same(name, wide("SERVER")),
       "pairs are Unicode all the same");
    ok(!handshake_answer(&h), "answer");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    ok((answer.flags & (NTLM_OEM | NTLM_UNICODE)) == NTLM_OEM, "flags %08x", answer.flags);
    ok(same(answer.user, ascii("\xE9ve")) && same(answer.domain, ascii("Domain")) &&
           same(answer.workstation, ascii("COMPUTER")),
       "strings");
    ok(same(answer.target_name, wide("HTTP/server.example")), "the target's name is Unicode");
    h.server_finish.user = hex("e900 7600 6500");
    h.server_finish.domain = wide("Domain");
    ok(!handshake_accept(&h) && handshake_works(&h), "accepted");
    ok(blob_is(&h.server.user, hex("e900 7600 6500")) && blob_is(&h.server.domain, wide("Domain")),
       "as the caller converted them");
    ok(blob_is(&h.client.user, hex("e900 7600 6500")), "the client knows itself");
    handshake_clear(&h);
}

static void oem_or_unicode(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags |= NTLM_OEM;
    ok(!handshake_run(&h), "both offered");
    ok((h.server.session.flags & (NTLM_OEM | NTLM_UNICODE)) == NTLM_UNICODE, "Unicode it is");
    handshake_clear(&h);

    handshake_init(&h);
    h.client_start.flags |= NTLM_OEM;
    h.server_start.flags &= ~NTLM_UNICODE;
    ok(!handshake_start(&h) && !handshake_challenge(&h), "a server of OEM strings");
    h.client_finish.oem_user = ascii("");
    ok(handshake_answer(&h) == SEC_E_INVALID_PARAMETER, "a user without OEM name");
    h.client_finish.oem_user = ascii("User");
    ok(!handshake_answer(&h) && same(sent_authenticate(&h).user, ascii("User")), "with");
    ok(!handshake_accept(&h) && handshake_works(&h), "accepted");
    ok(!h.server.user.size, "no name in the context that nobody converted");
    handshake_clear(&h);

    handshake_init(&h);
    h.client_start.flags = (h.client_start.flags & ~NTLM_UNICODE) | NTLM_OEM;
    h.server_start.flags &= ~NTLM_OEM;
    ok(!handshake_start(&h), "a client of OEM strings");
    ok(handshake_challenge(&h) == SEC_E_UNSUPPORTED_FUNCTION, "a server that wants none");
    handshake_clear(&h);
}

/* The kind of strings is not the answer's to change. */
static void oem_flag_changed(void)
{
    ok(run_stripped(NTLM_PROOF_V1, 2, NTLM_UNICODE) == SEC_E_LOGON_DENIED, "NTLMv1");
    ok(run_stripped(NTLM_PROOF_V2, 2, NTLM_UNICODE) == SEC_E_LOGON_DENIED, "NTLMv2");
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(every_kind);
    RUN(granted_only);
    RUN(excluding_each_other);
    RUN(key_without_use);
    RUN(required_by_client);
    RUN(required_by_server);
    RUN(no_keys_no_length);
    RUN(stripped_with_mic);
    RUN(stripped_without_mic);
    RUN(datagram);
    RUN(datagram_changed);
    RUN(datagram_order);
    RUN(datagram_refused);
    RUN(datagram_choice);
    RUN(datagram_not_sealed);
    RUN(oem_client);
    RUN(oem_or_unicode);
    RUN(oem_flag_changed);
    return test_end("unit_ntlm_modes");
}
