/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * InitializeSecurityContext and AcceptSecurityContext for package NTLM, leg by leg: statuses,
 * requested and returned flags, output buffers that do not fit, memory from the package, channel
 * bindings, what a failed call leaves behind. Sources in brackets, as in api_packages.
 */
#include "loopback.h"

#define UNTOUCHED ((ULONG_PTR)0x5ec5ec5e)
#define SECURE_BITS \
    (ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY | ISC_RET_INTEGRITY)
#define SERVER_SECURE_BITS \
    (ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT | ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY)

static struct account account;
static bool have_account;
static struct loopback loop;

static SECURITY_STATUS first_leg(ULONG flags, SecBufferDesc *output, CtxtHandle *context,
                                 ULONG *attrs)
{
    TimeStamp expiry;
    *context = (CtxtHandle){UNTOUCHED, UNTOUCHED};
    *attrs = 0xfafafafa;
    return InitializeSecurityContextW(&loop.client_cred, NULL, NULL, flags, 0, SECURITY_NATIVE_DREP,
                                      NULL, 0, context, output, attrs, &expiry);
}

static bool open_loop(const struct account *as)
{
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", as);
    return ok(!status, "no credentials: %08lx", status);
}

/* [CI PSSPI] the flags of each leg for a request of confidentiality and integrity */
static void run_legs(const struct account *as)
{
    if (!open_loop(as)) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "client 1: %08lx", status);
    ok(loop.token_size > 0 && loop.token_size < 2888, "client 1: %lu bytes", loop.token_size);
    ok((loop.client_attrs & SECURE_BITS) == (ISC_RET_CONFIDENTIALITY | ISC_RET_INTEGRITY),
       "client 1: attributes %08lx", loop.client_attrs);
    status = loopback_server_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "server 1: %08lx", status);
    ok(loop.token_size > 0 && loop.token_size < 2888, "server 1: %lu bytes", loop.token_size);
    ok((loop.server_attrs & SERVER_SECURE_BITS) == SERVER_SECURE_BITS, "server 1: attributes %08lx",
       loop.server_attrs);
    status = loopback_client_leg(&loop);
    ok(status == SEC_E_OK, "client 2: %08lx", status);
    ok(loop.token_size > 0 && loop.token_size < 2888, "client 2: %lu bytes", loop.token_size);
    ok((loop.client_attrs & SECURE_BITS) == SECURE_BITS, "client 2: attributes %08lx",
       loop.client_attrs);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_OK, "server 2: %08lx", status);
    ok(loop.token_size == 0, "server 2: %lu bytes", loop.token_size);
    ok((loop.server_attrs & SERVER_SECURE_BITS) == SERVER_SECURE_BITS, "server 2: attributes %08lx",
       loop.server_attrs);
    if (!status) ok(contexts_talk(&loop.client, &loop.server), "the contexts do not talk");
    loopback_close(&loop);
}

static void test_legs_default(void)
{
    run_legs(NULL);
}

static void test_legs_account(void)
{
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    run_legs(&account);
}

/* [CI PSSPI] nothing asked, nothing returned; memory is the one exception */
static void test_no_flags(void)
{
    if (!open_loop(NULL)) return;
    BYTE room[4096];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG attrs;
    SECURITY_STATUS status = first_leg(0, &desc, &context, &attrs);
    ok(status == SEC_I_CONTINUE_NEEDED, "%08lx", status);
    ok(attrs == 0, "attributes %08lx", attrs);
    ok(out.BufferType == SECBUFFER_TOKEN, "buffer type %08lx", out.BufferType);
    DeleteSecurityContext(&context);

    out = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    status = first_leg(ISC_REQ_ALLOCATE_MEMORY, &desc, &context, &attrs);
    ok(status == SEC_I_CONTINUE_NEEDED, "allocate: %08lx", status);
    ok(attrs == ISC_RET_ALLOCATED_MEMORY, "allocate: attributes %08lx", attrs);
    ok(out.pvBuffer && out.cbBuffer && out.BufferType == SECBUFFER_TOKEN, "allocate: no token");
    ok(FreeContextBuffer(out.pvBuffer) == SEC_E_OK, "allocate: token not freed");
    DeleteSecurityContext(&context);
    loopback_close(&loop);
}

/* The bits of the first message follow the request [W8 ntlm.c:640-802]. */
static void test_negotiate_flags(void)
{
    static const struct {
        const char *name;
        ULONG request;
        bool sign, seal;
    } rows[] = {
        {"none", 0, false, false},
        {"CONNECTION", ISC_REQ_CONNECTION, false, false},
        {"EXTENDED_ERROR", ISC_REQ_EXTENDED_ERROR, false, false},
        {"MUTUAL_AUTH", ISC_REQ_MUTUAL_AUTH, false, false},
        {"USE_DCE_STYLE", ISC_REQ_USE_DCE_STYLE, false, false},
        {"DELEGATE", ISC_REQ_DELEGATE, false, false},
        {"INTEGRITY", ISC_REQ_INTEGRITY, true, false},
        {"REPLAY_DETECT", ISC_REQ_REPLAY_DETECT, true, false},
        {"SEQUENCE_DETECT", ISC_REQ_SEQUENCE_DETECT, true, false},
        {"CONFIDENTIALITY", ISC_REQ_CONFIDENTIALITY, false, true},
    };
    if (!open_loop(NULL)) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        BYTE room[4096] = {0};
        SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
        SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
        CtxtHandle context;
        ULONG attrs;
        SECURITY_STATUS status = first_leg(rows[i].request, &desc, &context, &attrs);
        if (!ok(status == SEC_I_CONTINUE_NEEDED, "%s: %08lx", rows[i].name, status)) continue;
        ok(!memcmp(room, "NTLMSSP\0\1\0\0\0", 12), "%s: not an NTLM message", rows[i].name);
        bool sign = room[12] & 0x10, seal = room[12] & 0x20;
        /* The test on Windows looks at SEAL alone where confidentiality is asked for. */
        ok(rows[i].seal || sign == rows[i].sign, "%s: SIGN is %d", rows[i].name, sign);
        ok(seal == rows[i].seal, "%s: SEAL is %d", rows[i].name, seal);
        DeleteSecurityContext(&context);
    }
    loopback_close(&loop);
}

/* Fails as it should and leaves the caller's handle alone. */
static void expect_no_context(SECURITY_STATUS status, SECURITY_STATUS expected, CtxtHandle *context,
                              const char *what)
{
    ok(status == expected, "%s: %08lx", what, status);
    ok(context->dwLower == UNTOUCHED && context->dwUpper == UNTOUCHED, "%s: handle changed", what);
    if (status >= 0) DeleteSecurityContext(context);
}

/* [W8 ntlm.c:449-489] output buffers that hold no token */
static void test_output_does_not_fit(void)
{
    if (!open_loop(NULL)) return;
    BYTE room[4096];
    SecBuffer out = {0, SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG attrs;
    SECURITY_STATUS status = first_leg(0, NULL, &context, &attrs);
    expect_no_context(status, SEC_E_BUFFER_TOO_SMALL, &context, "no output");
    status = first_leg(0, &desc, &context, &attrs);
    expect_no_context(status, SEC_E_BUFFER_TOO_SMALL, &context, "0 bytes");
    ok(out.cbBuffer == 0, "0 bytes: size is now %lu", out.cbBuffer);
    out = (SecBuffer){sizeof(room), SECBUFFER_DATA, room};
    status = first_leg(0, &desc, &context, &attrs);
    expect_no_context(status, SEC_E_BUFFER_TOO_SMALL, &context, "DATA buffer");
    out = (SecBuffer){4, SECBUFFER_TOKEN, room};
    memset(room, 0xfa, sizeof(room));
    status = first_leg(0, &desc, &context, &attrs);
    expect_no_context(status, SEC_E_BUFFER_TOO_SMALL, &context, "4 bytes");
    ok(room[4] == 0xfa && room[5] == 0xfa, "4 bytes: written behind the buffer");

    out = (SecBuffer){sizeof(room), SECBUFFER_TOKEN, NULL};
    status = first_leg(0, &desc, &context, &attrs);
    ok(status == SEC_E_INTERNAL_ERROR || status == SEC_I_CONTINUE_NEEDED, "no address: %08lx",
       status);
    if (status == SEC_I_CONTINUE_NEEDED) {
        ok(out.pvBuffer != NULL, "no address: a token came from nowhere");
        FreeContextBuffer(out.pvBuffer);
        DeleteSecurityContext(&context);
    }
    loopback_close(&loop);
}

/* ours: every size below the right one is too small, and the handshake can go on afterwards.
 * [W8 ntlm.c:437-439] has another status for an unusable buffer on this leg: no room at all. */
static void test_output_sizes_second_leg(void)
{
    if (!ours_only() || !open_loop(NULL)) return;
    BYTE room[4096], challenge[4096];
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    ULONG challenge_size = loop.token_size;
    memcpy(challenge, loop.token, challenge_size);
    for (ULONG size = 0; size < 64; size++) {
        SecBuffer in = {challenge_size, SECBUFFER_TOKEN, challenge};
        SecBuffer out = {size, SECBUFFER_TOKEN, room};
        SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
        SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
        memset(room, 0xfa, sizeof(room));
        ULONG attrs;
        SECURITY_STATUS status = InitializeSecurityContextW(
            &loop.client_cred, &loop.client, NULL, loop.client_flags, 0, SECURITY_NATIVE_DREP,
            &in_desc, 0, &loop.client, &out_desc, &attrs, NULL);
        SECURITY_STATUS expected = size ? SEC_E_BUFFER_TOO_SMALL : SEC_E_OUT_OF_SEQUENCE;
        ok(status == expected, "%lu bytes: %08lx", size, status);
        ok(room[size] == 0xfa, "%lu bytes: written behind the buffer", size);
    }
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2 after failures");
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
    ok(contexts_talk(&loop.client, &loop.server), "the contexts do not talk");
    loopback_close(&loop);
}

/* [CI PSSPI] tokens in memory of the package, on each leg that has one */
static void test_allocated_tokens(void)
{
    if (!open_loop(NULL)) return;
    SecBuffer from_client = {0, SECBUFFER_TOKEN, NULL}, from_server = from_client;
    SecBufferDesc client_desc = {SECBUFFER_VERSION, 1, &from_client};
    SecBufferDesc server_desc = {SECBUFFER_VERSION, 1, &from_server};
    const ULONG flags = SEAL_FLAGS | ISC_REQ_ALLOCATE_MEMORY;
    const ULONG server_flags = SERVER_SEAL_FLAGS | ASC_REQ_ALLOCATE_MEMORY;
    ULONG attrs;
    SECURITY_STATUS status = InitializeSecurityContextW(&loop.client_cred, NULL, NULL, flags, 0,
                                                        SECURITY_NATIVE_DREP, NULL, 0, &loop.client,
                                                        &client_desc, &attrs, NULL);
    ok(status == SEC_I_CONTINUE_NEEDED && from_client.pvBuffer, "client 1: %08lx", status);
    ok(attrs & ISC_RET_ALLOCATED_MEMORY, "client 1: attributes %08lx", attrs);
    status = AcceptSecurityContext(&loop.server_cred, NULL, &client_desc, server_flags,
                                   SECURITY_NATIVE_DREP, &loop.server, &server_desc, &attrs, NULL);
    ok(status == SEC_I_CONTINUE_NEEDED && from_server.pvBuffer, "server 1: %08lx", status);
    ok(attrs & ASC_RET_ALLOCATED_MEMORY, "server 1: attributes %08lx", attrs);
    ok(FreeContextBuffer(from_client.pvBuffer) == SEC_E_OK, "client token not freed");
    from_client = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    status = InitializeSecurityContextW(&loop.client_cred, &loop.client, NULL, flags, 0,
                                        SECURITY_NATIVE_DREP, &server_desc, 0, &loop.client,
                                        &client_desc, &attrs, NULL);
    ok(status == SEC_E_OK && from_client.pvBuffer, "client 2: %08lx", status);
    ok(FreeContextBuffer(from_server.pvBuffer) == SEC_E_OK, "server token not freed");
    from_server = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    status = AcceptSecurityContext(&loop.server_cred, &loop.server, &client_desc, server_flags,
                                   SECURITY_NATIVE_DREP, &loop.server, &server_desc, &attrs, NULL);
    ok(status == SEC_E_OK, "server 2: %08lx", status);
    ok(!from_server.pvBuffer && !from_server.cbBuffer, "server 2: a token out of nothing");
    ok(!(attrs & ASC_RET_ALLOCATED_MEMORY), "server 2: attributes %08lx", attrs);
    FreeContextBuffer(from_client.pvBuffer);
    loopback_close(&loop);
}

/* [W8 ntlm.c:496-500] no credential on the second leg; [W8 schannel.c:1203-1224] the new handle
 * is the old one, and need not be asked for */
static void test_second_leg_arguments(void)
{
    if (!open_loop(NULL)) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    BYTE room[4096];
    SecBuffer in = {loop.token_size, SECBUFFER_TOKEN, loop.token};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle made = {UNTOUCHED, UNTOUCHED};
    ULONG attrs;
    SECURITY_STATUS status = InitializeSecurityContextW(NULL, &loop.client, NULL, loop.client_flags,
                                                        0, SECURITY_NATIVE_DREP, &in_desc, 0, &made,
                                                        &out_desc, &attrs, NULL);
    ok(status == SEC_E_OK, "client 2 without credential: %08lx", status);
    ok(made.dwLower == loop.client.dwLower && made.dwUpper == loop.client.dwUpper,
       "client 2: another handle");
    in = out;
    out = (SecBuffer){sizeof(loop.token), SECBUFFER_TOKEN, loop.token};
    status = AcceptSecurityContext(&loop.server_cred, &loop.server, &in_desc, loop.server_flags,
                                   SECURITY_NATIVE_DREP, NULL, &out_desc, &attrs, NULL);
    ok(status == SEC_E_OK, "server 2 without new handle: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "the contexts do not talk");
    loopback_close(&loop);
}

static SECURITY_STATUS give_to_client(const void *bytes, ULONG size)
{
    BYTE room[4096];
    SecBuffer in = {size, SECBUFFER_TOKEN, (void *)bytes};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle made = {UNTOUCHED, UNTOUCHED};
    ULONG attrs;
    SECURITY_STATUS status = InitializeSecurityContextW(
        &loop.client_cred, &loop.client, NULL, loop.client_flags, 0, SECURITY_NATIVE_DREP, &in_desc,
        0, &made, &out_desc, &attrs, NULL);
    ok(made.dwLower == UNTOUCHED && made.dwUpper == UNTOUCHED, "a failed leg wrote the handle");
    return status;
}

static SECURITY_STATUS give_to_new_server(const void *bytes, ULONG size)
{
    BYTE room[4096];
    SecBuffer in = {size, SECBUFFER_TOKEN, (void *)bytes};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle made = {UNTOUCHED, UNTOUCHED};
    ULONG attrs;
    SECURITY_STATUS status = AcceptSecurityContext(&loop.server_cred, NULL, &in_desc,
                                                   loop.server_flags, SECURITY_NATIVE_DREP, &made,
                                                   &out_desc, &attrs, NULL);
    if (status >= 0) DeleteSecurityContext(&made);
    else
        ok(made.dwLower == UNTOUCHED && made.dwUpper == UNTOUCHED, "a failed leg wrote the handle");
    return status;
}

/* A client survives tokens that are none, and goes on with the right one. ours: that it does */
static void test_client_given_nonsense(void)
{
    if (!ours_only() || !open_loop(NULL)) return;
    BYTE negotiate[2888];
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ULONG negotiate_size = loop.token_size;
    memcpy(negotiate, loop.token, negotiate_size);
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");

    SECURITY_STATUS status = give_to_client("", 0);
    ok(status == SEC_E_INVALID_TOKEN, "empty: %08lx", status);
    status = give_to_client("0123456789012345678901234567890123456789", 40);
    ok(status == SEC_E_INVALID_TOKEN, "garbage: %08lx", status);
    status = give_to_client(negotiate, negotiate_size);
    ok(status == SEC_E_INVALID_TOKEN, "its own message: %08lx", status);
    static BYTE large[65536];
    memcpy(large, loop.token, loop.token_size);
    status = give_to_client(large, sizeof(large));
    ok(status < 0, "64 KiB: %08lx", status);
    for (ULONG size = 1; size < 48; size++) {
        status = give_to_client(loop.token, size);
        ok(status == SEC_E_INVALID_TOKEN, "first %lu bytes: %08lx", size, status);
    }
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2 after nonsense");
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
    ok(contexts_talk(&loop.client, &loop.server), "the contexts do not talk");
    loopback_close(&loop);
}

static void test_server_given_nonsense(void)
{
    if (!open_loop(NULL)) return;
    SECURITY_STATUS status = give_to_new_server("0123456789012345678901234567890123456789", 40);
    ok(status == SEC_E_INVALID_TOKEN, "garbage: %08lx", status);
    status = give_to_new_server("", 0);
    ok(status == SEC_E_INVALID_TOKEN, "empty: %08lx", status);
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    for (ULONG size = 1; size < 16; size++) {
        status = give_to_new_server(loop.token, size);
        ok(status == SEC_E_INVALID_TOKEN, "first %lu bytes: %08lx", size, status);
    }
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    status = give_to_new_server(loop.token, loop.token_size);
    ok(status == SEC_E_INVALID_TOKEN, "a challenge: %08lx", status);
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    /* The last message needs a server that sent the challenge. */
    status = give_to_new_server(loop.token, loop.token_size);
    ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_OUT_OF_SEQUENCE, "too early: %08lx",
       status);
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
    loopback_close(&loop);
}

/* A leg with this token and a buffer of that size, which is to fail. */
static void expect_output(bool server, const char *token, ULONG size, ULONG left, const char *what)
{
    BYTE room[4096];
    SecBuffer in = {(ULONG)strlen(token), SECBUFFER_TOKEN, (char *)token};
    SecBuffer out = {size, SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle made, *context = server ? &loop.server : &loop.client;
    bool first = !context_present(context);
    ULONG attrs;
    SECURITY_STATUS status;
    if (server)
        status = AcceptSecurityContext(&loop.server_cred, first ? NULL : context, &in_desc,
                                       loop.server_flags, SECURITY_NATIVE_DREP, &made, &out_desc,
                                       &attrs, NULL);
    else
        status = InitializeSecurityContextW(
            &loop.client_cred, first ? NULL : context, NULL, loop.client_flags, 0,
            SECURITY_NATIVE_DREP, first ? NULL : &in_desc, 0, &made, &out_desc, &attrs, NULL);
    ok(status < 0 && out.cbBuffer == left && out.pvBuffer == room, "%s: %08lx, %lu bytes", what,
       status, out.cbBuffer);
}

/* ours: a failed leg has nothing to send, for an application that sends its buffer whatever the
 * status; one that can be made again has its buffer as it was */
static void test_output_of_failed_legs(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(packages); i++) {
        winetest_push_context("%ls", packages[i]);
        SECURITY_STATUS status = loopback_open(&loop, packages[i], NULL);
        if (!ok(!status, "no credentials: %08lx", status)) break;
        expect_output(false, "", 4, 4, "no room");
        expect_output(true, "", 4, i ? 4 : 0, "nothing");
        expect_output(true, "a token that is none", 4096, 0, "server 1");
        expect_output(true, "NTLMSSP that is cut off", 4096, 0, "server 1, like NTLM");
        ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
        ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
        expect_output(false, "a token that is none", 4096, 0, "client 2");
        expect_output(true, "a token that is none", 4096, 0, "server 2");
        loopback_close(&loop);
        winetest_pop_context();
    }
}

/* A leg after the last one, and one with the first message again. ours: the status */
static void test_legs_after_the_end(void)
{
    if (!ours_only()) return;
    if (!ok(!loopback_make(&loop, L"NTLM", NULL), "no contexts")) return;
    SECURITY_STATUS status = give_to_client("NTLMSSP\0\2\0\0\0", 12);
    ok(status < 0, "client: %08lx", status);
    status = loopback_server_leg(&loop);
    ok(status < 0, "server: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* ours: descriptors that cannot be walked are refused, not walked */
static void test_bad_descriptors(void)
{
    if (!ours_only() || !open_loop(NULL)) return;
    BYTE room[4096];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc descs[] = {
        {7, 1, &out},
        {SECBUFFER_VERSION, 0, &out},
        {SECBUFFER_VERSION, 1, NULL},
        {SECBUFFER_VERSION, 0, NULL},
    };
    for (int i = 0; i < 4; i++) {
        CtxtHandle context;
        ULONG attrs;
        SECURITY_STATUS status = first_leg(0, &descs[i], &context, &attrs);
        ok(status < 0, "output %d: %08lx", i, status);
        SecBufferDesc good = {SECBUFFER_VERSION, 1, &out};
        out.cbBuffer = sizeof(room);
        status = AcceptSecurityContext(&loop.server_cred, NULL, &descs[i], 0, SECURITY_NATIVE_DREP,
                                       &context, &good, &attrs, NULL);
        ok(status < 0, "input %d: %08lx", i, status);
    }
    loopback_close(&loop);
}

/* Which of the credential's uses is needed. */
static void test_wrong_use(void)
{
    if (!open_loop(NULL)) return;
    CredHandle outbound = loop.client_cred;
    loop.client_cred = loop.server_cred;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status < 0, "a client with an inbound credential: %08lx", status);
    loop.client_cred = outbound;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    CredHandle inbound = loop.server_cred;
    loop.server_cred = outbound;
    status = loopback_server_leg(&loop);
    ok(status < 0, "a server with an outbound credential: %08lx", status);
    loop.server_cred = inbound;
    loopback_close(&loop);
}

/* All legs, with channel bindings before or behind the token in each input array. */
static SECURITY_STATUS connect_bound(const SecBuffer *client, const SecBuffer *server, int place,
                                     ULONG more_server_flags)
{
    for (int leg = 0; leg < 4; leg++) {
        bool is_client = leg % 2 == 0;
        const SecBuffer *bindings = is_client ? client : server;
        BYTE room[4096];
        SecBuffer in[2], out = {sizeof(room), SECBUFFER_TOKEN, room};
        in[place] = leg ? (SecBuffer){loop.token_size, SECBUFFER_TOKEN, loop.token}
                        : (SecBuffer){0, SECBUFFER_EMPTY, NULL};
        in[!place] = bindings ? *bindings : (SecBuffer){0, SECBUFFER_EMPTY, NULL};
        SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in};
        SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
        ULONG attrs;
        SECURITY_STATUS status =
            is_client
                ? InitializeSecurityContextW(&loop.client_cred, leg ? &loop.client : NULL, NULL,
                                             loop.client_flags, 0, SECURITY_NATIVE_DREP, &in_desc,
                                             0, &loop.client, &out_desc, &attrs, NULL)
                : AcceptSecurityContext(&loop.server_cred, leg > 1 ? &loop.server : NULL, &in_desc,
                                        loop.server_flags | more_server_flags, SECURITY_NATIVE_DREP,
                                        &loop.server, &out_desc, &attrs, NULL);
        if (status < 0) return status;
        loop.token_size = out.cbBuffer;
        memcpy(loop.token, room, out.cbBuffer);
    }
    return SEC_E_OK;
}

/* [CI PSSPI] the order of token and bindings does not matter */
static void test_channel_binding_order(void)
{
    struct bindings made;
    SecBuffer bindings = bindings_fill(&made, "tls-server-end-point:0123456789");
    for (int place = 0; place < 2; place++) {
        if (!open_loop(have_account ? &account : NULL)) return;
        SECURITY_STATUS status = connect_bound(&bindings, &bindings, place, 0);
        ok(status == SEC_E_OK, "token at %d: %08lx", place, status);
        if (!status) ok(contexts_talk(&loop.client, &loop.server), "the contexts do not talk");
        loopback_close(&loop);
    }
}

/* [D epa-support-in-service] what a server makes of other bindings and of none: who says that it
 * has no channel is not one of those that say nothing */
static void test_channel_binding_mismatch(void)
{
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    struct bindings made[2];
    SecBuffer one = bindings_fill(&made[0], "tls-server-end-point:0123456789");
    SecBuffer other = bindings_fill(&made[1], "tls-server-end-point:0123456788");
    const struct {
        const char *what;
        const SecBuffer *client, *server;
        ULONG flags;
        bool accepted;
    } rows[] = {
        {"the same", &one, &one, 0, true},
        {"others", &one, &other, 0, false},
        {"others, missing ones allowed", &one, &other, ASC_REQ_ALLOW_MISSING_BINDINGS, false},
        {"none from the client", NULL, &one, 0, false},
        {"none from the client, allowed", NULL, &one, ASC_REQ_ALLOW_MISSING_BINDINGS, false},
        {"none asked by the server", &one, NULL, 0, true},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!open_loop(&account)) return;
        SECURITY_STATUS status = connect_bound(rows[i].client, rows[i].server, 0, rows[i].flags);
        if (rows[i].accepted) ok(status == SEC_E_OK, "%s: %08lx", rows[i].what, status);
        else ok(status == SEC_E_BAD_BINDINGS, "%s: %08lx", rows[i].what, status);
        loopback_close(&loop);
    }
}

/* ours: bindings whose lengths point outside of their buffer */
static void test_channel_binding_lengths(void)
{
    if (!ours_only()) return;
    for (int i = 0; i < 2; i++) {
        struct bindings made;
        SecBuffer bad = bindings_fill(&made, "tls-server-end-point:0123456789");
        if (i == 0) made.head.cbApplicationDataLength = 0x7fffffff;
        if (i == 1) made.head.dwApplicationDataOffset = 0xfffffff0;
        if (!open_loop(have_account ? &account : NULL)) return;
        SECURITY_STATUS status = connect_bound(&bad, &bad, 0, 0);
        ok(status < 0, "case %d: %08lx", i, status);
        loopback_close(&loop);
    }
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_legs_default);
    RUN(test_legs_account);
    RUN(test_no_flags);
    RUN(test_negotiate_flags);
    RUN(test_output_does_not_fit);
    RUN(test_output_sizes_second_leg);
    RUN(test_allocated_tokens);
    RUN(test_second_leg_arguments);
    RUN(test_client_given_nonsense);
    RUN(test_server_given_nonsense);
    RUN(test_output_of_failed_legs);
    RUN(test_legs_after_the_end);
    RUN(test_bad_descriptors);
    RUN(test_wrong_use);
    RUN(test_channel_binding_order);
    RUN(test_channel_binding_mismatch);
    RUN(test_channel_binding_lengths);
    if (have_account) account_remove(&account);
    return test_end("api_context");
}
