/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies in the registry; see ssp/policy.h. */
#include "ssp/policy.h"

#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("sspi");

#define CACHE_MILLISECONDS 1000u

static bool kept_get(struct policy_cache *cache, void *out)
{
    struct lock *lock = shared_lock_read(&cache->lock);
    bool fresh = GetTickCount64() < cache->expires;
    if (fresh) memcpy(out, cache->kept, cache->size);
    lock_give(lock);
    return fresh;
}

status_t policy_cache_get(struct policy_cache *cache, void *out)
{
    if (kept_get(cache, out)) return SEC_E_OK;
    memset(out, 0, cache->size);
    status_t status = cache->read(out);
    shared_lock_take(&cache->lock);
    if (status_ok(status)) memcpy(cache->kept, out, cache->size);
    else if (cache->expires) memcpy(out, cache->kept, cache->size);
    if (cache->expires) status = SEC_E_OK;
    if (status_ok(status)) cache->expires = GetTickCount64() + CACHE_MILLISECONDS;
    shared_lock_give(&cache->lock);
    return status;
}

/* Whether it was there. */
static bool was_read(LSTATUS error, const wchar_t *name, status_t *status)
{
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) return false;
    if (!error) return true;
    WARN("%ls cannot be read: error %ld\n", name, error);
    bool memory = error == ERROR_NOT_ENOUGH_MEMORY || error == ERROR_NO_SYSTEM_RESOURCES;
    *status = memory ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_INTERNAL_ERROR;
    return false;
}

HKEY policy_key_open(HKEY parent, const wchar_t *path, status_t *status)
{
    HKEY key;
    LSTATUS error = RegOpenKeyExW(parent, path, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key);
    return was_read(error, path, status) ? key : NULL;
}

bool policy_value_get(HKEY key, const wchar_t *name, DWORD *value, status_t *status)
{
    DWORD type, number, size = sizeof(number);
    if (!key) return false;
    LSTATUS error = RegQueryValueExW(key, name, NULL, &type, (BYTE *)&number, &size);
    if (error == ERROR_MORE_DATA || !was_read(error, name, status)) return false;
    if (type != REG_DWORD || size != sizeof(number)) return false;
    *value = number;
    return true;
}

bool policy_value_below(HKEY parent, const wchar_t *path, const wchar_t *name, DWORD *value,
                        status_t *status)
{
    HKEY key = parent ? policy_key_open(parent, path, status) : NULL;
    bool found = policy_value_get(key, name, value, status);
    if (key) RegCloseKey(key);
    return found;
}

wchar_t *policy_strings_get(HKEY key, const wchar_t *name, DWORD *type, status_t *status)
{
    DWORD size = 0;
    if (!key) return NULL;
    if (!was_read(RegQueryValueExW(key, name, NULL, NULL, NULL, &size), name, status)) return NULL;
    wchar_t *text = calloc(1, size + 2 * sizeof(*text) + 1); /* both terminators may be missing */
    if (!text) {
        *status = SEC_E_INSUFFICIENT_MEMORY;
        return NULL;
    }
    LSTATUS error = RegQueryValueExW(key, name, NULL, type, (BYTE *)text, &size);
    if (was_read(error, name, status) && (*type == REG_MULTI_SZ || *type == REG_SZ)) return text;
    free(text);
    return NULL;
}
