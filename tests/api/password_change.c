/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of passwords: ChangeAccountPassword of NTLM and of Negotiate ([D ChangeAccountPassword]),
 * and the message of MSV1_0 ([H ntsecapi.h]). Accounts and their rule are this project's, so the
 * statuses are ours, except that the old password has to be right.
 */
#include "loopback.h"
#include "msv.h"

typedef SECURITY_STATUS(WINAPI change_function)(wchar_t *package, wchar_t *domain, wchar_t *account,
                                                wchar_t *old_password, wchar_t *new_password,
                                                BOOLEAN impersonating, ULONG reserved,
                                                SecBufferDesc *output);

static change_function *change_password; /* not in every header */
static wchar_t computer[64], user[64];
static struct saved_value minimum;

static SECURITY_STATUS change(const wchar_t *package, const wchar_t *account, const wchar_t *old,
                              const wchar_t *new, SecBuffer *answer)
{
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, answer};
    *answer = (SecBuffer){0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL};
    return change_password((wchar_t *)package, computer, (wchar_t *)account, (wchar_t *)old,
                           (wchar_t *)new, FALSE, 0, &desc);
}

static SECURITY_STATUS log_on(const wchar_t *password)
{
    static struct loopback loop;
    struct account account = {.domain = L""};
    lstrcpyW(account.user, user);
    lstrcpynW(account.domain, computer, ARRAYSIZE(account.domain));
    lstrcpyW(account.password, password);
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", &account);
    if (!status) loopback_close(&loop);
    return status;
}

static bool prepare(void)
{
    if (!ours_only()) return false;
    second_pass();
    return ok(account_write(computer, user, L"first"), "no account");
}

/* It holds at once in the process that made it. */
static void run_change(const wchar_t *package)
{
    SecBuffer answer;
    if (!prepare()) return;
    ok(!log_on(L"first"), "the first password");
    SECURITY_STATUS status = change(package, user, L"first", L"second", &answer);
    ok(!status && !answer.pvBuffer, "%ls: %08lx", package, status);
    ok(!log_on(L"second"), "the second password");
    ok(log_on(L"first") == SEC_E_LOGON_DENIED, "the first password again");
}

static void test_ntlm(void)
{
    run_change(L"NTLM");
}

static void test_negotiate(void)
{
    run_change(L"Negotiate");
}

/* Nobody learns whether there is such an account. */
static void test_refused(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    SecBuffer answer;
    if (!prepare()) return;
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = change(packages[i], user, L"First", L"second", &answer);
        ok(status == SEC_E_LOGON_DENIED && !answer.pvBuffer, "wrong: %08lx", status);
        status = change(packages[i], L"nobody-at-all", L"first", L"second", &answer);
        ok(status == SEC_E_LOGON_DENIED && !answer.pvBuffer, "nobody: %08lx", status);
    }
    ok(!log_on(L"first"), "the password is another one");
}

/* [D ChangeAccountPassword] what was not kept comes as DOMAIN_PASSWORD_INFORMATION. */
static void test_rule(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    const DWORD length = 9;
    SecBuffer answer;
    if (!prepare()) return;
    value_set(&minimum, REG_DWORD, &length, sizeof(length));
    second_pass();
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = change(packages[i], user, L"first", L"too-few", &answer);
        ok(status < 0, "%ls: %08lx", packages[i], status);
        const DOMAIN_PASSWORD_INFORMATION *info = answer.pvBuffer;
        if (ok(info && answer.cbBuffer == sizeof(*info), "%ls: no answer", packages[i])) {
            ok(info->MinPasswordLength == length, "at least %d", info->MinPasswordLength);
            FreeContextBuffer(answer.pvBuffer);
        }
    }
    ok(!log_on(L"first"), "the password is another one");
    ok(!change(L"NTLM", user, L"first", L"more-than-enough", &answer), "long enough");
    ok(!log_on(L"more-than-enough"), "the new password");
    value_restore(&minimum);
    second_pass();
}

static NTSTATUS message(const wchar_t *old, const wchar_t *new, BOOLEAN *has_info)
{
    struct buffer buffer = {.words = {MsV1_0ChangePassword}};
    LSA_STRING name = {sizeof(PACKAGE_MSV) - 1, sizeof(PACKAGE_MSV), (char *)PACKAGE_MSV};
    HANDLE lsa;
    ULONG package, size;
    void *out = NULL;
    NTSTATUS protocol = 0;
    buffer_text(&buffer, &buffer.change.DomainName, computer);
    buffer_text(&buffer, &buffer.change.AccountName, user);
    buffer_text(&buffer, &buffer.change.OldPassword, old);
    buffer_text(&buffer, &buffer.change.NewPassword, new);
    NTSTATUS status = LsaConnectUntrusted(&lsa);
    if (status) return status;
    status = LsaLookupAuthenticationPackage(lsa, &name, &package);
    if (!status)
        status = LsaCallAuthenticationPackage(lsa, package, &buffer, buffer_size(&buffer), &out,
                                              &size, &protocol);
    LsaDeregisterLogonProcess(lsa);
    const MSV1_0_CHANGEPASSWORD_RESPONSE *answer = out;
    *has_info = answer && answer->PasswordInfoValid;
    ok(answer && answer->MessageType == MsV1_0ChangePassword, "no answer");
    if (out) LsaFreeReturnBuffer(out);
    return status ? status : protocol;
}

static void test_message(void)
{
    const DWORD length = 9;
    BOOLEAN has_info;
    if (!prepare()) return;
    NTSTATUS status = message(L"First", L"second", &has_info);
    ok(status == STATUS_WRONG_PASSWORD && !has_info, "wrong: %08lx", status);
    status = message(L"first", L"second", &has_info);
    ok(!status && !has_info, "right: %08lx", status);
    ok(!log_on(L"second"), "the new password");
    value_set(&minimum, REG_DWORD, &length, sizeof(length));
    second_pass();
    status = message(L"second", L"third", &has_info);
    ok(status == STATUS_PASSWORD_RESTRICTION && has_info, "too short: %08lx", status);
    value_restore(&minimum);
    second_pass();
}

/* [D ChangeAccountPassword] one buffer of this type */
static void test_form(void)
{
    SecBuffer buffers[2] = {{0, SECBUFFER_TOKEN, NULL}, {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, buffers};
    if (!prepare()) return;
    for (ULONG count = 0; count < 3; count++) {
        desc.cBuffers = count;
        SECURITY_STATUS status = change_password((wchar_t *)L"NTLM", computer, user,
                                                 (wchar_t *)L"first", (wchar_t *)L"second", FALSE,
                                                 0, &desc);
        ok(status < 0, "%lu buffers: %08lx", count, status);
    }
    ok(!log_on(L"first"), "the password is another one");
}

int main(void)
{
    DWORD size = ARRAYSIZE(computer);
    GetComputerNameW(computer, &size);
    wsprintfW(user, L"changer%u", GetCurrentProcessId());
    change_password = (change_function *)function_find("secur32.dll", "ChangeAccountPasswordW");
    if (!change_password) {
        printf("no ChangeAccountPasswordW\n");
        return EXIT_FAILURE;
    }
    value_save(&minimum, L"SOFTWARE\\winesspi\\NTLM", L"MinimumPasswordLength");
    RUN(test_ntlm);
    RUN(test_negotiate);
    RUN(test_refused);
    RUN(test_rule);
    RUN(test_message);
    RUN(test_form);
    account_write(computer, user, NULL);
    return test_end("api_password_change");
}
