/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log-ons that this package has made in this process, each with a credential that has its own
 * cache of tickets. A log-on ends when the host says so (LogonTerminated).
 */
#include "logon.h"

#include <stdlib.h>

struct node {
    LUID id;
    struct credential *credential;
    struct node *next;
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct node *sessions;

status_t session_add(const LUID *id, struct credential *credential)
{
    struct node *node = malloc(sizeof(*node));
    if (!node) return SEC_E_INSUFFICIENT_MEMORY;
    node->id = *id;
    node->credential = credential_hold(credential);
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
    for (struct node **at = &sessions; *at; at = &(*at)->next) {
        if (!SecEqualLuid(&(*at)->id, id)) continue;
        found = *at;
        *at = found->next;
        break;
    }
    ReleaseSRWLockExclusive(&lock);
    if (found) credential_release(found->credential);
    free(found);
}

struct credential *session_credential(const LUID *id)
{
    struct credential *found = NULL;
    AcquireSRWLockShared(&lock);
    for (const struct node *node = sessions; node && !found; node = node->next)
        if (SecEqualLuid(&node->id, id)) found = credential_hold(node->credential);
    ReleaseSRWLockShared(&lock);
    return found;
}
