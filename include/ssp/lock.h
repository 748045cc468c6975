/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A lock for what every record takes. When nobody waits, an SRW lock of Wine 8.0 costs 60 ns, since
 * each release looks for sleepers, which is a quarter of a short record; a critical section calls
 * the server when it is deleted. This costs 7 ns and nothing. Zero is free; it is not recursive.
 */
#pragma once

#include "ssp/share.h"

#include <stdbool.h>

struct lock {
    volatile LONG held;
    volatile LONG waiting; /* threads */
};

/* Where somebody has to wait, or to be woken. */
void lock_wait(struct lock *lock);
void lock_wake(struct lock *lock);

static inline void lock_take(struct lock *lock)
{
    if (InterlockedCompareExchange(&lock->held, 1, 0)) lock_wait(lock);
}

/* Without a barrier between the two, which would cost as much as the taking: who begins to wait at
 * this moment may be missed. */
static inline void lock_give(struct lock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
    if (lock->waiting) lock_wake(lock);
}

/* For what all threads read and hardly any writes: a reader has the lock of its share, a writer has
 * them all. */
struct shared_lock {
    struct {
        _Alignas(CACHE_LINE) struct lock lock;
    } shares[SHARES];
};

/* What the reader gives back. */
static inline struct lock *shared_lock_read(struct shared_lock *lock)
{
    struct lock *own = &lock->shares[share_of_thread()].lock;
    lock_take(own);
    return own;
}

void shared_lock_take(struct shared_lock *lock);
void shared_lock_give(struct shared_lock *lock);
