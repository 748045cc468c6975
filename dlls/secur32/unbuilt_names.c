/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of users and computers, not built yet.
 */
#include "unbuilt.h"

TRACE_CHANNEL("sspi");

static BOOLEAN name_unmapped(void)
{
    SetLastError(ERROR_NONE_MAPPED);
    return FALSE;
}

UNBUILT(BOOLEAN, GetUserNameExA, (EXTENDED_NAME_FORMAT format, char *name, ULONG *size),
        name_unmapped())
UNBUILT(BOOLEAN, GetUserNameExW, (EXTENDED_NAME_FORMAT format, WCHAR *name, ULONG *size),
        name_unmapped())
UNBUILT(BOOLEAN, GetComputerObjectNameA, (EXTENDED_NAME_FORMAT format, char *name, ULONG *size),
        name_unmapped())
UNBUILT(BOOLEAN, GetComputerObjectNameW, (EXTENDED_NAME_FORMAT format, WCHAR *name, ULONG *size),
        name_unmapped())
UNBUILT(BOOLEAN, TranslateNameA,
        (LPCSTR account, EXTENDED_NAME_FORMAT from, EXTENDED_NAME_FORMAT to, char *name,
         ULONG *size),
        name_unmapped())
UNBUILT(BOOLEAN, TranslateNameW,
        (LPCWSTR account, EXTENDED_NAME_FORMAT from, EXTENDED_NAME_FORMAT to, WCHAR *name,
         ULONG *size),
        name_unmapped())

/* The insides of TranslateName have no public contract beyond their names. */
UNBUILT(BOOLEAN, SecpTranslateName,
        (const WCHAR *account, ULONG from, ULONG to, void *name, ULONG *size), name_unmapped())
UNBUILT(BOOLEAN, SecpTranslateNameEx,
        (const WCHAR *account, ULONG from, ULONG to, void *name, ULONG *size), name_unmapped())
UNBUILT(SECURITY_STATUS, SecpFreeMemory, (void *buffer), SEC_E_UNSUPPORTED_FUNCTION)
