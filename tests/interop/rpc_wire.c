/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets of connection-oriented RPC; see rpc_wire.h. All numbers are little-endian. */
#include "rpc_wire.h"

#include <rpc.h>
#include <string.h>

enum { FRAGMENT_LENGTH = 8, AUTH_LENGTH = 10, CALL_ID = 12, ALIGNMENT = 16 };

static bool read_all(struct rpc_channel *channel, uint8_t *bytes, size_t count)
{
    while (count) {
        DWORD done = 0;
        if (channel->socket != INVALID_SOCKET) {
            int got = recv(channel->socket, (char *)bytes, (int)count, 0);
            done = got > 0 ? (DWORD)got : 0;
        } else if (!ReadFile(channel->pipe, bytes, (DWORD)count, &done, NULL) &&
                   GetLastError() != ERROR_MORE_DATA) {
            return false;
        }
        if (!done) return false;
        bytes += done;
        count -= done;
    }
    return true;
}

static uint32_t number_at(const uint8_t *bytes, size_t octets)
{
    uint32_t number = 0;
    for (size_t i = 0; i < octets; i++) number |= (uint32_t)bytes[i] << (8 * i);
    return number;
}

static void number_put(uint8_t *bytes, uint32_t number, size_t octets)
{
    for (size_t i = 0; i < octets; i++) bytes[i] = (uint8_t)(number >> (8 * i));
}

bool rpc_receive(struct rpc_channel *channel, struct rpc_packet *packet)
{
    memset(packet, 0, sizeof(*packet));
    if (!read_all(channel, packet->data, RPC_HEADER)) return false;
    packet->type = packet->data[2];
    packet->flags = packet->data[3];
    packet->size = number_at(packet->data + FRAGMENT_LENGTH, 2);
    packet->token = number_at(packet->data + AUTH_LENGTH, 2);
    packet->call = number_at(packet->data + CALL_ID, 4);
    packet->header = packet->type == RPC_REQUEST ? RPC_CALL_HEADER : RPC_HEADER;
    const size_t verifier = packet->token ? RPC_VERIFIER + packet->token : 0;
    if (packet->size > sizeof(packet->data) || packet->size < packet->header + verifier ||
        !read_all(channel, packet->data + RPC_HEADER, packet->size - RPC_HEADER)) {
        return false;
    }
    packet->body = packet->size - packet->header - verifier;
    packet->padding = verifier ? packet->data[packet->size - verifier + 2] : 0;
    return packet->padding <= packet->body;
}

bool rpc_send(struct rpc_channel *channel, const struct rpc_packet *packet)
{
    DWORD done = 0;
    if (channel->socket == INVALID_SOCKET) {
        return WriteFile(channel->pipe, packet->data, (DWORD)packet->size, &done, NULL) &&
               done == packet->size;
    }
    return send(channel->socket, (const char *)packet->data, (int)packet->size, 0) ==
           (int)packet->size;
}

uint8_t *rpc_verifier(struct rpc_packet *packet)
{
    return packet->token ? packet->data + packet->size - packet->token - RPC_VERIFIER : NULL;
}

void rpc_begin(struct rpc_packet *packet, uint8_t type, uint8_t flags, uint32_t call)
{
    const uint8_t head[] = {5, 0, type, flags, 0x10, 0, 0, 0, 0, 0, 0, 0};
    memset(packet, 0, sizeof(*packet));
    packet->type = type;
    packet->call = call;
    packet->header = type == RPC_RESPONSE ? RPC_CALL_HEADER : RPC_HEADER;
    rpc_add(packet, head, sizeof(head));
    rpc_add_number(packet, call, 4);
}

/* Everything that the test sends fits; what does not is left out and noticed by its peer. */
void rpc_add(struct rpc_packet *packet, const void *bytes, size_t count)
{
    if (count > sizeof(packet->data) - packet->size) return;
    memcpy(packet->data + packet->size, bytes, count);
    packet->size += count;
    number_put(packet->data + FRAGMENT_LENGTH, (uint32_t)packet->size, 2);
}

void rpc_add_number(struct rpc_packet *packet, uint32_t number, size_t octets)
{
    uint8_t bytes[4];
    number_put(bytes, number, sizeof(bytes));
    rpc_add(packet, bytes, octets);
}

uint8_t *rpc_add_verifier(const struct rpc_channel *channel, struct rpc_packet *packet,
                          size_t token)
{
    static const uint8_t zeros[1024];
    const size_t body = packet->size - packet->header;
    packet->padding = (ALIGNMENT - body % ALIGNMENT) % ALIGNMENT;
    rpc_add(packet, zeros, packet->padding);
    packet->body = body + packet->padding;
    packet->token = token;
    const uint8_t verifier[] = {channel->service, channel->level, (uint8_t)packet->padding, 0};
    rpc_add(packet, verifier, sizeof(verifier));
    rpc_add_number(packet, channel->verifier_id, 4);
    rpc_add(packet, zeros, token);
    number_put(packet->data + AUTH_LENGTH, (uint32_t)token, 2);
    return packet->data + packet->size - token;
}

/* Header and verifier are signed and never sealed (MS-RPCE 2.2.2.12). */
static void list_parts(struct rpc_packet *packet, SecBuffer parts[4])
{
    const ULONG checked = SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM;
    uint8_t *verifier = rpc_verifier(packet);
    parts[0] = (SecBuffer){(ULONG)packet->header, checked, packet->data};
    parts[1] = (SecBuffer){(ULONG)packet->body, SECBUFFER_DATA, packet->data + packet->header};
    parts[2] = (SecBuffer){RPC_VERIFIER, checked, verifier};
    parts[3] = (SecBuffer){(ULONG)packet->token, SECBUFFER_TOKEN, verifier + RPC_VERIFIER};
}

SECURITY_STATUS rpc_protect(struct rpc_channel *channel, struct rpc_packet *packet)
{
    SecBuffer parts[4];
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, parts};
    list_parts(packet, parts);
    return channel->level == RPC_C_AUTHN_LEVEL_PKT_PRIVACY
               ? EncryptMessage(&channel->context, 0, &desc, 0)
               : MakeSignature(&channel->context, 0, &desc, 0);
}

SECURITY_STATUS rpc_unprotect(struct rpc_channel *channel, struct rpc_packet *packet)
{
    SecBuffer parts[4];
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, parts};
    if (!packet->token) return SEC_E_MESSAGE_ALTERED;
    list_parts(packet, parts);
    return channel->level == RPC_C_AUTHN_LEVEL_PKT_PRIVACY
               ? DecryptMessage(&channel->context, &desc, 0, NULL)
               : VerifySignature(&channel->context, &desc, 0, NULL);
}
