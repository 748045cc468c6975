/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Call contexts: an application tells, thread by thread, which peer it works for
 * (SeciAllocateAndSetIPAddress, SecAllocateAndSetCallTarget), and Windows writes the address into
 * its audit records. Here the trace is that record. A thread that ends without freeing its context
 * loses it.
 */
#include "call_context.h"

#include "core/reader.h"
#include "ssp/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

#define FAMILY_IPV4 2u
#define FAMILY_IPV6 23u

/* ---- the thread's context ---- */

static DWORD slot = FLS_OUT_OF_INDEXES;

static void WINAPI context_free(void *context)
{
    struct call_context *call = context;
    if (!call) return;
    free(call->target);
    free(call);
}

/* The system calls context_free when a thread ends, so this module must not go before. */
static BOOL CALLBACK slot_make(INIT_ONCE *once, void *parameter, void **context)
{
    HMODULE self;
    (void)once;
    (void)parameter;
    (void)context;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                            (const WCHAR *)(ULONG_PTR)context_free, &self))
        return FALSE;
    slot = FlsAlloc(context_free);
    return slot != FLS_OUT_OF_INDEXES;
}

const struct call_context *call_context_get(void)
{
    return slot == FLS_OUT_OF_INDEXES ? NULL : FlsGetValue(slot);
}

/* Takes made over on success; the one that there was before goes. */
static bool context_set(struct call_context *made)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    if (!InitOnceExecuteOnce(&once, slot_make, NULL, NULL)) return false;
    struct call_context *before = FlsGetValue(slot);
    if (!FlsSetValue(slot, made)) return false;
    context_free(before);
    return true;
}

static struct call_context *context_make(const UCHAR *address, ULONG size, const WCHAR *target)
{
    struct call_context *made = calloc(1, sizeof(*made));
    if (!made) return NULL;
    if (address) {
        memcpy(made->address, address, size);
        made->address_size = size;
    }
    if (!target) return made;
    size_t target_size = (wcslen(target) + 1) * sizeof(WCHAR);
    made->target = malloc(target_size);
    if (made->target) {
        memcpy(made->target, target, target_size);
        return made;
    }
    free(made);
    return NULL;
}

/* Whoever makes a thread's context frees it; who finds one there only changes what it says. */
static SECURITY_STATUS context_replace(const UCHAR *address, ULONG size, const WCHAR *target,
                                       BOOL *must_free)
{
    if (!must_free || (!address && !target)) return SEC_E_INVALID_PARAMETER;
    if (address && (!size || size > CALL_ADDRESS_MAX)) return SEC_E_INVALID_PARAMETER;
    bool first = !call_context_get();
    struct call_context *made = context_make(address, size, target);
    if (!made) return SEC_E_INSUFFICIENT_MEMORY;
    if (!context_set(made)) {
        context_free(made);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    *must_free = first;
    return SEC_E_OK;
}

/* ---- the record ---- */

static void address_print(const struct call_context *call, char *out, size_t size)
{
    struct reader r;
    reader_init(&r, call->address, call->address_size);
    unsigned family = reader_u16le(&r), port = reader_u16be(&r);
    if (family == FAMILY_IPV6) {
        reader_u32le(&r); /* flow information */
        int length = 0;
        for (int i = 0; i < 8; i++)
            length += snprintf(out + length, size - (size_t)length, "%s%x", i ? ":" : "[",
                               reader_u16be(&r));
        snprintf(out + length, size - (size_t)length, "]:%u", port);
    } else {
        const uint8_t *a = reader_bytes(&r, 4).data;
        if (a) snprintf(out, size, "%u.%u.%u.%u:%u", a[0], a[1], a[2], a[3], port);
    }
    bool known = family == FAMILY_IPV4 || family == FAMILY_IPV6;
    if (!known || !reader_ok(&r)) snprintf(out, size, "an address of family %u", family);
}

void call_context_audit(status_t status)
{
    const struct call_context *call = status_ok(status) ? NULL : call_context_get();
    char address[64] = "no address", target[TRACE_TEXT_MAX];
    if (!call) return;
    if (call->address_size) address_print(call, address, sizeof(address));
    WARN("log-on refused with status %#lx: peer %s, target %s\n", (ULONG)status, address,
         trace_wide(target, call->target, -1));
}

/* ---- exports, which no header declares ---- */

SECURITY_STATUS WINAPI SeciAllocateAndSetIPAddress(UCHAR *address, ULONG size, BOOL *must_free);
SECURITY_STATUS WINAPI SeciAllocateAndSetCallTarget(UCHAR *address, ULONG size, WCHAR *target,
                                                    BOOL *must_free);
void WINAPI SeciFreeCallContext(void);

SECURITY_STATUS WINAPI SeciAllocateAndSetIPAddress(UCHAR *address, ULONG size, BOOL *must_free)
{
    if (!address) return SEC_E_INVALID_PARAMETER;
    return context_replace(address, size, NULL, must_free);
}

SECURITY_STATUS WINAPI SeciAllocateAndSetCallTarget(UCHAR *address, ULONG size, WCHAR *target,
                                                    BOOL *must_free)
{
    return context_replace(address, size, target, must_free);
}

void WINAPI SeciFreeCallContext(void)
{
    if (call_context_get()) context_set(NULL);
}
