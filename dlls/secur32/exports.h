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
    bool acceptor;
    bool complete;    /* the handshake has ended */
    bool imported;    /* there is no handshake to go on with, unless it came half-open */
    bool handed_over; /* exported with DELETE_OLD */
    struct former_context *former;
    SRWLOCK use; /* of an SSP's: shared by calls, alone by an export that hands it over */
};

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
void context_unpin(const struct pinned_context *pinned);

/* Makes a context of what a provider gave, and a handle for it; on failure the provider's context
 * is the caller's still. */
status_t context_create(struct package *package, const struct provider_context *provider,
                        bool acceptor, bool complete, bool imported, CtxtHandle *out);

/* Finds a package by name and loads its module. */
status_t package_find_open(const WCHAR *name, struct package **out);
