/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handle table: chunks of slots that are never freed or moved, so that a lookup needs no
 * lock. A slot's state is one 64-bit word:
 *
 *     tag (32 bits) | closed (1 bit) | pins (31 bits)
 *
 * The tag is the generation and, in its lowest bit, the kind of handle; it is the second word of
 * the handle as well. Creation holds one pin, which closing gives up. When the last pin goes, the
 * generation moves on and the slot joins the free list. Only that list and the growth of the
 * table take the lock.
 */
#include "handle.h"

#define CHUNK_SLOTS 1024u
#define CHUNKS_MAX 32768u
#define NO_SLOT UINT32_MAX
#define SPINS 1000u

#define STATE_CLOSED ((LONG64)1 << 31)
#define STATE_PINS(state) ((uint32_t)(state)&0x7fffffffu)
#define STATE_TAG(state) ((uint32_t)((uint64_t)(state) >> 32))

#define TAG(generation, kind) ((uint32_t)(generation) << 1 | (uint32_t)(kind))
#define TAG_GENERATION(tag) ((tag) >> 1)
#define GENERATION_MAX 0x7fffffffu

#define CACHE_LINE 64u

/* A line of the processor's cache each: every call pins and unpins, and threads that work with
 * different handles must not wait for each other's lines. */
struct slot {
    _Alignas(CACHE_LINE) volatile LONG64 state;
    union {
        void *object;
        uint32_t next_free;
    };
    void (*release)(void *object);
    uint64_t inner; /* of the tag in state: another handle, its second word above its first, or 0 */
};

static struct slot *volatile chunks[CHUNKS_MAX];

static SRWLOCK table_lock = SRWLOCK_INIT; /* the three below */
static uint32_t slot_count;
static uint32_t free_first = NO_SLOT, free_last = NO_SLOT;

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

/* What is done under the lock takes less time than going to sleep does, and Wine's locks put who
 * waits to sleep at once. */
static void table_enter(void)
{
    for (unsigned i = 0; i < SPINS; i++) {
        if (TryAcquireSRWLockExclusive(&table_lock)) return;
        YieldProcessor();
    }
    AcquireSRWLockExclusive(&table_lock);
}

static bool table_grow(void)
{
    uint32_t chunk = slot_count / CHUNK_SLOTS;
    if (chunk >= CHUNKS_MAX) return false;
    struct slot *slots = VirtualAlloc(NULL, CHUNK_SLOTS * sizeof(*slots), MEM_COMMIT | MEM_RESERVE,
                                      PAGE_READWRITE);
    if (!slots) return false;
    for (uint32_t i = 0; i < CHUNK_SLOTS; i++) {
        slots[i].state = state_make(TAG(1, 0), 0) | STATE_CLOSED;
        slots[i].next_free = i + 1 < CHUNK_SLOTS ? slot_count + i + 1 : NO_SLOT;
    }
    InterlockedExchangePointer((void *volatile *)&chunks[chunk], slots);
    free_first = slot_count;
    free_last = slot_count + CHUNK_SLOTS - 1;
    slot_count += CHUNK_SLOTS;
    return true;
}

static uint32_t slot_take(void)
{
    uint32_t index = NO_SLOT;
    table_enter();
    if (free_first != NO_SLOT || table_grow()) {
        index = free_first;
        free_first = slot_at(index)->next_free;
        if (free_first == NO_SLOT) free_last = NO_SLOT;
    }
    ReleaseSRWLockExclusive(&table_lock);
    return index;
}

/* Slots are reused first in, first out, which keeps a stale handle's generation wrong longest. */
static void slot_give_back(struct slot *slot, uint32_t index)
{
    table_enter();
    slot->next_free = NO_SLOT;
    if (free_last != NO_SLOT) slot_at(free_last)->next_free = index;
    else free_first = index;
    free_last = index;
    ReleaseSRWLockExclusive(&table_lock);
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
