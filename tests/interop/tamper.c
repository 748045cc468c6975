/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing handshake tokens on their way; see tamper.h. NTLM messages (MS-NLMP 2.2.1) are found by
 * their signature, inside SPNEGO's tokens as well; of those (RFC 4178 4.2) only what has the short
 * form of DER lengths is changed.
 */
#include "tamper.h"

#include <string.h>

/* Where NTLM messages are changed: the last octet of NEGOTIATE's and CHALLENGE's NegotiateFlags,
 * and the MIC of AUTHENTICATE. */
enum { TYPE = 8, NEGOTIATE_FLAGS_END = 15, CHALLENGE_FLAGS_END = 23, AUTHENTICATE_MIC = 72 };
enum { FLAG_56_BIT = 0x80 };

static uint8_t *find_ntlm(const struct octets *frame)
{
    static const uint8_t signature[] = "NTLMSSP";
    for (size_t i = 0; i + TYPE < frame->size; i++) {
        if (!memcmp(frame->data + i, signature, sizeof(signature))) return frame->data + i;
    }
    return NULL;
}

/* type: MessageType, MS-NLMP 2.2.1. */
static void tamper_ntlm(struct octets *frame, uint8_t type, size_t offset)
{
    uint8_t *message = find_ntlm(frame);
    if (!message || message[TYPE] != type) return;
    if (offset < frame->size - (size_t)(message - frame->data)) message[offset] ^= FLAG_56_BIT;
}

/* Appends 1.2.3.4 to the mechTypes of a NegTokenInit: five lengths enclose the list. */
static void append_mechanism(struct octets *frame)
{
    static const uint8_t mechanism[] = {0x06, 0x03, 0x2a, 0x03, 0x04};
    static const uint8_t lengths[] = {1, 11, 13, 15, 17};
    const size_t list = 18;
    uint8_t *token = frame->data;
    if (frame->size <= list || token[0] != 0x60) return;
    for (unsigned i = 0; i < sizeof(lengths); i++) {
        if (token[lengths[i]] + sizeof(mechanism) > 0x7f) return;
    }
    const size_t end = list + token[lengths[4]];
    if (end > frame->size) return;
    for (unsigned i = 0; i < sizeof(lengths); i++) {
        token[lengths[i]] = (uint8_t)(token[lengths[i]] + sizeof(mechanism));
    }
    memmove(token + end + sizeof(mechanism), token + end, frame->size - end);
    memcpy(token + end, mechanism, sizeof(mechanism));
    frame->size += sizeof(mechanism);
}

/* The mechListMIC is the last element of a NegTokenResp, and NTLM's has 16 octets. */
static void change_mechlistmic(struct octets *frame)
{
    static const uint8_t sizes[] = {16, 28}; /* of NTLM, and of Kerberos with AES */
    if (!frame->size || frame->data[0] != 0xa1) return;
    for (size_t i = 0; i < sizeof(sizes); i++) {
        const uint8_t size = sizes[i], head[] = {0xa3, (uint8_t)(size + 2), 0x04, size};
        if (frame->size < sizeof(head) + size) continue;
        uint8_t *mic = frame->data + frame->size - size;
        if (memcmp(mic - sizeof(head), head, sizeof(head))) continue;
        mic[size / 2] ^= 0x01;
        return;
    }
}

void tamper_token(enum dialogue_tamper tamper, struct octets *frame)
{
    switch (tamper) {
    case TAMPER_NEGOTIATE: tamper_ntlm(frame, 1, NEGOTIATE_FLAGS_END); break;
    case TAMPER_CHALLENGE: tamper_ntlm(frame, 2, CHALLENGE_FLAGS_END); break;
    case TAMPER_AUTHENTICATE: tamper_ntlm(frame, 3, AUTHENTICATE_MIC); break;
    case TAMPER_TOKEN: frame->data[frame->size - 1] ^= 0x01; break;
    case TAMPER_MECHANISMS: append_mechanism(frame); break;
    case TAMPER_MECHLISTMIC: change_mechlistmic(frame); break;
    default: break;
    }
}
