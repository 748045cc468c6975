/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls the LSA, and how: what packages learn by GetCallInfo and GetClientInfo. */
#pragma once

#include "package.h"

/*
 * May the caller be a logon process? On Windows that takes SE_TCB_NAME, which services running as
 * the system have. Wine gives this privilege to nobody, not to services either, and runs them as
 * an administrator: so an administrator is enough.
 */
bool lsa_caller_trusted(void);

/* A call on its way to a package, on the stack of its thread. SSPI calls through W entries have
 * none: nothing is to be said of them. */
struct lsa_call {
    struct lsa_call *outer;
    const struct package *package; /* that is called, or NULL */
    ULONG attributes;              /* SECPKG_CALL_ANSI, SECPKG_CALL_IS_TCB */
};

void lsa_call_enter(struct lsa_call *call, const struct package *package, ULONG attributes);
void lsa_call_leave(const struct lsa_call *call);

/* Calls function(argument), which calls that function of the package; false when the package has
 * raised an exception. The call's record must not outlive the stack that it is on. */
bool lsa_call_run(const struct package *package, const char *name, ULONG attributes,
                  void (*function)(void *argument), void *argument);

/* The call that this thread is in, or NULL. */
const struct lsa_call *lsa_call_current(void);

/* After an exception: the thread is in that call, and in none that was made inside of it. */
void lsa_call_return_to(const struct lsa_call *call);
