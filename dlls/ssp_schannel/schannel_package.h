/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the Schannel packages share. A context is a handshake, made by the library of
 * the host through the Unix half, that ends in a session, whose records are made here.
 */
#pragma once

#include "call.h"
#include "priority.h"

#include "core/blob.h"
#include "core/tls.h"
#include "ssp/halves.h"
#include "ssp/lock.h"
#include "ssp/provider.h"
#include "ssp/secbuf.h"

#include <wincrypt.h>
#define SCHANNEL_USE_BLACKLISTS /* SCH_CREDENTIALS */
#include <schannel.h>

#define MAX_TOKEN 24576u
#define MTU_MIN 200u /* [D sspi.h] SECPKG_ATTR_DTLS_MTU: 200 bytes to 64 KiB */

/* ---- library.c ---- */

/* Runs a call into the Unix half; SEC_E_SECPKG_NOT_FOUND without a half, else the call's status. */
status_t library_call(enum schannel_call number, void *params);

/* Whether handshakes can be made; the reason why not is in the trace. */
status_t library_ready(void);

/* CALL_READ_ of a session into owned bytes. */
status_t library_read(uint64_t session, enum call_read what, struct blob *out);

/* ---- policy.c, wish.c ---- */

/* What the system allows (registry: SCHANNEL\Protocols, Ciphers, Hashes, KeyExchangeAlgorithms,
 * DefaultSecureProtocols, orders of suites and curves); as of a second ago at the most. */
struct tls_policy {
    DWORD client_enabled, client_default; /* SP_PROT_ bits: may be asked for, are on unasked */
    DWORD server_enabled, server_default;
    DWORD client_cache_time, server_cache_time; /* milliseconds; 0: no resumption */
    bool send_issuers;                          /* SendTrustedIssuerList */
    uint16_t suites[PRIORITY_SUITES];           /* allowed ones, in order */
    size_t suite_count;
    uint16_t groups[PRIORITY_GROUPS]; /* likewise; IANA's numbers of curves */
    size_t group_count;
    unsigned hashes;                                         /* of signatures, SIGNED_ bits */
    DWORD rsa_minimum, dh_client_minimum, dh_server_minimum; /* bits */
    bool client_renegotiates, server_renegotiates;           /* TLS 1.2 */
};
/* A failure before it could ever be read. */
status_t policy_get(struct tls_policy *out);

/* What a credential asks for besides the policy. */
struct tls_wish {
    bool server, datagram;
    bool modern;              /* SCH_CREDENTIALS: TLS 1.3 is on by default */
    DWORD protocols;          /* SP_PROT_ bits asked for; 0: the default ones */
    const ALG_ID *algorithms; /* SCHANNEL_CRED; count 0: all */
    size_t algorithm_count;
    DWORD minimum_strength, maximum_strength; /* bits; 0: no limit */
    const TLS_PARAMETERS *parameters;         /* SCH_CREDENTIALS */
    size_t parameter_count;
    bool named; /* those for certain application protocols hold, too */
};

/* The priority string for GnuTLS, terminated, and the protocols that are left.
 * SEC_E_ALGORITHM_MISMATCH when nothing is. */
status_t policy_priorities(const struct tls_policy *policy, const struct tls_wish *wish,
                           char out[PRIORITY_MAX], DWORD *protocols);

/* ---- key.c ---- */

/* The private key of a certificate, out of its container (CAPI or CNG), in the parts of call.h. */
struct private_key {
    enum call_key_kind kind;
    uint32_t curve_bits;
    struct blob parts[CALL_KEY_PARTS];
};
/* SEC_E_NO_CREDENTIALS without a key, SEC_E_UNKNOWN_CREDENTIALS for a container that is not there;
 * a key that may not leave its container cannot be used, and the trace says so. */
status_t private_key_get(const CERT_CONTEXT *certificate, struct private_key *out);
void private_key_clear(struct private_key *key);

/* ---- certs.c ---- */

/* A chain is DER certificates, leaf first, each behind a u24be length. */

/* The chain to be sent for a certificate: itself and the issuers that can be found, the root only
 * when asked. */
status_t chain_make(const CERT_CONTEXT *leaf, bool with_root, struct blob *out);

/* The leaf of a chain in a store of its own that has all of the chain, for the application, which
 * frees it with CertFreeCertificateContext; OCSP response as CERT_OCSP_RESPONSE_PROP_ID if not
 * empty. */
status_t chain_context(struct slice chain, struct slice staple, const CERT_CONTEXT **out);

/* The leaf alone, as DER; the next one, for a reader over a chain. */
struct slice chain_leaf(struct slice chain);
struct slice chain_next(struct reader *chain);

/* Of variable size, into an empty blob, which stays so without it. */
status_t certificate_property(const CERT_CONTEXT *certificate, DWORD id, struct blob *out);

/* All certificates of a store in the form of a chain, and such in a store, which the caller
 * closes. */
status_t chain_of_store(HCERTSTORE store, struct blob *out);
status_t chain_store(struct slice chain, HCERTSTORE *out);

/* ---- verify.c ---- */

struct verify_request {
    struct slice chain, staple;
    const wchar_t *name; /* the server's; NULL: not checked */
    bool server;         /* the peer is a server: usage server authentication */
    DWORD flags;         /* SCH_CRED_ flags on revocation and roots */
    HCERTSTORE roots;    /* restricts the roots; NULL: the system's */
};
/* SEC_E_OK, SEC_E_UNTRUSTED_ROOT, SEC_E_CERT_EXPIRED, SEC_E_WRONG_PRINCIPAL, SEC_E_CERT_UNKNOWN,
 * CRYPT_E_REVOKED, SEC_E_CERT_WRONG_USAGE... *errors: CERT_TRUST_ bits of the chain. */
status_t verify_peer(const struct verify_request *request, DWORD *errors);

/* Whether a server's certificate is for a host, which may be an address (RFC 6125 6.4, RFC 2818
 * 3.1). names.c */
bool certificate_is_for(const CERT_CONTEXT *certificate, const wchar_t *host);

/* ---- ecdsa.c ---- */

/* Whether the certificate bears an ECDSA signature of the issuer's key. */
bool ecdsa_is_signed_by(const CERT_CONTEXT *certificate, const CERT_CONTEXT *issuer);

/* ---- cred.c ---- */

/* A certificate of a credential, with its key. */
struct key_holder {
    const CERT_CONTEXT *certificate; /* held */
    struct private_key key;
    struct blob chain; /* to be sent; made when it is first needed */
};

/* Plain after AcquireCredentialsHandle, shared by contexts; nothing in it changes but the library's
 * objects, which are made when first needed. */
struct credential {
    bool server;
    bool modern;     /* made from SCH_CREDENTIALS */
    DWORD flags;     /* SCH_CRED_ */
    DWORD protocols; /* SP_PROT_ bits of its side */
    DWORD minimum_strength, maximum_strength;
    DWORD cache_time; /* ms; 0: sessions are not resumed */
    bool renegotiates;
    TimeStamp expiry;
    struct key_holder *holders;
    size_t certificate_count;
    HCERTSTORE roots; /* held; NULL without */
    ALG_ID *algorithms;
    size_t algorithm_count;
    bool is_named;            /* is one of the following: */
    struct credential *named; /* the same for certain application protocols; NULL without such */
    struct blob protocol_ids; /* these, each behind a u8 length */
    char *priorities[2];      /* of streams and of datagrams; NULL when there are none */
    uint64_t library[2];      /* schannel_call_credentials_create's for each; 0 until asked for */
    SRWLOCK lock;             /* of library and of chains */
    volatile LONG references;
};

struct credential *credential_hold(struct credential *credential);
void credential_release(struct credential *credential); /* NULL is fine */

/* The same with this certificate, which has a key, and no other. */
status_t credential_with(const struct credential *like, const CERT_CONTEXT *certificate,
                         struct credential **out);

/* The one to be used where these application protocols are named, each behind a u8 length. */
struct credential *credential_for(struct credential *credential, struct slice protocol_ids);

/* The library's credentials of that kind, which live as long as the credential.
 * SEC_E_ALGORITHM_MISMATCH when it has no protocol of that kind. */
status_t credential_library(struct credential *credential, bool datagram, uint64_t *out);

SpAcquireCredentialsHandleFn credentials_acquire;
SpFreeCredentialsHandleFn credentials_free;
SpQueryCredentialsAttributesFn credentials_query;

/* ---- resume.c ---- */

/* What the library gave for resuming, and the chain that the client has shown in that session. */
struct resumption {
    struct blob data, shown;
};

void resumption_clear(struct resumption *resumption);

/* By credential and server name, in this process. An owner is the context that it came from, not 0.
 * The store takes it over, or clears it. */
LONG resume_owner(void);
void resume_store(const struct credential *credential, const wchar_t *name, LONG owner,
                  struct resumption *resumption);
/* Takes it out: a TLS 1.3 ticket serves once. false when there is nothing that is not too old. */
bool resume_take(const struct credential *credential, const wchar_t *name, struct resumption *out);
void resume_forget(const struct credential *credential); /* all of a credential */
void resume_forget_owner(LONG owner);

/* ---- context.c ---- */

enum stage {
    STAGE_HANDSHAKE,   /* the library has it */
    STAGE_ESTABLISHED, /* records may be made and opened */
    STAGE_FAILED,      /* only to be deleted */
};

/* Facts of a connection that survive an export. */
struct connection {
    ULONG flags; /* ISC_RET_ or ASC_RET_ */
    bool resumed;
    uint16_t group, signature;
    uint32_t group_bits;
    uint8_t alpn[255], session_id[32];
    uint8_t alpn_size, session_id_size;
    wchar_t *name; /* client: the target asked for; server: SNI; NULL without */
    struct blob peer_chain, local_chain, staple;
    /* by what the peer is judged, once the credential is gone: SCH_CRED_ flags, and the roots if
     * RESTRICTED_ROOTS is among them */
    DWORD judge_flags;
    struct blob roots;
};

/*
 * Locks: sending takes send, receiving takes receive; legs, control and exports take send, then
 * receive; queries take send.
 */
struct context {
    volatile LONG halves; /* HALF_ bits */
    struct lock send, receive;
    bool server, datagram;
    bool exported; /* handed over: all that is left is to delete it */
    enum stage stage;
    struct credential *credential; /* NULL after an import */
    struct credential **formers;   /* what the library's session had before, and may hold on to */
    size_t former_count;
    uint64_t library;      /* session of the Unix half; 0 when nothing needs it any more */
    bool carried;          /* records are made here; else by the library */
    volatile LONG *kept;   /* the library's session: among what it counts; NULL without that */
    bool late_certificate; /* TLS 1.3: the client offers one after the handshake */
    uint16_t version, suite;
    struct tls_session session; /* if carried */
    struct connection connection;

    /* the handshake */
    struct tls_flight flight;
    bool flight_watched; /* the client has no certificate and wants to know whether it needs one */
    bool certificate_refused; /* SEC_I_INCOMPLETE_CREDENTIALS was given, and no other credential */
    bool answered;            /* the library has had something of the peer: keys may be in use */
    bool manual;              /* the application judges the server's certificate */
    bool judged;              /* it has been looked at, or is left to the application */
    bool unresumable;         /* what the library gives for resuming is not to be kept */
    LONG owner;               /* of what has been kept; 0: nothing */
    status_t failure;         /* STAGE_FAILED: why */
    ULONG requirements;
    size_t fed;                /* of the next input: what the library has had of it already */
    struct blob issuers;       /* names in the server's request: u16be length, DER */
    struct blob shown;         /* client: the chain of before, in the session to be resumed */
    struct blob held;          /* to be sent once the question of the certificate is settled */
    struct blob unsent;        /* of a token for which the application's buffer was too small */
    status_t unsent_status;    /* what the leg that made it came to */
    size_t unsent_consumed;    /* of the input that is given again with the larger buffer */
    bool unsent_are_datagrams; /* no input is given again: the rest of a flight */
    bool unsent_secrets;       /* for buffers that could not be filled */

    /* afterwards */
    volatile bool message_waits; /* a post-handshake message has to go through a leg first */
    volatile bool hello_request; /* it is a HelloRequest, of which nothing is left in the input */
    bool repeat_waits;           /* DTLS: the last flight, for a peer that has not got it */
    volatile bool broken;     /* by a fatal alert or a wrong record: nothing is sent or received */
    struct writer partly;     /* post-handshake message of which the rest is still to come */
    bool certificate_awaited; /* TLS 1.3: a server has asked for one after the handshake */
    bool answer_begun;        /* to that; what belongs to it comes in one piece */
    bool renegotiating;       /* TLS 1.2: the library makes another handshake in the session */
    bool flight_begun;        /* a message that answers our ClientHello has come */
    bool sent_change, received_change; /* of its ciphers: the session's keys are not those of now */
    bool close_received, close_sent, shutdown_wanted;
    uint8_t alert[2]; /* SCHANNEL_ALERT: to be sent by the next leg; level 0: none */
    struct blob keying_label, keying_context; /* SECPKG_ATTR_KEYING_MATERIAL_INFO */
    DWORD keying_size;
    bool keying_has_context;
    uint8_t eap_prf;      /* SECPKG_ATTR_EAP_PRF_INFO */
    struct blob app_data; /* SECPKG_ATTR_APP_DATA */
    DWORD app_flags;
    uint32_t record_header, record_trailer; /* if not carried */
    uint16_t mtu;
};
_Static_assert(!offsetof(struct context, halves), "see ssp/halves.h");

status_t context_create(bool server, LONG halves, struct context **out);
/* Both directions. */
void context_lock(struct context *context);
void context_unlock(struct context *context);

static inline struct context *context_get(LSA_SEC_HANDLE handle)
{
    return (struct context *)handle;
}

/* Frees the library's session, if there is one. */
void context_drop_library(struct context *context);

/* Room for another credential, and its change, which cannot fail then. */
status_t context_reserve_credential(struct context *context);
void context_change_credential(struct context *context, struct credential *credential);

SpInitLsaModeContextFn context_initiate;
SpAcceptLsaModeContextFn context_accept;

/* ---- leg.c ---- */

/* One call of InitializeSecurityContext or AcceptSecurityContext. */
struct leg {
    bool server, first;
    struct credential *credential; /* of this call; NULL when the application gave none */
    struct slice target;           /* UTF-16; size 0 without */
    ULONG requirements;
    bool deferred; /* the certificate is judged later, by request (SECBUFFER_FLAGS) */
    bool not_late; /* a client offers no certificate after the handshake, by request */
    const SecBufferDesc *input, *output;
    struct slice token;  /* of the input; size 0 without one */
    SecBuffer *spare;    /* input buffer that becomes EXTRA or MISSING; NULL without */
    struct slice alpn;   /* names, each behind a u8 length; size 0 without */
    struct slice peer;   /* DTLS server: the client's address */
    uint16_t mtu;        /* 0: not said */
    size_t consumed;     /* of the token */
    size_t missing;      /* for SEC_E_INCOMPLETE_MESSAGE */
    uint8_t alert;       /* for what is no record */
    struct writer reply; /* what is to be sent */
    SecBuffer *given[3]; /* with memory that was made for them: the token's, two of secrets */
    size_t given_count;
    const struct tls_session *secrets; /* of the handshake of TLS 1.3 that has ended, or NULL */
};

/* Reads the buffers of a call, whose other members are set. Nothing is to be released after a
 * failure, and the application's output is empty. */
status_t leg_open(struct leg *leg);

/* Tells the application by its buffers what became of the leg. SEC_E_INSUFFICIENT_MEMORY when the
 * reply does not fit; it is then still in the leg, and the output empty. */
status_t leg_close(struct leg *leg, status_t status);
void leg_release(struct leg *leg);

/* The records at the front of the token that are whole. SEC_E_INCOMPLETE_MESSAGE, with
 * leg->missing, when there is none; SEC_E_INVALID_TOKEN, with leg->alert, for what is no record. */
status_t leg_records(struct leg *leg, size_t *whole);

/* ---- client.c, server.c, default_cert.c ---- */

/* The record at the front of whole ones. */
static inline struct slice first_record(struct slice records)
{
    size_t fragment = (size_t)records.data[3] << 8 | records.data[4];
    return (struct slice){records.data, TLS_RECORD_HEADER + fragment};
}

/* The library's session of a new context. */
status_t client_start(struct context *context, const struct leg *leg);
status_t server_start(struct context *context, const struct leg *leg);

/* Whether the library's session stays with an established context for another handshake or a late
 * certificate, although the records are made here; if so, its end is to be told. */
bool library_keep(struct context *context);

/* Whether that of a client of TLS 1.3 stays until it has been given a ticket. */
bool library_keep_for_ticket(struct context *context);
void library_let_go(struct context *context);

/* It was wanted, be it there or not: those of this side are worth keeping. */
void library_wanted(const struct context *context);

/* Events besides CALL_EVENT_. */
#define FEED_CERTIFICATE 0x100u /* the application is asked for one: INCOMPLETE_CREDENTIALS */
#define FEED_DATA 0x101u        /* data is next, which is for DecryptMessage */
#define FEED_DECLINED 0x102u    /* the peer makes no other handshake; all is as it was */

/* Feeds whole records to a client's handshake. */
status_t client_feed(struct context *context, struct leg *leg, struct slice records,
                     uint32_t *event);

/* The flight has a request for a certificate, complete with the first of these records: whether the
 * application is to be asked. */
bool client_asked(struct context *context, const struct leg *leg, struct slice records);

/* Takes the credential of a leg over, if it is another one that has a certificate. */
status_t client_change_credential(struct context *context, struct credential *credential);

/* A credential like that one, with a certificate of the user's which one of these issuers has
 * issued (each behind a u16be length). SEC_E_NO_CREDENTIALS when there is none. */
status_t default_credential(const struct credential *like, struct slice issuers,
                            struct credential **out);

/* ---- handshake.c, established.c ---- */

/* A leg of a handshake that the library has. */
status_t handshake_leg(struct context *context, struct leg *leg);

/* Feeds records; what they are answered with goes to leg->reply, what was read is added to
 * leg->consumed. The peer's certificate is judged on the way. */
status_t handshake_feed(struct context *context, struct leg *leg, struct slice records,
                        uint32_t *event);

/* Whether the peer's certificate will do, by what the credential says of that; verify_peer's
 * answers. */
status_t context_judge(const struct context *context, struct slice chain, struct slice staple,
                       DWORD *errors);

/* From now on nothing works but the deletion; the answer is the status. */
status_t context_fail(struct context *context, status_t status);

/* Takes over what the handshake came to; of another one that was declined, the keys alone, with
 * their counts. The library's session goes when nothing needs it. */
status_t context_establish(struct context *context, struct leg *leg, bool declined);

/* The chains of both sides, the staple and the issuers as the library has them now; all or none. */
status_t context_take_chains(struct context *context);

/* Whether what the library gives for resuming may be kept; keeps it. */
bool context_resumable(const struct context *context);
void context_store_resumption(struct context *context);

/* ---- renegotiate.c ---- */

/* Whether there can be another handshake. */
bool renegotiation_possible(const struct context *context);

/* TLS 1.2: begins another handshake, with SEC_I_CONTINUE_NEEDED; a server whose records are made
 * here has only asked for one, which is SEC_E_OK. */
status_t renegotiation_begin(struct context *context, struct leg *leg);

/* Tells the library that it is to begin another handshake, and once it has, of the records that
 * were made and opened since; credentials: 0 for those of before. */
status_t renegotiation_tell(const struct context *context, const struct leg *leg,
                            uint64_t credentials, uint64_t receive_sequence);

/* Whether the credential of the leg would do for it, before anything is read that would be lost. */
status_t renegotiation_check(struct context *context, const struct leg *leg);

/* Has it begin with the credential of the leg, if that is another one with a certificate. */
status_t renegotiation_prepare(struct context *context, const struct leg *leg);

/* Feeds, and counts the records that the library makes with the session's keys. */
status_t renegotiation_step(struct context *context, struct leg *leg, struct slice records,
                            uint32_t *event);

/* Feeds whole records to such a handshake where the records are made here. */
status_t renegotiation_feed(struct context *context, struct leg *leg, struct slice records,
                            uint32_t *event);

/* ---- late.c ---- */

/* Whether a certificate can be asked for after the handshake of TLS 1.3, or shown. */
bool late_possible(const struct context *context);

/* Gives the library a post-handshake record. */
status_t late_post(const struct context *context, struct slice record, uint64_t sequence);

/* The library's keys for what is sent follow the session's. */
status_t late_key_update(const struct context *context);

/* A server asks. */
status_t late_ask(struct context *context, struct leg *leg);

/* Takes one record of the answer. */
status_t late_take(struct context *context, struct leg *leg, struct slice record,
                   uint64_t sequence);

/* A client answers the request that the library has been given. */
status_t late_show(struct context *context, struct leg *leg);

/* ---- post.c, control.c ---- */

/* Legs of an established context. */
status_t post_leg(struct context *context, struct leg *leg);

/* Whether ApplyControlToken has asked for something that the next leg sends; sends it. */
bool control_pending(const struct context *context);
status_t control_leg(struct context *context, struct leg *leg);

/* Seals a message that may be longer than a record into the reply. */
status_t context_seal(struct context *context, struct leg *leg, enum tls_type type,
                      struct slice message);

/* A fatal alert for the leg's peer; NULL where there is no context yet. */
void context_tell(struct context *context, struct leg *leg, uint8_t description);

/* ---- control.c, message.c, attrs.c, attrs_connection.c, attrs_certs.c, export.c ---- */

SpApplyControlTokenFn context_control;

SpSealMessageFn message_seal;
SpUnsealMessageFn message_unseal;

SpQueryContextAttributesFn context_query;
SpSetContextAttributesFn context_set;

SpExportSecurityContextFn context_export;
SpImportSecurityContextFn context_import;
