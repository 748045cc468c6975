/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions by which hostile_calls.dll misbehaves once it is loaded (see prov_hostile.h). The
 * client says with its target what shall go wrong; where that is in a later call, the context
 * remembers it.
 */
#include "prov_hostile.h"

#include <stdbool.h>
#include <string.h>
#include <wchar.h>

struct context {
    wchar_t target[32];
};

static LONG lsa_contexts;
static LONG kept = HOSTILE_KEPT; /* not the host's to write to */

static void raise(void)
{
    RaiseException(0xe0000003, 0, 0, NULL);
}

static bool wants(const struct context *context, const wchar_t *what)
{
    return !wcscmp(context->target, what);
}

NTSTATUS NTAPI hostile_acquire(PUNICODE_STRING principal, ULONG use, PLUID logon, PVOID auth,
                               PVOID get_key, PVOID argument, PLSA_SEC_HANDLE handle,
                               PTimeStamp expiry)
{
    (void)use, (void)logon, (void)auth, (void)get_key, (void)argument;
    if (principal && principal->Length == 10 && !memcmp(principal->Buffer, L"raise", 10)) raise();
    *handle = 1;
    expiry->QuadPart = 0;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI free_credentials(LSA_SEC_HANDLE handle)
{
    (void)handle;
    raise();
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI init_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE handle,
                                   PUNICODE_STRING target, ULONG requirements, ULONG data_rep,
                                   PSecBufferDesc input, PLSA_SEC_HANDLE new_handle,
                                   PSecBufferDesc output, PULONG attributes, PTimeStamp expiry,
                                   PBOOLEAN mapped, PSecBuffer data)
{
    (void)credential, (void)handle, (void)requirements, (void)data_rep, (void)input, (void)output;
    struct context *context = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*context));
    if (!context) return STATUS_NO_MEMORY;
    if (target && target->Length < sizeof(context->target))
        memcpy(context->target, target->Buffer, target->Length);
    *attributes = 0;
    expiry->QuadPart = 0;
    bool raises = wants(context, L"raise"), crashes = wants(context, L"crash");
    if (raises || crashes || wants(context, L"no handle")) {
        HeapFree(GetProcessHeap(), 0, context);
        if (raises) raise();
        if (crashes) *(volatile int *)0 = 1;
        return STATUS_SUCCESS;
    }
    if (wants(context, L"fail with data")) {
        HeapFree(GetProcessHeap(), 0, context);
        *mapped = TRUE;
        data->pvBuffer = &kept;
        data->cbBuffer = sizeof(kept);
        return STATUS_LOGON_FAILURE;
    }
    *mapped = TRUE; /* with no data at all */
    *new_handle = (LSA_SEC_HANDLE)context;
    InterlockedIncrement(&lsa_contexts);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI delete_context(LSA_SEC_HANDLE handle)
{
    struct context *context = (struct context *)handle;
    InterlockedDecrement(&lsa_contexts);
    bool raises = wants(context, L"raise in delete");
    HeapFree(GetProcessHeap(), 0, context);
    if (raises) raise();
    return STATUS_SUCCESS;
}

void hostile_lsa_fill(SECPKG_FUNCTION_TABLE *table)
{
    table->FreeCredentialsHandle = free_credentials;
    table->InitLsaModeContext = init_context;
    table->DeleteContext = delete_context;
}

/* ---- the user half ---- */

static NTSTATUS NTAPI init_user_context(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    const struct context *context = (const struct context *)handle;
    (void)packed;
    if (wants(context, L"raise in user half")) raise();
    return wants(context, L"fail in user half") ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static NTSTATUS NTAPI make_signature(LSA_SEC_HANDLE handle, ULONG quality, PSecBufferDesc message,
                                     ULONG sequence)
{
    (void)handle, (void)quality, (void)message, (void)sequence;
    raise();
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI query_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    (void)handle;
    if (attribute != HOSTILE_ATTRIBUTE && attribute != HOSTILE_ATTRIBUTE_KEPT) raise();
    *(LONG *)buffer = attribute == HOSTILE_ATTRIBUTE ? lsa_contexts : kept;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI get_context_token(LSA_SEC_HANDLE handle, PHANDLE token)
{
    (void)handle;
    *token = (HANDLE)(ULONG_PTR)0xdead0; /* is none */
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI export_context(LSA_SEC_HANDLE handle, ULONG flags, PSecBuffer packed,
                                     PHANDLE token)
{
    const struct context *context = (const struct context *)handle;
    ULONG size = 16;
    (void)flags, (void)token;
    if (wants(context, L"raise in export")) raise();
    if (wants(context, L"export nothing")) return STATUS_SUCCESS;
    if (wants(context, L"export no block")) {
        packed->cbBuffer = size;
        return STATUS_SUCCESS;
    }
    if (wants(context, L"export 16 MiB")) size = 16u << 20;
    if (wants(context, L"export more")) size = (16u << 20) + 1;
    packed->pvBuffer = HeapAlloc(GetProcessHeap(), 0, size);
    if (!packed->pvBuffer) return STATUS_NO_MEMORY;
    memset(packed->pvBuffer, 0x5a, size);
    if (wants(context, L"import raise")) memset(packed->pvBuffer, 'r', size);
    if (wants(context, L"import no handle")) memset(packed->pvBuffer, 'n', size);
    packed->cbBuffer = size;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI import_context(PSecBuffer packed, HANDLE token, PLSA_SEC_HANDLE handle)
{
    const char *bytes = packed->pvBuffer;
    (void)token;
    if (bytes[0] == 'r') raise();
    if (bytes[0] == 'n') return STATUS_SUCCESS;
    if (bytes[packed->cbBuffer - 1] != 0x5a) return SEC_E_INVALID_TOKEN;
    *handle = 0x10000 + packed->cbBuffer;
    return STATUS_SUCCESS;
}

void hostile_user_fill(SECPKG_USER_FUNCTION_TABLE *table)
{
    table->InitUserModeContext = init_user_context;
    table->MakeSignature = make_signature;
    table->QueryContextAttributes = query_context;
    table->GetContextToken = get_context_token;
    table->ExportContext = export_context;
    table->ImportContext = import_context;
}
