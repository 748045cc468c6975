/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LsaLogonUser and LsaCallAuthenticationPackage with an authentication package of the tests' own.
 * Whose log-on ends in a token is ours (Wine makes none for another user); the rest is the contract
 * of [D lsalogonuser] and [D lsa_ap_logon_user_ex2].
 */
#include "lsa_provider.h"

#include <wchar.h>

struct logon {
    NTSTATUS status, sub_status;
    void *profile;
    ULONG profile_size;
    LUID id;
    HANDLE token;
    QUOTA_LIMITS quotas;
};

/* The message's text stands behind it, as the functions want it. */
static void logon(const struct lsa_provider *provider, SECURITY_LOGON_TYPE type,
                  const wchar_t *user, const wchar_t *password, TOKEN_GROUPS *groups,
                  struct logon *out)
{
    BYTE room[sizeof(MSV1_0_INTERACTIVE_LOGON) + 256] = {0};
    MSV1_0_INTERACTIVE_LOGON *message = (MSV1_0_INTERACTIVE_LOGON *)room;
    LSA_STRING origin = {4, 4, (char *)"test"};
    TOKEN_SOURCE source = {.SourceName = "test"};
    USHORT user_size = (USHORT)(wcslen(user) * 2), password_size = (USHORT)(wcslen(password) * 2);
    wchar_t *at = (wchar_t *)(message + 1);
    message->MessageType = MsV1_0InteractiveLogon;
    message->UserName = (UNICODE_STRING){user_size, user_size, at};
    memcpy(at, user, user_size);
    at += wcslen(user);
    message->Password = (UNICODE_STRING){password_size, password_size, at};
    memcpy(at, password, password_size);
    *out = (struct logon){.profile = out, .token = (HANDLE)77};
    out->status = LsaLogonUser(provider->lsa, &origin, type, provider->package, message,
                               sizeof(*message) + user_size + password_size, groups, &source,
                               &out->profile, &out->profile_size, &out->id, &out->token,
                               &out->quotas, &out->sub_status);
}

static TOKEN_TYPE token_type(HANDLE token)
{
    TOKEN_TYPE type = 0;
    DWORD size;
    GetTokenInformation(token, TokenType, &type, sizeof(type), &size);
    return type;
}

static bool token_is_ours(HANDLE token)
{
    BYTE a[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE], b[sizeof(a)];
    HANDLE own;
    DWORD size;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &own)) return false;
    bool same = GetTokenInformation(own, TokenUser, a, sizeof(a), &size) &&
                GetTokenInformation(token, TokenUser, b, sizeof(b), &size) &&
                EqualSid(((TOKEN_USER *)a)->User.Sid, ((TOKEN_USER *)b)->User.Sid);
    CloseHandle(own);
    return same;
}

static void logon_end(struct logon *made)
{
    if (made->status) return;
    ok(CloseHandle(made->token), "no token");
    ok(!LsaFreeReturnBuffer(made->profile), "no profile");
}

/* ---- in the child ---- */

static void expect_session(const struct logon *made, SECURITY_LOGON_TYPE type)
{
    SECURITY_LOGON_SESSION_DATA *data = NULL;
    LUID id = made->id;
    NTSTATUS status = LsaGetLogonSessionData(&id, &data);
    if (!ok(!status, "session: %08lx", status)) return;
    ok(data->UserName.Length == 4 && !wcscmp(data->UserName.Buffer, L"me"), "user %ls",
       data->UserName.Buffer);
    ok(!wcscmp(data->LogonDomain.Buffer, L"TEST"), "domain %ls", data->LogonDomain.Buffer);
    ok(!wcscmp(data->LogonServer.Buffer, L"SERVER"), "server %ls", data->LogonServer.Buffer);
    ok(!wcscmp(data->AuthenticationPackage.Buffer, L"TestLogon"), "package %ls",
       data->AuthenticationPackage.Buffer);
    ok(data->LogonType == (ULONG)type && data->Sid, "type %lu", data->LogonType);
    LsaFreeReturnBuffer(data);
    ULONG count;
    LUID *list;
    int found = 0;
    if (LsaEnumerateLogonSessions(&count, &list)) return;
    for (ULONG i = 0; i < count; i++) found += !memcmp(&list[i], &id, sizeof(id));
    ok(found == 1, "the session is listed %d times", found);
    LsaFreeReturnBuffer(list);
}

/* [D lsalogonuser] a primary token after an interactive log-on, one for impersonation after one
 * over the network. */
static void child_me(void)
{
    static const struct {
        SECURITY_LOGON_TYPE type;
        TOKEN_TYPE token;
    } cases[] = {{Interactive, TokenPrimary},
                 {Network, TokenImpersonation},
                 {Batch, TokenPrimary},
                 {Service, TokenPrimary}};
    struct lsa_provider provider;
    struct logon made;
    if (!lsa_provider_open(&provider, false)) return;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        LONG accepted = provider.record->accepted;
        logon(&provider, cases[i].type, L"me", L"right", NULL, &made);
        if (!ok(!made.status, "type %d: %08lx", cases[i].type, made.status)) continue;
        ok(!made.sub_status, "sub-status %08lx", made.sub_status);
        ok(token_type(made.token) == cases[i].token, "type %d: another token", cases[i].type);
        ok(token_is_ours(made.token), "another user's token");
        ok(made.profile_size == 8 && !memcmp(made.profile, "profile", 8), "profile");
        ok(made.quotas.MaximumWorkingSetSize >= made.quotas.MinimumWorkingSetSize, "quotas");
        expect_session(&made, cases[i].type);
        ok(provider.record->accepted == accepted + 1, "credentials were not handed round");
        logon_end(&made);
    }
    logon(&provider, Interactive, L"me again", L"right", NULL, &made);
    ok(!made.status && token_is_ours(made.token), "version 1: %08lx", made.status);
    logon_end(&made);
    lsa_provider_close(&provider);
}

static void expect_refused(const struct lsa_provider *provider, SECURITY_LOGON_TYPE type,
                           const wchar_t *user, const wchar_t *password, NTSTATUS status,
                           NTSTATUS sub_status)
{
    struct logon made;
    ULONG before = 0, after = 0;
    LUID *list;
    if (!LsaEnumerateLogonSessions(&before, &list)) LsaFreeReturnBuffer(list);
    logon(provider, type, user, password, NULL, &made);
    ok(made.status == status, "%ls: %08lx", user, made.status);
    ok(made.sub_status == sub_status, "%ls: sub-status %08lx", user, made.sub_status);
    ok(made.token == (HANDLE)77 && made.profile == &made, "%ls: something was written", user);
    if (!LsaEnumerateLogonSessions(&after, &list)) LsaFreeReturnBuffer(list);
    ok(before == after, "%ls: a session is left", user);
}

static void child_refused(void)
{
    struct lsa_provider provider;
    if (!lsa_provider_open(&provider, false)) return;
    expect_refused(&provider, Interactive, L"me", L"wrong", STATUS_LOGON_FAILURE, 0);
    expect_refused(&provider, Network, L"expired", L"right", STATUS_ACCOUNT_RESTRICTION,
                   STATUS_PASSWORD_EXPIRED);
    expect_refused(&provider, Interactive, L"sessionless", L"right", STATUS_NO_SUCH_LOGON_SESSION,
                   0);
    LONG ended = provider.record->terminated;
    ok(!ended, "the end of a session that never was is told");
    expect_refused(&provider, Interactive, L"stranger", L"right", STATUS_ACCOUNT_RESTRICTION,
                   STATUS_LOGON_TYPE_NOT_GRANTED);
    ok(provider.record->terminated == ended + 1, "the package was not told of the end");
    expect_refused(&provider, Network, L"stranger", L"right", STATUS_ACCOUNT_RESTRICTION,
                   STATUS_LOGON_TYPE_NOT_GRANTED);
    expect_refused(&provider, Interactive, L"nobody", L"right", STATUS_ACCOUNT_RESTRICTION,
                   STATUS_LOGON_TYPE_NOT_GRANTED);
    lsa_provider_close(&provider);
}

static void child_arguments(void)
{
    struct lsa_provider provider;
    struct logon made;
    MSV1_0_INTERACTIVE_LOGON message = {.MessageType = MsV1_0InteractiveLogon};
    LSA_STRING origin = {4, 4, (char *)"test"};
    TOKEN_SOURCE source = {.SourceName = "test"};
    if (!lsa_provider_open(&provider, false)) return;
    logon(&provider, UndefinedLogonType, L"me", L"right", NULL, &made);
    ok(made.status == STATUS_INVALID_LOGON_TYPE, "type 0: %08lx", made.status);
    TOKEN_GROUPS groups = {.GroupCount = 0};
    logon(&provider, Interactive, L"me", L"right", &groups, &made); /* [D lsalogonuser] */
    ok(made.status == STATUS_PRIVILEGE_NOT_HELD, "groups: %08lx", made.status);
    NTSTATUS status = LsaLogonUser(
        provider.lsa, &origin, Interactive, 999, &message, sizeof(message), NULL, &source,
        &made.profile, &made.profile_size, &made.id, &made.token, &made.quotas, &made.sub_status);
    ok(status == STATUS_NO_SUCH_PACKAGE, "unknown package: %08lx", status);
    status = LsaLogonUser(provider.lsa, &origin, Interactive, provider.package, NULL, 0, NULL,
                          &source, &made.profile, &made.profile_size, &made.id, &made.token,
                          &made.quotas, &made.sub_status);
    ok(status == STATUS_INVALID_PARAMETER, "no message: %08lx", status);
    lsa_provider_close(&provider);
}

/* Groups that the token has are granted, others cannot be. */
static void child_groups(void)
{
    struct lsa_provider provider;
    struct logon made;
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(sid);
    if (!lsa_provider_open(&provider, true)) return;
    TOKEN_GROUPS groups = {.GroupCount = 1, .Groups = {{sid, SE_GROUP_ENABLED}}};
    ok(CreateWellKnownSid(WinWorldSid, NULL, sid, &size), "no SID");
    logon(&provider, Interactive, L"me", L"right", &groups, &made);
    ok(!made.status, "Everyone: %08lx", made.status);
    logon_end(&made);
    size = sizeof(sid);
    ok(CreateWellKnownSid(WinDialupSid, NULL, sid, &size), "no SID");
    logon(&provider, Interactive, L"me", L"right", &groups, &made);
    ok(made.status == STATUS_NOT_SUPPORTED, "Dialup: %08lx", made.status);
    lsa_provider_close(&provider);
}

/* Nobody tells when the last token of a session is closed: the oldest sessions end. */
static void child_many(void)
{
    struct lsa_provider provider;
    struct logon made;
    LUID first = {0, 0}, *list;
    ULONG count = 0;
    DWORD handles = 0, handles_after = 0;
    if (!lsa_provider_open(&provider, false)) return;
    for (int i = 0; i < 300; i++) {
        logon(&provider, Network, L"me", L"right", NULL, &made);
        if (!ok(!made.status, "log-on %d: %08lx", i, made.status)) break;
        if (!i) first = made.id;
        logon_end(&made);
        if (!i) GetProcessHandleCount(GetCurrentProcess(), &handles);
    }
    GetProcessHandleCount(GetCurrentProcess(), &handles_after);
    ok(handles_after < handles + 20, "%lu handles, then %lu", handles, handles_after);
    ok(!LsaEnumerateLogonSessions(&count, &list), "no list");
    ok(count > 256 && count < 270, "%lu sessions", count);
    LsaFreeReturnBuffer(list);
    SECURITY_LOGON_SESSION_DATA *data;
    NTSTATUS status = LsaGetLogonSessionData(&first, &data);
    ok(status == STATUS_NO_SUCH_LOGON_SESSION, "the first: %08lx", status);
    ok(provider.record->terminated >= 30, "%ld ends told", provider.record->terminated);
    lsa_provider_close(&provider);
}

static void child_user_info(void)
{
    struct lsa_provider provider;
    struct logon made;
    NTSTATUS(WINAPI * get)(LUID *, ULONG, SecurityUserData **);
    get = function_find("secur32.dll", "GetSecurityUserInfo");
    if (!get || !lsa_provider_open(&provider, false)) return;
    logon(&provider, Network, L"me", L"right", NULL, &made);
    SecurityUserData *data = NULL;
    NTSTATUS status = get(&made.id, 0, &data);
    ok(!status && data->UserName.Length == 10 && !memcmp(data->UserName.Buffer, L"asked", 10),
       "%08lx", status);
    LsaFreeReturnBuffer(data);
    logon_end(&made);
    lsa_provider_close(&provider);
}

/* ---- messages ---- */

static NTSTATUS call(const struct lsa_provider *provider, enum prov_call what,
                     struct prov_call_answer **answer, ULONG *size, NTSTATUS *protocol)
{
    struct prov_call_message message = {.call = what, .self = &message, .text = "a message"};
    return LsaCallAuthenticationPackage(provider->lsa, provider->package, &message, sizeof(message),
                                        (void **)answer, size, protocol);
}

/* [D lsacallauthenticationpackage] a logon process reaches CallPackage, others the untrusted one */
static void child_messages(void)
{
    for (int trusted = 0; trusted < 2; trusted++) {
        struct lsa_provider provider;
        struct prov_call_answer *answer = NULL;
        ULONG size = 0;
        NTSTATUS protocol = 1;
        if (!lsa_provider_open(&provider, trusted)) return;
        NTSTATUS status = call(&provider, PROV_CALL_ECHO, &answer, &size, &protocol);
        if (ok(!status && !protocol && answer && size == sizeof(*answer), "%08lx", status)) {
            ok(answer->function == (trusted ? 't' : 'u'), "function %c", answer->function);
            ok(answer->request && !strcmp(answer->text, "a message"), "%s", answer->text);
            ok(!LsaFreeReturnBuffer(answer), "not freed");
        }
        status = call(&provider, PROV_CALL_INFO, &answer, &size, &protocol);
        if (ok(!status, "%08lx", status)) {
            ULONG tcb = answer->call.Attributes & SECPKG_CALL_IS_TCB;
            ok(!tcb == !trusted && !answer->client.HasTcbPrivilege == !trusted, "trust %lx", tcb);
            ok(answer->call.Attributes & SECPKG_CALL_IN_PROC, "not in this process");
            ok(!(answer->call.Attributes & (SECPKG_CALL_ANSI | SECPKG_CALL_RECURSIVE)), "%lx",
               answer->call.Attributes);
            ok(answer->client.ProcessID == GetCurrentProcessId(), "another process");
            ok(answer->call.ThreadId == GetCurrentThreadId(), "another thread");
            LsaFreeReturnBuffer(answer);
        }
        status = call(&provider, PROV_CALL_RECURSIVE, &answer, &size, &protocol);
        if (ok(!status, "%08lx", status)) {
            ok(answer->call.Attributes & SECPKG_CALL_RECURSIVE && answer->call.CallCount == 2,
               "%lx, %lu", answer->call.Attributes, answer->call.CallCount);
            ok(answer->function == 't' && !answer->request, "function %c", answer->function);
            LsaFreeReturnBuffer(answer);
        }
        lsa_provider_close(&provider);
    }
}

/* A module that is left out has no package that could be called, though it was given an id. */
static void child_useless(void)
{
    struct lsa_provider provider;
    int answers = 0;
    if (!lsa_provider_open(&provider, false)) return;
    ok(GetModuleHandleW(PROV_LOGON_USELESS) != NULL, "the module has not been tried");
    ULONG own = provider.package;
    for (provider.package = 1; provider.package < 30; provider.package++) {
        struct prov_call_answer *answer = NULL;
        ULONG size;
        NTSTATUS protocol, status = call(&provider, PROV_CALL_ECHO, &answer, &size, &protocol);
        bool ours = !status && size == sizeof(*answer) && !strcmp(answer->text, "a message");
        ok(ours == (provider.package == own), "package %lu: %08lx", provider.package, status);
        answers += ours;
        LsaFreeReturnBuffer(answer);
    }
    ok(answers == 1, "%d packages answer", answers);
    lsa_provider_close(&provider);
}

static void child_failures(void)
{
    struct lsa_provider provider;
    struct prov_call_answer *answer = (void *)&provider;
    ULONG size = 7;
    NTSTATUS protocol = 7;
    if (!lsa_provider_open(&provider, false)) return;
    NTSTATUS status = call(&provider, PROV_CALL_FAIL, &answer, &size, &protocol);
    ok(status == STATUS_UNSUCCESSFUL && !answer && !size && !protocol,
       "a failed call: %08lx, %p, %lu, %08lx", status, answer, size, protocol);
    /* [D lsacallauthenticationpackage] the package's own status is the protocol's */
    status = call(&provider, PROV_CALL_REASON, &answer, &size, &protocol);
    ok(!status && protocol == STATUS_LOGON_FAILURE && !answer, "%08lx, %08lx", status, protocol);
    struct secpkg_failure_reason reason = {0};
    status = provider.record->functions->GetSecpkgFailureReason(provider.package, &reason);
    ok(!status && reason.Status == STATUS_WRONG_PASSWORD && reason.Reason == 7, "%08lx", status);
    /* Nothing but the status is of interest to some. */
    ULONG message[16] = {PROV_CALL_ECHO};
    status = LsaCallAuthenticationPackage(provider.lsa, provider.package, message, sizeof(message),
                                          NULL, NULL, NULL);
    ok(!status, "no outputs: %08lx", status);
    lsa_provider_close(&provider);
}

/* What packages see of the call after one that raised an exception: nothing of that one. */
static void expect_no_record(const struct lsa_provider *provider)
{
    SECPKG_CALL_INFO info = {0};
    ok(provider->record->functions->declared.GetCallInfo(&info), "no call");
    ok(info.CallCount == 1 && info.Attributes == SECPKG_CALL_IN_PROC, "%lu calls, attributes %lx",
       info.CallCount, info.Attributes);
}

/* An exception of the package is the end of that call alone. */
static void child_exceptions(void)
{
    struct lsa_provider provider;
    struct logon made;
    struct prov_call_answer *answer = (void *)&provider;
    ULONG size = 7;
    NTSTATUS protocol = 7;
    if (!lsa_provider_open(&provider, true)) return;
    NTSTATUS status = call(&provider, PROV_CALL_RAISE, &answer, &size, &protocol);
    ok(status == STATUS_INTERNAL_ERROR && !answer && !size && !protocol, "a message: %08lx",
       status);
    expect_no_record(&provider);
    expect_refused(&provider, Interactive, L"raise", L"right", STATUS_INTERNAL_ERROR, 0);
    expect_no_record(&provider);
    logon(&provider, Network, L"frail", L"right", NULL, &made);
    ok(!made.status && provider.record->frail, "a log-on: %08lx", made.status);
    expect_no_record(&provider);
    NTSTATUS(WINAPI * get)(LUID *, ULONG, SecurityUserData **);
    get = function_find("secur32.dll", "GetSecurityUserInfo");
    SecurityUserData *data = (void *)&made;
    status = get(&made.id, 1, &data);
    ok(status == STATUS_INTERNAL_ERROR && data == (void *)&made, "the user: %08lx, %p", status,
       data);
    logon_end(&made);
    CredHandle none;
    status = AcquireCredentialsHandleW((wchar_t *)L"raise", (wchar_t *)L"TestLogon",
                                       SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &none, NULL);
    ok(status == SEC_E_INTERNAL_ERROR, "a call inside of a call: %08lx", status);
    expect_no_record(&provider);
    LONG ended = provider.record->terminated;
    expect_refused(&provider, Network, L"stranger", L"right", STATUS_ACCOUNT_RESTRICTION,
                   STATUS_LOGON_TYPE_NOT_GRANTED);
    ok(provider.record->terminated == ended + 1, "%ld ends told", provider.record->terminated);
    expect_no_record(&provider);
    lsa_provider_close(&provider);
}

static void child_passwords(void)
{
    struct lsa_provider provider;
    ULONG room = 0;
    SecBuffer buffer = {sizeof(room), SECBUFFER_CHANGE_PASS_RESPONSE, &room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &buffer};
    wchar_t name[] = L"TestLogon", old[] = L"old secret", new[] = L"new secret", user[] = L"user";
    if (!lsa_provider_open(&provider, false)) return;
    SECURITY_STATUS status = ChangeAccountPasswordW(name, NULL, user, old, new, FALSE, 0, &desc);
    ok(!status && !(room & SECPKG_CALL_ANSI), "W: %08lx, %lx", status, room);
    status = ChangeAccountPasswordA((char *)"testlogon", NULL, (char *)"user", (char *)"old secret",
                                    (char *)"new secret", FALSE, 0, &desc);
    ok(!status && room & SECPKG_CALL_ANSI, "A: %08lx, %lx", status, room);
    status = ChangeAccountPasswordW(name, NULL, user, new, old, FALSE, 0, &desc);
    ok(status == SEC_E_LOGON_DENIED, "a wrong password: %08lx", status);
    buffer.cbBuffer = 1;
    status = ChangeAccountPasswordW(name, NULL, user, old, new, FALSE, 0, &desc);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "too small: %08lx", status);
    lsa_provider_close(&provider);
}

/* [H ntsecpkg.h] a caller of the A entry is visible as one */
static void child_ansi(void)
{
    struct lsa_provider provider;
    CredHandle made;
    if (!lsa_provider_open(&provider, false)) return;
    SECURITY_STATUS status = AcquireCredentialsHandleA(
        NULL, (char *)"TestLogon", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &made, NULL);
    ok(status == SEC_E_NO_CREDENTIALS, "A: %08lx", status);
    ok(provider.record->acquired_attributes & SECPKG_CALL_ANSI, "A: %lx",
       provider.record->acquired_attributes);
    status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"TestLogon", SECPKG_CRED_OUTBOUND, NULL,
                                       NULL, NULL, NULL, &made, NULL);
    ok(status == SEC_E_NO_CREDENTIALS, "W: %08lx", status);
    ok(!(provider.record->acquired_attributes & SECPKG_CALL_ANSI), "W: %lx",
       provider.record->acquired_attributes);
    lsa_provider_close(&provider);
}

/* What an application's own handler of exceptions does: it goes on at a place of its own. */
static void *escape[5];

static LONG CALLBACK escape_take(EXCEPTION_POINTERS *pointers)
{
    if (pointers->ExceptionRecord->ExceptionCode != (DWORD)EXCEPTION_ACCESS_VIOLATION)
        return EXCEPTION_CONTINUE_SEARCH;
    __builtin_longjmp(escape, 1);
}

/* Calls with a pointer to no memory; what the application catches is not the end of later calls. */
static bool ansi_raises(void)
{
    CredHandle made;
    if (__builtin_setjmp(escape)) return true;
    AcquireCredentialsHandleA(NULL, (char *)"NTLM", SECPKG_CRED_OUTBOUND, NULL, (void *)0x1000,
                              NULL, NULL, &made, NULL);
    return false;
}

static __attribute__((noinline)) void stack_overwrite(void)
{
    volatile BYTE room[16384];
    for (size_t i = 0; i < sizeof(room); i++) room[i] = 0xcc;
}

static void child_escapes(void)
{
    struct lsa_provider provider;
    CredHandle made;
    SECPKG_CALL_INFO info = {0};
    if (!lsa_provider_open(&provider, false)) return;
    void *handler = AddVectoredExceptionHandler(1, escape_take);
    ok(ansi_raises(), "no exception arrived");
    RemoveVectoredExceptionHandler(handler);
    stack_overwrite();
    ok(provider.record->functions->declared.GetCallInfo(&info), "no call");
    ok(!(info.Attributes & SECPKG_CALL_IS_TCB) && info.CallCount == 1, "%lx, %lu", info.Attributes,
       info.CallCount);
    SECURITY_STATUS status = AcquireCredentialsHandleA(
        NULL, (char *)"TestLogon", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &made, NULL);
    ok(status == SEC_E_NO_CREDENTIALS, "%08lx", status);
    lsa_provider_close(&provider);
}

/* ---- LogonUserExExW ([D logonuserexexw]) ---- */

typedef BOOL(WINAPI *logon_user_fn)(const wchar_t *, const wchar_t *, const wchar_t *, DWORD, DWORD,
                                    TOKEN_GROUPS *, HANDLE *, PSID *, void **, DWORD *,
                                    QUOTA_LIMITS *);

static void expect_logon_error(logon_user_fn logon_user, const wchar_t *user,
                               const wchar_t *password, DWORD type, DWORD provider, DWORD error)
{
    HANDLE token = NULL;
    SetLastError(0);
    BOOL done = logon_user(user, L"TEST", password, type, provider, NULL, &token, NULL, NULL, NULL,
                           NULL);
    ok(!done && GetLastError() == error && !token, "%ls: %d, error %lu", user, done,
       GetLastError());
}

static void child_logon_user(void)
{
    logon_user_fn logon_user = function_find("sspicli.dll", "LogonUserExExW");
    const DWORD old = LOGON32_PROVIDER_WINNT40, network = LOGON32_LOGON_NETWORK;
    HANDLE token = NULL;
    PSID sid = NULL;
    void *profile = NULL;
    DWORD size = 0;
    QUOTA_LIMITS quotas;
    if (!ok(logon_user != NULL, "not exported")) return;
    SetEnvironmentVariableA(PROV_LOGON_AS_MSV, "1");
    BOOL done = logon_user(L"me", L"TEST", L"right", LOGON32_LOGON_INTERACTIVE, old, NULL, &token,
                           &sid, &profile, &size, &quotas);
    if (ok(done, "error %lu", GetLastError())) {
        ok(token_type(token) == TokenPrimary && token_is_ours(token), "another token");
        ok(IsValidSid(sid) && size == 8 && !memcmp(profile, "profile", 8), "profile");
        CloseHandle(token);
        LocalFree(sid);
        LsaFreeReturnBuffer(profile);
    }
    done = logon_user(L"me", NULL, L"right", network, old, NULL, &token, NULL, NULL, NULL, NULL);
    ok(done && token_type(token) == TokenImpersonation, "network: error %lu", GetLastError());
    if (done) CloseHandle(token);
    ok(logon_user(L"me", NULL, L"right", network, old, NULL, NULL, NULL, NULL, NULL, NULL),
       "no outputs: error %lu", GetLastError());
    expect_logon_error(logon_user, L"me", L"wrong", network, old, ERROR_LOGON_FAILURE);
    expect_logon_error(logon_user, L"expired", L"right", network, old, ERROR_PASSWORD_EXPIRED);
    expect_logon_error(logon_user, L"stranger", L"right", network, old,
                       ERROR_LOGON_TYPE_NOT_GRANTED);
    expect_logon_error(logon_user, L"me", L"right", 1, old, ERROR_INVALID_PARAMETER);
    expect_logon_error(logon_user, L"me", L"right", network, 99, ERROR_INVALID_PARAMETER);
}

static const struct hosting_case child_cases[] = {
    CHILD(me),        CHILD(refused),    CHILD(arguments),  CHILD(groups),    CHILD(many),
    CHILD(user_info), CHILD(messages),   CHILD(failures),   CHILD(passwords), CHILD(ansi),
    CHILD(useless),   CHILD(logon_user), CHILD(exceptions), CHILD(escapes),
};

/* ---- in the parent ---- */

#define TEST(name)                   \
    static void test_##name(void)    \
    {                                \
        lsa_provider_run(L"" #name); \
    }

TEST(me)
TEST(refused)
TEST(arguments)
TEST(groups)
TEST(many)
TEST(user_info)
TEST(messages)
TEST(failures)
TEST(exceptions)
TEST(escapes)
TEST(passwords)
TEST(ansi)
TEST(logon_user)

static void test_useless(void)
{
    static struct hosting_names lsa;
    DWORD failures;
    if (!ok(hosting_copy(L"prov_logon", hosting_scratch, PROV_LOGON_USELESS), "no copy")) return;
    hosting_names_add(&lsa, hosting_scratch, PROV_LOGON_USELESS);
    hosting_names_add(&lsa, hosting_folder, L"prov_logon");
    bool done = hosting_run(L"useless", &lsa, NULL, &failures);
    ok(done && !failures, "child useless: exit status %lu", failures);
}

int main(int argc, char **argv)
{
    if (argc == 2) return hosting_case_run(child_cases, ARRAYSIZE(child_cases), argv[1], NULL);
    if (!hosting_begin()) {
        printf("skip api_lsa_logon: a Wine prefix with a writable temporary folder\n");
        printf("api_lsa_logon: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_me);
    RUN(test_refused);
    RUN(test_arguments);
    RUN(test_groups);
    RUN(test_many);
    RUN(test_user_info);
    RUN(test_messages);
    RUN(test_failures);
    RUN(test_exceptions);
    RUN(test_escapes);
    RUN(test_passwords);
    RUN(test_ansi);
    RUN(test_useless);
    RUN(test_logon_user);
    hosting_end();
    return test_end("api_lsa_logon");
}
