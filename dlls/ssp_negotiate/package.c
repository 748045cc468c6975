/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package Negotiate as a security support provider / authentication package: its two entry
 * points and its tables.
 */
#include "negotiate_package.h"

#include "ssp/message_context.h"

/* ---- LSA mode ---- */

const char package_logon_name[] = "Negotiate";

void package_info_get(SecPkgInfoW *info)
{
    *info = (SecPkgInfoW){
        .fCapabilities = 0x00883bb3, /* as Windows 10 lists it */
        .wVersion = 1,
        .wRPCID = 9, /* RPC_C_AUTHN_GSS_NEGOTIATE */
        .cbMaxToken = 48256,
        .Name = (wchar_t *)L"Negotiate",
        .Comment = (wchar_t *)L"Microsoft Package Negotiator",
    };
}

static NTSTATUS NTAPI get_extended_information(SECPKG_EXTENDED_INFORMATION_CLASS kind,
                                               SECPKG_EXTENDED_INFORMATION **out)
{
    if (kind != SecpkgContextThunks) return STATUS_NOT_SUPPORTED;
    SECPKG_EXTENDED_INFORMATION *information = package_alloc(sizeof(*information));
    if (!information) return STATUS_NO_MEMORY;
    information->Class = kind;
    information->Info.ContextThunks = (SECPKG_CONTEXT_THUNKS){
        .InfoLevelCount = 1, .Levels = {WINESSPI_ATTR_MESSAGE_CONTEXT}};
    *out = information;
    return STATUS_SUCCESS;
}

static struct package_function_table lsa_table = {
    .declared =
        {
            .InitializePackage = package_initialize_logons,
            .CallPackage = package_call,
            .CallPackageUntrusted = package_call,
            .Initialize = package_initialize,
            .GetInfo = package_get_info,
            .AcquireCredentialsHandle = credentials_acquire,
            .QueryCredentialsAttributes = credentials_query,
            .FreeCredentialsHandle = credentials_free,
            .InitLsaModeContext = context_initiate,
            .AcceptLsaModeContext = context_accept,
            .DeleteContext = context_delete_lsa,
            .ApplyControlToken = context_control,
            .GetExtendedInformation = get_extended_information,
            .QueryContextAttributes = context_query,
            .AddCredentials = credentials_add,
            .SetContextAttributes = context_set,
            .SetCredentialsAttributes = credentials_set,
        },
    .ChangeAccountPassword = password_change,
};

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, ULONG *package_version_out,
                                   SECPKG_FUNCTION_TABLE **tables, ULONG *count)
{
    (void)version; /* whatever the host says, these tables are the same */
    *package_version_out = PACKAGE_TABLE_VERSION;
    *tables = &lsa_table.declared;
    *count = 1;
    return STATUS_SUCCESS;
}

/* ---- user mode ---- */

static SECPKG_USER_FUNCTION_TABLE user_table = {
    .InstanceInit = package_instance_init,
    .InitUserModeContext = context_init_user,
    .MakeSignature = message_sign,
    .VerifySignature = message_verify,
    .SealMessage = message_seal,
    .UnsealMessage = message_unseal,
    .GetContextToken = context_get_token,
    .QueryContextAttributes = context_query,
    .CompleteAuthToken = context_complete,
    .DeleteUserModeContext = context_delete_user,
    .ExportContext = context_export,
    .ImportContext = context_import,
};

NTSTATUS NTAPI SpUserModeInitialize(ULONG version, ULONG *package_version_out,
                                    SECPKG_USER_FUNCTION_TABLE **tables, ULONG *count)
{
    if (version != SECPKG_INTERFACE_VERSION) return STATUS_INVALID_PARAMETER;
    *package_version_out = SECPKG_INTERFACE_VERSION;
    *tables = &user_table;
    *count = 1;
    return STATUS_SUCCESS;
}
