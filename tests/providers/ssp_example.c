/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An example to start from: a security package (SSP/AP) in two files, made with nothing but the
 * headers of the Windows SDK. dlls/PROVIDERS.md explains how it is built, registered and checked.
 *
 * Package "Example" knows one secret, the password of both sides' credentials. The client sends its
 * name, a random number and a proof (token 1), the server answers with its own number and a proof
 * (token 2); the key of the session follows from the secret and both numbers.
 * Messages are signed and sealed with HMAC-SHA256. It is short rather than strong: whoever sends
 * token 1 a second time is let in, although without the key.
 *
 * A package has two halves. The LSA half, in this file, makes contexts; on Windows it runs in the
 * LSA's process. The user half (ssp_example_user.c) runs with the application, protects messages
 * and can move a context to another process. What the one tells the other is what it would export,
 * too: struct session, written down.
 */
#include "ssp_example.h"

#include <string.h>

static const TimeStamp never = {.QuadPart = 0x7fffff3646800000};

/* ---- what both halves use ---- */

static BCRYPT_ALG_HANDLE hmac;

/* Not in DllMain, where little is allowed. */
NTSTATUS crypto_start(void)
{
    BCRYPT_ALG_HANDLE made;
    if (hmac) return STATUS_SUCCESS;
    NTSTATUS status = BCryptOpenAlgorithmProvider(&made, BCRYPT_SHA256_ALGORITHM, NULL,
                                                  BCRYPT_ALG_HANDLE_HMAC_FLAG);
    if (!status) hmac = made;
    return status;
}

NTSTATUS mac_make(struct part key, const struct part *parts, int count, BYTE mac[MAC])
{
    BCRYPT_HASH_HANDLE hash;
    NTSTATUS status = BCryptCreateHash(hmac, &hash, NULL, 0, (BYTE *)key.data, key.size, 0);
    if (status) return status;
    for (int i = 0; !status && i < count; i++)
        status = BCryptHashData(hash, (BYTE *)parts[i].data, parts[i].size, 0);
    if (!status) status = BCryptFinishHash(hash, mac, MAC, 0);
    BCryptDestroyHash(hash);
    return status;
}

bool mac_equal(const BYTE *one, const BYTE *other, int size)
{
    BYTE difference = 0;
    for (int i = 0; i < size; i++) difference |= one[i] ^ other[i];
    return !difference;
}

/* Byte by byte, so that a 32-bit process can read what a 64-bit process wrote. */
void session_write(const struct session *session, BYTE *out)
{
    *out++ = SESSION_VERSION;
    *out++ = session->server;
    memcpy(out, &session->sent, 8); /* Windows is little endian */
    memcpy(out + 8, &session->received, 8);
    memcpy(out + 16, session->key, MAC);
    memcpy(out + 16 + MAC, session->user, sizeof(session->user));
}

SecBuffer *buffer_find(PSecBufferDesc buffers, ULONG type)
{
    for (ULONG i = 0; buffers && i < buffers->cBuffers; i++)
        if ((buffers->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == type)
            return &buffers->pBuffers[i];
    return NULL;
}

/* ---- the LSA half ---- */

static LSA_SECPKG_FUNCTION_TABLE *lsa; /* given to initialize: memory, and the client's memory */

struct credential {
    WCHAR user[USER], secret[SECRET];
    ULONG secret_size;
};

struct context {
    bool done;
    struct credential credential; /* its own copy: the handle may be freed before the second leg */
    BYTE number[NUMBER];
    struct session session;
};

static NTSTATUS NTAPI initialize(ULONG_PTR id, PSECPKG_PARAMETERS parameters,
                                 PLSA_SECPKG_FUNCTION_TABLE functions)
{
    (void)id, (void)parameters;
    lsa = functions;
    return crypto_start();
}

static NTSTATUS NTAPI get_info(PSecPkgInfo out)
{
    SecPkgInfoW *info = (SecPkgInfoW *)out; /* wide, whatever UNICODE says */
    info->fCapabilities = SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_CONNECTION |
                          SECPKG_FLAG_MULTI_REQUIRED;
    info->wVersion = 1;
    info->wRPCID = 0xffff; /* none: those that there are belong to Microsoft */
    info->cbMaxToken = TOKEN_1;
    info->Name = (WCHAR *)L"Example";
    info->Comment = (WCHAR *)L"An example of a security package";
    return STATUS_SUCCESS;
}

/* Text of the client's, which is somewhere in the client's memory. */
static NTSTATUS text_fetch(const void *client, ULONG characters, WCHAR *out, ULONG capacity)
{
    if (characters >= capacity) return SEC_E_UNKNOWN_CREDENTIALS;
    if (!client || !characters) return STATUS_SUCCESS;
    return lsa->CopyFromClientBuffer(NULL, characters * sizeof(WCHAR), out, (void *)client);
}

/* An identity in the client's memory. A package that wants to be used by A functions, or by a
 * 32-bit client of a 64-bit LSA, looks at the Flags and at GetCallInfo first. */
static NTSTATUS identity_fetch(void *client, struct credential *credential)
{
    SEC_WINNT_AUTH_IDENTITY_W identity;
    NTSTATUS status = lsa->CopyFromClientBuffer(NULL, sizeof(identity), &identity, client);
    if (status) return status;
    if (identity.Flags != SEC_WINNT_AUTH_IDENTITY_UNICODE) return SEC_E_UNKNOWN_CREDENTIALS;
    credential->secret_size = identity.PasswordLength * (ULONG)sizeof(WCHAR);
    status = text_fetch(identity.User, identity.UserLength, credential->user, USER);
    if (status) return status;
    return text_fetch(identity.Password, identity.PasswordLength, credential->secret, SECRET);
}

/* Without an identity: the user of the machine, and the secret that an administrator wrote down. */
static NTSTATUS default_fetch(struct credential *credential)
{
    DWORD size = sizeof(credential->secret), length = USER;
    if (RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Example", L"Secret",
                     RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, credential->secret, &size) ||
        size < sizeof(WCHAR))
        return SEC_E_NO_CREDENTIALS;
    credential->secret_size = size - sizeof(WCHAR); /* without the terminator */
    return GetUserNameW(credential->user, &length) ? STATUS_SUCCESS : SEC_E_NO_CREDENTIALS;
}

static NTSTATUS NTAPI free_credentials(LSA_SEC_HANDLE handle)
{
    SecureZeroMemory((void *)handle, sizeof(struct credential));
    lsa->FreeLsaHeap((void *)handle);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI acquire(PUNICODE_STRING principal, ULONG use, PLUID logon_id, PVOID auth_data,
                              PVOID get_key, PVOID get_key_argument, PLSA_SEC_HANDLE handle,
                              PTimeStamp expiry)
{
    (void)principal, (void)use, (void)logon_id, (void)get_key, (void)get_key_argument;
    struct credential *made = lsa->AllocateLsaHeap(sizeof(*made)); /* zeros */
    if (!made) return STATUS_NO_MEMORY;
    NTSTATUS status = auth_data ? identity_fetch(auth_data, made) : default_fetch(made);
    if (status) {
        free_credentials((LSA_SEC_HANDLE)made);
        return status;
    }
    *handle = (LSA_SEC_HANDLE)made; /* written last: a call that fails leaves nothing behind */
    *expiry = never;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI delete_context(LSA_SEC_HANDLE handle)
{
    SecureZeroMemory((void *)handle, sizeof(struct context));
    lsa->FreeLsaHeap((void *)handle);
    return STATUS_SUCCESS;
}

static NTSTATUS token_fetch(PSecBufferDesc input, BYTE *token, ULONG size, const char *magic)
{
    SecBuffer *buffer = buffer_find(input, SECBUFFER_TOKEN);
    if (!buffer || buffer->cbBuffer != size) return SEC_E_INVALID_TOKEN;
    NTSTATUS status = lsa->CopyFromClientBuffer(NULL, size, token, buffer->pvBuffer);
    if (status) return status;
    return memcmp(token, magic, 4) ? SEC_E_INVALID_TOKEN : STATUS_SUCCESS;
}

/* With ..._REQ_ALLOCATE_MEMORY, which is one bit for both sides, the room is made here. */
static NTSTATUS token_give(PSecBufferDesc output, const BYTE *token, ULONG size, bool allocate)
{
    SecBuffer *buffer = buffer_find(output, SECBUFFER_TOKEN);
    void *room = NULL;
    if (!buffer || (!allocate && buffer->cbBuffer < size)) return SEC_E_BUFFER_TOO_SMALL;
    NTSTATUS status = allocate ? lsa->AllocateClientBuffer(NULL, size, &room) : STATUS_SUCCESS;
    if (!allocate) room = buffer->pvBuffer;
    if (!status) status = lsa->CopyToClientBuffer(NULL, size, room, (void *)token);
    if (status) return status;
    buffer->pvBuffer = room;
    buffer->cbBuffer = size;
    return STATUS_SUCCESS;
}

/* The last thing of a handshake: the LSA hands this to the user half, and frees it. */
static NTSTATUS session_map(const struct session *session, PBOOLEAN mapped, PSecBuffer data)
{
    data->pvBuffer = lsa->AllocateLsaHeap(SESSION_SIZE);
    if (!data->pvBuffer) return STATUS_NO_MEMORY;
    session_write(session, data->pvBuffer);
    data->cbBuffer = SESSION_SIZE;
    *mapped = TRUE;
    return STATUS_SUCCESS;
}

static NTSTATUS key_make(struct context *context, const BYTE *client, const BYTE *server)
{
    const struct credential *own = &context->credential;
    struct part parts[2] = {{client, NUMBER}, {server, NUMBER}};
    return mac_make((struct part){own->secret, own->secret_size}, parts, 2, context->session.key);
}

static struct context *context_make(LSA_SEC_HANDLE credential, bool server)
{
    struct context *context = lsa->AllocateLsaHeap(sizeof(*context));
    if (!context) return NULL;
    context->credential = *(const struct credential *)credential;
    context->session.server = server;
    if (!BCryptGenRandom(NULL, context->number, NUMBER, BCRYPT_USE_SYSTEM_PREFERRED_RNG))
        return context;
    delete_context((LSA_SEC_HANDLE)context);
    return NULL;
}

static NTSTATUS client_first(struct context *context, PSecBufferDesc output, bool allocate)
{
    BYTE token[TOKEN_1] = "EXA1";
    struct part signed_part = {token, TOKEN_1 - MAC};
    memcpy(token + 4, context->credential.user, USER * sizeof(WCHAR));
    memcpy(token + 4 + USER * sizeof(WCHAR), context->number, NUMBER);
    struct part secret = {context->credential.secret, context->credential.secret_size};
    NTSTATUS status = mac_make(secret, &signed_part, 1, token + TOKEN_1 - MAC);
    if (!status) status = token_give(output, token, TOKEN_1, allocate);
    return status ? status : SEC_I_CONTINUE_NEEDED;
}

static NTSTATUS client_second(struct context *context, PSecBufferDesc input, PSecBufferDesc output,
                              PBOOLEAN mapped, PSecBuffer data)
{
    BYTE token[TOKEN_2], mac[MAC];
    struct part signed_part = {token, TOKEN_2 - MAC};
    if (context->done) return SEC_E_OUT_OF_SEQUENCE;
    NTSTATUS status = token_fetch(input, token, TOKEN_2, "EXA2");
    if (!status) status = key_make(context, context->number, token + 4);
    if (status) return status;
    status = mac_make((struct part){context->session.key, MAC}, &signed_part, 1, mac);
    if (status) return status;
    if (!mac_equal(mac, token + TOKEN_2 - MAC, MAC)) return SEC_E_LOGON_DENIED;
    status = session_map(&context->session, mapped, data);
    if (status) return status;
    SecBuffer *nothing = buffer_find(output, SECBUFFER_TOKEN);
    if (nothing) nothing->cbBuffer = 0;
    context->done = true;
    return SEC_E_OK;
}

static NTSTATUS server_only(struct context *context, PSecBufferDesc input, PSecBufferDesc output,
                            bool allocate, PBOOLEAN mapped, PSecBuffer data)
{
    BYTE first[TOKEN_1], answer[TOKEN_2] = "EXA2", mac[MAC];
    struct part signed_part = {first, TOKEN_1 - MAC}, answer_part = {answer, TOKEN_2 - MAC};
    struct part secret = {context->credential.secret, context->credential.secret_size};
    NTSTATUS status = token_fetch(input, first, TOKEN_1, "EXA1");
    if (!status) status = mac_make(secret, &signed_part, 1, mac);
    if (status) return status;
    if (!mac_equal(mac, first + TOKEN_1 - MAC, MAC)) return SEC_E_LOGON_DENIED;
    memcpy(context->session.user, first + 4, (USER - 1) * sizeof(WCHAR));
    memcpy(answer + 4, context->number, NUMBER);
    status = key_make(context, first + 4 + USER * sizeof(WCHAR), context->number);
    if (!status)
        status = mac_make((struct part){context->session.key, MAC}, &answer_part, 1,
                          answer + TOKEN_2 - MAC);
    if (!status) status = token_give(output, answer, TOKEN_2, allocate);
    if (!status) status = session_map(&context->session, mapped, data);
    context->done = true;
    return status;
}

/* What every leg is told besides its tokens. A context that failed on its first leg is deleted by
 * the package, one that failed later by the application. */
static NTSTATUS leg_end(NTSTATUS status, struct context *context, bool first, ULONG requirements,
                        PLSA_SEC_HANDLE new_handle, PULONG attributes, PTimeStamp expiry)
{
    const ULONG given = ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT |
                        ISC_REQ_SEQUENCE_DETECT | ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONNECTION;
    if (status < 0) {
        if (first) delete_context((LSA_SEC_HANDLE)context);
        return status;
    }
    *new_handle = (LSA_SEC_HANDLE)context;
    *attributes = (requirements & given) |
                  (context->session.server ? ASC_RET_INTEGRITY : ISC_RET_INTEGRITY);
    *expiry = never;
    return status;
}

static NTSTATUS NTAPI init_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                   PUNICODE_STRING target, ULONG requirements, ULONG data_rep,
                                   PSecBufferDesc input, PLSA_SEC_HANDLE new_handle,
                                   PSecBufferDesc output, PULONG attributes, PTimeStamp expiry,
                                   PBOOLEAN mapped, PSecBuffer data)
{
    (void)target, (void)data_rep;
    struct context *context = (struct context *)handle;
    if (!handle && !(context = context_make(credential, false))) return STATUS_NO_MEMORY;
    NTSTATUS status = handle
                          ? client_second(context, input, output, mapped, data)
                          : client_first(context, output, requirements & ISC_REQ_ALLOCATE_MEMORY);
    return leg_end(status, context, !handle, requirements, new_handle, attributes, expiry);
}

static NTSTATUS NTAPI accept_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                     PSecBufferDesc input, ULONG requirements, ULONG data_rep,
                                     PLSA_SEC_HANDLE new_handle, PSecBufferDesc output,
                                     PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped,
                                     PSecBuffer data)
{
    (void)data_rep;
    if (handle) return SEC_E_OUT_OF_SEQUENCE; /* the server is done with its first leg */
    struct context *context = context_make(credential, true);
    if (!context) return STATUS_NO_MEMORY;
    NTSTATUS status = server_only(context, input, output, requirements & ASC_REQ_ALLOCATE_MEMORY,
                                  mapped, data);
    return leg_end(status, context, true, requirements, new_handle, attributes, expiry);
}

/* Members that are left out are NULL, and what needs them is SEC_E_UNSUPPORTED_FUNCTION. */
static SECPKG_FUNCTION_TABLE lsa_table = {
    .Initialize = initialize,
    .GetInfo = get_info,
    .AcquireCredentialsHandle = acquire,
    .FreeCredentialsHandle = free_credentials,
    .InitLsaModeContext = init_context,
    .AcceptLsaModeContext = accept_context,
    .DeleteContext = delete_context,
};

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count)
{
    if (version < SECPKG_INTERFACE_VERSION) return STATUS_INVALID_PARAMETER;
    *package_version = SECPKG_INTERFACE_VERSION; /* where the table above ends */
    *tables = &lsa_table;
    *count = 1;
    return STATUS_SUCCESS;
}
