/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls the LSA: one record per thread, and the privileges of the caller. */
#include "lsa_caller.h"

#include "guard.h"
#include "load_lsa.h"
#include "ssp/token.h"
#include "ssp/trace.h"

TRACE_CHANNEL("sspi");

static DWORD call_slot = TLS_OUT_OF_INDEXES;

static BOOL CALLBACK slot_make(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    call_slot = TlsAlloc();
    return TRUE;
}

static DWORD slot_get(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    InitOnceExecuteOnce(&once, slot_make, NULL, NULL);
    return call_slot;
}

/* ---- the call of the thread ---- */

/* The word: package id + 1 (11 bits) | count (8 bits) | attributes (12 bits) */
#define COUNT_SHIFT 12u
#define COUNT_MAX 0xffu
#define PACKAGE_SHIFT 20u
#define ATTRIBUTES_MASK 0xfffu
_Static_assert(LSA_PACKAGES_MAX < 1u << (31 - PACKAGE_SHIFT), "an id does not fit into the word");

/* TlsGetValue clears the last error, which callers of SSPI may be keeping. */
ULONG_PTR lsa_call_mark(void)
{
    DWORD error = GetLastError();
    ULONG_PTR word = (ULONG_PTR)TlsGetValue(slot_get());
    SetLastError(error);
    return word;
}

struct lsa_call lsa_call_current(void)
{
    ULONG_PTR word = lsa_call_mark(), package = word >> PACKAGE_SHIFT;
    return (struct lsa_call){.count = (ULONG)(word >> COUNT_SHIFT) & COUNT_MAX,
                             .attributes = (ULONG)word & ATTRIBUTES_MASK,
                             .package_id = package ? package - 1 : SECPKG_ID_NONE};
}

ULONG_PTR lsa_call_enter(const struct package *package, ULONG attributes)
{
    ULONG_PTR around = lsa_call_mark();
    const struct lsa_call outer = lsa_call_current();
    ULONG_PTR count = outer.count < COUNT_MAX ? outer.count + 1 : COUNT_MAX;
    if (outer.count) attributes |= outer.attributes | SECPKG_CALL_RECURSIVE;
    ULONG_PTR id = package ? package->id + 1 : 0;
    TlsSetValue(slot_get(), (void *)(id << PACKAGE_SHIFT | count << COUNT_SHIFT | attributes));
    return around;
}

void lsa_call_leave(ULONG_PTR word)
{
    TlsSetValue(slot_get(), (void *)word);
}

bool lsa_call_run(const struct package *package, const char *name, ULONG attributes,
                  void (*function)(void *argument), void *argument)
{
    ULONG_PTR around = lsa_call_enter(package, attributes);
    bool returned = guard_call(function, argument);
    lsa_call_leave(around);
    if (!returned) ERR("%ls raised an exception in %s\n", package->info.Name, name);
    return returned;
}

/* ---- privileges ---- */

static bool token_has_tcb(HANDLE token)
{
    PRIVILEGE_SET set = {.PrivilegeCount = 1, .Control = PRIVILEGE_SET_ALL_NECESSARY};
    BOOL has = FALSE;
    if (!LookupPrivilegeValueW(NULL, L"SeTcbPrivilege", &set.Privilege[0].Luid)) return false;
    return PrivilegeCheck(token, &set, &has) && has;
}

static bool caller_is_administrator(void)
{
    BYTE room[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(room);
    BOOL member = FALSE;
    if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, room, &size)) return false;
    return CheckTokenMembership(NULL, room, &member) && member;
}

bool lsa_caller_trusted(void)
{
    bool impersonating;
    HANDLE token = caller_token_open(TOKEN_QUERY, &impersonating);
    if (!token) return false;
    bool trusted = token_has_tcb(token) || caller_is_administrator();
    CloseHandle(token);
    return trusted;
}
