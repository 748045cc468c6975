/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the SSP/APs of this project have in common; see ssp/provider.h. */
#include "ssp/provider.h"

/* Written once, while the host initialises the package. */
static struct {
    PLSA_ALLOCATE_LSA_HEAP alloc;
    PLSA_FREE_LSA_HEAP free;
    bool decided; /* by the LSA-mode half: the user-mode half goes along */
} heap;

static const LSA_SECPKG_FUNCTION_TABLE *host; /* likewise */

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) DisableThreadLibraryCalls(instance);
    return TRUE;
}

bool package_time(const FILETIME *utc, TimeStamp *out)
{
    FILETIME local;
    if (!FileTimeToLocalFileTime(utc, &local)) return false;
    out->LowPart = local.dwLowDateTime;
    out->HighPart = (LONG)local.dwHighDateTime;
    return true;
}

void package_never(TimeStamp *out)
{
    out->QuadPart = 0x7fffff36d5969fff;
}

const LSA_SECPKG_FUNCTION_TABLE *package_host(void)
{
    return host;
}

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

NTSTATUS NTAPI package_initialize(ULONG_PTR id, SECPKG_PARAMETERS *parameters,
                                  LSA_SECPKG_FUNCTION_TABLE *functions)
{
    (void)id;
    (void)parameters;
    heap.decided = true;
    host = functions;
    if (functions && functions->AllocateLsaHeap && functions->FreeLsaHeap) {
        heap.alloc = functions->AllocateLsaHeap;
        heap.free = functions->FreeLsaHeap;
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI package_instance_init(ULONG version, SECPKG_DLL_FUNCTIONS *functions,
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
