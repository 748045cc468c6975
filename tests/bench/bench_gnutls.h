/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the benchmark of TLS by the host's GnuTLS has in two files. */
#pragma once

#include <gnutls/gnutls.h>

#include <stdbool.h>
#include <stddef.h>

struct gnutls_options {
    bool modern;              /* TLS 1.3, else 1.2 */
    unsigned full, resumable; /* ports of servers for client handshakes */
};
extern struct gnutls_options gnutls_options;
extern gnutls_certificate_credentials_t gnutls_credentials;

bool gnutls_report(const char *call, int result);

/* A session of the one protocol with AES-256-GCM. NULL after a failure, which is reported. */
gnutls_session_t gnutls_make(unsigned flags);

/* The groups "full" and "resumed". */
bool gnutls_handshakes(const char *group);

/* Serves records of any size on a loopback port, which it prints, until it is ended. */
int gnutls_serve(void);
