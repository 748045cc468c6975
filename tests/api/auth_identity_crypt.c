/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities that are encrypted in place: what can be read of them, who can decrypt them, that NTLM
 * and Negotiate take them, and that nothing changes where decrypting fails. Run with an argument,
 * the program is another process that is sent an identity. Sources of expectations in brackets, as
 * in api_packages; which flag belongs to which option is [H sspi.h] by their names.
 */
#include "identities.h"
#include "loopback.h"

#include <sspi.h>

#define INVALID_PARAMETER ((SECURITY_STATUS)0xC000000D) /* STATUS_INVALID_PARAMETER */

typedef PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity_t;
typedef SECURITY_STATUS SEC_ENTRY crypt_ex_t(ULONG options, identity_t identity);

static crypt_ex_t *encrypt_ex, *decrypt_ex; /* NULL before Windows 8 */
static struct account account;
static bool have_account;

static const struct {
    ULONG option, flag;
    const char *name;
} modes[] = {
    {SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON, SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_PROTECTED,
     "same log-on"},
    {SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED,
     "same process"},
    {SEC_WINNT_AUTH_IDENTITY_ENCRYPT_FOR_SYSTEM, SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_ENCRYPTED,
     "for the system"},
};

static identity_t make(const wchar_t *user, const wchar_t *domain, const wchar_t *password)
{
    identity_t identity = NULL;
    SECURITY_STATUS status = SspiEncodeStringsAsAuthIdentity(user, domain, password, &identity);
    ok(!status && identity, "not made: %08lx", status);
    return identity;
}

static identity_t make_encrypted(ULONG option)
{
    identity_t identity = make(L"user", L"DOMAIN", L"a secret password");
    SECURITY_STATUS status = encrypt_ex(option, identity);
    ok(!status, "option %lu: %08lx", option, status);
    return identity;
}

static ULONG flags_of(identity_t identity)
{
    return ((const SEC_WINNT_AUTH_IDENTITY_EX2 *)identity)->Flags;
}

static ULONG size_of(identity_t identity)
{
    return ((const SEC_WINNT_AUTH_IDENTITY_EX2 *)identity)->cbStructureLength;
}

static bool holds(identity_t identity, const wchar_t *text)
{
    ULONG size = (ULONG)(lstrlenW(text) * sizeof(wchar_t));
    for (ULONG i = 0; i + size <= size_of(identity); i++)
        if (!memcmp((const BYTE *)identity + i, text, size)) return true;
    return false;
}

static void expect_plain(identity_t identity, const char *what)
{
    PCWSTR user, domain, password;
    SECURITY_STATUS status = SspiEncodeAuthIdentityAsStrings(identity, &user, &domain, &password);
    if (!ok(!status, "%s: %08lx", what, status)) return;
    ok(!lstrcmpW(user, L"user") && !lstrcmpW(domain, L"DOMAIN"), "%s: %ls %ls", what, user, domain);
    ok(!lstrcmpW(password, L"a secret password"), "%s: password", what);
    SspiLocalFree((void *)user);
    SspiLocalFree((void *)domain);
    SspiLocalFree((void *)password);
}

/* ---- in this process ---- */

/* [D sspiencryptauthidentity] [D sspidecryptauthidentity] [D sspiisauthidentityencrypted] */
static void test_round_trip(void)
{
    identity_t identity = make(L"user", L"DOMAIN", L"a secret password");
    ok(!SspiIsAuthIdentityEncrypted(identity), "encrypted from the start");
    SECURITY_STATUS status = SspiEncryptAuthIdentity(identity);
    ok(!status && SspiIsAuthIdentityEncrypted(identity), "encrypt: %08lx", status);
    ok(!SspiValidateAuthIdentity(identity), "not valid");
    PCWSTR text = NULL;
    /* [D sspiencodeauthidentityasstrings] */
    status = SspiEncodeAuthIdentityAsStrings(identity, &text, &text, &text);
    ok(status == INVALID_PARAMETER && !text, "as strings: %08lx", status);
    status = SspiDecryptAuthIdentity(identity);
    ok(!status && !SspiIsAuthIdentityEncrypted(identity), "decrypt: %08lx", status);
    expect_plain(identity, "decrypted");
    SspiFreeAuthIdentity(identity);
}

static void test_options(void)
{
    if (!ours_only()) return;
    for (ULONG i = 0; i < ARRAYSIZE(modes); i++) {
        identity_t identity = make(L"user", L"DOMAIN", L"a secret password");
        ULONG size = size_of(identity), flags = flags_of(identity);
        ok(holds(identity, L"secret"), "the password is to be read before");
        SECURITY_STATUS status = encrypt_ex(modes[i].option, identity);
        ok(!status, "%s: %08lx", modes[i].name, status);
        ok(!holds(identity, L"secret"), "%s: the password is to be read", modes[i].name);
        ok(holds(identity, L"user"), "%s: the user is not", modes[i].name);
        ok(flags_of(identity) == (flags | modes[i].flag), "%s: flags %lx", modes[i].name,
           flags_of(identity));
        ok(size_of(identity) == size, "%s: size changed", modes[i].name);
        SspiFreeAuthIdentity(identity);
    }
}

/* [D sspidecryptauthidentityex] the options are those of the encryption, and SAME_PROCESS is the
 * function without options */
static void test_other_options(void)
{
    if (!ours_only()) return;
    for (ULONG i = 0; i < ARRAYSIZE(modes); i++)
        for (ULONG j = 0; j < ARRAYSIZE(modes); j++) {
            identity_t identity = make_encrypted(modes[i].option), before = NULL;
            ok(!SspiCopyAuthIdentity(identity, &before), "no copy");
            SECURITY_STATUS status = decrypt_ex(modes[j].option, identity), expected = SEC_E_OK;
            if (i != j) expected = SEC_E_INVALID_PARAMETER;
            else if (modes[i].option == SEC_WINNT_AUTH_IDENTITY_ENCRYPT_FOR_SYSTEM)
                expected = SEC_E_NOT_OWNER;
            ok(status == expected, "%s, %s: %08lx", modes[i].name, modes[j].name, status);
            if (!status) expect_plain(identity, modes[i].name);
            else ok(!memcmp(identity, before, size_of(before)), "%s: changed", modes[i].name);
            SspiFreeAuthIdentity(before);
            SspiFreeAuthIdentity(identity);
        }
    identity_t identity = make_encrypted(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS);
    ok(!SspiDecryptAuthIdentity(identity), "without options");
    ok(!SspiDecryptAuthIdentity(identity), "what is not encrypted");
    expect_plain(identity, "decrypted twice");
    ok(encrypt_ex(0, identity) == SEC_E_INVALID_PARAMETER, "no option");
    ok(encrypt_ex(8, identity) == SEC_E_INVALID_PARAMETER, "unknown option");
    ok(decrypt_ex(0, identity) == SEC_E_INVALID_PARAMETER, "no option to decrypt");
    expect_plain(identity, "after refusals");
    SspiFreeAuthIdentity(identity);
}

/* [D sspiencryptauthidentityex] "one or more": both have to hold; the function without options
 * comes first, says the page, so what is encrypted is encrypted anew */
static void test_combined(void)
{
    const ULONG both = SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON |
                       SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS;
    if (!ours_only()) return;
    identity_t identity = make(L"user", L"DOMAIN", L"a secret password");
    ok(!SspiEncryptAuthIdentity(identity), "not encrypted");
    ok(!encrypt_ex(both, identity), "not encrypted anew");
    ok(decrypt_ex(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON, identity) == SEC_E_INVALID_PARAMETER,
       "one of two options decrypts");
    ok(!encrypt_ex(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON, identity), "not encrypted anew");
    ok(!decrypt_ex(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON, identity), "not decrypted");
    expect_plain(identity, "thrice");
    SspiFreeAuthIdentity(identity);
}

/* A structure of the program's own has no room behind its password; its copy has. */
static void test_no_room(void)
{
    identity_t copy = NULL;
    if (!ours_only()) return;
    SEC_WINNT_AUTH_IDENTITY_W plain = wide_identity(L"user", L"DOMAIN", L"a secret password");
    SEC_WINNT_AUTH_IDENTITY_W before = plain;
    SECURITY_STATUS status = SspiEncryptAuthIdentity((identity_t)&plain);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "%08lx", status);
    ok(!memcmp(&plain, &before, sizeof(plain)), "changed");
    ok(!SspiCopyAuthIdentity((identity_t)&plain, &copy), "no copy");
    ok(!SspiEncryptAuthIdentity(copy) && !SspiDecryptAuthIdentity(copy), "not encrypted");
    expect_plain(copy, "copy");
    SspiFreeAuthIdentity(copy);
}

/* What says that it is encrypted and cannot be is no identity: its password is none. */
static void test_not_encrypted(void)
{
    identity_t copy = NULL;
    if (!ours_only()) return;
    SEC_WINNT_AUTH_IDENTITY_W plain = wide_identity(L"user", L"DOMAIN", L"a secret password");
    plain.Flags |= SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED;
    ok(SspiIsAuthIdentityEncrypted((identity_t)&plain), "flag not seen");
    ok(SspiValidateAuthIdentity((identity_t)&plain) == SEC_E_INVALID_TOKEN, "valid");
    ok(SspiCopyAuthIdentity((identity_t)&plain, &copy) == SEC_E_INVALID_TOKEN && !copy, "copied");
    ok(SspiDecryptAuthIdentity((identity_t)&plain) == SEC_E_INVALID_TOKEN, "decrypted");
    identity_t made = make(L"user", L"DOMAIN", L"a secret password");
    ((SEC_WINNT_AUTH_IDENTITY_EX2 *)made)->Flags |= SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED;
    ok(SspiDecryptAuthIdentity(made) == SEC_E_INVALID_TOKEN, "EX2 decrypted");
    SspiFreeAuthIdentity(made);
}

/* ours: a thread that acts for nobody has no log-on that it could be the same as */
static void test_anonymous(void)
{
    if (!ours_only()) return;
    identity_t identity = make_encrypted(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON);
    if (!ok(ImpersonateSelf(SecurityAnonymous), "error %lu", GetLastError())) return;
    SECURITY_STATUS status = decrypt_ex(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON, identity);
    RevertToSelf();
    ok(status < 0 && SspiIsAuthIdentityEncrypted(identity), "decrypted: %08lx", status);
    status = decrypt_ex(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON, identity);
    ok(!status, "not decrypted by its owner: %08lx", status);
    SspiFreeAuthIdentity(identity);
}

/* Whatever was changed, an identity is refused and stays as it is. */
static void test_changed(void)
{
    if (!ours_only()) return;
    identity_t identity = make_encrypted(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON);
    const SEC_WINNT_AUTH_IDENTITY_EX2 *ex2 = (void *)identity;
    ULONG at[] = {ex2->UserOffset,
                  ex2->DomainOffset + 1,
                  ex2->PackedCredentialsOffset,
                  ex2->PackedCredentialsOffset + 4,
                  ex2->PackedCredentialsOffset + 12,
                  ex2->PackedCredentialsOffset + 24,
                  ex2->PackedCredentialsOffset + ex2->PackedCredentialsLength - 1};
    for (ULONG i = 0; i < ARRAYSIZE(at); i++) {
        identity_t copy = NULL, before = NULL;
        CredHandle handle = {5, 6};
        ok(!SspiCopyAuthIdentity(identity, &copy), "no copy");
        ((BYTE *)copy)[at[i]] ^= 1;
        ok(!SspiCopyAuthIdentity(copy, &before), "no copy of the changed one");
        SECURITY_STATUS status = decrypt_ex(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_LOGON, copy);
        ok(status < 0, "byte %lu: %08lx", at[i], status);
        ok(!memcmp(copy, before, size_of(before)), "byte %lu: changed", at[i]);
        status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL,
                                           copy, NULL, NULL, &handle, NULL);
        ok(status == SEC_E_UNKNOWN_CREDENTIALS && handle.dwLower == 5, "byte %lu: NTLM %08lx",
           at[i], status);
        SspiFreeAuthIdentity(before);
        SspiFreeAuthIdentity(copy);
    }
    SspiFreeAuthIdentity(identity);
}

/* Copies, bytes and comparisons of what is encrypted. */
static void test_carried(void)
{
    if (!ours_only()) return;
    for (ULONG i = 0; i < 2; i++) {
        identity_t identity = make_encrypted(modes[i].option), excluding = NULL, back = NULL;
        identity_t plain = make(L"user", L"DOMAIN", L"a secret password");
        identity_t other = make(L"user", L"DOMAIN", L"another password");
        char *bytes = NULL;
        ULONG size = 0;
        BOOLEAN same_user = 2, same = 2;
        ok(!SspiCompareAuthIdentities(identity, plain, &same_user, &same) && same_user && same,
           "%s: differs from the plain one", modes[i].name);
        ok(!SspiCompareAuthIdentities(identity, other, &same_user, &same) && same_user && !same,
           "%s: the same as another", modes[i].name);
        ok(!SspiExcludePackage(identity, L"Kerberos", &excluding), "not made");
        ok(!SspiMarshalAuthIdentity(excluding, &size, &bytes), "not marshalled");
        ok(!SspiUnmarshalAuthIdentity(size, bytes, &back), "not unmarshalled");
        ok(!decrypt_ex(modes[i].option, back), "%s: not decrypted", modes[i].name);
        expect_plain(back, modes[i].name);
        SspiLocalFree(bytes);
        SspiFreeAuthIdentity(back);
        SspiFreeAuthIdentity(excluding);
        SspiFreeAuthIdentity(other);
        SspiFreeAuthIdentity(plain);
        SspiFreeAuthIdentity(identity);
    }
}

/* ---- packages ---- */

static void expect_log_on(identity_t identity, const wchar_t *package, const char *what)
{
    static struct loopback loop;
    SECURITY_STATUS status = loopback_open(&loop, package, NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    FreeCredentialsHandle(&loop.client_cred);
    status = AcquireCredentialsHandleW(NULL, (wchar_t *)package, SECPKG_CRED_OUTBOUND, NULL,
                                       identity, NULL, NULL, &loop.client_cred, NULL);
    ok(!status, "%ls, %s: %08lx", package, what, status);
    if (!status) status = loopback_connect(&loop);
    if (ok(!status, "%ls, %s: %08lx", package, what, status))
        ok(contexts_talk(&loop.client, &loop.server), "%ls, %s: no talk", package, what);
    loopback_close(&loop);
}

/* An encrypted identity is as good as the plain one [D sspiencryptauthidentity]. */
static void test_log_on(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    for (ULONG i = 0; i < ARRAYSIZE(modes); i++)
        for (ULONG j = 0; j < ARRAYSIZE(packages); j++) {
            identity_t identity = make(account.user, account.domain, account.password);
            ok(!encrypt_ex(modes[i].option, identity), "not encrypted");
            expect_log_on(identity, packages[j], modes[i].name);
            ok(SspiIsAuthIdentityEncrypted(identity), "decrypted on the way");
            SspiFreeAuthIdentity(identity);
        }
}

/* ---- another process ---- */

static const struct {
    const wchar_t *argument;
    ULONG mode;
    SECURITY_STATUS expected;
} errands[] = {
    {L"logon", 0, SEC_E_OK},
    {L"process", 1, SEC_E_NOT_OWNER},
    {L"system", 2, SEC_E_NOT_OWNER},
};

/* The other process: tries to decrypt what it is sent, and answers with the status, and with that
 * of NTLM, to which the identity is given before. */
static int errand_run(ULONG mode)
{
    static BYTE bytes[4096];
    DWORD size;
    identity_t identity = NULL;
    CredHandle handle;
    LONG answers[2] = {-1, -1};
    if (!block_read(GetStdHandle(STD_INPUT_HANDLE), bytes, sizeof(bytes), &size)) return 1;
    if (SspiUnmarshalAuthIdentity(size, (char *)bytes, &identity)) return 2;
    answers[1] = AcquireCredentialsHandleW(NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL,
                                           identity, NULL, NULL, &handle, NULL);
    if (!answers[1]) FreeCredentialsHandle(&handle);
    answers[0] = decrypt_ex(modes[mode].option, identity);
    if (!answers[0] && !holds(identity, L"a secret password")) return 3;
    if (answers[0] && !SspiIsAuthIdentityEncrypted(identity)) return 4;
    SspiFreeAuthIdentity(identity);
    return block_write(GetStdHandle(STD_OUTPUT_HANDLE), answers, sizeof(answers)) ? 0 : 5;
}

/* [D sspiencryptauthidentityex] who can decrypt */
static void test_other_process(void)
{
    if (!ours_only()) return;
    for (ULONG i = 0; i < ARRAYSIZE(errands); i++) {
        struct child child;
        identity_t identity = make_encrypted(modes[errands[i].mode].option);
        const char *what = modes[errands[i].mode].name;
        char *bytes = NULL;
        ULONG size = 0;
        DWORD exit_code = 99, answered = 0;
        LONG answers[2] = {1, 1};
        ok(!SspiMarshalAuthIdentity(identity, &size, &bytes), "%s: not marshalled", what);
        if (ok(child_start(&child, NULL, errands[i].argument), "no process")) {
            bool talked = block_write(child.to, bytes, size) &&
                          block_read(child.from, answers, sizeof(answers), &answered);
            ok(child_end(&child, &exit_code) && !exit_code && talked, "%s: exit status %lu", what,
               exit_code);
            ok(answers[0] == errands[i].expected, "%s: %08lx", what, answers[0]);
            bool process_only = errands[i].mode == 1;
            ok(answers[1] == (process_only ? SEC_E_UNKNOWN_CREDENTIALS : SEC_E_OK),
               "%s: NTLM %08lx", what, answers[1]);
        }
        SspiLocalFree(bytes);
        SspiFreeAuthIdentity(identity);
    }
}

int main(int argc, char **argv)
{
    encrypt_ex = (crypt_ex_t *)function_find("sspicli.dll", "SspiEncryptAuthIdentityEx");
    decrypt_ex = (crypt_ex_t *)function_find("sspicli.dll", "SspiDecryptAuthIdentityEx");
    for (ULONG i = 0; argc > 1 && i < ARRAYSIZE(errands); i++)
        if (argv[1][0] == (char)errands[i].argument[0]) return errand_run(errands[i].mode);
    have_account = account_create(&account);
    RUN(test_round_trip);
    RUN(test_options);
    RUN(test_other_options);
    RUN(test_combined);
    RUN(test_no_room);
    RUN(test_not_encrypted);
    RUN(test_anonymous);
    RUN(test_changed);
    RUN(test_carried);
    RUN(test_log_on);
    RUN(test_other_process);
    if (have_account) account_remove(&account);
    return test_end("api_auth_identity_crypt");
}
