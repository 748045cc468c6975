/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens for clients for whom Wine has none; see ssp/foreign.h. */
#include "ssp/foreign.h"

#include "ssp/prefix.h"
#include "ssp/token.h"
#include "ssp/trace.h"

#include <stdbool.h>
#include <stdlib.h>

TRACE_CHANNEL("sspi");

static volatile LONG any_seen;

/* ---- the policy ---- */

static bool policy_read(void)
{
    DWORD wanted = 0, size = sizeof(wanted);
    LSTATUS error = RegGetValueW(HKEY_LOCAL_MACHINE, PREFIX_REGISTRY_KEY, FOREIGN_TOKENS_VALUE,
                                 RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY, NULL, &wanted, &size);
    return !error && wanted == 1;
}

/* One word, so that it takes no lock: the second of the reading and, lowest bit, the answer. */
bool foreign_tokens_wanted(void)
{
    static volatile LONG kept;
    ULONG second = (ULONG)(GetTickCount64() / 1000) + 1, seen = (ULONG)kept;
    if (seen >> 1 == (second & 0x7fffffff)) return seen & 1;
    bool wanted = policy_read();
    InterlockedExchange(&kept, (LONG)(second << 1 | wanted));
    return wanted;
}

/* ---- tokens ---- */

/* Without privileges, and with all its groups for denying only. */
static HANDLE token_strip(HANDLE source)
{
    TOKEN_GROUPS *groups = token_info(source, TokenGroups, NULL);
    TOKEN_PRIVILEGES *privileges = token_info(source, TokenPrivileges, NULL);
    HANDLE stripped = NULL;
    if (groups && privileges &&
        !CreateRestrictedToken(source, 0, groups->GroupCount, groups->Groups,
                               privileges->PrivilegeCount, privileges->Privileges, 0, NULL,
                               &stripped))
        stripped = NULL;
    free(groups);
    free(privileges);
    return stripped;
}

HANDLE foreign_token_make(void)
{
    HANDLE token = NULL, process = process_token_open(TOKEN_DUPLICATE | TOKEN_QUERY);
    if (!process) return NULL;
    HANDLE stripped = token_strip(process);
    if (stripped && !DuplicateTokenEx(stripped, MAXIMUM_ALLOWED, NULL, SecurityIdentification,
                                      TokenImpersonation, &token))
        token = NULL;
    if (token && !foreign_token_is(token)) {
        ERR("this Wine does not take privileges and groups from a token\n");
        CloseHandle(token);
        token = NULL;
    }
    if (stripped) CloseHandle(stripped);
    CloseHandle(process);
    return token;
}

bool foreign_token_is(HANDLE token)
{
    TOKEN_STATISTICS statistics;
    DWORD size;
    if (!GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size))
        return true;
    if (statistics.PrivilegeCount) return false;
    TOKEN_GROUPS *groups = token_info(token, TokenGroups, NULL);
    bool foreign = true;
    for (DWORD i = 0; groups && i < groups->GroupCount; i++)
        if (!(groups->Groups[i].Attributes & SE_GROUP_USE_FOR_DENY_ONLY)) foreign = false;
    free(groups);
    if (foreign && !any_seen) InterlockedExchange(&any_seen, 1);
    return foreign;
}

/* Of a null session, which needs no policy. */
static bool is_of_nobody(HANDLE token)
{
    TOKEN_USER *user = token_info(token, TokenUser, NULL);
    bool nobody = !user || IsWellKnownSid(user->User.Sid, WinAnonymousSid);
    free(user);
    return nobody;
}

bool foreign_caller(void)
{
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token))
        return GetLastError() != ERROR_NO_TOKEN;
    bool possible = any_seen || foreign_tokens_wanted();
    bool foreign = is_of_nobody(token) || (possible && foreign_token_is(token));
    CloseHandle(token);
    return foreign;
}
