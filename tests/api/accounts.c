/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The accounts that our NTLM server knows: by which names a client may mean one, how soon a
 * change holds, and that a client is not told why it was refused. All of it is a choice of this
 * project: ours.
 */
#include "identities.h"
#include "loopback.h"

#define ACCOUNTS_KEY L"SOFTWARE\\winesspi\\Accounts"

/* MS-NLMP 4.2.2.1.2: the hash of "Password" */
static const BYTE password_hash[16] = {0xa4, 0xf4, 0x9c, 0x40, 0x65, 0x10, 0xbd, 0xca,
                                       0xb6, 0x82, 0x4e, 0xe7, 0xc3, 0x0f, 0xd8, 0x52};
static const BYTE other_hash[16] = {1};

static wchar_t computer[64], user[64];

static void account_name(wchar_t *name, const wchar_t *domain)
{
    wsprintfW(name, L"%s\\%s", domain, user);
}

static bool account_set(const wchar_t *domain, const BYTE hash[16])
{
    HKEY key;
    wchar_t name[160];
    account_name(name, domain);
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, ACCOUNTS_KEY, 0, NULL, 0,
                        KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL))
        return ok(false, "no accounts");
    LSTATUS error = hash ? RegSetValueExW(key, name, 0, REG_BINARY, hash, 16)
                         : RegDeleteValueW(key, name);
    RegCloseKey(key);
    return ok(!error, "%ls: %ld", name, error);
}

static SECURITY_STATUS log_on(const wchar_t *as, const wchar_t *domain)
{
    static struct loopback loop;
    struct account account = {.password = L"Password"};
    lstrcpyW(account.user, as);
    lstrcpyW(account.domain, domain);
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", &account);
    if (!status) loopback_close(&loop);
    return status;
}

static SECURITY_STATUS log_on_named(const wchar_t *as, const wchar_t *domain, wchar_t names[160])
{
    static struct loopback loop;
    struct account account = {.password = L"Password"};
    SecPkgContext_NamesW found = {NULL};
    lstrcpyW(account.user, as);
    lstrcpyW(account.domain, domain);
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", &account);
    if (status) return status;
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &found);
    if (!status) {
        lstrcpynW(names, found.sUserName, 160);
        FreeContextBuffer(found.sUserName);
    }
    loopback_close(&loop);
    return status;
}

static void expect_named(const wchar_t *as, const wchar_t *domain, const wchar_t *expected)
{
    wchar_t names[160] = L"";
    SECURITY_STATUS status = log_on_named(as, domain, names);
    ok(!status && !lstrcmpiW(names, expected), "%ls of \"%ls\": %08lx, %ls", as, domain, status,
       names);
}

static void expect_denied(const wchar_t *as, const wchar_t *domain)
{
    SECURITY_STATUS status = log_on(as, domain);
    ok(status == SEC_E_LOGON_DENIED, "%ls of \"%ls\": %08lx", as, domain, status);
}

static void test_names_of_a_domain(void)
{
    wchar_t realm[160], expected[160], upper[64];
    if (!ours_only() || !account_set(L"FARM", password_hash)) return;
    account_name(expected, L"FARM");
    wsprintfW(realm, L"%s@farm", user);
    CharUpperW(lstrcpyW(upper, user));
    expect_named(user, L"FARM", expected);
    expect_named(upper, L"farm", expected);
    expect_named(realm, L"", expected);
    second_pass();
    expect_named(realm, L"", expected);
    expect_denied(user, L"");
    expect_denied(user, L"ELSEWHERE");
    wsprintfW(realm, L"%s@elsewhere", user);
    expect_denied(realm, L"");
    account_set(L"FARM", NULL);
}

/* A client outside a domain does not know what this machine calls its own. */
static void test_names_of_this_machine(void)
{
    wchar_t realm[160], expected[160];
    if (!ours_only() || !account_set(computer, password_hash)) return;
    account_name(expected, computer);
    wsprintfW(realm, L"%s@elsewhere", user);
    second_pass(); /* some of these names were unknown a moment ago */
    expect_named(user, computer, expected);
    expect_named(user, L"", expected);
    expect_named(user, L"ELSEWHERE", expected);
    expect_named(realm, L"", expected);
    expect_named(user, L"ELSEWHERE", expected); /* from what is kept */
    /* The account that is named comes before the local one of that name. */
    if (account_set(L"FARM", other_hash)) {
        expect_denied(user, L"FARM");
        expect_named(user, computer, expected);
        account_set(L"FARM", NULL);
    }
    account_set(computer, NULL);
}

static void test_changes(void)
{
    if (!ours_only()) return;
    second_pass();
    expect_denied(user, L"FARM");
    if (!account_set(L"FARM", password_hash)) return;
    second_pass();
    ok(!log_on(user, L"FARM"), "not known");
    account_set(L"FARM", other_hash);
    second_pass();
    expect_denied(user, L"FARM");
    account_set(L"FARM", password_hash);
    second_pass();
    ok(!log_on(user, L"FARM"), "not changed back");
    account_set(L"FARM", NULL);
    second_pass();
    expect_denied(user, L"FARM");
}

/* Names that are made up do not drive out what is kept of real ones. */
static void test_made_up_names(void)
{
    if (!ours_only() || !account_set(L"FARM", password_hash)) return;
    second_pass();
    ULONGLONG start = GetTickCount64();
    SECURITY_STATUS status = log_on(user, L"FARM");
    ok(!status, "not known: %08lx", status);
    account_set(L"FARM", NULL);
    for (int i = 0; i < 100; i++) {
        wchar_t name[32];
        wsprintfW(name, L"nobody%d", i);
        expect_denied(name, L"FARM");
    }
    status = log_on(user, L"FARM");
    bool kept = GetTickCount64() - start < 1000;
    if (kept) ok(!status, "driven out: %08lx", status);
    else skip_case("a machine that does a hundred handshakes in a second");
    second_pass();
    expect_denied(user, L"FARM");
}

/* Where another authority is to be asked for accounts elsewhere, user@elsewhere is one of them, as
 * ELSEWHERE\user is, and not the local account of that user name. There may be no authority. */
static void test_names_elsewhere(void)
{
    static struct saved_value winbind;
    const DWORD on = 1;
    wchar_t realm[160], own_realm[160], expected[160];
    if (!ours_only() || !account_set(computer, password_hash)) return;
    account_name(expected, computer);
    wsprintfW(realm, L"%s@elsewhere", user);
    wsprintfW(own_realm, L"%s@%s", user, computer);
    if (ok(value_save(&winbind, L"SOFTWARE\\winesspi\\NTLM", L"Winbind"), "not readable") &&
        ok(value_set(&winbind, REG_DWORD, &on, sizeof(on)), "not set")) {
        second_pass();
        ok(log_on(user, L"ELSEWHERE") < 0, "ELSEWHERE\\user is the local one");
        ok(log_on(realm, L"") < 0, "user@elsewhere is the local one");
        expect_named(own_realm, L"", expected);
        expect_named(user, L"", expected);
        ok(value_restore(&winbind), "the value stays");
    }
    account_set(computer, NULL);
    second_pass();
}

int main(void)
{
    DWORD size = 64;
    GetComputerNameW(computer, &size);
    wsprintfW(user, L"farmer%u", GetCurrentProcessId());
    RUN(test_names_of_a_domain);
    RUN(test_names_of_this_machine);
    RUN(test_names_elsewhere);
    RUN(test_changes);
    RUN(test_made_up_names);
    return test_end("api_accounts");
}
