/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of the suites and versions that only the library can make and open: CBC (RFC 5246
 * 6.2.3.2), TLS 1.0 and 1.1, and DTLS (RFC 6347). The library has one block for what it makes, of
 * which the application's three buffers get a part each.
 */
#include "message.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("schannel");

/* ---- sending ---- */

/* Gives the bytes of the record to the buffers in turn: text as long as the plain one lies where
 * that was. */
static status_t outgoing_fill(const struct outgoing *out, const uint8_t *made, size_t size,
                              size_t header)
{
    size_t text = out->data->cbBuffer;
    if (size < header + text || size - header - text > out->trailer->cbBuffer)
        return SEC_E_BUFFER_TOO_SMALL;
    size_t trailer = size - header - text;
    memcpy(out->header->pvBuffer, made, header);
    if (text) memcpy(out->data->pvBuffer, made + header, text);
    if (trailer) memcpy(out->trailer->pvBuffer, made + header + text, trailer);
    out->header->cbBuffer = (ULONG)header;
    out->trailer->cbBuffer = (ULONG)trailer;
    return SEC_E_OK;
}

status_t message_library_seal(struct context *context, const struct outgoing *out)
{
    size_t text = out->data->cbBuffer;
    size_t room = text + context->record_header + context->record_trailer;
    if (out->header->cbBuffer < context->record_header ||
        out->trailer->cbBuffer < context->record_trailer)
        return SEC_E_BUFFER_TOO_SMALL;
    uint8_t *block = malloc(room);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    struct schannel_call_records call = {
        .session = context->library,
        .input = {unixcall_address(out->data->pvBuffer), text},
        .output = unixcall_address(block),
        .output_room = room,
        .type = (uint32_t)out->type,
    };
    status_t status = library_call(SCHANNEL_CALL_SEND, &call);
    if (status_ok(status))
        status = outgoing_fill(out, block, (size_t)call.output_size, context->record_header);
    else WARN("%s: status %#lx\n", call.why, (ULONG)status);
    free(block);
    return status;
}

/* ---- receiving ---- */

/* Whether the first record is whole. What cannot be one is refused before more of it is waited for
 * (RFC 5246 6.2.1, 6.2.3). */
static status_t record_measure(const struct context *context, struct incoming *in, size_t *whole)
{
    struct reader r;
    reader_init(&r, in->bytes, in->size);
    uint8_t type = reader_u8(&r);
    uint16_t version = reader_u16be(&r);
    size_t length = reader_u16be(&r);
    bool has_header = reader_ok(&r);
    bool fits = type >= TLS_CHANGE_CIPHER_SPEC && type <= TLS_APPLICATION_DATA &&
                version == context->version && length <= TLS_FRAGMENT_MAX;
    if (has_header && !fits) {
        in->alert = tls_record_alert(NULL, in->bytes, in->size);
        return SEC_E_INVALID_TOKEN;
    }
    size_t needed = TLS_RECORD_HEADER + (has_header ? length : 0);
    if (in->size < needed) {
        in->missing = needed - in->size;
        return SEC_E_INCOMPLETE_MESSAGE;
    }
    *whole = needed;
    return SEC_E_OK;
}

/* The plain text goes where the encrypted one was. */
static void incoming_fill(const struct context *context, struct incoming *in, size_t whole,
                          const uint8_t *text, size_t size)
{
    size_t header = context->record_header;
    if (header > whole || size > whole - header) header = whole - size;
    memcpy(in->bytes + header, text, size);
    in->header = header;
    in->plain = size;
    in->trailer = whole - header - size;
}

static status_t record_received(struct context *context, const struct schannel_call_records *call,
                                const uint8_t *made)
{
    switch (call->type) {
    case TLS_APPLICATION_DATA: return SEC_E_OK;
    case TLS_HANDSHAKE: /* data may pass a flight that is repeated */
        if (context->datagram) {
            context->repeat_waits = true;
        } else {
            context->hello_request = !context->server;
            context->message_waits = true;
        }
        return SEC_I_RENEGOTIATE;
    case TLS_ALERT: return alert_received(context, made, (size_t)call->output_size);
    default: return SEC_E_ILLEGAL_MESSAGE;
    }
}

/* The library says what a record was that it could not open; the peer hears of it by a leg. */
static status_t open_failed(struct incoming *in, const struct schannel_call_records *call,
                            status_t status)
{
    WARN("%s: status %#lx\n", call->why, (ULONG)status);
    if (call->alert != CALL_NO_ALERT && status != SEC_E_INSUFFICIENT_MEMORY)
        in->alert = (uint8_t)call->alert;
    return status;
}

status_t message_library_open(struct context *context, struct incoming *in)
{
    size_t whole = 0;
    status_t status = SEC_E_OK;
    if (context->datagram) whole = tls_datagram_record((struct slice){in->bytes, in->size}).size;
    else status = record_measure(context, in, &whole);
    if (!status_ok(status)) return status;
    /* Of such a rest nobody hears (RFC 6347 4.1.2.7); a part of a record never comes alone. */
    if (!whole) {
        TRACE("a datagram's %u bytes are no record, and are dropped\n", (unsigned)in->size);
        in->trailer = in->size;
        return SEC_E_OK;
    }
    uint8_t *block = malloc(whole);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    struct schannel_call_records call = {
        .session = context->library,
        .input = {unixcall_address(in->bytes), whole},
        .output = unixcall_address(block),
        .output_room = whole,
    };
    status = library_call(SCHANNEL_CALL_RECEIVE, &call);
    if (status_ok(status)) {
        bool text = call.type == TLS_APPLICATION_DATA;
        incoming_fill(context, in, whole, block, text ? (size_t)call.output_size : 0);
        status = record_received(context, &call, block);
    } else {
        status = open_failed(in, &call, status);
    }
    secret_free(block, whole);
    return status;
}
