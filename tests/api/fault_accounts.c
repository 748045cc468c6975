/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of passwords, and messages to MSV1_0, short of memory. */
#include "fault.h"

#include "msv.h"

typedef LONG(WINAPI *change_w_fn)(wchar_t *, wchar_t *, wchar_t *, wchar_t *, wchar_t *, BOOLEAN,
                                  ULONG, SecBufferDesc *);
typedef LONG(WINAPI *change_a_fn)(char *, char *, char *, char *, char *, BOOLEAN, ULONG,
                                  SecBufferDesc *);

static change_w_fn change_w;
static change_a_fn change_a;
static struct loopback loop;
static struct account account;
static const char *package, *old;
static SECURITY_STATUS expected;

static bool log_on(const char *password)
{
    wsprintfW(account.password, L"%hs", password);
    bool well = !loopback_make(&loop, L"NTLM", &account);
    if (well) loopback_close(&loop);
    return well;
}

static bool account_open(void)
{
    return account_write(account.domain, account.user, L"first");
}

/* ---- ChangeAccountPassword ---- */

/* A refusal that is expected is no failure, and a success in its place is one. */
static LONG changed(LONG status)
{
    if (status == expected) return SEC_E_OK;
    return status < 0 ? status : SEC_E_INTERNAL_ERROR;
}

static LONG change_wide(void)
{
    SecBuffer answer = {0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &answer};
    wchar_t name[16], password[16];
    wsprintfW(name, L"%hs", package);
    wsprintfW(password, L"%hs", old);
    LONG status = change_w(name, account.domain, account.user, password, (wchar_t *)L"second",
                           FALSE, 0, &desc);
    expect_kept(!answer.pvBuffer && !answer.cbBuffer);
    return changed(status);
}

static LONG change_narrow(void)
{
    SecBuffer answer = {0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &answer};
    char domain[16], user[64];
    wsprintfA(domain, "%ls", account.domain);
    wsprintfA(user, "%ls", account.user);
    LONG status = change_a((char *)package, domain, user, (char *)old, (char *)"second", FALSE, 0,
                           &desc);
    expect_kept(!answer.pvBuffer && !answer.cbBuffer);
    return changed(status);
}

static bool change_check(void)
{
    return log_on(expected ? "first" : "second") && !log_on(expected ? "second" : "first");
}

static void run_changes(void)
{
    static const struct scenario ways[] = {
        {"ChangeAccountPasswordW", KIND_SSPI, account_open, change_wide, change_check, NULL},
        {"ChangeAccountPasswordA", KIND_SSPI, account_open, change_narrow, change_check, NULL},
    };
    char text[48];
    for (int i = 0; i < 4; i++) {
        package = i & 1 ? "Negotiate" : "NTLM";
        old = i & 2 ? "wrong" : "first";
        expected = i & 2 ? SEC_E_LOGON_DENIED : SEC_E_OK;
        snprintf(text, sizeof(text), "%s, %s", package, old);
        for (size_t j = 0; j < ARRAYSIZE(ways); j++) scenario_run(&ways[j], text);
    }
}

/* ---- messages ---- */

static HANDLE lsa;
static ULONG msv;

static LONG send(void *bytes, ULONG size)
{
    void *answer = NULL;
    ULONG answer_size = 0;
    NTSTATUS protocol = 0;
    LONG status = LsaCallAuthenticationPackage(lsa, msv, bytes, size, &answer, &answer_size,
                                               &protocol);
    if (status < 0) expect_kept(!answer && !answer_size);
    if (status >= 0 && protocol >= 0) answers.pointers[0] = answer;
    else if (answer) LsaFreeReturnBuffer(answer); /* a password's refusal has one, too */
    if (status >= 0) status = protocol;
    return status;
}

static LONG challenge_call(void)
{
    ULONG message[1] = {MsV1_0Lm20ChallengeRequest};
    return send(message, sizeof(message));
}

static bool challenge_check(void)
{
    MSV1_0_LM20_CHALLENGE_RESPONSE *answer = answers.pointers[0];
    return answer && answer->MessageType == MsV1_0Lm20ChallengeRequest &&
           !LsaFreeReturnBuffer(answer);
}

static LONG users_call(void)
{
    ULONG message[1] = {MsV1_0EnumerateUsers};
    return send(message, sizeof(message));
}

static bool users_check(void)
{
    MSV1_0_ENUMUSERS_RESPONSE *answer = answers.pointers[0];
    return answer && answer->NumberOfLoggedOnUsers && !LsaFreeReturnBuffer(answer);
}

static LONG password_call(void)
{
    struct buffer buffer = {.words = {MsV1_0ChangePassword}};
    buffer_text(&buffer, &buffer.change.DomainName, account.domain);
    buffer_text(&buffer, &buffer.change.AccountName, account.user);
    buffer_text(&buffer, &buffer.change.OldPassword, L"first");
    buffer_text(&buffer, &buffer.change.NewPassword, L"second");
    return send(&buffer, buffer_size(&buffer));
}

/* The password may have changed although there was no memory for the answer. */
static bool password_check(void)
{
    if (answers.pointers[0]) LsaFreeReturnBuffer(answers.pointers[0]);
    return log_on("second") && !log_on("first");
}

static void run_messages(void)
{
    static const struct scenario messages[] = {
        {"Lm20ChallengeRequest", KIND_NT, NULL, challenge_call, challenge_check, NULL},
        {"EnumerateUsers", KIND_NT, NULL, users_call, users_check, NULL},
        {"ChangePassword", KIND_NT, account_open, password_call, password_check, NULL},
    };
    LSA_STRING name = {sizeof(PACKAGE_MSV) - 1, sizeof(PACKAGE_MSV), (char *)PACKAGE_MSV};
    if (LsaConnectUntrusted(&lsa)) return;
    if (!LsaLookupAuthenticationPackage(lsa, &name, &msv))
        for (size_t i = 0; i < ARRAYSIZE(messages); i++) scenario_run(&messages[i], "MSV1_0");
    LsaDeregisterLogonProcess(lsa);
}

/* ---- LogonUserExExW ---- */

typedef BOOL(WINAPI *logon_fn)(wchar_t *, wchar_t *, wchar_t *, DWORD, DWORD, TOKEN_GROUPS *,
                               HANDLE *, PSID *, void **, DWORD *, QUOTA_LIMITS *);

static logon_fn logon_user;

static LONG logon_call(void)
{
    void **given = answers.pointers;
    QUOTA_LIMITS *quotas = (QUOTA_LIMITS *)(answers.bytes + sizeof(answers) / 2);
    return win32_answer(logon_user(account.user, account.domain, (wchar_t *)L"first",
                                   LOGON32_LOGON_NETWORK, LOGON32_PROVIDER_DEFAULT, NULL, &given[0],
                                   &given[1], &given[2], &answers.numbers[0], quotas));
}

static bool logon_check(void)
{
    return CloseHandle(answers.pointers[0]) && !LocalFree(answers.pointers[1]) &&
           !LsaFreeReturnBuffer(answers.pointers[2]);
}

/* Only whose process it is gets a token. Sessions are kept until there are too many. */
static void run_logon(void)
{
    static const struct scenario scenario = {"LogonUserExExW", KIND_WIN32,  NULL,
                                             logon_call,       logon_check, NULL};
    wchar_t other[ARRAYSIZE(account.user)];
    DWORD size = ARRAYSIZE(account.user);
    lstrcpyW(other, account.user);
    if (GetUserNameW(account.user, &size) && account_open()) {
        for (int i = 0; i < 300; i++)
            if (!logon_call()) logon_check();
        scenario_run(&scenario, "the user of the process");
        account_write(account.domain, account.user, NULL);
    }
    lstrcpyW(account.user, other);
}

void fault_accounts(void)
{
    DWORD size = ARRAYSIZE(account.domain);
    change_w = (change_w_fn)function_find("secur32.dll", "ChangeAccountPasswordW");
    change_a = (change_a_fn)function_find("secur32.dll", "ChangeAccountPasswordA");
    logon_user = (logon_fn)function_find("sspicli.dll", "LogonUserExExW");
    if (!change_w || !change_a || !logon_user || !GetComputerNameW(account.domain, &size)) return;
    wsprintfW(account.user, L"changer%u", GetCurrentProcessId());
    run_changes();
    run_messages();
    run_logon();
    account_write(account.domain, account.user, NULL);
}
