/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which modules the registry names, where Windows looks for them. */
#pragma once

#include "module.h"

/* Is that the path of one of our own modules, as it would be found by its name? Others of the same
 * name elsewhere are none. */
bool config_is_own(const WCHAR *path);

/* Calls add for each name in the order in which packages are registered; for none when there is no
 * memory to read the lists. */
status_t config_modules(void (*add)(enum module_kind kind, const WCHAR *name));

/* Appends an SSP/AP or an SSP to its list, so that later processes have it too. */
status_t config_append(enum module_kind kind, const WCHAR *name);
