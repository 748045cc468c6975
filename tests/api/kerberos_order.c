/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of package Kerberos that are not as they were made, or not where they belong: what
 * tampering, replay, reordering and the wrong end are answered with, that an error changes nothing,
 * and two threads at once. Sources in brackets, as in api_packages.
 */
#include "kerberos_pair.h"

/* ---- damage ---- */

/* Every prefix of a token in one piece, and each of its bytes changed; what is refused stays as it
 * was, DATA too, and the true one still opens. */
static void test_damaged_stream(void)
{
    static const char plain[] = "The quick brown fox jumps over the lazy dog";
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        BYTE wire[600], copy[600];
        SecBuffer data;
        if (!pair_open(KERBEROS_USUAL)) return;
        ULONG total = wire_make(wire, plain, sizeof(plain), encrypt);
        memcpy(copy, wire, total);
        for (ULONG size = 0; size < total; size++) {
            SECURITY_STATUS status = wire_open(copy, size, &data, NULL);
            ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED, "%lu bytes: %08lx",
               size, status);
            ok(!data.pvBuffer && !memcmp(wire, copy, total), "%lu bytes: changed", size);
        }
        for (ULONG i = 0; i < total; i++) {
            BYTE damaged[600];
            copy[i] ^= (BYTE)(1 << i % 8);
            memcpy(damaged, copy, total);
            SECURITY_STATUS status = wire_open(copy, total, &data, NULL);
            ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED ||
                   status == SEC_E_OUT_OF_SEQUENCE,
               "encrypt %d, byte %lu: %08lx", encrypt, i, status);
            ok(!data.pvBuffer && !memcmp(damaged, copy, total), "byte %lu: changed", i);
            memcpy(copy, wire, total);
        }
        SECURITY_STATUS status = wire_open(wire, total, &data, NULL);
        ok(status == SEC_E_OK, "encrypt %d, the true one: %08lx", encrypt, status);
        pair_close();
    }
}

/* [D decryptmessage, verifysignature] every byte counts, and the true message still opens */
static void test_tampering(void)
{
    static const char words[] = "The quick brown fox jumps over the lazy dog";
    for (int seal = 0; seal < 2; seal++) {
        struct text sealed, changed;
        if (!pair_open(KERBEROS_USUAL)) return;
        text_set(&sealed, words, sizeof(words));
        ok(!text_call(seal ? SEAL : SIGN, pair_side(0), &sealed), "not made");
        if (!seal) sealed.padding_size = 0;
        for (ULONG i = 0; i < sealed.token_size + sizeof(words); i++) {
            for (int bit = 0; bit < 8; bit++) {
                changed = sealed;
                bool token = i < sealed.token_size;
                *(token ? &changed.token[i]
                        : &changed.data[i - sealed.token_size]) ^= (BYTE)(1 << bit);
                SECURITY_STATUS status = text_call(seal ? OPEN : VERIFY, pair_side(1), &changed);
                ok(status == SEC_E_MESSAGE_ALTERED || (token && (status == SEC_E_INVALID_TOKEN ||
                                                                 status == SEC_E_OUT_OF_SEQUENCE)),
                   "seal %d, byte %lu, bit %d: %08lx", seal, i, bit, status);
                ok(!seal || memcmp(changed.data, words, sizeof(words)), "the text came out");
            }
        }
        SECURITY_STATUS status = text_call(seal ? OPEN : VERIFY, pair_side(1), &sealed);
        ok(status == SEC_E_OK, "seal %d, the true message: %08lx", seal, status);
        ok(!memcmp(sealed.data, words, sizeof(words)), "other data");
        pair_close();
    }
}

/* A message that was cut short or made longer is another message, and so is a token. */
static void test_other_lengths(void)
{
    struct text sealed, changed;
    if (!pair_open(KERBEROS_USUAL)) return;
    text_set(&sealed, "0123456789", 10);
    ok(!text_call(SEAL, pair_side(0), &sealed), "not sealed");
    for (ULONG size = 0; size <= 20; size++) {
        if (size == 10) continue;
        changed = sealed;
        changed.size = size;
        SECURITY_STATUS status = text_call(OPEN, pair_side(1), &changed);
        ok(status == SEC_E_MESSAGE_ALTERED || status == SEC_E_INVALID_TOKEN, "%lu bytes: %08lx",
           size, status);
    }
    for (ULONG size = 0; size < TOKEN_ROOM; size++) {
        if (size == sealed.token_size) continue;
        changed = sealed;
        changed.token_size = size;
        SECURITY_STATUS status = text_call(OPEN, pair_side(1), &changed);
        ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED,
           "token of %lu bytes: %08lx", size, status);
    }
    ok(text_call(OPEN, pair_side(1), &sealed) == SEC_E_OK, "the true message");
    pair_close();
}

/* ---- order and direction ---- */

/* [D verifysignature] in a sequence each message in its turn, and none twice. To the library of the
 * host one that it refuses has come all the same. */
static void test_sequence(void)
{
    struct text made[3], copy;
    if (kerberos_kind->library || !pair_open(KERBEROS_USUAL)) return;
    for (int i = 0; i < 3; i++) {
        text_set(&made[i], "text", 4);
        ok(!text_call(i == 2 ? SIGN : SEAL, pair_side(0), &made[i]), "%d: not made", i);
    }
    made[2].padding_size = 0;
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 3; i++) {
            if (i == turn) continue;
            copy = made[i];
            SECURITY_STATUS status = text_call(i == 2 ? VERIFY : OPEN, pair_side(1), &copy);
            ok(status == SEC_E_OUT_OF_SEQUENCE, "turn %d, message %d: %08lx", turn, i, status);
            ok(!memcmp(copy.data, made[i].data, 4), "turn %d, message %d: changed", turn, i);
        }
        copy = made[turn];
        SECURITY_STATUS status = text_call(turn == 2 ? VERIFY : OPEN, pair_side(1), &copy);
        ok(status == SEC_E_OK && !memcmp(copy.data, "text", 4), "turn %d: %08lx", turn, status);
    }
    ok(pair_talks(), "the contexts were hurt");
    pair_close();
}

/* [OS RFC 2743 1.2.3] replays are found in any order; and without either, nothing is minded. The
 * libraries of the host give both even if they are not asked for, so only the module is. */
static void test_replay_only(void)
{
    if (!kerberos_has_module()) return;
    for (int replay = 0; replay < 2; replay++) {
        struct text made[4], copy;
        if (!pair_open((KERBEROS_USUAL & ~(ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT)) |
                       (replay ? ISC_REQ_REPLAY_DETECT : 0)))
            return;
        for (int i = 0; i < 4; i++) {
            text_set(&made[i], "text", 4);
            ok(!text_call(SEAL, pair_side(1), &made[i]), "%d: not made", i);
        }
        static const int order[] = {2, 0, 3, 1};
        for (int i = 0; i < 4; i++) {
            copy = made[order[i]];
            ok(!text_call(OPEN, pair_side(0), &copy), "replay %d: message %d", replay, order[i]);
        }
        for (int i = 0; i < 4; i++) {
            copy = made[i];
            SECURITY_STATUS status = text_call(OPEN, pair_side(0), &copy);
            ok(status == (replay ? SEC_E_OUT_OF_SEQUENCE : SEC_E_OK), "replay %d: %d again: %08lx",
               replay, i, status);
        }
        pair_close();
    }
}

/* A message of one kind given to the function for the other, or to the end that made it. */
static void test_wrong_ends(void)
{
    static const struct {
        enum kerberos_call made, taken;
        bool back;
    } rows[] = {{SIGN, OPEN, false}, {SEAL, VERIFY, false}, {SIGN, VERIFY, true},
                {SEAL, OPEN, true},  {SIGN, OPEN, true},    {SEAL, VERIFY, true}};
    if (!pair_open(KERBEROS_USUAL)) return;
    for (int way = 0; way < 2; way++) {
        for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            struct text text, before;
            text_set(&text, "Hello, world!", 13);
            ok(!text_call(rows[i].made, pair_side(way), &text), "way %d, row %u: not made", way, i);
            if (rows[i].made == SIGN) text.padding_size = 0;
            before = text;
            for (int times = 0; times < 2; times++) {
                SECURITY_STATUS status = text_call(rows[i].taken, pair_side(way + !rows[i].back),
                                                   &text);
                ok(status == SEC_E_MESSAGE_ALTERED || status == SEC_E_OUT_OF_SEQUENCE ||
                       status == SEC_E_INVALID_TOKEN,
                   "way %d, row %u: %08lx", way, i, status);
                ok(!memcmp(&before, &text, sizeof(text)), "way %d, row %u: changed", way, i);
            }
            ok(!text_call(rows[i].made == SIGN ? VERIFY : OPEN, pair_side(way + 1), &text),
               "way %d, row %u: the true use", way, i);
            ok(!memcmp(text.data, "Hello, world!", 13), "way %d, row %u: other data", way, i);
        }
    }
    pair_close();
}

/* ---- two threads ---- */

#define ROUNDS 2000

static bool send_and_receive(int way)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct text text;
        BYTE plain[64];
        text_fill(plain, 64, (BYTE)i);
        text_set(&text, plain, 64);
        if (text_call(i % 2 ? SEAL : SIGN, pair_side(way), &text)) return false;
        if (i % 2 == 0) text.padding_size = 0;
        if (text_call(i % 2 ? OPEN : VERIFY, pair_side(way + 1), &text)) return false;
        if (memcmp(text.data, plain, 64)) return false;
    }
    return true;
}

static DWORD WINAPI other_direction(void *argument)
{
    (void)argument;
    return send_and_receive(1);
}

/* [D initializesecuritycontext] one thread may send while another receives */
static void test_two_threads(void)
{
    DWORD code = 0;
    if (!pair_open(KERBEROS_USUAL)) return;
    HANDLE thread = CreateThread(NULL, 0, other_direction, NULL, 0, NULL);
    ok(send_and_receive(0), "one direction");
    ok(!WaitForSingleObject(thread, 60000) && GetExitCodeThread(thread, &code) && code == 1,
       "the other direction");
    CloseHandle(thread);
    pair_close();
}

int main(int argc, char **argv)
{
    if (!kerberos_begin(argc, argv)) return kerberos_nothing("api_kerberos_order");
    RUN_KINDS(test_damaged_stream);
    RUN_KINDS(test_tampering);
    RUN_KINDS(test_other_lengths);
    RUN_KINDS(test_sequence);
    RUN_KINDS(test_replay_only);
    RUN_KINDS(test_wrong_ends);
    RUN_KINDS(test_two_threads);
    return test_end("api_kerberos_order");
}
