/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls into a module that may be broken. */
#pragma once

#include <stdbool.h>

/* Calls function(argument); false when it raised an exception that nobody handled. */
bool guard_call(void (*function)(void *argument), void *argument);
