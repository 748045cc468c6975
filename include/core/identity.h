/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An identity as one block of bytes: SEC_WINNT_AUTH_IDENTITY_EX2 (sspi.h) and behind it what it
 * names by offset. The structure has numbers and offsets only, so the bytes are the same on 32 and
 * 64 bit, and marshalling is copying. Texts are UTF-16LE.
 */
#pragma once

#include "core/crypto.h"
#include "core/writer.h"

#define IDENTITY_HEADER_SIZE 48u
#define IDENTITY_VERSION 0x201u

/* Values of Flags that matter here (sspi.h). */
#define IDENTITY_UNICODE 0x2u
#define IDENTITY_MARSHALLED 0x4u
#define IDENTITY_ENCRYPTED 0xf0u /* for the process, the system or the user, in four ways */
#define IDENTITY_NULL_USER 0x20000u
#define IDENTITY_NULL_DOMAIN 0x40000u

/* Borrowed from a block. What was left out has data NULL; what is there and empty has not. */
struct identity_parts {
    uint32_t flags;
    struct slice user, domain;
    struct slice packed;       /* SEC_WINNT_AUTH_PACKED_CREDENTIALS; sealed when flags say so */
    struct slice package_list; /* "Kerberos,!NTLM" */
};

/* SEC_E_INVALID_TOKEN, with *out untouched, for what is no such block, is cut short, or names
 * something outside of itself. Bytes behind the block are not looked at. */
status_t identity_decode(struct slice bytes, struct identity_parts *out);

/* Appends a block of at least that many bytes, zeros at its end. SEC_E_INVALID_PARAMETER for a part
 * that its 16-bit size cannot tell. */
status_t identity_encode(const struct identity_parts *parts, size_t at_least, struct writer *out);

/* The size of a block in which these parts can be sealed later. */
size_t identity_room(const struct identity_parts *parts);

/* Packed credentials of type password. Reading: false when they are of another type or damaged. */
#define IDENTITY_PASSWORD_OVERHEAD 36u
void identity_password_write(struct slice password, struct writer *out);
bool identity_password_read(struct slice packed, struct slice *password);

/*
 * Sealing encrypts the packed credentials, also when there are none, and vouches for user, domain
 * and mode, which is one or more of the bits IDENTITY_ENCRYPTED. Sealed credentials are longer.
 */
struct identity_key {
    uint32_t mode;
    uint8_t bytes[32];
};

/* Appends the sealed or the opened packed credentials of parts. Opening: SEC_E_NOT_OWNER when they
 * were sealed under another key or mode, SEC_E_MESSAGE_ALTERED when they were changed. */
status_t identity_seal(const struct identity_parts *parts, const struct identity_key *key,
                       const uint8_t nonce[12], struct writer *out);
status_t identity_open(const struct identity_parts *parts, const struct identity_key *key,
                       struct writer *out);

/* The same within a block of this size, which keeps it; untouched on failure.
 * SEC_E_BUFFER_TOO_SMALL when there is no room, SEC_E_INVALID_PARAMETER for sealing twice. */
status_t identity_seal_block(uint8_t *block, size_t size, const struct identity_key *key,
                             const uint8_t nonce[12]);
status_t identity_open_block(uint8_t *block, size_t size, const struct identity_key *key);
