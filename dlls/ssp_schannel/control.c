/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ApplyControlToken, and the leg after it. SHUTDOWN and ALERT say what the next leg, which needs
 * no input, is to send (Microsoft: Shutting Down an Schannel Connection); SESSION turns resumption
 * on and off. There is no token for a renegotiation: Windows refuses it too.
 */
#include "schannel_package.h"

#include "ssp/trace.h"

TRACE_CHANNEL("schannel");

/* ---- tokens ---- */

static status_t apply_alert(struct context *context, struct reader *r)
{
    uint32_t level = reader_u32le(r), description = reader_u32le(r);
    if (!reader_ok(r)) return SEC_E_UNSUPPORTED_FUNCTION;
    if ((level != TLS_ALERT_WARNING && level != TLS_ALERT_FATAL) || description > UINT8_MAX)
        return SEC_E_UNSUPPORTED_FUNCTION;
    context->alert[0] = (uint8_t)level;
    context->alert[1] = (uint8_t)description;
    return SEC_E_OK;
}

/* What was kept already is given up with DISABLE. Programs of .NET ask it of a server after the
 * first leg, and go by the status: tickets come behind that. One that has gone out is good; the
 * token is about sessions by their ids only (Microsoft: SCHANNEL_SESSION_TOKEN). */
static status_t apply_session(struct context *context, struct reader *r)
{
    uint32_t flags = reader_u32le(r);
    if (!reader_ok(r)) return SEC_E_UNSUPPORTED_FUNCTION;
    if (flags != SSL_SESSION_ENABLE_RECONNECTS && flags != SSL_SESSION_DISABLE_RECONNECTS)
        return SEC_E_UNSUPPORTED_FUNCTION;
    if (flags == SSL_SESSION_DISABLE_RECONNECTS && context->server &&
        context->stage == STAGE_ESTABLISHED)
        WARN("the tickets have gone out; SCH_CRED_DISABLE_RECONNECTS prevents them\n");
    if (flags == SSL_SESSION_DISABLE_RECONNECTS && context->owner)
        resume_forget_owner(context->owner);
    context->unresumable = flags == SSL_SESSION_DISABLE_RECONNECTS;
    return SEC_E_OK;
}

static status_t apply(struct context *context, const SecBuffer *buffer)
{
    struct reader r;
    reader_init(&r, buffer->pvBuffer, buffer->cbBuffer);
    uint32_t kind = reader_u32le(&r);
    if (!reader_ok(&r)) return SEC_E_UNSUPPORTED_FUNCTION; /* what Windows says */
    if (context->exported) return SEC_E_INVALID_HANDLE;
    TRACE("control token %u\n", (unsigned)kind);
    switch (kind) {
    case SCHANNEL_SHUTDOWN: context->shutdown_wanted = true; return SEC_E_OK;
    case SCHANNEL_ALERT: return apply_alert(context, &r);
    case SCHANNEL_SESSION: return apply_session(context, &r);
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

NTSTATUS NTAPI context_control(LSA_SEC_HANDLE handle, SecBufferDesc *input)
{
    struct context *context = context_get(handle);
    if (!secbuf_valid(input) || input->cBuffers != 1) return SEC_E_INVALID_TOKEN;
    const SecBuffer *buffer = &input->pBuffers[0];
    if (secbuf_type(buffer) != SECBUFFER_TOKEN || !buffer->pvBuffer) return SEC_E_INVALID_TOKEN;
    context_lock(context);
    status_t status = apply(context, buffer);
    context_unlock(context);
    return status;
}

/* ---- the leg ---- */

bool control_pending(const struct context *context)
{
    return context->shutdown_wanted || context->alert[0];
}

static status_t library_seal(struct context *context, struct leg *leg, enum tls_type type,
                             struct slice message)
{
    uint8_t room[TLS_RECORD_HEADER + TLS_FRAGMENT_MAX];
    while (message.size) {
        struct schannel_call_records call = {
            .session = context->library,
            .input = unixcall_slice(message),
            .output = unixcall_address(room),
            .output_room = sizeof(room),
            .type = type,
        };
        /* A record that is made counts, so that there has to be room for it. */
        status_t status = writer_prepare(&leg->reply, sizeof(room));
        if (!status_ok(status)) return status;
        status = library_call(SCHANNEL_CALL_SEND, &call);
        if (!status_ok(status) || !call.consumed) {
            WARN("no record: status %#lx: %s\n", (ULONG)status, call.why);
            return status_ok(status) ? SEC_E_INTERNAL_ERROR : status;
        }
        writer_bytes(&leg->reply, room, (size_t)call.output_size);
        message = slice_rest(message, (size_t)call.consumed);
    }
    return writer_status(&leg->reply);
}

/* Before a client has heard of its server, or a server has a context; the version is that of a
 * first record (RFC 5246 E.1). */
static status_t plain_seal(struct leg *leg, enum tls_type type, struct slice message)
{
    writer_u8(&leg->reply, (uint8_t)type);
    writer_u16be(&leg->reply, TLS_1_0);
    writer_u16be(&leg->reply, (uint16_t)message.size);
    writer_slice(&leg->reply, message);
    return writer_status(&leg->reply);
}

static status_t carried_seal(struct context *context, struct leg *leg, enum tls_type type,
                             struct slice message)
{
    const struct tls_session *session = &context->session;
    size_t header = tls_header_size(session), trailer = tls_trailer_size(session);
    size_t size = header + message.size + trailer;
    if (message.size > TLS_PLAIN_MAX) return SEC_E_INTERNAL_ERROR;
    status_t status = writer_prepare(&leg->reply, size);
    if (!status_ok(status)) return status;
    size_t at = writer_reserve(&leg->reply, size);
    writer_patch_bytes(&leg->reply, at + header, message.data, message.size);
    uint8_t *record = leg->reply.data + at;
    status = tls_record_seal(&context->session, type, record, record + header, message.size,
                             record + header + message.size);
    if (!status_ok(status)) leg->reply.size = at;
    return status;
}

status_t context_seal(struct context *context, struct leg *leg, enum tls_type type,
                      struct slice message)
{
    bool ours = context->stage == STAGE_ESTABLISHED ||
                (context->renegotiating && !context->sent_change);
    bool carried = ours && context->carried;
    if (carried) return carried_seal(context, leg, type, message);
    if (context->stage == STAGE_HANDSHAKE && !context->answered && !context->datagram)
        return plain_seal(leg, type, message);
    return library_seal(context, leg, type, message);
}

void context_tell(struct context *context, struct leg *leg, uint8_t description)
{
    const uint8_t alert[2] = {TLS_ALERT_FATAL, description};
    const struct slice message = {alert, sizeof(alert)};
    if (context) context_seal(context, leg, TLS_ALERT, message);
    else plain_seal(leg, TLS_ALERT, message);
}

/* The input, should there be any, stays the application's. After a fatal alert there is nothing
 * more to be said (RFC 5246 7.2.2); what the peer still has to say may be read after a
 * close_notify. */
status_t control_leg(struct context *context, struct leg *leg)
{
    static const uint8_t close[2] = {TLS_ALERT_WARNING, TLS_CLOSE_NOTIFY};
    struct slice alert = {context->alert[0] ? context->alert : close, sizeof(close)};
    bool fatal = context->alert[0] == TLS_ALERT_FATAL;
    bool closing = !context->alert[0] || context->alert[1] == TLS_CLOSE_NOTIFY;
    status_t status = context_seal(context, leg, TLS_ALERT, alert);
    if (!status_ok(status)) return status;
    if (context->alert[0]) context->alert[0] = 0;
    else context->shutdown_wanted = false;
    if (closing || fatal) context->close_sent = true;
    if (fatal) context_fail(context, SEC_E_CONTEXT_EXPIRED);
    return SEC_E_OK;
}
