/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What clients have delegated, for servers that act for them: default credentials of a thread that
 * has the token of a context are the client's own, where they came along (the documentation of
 * ISC_REQ_DELEGATE). On Windows they belong to the client's logon session. Here that is the token's
 * object, until its context is deleted; so a duplicate made by DuplicateToken has none.
 */
#include "kerberos_package.h"

#include "ssp/token.h"
#include "ssp/trace.h"

#include <stdlib.h>

TRACE_CHANNEL("kerberos");

struct delegation {
    struct delegation *next;
    LUID token; /* TokenId */
    struct credential *credential;
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct delegation *delegations;

static bool token_id(HANDLE token, LUID *out)
{
    TOKEN_STATISTICS statistics;
    DWORD size;
    if (!GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size))
        return false;
    *out = statistics.TokenId;
    return true;
}

/* The place of the one of that token, or of the end. */
static struct delegation **place_of(const LUID *token)
{
    struct delegation **place = &delegations;
    while (*place && ((*place)->token.LowPart != token->LowPart ||
                      (*place)->token.HighPart != token->HighPart))
        place = &(*place)->next;
    return place;
}

void delegation_offer(HANDLE token, struct credential *credential)
{
    struct delegation *delegation = malloc(sizeof(*delegation));
    if (!delegation || !token_id(token, &delegation->token)) {
        WARN("nobody will find what the client has delegated\n");
        free(delegation);
        return;
    }
    delegation->credential = credential_hold(credential);
    AcquireSRWLockExclusive(&lock);
    delegation->next = delegations;
    delegations = delegation;
    ReleaseSRWLockExclusive(&lock);
}

void delegation_withdraw(HANDLE token)
{
    struct delegation *found = NULL;
    LUID id;
    if (!token_id(token, &id)) return;
    AcquireSRWLockExclusive(&lock);
    struct delegation **place = place_of(&id);
    found = *place;
    if (found) *place = found->next;
    ReleaseSRWLockExclusive(&lock);
    if (!found) return;
    credential_release(found->credential);
    free(found);
}

struct credential *delegation_find(void)
{
    struct credential *credential = NULL;
    bool acts;
    LUID id;
    AcquireSRWLockShared(&lock);
    bool any = delegations != NULL;
    ReleaseSRWLockShared(&lock);
    if (!any) return NULL;
    HANDLE token = caller_token_open(TOKEN_QUERY, &acts);
    if (!token) return NULL;
    if (acts && token_id(token, &id)) {
        AcquireSRWLockShared(&lock);
        const struct delegation *found = *place_of(&id);
        if (found) credential = credential_hold(found->credential);
        ReleaseSRWLockShared(&lock);
    }
    CloseHandle(token);
    return credential;
}
