/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Targets: the host that a target's name means, and the flat form of target information, which is
 * ours (core/target.h), since Windows' own is not published.
 */
#include "core/target.h"

#include "opaque.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("sspi");

/* ntsecpkg.h declares the two with another calling convention. */
NTSTATUS WINAPI cred_marshal_target_info(CREDENTIAL_TARGET_INFORMATIONW *info, USHORT **out,
                                         ULONG *size);
NTSTATUS WINAPI cred_unmarshal_target_info(USHORT *in, ULONG size,
                                           CREDENTIAL_TARGET_INFORMATIONW **out, ULONG *used);
SECURITY_STATUS WINAPI SspiGetComputerNameForSPN(const WCHAR *target, WCHAR **name);

SECURITY_STATUS WINAPI SspiGetTargetHostName(PCWSTR target, PWSTR *host)
{
    if (!target || !host) return SEC_E_INVALID_PARAMETER;
    struct slice found = target_host(opaque_text(target));
    return found.size ? opaque_give_text(found, host) : SEC_E_TARGET_UNKNOWN;
}

/* No more than its name is published. */
SECURITY_STATUS WINAPI SspiGetComputerNameForSPN(const WCHAR *target, WCHAR **name)
{
    (void)target;
    (void)name;
    WARN("what this function does is not published\n");
    return SEC_E_UNSUPPORTED_FUNCTION;
}

/* ---- target information ---- */

static NTSTATUS to_ntstatus(status_t status)
{
    if (status_ok(status)) return STATUS_SUCCESS;
    return status == SEC_E_INSUFFICIENT_MEMORY ? STATUS_NO_MEMORY : STATUS_INVALID_PARAMETER;
}

/* The names in the order of enum target_name. */
static void names_list(CREDENTIAL_TARGET_INFORMATIONW *info, WCHAR **names[TARGET_NAMES])
{
    names[TARGET_NAME] = &info->TargetName;
    names[TARGET_NETBIOS_SERVER] = &info->NetbiosServerName;
    names[TARGET_DNS_SERVER] = &info->DnsServerName;
    names[TARGET_NETBIOS_DOMAIN] = &info->NetbiosDomainName;
    names[TARGET_DNS_DOMAIN] = &info->DnsDomainName;
    names[TARGET_DNS_TREE] = &info->DnsTreeName;
    names[TARGET_PACKAGE] = &info->PackageName;
}

NTSTATUS WINAPI cred_marshal_target_info(CREDENTIAL_TARGET_INFORMATIONW *info, USHORT **out,
                                         ULONG *size)
{
    struct target_info flat = {.type_count = 0};
    WCHAR **names[TARGET_NAMES], *text;
    struct writer w;
    if (!info || !out || !size || info->CredTypeCount > TARGET_TYPES_MAX ||
        (info->CredTypeCount && !info->CredTypes))
        return STATUS_INVALID_PARAMETER;
    names_list(info, names);
    for (int i = 0; i < TARGET_NAMES; i++) flat.names[i] = opaque_text(*names[i]);
    flat.flags = info->Flags;
    flat.type_count = info->CredTypeCount;
    for (size_t i = 0; i < flat.type_count; i++) flat.types[i] = info->CredTypes[i];

    writer_init(&w);
    status_t status = target_info_encode(&flat, &w);
    if (status_ok(status)) status = opaque_give_text(writer_view(&w), &text);
    if (status_ok(status)) {
        *out = text;
        *size = (ULONG)w.size;
    }
    writer_free(&w);
    return to_ntstatus(status);
}

static WCHAR *name_put(BYTE **at, struct slice name)
{
    if (!name.data) return NULL;
    WCHAR *text = (WCHAR *)*at;
    memcpy(text, name.data, name.size);
    text[name.size / sizeof(WCHAR)] = 0;
    *at += name.size + sizeof(WCHAR);
    return text;
}

/* One block: the structure, the types, the names. */
static status_t info_give(const struct target_info *flat, CREDENTIAL_TARGET_INFORMATIONW **out)
{
    size_t size = sizeof(**out) + flat->type_count * sizeof(DWORD);
    WCHAR **names[TARGET_NAMES];
    for (int i = 0; i < TARGET_NAMES; i++) size += flat->names[i].size + sizeof(WCHAR);
    CREDENTIAL_TARGET_INFORMATIONW *info = HeapAlloc(GetProcessHeap(), 0, size);
    if (!info) return SEC_E_INSUFFICIENT_MEMORY;

    info->Flags = flat->flags;
    info->CredTypeCount = (DWORD)flat->type_count;
    info->CredTypes = flat->type_count ? (DWORD *)(info + 1) : NULL;
    for (size_t i = 0; i < flat->type_count; i++) info->CredTypes[i] = flat->types[i];
    BYTE *at = (BYTE *)(info + 1) + flat->type_count * sizeof(DWORD);
    names_list(info, names);
    for (int i = 0; i < TARGET_NAMES; i++) *names[i] = name_put(&at, flat->names[i]);
    *out = info;
    return SEC_E_OK;
}

NTSTATUS WINAPI cred_unmarshal_target_info(USHORT *in, ULONG size,
                                           CREDENTIAL_TARGET_INFORMATIONW **out, ULONG *used)
{
    struct target_info flat;
    struct writer room;
    size_t flat_size;
    if (!in || !out) return STATUS_INVALID_PARAMETER;
    writer_init(&room);
    struct slice text = {(const uint8_t *)in, size};
    status_t status = target_info_decode(text, &room, &flat, &flat_size);
    if (status_ok(status)) status = info_give(&flat, out);
    if (status_ok(status) && used) *used = (ULONG)flat_size;
    writer_free(&room);
    return to_ntstatus(status);
}
