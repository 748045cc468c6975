/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers and texts of authentication packages, see ssp/logon.h. */
#include "ssp/logon.h"

#include "core/crypto.h"
#include "core/secret.h"
#include "ssp/provider.h"

#include <stdlib.h>
#include <string.h>

NTSTATUS nt_status(status_t status)
{
    switch (status) {
    case SEC_E_OK: return STATUS_SUCCESS;
    case SEC_E_LOGON_DENIED: return STATUS_LOGON_FAILURE;
    case SEC_E_NO_AUTHENTICATING_AUTHORITY: return STATUS_NO_LOGON_SERVERS;
    case SEC_E_NO_CREDENTIALS: return STATUS_NO_SUCH_LOGON_SESSION;
    case SEC_E_INVALID_PARAMETER: return STATUS_INVALID_PARAMETER;
    case SEC_E_INSUFFICIENT_MEMORY: return STATUS_NO_MEMORY;
    case SEC_E_NOT_OWNER: return STATUS_ACCESS_DENIED;
    case SEC_E_UNSUPPORTED_FUNCTION: return STATUS_NOT_SUPPORTED;
    default: return STATUS_INTERNAL_ERROR;
    }
}

/* Four numbers: a domain's 96 bits, and one from 1000 on. */
bool account_sid_make(struct slice domain, char separator, struct slice name, SID *out)
{
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    const struct slice parts[] = {domain, {(const uint8_t *)&separator, 1}, name};
    uint8_t of_domain[16], of_name[16];
    uint32_t numbers[4];
    if (!status_ok(md5(parts, 1, of_domain)) || !status_ok(md5(parts, 3, of_name))) return false;
    memcpy(numbers, of_domain, 12);
    memcpy(&numbers[3], of_name, 4);
    InitializeSid(out, &authority, 5);
    *GetSidSubAuthority(out, 0) = SECURITY_NT_NON_UNIQUE;
    for (DWORD i = 0; i < 3; i++) *GetSidSubAuthority(out, i + 1) = numbers[i];
    *GetSidSubAuthority(out, 4) = 1000 + numbers[3] % 0x7ffffc00;
    return true;
}

NTSTATUS client_allocate(PLSA_CLIENT_REQUEST request, size_t size, void **out)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    if (host && host->AllocateClientBuffer)
        return host->AllocateClientBuffer(request, (ULONG)size, out);
    *out = package_alloc(size);
    return *out ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

void client_free(PLSA_CLIENT_REQUEST request, void *block)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    if (!block) return;
    if (host && host->FreeClientBuffer) host->FreeClientBuffer(request, block);
    else package_free(block);
}

NTSTATUS client_write(PLSA_CLIENT_REQUEST request, void *to, void *from, size_t size)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    if (host && host->CopyToClientBuffer)
        return host->CopyToClientBuffer(request, (ULONG)size, to, from);
    memcpy(to, from, size);
    return STATUS_SUCCESS;
}

NTSTATUS image_open(struct image *image, PLSA_CLIENT_REQUEST request, size_t structure,
                    size_t parts)
{
    void *client = NULL;
    size_t size = image_part(structure) + parts;
    *image = (struct image){.request = request, .size = size};
    uint8_t *bytes = calloc(1, size);
    if (!bytes) return STATUS_NO_MEMORY;
    NTSTATUS status = client_allocate(request, size, &client);
    if (status < 0) {
        free(bytes);
        return status;
    }
    image->bytes = bytes;
    image->client = client;
    image->used = image_part(structure);
    return STATUS_SUCCESS;
}

void *image_room(const struct image *image, const void *client)
{
    return image->bytes + ((const uint8_t *)client - image->client);
}

void *image_add(struct image *image, const void *bytes, size_t size)
{
    void *client = image->client + image->used;
    if (bytes && size) memcpy(image->bytes + image->used, bytes, size);
    image->used += image_part(size);
    return client;
}

void image_add_text(struct image *image, UNICODE_STRING *out, struct slice text)
{
    out->Length = out->MaximumLength = (USHORT)text.size;
    out->Buffer = image_add(image, text.data, text.size);
}

NTSTATUS image_send(struct image *image, void **out, ULONG *size)
{
    NTSTATUS status = client_write(image->request, image->client, image->bytes, image->size);
    if (status >= 0) {
        *out = image->client;
        *size = (ULONG)image->size;
        image->client = NULL;
    }
    image_discard(image);
    return status;
}

void image_discard(struct image *image)
{
    secret_free(image->bytes, image->size);
    client_free(image->request, image->client);
    image->bytes = image->client = NULL;
}

/* ---- texts ---- */

bool text_set(UNICODE_STRING *out, struct slice text)
{
    wchar_t *copy = package_alloc(text.size + sizeof(wchar_t));
    if (!copy) return false;
    if (text.size) memcpy(copy, text.data, text.size);
    copy[text.size / sizeof(wchar_t)] = 0;
    *out = (UNICODE_STRING){(USHORT)text.size, (USHORT)(text.size + sizeof(wchar_t)), copy};
    return true;
}

void text_clear(UNICODE_STRING *text)
{
    if (text->Buffer) secret_wipe(text->Buffer, text->Length);
    package_free(text->Buffer);
    *text = (UNICODE_STRING){0, 0, NULL};
}

UNICODE_STRING *text_make(struct slice text)
{
    UNICODE_STRING *made = package_alloc(sizeof(*made));
    if (made && text_set(made, text)) return made;
    package_free(made);
    return NULL;
}

void text_free(UNICODE_STRING *text)
{
    if (text) text_clear(text);
    package_free(text);
}
