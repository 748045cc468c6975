/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving a live context with its connection into another process and back. The process that has
 * it starts a successor, which gets an errand through its standard input: the socket, the
 * exported context and what to do. The successor returns socket and context in the same manner.
 */
#pragma once

#include "sspi_side.h"

/* What a successor does before it gives the context back. */
struct errand {
    bool finish_handshake; /* instead of rounds: the context comes half open */
    uint32_t first, count;
};

/* Sends the side away and gets it back; dialogue has its new context and channel afterwards. */
bool errand_send(struct dialogue *dialogue, const struct options *options,
                 const struct errand *errand);

/* The successor's main function. */
int errand_serve(void);
