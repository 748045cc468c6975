/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of a TLS session share. */
#pragma once

#include "core/tls.h"

/* Of a key of a carried suite. */
size_t tls_key_size(const struct tls_suite *suite);

/* The part of iv that comes out of the key schedule; the rest is zero. */
size_t tls_iv_size(const struct tls_session *session);

/* TLS 1.3: key and IV from the secret of the direction (RFC 8446 7.3). */
status_t tls_direction_derive(const struct tls_session *session, struct tls_direction *direction);

/* Makes the AEAD of a direction that has a key and no AEAD. */
status_t tls_direction_start(const struct tls_session *session, struct tls_direction *direction);

void tls_direction_clear(struct tls_direction *direction);
