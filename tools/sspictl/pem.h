/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates and keys in text files (RFC 7468), and private keys as CNG has them. */
#pragma once

#include "core/writer.h"

#include <windows.h>
#include <wincrypt.h>

enum pem_kind { PEM_NONE, PEM_CERTIFICATE, PEM_KEY, PEM_RSA_KEY, PEM_CURVE_KEY, PEM_OTHER };

/* The next block, from *text on, which is moved behind it; its DER is appended to out. PEM_NONE at
 * the end. A block that cannot be decoded is PEM_OTHER, and has nothing. */
enum pem_kind pem_next(const char **text, struct writer *out);

/* BCRYPT_RSAFULLPRIVATE_BLOB or BCRYPT_ECCPRIVATE_BLOB of a key (RFC 5208, RFC 8017 A.1.2, RFC
 * 5915) that belongs to a certificate, from which the point of a curve is taken. False for any
 * other. */
bool pem_key_blob(enum pem_kind kind, struct slice der, const CERT_CONTEXT *certificate,
                  struct writer *out);
