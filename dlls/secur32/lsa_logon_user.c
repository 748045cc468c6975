/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LogonUserExExW: advapi32's log-on of a user with a password, on top of LsaLogonUser. Its message
 * is MSV1_0_INTERACTIVE_LOGON, which every package for passwords takes: Negotiate's, unless the
 * caller wants NTLM (LOGON32_PROVIDER_WINNT40 and older).
 */
#include "exports.h"
#include "ssp/trace.h"

#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

BOOL WINAPI LogonUserExExW(WCHAR *user, WCHAR *domain, WCHAR *password, DWORD type, DWORD provider,
                           TOKEN_GROUPS *groups, HANDLE *token, PSID *sid, void **profile,
                           DWORD *profile_size, QUOTA_LIMITS *quotas);

/* The structure, then its text: user, domain, password. One block of the process heap. */
static MSV1_0_INTERACTIVE_LOGON *message_make(const WCHAR *user, const WCHAR *domain,
                                              const WCHAR *password, ULONG *size)
{
    const WCHAR *const texts[] = {domain ? domain : L"", user, password ? password : L""};
    size_t lengths[ARRAYSIZE(texts)], total = sizeof(MSV1_0_INTERACTIVE_LOGON);
    for (size_t i = 0; i < ARRAYSIZE(texts); i++) {
        lengths[i] = wcslen(texts[i]) * sizeof(WCHAR);
        if (lengths[i] > UNICODE_STRING_MAX_BYTES) return NULL;
        total += lengths[i];
    }
    MSV1_0_INTERACTIVE_LOGON *message = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, total);
    if (!message) return NULL;
    UNICODE_STRING *const strings[] = {&message->LogonDomainName, &message->UserName,
                                       &message->Password};
    BYTE *at = (BYTE *)(message + 1);
    message->MessageType = MsV1_0InteractiveLogon;
    for (size_t i = 0; i < ARRAYSIZE(texts); i++) {
        memcpy(at, texts[i], lengths[i]);
        *strings[i] = (UNICODE_STRING){(USHORT)lengths[i], (USHORT)lengths[i], (WCHAR *)at};
        at += lengths[i];
    }
    *size = (ULONG)total;
    return message;
}

/* Their SECURITY_LOGON_TYPE has the same number. */
static bool type_known(DWORD type)
{
    return type == LOGON32_LOGON_INTERACTIVE || type == LOGON32_LOGON_NETWORK ||
           type == LOGON32_LOGON_BATCH || type == LOGON32_LOGON_SERVICE ||
           type == LOGON32_LOGON_UNLOCK || type == LOGON32_LOGON_NETWORK_CLEARTEXT ||
           type == LOGON32_LOGON_NEW_CREDENTIALS;
}

/* A copy of the token's user for LocalFree. */
static PSID token_sid(HANDLE token)
{
    BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    const TOKEN_USER *user = (const TOKEN_USER *)room;
    DWORD size;
    if (!GetTokenInformation(token, TokenUser, room, sizeof(room), &size)) return NULL;
    size = GetLengthSid(user->User.Sid);
    PSID copy = LocalAlloc(LMEM_FIXED, size);
    if (copy) CopySid(size, copy, user->User.Sid);
    return copy;
}

static NTSTATUS connection_get(bool trusted, HANDLE *lsa)
{
    LSA_STRING name = {7, 7, (char *)"secur32"};
    LSA_OPERATIONAL_MODE mode;
    return trusted ? LsaRegisterLogonProcess(&name, lsa, &mode) : LsaConnectUntrusted(lsa);
}

struct logon_answer {
    HANDLE token;
    void *profile;
    ULONG profile_size;
    QUOTA_LIMITS quotas;
};

/* The sub-status says what a restriction is. */
static NTSTATUS logon_to(HANDLE lsa, const char *package_name, MSV1_0_INTERACTIVE_LOGON *message,
                         ULONG size, DWORD type, TOKEN_GROUPS *groups, struct logon_answer *answer)
{
    USHORT length = (USHORT)strlen(package_name);
    LSA_STRING name = {length, length, (char *)package_name};
    LSA_STRING origin = {7, 7, (char *)"secur32"};
    TOKEN_SOURCE source = {.SourceName = "secur32"};
    ULONG package;
    LUID id;
    NTSTATUS sub_status = STATUS_SUCCESS;
    NTSTATUS status = LsaLookupAuthenticationPackage(lsa, &name, &package);
    if (status < 0) return status;
    status = LsaLogonUser(lsa, &origin, (SECURITY_LOGON_TYPE)type, package, message, size, groups,
                          &source, &answer->profile, &answer->profile_size, &id, &answer->token,
                          &answer->quotas, &sub_status);
    return status == STATUS_ACCOUNT_RESTRICTION && sub_status < 0 ? sub_status : status;
}

/* The first of the packages that is there and logs users on. */
static NTSTATUS logon(MSV1_0_INTERACTIVE_LOGON *message, ULONG size, DWORD type, DWORD provider,
                      TOKEN_GROUPS *groups, struct logon_answer *answer)
{
    static const char *const names[] = {NEGOSSP_NAME_A, MSV1_0_PACKAGE_NAME, "NTLM"};
    bool old = provider == LOGON32_PROVIDER_WINNT40 || provider == LOGON32_PROVIDER_WINNT35;
    HANDLE lsa = NULL;
    NTSTATUS status = connection_get(groups != NULL, &lsa);
    if (status < 0) return status;
    status = STATUS_NO_SUCH_PACKAGE;
    for (size_t i = old; i < ARRAYSIZE(names) && status == STATUS_NO_SUCH_PACKAGE; i++)
        status = logon_to(lsa, names[i], message, size, type, groups, answer);
    LsaDeregisterLogonProcess(lsa);
    return status;
}

static BOOL fail(DWORD error)
{
    SetLastError(error);
    return FALSE;
}

BOOL WINAPI LogonUserExExW(WCHAR *user, WCHAR *domain, WCHAR *password, DWORD type, DWORD provider,
                           TOKEN_GROUPS *groups, HANDLE *token, PSID *sid, void **profile,
                           DWORD *profile_size, QUOTA_LIMITS *quotas)
{
    struct logon_answer answer = {0};
    PSID user_sid = NULL;
    ULONG size;
    TRACE("user %ls, type %lu, provider %lu\n", user, type, provider);
    if (!user || !type_known(type) || provider > LOGON32_PROVIDER_WINNT50)
        return fail(ERROR_INVALID_PARAMETER);
    MSV1_0_INTERACTIVE_LOGON *message = message_make(user, domain, password, &size);
    if (!message) return fail(ERROR_NOT_ENOUGH_MEMORY);
    NTSTATUS status = logon(message, size, type, provider, groups, &answer);
    SecureZeroMemory(message, size);
    HeapFree(GetProcessHeap(), 0, message);
    if (status >= 0 && sid && !(user_sid = token_sid(answer.token))) status = STATUS_NO_MEMORY;
    if (status < 0) {
        if (answer.token) CloseHandle(answer.token);
        LsaFreeReturnBuffer(answer.profile);
        return fail(LsaNtStatusToWinError(status));
    }
    if (token) *token = answer.token;
    else CloseHandle(answer.token);
    if (sid) *sid = user_sid;
    if (profile) *profile = answer.profile;
    else LsaFreeReturnBuffer(answer.profile);
    if (profile_size) *profile_size = answer.profile_size;
    if (quotas) *quotas = answer.quotas;
    return TRUE;
}
