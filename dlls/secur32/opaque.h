/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities as the functions Sspi...AuthIdentity take them, PSEC_WINNT_AUTH_IDENTITY_OPAQUE: any
 * of the documented forms. What these functions give is one block of the EX2 form, in the process
 * heap like all else that they give.
 */
#pragma once

#include "core/identity.h"
#include "core/writer.h"
#include "ssp/abi.h"

/* The parts of an identity, with texts in UTF-16 and a password packed, whatever its form was. They
 * borrow from the application's structure and from what is here. */
struct opaque {
    struct identity_parts parts;
    uint8_t *room; /* texts that were converted, a password that was packed */
    size_t room_size;
    struct writer opened; /* packed credentials that were decrypted */
};

/* NULL is an identity that leaves everything out. SEC_E_INVALID_TOKEN, with nothing to clear, for
 * what is no identity. Encrypted parts stay encrypted. */
status_t opaque_read(const void *identity, struct opaque *out);
void opaque_clear(struct opaque *opaque);

/* Decrypts the packed credentials, if they are encrypted and this caller may. */
status_t opaque_open(struct opaque *opaque);

/* The password of what is not encrypted; left out when it was. SEC_E_UNSUPPORTED_FUNCTION for
 * credentials of another type. */
status_t opaque_password(const struct opaque *opaque, struct slice *password);

/* A new block, with room to encrypt it. */
status_t opaque_give(const struct identity_parts *parts, PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out);

/* Text of the caller, without its terminator; NULL is none. */
struct slice opaque_text(const WCHAR *text);

/* Copies for the caller; NULL for what was left out. */
status_t opaque_give_text(struct slice text, WCHAR **out);
status_t opaque_give_bytes(struct slice bytes, void **out);

/* Wipes and releases what one of the above has given; NULL is fine. */
void opaque_release(void *block);

/* The key for these SEC_WINNT_AUTH_IDENTITY_FLAGS_ bits, to decrypt with: what was encrypted for
 * the system alone is refused to others with SEC_E_NOT_OWNER. */
status_t opaque_opening_key(ULONG flags, struct identity_key *out);
