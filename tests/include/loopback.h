/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Client and server of one package in one process, leg by leg, and the message calls in the
 * form that tests use them. Nothing here judges: each function returns what SSPI returned.
 */
#pragma once

#include <windows.h>

#include <security.h>

#include "support.h"

struct loopback {
    CredHandle client_cred, server_cred;
    CtxtHandle client, server;
    const wchar_t *target;
    ULONG client_flags, server_flags; /* requested; ALLOCATE_MEMORY is not handled here */
    ULONG client_attrs, server_attrs; /* returned by the last leg */
    TimeStamp client_expiry, server_expiry;
    BYTE token[16384]; /* what the last leg produced */
    ULONG token_size;
};

#define SEAL_FLAGS (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY)
#define SERVER_SEAL_FLAGS (ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY)

/* Acquires both credentials; account NULL means default credentials. Nothing to close if it
 * fails. Flags are preset for sealing; the caller may change them before the first leg. */
SECURITY_STATUS loopback_open(struct loopback *loop, const wchar_t *package,
                              const struct account *account);

/* One call each; the token of the other side is taken from and the new one left in loop. */
SECURITY_STATUS loopback_client_leg(struct loopback *loop);
SECURITY_STATUS loopback_server_leg(struct loopback *loop);

/* All legs. SEC_E_OK when both sides finished. */
SECURITY_STATUS loopback_connect(struct loopback *loop);

/* Open and connect in one; closes again what it made if that fails. */
SECURITY_STATUS loopback_make(struct loopback *loop, const wchar_t *package,
                              const struct account *account);

/* Deletes what is there. A caller that deleted a context itself invalidates the handle. */
void loopback_close(struct loopback *loop);
void context_forget(CtxtHandle *context);
bool context_present(const CtxtHandle *context);

/* A message with its token, small enough for the stack. */
struct message {
    BYTE token[128];
    ULONG token_size;
    BYTE data[1024];
    ULONG size;
    BYTE padding[16];
    ULONG padding_size; /* of what has been sealed; 0 without */
};

void message_set(struct message *message, const void *bytes, ULONG size);
SECURITY_STATUS message_seal(CtxtHandle *context, struct message *message);
SECURITY_STATUS message_open(CtxtHandle *context, struct message *message);
SECURITY_STATUS message_sign(CtxtHandle *context, struct message *message);
SECURITY_STATUS message_verify(CtxtHandle *context, struct message *message);

/* One sealed and one signed message each way, each checked byte for byte. */
bool contexts_talk(CtxtHandle *one, CtxtHandle *other);

/* Channel bindings, which have the application's data only in most tests. */
struct bindings {
    SEC_CHANNEL_BINDINGS head;
    char data[64];
};

/* With that text; gives the buffer in which a leg takes them. */
SecBuffer bindings_fill(struct bindings *bindings, const char *text);

/* The blob is copied out and the caller's buffer freed; size 0 when the call failed. */
struct blob {
    BYTE bytes[8192];
    ULONG size;
    ULONG type;
};

SECURITY_STATUS context_export(CtxtHandle *context, ULONG flags, struct blob *blob, HANDLE *token);
SECURITY_STATUS context_import(const wchar_t *package, const void *bytes, ULONG size,
                               CtxtHandle *context);
