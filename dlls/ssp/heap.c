/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * malloc and its kin for a whole module, libgcrypt included (pe.mk links these in their place):
 * several heaps, of which a thread uses the one that its id says. A heap of Wine lets one thread in
 * at a time and puts the next one to sleep, so that on one heap two threads that shake hands get
 * less done than one. What another module is to free must come from elsewhere.
 */
#include "ssp/abi.h"

#include <stdint.h>
#include <string.h>

enum { HEAPS = 16 };

/* Stands before each block, and keeps the alignment that HeapAlloc gives. */
union head {
    struct {
        HANDLE heap;
        size_t size;
    };
    uint8_t room[MEMORY_ALLOCATION_ALIGNMENT];
};

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

/* Without a heap of its own, the thread uses the process's. */
static HANDLE heap_get(void)
{
    static void *volatile heaps[HEAPS];
    void *volatile *own = &heaps[GetCurrentThreadId() / 4 % HEAPS];
    if (*own) return *own;
    HANDLE made = HeapCreate(0, 0, 0);
    if (made && !InterlockedCompareExchangePointer(own, made, NULL)) return made;
    if (made) HeapDestroy(made);
    return *own ? *own : GetProcessHeap();
}

void *__wrap_malloc(size_t size)
{
    if (size > SIZE_MAX - sizeof(union head)) return NULL;
    HANDLE heap = heap_get();
    union head *head = HeapAlloc(heap, 0, size + sizeof(*head));
    if (!head) return NULL;
    head->heap = heap;
    head->size = size;
    return head + 1;
}

void *__wrap_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) return NULL;
    void *block = __wrap_malloc(count * size);
    if (block) memset(block, 0, count * size);
    return block;
}

void __wrap_free(void *block)
{
    if (!block) return;
    union head *head = (union head *)block - 1;
    HeapFree(head->heap, 0, head);
}

void *__wrap_realloc(void *block, size_t size)
{
    void *moved = __wrap_malloc(size);
    if (!block || !moved) return moved;
    const size_t old = ((union head *)block - 1)->size;
    memcpy(moved, block, old < size ? old : size);
    __wrap_free(block);
    return moved;
}
