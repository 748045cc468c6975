/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The wrapped messages that end SASL's GSSAPI (RFC 4752 3.1, 3.2), made and read as the
 * documentation of SSPI's interoperability with GSSAPI has it: trailer, text and padding in one
 * block. They are to be readable. A package that knows GSS-API's wrapping says so in its
 * capabilities, and leaves the text readable when it is asked to. NTLM's messages have no place to
 * say whether they are, so there GSS-API wraps them as all others (gss-ntlmssp, Exchange).
 */
#include "core/secret.h"
#include "sasl.h"
#include "ssp/secbuf.h"

#define OVERHEAD_MAX 0x10000u
#define MESSAGE_MAX 0x20000u /* far above what the two messages can have */

/* ---- the application's buffers ---- */

struct slice sasl_input(const struct leg *leg)
{
    const SecBuffer *token = secbuf_find(leg->input, SECBUFFER_TOKEN);
    if (!token || !token->pvBuffer) return (struct slice){NULL, 0};
    return (struct slice){token->pvBuffer, token->cbBuffer};
}

status_t sasl_token_open(struct sasl_token *token, const struct leg *leg, ULONG room)
{
    SecBuffer *buffer = secbuf_find(leg->output, SECBUFFER_TOKEN);
    bool allocate = leg->requirements & ISC_REQ_ALLOCATE_MEMORY; /* ASC_REQ_ has the same bit */
    if (!buffer || (!allocate && !buffer->pvBuffer)) return SEC_E_INVALID_TOKEN;
    if (!allocate && leg->given.cbBuffer < room) return SEC_E_BUFFER_TOO_SMALL;
    BYTE *block = HeapAlloc(GetProcessHeap(), 0, room ? room : 1);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    *token = (struct sasl_token){buffer, block, room, 0, allocate};
    return SEC_E_OK;
}

void sasl_token_give(struct sasl_token *token, struct leg *leg)
{
    if (!token->buffer) return;
    token->buffer->cbBuffer = token->size;
    if (token->allocate) {
        token->buffer->pvBuffer = token->block;
        token->block = NULL;
        leg->attributes |= ISC_RET_ALLOCATED_MEMORY;
    } else {
        memcpy(token->buffer->pvBuffer, token->block, token->size);
    }
}

void sasl_token_close(struct sasl_token *token)
{
    HeapFree(GetProcessHeap(), 0, token->block);
}

/* ---- the package's wrapping ---- */

static status_t sizes_get(const struct pinned_context *pinned, SecPkgContext_Sizes *sizes)
{
    status_t status = context_query(pinned, SECPKG_ATTR_SIZES, sizes);
    if (!status_ok(status)) return status;
    bool possible = sizes->cbSecurityTrailer <= OVERHEAD_MAX && sizes->cbBlockSize <= OVERHEAD_MAX;
    return possible ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

status_t sasl_overhead(const struct pinned_context *pinned, ULONG *overhead)
{
    SecPkgContext_Sizes sizes;
    status_t status = sizes_get(pinned, &sizes);
    if (status_ok(status)) *overhead = sizes.cbSecurityTrailer + sizes.cbBlockSize;
    return status;
}

/* Negotiate answers with the package that it chose; who does not answer has no such quality. */
status_t sasl_plain_qop(struct context *context, ULONG *qop)
{
    struct sasl *sasl = context->sasl;
    struct package *package = context->package;
    SecPkgContext_PackageInfoW answer;
    if (!sasl->plain_qop_known && package->ops.query_context) {
        status_t status = package->ops.query_context(package, &context->provider,
                                                     SECPKG_ATTR_PACKAGE_INFO, &answer);
        if (status == SEC_E_INSUFFICIENT_MEMORY) return status;
        if (status_ok(status)) {
            if (answer.PackageInfo->fCapabilities & SECPKG_FLAG_GSS_COMPATIBLE)
                sasl->plain_qop = SECQOP_WRAP_NO_ENCRYPT;
            FreeContextBuffer(answer.PackageInfo);
        }
    }
    InterlockedExchange(&sasl->plain_qop_known, TRUE);
    *qop = sasl->plain_qop;
    return SEC_E_OK;
}

/* The parts stand at their places for the largest trailer; what the package left free is closed. */
static ULONG join_parts(BYTE *block, const SecBuffer parts[3])
{
    ULONG size = parts[0].cbBuffer;
    for (int i = 1; i < 3; i++) {
        memmove(block + size, parts[i].pvBuffer, parts[i].cbBuffer);
        size += parts[i].cbBuffer;
    }
    return size;
}

status_t sasl_wrap(const struct pinned_context *pinned, struct slice text, struct sasl_token *token)
{
    struct package *package = pinned->context->package;
    SecPkgContext_Sizes sizes;
    if (!package->ops.seal_message) return SEC_E_UNSUPPORTED_FUNCTION;
    ULONG qop;
    status_t status = sizes_get(pinned, &sizes);
    if (status_ok(status)) status = sasl_plain_qop(pinned->context, &qop);
    if (!status_ok(status)) return status;
    if (sizes.cbSecurityTrailer + sizes.cbBlockSize + text.size > token->room)
        return SEC_E_BUFFER_TOO_SMALL;

    BYTE *data = token->block + sizes.cbSecurityTrailer;
    SecBuffer parts[] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, token->block},
                         {(ULONG)text.size, SECBUFFER_DATA, data},
                         {sizes.cbBlockSize, SECBUFFER_PADDING, data + text.size}};
    SecBufferDesc desc = {SECBUFFER_VERSION, ARRAYSIZE(parts), parts};
    const SecBuffer given[] = {parts[0], parts[1], parts[2]};
    memcpy(data, text.data, text.size);
    status = package->ops.seal_message(package, &pinned->context->provider, qop, &desc, 0);
    if (!status_ok(status)) return status;
    for (size_t i = 0; i < ARRAYSIZE(parts); i++)
        if (parts[i].cbBuffer > given[i].cbBuffer || parts[i].pvBuffer != given[i].pvBuffer)
            return SEC_E_INTERNAL_ERROR;
    token->size = join_parts(token->block, parts);
    return SEC_E_OK;
}

/* A copy is unwrapped: the application's message stays as it is. */
status_t sasl_unwrap(const struct pinned_context *pinned, struct slice message, BYTE **block,
                     struct slice *text)
{
    struct package *package = pinned->context->package;
    if (!package->ops.unseal_message) return SEC_E_UNSUPPORTED_FUNCTION;
    if (!message.size || message.size > MESSAGE_MAX) return SEC_E_INVALID_TOKEN;
    BYTE *copy = HeapAlloc(GetProcessHeap(), 0, message.size);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, message.data, message.size);
    SecBuffer parts[] = {{(ULONG)message.size, SECBUFFER_STREAM, copy}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, ARRAYSIZE(parts), parts};
    ULONG qop = 0;
    status_t status = package->ops.unseal_message(package, &pinned->context->provider, &desc, 0,
                                                  &qop);
    if (!status_ok(status)) {
        HeapFree(GetProcessHeap(), 0, copy);
        return status;
    }
    *block = copy;
    *text = (struct slice){parts[1].pvBuffer, parts[1].cbBuffer};
    return SEC_E_OK;
}
