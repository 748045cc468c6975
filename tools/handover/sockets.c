/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See sockets.h. */
#include "sockets.h"

#include "narrate.h"

#include <ws2tcpip.h>

static struct sockaddr_in socket_address(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((u_short)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

SOCKET socket_listen(unsigned port, int backlog, unsigned *actual)
{
    SOCKET listening = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    struct sockaddr_in address = socket_address(port);
    int size = sizeof(address);
    if (listening == INVALID_SOCKET || bind(listening, (struct sockaddr *)&address, size) ||
        listen(listening, backlog) || getsockname(listening, (struct sockaddr *)&address, &size)) {
        narrate_failure("cannot listen on 127.0.0.1: error %d", WSAGetLastError());
        if (listening != INVALID_SOCKET) closesocket(listening);
        return INVALID_SOCKET;
    }
    SetHandleInformation((HANDLE)listening, HANDLE_FLAG_INHERIT, 0);
    *actual = ntohs(address.sin_port);
    return listening;
}

SOCKET socket_connect(unsigned port)
{
    SOCKET connection = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    struct sockaddr_in address = socket_address(port);
    if (connection == INVALID_SOCKET ||
        connect(connection, (struct sockaddr *)&address, sizeof(address))) {
        narrate_failure("cannot connect to 127.0.0.1:%u: error %d", port, WSAGetLastError());
        if (connection != INVALID_SOCKET) closesocket(connection);
        return INVALID_SOCKET;
    }
    SetHandleInformation((HANDLE)connection, HANDLE_FLAG_INHERIT, 0);
    return connection;
}

void socket_prepare(SOCKET socket, DWORD timeout_ms)
{
    BOOL on = TRUE;
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, (const char *)&timeout_ms, sizeof(timeout_ms));
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, (const char *)&timeout_ms, sizeof(timeout_ms));
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof(on));
    SetHandleInformation((HANDLE)socket, HANDLE_FLAG_INHERIT, 0);
}
