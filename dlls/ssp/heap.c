/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * malloc and its kin for a whole module, libgcrypt included (pe.mk links these in their place). A
 * heap of Wine lets one thread in at a time and puts the next one to sleep, so that on one heap two
 * threads that shake hands get less done than one. Here are several shares, of which a thread uses
 * the one that its id says: each has a heap, and in front of it a shelf of blocks that were freed,
 * for libgcrypt asks for the same few sizes again and again. A thread that finds its shelf in use
 * goes to the heap, and no thread waits. What another module is to free must come from elsewhere.
 */
#include "ssp/heap.h"

#include "ssp/abi.h"
#include "ssp/share.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

enum {
    STEP = 64, /* blocks come in multiples of it, as far as the shelf goes */
    STEPS_MAX = 64,
    SHELF_BYTES = 65536,
    SPARE_BYTES = 16384, /* three times of what libgcrypt takes */
    DIGEST_MAX = 48,     /* bytes that libgcrypt must not be refused when a MAC ends: SHA-384 */
    DIGESTS = 64,
};

/* Stands before each block, and keeps the alignment that HeapAlloc gives. */
union head {
    struct {
        union {
            HANDLE heap;      /* of a block in use; NULL if it is spare, or a digest's */
            union head *next; /* of one on the shelf; its heap is that of the share */
        };
        size_t size; /* without the head */
    };
    uint8_t room[MEMORY_ALLOCATION_ALIGNMENT];
};

struct share {
    _Alignas(CACHE_LINE) volatile LONG taken;
    void *volatile heap;
    size_t shelved; /* bytes; with what follows, for whoever has taken the share */
    union head *shelf[STEPS_MAX + 1];
};

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
void __wrap__gcry_fast_random_poll(void);

static struct share *share_get(void)
{
    static struct share shares[SHARES];
    return &shares[share_of_thread()];
}

static bool share_take(struct share *share)
{
    return !__atomic_exchange_n(&share->taken, 1, __ATOMIC_ACQUIRE);
}

static void share_leave(struct share *share)
{
    __atomic_store_n(&share->taken, 0, __ATOMIC_RELEASE);
}

/* Without a heap of its own, the share uses the process's. */
static HANDLE share_heap(struct share *share)
{
    if (share->heap) return share->heap;
    HANDLE made = HeapCreate(0, 0, 0);
    if (!made) made = GetProcessHeap();
    void *before = InterlockedCompareExchangePointer(&share->heap, made, NULL);
    if (!before) return made;
    if (made != GetProcessHeap()) HeapDestroy(made);
    return before;
}

/* ---- spare memory ---- */

static struct {
    union head room[SPARE_BYTES / sizeof(union head)];
    size_t used;           /* of them */
    volatile DWORD thread; /* 0: closed */
} spare;

void heap_spare_open(void)
{
    spare.thread = GetCurrentThreadId();
}

void heap_spare_close(void)
{
    spare.thread = 0;
}

static union head *spare_take(size_t size)
{
    size_t count = size / sizeof(union head) + (size % sizeof(union head) != 0);
    if (spare.thread != GetCurrentThreadId()) return NULL;
    if (count > ARRAYSIZE(spare.room) - spare.used) return NULL;
    union head *head = &spare.room[spare.used];
    spare.used += count;
    return head;
}

/* ---- digests ---- */

/* With the last byte of a MAC, libgcrypt asks for room for a digest, which it frees at once, and it
 * ends the process if there is none. As many threads can do so at a time. */
static struct digest {
    union head head;
    uint8_t room[STEP];
    volatile LONG taken;
} digests[DIGESTS];

static union head *digest_take(size_t size)
{
    for (size_t i = 0; size <= DIGEST_MAX && i < DIGESTS; i++)
        if (!InterlockedExchange(&digests[i].taken, 1)) return &digests[i].head;
    return NULL;
}

static void digest_free(union head *head)
{
    struct digest *digest = (struct digest *)head;
    if (digest < digests || digest >= digests + DIGESTS) return; /* spare memory stays used */
    InterlockedExchange(&digest->taken, 0);
}

/* ---- shares ---- */

/* NULL unless there is one of that size. */
static union head *shelf_take(struct share *share, size_t size)
{
    if (size > STEP * STEPS_MAX || !share_take(share)) return NULL;
    union head **place = &share->shelf[size / STEP], *head = *place;
    if (head) {
        *place = head->next;
        share->shelved -= size;
        head->heap = share->heap;
    }
    share_leave(share);
    return head;
}

static bool shelf_put(struct share *share, union head *head)
{
    bool fits = head->size <= STEP * STEPS_MAX && head->heap == share->heap;
    if (!fits || !share_take(share)) return false;
    bool room = share->shelved + head->size <= SHELF_BYTES;
    if (room) {
        union head **place = &share->shelf[head->size / STEP];
        share->shelved += head->size;
        head->next = *place;
        *place = head;
    }
    share_leave(share);
    return room;
}

/* libgcrypt looks at errno for what has gone wrong. */
static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *__wrap_malloc(size_t size)
{
    if (size > SIZE_MAX - sizeof(union head) - STEP) return no_memory();
    const size_t wanted = size;
    if (size <= STEP * STEPS_MAX) size = size ? (size + STEP - 1) / STEP * STEP : STEP;
    struct share *share = share_get();
    union head *head = shelf_take(share, size);
    if (head) return head + 1;
    HANDLE heap = share_heap(share);
    head = HeapAlloc(heap, 0, size + sizeof(*head));
    if (!head) {
        heap = NULL;
        head = spare_take(size + sizeof(*head));
        if (!head) head = digest_take(wanted);
    }
    if (!head) return no_memory();
    head->heap = heap;
    head->size = size;
    return head + 1;
}

void *__wrap_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) return no_memory();
    void *block = __wrap_malloc(count * size);
    if (block) memset(block, 0, count * size);
    return block;
}

void __wrap_free(void *block)
{
    if (!block) return;
    union head *head = (union head *)block - 1;
    if (!head->heap) digest_free(head);
    else if (!shelf_put(share_get(), head)) HeapFree(head->heap, 0, head);
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

/* libgcrypt wants to feed its random source whenever a hash begins, under one lock for all threads.
 * That source is not used. */
void __wrap__gcry_fast_random_poll(void)
{
}
