/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server of TLS in one process, whose tokens go over two wires in memory the way
 * programs do it: a leg is given what has come, keeps what it says is EXTRA, and waits for more
 * when something is MISSING. Nothing here judges; each function returns what SSPI returned.
 */
#pragma once

#include <windows.h>

#include <ntsecapi.h>
#include <security.h>
#define SCHANNEL_USE_BLACKLISTS /* SCH_CREDENTIALS */
#include <schannel.h>

#include "tls_certs.h"

#ifndef SECBUFFER_FLAGS
#define SECBUFFER_FLAGS 27
#endif

#define TLS_PAIR_WIRE 65536u

enum tls_pair_version {
    TLS_PAIR_DEFAULT, /* what SCH_CREDENTIALS comes to */
    TLS_PAIR_1_0,
    TLS_PAIR_1_1,
    TLS_PAIR_1_2,
    TLS_PAIR_1_3,
};

/* All zeros is a handshake as most programs make it: ALLOCATE_MEMORY, a server with an RSA
 * certificate called localhost that the client judges itself. */
struct tls_pair_options {
    const wchar_t *package; /* NULL: the unified provider */
    enum tls_pair_version client_version, server_version;
    bool plain_credentials;                     /* SCHANNEL_CRED */
    enum tls_cert server_cert, client_cert;     /* 0, which has no key: RSA; none */
    DWORD client_cred_flags, server_cred_flags; /* SCH_CRED_ */
    HCERTSTORE client_roots, server_roots;      /* of the credentials */
    bool users_cert;                            /* the client may show one of the user's */
    bool automatic;                             /* the system judges the server */
    ULONG client_flags, server_flags;           /* ISC_REQ_, ASC_REQ_, besides the usual */
    const char *client_alpn, *server_alpn;      /* names, each behind its length */
    const wchar_t *target;                      /* NULL: localhost */
    bool no_target;
    bool caller_memory; /* no ALLOCATE_MEMORY */
    bool datagram;
    bool without_aead; /* no GCM and no ChaCha: CBC, where there is such a suite */
    bool want_secrets; /* TLS 1.3: SECBUFFER_TRAFFIC_SECRETS from both sides' legs */
    bool not_late;     /* ISC_REQ_NO_POST_HANDSHAKE_AUTH */
    bool deferred;     /* ISC_REQ_DEFERRED_CRED_VALIDATION */
    bool staple;       /* an OCSP response with the server's certificate */
    DWORD chunk;       /* bytes that come at a time; 0: all */
    DWORD lifespan;    /* ms, of sessions; with plain_credentials */
};

#define TLS_PAIR_SECRET 64u

/* What SECBUFFER_TRAFFIC_SECRETS has told; size 0 when it has not. */
struct tls_secrets {
    BYTE client[TLS_PAIR_SECRET], server[TLS_PAIR_SECRET];
    DWORD size;
};

struct tls_wire {
    BYTE bytes[TLS_PAIR_WIRE];
    DWORD size;    /* sent and not taken yet */
    DWORD arrived; /* of these */
};

struct tls_pair {
    struct tls_pair_options options;
    CredHandle client_cred, server_cred;
    CtxtHandle client, server;
    struct tls_wire to_client, to_server;
    SECURITY_STATUS client_status, server_status; /* of the last legs */
    ULONG client_attrs, server_attrs;             /* of the last successful ones */
    TimeStamp client_expiry, server_expiry;
    DWORD missing;    /* what the last leg said to be MISSING; 0 without that */
    DWORD token_size; /* of the last leg */
    struct tls_secrets client_secrets, server_secrets;
    unsigned client_legs, server_legs;
};

/* Both credentials. Where this system cannot keep a certificate's key: SEC_E_NOT_SUPPORTED. After
 * a failure there is nothing to close. */
SECURITY_STATUS tls_pair_open(struct tls_pair *pair, const struct tls_pair_options *options);

/* A credential of one side alone. */
SECURITY_STATUS tls_pair_credential(const struct tls_pair_options *options, bool server,
                                    CredHandle *out);

/* One leg with all that has arrived. */
SECURITY_STATUS tls_pair_client_leg(struct tls_pair *pair);
SECURITY_STATUS tls_pair_server_leg(struct tls_pair *pair);

/* Legs until both sides are done, or one fails, whose status it is. A client that is asked for a
 * certificate goes on without. */
SECURITY_STATUS tls_pair_connect(struct tls_pair *pair);

/* The contexts alone, so that the credentials can be used again. */
void tls_pair_delete(struct tls_pair *pair);
void tls_pair_close(struct tls_pair *pair);

/* Open and connect in one; closes again what it made if that fails. */
SECURITY_STATUS tls_pair_make(struct tls_pair *pair, const struct tls_pair_options *options);

/* Sends one message over the wire; receives one record, its data at *data inside the wire until
 * the next call for that side. A post-handshake message goes through a leg on the way. */
SECURITY_STATUS tls_pair_send(struct tls_pair *pair, bool from_server, const void *data,
                              DWORD size);
SECURITY_STATUS tls_pair_receive(struct tls_pair *pair, bool to_server, BYTE *data, DWORD capacity,
                                 DWORD *size);

/* What a side says of the client's certificate; SEC_E_CERT_UNKNOWN when it is another one. */
SECURITY_STATUS tls_pair_sees(struct tls_pair *pair, bool server, enum tls_cert which);

/* A message each way, compared. */
bool tls_pair_talk(struct tls_pair *pair);

/* What SECPKG_ATTR_SUPPORTED_SIGNATURES has: a bit for each number of TLS 1.2, TlsHashAlgorithm of
 * RSA's, and 8 bits further up of ECDSA's. 0 when it cannot be told. */
DWORD tls_signatures(CtxtHandle *context);

/* ApplyControlToken of these DWORDs. */
SECURITY_STATUS tls_control(CtxtHandle *context, const DWORD *token, DWORD count);

void wire_put(struct tls_wire *wire, const void *bytes, DWORD size);
void wire_take(struct tls_wire *wire, DWORD size);

void tls_handle_forget(SecHandle *handle);
bool tls_handle_present(const SecHandle *handle);

/* ---- tls_staple.c ---- */

/* Puts a response to the certificate, as its property. */
bool tls_staple_put(const CERT_CONTEXT *certificate);

/* Whether one has come with the server's. */
bool tls_staple_seen(CtxtHandle *client);
