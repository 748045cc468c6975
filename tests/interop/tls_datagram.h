/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UDP on the loopback interface, one peer for each socket. */
#pragma once

#include <winsock2.h>

/* A free port, in *port. INVALID_SOCKET after a failure, here and below. */
SOCKET tls_datagram_listen(unsigned *port);

/* The socket, tied to whom its first datagram is from, which is still to be read. */
SOCKET tls_datagram_accept(SOCKET listener, unsigned patience_ms, struct sockaddr_in *peer);

SOCKET tls_datagram_connect(unsigned port);
