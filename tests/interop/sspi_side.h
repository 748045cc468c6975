/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of an interoperability test that uses SSPI: an NTLM context, how it is made over a
 * connection, and its dialogue_ops.
 */
#pragma once

#include "options.h"

#include <winsock2.h>
#include <windows.h>
#include <sspi.h>

struct sspi_side {
    CredHandle credential;
    CtxtHandle context;
    bool have_credential, have_context;
    uint32_t opened; /* sealed messages opened so far: the two ways to pass one take turns */
};

extern const struct dialogue_ops sspi_side_ops;

/* These give false with the reason in dialogue->failure; dialogue->context is the side. */
bool sspi_side_acquire(struct dialogue *dialogue, const struct options *options);
/* The client's first message, or the server's answer to it: the context is half open after it. */
bool sspi_side_begin(struct dialogue *dialogue);
/* The rest of the handshake, and a check of what it gave. */
bool sspi_side_finish(struct dialogue *dialogue);

/* Prints the authenticated client's name, as the server knows it. */
bool sspi_side_print_client(struct dialogue *dialogue);

bool sspi_side_fail(struct dialogue *dialogue, const char *step, SECURITY_STATUS status);
void sspi_side_clear(struct sspi_side *side);
