/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the Unix half share: the library's functions, which are found by name at the
 * first call, and the half's two kinds of objects.
 */
#pragma once

#include "call.h"

#include "core/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

/* ---- unix.c ---- */

#define LIBRARY_FUNCTIONS(X)                   \
    X(alert_get)                               \
    X(alert_get_name)                          \
    X(alert_send)                              \
    X(alpn_get_selected_protocol)              \
    X(alpn_set_protocols)                      \
    X(certificate_allocate_credentials)        \
    X(certificate_free_credentials)            \
    X(certificate_get_ours)                    \
    X(certificate_get_peers)                   \
    X(certificate_server_set_request)          \
    X(certificate_set_flags)                   \
    X(certificate_set_key)                     \
    X(certificate_set_known_dh_params)         \
    X(certificate_set_ocsp_status_request_mem) \
    X(certificate_set_retrieve_function3)      \
    X(certificate_set_verify_function)         \
    X(certificate_set_x509_trust_mem)          \
    X(check_version)                           \
    X(cipher_get)                              \
    X(cipher_get_block_size)                   \
    X(credentials_set)                         \
    X(db_set_cache_expiration)                 \
    X(deinit)                                  \
    X(dh_get_prime_bits)                       \
    X(dtls_cookie_send)                        \
    X(dtls_cookie_verify)                      \
    X(dtls_prestate_set)                       \
    X(dtls_set_mtu)                            \
    X(dtls_set_timeouts)                       \
    X(error_is_fatal)                          \
    X(error_to_alert)                          \
    X(group_get)                               \
    X(handshake)                               \
    X(handshake_set_hook_function)             \
    X(handshake_set_timeout)                   \
    X(hmac_fast)                               \
    X(init)                                    \
    X(kx_get)                                  \
    X(ocsp_status_request_get2)                \
    X(pcert_deinit)                            \
    X(pcert_import_x509_raw)                   \
    X(priority_deinit)                         \
    X(priority_init2)                          \
    X(priority_set)                            \
    X(priority_set_direct)                     \
    X(privkey_deinit)                          \
    X(privkey_import_ecc_raw)                  \
    X(privkey_import_rsa_raw)                  \
    X(privkey_init)                            \
    X(protocol_get_version)                    \
    X(pubkey_deinit)                           \
    X(pubkey_get_key_id)                       \
    X(pubkey_get_pk_algorithm)                 \
    X(pubkey_import_privkey)                   \
    X(pubkey_import_x509_raw)                  \
    X(pubkey_init)                             \
    X(reauth)                                  \
    X(record_get_max_size)                     \
    X(record_get_state)                        \
    X(record_overhead_size)                    \
    X(record_recv)                             \
    X(record_send)                             \
    X(record_set_state)                        \
    X(rehandshake)                             \
    X(rnd)                                     \
    X(server_name_get)                         \
    X(server_name_set)                         \
    X(session_channel_binding)                 \
    X(session_ext_master_secret_status)        \
    X(session_get_data)                        \
    X(session_get_flags)                       \
    X(session_get_id)                          \
    X(session_get_master_secret)               \
    X(session_get_ptr)                         \
    X(session_get_random)                      \
    X(session_is_resumed)                      \
    X(session_key_update)                      \
    X(session_set_data)                        \
    X(session_set_keylog_function)             \
    X(session_set_ptr)                         \
    X(session_ticket_enable_server)            \
    X(session_ticket_send)                     \
    X(sign_algorithm_get)                      \
    X(strerror)                                \
    X(transport_set_errno)                     \
    X(transport_set_ptr)                       \
    X(transport_set_pull_function)             \
    X(transport_set_pull_timeout_function)     \
    X(transport_set_push_function)

struct library {
#define LIBRARY_SLOT(function) __typeof__(gnutls_##function) *function;
    LIBRARY_FUNCTIONS(LIBRARY_SLOT)
#undef LIBRARY_SLOT
};

/* Filled once, before there is any object; never changed. */
extern struct library gnutls;

/* Loads the library if that has not been tried; SEC_E_SECPKG_NOT_FOUND when it is of no use. */
status_t library_load(char why[CALL_WHY_SIZE]);

/* ---- unix_error.c ---- */

/* The status of a failure of the library. */
status_t error_status(int error);

/* The same, with the library's words for it. */
status_t error_explain(int error, char why[CALL_WHY_SIZE]);

/* Says why a call fails, and gives the status back. */
__attribute__((format(printf, 3, 4))) status_t error_say(status_t status, char why[CALL_WHY_SIZE],
                                                         const char *format, ...);

/* ---- unix_credentials.c ---- */

struct identity {
    struct writer chain; /* as in call.h */
    gnutls_pcert_st *certificates;
    unsigned certificate_count;
    gnutls_privkey_t key;
};

/* Not changed any more once it is made. */
struct credentials {
    bool server;
    gnutls_certificate_credentials_t library;
    gnutls_priority_t priorities;
    char *unticketed; /* client: the same, without tickets */
    struct identity *identities;
    size_t identity_count;
    gnutls_datum_t ticket_key; /* server; size 0: sessions cannot be resumed */
    uint8_t ticket_key_bytes[64];
    uint32_t ticket_lifetime;                   /* seconds; 0: the library's idea */
    uint8_t cookie_key[GNUTLS_COOKIE_KEY_SIZE]; /* server, DTLS */
};

unixcall_function credentials_create, credentials_free;

/* The chain that begins with this certificate; size 0 when it is not one of these. */
struct slice credentials_chain(const struct credentials *credentials, const gnutls_datum_t *leaf);

/* ---- unix_session.c ---- */

struct session {
    struct credentials *credentials; /* the caller keeps them */
    gnutls_session_t library;
    const char *unticketed; /* of the credentials that it has begun with */
    bool server, datagram;
    uint32_t flags; /* CALL_SESSION_ */
    uint32_t mtu;
    struct writer peer; /* DTLS server: what cookies are bound to; empty once one has come back */
    struct writer held; /* server: the certificate that a client which begins unasked is held to */

    /* the transport */
    struct reader input; /* of the call that is running */
    struct writer queue; /* what is to be sent, from here on: */
    size_t queue_sent;
    bool repeats; /* DTLS: the caller wants the last flight again */

    /* the handshake */
    status_t failed;      /* what it has failed with */
    uint32_t alert;       /* that went with it */
    bool done;            /* there is none, or no longer */
    bool established;     /* there was one that succeeded */
    bool peer_asked;      /* the peer has begun another one */
    bool begun;           /* its hello of the one that goes on has come */
    bool none_shown;      /* a server's client has none now, whatever it has shown before */
    bool ticketed;        /* a server's tickets have their key */
    bool superseded;      /* a client's; an earlier handshake is what can be resumed */
    bool verifying;       /* the peer's certificate waits for... */
    uint32_t verdict;     /* CALL_VERDICT_ */
    uint32_t ticket_life; /* of a server's; 0: the usual one */

    /* what it has settled */
    uint16_t suite;
    uint16_t record_size_limit; /* the peer's, 0 without one */
    struct writer issuers;      /* as in call.h */
    bool late_certificate;      /* a server's client would show one after the handshake */
    uint8_t server_handshake[CALL_SECRET_MAX], client_secret[CALL_SECRET_MAX];
    uint8_t server_secret[CALL_SECRET_MAX], exporter_secret[CALL_SECRET_MAX];
    size_t secret_size;
};

/* Has the library ask sessions of these credentials. */
void session_callbacks(const struct credentials *credentials);

unixcall_function session_create, session_free, session_set_credentials;

/* Has a server give tickets, which are good for these names; the library's error. */
int session_tickets(struct session *session, struct slice names);

/* Gives those that TLS 1.3 has behind the handshake; the library's error. */
int session_give_tickets(struct session *session);

/* From now on a server takes none of the tickets that have been given, and nobody takes what it
 * gives; the library's error. */
int session_refuse_tickets(struct session *session);

/* The credentials of a session from now on. */
status_t session_use(struct session *session, struct credentials *credentials,
                     char why[CALL_WHY_SIZE]);

/* What the peer has shown last, its certificate first; NULL for nothing. */
const gnutls_datum_t *session_peers(const struct session *session, unsigned *count);

/* The protocol's number on the wire, 0 before it is known. */
uint16_t session_version(const struct session *session);

/* Records are made and opened by the library alone. */
bool session_library_records(const struct session *session);

/* TLS 1.3: a certificate can be asked for after the handshake, and shown. */
bool session_late_certificate(const struct session *session);

/* ---- unix_hello.c ---- */

/* Has the library show the messages that say what the library has no function for. */
void hello_watch(struct session *session);

/* ---- unix_transport.c ---- */

void transport_init(struct session *session);

/* Appends to the queue, as the library does. */
ssize_t transport_push(gnutls_transport_ptr_t transport, const void *data, size_t size);

/* Moves what fits from the queue. Datagrams: whole records, as many as a datagram holds. */
void transport_send(struct session *session, uint64_t output, uint64_t room, uint64_t *size);
size_t transport_queued(const struct session *session);
void transport_drop(struct session *session);

/* The size of the record at the front of the input: 0 when it is not all there, what is there when
 * a stream goes on with what is none. */
size_t transport_record(const struct session *session, const struct reader *input);

/* ---- unix_handshake.c ---- */

unixcall_function handshake, post, key_update, renegotiate;

/* ---- unix_facts.c ---- */

unixcall_function secrets, facts, session_read;

/* What a record of the library has before and after its plain text, at most. */
void facts_overhead(const struct session *session, uint32_t *header, uint32_t *trailer);

/* The most plain text that the peer takes in one. */
uint32_t facts_limit(const struct session *session);

/* ---- unix_records.c ---- */

unixcall_function records_send, records_receive;
