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

/*
 * A call on its way to a package. It is kept in one word of its thread and not on the stack: an
 * exception that an application handles leaves a stack behind that is gone, and the worst that may
 * come of the word is that later calls seem to be made inside of that one. SSPI calls through W
 * entries have none: nothing is to be said of them.
 */
struct lsa_call {
    ULONG count;          /* of calls, the inner ones inside of the outer; 0 when there is none */
    ULONG attributes;     /* SECPKG_CALL_ANSI, SECPKG_CALL_IS_TCB, SECPKG_CALL_RECURSIVE */
    ULONG_PTR package_id; /* that is called, or SECPKG_ID_NONE */
};

/* The call that this thread is in. */
struct lsa_call lsa_call_current(void);

/* Each returns the word for lsa_call_leave, which makes the call that the thread was in its present
 * one again. The package may be NULL. */
ULONG_PTR lsa_call_enter(const struct package *package, ULONG attributes);
ULONG_PTR lsa_call_mark(void); /* of the present call */
void lsa_call_leave(ULONG_PTR word);

/* Calls function(argument), which calls that function of the package; false when the package has
 * raised an exception. */
bool lsa_call_run(const struct package *package, const char *name, ULONG attributes,
                  void (*function)(void *argument), void *argument);
