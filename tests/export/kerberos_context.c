/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Export and import of contexts of Kerberos in one process: roles, flags, tokens, attributes, what
 * is refused, damage, and threads that go on meanwhile. Run by kerberos.sh with the name of a
 * service, and the word library where the library of the host keeps its sessions. The contract is
 * [D ExportSecurityContext, ImportSecurityContext]; where it is silent the choice is ours.
 */
#include "loopback.h"

#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD
#define RESET_NEW SECPKG_CONTEXT_EXPORT_RESET_NEW
#define TO_KERNEL SECPKG_CONTEXT_EXPORT_TO_KERNEL

static wchar_t target[256];
static struct loopback loop;
static struct blob blob;

static bool open_loop(void)
{
    SECURITY_STATUS status = loopback_open(&loop, L"Kerberos", NULL);
    loop.target = target;
    loop.client_flags |= ISC_REQ_MUTUAL_AUTH | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT;
    loop.server_flags |= ASC_REQ_MUTUAL_AUTH | ASC_REQ_SEQUENCE_DETECT | ASC_REQ_REPLAY_DETECT;
    return ok(!status, "no credentials: %08lx", status);
}

static bool connect_loop(void)
{
    if (!open_loop()) return false;
    SECURITY_STATUS status = loopback_connect(&loop);
    return ok(!status, "no contexts: %08lx", status);
}

static CtxtHandle *side(int i)
{
    return i % 2 ? &loop.server : &loop.client;
}

static bool talk(void)
{
    return contexts_talk(&loop.client, &loop.server);
}

/* Exports a context with flags and puts the imported one in its place. */
static bool move(CtxtHandle *context, ULONG flags)
{
    SECURITY_STATUS status = context_export(context, flags, &blob, NULL);
    if (!ok(!status && blob.size && blob.type == SECBUFFER_TOKEN, "export %08lx", status))
        return false;
    status = DeleteSecurityContext(context);
    ok(status == (flags & DELETE_OLD ? SEC_E_INVALID_HANDLE : SEC_E_OK), "the old one: %08lx",
       status);
    status = context_import(L"Kerberos", blob.bytes, blob.size, context);
    if (status) context_forget(context);
    return ok(!status, "import %08lx", status);
}

/* Each role, again and again, in mid-conversation. */
static void test_moves(void)
{
    if (!connect_loop()) return;
    for (int i = 0; i < 60; i++) {
        if (i % 3) ok(talk(), "%d: before", i);
        if (!move(side(i / 2), i & 1 ? DELETE_OLD : 0)) break;
        ok(talk(), "%d: behind", i);
    }
    loopback_close(&loop);
}

/* [D ExportSecurityContext] the new context begins anew: both of them do and go on, or one does and
 * is not understood */
static void test_reset(void)
{
    for (int both = 0; both < 2; both++) {
        struct message before, copy;
        if (!connect_loop()) return;
        message_set(&before, "text", 4);
        ok(!message_seal(&loop.client, &before), "not sealed");
        copy = before;
        ok(!message_open(&loop.server, &copy), "not opened");
        ok(talk(), "before");
        bool moved = move(&loop.server, RESET_NEW | DELETE_OLD);
        if (moved && both) moved = move(&loop.client, RESET_NEW);
        if (moved && both) {
            ok(talk(), "both have begun anew");
        } else if (moved) {
            ok(!talk(), "one has begun anew");
            copy = before;
            SECURITY_STATUS status = message_open(&loop.server, &copy);
            ok(!status && !memcmp(copy.data, "text", 4), "the first message: %08lx", status);
            copy = before;
            status = message_open(&loop.server, &copy);
            ok(status == SEC_E_OUT_OF_SEQUENCE, "and again: %08lx", status);
        }
        loopback_close(&loop);
    }
}

/* What has come is known to the imported context too. */
static void test_replays(void)
{
    struct message messages[4], copy;
    if (!connect_loop()) return;
    for (int i = 0; i < 4; i++) {
        message_set(&messages[i], "text", 4);
        ok(!message_seal(&loop.client, &messages[i]), "not sealed");
        copy = messages[i];
        if (i < 3) ok(!message_open(&loop.server, &copy), "%d: not opened", i);
    }
    if (move(&loop.server, DELETE_OLD)) {
        for (int i = 0; i < 3; i++) {
            copy = messages[i];
            SECURITY_STATUS status = message_open(&loop.server, &copy);
            ok(status == SEC_E_OUT_OF_SEQUENCE, "%d again: %08lx", i, status);
        }
        ok(!message_open(&loop.server, &messages[3]), "the next one");
    }
    loopback_close(&loop);
}

/* ---- arguments and tokens ---- */

static void test_flags(void)
{
    static const struct {
        ULONG flags;
        SECURITY_STATUS status;
    } rows[] = {
        {TO_KERNEL, SEC_E_UNSUPPORTED_FUNCTION},
        {TO_KERNEL | DELETE_OLD, SEC_E_UNSUPPORTED_FUNCTION},
        {8, SEC_E_INVALID_PARAMETER},
        {0x80000000 | DELETE_OLD, SEC_E_INVALID_PARAMETER},
    };
    if (!connect_loop()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        SECURITY_STATUS status = context_export(&loop.client, rows[i].flags, &blob, NULL);
        ok(status == rows[i].status, "flags %lx: %08lx", rows[i].flags, status);
    }
    SECURITY_STATUS status = ExportSecurityContext(&loop.client, 0, NULL, NULL);
    ok(status == SEC_E_INVALID_PARAMETER, "no buffer: %08lx", status);
    ok(talk(), "the contexts were hurt");
    loopback_close(&loop);
}

static bool is_token(HANDLE token)
{
    TOKEN_TYPE type;
    DWORD size;
    return GetTokenInformation(token, TokenType, &type, sizeof(type), &size);
}

/* The handle is the caller's. A client has none; a stranger's server has none unless policy says
 * so, and takes one that it is given. */
static void test_tokens(void)
{
    HANDLE process, thread = NULL, token = (HANDLE)-1;
    SecBuffer packed;
    if (!connect_loop()) return;
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, &token);
    ok(!status && !token, "client: %08lx, %p", status, token);
    OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_QUERY, &process);
    ok(DuplicateToken(process, SecurityImpersonation, &thread), "no token");
    packed = (SecBuffer){blob.size, SECBUFFER_TOKEN, blob.bytes};
    CtxtHandle made;
    status = ImportSecurityContextW((wchar_t *)L"Kerberos", &packed, thread, &made);
    ok(status == SEC_E_INVALID_PARAMETER, "a client with a token: %08lx", status);
    status = context_export(&loop.server, DELETE_OLD, &blob, &token);
    ok(!status && (!token || is_token(token)), "server: %08lx, %p", status, token);
    if (token) CloseHandle(token);
    packed = (SecBuffer){blob.size, SECBUFFER_TOKEN, blob.bytes};
    status = ImportSecurityContextW((wchar_t *)L"Kerberos", &packed, process + 1000, &made);
    ok(status == SEC_E_INVALID_PARAMETER, "no token at all: %08lx", status);
    status = ImportSecurityContextW((wchar_t *)L"Kerberos", &packed, thread, &loop.server);
    if (ok(!status, "server: %08lx", status)) {
        HANDLE own = NULL;
        ok(is_token(thread), "the caller's token is closed");
        status = QuerySecurityContextToken(&loop.server, &own);
        ok(!status && is_token(own), "token: %08lx", status);
        CloseHandle(own);
        status = context_export(&loop.server, 0, &blob, &token);
        ok(!status && is_token(token), "export: %08lx", status);
        CloseHandle(token);
        ok(talk(), "no talk");
    }
    CloseHandle(thread);
    CloseHandle(process);
    loopback_close(&loop);
}

/* ---- attributes ---- */

/* Texts that one context has; those of the other must be the same. */
struct told {
    SecPkgContext_Sizes sizes;
    SecPkgContext_Flags flags;
    SecPkgContext_Lifespan span;
    SecPkgContext_KeyInfoW key_info;
    SecPkgContext_SessionKey key;
    SecPkgContext_NamesW names;
    SecPkgContext_NativeNamesW native;
    SecPkgContext_AuthorityW authority;
    SecPkgContext_ClientSpecifiedTarget target;
};

static bool tell(CtxtHandle *context, struct told *told)
{
    const struct {
        ULONG id;
        void *to;
    } rows[] = {
        {SECPKG_ATTR_SIZES, &told->sizes},
        {SECPKG_ATTR_FLAGS, &told->flags},
        {SECPKG_ATTR_LIFESPAN, &told->span},
        {SECPKG_ATTR_KEY_INFO, &told->key_info},
        {SECPKG_ATTR_SESSION_KEY, &told->key},
        {SECPKG_ATTR_NAMES, &told->names},
        {SECPKG_ATTR_NATIVE_NAMES, &told->native},
        {SECPKG_ATTR_AUTHORITY, &told->authority},
        {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &told->target},
    };
    memset(told, 0, sizeof(*told));
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        SECURITY_STATUS status = QueryContextAttributesW(context, rows[i].id, rows[i].to);
        if (!ok(!status, "attribute %lu: %08lx", rows[i].id, status)) return false;
    }
    return true;
}

static bool tell_the_same(const struct told *a, const struct told *b)
{
    return !memcmp(&a->sizes, &b->sizes, sizeof(a->sizes)) && a->flags.Flags == b->flags.Flags &&
           !memcmp(&a->span, &b->span, sizeof(a->span)) &&
           a->key_info.EncryptAlgorithm == b->key_info.EncryptAlgorithm &&
           a->key_info.KeySize == b->key_info.KeySize &&
           a->key.SessionKeyLength == b->key.SessionKeyLength &&
           !memcmp(a->key.SessionKey, b->key.SessionKey, a->key.SessionKeyLength) &&
           !lstrcmpW(a->names.sUserName, b->names.sUserName) &&
           !lstrcmpW(a->native.sClientName, b->native.sClientName) &&
           !lstrcmpW(a->native.sServerName, b->native.sServerName) &&
           !lstrcmpW(a->authority.sAuthorityName, b->authority.sAuthorityName) &&
           !lstrcmpW(a->target.sTargetName, b->target.sTargetName);
}

static void forget(struct told *told)
{
    void *blocks[] = {told->key_info.sSignatureAlgorithmName,
                      told->key_info.sEncryptAlgorithmName,
                      told->key.SessionKey,
                      told->names.sUserName,
                      told->native.sClientName,
                      told->native.sServerName,
                      told->authority.sAuthorityName,
                      told->target.sTargetName};
    for (unsigned i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) FreeContextBuffer(blocks[i]);
}

static void test_attributes(void)
{
    for (int i = 0; i < 2; i++) {
        struct told before, behind;
        if (!connect_loop()) return;
        if (tell(side(i), &before)) {
            if (move(side(i), DELETE_OLD) && tell(side(i), &behind)) {
                ok(tell_the_same(&before, &behind), "%d: told otherwise", i);
                forget(&behind);
            }
            forget(&before);
        }
        loopback_close(&loop);
    }
}

/* ---- refusals ---- */

/* ours: an exchange that goes on is the library's */
static void test_half_open(void)
{
    if (!open_loop()) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    for (int i = 0; i < 4; i++) {
        ULONG flags = (i & 1 ? DELETE_OLD : 0) | (i & 2 ? RESET_NEW : 0);
        SECURITY_STATUS status = context_export(&loop.client, flags, &blob, NULL);
        ok(status == SEC_E_NOT_SUPPORTED, "flags %lx: %08lx", flags, status);
    }
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 1");
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    ok(talk(), "the contexts were hurt");
    loopback_close(&loop);
}

/* ours: three legs, of which the server has two */
static void test_half_open_dce(void)
{
    if (!open_loop()) return;
    loop.client_flags |= ISC_REQ_USE_DCE_STYLE;
    loop.server_flags |= ASC_REQ_USE_DCE_STYLE;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = context_export(side(i), DELETE_OLD, &blob, NULL);
        ok(status == SEC_E_NOT_SUPPORTED, "%d: %08lx", i, status);
    }
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
    ok(talk(), "the contexts were hurt");
    ok(move(&loop.server, DELETE_OLD) && move(&loop.client, 0) && talk(), "not moved");
    loopback_close(&loop);
}

/* ours: a session whose state the library keeps to itself */
static void test_library(void)
{
    if (!connect_loop()) return;
    for (int i = 0; i < 8; i++) {
        ULONG flags = (i & 2 ? DELETE_OLD : 0) | (i & 4 ? RESET_NEW : 0);
        SECURITY_STATUS status = context_export(side(i), flags, &blob, NULL);
        ok(status == SEC_E_NOT_SUPPORTED, "%d: %08lx", i, status);
    }
    ok(talk(), "the contexts were hurt");
    loopback_close(&loop);
}

/* ---- damage ---- */

/* Every prefix of a blob and every byte changed, and then the true one. */
static void test_damage(void)
{
    static BYTE damaged[sizeof(blob.bytes)];
    CtxtHandle made;
    if (!connect_loop()) return;
    SECURITY_STATUS status = context_export(&loop.server, DELETE_OLD, &blob, NULL);
    context_forget(&loop.server);
    ok(!status && blob.size, "export: %08lx", status);
    for (ULONG size = 0; size < blob.size; size++) {
        status = context_import(L"Kerberos", blob.bytes, size, &made);
        ok(status < 0, "%lu bytes: %08lx", size, status);
    }
    for (ULONG i = 0; i < blob.size; i++) {
        memcpy(damaged, blob.bytes, blob.size);
        damaged[i] ^= (BYTE)(1 << i % 8);
        status = context_import(L"Kerberos", damaged, blob.size, &made);
        ok(status < 0, "byte %lu: %08lx", i, status);
    }
    status = context_import(L"NTLM", blob.bytes, blob.size, &made);
    ok(status == SEC_E_INVALID_TOKEN, "another package: %08lx", status);
    status = context_import(L"kerberos", blob.bytes, blob.size, &loop.server);
    if (ok(!status, "the true one: %08lx", status)) ok(talk(), "no talk");
    status = context_import(L"Kerberos", blob.bytes, blob.size, &made);
    ok(status == SEC_E_CONTEXT_EXPIRED, "and again: %08lx", status);
    loopback_close(&loop);
}

/* ---- threads ---- */

static struct message stream[4096];
static volatile LONG sealed;

/* Seals until the context is gone. */
static DWORD WINAPI seal_on(void *argument)
{
    CtxtHandle *context = argument;
    for (LONG i = 0; i < 4096; i++) {
        message_set(&stream[i], &i, sizeof(i));
        SECURITY_STATUS status = message_seal(context, &stream[i]);
        if (status) return status == SEC_E_INVALID_HANDLE;
        InterlockedIncrement(&sealed);
    }
    return 2;
}

/* Whatever was sealed before the export is in order, and the imported context goes on behind it. */
static void test_export_while_sealing(void)
{
    for (int round = 0; round < 10; round++) {
        DWORD code = 0;
        if (!connect_loop()) return;
        CtxtHandle old = loop.client;
        sealed = 0;
        HANDLE thread = CreateThread(NULL, 0, seal_on, &old, 0, NULL);
        while (sealed < 10 + round) SwitchToThread();
        SECURITY_STATUS status = context_export(&loop.client, DELETE_OLD, &blob, NULL);
        context_forget(&loop.client);
        ok(!status, "export: %08lx", status);
        ok(!WaitForSingleObject(thread, 30000) && GetExitCodeThread(thread, &code) && code,
           "the thread");
        CloseHandle(thread);
        status = context_import(L"Kerberos", blob.bytes, blob.size, &loop.client);
        ok(!status, "import: %08lx", status);
        for (LONG i = 0; i < sealed; i++)
            ok(!message_open(&loop.server, &stream[i]) && !memcmp(stream[i].data, &i, sizeof(i)),
               "message %ld", i);
        ok(talk(), "round %d: no talk", round);
        loopback_close(&loop);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) MultiByteToWideChar(CP_ACP, 0, argv[1], -1, target, 256);
    if (argc > 2) {
        RUN(test_library);
        return test_end("kerberos_context");
    }
    RUN(test_moves);
    RUN(test_reset);
    RUN(test_replays);
    RUN(test_flags);
    RUN(test_tokens);
    RUN(test_attributes);
    RUN(test_half_open);
    RUN(test_half_open_dce);
    RUN(test_damage);
    RUN(test_export_while_sealing);
    return test_end("kerberos_context");
}
