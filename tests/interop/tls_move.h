/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving a connection into another process while it is in use: the context by export and import,
 * the socket by WSADuplicateSocket, bytes that have been read already beside them.
 */
#pragma once

#include "tls_link.h"

/* Starts a process that goes on with the action `next`, and waits for its end. */
bool tls_move_send(struct tls_link *link, unsigned next);

/* In that process. What the link and the options point to has come with the link, and stays for as
 * long as the process lives. */
bool tls_move_receive(struct tls_link *link, struct tls_options *options, unsigned *next);
