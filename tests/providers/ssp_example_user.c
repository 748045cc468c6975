/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user half of ssp_example: messages, attributes, export and import. It knows of a context what
 * the LSA half has written down for it, and finds it by the LSA's handle.
 */
#include "ssp_example.h"

#include <string.h>

static SECPKG_DLL_FUNCTIONS *dll; /* given to instance_init: memory */

/* What comes in was written by this package, but it is looked at as if it had not been. */
static NTSTATUS session_read(const SecBuffer *in, struct session *session)
{
    const BYTE *from = in->pvBuffer;
    if (!from || in->cbBuffer != SESSION_SIZE || from[0] != SESSION_VERSION || from[1] > 1)
        return SEC_E_INVALID_TOKEN;
    session->server = from[1];
    session->moved = false;
    memcpy(&session->sent, from + 2, 8);
    memcpy(&session->received, from + 10, 8);
    memcpy(session->key, from + 18, MAC);
    memcpy(session->user, from + 18 + MAC, sizeof(session->user));
    return session->user[USER - 1] ? SEC_E_INVALID_TOKEN : STATUS_SUCCESS;
}

/* ---- the contexts ---- */

/* The LSA names a context by its own handle, which is no address in the application. One lock
 * keeps the list and the counters: a context may be used by several threads. */
struct user_context {
    LSA_SEC_HANDLE handle;
    struct session session;
    struct user_context *next;
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct user_context *first_context;

static struct session *session_find(LSA_SEC_HANDLE handle)
{
    struct user_context *at = first_context;
    while (at && at->handle != handle) at = at->next;
    return at ? &at->session : NULL;
}

/* handle 0: a context that has no LSA half is named by its own address. */
static NTSTATUS session_keep(const SecBuffer *packed, LSA_SEC_HANDLE handle, PLSA_SEC_HANDLE out)
{
    struct user_context *made = dll->AllocateHeap(sizeof(*made));
    if (!made) return STATUS_NO_MEMORY;
    NTSTATUS status = session_read(packed, &made->session);
    if (status) {
        dll->FreeHeap(made);
        return status;
    }
    made->handle = handle ? handle : (LSA_SEC_HANDLE)made;
    AcquireSRWLockExclusive(&lock);
    made->next = first_context;
    first_context = made;
    ReleaseSRWLockExclusive(&lock);
    if (out) *out = made->handle;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions,
                                    PVOID *user_functions)
{
    (void)user_functions;
    if (version != SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION) return STATUS_INVALID_PARAMETER;
    dll = functions;
    return crypto_start();
}

static NTSTATUS NTAPI init_user_context(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    NTSTATUS status = session_keep(packed, handle, NULL);
    if (status) return status;
    SecureZeroMemory(packed->pvBuffer, packed->cbBuffer);
    FreeContextBuffer(packed->pvBuffer); /* the copy is ours */
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI delete_user_context(LSA_SEC_HANDLE handle)
{
    AcquireSRWLockExclusive(&lock);
    struct user_context **at = &first_context, *found;
    while (*at && (*at)->handle != handle) at = &(*at)->next;
    found = *at;
    if (found) *at = found->next;
    ReleaseSRWLockExclusive(&lock);
    if (!found) return SEC_E_INVALID_HANDLE;
    SecureZeroMemory(found, sizeof(*found));
    dll->FreeHeap(found);
    return STATUS_SUCCESS;
}

/* ---- messages ---- */

/* The two directions have numbers that never meet: those of the server are odd. */
static void position_write(bool from_server, ULONGLONG number, const char *use, BYTE position[16])
{
    ULONGLONG value = number * 2 + from_server;
    memcpy(position, use, 8);
    memcpy(position + 8, &value, 8);
}

static NTSTATUS signature_make(const struct session *session, const BYTE *position,
                               PSecBufferDesc message, BYTE mac[MAC])
{
    struct part parts[8] = {{position, 16}};
    int count = 1;
    for (ULONG i = 0; i < message->cBuffers; i++) {
        const SecBuffer *buffer = &message->pBuffers[i];
        if ((buffer->BufferType & ~SECBUFFER_ATTRMASK) != SECBUFFER_DATA) continue;
        if (count == 8) return SEC_E_INVALID_TOKEN;
        parts[count++] = (struct part){buffer->pvBuffer, buffer->cbBuffer};
    }
    return mac_make((struct part){session->key, MAC}, parts, count, mac);
}

/* Adds a stream of bytes that follows from the key and the position: the same again takes it off.
 * Buffers marked as read-only are signed and not sealed. */
static NTSTATUS data_mask(const struct session *session, BYTE *position, PSecBufferDesc message)
{
    BYTE block[MAC];
    ULONG used = MAC, number = 0;
    struct part parts[2] = {{position, 16}, {&number, sizeof(number)}};
    for (ULONG i = 0; i < message->cBuffers; i++) {
        const SecBuffer *buffer = &message->pBuffers[i];
        if (buffer->BufferType != SECBUFFER_DATA) continue;
        for (ULONG j = 0; j < buffer->cbBuffer; j++) {
            if (used == MAC) {
                NTSTATUS status = mac_make((struct part){session->key, MAC}, parts, 2, block);
                if (status) return status;
                used = 0;
                number++;
            }
            ((BYTE *)buffer->pvBuffer)[j] ^= block[used++];
        }
    }
    return STATUS_SUCCESS;
}

static NTSTATUS protect_locked(LSA_SEC_HANDLE handle, bool seal, PSecBufferDesc message)
{
    BYTE position[16], mac[MAC];
    struct session *session = session_find(handle);
    SecBuffer *token = buffer_find(message, SECBUFFER_TOKEN);
    if (!session || session->moved) return SEC_E_INVALID_HANDLE;
    if (!token) return SEC_E_INVALID_TOKEN;
    if (token->cbBuffer < SIGNATURE) return SEC_E_BUFFER_TOO_SMALL;
    position_write(session->server, session->sent, seal ? "seal    " : "sign    ", position);
    NTSTATUS status = signature_make(session, position, message, mac);
    if (!status && seal) {
        memcpy(position, "stream  ", 8);
        status = data_mask(session, position, message);
    }
    if (status) return status;
    memcpy(token->pvBuffer, mac, SIGNATURE);
    token->cbBuffer = SIGNATURE;
    session->sent++;
    return STATUS_SUCCESS;
}

/* A message that is not the next one, or was changed, leaves the context as it was. */
static NTSTATUS check_locked(LSA_SEC_HANDLE handle, bool seal, PSecBufferDesc message)
{
    BYTE position[16], mac[MAC];
    struct session *session = session_find(handle);
    SecBuffer *token = buffer_find(message, SECBUFFER_TOKEN);
    if (!session || session->moved) return SEC_E_INVALID_HANDLE;
    if (!token || token->cbBuffer != SIGNATURE) return SEC_E_INVALID_TOKEN;
    position_write(!session->server, session->received, "stream  ", position);
    NTSTATUS status = seal ? data_mask(session, position, message) : STATUS_SUCCESS;
    memcpy(position, seal ? "seal    " : "sign    ", 8);
    if (!status) status = signature_make(session, position, message, mac);
    if (status) return status;
    if (!mac_equal(mac, token->pvBuffer, SIGNATURE)) return SEC_E_MESSAGE_ALTERED;
    session->received++;
    return STATUS_SUCCESS;
}

static NTSTATUS message_call(NTSTATUS (*call)(LSA_SEC_HANDLE, bool, PSecBufferDesc),
                             LSA_SEC_HANDLE handle, bool seal, PSecBufferDesc message)
{
    AcquireSRWLockExclusive(&lock);
    NTSTATUS status = call(handle, seal, message);
    ReleaseSRWLockExclusive(&lock);
    return status;
}

static NTSTATUS NTAPI make_signature(LSA_SEC_HANDLE handle, ULONG quality, PSecBufferDesc message,
                                     ULONG number)
{
    (void)quality, (void)number;
    return message_call(protect_locked, handle, false, message);
}

static NTSTATUS NTAPI seal_message(LSA_SEC_HANDLE handle, ULONG quality, PSecBufferDesc message,
                                   ULONG number)
{
    (void)quality, (void)number;
    return message_call(protect_locked, handle, true, message);
}

static NTSTATUS NTAPI verify_signature(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG number,
                                       PULONG quality)
{
    (void)number;
    if (quality) *quality = 0;
    return message_call(check_locked, handle, false, message);
}

static NTSTATUS NTAPI unseal_message(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG number,
                                     PULONG quality)
{
    (void)number;
    if (quality) *quality = 0;
    return message_call(check_locked, handle, true, message);
}

/* ---- attributes and tokens ---- */

static NTSTATUS NTAPI get_context_token(LSA_SEC_HANDLE handle, PHANDLE token)
{
    (void)handle, (void)token;
    return SEC_E_NO_IMPERSONATION; /* names of this package are no accounts of Windows */
}

/* What the application frees with FreeContextBuffer. */
static void *copy_give(const void *from, size_t size)
{
    void *copy = dll->AllocateHeap((ULONG)size);
    return copy ? memcpy(copy, from, size) : NULL;
}

static NTSTATUS attribute_give(const struct session *session, ULONG attribute, void *out)
{
    void *copy;
    switch (attribute) {
    case SECPKG_ATTR_SIZES:
        *(SecPkgContext_Sizes *)out = (SecPkgContext_Sizes){TOKEN_1, SIGNATURE, 1, SIGNATURE};
        return STATUS_SUCCESS;
    case SECPKG_ATTR_NAMES:
        if (!(copy = copy_give(session->user, sizeof(session->user)))) return STATUS_NO_MEMORY;
        ((SecPkgContext_NamesW *)out)->sUserName = copy;
        return STATUS_SUCCESS;
    case SECPKG_ATTR_SESSION_KEY:
        if (!(copy = copy_give(session->key, MAC))) return STATUS_NO_MEMORY;
        *(SecPkgContext_SessionKey *)out = (SecPkgContext_SessionKey){MAC, copy};
        return STATUS_SUCCESS;
    }
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static NTSTATUS NTAPI query_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID out)
{
    AcquireSRWLockShared(&lock);
    const struct session *session = session_find(handle);
    NTSTATUS status = session ? attribute_give(session, attribute, out) : SEC_E_INVALID_HANDLE;
    ReleaseSRWLockShared(&lock);
    return status;
}

/* ---- moving to another process ---- */

/* The host seals what this returns, deletes the context when DELETE_OLD asks for it, and sees to
 * it that such a blob is imported once. The package stops using it. */
static NTSTATUS NTAPI export_context(LSA_SEC_HANDLE handle, ULONG flags, PSecBuffer packed,
                                     PHANDLE token)
{
    BYTE *blob = dll->AllocateHeap(SESSION_SIZE);
    if (!blob) return STATUS_NO_MEMORY;
    AcquireSRWLockExclusive(&lock);
    struct session *session = session_find(handle);
    bool found = session && !session->moved;
    if (found) {
        struct session copy = *session;
        if (flags & SECPKG_CONTEXT_EXPORT_RESET_NEW) copy.sent = copy.received = 0;
        session_write(&copy, blob);
        session->moved = flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD;
        SecureZeroMemory(&copy, sizeof(copy));
    }
    ReleaseSRWLockExclusive(&lock);
    if (!found) {
        dll->FreeHeap(blob);
        return SEC_E_INVALID_HANDLE;
    }
    *packed = (SecBuffer){SESSION_SIZE, SECBUFFER_TOKEN, blob};
    if (token) *token = NULL;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI import_context(PSecBuffer packed, HANDLE token, PLSA_SEC_HANDLE handle)
{
    (void)token;
    return session_keep(packed, 0, handle);
}

static SECPKG_USER_FUNCTION_TABLE user_table = {
    .InstanceInit = instance_init,
    .InitUserModeContext = init_user_context,
    .MakeSignature = make_signature,
    .VerifySignature = verify_signature,
    .SealMessage = seal_message,
    .UnsealMessage = unseal_message,
    .GetContextToken = get_context_token,
    .QueryContextAttributes = query_context,
    .DeleteUserModeContext = delete_user_context,
    .ExportContext = export_context,
    .ImportContext = import_context,
};

NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count)
{
    if (version < SECPKG_INTERFACE_VERSION) return STATUS_INVALID_PARAMETER;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = &user_table;
    *count = 1;
    return STATUS_SUCCESS;
}
