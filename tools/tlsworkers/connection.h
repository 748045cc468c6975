/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client's connection: its socket, its channel, and how far its requests are. */
#pragma once

#include <winsock2.h>

#include "channel.h"
#include "site.h"

struct connection {
    SOCKET socket;
    unsigned number;  /* among all that the server has had */
    unsigned workers; /* processes that have had it, this one included */
    bool finished;    /* nothing more will be said */
    struct channel channel;
    struct site site;
};

/* NULL, narrated, for want of memory; the socket is closed then. */
struct connection *connection_create(SOCKET socket, unsigned number);
/* Closes the socket. NULL is fine. */
void connection_free(struct connection *connection);

/* What it can go on with. */
bool connection_wants_reading(const struct connection *connection);
bool connection_wants_writing(const struct connection *connection);

/* Does what can be done without waiting; false when the connection is over. */
bool connection_run(struct connection *connection, CredHandle *credentials,
                    const struct site_surroundings *around);
