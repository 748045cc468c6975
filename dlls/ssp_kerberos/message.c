/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Message protection over an application's buffers (RFC 4121 4.2, RFC 4757 7, MS-KILE 3.4.5,
 * ssp/message_parts.h). A signature is a MIC token, alone in the TOKEN buffer; a mechListMIC is one
 * like any other. A sealed message is a wrap token: what comes before the data is in the TOKEN
 * buffer and what comes behind it, if anything does, in the PADDING buffer, so that TOKEN, DATA and
 * PADDING one after the other are what GSS_Unwrap takes. A STREAM is what GSS_Wrap makes. Both
 * buffers get the size that is used of them. Messages count themselves: the caller's numbers are
 * not used.
 *
 * Sessions that the library keeps are in message_library.c.
 */
#include "message.h"

#include "ssp/prefix.h"
#include "ssp/trace.h"

TRACE_CHANNEL("kerberos");

/* What is done with a message of this session. */
typedef status_t protect(struct context *context, struct message *message);

struct operation {
    bool sending;
    enum call_protect library; /* the same, by the library */
    protect *carried;
};

/* ---- on sessions of ours ---- */

/* Random bytes that no other message gets. */
static status_t confounder_take(struct context *context, const uint8_t **out)
{
    if (context->random_left < KERBEROS_CONFOUNDER) {
        status_t status = random_bytes(context->random, sizeof(context->random));
        if (!status_ok(status)) return status;
        context->random_left = sizeof(context->random);
    }
    context->random_left -= KERBEROS_CONFOUNDER;
    *out = context->random + context->random_left;
    return SEC_E_OK;
}

static status_t sign_carried(struct context *context, struct message *message)
{
    size_t size;
    status_t status = kerberos_sign(&context->session, message->parts.list, message->parts.count,
                                    message->token->pvBuffer, message->token->cbBuffer, &size);
    if (status_ok(status)) message->token->cbBuffer = (ULONG)size;
    return status;
}

static status_t verify_carried(struct context *context, struct message *message)
{
    const struct slice token = {message->token->pvBuffer, message->token->cbBuffer};
    return kerberos_verify(&context->session, message->parts.list, message->parts.count, token);
}

static struct kerberos_wrapping wrapping_of(const struct message *message)
{
    return (struct kerberos_wrapping){
        .encrypt = message->encrypt,
        .token = message->token->pvBuffer,
        .token_size = message->token->cbBuffer,
        .padding = message->padding ? message->padding->pvBuffer : NULL,
        .padding_size = message->padding ? message->padding->cbBuffer : 0,
    };
}

static status_t seal_carried(struct context *context, struct message *message)
{
    const uint8_t *confounder;
    struct kerberos_wrapping wrapping = wrapping_of(message);
    status_t status = confounder_take(context, &confounder);
    if (!status_ok(status)) return status;
    status = kerberos_wrap(&context->session, confounder, message->parts.list, message->parts.count,
                           &wrapping);
    if (!status_ok(status)) return status;
    message->token->cbBuffer = (ULONG)wrapping.token_size;
    if (message->padding) message->padding->cbBuffer = (ULONG)wrapping.padding_size;
    return SEC_E_OK;
}

static status_t unseal_carried(struct context *context, struct message *message)
{
    struct kerberos_wrapping wrapping = wrapping_of(message);
    status_t status = kerberos_unwrap(&context->session, message->parts.list, message->parts.count,
                                      &wrapping);
    if (status_ok(status)) message->encrypt = wrapping.encrypt;
    return status;
}

static status_t unseal_stream_carried(struct context *context, struct message *message)
{
    struct slice plain;
    const SecBuffer *stream = message->stream.stream;
    status_t status = kerberos_unwrap_stream(&context->session, stream->pvBuffer, stream->cbBuffer,
                                             &message->encrypt, &plain);
    if (status_ok(status)) message_stream_show(&message->stream, plain);
    return status;
}

/* ---- on any session ---- */

static status_t run_locked(struct context *context, const struct operation *operation,
                           struct message *message)
{
    status_t status = context_check_session(context);
    if (!status_ok(status)) return status;
    bool seals = operation->carried == seal_carried && message->encrypt;
    if (seals && !(context->attributes & ISC_RET_CONFIDENTIALITY))
        return SEC_E_UNSUPPORTED_FUNCTION;
    if (context->carried) return operation->carried(context, message);
    return message_library_run(context, operation->library, message);
}

/* The application's buffers are changed under the lock of their direction only, and where a message
 * is refused they are as they were. The library's context is for one thread at a time; whether it
 * has the session is settled when that begins. */
static status_t message_run(struct context *context, const struct operation *operation,
                            struct message *message)
{
    struct lock *direction = operation->sending ? &context->send : &context->receive;
    lock_take(direction);
    bool ours = context->carried || !status_ok(context_check_session(context));
    if (!ours) {
        lock_give(direction);
        context_lock(context);
    }
    status_t status = run_locked(context, operation, message);
    if (ours) lock_give(direction);
    else context_unlock(context);
    if (!status_ok(status))
        WARN("%s: status %#lx\n", operation->sending ? "send" : "receive", (ULONG)status);
    return status;
}

/* A message beside its token. */
static status_t message_run_parts(struct context *context, const struct operation *operation,
                                  const SecBufferDesc *desc, bool mech_list,
                                  struct message *message)
{
    if (!secbuf_valid(desc)) return SEC_E_INVALID_TOKEN;
    status_t status = message_token(desc, &message->token);
    if (!status_ok(status)) return status;
    status = message_parts_collect(desc, mech_list, &message->parts);
    if (!status_ok(status)) return status;
    status = message_run(context, operation, message);
    if (status_ok(status) && !operation->sending)
        message_parts_show(desc, mech_list, &message->parts); /* without padding, if it was there */
    message_parts_close(&message->parts);
    return status;
}

/* One that may be written, with memory. */
static SecBuffer *padding_find(const SecBufferDesc *desc)
{
    SecBuffer *padding = secbuf_find(desc, SECBUFFER_PADDING);
    bool usable = padding && padding->pvBuffer && !(padding->BufferType & SECBUFFER_READONLY);
    return usable ? padding : NULL;
}

/* The quality without encryption is one of EncryptMessage. */
NTSTATUS NTAPI message_sign(LSA_SEC_HANDLE handle, ULONG qop, SecBufferDesc *desc, ULONG sequence)
{
    static const struct operation sign = {true, CALL_SIGN, sign_carried};
    struct message message;
    (void)sequence;
    if (qop == SECQOP_WRAP_NO_ENCRYPT) return SEC_E_INVALID_TOKEN;
    if (qop) return SEC_E_QOP_NOT_SUPPORTED;
    message.padding = NULL;
    message.encrypt = false;
    bool mech_list = secbuf_find(desc, SECBUFFER_MECHLIST);
    return message_run_parts(context_get(handle), &sign, desc, mech_list, &message);
}

NTSTATUS NTAPI message_verify(LSA_SEC_HANDLE handle, SecBufferDesc *desc, ULONG sequence,
                              ULONG *qop)
{
    static const struct operation verify = {false, CALL_VERIFY, verify_carried};
    struct message message;
    (void)sequence;
    (void)qop; /* there is one quality of signatures */
    message.padding = NULL;
    message.encrypt = false;
    bool mech_list = secbuf_find(desc, SECBUFFER_MECHLIST);
    return message_run_parts(context_get(handle), &verify, desc, mech_list, &message);
}

NTSTATUS NTAPI message_seal(LSA_SEC_HANDLE handle, ULONG qop, SecBufferDesc *desc, ULONG sequence)
{
    static const struct operation seal = {true, CALL_WRAP, seal_carried};
    struct message message;
    (void)sequence;
    if (qop && qop != SECQOP_WRAP_NO_ENCRYPT) return SEC_E_QOP_NOT_SUPPORTED;
    message.encrypt = !qop;
    message.padding = padding_find(desc);
    return message_run_parts(context_get(handle), &seal, desc, false, &message);
}

/* The quality tells whether the peer has encrypted. */
NTSTATUS NTAPI message_unseal(LSA_SEC_HANDLE handle, SecBufferDesc *desc, ULONG sequence,
                              ULONG *qop)
{
    static const struct operation unseal = {false, CALL_UNWRAP, unseal_carried},
                                  unseal_stream = {false, CALL_UNWRAP, unseal_stream_carried};
    struct context *context = context_get(handle);
    struct message message;
    status_t status;
    (void)sequence;
    message.encrypt = false;
    message.padding = padding_find(desc);
    message.stream.stream = NULL;
    if (secbuf_find(desc, SECBUFFER_STREAM)) {
        status = message_stream_find(desc, &message.stream);
        if (status_ok(status)) status = message_run(context, &unseal_stream, &message);
    } else {
        status = message_run_parts(context, &unseal, desc, false, &message);
    }
    if (status_ok(status) && qop) *qop = message.encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT;
    return status;
}
