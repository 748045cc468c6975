/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prov_sspia.dll: a security support provider of the older kind that has InitSecurityInterfaceA
 * only. All text it sees has to be of the ANSI code page, and the text it gives comes from a heap
 * of its own: whoever frees it elsewhere damages something. Package "TestAnsi", one token.
 */
#include "ssp/abi.h"

#include <stdbool.h>
#include <string.h>

#define UPPER ((ULONG_PTR)0xa5a5)
#define CREDENTIAL ((ULONG_PTR)0x10)
#define CONTEXT ((ULONG_PTR)0x20)

static char user[64] = "nobody"; /* that of the last identity */

static HANDLE own_heap(void)
{
    static HANDLE heap;
    if (!heap) heap = HeapCreate(0, 0, 0);
    return heap;
}

static char *text_give(const char *text)
{
    char *made = HeapAlloc(own_heap(), 0, strlen(text) + 1);
    return made ? strcpy(made, text) : NULL;
}

static SECURITY_STATUS SEC_ENTRY free_buffer(void *buffer)
{
    return HeapFree(own_heap(), 0, buffer) ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static bool is(const SecHandle *handle, ULONG_PTR lower)
{
    return handle && handle->dwLower == lower && handle->dwUpper == UPPER;
}

static SecPkgInfoA *info_make(void)
{
    SecPkgInfoA *info = HeapAlloc(own_heap(), 0, sizeof(*info));
    if (info)
        *info = (SecPkgInfoA){SECPKG_FLAG_CONNECTION | SECPKG_FLAG_INTEGRITY,
                              1,
                              SECPKG_ID_NONE,
                              16,
                              (char *)"TestAnsi",
                              (char *)"Test package that speaks \xc4NSI"};
    return info;
}

static SECURITY_STATUS SEC_ENTRY enumerate(ULONG *count, PSecPkgInfoA *list)
{
    *list = info_make();
    *count = 1;
    return *list ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* The identity is the plain one in ANSI form; any other auth data is four bytes of our own. */
static SECURITY_STATUS identity_take(const void *auth)
{
    const SEC_WINNT_AUTH_IDENTITY_A *identity = auth;
    if (!auth || !memcmp(auth, "data", 4)) return SEC_E_OK;
    if (identity->Flags != SEC_WINNT_AUTH_IDENTITY_ANSI || identity->UserLength >= sizeof(user) ||
        identity->PasswordLength != 6 || memcmp(identity->Password, "Passw\xf6", 6) ||
        identity->Domain[identity->DomainLength])
        return SEC_E_UNKNOWN_CREDENTIALS;
    memcpy(user, identity->User, identity->UserLength);
    user[identity->UserLength] = 0;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY acquire(SEC_CHAR *principal, SEC_CHAR *package, ULONG use,
                                         void *logon, void *auth, SEC_GET_KEY_FN get_key,
                                         void *argument, PCredHandle credential, PTimeStamp expiry)
{
    (void)use, (void)logon, (void)get_key, (void)argument;
    if (principal && strcmp(principal, "test\\\xfcser")) return SEC_E_NO_CREDENTIALS;
    if (strcmp(package, "TestAnsi")) return SEC_E_SECPKG_NOT_FOUND;
    SECURITY_STATUS status = identity_take(auth);
    if (status) return status;
    *credential = (CredHandle){CREDENTIAL, UPPER};
    expiry->QuadPart = 42;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY add(PCredHandle credential, SEC_CHAR *principal, SEC_CHAR *package,
                                     ULONG use, void *auth, SEC_GET_KEY_FN get_key, void *argument,
                                     PTimeStamp expiry)
{
    (void)principal, (void)use, (void)get_key, (void)argument;
    if (!is(credential, CREDENTIAL)) return SEC_E_INVALID_HANDLE;
    if (strcmp(package, "TestAnsi")) return SEC_E_SECPKG_NOT_FOUND;
    expiry->QuadPart = 43;
    return identity_take(auth);
}

static SECURITY_STATUS SEC_ENTRY free_credential(PCredHandle credential)
{
    return is(credential, CREDENTIAL) ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS SEC_ENTRY query_credentials(PCredHandle credential, ULONG attribute,
                                                   void *buffer)
{
    if (!is(credential, CREDENTIAL)) return SEC_E_INVALID_HANDLE;
    if (attribute != SECPKG_CRED_ATTR_NAMES) return SEC_E_UNSUPPORTED_FUNCTION;
    ((SecPkgCredentials_NamesA *)buffer)->sUserName = text_give(user);
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY init_context(PCredHandle credential, PCtxtHandle context,
                                              SEC_CHAR *target, ULONG flags, ULONG reserved,
                                              ULONG data_rep, PSecBufferDesc input, ULONG reserved2,
                                              PCtxtHandle made, PSecBufferDesc output,
                                              ULONG *attributes, PTimeStamp expiry)
{
    (void)reserved, (void)data_rep, (void)input, (void)reserved2;
    if (!is(credential, CREDENTIAL) || context) return SEC_E_INVALID_HANDLE;
    if (!target || strcmp(target, "t\xe4rget")) return SEC_E_TARGET_UNKNOWN;
    output->pBuffers[0].cbBuffer = 0;
    *made = (CtxtHandle){CONTEXT, UPPER};
    *attributes = flags;
    expiry->QuadPart = 44;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY delete_context(PCtxtHandle context)
{
    return is(context, CONTEXT) ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS SEC_ENTRY query_context(PCtxtHandle context, ULONG attribute, void *buffer)
{
    if (!is(context, CONTEXT)) return SEC_E_INVALID_HANDLE;
    switch (attribute) {
    case SECPKG_ATTR_SIZES:
        *(SecPkgContext_Sizes *)buffer = (SecPkgContext_Sizes){16, 4, 0, 0};
        return SEC_E_OK;
    case SECPKG_ATTR_NAMES:
    case SECPKG_ATTR_AUTHORITY:
        ((SecPkgContext_NamesA *)buffer)->sUserName = text_give(user);
        return SEC_E_OK;
    case SECPKG_ATTR_NATIVE_NAMES:
        *(SecPkgContext_NativeNamesA *)buffer = (SecPkgContext_NativeNamesA){
            text_give("native client"), text_give("native server")};
        return SEC_E_OK;
    case SECPKG_ATTR_KEY_INFO:
        *(SecPkgContext_KeyInfoA *)buffer = (SecPkgContext_KeyInfoA){text_give("sign"),
                                                                     text_give("seal"), 40, 1, 2};
        return SEC_E_OK;
    case SECPKG_ATTR_PACKAGE_INFO:
        ((SecPkgContext_PackageInfoA *)buffer)->PackageInfo = info_make();
        return SEC_E_OK;
    case SECPKG_ATTR_NEGOTIATION_INFO:
        *(SecPkgContext_NegotiationInfoA *)buffer = (SecPkgContext_NegotiationInfoA){info_make(),
                                                                                     2};
        return SEC_E_OK;
    case SECPKG_ATTR_CREDENTIAL_NAME:
        *(SecPkgContext_CredentialNameA *)buffer = (SecPkgContext_CredentialNameA){
            7, text_give("credential")};
        return SEC_E_OK;
    }
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static SECURITY_STATUS SEC_ENTRY export_context(PCtxtHandle context, ULONG flags, PSecBuffer packed,
                                                void **token)
{
    (void)flags, (void)token;
    if (!is(context, CONTEXT)) return SEC_E_INVALID_HANDLE;
    packed->pvBuffer = text_give("blob");
    packed->cbBuffer = 5;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY import_context(SEC_CHAR *package, PSecBuffer packed, void *token,
                                                PCtxtHandle context)
{
    (void)token;
    if (strcmp(package, "TestAnsi")) return SEC_E_SECPKG_NOT_FOUND;
    if (packed->cbBuffer != 5 || memcmp(packed->pvBuffer, "blob", 5)) return SEC_E_INVALID_TOKEN;
    *context = (CtxtHandle){CONTEXT, UPPER};
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY set_context(PCtxtHandle context, ULONG attribute, void *buffer,
                                             ULONG size)
{
    if (!is(context, CONTEXT) || attribute != 1 || size != 4) return SEC_E_INVALID_PARAMETER;
    return *(ULONG *)buffer == 4711 ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

static SecurityFunctionTableA table = {
    .dwVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_2,
    .EnumerateSecurityPackagesA = enumerate,
    .QueryCredentialsAttributesA = query_credentials,
    .AcquireCredentialsHandleA = acquire,
    .FreeCredentialHandle = free_credential,
    .InitializeSecurityContextA = init_context,
    .DeleteSecurityContext = delete_context,
    .QueryContextAttributesA = query_context,
    .FreeContextBuffer = free_buffer,
    .ExportSecurityContext = export_context,
    .ImportSecurityContextA = import_context,
    .AddCredentialsA = add,
    .SetContextAttributesA = set_context,
};

PSecurityFunctionTableA SEC_ENTRY prov_sspia_table(void);
/* Exported as InitSecurityInterfaceA, whose own declaration says that it is imported. */
PSecurityFunctionTableA SEC_ENTRY prov_sspia_table(void)
{
    return &table;
}
