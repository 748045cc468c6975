/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens of the process, of the caller and of nobody; see ssp/token.h. */
#include "ssp/token.h"

#include "ssp/trace.h"

#include <stdlib.h>

TRACE_CHANNEL("sspi");

void *token_info(HANDLE token, TOKEN_INFORMATION_CLASS class, NTSTATUS *status)
{
    NTSTATUS ignored;
    DWORD size = 0;
    if (!status) status = &ignored;
    *status = STATUS_INVALID_HANDLE;
    GetTokenInformation(token, class, NULL, 0, &size);
    void *info = size ? malloc(size) : NULL;
    if (size && !info) *status = STATUS_NO_MEMORY;
    if (info && GetTokenInformation(token, class, info, size, &size)) {
        *status = STATUS_SUCCESS;
        return info;
    }
    free(info);
    return NULL;
}

bool process_token_info(TOKEN_INFORMATION_CLASS class, void *out, DWORD size)
{
    HANDLE token;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    bool found = GetTokenInformation(token, class, out, size, &size);
    CloseHandle(token);
    return found;
}

bool process_sid(SID *out)
{
    union {
        TOKEN_USER user;
        uint8_t room[sizeof(TOKEN_USER) + SID_ROOM];
    } found;
    return process_token_info(TokenUser, &found, sizeof(found)) &&
           CopySid(SID_ROOM, out, found.user.User.Sid);
}

bool process_logon_id(LUID *out)
{
    TOKEN_STATISTICS statistics;
    if (!process_token_info(TokenStatistics, &statistics, sizeof(statistics))) return false;
    *out = statistics.AuthenticationId;
    return true;
}

bool process_logon_is(const LUID *id)
{
    LUID own;
    return (!id->LowPart && !id->HighPart) || (process_logon_id(&own) && SecEqualLuid(&own, id));
}

/* token may be NULL: the thread acts for itself then. */
static void thread_token_restore(HANDLE token)
{
    if (!SetThreadToken(NULL, token)) ERR("the thread does not act for its client any more\n");
}

HANDLE process_token_open(DWORD access)
{
    HANDLE before, token = NULL;
    if (OpenProcessToken(GetCurrentProcess(), access, &token)) return token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE, TRUE, &before)) return NULL;
    if (RevertToSelf() && !OpenProcessToken(GetCurrentProcess(), access, &token)) token = NULL;
    thread_token_restore(before);
    CloseHandle(before);
    return token;
}

HANDLE caller_token_open(DWORD access, bool *impersonating)
{
    HANDLE token = NULL;
    bool own = OpenThreadToken(GetCurrentThread(), access, TRUE, &token);
    bool acts = own || GetLastError() != ERROR_NO_TOKEN;
    if (impersonating) *impersonating = acts;
    if (own) return token;
    if (acts || !OpenProcessToken(GetCurrentProcess(), access, &token)) return NULL;
    return token;
}

/* It is got by being nobody for a moment. */
NTSTATUS nobody_token_open(DWORD access, HANDLE *out)
{
    HANDLE before = NULL, nobody;
    NTSTATUS status = STATUS_LOGON_TYPE_NOT_GRANTED;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE, TRUE, &before)) {
        if (GetLastError() != ERROR_NO_TOKEN) return STATUS_ACCESS_DENIED; /* no way back */
        before = NULL;
    }
    if (ImpersonateAnonymousToken(GetCurrentThread())) {
        if (OpenThreadToken(GetCurrentThread(), access, TRUE, &nobody)) {
            *out = nobody;
            status = STATUS_SUCCESS;
        }
        thread_token_restore(before);
    }
    if (before) CloseHandle(before);
    return status;
}

/* ---- a server's client ---- */

static HANDLE token_copy(HANDLE source, bool identify)
{
    HANDLE token;
    SECURITY_IMPERSONATION_LEVEL level = identify ? SecurityIdentification : SecurityImpersonation;
    bool made = DuplicateTokenEx(source, MAXIMUM_ALLOWED, NULL, level, TokenImpersonation, &token);
    return made ? token : NULL;
}

HANDLE client_token_own(bool identify)
{
    HANDLE process = process_token_open(TOKEN_DUPLICATE);
    if (!process) return NULL;
    HANDLE token = token_copy(process, identify);
    CloseHandle(process);
    return token;
}

HANDLE client_token_nobody(bool identify)
{
    HANDLE nobody;
    if (nobody_token_open(TOKEN_DUPLICATE, &nobody) < 0) return NULL;
    HANDLE token = token_copy(nobody, identify);
    CloseHandle(nobody);
    return token;
}
