/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Legs of an established context, whose input is a record that DecryptMessage has answered with
 * SEC_I_RENEGOTIATE, and what of its kind follows (Microsoft: DecryptMessage for Schannel).
 *
 * TLS 1.3 (RFC 8446 4.6): a KeyUpdate is dealt with here, and answered when the peer asks for it; a
 * NewSessionTicket goes to the library of the host, which makes a session to resume of it. A
 * certificate after the handshake is never offered, so the request for one is an error.
 *
 * TLS 1.2: a HelloRequest, or a client's leg without input, begins another handshake, which the
 * library makes. Where it is gone, the peer is told that there will be none (RFC 5246 7.2.2); what
 * goes on is the connection as it is.
 *
 * DTLS: a peer that repeats its last flight has not got ours, which is the token of the leg (RFC
 * 6347 4.2.4).
 */
#include "message.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("schannel");

#define MESSAGES_MAX 65536u /* of one message and those with it */

/* What the records of a leg have asked for. */
struct post {
    bool ticket_ended; /* in this record */
    bool answer_key_update;
    bool renegotiate, refuse_renegotiation;
    bool closed;
};

/* ---- another handshake ---- */

static status_t refuse_renegotiation(struct context *context, struct leg *leg)
{
    static const uint8_t alert[2] = {TLS_ALERT_WARNING, TLS_NO_RENEGOTIATION};
    TRACE("there is nobody left to make another handshake\n");
    return context_seal(context, leg, TLS_ALERT, (struct slice){alert, sizeof(alert)});
}

/* ---- messages ---- */

static status_t on_key_update(struct context *context, struct slice body, bool is_last,
                              struct post *post)
{
    bool requested;
    status_t status = tls_key_update_read(body, &requested);
    if (!status_ok(status)) return status;
    if (!is_last) return SEC_E_ILLEGAL_MESSAGE; /* RFC 8446 5.1 */
    status = tls_key_update(&context->session, &context->session.receive);
    if (!status_ok(status)) return status;
    TRACE("the peer has new keys%s\n", requested ? " and asks for ours" : "");
    context_drop_library(context); /* whose keys are old now */
    post->answer_key_update = post->answer_key_update || requested;
    return SEC_E_OK;
}

static status_t on_message(struct context *context, const struct tls_handshake_message *message,
                           bool is_last, struct post *post)
{
    bool modern = context->version >= TLS_1_3, client = !context->server;
    if (modern && message->type == TLS_KEY_UPDATE)
        return on_key_update(context, message->body, is_last, post);
    if (modern && client && message->type == TLS_NEW_SESSION_TICKET) {
        post->ticket_ended = true;
    } else if (!modern && client && message->type == TLS_HELLO_REQUEST && !message->body.size) {
        post->renegotiate = renegotiation_possible(context);
        post->refuse_renegotiation = !post->renegotiate;
    } else if (!modern && !client && message->type == TLS_CLIENT_HELLO) {
        post->refuse_renegotiation = true;
    } else {
        WARN("message %u has no place here\n", message->type);
        return SEC_E_ILLEGAL_MESSAGE;
    }
    return SEC_E_OK;
}

/* Of a message that continues in another record the part that is there is kept. */
static status_t on_handshake(struct context *context, struct slice plain, struct post *post)
{
    struct tls_handshake_message message;
    struct reader r, rest;
    status_t status = SEC_E_OK;
    if (!plain.size || context->partly.size + plain.size > MESSAGES_MAX)
        return SEC_E_ILLEGAL_MESSAGE;
    writer_slice(&context->partly, plain);
    status = writer_status(&context->partly);
    reader_init(&r, context->partly.data, context->partly.size);
    rest = r;
    while (status_ok(status) && tls_message_next(&r, &message)) {
        rest = r;
        status = on_message(context, &message, !reader_left(&r), post);
    }
    if (!status_ok(status)) return status;
    size_t left = reader_left(&rest);
    if (left) memmove(context->partly.data, context->partly.data + rest.pos, left);
    context->partly.size = left;
    if (!left) {
        writer_free(&context->partly);
        writer_init(&context->partly);
    }
    return SEC_E_OK;
}

/* The library is given each record that has a part of a ticket, as it was on the wire. */
static status_t pass_ticket(struct context *context, struct slice record, uint64_t sequence,
                            const struct post *post)
{
    struct schannel_call_ticket call = {.session = context->library,
                                        .record = unixcall_slice(record),
                                        .receive_sequence = sequence};
    bool begun = context->partly.size && context->partly.data[0] == TLS_NEW_SESSION_TICKET;
    if (!context->library || context->server || context->version < TLS_1_3) return SEC_E_OK;
    if (!post->ticket_ended && !begun) return SEC_E_OK;
    status_t status = library_call(SCHANNEL_CALL_TICKET, &call);
    if (!status_ok(status)) {
        WARN("a ticket is of no use: status %#lx: %s\n", (ULONG)status, call.why);
        context_drop_library(context);
        return SEC_E_OK;
    }
    if (!post->ticket_ended) return SEC_E_OK;
    if (context_resumable(context)) context_store_resumption(context);
    context_drop_library(context);
    return SEC_E_OK;
}

/* ---- records ---- */

static status_t on_alert(struct context *context, struct slice plain, struct post *post)
{
    status_t status = alert_received(context, plain.data, plain.size);
    post->closed = status == SEC_I_CONTEXT_EXPIRED;
    return post->closed ? SEC_E_OK : status;
}

static status_t on_record(struct context *context, struct slice record, struct slice plain,
                          enum tls_type type, uint64_t sequence, struct post *post)
{
    post->ticket_ended = false;
    if (type != TLS_HANDSHAKE && context->partly.size) return SEC_E_ILLEGAL_MESSAGE;
    if (type == TLS_ALERT) return on_alert(context, plain, post);
    if (type == TLS_CHANGE_CIPHER_SPEC)
        return context->version >= TLS_1_3 ? SEC_E_OK : SEC_E_ILLEGAL_MESSAGE;
    status_t status = on_handshake(context, plain, post);
    return status_ok(status) ? pass_ticket(context, record, sequence, post) : status;
}

/* Not who has said so first (RFC 8446 6.2). */
static void tell_peer(struct context *context, struct leg *leg, status_t status)
{
    if (context->broken || context->close_sent) return;
    const uint8_t alert[2] = {TLS_ALERT_FATAL, tls_alert_of(status)};
    context_seal(context, leg, TLS_ALERT, (struct slice){alert, sizeof(alert)});
}

/* Opens a copy: the input is the application's. Data is not for a leg, and is left where it is. */
static status_t take_record(struct context *context, struct leg *leg, struct slice record,
                            struct post *post, bool *taken)
{
    struct tls_record opened;
    size_t missing;
    uint64_t sequence = context->session.receive.sequence;
    uint8_t *copy = malloc(record.size);
    *taken = false;
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, record.data, record.size);
    status_t status = tls_record_open(&context->session, copy, record.size, &opened, &missing);
    if (!status_ok(status)) goto done;
    if (opened.type == TLS_APPLICATION_DATA || (opened.type == TLS_ALERT && leg->consumed)) {
        status = tls_record_restore(&context->session, copy, &opened);
        goto done;
    }
    *taken = true;
    status = on_record(context, record, (struct slice){opened.data, opened.size}, opened.type,
                       sequence, post);
done:
    secret_free(copy, record.size);
    if (status_ok(status)) return status;
    if (status != SEC_E_INSUFFICIENT_MEMORY) tell_peer(context, leg, status);
    return context_fail(context, status);
}

static status_t take_records(struct context *context, struct leg *leg, struct post *post)
{
    size_t whole;
    status_t status = leg_records(leg, &whole);
    if (!status_ok(status)) return status;
    while (leg->consumed < whole && !post->renegotiate && !post->closed) {
        struct slice rest = {leg->token.data + leg->consumed, whole - leg->consumed};
        size_t size, missing;
        bool taken;
        status = tls_record_measure(&context->session, rest.data, rest.size, &size, &missing);
        if (!status_ok(status)) return leg->consumed ? SEC_E_OK : status;
        rest.size = size;
        status = take_record(context, leg, rest, post, &taken);
        /* What has been read cannot be read again: the rest is for another leg. */
        if (status == SEC_E_INSUFFICIENT_MEMORY && context->stage != STAGE_FAILED && leg->consumed)
            return SEC_E_OK;
        if (!status_ok(status)) return status;
        if (!taken) return leg->consumed ? SEC_E_OK : SEC_E_INVALID_TOKEN;
        leg->consumed += size;
    }
    return SEC_E_OK;
}

/* Ours is sent with the old keys (RFC 8446 4.6.3); behind a close_notify nothing is (6.1). */
static status_t answer_key_update(struct context *context, struct leg *leg)
{
    uint8_t message[TLS_KEY_UPDATE_SIZE];
    if (context->close_sent) return SEC_E_OK;
    tls_key_update_write(false, message);
    status_t status = context_seal(context, leg, TLS_HANDSHAKE,
                                   (struct slice){message, sizeof(message)});
    if (status_ok(status)) status = tls_key_update(&context->session, &context->session.send);
    return status_ok(status) ? status : context_fail(context, status);
}

/* ---- legs ---- */

/* TLS 1.3 asks for a certificate without another handshake (RFC 8446 4.6.2), of clients that have
 * said that they would show one. */
static status_t refuse_late_certificate(const struct context *context)
{
    bool known = context->credential; /* not after a move */
    if (known && !context->late_certificate) return SEC_I_NO_RENEGOTIATION;
    WARN("a certificate after the handshake of TLS 1.3 is not asked for\n");
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static status_t begin_another(struct context *context, struct leg *leg)
{
    if (context->server && !context->message_waits) server_wants_another();
    if (renegotiation_possible(context)) return renegotiation_begin(context, leg);
    if (context->message_waits) return refuse_renegotiation(context, leg);
    WARN("the policy forbids another handshake, or the library's session is gone\n");
    return SEC_E_UNSUPPORTED_FUNCTION;
}

/* A connection that is being closed has nothing to begin. */
static status_t leg_without_input(struct context *context, struct leg *leg)
{
    leg->missing = TLS_RECORD_HEADER;
    if (context->datagram || context->close_sent || context->close_received)
        return SEC_E_INCOMPLETE_MESSAGE;
    if (context->version < TLS_1_3) return begin_another(context, leg);
    return context->server && !context->message_waits ? refuse_late_certificate(context)
                                                      : SEC_E_INCOMPLETE_MESSAGE;
}

/* DecryptMessage has had the library make the last flight again. */
static status_t repeat_flight(struct context *context, struct leg *leg)
{
    uint32_t event;
    TRACE("the peer asks for the last flight again\n");
    context->repeat_waits = false;
    return handshake_feed(context, leg, (struct slice){NULL, 0}, &event);
}

status_t post_leg(struct context *context, struct leg *leg)
{
    struct post post = {0};
    status_t status;
    if (context->repeat_waits) {
        status = repeat_flight(context, leg);
    } else if (!leg->token.size || context->hello_request) {
        status = leg_without_input(context, leg);
    } else if (!context->carried) {
        return SEC_E_INVALID_TOKEN; /* the library has read all that there was */
    } else {
        status = take_records(context, leg, &post);
        if (status_ok(status) && post.answer_key_update) status = answer_key_update(context, leg);
        if (status_ok(status) && post.refuse_renegotiation)
            status = refuse_renegotiation(context, leg);
        if (status_ok(status) && post.renegotiate) status = renegotiation_begin(context, leg);
    }
    if (status_ok(status)) context->message_waits = context->hello_request = false;
    return status_ok(status) && post.closed ? SEC_I_CONTEXT_EXPIRED : status;
}
