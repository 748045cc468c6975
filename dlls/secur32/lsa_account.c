/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The user of the process and tokens, see lsa_account.h. */
#include "lsa_account.h"

#include "package.h"
#include "ssp/token.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("sspi");

/* ---- the session of the process ---- */

/* A session begins when its user logs on; the user of a prefix does when its server starts. */
static LARGE_INTEGER session_begin(void)
{
    struct { /* SYSTEM_TIMEOFDAY_INFORMATION */
        LARGE_INTEGER boot, now, bias;
        ULONG rest[6];
    } times = {0};
    NTSTATUS(NTAPI * query)
    (ULONG, void *, ULONG, ULONG *) = (void *)GetProcAddress(GetModuleHandleW(L"ntdll"),
                                                             "NtQuerySystemInformation");
    if (query) query(3 /* SystemTimeOfDayInformation */, &times, sizeof(times), NULL);
    return times.boot;
}

struct own_names {
    WCHAR user[257], domain[257], computer[MAX_COMPUTERNAME_LENGTH + 1];
};

static void own_names_get(PSID sid, struct own_names *out)
{
    DWORD user_size = ARRAYSIZE(out->user), domain_size = ARRAYSIZE(out->domain);
    DWORD computer_size = ARRAYSIZE(out->computer);
    SID_NAME_USE use;
    *out = (struct own_names){L"", L"", L""};
    if (!LookupAccountSidW(NULL, sid, out->user, &user_size, out->domain, &domain_size, &use))
        WARN("the user of the process has no name: error %lu\n", GetLastError());
    GetComputerNameW(out->computer, &computer_size);
}

static bool own_facts(const TOKEN_STATISTICS *statistics, const TOKEN_USER *user,
                      struct session_facts *out)
{
    struct own_names names;
    own_names_get(user->User.Sid, &names);
    const struct session_facts facts = {
        .id = statistics->AuthenticationId,
        .package_id = SECPKG_ID_NONE,
        .type = Interactive,
        .time = session_begin(),
        .sid = user->User.Sid,
        .texts =
            {
                [SESSION_USER] = names.user,
                [SESSION_DOMAIN] = names.domain,
                /* Who logs on to a machine without a domain is judged by NTLM. */
                [SESSION_PACKAGE] = (WCHAR *)L"NTLM",
                [SESSION_SERVER] = names.computer,
            },
    };
    return session_facts_copy(&facts, out);
}

bool account_session_facts(struct session_facts *out)
{
    HANDLE token = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    TOKEN_STATISTICS *statistics = token_info(token, TokenStatistics, NULL);
    TOKEN_USER *user = token_info(token, TokenUser, NULL);
    bool done = statistics && user && own_facts(statistics, user, out);
    free(user);
    free(statistics);
    CloseHandle(token);
    return done;
}

/* ---- tokens ---- */

static bool group_present(const TOKEN_GROUPS *present, PSID sid)
{
    for (DWORD i = 0; i < present->GroupCount; i++)
        if (EqualSid(present->Groups[i].Sid, sid)) return true;
    return false;
}

/* STATUS_NOT_SUPPORTED for what would have to be added. */
static NTSTATUS groups_check(HANDLE token, const TOKEN_GROUPS *wanted)
{
    NTSTATUS status = STATUS_SUCCESS;
    if (!wanted || !wanted->GroupCount) return status;
    TOKEN_GROUPS *present = token_info(token, TokenGroups, &status);
    for (DWORD i = 0; present && i < wanted->GroupCount; i++)
        if (!group_present(present, wanted->Groups[i].Sid)) status = STATUS_NOT_SUPPORTED;
    free(present);
    return status;
}

static NTSTATUS token_duplicate(HANDLE source, SECURITY_LOGON_TYPE type,
                                SECURITY_IMPERSONATION_LEVEL level, HANDLE *out)
{
    TOKEN_TYPE kind = type == Network ? TokenImpersonation : TokenPrimary;
    HANDLE made;
    if (!DuplicateTokenEx(source, MAXIMUM_ALLOWED, NULL, level, kind, &made))
        return STATUS_ACCESS_DENIED;
    *out = made;
    return STATUS_SUCCESS;
}

static NTSTATUS own_token(PSID sid, SECURITY_LOGON_TYPE type, SECURITY_IMPERSONATION_LEVEL level,
                          const TOKEN_GROUPS *groups, HANDLE *out)
{
    HANDLE process;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_QUERY, &process))
        return STATUS_ACCESS_DENIED;
    NTSTATUS status;
    TOKEN_USER *user = token_info(process, TokenUser, &status);
    if (user && (!sid || !EqualSid(user->User.Sid, sid))) {
        WARN("only the user of this process can have a token here\n");
        status = STATUS_LOGON_TYPE_NOT_GRANTED;
    }
    if (status >= 0) status = groups_check(process, groups);
    if (status == STATUS_NOT_SUPPORTED) WARN("groups cannot be added to a token\n");
    if (status >= 0) status = token_duplicate(process, type, level, out);
    free(user);
    CloseHandle(process);
    return status;
}

static NTSTATUS anonymous_token(SECURITY_LOGON_TYPE type, SECURITY_IMPERSONATION_LEVEL level,
                                HANDLE *out)
{
    HANDLE nobody;
    if (type != Network) return STATUS_LOGON_TYPE_NOT_GRANTED; /* nobody works at the machine */
    NTSTATUS status = nobody_token_open(TOKEN_DUPLICATE, &nobody);
    if (status < 0) return status;
    status = token_duplicate(nobody, type, level, out);
    CloseHandle(nobody);
    return status;
}

NTSTATUS account_token(LSA_TOKEN_INFORMATION_TYPE kind, const void *information,
                       SECURITY_LOGON_TYPE type, SECURITY_IMPERSONATION_LEVEL level,
                       const TOKEN_GROUPS *groups, HANDLE *out)
{
    if (kind == LsaTokenInformationNull) return anonymous_token(type, level, out);
    if (kind != LsaTokenInformationV1 && kind != LsaTokenInformationV2)
        return STATUS_BAD_VALIDATION_CLASS;
    const LSA_TOKEN_INFORMATION_V1 *user = information;
    if (!user) return STATUS_INVALID_PARAMETER;
    return own_token(user->User.User.Sid, type, level, groups, out);
}

/* ---- protected users ---- */

static bool sid_is_protected_users(PSID sid)
{
    static const SID_IDENTIFIER_AUTHORITY nt = {SECURITY_NT_AUTHORITY};
    UCHAR parts = *GetSidSubAuthorityCount(sid);
    return parts == 5 && !memcmp(GetSidIdentifierAuthority(sid), &nt, sizeof(nt)) &&
           *GetSidSubAuthority(sid, 0) == SECURITY_NT_NON_UNIQUE &&
           *GetSidSubAuthority(sid, 4) == 525; /* DOMAIN_GROUP_RID_PROTECTED_USERS */
}

NTSTATUS account_is_protected(HANDLE token, BOOLEAN *out)
{
    NTSTATUS status;
    TOKEN_GROUPS *groups = token_info(token, TokenGroups, &status);
    if (!groups) return status;
    BOOLEAN found = FALSE;
    for (DWORD i = 0; i < groups->GroupCount; i++)
        if (groups->Groups[i].Attributes & SE_GROUP_ENABLED)
            found |= sid_is_protected_users(groups->Groups[i].Sid);
    free(groups);
    *out = found;
    return STATUS_SUCCESS;
}
