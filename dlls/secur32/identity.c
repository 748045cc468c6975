/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making, taking apart, copying and comparing identities. The string form of packed credentials is
 * the password; credentials of other types, which programs get from prompts and not from here, are
 * carried along and have no string form. Omitted: online identities (ID_PROVIDER).
 */
#include "core/secret.h"
#include "core/utf16.h"
#include "opaque.h"
#include "ssp/authdata.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

SECURITY_STATUS WINAPI SspiUnmarshalAuthIdentityInternal(ULONG size, char *bytes,
                                                         PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out);

/* ---- strings ---- */

SECURITY_STATUS WINAPI SspiEncodeStringsAsAuthIdentity(PCWSTR user, PCWSTR domain, PCWSTR password,
                                                       PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out)
{
    struct identity_parts parts = {.flags = IDENTITY_UNICODE | IDENTITY_MARSHALLED};
    struct writer packed;
    if (!out || (!user && !domain && !password)) return SEC_E_INVALID_TOKEN;
    parts.user = opaque_text(user);
    parts.domain = opaque_text(domain);
    writer_init(&packed);
    if (password) {
        struct slice text = opaque_text(password);
        if (text.size > UINT16_MAX - IDENTITY_PASSWORD_OVERHEAD) return SEC_E_INVALID_PARAMETER;
        identity_password_write(text, &packed);
        parts.packed = writer_view(&packed);
    }
    status_t status = writer_status(&packed);
    if (status_ok(status)) status = opaque_give(&parts, out);
    writer_free(&packed);
    return status;
}

/* The status for encrypted identities is documented for those of SAME_PROCESS. */
static status_t strings_read(const struct opaque *opaque, WCHAR *strings[3])
{
    struct slice password;
    if (opaque->parts.flags & IDENTITY_ENCRYPTED) return STATUS_INVALID_PARAMETER;
    status_t status = opaque_password(opaque, &password);
    if (status_ok(status)) status = opaque_give_text(opaque->parts.user, &strings[0]);
    if (status_ok(status)) status = opaque_give_text(opaque->parts.domain, &strings[1]);
    if (status_ok(status)) status = opaque_give_text(password, &strings[2]);
    return status;
}

SECURITY_STATUS WINAPI SspiEncodeAuthIdentityAsStrings(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity,
                                                       PCWSTR *user, PCWSTR *domain,
                                                       PCWSTR *password)
{
    struct opaque opaque;
    PCWSTR *const outputs[3] = {user, domain, password};
    WCHAR *strings[3] = {NULL, NULL, NULL};
    if (!identity) return SEC_E_INVALID_PARAMETER;
    status_t status = opaque_read(identity, &opaque);
    if (!status_ok(status)) return status;
    status = strings_read(&opaque, strings);
    opaque_clear(&opaque);
    for (int i = 0; i < 3; i++) {
        if (status_ok(status) && outputs[i]) *outputs[i] = strings[i];
        else opaque_release(strings[i]);
    }
    return status;
}

/* ---- whole identities ---- */

SECURITY_STATUS WINAPI SspiValidateAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    struct opaque opaque;
    if (!identity) return SEC_E_INVALID_PARAMETER;
    status_t status = opaque_read(identity, &opaque);
    if (status_ok(status)) opaque_clear(&opaque);
    return status;
}

SECURITY_STATUS WINAPI SspiCopyAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity,
                                            PSEC_WINNT_AUTH_IDENTITY_OPAQUE *copy)
{
    struct opaque opaque;
    if (!identity || !copy) return SEC_E_INVALID_PARAMETER;
    status_t status = opaque_read(identity, &opaque);
    if (!status_ok(status)) return status;
    status = opaque_give(&opaque.parts, copy);
    opaque_clear(&opaque);
    return status;
}

/* Documentation has the strings of SspiEncodeAuthIdentityAsStrings released here, too. */
void WINAPI SspiFreeAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    opaque_release(identity);
}

void WINAPI SspiLocalFree(void *buffer)
{
    opaque_release(buffer);
}

static void text_zero(struct slice text)
{
    if (text.size) SecureZeroMemory((void *)text.data, text.size);
}

void WINAPI SspiZeroAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    struct authdata data;
    if (!identity) return;
    if (!status_ok(authdata_read(identity, &data))) {
        WARN("%p is no identity\n", identity);
        return;
    }
    text_zero(data.user);
    text_zero(data.domain);
    text_zero(data.password);
    text_zero(data.package_list);
    SecureZeroMemory(identity, data.size);
}

/* ---- bytes ---- */

SECURITY_STATUS WINAPI SspiMarshalAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity,
                                               ULONG *size, char **bytes)
{
    struct opaque opaque;
    struct writer w;
    void *block;
    if (!identity || !size || !bytes) return SEC_E_INVALID_PARAMETER;
    status_t status = opaque_read(identity, &opaque);
    if (!status_ok(status)) return status;
    writer_init(&w);
    status = identity_encode(&opaque.parts, 0, &w);
    if (status_ok(status)) status = opaque_give_bytes(writer_view(&w), &block);
    if (status_ok(status)) {
        *size = (ULONG)w.size;
        *bytes = block;
    }
    writer_free(&w);
    opaque_clear(&opaque);
    return status;
}

SECURITY_STATUS WINAPI SspiUnmarshalAuthIdentity(ULONG size, char *bytes,
                                                 PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out)
{
    struct identity_parts parts;
    if (!bytes || !out) return SEC_E_INVALID_PARAMETER;
    status_t status = identity_decode((struct slice){(const uint8_t *)bytes, size}, &parts);
    return status_ok(status) ? opaque_give(&parts, out) : status;
}

/* What it does beyond the other is not published. */
SECURITY_STATUS WINAPI SspiUnmarshalAuthIdentityInternal(ULONG size, char *bytes,
                                                         PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out)
{
    return SspiUnmarshalAuthIdentity(size, bytes, out);
}

/* ---- comparing ---- */

static bool names_same(struct slice a, struct slice b)
{
    if (!a.size || !b.size) return a.size == b.size;
    return CompareStringOrdinal((const WCHAR *)a.data, (int)(a.size / sizeof(WCHAR)),
                                (const WCHAR *)b.data, (int)(b.size / sizeof(WCHAR)),
                                TRUE) == CSTR_EQUAL;
}

struct account_name {
    struct slice user, domain;
};

/* DOMAIN\user without a domain of its own is the same account as user in DOMAIN. */
static struct account_name account_of(const struct identity_parts *parts)
{
    struct account_name name = {parts->user, parts->domain};
    const WCHAR *text = (const WCHAR *)parts->user.data;
    size_t length = parts->user.size / sizeof(WCHAR);
    const WCHAR *slash = length && !name.domain.size ? wmemchr(text, '\\', length) : NULL;
    if (!slash) return name;
    size_t before = (size_t)(slash - text);
    name.domain = (struct slice){parts->user.data, before * sizeof(WCHAR)};
    name.user = (struct slice){(const uint8_t *)(slash + 1), (length - before - 1) * sizeof(WCHAR)};
    return name;
}

static bool secrets_same(struct slice a, struct slice b)
{
    return a.size == b.size && (!a.size || secret_equal(a.data, b.data, a.size));
}

/* Nobody at all, and somebody without a name, are not the same. */
static bool users_same(const struct identity_parts *a, const struct identity_parts *b)
{
    struct account_name one = account_of(a), other = account_of(b);
    return !a->user.data == !b->user.data && names_same(one.user, other.user) &&
           names_same(one.domain, other.domain);
}

/* What cannot be decrypted is only the same as its copy. */
static bool identities_same(struct opaque *a, struct opaque *b)
{
    if (secrets_same(a->parts.packed, b->parts.packed)) return true;
    return status_ok(opaque_open(a)) && status_ok(opaque_open(b)) &&
           secrets_same(a->parts.packed, b->parts.packed);
}

SECURITY_STATUS WINAPI SspiCompareAuthIdentities(PSEC_WINNT_AUTH_IDENTITY_OPAQUE a,
                                                 PSEC_WINNT_AUTH_IDENTITY_OPAQUE b,
                                                 BOOLEAN *same_user, BOOLEAN *same_identity)
{
    struct opaque one, other;
    status_t status = opaque_read(a, &one);
    if (!status_ok(status)) return status;
    status = opaque_read(b, &other);
    if (status_ok(status)) {
        bool user = users_same(&one.parts, &other.parts);
        if (same_user) *same_user = user;
        if (same_identity)
            *same_identity = user && names_same(one.parts.package_list, other.parts.package_list) &&
                             identities_same(&one, &other);
        opaque_clear(&other);
    }
    opaque_clear(&one);
    return status;
}

/* ---- packages ---- */

/* "!name" is in the list already. */
static bool list_excludes(struct slice list, struct slice entry)
{
    const WCHAR *text = (const WCHAR *)list.data;
    for (size_t left = list.size / sizeof(WCHAR); left;) {
        const WCHAR *comma = wmemchr(text, ',', left);
        size_t length = comma ? (size_t)(comma - text) : left;
        if (names_same((struct slice){(const uint8_t *)text, length * sizeof(WCHAR)}, entry))
            return true;
        left -= comma ? length + 1 : length;
        text += comma ? length + 1 : length;
    }
    return false;
}

/* A list that names the package stays as it was otherwise: an exclusion outweighs the name. */
static void list_write(struct slice list, struct slice entry, struct writer *out)
{
    writer_slice(out, list);
    if (list_excludes(list, entry)) return;
    if (list.size) writer_u16le(out, ',');
    writer_slice(out, entry);
}

static status_t package_exclude(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, struct slice entry,
                                PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out)
{
    struct opaque opaque;
    struct writer list;
    status_t status = opaque_read(identity, &opaque);
    if (!status_ok(status)) return status;
    writer_init(&list);
    list_write(opaque.parts.package_list, entry, &list);
    opaque.parts.package_list = writer_view(&list);
    status = writer_status(&list);
    if (status_ok(status)) status = opaque_give(&opaque.parts, out);
    writer_free(&list);
    opaque_clear(&opaque);
    return status;
}

SECURITY_STATUS WINAPI SspiExcludePackage(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, PCWSTR package,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out)
{
    struct writer entry;
    if (!out || !package || !*package || wcspbrk(package, L",!")) return SEC_E_INVALID_PARAMETER;
    writer_init(&entry);
    writer_u16le(&entry, '!');
    writer_slice(&entry, opaque_text(package));
    status_t status = writer_status(&entry);
    if (status_ok(status)) status = package_exclude(identity, writer_view(&entry), out);
    writer_free(&entry);
    return status;
}
