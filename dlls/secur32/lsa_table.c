/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables that the LSA gives to SSP/APs, and the ids of packages. What is behind the members is
 * in the files lsa_services_*.c.
 */
#include "load_lsa.h"
#include "lsa_services.h"
#include "module.h"

#include <wchar.h>

static struct lsa_function_table function_table = {
    .declared =
        {
            .CreateLogonSession = service_session_create,
            .DeleteLogonSession = service_session_delete,
            .AddCredential = service_credential_add,
            .GetCredentials = service_credentials_get,
            .DeleteCredential = service_credential_delete,
            .AllocateLsaHeap = service_heap_allocate,
            .FreeLsaHeap = service_heap_free,
            .AllocateClientBuffer = service_client_allocate,
            .FreeClientBuffer = service_client_free,
            .CopyToClientBuffer = service_client_write,
            .CopyFromClientBuffer = service_client_read,
            .ImpersonateClient = service_client_impersonate,
            .UnloadPackage = service_package_unload,
            .DuplicateHandle = service_handle_duplicate,
            .SaveSupplementalCredentials = service_supplemental_save,
            .CreateThread = service_thread_create,
            .GetClientInfo = service_client_info,
            .RegisterNotification = service_notification_register,
            .CancelNotification = service_notification_cancel,
            .MapBuffer = service_buffer_map,
            .CreateToken = service_token_create,
            .AuditLogon = service_logon_audit,
            .CallPackage = service_package_call,
            .FreeReturnBuffer = service_heap_free,
            .GetCallInfo = service_call_info,
            .CallPackageEx = service_package_call_ex,
            .CreateSharedMemory = service_shared_create,
            .AllocateSharedMemory = service_shared_allocate,
            .FreeSharedMemory = service_shared_free,
            .DeleteSharedMemory = service_shared_delete,
            .OpenSamUser = service_sam_open,
            .GetUserCredentials = service_sam_credentials,
            .GetUserAuthData = service_sam_auth_data,
            .CloseSamUser = service_sam_close,
            .ConvertAuthDataToToken = service_token_convert,
            .ClientCallback = service_client_callback,
            .UpdateCredentials = service_credentials_update,
            .GetAuthDataForUser = service_user_auth_data,
            .CrackSingleName = service_name_crack,
            .AuditAccountLogon = service_account_audit,
            .CallPackagePassthrough = service_package_passthrough,
            .CrediRead = service_cred_read,
            .CrediReadDomainCredentials = service_cred_read_domain,
            .CrediFreeCredentials = service_cred_free,
            .LsaProtectMemory = lsa_memory_protect,
            .LsaUnprotectMemory = lsa_memory_unprotect,
            .OpenTokenByLogonId = service_token_open,
            .ExpandAuthDataForDomain = service_auth_data_expand,
            .AllocatePrivateHeap = service_private_allocate,
            .FreePrivateHeap = service_heap_free,
            .CreateTokenEx = service_token_create_ex,
            .CrediWrite = service_cred_write,
        },
    .CrediUnmarshalandDecodeString = service_cred_decode,
    .GetExtendedCallFlags = service_call_flags,
    .DuplicateTokenHandle = service_handle_duplicate,
    .GetServiceAccountPassword = service_account_password,
    .AuditLogonEx = service_logon_audit_ex,
    .CheckProtectedUserByToken = service_user_protected,
    .QueryClientRequest = service_client_request,
    .GetAppModeInfo = service_app_mode_get,
    .SetAppModeInfo = service_app_mode_set,
    .GetClientInfoEx = service_client_info_ex,
    .GetSecpkgFailureReason = service_failure_get,
    .SetSecpkgFailureReason = service_failure_set,
};

LSA_SECPKG_FUNCTION_TABLE *lsa_function_table(void)
{
    return &function_table.declared;
}

static struct package *volatile packages[LSA_PACKAGES_MAX]; /* by id, once they are loaded */

/* A package learns its id before it tells its name, so it is the module that says which is
 * Negotiate. */
static bool is_negotiate(const struct package *package)
{
    const WCHAR *base = wcsrchr(package->module->path, '\\');
    return package->index == 0 && base && !_wcsicmp(base + 1, L"ssp_negotiate.dll");
}

status_t lsa_package_register(struct package *package)
{
    static volatile LONG last_id;
    LONG id = 0; /* what programs take Negotiate's to be, as it is on Windows */
    if (package->registered) return SEC_E_OK;
    if (!is_negotiate(package)) id = InterlockedIncrement(&last_id);
    if (id >= LSA_PACKAGES_MAX) return SEC_E_SECPKG_NOT_FOUND;
    package->id = (ULONG_PTR)id;
    package->registered = true;
    return SEC_E_OK;
}

void lsa_package_publish(struct package *package)
{
    InterlockedExchangePointer((void *volatile *)&packages[package->id], package);
    lsa_notify_loaded(package);
}

struct package *lsa_package_find(ULONG_PTR id)
{
    return id < LSA_PACKAGES_MAX ? packages[id] : NULL;
}

static void *NTAPI package_locate(ULONG id)
{
    const struct package *package = lsa_package_find(id);
    return package ? (void *)package->user : NULL;
}

static struct dll_function_table dll_functions = {
    .declared = {.AllocateHeap = service_heap_allocate,
                 .FreeHeap = service_heap_free,
                 .RegisterCallback = service_callback_register},
    .LocatePackageById = package_locate,
};

SECPKG_DLL_FUNCTIONS *lsa_dll_functions(void)
{
    return &dll_functions.declared;
}
