/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of messages, and sessions and bodies as bytes: the same on 32 and 64 bit. */
#include "core/crypto.h"
#include "core/kerberos_body.h"
#include "kerberos_pair.h"

/* ---- numbers ---- */

#define SENT 200u

struct signature {
    uint8_t token[KERBEROS_TOKEN_MAX];
    size_t size;
};

/* Empty messages, so that nothing but their tokens matters. */
static void sign_many(struct kerberos_session *from, struct signature *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ok(!kerberos_sign(from, NULL, 0, out[i].token, sizeof(out[i].token), &out[i].size), "sign");
}

static status_t take(struct kerberos_session *to, const struct signature *signature)
{
    return kerberos_verify(to, NULL, 0, view(signature->token, signature->size));
}

static const size_t number_kinds[] = {0, 3, 6};

static bool start_with(struct kerberos_pair *pair, size_t kind, uint32_t flags, uint64_t first)
{
    struct kerberos_start client = kerberos_start_of(kind, true);
    struct kerberos_start server = kerberos_start_of(kind, false);
    client.flags = server.flags = flags;
    client.send_first = server.receive_first = first;
    return ok(!kerberos_session_init(&pair->client, &client) &&
                  !kerberos_session_init(&pair->server, &server),
              "start");
}

/* In its turn, or not at all; a refused message does not stop the one that is due. */
static void sequence(void)
{
    struct signature sent[4];
    struct kerberos_pair pair;
    for (size_t i = 0; i < 3; i++) {
        if (!start_with(&pair, number_kinds[i], KERBEROS_SEQUENCE, 5)) continue;
        sign_many(&pair.client, sent, 4);
        ok(take(&pair.server, &sent[1]) == SEC_E_OUT_OF_SEQUENCE, "the second");
        ok(!take(&pair.server, &sent[0]), "the first");
        ok(take(&pair.server, &sent[0]) == SEC_E_OUT_OF_SEQUENCE, "the first again");
        ok(!take(&pair.server, &sent[1]), "the second in its turn");
        ok(take(&pair.server, &sent[3]) == SEC_E_OUT_OF_SEQUENCE, "a gap");
        ok(!take(&pair.server, &sent[2]) && !take(&pair.server, &sent[3]), "and the others");
        ok(pair.server.receive.next == 9, "nine is next");
        kerberos_pair_clear(&pair);
    }
}

static void replays(void)
{
    static struct signature sent[SENT];
    struct kerberos_pair pair;
    for (size_t i = 0; i < 3; i++) {
        if (!start_with(&pair, number_kinds[i], KERBEROS_REPLAY, 0)) continue;
        sign_many(&pair.client, sent, SENT);
        ok(!take(&pair.server, &sent[10]) && !take(&pair.server, &sent[8]), "out of order");
        ok(take(&pair.server, &sent[10]) == SEC_E_OUT_OF_SEQUENCE &&
               take(&pair.server, &sent[8]) == SEC_E_OUT_OF_SEQUENCE,
           "but once");
        ok(!take(&pair.server, &sent[0]) && !take(&pair.server, &sent[9]), "the others");
        ok(take(&pair.server, &sent[0]) == SEC_E_OUT_OF_SEQUENCE, "once");
        ok(!take(&pair.server, &sent[74]) && !take(&pair.server, &sent[11]), "64 back");
        ok(take(&pair.server, &sent[11]) == SEC_E_OUT_OF_SEQUENCE, "64 back again");
        ok(!take(&pair.server, &sent[75]), "on");
        ok(take(&pair.server, &sent[1]) == SEC_E_OUT_OF_SEQUENCE, "65 back and more");
        ok(!take(&pair.server, &sent[SENT - 1]), "far on");
        for (size_t n = 0; n < SENT; n++)
            ok((take(&pair.server, &sent[n]) == SEC_E_OK) == (n >= SENT - 64 && n < SENT - 1),
               "%u of them", (unsigned)n);
        kerberos_pair_clear(&pair);
    }
}

/* No message was ever sent before the first. */
static void before_the_first(void)
{
    struct signature sent[2];
    struct kerberos_pair pair;
    for (size_t i = 0; i < 3; i++) {
        if (!start_with(&pair, number_kinds[i], KERBEROS_REPLAY, 0x1000)) continue;
        sign_many(&pair.client, sent, 1);
        pair.client.send.first = pair.client.send.next = 0xffe;
        sign_many(&pair.client, sent + 1, 1);
        ok(take(&pair.server, &sent[1]) == SEC_E_OUT_OF_SEQUENCE, "at the beginning");
        ok(!take(&pair.server, &sent[0]), "the first");
        ok(take(&pair.server, &sent[1]) == SEC_E_OUT_OF_SEQUENCE, "later");
        ok(pair.server.receive.next == 0x1001, "the second is next");
        kerberos_pair_clear(&pair);
    }
}

static void neither(void)
{
    struct signature sent[3];
    struct kerberos_pair pair;
    for (size_t i = 0; i < 3; i++) {
        if (!start_with(&pair, number_kinds[i], 0, 7)) continue;
        sign_many(&pair.client, sent, 3);
        ok(!take(&pair.server, &sent[2]) && !take(&pair.server, &sent[2]) &&
               !take(&pair.server, &sent[0]),
           "any");
        kerberos_pair_clear(&pair);
    }
}

/* What is refused for its number is encrypted again. */
static void refused_data(void)
{
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        struct kerberos_sent sent[2];
        bool encrypted;
        size_t size;
        if (!kerberos_pair_init(&pair, kind)) continue;
        for (size_t i = 0; i < 2; i++)
            ok(!kerberos_send(&pair.client, ascii("forty bytes of text for a message......"), true,
                              &sent[i]),
               "send");
        uint8_t *before = kerberos_stream(&sent[1], &size);
        ok(kerberos_receive(&pair.server, &sent[1], &encrypted) == SEC_E_OUT_OF_SEQUENCE, "early");
        uint8_t *after = kerberos_stream(&sent[1], &size);
        ok(!memcmp(before, after, size), "as it was");
        ok(!kerberos_receive(&pair.server, &sent[0], &encrypted) &&
               !kerberos_receive(&pair.server, &sent[1], &encrypted),
           "in their turn");
        for (size_t i = 0; i < 2; i++) kerberos_sent_free(&sent[i]);
        free(before);
        free(after);
        kerberos_pair_clear(&pair);
    }
}

/* Numbers begin with 32 bits, go on with 64, and come with the lower half alone in RC4 and from
 * those who count in 32 bits. */
static void beyond_32_bits(void)
{
    struct signature sent[8];
    struct kerberos_pair pair;
    for (size_t i = 0; i < 3; i++) {
        if (!start_with(&pair, number_kinds[i], KERBEROS_SEQUENCE, UINT32_MAX - 3)) continue;
        sign_many(&pair.client, sent, 8);
        for (size_t n = 0; n < 8; n++) ok(!take(&pair.server, &sent[n]), "number %u", (unsigned)n);
        ok(pair.server.receive.next == (uint64_t)UINT32_MAX + 5, "beyond");
        if (i < 2) ok(sent[4].token[11] == 1 && sent[4].token[15] == 0, "64 bits in the token");
        kerberos_session_rewind(&pair.server);
        kerberos_session_rewind(&pair.client);
        sign_many(&pair.client, sent, 4);
        for (size_t n = 0; n < 4; n++) ok(!take(&pair.server, &sent[n]), "number %u", (unsigned)n);
        if (i == 2) pair.client.send.next = (uint64_t)UINT32_MAX + 1;
        else pair.client.send.next = 0;
        sign_many(&pair.client, sent, 2);
        ok(!take(&pair.server, &sent[0]) && !take(&pair.server, &sent[1]), "zero after all ones");
        ok(take(&pair.server, &sent[0]) == SEC_E_OUT_OF_SEQUENCE, "again");
        kerberos_pair_clear(&pair);
    }
}

static void last_numbers(void)
{
    struct signature sent[2];
    struct kerberos_pair pair;
    struct kerberos_sent message;
    if (!start_with(&pair, 0, KERBEROS_REPLAY, UINT64_MAX - 1)) return;
    sign_many(&pair.client, sent, 1);
    ok(!take(&pair.server, &sent[0]), "the last");
    ok(kerberos_sign(&pair.client, NULL, 0, sent[1].token, sizeof(sent[1].token), &sent[1].size) ==
           SEC_E_CONTEXT_EXPIRED,
       "none is left");
    ok(kerberos_send(&pair.client, ascii("text"), true, &message) == SEC_E_CONTEXT_EXPIRED &&
           !memcmp(message.data, "text", 4),
       "nor to seal");
    kerberos_sent_free(&message);
    kerberos_pair_clear(&pair);
    if (!start_with(&pair, 6, KERBEROS_REPLAY, 3)) return;
    pair.client.send.next += UINT32_MAX;
    sign_many(&pair.client, sent, 1);
    ok(kerberos_sign(&pair.client, NULL, 0, sent[1].token, sizeof(sent[1].token), &sent[1].size) ==
           SEC_E_CONTEXT_EXPIRED,
       "RC4 uses no number twice");
    kerberos_pair_clear(&pair);
    if (!start_with(&pair, 6, KERBEROS_REPLAY, 0)) return;
    pair.client.send.next = UINT32_MAX;
    sign_many(&pair.client, sent, 1);
    ok(take(&pair.server, &sent[0]) == SEC_E_OUT_OF_SEQUENCE, "from before the first");
    kerberos_pair_clear(&pair);
}

/* ---- sessions as bytes ---- */

static status_t write_and_read(const struct kerberos_session *session, bool reset,
                               struct kerberos_session *out)
{
    struct writer first, second;
    struct reader r;
    writer_init(&first);
    writer_init(&second);
    kerberos_session_write(session, reset, &first);
    reader_init(&r, first.data, first.size);
    status_t status = kerberos_session_read(out, &r);
    if (ok(!status && reader_end(&r), "read")) {
        kerberos_session_write(out, false, &second);
        ok(same(writer_view(&first), writer_view(&second)), "the same bytes");
    }
    writer_free(&first);
    writer_free(&second);
    return status;
}

static bool move(struct kerberos_session *session, bool reset)
{
    struct kerberos_session made;
    if (!status_ok(write_and_read(session, reset, &made))) return false;
    kerberos_session_clear(session);
    *session = made;
    return true;
}

static void moved(void)
{
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        struct slice text = ascii("some text that moves");
        if (!kerberos_pair_init(&pair, kind)) continue;
        ok(move(&pair.server, false) && move(&pair.client, false), "before the first message");
        for (unsigned times = 0; times < 3; times++) {
            ok(kerberos_moves(&pair.client, &pair.server, text), "there");
            ok(move(&pair.server, false) && !pair.server.initiator, "the server has moved");
            ok(kerberos_moves(&pair.server, &pair.client, text), "and back");
            ok(move(&pair.client, false) && pair.client.initiator, "the client has moved");
        }
        kerberos_pair_clear(&pair);
    }
}

/* The imported session still knows what came before it. */
static void moved_window(void)
{
    struct signature sent[6];
    struct kerberos_pair pair;
    if (!start_with(&pair, 0, KERBEROS_REPLAY, 1)) return;
    sign_many(&pair.client, sent, 6);
    ok(!take(&pair.server, &sent[0]) && !take(&pair.server, &sent[3]), "some");
    ok(move(&pair.server, false), "move");
    for (size_t i = 0; i < 6; i++)
        ok((take(&pair.server, &sent[i]) == SEC_E_OK) == (i != 0 && i != 3), "number %u",
           (unsigned)i);
    kerberos_pair_clear(&pair);
}

/* Where numbers do not count, one from before the first leaves no trace in the window. */
static void moved_unnumbered(void)
{
    struct signature sent[3];
    struct kerberos_pair pair;
    if (!start_with(&pair, 0, 0, 9)) return;
    sign_many(&pair.client, sent, 3);
    pair.server.receive.first = pair.server.receive.next = 10;
    ok(!take(&pair.server, &sent[1]) && !take(&pair.server, &sent[0]), "any");
    ok(move(&pair.server, false) && !take(&pair.server, &sent[2]), "move");
    kerberos_pair_clear(&pair);
}

static void reset(void)
{
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        struct slice text = ascii("text");
        if (!kerberos_pair_init(&pair, kind)) continue;
        ok(kerberos_moves(&pair.client, &pair.server, text) &&
               kerberos_moves(&pair.server, &pair.client, text),
           "some messages");
        ok(move(&pair.client, true), "written as it began");
        ok(!kerberos_moves(&pair.client, &pair.server, text), "which the other does not know");
        kerberos_session_rewind(&pair.client);
        kerberos_session_rewind(&pair.server);
        ok(kerberos_moves(&pair.client, &pair.server, text) &&
               kerberos_moves(&pair.server, &pair.client, text),
           "from the beginning");
        kerberos_pair_clear(&pair);
    }
}

static void fixed_bytes(void)
{
    struct kerberos_pair pair;
    struct signature sent[2];
    struct writer w;
    writer_init(&w);
    if (!start_with(&pair, 0, KERBEROS_REPLAY, 0x0102)) return;
    sign_many(&pair.client, sent, 2);
    ok(!take(&pair.server, &sent[1]), "take");
    kerberos_session_write(&pair.server, false, &w);
    ok(same(writer_view(&w), hex("01 02 0400 1100 612073657373696f 6e2773206b65792c"
                                 "1000000000000000 1000000000000000"
                                 "0201000000000000 0401000000000000 0100000000000000")),
       "bytes");
    writer_free(&w);
    kerberos_pair_clear(&pair);
}

static status_t read_bytes(struct slice bytes)
{
    struct kerberos_session out;
    struct reader r;
    uint8_t *exact = exact_copy(bytes.data, bytes.size);
    reader_init(&r, exact, bytes.size);
    status_t status = kerberos_session_read(&out, &r);
    if (status_ok(status)) kerberos_session_clear(&out);
    free(exact);
    return status;
}

/* Offsets in the body of a session with a key of 16 bytes. */
static void bad_bytes(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *what;
    } changes[] = {
        {0, 2, "version"},
        {1, 4, "flag"},
        {2, 1, "GSS flag"},
        {3, 0x20, "GSS flag"},
        {4, 16, "encryption type"},
        {30, 0, "next before first"},
        {38, 4, "received before the first"},
        {54, 0, "the highest was not received"},
        {54, 5, "more received than sent"},
    };
    struct kerberos_pair pair;
    struct signature sent[2];
    struct writer w;
    writer_init(&w);
    if (!start_with(&pair, 0, KERBEROS_REPLAY, 0x0102)) return;
    sign_many(&pair.client, sent, 2);
    ok(!take(&pair.server, &sent[1]), "take");
    kerberos_session_write(&pair.server, false, &w);
    ok(read_bytes(writer_view(&w)) == SEC_E_OK && w.size == 62, "good ones");
    for (size_t size = 0; size < w.size; size++)
        ok(read_bytes(view(w.data, size)) == SEC_E_INVALID_TOKEN, "%u bytes", (unsigned)size);
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        uint8_t before = w.data[changes[i].at];
        w.data[changes[i].at] = changes[i].value;
        ok(read_bytes(writer_view(&w)) == SEC_E_INVALID_TOKEN, "%s", changes[i].what);
        w.data[changes[i].at] = before;
    }
    writer_free(&w);
    kerberos_pair_clear(&pair);
}

/* ---- bodies ---- */

static struct kerberos_body some_body(void)
{
    return (struct kerberos_body){
        .attributes = 0x2001e,
        .ticket_enctype = KERBEROS_AES256_SHA1,
        .session_key = ascii("0123456789abcdef"),
        .start = 0x01d9000000000000,
        .expiry = 0x01da000000000000,
        .client = wide("user@REALM"),
        .server = wide("HTTP/host@REALM"),
        .target = wide("HTTP/host"),
        .account = wide("user"),
        .domain = wide("REALM"),
        .pac = ascii("what the KDC says"),
    };
}

static void body(void)
{
    struct kerberos_body facts = some_body(), found;
    struct kerberos_pair pair;
    struct kerberos_session session;
    struct writer w;
    writer_init(&w);
    if (!kerberos_pair_init(&pair, 1)) return;
    kerberos_body_write(&facts, &pair.client, false, &w);
    ok(writer_status(&w) == SEC_E_OK, "write");
    if (ok(!kerberos_body_read(writer_view(&w), &found, &session), "read")) {
        ok(found.attributes == facts.attributes && found.ticket_enctype == facts.ticket_enctype &&
               found.start == facts.start && found.expiry == facts.expiry,
           "numbers");
        ok(same(found.session_key, facts.session_key) && same(found.client, facts.client) &&
               same(found.server, facts.server) && same(found.target, facts.target) &&
               same(found.account, facts.account) && same(found.domain, facts.domain) &&
               same(found.pac, facts.pac),
           "texts");
        ok(kerberos_moves(&session, &pair.server, ascii("text")), "its session works");
        kerberos_session_clear(&session);
    }
    for (size_t size = 0; size < w.size; size++) {
        uint8_t *exact = exact_copy(w.data, size);
        ok(kerberos_body_read(view(exact, size), &found, &session) == SEC_E_INVALID_TOKEN,
           "%u bytes", (unsigned)size);
        free(exact);
    }
    writer_u8(&w, 0);
    ok(kerberos_body_read(writer_view(&w), &found, &session) == SEC_E_INVALID_TOKEN,
       "one byte more");
    w.data[0] = 2;
    w.size--;
    ok(kerberos_body_read(writer_view(&w), &found, &session) == SEC_E_INVALID_TOKEN, "version");
    writer_free(&w);
    kerberos_pair_clear(&pair);
}

static void bad_bodies(void)
{
    struct kerberos_body facts = some_body();
    struct kerberos_pair pair;
    struct writer w;
    ok(kerberos_body_fits(&facts), "a good one");
    facts.client = view(unit_pool, 2 * KERBEROS_BODY_NAME_CHARS + 2);
    memset(unit_pool, 'a', facts.client.size);
    ok(!kerberos_body_fits(&facts), "a long name");
    facts.client.size -= 2;
    ok(kerberos_body_fits(&facts), "the longest");
    facts.client.size--;
    ok(!kerberos_body_fits(&facts), "half a character");
    facts.client = hex("6100 0000 6100");
    ok(!kerberos_body_fits(&facts), "a zero");
    writer_init(&w);
    if (!kerberos_pair_init(&pair, 0)) return;
    kerberos_body_write(&facts, &pair.client, false, &w);
    ok(writer_status(&w) != SEC_E_OK, "is not written");
    writer_free(&w);
    kerberos_pair_clear(&pair);
}

int main(void)
{
    if (!ok(crypto_init() == SEC_E_OK, "crypto_init")) return EXIT_FAILURE;
    unit_pool_used = 4096;
    RUN(sequence);
    RUN(replays);
    RUN(before_the_first);
    RUN(neither);
    RUN(refused_data);
    RUN(beyond_32_bits);
    RUN(last_numbers);
    RUN(moved);
    RUN(moved_window);
    RUN(moved_unnumbered);
    RUN(reset);
    RUN(fixed_bytes);
    RUN(bad_bytes);
    RUN(body);
    RUN(bad_bodies);
    return test_end("unit_kerberos_session");
}
