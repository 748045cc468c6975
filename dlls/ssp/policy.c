/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies in the registry; see ssp/policy.h. */
#include "ssp/policy.h"

#include <string.h>

#define CACHE_MILLISECONDS 1000u

void policy_cache_get(struct policy_cache *cache, void *out)
{
    struct lock *lock = shared_lock_read(&cache->lock);
    bool fresh = GetTickCount64() < cache->expires;
    if (fresh) memcpy(out, cache->kept, cache->size);
    lock_give(lock);
    if (fresh) return;

    memset(out, 0, cache->size);
    cache->read(out);
    shared_lock_take(&cache->lock);
    memcpy(cache->kept, out, cache->size);
    cache->expires = GetTickCount64() + CACHE_MILLISECONDS;
    shared_lock_give(&cache->lock);
}

HKEY policy_key_open(HKEY parent, const wchar_t *path)
{
    HKEY key;
    return RegOpenKeyExW(parent, path, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key) ? NULL : key;
}

bool policy_value_get(HKEY key, const wchar_t *name, DWORD *value)
{
    DWORD type, number, size = sizeof(number);
    if (!key || RegQueryValueExW(key, name, NULL, &type, (BYTE *)&number, &size)) return false;
    if (type != REG_DWORD || size != sizeof(number)) return false;
    *value = number;
    return true;
}
