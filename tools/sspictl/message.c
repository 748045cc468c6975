/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See message.h: SECBUFFER_TOKEN and SECBUFFER_DATA, as programs over a socket use them. The token
 * comes first and its length is written down, because only the sender's package knows it.
 */
#include "message.h"

static SECURITY_STATUS message_protect(CtxtHandle *context, ULONG token_max, bool seal,
                                       struct slice plain, struct writer *out)
{
    if (plain.size > UINT32_MAX || token_max > UINT16_MAX) return SEC_E_INVALID_PARAMETER;
    /* The token turns out shorter than its maximum with some packages: it is made apart. */
    struct writer token, data;
    writer_init(&token);
    writer_init(&data);
    writer_zero(&token, token_max);
    writer_slice(&data, plain);
    SECURITY_STATUS status = writer_status(&token);
    if (status == SEC_E_OK) status = writer_status(&data);
    if (status != SEC_E_OK) goto done;
    SecBuffer buffers[2] = {{token_max, SECBUFFER_TOKEN, token.data},
                            {(ULONG)plain.size, SECBUFFER_DATA, data.data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    status = seal ? EncryptMessage(context, 0, &message, 0)
                  : MakeSignature(context, 0, &message, 0);
    if (status != SEC_E_OK) goto done;
    writer_u16le(out, (uint16_t)buffers[0].cbBuffer);
    writer_bytes(out, token.data, buffers[0].cbBuffer);
    writer_bytes(out, data.data, buffers[1].cbBuffer);
    status = writer_status(out);
done:
    writer_free(&token);
    writer_free(&data);
    return status;
}

SECURITY_STATUS message_seal(CtxtHandle *context, const SecPkgContext_Sizes *sizes,
                             struct slice plain, struct writer *out)
{
    if (sizes->cbBlockSize > 1) return SEC_E_UNSUPPORTED_FUNCTION;
    return message_protect(context, sizes->cbSecurityTrailer, true, plain, out);
}

SECURITY_STATUS message_sign(CtxtHandle *context, const SecPkgContext_Sizes *sizes,
                             struct slice plain, struct writer *out)
{
    return message_protect(context, sizes->cbMaxSignature, false, plain, out);
}

static SECURITY_STATUS message_check(CtxtHandle *context, bool sealed, uint8_t *message,
                                     size_t size, struct slice *plain)
{
    struct reader r;
    reader_init(&r, message, size);
    size_t token_size = reader_u16le(&r);
    reader_skip(&r, token_size);
    /* An empty message is a message: its token alone is checked. */
    if (!reader_ok(&r) || size > UINT32_MAX) return SEC_E_INVALID_TOKEN;
    uint8_t *token = message + 2, *data = token + token_size;
    size_t data_size = reader_left(&r);
    SecBuffer buffers[2] = {{(ULONG)token_size, SECBUFFER_TOKEN, token},
                            {(ULONG)data_size, SECBUFFER_DATA, data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    ULONG quality;
    SECURITY_STATUS status = sealed ? DecryptMessage(context, &desc, 0, &quality)
                                    : VerifySignature(context, &desc, 0, &quality);
    if (status != SEC_E_OK) return status;
    *plain = (struct slice){buffers[1].pvBuffer, buffers[1].cbBuffer};
    return SEC_E_OK;
}

SECURITY_STATUS message_open(CtxtHandle *context, uint8_t *message, size_t size,
                             struct slice *plain)
{
    return message_check(context, true, message, size, plain);
}

SECURITY_STATUS message_verify(CtxtHandle *context, uint8_t *message, size_t size,
                               struct slice *plain)
{
    return message_check(context, false, message, size, plain);
}
