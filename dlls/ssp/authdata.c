/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Auth data, see authdata.h. The application lives in this process, so the structures are read
 * where they are. SEC_WINNT_AUTH_IDENTITY_MARSHALLED says that the text lies in the same block as
 * the structure; it is found by its pointers and offsets all the same, so the flag changes
 * nothing here. Omitted: identities that SspiEncryptAuthIdentity has encrypted, and packed
 * credentials other than a password (certificates, smart cards, online identities).
 */
#include "ssp/authdata.h"

#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("sspi");

#define FLAG_ANSI 0x1u
#define FLAGS_ENCRYPTED 0xf0u /* for the process, the system or the user, in four ways */
#define FLAG_NULL_USER 0x20000u
#define FLAG_NULL_DOMAIN 0x40000u

#define EX_VERSION 0x200u
#define EX2_VERSION 0x201u
#define HEADER_MAX 0x100u

#define NO_ADDRESS 0x10000u /* Windows maps nothing below */

#define DATA_PASSWORD_SIZE 8u /* of SEC_WINNT_AUTH_DATA_PASSWORD: where the password is */

/* SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, which MinGW hides */
static const GUID password_type = {
    0x28bfc32f, 0x10f6, 0x4738, {0x98, 0xd1, 0x1a, 0xc0, 0x61, 0xdf, 0x71, 0x6a}};

/* ---- forms with pointers ---- */

/* What is no address may be an offset, in some form that is not published. */
static bool read_text(const void *text, ULONG characters, bool ansi, struct slice *out)
{
    *out = (struct slice){NULL, 0};
    if (!text) return true;
    if ((ULONG_PTR)text < NO_ADDRESS || characters > AUTHDATA_TEXT_MAX) return false;
    *out = (struct slice){text, characters * (ansi ? 1 : sizeof(wchar_t))};
    return true;
}

static bool read_plain(const SEC_WINNT_AUTH_IDENTITY_W *from, struct authdata *out)
{
    out->flags = from->Flags;
    out->ansi = from->Flags & FLAG_ANSI;
    return read_text(from->User, from->UserLength, out->ansi, &out->user) &&
           read_text(from->Domain, from->DomainLength, out->ansi, &out->domain) &&
           read_text(from->Password, from->PasswordLength, out->ansi, &out->password);
}

static bool read_ex(const SEC_WINNT_AUTH_IDENTITY_EXW *from, struct authdata *out)
{
    out->flags = from->Flags;
    out->ansi = from->Flags & FLAG_ANSI;
    return from->Length >= sizeof(*from) &&
           read_text(from->User, from->UserLength, out->ansi, &out->user) &&
           read_text(from->Domain, from->DomainLength, out->ansi, &out->domain) &&
           read_text(from->Password, from->PasswordLength, out->ansi, &out->password) &&
           read_text(from->PackageList, from->PackageListLength, out->ansi, &out->package_list);
}

/* ---- the form with offsets ---- */

/* An offset of 0 is where the structure itself is: there is no text. */
static struct slice window_text(struct reader *r, ULONG offset, ULONG size)
{
    struct slice text = reader_window(r, offset, size);
    if (size) return text;
    return (struct slice){offset ? r->base : NULL, 0};
}

/* SEC_WINNT_AUTH_PACKED_CREDENTIALS, whose data is a SEC_WINNT_AUTH_DATA_PASSWORD. The place of
 * the password is counted from the start of either structure, depending on who wrote it: an
 * offset that would fall into what precedes the password is of the inner one. */
static bool read_packed(struct slice packed, struct slice *password)
{
    struct reader r, inner;
    GUID type;
    reader_init(&r, packed.data, packed.size);
    reader_skip(&r, 4); /* header and structure sizes */
    reader_copy(&r, &type, sizeof(type));
    ULONG data_offset = reader_u32le(&r);
    ULONG data_size = reader_u16le(&r);
    struct slice data = reader_window(&r, data_offset, data_size);
    reader_init(&inner, data.data, data.size);
    ULONG offset = reader_u32le(&inner);
    ULONG size = reader_u16le(&inner);
    if (!reader_ok(&r) || !reader_ok(&inner)) return false;
    if (memcmp(&type, &password_type, sizeof(type))) {
        WARN("packed credentials that are no password are not supported\n");
        return false;
    }
    bool from_inner = offset < data_offset + DATA_PASSWORD_SIZE;
    *password = window_text(from_inner ? &inner : &r, offset, size);
    return reader_ok(from_inner ? &inner : &r);
}

/* This form has no ANSI text (documentation of SEC_WINNT_AUTH_IDENTITY_INFO). */
static bool read_ex2(const SEC_WINNT_AUTH_IDENTITY_EX2 *from, struct authdata *out)
{
    struct reader r;
    if (from->cbStructureLength < sizeof(*from)) return false;
    reader_init(&r, from, from->cbStructureLength);
    out->flags = from->Flags;
    if (!(from->Flags & FLAG_NULL_USER))
        out->user = window_text(&r, from->UserOffset, from->UserLength);
    if (!(from->Flags & FLAG_NULL_DOMAIN))
        out->domain = window_text(&r, from->DomainOffset, from->DomainLength);
    out->package_list = window_text(&r, from->PackageListOffset, from->PackageListLength);
    struct slice packed = reader_window(&r, from->PackedCredentialsOffset,
                                        from->PackedCredentialsLength);
    if (!reader_ok(&r)) return false;
    if (!packed.size || from->Flags & FLAGS_ENCRYPTED) return true;
    return read_packed(packed, &out->password);
}

/* ---- all ---- */

/* The extended forms start with a version, the plain one with a pointer. The small size that
 * follows the version keeps the two apart. */
static bool read_any(const void *auth_data, struct authdata *out)
{
    const SEC_WINNT_AUTH_IDENTITY_EXW *ex = auth_data;
    USHORT size = LOWORD(ex->Length);
    bool extended = ex->Version >> 8 == EX_VERSION >> 8 && size && size < HEADER_MAX;
    if (!extended) return read_plain(auth_data, out);
    if (ex->Version == EX_VERSION) return read_ex(ex, out);
    return ex->Version == EX2_VERSION && read_ex2(auth_data, out);
}

status_t authdata_parse(const void *auth_data, struct authdata *out)
{
    struct authdata data = {0};
    if (auth_data && !read_any(auth_data, &data)) return SEC_E_UNKNOWN_CREDENTIALS;
    if (data.flags & FLAGS_ENCRYPTED) {
        WARN("an encrypted identity (flags %#lx) is not supported\n", data.flags);
        return SEC_E_UNKNOWN_CREDENTIALS;
    }
    *out = data;
    return SEC_E_OK;
}

static status_t text_from_ansi(struct slice text, wchar_t *out, size_t capacity, size_t *length)
{
    int written = MultiByteToWideChar(CP_ACP, 0, (const char *)text.data, (int)text.size, out,
                                      (int)capacity - 1);
    if (written <= 0) return SEC_E_UNKNOWN_CREDENTIALS;
    *length = (size_t)written;
    out[written] = 0;
    return SEC_E_OK;
}

status_t authdata_text(const struct authdata *data, struct slice text, wchar_t *out,
                       size_t capacity, size_t *length)
{
    if (text.size && data->ansi) return text_from_ansi(text, out, capacity, length);
    size_t characters = text.size / sizeof(wchar_t);
    if (text.size % sizeof(wchar_t) || characters >= capacity) return SEC_E_UNKNOWN_CREDENTIALS;
    if (text.size) memcpy(out, text.data, text.size);
    *length = characters;
    out[characters] = 0;
    return SEC_E_OK;
}

status_t authdata_package_list(const struct authdata *data, wchar_t **out)
{
    size_t length, capacity = data->package_list.size + 1;
    *out = NULL;
    if (!data->package_list.size) return SEC_E_OK;
    wchar_t *list = malloc(capacity * sizeof(*list));
    if (!list) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = authdata_text(data, data->package_list, list, capacity, &length);
    if (status_ok(status)) *out = list;
    else free(list);
    return status;
}
