/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of the sessions that the library keeps, because their encryption type is not known to
 * core. One call into the Unix half each. The library works in place and leaves what it refuses as
 * it happens to be then, so a message that is opened is kept until it is known to be good.
 */
#include "message.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("kerberos");

#define ROOM (MESSAGE_STACK_PARTS + 2u) /* the token and the padding beside the parts */

static struct call_buffer buffer_of(const SecBuffer *buffer, uint32_t kind)
{
    return (struct call_buffer){unixcall_address(buffer->pvBuffer), buffer->cbBuffer, kind, 0};
}

/* The token comes first, the padding last. */
static uint32_t buffers_fill(const struct message *message, struct call_buffer *buffers)
{
    const struct message_parts *parts = &message->parts;
    uint32_t count = 0;
    buffers[count++] = buffer_of(message->token, CALL_BUFFER_TOKEN);
    for (size_t i = 0; i < parts->count; i++) {
        const struct message_part *part = &parts->list[i];
        buffers[count++] = (struct call_buffer){
            unixcall_address(part->data), part->size,
            part->sealed ? CALL_BUFFER_DATA : CALL_BUFFER_SIGNED, 0};
    }
    if (message->padding) buffers[count++] = buffer_of(message->padding, CALL_BUFFER_PADDING);
    return count;
}

/* ---- what a refused message was ---- */

static size_t buffers_size(const struct call_buffer *buffers, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) size += buffers[i].data ? (size_t)buffers[i].size : 0;
    return size;
}

/* Between the buffers, whose sizes are those before the call, and a block. */
static void buffers_copy(const struct call_buffer *buffers, uint32_t count, uint8_t *block,
                         bool restore)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t size = buffers[i].data ? (size_t)buffers[i].size : 0;
        void *data = unixcall_pointer(buffers[i].data);
        if (size) memcpy(restore ? data : block, restore ? block : data, size);
        block += size;
    }
}

/* ---- the call ---- */

static status_t library_protect(struct context *context, enum call_protect operation,
                                struct call_buffer *buffers, uint32_t count, bool *encrypt)
{
    struct kerberos_call_protect call = {
        .context = context->library,
        .buffers = unixcall_address(buffers),
        .count = count,
        .operation = operation,
        .encrypt = *encrypt,
    };
    status_t status = library_call(KERBEROS_CALL_PROTECT, &call);
    if (status_ok(status)) *encrypt = call.encrypt;
    else WARN("operation %d: status %#lx: %s\n", operation, (ULONG)status, call.why);
    return status;
}

static status_t library_open(struct context *context, struct call_buffer *buffers, uint32_t count,
                             bool *encrypt)
{
    struct call_buffer before[ROOM], *kept = count > ROOM ? NULL : before;
    size_t size = buffers_size(buffers, count);
    uint8_t *block = malloc(size ? size : 1);
    if (!kept) kept = malloc(count * sizeof(*kept));
    status_t status = block && kept ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    if (!status_ok(status)) goto done;
    memcpy(kept, buffers, count * sizeof(*kept));
    buffers_copy(kept, count, block, false);
    status = library_protect(context, CALL_UNWRAP, buffers, count, encrypt);
    if (!status_ok(status)) buffers_copy(kept, count, block, true);
done:
    secret_free(block, size);
    if (kept != before) free(kept);
    return status;
}

static status_t run_stream(struct context *context, struct message *message)
{
    struct call_buffer buffers[2] = {buffer_of(message->stream.stream, CALL_BUFFER_STREAM),
                                     {.kind = CALL_BUFFER_DATA}};
    status_t status = library_open(context, buffers, 2, &message->encrypt);
    if (!status_ok(status)) return status;
    const struct slice plain = {unixcall_pointer(buffers[1].data), (size_t)buffers[1].size};
    message_stream_show(&message->stream, plain);
    return SEC_E_OK;
}

static status_t run_parts(struct context *context, enum call_protect operation,
                          struct message *message)
{
    struct call_buffer room[ROOM], *buffers = room;
    bool sending = operation == CALL_SIGN || operation == CALL_WRAP;
    /* To the library no room is a question. A signature is counted before its size is known. */
    ULONG least = operation == CALL_SIGN ? LIBRARY_SIGNATURE_MAX : 1;
    if (sending && message->token->cbBuffer < least) return SEC_E_BUFFER_TOO_SMALL;
    if (message->padding && !message->padding->cbBuffer) message->padding = NULL;
    if (message->parts.count > MESSAGE_STACK_PARTS) {
        buffers = malloc((message->parts.count + 2) * sizeof(*buffers));
        if (!buffers) return SEC_E_INSUFFICIENT_MEMORY;
    }
    uint32_t count = buffers_fill(message, buffers);
    status_t status = operation == CALL_UNWRAP
                          ? library_open(context, buffers, count, &message->encrypt)
                          : library_protect(context, operation, buffers, count, &message->encrypt);
    if (status_ok(status) && sending) {
        message->token->cbBuffer = (ULONG)buffers[0].size;
        if (message->padding) message->padding->cbBuffer = (ULONG)buffers[count - 1].size;
    }
    if (buffers != room) free(buffers);
    return status;
}

status_t message_library_run(struct context *context, enum call_protect operation,
                             struct message *message)
{
    if (operation == CALL_UNWRAP && message->stream.stream) return run_stream(context, message);
    return run_parts(context, operation, message);
}
