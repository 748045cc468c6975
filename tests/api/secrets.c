/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stays in memory of a password: neither it nor its NT hash while a credential is kept, after
 * it was used, and after it is gone; and of a context that has gone: not its session key. All
 * memory of the process is searched, stacks included. The program itself has all of them in another
 * form only. ours: Windows keeps them in another process.
 */
#include "identities.h"
#include "loopback.h"

#include <wincred.h>

#define HIDE 0x5a /* what each byte here is combined with */
#define PASSWORD_CHARS 20
#define HASH_SIZE 16

static const volatile BYTE hidden_password[PASSWORD_CHARS] = {
    0x0e, 0x28, 0x6a, 0x2f, 0x38, 0x6e, 0x3e, 0x35, 0x28, 0x77,
    0x3b, 0x34, 0x3e, 0x77, 0x69, 0x77, 0x37, 0x35, 0x28, 0x3f};

/* NTOWFv1 of it (MS-NLMP 3.3.1), worked out elsewhere */
static const volatile BYTE hidden_hash[HASH_SIZE] = {
    0x3a, 0x6a, 0x38, 0xfb, 0x41, 0x92, 0x0a, 0xd1, 0xfc, 0xc8, 0xc5, 0x05, 0x52, 0x9b, 0x91, 0x53};

static BYTE hidden_key[HASH_SIZE]; /* of a session, made in the running case */

static bool is_key(const volatile BYTE *at)
{
    for (int i = 0; i < HASH_SIZE; i++)
        if ((BYTE)(at[i] ^ HIDE) != hidden_key[i]) return false;
    return true;
}

static bool is_hash(const volatile BYTE *at)
{
    for (int i = 0; i < HASH_SIZE; i++)
        if ((BYTE)(at[i] ^ HIDE) != hidden_hash[i]) return false;
    return true;
}

static bool is_wide_password(const volatile BYTE *at)
{
    for (int i = 0; i < PASSWORD_CHARS; i++)
        if ((BYTE)(at[2 * i] ^ HIDE) != hidden_password[i] || at[2 * i + 1]) return false;
    return true;
}

static bool is_narrow_password(const volatile BYTE *at)
{
    for (int i = 0; i < PASSWORD_CHARS; i++)
        if ((BYTE)(at[i] ^ HIDE) != hidden_password[i]) return false;
    return true;
}

struct found {
    int wide, narrow, hash, key;
};

static void region_search(const volatile BYTE *at, size_t size, struct found *found)
{
    for (size_t i = 0; i + 2 * PASSWORD_CHARS <= size; i++) {
        found->hash += is_hash(at + i);
        found->key += is_key(at + i);
        found->wide += is_wide_password(at + i);
        found->narrow += is_narrow_password(at + i);
    }
}

static struct found memory_search(void)
{
    const DWORD writable = PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE |
                           PAGE_EXECUTE_WRITECOPY;
    MEMORY_BASIC_INFORMATION region;
    struct found found = {0, 0, 0, 0};
    const BYTE *at = NULL;
    while (VirtualQuery(at, &region, sizeof(region))) {
        if (region.State == MEM_COMMIT && region.Protect & writable &&
            !(region.Protect & PAGE_GUARD))
            region_search(region.BaseAddress, region.RegionSize, &found);
        at = (const BYTE *)region.BaseAddress + region.RegionSize;
    }
    return found;
}

static void expect_nothing(const char *what)
{
    struct found found = memory_search();
    ok(!found.wide && !found.narrow, "%s: the password, %d and %d times", what, found.wide,
       found.narrow);
    ok(!found.hash, "%s: its hash, %d times", what, found.hash);
}

/* The search finds what is there. */
static void test_search(void)
{
    static wchar_t wide[PASSWORD_CHARS];
    static BYTE hash[HASH_SIZE];
    for (int i = 0; i < PASSWORD_CHARS; i++) wide[i] = hidden_password[i] ^ HIDE;
    for (int i = 0; i < HASH_SIZE; i++) hash[i] = hidden_hash[i] ^ HIDE;
    struct found found = memory_search();
    SecureZeroMemory(wide, sizeof(wide));
    SecureZeroMemory(hash, sizeof(hash));
    ok(found.wide == 1 && found.hash == 1, "%d and %d times", found.wide, found.hash);
}

static const wchar_t *package = L"NTLM";

static SECURITY_STATUS acquire(CredHandle *credential, bool ex, const wchar_t *user, ULONG use)
{
    static wchar_t password[PASSWORD_CHARS];
    for (int i = 0; i < PASSWORD_CHARS; i++) password[i] = hidden_password[i] ^ HIDE;
    SEC_WINNT_AUTH_IDENTITY_W plain = wide_identity(user, L"FARM", NULL);
    SEC_WINNT_AUTH_IDENTITY_EXW extended = wide_identity_ex(user, L"FARM", NULL);
    plain.Password = extended.Password = (unsigned short *)password;
    plain.PasswordLength = extended.PasswordLength = PASSWORD_CHARS;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)package, use, NULL,
                                                       ex ? (void *)&extended : (void *)&plain,
                                                       NULL, NULL, credential, NULL);
    SecureZeroMemory(password, sizeof(password));
    return status;
}

static SECURITY_STATUS acquire_narrow(CredHandle *credential)
{
    static char password[PASSWORD_CHARS];
    char name[16];
    wsprintfA(name, "%ls", package);
    for (int i = 0; i < PASSWORD_CHARS; i++) password[i] = (char)(hidden_password[i] ^ HIDE);
    SEC_WINNT_AUTH_IDENTITY_A identity = narrow_identity("user", "FARM", NULL);
    identity.Password = (unsigned char *)password;
    identity.PasswordLength = PASSWORD_CHARS;
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, name, SECPKG_CRED_OUTBOUND, NULL,
                                                       &identity, NULL, NULL, credential, NULL);
    SecureZeroMemory(password, sizeof(password));
    return status;
}

static void test_acquired(void)
{
    CredHandle credential;
    if (!ours_only()) return;
    for (int form = 0; form < 3; form++) {
        SECURITY_STATUS status = form == 2
                                     ? acquire_narrow(&credential)
                                     : acquire(&credential, form, L"user", SECPKG_CRED_OUTBOUND);
        if (!ok(!status, "form %d: %08lx", form, status)) continue;
        expect_nothing("kept");
        FreeCredentialsHandle(&credential);
        expect_nothing("freed");
    }
}

static void test_acquired_negotiate(void)
{
    package = L"Negotiate";
    test_acquired();
    package = L"NTLM";
}

/* An opaque identity (SEC_WINNT_AUTH_IDENTITY_EX2), as it is or encrypted. */
static PSEC_WINNT_AUTH_IDENTITY_OPAQUE encode(bool encrypted)
{
    static wchar_t password[PASSWORD_CHARS + 1];
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE made = NULL;
    for (int i = 0; i < PASSWORD_CHARS; i++) password[i] = hidden_password[i] ^ HIDE;
    SECURITY_STATUS status = SspiEncodeStringsAsAuthIdentity(L"user", L"FARM", password, &made);
    SecureZeroMemory(password, sizeof(password));
    if (!status && encrypted) status = SspiEncryptAuthIdentity(made);
    if (ok(!status, "not encoded: %08lx", status)) return made;
    SspiZeroAuthIdentity(made);
    SspiFreeAuthIdentity(made);
    return NULL;
}

static void test_encoded(void)
{
    CredHandle credential;
    if (!ours_only()) return;
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        PSEC_WINNT_AUTH_IDENTITY_OPAQUE made = encode(encrypted);
        if (!made) continue;
        if (encrypted) expect_nothing("encrypted");
        SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)package,
                                                           SECPKG_CRED_OUTBOUND, NULL, made, NULL,
                                                           NULL, &credential, NULL);
        SspiZeroAuthIdentity(made);
        SspiFreeAuthIdentity(made);
        if (!ok(!status, "encrypted %d: %08lx", encrypted, status)) continue;
        expect_nothing("kept");
        FreeCredentialsHandle(&credential);
        expect_nothing("freed");
    }
}

/* ---- saved credentials ---- */

#define HOST L"winesspi-secret.farm.apitest.test"

/* In another process, since Wine's CredWrite leaves the password where it has had it. */
static int save(void)
{
    static wchar_t password[PASSWORD_CHARS];
    for (int i = 0; i < PASSWORD_CHARS; i++) password[i] = hidden_password[i] ^ HIDE;
    CREDENTIALW saved = {.Type = CRED_TYPE_DOMAIN_PASSWORD,
                         .TargetName = (wchar_t *)HOST,
                         .CredentialBlobSize = sizeof(password),
                         .CredentialBlob = (BYTE *)password,
                         .Persist = CRED_PERSIST_LOCAL_MACHINE,
                         .UserName = (wchar_t *)L"FARM\\user"};
    return !CredWriteW(&saved, 0);
}

/* Acquired by a name that refers to it, which finds it without a server elsewhere. */
static SECURITY_STATUS acquire_saved(CredHandle *credential)
{
    USERNAME_TARGET_CREDENTIAL_INFO named = {(wchar_t *)HOST};
    wchar_t *reference;
    if (!CredMarshalCredentialW(UsernameTargetCredential, &named, &reference)) return E_FAIL;
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(reference, NULL, NULL);
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)package,
                                                       SECPKG_CRED_OUTBOUND, NULL, &identity, NULL,
                                                       NULL, credential, NULL);
    CredFree(reference);
    return status;
}

static void test_saved(void)
{
    static struct loopback loop;
    DWORD failed;
    if (!ours_only() || !ok(child_run(L"save", &failed) && !failed, "not saved")) return;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (ok(!status, "no credentials: %08lx", status)) {
        FreeCredentialsHandle(&loop.client_cred);
        status = acquire_saved(&loop.client_cred);
        ok(!status, "not acquired: %08lx", status);
        expect_nothing("kept");
        status = loopback_connect(&loop);
        ok(status == SEC_E_LOGON_DENIED, "stranger: %08lx", status);
        expect_nothing("used");
        loopback_close(&loop);
        expect_nothing("closed");
    }
    CredDeleteW(HOST, CRED_TYPE_DOMAIN_PASSWORD, 0);
}

/* A refused one leaves as little. */
static void test_refused(void)
{
    static wchar_t longest[300];
    CredHandle credential;
    if (!ours_only()) return;
    for (int i = 0; i < 299; i++) longest[i] = L'u';
    SECURITY_STATUS status = acquire(&credential, false, longest, SECPKG_CRED_OUTBOUND);
    ok(status == SEC_E_UNKNOWN_CREDENTIALS, "user too long: %08lx", status);
    status = acquire(&credential, false, L"user",
                     SECPKG_CRED_OUTBOUND | SECPKG_CRED_PROCESS_POLICY_ONLY);
    ok(status == SEC_E_NO_CREDENTIALS, "policy only: %08lx", status);
    expect_nothing("refused");
}

/* Both legs; a server that does not know the user refuses the proof. */
static void test_used(void)
{
    static struct loopback loop;
    if (!ours_only()) return;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    FreeCredentialsHandle(&loop.client_cred);
    status = acquire(&loop.client_cred, true, L"user", SECPKG_CRED_BOTH);
    if (!ok(!status, "not acquired: %08lx", status)) return;
    status = loopback_connect(&loop);
    ok(status == SEC_E_LOGON_DENIED, "stranger: %08lx", status);
    expect_nothing("used");
    loopback_close(&loop);
    expect_nothing("closed");
}

/* ---- accounts of the server ---- */

#define ACCOUNTS_KEY L"SOFTWARE\\winesspi\\Accounts"

static bool account_key(HKEY *key)
{
    return !RegCreateKeyExW(HKEY_LOCAL_MACHINE, ACCOUNTS_KEY, 0, NULL, 0,
                            KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, key, NULL);
}

/* In another process: the search is not to find what this leaves. */
static int account_keep(void)
{
    HKEY key;
    BYTE hash[HASH_SIZE];
    for (int i = 0; i < HASH_SIZE; i++) hash[i] = hidden_hash[i] ^ HIDE;
    if (!account_key(&key)) return 1;
    LSTATUS error = RegSetValueExW(key, L"FARM\\secret", 0, REG_BINARY, hash, sizeof(hash));
    RegCloseKey(key);
    return error != 0;
}

/* A server that knows the user reads the hash, keeps it for a second, and proves with it. */
static void test_account(void)
{
    static struct loopback loop;
    DWORD failed;
    HKEY key;
    if (!ours_only() || !ok(child_run(L"account", &failed) && !failed, "no account")) return;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (ok(!status, "no credentials: %08lx", status)) {
        FreeCredentialsHandle(&loop.client_cred);
        status = acquire(&loop.client_cred, false, L"secret", SECPKG_CRED_OUTBOUND);
        if (!status) status = loopback_connect(&loop);
        ok(status == SEC_E_OK, "known: %08lx", status);
        expect_nothing("used");
        loopback_close(&loop);
        expect_nothing("closed");
    }
    if (!account_key(&key)) return;
    RegDeleteValueW(key, L"FARM\\secret");
    RegCloseKey(key);
}

static bool key_take(CtxtHandle *context)
{
    SecPkgContext_SessionKey key;
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_SESSION_KEY, &key);
    if (!ok(!status && key.SessionKeyLength == HASH_SIZE, "no session key: %08lx", status))
        return false;
    for (int i = 0; i < HASH_SIZE; i++) hidden_key[i] = key.SessionKey[i] ^ HIDE;
    SecureZeroMemory(key.SessionKey, HASH_SIZE);
    FreeContextBuffer(key.SessionKey);
    return true;
}

/* A session that is deleted, or exported with its old context; how often its key is there
 * afterwards, or less than none. */
static int key_left(const wchar_t *name, bool exported)
{
    static struct loopback loop;
    static struct blob blob;
    SECURITY_STATUS status = loopback_make(&loop, name, NULL);
    if (!ok(!status, "%ls: not connected: %08lx", name, status)) return -1;
    if (key_take(&loop.client)) ok(memory_search().key > 0, "%ls: the key is not found", name);
    if (exported) {
        status = context_export(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
        ok(!status, "%ls: not exported: %08lx", name, status);
        if (!status) context_forget(&loop.client);
    }
    loopback_close(&loop);
    return memory_search().key;
}

static void test_session_key(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    if (!ours_only()) return;
    for (int i = 0; i < 12; i++) {
        int left = key_left(packages[i / 2 % 2], i % 2);
        ok(!left, "%d: the session key, %d times", i, left);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "save")) return save();
    if (argc > 1 && !strcmp(argv[1], "account")) return account_keep();
    RUN(test_search);
    RUN(test_acquired);
    RUN(test_acquired_negotiate);
    RUN(test_encoded);
    RUN(test_saved);
    RUN(test_account);
    RUN(test_session_key);
    RUN(test_refused);
    RUN(test_used);
    return test_end("api_secrets");
}
