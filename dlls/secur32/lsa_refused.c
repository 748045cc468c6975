/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exports that are there to be refused: there are no counters of an LSA's performance, and of
 * LsaSetMachineCertificate the name is all that is public.
 */
#include "exports.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

DWORD WINAPI OpenLsaPerformanceData(WCHAR *object);
DWORD WINAPI CollectLsaPerformanceData(WCHAR *query, void **data, DWORD *size, DWORD *types);
DWORD WINAPI CloseLsaPerformanceData(void);
NTSTATUS WINAPI LsaSetMachineCertificate(void *certificate);

DWORD WINAPI OpenLsaPerformanceData(WCHAR *object)
{
    return ERROR_NOT_SUPPORTED;
}

DWORD WINAPI CollectLsaPerformanceData(WCHAR *query, void **data, DWORD *size, DWORD *types)
{
    return ERROR_NOT_SUPPORTED;
}

DWORD WINAPI CloseLsaPerformanceData(void)
{
    return ERROR_NOT_SUPPORTED;
}

NTSTATUS WINAPI LsaSetMachineCertificate(void *certificate)
{
    return STATUS_NOT_IMPLEMENTED;
}
