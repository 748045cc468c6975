/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every call of every thread needs is kept once for each of several shares of the threads:
 * a line of the processor's cache that two threads write to costs each of them 100 ns and more.
 */
#pragma once

#include "ssp/abi.h"

#define CACHE_LINE 64u
#define SHARES 16u

/* Two threads may be of one share. Ids of threads are multiples of 4. */
static inline unsigned share_of_thread(void)
{
    return GetCurrentThreadId() / 4 % SHARES;
}
