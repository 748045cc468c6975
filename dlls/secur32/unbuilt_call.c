/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User-mode contexts and call contexts, not built yet.
 */
#include "unbuilt.h"

TRACE_CHANNEL("sspi");

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
