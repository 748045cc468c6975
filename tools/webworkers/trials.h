/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the demonstration's client does: what must work, and what must be refused. */
#pragma once

#include "client.h"

struct trials {
    unsigned port;
    const char *user;                   /* what the server has to call the client */
    SEC_WINNT_AUTH_IDENTITY_W identity; /* of the account */
};

/* Whether the server offers the scheme at all. */
bool trials_offered(const struct trials *trials, const char *scheme);

/* Each narrates what happens, and is true if that is what must happen. */
bool trials_authenticate(const struct trials *trials, const char *scheme);
bool trials_handshakes(const struct trials *trials, const char *scheme);
bool trials_sessions(const struct trials *trials, const char *scheme);
bool trials_requests(const struct trials *trials);
