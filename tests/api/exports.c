/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every name that Windows 10's secur32.dll and sspicli.dll export is there, Windows 11's
 * additions too, and the groups that this version does not implement answer with a
 * documented error: neither success nor a crash. When a group is implemented its case here goes
 * and its own program comes.
 */
#include <windows.h>
#include <ntsecapi.h>
#include <security.h>

#include "support.h"

static const char *const in_both[] = {
    "AcceptSecurityContext",
    "AcquireCredentialsHandleA",
    "AcquireCredentialsHandleW",
    "AddCredentialsA",
    "AddCredentialsW",
    "AddSecurityPackageA",
    "AddSecurityPackageW",
    "ApplyControlToken",
    "ChangeAccountPasswordA",
    "ChangeAccountPasswordW",
    "CompleteAuthToken",
    "CredMarshalTargetInfo",
    "CredUnmarshalTargetInfo",
    "DecryptMessage",
    "DeleteSecurityContext",
    "DeleteSecurityPackageA",
    "DeleteSecurityPackageW",
    "EncryptMessage",
    "EnumerateSecurityPackagesA",
    "EnumerateSecurityPackagesW",
    "ExportSecurityContext",
    "FreeContextBuffer",
    "FreeCredentialsHandle",
    "GetSecurityUserInfo",
    "GetUserNameExA",
    "GetUserNameExW",
    "ImpersonateSecurityContext",
    "ImportSecurityContextA",
    "ImportSecurityContextW",
    "InitializeSecurityContextA",
    "InitializeSecurityContextW",
    "InitSecurityInterfaceA",
    "InitSecurityInterfaceW",
    "LsaCallAuthenticationPackage",
    "LsaConnectUntrusted",
    "LsaDeregisterLogonProcess",
    "LsaEnumerateLogonSessions",
    "LsaFreeReturnBuffer",
    "LsaGetLogonSessionData",
    "LsaLogonUser",
    "LsaLookupAuthenticationPackage",
    "LsaRegisterLogonProcess",
    "LsaRegisterPolicyChangeNotification",
    "LsaUnregisterPolicyChangeNotification",
    "MakeSignature",
    "QueryContextAttributesA",
    "QueryContextAttributesW",
    "QueryCredentialsAttributesA",
    "QueryCredentialsAttributesW",
    "QuerySecurityContextToken",
    "QuerySecurityPackageInfoA",
    "QuerySecurityPackageInfoW",
    "RevertSecurityContext",
    "SaslAcceptSecurityContext",
    "SaslEnumerateProfilesA",
    "SaslEnumerateProfilesW",
    "SaslGetContextOption",
    "SaslGetProfilePackageA",
    "SaslGetProfilePackageW",
    "SaslIdentifyPackageA",
    "SaslIdentifyPackageW",
    "SaslInitializeSecurityContextA",
    "SaslInitializeSecurityContextW",
    "SaslSetContextOption",
    "SealMessage",
    "SeciAllocateAndSetCallFlags",
    "SeciAllocateAndSetIPAddress",
    "SeciFreeCallContext",
    "SetContextAttributesA",
    "SetContextAttributesW",
    "SetCredentialsAttributesA",
    "SetCredentialsAttributesW",
    "SspiCompareAuthIdentities",
    "SspiCopyAuthIdentity",
    "SspiDecryptAuthIdentity",
    "SspiEncodeAuthIdentityAsStrings",
    "SspiEncodeStringsAsAuthIdentity",
    "SspiEncryptAuthIdentity",
    "SspiExcludePackage",
    "SspiFreeAuthIdentity",
    "SspiGetTargetHostName",
    "SspiIsAuthIdentityEncrypted",
    "SspiLocalFree",
    "SspiMarshalAuthIdentity",
    "SspiPrepareForCredRead",
    "SspiPrepareForCredWrite",
    "SspiUnmarshalAuthIdentity",
    "SspiValidateAuthIdentity",
    "SspiZeroAuthIdentity",
    "UnsealMessage",
    "VerifySignature",
};

static const char *const in_secur32[] = {
    "CloseLsaPerformanceData", "CollectLsaPerformanceData", "GetComputerObjectNameA",
    "GetComputerObjectNameW",  "OpenLsaPerformanceData",    "SecpFreeMemory",
    "SecpTranslateName",       "SecpTranslateNameEx",       "TranslateNameA",
    "TranslateNameW",
};

static const char *const in_sspicli[] = {
    "LogonUserExExW",
    "QueryContextAttributesExA",
    "QueryContextAttributesExW",
    "QueryCredentialsAttributesExA",
    "QueryCredentialsAttributesExW",
    "SecCacheSspiPackages",
    "SecDeleteUserModeContext",
    "SeciAllocateAndSetCallTarget",
    "SeciIsProtectedUser",
    "SecInitUserModeContext",
    "SspiDecryptAuthIdentityEx",
    "SspiEncryptAuthIdentityEx",
    "SspiGetComputerNameForSPN",
    "SspiUnmarshalAuthIdentityInternal",
};
static const char *const windows_11[] = {
    "LsaConnectLocalUser",        "LsaSetMachineCertificate", "SecAllocateAndSetCallTarget",
    "SecAllocateAndSetIPAddress", "SecFreeCallContext",       "SspiSetChannelBindingFlags",
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static void expect_exports(const char *module, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ok(function_find(module, names[i]) != NULL, "%s lacks %s", module, names[i]);
}

static void test_names(void)
{
    ok(COUNT(in_both) + COUNT(in_secur32) == 101, "the list of secur32 is not whole");
    ok(COUNT(in_both) + COUNT(in_sspicli) == 105, "the list of sspicli is not whole");
    expect_exports("secur32.dll", in_both, COUNT(in_both));
    expect_exports("secur32.dll", in_secur32, COUNT(in_secur32));
    expect_exports("sspicli.dll", in_both, COUNT(in_both));
    expect_exports("sspicli.dll", in_sspicli, COUNT(in_sspicli));
}

static void test_windows_11_names(void)
{
    if (!ours_only()) return;
    expect_exports("sspicli.dll", windows_11, COUNT(windows_11));
}

/* [RVA columns of the listing] */
static void test_aliases(void)
{
    static const char *const modules[] = {"secur32.dll", "sspicli.dll"};
    for (int i = 0; i < 2; i++) {
        ok(function_find(modules[i], "SealMessage") == function_find(modules[i], "EncryptMessage"),
           "%s: SealMessage is not EncryptMessage", modules[i]);
        ok(function_find(modules[i], "UnsealMessage") ==
               function_find(modules[i], "DecryptMessage"),
           "%s: UnsealMessage is not DecryptMessage", modules[i]);
    }
}

/* One function behind both names: a program may take half of its functions from each module. */
static void test_one_implementation(void)
{
    for (size_t i = 0; i < COUNT(in_both); i++)
        ok(function_find("secur32.dll", in_both[i]) == function_find("sspicli.dll", in_both[i]),
           "%s differs between the modules", in_both[i]);
}

/* ---- groups without implementation (ours) ---- */

/* main runs these cases only when every name was found. */
static void *find(const char *name)
{
    void *function = function_find("sspicli.dll", name);
    return function ? function : function_find("secur32.dll", name);
}

#define FUNCTION(type, name, ...) type(WINAPI *name)(__VA_ARGS__) = find(#name)

#define EXPECT_ERROR(call)                           \
    do {                                             \
        LONG result = (LONG)(call);                  \
        ok(result < 0, #call " gave %08lx", result); \
    } while (0)

static void test_identities(void)
{
    if (!ours_only()) return;
    FUNCTION(LONG, SspiEncodeStringsAsAuthIdentity, const wchar_t *, const wchar_t *,
             const wchar_t *, void **);
    FUNCTION(LONG, SspiEncodeAuthIdentityAsStrings, void *, const wchar_t **, const wchar_t **,
             const wchar_t **);
    FUNCTION(LONG, SspiCopyAuthIdentity, void *, void **);
    FUNCTION(LONG, SspiValidateAuthIdentity, void *);
    FUNCTION(LONG, SspiMarshalAuthIdentity, void *, ULONG *, char **);
    FUNCTION(LONG, SspiUnmarshalAuthIdentity, ULONG, char *, void **);
    FUNCTION(LONG, SspiPrepareForCredRead, void *, const wchar_t *, ULONG *, const wchar_t **);
    FUNCTION(BOOLEAN, SspiIsAuthIdentityEncrypted, void *);
    FUNCTION(void, SspiFreeAuthIdentity, void *);
    FUNCTION(void, SspiZeroAuthIdentity, void *);
    FUNCTION(void, SspiLocalFree, void *);
    void *made = NULL;
    const wchar_t *texts[3] = {NULL, NULL, NULL};
    ULONG number = 0;
    char *bytes = NULL;
    EXPECT_ERROR(SspiEncodeStringsAsAuthIdentity(NULL, NULL, NULL, &made));
    EXPECT_ERROR(SspiEncodeAuthIdentityAsStrings(NULL, &texts[0], &texts[1], &texts[2]));
    EXPECT_ERROR(SspiCopyAuthIdentity(NULL, &made));
    EXPECT_ERROR(SspiValidateAuthIdentity(NULL));
    EXPECT_ERROR(SspiMarshalAuthIdentity(NULL, &number, &bytes));
    EXPECT_ERROR(SspiUnmarshalAuthIdentity(0, NULL, &made));
    EXPECT_ERROR(SspiPrepareForCredRead(NULL, L"target", &number, &texts[0]));
    ok(!SspiIsAuthIdentityEncrypted(NULL), "nothing is encrypted");
    ok(!made && !bytes && !texts[0] && !texts[1] && !texts[2], "something was returned");
    SspiFreeAuthIdentity(NULL);
    SspiZeroAuthIdentity(NULL);
    SspiLocalFree(NULL);
}

static void test_targets(void)
{
    if (!ours_only()) return;
    FUNCTION(LONG, CredMarshalTargetInfo, void *, USHORT **, ULONG *);
    FUNCTION(LONG, CredUnmarshalTargetInfo, USHORT *, ULONG, void **, ULONG *);
    FUNCTION(LONG, SspiGetTargetHostName, const wchar_t *, wchar_t **);
    USHORT *marshalled = NULL;
    void *info = NULL;
    ULONG size = 0;
    wchar_t *host = NULL;
    EXPECT_ERROR(CredMarshalTargetInfo(NULL, &marshalled, &size));
    EXPECT_ERROR(CredUnmarshalTargetInfo(NULL, 0, &info, &size));
    EXPECT_ERROR(SspiGetTargetHostName(NULL, &host));
    ok(!marshalled && !info && !host, "something was returned");
}

/* Names without a public contract: an error, and nothing is touched. */
static void test_undocumented(void)
{
    if (!ours_only()) return;
    FUNCTION(LONG, SecGetLocaleSpecificEncryptionRules, void *);
    FUNCTION(LONG, SspiGetComputerNameForSPN, const wchar_t *, wchar_t **);
    FUNCTION(BOOLEAN, SecpTranslateName, const wchar_t *, ULONG, ULONG, void *, ULONG *);
    FUNCTION(BOOLEAN, SecpTranslateNameEx, const wchar_t *, ULONG, ULONG, void *, ULONG *);
    wchar_t *name = NULL, text[8] = L"x";
    ULONG size = 8, rules = 7;
    EXPECT_ERROR(SecGetLocaleSpecificEncryptionRules(&rules));
    EXPECT_ERROR(SspiGetComputerNameForSPN(L"host/name", &name));
    ok(!SecpTranslateName(L"a\\b", 2, 8, text, &size), "a name was translated");
    ok(GetLastError() == ERROR_NOT_SUPPORTED, "last error %lu", GetLastError());
    ok(!SecpTranslateNameEx(L"a\\b", 2, 8, text, &size), "a name was translated");
    ok(rules == 7 && !name && *text == 'x' && size == 8, "something was touched");
}

/* The names of Windows 11 do what the older ones do; the context is freed by its maker. */
static void test_call_context_names(void)
{
    if (!ours_only()) return;
    FUNCTION(LONG, SecAllocateAndSetIPAddress, BYTE *, ULONG, BOOL *);
    FUNCTION(LONG, SecAllocateAndSetCallTarget, BYTE *, ULONG, wchar_t *, BOOL *);
    FUNCTION(void, SecFreeCallContext, void);
    BYTE address[16] = {2, 0, 0, 80, 127, 0, 0, 1};
    BOOL must_free = FALSE;
    ok(SecAllocateAndSetIPAddress(address, sizeof(address), &must_free) == SEC_E_OK, "address");
    ok(must_free, "there was a context");
    ok(SecAllocateAndSetCallTarget(NULL, 0, (wchar_t *)L"host/x", &must_free) == SEC_E_OK,
       "target");
    ok(!must_free, "there was no context");
    SecFreeCallContext();
    ok(SecAllocateAndSetIPAddress(address, sizeof(address), &must_free) == SEC_E_OK && must_free,
       "not freed");
    SecFreeCallContext();
}

/* An identity as bytes, whose second reader has no documentation of its own. */
static void test_internal_unmarshal(void)
{
    if (!ours_only()) return;
    FUNCTION(LONG, SspiUnmarshalAuthIdentityInternal, ULONG, char *, void **);
    void *made = NULL;
    EXPECT_ERROR(SspiUnmarshalAuthIdentityInternal(0, NULL, &made));
    ok(!made, "an identity was made of nothing");
}

/* [D QueryCredentialsAttributes] and kin where they are only part of a group: a package that has
 * no such function says so. */
static void test_unsupported_by_package(void)
{
    if (!ours_only()) return;
    CredHandle credential;
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL);
    if (!ok(!status, "no credential: %08lx", status)) return;
    FUNCTION(LONG, SetCredentialsAttributesW, CredHandle *, ULONG, void *, ULONG);
    ULONG number = 0;
    status = SetCredentialsAttributesW(&credential, 3, &number, sizeof(number));
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "SetCredentialsAttributes: %08lx", status);
    FreeCredentialsHandle(&credential);
}

int main(void)
{
    RUN(test_names);
    RUN(test_windows_11_names);
    if (test_state.failed) return test_end("api_exports");
    RUN(test_aliases);
    RUN(test_one_implementation);
    RUN(test_identities);
    RUN(test_targets);
    RUN(test_undocumented);
    RUN(test_call_context_names);
    RUN(test_internal_unmarshal);
    RUN(test_unsupported_by_package);
    return test_end("api_exports");
}
