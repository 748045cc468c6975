/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User-to-user of the package Kerberos: alice is the client of bob, who has no key in a keytab.
 * kerberos_user.sh gives the realm and, as "client" or "server", the side whose user has the
 * tickets of this process; the other gives a name and a password. With "aware" behind that the
 * client says that it knows of channel bindings. Sources in brackets, as in api_packages; [U2U] is
 * draft-swift-win2k-krb-user2user-03.
 */
#include "identities.h"
#include "loopback.h"

#define USER_SEAL (SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_SESSION_KEY)
#define DETECTION (ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define TGT_REQUEST 0x0400
#define TGT_REPLY 0x0401
#define AP_REQ 0x0100
#define AP_REP 0x0200

static wchar_t realm[128], bob[160];
static bool by_server; /* the tickets of this process are bob's */
static bool aware;     /* a client says so when it has no channel */
static struct loopback loop;

/* ---- both sides ---- */

static SECURITY_STATUS acquire(ULONG use, const wchar_t *user, const wchar_t *password,
                               CredHandle *out)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(user, realm, password);
    TimeStamp expiry;
    return AcquireCredentialsHandleW(NULL, (wchar_t *)L"Kerberos", use, NULL,
                                     user ? &identity : NULL, NULL, NULL, out, &expiry);
}

static bool open_loop(ULONG flags)
{
    if (!realm[0]) {
        skip_case("a KDC and two users");
        return false;
    }
    ZeroMemory(&loop, sizeof(loop));
    context_forget(&loop.client);
    context_forget(&loop.server);
    loop.target = bob;
    loop.client_flags = flags;
    loop.server_flags = ASC_REQ_USE_SESSION_KEY;
    SECURITY_STATUS status = by_server
                                 ? acquire(SECPKG_CRED_OUTBOUND, L"alice", L"one",
                                           &loop.client_cred)
                                 : acquire(SECPKG_CRED_OUTBOUND, NULL, NULL, &loop.client_cred);
    ok(!status, "the client's: %08lx", status);
    status = by_server ? acquire(SECPKG_CRED_INBOUND, NULL, NULL, &loop.server_cred)
                       : acquire(SECPKG_CRED_BOTH, L"bob", L"two", &loop.server_cred);
    return ok(!status, "the server's: %08lx", status);
}

/* [U2U 3] the mechanism, and what is in its frame; 0 for anything else. */
static unsigned kind_of(const BYTE *token, ULONG size)
{
    static const BYTE mechanism[] = {0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86,
                                     0xf7, 0x12, 0x01, 0x02, 0x02, 0x03};
    if (size < 20 || token[0] != 0x60) return 0;
    ULONG at = token[1] & 0x80 ? 2u + (token[1] & 0x7f) : 2;
    if (memcmp(token + at, mechanism, sizeof(mechanism))) return 0;
    return (unsigned)token[at + sizeof(mechanism)] << 8 | token[at + sizeof(mechanism) + 1];
}

static void kind_check(unsigned expected)
{
    unsigned kind = kind_of(loop.token, loop.token_size);
    ok(kind == expected, "a token %04x of %lu bytes", kind, loop.token_size);
}

/* Both up to the client's AP-REQ. */
static bool run_to_request(void)
{
    SECURITY_STATUS status = loopback_client_leg(&loop);
    if (!ok(status == SEC_I_CONTINUE_NEEDED, "client's first leg: %08lx", status)) return false;
    kind_check(TGT_REQUEST);
    status = loopback_server_leg(&loop);
    if (!ok(status == SEC_I_CONTINUE_NEEDED, "server's first leg: %08lx", status)) return false;
    kind_check(TGT_REPLY);
    status = loopback_client_leg(&loop);
    kind_check(AP_REQ);
    return ok(status == SEC_I_CONTINUE_NEEDED || !status, "client's second leg: %08lx", status);
}

/* ---- legs ---- */

/* [U2U 3], [D context-requirements] */
static void test_legs(void)
{
    if (!open_loop(USER_SEAL) || !run_to_request()) return;
    SECURITY_STATUS status = loopback_server_leg(&loop);
    ok(!status, "server's second leg: %08lx", status);
    kind_check(AP_REP);
    status = loopback_client_leg(&loop);
    ok(!status && !loop.token_size, "client's third leg: %08lx, %lu bytes", status,
       loop.token_size);
    ok(contexts_talk(&loop.client, &loop.server), "messages");
    loopback_close(&loop);
}

/* ASC_RET_ has these elsewhere than ISC_RET_ [H sspi.h]. */
static ULONG server_form(ULONG client)
{
    ULONG same = client & (ISC_RET_MUTUAL_AUTH | ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT |
                           ISC_RET_CONFIDENTIALITY | ISC_RET_USE_SESSION_KEY);
    if (client & ISC_RET_INTEGRITY) same |= ASC_RET_INTEGRITY;
    if (client & ISC_RET_IDENTIFY) same |= ASC_RET_IDENTIFY;
    return same;
}

/* [D initializesecuritycontext--kerberos]; ours: nothing is delegated, and detection brings
 * integrity along */
static void test_flags(void)
{
    static const struct {
        ULONG asked, returned;
    } rows[] = {
        {0, 0},
        {ISC_REQ_INTEGRITY, ISC_RET_INTEGRITY},
        {SEAL_FLAGS, SEAL_FLAGS},
        {ISC_REQ_MUTUAL_AUTH, ISC_RET_MUTUAL_AUTH},
        {ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE, ISC_RET_MUTUAL_AUTH},
        {DETECTION | SEAL_FLAGS, DETECTION | SEAL_FLAGS},
        {DETECTION | SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH | ISC_REQ_IDENTIFY,
         DETECTION | SEAL_FLAGS | ISC_RET_MUTUAL_AUTH | ISC_RET_IDENTIFY},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!open_loop(rows[i].asked | ISC_REQ_USE_SESSION_KEY)) return;
        SECURITY_STATUS status = loopback_connect(&loop);
        ok(!status, "row %u: %08lx", i, status);
        ULONG returned = rows[i].returned | ISC_RET_USE_SESSION_KEY;
        ok(loop.client_attrs == returned, "row %u: client's %08lx", i, loop.client_attrs);
        ok(loop.server_attrs == server_form(returned), "row %u: server's %08lx", i,
           loop.server_attrs);
        if (rows[i].returned & ISC_RET_CONFIDENTIALITY)
            ok(contexts_talk(&loop.client, &loop.server), "row %u: messages", i);
        loopback_close(&loop);
    }
}

/* [INF] what has no form is refused; ours: by the first leg */
static void test_refused(void)
{
    static const ULONG rows[] = {ISC_REQ_USE_DCE_STYLE, ISC_REQ_DATAGRAM};
    if (!ours_only()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!open_loop(USER_SEAL | rows[i])) return;
        SECURITY_STATUS status = loopback_client_leg(&loop);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "row %u: %08lx", i, status);
        ok(!context_present(&loop.client), "row %u: there is a context", i);
        loopback_close(&loop);
    }
    if (!open_loop(USER_SEAL)) return;
    loop.server_flags = 0;
    loopback_client_leg(&loop);
    SECURITY_STATUS status = loopback_server_leg(&loop);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "a server that does not allow it: %08lx", status);
    ok(!context_present(&loop.server), "there is a context");
    loopback_close(&loop);
}

/* ---- what is known ---- */

static void names_check(CtxtHandle *context)
{
    SecPkgContext_NativeNamesW names = {NULL, NULL};
    wchar_t alice[160];
    wsprintfW(alice, L"alice@%ls", realm);
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_NATIVE_NAMES, &names);
    if (!ok(!status, "names: %08lx", status)) return;
    ok(!lstrcmpW(names.sClientName, alice), "client %ls", names.sClientName);
    ok(!lstrcmpW(names.sServerName, bob), "server %ls", names.sServerName);
    FreeContextBuffer(names.sClientName);
    FreeContextBuffer(names.sServerName);
}

/* [D querycontextattributes--kerberos] */
static void test_attributes(void)
{
    SecPkgContext_SessionKey keys[2] = {{0, NULL}, {0, NULL}};
    SecPkgContext_Lifespan life;
    if (!open_loop(USER_SEAL)) return;
    SECURITY_STATUS status = loopback_connect(&loop);
    ok(!status, "connected: %08lx", status);
    for (int i = 0; i < 2; i++) {
        CtxtHandle *context = i ? &loop.server : &loop.client;
        names_check(context);
        status = QueryContextAttributesW(context, SECPKG_ATTR_SESSION_KEY, &keys[i]);
        ok(!status && keys[i].SessionKeyLength >= 16, "key: %08lx", status);
        status = QueryContextAttributesW(context, SECPKG_ATTR_LIFESPAN, &life);
        ok(!status && life.tsExpiry.QuadPart > life.tsStart.QuadPart, "lifespan: %08lx", status);
    }
    ok(keys[0].SessionKeyLength == keys[1].SessionKeyLength &&
           !memcmp(keys[0].SessionKey, keys[1].SessionKey, keys[0].SessionKeyLength),
       "the same key");
    FreeContextBuffer(keys[0].SessionKey);
    FreeContextBuffer(keys[1].SessionKey);
    loopback_close(&loop);
}

static void move(CtxtHandle *context, const char *whose)
{
    struct blob blob;
    SECURITY_STATUS status = context_export(context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    if (!ok(!status, "%s: exported: %08lx", whose, status)) return;
    context_forget(context);
    status = context_import(L"Kerberos", blob.bytes, blob.size, context);
    ok(!status, "%s: imported: %08lx", whose, status);
}

/* [D exportsecuritycontext]; ours: not before the end of the handshake */
static void test_moved(void)
{
    struct blob blob;
    if (!open_loop(USER_SEAL | DETECTION) || !ours_only()) return;
    if (!run_to_request()) return;
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, NULL);
    ok(status == SEC_E_NOT_SUPPORTED, "half-open client: %08lx", status);
    status = context_export(&loop.server, 0, &blob, NULL);
    ok(status == SEC_E_NOT_SUPPORTED, "half-open server: %08lx", status);
    status = loopback_server_leg(&loop);
    ok(!status, "server: %08lx", status);
    status = loopback_client_leg(&loop);
    ok(!status, "client: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "before");
    move(&loop.client, "client");
    ok(contexts_talk(&loop.client, &loop.server), "the client has moved");
    move(&loop.server, "server");
    ok(contexts_talk(&loop.client, &loop.server), "the server has moved");
    names_check(&loop.client);
    names_check(&loop.server);
    loopback_close(&loop);
}

/* ---- the wrong peer ---- */

/* ours: a server without a keytab has credentials, but for user-to-user only */
static void test_ordinary(void)
{
    if (!open_loop(SEAL_FLAGS) || !ours_only()) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(!status, "client: %08lx", status);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_NO_CREDENTIALS, "server: %08lx", status);
    loopback_close(&loop);
}

/* ours: RFC 4120 3.3.3, the KDC compares the target with whose ticket the server has sent */
static void test_wrong_peer(void)
{
    wchar_t carol[160];
    if (!open_loop(USER_SEAL) || !ours_only()) return;
    wsprintfW(carol, L"carol@%ls", realm);
    loop.target = carol;
    loopback_client_leg(&loop);
    SECURITY_STATUS status = loopback_server_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "the server says who it is: %08lx", status);
    status = loopback_client_leg(&loop);
    ok(status == SEC_E_WRONG_PRINCIPAL, "another user: %08lx", status);
    loopback_close(&loop);

    if (!open_loop(USER_SEAL)) return;
    loop.target = L"bob@ELSEWHERE.TEST";
    loopback_client_leg(&loop);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_NO_CREDENTIALS, "a request for another realm: %08lx", status);
    loopback_close(&loop);

    if (!open_loop(USER_SEAL)) return;
    loop.target = L"nobody";
    loopback_client_leg(&loop);
    loopback_server_leg(&loop);
    status = loopback_client_leg(&loop);
    ok(status == SEC_E_TARGET_UNKNOWN, "nobody: %08lx", status);
    loopback_close(&loop);
}

/* ---- tokens that are not what they should be ---- */

/* ours: a token that cannot be read changes nothing */
static void test_damaged_reply(void)
{
    BYTE reply[4096];
    if (!open_loop(USER_SEAL) || !ours_only()) return;
    loopback_client_leg(&loop);
    BYTE own[1024];
    ULONG own_size = loop.token_size;
    memcpy(own, loop.token, min(own_size, sizeof(own)));
    loopback_server_leg(&loop);
    ULONG size = loop.token_size;
    memcpy(reply, loop.token, min(size, sizeof(reply)));
    for (ULONG cut = 0; cut < size; cut++) {
        loop.token_size = cut;
        memcpy(loop.token, reply, cut);
        SECURITY_STATUS status = loopback_client_leg(&loop);
        ok(status == SEC_E_INVALID_TOKEN, "%lu bytes: %08lx", cut, status);
    }
    memcpy(loop.token, reply, size);
    loop.token_size = size;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "the whole one: %08lx", status);
    loopback_close(&loop);

    if (!open_loop(USER_SEAL)) return;
    loopback_client_leg(&loop);
    status = loopback_client_leg(&loop);
    ok(status == SEC_E_INVALID_TOKEN, "its own token: %08lx", status);
    loopback_close(&loop);
}

/* One server for each damage of an AP-REQ; ours: a client may begin with it */
static SECURITY_STATUS request_try(const BYTE *token, ULONG size)
{
    memcpy(loop.token, token, size);
    loop.token_size = size;
    SECURITY_STATUS status = loopback_server_leg(&loop);
    if (context_present(&loop.server)) DeleteSecurityContext(&loop.server);
    context_forget(&loop.server);
    return status;
}

static void test_damaged_request(void)
{
    static BYTE request[8192], damaged[8192];
    if (!open_loop(USER_SEAL) || !ours_only() || !run_to_request()) return;
    ULONG size = loop.token_size;
    memcpy(request, loop.token, size);
    DeleteSecurityContext(&loop.server);
    context_forget(&loop.server);
    for (ULONG i = 21; i < size; i += 7) { /* behind the name of the mechanism */
        SECURITY_STATUS status = request_try(request, i);
        ok(status == SEC_E_INVALID_TOKEN, "%lu bytes: %08lx", i, status);
    }
    /* The end is that of the authenticator, which is encrypted. */
    for (ULONG i = size - 40; i < size; i++) {
        memcpy(damaged, request, size);
        damaged[i] ^= 1;
        SECURITY_STATUS status = request_try(damaged, size);
        ok(status == SEC_E_LOGON_DENIED, "byte %lu: %08lx", i, status);
    }
    SECURITY_STATUS status = request_try(request, size);
    ok(!status, "the whole one: %08lx", status);
    status = request_try(request, size);
    ok(status == SEC_E_LOGON_DENIED, "a replay: %08lx", status);
    loopback_close(&loop);
}

/* ours: a token that does not fit is kept, and the server's first leg can be made again */
static void test_small(void)
{
    BYTE room[4096];
    if (!open_loop(USER_SEAL) || !ours_only()) return;
    loopback_client_leg(&loop);
    SecBuffer in = {loop.token_size, SECBUFFER_TOKEN, loop.token};
    SecBuffer out = {300, SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = AcceptSecurityContext(
        &loop.server_cred, NULL, &in_desc, loop.server_flags, SECURITY_NATIVE_DREP, &loop.server,
        &out_desc, &loop.server_attrs, NULL);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "the server's reply: %08lx", status);
    ok(!context_present(&loop.server), "there is a context");
    status = loopback_connect(&loop);
    ok(status < 0, "the client's leg is made, and its token gone: %08lx", status);
    loopback_close(&loop);

    if (!open_loop(USER_SEAL)) return;
    loopback_client_leg(&loop);
    loopback_server_leg(&loop);
    in = (SecBuffer){loop.token_size, SECBUFFER_TOKEN, loop.token};
    out = (SecBuffer){300, SECBUFFER_TOKEN, room};
    status = InitializeSecurityContextW(&loop.client_cred, &loop.client, bob, USER_SEAL, 0,
                                        SECURITY_NATIVE_DREP, &in_desc, 0, &loop.client, &out_desc,
                                        &loop.client_attrs, NULL);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "the client's AP-REQ: %08lx", status);
    status = loopback_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "with room: %08lx", status);
    status = loopback_server_leg(&loop);
    ok(!status, "server: %08lx", status);
    loopback_close(&loop);
}

/* ---- channel bindings ---- */

#define BINDINGS_RESULT 30 /* SECBUFFER_CHANNEL_BINDINGS_RESULT [D secbuffer] */

/* How the server is called: the leg that has its bindings, the room for its last token, and whether
 * it asks for the result. */
struct way {
    int when;
    ULONG room;
    bool asks;
};

/* The client gives its bindings with its first leg. */
static SECURITY_STATUS bound_connect(const char *client, const char *server, ULONG flags,
                                     const struct way *way)
{
    static BYTE room[16384];
    struct bindings ours, theirs;
    SecBuffer in = bindings_fill(&ours, client ? client : "");
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = InitializeSecurityContextW(
        &loop.client_cred, NULL, bob, USER_SEAL, 0, SECURITY_NATIVE_DREP, client ? &in_desc : NULL,
        0, &loop.client, &out_desc, &loop.client_attrs, NULL);
    for (int leg = 0; leg < 2; leg++) {
        if (status < 0) return status;
        SecBuffer parts[2] = {{out.cbBuffer, SECBUFFER_TOKEN, room},
                              bindings_fill(&theirs, server ? server : "")};
        SecBufferDesc parts_desc = {SECBUFFER_VERSION, server && leg >= way->when ? 2 : 1, parts};
        ULONG result;
        SecBuffer reply[2] = {{leg ? way->room : sizeof(loop.token), SECBUFFER_TOKEN, loop.token},
                              {sizeof(result), BINDINGS_RESULT, &result}};
        SecBufferDesc reply_desc = {SECBUFFER_VERSION, way->asks ? 2 : 1, reply};
        status = AcceptSecurityContext(&loop.server_cred, leg ? &loop.server : NULL, &parts_desc,
                                       flags | ASC_REQ_USE_SESSION_KEY, SECURITY_NATIVE_DREP,
                                       &loop.server, &reply_desc, &loop.server_attrs, NULL);
        if (leg || status < 0) return status;
        loop.token_size = reply[0].cbBuffer;
        status = loopback_client_leg(&loop);
        out.cbBuffer = loop.token_size;
        memcpy(room, loop.token, loop.token_size);
    }
    return status;
}

/* [D epa-support-in-service], as of other exchanges; ours: with either leg of the server. A client
 * that says that it has no channel is refused by one who has [INF]. */
static void test_bindings(void)
{
    const struct {
        const char *client, *server;
        ULONG flags;
        SECURITY_STATUS status;
    } rows[] = {
        {"tls-unique:one", "tls-unique:one", 0, SEC_E_OK},
        {"tls-unique:one", "tls-unique:two", 0, SEC_E_BAD_BINDINGS},
        {"tls-unique:one", "tls-unique:two", ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_BAD_BINDINGS},
        {"tls-unique:one", "tls-unique:two", ASC_REQ_PROXY_BINDINGS, SEC_E_OK},
        {"tls-unique:one", NULL, 0, SEC_E_OK},
        {NULL, "tls-unique:one", 0, SEC_E_BAD_BINDINGS},
        {NULL, "tls-unique:one", ASC_REQ_ALLOW_MISSING_BINDINGS,
         aware ? SEC_E_BAD_BINDINGS : SEC_E_OK},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < 4 * sizeof(rows) / sizeof(*rows); i++) {
        const struct way way = {(int)i % 2, sizeof(loop.token), i % 4 > 1};
        if (!open_loop(USER_SEAL)) return;
        SECURITY_STATUS status = bound_connect(rows[i / 4].client, rows[i / 4].server,
                                               rows[i / 4].flags, &way);
        ok(status == rows[i / 4].status, "row %u, way %u: %08lx", i / 4, i % 4, status);
        loopback_close(&loop);
    }
}

/* ours: an answer is kept for a client only that would have had it at once */
static void test_bindings_small(void)
{
    static const struct {
        const char *client, *server;
        ULONG flags;
        SECURITY_STATUS status, again;
    } rows[] = {
        {"tls-unique:one", "tls-unique:one", 0, SEC_E_BUFFER_TOO_SMALL, SEC_E_OK},
        {"tls-unique:one", "tls-unique:two", 0, SEC_E_BAD_BINDINGS, SEC_E_INVALID_HANDLE},
        {NULL, "tls-unique:one", 0, SEC_E_BAD_BINDINGS, SEC_E_INVALID_HANDLE},
        {NULL, NULL, ASC_REQ_PROXY_BINDINGS, SEC_E_BAD_BINDINGS, SEC_E_INVALID_HANDLE},
    };
    const struct way way = {0, 20, false};
    if (!ours_only()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!open_loop(USER_SEAL)) return;
        SECURITY_STATUS status = bound_connect(rows[i].client, rows[i].server, rows[i].flags, &way);
        ok(status == rows[i].status, "row %u: %08lx", i, status);
        status = loopback_server_leg(&loop);
        ok(status == rows[i].again, "row %u, again: %08lx", i, status);
        loopback_close(&loop);
    }
}

/* ---- without tickets ---- */

/* [D acceptsecuritycontext--kerberos] SEC_E_NO_CREDENTIALS */
static int without_tickets(void)
{
    CredHandle credential;
    SECURITY_STATUS status = acquire(SECPKG_CRED_INBOUND, NULL, NULL, &credential);
    ok(status == SEC_E_NO_CREDENTIALS, "to accept: %08lx", status);
    by_server = false;
    if (!open_loop(USER_SEAL)) return 1;
    status = loopback_client_leg(&loop);
    ok(status == SEC_E_NO_CREDENTIALS, "client: %08lx", status);
    loopback_close(&loop);

    by_server = true;
    status = acquire(SECPKG_CRED_OUTBOUND, L"alice", L"one", &loop.client_cred);
    ok(!status, "alice: %08lx", status);
    status = acquire(SECPKG_CRED_BOTH, NULL, NULL, &loop.server_cred);
    ok(!status, "both: %08lx", status);
    loopback_client_leg(&loop);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_NO_CREDENTIALS, "server: %08lx", status);
    loopback_close(&loop);
    return test_end("api_kerberos_user");
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        MultiByteToWideChar(CP_ACP, 0, argv[1], -1, realm, 128);
        wsprintfW(bob, L"bob@%ls", realm);
        by_server = !strcmp(argv[2], "server");
        if (!strcmp(argv[2], "nobody")) return without_tickets();
        aware = argc > 3 && !strcmp(argv[3], "aware");
    }
    if (aware) {
        RUN(test_bindings);
        return test_end("api_kerberos_user");
    }
    RUN(test_legs);
    RUN(test_flags);
    RUN(test_refused);
    RUN(test_attributes);
    RUN(test_moved);
    RUN(test_ordinary);
    RUN(test_wrong_peer);
    RUN(test_damaged_reply);
    RUN(test_damaged_request);
    RUN(test_small);
    RUN(test_bindings);
    RUN(test_bindings_small);
    return test_end("api_kerberos_user");
}
