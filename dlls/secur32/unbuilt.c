/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exports that are not built yet: LSA, SASL, names, identities and password changes. Each
 * says so in the trace and answers an error code that the documentation of its function has; none
 * pretends to have done anything.
 */
#include "exports.h"
#include "ssp/trace.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* not all are in the headers */

TRACE_CHANNEL("sspi");

#define UNBUILT(type, name, parameters, answer) \
    type WINAPI name parameters                 \
    {                                           \
        FIXME("not built yet\n");               \
        return answer;                          \
    }

static BOOLEAN name_unmapped(void)
{
    SetLastError(ERROR_NONE_MAPPED);
    return FALSE;
}

/* ---- LSA ---- */

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

/* ---- SASL: no profile is configured, so no package answers to one and no context is a SASL
 * context ---- */

UNBUILT(SECURITY_STATUS, SaslEnumerateProfilesA, (char **list, ULONG *count),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SaslEnumerateProfilesW, (WCHAR * *list, ULONG *count),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SaslGetProfilePackageA, (char *profile, SecPkgInfoA **info),
        SEC_E_SECPKG_NOT_FOUND)
UNBUILT(SECURITY_STATUS, SaslGetProfilePackageW, (WCHAR * profile, SecPkgInfoW **info),
        SEC_E_SECPKG_NOT_FOUND)
UNBUILT(SECURITY_STATUS, SaslIdentifyPackageA, (SecBufferDesc * input, SecPkgInfoA **info),
        SEC_E_SECPKG_NOT_FOUND)
UNBUILT(SECURITY_STATUS, SaslIdentifyPackageW, (SecBufferDesc * input, SecPkgInfoW **info),
        SEC_E_SECPKG_NOT_FOUND)
UNBUILT(SECURITY_STATUS, SaslSetContextOption,
        (CtxtHandle * context, ULONG option, void *value, ULONG size), SEC_E_INVALID_HANDLE)
UNBUILT(SECURITY_STATUS, SaslGetContextOption,
        (CtxtHandle * context, ULONG option, void *value, ULONG size, ULONG *needed),
        SEC_E_INVALID_HANDLE)

/* A handle that is none is told from a mechanism that is not there. */
static status_t sasl_leg(const CredHandle *credential, const CtxtHandle *context)
{
    SecHandle copy;
    if (!credential && !context) return SEC_E_INVALID_HANDLE;
    if (credential) {
        copy = *credential;
        if (!handle_pin(HANDLE_CREDENTIAL, &copy)) return SEC_E_INVALID_HANDLE;
        handle_unpin(&copy);
    }
    if (context) {
        copy = *context;
        if (!handle_pin(HANDLE_CONTEXT, &copy)) return SEC_E_INVALID_HANDLE;
        handle_unpin(&copy);
    }
    return SEC_E_UNSUPPORTED_FUNCTION;
}

UNBUILT(SECURITY_STATUS, SaslInitializeSecurityContextA,
        (CredHandle * credential, CtxtHandle *context, char *target, ULONG requirements,
         ULONG reserved1, ULONG data_representation, SecBufferDesc *input, ULONG reserved2,
         CtxtHandle *new_context, SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry),
        sasl_leg(credential, context))
UNBUILT(SECURITY_STATUS, SaslInitializeSecurityContextW,
        (CredHandle * credential, CtxtHandle *context, WCHAR *target, ULONG requirements,
         ULONG reserved1, ULONG data_representation, SecBufferDesc *input, ULONG reserved2,
         CtxtHandle *new_context, SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry),
        sasl_leg(credential, context))
UNBUILT(SECURITY_STATUS, SaslAcceptSecurityContext,
        (CredHandle * credential, CtxtHandle *context, SecBufferDesc *input, ULONG requirements,
         ULONG data_representation, CtxtHandle *new_context, SecBufferDesc *output,
         ULONG *attributes, TimeStamp *expiry),
        sasl_leg(credential, context))

/* ---- names ---- */

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
UNBUILT(SECURITY_STATUS, SspiGetComputerNameForSPN, (const WCHAR *target, WCHAR **name),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiGetTargetHostName, (PCWSTR target, PWSTR *host),
        SEC_E_UNSUPPORTED_FUNCTION)

/* ---- identities ---- */

UNBUILT(SECURITY_STATUS, SspiCompareAuthIdentities,
        (PSEC_WINNT_AUTH_IDENTITY_OPAQUE a, PSEC_WINNT_AUTH_IDENTITY_OPAQUE b, BOOLEAN *same_user,
         BOOLEAN *same_identity),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiCopyAuthIdentity,
        (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, PSEC_WINNT_AUTH_IDENTITY_OPAQUE *copy),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiDecryptAuthIdentity, (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiDecryptAuthIdentityEx,
        (ULONG options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity), SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiEncryptAuthIdentity, (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiEncryptAuthIdentityEx,
        (ULONG options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity), SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(BOOLEAN, SspiIsAuthIdentityEncrypted, (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity), FALSE)
UNBUILT(SECURITY_STATUS, SspiEncodeAuthIdentityAsStrings,
        (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, PCWSTR *user, PCWSTR *domain, PCWSTR *packed),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiEncodeStringsAsAuthIdentity,
        (PCWSTR user, PCWSTR domain, PCWSTR packed, PSEC_WINNT_AUTH_IDENTITY_OPAQUE *identity),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiExcludePackage,
        (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, PCWSTR package,
         PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiMarshalAuthIdentity,
        (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, ULONG *size, char **bytes),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiUnmarshalAuthIdentity,
        (ULONG size, char *bytes, PSEC_WINNT_AUTH_IDENTITY_OPAQUE *identity),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiUnmarshalAuthIdentityInternal,
        (ULONG size, char *bytes, PSEC_WINNT_AUTH_IDENTITY_OPAQUE *identity),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiPrepareForCredRead,
        (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, PCWSTR target, ULONG *type, PCWSTR *name),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiPrepareForCredWrite,
        (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, PCWSTR target, ULONG *type, PCWSTR *name,
         PCWSTR *user, UCHAR **blob, ULONG *blob_size),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiValidateAuthIdentity, (PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity),
        SEC_E_UNSUPPORTED_FUNCTION)

/* No identity was ever handed out, so there is none to free or to wipe. */
void WINAPI SspiFreeAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    FIXME("not built yet\n");
}

void WINAPI SspiZeroAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity)
{
    FIXME("not built yet\n");
}

void WINAPI SspiLocalFree(void *buffer)
{
    FIXME("not built yet\n");
}

UNBUILT(NTSTATUS, cred_marshal_target_info,
        (PCREDENTIAL_TARGET_INFORMATIONW info, PUSHORT *out, PULONG size), STATUS_NOT_IMPLEMENTED)
UNBUILT(NTSTATUS, cred_unmarshal_target_info,
        (PUSHORT in, ULONG size, PCREDENTIAL_TARGET_INFORMATIONW *info, PULONG used),
        STATUS_NOT_IMPLEMENTED)

/* ---- passwords, user-mode contexts, call contexts ---- */

UNBUILT(SECURITY_STATUS, ChangeAccountPasswordA,
        (char *package, char *domain, char *account, char *old, char *new, BOOLEAN impersonating,
         ULONG reserved, SecBufferDesc *output),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, ChangeAccountPasswordW,
        (WCHAR * package, WCHAR *domain, WCHAR *account, WCHAR *old, WCHAR *new,
         BOOLEAN impersonating, ULONG reserved, SecBufferDesc *output),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SecInitUserModeContext, (CtxtHandle * context, SecBuffer *packed),
        SEC_E_INVALID_HANDLE)
UNBUILT(SECURITY_STATUS, SecDeleteUserModeContext, (CtxtHandle * context), SEC_E_INVALID_HANDLE)
UNBUILT(SECURITY_STATUS, SecCacheSspiPackages, (void), SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SecGetLocaleSpecificEncryptionRules, (void *rules),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SeciAllocateAndSetCallFlags, (ULONG flags, BOOL *free_context),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SeciAllocateAndSetCallTarget,
        (UCHAR * address, ULONG size, WCHAR *target, BOOL *free_context),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SeciAllocateAndSetIPAddress,
        (UCHAR * address, ULONG size, BOOL *free_context), SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SeciFreeCallContext, (void), SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiSetChannelBindingFlags,
        (SecPkgContext_Bindings * bindings, ULONG flags), SEC_E_UNSUPPORTED_FUNCTION)
