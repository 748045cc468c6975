/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What exports and imports of contexts have in common: flags, bodies, and tokens that go along. */
#pragma once

#include "core/writer.h"
#include "ssp/provider.h"

#define HANDOVER_FLAGS (SECPKG_CONTEXT_EXPORT_RESET_NEW | SECPKG_CONTEXT_EXPORT_DELETE_OLD)

/* What an application asks for: SEC_E_UNSUPPORTED_FUNCTION for TO_KERNEL, SEC_E_INVALID_PARAMETER
 * for other flags than the two. */
status_t handover_check(ULONG flags, const SecBuffer *packed);

/* Runs `write`, which always writes the same, and puts what it makes into a block that the host
 * frees; `usual` is room that is mostly enough. */
typedef void handover_write(const void *object, struct writer *w);
status_t handover_pack(handover_write *write, const void *object, size_t usual, SecBuffer *out);
void handover_discard(SecBuffer *packed); /* wipes, too */

/* A duplicate of a token. What is no token is found out here, and not when it is first used:
 * SEC_E_INVALID_PARAMETER. */
status_t handover_token(HANDLE given, HANDLE *out);
