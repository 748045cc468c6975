/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Message protection over an application's buffers (MS-NLMP 3.4, ssp/message_parts.h). The TOKEN
 * buffer is the signature. Padding is left alone, since NTLM pads nothing. In a STREAM the
 * signature comes first. Sequence numbers are the session's own; the caller's count in datagram
 * sessions only.
 *
 * A MECHLIST buffer in the place of the DATA makes the signature a mechListMIC of SPNEGO: it
 * counts as a message, and after it the cipher stream of its direction starts anew (MS-SPNG
 * 3.3.5.1), so that what is signed and sealed later does not depend on whether there was one.
 */
#include "ntlm_package.h"

#include "ssp/message_parts.h"
#include "ssp/trace.h"

TRACE_CHANNEL("ntlm");

struct message {
    SecBuffer *token;             /* the first form */
    struct message_stream stream; /* the second form, if has_stream */
    bool has_stream;
    uint8_t *signature; /* in the token or the stream */
    bool mech_list;     /* covers the mechanism list of SPNEGO */
    uint32_t sequence;  /* the caller's */
    struct message_parts parts;
};

/* One of the four operations on a session. */
typedef status_t protect(struct ntlm_session *session, struct message *message);

static status_t open_with_token(const SecBufferDesc *desc, bool sending, struct message *message)
{
    status_t status = message_token(desc, &message->token);
    if (!status_ok(status)) return status;
    if (message->token->cbBuffer < NTLM_SIGNATURE_SIZE)
        return sending ? SEC_E_BUFFER_TOO_SMALL : SEC_E_INVALID_TOKEN;
    message->signature = message->token->pvBuffer;
    return message_parts_collect(desc, message->mech_list, &message->parts);
}

/* The plain text stays where the stream is; the DATA buffer will point to it. */
static status_t open_with_stream(const SecBufferDesc *desc, struct message *message)
{
    struct message_parts *parts = &message->parts;
    status_t status = message_stream_find(desc, &message->stream);
    if (!status_ok(status)) return status;
    SecBuffer *stream = message->stream.stream;
    if (stream->cbBuffer < NTLM_SIGNATURE_SIZE) return SEC_E_INVALID_TOKEN;
    message->signature = stream->pvBuffer;
    parts->list = parts->room;
    parts->room[0] = (struct message_part){message->signature + NTLM_SIGNATURE_SIZE,
                                           stream->cbBuffer - NTLM_SIGNATURE_SIZE, true};
    parts->count = 1;
    return SEC_E_OK;
}

/* Which lock serves a received message is known only once the session is: see struct context. */
static status_t session_lock(struct context *context, bool sending, struct lock **lock)
{
    *lock = sending ? &context->send : &context->receive;
    lock_take(*lock);
    status_t status = context_check_session(context);
    bool shared_stream = !(context->ntlm.session.flags & NTLM_ESS);
    if (status_ok(status) && !sending && shared_stream) {
        lock_give(*lock);
        *lock = &context->send;
        lock_take(*lock);
        status = context_check_session(context);
    }
    if (!status_ok(status)) lock_give(*lock);
    return status;
}

/* The application's buffers are changed under the lock of their direction only, and where a
 * message is refused they are as they were. */
static status_t message_run(struct context *context, bool sending, struct message *message,
                            protect *function)
{
    struct lock *lock;
    status_t status = session_lock(context, sending, &lock);
    if (!status_ok(status)) return status;
    status = function(&context->ntlm.session, message);
    lock_give(lock);
    if (!status_ok(status)) WARN("%s: status %#lx\n", sending ? "send" : "receive", (ULONG)status);
    return status;
}

/* ---- the four operations ---- */

static status_t run_sign(struct ntlm_session *session, struct message *message)
{
    status_t status = ntlm_sign(session, message->sequence, message->parts.list,
                                message->parts.count, message->signature);
    if (status_ok(status) && message->mech_list) ntlm_session_restart_stream(session, true);
    return status;
}

static status_t run_verify(struct ntlm_session *session, struct message *message)
{
    status_t status = ntlm_verify(session, message->sequence, message->parts.list,
                                  message->parts.count, message->signature);
    if (status_ok(status) && message->mech_list) ntlm_session_restart_stream(session, false);
    return status;
}

static status_t run_seal(struct ntlm_session *session, struct message *message)
{
    return ntlm_seal(session, message->sequence, message->parts.list, message->parts.count,
                     message->signature);
}

static status_t run_unseal(struct ntlm_session *session, struct message *message)
{
    return ntlm_unseal(session, message->sequence, message->parts.list, message->parts.count,
                       message->signature);
}

static void message_init(struct message *message, ULONG sequence)
{
    message->sequence = sequence;
    message->has_stream = false;
    message->mech_list = false;
}

static status_t message_send(struct context *context, SecBufferDesc *desc, struct message *message,
                             protect *function)
{
    if (!secbuf_valid(desc)) return SEC_E_INVALID_TOKEN;
    status_t status = open_with_token(desc, true, message);
    if (!status_ok(status)) return status;
    status = message_run(context, true, message, function);
    if (status_ok(status)) message->token->cbBuffer = NTLM_SIGNATURE_SIZE;
    message_parts_close(&message->parts);
    return status;
}

static status_t message_receive(struct context *context, SecBufferDesc *desc,
                                struct message *message, protect *function)
{
    if (!secbuf_valid(desc)) return SEC_E_INVALID_TOKEN;
    status_t status = message->has_stream ? open_with_stream(desc, message)
                                          : open_with_token(desc, false, message);
    if (!status_ok(status)) return status;
    status = message_run(context, false, message, function);
    const struct message_part *plain = message->parts.room;
    if (status_ok(status) && message->has_stream)
        message_stream_show(&message->stream, (struct slice){plain->data, plain->size});
    message_parts_close(&message->parts);
    return status;
}

NTSTATUS NTAPI message_sign(LSA_SEC_HANDLE handle, ULONG qop, SecBufferDesc *desc, ULONG sequence)
{
    struct message message;
    message_init(&message, sequence);
    message.mech_list = secbuf_find(desc, SECBUFFER_MECHLIST);
    if (qop) return SEC_E_QOP_NOT_SUPPORTED;
    return message_send(context_get(handle), desc, &message, run_sign);
}

NTSTATUS NTAPI message_verify(LSA_SEC_HANDLE handle, SecBufferDesc *desc, ULONG sequence,
                              ULONG *qop)
{
    (void)qop; /* Windows leaves it as it is */
    struct message message;
    message_init(&message, sequence);
    message.mech_list = secbuf_find(desc, SECBUFFER_MECHLIST);
    return message_receive(context_get(handle), desc, &message, run_verify);
}

/* Sealing without encryption is signing: what NTLM sends for it is a signature and the text. */
NTSTATUS NTAPI message_seal(LSA_SEC_HANDLE handle, ULONG qop, SecBufferDesc *desc, ULONG sequence)
{
    struct message message;
    message_init(&message, sequence);
    if (qop && qop != SECQOP_WRAP_NO_ENCRYPT) return SEC_E_QOP_NOT_SUPPORTED;
    return message_send(context_get(handle), desc, &message, qop ? run_sign : run_seal);
}

NTSTATUS NTAPI message_unseal(LSA_SEC_HANDLE handle, SecBufferDesc *desc, ULONG sequence,
                              ULONG *qop)
{
    (void)qop;
    struct message message;
    message_init(&message, sequence);
    message.has_stream = secbuf_find(desc, SECBUFFER_STREAM);
    return message_receive(context_get(handle), desc, &message, run_unseal);
}
