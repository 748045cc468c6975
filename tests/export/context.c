/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ExportSecurityContext and ImportSecurityContext in one process, for the packages NTLM and
 * Negotiate: every stage of the handshake, both roles, all flags, every argument that can be wrong,
 * and what the imported context can do. The contract is [D ExportSecurityContext,
 * ImportSecurityContext]; where it is silent the choice is ours and the case says so.
 */
#include "loopback.h"

#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD
#define RESET_NEW SECPKG_CONTEXT_EXPORT_RESET_NEW
#define UNTOUCHED ((ULONG_PTR)0x5ec5ec5e)

static const struct package {
    const wchar_t *name, *other_case;
    const char *narrow_name;
    int legs; /* of a handshake, the client's first */
} both[] = {{L"NTLM", L"ntlm", "NTLM", 4}, {L"Negotiate", L"negotiate", "Negotiate", 5}};

static const struct package *package; /* of the running cases */
static struct account account;
static bool have_account;
static struct loopback loop;
static struct blob blob, other_blob;

static bool connect_as(const struct account *as)
{
    SECURITY_STATUS status = loopback_make(&loop, package->name, as);
    return ok(!status, "no contexts: %08lx", status);
}

static const struct account *usual(void)
{
    return have_account ? &account : NULL;
}

static bool good_blob(const struct blob *made, SECURITY_STATUS status, const char *what)
{
    return ok(!status, "%s: export %08lx", what, status) &&
           ok(made->size > 0, "%s: success without a blob", what);
}

/* Exports a context with flags and puts the imported one in its place. */
static bool move(CtxtHandle *context, ULONG flags, const char *what)
{
    SECURITY_STATUS status = context_export(context, flags, &blob, NULL);
    if (!good_blob(&blob, status, what)) return false;
    CtxtHandle old = *context;
    status = DeleteSecurityContext(context);
    if (flags & DELETE_OLD)
        ok(status == SEC_E_INVALID_HANDLE, "%s: the old context is alive: %08lx", what, status);
    else ok(status == SEC_E_OK, "%s: the old context is dead: %08lx", what, status);
    ok(context->dwLower == old.dwLower && context->dwUpper == old.dwUpper,
       "%s: the old handle was changed", what);
    status = context_import(package->name, blob.bytes, blob.size, context);
    if (status) context_forget(context);
    return ok(!status, "%s: import %08lx", what, status);
}

/* ---- stages and roles ---- */

/* The client can move after each leg, the server after each but the first. Bit 0 stands for the
 * client's move after the first leg, bit 1 for the server's after the second; from then on there
 * are two for each leg. */
static int moves_after(int combination, int leg)
{
    if (leg == 0) return combination & 1;
    if (leg == 1) return combination & 2;
    return combination >> (2 * leg - 2) & 3;
}

static void run_stages(const struct account *as, int combination, ULONG flags)
{
    char what[64];
    SECURITY_STATUS status = loopback_open(&loop, package->name, as);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    for (int leg = 0; leg < package->legs; leg++) {
        int moves = moves_after(combination, leg);
        status = leg % 2 ? loopback_server_leg(&loop) : loopback_client_leg(&loop);
        SECURITY_STATUS expected = leg < package->legs - 2 ? SEC_I_CONTINUE_NEEDED : SEC_E_OK;
        sprintf(what, "moves %x, after leg %d", combination, leg + 1);
        if (!ok(status == expected, "%s: %08lx", what, status)) break;
        if (moves & 1 && !move(&loop.client, flags, what)) break;
        if (moves & 2 && !move(&loop.server, flags, what)) break;
    }
    if (status == SEC_E_OK) ok(contexts_talk(&loop.client, &loop.server), "%s: no talk", what);
    loopback_close(&loop);
}

/* ours: a half-open handshake can be moved too */
static void test_stages(void)
{
    if (!ours_only()) return;
    int combinations = 1 << (2 * package->legs - 2);
    for (int i = 1; i < combinations; i++) run_stages(usual(), i, i % 2 ? DELETE_OLD : 0);
}

static void test_stages_default_credentials(void)
{
    if (!ours_only()) return;
    run_stages(NULL, ~0, DELETE_OLD);
    run_stages(NULL, ~0, 0);
    run_stages(NULL, 3, DELETE_OLD | RESET_NEW);
}

/* ours: an acceptor of Negotiate that has only said what there is to choose from */
static void test_hinted(void)
{
    if (!ours_only()) return;
    for (int flags = 0; flags < 3; flags++) {
        SECURITY_STATUS status = loopback_open(&loop, package->name, usual());
        if (!ok(!status, "no credentials: %08lx", status)) return;
        ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "hints");
        if (move(&loop.server, (ULONG)flags, "hinted"))
            ok(!loopback_connect(&loop) && contexts_talk(&loop.client, &loop.server), "no talk");
        loopback_close(&loop);
    }
}

/* ours: a context of Negotiate whose tokens are NTLM's own, at each stage of the server */
static void test_raw(void)
{
    if (!ours_only()) return;
    for (int stage = 0; stage < 2; stage++) {
        struct loopback ntlm;
        SECURITY_STATUS status = loopback_open(&loop, package->name, NULL);
        if (!ok(!status && !loopback_open(&ntlm, L"NTLM", usual()), "no credentials")) return;
        CredHandle own = loop.client_cred;
        loop.client_cred = ntlm.client_cred;
        ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
        ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
        bool moved = stage || move(&loop.server, DELETE_OLD, "half open");
        ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
        if (moved) ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
        if (moved && stage) moved = move(&loop.server, DELETE_OLD, "established");
        if (moved) ok(contexts_talk(&loop.client, &loop.server), "no talk");
        FreeCredentialsHandle(&own);
        loopback_close(&loop);
        FreeCredentialsHandle(&ntlm.server_cred);
    }
}

/* [D] a complete context, both roles, each flag; the oldest promise of the interface */
static void test_complete(void)
{
    static const ULONG flags[] = {0, RESET_NEW, DELETE_OLD, DELETE_OLD | RESET_NEW};
    for (int i = 0; i < 4; i++) {
        for (int side = 0; side < 2; side++) {
            if (!connect_as(usual())) return;
            char what[32];
            sprintf(what, "flags %lu, %s", flags[i], side ? "server" : "client");
            if (move(side ? &loop.server : &loop.client, flags[i], what))
                ok(contexts_talk(&loop.client, &loop.server), "%s: no talk", what);
            loopback_close(&loop);
        }
    }
}

/* Messages before and after; sequence numbers and streams go on where they were. */
static void test_counters_continue(void)
{
    if (!connect_as(usual())) return;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < round % 4; i++)
            ok(contexts_talk(&loop.client, &loop.server), "round %d, message %d", round, i);
        if (!move(round % 2 ? &loop.client : &loop.server, round % 3 ? DELETE_OLD : 0, "round"))
            break;
    }
    ok(contexts_talk(&loop.client, &loop.server), "at the end");
    loopback_close(&loop);
}

/* A copy is exact: the next signature of both is the same, byte for byte. */
static void test_copy_is_exact(void)
{
    if (!connect_as(usual())) return;
    struct message one, two;
    for (int i = 0; i < 5; i++) ok(contexts_talk(&loop.client, &loop.server), "before %d", i);
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, NULL);
    if (good_blob(&blob, status, "copy")) {
        CtxtHandle copy;
        status = context_import(package->name, blob.bytes, blob.size, &copy);
        ok(status == SEC_E_OK, "import: %08lx", status);
        message_set(&one, "the same text", 13);
        two = one;
        ok(!message_seal(&loop.client, &one) && !message_seal(&copy, &two), "not sealed");
        ok(one.token_size == two.token_size && !memcmp(one.token, two.token, one.token_size) &&
               !memcmp(one.data, two.data, one.size),
           "the copy is at another place");
        ok(!message_open(&loop.server, &two), "the copy's message does not open");
        ok(DeleteSecurityContext(&copy) == SEC_E_OK, "the copy is not deleted");
    }
    loopback_close(&loop);
}

/* [D] RESET_NEW: as it was when the handshake ended */
static void test_reset(void)
{
    if (!connect_as(usual())) return;
    struct message first, again;
    message_set(&first, "the very first text", 19);
    again = first;
    ok(!message_seal(&loop.client, &first), "not sealed");
    struct message sent = first;
    ok(!message_open(&loop.server, &sent), "not opened");
    for (int i = 0; i < 5; i++) ok(contexts_talk(&loop.client, &loop.server), "before %d", i);

    bool moved = move(&loop.client, RESET_NEW | DELETE_OLD, "client") &&
                 move(&loop.server, RESET_NEW | DELETE_OLD, "server");
    if (moved) {
        ok(!message_seal(&loop.client, &again), "not sealed again");
        ok(!memcmp(first.token, again.token, first.token_size) &&
               !memcmp(first.data, again.data, first.size),
           "the first message is another one now");
        ok(!message_open(&loop.server, &again), "not opened again");
        ok(contexts_talk(&loop.client, &loop.server), "after");
    }
    loopback_close(&loop);
}

/* ---- the arguments ---- */

/* [D] TO_KERNEL is not supported; ours: which status, and what unknown bits give */
static void test_flags_refused(void)
{
    if (!ours_only() || !connect_as(usual())) return;
    for (int bit = 2; bit < 32; bit++) {
        ULONG flags = 1ul << bit;
        SECURITY_STATUS expected = bit == 2 ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_INVALID_PARAMETER;
        for (ULONG more = 0; more < 4; more++) {
            SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
            SECURITY_STATUS status = ExportSecurityContext(&loop.client, flags | more, &packed,
                                                           NULL);
            ok(status == expected, "flags %lx: %08lx", flags | more, status);
            ok(!packed.pvBuffer && !packed.cbBuffer, "flags %lx: a buffer", flags | more);
        }
    }
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* ours: NULL for what must be there */
static void test_nulls(void)
{
    if (!ours_only() || !connect_as(usual())) return;
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    CtxtHandle made = {UNTOUCHED, UNTOUCHED};
    SECURITY_STATUS status = ExportSecurityContext(&loop.client, DELETE_OLD, NULL, NULL);
    ok(status == SEC_E_INVALID_PARAMETER, "export, no buffer: %08lx", status);
    status = ExportSecurityContext(NULL, 0, &packed, NULL);
    ok(status == SEC_E_INVALID_HANDLE, "export, no handle: %08lx", status);
    ok(!packed.pvBuffer, "export, no handle: a buffer");
    status = ImportSecurityContextW((wchar_t *)package->name, NULL, NULL, &made);
    ok(status == SEC_E_INVALID_PARAMETER, "import, no buffer: %08lx", status);
    status = ImportSecurityContextW((wchar_t *)package->name, &packed, NULL, &made);
    ok(status == SEC_E_INVALID_PARAMETER || status == SEC_E_INVALID_TOKEN,
       "import, empty buffer: %08lx", status);
    status = context_export(&loop.client, 0, &blob, NULL);
    if (good_blob(&blob, status, "copy")) {
        SecBuffer full = {blob.size, SECBUFFER_TOKEN, blob.bytes};
        status = ImportSecurityContextW(NULL, &full, NULL, &made);
        ok(status == SEC_E_SECPKG_NOT_FOUND, "import, no package: %08lx", status);
        status = ImportSecurityContextA(NULL, &full, NULL, &made);
        ok(status == SEC_E_SECPKG_NOT_FOUND, "import A, no package: %08lx", status);
        status = ImportSecurityContextW((wchar_t *)package->name, &full, NULL, NULL);
        ok(status < 0, "import, no handle: %08lx", status);
    }
    ok(made.dwLower == UNTOUCHED && made.dwUpper == UNTOUCHED, "a failed import wrote the handle");
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* [D] the caller gives an EMPTY buffer; older callers give one with an address in it
 *: that memory is neither used nor freed */
static void test_buffer_in(void)
{
    if (!connect_as(usual())) return;
    BYTE own[64];
    memset(own, 0xfa, sizeof(own));
    SecBuffer packed = {sizeof(own), SECBUFFER_EMPTY, own};
    SECURITY_STATUS status = ExportSecurityContext(&loop.client, 0, &packed, NULL);
    if (ok(!status, "export: %08lx", status)) {
        ok(packed.pvBuffer && packed.pvBuffer != own, "the caller's memory was taken");
        ok(packed.cbBuffer > 0, "no blob");
        /* [D] the blob is freed with FreeContextBuffer */
        ok(FreeContextBuffer(packed.pvBuffer) == SEC_E_OK, "the blob was not freed");
    }
    for (unsigned i = 0; i < sizeof(own); i++) ok(own[i] == 0xfa, "byte %u was written", i);
    loopback_close(&loop);
}

/* [D] SEC_E_INVALID_HANDLE for a context that is none any more */
static void test_dead_handle(void)
{
    if (!connect_as(usual())) return;
    CtxtHandle old = loop.client;
    SECURITY_STATUS status = context_export(&loop.client, DELETE_OLD, &blob, NULL);
    good_blob(&blob, status, "first");
    context_forget(&loop.client);
    status = context_export(&old, DELETE_OLD, &other_blob, NULL);
    ok(status == SEC_E_INVALID_HANDLE, "exported again: %08lx", status);
    SecPkgContext_Sizes sizes;
    status = QueryContextAttributesW(&old, SECPKG_ATTR_SIZES, &sizes);
    ok(status == SEC_E_INVALID_HANDLE, "queried: %08lx", status);
    struct message text;
    message_set(&text, "text", 4);
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, text.token}, {4, SECBUFFER_DATA, text.data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    status = EncryptMessage(&old, 0, &desc, 0);
    ok(status == SEC_E_INVALID_HANDLE, "sealed: %08lx", status);
    ok(DeleteSecurityContext(&old) == SEC_E_INVALID_HANDLE, "deleted again");
    loopback_close(&loop);
}

/* [D] pToken: a handle for the caller to close */
static void test_token(void)
{
    for (int side = 0; side < 2; side++) {
        if (!connect_as(NULL)) return;
        HANDLE token = (HANDLE)UNTOUCHED;
        SECURITY_STATUS status = context_export(side ? &loop.server : &loop.client, 0, &blob,
                                                &token);
        good_blob(&blob, status, "with token");
        ok(token != (HANDLE)UNTOUCHED, "side %d: the token was not written", side);
        ok(!side || token || !running_on_ours(), "no token of the client's user");
        if (token) {
            TOKEN_TYPE type;
            DWORD size;
            ok(GetTokenInformation(token, TokenType, &type, sizeof(type), &size), "no token");
            ok(CloseHandle(token), "side %d: the token was not closed", side);
        }
        loopback_close(&loop);
    }
}

/* An import with the token of the export: it stays the caller's. */
static void test_token_in(void)
{
    if (!connect_as(NULL)) return;
    HANDLE token = NULL;
    SECURITY_STATUS status = context_export(&loop.server, DELETE_OLD, &blob, &token);
    if (good_blob(&blob, status, "with token")) {
        SecBuffer packed = {blob.size, SECBUFFER_TOKEN, blob.bytes};
        status = ImportSecurityContextW((wchar_t *)package->name, &packed, token, &loop.server);
        ok(status == SEC_E_OK, "import: %08lx", status);
        if (token) ok(CloseHandle(token), "the token was closed by the import");
        ok(contexts_talk(&loop.client, &loop.server), "no talk");
        HANDLE again = NULL;
        status = QuerySecurityContextToken(&loop.server, &again);
        ok(!status && again, "the imported context has no token: %08lx", status);
        if (again) CloseHandle(again);
    }
    loopback_close(&loop);
}

/* The value of a new handle tells whether others were left open */
static void test_no_handle_leak(void)
{
    if (!connect_as(NULL)) return;
    DWORD count[2] = {0, 0};
    HANDLE probe[2] = {NULL, NULL};
    for (int i = 0; i < 1100; i++) {
        if (i == 100 || i == 1099) {
            probe[i != 100] = CreateEventW(NULL, FALSE, FALSE, NULL);
            GetProcessHandleCount(GetCurrentProcess(), &count[i != 100]);
        }
        HANDLE token = NULL;
        if (context_export(&loop.server, 0, &blob, &token)) break;
        if (token) CloseHandle(token);
    }
    ok(probe[0] && probe[1], "an export failed");
    ok((ULONG_PTR)probe[1] < (ULONG_PTR)probe[0] + 4 * 50, "the next handle went from %p to %p",
       probe[0], probe[1]);
    ok(count[1] < count[0] + 50, "from %lu to %lu handles", count[0], count[1]);
    if (probe[0]) CloseHandle(probe[0]);
    if (probe[1]) CloseHandle(probe[1]);
    loopback_close(&loop);
}

/* ---- the imported context ---- */

/* Each attribute answers as it did before, in both forms */
static void test_attributes_after_import(void)
{
    if (!connect_as(usual())) return;
    for (int side = 0; side < 2; side++) {
        CtxtHandle *context = side ? &loop.server : &loop.client;
        SecPkgContext_NamesW names[2];
        SecPkgContext_SessionKey keys[2];
        SecPkgContext_Flags flags[2];
        SecPkgContext_Lifespan spans[2];
        SecPkgContext_KeyInfoW infos[2];
        SecPkgContext_NegotiationInfoW packages[2];
        SECURITY_STATUS status = SEC_E_OK;
        for (int i = 0; i < 2 && !status; i++) {
            if (i && !move(context, side ? DELETE_OLD : 0, "attributes")) return;
            status = QueryContextAttributesW(context, SECPKG_ATTR_NAMES, &names[i]);
            if (!status)
                status = QueryContextAttributesW(context, SECPKG_ATTR_SESSION_KEY, &keys[i]);
            if (!status) status = QueryContextAttributesW(context, SECPKG_ATTR_FLAGS, &flags[i]);
            if (!status) status = QueryContextAttributesW(context, SECPKG_ATTR_LIFESPAN, &spans[i]);
            if (!status) status = QueryContextAttributesW(context, SECPKG_ATTR_KEY_INFO, &infos[i]);
            if (!status)
                status = QueryContextAttributesW(context, SECPKG_ATTR_NEGOTIATION_INFO,
                                                 &packages[i]);
            ok(!status, "side %d, %s the import: %08lx", side, i ? "after" : "before", status);
        }
        if (status) break;
        ok(!lstrcmpW(names[0].sUserName, names[1].sUserName), "side %d: another name", side);
        ok(keys[0].SessionKeyLength == keys[1].SessionKeyLength &&
               !memcmp(keys[0].SessionKey, keys[1].SessionKey, keys[0].SessionKeyLength),
           "side %d: another session key", side);
        ok(flags[0].Flags == flags[1].Flags, "side %d: flags %08lx became %08lx", side,
           flags[0].Flags, flags[1].Flags);
        ok(spans[0].tsExpiry.QuadPart == spans[1].tsExpiry.QuadPart, "side %d: expiry", side);
        ok(infos[0].KeySize == infos[1].KeySize, "side %d: key size", side);
        ok(packages[1].NegotiationState == SECPKG_NEGOTIATION_COMPLETE &&
               !lstrcmpW(packages[1].PackageInfo->Name, L"NTLM"),
           "side %d: package", side);
        BYTE room[256];
        status = QueryContextAttributesW(context, SECPKG_ATTR_STREAM_SIZES, room);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "stream sizes: %08lx", status);
    }
    loopback_close(&loop);
}

/* [D] the imported context is released with DeleteSecurityContext, once */
static void test_delete_imported(void)
{
    if (!connect_as(usual())) return;
    CtxtHandle copy;
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, NULL);
    good_blob(&blob, status, "copy");
    ok(!context_import(package->name, blob.bytes, blob.size, &copy), "no import");
    ok(copy.dwLower != loop.client.dwLower || copy.dwUpper != loop.client.dwUpper, "one handle");
    ok(DeleteSecurityContext(&copy) == SEC_E_OK, "not deleted");
    ok(DeleteSecurityContext(&copy) == SEC_E_INVALID_HANDLE, "deleted twice");
    ok(contexts_talk(&loop.client, &loop.server), "the original went with its copy");
    loopback_close(&loop);
}

/* ours: a blob of DELETE_OLD is good for one import, one without for several */
static void test_single_use(void)
{
    if (!ours_only() || !connect_as(usual())) return;
    CtxtHandle made[3];
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, NULL);
    good_blob(&blob, status, "copy");
    for (int i = 0; i < 3; i++) {
        status = context_import(package->name, blob.bytes, blob.size, &made[i]);
        ok(status == SEC_E_OK, "copy %d: %08lx", i, status);
        if (!status) DeleteSecurityContext(&made[i]);
    }
    status = context_export(&loop.client, DELETE_OLD, &blob, NULL);
    good_blob(&blob, status, "moved");
    context_forget(&loop.client);
    status = context_import(package->other_case, blob.bytes, blob.size, &loop.client);
    ok(status == SEC_E_OK, "first import: %08lx", status);
    for (int i = 0; i < 3; i++) {
        made[i] = (CtxtHandle){UNTOUCHED, UNTOUCHED};
        status = context_import(package->name, blob.bytes, blob.size, &made[i]);
        ok(status == SEC_E_CONTEXT_EXPIRED, "import %d: %08lx", i + 2, status);
        ok(made[i].dwLower == UNTOUCHED && made[i].dwUpper == UNTOUCHED, "the handle was written");
    }
    ok(contexts_talk(&loop.client, &loop.server), "no talk");
    loopback_close(&loop);
}

/* [H] the A form differs by its package name only */
static void test_import_a(void)
{
    if (!connect_as(usual())) return;
    SECURITY_STATUS status = context_export(&loop.client, DELETE_OLD, &blob, NULL);
    good_blob(&blob, status, "moved");
    context_forget(&loop.client);
    SecBuffer packed = {blob.size, SECBUFFER_TOKEN, blob.bytes};
    status = ImportSecurityContextA((char *)package->narrow_name, &packed, NULL, &loop.client);
    ok(status == SEC_E_OK, "import: %08lx", status);
    if (!status) ok(contexts_talk(&loop.client, &loop.server), "no talk");
    loopback_close(&loop);
}

/* The blob of one package is none of another, though NTLM is inside both. */
static void test_other_package(void)
{
    if (!ours_only() || !connect_as(usual())) return;
    const wchar_t *other = both[package == both].name;
    CtxtHandle made = {UNTOUCHED, UNTOUCHED};
    SECURITY_STATUS status = context_export(&loop.client, DELETE_OLD, &blob, NULL);
    good_blob(&blob, status, "moved");
    context_forget(&loop.client);
    status = context_import(other, blob.bytes, blob.size, &made);
    ok(status < 0 && made.dwLower == UNTOUCHED, "import as %ls: %08lx", other, status);
    status = context_import(package->name, blob.bytes, blob.size, &loop.client);
    if (ok(status == SEC_E_OK, "import: %08lx", status))
        ok(contexts_talk(&loop.client, &loop.server), "no talk");
    loopback_close(&loop);
}

static void run_package(const struct package *which)
{
    package = which;
    printf("package %ls\n", package->name);
    RUN(test_stages);
    RUN(test_stages_default_credentials);
    RUN(test_complete);
    RUN(test_counters_continue);
    RUN(test_copy_is_exact);
    RUN(test_reset);
    RUN(test_flags_refused);
    RUN(test_nulls);
    RUN(test_buffer_in);
    RUN(test_dead_handle);
    RUN(test_token);
    RUN(test_token_in);
    RUN(test_no_handle_leak);
    RUN(test_attributes_after_import);
    RUN(test_delete_imported);
    RUN(test_single_use);
    RUN(test_import_a);
    RUN(test_other_package);
}

int main(void)
{
    have_account = account_create(&account);
    run_package(&both[0]);
    run_package(&both[1]);
    RUN(test_hinted);
    RUN(test_raw);
    if (have_account) account_remove(&account);
    return test_end("export_context");
}
