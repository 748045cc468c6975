/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SASL over security contexts (RFC 4422). A profile is a SASL mechanism and the package that does
 * its work. A SASL context is an ordinary context of that package with a struct sasl attached; what
 * the package says on the wire is carried as it is, and the mechanism decides what follows.
 */
#pragma once

#include "core/sasl.h"
#include "exports.h"

enum sasl_mechanism {
    SASL_PLAIN,    /* nothing follows: DIGEST-MD5 and others */
    SASL_SPNEGO,   /* nor here, and the flags that SPNEGO agrees on say what is protected */
    SASL_GSSAPI,   /* the rounds of RFC 4752 follow */
    SASL_EXTERNAL, /* one message on a context that is there already (RFC 4422 appendix A) */
};

#define SASL_NAME_MAX 20u /* RFC 4422 3.1 */

struct sasl_profile {
    WCHAR name[SASL_NAME_MAX + 1];
    enum sasl_mechanism mechanism;
    struct package *package;
};

/* The profiles whose package is listed, in the process heap; nothing is loaded. */
status_t sasl_profiles_get(struct sasl_profile **profiles, ULONG *count);

/* How contexts of the package do SASL: the first profile of it that begins with a context, or with
 * external that begins without. SEC_E_SECPKG_NOT_FOUND when it has none. */
status_t sasl_mechanism_find(const struct package *package, bool external,
                             enum sasl_mechanism *mechanism);

enum sasl_stage {
    SASL_HANDSHAKE,  /* the package's legs */
    SASL_OFFER_NEXT, /* client: waits for it; server: makes it once the client has nothing to say */
    SASL_CHOICE_NEXT /* server */
};

/* Changed under the lock, and not any more once it is done. */
struct sasl {
    SRWLOCK lock;
    enum sasl_mechanism mechanism;
    enum sasl_stage stage;
    volatile LONG done;
    ULONG attributes; /* of the package's last leg */
    TimeStamp expiry;
    bool offer_read; /* client: the offer was unwrapped, which can be done once */
    struct sasl_offer offer;
    uint8_t offered; /* server: layers */
    uint8_t layer;   /* when done; 0 where the package itself knows what it protects */
    ULONG plain_qop; /* of sasl_plain_qop, once it is known */
    volatile LONG plain_qop_known;
    bool offer_due;       /* server: the package is done, and there was no memory for the offer */
    ULONG send_size;      /* bytes of text in one message */
    ULONG receive_size;   /* bytes of one protected message */
    bool authz_forbidden; /* SASL_OPTION_AUTHZ_PROCESSING */
    ULONG authz_size;
    BYTE authzid[SASL_AUTHZ_MAX];
};

struct sasl *sasl_create(enum sasl_mechanism mechanism);
void sasl_free(struct sasl *sasl);

/* Attaches the state for a message that goes over an established context, or finds it attached. */
status_t sasl_attach_external(struct context *context, struct sasl **out);

/* What an export carries, the name borrowed; SEC_E_NOT_SUPPORTED before all is agreed. */
status_t sasl_describe(struct sasl *sasl, struct sasl_body *out);

/* The state that was described; NULL without memory. */
struct sasl *sasl_restore(const struct sasl_body *body);

/* What remains of a leg when the package has had its part: status is the package's. */
status_t sasl_after_handshake(const struct pinned_context *pinned, struct leg *leg, ULONG wanted,
                              status_t status);

/* A leg that is not the package's. wanted: what the application asked for. */
status_t sasl_round(const struct pinned_context *pinned, struct leg *leg, ULONG wanted);
status_t sasl_external_message(struct sasl *sasl, struct leg *leg);

/* ---- protected messages (sasl_wrap.c) ---- */

/* A token of the application: where the next one goes, found before anything is changed. */
struct sasl_token {
    SecBuffer *buffer; /* the application's */
    BYTE *block;       /* process heap */
    ULONG room, size;
    bool allocate; /* the block goes to the application */
};

status_t sasl_token_open(struct sasl_token *token, const struct leg *leg, ULONG room);

/* Hands over what was written; cannot fail. Does nothing for a token that was never opened. */
void sasl_token_give(struct sasl_token *token, struct leg *leg);
void sasl_token_close(struct sasl_token *token);

/* The bytes of the input's TOKEN buffer; empty when there is none. */
struct slice sasl_input(const struct leg *leg);

/* What protection adds to a message at most; SEC_E_INTERNAL_ERROR for what cannot be. */
status_t sasl_overhead(const struct pinned_context *pinned, ULONG *overhead);

/* The quality of protection that leaves a message readable, where the package has one. Asked for
 * once, which takes memory. */
status_t sasl_plain_qop(struct context *context, ULONG *qop);

/* Protects the text into token, which has room for it and for the overhead. */
status_t sasl_wrap(const struct pinned_context *pinned, struct slice text,
                   struct sasl_token *token);

/* The text is in *block, of the process heap and of the message's size, for the caller to wipe. */
status_t sasl_unwrap(const struct pinned_context *pinned, struct slice message, BYTE **block,
                     struct slice *text);
