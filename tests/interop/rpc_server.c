/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Serves the interface of rpc.h over TCP on loopback and over a named pipe, to authenticated
 * clients only, by SSPI and packets of its own: the server half of Wine 8.0's run-time cannot be
 * authenticated to, since it cuts every token and ends with its process when one is accepted all
 * the same. Prints where it is, and ends when it is told to, or after a time.
 */
#include "rpc.h"
#include "rpc_wire.h"

#include <rpc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { PATIENCE_MILLISECONDS = 25000 };
enum { PART_MAX = 4096 }; /* of an answer, in one packet */
/* The run-time of a client waits 50 ms for a free instance of a pipe, and then gives up. */
enum { PIPE_LISTENERS = 4 };

static HANDLE stopped;

/* ---- authentication ---- */

static SECURITY_STATUS accept_token(struct rpc_channel *channel)
{
    static const WCHAR *const packages[] = {[RPC_C_AUTHN_GSS_NEGOTIATE] = L"Negotiate",
                                            [RPC_C_AUTHN_WINNT] = L"NTLM",
                                            [RPC_C_AUTHN_GSS_KERBEROS] = L"Kerberos"};
    uint8_t answer[RPC_TOKEN_MAX];
    const size_t count = sizeof(packages) / sizeof(packages[0]);
    CredHandle credential;
    ULONG attributes;
    WCHAR package[16];
    if (channel->service >= count || !packages[channel->service]) return SEC_E_SECPKG_NOT_FOUND;
    wcscpy(package, packages[channel->service]);
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_INBOUND, NULL,
                                                       NULL, NULL, NULL, &credential, NULL);
    if (status != SEC_E_OK) return status;
    SecBuffer in = {(ULONG)channel->token_size, SECBUFFER_TOKEN, channel->token};
    SecBuffer out = {sizeof(answer), SECBUFFER_TOKEN, answer};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    status = AcceptSecurityContext(&credential, channel->have_context ? &channel->context : NULL,
                                   &in_desc, ASC_REQ_CONNECTION | ASC_REQ_USE_DCE_STYLE,
                                   SECURITY_NETWORK_DREP, &channel->context, &out_desc, &attributes,
                                   NULL);
    FreeCredentialsHandle(&credential);
    channel->token_size = 0;
    if (FAILED(status)) return status;
    channel->have_context = true;
    channel->authenticated = status == SEC_E_OK;
    memcpy(channel->token, answer, out.cbBuffer);
    channel->token_size = out.cbBuffer;
    return status;
}

static bool take_token(struct rpc_channel *channel, struct rpc_packet *packet)
{
    if (!packet->token || packet->token > sizeof(channel->token)) return false;
    memcpy(channel->token, rpc_verifier(packet) + RPC_VERIFIER, packet->token);
    channel->token_size = packet->token;
    return true;
}

static bool answer_bind(struct rpc_channel *channel, struct rpc_packet *packet)
{
    static const uint8_t result[] = {1, 0, 0, 0, 0, 0, 0, 0};
    uint8_t transfer[20];
    struct rpc_packet answer;
    const uint8_t *verifier = rpc_verifier(packet);
    /* One context: its transfer syntax ends what is before the verifier. */
    if (packet->body < 12 + 44 || !take_token(channel, packet)) return false;
    memcpy(transfer, packet->data + RPC_HEADER + 12 + 24, sizeof(transfer));
    channel->service = verifier[0];
    channel->level = verifier[1];
    memcpy(&channel->verifier_id, verifier + 4, sizeof(channel->verifier_id));
    SECURITY_STATUS status = accept_token(channel);
    if (status != SEC_I_CONTINUE_NEEDED) {
        printf("refused: 0x%08lx\n", status);
        return false;
    }
    rpc_begin(&answer, RPC_BIND_ACK, RPC_FIRST | RPC_LAST, packet->call);
    rpc_add_number(&answer, RPC_PACKET_MAX, 2);
    rpc_add_number(&answer, RPC_PACKET_MAX, 2);
    rpc_add_number(&answer, 1, 4); /* association group */
    rpc_add_number(&answer, 0, 4); /* no secondary address, and padding */
    rpc_add(&answer, result, sizeof(result));
    rpc_add(&answer, transfer, sizeof(transfer));
    memcpy(rpc_add_verifier(channel, &answer, channel->token_size), channel->token,
           channel->token_size);
    return rpc_send(channel, &answer);
}

/* Nothing answers this packet: who could not be authenticated learns it with the first request. */
static void take_auth3(struct rpc_channel *channel, struct rpc_packet *packet)
{
    if (!channel->have_context || !take_token(channel, packet)) return;
    SECURITY_STATUS status = accept_token(channel);
    if (status != SEC_E_OK) printf("refused: 0x%08lx\n", status);
}

/* ---- calls ---- */

static bool is_protected(const struct rpc_channel *channel)
{
    return channel->level >= RPC_C_AUTHN_LEVEL_PKT_INTEGRITY;
}

static bool send_fault(struct rpc_channel *channel, uint32_t call)
{
    struct rpc_packet answer;
    rpc_begin(&answer, RPC_FAULT, RPC_FIRST | RPC_LAST, call);
    rpc_add_number(&answer, 0, 4); /* allocation hint */
    rpc_add_number(&answer, 0, 4); /* context, cancel count */
    rpc_add_number(&answer, ERROR_ACCESS_DENIED, 4);
    rpc_add_number(&answer, 0, 4);
    return rpc_send(channel, &answer);
}

/* How much room what protects a packet takes. */
static size_t signature_size(struct rpc_channel *channel)
{
    SecPkgContext_Sizes sizes = {0};
    QueryContextAttributesW(&channel->context, SECPKG_ATTR_SIZES, &sizes);
    return channel->level == RPC_C_AUTHN_LEVEL_PKT_PRIVACY ? sizes.cbSecurityTrailer
                                                           : sizes.cbMaxSignature;
}

static bool send_answer(struct rpc_channel *channel, uint32_t call, const uint8_t *bytes,
                        size_t count)
{
    struct rpc_packet answer;
    size_t done = 0;
    do {
        const size_t part = count - done < PART_MAX ? count - done : PART_MAX;
        const bool first = !done, last = done + part == count;
        const uint8_t flags = (uint8_t)((first ? RPC_FIRST : 0) | (last ? RPC_LAST : 0));
        rpc_begin(&answer, RPC_RESPONSE, flags, call);
        rpc_add_number(&answer, (uint32_t)(count - done), 4);
        rpc_add_number(&answer, 0, 4); /* context, cancel count */
        rpc_add(&answer, bytes + done, part);
        if (is_protected(channel)) {
            rpc_add_verifier(channel, &answer, signature_size(channel));
            if (rpc_protect(channel, &answer) != SEC_E_OK) return false;
        }
        if (!rpc_send(channel, &answer)) return false;
        done += part;
    } while (done < count);
    return true;
}

static size_t say_who(struct rpc_channel *channel, uint8_t *answer)
{
    struct rpc_test_who who = {.service = channel->service, .level = channel->level};
    SecPkgContext_NamesW names = {0};
    if (QueryContextAttributesW(&channel->context, SECPKG_ATTR_NAMES, &names) == SEC_E_OK) {
        wcsncpy((WCHAR *)who.name, names.sUserName, sizeof(who.name) / sizeof(who.name[0]) - 1);
        FreeContextBuffer(names.sUserName);
    }
    memcpy(answer, &who, sizeof(who));
    return sizeof(who);
}

static bool answer_call(struct rpc_channel *channel, uint32_t call, unsigned number, size_t count)
{
    uint8_t *message = channel->message;
    if (number == RPC_TEST_WHO) {
        count = say_who(channel, message);
    } else {
        for (size_t i = 0; i < count; i++) message[i] = (uint8_t)~message[i];
    }
    bool sent = send_answer(channel, call, message, count);
    if (number == RPC_TEST_STOP) SetEvent(stopped);
    return sent;
}

/* The packets of a request, of which the first is here already. */
static bool take_request(struct rpc_channel *channel, struct rpc_packet *packet)
{
    const unsigned number = packet->data[22];
    size_t count = 0;
    if (!channel->authenticated) return send_fault(channel, packet->call);
    for (;;) {
        if (is_protected(channel)) {
            SECURITY_STATUS status = rpc_unprotect(channel, packet);
            if (status != SEC_E_OK) {
                printf("request: 0x%08lx\n", status);
                return send_fault(channel, packet->call);
            }
        }
        const size_t part = packet->body - packet->padding;
        if (part > sizeof(channel->message) - count) return false;
        memcpy(channel->message + count, packet->data + packet->header, part);
        count += part;
        if (packet->flags & RPC_LAST) break;
        if (!rpc_receive(channel, packet) || packet->type != RPC_REQUEST) return false;
    }
    return answer_call(channel, packet->call, number, count);
}

static DWORD WINAPI serve(void *parameter)
{
    struct rpc_channel *channel = parameter;
    struct rpc_packet packet;
    bool good = true;
    while (good && rpc_receive(channel, &packet)) {
        if (packet.type == RPC_BIND) good = answer_bind(channel, &packet);
        else if (packet.type == RPC_AUTH3) take_auth3(channel, &packet);
        else if (packet.type == RPC_REQUEST) good = take_request(channel, &packet);
        else good = false;
        fflush(stdout);
    }
    if (channel->have_context) DeleteSecurityContext(&channel->context);
    if (channel->socket != INVALID_SOCKET) closesocket(channel->socket);
    if (channel->pipe) CloseHandle(channel->pipe);
    free(channel);
    return 0;
}

/* ---- listening ---- */

/* A thread for the connection, which is its own from here on. */
static bool start(SOCKET socket, HANDLE pipe)
{
    struct rpc_channel *channel = calloc(1, sizeof(*channel));
    if (!channel) return false;
    channel->socket = socket;
    channel->pipe = pipe;
    HANDLE thread = CreateThread(NULL, 0, serve, channel, 0, NULL);
    if (thread) CloseHandle(thread);
    return thread != NULL;
}

static DWORD WINAPI serve_tcp(void *parameter)
{
    const SOCKET listener = (SOCKET)(UINT_PTR)parameter;
    SOCKET client;
    do client = accept(listener, NULL, NULL);
    while (client != INVALID_SOCKET && start(client, NULL));
    return 1;
}

static DWORD WINAPI serve_pipe(void *parameter)
{
    const WCHAR *name = parameter;
    for (;;) {
        HANDLE pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX,
                                       PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE,
                                       PIPE_UNLIMITED_INSTANCES, 65536, 65536, 0, NULL);
        if (pipe == INVALID_HANDLE_VALUE) return 1;
        if (ConnectNamedPipe(pipe, NULL) || GetLastError() == ERROR_PIPE_CONNECTED) {
            if (!start(INVALID_SOCKET, pipe)) return 1;
        } else if (GetLastError() == ERROR_NO_DATA) {
            CloseHandle(pipe); /* who came has gone already */
        } else {
            return 1;
        }
    }
}

static SOCKET listen_on_loopback(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        return INVALID_SOCKET;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

int main(void)
{
    WSADATA data;
    WCHAR pipe_name[64];
    uint16_t port = 0;
    stopped = CreateEventW(NULL, TRUE, FALSE, NULL);
    SOCKET listener = WSAStartup(MAKEWORD(2, 2), &data) ? INVALID_SOCKET
                                                        : listen_on_loopback(&port);
    if (listener == INVALID_SOCKET) return EXIT_FAILURE;
    _snwprintf(pipe_name, 64, L"\\\\.\\pipe\\winesspi-rpc-%lu", GetCurrentProcessId());
    for (int i = 0; i < PIPE_LISTENERS; i++)
        CloseHandle(CreateThread(NULL, 0, serve_pipe, pipe_name, 0, NULL));
    CloseHandle(CreateThread(NULL, 0, serve_tcp, (void *)(UINT_PTR)listener, 0, NULL));
    printf("pipe: %ls\nport: %u\n", pipe_name + wcslen(L"\\\\."), port);
    fflush(stdout);
    return WaitForSingleObject(stopped, PATIENCE_MILLISECONDS) == WAIT_OBJECT_0 ? EXIT_SUCCESS
                                                                                : EXIT_FAILURE;
}
