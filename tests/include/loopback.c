/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Client and server in one process, see loopback.h. Tokens are handed over as a program would
 * do it: one SECBUFFER_TOKEN each way, memory of the caller.
 */
#include "loopback.h"

#include "identities.h"

#include <stdio.h>

/* More legs than any package of ours needs; a handshake that goes on longer is a failure. */
#define MAX_ROUNDS 8

void context_forget(CtxtHandle *context)
{
    context->dwLower = context->dwUpper = (ULONG_PTR)-1;
}

bool context_present(const CtxtHandle *context)
{
    return context->dwLower != (ULONG_PTR)-1 || context->dwUpper != (ULONG_PTR)-1;
}

SECURITY_STATUS loopback_open(struct loopback *loop, const wchar_t *package,
                              const struct account *account)
{
    SEC_WINNT_AUTH_IDENTITY_W identity;
    TimeStamp expiry;
    if (account) identity = wide_identity(account->user, account->domain, account->password);

    loop->target = NULL;
    loop->token_size = 0;
    loop->client_flags = SEAL_FLAGS;
    loop->server_flags = SERVER_SEAL_FLAGS;
    loop->client_attrs = loop->server_attrs = 0;
    context_forget(&loop->client);
    context_forget(&loop->server);

    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)package, SECPKG_CRED_OUTBOUND, NULL, account ? &identity : NULL, NULL,
        NULL, &loop->client_cred, &expiry);
    if (status) return status;
    status = AcquireCredentialsHandleW(NULL, (wchar_t *)package, SECPKG_CRED_INBOUND, NULL, NULL,
                                       NULL, NULL, &loop->server_cred, &expiry);
    if (status) FreeCredentialsHandle(&loop->client_cred);
    return status;
}

SECURITY_STATUS loopback_client_leg(struct loopback *loop)
{
    BYTE made[sizeof(loop->token)];
    SecBuffer in = {loop->token_size, SECBUFFER_TOKEN, loop->token};
    SecBuffer out = {sizeof(made), SECBUFFER_TOKEN, made};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    bool first = !context_present(&loop->client);

    SECURITY_STATUS status = InitializeSecurityContextW(
        &loop->client_cred, first ? NULL : &loop->client, (wchar_t *)loop->target,
        loop->client_flags, 0, SECURITY_NATIVE_DREP, first ? NULL : &in_desc, 0, &loop->client,
        &out_desc, &loop->client_attrs, &loop->client_expiry);
    loop->token_size = status < 0 ? 0 : out.cbBuffer;
    memcpy(loop->token, made, loop->token_size);
    return status;
}

SECURITY_STATUS loopback_server_leg(struct loopback *loop)
{
    BYTE made[sizeof(loop->token)];
    SecBuffer in = {loop->token_size, SECBUFFER_TOKEN, loop->token};
    SecBuffer out = {sizeof(made), SECBUFFER_TOKEN, made};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    bool first = !context_present(&loop->server);

    SECURITY_STATUS status = AcceptSecurityContext(
        &loop->server_cred, first ? NULL : &loop->server, &in_desc, loop->server_flags,
        SECURITY_NATIVE_DREP, &loop->server, &out_desc, &loop->server_attrs, &loop->server_expiry);
    loop->token_size = status < 0 ? 0 : out.cbBuffer;
    memcpy(loop->token, made, loop->token_size);
    return status;
}

SECURITY_STATUS loopback_connect(struct loopback *loop)
{
    SECURITY_STATUS client = SEC_I_CONTINUE_NEEDED, server = SEC_I_CONTINUE_NEEDED;
    for (int round = 0; round < MAX_ROUNDS; round++) {
        if (client == SEC_I_CONTINUE_NEEDED) {
            client = loopback_client_leg(loop);
            if (client < 0) return client;
        }
        if (server == SEC_I_CONTINUE_NEEDED) {
            server = loopback_server_leg(loop);
            if (server < 0) return server;
        }
        if (client == SEC_E_OK && server == SEC_E_OK) return SEC_E_OK;
    }
    return SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS loopback_make(struct loopback *loop, const wchar_t *package,
                              const struct account *account)
{
    SECURITY_STATUS status = loopback_open(loop, package, account);
    if (status) return status;
    status = loopback_connect(loop);
    if (status) loopback_close(loop);
    return status;
}

void loopback_close(struct loopback *loop)
{
    if (context_present(&loop->client)) DeleteSecurityContext(&loop->client);
    if (context_present(&loop->server)) DeleteSecurityContext(&loop->server);
    context_forget(&loop->client);
    context_forget(&loop->server);
    FreeCredentialsHandle(&loop->client_cred);
    FreeCredentialsHandle(&loop->server_cred);
}

void message_set(struct message *message, const void *bytes, ULONG size)
{
    memcpy(message->data, bytes, size);
    message->size = size;
    message->token_size = message->padding_size = 0;
}

/* The buffers of a message, with the room or the size that they have; padding where there is
 * any. */
static SecBufferDesc describe(struct message *message, SecBuffer buffers[3], ULONG token_size,
                              ULONG padding_size)
{
    buffers[0] = (SecBuffer){token_size, SECBUFFER_TOKEN, message->token};
    buffers[1] = (SecBuffer){message->size, SECBUFFER_DATA, message->data};
    buffers[2] = (SecBuffer){padding_size, SECBUFFER_PADDING, message->padding};
    return (SecBufferDesc){SECBUFFER_VERSION, padding_size ? 3 : 2, buffers};
}

SECURITY_STATUS message_seal(CtxtHandle *context, struct message *message)
{
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_SIZES, &sizes);
    if (status) return status;
    if (sizes.cbSecurityTrailer > sizeof(message->token) ||
        sizes.cbBlockSize > sizeof(message->padding))
        return SEC_E_BUFFER_TOO_SMALL;
    SecBuffer buffers[3];
    SecBufferDesc desc = describe(message, buffers, sizes.cbSecurityTrailer, sizes.cbBlockSize);
    status = EncryptMessage(context, 0, &desc, 0);
    if (status) return status;
    message->token_size = buffers[0].cbBuffer;
    if (desc.cBuffers == 3) message->padding_size = buffers[2].cbBuffer;
    return status;
}

SECURITY_STATUS message_open(CtxtHandle *context, struct message *message)
{
    SecBuffer buffers[3];
    SecBufferDesc desc = describe(message, buffers, message->token_size, message->padding_size);
    return DecryptMessage(context, &desc, 0, NULL);
}

SECURITY_STATUS message_sign(CtxtHandle *context, struct message *message)
{
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_SIZES, &sizes);
    if (status) return status;
    if (sizes.cbMaxSignature > sizeof(message->token)) return SEC_E_BUFFER_TOO_SMALL;
    SecBuffer buffers[3];
    SecBufferDesc desc = describe(message, buffers, sizes.cbMaxSignature, 0);
    status = MakeSignature(context, 0, &desc, 0);
    if (!status) message->token_size = buffers[0].cbBuffer;
    return status;
}

SECURITY_STATUS message_verify(CtxtHandle *context, struct message *message)
{
    SecBuffer buffers[3];
    SecBufferDesc desc = describe(message, buffers, message->token_size, 0);
    return VerifySignature(context, &desc, 0, NULL);
}

static bool talk_one_way(CtxtHandle *from, CtxtHandle *to, const char *text)
{
    struct message message;
    ULONG size = (ULONG)strlen(text);
    message_set(&message, text, size);
    if (message_seal(from, &message)) return false;
    if (!memcmp(message.data, text, size)) return false;
    if (message_open(to, &message)) return false;
    if (message.size != size || memcmp(message.data, text, size)) return false;

    message_set(&message, text, size);
    if (message_sign(from, &message)) return false;
    return !message_verify(to, &message) && !memcmp(message.data, text, size);
}

bool contexts_talk(CtxtHandle *one, CtxtHandle *other)
{
    return talk_one_way(one, other, "from the one to the other") &&
           talk_one_way(other, one, "and the way back, a little longer");
}

SecBuffer bindings_fill(struct bindings *bindings, const char *text)
{
    ULONG size = (ULONG)strlen(text);
    *bindings = (struct bindings){.head = {.cbApplicationDataLength = size,
                                           .dwApplicationDataOffset = sizeof(bindings->head)}};
    memcpy(bindings->data, text, size);
    return (SecBuffer){(ULONG)sizeof(bindings->head) + size, SECBUFFER_CHANNEL_BINDINGS, bindings};
}

SECURITY_STATUS context_export(CtxtHandle *context, ULONG flags, struct blob *blob, HANDLE *token)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    blob->size = 0;
    SECURITY_STATUS status = ExportSecurityContext(context, flags, &packed, (void **)token);
    if (status) return status;
    blob->type = packed.BufferType;
    if (!packed.pvBuffer || packed.cbBuffer > sizeof(blob->bytes)) return SEC_E_OK;
    memcpy(blob->bytes, packed.pvBuffer, packed.cbBuffer);
    blob->size = packed.cbBuffer;
    FreeContextBuffer(packed.pvBuffer);
    return SEC_E_OK;
}

SECURITY_STATUS context_import(const wchar_t *package, const void *bytes, ULONG size,
                               CtxtHandle *context)
{
    SecBuffer packed = {size, SECBUFFER_TOKEN, (void *)bytes};
    return ImportSecurityContextW((wchar_t *)package, &packed, NULL, context);
}
