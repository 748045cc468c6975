/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts that play the LSA towards SSP/APs share. */
#pragma once

#include "package.h"

/* The tables handed to every SSP/AP, for the life of the process. */
LSA_SECPKG_FUNCTION_TABLE *lsa_function_table(void);
SECPKG_DLL_FUNCTIONS *lsa_dll_functions(void);

/* Gives a package its id, if it has none; and, once its user half is up, lets other packages find
 * that by id. */
#define LSA_PACKAGES_MAX 1024
status_t lsa_package_register(struct package *package);
void lsa_package_publish(struct package *package);

/* The package of that id, once its module is loaded, or NULL. */
struct package *lsa_package_find(ULONG_PTR id);

/* What an SSP/AP is told of the machine at initialisation. */
SECPKG_PARAMETERS *lsa_parameters(void);

/* Asks the package, as an authentication package, for its name, once; fills package->logon_name.
 * SEC_E_INSUFFICIENT_MEMORY when the package had none to tell it. */
status_t lsa_logon_name_read(struct package *package);

/* The SECURITY_STATUS for what a provider returned: values of facility 9 as they are, else by
 * the table in lsa_status.c, SEC_E_INTERNAL_ERROR for a failure that has no other. */
status_t lsa_status(NTSTATUS status);

/* Fills package->ops from package->lsa and package->user; a slot is filled when the provider has
 * the function behind it. */
void lsa_package_fill(struct package *package);
