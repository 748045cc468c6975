/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private keys of curves, which Wine 8.0 imports with no certificate. */
#pragma once

#include <stdbool.h>

#include <windows.h>

#include <wincrypt.h>

/* Puts the key (a BCRYPT_ECCPRIVATE_BLOB) into a container of this process, which is the
 * certificate's from then on. */
bool tls_key_attach(const CERT_CONTEXT *certificate, BYTE *blob, DWORD size);

/* Removes all such containers. */
void tls_key_end(void);
