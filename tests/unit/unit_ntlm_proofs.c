/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client proves itself by and what a server accepts: NTLMv2 and its MIC, NTLMv1, LM,
 * nobody, and an authority's word. The published exchanges of MS-NLMP 4.2 are run as whole
 * messages.
 */
#include "handshake.h"

/* ---- published exchanges ---- */

/* The challenge of an example is answered with its names, keys and time. */
static void answer_example(struct handshake *h, const char *challenge_token)
{
    struct slice token = hex(challenge_token);
    struct ntlm_challenge challenge;
    h->client_start.flags = NTLM_STRONG | NTLM_SIGN | NTLM_SEAL | NTLM_LM_KEY |
                            NTLM_NON_NT_SESSION_KEY;
    h->client_finish.no_extended_protection = true;
    memcpy(h->client_finish.v2_hash, hex("0c868a403bfd7a93a3001ef22ef02e3f").data, 16);
    memcpy(h->client_finish.nt_hash, hex("a4f49c406510bdcab6824ee7c30fd852").data, 16);
    memcpy(h->client_finish.lm_hash, hex("e52cac67419a9a224a3b108f3fa6cb6d").data, 16);
    ok(!handshake_start(h), "start");
    ok(!ntlm_challenge_decode(token, &challenge), "decode");
    ok(!ntlm_client_finish(&h->client, token, &challenge, &h->client_finish, &h->authenticate),
       "answer");
}

/* MS-NLMP 4.2.2 */
static void example_v1(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_finish.proof = NTLM_PROOF_V1;
    h.client_finish.send_lm = true;
    answer_example(&h, "4e544c4d53535000020000000c000c0038000000338202e20123456789abcdef00000000"
                       "000000000000000000000000060070170000000f530065007200760065007200");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    ok(same(answer.lm_response, hex("98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13")), "LM");
    ok(same(answer.nt_response, hex("67c43011f30298a2ad35ece64f16331c44bdbed927841f94")), "NT");
    ok(same(answer.encrypted_key, hex("518822b1b3f350c8958682ecbb3e3cb7")), "key");
    ok(!answer.has_mic, "no MIC without NTLMv2");
    handshake_clear(&h);
}

/* The same with the older keys of 4.2.2.2.3 granted. */
static void example_v1_keys(void)
{
    static const struct {
        const char *flags, *key;
    } cases[] = {{"338242e2", "7452ca55c225a1ca04b48fae32cf56fc"},
                 {"b38202e2", "4cd7bb57d697ef9b549f02b8f9b37864"}};
    for (size_t i = 0; i < 2; i++) {
        struct handshake h;
        char token[200];
        snprintf(token, sizeof(token),
                 "4e544c4d53535000020000000c000c0038000000%s0123456789abcdef00000000"
                 "000000000000000000000000060070170000000f530065007200760065007200",
                 cases[i].flags);
        handshake_init(&h);
        h.client_finish.proof = NTLM_PROOF_V1;
        h.client_finish.send_lm = true;
        answer_example(&h, token);
        ok(same(sent_authenticate(&h).encrypted_key, hex(cases[i].key)), "flags %s",
           cases[i].flags);
        handshake_clear(&h);
    }
}

/* MS-NLMP 4.2.3, whose flags are 56 bits without key exchange. */
static void example_v1_ess(void)
{
    struct handshake h;
    uint8_t data[18], signature[16];
    memcpy(data, hex("50006c00610069006e007400650078007400").data, sizeof(data));
    struct message_part part = {data, sizeof(data), true};
    handshake_init(&h);
    h.client_finish.proof = NTLM_PROOF_V1;
    answer_example(&h, "4e544c4d53535000020000000c000c003800000033820a820123456789abcdef00000000"
                       "000000000000000000000000060070170000000f530065007200760065007200");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    ok(same(answer.lm_response, hex("aaaaaaaaaaaaaaaa00000000000000000000000000000000")), "LM");
    ok(same(answer.nt_response, hex("7537f803ae367128ca458204bde7caf81e97ed2683267232")), "NT");
    ok(same(view(h.client.session.session_key, 16), hex("eb93429a8bd952f8b89c55b87f475edc")),
       "key");
    ok(!ntlm_seal(&h.client.session, 0, &part, 1, signature), "seal");
    ok(same(view(data, 18), hex("a02372f6530273f3aa1eb90190ce5200c99d")), "sealed data");
    ok(same(view(signature, 16), hex("01000000ff2aeb52f681793a00000000")), "signature");
    handshake_clear(&h);
}

/* MS-NLMP 4.2.4 with the server's time added, so that a MIC goes along (derived). */
static void example_v2(void)
{
    struct handshake h;
    uint8_t zeros[24] = {0};
    handshake_init(&h);
    answer_example(&h, "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000"
                       "000000003000300044000000060070170000000f530065007200760065007200"
                       "02000c0044006f006d00610069006e0001000c005300650072007600650072000700"
                       "0800000000000000000000000000");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    ok(same(answer.nt_response,
            hex("5debf3871c2894b81f164281edbf0bff01010000000000000000000000000000aaaaaaaaaaaaaaaa"
                "0000000002000c0044006f006d00610069006e0001000c0053006500720076006500720007000800"
                "000000000000000006000400020000000000000000000000")),
       "NT");
    ok(same(answer.lm_response, view(zeros, 24)), "LM");
    ok(same(answer.encrypted_key, hex("ebb24f48a9c2268e60b7dcb2bbb3aab5")), "key");
    ok(answer.has_mic, "MIC");
    handshake_clear(&h);
}

/* ---- which response for which proof ---- */

static void kinds(void)
{
    static const struct {
        size_t nt, lm;
        bool user;
        enum ntlm_response plain, ess;
    } cases[] = {
        {0, 0, false, NTLM_RESPONSE_ANONYMOUS, NTLM_RESPONSE_ANONYMOUS},
        {0, 1, false, NTLM_RESPONSE_ANONYMOUS, NTLM_RESPONSE_ANONYMOUS},
        {0, 1, true, NTLM_RESPONSE_OTHER, NTLM_RESPONSE_OTHER},
        {0, 0, true, NTLM_RESPONSE_OTHER, NTLM_RESPONSE_OTHER},
        {0, 24, true, NTLM_RESPONSE_LM, NTLM_RESPONSE_OTHER},
        {0, 24, false, NTLM_RESPONSE_LM, NTLM_RESPONSE_OTHER},
        {24, 24, true, NTLM_RESPONSE_V1, NTLM_RESPONSE_V1_ESS},
        {24, 0, true, NTLM_RESPONSE_V1, NTLM_RESPONSE_OTHER},
        {23, 24, true, NTLM_RESPONSE_OTHER, NTLM_RESPONSE_OTHER},
        {1, 0, false, NTLM_RESPONSE_OTHER, NTLM_RESPONSE_OTHER},
        {48, 24, true, NTLM_RESPONSE_V2, NTLM_RESPONSE_V2},
        {48, 0, false, NTLM_RESPONSE_V2, NTLM_RESPONSE_V2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct ntlm_authenticate message = {.nt_response.size = cases[i].nt,
                                            .lm_response.size = cases[i].lm,
                                            .user.size = cases[i].user ? 2 : 0};
        ok(ntlm_authenticate_response(&message, 0) == cases[i].plain, "case %zu", i);
        ok(ntlm_authenticate_response(&message, NTLM_ESS) == cases[i].ess, "case %zu, ESS", i);
    }
}

static bool proof_fits(enum ntlm_proof client, enum ntlm_proof server)
{
    return client == server || (server == NTLM_PROOF_AUTHORITY && client != NTLM_PROOF_ANONYMOUS);
}

/* Each proof of a client against each that a server may ask for. A LOCAL one has the shape of
 * NTLMv2 and is looked at in unit_ntlm_context. */
static void every_proof(void)
{
    static const enum ntlm_proof proofs[] = {NTLM_PROOF_V2, NTLM_PROOF_V1, NTLM_PROOF_ANONYMOUS,
                                             NTLM_PROOF_AUTHORITY};
    for (unsigned i = 0; i < 3 * 4 * 2; i++) {
        struct handshake h;
        handshake_init(&h);
        h.client_finish.proof = proofs[i % 3];
        h.server_finish.proof = proofs[i / 3 % 4];
        if (i / 12) h.client_start.flags &= ~NTLM_ESS;
        /* The session base keys that an authority would find. */
        ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h), "half way");
        struct ntlm_authenticate answer = sent_authenticate(&h);
        status_t status = SEC_E_OK;
        if (h.client_finish.proof == NTLM_PROOF_V2)
            status = ntlm_v2_session_base_key(h.client_finish.v2_hash, answer.nt_response.data,
                                              h.server_finish.session_base_key);
        if (h.client_finish.proof == NTLM_PROOF_V1)
            status = ntlm_v1_session_base_key(h.client_finish.nt_hash,
                                              h.server_finish.session_base_key);
        ok(!status, "key");
        bool fits = proof_fits(h.client_finish.proof, h.server_finish.proof);
        ok(handshake_accept(&h) == (fits ? SEC_E_OK : SEC_E_LOGON_DENIED), "%d for %d",
           h.client_finish.proof, h.server_finish.proof);
        if (fits) ok(handshake_works(&h), "%d for %d: works", i % 3, i / 3 % 4);
        else ok(h.server.stage == NTLM_STAGE_CHALLENGE_SENT && !h.server.user.data, "as it was");
        handshake_clear(&h);
    }
}

/* Every byte of both responses counts. */
static void changed_v1(void)
{
    for (int ess = 0; ess < 2; ess++) {
        struct handshake h;
        handshake_init(&h);
        h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_V1;
        if (!ess) h.client_start.flags &= ~NTLM_ESS;
        ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h),
           "up to there");
        struct ntlm_authenticate answer = sent_authenticate(&h);
        uint8_t *nt = exact_copy(answer.nt_response.data, 24);
        uint8_t *lm = exact_copy(answer.lm_response.data, 24);
        answer.nt_response.data = nt;
        answer.lm_response.data = lm;
        struct slice token = writer_view(&h.authenticate);
        for (size_t bit = 0; bit < 8 * 24; bit++) {
            nt[bit / 8] ^= (uint8_t)(1 << bit % 8);
            ok(ntlm_server_finish(&h.server, token, &answer, &h.server_finish) ==
                   SEC_E_LOGON_DENIED,
               "bit %zu of the NT response", bit);
            nt[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (!ess || bit >= 8 * 8) continue;
            lm[bit / 8] ^= (uint8_t)(1 << bit % 8);
            ok(ntlm_server_finish(&h.server, token, &answer, &h.server_finish) ==
                   SEC_E_LOGON_DENIED,
               "bit %zu of the client's challenge", bit);
            lm[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        h.server_finish.nt_hash[3] ^= 1;
        ok(handshake_accept(&h) == SEC_E_LOGON_DENIED, "another hash");
        h.server_finish.nt_hash[3] ^= 1;
        ok(!handshake_accept(&h) && handshake_works(&h), "unchanged");
        free(nt);
        free(lm);
        handshake_clear(&h);
    }
}

/* A client that knows LM alone, for which the server has to be told twice. */
static void lm_alone(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags = NTLM_UNICODE;
    h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_V1;
    h.client_finish.send_lm = true;
    ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h), "up to there");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    struct slice token = writer_view(&h.authenticate);
    answer.nt_response.size = 0;
    for (int i = 0; i < 3; i++) {
        h.server_finish.accept_lm = i & 1;
        h.server_finish.has_lm = i & 2;
        ok(ntlm_server_finish(&h.server, token, &answer, &h.server_finish) == SEC_E_LOGON_DENIED,
           "case %d", i);
    }
    h.server_finish.accept_lm = h.server_finish.has_lm = true;
    h.server_finish.lm_hash[0] ^= 1;
    ok(ntlm_server_finish(&h.server, token, &answer, &h.server_finish) == SEC_E_LOGON_DENIED,
       "another hash");
    h.server_finish.lm_hash[0] ^= 1;
    ok(!ntlm_server_finish(&h.server, token, &answer, &h.server_finish) && handshake_works(&h),
       "accepted");
    handshake_clear(&h);
}

/* Keys made from the LM hash are refused where nobody has it. */
static void keys_without_lm(void)
{
    static const uint32_t flags[] = {NTLM_LM_KEY, NTLM_NON_NT_SESSION_KEY};
    for (size_t i = 0; i < 2; i++) {
        struct handshake h;
        handshake_init(&h);
        h.client_start.flags = NTLM_UNICODE | NTLM_SIGN | flags[i];
        h.server_start.flags |= flags[i];
        h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_V1;
        ok(handshake_run(&h) == SEC_E_LOGON_DENIED, "%08x: no LM hash", flags[i]);
        h.server_finish.proof = NTLM_PROOF_AUTHORITY;
        ok(!ntlm_v1_session_base_key(h.client_finish.nt_hash, h.server_finish.session_base_key),
           "base key");
        ok(handshake_accept(&h) == SEC_E_LOGON_DENIED, "%08x: none from the authority", flags[i]);
        memcpy(h.server_finish.lm_session_key, h.client_finish.lm_hash, 8);
        h.server_finish.has_lm = true;
        ok(!handshake_accept(&h) && handshake_works(&h), "%08x: with its key", flags[i]);
        handshake_clear(&h);
    }
}

/* Whoever verified the responses, the MIC is checked here. */
static void authority_wrong(void)
{
    struct handshake h;
    handshake_init(&h);
    h.server_finish.proof = NTLM_PROOF_AUTHORITY;
    memset(h.server_finish.session_base_key, 1, 16);
    ok(handshake_run(&h) == SEC_E_LOGON_DENIED, "another key");
    handshake_clear(&h);
}

static void anonymous(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags |= NTLM_ANONYMOUS;
    h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_ANONYMOUS;
    ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h), "up to there");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    ok(answer.flags & NTLM_ANONYMOUS && !answer.user.size && !answer.domain.size, "no name");
    ok(!answer.nt_response.size && same(answer.lm_response, hex("00")), "no response");
    ok(!handshake_accept(&h) && handshake_works(&h), "accepted");
    ok(h.server.session.flags & NTLM_ANONYMOUS, "and known as such");
    ok(!h.server.user.size && !h.client.user.size, "no name in either context");
    handshake_clear(&h);

    /* Without key exchange everybody knows the key. */
    uint8_t zeros[16] = {0};
    handshake_init(&h);
    h.client_start.flags &= ~NTLM_KEY_EXCH;
    h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_ANONYMOUS;
    ok(!handshake_run(&h) && handshake_works(&h), "run");
    ok(!memcmp(h.server.session.session_key, zeros, 16), "key");
    handshake_clear(&h);
}

/* ---- the MIC ---- */

/* The message as somebody on the way would cut it: without the bytes from at on, every offset
 * moved. */
static void cut_head(struct writer *w, struct slice token, size_t at, size_t size)
{
    writer_bytes(w, token.data, at);
    writer_bytes(w, token.data + at + size, token.size - at - size);
    for (size_t field = 12; field < 60; field += 8) {
        struct reader r;
        reader_init(&r, token.data + field + 4, 4);
        writer_patch_u32le(w, field + 4, reader_u32le(&r) - (uint32_t)size);
    }
}

static void mic_removed(void)
{
    static const struct {
        size_t at, size;
        uint32_t flags;
        const char *what;
    } cases[] = {{72, 16, 0, "MIC"},
                 {64, 24, NTLM_VERSION, "version and MIC"},
                 {64, 8, NTLM_VERSION, "version"},
                 {64, 24, 0, "version and MIC, but not their flag"},
                 {72, 15, 0, "most of the MIC"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct handshake h;
        struct writer w;
        handshake_init(&h);
        ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h),
           "up to there");
        writer_init(&w);
        cut_head(&w, writer_view(&h.authenticate), cases[i].at, cases[i].size);
        writer_patch_u32le(&w, 60, sent_authenticate(&h).flags & ~cases[i].flags);
        status_t status = handshake_accept_token(&h, writer_view(&w));
        ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_LOGON_DENIED, "%s: %x", cases[i].what,
           (unsigned)status);
        ok(!handshake_accept(&h), "%s: unchanged", cases[i].what);
        writer_free(&w);
        handshake_clear(&h);
    }
}

/* The pair that announces it is covered by the proof; the rest of the message by the MIC. */
static void mic_disowned(void)
{
    struct handshake h;
    struct slice value;
    handshake_init(&h);
    ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h), "up to there");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    struct slice pairs = view(answer.nt_response.data + 44, answer.nt_response.size - 44);
    ok(ntlm_av_find(pairs, NTLM_AV_FLAGS, &value), "flags");
    size_t at = (size_t)(value.data - writer_view(&h.authenticate).data);
    writer_patch_u32le(&h.authenticate, at, 0);
    ok(handshake_accept(&h) == SEC_E_LOGON_DENIED, "flags of the pair cleared");
    writer_patch_u32le(&h.authenticate, at, NTLM_AV_FLAG_MIC);
    writer_patch_u32le(&h.authenticate, 60, answer.flags & ~NTLM_VERSION);
    ok(handshake_accept(&h) == SEC_E_LOGON_DENIED, "no version any more");
    writer_patch_u32le(&h.authenticate, 60, answer.flags);
    writer_patch_bytes(&h.authenticate, 64, "\0\0\0\0\0\0\0\0", 8);
    ok(handshake_accept(&h) == SEC_E_LOGON_DENIED, "another version");
    memcpy(h.authenticate.data + 64, answer.version, 8);
    uint8_t zeros[16] = {0};
    writer_patch_bytes(&h.authenticate, NTLM_MIC_OFFSET, zeros, 16);
    ok(handshake_accept(&h) == SEC_E_LOGON_DENIED, "a MIC of zeros");
    writer_patch_bytes(&h.authenticate, NTLM_MIC_OFFSET, answer.mic, 16);
    ok(!handshake_accept(&h) && handshake_works(&h), "as it was");
    handshake_clear(&h);
}

static void mic_required(void)
{
    static const enum ntlm_proof proofs[] = {NTLM_PROOF_V1, NTLM_PROOF_ANONYMOUS, NTLM_PROOF_V2};
    for (size_t i = 0; i < 3; i++) {
        struct handshake h;
        handshake_init(&h);
        h.client_finish.proof = h.server_finish.proof = proofs[i];
        h.server_finish.require_mic = true;
        bool has_mic = proofs[i] == NTLM_PROOF_V2;
        ok(handshake_run(&h) == (has_mic ? SEC_E_OK : SEC_E_LOGON_DENIED), "proof %d", proofs[i]);
        h.server_finish.require_mic = false;
        if (!has_mic) ok(!handshake_accept(&h), "proof %d, not required", proofs[i]);
        handshake_clear(&h);
    }
}

/* Messages without MIC whose payload follows the flags, or the version, at once. */
static void shorter_heads(void)
{
    for (size_t head = 64; head <= 72; head += 8) {
        struct handshake h;
        struct writer w;
        handshake_init(&h);
        h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_V1;
        ok(!handshake_start(&h) && !handshake_challenge(&h) && !handshake_answer(&h),
           "up to there");
        writer_init(&w);
        cut_head(&w, writer_view(&h.authenticate), head, 72 - head);
        if (head == 64) writer_patch_u32le(&w, 60, sent_authenticate(&h).flags & ~NTLM_VERSION);
        ok(!handshake_accept_token(&h, writer_view(&w)), "head of %zu", head);
        ok(handshake_say(&h.client.session, &h.server.session, "text"), "head of %zu: works", head);
        writer_free(&w);
        handshake_clear(&h);
    }
}

/* ---- time and pairs ---- */

static void times(void)
{
    static const struct {
        uint64_t now, window;
        bool good;
    } cases[] = {{1000, 0, true},  {1000, 50, false},     {1150, 50, true}, {1151, 50, false},
                 {1050, 50, true}, {1049, 50, false},     {1100, 1, true},  {0, 1099, false},
                 {0, 1100, true},  {UINT64_MAX, 1, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct handshake h;
        handshake_init(&h);
        h.server_start.now = 1100;
        h.server_finish.now = cases[i].now;
        h.server_finish.timestamp_window = cases[i].window;
        ok(handshake_run(&h) == (cases[i].good ? SEC_E_OK : SEC_E_LOGON_DENIED), "case %zu", i);
        handshake_clear(&h);
    }
}

/* An NTLMv1 response says no time, so that none can be wrong. */
static void no_time(void)
{
    struct handshake h;
    handshake_init(&h);
    h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_V1;
    h.server_finish.timestamp_window = 1;
    ok(!handshake_run(&h) && handshake_works(&h), "run");
    handshake_clear(&h);
}

/* What a server says of its own machine is not what the client says of its. */
static void pairs_of_server(void)
{
    for (int given = 0; given < 2; given++) {
        struct handshake h;
        struct writer info;
        uint8_t ours[NTLM_MACHINE_ID_SIZE] = "ours";
        handshake_init(&h);
        writer_init(&info);
        ok(!handshake_start(&h) && !handshake_challenge(&h), "half way");
        struct ntlm_challenge challenge = sent_challenge(&h);
        writer_slice(&info, hex("08003000 30000000 00000000 0000000000000000"));
        writer_zero(&info, NTLM_MACHINE_ID_SIZE);
        writer_slice(&info, hex("09000200 4100 0a001000 01010101010101010101010101010101"));
        writer_slice(&info, challenge.target_info);
        challenge.target_info = writer_view(&info);
        if (given) h.client_finish.machine_id = ours;
        ok(!ntlm_client_finish(&h.client, writer_view(&h.challenge), &challenge, &h.client_finish,
                               &h.authenticate),
           "answer");
        struct ntlm_authenticate answer = sent_authenticate(&h);
        ok(given ? same(answer.machine_id, view(ours, sizeof(ours))) : !answer.machine_id.size,
           "machine");
        ok(same(answer.target_name, wide("HTTP/server.example")), "target");
        ok(same(answer.channel_bindings, hex("00000000000000000000000000000000")), "bindings");
        writer_free(&info);
        handshake_clear(&h);
    }
}

static void pairs_given(void)
{
    struct handshake h;
    uint8_t machine_id[NTLM_MACHINE_ID_SIZE];
    struct slice value;
    memset(machine_id, 0x4D, sizeof(machine_id));
    handshake_init(&h);
    h.client_finish.machine_id = machine_id;
    h.client_finish.untrusted_target = true;
    ok(!handshake_run(&h), "run");
    struct ntlm_authenticate answer = sent_authenticate(&h);
    ok(answer.av_flags == (NTLM_AV_FLAG_MIC | NTLM_AV_FLAG_UNTRUSTED_TARGET), "flags");
    ok(same(answer.machine_id, view(machine_id, sizeof(machine_id))), "machine");
    struct slice pairs = view(answer.nt_response.data + 44, answer.nt_response.size - 44);
    ok(ntlm_av_find(pairs, NTLM_AV_SINGLE_HOST, &value) && value.size == 48 &&
           same(view(value.data, 8), hex("30000000 00000000")),
       "the pair's size says itself");
    handshake_clear(&h);

    handshake_init(&h);
    h.client_finish.no_extended_protection = true;
    h.client_finish.channel_bindings = machine_id;
    ok(!handshake_run(&h), "run");
    answer = sent_authenticate(&h);
    ok(!answer.target_name.size && !answer.channel_bindings.size && !answer.machine_id.size &&
           answer.av_flags == NTLM_AV_FLAG_MIC,
       "neither target nor bindings, still a MIC");
    handshake_clear(&h);
}

/* A single-host pair of another form is no one's machine, and no fault. */
static void other_single_host(void)
{
    static const char *const pairs[] = {"08000400 04000000", "08003000 31000000", "08000000"};
    for (size_t i = 0; i < 3; i++) {
        struct ntlm_authenticate message = {.flags = NTLM_UNICODE};
        struct writer response, w;
        writer_init(&response);
        writer_init(&w);
        writer_zero(&response, 16);
        writer_slice(&response, hex("0101000000000000 0000000000000000 0000000000000000 00000000"));
        writer_slice(&response, hex(pairs[i]));
        if (i == 1) writer_zero(&response, 44);
        writer_zero(&response, 8);
        message.nt_response = writer_view(&response);
        ntlm_authenticate_encode(&w, &message);
        ok(!ntlm_authenticate_decode(writer_view(&w), &message), "case %zu", i);
        ok(!message.machine_id.size, "case %zu: no machine", i);
        writer_free(&response);
        writer_free(&w);
    }
}

/* The caller may know the user by another name than the message gives. */
static void names_given(void)
{
    struct handshake h;
    handshake_init(&h);
    h.server_finish.user = wide("alice");
    h.server_finish.domain = view(unit_pool, 0);
    ok(!handshake_run(&h), "run");
    ok(blob_is(&h.server.user, wide("alice")) && !h.server.domain.size, "given");
    handshake_clear(&h);

    handshake_init(&h);
    h.server_finish.user = view(unit_pool, 0);
    ok(!handshake_run(&h), "run");
    ok(!h.server.user.size && blob_is(&h.server.domain, wide("Domain")), "given as none");
    handshake_clear(&h);

    handshake_init(&h);
    h.server_finish.user = hex("00d8");
    ok(handshake_run(&h) == SEC_E_INVALID_PARAMETER, "no text");
    ok(h.server.stage == NTLM_STAGE_CHALLENGE_SENT, "as it was");
    handshake_clear(&h);
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(example_v1);
    RUN(example_v1_keys);
    RUN(example_v1_ess);
    RUN(example_v2);
    RUN(kinds);
    RUN(every_proof);
    RUN(changed_v1);
    RUN(lm_alone);
    RUN(keys_without_lm);
    RUN(authority_wrong);
    RUN(anonymous);
    RUN(mic_removed);
    RUN(mic_disowned);
    RUN(mic_required);
    RUN(shorter_heads);
    RUN(times);
    RUN(no_time);
    RUN(pairs_of_server);
    RUN(pairs_given);
    RUN(other_single_host);
    RUN(names_given);
    return test_end("unit_ntlm_proofs");
}
