/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Auth data, see authdata.h. The application lives in this process, so the structures are read
 * where they are. SEC_WINNT_AUTH_IDENTITY_MARSHALLED says that the text lies in the same block as
 * the structure; it is found by its pointers and offsets all the same, so the flag changes
 * nothing here. Only the EX2 form can be encrypted: the others say nothing of the room behind their
 * password. Omitted: packed credentials other than a password (certificates, smart cards, online
 * identities).
 */
#include "ssp/authdata.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("sspi");

#define FLAG_ANSI 0x1u

#define EX_VERSION 0x200u
#define HEADER_MAX 0x100u

#define NO_ADDRESS 0x10000u /* Windows maps nothing below */

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
    out->size = sizeof(*from);
    out->flags = from->Flags;
    out->ansi = from->Flags & FLAG_ANSI;
    return read_text(from->User, from->UserLength, out->ansi, &out->user) &&
           read_text(from->Domain, from->DomainLength, out->ansi, &out->domain) &&
           read_text(from->Password, from->PasswordLength, out->ansi, &out->password);
}

static bool read_ex(const SEC_WINNT_AUTH_IDENTITY_EXW *from, struct authdata *out)
{
    out->size = sizeof(*from);
    out->extended = true;
    out->flags = from->Flags;
    out->ansi = from->Flags & FLAG_ANSI;
    return from->Length >= sizeof(*from) &&
           read_text(from->User, from->UserLength, out->ansi, &out->user) &&
           read_text(from->Domain, from->DomainLength, out->ansi, &out->domain) &&
           read_text(from->Password, from->PasswordLength, out->ansi, &out->password) &&
           read_text(from->PackageList, from->PackageListLength, out->ansi, &out->package_list);
}

/* ---- the form with offsets ---- */

/* This form has no ANSI text (documentation of SEC_WINNT_AUTH_IDENTITY_INFO). */
static bool read_ex2(const SEC_WINNT_AUTH_IDENTITY_EX2 *from, struct authdata *out)
{
    struct identity_parts parts;
    struct slice block = {(const uint8_t *)from, from->cbStructureLength};
    if (!status_ok(identity_decode(block, &parts))) return false;
    out->size = block.size;
    out->extended = true;
    out->flags = parts.flags;
    out->user = parts.user;
    out->domain = parts.domain;
    out->packed = parts.packed;
    out->package_list = parts.package_list;
    return true;
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
    return ex->Version == IDENTITY_VERSION && read_ex2(auth_data, out);
}

status_t authdata_read(const void *auth_data, struct authdata *out)
{
    struct authdata data = {0};
    if (auth_data && !read_any(auth_data, &data)) return SEC_E_UNKNOWN_CREDENTIALS;
    *out = data;
    return SEC_E_OK;
}

/* ---- secrets ---- */

static status_t packed_decrypt(struct authdata *data)
{
    struct identity_parts parts = {data->flags, data->user, data->domain, data->packed,
                                   data->package_list};
    struct identity_key key;
    struct writer opened;
    status_t status = authdata_key(data->flags, &key);
    if (!status_ok(status)) return status;
    writer_init(&opened);
    status = identity_open(&parts, &key, &opened);
    data->packed = (struct slice){NULL, 0};
    if (status_ok(status) && opened.size) {
        status = writer_take(&opened, &data->opened, &data->opened_size);
        data->packed = (struct slice){data->opened, data->opened_size};
    }
    writer_free(&opened);
    secret_wipe(&key, sizeof(key));
    return status;
}

status_t authdata_parse(const void *auth_data, struct authdata *out)
{
    struct authdata data;
    status_t status = authdata_read(auth_data, &data);
    if (!status_ok(status)) return status;
    if (data.flags & IDENTITY_ENCRYPTED) {
        status = packed_decrypt(&data);
        if (status == SEC_E_INSUFFICIENT_MEMORY) return status;
        if (!status_ok(status)) {
            WARN("an encrypted identity (flags %#lx) cannot be decrypted here: status %#lx\n",
                 data.flags, (ULONG)status);
            return SEC_E_UNKNOWN_CREDENTIALS;
        }
    }
    if (data.packed.size && !identity_password_read(data.packed, &data.password)) {
        WARN("packed credentials that are no password are not supported\n");
        authdata_clear(&data);
        return SEC_E_UNKNOWN_CREDENTIALS;
    }
    *out = data;
    return SEC_E_OK;
}

void authdata_clear(struct authdata *data)
{
    secret_free(data->opened, data->opened_size);
    *data = (struct authdata){0};
}

/* ---- texts ---- */

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
