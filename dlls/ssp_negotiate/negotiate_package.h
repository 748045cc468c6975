/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the package Negotiate share. A mechanism is an ordinary package of SSPI, which
 * Negotiate uses as any program would; "inner" is what belongs to the mechanism of a context.
 */
#pragma once

#include "core/blob.h"
#include "core/spnego_body.h"
#include "ssp/halves.h"
#include "ssp/lock.h"
#include "ssp/package.h"
#include "ssp/provider.h"

/* ---- mechs.c ---- */

#define MECH_OIDS_MAX 2u
#define MECHS_MAX (SPNEGO_MECHS_MAX / MECH_OIDS_MAX)

struct oid {
    uint8_t bytes[SPNEGO_OID_MAX];
    size_t size;
};

/* A package that can be negotiated and the identifiers that it goes by, those it is offered under
 * first in front. */
struct mech {
    wchar_t name[SPNEGO_PACKAGE_CHARS + 1];
    struct oid oids[MECH_OIDS_MAX];
    size_t oid_count;
    ULONG token_max;
};

struct mechs {
    struct mech items[MECHS_MAX];
    size_t count;
};

/* The mechanisms that are configured, in the order in which they are preferred. */
status_t mechs_find(struct mechs *out);

/* Applies the package list of SEC_WINNT_AUTH_IDENTITY_EX; NULL and empty leave all. *sole tells
 * whether the list asks for one package by name. */
void mechs_select(struct mechs *mechs, const wchar_t *package_list, bool *sole);

/* False, and *out untouched, when it does not fit. */
bool oid_set(struct oid *out, struct slice bytes);
bool oid_is(const struct oid *oid, struct slice bytes);

static inline struct slice oid_slice(const struct oid *oid)
{
    return (struct slice){oid->bytes, oid->size};
}

/* Whether a mechanism list, as mechListMIC covers it, holds the identifier. */
bool mech_list_has(struct slice mech_list, struct slice oid);

/* ---- cred.c ---- */

/* Sets of credentials share their members' handles. */
struct member {
    struct mech mech;
    CredHandle handle;
    bool of_realm;             /* the application named an account and a domain or realm of it */
    volatile LONG *references; /* of the handle */
};

/* Never changed once made: what an application adds makes a new one. */
struct credential {
    bool raw; /* one package was asked for by name: it speaks without SPNEGO */
    size_t count;
    struct member members[MECHS_MAX];
    volatile LONG references;
};

void credential_release(struct credential *credential); /* NULL is fine */

/* What an application's handle stands for at present, to be released; NULL for none. */
struct credential *credential_of(LSA_SEC_HANDLE handle);

/* NULL when there is none, and for a credential that is NULL. */
struct member *credential_find(struct credential *credential, struct slice oid);
struct member *credential_find_name(struct credential *credential, const wchar_t *name);

SpAcquireCredentialsHandleFn credentials_acquire;
SpFreeCredentialsHandleFn credentials_free;
SpQueryCredentialsAttributesFn credentials_query;
SpSetCredentialsAttributesFn credentials_set;
SpAddCredentialsFn credentials_add;

/* ---- call.c ---- */

LSA_AP_CALL_PACKAGE package_call;
SpChangeAccountPasswordFn password_change;

/* ---- context.c ---- */

/* The context of the mechanism. */
struct inner {
    CtxtHandle handle; /* SecIsValidHandle tells whether there is one */
    bool done;
    ULONG attributes;
    TimeStamp expiry;
};

/*
 * The context handle of both tables. The lock is taken by legs, by exports, and by queries before
 * the context is established; messages take none, since nothing that they look at changes then.
 */
struct context {
    volatile LONG halves; /* HALF_ bits */
    struct lock lock;
    volatile LONG stage; /* enum spnego_stage; once established, it changes no more */
    bool acceptor, exported;
    bool raw;          /* the mechanism speaks without SPNEGO */
    bool answered;     /* acceptor: its first reply, with the choice, is out */
    bool extra_leg;    /* initiator: has sent a token that says nothing once */
    bool mic_required; /* in both directions */
    bool mic_sent, mic_received;
    wchar_t package[SPNEGO_PACKAGE_CHARS + 1]; /* of inner */
    struct oid oid; /* the one it was chosen, or is offered first, under */
    struct inner inner;
    status_t last_status;          /* of the mechanism that was tried last */
    struct blob mech_list;         /* the initiator's, DER: what mechListMIC covers */
    struct blob target;            /* initiator: of the first leg; UTF-16 with terminator */
    struct blob bindings;          /* SEC_CHANNEL_BINDINGS, see inner_keep_bindings */
    struct blob pending;           /* a token that did not fit into the application's buffer */
    bool has_kept;                 /* a leg of the mechanism whose leg of ours had no memory: */
    SecBuffer kept;                /* the token that it made, of inner_token_free */
    struct credential *credential; /* until the handshake is complete; NULL after an import */
    HANDLE volatile token;         /* owned; of the client, kept when first asked for */
};
_Static_assert(!offsetof(struct context, halves), "see ssp/halves.h");

struct context *context_create(bool acceptor, LONG halves);

static inline struct context *context_get(LSA_SEC_HANDLE handle)
{
    return (struct context *)handle;
}

static inline bool context_established(const struct context *context)
{
    return __atomic_load_n(&context->stage, __ATOMIC_ACQUIRE) == SPNEGO_STAGE_ESTABLISHED;
}

/* The last change of a leg: messages look at the stage without a lock. */
static inline void context_set_stage(struct context *context, LONG stage)
{
    __atomic_store_n(&context->stage, stage, __ATOMIC_RELEASE);
}

SpInitLsaModeContextFn context_initiate;
SpAcceptLsaModeContextFn context_accept;

/* Whether the application has room for an answer of that size. */
struct leg;
status_t context_check_room(const struct leg *leg, size_t size);

/* ---- fallback.c ---- */

/* What is known before a mechanism is asked: *reason is SEC_E_OK, or why it is not to be tried. A
 * failure, which ends the negotiation, when the registry cannot be read. */
status_t fallback_before(const struct mech *mech, const wchar_t *target, ULONG requirements,
                         status_t *reason);

/* Whether the failure of the first leg of a mechanism ends the negotiation. */
bool fallback_is_final(const struct member *member, const wchar_t *target, status_t status);

/* ---- client.c, server.c ---- */

/* One call of InitializeSecurityContext or AcceptSecurityContext. */
struct leg {
    wchar_t *target;
    ULONG requirements, representation;
    SecBufferDesc *input, *output;
    struct slice token;   /* of the input; data NULL when there is none */
    struct slice mic;     /* the peer's mechListMIC in it, likewise */
    struct writer answer; /* what the leg sends; empty for nothing */
    void *spare;          /* a block for the answer, got before the mechanism goes on */
    status_t status;      /* of a leg of a raw context, whose output the mechanism has filled in */
    bool passed;          /* such a leg has reached the mechanism */
    bool moved;           /* the mechanism has gone on: it cannot be asked again */
    bool resumable;       /* but what it said is there */
    bool resumed;         /* it went on in an earlier try */
};

/* The first legs fill in a new context, the others advance it. A failed leg leaves the context as
 * it was unless it has moved; one that failed for want of memory can be repeated even then. */
status_t client_start(struct leg *leg, struct credential *credential, struct context *context);
status_t client_next(struct leg *leg, struct credential *credential, struct context *context);
status_t server_start(struct leg *leg, struct credential *credential, struct context *context);
status_t server_next(struct leg *leg, struct credential *credential, struct context *context);

/* ---- inner.c ---- */

/* One leg of the mechanism. in may be empty; *out is a block that inner_token_free releases. With
 * no credential the mechanism is left to what its context has kept. When it has gone on, the leg's
 * answer has room for what it says. */
status_t inner_step(struct leg *leg, struct context *context, struct member *member,
                    struct slice in, struct inner *inner, SecBuffer *out);
void inner_token_free(SecBuffer *token);

/* The end of a leg: the token is released, or kept for the same leg to be repeated. inner_resume
 * gives it back, if there is one. */
void inner_token_settle(const struct leg *leg, struct context *context, status_t status,
                        SecBuffer *token);
bool inner_resume(struct leg *leg, struct context *context, SecBuffer *token);
void inner_clear(struct inner *inner);

/* Channel bindings of a leg that calls no mechanism are for the one that starts later: the
 * application need not repeat them. */
status_t inner_keep_bindings(const struct leg *leg, struct context *context);

/* The same with the application's own buffers, for tokens without SPNEGO. */
status_t inner_step_raw(struct leg *leg, struct context *context, struct member *member);

/* mechListMIC (RFC 4178 5). mic_possible: whether the mechanism is ready to make and verify it. */
bool mic_possible(const struct context *context);
/* Peers older than RFC 4178 repeat the mechanism's token in the place of mechListMIC. */
bool mic_is_repeated(struct slice token, struct slice mic);
status_t mic_verify(struct context *context, struct slice mic);
#define MIC_MAX 256u
status_t mic_make(struct context *context, struct writer *out); /* out has room for MIC_MAX */

/* ---- attrs.c, message.c, export.c ---- */

SpQueryContextAttributesFn context_query;
SpSetContextAttributesFn context_set;

SpMakeSignatureFn message_sign;
SpVerifySignatureFn message_verify;
SpSealMessageFn message_seal;
SpUnsealMessageFn message_unseal;
SpGetContextTokenFn context_get_token;
SpApplyControlTokenFn context_control;
SpCompleteAuthTokenFn context_complete;

SpExportSecurityContextFn context_export;
SpImportSecurityContextFn context_import;
