/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handshakes of the package Kerberos: their legs, what an application can ask of them, whether the
 * flags that it gets back are true, and buffers and tokens of every size. Needs the name of a
 * service whose key is in this machine's keytab, and a ticket for its client: the script of the
 * same group has a KDC for that. Sources in brackets, as in api_packages.
 */
#include "loopback.h"

#define MUTUAL_SEAL (SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH)
#define DETECTION (ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)

static wchar_t service[256];
static struct loopback loop;

/* ASC_RET_ has these elsewhere than ISC_RET_ [H sspi.h]. */
static ULONG server_form(ULONG client)
{
    ULONG same = client &
                 (ISC_RET_DELEGATE | ISC_RET_MUTUAL_AUTH | ISC_RET_REPLAY_DETECT |
                  ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY | ISC_RET_USED_DCE_STYLE);
    if (client & ISC_RET_INTEGRITY) same |= ASC_RET_INTEGRITY;
    if (client & ISC_RET_IDENTIFY) same |= ASC_RET_IDENTIFY;
    if (client & ISC_RET_EXTENDED_ERROR) same |= ASC_RET_EXTENDED_ERROR;
    return same;
}

static bool open_loop(ULONG flags)
{
    if (!service[0]) {
        skip_case("a KDC and a service");
        return false;
    }
    SECURITY_STATUS status = loopback_open(&loop, L"Kerberos", NULL);
    loop.target = service;
    loop.client_flags = flags;
    loop.server_flags = 0;
    return ok(!status, "no credentials: %08lx", status);
}

/* ---- legs ---- */

/* [D sspi.h timestamp] local time; the tickets of the script last for ten hours. */
static void expiry_check(const TimeStamp *expiry)
{
    FILETIME now, local;
    GetSystemTimeAsFileTime(&now);
    FileTimeToLocalFileTime(&now, &local);
    LONGLONG from = (LONGLONG)local.dwHighDateTime << 32 | local.dwLowDateTime;
    LONGLONG left = (expiry->QuadPart - from) / 10000000;
    ok(left > 60 && left <= 7 * 24 * 3600, "%ld seconds left", (long)left);
}

/* [D initializesecuritycontext--kerberos], RFC 4121 4.1: AP-REQ and AP-REP */
static void test_mutual(void)
{
    if (!open_loop(MUTUAL_SEAL)) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "client's first leg: %08lx", status);
    ok(loop.token_size > 100 && loop.token[0] == 0x60, "%lu bytes, %02x", loop.token_size,
       loop.token[0]);
    /* [D initializesecuritycontextw] the context's end; clients of SSH take it from here */
    expiry_check(&loop.client_expiry);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_OK, "server: %08lx", status);
    ok(loop.token_size > 0 && loop.token[0] == 0x60, "%lu bytes of answer", loop.token_size);
    expiry_check(&loop.server_expiry);
    status = loopback_client_leg(&loop);
    ok(status == SEC_E_OK, "client's second leg: %08lx", status);
    ok(!loop.token_size, "%lu bytes more", loop.token_size);
    expiry_check(&loop.client_expiry);
    ok(loop.client_attrs & ISC_RET_MUTUAL_AUTH, "client's attributes %08lx", loop.client_attrs);
    loopback_close(&loop);
}

/* RFC 4121 4.1: without an AP-REP the client is ready at once */
static void test_one_leg(void)
{
    if (!open_loop(SEAL_FLAGS)) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_E_OK, "client: %08lx", status);
    ok(loop.token_size > 100, "%lu bytes", loop.token_size);
    expiry_check(&loop.client_expiry);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_OK, "server: %08lx", status);
    ok(!loop.token_size, "%lu bytes of answer", loop.token_size);
    ok(!(loop.client_attrs & ISC_RET_MUTUAL_AUTH), "attributes %08lx", loop.client_attrs);
    loopback_close(&loop);
}

/* [OS MS-KILE 3.4.5.1] no frame of GSS-API, a third leg, and mutual authentication in any case */
static void test_dce_style(void)
{
    if (!open_loop(SEAL_FLAGS | ISC_REQ_USE_DCE_STYLE)) return;
    loop.server_flags = ASC_REQ_USE_DCE_STYLE;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "client's first leg: %08lx", status);
    ok(loop.token[0] == 0x6e, "an AP-REQ begins with %02x", loop.token[0]);
    status = loopback_server_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "server's first leg: %08lx", status);
    ok(loop.token[0] == 0x6f, "an AP-REP begins with %02x", loop.token[0]);
    status = loopback_client_leg(&loop);
    ok(status == SEC_E_OK, "client's second leg: %08lx", status);
    ok(loop.token_size && loop.token[0] == 0x6f, "%lu bytes", loop.token_size);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_OK, "server's second leg: %08lx", status);
    ok(!loop.token_size, "%lu bytes more", loop.token_size);
    ULONG both = ISC_RET_USED_DCE_STYLE | ISC_RET_MUTUAL_AUTH;
    ok((loop.client_attrs & both) == both, "client's attributes %08lx", loop.client_attrs);
    ok((loop.server_attrs & both) == both, "server's attributes %08lx", loop.server_attrs);
    loopback_close(&loop);
}

/* ours: what a leg too many is told, and that it does not harm */
static void test_leg_too_many(void)
{
    if (!open_loop(MUTUAL_SEAL) || !ours_only()) return;
    SECURITY_STATUS status = loopback_connect(&loop);
    ok(!status, "connected: %08lx", status);
    loop.token_size = 10;
    status = loopback_client_leg(&loop);
    ok(status == SEC_E_OUT_OF_SEQUENCE, "client: %08lx", status);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_OUT_OF_SEQUENCE, "server: %08lx", status);
    SecPkgContext_Flags flags;
    status = QueryContextAttributesW(&loop.client, SECPKG_ATTR_FLAGS, &flags);
    ok(!status, "still there: %08lx", status);
    loopback_close(&loop);
}

/* ---- flags ---- */

/* [D context-requirements] detection of replays and gaps implies integrity, delegation needs mutual
 * authentication, and what cannot be had is not returned; [H sspi.h] the bits. ours: which those
 * are. The KDC of the script calls no server trusted for delegation (RFC 4120 2.8). */
static void test_flags(void)
{
    static const struct {
        ULONG asked, returned;
    } rows[] = {
        {0, 0},
        {ISC_REQ_MUTUAL_AUTH, ISC_RET_MUTUAL_AUTH},
        {ISC_REQ_DELEGATE, 0},
        {ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH, ISC_RET_MUTUAL_AUTH},
        {ISC_REQ_REPLAY_DETECT, ISC_RET_REPLAY_DETECT | ISC_RET_INTEGRITY},
        {ISC_REQ_SEQUENCE_DETECT, ISC_RET_SEQUENCE_DETECT | ISC_RET_INTEGRITY},
        {ISC_REQ_INTEGRITY, ISC_RET_INTEGRITY},
        {ISC_REQ_CONFIDENTIALITY, ISC_RET_CONFIDENTIALITY | ISC_RET_INTEGRITY},
        {MUTUAL_SEAL | DETECTION, MUTUAL_SEAL | DETECTION},
        {ISC_REQ_IDENTIFY, ISC_RET_IDENTIFY},
        {ISC_REQ_EXTENDED_ERROR, ISC_RET_EXTENDED_ERROR},
        {ISC_REQ_USE_DCE_STYLE, ISC_RET_USED_DCE_STYLE | ISC_RET_MUTUAL_AUTH},
        {ISC_REQ_PROMPT_FOR_CREDS, 0},
        {ISC_REQ_USE_SUPPLIED_CREDS, 0},
        {ISC_REQ_CALL_LEVEL, 0},
        {ISC_REQ_STREAM, 0},
        {ISC_REQ_FRAGMENT_TO_FIT, 0},
        {ISC_REQ_NO_INTEGRITY, 0},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!open_loop(rows[i].asked)) return;
        SECURITY_STATUS status = loopback_connect(&loop);
        ok(!status, "%08lx: %08lx", rows[i].asked, status);
        ok(loop.client_attrs == rows[i].returned, "%08lx: client's %08lx", rows[i].asked,
           loop.client_attrs);
        /* The token says no more of integrity than of confidentiality: the library offers both. */
        ULONG offered = ISC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY;
        ok((loop.server_attrs & ~offered) == (server_form(rows[i].returned) & ~offered),
           "%08lx: server's %08lx", rows[i].asked, loop.server_attrs);
        loopback_close(&loop);
    }
}

/* [D context-requirements] CONNECTION and DATAGRAM are told back; ours: of the server's wishes
 * nothing else is */
static void test_echoed_flags(void)
{
    if (!open_loop(ISC_REQ_CONNECTION) || !ours_only()) return;
    loop.server_flags = ASC_REQ_CONNECTION | ASC_REQ_CONFIDENTIALITY | ASC_REQ_DELEGATE |
                        ASC_REQ_USE_SESSION_KEY | ASC_REQ_REPLAY_DETECT;
    SECURITY_STATUS status = loopback_connect(&loop);
    ok(!status, "connected: %08lx", status);
    ok(loop.client_attrs == ISC_RET_CONNECTION, "client's %08lx", loop.client_attrs);
    ULONG refused = ASC_RET_DELEGATE | ASC_RET_USE_SESSION_KEY | ASC_RET_REPLAY_DETECT;
    ok(loop.server_attrs & ASC_RET_CONNECTION && !(loop.server_attrs & refused), "server's %08lx",
       loop.server_attrs);
    loopback_close(&loop);
}

/* ours: what the host's libraries have no exchange for is refused */
static void test_refused_flags(void)
{
    static const struct {
        ULONG asked;
        SECURITY_STATUS status;
    } rows[] = {
        {ISC_REQ_USE_SESSION_KEY | ISC_REQ_USE_DCE_STYLE, SEC_E_UNSUPPORTED_FUNCTION},
        {ISC_REQ_NULL_SESSION, SEC_E_NO_CREDENTIALS},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!open_loop(rows[i].asked)) return;
        SECURITY_STATUS status = loopback_client_leg(&loop);
        ok(status == rows[i].status, "%08lx: %08lx", rows[i].asked, status);
        ok(!context_present(&loop.client), "%08lx: there is a context", rows[i].asked);
        loopback_close(&loop);
    }
}

/* ---- buffers ---- */

static SECURITY_STATUS client_leg(SecBuffer *out, const BYTE *token, ULONG size, ULONG flags)
{
    SecBuffer in = {size, SECBUFFER_TOKEN, (void *)token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, out};
    bool first = !context_present(&loop.client);
    return InitializeSecurityContextW(&loop.client_cred, first ? NULL : &loop.client, service,
                                      flags, 0, SECURITY_NATIVE_DREP, token ? &in_desc : NULL, 0,
                                      &loop.client, &out_desc, &loop.client_attrs,
                                      &loop.client_expiry);
}

static SECURITY_STATUS server_leg(SecBuffer *out, const BYTE *token, ULONG size, ULONG flags)
{
    SecBuffer in = {size, SECBUFFER_TOKEN, (void *)token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, out};
    bool first = !context_present(&loop.server);
    return AcceptSecurityContext(&loop.server_cred, first ? NULL : &loop.server, &in_desc, flags,
                                 SECURITY_NATIVE_DREP, &loop.server, out ? &out_desc : NULL,
                                 &loop.server_attrs, &loop.server_expiry);
}

/* [D initializesecuritycontext--kerberos] ISC_REQ_ALLOCATE_MEMORY: the package allocates */
static void test_allocated(void)
{
    if (!open_loop(MUTUAL_SEAL)) return;
    SecBuffer one = {0, SECBUFFER_TOKEN, NULL}, two = one, three = one;
    SECURITY_STATUS status = client_leg(&one, NULL, 0, MUTUAL_SEAL | ISC_REQ_ALLOCATE_MEMORY);
    ok(status == SEC_I_CONTINUE_NEEDED && one.pvBuffer, "client: %08lx", status);
    ok(loop.client_attrs & ISC_RET_ALLOCATED_MEMORY, "attributes %08lx", loop.client_attrs);
    status = server_leg(&two, one.pvBuffer, one.cbBuffer, ASC_REQ_ALLOCATE_MEMORY);
    ok(status == SEC_E_OK && two.pvBuffer, "server: %08lx", status);
    ok(loop.server_attrs & ASC_RET_ALLOCATED_MEMORY, "attributes %08lx", loop.server_attrs);
    status = client_leg(&three, two.pvBuffer, two.cbBuffer, MUTUAL_SEAL | ISC_REQ_ALLOCATE_MEMORY);
    ok(status == SEC_E_OK && !three.cbBuffer, "client: %08lx, %lu bytes", status, three.cbBuffer);
    FreeContextBuffer(one.pvBuffer);
    FreeContextBuffer(two.pvBuffer);
    loopback_close(&loop);
}

/* [W8 ntlm.c:542-560] of NTLM: a buffer of size 0 or without memory; ours: the same here, and that
 * a buffer that is too small harms nothing */
static void test_small_first(void)
{
    static BYTE room[16384];
    if (!open_loop(MUTUAL_SEAL) || !ours_only()) return;
    SecBuffer none = {0, SECBUFFER_TOKEN, room}, null = {100, SECBUFFER_TOKEN, NULL};
    SecBuffer small = {100, SECBUFFER_TOKEN, room}, good = {sizeof(room), SECBUFFER_TOKEN, room};
    SECURITY_STATUS status = client_leg(&none, NULL, 0, MUTUAL_SEAL);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "no room: %08lx", status);
    status = client_leg(&null, NULL, 0, MUTUAL_SEAL);
    ok(status == SEC_E_INTERNAL_ERROR, "no memory: %08lx", status);
    status = client_leg(&small, NULL, 0, MUTUAL_SEAL);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "100 bytes: %08lx", status);
    ok(!context_present(&loop.client), "there is a context");
    status = client_leg(&good, NULL, 0, MUTUAL_SEAL);
    ok(status == SEC_I_CONTINUE_NEEDED, "with room: %08lx", status);

    BYTE answer[1024];
    SecBuffer tiny = {16, SECBUFFER_TOKEN, answer},
              enough = {sizeof(answer), SECBUFFER_TOKEN, answer};
    status = server_leg(&tiny, room, good.cbBuffer, 0);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "server without room: %08lx", status);
    status = server_leg(&enough, room, good.cbBuffer, 0);
    ok(status == SEC_E_OK, "the same token again: %08lx", status);
    loopback_close(&loop);
}

/* ours: a token that does not fit is kept for the next leg */
static void test_small_next(void)
{
    static BYTE room[16384];
    BYTE answer[1024], last[1024];
    ULONG flags = SEAL_FLAGS | ISC_REQ_USE_DCE_STYLE;
    if (!open_loop(flags) || !ours_only()) return;
    SecBuffer first = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBuffer reply = {sizeof(answer), SECBUFFER_TOKEN, answer};
    SecBuffer small = {10, SECBUFFER_TOKEN, last}, good = {sizeof(last), SECBUFFER_TOKEN, last};
    SecBuffer end = {sizeof(room), SECBUFFER_TOKEN, room};
    SECURITY_STATUS status = client_leg(&first, NULL, 0, flags);
    ok(status == SEC_I_CONTINUE_NEEDED, "client: %08lx", status);
    status = server_leg(&reply, room, first.cbBuffer, ASC_REQ_USE_DCE_STYLE);
    ok(status == SEC_I_CONTINUE_NEEDED, "server: %08lx", status);
    status = client_leg(&small, answer, reply.cbBuffer, flags);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "client without room: %08lx", status);
    status = client_leg(&good, answer, reply.cbBuffer, flags);
    ok(status == SEC_E_OK && good.cbBuffer > 10, "with room: %08lx, %lu bytes", status,
       good.cbBuffer);
    status = server_leg(&end, last, good.cbBuffer, ASC_REQ_USE_DCE_STYLE);
    ok(status == SEC_E_OK, "server's second leg: %08lx", status);
    loopback_close(&loop);
}

/* ---- channel bindings ---- */

#define BINDINGS_RESULT 30 /* SECBUFFER_CHANNEL_BINDINGS_RESULT [D secbuffer] */

enum { RESULT = 1, REFRAMED = 2 };

/* RFC 2743 3.1, with a longer form of the length, which somebody between the two can make: nothing
 * protects the frame. */
static void reframe(BYTE *token, ULONG *size)
{
    if (!ok(token[0] == 0x60 && token[1] == 0x82, "a frame %02x %02x", token[0], token[1])) return;
    memmove(token + 3, token + 2, *size - 2);
    token[1] = 0x83;
    token[2] = 0;
    (*size)++;
}

static SECURITY_STATUS bound_connect(const char *client, const char *server, ULONG server_flags,
                                     int how)
{
    static BYTE room[16384];
    struct bindings ours, theirs;
    SecBuffer in = bindings_fill(&ours, client ? client : "");
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = InitializeSecurityContextW(
        &loop.client_cred, NULL, service, SEAL_FLAGS, 0, SECURITY_NATIVE_DREP,
        client ? &in_desc : NULL, 0, &loop.client, &out_desc, &loop.client_attrs, NULL);
    if (status) return status;
    if (how & REFRAMED) reframe(room, &out.cbBuffer);
    BYTE answer[1024];
    ULONG result;
    SecBuffer parts[2] = {{out.cbBuffer, SECBUFFER_TOKEN, room},
                          bindings_fill(&theirs, server ? server : "")};
    SecBuffer reply[2] = {{sizeof(answer), SECBUFFER_TOKEN, answer},
                          {sizeof(result), BINDINGS_RESULT, &result}};
    SecBufferDesc parts_desc = {SECBUFFER_VERSION, server ? 2 : 1, parts};
    SecBufferDesc reply_desc = {SECBUFFER_VERSION, how & RESULT ? 2 : 1, reply};
    return AcceptSecurityContext(&loop.server_cred, NULL, &parts_desc, server_flags,
                                 SECURITY_NATIVE_DREP, &loop.server, &reply_desc,
                                 &loop.server_attrs, NULL);
}

/* [D epa-support-in-service] ASC_REQ_ALLOW_MISSING_BINDINGS lets clients in that have none, and
 * ASC_REQ_PROXY_BINDINGS says that the channel ends elsewhere; ours: who has none is refused
 * otherwise, and what cannot be read is nothing that may be missing */
static void test_bindings(void)
{
    static const struct {
        const char *client, *server;
        ULONG flags;
        SECURITY_STATUS status;
        int how;
    } rows[] = {
        {"tls-unique:one", "tls-unique:one", 0, SEC_E_OK, 0},
        {"tls-unique:one", "tls-unique:two", 0, SEC_E_BAD_BINDINGS, 0},
        {"tls-unique:one", "tls-unique:two", ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_BAD_BINDINGS, 0},
        {"tls-unique:one", "tls-unique:two", ASC_REQ_PROXY_BINDINGS, SEC_E_OK, 0},
        {"tls-unique:one", NULL, 0, SEC_E_OK, 0},
        {NULL, "tls-unique:one", 0, SEC_E_BAD_BINDINGS, 0},
        {NULL, "tls-unique:one", ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_OK, 0},
        {"", "tls-unique:one", ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_OK, 0},
        {NULL, "", 0, SEC_E_OK, 0},
        {"tls-unique:one", "tls-unique:one", 0, SEC_E_OK, RESULT | REFRAMED},
        {"tls-unique:one", "tls-unique:two", ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_BAD_BINDINGS,
         RESULT | REFRAMED},
        {"tls-unique:one", NULL, ASC_REQ_PROXY_BINDINGS | ASC_REQ_ALLOW_MISSING_BINDINGS,
         SEC_E_BAD_BINDINGS, REFRAMED},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!open_loop(SEAL_FLAGS)) return;
        SECURITY_STATUS status = bound_connect(rows[i].client, rows[i].server, rows[i].flags,
                                               rows[i].how);
        ok(status == rows[i].status, "row %u: %08lx", i, status);
        loopback_close(&loop);
    }
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS 10

static DWORD WINAPI connect_often(void *argument)
{
    struct loopback *own = argument;
    for (int i = 0; i < ROUNDS; i++) {
        SECURITY_STATUS status = loopback_connect(own);
        if (status) return (DWORD)status;
        DeleteSecurityContext(&own->client);
        DeleteSecurityContext(&own->server);
        context_forget(&own->client);
        context_forget(&own->server);
        own->token_size = 0;
    }
    return 0;
}

/* [D acquirecredentialshandle--kerberos] one credential serves any number of contexts */
static void test_threads(void)
{
    static struct loopback loops[THREADS];
    HANDLE threads[THREADS];
    if (!open_loop(MUTUAL_SEAL)) return;
    for (int i = 0; i < THREADS; i++) {
        loops[i] = loop;
        threads[i] = CreateThread(NULL, 0, connect_often, &loops[i], 0, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        DWORD status = 1;
        WaitForSingleObject(threads[i], 60000);
        GetExitCodeThread(threads[i], &status);
        ok(!status, "thread %d: %08lx", i, status);
        CloseHandle(threads[i]);
    }
    loopback_close(&loop);
}

static SECURITY_STATUS raced[2];
static BYTE race_token[1024];
static ULONG race_size;

static DWORD WINAPI race(void *argument)
{
    BYTE room[1024];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    raced[(ULONG_PTR)argument] = client_leg(&out, race_token, race_size, MUTUAL_SEAL);
    return 0;
}

/* [D initializesecuritycontext--kerberos] says not to do this; ours: one of the two legs is made */
static void test_race(void)
{
    if (!open_loop(MUTUAL_SEAL) || !ours_only()) return;
    loopback_client_leg(&loop);
    SECURITY_STATUS status = loopback_server_leg(&loop);
    ok(!status, "server: %08lx", status);
    race_size = loop.token_size;
    memcpy(race_token, loop.token, min(race_size, sizeof(race_token)));
    HANDLE threads[2];
    for (ULONG_PTR i = 0; i < 2; i++) threads[i] = CreateThread(NULL, 0, race, (void *)i, 0, NULL);
    WaitForMultipleObjects(2, threads, TRUE, 60000);
    CloseHandle(threads[0]);
    CloseHandle(threads[1]);
    int good = !raced[0] + !raced[1];
    ok(good == 1, "%08lx and %08lx", raced[0], raced[1]);
    ok(raced[0] == SEC_E_OUT_OF_SEQUENCE || raced[1] == SEC_E_OUT_OF_SEQUENCE, "%08lx and %08lx",
       raced[0], raced[1]);
    loopback_close(&loop);
}

int main(int argc, char **argv)
{
    if (argc > 1) MultiByteToWideChar(CP_ACP, 0, argv[1], -1, service, 256);
    RUN(test_mutual);
    RUN(test_one_leg);
    RUN(test_dce_style);
    RUN(test_leg_too_many);
    RUN(test_flags);
    RUN(test_echoed_flags);
    RUN(test_refused_flags);
    RUN(test_allocated);
    RUN(test_small_first);
    RUN(test_small_next);
    RUN(test_bindings);
    RUN(test_threads);
    RUN(test_race);
    return test_end("api_kerberos_legs");
}
