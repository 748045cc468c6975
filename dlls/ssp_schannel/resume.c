/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What clients need to resume sessions: what the library gave, by credential and server, in this
 * process. Another credential may have other certificates and judge servers otherwise, so it gets
 * nothing of this one's. The store is bounded in entries and bytes; the oldest go first.
 */
#include "schannel_package.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define ENTRIES_MAX 512u
#define ENTRIES_PER_SERVER 4u /* a server of TLS 1.3 may give several tickets */
#define BYTES_MAX (4u << 20)
#define ENTRY_BYTES_MAX 65536u
#define AGE_MAX (7ull * 24 * 3600 * 1000) /* ms; RFC 8446 4.6.1 */

struct entry {
    struct entry *next;
    const struct credential *credential; /* a name: never followed */
    LONG owner;                          /* the context that it came from */
    struct resumption resumption;
    ULONGLONG stored; /* tick count */
    ULONGLONG lifetime;
    wchar_t name[];
};

/* Newest first. */
static struct {
    SRWLOCK lock;
    struct entry *first;
} store = {.lock = SRWLOCK_INIT};

void resumption_clear(struct resumption *resumption)
{
    blob_clear(&resumption->data);
    blob_clear(&resumption->shown);
}

static size_t resumption_size(const struct resumption *resumption)
{
    return resumption->data.size + resumption->shown.size;
}

static void entry_free(struct entry *entry)
{
    resumption_clear(&entry->resumption);
    free(entry);
}

static void list_free(struct entry *list)
{
    while (list) {
        struct entry *next = list->next;
        entry_free(list);
        list = next;
    }
}

/* Takes an entry out of the store; the lock is held. */
static struct entry *unlink_at(struct entry **at)
{
    struct entry *entry = *at;
    *at = entry->next;
    entry->next = NULL;
    return entry;
}

static bool is_for(const struct entry *entry, const struct credential *credential,
                   const wchar_t *name)
{
    return entry->credential == credential && !_wcsicmp(entry->name, name);
}

/* Moves what is too old or too much to a list, which is freed without the lock. Bytes are counted
 * from the newest on. */
static struct entry *trim(const struct entry *added)
{
    struct entry *out = NULL, **at = &store.first;
    size_t count = 0, bytes = 0, same = 0;
    const ULONGLONG now = GetTickCount64();
    while (*at) {
        struct entry *entry = *at;
        bool like = is_for(entry, added->credential, added->name);
        size_t size = resumption_size(&entry->resumption);
        bool fits = count < ENTRIES_MAX && bytes + size <= BYTES_MAX &&
                    !(like && same >= ENTRIES_PER_SERVER);
        if (fits && now - entry->stored <= entry->lifetime) {
            count++;
            bytes += size;
            same += like;
            at = &entry->next;
            continue;
        }
        entry = unlink_at(at);
        entry->next = out;
        out = entry;
    }
    return out;
}

LONG resume_owner(void)
{
    static volatile LONG last;
    return InterlockedIncrement(&last);
}

void resume_store(const struct credential *credential, const wchar_t *name, LONG owner,
                  struct resumption *resumption)
{
    if (!name) name = L"";
    size_t size = (wcslen(name) + 1) * sizeof(*name);
    struct entry *entry = NULL;
    if (credential->cache_time && resumption->data.size &&
        resumption_size(resumption) <= ENTRY_BYTES_MAX)
        entry = malloc(sizeof(*entry) + size);
    if (!entry) {
        resumption_clear(resumption);
        return;
    }
    *entry = (struct entry){.credential = credential,
                            .owner = owner,
                            .resumption = *resumption,
                            .stored = GetTickCount64(),
                            .lifetime = min(credential->cache_time, AGE_MAX)};
    memcpy(entry->name, name, size);
    *resumption = (struct resumption){{NULL, 0}, {NULL, 0}};

    AcquireSRWLockExclusive(&store.lock);
    entry->next = store.first;
    store.first = entry;
    struct entry *out = trim(entry);
    ReleaseSRWLockExclusive(&store.lock);
    list_free(out);
}

bool resume_take(const struct credential *credential, const wchar_t *name, struct resumption *out)
{
    struct entry *found = NULL;
    if (!name) name = L"";
    AcquireSRWLockExclusive(&store.lock);
    struct entry **at = &store.first;
    while (*at && !is_for(*at, credential, name)) at = &(*at)->next;
    if (*at) found = unlink_at(at);
    ReleaseSRWLockExclusive(&store.lock);
    if (!found) return false;
    /* Behind it are older ones. */
    bool young = GetTickCount64() - found->stored <= found->lifetime;
    if (young) {
        resumption_clear(out);
        *out = found->resumption;
        found->resumption = (struct resumption){{NULL, 0}, {NULL, 0}};
    }
    entry_free(found);
    return young;
}

/* All of a credential, or of an owner. */
static void forget(const struct credential *credential, LONG owner)
{
    struct entry *out = NULL, **at = &store.first;
    AcquireSRWLockExclusive(&store.lock);
    while (*at) {
        if ((*at)->credential != credential && (*at)->owner != owner) {
            at = &(*at)->next;
            continue;
        }
        struct entry *entry = unlink_at(at);
        entry->next = out;
        out = entry;
    }
    ReleaseSRWLockExclusive(&store.lock);
    list_free(out);
}

void resume_forget(const struct credential *credential)
{
    forget(credential, 0);
}

void resume_forget_owner(LONG owner)
{
    forget(NULL, owner);
}
