/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wiping that the optimiser cannot leave out, and comparison whose time tells nothing. */
#include "core/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Which function a volatile pointer holds is not known to the compiler, so the call stays. */
static void *(*const volatile wipe)(void *, int, size_t) = memset;

void secret_wipe(void *data, size_t size)
{
    if (size) wipe(data, 0, size);
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
