/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Password changes, not built yet.
 */
#include "unbuilt.h"

TRACE_CHANNEL("sspi");

UNBUILT(SECURITY_STATUS, ChangeAccountPasswordA,
        (char *package, char *domain, char *account, char *old, char *new, BOOLEAN impersonating,
         ULONG reserved, SecBufferDesc *output),
        SEC_E_UNSUPPORTED_FUNCTION)
UNBUILT(SECURITY_STATUS, ChangeAccountPasswordW,
        (WCHAR * package, WCHAR *domain, WCHAR *account, WCHAR *old, WCHAR *new,
         BOOLEAN impersonating, ULONG reserved, SecBufferDesc *output),
        SEC_E_UNSUPPORTED_FUNCTION)
