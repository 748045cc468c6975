/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log-ons that this package has made in this process, and the one that the process itself
 * belongs to, which is not of its making. A log-on ends when the host says so (LogonTerminated).
 */
#include "logon.h"

#include "core/secret.h"
#include "ssp/token.h"

#include <stdlib.h>
#include <string.h>

struct node {
    struct session session;
    struct node *next;
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct node *sessions; /* the latest first */

/* ---- this process ---- */

static bool own_sid(SID *out)
{
    union {
        TOKEN_USER user;
        uint8_t room[sizeof(TOKEN_USER) + SID_ROOM];
    } found;
    return process_token_info(TokenUser, &found, sizeof(found)) &&
           CopySid(SID_ROOM, out, found.user.User.Sid);
}

static bool own_id(LUID *out)
{
    TOKEN_STATISTICS statistics;
    if (!process_token_info(TokenStatistics, &statistics, sizeof(statistics))) return false;
    *out = statistics.AuthenticationId;
    return true;
}

bool session_is_own(const LUID *id)
{
    LUID own;
    return (!id->LowPart && !id->HighPart) || (own_id(&own) && SecEqualLuid(&own, id));
}

static bool own_session(struct session *out)
{
    struct session session = {.type = Interactive};
    const struct host *host = host_get();
    if (!host || !own_id(&session.id) || !own_sid(&session.sid)) return false;
    session.user = host->user;
    session.domain = host->computer;
    *out = session;
    return true;
}

/* ---- SIDs ---- */

/* Local accounts have no SID of their own; one is made of the names, the same at all times, in the
 * form that Windows gives to accounts: a domain's 96 bits and a number from 1000 on. */
static bool made_sid(const struct verdict *verdict, SID *out)
{
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    struct name domain = verdict->domain, user = verdict->user;
    uint8_t digest[16], user_digest[16];
    uint32_t parts[4];
    name_upper(&domain);
    name_upper(&user);
    const struct slice domain_part = name_slice(&domain);
    const struct slice user_parts[] = {domain_part, {(const uint8_t *)"\\", 1}, name_slice(&user)};
    if (!status_ok(md5(&domain_part, 1, digest)) || !status_ok(md5(user_parts, 3, user_digest)))
        return false;
    memcpy(parts, digest, 12);
    memcpy(&parts[3], user_digest, 4);
    InitializeSid(out, &authority, 5);
    *GetSidSubAuthority(out, 0) = SECURITY_NT_NON_UNIQUE;
    for (DWORD i = 0; i < 3; i++) *GetSidSubAuthority(out, i + 1) = parts[i];
    *GetSidSubAuthority(out, 4) = 1000 + parts[3] % 0x7ffffc00;
    return true;
}

bool sid_of(const struct verdict *verdict, SID *out)
{
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    if (verdict->is_own) return own_sid(out);
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
    if (session_is_own(id)) return own_session(out);
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
    if (own_id(&own)) {
        if (room) ids[0] = own;
        count = 1;
    }
    AcquireSRWLockShared(&lock);
    for (const struct node *node = sessions; node; node = node->next, count++)
        if (count < room) ids[count] = node->session.id;
    ReleaseSRWLockShared(&lock);
    return count;
}
