/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of sspictl check-provider. Results are lines on standard output, one per check; the
 * name of a check is announced first, so that the process which watches can tell where it ended.
 */
#pragma once

#include "login.h"
#include "text.h"

#include "ssp/abi.h"

#define PROVIDER_MARK '\1' /* starts a line that announces a check */
#define PROVIDER_SUM "sum" /* announced when there is no check any more */
#define PROVIDER_PACKAGES_MAX 64u

/* Exceptions that modules raised since the last call, handled or not. */
unsigned provider_exceptions(ULONG *last);
void provider_exceptions_watch(void);

void provider_begin(const char *check);
/* One line that ends the check; a check that raised exceptions is a breach whatever it found. */
void provider_kept(const char *format, ...) TEXT_PRINTF(1, 2);
void provider_breach(const char *format, ...) TEXT_PRINTF(1, 2);
void provider_absent(const char *format, ...) TEXT_PRINTF(1, 2);
/* The last line; the value is an exit code. */
int provider_sum(void);

/* The packages of a module: their names, in the process heap. */
struct provider_names {
    ULONG count;
    wchar_t *names[PROVIDER_PACKAGES_MAX];
};

/* Entry points, tables and registration. False when nothing can be asked of it. */
bool provider_load(const wchar_t *path, struct provider_names *names);

/* Everything that an application can ask of one package. */
void provider_package(wchar_t *name, const struct login *login);
