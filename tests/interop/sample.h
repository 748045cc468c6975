/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocol of MIT Kerberos' sample programs gss-client and gss-server, for an end of an
 * interoperability test that uses SSPI, in place of the frames and rounds of dialogue.h: a client
 * sends wrapped messages, and the server answers each with a signature of what it has read.
 */
#pragma once

#include "sspi_side.h"

extern const struct dialogue_framing sample_framing; /* of handshake tokens */

/* Before the handshake, in the rounds, and after the last. False with dialogue->failure. */
bool sample_begin(struct dialogue *dialogue);
bool sample_run(struct dialogue *dialogue, uint32_t first, uint32_t count);
bool sample_end(struct dialogue *dialogue);
