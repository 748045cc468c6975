/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's end of a TLS connection, as bytes: what has come and is not opened yet, what the
 * client said, and what is to be sent. Sockets are somebody else's business, so that all of it can
 * be handed to another process.
 */
#pragma once

#include "queue.h"

#include "core/writer.h"

#include <windows.h>

#include <security.h>
#include <subauth.h>

#include <wincrypt.h>
#define SCHANNEL_USE_BLACKLISTS /* SCH_CREDENTIALS */
#include <schannel.h>

#include <stdbool.h>

enum channel_stage {
    CHANNEL_HANDSHAKE,
    CHANNEL_OPEN,
    CHANNEL_ENDED, /* the client says no more */
};

struct channel {
    CtxtHandle context;
    enum channel_stage stage;
    SecPkgContext_StreamSizes sizes;
    const char *protocol; /* "TLS 1.3"; static */
    struct queue received, plain, unsent;
};

/* Credentials of the certificate for localhost in the user's store. A failure is narrated. */
bool channel_credentials(CredHandle *credentials);

void channel_init(struct channel *channel);
/* Wipes what was said. */
void channel_clear(struct channel *channel);

/* Does what can be done with the bytes that were received: the handshake, opening records. False,
 * narrated, when the connection is broken; what is unsent may be an alert then. */
bool channel_advance(struct channel *channel, CredHandle *credentials);

/* Whether one more record fits. */
bool channel_can_say(const struct channel *channel);

/* The most that a record holds. */
size_t channel_most(const struct channel *channel);

/* Where the next record's text goes, and the record that is made of it in place. */
uint8_t *channel_place(struct channel *channel);
bool channel_say(struct channel *channel, size_t size);

/* Says that no more will come (close_notify). */
bool channel_finish(struct channel *channel, CredHandle *credentials);

/* The security context alone; the queues are moved by whoever moves the rest. Narrates nothing:
 * a context that cannot leave is none of the client's faults. */
SECURITY_STATUS channel_export(struct channel *channel, struct writer *blob);
SECURITY_STATUS channel_import(struct channel *channel, struct slice blob);
