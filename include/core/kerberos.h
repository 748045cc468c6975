/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of an established Kerberos context (RFC 4121 with the encryption types of RFC 3962 and
 * RFC 8009; RFC 4757 for RC4), over an application's buffers and in place, as SSPI lays them out: a
 * token in front, data, and padding (MS-KILE 3.4.5). The exchange of the key is not made here.
 */
#pragma once

#include "core/blob.h"
#include "core/message_part.h"
#include "core/writer.h"

/* ---- encryption types (RFC 3961 and its registry) ---- */

enum kerberos_enctype {
    KERBEROS_AES128_SHA1 = 17,   /* aes128-cts-hmac-sha1-96 */
    KERBEROS_AES256_SHA1 = 18,   /* aes256-cts-hmac-sha1-96 */
    KERBEROS_AES128_SHA256 = 19, /* aes128-cts-hmac-sha256-128 */
    KERBEROS_AES256_SHA384 = 20, /* aes256-cts-hmac-sha384-192 */
    KERBEROS_RC4 = 23,           /* rc4-hmac */
};
#define KERBEROS_KEY_MAX 32u

/* Bytes of such a key; 0 for a type whose messages cannot be made here. */
size_t kerberos_key_size(uint32_t enctype);

/* ---- the session ---- */

#define KERBEROS_REPLAY 0x4u   /* GSS_C_REPLAY_FLAG: a message counts once */
#define KERBEROS_SEQUENCE 0x8u /* GSS_C_SEQUENCE_FLAG: and in its turn */
#define KERBEROS_DCE_STYLE 0x1000u

/* One direction. Messages are numbered; of those received, the window remembers the last ones. */
struct kerberos_direction {
    uint64_t first;             /* number of the first message */
    uint64_t next;              /* to be made, or one behind the highest received */
    uint64_t received;          /* receiving: bit n for message next - 1 - n */
    struct kerberos_keys *keys; /* derived from the session's; owned */
};

struct kerberos_session {
    bool initiator;
    bool acceptor_subkey; /* the key is one that the acceptor chose (RFC 4121 4.2.2) */
    uint32_t flags;       /* KERBEROS_ */
    enum kerberos_enctype enctype;
    uint8_t key[KERBEROS_KEY_MAX]; /* the subkey in use */
    struct kerberos_direction send, receive;
};

struct kerberos_start {
    bool initiator, acceptor_subkey;
    uint32_t flags, enctype;
    struct slice key;
    uint64_t send_first, receive_first;
};

/* Creates a session in uninitialised storage. SEC_E_UNSUPPORTED_FUNCTION for an encryption type
 * that is not known here, SEC_E_INVALID_PARAMETER for a key of another size. */
status_t kerberos_session_init(struct kerberos_session *session,
                               const struct kerberos_start *start);
/* Back to the state at the end of the handshake. */
void kerberos_session_rewind(struct kerberos_session *session);
void kerberos_session_clear(struct kerberos_session *session);

/* Versioned with whoever wraps it. reset writes the state at the end of the handshake. */
void kerberos_session_write(const struct kerberos_session *session, bool reset, struct writer *w);
/* Creates a session (uninitialised storage) from what the reader is at; SEC_E_INVALID_TOKEN for
 * what kerberos_session_write cannot have written. */
status_t kerberos_session_read(struct kerberos_session *session, struct reader *r);

/* ---- messages ---- */

/* The two directions may be used by two threads at once, one direction by one at a time. A failed
 * call leaves numbers and data as they were (SEC_E_MESSAGE_ALTERED, SEC_E_OUT_OF_SEQUENCE,
 * SEC_E_INVALID_TOKEN for what is no token, SEC_E_CONTEXT_EXPIRED when there is no number left to
 * send). After the first of its kind none makes a key. */

#define KERBEROS_CONFOUNDER 16u /* random bytes, of which a token takes as many as it needs */
#define KERBEROS_TOKEN_MAX 128u /* the most that any token has */

struct kerberos_sizes {
    size_t signature; /* of MakeSignature's token, exactly */
    size_t token;     /* of EncryptMessage's token at most */
    size_t block;     /* of its padding at most: SecPkgContext_Sizes.cbBlockSize */
};
void kerberos_sizes(const struct kerberos_session *session, struct kerberos_sizes *out);

/* MIC tokens (RFC 4121 4.2.6.1, RFC 4757 7.2) over all parts in order. */
status_t kerberos_sign(struct kerberos_session *session, const struct message_part *parts,
                       size_t count, uint8_t *token, size_t room, size_t *size);
status_t kerberos_verify(struct kerberos_session *session, const struct message_part *parts,
                         size_t count, struct slice token);

/* What EncryptMessage makes beside the data. */
struct kerberos_wrapping {
    bool encrypt; /* in; of unwrapping: out */
    uint8_t *token;
    size_t token_size;   /* in: its room, or its size when unwrapping; out: what is used of it */
    uint8_t *padding;    /* NULL without */
    size_t padding_size; /* likewise */
};

/*
 * Wrap tokens (RFC 4121 4.2.6.2, RFC 4757 7.3): parts that are `sealed` are the message's data and
 * encrypted in place, unless none is to be; all are covered. SEC_E_BUFFER_TOO_SMALL when the token
 * has too little room, or there is none for padding that is needed: a byte for RC4, but not in DCE
 * style. Unwrapping takes padding that has no place of its own from the end of the data, whose part
 * is shorter then.
 */
status_t kerberos_wrap(struct kerberos_session *session,
                       const uint8_t confounder[KERBEROS_CONFOUNDER], struct message_part *parts,
                       size_t count, struct kerberos_wrapping *wrapping);
status_t kerberos_unwrap(struct kerberos_session *session, struct message_part *parts, size_t count,
                         struct kerberos_wrapping *wrapping);

/* A wrap token in one piece, as gss_wrap makes it, with any rotation; *plain is where the data is
 * in it afterwards. */
status_t kerberos_unwrap_stream(struct kerberos_session *session, uint8_t *token, size_t size,
                                bool *encrypted, struct slice *plain);

/* ---- primitives, for vectors ---- */

/* RFC 3961 5.1; neither is empty. */
void kerberos_n_fold(struct slice from, uint8_t *out, size_t size);

/* Key derivation: DK of RFC 3961 5.1, KDF-HMAC-SHA2 of RFC 8009 3; size bytes. */
status_t kerberos_derive(enum kerberos_enctype enctype, struct slice key, struct slice constant,
                         uint8_t *out, size_t size);

/* AES with ciphertext stealing under a key of 16 or 32 bytes (RFC 3962 5), of the parts that are
 * sealed, which are more than 16 bytes together. */
status_t kerberos_crypt(struct slice key, bool encrypt, const struct message_part *parts,
                        size_t count);
