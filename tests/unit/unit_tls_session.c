/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a TLS session: starting, moving in mid-stream, other keys, keys for others, and
 * bodies that nobody can have written. Built natively and for Windows, since the layout has to be
 * the same for all.
 */
#include "tls_pair.h"

static const struct slice hello = {(const uint8_t *)"hello", 5};

static void suites(void)
{
    for (size_t i = 0; i < tls_suite_count; i++) {
        const struct tls_suite *suite = &tls_suites[i];
        ok(tls_suite_find(suite->id) == suite, "%s is found once", suite->name);
        bool cbc = strstr(suite->name, "_CBC_"), chacha = strstr(suite->name, "_CHACHA20_");
        bool new = !strstr(suite->name, "_WITH_");
        ok(tls_suite_is_carried(suite, TLS_1_3) == (new && !cbc), "%s in TLS 1.3", suite->name);
        ok(tls_suite_is_carried(suite, TLS_1_2) == (!new && !cbc), "%s in TLS 1.2", suite->name);
        ok(!tls_suite_is_carried(suite, TLS_1_1) && !tls_suite_is_carried(suite, DTLS_1_2),
           "%s elsewhere", suite->name);
        ok((suite->mac == TLS_HASH_NONE) == !cbc, "%s: MAC", suite->name);
        size_t end = strlen(suite->name);
        bool sha384 = end > 6 && !strcmp(suite->name + end - 6, "SHA384");
        ok((tls_suite_hash(suite) == CRYPTO_SHA384) == sha384, "%s: hash", suite->name);
        ok((suite->key_bits == 256) == (chacha || strstr(suite->name, "_256_") != NULL),
           "%s: %u bits", suite->name, suite->key_bits);
    }
    ok(!tls_suite_find(0) && !tls_suite_find(0x0005) && !tls_suite_is_carried(NULL, TLS_1_2),
       "no such suite");
}

static void not_carried(void)
{
    struct tls_session session;
    memset(&session, 0, sizeof(session));
    ok(tls_session_start(&session) == SEC_E_NOT_SUPPORTED, "of zeros");
    tls_session_clear(&session);
    tls_session_fill(&session, 0, false);
    session.suite = tls_suite_find(0xc013);
    ok(tls_session_start(&session) == SEC_E_NOT_SUPPORTED, "CBC");
    session.suite = tls_suite_find(0x1301);
    ok(tls_session_start(&session) == SEC_E_NOT_SUPPORTED, "a suite of TLS 1.3 in TLS 1.2");
    session.suite = tls_suite_find(0xc02f);
    session.version = TLS_1_3;
    ok(tls_session_start(&session) == SEC_E_NOT_SUPPORTED, "a suite of TLS 1.2 in TLS 1.3");
    tls_session_clear(&session);
    for (size_t i = 0; i < sizeof(session); i++)
        ok(!((const uint8_t *)&session)[i], "byte %u is wiped", (unsigned)i);
}

static void write_to(const struct tls_session *session, struct writer *w)
{
    writer_free(w);
    tls_session_write(session, w);
    ok(writer_status(w) == SEC_E_OK, "write");
}

/* Away with the session, and back from its bytes. */
static bool move(struct tls_session *session)
{
    struct tls_session made;
    struct writer first, second;
    struct reader r;
    writer_init(&first);
    writer_init(&second);
    write_to(session, &first);
    reader_init(&r, first.data, first.size);
    bool moved = ok(tls_session_read(&r, &made) == SEC_E_OK && reader_end(&r), "read");
    if (moved) {
        write_to(&made, &second);
        ok(same(writer_view(&first), writer_view(&second)), "the same bytes");
        ok(first.size <= 512, "%u bytes", (unsigned)first.size);
        tls_session_clear(session);
        *session = made;
    }
    writer_free(&first);
    writer_free(&second);
    return moved;
}

static void moved(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        if (!tls_pair_init(&pair, kind)) continue;
        pair.server.extended_master_secret = true;
        if (tls_kinds[kind].version == TLS_1_2) {
            pair.server.has_finished = true;
            tls_fill(pair.server.finished, 12, 77);
        }
        pair.client.limit = 700;
        for (unsigned times = 0; times < 3; times++) {
            ok(tls_moves(&pair.client, &pair.server, hello), "there");
            ok(move(&pair.server) && pair.server.server, "the server has moved");
            ok(tls_moves(&pair.server, &pair.client, hello), "and back");
            ok(move(&pair.client) && !pair.client.server, "the client has moved");
        }
        uint8_t finished[12];
        tls_fill(finished, 12, 77);
        bool old = tls_kinds[kind].version == TLS_1_2;
        ok(pair.server.extended_master_secret && !pair.client.extended_master_secret, "flag");
        ok(pair.server.has_finished == old && (!old || !memcmp(pair.server.finished, finished, 12)),
           "Finished");
        ok(pair.client.limit == 700 && !pair.server.limit, "limit");
        ok(pair.server.send.sequence == 3 && pair.server.receive.sequence == 3, "counted");
        tls_pair_clear(&pair);
    }
}

static void other_keys(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        if (!tls_pair_init(&pair, kind)) continue;
        bool new = tls_kinds[kind].version == TLS_1_3;
        ok(tls_moves(&pair.client, &pair.server, hello), "before");
        status_t status = tls_key_update(&pair.client, &pair.client.send);
        ok(status == (new ? SEC_E_OK : SEC_E_NOT_SUPPORTED), "update: %x", (unsigned)status);
        if (new) {
            struct tls_record record;
            size_t size, missing;
            uint8_t *block = tls_seal(&pair.client, TLS_APPLICATION_DATA, hello, &size);
            uint8_t *copy = exact_copy(block, size);
            ok(tls_record_open(&pair.server, block, size, &record, &missing) ==
                   SEC_E_MESSAGE_ALTERED,
               "the old key");
            ok(!tls_key_update(&pair.server, &pair.server.receive) && !pair.server.receive.sequence,
               "the peer's update");
            ok(!tls_record_open(&pair.server, copy, size, &record, &missing), "the new key");
            free(block);
            free(copy);
        }
        ok(tls_moves(&pair.client, &pair.server, hello), "after");
        ok(tls_moves(&pair.server, &pair.client, hello), "the other direction");
        ok(move(&pair.client) && move(&pair.server), "moved");
        ok(tls_moves(&pair.client, &pair.server, hello), "after moving");
        if (new)
            ok(!tls_key_update(&pair.client, &pair.client.send) &&
                   !tls_key_update(&pair.server, &pair.server.receive) &&
                   tls_moves(&pair.client, &pair.server, hello),
               "updated again");
        tls_pair_clear(&pair);
    }
}

/* With one bit changed: refused, or a session of exactly these bytes. */
static void damaged_bit(struct slice bytes, size_t at, unsigned bit)
{
    struct tls_session made;
    struct writer again;
    struct reader r;
    uint8_t *block = exact_copy(bytes.data, bytes.size);
    block[at] ^= (uint8_t)(1 << bit);
    reader_init(&r, block, bytes.size);
    status_t status = tls_session_read(&r, &made);
    ok(status == SEC_E_INVALID_TOKEN || (status == SEC_E_OK && (at >= 6 || at == 1)) || at == 4 ||
           at == 5,
       "byte %u, bit %u: %x", (unsigned)at, bit, (unsigned)status);
    if (status == SEC_E_OK) {
        writer_init(&again);
        write_to(&made, &again);
        ok(again.size == r.pos && !memcmp(again.data, block, r.pos), "byte %u", (unsigned)at);
        writer_free(&again);
        tls_session_clear(&made);
    }
    free(block);
}

/* Every prefix, and every change of a byte. */
static void damaged(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_session session, made;
        struct writer w;
        struct reader r;
        tls_session_fill(&session, kind, true);
        ok(!tls_session_start(&session), "start");
        session.has_finished = true;
        session.limit = kind % 2 ? 16383 : 0;
        writer_init(&w);
        write_to(&session, &w);
        for (size_t size = 0; size < w.size; size++) {
            uint8_t *block = exact_copy(w.data, size);
            memset(&made, 0x5a, sizeof(made));
            reader_init(&r, block, size);
            ok(tls_session_read(&r, &made) == SEC_E_INVALID_TOKEN, "%u bytes", (unsigned)size);
            ok(made.version == 0x5a5a && made.send.key[0] == 0x5a, "untouched");
            free(block);
        }
        for (size_t at = 0; at < w.size; at++)
            for (unsigned bit = 0; bit < 8; bit++) damaged_bit(writer_view(&w), at, bit);
        writer_free(&w);
        tls_session_clear(&session);
    }
}

static void followed(void)
{
    struct tls_session session, made;
    struct writer w;
    struct reader r;
    tls_session_fill(&session, 0, false);
    ok(!tls_session_start(&session), "start");
    writer_init(&w);
    tls_session_write(&session, &w);
    size_t size = w.size;
    writer_u16le(&w, 0x1234);
    reader_init(&r, w.data, w.size);
    ok(!tls_session_read(&r, &made) && r.pos == size, "what follows is left");
    tls_session_clear(&made);
    tls_session_clear(&session);
    writer_free(&w);
}

/* The same bytes wherever it is built; the fields are those that tls_session.c names. */
static void layout(void)
{
    struct tls_session session;
    struct writer w;
    tls_session_fill(&session, 0, true);
    ok(!tls_session_start(&session), "start");
    session.send.sequence = 0x0102030405060708;
    session.has_finished = true;
    memset(session.finished, 0xee, sizeof(session.finished));
    writer_init(&w);
    write_to(&session, &w);
    ok(w.size == 6 + 2 * (8 + 16 + 4) + 48 + 32 + 32 + 12, "%u bytes", (unsigned)w.size);
    ok(same(view(w.data, 34), hex("01 05 0303 2fc0 0807060504030201"
                                  "646b727980878e959ca3aab1b8bfc6cd 656c737a")),
       "head and sending direction");
    ok(same(view(w.data + w.size - 12, 12), hex("eeeeeeeeeeeeeeeeeeeeeeee")), "end");
    session.limit = 0x1234;
    write_to(&session, &w);
    ok(w.data[1] == 0x0d && same(view(w.data + w.size - 4, 4), hex("eeee3412")), "with a limit");
    session.limit = TLS_PLAIN_MAX;
    write_to(&session, &w);
    ok(w.data[1] == 0x05, "without one");
    writer_free(&w);
    tls_session_clear(&session);
}

static void exported(void)
{
    uint8_t out[64], other[64], big[300] = {0};
    static uint8_t context[UINT16_MAX + 1];
    struct slice empty = {NULL, 0}, whole = view(context, UINT16_MAX),
                 over = view(context, UINT16_MAX + 1);
    for (size_t kind = 0; kind < TLS_KINDS; kind += 3) {
        struct tls_session session;
        tls_session_fill(&session, kind, false);
        bool old = session.version == TLS_1_2;
        ok(!tls_export_keys(&session, ascii("EXPERIMENTAL"), NULL, out, 64), "no context");
        ok(!tls_export_keys(&session, ascii("EXPERIMENTAL"), &empty, other, 64), "empty one");
        ok(!memcmp(out, other, 64) == !old, "told apart in TLS 1.2 alone");
        ok(!tls_export_keys(&session, ascii("EXPERIMENTAL"), &whole, other, 64), "large one");
        ok(tls_export_keys(&session, ascii("EXPERIMENTAL"), &over, other, 64) ==
               SEC_E_INVALID_PARAMETER,
           "too large one");
        ok(!tls_export_keys(&session, view(big, 249), NULL, other, 64), "long label");
        ok(tls_export_keys(&session, view(big, 250), NULL, other, 64) == SEC_E_INVALID_PARAMETER,
           "too long label");
        static const char *const taken[] = {"client finished", "server finished", "master secret",
                                            "extended master secret", "key expansion"};
        for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
            ok(tls_export_keys(&session, ascii(taken[i]), NULL, other, 64) ==
                   (old ? SEC_E_INVALID_PARAMETER : SEC_E_OK),
               "%s", taken[i]);
        ok(!tls_export_keys(&session, ascii("key expansions"), NULL, other, 64), "another");
        if (!old) {
            static uint8_t much[255 * 32 + 1];
            ok(!tls_export_keys(&session, ascii("EXPERIMENTAL"), NULL, much, 255 * 32), "much");
            ok(tls_export_keys(&session, ascii("EXPERIMENTAL"), NULL, much, 255 * 32 + 1) ==
                   SEC_E_INVALID_PARAMETER,
               "too much");
        }
        session.version = TLS_1_1;
        ok(tls_export_keys(&session, ascii("EXPERIMENTAL"), NULL, out, 64) == SEC_E_NOT_SUPPORTED,
           "TLS 1.1");
        tls_session_clear(&session);
    }
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(suites);
    RUN(not_carried);
    RUN(moved);
    RUN(other_keys);
    RUN(damaged);
    RUN(followed);
    RUN(layout);
    RUN(exported);
    return test_end("unit_tls_session");
}
