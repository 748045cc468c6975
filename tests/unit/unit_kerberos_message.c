/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of Kerberos between two ends of ours: RFC 4121 4.2, RFC 4757 7, MS-KILE 3.4.5. */
#include "core/crypto.h"
#include "kerberos_pair.h"

static void both_ways(void)
{
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        if (!kerberos_pair_init(&pair, kind)) continue;
        for (size_t size = 0; size < 700; size += size < 70 ? 1 : 37) {
            struct slice text = view(unit_pool, size);
            ok(kerberos_moves(&pair.client, &pair.server, text), "%u: %u bytes there",
               (unsigned)kind, (unsigned)size);
            ok(kerberos_moves(&pair.server, &pair.client, text), "%u: %u bytes back",
               (unsigned)kind, (unsigned)size);
        }
        kerberos_pair_clear(&pair);
    }
}

/* MS-KILE 3.4.5.4.1 for the layout; the sizes of AES tokens in DCE style and outside are those of
 * Windows, which says the larger one of both. */
static void layout(void)
{
    static const struct {
        size_t kind, signature, token, used;
    } sizes[] = {{0, 28, 60, 60}, {1, 28, 60, 60}, {2, 28, 76, 76}, {3, 32, 64, 64},
                 {4, 32, 80, 80}, {5, 40, 72, 72}, {6, 37, 49, 45}, {7, 37, 45, 45}};
    for (size_t i = 0; i < KERBEROS_KINDS; i++) {
        struct kerberos_pair pair;
        struct kerberos_sizes found;
        struct kerberos_sent sent;
        if (!kerberos_pair_init(&pair, i)) continue;
        kerberos_sizes(&pair.client, &found);
        ok(found.signature == sizes[i].signature && found.token == sizes[i].token &&
               found.block == 1,
           "%u: sizes %u, %u", (unsigned)i, (unsigned)found.signature, (unsigned)found.token);
        ok(!kerberos_send(&pair.client, ascii("text"), true, &sent), "send");
        ok(sent.token_size == sizes[i].used, "%u: token %u", (unsigned)i,
           (unsigned)sent.token_size);
        ok(sent.padding_size == (i == 6), "%u: padding", (unsigned)i);
        bool dce = pair.client.flags & KERBEROS_DCE_STYLE;
        if (pair.client.enctype != KERBEROS_RC4) {
            size_t mac = found.signature - 16;
            ok(sent.token[5] == (dce ? 16 : 0) && sent.token[7] == mac + 16, "EC and RRC");
        }
        kerberos_sent_free(&sent);
        ok(!kerberos_send(&pair.client, ascii("text"), false, &sent), "send in clear");
        if (pair.client.enctype != KERBEROS_RC4) {
            size_t mac = found.signature - 16;
            ok(sent.token_size == 16 + mac && sent.token[5] == mac && sent.token[7] == mac,
               "EC and RRC of a clear one");
        }
        kerberos_sent_free(&sent);
        kerberos_pair_clear(&pair);
    }
}

/* Parts of any number and size, some of them only covered: cut in one way, and in another by the
 * other end. */
static size_t cut_up(uint8_t *data, size_t size, uint32_t *random, struct message_part *parts)
{
    size_t count = 0;
    for (size_t at = 0; at < size;) {
        size_t part = next_random(random) % 40;
        if (part > size - at || count == 30) part = size - at;
        parts[count++] = (struct message_part){data + at, part, true};
        at += part;
    }
    return count;
}

static void shapes(void)
{
    uint32_t random = 42;
    for (unsigned round = 0; round < 40 * KERBEROS_KINDS; round++) {
        struct kerberos_pair pair;
        struct message_part parts[34];
        uint8_t token[KERBEROS_TOKEN_MAX], padding[8], before[20] = "before", behind[9] = "behind";
        size_t size = next_random(&random) % 900;
        struct kerberos_wrapping wrapping = {true, token, sizeof(token), padding, sizeof(padding)};
        if (!kerberos_pair_init(&pair, round % KERBEROS_KINDS)) continue;
        uint8_t *data = exact_copy(unit_pool, size);
        parts[0] = (struct message_part){before, next_random(&random) % sizeof(before), false};
        size_t count = 1 + cut_up(data, size, &random, parts + 1);
        parts[count] = (struct message_part){behind, sizeof(behind), false};
        ok(!kerberos_wrap(&pair.client, kerberos_confounder, parts, count + 1, &wrapping), "wrap");
        ok(!memcmp(before, "before", 6) && !memcmp(behind, "behind", 6), "covered only");
        count = 1 + cut_up(data, size, &random, parts + 1);
        parts[count] = (struct message_part){behind, 4, false};
        parts[count + 1] = (struct message_part){behind + 4, sizeof(behind) - 4, false};
        behind[8] ^= 1;
        ok(kerberos_unwrap(&pair.server, parts, count + 2, &wrapping) == SEC_E_MESSAGE_ALTERED,
           "what is covered counts");
        behind[8] ^= 1;
        ok(!kerberos_unwrap(&pair.server, parts, count + 2, &wrapping) && wrapping.encrypt,
           "unwrap");
        ok(!memcmp(data, unit_pool, size), "%u: %u bytes are back", round, (unsigned)size);
        free(data);
        kerberos_pair_clear(&pair);
    }
}

/* RC4's checksum does not cover the number (RFC 4757 7.2), whose change makes it that of another
 * turn. */
static bool is_refusal(const struct kerberos_session *to, status_t status)
{
    return status == SEC_E_MESSAGE_ALTERED || status == SEC_E_INVALID_TOKEN ||
           (status == SEC_E_OUT_OF_SEQUENCE && to->enctype == KERBEROS_RC4);
}

/* Whether a message is refused, and nothing has moved. */
static bool stays(struct kerberos_session *to, struct kerberos_sent *sent)
{
    bool encrypted = false;
    size_t size, after_size;
    struct kerberos_direction numbers = to->receive;
    uint8_t *before = kerberos_stream(sent, &size);
    status_t status = kerberos_receive(to, sent, &encrypted);
    uint8_t *after = kerberos_stream(sent, &after_size);
    bool good = is_refusal(to, status) && !memcmp(before, after, size) &&
                numbers.next == to->receive.next && numbers.received == to->receive.received;
    free(before);
    free(after);
    return good;
}

static void damage_bytes(struct kerberos_session *to, struct kerberos_sent *sent, uint8_t *bytes,
                         size_t size, const char *what)
{
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ok(stays(to, sent), "%s: bit %u", what, (unsigned)bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void damage(void)
{
    for (size_t kind = 0; kind < 2 * KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        struct kerberos_sent sent;
        bool encrypted;
        if (!kerberos_pair_init(&pair, kind / 2)) continue;
        ok(!kerberos_send(&pair.server, view(unit_pool, 41), kind % 2, &sent), "send");
        damage_bytes(&pair.client, &sent, sent.token, sent.token_size, "token");
        damage_bytes(&pair.client, &sent, sent.data, sent.data_size, "data");
        damage_bytes(&pair.client, &sent, sent.padding, sent.padding_size, "padding");
        size_t size = sent.token_size;
        for (sent.token_size = 0; sent.token_size < size; sent.token_size++)
            ok(stays(&pair.client, &sent), "%u bytes", (unsigned)sent.token_size);
        ok(stays(&pair.server, &sent), "sent back to its sender");
        ok(!kerberos_receive(&pair.client, &sent, &encrypted), "it was good");
        kerberos_sent_free(&sent);
        kerberos_pair_clear(&pair);
    }
}

static void damaged_signatures(void)
{
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        uint8_t token[KERBEROS_TOKEN_MAX], data[] = "signed";
        struct message_part parts[] = {{data, 2, true}, {data + 2, 4, false}};
        size_t size = 7;
        if (!kerberos_pair_init(&pair, kind)) continue;
        ok(kerberos_sign(&pair.client, parts, 2, token, 27, &size) == SEC_E_BUFFER_TOO_SMALL &&
               size == 7 && pair.client.send.next == KERBEROS_CLIENT_FIRST,
           "no room");
        ok(!kerberos_sign(&pair.client, parts, 2, token, sizeof(token), &size), "sign");
        for (size_t bit = 0; bit < 8 * size; bit++) {
            token[bit / 8] ^= (uint8_t)(1 << bit % 8);
            status_t status = kerberos_verify(&pair.server, parts, 2, view(token, size));
            ok(is_refusal(&pair.server, status), "bit %u", (unsigned)bit);
            token[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t part = 0; part < size; part++) {
            uint8_t *exact = exact_copy(token, part);
            ok(kerberos_verify(&pair.server, parts, 2, view(exact, part)) == SEC_E_INVALID_TOKEN,
               "%u bytes", (unsigned)part);
            free(exact);
        }
        ok(kerberos_verify(&pair.server, parts, 2, view(token, size + 1)) == SEC_E_INVALID_TOKEN,
           "one byte more");
        ok(kerberos_verify(&pair.client, parts, 2, view(token, size)) == SEC_E_MESSAGE_ALTERED,
           "sent back to its signer");
        data[3] ^= 1;
        ok(kerberos_verify(&pair.server, parts, 2, view(token, size)) == SEC_E_MESSAGE_ALTERED,
           "other data");
        data[3] ^= 1;
        ok(!kerberos_verify(&pair.server, parts, 2, view(token, size)), "it was good");
        kerberos_pair_clear(&pair);
    }
}

/* The kinds of tokens are not taken for one another. */
static void other_kinds(void)
{
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        struct kerberos_sent sent;
        uint8_t token[KERBEROS_TOKEN_MAX];
        size_t size;
        if (!kerberos_pair_init(&pair, kind)) continue;
        ok(!kerberos_send(&pair.client, view(NULL, 0), false, &sent), "send");
        ok(kerberos_verify(&pair.server, NULL, 0, view(sent.token, sent.token_size)) ==
               SEC_E_INVALID_TOKEN,
           "a wrap token is no signature");
        ok(!kerberos_sign(&pair.client, NULL, 0, token, sizeof(token), &size), "sign");
        struct kerberos_wrapping wrapping = {.token = token, .token_size = size};
        ok(kerberos_unwrap(&pair.server, NULL, 0, &wrapping) == SEC_E_INVALID_TOKEN,
           "a signature is no wrap token");
        token[kerberos_kinds[kind].enctype == KERBEROS_RC4 ? 13 : 0] ^= 4;
        ok(kerberos_verify(&pair.server, NULL, 0, view(token, size)) == SEC_E_INVALID_TOKEN,
           "nor is what is of neither kind");
        kerberos_sent_free(&sent);
        kerberos_pair_clear(&pair);
    }
}

/* ---- in one piece ---- */

static void turn_right(uint8_t *data, size_t size, size_t count)
{
    uint8_t *copy = exact_copy(data, size);
    for (size_t i = 0; i < size; i++) data[(i + count) % size] = copy[i];
    free(copy);
}

/* From the place where it is for SSPI to another rotation, and RRC says so. */
static void set_rotation(const struct kerberos_session *from, uint8_t *stream, size_t size,
                         size_t rrc)
{
    bool dce = from->flags & KERBEROS_DCE_STYLE && stream[2] & 2;
    size_t left = size - 16, extra = dce ? (size_t)stream[5] : 0;
    size_t before = stream[7] + extra, after = rrc + (rrc ? extra : 0);
    turn_right(stream + 16, left, left - before % left);
    turn_right(stream + 16, left, after % left);
    stream[6] = (uint8_t)(rrc >> 8);
    stream[7] = (uint8_t)rrc;
}

static void take_stream(struct kerberos_session *to, uint8_t *stream, size_t size,
                        struct slice text, bool encrypt, const char *what)
{
    bool encrypted = !encrypt;
    struct slice plain = {NULL, 7};
    uint8_t *before = exact_copy(stream, size);
    stream[size - 1] ^= 0x40;
    ok(kerberos_unwrap_stream(to, stream, size, &encrypted, &plain) == SEC_E_MESSAGE_ALTERED,
       "%s: altered", what);
    stream[size - 1] ^= 0x40;
    ok(!memcmp(before, stream, size) && encrypted != encrypt && plain.size == 7, "%s: unharmed",
       what);
    ok(!kerberos_unwrap_stream(to, stream, size, &encrypted, &plain), "%s: unwrap", what);
    ok(encrypted == encrypt && same(plain, text), "%s: plain", what);
    ok(plain.data >= stream && plain.data + plain.size <= stream + size, "%s: in place", what);
    free(before);
}

static void streams(void)
{
    for (size_t round = 0; round < 2 * KERBEROS_KINDS; round++) {
        struct kerberos_pair pair;
        size_t kind = round / 2;
        bool encrypt = round % 2, rc4 = kerberos_kinds[kind].enctype == KERBEROS_RC4;
        if (!kerberos_pair_init(&pair, kind)) continue;
        for (size_t rrc = 0; rrc < 300; rrc += rc4 ? 300 : 1) {
            struct kerberos_sent sent;
            size_t size;
            struct slice text = view(unit_pool, 50 + rrc % 7);
            ok(!kerberos_send(&pair.client, text, encrypt, &sent), "send");
            uint8_t *stream = kerberos_stream(&sent, &size);
            if (!rc4) set_rotation(&pair.client, stream, size, rrc);
            take_stream(&pair.server, stream, size, text, encrypt, "stream");
            free(stream);
            kerberos_sent_free(&sent);
        }
        kerberos_pair_clear(&pair);
    }
}

static void cut_streams(void)
{
    for (size_t round = 0; round < 2 * KERBEROS_KINDS; round++) {
        struct kerberos_pair pair;
        struct kerberos_sent sent;
        struct slice plain;
        bool encrypted;
        size_t size;
        if (!kerberos_pair_init(&pair, round / 2)) continue;
        ok(!kerberos_send(&pair.client, view(unit_pool, 9), round % 2, &sent), "send");
        uint8_t *stream = kerberos_stream(&sent, &size);
        for (size_t part = 0; part < size; part++) {
            uint8_t *exact = exact_copy(stream, part);
            status_t status = kerberos_unwrap_stream(&pair.server, exact, part, &encrypted, &plain);
            ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED, "%u of %u: %x",
               (unsigned)part, (unsigned)size, (unsigned)status);
            ok(!memcmp(exact, stream, part), "%u of %u are as they were", (unsigned)part,
               (unsigned)size);
            free(exact);
        }
        ok(!kerberos_unwrap_stream(&pair.server, stream, size, &encrypted, &plain), "whole");
        free(stream);
        kerberos_sent_free(&sent);
        kerberos_pair_clear(&pair);
    }
}

/* A stream in any rotation, cut where a token of ours ends: into two buffers side by side, as
 * Wine's wldap32 does it. In two blocks there is nowhere to move what is in the other one. */
static void streams_in_two(void)
{
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        struct kerberos_sizes sizes;
        if (kerberos_kinds[kind].enctype == KERBEROS_RC4) continue;
        if (!kerberos_pair_init(&pair, kind)) continue;
        kerberos_sizes(&pair.client, &sizes);
        for (size_t rrc = 0; rrc < 150; rrc++) {
            struct kerberos_sent sent;
            struct slice text = view(unit_pool, rrc % 90);
            size_t size;
            ok(!kerberos_send(&pair.client, text, true, &sent), "send");
            uint8_t *stream = kerberos_stream(&sent, &size), *before;
            set_rotation(&pair.client, stream, size, rrc);
            struct kerberos_wrapping wrapping = {false, stream, sizes.token, NULL, 0};
            struct message_part part = {stream + sizes.token, size - sizes.token, true};
            stream[size - 1] ^= 0x40;
            before = exact_copy(stream, size);
            ok(kerberos_unwrap(&pair.server, &part, 1, &wrapping) == SEC_E_MESSAGE_ALTERED,
               "altered");
            ok(!memcmp(before, stream, size), "unharmed");
            free(before);
            stream[size - 1] ^= 0x40;
            ok(part.size == text.size && !kerberos_unwrap(&pair.server, &part, 1, &wrapping) &&
                   wrapping.encrypt && same((struct slice){part.data, part.size}, text),
               "kind %u, RRC %u", (unsigned)kind, (unsigned)rrc);
            free(stream);
            kerberos_sent_free(&sent);
        }
        kerberos_pair_clear(&pair);
    }
}

/* ---- room and padding ---- */

static void room(void)
{
    for (size_t round = 0; round < 2 * KERBEROS_KINDS; round++) {
        struct kerberos_pair pair;
        struct kerberos_sent sent;
        if (!kerberos_pair_init(&pair, round / 2)) continue;
        ok(!kerberos_send(&pair.client, ascii("text"), round % 2, &sent), "send");
        for (size_t size = 0; size < sent.token_size; size++) {
            uint8_t token[KERBEROS_TOKEN_MAX], padding, data[] = "text";
            struct message_part part = {data, 4, true};
            struct kerberos_wrapping wrapping = {round % 2, token, size, &padding, 1};
            ok(kerberos_wrap(&pair.server, kerberos_confounder, &part, 1, &wrapping) ==
                       SEC_E_BUFFER_TOO_SMALL &&
                   !memcmp(data, "text", 4) && pair.server.send.next == KERBEROS_SERVER_FIRST,
               "%u bytes", (unsigned)size);
        }
        kerberos_sent_free(&sent);
        kerberos_pair_clear(&pair);
    }
}

/* RC4 pads with one byte, which is counted by the frame, and may lie behind the data. */
static void rc4_padding(void)
{
    struct kerberos_pair pair;
    struct kerberos_sent sent;
    uint8_t token[KERBEROS_TOKEN_MAX], data[5] = "text";
    struct message_part part = {data, 4, true};
    struct kerberos_wrapping wrapping = {true, token, sizeof(token), NULL, 0};
    if (!kerberos_pair_init(&pair, 6)) return;
    ok(kerberos_wrap(&pair.client, kerberos_confounder, &part, 1, &wrapping) ==
           SEC_E_BUFFER_TOO_SMALL,
       "no room for it");
    ok(!kerberos_send(&pair.client, ascii("text"), true, &sent), "send");
    memcpy(data, sent.data, 4);
    data[4] = sent.padding[0];
    struct message_part parts[] = {{data, 2, true}, {data + 2, 3, true}, {NULL, 0, true}};
    wrapping = (struct kerberos_wrapping){.token = sent.token, .token_size = sent.token_size};
    ok(!kerberos_unwrap(&pair.server, parts, 3, &wrapping), "behind the data");
    ok(parts[0].size == 2 && parts[1].size == 2 && !memcmp(data, "text", 4), "taken off");
    kerberos_sent_free(&sent);
    for (size_t size = 126; size < 300; size++) {
        ok(!kerberos_send(&pair.client, view(unit_pool, size), true, &sent), "send");
        ok(sent.token_size == (size + 44 < 128   ? 45u
                               : size + 44 < 256 ? 46u
                                                 : 47u),
           "%u bytes: %u", (unsigned)size, (unsigned)sent.token_size);
        kerberos_sent_free(&sent);
    }
    kerberos_pair_clear(&pair);
}

/* Nothing protects the frame: in DCE style it never tells of padding, which a text may end like. */
static void rc4_frame(void)
{
    struct kerberos_pair pair;
    struct kerberos_sent sent;
    bool encrypted;
    if (!kerberos_pair_init(&pair, 7)) return;
    ok(!kerberos_send(&pair.client, hex("020201"), true, &sent), "send");
    sent.token[1] = (uint8_t)(sent.token[1] + sent.data_size);
    ok(kerberos_receive(&pair.server, &sent, &encrypted) == SEC_E_INVALID_TOKEN, "a longer frame");
    sent.token[1] = (uint8_t)(sent.token[1] - sent.data_size);
    ok(!kerberos_receive(&pair.server, &sent, &encrypted) && sent.data_size == 3 &&
           same(view(sent.data, 3), hex("020201")),
       "as it was sent");
    kerberos_sent_free(&sent);
    kerberos_pair_clear(&pair);
    if (!kerberos_pair_init(&pair, 6)) return;
    ok(!kerberos_send(&pair.client, view(NULL, 0), true, &sent), "send nothing");
    sent.token[1]--;
    sent.padding_size = 0;
    ok(kerberos_receive(&pair.server, &sent, &encrypted) == SEC_E_INVALID_TOKEN, "no padding");
    kerberos_sent_free(&sent);
    kerberos_pair_clear(&pair);
}

static void unknown_types(void)
{
    static const uint8_t key[64];
    struct kerberos_session session;
    struct kerberos_start start = {.key = {key, 16}};
    const uint32_t types[] = {0, 1, 3, 16, 21, 22, 24, 25, 26, 4096, UINT32_MAX};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        start.enctype = types[i];
        ok(!kerberos_key_size(types[i]) &&
               kerberos_session_init(&session, &start) == SEC_E_UNSUPPORTED_FUNCTION,
           "type %u", (unsigned)types[i]);
    }
    start.enctype = KERBEROS_AES256_SHA1;
    ok(kerberos_session_init(&session, &start) == SEC_E_INVALID_PARAMETER, "half a key");
}

int main(void)
{
    if (!ok(crypto_init() == SEC_E_OK, "crypto_init")) return EXIT_FAILURE;
    for (size_t i = 0; i < 4096; i++) unit_pool[i] = (uint8_t)(i * 29 + i / 256);
    unit_pool_used = 4096;
    RUN(both_ways);
    RUN(layout);
    RUN(shapes);
    RUN(damage);
    RUN(damaged_signatures);
    RUN(other_kinds);
    RUN(streams);
    RUN(cut_streams);
    RUN(streams_in_two);
    RUN(room);
    RUN(rc4_padding);
    RUN(rc4_frame);
    RUN(unknown_types);
    return test_end("unit_kerberos_message");
}
