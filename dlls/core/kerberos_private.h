/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of Kerberos' messages share. */
#pragma once

#include "core/crypto.h"
#include "core/kerberos.h"
#include "core/secret.h"

#define CFX_BLOCK 16u       /* of AES */
#define CFX_MAC_MAX 24u     /* of HMAC-SHA-384-192 */
#define CFX_HEADER_SIZE 16u /* RFC 4121 4.2.6 */

/* ---- encryption types: kerberos_keys.c ---- */

struct kerberos_profile {
    size_t key_size;
    size_t mac_size; /* of a checksum in a token */
    enum crypto_hash hash;
    bool mac_of_cipher; /* RFC 8009: what is authenticated is encrypted already */
};

/* NULL for a type that is not known. */
const struct kerberos_profile *kerberos_profile(uint32_t enctype);

static inline const struct kerberos_profile *kerberos_profile_of(
    const struct kerberos_session *session)
{
    return kerberos_profile(session->enctype);
}

/* What a direction needs for messages, made when it is needed first. */
struct kerberos_keys {
    struct hasher *sign;      /* MIC tokens; RC4: all tokens */
    struct hasher *check;     /* wrap tokens that are not encrypted */
    struct hasher *integrity; /* encrypted ones */
    struct cbc *cipher;
    struct hasher *digest, *number, *crypt; /* RC4: of RFC 4757 7.2 and 7.3 */
};

enum kerberos_purpose { KERBEROS_SIGN, KERBEROS_CHECK, KERBEROS_SEAL };

/* Makes sure that the keys of a direction are there. */
status_t kerberos_keys_prepare(const struct kerberos_session *session,
                               struct kerberos_direction *direction, enum kerberos_purpose purpose);
void kerberos_keys_free(struct kerberos_keys *keys);

/* ---- numbers: kerberos_session.c ---- */

/* The number that a peer means which counts in 32 bits. */
uint64_t kerberos_number_extend(const struct kerberos_direction *direction, uint64_t number);
/* Whether a message of that number is welcome, and that it has come. */
status_t kerberos_number_check(const struct kerberos_session *session, uint64_t number);
void kerberos_number_take(struct kerberos_session *session, uint64_t number);

/* Whether the other one sends what the session sends, or the peer's. */
static inline bool kerberos_by_acceptor(const struct kerberos_session *session, bool sending)
{
    return session->initiator != sending;
}

/* ---- bytes that lie in several places: kerberos_spread.c ---- */

/* In this order: front, parts, back. */
struct kerberos_spread {
    uint8_t *front;
    size_t front_size;
    const struct message_part *parts;
    size_t count;
    uint8_t *back;
    size_t back_size;
};

/* Bytes of the parts: of all, or of those that are encrypted. */
size_t kerberos_parts_size(const struct message_part *parts, size_t count, bool sealed_only);
void kerberos_hash_parts(struct hasher *hasher, const struct message_part *parts, size_t count);
void kerberos_hash_spread(struct hasher *hasher, const struct kerberos_spread *spread);

/* AES-CBC with ciphertext stealing (RFC 3962 5, RFC 8009 5) over front, sealed parts and back,
 * which are more than a block together. */
void kerberos_cts(struct cbc *cbc, bool encrypt, const struct kerberos_spread *spread);

/* ---- tokens: kerberos_cfx.c (RFC 4121) ---- */

void cfx_sizes(const struct kerberos_session *session, struct kerberos_sizes *out);
status_t cfx_sign(struct kerberos_session *session, const struct message_part *parts, size_t count,
                  uint8_t *token, size_t room, size_t *size);
status_t cfx_verify(struct kerberos_session *session, const struct message_part *parts,
                    size_t count, struct slice token);
status_t cfx_wrap(struct kerberos_session *session, const uint8_t *confounder,
                  const struct message_part *parts, size_t count,
                  struct kerberos_wrapping *wrapping);
status_t cfx_unwrap(struct kerberos_session *session, const struct message_part *parts,
                    size_t count, struct kerberos_wrapping *wrapping);
status_t cfx_unwrap_stream(struct kerberos_session *session, uint8_t *token, size_t size,
                           bool *encrypted, struct slice *plain);

/* ---- kerberos_rc4.c (RFC 4757) ---- */

void arcfour_sizes(const struct kerberos_session *session, struct kerberos_sizes *out);
status_t arcfour_sign(struct kerberos_session *session, const struct message_part *parts,
                      size_t count, uint8_t *token, size_t room, size_t *size);
status_t arcfour_verify(struct kerberos_session *session, const struct message_part *parts,
                        size_t count, struct slice token);
status_t arcfour_wrap(struct kerberos_session *session, const uint8_t *confounder,
                      const struct message_part *parts, size_t count,
                      struct kerberos_wrapping *wrapping);
status_t arcfour_unwrap(struct kerberos_session *session, struct message_part *parts, size_t count,
                        struct kerberos_wrapping *wrapping);
status_t arcfour_unwrap_stream(struct kerberos_session *session, uint8_t *token, size_t size,
                               bool *encrypted, struct slice *plain);
