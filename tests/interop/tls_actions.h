/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done on an open connection. */
#pragma once

#include "tls_link.h"

/* Opens a connection, which a server's listener or a client's port gives; port 0: that of the
 * options. */
struct tls_opener {
    bool (*open)(struct tls_opener *opener, struct tls_link *link, unsigned port);
};

/* Runs the actions from `first` on. After `move` the rest is another process's, and the answer is
 * whether that did well. opener: for another connection; NULL: there can be none. */
bool tls_actions_run(struct tls_link *link, unsigned first, struct tls_opener *opener);
