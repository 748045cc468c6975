/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random bytes from the system. Wine takes them from the host in a call under one lock for the
 * whole process, and a handshake wants a few bytes three times: so each share of the threads gets
 * more of them at once, and hands them out. What has been handed out is wiped.
 */
#include "core/secret.h"
#include "ssp/abi.h"
#include "ssp/prefix.h"
#include "ssp/share.h"

#include <bcrypt.h>
#include <limits.h>
#include <string.h>
#include <winternl.h>

enum { STOCK = 512, SMALL = 64 };

struct stock {
    _Alignas(CACHE_LINE) volatile LONG taken;
    size_t left;
    uint8_t bytes[STOCK];
};

static status_t system_fetch(void *out, ULONG size)
{
    NTSTATUS status = BCryptGenRandom(NULL, out, size, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    return status < 0 ? SEC_E_INTERNAL_ERROR : SEC_E_OK;
}

/* Wine takes a structure of octets for each processor at once from the host, and keeps those that
 * it has handed out until it takes others: so it is asked for as many more. */
static void system_forget(void)
{
    uint8_t unused[512];
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    size_t left = sizeof(SYSTEM_INTERRUPT_INFORMATION) * system.dwNumberOfProcessors;
    while (left) {
        size_t part = left < sizeof(unused) ? left : sizeof(unused);
        if (!status_ok(system_fetch(unused, (ULONG)part))) return;
        left -= part;
    }
}

static status_t random_fetch(void *out, size_t size)
{
    if (size > ULONG_MAX) return SEC_E_INVALID_PARAMETER;
    status_t status = system_fetch(out, (ULONG)size);
    if (status_ok(status)) system_forget();
    return status;
}

static status_t stock_take(struct stock *stock, void *out, size_t size)
{
    if (stock->left < size) {
        status_t status = random_fetch(stock->bytes, STOCK);
        if (!status_ok(status)) return status;
        stock->left = STOCK;
    }
    stock->left -= size;
    memcpy(out, stock->bytes + stock->left, size);
    secret_wipe(stock->bytes + stock->left, size);
    return SEC_E_OK;
}

status_t random_bytes(void *out, size_t size)
{
    static struct stock stocks[SHARES];
    struct stock *stock = &stocks[share_of_thread()];
    if (size > SMALL || __atomic_exchange_n(&stock->taken, 1, __ATOMIC_ACQUIRE))
        return random_fetch(out, size);
    status_t status = stock_take(stock, out, size);
    __atomic_store_n(&stock->taken, 0, __ATOMIC_RELEASE);
    return status;
}
