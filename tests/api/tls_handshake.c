/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handshakes of TLS: the buffers of their legs, what they can settle, and how they end. */
#include "support.h"
#include "tls_pair.h"

#include <stdio.h>

static struct tls_pair pair;

/* ---- the packages ---- */

/* [OBS listings of Windows 10 and 11] */
static void test_packages(void)
{
    static const wchar_t *const names[] = {SCHANNEL_NAME_W, UNISP_NAME_W, DEFAULT_TLS_SSP_NAME_W};
    for (unsigned i = 0; i < 3; i++) {
        SecPkgInfoW *info;
        SECURITY_STATUS status = QuerySecurityPackageInfoW((wchar_t *)names[i], &info);
        if (!ok(status == SEC_E_OK, "%ls: %08lx", names[i], status)) continue;
        ok((info->fCapabilities & 0x107b3) == 0x107b3, "capabilities %08lx", info->fCapabilities);
        ok(info->wRPCID == UNISP_RPC_ID, "RPC id %u", info->wRPCID);
        ok(info->cbMaxToken == 24576, "token %lu", info->cbMaxToken);
        ok(!lstrcmpW(info->Name, names[i]), "name %ls", info->Name);
        FreeContextBuffer(info);
    }
}

/* ---- the first leg of a client ---- */

#define USUAL (ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM)

static CredHandle client_cred;
static ULONG attrs;

static bool client_credential(void)
{
    const struct tls_pair_options options = {0};
    SECURITY_STATUS status = tls_pair_credential(&options, false, &client_cred);
    return ok(status == SEC_E_OK, "credential: %08lx", status);
}

static SECURITY_STATUS first_leg(ULONG flags, SecBufferDesc *input, SecBufferDesc *output,
                                 CtxtHandle *context)
{
    tls_handle_forget(context);
    return InitializeSecurityContextW(&client_cred, NULL, (wchar_t *)L"localhost", flags, 0, 0,
                                      input, 0, context, output, &attrs, NULL);
}

/* [W8 schannel.c:693-713, 1111-1114] */
static void test_first_output(void)
{
    BYTE room[2048], alert[64];
    SecBuffer out[2] = {{0, SECBUFFER_TOKEN, NULL}, {0, SECBUFFER_ALERT, alert}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, out};
    CtxtHandle context;
    if (!client_credential()) return;
    SECURITY_STATUS status = first_leg(USUAL, NULL, NULL, &context);
    ok(status == SEC_E_INVALID_TOKEN, "no output: %08lx", status);
    status = first_leg(USUAL, NULL, &desc, &context);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "no room: %08lx", status);
    ok(!tls_handle_present(&context), "a context was made");

    out[0] = (SecBuffer){0, SECBUFFER_TOKEN, room};
    status = first_leg(USUAL | ISC_REQ_ALLOCATE_MEMORY, NULL, &desc, &context);
    if (ok(status == SEC_I_CONTINUE_NEEDED, "allocated: %08lx", status)) {
        ok(out[0].pvBuffer != room && out[0].pvBuffer, "the caller's memory was kept");
        ok(out[0].cbBuffer > 64, "%lu bytes", out[0].cbBuffer);
        ok(attrs & ISC_RET_ALLOCATED_MEMORY, "attributes %08lx", attrs);
        FreeContextBuffer(out[0].pvBuffer);
        DeleteSecurityContext(&context);
    }

    out[0] = (SecBuffer){sizeof(room), SECBUFFER_TOKEN, room};
    desc.cBuffers = 2;
    status = first_leg(USUAL, NULL, &desc, &context);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "no room for an alert: %08lx", status);
    out[0].cbBuffer = sizeof(room);
    out[1].cbBuffer = sizeof(alert);
    status = first_leg(USUAL, NULL, &desc, &context);
    if (ok(status == SEC_I_CONTINUE_NEEDED, "%08lx", status)) {
        ok(out[1].cbBuffer == 0, "an alert of %lu bytes", out[1].cbBuffer);
        ok(room[0] == 22 && room[5] == 1, "record %02x, message %02x", room[0], room[5]);
        DeleteSecurityContext(&context);
    }
    FreeCredentialsHandle(&client_cred);
}

/* [WM schannel.c]: memory is allocated where a size is given and no memory */
static void test_first_allocated(void)
{
    SecBuffer out = {4096, SECBUFFER_TOKEN, NULL};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    if (!client_credential()) return;
    SECURITY_STATUS status = first_leg(USUAL, NULL, &desc, &context);
    if (ok(status == SEC_I_CONTINUE_NEEDED, "%08lx", status)) {
        ok(out.pvBuffer != NULL, "nothing was allocated");
        FreeContextBuffer(out.pvBuffer);
        DeleteSecurityContext(&context);
    }
    FreeCredentialsHandle(&client_cred);
}

/* [W8T schannel.c:1085-1101] */
static void test_first_garbage(void)
{
    BYTE room[2048], garbage[64];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room}, in = {4, SECBUFFER_TOKEN, garbage};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out}, in_desc = {SECBUFFER_VERSION, 1, &in};
    CtxtHandle context;
    if (!client_credential()) return;
    memset(garbage, 0xfa, sizeof(garbage));
    for (in.cbBuffer = 4; in.cbBuffer <= sizeof(garbage); in.cbBuffer += 60) {
        out.cbBuffer = sizeof(room);
        SECURITY_STATUS status = first_leg(USUAL, &in_desc, &out_desc, &context);
        ok(status == SEC_E_INVALID_TOKEN, "%lu bytes: %08lx", in.cbBuffer, status);
        ok(out.cbBuffer == 0, "%lu bytes: output %lu", in.cbBuffer, out.cbBuffer);
        ok(!tls_handle_present(&context), "a context was made");
    }
    FreeCredentialsHandle(&client_cred);
}

/* ours: what is too small for the ClientHello leaves no context behind */
static void test_first_small(void)
{
    BYTE room[2048];
    SecBuffer out = {16, SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    if (!ours_only() || !client_credential()) return;
    SECURITY_STATUS status = first_leg(USUAL, NULL, &desc, &context);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "%08lx", status);
    ok(!tls_handle_present(&context), "a context was made");
    FreeCredentialsHandle(&client_cred);
}

/* ---- later input ---- */

struct second {
    CtxtHandle context;
    BYTE token[4096], room[4096];
    SecBuffer in[2], out;
    SecBufferDesc in_desc, out_desc;
};

static bool second_open(struct second *second)
{
    SecBuffer out = {sizeof(second->token), SECBUFFER_TOKEN, second->token};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    if (!client_credential()) return false;
    SECURITY_STATUS status = first_leg(USUAL, NULL, &desc, &second->context);
    if (!ok(status == SEC_I_CONTINUE_NEEDED, "first leg: %08lx", status)) return false;
    second->in_desc = (SecBufferDesc){SECBUFFER_VERSION, 2, second->in};
    second->out_desc = (SecBufferDesc){SECBUFFER_VERSION, 1, &second->out};
    return true;
}

static SECURITY_STATUS second_leg(struct second *second, const void *bytes, DWORD size)
{
    second->in[0] = (SecBuffer){size, SECBUFFER_TOKEN, (void *)bytes};
    second->in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    second->out = (SecBuffer){sizeof(second->room), SECBUFFER_TOKEN, second->room};
    return InitializeSecurityContextW(&client_cred, &second->context, (wchar_t *)L"localhost",
                                      USUAL, 0, 0, &second->in_desc, 0, NULL, &second->out_desc,
                                      &attrs, NULL);
}

static void second_close(struct second *second)
{
    DeleteSecurityContext(&second->context);
    FreeCredentialsHandle(&client_cred);
}

/* [W8 schannel.c:1127-1187, 1218-1221] */
static void test_later_input(void)
{
    static const BYTE header[] = {22, 3, 3, 0, 64, 2, 0, 0};
    static const struct {
        DWORD size, missing;
    } rows[] = {{0, 5}, {4, 1}, {5, 64}, {8, 61}};
    static struct second second;
    if (!second_open(&second)) return;
    SECURITY_STATUS status = InitializeSecurityContextW(&client_cred, &second.context,
                                                        (wchar_t *)L"localhost", USUAL, 0, 0, NULL,
                                                        0, NULL, &second.out_desc, &attrs, NULL);
    ok(status == SEC_E_INCOMPLETE_MESSAGE, "no input: %08lx", status);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        status = second_leg(&second, header, rows[i].size);
        ok(status == SEC_E_INCOMPLETE_MESSAGE, "%lu bytes: %08lx", rows[i].size, status);
        ok(second.in[1].BufferType == SECBUFFER_MISSING, "type %lu", second.in[1].BufferType);
        ok(second.in[1].cbBuffer == rows[i].missing, "%lu bytes: %lu are missing", rows[i].size,
           second.in[1].cbBuffer);
        ok(second.out.cbBuffer == sizeof(second.room) && second.out.BufferType == SECBUFFER_TOKEN,
           "the output was changed");
    }
    second.in[1] = (SecBuffer){4, SECBUFFER_EMPTY, second.token};
    second.in[0] = (SecBuffer){8, SECBUFFER_TOKEN, (void *)header};
    status = InitializeSecurityContextW(&client_cred, &second.context, (wchar_t *)L"localhost",
                                        USUAL, 0, 0, &second.in_desc, 0, NULL, &second.out_desc,
                                        &attrs, NULL);
    ok(status == SEC_E_INVALID_TOKEN, "an empty buffer with bytes: %08lx", status);
    second_close(&second);
}

/* [W8 schannel.c:1097-1101] */
static void test_later_garbage(void)
{
    static const BYTE text[] = "HTTP/1.1 400 Bad Request\r\n\r\n", newer[] = {22, 4, 0, 0, 1, 0};
    static struct second second;
    if (!second_open(&second)) return;
    SECURITY_STATUS status = second_leg(&second, text, sizeof(text));
    ok(status == SEC_E_INVALID_TOKEN, "text: %08lx", status);
    ok(second.out.cbBuffer == 0, "output %lu", second.out.cbBuffer);
    second_close(&second);
    if (!second_open(&second)) return;
    status = second_leg(&second, newer, sizeof(newer));
    ok(status == SEC_E_INVALID_TOKEN, "a version that is none: %08lx", status);
    second_close(&second);
}

/* ours, as to the status: lists that are none are refused, and nothing is begun */
static void test_alpn_malformed(void)
{
    static const BYTE lists[][16] = {
        {11, 0, 0, 0, 2, 0, 0, 0, 3, 0, 2, 'h', '2'}, /* longer than it is */
        {9, 0, 0, 0, 2, 0, 0, 0, 4, 0, 2, 'h', '2'},  /* its list, too */
        {9, 0, 0, 0, 2, 0, 0, 0, 3, 0, 9, 'h', '2'},  /* its name, too */
        {9, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 'h', '2'},  /* a name of no length */
        {6, 0, 0, 0, 2, 0, 0, 0, 0, 0, 2, 'h', '2'},  /* no names */
        {3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 2, 'h', '2'},  /* no list */
    };
    BYTE room[2048];
    CtxtHandle context;
    if (!ours_only() || !client_credential()) return;
    for (unsigned i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
        SecBuffer in = {13, SECBUFFER_APPLICATION_PROTOCOLS, (void *)lists[i]};
        SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
        SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
        SECURITY_STATUS status = first_leg(USUAL, &in_desc, &out_desc, &context);
        ok(status == SEC_E_INVALID_PARAMETER, "list %u: %08lx", i, status);
    }
    FreeCredentialsHandle(&client_cred);
}

/* ---- what lies beside a handshake ---- */

/* Application data behind the last flight is EXTRA, for DecryptMessage. [D], [3P dotnet] */
static void test_extra(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    static struct tls_pair one;
    BYTE heard[64];
    DWORD size = 0;
    SECURITY_STATUS status = tls_pair_open(&one, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    status = SEC_I_CONTINUE_NEEDED;
    one.server_status = status;
    tls_pair_client_leg(&one);
    for (unsigned i = 0; i < 8 && one.server_status == SEC_I_CONTINUE_NEEDED; i++) {
        one.to_server.arrived = one.to_server.size;
        tls_pair_server_leg(&one);
        if (one.server_status != SEC_I_CONTINUE_NEEDED) break;
        one.to_client.arrived = one.to_client.size;
        tls_pair_client_leg(&one);
    }
    ok(one.server_status == SEC_E_OK, "server %08lx", one.server_status);
    status = tls_pair_send(&one, true, "at once", 7);
    ok(status == SEC_E_OK, "sent: %08lx", status);
    one.to_client.arrived = one.to_client.size;
    status = tls_pair_client_leg(&one);
    ok(status == SEC_E_OK, "client: %08lx", status);
    ok(one.to_client.size > 7, "%lu bytes are left", one.to_client.size);
    status = tls_pair_receive(&one, false, heard, sizeof(heard), &size);
    ok(status == SEC_E_OK && size == 7 && !memcmp(heard, "at once", 7), "%08lx, %lu bytes", status,
       size);
    tls_pair_close(&one);
}

/* ours, as to the status: a token that does not fit is not lost */
static void test_small_buffer(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    BYTE room[8192];
    SecBuffer in[2], out = {16, SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    if (!ours_only()) return;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    tls_pair_client_leg(&pair);
    pair.to_server.arrived = pair.to_server.size;
    tls_pair_server_leg(&pair);
    wire_put(&pair.to_client, "behind", 6); /* no record yet */
    for (unsigned i = 0; i < 2; i++) {
        in[0] = (SecBuffer){pair.to_client.size, SECBUFFER_TOKEN, pair.to_client.bytes};
        in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
        out.cbBuffer = i ? sizeof(room) : 16;
        status = InitializeSecurityContextW(&pair.client_cred, &pair.client, NULL, USUAL, 0, 0,
                                            &in_desc, 0, NULL, &out_desc, &attrs, NULL);
        if (!i) ok(status == SEC_E_INSUFFICIENT_MEMORY, "no room: %08lx", status);
    }
    ok(status == SEC_I_CONTINUE_NEEDED, "room: %08lx", status);
    ok(in[1].BufferType == SECBUFFER_EXTRA && in[1].cbBuffer == 6, "type %lu, %lu bytes",
       in[1].BufferType, in[1].cbBuffer);
    wire_put(&pair.to_server, room, out.cbBuffer);
    pair.to_server.arrived = pair.to_server.size;
    status = tls_pair_server_leg(&pair);
    ok(status == SEC_E_OK, "server: %08lx", status);
    tls_pair_close(&pair);
}

/* ---- the first leg of a server ---- */

static SECURITY_STATUS first_accept(const void *bytes, DWORD size, SecBuffer *spare)
{
    BYTE room[4096];
    SecBuffer in[2] = {{size, SECBUFFER_TOKEN, (void *)bytes}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = AcceptSecurityContext(&pair.server_cred, NULL, &in_desc, 0, 0,
                                                   &pair.server, &out_desc, &attrs, NULL);
    *spare = in[1];
    return status;
}

/* [3P schannel-rs]: there is no context before there is a whole message */
static void test_first_accept(void)
{
    const struct tls_pair_options options = {0};
    SecBuffer spare;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    tls_pair_client_leg(&pair);
    for (DWORD size = 0; size < pair.to_server.size; size += size < 6 ? 1 : 37) {
        status = first_accept(pair.to_server.bytes, size, &spare);
        ok(status == SEC_E_INCOMPLETE_MESSAGE, "%lu bytes: %08lx", size, status);
        ok(!tls_handle_present(&pair.server), "%lu bytes: a context was made", size);
        ok(spare.BufferType == SECBUFFER_MISSING, "%lu bytes: type %lu", size, spare.BufferType);
    }
    status = first_accept("GET / HTTP/1.0\r\n\r\n", 18, &spare);
    ok(status == SEC_E_INVALID_TOKEN, "text: %08lx", status);
    ok(!tls_handle_present(&pair.server), "a context was made of text");
    status = first_accept(pair.to_server.bytes, pair.to_server.size, &spare);
    ok(status == SEC_I_CONTINUE_NEEDED, "all: %08lx", status);
    tls_pair_close(&pair);
}

/* ours: a credential of the other side will not do, nor a server without a certificate */
static void test_wrong_credentials(void)
{
    const struct tls_pair_options options = {0};
    SCHANNEL_CRED bare = {.dwVersion = SCHANNEL_CRED_VERSION};
    CredHandle cred;
    SecBuffer spare;
    TimeStamp expiry;
    if (!ours_only()) return;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    client_cred = pair.server_cred;
    BYTE room[2048];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    status = first_leg(USUAL, NULL, &desc, &context);
    ok(status == SEC_E_NO_CREDENTIALS, "a server's: %08lx", status);

    tls_pair_client_leg(&pair);
    status = AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, SECPKG_CRED_INBOUND, NULL,
                                       &bare, NULL, NULL, &cred, &expiry);
    if (ok(status == SEC_E_OK, "bare: %08lx", status)) {
        CredHandle kept = pair.server_cred;
        pair.server_cred = cred;
        status = first_accept(pair.to_server.bytes, pair.to_server.size, &spare);
        ok(status == SEC_E_NO_CREDENTIALS, "no certificate: %08lx", status);
        pair.server_cred = kept;
        FreeCredentialsHandle(&cred);
    }
    tls_pair_close(&pair);
}

/* A client's leg with buffers for secrets, which have been used for something before. */
static SECURITY_STATUS leg_with_secrets(ULONG flags, struct tls_wire *from, SecBuffer out[3])
{
    static struct {
        SEC_TRAFFIC_SECRETS given;
        BYTE more[64];
    } rooms[2];
    static BYTE token[4096];
    bool first = !tls_handle_present(&pair.client);
    SecBuffer in[2] = {{from->size, SECBUFFER_TOKEN, from->bytes}, {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 3, out};
    memset(rooms, 0x5a, sizeof(rooms));
    out[0] = (SecBuffer){sizeof(token), SECBUFFER_TOKEN, token};
    for (unsigned i = 0; i < 2; i++)
        out[i + 1] = (SecBuffer){sizeof(rooms[i]), SECBUFFER_TRAFFIC_SECRETS, &rooms[i]};
    SECURITY_STATUS status = InitializeSecurityContextW(
        &pair.client_cred, first ? NULL : &pair.client, NULL, USUAL | flags, 0, 0,
        first ? NULL : &in_desc, 0, &pair.client, &out_desc, &attrs, NULL);
    wire_put(&pair.to_server, out[0].pvBuffer, out[0].cbBuffer);
    pair.to_server.arrived = pair.to_server.size;
    from->size = from->arrived = 0;
    if (flags && out[0].pvBuffer) FreeContextBuffer(out[0].pvBuffer);
    return status;
}

/* [D SEC_TRAFFIC_SECRET_TYPE] none; ours, as to the buffer: it is empty, as that of an alert */
static void test_no_secrets(void)
{
    static const ULONG flags[] = {0, ISC_REQ_ALLOCATE_MEMORY};
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    if (!ours_only()) return;
    for (unsigned i = 0; i < ARRAYSIZE(flags); i++) {
        SecBuffer out[3];
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "%08lx", status)) return;
        for (unsigned leg = 0; leg < 3; leg++) {
            status = leg_with_secrets(flags[i], &pair.to_client, out);
            ok(status == (leg < 2 ? SEC_I_CONTINUE_NEEDED : SEC_E_OK), "leg %u: %08lx", leg,
               status);
            for (unsigned k = 1; k < 3; k++) {
                const SEC_TRAFFIC_SECRETS *given = out[k].pvBuffer;
                ok(!out[k].cbBuffer, "leg %u: %lu bytes", leg, out[k].cbBuffer);
                ok(flags[i] ? !given : given->TrafficSecretType == SecTrafficSecret_None,
                   "leg %u: the buffer is as it was", leg);
            }
            tls_pair_server_leg(&pair);
        }
        tls_pair_close(&pair);
    }
}

int main(void)
{
    RUN(test_packages);
    RUN(test_first_output);
    RUN(test_first_allocated);
    RUN(test_first_garbage);
    RUN(test_first_small);
    RUN(test_later_input);
    RUN(test_later_garbage);
    RUN(test_alpn_malformed);
    RUN(test_extra);
    RUN(test_small_buffer);
    RUN(test_first_accept);
    RUN(test_wrong_credentials);
    RUN(test_no_secrets);
    tls_certs_end();
    return test_end("api_tls_handshake");
}
