/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The heads of HTTP/1.1 messages (RFC 9112) as a small server and a small client need them, the
 * credentials and cookies in them, and base64. What is parsed borrows from the bytes it was
 * parsed from.
 */
#pragma once

#include "core/writer.h"

#define HTTP_HEAD_MAX 32768u
#define HTTP_BODY_MAX (1u << 20)
#define HTTP_FIELDS_MAX 64u

struct http_field {
    struct slice name, value;
};

struct http_head {
    struct slice method, target; /* of a request */
    unsigned status;             /* of an answer */
    bool persistent;             /* the connection stays open after this message */
    bool expects_continue;
    size_t body_size;
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t field_count;
};

/* The size of the head at the start of the bytes, with the empty line that ends it; 0 when its end
 * is not among them. */
size_t http_head_size(struct slice bytes);

/* 0, or the status code with which a server refuses the request, one with a body of more than
 * body_max bytes among them. bytes is the head alone; body_max is at most a tenth of what a size_t
 * holds. */
unsigned http_request_parse(struct slice bytes, size_t body_max, struct http_head *out);

/* False for what is no answer, or one whose body this client cannot delimit. */
bool http_answer_parse(struct slice bytes, struct http_head *out);

/* The first field of that name at or after *index, which then points behind it. */
bool http_field_next(const struct http_head *head, const char *name, size_t *index,
                     struct slice *value);

/* The pair of that name in the request's Cookie fields (RFC 6265 5.4). */
bool http_cookie_get(const struct http_head *head, const char *name, struct slice *value);

/* "Scheme token" (RFC 9110 11.4). A scheme alone has an empty token. */
bool http_credentials_parse(struct slice value, struct slice *scheme, struct slice *token);

/* Without regard to case. */
bool http_text_is(struct slice text, const char *word);

const char *http_reason(unsigned status);

void http_write_text(struct writer *w, const char *text);

/* Strict (RFC 4648 4): complete groups, no blanks, no bits that mean nothing. */
void base64_write(struct writer *w, struct slice bytes);
bool base64_read(struct slice text, struct writer *out);
