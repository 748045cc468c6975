/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates for the tests of TLS: a root of their own and what it has signed, for servers called
 * localhost, *.wild.test, 127.0.0.1 and ::1 where nothing else is said. Private keys live in
 * containers with names of this process, which tls_certs_end removes.
 */
#pragma once

#include <stdbool.h>
#include <windows.h>
#include <wincrypt.h>

enum tls_cert {
    TLS_CERT_ROOT,         /* without a key, as the next */
    TLS_CERT_INTERMEDIATE, /* signed by the root */
    TLS_CERT_SERVER_RSA,
    TLS_CERT_SERVER_EC,   /* P-256 */
    TLS_CERT_CHAINED,     /* signed by the intermediate */
    TLS_CERT_OTHER_NAME,  /* for other.test, though its subject is localhost */
    TLS_CERT_COMMON_NAME, /* localhost in the subject only */
    TLS_CERT_EXPIRED,     /* in 2021 */
    TLS_CERT_REVOKED,     /* by tls_crl */
    TLS_CERT_WRONG_USAGE, /* for the signing of code */
    TLS_CERT_WEAK_HASH,   /* SHA-1 */
    TLS_CERT_WEAK_KEY,    /* RSA with 1024 bits */
    TLS_CERT_STRANGER,    /* signed by itself */
    TLS_CERT_ZERO_NAME,   /* for "localhost", a zero and ".other.test" */
    TLS_CERT_ZERO_COMMON, /* the same in the subject only */
    TLS_CERT_CLIENT_RSA,  /* Alice */
    TLS_CERT_CLIENT_EC,   /* Bob */
    TLS_CERTS
};

/* A certificate without its key, in no store but for the chained one, which is in one with its
 * issuer. NULL is a failure. */
const CERT_CONTEXT *tls_cert(enum tls_cert which);

/* The same with its key, as CERT_KEY_PROV_INFO_PROP_ID. NULL also where the system cannot keep such
 * a key. */
const CERT_CONTEXT *tls_cert_with_key(enum tls_cert which);

/* Whether it is that one. */
bool tls_cert_is(const CERT_CONTEXT *found, enum tls_cert which);

/* A store in memory with nothing but that one. */
HCERTSTORE tls_cert_store(enum tls_cert which);

const CRL_CONTEXT *tls_crl(void); /* of the root */

/* The data of tls_certs_data.h; released with LocalFree. */
BYTE *tls_cert_bytes(const char *base64, DWORD *size);

/* The RSA key of a certificate, a PRIVATEKEYBLOB. */
BYTE *tls_cert_key(enum tls_cert which, DWORD *size);

/* Makes the root one of the user's, under Wine, or of the machine's, where nobody is asked. What a
 * process has looked at it may keep: call this before anything is verified. */
bool tls_root_trust(void);
void tls_root_distrust(void);

/* Removes the containers of this process. */
void tls_certs_end(void);
