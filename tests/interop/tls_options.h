/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of interop_tls: how the credential and the context are made, and what is then
 * done on the connection, one action after the other.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TLS_CERTIFICATES_MAX 4
#define TLS_ACTIONS_MAX 256

struct tls_options {
    bool server;
    bool old;        /* SCHANNEL_CRED instead of SCH_CREDENTIALS */
    bool manual;     /* the program judges certificates, that is, takes any */
    bool ask;        /* server: wants a certificate of the client */
    bool no_default; /* client: no certificate that was not named */
    bool datagram;   /* DTLS over UDP; a server has one connection only */
    bool ansi;       /* client: through InitializeSecurityContextA */
    uint16_t port;
    unsigned connections; /* server: how many, each with all actions */
    unsigned split;       /* the most bytes that are taken from the socket at once; 0: all */
    unsigned record;      /* the most bytes of a message; 0: as many as Schannel lets */
    unsigned versions;    /* bits: 1 for TLS 1.0, 2 for 1.1, 4 for 1.2, 8 for 1.3; 0: default */
    const char *name;     /* client: the server's */
    const char *alpn;     /* names with commas between them; NULL: none */
    const char *label;    /* of keying material that is shown; NULL: none */
    const char *save;     /* file for what comes as a body */
    const char *issuers;  /* server: file with a certificate whose issuer the client is told */
    const char *certificates[TLS_CERTIFICATES_MAX]; /* PFX files, or .p7b with .p7b.key */
    unsigned certificate_count;
    const char *login;  /* client: file with the account and password of `login` */
    const char *staple; /* server: file with an OCSP response for its first certificate */
    const char *later;  /* client: the certificate for when the server asks */
    const char *actions[TLS_ACTIONS_MAX];
    unsigned action_count;
};

/* False, with a message on standard error, when the arguments make no sense. They have to stay. */
bool tls_options_parse(struct tls_options *options, int argc, char **argv);
