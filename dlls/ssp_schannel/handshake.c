/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handshakes as both sides make them: whole records go to the library of the host, what it answers
 * is the token, and in between the peer's certificate is judged.
 *
 * The server's certificate is judged here unless the application wants to do so itself; a client's
 * is always the application's affair (Microsoft: Performing Authentication Using Schannel).
 */
#include "schannel_package.h"

#include "ssp/trace.h"

TRACE_CHANNEL("schannel");

#define FLIGHT_ROOM 8192u /* more is fetched in pieces */

status_t context_judge(const struct context *context, struct slice chain, struct slice staple,
                       DWORD *errors)
{
    const struct credential *credential = context->credential;
    const struct connection *connection = &context->connection;
    HCERTSTORE kept = NULL;
    status_t status = SEC_E_OK;
    struct verify_request request = {
        .chain = chain,
        .staple = staple,
        .server = !context->server,
        .flags = credential ? credential->flags : connection->judge_flags,
    };
    bool restricted = request.flags & SCH_CRED_RESTRICTED_ROOTS;
    if (request.server) request.name = connection->name;
    if (restricted && !credential) status = chain_store(blob_slice(&connection->roots), &kept);
    if (!status_ok(status)) return status;
    if (restricted) request.roots = credential ? credential->roots : kept;
    status = verify_peer(&request, errors);
    if (kept) CertCloseStore(kept, 0);
    return status;
}

/* SEC_E_OK also where it is the application that judges. */
static status_t judge(struct context *context)
{
    DWORD errors;
    struct blob chain = {NULL, 0}, staple = {NULL, 0};
    context->judged = context->server || context->manual;
    if (context->judged) return SEC_E_OK;
    status_t status = library_read(context->library, CALL_READ_PEER_CHAIN, &chain);
    if (status_ok(status)) status = library_read(context->library, CALL_READ_STAPLE, &staple);
    if (!status_ok(status)) goto done;
    status = context_judge(context, blob_slice(&chain), blob_slice(&staple), &errors);
    context->judged = status_ok(status);
    if (!context->judged) WARN("the server's certificate will not do: %#lx\n", (ULONG)status);
done:
    blob_clear(&chain);
    blob_clear(&staple);
    return status;
}

/* One call, and as many more as its answer needs room. */
static status_t step(struct context *context, struct leg *leg, struct schannel_call_handshake *call)
{
    uint8_t room[FLIGHT_ROOM];
    call->session = context->library;
    call->output = unixcall_address(room);
    call->output_room = sizeof(room);
    call->unresumable = context->unresumable;
    status_t status = library_call(SCHANNEL_CALL_HANDSHAKE, call);
    writer_bytes(&leg->reply, room, (size_t)call->output_size);
    while (call->queued) {
        struct schannel_call_handshake more = {
            .session = context->library, .output = call->output, .output_room = sizeof(room)};
        library_call(SCHANNEL_CALL_HANDSHAKE, &more);
        writer_bytes(&leg->reply, room, (size_t)more.output_size);
        if (!more.output_size) break;
        call->queued = more.queued;
    }
    if (!status_ok(status))
        WARN("the handshake fails with %#lx, alert %d: %s\n", (ULONG)status, (int)call->alert,
             call->why);
    return status;
}

status_t handshake_feed(struct context *context, struct leg *leg, struct slice records,
                        uint32_t *event)
{
    struct schannel_call_handshake call = {.input = unixcall_slice(records)};
    status_t judged = SEC_E_OK;
    for (;;) {
        status_t status = step(context, leg, &call);
        size_t used = (size_t)call.consumed;
        leg->consumed += used;
        context->answered = context->answered || used;
        if (!status_ok(judged)) return context_fail(context, judged);
        if (!status_ok(status)) return context_fail(context, status);
        if (call.event != CALL_EVENT_VERIFY) break;
        records = slice_rest(records, used);
        judged = judge(context);
        call = (struct schannel_call_handshake){
            .input = unixcall_slice(records),
            .verdict = status_ok(judged) ? CALL_VERDICT_GOOD : CALL_VERDICT_BAD,
            .verdict_alert = tls_alert_of(judged),
        };
    }
    *event = call.event;
    if (call.event == CALL_EVENT_DONE && call.alert == TLS_NO_RENEGOTIATION) *event = FEED_DECLINED;
    return SEC_E_OK;
}

static status_t feed(struct context *context, struct leg *leg, struct slice records,
                     uint32_t *event)
{
    if (context->renegotiating && context->carried)
        return renegotiation_feed(context, leg, records, event);
    return context->server ? handshake_feed(context, leg, records, event)
                           : client_feed(context, leg, records, event);
}

/* The records of this call that the library is to have. A client begins without any, and a
 * datagram is what it is, be it nothing: the library repeats what was lost. */
static status_t find_records(struct context *context, struct leg *leg, struct slice *records)
{
    size_t whole;
    *records = leg->token;
    if (leg->first && !leg->server) {
        *records = (struct slice){NULL, 0};
        return leg->token.size ? SEC_E_INVALID_TOKEN : SEC_E_OK;
    }
    if (context->datagram) {
        leg->consumed = min(context->fed, leg->token.size);
        *records = slice_rest(leg->token, leg->consumed);
        return leg->first && !leg->token.size ? SEC_E_INCOMPLETE_MESSAGE : SEC_E_OK;
    }
    status_t status = leg_records(leg, &whole);
    if (status == SEC_E_INVALID_TOKEN) {
        context_tell(context, leg, leg->alert);
        return context_fail(context, status);
    }
    if (!status_ok(status)) return status;
    leg->consumed = min(context->fed, whole);
    *records = (struct slice){leg->token.data + leg->consumed, whole - leg->consumed};
    return SEC_E_OK;
}

/* The application calls again with the same input, and has not sent anything. */
static status_t ask_for_certificate(struct context *context, struct leg *leg)
{
    status_t status = writer_status(&leg->reply);
    if (status_ok(status)) status = blob_set(&context->held, writer_view(&leg->reply));
    if (!status_ok(status)) return context_fail(context, status);
    leg->reply.size = 0;
    context->fed = leg->consumed;
    return SEC_I_INCOMPLETE_CREDENTIALS;
}

status_t handshake_leg(struct context *context, struct leg *leg)
{
    struct slice records;
    uint32_t event;
    status_t status = find_records(context, leg, &records);
    if (!status_ok(status)) return status;
    if (!leg->server && context->certificate_refused)
        status = client_change_credential(context, leg->credential);
    if (!status_ok(status)) return status;
    writer_slice(&leg->reply, blob_slice(&context->held));
    blob_clear(&context->held);
    status = feed(context, leg, records, &event);
    if (!status_ok(status)) return status;
    context->fed = 0;
    if (event == FEED_CERTIFICATE) return ask_for_certificate(context, leg);
    if (event == FEED_DATA) return SEC_E_OK;
    if (event == CALL_EVENT_INPUT) return SEC_I_CONTINUE_NEEDED;
    const bool declined = event == FEED_DECLINED;
    status = context_establish(context, leg, declined);
    if (!status_ok(status)) return context_fail(context, status);
    return declined ? SEC_I_NO_RENEGOTIATION : SEC_E_OK;
}
