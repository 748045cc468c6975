/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptMessage and DecryptMessage over an application's buffers: one record a call, in place, on
 * the session alone (RFC 8446 5, RFC 5246 6). What is refused leaves the buffers as they were.
 *
 * Sending takes a STREAM_HEADER, a DATA and a STREAM_TRAILER buffer in any order. Receiving takes
 * one DATA buffer among at least four, the others EMPTY; the first four become header, plain text,
 * trailer and what follows the record (EXTRA). The record of a post-handshake message is put back
 * as it was: it is the EXTRA that a leg has to take first. A HelloRequest has nothing in it that
 * such a leg would need, and is used up.
 *
 * Sessions of the library's own record path are in message_library.c.
 */
#include "message.h"

#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("schannel");

#define RECEIVE_BUFFERS 4u
#define ALERT_SIZE 2u

/* ---- what a context may do ---- */

/* In another handshake data goes on until the keys change. */
static status_t check_established(const struct context *context, bool changed)
{
    if (context->exported) return SEC_E_INVALID_HANDLE;
    if (context->broken || context->stage == STAGE_FAILED) return SEC_E_CONTEXT_EXPIRED;
    if (context->message_waits) return SEC_E_CONTEXT_EXPIRED;
    if (context->renegotiating && context->stage == STAGE_HANDSHAKE)
        return context->carried && !changed ? SEC_E_OK : SEC_E_CONTEXT_EXPIRED;
    return context->stage == STAGE_ESTABLISHED ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static status_t check_send(const struct context *context)
{
    status_t status = check_established(context, context->sent_change);
    return status_ok(status) && context->close_sent ? SEC_E_CONTEXT_EXPIRED : status;
}

static status_t check_receive(const struct context *context)
{
    status_t status = check_established(context, context->received_change);
    return status_ok(status) && context->close_received ? SEC_E_CONTEXT_EXPIRED : status;
}

/* ---- sending ---- */

/* The one buffer of its type, with memory behind it. */
static status_t outgoing_set(SecBuffer **slot, SecBuffer *buffer)
{
    if (*slot || (buffer->cbBuffer && !buffer->pvBuffer)) return SEC_E_INVALID_TOKEN;
    *slot = buffer;
    return SEC_E_OK;
}

/* Read-only buffers and those of other types have no part in a record. */
static status_t outgoing_collect(const SecBufferDesc *desc, struct outgoing *out)
{
    *out = (struct outgoing){NULL, NULL, NULL, TLS_APPLICATION_DATA};
    for (ULONG i = 0; i < desc->cBuffers; i++) {
        SecBuffer *buffer = &desc->pBuffers[i];
        status_t status = SEC_E_OK;
        if (buffer->BufferType & SECBUFFER_READONLY) continue;
        switch (secbuf_type(buffer)) {
        case SECBUFFER_STREAM_HEADER: status = outgoing_set(&out->header, buffer); break;
        case SECBUFFER_DATA: status = outgoing_set(&out->data, buffer); break;
        case SECBUFFER_STREAM_TRAILER: status = outgoing_set(&out->trailer, buffer); break;
        default: break;
        }
        if (!status_ok(status)) return status;
    }
    return out->header && out->data && out->trailer ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

static status_t seal_carried(struct context *context, const struct outgoing *out)
{
    struct tls_session *session = &context->session;
    size_t header = tls_header_size(session), trailer = tls_trailer_size(session);
    if (out->header->cbBuffer < header || out->trailer->cbBuffer < trailer)
        return SEC_E_BUFFER_TOO_SMALL;
    status_t status = tls_record_seal(session, out->type, out->header->pvBuffer,
                                      out->data->pvBuffer, out->data->cbBuffer,
                                      out->trailer->pvBuffer);
    if (!status_ok(status)) return status;
    out->header->cbBuffer = (ULONG)header;
    out->trailer->cbBuffer = (ULONG)trailer;
    return SEC_E_OK;
}

/* After a close_notify nothing more may be sent, and after a fatal alert nothing at all. */
static void alert_sent(struct context *context, uint8_t level, uint8_t description)
{
    if (description == TLS_CLOSE_NOTIFY) context->close_sent = true;
    else if (level == TLS_ALERT_FATAL) context->broken = true;
}

static status_t send_record(struct context *context, const struct outgoing *out)
{
    uint8_t alert[ALERT_SIZE] = {0, 0};
    status_t status = check_send(context);
    if (!status_ok(status)) return status;
    if (out->data->cbBuffer > tls_plain_limit(&context->session)) return SEC_E_ENCRYPT_FAILURE;
    if (out->type == TLS_ALERT) memcpy(alert, out->data->pvBuffer, sizeof(alert));
    status = context->carried ? seal_carried(context, out) : message_library_seal(context, out);
    if (status_ok(status) && out->type == TLS_ALERT) alert_sent(context, alert[0], alert[1]);
    return status;
}

/* SECQOP_WRAP_OOB_DATA: the message is a TLS alert, its level and its description. */
NTSTATUS NTAPI message_seal(LSA_SEC_HANDLE handle, ULONG qop, SecBufferDesc *desc, ULONG sequence)
{
    struct context *context = context_get(handle);
    struct outgoing out;
    (void)sequence; /* records count themselves */
    if (qop && qop != SECQOP_WRAP_OOB_DATA) return SEC_E_QOP_NOT_SUPPORTED;
    if (!secbuf_valid(desc)) return SEC_E_INVALID_TOKEN;
    status_t status = outgoing_collect(desc, &out);
    if (!status_ok(status)) return status;
    if (qop) out.type = TLS_ALERT;
    if (qop && out.data->cbBuffer != ALERT_SIZE) return SEC_E_INVALID_TOKEN;

    lock_take(&context->send);
    status = send_record(context, &out);
    lock_give(&context->send);
    if (status != SEC_E_OK) WARN("%lu bytes: status %#lx\n", out.data->cbBuffer, (ULONG)status);
    return status;
}

/* ---- receiving ---- */

static SecBuffer *incoming_find(const SecBufferDesc *desc)
{
    SecBuffer *data = NULL;
    if (!secbuf_valid(desc) || desc->cBuffers < RECEIVE_BUFFERS) return NULL;
    for (ULONG i = 0; i < desc->cBuffers; i++) {
        SecBuffer *buffer = &desc->pBuffers[i];
        ULONG type = secbuf_type(buffer);
        if (type == SECBUFFER_EMPTY) continue;
        if (type != SECBUFFER_DATA || data) return NULL;
        data = buffer;
    }
    return data && (data->pvBuffer || !data->cbBuffer) ? data : NULL;
}

static void buffer_set(SecBuffer *buffer, ULONG type, uint8_t *bytes, size_t size)
{
    *buffer = (SecBuffer){(ULONG)size, type, bytes};
}

/* Lays header, plain text, trailer and the rest over the bytes from `at` on. */
static void incoming_report(const SecBufferDesc *desc, const struct incoming *in)
{
    uint8_t *at = in->bytes + in->skipped, *data = at + in->header;
    uint8_t *trailer = data + in->plain, *extra = trailer + in->trailer;
    size_t left = in->size - (size_t)(extra - in->bytes);
    buffer_set(&desc->pBuffers[0], SECBUFFER_STREAM_HEADER, at, in->header);
    buffer_set(&desc->pBuffers[1], SECBUFFER_DATA, data, in->plain);
    buffer_set(&desc->pBuffers[2], SECBUFFER_STREAM_TRAILER, trailer, in->trailer);
    if (left) buffer_set(&desc->pBuffers[3], SECBUFFER_EXTRA, extra, left);
    else buffer_set(&desc->pBuffers[3], SECBUFFER_EMPTY, NULL, 0);
}

/* A record whose content is for nobody: all of it is header and trailer. */
static void incoming_hide(struct incoming *in)
{
    in->trailer += in->plain;
    in->plain = 0;
}

/* TLS 1.3 knows no levels any more (RFC 8446 6), and user_canceled comes before a close_notify. */
static bool alert_is_fatal(const struct context *context, const uint8_t alert[ALERT_SIZE])
{
    if (context->version == TLS_1_3) return alert[1] != TLS_USER_CANCELED;
    return alert[0] != TLS_ALERT_WARNING;
}

status_t alert_received(struct context *context, const uint8_t *alert, size_t size)
{
    if (size != ALERT_SIZE) return SEC_E_INVALID_TOKEN;
    TRACE("level %u, description %u\n", alert[0], alert[1]);
    if (alert[1] == TLS_CLOSE_NOTIFY) {
        context->close_received = true;
        return SEC_I_CONTEXT_EXPIRED;
    }
    if (!alert_is_fatal(context, alert)) return SEC_E_OK;
    context->broken = true;
    return tls_alert_status(alert[1]);
}

/* The only message that DecryptMessage uses up: it says no more than that it is there. */
static bool is_hello_request(const struct context *context, const struct tls_record *record)
{
    return context->version == TLS_1_2 && !context->server && tls_is_hello_request(record);
}

static status_t handshake_received(struct context *context, struct incoming *in,
                                   const struct tls_record *record)
{
    if (is_hello_request(context, record)) {
        incoming_hide(in);
        if (context->renegotiating) return SEC_E_OK; /* RFC 5246 7.4.1.1 */
        context->hello_request = true;
    } else {
        status_t status = tls_record_restore(&context->session, in->bytes + in->skipped, record);
        if (!status_ok(status)) return status;
        in->header = in->plain = in->trailer = 0;
    }
    context->message_waits = true;
    return SEC_I_RENEGOTIATE;
}

/* What another handshake goes on with, or ends. */
static bool is_of_handshake(const struct context *context, const struct tls_record *record)
{
    if (!context->renegotiating) return false;
    if (record->type == TLS_ALERT)
        return record->size == ALERT_SIZE && record->data[1] == TLS_NO_RENEGOTIATION;
    return record->type == TLS_CHANGE_CIPHER_SPEC;
}

/* What an opened record means. */
static status_t record_received(struct context *context, struct incoming *in,
                                const struct tls_record *record)
{
    status_t status;
    in->header = (size_t)(record->data - (in->bytes + in->skipped));
    in->plain = record->size;
    in->trailer = record->whole - in->header - in->plain;
    if (is_of_handshake(context, record)) return handshake_received(context, in, record);
    switch (record->type) {
    case TLS_APPLICATION_DATA:
        /* not between the parts of a message (RFC 8446 5.1), or of an answer (4.6.2) */
        return context->partly.size || context->answer_begun ? SEC_E_ILLEGAL_MESSAGE : SEC_E_OK;
    case TLS_HANDSHAKE:
        return record->size ? handshake_received(context, in, record) : SEC_E_ILLEGAL_MESSAGE;
    case TLS_ALERT:
        status = alert_received(context, record->data, record->size);
        incoming_hide(in);
        return status;
    default: return SEC_E_ILLEGAL_MESSAGE;
    }
}

/* A ChangeCipherSpec of TLS 1.3 says nothing (RFC 8446 D.4), and what follows it counts. */
static status_t open_carried(struct context *context, struct incoming *in)
{
    struct tls_record record;
    for (;;) {
        status_t status = tls_record_open(&context->session, in->bytes + in->skipped,
                                          in->size - in->skipped, &record, &in->missing);
        if (status == SEC_E_INVALID_TOKEN)
            in->alert = tls_record_alert(&context->session, in->bytes + in->skipped,
                                         in->size - in->skipped);
        if (!status_ok(status)) return status;
        if (context->version != TLS_1_3 || record.type != TLS_CHANGE_CIPHER_SPEC)
            return record_received(context, in, &record);
        in->skipped += record.whole;
    }
}

/* What no peer that means well can have sent ends the connection (RFC 8446 6.2): the next leg says
 * why. An illegal message is one that has no place here. */
static void receive_failed(struct context *context, const struct incoming *in, status_t status)
{
    uint8_t alert = in->alert;
    if (context->broken) return; /* the peer has said so first */
    if (!alert && status == SEC_E_ILLEGAL_MESSAGE) alert = TLS_UNEXPECTED_MESSAGE;
    if (!alert && (status == SEC_E_MESSAGE_ALTERED || status == SEC_E_INVALID_TOKEN))
        alert = tls_alert_of(status);
    if (!alert) return;
    context->broken = true;
    context->alert[0] = TLS_ALERT_FATAL;
    context->alert[1] = alert;
}

static status_t receive_locked(struct context *context, struct incoming *in)
{
    status_t status = check_receive(context);
    if (!status_ok(status)) return status;
    status = context->carried ? open_carried(context, in) : message_library_open(context, in);
    if (!status_ok(status)) receive_failed(context, in, status);
    return status;
}

/* The library's session is for one thread at a time. */
static status_t receive_record(struct context *context, struct incoming *in)
{
    lock_take(&context->receive);
    if (context->carried) {
        status_t status = receive_locked(context, in);
        lock_give(&context->receive);
        return status;
    }
    lock_give(&context->receive);
    context_lock(context);
    status_t status = receive_locked(context, in);
    context_unlock(context);
    return status;
}

NTSTATUS NTAPI message_unseal(LSA_SEC_HANDLE handle, SecBufferDesc *desc, ULONG sequence,
                              ULONG *qop)
{
    (void)sequence;
    (void)qop; /* not used with TLS */
    SecBuffer *data = incoming_find(desc);
    if (!data) return SEC_E_INVALID_TOKEN;
    struct incoming in = {.bytes = data->pvBuffer, .size = data->cbBuffer};
    status_t status = receive_record(context_get(handle), &in);
    if (status == SEC_E_INCOMPLETE_MESSAGE) {
        desc->pBuffers[0].BufferType = SECBUFFER_MISSING;
        desc->pBuffers[0].cbBuffer = (ULONG)in.missing;
        return status;
    }
    if (status_ok(status)) incoming_report(desc, &in);
    if (status != SEC_E_OK) TRACE("%lu bytes: status %#lx\n", (ULONG)in.size, (ULONG)status);
    return status;
}
