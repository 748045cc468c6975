/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handshakes, first and repeated, and what TLS 1.3 has in place of these: a certificate that is
 * asked for after the handshake (RFC 8446 4.6.2). The library's own works off what there is and
 * says that it waits for more; so does the function here that a peer's certificate is shown to,
 * which is how a handshake stops for the caller's verdict.
 */
#include "unix.h"

#include <stdio.h>

/* Takes the call's input for as long as one of the functions below runs. */
static void input_set(struct session *session, struct unixcall_bytes input)
{
    reader_init(&session->input, unixcall_pointer(input.data), (size_t)input.size);
}

static void sequence_bytes(uint64_t sequence, uint8_t out[8])
{
    struct writer w;
    writer_init_fixed(&w, out, 8);
    writer_u64be(&w, sequence);
}

/* ---- failure ---- */

/* A peer that closes by an alert has failed too, though the alert means no error elsewhere. */
static status_t alert_failure(uint32_t description)
{
    status_t status = tls_alert_status((uint8_t)description);
    return status_ok(status) ? SEC_E_CONTEXT_EXPIRED : status;
}

/* The peer learns of a failure by an alert, unless the failure is an alert of its own. */
static status_t fail(struct session *session, int error, struct schannel_call_handshake *call)
{
    bool received = error == GNUTLS_E_FATAL_ALERT_RECEIVED;
    int level;
    if (received) session->alert = (uint32_t)gnutls.alert_get(session->library);
    else if (error == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR) session->alert = call->verdict_alert;
    else session->alert = (uint32_t)gnutls.error_to_alert(error, &level);

    session->failed = received || error == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR
                          ? alert_failure(session->alert)
                          : error_status(error);
    if (!status_ok(writer_status(&session->queue))) session->failed = SEC_E_INSUFFICIENT_MEMORY;
    if (!received)
        gnutls.alert_send(session->library, GNUTLS_AL_FATAL,
                          (gnutls_alert_description_t)session->alert);
    const char *name = gnutls.alert_get_name((gnutls_alert_description_t)session->alert);
    return error_say(session->failed, call->why, "%s; alert %s: %s", gnutls.strerror(error),
                     received ? "received" : "sent", name ? name : "unknown");
}

/* ---- cookies of DTLS ---- */

#define CLIENT_HELLO 1u /* RFC 6347 4.2.2 */

/* The library looks at neither of the two. */
static bool is_hello(const uint8_t *record, size_t size)
{
    return size > DTLS_RECORD_HEADER && record[0] == TLS_HANDSHAKE &&
           record[DTLS_RECORD_HEADER] == CLIENT_HELLO;
}

/* Before a server of DTLS remembers anything of a client, the client has to show that it receives
 * at its address (RFC 6347 4.2.1). False: it has to come again. A call answers once, and a
 * ClientHello only: more would be sent than came, to an address that anybody can write down. */
static bool cookie_check(struct session *session)
{
    gnutls_datum_t key = {session->credentials->cookie_key,
                          sizeof(session->credentials->cookie_key)};
    gnutls_dtls_prestate_st state = {0};
    struct reader *input = &session->input;
    if (!session->peer.size) return true;
    for (;;) {
        size_t size = transport_record(session, input);
        if (!size) break;
        uint8_t *record = (uint8_t *)(uintptr_t)(input->base + input->pos);
        int error = is_hello(record, size)
                        ? gnutls.dtls_cookie_verify(&key, session->peer.data, session->peer.size,
                                                    record, size, &state)
                        : GNUTLS_E_UNEXPECTED_PACKET;
        if (error >= 0) {
            gnutls.dtls_prestate_set(session->library, &state);
            writer_free(&session->peer);
            return true;
        }
        if (error == GNUTLS_E_BAD_COOKIE && !transport_queued(session))
            gnutls.dtls_cookie_send(&key, session->peer.data, session->peer.size, &state, session,
                                    transport_push);
        reader_skip(input, size);
    }
    reader_skip(input, reader_left(input));
    return false;
}

/* ---- the handshake ---- */

static bool peer_declines(const struct session *session, int error)
{
    return error == GNUTLS_E_WARNING_ALERT_RECEIVED && session->established &&
           gnutls.alert_get(session->library) == GNUTLS_A_NO_RENEGOTIATION;
}

/* One result of the library: whether there is more to do at once. */
static bool step(struct session *session, struct schannel_call_handshake *call, status_t *status)
{
    size_t left = reader_left(&session->input);
    bool late = session->established && session_version(session) == TLS_1_3;
    int error = late ? gnutls.reauth(session->library, 0) : gnutls.handshake(session->library);
    if (!error && !late) error = session_give_tickets(session);
    bool progress = reader_left(&session->input) < left;
    if (!error) {
        session->done = session->established = true;
        return false;
    }
    if (error == GNUTLS_E_AGAIN || error == GNUTLS_E_INTERRUPTED)
        return !session->verifying && progress && reader_left(&session->input);
    if (peer_declines(session, error)) {
        /* All is as it was before; but not once the peer has begun, since the library may have been
         * shown a certificate by then, which nothing has proven to be the peer's. */
        if (session->begun) {
            *status = fail(session, GNUTLS_E_UNEXPECTED_PACKET, call);
            return false;
        }
        call->alert = GNUTLS_A_NO_RENEGOTIATION;
        session->done = true;
        return false;
    }
    if (!gnutls.error_is_fatal(error) && error != GNUTLS_E_GOT_APPLICATION_DATA && progress)
        return true;
    *status = fail(session, error, call);
    return false;
}

static status_t go_on(struct session *session, struct schannel_call_handshake *call)
{
    status_t status = SEC_E_OK;
    if (session->done || (session->verifying && !session->verdict)) return SEC_E_OK;
    /* The caller fetches the rest of a flight. */
    if (!session->verdict && !call->input.size && transport_queued(session)) return SEC_E_OK;
    if (session->datagram && session->server && !cookie_check(session)) return SEC_E_OK;
    if (call->unresumable && session->server && !session->ticket_life) {
        int error = session_refuse_tickets(session);
        if (error) return fail(session, error, call);
    }
    session->verifying = false;
    session->repeats = !session->verdict && !call->input.size;
    while (step(session, call, &status)) {
    }
    session->repeats = false;
    return status;
}

status_t handshake(void *params)
{
    struct schannel_call_handshake *call = params;
    struct session *session = unixcall_pointer(call->session);
    status_t status = session->failed;
    call->alert = session->failed ? session->alert : CALL_NO_ALERT;
    if (!session->verifying && call->verdict) return SEC_E_INVALID_PARAMETER;
    session->verdict = call->verdict;
    input_set(session, call->input);
    if (!session->failed) status = go_on(session, call);
    if (session->failed) call->alert = session->alert;
    call->event = session->done        ? CALL_EVENT_DONE
                  : session->verifying ? CALL_EVENT_VERIFY
                                       : CALL_EVENT_INPUT;
    call->consumed = session->input.pos;
    transport_send(session, call->output, call->output_room, &call->output_size);
    call->queued = transport_queued(session);
    session->input = (struct reader){0};
    return status;
}

/* ---- afterwards ---- */

static int sequence_set(struct session *session, bool receive, uint64_t sequence)
{
    uint8_t bytes[8];
    sequence_bytes(sequence, bytes);
    return gnutls.record_set_state(session->library, receive, bytes);
}

static bool established_1_3(const struct session *session)
{
    return session->established && !session->failed && session_version(session) == TLS_1_3;
}

status_t post(void *params)
{
    struct schannel_call_post *call = params;
    struct session *session = unixcall_pointer(call->session);
    uint8_t data[1];
    if (!established_1_3(session))
        return error_say(SEC_E_UNSUPPORTED_FUNCTION, call->why, "no session of TLS 1.3");
    int error = sequence_set(session, true, call->receive_sequence);
    if (error) return error_explain(error, call->why);
    input_set(session, call->record);
    ssize_t size = gnutls.record_recv(session->library, data, sizeof(data));
    bool whole = !reader_left(&session->input);
    session->input = (struct reader){0};
    if ((size == GNUTLS_E_AGAIN || size == GNUTLS_E_REAUTH_REQUEST) && whole) return SEC_E_OK;
    if (size >= 0) return error_say(SEC_E_INVALID_TOKEN, call->why, "no handshake record");
    return error_explain((int)size, call->why);
}

/* The message that the library makes of it is the caller's. */
status_t key_update(void *params)
{
    struct schannel_call_key_update *call = params;
    struct session *session = unixcall_pointer(call->session);
    if (!established_1_3(session) || transport_queued(session))
        return error_say(SEC_E_UNSUPPORTED_FUNCTION, call->why, "no session of TLS 1.3");
    int error = gnutls.session_key_update(session->library, 0);
    transport_drop(session);
    return error_explain(error, call->why);
}

/* The application has looked at the certificate, and does not expect another one now. */
static int hold_peer(struct session *session)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = session_peers(session, &count);
    writer_init(&session->held);
    if (chain) writer_bytes(&session->held, chain->data, chain->size);
    return status_ok(writer_status(&session->held)) ? 0 : GNUTLS_E_MEMORY_ERROR;
}

/* In TLS 1.3 the handshake is nothing but the question. */
static int server_ask(struct session *session, uint32_t flags)
{
    bool late = session_version(session) == TLS_1_3;
    if (late || flags & CALL_SESSION_REQUEST_CERTIFICATE)
        gnutls.certificate_server_set_request(session->library, GNUTLS_CERT_REQUEST);
    if (late || !session->done) return 0;
    int error = session_refuse_tickets(session);
    writer_free(&session->held);
    if (error) return error;
    return session->peer_asked ? hold_peer(session) : gnutls.rehandshake(session->library);
}

/* The library puts the ticket of before to what a handshake without one leaves, though it belongs
 * to other keys; and one that is given in another handshake may serve that connection alone, as
 * with the server here. By what it has resumed it does not tell. */
static void keep_ticket(struct session *session)
{
    bool given = gnutls.session_get_flags(session->library) & GNUTLS_SFLAGS_SESSION_TICKET;
    if (given || gnutls.session_is_resumed(session->library)) session->superseded = true;
}

status_t renegotiate(void *params)
{
    struct schannel_call_renegotiate *call = params;
    struct session *session = unixcall_pointer(call->session);
    struct credentials *former = session->credentials;
    bool late = session_version(session) == TLS_1_3;
    int error = 0;
    if (!session->established || session->failed || (late && !session_late_certificate(session)))
        return error_say(SEC_E_UNSUPPORTED_FUNCTION, call->why, "nothing can be negotiated again");
    if (!session_library_records(session)) {
        if (call->send_sequence != CALL_SEQUENCE_KEPT)
            error = sequence_set(session, false, call->send_sequence);
        if (!error && call->receive_sequence != CALL_SEQUENCE_KEPT)
            error = sequence_set(session, true, call->receive_sequence);
    }
    if (!error && call->credentials) {
        status_t status = session_use(session, unixcall_pointer(call->credentials), call->why);
        if (!status_ok(status)) return status;
    }
    if (!error && session->server) error = server_ask(session, call->flags);
    if (error) {
        char unused[CALL_WHY_SIZE];
        if (session->credentials != former) session_use(session, former, unused);
        return error_explain(error, call->why);
    }
    if (session->done) {
        session->begun = false;
        keep_ticket(session);
    }
    session->done = session->peer_asked = false;
    return SEC_E_OK;
}
