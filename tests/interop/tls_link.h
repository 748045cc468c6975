/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One end of a TLS connection whose TLS is Schannel's: the socket, the context, what has come from
 * the socket and is not used yet, and plain text that nobody has taken yet. The functions answer
 * false after a failure, which is then in `failure`.
 */
#pragma once

#include "tls_options.h"

#include <winsock2.h>

#include <windows.h>

#include <security.h>

#define TLS_LINK_ROOM 65536u

/* How a peer ends. */
enum tls_link_end { TLS_LINK_OPEN, TLS_LINK_CLOSE_NOTIFY, TLS_LINK_EOF };

struct tls_link {
    const struct tls_options *options;
    SOCKET socket;
    struct sockaddr_in peer; /* datagrams, of a server: which its cookies are bound to */
    CredHandle *credential;  /* borrowed; NULL in a process that took the link over */
    CredHandle *later;       /* borrowed; for when the server asks for a certificate; may be NULL */
    CtxtHandle context;
    bool have_context;
    bool asks; /* a server: for the client's certificate, from now on */
    enum tls_link_end end;
    unsigned renegotiations; /* SEC_I_RENEGOTIATE from DecryptMessage */
    unsigned silences;       /* of datagrams, one after the other */
    size_t input_size, plain_size;
    uint8_t input[TLS_LINK_ROOM], plain[TLS_LINK_ROOM + 1]; /* room for a terminator */
    char failure[160];                                      /* empty while all is well */
};

/* Of a new connection, or once more on an open one. */
bool tls_link_handshake(struct tls_link *link);

bool tls_link_send(struct tls_link *link, const void *data, size_t size);

/* More plain text, or the peer's end. */
bool tls_link_receive(struct tls_link *link);

/* Drops so many bytes of the plain text. */
void tls_link_take(struct tls_link *link, size_t size);

/* Sends close_notify. */
bool tls_link_shutdown(struct tls_link *link);

/* Deletes context and socket. */
void tls_link_close(struct tls_link *link);

/* Keeps the first failure. Always false. */
bool tls_link_fail(struct tls_link *link, const char *step, const char *why);
bool tls_link_fail_status(struct tls_link *link, const char *step, SECURITY_STATUS status);
