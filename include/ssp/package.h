/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a module describes its one package to the host and to applications. */
#pragma once

#include "ssp/abi.h"

/* The module's own: the description, whose strings are constants, and the name by which the package
 * is known as an authentication package. */
void package_info_get(SecPkgInfoW *info);
extern const char package_logon_name[];

/* A copy for the application. */
status_t package_info_give(SecPkgInfoW **out);

/* Slots of the LSA-mode table. The second is asked for by hosts only that know the package as an
 * authentication package. */
SpGetInfoFn package_get_info;
LSA_AP_INITIALIZE_PACKAGE package_initialize_logons;
