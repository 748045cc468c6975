/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Timers and waits of the thread pool that end together. Closing the group is the one way that is
 * safe everywhere: after SetThreadpoolWait(NULL) and WaitForThreadpoolWaitCallbacks, Wine 8.0 may
 * still begin a callback of an event that had been signalled just before.
 */
#pragma once

#include "ssp/abi.h"

struct pool_group {
    PTP_CLEANUP_GROUP group;
    TP_CALLBACK_ENVIRON environment; /* for the members */
};

static inline bool pool_group_open(struct pool_group *out)
{
    out->group = CreateThreadpoolCleanupGroup();
    if (!out->group) return false;
    InitializeThreadpoolEnvironment(&out->environment);
    SetThreadpoolCallbackCleanupGroup(&out->environment, out->group, NULL);
    return true;
}

/* Closes the members and waits for their callbacks, none of which may set a member going any more.
 * One that was never opened is fine. */
static inline void pool_group_close(struct pool_group *group)
{
    if (!group->group) return;
    CloseThreadpoolCleanupGroupMembers(group->group, TRUE, NULL);
    CloseThreadpoolCleanupGroup(group->group);
}
