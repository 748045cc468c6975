/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a context. One that a leg makes has an LSA half, and a user half from
 * InitUserModeContext on, for which every successful leg asks (MappedContext with empty
 * ContextData), so that a half-open context can be exported. An imported one has a user half only,
 * also when its handshake goes on. Both tables know a context by the same handle, and it goes when
 * its last half is deleted. A module has one kind of contexts, whose first member is
 * `volatile LONG halves`.
 */
#pragma once

#include "ssp/abi.h"

#define HALF_LSA 1
#define HALF_USER 2

struct context;

/* The module's own: what is left of a context without halves. */
void context_free(struct context *context);

/* What a leg packs for the user half is empty: it is freed here. */
SpDeleteContextFn context_delete_lsa, context_delete_user;
SpInitUserModeContextFn context_init_user;
