/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SASL contexts for tests: both ends in one process, one end with an ordinary context beside it
 * that says by hand what the other should not hear, and the registry's list of profiles.
 */
#pragma once

#include "loopback.h"

#include <sspi.h>

#ifndef SECQOP_WRAP_NO_ENCRYPT
#define SECQOP_WRAP_NO_ENCRYPT 0x80000001
#endif

#define LAYER_NONE 1
#define LAYER_INTEGRITY 2
#define LAYER_PRIVACY 4

/* One call each of the Sasl functions, as loopback's legs are of the others. */
SECURITY_STATUS sasl_client_leg(struct loopback *loop);
SECURITY_STATUS sasl_server_leg(struct loopback *loop);

/* All legs. SEC_E_OK when both ends are done. */
SECURITY_STATUS sasl_connect(struct loopback *loop);

/* The legs of the package between a SASL end and an ordinary one. When it is done, what the SASL
 * end said last is in loop->token: for a SASL server, its offer. */
SECURITY_STATUS sasl_half_connect(struct loopback *loop, bool sasl_server);

/* Text in the form of the two messages of RFC 4752, wrapped and unwrapped by a context that is not
 * SASL's. In loop->token. */
SECURITY_STATUS text_wrap(struct loopback *loop, CtxtHandle *context, const void *text, ULONG size);
SECURITY_STATUS text_unwrap(struct loopback *loop, CtxtHandle *context, BYTE *text, ULONG *size);

/* One message from the one to the other with this quality of protection, compared. */
SECURITY_STATUS message_pass(CtxtHandle *from, CtxtHandle *to, ULONG qop, ULONG size);

/* The profiles of the machine are these, pairs of a mechanism and a package, until they are put
 * back; a second call in between changes them again. */
bool profiles_set(const wchar_t *const (*pairs)[2], unsigned count);
bool profiles_restore(void);
