/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Being told when a key changes: RegNotifyChangeKeyValue and a wait of the thread pool. */
#include "watch.h"

#include "ssp/trace.h"

#include <stdlib.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

struct watch {
    HKEY key;
    HANDLE event;
    PTP_WAIT wait;
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
    else SetThreadpoolWait(watch->wait, watch->event, NULL);
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
    watch->wait = CreateThreadpoolWait(watch_told, watch, NULL);
    if (watch->key && watch->event && watch->wait && watch_arm(watch)) return watch;
    watch_free(watch);
    return NULL;
}

/* A call that is under way arms the wait once more, hence the second time. */
void watch_free(struct watch *watch)
{
    if (!watch) return;
    for (int i = 0; watch->wait && i < 2; i++) {
        SetThreadpoolWait(watch->wait, NULL, NULL);
        WaitForThreadpoolWaitCallbacks(watch->wait, TRUE);
    }
    if (watch->wait) CloseThreadpoolWait(watch->wait);
    if (watch->key) RegCloseKey(watch->key);
    if (watch->event) CloseHandle(watch->event);
    free(watch);
}
