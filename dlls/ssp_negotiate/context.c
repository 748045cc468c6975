/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts: their life and what all legs of a negotiation have in common.
 *
 * A token that does not fit into the application's buffer is kept, and goes out when the leg is
 * repeated with a larger one: the mechanism has gone on and would not make it again.
 */
#include "negotiate_package.h"

#include "ssp/leg.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("negotiate");

#define SPARE_ROOM 8192u /* an answer with an AP-REP takes a few hundred bytes */

/* ---- life ---- */

struct context *context_create(bool acceptor, LONG halves)
{
    struct context *context = calloc(1, sizeof(*context));
    if (!context) return NULL;
    SecInvalidateHandle(&context->inner.handle);
    context->acceptor = acceptor;
    context->halves = halves;
    return context;
}

void context_free(struct context *context)
{
    inner_clear(&context->inner);
    credential_release(context->credential);
    if (context->token) CloseHandle(context->token);
    blob_clear(&context->mech_list);
    blob_clear(&context->target);
    blob_clear(&context->bindings);
    blob_clear(&context->pending);
    inner_token_free(&context->kept);
    free(context);
}

/* The handshake is over: what only it needed goes. */
static void context_settle(struct context *context)
{
    credential_release(context->credential);
    context->credential = NULL;
    blob_clear(&context->mech_list);
    blob_clear(&context->target);
    blob_clear(&context->bindings);
}

/* ---- output ---- */

/* The statuses are those of NTLM. */
status_t context_check_room(const struct leg *leg, size_t size)
{
    const SecBuffer *buffer = secbuf_find(leg->output, SECBUFFER_TOKEN);
    bool allocate = leg->requirements & LEG_REQ_ALLOCATE_MEMORY;
    if (!buffer || (!allocate && !buffer->cbBuffer)) return SEC_E_BUFFER_TOO_SMALL;
    if (!allocate && !buffer->pvBuffer) return SEC_E_INTERNAL_ERROR;
    return allocate || buffer->cbBuffer >= size ? SEC_E_OK : SEC_E_BUFFER_TOO_SMALL;
}

/* For the application: the spare one, when the answer fits. */
static void *block_take(struct leg *leg, size_t size)
{
    void *block = leg->spare;
    if (!block || size > SPARE_ROOM) return package_alloc(size);
    leg->spare = NULL;
    return block;
}

/* *allocated tells whether the application has a block to free. */
static status_t output_put(struct leg *leg, struct slice token, bool *allocated)
{
    SecBuffer *buffer = secbuf_find(leg->output, SECBUFFER_TOKEN);
    bool allocate = leg->requirements & LEG_REQ_ALLOCATE_MEMORY;
    *allocated = false;
    if (!token.size) {
        leg_output_empty(leg->output, leg->requirements);
        return SEC_E_OK;
    }
    status_t status = context_check_room(leg, token.size);
    if (!status_ok(status)) return status;
    void *block = allocate ? block_take(leg, token.size) : buffer->pvBuffer;
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(block, token.data, token.size);
    buffer->pvBuffer = block;
    buffer->cbBuffer = (ULONG)token.size;
    *allocated = allocate;
    return SEC_E_OK;
}

/* The first token of an initiator says nothing yet of what will be agreed on. */
static ULONG attributes_of(const struct context *context)
{
    if (context->stage == SPNEGO_STAGE_OFFERED) return ISC_RET_INTERMEDIATE_RETURN;
    return context->inner.attributes;
}

static void report_fill(const struct leg_report *report, const struct context *context,
                        bool allocated)
{
    ULONG attributes = attributes_of(context);
    if (allocated) attributes |= LEG_RET_ALLOCATED_MEMORY;
    leg_report_fill(report, context, attributes, &context->inner.expiry);
}

/* ---- legs ---- */

static status_t leg_status(const struct leg *leg, const struct context *context)
{
    if (context->raw) return leg->status;
    return context->stage == SPNEGO_STAGE_ESTABLISHED ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
}

/* What a client says first to Kerberos can be said once: nothing may be missing afterwards. */
static status_t spare_reserve(struct leg *leg, bool acceptor)
{
    if (!acceptor || !(leg->requirements & LEG_REQ_ALLOCATE_MEMORY)) return SEC_E_OK;
    leg->spare = package_alloc(SPARE_ROOM);
    return leg->spare ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* The reference goes to a context that needs it later. */
static status_t leg_first(struct leg *leg, bool acceptor, struct credential **credential,
                          const struct leg_report *report)
{
    bool allocated = false;
    struct context *context = context_create(acceptor, HALF_LSA);
    status_t status = context ? spare_reserve(leg, acceptor) : SEC_E_INSUFFICIENT_MEMORY;
    if (status_ok(status))
        status = acceptor ? server_start(leg, *credential, context)
                          : client_start(leg, *credential, context);
    if (status_ok(status) && !context->raw)
        status = output_put(leg, writer_view(&leg->answer), &allocated);
    if (!status_ok(status)) {
        if (context) context_free(context);
        return status;
    }
    report_fill(report, context, allocated);
    if (context->stage == SPNEGO_STAGE_ESTABLISHED) {
        context_settle(context);
    } else {
        context->credential = *credential;
        *credential = NULL;
    }
    return leg_status(leg, context);
}

/* A peer that is not sure whether this side is done may send a token that says nothing. */
static status_t leg_after_end(const struct leg *leg, const struct context *context)
{
    struct spnego_response said;
    if (context->raw || !status_ok(spnego_response_decode(leg->token, &said)))
        return SEC_E_OUT_OF_SEQUENCE;
    bool empty = !said.token.size && !said.mic.data && said.state != SPNEGO_REJECT;
    return empty ? SEC_E_OK : SEC_E_OUT_OF_SEQUENCE;
}

static status_t leg_advance(struct leg *leg, struct credential *credential, struct context *context)
{
    if (context->stage == SPNEGO_STAGE_FAILED) return SEC_E_OUT_OF_SEQUENCE;
    if (context->stage == SPNEGO_STAGE_ESTABLISHED) return leg_after_end(leg, context);
    status_t status = context->acceptor ? server_next(leg, credential, context)
                                        : client_next(leg, credential, context);
    /* Nobody gets a second guess at a mechListMIC, nor can do without after a wrong one. */
    bool final = leg->moved && !context->has_kept;
    if (!status_ok(status) && (final || status == SEC_E_MESSAGE_ALTERED))
        context_set_stage(context, SPNEGO_STAGE_FAILED);
    return status;
}

static status_t leg_next_locked(struct leg *leg, bool acceptor, struct credential *credential,
                                struct context *context, const struct leg_report *report)
{
    bool allocated = false;
    if (context->exported || context->acceptor != acceptor) return SEC_E_INVALID_HANDLE;
    if (context->credential) credential = context->credential;
    if (!context->pending.size) {
        status_t status = leg_advance(leg, credential, context);
        if (!status_ok(status)) return status;
        writer_take(&leg->answer, &context->pending.data, &context->pending.size);
    }
    if (!context->raw) {
        status_t status = output_put(leg, blob_slice(&context->pending), &allocated);
        if (!status_ok(status)) return status;
        blob_clear(&context->pending);
    }
    report_fill(report, context, allocated);
    if (context->stage == SPNEGO_STAGE_ESTABLISHED) context_settle(context);
    return leg_status(leg, context);
}

static status_t leg_run(struct leg *leg, bool acceptor, LSA_SEC_HANDLE credential_handle,
                        struct context *context, const struct leg_report *report)
{
    struct credential *given = NULL;
    status_t status;
    leg_token(leg->input, &leg->token); /* a leg may have none */
    writer_init(&leg->answer);
    if (context) {
        lock_take(&context->lock);
        if (!context->credential) given = credential_of(credential_handle);
        status = leg_next_locked(leg, acceptor, given, context, report);
        lock_give(&context->lock);
    } else {
        given = credential_of(credential_handle);
        status = leg_first(leg, acceptor, &given, report);
    }
    if (!status_ok(status) && !leg->passed) leg_output_refuse(leg->output, status);
    credential_release(given);
    writer_free(&leg->answer);
    package_free(leg->spare);
    TRACE("%s's %s leg, requirements %#lx: status %#lx\n", acceptor ? "acceptor" : "initiator",
          context ? "next" : "first", leg->requirements, (ULONG)status);
    return status;
}

/* As an argument or in a buffer; *out is NULL without one. */
static status_t target_copy(const UNICODE_STRING *target, const SecBufferDesc *input, wchar_t **out)
{
    struct slice text;
    status_t status = leg_target(target, input, &text);
    if (!status_ok(status) || !text.data) return status;
    wchar_t *copy = malloc(text.size + sizeof(wchar_t));
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, text.data, text.size);
    copy[text.size / sizeof(wchar_t)] = 0;
    *out = copy;
    return SEC_E_OK;
}

NTSTATUS NTAPI context_initiate(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                UNICODE_STRING *target, ULONG requirements, ULONG representation,
                                SecBufferDesc *input, LSA_SEC_HANDLE *new_handle,
                                SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry,
                                BOOLEAN *mapped, SecBuffer *data)
{
    const struct leg_report report = {new_handle, attributes, expiry, mapped, data};
    struct leg leg = {.requirements = requirements,
                      .representation = representation,
                      .input = input,
                      .output = output};
    status_t status = target_copy(target, input, &leg.target);
    if (status_ok(status)) status = leg_run(&leg, false, credential, context_get(handle), &report);
    else leg_output_refuse(output, status);
    free(leg.target);
    return status;
}

NTSTATUS NTAPI context_accept(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                              SecBufferDesc *input, ULONG requirements, ULONG representation,
                              LSA_SEC_HANDLE *new_handle, SecBufferDesc *output, ULONG *attributes,
                              TimeStamp *expiry, BOOLEAN *mapped, SecBuffer *data)
{
    const struct leg_report report = {new_handle, attributes, expiry, mapped, data};
    struct leg leg = {.requirements = requirements,
                      .representation = representation,
                      .input = input,
                      .output = output};
    return leg_run(&leg, true, credential, context_get(handle), &report);
}
