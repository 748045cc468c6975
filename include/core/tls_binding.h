/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What channel bindings of TLS (RFC 5929 4.1) and handshakes need to know of a certificate. */
#pragma once

#include "core/crypto.h"

/* The hash of tls-server-end-point for this certificate (DER): that of its signature, SHA-256 in
 * the place of MD5 and SHA-1, and where the signature names none of these. */
enum crypto_hash tls_binding_hash(struct slice certificate);

/* Whether the key in it is one for ECDSA. */
bool tls_certificate_is_ecdsa(struct slice certificate);

/* Its notAfter with tag and length, a UTCTime or a GeneralizedTime, in the certificate's memory.
 * Empty when it cannot be read, as in one that is larger than core/der.h reads. */
struct slice tls_certificate_end(struct slice certificate);
