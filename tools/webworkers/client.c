/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See client.h. Only as much of HTTP as the answers here need: bodies have a length. */
#include "client.h"

#include "../handover/narrate.h"
#include "../handover/sockets.h"
#include "../sspictl/names.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_PATIENCE_MS 30000
#define LEGS_MAX 8

/* ---- connection ---- */

void web_open(struct web *web, unsigned port)
{
    *web = (struct web){port, INVALID_SOCKET};
}

void web_close(struct web *web)
{
    if (web->socket != INVALID_SOCKET) closesocket(web->socket);
    web->socket = INVALID_SOCKET;
}

void web_answer_init(struct web_answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    writer_init(&answer->bytes);
}

void web_answer_clear(struct web_answer *answer)
{
    writer_free(&answer->bytes);
    web_answer_init(answer);
}

static bool web_connect(struct web *web)
{
    if (web->socket != INVALID_SOCKET) return true;
    web->socket = socket_connect(web->port);
    if (web->socket == INVALID_SOCKET) return false;
    socket_prepare(web->socket, ANSWER_PATIENCE_MS);
    return true;
}

/* The server may answer and close before it has read everything; so a failure to send is not the
 * end yet. */
static void web_push(struct web *web, struct slice bytes)
{
    while (bytes.size) {
        int count = send(web->socket, (const char *)bytes.data, (int)bytes.size, 0);
        if (count <= 0) return;
        bytes.data += count;
        bytes.size -= (size_t)count;
    }
}

static bool web_pull(struct web *web, struct writer *to)
{
    uint8_t part[4096];
    int count = recv(web->socket, (char *)part, sizeof(part), 0);
    if (count <= 0) return false;
    writer_bytes(to, part, (size_t)count);
    return writer_status(to) == SEC_E_OK;
}

static bool web_read(struct web *web, bool bodiless, struct web_answer *answer)
{
    size_t head_size;
    for (;;) {
        head_size = http_head_size(writer_view(&answer->bytes));
        if (head_size) break;
        if (!web_pull(web, &answer->bytes)) return narrate_failure("there is no answer");
    }
    struct http_head head;
    if (!http_answer_parse((struct slice){answer->bytes.data, head_size}, &head))
        return narrate_failure("the answer is not understood");
    size_t body_size = bodiless ? 0 : head.body_size;
    while (answer->bytes.size < head_size + body_size)
        if (!web_pull(web, &answer->bytes)) return narrate_failure("the answer is not complete");
    /* The block may have moved since: the views are taken now. */
    http_answer_parse((struct slice){answer->bytes.data, head_size}, &answer->head);
    answer->body = (struct slice){answer->bytes.data + head_size, body_size};
    return true;
}

bool web_send(struct web *web, struct slice bytes, bool bodiless, struct web_answer *answer)
{
    web_answer_clear(answer);
    if (!web_connect(web)) return false;
    web_push(web, bytes);
    bool result = web_read(web, bodiless, answer);
    if (!result || !answer->head.persistent) web_close(web);
    return result;
}

static void web_write_cookies(struct writer *w, const struct jar *jar)
{
    bool any = false;
    for (unsigned i = 0; i < JAR_COOKIES; i++) {
        if (!jar->cookies[i].name[0]) continue;
        http_write_text(w, any ? "; " : "Cookie: ");
        http_write_text(w, jar->cookies[i].name);
        http_write_text(w, "=");
        http_write_text(w, jar->cookies[i].value);
        any = true;
    }
    if (any) http_write_text(w, "\r\n");
}

bool web_ask(struct web *web, const struct web_request *request, struct web_answer *answer)
{
    struct writer w;
    char line[128];
    writer_init(&w);
    snprintf(line, sizeof(line), "%s %s HTTP/1.1\r\nHost: localhost:%u\r\nContent-Length: %lu\r\n",
             request->method, request->path, web->port, (unsigned long)request->body.size);
    http_write_text(&w, line);
    if (request->scheme) {
        http_write_text(&w, "Authorization: ");
        http_write_text(&w, request->scheme);
        http_write_text(&w, " ");
        base64_write(&w, request->token);
        http_write_text(&w, "\r\n");
    }
    if (request->jar) web_write_cookies(&w, request->jar);
    http_write_text(&w, "\r\n");
    writer_slice(&w, request->body);
    bool result = writer_status(&w) == SEC_E_OK || narrate_failure("out of memory");
    result = result && web_send(web, writer_view(&w), !strcmp(request->method, "HEAD"), answer);
    writer_free(&w);
    return result;
}

bool web_token(const struct web_answer *answer, const char *scheme, struct writer *token)
{
    struct slice value, offered, text;
    for (size_t i = 0; http_field_next(&answer->head, "WWW-Authenticate", &i, &value);) {
        if (!http_credentials_parse(value, &offered, &text)) continue;
        if (http_text_is(offered, scheme)) return base64_read(text, token);
    }
    return false;
}

/* ---- cookies ---- */

struct jar_cookie *jar_find(struct jar *jar, const char *name)
{
    for (unsigned i = 0; i < JAR_COOKIES; i++)
        if (!strcmp(jar->cookies[i].name, name)) return &jar->cookies[i];
    return NULL;
}

static bool text_contains(struct slice text, const char *part)
{
    size_t size = strlen(part);
    for (size_t i = 0; i + size <= text.size; i++)
        if (!memcmp(text.data + i, part, size)) return true;
    return false;
}

static void jar_set(struct jar *jar, struct slice field)
{
    const uint8_t *equals = memchr(field.data, '=', field.size);
    const uint8_t *end = memchr(field.data, ';', field.size);
    if (!end) end = field.data + field.size;
    if (!equals || equals > end) return;
    char name[JAR_NAME_MAX];
    size_t name_size = (size_t)(equals - field.data), value_size = (size_t)(end - equals - 1);
    if (!name_size || name_size >= JAR_NAME_MAX || value_size >= JAR_VALUE_MAX) return;
    memcpy(name, field.data, name_size);
    name[name_size] = 0;
    struct jar_cookie *place = jar_find(jar, name);
    if (!place) place = jar_find(jar, "");
    if (!place) return;
    memset(place, 0, sizeof(*place));
    if (text_contains(field, "Max-Age=0")) return;
    memcpy(place->name, name, name_size);
    memcpy(place->value, equals + 1, value_size);
}

void jar_take(struct jar *jar, const struct web_answer *answer)
{
    struct slice field;
    for (size_t i = 0; http_field_next(&answer->head, "Set-Cookie", &i, &field);)
        if (field.size) jar_set(jar, field);
}

/* ---- the client's side of a handshake ---- */

SECURITY_STATUS initiator_open(struct initiator *initiator, const char *scheme,
                               const wchar_t *target, SEC_WINNT_AUTH_IDENTITY_W *identity)
{
    TimeStamp expiry;
    *initiator = (struct initiator){.scheme = scheme, .target = target};
    SecInvalidateHandle(&initiator->credentials);
    SecInvalidateHandle(&initiator->context);
    wchar_t *package = text_to_wide(scheme);
    if (!package) return SEC_E_INSUFFICIENT_MEMORY;
    CredHandle credentials;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_OUTBOUND, NULL,
                                                       identity, NULL, NULL, &credentials, &expiry);
    free(package);
    if (status == SEC_E_OK) initiator->credentials = credentials;
    return status;
}

void initiator_close(struct initiator *initiator)
{
    if (SecIsValidHandle(&initiator->context)) DeleteSecurityContext(&initiator->context);
    if (SecIsValidHandle(&initiator->credentials)) FreeCredentialsHandle(&initiator->credentials);
    SecInvalidateHandle(&initiator->context);
    SecInvalidateHandle(&initiator->credentials);
}

SECURITY_STATUS initiator_leg(struct initiator *initiator, struct slice in, struct writer *out)
{
    SecBuffer in_buffer = {(ULONG)in.size, SECBUFFER_TOKEN, (void *)in.data};
    SecBuffer out_buffer = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in_buffer};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out_buffer};
    bool first = !SecIsValidHandle(&initiator->context);
    CtxtHandle context;
    TimeStamp expiry;
    ULONG flags;
    SECURITY_STATUS status = InitializeSecurityContextW(
        &initiator->credentials, first ? NULL : &initiator->context, (wchar_t *)initiator->target,
        ISC_REQ_ALLOCATE_MEMORY, 0, SECURITY_NATIVE_DREP, in.size ? &input : NULL, 0,
        first ? &context : &initiator->context, &output, &flags, &expiry);
    if (status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED) return status;
    if (first) initiator->context = context;
    if (out_buffer.pvBuffer) writer_bytes(out, out_buffer.pvBuffer, out_buffer.cbBuffer);
    FreeContextBuffer(out_buffer.pvBuffer);
    return status;
}

/* One token there and one back. *more is false when the answer is the last. */
static bool initiator_step(struct initiator *initiator, struct web *web, struct jar *jar,
                           struct web_request *request, struct web_answer *answer, bool *more)
{
    struct writer in, out;
    writer_init(&in);
    writer_init(&out);
    *more = false;
    bool result = false;
    bool first = !SecIsValidHandle(&initiator->context);
    bool offered = first || web_token(answer, initiator->scheme, &in);
    /* A scheme that comes back without a token is a refusal. */
    if (!first && (!offered || !in.size)) {
        result = true;
        goto done;
    }
    initiator->status = initiator_leg(initiator, writer_view(&in), &out);
    if (initiator->status != SEC_E_OK && initiator->status != SEC_I_CONTINUE_NEEDED) {
        /* A server's refusal may be a token, which the client's package understands. */
        result = !first;
        if (first) narrate_failure("the first token: %s", status_text(initiator->status).text);
        goto done;
    }
    request->token = writer_view(&out);
    result = true;
    if (!out.size) goto done;
    result = web_ask(web, request, answer);
    if (result) jar_take(jar, answer);
    *more = result;
done:
    request->token = (struct slice){NULL, 0};
    writer_free(&in);
    writer_free(&out);
    return result;
}

bool initiator_run(struct initiator *initiator, struct web *web, struct jar *jar,
                   const struct web_request *request, struct web_answer *answer)
{
    struct web_request asked = *request;
    asked.scheme = initiator->scheme;
    asked.jar = jar;
    bool more = true;
    for (unsigned leg = 0; more; leg++) {
        if (leg == LEGS_MAX) return narrate_failure("the handshake does not end");
        if (!initiator_step(initiator, web, jar, &asked, answer, &more)) return false;
    }
    return true;
}
