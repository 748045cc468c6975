/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moving a context from one process to another. Shared by sspictl and handover. */
#pragma once

#include "core/writer.h"

#include <windows.h>

#include <security.h>

/* Exports with SECPKG_CONTEXT_EXPORT_DELETE_OLD and appends the blob. On success the context is
 * gone, which is checked, and its handle is invalid. */
SECURITY_STATUS transfer_export(CtxtHandle *context, struct writer *blob);

/* *context is untouched on failure. */
SECURITY_STATUS transfer_import(wchar_t *package, struct slice blob, CtxtHandle *context);
