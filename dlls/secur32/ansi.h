/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text between the ANSI code page and UTF-16, in the process heap, for the A exports. */
#pragma once

#include "exports.h"

/* NULL stays NULL. SEC_E_INSUFFICIENT_MEMORY; *out is untouched on failure. */
status_t ansi_to_wide(const char *text, WCHAR **out);
status_t ansi_from_wide(const WCHAR *text, char **out);

/* One block: structures, then strings. */
status_t ansi_package_infos(const SecPkgInfoW *infos, ULONG count, SecPkgInfoA **out);
