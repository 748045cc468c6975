/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's legs: one that takes the AP-REQ and answers with an AP-REP where the client wants
 * one, and in DCE style another that takes the client's AP-REP (MS-KILE 3.4.5.1). Who may come is
 * in the host's keytab.
 *
 * Channel bindings are compared by the library, which has the client's in the encrypted part of
 * its token and tells no more of them than whether they are the same. Of a client without any it
 * says so by leaving CALL_CHANNEL_BOUND out; a library that knows no such flag is taken to speak of
 * one without. Of a client that knows of bindings and has none MIT's says that they are others.
 * More than that is read from the token itself: where a proxy has the channel
 * (ASC_REQ_PROXY_BINDINGS), so that there is nothing to compare with, and for an audit. A client
 * of which that cannot be read is refused even where bindings may be missing: whoever stands
 * between the two can spoil the reading. Who asks for the result of what the library compares is
 * told more of a client that it refuses; that lets nobody in.
 *
 * Wishes of the server add nothing to what the client asked for. ASC_REQ_USE_SESSION_KEY allows a
 * client to come by user-to-user: the server is then its own user, by the tickets of the log-on and
 * without a keytab. A leg more, before the AP-REQ, hands out that user's ticket.
 */
#include "kerberos_package.h"

#include "core/kerberos_user.h"
#include "core/secret.h"
#include "ssp/foreign.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("kerberos");

#define ECHOED (ASC_REQ_CONNECTION | ASC_REQ_DATAGRAM)

/* What an answer needs at the most: an AP-REP with a subkey of 32 bytes is under 200. A token
 * counts once, so that it must not be looked at while there is no room for the answer. */
#define ANSWER_ROOM 256u

#define AP_REP 0x6fu /* its first byte, bare, as DCE style has it */

static const struct {
    ULONG attribute;
    uint32_t flag;
} pairs[] = {
    {ASC_RET_DELEGATE, CALL_DELEGATE},
    {ASC_RET_MUTUAL_AUTH, CALL_MUTUAL},
    {ASC_RET_REPLAY_DETECT, CALL_REPLAY},
    {ASC_RET_SEQUENCE_DETECT, CALL_SEQUENCE},
    {ASC_RET_CONFIDENTIALITY, CALL_CONFIDENTIALITY},
    {ASC_RET_INTEGRITY, CALL_INTEGRITY},
    {ASC_RET_USED_DCE_STYLE, CALL_DCE_STYLE},
    {ASC_RET_IDENTIFY, CALL_IDENTIFY},
    {ASC_RET_EXTENDED_ERROR, CALL_EXTENDED_ERROR},
    {ASC_RET_USE_SESSION_KEY, CALL_USER_TO_USER},
};

static ULONG attributes_of(ULONG requirements, uint32_t flags)
{
    ULONG attributes = requirements & (ECHOED | ASC_REQ_IDENTIFY);
    for (size_t i = 0; i < ARRAYSIZE(pairs); i++)
        if (flags & pairs[i].flag) attributes |= pairs[i].attribute;
    return attributes;
}

/* ---- channel bindings ---- */

static bool wants_result(const struct leg *leg)
{
    return secbuf_find(leg->output_desc, SECBUFFER_CHANNEL_BINDINGS_RESULT);
}

/* Asked for only when the application says which channel it is, or that a proxy has it; and where
 * policy does not look, when the application wants to be told. */
static status_t bindings_add(const struct leg *leg, bool user, struct kerberos_call_leg *call,
                             struct binding *binding)
{
    struct leg_bindings own;
    struct kerberos_policy policy;
    *binding = (struct binding){.kind = BINDING_ANY};
    bool proxied = leg->requirements & ASC_REQ_PROXY_BINDINGS;
    status_t status = leg_bindings_read(leg->input, &own);
    if (status_ok(status)) status = policy_get(&policy);
    if (!status_ok(status)) return status;
    bool off = policy.channel_bindings == POLICY_OFF;
    if (!own.given && !proxied) leg_channel_unasked(leg->output_desc);
    if ((!own.given && !proxied) || (off && !wants_result(leg))) return SEC_E_OK;
    bool told = proxied || own.audit || off;
    binding->kind = told ? BINDING_TOLD : BINDING_COMPARED;
    binding->rule = (struct leg_channel_rule){
        .requirements = leg->requirements,
        .required = policy.channel_bindings >= POLICY_REQUIRED,
        .audit = own.audit || off,
    };
    status = leg_bindings_pass(&own, user || told, &call->bindings);
    if (!told || !status_ok(status)) return status;
    memcpy(binding->own, call->bindings.digest, sizeof(binding->own));
    call->bindings = (struct call_bindings){.given = 0};
    return SEC_E_OK;
}

static bool wants_telling(const struct leg *leg, const struct binding *binding)
{
    return binding->kind == BINDING_TOLD ||
           (binding->kind == BINDING_COMPARED && wants_result(leg));
}

static enum leg_channel channel_of(const struct binding *binding,
                                   const struct kerberos_call_leg *call, bool refused)
{
    static const uint8_t zeros[16];
    bool told = call->flags & CALL_CHANNEL_TOLD;
    bool none = told && secret_equal(call->channel, zeros, sizeof(zeros));
    if (refused) return none ? LEG_CHANNEL_NONE : LEG_CHANNEL_OTHER;
    if (binding->kind == BINDING_COMPARED)
        return call->flags & CALL_CHANNEL_BOUND ? LEG_CHANNEL_SAME : LEG_CHANNEL_UNSAID;
    if (none) return call->flags & CALL_CHANNEL_AWARE ? LEG_CHANNEL_NONE : LEG_CHANNEL_UNSAID;
    if (!told) return LEG_CHANNEL_UNSAID;
    return secret_equal(call->channel, binding->own, sizeof(zeros)) ? LEG_CHANNEL_SAME
                                                                    : LEG_CHANNEL_OTHER;
}

/* refused: the library has compared, and found others. */
static status_t channel_judge(const struct leg *leg, const struct binding *binding,
                              const struct kerberos_call_leg *call, bool refused)
{
    struct leg_channel_rule rule = binding->rule;
    if (binding->kind == BINDING_TOLD && !(call->flags & CALL_CHANNEL_TOLD)) {
        WARN("what the client says of its channel cannot be read\n");
        rule.requirements &= ~ASC_REQ_ALLOW_MISSING_BINDINGS;
    }
    return leg_channel_judge(leg->output_desc, &rule, channel_of(binding, call, refused));
}

/* The status of a leg, or what its client's channel makes of it; an answer that waits for room must
 * not be had without that, either. */
static status_t channel_check(const struct context *context, struct leg *leg,
                              const struct kerberos_call_leg *call, const struct binding *binding,
                              status_t status)
{
    bool kept = status == SEC_E_BUFFER_TOO_SMALL && context->unsent.size;
    bool passed = status_ok(status) || kept;
    bool refused = status == SEC_E_BAD_BINDINGS && binding->kind == BINDING_COMPARED;
    bool said = call->done || !context->user;
    if (!refused && !(passed && said)) return status;
    status_t judged = channel_judge(leg, binding, call, refused);
    if (passed && !status_ok(judged)) leg->made = 0;
    return status_ok(judged) ? status : judged;
}

/* ---- legs ---- */

/* Borrows the principal's text from the facts, which the end of the exchange has filled. */
static void delegation_take(struct context *context, uint64_t *delegated)
{
    struct blob principal = {NULL, 0};
    status_t status = utf8_make(blob_slice(&context->facts.client), &principal);
    if (status_ok(status))
        status = credential_from_library(*delegated, blob_slice(&principal), &context->delegated);
    if (status_ok(status)) *delegated = 0;
    else WARN("the client's ticket is lost: status %#lx\n", (ULONG)status);
    blob_clear(&principal);
}

static status_t exchange(struct context *context, struct leg *leg, struct kerberos_call_leg *call,
                         const struct binding *binding)
{
    if (wants_telling(leg, binding)) call->flags |= CALL_CHANNEL_TOLD;
    status_t status = context_exchange(context, leg, KERBEROS_CALL_ACCEPT, call);
    if (binding->kind != BINDING_ANY) status = channel_check(context, leg, call, binding, status);
    /* MIT's has an error to send, and no end, for a token of a kind that it does not know. */
    bool answers = context->user || (leg->made && leg->output.block[0] == AP_REP);
    if (status_ok(status) && !call->done && !answers) status = SEC_E_INVALID_TOKEN;
    ULONG attributes = attributes_of(context->requirements, call->flags);
    status = context_settle(context, leg, attributes, call->done, status);
    uint64_t delegated = call->delegated;
    if (delegated && context->stage == STAGE_ESTABLISHED) delegation_take(context, &delegated);
    library_free(delegated);
    bool tells = leg->requirements & ASC_REQ_EXTENDED_ERROR;
    if (!status_ok(status) && !tells) leg->made = 0;
    return status;
}

/* Copied where policy has threads act for foreign clients; it is looked at when one does. */
static void evidence_keep(struct context *context, struct slice token)
{
    if (context->delegated || !foreign_tokens_wanted()) return;
    if (!status_ok(blob_set(&context->evidence, token)))
        WARN("nobody can act for the client elsewhere: no memory\n");
}

static status_t start_check(const struct leg *leg, const struct credential *credential)
{
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (!(credential->use & SECPKG_CRED_INBOUND)) return SEC_E_NO_CREDENTIALS;
    bool fits = leg->output.allocate || leg->output.buffer->cbBuffer >= ANSWER_ROOM;
    return fits ? SEC_E_OK : SEC_E_BUFFER_TOO_SMALL;
}

/* Who its user is a server does not say for a thread that acts for somebody else. */
static status_t user_check(const struct leg *leg, const struct credential *credential)
{
    if (!(leg->requirements & ASC_REQ_USE_SESSION_KEY)) {
        WARN("the client wants user-to-user, which the server does not allow\n");
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
    return !credential->has_password && foreign_caller() ? SEC_E_NO_CREDENTIALS : SEC_E_OK;
}

status_t server_start(struct leg *leg, struct credential *credential, struct context *context)
{
    struct kerberos_call_leg call = {0};
    struct slice token;
    struct binding binding;
    status_t status = start_check(leg, credential);
    if (status_ok(status)) status = leg_token(leg->input, &token);
    if (!status_ok(status)) return status;
    bool user = kerberos_user_is_token(token);
    status = bindings_add(leg, user, &call, &binding);
    if (status_ok(status) && user) status = user_check(leg, credential);
    if (!status_ok(status)) return status;
    call.input = unixcall_slice(token);
    if (user) call.flags |= CALL_USER_TO_USER;
    context->user = user;
    context->binding = binding;
    context->credential = credential_hold(credential);
    context->requirements = leg->requirements;
    status = credential_library(credential, user ? CALL_USE_INITIATE : CALL_USE_ACCEPT,
                                &call.credential);
    if (status_ok(status)) status = exchange(context, leg, &call, &binding);
    if (status_ok(status) && !user) evidence_keep(context, token);
    return status;
}

/* An application may give the bindings with each token, or with the first alone. */
static status_t user_next(struct leg *leg, struct context *context, struct kerberos_call_leg *call)
{
    struct binding binding;
    status_t status = bindings_add(leg, true, call, &binding);
    if (!status_ok(status)) return status;
    if (binding.kind != BINDING_ANY) context->binding = binding;
    return exchange(context, leg, call, &context->binding);
}

status_t server_next(struct leg *leg, struct context *context)
{
    static const struct binding any = {.kind = BINDING_ANY};
    struct kerberos_call_leg call = {0};
    struct slice token;
    status_t status = leg_token(leg->input, &token);
    if (!status_ok(status)) return status;
    call.input = unixcall_slice(token);
    return context->user ? user_next(leg, context, &call) : exchange(context, leg, &call, &any);
}
