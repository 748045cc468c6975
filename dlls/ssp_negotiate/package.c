/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package Negotiate as a security support provider / authentication package: its two entry
 * points, its tables, and the memory it gives to applications. Both tables work on the same
 * objects, because they are hosted in one process: there is no other process to map a context
 * to. A host that gives no functions (Wine's own secur32) is served from the process heap, which
 * is the one its FreeContextBuffer knows.
 */
#include "negotiate_package.h"

#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("negotiate");

#define TABLE_VERSION SECPKG_INTERFACE_VERSION_3 /* where SECPKG_FUNCTION_TABLE of abi.h ends */

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved);
NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, ULONG *package_version_out,
                                   SECPKG_FUNCTION_TABLE **tables, ULONG *count);
NTSTATUS NTAPI SpUserModeInitialize(ULONG version, ULONG *package_version_out,
                                    SECPKG_USER_FUNCTION_TABLE **tables, ULONG *count);

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) DisableThreadLibraryCalls(instance);
    return TRUE;
}

/* ---- memory ---- */

/* Written once, while the host initialises the package. */
static struct {
    PLSA_ALLOCATE_LSA_HEAP alloc;
    PLSA_FREE_LSA_HEAP free;
    bool decided; /* by the LSA-mode half: the user-mode half goes along */
} heap;

void *package_alloc(size_t size)
{
    if (size > MAXLONG) return NULL;
    return heap.alloc ? heap.alloc((ULONG)size) : HeapAlloc(GetProcessHeap(), 0, size);
}

void package_free(void *block)
{
    if (!block) return;
    if (heap.free) heap.free(block);
    else HeapFree(GetProcessHeap(), 0, block);
}

/* ---- LSA mode ---- */

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

/* Only hosts that know the package as an authentication package call this. The name is one
 * block of the host's, which the host frees. */
static NTSTATUS NTAPI initialize_package(ULONG id, LSA_DISPATCH_TABLE *dispatch,
                                         LSA_STRING *database, LSA_STRING *confidentiality,
                                         LSA_STRING **name)
{
    (void)id;
    (void)database;
    (void)confidentiality;
    static const char text[] = "Negotiate";
    size_t size = sizeof(LSA_STRING) + sizeof(text);
    bool hosted = dispatch && dispatch->AllocateLsaHeap;
    LSA_STRING *string = hosted ? dispatch->AllocateLsaHeap((ULONG)size) : package_alloc(size);
    if (!string) return STATUS_NO_MEMORY;
    string->Length = sizeof(text) - 1;
    string->MaximumLength = sizeof(text);
    string->Buffer = (char *)(string + 1);
    memcpy(string->Buffer, text, sizeof(text));
    *name = string;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI initialize(ULONG_PTR id, SECPKG_PARAMETERS *parameters,
                                 LSA_SECPKG_FUNCTION_TABLE *functions)
{
    (void)parameters;
    heap.decided = true;
    if (functions && functions->AllocateLsaHeap && functions->FreeLsaHeap) {
        heap.alloc = functions->AllocateLsaHeap;
        heap.free = functions->FreeLsaHeap;
    }
    TRACE("package id %lu\n", (ULONG)id);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI get_info(SecPkgInfo *info)
{
    package_info_get((SecPkgInfoW *)info); /* MinGW declares the A form without UNICODE */
    return STATUS_SUCCESS;
}

static SECPKG_FUNCTION_TABLE lsa_table = {
    .InitializePackage = initialize_package,
    .Initialize = initialize,
    .GetInfo = get_info,
    .AcquireCredentialsHandle = credentials_acquire,
    .QueryCredentialsAttributes = credentials_query,
    .FreeCredentialsHandle = credentials_free,
    .InitLsaModeContext = context_initiate,
    .AcceptLsaModeContext = context_accept,
    .DeleteContext = context_delete_lsa,
    .ApplyControlToken = context_control,
    .QueryContextAttributes = context_query,
    .AddCredentials = credentials_add,
    .SetContextAttributes = context_set,
    .SetCredentialsAttributes = credentials_set,
};

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, ULONG *package_version_out,
                                   SECPKG_FUNCTION_TABLE **tables, ULONG *count)
{
    (void)version; /* whatever the host says, these tables are the same */
    *package_version_out = TABLE_VERSION;
    *tables = &lsa_table;
    *count = 1;
    return STATUS_SUCCESS;
}

/* ---- user mode ---- */

static NTSTATUS NTAPI instance_init(ULONG version, SECPKG_DLL_FUNCTIONS *functions,
                                    void **user_functions)
{
    (void)version;
    (void)user_functions;
    if (heap.decided || !functions || !functions->AllocateHeap || !functions->FreeHeap)
        return STATUS_SUCCESS;
    heap.alloc = functions->AllocateHeap;
    heap.free = functions->FreeHeap;
    return STATUS_SUCCESS;
}

static SECPKG_USER_FUNCTION_TABLE user_table = {
    .InstanceInit = instance_init,
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
