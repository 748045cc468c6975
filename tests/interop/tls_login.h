/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NTLM or Negotiate inside TLS, bound to it by what Schannel gives for that. */
#pragma once

#include "tls_link.h"

/* what: "PACKAGE+BINDINGS" with the bindings endpoint, unique or none. Prints who the client is, or
 * why he was refused; false only when the connection fails. */
bool tls_login_run(struct tls_link *link, const char *what);
