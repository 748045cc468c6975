/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records that only the library can make and open: those of suites without an AEAD, of versions
 * before TLS 1.2, and datagrams. One call is one record.
 */
#include "unix.h"

#define ALERT_AROUND 128u /* more than any record adds to an alert */

static status_t send_error(ssize_t result, struct schannel_call_records *call)
{
    return error_explain((int)result, call->why);
}

status_t records_send(void *params)
{
    struct schannel_call_records *call = params;
    struct session *session = unixcall_pointer(call->session);
    const uint8_t *data = unixcall_pointer(call->input.data);
    uint32_t header = 0, trailer = ALERT_AROUND;
    ssize_t result;
    call->output_size = 0;
    if ((!session->established && call->type != TLS_ALERT) || session->failed)
        return error_say(SEC_E_CONTEXT_EXPIRED, call->why, "no session that could send");
    if (session->established) facts_overhead(session, &header, &trailer);
    size_t room = header + (size_t)call->input.size + trailer;
    if (call->input.size > facts_limit(session) ||
        (call->type == TLS_ALERT && call->input.size != 2))
        return error_say(SEC_E_INVALID_PARAMETER, call->why, "not one record");
    if (!call->input.size)
        return error_say(SEC_E_UNSUPPORTED_FUNCTION, call->why, "no empty record can be sent");
    if (call->output_room < room) return SEC_E_BUFFER_TOO_SMALL;
    /* What RECEIVE had the library repeat of a handshake over datagrams; a handshake call that came
     * before this one has it. */
    transport_drop(session);

    if (call->type == TLS_APPLICATION_DATA)
        result = gnutls.record_send(session->library, data, (size_t)call->input.size);
    else if (call->type == TLS_ALERT)
        result = gnutls.alert_send(session->library, data[0], data[1]);
    else return error_say(SEC_E_INVALID_PARAMETER, call->why, "no such record is sent alone");
    if (result < 0) return send_error(result, call);
    call->consumed = call->input.size;
    transport_send(session, call->output, call->output_room, &call->output_size);
    return SEC_E_OK;
}

/* What came was an alert; its two bytes are what the record held. */
static status_t alert_received(uint8_t level, uint8_t description,
                               struct schannel_call_records *call)
{
    uint8_t *output = unixcall_pointer(call->output);
    output[0] = level;
    output[1] = description;
    call->output_size = 2;
    call->type = TLS_ALERT;
    call->alert = description;
    return SEC_E_OK;
}

static status_t received(struct session *session, ssize_t result,
                         struct schannel_call_records *call)
{
    if (result > 0) {
        call->type = TLS_APPLICATION_DATA;
        call->output_size = (uint64_t)result;
        return SEC_E_OK;
    }
    switch (result) {
    case 0: return alert_received(GNUTLS_AL_WARNING, GNUTLS_A_CLOSE_NOTIFY, call);
    case GNUTLS_E_WARNING_ALERT_RECEIVED:
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
        return alert_received(result == GNUTLS_E_WARNING_ALERT_RECEIVED ? GNUTLS_AL_WARNING
                                                                        : GNUTLS_AL_FATAL,
                              (uint8_t)gnutls.alert_get(session->library), call);
    case GNUTLS_E_REHANDSHAKE:
        session->peer_asked = true;
        call->type = TLS_HANDSHAKE;
        return SEC_E_OK;
    case GNUTLS_E_AGAIN:
    case GNUTLS_E_INTERRUPTED:
        /* a record that says nothing, or a datagram that is none of ours; one of a peer that
         * repeats its flight has ours repeated (RFC 6347 4.2.4) */
        call->type = session->datagram && transport_queued(session) ? TLS_HANDSHAKE
                                                                    : TLS_APPLICATION_DATA;
        return SEC_E_OK;
    default: break;
    }
    int level;
    call->alert = (uint32_t)gnutls.error_to_alert((int)result, &level);
    return error_explain((int)result, call->why);
}

status_t records_receive(void *params)
{
    struct schannel_call_records *call = params;
    struct session *session = unixcall_pointer(call->session);
    call->consumed = call->output_size = 0;
    call->alert = CALL_NO_ALERT;
    if (!session->established || session->failed)
        return error_say(SEC_E_CONTEXT_EXPIRED, call->why, "no session that could receive");
    if (call->output_room < TLS_PLAIN_MAX && call->output_room < call->input.size)
        return SEC_E_BUFFER_TOO_SMALL;
    reader_init(&session->input, unixcall_pointer(call->input.data), (size_t)call->input.size);
    size_t size = transport_record(session, &session->input);
    if (session->datagram && !size) size = (size_t)call->input.size;
    if (!size) return error_say(SEC_E_INCOMPLETE_MESSAGE, call->why, "no whole record");

    reader_init(&session->input, unixcall_pointer(call->input.data), size);
    ssize_t result = gnutls.record_recv(session->library, unixcall_pointer(call->output),
                                        (size_t)call->output_room);
    call->consumed = session->input.pos;
    session->input = (struct reader){0};
    return received(session, result, call);
}
