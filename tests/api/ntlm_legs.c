/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an application can ask of a handshake of package NTLM beyond protection: datagrams, null
 * sessions, identification, a target in a buffer, tokens of every size; and that the
 * flags it gets back are true. Sources in brackets, as in api_packages.
 */
#include "loopback.h"

#define PROTECTED \
    (ISC_RET_INTEGRITY | ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY)
#define SERVER_PROTECTED \
    (ASC_RET_INTEGRITY | ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT | ASC_RET_CONFIDENTIALITY)

static struct account account;
static bool have_account;
static struct loopback loop;

static bool open_loop(void)
{
    if (!have_account) {
        skip_case("accounts of our server");
        return false;
    }
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", &account);
    return ok(!status, "no credentials: %08lx", status);
}

/* ---- flags ---- */

/* [D context-requirements] what cannot be had is not returned, and the caller decides; [H sspi.h]
 * the bits, here of the last leg. ours: which of them NTLM has. */
static void test_client_flags(void)
{
    static const struct {
        ULONG asked, returned;
    } rows[] = {
        {0, 0},
        {ISC_REQ_DELEGATE, 0},
        {ISC_REQ_MUTUAL_AUTH, 0},
        {ISC_REQ_PROMPT_FOR_CREDS, 0},
        {ISC_REQ_USE_SUPPLIED_CREDS, 0},
        {ISC_REQ_USE_DCE_STYLE, ISC_RET_USED_DCE_STYLE},
        {ISC_REQ_CONNECTION, ISC_RET_CONNECTION},
        {ISC_REQ_CALL_LEVEL, 0},
        {ISC_REQ_FRAGMENT_SUPPLIED, 0},
        {ISC_REQ_EXTENDED_ERROR, 0},
        {ISC_REQ_STREAM, 0},
        {ISC_REQ_IDENTIFY, ISC_RET_IDENTIFY},
        {ISC_REQ_FRAGMENT_TO_FIT, 0},
        {ISC_REQ_NO_INTEGRITY, 0},
        {ISC_REQ_USE_SESSION_KEY, 0},
        {ISC_REQ_USE_SESSION_KEY | ISC_REQ_INTEGRITY,
         ISC_RET_USE_SESSION_KEY | (PROTECTED & ~ISC_RET_CONFIDENTIALITY)},
        {ISC_REQ_INTEGRITY, PROTECTED & ~ISC_RET_CONFIDENTIALITY},
        {ISC_REQ_REPLAY_DETECT, PROTECTED & ~ISC_RET_CONFIDENTIALITY},
        {ISC_REQ_CONFIDENTIALITY, ISC_RET_CONFIDENTIALITY},
        {ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_NO_INTEGRITY, PROTECTED},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!open_loop()) return;
        loop.client_flags = rows[i].asked;
        SECURITY_STATUS status = loopback_connect(&loop);
        ok(status == SEC_E_OK, "%08lx: %08lx", rows[i].asked, status);
        ok(loop.client_attrs == rows[i].returned, "%08lx: returned %08lx", rows[i].asked,
           loop.client_attrs);
        SecPkgContext_Flags flags = {0};
        QueryContextAttributesW(&loop.client, SECPKG_ATTR_FLAGS, &flags);
        ok(flags.Flags == rows[i].returned, "%08lx: attribute %08lx", rows[i].asked, flags.Flags);
        loopback_close(&loop);
    }
}

/* ours: an acceptor's wishes add nothing to what the client asked for, nor take it away */
static void test_server_flags(void)
{
    static const struct {
        ULONG asked, client, returned;
    } rows[] = {
        {0, 0, 0},
        {SERVER_PROTECTED, 0, 0},
        {0, SEAL_FLAGS, SERVER_PROTECTED},
        {ASC_REQ_DELEGATE | ASC_REQ_MUTUAL_AUTH, 0, 0},
        {ASC_REQ_USE_DCE_STYLE, 0, ASC_RET_USED_DCE_STYLE},
        {ASC_REQ_CONNECTION, 0, ASC_RET_CONNECTION},
        {ASC_REQ_EXTENDED_ERROR, 0, 0},
        {ASC_REQ_STREAM, 0, 0},
        {ASC_REQ_IDENTIFY, 0, ASC_RET_IDENTIFY},
        {0, ISC_REQ_IDENTIFY, ASC_RET_IDENTIFY},
        {ASC_REQ_ALLOW_NULL_SESSION, 0, 0},
        {ASC_REQ_ALLOW_NON_USER_LOGONS, 0, 0},
        {ASC_REQ_FRAGMENT_TO_FIT, 0, 0},
        {ASC_REQ_USE_SESSION_KEY, SEAL_FLAGS, SERVER_PROTECTED | ASC_RET_USE_SESSION_KEY},
        {ASC_REQ_USE_SESSION_KEY, 0, 0},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!open_loop()) return;
        loop.client_flags = rows[i].client;
        loop.server_flags = rows[i].asked;
        SECURITY_STATUS status = loopback_connect(&loop);
        ok(status == SEC_E_OK, "row %u: %08lx", i, status);
        ok(loop.server_attrs == rows[i].returned, "row %u: returned %08lx", i, loop.server_attrs);
        loopback_close(&loop);
    }
}

static SECURITY_IMPERSONATION_LEVEL token_level(CtxtHandle *context)
{
    HANDLE token;
    SECURITY_IMPERSONATION_LEVEL level = SecurityAnonymous;
    DWORD size;
    if (QuerySecurityContextToken(context, &token)) return SecurityAnonymous;
    GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof(level), &size);
    CloseHandle(token);
    return level;
}

/* [D context-requirements] who may only be identified cannot be impersonated */
static void test_identify(void)
{
    static const ULONG rows[][2] = {
        {0, 0}, {ISC_REQ_IDENTIFY, 0}, {0, ASC_REQ_IDENTIFY}, {ISC_REQ_IDENTIFY, ASC_REQ_IDENTIFY}};
    for (unsigned i = 0; i < 4; i++) {
        SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
        if (!ok(!status, "no credentials: %08lx", status)) return;
        loop.client_flags |= rows[i][0];
        loop.server_flags |= rows[i][1];
        ok(!loopback_connect(&loop), "row %u: no contexts", i);
        SECURITY_IMPERSONATION_LEVEL level = token_level(&loop.server);
        ok(level == (i ? SecurityIdentification : SecurityImpersonation), "row %u: level %d", i,
           level);
        loopback_close(&loop);
    }
}

/* ours: a client is not told that it can only be identified where the server has not said so */
static void test_identify_not_granted(void)
{
    if (!ours_only()) return;
    for (int granted = 0; granted < 2; granted++) {
        if (!open_loop()) return;
        loop.client_flags |= ISC_REQ_IDENTIFY;
        ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
        ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
        if (!granted) loop.token[22] &= (BYTE)~0x10; /* NTLMSSP_NEGOTIATE_IDENTIFY */
        ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
        ok(!(loop.client_attrs & ISC_RET_IDENTIFY) == !granted, "granted %d: attributes %08lx",
           granted, loop.client_attrs);
        loopback_close(&loop);
    }
}

/* ---- datagrams ---- */

static bool moving; /* contexts are exported and imported after each leg */

static void move_context(CtxtHandle *context)
{
    static struct blob blob;
    if (!moving || !context_present(context)) return;
    SECURITY_STATUS status = context_export(context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    ok(!status, "export: %08lx", status);
    status = context_import(L"NTLM", blob.bytes, blob.size, context);
    ok(!status, "import: %08lx", status);
}

static SECURITY_STATUS leg(bool client)
{
    SECURITY_STATUS status = client ? loopback_client_leg(&loop) : loopback_server_leg(&loop);
    move_context(&loop.client);
    move_context(&loop.server);
    return status;
}

static bool connect_datagram(ULONG more)
{
    if (!open_loop()) return false;
    loop.client_flags = ISC_REQ_DATAGRAM | more;
    loop.server_flags = ASC_REQ_DATAGRAM;
    SECURITY_STATUS status = leg(true);
    ok(status == SEC_I_CONTINUE_NEEDED, "client 1: %08lx", status);
    ok(loop.token_size == 0, "client 1: a token of %lu bytes", loop.token_size);
    ok(loop.client_attrs & ISC_RET_DATAGRAM, "client 1: attributes %08lx", loop.client_attrs);
    status = leg(false);
    ok(status == SEC_I_CONTINUE_NEEDED, "server 1: %08lx", status);
    ok(loop.server_attrs & ASC_RET_DATAGRAM, "server 1: attributes %08lx", loop.server_attrs);
    status = leg(true);
    ok(status == SEC_E_OK, "client 2: %08lx", status);
    status = leg(false);
    ok(status == SEC_E_OK, "server 2: %08lx", status);
    ok(loop.client_attrs & ISC_RET_DATAGRAM, "client: attributes %08lx", loop.client_attrs);
    ok(loop.server_attrs & ASC_RET_DATAGRAM, "server: attributes %08lx", loop.server_attrs);
    return !status;
}

static SECURITY_STATUS datagram(CtxtHandle *context, bool seal, bool send, ULONG number,
                                BYTE token[16], char text[8])
{
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token}, {8, SECBUFFER_DATA, text}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    if (seal && send) return EncryptMessage(context, 0, &desc, number);
    if (seal) return DecryptMessage(context, &desc, number, NULL);
    if (send) return MakeSignature(context, 0, &desc, number);
    return VerifySignature(context, &desc, number, NULL);
}

/* [OS MS-NLMP 3.4.4] datagrams are numbered by the application: they may get lost and overtake one
 * another, and each opens under its own number only. */
static void check_datagrams(bool seal)
{
    static const ULONG numbers[] = {7, 3, 0xfffffffe, 0, 12};
    BYTE tokens[5][16];
    char texts[5][8];
    for (int way = 0; way < 2; way++) {
        CtxtHandle *from = way ? &loop.server : &loop.client;
        CtxtHandle *to = way ? &loop.client : &loop.server;
        for (int i = 0; i < 5; i++) {
            memcpy(texts[i], "message", 8);
            SECURITY_STATUS status = datagram(from, seal, true, numbers[i], tokens[i], texts[i]);
            ok(status == SEC_E_OK, "way %d, number %lu: %08lx", way, numbers[i], status);
        }
        for (int i = 4; i >= 0; i--) {
            SECURITY_STATUS status = datagram(to, seal, false, numbers[i] + 1, tokens[i], texts[i]);
            ok(status == SEC_E_MESSAGE_ALTERED || status == SEC_E_OUT_OF_SEQUENCE,
               "way %d, number %lu as the next one: %08lx", way, numbers[i], status);
            status = datagram(to, seal, false, numbers[i], tokens[i], texts[i]);
            ok(status == SEC_E_OK, "way %d, number %lu: %08lx", way, numbers[i], status);
            ok(!memcmp(texts[i], "message", 8), "way %d, number %lu: other data", way, numbers[i]);
        }
    }
}

static void test_datagram(void)
{
    if (!ours_only()) return;
    if (connect_datagram(SEAL_FLAGS)) check_datagrams(true);
    loopback_close(&loop);
    if (connect_datagram(ISC_REQ_INTEGRITY)) check_datagrams(false);
    loopback_close(&loop);
}

/* A client that has sent nothing yet can be moved, too. */
static void test_moved_datagram(void)
{
    if (!ours_only()) return;
    moving = true;
    if (connect_datagram(SEAL_FLAGS)) check_datagrams(true);
    loopback_close(&loop);
    moving = false;
}

/* A server that waits for a connection does not take part in datagrams, and the reverse. */
static void test_datagram_with_others(void)
{
    if (!ours_only() || !open_loop()) return;
    loop.client_flags |= ISC_REQ_DATAGRAM;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    SECURITY_STATUS status = loopback_server_leg(&loop);
    ok(status == SEC_E_INVALID_TOKEN, "a server for connections: %08lx", status);
    loopback_close(&loop);

    if (!open_loop()) return;
    loop.server_flags |= ASC_REQ_DATAGRAM;
    status = loopback_connect(&loop);
    ok(status == SEC_E_OK, "a client for connections: %08lx", status);
    ok(!(loop.server_attrs & ASC_RET_DATAGRAM), "attributes %08lx", loop.server_attrs);
    loopback_close(&loop);
}

/* ---- null sessions ---- */

static SECURITY_STATUS connect_nobody(ULONG server_flags)
{
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return status;
    loop.client_flags |= ISC_REQ_NULL_SESSION;
    loop.server_flags |= server_flags;
    for (int i = 0; i < 4 && status >= 0; i++) status = leg(i % 2 == 0);
    return status;
}

/* ours: nobody is let in where the application says so, and is called what Windows calls him; his
 * session has keys, which everybody knows, so no protection is claimed. */
static void test_null_session(void)
{
    if (!ours_only()) return;
    SECURITY_STATUS status = connect_nobody(0);
    ok(status == SEC_E_LOGON_DENIED, "not allowed: %08lx", status);
    loopback_close(&loop);

    status = connect_nobody(ASC_REQ_ALLOW_NULL_SESSION);
    ok(status == SEC_E_OK, "allowed: %08lx", status);
    ok(loop.client_attrs == ISC_RET_NULL_SESSION, "client: attributes %08lx", loop.client_attrs);
    ok(loop.server_attrs == ASC_RET_NULL_SESSION, "server: attributes %08lx", loop.server_attrs);
    ok(contexts_talk(&loop.client, &loop.server), "messages fail");
    SecPkgContext_NamesW names;
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
    if (ok(!status, "names: %08lx", status)) {
        ok(!lstrcmpW(names.sUserName, L"NT AUTHORITY\\ANONYMOUS LOGON"), "called %ls",
           names.sUserName);
        FreeContextBuffer(names.sUserName);
    }
    loopback_close(&loop);
}

/* What nobody is called and what he asked for go along. */
static void test_moved_null_session(void)
{
    if (!ours_only()) return;
    moving = true;
    SECURITY_STATUS status = connect_nobody(ASC_REQ_ALLOW_NULL_SESSION);
    ok(status == SEC_E_OK, "not connected: %08lx", status);
    ok(loop.server_attrs == ASC_RET_NULL_SESSION, "server: attributes %08lx", loop.server_attrs);
    ok(contexts_talk(&loop.client, &loop.server), "messages fail");
    loopback_close(&loop);
    moving = false;
}

/* [D sec_winnt_auth_identity] three empty strings are nobody's credentials */
static void test_nobodys_credentials(void)
{
    if (!ours_only()) return;
    struct account nobody = {0};
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", &nobody);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    loop.server_flags |= ASC_REQ_ALLOW_NULL_SESSION;
    status = loopback_connect(&loop);
    ok(status == SEC_E_OK, "not connected: %08lx", status);
    ok(loop.client_attrs == ISC_RET_NULL_SESSION, "client: attributes %08lx", loop.client_attrs);
    ok(loop.server_attrs == ASC_RET_NULL_SESSION, "server: attributes %08lx", loop.server_attrs);
    loopback_close(&loop);
}

/* ours: nobody is never taken for the user of the process */
static void test_nobodys_token(void)
{
    if (!ours_only()) return;
    SECURITY_STATUS status = connect_nobody(ASC_REQ_ALLOW_NULL_SESSION);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    HANDLE token;
    status = QuerySecurityContextToken(&loop.server, &token);
    if (status) {
        ok(status == SEC_E_NO_IMPERSONATION, "%08lx", status);
    } else {
        BYTE user[256];
        DWORD size;
        static const SID anonymous = {
            SID_REVISION, 1, {SECURITY_NT_AUTHORITY}, {SECURITY_ANONYMOUS_LOGON_RID}};
        ok(GetTokenInformation(token, TokenUser, user, sizeof(user), &size) &&
               EqualSid(((TOKEN_USER *)user)->User.Sid, (PSID)&anonymous),
           "somebody's token");
        CloseHandle(token);
    }
    loopback_close(&loop);
}

/* ---- targets ---- */

/* One leg of the client with an extra buffer; the token of the other side is in loop. */
static SECURITY_STATUS client_leg_with(const wchar_t *target, ULONG type, void *bytes, ULONG size)
{
    bool first = !context_present(&loop.client);
    static BYTE room[65536];
    SecBuffer in[2] = {{loop.token_size, first ? SECBUFFER_EMPTY : SECBUFFER_TOKEN, loop.token},
                       {size, type, bytes}};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = InitializeSecurityContextW(
        &loop.client_cred, first ? NULL : &loop.client, (wchar_t *)target, loop.client_flags, 0,
        SECURITY_NATIVE_DREP, &in_desc, 0, &loop.client, &out_desc, &loop.client_attrs, NULL);
    loop.token_size = status < 0 ? 0 : out.cbBuffer;
    memcpy(loop.token, room, loop.token_size);
    return status;
}

static void expect_target(const wchar_t *argument, ULONG type, const wchar_t *text, ULONG size,
                          const wchar_t *expected)
{
    wchar_t copy[64];
    memcpy(copy, text, size);
    if (!open_loop()) return;
    SECURITY_STATUS status = client_leg_with(argument, type, copy, size);
    ok(status == SEC_I_CONTINUE_NEEDED, "type %lu: %08lx", type, status);
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
    SecPkgContext_ClientSpecifiedTarget target = {0};
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target);
    ok(status == SEC_E_OK, "type %lu: %08lx", type, status);
    if (!status) {
        ok(!lstrcmpW(target.sTargetName, expected), "type %lu: %ls", type, target.sTargetName);
        FreeContextBuffer(target.sTargetName);
    }
    loopback_close(&loop);
}

/* [H sspi.h] the target's name in a buffer; ours: as UTF-16, behind the argument */
static void test_target_buffers(void)
{
    if (!ours_only() || !have_account) return;
    expect_target(NULL, SECBUFFER_TARGET, L"HTTP/one", 16, L"HTTP/one");
    expect_target(NULL, SECBUFFER_TARGET, L"HTTP/one\0two", 24, L"HTTP/one");
    expect_target(NULL, SECBUFFER_TARGET_HOST, L"host", 8, L"host");
    expect_target(L"HTTP/argument", SECBUFFER_TARGET, L"HTTP/one", 16, L"HTTP/argument");
    if (!open_loop()) return;
    SECURITY_STATUS status = client_leg_with(NULL, SECBUFFER_TARGET, L"HTTP/one", 15);
    ok(status == SEC_E_INVALID_PARAMETER, "half a character: %08lx", status);
    status = client_leg_with(NULL, SECBUFFER_TARGET, NULL, 16);
    ok(status == SEC_E_INVALID_PARAMETER, "no bytes: %08lx", status);
    loopback_close(&loop);
}

/* ---- tokens of every size ---- */

static SECURITY_STATUS allocated_leg(const wchar_t *target, SecBuffer *out)
{
    bool first = !context_present(&loop.client);
    SecBuffer in = {loop.token_size, SECBUFFER_TOKEN, loop.token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, out};
    *out = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    return InitializeSecurityContextW(
        &loop.client_cred, first ? NULL : &loop.client, (wchar_t *)target,
        loop.client_flags | ISC_REQ_ALLOCATE_MEMORY, 0, SECURITY_NATIVE_DREP,
        first ? NULL : &in_desc, 0, &loop.client, &out_desc, &loop.client_attrs, NULL);
}

/* [D initializesecuritycontext] with ALLOCATE_MEMORY the package makes as much room as it takes;
 * ours: up to the 64 KiB that NTLM can say; beyond that the leg fails. */
static void test_large_tokens(void)
{
    static const ULONG lengths[] = {10, 1000, 2000, 5000, 16000, 32000};
    static wchar_t target[32001];
    static struct loopback server;
    if (!ours_only()) return;
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        if (!open_loop()) return;
        for (ULONG j = 0; j < lengths[i]; j++) target[j] = 'a';
        target[lengths[i]] = 0;
        SecBuffer out;
        SECURITY_STATUS status = allocated_leg(target, &out);
        if (!ok(status == SEC_I_CONTINUE_NEEDED, "%lu: %08lx", lengths[i], status)) return;
        memcpy(loop.token, out.pvBuffer, out.cbBuffer);
        loop.token_size = out.cbBuffer;
        FreeContextBuffer(out.pvBuffer);
        ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
        status = allocated_leg(target, &out);
        if (ok(status == SEC_E_OK, "%lu characters: %08lx", lengths[i], status)) {
            ok(out.cbBuffer > 2 * lengths[i], "a token of %lu bytes", out.cbBuffer);
            SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
            server = loop;
            status = AcceptSecurityContext(&server.server_cred, &server.server, &desc, 0,
                                           SECURITY_NATIVE_DREP, &server.server, NULL,
                                           &server.server_attrs, NULL);
            ok(status == SEC_E_OK, "%lu characters, server: %08lx", lengths[i], status);
            ok(contexts_talk(&loop.client, &loop.server), "messages fail");
            FreeContextBuffer(out.pvBuffer);
        }
        loopback_close(&loop);
    }
}

/* [D KB896861] A server refuses a client of its own machine that means another one; the targets
 * here are all sorts of names. Nothing has looked at the value yet. */
static struct saved_value loopback_check;

static bool names_allow(void)
{
    const DWORD off = 1;
    return value_save(&loopback_check, L"SYSTEM\\CurrentControlSet\\Control\\Lsa",
                      L"DisableLoopbackCheck") &&
           value_set(&loopback_check, REG_DWORD, &off, sizeof(off));
}

int main(void)
{
    have_account = account_create(&account);
    const bool names_allowed = names_allow();
    RUN(test_client_flags);
    RUN(test_server_flags);
    RUN(test_identify);
    RUN(test_identify_not_granted);
    RUN(test_datagram);
    RUN(test_moved_datagram);
    RUN(test_datagram_with_others);
    RUN(test_null_session);
    RUN(test_moved_null_session);
    RUN(test_nobodys_credentials);
    RUN(test_nobodys_token);
    RUN(test_target_buffers);
    RUN(test_large_tokens);
    if (names_allowed) value_restore(&loopback_check);
    if (have_account) account_remove(&account);
    return test_end("api_ntlm_legs");
}
