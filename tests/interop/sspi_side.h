/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of an interoperability test that uses SSPI: a context of NTLM, Kerberos or Negotiate,
 * how it is made over a connection, and its dialogue_ops.
 */
#pragma once

#include "options.h"

#include <winsock2.h>
#include <windows.h>
#include <sspi.h>

#ifndef SECQOP_WRAP_NO_ENCRYPT
#define SECQOP_WRAP_NO_ENCRYPT 0x80000001
#endif

struct sspi_side {
    CredHandle credential;
    CtxtHandle context;
    bool have_credential, have_context;
    bool complete; /* the handshake */
    uint32_t legs; /* of the handshake done so far, in whichever process */
    char package[16];
    uint32_t ask; /* ASK_ of options.h; in DCE style the parts of messages are apart */
    char target[64], bindings[64];
    ULONG qop;       /* with which messages are sealed */
    uint32_t opened; /* sealed messages opened so far: the two ways to pass one take turns */
};

extern const struct dialogue_ops sspi_side_ops;

/* These give false with the reason in dialogue->failure; dialogue->context is the side. */
bool sspi_side_acquire(struct dialogue *dialogue, const struct options *options);
/* The handshake until it has so many legs (calls of the package), or its rest with 0, and then a
 * check of what it gave. */
bool sspi_side_authenticate(struct dialogue *dialogue, uint32_t legs);

/* Prints the authenticated client's name, as the server knows it. */
bool sspi_side_print_client(struct dialogue *dialogue);
bool sspi_side_print_key(struct dialogue *dialogue);

/* What a client has delegated is good for something: acting for him, a server gets a token for
 * another service. */
bool sspi_side_use_delegated(struct dialogue *dialogue);

bool sspi_side_fail(struct dialogue *dialogue, const char *step, SECURITY_STATUS status);
void sspi_side_clear(struct sspi_side *side);

/* ImportSecurityContext for the side's package. */
SECURITY_STATUS sspi_side_import(const struct sspi_side *side, const struct octets *blob,
                                 CtxtHandle *context);
