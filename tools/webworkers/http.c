/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See http.h. What RFC 9112 lets a recipient guess at is refused here: bare line feeds, continued
 * lines, blanks around a field's name, lengths that are given twice, control characters. Whoever
 * stands between client and server can then not read the same bytes as another message. Left out:
 * chunked bodies, trailers and everything of HTTP/2.
 */
#include "http.h"

#include <string.h>

/* ---- text ---- */

static bool is_one_of(uint8_t c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* RFC 9110 5.6.2 */
static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (!is_digit(c) && !is_alpha(c) && !is_one_of(c, "!#$%&'*+-.^_`|~")) return false;
    }
    return text.size != 0;
}

/* Visible characters and bytes of other character sets; blanks where they are allowed. */
static bool is_plain(struct slice text, bool blanks)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool blank = c == ' ' || c == '\t';
        if (blank ? !blanks : c < 0x20 || c == 0x7f) return false;
    }
    return true;
}

static struct slice slice_part(struct slice text, size_t from, size_t to)
{
    return (struct slice){text.data + from, to - from};
}

static struct slice trim(struct slice text)
{
    size_t from = 0, to = text.size;
    while (from < to && is_one_of(text.data[from], " \t")) from++;
    while (to > from && is_one_of(text.data[to - 1], " \t")) to--;
    return slice_part(text, from, to);
}

/* Splits at the first such character: *head is what stands before it, *rest what follows. Without
 * one all of it is the head. */
static bool split(struct slice text, char at, struct slice *head, struct slice *rest)
{
    const uint8_t *found = text.size ? memchr(text.data, at, text.size) : NULL;
    size_t place = found ? (size_t)(found - text.data) : text.size;
    *head = slice_part(text, 0, place);
    *rest = slice_part(text, place + (found ? 1 : 0), text.size);
    return found != NULL;
}

bool http_text_is(struct slice text, const char *word)
{
    if (text.size != strlen(word)) return false;
    for (size_t i = 0; i < text.size; i++)
        if (lower(text.data[i]) != lower((uint8_t)word[i])) return false;
    return true;
}

/* ---- heads ---- */

size_t http_head_size(struct slice bytes)
{
    for (size_t i = 3; i < bytes.size; i++)
        if (!memcmp(bytes.data + i - 3, "\r\n\r\n", 4)) return i + 1;
    return 0;
}

/* The line up to the next CRLF, which is left out of it. */
static bool line_take(struct slice *text, struct slice *line)
{
    struct slice rest;
    if (!split(*text, '\n', line, &rest)) return false;
    if (!line->size || line->data[line->size - 1] != '\r') return false;
    line->size--;
    *text = rest;
    return true;
}

static bool version_parse(struct slice text, bool *persistent)
{
    *persistent = http_text_is(text, "HTTP/1.1");
    bool known = *persistent || http_text_is(text, "HTTP/1.0");
    return known && text.data[0] == 'H';
}

/* 0 or a status code: 400, or 431 for too many of them. */
static unsigned fields_parse(struct slice text, struct http_head *head)
{
    struct slice line, name, value;
    while (line_take(&text, &line)) {
        if (!line.size) return text.size ? 400 : 0;
        if (head->field_count == HTTP_FIELDS_MAX) return 431;
        if (!split(line, ':', &name, &value) || !is_token(name)) return 400;
        value = trim(value);
        if (!is_plain(value, true)) return 400;
        head->fields[head->field_count++] = (struct http_field){name, value};
    }
    return 400;
}

bool http_field_next(const struct http_head *head, const char *name, size_t *index,
                     struct slice *value)
{
    for (size_t i = *index; i < head->field_count; i++) {
        if (!http_text_is(head->fields[i].name, name)) continue;
        *value = head->fields[i].value;
        *index = i + 1;
        return true;
    }
    return false;
}

static unsigned field_count(const struct http_head *head, const char *name)
{
    struct slice value;
    unsigned count = 0;
    for (size_t i = 0; http_field_next(head, name, &i, &value);) count++;
    return count;
}

/* 0, 400, or 413 for a body that nobody here takes. */
static unsigned length_parse(struct slice text, size_t max, size_t *out)
{
    size_t length = 0;
    if (!text.size) return 400;
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i])) return 400;
        if (length <= max) length = 10 * length + (text.data[i] - '0');
    }
    *out = length;
    return length > max ? 413 : 0;
}

/* What the fields say about the body and the connection: 0 or a status code. */
static unsigned framing_parse(struct http_head *head, size_t body_max)
{
    struct slice value;
    size_t index = 0;
    if (field_count(head, "Content-Length") > 1) return 400;
    bool coded = field_count(head, "Transfer-Encoding") != 0;
    if (http_field_next(head, "Content-Length", &index, &value)) {
        unsigned refusal = coded ? 400 : length_parse(value, body_max, &head->body_size);
        if (refusal) return refusal;
    }
    if (coded) return 501;
    for (size_t i = 0; http_field_next(head, "Connection", &i, &value);) {
        struct slice option;
        while (value.size) {
            split(value, ',', &option, &value);
            if (http_text_is(trim(option), "close")) head->persistent = false;
        }
    }
    return 0;
}

unsigned http_request_parse(struct slice bytes, size_t body_max, struct http_head *out)
{
    struct http_head head = {.field_count = 0};
    struct slice line, rest, version, value;
    if (!line_take(&bytes, &line)) return 400;
    if (!split(line, ' ', &head.method, &rest) || !split(rest, ' ', &head.target, &version))
        return 400;
    if (!is_token(head.method) || !head.target.size || !is_plain(head.target, false)) return 400;
    if (!version_parse(version, &head.persistent)) return 400;
    unsigned refusal = fields_parse(bytes, &head);
    if (refusal) return refusal;
    /* RFC 9112 3.2: exactly one, except from a client that may not know it yet. */
    unsigned hosts = field_count(&head, "Host");
    if (hosts > 1 || (!hosts && head.persistent)) return 400;
    if (field_count(&head, "Authorization") > 1) return 400;
    refusal = framing_parse(&head, body_max);
    if (refusal) return refusal;
    for (size_t i = 0; http_field_next(&head, "Expect", &i, &value);) {
        if (!http_text_is(value, "100-continue")) return 417;
        head.expects_continue = true;
    }
    *out = head;
    return 0;
}

bool http_answer_parse(struct slice bytes, struct http_head *out)
{
    struct http_head head = {.field_count = 0};
    struct slice line, version, code, reason;
    if (!line_take(&bytes, &line) || !split(line, ' ', &version, &line)) return false;
    split(line, ' ', &code, &reason);
    if (!version_parse(version, &head.persistent) || code.size != 3) return false;
    for (size_t i = 0; i < code.size; i++) {
        if (!is_digit(code.data[i])) return false;
        head.status = 10 * head.status + (unsigned)(code.data[i] - '0');
    }
    if (fields_parse(bytes, &head) || framing_parse(&head, HTTP_BODY_MAX)) return false;
    *out = head;
    return true;
}

/* ---- what is in them ---- */

bool http_cookie_get(const struct http_head *head, const char *name, struct slice *value)
{
    struct slice field, pair, pair_name, pair_value;
    for (size_t i = 0; http_field_next(head, "Cookie", &i, &field);) {
        while (field.size) {
            split(field, ';', &pair, &field);
            if (!split(trim(pair), '=', &pair_name, &pair_value)) continue;
            /* Unlike the names of fields, the names of cookies have their case. */
            if (pair_name.size != strlen(name) || memcmp(pair_name.data, name, pair_name.size))
                continue;
            *value = pair_value;
            return true;
        }
    }
    return false;
}

bool http_credentials_parse(struct slice value, struct slice *scheme, struct slice *token)
{
    struct slice rest;
    split(value, ' ', scheme, &rest);
    *token = trim(rest);
    return is_token(*scheme) && is_plain(*token, false);
}

const char *http_reason(unsigned status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 417: return "Expectation Failed";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Unknown";
    }
}

void http_write_text(struct writer *w, const char *text)
{
    writer_bytes(w, text, strlen(text));
}

/* ---- base64 ---- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct writer *w, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t count = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++) group = group << 8 | (k < count ? bytes.data[i + k] : 0u);
        for (size_t k = 0; k < 4; k++) {
            uint8_t digit = (uint8_t)base64_digits[group >> (18 - 6 * k) & 63];
            writer_u8(w, k <= count ? digit : '=');
        }
    }
}

static bool base64_digit(uint8_t c, uint32_t *value)
{
    const char *found = c ? strchr(base64_digits, c) : NULL;
    if (found) *value = (uint32_t)(found - base64_digits);
    return found != NULL;
}

/* One group of four; *count is how many bytes it stands for. */
static bool base64_group(const uint8_t *text, uint32_t *group, size_t *count)
{
    size_t digits = text[3] != '=' ? 4 : text[2] != '=' ? 3 : 2;
    *group = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t value = 0;
        if (i < digits && !base64_digit(text[i], &value)) return false;
        *group = *group << 6 | value;
    }
    *count = digits - 1;
    return !(*group & (0xffffffu >> 8 * *count));
}

bool base64_read(struct slice text, struct writer *out)
{
    if (text.size % 4) return false;
    for (size_t i = 0; i < text.size; i += 4) {
        uint32_t group;
        size_t count;
        if (!base64_group(text.data + i, &group, &count)) return false;
        if (count < 3 && i + 4 != text.size) return false;
        for (size_t k = 0; k < count; k++) writer_u8(out, (uint8_t)(group >> (16 - 8 * k)));
    }
    return writer_status(out) == SEC_E_OK;
}
