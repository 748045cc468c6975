/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package Negotiate as initiator, the test itself being the acceptor: which mechanism it
 * chooses, with which tokens and with which mechListMIC, right and wrong. RFC 4178 4.2 and 5 and
 * MS-SPNG 3.2 say what has to happen; which error a wrong message gives is ours, and on Windows
 * any will do. NTLM is the only mechanism here: "!Kerberos" leaves it in SPNEGO ([CI sspilib]).
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
    const struct sides_options options = {.server_package = L"NTLM",
                                          .account = have_account ? &account : NULL,
                                          .client_list = L"!Kerberos"};
    session = NULL;
    return sides_open(&subject, &ntlm, &options);
}

static void end(void)
{
    peer_session_free(session);
    sides_close(&subject, &ntlm);
}

/* The offer with the optimistic token of NTLM, and our CHALLENGE, which is then ntlm's token. */
static bool reach_challenge(void)
{
    struct spnego_init init;
    SECURITY_STATUS status = side_leg(&subject, NONE);
    if (!ok(status == SEC_I_CONTINUE_NEEDED, "the offer: %08lx", status)) return false;
    if (!ok(spnego_init_decode(side_token(&subject), &init) == SEC_E_OK, "no NegTokenInit"))
        return false;
    ok(!init.mic.data && !init.hint_name.data, "what only others send");
    if (!ok(init.mechs[0].size == spnego_oid_ntlm.size &&
                !memcmp(init.mechs[0].data, spnego_oid_ntlm.data, init.mechs[0].size),
            "NTLM is not the first"))
        return false;
    if (init.mech_list.size > sizeof(list_bytes)) return false;
    memcpy(list_bytes, init.mech_list.data, init.mech_list.size);
    mech_list = (struct slice){list_bytes, init.mech_list.size};
    status = side_leg(&ntlm, init.token);
    return ok(status == SEC_I_CONTINUE_NEEDED, "our NTLM: %08lx", status);
}

static SECURITY_STATUS send_challenge(enum spnego_state state)
{
    return side_leg(&subject, wire_response(state, spnego_oid_ntlm, side_token(&ntlm), NONE));
}

/* Takes AUTHENTICATE and the initiator's mechListMIC. */
static bool take_authenticate(void)
{
    struct spnego_response answer;
    if (!ok(spnego_response_decode(side_token(&subject), &answer) == SEC_E_OK, "no NegTokenResp"))
        return false;
    ok(answer.state == SPNEGO_ACCEPT_INCOMPLETE || answer.state == SPNEGO_STATE_ABSENT, "state %d",
       answer.state);
    ok(!answer.mech.data, "initiators choose nothing");
    SECURITY_STATUS status = side_leg(&ntlm, answer.token);
    if (!ok(status == SEC_E_OK, "our NTLM: %08lx", status)) return false;
    session = peer_session_create(&ntlm.context, true, answer.token);
    if (!ok(session != NULL, "no session key")) return false;
    return ok(peer_mic_check(session, mech_list, answer.mic),
              "the initiator's mechListMIC is wrong or missing");
}

/* As far as our last token, which the caller makes. */
static bool reach_end(enum spnego_state first_state)
{
    if (!reach_challenge()) return false;
    SECURITY_STATUS status = send_challenge(first_state);
    return ok(status == SEC_I_CONTINUE_NEEDED, "CHALLENGE: %08lx", status) && take_authenticate();
}

static SECURITY_STATUS send_end(enum spnego_state state, struct slice mic)
{
    return side_leg(&subject, wire_response(state, NONE, NONE, mic));
}

/* ---- complete exchanges ---- */

/* [CI sspilib] the last leg takes the mechListMIC and has nothing to send. [OS MS-SPNG 3.3.5.1]:
 * the streams start anew, the sequence numbers go on, as messages made by hand show. */
static void run_whole(enum spnego_state first_state)
{
    uint8_t mic[16];
    if (!begin()) return;
    if (reach_end(first_state) && ok(peer_mic_make(session, mech_list, mic), "no MIC")) {
        ok(!side_seals(&subject), "sealing before the acceptor is done");
        SECURITY_STATUS status = send_end(SPNEGO_ACCEPT_COMPLETED, (struct slice){mic, 16});
        ok(status == SEC_E_OK && !subject.size, "the end: %08lx, %lu bytes", status, subject.size);
        ok(subject.attributes & ISC_RET_INTEGRITY, "attributes %08lx", subject.attributes);
        if (!status) ok(peer_talks(session, &subject.context), "no talk");
    }
    end();
}

static void test_whole(void)
{
    run_whole(SPNEGO_ACCEPT_INCOMPLETE);
}

/* RFC 4178 4.2.2: the first answer may ask for mechListMIC */
static void test_request_mic(void)
{
    run_whole(SPNEGO_REQUEST_MIC);
}

/* Older acceptors leave negState out. */
static void test_no_state(void)
{
    run_whole(SPNEGO_STATE_ABSENT);
}

/* RFC 4178 5: with the mechanism that it wanted most the initiator does without the acceptor's. */
static void test_no_mic(void)
{
    if (!ours_only() || !begin()) return;
    if (reach_end(SPNEGO_ACCEPT_INCOMPLETE)) {
        SECURITY_STATUS status = send_end(SPNEGO_ACCEPT_COMPLETED, NONE);
        ok(status == SEC_E_OK && !subject.size, "the end: %08lx, %lu bytes", status, subject.size);
    }
    end();
}

/* mechListMIC needs integrity whether the program wants any or not; [H sspi.h] NO_INTEGRITY is how
 * a program says that it wants none. */
static void test_flags(void)
{
    struct spnego_response answer;
    static const ULONG flags[] = {0, ISC_REQ_NO_INTEGRITY};
    if (!ours_only()) return;
    for (int i = 0; i < 2; i++) {
        if (!begin()) return;
        subject.flags = flags[i];
        ntlm.flags = 0;
        if (reach_challenge()) {
            ok(send_challenge(SPNEGO_ACCEPT_INCOMPLETE) == SEC_I_CONTINUE_NEEDED, "CHALLENGE");
            ok(spnego_response_decode(side_token(&subject), &answer) == SEC_E_OK, "no answer");
            ok(!answer.mic.data == (i == 1), "flags %lx: a mechListMIC or none", flags[i]);
            SECURITY_STATUS status = send_end(SPNEGO_ACCEPT_COMPLETED, NONE);
            ok(status == SEC_E_OK, "flags %lx: %08lx", flags[i], status);
            ok(!(subject.attributes & ISC_RET_INTEGRITY) == (i == 1), "flags %lx: %08lx", flags[i],
               subject.attributes);
        }
        end();
    }
}

/* Server 2025 answers AUTHENTICATE with accept-incomplete and its mechListMIC, and waits for one
 * token more. */
static void run_incomplete(bool moved)
{
    struct spnego_response answer;
    uint8_t mic[16];
    if (!begin()) return;
    bool ready = reach_end(SPNEGO_ACCEPT_INCOMPLETE);
    if (ready && moved) ready = ok(side_move(&subject, L"Negotiate"), "not moved");
    if (ready && peer_mic_make(session, mech_list, mic)) {
        SECURITY_STATUS status = send_end(SPNEGO_ACCEPT_INCOMPLETE, (struct slice){mic, 16});
        ok(status >= 0, "the end: %08lx", status);
        ok(spnego_response_decode(side_token(&subject), &answer) == SEC_E_OK, "nothing is sent");
        ok(!answer.token.data && !answer.mic.data && answer.state != SPNEGO_REJECT, "what is sent");
        if (status == SEC_I_CONTINUE_NEEDED) status = send_end(SPNEGO_ACCEPT_COMPLETED, NONE);
        ok(status == SEC_E_OK, "in the end: %08lx", status);
        if (!status) ok(peer_talks(session, &subject.context), "no talk");
        /* and when the acceptor has the last word nevertheless; a context that was moved and is
         * done has no more legs */
        if (running_on_ours() && !moved) {
            status = send_end(SPNEGO_ACCEPT_COMPLETED, NONE);
            ok(status == SEC_E_OK && !subject.size, "once more: %08lx", status);
        }
    }
    end();
}

static void test_incomplete_with_mic(void)
{
    run_incomplete(false);
}

/* ours: an initiator that moves has sent its mechListMIC and does not send it again */
static void test_moved(void)
{
    if (ours_only()) run_incomplete(true);
}

/* The reverse: accept-incomplete that says nothing, then the mechListMIC. */
static void test_incomplete_without_mic(void)
{
    struct spnego_response answer;
    uint8_t mic[16];
    if (!ours_only() || !begin()) return;
    if (reach_end(SPNEGO_ACCEPT_INCOMPLETE) && peer_mic_make(session, mech_list, mic)) {
        SECURITY_STATUS status = send_end(SPNEGO_ACCEPT_INCOMPLETE, NONE);
        ok(status == SEC_I_CONTINUE_NEEDED, "nothing said: %08lx", status);
        ok(spnego_response_decode(side_token(&subject), &answer) == SEC_E_OK, "nothing is sent");
        status = send_end(SPNEGO_ACCEPT_COMPLETED, (struct slice){mic, 16});
        ok(status == SEC_E_OK && !subject.size, "the end: %08lx", status);
        if (!status) ok(peer_talks(session, &subject.context), "no talk");
    }
    end();
}

/* It cannot go on like that. */
static void test_incomplete_for_ever(void)
{
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    if (!ours_only() || !begin()) return;
    if (reach_end(SPNEGO_ACCEPT_INCOMPLETE)) {
        for (int leg = 0; leg < 3 && status >= 0; leg++)
            status = send_end(SPNEGO_ACCEPT_INCOMPLETE, NONE);
        expect_failure(&subject, status, SEC_E_INVALID_TOKEN, "accept-incomplete for ever");
    }
    end();
}

/* RFC 4178 appendix C: peers older than it repeat the token in the place of mechListMIC */
static void test_repeated_token(void)
{
    if (!ours_only() || !begin()) return;
    if (reach_challenge()) {
        SECURITY_STATUS status = side_leg(&subject,
                                          wire_response(SPNEGO_ACCEPT_INCOMPLETE, spnego_oid_ntlm,
                                                        side_token(&ntlm), side_token(&ntlm)));
        ok(status == SEC_I_CONTINUE_NEEDED, "CHALLENGE twice: %08lx", status);
        if (status >= 0 && take_authenticate()) {
            status = send_end(SPNEGO_ACCEPT_COMPLETED, NONE);
            ok(status == SEC_E_OK, "the end: %08lx", status);
        }
    }
    end();
}

/* ---- mechListMIC that is wrong ---- */

static void run_wrong_mic(const char *what, struct slice mic, SECURITY_STATUS expected)
{
    SECURITY_STATUS status = send_end(SPNEGO_ACCEPT_COMPLETED, mic);
    expect_failure(&subject, status, expected, what);
    /* The mechanism has gone on; there is no second try. */
    status = send_end(SPNEGO_ACCEPT_COMPLETED, NONE);
    ok(status < 0, "%s, again: %08lx", what, status);
    end();
}

static void test_wrong_mic(void)
{
    uint8_t mic[17] = {0}, copy[256];
    if (!begin() || !reach_end(SPNEGO_REQUEST_MIC)) return;
    run_wrong_mic("none, though it was asked for", NONE, SEC_E_INVALID_TOKEN);

    if (!begin() || !reach_end(SPNEGO_ACCEPT_INCOMPLETE)) return;
    run_wrong_mic("an empty one", (struct slice){mic, 0}, SEC_E_MESSAGE_ALTERED);

    for (int size = 15; size <= 17; size += 2) {
        if (!begin() || !reach_end(SPNEGO_ACCEPT_INCOMPLETE)) return;
        ok(peer_mic_make(session, mech_list, mic), "no MIC");
        run_wrong_mic("one of another size", (struct slice){mic, (size_t)size},
                      SEC_E_MESSAGE_ALTERED);
    }

    if (!begin() || !reach_end(SPNEGO_ACCEPT_INCOMPLETE)) return;
    memcpy(copy, mech_list.data, mech_list.size);
    ok(peer_seal(session, copy, mech_list.size, mic), "not sealed");
    run_wrong_mic("sealed, not signed", (struct slice){mic, 16}, SEC_E_MESSAGE_ALTERED);

    if (!begin() || !reach_end(SPNEGO_ACCEPT_INCOMPLETE)) return;
    memcpy(copy, mech_list.data, mech_list.size);
    copy[mech_list.size - 1] ^= 1;
    ok(peer_mic_make(session, (struct slice){copy, mech_list.size}, mic), "no MIC");
    run_wrong_mic("over another list", (struct slice){mic, 16}, SEC_E_MESSAGE_ALTERED);

    if (!begin() || !reach_end(SPNEGO_ACCEPT_INCOMPLETE)) return;
    ok(peer_mic_make(session, mech_list, mic) && peer_mic_make(session, mech_list, mic), "no MIC");
    run_wrong_mic("with sequence number 1", (struct slice){mic, 16}, SEC_E_MESSAGE_ALTERED);
}

/* The initiator's own mechListMIC sent back to it: the key of the other direction. */
static void test_reflected_mic(void)
{
    struct spnego_response answer;
    uint8_t mic[16];
    if (!begin()) return;
    if (reach_challenge() && send_challenge(SPNEGO_ACCEPT_INCOMPLETE) == SEC_I_CONTINUE_NEEDED &&
        ok(spnego_response_decode(side_token(&subject), &answer) == SEC_E_OK, "no answer") &&
        ok(answer.mic.size == sizeof(mic), "no mechListMIC")) {
        memcpy(mic, answer.mic.data, sizeof(mic));
        SECURITY_STATUS status = send_end(SPNEGO_ACCEPT_COMPLETED, (struct slice){mic, 16});
        expect_failure(&subject, status, SEC_E_MESSAGE_ALTERED, "its own");
    }
    end();
}

static void test_mic_bits(void)
{
    for (int bit = 0; bit < 128; bit += 3) {
        uint8_t mic[16];
        if (!begin()) return;
        if (reach_end(SPNEGO_ACCEPT_INCOMPLETE) && peer_mic_make(session, mech_list, mic)) {
            mic[bit / 8] ^= (uint8_t)(1 << bit % 8);
            SECURITY_STATUS status = send_end(SPNEGO_ACCEPT_COMPLETED, (struct slice){mic, 16});
            expect_failure(&subject, status, SEC_E_MESSAGE_ALTERED, "a changed bit");
        }
        end();
    }
}

/* ---- answers to the offer ---- */

static void run_first(struct slice token, SECURITY_STATUS expected, const char *what)
{
    uint8_t copy[4096];
    if (token.size > sizeof(copy)) token.size = 0;
    memcpy(copy, token.data, token.size); /* the block of tokens is needed meanwhile */
    if (!begin()) return;
    if (reach_challenge())
        expect_failure(&subject, side_leg(&subject, (struct slice){copy, token.size}), expected,
                       what);
    end();
}

static void test_refused_answers(void)
{
    static const uint8_t noise[] = "NTLMSSP\0\2\0\0\0 and no more";
    const struct slice bytes = {noise, sizeof(noise)};
    run_first(wire_response(SPNEGO_REJECT, NONE, NONE, NONE), SEC_E_LOGON_DENIED, "reject");
    run_first(wire_response(SPNEGO_ACCEPT_INCOMPLETE, example, NONE, NONE), SEC_E_INVALID_TOKEN,
              "a mechanism that was not offered");
    run_first(wire_response(SPNEGO_ACCEPT_INCOMPLETE, spnego_oid_kerberos, bytes, NONE),
              SEC_E_INVALID_TOKEN, "another that was not offered, with a token");
    run_first(wire_response(SPNEGO_ACCEPT_COMPLETED, spnego_oid_ntlm, NONE, NONE),
              SEC_E_INVALID_TOKEN, "completed before NTLM is");
    run_first(wire_response(SPNEGO_ACCEPT_INCOMPLETE, spnego_oid_ntlm, NONE, NONE),
              SEC_E_INVALID_TOKEN, "no CHALLENGE");
    run_first(wire_response(SPNEGO_ACCEPT_INCOMPLETE, spnego_oid_ntlm, bytes, NONE),
              SEC_E_INVALID_TOKEN, "no good CHALLENGE");
    run_first(wire_response(SPNEGO_STATE_ABSENT, NONE, NONE, NONE), SEC_E_INVALID_TOKEN, "nothing");
    run_first(bytes, SEC_E_INVALID_TOKEN, "NTLM without SPNEGO");
    struct spnego_init offer = {.mechs = {spnego_oid_ntlm}, .mech_count = 1};
    run_first(wire_init(&offer), SEC_E_INVALID_TOKEN, "an offer");
    run_first(NONE, SEC_E_INVALID_TOKEN, "no token");
}

/* Done before its time: AUTHENTICATE would have to go out to an acceptor that reads no more. */
static void test_completed_with_challenge(void)
{
    if (!begin()) return;
    if (reach_challenge())
        expect_failure(&subject, send_challenge(SPNEGO_ACCEPT_COMPLETED), SEC_E_INVALID_TOKEN,
                       "completed");
    end();
}

/* A choice is made once; it may be repeated and not be changed. */
static void test_second_choice(void)
{
    uint8_t mic[16];
    for (int again = 0; again < 2; again++) {
        if (!begin()) return;
        if (reach_end(SPNEGO_ACCEPT_INCOMPLETE) && peer_mic_make(session, mech_list, mic)) {
            SECURITY_STATUS status = side_leg(
                &subject, wire_response(SPNEGO_ACCEPT_COMPLETED, again ? spnego_oid_ntlm : example,
                                        NONE, (struct slice){mic, 16}));
            if (again) ok(status == SEC_E_OK, "the same: %08lx", status);
            else expect_failure(&subject, status, SEC_E_INVALID_TOKEN, "another");
        }
        end();
    }
}

/* A refusal after AUTHENTICATE: wrong password, as many acceptors say it. */
static void test_reject_in_the_end(void)
{
    if (!begin()) return;
    if (reach_end(SPNEGO_ACCEPT_INCOMPLETE))
        expect_failure(&subject, send_end(SPNEGO_REJECT, NONE), SEC_E_LOGON_DENIED, "reject");
    end();
}

/* ---- hints ---- */

/* [OS MS-SPNG 3.2.5.2] NegTokenInit2 tells the initiator what there is to choose from */
static void run_hints(const struct slice *mechs, size_t count, SECURITY_STATUS expected)
{
    static const char name[] = "not_defined_in_RFC4178@please_ignore";
    struct spnego_init hints = {.mech_count = count, .hint_name = {(const uint8_t *)name, 36}};
    struct spnego_init offer;
    memcpy(hints.mechs, mechs, count * sizeof(*mechs));
    if (!begin()) return;
    SECURITY_STATUS status = side_leg(&subject, wire_init(&hints));
    ok(status == expected, "%lu hints: %08lx", (ULONG)count, status);
    if (status >= 0) {
        ok(spnego_init_decode(side_token(&subject), &offer) == SEC_E_OK, "no offer");
        ok(offer.mech_count == 1 && offer.token.data, "%lu mechanisms", (ULONG)offer.mech_count);
    } else ok(!context_present(&subject.context), "a context");
    end();
}

static void test_hints(void)
{
    const struct slice several[] = {spnego_oid_ms_kerberos, spnego_oid_kerberos, example,
                                    spnego_oid_ntlm};
    run_hints(several, 4, SEC_I_CONTINUE_NEEDED);
    if (!ours_only()) return;
    run_hints(several, 3, SEC_E_NO_CREDENTIALS);
}

/* What acceptors may not begin with. */
static void test_wrong_hints(void)
{
    static const uint8_t raw[] = "NTLMSSP\0\2\0\0\0";
    if (!ours_only()) return;
    for (int i = 0; i < 2; i++) {
        if (!begin()) return;
        SECURITY_STATUS status = side_leg(
            &subject, i ? wire_response(SPNEGO_ACCEPT_INCOMPLETE, spnego_oid_ntlm, NONE, NONE)
                        : (struct slice){raw, sizeof(raw)});
        expect_failure(&subject, status, SEC_E_INVALID_TOKEN, i ? "a NegTokenResp" : "CHALLENGE");
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

/* ours: a token that does not decode leaves the context where it was. */
static void test_cut_answers(void)
{
    uint8_t whole[4096], mic[16];
    SECURITY_STATUS status;
    if (!ours_only() || !begin()) return;
    if (!reach_challenge()) return;
    struct slice token = keep(
        wire_response(SPNEGO_ACCEPT_INCOMPLETE, spnego_oid_ntlm, side_token(&ntlm), NONE), whole,
        sizeof(whole));
    for (ULONG size = 0; size < token.size; size++) {
        status = side_leg(&subject, (struct slice){whole, size});
        ok(status == SEC_E_INVALID_TOKEN, "CHALLENGE, %lu bytes: %08lx", size, status);
    }
    status = side_leg(&subject, token);
    ok(status == SEC_I_CONTINUE_NEEDED, "CHALLENGE: %08lx", status);
    if (take_authenticate() && peer_mic_make(session, mech_list, mic)) {
        token = keep(wire_response(SPNEGO_ACCEPT_COMPLETED, NONE, NONE, (struct slice){mic, 16}),
                     whole, sizeof(whole));
        for (ULONG size = 0; size < token.size; size++) {
            status = side_leg(&subject, (struct slice){whole, size});
            ok(status == SEC_E_INVALID_TOKEN, "the end, %lu bytes: %08lx", size, status);
        }
        status = side_leg(&subject, token);
        ok(status == SEC_E_OK, "the end: %08lx", status);
        if (!status) ok(peer_talks(session, &subject.context), "no talk");
    }
    end();
}

static SECURITY_STATUS send_changed_end(ULONG at, ULONG *size)
{
    uint8_t whole[64], mic[16];
    if (!peer_mic_make(session, mech_list, mic)) return SEC_E_OK;
    struct slice token = keep(
        wire_response(SPNEGO_ACCEPT_COMPLETED, NONE, NONE, (struct slice){mic, 16}), whole,
        sizeof(whole));
    whole[at] ^= (uint8_t)(1 << at % 8);
    *size = (ULONG)token.size;
    return side_leg(&subject, token);
}

/* Nothing but the state is without protection. */
static void test_changed_end(void)
{
    int accepted = 0;
    ULONG size = 1;
    for (ULONG at = 0; at < size; at++) {
        if (!begin()) return;
        SECURITY_STATUS status = SEC_E_OK;
        if (reach_end(SPNEGO_ACCEPT_INCOMPLETE)) status = send_changed_end(at, &size);
        if (status < 0) ok(!side_seals(&subject), "byte %lu: the context seals", at);
        else accepted++;
        end();
    }
    ok(size > 20 && accepted <= 1, "%d of %lu changed tokens were accepted", accepted, size);
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_whole);
    RUN(test_request_mic);
    RUN(test_no_state);
    RUN(test_no_mic);
    RUN(test_flags);
    RUN(test_incomplete_with_mic);
    RUN(test_moved);
    RUN(test_incomplete_without_mic);
    RUN(test_incomplete_for_ever);
    RUN(test_repeated_token);
    RUN(test_wrong_mic);
    RUN(test_reflected_mic);
    RUN(test_mic_bits);
    RUN(test_refused_answers);
    RUN(test_completed_with_challenge);
    RUN(test_second_choice);
    RUN(test_reject_in_the_end);
    RUN(test_hints);
    RUN(test_wrong_hints);
    RUN(test_cut_answers);
    RUN(test_changed_end);
    if (have_account) account_remove(&account);
    return test_end("api_spnego_initiate");
}
