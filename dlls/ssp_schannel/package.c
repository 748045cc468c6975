/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS as a security support provider / authentication package: the two entry points and the tables
 * of three packages, which differ in nothing but their names. Without the host's GnuTLS there are
 * no packages.
 */
#include "schannel_package.h"

#include "ssp/trace.h"

TRACE_CHANNEL("schannel");

/* ---- LSA mode ---- */

static void info_fill(SecPkgInfoW *info, const wchar_t *name)
{
    *info = (SecPkgInfoW){
        .fCapabilities = 0x004107b3, /* as Windows 10 lists it */
        .wVersion = 1,
        .wRPCID = 14, /* RPC_C_AUTHN_GSS_SCHANNEL */
        .cbMaxToken = MAX_TOKEN,
        .Name = (wchar_t *)name,
        .Comment = (wchar_t *)L"Schannel Security Package",
    };
}

static NTSTATUS NTAPI package_shutdown(void)
{
    return STATUS_SUCCESS;
}

/* MinGW declares the A form without UNICODE. */
static NTSTATUS NTAPI schannel_info(SecPkgInfo *info)
{
    info_fill((SecPkgInfoW *)info, SCHANNEL_NAME_W);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI unified_info(SecPkgInfo *info)
{
    info_fill((SecPkgInfoW *)info, UNISP_NAME_W);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI default_info(SecPkgInfo *info)
{
    info_fill((SecPkgInfoW *)info, DEFAULT_TLS_SSP_NAME_W);
    return STATUS_SUCCESS;
}

#define LSA_TABLE(get_info)                                  \
    {                                                        \
        .declared = {                                        \
            .Initialize = package_initialize,                \
            .Shutdown = package_shutdown,                    \
            .GetInfo = get_info,                             \
            .AcquireCredentialsHandle = credentials_acquire, \
            .QueryCredentialsAttributes = credentials_query, \
            .FreeCredentialsHandle = credentials_free,       \
            .InitLsaModeContext = context_initiate,          \
            .AcceptLsaModeContext = context_accept,          \
            .DeleteContext = context_delete_lsa,             \
            .ApplyControlToken = context_control,            \
            .QueryContextAttributes = context_query,         \
            .SetContextAttributes = context_set,             \
        },                                                   \
    }

static struct package_function_table lsa_tables[] = {
    LSA_TABLE(schannel_info),
    LSA_TABLE(unified_info),
    LSA_TABLE(default_info),
};

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, ULONG *package_version,
                                   SECPKG_FUNCTION_TABLE **tables, ULONG *count)
{
    (void)version; /* whatever the host says, these tables are the same */
    status_t status = library_ready();
    if (!status_ok(status)) {
        WARN("no TLS: status %#lx\n", (ULONG)status);
        return STATUS_NOT_SUPPORTED;
    }
    *package_version = PACKAGE_TABLE_VERSION;
    *tables = &lsa_tables[0].declared;
    *count = ARRAYSIZE(lsa_tables);
    return STATUS_SUCCESS;
}

/* ---- user mode ---- */

#define USER_TABLE                                                                             \
    {                                                                                          \
        .InstanceInit = package_instance_init, .InitUserModeContext = context_init_user,       \
        .SealMessage = message_seal, .UnsealMessage = message_unseal,                          \
        .QueryContextAttributes = context_query, .DeleteUserModeContext = context_delete_user, \
        .ExportContext = context_export, .ImportContext = context_import,                      \
    }

static SECPKG_USER_FUNCTION_TABLE user_tables[] = {USER_TABLE, USER_TABLE, USER_TABLE};

_Static_assert(ARRAYSIZE(user_tables) == ARRAYSIZE(lsa_tables), "two halves of each package");

NTSTATUS NTAPI SpUserModeInitialize(ULONG version, ULONG *package_version,
                                    SECPKG_USER_FUNCTION_TABLE **tables, ULONG *count)
{
    if (version != SECPKG_INTERFACE_VERSION) return STATUS_INVALID_PARAMETER;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = user_tables;
    *count = ARRAYSIZE(user_tables);
    return STATUS_SUCCESS;
}
