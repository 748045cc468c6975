/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two files that host SSP modules share. */
#pragma once

#include "package.h"

/* NULL for a handle that is not there. */
SecHandle *sspi_handle_if_set(SecHandle *handle);

/* Takes over what a leg or an import returned. */
status_t sspi_leg_finish(struct package *package, struct provider_context *context, status_t status,
                         const SecHandle *handle);

/* For a package whose table, in package->sspi, is one of the A functions: replaces the functions
 * that take or give text in package->ops. */
void sspi_ansi_fill(struct package *package);

/* The packages of such a table in one block of the process heap, as many as a module may have. */
status_t sspi_ansi_enumerate(struct module *module, const SecurityFunctionTableA *table,
                             ULONG *count, SecPkgInfoW **infos);
