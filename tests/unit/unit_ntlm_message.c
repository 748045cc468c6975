/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NTLM messages and AV pairs: round trips, and messages that are wrong in one way each. */
#include "core/ntlm.h"

#include "unit.h"

static const uint8_t version[8] = {10, 0, 0x61, 0x4A, 0, 0, 0, 15};

/* ---- AV pairs ---- */

static void av_lists(void)
{
    static const struct {
        const char *pairs;
        bool good;
    } cases[] = {
        {"00000000", true},
        {"02000200 4100 00000000", true},
        {"0b000300 414243 00000000", true},   /* an id that nobody knows */
        {"0b000000 0b000000 00000000", true}, /* even twice */
        {"00000000 ffff", true},              /* what follows the end is not looked at */
        {"06000400 00000000 00000000", true},
        {"0a001000 00000000000000000000000000000000 00000000", true},
        {"", false},
        {"0000", false},
        {"000000", false},
        {"02000200 4100", false},          /* no end */
        {"02000300 4100 00000000", false}, /* an odd name */
        {"0200ff00 4100 00000000", false}, /* overruns */
        {"02000200 4100 02000200 4200 00000000", false},
        {"06000200 0000 00000000", false},
        {"06000800 0000000000000000 00000000", false},
        {"07000400 00000000 00000000", false},
        {"0a000000 00000000", false},
        {"0a000f00 000000000000000000000000000000 00000000", false},
        {"00000100 41", false}, /* an end that has a value */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct slice pairs = hex(cases[i].pairs);
        uint8_t *block = exact_copy(pairs.data, pairs.size);
        status_t expected = cases[i].good ? SEC_E_OK : SEC_E_INVALID_TOKEN;
        ok(ntlm_av_check(view(block, pairs.size)) == expected, "%s", cases[i].pairs);
        free(block);
    }
}

static void av_find(void)
{
    struct writer w;
    struct slice value = {NULL, 0};
    writer_init(&w);
    ntlm_av_write(&w, NTLM_AV_NB_DOMAIN, wide("D"));
    ntlm_av_write(&w, NTLM_AV_TARGET_NAME, view(NULL, 0));
    ntlm_av_write(&w, NTLM_AV_EOL, view(NULL, 0));
    ntlm_av_write(&w, NTLM_AV_NB_COMPUTER, wide("C"));
    ok(ntlm_av_find(writer_view(&w), NTLM_AV_NB_DOMAIN, &value) && same(value, wide("D")), "found");
    ok(ntlm_av_find(writer_view(&w), NTLM_AV_TARGET_NAME, &value) && !value.size, "empty value");
    ok(!ntlm_av_find(writer_view(&w), NTLM_AV_DNS_DOMAIN, &value), "absent");
    ok(!ntlm_av_find(writer_view(&w), NTLM_AV_NB_COMPUTER, &value), "behind the end");
    ok(!ntlm_av_find(view(NULL, 0), NTLM_AV_NB_COMPUTER, &value), "in no list");
    writer_free(&w);
}

/* ---- NEGOTIATE ---- */

static void negotiate(void)
{
    struct writer w;
    struct ntlm_negotiate out, message = {.flags = NTLM_UNICODE | NTLM_VERSION};
    memcpy(message.version, version, sizeof(version));
    writer_init(&w);
    ntlm_negotiate_encode(&w, &message);
    ok(ntlm_negotiate_decode(writer_view(&w), &out) == SEC_E_OK, "with version");
    ok(out.flags == message.flags && !out.domain.size && !out.workstation.size, "no names");
    ok(!memcmp(out.version, version, 8), "version");
    writer_free(&w);

    message.flags = NTLM_OEM_DOMAIN_SUPPLIED | NTLM_OEM_WORKSTATION_SUPPLIED;
    message.domain = ascii("DOMAIN");
    message.workstation = ascii("WS");
    writer_init(&w);
    ntlm_negotiate_encode(&w, &message);
    ok(ntlm_negotiate_decode(writer_view(&w), &out) == SEC_E_OK, "with names");
    ok(same(out.domain, ascii("DOMAIN")) && same(out.workstation, ascii("WS")), "names");
    ok(!out.version[0], "no version");
    writer_free(&w);
}

static void negotiate_forms(void)
{
    static const struct {
        const char *token, *what;
        bool good;
    } cases[] = {
        {"4e544c4d53535000 01000000 07820800", "16 bytes", true},
        {"4e544c4d53535000 01000000 07820802", "16 bytes, version promised", false},
        {"4e544c4d53535000 01000000 07920800", "16 bytes, domain promised", false},
        {"4e544c4d53535000 01000000 07820800 00", "17 bytes", false},
        {"4e544c4d53535000 01000000 07820800 0000000000000000 0000000000000000", "32 bytes", true},
        {"4e544c4d53535000 01000000 07820800 0500050000000000 0000000000000000",
         "a field that no flag names", true},
        {"4e544c4d53535000 01000000 07920800 0100010020000000 0000000000000000 41", "domain", true},
        {"4e544c4d53535000 01000000 07920800 010001001f000000 0000000000000000 41",
         "domain within the head", false},
        {"4e544c4d53535000 01000000 07920800 0200020020000000 0000000000000000 41",
         "domain beyond the end", false},
        {"4e544c4d53535000 01000000 07920800 01000100ffffffff 0000000000000000 41",
         "domain far away", false},
        {"4e544c4d53535000 01000000 07920802 0100010020000000 0000000000000000 0a00000000000000",
         "domain within the version", false},
        {"4e544c4d53535000 02000000 07820800", "another type", false},
        {"4e544c4d53535001 01000000 07820800", "another signature", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct slice token = hex(cases[i].token);
        uint8_t *block = exact_copy(token.data, token.size);
        struct ntlm_negotiate out = {.flags = 0xEEEEEEEE};
        status_t status = ntlm_negotiate_decode(view(block, token.size), &out);
        ok(status == (cases[i].good ? SEC_E_OK : SEC_E_INVALID_TOKEN), "%s", cases[i].what);
        ok(cases[i].good || out.flags == 0xEEEEEEEE, "%s: out untouched", cases[i].what);
        free(block);
    }
}

/* ---- CHALLENGE ---- */

static struct ntlm_challenge sample_challenge(struct writer *info)
{
    ntlm_av_write(info, NTLM_AV_NB_DOMAIN, wide("D"));
    ntlm_av_write(info, NTLM_AV_TIMESTAMP, ascii("12345678"));
    ntlm_av_write(info, NTLM_AV_EOL, view(NULL, 0));
    struct ntlm_challenge message = {.flags = NTLM_UNICODE | NTLM_TARGET_INFO | NTLM_VERSION,
                                     .server_challenge = "sevenab",
                                     .local_ticket = 0x1122334455667788,
                                     .target_name = wide("SERVER"),
                                     .target_info = writer_view(info)};
    memcpy(message.version, version, sizeof(version));
    return message;
}

static void challenge(void)
{
    struct writer w, info;
    struct ntlm_challenge out;
    writer_init(&w);
    writer_init(&info);
    struct ntlm_challenge message = sample_challenge(&info);
    ntlm_challenge_encode(&w, &message);
    ok(ntlm_challenge_decode(writer_view(&w), &out) == SEC_E_OK, "decodes");
    ok(out.flags == message.flags && !memcmp(out.server_challenge, "sevenab", 8), "head");
    ok(out.local_ticket == message.local_ticket && !memcmp(out.version, version, 8), "more head");
    ok(same(out.target_name, message.target_name), "target name");
    ok(same(out.target_info, message.target_info), "target info");
    writer_free(&w);

    message.flags &= ~(NTLM_TARGET_INFO | NTLM_VERSION);
    writer_init(&w);
    ntlm_challenge_encode(&w, &message);
    ok(ntlm_challenge_decode(writer_view(&w), &out) == SEC_E_OK, "without target info");
    ok(!out.target_info.size && !out.version[0], "it is left out, and the version");
    writer_free(&w);
    writer_free(&info);
}

static void challenge_wrong(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *what;
    } changes[] = {
        {0, 'n', "signature"},        {8, 3, "type"},
        {16, 55, "name in the head"}, {16, 200, "name beyond the end"},
        {19, 0x80, "name far away"},  {40, 0xFF, "info too long"},
        {44, 55, "info in the head"}, {40, 0x0F, "info without its end"},
        {40, 1, "info of one byte"},
    };
    struct writer w, info;
    struct ntlm_challenge out;
    writer_init(&w);
    writer_init(&info);
    struct ntlm_challenge message = sample_challenge(&info);
    ntlm_challenge_encode(&w, &message);
    size_t size = writer_view(&w).size;
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        uint8_t *token = exact_copy(writer_view(&w).data, size);
        token[changes[i].at] = changes[i].value;
        ok(ntlm_challenge_decode(view(token, size), &out) == SEC_E_INVALID_TOKEN, "%s",
           changes[i].what);
        free(token);
    }
    writer_free(&w);
    writer_free(&info);
}

/* ---- AUTHENTICATE ---- */

/* An NTLMv2 response with these pairs. */
static struct slice response(struct writer *w, struct slice pairs)
{
    writer_zero(w, 16);
    writer_u16le(w, 0x0101);
    writer_zero(w, 6 + 8 + 8 + 4);
    writer_slice(w, pairs);
    writer_zero(w, 4);
    return writer_view(w);
}

static struct ntlm_authenticate sample_authenticate(struct slice nt_response)
{
    struct ntlm_authenticate message = {.flags = NTLM_UNICODE | NTLM_VERSION | NTLM_KEY_EXCH,
                                        .lm_response = ascii("lm response, 24 bytes..."),
                                        .nt_response = nt_response,
                                        .domain = wide("DOM"),
                                        .user = wide("user"),
                                        .workstation = wide("WS"),
                                        .encrypted_key = ascii("sixteen bytes..."),
                                        .mic = "the MIC, 16 byt"};
    memcpy(message.version, version, sizeof(version));
    return message;
}

static void authenticate(void)
{
    struct slice pairs = hex("07000800 0102030405060708 06000400 02000000 09000200 4100"
                             "0a001000 000102030405060708090a0b0c0d0e0f 00000000");
    struct writer w, nt;
    struct ntlm_authenticate out;
    writer_init(&w);
    writer_init(&nt);
    struct ntlm_authenticate message = sample_authenticate(response(&nt, pairs));
    message.has_mic = true;
    ntlm_authenticate_encode(&w, &message);
    ok(ntlm_authenticate_decode(writer_view(&w), &out) == SEC_E_OK, "decodes");
    ok(out.flags == message.flags && !memcmp(out.version, version, 8), "head");
    ok(same(out.lm_response, message.lm_response), "LM");
    ok(same(out.nt_response, message.nt_response), "NT");
    ok(same(out.domain, message.domain) && same(out.user, message.user) &&
           same(out.workstation, message.workstation),
       "names");
    ok(same(out.encrypted_key, message.encrypted_key), "key");
    ok(out.has_mic && !memcmp(out.mic, message.mic, 16), "MIC");
    ok(!memcmp(writer_view(&w).data + NTLM_MIC_OFFSET, message.mic, 16), "at its offset");
    ok(out.timestamp == 0x0807060504030201, "timestamp");
    ok(same(out.target_name, wide("A")), "target name");
    ok(out.channel_bindings.size == 16 && out.channel_bindings.data[15] == 15, "bindings");
    writer_free(&w);
    writer_free(&nt);
}

/* Short responses are no concern of the decoder, only of the server. */
static void authenticate_v1(void)
{
    static const size_t sizes[] = {0, 1, 23, 24};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct writer w;
        struct ntlm_authenticate out;
        writer_init(&w);
        struct ntlm_authenticate message = sample_authenticate(view(unit_pool, sizes[i]));
        ntlm_authenticate_encode(&w, &message);
        ok(ntlm_authenticate_decode(writer_view(&w), &out) == SEC_E_OK, "%zu bytes", sizes[i]);
        ok(out.nt_response.size == sizes[i] && !out.has_mic && !out.timestamp, "nothing in it");
        writer_free(&w);
    }
}

static status_t decode_response(struct slice pairs, bool has_mic)
{
    struct writer w, nt;
    struct ntlm_authenticate out;
    writer_init(&w);
    writer_init(&nt);
    struct ntlm_authenticate message = sample_authenticate(response(&nt, pairs));
    message.has_mic = has_mic;
    ntlm_authenticate_encode(&w, &message);
    size_t size = writer_view(&w).size;
    uint8_t *token = exact_copy(writer_view(&w).data, size);
    status_t status = ntlm_authenticate_decode(view(token, size), &out);
    free(token);
    writer_free(&w);
    writer_free(&nt);
    return status;
}

static void authenticate_wrong_response(void)
{
    ok(decode_response(hex("00000000"), false) == SEC_E_OK, "no pairs");
    ok(decode_response(hex("06000400 00000000 00000000"), false) == SEC_E_OK, "flags without MIC");
    ok(decode_response(hex("06000400 02000000 00000000"), true) == SEC_E_OK, "with MIC");
    ok(decode_response(hex("06000400 02000000 00000000"), false) == SEC_E_INVALID_TOKEN,
       "names where the MIC should be");
    ok(decode_response(hex("0200ff00"), false) == SEC_E_INVALID_TOKEN, "an overrun");
    ok(decode_response(hex("0200020041000200 02004100"), false) == SEC_E_INVALID_TOKEN, "twice");
    ok(decode_response(hex("09000200 0000 00000000"), false) == SEC_E_INVALID_TOKEN,
       "a target with U+0000");
    ok(decode_response(hex("09000200 00dc 00000000"), false) == SEC_E_INVALID_TOKEN,
       "a target that is no text");
}

static void authenticate_wrong(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *what;
    } changes[] = {
        {0, 0, "signature"},
        {8, 1, "type"},
        {16, 71, "LM in the head"},
        {24, 71, "NT in the head"},
        {32, 71, "domain in the head"},
        {40, 71, "user in the head"},
        {48, 71, "workstation in the head"},
        {56, 71, "key in the head"},
        {57, 0xFF, "key far away"},
        {36, 7, "half a character"},
        {21, 1, "NT too long"},
        {73, 0xD8, "domain is no text"},
    };
    struct writer w, nt;
    struct ntlm_authenticate out;
    writer_init(&w);
    writer_init(&nt);
    struct ntlm_authenticate message = sample_authenticate(response(&nt, hex("00000000")));
    ntlm_authenticate_encode(&w, &message);
    size_t size = writer_view(&w).size;
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        uint8_t *token = exact_copy(writer_view(&w).data, size);
        token[changes[i].at] = changes[i].value;
        ok(ntlm_authenticate_decode(view(token, size), &out) == SEC_E_INVALID_TOKEN, "%s",
           changes[i].what);
        free(token);
    }
    writer_free(&w);
    writer_free(&nt);
}

/* ---- size ---- */

static void too_long(void)
{
    struct writer w;
    uint8_t *block = calloc(1, 65536);
    struct ntlm_negotiate message = {.flags = NTLM_OEM_DOMAIN_SUPPLIED}, out;
    writer_init(&w);
    message.domain = view(block, NTLM_MESSAGE_MAX - 40);
    ntlm_negotiate_encode(&w, &message);
    ok(writer_view(&w).size == NTLM_MESSAGE_MAX, "the longest");
    ok(ntlm_negotiate_decode(writer_view(&w), &out) == SEC_E_OK, "is taken");
    writer_u8(&w, 0);
    ok(ntlm_negotiate_decode(writer_view(&w), &out) == SEC_E_INVALID_TOKEN, "a longer is not");
    writer_free(&w);
    writer_init(&w);
    message.domain = view(block, NTLM_MESSAGE_MAX - 39);
    ntlm_negotiate_encode(&w, &message);
    ok(!status_ok(writer_status(&w)), "nor made");
    writer_free(&w);
    writer_init(&w);
    message.domain = view(block, 65536);
    ntlm_negotiate_encode(&w, &message);
    ok(!status_ok(writer_status(&w)), "nor a field whose size has no room");
    writer_free(&w);
    free(block);
}

int main(void)
{
    RUN(av_lists);
    RUN(av_find);
    RUN(negotiate);
    RUN(negotiate_forms);
    RUN(challenge);
    RUN(challenge_wrong);
    RUN(authenticate);
    RUN(authenticate_v1);
    RUN(authenticate_wrong_response);
    RUN(authenticate_wrong);
    RUN(too_long);
    return test_end("unit_ntlm_message");
}
