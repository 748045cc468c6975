/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of logon sessions: LsaEnumerateLogonSessions, LsaGetLogonSessionData,
 * GetSecurityUserInfo. Each answer is one block that LsaFreeReturnBuffer frees. All sessions that
 * are listed are those of this process, so there is none that it may not ask for.
 */
#include "load_lsa.h"
#include "lsa_account.h"
#include "lsa_caller.h"
#include "ssp/token.h"

#include <string.h>
#include <wchar.h>

/* ntlsa.h, which MinGW-w64 does not have. */
NTSTATUS WINAPI SeciIsProtectedUser(BOOLEAN *is_protected);
NTSTATUS WINAPI GetSecurityUserInfo(LUID *id, ULONG flags, SecurityUserData **out);

static const LARGE_INTEGER never = {.QuadPart = 0x7fffffffffffffff};

NTSTATUS WINAPI LsaEnumerateLogonSessions(ULONG *count, LUID **list)
{
    if (!count || !list) return STATUS_INVALID_PARAMETER;
    return session_list(count, list);
}

/* ---- blocks ---- */

static size_t text_room(const WCHAR *text)
{
    return text ? (wcslen(text) + 1) * sizeof(*text) : sizeof(*text);
}

static void text_put(WCHAR **at, const WCHAR *text, LSA_UNICODE_STRING *out)
{
    size_t room = text_room(text);
    memcpy(*at, text ? text : L"", room);
    out->Buffer = *at;
    out->Length = (USHORT)(room - sizeof(WCHAR));
    out->MaximumLength = (USHORT)room;
    *at += room / sizeof(WCHAR);
}

/* The structure, then the SID, then the text. *sid is where the SID is, NULL when there is none. */
static void *block_make(const struct session_facts *facts, size_t structure, PSID *sid, WCHAR **at)
{
    DWORD sid_size = facts->sid ? GetLengthSid(facts->sid) : 0;
    size_t size = structure + sid_size;
    for (int i = 0; i < SESSION_TEXTS; i++) size += text_room(facts->texts[i]);
    BYTE *block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
    if (!block) return NULL;
    *sid = facts->sid ? block + structure : NULL;
    if (facts->sid) CopySid(sid_size, *sid, facts->sid);
    *at = (WCHAR *)(block + structure + sid_size);
    return block;
}

static SECURITY_LOGON_SESSION_DATA *session_data(const struct session_facts *facts)
{
    PSID sid;
    WCHAR *at;
    SECURITY_LOGON_SESSION_DATA *data = block_make(facts, sizeof(*data), &sid, &at);
    if (!data) return NULL;
    data->Size = sizeof(*data);
    data->LogonId = facts->id;
    text_put(&at, facts->texts[SESSION_USER], &data->UserName);
    text_put(&at, facts->texts[SESSION_DOMAIN], &data->LogonDomain);
    text_put(&at, facts->texts[SESSION_PACKAGE], &data->AuthenticationPackage);
    text_put(&at, facts->texts[SESSION_SERVER], &data->LogonServer);
    text_put(&at, facts->texts[SESSION_DNS_DOMAIN], &data->DnsDomainName);
    text_put(&at, facts->texts[SESSION_UPN], &data->Upn);
    data->LogonType = facts->type;
    DWORD session = 0;
    if (facts->sid && ProcessIdToSessionId(GetCurrentProcessId(), &session))
        data->Session = session;
    data->Sid = sid;
    data->LogonTime = facts->time;
    data->LogoffTime = data->KickOffTime = data->PasswordMustChange = never;
    return data;
}

static SecurityUserData *user_data(const struct session_facts *facts)
{
    PSID sid;
    WCHAR *at;
    LSA_UNICODE_STRING user, domain, server;
    SecurityUserData *data = block_make(facts, sizeof(*data), &sid, &at);
    if (!data) return NULL;
    text_put(&at, facts->texts[SESSION_USER], &user);
    text_put(&at, facts->texts[SESSION_DOMAIN], &domain);
    text_put(&at, facts->texts[SESSION_SERVER], &server);
    data->UserName = (SECURITY_STRING){user.Length, user.MaximumLength, user.Buffer};
    data->LogonDomainName = (SECURITY_STRING){domain.Length, domain.MaximumLength, domain.Buffer};
    data->LogonServer = (SECURITY_STRING){server.Length, server.MaximumLength, server.Buffer};
    data->pSid = sid;
    return data;
}

/* ---- exports ---- */

NTSTATUS WINAPI LsaGetLogonSessionData(LUID *id, SECURITY_LOGON_SESSION_DATA **out)
{
    if (!id || !out) return STATUS_INVALID_PARAMETER;
    struct session_facts facts = {0};
    NTSTATUS status = session_facts_get(id, &facts);
    if (status < 0) return status;
    SECURITY_LOGON_SESSION_DATA *data = session_data(&facts);
    session_facts_free(&facts);
    if (!data) return STATUS_NO_MEMORY;
    *out = data;
    return STATUS_SUCCESS;
}

struct user_info_call {
    const struct package *package;
    LUID id;
    ULONG flags;
    SecurityUserData *data;
    NTSTATUS status;
};

static void user_info_call(void *argument)
{
    struct user_info_call *c = argument;
    c->status = c->package->lsa->GetUserInfo(&c->id, c->flags, &c->data);
}

static NTSTATUS user_info_ask(const struct package *package, const LUID *id, ULONG flags,
                              SecurityUserData **out)
{
    struct user_info_call call = {package, *id, flags, NULL, STATUS_INTERNAL_ERROR};
    lsa_call_run(package, "GetUserInfo", 0, user_info_call, &call);
    if (call.status >= 0) *out = call.data;
    return call.status;
}

/* A package that made the session and knows its user is asked; flags are for such packages. */
NTSTATUS WINAPI GetSecurityUserInfo(LUID *id, ULONG flags, SecurityUserData **out)
{
    if (!out) return STATUS_INVALID_PARAMETER;
    LUID own = session_own_id();
    struct session_facts facts = {0};
    NTSTATUS status = session_facts_get(id ? id : &own, &facts);
    if (status < 0) return status;
    struct package *package = facts.package_id == SECPKG_ID_NONE
                                  ? NULL
                                  : lsa_package_find(facts.package_id);
    if (package && package->lsa->GetUserInfo) {
        status = user_info_ask(package, &facts.id, flags, out);
    } else {
        SecurityUserData *data = user_data(&facts);
        status = data ? STATUS_SUCCESS : STATUS_NO_MEMORY;
        if (data) *out = data;
    }
    session_facts_free(&facts);
    return status;
}

NTSTATUS WINAPI SeciIsProtectedUser(BOOLEAN *is_protected)
{
    if (!is_protected) return STATUS_INVALID_PARAMETER;
    bool impersonating;
    HANDLE token = caller_token_open(TOKEN_QUERY, &impersonating);
    if (!token) return STATUS_ACCESS_DENIED;
    NTSTATUS status = account_is_protected(token, is_protected);
    CloseHandle(token);
    return status;
}
