/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets of a client's: those that it has sent along, or what its server can get in its name by
 * the one that it came with (token.c). A thread of the server that acts for the client, by the
 * token of its context or a copy of that, has them as its default credentials (the documentation of
 * delegation). Tokens are told apart by their ModifiedId, which a copy of the same level shares.
 */
#include "kerberos_package.h"

#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("kerberos");

struct delegation {
    struct delegation *next;
    LUID token;
    struct credential *credential; /* held by the context, until it withdraws it */
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct delegation *delegations;

static bool token_id(HANDLE token, LUID *out)
{
    TOKEN_STATISTICS statistics;
    DWORD size;
    if (!GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size))
        return false;
    *out = statistics.ModifiedId;
    return true;
}

void delegation_offer(HANDLE token, struct credential *credential)
{
    struct delegation *delegation = malloc(sizeof(*delegation));
    if (!delegation || !token_id(token, &delegation->token)) {
        WARN("nobody can use the client's tickets\n");
        free(delegation);
        return;
    }
    delegation->credential = credential;
    AcquireSRWLockExclusive(&lock);
    delegation->next = delegations;
    delegations = delegation;
    ReleaseSRWLockExclusive(&lock);
}

void delegation_withdraw(const struct credential *credential)
{
    AcquireSRWLockExclusive(&lock);
    struct delegation **place = &delegations;
    while (*place) {
        struct delegation *here = *place;
        if (here->credential == credential) {
            *place = here->next;
            free(here);
        } else {
            place = &here->next;
        }
    }
    ReleaseSRWLockExclusive(&lock);
}

/* Most processes are no servers, and most threads act for nobody: neither costs a call. */
struct credential *delegation_of_caller(void)
{
    struct credential *found = NULL;
    HANDLE token;
    LUID id;
    AcquireSRWLockShared(&lock);
    bool any = delegations != NULL;
    ReleaseSRWLockShared(&lock);
    if (!any || !OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return NULL;
    bool known = token_id(token, &id);
    CloseHandle(token);
    AcquireSRWLockShared(&lock);
    for (const struct delegation *here = delegations; known && here && !found; here = here->next)
        if (!memcmp(&here->token, &id, sizeof(id))) found = credential_hold(here->credential);
    ReleaseSRWLockShared(&lock);
    return found;
}
