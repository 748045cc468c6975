/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See acceptor.h. HTTP authentication with the schemes Negotiate (RFC 4559) and NTLM
 * (MS-NTHT), without anything that is kept between two requests: a context that is not
 * done leaves the process in a cookie, and so does one that is. RFC 4559 ties a handshake to a
 * connection; here the cookie does that, so the requests of a handshake may even come over
 * different connections.
 *
 * Each context can be imported once. An AUTHENTICATE message that was wrong is therefore the only
 * one for its challenge, and a cookie that somebody has copied works for the first who sends it.
 */
#include "acceptor.h"

#include "../handover/narrate.h"
#include "../sspictl/names.h"

#include <stdlib.h>

/* In the order in which they are offered: clients take the first that they know. */
static const char *const schemes[ACCEPTOR_PACKAGES] = {"Negotiate", "NTLM"};

bool acceptor_open(struct acceptor *acceptor)
{
    bool any = false;
    for (unsigned i = 0; i < ACCEPTOR_PACKAGES; i++) {
        wchar_t *package = text_to_wide(schemes[i]);
        TimeStamp expiry;
        SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
        if (package)
            status = AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL,
                                               NULL, &acceptor->credentials[i], &expiry);
        free(package);
        acceptor->offered[i] = status == SEC_E_OK;
        any |= acceptor->offered[i];
        if (status != SEC_E_OK)
            narrate("does not offer %s: %s", schemes[i], status_text(status).text);
    }
    return any || narrate_failure("there is no package to offer");
}

void acceptor_close(struct acceptor *acceptor)
{
    for (unsigned i = 0; i < ACCEPTOR_PACKAGES; i++)
        if (acceptor->offered[i]) FreeCredentialsHandle(&acceptor->credentials[i]);
}

void judgement_clear(struct judgement *judgement)
{
    free(judgement->user);
    writer_free(&judgement->fields);
}

/* ---- refusals ---- */

static void offer(const struct acceptor *acceptor, struct judgement *out)
{
    out->status = 401;
    for (unsigned i = 0; i < ACCEPTOR_PACKAGES; i++) {
        if (!acceptor->offered[i]) continue;
        http_write_text(&out->fields, "WWW-Authenticate: ");
        http_write_text(&out->fields, schemes[i]);
        http_write_text(&out->fields, "\r\n");
    }
}

/* What the client sent makes no sense (400), is not believed (401), or is not to blame (500). */
static void refuse(const struct acceptor *acceptor, const char *what, SECURITY_STATUS status,
                   struct judgement *out)
{
    narrate("%s: %s", what, status_text(status).text);
    switch (status) {
    case SEC_E_INVALID_TOKEN:
    case SEC_E_MESSAGE_ALTERED:
    case SEC_E_OUT_OF_SEQUENCE:
    case SEC_E_SECPKG_NOT_FOUND:
    case SEC_E_INVALID_HANDLE: out->status = 400; return;
    case SEC_E_INSUFFICIENT_MEMORY:
    case SEC_E_INTERNAL_ERROR:
    case SEC_E_BUFFER_TOO_SMALL: out->status = 500; return;
    default: offer(acceptor, out); return;
    }
}

/* ---- the established context ---- */

static SECURITY_STATUS context_user(struct context *context, char **user)
{
    SecPkgContext_NamesW names = {NULL};
    SECURITY_STATUS status = QueryContextAttributesW(&context->handle, SECPKG_ATTR_NAMES, &names);
    if (status != SEC_E_OK) return status;
    *user = names.sUserName ? text_from_wide(names.sUserName) : NULL;
    FreeContextBuffer(names.sUserName);
    return *user ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

/* The client is known; its context becomes the cookie of its next request. */
static SECURITY_STATUS admit(struct context *context, struct judgement *out)
{
    char *user = NULL;
    SECURITY_STATUS status = context_user(context, &user);
    if (status == SEC_E_OK) status = cookie_give(COOKIE_SESSION, context, &out->fields);
    if (status != SEC_E_OK) {
        free(user);
        return status;
    }
    out->user = user;
    out->status = 200;
    return SEC_E_OK;
}

static void judge_session(const struct acceptor *acceptor, const struct http_head *request,
                          struct judgement *out)
{
    struct context context;
    SecInvalidateHandle(&context.handle);
    SECURITY_STATUS status = SEC_E_INVALID_TOKEN;
    const char *package = cookie_package(request, COOKIE_SESSION, schemes, ACCEPTOR_PACKAGES);
    if (package) status = cookie_take(request, COOKIE_SESSION, package, &context);
    if (status != SEC_E_OK) {
        cookie_forget(COOKIE_SESSION, &out->fields);
        refuse(acceptor, "the session in the cookie is refused", status, out);
        return;
    }
    status = admit(&context, out);
    if (status == SEC_E_OK) {
        narrate("the session in the cookie is that of %s; it goes into a new one", out->user);
    } else {
        cookie_forget(COOKIE_SESSION, &out->fields);
        refuse(acceptor, "the context in the session's cookie is no session", status, out);
    }
    context_delete(&context);
}

/* ---- the handshake ---- */

static void challenge(const struct context *context, struct slice token, struct judgement *out)
{
    http_write_text(&out->fields, "WWW-Authenticate: ");
    http_write_text(&out->fields, context->package);
    if (token.size) http_write_text(&out->fields, " ");
    base64_write(&out->fields, token);
    http_write_text(&out->fields, "\r\n");
}

/* One call; *answer is the token that it made. */
static SECURITY_STATUS accept_leg(CredHandle *credentials, struct context *context,
                                  struct slice token, struct writer *answer)
{
    SecBuffer in = {(ULONG)token.size, SECBUFFER_TOKEN, (void *)token.data};
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    bool first = !SecIsValidHandle(&context->handle);
    CtxtHandle handle;
    TimeStamp expiry;
    ULONG flags;
    SECURITY_STATUS status = AcceptSecurityContext(
        credentials, first ? NULL : &context->handle, &input, ASC_REQ_ALLOCATE_MEMORY,
        SECURITY_NATIVE_DREP, first ? &handle : &context->handle, &output, &flags, &expiry);
    if (status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED) return status;
    if (first) context->handle = handle;
    if (out.pvBuffer) writer_bytes(answer, out.pvBuffer, out.cbBuffer);
    FreeContextBuffer(out.pvBuffer);
    return writer_status(answer) == SEC_E_OK ? status : SEC_E_INSUFFICIENT_MEMORY;
}

/* After the call: half open, done, or failed. */
static void judge_leg(const struct acceptor *acceptor, SECURITY_STATUS status,
                      struct context *context, struct slice token, struct judgement *out)
{
    const char *package = context->package;
    bool done = status == SEC_E_OK;
    size_t before = out->fields.size;
    if (done || status == SEC_I_CONTINUE_NEEDED) {
        if (token.size || !done) challenge(context, token, out);
        status = done ? admit(context, out) : cookie_give(COOKIE_HANDSHAKE, context, &out->fields);
    }
    if (status != SEC_E_OK) {
        cookie_forget(COOKIE_HANDSHAKE, &out->fields);
        refuse(acceptor, "the token is refused", status, out);
    } else if (done) {
        cookie_forget(COOKIE_HANDSHAKE, &out->fields);
        narrate("%s accepts the client: it is %s", package, out->user);
    } else {
        out->status = 401;
        narrate("%s is half open: the context goes into the cookie (%lu bytes of header fields)",
                package, (unsigned long)(out->fields.size - before));
    }
}

static void judge_token(struct acceptor *acceptor, unsigned scheme, struct slice token,
                        const struct http_head *request, struct judgement *out)
{
    struct context context = {.package = schemes[scheme]};
    SecInvalidateHandle(&context.handle);
    struct writer answer;
    writer_init(&answer);
    SECURITY_STATUS status = SEC_E_OK;
    if (cookie_present(request, COOKIE_HANDSHAKE)) {
        /* A handshake goes on under the scheme that it began with. */
        status = cookie_take(request, COOKIE_HANDSHAKE, schemes[scheme], &context);
        if (status == SEC_E_OK) narrate("took a half-open context out of the cookie");
    }
    if (status != SEC_E_OK) {
        cookie_forget(COOKIE_HANDSHAKE, &out->fields);
        refuse(acceptor, "the half-open context in the cookie is refused", status, out);
    } else {
        status = accept_leg(&acceptor->credentials[scheme], &context, token, &answer);
        judge_leg(acceptor, status, &context, writer_view(&answer), out);
    }
    context_delete(&context);
    writer_free(&answer);
}

static void judge_credentials(struct acceptor *acceptor, struct slice field,
                              const struct http_head *request, struct judgement *out)
{
    struct slice scheme, text;
    struct writer token;
    writer_init(&token);
    unsigned i = 0;
    bool parsed = http_credentials_parse(field, &scheme, &text) && base64_read(text, &token);
    while (parsed && i < ACCEPTOR_PACKAGES && !http_text_is(scheme, schemes[i])) i++;
    if (!parsed) {
        narrate("credentials that cannot be read");
        out->status = 400;
    } else if (i == ACCEPTOR_PACKAGES || !acceptor->offered[i]) {
        narrate("credentials of another scheme");
        offer(acceptor, out);
    } else {
        judge_token(acceptor, i, writer_view(&token), request, out);
    }
    writer_free(&token);
}

void acceptor_judge(struct acceptor *acceptor, const struct http_head *request,
                    struct judgement *out)
{
    struct slice field;
    size_t index = 0;
    *out = (struct judgement){.status = 500};
    writer_init(&out->fields);
    if (http_field_next(request, "Authorization", &index, &field)) {
        judge_credentials(acceptor, field, request, out);
    } else if (cookie_present(request, COOKIE_SESSION)) {
        judge_session(acceptor, request, out);
    } else {
        narrate("nothing says who the client is: offers what it may prove it with");
        offer(acceptor, out);
    }
}
