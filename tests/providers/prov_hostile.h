/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside prov_hostile.dll; and the attributes by which hostile_calls.dll tells tests how many
 * LSA halves of contexts it has, and what is in memory of its own that a failed leg has shown. */
#pragma once

#include "ssp/abi.h"

#define HOSTILE_ATTRIBUTE 0x77
#define HOSTILE_ATTRIBUTE_KEPT 0x78
#define HOSTILE_KEPT 0x6b657074

NTSTATUS NTAPI hostile_acquire(PUNICODE_STRING principal, ULONG use, PLUID logon, PVOID auth,
                               PVOID get_key, PVOID argument, PLSA_SEC_HANDLE handle,
                               PTimeStamp expiry);
void hostile_lsa_fill(SECPKG_FUNCTION_TABLE *table);
void hostile_user_fill(SECPKG_USER_FUNCTION_TABLE *table);
