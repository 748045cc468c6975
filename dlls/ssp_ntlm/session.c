/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log-ons that this package has made in this process, and the one that the process itself
 * belongs to, which is not of its making. A log-on ends when the host says so (LogonTerminated).
 */
#include "logon.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

struct node {
    struct session session;
    struct node *next;
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct node *sessions; /* the latest first */

/* ---- this process ---- */

static bool own_session(struct session *out)
{
    struct session session = {.type = Interactive};
    const struct host *host = host_get();
    if (!host || !process_logon_id(&session.id) || !process_sid(&session.sid)) return false;
    session.user = host->user;
    session.domain = host->computer;
    *out = session;
    return true;
}

/* ---- SIDs ---- */

/* Local accounts have no SID of their own. */
static bool made_sid(const struct verdict *verdict, SID *out)
{
    struct name domain = verdict->domain, user = verdict->user;
    name_upper(&domain);
    name_upper(&user);
    return account_sid_make(name_slice(&domain), '\\', name_slice(&user), out);
}

bool sid_of(const struct verdict *verdict, SID *out)
{
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    if (verdict->is_own) return process_sid(out);
    if (!verdict->anonymous) return made_sid(verdict, out);
    InitializeSid(out, &authority, 1);
    *GetSidSubAuthority(out, 0) = SECURITY_ANONYMOUS_LOGON_RID;
    return true;
}

/* ---- the list ---- */

status_t session_add(const struct session *session)
{
    struct node *node = malloc(sizeof(*node));
    if (!node) return SEC_E_INSUFFICIENT_MEMORY;
    node->session = *session;
    AcquireSRWLockExclusive(&lock);
    node->next = sessions;
    sessions = node;
    ReleaseSRWLockExclusive(&lock);
    return SEC_E_OK;
}

void session_remove(const LUID *id)
{
    struct node *found = NULL;
    AcquireSRWLockExclusive(&lock);
    for (struct node **at = &sessions; *at && !found; at = &(*at)->next) {
        if (!SecEqualLuid(&(*at)->session.id, id)) continue;
        found = *at;
        *at = found->next;
        break;
    }
    ReleaseSRWLockExclusive(&lock);
    secret_free(found, sizeof(*found));
}

bool session_find(const LUID *id, struct session *out)
{
    bool found = false;
    if (process_logon_is(id)) return own_session(out);
    AcquireSRWLockShared(&lock);
    for (const struct node *node = sessions; node && !found; node = node->next) {
        found = SecEqualLuid(&node->session.id, id);
        if (found) *out = node->session;
    }
    ReleaseSRWLockShared(&lock);
    return found;
}

size_t session_list(LUID *ids, size_t room)
{
    size_t count = 0;
    LUID own;
    if (process_logon_id(&own)) {
        if (room) ids[0] = own;
        count = 1;
    }
    AcquireSRWLockShared(&lock);
    for (const struct node *node = sessions; node; node = node->next, count++)
        if (count < room) ids[count] = node->session.id;
    ReleaseSRWLockShared(&lock);
    return count;
}
