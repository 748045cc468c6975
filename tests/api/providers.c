/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosting of provider modules that do what they should: the list of the registry, SSP/APs with
 * their two halves. Each case sets the registry values and runs its
 * second half in a child of this program. Windows loads such modules into another process and at
 * boot only: all cases here are ours. The contract that the modules under tests/providers check
 * is the published one. Modules that misbehave: api_hostile; of the older kinds: api_older.
 */
#include "../providers/prov_lsa.h"
#include "hosting_checks.h"
#include "loopback.h"
#include "ssp/message_context.h"

static struct loopback loop;

/* ---- in the child ---- */

static struct prov_counters *counters(void)
{
    prov_counters_get_fn get = function_find("prov_lsa.dll", "prov_counters_get");
    return get();
}

static void expect_nothing_left(void)
{
    struct prov_counters *now = counters();
    ok(now->lsa_contexts == 0, "%ld contexts of the LSA half are left", now->lsa_contexts);
    ok(now->user_contexts == 0, "%ld contexts of the user half are left", now->user_contexts);
    ok(now->credentials == 0, "%ld credentials are left", now->credentials);
    ok(now->faults == 0, "the module was called wrongly %ld times, last in its line %ld",
       now->faults, now->last_fault);
}

static void child_listed(void)
{
    static const wchar_t *const names[] = {L"TestOne",  L"TestTwo",     L"TestEmptyExport",
                                           L"TestSspi", L"TestSspiTwo", L"NTLM"};
    for (int i = 0; i < 6; i++) expect_listed(names[i], 1);
    SecPkgInfoW *info;
    /* First registration wins: prov_sspi brings an NTLM too. */
    if (ok(!QuerySecurityPackageInfoW((wchar_t *)L"NTLM", &info), "no NTLM")) {
        ok(!lstrcmpW(info->Comment, L"NTLM Security Package"), "NTLM is \"%ls\"", info->Comment);
        FreeContextBuffer(info);
    }
    if (ok(!QuerySecurityPackageInfoW((wchar_t *)L"TestTwo", &info), "no TestTwo")) {
        ok(!lstrcmpW(info->Comment, L"Test package two"), "comment %ls", info->Comment);
        ok(info->cbMaxToken == PROV_TOKEN_SIZE, "max token %lu", info->cbMaxToken);
        ok(info->wRPCID == SECPKG_ID_NONE, "RPC id %u", info->wRPCID);
        FreeContextBuffer(info);
    }
    expect_ntlm_works();
}

/* What was listed once is listed again without loading the modules */
static void child_lazy(void)
{
    expect_listed(L"TestOne", 1);
    expect_listed(L"TestSspi", 1);
    ok(!GetModuleHandleW(L"prov_lsa.dll"), "listing loaded prov_lsa.dll");
    ok(!GetModuleHandleW(L"prov_sspi.dll"), "listing loaded prov_sspi.dll");
    SECURITY_STATUS status = loopback_make(&loop, L"TestOne", NULL);
    if (!ok(!status, "TestOne: %08lx", status)) return;
    ok(GetModuleHandleW(L"prov_lsa.dll") != NULL, "prov_lsa.dll is not loaded");
    ok(!GetModuleHandleW(L"prov_sspi.dll"), "prov_sspi.dll was loaded as well");
    loopback_close(&loop);
}

static void child_handshakes(void)
{
    static const wchar_t *const names[] = {L"TestOne", L"TestTwo", L"TestEmptyExport"};
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 10; j++) {
            SECURITY_STATUS status = loopback_make(&loop, names[i], NULL);
            if (!ok(!status, "%ls: %08lx", names[i], status)) return;
            ok(contexts_talk(&loop.client, &loop.server), "%ls does not talk", names[i]);
            ok(counters()->lsa_contexts == 2 && counters()->user_contexts == 2,
               "%ls: %ld and %ld contexts", names[i], counters()->lsa_contexts,
               counters()->user_contexts);
            loopback_close(&loop);
        }
    }
    ok(counters()->initialized == 3, "%ld packages were initialised", counters()->initialized);

    /* A half-open one has no user half; deleting it must not ask for one. */
    SECURITY_STATUS status = loopback_open(&loop, L"TestTwo", NULL);
    ok(!status, "no credentials: %08lx", status);
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    struct message text;
    message_set(&text, "text", 4);
    ok(message_sign(&loop.client, &text) < 0, "a half-open context signs");
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    ok(ExportSecurityContext(&loop.client, 0, &packed, NULL) < 0, "a half-open context exports");
    loopback_close(&loop);
    expect_nothing_left();
}

static void child_attributes(void)
{
    SECURITY_STATUS status = loopback_make(&loop, L"TestOne", NULL);
    if (!ok(!status, "TestOne: %08lx", status)) return;
    SecPkgContext_NamesW wide = {NULL};
    SecPkgContext_NamesA narrow = {NULL};
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &wide);
    if (ok(!status, "names W: %08lx", status)) {
        ok(!lstrcmpW(wide.sUserName, L"TEST\\user"), "names W: %ls", wide.sUserName);
        ok(!FreeContextBuffer(wide.sUserName), "names W: not freed");
    }
    status = QueryContextAttributesA(&loop.server, SECPKG_ATTR_NAMES, &narrow);
    if (ok(!status, "names A: %08lx", status)) {
        ok(!strcmp(narrow.sUserName, "TEST\\user"), "names A: %s", narrow.sUserName);
        ok(!FreeContextBuffer(narrow.sUserName), "names A: not freed");
    }
    /* The module's ContextThunks send this one to the LSA half. */
    SecPkgContext_Lifespan span = {{.QuadPart = 0}, {.QuadPart = 0}};
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_LIFESPAN, &span);
    ok(!status && span.tsStart.QuadPart == 11 && span.tsExpiry.QuadPart == 22, "lifespan: %08lx",
       status);
    ULONG value = 0x1234567;
    status = SetContextAttributesW(&loop.server, PROV_SET_ATTRIBUTE, &value, sizeof(value));
    ok(status == SEC_E_OK, "set: %08lx", status);
    SecPkgContext_Flags flags = {0};
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_FLAGS, &flags);
    ok(!status && flags.Flags == value, "flags: %08lx, %lx", status, flags.Flags);
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_STREAM_SIZES, &span);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "stream sizes: %08lx", status);

    HANDLE token = NULL;
    status = QuerySecurityContextToken(&loop.server, &token);
    ok(!status && token, "token: %08lx", status);
    if (token) ok(CloseHandle(token), "token not closed");
    ok(ImpersonateSecurityContext(&loop.server) == SEC_E_OK, "not impersonated");
    ok(RevertSecurityContext(&loop.server) == SEC_E_OK, "not reverted");
    SecBuffer part = {4, SECBUFFER_TOKEN, &value};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &part};
    ok(CompleteAuthToken(&loop.server, &desc) == SEC_E_OK, "not completed");
    loopback_close(&loop);
    expect_nothing_left();
}

static SECURITY_STATUS acquire(const wchar_t *principal, const wchar_t *package, void *auth,
                               CredHandle *made)
{
    return AcquireCredentialsHandleW((wchar_t *)principal, (wchar_t *)package, SECPKG_CRED_BOTH,
                                     NULL, auth, NULL, NULL, made, NULL);
}

static void child_credentials(void)
{
    CredHandle made = {0, 0};
    ULONG bad = 0xdead, good = 7;
    SECURITY_STATUS status = acquire(NULL, L"TestOne", &bad, &made);
    ok(status == SEC_E_LOGON_DENIED, "STATUS_LOGON_FAILURE became %08lx", status);
    status = acquire(L"nobody", L"TestOne", NULL, &made);
    ok(status == SEC_E_NO_CREDENTIALS, "STATUS_NO_SUCH_LOGON_SESSION became %08lx", status);
    ok(!made.dwLower && !made.dwUpper, "a handle was returned");
    status = acquire(L"somebody", L"TestTwo", &good, &made);
    if (!ok(status == SEC_E_OK, "somebody: %08lx", status)) return;
    SecPkgCredentials_NamesW names = {NULL};
    status = QueryCredentialsAttributesW(&made, SECPKG_CRED_ATTR_NAMES, &names);
    if (ok(!status && names.sUserName, "names: %08lx", status)) {
        ok(!lstrcmpW(names.sUserName, L"TEST\\credential"), "names: %ls", names.sUserName);
        ok(!FreeContextBuffer(names.sUserName), "names: not freed");
    }
    SECURITY_STATUS(WINAPI * set)(CredHandle *, ULONG, void *, ULONG);
    set = function_find("secur32.dll", "SetCredentialsAttributesW");
    status = set(&made, PROV_SET_ATTRIBUTE, &good, sizeof(good));
    ok(status == SEC_E_OK, "set: %08lx", status);
    SecPkgCredentials_NamesW wide = {(wchar_t *)PROV_SET_NAME};
    SecPkgCredentials_NamesA narrow = {(char *)"TEST\\other"};
    status = set(&made, SECPKG_CRED_ATTR_NAMES, &wide, sizeof(wide));
    ok(status == SEC_E_OK, "set name: %08lx", status);
    status = set(&made, SECPKG_CRED_ATTR_NAMES, &narrow, sizeof(narrow));
    ok(status == SEC_E_INVALID_PARAMETER, "set name, wrong form: %08lx", status);
    set = function_find("secur32.dll", "SetCredentialsAttributesA");
    status = set(&made, SECPKG_CRED_ATTR_NAMES, &narrow, sizeof(narrow));
    ok(status == SEC_E_OK, "set name, A: %08lx", status);
    status = AddCredentialsW(&made, NULL, (wchar_t *)L"TestTwo", SECPKG_CRED_OUTBOUND, NULL, NULL,
                             NULL, NULL);
    ok(status == SEC_E_OK, "add: %08lx", status);
    ok(counters()->credentials == 1, "%ld credentials", counters()->credentials);
    ok(FreeCredentialsHandle(&made) == SEC_E_OK, "not freed");
    expect_nothing_left();
}

static void child_export(void)
{
    static struct blob blob;
    SECURITY_STATUS status = loopback_make(&loop, L"TestOne", NULL);
    if (!ok(!status, "TestOne: %08lx", status)) return;
    ok(contexts_talk(&loop.client, &loop.server), "before");
    HANDLE token = NULL;
    status = context_export(&loop.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, &token);
    ok(!status && blob.size > 48, "export: %08lx, %lu bytes", status, blob.size);
    ok(token && CloseHandle(token), "no token to close");
    ok(DeleteSecurityContext(&loop.server) == SEC_E_INVALID_HANDLE, "the old context is alive");
    context_forget(&loop.server);
    ok(counters()->lsa_contexts == 1 && counters()->user_contexts == 1, "the old halves are alive");

    CtxtHandle imported = {0, 0};
    status = context_import(L"TestTwo", blob.bytes, blob.size, &imported);
    ok(status == SEC_E_INVALID_TOKEN, "another package of the module: %08lx", status);
    status = context_import(L"TestEmptyExport", blob.bytes, blob.size, &imported);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "a package without import: %08lx", status);
    status = context_import(L"TestOne", blob.bytes, blob.size, &imported);
    if (!ok(status == SEC_E_OK, "import: %08lx", status)) return;
    ok(contexts_talk(&loop.client, &imported), "after");
    /* Without an LSA half, what needs one is refused and the half is not called. */
    SecPkgContext_Lifespan span;
    status = QueryContextAttributesW(&imported, SECPKG_ATTR_LIFESPAN, &span);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "lifespan: %08lx", status);
    ULONG value = 1;
    ok(SetContextAttributesW(&imported, PROV_SET_ATTRIBUTE, &value, 4) < 0, "set without LSA half");
    loop.server = imported;
    loop.token_size = 0;
    ok(loopback_server_leg(&loop) < 0, "a handshake without LSA half");
    loopback_close(&loop);
    expect_nothing_left();
}

/* An export: success with nothing in it is a failure, and the context goes on */
static void child_empty_export(void)
{
    static const ULONG flags[] = {0, SECPKG_CONTEXT_EXPORT_DELETE_OLD};
    SECURITY_STATUS status = loopback_make(&loop, L"TestEmptyExport", NULL);
    if (!ok(!status, "TestEmptyExport: %08lx", status)) return;
    for (int i = 0; i < 2; i++) {
        SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
        status = ExportSecurityContext(&loop.client, flags[i], &packed, NULL);
        ok(status < 0, "flags %lx: %08lx", flags[i], status);
        ok(!packed.pvBuffer && !packed.cbBuffer, "flags %lx: a buffer", flags[i]);
        ok(contexts_talk(&loop.client, &loop.server), "flags %lx: messages fail", flags[i]);
    }
    loopback_close(&loop);
    expect_nothing_left();
}

static void child_allocated_token(void)
{
    CredHandle credential;
    if (!ok(!acquire(NULL, L"TestTwo", NULL, &credential), "no credential")) return;
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG attrs;
    SECURITY_STATUS status = InitializeSecurityContextW(
        &credential, NULL, NULL, ISC_REQ_ALLOCATE_MEMORY, 0, SECURITY_NATIVE_DREP, NULL, 0,
        &context, &desc, &attrs, NULL);
    ok(status == SEC_I_CONTINUE_NEEDED && out.cbBuffer == PROV_TOKEN_SIZE, "%08lx", status);
    ok(FreeContextBuffer(out.pvBuffer) == SEC_E_OK, "token not freed");
    ok(DeleteSecurityContext(&context) == SEC_E_OK, "context not deleted");
    FreeCredentialsHandle(&credential);
    expect_nothing_left();
}

static DWORD WINAPI sign_slowly(void *argument)
{
    BYTE token[16], data[4] = "abc";
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token}, {4, SECBUFFER_DATA, data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    return (DWORD)MakeSignature(argument, 0, &desc, 0xffffffff);
}

/* No lock is held while a provider works, and a context lasts until its last call is over. */
static void child_pinned(void)
{
    SECURITY_STATUS status = loopback_make(&loop, L"TestOne", NULL);
    if (!ok(!status, "TestOne: %08lx", status)) return;
    CtxtHandle context = loop.client;
    HANDLE threads[3];
    for (int i = 0; i < 3; i++) threads[i] = CreateThread(NULL, 0, sign_slowly, &context, 0, NULL);
    while (counters()->threads_inside < 3) Sleep(1);
    ok(DeleteSecurityContext(&loop.client) == SEC_E_OK, "not deleted");
    ok(counters()->user_contexts == 2, "the context went under its users");
    struct message text;
    message_set(&text, "text", 4);
    ok(message_sign(&loop.client, &text) == SEC_E_INVALID_HANDLE, "a deleted context signs");
    for (int i = 0; i < 3; i++) {
        DWORD code;
        WaitForSingleObject(threads[i], INFINITE);
        GetExitCodeThread(threads[i], &code);
        ok(code == SEC_E_OK, "thread %d: %08lx", i, code);
        CloseHandle(threads[i]);
    }
    ok(counters()->user_contexts == 1, "the context was not released");
    ok(counters()->threads_inside_most == 3, "at most %ld calls at once",
       counters()->threads_inside_most);
    context_forget(&loop.client);
    loopback_close(&loop);
    expect_nothing_left();
}

static SECURITY_STATUS talk_one_way(CtxtHandle *from, CtxtHandle *to)
{
    BYTE token[PROV_SIGNATURE_SIZE], text[] = "text";
    SecBuffer parts[] = {{sizeof(token), SECBUFFER_TOKEN, token},
                         {sizeof(text), SECBUFFER_DATA, text}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    SECURITY_STATUS status = MakeSignature(from, 0, &desc, 0);
    return status ? status : VerifySignature(to, &desc, 0, NULL);
}

/* A new handshake of TestOne, with messages in the hands of the two contexts of the other. */
static bool connect_around(struct loopback *inner)
{
    if (!ok(!loopback_open(&loop, L"TestOne", NULL), "no credentials")) return false;
    counters()->message_context = inner->client;
    bool good = ok(!loopback_client_leg(&loop), "client");
    counters()->message_context = inner->server;
    good = ok(!loopback_server_leg(&loop), "server") && good;
    counters()->message_context = (CtxtHandle){0, 0};
    return good;
}

/* ssp/message_context.h */
static void child_messages_elsewhere(void)
{
    static struct loopback inner;
    static struct blob blob;
    CtxtHandle named;
    SECURITY_STATUS status = loopback_make(&inner, L"TestTwo", NULL);
    if (!ok(!status, "TestTwo: %08lx", status) || !connect_around(&inner)) return;

    /* The keys are those of the inner contexts, for signatures and seals. */
    ok(contexts_talk(&loop.client, &inner.server), "not to the inner server");
    ok(contexts_talk(&inner.client, &loop.server), "not from the inner client");
    ok(contexts_talk(&loop.client, &loop.server), "not between the outer ones");
    counters()->message_context = inner.client;
    status = QueryContextAttributesW(&loop.client, WINESSPI_ATTR_MESSAGE_CONTEXT, &named);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "an application asks: %08lx", status);

    /* An import asks anew. */
    status = context_export(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    ok(!status, "export: %08lx", status);
    status = talk_one_way(&loop.client, &inner.server);
    ok(status == SEC_E_INVALID_HANDLE, "exported: %08lx", status);
    status = context_import(L"TestOne", blob.bytes, blob.size, &loop.client);
    counters()->message_context = (CtxtHandle){0, 0};
    ok(!status, "import: %08lx", status);
    ok(contexts_talk(&loop.client, &inner.server), "not to the inner server after an import");

    /* Without the inner ones the outer ones have keys of their own. */
    loopback_close(&inner);
    ok(contexts_talk(&loop.client, &loop.server), "not without the inner ones");
    loopback_close(&loop);
    expect_nothing_left();
}

/* What an application deletes is gone, whatever is behind it. */
static void child_messages_nowhere(void)
{
    static struct loopback inner;
    static struct blob blob;
    SECURITY_STATUS(WINAPI * delete_user)(CtxtHandle *);
    delete_user = function_find("sspicli.dll", "SecDeleteUserModeContext");
    SECURITY_STATUS status = loopback_make(&inner, L"TestTwo", NULL);
    if (!ok(!status, "TestTwo: %08lx", status) || !connect_around(&inner)) return;
    ok(!delete_user(&loop.client), "the user half is not deleted");
    status = talk_one_way(&loop.client, &inner.server);
    ok(status == SEC_E_INVALID_HANDLE, "without user half: %08lx", status);
    ok(!talk_one_way(&loop.server, &inner.client), "before the end");
    ok(!DeleteSecurityContext(&loop.server), "not deleted");
    status = talk_one_way(&loop.server, &inner.client);
    ok(status == SEC_E_INVALID_HANDLE, "deleted: %08lx", status);
    context_forget(&loop.server);
    loopback_close(&loop);

    /* Deleted while a call is inside, which began before the export that fails asked anew. */
    ok(!loopback_make(&loop, L"TestEmptyExport", NULL), "TestEmptyExport");
    HANDLE thread = CreateThread(NULL, 0, sign_slowly, &loop.client, 0, NULL);
    while (!counters()->threads_inside) Sleep(1);
    counters()->message_context = inner.client;
    ok(context_export(&loop.client, 0, &blob, NULL) < 0, "an empty export");
    counters()->message_context = (CtxtHandle){0, 0};
    ok(!talk_one_way(&loop.client, &inner.server), "not to the inner server");
    ok(!DeleteSecurityContext(&loop.client), "not deleted");
    status = talk_one_way(&loop.client, &inner.server);
    ok(status == SEC_E_INVALID_HANDLE, "deleted, and not gone: %08lx", status);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    context_forget(&loop.client);
    loopback_close(&loop);

    /* Who comes next has no part in it: so many that places of handles are used again. */
    bool apart = ok(!loopback_open(&loop, L"TestTwo", NULL), "no credentials");
    for (int i = 0; i < 1100 && apart; i++) {
        apart = ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client %d", i);
        status = talk_one_way(&loop.client, &inner.server);
        apart = ok(status == SEC_E_INVALID_HANDLE, "half-open: %08lx", status) && apart;
        ok(!DeleteSecurityContext(&loop.client), "not deleted");
        context_forget(&loop.client);
    }
    loopback_close(&loop);
    loopback_close(&inner);
    expect_nothing_left();
}

/* ---- in the parent ---- */

static const struct hosting_case child_cases[] = {
    CHILD(listed),           CHILD(lazy),
    CHILD(handshakes),       CHILD(attributes),
    CHILD(credentials),      CHILD(export),
    CHILD(empty_export),     CHILD(allocated_token),
    CHILD(pinned),           CHILD(messages_elsewhere),
    CHILD(messages_nowhere),
};

static void run(const wchar_t *child)
{
    static struct hosting_names lsa;
    static wchar_t providers[3 * MAX_PATH];
    DWORD failures;
    memset(&lsa, 0, sizeof(lsa));
    hosting_names_add(&lsa, hosting_folder, L"prov_lsa");
    wsprintfW(providers, L"no-such-module.dll,  %sprov_sspi.dll, %sprov_sspia", hosting_folder,
              hosting_folder);
    bool done = hosting_run(child, &lsa, providers, &failures);
    ok(done && !failures, "child %ls: exit status %lu", child, failures);
}

#define CASE(name)                \
    static void test_##name(void) \
    {                             \
        run(L## #name);           \
    }

CASE(listed)
CASE(lazy)
CASE(handshakes)
CASE(attributes)
CASE(credentials)
CASE(export)
CASE(empty_export)
CASE(allocated_token)
CASE(pinned)
CASE(messages_elsewhere)
CASE(messages_nowhere)

int main(int argc, char **argv)
{
    if (argc == 2) return hosting_case_run(child_cases, ARRAYSIZE(child_cases), argv[1], NULL);
    if (!hosting_begin()) {
        printf("skip api_providers: a Wine prefix with a writable temporary folder\n");
        printf("api_providers: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_listed);
    RUN(test_lazy);
    RUN(test_handshakes);
    RUN(test_attributes);
    RUN(test_credentials);
    RUN(test_export);
    RUN(test_empty_export);
    RUN(test_allocated_token);
    RUN(test_pinned);
    RUN(test_messages_elsewhere);
    RUN(test_messages_nowhere);
    hosting_end();
    return test_end("api_providers");
}
