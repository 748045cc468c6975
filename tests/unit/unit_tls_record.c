/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLS records: every size, every damage, what no record can be, and taking one back. */
#include "tls_pair.h"

static uint8_t text[TLS_PLAIN_MAX + 1];

static const size_t sizes[] = {0, 1, 15, 16, 63, 64, 65, 1000, 16383, TLS_PLAIN_MAX};
#define SIZES (sizeof(sizes) / sizeof(*sizes))

static void round_trips(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        if (!tls_pair_init(&pair, kind)) continue;
        for (size_t i = 0; i < SIZES; i++) {
            ok(tls_moves(&pair.client, &pair.server, view(text, sizes[i])), "%zu there", sizes[i]);
            ok(tls_moves(&pair.server, &pair.client, view(text, sizes[i])), "%zu back", sizes[i]);
        }
        ok(pair.client.send.sequence == SIZES && pair.client.receive.sequence == SIZES, "counted");
        ok(!tls_moves(&pair.client, &pair.client, view(text, 4)), "not to oneself");
        tls_pair_clear(&pair);
    }
}

/* Header and trailer in blocks of their own make the same record as side by side. */
static void apart(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        if (!tls_pair_init(&pair, kind)) continue;
        for (size_t i = 0; i < SIZES; i++) {
            size_t size, head = tls_header_size(&pair.client), n = sizes[i];
            uint8_t *whole = tls_seal(&pair.client, TLS_APPLICATION_DATA, view(text, n), &size);
            uint8_t *header = exact_copy(text, head), *data = exact_copy(text, n);
            uint8_t *trailer = exact_copy(text, tls_trailer_size(&pair.client));
            pair.client.send.sequence--;
            ok(!tls_record_seal(&pair.client, TLS_APPLICATION_DATA, header, data, n, trailer) &&
                   !memcmp(whole, header, head) && !memcmp(whole + head, data, n) &&
                   !memcmp(whole + head + n, trailer, tls_trailer_size(&pair.client)),
               "%zu bytes of kind %zu", n, kind);
            free(whole);
            free(header);
            free(data);
            free(trailer);
        }
        tls_pair_clear(&pair);
    }
}

static bool all_zero(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i]) return false;
    }
    return true;
}

static void types(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        if (!tls_pair_init(&pair, kind)) continue;
        for (unsigned type = 0; type < 256; type++) {
            struct tls_record record = {0};
            size_t size, missing;
            uint8_t *block = tls_seal(&pair.client, (enum tls_type)type, view(text, 2), &size);
            pair.client.send.sequence--;
            bool old = tls_kinds[kind].version == TLS_1_2;
            bool known = type >= (old ? TLS_CHANGE_CIPHER_SPEC : TLS_ALERT) &&
                         type <= TLS_APPLICATION_DATA;
            ok(block[0] == (old ? type : TLS_APPLICATION_DATA), "shown type of %u", type);
            status_t status = tls_record_open(&pair.server, block, size, &record, &missing);
            ok(status == (known ? SEC_E_OK : SEC_E_INVALID_TOKEN), "type %u: %x", type,
               (unsigned)status);
            ok(!known || record.type == type, "is %u", type);
            /* In TLS 1.2 it is the header that says so, and nothing is decrypted. */
            ok(known || old || all_zero(block + TLS_RECORD_HEADER, 3), "%u is wiped", type);
            ok(pair.server.receive.sequence == known, "type %u advances", type);
            pair.server.receive.sequence = 0;
            free(block);
        }
        tls_pair_clear(&pair);
    }
}

/* RFC 8446 5.1 and 5.4, RFC 5246 6.2.1: only data may be empty. */
static void nothing_in_it(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        struct tls_record record;
        size_t size, missing;
        if (!tls_pair_init(&pair, kind)) continue;
        for (unsigned type = TLS_ALERT; type <= TLS_APPLICATION_DATA; type++) {
            uint8_t *block = tls_seal(&pair.client, (enum tls_type)type, view(NULL, 0), &size);
            status_t status = tls_record_open(&pair.server, block, size, &record, &missing);
            ok(status == (type == TLS_APPLICATION_DATA ? SEC_E_OK : SEC_E_INVALID_TOKEN), "%u: %x",
               type, (unsigned)status);
            pair.client.send.sequence = 0;
            free(block);
        }
        tls_pair_clear(&pair);
    }
}

/* Every bit outside the length. */
static void damaged(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        struct tls_record record;
        size_t size, missing;
        if (!tls_pair_init(&pair, kind)) continue;
        size_t head = tls_header_size(&pair.client);
        uint8_t *sealed = tls_seal(&pair.client, TLS_APPLICATION_DATA, view(text, 40), &size);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            if (bit / 8 == 3 || bit / 8 == 4) continue;
            uint8_t *block = exact_copy(sealed, size);
            block[bit / 8] ^= (uint8_t)(1 << bit % 8);
            status_t status = tls_record_open(&pair.server, block, size, &record, &missing);
            ok(status == SEC_E_MESSAGE_ALTERED || (bit < 24 && status == SEC_E_INVALID_TOKEN),
               "bit %zu: %x", bit, (unsigned)status);
            ok(bit < 24 || all_zero(block + head, 40), "bit %zu: wiped", bit);
            ok(!pair.server.receive.sequence, "bit %zu: not counted", bit);
            free(block);
        }
        free(sealed);
        tls_pair_clear(&pair);
    }
}

static status_t measure(const struct tls_session *session, uint8_t type, uint16_t version,
                        size_t length, size_t *whole, size_t *missing)
{
    const uint8_t header[] = {type, (uint8_t)(version >> 8), (uint8_t)version,
                              (uint8_t)(length >> 8), (uint8_t)length};
    return tls_record_measure(session, header, sizeof(header), whole, missing);
}

static void limits(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        size_t whole = 0, missing = 0;
        if (!tls_pair_init(&pair, kind)) continue;
        const struct tls_session *session = &pair.client;
        size_t more = tls_header_size(session) - TLS_RECORD_HEADER + tls_trailer_size(session);
        for (size_t length = 0; length <= UINT16_MAX; length++) {
            bool fits = length >= more && length <= TLS_PLAIN_MAX + more;
            status_t status = measure(session, 23, TLS_1_2, length, &whole, &missing);
            ok(status == (fits ? SEC_E_INCOMPLETE_MESSAGE : SEC_E_INVALID_TOKEN) &&
                   (!fits || missing == length),
               "%zu bytes: %x", length, (unsigned)status);
        }
        static const uint16_t versions[] = {0, 0x0300, TLS_1_0, TLS_1_1, TLS_1_3, DTLS_1_2, 0x0403};
        for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
            ok(measure(session, 23, versions[i], 100, &whole, &missing) == SEC_E_INVALID_TOKEN,
               "version %x", versions[i]);
        ok(tls_record_seal(&pair.client, TLS_APPLICATION_DATA, text, text, TLS_PLAIN_MAX + 1,
                           text) == SEC_E_INVALID_PARAMETER,
           "too much");
        tls_pair_clear(&pair);
    }
}

static uint8_t told(const struct tls_session *session, uint8_t type, uint16_t version,
                    size_t length)
{
    const uint8_t header[] = {type, (uint8_t)(version >> 8), (uint8_t)version,
                              (uint8_t)(length >> 8), (uint8_t)length};
    return tls_record_alert(session, header, sizeof(header));
}

/* RFC 8446 5, 5.2 and 6.2 */
static void alerts_of_no_record(void)
{
    ok(told(NULL, 'H', 0x5454, 0x502f) == 10, "text");
    ok(told(NULL, 22, TLS_1_0, TLS_FRAGMENT_MAX) == 10, "the longest of all");
    ok(told(NULL, 22, TLS_1_0, TLS_FRAGMENT_MAX + 1) == 22, "more");
    ok(told(NULL, 22, 0x0200, 5) == 50, "another version");
    ok(tls_record_alert(NULL, (const uint8_t *)"\x16\3", 2) == 50, "two bytes");
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        if (!tls_pair_init(&pair, kind)) continue;
        const struct tls_session *session = &pair.client;
        size_t more = tls_header_size(session) - TLS_RECORD_HEADER + tls_trailer_size(session);
        ok(told(session, 24, TLS_1_2, 40) == 10, "an unknown type");
        ok(told(session, 23, TLS_1_2, more - 1) == 50, "too short");
        ok(told(session, 23, TLS_1_2, more) == 10, "the shortest, so it is what is in it");
        ok(told(session, 23, TLS_1_2, TLS_PLAIN_MAX + more) == 10, "the longest");
        ok(told(session, 23, TLS_1_2, TLS_PLAIN_MAX + more + 1) == 22, "too long");
        tls_pair_clear(&pair);
    }
}

/* A peer may want less (RFC 8449), and it counts for what is sent alone. */
static void limit_of_the_peer(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        if (!tls_pair_init(&pair, kind)) continue;
        uint8_t header[TLS_HEADER_MAX], trailer[TLS_TRAILER_MAX];
        ok(tls_plain_limit(&pair.client) == TLS_PLAIN_MAX, "none");
        pair.client.limit = 500;
        ok(tls_plain_limit(&pair.client) == 500, "%zu", tls_plain_limit(&pair.client));
        ok(tls_record_seal(&pair.client, TLS_APPLICATION_DATA, header, text, 501, trailer) ==
                   SEC_E_INVALID_PARAMETER &&
               !pair.client.send.sequence,
           "too much");
        ok(tls_moves(&pair.client, &pair.server, view(text, 500)), "as much as it takes");
        ok(tls_moves(&pair.server, &pair.client, view(text, TLS_PLAIN_MAX)), "from there");
        tls_pair_clear(&pair);
    }
}

static void sequence_ends(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        struct tls_record record;
        size_t size, missing;
        uint8_t byte = 9, header[TLS_HEADER_MAX], trailer[TLS_TRAILER_MAX];
        if (!tls_pair_init(&pair, kind)) continue;
        pair.client.send.sequence = pair.server.receive.sequence = UINT64_MAX - 1;
        ok(tls_moves(&pair.client, &pair.server, view(&byte, 1)), "the last one");
        ok(tls_record_seal(&pair.client, TLS_APPLICATION_DATA, header, &byte, 1, trailer) ==
                   SEC_E_CONTEXT_EXPIRED &&
               byte == 9,
           "no other");
        uint8_t *block = tls_seal(&pair.server, TLS_APPLICATION_DATA, view(text, 3), &size);
        uint8_t *copy = exact_copy(block, size);
        pair.client.receive.sequence = UINT64_MAX;
        ok(tls_record_open(&pair.client, block, size, &record, &missing) == SEC_E_CONTEXT_EXPIRED &&
               !memcmp(block, copy, size),
           "nor is one opened");
        free(block);
        free(copy);
        tls_pair_clear(&pair);
    }
}

static void out_of_order(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        struct tls_record record;
        size_t size, missing;
        if (!tls_pair_init(&pair, kind)) continue;
        uint8_t *first = tls_seal(&pair.client, TLS_APPLICATION_DATA, view(text, 5), &size);
        uint8_t *second = tls_seal(&pair.client, TLS_APPLICATION_DATA, view(text, 5), &size);
        uint8_t *again = exact_copy(first, size);
        ok(tls_record_open(&pair.server, second, size, &record, &missing) == SEC_E_MESSAGE_ALTERED,
           "the second first");
        ok(tls_record_open(&pair.server, first, size, &record, &missing) == SEC_E_OK, "the first");
        ok(tls_record_open(&pair.server, again, size, &record, &missing) == SEC_E_MESSAGE_ALTERED,
           "replayed");
        free(first);
        free(second);
        free(again);
        tls_pair_clear(&pair);
    }
}

static void restored(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        struct tls_record record;
        size_t size, missing;
        if (!tls_pair_init(&pair, kind)) continue;
        for (size_t i = 0; i < SIZES; i++) {
            uint8_t *block = tls_seal(&pair.client, TLS_APPLICATION_DATA, view(text, sizes[i]),
                                      &size);
            uint8_t *copy = exact_copy(block, size);
            ok(!tls_record_open(&pair.server, block, size, &record, &missing), "open");
            ok(!tls_record_restore(&pair.server, block, &record), "restore %zu", sizes[i]);
            ok(!memcmp(block, copy, size) && pair.server.receive.sequence == i, "all as before");
            ok(!tls_record_open(&pair.server, block, size, &record, &missing) &&
                   same(view(record.data, record.size), view(text, sizes[i])),
               "open again");
            free(block);
            free(copy);
        }
        uint8_t *unopened = tls_seal(&pair.client, TLS_ALERT, view(text, 2), &size);
        record.whole = size;
        pair.server.receive.sequence = 0;
        ok(tls_record_restore(&pair.server, unopened, &record) == SEC_E_INTERNAL_ERROR, "none");
        free(unopened);
        tls_pair_clear(&pair);
    }
}

/* What the peer adds to hide the size of a text (RFC 8446 5.4): the trailer begins with a type, so
 * that a text may end with a type and zeros itself. */
static void padded(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        struct tls_record record;
        size_t size, missing;
        static const uint8_t inner[] = {'a', 'b', 0, TLS_HANDSHAKE, 0, 0, 0};
        static const uint8_t zeros[20];
        if (tls_kinds[kind].version != TLS_1_3 || !tls_pair_init(&pair, kind)) continue;
        /* Type 0 is what a padding byte looks like. */
        uint8_t *block = tls_seal(&pair.client, (enum tls_type)0, view(inner, sizeof(inner)),
                                  &size);
        uint8_t *copy = exact_copy(block, size);
        ok(!tls_record_open(&pair.server, block, size, &record, &missing), "open");
        ok(record.type == TLS_HANDSHAKE && same(view(record.data, record.size), view(inner, 3)),
           "type %u, %zu bytes", record.type, record.size);
        ok(!tls_record_restore(&pair.server, block, &record) && !memcmp(block, copy, size),
           "restored with its padding");
        free(block);
        free(copy);
        pair.client.send.sequence = 0;
        block = tls_seal(&pair.client, (enum tls_type)0, view(zeros, sizeof(zeros)), &size);
        ok(tls_record_open(&pair.server, block, size, &record, &missing) == SEC_E_INVALID_TOKEN,
           "padding alone");
        free(block);
        tls_pair_clear(&pair);
    }
}

static void change_cipher_spec(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        static const uint8_t good[] = {20, 3, 3, 0, 1, 1}, other[] = {20, 3, 3, 0, 1, 2},
                             two[] = {20, 3, 3, 0, 2, 1, 1}, none[] = {20, 3, 3, 0, 0};
        struct tls_pair pair;
        struct tls_record record;
        uint8_t block[8];
        size_t missing;
        if (tls_kinds[kind].version != TLS_1_3 || !tls_pair_init(&pair, kind)) continue;
        memcpy(block, good, sizeof(good));
        ok(!tls_record_open(&pair.server, block, 6, &record, &missing) &&
               record.type == TLS_CHANGE_CIPHER_SPEC && record.size == 1 && record.whole == 6,
           "is given");
        ok(!pair.server.receive.sequence, "is not counted");
        ok(!tls_record_restore(&pair.server, block, &record) && !memcmp(block, good, 6), "restore");
        memcpy(block, other, sizeof(other));
        ok(tls_record_open(&pair.server, block, 6, &record, &missing) == SEC_E_INVALID_TOKEN,
           "another value");
        memcpy(block, two, sizeof(two));
        ok(tls_record_open(&pair.server, block, 7, &record, &missing) == SEC_E_INVALID_TOKEN,
           "two of them");
        memcpy(block, none, sizeof(none));
        ok(tls_record_open(&pair.server, block, 5, &record, &missing) == SEC_E_INVALID_TOKEN,
           "none");
        tls_pair_clear(&pair);
    }
}

/* RFC 5288 3: what the peer shows is its part of the nonce, whatever it is. */
static void nonce_of_the_peer(void)
{
    struct tls_pair pair;
    struct tls_record record;
    size_t missing, size;
    static const uint8_t key[16] = {50,  57,  64,  71,  78,  85,  92,  99,
                                    106, 113, 120, 127, 134, 141, 148, 155},
                         nonce[12] = {51, 58, 65, 72, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4},
                         clear[13] = {0, 0, 0, 0, 0, 0, 0, 0, 23, 3, 3, 0, 4};
    uint8_t block[33] = {23, 3, 3, 0, 28, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 't', 'e', 'x', 't'};
    struct aead *aead = NULL;
    if (!tls_pair_init(&pair, 0)) return;
    if (ok(!aead_create(AEAD_AES_128_GCM, key, &aead), "AEAD")) {
        ok(!aead_seal(aead, nonce, view(clear, 13), block + 13, 4, block + 17), "seal");
        uint8_t copy[33];
        memcpy(copy, block, sizeof(copy));
        ok(!tls_record_open(&pair.server, block, 33, &record, &missing), "open");
        ok(same(view(record.data, record.size), ascii("text")), "text");
        ok(!tls_record_restore(&pair.server, block, &record) && !memcmp(block, copy, 33),
           "restore");
        aead_free(aead);
    }
    uint8_t *ours = tls_seal(&pair.client, TLS_APPLICATION_DATA, view(text, 1), &size);
    ok(all_zero(ours + 5, 8), "ours is the sequence number");
    free(ours);
    tls_pair_clear(&pair);
}

static void several(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        struct tls_record record;
        size_t one, two, missing = 0;
        if (!tls_pair_init(&pair, kind)) continue;
        uint8_t *first = tls_seal(&pair.client, TLS_APPLICATION_DATA, view(text, 30), &one);
        uint8_t *second = tls_seal(&pair.client, TLS_ALERT, view(text, 2), &two);
        uint8_t *block = malloc(one + two);
        if (!block) abort();
        memcpy(block, first, one);
        memcpy(block + one, second, two);
        ok(!tls_record_open(&pair.server, block, one + two, &record, &missing) &&
               record.whole == one,
           "the first");
        ok(!memcmp(block + one, second, two), "the second is not touched");
        ok(tls_record_open(&pair.server, block + one, 0, &record, &missing) ==
                   SEC_E_INCOMPLETE_MESSAGE &&
               missing == TLS_RECORD_HEADER,
           "nothing");
        ok(!tls_record_open(&pair.server, block + one, two, &record, &missing) &&
               record.type == TLS_ALERT,
           "the second");
        free(first);
        free(second);
        free(block);
        tls_pair_clear(&pair);
    }
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    tls_fill(text, sizeof(text), 1);
    RUN(round_trips);
    RUN(apart);
    RUN(types);
    RUN(nothing_in_it);
    RUN(damaged);
    RUN(limits);
    RUN(alerts_of_no_record);
    RUN(limit_of_the_peer);
    RUN(sequence_ends);
    RUN(out_of_order);
    RUN(restored);
    RUN(padded);
    RUN(change_cipher_spec);
    RUN(nonce_of_the_peer);
    RUN(several);
    return test_end("unit_tls_record");
}
