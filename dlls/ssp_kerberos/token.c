/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens of authenticated clients. Wine makes no token for another user; account.c says which
 * principal is the user of this process. For anybody else the process's token would turn a stranger
 * into its owner: there is none, unless an import brought one along, or policy wants foreign
 * tokens, which can do next to nothing. A client's context has no token: its server has
 * authenticated to nobody.
 */
#include "logon.h"

#include "ssp/foreign.h"
#include "ssp/trace.h"

TRACE_CHANNEL("kerberos");

static status_t process_user_find(const struct facts *facts, bool *own)
{
    struct blob principal = {NULL, 0};
    status_t status = utf8_make(blob_slice(&facts->client), &principal);
    if (status_ok(status)) status = principal_find_own(blob_slice(&principal), own);
    blob_clear(&principal);
    return status;
}

static status_t token_make(const struct context *context, HANDLE *out)
{
    bool own = false;
    if (!context->server) return SEC_E_NO_IMPERSONATION;
    status_t status = process_user_find(&context->facts, &own);
    if (!status_ok(status)) return status;
    if (own) *out = client_token_own(context->attributes & ASC_RET_IDENTIFY);
    else *out = foreign_tokens_wanted() ? foreign_token_make() : NULL;
    return *out ? SEC_E_OK : SEC_E_NO_IMPERSONATION;
}

/* With the client's ticket the server may go on as the client where the KDC lets it (MS-SFU
 * 3.1.5.2). Not so where the client wants to be known and no more (ISC_REQ_IDENTIFY), nor for the
 * user of this process, who has tickets. */
static void evidence_use(struct context *context, HANDLE token)
{
    struct blob principal = {NULL, 0};
    if (!context->evidence.size || context->attributes & ASC_RET_IDENTIFY) return;
    if (!foreign_token_is(token)) return;
    status_t status = utf8_make(blob_slice(&context->facts.client), &principal);
    if (status_ok(status))
        status = credential_from_evidence(blob_slice(&context->evidence), blob_slice(&principal),
                                          &context->delegated);
    if (!status_ok(status)) WARN("nobody can act for the client elsewhere: %#lx\n", (ULONG)status);
    blob_clear(&principal);
    blob_clear(&context->evidence);
}

/* What the client has sent along comes first. */
static void delegation_begin(struct context *context, HANDLE token)
{
    if (!context->delegated) evidence_use(context, token);
    if (context->delegated) delegation_offer(token, context->delegated);
}

status_t context_token(struct context *context, HANDLE *out)
{
    status_t status = context_check_session(context);
    if (!status_ok(status)) return status;
    if (!context->token) {
        HANDLE token;
        status = token_make(context, &token);
        if (!status_ok(status)) return status;
        /* Two threads may have made one; the first stays. */
        if (InterlockedCompareExchangePointer(&context->token, token, NULL)) CloseHandle(token);
        else delegation_begin(context, token);
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
