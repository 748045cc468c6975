/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Message protection: both directions, every kind of session, refusals that change nothing. */
#include "core/ntlm.h"

#include "core/secret.h"
#include "unit.h"

static const uint8_t key[16] = "a session key..";

#define FULL (NTLM_SIGN | NTLM_SEAL | NTLM_ESS | NTLM_128 | NTLM_KEY_EXCH)

static const uint32_t kinds[] = {
    FULL,
    FULL & ~NTLM_KEY_EXCH,
    (FULL & ~NTLM_128) | NTLM_56,
    FULL & ~NTLM_128,
    FULL & ~NTLM_SEAL,
    FULL & ~NTLM_SIGN,
    NTLM_SIGN | NTLM_SEAL,
    NTLM_SIGN | NTLM_SEAL | NTLM_KEY_EXCH | NTLM_128,
    NTLM_SIGN | NTLM_SEAL | NTLM_LM_KEY | NTLM_56,
    NTLM_SIGN | NTLM_SEAL | NTLM_LM_KEY,
    FULL | NTLM_DATAGRAM,
    (FULL & ~NTLM_KEY_EXCH) | NTLM_DATAGRAM,
    (FULL & ~NTLM_128) | NTLM_56 | NTLM_DATAGRAM,
    (FULL & ~NTLM_128) | NTLM_DATAGRAM,
};
#define ALL_KINDS (sizeof(kinds) / sizeof(*kinds))
#define KINDS (ALL_KINDS - 4) /* those with streams */

struct ends {
    struct ntlm_session client, server;
};

static void open_ends(struct ends *ends, uint32_t flags)
{
    ok(ntlm_session_init(&ends->client, flags, key, true) == SEC_E_OK, "client");
    ok(ntlm_session_init(&ends->server, flags, key, false) == SEC_E_OK, "server");
}

static void close_ends(struct ends *ends)
{
    ntlm_session_clear(&ends->client);
    ntlm_session_clear(&ends->server);
}

/* The state of a session, which datagrams have none of, without what is made on demand. */
static struct ntlm_session state_of(const struct ntlm_session *session)
{
    struct ntlm_session copy = *session;
    copy.send.hmac = copy.receive.hmac = NULL;
    return copy;
}

static bool same_state(const struct ntlm_session *a, const struct ntlm_session *b)
{
    struct ntlm_session left = state_of(a), right = state_of(b);
    if (a->flags & NTLM_DATAGRAM) return true;
    return left.send.sequence == right.send.sequence &&
           left.receive.sequence == right.receive.sequence &&
           !memcmp(&left.send.rc4, &right.send.rc4, sizeof(left.send.rc4)) &&
           !memcmp(&left.receive.rc4, &right.receive.rc4, sizeof(left.receive.rc4));
}

/* One sealed and one signed message from one end to the other. */
static void say(struct ntlm_session *from, struct ntlm_session *to, size_t size, uint32_t seed)
{
    uint8_t signature[16], *plain = malloc(size + 1);
    if (!plain) abort();
    for (size_t i = 0; i < size; i++) plain[i] = (uint8_t)next_random(&seed);
    uint8_t *data = exact_copy(plain, size);
    struct message_part part = {data, size, true};
    ok(ntlm_seal(from, 0, &part, 1, signature) == SEC_E_OK, "seal %zu", size);
    ok(size < 8 || memcmp(data, plain, size), "%zu bytes are enciphered", size);
    ok(ntlm_unseal(to, 0, &part, 1, signature) == SEC_E_OK, "unseal %zu", size);
    ok(!memcmp(data, plain, size), "%zu bytes are back", size);
    ok(ntlm_sign(from, 0, &part, 1, signature) == SEC_E_OK, "sign %zu", size);
    ok(ntlm_verify(to, 0, &part, 1, signature) == SEC_E_OK, "verify %zu", size);
    ok(!memcmp(data, plain, size), "signing leaves them");
    free(plain);
    free(data);
}

static void talk(void)
{
    static const size_t sizes[] = {0, 1, 7, 8, 9, 16, 63, 64, 65, 1000, 70000};
    for (size_t k = 0; k < ALL_KINDS; k++) {
        struct ends ends;
        open_ends(&ends, kinds[k]);
        for (uint32_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
            say(&ends.client, &ends.server, sizes[i], i);
            if (i % 3) say(&ends.server, &ends.client, sizes[i], ~i);
        }
        close_ends(&ends);
    }
}

/* The pad of the older signature says nothing; see any_pad. */
static bool is_pad(uint32_t flags, size_t byte)
{
    return !(flags & NTLM_ESS) && byte >= 4 && byte < 8;
}

/* Every bit of the message, its signature and what it covers in clear. */
static void tampering(void)
{
    for (size_t k = 0; k < ALL_KINDS; k++) {
        struct ends ends;
        uint8_t clear[5] = "clear", data[21] = "what shall be secret", wire[42];
        struct message_part parts[] = {{clear, 5, false}, {data, 21, true}};
        open_ends(&ends, kinds[k]);
        say(&ends.client, &ends.server, 100, 1);
        ok(ntlm_seal(&ends.client, 0, parts, 2, wire + 26) == SEC_E_OK, "seal");
        memcpy(wire, clear, 5);
        memcpy(wire + 5, data, 21);
        struct ntlm_session before = state_of(&ends.server);
        for (size_t bit = 0; bit < 8 * sizeof(wire); bit++) {
            uint8_t changed[42];
            if (bit >= 8 * 26 && is_pad(kinds[k], bit / 8 - 26)) continue;
            memcpy(changed, wire, sizeof(wire));
            changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            uint8_t received[42];
            memcpy(received, changed, sizeof(changed));
            struct message_part got[] = {{received, 5, false}, {received + 5, 21, true}};
            status_t status = ntlm_unseal(&ends.server, 0, got, 2, received + 26);
            ok(status == SEC_E_MESSAGE_ALTERED, "kind %zu, bit %zu: %x", k, bit, (unsigned)status);
            ok(!memcmp(received, changed, sizeof(changed)), "kind %zu, bit %zu: data as was", k,
               bit);
            ok(same_state(&ends.server, &before), "kind %zu, bit %zu: state as was", k, bit);
        }
        ok(ntlm_unseal(&ends.server, 0, parts, 2, wire + 26) == SEC_E_OK, "unchanged");
        ok(!memcmp(data, "what shall be secret", 21), "and readable");
        say(&ends.client, &ends.server, 100, 2);
        close_ends(&ends);
    }
}

static void altered_signature(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct ends ends;
        uint8_t data[12] = "signed text", signature[16];
        struct message_part part = {data, 12, false};
        open_ends(&ends, kinds[k]);
        ok(ntlm_sign(&ends.client, 0, &part, 1, signature) == SEC_E_OK, "sign");
        struct ntlm_session before = state_of(&ends.server);
        for (size_t bit = 0; bit < 128; bit++) {
            if (is_pad(kinds[k], bit / 8)) continue;
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
            ok(ntlm_verify(&ends.server, 0, &part, 1, signature) == SEC_E_MESSAGE_ALTERED,
               "kind %zu, bit %zu", k, bit);
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        data[3] ^= 1;
        ok(ntlm_verify(&ends.server, 0, &part, 1, signature) == SEC_E_MESSAGE_ALTERED, "data");
        data[3] ^= 1;
        ok(same_state(&ends.server, &before), "state as was");
        ok(ntlm_verify(&ends.server, 0, &part, 1, signature) == SEC_E_OK, "unchanged");
        ok(!status_ok(ntlm_verify(&ends.server, 0, &part, 1, signature)), "but not twice");
        close_ends(&ends);
    }
}

/* MS-NLMP 4.2.2.4: the signature of the example has the enciphered pad; other senders leave zeros
 * in its place. */
static void any_pad(void)
{
    static const char *const pads[] = {"45c844e5", "00000000", "ffffffff"};
    for (size_t i = 0; i < sizeof(pads) / sizeof(*pads); i++) {
        struct ntlm_session server;
        uint8_t data[18], signature[16];
        struct message_part part = {data, sizeof(data), true};
        memcpy(data, hex("56fe04d861f9319af0d7238a2e3b4d457fb8").data, sizeof(data));
        memcpy(signature, hex("01000000 00000000 09dcd1df 2e459d36").data, sizeof(signature));
        memcpy(signature + 4, hex(pads[i]).data, 4);
        ok(!ntlm_session_init(&server, NTLM_SIGN | NTLM_SEAL | NTLM_KEY_EXCH | NTLM_128,
                              hex("55555555555555555555555555555555").data, false),
           "init");
        ok(!ntlm_unseal(&server, 0, &part, 1, signature), "pad %s", pads[i]);
        ok(same(view(data, 18), hex("50006c00610069006e007400650078007400")), "the text");
        ntlm_session_clear(&server);
    }
}

/* Only with the checksum in clear can a message of another turn be told from a changed one. */
static void order(void)
{
    static const struct {
        uint32_t flags;
        status_t status;
    } cases[] = {{FULL & ~NTLM_KEY_EXCH, SEC_E_OUT_OF_SEQUENCE},
                 {FULL, SEC_E_MESSAGE_ALTERED},
                 {NTLM_SIGN, SEC_E_MESSAGE_ALTERED}};
    for (size_t i = 0; i < 3; i++) {
        struct ends ends;
        uint8_t data[4] = "abc", first[16], second[16];
        struct message_part part = {data, 4, false};
        open_ends(&ends, cases[i].flags);
        ok(!ntlm_sign(&ends.client, 0, &part, 1, first), "first");
        ok(!ntlm_sign(&ends.client, 0, &part, 1, second), "second");
        ok(ntlm_verify(&ends.server, 0, &part, 1, second) == cases[i].status, "the second first");
        ok(ntlm_verify(&ends.server, 0, &part, 1, first) == SEC_E_OK, "the first");
        ok(ntlm_verify(&ends.server, 0, &part, 1, first) == cases[i].status, "the first again");
        ok(ntlm_verify(&ends.server, 0, &part, 1, second) == SEC_E_OK, "the second");
        close_ends(&ends);
    }
}

/* A message does not come back to its sender. */
static void reflection(void)
{
    for (size_t k = 0; k < ALL_KINDS; k++) {
        struct ends ends;
        uint8_t data[4] = "abc", signature[16];
        struct message_part part = {data, 4, true};
        open_ends(&ends, kinds[k]);
        ok(!ntlm_seal(&ends.client, 0, &part, 1, signature), "seal");
        ok(ntlm_unseal(&ends.client, 0, &part, 1, signature) == SEC_E_MESSAGE_ALTERED,
           "kind %zu: reflected", k);
        ok(!ntlm_unseal(&ends.server, 0, &part, 1, signature) && !memcmp(data, "abc", 4),
           "kind %zu: delivered", k);
        close_ends(&ends);
    }
}

static void part_order(void)
{
    struct ends ends;
    uint8_t bytes[] = "headdatatail", signature[16];
    struct message_part three[] = {{bytes, 4, false}, {bytes + 4, 4, true}, {bytes + 8, 4, false}};
    struct message_part swapped[] = {three[2], three[1], three[0]};
    open_ends(&ends, FULL);
    ok(!ntlm_seal(&ends.client, 0, three, 3, signature), "seal");
    ok(!memcmp(bytes, "head", 4) && !memcmp(bytes + 8, "tail", 4), "clear parts stay");
    ok(ntlm_unseal(&ends.server, 0, swapped, 3, signature) == SEC_E_MESSAGE_ALTERED, "swapped");
    ok(ntlm_unseal(&ends.server, 0, three, 2, signature) == SEC_E_MESSAGE_ALTERED, "one missing");
    ok(!ntlm_unseal(&ends.server, 0, three, 3, signature), "unseal");
    ok(!memcmp(bytes, "headdatatail", 12), "data");

    /* How a message is cut into parts is not part of it. */
    struct message_part one = {bytes, 12, true};
    struct message_part cut[] = {{bytes, 5, true}, {NULL, 0, true}, {bytes + 5, 7, true}};
    ok(!ntlm_seal(&ends.client, 0, &one, 1, signature), "seal in one");
    ok(!ntlm_unseal(&ends.server, 0, cut, 3, signature), "unseal in three");
    ok(!memcmp(bytes, "headdatatail", 12), "data");
    ok(!ntlm_seal(&ends.client, 0, NULL, 0, signature), "seal nothing");
    ok(!ntlm_unseal(&ends.server, 0, NULL, 0, signature), "unseal nothing");
    close_ends(&ends);
}

static void dummy(void)
{
    static const uint32_t flags[] = {NTLM_ALWAYS_SIGN, NTLM_ALWAYS_SIGN | NTLM_ESS | NTLM_128};
    for (size_t i = 0; i < 2; i++) {
        struct ends ends;
        uint8_t data[4] = "abc", signature[16];
        struct message_part part = {data, 4, false};
        open_ends(&ends, flags[i]);
        struct ntlm_session before = state_of(&ends.client);
        ok(!ntlm_sign(&ends.client, 0, &part, 1, signature), "sign");
        ok(same(view(signature, 16), hex("01000000000000000000000000000000")), "the dummy");
        ok(same_state(&ends.client, &before), "nothing moved");
        ok(!ntlm_verify(&ends.server, 0, &part, 1, signature), "verify");
        signature[9] = 1;
        ok(ntlm_verify(&ends.server, 0, &part, 1, signature) == SEC_E_MESSAGE_ALTERED, "no dummy");
        part.sealed = true;
        ok(!ntlm_seal(&ends.client, 0, &part, 1, signature) && memcmp(data, "abc", 4),
           "seal works");
        ok(!ntlm_unseal(&ends.server, 0, &part, 1, signature) && !memcmp(data, "abc", 4), "unseal");
        close_ends(&ends);
    }
}

static void rewinding(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        struct ends ends;
        uint8_t first[8] = "message", again[8] = "message", a[16], b[16];
        struct message_part part = {first, 8, true}, repeated = {again, 8, true};
        open_ends(&ends, kinds[k]);
        ok(!ntlm_seal(&ends.client, 0, &part, 1, a), "seal");
        ntlm_session_rewind(&ends.client);
        ok(!ntlm_seal(&ends.client, 0, &repeated, 1, b), "seal after rewinding");
        ok(!memcmp(a, b, 16) && !memcmp(first, again, 8), "kind %zu: the same message", k);
        close_ends(&ends);
    }
}

/* The streams begin anew and the sequence number goes on. */
static void restarting(void)
{
    struct ends ends;
    uint8_t first[8] = "message", again[8] = "message", a[16], b[16];
    struct message_part part = {first, 8, true}, repeated = {again, 8, true};
    open_ends(&ends, FULL);
    ok(!ntlm_seal(&ends.client, 0, &part, 1, a), "seal");
    ok(!ntlm_unseal(&ends.server, 0, &part, 1, a), "unseal");
    ntlm_session_restart_streams(&ends.client);
    ntlm_session_restart_streams(&ends.server);
    ok(!ntlm_seal(&ends.client, 0, &repeated, 1, b), "seal again");
    ok(b[12] == 1, "sequence number");
    ok(!ntlm_unseal(&ends.server, 0, &repeated, 1, b) && !memcmp(again, "message", 8),
       "unseal again");
    close_ends(&ends);
}

/* One direction alone, the other goes on as it was. */
static void restarting_one(void)
{
    for (int send = 0; send < 2; send++) {
        struct ends ends;
        open_ends(&ends, FULL);
        say(&ends.client, &ends.server, 10, 1);
        say(&ends.server, &ends.client, 10, 2);
        struct ntlm_session before = state_of(&ends.client);
        ntlm_session_restart_stream(&ends.client, send);
        ok(!memcmp(&before.send.rc4, &ends.client.send.rc4, sizeof(before.send.rc4)) == !send,
           "%d: sending", send);
        ok(!memcmp(&before.receive.rc4, &ends.client.receive.rc4, sizeof(before.receive.rc4)) ==
               !!send,
           "%d: receiving", send);
        ok(ends.client.send.sequence == 2 && ends.client.receive.sequence == 2, "counters");
        ntlm_session_restart_stream(&ends.server, !send);
        say(&ends.client, &ends.server, 10, 3);
        say(&ends.server, &ends.client, 10, 4);
        close_ends(&ends);
    }

    /* One stream serves both. */
    struct ends ends;
    open_ends(&ends, NTLM_SIGN | NTLM_SEAL);
    say(&ends.client, &ends.server, 10, 1);
    ntlm_session_restart_stream(&ends.client, true);
    ntlm_session_restart_stream(&ends.server, false);
    say(&ends.client, &ends.server, 10, 2);
    say(&ends.server, &ends.client, 10, 3);
    ok(ends.client.send.sequence == 6, "one counter");
    close_ends(&ends);
}

/* The same text under one number is the same message, under another it is not. */
static void datagrams(void)
{
    for (size_t k = KINDS; k < ALL_KINDS; k++) {
        struct ends ends;
        uint8_t data[3][8] = {"message", "message", "message"}, signatures[3][16];
        static const uint32_t numbers[] = {5, 6, 5};
        open_ends(&ends, kinds[k]);
        for (size_t i = 0; i < 3; i++) {
            struct message_part part = {data[i], 8, true};
            ok(!ntlm_seal(&ends.client, numbers[i], &part, 1, signatures[i]), "seal");
        }
        ok(!memcmp(data[0], data[2], 8) && !memcmp(signatures[0], signatures[2], 16), "the same");
        ok(memcmp(data[0], data[1], 8) && memcmp(signatures[0], signatures[1], 16), "another");
        ok(signatures[1][12] == 6, "the number is in the signature");
        for (size_t i = 3; i-- > 0;) {
            struct message_part part = {data[i], 8, true};
            ok(!ntlm_unseal(&ends.server, numbers[i], &part, 1, signatures[i]), "unseal");
        }
        close_ends(&ends);
    }
}

/* Both directions would have one key and one number: two texts under one stream. */
static void datagrams_without_ess(void)
{
    struct ends ends;
    uint8_t data[8] = "message", signature[16] = "as it was", other[16];
    struct message_part part = {data, 8, true};
    open_ends(&ends, NTLM_SIGN | NTLM_56 | NTLM_DATAGRAM);
    ok(ntlm_seal(&ends.client, 1, &part, 1, signature) == SEC_E_UNSUPPORTED_FUNCTION, "seal");
    ok(ntlm_unseal(&ends.client, 1, &part, 1, signature) == SEC_E_UNSUPPORTED_FUNCTION, "unseal");
    ok(!memcmp(data, "message", 8) && !memcmp(signature, "as it was", 10), "as it was");
    for (uint32_t number = 5; number; number--) {
        ok(!ntlm_sign(&ends.client, number, &part, 1, signature), "sign");
        ok(ntlm_verify(&ends.server, number + 1, &part, 1, signature) == SEC_E_MESSAGE_ALTERED,
           "another number");
        ok(!ntlm_verify(&ends.server, number, &part, 1, signature), "verify");
        signature[8] ^= 1;
        ok(ntlm_verify(&ends.server, number, &part, 1, signature) == SEC_E_MESSAGE_ALTERED,
           "another signature");
        ok(!ntlm_sign(&ends.server, number, &part, 1, other), "sign at the server");
        ok(!ntlm_verify(&ends.client, number, &part, 1, other), "verify at the client");
    }
    close_ends(&ends);
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(talk);
    RUN(tampering);
    RUN(altered_signature);
    RUN(any_pad);
    RUN(order);
    RUN(reflection);
    RUN(part_order);
    RUN(dummy);
    RUN(rewinding);
    RUN(restarting);
    RUN(restarting_one);
    RUN(datagrams);
    RUN(datagrams_without_ess);
    return test_end("unit_ntlm_session");
}
