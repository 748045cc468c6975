/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections to the LSA. A connection is nothing but the question whether its owner is trusted, so
 * a call copies the answer and pins nothing; and its handle has to fit into one word of 32 bits,
 * which the handles of credentials do not:
 *
 *     1 | generation (13 bits) | slot (16 bits) | 00
 *
 * Kernel handles end far below the highest bit.
 */
#include "lsa_connection.h"

#include "exports.h"
#include "lsa_caller.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("sspi");

#define NAME_MAX_BYTES 127u /* of a logon process (Microsoft: LsaRegisterLogonProcess) */
#define SLOTS_MAX 0x10000u
#define GENERATION_MASK 0x1fffu
#define HANDLE_MARK 0x80000000u

struct connection_slot {
    uint16_t generation; /* of the handle that names it now, or of the next one */
    bool open, trusted;
};

static SRWLOCK slots_lock = SRWLOCK_INIT; /* all below */
static struct connection_slot *slots;
static uint32_t slot_count;
static uint32_t slot_next; /* where to look for a free one: handles come back late */

static HANDLE handle_make(uint32_t index)
{
    uint32_t generation = slots[index].generation & GENERATION_MASK;
    return (HANDLE)(ULONG_PTR)(HANDLE_MARK | generation << 18 | index << 2);
}

/* Under the lock. */
static struct connection_slot *slot_find(HANDLE handle)
{
    uint32_t index = (uint32_t)(ULONG_PTR)handle >> 2 & (SLOTS_MAX - 1);
    if (index >= slot_count || !slots[index].open || handle_make(index) != handle) return NULL;
    return &slots[index];
}

/* Under the lock. */
static bool slots_grow(void)
{
    uint32_t wanted = slot_count ? 2 * slot_count : 16;
    if (wanted > SLOTS_MAX) return false;
    struct connection_slot *grown = realloc(slots, wanted * sizeof(*slots));
    if (!grown) return false;
    memset(grown + slot_count, 0, (wanted - slot_count) * sizeof(*slots));
    slot_next = slot_count;
    slots = grown;
    slot_count = wanted;
    return true;
}

/* Under the lock: the index of a free slot, or slot_count. */
static uint32_t slot_free(void)
{
    for (uint32_t i = 0; i < slot_count; i++) {
        uint32_t index = (slot_next + i) % slot_count;
        if (!slots[index].open) return index;
    }
    uint32_t first = slot_count;
    return slots_grow() ? first : slot_count;
}

static NTSTATUS connection_open(bool trusted, HANDLE *out)
{
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    AcquireSRWLockExclusive(&slots_lock);
    uint32_t index = slot_free();
    if (index < slot_count) {
        slots[index].open = true;
        slots[index].trusted = trusted;
        slot_next = (index + 1) % slot_count;
        *out = handle_make(index);
        status = STATUS_SUCCESS;
    }
    ReleaseSRWLockExclusive(&slots_lock);
    return status;
}

bool lsa_connection_find(HANDLE handle, struct lsa_connection *out)
{
    AcquireSRWLockShared(&slots_lock);
    const struct connection_slot *slot = slot_find(handle);
    if (slot) out->trusted = slot->trusted;
    ReleaseSRWLockShared(&slots_lock);
    return slot != NULL;
}

/* ---- exports ---- */

NTSTATUS WINAPI LsaConnectUntrusted(HANDLE *handle)
{
    if (!handle) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = connection_open(false, handle);
    TRACE("status %#lx\n", (ULONG)status);
    return status;
}

NTSTATUS WINAPI LsaConnectLocalUser(HANDLE *handle); /* in no header */

/* Nothing but the name of this function is public. */
NTSTATUS WINAPI LsaConnectLocalUser(HANDLE *handle)
{
    (void)handle;
    WARN("refused\n");
    return STATUS_NOT_IMPLEMENTED;
}

NTSTATUS WINAPI LsaRegisterLogonProcess(LSA_STRING *name, HANDLE *handle,
                                        LSA_OPERATIONAL_MODE *mode)
{
    if (!name || !handle || !mode) return STATUS_INVALID_PARAMETER;
    if (name->Length > NAME_MAX_BYTES) return STATUS_NAME_TOO_LONG;
    if (!lsa_caller_trusted()) {
        WARN("%.*s is neither the system nor an administrator\n", name->Length, name->Buffer);
        return STATUS_PORT_CONNECTION_REFUSED;
    }
    NTSTATUS status = connection_open(true, handle);
    if (status >= 0) *mode = 0; /* it has no meaning any more */
    TRACE("%.*s: status %#lx\n", name->Length, name->Buffer, (ULONG)status);
    return status;
}

NTSTATUS WINAPI LsaDeregisterLogonProcess(HANDLE handle)
{
    AcquireSRWLockExclusive(&slots_lock);
    struct connection_slot *slot = slot_find(handle);
    if (slot) {
        slot->open = false;
        slot->generation++;
    }
    ReleaseSRWLockExclusive(&slots_lock);
    return slot ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}
