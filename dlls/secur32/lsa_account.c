/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The user of the process and tokens, see lsa_account.h. */
#include "lsa_account.h"

#include "package.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

/* A block of malloc, or NULL. */
static void *token_information(HANDLE token, TOKEN_INFORMATION_CLASS class, NTSTATUS *status)
{
    DWORD size = 0;
    *status = STATUS_INVALID_HANDLE;
    GetTokenInformation(token, class, NULL, 0, &size);
    void *block = size ? malloc(size) : NULL;
    if (size && !block) *status = STATUS_NO_MEMORY;
    if (block && GetTokenInformation(token, class, block, size, &size)) {
        *status = STATUS_SUCCESS;
        return block;
    }
    free(block);
    return NULL;
}

HANDLE account_caller_token(DWORD access, bool *impersonating)
{
    HANDLE token = NULL;
    *impersonating = OpenThreadToken(GetCurrentThread(), access, TRUE, &token);
    if (*impersonating) return token;
    *impersonating = GetLastError() != ERROR_NO_TOKEN;
    if (*impersonating) return NULL;
    return OpenProcessToken(GetCurrentProcess(), access, &token) ? token : NULL;
}

/* ---- the session of the process ---- */

static WCHAR *text_make(const WCHAR *text, DWORD length)
{
    WCHAR *copy = malloc((length + 1) * sizeof(*copy));
    if (!copy) return NULL;
    memcpy(copy, text, length * sizeof(*copy));
    copy[length] = 0;
    return copy;
}

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

static bool texts_fill(struct session_facts *facts, PSID sid)
{
    WCHAR user[257] = L"", domain[257] = L"", computer[MAX_COMPUTERNAME_LENGTH + 1] = L"";
    DWORD user_size = ARRAYSIZE(user), domain_size = ARRAYSIZE(domain);
    DWORD computer_size = ARRAYSIZE(computer);
    SID_NAME_USE use;
    if (!LookupAccountSidW(NULL, sid, user, &user_size, domain, &domain_size, &use))
        WARN("the user of the process has no name: error %lu\n", GetLastError());
    GetComputerNameW(computer, &computer_size);
    /* Who logs on to a machine without a domain is judged by NTLM. */
    const WCHAR *const texts[SESSION_TEXTS] = {user, domain, L"NTLM", computer, L"", L""};
    for (int i = 0; i < SESSION_TEXTS; i++) {
        facts->texts[i] = text_make(texts[i], (DWORD)wcslen(texts[i]));
        if (!facts->texts[i]) return false;
    }
    return true;
}

bool account_session_facts(struct session_facts *out)
{
    struct session_facts facts = {.package_id = SECPKG_ID_NONE, .type = Interactive};
    HANDLE token = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    NTSTATUS status;
    TOKEN_STATISTICS *statistics = token_information(token, TokenStatistics, &status);
    TOKEN_USER *user = token_information(token, TokenUser, &status);
    bool done = statistics && user;
    if (done) {
        DWORD size = GetLengthSid(user->User.Sid);
        facts.id = statistics->AuthenticationId;
        facts.time = session_begin();
        facts.sid = malloc(size);
        done = facts.sid && CopySid(size, facts.sid, user->User.Sid) &&
               texts_fill(&facts, user->User.Sid);
    }
    free(user);
    free(statistics);
    CloseHandle(token);
    if (done) *out = facts;
    else session_facts_free(&facts);
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
    TOKEN_GROUPS *present = token_information(token, TokenGroups, &status);
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
    TOKEN_USER *user = token_information(process, TokenUser, &status);
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

/* Nobody's token is got by being nobody for a moment. The thread may be somebody else already, and
 * has to be that again afterwards. */
static NTSTATUS anonymous_token(SECURITY_LOGON_TYPE type, SECURITY_IMPERSONATION_LEVEL level,
                                HANDLE *out)
{
    HANDLE before = NULL, nobody;
    NTSTATUS status = STATUS_LOGON_TYPE_NOT_GRANTED;
    if (type != Network) return status; /* nobody works at the machine */
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE, TRUE, &before)) {
        if (GetLastError() != ERROR_NO_TOKEN) return STATUS_ACCESS_DENIED; /* no way back */
        before = NULL;
    }
    if (ImpersonateAnonymousToken(GetCurrentThread())) {
        if (OpenThreadToken(GetCurrentThread(), TOKEN_DUPLICATE, TRUE, &nobody)) {
            status = token_duplicate(nobody, type, level, out);
            CloseHandle(nobody);
        }
        SetThreadToken(NULL, before);
    }
    if (before) CloseHandle(before);
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
    TOKEN_GROUPS *groups = token_information(token, TokenGroups, &status);
    if (!groups) return status;
    BOOLEAN found = FALSE;
    for (DWORD i = 0; i < groups->GroupCount; i++)
        if (groups->Groups[i].Attributes & SE_GROUP_ENABLED)
            found |= sid_is_protected_users(groups->Groups[i].Sid);
    free(groups);
    *out = found;
    return STATUS_SUCCESS;
}
