/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Message protection over an application's buffers (MS-NLMP 3.4, sspi.h). The
 * TOKEN buffer, wherever it stands, is the signature. DATA buffers are covered in their order:
 * READONLY ones not at all, READONLY_WITH_CHECKSUM ones by the signature alone. Other buffers
 * are left alone, padding included, since NTLM pads nothing. For unsealing there is a second
 * form, STREAM and DATA: the signature and what follows it in one block, and where the plain
 * text is then found. Sequence numbers are the session's own; the caller's count in datagram
 * sessions only.
 *
 * A MECHLIST buffer in the place of the DATA makes the signature a mechListMIC of SPNEGO: it
 * counts as a message, and after it the cipher stream of its direction starts anew (MS-SPNG
 * 3.3.5.1), so that what is signed and sealed later does not depend on whether there was one.
 */
#include "ntlm_package.h"

#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <stdlib.h>

TRACE_CHANNEL("ntlm");

#define STACK_PARTS 16u /* more buffers than this cost an allocation */

struct message {
    SecBuffer *token, *stream, *plain; /* stream and plain: the second form */
    uint8_t *signature;                /* in the token or the stream */
    bool mech_list;                    /* covers the mechanism list of SPNEGO */
    uint32_t sequence;                 /* the caller's */
    size_t count;
    struct message_part *parts;
    struct message_part room[STACK_PARTS];
};

/* One of the four operations on a session. */
typedef status_t protect(struct ntlm_session *session, struct message *message);

static void message_close(struct message *message)
{
    if (message->parts != message->room) free(message->parts);
}

/* An empty buffer of any kind covers nothing, so its address does not matter. */
static bool is_covered(const SecBuffer *buffer, bool mech_list)
{
    ULONG type = secbuf_type(buffer);
    if (type != SECBUFFER_DATA && !(mech_list && type == SECBUFFER_MECHLIST)) return false;
    return buffer->cbBuffer && !(buffer->BufferType & SECBUFFER_READONLY);
}

static status_t collect_parts(const SecBufferDesc *desc, struct message *message)
{
    message->parts = message->room;
    if (desc->cBuffers > STACK_PARTS) {
        message->parts = calloc(desc->cBuffers, sizeof(*message->parts));
        if (!message->parts) return SEC_E_INSUFFICIENT_MEMORY;
    }
    for (ULONG i = 0; i < desc->cBuffers; i++) {
        const SecBuffer *buffer = &desc->pBuffers[i];
        if (!is_covered(buffer, message->mech_list)) continue;
        if (!buffer->pvBuffer) {
            message_close(message);
            return SEC_E_INVALID_TOKEN;
        }
        bool sealed = !(buffer->BufferType & SECBUFFER_READONLY_WITH_CHECKSUM);
        message->parts[message->count++] = (struct message_part){buffer->pvBuffer, buffer->cbBuffer,
                                                                 sealed};
    }
    return SEC_E_OK;
}

static status_t open_with_token(const SecBufferDesc *desc, bool sending, struct message *message)
{
    message->token = secbuf_find(desc, SECBUFFER_TOKEN);
    if (!message->token || !message->token->pvBuffer) return SEC_E_INVALID_TOKEN;
    if (message->token->cbBuffer < NTLM_SIGNATURE_SIZE)
        return sending ? SEC_E_BUFFER_TOO_SMALL : SEC_E_INVALID_TOKEN;
    message->signature = message->token->pvBuffer;
    return collect_parts(desc, message);
}

/* The plain text stays where the stream is; the DATA buffer will point to it. */
static status_t open_with_stream(const SecBufferDesc *desc, struct message *message)
{
    SecBuffer *stream = message->stream;
    message->plain = secbuf_find(desc, SECBUFFER_DATA);
    if (!message->plain || !stream->pvBuffer) return SEC_E_INVALID_TOKEN;
    if (stream->cbBuffer < NTLM_SIGNATURE_SIZE) return SEC_E_INVALID_TOKEN;
    message->signature = stream->pvBuffer;
    message->parts = message->room;
    message->parts[0] = (struct message_part){message->signature + NTLM_SIGNATURE_SIZE,
                                              stream->cbBuffer - NTLM_SIGNATURE_SIZE, true};
    message->count = 1;
    return SEC_E_OK;
}

/* Which lock serves a received message is known only once the session is: see struct context. */
static status_t session_lock(struct context *context, bool sending, SRWLOCK **lock)
{
    *lock = sending ? &context->send : &context->receive;
    AcquireSRWLockExclusive(*lock);
    status_t status = context_check_session(context);
    bool shared_stream = !(context->ntlm.session.flags & NTLM_ESS);
    if (status_ok(status) && !sending && shared_stream) {
        ReleaseSRWLockExclusive(*lock);
        *lock = &context->send;
        AcquireSRWLockExclusive(*lock);
        status = context_check_session(context);
    }
    if (!status_ok(status)) ReleaseSRWLockExclusive(*lock);
    return status;
}

/* The application's buffers are changed under the lock of their direction only, and where a
 * message is refused they are as they were. */
static status_t message_run(struct context *context, bool sending, struct message *message,
                            protect *function)
{
    SRWLOCK *lock;
    status_t status = session_lock(context, sending, &lock);
    if (!status_ok(status)) return status;
    status = function(&context->ntlm.session, message);
    ReleaseSRWLockExclusive(lock);
    if (!status_ok(status)) WARN("%s: status %#lx\n", sending ? "send" : "receive", (ULONG)status);
    return status;
}

/* ---- the four operations ---- */

static status_t run_sign(struct ntlm_session *session, struct message *message)
{
    status_t status = ntlm_sign(session, message->sequence, message->parts, message->count,
                                message->signature);
    if (status_ok(status) && message->mech_list) ntlm_session_restart_stream(session, true);
    return status;
}

static status_t run_verify(struct ntlm_session *session, struct message *message)
{
    status_t status = ntlm_verify(session, message->sequence, message->parts, message->count,
                                  message->signature);
    if (status_ok(status) && message->mech_list) ntlm_session_restart_stream(session, false);
    return status;
}

static status_t run_seal(struct ntlm_session *session, struct message *message)
{
    return ntlm_seal(session, message->sequence, message->parts, message->count,
                     message->signature);
}

static status_t run_unseal(struct ntlm_session *session, struct message *message)
{
    return ntlm_unseal(session, message->sequence, message->parts, message->count,
                       message->signature);
}

static void message_init(struct message *message, ULONG sequence)
{
    message->sequence = sequence;
    message->stream = NULL;
    message->mech_list = false;
    message->count = 0;
}

static status_t message_send(struct context *context, SecBufferDesc *desc, struct message *message,
                             protect *function)
{
    if (!secbuf_valid(desc)) return SEC_E_INVALID_TOKEN;
    status_t status = open_with_token(desc, true, message);
    if (!status_ok(status)) return status;
    status = message_run(context, true, message, function);
    if (status_ok(status)) message->token->cbBuffer = NTLM_SIGNATURE_SIZE;
    message_close(message);
    return status;
}

static status_t message_receive(struct context *context, SecBufferDesc *desc,
                                struct message *message, protect *function)
{
    if (!secbuf_valid(desc)) return SEC_E_INVALID_TOKEN;
    status_t status = message->stream ? open_with_stream(desc, message)
                                      : open_with_token(desc, false, message);
    if (!status_ok(status)) return status;
    status = message_run(context, false, message, function);
    if (status_ok(status) && message->stream) {
        message->plain->pvBuffer = message->parts[0].data;
        message->plain->cbBuffer = (ULONG)message->parts[0].size;
    }
    message_close(message);
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
    message.stream = secbuf_find(desc, SECBUFFER_STREAM);
    return message_receive(context_get(handle), desc, &message, run_unseal);
}
