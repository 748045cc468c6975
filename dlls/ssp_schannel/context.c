/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts: their life, and which part a leg belongs to.
 *
 * Of a leg that fails the library of the host keeps what it was given. A failed handshake is
 * therefore over; a token that did not fit is kept and given out by the next leg.
 */
#include "schannel_package.h"

#include "core/secret.h"
#include "core/tls_binding.h"
#include "ssp/leg.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("schannel");

/* ---- life ---- */

status_t context_create(bool server, LONG halves, struct context **out)
{
    struct context *context = calloc(1, sizeof(*context));
    if (!context) return SEC_E_INSUFFICIENT_MEMORY;
    context->halves = halves;
    context->server = server;
    writer_init(&context->partly);
    tls_flight_init(&context->flight);
    *out = context;
    return SEC_E_OK;
}

void context_drop_library(struct context *context)
{
    if (context->library) {
        struct schannel_call_free call = {.object = context->library};
        library_call(SCHANNEL_CALL_SESSION_FREE, &call);
        context->library = 0;
    }
    library_let_go(context);
    blob_clear(&context->shown);
    for (size_t i = 0; i < context->former_count; i++) credential_release(context->formers[i]);
    free(context->formers);
    context->formers = NULL;
    context->former_count = 0;
}

/* What the library has shown of a credential it goes on using as long as its session lives. */
status_t context_reserve_credential(struct context *context)
{
    size_t size = (context->former_count + 1) * sizeof(*context->formers);
    struct credential **grown = realloc(context->formers, size);
    if (!grown) return SEC_E_INSUFFICIENT_MEMORY;
    context->formers = grown;
    return SEC_E_OK;
}

void context_change_credential(struct context *context, struct credential *credential)
{
    context->formers[context->former_count++] = context->credential;
    context->credential = credential_hold(credential);
}

static void connection_clear(struct connection *connection)
{
    free(connection->name);
    blob_clear(&connection->peer_chain);
    blob_clear(&connection->local_chain);
    blob_clear(&connection->staple);
    blob_clear(&connection->roots);
}

void context_free(struct context *context)
{
    context_drop_library(context);
    credential_release(context->credential);
    tls_session_clear(&context->session);
    tls_flight_clear(&context->flight);
    connection_clear(&context->connection);
    blob_clear(&context->issuers);
    blob_clear(&context->unsent);
    blob_clear(&context->held);
    blob_clear(&context->keying_label);
    blob_clear(&context->keying_context);
    blob_clear(&context->app_data);
    writer_free(&context->partly);
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

status_t context_fail(struct context *context, status_t status)
{
    context->stage = STAGE_FAILED;
    context->failure = status;
    return status;
}

/* ---- what a leg is told of ---- */

/* What records protect, they protect always; the rest is echoed where it holds. */
static ULONG granted(const struct context *context, ULONG requirements)
{
    if (!context->server)
        return ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY |
               ISC_RET_STREAM |
               (requirements & (ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_SUPPLIED_CREDS |
                                ISC_REQ_DATAGRAM | ISC_REQ_CONNECTION | ISC_REQ_EXTENDED_ERROR |
                                ISC_REQ_INTEGRITY | ISC_REQ_MANUAL_CRED_VALIDATION));
    ULONG echoed = ASC_REQ_DATAGRAM | ASC_REQ_CONNECTION | ASC_REQ_EXTENDED_ERROR |
                   ASC_REQ_INTEGRITY;
    if (context->connection.peer_chain.size) echoed |= ASC_REQ_MUTUAL_AUTH;
    return ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT | ASC_RET_CONFIDENTIALITY |
           ASC_RET_STREAM | (requirements & echoed);
}

/* That of the peer's certificate; never, when there is none. */
static void expiry_get(const struct context *context, TimeStamp *out)
{
    struct slice leaf = chain_leaf(blob_slice(&context->connection.peer_chain));
    struct slice end = tls_certificate_end(leaf);
    FILETIME utc;
    DWORD size = sizeof(utc);
    package_never(out);
    if (end.size && CryptDecodeObject(X509_ASN_ENCODING, X509_CHOICE_OF_TIME, end.data,
                                      (DWORD)end.size, 0, &utc, &size))
        package_time(&utc, out);
}

static void report_fill(const struct leg_report *report, struct context *context,
                        const struct leg *leg)
{
    TimeStamp expiry = {0};
    context->connection.flags = granted(context, leg->requirements);
    ULONG attributes = context->connection.flags;
    /* Also of a leg that had nothing to allocate: curl gives up without what it asked for. */
    if (leg->given_count || leg->requirements & LEG_REQ_ALLOCATE_MEMORY)
        attributes |= LEG_RET_ALLOCATED_MEMORY;
    if (report->expiry && context->stage == STAGE_ESTABLISHED) expiry_get(context, &expiry);
    leg_report_fill(report, context, attributes, &expiry);
}

/* ---- tokens that did not fit ---- */

/* Behind what did not fit there may be more datagrams of the flight. */
static void keep_unsent(struct context *context, struct leg *leg, status_t status)
{
    if (context->unsent.size) status = context->unsent_status;
    writer_slice(&leg->reply, blob_slice(&context->unsent));
    status_t kept = writer_status(&leg->reply);
    if (status_ok(kept)) kept = blob_set(&context->unsent, writer_view(&leg->reply));
    if (!status_ok(kept)) {
        context_fail(context, kept);
        return;
    }
    context->unsent_status = status;
    context->unsent_consumed = leg->consumed;
    context->unsent_are_datagrams = false;
    context->unsent_secrets = leg->secrets != NULL;
}

static status_t give_unsent(struct context *context, struct leg *leg)
{
    writer_slice(&leg->reply, blob_slice(&context->unsent));
    status_t status = writer_status(&leg->reply);
    if (!status_ok(status)) return status;
    blob_clear(&context->unsent);
    if (context->unsent_secrets) leg->secrets = &context->session;
    context->unsent_secrets = false;
    if (!context->unsent_are_datagrams)
        leg->consumed = min(context->unsent_consumed, leg->token.size);
    return context->unsent_status;
}

/* The part of a datagram handshake's reply that fits one datagram: whole records (RFC 6347 4.1).
 * The rest is for the next leg. */
static status_t cut_datagrams(struct context *context, struct leg *leg, status_t status)
{
    struct reader r;
    struct slice reply = writer_view(&leg->reply);
    size_t fits = 0;
    reader_init(&r, reply.data, reply.size);
    while (reader_left(&r)) {
        reader_skip(&r, 11); /* type, version, epoch, sequence */
        reader_skip(&r, reader_u16be(&r));
        if (!reader_ok(&r) || (fits && r.pos > context->mtu)) break;
        fits = r.pos;
    }
    if (!fits || fits == reply.size) return status;
    status_t kept = blob_set(&context->unsent, slice_rest(reply, fits));
    if (!status_ok(kept)) return kept;
    context->unsent_status = status;
    context->unsent_are_datagrams = true;
    leg->reply.size = fits;
    return SEC_I_MESSAGE_FRAGMENT;
}

/* ---- legs ---- */

static status_t leg_first(struct leg *leg, struct context **out)
{
    struct context *context;
    size_t whole;
    status_t status = SEC_E_OK;
    leg->credential = credential_for(leg->credential, leg->alpn);
    if (!leg->credential || leg->credential->server != leg->server) return SEC_E_NO_CREDENTIALS;
    if (leg->server && !(leg->requirements & ASC_REQ_DATAGRAM)) status = leg_records(leg, &whole);
    if (status == SEC_E_INVALID_TOKEN) context_tell(NULL, leg, leg->alert);
    if (status_ok(status)) status = context_create(leg->server, HALF_LSA, &context);
    if (!status_ok(status)) return status;
    context->credential = credential_hold(leg->credential);
    context->requirements = leg->requirements;
    status = leg->server ? server_start(context, leg) : client_start(context, leg);
    if (status_ok(status)) status = handshake_leg(context, leg);
    if (status_ok(status) && context->datagram) status = cut_datagrams(context, leg, status);
    if (status_ok(status)) *out = context;
    else context_free(context);
    return status;
}

static status_t leg_next(struct leg *leg, struct context *context)
{
    status_t status;
    if (context->exported || context->server != leg->server) return SEC_E_INVALID_HANDLE;
    bool named = context->credential && context->credential->is_named && leg->credential;
    if (named && leg->credential->named) leg->credential = leg->credential->named;
    if (context->unsent.size || context->unsent_secrets) status = give_unsent(context, leg);
    else if (context->stage == STAGE_FAILED) status = context->failure;
    else if (control_pending(context)) status = control_leg(context, leg);
    else if (context->broken) status = SEC_E_CONTEXT_EXPIRED;
    else if (context->stage == STAGE_HANDSHAKE) status = handshake_leg(context, leg);
    else status = post_leg(context, leg);
    if (status_ok(status) && context->datagram) status = cut_datagrams(context, leg, status);
    return status;
}

static status_t run_first(struct leg *leg, const struct leg_report *report)
{
    struct context *context = NULL;
    status_t status = leg_first(leg, &context);
    status_t closed = leg_close(leg, status);
    if (status_ok(closed)) report_fill(report, context, leg);
    else if (context) context_free(context);
    return closed;
}

static status_t run_next(struct leg *leg, struct context *context, const struct leg_report *report)
{
    context_lock(context);
    status_t status = leg_next(leg, context);
    status_t closed = leg_close(leg, status);
    if (status_ok(closed)) report_fill(report, context, leg);
    else if (status_ok(status)) keep_unsent(context, leg, status);
    context_unlock(context);
    return closed;
}

static status_t run(struct leg *leg, struct context *context, const struct leg_report *report)
{
    status_t status = crypto_ready();
    if (!status_ok(status)) return status;
    status = leg_open(leg);
    /* Windows does not leave this alone when there is a buffer without room. */
    if (status == SEC_E_INSUFFICIENT_MEMORY && report->expiry) report->expiry->QuadPart = 0;
    if (!status_ok(status)) return status;
    status = context ? run_next(leg, context, report) : run_first(leg, report);
    TRACE("%s's %s leg: %u bytes, requirements %#lx: status %#lx, %u used, %u to send\n",
          leg->server ? "server" : "client", leg->first ? "first" : "next",
          (unsigned)leg->token.size, leg->requirements, (ULONG)status, (unsigned)leg->consumed,
          (unsigned)leg->reply.size);
    leg_release(leg);
    return status;
}

NTSTATUS NTAPI context_initiate(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                UNICODE_STRING *target, ULONG requirements, ULONG representation,
                                SecBufferDesc *input, LSA_SEC_HANDLE *new_handle,
                                SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry,
                                BOOLEAN *mapped, SecBuffer *data)
{
    (void)representation;
    const struct leg_report report = {new_handle, attributes, expiry, mapped, data};
    struct leg leg = {.first = !handle,
                      .credential = (struct credential *)credential,
                      .requirements = requirements,
                      .input = input,
                      .output = output};
    leg_target(target, NULL, &leg.target);
    return run(&leg, context_get(handle), &report);
}

NTSTATUS NTAPI context_accept(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                              SecBufferDesc *input, ULONG requirements, ULONG representation,
                              LSA_SEC_HANDLE *new_handle, SecBufferDesc *output, ULONG *attributes,
                              TimeStamp *expiry, BOOLEAN *mapped, SecBuffer *data)
{
    (void)representation;
    const struct leg_report report = {new_handle, attributes, expiry, mapped, data};
    struct leg leg = {.server = true,
                      .first = !handle,
                      .credential = (struct credential *)credential,
                      .requirements = requirements,
                      .input = input,
                      .output = output};
    return run(&leg, context_get(handle), &report);
}
