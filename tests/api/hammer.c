/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Eight threads that call everything at once on handles that they share, and close them under each
 * other's feet (ours). Every call gives one of the statuses that it may give then, every handle
 * that was made is closed once, and nothing is left over. Usage: api_hammer [SECONDS [TARGET REALM
 * USER PASSWORD]], with the latter also of Kerberos.
 */
#include "hammer.h"

#include "heap_use.h"

#define THREADS 8

struct slot credential_slots[CREDENTIALS], context_slots[CONTEXTS];
struct counts counts;

static volatile LONG stop;
static struct action actions[ACTIONS_MAX];
static size_t action_count;

/* ---- shared handles ---- */

SecHandle slot_peek(struct slot *slot)
{
    AcquireSRWLockShared(&slot->lock);
    SecHandle handle = slot->handle;
    ReleaseSRWLockShared(&slot->lock);
    return handle;
}

static SecHandle slot_swap(struct slot *slot, const SecHandle *handle)
{
    AcquireSRWLockExclusive(&slot->lock);
    SecHandle before = slot->handle;
    slot->handle = *handle;
    ReleaseSRWLockExclusive(&slot->lock);
    return before;
}

CtxtHandle any_context(struct worker *worker)
{
    return slot_peek(&context_slots[random_below(worker, CONTEXTS)]);
}

CredHandle any_credential(struct worker *worker)
{
    return slot_peek(&credential_slots[random_below(worker, CREDENTIALS)]);
}

static bool handle_present(const SecHandle *handle)
{
    return handle->dwLower != (ULONG_PTR)-1 || handle->dwUpper != (ULONG_PTR)-1;
}

void credential_share(struct worker *worker, const SecHandle *made)
{
    InterlockedIncrement(&counts.credentials_made);
    SecHandle old = slot_swap(&credential_slots[random_below(worker, CREDENTIALS)], made);
    if (handle_present(&old)) credential_close(&old);
}

void context_share(struct worker *worker, const SecHandle *made)
{
    InterlockedIncrement(&counts.contexts_made);
    SecHandle old = slot_swap(&context_slots[random_below(worker, CONTEXTS)], made);
    if (handle_present(&old)) context_close(&old);
}

SECURITY_STATUS credential_close(SecHandle *handle)
{
    SECURITY_STATUS status = FreeCredentialsHandle(handle);
    if (!status) InterlockedIncrement(&counts.credentials_closed);
    return status;
}

SECURITY_STATUS context_close(SecHandle *handle)
{
    SECURITY_STATUS status = DeleteSecurityContext(handle);
    if (!status) InterlockedIncrement(&counts.contexts_closed);
    return status;
}

uint32_t random_below(struct worker *worker, uint32_t limit)
{
    return (uint32_t)(random_next(&worker->random) >> 33) % limit;
}

/* ---- threads ---- */

/* Which statuses an action may give; success always. */
static bool status_allowed(const struct action *action, SECURITY_STATUS status)
{
    if (status >= 0) return true;
    for (size_t i = 0; i < ARRAYSIZE(action->allowed); i++)
        if (action->allowed[i] == status) return true;
    return false;
}

static void action_run(struct worker *worker, size_t index)
{
    const struct action *action = &actions[index];
    SECURITY_STATUS status = action->function(worker);
    InterlockedIncrement(&counts.calls[index]);
    if (status >= 0) InterlockedIncrement(&counts.successes[index]);
    if (!status_allowed(action, status))
        InterlockedCompareExchange(&counts.wrong[index], status, 0);
}

static DWORD WINAPI hammer(void *argument)
{
    struct worker *worker = argument;
    while (!stop) action_run(worker, random_below(worker, (uint32_t)action_count));
    return 0;
}

static bool hammer_for(DWORD milliseconds, uint64_t seed)
{
    static struct worker workers[THREADS];
    HANDLE threads[THREADS];
    stop = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].random = seed * THREADS + i + 1;
        threads[i] = CreateThread(NULL, 0, hammer, &workers[i], 0, NULL);
    }
    Sleep(milliseconds);
    stop = 1;
    DWORD waited = WaitForMultipleObjects(THREADS, threads, TRUE, 60000);
    for (unsigned i = 0; i < THREADS; i++) CloseHandle(threads[i]);
    return waited != WAIT_TIMEOUT;
}

static void slots_clear(void)
{
    SecHandle none;
    context_forget(&none);
    for (int i = 0; i < CREDENTIALS; i++) {
        SecHandle old = slot_swap(&credential_slots[i], &none);
        if (handle_present(&old)) credential_close(&old);
    }
    for (int i = 0; i < CONTEXTS; i++) {
        SecHandle old = slot_swap(&context_slots[i], &none);
        if (handle_present(&old)) context_close(&old);
    }
}

/* ---- cases ---- */

static DWORD seconds = 10;

static bool actions_gather(void)
{
    const struct action_group *const groups[] = {&calls_on_handles, &other_forms, &calls_alone,
                                                 &calls_of_kerberos};
    for (size_t i = 0; i < (hammer_kerberos.target ? 4 : 3); i++) {
        if (groups[i]->count > ACTIONS_MAX - action_count) return false;
        memcpy(actions + action_count, groups[i]->actions, groups[i]->count * sizeof(*actions));
        action_count += groups[i]->count;
    }
    return actions_find() && forms_find() && alone_find();
}

static void judge(void)
{
    LONG calls = 0;
    for (size_t i = 0; i < action_count; i++) {
        ok(!counts.wrong[i], "%s: %08lx", actions[i].name, counts.wrong[i]);
        ok(counts.successes[i], "%s: none of %ld calls succeeded", actions[i].name,
           counts.calls[i]);
        calls += counts.calls[i];
    }
    ok(counts.contexts_made == counts.contexts_closed, "%ld contexts were made, %ld closed",
       counts.contexts_made, counts.contexts_closed);
    ok(counts.credentials_made == counts.credentials_closed,
       "%ld credentials were made, %ld closed", counts.credentials_made, counts.credentials_closed);
    printf("  %ld calls in %lu s; %ld contexts, %ld credentials\n", calls, seconds,
           counts.contexts_made, counts.credentials_made);
}

/* What is kept for later is there after the first part. */
static void test_hammer(void)
{
    if (!ours_only()) return;
    slots_clear();
    memset(&counts, 0, sizeof(counts));
    if (!ok(hammer_for(1000 * seconds / 4, 1), "threads hang")) return;
    slots_clear();
    struct use before = use_now();
    if (!ok(hammer_for(1000 * seconds * 3 / 4, 2), "threads hang")) return;
    slots_clear();
    struct use after = use_now();
    judge();
    ok(after.handles <= before.handles + 4, "%lu handles became %lu", before.handles,
       after.handles);
    /* Freed blocks that the modules keep: 64 KiB for each of some threads and modules. */
    ok(after.bytes < before.bytes + 2000000, "%lu bytes became %lu", before.bytes, after.bytes);
    printf("  %lu handles and %lu bytes became %lu and %lu\n", before.handles, before.bytes,
           after.handles, after.bytes);
}

int main(int argc, char **argv)
{
    struct account account;
    static wchar_t texts[4][256];
    if (argc > 1) seconds = (DWORD)atoi(argv[1]);
    for (int i = 0; argc == 6 && i < 4; i++)
        MultiByteToWideChar(CP_ACP, 0, argv[i + 2], -1, texts[i], 256);
    if (argc == 6)
        hammer_kerberos = (struct hammer_kerberos){texts[0], texts[1], texts[2], texts[3]};
    hammer_account = account_create(&account) ? &account : NULL;
    if (!actions_gather()) return 99;
    RUN(test_hammer);
    if (hammer_account) account_remove(&account);
    return test_end("api_hammer");
}
