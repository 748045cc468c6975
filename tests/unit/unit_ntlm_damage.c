/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages that somebody damaged, forged or sent out of turn: fields that point anywhere, text that
 * is no text, pairs and responses cut short, flags that have no meaning. Decoding refuses them, and
 * no step changes a context for them.
 */
#include "handshake.h"

/* Three good messages, each of whose fields has something in it. */
struct messages {
    struct handshake h;
    struct writer *tokens[3];
};

static void init_messages(struct messages *m)
{
    handshake_init(&m->h);
    m->h.client_start.offer_local = true;
    ok(!handshake_run(&m->h), "run");
    m->tokens[0] = &m->h.negotiate;
    m->tokens[1] = &m->h.challenge;
    m->tokens[2] = &m->h.authenticate;
}

static status_t decode(int which, struct slice token)
{
    struct ntlm_negotiate negotiate;
    struct ntlm_challenge challenge;
    struct ntlm_authenticate authenticate;
    uint8_t *block = exact_copy(token.data, token.size);
    struct slice exact = view(block, token.size);
    status_t status;
    if (which == 0) status = ntlm_negotiate_decode(exact, &negotiate);
    else if (which == 1) status = ntlm_challenge_decode(exact, &challenge);
    else status = ntlm_authenticate_decode(exact, &authenticate);
    free(block);
    return status;
}

/* ---- fields ---- */

static const struct {
    int which;
    size_t at;
    const char *name;
} fields[] = {
    {0, 16, "domain of NEGOTIATE"},
    {0, 24, "workstation of NEGOTIATE"},
    {1, 12, "target name"},
    {1, 40, "target information"},
    {2, 12, "LM response"},
    {2, 20, "NT response"},
    {2, 28, "domain"},
    {2, 36, "user"},
    {2, 44, "workstation"},
    {2, 52, "key"},
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

static status_t decode_pointed(struct messages *m, size_t field, size_t size, uint32_t offset)
{
    struct writer w;
    writer_init(&w);
    writer_slice(&w, writer_view(m->tokens[fields[field].which]));
    writer_patch_u16le(&w, fields[field].at, (uint16_t)size);
    writer_patch_u32le(&w, fields[field].at + 4, offset);
    status_t status = decode(fields[field].which, writer_view(&w));
    writer_free(&w);
    return status;
}

static void fields_astray(void)
{
    struct messages m;
    init_messages(&m);
    for (size_t i = 0; i < FIELDS; i++) {
        uint32_t end = (uint32_t)writer_view(m.tokens[fields[i].which]).size;
        const struct {
            size_t size;
            uint32_t offset;
            const char *what;
        } cases[] = {
            {2, end, "just past the end"},
            {2, end - 1, "half past the end"},
            {0xFFFE, end - 2, "far past the end"},
            {0xFFFE, 0, "more than there is"},
            {2, 0x80000000, "half way round"},
            {2, 0xFFFFFFFF, "wrapping into the signature"},
            {16, 0xFFFFFFF8, "wrapping into the head"},
            {0xFFFE, 0xFFFF0010, "wrapping around all"},
            {2, 0, "the signature"},
            {2, 12, "the head"},
            {4, (uint32_t)fields[i].at, "itself"},
        };
        for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
            ok(decode_pointed(&m, i, cases[k].size, cases[k].offset) == SEC_E_INVALID_TOKEN,
               "%s: %s", fields[i].name, cases[k].what);
    }
    handshake_clear(&m.h);
}

/* Nothing is where nothing points: an empty field may point anywhere. The response alone may not be
 * empty here, since the MIC hangs on it. */
static void fields_empty(void)
{
    static const uint32_t offsets[] = {0, 1, 12, 64, 0x7FFFFFFF, 0xFFFFFFFF};
    struct messages m;
    init_messages(&m);
    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i].at == 20 && fields[i].which == 2) continue;
        for (size_t k = 0; k < sizeof(offsets) / sizeof(*offsets); k++)
            ok(decode_pointed(&m, i, 0, offsets[k]) == SEC_E_OK, "%s: nothing at %x",
               fields[i].name, offsets[k]);
    }
    handshake_clear(&m.h);
}

/* Two fields over the same bytes are read alike, and neither writes. */
static void fields_overlap(void)
{
    struct messages m;
    struct ntlm_authenticate message;
    init_messages(&m);
    struct reader r;
    reader_init(&r, m.h.authenticate.data + 40, 4);
    uint32_t user = reader_u32le(&r);
    writer_patch_u16le(&m.h.authenticate, 28, 8);
    writer_patch_u32le(&m.h.authenticate, 32, user);
    ok(!ntlm_authenticate_decode(writer_view(&m.h.authenticate), &message), "decode");
    ok(same(message.user, wide("User")) && same(message.domain, wide("User")), "both");
    handshake_clear(&m.h);
}

/* The allocated size of a field is to be ignored (MS-NLMP 2.2.1). */
static void fields_allocated(void)
{
    struct messages m;
    init_messages(&m);
    for (size_t i = 0; i < FIELDS; i++) {
        struct writer *token = m.tokens[fields[i].which];
        writer_patch_u16le(token, fields[i].at + 2, 0xFFFF);
        ok(!decode(fields[i].which, writer_view(token)), "%s", fields[i].name);
    }
    handshake_clear(&m.h);
}

/* ---- text ---- */

static void wrong_text(void)
{
    static const char *const texts[] = {
        "41",             /* half a character */
        "4100 42",        /* one and a half */
        "00d8",           /* half a pair */
        "00dc 00d8",      /* a pair the wrong way round */
        "3dd8 4100",      /* a half followed by a letter */
        "4100 00dc",      /* the other half alone */
        "4100 0000 4200", /* U+0000 within */
        "557365724f454d", /* OEM bytes under the flag of Unicode */
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        for (int which = 0; which < 4; which++) {
            struct writer w;
            struct ntlm_authenticate message = {.flags = NTLM_UNICODE}, out;
            struct slice *const places[] = {&message.user, &message.domain, &message.workstation};
            writer_init(&w);
            *places[which % 3] = hex(texts[i]);
            if (which == 3) message.flags = NTLM_OEM;
            ntlm_authenticate_encode(&w, &message);
            ok(ntlm_authenticate_decode(writer_view(&w), &out) ==
                   (which == 3 ? SEC_E_OK : SEC_E_INVALID_TOKEN),
               "text %zu, place %d", i, which);
            writer_free(&w);
        }
    }
}

/* ---- pairs ---- */

static status_t decode_pairs(struct slice pairs, bool challenge)
{
    struct writer w, response;
    struct ntlm_challenge asked = {.flags = NTLM_TARGET_INFO, .target_info = pairs};
    struct ntlm_authenticate answer = {.flags = NTLM_UNICODE};
    writer_init(&w);
    writer_init(&response);
    writer_zero(&response, 16);
    writer_slice(&response, hex("0101000000000000 0000000000000000 0000000000000000 00000000"));
    writer_slice(&response, pairs);
    answer.nt_response = writer_view(&response);
    if (challenge) ntlm_challenge_encode(&w, &asked);
    else ntlm_authenticate_encode(&w, &answer);
    status_t status = decode(challenge ? 1 : 2, writer_view(&w));
    writer_free(&w);
    writer_free(&response);
    return status;
}

static void wrong_pairs(void)
{
    static const char *const lists[] = {
        "02000200 4100",                        /* no end */
        "0200ffff 4100 00000000",               /* the longest size, not there */
        "0900ffff",                             /* and nothing at all */
        "02000600 4100 00000000",               /* a value that swallows the end */
        "02000200 4100 02000200 4100 00000000", /* one twice */
        "07000800 0000000000000000 07000800 0000000000000000 00000000",
        "06000400 02000000 06000400 00000000 00000000", /* the MIC taken back */
        "06000200 0200 00000000",                       /* flags of two bytes */
        "0a000800 0000000000000000 00000000",           /* half of the bindings */
        "0000ffff",                                     /* an end with a value */
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        ok(decode_pairs(hex(lists[i]), true) == SEC_E_INVALID_TOKEN, "CHALLENGE, list %zu", i);
        ok(decode_pairs(hex(lists[i]), false) == SEC_E_INVALID_TOKEN, "AUTHENTICATE, list %zu", i);
    }
    ok(!decode_pairs(hex("02000200 4100 00000000"), true), "a good one");
    ok(!decode_pairs(hex("02000200 4100 00000000"), false), "a good one");
}

/* ---- turns and sizes ---- */

/* Each message at each place where another belongs. */
static void wrong_turn(void)
{
    struct messages m;
    init_messages(&m);
    for (int which = 0; which < 3; which++) {
        for (int other = 0; other < 3; other++)
            ok(decode(which, writer_view(m.tokens[other])) ==
                   (which == other ? SEC_E_OK : SEC_E_INVALID_TOKEN),
               "%d for %d", other, which);
    }
    for (int other = 1; other < 3; other++) {
        struct ntlm_context server;
        struct writer w;
        writer_init(&w);
        ntlm_context_init(&server, NTLM_SERVER);
        ok(ntlm_server_start(&server, writer_view(m.tokens[other]), &m.h.server_start, &w) ==
               SEC_E_INVALID_TOKEN,
           "%d first", other);
        ok(server.stage == NTLM_STAGE_START && !writer_view(&w).size, "as it was");
        ntlm_context_clear(&server);
        writer_free(&w);
    }
    handshake_clear(&m.h);
}

/* No message, every shorter one, the longest, and one that is too long. */
static void wrong_size(void)
{
    struct messages m;
    init_messages(&m);
    for (int which = 0; which < 3; which++) {
        struct slice token = writer_view(m.tokens[which]);
        for (size_t size = 0; size < token.size; size++)
            ok(decode(which, view(token.data, size)) == SEC_E_INVALID_TOKEN, "%d: %zu bytes", which,
               size);
        uint8_t *longest = calloc(1, NTLM_MESSAGE_MAX + 1);
        if (!longest) abort();
        memcpy(longest, token.data, token.size);
        ok(!decode(which, view(longest, NTLM_MESSAGE_MAX)), "%d: the longest", which);
        ok(decode(which, view(longest, NTLM_MESSAGE_MAX + 1)) == SEC_E_INVALID_TOKEN,
           "%d: a longer one", which);
        free(longest);
    }
    handshake_clear(&m.h);
}

/* An NTLMv2 response begins with 44 bytes and has an end of pairs. */
static void short_response(void)
{
    static const uint8_t response[64] = {[16] = 1, 1};
    for (size_t size = 25; size <= 64; size++) {
        struct writer w;
        struct ntlm_authenticate message = {.flags = NTLM_UNICODE,
                                            .nt_response = view(response, size)};
        writer_init(&w);
        ntlm_authenticate_encode(&w, &message);
        ok(decode(2, writer_view(&w)) == (size < 48 ? SEC_E_INVALID_TOKEN : SEC_E_OK), "%zu bytes",
           size);
        writer_free(&w);
    }
    for (size_t at = 16; at < 18; at++) {
        struct writer w;
        uint8_t other[48] = {[16] = 1, 1};
        struct ntlm_authenticate message = {.flags = NTLM_UNICODE, .nt_response = view(other, 48)};
        other[at] = 2;
        writer_init(&w);
        ntlm_authenticate_encode(&w, &message);
        ok(decode(2, writer_view(&w)) == SEC_E_INVALID_TOKEN, "another kind of response");
        writer_free(&w);
    }
}

/* ---- flags without a meaning ---- */

/* MS-NLMP 2.2.2.5 reserves these; whoever sets them gets no answer to them. */
static void reserved_flags(void)
{
    const uint32_t reserved = 0x00000008 | 0x00000100 | 0x00000400 | 0x00040000 | 0x00200000 |
                              0x01000000 | 0x04000000 | 0x08000000 | 0x10000000;
    struct handshake h;
    handshake_init(&h);
    ok(!handshake_start(&h), "start");
    struct ntlm_negotiate negotiate;
    ok(!ntlm_negotiate_decode(writer_view(&h.negotiate), &negotiate), "decode");
    writer_patch_u32le(&h.negotiate, 12, negotiate.flags | reserved);
    ok(!handshake_challenge(&h), "a client sets them");
    struct ntlm_challenge challenge = sent_challenge(&h);
    ok(!(challenge.flags & reserved), "the server grants none: %08x", challenge.flags);
    writer_patch_u32le(&h.challenge, 20, challenge.flags | reserved);
    ok(!handshake_answer(&h), "a server sets them");
    ok(!(sent_authenticate(&h).flags & reserved), "the client does not take them up");
    ok(!(h.client.session.flags & reserved), "nor has the session any");
    handshake_clear(&h);
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(fields_astray);
    RUN(fields_empty);
    RUN(fields_overlap);
    RUN(fields_allocated);
    RUN(wrong_text);
    RUN(wrong_pairs);
    RUN(wrong_turn);
    RUN(wrong_size);
    RUN(short_response);
    RUN(reserved_flags);
    return test_end("unit_ntlm_damage");
}
