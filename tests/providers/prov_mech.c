/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* prov_mech.dll, see prov_mech.h. A token is a GSS-API frame (RFC 2743 3.1) around its payload. */
#include "prov_mech.h"

#include "core/crypto.h"
#include "core/der.h"
#include "core/secret.h"

#include <string.h>
#include <wchar.h>

#define CONTEXT_MAGIC 0x4843454du
#define PARTS_MAX 8

enum half { HALF_LSA = 1, HALF_USER = 2 };

/* What the target asks for; it travels in the token. */
enum behaviour { USUAL = 'n', UNKNOWN = 'k', UNUSABLE = 'u', DENY = 'd', PLAIN = 'p', HUGE = 'h' };

struct mech_context {
    uint32_t magic;
    LONG halves;
    bool server, done;
    uint8_t behaviour, key[16];
    uint32_t sent, received;
};

static struct mech_counters counters;
static PLSA_SECPKG_FUNCTION_TABLE lsa;

struct mech_counters *WINAPI mech_counters_get(void)
{
    return &counters;
}

/* ---- the package and its credentials ---- */

static SecPkgInfoW description = {
    .fCapabilities = SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_CONNECTION |
                     SECPKG_FLAG_NEGOTIABLE,
    .wVersion = 1,
    .wRPCID = SECPKG_ID_NONE,
    .cbMaxToken = MECH_HUGE + 100,
    .Name = (wchar_t *)MECH_PACKAGE,
    .Comment = (wchar_t *)L"Test mechanism",
};

/* The package's name where it goes by that of the module. */
static const wchar_t *own_name(void)
{
    static wchar_t numbered[] = MECH_PACKAGE L"?";
    static const wchar_t prefix[] = MECH_NUMBERED_MODULE;
    const size_t length_of_prefix = ARRAYSIZE(prefix) - 1;
    wchar_t path[MAX_PATH];
    HMODULE own;
    DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                  GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    if (!GetModuleHandleExW(flags, (const wchar_t *)&counters, &own)) return MECH_PACKAGE;
    DWORD length = GetModuleFileNameW(own, path, MAX_PATH);
    wchar_t *base = length && length < MAX_PATH ? wcsrchr(path, '\\') : NULL;
    if (base && !_wcsicmp(base + 1, MECH_KERBEROS_MODULE L".dll")) return L"Kerberos";
    if (!base || _wcsnicmp(base + 1, prefix, length_of_prefix)) return MECH_PACKAGE;
    numbered[ARRAYSIZE(numbered) - 2] = base[1 + length_of_prefix];
    return numbered;
}

static NTSTATUS NTAPI initialize(ULONG_PTR id, PSECPKG_PARAMETERS parameters,
                                 PLSA_SECPKG_FUNCTION_TABLE functions)
{
    (void)id, (void)parameters;
    lsa = functions;
    description.Name = (wchar_t *)own_name();
    return crypto_init();
}

static NTSTATUS NTAPI get_info(PSecPkgInfo info)
{
    *(PSecPkgInfoW)info = description;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI acquire(PUNICODE_STRING principal, ULONG use, PLUID logon, PVOID auth,
                              PVOID get_key, PVOID argument, PLSA_SEC_HANDLE handle,
                              PTimeStamp expiry)
{
    (void)principal, (void)use, (void)logon, (void)auth, (void)get_key, (void)argument;
    if (counters.refuse) return SEC_E_NO_CREDENTIALS;
    *handle = (LSA_SEC_HANDLE)InterlockedIncrement(&counters.credentials);
    expiry->QuadPart = INT64_MAX;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI free_credentials(LSA_SEC_HANDLE handle)
{
    (void)handle;
    InterlockedDecrement(&counters.credentials);
    return STATUS_SUCCESS;
}

/* ---- contexts ---- */

static struct mech_context *context_make(bool server)
{
    static LONG serial;
    struct mech_context *context = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*context));
    if (!context) return NULL;
    LONG number = InterlockedIncrement(&serial);
    context->magic = CONTEXT_MAGIC;
    context->halves = HALF_LSA;
    context->server = server;
    for (int i = 0; i < 16; i++) context->key[i] = (uint8_t)(number >> i % 4 * 8 ^ i * 29);
    InterlockedIncrement(&counters.contexts);
    return context;
}

static NTSTATUS half_drop(LSA_SEC_HANDLE handle, LONG half)
{
    struct mech_context *context = (struct mech_context *)handle;
    if (context->magic != CONTEXT_MAGIC || !(context->halves & half)) {
        InterlockedIncrement(&counters.faults);
        return STATUS_INVALID_HANDLE;
    }
    context->halves &= ~half;
    if (context->halves) return STATUS_SUCCESS;
    context->magic = 0;
    HeapFree(GetProcessHeap(), 0, context);
    InterlockedDecrement(&counters.contexts);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI delete_lsa(LSA_SEC_HANDLE handle)
{
    return half_drop(handle, HALF_LSA);
}

static NTSTATUS NTAPI delete_user(LSA_SEC_HANDLE handle)
{
    return half_drop(handle, HALF_USER);
}

static NTSTATUS NTAPI init_user(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    struct mech_context *context = (struct mech_context *)handle;
    if (packed && packed->pvBuffer) FreeContextBuffer(packed->pvBuffer);
    if (context->halves & HALF_USER) InterlockedIncrement(&counters.faults);
    context->halves |= HALF_USER;
    return STATUS_SUCCESS;
}

/* ---- tokens ---- */

static SecBuffer *find(PSecBufferDesc desc, ULONG type)
{
    for (ULONG i = 0; desc && i < desc->cBuffers; i++)
        if ((desc->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == type) return &desc->pBuffers[i];
    return NULL;
}

static NTSTATUS token_put(const struct mech_context *context, PSecBufferDesc output, bool allocate,
                          ULONG *attributes)
{
    SecBuffer *buffer = find(output, SECBUFFER_TOKEN);
    struct writer w;
    writer_init(&w);
    size_t frame = der_open(&w, DER_APPLICATION(0));
    der_write(&w, DER_OID, (struct slice){(const uint8_t *)MECH_OID, MECH_OID_SIZE});
    writer_u8(&w, context->server);
    writer_u8(&w, context->behaviour);
    writer_bytes(&w, context->key, sizeof(context->key));
    if (!context->server && context->behaviour == HUGE) writer_zero(&w, MECH_HUGE);
    der_close(&w, frame);

    struct slice token = writer_view(&w);
    NTSTATUS status = writer_status(&w);
    if (!status && !buffer) status = SEC_E_BUFFER_TOO_SMALL;
    if (!status && allocate)
        status = lsa->AllocateClientBuffer(NULL, (ULONG)token.size, &buffer->pvBuffer);
    else if (!status && buffer->cbBuffer < token.size) status = SEC_E_BUFFER_TOO_SMALL;
    if (!status) {
        status = lsa->CopyToClientBuffer(NULL, (ULONG)token.size, buffer->pvBuffer,
                                         (void *)token.data);
        buffer->cbBuffer = (ULONG)token.size;
        if (allocate) *attributes |= ISC_RET_ALLOCATED_MEMORY;
    }
    writer_free(&w);
    return status;
}

static NTSTATUS token_get(PSecBufferDesc input, bool from_server, uint8_t *behaviour,
                          uint8_t key[16])
{
    struct reader r, payload;
    SecBuffer *buffer = find(input, SECBUFFER_TOKEN);
    reader_init(&r, buffer ? buffer->pvBuffer : NULL, buffer ? buffer->cbBuffer : 0);
    der_enter(&r, DER_APPLICATION(0), &payload);
    struct slice mech = der_bytes(&payload, DER_OID);
    bool server = reader_u8(&payload);
    *behaviour = reader_u8(&payload);
    reader_copy(&payload, key, 16);
    if (!from_server && *behaviour == HUGE) reader_skip(&payload, MECH_HUGE);
    if (!reader_end(&r) || !reader_end(&payload) || server != from_server ||
        mech.size != MECH_OID_SIZE || memcmp(mech.data, MECH_OID, MECH_OID_SIZE))
        return SEC_E_INVALID_TOKEN;
    return STATUS_SUCCESS;
}

/* ---- legs ---- */

/* Both tables know the context by its address; there is nothing else to hand over. */
static NTSTATUS finish(struct mech_context *context, PBOOLEAN mapped, PSecBuffer data)
{
    context->done = true;
    *mapped = TRUE;
    data->pvBuffer = NULL;
    data->cbBuffer = 0;
    return SEC_E_OK;
}

static enum behaviour behaviour_of(const UNICODE_STRING *target)
{
    static const struct {
        const wchar_t *name;
        enum behaviour behaviour;
    } names[] = {{L"unknown/localhost", UNKNOWN},
                 {L"unusable/localhost", UNUSABLE},
                 {L"deny/localhost", DENY},
                 {L"plain/localhost", PLAIN},
                 {L"huge/localhost", HUGE}};
    for (size_t i = 0; target && target->Buffer && i < ARRAYSIZE(names); i++)
        if (target->Length == wcslen(names[i].name) * sizeof(wchar_t) &&
            !memcmp(target->Buffer, names[i].name, target->Length))
            return names[i].behaviour;
    return USUAL;
}

/* The status that a target asks for; 0 for none. */
static NTSTATUS failure_of(const UNICODE_STRING *target)
{
    static const wchar_t head[] = L"fails-";
    const size_t length = ARRAYSIZE(head) - 1;
    ULONG status = 0;
    if (!target || !target->Buffer || target->Length < (length + 8) * sizeof(wchar_t) ||
        memcmp(target->Buffer, head, length * sizeof(wchar_t)))
        return 0;
    for (size_t i = length; i < length + 8; i++) {
        wchar_t digit = target->Buffer[i];
        status = status << 4 | (ULONG)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    return (NTSTATUS)status;
}

static NTSTATUS client_first(const UNICODE_STRING *target, ULONG flags, PSecBufferDesc output,
                             PLSA_SEC_HANDLE made, ULONG *attributes)
{
    enum behaviour behaviour = behaviour_of(target);
    NTSTATUS failure = behaviour == UNKNOWN ? SEC_E_TARGET_UNKNOWN : failure_of(target);
    if (failure) return failure;
    struct mech_context *context = context_make(false);
    if (!context) return STATUS_NO_MEMORY;
    context->behaviour = (uint8_t)behaviour;
    NTSTATUS status = token_put(context, output, flags & ISC_REQ_ALLOCATE_MEMORY, attributes);
    if (status) {
        half_drop((LSA_SEC_HANDLE)context, HALF_LSA);
        return status;
    }
    *made = (LSA_SEC_HANDLE)context;
    return SEC_I_CONTINUE_NEEDED;
}

static NTSTATUS client_second(struct mech_context *context, PSecBufferDesc input,
                              PSecBufferDesc output, PBOOLEAN mapped, PSecBuffer data)
{
    uint8_t behaviour, key[16];
    if (context->done) return SEC_E_OUT_OF_SEQUENCE;
    NTSTATUS status = token_get(input, true, &behaviour, key);
    if (status) return status;
    if (memcmp(key, context->key, sizeof(key))) return SEC_E_LOGON_DENIED;
    SecBuffer *token = find(output, SECBUFFER_TOKEN);
    if (token) token->cbBuffer = 0;
    return finish(context, mapped, data);
}

static NTSTATUS NTAPI init_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                   PUNICODE_STRING target, ULONG flags, ULONG data_rep,
                                   PSecBufferDesc input, PLSA_SEC_HANDLE made,
                                   PSecBufferDesc output, PULONG attributes, PTimeStamp expiry,
                                   PBOOLEAN mapped, PSecBuffer data)
{
    (void)credential, (void)data_rep;
    struct mech_context *context = (struct mech_context *)handle;
    bool plain = context ? context->behaviour == PLAIN : behaviour_of(target) == PLAIN;
    *attributes = flags & ~ISC_REQ_ALLOCATE_MEMORY;
    if (plain) *attributes &= ~(ULONG)(ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY);
    expiry->QuadPart = INT64_MAX;
    if (!context) return client_first(target, flags, output, made, attributes);
    *made = handle;
    return client_second(context, input, output, mapped, data);
}

static NTSTATUS NTAPI accept_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                     PSecBufferDesc input, ULONG flags, ULONG data_rep,
                                     PLSA_SEC_HANDLE made, PSecBufferDesc output, PULONG attributes,
                                     PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer data)
{
    (void)credential, (void)data_rep;
    uint8_t behaviour, key[16];
    if (handle) return SEC_E_OUT_OF_SEQUENCE;
    NTSTATUS status = token_get(input, false, &behaviour, key);
    if (status) return status;
    if (behaviour == UNUSABLE) return SEC_E_NO_CREDENTIALS;
    if (behaviour == DENY) return SEC_E_LOGON_DENIED;
    struct mech_context *context = context_make(true);
    if (!context) return STATUS_NO_MEMORY;
    context->behaviour = behaviour;
    memcpy(context->key, key, sizeof(key));
    *attributes = (flags & ~ASC_REQ_ALLOCATE_MEMORY) | ASC_RET_INTEGRITY;
    if (behaviour == PLAIN) *attributes &= ~(ULONG)(ASC_RET_INTEGRITY | ASC_RET_CONFIDENTIALITY);
    expiry->QuadPart = INT64_MAX;
    status = token_put(context, output, flags & ASC_REQ_ALLOCATE_MEMORY, attributes);
    if (status) {
        half_drop((LSA_SEC_HANDLE)context, HALF_LSA);
        return status;
    }
    *made = (LSA_SEC_HANDLE)context;
    return finish(context, mapped, data);
}

/* ---- messages ---- */

static NTSTATUS checksum(const struct mech_context *context, PSecBufferDesc desc, bool from_server,
                         uint32_t sequence, uint8_t mac[MECH_SIGNATURE_SIZE])
{
    struct slice parts[PARTS_MAX];
    uint8_t head[2] = {from_server, (uint8_t)sequence};
    size_t count = 0;
    if (context->behaviour == PLAIN) return SEC_E_UNSUPPORTED_FUNCTION;
    parts[count++] = (struct slice){head, sizeof(head)};
    for (ULONG i = 0; i < desc->cBuffers; i++) {
        const SecBuffer *buffer = &desc->pBuffers[i];
        if ((buffer->BufferType & ~SECBUFFER_ATTRMASK) != SECBUFFER_DATA) continue;
        if (count == PARTS_MAX) return SEC_E_INVALID_TOKEN;
        parts[count++] = (struct slice){buffer->pvBuffer, buffer->cbBuffer};
    }
    return hmac_md5((struct slice){context->key, sizeof(context->key)}, parts, count, mac);
}

static NTSTATUS NTAPI make_signature(LSA_SEC_HANDLE handle, ULONG quality, PSecBufferDesc desc,
                                     ULONG sequence)
{
    (void)quality, (void)sequence;
    struct mech_context *context = (struct mech_context *)handle;
    SecBuffer *token = find(desc, SECBUFFER_TOKEN);
    if (!token || token->cbBuffer < MECH_SIGNATURE_SIZE) return SEC_E_INVALID_TOKEN;
    NTSTATUS status = checksum(context, desc, context->server, context->sent, token->pvBuffer);
    if (status) return status;
    token->cbBuffer = MECH_SIGNATURE_SIZE;
    context->sent++;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI verify_signature(LSA_SEC_HANDLE handle, PSecBufferDesc desc, ULONG sequence,
                                       PULONG quality)
{
    (void)sequence, (void)quality;
    struct mech_context *context = (struct mech_context *)handle;
    SecBuffer *token = find(desc, SECBUFFER_TOKEN);
    uint8_t mac[MECH_SIGNATURE_SIZE];
    if (!token || token->cbBuffer != sizeof(mac)) return SEC_E_INVALID_TOKEN;
    NTSTATUS status = checksum(context, desc, !context->server, context->received, mac);
    if (status) return status;
    if (!secret_equal(mac, token->pvBuffer, sizeof(mac))) return SEC_E_MESSAGE_ALTERED;
    context->received++;
    return STATUS_SUCCESS;
}

static void scramble(PSecBufferDesc desc)
{
    SecBuffer *data = find(desc, SECBUFFER_DATA);
    for (ULONG i = 0; data && i < data->cbBuffer; i++) ((uint8_t *)data->pvBuffer)[i] ^= 0x5a;
}

static NTSTATUS NTAPI seal(LSA_SEC_HANDLE handle, ULONG quality, PSecBufferDesc desc,
                           ULONG sequence)
{
    NTSTATUS status = make_signature(handle, quality, desc, sequence);
    if (!status) scramble(desc);
    return status;
}

static NTSTATUS NTAPI unseal(LSA_SEC_HANDLE handle, PSecBufferDesc desc, ULONG sequence,
                             PULONG quality)
{
    scramble(desc);
    NTSTATUS status = verify_signature(handle, desc, sequence, quality);
    if (status) scramble(desc);
    return status;
}

/* ---- attributes ---- */

static NTSTATUS info_copy(PSecPkgInfoW *out)
{
    size_t name = (wcslen(description.Name) + 1) * sizeof(wchar_t);
    size_t comment = (wcslen(description.Comment) + 1) * sizeof(wchar_t);
    void *block;
    NTSTATUS status = lsa->AllocateClientBuffer(NULL, (ULONG)(sizeof(**out) + name + comment),
                                                &block);
    if (status) return status;
    SecPkgInfoW *made = block;
    *made = description;
    made->Name = memcpy(made + 1, description.Name, name);
    made->Comment = memcpy((char *)(made + 1) + name, description.Comment, comment);
    *out = made;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI query_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    struct mech_context *context = (struct mech_context *)handle;
    SecPkgContext_NegotiationInfoW *negotiation = buffer;
    switch (attribute) {
    case SECPKG_ATTR_SIZES:
        *(SecPkgContext_Sizes *)buffer = (SecPkgContext_Sizes){
            description.cbMaxToken, MECH_SIGNATURE_SIZE, 0, MECH_SIGNATURE_SIZE};
        return STATUS_SUCCESS;
    case SECPKG_ATTR_PACKAGE_INFO:
        return info_copy(&((SecPkgContext_PackageInfoW *)buffer)->PackageInfo);
    case SECPKG_ATTR_NEGOTIATION_INFO:
        negotiation->NegotiationState = context->done ? SECPKG_NEGOTIATION_COMPLETE
                                                      : SECPKG_NEGOTIATION_IN_PROGRESS;
        return info_copy(&negotiation->PackageInfo);
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

/* ---- the two tables ---- */

static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions,
                                    PVOID *user_functions)
{
    (void)version, (void)functions, (void)user_functions;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count)
{
    static SECPKG_FUNCTION_TABLE table = {
        .Initialize = initialize,
        .GetInfo = get_info,
        .AcquireCredentialsHandle = acquire,
        .FreeCredentialsHandle = free_credentials,
        .InitLsaModeContext = init_context,
        .AcceptLsaModeContext = accept_context,
        .DeleteContext = delete_lsa,
        .QueryContextAttributes = query_context,
    };
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION_3;
    *tables = &table;
    *count = 1;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count)
{
    static SECPKG_USER_FUNCTION_TABLE table = {
        .InstanceInit = instance_init,
        .InitUserModeContext = init_user,
        .MakeSignature = make_signature,
        .VerifySignature = verify_signature,
        .SealMessage = seal,
        .UnsealMessage = unseal,
        .QueryContextAttributes = query_context,
        .DeleteUserModeContext = delete_user,
    };
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = &table;
    *count = 1;
    return STATUS_SUCCESS;
}
