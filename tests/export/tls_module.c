/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An imported client of TLS 1.2 whose server is played, with keys that both know: the module is
 * called as its host does it, since no program can make a body of its own. What the server says
 * after the handshake goes through a leg, and through one only.
 */
#include "core/tls_body.h"
#include "ssp/abi.h"
#include "support.h"

#include <schannel.h>

#define SUITE 0xc02fu /* TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 */

static SECPKG_FUNCTION_TABLE *lsa;
static SECPKG_USER_FUNCTION_TABLE *user;
static struct tls_session server;
static LSA_SEC_HANDLE client;
static BYTE wire[256];
static ULONG wire_size;

/* The dispatcher has loaded and initialised it by then. */
static bool module_open(void)
{
    SCHANNEL_CRED data = {.dwVersion = SCHANNEL_CRED_VERSION};
    CredHandle credential;
    TimeStamp expiry;
    ULONG version, count;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W,
                                                       SECPKG_CRED_OUTBOUND, NULL, &data, NULL,
                                                       NULL, &credential, &expiry);
    if (!ok(status == SEC_E_OK, "no credential: %08lx", status)) return false;
    FreeCredentialsHandle(&credential);
    HMODULE module = GetModuleHandleW(L"ssp_schannel.dll");
    SpLsaModeInitializeFn get_lsa = (void *)GetProcAddress(module, "SpLsaModeInitialize");
    SpUserModeInitializeFn get_user = (void *)GetProcAddress(module, "SpUserModeInitialize");
    if (!ok(get_lsa && get_user, "no module")) return false;
    return ok(!get_lsa(SECPKG_INTERFACE_VERSION, &version, &lsa, &count) &&
                  !get_user(SECPKG_INTERFACE_VERSION, &version, &user, &count),
              "no tables");
}

static bool client_import(void)
{
    BYTE room[1024];
    struct tls_session session = {.version = TLS_1_2, .suite = tls_suite_find(SUITE)};
    const struct tls_body body = {0};
    struct writer w;
    memset(session.send.key, 1, 16);
    memset(session.receive.key, 2, 16);
    server = session;
    server.server = true;
    memset(server.send.key, 2, 16);
    memset(server.receive.key, 1, 16);
    if (!ok(!tls_session_start(&server), "no server")) return false;
    writer_init_fixed(&w, room, sizeof(room));
    tls_body_write(&body, &session, &w);
    SecBuffer packed = {(ULONG)w.size, SECBUFFER_TOKEN, room};
    NTSTATUS status = user->ImportContext(&packed, NULL, &client);
    return ok(!status, "import: %08lx", status);
}

static void client_delete(void)
{
    user->DeleteUserModeContext(client);
    tls_session_clear(&server);
}

static void server_says(enum tls_type type, const void *text, size_t size)
{
    size_t header = tls_header_size(&server);
    memcpy(wire + header, text, size);
    ok(!tls_record_seal(&server, type, wire, wire + header, size, wire + header + size), "seal");
    wire_size = (ULONG)(header + size + tls_trailer_size(&server));
}

static NTSTATUS client_reads(SecBuffer parts[4])
{
    ULONG qop;
    memset(parts, 0, 4 * sizeof(*parts));
    parts[0] = (SecBuffer){wire_size, SECBUFFER_DATA, wire};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, parts};
    return user->UnsealMessage(client, &message, 0, &qop);
}

/* What is left of the input is told. */
static NTSTATUS client_leg(ULONG *left, ULONG *reply)
{
    BYTE room[256];
    SecBuffer in[2] = {{wire_size, SECBUFFER_TOKEN, wire}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    TimeStamp expiry;
    BOOLEAN mapped;
    NTSTATUS status = lsa->InitLsaModeContext(0, client, NULL, ISC_REQ_EXTENDED_ERROR, 0, &in_desc,
                                              &client, &out_desc, &attributes, &expiry, &mapped,
                                              NULL);
    *left = in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0;
    *reply = out.cbBuffer;
    return status;
}

/* [OS RFC 5246 7.4.1.1]; ours: the record is used up by the leg, and not told of again and again */
static void test_hello_requests(void)
{
    SecBuffer parts[4];
    ULONG left, reply;
    if (!client_import()) return;
    server_says(TLS_HANDSHAKE, "\0\0\0\0\0\0\0", 8);
    NTSTATUS status = client_reads(parts);
    ok(status == SEC_I_RENEGOTIATE && parts[3].cbBuffer == wire_size, "two at once: %08lx", status);
    status = client_leg(&left, &reply);
    ok(status == SEC_E_OK && reply && !left, "leg: %08lx, a token of %lu bytes, %lu left", status,
       reply, left);
    server_says(TLS_APPLICATION_DATA, "data", 4);
    status = client_reads(parts);
    ok(status == SEC_E_OK && parts[1].cbBuffer == 4, "data: %08lx", status);
    client_delete();
}

/* One alone is used up by DecryptMessage, and the leg leaves what came behind it. */
static void test_hello_request(void)
{
    SecBuffer parts[4];
    ULONG left, reply;
    if (!client_import()) return;
    server_says(TLS_HANDSHAKE, "\0\0\0", 4);
    NTSTATUS status = client_reads(parts);
    ok(status == SEC_I_RENEGOTIATE && !parts[3].cbBuffer, "alone: %08lx", status);
    server_says(TLS_APPLICATION_DATA, "data", 4);
    status = client_leg(&left, &reply);
    ok(status == SEC_E_OK && reply && left == wire_size, "leg: %08lx, %lu bytes, %lu left", status,
       reply, left);
    status = client_reads(parts);
    ok(status == SEC_E_OK && parts[1].cbBuffer == 4, "data: %08lx", status);
    client_delete();
}

/* [OS RFC 5246 7.4]: a message that has no place there ends the connection. */
static void test_wrong_message(void)
{
    SecBuffer parts[4];
    ULONG left, reply;
    if (!client_import()) return;
    server_says(TLS_HANDSHAKE, "\x14\0\0", 4);
    NTSTATUS status = client_reads(parts);
    ok(status == SEC_I_RENEGOTIATE, "a Finished: %08lx", status);
    status = client_leg(&left, &reply);
    ok(status == SEC_E_ILLEGAL_MESSAGE && reply, "leg: %08lx, %lu bytes", status, reply);
    status = client_reads(parts);
    ok(status == SEC_E_CONTEXT_EXPIRED, "behind it: %08lx", status);
    client_delete();
}

int main(void)
{
    if (!ours_only()) return test_end("export_tls_module");
    if (ok(!crypto_init(), "libgcrypt") && module_open()) {
        RUN(test_hello_requests);
        RUN(test_hello_request);
        RUN(test_wrong_message);
    }
    return test_end("export_tls_module");
}
