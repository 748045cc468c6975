/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package Negotiate as acceptor, the test itself being the initiator: what it offers, with
 * which tokens and with which mechListMIC, right and wrong. RFC 4178 4.2 and 5 and MS-SPNG 3.3 say
 * what has to happen; which error a wrong message gives is ours, and on Windows any will do.
 */
#include "spnego_peer.h"

static struct account account;
static bool have_account;
static struct side subject, ntlm; /* Negotiate, and the NTLM inside our tokens */
static struct peer_session *session;
static uint8_t list_bytes[256];
static struct slice mech_list;

static const uint8_t example_oid[] = {0x88, 0x37, 1}; /* 2.999.1 */
static const struct slice example = {example_oid, sizeof(example_oid)};

static bool begin(void)
{
    const struct sides_options options = {.client_package = L"NTLM",
                                          .account = have_account ? &account : NULL};
    session = NULL;
    return sides_open(&ntlm, &subject, &options);
}

static void end(void)
{
    peer_session_free(session);
    sides_close(&ntlm, &subject);
}

/* A NegTokenInit; its list is what mechListMIC covers from now on. */
static struct slice offer(const struct slice *mechs, size_t count, struct slice token,
                          struct slice mic)
{
    struct spnego_init message = {.mech_count = count, .token = token, .mic = mic};
    struct writer w;
    memcpy(message.mechs, mechs, count * sizeof(*mechs));
    writer_init_fixed(&w, list_bytes, sizeof(list_bytes));
    spnego_mech_list_encode(&w, mechs, count);
    mech_list = writer_view(&w);
    return wire_init(&message);
}

/* Offers NTLM, alone or behind a mechanism that nobody has; that one's token is what the acceptor
 * must not look at. */
static SECURITY_STATUS send_offer(bool ntlm_first)
{
    const struct slice mechs[] = {example, spnego_oid_ntlm};
    static const uint8_t foreign[] = "a token of the other mechanism";
    struct slice token = ntlm_first ? side_token(&ntlm) : (struct slice){foreign, sizeof(foreign)};
    return side_leg(&subject, offer(mechs + ntlm_first, 2 - ntlm_first, token, NONE));
}

static bool answered(struct spnego_response *out, enum spnego_state state, const char *what)
{
    status_t status = spnego_response_decode(side_token(&subject), out);
    return ok(status == SEC_E_OK, "%s: no NegTokenResp of %lu bytes", what, subject.size) &&
           ok(out->state == state, "%s: state %d", what, out->state);
}

/* As far as our AUTHENTICATE, which is then the token of ntlm. */
static bool reach_authenticate(bool ntlm_first)
{
    struct spnego_response answer;
    side_leg(&ntlm, NONE);
    SECURITY_STATUS status = send_offer(ntlm_first);
    if (!ok(status == SEC_I_CONTINUE_NEEDED, "the offer: %08lx", status)) return false;
    if (!ntlm_first) {
        /* RFC 4178 5: another mechanism than the preferred one asks for mechListMIC */
        if (!answered(&answer, SPNEGO_REQUEST_MIC, "the choice")) return false;
        ok(answer.mech.size == spnego_oid_ntlm.size && !answer.token.data, "NTLM, and no token");
        status = side_leg(&subject,
                          wire_response(SPNEGO_ACCEPT_INCOMPLETE, NONE, side_token(&ntlm), NONE));
        ok(status == SEC_I_CONTINUE_NEEDED, "NEGOTIATE: %08lx", status);
    }
    if (!answered(&answer, SPNEGO_ACCEPT_INCOMPLETE, "CHALLENGE")) return false;
    ok(!answer.mic.data, "a mechListMIC with CHALLENGE");
    if (ntlm_first)
        ok(answer.mech.size == spnego_oid_ntlm.size &&
               !memcmp(answer.mech.data, spnego_oid_ntlm.data, answer.mech.size),
           "the choice is not NTLM");
    status = side_leg(&ntlm, answer.token);
    if (!ok(status == SEC_E_OK, "our NTLM: %08lx", status)) return false;
    session = peer_session_create(&ntlm.context, false, side_token(&ntlm));
    return ok(session != NULL, "no session key");
}

static SECURITY_STATUS send_authenticate(struct slice mic)
{
    return side_leg(&subject,
                    wire_response(SPNEGO_ACCEPT_INCOMPLETE, NONE, side_token(&ntlm), mic));
}

/* The acceptor's own mechListMIC, made over the same list. */
static bool completed(const char *what)
{
    struct spnego_response answer;
    if (!answered(&answer, SPNEGO_ACCEPT_COMPLETED, what)) return false;
    ok(!answer.mech.data, "%s: a second choice", what); /* RFC 4178 4.2.2: in the first one only */
    ok(!answer.token.data, "%s: a token where NTLM has none", what); /* MIT's initiator minds one */
    return ok(peer_mic_check(session, mech_list, answer.mic),
              "%s: the acceptor's mechListMIC is "
              "wrong or missing",
              what);
}

/* RFC 4178 5; [OS MS-SPNG 3.3.5.1]: after the mechListMICs the cipher streams start anew and the
 * sequence numbers go on, which only a message that is made by hand can show. */
static void finish(void)
{
    uint8_t mic[16];
    if (!ok(peer_mic_make(session, mech_list, mic), "no mechListMIC")) return;
    SECURITY_STATUS status = send_authenticate((struct slice){mic, sizeof(mic)});
    ok(status == SEC_E_OK, "AUTHENTICATE: %08lx", status);
    ok(subject.attributes & ASC_RET_INTEGRITY, "attributes %08lx", subject.attributes);
    if (completed("the end")) ok(peer_talks(session, &subject.context), "no talk");
}

/* ---- complete exchanges ---- */

static void run_whole(bool ntlm_first)
{
    if (!begin()) return;
    if (reach_authenticate(ntlm_first)) finish();
    end();
}

static void test_ntlm_first(void)
{
    run_whole(true);
}

/* The optimistic token is for a mechanism that was not chosen: it is left alone. */
static void test_ntlm_second(void)
{
    run_whole(false);
}

/* RFC 4178 4.2.1: mechToken is the first mechanism's, also where it looks like one of NTLM's. */
static void test_token_of_the_second(void)
{
    const struct slice mechs[] = {example, spnego_oid_ntlm};
    struct spnego_response answer;
    if (!begin()) return;
    side_leg(&ntlm, NONE);
    SECURITY_STATUS status = side_leg(&subject, offer(mechs, 2, side_token(&ntlm), NONE));
    ok(status == SEC_I_CONTINUE_NEEDED, "the offer: %08lx", status);
    if (answered(&answer, SPNEGO_REQUEST_MIC, "the choice"))
        ok(answer.mech.size == spnego_oid_ntlm.size && !answer.token.data, "NTLM, and no token");
    end();
}

/* MIT krb5's spnego_mech.c says so of Windows' servers: a client that sends NTLM's own MIC has to
 * send a mechListMIC, too, whichever mechanism it prefers. */
static void test_mic_demanded(void)
{
    if (!begin()) return;
    if (reach_authenticate(true))
        expect_failure(&subject, send_authenticate(NONE), SEC_E_INVALID_TOKEN,
                       "without mechListMIC");
    end();
}

/* RFC 4178 5: both may leave mechListMIC out when the preferred mechanism is chosen; the streams
 * then go on from where they were, with the first message. NTLMv1 has no MIC that asks for one. */
static void test_no_mic_first(void)
{
    static struct saved_value level;
    const DWORD v1 = 2;
    struct spnego_response answer;
    if (!ours_only() || !have_account) return;
    value_save(&level, L"SYSTEM\\CurrentControlSet\\Control\\Lsa", L"LmCompatibilityLevel");
    value_set(&level, REG_DWORD, &v1, sizeof(v1));
    second_pass();
    if (begin() && reach_authenticate(true)) {
        SECURITY_STATUS status = send_authenticate(NONE);
        ok(status == SEC_E_OK, "AUTHENTICATE: %08lx", status);
        if (answered(&answer, SPNEGO_ACCEPT_COMPLETED, "the end")) {
            ok(!answer.mic.data, "a mechListMIC that nobody asked for");
            ok(peer_talks(session, &subject.context), "no talk");
        }
    }
    end();
    value_restore(&level);
    second_pass();
}

/* ours: what an acceptor has said so far goes along when it moves */
static void test_moved(void)
{
    for (int first = 0; first < 2; first++) {
        if (!ours_only() || !begin()) return;
        if (reach_authenticate(first) && ok(side_move(&subject, L"Negotiate"), "not moved"))
            finish();
        end();
        if (!begin()) return;
        if (!first && reach_authenticate(false) && side_move(&subject, L"Negotiate"))
            expect_failure(&subject, send_authenticate(NONE), SEC_E_INVALID_TOKEN,
                           "without mechListMIC");
        end();
    }
}

/* What Windows offers: Kerberos twice, NEGOEX, NTLM. Here NTLM alone can be chosen. */
static void test_windows_list(void)
{
    static const uint8_t negoex[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 30};
    const struct slice mechs[] = {
        spnego_oid_ms_kerberos, spnego_oid_kerberos, {negoex, sizeof(negoex)}, spnego_oid_ntlm};
    struct spnego_response answer;
    if (!ours_only() || !begin()) return;
    static const uint8_t foreign[] = {0x60, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2};
    SECURITY_STATUS status = side_leg(
        &subject, offer(mechs, 4, (struct slice){foreign, sizeof(foreign)}, NONE));
    ok(status == SEC_I_CONTINUE_NEEDED, "the offer: %08lx", status);
    if (answered(&answer, SPNEGO_REQUEST_MIC, "the choice"))
        ok(answer.mech.size == spnego_oid_ntlm.size, "the choice is not NTLM");
    end();
}

/* A peer that is not done when the acceptor is sends one more token, which says nothing; Server
 * 2025 does. It changes nothing. */
static void test_extra_leg(void)
{
    uint8_t mic[16];
    if (!ours_only() || !begin()) return;
    if (reach_authenticate(true) && peer_mic_make(session, mech_list, mic)) {
        SECURITY_STATUS status = send_authenticate((struct slice){mic, sizeof(mic)});
        ok(status == SEC_E_OK && completed("the end"), "AUTHENTICATE: %08lx", status);
        status = side_leg(&subject, wire_response(SPNEGO_ACCEPT_COMPLETED, NONE, NONE, NONE));
        ok(status == SEC_E_OK && !subject.size, "once more: %08lx, %lu bytes", status,
           subject.size);
        status = side_leg(&subject,
                          wire_response(SPNEGO_ACCEPT_INCOMPLETE, NONE, side_token(&ntlm), NONE));
        ok(status == SEC_E_OUT_OF_SEQUENCE, "AUTHENTICATE again: %08lx", status);
        ok(side_move(&subject, L"Negotiate"), "not moved");
        status = side_leg(&subject, wire_response(SPNEGO_ACCEPT_COMPLETED, NONE, NONE, NONE));
        ok(status == SEC_E_OK && !subject.size, "moved: %08lx, %lu bytes", status, subject.size);
        ok(peer_talks(session, &subject.context), "no talk");
    }
    end();
}

/* ---- mechListMIC that is wrong ---- */

enum wrong_mic {
    MIC_MISSING,
    MIC_EMPTY,
    MIC_SHORT,
    MIC_LONG,
    MIC_OTHER_DIRECTION,
    MIC_SEALED,
    MIC_OTHER_LIST,
    MIC_LIST_CONTENT,
    MIC_SECOND,
    MIC_IS_TOKEN,
    MIC_KINDS
};

static const char *const mic_names[MIC_KINDS] = {
    "no MIC",
    "an empty MIC",
    "a MIC cut short",
    "a MIC too long",
    "the key of the other direction",
    "sealed, not signed",
    "over another list",
    "over the content of the list",
    "with sequence number 1",
    "equal to the token",
};

/* room holds what is made. */
static struct slice make_wrong_mic(enum wrong_mic kind, uint8_t room[512])
{
    struct slice list = mech_list;
    uint8_t copy[256];
    struct peer_session *other;
    memset(room, 0, 17);
    memcpy(copy, list.data, list.size);
    switch (kind) {
    case MIC_MISSING: return NONE;
    case MIC_EMPTY: return (struct slice){room, 0};
    case MIC_IS_TOKEN: return side_token(&ntlm);
    case MIC_OTHER_DIRECTION:
        other = peer_session_create(&ntlm.context, true, side_token(&ntlm));
        ok(other && peer_mic_make(other, list, room), "no MIC of the other direction");
        peer_session_free(other);
        return (struct slice){room, 16};
    case MIC_SEALED:
        ok(peer_seal(session, copy, list.size, room), "not sealed");
        return (struct slice){room, 16};
    case MIC_OTHER_LIST: copy[list.size - 1] ^= 1; break;
    case MIC_LIST_CONTENT:
        memmove(copy, copy + 2, list.size - 2);
        list.size -= 2;
        break;
    case MIC_SECOND: ok(peer_mic_make(session, list, room), "no first MIC"); break;
    default: break;
    }
    list.data = copy;
    ok(peer_mic_make(session, list, room), "no MIC");
    return (struct slice){room, kind == MIC_SHORT ? 15 : kind == MIC_LONG ? 17 : 16};
}

static SECURITY_STATUS mic_status(enum wrong_mic kind)
{
    bool absent = kind == MIC_MISSING || kind == MIC_IS_TOKEN;
    return absent ? SEC_E_INVALID_TOKEN : SEC_E_MESSAGE_ALTERED;
}

/* One that repeats the token counts as none: RFC 4178 appendix C. */
static void run_wrong_mic(enum wrong_mic kind, bool ntlm_first)
{
    uint8_t room[512];
    if (!begin()) return;
    if (reach_authenticate(ntlm_first)) {
        struct slice mic = make_wrong_mic(kind, room);
        SECURITY_STATUS status = send_authenticate(mic);
        expect_failure(&subject, status, mic_status(kind), mic_names[kind]);
        if (status < 0) {
            /* The mechanism has gone on; there is no second try. */
            status = send_authenticate(NONE);
            ok(status < 0, "%s, again: %08lx", mic_names[kind], status);
        }
    }
    end();
}

static void test_wrong_mic_first(void)
{
    for (int kind = 0; kind < MIC_KINDS; kind++) run_wrong_mic((enum wrong_mic)kind, true);
}

static void test_wrong_mic_second(void)
{
    for (int kind = 0; kind < MIC_KINDS; kind++) run_wrong_mic((enum wrong_mic)kind, false);
}

/* Each bit but those of the version: all 16 bytes count. */
static void test_mic_bits(void)
{
    for (int bit = 0; bit < 128; bit += 3) {
        uint8_t mic[16];
        if (!begin()) return;
        if (reach_authenticate(true) && ok(peer_mic_make(session, mech_list, mic), "no MIC")) {
            mic[bit / 8] ^= (uint8_t)(1 << bit % 8);
            SECURITY_STATUS status = send_authenticate((struct slice){mic, sizeof(mic)});
            expect_failure(&subject, status, SEC_E_MESSAGE_ALTERED, "a changed bit");
        }
        end();
    }
}

/* Before there is a key there can be no mechListMIC. */
static void test_mic_too_early(void)
{
    static const uint8_t mic[16] = {1};
    if (!begin()) return;
    side_leg(&ntlm, NONE);
    SECURITY_STATUS status = side_leg(
        &subject, offer(&spnego_oid_ntlm, 1, side_token(&ntlm), (struct slice){mic, sizeof(mic)}));
    expect_failure(&subject, status, SEC_E_INVALID_TOKEN, "with NEGOTIATE");
    end();
}

/* Somebody on the way took a mechanism off the list: the lists that the two sides sign differ. */
static void test_list_changed_on_the_way(void)
{
    const struct slice sent[] = {spnego_oid_ntlm, example};
    uint8_t mic[16], whole[256];
    struct writer w;
    if (!begin()) return;
    if (reach_authenticate(true)) {
        writer_init_fixed(&w, whole, sizeof(whole));
        spnego_mech_list_encode(&w, sent, 2);
        ok(peer_mic_make(session, writer_view(&w), mic), "no MIC");
        SECURITY_STATUS status = send_authenticate((struct slice){mic, sizeof(mic)});
        expect_failure(&subject, status, SEC_E_MESSAGE_ALTERED, "another list");
    }
    end();
}

/* ---- first tokens ---- */

/* [OS MS-SPNG 3.2.5.2] an acceptor that speaks first sends NegTokenInit2 */
static void test_hints(void)
{
    static const char name[] = "not_defined_in_RFC4178@please_ignore";
    struct spnego_init hints;
    if (!begin()) return;
    SECURITY_STATUS status = side_leg(&subject, NONE);
    ok(status == SEC_I_CONTINUE_NEEDED, "no token: %08lx", status);
    ok(spnego_init_decode(side_token(&subject), &hints) == SEC_E_OK, "no NegTokenInit2");
    ok(hints.hint_name.size == sizeof(name) - 1 && !memcmp(hints.hint_name.data, name, 36), "name");
    ok(hints.mech_count >= 1 && !hints.token.data && !hints.mic.data, "parts");
    struct slice last = hints.mechs[hints.mech_count - 1];
    ok(last.size == spnego_oid_ntlm.size && !memcmp(last.data, spnego_oid_ntlm.data, last.size),
       "NTLM is not the last");
    if (reach_authenticate(true)) finish();
    end();
}

/* [D microsoft-negotiate], [CI sspilib] NTLM without SPNEGO is answered in kind */
static void test_raw_ntlm(void)
{
    if (!begin()) return;
    side_leg(&ntlm, NONE);
    SECURITY_STATUS status = side_leg(&subject, side_token(&ntlm));
    ok(status == SEC_I_CONTINUE_NEEDED, "NEGOTIATE: %08lx", status);
    ok(spnego_kind(side_token(&subject), NULL) == SPNEGO_RAW_NTLM, "no CHALLENGE");
    status = side_leg(&ntlm, side_token(&subject));
    ok(status == SEC_E_OK, "our NTLM: %08lx", status);
    session = peer_session_create(&ntlm.context, false, side_token(&ntlm));
    status = side_leg(&subject, side_token(&ntlm));
    ok(status == SEC_E_OK && !subject.size, "AUTHENTICATE: %08lx, %lu bytes", status, subject.size);
    if (ok(session != NULL, "no session")) ok(peer_talks(session, &subject.context), "no talk");
    end();
}

static void expect_refused(struct slice token, const char *what)
{
    if (!begin()) return;
    SECURITY_STATUS status = side_leg(&subject, token);
    expect_failure(&subject, status, SEC_E_INVALID_TOKEN, what);
    ok(!context_present(&subject.context), "%s: a context", what);
    end();
}

static void test_refused_first_tokens(void)
{
    static const uint8_t krb5[] = {0x60, 13,   6, 9, 0x2a, 0x86, 0x48, 0x86,
                                   0xf7, 0x12, 1, 2, 2,    1,    0};
    static const uint8_t authenticate[] = "NTLMSSP\0\3\0\0";
    static const uint8_t noise[] = "what is this";
    struct slice many[SPNEGO_MECHS_MAX];
    for (size_t i = 0; i < SPNEGO_MECHS_MAX; i++) many[i] = example;
    expect_refused((struct slice){krb5, sizeof(krb5)}, "Kerberos without SPNEGO");
    expect_refused((struct slice){authenticate, sizeof(authenticate)}, "AUTHENTICATE first");
    expect_refused((struct slice){noise, sizeof(noise)}, "noise");
    expect_refused((struct slice){noise, 1}, "a byte");
    expect_refused(wire_response(SPNEGO_ACCEPT_INCOMPLETE, spnego_oid_ntlm, NONE, NONE),
                   "a NegTokenResp");
    expect_refused(offer(&example, 1, NONE, NONE), "a list without any common mechanism");
    expect_refused(offer(many, SPNEGO_MECHS_MAX, NONE, NONE), "sixteen of them");
}

/* ---- later tokens ---- */

static void run_second(struct slice token, SECURITY_STATUS expected, const char *what)
{
    uint8_t copy[512];
    if (token.size > sizeof(copy) || !begin()) return;
    memcpy(copy, token.data, token.size); /* the block of tokens is needed meanwhile */
    if (reach_authenticate(true))
        expect_failure(&subject, side_leg(&subject, (struct slice){copy, token.size}), expected,
                       what);
    end();
}

static void test_refused_later_tokens(void)
{
    static const uint8_t raw[] = "NTLMSSP\0\3\0\0\0";
    run_second(wire_response(SPNEGO_REJECT, NONE, NONE, NONE), SEC_E_LOGON_DENIED, "reject");
    run_second(wire_response(SPNEGO_ACCEPT_INCOMPLETE, example, NONE, NONE), SEC_E_INVALID_TOKEN,
               "another mechanism");
    run_second(wire_response(SPNEGO_ACCEPT_INCOMPLETE, NONE, NONE, NONE), SEC_E_INVALID_TOKEN,
               "nothing");
    run_second(wire_response(SPNEGO_ACCEPT_COMPLETED, NONE, NONE, NONE), SEC_E_INVALID_TOKEN,
               "completed too early");
    run_second(wire_response(SPNEGO_STATE_ABSENT, NONE, (struct slice){raw, sizeof(raw)}, NONE),
               SEC_E_INVALID_TOKEN, "a token that is not NTLM's");
    run_second((struct slice){raw, sizeof(raw)}, SEC_E_INVALID_TOKEN, "NTLM without SPNEGO");
    run_second(offer(&spnego_oid_ntlm, 1, NONE, NONE), SEC_E_INVALID_TOKEN, "another offer");
    run_second(NONE, SEC_E_INVALID_TOKEN, "no token");
}

/* All is right but that the initiator names a mechanism, which is not its to do any more. */
static void test_other_mechanism_later(void)
{
    uint8_t mic[16];
    for (int same = 0; same < 2; same++) {
        if (!begin()) return;
        if (reach_authenticate(true) && peer_mic_make(session, mech_list, mic)) {
            SECURITY_STATUS status = side_leg(
                &subject, wire_response(SPNEGO_ACCEPT_INCOMPLETE, same ? spnego_oid_ntlm : example,
                                        side_token(&ntlm), (struct slice){mic, 16}));
            if (same) ok(status == SEC_E_OK, "the chosen one: %08lx", status);
            else expect_failure(&subject, status, SEC_E_INVALID_TOKEN, "another");
        }
        end();
    }
}

/* ---- damage ---- */

static struct slice keep(struct slice token, uint8_t *room, size_t capacity)
{
    if (token.size > capacity) token.size = 0;
    memcpy(room, token.data, token.size);
    return (struct slice){room, token.size};
}

/* The offer cut at every byte and changed in every byte: an error, or an answer as to any other. */
static void test_broken_offer(void)
{
    uint8_t whole[512];
    if (!begin()) return;
    side_leg(&ntlm, NONE);
    struct slice token = keep(offer(&spnego_oid_ntlm, 1, side_token(&ntlm), NONE), whole, 512);
    for (ULONG size = 1; size < token.size; size++) {
        SECURITY_STATUS status = side_leg(&subject, (struct slice){whole, size});
        ok(status < 0 && !context_present(&subject.context), "%lu bytes: %08lx", size, status);
    }
    for (ULONG at = 0; at < token.size; at++) {
        for (unsigned change = 1; change < 256; change = change * 2 + 1) {
            whole[at] ^= (uint8_t)change;
            SECURITY_STATUS status = side_leg(&subject, token);
            whole[at] ^= (uint8_t)change;
            ok(status < 0 || status == SEC_I_CONTINUE_NEEDED, "byte %lu ^ %02x: %08lx", at, change,
               status);
            ok((status < 0) == !context_present(&subject.context), "byte %lu: a context", at);
            if (status >= 0) DeleteSecurityContext(&subject.context);
            context_forget(&subject.context);
        }
    }
    ok(side_leg(&subject, token) == SEC_I_CONTINUE_NEEDED, "as it was");
    end();
}

/* ours: a token that does not decode leaves the context where it was, so it can be cut at every
 * byte and then come whole. */
static void test_cut_answer(void)
{
    uint8_t whole[4096], mic[16];
    if (!ours_only() || !begin()) return;
    if (reach_authenticate(true) && peer_mic_make(session, mech_list, mic)) {
        struct slice token = keep(wire_response(SPNEGO_ACCEPT_INCOMPLETE, NONE, side_token(&ntlm),
                                                (struct slice){mic, 16}),
                                  whole, sizeof(whole));
        for (ULONG size = 0; size < token.size; size++) {
            SECURITY_STATUS status = side_leg(&subject, (struct slice){whole, size});
            ok(status == SEC_E_INVALID_TOKEN, "%lu bytes: %08lx", size, status);
        }
        SECURITY_STATUS status = side_leg(&subject, token);
        ok(status == SEC_E_OK && completed("whole"), "whole: %08lx", status);
        ok(peer_talks(session, &subject.context), "no talk");
    }
    end();
}

static SECURITY_STATUS send_changed(ULONG at, ULONG *size)
{
    uint8_t whole[4096], mic[16];
    if (!peer_mic_make(session, mech_list, mic)) return SEC_E_OK;
    struct slice token = keep(
        wire_response(SPNEGO_ACCEPT_INCOMPLETE, NONE, side_token(&ntlm), (struct slice){mic, 16}),
        whole, sizeof(whole));
    whole[at] ^= (uint8_t)(1 << at % 8);
    *size = (ULONG)token.size;
    return side_leg(&subject, token);
}

/* One bit of the last token is changed: nothing of it but the state is without protection. */
static void test_changed_answer(void)
{
    int accepted = 0;
    ULONG size = 1;
    for (ULONG at = 0; at < size; at++) {
        if (!begin()) return;
        SECURITY_STATUS status = reach_authenticate(true) ? send_changed(at, &size) : SEC_E_OK;
        if (status < 0) ok(!side_seals(&subject), "byte %lu: the context seals", at);
        else accepted++;
        end();
    }
    ok(size > 100 && accepted <= 1, "%d of %lu changed tokens were accepted", accepted, size);
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_ntlm_first);
    RUN(test_ntlm_second);
    RUN(test_token_of_the_second);
    RUN(test_mic_demanded);
    RUN(test_no_mic_first);
    RUN(test_moved);
    RUN(test_windows_list);
    RUN(test_extra_leg);
    RUN(test_wrong_mic_first);
    RUN(test_wrong_mic_second);
    RUN(test_mic_bits);
    RUN(test_mic_too_early);
    RUN(test_list_changed_on_the_way);
    RUN(test_hints);
    RUN(test_raw_ntlm);
    RUN(test_refused_first_tokens);
    RUN(test_refused_later_tokens);
    RUN(test_other_mechanism_later);
    RUN(test_broken_offer);
    RUN(test_cut_answer);
    RUN(test_changed_answer);
    if (have_account) account_remove(&account);
    return test_end("api_spnego_accept");
}
