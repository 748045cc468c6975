/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an established context does for its application is the mechanism's: messages, tokens and
 * control go straight to its context. No lock is taken: nothing that is looked at here changes
 * once the context is established, and the host keeps it while a call is inside.
 */
#include "negotiate_package.h"

#include "ssp/trace.h"

TRACE_CHANNEL("negotiate");

/* NULL before the context is established. */
static CtxtHandle *session_of(LSA_SEC_HANDLE handle)
{
    struct context *context = context_get(handle);
    return context_established(context) ? &context->inner.handle : NULL;
}

NTSTATUS NTAPI message_sign(LSA_SEC_HANDLE handle, ULONG qop, SecBufferDesc *desc, ULONG sequence)
{
    CtxtHandle *session = session_of(handle);
    return session ? MakeSignature(session, qop, desc, sequence) : SEC_E_INVALID_HANDLE;
}

NTSTATUS NTAPI message_verify(LSA_SEC_HANDLE handle, SecBufferDesc *desc, ULONG sequence,
                              ULONG *qop)
{
    CtxtHandle *session = session_of(handle);
    return session ? VerifySignature(session, desc, sequence, qop) : SEC_E_INVALID_HANDLE;
}

NTSTATUS NTAPI message_seal(LSA_SEC_HANDLE handle, ULONG qop, SecBufferDesc *desc, ULONG sequence)
{
    CtxtHandle *session = session_of(handle);
    return session ? EncryptMessage(session, qop, desc, sequence) : SEC_E_INVALID_HANDLE;
}

NTSTATUS NTAPI message_unseal(LSA_SEC_HANDLE handle, SecBufferDesc *desc, ULONG sequence,
                              ULONG *qop)
{
    CtxtHandle *session = session_of(handle);
    return session ? DecryptMessage(session, desc, sequence, qop) : SEC_E_INVALID_HANDLE;
}

/* The host duplicates what it hands out, so the context keeps one. */
NTSTATUS NTAPI context_get_token(LSA_SEC_HANDLE handle, HANDLE *token)
{
    struct context *context = context_get(handle);
    CtxtHandle *session = session_of(handle);
    HANDLE own = NULL;
    if (!session) return SEC_E_INVALID_HANDLE;
    if (!context->token) {
        status_t status = QuerySecurityContextToken(session, &own);
        TRACE("status %#lx\n", (ULONG)status);
        if (!status_ok(status)) return status;
        /* Two threads may have got one; the first stays. */
        if (InterlockedCompareExchangePointer(&context->token, own, NULL)) CloseHandle(own);
    }
    *token = context->token;
    return SEC_E_OK;
}

NTSTATUS NTAPI context_control(LSA_SEC_HANDLE handle, SecBufferDesc *input)
{
    CtxtHandle *session = session_of(handle);
    return session ? ApplyControlToken(session, input) : SEC_E_INVALID_HANDLE;
}

/* Only a mechanism without SPNEGO leaves this to the application. */
NTSTATUS NTAPI context_complete(LSA_SEC_HANDLE handle, SecBufferDesc *token)
{
    struct context *context = context_get(handle);
    lock_take(&context->lock);
    bool possible = context->raw && !context->exported;
    status_t status = possible ? CompleteAuthToken(&context->inner.handle, token)
                               : SEC_E_UNSUPPORTED_FUNCTION;
    lock_give(&context->lock);
    return status;
}
