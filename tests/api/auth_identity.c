/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities as Sspi...AuthIdentity functions make, take apart, copy, compare and marshal them, in
 * every form, and the arguments for the credential manager. Sources of expectations in brackets, as
 * in api_packages.
 */
#include "identities.h"
#include "support.h"

#include <sspi.h>
#include <wincred.h>

#define UNTOUCHED ((void *)0x5ec5ec5e)
#define INVALID_PARAMETER ((SECURITY_STATUS)0xC000000D) /* STATUS_INVALID_PARAMETER */

typedef PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity_t;

static identity_t make(const wchar_t *user, const wchar_t *domain, const wchar_t *password)
{
    identity_t identity = NULL;
    SECURITY_STATUS status = SspiEncodeStringsAsAuthIdentity(user, domain, password, &identity);
    ok(!status && identity, "not made: %08lx", status);
    return identity;
}

static bool texts_same(const wchar_t *a, const wchar_t *b)
{
    return a && b ? !lstrcmpW(a, b) : a == b;
}

static void expect_strings(identity_t identity, const wchar_t *user, const wchar_t *domain,
                           const wchar_t *password, const char *what)
{
    PCWSTR strings[3] = {UNTOUCHED, UNTOUCHED, UNTOUCHED};
    SECURITY_STATUS status = SspiEncodeAuthIdentityAsStrings(identity, &strings[0], &strings[1],
                                                             &strings[2]);
    if (!ok(!status, "%s: %08lx", what, status)) return;
    ok(texts_same(strings[0], user), "%s: user %ls", what, strings[0]);
    ok(texts_same(strings[1], domain), "%s: domain %ls", what, strings[1]);
    ok(texts_same(strings[2], password), "%s: password", what);
    /* [W8 secur32.c:362] and [D sspiencodeauthidentityasstrings] release them differently */
    SspiLocalFree((void *)strings[0]);
    SspiFreeAuthIdentity((identity_t)strings[1]);
    SspiLocalFree((void *)strings[2]);
}

/* ---- strings ---- */

/* [W8 secur32.c:296-303] */
static void test_nothing(void)
{
    identity_t identity = UNTOUCHED;
    SECURITY_STATUS status = SspiEncodeStringsAsAuthIdentity(NULL, NULL, NULL, NULL);
    ok(status == SEC_E_INVALID_TOKEN, "no output: %08lx", status);
    status = SspiEncodeStringsAsAuthIdentity(NULL, NULL, NULL, &identity);
    ok(status == SEC_E_INVALID_TOKEN, "no strings: %08lx", status);
    ok(identity == UNTOUCHED, "output changed");
}

/* [W8 secur32.c:305-361] */
static void test_strings(void)
{
    for (int given = 1; given < 8; given++) {
        const wchar_t *user = given & 1 ? L"user" : NULL, *domain = given & 2 ? L"DOMAIN" : NULL;
        const wchar_t *password = given & 4 ? L"secret" : NULL;
        char what[32];
        wsprintfA(what, "strings %d", given);
        identity_t identity = make(user, domain, password);
        expect_strings(identity, user, domain, password, what);
        SspiFreeAuthIdentity(identity);
    }
    identity_t identity = make(L"", L"", L"");
    if (running_on_ours()) expect_strings(identity, L"", L"", L"", "empty strings");
    SspiFreeAuthIdentity(identity);
}

/* Texts are as long as their 16-bit size can tell [H sspi.h]. */
static void test_long_strings(void)
{
    static wchar_t text[32769];
    identity_t identity = UNTOUCHED;
    if (!ours_only()) return;
    for (int i = 0; i < 32768; i++) text[i] = 'x';
    SECURITY_STATUS status = SspiEncodeStringsAsAuthIdentity(text, NULL, NULL, &identity);
    ok(status == SEC_E_INVALID_PARAMETER && identity == UNTOUCHED, "user: %08lx", status);
    status = SspiEncodeStringsAsAuthIdentity(NULL, text, NULL, &identity);
    ok(status == SEC_E_INVALID_PARAMETER && identity == UNTOUCHED, "domain: %08lx", status);
    status = SspiEncodeStringsAsAuthIdentity(NULL, NULL, text, &identity);
    ok(status == SEC_E_INVALID_PARAMETER && identity == UNTOUCHED, "password: %08lx", status);
    text[32767] = 0;
    identity = make(text, text, L"secret");
    expect_strings(identity, text, text, L"secret", "as long as may be");
    SspiFreeAuthIdentity(identity);
}

/* [D sspizeroauthidentity]; it can be released afterwards [W8 secur32.c:360-368] */
static void test_zero(void)
{
    SEC_WINNT_AUTH_IDENTITY_EX2 zero = {0};
    identity_t identity = make(L"user", L"DOMAIN", L"secret");
    SspiZeroAuthIdentity(identity);
    if (running_on_ours()) ok(!memcmp(identity, &zero, sizeof(zero)), "something is left");
    SspiFreeAuthIdentity(identity);

    wchar_t user[] = L"user", domain[] = L"DOMAIN", password[] = L"secret", none[8] = {0};
    SEC_WINNT_AUTH_IDENTITY_W plain = wide_identity(user, domain, password);
    SspiZeroAuthIdentity((identity_t)&plain);
    ok(!memcmp(password, none, sizeof(password)), "the password is left");
    if (running_on_ours())
        ok(!plain.User && !plain.PasswordLength && !plain.Flags, "the structure is left");
    SspiZeroAuthIdentity(NULL);
    SspiFreeAuthIdentity(NULL);
    SspiLocalFree(NULL);
}

/* ---- forms ---- */

static void expect_copy(void *identity, const wchar_t *domain, const char *what)
{
    identity_t copy = NULL;
    SECURITY_STATUS status = SspiValidateAuthIdentity(identity);
    ok(!status, "%s is not valid: %08lx", what, status);
    expect_strings(identity, L"user", domain, L"secret", what);
    status = SspiCopyAuthIdentity(identity, &copy);
    if (!ok(!status && copy && copy != identity, "%s: copy %08lx", what, status)) return;
    expect_strings(copy, L"user", domain, L"secret", what);
    ok(!SspiIsAuthIdentityEncrypted(copy), "%s is encrypted", what);

    BOOLEAN same_user = 2, same_identity = 2;
    status = SspiCompareAuthIdentities(identity, copy, &same_user, &same_identity);
    ok(!status && same_user == TRUE && same_identity == TRUE, "%s: %08lx %d %d", what, status,
       same_user, same_identity);
    SspiFreeAuthIdentity(copy);
}

/* [D sec_winnt_auth_identity_info] */
static void test_forms(void)
{
    SEC_WINNT_AUTH_IDENTITY_W wide = wide_identity(L"user", L"DOMAIN", L"secret");
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("user", "DOMAIN", "secret");
    SEC_WINNT_AUTH_IDENTITY_EXW wide_ex = wide_identity_ex(L"user", L"DOMAIN", L"secret");
    SEC_WINNT_AUTH_IDENTITY_EXA narrow_ex = narrow_identity_ex("user", "DOMAIN", "secret");
    identity_t made = make(L"user", L"DOMAIN", L"secret");
    expect_copy(&wide, L"DOMAIN", "wide");
    expect_copy(&narrow, L"DOMAIN", "narrow");
    expect_copy(&wide_ex, L"DOMAIN", "wide EX");
    expect_copy(&narrow_ex, L"DOMAIN", "narrow EX");
    expect_copy(made, L"DOMAIN", "made");
    SspiFreeAuthIdentity(made);
    narrow = narrow_identity("user", NULL, "secret");
    expect_copy(&narrow, NULL, "no domain");
}

/* Text beyond ASCII comes out of an ANSI form as the code page has it. */
static void test_narrow_text(void)
{
    wchar_t expected[8] = {0};
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("user", "b\xe4r", "s\xfc");
    PCWSTR user, domain, password;
    SECURITY_STATUS status = SspiEncodeAuthIdentityAsStrings((identity_t)&narrow, &user, &domain,
                                                             &password);
    if (!ok(!status, "%08lx", status)) return;
    MultiByteToWideChar(CP_ACP, 0, "b\xe4r", -1, expected, 8);
    ok(texts_same(domain, expected), "domain %ls", domain);
    MultiByteToWideChar(CP_ACP, 0, "s\xfc", -1, expected, 8);
    ok(texts_same(password, expected), "password");
    SspiLocalFree((void *)user);
    SspiLocalFree((void *)domain);
    SspiLocalFree((void *)password);
}

static void expect_refused(void *identity, SECURITY_STATUS expected, const char *what)
{
    identity_t copy = UNTOUCHED;
    PCWSTR text = UNTOUCHED;
    char *bytes = UNTOUCHED;
    ULONG number = 77;
    BOOLEAN same = 2;
    SECURITY_STATUS status = SspiValidateAuthIdentity(identity);
    ok(status == expected, "%s: validate %08lx", what, status);
    status = SspiCopyAuthIdentity(identity, &copy);
    ok(status == expected && copy == UNTOUCHED, "%s: copy %08lx", what, status);
    status = SspiMarshalAuthIdentity(identity, &number, &bytes);
    ok(status == expected && bytes == UNTOUCHED && number == 77, "%s: marshal %08lx", what, status);
    status = SspiEncodeAuthIdentityAsStrings(identity, &text, &text, &text);
    ok(status == expected && text == UNTOUCHED, "%s: strings %08lx", what, status);
    status = SspiPrepareForCredRead(identity, L"t", &number, &text);
    ok(status == expected && text == UNTOUCHED && number == 77, "%s: read %08lx", what, status);
    status = SspiEncryptAuthIdentity(identity);
    ok(status == expected, "%s: encrypt %08lx", what, status);
    status = SspiDecryptAuthIdentity(identity);
    ok(status == expected, "%s: decrypt %08lx", what, status);
    ok(!SspiIsAuthIdentityEncrypted(identity), "%s is encrypted", what);
    if (!identity) return;
    status = SspiExcludePackage(identity, L"NTLM", &copy);
    ok(status == expected && copy == UNTOUCHED, "%s: exclude %08lx", what, status);
    status = SspiCompareAuthIdentities(identity, identity, &same, &same);
    ok(status == expected && same == 2, "%s: compare %08lx", what, status);
}

/* [D sspivalidateauthidentity] has some error for these; which one is ours. */
static void test_refused(void)
{
    if (!ours_only()) return;
    expect_refused(NULL, SEC_E_INVALID_PARAMETER, "none");
    SEC_WINNT_AUTH_IDENTITY_W plain = wide_identity(L"user", L"DOMAIN", L"secret");
    plain.User = (unsigned short *)(ULONG_PTR)16;
    expect_refused(&plain, SEC_E_INVALID_TOKEN, "no address");
    SEC_WINNT_AUTH_IDENTITY_EXW ex = wide_identity_ex(L"user", L"DOMAIN", L"secret");
    ex.Length--;
    expect_refused(&ex, SEC_E_INVALID_TOKEN, "short EX");
    ex = wide_identity_ex(L"user", L"DOMAIN", L"secret");
    ex.PasswordLength = 0x10000;
    expect_refused(&ex, SEC_E_INVALID_TOKEN, "long password");
    identity_t made = make(L"user", L"DOMAIN", L"secret");
    ((SEC_WINNT_AUTH_IDENTITY_EX2 *)made)->UserOffset = 0x7fffffff;
    expect_refused(made, SEC_E_INVALID_TOKEN, "offset");
    SspiFreeAuthIdentity(made);
}

/* ---- comparing ---- */

static void expect_compared(identity_t a, identity_t b, bool user, bool identity, const char *what)
{
    BOOLEAN same_user = 2, same_identity = 2;
    SECURITY_STATUS status = SspiCompareAuthIdentities(a, b, &same_user, &same_identity);
    ok(!status && same_user == user && same_identity == identity, "%s: %08lx %d %d", what, status,
       same_user, same_identity);
    same_user = same_identity = 2;
    status = SspiCompareAuthIdentities(b, a, &same_user, &same_identity);
    ok(!status && same_user == user && same_identity == identity, "%s, turned: %08lx %d %d", what,
       status, same_user, same_identity);
}

/* [D sspicompareauthidentities] what the two answers mean; letters of names have no case */
static void test_compare(void)
{
    static const struct {
        const wchar_t *user, *domain, *password;
        bool same_user, same_identity;
        const char *what;
    } cases[] = {
        {L"user", L"DOMAIN", L"secret", true, true, "the same"},
        {L"USER", L"domain", L"secret", true, true, "letters"},
        {L"DOMAIN\\user", NULL, L"secret", true, true, "domain before the user"},
        {L"user", L"DOMAIN", L"Secret", true, false, "password"},
        {L"user", L"DOMAIN", L"secret1", true, false, "longer password"},
        {L"user", L"DOMAIN", NULL, true, false, "no password"},
        {L"other", L"DOMAIN", L"secret", false, false, "user"},
        {L"user", L"OTHER", L"secret", false, false, "domain"},
        {L"user", NULL, L"secret", false, false, "no domain"},
        {NULL, L"DOMAIN", L"secret", false, false, "no user"},
    };
    if (!ours_only()) return;
    identity_t identity = make(L"user", L"DOMAIN", L"secret");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        identity_t other = make(cases[i].user, cases[i].domain, cases[i].password);
        expect_compared(identity, other, cases[i].same_user, cases[i].same_identity, cases[i].what);
        SspiFreeAuthIdentity(other);
    }
    identity_t excluding = NULL;
    ok(!SspiExcludePackage(identity, L"NTLM", &excluding), "not made");
    expect_compared(identity, excluding, true, false, "package list");
    expect_compared(NULL, NULL, true, true, "none at all");
    expect_compared(NULL, identity, false, false, "none and one");
    ok(!SspiCompareAuthIdentities(identity, excluding, NULL, NULL), "no answers");
    SspiFreeAuthIdentity(excluding);
    SspiFreeAuthIdentity(identity);
}

/* ---- packages ---- */

static void expect_list(identity_t identity, const wchar_t *package, const wchar_t *expected)
{
    identity_t made = NULL;
    SECURITY_STATUS status = SspiExcludePackage(identity, package, &made);
    if (!ok(!status && made, "%ls: %08lx", package, status)) return;
    const SEC_WINNT_AUTH_IDENTITY_EX2 *ex2 = (void *)made;
    ULONG size = (ULONG)(lstrlenW(expected) * sizeof(wchar_t));
    ok(ex2->PackageListLength == size &&
           !memcmp((BYTE *)made + ex2->PackageListOffset, expected, size),
       "%ls: not %ls", package, expected);
    SspiFreeAuthIdentity(made);
}

/* [D sspiexcludepackage] the package is left out; [CI sspilib] "!name" in the list says so */
static void test_exclude(void)
{
    if (!ours_only()) return;
    SEC_WINNT_AUTH_IDENTITY_EXW ex = wide_identity_ex(L"user", L"DOMAIN", L"secret");
    expect_list((identity_t)&ex, L"NTLM", L"!NTLM");
    expect_list(NULL, L"NTLM", L"!NTLM");
    ex.PackageList = (unsigned short *)L"Kerberos,!ntlm";
    ex.PackageListLength = 14;
    expect_list((identity_t)&ex, L"NTLM", L"Kerberos,!ntlm");
    expect_list((identity_t)&ex, L"Kerberos", L"Kerberos,!ntlm,!Kerberos");
    identity_t made = NULL;
    ok(!SspiExcludePackage((identity_t)&ex, L"Kerberos", &made), "not made");
    expect_strings(made, L"user", L"DOMAIN", L"secret", "the rest");
    SspiFreeAuthIdentity(made);

    static const wchar_t *const wrong[] = {NULL, L"", L"!NTLM", L"NTLM,Kerberos"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        made = UNTOUCHED;
        SECURITY_STATUS status = SspiExcludePackage((identity_t)&ex, wrong[i], &made);
        ok(status == SEC_E_INVALID_PARAMETER && made == UNTOUCHED, "name %d: %08lx", (int)i,
           status);
    }
    ok(SspiExcludePackage((identity_t)&ex, L"NTLM", NULL) == SEC_E_INVALID_PARAMETER, "no output");
}

/* ---- bytes ---- */

static identity_t through_bytes(identity_t identity, const char *what)
{
    identity_t back = NULL;
    char *bytes = NULL;
    ULONG size = 0;
    SECURITY_STATUS status = SspiMarshalAuthIdentity(identity, &size, &bytes);
    if (!ok(!status && bytes && size, "%s: marshal %08lx", what, status)) return NULL;
    status = SspiUnmarshalAuthIdentity(size, bytes, &back);
    ok(!status && back, "%s: unmarshal %08lx", what, status);
    SspiLocalFree(bytes);
    return back;
}

/* [D sspimarshalauthidentity] [D sspiunmarshalauthidentity] */
static void test_bytes(void)
{
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("user", "DOMAIN", "secret");
    SEC_WINNT_AUTH_IDENTITY_EXW ex = wide_identity_ex(L"user", L"DOMAIN", L"secret");
    identity_t made = make(L"user", L"DOMAIN", L"secret");
    void *const forms[] = {&narrow, &ex, made};
    for (int i = 0; i < 3; i++) {
        identity_t back = through_bytes(forms[i], "form");
        if (back) expect_strings(back, L"user", L"DOMAIN", L"secret", "back");
        SspiFreeAuthIdentity(back);
    }
    SspiFreeAuthIdentity(made);
}

/* [H sspi.h] the structure has offsets only: the same bytes in 32- and 64-bit programs */
static void test_byte_layout(void)
{
    static const BYTE expected[] = {
        0x01, 0x02, 0, 0, 48, 0, 0, 0, 94, 0, 0, 0, 48, 0, 0, 0, 2, 0, 0, 0, 50, 0, 0, 0, 2, 0, 0,
        0, 52, 0, 0, 0, 42, 0, 0, 0, 0x06, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'u', 0, 'd', 0,
        /* packed credentials: a password, and its place */
        28, 0, 42, 0, 0x2f, 0xc3, 0xbf, 0x28, 0xf6, 0x10, 0x38, 0x47, 0x98, 0xd1, 0x1a, 0xc0, 0x61,
        0xdf, 0x71, 0x6a, 28, 0, 0, 0, 14, 0, 0, 0, 8, 0, 0, 0, 6, 0, 0, 0, 'p', 0, 'w', 0, 'd', 0};
    char *bytes = NULL;
    ULONG size = 0;
    if (!ours_only()) return;
    identity_t made = make(L"u", L"d", L"pwd");
    SECURITY_STATUS status = SspiMarshalAuthIdentity(made, &size, &bytes);
    ok(!status && size == sizeof(expected) && !memcmp(bytes, expected, size), "%08lx, %lu bytes",
       status, size);
    SspiLocalFree(bytes);
    SspiFreeAuthIdentity(made);
}

/* Cut short after every byte, and every byte changed: an identity or a refusal. */
static void test_damaged_bytes(void)
{
    char *bytes = NULL;
    ULONG size = 0;
    if (!ours_only()) return;
    SEC_WINNT_AUTH_IDENTITY_EXW ex = wide_identity_ex(L"user", L"DOMAIN", L"secret");
    ex.PackageList = (unsigned short *)L"!NTLM";
    ex.PackageListLength = 5;
    if (!ok(!SspiMarshalAuthIdentity((identity_t)&ex, &size, &bytes), "not marshalled")) return;
    for (ULONG part = 0; part < size; part++) {
        identity_t back = UNTOUCHED;
        char *cut = HeapAlloc(GetProcessHeap(), 0, part ? part : 1);
        memcpy(cut, bytes, part);
        SECURITY_STATUS status = SspiUnmarshalAuthIdentity(part, cut, &back);
        ok(status == SEC_E_INVALID_TOKEN && back == UNTOUCHED, "%lu bytes: %08lx", part, status);
        HeapFree(GetProcessHeap(), 0, cut);
    }
    for (ULONG bit = 0; bit < 8 * size; bit++) {
        identity_t back = UNTOUCHED;
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        SECURITY_STATUS status = SspiUnmarshalAuthIdentity(size, bytes, &back);
        if (status)
            ok(status == SEC_E_INVALID_TOKEN && back == UNTOUCHED, "%lu: %08lx", bit, status);
        else {
            ok(!SspiValidateAuthIdentity(back), "bit %lu: not valid", bit);
            SspiFreeAuthIdentity(back);
        }
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    identity_t back = UNTOUCHED;
    ok(SspiUnmarshalAuthIdentity(size, NULL, &back) == SEC_E_INVALID_PARAMETER, "no bytes");
    ok(SspiUnmarshalAuthIdentity(size, bytes, NULL) == SEC_E_INVALID_PARAMETER, "no output");
    ok(back == UNTOUCHED, "output changed");
    SspiLocalFree(bytes);
}

/* ---- the credential manager ---- */

static void expect_saved(void *identity, const wchar_t *target, const wchar_t *name,
                         const wchar_t *user, const char *what)
{
    ULONG type = 77, size = 77;
    PCWSTR found = UNTOUCHED, found_user = UNTOUCHED;
    UCHAR *blob = UNTOUCHED;
    SECURITY_STATUS status = SspiPrepareForCredWrite(identity, target, &type, &found, &found_user,
                                                     &blob, &size);
    if (!ok(!status, "%s: %08lx", what, status)) return;
    ok(type == CRED_TYPE_DOMAIN_PASSWORD, "%s: type %lu", what, type);
    ok(texts_same(found, name) && texts_same(found_user, user), "%s: %ls, %ls", what, found,
       found_user);
    ok(size == 12 && !memcmp(blob, L"secret", size), "%s: %lu bytes", what, size);
    SspiLocalFree((void *)found);
    SspiLocalFree((void *)found_user);
    SspiLocalFree(blob);
    type = 77;
    status = SspiPrepareForCredRead(identity, target, &type, &found);
    if (!ok(!status, "%s: %08lx", what, status)) return;
    ok(type == CRED_TYPE_DOMAIN_PASSWORD && texts_same(found, name), "%s: type %lu, %ls", what,
       type, found);
    SspiLocalFree((void *)found);
}

/* [W8 secur32.c:389-410] for writing; reading finds what was written */
static void test_saved(void)
{
    identity_t identity = make(L"user", L"domain", L"secret");
    expect_saved(identity, NULL, L"domain\\user", L"domain\\user", "no target");
    expect_saved(identity, L"target", L"target", L"domain\\user", "target");
    SspiFreeAuthIdentity(identity);
    if (!running_on_ours()) return;
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("user", NULL, "secret");
    expect_saved(&narrow, NULL, L"user", L"user", "no domain");
}

static void test_not_saved(void)
{
    ULONG type = 77, size = 77;
    PCWSTR text = UNTOUCHED;
    UCHAR *blob = UNTOUCHED;
    if (!ours_only()) return;
    identity_t identity = make(NULL, L"domain", L"secret");
    SECURITY_STATUS status = SspiPrepareForCredWrite(identity, NULL, &type, &text, &text, &blob,
                                                     &size);
    ok(status == SEC_E_INVALID_PARAMETER, "no user: %08lx", status);
    status = SspiPrepareForCredRead(identity, NULL, &type, &text);
    ok(status == SEC_E_INVALID_PARAMETER, "no user, no target: %08lx", status);
    ok(type == 77 && size == 77 && text == UNTOUCHED && blob == UNTOUCHED, "outputs changed");
    SspiFreeAuthIdentity(identity);

    identity = make(L"user", L"domain", L"secret");
    ((BYTE *)identity)[((SEC_WINNT_AUTH_IDENTITY_EX2 *)identity)->PackedCredentialsOffset + 4] ^= 1;
    ok(!SspiValidateAuthIdentity(identity), "credentials of another type are not valid");
    status = SspiPrepareForCredWrite(identity, L"t", &type, &text, &text, &blob, &size);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "another type: %08lx", status);
    status = SspiEncodeAuthIdentityAsStrings(identity, &text, &text, &text);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "another type as strings: %08lx", status);
    ok(type == 77 && size == 77 && text == UNTOUCHED && blob == UNTOUCHED, "outputs changed");
    SspiFreeAuthIdentity(identity);

    identity = make(L"user", NULL, NULL);
    status = SspiPrepareForCredWrite(identity, NULL, &type, &text, &text, NULL, &size);
    ok(status == SEC_E_INVALID_PARAMETER, "no output: %08lx", status);
    status = SspiPrepareForCredWrite(identity, NULL, &type, &text, &text, &blob, &size);
    ok(!status && !blob && !size, "no password: %08lx", status);
    SspiFreeAuthIdentity(identity);
}

int main(void)
{
    RUN(test_nothing);
    RUN(test_strings);
    RUN(test_long_strings);
    RUN(test_zero);
    RUN(test_forms);
    RUN(test_narrow_text);
    RUN(test_refused);
    RUN(test_compare);
    RUN(test_exclude);
    RUN(test_bytes);
    RUN(test_byte_layout);
    RUN(test_damaged_bytes);
    RUN(test_saved);
    RUN(test_not_saved);
    return test_end("api_auth_identity");
}
