/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Client handshakes over TCP by whatever SSPI the program finds, against a server on a loopback
 * port: those of a server that resumes nothing, and those of one that resumes. The tickets of TLS
 * 1.3 come with the server's first words; so with TLS 1.3 a line goes each way.
 */
#include "bench_tls.h"

#include "bench.h"

#include <ws2tcpip.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double handshake_seconds = 0.2;

/* ---- sockets ---- */

static SOCKET remote_connect(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((u_short)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    BOOL on = TRUE;
    SOCKET made = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (made != INVALID_SOCKET && connect(made, (struct sockaddr *)&address, sizeof(address))) {
        fprintf(stderr, "no connection to port %u: error %d\n", port, WSAGetLastError());
        closesocket(made);
        return INVALID_SOCKET;
    }
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof(on));
    return made;
}

static bool remote_send(struct tls_remote *remote, const void *bytes, ULONG size)
{
    return send(remote->socket, bytes, (int)size, 0) == (int)size;
}

static bool remote_receive(struct tls_remote *remote)
{
    int count = recv(remote->socket, (char *)remote->bytes + remote->size,
                     (int)(FLIGHT_ROOM - remote->size), 0);
    if (count <= 0) return false;
    remote->size += (ULONG)count;
    return true;
}

static void remote_drop(struct tls_remote *remote, ULONG count)
{
    remote->size -= count;
    memmove(remote->bytes, remote->bytes + count, remote->size);
}

/* ---- handshake ---- */

static const SecBuffer *find(const SecBuffer *buffers, unsigned count, ULONG type)
{
    for (unsigned i = 0; i < count; i++)
        if (buffers[i].BufferType == type) return &buffers[i];
    return NULL;
}

/* One call; what it answers is sent. */
static SECURITY_STATUS remote_leg(struct tls_remote *remote)
{
    static WCHAR target[] = L"localhost";
    SecBuffer in[2] = {{remote->size, SECBUFFER_TOKEN, remote->bytes}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc given = {SECBUFFER_VERSION, 2, in}, answer = {SECBUFFER_VERSION, 1, &out};
    ULONG flags;
    SECURITY_STATUS status = InitializeSecurityContextW(
        &tls_client, remote->have ? &remote->context : NULL, target,
        ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_STREAM | ISC_REQ_CONFIDENTIALITY |
            ISC_REQ_MANUAL_CRED_VALIDATION,
        0, 0, remote->have ? &given : NULL, 0, &remote->context, &answer, &flags, NULL);
    if (status == SEC_E_INCOMPLETE_MESSAGE) return status;
    if (out.pvBuffer && out.cbBuffer && !remote_send(remote, out.pvBuffer, out.cbBuffer))
        status = SEC_E_INTERNAL_ERROR;
    if (out.pvBuffer) FreeContextBuffer(out.pvBuffer);
    if (FAILED(status)) return status;
    const SecBuffer *extra = remote->have ? find(in, 2, SECBUFFER_EXTRA) : NULL;
    remote_drop(remote, remote->size - (extra ? extra->cbBuffer : 0));
    remote->have = true;
    return status;
}

static bool remote_shake(struct tls_remote *remote)
{
    SECURITY_STATUS status = remote_leg(remote);
    while (status == SEC_I_CONTINUE_NEEDED || status == SEC_E_INCOMPLETE_MESSAGE) {
        if ((status == SEC_E_INCOMPLETE_MESSAGE || !remote->size) && !remote_receive(remote)) {
            fprintf(stderr, "the server ends the handshake\n");
            return false;
        }
        status = remote_leg(remote);
    }
    return tls_report("InitializeSecurityContext", status) && status == SEC_E_OK;
}

bool tls_remote_open(struct tls_remote *remote, unsigned port)
{
    *remote = (struct tls_remote){.socket = remote_connect(port)};
    if (remote->socket == INVALID_SOCKET) return false;
    remote->bytes = malloc(FLIGHT_ROOM);
    return remote->bytes && remote_shake(remote) &&
           tls_report(
               "QueryContextAttributes",
               QueryContextAttributesW(&remote->context, SECPKG_ATTR_STREAM_SIZES, &remote->sizes));
}

void tls_remote_close(struct tls_remote *remote)
{
    if (remote->have) DeleteSecurityContext(&remote->context);
    if (remote->socket != INVALID_SOCKET) closesocket(remote->socket);
    free(remote->bytes);
    *remote = (struct tls_remote){.socket = INVALID_SOCKET};
}

/* ---- messages ---- */

bool tls_remote_say(struct tls_remote *remote, const void *text, ULONG size)
{
    BYTE record[1024];
    const SecPkgContext_StreamSizes *sizes = &remote->sizes;
    if (sizes->cbHeader + size + sizes->cbTrailer > sizeof(record)) return false;
    memcpy(record + sizes->cbHeader, text, size);
    SecBuffer buffers[4] = {
        {sizes->cbHeader, SECBUFFER_STREAM_HEADER, record},
        {size, SECBUFFER_DATA, record + sizes->cbHeader},
        {sizes->cbTrailer, SECBUFFER_STREAM_TRAILER, record + sizes->cbHeader + size},
        {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    return tls_report("EncryptMessage", EncryptMessage(&remote->context, 0, &desc, 0)) &&
           remote_send(remote, record,
                       buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer);
}

bool tls_remote_record(struct tls_remote *remote, BYTE **record, ULONG *size)
{
    for (;;) {
        ULONG whole = remote->size < 5 ? 5 : 5u + remote->bytes[3] * 256u + remote->bytes[4];
        if (remote->size >= 5 && remote->size >= whole) {
            *record = remote->bytes;
            *size = whole;
            return true;
        }
        if (!remote_receive(remote)) return false;
    }
}

/* Until the server has said something; tickets come before that. */
static bool remote_listen(struct tls_remote *remote)
{
    for (;;) {
        SecBuffer buffers[4] = {{remote->size, SECBUFFER_DATA, remote->bytes}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
        SECURITY_STATUS status = SEC_E_INCOMPLETE_MESSAGE;
        if (remote->size) status = DecryptMessage(&remote->context, &desc, 0, NULL);
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            if (!remote_receive(remote)) return false;
            continue;
        }
        if (!tls_report("DecryptMessage", status)) return false;
        const SecBuffer *data = find(buffers, 4, SECBUFFER_DATA);
        const SecBuffer *extra = find(buffers, 4, SECBUFFER_EXTRA);
        bool said = data && data->cbBuffer;
        remote_drop(remote, remote->size - (extra ? extra->cbBuffer : 0));
        if (status == SEC_I_RENEGOTIATE &&
            !tls_report("post-handshake message", remote_leg(remote)))
            return false;
        if (said) return true;
    }
}

/* ---- figures ---- */

static bool resumed(struct tls_remote *remote)
{
    SecPkgContext_SessionInfo info = {0};
    SECURITY_STATUS status = QueryContextAttributesW(&remote->context, SECPKG_ATTR_SESSION_INFO,
                                                     &info);
    return status == SEC_E_OK && (info.dwFlags & SSL_SESSION_RECONNECT);
}

static bool one(unsigned port, bool *reconnected)
{
    struct tls_remote remote;
    bool good = tls_remote_open(&remote, port);
    if (good && tls_options.modern)
        good = tls_remote_say(&remote, "x\n", 2) && remote_listen(&remote);
    if (good) *reconnected = resumed(&remote);
    tls_remote_close(&remote);
    return good;
}

struct handshakes {
    const char *name;
    unsigned port;
    bool resume;
};

/* A figure under the wrong name is none. */
static double burst(void *state)
{
    const struct handshakes *wanted = state;
    uint64_t count = 0;
    double start = bench_now(), elapsed;
    do {
        bool reconnected;
        if (!one(wanted->port, &reconnected)) return 0;
        if (reconnected != wanted->resume) {
            fprintf(stderr, "%s: a session is %s\n", wanted->name,
                    wanted->resume ? "not resumed" : "resumed");
            return 0;
        }
        count++;
        elapsed = bench_now() - start;
    } while (elapsed < handshake_seconds);
    return (double)count / elapsed;
}

/* The first one is not counted: without it nothing could be resumed. */
static void measure(const char *name, unsigned port, bool resume)
{
    struct handshakes wanted = {name, port, resume};
    bool reconnected;
    if (one(port, &reconnected)) bench_figure(name, burst, &wanted, 1, "1/s");
    else bench_print(name, false, 0, "1/s");
}

bool tls_handshakes(const char *group)
{
    if (!strcmp(group, "full") && tls_options.full) {
        measure("full", tls_options.full, false);
    } else if (!strcmp(group, "resumed") && tls_options.resumable) {
        measure("resumed", tls_options.resumable, true);
    } else {
        return false;
    }
    return true;
}
