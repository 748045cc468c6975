/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the benchmark of TLS by SSPI has in several files. */
#pragma once

#include <winsock2.h>

#include <windows.h>

#include <sspi.h>
#include <subauth.h>

#include <wincrypt.h>
#define SCHANNEL_USE_BLACKLISTS /* SCH_CREDENTIALS */
#include <schannel.h>

#include <stdbool.h>

#define FLIGHT_ROOM 65536u

/* From the command line. */
struct tls_options {
    bool modern;              /* TLS 1.3, else 1.2 */
    bool tickets;             /* the server in here gives some, as most servers do */
    WCHAR pfx[MAX_PATH];      /* the server's certificate; empty: there is no server in here */
    unsigned server;          /* port of `bench_gnutls server`; 0: the server is in here */
    unsigned full, resumable; /* ports of servers for client handshakes */
};
extern struct tls_options tls_options;

/* The client's credentials: manual validation, the one protocol, AES-256-GCM. */
extern CredHandle tls_client, tls_server;

bool tls_report(const char *call, SECURITY_STATUS status);

/* A client's connection to a loopback port. */
struct tls_remote {
    SOCKET socket;
    CtxtHandle context;
    bool have;
    SecPkgContext_StreamSizes sizes;
    BYTE *bytes; /* received and not opened yet */
    ULONG size;
};
bool tls_remote_open(struct tls_remote *remote, unsigned port);
void tls_remote_close(struct tls_remote *remote);

/* Sends one message and receives a record: *record is in the remote's bytes. */
bool tls_remote_say(struct tls_remote *remote, const void *text, ULONG size);
bool tls_remote_record(struct tls_remote *remote, BYTE **record, ULONG *size);

/* The groups "full" and "resumed". */
bool tls_handshakes(const char *group);
