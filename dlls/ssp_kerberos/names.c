/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of Windows and principals (RFC 1964 2.1.1, the form that the libraries read).
 *
 * A target is an SPN, service/host[:port][/name] (MS-KILE 3.1.5.11), with or without @REALM; or the
 * UPN or the name of an account. All of an SPN counts, its port, too. Without a realm an SPN ends
 * in an empty one, for which the library has the realm of the host looked up or the KDC say it. Of
 * names of hosts the case does not count to a KDC of Windows; other KDCs know them in lower case
 * (RFC 4120 6.2.1).
 *
 * Realms are names of domains in upper case: a domain with a dot is taken for one in whatever case,
 * and one behind an @ if it has no upper case at all. A bare domain that is the first label of the
 * default realm, as NetBIOS names of domains are, means that; any other is tried as it is.
 */
#include "kerberos_package.h"

#include "core/utf16.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define NAME_CHARS_MAX 1024u

static size_t text_find(struct slice text, wchar_t wanted, size_t from)
{
    for (size_t at = from; at + 1 < text.size; at += 2)
        if (text.data[at] == (uint8_t)wanted && !text.data[at + 1]) return at;
    return text.size;
}

static size_t text_find_last(struct slice text, wchar_t wanted)
{
    size_t found = text.size;
    for (size_t at = 0; at + 1 < text.size; at += 2)
        if (text.data[at] == (uint8_t)wanted && !text.data[at + 1]) found = at;
    return found;
}

static struct slice text_part(struct slice text, size_t from, size_t to)
{
    return (struct slice){text.data + from, to - from};
}

/* ---- between the two halves ---- */

static status_t blob_from_writer(struct writer *w, struct blob *out, size_t terminator)
{
    uint8_t *data;
    size_t size;
    status_t status = writer_take(w, &data, &size);
    if (!status_ok(status)) return status;
    blob_clear(out);
    *out = (struct blob){data, size - terminator};
    return SEC_E_OK;
}

status_t utf8_make(struct slice utf16, struct blob *out)
{
    struct writer w;
    if (!utf16_valid(utf16)) return SEC_E_INVALID_PARAMETER;
    writer_init(&w);
    utf16_to_utf8(&w, utf16);
    return blob_from_writer(&w, out, 0);
}

status_t utf16_make(struct slice utf8, struct blob *out)
{
    struct writer w;
    char *text = malloc(utf8.size + 1);
    if (!text) return SEC_E_INSUFFICIENT_MEMORY;
    if (utf8.size) memcpy(text, utf8.data, utf8.size);
    text[utf8.size] = 0;
    writer_init(&w);
    status_t status = writer_prepare(&w, (utf8.size + 1) * sizeof(wchar_t));
    if (status_ok(status) && strlen(text) == utf8.size) utf16_from_utf8(&w, text);
    else writer_fail(&w);
    free(text);
    writer_zero(&w, sizeof(wchar_t));
    if (status_ok(writer_status(&w))) return blob_from_writer(&w, out, sizeof(wchar_t));
    writer_free(&w);
    return status_ok(status) ? SEC_E_INVALID_PARAMETER : status; /* there is room: it is no text */
}

/* ---- writing principals, as UTF-16 first ---- */

static void write_unit(struct writer *w, wchar_t unit)
{
    writer_u16le(w, (uint16_t)unit);
}

/* The characters that mean something in the written form are kept from it. */
static void write_escaped(struct writer *w, struct slice text, const wchar_t *special)
{
    for (size_t at = 0; at + 1 < text.size; at += 2) {
        wchar_t unit = (wchar_t)(text.data[at] | text.data[at + 1] << 8);
        if (unit && wcschr(special, unit)) write_unit(w, '\\');
        write_unit(w, unit);
    }
}

static void write_lower(struct writer *w, struct slice text)
{
    for (size_t at = 0; at + 1 < text.size; at += 2) {
        wchar_t unit = (wchar_t)(text.data[at] | text.data[at + 1] << 8);
        if (unit >= 'A' && unit <= 'Z') unit = (wchar_t)(unit - 'A' + 'a');
        write_unit(w, unit);
    }
}

static void write_upper(struct writer *w, struct slice text)
{
    for (size_t at = 0; at + 1 < text.size; at += 2) {
        wchar_t unit = (wchar_t)(text.data[at] | text.data[at + 1] << 8);
        if (unit >= 'a' && unit <= 'z') unit = (wchar_t)(unit - 'a' + 'A');
        write_unit(w, unit);
    }
}

static bool has_upper(struct slice text)
{
    for (size_t at = 0; at + 1 < text.size; at += 2)
        if (!text.data[at + 1] && text.data[at] >= 'A' && text.data[at] <= 'Z') return true;
    return false;
}

static bool has_dot(struct slice text)
{
    return text_find(text, '.', 0) != text.size;
}

/* Behind an @. */
static void write_realm(struct writer *w, struct slice realm)
{
    write_unit(w, '@');
    if (has_dot(realm) && !has_upper(realm)) write_upper(w, realm);
    else writer_slice(w, realm);
}

/* The whole as UTF-8. */
static status_t principal_take(struct writer *w, struct blob *out)
{
    status_t status = writer_status(w);
    if (status_ok(status)) status = utf8_make(writer_view(w), out);
    writer_free(w);
    return status;
}

/* ---- targets ---- */

/* service/host[:port][/name] without a realm. */
static void write_service(struct writer *w, struct slice name)
{
    size_t host = text_find(name, '/', 0) + 2;
    size_t end = text_find(name, '/', host);
    write_escaped(w, text_part(name, 0, host), L"\\@");
    write_lower(w, text_part(name, host, end));
    write_escaped(w, text_part(name, end, name.size), L"\\@");
}

/* The last @ has the realm behind it; earlier ones are a part of the name. */
static status_t target_write(struct writer *w, struct slice target)
{
    size_t at = text_find_last(target, '@');
    struct slice name = text_part(target, 0, at);
    bool has_realm = at != target.size;
    size_t slash = text_find(name, '/', 0);
    bool service = slash != name.size;
    bool whole = name.size && (!service || (slash && slash + 2 < name.size)) &&
                 (!has_realm || at + 2 < target.size);
    if (!whole) return SEC_E_TARGET_UNKNOWN;
    if (service) write_service(w, name);
    else write_escaped(w, name, L"\\@");
    if (has_realm) write_realm(w, text_part(target, at + 2, target.size));
    else if (service) write_unit(w, '@');
    return SEC_E_OK;
}

status_t target_principal(struct slice target, struct blob *out)
{
    struct writer w;
    bool possible = target.size && target.size <= NAME_CHARS_MAX * sizeof(wchar_t) &&
                    utf16_valid(target);
    if (!possible) return SEC_E_TARGET_UNKNOWN;
    size_t slash = text_find(target, '\\', 0);
    if (slash != target.size) {
        status_t status = user_principal(text_part(target, slash + 2, target.size),
                                         text_part(target, 0, slash), out);
        return status == SEC_E_UNKNOWN_CREDENTIALS ? SEC_E_TARGET_UNKNOWN : status;
    }
    writer_init(&w);
    status_t status = target_write(&w, target);
    if (status_ok(status)) return principal_take(&w, out);
    writer_free(&w);
    return status;
}

/* ---- users ---- */

/* DOMAIN as a bare name: the library knows the default realm by its whole name. */
static status_t default_realm_find(struct slice domain, bool *same)
{
    struct blob realm = {NULL, 0};
    status_t status = realm_default(&realm);
    struct slice first = text_part(blob_slice(&realm), 0, text_find(blob_slice(&realm), '.', 0));
    *same = first.size && utf16_equal_ascii_case(first, domain);
    blob_clear(&realm);
    return status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_OK; /* without one it is another */
}

static status_t user_write(struct writer *w, struct slice user, struct slice domain)
{
    size_t at = domain.size ? user.size : text_find_last(user, '@');
    struct slice name = text_part(user, 0, at);
    if (!name.size) return SEC_E_UNKNOWN_CREDENTIALS;
    write_escaped(w, name, L"\\@/");
    if (at < user.size) {
        if (at + 2 == user.size) return SEC_E_UNKNOWN_CREDENTIALS;
        write_realm(w, text_part(user, at + 2, user.size));
    } else if (has_dot(domain)) {
        write_unit(w, '@');
        write_upper(w, domain);
    } else if (domain.size) {
        bool is_default;
        status_t status = default_realm_find(domain, &is_default);
        if (!status_ok(status) || is_default) return status;
        write_unit(w, '@');
        writer_slice(w, domain);
    }
    return SEC_E_OK;
}

status_t user_principal(struct slice user, struct slice domain, struct blob *out)
{
    struct writer w;
    struct blob principal = {NULL, 0};
    bool possible = user.size <= NAME_CHARS_MAX * sizeof(wchar_t) && utf16_valid(user) &&
                    domain.size <= NAME_CHARS_MAX * sizeof(wchar_t) && utf16_valid(domain);
    if (!possible) return SEC_E_UNKNOWN_CREDENTIALS;
    writer_init(&w);
    status_t status = user_write(&w, user, domain);
    if (!status_ok(status)) {
        writer_free(&w);
        return status;
    }
    status = principal_take(&w, &principal);
    if (status_ok(status) && principal.size > CALL_NAME_MAX) status = SEC_E_UNKNOWN_CREDENTIALS;
    if (!status_ok(status)) {
        blob_clear(&principal);
        return status;
    }
    blob_clear(out);
    *out = principal;
    return SEC_E_OK;
}

/* An at sign in a name has a backslash before it; a realm has none. */
struct slice principal_realm(struct slice principal)
{
    size_t at = text_find_last(principal, '@');
    size_t behind = at == principal.size ? at : at + 2;
    return text_part(principal, behind, principal.size);
}

status_t principal_split(struct slice principal, struct blob *name, struct blob *realm)
{
    status_t status = blob_set(name, text_part(principal, 0, text_find_last(principal, '@')));
    return status_ok(status) ? blob_set(realm, principal_realm(principal)) : status;
}
