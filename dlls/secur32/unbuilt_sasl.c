/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The SASL functions, not built yet: no profile is configured, so no package answers to one and no
 * context is a SASL context.
 */
#include "unbuilt.h"

TRACE_CHANNEL("sspi");

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
