/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log-ons with Kerberos through LsaLogonUser ([D LsaLogonUser], [H ntsecapi.h]) and changes of
 * passwords ([D ChangeAccountPassword], [D KERB_PROTOCOL_MESSAGE_TYPE]) over a KDC that
 * kerberos_tickets.sh has started. Arguments: its realm, and the name of the process's user, whose
 * password is "four"; alice's is "one", bob's "two", and of bob's next ones eight characters are
 * demanded. With the argument `without` there is no KDC and no realm.
 */
#include "ssp/abi.h"

#include "loopback.h"
#include "support.h"

static wchar_t realm[64], user[64];
static HANDLE lsa, trusted;
static ULONG package;

struct buffer {
    union {
        ULONG kind;
        KERB_INTERACTIVE_LOGON interactive;
        KERB_S4U_LOGON s4u;
        KERB_CHANGEPASSWORD_REQUEST change;
        KERB_SETPASSWORD_REQUEST set;
        BYTE bytes[160];
    };
    wchar_t room[128];
    ULONG used;
};

static void buffer_open(struct buffer *m, ULONG kind)
{
    memset(m, 0, sizeof(*m));
    m->kind = kind;
}

static void buffer_text(struct buffer *m, UNICODE_STRING *out, const wchar_t *text)
{
    USHORT size = (USHORT)(lstrlenW(text) * sizeof(wchar_t));
    *out = (UNICODE_STRING){size, size, m->room + m->used};
    memcpy(m->room + m->used, text, size);
    m->used += size / sizeof(wchar_t);
}

static ULONG buffer_size(const struct buffer *m)
{
    return (ULONG)(offsetof(struct buffer, room) + m->used * sizeof(wchar_t));
}

/* ---- log-ons ---- */

struct result {
    NTSTATUS status, sub_status;
    KERB_INTERACTIVE_PROFILE *profile;
    ULONG profile_size;
    LUID id;
    HANDLE token;
    QUOTA_LIMITS quotas;
};

static NTSTATUS log_on(SECURITY_LOGON_TYPE type, struct buffer *m, struct result *out)
{
    LSA_STRING origin = {4, 5, (char *)"test"};
    TOKEN_SOURCE source = {.SourceName = "test"};
    memset(out, 0, sizeof(*out));
    out->status = LsaLogonUser(lsa, &origin, type, package, m, buffer_size(m), NULL, &source,
                               (void **)&out->profile, &out->profile_size, &out->id, &out->token,
                               &out->quotas, &out->sub_status);
    ok(out->status == 0 || (!out->token && !out->profile), "something beside %08lx", out->status);
    return out->status;
}

static NTSTATUS log_on_by(SECURITY_LOGON_TYPE type, const wchar_t *domain, const wchar_t *name,
                          const wchar_t *password, struct result *out)
{
    struct buffer m;
    buffer_open(&m, KerbInteractiveLogon);
    buffer_text(&m, &m.interactive.LogonDomainName, domain);
    buffer_text(&m, &m.interactive.UserName, name);
    buffer_text(&m, &m.interactive.Password, password);
    return log_on(type, &m, out);
}

static void result_free(struct result *result)
{
    if (result->profile) LsaFreeReturnBuffer(result->profile);
    if (result->token) CloseHandle(result->token);
}

static bool text_is(const UNICODE_STRING *text, const wchar_t *wanted)
{
    return text->Length == lstrlenW(wanted) * sizeof(wchar_t) &&
           !memcmp(text->Buffer, wanted, text->Length);
}

static TOKEN_TYPE token_type(HANDLE token)
{
    TOKEN_TYPE type = 0;
    DWORD size;
    GetTokenInformation(token, TokenType, &type, sizeof(type), &size);
    return type;
}

static bool is_listed(const LUID *id)
{
    ULONG count = 0;
    LUID *list = NULL;
    bool found = false;
    if (LsaEnumerateLogonSessions(&count, &list)) return false;
    for (ULONG i = 0; i < count; i++)
        found = found || (list[i].LowPart == id->LowPart && list[i].HighPart == id->HighPart);
    LsaFreeReturnBuffer(list);
    return found;
}

/* [D LsaGetLogonSessionData] */
static void check_session(const LUID *id)
{
    SECURITY_LOGON_SESSION_DATA *data = NULL;
    LUID copy = *id;
    ok(is_listed(id), "it is not listed");
    NTSTATUS status = LsaGetLogonSessionData(&copy, &data);
    if (!ok(!status && data, "its data: %08lx", status)) return;
    ok(text_is(&data->UserName, user), "user");
    ok(text_is(&data->LogonDomain, realm), "domain");
    ok(text_is(&data->AuthenticationPackage, L"Kerberos"), "package");
    ok(data->LogonType == Interactive, "type %lu", data->LogonType);
    LsaFreeReturnBuffer(data);
}

/* Tickets of a log-on, as who is trusted sees them. */
static void check_tickets(const LUID *id)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {KerbQueryTicketCacheExMessage, *id};
    KERB_QUERY_TKT_CACHE_EX_RESPONSE *answer = NULL;
    NTSTATUS protocol = 0;
    ULONG size;
    if (!trusted) return;
    NTSTATUS status = LsaCallAuthenticationPackage(trusted, package, &request, sizeof(request),
                                                   (void **)&answer, &size, &protocol);
    if (ok(!status && !protocol && answer, "status %08lx, %08lx", status, protocol)) {
        ok(answer->CountOfTickets == 1, "%lu tickets", answer->CountOfTickets);
        ok(text_is(&answer->Tickets[0].ClientName, user), "client");
    }
    LsaFreeReturnBuffer(answer);
    answer = NULL;
    status = LsaCallAuthenticationPackage(lsa, package, &request, sizeof(request), (void **)&answer,
                                          &size, &protocol);
    ok(!status && protocol == STATUS_PRIVILEGE_NOT_HELD && !answer, "untrusted: %08lx", protocol);
}

/* [D LsaLogonUser] a primary token, or over the network one to impersonate with; the account is
 * that of the process, by the host's rule: ours. */
static void test_password(void)
{
    struct result result;
    if (!ours_only()) return;
    NTSTATUS status = log_on_by(Interactive, realm, user, L"four", &result);
    if (ok(!status, "status %08lx, %08lx", status, result.sub_status)) {
        ok(result.profile->MessageType == KerbInteractiveProfile, "kind %d",
           result.profile->MessageType);
        ok(text_is(&result.profile->FullName, user), "full name");
        ok(token_type(result.token) == TokenPrimary, "token");
        check_session(&result.id);
        check_tickets(&result.id);
    }
    result_free(&result);
    status = log_on_by(Network, L"", user, L"four", &result);
    ok(!status && token_type(result.token) == TokenImpersonation, "network: %08lx", status);
    result_free(&result);
}

/* [D LsaLogonUser] STATUS_LOGON_FAILURE, whatever is wrong */
static void test_refused(void)
{
    struct result result;
    NTSTATUS status = log_on_by(Interactive, realm, user, L"Four", &result);
    ok(status == STATUS_LOGON_FAILURE, "a wrong password: %08lx", status);
    status = log_on_by(Interactive, realm, L"no-such-user", L"four", &result);
    ok(status == STATUS_LOGON_FAILURE, "nobody: %08lx", status);
    status = log_on_by(Interactive, realm, L"", L"", &result);
    ok(status == STATUS_LOGON_FAILURE, "no name: %08lx", status);
    status = log_on_by(Interactive, L"ELSEWHERE.TEST", user, L"four", &result);
    ok(status == STATUS_NO_LOGON_SERVERS, "another realm: %08lx", status);
}

/* Never success without a token: ours. */
static void test_stranger(void)
{
    ULONG before = 0, after = 0;
    LUID *list;
    struct result result;
    if (!ours_only()) return;
    if (!LsaEnumerateLogonSessions(&before, &list)) LsaFreeReturnBuffer(list);
    NTSTATUS status = log_on_by(Interactive, realm, L"alice", L"one", &result);
    ok(status == STATUS_ACCOUNT_RESTRICTION && result.sub_status == STATUS_LOGON_TYPE_NOT_GRANTED,
       "status %08lx, %08lx", status, result.sub_status);
    if (!LsaEnumerateLogonSessions(&after, &list)) LsaFreeReturnBuffer(list);
    ok(before == after, "%lu log-ons, and then %lu", before, after);
}

/* [D KERB_S4U_LOGON]; by the right of alice, whose tickets the cache has. She has a key, and so may
 * be a service (MS-SFU 3.1.5.1). */
static void test_s4u(void)
{
    struct result result;
    struct buffer m;
    if (!ours_only()) return;
    buffer_open(&m, KerbS4ULogon);
    buffer_text(&m, &m.s4u.ClientUpn, user);
    buffer_text(&m, &m.s4u.ClientRealm, realm);
    NTSTATUS status = log_on(Network, &m, &result);
    ok(!status && token_type(result.token) == TokenImpersonation, "status %08lx, %08lx", status,
       result.sub_status);
    result_free(&result);
    status = log_on(Interactive, &m, &result);
    ok(status == STATUS_INVALID_LOGON_TYPE, "interactive: %08lx", status);
    buffer_open(&m, KerbS4ULogon);
    buffer_text(&m, &m.s4u.ClientUpn, L"bob");
    buffer_text(&m, &m.s4u.ClientRealm, realm);
    status = log_on(Network, &m, &result);
    ok(status == STATUS_ACCOUNT_RESTRICTION, "another: %08lx", status);
    buffer_open(&m, KerbS4ULogon);
    buffer_text(&m, &m.s4u.ClientUpn, L"no-such-user");
    buffer_text(&m, &m.s4u.ClientRealm, realm);
    status = log_on(Network, &m, &result);
    ok(status == STATUS_LOGON_FAILURE, "nobody: %08lx", status);
}

static NTSTATUS query_own(void)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = KerbQueryTicketCacheMessage};
    NTSTATUS protocol = 0;
    void *answer = NULL;
    ULONG size;
    NTSTATUS status = LsaCallAuthenticationPackage(lsa, package, &request, sizeof(request), &answer,
                                                   &size, &protocol);
    LsaFreeReturnBuffer(answer);
    return status ? status : protocol;
}

static NTSTATUS log_on_s4u(void)
{
    struct result result;
    struct buffer m;
    buffer_open(&m, KerbS4ULogon);
    buffer_text(&m, &m.s4u.ClientUpn, user);
    buffer_text(&m, &m.s4u.ClientRealm, realm);
    NTSTATUS status = log_on(Network, &m, &result);
    result_free(&result);
    return status;
}

static SECURITY_IMPERSONATION_LEVEL token_level(HANDLE token)
{
    SECURITY_IMPERSONATION_LEVEL level = SecurityAnonymous;
    DWORD size;
    GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof(level), &size);
    return level;
}

/* The same policy gives log-ons over the network tokens that are to be looked at, and no others. */
static void check_foreign_logons(void)
{
    struct result result;
    struct buffer m;
    buffer_open(&m, KerbS4ULogon);
    buffer_text(&m, &m.s4u.ClientUpn, L"bob");
    buffer_text(&m, &m.s4u.ClientRealm, realm);
    NTSTATUS status = log_on(Network, &m, &result);
    ok(!status && token_level(result.token) == SecurityIdentification, "bob: %08lx", status);
    result_free(&result);
    status = log_on_by(Interactive, realm, L"alice", L"one", &result);
    ok(status == STATUS_ACCOUNT_RESTRICTION, "alice: %08lx", status);
    result_free(&result);
}

/* Who acts for a foreign client (the policy ForeignTokens) has not the tickets of the process's
 * user: ours. */
static void test_foreign(void)
{
    static struct loopback loop;
    struct saved_value policy;
    struct account account;
    DWORD one = 1;
    if (!ours_only()) return;
    if (!ok(account_create(&account), "no account")) return;
    if (!ok(value_save(&policy, L"SOFTWARE\\winesspi", L"ForeignTokens") &&
                value_set(&policy, REG_DWORD, &one, sizeof(one)),
            "no policy"))
        return;
    second_pass();
    ok(!query_own() && !log_on_s4u(), "the user is refused");
    check_foreign_logons();
    if (ok(!loopback_make(&loop, L"NTLM", &account) &&
               ImpersonateSecurityContext(&loop.server) == SEC_E_OK,
           "nobody to act for")) {
        NTSTATUS status = query_own();
        ok(status == STATUS_PRIVILEGE_NOT_HELD, "tickets: %08lx", status);
        status = log_on_s4u();
        ok(status == SEC_E_NO_CREDENTIALS, "S4U: %08lx", status);
        RevertSecurityContext(&loop.server);
    }
    loopback_close(&loop);
    value_restore(&policy);
    second_pass();
    account_remove(&account);
}

/* [D LsaLogonUser] STATUS_BAD_VALIDATION_CLASS; which kinds they are is ours */
static void test_kinds(void)
{
    static const ULONG kinds[] = {KerbSmartCardLogon,
                                  KerbSmartCardUnlockLogon,
                                  KerbProxyLogon,
                                  KerbTicketLogon,
                                  KerbTicketUnlockLogon,
                                  KerbCertificateLogon,
                                  KerbLuidLogon,
                                  0,
                                  99};
    struct buffer m;
    struct result result;
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(kinds); i++) {
        buffer_open(&m, kinds[i]);
        NTSTATUS status = log_on(Interactive, &m, &result);
        ok(status == STATUS_BAD_VALIDATION_CLASS, "kind %lu: %08lx", kinds[i], status);
    }
    NTSTATUS status = log_on_by(NewCredentials, realm, user, L"four", &result);
    ok(status == STATUS_INVALID_LOGON_TYPE, "new credentials: %08lx", status);
    buffer_open(&m, KerbInteractiveLogon);
    buffer_text(&m, &m.interactive.UserName, user);
    m.interactive.UserName.Buffer = (wchar_t *)1;
    status = log_on(Interactive, &m, &result);
    ok(status == STATUS_INVALID_PARAMETER, "a text elsewhere: %08lx", status);
}

/* ---- passwords ---- */

typedef SECURITY_STATUS(WINAPI change_function)(wchar_t *package, wchar_t *domain, wchar_t *account,
                                                wchar_t *old_password, wchar_t *new_password,
                                                BOOLEAN impersonating, ULONG reserved,
                                                SecBufferDesc *output);

static SECURITY_STATUS change(const wchar_t *account, const wchar_t *old, const wchar_t *new,
                              SecBuffer *answer)
{
    static change_function *function; /* not in every header */
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, answer};
    if (!function)
        function = (change_function *)(void *)GetProcAddress(GetModuleHandleW(L"secur32.dll"),
                                                             "ChangeAccountPasswordW");
    *answer = (SecBuffer){0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL};
    return function((wchar_t *)L"Kerberos", realm, (wchar_t *)account, (wchar_t *)old,
                    (wchar_t *)new, FALSE, 0, &desc);
}

static NTSTATUS change_by_message(const wchar_t *account, const wchar_t *old, const wchar_t *new)
{
    struct buffer m;
    NTSTATUS protocol = 0x55;
    void *answer = NULL;
    ULONG size = 0;
    buffer_open(&m, KerbChangePasswordMessage);
    buffer_text(&m, &m.change.DomainName, realm);
    buffer_text(&m, &m.change.AccountName, account);
    buffer_text(&m, &m.change.OldPassword, old);
    buffer_text(&m, &m.change.NewPassword, new);
    NTSTATUS status = LsaCallAuthenticationPackage(lsa, package, &m, buffer_size(&m), &answer,
                                                   &size, &protocol);
    ok(!status && !answer, "the call: %08lx", status);
    return protocol;
}

static bool password_is(const wchar_t *password)
{
    struct result result;
    NTSTATUS status = log_on_by(Network, realm, L"bob", password, &result);
    return status == STATUS_ACCOUNT_RESTRICTION; /* known, and without a token */
}

/* [D ChangeAccountPassword]; the statuses of messages are ours but for the restriction. */
static void test_change(void)
{
    SecBuffer answer;
    if (!ours_only()) return;
    NTSTATUS status = change_by_message(L"bob", L"wrong", L"long enough");
    ok(status == STATUS_WRONG_PASSWORD, "a wrong one: %08lx", status);
    status = change_by_message(L"no-such-user", L"two", L"long enough");
    ok(status == STATUS_WRONG_PASSWORD, "nobody's: %08lx", status);
    status = change_by_message(L"bob", L"two", L"short");
    ok(status == STATUS_PASSWORD_RESTRICTION, "too short: %08lx", status);
    ok(password_is(L"two"), "it is changed");
    status = change_by_message(L"bob", L"two", L"long enough");
    ok(!status && password_is(L"long enough") && !password_is(L"two"), "status %08lx", status);

    SECURITY_STATUS error = change(L"bob", L"two", L"longer still", &answer);
    ok(error == SEC_E_LOGON_DENIED && !answer.pvBuffer, "a wrong one: %08lx", error);
    error = change(L"bob", L"long enough", L"short", &answer);
    ok(error && !answer.pvBuffer, "too short: %08lx", error); /* nobody says what is not */
    error = change(L"bob", L"long enough", L"longer still", &answer);
    ok(!error && password_is(L"longer still"), "status %08lx", error);
}

/* [H ntsecapi.h] Not everybody may. */
static void test_set(void)
{
    struct buffer m;
    NTSTATUS protocol = 0;
    void *answer = NULL;
    ULONG size;
    if (!ours_only()) return;
    buffer_open(&m, KerbSetPasswordMessage);
    buffer_text(&m, &m.set.DomainName, realm);
    buffer_text(&m, &m.set.AccountName, L"bob");
    buffer_text(&m, &m.set.Password, L"from alice");
    NTSTATUS status = LsaCallAuthenticationPackage(lsa, package, &m, buffer_size(&m), &answer,
                                                   &size, &protocol);
    ok(!status && protocol < 0, "status %08lx, %08lx", status, protocol);
    ok(!password_is(L"from alice"), "alice has set it");
    m.set.Flags = KERB_SETPASS_USE_CREDHANDLE;
    status = LsaCallAuthenticationPackage(lsa, package, &m, buffer_size(&m), &answer, &size,
                                          &protocol);
    ok(!status && protocol == STATUS_NOT_SUPPORTED, "by a handle: %08lx, %08lx", status, protocol);
}

/* ---- without a KDC ---- */

/* [D LsaLogonUser] STATUS_NO_LOGON_SERVERS, and soon. */
static void test_without(void)
{
    struct result result;
    DWORD start = GetTickCount();
    NTSTATUS status = log_on_by(Interactive, L"", L"alice", L"one", &result);
    ok(status == STATUS_NO_LOGON_SERVERS, "status %08lx", status);
    status = change_by_message(L"bob", L"two", L"long enough");
    ok(status == STATUS_NO_LOGON_SERVERS, "a password: %08lx", status);
    ok(GetTickCount() - start < 3000, "after %lu ms", GetTickCount() - start);
}

static bool begin(int argc, char **argv)
{
    LSA_STRING name = {8, 9, (char *)MICROSOFT_KERBEROS_NAME_A}, process = {4, 5, (char *)"test"};
    LSA_OPERATIONAL_MODE mode;
    if (argc < 2) return false;
    MultiByteToWideChar(CP_UTF8, 0, argv[1], -1, realm, ARRAYSIZE(realm));
    if (argc > 2) MultiByteToWideChar(CP_UTF8, 0, argv[2], -1, user, ARRAYSIZE(user));
    if (LsaConnectUntrusted(&lsa)) return false;
    if (LsaRegisterLogonProcess(&process, &trusted, &mode)) trusted = NULL;
    return LsaLookupAuthenticationPackage(lsa, &name, &package) == 0;
}

int main(int argc, char **argv)
{
    if (!begin(argc, argv)) {
        printf("skip api_kerberos_logon: no KDC (started by tests/api/kerberos_tickets.sh)\n"
               "api_kerberos_logon: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    if (!lstrcmpW(realm, L"without")) {
        *realm = 0;
        RUN(test_without);
        return test_end("api_kerberos_logon");
    }
    RUN(test_password);
    RUN(test_refused);
    RUN(test_stranger);
    RUN(test_s4u);
    RUN(test_foreign);
    RUN(test_kinds);
    RUN(test_change);
    RUN(test_set);
    return test_end("api_kerberos_logon");
}
