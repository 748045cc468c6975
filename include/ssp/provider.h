/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the SSP/APs of this project have in common: the memory that they give to applications, and
 * what a host tells a module when it makes it ready. Both tables of a module work on the same
 * objects, because they are hosted in one process. A host that gives no functions (Wine's own
 * secur32) is served from the process heap, which is the one that its FreeContextBuffer knows.
 */
#pragma once

#include "ssp/abi.h"

#include <stdbool.h>

/* What a module exports: DllMain is here, the two others are the module's. Whatever version a host
 * has, PACKAGE_TABLE_VERSION is where package_function_table of abi.h ends. */
#define PACKAGE_TABLE_VERSION SECPKG_INTERFACE_VERSION_4
BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved);
NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, ULONG *package_version_out,
                                   SECPKG_FUNCTION_TABLE **tables, ULONG *count);
NTSTATUS NTAPI SpUserModeInitialize(ULONG version, ULONG *package_version_out,
                                    SECPKG_USER_FUNCTION_TABLE **tables, ULONG *count);

/* Times of SSPI are local times. False, and *out as it was, for what has none. */
bool package_time(const FILETIME *utc, TimeStamp *out);

/* No expiry, as a TimeStamp. */
void package_never(TimeStamp *out);

/* Memory for the application, which frees it with FreeContextBuffer. NULL when there is none. */
void *package_alloc(size_t size);
void package_free(void *block); /* NULL is fine */

/* Slots of the LSA-mode and of the user-mode table. */
SpInitializeFn package_initialize;
SpInstanceInitFn package_instance_init;

/* The functions that the host gave; NULL when it gave none. */
const LSA_SECPKG_FUNCTION_TABLE *package_host(void);
