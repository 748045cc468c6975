/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The LSA half of prov_lsa.dll, see prov_lsa.h: credentials, handshakes, and the call that hands a
 * finished context over to the user half ([D user-mode-initialization]). Everything that comes
 * from the caller's memory is fetched with the helpers of the function table, as in a real LSA.
 */
#include "prov_lsa.h"

#include "ssp/message_context.h"

#include <string.h>

struct prov_counters prov_counters;
PLSA_SECPKG_FUNCTION_TABLE prov_lsa_functions;

static SECPKG_FUNCTION_TABLE lsa_tables[PROV_PACKAGES];
static ULONG_PTR package_ids[PROV_PACKAGES];

struct prov_credential {
    uint32_t magic;
    int package;
    ULONG use, attribute;
};

#define CREDENTIAL_MAGIC 0x44455243u

void prov_fault(int line)
{
    InterlockedIncrement(&prov_counters.faults);
    InterlockedExchange(&prov_counters.last_fault, line);
}

struct prov_counters *WINAPI prov_counters_get(void)
{
    return &prov_counters;
}

struct prov_context *prov_context_make(int package, bool server)
{
    static LONG serial;
    struct prov_context *context = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*context));
    if (!context) return NULL;
    LONG number = InterlockedIncrement(&serial);
    context->magic = PROV_CONTEXT_MAGIC;
    context->package = package;
    context->server = server;
    for (int i = 0; i < 16; i++) context->key[i] = (uint8_t)(number >> i % 4 * 8 ^ i * 37);
    return context;
}

/* A context lives until both halves are gone. */
void prov_context_drop_half(struct prov_context *context, bool *half)
{
    *half = false;
    if (context->lsa_half || context->user_half) return;
    context->magic = 0;
    if (context->token) CloseHandle(context->token);
    HeapFree(GetProcessHeap(), 0, context);
}

/* [D SECPKG_PARAMETERS] the version, and which domain this machine is of: its own one */
static void parameters_check(const SECPKG_PARAMETERS *parameters)
{
    wchar_t name[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD length = MAX_COMPUTERNAME_LENGTH + 1;
    PROV_EXPECT(parameters->Version >= SECPKG_INTERFACE_VERSION);
    PROV_EXPECT(parameters->MachineState & SECPKG_STATE_STANDALONE);
    PROV_EXPECT(!parameters->SetupMode);
    PROV_EXPECT(GetComputerNameW(name, &length));
    PROV_EXPECT(parameters->DomainName.Length == length * sizeof(wchar_t));
    PROV_EXPECT(!memcmp(parameters->DomainName.Buffer, name, length * sizeof(wchar_t)));
    PROV_EXPECT(parameters->DnsDomainName.Buffer != NULL);
    PROV_EXPECT(parameters->DomainSid && IsValidSid(parameters->DomainSid));
    PROV_EXPECT(*GetSidSubAuthorityCount(parameters->DomainSid) == 4);
}

static NTSTATUS initialize(int package, ULONG_PTR id, PSECPKG_PARAMETERS parameters,
                           PLSA_SECPKG_FUNCTION_TABLE functions)
{
    /* [D SpInitializeFn] parameters and the whole table of helpers are given */
    if (parameters) parameters_check(parameters);
    else prov_fault(__LINE__);
    if (!functions) {
        prov_fault(__LINE__);
        return STATUS_INVALID_PARAMETER;
    }
    PROV_EXPECT(functions->AllocateLsaHeap && functions->FreeLsaHeap);
    PROV_EXPECT(functions->AllocateClientBuffer && functions->FreeClientBuffer);
    PROV_EXPECT(functions->CopyToClientBuffer && functions->CopyFromClientBuffer);
    PROV_EXPECT(functions->GetClientInfo && functions->GetCallInfo);
    PROV_EXPECT(functions->DuplicateHandle && functions->MapBuffer);
    PROV_EXPECT(functions->AllocatePrivateHeap && functions->FreePrivateHeap);
    for (int i = 0; i < PROV_PACKAGES; i++)
        PROV_EXPECT(i == package || !package_ids[i] || package_ids[i] != id);
    package_ids[package] = id;
    prov_lsa_functions = functions;
    InterlockedIncrement(&prov_counters.initialized);
    return STATUS_SUCCESS;
}

static NTSTATUS get_info(int package, PSecPkgInfo ansi_name)
{
    static const wchar_t *const names[] = {L"TestOne", L"TestTwo", L"TestEmptyExport"};
    static const wchar_t *const comments[] = {L"Test package one", L"Test package two",
                                              L"Test package whose export is empty"};
    /* The header's name follows UNICODE; packages only ever fill the wide form. */
    PSecPkgInfoW info = (PSecPkgInfoW)ansi_name;
    info->fCapabilities = SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_CONNECTION;
    info->wVersion = 1;
    info->wRPCID = SECPKG_ID_NONE;
    info->cbMaxToken = PROV_TOKEN_SIZE;
    info->Name = (wchar_t *)names[package];
    info->Comment = (wchar_t *)comments[package];
    return STATUS_SUCCESS;
}

/* Attribute 2 (LIFESPAN) is answered by the LSA half, and so is the context for messages while
 * there is one; all others by the user half. */
static NTSTATUS NTAPI get_extended_information(SECPKG_EXTENDED_INFORMATION_CLASS class,
                                               PSECPKG_EXTENDED_INFORMATION *information)
{
    if (class != SecpkgContextThunks) return STATUS_NOT_SUPPORTED;
    SECPKG_EXTENDED_INFORMATION *made = prov_lsa_functions->AllocateLsaHeap(sizeof(*made) +
                                                                            4 * sizeof(DWORD));
    if (!made) return STATUS_NO_MEMORY;
    made->Class = SecpkgContextThunks;
    made->Info.ContextThunks.InfoLevelCount = 2;
    made->Info.ContextThunks.Levels[0] = SECPKG_ATTR_LIFESPAN;
    made->Info.ContextThunks.Levels[1] = WINESSPI_ATTR_MESSAGE_CONTEXT;
    *information = made;
    return STATUS_SUCCESS;
}

static NTSTATUS acquire(int package, PUNICODE_STRING principal, ULONG use, PLUID logon, PVOID auth,
                        PLSA_SEC_HANDLE handle, PTimeStamp expiry)
{
    PROV_EXPECT(logon != NULL && handle != NULL && expiry != NULL);
    if (principal && principal->Length) {
        PROV_EXPECT(principal->Length % 2 == 0 && principal->Buffer);
        if (principal->Length == 12 && !memcmp(principal->Buffer, L"nobody", 12))
            return STATUS_NO_SUCH_LOGON_SESSION;
    }
    if (auth) {
        ULONG first = 0;
        NTSTATUS status = prov_lsa_functions->CopyFromClientBuffer(NULL, sizeof(first), &first,
                                                                   auth);
        if (status) return status;
        if (first == 0xdead) return STATUS_LOGON_FAILURE;
    }
    struct prov_credential *made = HeapAlloc(GetProcessHeap(), 0, sizeof(*made));
    if (!made) return STATUS_NO_MEMORY;
    *made = (struct prov_credential){CREDENTIAL_MAGIC, package, use, 0};
    InterlockedIncrement(&prov_counters.credentials);
    *handle = (LSA_SEC_HANDLE)made;
    expiry->QuadPart = 0x7fffffff00000000;
    return STATUS_SUCCESS;
}

static struct prov_credential *credential_get(LSA_SEC_HANDLE handle)
{
    struct prov_credential *credential = (struct prov_credential *)handle;
    if (credential && credential->magic == CREDENTIAL_MAGIC) return credential;
    prov_fault(__LINE__);
    return NULL;
}

static NTSTATUS NTAPI free_credentials(LSA_SEC_HANDLE handle)
{
    struct prov_credential *credential = credential_get(handle);
    if (!credential) return STATUS_INVALID_HANDLE;
    credential->magic = 0;
    HeapFree(GetProcessHeap(), 0, credential);
    InterlockedDecrement(&prov_counters.credentials);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI query_credentials(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    static const wchar_t name[] = L"TEST\\credential";
    if (!credential_get(handle)) return STATUS_INVALID_HANDLE;
    if (attribute != SECPKG_CRED_ATTR_NAMES) return SEC_E_UNSUPPORTED_FUNCTION;
    SecPkgCredentials_NamesW names;
    void *text = NULL;
    NTSTATUS status = prov_lsa_functions->AllocateClientBuffer(NULL, sizeof(name), &text);
    if (status) return status;
    status = prov_lsa_functions->CopyToClientBuffer(NULL, sizeof(name), text, (void *)name);
    if (!status) {
        names.sUserName = text;
        status = prov_lsa_functions->CopyToClientBuffer(NULL, sizeof(names), buffer, &names);
    }
    if (status) prov_lsa_functions->FreeClientBuffer(NULL, text);
    return status;
}

static NTSTATUS NTAPI set_credentials(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer,
                                      ULONG size)
{
    struct prov_credential *credential = credential_get(handle);
    if (!credential) return STATUS_INVALID_HANDLE;
    if (attribute == SECPKG_CRED_ATTR_NAMES) {
        const SecPkgCredentials_NamesW *names = buffer;
        bool wide = size == sizeof(*names) && !lstrcmpW(names->sUserName, PROV_SET_NAME);
        return wide ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    }
    if (attribute != PROV_SET_ATTRIBUTE || size != 4) return STATUS_NOT_SUPPORTED;
    return prov_lsa_functions->CopyFromClientBuffer(NULL, 4, &credential->attribute, buffer);
}

static SecBuffer *find_token(PSecBufferDesc desc)
{
    if (!desc) return NULL;
    for (ULONG i = 0; i < desc->cBuffers; i++)
        if ((desc->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == SECBUFFER_TOKEN)
            return &desc->pBuffers[i];
    return NULL;
}

static NTSTATUS write_token(struct prov_context *context, PSecBufferDesc output, ULONG flags,
                            ULONG allocate_flag, ULONG *attributes)
{
    uint8_t token[PROV_TOKEN_SIZE] = "prov_lsa token";
    SecBuffer *buffer = find_token(output);
    if (!buffer) return SEC_E_BUFFER_TOO_SMALL;
    token[16] = (uint8_t)context->package;
    token[17] = context->server;
    memcpy(token + 24, context->key, 16);
    if (flags & allocate_flag) {
        NTSTATUS status = prov_lsa_functions->AllocateClientBuffer(NULL, sizeof(token),
                                                                   &buffer->pvBuffer);
        if (status) return status;
        *attributes |= allocate_flag;
    } else if (buffer->cbBuffer < sizeof(token)) {
        return SEC_E_BUFFER_TOO_SMALL;
    }
    buffer->cbBuffer = sizeof(token);
    return prov_lsa_functions->CopyToClientBuffer(NULL, sizeof(token), buffer->pvBuffer, token);
}

static NTSTATUS read_token(PSecBufferDesc input, int package, bool from_server, uint8_t key[16])
{
    uint8_t token[PROV_TOKEN_SIZE];
    SecBuffer *buffer = find_token(input);
    if (!buffer || buffer->cbBuffer != sizeof(token)) return SEC_E_INVALID_TOKEN;
    NTSTATUS status = prov_lsa_functions->CopyFromClientBuffer(NULL, sizeof(token), token,
                                                               buffer->pvBuffer);
    if (status) return status;
    if (memcmp(token, "prov_lsa token", 15) || token[16] != package || token[17] != from_server)
        return SEC_E_INVALID_TOKEN;
    memcpy(key, token + 24, 16);
    return STATUS_SUCCESS;
}

/* What the user half will be given; the caller of this function owns the block (freed there). */
static NTSTATUS map_context(struct prov_context *context, PBOOLEAN mapped, PSecBuffer data)
{
    if (!mapped || !data) {
        prov_fault(__LINE__);
        return STATUS_INVALID_PARAMETER;
    }
    for (int i = 0; i < PROV_CONTEXT_DATA_SIZE; i++)
        context->data[i] = (uint8_t)(context->key[i % 16] + i * 5 + context->server);
    data->pvBuffer = prov_lsa_functions->AllocateLsaHeap(PROV_CONTEXT_DATA_SIZE);
    if (!data->pvBuffer) return STATUS_NO_MEMORY;
    memcpy(data->pvBuffer, context->data, PROV_CONTEXT_DATA_SIZE);
    data->cbBuffer = PROV_CONTEXT_DATA_SIZE;
    *mapped = TRUE;
    return STATUS_SUCCESS;
}

static struct prov_context *context_get(LSA_SEC_HANDLE handle, bool server)
{
    struct prov_context *context = (struct prov_context *)handle;
    if (context->magic == PROV_CONTEXT_MAGIC && context->lsa_half && context->server == server)
        return context;
    prov_fault(__LINE__);
    return NULL;
}

static NTSTATUS client_first(int package, ULONG flags, PLSA_SEC_HANDLE new_handle,
                             PSecBufferDesc output, ULONG *attributes, PBOOLEAN mapped,
                             PSecBuffer data)
{
    struct prov_context *context = prov_context_make(package, false);
    if (!context) return STATUS_NO_MEMORY;
    NTSTATUS status = write_token(context, output, flags, ISC_REQ_ALLOCATE_MEMORY, attributes);
    context->half_open = package == 1;
    if (!status && !context->half_open) status = map_context(context, mapped, data);
    if (status) {
        HeapFree(GetProcessHeap(), 0, context);
        return status;
    }
    context->lsa_half = true;
    InterlockedIncrement(&prov_counters.lsa_contexts);
    *new_handle = (LSA_SEC_HANDLE)context;
    return context->half_open ? SEC_I_CONTINUE_NEEDED : SEC_E_OK;
}

static NTSTATUS NTAPI init_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                   PUNICODE_STRING target, ULONG flags, ULONG data_rep,
                                   PSecBufferDesc input, PLSA_SEC_HANDLE new_handle,
                                   PSecBufferDesc output, PULONG attributes, PTimeStamp expiry,
                                   PBOOLEAN mapped, PSecBuffer data)
{
    (void)target;
    PROV_EXPECT(data_rep == SECURITY_NATIVE_DREP || data_rep == SECURITY_NETWORK_DREP);
    PROV_EXPECT(new_handle && attributes && expiry && mapped && data);
    *attributes = flags & ~ISC_REQ_ALLOCATE_MEMORY;
    expiry->QuadPart = 0x7fffffff00000000;
    if (!handle) {
        struct prov_credential *from = credential_get(credential);
        if (!from) return STATUS_INVALID_HANDLE;
        return client_first(from->package, flags, new_handle, output, attributes, mapped, data);
    }
    struct prov_context *context = context_get(handle, false);
    uint8_t key[16];
    if (!context || !context->half_open) return SEC_E_OUT_OF_SEQUENCE;
    NTSTATUS status = read_token(input, context->package, true, key);
    if (status) return status;
    if (memcmp(key, context->key, 16)) return SEC_E_LOGON_DENIED;
    status = map_context(context, mapped, data);
    if (status) return status;
    SecBuffer *token = find_token(output);
    if (token) token->cbBuffer = 0;
    context->half_open = false;
    *new_handle = handle;
    return SEC_E_OK;
}

static NTSTATUS NTAPI accept_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                     PSecBufferDesc input, ULONG flags, ULONG data_rep,
                                     PLSA_SEC_HANDLE new_handle, PSecBufferDesc output,
                                     PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped,
                                     PSecBuffer data)
{
    (void)data_rep;
    PROV_EXPECT(new_handle && attributes && expiry && mapped && data);
    if (handle) return SEC_E_OUT_OF_SEQUENCE;
    struct prov_credential *from = credential_get(credential);
    if (!from) return STATUS_INVALID_HANDLE;
    uint8_t key[16];
    NTSTATUS status = read_token(input, from->package, false, key);
    if (status) return status;
    struct prov_context *context = prov_context_make(from->package, true);
    if (!context) return STATUS_NO_MEMORY;
    memcpy(context->key, key, 16);
    *attributes = flags & ~ASC_REQ_ALLOCATE_MEMORY;
    expiry->QuadPart = 0x7fffffff00000000;
    if (from->package == 1)
        status = write_token(context, output, flags, ASC_REQ_ALLOCATE_MEMORY, attributes);
    else if (find_token(output)) find_token(output)->cbBuffer = 0;
    if (!status) status = map_context(context, mapped, data);
    if (status) {
        HeapFree(GetProcessHeap(), 0, context);
        return status;
    }
    context->lsa_half = true;
    InterlockedIncrement(&prov_counters.lsa_contexts);
    *new_handle = (LSA_SEC_HANDLE)context;
    return SEC_E_OK;
}

static NTSTATUS NTAPI delete_context(LSA_SEC_HANDLE handle)
{
    struct prov_context *context = (struct prov_context *)handle;
    if (!context || context->magic != PROV_CONTEXT_MAGIC || !context->lsa_half) {
        prov_fault(__LINE__);
        return STATUS_INVALID_HANDLE;
    }
    InterlockedDecrement(&prov_counters.lsa_contexts);
    prov_context_drop_half(context, &context->lsa_half);
    return STATUS_SUCCESS;
}

NTSTATUS prov_message_context(void *buffer)
{
    if (!prov_counters.message_context.dwLower) return SEC_E_UNSUPPORTED_FUNCTION;
    *(CtxtHandle *)buffer = prov_counters.message_context;
    return STATUS_SUCCESS;
}

/* Only what get_extended_information listed may come here once the user half exists. */
static NTSTATUS NTAPI query_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    struct prov_context *context = (struct prov_context *)handle;
    if (!context || context->magic != PROV_CONTEXT_MAGIC || !context->lsa_half) {
        prov_fault(__LINE__);
        return STATUS_INVALID_HANDLE;
    }
    if (attribute == WINESSPI_ATTR_MESSAGE_CONTEXT) return prov_message_context(buffer);
    if (attribute != SECPKG_ATTR_LIFESPAN) return SEC_E_UNSUPPORTED_FUNCTION;
    SecPkgContext_Lifespan span = {.tsStart.QuadPart = 11, .tsExpiry.QuadPart = 22};
    return prov_lsa_functions->CopyToClientBuffer(NULL, sizeof(span), buffer, &span);
}

static NTSTATUS NTAPI set_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer, ULONG size)
{
    struct prov_context *context = (struct prov_context *)handle;
    if (!context || context->magic != PROV_CONTEXT_MAGIC) return STATUS_INVALID_HANDLE;
    if (attribute != PROV_SET_ATTRIBUTE || size != 4) return STATUS_NOT_SUPPORTED;
    return prov_lsa_functions->CopyFromClientBuffer(NULL, 4, &context->attribute, buffer);
}

static NTSTATUS NTAPI add_credentials(LSA_SEC_HANDLE handle, PUNICODE_STRING principal,
                                      PUNICODE_STRING package, ULONG use, PVOID auth, PVOID get_key,
                                      PVOID get_key_argument, PTimeStamp expiry)
{
    (void)principal, (void)package, (void)use, (void)auth, (void)get_key, (void)get_key_argument;
    if (expiry) expiry->QuadPart = 0x7fffffff00000000;
    return credential_get(handle) ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

/* The entries that know their package only by which of them was called. */
#define PACKAGE_ENTRIES(n)                                                               \
    static NTSTATUS NTAPI initialize_##n(ULONG_PTR id, PSECPKG_PARAMETERS parameters,    \
                                         PLSA_SECPKG_FUNCTION_TABLE functions)           \
    {                                                                                    \
        return initialize(n, id, parameters, functions);                                 \
    }                                                                                    \
    static NTSTATUS NTAPI get_info_##n(PSecPkgInfo info)                                 \
    {                                                                                    \
        return get_info(n, info);                                                        \
    }                                                                                    \
    static NTSTATUS NTAPI acquire_##n(PUNICODE_STRING principal, ULONG use, PLUID logon, \
                                      PVOID auth, PVOID get_key, PVOID argument,         \
                                      PLSA_SEC_HANDLE handle, PTimeStamp expiry)         \
    {                                                                                    \
        (void)get_key, (void)argument;                                                   \
        return acquire(n, principal, use, logon, auth, handle, expiry);                  \
    }

PACKAGE_ENTRIES(0)
PACKAGE_ENTRIES(1)
PACKAGE_ENTRIES(2)

#define PACKAGE_TABLE(n)                                                                          \
    {                                                                                             \
        .Initialize = initialize_##n, .GetInfo = get_info_##n,                                    \
        .AcquireCredentialsHandle = acquire_##n, .QueryCredentialsAttributes = query_credentials, \
        .FreeCredentialsHandle = free_credentials, .InitLsaModeContext = init_context,            \
        .AcceptLsaModeContext = accept_context, .DeleteContext = delete_context,                  \
        .GetExtendedInformation = get_extended_information,                                       \
        .QueryContextAttributes = query_context, .AddCredentials = add_credentials,               \
        .SetContextAttributes = set_context, .SetCredentialsAttributes = set_credentials,         \
    }

static SECPKG_FUNCTION_TABLE lsa_tables[PROV_PACKAGES] = {PACKAGE_TABLE(0), PACKAGE_TABLE(1),
                                                          PACKAGE_TABLE(2)};

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count)
{
    PROV_EXPECT(version >= SECPKG_INTERFACE_VERSION);
    /* The header's table ends with SetCredentialsAttributes, which is version 3. */
    *package_version = SECPKG_INTERFACE_VERSION_3;
    *tables = lsa_tables;
    *count = PROV_PACKAGES;
    return STATUS_SUCCESS;
}
