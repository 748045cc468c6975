/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys out of secrets, as TLS makes them. On failure, which is want of memory, out is wiped. */
#pragma once

#include "core/crypto.h"

/* HKDF-Expand (RFC 5869 2.3). SEC_E_INVALID_PARAMETER for more than 255 hashes. */
status_t hkdf_expand(enum crypto_hash hash, struct slice secret, struct slice info, uint8_t *out,
                     size_t size);

/* HKDF-Expand-Label (RFC 8446 7.1); the label is without its "tls13 ". SEC_E_INVALID_PARAMETER for
 * a label over 249 bytes, a context over 255, or more than 255 hashes. */
status_t hkdf_expand_label(enum crypto_hash hash, struct slice secret, struct slice label,
                           struct slice context, uint8_t *out, size_t size);

/* The PRF of TLS 1.2 (RFC 5246 5). */
status_t tls12_prf(enum crypto_hash hash, struct slice secret, struct slice label,
                   struct slice seed, uint8_t *out, size_t size);
