/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wiping that the optimiser cannot leave out, also of registers, and comparison whose time tells
 * nothing. */
#include "core/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The registers with which memory is copied: Wine puts them into memory in each call of the system,
 * and 32-bit programs may not use them for anything else. Those that a function need not keep for
 * its caller, by the calling conventions of Windows; what larger ones a host's functions use is not
 * among them. Not all become zero: XSAVE need not write what is as it was in the beginning, and
 * then leaves what it wrote before. */
#if defined(__x86_64__) || defined(__i386__)
__attribute__((noinline, target("sse2"))) static void wipe_xmm(void)
{
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm2, %%xmm2\n\t"
                     "pxor %%xmm3, %%xmm3\n\tpxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5"
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5");
#if defined(__i386__)
    __asm__ volatile("pxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7" : : : "xmm6", "xmm7");
#endif
}
#endif

static void wipe_vectors(void)
{
#if defined(__x86_64__)
    wipe_xmm();
#elif defined(__i386__)
    if (__builtin_cpu_supports("sse2")) wipe_xmm();
#endif
}

/* Which function a volatile pointer holds is not known to the compiler, so the call stays. */
static void *(*const volatile wipe)(void *, int, size_t) = memset;

void secret_wipe(void *data, size_t size)
{
    if (size) wipe(data, 0, size);
    wipe_vectors();
}

__attribute__((noinline)) void secret_wipe_stack(void)
{
    uint8_t below[1024];
    secret_wipe(below, sizeof(below));
}

bool secret_equal(const void *a, const void *b, size_t size)
{
    const volatile uint8_t *left = a, *right = b;
    unsigned difference = 0;
    for (size_t i = 0; i < size; i++) difference |= (unsigned)(left[i] ^ right[i]);
    return !difference;
}

void secret_free(void *data, size_t size)
{
    if (!data) return;
    secret_wipe(data, size);
    free(data);
}
