/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another handshake of TLS 1.2 inside the session (RFC 5246 7.4.1.1, 7.4.1.2). Its records are
 * encrypted as those of before, and data may come and go between them, until each side changes its
 * ciphers. So both the session here and the library of the host count them.
 *
 * The peer's records are looked at before the library gets them: data stays in the input, from
 * which DecryptMessage takes it until it comes to the handshake again (Microsoft: Renegotiating an
 * Schannel Connection); and a request for a certificate is put to a client's application, as in the
 * first handshake. Where the library makes the records, it has all that comes, and takes neither.
 *
 * A server asks its client to begin (HelloRequest), and goes on as before until that happens, which
 * it need not.
 */
#include "schannel_package.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("schannel");

bool renegotiation_possible(const struct context *context)
{
    return context->library && context->version < TLS_1_3 && context->credential &&
           context->credential->renegotiates;
}

/* ---- what the library is told ---- */

status_t renegotiation_tell(const struct context *context, const struct leg *leg,
                            uint64_t credentials, uint64_t receive_sequence)
{
    const struct tls_session *session = &context->session;
    bool certificate = leg->server && leg->requirements & ASC_REQ_MUTUAL_AUTH;
    struct schannel_call_renegotiate call = {
        .session = context->library,
        .credentials = credentials,
        .send_sequence = context->sent_change ? CALL_SEQUENCE_KEPT : session->send.sequence,
        .receive_sequence = receive_sequence,
        .flags = certificate ? CALL_SESSION_REQUEST_CERTIFICATE : 0,
    };
    status_t status = library_call(SCHANNEL_CALL_RENEGOTIATE, &call);
    if (!status_ok(status)) WARN("no other handshake: %#lx: %s\n", (ULONG)status, call.why);
    return status;
}

/* *credentials: of the leg's credential, if that is another one with a certificate, or 0. */
static status_t credential_other(struct context *context, const struct leg *leg,
                                 uint64_t *credentials)
{
    struct credential *credential = leg->credential;
    bool other = credential && credential != context->credential && credential->certificate_count;
    *credentials = 0;
    if (!other) return SEC_E_OK;
    if (credential->server != context->server) return SEC_E_NO_CREDENTIALS;
    status_t status = credential_library(credential, context->datagram, credentials);
    return status_ok(status) ? context_reserve_credential(context) : status;
}

status_t renegotiation_check(struct context *context, const struct leg *leg)
{
    uint64_t credentials;
    return credential_other(context, leg, &credentials);
}

status_t renegotiation_prepare(struct context *context, const struct leg *leg)
{
    uint64_t credentials;
    status_t status = credential_other(context, leg, &credentials);
    context->sent_change = context->received_change = false;
    if (status_ok(status))
        status = renegotiation_tell(context, leg, credentials, context->session.receive.sequence);
    if (status_ok(status) && credentials) context_change_credential(context, leg->credential);
    return status;
}

/* ---- what the library says ---- */

status_t renegotiation_step(struct context *context, struct leg *leg, struct slice records,
                            uint32_t *event)
{
    size_t before = leg->reply.size;
    status_t status = handshake_feed(context, leg, records, event);
    if (!status_ok(status) || !status_ok(writer_status(&leg->reply))) return status;
    struct slice made = slice_rest(writer_view(&leg->reply), before);
    while (context->carried && made.size && !context->sent_change) {
        struct slice record = first_record(made);
        context->sent_change = record.data[0] == TLS_CHANGE_CIPHER_SPEC;
        context->session.send.sequence++;
        made = slice_rest(made, record.size);
    }
    return status;
}

status_t renegotiation_begin(struct context *context, struct leg *leg)
{
    uint32_t event;
    status_t status = renegotiation_prepare(context, leg);
    if (!status_ok(status)) return status;
    context->stage = STAGE_HANDSHAKE;
    context->renegotiating = true;
    context->certificate_refused = context->flight_begun = false;
    context->flight_watched = context->carried && !context->server &&
                              !context->credential->certificate_count;
    status = renegotiation_step(context, leg, (struct slice){NULL, 0}, &event);
    if (!status_ok(status)) return status;
    return context->server && context->carried ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
}

/* ---- looking at records ---- */

enum found { FOUND_NOTHING, FOUND_HELLO_REQUEST, FOUND_DATA, FOUND_REQUEST, FOUND_END };

/* What the library has to make of what it cannot open is its affair, too. */
static enum found tell(struct context *context, status_t opened, const struct tls_record *record)
{
    bool requested = false;
    if (!status_ok(opened) || record->type == TLS_CHANGE_CIPHER_SPEC) return FOUND_END;
    if (record->type == TLS_APPLICATION_DATA) return FOUND_DATA;
    if (record->type != TLS_HANDSHAKE) return FOUND_NOTHING;
    /* one that has crossed with our ClientHello, before the flight that answers it */
    if (!context->server && !context->flight_begun && tls_is_hello_request(record))
        return FOUND_HELLO_REQUEST;
    context->flight_begun = true;
    if (!context->flight_watched) return FOUND_NOTHING;
    const struct slice text = {record->data, record->size};
    status_t status = tls_flight_text(&context->flight, text, &requested);
    return status_ok(status) && requested ? FOUND_REQUEST : FOUND_NOTHING;
}

/* Opens a copy. The record does not count when it is not for the library, or not yet. */
static status_t look_at(struct context *context, struct slice bytes, enum found *found)
{
    struct tls_record record;
    size_t missing;
    uint64_t sequence = context->session.receive.sequence;
    uint8_t *copy = malloc(bytes.size);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, bytes.data, bytes.size);
    status_t status = tls_record_open(&context->session, copy, bytes.size, &record, &missing);
    *found = tell(context, status, &record);
    if (*found == FOUND_DATA || *found == FOUND_REQUEST)
        context->session.receive.sequence = sequence;
    secret_free(copy, bytes.size);
    return SEC_E_OK;
}

/* The size of what the library is to have now; all of it once the server's keys have changed. */
static status_t look_ahead(struct context *context, struct slice records, size_t *size,
                           enum found *found)
{
    status_t status = SEC_E_OK;
    *size = 0;
    *found = context->received_change ? FOUND_END : FOUND_NOTHING;
    while (*found == FOUND_NOTHING && *size < records.size) {
        struct slice record = first_record(slice_rest(records, *size));
        status = look_at(context, record, found);
        if (!status_ok(status)) return status;
        if (*found == FOUND_NOTHING) *size += record.size;
    }
    if (*found != FOUND_END) return SEC_E_OK;
    context->received_change = true;
    *size = records.size;
    return SEC_E_OK;
}

/* The wish for what has begun already is to be ignored (RFC 5246 7.4.1.1). */
static void skip_hello_request(struct leg *leg, struct slice *records)
{
    size_t size = first_record(*records).size;
    leg->consumed += size;
    *records = slice_rest(*records, size);
}

status_t renegotiation_feed(struct context *context, struct leg *leg, struct slice records,
                            uint32_t *event)
{
    enum found found;
    size_t size;
    context->message_waits = false;
    do {
        *event = CALL_EVENT_INPUT;
        uint64_t sequence = context->received_change ? CALL_SEQUENCE_KEPT
                                                     : context->session.receive.sequence;
        status_t status = renegotiation_tell(context, leg, 0, sequence);
        if (status_ok(status)) status = look_ahead(context, records, &size, &found);
        if (!status_ok(status)) return context_fail(context, status);
        if (size)
            status = renegotiation_step(context, leg, (struct slice){records.data, size}, event);
        if (!status_ok(status) || *event != CALL_EVENT_INPUT) return status;
        records = slice_rest(records, size);
        if (found == FOUND_HELLO_REQUEST) skip_hello_request(leg, &records);
    } while (found == FOUND_HELLO_REQUEST ||
             (found == FOUND_REQUEST && !client_asked(context, leg, records)));
    if (found == FOUND_REQUEST) *event = FEED_CERTIFICATE;
    if (found == FOUND_DATA) *event = FEED_DATA;
    return SEC_E_OK;
}
