/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the package Kerberos share. A context is an exchange, made by the library of
 * the host through the Unix half, that ends in a session, whose messages are made here.
 */
#pragma once

#include "call.h"

#include "core/blob.h"
#include "core/kerberos_body.h"
#include "ssp/halves.h"
#include "ssp/leg.h"
#include "ssp/lock.h"
#include "ssp/package.h"
#include "ssp/provider.h"
#include "ssp/secbuf.h"

#define MAX_TOKEN_DEFAULT 48000u

/* ---- library.c ---- */

/* Runs a call into the Unix half; SEC_E_SECPKG_NOT_FOUND without a half, else the call's status. */
status_t library_call(enum kerberos_call number, void *params);

/* Gives a credential of the Unix half back; 0 is none. */
void library_free(uint64_t credential);

/* Whether exchanges can be made; the reason why not is in the trace. */
status_t library_ready(void);

/* ---- policy.c ---- */

enum { POLICY_OFF, POLICY_CHECKED, POLICY_REQUIRED };

struct kerberos_policy {
    ULONG max_token;           /* Lsa\Kerberos\Parameters MaxTokenSize */
    uint32_t channel_bindings; /* of a server, one of the three above */
    bool no_extended_protection;
    bool delegate_anywhere; /* also to servers that the KDC does not call trusted for it */
};

/* As it was a second ago at the most, or as it could last be read; a failure before it ever could
 * be. Any thread. */
status_t policy_get(struct kerberos_policy *out);

/* ---- realm.c ---- */

/* The host's default realm, as it was a second ago at the most; empty without one. */
status_t realm_default(struct blob *out);

/* Whether no KDC was found for the realm of a principal (UTF-8) within the last second. */
bool realm_is_absent(struct slice principal);
void realm_note_absent(struct slice principal);

/* ---- names.c ---- */

/* Text to the Unix half and back: UTF-8 without a terminator, in memory of malloc.
 * SEC_E_INVALID_PARAMETER for what is no UTF-16. */
status_t utf8_make(struct slice utf16, struct blob *out);
/* UTF-16 with a terminator that is not counted in size. */
status_t utf16_make(struct slice utf8, struct blob *out);

/* The principal that an application's target means (an SPN with or without a realm, a UPN, an
 * account's name), as UTF-8. SEC_E_TARGET_UNKNOWN for what can be none. */
status_t target_principal(struct slice target, struct blob *out);

/* The principal of a named user: user@REALM, or DOMAIN and user; UTF-8. SEC_E_UNKNOWN_CREDENTIALS
 * for what can be none. */
status_t user_principal(struct slice user, struct slice domain, struct blob *out);

/* The two sides of a principal's last @, as UTF-16: how an account of that realm is called. */
status_t principal_split(struct slice principal, struct blob *name, struct blob *realm);
/* What is behind it; borrowed, and empty without one. */
struct slice principal_realm(struct slice principal);

/* ---- mask.c ---- */

/* Applies the pad of this process that belongs to the nonce: masks, and unmasks. */
status_t secret_mask(const uint8_t nonce[16], uint8_t *data, size_t size);

/* ---- cred.c ---- */

/*
 * Who an application says it is. What the library has for it is made when it is first needed, and
 * again when that has run out: an application may ask for a handle before the user has tickets.
 */
struct credential {
    ULONG use;                   /* SECPKG_CRED_ */
    bool is_default;             /* the user of this process, by the host's cache and keytab */
    bool has_password;           /* it may be empty */
    bool adopted;                /* its initiator came along: there is no other */
    struct blob evidence;        /* the client's first token, by which a server acts for it */
    struct blob principal;       /* UTF-8; empty for default ones */
    struct blob user, domain;    /* as given; UTF-16 */
    struct blob masked_password; /* UTF-8; not to be read from memory by accident */
    uint8_t mask_nonce[16];
    uint64_t initiator, acceptor; /* of the Unix half; 0 until asked for */
    uint64_t expiry;              /* of the initiator's; FILETIME, 0 for none */
    struct retired *retired;      /* initiators that have run out, and may be in use still */
    SRWLOCK lock;                 /* of the four above */
    volatile LONG references;
};

struct credential *credential_hold(struct credential *credential);
void credential_release(struct credential *credential); /* NULL is fine */

/* What the library has for it, CALL_USE_INITIATE or CALL_USE_ACCEPT, new where what there was has
 * run out. Borrowed from the credential, which the caller holds. May wait for a KDC, without a lock
 * that others of the credential need. */
status_t credential_library(struct credential *credential, uint32_t use, uint64_t *out);

/* Its password, as UTF-8, wiped and freed by the caller (blob_clear); empty without one. */
status_t credential_password(const struct credential *credential, struct blob *out);

/* One that is there already, which it takes over: a client's, delegated to us. */
status_t credential_from_library(uint64_t initiator, struct slice principal,
                                 struct credential **out);

/* For a server to act for a client of which it has accepted that first token: what the library has
 * is made of it. */
status_t credential_from_evidence(struct slice token, struct slice principal,
                                  struct credential **out);

/* A client's of that principal and password, both UTF-8. */
status_t credential_from_password(struct slice principal, struct slice password,
                                  struct credential **out);

/* ---- delegated.c ---- */

/* Threads that act for the token's client have these as their default credentials, until they are
 * withdrawn. */
void delegation_offer(HANDLE token, struct credential *credential);
void delegation_withdraw(const struct credential *credential);

/* Those of the calling thread, held; NULL when there are none. */
struct credential *delegation_of_caller(void);

SpAcquireCredentialsHandleFn credentials_acquire;
SpFreeCredentialsHandleFn credentials_free;
SpQueryCredentialsAttributesFn credentials_query;
SpSetCredentialsAttributesFn credentials_set;

/* ---- context.c ---- */

enum stage {
    STAGE_EXCHANGE,    /* the library has it */
    STAGE_ESTABLISHED, /* messages may be made */
    STAGE_FAILED,      /* only to be deleted */
};

/* What is known of the peers once a context is established, and survives an export. Names are
 * UTF-16 without a zero. */
struct facts {
    uint32_t ticket_enctype;
    struct blob session_key;
    uint64_t start, expiry; /* FILETIME, UTC; 0 for none */
    struct blob client, server;
    struct blob target;
    struct blob account, domain;
    struct blob pac;
};
void facts_clear(struct facts *facts);

/* How a client's channel bindings are looked at: not at all, compared by the library, or compared
 * here with what the library tells, which refuses nobody then. */
struct binding {
    enum { BINDING_ANY, BINDING_COMPARED, BINDING_TOLD } kind;
    struct leg_channel_rule rule;
    uint8_t own[16]; /* told: the digest of those that the server gave, or zeros */
};

/*
 * The context handle of both tables. Locks: sending takes send, receiving takes receive; legs and
 * exports take send, then receive; queries take send. Once established, only messages, exports and
 * the token change anything.
 */
struct context {
    volatile LONG halves; /* HALF_ bits */
    struct lock send, receive;
    bool server;
    bool user;     /* user-to-user */
    bool exported; /* handed over: all that is left is to delete it */
    enum stage stage;
    bool carried;                   /* messages are made here; else by the library */
    ULONG requirements, attributes; /* ISC_REQ and ISC_RET, or ASC_ */
    struct binding binding;         /* of a server of user-to-user, what its client must say */
    struct credential *credential;  /* until established, and for as long as the library has it */
    struct credential *delegated;   /* server: with which it acts for its client; NULL without */
    struct blob evidence; /* server: the client's first token; empty where nobody acts by it */
    uint64_t library;     /* context of the Unix half; 0 when nothing needs it any more */
    struct kerberos_session session; /* if carried and established */
    struct facts facts;
    struct blob unsent;     /* a token for which the application's buffer was too small */
    status_t unsent_status; /* what the leg that made it came to */
    bool waiting; /* client: for memory to take over what the library, which is done, has */
    HANDLE volatile token; /* owned; of the client, kept when first asked for */
    /* Random bytes for confounders, of which the first random_left are unused; filled when they are
     * needed. Of the direction of sending. */
    uint8_t random[512];
    size_t random_left;
};
_Static_assert(!offsetof(struct context, halves), "see ssp/halves.h");

status_t context_create(bool server, LONG halves, struct context **out);

/* Frees what the library has, and what was kept for it. */
void context_drop_library(struct context *context);

/* Both directions. */
void context_lock(struct context *context);
void context_unlock(struct context *context);

static inline struct context *context_get(LSA_SEC_HANDLE handle)
{
    return (struct context *)handle;
}

/* SEC_E_OK for a complete context whose session is still here. */
static inline status_t context_check_session(const struct context *context)
{
    bool usable = !context->exported && context->stage == STAGE_ESTABLISHED;
    return usable ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

SpInitLsaModeContextFn context_initiate;
SpAcceptLsaModeContextFn context_accept;

/* ---- client.c, server.c ---- */

/* One call of InitializeSecurityContext or AcceptSecurityContext. */
struct leg {
    ULONG requirements;
    const UNICODE_STRING *target;
    const SecBufferDesc *input, *output_desc;
    struct leg_output output;
    size_t made; /* of the token in the output's block; 0 when nothing is to be sent */
};

/* The first legs make the context ready that they are given new; a failed one is only to be
 * deleted. The others fail without a change, or put it into STAGE_FAILED. A server's failed leg may
 * have made a token (KRB-ERROR). */
status_t client_start(struct leg *leg, struct credential *credential, struct context *context);
status_t client_next(struct leg *leg, struct context *context);
status_t server_start(struct leg *leg, struct credential *credential, struct context *context);
status_t server_next(struct leg *leg, struct context *context);

/* Calls the library: context, output and what it makes of them are filled in here. A token that
 * does not fit becomes the context's unsent one, with SEC_E_BUFFER_TOO_SMALL where the library has
 * succeeded. */
status_t context_exchange(struct context *context, struct leg *leg, enum kerberos_call number,
                          struct kerberos_call_leg *call);

/* Brings the context to where the library's status has led: the answer is that of the leg, whose
 * token goes when it cannot be kept to. */
status_t context_settle(struct context *context, struct leg *leg, ULONG attributes, bool done,
                        status_t status);

/* With the digest, which the library makes for itself, where that is needed. */
status_t leg_bindings_pass(const struct leg_bindings *bindings, bool digest,
                           struct call_bindings *out);

/* ---- established.c ---- */

/* After the last leg: reads the facts and takes the session over from the library. */
status_t context_establish(struct context *context, ULONG attributes);

/* Seconds since 1970 as a FILETIME; 0 stays 0. */
uint64_t time_from_unix(uint64_t seconds);

/* ---- attrs.c, message.c, export.c, token.c ---- */

SpQueryContextAttributesFn context_query;

SpMakeSignatureFn message_sign;
SpVerifySignatureFn message_verify;
SpSealMessageFn message_seal;
SpUnsealMessageFn message_unseal;

SpExportSecurityContextFn context_export;
SpImportSecurityContextFn context_import;

/* The token of the authenticated client; the context keeps it. The caller holds a lock. */
status_t context_token(struct context *context, HANDLE *out);
SpGetContextTokenFn context_get_token;
