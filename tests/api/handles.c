/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handles that are not what they should be, in every export that takes one: NULL, zero, all
 * ones, garbage, addresses, stale, and of the other kind. The answer is SEC_E_INVALID_HANDLE,
 * [D] on the page of each function; that it comes for every form of a wrong handle, without
 * a crash, is a promise of this project, so these cases are marked as ours where nothing else is
 * said. Also: deletion from many threads, deletion during a call, and the cost of a lookup.
 */
#include "loopback.h"

typedef SECURITY_STATUS(WINAPI *query_ex_fn)(SecHandle *, ULONG, void *, ULONG);

static query_ex_fn query_context_ex_w, query_context_ex_a;
static query_ex_fn query_credentials_ex_w, query_credentials_ex_a;
static SECURITY_STATUS(WINAPI *set_credentials_w)(SecHandle *, ULONG, void *, ULONG);
static SECURITY_STATUS(WINAPI *set_credentials_a)(SecHandle *, ULONG, void *, ULONG);

/* Room and buffers that every call may scribble on. */
static BYTE room[4096];
static SecBuffer buffers[2];
static SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
static CredHandle good_credential;

static SecBufferDesc *message(void)
{
    buffers[0] = (SecBuffer){64, SECBUFFER_TOKEN, room};
    buffers[1] = (SecBuffer){64, SECBUFFER_DATA, room + 64};
    return &desc;
}

static SECURITY_STATUS call_isc_w(SecHandle *handle)
{
    CtxtHandle made;
    ULONG attrs;
    return InitializeSecurityContextW(&good_credential, handle, NULL, 0, 0, SECURITY_NATIVE_DREP,
                                      message(), 0, &made, message(), &attrs, NULL);
}

static SECURITY_STATUS call_isc_a(SecHandle *handle)
{
    CtxtHandle made;
    ULONG attrs;
    return InitializeSecurityContextA(&good_credential, handle, NULL, 0, 0, SECURITY_NATIVE_DREP,
                                      message(), 0, &made, message(), &attrs, NULL);
}

static SECURITY_STATUS call_asc(SecHandle *handle)
{
    CtxtHandle made;
    ULONG attrs;
    return AcceptSecurityContext(&good_credential, handle, message(), 0, SECURITY_NATIVE_DREP,
                                 &made, message(), &attrs, NULL);
}

static SECURITY_STATUS call_export(SecHandle *handle)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    SECURITY_STATUS status = ExportSecurityContext(handle, 0, &packed, NULL);
    if (!status) FreeContextBuffer(packed.pvBuffer);
    return status;
}

static SECURITY_STATUS call_query_token(SecHandle *handle)
{
    HANDLE token;
    SECURITY_STATUS status = QuerySecurityContextToken(handle, &token);
    if (!status) CloseHandle(token);
    return status;
}

/* One line per export: a function of one handle, the rest of its arguments in order. */
#define CALL(name, ...)                                   \
    static SECURITY_STATUS call_##name(SecHandle *handle) \
    {                                                     \
        return __VA_ARGS__;                               \
    }

CALL(complete, CompleteAuthToken(handle, message()))
CALL(delete, DeleteSecurityContext(handle))
CALL(control, ApplyControlToken(handle, message()))
CALL(query_w, QueryContextAttributesW(handle, SECPKG_ATTR_SIZES, room))
CALL(query_a, QueryContextAttributesA(handle, SECPKG_ATTR_SIZES, room))
CALL(set_w, SetContextAttributesW(handle, SECPKG_ATTR_SIZES, room, 16))
CALL(set_a, SetContextAttributesA(handle, SECPKG_ATTR_SIZES, room, 16))
CALL(impersonate, ImpersonateSecurityContext(handle))
CALL(revert, RevertSecurityContext(handle))
CALL(sign, MakeSignature(handle, 0, message(), 0))
CALL(verify, VerifySignature(handle, message(), 0, NULL))
CALL(encrypt, EncryptMessage(handle, 0, message(), 0))
CALL(decrypt, DecryptMessage(handle, message(), 0, NULL))
CALL(query_ex_w, query_context_ex_w(handle, SECPKG_ATTR_SIZES, room, 16))
CALL(query_ex_a, query_context_ex_a(handle, SECPKG_ATTR_SIZES, room, 16))
CALL(free_credentials, FreeCredentialsHandle(handle))
CALL(query_credentials_w, QueryCredentialsAttributesW(handle, SECPKG_CRED_ATTR_NAMES, room))
CALL(query_credentials_a, QueryCredentialsAttributesA(handle, SECPKG_CRED_ATTR_NAMES, room))
CALL(query_credentials_ex_w, query_credentials_ex_w(handle, SECPKG_CRED_ATTR_NAMES, room, 16))
CALL(query_credentials_ex_a, query_credentials_ex_a(handle, SECPKG_CRED_ATTR_NAMES, room, 16))
CALL(set_credentials_w, set_credentials_w(handle, SECPKG_CRED_ATTR_NAMES, room, 16))
CALL(set_credentials_a, set_credentials_a(handle, SECPKG_CRED_ATTR_NAMES, room, 16))
CALL(add_credentials_w, AddCredentialsW(handle, NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND,
                                        NULL, NULL, NULL, NULL))
CALL(add_credentials_a,
     AddCredentialsA(handle, NULL, (char *)"NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL))

static SECURITY_STATUS call_isc_credential(SecHandle *handle)
{
    CtxtHandle made;
    ULONG attrs;
    return InitializeSecurityContextW(handle, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL, 0,
                                      &made, message(), &attrs, NULL);
}

static SECURITY_STATUS call_asc_credential(SecHandle *handle)
{
    CtxtHandle made;
    ULONG attrs;
    return AcceptSecurityContext(handle, NULL, message(), 0, SECURITY_NATIVE_DREP, &made, message(),
                                 &attrs, NULL);
}

static const struct call {
    const char *name;
    SECURITY_STATUS (*function)(SecHandle *handle);
    bool credential, null_is_legal;
} calls[] = {
    {"InitializeSecurityContextW", call_isc_w, false, true},
    {"InitializeSecurityContextA", call_isc_a, false, true},
    {"AcceptSecurityContext", call_asc, false, true},
    {"CompleteAuthToken", call_complete, false, false},
    {"DeleteSecurityContext", call_delete, false, false},
    {"ApplyControlToken", call_control, false, false},
    {"QueryContextAttributesW", call_query_w, false, false},
    {"QueryContextAttributesA", call_query_a, false, false},
    {"QueryContextAttributesExW", call_query_ex_w, false, false},
    {"QueryContextAttributesExA", call_query_ex_a, false, false},
    {"SetContextAttributesW", call_set_w, false, false},
    {"SetContextAttributesA", call_set_a, false, false},
    {"ImpersonateSecurityContext", call_impersonate, false, false},
    {"RevertSecurityContext", call_revert, false, false},
    {"MakeSignature", call_sign, false, false},
    {"VerifySignature", call_verify, false, false},
    {"EncryptMessage", call_encrypt, false, false},
    {"DecryptMessage", call_decrypt, false, false},
    {"ExportSecurityContext", call_export, false, false},
    {"QuerySecurityContextToken", call_query_token, false, false},
    {"FreeCredentialsHandle", call_free_credentials, true, false},
    {"QueryCredentialsAttributesW", call_query_credentials_w, true, false},
    {"QueryCredentialsAttributesA", call_query_credentials_a, true, false},
    {"QueryCredentialsAttributesExW", call_query_credentials_ex_w, true, false},
    {"QueryCredentialsAttributesExA", call_query_credentials_ex_a, true, false},
    {"SetCredentialsAttributesW", call_set_credentials_w, true, false},
    {"SetCredentialsAttributesA", call_set_credentials_a, true, false},
    {"AddCredentialsW", call_add_credentials_w, true, false},
    {"AddCredentialsA", call_add_credentials_a, true, false},
    {"InitializeSecurityContextW (credential)", call_isc_credential, true, false},
    {"AcceptSecurityContext (credential)", call_asc_credential, true, false},
};

#define CALL_COUNT (sizeof(calls) / sizeof(*calls))

static void expect_invalid(const struct call *call, SecHandle *handle, const char *kind)
{
    SecHandle before = handle ? *handle : (SecHandle){0, 0};
    SECURITY_STATUS status = call->function(handle);
    ok(status == SEC_E_INVALID_HANDLE, "%s, %s: %08lx", call->name, kind, status);
    if (handle)
        ok(handle->dwLower == before.dwLower && handle->dwUpper == before.dwUpper,
           "%s, %s: the handle was changed", call->name, kind);
}

static void expect_invalid_everywhere(SecHandle handle, const char *kind)
{
    for (unsigned i = 0; i < CALL_COUNT; i++) expect_invalid(&calls[i], &handle, kind);
}

static void test_null(void)
{
    if (!ours_only()) return;
    for (unsigned i = 0; i < CALL_COUNT; i++)
        if (!calls[i].null_is_legal) expect_invalid(&calls[i], NULL, "NULL");
}

static void test_zero(void)
{
    if (!ours_only()) return;
    expect_invalid_everywhere((SecHandle){0, 0}, "zero");
}

/* SecInvalidateHandle of the SDK makes this one. */
static void test_invalidated(void)
{
    expect_invalid_everywhere((SecHandle){(ULONG_PTR)-1, (ULONG_PTR)-1}, "invalidated");
}

static void test_garbage(void)
{
    if (!ours_only()) return;
    uint64_t random = 0x1234567;
    for (int i = 0; i < 300; i++) {
        SecHandle handle = {(ULONG_PTR)random_next(&random), (ULONG_PTR)random_next(&random)};
        if (i % 3 == 1) handle.dwLower &= 0xfff;
        if (i % 3 == 2) handle.dwUpper &= 0xfff;
        expect_invalid_everywhere(handle, "garbage");
    }
}

static void test_addresses(void)
{
    if (!ours_only()) return;
    ULONG_PTR words[64] = {0};
    for (int i = 0; i < 64; i++) words[i] = (ULONG_PTR)&words[(i + 1) % 64];
    expect_invalid_everywhere((SecHandle){(ULONG_PTR)words, (ULONG_PTR)words}, "address");
    expect_invalid_everywhere((SecHandle){0, (ULONG_PTR)words}, "upper address");
    expect_invalid_everywhere((SecHandle){(ULONG_PTR)words, 0}, "lower address");
}

static void test_stale_context(void)
{
    struct loopback loop;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    SecHandle client = loop.client, server = loop.server;
    loopback_close(&loop);
    /* [WM schannel.c] QueryContextAttributes on a deleted context */
    expect_invalid(&calls[6], &client, "stale client");
    expect_invalid(&calls[6], &server, "stale server");
    if (!running_on_ours()) return;
    expect_invalid_everywhere(client, "stale client");
    expect_invalid_everywhere(server, "stale server");
}

static void test_stale_credential(void)
{
    CredHandle credential;
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL);
    if (!ok(!status, "no credential: %08lx", status)) return;
    ok(FreeCredentialsHandle(&credential) == SEC_E_OK, "not freed");
    if (!running_on_ours()) return;
    expect_invalid_everywhere(credential, "stale credential");
}

static bool acquire(CredHandle *credential)
{
    return !AcquireCredentialsHandleW(NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL,
                                      NULL, NULL, credential, NULL);
}

#define OLD_HANDLES 64
#define NEW_HANDLES 20000 /* enough that whatever the old ones named is in use again */

/* A slot that is in use again must not make an old handle of it valid. */
static void test_stale_after_reuse(void)
{
    if (!ours_only()) return;
    static CredHandle old[OLD_HANDLES], live[NEW_HANDLES];
    unsigned made = 0;
    for (int i = 0; i < OLD_HANDLES; i++) {
        if (!ok(acquire(&old[i]), "no credential")) return;
        FreeCredentialsHandle(&old[i]);
    }
    while (made < NEW_HANDLES && acquire(&live[made])) made++;
    ok(made == NEW_HANDLES, "only %u credentials", made);
    for (int i = 0; i < OLD_HANDLES; i++)
        ok(FreeCredentialsHandle(&old[i]) == SEC_E_INVALID_HANDLE, "old handle %d is alive", i);
    for (unsigned i = 0; i < made; i++)
        ok(FreeCredentialsHandle(&live[i]) == SEC_E_OK, "live handle %u was hurt", i);
}

static void test_wrong_kind(void)
{
    if (!ours_only()) return;
    struct loopback loop;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    for (unsigned i = 0; i < CALL_COUNT; i++) {
        SecHandle wrong = calls[i].credential ? loop.client : loop.client_cred;
        expect_invalid(&calls[i], &wrong, "handle of the other kind");
    }
    /* The words of two live handles put together are not a handle. */
    SecHandle mixed = {loop.client.dwLower, loop.server.dwUpper};
    if (mixed.dwUpper != loop.client.dwUpper) expect_invalid_everywhere(mixed, "mixed words");
    SecHandle swapped = {loop.client.dwUpper, loop.client.dwLower};
    expect_invalid_everywhere(swapped, "swapped words");
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

static bool same_handle(SecHandle a, const SecHandle *b)
{
    return a.dwLower == b->dwLower && a.dwUpper == b->dwUpper;
}

/* Each bit of a live handle changed, and of a credential's as well: unless it is another live
 * handle by chance, it is none. */
static void test_changed_bits(void)
{
    if (!ours_only()) return;
    struct loopback loop;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    const SecHandle *live[] = {&loop.client, &loop.server, &loop.client_cred, &loop.server_cred,
                               &good_credential};
    for (unsigned bit = 0; bit < 16 * sizeof(ULONG_PTR); bit++) {
        for (unsigned i = 0; i < 4; i++) {
            SecHandle changed = *live[i];
            ULONG_PTR flip = (ULONG_PTR)1 << bit / 2;
            if (bit % 2) changed.dwUpper ^= flip;
            else changed.dwLower ^= flip;
            bool other = false;
            for (unsigned k = 0; k < 5; k++) other = other || same_handle(changed, live[k]);
            if (!other) expect_invalid_everywhere(changed, "handle with a bit changed");
        }
    }
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* A client context in AcceptSecurityContext, a server context in InitializeSecurityContext. */
static void test_wrong_role(void)
{
    struct loopback loop;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    status = call_asc(&loop.client);
    ok(status < 0, "a client context accepted: %08lx", status);
    status = call_isc_w(&loop.server);
    ok(status < 0, "a server context initialised: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

static void test_double_delete(void)
{
    struct loopback loop;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    SecHandle client = loop.client;
    ok(DeleteSecurityContext(&client) == SEC_E_OK, "first delete");
    ok(DeleteSecurityContext(&client) == SEC_E_INVALID_HANDLE, "second delete");
    context_forget(&loop.client);
    SecHandle credential = loop.client_cred;
    loopback_close(&loop);
    ok(FreeCredentialsHandle(&credential) == SEC_E_INVALID_HANDLE, "second free");
}

/* ours: memory that never came from a package is refused */
static void test_foreign_buffers(void)
{
    if (!ours_only()) return;
    static BYTE fixed[64];
    BYTE stack[64];
    HANDLE heap = HeapCreate(0, 0, 0);
    BYTE *other = HeapAlloc(heap, 0, 64);
    void *const foreign[] = {fixed + 16, stack + 16, (void *)(ULONG_PTR)call_delete, other};
    for (unsigned i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
        SECURITY_STATUS status = FreeContextBuffer(foreign[i]);
        ok(status < 0, "buffer %u: %08lx", i, status);
    }
    ok(HeapFree(heap, 0, other), "another heap's block was freed");
    HeapDestroy(heap);
    ok(HeapValidate(GetProcessHeap(), 0, NULL), "the process heap was hurt");
}

struct race {
    SecHandle handle;
    volatile LONG go, winners, others;
    bool credential;
};

static DWORD WINAPI race_to_delete(void *argument)
{
    struct race *race = argument;
    SecHandle handle = race->handle;
    while (!race->go) YieldProcessor();
    SECURITY_STATUS status = race->credential ? FreeCredentialsHandle(&handle)
                                              : DeleteSecurityContext(&handle);
    if (status == SEC_E_OK) InterlockedIncrement(&race->winners);
    else if (status != SEC_E_INVALID_HANDLE) InterlockedIncrement(&race->others);
    return 0;
}

static void run_delete_race(SecHandle handle, bool credential)
{
    struct race race = {.handle = handle, .credential = credential};
    HANDLE threads[4];
    for (int i = 0; i < 4; i++) threads[i] = CreateThread(NULL, 0, race_to_delete, &race, 0, NULL);
    race.go = 1;
    WaitForMultipleObjects(4, threads, TRUE, INFINITE);
    for (int i = 0; i < 4; i++) CloseHandle(threads[i]);
    ok(race.winners == 1, "%ld threads deleted one handle", race.winners);
    ok(race.others == 0, "%ld threads saw another status", race.others);
}

static void test_delete_race(void)
{
    for (int i = 0; i < 100; i++) {
        struct loopback loop;
        if (!ok(!loopback_make(&loop, L"NTLM", NULL), "no contexts")) return;
        SecHandle client = loop.client, credential = loop.client_cred;
        run_delete_race(client, false);
        run_delete_race(credential, true);
        DeleteSecurityContext(&loop.server);
        FreeCredentialsHandle(&loop.server_cred);
    }
}

struct signer {
    CtxtHandle context;
    volatile LONG signed_count, refused, others;
};

static DWORD WINAPI sign_until_refused(void *argument)
{
    struct signer *signer = argument;
    struct message text;
    for (;;) {
        SecBuffer parts[2] = {{64, SECBUFFER_TOKEN, text.token}, {16, SECBUFFER_DATA, text.data}};
        SecBufferDesc list = {SECBUFFER_VERSION, 2, parts};
        SECURITY_STATUS status = MakeSignature(&signer->context, 0, &list, 0);
        if (status == SEC_E_OK) {
            InterlockedIncrement(&signer->signed_count);
            continue;
        }
        if (status == SEC_E_INVALID_HANDLE) InterlockedIncrement(&signer->refused);
        else InterlockedIncrement(&signer->others);
        return 0;
    }
}

/* The context goes away under threads that use it: each call works or is refused. */
static void test_delete_while_signing(void)
{
    if (!ours_only()) return;
    LONG signatures = 0;
    for (int i = 0; i < 50; i++) {
        struct loopback loop;
        if (!ok(!loopback_make(&loop, L"NTLM", NULL), "no contexts")) return;
        struct signer signer = {.context = loop.client};
        HANDLE threads[3];
        for (int j = 0; j < 3; j++)
            threads[j] = CreateThread(NULL, 0, sign_until_refused, &signer, 0, NULL);
        while (signer.signed_count < 20 + i) SwitchToThread();
        ok(DeleteSecurityContext(&loop.client) == SEC_E_OK, "delete failed");
        DWORD waited = WaitForMultipleObjects(3, threads, TRUE, 10000);
        ok(waited != WAIT_TIMEOUT, "threads still sign after the context was deleted");
        for (int j = 0; j < 3; j++) CloseHandle(threads[j]);
        ok(signer.refused == 3 && !signer.others, "%ld refused, %ld other statuses", signer.refused,
           signer.others);
        signatures += signer.signed_count;
        context_forget(&loop.client);
        loopback_close(&loop);
    }
    ok(signatures >= 50 * 20, "only %ld signatures", signatures);
}

/* [CI] one credential in several threads at once */
static DWORD WINAPI shake_hands(void *argument)
{
    struct loopback *shared = argument;
    for (int i = 0; i < 100; i++) {
        struct loopback own = *shared;
        context_forget(&own.client);
        context_forget(&own.server);
        if (loopback_connect(&own) || !contexts_talk(&own.client, &own.server)) return 1;
        if (DeleteSecurityContext(&own.client) || DeleteSecurityContext(&own.server)) return 1;
    }
    return 0;
}

static void test_credential_in_threads(void)
{
    static struct loopback shared;
    if (!ok(!loopback_open(&shared, L"NTLM", NULL), "no credentials")) return;
    HANDLE threads[4];
    for (int i = 0; i < 4; i++) threads[i] = CreateThread(NULL, 0, shake_hands, &shared, 0, NULL);
    WaitForMultipleObjects(4, threads, TRUE, INFINITE);
    for (int i = 0; i < 4; i++) {
        DWORD code = 1;
        GetExitCodeThread(threads[i], &code);
        ok(code == 0, "thread %d failed", i);
        CloseHandle(threads[i]);
    }
    loopback_close(&shared);
}

#define SAMPLE 1000u

/* Nanoseconds per query of SAMPLE contexts, taken from all over the array in no order. The sample
 * has the same size whatever the count, so that memory caches do not come into it. */
static double query_cost(const CtxtHandle *contexts, ULONG count)
{
    uint64_t random = 99;
    SecPkgContext_Sizes sizes;
    CtxtHandle sample[SAMPLE];
    const unsigned rounds = 300;
    for (unsigned i = 0; i < SAMPLE; i++) sample[i] = contexts[random_next(&random) % count];
    double start = 0;
    for (unsigned i = 0; i <= rounds; i++) {
        if (i == 1) start = time_ms(); /* the first round brings them into the caches */
        for (unsigned j = 0; j < SAMPLE; j++)
            QueryContextAttributesW(&sample[j], SECPKG_ATTR_SIZES, &sizes);
    }
    return (time_ms() - start) * 1e6 / rounds / SAMPLE;
}

static CtxtHandle *make_contexts(CredHandle *credential, ULONG count)
{
    CtxtHandle *contexts = HeapAlloc(GetProcessHeap(), 0, count * sizeof(*contexts));
    for (ULONG i = 0; contexts && i < count; i++) {
        SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
        SecBufferDesc list = {SECBUFFER_VERSION, 1, &out};
        ULONG attrs;
        if (InitializeSecurityContextW(credential, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL, 0,
                                       &contexts[i], &list, &attrs, NULL) < 0) {
            HeapFree(GetProcessHeap(), 0, contexts);
            return NULL;
        }
    }
    return contexts;
}

/* The contexts of prov_lsa are small, so the handles are what is measured. */
static void test_million_contexts(void)
{
    if (!ours_only()) return;
    const ULONG few = SAMPLE, many = 1000000;
    wchar_t path[MAX_PATH];
    CredHandle credential;
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options)};
    if (!ok(program_folder(path, MAX_PATH - 16), "no program folder")) return;
    lstrcatW(path, L"prov_lsa.dll");
    SECURITY_STATUS status = AddSecurityPackageW(path, &options);
    if (!ok(!status, "adding %ls: %08lx", path, status)) return;
    status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"TestOne", SECPKG_CRED_OUTBOUND, NULL,
                                       NULL, NULL, NULL, &credential, NULL);
    if (!ok(!status, "no credential: %08lx", status)) return;

    CtxtHandle *contexts = make_contexts(&credential, many);
    if (!ok(contexts != NULL, "a million contexts could not be made")) return;
    double cost_many = query_cost(contexts, many);
    unsigned wrong = 0;
    for (ULONG i = few; i < many; i++) wrong += DeleteSecurityContext(&contexts[i]) != SEC_E_OK;
    ok(wrong == 0, "%u contexts could not be deleted", wrong);
    double cost_few = query_cost(contexts, few);
    for (ULONG i = 0; i < few; i++) wrong += DeleteSecurityContext(&contexts[i]) != SEC_E_OK;
    for (ULONG i = 0; i < many; i++) wrong += DeleteSecurityContext(&contexts[i]) == SEC_E_OK;
    ok(wrong == 0, "%u contexts were deleted twice", wrong);
    printf("  a query takes %.0f ns among %lu contexts, %.0f ns among %lu\n", cost_few, few,
           cost_many, many);
    /* No figure is asserted; what grows with the number of contexts would be far above this. */
    ok(cost_many < 10 * cost_few + 1000, "the lookup grows with the number of contexts");
    HeapFree(GetProcessHeap(), 0, contexts);
    ok(FreeCredentialsHandle(&credential) == SEC_E_OK, "credential not freed");
}

static bool find_exports(void)
{
    query_context_ex_w = function_find("sspicli.dll", "QueryContextAttributesExW");
    query_context_ex_a = function_find("sspicli.dll", "QueryContextAttributesExA");
    query_credentials_ex_w = function_find("sspicli.dll", "QueryCredentialsAttributesExW");
    query_credentials_ex_a = function_find("sspicli.dll", "QueryCredentialsAttributesExA");
    set_credentials_w = function_find("secur32.dll", "SetCredentialsAttributesW");
    set_credentials_a = function_find("secur32.dll", "SetCredentialsAttributesA");
    return query_context_ex_w && query_context_ex_a && query_credentials_ex_w &&
           query_credentials_ex_a && set_credentials_w && set_credentials_a;
}

static void test_exports_are_there(void)
{
    ok(find_exports(), "an export that takes a handle is missing");
}

int main(void)
{
    RUN(test_exports_are_there);
    if (!find_exports()) return test_end("api_handles");
    AcquireCredentialsHandleW(NULL, (wchar_t *)L"NTLM", SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL,
                              &good_credential, NULL);
    RUN(test_null);
    RUN(test_zero);
    RUN(test_invalidated);
    RUN(test_garbage);
    RUN(test_addresses);
    RUN(test_stale_context);
    RUN(test_stale_credential);
    RUN(test_stale_after_reuse);
    RUN(test_wrong_kind);
    RUN(test_changed_bits);
    RUN(test_wrong_role);
    RUN(test_double_delete);
    RUN(test_foreign_buffers);
    RUN(test_delete_race);
    RUN(test_delete_while_signing);
    RUN(test_credential_in_threads);
    RUN(test_million_contexts);
    FreeCredentialsHandle(&good_credential);
    return test_end("api_handles");
}
