/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arguments that are not what they should be, in every export that takes such: handles in the
 * exports that api_handles leaves out, descriptors of buffers that cannot be walked, memory of
 * others in the exports that free. And what the A form of an export refuses, the W form refuses
 * with the same status. Nothing crashes, and what is used goes on working (ours, where nothing else
 * is said).
 */
#include "ssp/abi.h"

#include "loopback.h"

#include <sspi.h>

static struct loopback loop;
static CredHandle none; /* never a credential */
static BYTE room[4096];
static SecBuffer buffers[2];
static SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};

static LONG(WINAPI *init_user)(CtxtHandle *, SecBuffer *);
static LONG(WINAPI *delete_user)(CtxtHandle *);

static SecBufferDesc *message(void)
{
    buffers[0] = (SecBuffer){64, SECBUFFER_TOKEN, room};
    buffers[1] = (SecBuffer){64, SECBUFFER_DATA, room + 64};
    return &desc;
}

static bool opened(void)
{
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    return ok(!status, "no contexts: %08lx", status);
}

static void closed(const char *what)
{
    ok(contexts_talk(&loop.client, &loop.server), "%s: the contexts were hurt", what);
    loopback_close(&loop);
}

/* ---- handles ---- */

static CtxtHandle made;
static ULONG attributes;

static LONG sasl_init_w(SecHandle *handle)
{
    return SaslInitializeSecurityContextW(&loop.client_cred, handle, NULL, 0, 0,
                                          SECURITY_NATIVE_DREP, message(), 0, &made, message(),
                                          &attributes, NULL);
}

static LONG sasl_init_a(SecHandle *handle)
{
    return SaslInitializeSecurityContextA(&loop.client_cred, handle, NULL, 0, 0,
                                          SECURITY_NATIVE_DREP, message(), 0, &made, message(),
                                          &attributes, NULL);
}

static LONG sasl_accept(SecHandle *handle)
{
    return SaslAcceptSecurityContext(&loop.server_cred, handle, message(), 0, SECURITY_NATIVE_DREP,
                                     &made, message(), &attributes, NULL);
}

static LONG sasl_set(SecHandle *handle)
{
    return SaslSetContextOption(handle, SASL_OPTION_RECV_SIZE, room, 4);
}

static LONG sasl_get(SecHandle *handle)
{
    return SaslGetContextOption(handle, SASL_OPTION_RECV_SIZE, room, 4, &attributes);
}

static LONG user_init(SecHandle *handle)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    return init_user(handle, &packed);
}

static LONG user_delete(SecHandle *handle)
{
    return delete_user(handle);
}

static const struct {
    const char *name;
    LONG (*function)(SecHandle *handle);
} handle_calls[] = {
    {"SaslInitializeSecurityContextW", sasl_init_w},
    {"SaslInitializeSecurityContextA", sasl_init_a},
    {"SaslAcceptSecurityContext", sasl_accept},
    {"SaslSetContextOption", sasl_set},
    {"SaslGetContextOption", sasl_get},
    {"SecInitUserModeContext", user_init},
    {"SecDeleteUserModeContext", user_delete},
};

static void expect_invalid(SecHandle handle, const char *kind)
{
    for (unsigned i = 0; i < ARRAYSIZE(handle_calls); i++) {
        SecHandle copy = handle;
        LONG status = handle_calls[i].function(&copy);
        ok(status == SEC_E_INVALID_HANDLE, "%s, %s: %08lx", handle_calls[i].name, kind, status);
        ok(copy.dwLower == handle.dwLower && copy.dwUpper == handle.dwUpper,
           "%s, %s: the handle was changed", handle_calls[i].name, kind);
    }
}

/* [D] SEC_E_INVALID_HANDLE */
static void test_handles(void)
{
    if (!ours_only() || !opened()) return;
    ULONG_PTR words[8] = {0};
    SecHandle stale = loop.client;
    expect_invalid((SecHandle){0, 0}, "zero");
    expect_invalid((SecHandle){(ULONG_PTR)-1, (ULONG_PTR)-1}, "invalidated");
    expect_invalid((SecHandle){(ULONG_PTR)words, (ULONG_PTR)words}, "address");
    expect_invalid((SecHandle){1, 2}, "small numbers");
    expect_invalid(loop.client_cred, "credential");
    /* What is a context, but not SASL's, is none to the functions for those. */
    for (unsigned i = 0; i < 3; i++)
        ok(handle_calls[i].function(&loop.client) < 0, "%s: not SASL's", handle_calls[i].name);
    for (unsigned i = 3; i < ARRAYSIZE(handle_calls); i++)
        ok(handle_calls[i].function(NULL) == SEC_E_INVALID_HANDLE, "%s: NULL",
           handle_calls[i].name);
    SECURITY_STATUS status = SaslInitializeSecurityContextW(NULL, NULL, NULL, 0, 0, 0, NULL, 0,
                                                            &made, message(), &attributes, NULL);
    ok(status == SEC_E_INVALID_HANDLE, "no handle at all: %08lx", status);
    status = SaslInitializeSecurityContextW(&none, NULL, NULL, 0, 0, 0, NULL, 0, &made, message(),
                                            &attributes, NULL);
    ok(status == SEC_E_INVALID_HANDLE, "no credential: %08lx", status);
    status = SaslAcceptSecurityContext(&loop.client, NULL, message(), 0, 0, &made, message(),
                                       &attributes, NULL);
    ok(status == SEC_E_INVALID_HANDLE, "a context as a credential: %08lx", status);
    closed("handles");
    expect_invalid(stale, "stale");
}

/* [D lsalogonuser] the other functions of connections are in api_lsa */
static void test_connections(void)
{
    if (!ours_only()) return;
    HANDLE stale = NULL, token = &stale;
    LSA_STRING origin = {4, 4, (char *)"test"};
    TOKEN_SOURCE source = {.SourceName = "test"};
    QUOTA_LIMITS quotas;
    NTSTATUS sub_status;
    void *profile = room;
    ULONG size = 77;
    LUID id;
    LsaConnectUntrusted(&stale);
    LsaDeregisterLogonProcess(stale);
    const HANDLE bad[] = {stale, NULL, INVALID_HANDLE_VALUE, GetCurrentProcess(), &stale};
    for (unsigned i = 0; i < ARRAYSIZE(bad); i++) {
        NTSTATUS status = LsaLogonUser(bad[i], &origin, Network, 0, room, 64, NULL, &source,
                                       &profile, &size, &id, &token, &quotas, &sub_status);
        ok(status == STATUS_INVALID_HANDLE, "%u: %08lx", i, status);
        ok(profile == room && size == 77 && token == &stale, "%u: outputs were written", i);
    }
}

/* ---- descriptors ---- */

static LONG init_in(SecBufferDesc *bad)
{
    return InitializeSecurityContextW(&loop.client_cred, &loop.client, NULL, 0, 0,
                                      SECURITY_NATIVE_DREP, bad, 0, &made, message(), &attributes,
                                      NULL);
}

static LONG init_in_a(SecBufferDesc *bad)
{
    return InitializeSecurityContextA(&loop.client_cred, &loop.client, NULL, 0, 0,
                                      SECURITY_NATIVE_DREP, bad, 0, &made, message(), &attributes,
                                      NULL);
}

static LONG init_out(SecBufferDesc *bad)
{
    return InitializeSecurityContextW(&loop.client_cred, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP,
                                      NULL, 0, &made, bad, &attributes, NULL);
}

static LONG accept_in(SecBufferDesc *bad)
{
    return AcceptSecurityContext(&loop.server_cred, NULL, bad, 0, SECURITY_NATIVE_DREP, &made,
                                 message(), &attributes, NULL);
}

static LONG accept_out(SecBufferDesc *bad)
{
    return AcceptSecurityContext(&loop.server_cred, NULL, message(), 0, SECURITY_NATIVE_DREP, &made,
                                 bad, &attributes, NULL);
}

static LONG sasl_init_out(SecBufferDesc *bad)
{
    return SaslInitializeSecurityContextW(&loop.client_cred, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP,
                                          NULL, 0, &made, bad, &attributes, NULL);
}

static LONG sasl_init_out_a(SecBufferDesc *bad)
{
    return SaslInitializeSecurityContextA(&loop.client_cred, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP,
                                          NULL, 0, &made, bad, &attributes, NULL);
}

static LONG sasl_accept_in(SecBufferDesc *bad)
{
    return SaslAcceptSecurityContext(&loop.server_cred, NULL, bad, 0, SECURITY_NATIVE_DREP, &made,
                                     message(), &attributes, NULL);
}

static LONG complete(SecBufferDesc *bad)
{
    return CompleteAuthToken(&loop.client, bad);
}

static LONG control(SecBufferDesc *bad)
{
    return ApplyControlToken(&loop.client, bad);
}

static LONG sign(SecBufferDesc *bad)
{
    return MakeSignature(&loop.client, 0, bad, 0);
}

static LONG verify(SecBufferDesc *bad)
{
    return VerifySignature(&loop.client, bad, 0, NULL);
}

static LONG encrypt(SecBufferDesc *bad)
{
    return EncryptMessage(&loop.client, 0, bad, 0);
}

static LONG decrypt(SecBufferDesc *bad)
{
    return DecryptMessage(&loop.client, bad, 0, NULL);
}

static LONG identify(SecBufferDesc *bad)
{
    SecPkgInfoW *info = NULL;
    return SaslIdentifyPackageW(bad, &info);
}

static LONG identify_a(SecBufferDesc *bad)
{
    SecPkgInfoA *info = NULL;
    return SaslIdentifyPackageA(bad, &info);
}

static LONG change(SecBufferDesc *bad)
{
    wchar_t text[] = L"text";
    return ChangeAccountPasswordW((wchar_t *)L"NTLM", text, text, text, text, FALSE, 0, bad);
}

static LONG change_a(SecBufferDesc *bad)
{
    char text[] = "text";
    return ChangeAccountPasswordA((char *)"NTLM", text, text, text, text, FALSE, 0, bad);
}

static const struct {
    const char *name;
    LONG (*function)(SecBufferDesc *bad);
} desc_calls[] = {
    {"InitializeSecurityContextW, input", init_in},
    {"InitializeSecurityContextA, input", init_in_a},
    {"InitializeSecurityContextW, output", init_out},
    {"AcceptSecurityContext, input", accept_in},
    {"AcceptSecurityContext, output", accept_out},
    {"SaslInitializeSecurityContextW, output", sasl_init_out},
    {"SaslInitializeSecurityContextA, output", sasl_init_out_a},
    {"SaslAcceptSecurityContext, input", sasl_accept_in},
    {"CompleteAuthToken", complete},
    {"ApplyControlToken", control},
    {"MakeSignature", sign},
    {"VerifySignature", verify},
    {"EncryptMessage", encrypt},
    {"DecryptMessage", decrypt},
    {"SaslIdentifyPackageW", identify},
    {"SaslIdentifyPackageA", identify_a},
    {"ChangeAccountPasswordW", change},
    {"ChangeAccountPasswordA", change_a},
};

/* [H sspi.h] there is version 0 only; the rest cannot be walked, or has not what is asked for */
static void test_descriptors(void)
{
    static SecBuffer empty[2] = {{0, SECBUFFER_EMPTY, NULL}, {0, SECBUFFER_EMPTY, NULL}};
    static SecBuffer lies[2] = {{64, SECBUFFER_TOKEN, NULL}, {64, SECBUFFER_DATA, NULL}};
    static SecBuffer strange[2] = {{16, 0x0fffffff, room}, {16, 0x70000001, room}};
    static const SecBufferDesc bad[] = {
        {1, 2, buffers},
        {0xffffffff, 2, buffers},
        {SECBUFFER_VERSION, 2, NULL},
        {SECBUFFER_VERSION, 0xffffffff, NULL},
        {SECBUFFER_VERSION, 0, NULL},
        {SECBUFFER_VERSION, 0, buffers},
        {SECBUFFER_VERSION, 2, empty},
        {SECBUFFER_VERSION, 2, lies},
        {SECBUFFER_VERSION, 2, strange},
    };
    if (!ours_only() || !opened()) return;
    for (unsigned i = 0; i < ARRAYSIZE(desc_calls); i++) {
        for (unsigned j = 0; j < ARRAYSIZE(bad); j++) {
            SecBufferDesc copy = bad[j];
            message();
            LONG status = desc_calls[i].function(&copy);
            ok(status < 0, "%s, descriptor %u: %08lx", desc_calls[i].name, j, status);
            ok(!memcmp(&copy, &bad[j], sizeof(copy)), "%s, descriptor %u was changed",
               desc_calls[i].name, j);
        }
        LONG status = desc_calls[i].function(NULL);
        ok(status < 0, "%s, NULL: %08lx", desc_calls[i].name, status);
    }
    closed("descriptors");
}

/* ---- memory ---- */

/* api_handles has those for FreeContextBuffer. */
static void test_foreign_memory(void)
{
    if (!ours_only()) return;
    static BYTE fixed[64];
    BYTE stack[64];
    HANDLE heap = HeapCreate(0, 0, 0);
    BYTE *other = HeapAlloc(heap, 0, 64);
    memset(stack, 7, sizeof(stack));
    void *const foreign[] = {fixed + 16, stack + 16, other};
    for (unsigned i = 0; i < ARRAYSIZE(foreign); i++) {
        ok(LsaFreeReturnBuffer(foreign[i]) != 0, "LsaFreeReturnBuffer: buffer %u", i);
        SspiLocalFree(foreign[i]);
    }
    bool same = true;
    for (unsigned i = 0; i < sizeof(stack); i++) same = same && stack[i] == 7;
    ok(same, "somebody's memory was written to");
    ok(HeapFree(heap, 0, other), "another heap's block was freed");
    HeapDestroy(heap);
    ok(HeapValidate(GetProcessHeap(), 0, NULL), "the process heap was hurt");
}

/* ---- both forms ---- */

static LONG error_of(BOOL result)
{
    return result ? 0 : (LONG)GetLastError();
}

/* The same mistake in the forms A and W. */
static void test_same_refusals(void)
{
    void *a = NULL, *w = NULL;
    ULONG size = 0;
    BYTE answer[64];
    if (!opened()) return;
#define BOTH(call_a, call_w)                                                               \
    do {                                                                                   \
        LONG status_a = (call_a), status_w = (call_w);                                     \
        ok(status_a &&status_a == status_w, #call_a ": %08lx, %08lx", status_a, status_w); \
    } while (0)
    BOTH(AcquireCredentialsHandleA(NULL, (char *)"no such", 1, NULL, NULL, NULL, NULL, &made, NULL),
         AcquireCredentialsHandleW(NULL, (wchar_t *)L"no such", 1, NULL, NULL, NULL, NULL, &made,
                                   NULL));
    BOTH(AcquireCredentialsHandleA(NULL, (char *)"NTLM", 0, NULL, NULL, NULL, NULL, &made, NULL),
         AcquireCredentialsHandleW(NULL, (wchar_t *)L"NTLM", 0, NULL, NULL, NULL, NULL, &made,
                                   NULL));
    BOTH(
        AddCredentialsA(&loop.client_cred, NULL, (char *)"no such", 1, NULL, NULL, NULL, NULL),
        AddCredentialsW(&loop.client_cred, NULL, (wchar_t *)L"no such", 1, NULL, NULL, NULL, NULL));
    BOTH(QuerySecurityPackageInfoA((char *)"no such", (SecPkgInfoA **)&a),
         QuerySecurityPackageInfoW((wchar_t *)L"no such", (SecPkgInfoW **)&w));
    BOTH(QueryContextAttributesA(&loop.client, 0x7777, answer),
         QueryContextAttributesW(&loop.client, 0x7777, answer));
    BOTH(SetContextAttributesA(&loop.client, 0x7777, answer, 4),
         SetContextAttributesW(&loop.client, 0x7777, answer, 4));
    BOTH(QueryCredentialsAttributesA(&loop.client_cred, 0x7777, answer),
         QueryCredentialsAttributesW(&loop.client_cred, 0x7777, answer));
    BOTH(SaslGetProfilePackageA((char *)"NO-SUCH", (SecPkgInfoA **)&a),
         SaslGetProfilePackageW((wchar_t *)L"NO-SUCH", (SecPkgInfoW **)&w));
    BOTH(DeleteSecurityPackageA((char *)"no such"), DeleteSecurityPackageW((wchar_t *)L"no such"));
    BOTH(error_of(GetUserNameExA((EXTENDED_NAME_FORMAT)77, (char *)answer, &size)),
         error_of(GetUserNameExW((EXTENDED_NAME_FORMAT)77, (wchar_t *)answer, &size)));
    BOTH(error_of(TranslateNameA("no such", NameSamCompatible, NameDisplay, (char *)answer, &size)),
         error_of(
             TranslateNameW(L"no such", NameSamCompatible, NameDisplay, (wchar_t *)answer, &size)));
    if (running_under_wine()) { /* what Windows says to these is not known */
        SecBuffer blob = {16, SECBUFFER_TOKEN, room};
        BOTH(ImportSecurityContextA((char *)"NTLM", &blob, NULL, &made),
             ImportSecurityContextW((wchar_t *)L"NTLM", &blob, NULL, &made));
        BOTH(ImportSecurityContextA((char *)"no such", &blob, NULL, &made),
             ImportSecurityContextW((wchar_t *)L"no such", &blob, NULL, &made));
        BOTH(change_a(NULL), change(NULL));
        BOTH(AddSecurityPackageA((char *)"no such", NULL),
             AddSecurityPackageW((wchar_t *)L"no such", NULL));
    }
#undef BOTH
    ok(!a && !w, "an output was written");
    closed("both forms");
}

int main(void)
{
    init_user = function_find("sspicli.dll", "SecInitUserModeContext");
    delete_user = function_find("sspicli.dll", "SecDeleteUserModeContext");
    if (!init_user || !delete_user) return 99;
    context_forget(&none);
    RUN(test_handles);
    RUN(test_connections);
    RUN(test_descriptors);
    RUN(test_foreign_memory);
    RUN(test_same_refusals);
    return test_end("api_arguments");
}
