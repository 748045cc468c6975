/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Being told when a key changes: RegNotifyChangeKeyValue and a wait of the thread pool. */
#include "watch.h"

#include "pool.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

struct watch {
    HKEY key;
    HANDLE event;
    struct pool_group pool;
    PTP_WAIT wait;
    SRWLOCK lock; /* the wait is set under it, and not once it is closing */
    bool closing;
    void (*changed)(void *argument);
    void *argument;
};

static HKEY key_open(const WCHAR *name)
{
    WCHAR path[MAX_PATH];
    HKEY key;
    if (wcslen(name) >= MAX_PATH) return NULL;
    wcscpy(path, name);
    for (;;) {
        if (!RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_NOTIFY | KEY_WOW64_64KEY, &key))
            return key;
        WCHAR *end = wcsrchr(path, '\\');
        if (!end) return NULL;
        *end = 0;
    }
}

/* One notice, then the next has to be asked for; what changes in between is told by that one's
 * reader, who reads after this. */
static bool watch_arm(struct watch *watch)
{
    LSTATUS error = RegNotifyChangeKeyValue(
        watch->key, TRUE, REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET, watch->event, TRUE);
    if (error) WARN("a key cannot be watched: error %ld\n", error);
    AcquireSRWLockExclusive(&watch->lock);
    if (!error && !watch->closing) SetThreadpoolWait(watch->wait, watch->event, NULL);
    ReleaseSRWLockExclusive(&watch->lock);
    return !error;
}

static void CALLBACK watch_told(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WAIT wait,
                                TP_WAIT_RESULT result)
{
    (void)instance;
    (void)wait;
    (void)result;
    struct watch *watch = context;
    watch_arm(watch);
    watch->changed(watch->argument);
}

struct watch *watch_create(const WCHAR *key, void (*changed)(void *argument), void *argument)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (!watch) return NULL;
    watch->changed = changed;
    watch->argument = argument;
    watch->key = key_open(key);
    watch->event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (pool_group_open(&watch->pool))
        watch->wait = CreateThreadpoolWait(watch_told, watch, &watch->pool.environment);
    if (watch->key && watch->event && watch->wait && watch_arm(watch)) return watch;
    watch_free(watch);
    return NULL;
}

void watch_free(struct watch *watch)
{
    if (!watch) return;
    AcquireSRWLockExclusive(&watch->lock);
    watch->closing = true;
    ReleaseSRWLockExclusive(&watch->lock);
    pool_group_close(&watch->pool);
    if (watch->key) RegCloseKey(watch->key);
    if (watch->event) CloseHandle(watch->event);
    free(watch);
}
