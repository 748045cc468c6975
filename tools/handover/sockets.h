/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TCP on the loopback interface. */
#pragma once

#include <winsock2.h>

/* No child inherits them. A failure is narrated, and is INVALID_SOCKET. Port 0 takes a free one;
 * *actual is the one that was taken. */
SOCKET socket_listen(unsigned port, int backlog, unsigned *actual);
SOCKET socket_connect(unsigned port);

/* Limits for sending and receiving, and no waiting for more to send. */
void socket_prepare(SOCKET socket, DWORD timeout_ms);
