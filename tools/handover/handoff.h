/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving a live session to another process: the context as an exported blob, the socket by
 * WSADuplicateSocket, both through the standard input of the process that takes over.
 */
#pragma once

#include "session.h"

#include <stdbool.h>

/* What a server process has to do, and what it passes on. */
struct duty {
    unsigned hop;     /* 0 the listener, 1 the first worker... */
    unsigned answers; /* requests to answer before giving the session on; 0: until the end */
    unsigned next;    /* the same for the process after this one */
    HANDLE report;    /* pipe to the demonstration, or NULL */
};

/* Gives the session to a new worker process and tells the demonstration; the session is closed on
 * success. A failure is narrated. */
bool handoff_give(struct session *session, const struct duty *duty, unsigned answered,
                  const char *user);

/* In the new process: takes the session from standard input and waits until the giving process
 * has ended. *user is the authenticated name, the caller frees it. */
bool handoff_take(struct session *session, struct duty *duty, char **user);
