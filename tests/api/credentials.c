/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AcquireCredentialsHandle and what goes with it, for package NTLM: the forms in which an identity
 * is given, lengths of zero, wrong arguments, attributes, and credentials freed while contexts
 * that came from them are alive. Sources of expectations in brackets, as in api_packages.
 */
#include "identities.h"
#include "loopback.h"

#define UNTOUCHED ((ULONG_PTR)0x5ec5ec5e)

static struct account account;
static bool have_account;

static CredHandle made;

static SECURITY_STATUS acquire_w(const wchar_t *package, ULONG use, void *identity)
{
    TimeStamp expiry;
    made = (CredHandle){UNTOUCHED, UNTOUCHED};
    return AcquireCredentialsHandleW(NULL, (wchar_t *)package, use, NULL, identity, NULL, NULL,
                                     &made, &expiry);
}

static SECURITY_STATUS acquire_a(const char *package, ULONG use, void *identity)
{
    TimeStamp expiry;
    made = (CredHandle){UNTOUCHED, UNTOUCHED};
    return AcquireCredentialsHandleA(NULL, (char *)package, use, NULL, identity, NULL, NULL, &made,
                                     &expiry);
}

/* Success, a handle, and the first leg goes through [W8 ntlm.c:1499-1516]. */
static void expect_usable(SECURITY_STATUS status, const char *what)
{
    if (!ok(status == SEC_E_OK, "%s: %08lx", what, status)) return;
    BYTE room[4096];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG attrs;
    status = InitializeSecurityContextW(&made, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL, 0,
                                        &context, &list, &attrs, NULL);
    if (ok(status == SEC_I_CONTINUE_NEEDED, "%s: first leg %08lx", what, status))
        ok(DeleteSecurityContext(&context) == SEC_E_OK, "%s: context not deleted", what);
    ok(FreeCredentialsHandle(&made) == SEC_E_OK, "%s: credential not freed", what);
}

static void expect_refused(SECURITY_STATUS status, SECURITY_STATUS expected, const char *what)
{
    if (expected) ok(status == expected, "%s: %08lx", what, status);
    else ok(status < 0, "%s: %08lx", what, status);
    ok(made.dwLower == UNTOUCHED && made.dwUpper == UNTOUCHED, "%s: handle changed", what);
    if (status >= 0) FreeCredentialsHandle(&made);
}

static void test_default_credentials(void)
{
    expect_usable(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, NULL), "W outbound");
    expect_usable(acquire_a("NTLM", SECPKG_CRED_OUTBOUND, NULL), "A outbound");
    expect_usable(acquire_w(L"NTLM", SECPKG_CRED_BOTH, NULL), "W both");
    SECURITY_STATUS status = acquire_w(L"NTLM", SECPKG_CRED_INBOUND, NULL);
    if (ok(status == SEC_E_OK, "inbound: %08lx", status))
        ok(FreeCredentialsHandle(&made) == SEC_E_OK, "inbound: not freed");
}

static void test_package_names(void)
{
    /* [W8 schannel.c:325-328], [CI sspilib test_credential] */
    expect_refused(acquire_a(NULL, SECPKG_CRED_OUTBOUND, NULL), SEC_E_SECPKG_NOT_FOUND, "A, NULL");
    expect_refused(acquire_w(NULL, SECPKG_CRED_OUTBOUND, NULL), SEC_E_SECPKG_NOT_FOUND, "W, NULL");
    expect_refused(acquire_w(L"Winetest", SECPKG_CRED_OUTBOUND, NULL), SEC_E_SECPKG_NOT_FOUND,
                   "unknown");
    expect_refused(acquire_a("", SECPKG_CRED_OUTBOUND, NULL), SEC_E_SECPKG_NOT_FOUND, "empty");
    expect_usable(acquire_w(L"ntlm", SECPKG_CRED_OUTBOUND, NULL), "lower case");
}

/* [W8 ntlm.c:1287-1321] the narrow forms, [W8 ntlm.c:1363-1400] the wide ones */
static void test_partial_identities(void)
{
    SEC_WINNT_AUTH_IDENTITY_W wide = wide_identity(L"user", L"DOMAIN", L"secret");
    expect_usable(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &wide), "W whole");
    wide.DomainLength = 0;
    expect_usable(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &wide), "W domain length 0");
    wide = wide_identity(L"user", NULL, L"secret");
    expect_usable(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &wide), "W no domain");
    wide = wide_identity(NULL, L"DOMAIN", L"secret");
    expect_usable(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &wide), "W no user");
    wide = wide_identity(L"user", L"DOMAIN", L"secret");
    wide.PasswordLength = 0;
    expect_usable(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &wide), "W password length 0");

    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("user", "DOMAIN", "secret");
    expect_usable(acquire_a("NTLM", SECPKG_CRED_OUTBOUND, &narrow), "A whole");
    narrow.DomainLength = 0;
    expect_usable(acquire_a("NTLM", SECPKG_CRED_OUTBOUND, &narrow), "A domain length 0");
    narrow = narrow_identity("user", NULL, "secret");
    expect_usable(acquire_a("NTLM", SECPKG_CRED_OUTBOUND, &narrow), "A no domain");
    narrow = narrow_identity(NULL, "DOMAIN", "secret");
    expect_usable(acquire_a("NTLM", SECPKG_CRED_OUTBOUND, &narrow), "A no user");
    narrow = narrow_identity("user", "DOMAIN", NULL);
    expect_usable(acquire_a("NTLM", SECPKG_CRED_OUTBOUND, &narrow), "A no password");
}

/* [W8 ntlm.c:1405-1412] the Flags member decides about the characters, not the suffix */
static void test_flags_beat_suffix(void)
{
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("user", "DOMAIN", "secret");
    expect_usable(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &narrow), "narrow identity in W");
    SEC_WINNT_AUTH_IDENTITY_W wide = wide_identity(L"user", L"DOMAIN", L"secret");
    expect_usable(acquire_a("NTLM", SECPKG_CRED_OUTBOUND, &wide), "wide identity in A");
    /* [D sec_winnt_auth_identity_info] what does not say ANSI is wide */
    wide.Flags = 0;
    expect_usable(acquire_a("NTLM", SECPKG_CRED_OUTBOUND, &wide), "no character type");
}

/* The whole exchange with one form of identity. */
static SECURITY_STATUS log_on(SECURITY_STATUS acquired, const char *what)
{
    if (!ok(!acquired, "%s: %08lx", what, acquired)) return acquired;
    static struct loopback loop;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return status;
    CredHandle default_cred = loop.client_cred;
    loop.client_cred = made;
    status = loopback_connect(&loop);
    if (!status) ok(contexts_talk(&loop.client, &loop.server), "%s: messages fail", what);
    FreeCredentialsHandle(&default_cred);
    loopback_close(&loop);
    return status;
}

/* Each form must carry user, domain and password to the server unharmed. */
static void test_forms_log_on(void)
{
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    char user[64], domain[16], password[64];
    WideCharToMultiByte(CP_ACP, 0, account.user, -1, user, 64, NULL, NULL);
    WideCharToMultiByte(CP_ACP, 0, account.domain, -1, domain, 16, NULL, NULL);
    WideCharToMultiByte(CP_ACP, 0, account.password, -1, password, 64, NULL, NULL);
    SEC_WINNT_AUTH_IDENTITY_W wide = wide_identity(account.user, account.domain, account.password);
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity(user, domain, password);
    SEC_WINNT_AUTH_IDENTITY_EXW ex = wide_identity_ex(account.user, account.domain,
                                                      account.password);

    SECURITY_STATUS status = log_on(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &wide), "W");
    ok(status == SEC_E_OK, "W: %08lx", status);
    status = log_on(acquire_a("NTLM", SECPKG_CRED_OUTBOUND, &narrow), "A");
    ok(status == SEC_E_OK, "A: %08lx", status);
    status = log_on(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &narrow), "A in W");
    ok(status == SEC_E_OK, "A in W: %08lx", status);
    status = log_on(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &ex), "EX");
    ok(status == SEC_E_OK, "EX: %08lx", status);
}

/* [WM ntlm.c], [CI sspilib] the client's legs succeed, the server says no */
static void test_wrong_password(void)
{
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    static const wchar_t *const wrong[] = {L"password", L"Password ", L"Passwor", L""};
    for (int i = 0; i < 4; i++) {
        SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(account.user, account.domain, wrong[i]);
        SECURITY_STATUS status = log_on(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &identity), "W");
        ok(status == SEC_E_LOGON_DENIED, "\"%ls\": %08lx", wrong[i], status);
    }
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(L"nobody", account.domain, L"Password");
    SECURITY_STATUS status = log_on(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &identity), "W");
    ok(status == SEC_E_LOGON_DENIED, "unknown user: %08lx", status);
    identity = wide_identity(account.user, L"ELSEWHERE", L"Password");
    status = log_on(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &identity), "W");
    ok(status == SEC_E_LOGON_DENIED, "unknown domain: %08lx", status);
}

/* MS-NLMP 3.3.2: the user's name is taken in upper case; accounts are found case aside. */
static void test_user_case(void)
{
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    wchar_t user[64];
    lstrcpyW(user, account.user);
    CharUpperW(user);
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(user, account.domain, account.password);
    SECURITY_STATUS status = log_on(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &identity), "W");
    ok(status == SEC_E_OK, "%ls: %08lx", user, status);
}

/* The identity is the caller's memory: it may be wiped once the call has returned. */
static void test_identity_is_copied(void)
{
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    struct account copy = account;
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(copy.user, copy.domain, copy.password);
    SECURITY_STATUS status = acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &identity);
    SecureZeroMemory(&copy, sizeof(copy));
    SecureZeroMemory(&identity, sizeof(identity));
    status = log_on(status, "wiped");
    ok(status == SEC_E_OK, "wiped: %08lx", status);
}

/* ours: shapes that cannot be an identity; on Windows some of these crash the caller */
static void test_broken_identities(void)
{
    if (!ours_only()) return;
    SEC_WINNT_AUTH_IDENTITY_W identity;
    SEC_WINNT_AUTH_IDENTITY_EXW ex = wide_identity_ex(account.user, account.domain,
                                                      account.password);
    ex.Version = 0x299;
    expect_refused(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &ex), 0, "EX version 0x299");
    ex = wide_identity_ex(account.user, account.domain, account.password);
    ex.Length = 8;
    expect_refused(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &ex), 0, "EX too short");
    static wchar_t longest[600];
    for (int i = 0; i < 599; i++) longest[i] = L'u';
    /* [D acquirecredentialshandle--ntlm] user and password 256, domain 15 characters */
    identity = wide_identity(longest, L"DOMAIN", L"secret");
    expect_refused(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &identity), 0, "user of 599");
    identity = wide_identity(L"user", L"DOMAIN", longest);
    expect_refused(acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &identity), 0, "password of 599");
}

/* ours */
static void test_broken_arguments(void)
{
    if (!ours_only()) return;
    expect_refused(acquire_w(L"NTLM", 0, NULL), 0, "no use");
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, NULL, NULL);
    ok(status < 0, "no handle to write to: %08lx", status);
}

/* [W8 schannel.c:349-351] the expiry need not be asked for */
static void test_expiry(void)
{
    TimeStamp expiry = {.QuadPart = 1};
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &made, NULL);
    if (ok(status == SEC_E_OK, "without expiry: %08lx", status)) FreeCredentialsHandle(&made);
    status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL,
                                       NULL, NULL, &made, &expiry);
    if (!ok(status == SEC_E_OK, "with expiry: %08lx", status)) return;
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    LONGLONG today = (LONGLONG)now.dwHighDateTime << 32 | now.dwLowDateTime;
    ok(expiry.QuadPart > today, "expired at %lx%08lx", expiry.HighPart, expiry.LowPart);
    FreeCredentialsHandle(&made);
}

/* [D querycredentialsattributes] CRED_ATTR_NAMES, in both forms */
static void test_names(void)
{
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(account.user, account.domain,
                                                       account.password);
    SECURITY_STATUS status = acquire_w(L"NTLM", SECPKG_CRED_OUTBOUND, &identity);
    if (!ok(!status, "no credential: %08lx", status)) return;
    wchar_t expected[96];
    wsprintfW(expected, L"%s\\%s", account.domain, account.user);
    SecPkgCredentials_NamesW wide = {NULL};
    status = QueryCredentialsAttributesW(&made, SECPKG_CRED_ATTR_NAMES, &wide);
    if (ok(!status && wide.sUserName, "W: %08lx", status)) {
        ok(!lstrcmpW(wide.sUserName, expected), "W: %ls", wide.sUserName);
        ok(FreeContextBuffer(wide.sUserName) == SEC_E_OK, "W: not freed");
    }
    SecPkgCredentials_NamesA narrow = {NULL};
    status = QueryCredentialsAttributesA(&made, SECPKG_CRED_ATTR_NAMES, &narrow);
    if (ok(!status && narrow.sUserName, "A: %08lx", status)) {
        char text[96];
        WideCharToMultiByte(CP_ACP, 0, expected, -1, text, 96, NULL, NULL);
        ok(!strcmp(narrow.sUserName, text), "A: %s", narrow.sUserName);
        ok(FreeContextBuffer(narrow.sUserName) == SEC_E_OK, "A: not freed");
    }
    BYTE room[256];
    status = QueryCredentialsAttributesW(&made, 0x7777, room);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "unknown attribute: %08lx", status);
    FreeCredentialsHandle(&made);
}

/* [W8 ntlm.c:1461-1471] several contexts from one credential */
static void test_several_contexts(void)
{
    static struct loopback first, second;
    if (!ok(!loopback_make(&first, L"NTLM", NULL), "no contexts")) return;
    second = first;
    context_forget(&second.client);
    context_forget(&second.server);
    SECURITY_STATUS status = loopback_connect(&second);
    if (ok(!status, "second pair: %08lx", status)) {
        ok(contexts_talk(&second.client, &second.server), "second pair does not talk");
        ok(contexts_talk(&first.client, &first.server), "first pair does not talk");
        struct message text;
        message_set(&text, "crossed", 7);
        ok(!message_sign(&first.client, &text), "not signed");
        ok(message_verify(&second.server, &text) == SEC_E_MESSAGE_ALTERED, "keys are shared");
    }
    if (context_present(&second.client)) DeleteSecurityContext(&second.client);
    if (context_present(&second.server)) DeleteSecurityContext(&second.server);
    loopback_close(&first);
}

/* [D freecredentialshandle] contexts that were made with a credential outlive it */
static void test_freed_while_contexts_live(void)
{
    struct loopback loop;
    if (!ok(!loopback_make(&loop, L"NTLM", NULL), "no contexts")) return;
    ok(FreeCredentialsHandle(&loop.client_cred) == SEC_E_OK, "client's not freed");
    ok(FreeCredentialsHandle(&loop.server_cred) == SEC_E_OK, "server's not freed");
    ok(contexts_talk(&loop.client, &loop.server), "messages fail afterwards");
    SecPkgContext_NamesW names = {NULL};
    SECURITY_STATUS status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
    if (ok(!status, "names: %08lx", status)) FreeContextBuffer(names.sUserName);
    ok(DeleteSecurityContext(&loop.client) == SEC_E_OK, "client not deleted");
    ok(DeleteSecurityContext(&loop.server) == SEC_E_OK, "server not deleted");
}

/* ours: freed between the legs; the handshake goes on with the next credential or none */
static void test_freed_between_legs(void)
{
    if (!ours_only()) return;
    struct loopback loop;
    if (!ok(!loopback_open(&loop, L"NTLM", NULL), "no credentials")) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "client 1: %08lx", status);
    status = loopback_server_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "server 1: %08lx", status);
    FreeCredentialsHandle(&loop.client_cred);
    status = loopback_client_leg(&loop);
    ok(status == SEC_E_INVALID_HANDLE, "client 2 with a freed credential: %08lx", status);
    loopback_close(&loop);
}

/* [D AcquireCredentialsHandle] SECPKG_CRED_BOTH: one credential for both ends */
static void test_both_ends(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    static struct loopback loop;
    for (size_t i = 0; i < ARRAYSIZE(packages); i++) {
        CredHandle client, server;
        SECURITY_STATUS status = loopback_open(&loop, packages[i], NULL);
        if (!ok(!status, "%ls: no credentials: %08lx", packages[i], status)) continue;
        client = loop.client_cred;
        server = loop.server_cred;
        status = acquire_w(packages[i], SECPKG_CRED_BOTH, NULL);
        if (ok(!status, "%ls: no credential for both: %08lx", packages[i], status)) {
            loop.client_cred = loop.server_cred = made;
            status = loopback_connect(&loop);
            ok(status == SEC_E_OK, "%ls: %08lx", packages[i], status);
            if (!status)
                ok(contexts_talk(&loop.client, &loop.server), "%ls: they do not talk", packages[i]);
            ok(FreeCredentialsHandle(&made) == SEC_E_OK, "%ls: not freed", packages[i]);
        }
        loop.client_cred = client;
        loop.server_cred = server;
        loopback_close(&loop);
    }
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_default_credentials);
    RUN(test_package_names);
    RUN(test_partial_identities);
    RUN(test_flags_beat_suffix);
    RUN(test_forms_log_on);
    RUN(test_wrong_password);
    RUN(test_user_case);
    RUN(test_identity_is_copied);
    RUN(test_broken_identities);
    RUN(test_broken_arguments);
    RUN(test_expiry);
    RUN(test_names);
    RUN(test_both_ends);
    RUN(test_several_contexts);
    RUN(test_freed_while_contexts_live);
    RUN(test_freed_between_legs);
    if (have_account) account_remove(&account);
    return test_end("api_credentials");
}
