/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notifications of packages (Microsoft: RegisterNotification). Whatever the source is, a timer, a
 * handle, the registry or a module that was loaded, it only asks for one item of work in the thread
 * pool, which calls the package: so a function never runs twice at a time, and what comes while it
 * runs is told once more afterwards.
 */
#include "guard.h"
#include "load_lsa.h"
#include "lsa_services.h"
#include "pool.h"
#include "ssp/trace.h"
#include "watch.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("sspi");

#define CONTROL_KEY L"SYSTEM\\CurrentControlSet\\Control\\"
#define WATCHES_MAX 3u

struct package_event {
    struct package_event *next;
    SECPKG_EVENT_PACKAGE_CHANGE change;
    WCHAR name[65];
};

struct notification {
    struct notification *next;
    ULONG id;
    SEC_THREAD_START function;
    void *parameter;
    ULONG type, class, flags;
    PTP_WORK work;
    struct pool_group sources;
    PTP_TIMER timer;
    PTP_WAIT wait;
    HANDLE event; /* ours, of the handle to wait for */
    struct watch *watches[WATCHES_MAX];
    volatile LONG pending; /* the work is asked for and has not begun */
    SRWLOCK running;       /* held while the function runs; guards the two below */
    DWORD thread;          /* that runs it */
    bool over;
    struct package_event *events; /* under notifications_lock */
};

static SRWLOCK notifications_lock = SRWLOCK_INIT;
static struct notification *notifications;
static ULONG last_id;

/* No kernel handle is that high. */
static HANDLE notification_handle(const struct notification *n)
{
    return (HANDLE)(ULONG_PTR)(0xc0000000u | (n->id & 0x0fffffffu) << 2);
}

/* Takes it off the list; NULL when it is not there, or not any more. */
static struct notification *notification_unlink(HANDLE handle)
{
    AcquireSRWLockExclusive(&notifications_lock);
    struct notification **at = &notifications;
    while (*at && notification_handle(*at) != handle) at = &(*at)->next;
    struct notification *found = *at;
    if (found) *at = found->next;
    ReleaseSRWLockExclusive(&notifications_lock);
    return found;
}

/* The sources' own functions only ask for work, so that waiting for them is short. */
static void sources_free(struct notification *n)
{
    pool_group_close(&n->sources);
    for (size_t i = 0; i < WATCHES_MAX; i++) watch_free(n->watches[i]);
    if (n->event) CloseHandle(n->event);
}

/* Of one that is on no list. Waits for its function, which then arms no source again. */
static void notification_free(struct notification *n)
{
    AcquireSRWLockExclusive(&n->running);
    n->over = true;
    ReleaseSRWLockExclusive(&n->running);
    sources_free(n);
    WaitForThreadpoolWorkCallbacks(n->work, TRUE);
    CloseThreadpoolWork(n->work);
    while (n->events) {
        struct package_event *event = n->events;
        n->events = event->next;
        free(event);
    }
    free(n);
}

/* ---- calling the package ---- */

static void work_ask(void *argument)
{
    struct notification *n = argument;
    if (!InterlockedExchange(&n->pending, 1)) SubmitThreadpoolWork(n->work);
}

static struct package_event *event_take(struct notification *n)
{
    AcquireSRWLockExclusive(&notifications_lock);
    struct package_event *event = n->events;
    if (event) n->events = event->next;
    ReleaseSRWLockExclusive(&notifications_lock);
    return event;
}

static void event_tell(const struct notification *n, void *data, ULONG size)
{
    SECPKG_EVENT_NOTIFY notify = {.EventClass = n->class,
                                  .EventDataSize = size,
                                  .EventData = data,
                                  .PackageParameter = n->parameter};
    n->function(&notify);
}

static void function_run(void *argument)
{
    struct notification *n = argument;
    if (n->type != NOTIFIER_TYPE_NOTIFY_EVENT) {
        n->function(n->parameter);
    } else if (n->class == NOTIFY_CLASS_DOMAIN_CHANGE) {
        event_tell(n, lsa_parameters(), sizeof(SECPKG_PARAMETERS));
    } else if (n->class != NOTIFY_CLASS_PACKAGE_CHANGE) {
        event_tell(n, NULL, 0);
    }
    struct package_event *event;
    while (!n->over && (event = event_take(n))) {
        event_tell(n, &event->change, sizeof(event->change));
        free(event);
    }
}

/* A function that cancels its own notification, and one that has run for the only time, leave the
 * rest to this thread, which is then no longer one to be waited for. */
static void CALLBACK notification_work(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WORK work)
{
    (void)work;
    struct notification *n = context;
    bool last = false;
    if (n->flags & NOTIFIER_FLAG_NEW_THREAD) CallbackMayRunLong(instance);
    AcquireSRWLockExclusive(&n->running);
    InterlockedExchange(&n->pending, 0);
    if (!n->over) {
        n->thread = GetCurrentThreadId();
        if (!guard_call(function_run, n)) ERR("a notified package raised an exception\n");
        n->thread = 0;
        last = n->over;
        bool once = n->flags & NOTIFIER_FLAG_ONE_SHOT;
        if (once && !last) n->over = last = notification_unlink(notification_handle(n)) == n;
        if (!once && !last && n->wait) SetThreadpoolWait(n->wait, n->event, NULL);
    }
    ReleaseSRWLockExclusive(&n->running);
    if (!last) return;
    DisassociateCurrentThreadFromCallback(instance);
    notification_free(n);
}

/* ---- sources ---- */

static void CALLBACK timer_fired(PTP_CALLBACK_INSTANCE instance, void *context, PTP_TIMER timer)
{
    (void)instance;
    (void)timer;
    work_ask(context);
}

static void CALLBACK handle_signalled(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WAIT wait,
                                      TP_WAIT_RESULT result)
{
    (void)instance;
    (void)wait;
    (void)result;
    work_ask(context);
}

static bool timer_begin(struct notification *n, ULONG interval)
{
    ULONGLONG unit = n->flags & NOTIFIER_FLAG_SECONDS ? 1000 : 60000;
    ULONGLONG period = unit * interval;
    bool once = n->flags & NOTIFIER_FLAG_ONE_SHOT;
    if ((!interval && !once) || period > MAXDWORD) return false;
    n->timer = CreateThreadpoolTimer(timer_fired, n, &n->sources.environment);
    if (!n->timer) return false;
    LARGE_INTEGER due = {.QuadPart = -(LONGLONG)(period * 10000)};
    FILETIME time = {due.LowPart, (DWORD)due.HighPart};
    SetThreadpoolTimer(n->timer, &time, once ? 0 : (DWORD)period, 0);
    return true;
}

static bool wait_begin(struct notification *n, HANDLE handle)
{
    HANDLE process = GetCurrentProcess();
    if (!DuplicateHandle(process, handle, process, &n->event, SYNCHRONIZE, FALSE, 0)) return false;
    n->wait = CreateThreadpoolWait(handle_signalled, n, &n->sources.environment);
    if (n->wait) SetThreadpoolWait(n->wait, n->event, NULL);
    return n->wait != NULL;
}

/* The machine's role and its domain are what the registry says. */
static bool watches_begin(struct notification *n)
{
    static const WCHAR *const role[] = {CONTROL_KEY L"ProductOptions"};
    static const WCHAR *const domain[] = {
        CONTROL_KEY L"ComputerName", L"SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"};
    static const WCHAR *const policy[] = {CONTROL_KEY L"Lsa"};
    bool any = n->type == NOTIFIER_TYPE_STATE_CHANGE;
    size_t count = 0;
    if (any || n->class == NOTIFY_CLASS_ROLE_CHANGE)
        n->watches[count++] = watch_create(role[0], work_ask, n);
    if (any || n->class == NOTIFY_CLASS_DOMAIN_CHANGE) {
        n->watches[count++] = watch_create(domain[0], work_ask, n);
        n->watches[count++] = watch_create(domain[1], work_ask, n);
    }
    if (!any && n->class == NOTIFY_CLASS_REGISTRY_CHANGE)
        n->watches[count++] = watch_create(policy[0], work_ask, n);
    for (size_t i = 0; i < count; i++)
        if (!n->watches[i]) return false;
    return count > 0;
}

static bool source_begin(struct notification *n, ULONG interval, HANDLE handle)
{
    if (!pool_group_open(&n->sources)) return false;
    switch (n->type) {
    case NOTIFIER_TYPE_INTERVAL: return timer_begin(n, interval);
    case NOTIFIER_TYPE_HANDLE_WAIT: return wait_begin(n, handle);
    case NOTIFIER_TYPE_STATE_CHANGE: return watches_begin(n);
    case NOTIFIER_TYPE_NOTIFY_EVENT:
        return n->class == NOTIFY_CLASS_PACKAGE_CHANGE || watches_begin(n);
    case NOTIFIER_TYPE_IMMEDIATE: work_ask(n); return true;
    default: return false;
    }
}

void lsa_notify_loaded(const struct package *package)
{
    AcquireSRWLockExclusive(&notifications_lock);
    for (struct notification *n = notifications; n; n = n->next) {
        if (n->type != NOTIFIER_TYPE_NOTIFY_EVENT || n->class != NOTIFY_CLASS_PACKAGE_CHANGE)
            continue;
        struct package_event *event = calloc(1, sizeof(*event)), **at = &n->events;
        if (!event) continue;
        lstrcpynW(event->name, package->info.Name, ARRAYSIZE(event->name));
        USHORT size = (USHORT)(lstrlenW(event->name) * sizeof(WCHAR));
        event->change.ChangeType = SECPKG_PACKAGE_CHANGE_LOAD;
        event->change.PackageId = package->id;
        event->change.PackageName = (SECURITY_STRING){size, size, event->name};
        while (*at) at = &(*at)->next;
        *at = event;
        work_ask(n);
    }
    ReleaseSRWLockExclusive(&notifications_lock);
}

/* ---- for packages ---- */

HANDLE NTAPI service_notification_register(SEC_THREAD_START function, void *parameter, ULONG type,
                                           ULONG class, ULONG flags, ULONG interval, HANDLE event)
{
    struct notification *n = function ? calloc(1, sizeof(*n)) : NULL;
    if (!n) return NULL;
    n->function = function;
    n->parameter = parameter;
    n->type = type;
    n->class = class;
    n->flags = flags | (type == NOTIFIER_TYPE_IMMEDIATE ? NOTIFIER_FLAG_ONE_SHOT : 0);
    n->work = CreateThreadpoolWork(notification_work, n, NULL);
    if (!n->work) {
        free(n);
        return NULL;
    }
    AcquireSRWLockExclusive(&notifications_lock);
    n->id = ++last_id;
    HANDLE handle = notification_handle(n);
    n->next = notifications;
    notifications = n;
    ReleaseSRWLockExclusive(&notifications_lock);

    /* Held back until the source is complete: the function may run from its first moment on, and
     * may then be the last to see n. */
    AcquireSRWLockExclusive(&n->running);
    bool begun = source_begin(n, interval, event);
    ReleaseSRWLockExclusive(&n->running);
    TRACE("type %lu, class %lu, flags %#lx: %s\n", type, class, flags, begun ? "begun" : "refused");
    if (begun) return handle;
    if (notification_unlink(handle) == n) notification_free(n);
    return NULL;
}

NTSTATUS NTAPI service_notification_cancel(HANDLE handle)
{
    struct notification *n = notification_unlink(handle);
    if (!n) return STATUS_INVALID_HANDLE;
    if (n->thread == GetCurrentThreadId()) n->over = true;
    else notification_free(n);
    return STATUS_SUCCESS;
}
