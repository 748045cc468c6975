/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Foreign tokens carry no name of the client, and they may outlive the context that they came
 * from. So the names are kept by the identifiers of the tokens, which are never given to another
 * one: those of the TOKENS that were given out last. A copy of a token has an identifier of its
 * own, but the same ModifiedId. A token whose name is not known any more has none; it is never
 * taken for the user of this process.
 */
#include "token_name.h"

#include "ssp/foreign.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

#define TOKENS 1024u

struct token_ids {
    LUID own, family;
};

struct entry {
    struct token_ids ids;
    LUID session; /* of a log-on; 0 when the token is none's */
    WCHAR *name;  /* process heap; NULL in an entry that was never used */
    ULONG64 turn;
};

static SRWLOCK lock = SRWLOCK_INIT; /* the two below */
static struct entry entries[TOKENS];
static ULONG64 last_turn;

static bool token_ids_get(HANDLE token, struct token_ids *ids)
{
    TOKEN_STATISTICS statistics;
    DWORD size;
    if (!GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size))
        return false;
    *ids = (struct token_ids){statistics.TokenId, statistics.ModifiedId};
    return true;
}

static WCHAR *text_copy(const WCHAR *text)
{
    size_t size = (wcslen(text) + 1) * sizeof(*text);
    WCHAR *copy = HeapAlloc(GetProcessHeap(), 0, size);
    if (copy) memcpy(copy, text, size);
    return copy;
}

static struct entry *entry_find(const LUID *id)
{
    for (unsigned i = 0; i < TOKENS; i++)
        if (entries[i].name && SecEqualLuid(&entries[i].ids.own, id)) return &entries[i];
    return NULL;
}

/* The token that another one is a copy of, if it can be but one. */
static struct entry *entry_find_family(const LUID *family)
{
    struct entry *found = NULL;
    for (unsigned i = 0; i < TOKENS; i++) {
        if (!entries[i].name || !SecEqualLuid(&entries[i].ids.family, family)) continue;
        if (found) return NULL;
        found = &entries[i];
    }
    return found;
}

/* The one to give up: unused ones have never had a turn. */
static struct entry *entry_oldest(void)
{
    struct entry *oldest = &entries[0];
    for (unsigned i = 1; i < TOKENS; i++)
        if (entries[i].turn < oldest->turn) oldest = &entries[i];
    return oldest;
}

static void name_keep(const struct token_ids *ids, const WCHAR *name, LUID session)
{
    WCHAR *copy = text_copy(name), *forgotten = NULL;
    if (!copy) return;
    AcquireSRWLockExclusive(&lock);
    struct entry *entry = entry_find(&ids->own);
    if (!entry) entry = entry_oldest();
    forgotten = entry->name;
    *entry = (struct entry){*ids, session, copy, ++last_turn};
    ReleaseSRWLockExclusive(&lock);
    HeapFree(GetProcessHeap(), 0, forgotten);
}

void token_name_set(HANDLE token, const WCHAR *name)
{
    static const LUID none;
    token_name_set_logon(token, name, &none);
}

void token_name_set_logon(HANDLE token, const WCHAR *name, const LUID *session)
{
    struct token_ids ids;
    if (foreign_token_is(token) && token_ids_get(token, &ids)) name_keep(&ids, name, *session);
}

void token_name_learn(struct package *package, struct provider_context *context, HANDLE token)
{
    SecPkgContext_NamesW names = {NULL};
    if (!token || !foreign_token_is(token) || !package->ops.query_context) return;
    status_t status = package->ops.query_context(package, context, SECPKG_ATTR_NAMES, &names);
    TRACE("a foreign token of %ls: names have status %#lx\n", package->info.Name, (ULONG)status);
    if (!status_ok(status) || !names.sUserName) return;
    token_name_set(token, names.sUserName);
    HeapFree(GetProcessHeap(), 0, names.sUserName);
}

void token_name_learn_thread(struct package *package, struct provider_context *context)
{
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return;
    token_name_learn(package, context, token);
    CloseHandle(token);
}

/* Under the lock. */
static const struct entry *entry_of(const struct token_ids *ids)
{
    const struct entry *entry = entry_find(&ids->own);
    return entry ? entry : entry_find_family(&ids->family);
}

bool token_logon_get(HANDLE token, LUID *out)
{
    struct token_ids ids;
    if (!foreign_token_is(token) || !token_ids_get(token, &ids)) return false;
    AcquireSRWLockShared(&lock);
    const struct entry *entry = entry_of(&ids);
    bool found = entry && (entry->session.LowPart || entry->session.HighPart);
    if (found) *out = entry->session;
    ReleaseSRWLockShared(&lock);
    return found;
}

DWORD token_name_get(HANDLE token, WCHAR **out)
{
    struct token_ids ids;
    if (!token_ids_get(token, &ids)) return GetLastError();
    DWORD error = ERROR_NONE_MAPPED;
    AcquireSRWLockShared(&lock);
    const struct entry *entry = entry_of(&ids);
    WCHAR *copy = entry ? text_copy(entry->name) : NULL;
    if (entry) error = copy ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
    ReleaseSRWLockShared(&lock);
    if (copy) *out = copy;
    return error;
}
