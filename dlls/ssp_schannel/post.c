/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Legs of an established context, whose input is a record that DecryptMessage has answered with
 * SEC_I_RENEGOTIATE, and what of its kind follows (Microsoft: DecryptMessage for Schannel).
 *
 * TLS 1.3 (RFC 8446 4.6): a KeyUpdate is dealt with here, and answered when the peer asks for it; a
 * NewSessionTicket goes to the library of the host, which makes a session to resume of it; a
 * CertificateRequest and its answer are in late.c. The request is an error for a client that has
 * not offered to answer one, or has moved since.
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
    bool ticket_ended, answered; /* in this record */
    bool crowded; /* something stands behind the question or the answer in its record */
    bool answer_key_update, certificate_wanted;
    bool renegotiate, refuse_renegotiation;
    bool closed;
    bool unexpected; /* a message, of which the peer hears by that name */
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
    if (!late_possible(context)) context_drop_library(context); /* whose keys are old now */
    post->answer_key_update = post->answer_key_update || requested;
    return SEC_E_OK;
}

/* RFC 8446 4.6.2: nothing else comes before its end. */
static bool is_answer(const struct context *context, uint8_t type)
{
    bool one = type == TLS_CERTIFICATE || type == TLS_CERTIFICATE_VERIFY || type == TLS_FINISHED;
    return context->certificate_awaited && one;
}

/* A part of it has come. */
static bool answer_is_partly(const struct context *context)
{
    return context->partly.size && is_answer(context, context->partly.data[0]);
}

static status_t on_message(struct context *context, const struct tls_handshake_message *message,
                           bool is_last, struct post *post)
{
    bool modern = context->version >= TLS_1_3, client = !context->server;
    if (modern && message->type == TLS_KEY_UPDATE && !context->answer_begun)
        return on_key_update(context, message->body, is_last, post);
    if (modern && client && message->type == TLS_NEW_SESSION_TICKET) {
        post->ticket_ended = true;
    } else if (client && message->type == TLS_CERTIFICATE_REQUEST && late_possible(context) &&
               !post->certificate_wanted) {
        post->certificate_wanted = true;
        post->crowded = !is_last;
    } else if (is_answer(context, message->type)) {
        post->answered = true;
        context->answer_begun = message->type != TLS_FINISHED;
        if (!context->answer_begun && !is_last) post->crowded = true;
    } else if (!modern && client && message->type == TLS_HELLO_REQUEST && !message->body.size) {
        library_wanted(context);
        post->renegotiate = renegotiation_possible(context);
        post->refuse_renegotiation = !post->renegotiate;
    } else if (!modern && !client && message->type == TLS_CLIENT_HELLO) {
        post->refuse_renegotiation = true;
    } else {
        WARN("message %u has no place here\n", message->type);
        post->unexpected = true;
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

static status_t pass_answer(struct context *context, struct leg *leg, struct slice record,
                            uint64_t sequence, const struct post *post)
{
    status_t status = late_take(context, leg, record, sequence);
    if (status_ok(status) && post->crowded) context_drop_library(context);
    return status;
}

/* The library, where it is there still, is given each record as it was on the wire. All can do
 * without, but who waits for a certificate. */
static status_t pass_record(struct context *context, struct leg *leg, struct slice record,
                            uint64_t sequence, const struct post *post)
{
    if (!context->library || context->version < TLS_1_3) return SEC_E_OK;
    if (post->answered || answer_is_partly(context))
        return pass_answer(context, leg, record, sequence, post);
    status_t status = late_post(context, record, sequence);
    if (!status_ok(status)) {
        context_drop_library(context);
        return context->certificate_awaited || post->certificate_wanted ? status : SEC_E_OK;
    }
    if (!post->ticket_ended) return SEC_E_OK;
    if (context_resumable(context)) context_store_resumption(context);
    if (!late_possible(context)) context_drop_library(context);
    return SEC_E_OK;
}

/* ---- records ---- */

static status_t on_alert(struct context *context, struct slice plain, struct post *post)
{
    status_t status = alert_received(context, plain.data, plain.size);
    post->closed = status == SEC_I_CONTEXT_EXPIRED;
    return post->closed ? SEC_E_OK : status;
}

static status_t on_record(struct context *context, struct leg *leg, struct slice record,
                          struct slice plain, enum tls_type type, uint64_t sequence,
                          struct post *post)
{
    post->ticket_ended = post->answered = false;
    if (type != TLS_HANDSHAKE && context->partly.size) return SEC_E_ILLEGAL_MESSAGE;
    if (type == TLS_ALERT) return on_alert(context, plain, post);
    if (type == TLS_CHANGE_CIPHER_SPEC)
        return context->version >= TLS_1_3 ? SEC_E_OK : SEC_E_ILLEGAL_MESSAGE;
    status_t status = on_handshake(context, plain, post);
    return status_ok(status) ? pass_record(context, leg, record, sequence, post) : status;
}

/* A peer that has said so first does not hear of it (RFC 8446 6.2), nor twice of what the library
 * has told it already. */
static status_t give_up(struct context *context, struct leg *leg, const struct post *post,
                        status_t status)
{
    uint8_t description = post->unexpected ? TLS_UNEXPECTED_MESSAGE : tls_alert_of(status);
    bool over = context->broken || context->close_sent || context->stage == STAGE_FAILED;
    if (!over && status != SEC_E_INSUFFICIENT_MEMORY) context_tell(context, leg, description);
    return context_fail(context, status);
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
    status = on_record(context, leg, record, (struct slice){opened.data, opened.size}, opened.type,
                       sequence, post);
done:
    secret_free(copy, record.size);
    return status_ok(status) ? status : give_up(context, leg, post, status);
}

static status_t take_records(struct context *context, struct leg *leg, struct post *post)
{
    size_t whole;
    status_t status = leg_records(leg, &whole);
    if (!status_ok(status)) return status;
    while (leg->consumed < whole && !post->renegotiate && !post->certificate_wanted &&
           !post->closed) {
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
    if (!status_ok(status)) return context_fail(context, status);
    if (late_possible(context)) status = late_key_update(context);
    if (status_ok(status)) return SEC_E_OK;
    context_drop_library(context); /* whose keys are old now */
    return context->certificate_awaited ? context_fail(context, status) : SEC_E_OK;
}

/* ---- legs ---- */

/* TLS 1.3 has no other handshakes: all that can be wanted is a certificate, of a client that has
 * offered one. */
static status_t ask_for_certificate(struct context *context, struct leg *leg)
{
    bool known = context->credential; /* not after a move */
    if (known && !context->late_certificate) return SEC_I_NO_RENEGOTIATION;
    library_wanted(context);
    bool wanted = leg->requirements & ASC_REQ_MUTUAL_AUTH;
    if (wanted && late_possible(context)) return late_ask(context, leg);
    WARN("%s\n", wanted ? "the policy forbids it, or the library's session is gone"
                        : "TLS 1.3 has nothing to begin but the question of a certificate");
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static status_t begin_another(struct context *context, struct leg *leg)
{
    if (!context->server || !context->message_waits) library_wanted(context);
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
    if (!context->server || context->message_waits || context->certificate_awaited)
        return SEC_E_INCOMPLETE_MESSAGE;
    return ask_for_certificate(context, leg);
}

/* Behind a close_notify it is not. */
static status_t show_certificate(struct context *context, struct leg *leg, const struct post *post)
{
    if (context->close_sent) return SEC_E_OK;
    status_t status = late_show(context, leg);
    if (!status_ok(status)) return give_up(context, leg, post, status);
    if (post->crowded) context_drop_library(context);
    return SEC_E_OK;
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
        status = late_possible(context) ? renegotiation_check(context, leg) : SEC_E_OK;
        if (!status_ok(status)) return status; /* nothing has been read yet */
        status = take_records(context, leg, &post);
        if (status_ok(status) && post.certificate_wanted)
            status = show_certificate(context, leg, &post);
        if (status_ok(status) && post.answer_key_update) status = answer_key_update(context, leg);
        if (status_ok(status) && post.refuse_renegotiation)
            status = refuse_renegotiation(context, leg);
        if (status_ok(status) && post.renegotiate) status = renegotiation_begin(context, leg);
    }
    if (status_ok(status)) context->message_waits = context->hello_request = false;
    if (status_ok(status) && post.closed) return SEC_I_CONTEXT_EXPIRED;
    bool continues = context->answer_begun || answer_is_partly(context);
    return status_ok(status) && continues ? SEC_I_CONTINUE_NEEDED : status;
}
