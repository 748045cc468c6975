/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What packages learn of their client, and do in its place. The client is the process itself: its
 * threads call packages directly, and one that impersonates is whom it impersonates.
 */
#include "lsa_caller.h"
#include "lsa_services.h"
#include "ssp/token.h"
#include "ssp/trace.h"
#include "token_name.h"

#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

TRACE_CHANNEL("sspi");

NTSTATUS NTAPI service_client_impersonate(void)
{
    bool impersonating;
    HANDLE token = caller_token_open(TOKEN_QUERY, &impersonating);
    if (token) CloseHandle(token);
    if (impersonating) return STATUS_SUCCESS;
    return ImpersonateSelf(SecurityImpersonation) ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

/* A call without a record is one of SSPI, whose callers need no privilege. */
static bool caller_has_tcb(void)
{
    return lsa_call_current().attributes & SECPKG_CALL_IS_TCB;
}

NTSTATUS NTAPI service_client_info(SECPKG_CLIENT_INFO *info)
{
    TOKEN_STATISTICS statistics;
    SECURITY_IMPERSONATION_LEVEL level = SecurityImpersonation;
    DWORD size;
    bool impersonating;
    if (!info) return STATUS_INVALID_PARAMETER;
    HANDLE token = caller_token_open(TOKEN_QUERY, &impersonating);
    if (!token) return STATUS_ACCESS_DENIED;
    BOOL found = GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics),
                                     &size);
    if (found && impersonating) level = statistics.ImpersonationLevel;
    BOOLEAN restricted = IsTokenRestricted(token) != 0;
    /* Wine's own number in a foreign token is that of the process's session. */
    if (found) token_logon_get(token, &statistics.AuthenticationId);
    CloseHandle(token);
    if (!found) return STATUS_ACCESS_DENIED;
    *info = (SECPKG_CLIENT_INFO){.LogonId = statistics.AuthenticationId,
                                 .ProcessID = GetCurrentProcessId(),
                                 .ThreadID = GetCurrentThreadId(),
                                 .HasTcbPrivilege = caller_has_tcb(),
                                 .Impersonating = impersonating,
                                 .Restricted = restricted,
                                 .ImpersonationLevel = level};
    return STATUS_SUCCESS;
}

/* Whose the tokens would be is not said, so none is given. */
NTSTATUS NTAPI service_client_info_ex(struct client_info_ex *info, ULONG size)
{
    struct client_info_ex made = {0};
    if (!info || size < sizeof(made.base)) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = service_client_info(&made.base);
    if (status < 0) return status;
    made.IdentificationLogonId = made.base.LogonId;
    memcpy(info, &made, size < sizeof(made) ? size : sizeof(made));
    return STATUS_SUCCESS;
}

/* A 32-bit client is served by a 32-bit package, so none is ever SECPKG_CALL_WOWCLIENT: pointers
 * in its messages need no conversion. */
BOOLEAN NTAPI service_call_info(SECPKG_CALL_INFO *info)
{
    if (!info) return FALSE;
    const struct lsa_call call = lsa_call_current();
    *info = (SECPKG_CALL_INFO){.ProcessId = GetCurrentProcessId(),
                               .ThreadId = GetCurrentThreadId(),
                               .Attributes = SECPKG_CALL_IN_PROC | call.attributes,
                               .CallCount = call.count ? call.count : 1};
    return TRUE;
}

NTSTATUS NTAPI service_call_flags(ULONG *flags)
{
    if (!flags) return STATUS_INVALID_PARAMETER;
    *flags = 0; /* none is known */
    return STATUS_SUCCESS;
}

/* The one thing that can be asked for is the session of a log-on that has only begun. */
NTSTATUS NTAPI service_client_request(PLSA_CLIENT_REQUEST request, ULONG type, void **reply)
{
    return STATUS_NOT_SUPPORTED;
}

/* ---- threads and handles ---- */

HANDLE NTAPI service_thread_create(SEC_ATTRS attributes, ULONG stack_size, SEC_THREAD_START start,
                                   void *parameter, ULONG flags, ULONG *id)
{
    DWORD thread_id = 0;
    HANDLE thread = CreateThread((SECURITY_ATTRIBUTES *)attributes, stack_size,
                                 (LPTHREAD_START_ROUTINE)start, parameter, flags, &thread_id);
    if (thread && id) *id = thread_id;
    return thread;
}

NTSTATUS NTAPI service_handle_duplicate(HANDLE source, HANDLE *out)
{
    HANDLE copy;
    if (!out) return STATUS_INVALID_PARAMETER;
    if (!DuplicateHandle(GetCurrentProcess(), source, GetCurrentProcess(), &copy, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return STATUS_INVALID_HANDLE;
    *out = copy;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI service_package_unload(void)
{
    return STATUS_NOT_SUPPORTED; /* modules stay for the life of the process */
}

/* ---- functions of the package's half in the client ---- */

struct callback {
    ULONG id;
    PLSA_CALLBACK_FUNCTION function;
};

static SRWLOCK callbacks_lock = SRWLOCK_INIT;
static struct callback callbacks[64];

/* Under the lock. */
static struct callback *callback_find(ULONG id, PLSA_CALLBACK_FUNCTION function)
{
    for (size_t i = 0; i < ARRAYSIZE(callbacks); i++)
        if (function ? !callbacks[i].function : callbacks[i].function && callbacks[i].id == id)
            return &callbacks[i];
    return NULL;
}

/* The latest registration of an id holds; without a function it ends. */
NTSTATUS NTAPI service_callback_register(ULONG id, PLSA_CALLBACK_FUNCTION function)
{
    NTSTATUS status = STATUS_SUCCESS;
    AcquireSRWLockExclusive(&callbacks_lock);
    struct callback *callback = callback_find(id, NULL);
    if (!callback && function) callback = callback_find(0, function);
    if (callback) *callback = (struct callback){id, function};
    else if (function) status = STATUS_INSUFFICIENT_RESOURCES;
    ReleaseSRWLockExclusive(&callbacks_lock);
    return status;
}

/* The callback is named by the id that the package's other half has registered it under. */
NTSTATUS NTAPI service_client_callback(PCHAR callback, ULONG_PTR argument1, ULONG_PTR argument2,
                                       PSecBuffer in, PSecBuffer out)
{
    PLSA_CALLBACK_FUNCTION function = NULL;
    AcquireSRWLockShared(&callbacks_lock);
    const struct callback *found = callback_find((ULONG)(ULONG_PTR)callback, NULL);
    if (found) function = found->function;
    ReleaseSRWLockShared(&callbacks_lock);
    return function ? function(argument1, argument2, in, out) : STATUS_NOT_FOUND;
}

/* ---- audits are the trace's business ---- */

void NTAPI service_logon_audit_ex(NTSTATUS status, NTSTATUS sub_status, UNICODE_STRING *account,
                                  UNICODE_STRING *authority, UNICODE_STRING *workstation, PSID sid,
                                  SECURITY_LOGON_TYPE type, SECURITY_IMPERSONATION_LEVEL level,
                                  TOKEN_SOURCE *source, LUID *logon_id)
{
    char text[TRACE_TEXT_MAX];
    TRACE("log-on of %s, type %d: status %#lx, %#lx\n",
          trace_wide(text, account ? account->Buffer : NULL, account ? account->Length / 2 : 0),
          type, (ULONG)status, (ULONG)sub_status);
}

void NTAPI service_logon_audit(NTSTATUS status, NTSTATUS sub_status, PUNICODE_STRING account,
                               PUNICODE_STRING authority, PUNICODE_STRING workstation, PSID sid,
                               SECURITY_LOGON_TYPE type, PTOKEN_SOURCE source, PLUID logon_id)
{
    service_logon_audit_ex(status, sub_status, account, authority, workstation, sid, type,
                           SecurityImpersonation, source, logon_id);
}

NTSTATUS NTAPI service_account_audit(ULONG id, BOOLEAN success, PUNICODE_STRING source,
                                     PUNICODE_STRING client, PUNICODE_STRING mapped,
                                     NTSTATUS status)
{
    TRACE("account log-on: status %#lx\n", (ULONG)status);
    return STATUS_SUCCESS;
}

/* ---- functions that the kernel calls through the LSA: there is no such caller ---- */

NTSTATUS NTAPI service_app_mode_get(ULONG *function, ULONG_PTR *argument1, ULONG_PTR *argument2,
                                    SecBuffer *data, BOOLEAN *return_to_lsa)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI service_app_mode_set(ULONG function, ULONG_PTR argument1, ULONG_PTR argument2,
                                    SecBuffer *data, BOOLEAN return_to_lsa)
{
    return STATUS_NOT_SUPPORTED;
}
