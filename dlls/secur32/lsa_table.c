/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions that the LSA gives to SSP/APs. Provider and client share this process, so memory
 * of the client is memory of ours; all heaps are the process heap, which FreeContextBuffer frees.
 * What needs logon sessions, SAM users or other packages answers STATUS_NOT_SUPPORTED yet.
 */
#include "load_lsa.h"
#include "module.h"
#include "ssp/trace.h"

#include <wchar.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

TRACE_CHANNEL("sspi");

/* ---- memory ---- */

static void *NTAPI heap_allocate(ULONG size)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

static void NTAPI heap_free(void *block)
{
    HeapFree(GetProcessHeap(), 0, block);
}

static void *NTAPI private_heap_allocate(SIZE_T size)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

static NTSTATUS NTAPI client_buffer_allocate(PLSA_CLIENT_REQUEST request, ULONG size, void **out)
{
    void *block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
    if (!block) return STATUS_NO_MEMORY;
    *out = block;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI client_buffer_free(PLSA_CLIENT_REQUEST request, void *block)
{
    HeapFree(GetProcessHeap(), 0, block);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI client_buffer_write(PLSA_CLIENT_REQUEST request, ULONG size, void *client,
                                          void *from)
{
    memcpy(client, from, size);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI client_buffer_read(PLSA_CLIENT_REQUEST request, ULONG size, void *to,
                                         void *client)
{
    memcpy(to, client, size);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI buffer_map(SecBuffer *in, SecBuffer *out)
{
    *out = *in;
    out->BufferType &= ~(ULONG)SECBUFFER_UNMAPPED;
    return STATUS_SUCCESS;
}

/* ---- the caller ---- */

/* The token of the thread, or else of the process; NULL when neither can be had. */
static HANDLE caller_token(void)
{
    HANDLE token = NULL;
    if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return token;
    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return token;
    return NULL;
}

/* A thread that impersonates already is its own client. */
static NTSTATUS NTAPI client_impersonate(void)
{
    HANDLE token;
    if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) {
        CloseHandle(token);
        return STATUS_SUCCESS;
    }
    return ImpersonateSelf(SecurityImpersonation) ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

static NTSTATUS NTAPI client_info_get(SECPKG_CLIENT_INFO *info)
{
    TOKEN_STATISTICS statistics;
    DWORD size;
    HANDLE token = caller_token();
    if (!token) return STATUS_ACCESS_DENIED;
    BOOL found = GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics),
                                     &size);
    CloseHandle(token);
    if (!found) return STATUS_ACCESS_DENIED;
    *info = (SECPKG_CLIENT_INFO){.LogonId = statistics.AuthenticationId,
                                 .ProcessID = GetCurrentProcessId(),
                                 .ThreadID = GetCurrentThreadId(),
                                 .ImpersonationLevel = SecurityImpersonation};
    return STATUS_SUCCESS;
}

static BOOLEAN NTAPI call_info_get(SECPKG_CALL_INFO *info)
{
    *info = (SECPKG_CALL_INFO){.ProcessId = GetCurrentProcessId(),
                               .ThreadId = GetCurrentThreadId(),
                               .Attributes = SECPKG_CALL_IN_PROC,
                               .CallCount = 1};
    return TRUE;
}

static NTSTATUS NTAPI handle_duplicate(HANDLE source, HANDLE *out)
{
    HANDLE copy;
    if (!DuplicateHandle(GetCurrentProcess(), source, GetCurrentProcess(), &copy, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return STATUS_INVALID_HANDLE;
    *out = copy;
    return STATUS_SUCCESS;
}

static HANDLE NTAPI thread_create(SEC_ATTRS attributes, ULONG stack_size, SEC_THREAD_START start,
                                  void *parameter, ULONG flags, ULONG *id)
{
    DWORD thread_id = 0;
    HANDLE thread = CreateThread((SECURITY_ATTRIBUTES *)attributes, stack_size,
                                 (LPTHREAD_START_ROUTINE)start, parameter, flags, &thread_id);
    if (thread && id) *id = thread_id;
    return thread;
}

static NTSTATUS NTAPI package_unload(void)
{
    return STATUS_NOT_SUPPORTED; /* modules stay for the life of the process */
}

/* ---- shared memory: one heap per region, as there is one process ---- */

static void *NTAPI shared_create(ULONG max_size, ULONG initial_size)
{
    return HeapCreate(0, initial_size, max_size);
}

static void *NTAPI shared_allocate(void *region, ULONG size)
{
    return HeapAlloc(region, HEAP_ZERO_MEMORY, size);
}

static void NTAPI shared_free(void *region, void *block)
{
    HeapFree(region, 0, block);
}

static BOOLEAN NTAPI shared_delete(void *region)
{
    return HeapDestroy(region) != 0;
}

/* ---- audits are the trace's business ---- */

static void NTAPI logon_audit(NTSTATUS status, NTSTATUS sub_status, PUNICODE_STRING account,
                              PUNICODE_STRING authority, PUNICODE_STRING workstation, PSID sid,
                              SECURITY_LOGON_TYPE type, PTOKEN_SOURCE source, PLUID logon_id)
{
    TRACE("log-on: status %#lx\n", (ULONG)status);
}

static NTSTATUS NTAPI account_logon_audit(ULONG id, BOOLEAN success, PUNICODE_STRING source,
                                          PUNICODE_STRING client, PUNICODE_STRING mapped,
                                          NTSTATUS status)
{
    TRACE("account log-on: status %#lx\n", (ULONG)status);
    return STATUS_SUCCESS;
}

/* ---- not built yet ---- */

#define REFUSE(name, parameters)          \
    static NTSTATUS NTAPI name parameters \
    {                                     \
        FIXME("not built yet\n");         \
        return STATUS_NOT_SUPPORTED;      \
    }

REFUSE(logon_session_create, (PLUID id))
REFUSE(logon_session_delete, (PLUID id))
REFUSE(credential_add, (PLUID id, ULONG package, PLSA_STRING key, PLSA_STRING credential))
REFUSE(credentials_get, (PLUID id, ULONG package, PULONG query, BOOLEAN all, PLSA_STRING key,
                         PULONG key_size, PLSA_STRING credentials))
REFUSE(credential_delete, (PLUID id, ULONG package, PLSA_STRING key))
REFUSE(supplemental_save, (PLUID id, ULONG size, PVOID credentials, BOOLEAN synchronous))
REFUSE(notification_cancel, (HANDLE notification))
REFUSE(token_create,
       (PLUID id, PTOKEN_SOURCE source, SECURITY_LOGON_TYPE type,
        SECURITY_IMPERSONATION_LEVEL level, LSA_TOKEN_INFORMATION_TYPE info_type, PVOID info,
        PTOKEN_GROUPS groups, PUNICODE_STRING account, PUNICODE_STRING authority,
        PUNICODE_STRING workstation, PUNICODE_STRING profile, PHANDLE token, PNTSTATUS sub_status))
REFUSE(token_create_ex,
       (PLUID id, PTOKEN_SOURCE source, SECURITY_LOGON_TYPE type,
        SECURITY_IMPERSONATION_LEVEL level, LSA_TOKEN_INFORMATION_TYPE info_type, PVOID info,
        PTOKEN_GROUPS groups, PUNICODE_STRING workstation, PUNICODE_STRING profile, PVOID session,
        SECPKG_SESSIONINFO_TYPE kind, PHANDLE token, PNTSTATUS sub_status))
REFUSE(package_call, (PUNICODE_STRING package, PVOID in, ULONG in_size, PVOID *out, PULONG out_size,
                      PNTSTATUS protocol_status))
REFUSE(package_call_ex, (PUNICODE_STRING package, PVOID client_base, PVOID in, ULONG in_size,
                         PVOID *out, PULONG out_size, PNTSTATUS protocol_status))
REFUSE(sam_user_open, (PSECURITY_STRING name, SECPKG_NAME_TYPE type, PSECURITY_STRING prefix,
                       BOOLEAN allow_guest, ULONG reserved, PVOID *user))
REFUSE(user_credentials_get, (PVOID user, PVOID *primary, PULONG primary_size, PVOID *supplemental,
                              PULONG supplemental_size))
REFUSE(user_auth_data_get, (PVOID user, PUCHAR *data, PULONG size))
REFUSE(sam_user_close, (PVOID user))
REFUSE(auth_data_to_token,
       (PVOID data, ULONG size, SECURITY_IMPERSONATION_LEVEL level, PTOKEN_SOURCE source,
        SECURITY_LOGON_TYPE type, PUNICODE_STRING authority, PHANDLE token, PLUID id,
        PUNICODE_STRING account, PNTSTATUS sub_status))
REFUSE(client_callback,
       (PCHAR callback, ULONG_PTR argument1, ULONG_PTR argument2, PSecBuffer in, PSecBuffer out))
REFUSE(credentials_update,
       (PSECPKG_PRIMARY_CRED primary, PSECPKG_SUPPLEMENTAL_CRED_ARRAY supplemental))
REFUSE(auth_data_for_user, (PSECURITY_STRING name, SECPKG_NAME_TYPE type, PSECURITY_STRING prefix,
                            PUCHAR *data, PULONG size, PUNICODE_STRING flat_name))
REFUSE(name_crack,
       (ULONG offered, BOOLEAN at_gc, PUNICODE_STRING in, PUNICODE_STRING prefix, ULONG requested,
        PUNICODE_STRING out, PUNICODE_STRING dns_domain, PULONG sub_status))
REFUSE(token_by_logon_id, (PLUID id, HANDLE *token))
REFUSE(auth_data_expand, (PUCHAR data, ULONG size, PVOID reserved, PUCHAR *out, PULONG out_size))
REFUSE(credential_read, (PLUID id, ULONG cred_flags, LPWSTR target, ULONG type, ULONG flags,
                         PENCRYPTED_CREDENTIALW *credential))
REFUSE(domain_credentials_read, (PLUID id, ULONG cred_flags, PCREDENTIAL_TARGET_INFORMATIONW info,
                                 ULONG flags, PULONG count, PENCRYPTED_CREDENTIALW **credentials))
REFUSE(credential_write,
       (PLUID id, ULONG cred_flags, PENCRYPTED_CREDENTIALW credential, ULONG flags))
REFUSE(callback_register, (ULONG id, PLSA_CALLBACK_FUNCTION function))

static void NTAPI credentials_free(ULONG count, PENCRYPTED_CREDENTIALW *credentials)
{
    FIXME("not built yet\n");
}

static HANDLE NTAPI notification_register(SEC_THREAD_START start, void *parameter, ULONG type,
                                          ULONG class, ULONG flags, ULONG minutes, HANDLE event)
{
    FIXME("not built yet\n");
    return NULL;
}

/* Secrets stay in this process: hiding them from its other modules would hide nothing. */
static void NTAPI memory_protect(void *buffer, ULONG size)
{
    TRACE("%lu bytes left as they are\n", size);
}

static LSA_SECPKG_FUNCTION_TABLE function_table = {
    .CreateLogonSession = logon_session_create,
    .DeleteLogonSession = logon_session_delete,
    .AddCredential = credential_add,
    .GetCredentials = credentials_get,
    .DeleteCredential = credential_delete,
    .AllocateLsaHeap = heap_allocate,
    .FreeLsaHeap = heap_free,
    .AllocateClientBuffer = client_buffer_allocate,
    .FreeClientBuffer = client_buffer_free,
    .CopyToClientBuffer = client_buffer_write,
    .CopyFromClientBuffer = client_buffer_read,
    .ImpersonateClient = client_impersonate,
    .UnloadPackage = package_unload,
    .DuplicateHandle = handle_duplicate,
    .SaveSupplementalCredentials = supplemental_save,
    .CreateThread = thread_create,
    .GetClientInfo = client_info_get,
    .RegisterNotification = notification_register,
    .CancelNotification = notification_cancel,
    .MapBuffer = buffer_map,
    .CreateToken = token_create,
    .AuditLogon = logon_audit,
    .CallPackage = package_call,
    .FreeReturnBuffer = heap_free,
    .GetCallInfo = call_info_get,
    .CallPackageEx = package_call_ex,
    .CreateSharedMemory = shared_create,
    .AllocateSharedMemory = shared_allocate,
    .FreeSharedMemory = shared_free,
    .DeleteSharedMemory = shared_delete,
    .OpenSamUser = sam_user_open,
    .GetUserCredentials = user_credentials_get,
    .GetUserAuthData = user_auth_data_get,
    .CloseSamUser = sam_user_close,
    .ConvertAuthDataToToken = auth_data_to_token,
    .ClientCallback = client_callback,
    .UpdateCredentials = credentials_update,
    .GetAuthDataForUser = auth_data_for_user,
    .CrackSingleName = name_crack,
    .AuditAccountLogon = account_logon_audit,
    .CallPackagePassthrough = package_call_ex,
    .CrediRead = credential_read,
    .CrediReadDomainCredentials = domain_credentials_read,
    .CrediFreeCredentials = credentials_free,
    .LsaProtectMemory = memory_protect,
    .LsaUnprotectMemory = memory_protect,
    .OpenTokenByLogonId = token_by_logon_id,
    .ExpandAuthDataForDomain = auth_data_expand,
    .AllocatePrivateHeap = private_heap_allocate,
    .FreePrivateHeap = heap_free,
    .CreateTokenEx = token_create_ex,
    .CrediWrite = credential_write,
};

LSA_SECPKG_FUNCTION_TABLE *lsa_function_table(void)
{
    return &function_table;
}

static const void *volatile user_tables[LSA_PACKAGES_MAX]; /* by package id */

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
    package->id = 0; /* what programs take Negotiate's to be, as it is on Windows */
    if (is_negotiate(package)) return SEC_E_OK;
    LONG id = InterlockedIncrement(&last_id);
    if (id >= LSA_PACKAGES_MAX) return SEC_E_INSUFFICIENT_MEMORY;
    package->id = (ULONG_PTR)id;
    return SEC_E_OK;
}

void lsa_package_publish(const struct package *package)
{
    user_tables[package->id] = package->user;
}

static void *NTAPI package_locate(ULONG id)
{
    return id < LSA_PACKAGES_MAX ? (void *)user_tables[id] : NULL;
}

static struct dll_function_table dll_functions = {
    .declared = {.AllocateHeap = heap_allocate,
                 .FreeHeap = heap_free,
                 .RegisterCallback = callback_register},
    .LocatePackageById = package_locate,
};

SECPKG_DLL_FUNCTIONS *lsa_dll_functions(void)
{
    return &dll_functions.declared;
}
