/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls the LSA: one record per call and thread, and the privileges of the caller. */
#include "lsa_caller.h"

#include "guard.h"
#include "lsa_account.h"
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

/* TlsGetValue clears the last error, which callers of SSPI may be keeping. */
const struct lsa_call *lsa_call_current(void)
{
    DWORD error = GetLastError();
    const struct lsa_call *call = TlsGetValue(slot_get());
    SetLastError(error);
    return call;
}

void lsa_call_enter(struct lsa_call *call, const struct package *package, ULONG attributes)
{
    call->outer = (struct lsa_call *)lsa_call_current();
    call->package = package;
    call->attributes = attributes;
    if (call->outer) call->attributes |= call->outer->attributes | SECPKG_CALL_RECURSIVE;
    TlsSetValue(slot_get(), call);
}

void lsa_call_return_to(const struct lsa_call *call)
{
    TlsSetValue(slot_get(), (void *)call);
}

void lsa_call_leave(const struct lsa_call *call)
{
    lsa_call_return_to(call->outer);
}

bool lsa_call_run(const struct package *package, const char *name, ULONG attributes,
                  void (*function)(void *argument), void *argument)
{
    struct lsa_call call;
    lsa_call_enter(&call, package, attributes);
    bool returned = guard_call(function, argument);
    lsa_call_leave(&call);
    if (!returned) ERR("%ls raised an exception in %s\n", package->info.Name, name);
    return returned;
}

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
    HANDLE token = account_caller_token(TOKEN_QUERY, &impersonating);
    if (!token) return false;
    bool trusted = token_has_tcb(token) || caller_is_administrator();
    CloseHandle(token);
    return trusted;
}
