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
 *
 * A credential is what many threads use at once. So each share of threads has a state of its own
 * for it, of the same form: the first pin of a share pins the slot, and the share keeps that pin
 * until the handle is closed. These states stay with the slot, so credentials have a list of their
 * own, of which the slot given back last is taken first: there are as many as were ever in use.
 */
#include "handle.h"

#include "ssp/lock.h"

#include <stdlib.h>

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

struct own_state {
    volatile LONG64 state;
    BYTE rest[CACHE_LINE - sizeof(LONG64)];
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
    struct own_state *volatile shares; /* SHARES of them once it has been a credential's */
};

static struct slot *volatile chunks[CHUNKS_MAX];

static volatile LONG chunk_count;

static struct free_list lists[SHARES] = {
    [0 ... SHARES - 1] = {.first = NO_SLOT, .last = NO_SLOT},
};
static struct free_list credentials = {.first = NO_SLOT, .last = NO_SLOT};

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

static bool state_change(volatile LONG64 *state, LONG64 *seen, LONG64 wanted)
{
    LONG64 found = InterlockedCompareExchange64(state, wanted, *seen);
    if (found == *seen) return true;
    *seen = found;
    return false;
}

/* Whole also on 32 bit, where a plain read of 64 bits could tear. */
static LONG64 state_read(volatile LONG64 *state)
{
    return __atomic_load_n(state, __ATOMIC_ACQUIRE);
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

static uint32_t slot_take(struct free_list *list)
{
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

/* Contexts reuse slots first in, first out, which keeps a stale handle's generation wrong longest.
 */
static void slot_give_back(struct slot *slot, uint32_t index)
{
    struct free_list *list = slot->home;
    lock_take(&list->lock);
    bool empty = list->first == NO_SLOT, to_front = empty || list == &credentials;
    slot->next_free = to_front ? list->first : NO_SLOT;
    if (to_front) list->first = index;
    else slot_at(list->last)->next_free = index;
    if (empty || !to_front) list->last = index;
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
    *place = slot_take(&lists[share_of_thread()]);
    return *place == NO_SLOT ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

static void slot_fill(uint32_t place, enum handle_kind kind, void *object,
                      void (*release)(void *object), SecHandle *out)
{
    struct slot *slot = slot_at(place);
    uint32_t tag = TAG(TAG_GENERATION(STATE_TAG(state_read(&slot->state))), kind);
    slot->object = object;
    slot->release = release;
    InterlockedExchange64(&slot->state, state_make(tag, 1));
    out->dwLower = (ULONG_PTR)place + 1;
    out->dwUpper = tag;
}

void handle_fill(uint32_t place, void *object, void (*release)(void *object), SecHandle *out)
{
    slot_fill(place, HANDLE_CONTEXT, object, release, out);
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
static inline bool slot_inner(struct slot *slot, const SecHandle *handle, SecHandle *inner)
{
    uint64_t words = __atomic_load_n(&slot->inner, __ATOMIC_ACQUIRE);
    if (!words || !state_is_of(state_read(&slot->state), handle)) return false;
    *inner = (SecHandle){(uint32_t)words, (uint32_t)(words >> 32)};
    return true;
}

void handle_give_back(uint32_t place)
{
    slot_give_back(slot_at(place), place);
}

/* They stay with the slot, as that does. */
static bool slot_share(struct slot *slot)
{
    if (slot->shares) return true;
    BYTE *made = calloc(SHARES + 1, sizeof(struct own_state));
    if (!made) return false;
    made += CACHE_LINE - (uintptr_t)made % CACHE_LINE;
    __atomic_store_n(&slot->shares, (struct own_state *)made, __ATOMIC_RELEASE);
    return true;
}

status_t handle_create_credential(void *object, void (*release)(void *object), SecHandle *out)
{
    uint32_t place = slot_take(&credentials);
    if (place == NO_SLOT) return SEC_E_INSUFFICIENT_MEMORY;
    if (!slot_share(slot_at(place))) {
        handle_give_back(place);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    slot_fill(place, HANDLE_CREDENTIAL, object, release, out);
    return SEC_E_OK;
}

/* ---- pins ---- */

static inline bool state_pin(volatile LONG64 *state, const SecHandle *handle)
{
    LONG64 seen = state_read(state);
    do {
        if (!state_is_of(seen, handle)) return false;
    } while (!state_change(state, &seen, seen + 1));
    return true;
}

static bool state_close(volatile LONG64 *state, const SecHandle *handle)
{
    LONG64 seen = state_read(state);
    do {
        if (!state_is_of(seen, handle)) return false;
    } while (!state_change(state, &seen, seen | STATE_CLOSED));
    return true;
}

/* Closed and unpinned: nobody can pin it again, so this thread alone has it. */
static void slot_release(struct slot *slot, uint32_t index, LONG64 last)
{
    void *object = slot->object;
    void (*release)(void *object) = slot->release;
    uint32_t generation = TAG_GENERATION(STATE_TAG(last));
    generation = generation == GENERATION_MAX ? 1 : generation + 1;
    InterlockedExchange64(&slot->state, state_make(TAG(generation, 0), 0) | STATE_CLOSED);
    handle_set_inner(index, NULL);
    slot_give_back(slot, index);
    release(object);
}

static inline void slot_unpin(struct slot *slot, uint32_t index)
{
    LONG64 next = __atomic_sub_fetch(&slot->state, 1, __ATOMIC_ACQ_REL);
    if (!STATE_PINS(next)) slot_release(slot, index, next);
}

/* ---- a share's pins of a credential ---- */

static struct own_state *own_state(enum handle_kind kind, const struct slot *slot)
{
    struct own_state *shares = __atomic_load_n(&slot->shares, __ATOMIC_ACQUIRE);
    return kind == HANDLE_CREDENTIAL && shares ? &shares[share_of_thread()] : NULL;
}

/* The pin of the slot goes with the last one. */
static void own_unpin(struct slot *slot, uint32_t index, struct own_state *own)
{
    if (!STATE_PINS(__atomic_sub_fetch(&own->state, 1, __ATOMIC_ACQ_REL))) slot_unpin(slot, index);
}

/* Whoever closes the slot closes the shares after it; a share that begins at that moment sees that
 * the slot is closed, and does it itself. */
static void own_close(struct slot *slot, struct own_state *own, const SecHandle *handle)
{
    if (state_close(&own->state, handle)) own_unpin(slot, handle_index(handle), own);
}

/* The first pin. What is there is of an earlier handle, closed and without pins. */
static bool own_begin(struct slot *slot, struct own_state *own, const SecHandle *handle)
{
    const uint32_t tag = (uint32_t)handle->dwUpper;
    LONG64 seen = state_read(&own->state);
    if (STATE_TAG(seen) == tag) return state_pin(&own->state, handle);
    if (!state_pin(&slot->state, handle)) return false;
    if (!state_change(&own->state, &seen, state_make(tag, 2))) {
        slot_unpin(slot, handle_index(handle)); /* another thread of the share has begun */
        return state_pin(&own->state, handle);
    }
    if (state_read(&slot->state) & STATE_CLOSED) own_close(slot, own, handle);
    return true;
}

/* ---- what others call ---- */

void *handle_pin(enum handle_kind kind, const SecHandle *handle)
{
    struct slot *slot = handle_slot(kind, handle);
    if (!slot) return NULL;
    struct own_state *own = own_state(kind, slot);
    bool pinned = own ? state_pin(&own->state, handle) || own_begin(slot, own, handle)
                      : state_pin(&slot->state, handle);
    return pinned ? slot->object : NULL;
}

void *handle_pin_inner(SecHandle *handle)
{
    struct slot *slot = handle_slot(HANDLE_CONTEXT, handle);
    SecHandle inner;
    if (!slot) return NULL;
    void *object = slot_inner(slot, handle, &inner) ? handle_pin(HANDLE_CONTEXT, &inner) : NULL;
    if (object) {
        *handle = inner;
        return object;
    }
    return state_pin(&slot->state, handle) ? slot->object : NULL;
}

void handle_unpin(const SecHandle *handle)
{
    uint32_t index = handle_index(handle);
    struct slot *slot = slot_at(index);
    struct own_state *own = own_state((enum handle_kind)(handle->dwUpper & 1), slot);
    if (own) own_unpin(slot, index, own);
    else slot_unpin(slot, index);
}

bool handle_close(enum handle_kind kind, const SecHandle *handle)
{
    struct slot *slot = handle_slot(kind, handle);
    if (!slot || !state_close(&slot->state, handle)) return false;
    for (unsigned i = 0; kind == HANDLE_CREDENTIAL && i < SHARES; i++)
        own_close(slot, &slot->shares[i], handle);
    slot_unpin(slot, handle_index(handle));
    return true;
}
