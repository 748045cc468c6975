/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The least that a security package may be: GetInfo and nothing else. Real logon packages look
 * like this ([3P TktBridgeAP]). It is listed, and whatever it lacks is an unsupported function.
 */
#include "ssp/abi.h"

static NTSTATUS NTAPI get_info(PSecPkgInfo ansi_name)
{
    *(PSecPkgInfoW)ansi_name = (SecPkgInfoW){
        SECPKG_FLAG_LOGON,        1,
        SECPKG_ID_NONE,           0,
        (wchar_t *)L"TestSparse", (wchar_t *)L"Test package with empty tables"};
    return STATUS_SUCCESS;
}

static SECPKG_FUNCTION_TABLE table = {.GetInfo = get_info};

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count);
NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = &table;
    *count = 1;
    return STATUS_SUCCESS;
}
