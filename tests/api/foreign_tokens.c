/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy ForeignTokens (ours): a server acts for clients for whom Wine has no token with one
 * that identifies and is good for nothing else, and whose name GetUserNameEx knows.
 */
#include "loopback.h"

#include <wchar.h>

/* of ntstatus.h, which does not go with windows.h */
#define ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define NO_SUCH_LOGON_SESSION ((NTSTATUS)0xC000005F)

static struct saved_value policy, second_account;
static struct account alice, bob;
static wchar_t own[512];

/* Another account, with the same password. */
static bool bob_create(void)
{
    static const BYTE hash[16] = {0xa4, 0xf4, 0x9c, 0x40, 0x65, 0x10, 0xbd, 0xca,
                                  0xb6, 0x82, 0x4e, 0xe7, 0xc3, 0x0f, 0xd8, 0x52};
    static wchar_t name[96];
    bob = alice;
    wcscat(bob.user, L"-bob");
    wsprintfW(name, L"%ls\\%ls", bob.domain, bob.user);
    return value_save(&second_account, L"SOFTWARE\\winesspi\\Accounts", name) &&
           value_set(&second_account, REG_BINARY, hash, sizeof(hash));
}

static void policy_set(DWORD value)
{
    ok(value_set(&policy, REG_DWORD, &value, sizeof(value)), "the policy is not set");
    second_pass();
}

static bool thread_has_token(void)
{
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return false;
    CloseHandle(token);
    return true;
}

static bool caller_is(const wchar_t *domain, const wchar_t *user)
{
    wchar_t name[512] = L"", expected[512];
    ULONG size = 512;
    wsprintfW(expected, L"%ls\\%ls", domain, user);
    bool told = GetUserNameExW(NameSamCompatible, name, &size);
    return ok(told && !lstrcmpiW(name, expected), "error %lu, %ls, not %ls",
              told ? 0 : GetLastError(), name, expected);
}

static bool caller_is_own(void)
{
    wchar_t name[512] = L"";
    ULONG size = 512;
    GetUserNameExW(NameSamCompatible, name, &size);
    return ok(!lstrcmpiW(name, own), "%ls, not %ls", name, own);
}

static bool connect_as(struct loopback *loop, const wchar_t *package, const struct account *account)
{
    SECURITY_STATUS status = loopback_make(loop, package, account);
    return ok(!status, "%ls: %08lx", package, status);
}

static void test_default(void)
{
    static struct loopback loop;
    if (!connect_as(&loop, L"NTLM", &alice)) return;
    ok(ImpersonateSecurityContext(&loop.server) == SEC_E_NO_IMPERSONATION, "impersonated");
    ok(!thread_has_token(), "the thread has a token");
    loopback_close(&loop);
}

/* A token that no access check can take for the owner of anything but what his SID alone opens. */
static void check_token(HANDLE token)
{
    BYTE room[4096];
    TOKEN_STATISTICS statistics;
    DWORD size;
    if (!ok(GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size),
            "no statistics"))
        return;
    ok(statistics.TokenType == TokenImpersonation, "type %d", statistics.TokenType);
    ok(statistics.ImpersonationLevel == SecurityIdentification, "level %d",
       statistics.ImpersonationLevel);
    ok(!statistics.PrivilegeCount, "%lu privileges", statistics.PrivilegeCount);
    TOKEN_GROUPS *groups = (TOKEN_GROUPS *)room;
    ok(GetTokenInformation(token, TokenGroups, room, sizeof(room), &size), "no groups");
    ok(groups->GroupCount > 2, "%lu groups", groups->GroupCount);
    for (DWORD i = 0; i < groups->GroupCount; i++)
        ok(groups->Groups[i].Attributes & SE_GROUP_USE_FOR_DENY_ONLY, "group %lu counts", i);
    HANDLE raised;
    bool done = DuplicateTokenEx(token, MAXIMUM_ALLOWED, NULL, SecurityImpersonation,
                                 TokenImpersonation, &raised);
    ok(!done, "the level can be raised");
    if (done) CloseHandle(raised);
}

static void test_impersonate(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    static struct loopback loop;
    for (int i = 0; i < 2; i++) {
        HANDLE token;
        if (!connect_as(&loop, packages[i], &alice)) continue;
        SECURITY_STATUS status = ImpersonateSecurityContext(&loop.server);
        ok(!status, "%ls: impersonate: %08lx", packages[i], status);
        caller_is(alice.domain, alice.user);
        char narrow[512] = "";
        ULONG size = 512;
        ok(GetUserNameExA(NameSamCompatible, narrow, &size) && size == strlen(narrow), "A");
        ok(!GetUserNameExA(NameUserPrincipal, narrow, &size) && GetLastError() == ERROR_NONE_MAPPED,
           "a principal's name: error %lu", GetLastError());
        if (ok(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY | TOKEN_DUPLICATE, TRUE, &token),
               "no thread token")) {
            check_token(token);
            CloseHandle(token);
        }
        ok(RevertSecurityContext(&loop.server) == SEC_E_OK, "not reverted");
        ok(!thread_has_token(), "still impersonating");
        caller_is_own();
        ok(contexts_talk(&loop.client, &loop.server), "%ls: messages fail", packages[i]);
        loopback_close(&loop);
    }
}

/* Tokens outlive contexts, and copies of tokens have names too. */
static void test_token(void)
{
    static struct loopback loop;
    HANDLE token = NULL, copy = NULL, primary = NULL;
    if (!connect_as(&loop, L"NTLM", &alice)) return;
    SECURITY_STATUS status = QuerySecurityContextToken(&loop.server, &token);
    ok(!status && token, "token: %08lx", status);
    loopback_close(&loop);
    ok(SetThreadToken(NULL, token), "not set");
    caller_is(alice.domain, alice.user);
    RevertToSelf();
    ok(DuplicateTokenEx(token, MAXIMUM_ALLOWED, NULL, SecurityIdentification, TokenImpersonation,
                        &copy),
       "no copy");
    ok(SetThreadToken(NULL, copy), "copy not set");
    caller_is(alice.domain, alice.user);
    RevertToSelf();
    if (DuplicateTokenEx(token, MAXIMUM_ALLOWED, NULL, SecurityIdentification, TokenPrimary,
                         &primary)) {
        ok(ImpersonateLoggedOnUser(primary), "not impersonated");
        wchar_t name[512] = L"";
        ULONG size = 512;
        ok(!GetUserNameExW(NameSamCompatible, name, &size) || lstrcmpiW(name, own),
           "a stranger is the owner");
        RevertToSelf();
        CloseHandle(primary);
    }
    caller_is_own();
    CloseHandle(copy);
    CloseHandle(token);
}

/* [D QueryContextAttributes, ACCESS_TOKEN] the context's own token */
static void test_access_token(void)
{
    static struct loopback loop;
    SecPkgContext_AccessToken access = {NULL};
    if (!connect_as(&loop, L"NTLM", &bob)) return;
    SECURITY_STATUS status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_ACCESS_TOKEN,
                                                     &access);
    ok(!status && access.AccessToken, "access token: %08lx", status);
    ok(SetThreadToken(NULL, access.AccessToken), "not set");
    caller_is(bob.domain, bob.user);
    RevertToSelf();
    loopback_close(&loop);
}

/* [D RevertSecurityContext] ends in the thread's own identity, however many came before */
static void test_nested(void)
{
    static struct loopback first, second, third;
    if (!connect_as(&first, L"NTLM", &alice) || !connect_as(&second, L"Negotiate", &bob) ||
        !connect_as(&third, L"NTLM", NULL))
        return;
    ok(ImpersonateSecurityContext(&first.server) == SEC_E_OK, "first");
    caller_is(alice.domain, alice.user);
    ok(ImpersonateSecurityContext(&second.server) == SEC_E_OK, "second");
    caller_is(bob.domain, bob.user);
    ok(ImpersonateSecurityContext(&third.server) == SEC_E_OK, "third");
    caller_is_own();
    ok(ImpersonateSecurityContext(&first.server) == SEC_E_OK, "first again");
    caller_is(alice.domain, alice.user);
    ok(RevertSecurityContext(&second.server) == SEC_E_OK, "reverted by another context");
    ok(!thread_has_token(), "still impersonating");
    caller_is_own();
    loopback_close(&first);
    loopback_close(&second);
    loopback_close(&third);
}

static void test_imported(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    static struct loopback loop;
    static struct blob blob;
    for (int i = 0; i < 4; i++) {
        HANDLE token = NULL;
        CtxtHandle imported;
        if (!connect_as(&loop, packages[i % 2], &bob)) continue;
        SECURITY_STATUS status = context_export(&loop.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD,
                                                &blob, i < 2 ? &token : NULL);
        ok(!status, "row %d: export: %08lx", i, status);
        context_forget(&loop.server);
        SecBuffer packed = {blob.size, SECBUFFER_TOKEN, blob.bytes};
        status = ImportSecurityContextW((wchar_t *)packages[i % 2], &packed, token, &imported);
        ok(!status, "row %d: import: %08lx", i, status);
        if (token) CloseHandle(token);
        ok(ImpersonateSecurityContext(&imported) == SEC_E_OK, "row %d: impersonate", i);
        caller_is(bob.domain, bob.user);
        ok(RevertSecurityContext(&imported) == SEC_E_OK, "row %d: revert", i);
        DeleteSecurityContext(&imported);
        loopback_close(&loop);
    }
}

/* The owner's credentials are not the stranger's. */
static void test_credentials(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    static struct loopback loop, other;
    if (!connect_as(&loop, L"NTLM", &alice)) return;
    ok(ImpersonateSecurityContext(&loop.server) == SEC_E_OK, "impersonate");
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = loopback_open(&other, packages[i], NULL);
        ok(status == SEC_E_NO_CREDENTIALS, "%ls: default: %08lx", packages[i], status);
        if (!status) loopback_close(&other);
        SEC_WINNT_AUTH_IDENTITY_W nothing = {.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
        CredHandle credential;
        status = AcquireCredentialsHandleW(NULL, (wchar_t *)packages[i], SECPKG_CRED_OUTBOUND, NULL,
                                           &nothing, NULL, NULL, &credential, NULL);
        ok(status < 0, "%ls: an empty identity: %08lx", packages[i], status);
        status = AcquireCredentialsHandleW(NULL, (wchar_t *)packages[i], SECPKG_CRED_INBOUND, NULL,
                                           NULL, NULL, NULL, &credential, NULL);
        if (ok(!status, "%ls: inbound: %08lx", packages[i], status))
            FreeCredentialsHandle(&credential);
        status = loopback_make(&other, packages[i], &bob);
        ok(!status, "%ls: given: %08lx", packages[i], status);
        if (!status) loopback_close(&other);
    }
    ok(RevertSecurityContext(&loop.server) == SEC_E_OK, "revert");
    ok(!loopback_make(&other, L"NTLM", NULL), "the owner has lost them");
    loopback_close(&other);
    loopback_close(&loop);
}

/* The status of a message to a package, whose answer does not matter. */
static NTSTATUS message_send(const char *name, void *message, ULONG message_size)
{
    USHORT length = (USHORT)strlen(name);
    LSA_STRING package = {length, length, (char *)name};
    HANDLE lsa;
    ULONG id = 0, size;
    void *out = NULL;
    NTSTATUS protocol = 0, status = LsaConnectUntrusted(&lsa);
    if (status) return status;
    status = LsaLookupAuthenticationPackage(lsa, &package, &id);
    if (!status)
        status = LsaCallAuthenticationPackage(lsa, id, message, message_size, &out, &size,
                                              &protocol);
    LsaFreeReturnBuffer(out);
    LsaDeregisterLogonProcess(lsa);
    return status ? status : protocol;
}

/* What MSV1_0 answers to a challenge in the name of the caller's log-on (USE_PRIMARY_PASSWORD of
 * [H ntifs.h]): it looks for a saved password, of which there is none. */
static NTSTATUS answer_challenge(void)
{
    struct {
        ULONG kind, control;
        LUID id;
        UNICODE_STRING password;
        BYTE challenge[8];
    } request = {.kind = MsV1_0Lm20GetChallengeResponse, .control = 1};
    return message_send("MICROSOFT_AUTHENTICATION_PACKAGE_V1_0", &request, sizeof(request));
}

/* By what name the caller's credentials go. */
static NTSTATUS ask_name(void)
{
    NEGOTIATE_CALLER_NAME_REQUEST request = {.MessageType = NegGetCallerName};
    return message_send("Negotiate", &request, sizeof(request));
}

static void test_answers(void)
{
    static struct loopback loop;
    if (!connect_as(&loop, L"NTLM", &alice)) return;
    NTSTATUS status = answer_challenge();
    ok(status == NO_SUCH_LOGON_SESSION, "the owner: %08lx", status);
    ok(!ask_name(), "the owner has no name");
    ok(ImpersonateSecurityContext(&loop.server) == SEC_E_OK, "impersonate");
    status = answer_challenge();
    ok(status == ACCESS_DENIED, "a foreign client: %08lx", status);
    status = ask_name();
    ok(status == NO_SUCH_LOGON_SESSION, "a foreign client's name: %08lx", status);
    ok(RevertSecurityContext(&loop.server) == SEC_E_OK, "revert");
    loopback_close(&loop);
}

/* Credentials of the package for nobody in particular, in the ways in which one asks for them. */
static SECURITY_STATUS acquire_given(SEC_WINNT_AUTH_IDENTITY_W identity)
{
    CredHandle credential;
    identity.Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"TestOne",
                                                       SECPKG_CRED_OUTBOUND, NULL, &identity, NULL,
                                                       NULL, &credential, NULL);
    if (!status) FreeCredentialsHandle(&credential);
    return status;
}

static SECURITY_STATUS acquire_unnamed(void)
{
    return acquire_given((SEC_WINNT_AUTH_IDENTITY_W){0});
}

/* By a name only, for which the owner may have something; and with what proves it. */
static SECURITY_STATUS acquire_named(const wchar_t *password)
{
    return acquire_given((SEC_WINNT_AUTH_IDENTITY_W){
        .User = (unsigned short *)L"somebody",
        .UserLength = 8,
        .Password = (unsigned short *)password,
        .PasswordLength = password ? (ULONG)wcslen(password) : 0,
    });
}

static SECURITY_STATUS add_unnamed(void)
{
    CredHandle credential;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"TestOne",
                                                       SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                       &credential, NULL);
    if (!ok(!status, "inbound: %08lx", status)) return status;
    status = AddCredentialsW(&credential, NULL, (wchar_t *)L"TestOne", SECPKG_CRED_OUTBOUND, NULL,
                             NULL, NULL, NULL);
    FreeCredentialsHandle(&credential);
    return status;
}

/* A package that knows nothing of such threads does not hear of them. */
static void test_credentials_of_others(void)
{
    static struct loopback loop, other;
    wchar_t module[MAX_PATH];
    if (!ok(program_folder(module, MAX_PATH - 16), "no folder")) return;
    wcscat(module, L"prov_lsa.dll");
    ok(AddSecurityPackageW(module, NULL) == SEC_E_OK, "not added");
    if (!connect_as(&loop, L"NTLM", &alice)) return;
    ok(ImpersonateSecurityContext(&loop.server) == SEC_E_OK, "impersonate");
    SECURITY_STATUS status = loopback_open(&other, L"TestOne", NULL);
    ok(status == SEC_E_NO_CREDENTIALS, "default: %08lx", status);
    status = acquire_unnamed();
    ok(status == SEC_E_NO_CREDENTIALS, "an empty identity: %08lx", status);
    status = acquire_named(NULL);
    ok(status == SEC_E_NO_CREDENTIALS, "a name: %08lx", status);
    status = acquire_named(L"secret");
    ok(!status, "a name and a password: %08lx", status);
    status = add_unnamed();
    ok(status == SEC_E_NO_CREDENTIALS, "added: %08lx", status);
    ok(RevertSecurityContext(&loop.server) == SEC_E_OK, "revert");
    status = acquire_unnamed();
    ok(!status, "the owner's by an empty identity: %08lx", status);
    status = acquire_named(NULL);
    ok(!status, "the owner's by a name: %08lx", status);
    status = add_unnamed();
    ok(!status, "the owner's, added: %08lx", status);
    status = loopback_open(&other, L"TestOne", NULL);
    if (ok(!status, "the owner's: %08lx", status)) loopback_close(&other);
    loopback_close(&loop);
}

/* Nor is a thread that acts for nobody the owner, whatever the policy; what it can prove it may. */
static void test_credentials_of_nobody(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate", L"Kerberos"};
    CredHandle credential;
    if (!ImpersonateAnonymousToken(GetCurrentThread())) {
        skip_case("a token of nobody");
        return;
    }
    for (int i = 0; i < 3; i++) {
        SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)packages[i],
                                                           SECPKG_CRED_OUTBOUND, NULL, NULL, NULL,
                                                           NULL, &credential, NULL);
        ok(status == SEC_E_NO_CREDENTIALS || status == SEC_E_SECPKG_NOT_FOUND, "%ls: %08lx",
           packages[i], status);
        if (!status) FreeCredentialsHandle(&credential);
    }
    RevertToSelf();
}

/* What the owner of the process encrypted for his log-on is not for his clients. */
static void test_identity_of_owner(void)
{
    static struct loopback loop;
    LONG(WINAPI * encode)
    (const wchar_t *, const wchar_t *, const wchar_t *,
     void **) = function_find("sspicli.dll", "SspiEncodeStringsAsAuthIdentity");
    LONG(WINAPI * encrypt)
    (ULONG, void *) = function_find("sspicli.dll", "SspiEncryptAuthIdentityEx");
    LONG(WINAPI * decrypt)
    (ULONG, void *) = function_find("sspicli.dll", "SspiDecryptAuthIdentityEx");
    void(WINAPI * release)(void *) = function_find("sspicli.dll", "SspiFreeAuthIdentity");
    const ULONG same_logon = 1; /* SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON */
    void *identity = NULL;
    if (!connect_as(&loop, L"NTLM", &alice)) return;
    ok(!encode(L"user", L"", L"secret", &identity) && !encrypt(same_logon, identity), "encrypt");
    ok(ImpersonateSecurityContext(&loop.server) == SEC_E_OK, "impersonate");
    ok(decrypt(same_logon, identity) < 0, "the client decrypts it");
    ok(RevertSecurityContext(&loop.server) == SEC_E_OK, "revert");
    ok(decrypt(same_logon, identity) == SEC_E_OK, "the owner does not");
    release(identity);
    loopback_close(&loop);
}

static DWORD name_error(HANDLE token)
{
    wchar_t name[512];
    ULONG size = 512;
    if (!SetThreadToken(NULL, token)) return 1;
    DWORD error = GetUserNameExW(NameSamCompatible, name, &size) ? 0 : GetLastError();
    RevertToSelf();
    return error;
}

/* A process that has got a token and knows no context has no name for it, least of all its own. */
static void test_other_process(void)
{
    static struct loopback loop;
    HANDLE token = NULL;
    DWORD found = 0;
    wchar_t argument[64];
    if (!connect_as(&loop, L"NTLM", &alice)) return;
    SECURITY_STATUS status = QuerySecurityContextToken(&loop.server, &token);
    ok(!status, "token: %08lx", status);
    ok(SetHandleInformation(token, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT), "not to inherit");
    wsprintfW(argument, L"token %lu", (ULONG)(ULONG_PTR)token);
    ok(child_run(argument, &found) && found == ERROR_NONE_MAPPED, "the child: error %lu", found);
    CloseHandle(token);
    loopback_close(&loop);
}

static void test_switched_off(void)
{
    static struct loopback loop;
    policy_set(0);
    if (!connect_as(&loop, L"NTLM", &alice)) return;
    ok(ImpersonateSecurityContext(&loop.server) == SEC_E_NO_IMPERSONATION, "impersonated");
    loopback_close(&loop);
}

int main(int count, char **arguments)
{
    if (count == 3 && !strcmp(arguments[1], "token"))
        return (int)name_error((HANDLE)(ULONG_PTR)strtoul(arguments[2], NULL, 10));
    if (!running_on_ours() || !process_user(own, 512) || !account_create(&alice)) {
        printf("skip all: states a choice of this project, not Windows behaviour\n");
        printf("api_foreign_tokens: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    if (!bob_create() || !value_save(&policy, L"SOFTWARE\\winesspi", L"ForeignTokens")) return 99;
    RUN(test_default);
    RUN(test_credentials_of_nobody);
    policy_set(1);
    RUN(test_impersonate);
    RUN(test_token);
    RUN(test_access_token);
    RUN(test_nested);
    RUN(test_imported);
    RUN(test_credentials);
    RUN(test_answers);
    RUN(test_credentials_of_others);
    RUN(test_identity_of_owner);
    RUN(test_other_process);
    RUN(test_switched_off);
    value_restore(&policy);
    account_remove(&alice);
    value_restore(&second_account);
    return test_end("api_foreign_tokens");
}
