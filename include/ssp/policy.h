/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an administrator has set in the registry, as a package keeps it: it is read at most once a
 * second, since reading one value costs several times as much as a handshake. What cannot be read
 * is not taken for what is not there: a package goes on by what it knew before, or, before it knows
 * anything, not at all.
 */
#pragma once

#include "ssp/abi.h"
#include "ssp/lock.h"

#include <stdbool.h>

struct policy_cache {
    void *kept; /* the package's structure, and room for one */
    size_t size;
    status_t (*read)(void *policy); /* into one of zeros */
    /* of zeros: */
    ULONGLONG expires;
    /* of the structure, and of when it expires; a reader writes to it */
    _Alignas(CACHE_LINE) struct shared_lock lock;
};

/* Copies the structure as it was a second ago at the most, or as it could last be read. A failure,
 * and *out of no use, where it never could. Any thread. */
status_t policy_cache_get(struct policy_cache *cache, void *out);

/* Below a key, for 32-bit processes as for 64-bit ones; NULL when there is none. What may be there
 * and cannot be had is NULL as well, and *status a failure, which stays as it was otherwise. */
HKEY policy_key_open(HKEY parent, const wchar_t *path, status_t *status);

/* The strings of a REG_MULTI_SZ, or the one of a REG_SZ, and an empty one behind them, in a block
 * to be freed with free(); *type tells which. NULL for what is not there or neither of the two;
 * *status as above. */
wchar_t *policy_strings_get(HKEY key, const wchar_t *name, DWORD *type, status_t *status);

/* A number. False, and *value as it was, for what is not there or is none; so for a key of NULL.
 * *status as above. */
bool policy_value_get(HKEY key, const wchar_t *name, DWORD *value, status_t *status);

/* The same of the key at a path below another one, which may be NULL. */
bool policy_value_below(HKEY parent, const wchar_t *path, const wchar_t *name, DWORD *value,
                        status_t *status);
