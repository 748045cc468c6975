/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the exported functions share. */
#pragma once

#include "handle.h"
#include "package.h"

struct credential {
    struct package *package;
    SecHandle handle; /* the provider's */
};

/* What a context was before an export that failed after the provider had let go of it. */
struct former_context {
    struct former_context *next;
    struct provider_context provider;
};

struct context {
    struct package *package;
    struct provider_context provider;
    uint32_t place; /* of its handle */
    bool acceptor;
    bool complete;    /* the handshake has ended */
    bool imported;    /* there is no handshake to go on with, unless it came half-open */
    bool handed_over; /* exported with DELETE_OLD */
    struct former_context *former;
    SRWLOCK use; /* of an SSP's: shared by calls, alone by an export that hands it over */
    struct sasl *volatile sasl; /* NULL unless a Sasl function made it (sasl.h); never changed */
};

/* One call of InitializeSecurityContext or AcceptSecurityContext, before it is known whether it
 * is the first of its context. */
struct leg {
    bool acceptor;
    bool sasl; /* by way of the Sasl function */
    WCHAR *target;
    ULONG requirements, data_representation;
    SecBufferDesc *input, *output;
    SecBuffer given; /* SASL's output token as it was: a package changes it */
    ULONG attributes;
    TimeStamp expiry;
    bool expiry_told; /* the package has written it, be it of a leg that failed */
};

/* The package's part of a leg: a context handle of NULL begins, and writes *out. */
status_t leg_run(struct leg *leg, const CredHandle *credential, const CtxtHandle *context,
                 CtxtHandle *out);
/* The same for a context that the caller has pinned: an SSP's must not be pinned twice in one call,
 * since an export may wait in between. */
struct pinned_context;
status_t leg_run_pinned(struct leg *leg, const CredHandle *credential,
                        const struct pinned_context *context);
status_t leg_check(const struct leg *leg); /* that its buffers can be looked at */
void leg_report(const struct leg *leg, status_t status, ULONG *attributes, TimeStamp *expiry);

/* A context pinned for one call. The handle is copied: the application's may change meanwhile. */
struct pinned_context {
    struct context *context;
    SecHandle handle;
    bool alone;
};

/* SEC_E_INVALID_HANDLE unless the handle is a live context's. */
status_t context_pin(const CtxtHandle *handle, struct pinned_context *out);
/* The same for a call that hands the context over, if alone. */
status_t context_pin_export(const CtxtHandle *handle, bool alone, struct pinned_context *out);
/* context_pin of the context that the messages of this one go to (context_follow). */
status_t context_pin_inner(const CtxtHandle *handle, struct pinned_context *out);
void context_unpin(const struct pinned_context *pinned);

/* QueryContextAttributesW of a context that is pinned. */
status_t context_query(const struct pinned_context *pinned, ULONG attribute, void *buffer);

/* Learns from the package which context its messages go to, whenever that may have changed: those
 * of the application then go there at once (ssp/message_context.h). */
void context_follow(struct context *context);

/* A context without a handle. What it takes is there before a provider is asked, whose answer
 * cannot be taken back; the context is then published, which cannot fail, or abandoned. */
struct new_context {
    struct context *context;
    uint32_t place;
};

status_t context_prepare(struct package *package, bool acceptor, struct new_context *out);
void context_publish(const struct new_context *made, CtxtHandle *out);
void context_abandon(const struct new_context *made);

/* Finds a package by name and loads its module. */
status_t package_find_open(const WCHAR *name, struct package **out);

/* What the security layer that a SASL context agreed on says to a message; SEC_E_OK for contexts
 * without one. *qop may be changed to what the package calls the same. */
status_t sasl_check_send(struct context *context, bool seal, const SecBufferDesc *message,
                         ULONG *qop);
status_t sasl_check_receive(const struct context *context, const SecBufferDesc *message);

/* Whether calls that are not SASL's may go on with the handshake. */
bool sasl_owns_handshake(const struct context *context);
