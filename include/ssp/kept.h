/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is read from the registry at most once a second, because every handshake asks for it and
 * reading costs several times as much. A change holds after a second at the latest.
 */
#pragma once

#include "ssp/lock.h"

#include <stddef.h>

#define KEPT_MILLISECONDS 1000u

struct kept {
    struct shared_lock lock;
    ULONGLONG expires; /* with the value, under the lock */
    void *value;
    size_t size;
    void (*read)(void *value); /* fills in zeroed memory */
};

#define KEPT(place, function)                                          \
    {                                                                  \
        .value = (place), .size = sizeof(*(place)), .read = (function) \
    }

void kept_get(struct kept *kept, void *out);
