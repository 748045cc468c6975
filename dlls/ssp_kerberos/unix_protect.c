/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of contexts that stay with the library, whose encryption type core does not know. What
 * the library encrypts in place it may have changed when it fails: the data is lost then.
 */
#include "unix.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 64u

/* ---- statuses ---- */

static status_t status_of(OM_uint32 major, OM_uint32 minor, char why[CALL_WHY_SIZE])
{
    const OM_uint32 order = GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN | GSS_S_UNSEQ_TOKEN |
                            GSS_S_GAP_TOKEN;
    if (GSS_ERROR(major)) return error_gss(ERROR_OF_INITIATE, major, minor, why);
    if (major & order)
        return error_say(SEC_E_OUT_OF_SEQUENCE, why, "a message that is not the next one");
    return SEC_E_OK;
}

static struct call_buffer *buffer_find(struct call_buffer *buffers, uint32_t count, uint32_t kind)
{
    for (uint32_t i = 0; i < count; i++)
        if (buffers[i].kind == kind) return &buffers[i];
    return NULL;
}

/* ---- signatures ---- */

static bool is_data(const struct call_buffer *buffer)
{
    return buffer->kind == CALL_BUFFER_DATA || buffer->kind == CALL_BUFFER_SIGNED;
}

/* All that is covered in one piece, as the library wants it; the caller frees it. */
static status_t data_join(const struct call_buffer *buffers, uint32_t count, gss_buffer_t out)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        if (is_data(&buffers[i])) size += (size_t)buffers[i].size;
    uint8_t *at = malloc(size ? size : 1);
    if (!at) return SEC_E_INSUFFICIENT_MEMORY;
    *out = (gss_buffer_desc){size, at};
    for (uint32_t i = 0; i < count; i++) {
        if (!is_data(&buffers[i]) || !buffers[i].size) continue;
        memcpy(at, unixcall_pointer(buffers[i].data), (size_t)buffers[i].size);
        at += buffers[i].size;
    }
    return SEC_E_OK;
}

static status_t sign(gss_ctx_id_t context, gss_buffer_t data, struct call_buffer *token,
                     char why[CALL_WHY_SIZE])
{
    gss_buffer_desc made = {0};
    OM_uint32 minor, major = gss.get_mic(&minor, context, GSS_C_QOP_DEFAULT, data, &made);
    status_t status = status_of(major, minor, why);
    if (status_ok(status) && made.length > token->size) status = SEC_E_BUFFER_TOO_SMALL;
    if (status_ok(status)) memcpy(unixcall_pointer(token->data), made.value, made.length);
    if (made.length) token->size = made.length;
    gss.release_buffer(&minor, &made);
    return status;
}

static status_t verify(gss_ctx_id_t context, gss_buffer_t data, const struct call_buffer *token,
                       char why[CALL_WHY_SIZE])
{
    gss_buffer_desc given = {(size_t)token->size, unixcall_pointer(token->data)};
    OM_uint32 minor, major = gss.verify_mic(&minor, context, data, &given, NULL);
    return status_of(major, minor, why);
}

static status_t signature(gss_ctx_id_t context, struct kerberos_call_protect *call)
{
    struct call_buffer *buffers = unixcall_pointer(call->buffers);
    struct call_buffer *token = buffer_find(buffers, call->count, CALL_BUFFER_TOKEN);
    gss_buffer_desc data;
    if (!token) return SEC_E_INVALID_TOKEN;
    status_t status = data_join(buffers, call->count, &data);
    if (!status_ok(status)) return status;
    status = call->operation == CALL_SIGN ? sign(context, &data, token, call->why)
                                          : verify(context, &data, token, call->why);
    secret_free(data.value, data.length);
    return status;
}

/* ---- wrapping ---- */

static status_t parts_of(const struct call_buffer *buffers, uint32_t count,
                         gss_iov_buffer_desc *out)
{
    static const OM_uint32 types[] = {
        [CALL_BUFFER_TOKEN] = GSS_IOV_BUFFER_TYPE_HEADER,
        [CALL_BUFFER_DATA] = GSS_IOV_BUFFER_TYPE_DATA,
        [CALL_BUFFER_SIGNED] = GSS_IOV_BUFFER_TYPE_SIGN_ONLY,
        [CALL_BUFFER_PADDING] = GSS_IOV_BUFFER_TYPE_PADDING,
        [CALL_BUFFER_STREAM] = GSS_IOV_BUFFER_TYPE_STREAM,
    };
    for (uint32_t i = 0; i < count; i++) {
        if (!buffers[i].kind || buffers[i].kind >= sizeof(types) / sizeof(*types))
            return SEC_E_INVALID_PARAMETER;
        out[i] = (gss_iov_buffer_desc){
            types[buffers[i].kind],
            {(size_t)buffers[i].size, unixcall_pointer(buffers[i].data)},
        };
    }
    return SEC_E_OK;
}

static bool is_made(const struct call_buffer *buffer)
{
    return buffer->kind == CALL_BUFFER_TOKEN || buffer->kind == CALL_BUFFER_PADDING;
}

/* What token and padding take. Whether there was room for it. */
static status_t wrap_sizes(gss_ctx_id_t context, struct kerberos_call_protect *call,
                           gss_iov_buffer_desc *parts, bool *fits)
{
    struct call_buffer *buffers = unixcall_pointer(call->buffers);
    gss_iov_buffer_desc asked[PARTS_MAX];
    OM_uint32 minor;
    memcpy(asked, parts, call->count * sizeof(*asked));
    for (uint32_t i = 0; i < call->count; i++)
        if (is_made(&buffers[i])) asked[i].buffer = (gss_buffer_desc){0};
    OM_uint32 major = gss.wrap_iov_length(&minor, context, call->encrypt != 0, GSS_C_QOP_DEFAULT,
                                          NULL, asked, (int)call->count);
    if (GSS_ERROR(major)) return status_of(major, minor, call->why);
    *fits = true;
    for (uint32_t i = 0; i < call->count; i++) {
        if (!is_made(&buffers[i])) continue;
        *fits = *fits && asked[i].buffer.length <= buffers[i].size;
        parts[i].buffer.length = asked[i].buffer.length;
    }
    return SEC_E_OK;
}

static void sizes_tell(struct kerberos_call_protect *call, const gss_iov_buffer_desc *parts)
{
    struct call_buffer *buffers = unixcall_pointer(call->buffers);
    for (uint32_t i = 0; i < call->count; i++)
        if (is_made(&buffers[i])) buffers[i].size = parts[i].buffer.length;
}

static status_t wrap(gss_ctx_id_t context, struct kerberos_call_protect *call,
                     gss_iov_buffer_desc *parts)
{
    const struct call_buffer *token = buffer_find(unixcall_pointer(call->buffers), call->count,
                                                  CALL_BUFFER_TOKEN);
    OM_uint32 minor;
    bool fits = false, asked = token && !token->size;
    status_t status = wrap_sizes(context, call, parts, &fits);
    if (!status_ok(status)) return status;
    if (!fits) {
        sizes_tell(call, parts);
        return asked ? SEC_E_OK : SEC_E_BUFFER_TOO_SMALL;
    }
    OM_uint32 major = gss.wrap_iov(&minor, context, call->encrypt != 0, GSS_C_QOP_DEFAULT, NULL,
                                   parts, (int)call->count);
    status = status_of(major, minor, call->why);
    if (status_ok(status)) sizes_tell(call, parts);
    return status;
}

/* A token in one piece: the library says where in it the data is. */
static void stream_tell(struct kerberos_call_protect *call, const gss_iov_buffer_desc *parts)
{
    struct call_buffer *buffers = unixcall_pointer(call->buffers);
    if (!buffer_find(buffers, call->count, CALL_BUFFER_STREAM)) return;
    for (uint32_t i = 0; i < call->count; i++) {
        if (buffers[i].kind != CALL_BUFFER_DATA) continue;
        buffers[i].data = unixcall_address(parts[i].buffer.value);
        buffers[i].size = parts[i].buffer.length;
    }
}

static status_t unwrap(gss_ctx_id_t context, struct kerberos_call_protect *call,
                       gss_iov_buffer_desc *parts)
{
    int encrypted = 0;
    OM_uint32 minor,
        major = gss.unwrap_iov(&minor, context, &encrypted, NULL, parts, (int)call->count);
    status_t status = status_of(major, minor, call->why);
    if (!status_ok(status)) return status;
    call->encrypt = encrypted != 0;
    stream_tell(call, parts);
    return SEC_E_OK;
}

status_t message_protect(void *params)
{
    struct kerberos_call_protect *call = params;
    const struct context *context = unixcall_pointer(call->context);
    gss_iov_buffer_desc parts[PARTS_MAX];
    if (!context->done || !context->library) return SEC_E_INVALID_HANDLE;
    if (call->count > PARTS_MAX) return SEC_E_INVALID_PARAMETER;
    if (call->operation == CALL_SIGN || call->operation == CALL_VERIFY)
        return signature(context->library, call);
    status_t status = parts_of(unixcall_pointer(call->buffers), call->count, parts);
    if (!status_ok(status)) return status;
    if (call->operation == CALL_WRAP) return wrap(context->library, call, parts);
    if (call->operation == CALL_UNWRAP) return unwrap(context->library, call, parts);
    return SEC_E_INVALID_PARAMETER;
}
