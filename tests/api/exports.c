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

static void test_sasl(void)
{
    if (!ours_only()) return;
    FUNCTION(LONG, SaslEnumerateProfilesA, char **, ULONG *);
    FUNCTION(LONG, SaslEnumerateProfilesW, wchar_t **, ULONG *);
    FUNCTION(LONG, SaslGetProfilePackageA, const char *, SecPkgInfoA **);
    FUNCTION(LONG, SaslGetProfilePackageW, const wchar_t *, SecPkgInfoW **);
    FUNCTION(LONG, SaslIdentifyPackageA, SecBufferDesc *, SecPkgInfoA **);
    FUNCTION(LONG, SaslIdentifyPackageW, SecBufferDesc *, SecPkgInfoW **);
    FUNCTION(LONG, SaslInitializeSecurityContextW, CredHandle *, CtxtHandle *, wchar_t *, ULONG,
             ULONG, ULONG, SecBufferDesc *, ULONG, CtxtHandle *, SecBufferDesc *, ULONG *,
             TimeStamp *);
    FUNCTION(LONG, SaslAcceptSecurityContext, CredHandle *, CtxtHandle *, SecBufferDesc *, ULONG,
             ULONG, CtxtHandle *, SecBufferDesc *, ULONG *, TimeStamp *);
    FUNCTION(LONG, SaslSetContextOption, CtxtHandle *, ULONG, void *, ULONG);
    FUNCTION(LONG, SaslGetContextOption, CtxtHandle *, ULONG, void *, ULONG, ULONG *);
    void *made = NULL;
    ULONG number = 0;
    SecBuffer buffer = {6, SECBUFFER_TOKEN, (void *)"GSSAPI"};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &buffer};
    CtxtHandle context = {0, 0};
    EXPECT_ERROR(SaslEnumerateProfilesA((char **)&made, &number));
    EXPECT_ERROR(SaslEnumerateProfilesW((wchar_t **)&made, &number));
    EXPECT_ERROR(SaslGetProfilePackageA("GSSAPI", (SecPkgInfoA **)&made));
    EXPECT_ERROR(SaslGetProfilePackageW(L"GSSAPI", (SecPkgInfoW **)&made));
    EXPECT_ERROR(SaslIdentifyPackageA(&desc, (SecPkgInfoA **)&made));
    EXPECT_ERROR(SaslIdentifyPackageW(&desc, (SecPkgInfoW **)&made));
    EXPECT_ERROR(SaslInitializeSecurityContextW(NULL, NULL, NULL, 0, 0, 0, NULL, 0, &context, &desc,
                                                &number, NULL));
    EXPECT_ERROR(
        SaslAcceptSecurityContext(NULL, NULL, &desc, 0, 0, &context, &desc, &number, NULL));
    EXPECT_ERROR(SaslSetContextOption(&context, 1, &number, sizeof(number)));
    EXPECT_ERROR(SaslGetContextOption(&context, 1, &number, sizeof(number), &number));
    ok(!made && !context.dwLower && !context.dwUpper, "something was returned");
}

static void expect_last_error(BOOL result, const char *what)
{
    DWORD error = GetLastError();
    ok(!result, "%s succeeded", what);
    ok(error != 0 && error != 0xdeadbeef, "%s: last error %lu", what, error);
    SetLastError(0xdeadbeef);
}

static void test_name_functions(void)
{
    if (!ours_only()) return;
    FUNCTION(BOOLEAN, GetUserNameExA, int, char *, ULONG *);
    FUNCTION(BOOLEAN, GetUserNameExW, int, wchar_t *, ULONG *);
    FUNCTION(BOOLEAN, GetComputerObjectNameA, int, char *, ULONG *);
    FUNCTION(BOOLEAN, GetComputerObjectNameW, int, wchar_t *, ULONG *);
    FUNCTION(BOOLEAN, TranslateNameA, const char *, int, int, char *, ULONG *);
    FUNCTION(BOOLEAN, TranslateNameW, const wchar_t *, int, int, wchar_t *, ULONG *);
    wchar_t wide[256];
    char narrow[256];
    ULONG size = 256;
    SetLastError(0xdeadbeef);
    expect_last_error(GetUserNameExA(1, narrow, &size), "GetUserNameExA");
    expect_last_error(GetUserNameExW(1, wide, &size), "GetUserNameExW");
    expect_last_error(GetComputerObjectNameA(1, narrow, &size), "GetComputerObjectNameA");
    expect_last_error(GetComputerObjectNameW(1, wide, &size), "GetComputerObjectNameW");
    expect_last_error(TranslateNameA("a\\b", 2, 1, narrow, &size), "TranslateNameA");
    expect_last_error(TranslateNameW(L"a\\b", 2, 1, wide, &size), "TranslateNameW");
}

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
    RUN(test_sasl);
    RUN(test_name_functions);
    RUN(test_identities);
    RUN(test_targets);
    RUN(test_unsupported_by_package);
    return test_end("api_exports");
}
