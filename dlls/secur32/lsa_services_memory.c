/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory for packages. All heaps are the process heap, which FreeContextBuffer frees. */
#include "lsa_services.h"

#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

void *NTAPI service_heap_allocate(ULONG size)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

void NTAPI service_heap_free(void *block)
{
    HeapFree(GetProcessHeap(), 0, block);
}

void *NTAPI service_private_allocate(SIZE_T size)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

/* ---- memory of the client ---- */

NTSTATUS NTAPI service_client_allocate(PLSA_CLIENT_REQUEST request, ULONG size, void **out)
{
    void *block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
    if (!block) return STATUS_NO_MEMORY;
    *out = block;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI service_client_free(PLSA_CLIENT_REQUEST request, void *block)
{
    HeapFree(GetProcessHeap(), 0, block);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI service_client_write(PLSA_CLIENT_REQUEST request, ULONG size, void *client,
                                    void *from)
{
    memcpy(client, from, size);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI service_client_read(PLSA_CLIENT_REQUEST request, ULONG size, void *to, void *client)
{
    memcpy(to, client, size);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI service_buffer_map(SecBuffer *in, SecBuffer *out)
{
    *out = *in;
    out->BufferType &= ~(ULONG)SECBUFFER_UNMAPPED;
    return STATUS_SUCCESS;
}

/* ---- shared memory: one heap per region, as there is one process ---- */

void *NTAPI service_shared_create(ULONG max_size, ULONG initial_size)
{
    return HeapCreate(0, initial_size, max_size);
}

void *NTAPI service_shared_allocate(void *region, ULONG size)
{
    return HeapAlloc(region, HEAP_ZERO_MEMORY, size);
}

void NTAPI service_shared_free(void *region, void *block)
{
    HeapFree(region, 0, block);
}

BOOLEAN NTAPI service_shared_delete(void *region)
{
    return HeapDestroy(region) != 0;
}
