/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks the buffers of a message; see ssp/message_parts.h. */
#include "ssp/message_parts.h"

#include <stdlib.h>

status_t message_token(const SecBufferDesc *desc, SecBuffer **token)
{
    SecBuffer *found = secbuf_find(desc, SECBUFFER_TOKEN);
    if (!found || !found->pvBuffer) return SEC_E_INVALID_TOKEN;
    *token = found;
    return SEC_E_OK;
}

/* An empty buffer of any kind covers nothing, so its address does not matter. */
static bool is_covered(const SecBuffer *buffer, bool mech_list)
{
    ULONG type = secbuf_type(buffer);
    if (type != SECBUFFER_DATA && !(mech_list && type == SECBUFFER_MECHLIST)) return false;
    return buffer->cbBuffer && !(buffer->BufferType & SECBUFFER_READONLY);
}

status_t message_parts_collect(const SecBufferDesc *desc, bool mech_list,
                               struct message_parts *parts)
{
    parts->count = 0;
    parts->list = parts->room;
    if (desc->cBuffers > MESSAGE_STACK_PARTS) {
        parts->list = calloc(desc->cBuffers, sizeof(*parts->list));
        if (!parts->list) return SEC_E_INSUFFICIENT_MEMORY;
    }
    for (ULONG i = 0; i < desc->cBuffers; i++) {
        const SecBuffer *buffer = &desc->pBuffers[i];
        if (!is_covered(buffer, mech_list)) continue;
        if (!buffer->pvBuffer) {
            message_parts_close(parts);
            return SEC_E_INVALID_TOKEN;
        }
        bool sealed = !(buffer->BufferType & SECBUFFER_READONLY_WITH_CHECKSUM);
        parts->list[parts->count++] = (struct message_part){buffer->pvBuffer, buffer->cbBuffer,
                                                            sealed};
    }
    return SEC_E_OK;
}

void message_parts_close(struct message_parts *parts)
{
    if (parts->list != parts->room) free(parts->list);
}

void message_parts_show(const SecBufferDesc *desc, bool mech_list,
                        const struct message_parts *parts)
{
    const struct message_part *part = parts->list;
    for (ULONG i = 0; i < desc->cBuffers; i++)
        if (is_covered(&desc->pBuffers[i], mech_list))
            desc->pBuffers[i].cbBuffer = (ULONG)(part++)->size;
}

status_t message_stream_find(const SecBufferDesc *desc, struct message_stream *out)
{
    struct message_stream found = {secbuf_find(desc, SECBUFFER_STREAM),
                                   secbuf_find(desc, SECBUFFER_DATA)};
    if (!found.stream || !found.plain || !found.stream->pvBuffer) return SEC_E_INVALID_TOKEN;
    *out = found;
    return SEC_E_OK;
}

void message_stream_show(const struct message_stream *message, struct slice plain)
{
    message->plain->pvBuffer = (void *)plain.data;
    message->plain->cbBuffer = (ULONG)plain.size;
}
