/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packets of connection-oriented RPC (C706 12.6, MS-RPCE 2.2.2) as the test's server needs them,
 * over a socket or a named pipe, with one security context.
 */
#pragma once

#include <winsock2.h>
#include <windows.h>
#include <sspi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RPC_REQUEST = 0,
    RPC_RESPONSE = 2,
    RPC_FAULT = 3,
    RPC_BIND = 11,
    RPC_BIND_ACK = 12,
    RPC_AUTH3 = 16
};

enum { RPC_FIRST = 1, RPC_LAST = 2 };
enum { RPC_HEADER = 16, RPC_CALL_HEADER = 24, RPC_VERIFIER = 8, RPC_PACKET_MAX = 5840 };
enum { RPC_TOKEN_MAX = 4096, RPC_MESSAGE_MAX = 1 << 17 };

struct rpc_channel {
    SOCKET socket; /* INVALID_SOCKET: the pipe */
    HANDLE pipe;
    CtxtHandle context;
    bool have_context, authenticated;
    uint8_t service, level; /* of the verifier, RPC_C_AUTHN_... */
    uint32_t verifier_id;
    uint8_t token[RPC_TOKEN_MAX]; /* in, then out */
    size_t token_size;
    uint8_t message[RPC_MESSAGE_MAX]; /* a request of several packets, then its answer */
};

/* One packet. Its sizes are in the header as well; body is what lies between the two. */
struct rpc_packet {
    uint8_t data[RPC_PACKET_MAX];
    size_t size, header, body, padding, token; /* token: its length; the verifier is before it */
    uint8_t type, flags;
    uint32_t call;
};

/* False at the end of the connection, and for what is no packet. */
bool rpc_receive(struct rpc_channel *channel, struct rpc_packet *packet);
bool rpc_send(struct rpc_channel *channel, const struct rpc_packet *packet);

/* The verifier's start, or NULL when there is none. */
uint8_t *rpc_verifier(struct rpc_packet *packet);

void rpc_begin(struct rpc_packet *packet, uint8_t type, uint8_t flags, uint32_t call);
void rpc_add(struct rpc_packet *packet, const void *bytes, size_t count);
void rpc_add_number(struct rpc_packet *packet, uint32_t number, size_t octets);
/* Aligns the body and adds a verifier with room for a token, which it returns. */
uint8_t *rpc_add_verifier(const struct rpc_channel *channel, struct rpc_packet *packet,
                          size_t token);

/* Signs or seals what rpc_add_verifier has made room in, or undoes it, as the level says. */
SECURITY_STATUS rpc_protect(struct rpc_channel *channel, struct rpc_packet *packet);
SECURITY_STATUS rpc_unprotect(struct rpc_channel *channel, struct rpc_packet *packet);
