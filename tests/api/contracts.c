/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small things that programs count on and that belong to no other program here: the names of the
 * table's entry points, security.dll, the listing of Windows' own packages, what frees what, and
 * the exports that answer without a package. Statements that do not hold yet are marked todo_wine.
 */
#include <windows.h>
#include <security.h>
#include <rpc.h>

#include "loopback.h"

static struct loopback loop;

/* [H sspi.h] programs that load the module by hand look for these */
static void test_entry_points(void)
{
    HMODULE module = LoadLibraryW(L"secur32.dll");
    ok(!strcmp(SECURITY_ENTRYPOINT_ANSIW, "InitSecurityInterfaceW"), "another name for W");
    ok(!strcmp(SECURITY_ENTRYPOINT_ANSIA, "InitSecurityInterfaceA"), "another name for A");
    INIT_SECURITY_INTERFACE_W wide = (INIT_SECURITY_INTERFACE_W)(void *)GetProcAddress(
        module, SECURITY_ENTRYPOINT_ANSIW);
    INIT_SECURITY_INTERFACE_A narrow = (INIT_SECURITY_INTERFACE_A)(void *)GetProcAddress(
        module, SECURITY_ENTRYPOINT_ANSIA);
    if (!ok(wide && narrow, "entry points: %p, %p", wide, narrow)) return;
    ok(wide() == InitSecurityInterfaceW(), "another table W");
    ok(narrow() == InitSecurityInterfaceA(), "another table A");
}

/* [H libsecurity.a] security.dll has these, and they are the same functions */
static void test_security_dll(void)
{
    static const char *const names[] = {
        "AcceptSecurityContext",
        "AcquireCredentialsHandleA",
        "AcquireCredentialsHandleW",
        "AddSecurityPackageA",
        "AddSecurityPackageW",
        "ApplyControlToken",
        "CompleteAuthToken",
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
        "ImpersonateSecurityContext",
        "ImportSecurityContextA",
        "ImportSecurityContextW",
        "InitializeSecurityContextA",
        "InitializeSecurityContextW",
        "InitSecurityInterfaceA",
        "InitSecurityInterfaceW",
        "MakeSignature",
        "QueryContextAttributesA",
        "QueryContextAttributesW",
        "QueryCredentialsAttributesA",
        "QueryCredentialsAttributesW",
        "QuerySecurityContextToken",
        "QuerySecurityPackageInfoA",
        "QuerySecurityPackageInfoW",
        "RevertSecurityContext",
        "SealMessage",
        "UnsealMessage",
        "VerifySignature",
    };
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        void *found = function_find("security.dll", names[i]);
        ok(found && found == function_find("secur32.dll", names[i]), "%s is at %p", names[i],
           found);
    }
}

/* ---- the packages of Windows 10 and 11 ---- */

enum here { NOT_BUILT, HOSTED, BUILT }; /* HOSTED: a module of Wine's, where there is one */

static const struct listed {
    const wchar_t *name, *comment;
    ULONG base, optional; /* capabilities */
    WORD rpc_id;
    ULONG token; /* at least */
    enum here here;
} listing[] = {
    {L"Negotiate", L"Microsoft Package Negotiator", 0x3bb3, 0x00880000, 9, 12256, BUILT},
    {L"Kerberos", L"Microsoft Kerberos V1.0", 0x73bbf, 0x02880000, 16, 12000, HOSTED},
    {L"NTLM", L"NTLM Security Package", 0x2b37, 0x02880000, 10, 1904, BUILT},
    {L"TSSSP", L"TS Service Security Package", 0x10230, 0x00800000, 22, 13000, NOT_BUILT},
    {L"pku2u", L"PKU2U Security Package", 0x11113, 0x00a00000, 31, 12000, NOT_BUILT},
    {L"WDigest", L"Digest Authentication for Windows", 0x304, 0x00800000, 21, 4096, NOT_BUILT},
    {L"Schannel", L"Schannel Security Package", 0x107b3, 0x00400000, 14, 0x4000, BUILT},
    {L"Microsoft Unified Security Protocol Provider", L"Schannel Security Package", 0x107b3,
     0x00400000, 14, 0x4000, BUILT},
    {L"Default TLS SSP", L"Schannel Security Package", 0x107b3, 0x00400000, 14, 0x4000, BUILT},
    {L"CREDSSP", L"Microsoft CredSSP Security Provider", 0x10733, 0x00900000, 0xffff, 37032,
     NOT_BUILT},
};

/* [OBS] published listings; the bits that later versions added are optional */
static void test_listing(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(listing); i++) {
        const struct listed *row = &listing[i];
        SecPkgInfoW *info = NULL;
        SECURITY_STATUS status = QuerySecurityPackageInfoW((wchar_t *)row->name, &info);
        winetest_push_context("%ls", row->name);
        if (row->here != HOSTED || !running_on_ours())
            todo_wine_if(row->here == NOT_BUILT) ok(!status, "%08lx", status);
        if (!status) {
            ok((info->fCapabilities & ~row->optional) == row->base, "capabilities %08lx",
               info->fCapabilities);
            ok(info->wRPCID == row->rpc_id, "RPC id %u", info->wRPCID);
            ok(info->wVersion == 1, "version %u", info->wVersion);
            ok(info->cbMaxToken >= row->token, "max token %lu", info->cbMaxToken);
            ok(!lstrcmpW(info->Comment, row->comment), "comment %ls", info->Comment);
            FreeContextBuffer(info);
        }
        winetest_pop_context();
    }
}

/* ---- calls ---- */

/* [W8 schannel.c:1839-1841] */
static void test_control_token_without_context(void)
{
    SecBuffer buffer = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &buffer};
    SECURITY_STATUS status = ApplyControlToken(NULL, &input);
    ok(status == SEC_E_INVALID_HANDLE, "%08lx", status);
}

/* [W8 ntlm.c:508-510] the type stays, and the size is that of the token */
static void test_first_token(void)
{
    BYTE room[2888];
    SecBuffer buffer = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &buffer};
    CredHandle credential;
    CtxtHandle context;
    ULONG attributes;
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL);
    if (!ok(!status, "no credential: %08lx", status)) return;
    status = InitializeSecurityContextW(&credential, NULL, NULL, 0, 0, SECURITY_NETWORK_DREP, NULL,
                                        0, &context, &output, &attributes, NULL);
    ok(status == SEC_I_CONTINUE_NEEDED, "%08lx", status);
    ok(buffer.BufferType == SECBUFFER_TOKEN, "type %lu", buffer.BufferType);
    ok(buffer.cbBuffer && buffer.cbBuffer < sizeof(room), "size %lu", buffer.cbBuffer);
    /* [W8 ntlm.c:962-989] both ends of life are successes */
    status = DeleteSecurityContext(&context);
    ok(status == SEC_E_OK, "context: %08lx", status);
    status = FreeCredentialsHandle(&credential);
    ok(status == SEC_E_OK, "credential: %08lx", status);
}

/* [H sspi.h] SealMessage and UnsealMessage have the arguments of EncryptMessage and
 * DecryptMessage: a message that one name has sealed the other opens */
static void test_old_names(void)
{
    SECURITY_STATUS(WINAPI * seal)(CtxtHandle *, ULONG, SecBufferDesc *, ULONG);
    SECURITY_STATUS(WINAPI * unseal)(CtxtHandle *, SecBufferDesc *, ULONG, ULONG *);
    seal = function_find("secur32.dll", "SealMessage");
    unseal = function_find("secur32.dll", "UnsealMessage");
    if (!ok(seal && unseal, "functions: %p, %p", seal, unseal)) return;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;

    BYTE token[16];
    char data[] = "the old names";
    SecBuffer buffers[] = {{sizeof(token), SECBUFFER_TOKEN, token},
                           {sizeof(data), SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    status = seal(&loop.client, 0, &message, 0);
    ok(status == SEC_E_OK, "SealMessage: %08lx", status);
    ok(memcmp(data, "the old names", sizeof(data)), "not encrypted");
    status = DecryptMessage(&loop.server, &message, 0, NULL);
    ok(status == SEC_E_OK && !memcmp(data, "the old names", sizeof(data)), "%08lx", status);
    status = EncryptMessage(&loop.server, 0, &message, 0);
    ok(status == SEC_E_OK, "EncryptMessage: %08lx", status);
    status = unseal(&loop.client, &message, 0, NULL);
    ok(status == SEC_E_OK && !memcmp(data, "the old names", sizeof(data)), "%08lx", status);
    loopback_close(&loop);
}

/* ours: there are no counters to collect, and the answer is an error of Win32, never success */
static void test_performance_data(void)
{
    DWORD(WINAPI * open)(WCHAR *) = function_find("secur32.dll", "OpenLsaPerformanceData");
    DWORD(WINAPI * collect)(WCHAR *, void **, DWORD *, DWORD *);
    DWORD(WINAPI * close)(void) = function_find("secur32.dll", "CloseLsaPerformanceData");
    collect = function_find("secur32.dll", "CollectLsaPerformanceData");
    if (!ours_only() || !ok(open && collect && close, "functions")) return;
    BYTE room[64];
    void *next = room;
    DWORD size = sizeof(room), types = 0;
    ok(open(NULL) != ERROR_SUCCESS, "open");
    ok(collect((WCHAR *)L"Global", &next, &size, &types) != ERROR_SUCCESS, "collect");
    ok(next == room && size == sizeof(room) && !types, "something was collected");
    ok(close() != ERROR_SUCCESS, "close");
}

int main(void)
{
    RUN(test_entry_points);
    RUN(test_security_dll);
    RUN(test_listing);
    RUN(test_control_token_without_context);
    RUN(test_first_token);
    RUN(test_old_names);
    RUN(test_performance_data);
    return test_end("api_contracts");
}
