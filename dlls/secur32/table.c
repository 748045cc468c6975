/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The function tables (sspi.h): constant, and with the reserved members that
 * programs read, which Windows points at EncryptMessage and DecryptMessage. */
#include "exports.h"

#define TABLE(suffix)                                                                             \
    {                                                                                             \
        .dwVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,                                 \
        .EnumerateSecurityPackages##suffix = EnumerateSecurityPackages##suffix,                   \
        .QueryCredentialsAttributes##suffix = QueryCredentialsAttributes##suffix,                 \
        .AcquireCredentialsHandle##suffix = AcquireCredentialsHandle##suffix,                     \
        .FreeCredentialsHandle = FreeCredentialsHandle,                                           \
        .InitializeSecurityContext##suffix = InitializeSecurityContext##suffix,                   \
        .AcceptSecurityContext = AcceptSecurityContext, .CompleteAuthToken = CompleteAuthToken,   \
        .DeleteSecurityContext = DeleteSecurityContext, .ApplyControlToken = ApplyControlToken,   \
        .QueryContextAttributes##suffix = QueryContextAttributes##suffix,                         \
        .ImpersonateSecurityContext = ImpersonateSecurityContext,                                 \
        .RevertSecurityContext = RevertSecurityContext, .MakeSignature = MakeSignature,           \
        .VerifySignature = VerifySignature, .FreeContextBuffer = FreeContextBuffer,               \
        .QuerySecurityPackageInfo##suffix = QuerySecurityPackageInfo##suffix,                     \
        .Reserved3 = (void *)EncryptMessage, .Reserved4 = (void *)DecryptMessage,                 \
        .ExportSecurityContext = ExportSecurityContext,                                           \
        .ImportSecurityContext##suffix = ImportSecurityContext##suffix,                           \
        .AddCredentials##suffix = AddCredentials##suffix,                                         \
        .QuerySecurityContextToken = QuerySecurityContextToken, .EncryptMessage = EncryptMessage, \
        .DecryptMessage = DecryptMessage,                                                         \
        .SetContextAttributes##suffix = SetContextAttributes##suffix,                             \
        .SetCredentialsAttributes##suffix = SetCredentialsAttributes##suffix,                     \
        .ChangeAccountPassword##suffix = ChangeAccountPassword##suffix,                           \
        .QueryContextAttributesEx##suffix = QueryContextAttributesEx##suffix,                     \
        .QueryCredentialsAttributesEx##suffix = QueryCredentialsAttributesEx##suffix,             \
    }

/* Some programs put hooks of their own into the table, so it is writable, as Windows' is. */
static SecurityFunctionTableA table_a = TABLE(A);
static SecurityFunctionTableW table_w = TABLE(W);

PSecurityFunctionTableA WINAPI InitSecurityInterfaceA(void)
{
    return &table_a;
}

PSecurityFunctionTableW WINAPI InitSecurityInterfaceW(void)
{
    return &table_w;
}
