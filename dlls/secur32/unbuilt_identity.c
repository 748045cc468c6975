/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities and targets, not built yet.
 */
#include "unbuilt.h"

TRACE_CHANNEL("sspi");

UNBUILT(SECURITY_STATUS, SspiGetComputerNameForSPN, (const WCHAR *target, WCHAR **name),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, SspiGetTargetHostName, (PCWSTR target, PWSTR *host),
        SEC_E_UNSUPPORTED_FUNCTION)

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
