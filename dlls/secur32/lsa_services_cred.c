/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's stored credentials for packages: what advapi32's CredRead and its kin have, in the
 * form of ENCRYPTED_CREDENTIALW. A package that does not ask for clear passwords gets the secret as
 * LsaProtectMemory leaves it, filled up to whole blocks of 16 bytes.
 */
#include "lsa_services.h"
#include "lsa_session.h"

#include <string.h>
#include <wchar.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define BLOB_ROUND(size) (((size) + 15u) & ~15u)

/* Before each credential: the block that it is in. That of the first of an array is the array's. */
struct cred_block {
    void *base;
    ENCRYPTED_CREDENTIALW credential;
};

static NTSTATUS error_status(DWORD error)
{
    switch (error) {
    case ERROR_NOT_FOUND: return STATUS_NOT_FOUND;
    case ERROR_NO_SUCH_LOGON_SESSION: return STATUS_NO_SUCH_LOGON_SESSION;
    case ERROR_INVALID_PARAMETER: return STATUS_INVALID_PARAMETER;
    case ERROR_INVALID_FLAGS: return STATUS_INVALID_PARAMETER;
    case ERROR_CALL_NOT_IMPLEMENTED: return STATUS_NOT_IMPLEMENTED;
    case ERROR_NOT_ENOUGH_MEMORY: return STATUS_NO_MEMORY;
    default: return STATUS_UNSUCCESSFUL;
    }
}

/* Other users' credentials are not this process's to read. */
static bool is_own_session(const LUID *id)
{
    LUID own = session_own_id();
    return !id || SecIsZeroLuid(id) || SecEqualLuid(id, &own);
}

static size_t text_room(const WCHAR *text)
{
    return text ? (wcslen(text) + 1) * sizeof(*text) : 0;
}

static WCHAR *text_put(BYTE **at, const WCHAR *text)
{
    if (!text) return NULL;
    WCHAR *copy = memcpy(*at, text, text_room(text));
    *at += text_room(text);
    return copy;
}

/* The block starts with `before` bytes for its maker. The blob comes first behind the structures,
 * aligned; then the attributes' values and all text. */
static void *cred_copy(const CREDENTIALW *from, size_t before, bool clear,
                       ENCRYPTED_CREDENTIALW **out)
{
    ULONG blob_size = clear ? from->CredentialBlobSize : BLOB_ROUND(from->CredentialBlobSize);
    size_t attributes = from->AttributeCount * sizeof(*from->Attributes);
    size_t size = before + sizeof(struct cred_block) + attributes + BLOB_ROUND(blob_size) +
                  text_room(from->TargetName) + text_room(from->Comment) +
                  text_room(from->TargetAlias) + text_room(from->UserName);
    for (DWORD i = 0; i < from->AttributeCount; i++)
        size += text_room(from->Attributes[i].Keyword) + BLOB_ROUND(from->Attributes[i].ValueSize);
    BYTE *base = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
    if (!base) return NULL;

    struct cred_block *block = (struct cred_block *)(base + before);
    CREDENTIALW *cred = &block->credential.Cred;
    block->base = base;
    *cred = *from;
    cred->Attributes = attributes ? (CREDENTIAL_ATTRIBUTEW *)(block + 1) : NULL;
    BYTE *at = (BYTE *)(block + 1) + attributes;
    cred->CredentialBlob = blob_size ? at : NULL;
    cred->CredentialBlobSize = blob_size;
    if (blob_size) memcpy(at, from->CredentialBlob, from->CredentialBlobSize);
    if (!clear) lsa_memory_protect(at, blob_size);
    block->credential.ClearCredentialBlobSize = from->CredentialBlobSize;
    at += BLOB_ROUND(blob_size);
    for (DWORD i = 0; i < from->AttributeCount; i++) {
        const CREDENTIAL_ATTRIBUTEW *attribute = &from->Attributes[i];
        cred->Attributes[i] = *attribute;
        cred->Attributes[i].Value = at;
        if (attribute->ValueSize) memcpy(at, attribute->Value, attribute->ValueSize);
        at += BLOB_ROUND(attribute->ValueSize);
        cred->Attributes[i].Keyword = text_put(&at, attribute->Keyword);
    }
    cred->TargetName = text_put(&at, from->TargetName);
    cred->Comment = text_put(&at, from->Comment);
    cred->TargetAlias = text_put(&at, from->TargetAlias);
    cred->UserName = text_put(&at, from->UserName);
    *out = &block->credential;
    return base;
}

NTSTATUS NTAPI service_cred_read(PLUID id, ULONG cred_flags, LPWSTR target, ULONG type, ULONG flags,
                                 PENCRYPTED_CREDENTIALW *out)
{
    CREDENTIALW *found;
    ENCRYPTED_CREDENTIALW *made;
    if (!target || !out) return STATUS_INVALID_PARAMETER;
    if (!is_own_session(id)) return STATUS_NO_SUCH_LOGON_SESSION;
    if (!CredReadW(target, type, flags, &found)) return error_status(GetLastError());
    void *block = cred_copy(found, 0, cred_flags & CREDP_FLAGS_CLEAR_PASSWORD, &made);
    SecureZeroMemory(found->CredentialBlob, found->CredentialBlobSize);
    CredFree(found);
    if (!block) return STATUS_NO_MEMORY;
    *out = made;
    return STATUS_SUCCESS;
}

/* From the last one on: the first brings the array along. */
void NTAPI service_cred_free(ULONG count, PENCRYPTED_CREDENTIALW *credentials)
{
    while (credentials && count--) {
        ENCRYPTED_CREDENTIALW *credential = credentials[count];
        if (!credential) continue;
        struct cred_block *block = CONTAINING_RECORD(credential, struct cred_block, credential);
        if (credential->Cred.CredentialBlob)
            SecureZeroMemory(credential->Cred.CredentialBlob, credential->Cred.CredentialBlobSize);
        HeapFree(GetProcessHeap(), 0, block->base);
    }
}

NTSTATUS NTAPI service_cred_read_domain(PLUID id, ULONG cred_flags,
                                        PCREDENTIAL_TARGET_INFORMATIONW info, ULONG flags,
                                        PULONG count, PENCRYPTED_CREDENTIALW **out)
{
    CREDENTIALW **found;
    DWORD found_count = 0;
    bool clear = cred_flags & CREDP_FLAGS_CLEAR_PASSWORD;
    if (!info || !count || !out) return STATUS_INVALID_PARAMETER;
    if (!is_own_session(id)) return STATUS_NO_SUCH_LOGON_SESSION;
    if (!CredReadDomainCredentialsW(info, flags, &found_count, &found))
        return error_status(GetLastError());
    ENCRYPTED_CREDENTIALW **array = NULL;
    NTSTATUS status = found_count ? STATUS_SUCCESS : STATUS_NOT_FOUND;
    for (DWORD i = 0; i < found_count && status >= 0; i++) {
        ENCRYPTED_CREDENTIALW *made;
        /* Rounded, so that what follows the array is aligned as a block's start is. */
        size_t before = i ? 0 : BLOB_ROUND(found_count * sizeof(*array));
        void *block = cred_copy(found[i], before, clear, &made);
        if (block && !i) array = block;
        if (block) array[i] = made;
        else status = STATUS_NO_MEMORY;
    }
    for (DWORD i = 0; i < found_count; i++)
        SecureZeroMemory(found[i]->CredentialBlob, found[i]->CredentialBlobSize);
    CredFree(found);
    if (status < 0) {
        service_cred_free(array ? found_count : 0, array);
        return status;
    }
    *out = array;
    *count = found_count;
    return STATUS_SUCCESS;
}

/* The secret is clear with CREDP_FLAGS_CLEAR_PASSWORD, else as service_cred_read gives it. */
NTSTATUS NTAPI service_cred_write(PLUID id, ULONG cred_flags, PENCRYPTED_CREDENTIALW credential,
                                  ULONG flags)
{
    ENCRYPTED_CREDENTIALW *copy;
    if (!credential) return STATUS_INVALID_PARAMETER;
    if (!is_own_session(id)) return STATUS_NO_SUCH_LOGON_SESSION;
    if (credential->ClearCredentialBlobSize > credential->Cred.CredentialBlobSize)
        return STATUS_INVALID_PARAMETER;
    bool clear = cred_flags & CREDP_FLAGS_CLEAR_PASSWORD;
    void *block = cred_copy(&credential->Cred, 0, true, &copy);
    if (!block) return STATUS_NO_MEMORY;
    if (!clear) {
        lsa_memory_unprotect(copy->Cred.CredentialBlob, copy->Cred.CredentialBlobSize);
        copy->Cred.CredentialBlobSize = credential->ClearCredentialBlobSize;
    }
    NTSTATUS status = CredWriteW(&copy->Cred, flags) ? STATUS_SUCCESS
                                                     : error_status(GetLastError());
    copy->Cred.CredentialBlobSize = credential->Cred.CredentialBlobSize;
    service_cred_free(1, &copy);
    return status;
}

/* Of this function the name is all that is public. */
NTSTATUS NTAPI service_cred_decode(WCHAR *text, BYTE **blob, ULONG *size, UCHAR *failure_is_fatal)
{
    return STATUS_NOT_SUPPORTED;
}
