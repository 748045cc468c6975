/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See trials.h. What is refused is tried beside the same thing done right, so that it was refused
 * for what is wrong with it and for nothing else.
 */
#include "trials.h"

#include "../handover/narrate.h"
#include "../sspictl/names.h"

#include <stdlib.h>
#include <string.h>

#define HANDSHAKE "winesspi-handshake"
#define SESSION "winesspi-session"
#define REQUESTS 6
#define WORKERS 3
#define CHANGES 12
#define TARGET L"HTTP/localhost"

static bool expect_status(const char *what, const struct web_answer *answer, unsigned expected)
{
    unsigned status = answer->head.status;
    if (status != expected)
        return narrate_failure("%s: %u %s, not %u", what, status, http_reason(status), expected);
    narrate("%s: %u %s", what, status, http_reason(status));
    return true;
}

/* The value of a line of the body. */
static bool body_value(const struct web_answer *answer, const char *name, char *out, size_t size)
{
    char text[512];
    size_t length = answer->body.size < sizeof(text) - 1 ? answer->body.size : sizeof(text) - 1;
    memcpy(text, answer->body.data, length);
    text[length] = 0;
    const char *found = strstr(text, name);
    if (!found) return false;
    found += strlen(name);
    snprintf(out, size, "%.*s", (int)strcspn(found, "\n"), found);
    return true;
}

static bool expect_user(const struct trials *trials, const struct web_answer *answer)
{
    char user[256];
    if (!body_value(answer, "user: ", user, sizeof(user)) || _stricmp(user, trials->user))
        return narrate_failure("the server takes the client for somebody else");
    return true;
}

/* ---- a client in the middle of a handshake ---- */

struct half {
    struct web web;
    struct jar jar; /* with the cookie that the server gave */
    struct initiator initiator;
    struct writer token; /* the client's answer to the challenge: not sent yet */
    struct web_answer answer;
};

static void half_init(struct half *half, const struct trials *trials)
{
    memset(half, 0, sizeof(*half));
    web_open(&half->web, trials->port);
    SecInvalidateHandle(&half->initiator.credentials);
    SecInvalidateHandle(&half->initiator.context);
    writer_init(&half->token);
    web_answer_init(&half->answer);
}

static void half_clear(struct half *half)
{
    initiator_close(&half->initiator);
    writer_free(&half->token);
    web_answer_clear(&half->answer);
    web_close(&half->web);
}

static bool half_leg(struct half *half, struct slice in)
{
    writer_free(&half->token);
    writer_init(&half->token);
    SECURITY_STATUS status = initiator_leg(&half->initiator, in, &half->token);
    return status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED ||
           narrate_failure("the client's handshake: %s", status_text(status).text);
}

/* Sends the token with what is in the jar. */
static bool half_send(struct half *half, const struct jar *jar)
{
    struct web_request request = {.method = "GET",
                                  .path = "/",
                                  .scheme = half->initiator.scheme,
                                  .token = writer_view(&half->token),
                                  .jar = jar};
    return web_ask(&half->web, &request, &half->answer);
}

static bool half_open(struct half *half, const struct trials *trials, const char *scheme)
{
    struct writer challenge;
    half_init(half, trials);
    writer_init(&challenge);
    SECURITY_STATUS status = initiator_open(&half->initiator, scheme, TARGET,
                                            (SEC_WINNT_AUTH_IDENTITY_W *)&trials->identity);
    bool result = status == SEC_E_OK ||
                  narrate_failure("the client's credentials: %s", status_text(status).text);
    result = result && half_leg(half, (struct slice){NULL, 0}) && half_send(half, NULL);
    if (result) jar_take(&half->jar, &half->answer);
    result = result && (web_token(&half->answer, scheme, &challenge) ||
                        narrate_failure("the server does not go on with %s", scheme));
    result = result && half_leg(half, writer_view(&challenge));
    result = result && (jar_find(&half->jar, HANDSHAKE) || narrate_failure("there is no cookie"));
    writer_free(&challenge);
    return result;
}

/* ---- what must work ---- */

bool trials_offered(const struct trials *trials, const char *scheme)
{
    struct web web;
    struct web_answer answer;
    struct writer token;
    writer_init(&token);
    web_open(&web, trials->port);
    web_answer_init(&answer);
    bool result = web_ask(&web, &(struct web_request){.method = "GET", .path = "/"}, &answer) &&
                  answer.head.status == 401 && web_token(&answer, scheme, &token);
    web_answer_clear(&answer);
    web_close(&web);
    writer_free(&token);
    return result;
}

/* Which processes answered, by their ids. */
struct tally {
    char workers[WORKERS + 1][16];
    unsigned count;
};

static bool tally_add(struct tally *tally, const struct web_answer *answer)
{
    char worker[16];
    if (!body_value(answer, "worker: ", worker, sizeof(worker)))
        return narrate_failure("the answer does not say who made it");
    for (unsigned i = 0; i < tally->count; i++)
        if (!strcmp(tally->workers[i], worker)) return true;
    if (tally->count > WORKERS) return narrate_failure("too many processes answer");
    strcpy(tally->workers[tally->count++], worker);
    return true;
}

/* Each request with the cookie that the answer before it brought. */
static bool requests_with_cookie(const struct trials *trials, struct half *half)
{
    struct tally tally = {.count = 0};
    struct web_request request = {.method = "GET", .path = "/again", .jar = &half->jar};
    for (unsigned i = 0; i < REQUESTS; i++) {
        if (!web_ask(&half->web, &request, &half->answer)) return false;
        jar_take(&half->jar, &half->answer);
        if (half->answer.head.status != 200)
            return narrate_failure("request %u with the session's cookie: %u", i + 1,
                                   half->answer.head.status);
        if (!expect_user(trials, &half->answer) || !tally_add(&tally, &half->answer)) return false;
    }
    narrate("%u more requests, no token in any of them: %u workers knew the client", REQUESTS,
            tally.count);
    return tally.count == WORKERS || narrate_failure("it should be all %u", WORKERS);
}

bool trials_authenticate(const struct trials *trials, const char *scheme)
{
    struct half half;
    bool result = half_open(&half, trials, scheme);
    if (result)
        narrate("the client has a challenge of %s and a cookie of %lu characters", scheme,
                (unsigned long)strlen(jar_find(&half.jar, HANDSHAKE)->value));
    result = result && half_send(&half, &half.jar) &&
             expect_status("its answer, with the cookie", &half.answer, 200) &&
             expect_user(trials, &half.answer);
    if (result) {
        jar_take(&half.jar, &half.answer);
        result = !jar_find(&half.jar, HANDSHAKE) && jar_find(&half.jar, SESSION);
        if (!result) narrate_failure("the cookies are not what they should be now");
    }
    result = result && requests_with_cookie(trials, &half);
    half_clear(&half);
    return result;
}

/* ---- handshakes that must be refused ---- */

/* One character changed, here and there. The first characters name the package; behind it stands
 * the blob. Nothing of this may use up what the intact cookie stands for. */
static bool refuse_changes(struct half *half)
{
    struct jar changed = half->jar;
    char *value = jar_find(&changed, HANDSHAKE)->value;
    unsigned bad = 0, denied = 0, accepted = 0;
    size_t length = strlen(value), step = length / CHANGES + 1;
    for (size_t i = 0; i < length; i += step) {
        char before = value[i];
        value[i] = before == 'A' ? 'B' : 'A';
        if (!half_send(half, &changed)) return false;
        value[i] = before;
        if (half->answer.head.status == 400) bad++;
        else if (half->answer.head.status == 401) denied++;
        else accepted++;
    }
    narrate("the cookie with one character changed in %u places: %u times 400, %u times 401",
            bad + denied + accepted, bad, denied);
    return !accepted || narrate_failure("%u were not refused", accepted);
}

static bool refuse_replays(const struct trials *trials, const char *scheme)
{
    struct half half;
    bool result = half_open(&half, trials, scheme);
    result = result && half_send(&half, NULL) &&
             expect_status("the client's answer without the cookie", &half.answer, 400);
    result = result && refuse_changes(&half);
    result = result && half_send(&half, &half.jar) &&
             expect_status("the cookie as it was", &half.answer, 200);
    result = result && half_send(&half, &half.jar) &&
             expect_status("the same cookie and the same answer again", &half.answer, 401);
    half_clear(&half);
    return result;
}

/* An answer belongs to one challenge, and a challenge takes one answer. */
static bool refuse_strangers(const struct trials *trials, const char *scheme)
{
    struct half one, other;
    bool result = half_open(&one, trials, scheme);
    result &= half_open(&other, trials, scheme);
    result = result && half_send(&other, &one.jar) &&
             expect_status("a cookie with the answer to another challenge", &other.answer, 401);
    result = result && half_send(&one, &one.jar) &&
             expect_status("that cookie once more, with its own answer", &one.answer, 401);
    result = result && half_send(&other, &other.jar) &&
             expect_status("the other cookie with its own answer", &other.answer, 200);
    half_clear(&one);
    half_clear(&other);
    return result;
}

static bool refuse_password(const struct trials *trials, const char *scheme)
{
    struct trials wrong = *trials;
    wrong.identity.PasswordLength--;
    struct half half;
    bool result = half_open(&half, &wrong, scheme) && half_send(&half, &half.jar) &&
                  expect_status("a wrong password", &half.answer, 401);
    half_clear(&half);
    return result;
}

bool trials_handshakes(const struct trials *trials, const char *scheme)
{
    bool result = refuse_replays(trials, scheme);
    result &= refuse_strangers(trials, scheme);
    result &= refuse_password(trials, scheme);
    return result;
}

/* ---- sessions that must be refused ---- */

static bool session_ask(struct half *half, const struct jar *jar, const char *what,
                        unsigned expected)
{
    struct web_request request = {.method = "GET", .path = "/", .jar = jar};
    return web_ask(&half->web, &request, &half->answer) &&
           expect_status(what, &half->answer, expected);
}

/* The names say what a cookie is for; what it is, its content says. NTLM has no legs after the last
 * one; SPNEGO may have one more, which this token is not. */
static bool refuse_exchanged(const struct trials *trials, const char *scheme,
                             const struct jar *session)
{
    struct half half;
    bool result = half_open(&half, trials, scheme);
    struct jar_cookie *cookie = result ? jar_find(&half.jar, HANDSHAKE) : NULL;
    if (cookie) strcpy(cookie->name, SESSION);
    result = result && session_ask(&half, &half.jar, "a half-open context as a session", 400);
    struct jar exchanged = *session;
    cookie = jar_find(&exchanged, SESSION);
    if (cookie) strcpy(cookie->name, HANDSHAKE);
    result = result && half_send(&half, &exchanged) &&
             expect_status("a session as a half-open context", &half.answer,
                           strcmp(scheme, "NTLM") ? 400 : 401);
    half_clear(&half);
    return result;
}

bool trials_sessions(const struct trials *trials, const char *scheme)
{
    struct half half;
    bool result = half_open(&half, trials, scheme) && half_send(&half, &half.jar);
    if (result) jar_take(&half.jar, &half.answer);
    struct jar used = half.jar;
    result = result && session_ask(&half, &half.jar, "the session's cookie", 200);
    if (result) jar_take(&half.jar, &half.answer);
    result = result && session_ask(&half, &used, "that cookie again", 401);
    result = result && refuse_exchanged(trials, scheme, &half.jar);
    half_clear(&half);
    return result;
}

/* ---- requests that must be refused ---- */

#define HOST "Host: localhost\r\n"
#define ASK "GET / HTTP/1.1\r\n" HOST

static const struct {
    const char *what, *bytes;
    unsigned status;
} wrong_requests[] = {
    {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two hosts", ASK HOST "\r\n", 400},
    {"no version", "GET /\r\n" HOST "\r\n", 400},
    {"a version of tomorrow", "GET / HTTP/3.0\r\n" HOST "\r\n", 400},
    {"two blanks", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"bare line feeds", "GET / HTTP/1.1\nHost: localhost\r\n\r\n", 400},
    {"a blank before the colon", "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
    {"no colon", ASK "Accept\r\n\r\n", 400},
    {"a continued line", ASK "Accept: a\r\n  b\r\n\r\n", 400},
    {"a control character", ASK "Accept: \x01\r\n\r\n", 400},
    {"two lengths", ASK "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
    {"a negative length", ASK "Content-Length: -1\r\n\r\n", 400},
    {"a length and chunks", ASK "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"chunks", ASK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
    {"a body without end", ASK "Content-Length: 99999999999999999999\r\n\r\n", 413},
    {"an unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"a method in small letters", "get / HTTP/1.1\r\n" HOST "\r\n", 501},
    {"an unknown expectation", ASK "Expect: tea\r\n\r\n", 417},
    {"two proofs", ASK "Authorization: NTLM AA==\r\nAuthorization: NTLM AA==\r\n\r\n", 400},
    {"a token that is no base64", ASK "Authorization: NTLM !!!!\r\n\r\n", 400},
    {"a token that is no token", ASK "Authorization: NTLM AAAA\r\n\r\n", 400},
    {"no token", ASK "Authorization: NTLM\r\n\r\n", 400},
    {"another scheme", ASK "Authorization: Basic YTpi\r\n\r\n", 401},
    {"a cookie that is none", ASK "Cookie: " SESSION "=NTLM.AAAA\r\n\r\n", 400},
    {"a cookie of another package", ASK "Cookie: " SESSION "=Nobody.AAAA\r\n\r\n", 400},
};

static bool request_refused(const struct trials *trials, const char *what, struct slice bytes,
                            unsigned expected)
{
    struct web web;
    struct web_answer answer;
    web_open(&web, trials->port);
    web_answer_init(&answer);
    bool result = web_send(&web, bytes, false, &answer) && expect_status(what, &answer, expected);
    web_answer_clear(&answer);
    web_close(&web);
    return result;
}

/* A head of that many fields of that length. */
static bool request_long(const struct trials *trials, const char *what, unsigned fields,
                         unsigned length)
{
    struct writer w;
    writer_init(&w);
    http_write_text(&w, ASK);
    for (unsigned i = 0; i < fields; i++) {
        http_write_text(&w, "Filler: ");
        for (unsigned k = 0; k < length; k++) writer_u8(&w, 'x');
        http_write_text(&w, "\r\n");
    }
    http_write_text(&w, "\r\n");
    bool result = writer_status(&w) == SEC_E_OK &&
                  request_refused(trials, what, writer_view(&w), 431);
    writer_free(&w);
    return result;
}

bool trials_requests(const struct trials *trials)
{
    bool result = true;
    for (size_t i = 0; i < sizeof(wrong_requests) / sizeof(*wrong_requests); i++) {
        const char *bytes = wrong_requests[i].bytes;
        result &= request_refused(trials, wrong_requests[i].what,
                                  (struct slice){(const uint8_t *)bytes, strlen(bytes)},
                                  wrong_requests[i].status);
    }
    result &= request_long(trials, "a field of 100,000 characters", 1, 100000);
    result &= request_long(trials, "a thousand fields", 1000, 1);
    return result;
}
