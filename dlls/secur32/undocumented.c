/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exports of which nothing is public but their names, or not enough to do what they are for. They
 * touch nothing that they are given and answer an error.
 */
#include "exports.h"

/* No header declares them; the parameters are those of the .spec file. */
BOOLEAN WINAPI SecpTranslateName(const WCHAR *account, ULONG from, ULONG to, void *name,
                                 ULONG *size);
BOOLEAN WINAPI SecpTranslateNameEx(const WCHAR *account, ULONG from, ULONG to, void *name,
                                   ULONG *size);
SECURITY_STATUS WINAPI SecpFreeMemory(void *block);
SECURITY_STATUS WINAPI SecGetLocaleSpecificEncryptionRules(void *rules);
SECURITY_STATUS WINAPI SeciAllocateAndSetCallFlags(ULONG flags, BOOL *must_free);

/* Parts of TranslateName, which does its work without them. */
BOOLEAN WINAPI SecpTranslateName(const WCHAR *account, ULONG from, ULONG to, void *name,
                                 ULONG *size)
{
    (void)account, (void)from, (void)to, (void)name, (void)size;
    SetLastError(ERROR_NOT_SUPPORTED);
    return FALSE;
}

BOOLEAN WINAPI SecpTranslateNameEx(const WCHAR *account, ULONG from, ULONG to, void *name,
                                   ULONG *size)
{
    return SecpTranslateName(account, from, to, name, size);
}

/* Nothing can have come from the two above. */
SECURITY_STATUS WINAPI SecpFreeMemory(void *block)
{
    (void)block;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

/* Of old versions of Windows. */
SECURITY_STATUS WINAPI SecGetLocaleSpecificEncryptionRules(void *rules)
{
    (void)rules;
    return SEC_E_UNSUPPORTED_FUNCTION;
}

/* The sibling of SeciAllocateAndSetIPAddress. */
SECURITY_STATUS WINAPI SeciAllocateAndSetCallFlags(ULONG flags, BOOL *must_free)
{
    (void)flags, (void)must_free;
    return SEC_E_UNSUPPORTED_FUNCTION;
}
