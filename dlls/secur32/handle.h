/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handles that applications hold. Both words of one name a slot and its generation, never an
 * address, so a stale, foreign or invented handle is told apart from a live one without touching
 * anything it might point at. A pinned object stays until it is unpinned, however often it is
 * closed meanwhile; finding one takes the same time whatever the number of handles.
 */
#pragma once

#include "ssp/abi.h"

enum handle_kind { HANDLE_CREDENTIAL = 0, HANDLE_CONTEXT = 1 };

/* Of a credential: takes the object over and writes *out; on failure neither happens. release is
 * called once, with no lock held, by whichever thread lets go of the object last. */
status_t handle_create_credential(void *object, void (*release)(void *object), SecHandle *out);

/* The same in two steps for a context, which comes of something that cannot be undone: a place that
 * was reserved is filled without fail, or given back. */
status_t handle_reserve(uint32_t *place);
void handle_fill(uint32_t place, void *object, void (*release)(void *object), SecHandle *out);
void handle_give_back(uint32_t place);

/* Another context's handle that is kept with the one at a place until that is released; NULL for
 * none. It may be stale. */
void handle_set_inner(uint32_t place, const SecHandle *inner);

/* The live object of that kind, or NULL for anything else (handle itself may be NULL). The thread
 * that pins it unpins it. */
void *handle_pin(enum handle_kind kind, const SecHandle *handle);

/* The object of the handle that is kept with a context's (handle_set_inner) or, where there is none
 * or that is stale, of the context's own; NULL as above. *handle becomes the one to unpin. */
void *handle_pin_inner(SecHandle *handle);

void handle_unpin(const SecHandle *handle);

/* Closes the handle for everybody; true for exactly one caller. The caller needs no pin. */
bool handle_close(enum handle_kind kind, const SecHandle *handle);
