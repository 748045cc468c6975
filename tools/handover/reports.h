/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server processes tell the demonstration, through a pipe that they hand on. */
#pragma once

#include "frame.h"

#include <stdbool.h>

struct served {
    unsigned hop;     /* 0 the listener, 1 the first worker... */
    uint32_t process; /* filled in by report_served */
    unsigned answered;
    const char *user;  /* the authenticated client */
    struct slice blob; /* the copy kept of what was handed over; empty from the last process */
};

/* They do nothing when report is NULL: a role that was started by hand. */
void report_port(HANDLE report, unsigned port);
void report_served(HANDLE report, const struct served *served);

/* Waits for the next report. False at the end (*ended) or after a failure, which is narrated. What
 * the pipe gives is kept in frame; served borrows from it. */
bool report_read_port(HANDLE report, unsigned *port);
bool report_read_served(HANDLE report, struct writer *frame, struct served *served, bool *ended);
