/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ledgers of things that may happen once, shared by all processes of the prefix as mapped files:
 * a call to the prefix's server costs some 100 us, an atomic operation on shared memory nothing
 * to speak of. A file of zeros is a new ledger, so it does not matter who opens one first.
 * The name carries the epoch of the prefix's secret; whoever makes a new file removes all those
 * of earlier epochs. A new file gets its whole space on the disk before it gets its name: a page
 * that a full disk cannot give later would be an access violation in the middle of a handshake.
 */
#include "ssp/prefix.h"

#include "ssp/share.h"
#include "ssp/trace.h"

#include <stdio.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

#define LEDGER_MAGIC 0x3352474c50535357ll /* "WSSPLGR3"; the names end with its number */

struct ledger_file {
    volatile LONG64 magic;
    volatile LONG64 counter; /* the first ticket of the batch issued last */
    volatile LONG64 reserved[6];
    volatile LONG64 slots[LEDGER_TICKETS]; /* the ticket of that slot while it is open, else 0 */
};

static const wchar_t *const names[] = {
    [LEDGER_EXPORT] = L"exports3",
    [LEDGER_CHALLENGE] = L"challenges3",
};

/* ProgramData where it always is. The environment could name it differently in two processes,
 * and each would then keep a ledger of its own. */
static bool ledger_folder(wchar_t folder[MAX_PATH])
{
    UINT length = GetSystemWindowsDirectoryW(folder, MAX_PATH);
    if (length < 3 || length >= MAX_PATH || folder[1] != ':') return false;
    wcscpy(folder + 2, L"\\ProgramData");
    CreateDirectoryW(folder, NULL);
    wcscat(folder, L"\\winesspi");
    return CreateDirectoryW(folder, NULL) || GetLastError() == ERROR_ALREADY_EXISTS;
}

/* suffix: what the names of this epoch's files end with. */
static void remove_others(const wchar_t *folder, const wchar_t *suffix)
{
    WIN32_FIND_DATAW found;
    wchar_t path[MAX_PATH * 2];
    swprintf(path, ARRAYSIZE(path), L"%ls\\*.ledger", folder);
    HANDLE search = FindFirstFileW(path, &found);
    if (search == INVALID_HANDLE_VALUE) return;
    do {
        const wchar_t *dash = wcschr(found.cFileName, '-');
        if (dash && !_wcsicmp(dash, suffix)) continue;
        swprintf(path, ARRAYSIZE(path), L"%ls\\%ls", folder, found.cFileName);
        DeleteFileW(path);
    } while (FindNextFileW(search, &found));
    FindClose(search);
}

static HANDLE file_open(const wchar_t *path, DWORD disposition)
{
    return CreateFileW(path, GENERIC_READ | GENERIC_WRITE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, disposition,
                       FILE_ATTRIBUTE_NORMAL, NULL);
}

static bool file_fill(const wchar_t *path)
{
    static const BYTE zeros[65536];
    HANDLE file = file_open(path, CREATE_ALWAYS);
    if (file == INVALID_HANDLE_VALUE) return false;
    bool good = true;
    for (size_t left = sizeof(struct ledger_file); left && good;) {
        DWORD part = left < sizeof(zeros) ? (DWORD)left : (DWORD)sizeof(zeros), written = 0;
        good = WriteFile(file, zeros, part, &written, NULL) && written == part;
        left -= written;
    }
    CloseHandle(file);
    return good;
}

/* Of several processes that make the same ledger at once, the one that names it first wins. */
static void ledger_make(const wchar_t *folder, const wchar_t *suffix, const wchar_t *path)
{
    wchar_t draft[MAX_PATH * 2];
    swprintf(draft, ARRAYSIZE(draft), L"%ls\\%lu_%lu%ls", folder, GetCurrentProcessId(),
             GetCurrentThreadId(), suffix);
    if (!file_fill(draft) || !MoveFileW(draft, path)) DeleteFileW(draft);
    else remove_others(folder, suffix);
}

static HANDLE ledger_open_file(enum ledger ledger, uint64_t epoch)
{
    wchar_t folder[MAX_PATH], suffix[32], path[MAX_PATH * 2];
    if (!ledger_folder(folder)) return INVALID_HANDLE_VALUE;
    swprintf(suffix, ARRAYSIZE(suffix), L"-%08lx%08lx.ledger", (unsigned long)(epoch >> 32),
             (unsigned long)epoch);
    swprintf(path, ARRAYSIZE(path), L"%ls\\%ls%ls", folder, names[ledger], suffix);

    HANDLE file = file_open(path, OPEN_EXISTING);
    if (file != INVALID_HANDLE_VALUE) return file;
    ledger_make(folder, suffix, path);
    return file_open(path, OPEN_EXISTING);
}

/* Counting starts at a random number: were the file deleted while its epoch lasts, the tickets of
 * the next one would otherwise be those of the first, and open what was redeemed long ago. */
static bool ledger_begin(struct ledger_file *file)
{
    uint64_t first;
    if (InterlockedCompareExchange64(&file->counter, 0, 0)) return true;
    if (!status_ok(random_bytes(&first, sizeof(first)))) return false;
    first = (first >> 2) / LEDGER_BATCH * LEDGER_BATCH + LEDGER_BATCH;
    InterlockedCompareExchange64(&file->counter, (LONG64)first, 0);
    return true;
}

static struct ledger_file *ledger_map(HANDLE file)
{
    HANDLE mapping = CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, sizeof(struct ledger_file),
                                        NULL);
    if (!mapping) return NULL;
    struct ledger_file *view = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0,
                                             sizeof(struct ledger_file));
    CloseHandle(mapping);
    if (!view) return NULL;

    LONG64 magic = InterlockedCompareExchange64(&view->magic, LEDGER_MAGIC, 0);
    if ((!magic || magic == LEDGER_MAGIC) && ledger_begin(view)) return view;
    UnmapViewOfFile((void *)view);
    return NULL;
}

struct opening {
    enum ledger ledger;
    status_t status;
};

static BOOL CALLBACK ledger_open(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    struct opening *opening = parameter;
    struct prefix_secret secret;
    opening->status = prefix_secret_get(&secret);
    if (!status_ok(opening->status)) return FALSE;
    uint64_t epoch = secret.epoch;
    SecureZeroMemory(&secret, sizeof(secret));

    opening->status = SEC_E_INTERNAL_ERROR;
    HANDLE file = ledger_open_file(opening->ledger, epoch);
    if (file == INVALID_HANDLE_VALUE) {
        ERR("no ledger \"%ls\": error %lu\n", names[opening->ledger], GetLastError());
        return FALSE;
    }
    *context = ledger_map(file);
    if (!*context) ERR("no ledger \"%ls\": error %lu\n", names[opening->ledger], GetLastError());
    CloseHandle(file);
    return *context != NULL;
}

/* NULL on failure; the mapping stays for the life of the process. */
static struct ledger_file *ledger_get(enum ledger ledger, status_t *status)
{
    static INIT_ONCE once[ARRAYSIZE(names)];
    struct opening opening = {ledger, SEC_E_INTERNAL_ERROR};
    void *view = NULL;
    bool opened = InitOnceExecuteOnce(&once[ledger], ledger_open, &opening, &view);
    *status = opened ? SEC_E_OK : opening.status;
    return view;
}

static bool slot_swap(struct ledger_file *file, uint64_t ticket, LONG64 from, LONG64 to)
{
    volatile LONG64 *slot = &file->slots[ticket % LEDGER_TICKETS];
    return InterlockedCompareExchange64(slot, to, from) == from;
}

/* ---- tickets ---- */

/* Tickets are taken from the file in batches, whose slots are a line of the processor's cache: each
 * share of the threads gives its own tickets away and writes to lines of its own. */
static struct {
    _Alignas(CACHE_LINE) volatile LONG64 next; /* of the batch; none is left at a batch's end */
} batches[ARRAYSIZE(names)][SHARES];

static bool batch_is_left(const struct ledger_file *file, LONG64 next)
{
    if (next % LEDGER_BATCH == 0) return false;
    /* One that has been left for long gives no tickets that are almost too old. */
    LONG64 latest = __atomic_load_n(&file->counter, __ATOMIC_RELAXED);
    return latest - next < LEDGER_TICKETS / 2;
}

/* Of threads of one share that begin a batch at once, one keeps it, and what is left of the others'
 * is nobody's. */
static LONG64 ticket_take(struct ledger_file *file, volatile LONG64 *batch)
{
    LONG64 next = __atomic_load_n(batch, __ATOMIC_RELAXED);
    while (batch_is_left(file, next)) {
        LONG64 found = InterlockedCompareExchange64(batch, next + 1, next);
        if (found == next) return next;
        next = found;
    }
    LONG64 first = InterlockedAdd64(&file->counter, LEDGER_BATCH);
    InterlockedCompareExchange64(batch, first + 1, next);
    return first;
}

status_t ledger_issue(enum ledger ledger, uint64_t *ticket)
{
    status_t status;
    struct ledger_file *file = ledger_get(ledger, &status);
    if (!file) return status;
    LONG64 issued = ticket_take(file, &batches[ledger][share_of_thread()].next);
    InterlockedExchange64(&file->slots[issued % LEDGER_TICKETS], issued);
    *ticket = (uint64_t)issued;
    return SEC_E_OK;
}

status_t ledger_redeem(enum ledger ledger, uint64_t ticket)
{
    status_t status;
    struct ledger_file *file = ledger_get(ledger, &status);
    if (!file) return status;
    bool was_open = ticket && slot_swap(file, ticket, (LONG64)ticket, 0);
    return was_open ? SEC_E_OK : SEC_E_CONTEXT_EXPIRED;
}

void ledger_restore(enum ledger ledger, uint64_t ticket)
{
    status_t status;
    struct ledger_file *file = ledger_get(ledger, &status);
    if (file && ticket) slot_swap(file, ticket, 0, (LONG64)ticket);
}
