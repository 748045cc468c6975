/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls the interface of rpc.h by the RPC run-time of the prefix: each transport, service, level
 * and identity. Usage: interop_rpc_client PORT PIPE [Kerberos], with DOMAIN\USER and the password
 * on the standard input. By Kerberos, that user has a ticket.
 */
#include "identities.h"
#include "test.h"

#include "options.h"
#include "rpc.h"

#include <windows.h>
#include <rpc.h>
#include <rpcdcep.h>
#include <wchar.h>

/* One of them runs at a time. */
static struct {
    WCHAR *transport, *endpoint;
    unsigned long service, level;
    SEC_WINNT_AUTH_IDENTITY_W *identity; /* NULL: the process's own */
} mode;

static WCHAR user[64], domain[16], password[64], own_user[64];

/* An interface of the test's own; the transfer syntax is NDR 2.0 (C706 14). */
static RPC_CLIENT_INTERFACE called = {
    .Length = sizeof(called),
    .InterfaceId = {{0x7d1f5c1e, 0x9a50, 0x4c0e, {0x8e, 0x2b, 0x51, 0x0c, 0x3a, 0x77, 0x46, 0x19}},
                    {1, 0}},
    .TransferSyntax =
        {{0x8a885d04, 0x1ceb, 0x11c9, {0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}}, {2, 0}},
};

static RPC_STATUS bind_server(RPC_BINDING_HANDLE *binding)
{
    WCHAR *text = NULL, address[] = L"127.0.0.1", principal[] = L"test/localhost";
    const bool pipe = !wcscmp(mode.transport, L"ncacn_np");
    RPC_STATUS status = RpcStringBindingComposeW(NULL, mode.transport, pipe ? NULL : address,
                                                 mode.endpoint, NULL, &text);
    if (!status) status = RpcBindingFromStringBindingW(text, binding);
    if (text) RpcStringFreeW(&text);
    if (status) return status;
    status = RpcBindingSetAuthInfoW(*binding, principal, mode.level, mode.service, mode.identity,
                                    0);
    if (status) RpcBindingFree(binding);
    return status;
}

/* The run-time raises what goes wrong on the wire as its result here. answer may be the request. */
static RPC_STATUS call(RPC_BINDING_HANDLE binding, unsigned number, const void *request,
                       unsigned size, void *answer, unsigned *answer_size)
{
    RPC_MESSAGE message = {.Handle = binding,
                           .BufferLength = size,
                           .ProcNum = number,
                           .RpcInterfaceInformation = &called};
    RPC_STATUS status = I_RpcGetBuffer(&message);
    if (status) return status;
    memcpy(message.Buffer, request, size);
    message.BufferLength = size;
    status = I_RpcSendReceive(&message);
    if (status) return status;
    if (message.BufferLength < *answer_size) *answer_size = message.BufferLength;
    memcpy(answer, message.Buffer, *answer_size);
    I_RpcFreeBuffer(&message);
    return status;
}

/* Sizes around those of NTLM's signature, of a fragment and of what a pipe takes at once. */
static const unsigned sizes[] = {1, 8, 15, 16, 17, 1000, 4096, 5840, 20000, 65536};

static void invert_all(RPC_BINDING_HANDLE binding)
{
    static unsigned char request[65536], answer[65536];
    for (unsigned i = 0; i < sizeof(request); i++) request[i] = (unsigned char)(i * 7 + i / 256);
    for (unsigned i = 0; i < ARRAYSIZE(sizes); i++) {
        unsigned size = sizeof(answer), wrong = 0;
        memset(answer, 0, sizeof(answer));
        RPC_STATUS status = call(binding, RPC_TEST_INVERT, request, sizes[i], answer, &size);
        if (!ok(!status, "%u bytes: error %ld", sizes[i], status)) return;
        ok(size >= sizes[i], "%u bytes: %u came back", sizes[i], size);
        for (unsigned j = 0; j < sizes[i]; j++) wrong += answer[j] != (unsigned char)~request[j];
        ok(!wrong, "%u bytes: %u of them wrong", sizes[i], wrong);
    }
}

static void check_who(RPC_BINDING_HANDLE binding)
{
    struct rpc_test_who found = {0};
    unsigned size = sizeof(found);
    RPC_STATUS status = call(binding, RPC_TEST_WHO, "", 1, &found, &size);
    if (!ok(!status && size == sizeof(found), "error %ld, %u bytes", status, size)) return;
    const WCHAR *separator = wcschr((WCHAR *)found.name, '\\');
    ok(separator && !_wcsicmp(separator + 1, mode.identity ? user : own_user), "the caller is %ls",
       (WCHAR *)found.name);
    ok(found.level == mode.level, "level %u at the server", (unsigned)found.level);
    ok(found.service == mode.service, "service %u at the server", (unsigned)found.service);
}

static void test_mode(void)
{
    RPC_BINDING_HANDLE binding = NULL;
    RPC_STATUS status = bind_server(&binding);
    if (!ok(!status, "bind: error %ld", status)) return;
    invert_all(binding);
    check_who(binding);
    RpcBindingFree(&binding);
}

/* [D RpcBindingSetAuthInfo]: who cannot be authenticated is refused. */
static void test_refused(void)
{
    RPC_BINDING_HANDLE binding = NULL;
    unsigned char answer = 0;
    unsigned size = sizeof(answer);
    RPC_STATUS status = bind_server(&binding);
    if (!ok(!status, "bind: error %ld", status)) return;
    status = call(binding, RPC_TEST_INVERT, "?", 1, &answer, &size);
    ok(status == RPC_S_ACCESS_DENIED || status == RPC_S_SEC_PKG_ERROR, "error %ld", status);
    RpcBindingFree(&binding);
}

static bool by_kerberos;

static void test_module(void)
{
    ok(GetModuleHandleW(by_kerberos ? L"ssp_kerberos.dll" : L"ssp_ntlm.dll") != NULL,
       "another secur32 than winesspi's was used");
}

/* The two of them are used, from the first or from the second on. */
static const struct {
    unsigned long service;
    const char *name;
} services[] = {{RPC_C_AUTHN_WINNT, "NTLM"},
                {RPC_C_AUTHN_GSS_NEGOTIATE, "Negotiate"},
                {RPC_C_AUTHN_GSS_KERBEROS, "Kerberos"}};

static const struct {
    unsigned long level;
    const char *name;
} levels[] = {
    {RPC_C_AUTHN_LEVEL_CONNECT, "connect"},
    {RPC_C_AUTHN_LEVEL_PKT, "packet"},
    {RPC_C_AUTHN_LEVEL_PKT_INTEGRITY, "integrity"},
    {RPC_C_AUTHN_LEVEL_PKT_PRIVACY, "privacy"},
};

static void run_modes(const char *transport, SEC_WINNT_AUTH_IDENTITY_W *identity, bool right)
{
    char name[96];
    mode.identity = identity;
    for (unsigned s = by_kerberos; s < (by_kerberos ? 3u : 2u); s++) {
        for (unsigned l = 0; l < ARRAYSIZE(levels); l++) {
            mode.service = services[s].service;
            mode.level = levels[l].level;
            snprintf(name, sizeof(name), "%s, %s, %s, %s", transport, services[s].name,
                     levels[l].name,
                     !identity ? "own identity"
                     : right   ? "explicit account"
                               : "wrong password");
            test_run(name, right ? test_mode : test_refused);
        }
    }
}

static void run_transport(WCHAR *transport, WCHAR *endpoint, const char *name)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(user, domain, password);
    SEC_WINNT_AUTH_IDENTITY_W wrong = wide_identity(user, domain, L"wrong");
    mode.transport = transport;
    mode.endpoint = endpoint;
    /* First of all: the run-time takes a connection again that somebody of that name has opened. */
    run_modes(name, &wrong, false);
    run_modes(name, NULL, true);
    run_modes(name, &identity, true);
}

static void stop_server(WCHAR *transport, WCHAR *endpoint)
{
    RPC_BINDING_HANDLE binding = NULL;
    unsigned size = 0;
    mode.transport = transport;
    mode.endpoint = endpoint;
    mode.identity = NULL;
    mode.service = RPC_C_AUTHN_WINNT;
    if (bind_server(&binding)) return;
    call(binding, RPC_TEST_STOP, "", 0, &size, &size);
    RpcBindingFree(&binding);
}

int main(int argc, char **argv)
{
    WCHAR tcp[] = L"ncacn_ip_tcp", np[] = L"ncacn_np", port[16], pipe[64];
    struct options options = {0};
    DWORD length = ARRAYSIZE(own_user);
    by_kerberos = argc == 4 && !strcmp(argv[3], "Kerberos");
    if ((argc != 3 && !by_kerberos) || !options_read_account(&options, argv[0])) return 2;
    MultiByteToWideChar(CP_UTF8, 0, options.user, -1, user, ARRAYSIZE(user));
    MultiByteToWideChar(CP_UTF8, 0, options.domain, -1, domain, ARRAYSIZE(domain));
    MultiByteToWideChar(CP_UTF8, 0, options.password, -1, password, ARRAYSIZE(password));
    MultiByteToWideChar(CP_UTF8, 0, argv[1], -1, port, ARRAYSIZE(port));
    MultiByteToWideChar(CP_UTF8, 0, argv[2], -1, pipe, ARRAYSIZE(pipe));
    GetUserNameW(own_user, &length);
    if (by_kerberos) wcscpy(own_user, user);
    run_transport(tcp, port, "TCP");
    run_transport(np, pipe, "pipe");
    RUN(test_module);
    stop_server(tcp, port);
    return test_end("interop_rpc");
}
