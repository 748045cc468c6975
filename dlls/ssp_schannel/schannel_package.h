/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the Schannel packages share. A context is a handshake, made by the library of
 * the host through the Unix half, that ends in a session, whose records are made here.
 */
#pragma once

#include "call.h"
#include "priority.h"

#include "core/tls.h"
#include "ssp/provider.h"
#include "ssp/secbuf.h"

#include <wincrypt.h>
#define SCHANNEL_USE_BLACKLISTS /* SCH_CREDENTIALS */
#include <schannel.h>

#define MAX_TOKEN 24576u

/* Owned bytes; {NULL, 0} when there are none. A chain is DER certificates, leaf first, each behind
 * a u24be length. */
struct bytes {
    uint8_t *data;
    size_t size;
};

static inline struct slice bytes_slice(const struct bytes *bytes)
{
    return (struct slice){bytes->data, bytes->size};
}

static inline struct call_bytes call_slice(struct slice slice)
{
    return (struct call_bytes){unixcall_address(slice.data), slice.size};
}

status_t bytes_set(struct bytes *out, struct slice from); /* a copy */
void bytes_clear(struct bytes *bytes);                    /* wipes */

/* ---- package.c ---- */

/* ---- library.c ---- */

/* Runs a call into the Unix half; SEC_E_SECPKG_NOT_FOUND without a half, else the call's status. */
status_t library_call(enum schannel_call number, void *params);

/* Whether handshakes can be made; the reason why not is in the trace. */
status_t library_ready(void);

/* CALL_READ_ of a session into owned bytes. */
status_t library_read(uint64_t session, enum call_read what, struct bytes *out);

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
};
void policy_get(struct tls_policy *out);

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
    struct bytes parts[CALL_KEY_PARTS];
};
/* SEC_E_NO_CREDENTIALS without a key, SEC_E_UNKNOWN_CREDENTIALS for a container that is not there;
 * a key that may not leave its container cannot be used, and the trace says so. */
status_t private_key_get(const CERT_CONTEXT *certificate, struct private_key *out);
void private_key_clear(struct private_key *key);

/* ---- certs.c ---- */

/* The chain to be sent for a certificate: itself and the issuers that can be found, the root only
 * when asked. */
status_t chain_make(const CERT_CONTEXT *leaf, bool with_root, struct bytes *out);

/* The leaf of a chain in a store of its own that has all of the chain, for the application, which
 * frees it with CertFreeCertificateContext; OCSP response as CERT_OCSP_RESPONSE_PROP_ID if not
 * empty. */
status_t chain_context(struct slice chain, struct slice staple, const CERT_CONTEXT **out);

/* The leaf alone, as DER. */
struct slice chain_leaf(struct slice chain);

/* ---- verify.c ---- */

struct verify_request {
    struct slice chain, staple;
    const wchar_t *name; /* the server's; NULL: not checked */
    bool server;         /* the peer is a server: usage server authentication */
    DWORD flags;         /* SCH_CRED_ flags on revocation and roots */
    HCERTSTORE roots;    /* restricts the roots; NULL: the system's */
};
/* SEC_E_OK, SEC_E_UNTRUSTED_ROOT, SEC_E_CERT_EXPIRED, SEC_E_WRONG_PRINCIPAL, SEC_E_CERT_UNKNOWN,
 * CRYPT_E_REVOKED, SEC_E_CERT_WRONG_USAGE... */
status_t verify_peer(const struct verify_request *request);

/* ---- cred.c ---- */

/* Plain after AcquireCredentialsHandle, shared by contexts; nothing in it changes but the library's
 * objects, which are made when first needed. */
struct credential {
    bool server;
    bool modern; /* made from SCH_CREDENTIALS */
    DWORD flags; /* SCH_CRED_ */
    DWORD protocols;
    DWORD minimum_strength, maximum_strength;
    DWORD session_lifespan; /* ms */
    TimeStamp expiry;
    const CERT_CONTEXT **certificates; /* held */
    size_t certificate_count;
    HCERTSTORE roots;          /* held; NULL without */
    uint64_t library;          /* schannel_call_credentials_create's, for TLS and... */
    uint64_t library_datagram; /* ...for DTLS; 0 when it has not been asked for */
    SRWLOCK lock;              /* of the two above */
    volatile LONG references;
};

struct credential *credential_hold(struct credential *credential);
void credential_release(struct credential *credential); /* NULL is fine */

/* The library's credentials of that kind. */
status_t credential_library(struct credential *credential, bool datagram, uint64_t *out);

SpAcquireCredentialsHandleFn credentials_acquire;
SpFreeCredentialsHandleFn credentials_free;
SpQueryCredentialsAttributesFn credentials_query;

/* ---- resume.c ---- */

/* What the library gave for resuming, by credential and server name, in this process. */
void resume_store(const struct credential *credential, const wchar_t *name, struct bytes *data);
/* Takes it out: a TLS 1.3 ticket serves once. false when there is nothing that is not too old. */
bool resume_take(const struct credential *credential, const wchar_t *name, struct bytes *out);
void resume_forget(const struct credential *credential); /* all of a credential */

/* ---- context.c ---- */

#define HALF_LSA 1
#define HALF_USER 2

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
    bool alpn_offered; /* by us */
    wchar_t *name;     /* client: the target asked for; server: SNI; NULL without */
    struct bytes peer_chain, local_chain, staple;
};

/*
 * Locks: sending takes send, receiving takes receive; legs, control and exports take send, then
 * receive; queries take send shared.
 */
struct context {
    SRWLOCK send, receive;
    volatile LONG halves; /* HALF_ bits */
    bool server, datagram, imported;
    bool exported; /* handed over: all that is left is to delete it */
    enum stage stage;
    struct credential *credential; /* NULL after an import */
    uint64_t library;              /* session of the Unix half; 0 when nothing needs it any more */
    bool carried;                  /* records are made here; else by the library */
    uint16_t version, suite;
    struct tls_session session; /* if carried */
    struct connection connection;

    /* the handshake */
    struct tls_flight flight;
    bool flight_watched; /* the client has no certificate and wants to know whether it needs one */
    bool certificate_refused; /* SEC_I_INCOMPLETE_CREDENTIALS was given once */
    ULONG requirements;
    struct bytes issuers; /* names in the server's request: u16be length, DER */
    struct bytes unsent;  /* of a token for which the application's buffer was too small */

    /* afterwards */
    volatile bool message_waits; /* a post-handshake message has to go through a leg first */
    volatile bool broken; /* by a fatal alert or a wrong record: nothing is sent or received */
    bool renegotiating;   /* TLS 1.2: the library has the records again */
    bool close_received, close_sent, shutdown_wanted;
    uint8_t alert[2]; /* SCHANNEL_ALERT: to be sent by the next leg; level 0: none */
    struct bytes keying_label, keying_context; /* SECPKG_ATTR_KEYING_MATERIAL_INFO */
    DWORD keying_size;
    bool keying_has_context;
    struct bytes app_data; /* SECPKG_ATTR_APP_DATA */
    DWORD app_flags;
    uint32_t record_header, record_trailer; /* if not carried */
    uint16_t mtu;
};

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

SpInitLsaModeContextFn context_initiate;
SpAcceptLsaModeContextFn context_accept;
SpDeleteContextFn context_delete_lsa, context_delete_user;
SpInitUserModeContextFn context_init_user;

/* ---- client.c, server.c, handshake.c, post.c ---- */

/* One call of InitializeSecurityContext or AcceptSecurityContext. */
struct leg {
    struct credential *credential; /* of this call; NULL when the application gave none */
    const wchar_t *target;         /* terminated; NULL without */
    ULONG requirements;
    SecBufferDesc *input, *output;
    struct slice token;  /* of the input; size 0 without one */
    SecBuffer *spare;    /* input buffer that becomes EXTRA or MISSING; NULL without */
    size_t consumed;     /* of the token */
    size_t missing;      /* for SEC_E_INCOMPLETE_MESSAGE */
    struct writer reply; /* what is to be sent */
};

/* ---- control.c, message.c, attrs.c, attrs_connection.c, attrs_certs.c, export.c ---- */

SpApplyControlTokenFn context_control;

SpSealMessageFn message_seal;
SpUnsealMessageFn message_unseal;

SpQueryContextAttributesFn context_query;
SpSetContextAttributesFn context_set;

SpExportSecurityContextFn context_export;
SpImportSecurityContextFn context_import;
