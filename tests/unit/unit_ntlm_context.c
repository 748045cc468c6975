/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handshakes of the library with itself: what is agreed, and what is refused, by whom. */
#include "handshake.h"

static void works(void)
{
    static const uint32_t flags[] = {0, NTLM_SIGN, NTLM_SEAL, NTLM_SIGN | NTLM_SEAL,
                                     NTLM_SIGN | NTLM_IDENTIFY};
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        struct handshake h;
        handshake_init(&h);
        h.client_start.flags = NTLM_STRONG | flags[i];
        ok(handshake_run(&h) == SEC_E_OK, "flags %x", flags[i]);
        ok(handshake_works(&h), "flags %x: both ends talk", flags[i]);
        const uint32_t asked = NTLM_SIGN | NTLM_SEAL | NTLM_IDENTIFY;
        ok((h.server.session.flags & asked) == flags[i], "nothing added, nothing lost");
        handshake_clear(&h);
    }
}

static void results(void)
{
    struct handshake h;
    handshake_init(&h);
    ok(handshake_run(&h) == SEC_E_OK, "run");
    ok(blob_is(&h.server.user, wide("User")) && blob_is(&h.server.domain, wide("Domain")), "peer");
    ok(blob_is(&h.client.user, wide("User")) && blob_is(&h.client.domain, wide("Domain")), "self");
    ok(blob_is(&h.server.target_name, wide("HTTP/server.example")), "target at the server");
    ok(blob_is(&h.client.target_name, wide("HTTP/server.example")), "target at the client");
    ok(h.client.start_time == h.client_finish.now && h.server.start_time == h.server_finish.now,
       "times");
    ok(!h.client.negotiate.data && !h.client.challenge.data && !h.server.negotiate.data &&
           !h.server.challenge.data,
       "the handshake is gone");
    ok(!memcmp(h.client.session.session_key, h.client_finish.random_session_key, 16), "key");
    ok(!h.client.local && !h.server.local, "not local");
    handshake_clear(&h);
}

static void messages(void)
{
    struct handshake h;
    struct ntlm_negotiate negotiate;
    struct slice value;
    uint8_t bindings[16] = "channel binding", zeros[24] = {0};
    handshake_init(&h);
    h.client_finish.channel_bindings = bindings;
    ok(handshake_run(&h) == SEC_E_OK, "run");
    ok(ntlm_negotiate_decode(writer_view(&h.negotiate), &negotiate) == SEC_E_OK, "NEGOTIATE");
    ok(negotiate.flags == 0xE2088235, "NEGOTIATE flags %x", negotiate.flags);
    struct ntlm_challenge challenge = sent_challenge(&h);
    ok(challenge.flags == 0xE28A8235, "CHALLENGE flags %x", challenge.flags);
    ok(same(challenge.target_name, wide("SERVER")), "target");
    struct slice info = challenge.target_info;
    ok(ntlm_av_find(info, NTLM_AV_NB_COMPUTER, &value) && same(value, wide("SERVER")), "computer");
    ok(ntlm_av_find(info, NTLM_AV_DNS_COMPUTER, &value) && same(value, wide("server.example")),
       "DNS name");
    ok(!ntlm_av_find(info, NTLM_AV_FLAGS, &value), "no flags of value 0");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    ok(answer.flags == 0xE2888235, "AUTHENTICATE flags %x", answer.flags);
    ok(answer.has_mic && answer.timestamp == h.server_start.now, "MIC and time");
    ok(same(answer.lm_response, view(zeros, 24)), "an empty LM response");
    ok(same(answer.channel_bindings, view(bindings, 16)), "bindings");
    ok(same(answer.target_name, wide("HTTP/server.example")), "target name");
    ok(same(answer.workstation, wide("COMPUTER")), "workstation");
    handshake_clear(&h);
}

/* A server that gives no time, or no target information at all. */
static void older_servers(void)
{
    for (size_t with_info = 0; with_info < 2; with_info++) {
        struct handshake h;
        struct writer changed;
        handshake_init(&h);
        ok(handshake_start(&h) == SEC_E_OK && handshake_challenge(&h) == SEC_E_OK, "half way");
        struct ntlm_challenge challenge = sent_challenge(&h);
        challenge.target_info = hex("02000200 5300 06000400 01000000 00000000");
        if (!with_info) challenge.flags &= ~NTLM_TARGET_INFO;
        writer_init(&changed);
        ntlm_challenge_encode(&changed, &challenge);
        writer_free(&h.challenge);
        h.challenge = changed;
        /* As if the server had sent that. */
        secret_free(h.server.challenge.data, h.server.challenge.size);
        h.server.challenge.size = writer_view(&changed).size;
        h.server.challenge.data = exact_copy(writer_view(&changed).data, h.server.challenge.size);
        ok(handshake_answer(&h) == SEC_E_OK, "answered");
        struct ntlm_authenticate answer = sent_authenticate(&h);
        ok(answer.has_mic && !answer.timestamp && answer.time == h.client_finish.now,
           "MIC, no time");
        ok(answer.lm_response.size == 24 &&
               !memcmp(answer.lm_response.data + 16, h.client_finish.client_challenge, 8),
           "LMv2");
        ok(!(answer.flags & NTLM_TARGET_INFO) == !with_info, "flags");
        ok(answer.target_name.size == 38, "our pairs are there");
        ok(handshake_accept(&h) == SEC_E_OK && handshake_works(&h), "accepted");
        handshake_clear(&h);
    }
}

/* The server's own pairs of these kinds are replaced, its flags joined. */
static void replaced_pairs(void)
{
    struct handshake h;
    struct writer changed;
    handshake_init(&h);
    ok(handshake_start(&h) == SEC_E_OK && handshake_challenge(&h) == SEC_E_OK, "half way");
    struct ntlm_challenge challenge = sent_challenge(&h);
    challenge.target_info = hex("06000400 01000000 07000800 0102030405060708 09000200 4100 0a001000"
                                "ffffffffffffffffffffffffffffffff 63000100 41 00000000");
    writer_init(&changed);
    ntlm_challenge_encode(&changed, &challenge);
    writer_free(&h.challenge);
    h.challenge = changed;
    ok(handshake_answer(&h) == SEC_E_OK, "answered");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    struct slice value, pairs = view(answer.nt_response.data + 44, answer.nt_response.size - 44);
    ok(ntlm_av_find(pairs, NTLM_AV_FLAGS, &value) && same(value, hex("03000000")), "flags");
    ok(same(answer.target_name, h.client_start.target_name), "our target");
    ok(same(answer.channel_bindings, hex("00000000000000000000000000000000")), "no bindings");
    ok(ntlm_av_find(pairs, (enum ntlm_av)0x63, &value) && same(value, hex("41")), "others stay");
    handshake_clear(&h);
}

static void out_of_order(void)
{
    struct handshake h;
    struct ntlm_challenge challenge;
    struct ntlm_authenticate answer;
    handshake_init(&h);
    memset(&challenge, 0, sizeof(challenge));
    memset(&answer, 0, sizeof(answer));
    struct slice none = {NULL, 0};
    ok(ntlm_client_finish(&h.client, none, &challenge, &h.client_finish, &h.authenticate) ==
           SEC_E_OUT_OF_SEQUENCE,
       "an answer before the start");
    ok(ntlm_server_finish(&h.server, none, &answer, &h.server_finish) == SEC_E_OUT_OF_SEQUENCE,
       "an end before the start");
    ok(ntlm_client_start(&h.server, &h.client_start, &h.negotiate) == SEC_E_OUT_OF_SEQUENCE,
       "a server that starts");
    ok(handshake_start(&h) == SEC_E_OK, "start");
    ok(handshake_start(&h) == SEC_E_OUT_OF_SEQUENCE, "start again");
    ok(ntlm_server_start(&h.client, writer_view(&h.negotiate), &h.server_start, &h.challenge) ==
           SEC_E_OUT_OF_SEQUENCE,
       "a client that challenges");
    ok(handshake_challenge(&h) == SEC_E_OK, "challenge");
    ok(handshake_challenge(&h) == SEC_E_OUT_OF_SEQUENCE, "challenge again");
    ok(handshake_answer(&h) == SEC_E_OK, "answer");
    ok(handshake_answer(&h) == SEC_E_OUT_OF_SEQUENCE, "answer again");
    ok(handshake_accept(&h) == SEC_E_OK, "accept");
    ok(handshake_accept(&h) == SEC_E_OUT_OF_SEQUENCE, "accept again");
    ok(handshake_works(&h), "none of it did harm");
    handshake_clear(&h);
}

/* A refusal leaves the server where it was, so that the right answer still works. */
static void wrong_password(void)
{
    struct handshake h;
    handshake_init(&h);
    h.server_finish.v2_hash[15] ^= 1;
    ok(handshake_run(&h) == SEC_E_LOGON_DENIED, "another hash");
    ok(h.server.stage == NTLM_STAGE_CHALLENGE_SENT && !h.server.user.data, "nothing happened");
    h.server_finish.v2_hash[15] ^= 1;
    ok(handshake_accept(&h) == SEC_E_OK && handshake_works(&h), "the right one");
    handshake_clear(&h);
}

/* Every bit of AUTHENTICATE is covered by the proof, the MIC or the decoder. */
static void changed_answer(void)
{
    struct handshake h;
    handshake_init(&h);
    ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h), "up to there");
    struct slice token = writer_view(&h.authenticate);
    for (size_t bit = 0; bit < 8 * token.size; bit++) {
        uint8_t *changed = exact_copy(token.data, token.size);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        status_t status = handshake_accept_token(&h, view(changed, token.size));
        ok(status == SEC_E_LOGON_DENIED || status == SEC_E_INVALID_TOKEN, "bit %zu of byte %zu: %x",
           bit % 8, bit / 8, (unsigned)status);
        free(changed);
    }
    ok(handshake_accept(&h) == SEC_E_OK && handshake_works(&h), "unchanged");
    handshake_clear(&h);
}

/* The MIC covers the first two messages too. Where the client notices itself, all the better. */
static void changed_before(void)
{
    for (int which = 0; which < 2; which++) {
        struct handshake h;
        handshake_init(&h);
        ok(!handshake_start(&h) && !handshake_challenge(&h), "up to there");
        size_t size = writer_view(which ? &h.challenge : &h.negotiate).size;
        handshake_clear(&h);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            handshake_init(&h);
            status_t status = handshake_start(&h);
            struct writer *token = which ? &h.challenge : &h.negotiate;
            if (!which) token->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (status_ok(status)) status = handshake_challenge(&h);
            if (which) token->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (status_ok(status)) status = handshake_answer(&h);
            if (status_ok(status)) status = handshake_accept(&h);
            ok(!status_ok(status), "message %d, bit %zu of byte %zu", which, bit % 8, bit / 8);
            handshake_clear(&h);
        }
    }
}

static void client_refuses(void)
{
    static const uint32_t dropped[] = {NTLM_UNICODE, NTLM_NTLM, NTLM_ESS,
                                       NTLM_128,     NTLM_SIGN, NTLM_SEAL};
    struct handshake h;
    handshake_init(&h);
    h.client_start.required = NTLM_ESS | NTLM_128;
    ok(!handshake_start(&h) && !handshake_challenge(&h), "up to there");
    struct ntlm_challenge challenge = sent_challenge(&h);
    uint32_t flags = challenge.flags;
    for (size_t i = 0; i < sizeof(dropped) / sizeof(*dropped); i++) {
        challenge.flags = flags & ~dropped[i];
        status_t expected = dropped[i] == NTLM_UNICODE ? SEC_E_INVALID_TOKEN
                                                       : SEC_E_UNSUPPORTED_FUNCTION;
        ok(ntlm_client_finish(&h.client, writer_view(&h.challenge), &challenge, &h.client_finish,
                              &h.authenticate) == expected,
           "%x", dropped[i]);
    }
    challenge.flags = flags | NTLM_DATAGRAM;
    ok(ntlm_client_finish(&h.client, writer_view(&h.challenge), &challenge, &h.client_finish,
                          &h.authenticate) == SEC_E_UNSUPPORTED_FUNCTION,
       "datagrams");
    h.client_finish.user = hex("0000");
    ok(handshake_answer(&h) == SEC_E_INVALID_PARAMETER, "a name that is no text");
    h.client_finish.user = wide("User");
    ok(!writer_view(&h.authenticate).size, "nothing was written");
    ok(handshake_answer(&h) == SEC_E_OK && handshake_accept(&h) == SEC_E_OK, "as it was");
    ok(handshake_works(&h), "works");
    handshake_clear(&h);
}

static void server_refuses(void)
{
    static const uint32_t dropped[] = {NTLM_UNICODE, NTLM_NTLM, NTLM_ESS, NTLM_128};
    struct handshake h;
    struct ntlm_negotiate message;
    handshake_init(&h);
    h.server_start.required = NTLM_ESS | NTLM_128;
    ok(!handshake_start(&h), "start");
    ok(!ntlm_negotiate_decode(writer_view(&h.negotiate), &message), "decode");
    uint32_t flags = message.flags;
    for (size_t i = 0; i <= sizeof(dropped) / sizeof(*dropped); i++) {
        struct writer w;
        writer_init(&w);
        message.flags = i < 4 ? flags & ~dropped[i] : flags | NTLM_DATAGRAM;
        ntlm_negotiate_encode(&w, &message);
        /* Strings have to be in something (MS-NLMP 2.2.2.5). */
        status_t expected = i == 0 ? SEC_E_INVALID_TOKEN : SEC_E_UNSUPPORTED_FUNCTION;
        ok(ntlm_server_start(&h.server, writer_view(&w), &h.server_start, &h.challenge) == expected,
           "NEGOTIATE flags %x", message.flags);
        writer_free(&w);
    }
    ok(ntlm_server_start(&h.server, writer_view(&h.challenge), &h.server_start, &h.challenge) ==
           SEC_E_INVALID_TOKEN,
       "no message");
    ok(h.server.stage == NTLM_STAGE_START && !writer_view(&h.challenge).size, "as it was");
    ok(!handshake_challenge(&h) && !handshake_answer(&h) && !handshake_accept(&h), "goes on");
    ok(handshake_works(&h), "works");
    handshake_clear(&h);
}

/* Turns an answer into that of a client that knows of no MIC; the key is exchanged anew. */
static void without_mic(const struct handshake *h, struct ntlm_authenticate *answer,
                        struct writer *response)
{
    static uint8_t encrypted[16];
    uint8_t proof[16], base_key[16];
    struct rc4 rc4;
    writer_bytes(response, answer->nt_response.data, 16 + 28);
    writer_zero(response, 4 + 4);
    ok(!ntlm_v2_proof(h->server_finish.v2_hash, h->server_start.server_challenge,
                      view(response->data + 16, response->size - 16), proof),
       "proof");
    writer_patch_bytes(response, 0, proof, sizeof(proof));
    ok(!ntlm_v2_session_base_key(h->server_finish.v2_hash, proof, base_key), "key");
    rc4_init(&rc4, base_key, sizeof(base_key));
    rc4_crypt(&rc4, h->client_finish.random_session_key, encrypted, sizeof(encrypted));
    answer->nt_response = writer_view(response);
    answer->encrypted_key = view(encrypted, sizeof(encrypted));
    answer->has_mic = false;
}

/* An answer with a right proof that differs from what was agreed. */
static status_t accept_variant(uint32_t dropped, bool with_mic, const char *what)
{
    struct handshake h;
    struct writer w, response;
    handshake_init(&h);
    h.server_start.required = NTLM_ESS | NTLM_128;
    ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h), "%s: up to there",
       what);
    writer_init(&w);
    writer_init(&response);
    struct ntlm_authenticate answer = sent_authenticate(&h);
    if (!with_mic) without_mic(&h, &answer, &response);
    answer.flags &= ~dropped;
    memset(answer.mic, 0, sizeof(answer.mic));
    ntlm_authenticate_encode(&w, &answer);
    if (answer.has_mic) {
        uint8_t mic[16];
        ok(!ntlm_mic(h.client_finish.random_session_key, writer_view(&h.negotiate),
                     writer_view(&h.challenge), writer_view(&w), mic),
           "%s: MIC", what);
        writer_patch_bytes(&w, NTLM_MIC_OFFSET, mic, sizeof(mic));
    }
    status_t status = handshake_accept_token(&h, writer_view(&w));
    writer_free(&w);
    writer_free(&response);
    handshake_clear(&h);
    return status;
}

static void stripped_flags(void)
{
    ok(accept_variant(0, true, "nothing") == SEC_E_OK, "as agreed, with MIC");
    ok(accept_variant(0, false, "nothing") == SEC_E_OK, "as agreed, without");
    ok(accept_variant(NTLM_SEAL, true, "SEAL") == SEC_E_OK, "SEAL given up by the client itself");
    ok(accept_variant(NTLM_SEAL, false, "SEAL") == SEC_E_LOGON_DENIED, "SEAL, by whomever");
    ok(accept_variant(NTLM_SIGN, false, "SIGN") == SEC_E_LOGON_DENIED, "SIGN, by whomever");
    ok(accept_variant(NTLM_KEY_EXCH, false, "KEY_EXCH") == SEC_E_LOGON_DENIED, "KEY_EXCH");
    ok(accept_variant(NTLM_ESS, false, "ESS") == SEC_E_LOGON_DENIED, "ESS, by whomever");
    ok(accept_variant(NTLM_ESS, true, "ESS") == SEC_E_UNSUPPORTED_FUNCTION, "ESS is required");
    ok(accept_variant(NTLM_128, false, "128") == SEC_E_LOGON_DENIED, "128, by whomever");
    ok(accept_variant(NTLM_128, true, "128") == SEC_E_UNSUPPORTED_FUNCTION, "128 is required");
    ok(accept_variant(NTLM_UNICODE, true, "UNICODE") == SEC_E_LOGON_DENIED, "UNICODE");
}

/* NTLMv1, anonymous and empty answers look like a wrong password. */
static void weak_answers(void)
{
    static const size_t sizes[] = {0, 1, 24};
    for (size_t i = 0; i < 3; i++) {
        struct handshake h;
        struct writer w;
        handshake_init(&h);
        ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h),
           "up to there");
        struct ntlm_authenticate answer = sent_authenticate(&h);
        answer.nt_response.size = sizes[i];
        answer.has_mic = false;
        writer_init(&w);
        ntlm_authenticate_encode(&w, &answer);
        ok(handshake_accept_token(&h, writer_view(&w)) == SEC_E_LOGON_DENIED, "%zu bytes",
           sizes[i]);
        writer_free(&w);
        handshake_clear(&h);
    }
}

static void wrong_key_size(void)
{
    struct handshake h;
    handshake_init(&h);
    ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h), "up to there");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    for (size_t size = 0; size < 16; size += 5) {
        answer.encrypted_key.size = size;
        ok(ntlm_server_finish(&h.server, writer_view(&h.authenticate), &answer, &h.server_finish) ==
               SEC_E_INVALID_TOKEN,
           "a key of %zu", size);
    }
    answer.encrypted_key.size = 16;
    answer.timestamp++;
    ok(ntlm_server_finish(&h.server, writer_view(&h.authenticate), &answer, &h.server_finish) ==
           SEC_E_LOGON_DENIED,
       "another time");
    ok(handshake_accept(&h) == SEC_E_OK, "as it was");
    handshake_clear(&h);
}

/* ---- local call ---- */

static void is_local(void)
{
    struct ntlm_negotiate message = {.flags = NTLM_OEM_DOMAIN_SUPPLIED |
                                              NTLM_OEM_WORKSTATION_SUPPLIED,
                                     .domain = ascii("Domain-1"),
                                     .workstation = ascii("pc")};
    struct slice domain = wide("DOMAIN-1"), computer = wide("PC");
    ok(ntlm_negotiate_is_local(&message, computer, domain), "our names");
    ok(!ntlm_negotiate_is_local(&message, wide("PC2"), domain), "longer name");
    ok(!ntlm_negotiate_is_local(&message, wide("PD"), domain), "another computer");
    ok(!ntlm_negotiate_is_local(&message, computer, wide("DOMAIN-2")), "another domain");
    ok(!ntlm_negotiate_is_local(&message, hex("50004301"), domain), "not ASCII");
    message.flags |= NTLM_DATAGRAM;
    ok(!ntlm_negotiate_is_local(&message, computer, domain), "datagrams");
    message.flags = NTLM_OEM_DOMAIN_SUPPLIED;
    ok(!ntlm_negotiate_is_local(&message, computer, domain), "one name only");
    message.flags |= NTLM_OEM_WORKSTATION_SUPPLIED;
    message.workstation = ascii("");
    ok(!ntlm_negotiate_is_local(&message, wide(""), domain), "no name is no match");
    message.workstation = ascii("\xC4");
    ok(!ntlm_negotiate_is_local(&message, hex("c400"), domain), "a code page's letter");
}

static void prepare_local(struct handshake *h, uint64_t ticket)
{
    handshake_init(h);
    h->client_start.offer_local = true;
    h->server_start.local_ticket = ticket;
    ok(!handshake_start(h) && !handshake_challenge(h), "up to there");
}

static void local_call(void)
{
    struct handshake h;
    struct ntlm_negotiate negotiate;
    prepare_local(&h, 42);
    ok(!ntlm_negotiate_decode(writer_view(&h.negotiate), &negotiate) &&
           same(negotiate.domain, ascii("server")) && !(negotiate.flags & NTLM_VERSION),
       "offer");
    struct ntlm_challenge challenge = sent_challenge(&h);
    ok(challenge.flags & NTLM_LOCAL_CALL && challenge.local_ticket == 42, "ticket");
    ok(h.server.local_ticket == 42, "and remembered");
    h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_LOCAL;
    ok(!handshake_answer(&h) && sent_authenticate(&h).flags & NTLM_LOCAL_CALL, "answer");
    ok(!handshake_accept(&h) && handshake_works(&h), "accepted");
    ok(h.client.local && h.server.local, "both know");
    handshake_clear(&h);
}

static void local_refused(void)
{
    struct handshake h;
    prepare_local(&h, 0);
    ok(!(sent_challenge(&h).flags & NTLM_LOCAL_CALL), "no ticket, no local call");
    h.client_finish.proof = NTLM_PROOF_LOCAL;
    ok(handshake_answer(&h) == SEC_E_INVALID_PARAMETER, "none was granted");
    h.client_finish.proof = NTLM_PROOF_V2;
    ok(!handshake_answer(&h), "an answer with a password");
    h.server_finish.proof = NTLM_PROOF_LOCAL;
    ok(handshake_accept(&h) == SEC_E_LOGON_DENIED, "is no local call");
    handshake_clear(&h);

    handshake_init(&h);
    h.server_start.local_ticket = 42;
    ok(!handshake_start(&h) && !handshake_challenge(&h), "not offered");
    ok(!(sent_challenge(&h).flags & NTLM_LOCAL_CALL) && !h.server.local_ticket, "not granted");
    struct ntlm_challenge challenge = sent_challenge(&h);
    challenge.flags |= NTLM_LOCAL_CALL;
    h.client_finish.proof = NTLM_PROOF_LOCAL;
    ok(ntlm_client_finish(&h.client, writer_view(&h.challenge), &challenge, &h.client_finish,
                          &h.authenticate) == SEC_E_INVALID_PARAMETER,
       "granted all the same");
    handshake_clear(&h);
}

/* ---- limits ---- */

static void fixed_blocks(void)
{
    struct handshake h;
    uint8_t block[4];
    struct writer small;
    handshake_init(&h);
    writer_init_fixed(&small, block, sizeof(block));
    ok(ntlm_client_start(&h.client, &h.client_start, &small) == SEC_E_BUFFER_TOO_SMALL, "start");
    ok(h.client.stage == NTLM_STAGE_START && !h.client.negotiate.data, "as it was");
    ok(!handshake_start(&h), "again");
    writer_init_fixed(&small, block, sizeof(block));
    ok(ntlm_server_start(&h.server, writer_view(&h.negotiate), &h.server_start, &small) ==
           SEC_E_BUFFER_TOO_SMALL,
       "challenge");
    ok(h.server.stage == NTLM_STAGE_START && !h.server.challenge.data, "as it was");
    ok(!handshake_challenge(&h), "again");
    struct ntlm_challenge challenge = sent_challenge(&h);
    writer_init_fixed(&small, block, sizeof(block));
    ok(ntlm_client_finish(&h.client, writer_view(&h.challenge), &challenge, &h.client_finish,
                          &small) == SEC_E_BUFFER_TOO_SMALL,
       "answer");
    ok(h.client.stage == NTLM_STAGE_NEGOTIATE_SENT && h.client.negotiate.data, "as it was");
    ok(!handshake_answer(&h) && !handshake_accept(&h) && handshake_works(&h), "works");
    handshake_clear(&h);
}

static void large_challenge(void)
{
    struct handshake h;
    struct writer w, info;
    handshake_init(&h);
    ok(!handshake_start(&h) && !handshake_challenge(&h), "up to there");
    struct ntlm_challenge challenge = sent_challenge(&h);
    writer_init(&w);
    writer_init(&info);
    writer_u16le(&info, 0x77);
    writer_u16le(&info, 65400);
    writer_zero(&info, 65400);
    ntlm_av_write(&info, NTLM_AV_EOL, view(NULL, 0));
    challenge.target_info = writer_view(&info);
    ntlm_challenge_encode(&w, &challenge);
    ok(ntlm_challenge_decode(writer_view(&w), &challenge) == SEC_E_OK, "a challenge that decodes");
    ok(ntlm_client_finish(&h.client, writer_view(&w), &challenge, &h.client_finish,
                          &h.authenticate) == SEC_E_INVALID_TOKEN,
       "with no room for an answer");
    ok(h.client.stage == NTLM_STAGE_NEGOTIATE_SENT, "as it was");
    writer_free(&w);
    writer_free(&info);
    handshake_clear(&h);
}

static void unknown_wishes(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags = NTLM_STRONG | NTLM_TARGET_TYPE_DOMAIN;
    ok(handshake_start(&h) == SEC_E_UNSUPPORTED_FUNCTION, "not a client's to ask for");
    h.client_start.flags = NTLM_ESS;
    ok(handshake_start(&h) == SEC_E_INVALID_PARAMETER, "neither Unicode nor OEM");
    h.client_start.flags = NTLM_UNICODE;
    h.client_start.required = NTLM_ESS;
    ok(handshake_start(&h) == SEC_E_UNSUPPORTED_FUNCTION, "required but not offered");
    h.client_start.required = 0;
    h.client_start.target_name = hex("41");
    ok(handshake_start(&h) == SEC_E_INVALID_PARAMETER, "half a character");
    handshake_clear(&h);
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(works);
    RUN(results);
    RUN(messages);
    RUN(older_servers);
    RUN(replaced_pairs);
    RUN(out_of_order);
    RUN(wrong_password);
    RUN(changed_answer);
    RUN(changed_before);
    RUN(client_refuses);
    RUN(server_refuses);
    RUN(stripped_flags);
    RUN(weak_answers);
    RUN(wrong_key_size);
    RUN(is_local);
    RUN(local_call);
    RUN(local_refused);
    RUN(fixed_blocks);
    RUN(large_challenge);
    RUN(unknown_wishes);
    return test_end("unit_ntlm_context");
}
