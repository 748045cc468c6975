/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection of the foreign ends: a socket of the host, for dialogue_ops. */
#pragma once

#include "options.h"

/* The server's port is printed and then waited on, the client's is connected to; -1 on failure,
 * which has been said on standard error. */
int tcp_open(const struct options *options);

const char *tcp_write(intptr_t channel, const uint8_t *bytes, size_t count);
const char *tcp_read(intptr_t channel, uint8_t *bytes, size_t count);
