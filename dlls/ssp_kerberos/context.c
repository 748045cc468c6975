/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts: their life and what all legs have in common.
 *
 * Of a leg that fails the library of the host keeps what it was given, so an exchange that has
 * failed there is over. What is wrong with a call itself is found before, and the leg can be made
 * again. So can the last leg of a client that has nothing more to say, when the memory runs out
 * behind the library. A server's token is spent then.
 */
#include "kerberos_package.h"

#include "core/ntlm.h"
#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("kerberos");

#define USUAL_TOKEN 4096u /* of most tokens: larger ones are fetched by another call */

/* ---- life ---- */

status_t context_create(bool server, LONG halves, struct context **out)
{
    struct context *context = calloc(1, sizeof(*context));
    if (!context) return SEC_E_INSUFFICIENT_MEMORY;
    context->halves = halves;
    context->server = server;
    *out = context;
    return SEC_E_OK;
}

void context_drop_library(struct context *context)
{
    struct kerberos_call_free call = {.object = context->library};
    if (context->library) library_call(KERBEROS_CALL_CONTEXT_FREE, &call);
    context->library = 0;
    credential_release(context->credential);
    context->credential = NULL;
}

void facts_clear(struct facts *facts)
{
    blob_clear(&facts->session_key);
    blob_clear(&facts->client);
    blob_clear(&facts->server);
    blob_clear(&facts->target);
    blob_clear(&facts->account);
    blob_clear(&facts->domain);
    blob_clear(&facts->pac);
}

void context_free(struct context *context)
{
    context_drop_library(context);
    if (context->delegated) delegation_withdraw(context->delegated);
    credential_release(context->delegated);
    blob_clear(&context->evidence);
    if (context->token) CloseHandle(context->token);
    if (context->carried) kerberos_session_clear(&context->session);
    facts_clear(&context->facts);
    blob_clear(&context->unsent);
    secret_free(context, sizeof(*context));
}

void context_lock(struct context *context)
{
    lock_take(&context->send);
    lock_take(&context->receive);
}

void context_unlock(struct context *context)
{
    lock_give(&context->receive);
    lock_give(&context->send);
}

/* ---- the library ---- */

status_t leg_bindings_pass(const struct leg_bindings *bindings, bool digest,
                           struct call_bindings *out)
{
    const struct ntlm_channel_bindings parts = {
        .initiator_type = bindings->initiator_type,
        .acceptor_type = bindings->acceptor_type,
        .initiator = bindings->initiator,
        .acceptor = bindings->acceptor,
        .application_data = bindings->application_data,
    };
    *out = (struct call_bindings){
        .initiator = unixcall_slice(bindings->initiator),
        .acceptor = unixcall_slice(bindings->acceptor),
        .application_data = unixcall_slice(bindings->application_data),
        .initiator_type = bindings->initiator_type,
        .acceptor_type = bindings->acceptor_type,
        .given = bindings->given,
    };
    return bindings->given && digest ? ntlm_channel_binding_hash(&parts, out->digest) : SEC_E_OK;
}

/* The token that the library has made and not given out, as a whole. */
static status_t queue_fetch(struct context *context, enum kerberos_call number, uint8_t *out,
                            size_t size)
{
    struct kerberos_call_leg call = {
        .context = context->library,
        .output = unixcall_address(out),
        .output_room = size,
    };
    library_call(number, &call);
    return call.output_size == size ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

/* SEC_E_BUFFER_TOO_SMALL when it is kept for a later leg. */
static status_t queue_take(struct context *context, struct leg *leg, enum kerberos_call number,
                           size_t size)
{
    status_t status = leg_output_grow(&leg->output, size);
    if (status_ok(status)) {
        status = queue_fetch(context, number, leg->output.block, size);
        if (status_ok(status)) leg->made = size;
        return status;
    }
    if (status != SEC_E_BUFFER_TOO_SMALL) return status;
    uint8_t *block = malloc(size);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    status_t fetched = queue_fetch(context, number, block, size);
    if (!status_ok(fetched)) {
        free(block);
        return fetched;
    }
    context->unsent = (struct blob){block, size};
    return status;
}

status_t context_exchange(struct context *context, struct leg *leg, enum kerberos_call number,
                          struct kerberos_call_leg *call)
{
    call->context = context->library;
    call->output = unixcall_address(leg->output.block);
    call->output_room = leg->output.room;
    status_t status = library_call(number, call);
    context->library = call->context;
    call->why[sizeof(call->why) - 1] = 0;
    TRACE("%u bytes of input: status %#lx, %s, flags %#x, %u bytes to send%s%s\n",
          (unsigned)call->input.size, (ULONG)status, call->done ? "done" : "not done",
          (unsigned)call->flags, (unsigned)(call->output_size + call->queued),
          call->why[0] ? ": " : "", call->why);
    leg->made = (size_t)call->output_size;
    if (!call->queued) return status;
    status_t taken = queue_take(context, leg, number, (size_t)call->queued);
    return status_ok(status) ? taken : status;
}

status_t context_settle(struct context *context, struct leg *leg, ULONG attributes, bool done,
                        status_t status)
{
    bool kept = status == SEC_E_BUFFER_TOO_SMALL && context->unsent.size;
    status_t result = status_ok(status) || kept ? SEC_I_CONTINUE_NEEDED : status;
    bool last = status_ok(result) && done, silent = !kept && !leg->made;
    if (last) result = context_establish(context, attributes);
    if (!status_ok(result)) {
        context->waiting = last && silent && !context->server &&
                           result == SEC_E_INSUFFICIENT_MEMORY;
        if (last) leg->made = 0; /* it says that all is well */
        if (context->waiting) return result;
        context->stage = STAGE_FAILED;
        blob_clear(&context->unsent);
        context_drop_library(context);
        return result;
    }
    context->attributes = attributes;
    if (done) context->stage = STAGE_ESTABLISHED;
    context->unsent_status = result;
    return kept ? SEC_E_BUFFER_TOO_SMALL : result;
}

/* ---- legs ---- */

/* What an earlier leg has made; the input of that leg, which may be given again, is not looked at.
 */
static status_t give_unsent(struct context *context, struct leg *leg)
{
    size_t size = context->unsent.size;
    status_t status = leg_output_open(&leg->output, leg->output_desc, leg->requirements, false,
                                      USUAL_TOKEN);
    if (status_ok(status) && size > leg->output.room) status = leg_output_grow(&leg->output, size);
    if (!status_ok(status)) return status;
    memcpy(leg->output.block, context->unsent.data, size);
    leg->made = size;
    blob_clear(&context->unsent);
    return context->unsent_status;
}

static status_t exchange_next(struct context *context, struct leg *leg)
{
    /* A last leg may have nothing to send, and needs no buffer then: the library will tell. */
    status_t status = leg_output_open(&leg->output, leg->output_desc, leg->requirements, false,
                                      USUAL_TOKEN);
    if (status == SEC_E_INSUFFICIENT_MEMORY) return status;
    return context->server ? server_next(leg, context) : client_next(leg, context);
}

static status_t leg_next(struct context *context, struct leg *leg, bool server)
{
    if (context->exported || context->server != server) return SEC_E_INVALID_HANDLE;
    if (context->unsent.size) return give_unsent(context, leg);
    if (context->stage == STAGE_FAILED) return SEC_E_INVALID_HANDLE;
    if (context->stage == STAGE_ESTABLISHED) return SEC_E_OUT_OF_SEQUENCE;
    if (context->waiting) return context_settle(context, leg, context->attributes, true, SEC_E_OK);
    return exchange_next(context, leg);
}

static void report_fill(const struct leg_report *report, const struct context *context,
                        const struct leg *leg)
{
    FILETIME expiry = {(DWORD)context->facts.expiry, (DWORD)(context->facts.expiry >> 32)};
    TimeStamp local;
    bool known = context->facts.expiry && package_time(&expiry, &local);
    ULONG attributes = context->attributes;
    if (leg->output.allocate && leg->made) attributes |= LEG_RET_ALLOCATED_MEMORY;
    leg_report_fill(report, context, attributes, known ? &local : NULL);
}

/* Also of a failed leg that has something to say to the client. */
static void leg_give(struct leg *leg, status_t status)
{
    if (leg->made) leg_output_close(&leg->output, leg->made);
    else if (status_ok(status)) leg_output_empty(leg->output_desc, leg->requirements);
    else leg_output_refuse(leg->output_desc, status);
}

static void leg_trace(const struct leg *leg, bool server, bool first, status_t status)
{
    TRACE("%s's %s leg, requirements %#lx: status %#lx\n", server ? "server" : "client",
          first ? "first" : "next", leg->requirements, (ULONG)status);
}

static status_t run_first(struct leg *leg, bool server, struct credential *credential,
                          const struct leg_report *report)
{
    struct context *context = NULL;
    status_t status = leg_output_open(&leg->output, leg->output_desc, leg->requirements, true,
                                      USUAL_TOKEN);
    if (status_ok(status)) status = context_create(server, HALF_LSA, &context);
    if (status_ok(status))
        status = server ? server_start(leg, credential, context)
                        : client_start(leg, credential, context);
    leg_trace(leg, server, true, status);
    if (status_ok(status)) report_fill(report, context, leg);
    else if (context) context_free(context);
    leg_give(leg, status);
    leg_output_discard(&leg->output);
    return status;
}

static status_t run_next(struct leg *leg, bool server, struct context *context,
                         const struct leg_report *report)
{
    context_lock(context);
    status_t status = leg_next(context, leg, server);
    if (status_ok(status)) report_fill(report, context, leg);
    context_unlock(context);
    leg_trace(leg, server, false, status);
    leg_give(leg, status);
    leg_output_discard(&leg->output);
    return status;
}

static status_t run(struct leg *leg, bool server, LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                    const struct leg_report *report)
{
    status_t status = crypto_ready();
    if (!status_ok(status)) {
        leg_output_refuse(leg->output_desc, status);
        return status;
    }
    if (handle) return run_next(leg, server, context_get(handle), report);
    return run_first(leg, server, (struct credential *)credential, report);
}

NTSTATUS NTAPI context_initiate(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                UNICODE_STRING *target, ULONG requirements, ULONG representation,
                                SecBufferDesc *input, LSA_SEC_HANDLE *new_handle,
                                SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry,
                                BOOLEAN *mapped, SecBuffer *data)
{
    (void)representation;
    const struct leg_report report = {new_handle, attributes, expiry, mapped, data};
    struct leg leg = {
        .requirements = requirements,
        .target = target,
        .input = input,
        .output_desc = output,
    };
    return run(&leg, false, credential, handle, &report);
}

NTSTATUS NTAPI context_accept(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                              SecBufferDesc *input, ULONG requirements, ULONG representation,
                              LSA_SEC_HANDLE *new_handle, SecBufferDesc *output, ULONG *attributes,
                              TimeStamp *expiry, BOOLEAN *mapped, SecBuffer *data)
{
    (void)representation;
    const struct leg_report report = {new_handle, attributes, expiry, mapped, data};
    struct leg leg = {.requirements = requirements, .input = input, .output_desc = output};
    return run(&leg, true, credential, handle, &report);
}
