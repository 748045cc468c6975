/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Schannel says about a connection, printed line by line for the script. */
#pragma once

#include "tls_link.h"

void tls_report(const struct tls_link *link);
