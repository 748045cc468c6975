/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GetUserNameEx, GetComputerObjectName and TranslateName (secext.h). The machine is taken not to
 * be a member of a domain: of the formats of EXTENDED_NAME_FORMAT there is only NameSamCompatible
 * then, as the documentation of GetUserNameEx says; the others are what a directory keeps. Omitted:
 * NameDisplay of a local account, since Wine keeps no full names.
 */
#include "ansi.h"
#include "ssp/foreign.h"
#include "ssp/token.h"
#include "ssp/trace.h"
#include "token_name.h"

#include <lmcons.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

#define NAME_CHARS (UNLEN + 1)

/* ---- giving a name to the caller ---- */

/* What the functions make of a size, which counts characters. */
struct size_rule {
    DWORD too_small;
    bool counts_end; /* the size that comes with a name includes its terminator */
    bool can_ask;    /* no buffer is the way to ask for the size */
};

static const struct size_rule user_rule = {ERROR_MORE_DATA, false, false};
static const struct size_rule translation_rule = {ERROR_INSUFFICIENT_BUFFER, true, true};

/* length characters of this width, terminator included. */
static DWORD text_give(const struct size_rule *rule, const void *text, size_t length, size_t width,
                       void *buffer, ULONG *size)
{
    ULONG room = buffer ? *size : 0;
    if (room < length) {
        *size = (ULONG)length;
        return rule->can_ask && !room ? ERROR_SUCCESS : rule->too_small;
    }
    memcpy(buffer, text, length * width);
    *size = (ULONG)length - (rule->counts_end ? 0 : 1);
    return ERROR_SUCCESS;
}

/* Takes the name over. */
static DWORD wide_give(const struct size_rule *rule, WCHAR *name, WCHAR *buffer, ULONG *size)
{
    DWORD error = text_give(rule, name, wcslen(name) + 1, sizeof(*name), buffer, size);
    HeapFree(GetProcessHeap(), 0, name);
    return error;
}

static DWORD ansi_give(const struct size_rule *rule, WCHAR *name, char *buffer, ULONG *size)
{
    char *text;
    status_t status = ansi_from_wide(name, &text);
    HeapFree(GetProcessHeap(), 0, name);
    if (!status_ok(status)) return ERROR_NOT_ENOUGH_MEMORY;
    DWORD error = text_give(rule, text, strlen(text) + 1, sizeof(*text), buffer, size);
    HeapFree(GetProcessHeap(), 0, text);
    return error;
}

static BOOLEAN answer(DWORD error)
{
    if (error) SetLastError(error);
    return !error;
}

static bool format_exists(EXTENDED_NAME_FORMAT format)
{
    static const ULONG formats = 1u << NameFullyQualifiedDN | 1u << NameSamCompatible |
                                 1u << NameDisplay | 1u << NameUniqueId | 1u << NameCanonical |
                                 1u << NameUserPrincipal | 1u << NameCanonicalEx |
                                 1u << NameServicePrincipal | 1u << NameDnsDomain |
                                 1u << NameGivenName | 1u << NameSurname;
    return (ULONG)format < 32 && formats >> (ULONG)format & 1;
}

/* ---- accounts ---- */

/* DOMAIN\name of an account; the caller frees it. */
static DWORD sid_name(PSID sid, WCHAR **out)
{
    WCHAR user[NAME_CHARS], domain[NAME_CHARS];
    DWORD user_chars = NAME_CHARS, domain_chars = NAME_CHARS;
    SID_NAME_USE use;
    if (!LookupAccountSidW(NULL, sid, user, &user_chars, domain, &domain_chars, &use))
        return ERROR_NONE_MAPPED;
    size_t size = (wcslen(domain) + 1 + wcslen(user) + 1) * sizeof(WCHAR);
    WCHAR *name = HeapAlloc(GetProcessHeap(), 0, size);
    if (!name) return ERROR_NOT_ENOUGH_MEMORY;
    wcscpy(name, domain);
    if (*domain) wcscat(name, L"\\");
    wcscat(name, user);
    *out = name;
    return ERROR_SUCCESS;
}

static DWORD token_sid_name(HANDLE token, WCHAR **out)
{
    union {
        TOKEN_USER user;
        BYTE room[sizeof(TOKEN_USER) + SID_ROOM];
    } info;
    DWORD size;
    if (!GetTokenInformation(token, TokenUser, &info, sizeof(info), &size)) return GetLastError();
    return sid_name(info.user.User.Sid, out);
}

/* Who the thread acts for, or else the process. */
static DWORD caller_name(WCHAR **out)
{
    HANDLE token = caller_token_open(TOKEN_QUERY, NULL);
    if (!token) return GetLastError();
    /* The user in a foreign token is the one of this process, who is not meant. */
    DWORD error = foreign_token_is(token) ? token_name_get(token, out) : token_sid_name(token, out);
    CloseHandle(token);
    return error;
}

/* ---- users ---- */

static DWORD user_name(EXTENDED_NAME_FORMAT format, WCHAR **out)
{
    if (format == NameUnknown) return ERROR_NO_SUCH_USER;
    if (!format_exists(format)) return ERROR_INVALID_PARAMETER;
    if (format != NameSamCompatible) return ERROR_NONE_MAPPED;
    return caller_name(out);
}

BOOLEAN WINAPI GetUserNameExW(EXTENDED_NAME_FORMAT format, WCHAR *buffer, ULONG *size)
{
    WCHAR *name;
    DWORD error = size ? user_name(format, &name) : ERROR_INVALID_PARAMETER;
    if (!error) error = wide_give(&user_rule, name, buffer, size);
    TRACE("format %d: error %lu\n", format, error);
    return answer(error);
}

BOOLEAN WINAPI GetUserNameExA(EXTENDED_NAME_FORMAT format, char *buffer, ULONG *size)
{
    WCHAR *name;
    DWORD error = size ? user_name(format, &name) : ERROR_INVALID_PARAMETER;
    if (!error) error = ansi_give(&user_rule, name, buffer, size);
    TRACE("format %d: error %lu\n", format, error);
    return answer(error);
}

/* ---- computers ---- */

/* A computer that is in no domain has no object there. */
static BOOLEAN computer_answer(EXTENDED_NAME_FORMAT format, const ULONG *size)
{
    bool known = format_exists(format) && size;
    return answer(known ? ERROR_CANT_ACCESS_DOMAIN_INFO : ERROR_INVALID_PARAMETER);
}

BOOLEAN WINAPI GetComputerObjectNameW(EXTENDED_NAME_FORMAT format, WCHAR *buffer, ULONG *size)
{
    (void)buffer;
    return computer_answer(format, size);
}

BOOLEAN WINAPI GetComputerObjectNameA(EXTENDED_NAME_FORMAT format, char *buffer, ULONG *size)
{
    (void)buffer;
    return computer_answer(format, size);
}

/* ---- translation ---- */

static bool account_sid(const WCHAR *name, BYTE sid[SID_ROOM], SID_NAME_USE *use)
{
    WCHAR domain[NAME_CHARS];
    DWORD sid_size = SID_ROOM, domain_chars = NAME_CHARS;
    return LookupAccountNameW(NULL, name, sid, &sid_size, domain, &domain_chars, use);
}

/* Whether this machine knows the domain in DOMAIN\name; there need not be one. Wine's look-up of an
 * account does not look at it. */
static bool domain_is_known(const WCHAR *name)
{
    WCHAR domain[NAME_CHARS];
    BYTE sid[SID_ROOM];
    SID_NAME_USE use;
    const WCHAR *end = wcschr(name, '\\');
    size_t length = end ? (size_t)(end - name) : 0;
    if (!end || (length == 1 && *name == '.')) return true;
    if (length >= NAME_CHARS) return false;
    wmemcpy(domain, name, length);
    domain[length] = 0;
    return account_sid(domain, sid, &use) && use == SidTypeDomain;
}

/* The directory would be asked about every other format, and nobody can reach it. */
static DWORD name_translate(const WCHAR *account, EXTENDED_NAME_FORMAT from,
                            EXTENDED_NAME_FORMAT to, WCHAR **out)
{
    BYTE sid[SID_ROOM];
    SID_NAME_USE use;
    if (!account || !*account || !format_exists(to)) return ERROR_INVALID_PARAMETER;
    if (from != NameUnknown && !format_exists(from)) return ERROR_INVALID_PARAMETER;
    if (from != NameUnknown && from != NameSamCompatible) return ERROR_NO_SUCH_DOMAIN;
    if (!domain_is_known(account)) return ERROR_NO_SUCH_DOMAIN;
    if (!account_sid(account, sid, &use)) return ERROR_NONE_MAPPED;
    return to == NameSamCompatible ? sid_name(sid, out) : ERROR_NONE_MAPPED;
}

BOOLEAN WINAPI TranslateNameW(LPCWSTR account, EXTENDED_NAME_FORMAT from, EXTENDED_NAME_FORMAT to,
                              WCHAR *buffer, ULONG *size)
{
    WCHAR *name;
    DWORD error = size ? name_translate(account, from, to, &name) : ERROR_INVALID_PARAMETER;
    if (!error) error = wide_give(&translation_rule, name, buffer, size);
    TRACE("format %d to %d: error %lu\n", from, to, error);
    return answer(error);
}

BOOLEAN WINAPI TranslateNameA(LPCSTR account, EXTENDED_NAME_FORMAT from, EXTENDED_NAME_FORMAT to,
                              char *buffer, ULONG *size)
{
    WCHAR *wide, *name;
    if (!size) return answer(ERROR_INVALID_PARAMETER);
    if (!status_ok(ansi_to_wide(account, &wide))) return answer(ERROR_NOT_ENOUGH_MEMORY);
    DWORD error = name_translate(wide, from, to, &name);
    HeapFree(GetProcessHeap(), 0, wide);
    if (!error) error = ansi_give(&translation_rule, name, buffer, size);
    TRACE("format %d to %d: error %lu\n", from, to, error);
    return answer(error);
}
