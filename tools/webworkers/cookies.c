/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See cookies.h. Both kinds go under names of their own, but a name proves nothing: a client may
 * send the one blob as the other. What a context can do depends on its stage, which is inside the
 * seal, and acceptor.c relies on that alone.
 */
#include "cookies.h"

#include "../sspictl/text.h"
#include "../sspictl/transfer.h"

#include <stdlib.h>
#include <string.h>

/* RFC 6265 6.1: what a client has to be able to keep. */
#define COOKIE_SIZE_MAX 4096u

/* A handshake is over in seconds; one that was given up must not stand in the way of the next. */
static const struct {
    const char *name, *attributes;
} cookies[] = {
    [COOKIE_HANDSHAKE] = {"winesspi-handshake", "; Path=/; HttpOnly; SameSite=Strict; Max-Age=60"},
    [COOKIE_SESSION] = {"winesspi-session", "; Path=/; HttpOnly; SameSite=Strict"},
};

void context_delete(struct context *context)
{
    if (SecIsValidHandle(&context->handle)) DeleteSecurityContext(&context->handle);
    SecInvalidateHandle(&context->handle);
}

static void cookie_field(struct writer *fields, enum cookie cookie, struct slice value)
{
    http_write_text(fields, "Set-Cookie: ");
    http_write_text(fields, cookies[cookie].name);
    http_write_text(fields, "=");
    writer_slice(fields, value);
    http_write_text(fields, cookies[cookie].attributes);
}

SECURITY_STATUS cookie_give(enum cookie cookie, struct context *context, struct writer *fields)
{
    struct writer blob, value;
    writer_init(&blob);
    writer_init(&value);
    SECURITY_STATUS status = transfer_export(&context->handle, &blob);
    if (status != SEC_E_OK) goto done;
    http_write_text(&value, context->package);
    writer_u8(&value, '.');
    base64_write(&value, writer_view(&blob));
    status = writer_status(&value);
    if (status == SEC_E_OK && value.size > COOKIE_SIZE_MAX) status = SEC_E_BUFFER_TOO_SMALL;
    if (status != SEC_E_OK) goto done;
    cookie_field(fields, cookie, writer_view(&value));
    http_write_text(fields, "\r\n");
done:
    writer_free(&value);
    writer_free(&blob);
    return status;
}

void cookie_forget(enum cookie cookie, struct writer *fields)
{
    cookie_field(fields, cookie, (struct slice){NULL, 0});
    /* The last attribute of a name is the one that counts (RFC 6265 5.3). */
    http_write_text(fields, "; Max-Age=0\r\n");
}

bool cookie_present(const struct http_head *request, enum cookie cookie)
{
    struct slice value;
    return http_cookie_get(request, cookies[cookie].name, &value) && value.size;
}

/* What follows the package's name and the point; empty when the cookie is another package's. Names
 * are compared as they stand: SSPI ignores case, but a changed cookie is a changed cookie. */
static struct slice cookie_blob(const struct http_head *request, enum cookie cookie,
                                const char *package)
{
    static const struct slice none = {NULL, 0};
    size_t length = strlen(package);
    struct slice value;
    if (!http_cookie_get(request, cookies[cookie].name, &value)) return none;
    if (value.size <= length || memcmp(value.data, package, length) || value.data[length] != '.')
        return none;
    return (struct slice){value.data + length + 1, value.size - length - 1};
}

const char *cookie_package(const struct http_head *request, enum cookie cookie,
                           const char *const packages[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cookie_blob(request, cookie, packages[i]).size) return packages[i];
    return NULL;
}

SECURITY_STATUS cookie_take(const struct http_head *request, enum cookie cookie,
                            const char *package, struct context *out)
{
    struct context taken = {.package = package};
    struct slice text = cookie_blob(request, cookie, package);
    struct writer blob;
    writer_init(&blob);
    wchar_t *wide = text_to_wide(package);
    SECURITY_STATUS status = wide ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    if (wide && (!text.size || !base64_read(text, &blob))) status = SEC_E_INVALID_TOKEN;
    if (status == SEC_E_OK) status = transfer_import(wide, writer_view(&blob), &taken.handle);
    if (status == SEC_E_OK) *out = taken;
    free(wide);
    writer_free(&blob);
    return status;
}
