/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens of authenticated clients. Wine makes no token for another user, so there is one only
 * for a client that is the user of this process, or where an import brought one along; for
 * anybody else the process's token would turn a stranger into its owner. A client's context has
 * no token: its server has authenticated to nobody.
 */
#include "ntlm_package.h"

#include "ssp/trace.h"

TRACE_CHANNEL("ntlm");

static bool is_process_user(const struct ntlm_context *ntlm)
{
    struct name user, domain;
    const struct host *host = host_get();
    if (!host || !host->user.length || !name_set(&user, blob_slice(&ntlm->user)) ||
        !name_set(&domain, blob_slice(&ntlm->domain)))
        return false;
    return name_equal(&user, &host->user) && name_equal(&domain, &host->computer);
}

/* At the level that the client allows. */
static HANDLE token_make(const struct ntlm_context *ntlm)
{
    HANDLE process = NULL, token = NULL;
    bool identify = ntlm->session.flags & NTLM_IDENTIFY;
    SECURITY_IMPERSONATION_LEVEL level = identify ? SecurityIdentification : SecurityImpersonation;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE, &process)) return NULL;
    if (!DuplicateTokenEx(process, MAXIMUM_ALLOWED, NULL, level, TokenImpersonation, &token))
        token = NULL;
    CloseHandle(process);
    return token;
}

status_t context_token(struct context *context, HANDLE *out)
{
    status_t status = context_check_session(context);
    if (!status_ok(status)) return status;
    if (!context->token) {
        bool own = context->ntlm.role == NTLM_SERVER && is_process_user(&context->ntlm);
        HANDLE token = own ? token_make(&context->ntlm) : NULL;
        if (!token) return SEC_E_NO_IMPERSONATION;
        /* Two threads may have made one; the first stays. */
        if (InterlockedCompareExchangePointer(&context->token, token, NULL)) CloseHandle(token);
    }
    *out = context->token;
    return SEC_E_OK;
}

NTSTATUS NTAPI context_get_token(LSA_SEC_HANDLE handle, HANDLE *token)
{
    struct context *context = context_get(handle);
    AcquireSRWLockShared(&context->send);
    status_t status = context_token(context, token);
    ReleaseSRWLockShared(&context->send);
    TRACE("status %#lx\n", (ULONG)status);
    return status;
}
