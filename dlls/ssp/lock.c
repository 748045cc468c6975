/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See lock.h. Whoever has waited cannot tell whether others do, and leaves that to the release. */
#include "ssp/lock.h"

void lock_wait(struct lock *lock)
{
    LONG waited_for = 2;
    while (InterlockedExchange(&lock->state, 2))
        WaitOnAddress(&lock->state, &waited_for, sizeof(waited_for), INFINITE);
}

void lock_wake(struct lock *lock)
{
    WakeByAddressSingle((void *)&lock->state);
}

void shared_lock_take(struct shared_lock *lock)
{
    for (unsigned i = 0; i < SHARES; i++) lock_take(&lock->shares[i].lock);
}

void shared_lock_give(struct shared_lock *lock)
{
    for (unsigned i = 0; i < SHARES; i++) lock_give(&lock->shares[i].lock);
}
