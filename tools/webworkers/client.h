/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A web client on SSPI in parts that can be put together in the wrong order, too: a connection,
 * a jar of cookies, and the client's side of a handshake.
 */
#pragma once

#include "http.h"

#include <winsock2.h>

#include <windows.h>

#include <security.h>

#define JAR_COOKIES 4
#define JAR_NAME_MAX 32
#define JAR_VALUE_MAX 4300

/* ---- connection ---- */

struct web {
    unsigned port;
    SOCKET socket; /* INVALID_SOCKET: connects again at the next request */
};

struct web_request {
    const char *method, *path;
    const char *scheme; /* of the Authorization field; NULL: none */
    struct slice token;
    const struct jar *jar; /* may be NULL */
    struct slice body;
};

struct web_answer {
    struct writer bytes;
    struct http_head head; /* borrows from bytes */
    struct slice body;
};

void web_open(struct web *web, unsigned port);
void web_close(struct web *web);

void web_answer_init(struct web_answer *answer);
void web_answer_clear(struct web_answer *answer);

/* Replaces what answer holds; a failure is narrated. web_send sends bytes as they are, web_ask
 * makes a request of them. */
bool web_send(struct web *web, struct slice bytes, bool bodiless, struct web_answer *answer);
bool web_ask(struct web *web, const struct web_request *request, struct web_answer *answer);

/* The token that the answer offers for a scheme; empty where the scheme is offered alone. False
 * when it is not offered. */
bool web_token(const struct web_answer *answer, const char *scheme, struct writer *token);

/* ---- cookies ---- */

struct jar {
    struct jar_cookie {
        char name[JAR_NAME_MAX], value[JAR_VALUE_MAX]; /* no name: a free place */
    } cookies[JAR_COOKIES];
};

/* Does what the answer's Set-Cookie fields say, as far as values and Max-Age=0 are concerned. */
void jar_take(struct jar *jar, const struct web_answer *answer);

/* NULL when there is none. */
struct jar_cookie *jar_find(struct jar *jar, const char *name);

/* ---- the client's side of a handshake ---- */

struct initiator {
    const char *scheme; /* also the package's name */
    const wchar_t *target;
    CredHandle credentials;
    CtxtHandle context;
    SECURITY_STATUS status; /* of the last leg of initiator_run */
};

/* identity NULL: default credentials. Close it in any case. */
SECURITY_STATUS initiator_open(struct initiator *initiator, const char *scheme,
                               const wchar_t *target, SEC_WINNT_AUTH_IDENTITY_W *identity);
void initiator_close(struct initiator *initiator);

/* The peer's token in (empty for the first leg), the own one out. */
SECURITY_STATUS initiator_leg(struct initiator *initiator, struct slice in, struct writer *out);

/* Repeats the request with tokens until the server is content or has enough; true when there is an
 * answer, whichever it is. The request's scheme, token and jar are filled in here. */
bool initiator_run(struct initiator *initiator, struct web *web, struct jar *jar,
                   const struct web_request *request, struct web_answer *answer);
