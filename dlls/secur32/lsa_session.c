/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of logon sessions. There is one for each id; that of the process and that of the system
 * are there from the start and stay. What Windows knows across processes, such as the sessions of
 * other users, does not exist where one user has the whole prefix.
 */
#include "lsa_session.h"

#include "lsa_account.h"
#include "lsa_services.h"
#include "package.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const LUID system_id = {0x3e7, 0}; /* SYSTEM_LUID */

struct credential_item {
    struct credential_item *next;
    ULONG package, serial;
    USHORT key_size, value_size;
    ULONG protected_size; /* of the value as it is kept */
    BYTE *key, *value;
};

struct session {
    struct session *next;
    struct session_facts facts;
    bool permanent, used;
    ULONG last_serial;
    struct credential_item *credentials; /* in the order of their serial numbers */
};

static SRWLOCK sessions_lock = SRWLOCK_INIT; /* both below, and what they lead to */
static struct session *sessions;             /* the oldest first */
static ULONG used_count;

/* ---- facts ---- */

void session_facts_free(struct session_facts *facts)
{
    for (int i = 0; i < SESSION_TEXTS; i++) free(facts->texts[i]);
    free(facts->sid);
    *facts = (struct session_facts){0};
}

static WCHAR *text_copy(const WCHAR *text)
{
    size_t size = (wcslen(text) + 1) * sizeof(*text);
    WCHAR *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

bool session_facts_copy(const struct session_facts *from, struct session_facts *out)
{
    struct session_facts copy = *from;
    bool done = true;
    copy.sid = NULL;
    for (int i = 0; i < SESSION_TEXTS; i++) {
        copy.texts[i] = text_copy(from->texts[i] ? from->texts[i] : L"");
        done = done && copy.texts[i];
    }
    if (from->sid) {
        DWORD size = GetLengthSid(from->sid);
        copy.sid = malloc(size);
        done = done && copy.sid && CopySid(size, copy.sid, from->sid);
    }
    if (done) *out = copy;
    else session_facts_free(&copy);
    return done;
}

/* ---- the list ---- */

static void item_free(struct credential_item *item)
{
    free(item->key);
    if (item->value) SecureZeroMemory(item->value, item->protected_size);
    free(item->value);
    free(item);
}

static void session_free(struct session *session)
{
    while (session->credentials) {
        struct credential_item *item = session->credentials;
        session->credentials = item->next;
        item_free(item);
    }
    session_facts_free(&session->facts);
    free(session);
}

static struct session *session_make(const LUID *id, bool permanent)
{
    struct session *session = calloc(1, sizeof(*session));
    if (!session) return NULL;
    session->facts.id = *id;
    session->facts.package_id = SECPKG_ID_NONE;
    session->permanent = permanent;
    return session;
}

static BOOL CALLBACK sessions_make(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    struct session_facts facts = {.package_id = SECPKG_ID_NONE};
    if (!account_session_facts(&facts)) return FALSE;
    struct session *own = session_make(&facts.id, true);
    struct session *system = session_make(&system_id, true);
    if (!own || !system) {
        free(own);
        free(system);
        session_facts_free(&facts);
        return FALSE;
    }
    own->facts = facts;
    if (!SecEqualLuid(&facts.id, &system_id)) own->next = system;
    else free(system);
    sessions = own;
    return TRUE;
}

static bool sessions_ready(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    return InitOnceExecuteOnce(&once, sessions_make, NULL, NULL);
}

/* Under the lock: where the session hangs; what hangs there is NULL when there is none. */
static struct session **session_find(const LUID *id)
{
    struct session **at = &sessions;
    while (*at && !SecEqualLuid(&(*at)->facts.id, id)) at = &(*at)->next;
    return at;
}

LUID session_own_id(void)
{
    LUID none = {0, 0};
    return sessions_ready() ? sessions->facts.id : none; /* the first one never changes */
}

bool session_exists(const LUID *id)
{
    if (!sessions_ready()) return false;
    AcquireSRWLockShared(&sessions_lock);
    bool found = *session_find(id) != NULL;
    ReleaseSRWLockShared(&sessions_lock);
    return found;
}

NTSTATUS session_create(const LUID *id)
{
    if (!sessions_ready()) return STATUS_NO_MEMORY;
    struct session *session = session_make(id, false);
    if (!session) return STATUS_NO_MEMORY;
    AcquireSRWLockExclusive(&sessions_lock);
    struct session **at = session_find(id);
    bool taken = *at != NULL;
    if (!taken) *at = session;
    ReleaseSRWLockExclusive(&sessions_lock);
    if (taken) session_free(session);
    return taken ? STATUS_LOGON_SESSION_COLLISION : STATUS_SUCCESS;
}

NTSTATUS session_delete(const LUID *id)
{
    if (!sessions_ready()) return STATUS_NO_SUCH_LOGON_SESSION;
    NTSTATUS status = STATUS_NO_SUCH_LOGON_SESSION;
    AcquireSRWLockExclusive(&sessions_lock);
    struct session **at = session_find(id);
    struct session *session = *at;
    if (session && session->permanent) {
        status = STATUS_BAD_LOGON_SESSION_STATE;
        session = NULL;
    } else if (session) {
        *at = session->next;
        if (session->used) used_count--;
        status = STATUS_SUCCESS;
    }
    ReleaseSRWLockExclusive(&sessions_lock);
    if (session) session_free(session);
    return status;
}

/* Under the lock: the oldest session in use. */
static const struct session *session_oldest(void)
{
    const struct session *session = sessions;
    while (session && !session->used) session = session->next;
    return session;
}

NTSTATUS session_describe(const struct session_facts *facts, bool *full, LUID *ended)
{
    struct session_facts copy;
    *full = false;
    if (!sessions_ready() || !session_facts_copy(facts, &copy)) return STATUS_NO_MEMORY;
    AcquireSRWLockExclusive(&sessions_lock);
    struct session *session = *session_find(&facts->id);
    bool found = session && !session->permanent;
    if (found) {
        struct session_facts before = session->facts;
        session->facts = copy;
        copy = before;
        if (!session->used) used_count++;
        session->used = true;
        *full = used_count > SESSIONS_USED_MAX;
        if (*full) *ended = session_oldest()->facts.id;
    }
    ReleaseSRWLockExclusive(&sessions_lock);
    session_facts_free(&copy);
    return found ? STATUS_SUCCESS : STATUS_NO_SUCH_LOGON_SESSION;
}

NTSTATUS session_facts_get(const LUID *id, struct session_facts *out)
{
    if (!sessions_ready()) return STATUS_NO_MEMORY;
    NTSTATUS status = STATUS_NO_SUCH_LOGON_SESSION;
    AcquireSRWLockShared(&sessions_lock);
    const struct session *session = *session_find(id);
    if (session)
        status = session_facts_copy(&session->facts, out) ? STATUS_SUCCESS : STATUS_NO_MEMORY;
    ReleaseSRWLockShared(&sessions_lock);
    return status;
}

NTSTATUS session_list(ULONG *count, LUID **list)
{
    if (!sessions_ready()) return STATUS_NO_MEMORY;
    ULONG found = 0;
    AcquireSRWLockShared(&sessions_lock);
    for (const struct session *s = sessions; s; s = s->next) found++;
    LUID *ids = HeapAlloc(GetProcessHeap(), 0, found * sizeof(*ids));
    ULONG at = 0;
    for (const struct session *s = sessions; ids && s; s = s->next) ids[at++] = s->facts.id;
    ReleaseSRWLockShared(&sessions_lock);
    if (!ids) return STATUS_NO_MEMORY;
    *list = ids;
    *count = found;
    return STATUS_SUCCESS;
}

/* ---- credentials ---- */

static bool item_matches(const struct credential_item *item, ULONG package, const LSA_STRING *key)
{
    if (item->package != package) return false;
    if (!key) return true;
    return item->key_size == key->Length && !memcmp(item->key, key->Buffer, key->Length);
}

/* A value is kept in whole blocks of the cipher, so that no short one stays readable. */
static struct credential_item *item_make(ULONG package, const LSA_STRING *key,
                                         const LSA_STRING *value)
{
    struct credential_item *item = calloc(1, sizeof(*item));
    if (!item) return NULL;
    item->package = package;
    item->key_size = key->Length;
    item->value_size = value->Length;
    item->protected_size = (value->Length + 16u) & ~15u;
    item->key = malloc(key->Length + 1u);
    item->value = calloc(1, item->protected_size);
    if (!item->key || !item->value) {
        item_free(item);
        return NULL;
    }
    if (key->Length) memcpy(item->key, key->Buffer, key->Length);
    if (value->Length) memcpy(item->value, value->Buffer, value->Length);
    lsa_memory_protect(item->value, item->protected_size);
    return item;
}

NTSTATUS session_credential_add(const LUID *id, ULONG package, const LSA_STRING *key,
                                const LSA_STRING *value)
{
    struct credential_item *item = sessions_ready() ? item_make(package, key, value) : NULL;
    if (!item) return STATUS_NO_MEMORY;
    NTSTATUS status = STATUS_NO_SUCH_LOGON_SESSION;
    AcquireSRWLockExclusive(&sessions_lock);
    struct session *session = *session_find(id);
    if (session) {
        struct credential_item **at = &session->credentials;
        while (*at && !item_matches(*at, package, key)) at = &(*at)->next;
        status = *at ? STATUS_OBJECT_NAME_COLLISION : STATUS_SUCCESS;
        if (!*at) {
            item->serial = ++session->last_serial;
            *at = item;
            item = NULL;
        }
    }
    ReleaseSRWLockExclusive(&sessions_lock);
    if (item) item_free(item);
    return status;
}

void session_credential_free(struct session_credential *credential)
{
    if (!credential) return;
    SecureZeroMemory(credential->value.Buffer, credential->room);
    HeapFree(GetProcessHeap(), 0, credential);
}

static struct session_credential *item_open(const struct credential_item *item)
{
    size_t key_room = (item->key_size + 16u) & ~15u;
    struct session_credential *out = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY,
                                               sizeof(*out) + key_room + item->protected_size);
    if (!out) return NULL;
    char *at = (char *)(out + 1);
    out->key = (LSA_STRING){item->key_size, item->key_size, at};
    memcpy(at, item->key, item->key_size);
    at += key_room;
    out->value = (LSA_STRING){item->value_size, item->value_size, at};
    out->room = item->protected_size;
    memcpy(at, item->value, item->protected_size);
    lsa_memory_unprotect(at, item->protected_size);
    return out;
}

NTSTATUS session_credential_get(const LUID *id, ULONG package, const LSA_STRING *key,
                                ULONG *position, struct session_credential **credential)
{
    if (!sessions_ready()) return STATUS_NO_MEMORY;
    NTSTATUS status = STATUS_NO_SUCH_LOGON_SESSION;
    AcquireSRWLockShared(&sessions_lock);
    const struct session *session = *session_find(id);
    if (session) {
        const struct credential_item *item = session->credentials;
        while (item && (item->serial <= *position || !item_matches(item, package, key)))
            item = item->next;
        *credential = item ? item_open(item) : NULL;
        status = !item ? STATUS_UNSUCCESSFUL : *credential ? STATUS_SUCCESS : STATUS_NO_MEMORY;
        if (status >= 0) *position = item->serial;
    }
    ReleaseSRWLockShared(&sessions_lock);
    return status;
}

NTSTATUS session_credential_delete(const LUID *id, ULONG package, const LSA_STRING *key)
{
    if (!sessions_ready()) return STATUS_NO_MEMORY;
    struct credential_item *item = NULL;
    AcquireSRWLockExclusive(&sessions_lock);
    struct session *session = *session_find(id);
    if (session) {
        struct credential_item **at = &session->credentials;
        while (*at && !item_matches(*at, package, key)) at = &(*at)->next;
        item = *at;
        if (item) *at = item->next;
    }
    ReleaseSRWLockExclusive(&sessions_lock);
    if (!session) return STATUS_NO_SUCH_LOGON_SESSION;
    if (!item) return STATUS_OBJECT_NAME_NOT_FOUND;
    item_free(item);
    return STATUS_SUCCESS;
}
