/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user half of prov_lsa.dll, see prov_lsa.h: messages, attributes, export and import. A
 * context arrives here through InitUserModeContext, with the bytes that the LSA half gave, or
 * through ImportContext, and then it has no LSA half.
 */
#include "prov_lsa.h"

#include "ssp/message_context.h"

#include <string.h>

static PSECPKG_DLL_FUNCTIONS dll_functions;

static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions,
                                    PVOID *user_functions)
{
    (void)user_functions;
    /* A real provider refuses anything but 1 */
    PROV_EXPECT(version == SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION);
    PROV_EXPECT(functions && functions->AllocateHeap && functions->FreeHeap &&
                functions->RegisterCallback);
    dll_functions = functions;
    return STATUS_SUCCESS;
}

static struct prov_context *context_get(LSA_SEC_HANDLE handle)
{
    struct prov_context *context = (struct prov_context *)handle;
    if (context && context->magic == PROV_CONTEXT_MAGIC && context->user_half) return context;
    prov_fault(__LINE__);
    return NULL;
}

static NTSTATUS NTAPI init_user_context(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    struct prov_context *context = (struct prov_context *)handle;
    /* [D SpInitUserModeContextFn] the same handle value, and the block is the provider's to free */
    if (!context || context->magic != PROV_CONTEXT_MAGIC || context->user_half) {
        prov_fault(__LINE__);
        return STATUS_INVALID_HANDLE;
    }
    bool same = packed && packed->cbBuffer == PROV_CONTEXT_DATA_SIZE &&
                !memcmp(packed->pvBuffer, context->data, PROV_CONTEXT_DATA_SIZE);
    PROV_EXPECT(same);
    if (packed) FreeContextBuffer(packed->pvBuffer);
    if (!same) return STATUS_INVALID_PARAMETER;
    context->user_half = true;
    InterlockedIncrement(&prov_counters.user_contexts);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI delete_user_context(LSA_SEC_HANDLE handle)
{
    struct prov_context *context = context_get(handle);
    if (!context) return STATUS_INVALID_HANDLE;
    InterlockedDecrement(&prov_counters.user_contexts);
    prov_context_drop_half(context, &context->user_half);
    return STATUS_SUCCESS;
}

static SecBuffer *find_token(PSecBufferDesc desc)
{
    for (ULONG i = 0; i < desc->cBuffers; i++)
        if ((desc->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == SECBUFFER_TOKEN)
            return &desc->pBuffers[i];
    return NULL;
}

static uint64_t mix(uint64_t sum, const void *bytes, size_t size)
{
    const uint8_t *next = bytes;
    while (size--) sum = (sum ^ *next++) * 0x100000001b3ull;
    return sum;
}

/* "TSIG", sequence number, checksum over key, direction, number and data buffers. */
static void checksum(const struct prov_context *context, PSecBufferDesc desc, bool from_server,
                     uint32_t sequence, uint8_t signature[PROV_SIGNATURE_SIZE])
{
    uint64_t sum = mix(0xcbf29ce484222325ull, context->key, 16);
    sum = mix(sum, &from_server, 1);
    sum = mix(sum, &sequence, 4);
    for (ULONG i = 0; i < desc->cBuffers; i++)
        if ((desc->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == SECBUFFER_DATA)
            sum = mix(sum, desc->pBuffers[i].pvBuffer, desc->pBuffers[i].cbBuffer);
    memcpy(signature, "TSIG", 4);
    memcpy(signature + 4, &sequence, 4);
    memcpy(signature + 8, &sum, 8);
}

static void scramble(const struct prov_context *context, PSecBufferDesc desc)
{
    for (ULONG i = 0; i < desc->cBuffers; i++) {
        if ((desc->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) != SECBUFFER_DATA) continue;
        uint8_t *bytes = desc->pBuffers[i].pvBuffer;
        for (ULONG j = 0; j < desc->pBuffers[i].cbBuffer; j++)
            bytes[j] ^= (uint8_t)(context->key[j % 16] | 0x80);
    }
}

static void count_inside(void)
{
    LONG inside = InterlockedIncrement(&prov_counters.threads_inside);
    LONG most = prov_counters.threads_inside_most;
    while (inside > most) {
        LONG seen = InterlockedCompareExchange(&prov_counters.threads_inside_most, inside, most);
        if (seen == most) break;
        most = seen;
    }
}

static NTSTATUS NTAPI make_signature(LSA_SEC_HANDLE handle, ULONG quality, PSecBufferDesc desc,
                                     ULONG sequence)
{
    (void)quality;
    struct prov_context *context = context_get(handle);
    if (!context) return STATUS_INVALID_HANDLE;
    SecBuffer *token = find_token(desc);
    if (!token) return SEC_E_INVALID_TOKEN;
    if (token->cbBuffer < PROV_SIGNATURE_SIZE) return SEC_E_BUFFER_TOO_SMALL;
    count_inside();
    /* A sequence number of 0xffffffff asks for a slow signature: somebody may delete meanwhile. */
    if (sequence == 0xffffffff) Sleep(50);
    PROV_EXPECT(context->magic == PROV_CONTEXT_MAGIC && context->user_half);
    checksum(context, desc, context->server, context->sent, token->pvBuffer);
    token->cbBuffer = PROV_SIGNATURE_SIZE;
    context->sent++;
    InterlockedDecrement(&prov_counters.threads_inside);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI verify_signature(LSA_SEC_HANDLE handle, PSecBufferDesc desc, ULONG sequence,
                                       PULONG quality)
{
    (void)sequence, (void)quality;
    struct prov_context *context = context_get(handle);
    if (!context) return STATUS_INVALID_HANDLE;
    SecBuffer *token = find_token(desc);
    uint8_t expected[PROV_SIGNATURE_SIZE];
    if (!token || token->cbBuffer != PROV_SIGNATURE_SIZE) return SEC_E_INVALID_TOKEN;
    checksum(context, desc, !context->server, context->received, expected);
    if (memcmp(expected, token->pvBuffer, PROV_SIGNATURE_SIZE)) return SEC_E_MESSAGE_ALTERED;
    context->received++;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI seal_message(LSA_SEC_HANDLE handle, ULONG quality, PSecBufferDesc desc,
                                   ULONG sequence)
{
    struct prov_context *context = context_get(handle);
    if (!context) return STATUS_INVALID_HANDLE;
    NTSTATUS status = make_signature(handle, quality, desc, sequence);
    if (!status) scramble(context, desc);
    return status;
}

static NTSTATUS NTAPI unseal_message(LSA_SEC_HANDLE handle, PSecBufferDesc desc, ULONG sequence,
                                     PULONG quality)
{
    struct prov_context *context = context_get(handle);
    if (!context) return STATUS_INVALID_HANDLE;
    scramble(context, desc);
    NTSTATUS status = verify_signature(handle, desc, sequence, quality);
    if (status) scramble(context, desc);
    return status;
}

static HANDLE make_token(void)
{
    HANDLE own, made = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_QUERY, &own)) return NULL;
    DuplicateTokenEx(own, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation,
                     TokenImpersonation, &made);
    CloseHandle(own);
    return made;
}

/* The context keeps its token: whoever hosts us duplicates it. */
static NTSTATUS NTAPI get_context_token(LSA_SEC_HANDLE handle, PHANDLE token)
{
    struct prov_context *context = context_get(handle);
    if (!context) return STATUS_INVALID_HANDLE;
    if (!context->token) context->token = make_token();
    *token = context->token;
    return context->token ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

static NTSTATUS NTAPI query_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    static const wchar_t name[] = L"TEST\\user";
    struct prov_context *context = context_get(handle);
    if (!context) return STATUS_INVALID_HANDLE;
    switch (attribute) {
    case SECPKG_ATTR_SIZES:
        *(SecPkgContext_Sizes *)buffer = (SecPkgContext_Sizes){PROV_TOKEN_SIZE, PROV_SIGNATURE_SIZE,
                                                               0, PROV_SIGNATURE_SIZE};
        return STATUS_SUCCESS;
    case SECPKG_ATTR_NAMES: {
        wchar_t *text = dll_functions->AllocateHeap(sizeof(name));
        if (!text) return STATUS_NO_MEMORY;
        memcpy(text, name, sizeof(name));
        ((SecPkgContext_NamesW *)buffer)->sUserName = text;
        return STATUS_SUCCESS;
    }
    case SECPKG_ATTR_FLAGS:
        ((SecPkgContext_Flags *)buffer)->Flags = context->attribute;
        return STATUS_SUCCESS;
    case SECPKG_ATTR_LIFESPAN: /* the LSA half's, while there is one */
        PROV_EXPECT(!context->lsa_half);
        return SEC_E_UNSUPPORTED_FUNCTION;
    case WINESSPI_ATTR_MESSAGE_CONTEXT:
        PROV_EXPECT(!context->lsa_half);
        return prov_message_context(buffer);
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

static NTSTATUS NTAPI complete_auth_token(LSA_SEC_HANDLE handle, PSecBufferDesc desc)
{
    if (!context_get(handle)) return STATUS_INVALID_HANDLE;
    return find_token(desc) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static NTSTATUS NTAPI export_context(LSA_SEC_HANDLE handle, ULONG flags, PSecBuffer packed,
                                     PHANDLE token)
{
    struct prov_context *context = context_get(handle);
    if (!context) return STATUS_INVALID_HANDLE;
    uint8_t *blob = dll_functions->AllocateHeap(PROV_BLOB_SIZE);
    if (!blob) return STATUS_NO_MEMORY;
    if (token) {
        *token = make_token();
        if (!*token) {
            dll_functions->FreeHeap(blob);
            return STATUS_ACCESS_DENIED;
        }
    }
    bool reset = flags & SECPKG_CONTEXT_EXPORT_RESET_NEW;
    uint32_t sent = reset ? 0 : context->sent, received = reset ? 0 : context->received;
    memset(blob, 0, PROV_BLOB_SIZE);
    memcpy(blob, "prov_lsa blob", 14);
    blob[16] = (uint8_t)context->package;
    blob[17] = context->server;
    memcpy(blob + 20, &sent, 4);
    memcpy(blob + 24, &received, 4);
    memcpy(blob + 32, context->key, 16);
    packed->pvBuffer = blob;
    packed->cbBuffer = PROV_BLOB_SIZE;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI export_nothing(LSA_SEC_HANDLE handle, ULONG flags, PSecBuffer packed,
                                     PHANDLE token)
{
    (void)flags, (void)token;
    packed->cbBuffer = 0;
    packed->pvBuffer = NULL;
    return context_get(handle) ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

static NTSTATUS import_context(int package, PSecBuffer packed, PLSA_SEC_HANDLE handle)
{
    const uint8_t *blob = packed->pvBuffer;
    if (packed->cbBuffer != PROV_BLOB_SIZE || memcmp(blob, "prov_lsa blob", 14) ||
        blob[16] != package)
        return SEC_E_INVALID_TOKEN;
    struct prov_context *context = prov_context_make(package, blob[17]);
    if (!context) return STATUS_NO_MEMORY;
    memcpy(&context->sent, blob + 20, 4);
    memcpy(&context->received, blob + 24, 4);
    memcpy(context->key, blob + 32, 16);
    context->user_half = true;
    InterlockedIncrement(&prov_counters.user_contexts);
    *handle = (LSA_SEC_HANDLE)context;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI import_context_0(PSecBuffer packed, HANDLE token, PLSA_SEC_HANDLE handle)
{
    (void)token;
    return import_context(0, packed, handle);
}

static NTSTATUS NTAPI import_context_1(PSecBuffer packed, HANDLE token, PLSA_SEC_HANDLE handle)
{
    (void)token;
    return import_context(1, packed, handle);
}

#define USER_TABLE(export, import)                                                              \
    {                                                                                           \
        .InstanceInit = instance_init, .InitUserModeContext = init_user_context,                \
        .MakeSignature = make_signature, .VerifySignature = verify_signature,                   \
        .SealMessage = seal_message, .UnsealMessage = unseal_message,                           \
        .GetContextToken = get_context_token, .QueryContextAttributes = query_context,          \
        .CompleteAuthToken = complete_auth_token, .DeleteUserModeContext = delete_user_context, \
        .ExportContext = export, .ImportContext = import,                                       \
    }

SECPKG_USER_FUNCTION_TABLE prov_user_tables[PROV_PACKAGES] = {
    USER_TABLE(export_context, import_context_0),
    USER_TABLE(export_context, import_context_1),
    USER_TABLE(export_nothing, NULL),
};

NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count)
{
    PROV_EXPECT(version == SECPKG_INTERFACE_VERSION);
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = prov_user_tables;
    *count = PROV_PACKAGES;
    return STATUS_SUCCESS;
}
