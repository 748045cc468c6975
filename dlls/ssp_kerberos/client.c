/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client's legs: one that makes the AP-REQ, one that takes the AP-REP where the server is to
 * prove itself, too (RFC 4121 4.1), and in DCE style a third token (MS-KILE 3.4.5.1).
 *
 * ISC_REQ_USE_SESSION_KEY asks for a ticket under the session key of the server's user, who need
 * not be a service: the first leg asks for that user's ticket, and two more are as above
 * (draft-swift-win2k-krb-user2user). DCE style and datagrams have no such form, and no ticket is
 * delegated. A null session is refused: who is nobody has no ticket. Requirements that Kerberos has
 * no answer to are not refused but not returned either.
 */
#include "kerberos_package.h"

#include "core/kerberos_user.h"
#include "ssp/trace.h"

TRACE_CHANNEL("kerberos");

#define ECHOED (ISC_REQ_CONNECTION | ISC_REQ_DATAGRAM)

/* Requirements and attributes have the same bits here. */
static const struct {
    ULONG requirement;
    uint32_t flag;
} pairs[] = {
    {ISC_REQ_DELEGATE, CALL_DELEGATE},
    {ISC_REQ_MUTUAL_AUTH, CALL_MUTUAL},
    {ISC_REQ_REPLAY_DETECT, CALL_REPLAY},
    {ISC_REQ_SEQUENCE_DETECT, CALL_SEQUENCE},
    {ISC_REQ_CONFIDENTIALITY, CALL_CONFIDENTIALITY},
    {ISC_REQ_INTEGRITY, CALL_INTEGRITY},
    {ISC_REQ_USE_DCE_STYLE, CALL_DCE_STYLE},
    {ISC_REQ_IDENTIFY, CALL_IDENTIFY},
    {ISC_REQ_EXTENDED_ERROR, CALL_EXTENDED_ERROR},
    {ISC_REQ_USE_SESSION_KEY, CALL_USER_TO_USER},
};

/* What follows from what was asked for: DCE style is mutual (MS-KILE 3.4.5.1); detection of
 * replays and gaps needs signatures, and delegation mutual authentication (the documentation of
 * context requirements). */
static ULONG requirements_meant(ULONG requirements)
{
    if (requirements & ISC_REQ_USE_DCE_STYLE) requirements |= ISC_REQ_MUTUAL_AUTH;
    if (requirements & (ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONFIDENTIALITY))
        requirements |= ISC_REQ_INTEGRITY;
    if (!(requirements & ISC_REQ_MUTUAL_AUTH)) requirements &= ~(ULONG)ISC_REQ_DELEGATE;
    return requirements;
}

/* A server is trusted with tickets where the KDC says so (MS-KILE 3.2.1, RFC 4120 2.8). */
static uint32_t flags_asked(ULONG requirements)
{
    struct kerberos_policy policy;
    uint32_t flags = 0;
    for (size_t i = 0; i < ARRAYSIZE(pairs); i++)
        if (requirements & pairs[i].requirement) flags |= pairs[i].flag;
    bool anywhere = status_ok(policy_get(&policy)) && policy.delegate_anywhere;
    if (flags & CALL_DELEGATE && !anywhere) flags = (flags & ~CALL_DELEGATE) | CALL_DELEGATE_POLICY;
    return flags;
}

/* The library grants more than was asked for; an application is told of what it wanted. */
static ULONG attributes_of(ULONG requirements, uint32_t granted)
{
    ULONG attributes = requirements & ECHOED;
    for (size_t i = 0; i < ARRAYSIZE(pairs); i++)
        if (requirements & pairs[i].requirement && granted & pairs[i].flag)
            attributes |= pairs[i].requirement;
    return attributes;
}

/* A half-open context, too, ends with its ticket: some clients of SSH ask the first leg. */
static status_t exchange(struct context *context, struct leg *leg, struct kerberos_call_leg *call)
{
    /* What the library does not know of, an application was told nevertheless. */
    const uint32_t private_flags = CALL_IDENTIFY | CALL_EXTENDED_ERROR;
    uint32_t asked = flags_asked(context->requirements);
    call->flags = asked;
    status_t status = context_exchange(context, leg, KERBEROS_CALL_INITIATE, call);
    uint32_t granted = call->flags | (asked & private_flags);
    context->facts.expiry = time_from_unix(call->expiry);
    return context_settle(context, leg, attributes_of(context->requirements, granted), call->done,
                          status);
}

static status_t start_check(const struct leg *leg, const struct credential *credential)
{
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (!(credential->use & SECPKG_CRED_OUTBOUND)) return SEC_E_NO_CREDENTIALS;
    if (leg->requirements & ISC_REQ_NULL_SESSION) return SEC_E_NO_CREDENTIALS;
    bool user = leg->requirements & ISC_REQ_USE_SESSION_KEY;
    if (!user || !(leg->requirements & (ISC_REQ_USE_DCE_STYLE | ISC_REQ_DATAGRAM))) return SEC_E_OK;
    WARN("there is no user-to-user in DCE style or with datagrams\n");
    return SEC_E_UNSUPPORTED_FUNCTION;
}

/* The bindings of the channel are part of the first token, unless policy keeps them out. */
static status_t bindings_add(const struct leg *leg, bool user, struct kerberos_call_leg *call)
{
    struct leg_bindings bindings;
    struct kerberos_policy policy;
    status_t status = leg_bindings_read(leg->input, &bindings);
    if (status_ok(status)) status = policy_get(&policy);
    if (status_ok(status) && !policy.no_extended_protection)
        status = leg_bindings_pass(&bindings, user, &call->bindings);
    return status;
}

status_t client_start(struct leg *leg, struct credential *credential, struct context *context)
{
    struct kerberos_call_leg call = {0};
    struct blob principal = {NULL, 0};
    struct slice target;
    context->user = leg->requirements & ISC_REQ_USE_SESSION_KEY;
    status_t status = start_check(leg, credential);
    if (status_ok(status)) status = leg_target(leg->target, leg->input, &target);
    if (status_ok(status)) status = bindings_add(leg, context->user, &call);
    if (status_ok(status)) status = blob_set(&context->facts.target, target);
    if (status_ok(status)) status = target_principal(target, &principal);
    if (!status_ok(status)) return status;
    call.target = unixcall_slice(blob_slice(&principal));
    context->credential = credential_hold(credential);
    context->requirements = requirements_meant(leg->requirements);
    status = credential_library(credential, CALL_USE_INITIATE, &call.credential);
    if (status_ok(status)) status = exchange(context, leg, &call);
    blob_clear(&principal);
    return status;
}

/* A damaged token of user-to-user is found before the library spends the exchange on it: the right
 * one may come yet. */
static status_t token_check(struct slice token)
{
    struct kerberos_user_reply reply;
    enum kerberos_user_kind kind;
    struct slice message;
    status_t status = kerberos_user_token_read(token, &kind, &message);
    if (status_ok(status) && kind == KERBEROS_USER_TGT_REPLY)
        status = kerberos_user_reply_read(message, &reply);
    if (!status_ok(status)) WARN("what the server has sent is no token of user-to-user\n");
    return status;
}

status_t client_next(struct leg *leg, struct context *context)
{
    struct kerberos_call_leg call = {0};
    struct slice token;
    status_t status = leg_token(leg->input, &token);
    if (status_ok(status) && context->user) status = token_check(token);
    if (!status_ok(status)) return status;
    call.input = unixcall_slice(token);
    return exchange(context, leg, &call);
}
