/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See tls_datagram.h. */
#include "tls_datagram.h"

static SOCKET open_bound(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int size = sizeof(address);
    SOCKET result = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    if (result == INVALID_SOCKET) return result;
    if (bind(result, (struct sockaddr *)&address, size) ||
        getsockname(result, (struct sockaddr *)&address, &size)) {
        closesocket(result);
        return INVALID_SOCKET;
    }
    *port = ntohs(address.sin_port);
    return result;
}

SOCKET tls_datagram_listen(unsigned *port)
{
    return open_bound(port);
}

SOCKET tls_datagram_accept(SOCKET listener, unsigned patience_ms, struct sockaddr_in *peer)
{
    fd_set set;
    struct timeval patience = {(long)(patience_ms / 1000), 0};
    int size = sizeof(*peer);
    char first[4096];
    FD_ZERO(&set);
    FD_SET(listener, &set);
    if (select(0, &set, NULL, NULL, &patience) != 1 ||
        recvfrom(listener, first, sizeof(first), MSG_PEEK, (struct sockaddr *)peer, &size) <= 0 ||
        connect(listener, (struct sockaddr *)peer, size))
        return INVALID_SOCKET;
    return listener;
}

SOCKET tls_datagram_connect(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((u_short)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned own;
    SOCKET result = open_bound(&own);
    if (result == INVALID_SOCKET) return result;
    if (!connect(result, (struct sockaddr *)&address, sizeof(address))) return result;
    closesocket(result);
    return INVALID_SOCKET;
}
