/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Put before those of Wine's tests that speak of the network: test.winehq.org is on this machine,
 * at the port in the environment variable WINE_TESTS_PORT, no other name is known, and where the
 * test of RPC listens at a port of its own the kernel chooses one.
 */
#pragma once

#include <winsock2.h>

#include <rpc.h>

#include <stdlib.h>
#include <string.h>

__attribute__((unused)) static struct hostent *local_server_find(const char *name)
{
    return strcmp(name, "test.winehq.org") ? NULL : gethostbyname("127.0.0.1");
}

__attribute__((unused)) static int local_server_connect(SOCKET peer, const struct sockaddr *address,
                                                        int size)
{
    const char *port = getenv("WINE_TESTS_PORT");
    struct sockaddr_in there;
    memcpy(&there, address, sizeof(there));
    there.sin_port = htons((u_short)atoi(port ? port : ""));
    return connect(peer, (const struct sockaddr *)&there, size);
}

__attribute__((unused)) static RPC_STATUS local_server_offer(RPC_CSTR protocol, unsigned calls,
                                                             RPC_CSTR endpoint, void *security)
{
    if (endpoint && !strcmp((const char *)endpoint, "4114"))
        return RpcServerUseProtseqA(protocol, calls, security);
    return RpcServerUseProtseqEpA(protocol, calls, endpoint, security);
}

#define gethostbyname local_server_find
#define connect local_server_connect
#define RpcServerUseProtseqEpA local_server_offer
