/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates from files, and Schannel credentials made with them. */
#pragma once

#include "tls_options.h"

#include <windows.h>

#include <security.h>
#include <wincrypt.h>

#define TLS_PFX_PASSWORD L"pfx"

/* A failure of these is printed. */

/* A credential as the options say. `later`: the one for when the server asks, with the options'
 * certificate for that. What it was made from is kept for as long as the process lives. */
bool tls_credential_acquire(const struct tls_options *options, bool later, CredHandle *out);

/* Puts a certificate (DER) among the roots that the user trusts. */
bool tls_trust(const char *file);
