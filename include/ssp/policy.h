/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an administrator has set in the registry, as a package keeps it: it is read at most once a
 * second, since reading one value costs several times as much as a handshake.
 */
#pragma once

#include "ssp/lock.h"

#include <stdbool.h>

struct policy_cache {
    void *kept; /* the package's structure, and room for one */
    size_t size;
    void (*read)(void *policy); /* into one of zeros */
    /* of zeros: */
    ULONGLONG expires;
    struct shared_lock lock; /* of the structure, and of when it expires */
};

/* Copies the structure as it was a second ago at the most. Any thread. */
void policy_cache_get(struct policy_cache *cache, void *out);

/* Below a key, for 32-bit processes as for 64-bit ones; NULL when there is none. */
HKEY policy_key_open(HKEY parent, const wchar_t *path);

/* A number. False, and *value as it was, for what is not there or is none; so for a key of NULL. */
bool policy_value_get(HKEY key, const wchar_t *name, DWORD *value);
