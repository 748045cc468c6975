/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls from ssp_kerberos.dll into its Unix half, which makes exchanges with the host's GSS-API
 * and Kerberos libraries; see ssp/unixcall.h for the rules. Text is UTF-8 without a terminator.
 * What the half makes is named by numbers: addresses of its own objects, which only the Windows
 * half sees. One context is used by one thread at a time; credentials by any number. A call may
 * wait for a KDC, never for a peer.
 *
 * `why` says what went wrong, for the trace; it names no secret.
 */
#pragma once

#include "ssp/unixcall.h"

enum kerberos_call {
    KERBEROS_CALL_LIBRARY,
    KERBEROS_CALL_CREDENTIAL_ACQUIRE,
    KERBEROS_CALL_CREDENTIAL_FREE,
    KERBEROS_CALL_INITIATE,
    KERBEROS_CALL_ACCEPT,
    KERBEROS_CALL_FACTS,
    KERBEROS_CALL_SESSION,
    KERBEROS_CALL_CONTEXT_FREE,
    KERBEROS_CALL_PROTECT,
    KERBEROS_CALL_TICKETS,
    KERBEROS_CALL_TICKET_RETRIEVE,
    KERBEROS_CALL_TICKET_SUBMIT,
    KERBEROS_CALL_TICKETS_PURGE,
    KERBEROS_CALL_PASSWORD,
    KERBEROS_CALL_ACCOUNT,
};

#define CALL_WHY_SIZE 240
#define CALL_KEY_MAX 64
#define CALL_NAME_MAX 1024 /* bytes of a principal */

/* Whether the libraries are there; SEC_E_SECPKG_NOT_FOUND when not. The first call settles which
 * are used: the named GSS-API library, or for an empty name the first that is found. */
struct kerberos_call_library {
    char name[64];    /* in: the name for dlopen; out: that of the library in use */
    uint32_t tickets; /* out: 1 when there is a libkrb5 for the calls about tickets and passwords */
    uint32_t reserved;
    char
        realm[256]; /* out: the default realm of now; empty when there is none or it is not known */
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_library, why, 328, 568);

/* ---- credentials ---- */

#define CALL_USE_INITIATE 1u
#define CALL_USE_ACCEPT 2u

/*
 * Default credentials when there is neither a principal nor a password: the user's ticket cache to
 * initiate, the keytab to accept. A principal with a password gets its first ticket here, into a
 * cache of its own that goes with the credential; one without is looked for in the collection of
 * caches, or in the keytab. SEC_E_NO_CREDENTIALS when there is nothing, SEC_E_LOGON_DENIED for a
 * wrong password or a principal that the KDC does not know, SEC_E_NO_AUTHENTICATING_AUTHORITY when
 * no KDC is configured for the realm or none answers, SEC_E_UNKNOWN_CREDENTIALS for a principal of
 * more than CALL_NAME_MAX bytes.
 */
struct kerberos_call_credential_acquire {
    struct unixcall_bytes principal; /* name@REALM, or name alone for the default realm */
    struct unixcall_bytes password;
    /* S4U2proxy: the first token of a client that was accepted with the host's keytab, and is acted
     * for by the right of the service that it came to; no principal and no password then. */
    struct unixcall_bytes evidence;
    uint64_t impersonator; /* S4U2self: the credential on whose behalf the principal is acted for;
                              0 otherwise */
    uint64_t credential;   /* out */
    uint64_t expiry;       /* out: seconds since 1970, UTC; 0 for never or not known */
    uint32_t use;          /* one of CALL_USE_ */
    uint32_t name_size;    /* out */
    char name[CALL_NAME_MAX]; /* out: the principal, as far as it is known already */
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_credential_acquire, why, 1104, 1344);

struct kerberos_call_free {
    uint64_t object; /* credential or context */
};
UNIXCALL_LAYOUT(struct kerberos_call_free, object, 0, 8);

/* ---- the exchange ---- */

/* Flags as GSS-API numbers them (RFC 2744, RFC 4757 7.1, MS-KILE). */
#define CALL_DELEGATE 0x1u
#define CALL_MUTUAL 0x2u
#define CALL_REPLAY 0x4u
#define CALL_SEQUENCE 0x8u
#define CALL_CONFIDENTIALITY 0x10u
#define CALL_INTEGRITY 0x20u
#define CALL_ANONYMOUS 0x40u
#define CALL_CHANNEL_BOUND 0x800u /* accept, out: the client sent the same bindings */
#define CALL_DCE_STYLE 0x1000u
#define CALL_IDENTIFY 0x2000u
#define CALL_EXTENDED_ERROR 0x4000u
#define CALL_DELEGATE_POLICY 0x8000u /* delegate where the KDC approves of it */
/* Not of GSS-API: user-to-user, in which the server's key is that of its user's tickets. Either
 * side asks for it with its first leg. */
#define CALL_USER_TO_USER 0x10000u
/* Nor these. In: the server wants to be told what the client says of its channel, also when its
 * leg fails because of that; the library compares only the bindings that it is given. Out: it is
 * told in `channel`; the client knows of bindings, having any or not. */
#define CALL_CHANNEL_TOLD 0x20000u
#define CALL_CHANNEL_AWARE 0x40000u

/* Channel bindings (RFC 2744 3.11); absent when all is zero and given is 0. */
struct call_bindings {
    struct unixcall_bytes initiator, acceptor, application_data;
    uint32_t initiator_type, acceptor_type;
    uint32_t given; /* 0 or 1 */
    uint32_t reserved;
    uint8_t digest[16]; /* user-to-user: of all that (RFC 4121 4.1.1.2) */
};
UNIXCALL_LAYOUT(struct call_bindings, digest, 64, 80);

/*
 * One leg of a client or a server. `context` is 0 for the first one, and is set by it whatever
 * becomes of the leg; after a failure it is good for its queue only. The token that the leg makes
 * is queued, and moved to the output when it fits as a whole; `queued` is its size when it did not:
 * call again with that room, and no input, to have it. A failure may leave a token to be sent
 * (KRB-ERROR) there, too.
 */
struct kerberos_call_leg {
    uint64_t credential; /* 0: default ones, as they are now; of user-to-user, the server's, too, is
                            one to initiate */
    uint64_t context;    /* in, out */
    struct unixcall_bytes target; /* initiate: principal of the service */
    struct unixcall_bytes input;
    struct call_bindings bindings;
    uint64_t output; /* uint8_t * */
    uint64_t output_room;
    uint64_t output_size, queued; /* out */
    uint64_t delegated;           /* accept, out: credential that came along; 0 without */
    uint64_t expiry;              /* initiate, out: seconds since 1970, UTC; 0 when not known */
    uint32_t flags;               /* in: CALL_ asked for; out: granted so far */
    uint32_t done;                /* out: 1 when the context is established */
    uint8_t channel[16];          /* accept, out: digest of the client's bindings, or zeros */
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_leg, why, 200, 440);

/* Of an established context, before SESSION. Sizes are those of all there is; what does not fit is
 * left out, with SEC_E_BUFFER_TOO_SMALL. */
struct kerberos_call_facts {
    uint64_t context;
    uint64_t pac; /* uint8_t *: the KERB_VALIDATION_INFO of the client's ticket as it came (MS-PAC
                     2.5, NDR) */
    uint64_t pac_room;
    uint64_t pac_size;                 /* out; 0 without one */
    uint64_t start, expiry;            /* out: seconds since 1970, UTC; 0 when not known */
    uint32_t client_size, server_size; /* out */
    uint32_t key_size;                 /* out */
    uint32_t key_enctype;              /* out */
    uint8_t key[CALL_KEY_MAX];         /* out: the session key that SSPI tells; the caller wipes */
    char client[1024], server[1024];   /* out: principals, name@REALM */
};
UNIXCALL_LAYOUT(struct kerberos_call_facts, server, 1152, 2176);

/* Takes the keys out of an established context, which is gone then but for its freeing.
 * SEC_E_UNSUPPORTED_FUNCTION, and the context as it was, for an encryption type that
 * kerberos_key_size does not know. The caller wipes this. */
struct kerberos_call_session {
    uint64_t context;
    uint64_t send_sequence, receive_sequence; /* out */
    uint32_t enctype, key_size;               /* out */
    uint32_t acceptor_subkey;                 /* out: 0 or 1 */
    uint32_t reserved;
    uint8_t key[CALL_KEY_MAX]; /* out */
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_session, why, 104, 344);

/* The library's own messages, for encryption types that are not known to core. */
enum call_protect { CALL_SIGN = 1, CALL_VERIFY, CALL_WRAP, CALL_UNWRAP };

/* A buffer of a message. Those of kind TOKEN and PADDING are made by SIGN and WRAP: size is their
 * room, and then what was used of it; a size of 0 with WRAP asks how much is needed. */
enum call_buffer_kind {
    CALL_BUFFER_TOKEN = 1,
    CALL_BUFFER_DATA,
    CALL_BUFFER_SIGNED, /* covered, not encrypted */
    CALL_BUFFER_PADDING,
    CALL_BUFFER_STREAM, /* UNWRAP: a token in one piece; the DATA buffer then says where in it */
};
struct call_buffer {
    uint64_t data; /* uint8_t * */
    uint64_t size;
    uint32_t kind; /* CALL_BUFFER_ */
    uint32_t reserved;
};
UNIXCALL_LAYOUT(struct call_buffer, reserved, 20, 24);

struct kerberos_call_protect {
    uint64_t context;
    uint64_t buffers; /* struct call_buffer * */
    uint32_t count;
    uint32_t operation; /* CALL_ of enum call_protect */
    uint32_t encrypt;   /* WRAP: in; UNWRAP: out */
    uint32_t reserved;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_protect, why, 32, 272);

/* ---- tickets and passwords: of the user's default cache, or of a credential's own ---- */

/*
 * The tickets of a cache, in the form of core/kerberos_ticket.h, without tickets and keys as such.
 * None is no error. SEC_E_BUFFER_TOO_SMALL with the size. SEC_E_UNSUPPORTED_FUNCTION, for all of
 * these calls, without a library for them.
 */
struct kerberos_call_tickets {
    uint64_t credential; /* 0: default */
    uint64_t output, room;
    uint64_t size;  /* out */
    uint32_t count; /* out */
    uint32_t reserved;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_tickets, why, 40, 280);

/* A ticket for a service, from the cache or from the KDC. Output: one ticket, with its session key,
 * which is a secret. An empty target means the ticket-granting ticket, which is always that of the
 * cache. A ticket that is not looked for there is not put there either. */
#define CALL_RETRIEVE_CACHED 1u /* do not ask the KDC */
#define CALL_RETRIEVE_FRESH 2u  /* do not look into the cache */
struct kerberos_call_ticket_retrieve {
    uint64_t credential;
    struct unixcall_bytes target;
    uint64_t output, room;
    uint64_t size;    /* out */
    uint32_t flags;   /* CALL_RETRIEVE_ */
    uint32_t enctype; /* wanted; 0 for any */
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_ticket_retrieve, why, 56, 296);

/* Puts the tickets of a KRB-CRED (RFC 4120 5.8), its part unencrypted or under the key, into a
 * cache: one of the same client, or one that is empty. SEC_E_WRONG_PRINCIPAL for another client's,
 * SEC_E_INVALID_TOKEN for what is no such message. */
struct kerberos_call_ticket_submit {
    uint64_t credential;
    struct unixcall_bytes message, key;
    uint32_t key_enctype; /* 0: unencrypted */
    uint32_t reserved;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_ticket_submit, why, 48, 288);

/* Removes tickets: of that server and realm, or all where both are empty. */
struct kerberos_call_tickets_purge {
    uint64_t credential;
    struct unixcall_bytes server, realm;
    uint32_t count; /* out: how many went */
    uint32_t reserved;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_tickets_purge, why, 48, 288);

/*
 * Changes a password with the old one (RFC 3244). With target, sets that principal's password, by
 * the right of `principal` or, where that is empty, of whose tickets the credential has.
 * SEC_E_LOGON_DENIED for a wrong old one. A new password that is refused makes no failure:
 * `refused` is then the result code of RFC 3244, with the KDC's words in why and, of a KDC of
 * Windows, what it demands of passwords.
 */
struct kerberos_call_password {
    uint64_t credential; /* 0: default */
    struct unixcall_bytes principal, old_password, new_password;
    struct unixcall_bytes target;                           /* empty: principal itself */
    uint64_t most_age, least_age;                           /* out: durations in units of 100 ns */
    uint32_t has_policy, least_length, history, properties; /* out; the last as DOMAIN_PASSWORD_ */
    uint32_t refused;                                       /* out; 0 when it agreed */
    uint32_t reserved;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_password, why, 112, 352);

/*
 * Whether the host takes a principal for the user of this process (auth_to_local of krb5.conf, and
 * .k5login). Of a credential that comes from a password, whether its KDC is who it says: the host's
 * own key tells, where there is a keytab with one. SEC_E_LOGON_DENIED when it is not.
 */
struct kerberos_call_account {
    uint64_t credential; /* 0: nothing to verify */
    struct unixcall_bytes principal;
    uint32_t own; /* out: 0 or 1 */
    uint32_t reserved;
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct kerberos_call_account, why, 32, 272);
