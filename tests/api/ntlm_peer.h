/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM's messages made by the test itself, with the portable library and from the session key
 * alone: what a package makes is compared with the specification and not with itself.
 */
#pragma once

#include <windows.h>

#include <security.h>

#include "core/reader.h"

struct peer_session;

/* The session of NTLM's side, complete, whose client sent this AUTHENTICATE. NULL for none. */
struct peer_session *peer_session_create(CtxtHandle *ntlm, bool server, struct slice authenticate);
void peer_session_free(struct peer_session *session);

/* mechListMIC as RFC 4178 5 and MS-SPNG 3.3.5.1 have it: a signature after which the stream of its
 * direction starts anew. */
bool peer_mic_make(struct peer_session *session, struct slice mech_list, uint8_t mic[16]);
bool peer_mic_check(struct peer_session *session, struct slice mech_list, struct slice mic);

bool peer_seal(struct peer_session *session, void *data, size_t size, uint8_t signature[16]);
bool peer_unseal(struct peer_session *session, void *data, size_t size,
                 const uint8_t signature[16]);
