/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes, A forms. Providers answer in the W form; the attributes that carry text are
 * converted, each string and each package description in a block of its own that
 * FreeContextBuffer frees, the others are the same in both forms.
 *
 * And the Ex forms, which add the size of the caller's buffer.
 */
#include "ansi.h"

#include <wincrypt.h>
#include <schannel.h>

/* Into a block of its own; the wide string is freed. */
static status_t convert(wchar_t *wide, char **text)
{
    status_t status = ansi_from_wide(wide, text);
    FreeContextBuffer(wide);
    return status;
}

static status_t names_query(CtxtHandle *handle, ULONG attribute, void *buffer)
{
    SecPkgContext_NamesW wide; /* NAMES and AUTHORITY: one string */
    status_t status = QueryContextAttributesW(handle, attribute, &wide);
    if (!status_ok(status)) return status;
    char *text;
    status = convert(wide.sUserName, &text);
    if (status_ok(status)) ((SecPkgContext_NamesA *)buffer)->sUserName = text;
    return status;
}

static status_t native_names_query(CtxtHandle *handle, ULONG attribute, void *buffer)
{
    SecPkgContext_NativeNamesW wide;
    status_t status = QueryContextAttributesW(handle, attribute, &wide);
    if (!status_ok(status)) return status;
    SecPkgContext_NativeNamesA ansi = {NULL, NULL};
    status = ansi_from_wide(wide.sClientName, &ansi.sClientName);
    if (status_ok(status)) status = ansi_from_wide(wide.sServerName, &ansi.sServerName);
    FreeContextBuffer(wide.sClientName);
    FreeContextBuffer(wide.sServerName);
    if (status_ok(status)) *(SecPkgContext_NativeNamesA *)buffer = ansi;
    else FreeContextBuffer(ansi.sClientName);
    return status;
}

static status_t key_info_query(CtxtHandle *handle, ULONG attribute, void *buffer)
{
    SecPkgContext_KeyInfoW wide;
    status_t status = QueryContextAttributesW(handle, attribute, &wide);
    if (!status_ok(status)) return status;
    SecPkgContext_KeyInfoA ansi = {.KeySize = wide.KeySize,
                                   .SignatureAlgorithm = wide.SignatureAlgorithm,
                                   .EncryptAlgorithm = wide.EncryptAlgorithm};
    status = ansi_from_wide(wide.sSignatureAlgorithmName, &ansi.sSignatureAlgorithmName);
    if (status_ok(status))
        status = ansi_from_wide(wide.sEncryptAlgorithmName, &ansi.sEncryptAlgorithmName);
    FreeContextBuffer(wide.sSignatureAlgorithmName);
    FreeContextBuffer(wide.sEncryptAlgorithmName);
    if (status_ok(status)) *(SecPkgContext_KeyInfoA *)buffer = ansi;
    else FreeContextBuffer(ansi.sSignatureAlgorithmName);
    return status;
}

static status_t package_info_query(CtxtHandle *handle, ULONG attribute, void *buffer)
{
    SecPkgContext_NegotiationInfoW wide; /* begins with the one member of PACKAGE_INFO */
    status_t status = QueryContextAttributesW(handle, attribute, &wide);
    if (!status_ok(status)) return status;
    SecPkgInfoA *info;
    status = ansi_package_infos(wide.PackageInfo, 1, &info);
    FreeContextBuffer(wide.PackageInfo);
    if (!status_ok(status)) return status;
    if (attribute == SECPKG_ATTR_NEGOTIATION_INFO)
        *(SecPkgContext_NegotiationInfoA *)buffer = (SecPkgContext_NegotiationInfoA){
            info, wide.NegotiationState};
    else ((SecPkgContext_PackageInfoA *)buffer)->PackageInfo = info;
    return SEC_E_OK;
}

static status_t credential_name_query(CtxtHandle *handle, ULONG attribute, void *buffer)
{
    SecPkgContext_CredentialNameW wide;
    status_t status = QueryContextAttributesW(handle, attribute, &wide);
    if (!status_ok(status)) return status;
    char *text;
    status = convert(wide.sCredentialName, &text);
    if (status_ok(status))
        *(SecPkgContext_CredentialNameA *)buffer = (SecPkgContext_CredentialNameA){
            wide.CredentialType, text};
    return status;
}

static status_t proto_info_query(CtxtHandle *handle, ULONG attribute, void *buffer)
{
    SecPkgContext_ProtoInfoW wide;
    status_t status = QueryContextAttributesW(handle, attribute, &wide);
    if (!status_ok(status)) return status;
    char *text;
    status = convert(wide.sProtocolName, &text);
    if (status_ok(status))
        *(SecPkgContext_ProtoInfoA *)buffer = (SecPkgContext_ProtoInfoA){text, wide.majorVersion,
                                                                         wide.minorVersion};
    return status;
}

struct ansi_attribute {
    ULONG attribute;
    status_t (*query)(CtxtHandle *handle, ULONG attribute, void *buffer);
};

static const struct ansi_attribute ansi_attributes[] = {
    {SECPKG_ATTR_NAMES, names_query},
    {SECPKG_ATTR_KEY_INFO, key_info_query},
    {SECPKG_ATTR_AUTHORITY, names_query},
    {SECPKG_ATTR_PROTO_INFO, proto_info_query},
    {SECPKG_ATTR_PACKAGE_INFO, package_info_query},
    {SECPKG_ATTR_NEGOTIATION_INFO, package_info_query},
    {SECPKG_ATTR_NATIVE_NAMES, native_names_query},
    {SECPKG_ATTR_CREDENTIAL_NAME, credential_name_query},
};

SECURITY_STATUS WINAPI QueryContextAttributesA(CtxtHandle *handle, ULONG attribute, void *buffer)
{
    if (buffer)
        for (size_t i = 0; i < ARRAYSIZE(ansi_attributes); i++)
            if (ansi_attributes[i].attribute == attribute)
                return ansi_attributes[i].query(handle, attribute, buffer);
    return QueryContextAttributesW(handle, attribute, buffer);
}

/* NAMES and SSI_PROVIDER begin with their one string. */
static bool credential_has_text(ULONG attribute)
{
    return attribute == SECPKG_CRED_ATTR_NAMES || attribute == SECPKG_CRED_ATTR_SSI_PROVIDER;
}

SECURITY_STATUS WINAPI QueryCredentialsAttributesA(CredHandle *handle, ULONG attribute,
                                                   void *buffer)
{
    if (!credential_has_text(attribute) || !buffer)
        return QueryCredentialsAttributesW(handle, attribute, buffer);
    SecPkgCredentials_SSIProviderW wide = {NULL, 0, NULL};
    status_t status = QueryCredentialsAttributesW(handle, attribute, &wide);
    if (!status_ok(status)) return status;
    char *text;
    status = convert(wide.sProviderName, &text);
    if (!status_ok(status)) {
        FreeContextBuffer(wide.ProviderInfo);
        return status;
    }
    if (attribute == SECPKG_CRED_ATTR_NAMES) ((SecPkgCredentials_NamesA *)buffer)->sUserName = text;
    else
        *(SecPkgCredentials_SSIProviderA *)buffer = (SecPkgCredentials_SSIProviderA){
            text, wide.ProviderInfoLength, wide.ProviderInfo};
    return SEC_E_OK;
}

/* The attributes of a context that can be set carry no text. */
SECURITY_STATUS WINAPI SetContextAttributesA(CtxtHandle *handle, ULONG attribute, void *buffer,
                                             ULONG size)
{
    return SetContextAttributesW(handle, attribute, buffer, size);
}

SECURITY_STATUS WINAPI SetCredentialsAttributesA(CredHandle *handle, ULONG attribute, void *buffer,
                                                 ULONG size)
{
    bool names = attribute == SECPKG_CRED_ATTR_NAMES;
    ULONG needed = names ? sizeof(SecPkgCredentials_NamesA)
                         : sizeof(SecPkgCredentials_SSIProviderA);
    if (!credential_has_text(attribute) || !buffer || size < needed)
        return SetCredentialsAttributesW(handle, attribute, buffer, size);
    const SecPkgCredentials_SSIProviderA *ansi = buffer; /* of NAMES the first member only */
    SecPkgCredentials_SSIProviderW wide = {NULL, 0, NULL};
    status_t status = ansi_to_wide(ansi->sProviderName, &wide.sProviderName);
    if (!status_ok(status)) return status;
    if (!names) {
        wide.ProviderInfoLength = ansi->ProviderInfoLength;
        wide.ProviderInfo = ansi->ProviderInfo;
    }
    status = SetCredentialsAttributesW(handle, attribute, &wide, needed);
    HeapFree(GetProcessHeap(), 0, wide.sProviderName);
    return status;
}

/* ---- Ex forms ---- */

/* The same for both forms, which differ in what their pointers point to. */
struct attribute_size {
    ULONG attribute, size;
};

/* schannel.h of the SDK for Windows 11: two numbers. */
#define SECPKG_ATTR_CERT_CHECK_RESULT 0x71
#define SECPKG_ATTR_CERT_CHECK_RESULT_INPROC 0x72

/* The attributes whose size is known here; for others the caller's size is taken on trust, as the
 * plain forms take it. */
static const struct attribute_size context_sizes[] = {
    {SECPKG_ATTR_SIZES, sizeof(SecPkgContext_Sizes)},
    {SECPKG_ATTR_NAMES, sizeof(SecPkgContext_NamesW)},
    {SECPKG_ATTR_LIFESPAN, sizeof(SecPkgContext_Lifespan)},
    {SECPKG_ATTR_DCE_INFO, sizeof(SecPkgContext_DceInfo)},
    {SECPKG_ATTR_STREAM_SIZES, sizeof(SecPkgContext_StreamSizes)},
    {SECPKG_ATTR_KEY_INFO, sizeof(SecPkgContext_KeyInfoW)},
    {SECPKG_ATTR_AUTHORITY, sizeof(SecPkgContext_AuthorityW)},
    {SECPKG_ATTR_PASSWORD_EXPIRY, sizeof(SecPkgContext_PasswordExpiry)},
    {SECPKG_ATTR_SESSION_KEY, sizeof(SecPkgContext_SessionKey)},
    {SECPKG_ATTR_PACKAGE_INFO, sizeof(SecPkgContext_PackageInfoW)},
    {SECPKG_ATTR_NEGOTIATION_INFO, sizeof(SecPkgContext_NegotiationInfoW)},
    {SECPKG_ATTR_NATIVE_NAMES, sizeof(SecPkgContext_NativeNamesW)},
    {SECPKG_ATTR_FLAGS, sizeof(SecPkgContext_Flags)},
    {SECPKG_ATTR_CREDENTIAL_NAME, sizeof(SecPkgContext_CredentialNameW)},
    {SECPKG_ATTR_ACCESS_TOKEN, sizeof(SecPkgContext_AccessToken)},
    {SECPKG_ATTR_PROTO_INFO, sizeof(SecPkgContext_ProtoInfoW)},
    {SECPKG_ATTR_USER_FLAGS, sizeof(SecPkgContext_UserFlags)},
    {SECPKG_ATTR_TARGET_INFORMATION, sizeof(SecPkgContext_TargetInformation)},
    {SECPKG_ATTR_TARGET, sizeof(SecPkgContext_Target)},
    {SECPKG_ATTR_AUTHENTICATION_ID, sizeof(SecPkgContext_AuthzID)},
    {SECPKG_ATTR_LOGOFF_TIME, sizeof(SecPkgContext_LogoffTime)},
    {SECPKG_ATTR_NEGO_KEYS, sizeof(SecPkgContext_NegoKeys)},
    {SECPKG_ATTR_UNIQUE_BINDINGS, sizeof(SecPkgContext_Bindings)},
    {SECPKG_ATTR_ENDPOINT_BINDINGS, sizeof(SecPkgContext_Bindings)},
    {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, sizeof(SecPkgContext_ClientSpecifiedTarget)},
    {SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, sizeof(SecPkgContext_LastClientTokenStatus)},
    {SECPKG_ATTR_NEGO_PKG_INFO, sizeof(SecPkgContext_NegoPackageInfo)},
    {SECPKG_ATTR_NEGO_STATUS, sizeof(SecPkgContext_NegoStatus)},
    {SECPKG_ATTR_DTLS_MTU, sizeof(WORD)},
    {SECPKG_ATTR_APPLICATION_PROTOCOL, sizeof(SecPkgContext_ApplicationProtocol)},
    {SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, sizeof(SecPkgContext_NegotiatedTlsExtensions)},
    {SECPKG_ATTR_ISSUER_LIST, sizeof(SecPkgContext_IssuerListInfo)},
    {SECPKG_ATTR_REMOTE_CERT_CONTEXT, sizeof(PCCERT_CONTEXT)},
    {SECPKG_ATTR_LOCAL_CERT_CONTEXT, sizeof(PCCERT_CONTEXT)},
    {SECPKG_ATTR_ISSUER_LIST_EX, sizeof(SecPkgContext_IssuerListInfoEx)},
    {SECPKG_ATTR_CONNECTION_INFO, sizeof(SecPkgContext_ConnectionInfo)},
    {SECPKG_ATTR_EAP_KEY_BLOCK, sizeof(SecPkgContext_EapKeyBlock)},
    {SECPKG_ATTR_SESSION_INFO, sizeof(SecPkgContext_SessionInfo)},
    {SECPKG_ATTR_APP_DATA, sizeof(SecPkgContext_SessionAppData)},
    {SECPKG_ATTR_CIPHER_INFO, sizeof(SecPkgContext_CipherInfo)},
    {SECPKG_ATTR_SUPPORTED_SIGNATURES, sizeof(SecPkgContext_SupportedSignatures)},
    {SECPKG_ATTR_REMOTE_CERT_CHAIN, sizeof(PCCERT_CONTEXT)},
    {SECPKG_ATTR_KEYING_MATERIAL, sizeof(SecPkgContext_KeyingMaterial)},
    {SECPKG_ATTR_CONNECTION_INFO_EX, sizeof(SecPkgContext_ConnectionInfoEx)},
    {SECPKG_ATTR_KEYING_MATERIAL_INPROC, sizeof(SecPkgContext_KeyingMaterial_Inproc)},
    {SECPKG_ATTR_CERT_CHECK_RESULT, 2 * sizeof(DWORD)},
    {SECPKG_ATTR_CERT_CHECK_RESULT_INPROC, 2 * sizeof(DWORD)},
};

static const struct attribute_size credential_sizes[] = {
    {SECPKG_CRED_ATTR_NAMES, sizeof(SecPkgCredentials_NamesW)},
    {SECPKG_CRED_ATTR_SSI_PROVIDER, sizeof(SecPkgCredentials_SSIProviderW)},
    {SECPKG_CRED_ATTR_CERT, sizeof(SecPkgCredentials_Cert)},
    {SECPKG_ATTR_SUPPORTED_ALGS, sizeof(SecPkgCred_SupportedAlgs)},
    {SECPKG_ATTR_CIPHER_STRENGTHS, sizeof(SecPkgCred_CipherStrengths)},
    {SECPKG_ATTR_SUPPORTED_PROTOCOLS, sizeof(SecPkgCred_SupportedProtocols)},
};

static status_t size_check(const struct attribute_size *sizes, size_t count, ULONG attribute,
                           ULONG size)
{
    for (size_t i = 0; i < count; i++)
        if (sizes[i].attribute == attribute)
            return size >= sizes[i].size ? SEC_E_OK : SEC_E_BUFFER_TOO_SMALL;
    return SEC_E_OK;
}

/* A handle that is none comes before a buffer that is too small. */
static status_t context_size_check(const CtxtHandle *handle, ULONG attribute, ULONG size)
{
    struct pinned_context pinned;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    context_unpin(&pinned);
    return size_check(context_sizes, ARRAYSIZE(context_sizes), attribute, size);
}

SECURITY_STATUS WINAPI QueryContextAttributesExW(CtxtHandle *handle, ULONG attribute, void *buffer,
                                                 ULONG size)
{
    status_t status = context_size_check(handle, attribute, size);
    return status_ok(status) ? QueryContextAttributesW(handle, attribute, buffer) : status;
}

SECURITY_STATUS WINAPI QueryContextAttributesExA(CtxtHandle *handle, ULONG attribute, void *buffer,
                                                 ULONG size)
{
    status_t status = context_size_check(handle, attribute, size);
    return status_ok(status) ? QueryContextAttributesA(handle, attribute, buffer) : status;
}

static status_t credential_size_check(const CredHandle *handle, ULONG attribute, ULONG size)
{
    if (!handle) return SEC_E_INVALID_HANDLE;
    SecHandle copy = *handle;
    if (!handle_pin(HANDLE_CREDENTIAL, &copy)) return SEC_E_INVALID_HANDLE;
    handle_unpin(&copy);
    return size_check(credential_sizes, ARRAYSIZE(credential_sizes), attribute, size);
}

SECURITY_STATUS WINAPI QueryCredentialsAttributesExW(CredHandle *handle, ULONG attribute,
                                                     void *buffer, ULONG size)
{
    status_t status = credential_size_check(handle, attribute, size);
    return status_ok(status) ? QueryCredentialsAttributesW(handle, attribute, buffer) : status;
}

SECURITY_STATUS WINAPI QueryCredentialsAttributesExA(CredHandle *handle, ULONG attribute,
                                                     void *buffer, ULONG size)
{
    status_t status = credential_size_check(handle, attribute, size);
    return status_ok(status) ? QueryCredentialsAttributesA(handle, attribute, buffer) : status;
}
