/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens of authenticated clients. Wine makes no token for another user, so there is one only
 * for a client that is the user of this process, for nobody (where Wine can be nobody), or where
 * an import brought one along; for anybody else the process's token would turn a stranger into
 * its owner. Where policy wants it, anybody else has a foreign token, which can do next to nothing.
 * A client's context has no token: its server has authenticated to nobody.
 */
#include "ntlm_package.h"

#include "ssp/foreign.h"
#include "ssp/token.h"
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

static HANDLE token_make(const struct ntlm_context *ntlm)
{
    /* At the level that the client allows and the server wants. */
    bool identify = ntlm->attributes & ASC_RET_IDENTIFY;
    if (ntlm->role != NTLM_SERVER) return NULL;
    if (ntlm->attributes & ASC_RET_NULL_SESSION) return client_token_nobody(identify);
    if (is_process_user(ntlm)) return client_token_own(identify);
    return foreign_tokens_wanted() ? foreign_token_make() : NULL;
}

status_t context_token(struct context *context, HANDLE *out)
{
    status_t status = context_check_session(context);
    if (!status_ok(status)) return status;
    if (!context->token) {
        HANDLE token = token_make(&context->ntlm);
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
    lock_take(&context->send);
    status_t status = context_token(context, token);
    lock_give(&context->send);
    TRACE("status %#lx\n", (ULONG)status);
    return status;
}
