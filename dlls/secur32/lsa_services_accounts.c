/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Accounts, as packages ask the LSA for them: there is no database of accounts behind it. Packages
 * keep their own, as ssp_ntlm does; of names, those that the system maps to a SID are known.
 */
#include "lsa_services.h"

#include <string.h>
#include <wchar.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

/* DS_NAME_FORMAT and DS_NAME_ERROR (ntdsapi.h) */
#define FORMAT_UNKNOWN 0u
#define FORMAT_NT4_ACCOUNT 2u
#define NAME_NOT_FOUND 2u
#define NAME_NO_MAPPING 4u

NTSTATUS NTAPI service_sam_open(PSECURITY_STRING name, SECPKG_NAME_TYPE type,
                                PSECURITY_STRING prefix, BOOLEAN allow_guest, ULONG reserved,
                                PVOID *user)
{
    return STATUS_NO_SUCH_USER;
}

/* No user is ever opened, so none of these handles is one. */
NTSTATUS NTAPI service_sam_credentials(PVOID user, PVOID *primary, PULONG primary_size,
                                       PVOID *supplemental, PULONG supplemental_size)
{
    return STATUS_INVALID_HANDLE;
}

NTSTATUS NTAPI service_sam_auth_data(PVOID user, PUCHAR *data, PULONG size)
{
    return STATUS_INVALID_HANDLE;
}

NTSTATUS NTAPI service_sam_close(PVOID user)
{
    return STATUS_INVALID_HANDLE;
}

NTSTATUS NTAPI service_user_auth_data(PSECURITY_STRING name, SECPKG_NAME_TYPE type,
                                      PSECURITY_STRING prefix, PUCHAR *data, PULONG size,
                                      PUNICODE_STRING flat_name)
{
    return STATUS_NO_SUCH_USER;
}

NTSTATUS NTAPI service_auth_data_expand(PUCHAR data, ULONG size, PVOID reserved, PUCHAR *out,
                                        PULONG out_size)
{
    return STATUS_NOT_SUPPORTED; /* groups of a domain */
}

NTSTATUS NTAPI service_account_password(UNICODE_STRING *account, UNICODE_STRING *domain, LONG fetch,
                                        FILETIME *expiry, UNICODE_STRING *current,
                                        UNICODE_STRING *previous, FILETIME *outbound_from)
{
    return STATUS_NO_SUCH_USER; /* such accounts are a domain's */
}

/* ---- names ---- */

/* AUTHORITY\name as the system writes it; false when it does not know the name. */
static bool name_normalise(const WCHAR *name, WCHAR *out, size_t room)
{
    BYTE sid[SECURITY_MAX_SID_SIZE];
    WCHAR user[257], domain[257];
    DWORD sid_size = sizeof(sid), user_size = ARRAYSIZE(user), domain_size = ARRAYSIZE(domain);
    SID_NAME_USE use;
    if (!LookupAccountNameW(NULL, name, sid, &sid_size, domain, &domain_size, &use)) return false;
    domain_size = ARRAYSIZE(domain);
    if (!LookupAccountSidW(NULL, sid, user, &user_size, domain, &domain_size, &use)) return false;
    if (wcslen(domain) + 1 + wcslen(user) >= room) return false;
    wcscpy(out, domain);
    wcscat(out, L"\\");
    wcscat(out, user);
    return true;
}

static NTSTATUS string_give(const WCHAR *text, UNICODE_STRING *out)
{
    USHORT size = (USHORT)(wcslen(text) * sizeof(*text));
    WCHAR *copy = service_heap_allocate(size + (ULONG)sizeof(*copy));
    if (!copy) return STATUS_NO_MEMORY;
    memcpy(copy, text, size);
    *out = (UNICODE_STRING){size, (USHORT)(size + sizeof(*copy)), copy};
    return STATUS_SUCCESS;
}

/* Off a domain, the form DOMAIN\user is the only one that there is. */
NTSTATUS NTAPI service_name_crack(ULONG offered, BOOLEAN at_gc, PUNICODE_STRING in,
                                  PUNICODE_STRING prefix, ULONG requested, PUNICODE_STRING out,
                                  PUNICODE_STRING dns_domain, PULONG sub_status)
{
    WCHAR name[520], cracked[520];
    if (!in || !out || !dns_domain || !sub_status) return STATUS_INVALID_PARAMETER;
    *sub_status = NAME_NO_MAPPING;
    if ((offered != FORMAT_NT4_ACCOUNT && offered != FORMAT_UNKNOWN) ||
        requested != FORMAT_NT4_ACCOUNT)
        return STATUS_NONE_MAPPED;
    *sub_status = NAME_NOT_FOUND;
    if (in->Length >= sizeof(name) || in->Length % sizeof(*name)) return STATUS_NONE_MAPPED;
    memcpy(name, in->Buffer, in->Length);
    name[in->Length / sizeof(*name)] = 0;
    if (!name_normalise(name, cracked, ARRAYSIZE(cracked))) return STATUS_NONE_MAPPED;
    NTSTATUS status = string_give(cracked, out);
    if (status < 0) return status;
    *dns_domain = (UNICODE_STRING){0, 0, NULL};
    *sub_status = 0;
    return STATUS_SUCCESS;
}
