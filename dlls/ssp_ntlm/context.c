/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts: their life and what all legs of a handshake have in common.
 *
 * The host passes no handle that it was not given, and deletes no half while a call is inside.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>

TRACE_CHANNEL("ntlm");

/* ---- life ---- */

status_t context_create(struct ntlm_context *ntlm, LONG halves, struct context **out)
{
    struct context *context = calloc(1, sizeof(*context));
    if (!context) return SEC_E_INSUFFICIENT_MEMORY;
    context->halves = halves;
    context->ntlm = *ntlm;
    secret_wipe(ntlm, sizeof(*ntlm));
    *out = context;
    return SEC_E_OK;
}

void context_free(struct context *context)
{
    credential_release(context->credential);
    if (context->token) CloseHandle(context->token);
    ntlm_context_clear(&context->ntlm);
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

/* ---- what legs share ---- */

status_t bindings_read(const struct leg *leg, struct bindings *out)
{
    struct leg_bindings given;
    *out = (struct bindings){0};
    status_t status = leg_bindings_read(leg->input, &given);
    if (!status_ok(status)) return status;
    out->audit = given.audit;
    if (!given.given) return SEC_E_OK;
    const struct ntlm_channel_bindings bindings = {
        .initiator_type = given.initiator_type,
        .acceptor_type = given.acceptor_type,
        .initiator = given.initiator,
        .acceptor = given.acceptor,
        .application_data = given.application_data,
    };
    status = ntlm_channel_binding_hash(&bindings, out->hash);
    out->given = status_ok(status);
    return status;
}

static status_t output_open(struct leg_output *output, bool first_leg, struct leg *leg)
{
    status_t status = leg_output_open(output, leg->output, leg->requirements, first_leg,
                                      NTLM_MESSAGE_MAX);
    if (status_ok(status)) writer_init_fixed(&leg->token, output->block, output->room);
    return status;
}

/* For a leg that did not fit, so that it changed nothing, and can be made again with all the room
 * that a token may take. The usual room is much cheaper to get. */
static status_t output_grow(struct leg_output *output, struct leg *leg)
{
    status_t status = leg_output_grow(output, NTLM_MESSAGE_MAX);
    if (status_ok(status)) writer_init_fixed(&leg->token, output->block, output->room);
    return status;
}

/* ISC_ and ASC_ share the bit. */
static void report_fill(const struct leg_report *report, const struct context *context,
                        bool allocated)
{
    ULONG attributes = context->ntlm.attributes;
    if (allocated) attributes |= LEG_RET_ALLOCATED_MEMORY;
    leg_report_fill(report, context, attributes, NULL);
}

/* The handshake is over: what only it needed goes. */
static void context_settle(struct context *context)
{
    if (context->ntlm.stage != NTLM_STAGE_ESTABLISHED) return;
    credential_release(context->credential);
    context->credential = NULL;
    context->bindings = (struct bindings){0};
}

/* ---- the client's legs ---- */

static status_t initiate_next(struct leg *leg, struct credential *credential,
                              struct context *context)
{
    context_lock(context);
    status_t status = context->exported ? SEC_E_INVALID_HANDLE
                                        : client_finish(leg, credential, context);
    if (status_ok(status)) context_settle(context);
    context_unlock(context);
    return status;
}

static status_t initiate(struct leg *leg, struct credential *credential, struct context **context)
{
    return *context ? initiate_next(leg, credential, *context)
                    : client_start(leg, credential, context);
}

NTSTATUS NTAPI context_initiate(LSA_SEC_HANDLE credential_handle, LSA_SEC_HANDLE handle,
                                UNICODE_STRING *target, ULONG requirements, ULONG representation,
                                SecBufferDesc *input, LSA_SEC_HANDLE *new_handle,
                                SecBufferDesc *output_desc, ULONG *attributes, TimeStamp *expiry,
                                BOOLEAN *mapped, SecBuffer *data)
{
    (void)representation;
    const struct leg_report report = {new_handle, attributes, expiry, mapped, data};
    struct credential *credential = (struct credential *)credential_handle;
    struct context *context = context_get(handle);
    struct leg leg = {
        .target = target, .requirements = requirements, .input = input, .output = output_desc};
    struct leg_output output = {0};

    /* The first leg of a datagram client makes no token (MS-NLMP 3.1.5.2). */
    bool silent = !handle && requirements & ISC_REQ_DATAGRAM;
    status_t status = crypto_ready();
    if (status_ok(status) && !silent) status = output_open(&output, !handle, &leg);
    if (status_ok(status)) status = initiate(&leg, credential, &context);
    if (status == SEC_E_BUFFER_TOO_SMALL && output.allocate) {
        status = output_grow(&output, &leg);
        if (status_ok(status)) status = initiate(&leg, credential, &context);
    }
    TRACE("client's %s leg, requirements %#lx: status %#lx\n", handle ? "second" : "first",
          requirements, (ULONG)status);
    if (!status_ok(status)) {
        leg_output_discard(&output);
        leg_output_refuse(output_desc, status);
        return status;
    }
    if (silent) leg_output_empty(output_desc, requirements);
    else leg_output_close(&output, writer_view(&leg.token).size);
    report_fill(&report, context, output.allocate);
    return handle ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
}

/* ---- the server's legs ---- */

static status_t accept_first(struct leg *leg, struct credential *credential,
                             const struct leg_report *report)
{
    struct leg_output output = {0};
    struct context *context = NULL;
    status_t status = output_open(&output, true, leg);
    if (status_ok(status)) status = server_start(leg, credential, &context);
    TRACE("server's first leg, requirements %#lx: status %#lx\n", leg->requirements, (ULONG)status);
    if (!status_ok(status)) {
        leg_output_discard(&output);
        leg_output_refuse(leg->output, status);
        return status;
    }
    leg_output_close(&output, writer_view(&leg->token).size);
    report_fill(report, context, output.allocate);
    return SEC_I_CONTINUE_NEEDED;
}

static status_t accept_next(struct leg *leg, struct context *context,
                            const struct leg_report *report)
{
    context_lock(context);
    status_t status = context->exported ? SEC_E_INVALID_HANDLE : server_finish(leg, context);
    if (status_ok(status)) {
        context_settle(context);
        report_fill(report, context, false);
    }
    context_unlock(context);
    TRACE("server's second leg: status %#lx\n", (ULONG)status);
    if (status_ok(status)) leg_output_empty(leg->output, leg->requirements);
    else leg_output_refuse(leg->output, status);
    return status;
}

NTSTATUS NTAPI context_accept(LSA_SEC_HANDLE credential_handle, LSA_SEC_HANDLE handle,
                              SecBufferDesc *input, ULONG requirements, ULONG representation,
                              LSA_SEC_HANDLE *new_handle, SecBufferDesc *output_desc,
                              ULONG *attributes, TimeStamp *expiry, BOOLEAN *mapped,
                              SecBuffer *data)
{
    (void)representation;
    const struct leg_report report = {new_handle, attributes, expiry, mapped, data};
    struct leg leg = {.requirements = requirements, .input = input, .output = output_desc};
    status_t status = crypto_ready();
    if (!status_ok(status)) {
        leg_output_refuse(output_desc, status);
        return status;
    }
    if (handle) return accept_next(&leg, context_get(handle), &report);
    return accept_first(&leg, (struct credential *)credential_handle, &report);
}
