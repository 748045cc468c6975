/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS after its handshake: keys, records and the messages that may still come (RFC 5246, RFC 5288,
 * RFC 6655, RFC 7905, RFC 8446). Who made the handshake gives version, suite and keys; from then on
 * a session is plain data. Suites without an AEAD are in the table, but have no session here.
 *
 * Making and opening records allocates nothing.
 */
#pragma once

#include "core/crypto.h"
#include "core/writer.h"

#define TLS_1_0 0x0301u
#define TLS_1_1 0x0302u
#define TLS_1_2 0x0303u
#define TLS_1_3 0x0304u
#define DTLS_1_0 0xfeffu
#define DTLS_1_2 0xfefdu

#define TLS_SECRET_MAX 48u                       /* SHA-384 */
#define TLS_KEY_MAX 32u                          /* AES-256, ChaCha20 */
#define TLS_RECORD_HEADER 5u                     /* type, version, length */
#define DTLS_RECORD_HEADER 13u                   /* with epoch and number: RFC 6347 4.1 */
#define TLS_PLAIN_MAX 16384u                     /* RFC 8446 5.1 */
#define TLS_FRAGMENT_MAX (TLS_PLAIN_MAX + 2048u) /* behind any header: RFC 5246 6.2.3 */
#define TLS_SHOWN_NONCE 8u                       /* explicit: RFC 5288 3 */
#define TLS_HEADER_MAX (TLS_RECORD_HEADER + TLS_SHOWN_NONCE)
#define TLS_TRAILER_MAX 17u /* tag, and the type that TLS 1.3 hides */

/* ContentType, RFC 8446 B.1 */
enum tls_type { TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT, TLS_HANDSHAKE, TLS_APPLICATION_DATA };

/* HandshakeType, RFC 8446 B.3 and RFC 5246 7.4: those that a session meets. */
enum tls_message {
    TLS_HELLO_REQUEST = 0,
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_NEW_SESSION_TICKET = 4,
    TLS_CERTIFICATE = 11,
    TLS_CERTIFICATE_REQUEST = 13,
    TLS_SERVER_HELLO_DONE = 14,
    TLS_CERTIFICATE_VERIFY = 15,
    TLS_FINISHED = 20,
    TLS_KEY_UPDATE = 24,
};

/* ---- suites: core/tls_suite.c ---- */

enum tls_cipher {
    TLS_CIPHER_AES_128_GCM,
    TLS_CIPHER_AES_256_GCM,
    TLS_CIPHER_CHACHA20_POLY1305,
    TLS_CIPHER_AES_128_CCM,
    TLS_CIPHER_AES_256_CCM,
    TLS_CIPHER_AES_128_CBC,
    TLS_CIPHER_AES_256_CBC,
    TLS_CIPHER_3DES_CBC,
    TLS_CIPHER_AES_128_CCM_8,
    TLS_CIPHER_AES_256_CCM_8,
};
enum tls_hash { TLS_HASH_NONE, TLS_HASH_SHA1, TLS_HASH_SHA256, TLS_HASH_SHA384 };
enum tls_exchange { TLS_EXCHANGE_ANY, TLS_EXCHANGE_RSA, TLS_EXCHANGE_DHE, TLS_EXCHANGE_ECDHE };
enum tls_authentication { TLS_AUTH_ANY, TLS_AUTH_RSA, TLS_AUTH_ECDSA };

struct tls_suite {
    uint16_t id;      /* IANA's number */
    const char *name; /* IANA's name */
    enum tls_cipher cipher;
    uint16_t key_bits;
    enum tls_hash mac; /* of records; NONE for an AEAD */
    enum tls_hash prf; /* of the key schedule */
    enum tls_exchange exchange;
    enum tls_authentication authentication;
};

/* All suites, in the order in which they are preferred: that of Windows 11, then the rest. */
extern const struct tls_suite tls_suites[];
extern const size_t tls_suite_count;

const struct tls_suite *tls_suite_find(uint16_t id); /* NULL for one that is not in the table */

/* Whether sessions of this suite and version are made and opened here. */
bool tls_suite_is_carried(const struct tls_suite *suite, uint16_t version);

/* The hash of the key schedule, SHA-256 or SHA-384. */
enum crypto_hash tls_suite_hash(const struct tls_suite *suite);

/* ---- sessions: core/tls_session.c, core/tls_record.c ---- */

/* One direction of a session. */
struct tls_direction {
    struct aead *aead; /* owned */
    uint64_t sequence; /* of the next record */
    uint8_t key[TLS_KEY_MAX];
    uint8_t iv[12];                 /* TLS 1.2 GCM, CCM: the first four bytes, the rest is zero */
    uint8_t secret[TLS_SECRET_MAX]; /* TLS 1.3: what key, iv and the next secret come from */
};

struct tls_session {
    uint16_t version; /* TLS_1_2 or TLS_1_3 */
    const struct tls_suite *suite;
    bool server; /* our role */
    bool extended_master_secret;
    uint16_t limit; /* of plain text that the peer takes in a record; 0: TLS_PLAIN_MAX */
    struct tls_direction send, receive;
    uint8_t master[TLS_SECRET_MAX]; /* TLS 1.2: master_secret; TLS 1.3: exporter_master_secret */
    uint8_t client_random[32], server_random[32];
    uint8_t finished[12]; /* TLS 1.2: the first Finished of the connection (RFC 5929 3.1) */
    bool has_finished;
};

/* Both keys and IVs of a session whose other fields are set: TLS 1.3 derives them from the secrets,
 * TLS 1.2 takes them as they are. Makes the two AEADs. SEC_E_NOT_SUPPORTED for a suite that is not
 * carried. The caller clears the session, also after a failure. */
status_t tls_session_start(struct tls_session *session);

/* Wipes everything; a session of zeros is fine. */
void tls_session_clear(struct tls_session *session);

/* RFC 8446 5.2: the records of TLS 1.3 have their type behind the text. */
static inline bool tls_hides_type(const struct tls_session *session)
{
    return session->version == TLS_1_3;
}

/* RFC 5288 3, RFC 6655 3: the records of TLS 1.2 carry 8 bytes of a nonce of GCM or CCM, but none
 * of ChaCha20's. */
static inline bool tls_shows_nonce(const struct tls_session *session)
{
    return session->version == TLS_1_2 && session->suite->cipher != TLS_CIPHER_CHACHA20_POLY1305;
}

/* Of a carried suite (RFC 6655 6.1 and 6.2 for those that are shorter). */
static inline size_t tls_tag_size(const struct tls_suite *suite)
{
    return suite->cipher == TLS_CIPHER_AES_128_CCM_8 || suite->cipher == TLS_CIPHER_AES_256_CCM_8
               ? 8
               : AEAD_TAG_SIZE;
}

/* What a record has before and after its plain text (TLS 1.3: the type belongs to the trailer). */
static inline size_t tls_header_size(const struct tls_session *session)
{
    return TLS_RECORD_HEADER + (tls_shows_nonce(session) ? TLS_SHOWN_NONCE : 0);
}

static inline size_t tls_trailer_size(const struct tls_session *session)
{
    return tls_tag_size(session->suite) + (tls_hides_type(session) ? 1 : 0);
}

/* How much plain text a record may have for the peer. */
static inline size_t tls_plain_limit(const struct tls_session *session)
{
    return session->limit && session->limit < TLS_PLAIN_MAX ? session->limit : TLS_PLAIN_MAX;
}

/* Makes one record of up to tls_plain_limit bytes: encrypts data in place, and fills header and
 * trailer, which need not lie beside it. SEC_E_CONTEXT_EXPIRED when the sequence numbers are used
 * up, SEC_E_INVALID_PARAMETER for a size beyond; nothing is changed then. */
status_t tls_record_seal(struct tls_session *session, enum tls_type type, uint8_t *header,
                         uint8_t *data, size_t size, uint8_t *trailer);

/* A record that was opened; data is in the caller's block. */
struct tls_record {
    enum tls_type type;
    uint8_t *data; /* plain text */
    size_t size;
    size_t whole; /* bytes of the record with header and trailer */
};

/* SEC_E_OK for a whole record at the front of the bytes, SEC_E_INCOMPLETE_MESSAGE with the number
 * of *missing bytes (at least that many), SEC_E_INVALID_TOKEN for what no record of this session
 * can be: a wrong version or type, a length over the limits of RFC 8446 5.2 or RFC 5246 6.2.3 or
 * under that of header and trailer. */
status_t tls_record_measure(const struct tls_session *session, const uint8_t *bytes, size_t size,
                            size_t *whole, size_t *missing);

/* Opens the record at the front of the bytes in place. Answers of tls_record_measure,
 * SEC_E_CONTEXT_EXPIRED as above, and SEC_E_MESSAGE_ALTERED. A record that cannot be opened, or has
 * something in it that none can have (SEC_E_INVALID_TOKEN), is wiped; only success advances the
 * session. A ChangeCipherSpec of TLS 1.3 (RFC 8446 5) is given as such, and advances nothing. */
status_t tls_record_open(struct tls_session *session, uint8_t *bytes, size_t size,
                         struct tls_record *out, size_t *missing);

/* The record at the front of a datagram; size 0 where the rest of it is none. */
struct slice tls_datagram_record(struct slice datagram);

/* The alert for what these two have refused as SEC_E_INVALID_TOKEN, or for what no record of any
 * session can be (NULL): RFC 8446 5, 5.2 and 5.4, RFC 5246 6.2.1 and 6.2.3. */
uint8_t tls_record_alert(const struct tls_session *session, const uint8_t *bytes, size_t size);

/* Takes the last tls_record_open back, after which nothing has changed the bytes: they and the
 * sequence number are as before. */
status_t tls_record_restore(struct tls_session *session, uint8_t *bytes,
                            const struct tls_record *record);

/* TLS 1.3: the next secret, key and IV of a direction of this session (RFC 8446 7.2), whose
 * sequence numbers begin again. On failure nothing has changed. */
status_t tls_key_update(const struct tls_session *session, struct tls_direction *direction);

/* Keying material (RFC 5705, RFC 8446 7.5), of TLS 1.2 with any suite. context: NULL for none,
 * which TLS 1.2 tells from an empty one. SEC_E_INVALID_PARAMETER for a label over 249 bytes or one
 * of those of TLS 1.2 itself, and for a context or size that is too large. */
status_t tls_export_keys(const struct tls_session *session, struct slice label,
                         const struct slice *context, uint8_t *out, size_t size);

/* A session as bytes, and back; body version included. The reader takes what the writer wrote and
 * leaves what follows; SEC_E_INVALID_TOKEN for anything else. *out is then as it was. */
void tls_session_write(const struct tls_session *session, struct writer *w);
status_t tls_session_read(struct reader *r, struct tls_session *out);

/* ---- messages: core/tls_message.c ---- */

struct tls_handshake_message {
    enum tls_message type;
    struct slice body;
};

/* The next message of a handshake record; false at its end, and when it is broken off there, which
 * makes the reader bad. */
bool tls_message_next(struct reader *r, struct tls_handshake_message *out);

/* Whether the text of a handshake record is a HelloRequest (RFC 5246 7.4.1.1). */
bool tls_is_hello_request(const struct tls_record *record);

/* KeyUpdate: whether the peer asks for ours. SEC_E_ILLEGAL_MESSAGE for a body that is none. */
status_t tls_key_update_read(struct slice body, bool *requested);
#define TLS_KEY_UPDATE_SIZE 5u
void tls_key_update_write(bool request, uint8_t out[TLS_KEY_UPDATE_SIZE]);

/* The status of an alert that was received, and the alert that tells a peer of a status. */
#define TLS_ALERT_WARNING 1u
#define TLS_ALERT_FATAL 2u
#define TLS_CLOSE_NOTIFY 0u
#define TLS_UNEXPECTED_MESSAGE 10u
#define TLS_USER_CANCELED 90u
#define TLS_NO_RENEGOTIATION 100u
status_t tls_alert_status(uint8_t description);
uint8_t tls_alert_of(status_t status);

/* ---- looking ahead: core/tls_flight.c ---- */

/*
 * Tells from a server's flight, before the library of the handshake gets it, whether the server
 * asks for a certificate, since that library cannot wait for one in the middle of a flight. In TLS
 * 1.2 the flight is in clear; in TLS 1.3 it is read with the server's handshake traffic secret,
 * which is known as soon as the ServerHello has been processed. Owned by the caller.
 */
struct tls_flight {
    struct tls_session session; /* TLS 1.3: reads with the handshake secret */
    bool encrypted;
    bool hidden;     /* after the ChangeCipherSpec of TLS 1.2: nothing more can be read */
    uint8_t head[4]; /* of a message: type, size */
    size_t head_size;
    size_t left;           /* bytes of the message that are still to come */
    struct writer request; /* body of a CertificateRequest, as far as it has come */
    bool has_request;      /* it is complete */
};

void tls_flight_init(struct tls_flight *flight);
void tls_flight_clear(struct tls_flight *flight);

/* From the next record on the flight is encrypted with this secret of the suite's hash. */
status_t tls_flight_decrypt(struct tls_flight *flight, const struct tls_suite *suite,
                            struct slice secret);

/* Looks at one whole record, and changes none of its bytes. *requested: a CertificateRequest is
 * complete with it. SEC_E_INVALID_TOKEN when the record is not what can come here; whoever asks
 * gives it to the library all the same, which knows the right alert. Looking at the same record
 * again is an error of the caller. */
status_t tls_flight_record(struct tls_flight *flight, struct slice record, bool *requested);

/* The same for what was in a handshake record that the caller has opened: another handshake of TLS
 * 1.2 is encrypted as the session before it. */
status_t tls_flight_text(struct tls_flight *flight, struct slice text, bool *requested);

/* A whole record of DTLS (RFC 6347 4.1, 4.2.2) instead, of which encrypted ones are passed over. */
status_t tls_flight_datagram(struct tls_flight *flight, struct slice record, bool *requested);

/* The distinguished names in the request (DER), each behind a u16be length; the version tells the
 * forms apart (RFC 4346 7.4.4, RFC 5246 7.4.4, RFC 8446 4.3.2 and 4.2.4). Borrowed from the
 * flight; size 0 without any. */
status_t tls_flight_issuers(const struct tls_flight *flight, uint16_t version, struct slice *names);
