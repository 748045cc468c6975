/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handle table: chunks of slots that are never freed or moved, so that a lookup needs no
 * lock. A slot's state is one 64-bit word:
 *
 *     tag (32 bits) | closed (1 bit) | pins (31 bits)
 *
 * The tag is the generation and, in its lowest bit, the kind of handle; it is the second word of
 * the handle as well. Creation holds one pin, which closing gives up. When the last pin goes, the
 * generation moves on and the slot joins the free list of the share of threads that it was made
 * for. Only these lists take locks.
 */
#include "handle.h"

#include "ssp/lock.h"

#define CHUNK_SLOTS 1024u
#define CHUNKS_MAX 32768u
#define NO_SLOT UINT32_MAX

#define STATE_CLOSED ((LONG64)1 << 31)
#define STATE_PINS(state) ((uint32_t)(state)&0x7fffffffu)
#define STATE_TAG(state) ((uint32_t)((uint64_t)(state) >> 32))

#define TAG(generation, kind) ((uint32_t)(generation) << 1 | (uint32_t)(kind))
#define TAG_GENERATION(tag) ((tag) >> 1)
#define GENERATION_MAX 0x7fffffffu

struct free_list {
    _Alignas(CACHE_LINE) struct lock lock;
    uint32_t first, last;
};

/* A line of the processor's cache each: every call pins and unpins, and threads that work with
 * different handles must not wait for each other's lines. */
struct slot {
    _Alignas(CACHE_LINE) volatile LONG64 state;
    union {
        void *object;
        uint32_t next_free;
    };
    void (*release)(void *object);
    struct free_list *home;
    uint64_t inner; /* of the tag in state: another handle, its second word above its first, or 0 */
};

static struct slot *volatile chunks[CHUNKS_MAX];

static volatile LONG chunk_count;

static struct free_list lists[SHARES] = {
    [0 ... SHARES - 1] = {.first = NO_SLOT, .last = NO_SLOT},
};

static struct slot *slot_at(uint32_t index)
{
    if (index / CHUNK_SLOTS >= CHUNKS_MAX) return NULL;
    struct slot *chunk = chunks[index / CHUNK_SLOTS];
    return chunk ? &chunk[index % CHUNK_SLOTS] : NULL;
}

static LONG64 state_make(uint32_t tag, uint32_t pins)
{
    return (LONG64)((uint64_t)tag << 32 | pins);
}

static bool state_change(struct slot *slot, LONG64 *seen, LONG64 wanted)
{
    LONG64 found = InterlockedCompareExchange64(&slot->state, wanted, *seen);
    if (found == *seen) return true;
    *seen = found;
    return false;
}

/* Whole also on 32 bit, where a plain read of 64 bits could tear. */
static LONG64 state_read(struct slot *slot)
{
    return __atomic_load_n(&slot->state, __ATOMIC_ACQUIRE);
}

/* A new chunk, for a list that is empty. */
static bool list_grow(struct free_list *list)
{
    struct slot *slots = VirtualAlloc(NULL, CHUNK_SLOTS * sizeof(*slots), MEM_COMMIT | MEM_RESERVE,
                                      PAGE_READWRITE);
    if (!slots) return false;
    uint32_t chunk = (uint32_t)InterlockedIncrement(&chunk_count) - 1;
    if (chunk >= CHUNKS_MAX) {
        InterlockedDecrement(&chunk_count);
        VirtualFree(slots, 0, MEM_RELEASE);
        return false;
    }
    uint32_t first = chunk * CHUNK_SLOTS;
    for (uint32_t i = 0; i < CHUNK_SLOTS; i++) {
        slots[i].state = state_make(TAG(1, 0), 0) | STATE_CLOSED;
        slots[i].next_free = i + 1 < CHUNK_SLOTS ? first + i + 1 : NO_SLOT;
        slots[i].home = list;
    }
    InterlockedExchangePointer((void *volatile *)&chunks[chunk], slots);
    list->first = first;
    list->last = first + CHUNK_SLOTS - 1;
    return true;
}

static uint32_t slot_take(void)
{
    struct free_list *list = &lists[share_of_thread()];
    uint32_t index = NO_SLOT;
    lock_take(&list->lock);
    if (list->first != NO_SLOT || list_grow(list)) {
        index = list->first;
        list->first = slot_at(index)->next_free;
        if (list->first == NO_SLOT) list->last = NO_SLOT;
    }
    lock_give(&list->lock);
    return index;
}

/* Slots are reused first in, first out, which keeps a stale handle's generation wrong longest. */
static void slot_give_back(struct slot *slot, uint32_t index)
{
    struct free_list *list = slot->home;
    lock_take(&list->lock);
    slot->next_free = NO_SLOT;
    if (list->last != NO_SLOT) slot_at(list->last)->next_free = index;
    else list->first = index;
    list->last = index;
    lock_give(&list->lock);
}

static uint32_t handle_index(const SecHandle *handle)
{
    return (uint32_t)handle->dwLower - 1;
}

/* The slot that the handle names, if it is of that kind by its own account; the tag decides. */
static struct slot *handle_slot(enum handle_kind kind, const SecHandle *handle)
{
    if (!handle || !handle->dwLower) return NULL;
    if (handle->dwLower > UINT32_MAX || handle->dwUpper > UINT32_MAX) return NULL;
    if ((enum handle_kind)(handle->dwUpper & 1) != kind) return NULL;
    return slot_at(handle_index(handle));
}

static bool state_is_of(LONG64 state, const SecHandle *handle)
{
    return !(state & STATE_CLOSED) && STATE_TAG(state) == (uint32_t)handle->dwUpper;
}

status_t handle_reserve(uint32_t *place)
{
    *place = slot_take();
    return *place == NO_SLOT ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

void handle_fill(uint32_t place, enum handle_kind kind, void *object, void (*release)(void *object),
                 SecHandle *out)
{
    struct slot *slot = slot_at(place);
    uint32_t tag = TAG(TAG_GENERATION(STATE_TAG(state_read(slot))), kind);
    slot->object = object;
    slot->release = release;
    InterlockedExchange64(&slot->state, state_make(tag, 1));
    out->dwLower = (ULONG_PTR)place + 1;
    out->dwUpper = tag;
}

void handle_set_inner(uint32_t place, const SecHandle *inner)
{
    uint64_t words = 0;
    if (inner && inner->dwLower <= UINT32_MAX && inner->dwUpper <= UINT32_MAX)
        words = (uint64_t)inner->dwUpper << 32 | inner->dwLower;
    __atomic_store_n(&slot_at(place)->inner, words, __ATOMIC_RELEASE);
}

/* A slot changes its tag before what is inner to it: a slot that still has the tag has not given
 * what belongs to a later one. */
bool handle_inner(enum handle_kind kind, const SecHandle *handle, SecHandle *inner)
{
    struct slot *slot = handle_slot(kind, handle);
    if (!slot) return false;
    uint64_t words = __atomic_load_n(&slot->inner, __ATOMIC_ACQUIRE);
    if (!words || !state_is_of(state_read(slot), handle)) return false;
    *inner = (SecHandle){(uint32_t)words, (uint32_t)(words >> 32)};
    return true;
}

void handle_give_back(uint32_t place)
{
    slot_give_back(slot_at(place), place);
}

status_t handle_create(enum handle_kind kind, void *object, void (*release)(void *object),
                       SecHandle *out)
{
    uint32_t place;
    status_t status = handle_reserve(&place);
    if (status_ok(status)) handle_fill(place, kind, object, release, out);
    return status;
}

void *handle_pin(enum handle_kind kind, const SecHandle *handle)
{
    struct slot *slot = handle_slot(kind, handle);
    if (!slot) return NULL;
    LONG64 state = state_read(slot);
    do {
        if (!state_is_of(state, handle)) return NULL;
    } while (!state_change(slot, &state, state + 1));
    return slot->object;
}

static void slot_unpin(struct slot *slot, uint32_t index)
{
    LONG64 next = __atomic_sub_fetch(&slot->state, 1, __ATOMIC_ACQ_REL);
    if (STATE_PINS(next)) return;

    /* Closed and unpinned: nobody can pin it again, so this thread alone has it. */
    void *object = slot->object;
    void (*release)(void *object) = slot->release;
    uint32_t generation = TAG_GENERATION(STATE_TAG(next));
    generation = generation == GENERATION_MAX ? 1 : generation + 1;
    InterlockedExchange64(&slot->state, state_make(TAG(generation, 0), 0) | STATE_CLOSED);
    handle_set_inner(index, NULL);
    slot_give_back(slot, index);
    release(object);
}

void handle_unpin(const SecHandle *handle)
{
    uint32_t index = handle_index(handle);
    slot_unpin(slot_at(index), index);
}

bool handle_close(enum handle_kind kind, const SecHandle *handle)
{
    struct slot *slot = handle_slot(kind, handle);
    if (!slot) return false;
    LONG64 state = state_read(slot);
    do {
        if (!state_is_of(state, handle)) return false;
    } while (!state_change(slot, &state, state | STATE_CLOSED));
    slot_unpin(slot, handle_index(handle));
    return true;
}
