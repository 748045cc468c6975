/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Both ends of a TLS connection in one process: credentials, handshake, and records in the form in
 * which tests use them. Nothing here judges: each function returns what SSPI returned.
 */
#pragma once

#include <windows.h>

#include <security.h>

#include "../api/tls_certs.h"
#include "support.h"

#define TLS_LOOP_ROOM 65536u
#define TLS_LOOP_SECRET 48u

/* Bytes on their way to somebody. */
struct tls_wire {
    BYTE bytes[TLS_LOOP_ROOM];
    ULONG size;
};

struct tls_loop {
    int version;               /* 12 or 13: what both may use */
    bool cbc;                  /* TLS 1.2: with no AEAD */
    enum tls_cert server_cert; /* TLS_CERT_SERVER_RSA unless set otherwise before opening */
    enum tls_cert client_cert; /* TLS_CERTS for none */
    const char *alpn;          /* both offer this one; NULL for none */
    CredHandle client_cred, server_cred;
    CtxtHandle client, server;
    ULONG client_flags, server_flags; /* requested */
    ULONG client_attrs, server_attrs; /* returned by the last leg */
    struct tls_wire to_server, to_client;
    SECURITY_STATUS client_status, server_status; /* of the last legs */
    /* TLS 1.3: SECBUFFER_TRAFFIC_SECRETS, as the client was told */
    BYTE client_secret[TLS_LOOP_SECRET], server_secret[TLS_LOOP_SECRET];
    ULONG secret_size; /* 0 when it was not */
};

/* Fills in what is usual. */
void tls_loop_init(struct tls_loop *loop, int version);

/* Acquires both credentials, as loop says. Nothing to close if it fails. */
SECURITY_STATUS tls_loop_open(struct tls_loop *loop);

/* One call with what is on the wire, and its token onto the other wire. */
SECURITY_STATUS tls_client_leg(struct tls_loop *loop);
SECURITY_STATUS tls_server_leg(struct tls_loop *loop);

/* All legs; what the server sends last (TLS 1.3: tickets) stays in to_client. */
SECURITY_STATUS tls_loop_connect(struct tls_loop *loop);

/* Init, open and connect in one; closes again what it made if that fails. */
SECURITY_STATUS tls_loop_make(struct tls_loop *loop, int version);

/* Gives the client the tickets that are on the wire. */
SECURITY_STATUS tls_loop_settle(struct tls_loop *loop);

void tls_loop_close(struct tls_loop *loop);

/* One record of these bytes, appended to the wire. qop as for EncryptMessage. */
SECURITY_STATUS tls_put(CtxtHandle *context, ULONG qop, const void *bytes, ULONG size,
                        struct tls_wire *wire);

/* The next record of the wire through DecryptMessage: its plain text to out, and the wire moves on
 * to EXTRA. */
SECURITY_STATUS tls_get(CtxtHandle *context, struct tls_wire *wire, void *out, ULONG room,
                        ULONG *size);

/* A text each way, checked byte for byte. Both wires must be empty. */
bool tls_talks(CtxtHandle *one, CtxtHandle *other);

/* The blob is copied out and the caller's buffer freed; size 0 when the call failed. */
SECURITY_STATUS tls_export(CtxtHandle *context, ULONG flags, struct tls_wire *blob);
SECURITY_STATUS tls_import(const struct tls_wire *blob, CtxtHandle *context);

bool tls_present(const CtxtHandle *context);
void tls_forget(CtxtHandle *context);
