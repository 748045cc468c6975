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

/* Splits at the first point. */
static bool cookie_parse(struct slice value, char package[PACKAGE_NAME_MAX], struct writer *blob)
{
    const uint8_t *point = memchr(value.data, '.', value.size);
    size_t length = point ? (size_t)(point - value.data) : 0;
    if (!length || length >= PACKAGE_NAME_MAX) return false;
    memcpy(package, value.data, length);
    package[length] = 0;
    return base64_read((struct slice){point + 1, value.size - length - 1}, blob) && blob->size;
}

SECURITY_STATUS cookie_take(const struct http_head *request, enum cookie cookie,
                            struct context *out)
{
    struct context taken;
    struct slice value;
    struct writer blob;
    wchar_t *package = NULL;
    writer_init(&blob);
    SECURITY_STATUS status = SEC_E_INVALID_TOKEN;
    if (!http_cookie_get(request, cookies[cookie].name, &value)) goto done;
    if (!value.size || !cookie_parse(value, taken.package, &blob)) goto done;
    package = text_to_wide(taken.package);
    if (!package) goto done;
    status = transfer_import(package, writer_view(&blob), &taken.handle);
    if (status == SEC_E_OK) *out = taken;
done:
    free(package);
    writer_free(&blob);
    return status;
}
