/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a context says of itself, printed. */
#pragma once

#include "loopback.h"

#include <stdio.h>

/* Every attribute that QueryContextAttributes gives; one that the package does not have is shown
 * with its status. */
void report_context(FILE *to, CtxtHandle *context, bool client);

/* True when both sides give the same session key, which is not shown. */
bool report_same_key(CtxtHandle *client, CtxtHandle *server);
