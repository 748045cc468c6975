/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of an exported context of Negotiate: how far the negotiation has come, and inside what
 * the mechanism's package exports of its own context. Versioned, little endian, the same on 32 and
 * 64 bit. Slices borrow: from the body when it is read, from the caller when it is written.
 */
#pragma once

#include "core/spnego.h"

#define SPNEGO_PACKAGE_CHARS 64u

enum spnego_stage {
    SPNEGO_STAGE_HINTED = 1,  /* acceptor: its hints are out, the initiator's list is awaited */
    SPNEGO_STAGE_OFFERED = 2, /* initiator: its list is out, the choice is awaited */
    SPNEGO_STAGE_CHOSEN = 3,  /* the mechanism is agreed on, its tokens go to and fro */
    SPNEGO_STAGE_ESTABLISHED = 4,
    SPNEGO_STAGE_FAILED = 5, /* the mechanism had gone on when a leg failed; never written down */
};

struct spnego_body {
    enum spnego_stage stage;
    bool acceptor;
    bool raw;        /* the mechanism speaks without SPNEGO */
    bool inner_done; /* the mechanism's context is complete */
    bool answered;   /* acceptor: its first reply, with the choice, is out */
    bool extra_leg;  /* initiator: has sent a token that says nothing */
    bool mic_required, mic_sent, mic_received;
    uint32_t attributes; /* of the mechanism's context, as its time of expiry */
    uint64_t expiry;
    status_t last_status;
    struct slice package;   /* of the mechanism, UTF-16LE; at most SPNEGO_PACKAGE_CHARS */
    struct slice oid;       /* which it is offered or was chosen under */
    struct slice mech_list; /* what mechListMIC covers */
    struct slice target;    /* initiator: UTF-16LE with its terminator, or empty */
    struct slice bindings;  /* SEC_CHANNEL_BINDINGS, or empty */
    struct slice pending;   /* a token that has not gone out yet */
    struct slice inner;     /* empty when the mechanism has no context yet */
};

/* The writer keeps the error: no part but inner may be longer than 65,535 bytes. */
void spnego_body_write(const struct spnego_body *body, struct writer *w);

/* SEC_E_INVALID_TOKEN, with *out untouched, for what is no such body, is not whole or says what no
 * context of that stage can. */
status_t spnego_body_read(struct slice bytes, struct spnego_body *out);
