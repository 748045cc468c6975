/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The LSA functions, not built yet.
 */
#include "unbuilt.h"

TRACE_CHANNEL("sspi");

UNBUILT(NTSTATUS, LsaConnectUntrusted, (HANDLE * handle), STATUS_PORT_CONNECTION_REFUSED)
UNBUILT(NTSTATUS, LsaConnectLocalUser, (HANDLE * handle), STATUS_NOT_IMPLEMENTED)
UNBUILT(NTSTATUS, LsaSetMachineCertificate, (void *certificate), STATUS_NOT_IMPLEMENTED)
UNBUILT(NTSTATUS, LsaRegisterLogonProcess,
        (LSA_STRING * name, HANDLE *handle, LSA_OPERATIONAL_MODE *mode),
        STATUS_PORT_CONNECTION_REFUSED)
UNBUILT(NTSTATUS, LsaDeregisterLogonProcess, (HANDLE handle), STATUS_INVALID_HANDLE)
UNBUILT(NTSTATUS, LsaLookupAuthenticationPackage, (HANDLE handle, LSA_STRING *name, ULONG *package),
        STATUS_NO_SUCH_PACKAGE)
UNBUILT(NTSTATUS, LsaCallAuthenticationPackage,
        (HANDLE handle, ULONG package, void *in, ULONG in_size, void **out, ULONG *out_size,
         NTSTATUS *protocol_status),
        STATUS_NO_SUCH_PACKAGE)
UNBUILT(NTSTATUS, LsaLogonUser,
        (HANDLE handle, LSA_STRING *origin, SECURITY_LOGON_TYPE type, ULONG package, void *info,
         ULONG info_size, TOKEN_GROUPS *groups, TOKEN_SOURCE *source, void **profile,
         ULONG *profile_size, LUID *logon_id, HANDLE *token, QUOTA_LIMITS *quotas,
         NTSTATUS *sub_status),
        STATUS_NO_SUCH_PACKAGE)
UNBUILT(NTSTATUS, LsaEnumerateLogonSessions, (ULONG * count, LUID **list), STATUS_NOT_IMPLEMENTED)
UNBUILT(NTSTATUS, LsaGetLogonSessionData, (LUID * id, SECURITY_LOGON_SESSION_DATA **data),
        STATUS_ACCESS_DENIED)
UNBUILT(NTSTATUS, LsaRegisterPolicyChangeNotification,
        (POLICY_NOTIFICATION_INFORMATION_CLASS class, HANDLE event), STATUS_NOT_IMPLEMENTED)
UNBUILT(NTSTATUS, LsaUnregisterPolicyChangeNotification,
        (POLICY_NOTIFICATION_INFORMATION_CLASS class, HANDLE event), STATUS_NOT_IMPLEMENTED)
UNBUILT(NTSTATUS, GetSecurityUserInfo, (LUID * id, ULONG flags, SecurityUserData **data),
        STATUS_NOT_IMPLEMENTED)
UNBUILT(NTSTATUS, SeciIsProtectedUser, (BOOLEAN * is_protected), STATUS_NOT_IMPLEMENTED)

/* The one thing that a caller may do with what it never got. */
NTSTATUS WINAPI LsaFreeReturnBuffer(void *buffer)
{
    return !buffer || HeapFree(GetProcessHeap(), 0, buffer) ? STATUS_SUCCESS
                                                            : STATUS_INVALID_PARAMETER;
}

BOOL WINAPI LogonUserExExW(WCHAR *user, WCHAR *domain, WCHAR *password, DWORD type, DWORD provider,
                           TOKEN_GROUPS *groups, HANDLE *token, PSID *sid, void **profile,
                           DWORD *profile_size, QUOTA_LIMITS *quotas)
{
    FIXME("not built yet\n");
    SetLastError(ERROR_CALL_NOT_IMPLEMENTED);
    return FALSE;
}

UNBUILT(DWORD, OpenLsaPerformanceData, (WCHAR * object), ERROR_NOT_SUPPORTED)
UNBUILT(DWORD, CollectLsaPerformanceData, (WCHAR * query, void **data, DWORD *size, DWORD *types),
        ERROR_NOT_SUPPORTED)
UNBUILT(DWORD, CloseLsaPerformanceData, (void), ERROR_NOT_SUPPORTED)
