/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A certificate that a server of TLS 1.3 asks for after the handshake, and that a client shows
 * which has offered it (RFC 8446 4.6.2, 4.2.6). The library of the host makes and reads these
 * messages, because they count in the handshake as if they belonged to it. All else goes on in
 * between, so the library is told how many records there were, and of new keys.
 *
 * A server's application begins by a leg without input, and is sent to another one when the answer
 * is there (DecryptMessage: SEC_I_RENEGOTIATE), as for another handshake of TLS 1.2. A client's is
 * sent to the leg that answers.
 */
#include "schannel_package.h"

#include "ssp/trace.h"

TRACE_CHANNEL("schannel");

static const struct slice nothing = {NULL, 0};

bool late_possible(const struct context *context)
{
    return context->library && context->carried && context->version >= TLS_1_3 &&
           context->late_certificate && context->credential && context->credential->renegotiates;
}

/* ---- what the library is told ---- */

status_t late_post(const struct context *context, struct slice record, uint64_t sequence)
{
    struct schannel_call_post call = {.session = context->library,
                                      .record = unixcall_slice(record),
                                      .receive_sequence = sequence};
    status_t status = library_call(SCHANNEL_CALL_POST, &call);
    if (!status_ok(status))
        WARN("the library takes no message any more: %#lx: %s\n", (ULONG)status, call.why);
    return status;
}

status_t late_key_update(const struct context *context)
{
    struct schannel_call_key_update call = {.session = context->library};
    status_t status = library_call(SCHANNEL_CALL_KEY_UPDATE, &call);
    if (!status_ok(status)) WARN("no new keys: %#lx: %s\n", (ULONG)status, call.why);
    return status;
}

/* ---- the server ---- */

status_t late_ask(struct context *context, struct leg *leg)
{
    uint32_t event;
    status_t status = renegotiation_tell(context, leg, 0, context->session.receive.sequence);
    if (status_ok(status)) status = renegotiation_step(context, leg, nothing, &event);
    context->certificate_awaited = status_ok(status);
    return status;
}

status_t late_take(struct context *context, struct leg *leg, struct slice record, uint64_t sequence)
{
    uint32_t event;
    const size_t consumed = leg->consumed;
    status_t status = renegotiation_tell(context, leg, 0, sequence);
    if (status_ok(status)) status = renegotiation_step(context, leg, record, &event);
    leg->consumed = consumed; /* it counts with the leg's own */
    if (!status_ok(status) && context->connection.peer_chain.size)
        WARN("a client that has shown a certificate can show another one, but not none\n");
    if (!status_ok(status) || event != CALL_EVENT_DONE) return status;
    context->certificate_awaited = false;
    return context_take_chains(context);
}

/* ---- the client ---- */

status_t late_show(struct context *context, struct leg *leg)
{
    uint32_t event;
    status_t status = renegotiation_prepare(context, leg);
    if (status_ok(status)) status = renegotiation_step(context, leg, nothing, &event);
    if (!status_ok(status)) return status;
    TRACE("the server has asked for a certificate\n");
    return context_take_chains(context);
}
