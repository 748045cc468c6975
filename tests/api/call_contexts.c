/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions around calls and their contexts that few programs know: SeciAllocateAndSetIPAddress
 * and its kin, the user half of a context (ntsecpkg.h), CompleteAuthToken, ApplyControlToken, and
 * whom RevertSecurityContext makes of a thread.
 */
#include "loopback.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static LONG(WINAPI *set_address)(BYTE *, ULONG, BOOL *);
static LONG(WINAPI *set_target)(BYTE *, ULONG, wchar_t *, BOOL *);
static void(WINAPI *free_context)(void);
static LONG(WINAPI *init_user)(CtxtHandle *, SecBuffer *);
static LONG(WINAPI *delete_user)(CtxtHandle *);

static BYTE address[16] = {2, 0, 0x1f, 0x90, 127, 0, 0, 1}; /* a SOCKADDR_IN */
static struct loopback loop;

static bool find_all(void)
{
    set_address = function_find("sspicli.dll", "SeciAllocateAndSetIPAddress");
    set_target = function_find("sspicli.dll", "SeciAllocateAndSetCallTarget");
    free_context = function_find("sspicli.dll", "SeciFreeCallContext");
    init_user = function_find("sspicli.dll", "SecInitUserModeContext");
    delete_user = function_find("sspicli.dll", "SecDeleteUserModeContext");
    return set_address && set_target && free_context && init_user && delete_user;
}

static bool connected(const wchar_t *package)
{
    SECURITY_STATUS status = loopback_make(&loop, package, NULL);
    return ok(!status, "%ls: %08lx", package, status);
}

/* ---- call contexts ---- */

/* [D SeciAllocateAndSetIPAddress, SeciFreeCallContext] */
static void test_address(void)
{
    BOOL must_free = FALSE;
    LONG status = set_address(address, sizeof(address), &must_free);
    ok(!status && must_free, "first: %08lx, %d", status, must_free);
    if (!ok(!loopback_open(&loop, L"NTLM", NULL), "no credentials")) return;
    loop.token_size = 5;
    memcpy(loop.token, "bogus", 5);
    ok(loopback_server_leg(&loop) < 0, "accepted"); /* traces.sh looks for the record of this */
    loopback_close(&loop);
    if (!connected(L"NTLM")) return;
    loopback_close(&loop);
    free_context();
    status = set_address(address, sizeof(address), &must_free);
    ok(!status && must_free, "after it was freed: %08lx, %d", status, must_free);
    free_context();
}

static void test_address_ours(void)
{
    BYTE large[129] = {2};
    BOOL must_free = 7;
    if (!ours_only()) return;
    ok(set_address(NULL, sizeof(address), &must_free) == SEC_E_INVALID_PARAMETER, "no address");
    ok(set_address(address, 0, &must_free) == SEC_E_INVALID_PARAMETER, "no size");
    ok(set_address(large, sizeof(large), &must_free) == SEC_E_INVALID_PARAMETER, "too large");
    ok(set_address(address, sizeof(address), NULL) == SEC_E_INVALID_PARAMETER, "no answer");
    ok(set_target(NULL, 0, NULL, &must_free) == SEC_E_INVALID_PARAMETER, "nothing");
    ok(must_free == 7, "an error has an answer");

    ok(!set_target(NULL, 0, (wchar_t *)L"HTTP/host", &must_free) && must_free == TRUE, "target");
    ok(!set_address(address, sizeof(address), &must_free) && !must_free, "there is one already");
    ok(!set_target(address, sizeof(address), (wchar_t *)L"HTTP/host", &must_free) && !must_free,
       "both");
    free_context();
    free_context(); /* nothing is left, and nothing happens */
    ok(!set_address(address, sizeof(address), &must_free) && must_free == TRUE, "anew");
    free_context();
}

static DWORD WINAPI thread_without_free(void *argument)
{
    BOOL must_free = FALSE;
    (void)argument;
    return set_target(address, sizeof(address), (wchar_t *)L"HTTP/host", &must_free) || !must_free;
}

/* Each thread has its own, also while this one has one. */
static void test_threads(void)
{
    BOOL must_free = FALSE;
    ok(!set_address(address, sizeof(address), &must_free) && must_free, "here");
    for (int i = 0; i < 50; i++) {
        DWORD code = 1;
        HANDLE thread = CreateThread(NULL, 0, thread_without_free, NULL, 0, NULL);
        WaitForSingleObject(thread, INFINITE);
        GetExitCodeThread(thread, &code);
        ok(!code, "thread %d finds one", i);
        CloseHandle(thread);
    }
    free_context();
}

/* ---- user halves ---- */

/* ours: what ntsecpkg.h declares has no documentation */
static void test_user_half(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    if (!ours_only()) return;
    for (int i = 0; i < 2; i++) {
        SecBuffer none = {0, SECBUFFER_TOKEN, NULL}, some = {4, SECBUFFER_TOKEN, "data"};
        SecPkgContext_Sizes sizes;
        if (!connected(packages[i])) continue;
        ok(init_user(&loop.server, &none) == SEC_E_OK, "%ls: nothing fed", packages[i]);
        ok(init_user(&loop.server, &some) == SEC_E_OK, "%ls: fed", packages[i]);
        ok(contexts_talk(&loop.client, &loop.server), "%ls: messages fail", packages[i]);

        ok(delete_user(&loop.server) == SEC_E_OK, "%ls: not deleted", packages[i]);
        struct message message;
        message_set(&message, "text", 4);
        ok(message_seal(&loop.server, &message) == SEC_E_INVALID_HANDLE, "sealed without");
        HANDLE token = NULL;
        ok(QuerySecurityContextToken(&loop.server, &token) == SEC_E_INVALID_HANDLE && !token,
           "a token without");
        static struct blob blob;
        ok(context_export(&loop.server, 0, &blob, NULL) == SEC_E_INVALID_HANDLE, "exported");
        ok(delete_user(&loop.server) == SEC_E_INVALID_HANDLE, "deleted twice");
        ok(init_user(&loop.server, &none) == SEC_E_OK, "%ls: not fed again", packages[i]);
        ok(QueryContextAttributesW(&loop.server, SECPKG_ATTR_SIZES, &sizes) == SEC_E_OK, "sizes");
        ok(contexts_talk(&loop.client, &loop.server), "%ls: messages fail then", packages[i]);
        loopback_close(&loop);
    }
}

/* An imported context is a user half and nothing else. */
static void test_imported(void)
{
    static struct blob blob;
    SecBuffer none = {0, SECBUFFER_TOKEN, NULL};
    SecPkgContext_Sizes sizes;
    CtxtHandle imported;
    if (!ours_only() || !connected(L"NTLM")) return;
    ok(!context_export(&loop.server, 0, &blob, NULL), "export");
    ok(!context_import(L"NTLM", blob.bytes, blob.size, &imported), "import");
    ok(init_user(&imported, &none) == SEC_E_INVALID_HANDLE, "there is nothing to feed it from");
    ok(delete_user(&imported) == SEC_E_OK, "not deleted");
    ok(QueryContextAttributesW(&imported, SECPKG_ATTR_SIZES, &sizes) == SEC_E_INVALID_HANDLE,
       "it answers");
    ok(delete_user(&imported) == SEC_E_INVALID_HANDLE, "deleted twice");
    ok(DeleteSecurityContext(&imported) == SEC_E_OK, "the handle is gone, too");
    loopback_close(&loop);
}

static void test_user_half_errors(void)
{
    SecBuffer none = {0, SECBUFFER_TOKEN, NULL}, broken = {4, SECBUFFER_TOKEN, NULL};
    if (!ours_only() || !connected(L"NTLM")) return;
    CtxtHandle stale = {0, 0};
    ok(init_user(NULL, &none) == SEC_E_INVALID_HANDLE, "init: NULL");
    ok(init_user(&stale, &none) == SEC_E_INVALID_HANDLE, "init: stale");
    ok(init_user(&loop.server_cred, &none) == SEC_E_INVALID_HANDLE, "init: a credential");
    ok(init_user(&loop.server, NULL) == SEC_E_INVALID_PARAMETER, "init: no buffer");
    ok(init_user(&loop.server, &broken) == SEC_E_INVALID_PARAMETER, "init: a broken buffer");
    ok(delete_user(NULL) == SEC_E_INVALID_HANDLE, "delete: NULL");
    ok(delete_user(&stale) == SEC_E_INVALID_HANDLE, "delete: stale");
    ok(contexts_talk(&loop.client, &loop.server), "messages fail");
    loopback_close(&loop);
}

/* ---- tokens of a handshake ---- */

/* [W8 schannel.c:1839-1843] for the first two; [D CompleteAuthToken]: only Digest has it */
static void test_tokens(void)
{
    SecBuffer buffer = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &buffer};
    if (!connected(L"NTLM")) return;
    ok(ApplyControlToken(NULL, &desc) == SEC_E_INVALID_HANDLE, "control: no context");
    ok(ApplyControlToken(&loop.client, NULL) == SEC_E_INTERNAL_ERROR, "control: no token");
    SECURITY_STATUS status = ApplyControlToken(&loop.client, &desc);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "control: %08lx", status);
    status = CompleteAuthToken(&loop.server, &desc);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "complete: %08lx", status);
    if (running_on_ours()) {
        ok(CompleteAuthToken(NULL, &desc) == SEC_E_INVALID_HANDLE, "complete: no context");
        ok(CompleteAuthToken(&loop.server, NULL) == SEC_E_INVALID_TOKEN, "complete: no token");
    }
    loopback_close(&loop);
}

/* ---- impersonation ---- */

static bool thread_has_token(void)
{
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return false;
    CloseHandle(token);
    return true;
}

/* [D ImpersonateSecurityContext, RevertSecurityContext, QuerySecurityContextToken] a server's
 * context that is complete; reverting ends in the thread's own identity */
static void test_impersonation(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    for (int i = 0; i < 2; i++) {
        if (!connected(packages[i])) continue;
        ok(RevertSecurityContext(&loop.server) == SEC_E_OK, "%ls: nothing to revert", packages[i]);
        ok(ImpersonateSecurityContext(&loop.server) == SEC_E_OK, "%ls: once", packages[i]);
        ok(ImpersonateSecurityContext(&loop.server) == SEC_E_OK, "%ls: twice", packages[i]);
        ok(thread_has_token(), "%ls: no token", packages[i]);
        ok(RevertSecurityContext(&loop.server) == SEC_E_OK, "%ls: revert", packages[i]);
        ok(!thread_has_token(), "%ls: one revert is not enough", packages[i]);

        HANDLE token = NULL;
        CtxtHandle none = {0, 0};
        ok(ImpersonateSecurityContext(&loop.client) < 0, "%ls: a client", packages[i]);
        ok(QuerySecurityContextToken(&loop.client, &token) < 0 && !token, "a client's token");
        ok(ImpersonateSecurityContext(&none) == SEC_E_INVALID_HANDLE, "no context");
        ok(RevertSecurityContext(&none) == SEC_E_INVALID_HANDLE, "revert: no context");
        ok(ImpersonateSecurityContext(&loop.server_cred) == SEC_E_INVALID_HANDLE, "a credential");
        ok(!thread_has_token(), "%ls: impersonating", packages[i]);
        loopback_close(&loop);

        ok(!loopback_open(&loop, packages[i], NULL), "open");
        ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client's leg");
        ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server's leg");
        ok(ImpersonateSecurityContext(&loop.server) == SEC_E_INVALID_HANDLE, "half open");
        ok(QuerySecurityContextToken(&loop.server, &token) == SEC_E_INVALID_HANDLE && !token,
           "half open: a token");
        ok(!thread_has_token(), "%ls: half open: impersonating", packages[i]);
        loopback_close(&loop);
    }
}

/* ---- packages ---- */

/* Of SecCacheSspiPackages, and what follows it, only the names are public. */
static void test_names_only(void)
{
    LONG(WINAPI * cache)(void) = function_find("sspicli.dll", "SecCacheSspiPackages");
    LONG(WINAPI * flags)
    (ULONG, BOOL *) = function_find("sspicli.dll", "SeciAllocateAndSetCallFlags");
    BOOL must_free = 7;
    if (!ours_only()) return;
    ok(cache() == SEC_E_OK, "the cache is not up to date");
    ok(flags(1, &must_free) == SEC_E_UNSUPPORTED_FUNCTION && must_free == 7, "flags were set");
}

int main(void)
{
    if (!find_all()) {
        printf("skip all: this Windows lacks some of the functions\n");
        printf("api_call_contexts: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_address);
    RUN(test_address_ours);
    RUN(test_threads);
    RUN(test_user_half);
    RUN(test_imported);
    RUN(test_user_half_errors);
    RUN(test_tokens);
    RUN(test_impersonation);
    RUN(test_names_only);
    return test_end("api_call_contexts");
}
