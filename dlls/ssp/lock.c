/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See lock.h. Who was missed by a release looks again after a while. */
#include "ssp/lock.h"

#define WHILE 1u /* ms */

void lock_wait(struct lock *lock)
{
    LONG held = 1;
    InterlockedIncrement(&lock->waiting);
    while (InterlockedCompareExchange(&lock->held, 1, 0))
        WaitOnAddress(&lock->held, &held, sizeof(held), WHILE);
    InterlockedDecrement(&lock->waiting);
}

void lock_wake(struct lock *lock)
{
    WakeByAddressSingle((void *)&lock->held);
}

void shared_lock_take(struct shared_lock *lock)
{
    for (unsigned i = 0; i < SHARES; i++) lock_take(&lock->shares[i].lock);
}

void shared_lock_give(struct shared_lock *lock)
{
    for (unsigned i = 0; i < SHARES; i++) lock_give(&lock->shares[i].lock);
}
