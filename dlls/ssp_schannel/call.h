/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls from ssp_schannel.dll into its Unix half, which makes handshakes with the host's
 * GnuTLS; see ssp/unixcall.h for the rules. The half never waits for a peer: bytes go in and come
 * out with the calls. What it makes is named by numbers: addresses of its own objects, which only
 * the Windows half sees. One session is used by one thread at a time; credentials by any number.
 *
 * `why` says what went wrong, for the trace; `alert` is the description of the alert that was
 * received or sent, CALL_NO_ALERT without one.
 */
#pragma once

#include "ssp/unixcall.h"

enum schannel_call {
    SCHANNEL_CALL_LIBRARY,
    SCHANNEL_CALL_CREDENTIALS_CREATE,
    SCHANNEL_CALL_CREDENTIALS_FREE,
    SCHANNEL_CALL_SESSION_CREATE,
    SCHANNEL_CALL_SESSION_FREE,
    SCHANNEL_CALL_HANDSHAKE,
    SCHANNEL_CALL_SECRETS,
    SCHANNEL_CALL_FACTS,
    SCHANNEL_CALL_READ,
    SCHANNEL_CALL_SEND,
    SCHANNEL_CALL_RECEIVE,
    SCHANNEL_CALL_POST,
    SCHANNEL_CALL_KEY_UPDATE,
    SCHANNEL_CALL_RENEGOTIATE,
    SCHANNEL_CALL_SET_CREDENTIALS,
};

#define CALL_WHY_SIZE 160
#define CALL_NO_ALERT 0xffffffffu
#define CALL_SECRET_MAX 48

/* Whether GnuTLS is there and new enough; SEC_E_SECPKG_NOT_FOUND when not. */
struct schannel_call_library {
    char version[24];
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct schannel_call_library, why, 24, 184);

/* ---- credentials ---- */

enum call_key_kind { CALL_KEY_RSA = 1, CALL_KEY_EC };

/* Parts of a private key, big endian: RSA n, e, d, p, q, u (q^-1 mod p), d mod p-1, d mod q-1;
 * EC x, y, k and none of the others. */
#define CALL_KEY_PARTS 8

/* A certificate with its key. */
struct call_identity {
    struct unixcall_bytes chain; /* DER certificates, each behind a u24be length, the leaf first */
    struct unixcall_bytes parts[CALL_KEY_PARTS];
    struct unixcall_bytes staple; /* OCSP response for the leaf; size 0 for none */
    uint32_t kind;                /* CALL_KEY_ */
    uint32_t curve_bits;          /* EC: 256, 384, 521 */
};
UNIXCALL_LAYOUT(struct call_identity, curve_bits, 164, 168);

struct schannel_call_credentials_create {
    uint64_t identities; /* const struct call_identity * */
    uint64_t priorities; /* const char *: a priority string of GnuTLS */
    struct unixcall_bytes
        issuers; /* server: CA certificates named to clients, form as of a chain */
    struct unixcall_bytes ticket_key; /* server: 64 bytes, or none for no resumption */
    uint64_t credentials;             /* out */
    uint32_t identity_count;
    uint32_t server;          /* 0 or 1 */
    uint32_t ticket_lifetime; /* server: seconds that a ticket is good for; 0: the library's idea */
    uint32_t reserved;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct schannel_call_credentials_create, why, 72, 232);

struct schannel_call_free {
    uint64_t object; /* credentials or session */
};
UNIXCALL_LAYOUT(struct schannel_call_free, object, 0, 8);

/* ---- sessions ---- */

#define CALL_SESSION_DATAGRAM 0x01u
#define CALL_SESSION_REQUEST_CERTIFICATE 0x02u /* server: ask, and take no for an answer */
#define CALL_SESSION_ALPN_REQUIRED 0x04u       /* server: no common protocol is an error */
#define CALL_SESSION_LATE_CERTIFICATE 0x08u    /* after the handshake: client: offer, server: ask */

struct schannel_call_session_create {
    uint64_t credentials;
    struct unixcall_bytes server_name; /* client: SNI, UTF-8, not terminated; size 0 for none */
    struct unixcall_bytes alpn;        /* names, each behind a u8 length */
    struct unixcall_bytes resume;      /* client: what CALL_READ_RESUMPTION gave earlier */
    struct unixcall_bytes peer;        /* DTLS server: the client's address, to bind cookies to */
    uint64_t session;                  /* out */
    uint32_t flags;                    /* CALL_SESSION_ */
    uint32_t mtu;                      /* DTLS */
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct schannel_call_session_create, why, 88, 248);

/* What stopped a handshake. */
enum call_event {
    CALL_EVENT_INPUT = 1, /* all input is used; more is needed */
    CALL_EVENT_VERIFY,    /* the peer's certificate is to be judged: call again with a verdict */
    CALL_EVENT_DONE,
};

enum call_verdict { CALL_VERDICT_NONE, CALL_VERDICT_GOOD, CALL_VERDICT_BAD };

/*
 * Goes on with a handshake, first or repeated. Reads records from the input as it needs them;
 * `consumed` counts what it took. What it sends is queued, and moved to the output as it fits;
 * `queued` is what is still there: call again, with no input, to have it. A failure (a negative
 * status) leaves an alert in the queue; the session is then good for its queue only. DTLS: the
 * output is one datagram of the MTU's size at most, and a call without input and verdict, when
 * nothing is queued, repeats the last flight.
 *
 * A server whose client declines another handshake gets CALL_EVENT_DONE with the alert: all is as
 * before. Once there is nothing to do a call moves the queue only. A certificate of TLS 1.3 that is
 * asked for later (SCHANNEL_CALL_RENEGOTIATE) is such a handshake, too.
 */
struct schannel_call_handshake {
    uint64_t session;
    struct unixcall_bytes input;
    uint64_t output; /* uint8_t * */
    uint64_t output_room;
    uint64_t consumed, output_size, queued; /* out */
    uint32_t verdict;                       /* CALL_VERDICT_, only after CALL_EVENT_VERIFY */
    uint32_t verdict_alert;                 /* sent with CALL_VERDICT_BAD */
    uint32_t event;                         /* out, CALL_EVENT_ */
    uint32_t alert;                         /* out */
    uint32_t unresumable; /* server, 0 or 1: no ticket that is yet to come is good for anything */
    uint32_t reserved;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct schannel_call_handshake, why, 88, 248);

/* Secrets, as far as they are known by now. The caller wipes this. */
struct schannel_call_secrets {
    uint64_t session;
    uint64_t send_sequence, receive_sequence;
    uint32_t version;     /* wire value; 0 before the ServerHello */
    uint32_t suite;       /* IANA's number */
    uint32_t secret_size; /* of TLS 1.3 */
    uint32_t finished_size;
    uint32_t extended_master_secret;           /* 0 or 1 */
    uint32_t established;                      /* 1: everything below is there */
    uint8_t server_handshake[CALL_SECRET_MAX]; /* TLS 1.3: SERVER_HANDSHAKE_TRAFFIC_SECRET */
    uint8_t send_secret[CALL_SECRET_MAX], receive_secret[CALL_SECRET_MAX]; /* TLS 1.3 */
    uint8_t master[CALL_SECRET_MAX]; /* as in struct tls_session */
    uint8_t send_key[32], receive_key[32];
    uint8_t send_iv[12], receive_iv[12];
    uint8_t client_random[32], server_random[32];
    uint8_t finished[12]; /* the first Finished, TLS 1.2 */
    uint8_t reserved[4];
};
UNIXCALL_LAYOUT(struct schannel_call_secrets, reserved, 404, 408);

/* What a handshake has settled, for queries. */
struct schannel_call_facts {
    uint64_t session;
    uint32_t version, suite;
    uint32_t group; /* IANA's NamedGroup; 0 for RSA key exchange */
    uint32_t
        group_bits; /* strength of the exchange as Windows counts it: size of group or modulus */
    uint32_t signature; /* IANA's SignatureScheme of the server; 0 when there was none */
    uint32_t alpn_size;
    uint32_t session_id_size;
    uint32_t resumed;                       /* 0 or 1 */
    uint32_t library_records;               /* 1: records must go through SEND and RECEIVE */
    uint32_t record_header, record_trailer; /* of such records: the most that one has */
    uint32_t record_limit;     /* of plain text in any record to the peer (RFC 8449, RFC 6066 4) */
    uint32_t late_certificate; /* TLS 1.3: 1: the client has offered to show one later */
    uint32_t reserved;
    uint8_t alpn[256];
    uint8_t session_id[32];
    char server_name[256]; /* server: what the client named; terminated, may be empty */
};
UNIXCALL_LAYOUT(struct schannel_call_facts, server_name, 352, 608);

enum call_read {
    CALL_READ_PEER_CHAIN = 1, /* u24be length, DER; leaf first */
    CALL_READ_STAPLE,         /* OCSP response that the server sent */
    CALL_READ_RESUMPTION,     /* for schannel_call_session_create */
    CALL_READ_LOCAL_CHAIN,    /* the certificate that was shown to the peer */
    CALL_READ_ISSUERS,        /* client: names of a request, each behind a u16be length */
};

/* SEC_E_OK with size 0 when there is no such thing; SEC_E_BUFFER_TOO_SMALL with the size needed. */
struct schannel_call_read {
    uint64_t session;
    uint64_t output; /* uint8_t * */
    uint64_t room;
    uint64_t size; /* out */
    uint32_t what; /* CALL_READ_ */
    uint32_t reserved;
};
UNIXCALL_LAYOUT(struct schannel_call_read, reserved, 36, 40);

/*
 * The library's own record path: SEND makes one record of the input, which is not empty, RECEIVE
 * opens the one at the front (SEC_E_INCOMPLETE_MESSAGE when it is not all there: nothing is taken
 * then). An alert gives its two bytes; TLS_HANDSHAKE is the peer's wish for another handshake, for
 * SCHANNEL_CALL_RENEGOTIATE, or over datagrams for our last flight, which it has not got: it is in
 * the queue again, for SCHANNEL_CALL_HANDSHAKE, until the next SEND. What says nothing, and
 * datagrams that are not the peer's, give no bytes of TLS_APPLICATION_DATA. With a failure comes
 * the alert that the peer should be sent. An alert can be sent during a handshake, too.
 */
struct schannel_call_records {
    uint64_t session;
    struct unixcall_bytes input;
    uint64_t output; /* uint8_t * */
    uint64_t output_room;
    uint64_t consumed, output_size; /* out */
    uint32_t type;                  /* enum tls_type; in for SEND, out for RECEIVE */
    uint32_t alert;                 /* out */
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct schannel_call_records, why, 64, 224);

/* Gives a post-handshake record of TLS 1.3 to the library, with a ticket, new keys of the peer, or
 * to a client the request for a certificate, which SCHANNEL_CALL_RENEGOTIATE answers. The record
 * is as it came from the wire, and the library need not have seen those before it. What stands
 * behind such a request or an answer in its record is not read: the session is of no use then. */
struct schannel_call_post {
    uint64_t session;
    struct unixcall_bytes record;
    uint64_t receive_sequence;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct schannel_call_post, why, 32, 192);

/* The library's next keys for what it sends: the caller has told the peer (RFC 8446 4.6.3). */
struct schannel_call_key_update {
    uint64_t session;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct schannel_call_key_update, why, 8, 168);

#define CALL_SEQUENCE_KEPT UINT64_MAX /* the library's own: its keys are others by now */

/* TLS 1.2: the library takes the records over again, for another handshake inside the session.
 * A server's HelloRequest is the first thing in its queue. SCHANNEL_CALL_HANDSHAKE goes on. Once it
 * has begun, this tells of records of the session that were made and opened in between. A server
 * may ask for a certificate from now on (CALL_SESSION_REQUEST_CERTIFICATE).
 *
 * TLS 1.3, where the client has offered it (CALL_SESSION_LATE_CERTIFICATE on both sides): the
 * server's request for a certificate, or the client's answer to one. What a server's
 * SCHANNEL_CALL_HANDSHAKE gets then is the answer and nothing else. */
struct schannel_call_renegotiate {
    uint64_t session;
    uint64_t credentials; /* 0: those of before */
    uint64_t send_sequence, receive_sequence;
    uint32_t flags; /* CALL_SESSION_ */
    uint32_t reserved;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct schannel_call_renegotiate, why, 40, 200);

/* Other credentials for a handshake that has not come to use them yet. They have to outlive the
 * session, as the first ones. */
struct schannel_call_set_credentials {
    uint64_t session, credentials;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct schannel_call_set_credentials, why, 16, 176);
