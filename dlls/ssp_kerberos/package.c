/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package Kerberos as a security support provider / authentication package: its two entry
 * points and its tables. Without a GSS-API library of the host it is there for imports alone.
 */
#include "logon.h"

#include "ssp/trace.h"

TRACE_CHANNEL("kerberos");

/* ---- LSA mode ---- */

const char package_logon_name[] = MICROSOFT_KERBEROS_NAME_A;

void package_info_get(SecPkgInfoW *info)
{
    struct kerberos_policy policy;
    if (!status_ok(policy_get(&policy))) policy.max_token = MAX_TOKEN_DEFAULT;
    *info = (SecPkgInfoW){
        .fCapabilities = 0x028f3bbf, /* as Windows 10 lists it */
        .wVersion = 1,
        .wRPCID = 16, /* RPC_C_AUTHN_GSS_KERBEROS */
        .cbMaxToken = policy.max_token,
        .Name = (wchar_t *)MICROSOFT_KERBEROS_NAME_W,
        .Comment = (wchar_t *)L"Microsoft Kerberos V1.0",
    };
}

static NTSTATUS NTAPI package_shutdown(void)
{
    return STATUS_SUCCESS;
}

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
            .SetCredentialsAttributes = credentials_set,
        },
    .ChangeAccountPassword = password_change_sspi,
};

/* Without the library: contexts that were established elsewhere can be taken in, and go on. */
static struct package_function_table imports_table = {
    .declared = {.Initialize = package_initialize,
                 .Shutdown = package_shutdown,
                 .GetInfo = package_get_info},
};

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, ULONG *package_version,
                                   SECPKG_FUNCTION_TABLE **tables, ULONG *count)
{
    (void)version; /* whatever the host says, these tables are the same */
    bool ready = status_ok(library_ready());
    if (!ready) WARN("no Kerberos but for contexts that are imported\n");
    *package_version = PACKAGE_TABLE_VERSION;
    *tables = ready ? &lsa_table.declared : &imports_table.declared;
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

NTSTATUS NTAPI SpUserModeInitialize(ULONG version, ULONG *package_version,
                                    SECPKG_USER_FUNCTION_TABLE **tables, ULONG *count)
{
    if (version != SECPKG_INTERFACE_VERSION) return STATUS_INVALID_PARAMETER;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = &user_table;
    *count = 1;
    return STATUS_SUCCESS;
}
