/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who an application says it is: SEC_WINNT_AUTH_IDENTITY and its two extended forms, with ANSI
 * or UTF-16 text as their Flags say, whichever entry point they came through. The application
 * lives in this process, so the structures are read where they are. Of a password only the NT
 * hash is kept. Omitted: identities encrypted by SspiEncryptAuthIdentity, credentials other than
 * a password, and the package list, which is for Negotiate.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"

#include <string.h>
#include <wchar.h>

#define FLAG_ANSI 0x1u
#define FLAG_UNICODE 0x2u
#define FLAG_ENCRYPTED 0xf0u /* by the process, the system or the user, in four ways */

#define EX_VERSION 0x200u
#define EX2_VERSION 0x201u
#define HEADER_MAX 0x100u

#define DATA_PASSWORD_SIZE 8u /* of SEC_WINNT_AUTH_DATA_PASSWORD: where the password is */

/* SEC_WINNT_AUTH_DATA_TYPE_PASSWORD, which MinGW hides */
static const GUID password_type = {
    0x28bfc32f, 0x10f6, 0x4738, {0x98, 0xd1, 0x1a, 0xc0, 0x61, 0xdf, 0x71, 0x6a}};

/* One string of an identity; size in bytes, data NULL when the application left it out. */
struct given {
    const uint8_t *data;
    size_t size;
};

struct given_identity {
    struct given user, domain, password;
    ULONG flags;
};

/* ---- the three forms ---- */

static struct given given_text(const void *text, ULONG characters, ULONG flags)
{
    size_t size = characters;
    if (flags & FLAG_UNICODE)
        size = characters <= UINT32_MAX / 4 ? size * sizeof(wchar_t) : SIZE_MAX;
    return (struct given){text, text ? size : 0};
}

static void read_plain(const SEC_WINNT_AUTH_IDENTITY_W *identity, struct given_identity *out)
{
    out->flags = identity->Flags;
    out->user = given_text(identity->User, identity->UserLength, out->flags);
    out->domain = given_text(identity->Domain, identity->DomainLength, out->flags);
    out->password = given_text(identity->Password, identity->PasswordLength, out->flags);
}

static void read_ex(const SEC_WINNT_AUTH_IDENTITY_EXW *identity, struct given_identity *out)
{
    out->flags = identity->Flags;
    out->user = given_text(identity->User, identity->UserLength, out->flags);
    out->domain = given_text(identity->Domain, identity->DomainLength, out->flags);
    out->password = given_text(identity->Password, identity->PasswordLength, out->flags);
}

static struct given given_window(struct reader *r, ULONG offset, ULONG size)
{
    struct slice bytes = reader_window(r, offset, size);
    return (struct given){bytes.data, bytes.size};
}

/* SEC_WINNT_AUTH_PACKED_CREDENTIALS, whose data is a SEC_WINNT_AUTH_DATA_PASSWORD. The place of
 * the password is counted from the start of either structure, depending on who wrote it: an
 * offset that would fall into what precedes the password is of the inner one. */
static status_t read_packed(struct slice packed, struct given *password)
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
    if (!reader_ok(&r) || !reader_ok(&inner)) return SEC_E_UNKNOWN_CREDENTIALS;
    if (memcmp(&type, &password_type, sizeof(type))) return SEC_E_UNKNOWN_CREDENTIALS;

    bool from_inner = offset < data_offset + DATA_PASSWORD_SIZE;
    *password = given_window(from_inner ? &inner : &r, offset, size);
    return reader_ok(from_inner ? &inner : &r) ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS;
}

static status_t read_ex2(const SEC_WINNT_AUTH_IDENTITY_EX2 *identity, struct given_identity *out)
{
    struct reader r;
    reader_init(&r, identity, identity->cbStructureLength);
    out->flags = identity->Flags;
    out->user = given_window(&r, identity->UserOffset, identity->UserLength);
    out->domain = given_window(&r, identity->DomainOffset, identity->DomainLength);
    struct slice packed = reader_window(&r, identity->PackedCredentialsOffset,
                                        identity->PackedCredentialsLength);
    if (!reader_ok(&r) || identity->cbStructureLength < sizeof(*identity))
        return SEC_E_UNKNOWN_CREDENTIALS;
    /* Without ANSI text said so, this form is UTF-16. */
    if (!(out->flags & FLAG_ANSI)) out->flags |= FLAG_UNICODE;
    if (out->flags & FLAG_ENCRYPTED || !packed.size) return SEC_E_OK;
    return read_packed(packed, &out->password);
}

/* The extended forms start with a version, the plain one with a pointer. The small size that
 * follows the version keeps the two apart. */
static status_t read_any(const void *auth_data, struct given_identity *out)
{
    const SEC_WINNT_AUTH_IDENTITY_EXW *ex = auth_data;
    USHORT size = LOWORD(ex->Length);
    bool extended = ex->Version >> 8 == EX_VERSION >> 8 && size && size < HEADER_MAX;
    if (!extended) read_plain(auth_data, out);
    else if (ex->Version == EX_VERSION && ex->Length >= sizeof(*ex)) read_ex(ex, out);
    else if (ex->Version == EX2_VERSION) return read_ex2(auth_data, out);
    else return SEC_E_UNKNOWN_CREDENTIALS;
    return SEC_E_OK;
}

/* ---- meaning ---- */

static status_t text_convert(const struct given *given, ULONG flags, struct name *out)
{
    struct slice text = {given->data, given->size};
    if (!given->size) text.data = NULL;
    if (flags & FLAG_UNICODE) return name_set(out, text) ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS;

    out->length = 0;
    out->text[0] = 0;
    if (!text.size) return SEC_E_OK;
    if (text.size > 2 * NAME_CHARS) return SEC_E_UNKNOWN_CREDENTIALS;
    int length = MultiByteToWideChar(CP_ACP, 0, (const char *)text.data, (int)text.size, out->text,
                                     NAME_CHARS);
    if (length <= 0) return SEC_E_UNKNOWN_CREDENTIALS;
    out->length = (size_t)length;
    out->text[length] = 0;
    return SEC_E_OK;
}

/* A password is any sequence of UTF-16 units, valid text or not. */
static status_t password_hash(const struct given *given, ULONG flags, uint8_t hash[16])
{
    struct name converted = {0};
    struct slice password = {given->data, given->size};
    status_t status = crypto_ready();
    if (status_ok(status) && !(flags & FLAG_UNICODE)) {
        status = text_convert(given, flags, &converted);
        password = name_slice(&converted);
    }
    if (password.size > NAME_CHARS * sizeof(wchar_t) || password.size % sizeof(wchar_t))
        status = SEC_E_UNKNOWN_CREDENTIALS;
    if (status_ok(status)) status = ntlm_nt_hash(password, hash);
    secret_wipe(&converted, sizeof(converted));
    return status;
}

/* DOMAIN\user in the place of the user. user@REALM stays whole, as NTLM sends it. */
static void user_split(struct name *user, struct name *domain)
{
    const wchar_t *slash = domain->length ? NULL : wcschr(user->text, '\\');
    if (!slash) return;
    size_t before = (size_t)(slash - user->text);
    name_set(domain, text_slice(user->text, before));
    name_set(user, text_slice(slash + 1, user->length - before - 1));
}

/* What is left out is the process user's, as far as it can be. */
static status_t fill_defaults(struct identity *identity)
{
    if (identity->user.length) return SEC_E_OK;
    const struct host *host = host_get();
    if (!host) return SEC_E_INTERNAL_ERROR;
    if (!host->user.length) return SEC_E_NO_CREDENTIALS;
    identity->user = host->user;
    if (!identity->domain.length) identity->domain = host->computer;
    return SEC_E_OK;
}

status_t identity_parse(const void *auth_data, struct identity *out)
{
    struct identity identity = {0};
    struct given_identity given = {0};
    status_t status = SEC_E_OK;
    if (auth_data) status = read_any(auth_data, &given);
    if (!status_ok(status)) return status;

    identity.is_default = !given.user.data && !given.domain.data && !given.password.data;
    if (identity.is_default) {
        *out = identity;
        return SEC_E_OK;
    }
    bool encrypted = given.flags & FLAG_ENCRYPTED;
    bool has_form = given.flags & (FLAG_ANSI | FLAG_UNICODE);
    /* All there and all empty asks for an anonymous logon, which is not offered. */
    bool anonymous = !given.user.size && !given.domain.size && !given.password.size;
    if (encrypted || !has_form || anonymous) return SEC_E_UNKNOWN_CREDENTIALS;

    status = text_convert(&given.user, given.flags, &identity.user);
    if (status_ok(status)) status = text_convert(&given.domain, given.flags, &identity.domain);
    if (!status_ok(status)) return status;
    user_split(&identity.user, &identity.domain);
    status = fill_defaults(&identity);
    if (!status_ok(status)) return status;
    status = password_hash(&given.password, given.flags, identity.nt_hash);
    if (status_ok(status)) *out = identity;
    secret_wipe(&identity, sizeof(identity));
    return status;
}
