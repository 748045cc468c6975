/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process uses, for tests whose use must not grow. */
#pragma once

#include <windows.h>

/*
 * The place that the last of some new handles gets, which moves with every handle that is left
 * over: the first free ones are given out. Wine 8 has no GetProcessHandleCount.
 */
static inline ULONG handles_now(void)
{
    HANDLE events[16];
    ULONG_PTR last = 0;
    for (size_t i = 0; i < ARRAYSIZE(events); i++) {
        events[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
        if ((ULONG_PTR)events[i] > last) last = (ULONG_PTR)events[i];
    }
    for (size_t i = 0; i < ARRAYSIZE(events); i++) CloseHandle(events[i]);
    return (ULONG)last / 4 - ARRAYSIZE(events);
}

struct use {
    ULONG bytes; /* in blocks of all heaps */
    ULONG handles;
};

/* No other thread may be at work. */
static inline struct use use_now(void)
{
    struct use use = {0, handles_now()};
    HANDLE heaps[256];
    DWORD count = GetProcessHeaps(ARRAYSIZE(heaps), heaps);
    for (DWORD i = 0; i < count && i < ARRAYSIZE(heaps); i++) {
        PROCESS_HEAP_ENTRY entry = {.lpData = NULL};
        HeapLock(heaps[i]);
        while (HeapWalk(heaps[i], &entry))
            if (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) use.bytes += (ULONG)entry.cbData;
        HeapUnlock(heaps[i]);
    }
    return use;
}
