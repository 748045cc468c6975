/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The story that the processes of the demonstration tell together, line by line. */
#pragma once

#include "../sspictl/text.h"

#include <stdbool.h>

/* Starts the clock. */
void narrate_start(const char *role);

/* Who speaks from now on. */
void narrate_as(const char *format, ...) TEXT_PRINTF(1, 2);

/* "  0.123 s  role (pid 32)  text" in one write; times count from the start of the process that
 * was started first. */
void narrate(const char *format, ...) TEXT_PRINTF(1, 2);

/* The same for something that went wrong. Always false. */
bool narrate_failure(const char *format, ...) TEXT_PRINTF(1, 2);

/* Milliseconds for measuring durations. */
double narrate_clock(void);
