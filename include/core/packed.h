/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The envelope of an exported context. In clear, and authenticated as associated data: magic,
 * version, flags, epoch (which secret sealed it), ticket (ledger entry of a single-use blob, else
 * 0), nonce, package name. Sealed with AES-256-GCM: the provider's body. The layout is little
 * endian and the same on 32 and 64 bit.
 */
#pragma once

#include "core/crypto.h"
#include "core/writer.h"

#define PACKED_SINGLE_USE 0x01u /* made with DELETE_OLD: the ledger decides */
#define PACKED_HALF_OPEN 0x02u  /* the handshake goes on after the import */
#define PACKED_ACCEPTOR 0x04u   /* made by AcceptSecurityContext */
#define PACKED_SASL 0x08u       /* the body begins with that of core/sasl.h */
#define PACKED_FLAGS 0x0Fu

#define PACKED_BODY_MAX (16u << 20)

struct packed {
    uint8_t flags;
    uint64_t epoch, ticket;
    uint8_t nonce[12];
    struct slice package; /* UTF-16LE, 1 to 64 characters */
    struct slice body;    /* sealed when decoded, plain when encoded */
};

/* Bytes that packed_encode writes for this name and body. */
size_t packed_size(const struct packed *packed);

/* Writes and seals. SEC_E_BUFFER_TOO_SMALL when out is too small, SEC_E_INVALID_PARAMETER for a
 * name or body outside its limits. */
status_t packed_encode(const struct packed *packed, struct aead *aead, struct writer *out);

/* Looks at the clear part only; slices borrow from blob. SEC_E_INVALID_TOKEN when it is not one
 * of ours, not whole, or has bytes too many. */
status_t packed_decode(struct slice blob, struct packed *out);

/* Opens the body of a decoded blob into plain (packed->body.size - 16 bytes, the caller's block;
 * see packed_body_size). SEC_E_MESSAGE_ALTERED when anything was changed. */
size_t packed_body_size(const struct packed *packed);
status_t packed_open(struct slice blob, const struct packed *packed, struct aead *aead,
                     uint8_t *plain);
