/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package NTLM as a security support provider / authentication package: its two entry
 * points and its tables. For log-ons it is MICROSOFT_AUTHENTICATION_PACKAGE_V1_0.
 */
#include "logon.h"

const uint8_t package_version[8] = {10, 0, 19041 & 0xff, 19041 >> 8, 0, 0, 0, 0x0f};

/* ---- LSA mode ---- */

const char package_logon_name[] = MSV1_0_PACKAGE_NAME;

void package_info_get(SecPkgInfoW *info)
{
    *info = (SecPkgInfoW){
        .fCapabilities = 0x02882b37, /* as Windows 10 lists it */
        .wVersion = 1,
        .wRPCID = 10, /* RPC_C_AUTHN_WINNT */
        .cbMaxToken = MAX_TOKEN,
        .Name = (wchar_t *)L"NTLM",
        .Comment = (wchar_t *)L"NTLM Security Package",
    };
}

static NTSTATUS NTAPI package_shutdown(void)
{
    account_forget_all();
    return STATUS_SUCCESS;
}

/* The header leaves the calling convention of LogonUserEx2 out. */
static struct package_function_table lsa_table = {
    .declared =
        {
            .InitializePackage = package_initialize_logons,
            .CallPackage = call_trusted,
            .LogonTerminated = logon_terminated,
            .CallPackageUntrusted = call_untrusted,
            .CallPackagePassthrough = call_passed,
            .LogonUserEx2 = (PLSA_AP_LOGON_USER_EX2)(void *)logon_user,
            .Initialize = package_initialize,
            .Shutdown = package_shutdown,
            .GetInfo = package_get_info,
            .AcquireCredentialsHandle = credentials_acquire,
            .QueryCredentialsAttributes = credentials_query,
            .FreeCredentialsHandle = credentials_free,
            .InitLsaModeContext = context_initiate,
            .AcceptLsaModeContext = context_accept,
            .DeleteContext = context_delete_lsa,
            .QueryContextAttributes = context_query,
        },
    .ChangeAccountPassword = password_change_sspi,
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
