/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What goes wrong with handshakes of the package Kerberos, and with what status. The script of the
 * same group makes the circumstances and names them: `service NAME` for cases that need a KDC and a
 * service; `client STATUS NAME` for one with the status that the client's first leg is to end with;
 * `server STATUS CLIENT NAME` with that of the server's, and of the client when it gets the error;
 * `acquire STATUS NAME` for a server's credentials. Sources in brackets, as in api_packages.
 */
#include "loopback.h"

#include <stdlib.h>

static wchar_t service[256];
static const char *wanted, *wanted_client; /* statuses */
static DWORD wait;                         /* milliseconds between the legs */
static struct loopback loop;

static bool open_loop(ULONG flags)
{
    SECURITY_STATUS status = loopback_open(&loop, L"Kerberos", NULL);
    loop.target = service;
    loop.client_flags = flags;
    return ok(!status, "no credentials: %08lx", status);
}

/* ---- tokens ---- */

static SECURITY_STATUS accept(const BYTE *token, ULONG size, ULONG flags, SecBuffer *reply)
{
    SecBuffer in = {size, SECBUFFER_TOKEN, (void *)token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, reply};
    SECURITY_STATUS status = AcceptSecurityContext(&loop.server_cred, NULL, &in_desc, flags,
                                                   SECURITY_NATIVE_DREP, &loop.server, &out_desc,
                                                   &loop.server_attrs, NULL);
    if (status >= 0) DeleteSecurityContext(&loop.server);
    context_forget(&loop.server);
    return status;
}

static SECURITY_STATUS accept_quietly(const BYTE *token, ULONG size)
{
    BYTE room[1024];
    SecBuffer reply = {sizeof(room), SECBUFFER_TOKEN, room};
    return accept(token, size, 0, &reply);
}

/* RFC 4120 3.2.3: a server keeps what it has seen; [D sspi-status-codes] for the status [INF] */
static void test_replay(void)
{
    if (!open_loop(SEAL_FLAGS)) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(!status, "client: %08lx", status);
    status = accept_quietly(loop.token, loop.token_size);
    ok(status == SEC_E_OK, "once: %08lx", status);
    status = accept_quietly(loop.token, loop.token_size);
    ok(status == SEC_E_LOGON_DENIED, "twice: %08lx", status);
    loopback_close(&loop);
}

static bool is_refusal(SECURITY_STATUS status)
{
    return status == SEC_E_INVALID_TOKEN || status == SEC_E_LOGON_DENIED;
}

/* [D acceptsecuritycontext--kerberos] SEC_E_INVALID_TOKEN; what can be read but not opened is
 * denied */
static void test_prefixes(void)
{
    if (!open_loop(SEAL_FLAGS)) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(!status, "client: %08lx", status);
    for (ULONG size = 0; size < loop.token_size; size++) {
        status = accept_quietly(loop.token, size);
        ok(status == SEC_E_INVALID_TOKEN, "%lu of %lu bytes: %08lx", size, loop.token_size, status);
    }
    status = accept_quietly(loop.token, loop.token_size);
    ok(status == SEC_E_OK, "the whole: %08lx", status);
    loopback_close(&loop);
}

/* The same. A byte may stand for nothing that is looked at: then the token is still good. */
static void test_damage(void)
{
    ULONG refused = 0;
    if (!open_loop(SEAL_FLAGS)) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(!status, "client: %08lx", status);
    for (ULONG at = 0; at < loop.token_size; at++) {
        loop.token[at] ^= 0x20;
        status = accept_quietly(loop.token, loop.token_size);
        loop.token[at] ^= 0x20;
        if (status == SEC_E_OK) {
            loop.token_size = 0;
            loopback_client_leg(&loop);
            continue;
        }
        refused++;
        ok(is_refusal(status) || status == SEC_E_UNSUPPORTED_FUNCTION, "byte %lu: %08lx", at,
           status);
    }
    ok(refused > loop.token_size / 2, "%lu of %lu bytes count", refused, loop.token_size);
    loopback_close(&loop);
}

/* The same for tokens that are longer than they say, and for those of another mechanism. */
static void test_other_tokens(void)
{
    static BYTE large[70000];
    static const BYTE spnego[] = {0x60, 0x0c, 0x06, 0x06, 0x2b, 0x06, 0x01,
                                  0x05, 0x05, 0x02, 0xa0, 0x02, 0x30, 0x00};
    static const BYTE ntlm[] = "NTLMSSP\0\1\0\0\0\7\x82\x08\xa2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    if (!open_loop(SEAL_FLAGS)) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    memcpy(large, loop.token, loop.token_size);
    status = accept_quietly(large, sizeof(large));
    ok(status == SEC_E_INVALID_TOKEN, "bytes behind it: %08lx", status);
    status = accept_quietly(spnego, sizeof(spnego));
    ok(status == SEC_E_INVALID_TOKEN, "SPNEGO: %08lx", status);
    status = accept_quietly(ntlm, sizeof(ntlm));
    ok(status == SEC_E_INVALID_TOKEN, "NTLM: %08lx", status);
    status = accept_quietly(NULL, 0);
    ok(status == SEC_E_INVALID_TOKEN, "nothing: %08lx", status);
    loopback_close(&loop);
}

/* [D acceptsecuritycontext--kerberos] with ASC_REQ_EXTENDED_ERROR a failure has a token for the
 * client: KRB-ERROR (RFC 4121 4.1, token 03 00) */
static void test_extended_error(void)
{
    BYTE room[1024];
    SecBuffer reply = {sizeof(room), SECBUFFER_TOKEN, room};
    if (!open_loop(SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH)) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "client: %08lx", status);
    accept_quietly(loop.token, loop.token_size);
    status = accept(loop.token, loop.token_size, ASC_REQ_EXTENDED_ERROR, &reply);
    ok(status == SEC_E_LOGON_DENIED, "server: %08lx", status);
    ok(reply.cbBuffer > 17 && reply.cbBuffer < sizeof(room) && room[0] == 0x60, "%lu bytes",
       reply.cbBuffer);
    memcpy(loop.token, room, reply.cbBuffer);
    loop.token_size = reply.cbBuffer;
    status = loopback_client_leg(&loop);
    ok(status < 0, "client: %08lx", status);
    loopback_close(&loop);
}

/* ours: an answer that is damaged ends the exchange, one that is none does not */
static void test_answers(void)
{
    if (!open_loop(SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH) || !ours_only()) return;
    for (ULONG cut = 1; cut < 150; cut += 7) {
        loop.token_size = 0;
        SECURITY_STATUS status = loopback_client_leg(&loop);
        ok(status == SEC_I_CONTINUE_NEEDED, "client: %08lx", status);
        status = loopback_server_leg(&loop);
        ok(!status, "server: %08lx", status);
        ULONG size = loop.token_size;
        loop.token_size = 0;
        status = loopback_client_leg(&loop);
        ok(status == SEC_E_INVALID_TOKEN, "no answer: %08lx", status);
        loop.token_size = size > cut ? size - cut : 1;
        status = loopback_client_leg(&loop);
        ok(status < 0, "%lu bytes less: %08lx", cut, status);
        loop.token_size = size;
        status = loopback_client_leg(&loop);
        ok(status == SEC_E_INVALID_HANDLE, "afterwards: %08lx", status);
        DeleteSecurityContext(&loop.client);
        DeleteSecurityContext(&loop.server);
        context_forget(&loop.client);
        context_forget(&loop.server);
    }
    loopback_close(&loop);
}

/* [H sspi.h] SEC_E_INVALID_HANDLE; [D acquirecredentialshandle--kerberos] what they are for */
static void test_handles(void)
{
    if (!open_loop(SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH)) return;
    CredHandle outbound = loop.client_cred;
    loop.client_cred = loop.server_cred;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_E_NO_CREDENTIALS, "a client with a server's: %08lx", status);
    loop.client_cred = outbound;
    status = loopback_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "client: %08lx", status);

    CredHandle inbound = loop.server_cred;
    BYTE token[sizeof(loop.token)];
    ULONG size = loop.token_size;
    memcpy(token, loop.token, size);
    loop.server_cred = loop.client_cred;
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_NO_CREDENTIALS, "a server with a client's: %08lx", status);
    loop.server_cred = inbound;
    loop.server = loop.client;
    memcpy(loop.token, token, size);
    loop.token_size = size;
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_INVALID_HANDLE, "a server with a client's context: %08lx", status);
    context_forget(&loop.server);
    loopback_close(&loop);
}

/* ---- circumstances ---- */

/* The first leg ends as the script says, and soon where nobody has to be waited for. */
static void test_circumstance(void)
{
    CredHandle cred;
    TimeStamp expiry;
    BYTE room[16384];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG attributes;
    SECURITY_STATUS expected = (SECURITY_STATUS)strtoul(wanted, NULL, 16);
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"Kerberos", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &cred, &expiry);
    ok(!status, "credentials: %08lx", status);
    double from = time_ms();
    status = InitializeSecurityContextW(&cred, NULL, service, SEAL_FLAGS, 0, SECURITY_NATIVE_DREP,
                                        NULL, 0, &context, &out_desc, &attributes, NULL);
    ok(status == expected, "%08lx", status);
    ok(time_ms() - from < 5000, "after %d ms", (int)(time_ms() - from));
    if (status >= 0) DeleteSecurityContext(&context);
    FreeCredentialsHandle(&cred);
}

/* The statuses of a server that cannot open the token, and of a client that is told so; the time
 * between them is longer than the clock skew that the script allows. */
static void test_server(void)
{
    BYTE room[1024];
    SecBuffer reply = {sizeof(room), SECBUFFER_TOKEN, room};
    if (!open_loop(SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH)) return;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    ok(status == SEC_I_CONTINUE_NEEDED, "client: %08lx", status);
    Sleep(wait);
    status = accept(loop.token, loop.token_size, ASC_REQ_EXTENDED_ERROR, &reply);
    ok(status == (SECURITY_STATUS)strtoul(wanted, NULL, 16), "server: %08lx", status);
    ok(reply.cbBuffer < sizeof(room), "no error for the client");
    memcpy(loop.token, room, reply.cbBuffer);
    loop.token_size = reply.cbBuffer;
    status = loopback_client_leg(&loop);
    ok(status == (SECURITY_STATUS)strtoul(wanted_client, NULL, 16), "client: %08lx", status);
    loopback_close(&loop);
}

/* ours: a server without keys is told when it asks for credentials */
static void test_acquire(void)
{
    CredHandle cred;
    TimeStamp expiry;
    SECURITY_STATUS expected = (SECURITY_STATUS)strtoul(wanted, NULL, 16);
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"Kerberos", SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &cred, &expiry);
    ok(status == expected, "%08lx", status);
    if (!status) FreeCredentialsHandle(&cred);
}

static void test_service(void)
{
    RUN(test_replay);
    RUN(test_prefixes);
    RUN(test_damage);
    RUN(test_other_tokens);
    RUN(test_extended_error);
    RUN(test_answers);
    RUN(test_handles);
}

static void test_nothing(void)
{
    skip_case("a KDC and a service");
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[1] : "";
    if (argc > 2) MultiByteToWideChar(CP_ACP, 0, argv[argc - 1], -1, service, 256);
    if (argc > 3) wanted = argv[2];
    if (argc > 4) wanted_client = argv[3];
    if (argc > 5) wait = strtoul(argv[4], NULL, 10);
    if (!strcmp(mode, "service")) test_service();
    else if (!strcmp(mode, "client") && wanted) RUN(test_circumstance);
    else if (!strcmp(mode, "acquire") && wanted) RUN(test_acquire);
    else if (!strcmp(mode, "server") && wanted_client) RUN(test_server);
    else RUN(test_nothing);
    return test_end("api_kerberos_errors");
}
