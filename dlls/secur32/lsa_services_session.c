/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logon sessions, the credentials in them, and tokens, as packages ask for them. */
#include "load_lsa.h"
#include "lsa_account.h"
#include "lsa_services.h"
#include "ssp/trace.h"

#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

TRACE_CHANNEL("sspi");

NTSTATUS NTAPI service_session_create(PLUID id)
{
    if (!id) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = session_create(id);
    TRACE("%08lx%08lx: status %#lx\n", id->HighPart, id->LowPart, (ULONG)status);
    return status;
}

NTSTATUS NTAPI service_session_delete(PLUID id)
{
    if (!id) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = session_delete(id);
    TRACE("%08lx%08lx: status %#lx\n", id->HighPart, id->LowPart, (ULONG)status);
    return status;
}

/* ---- credentials ---- */

NTSTATUS NTAPI service_credential_add(PLUID id, ULONG package, PLSA_STRING key,
                                      PLSA_STRING credential)
{
    if (!id || !key || !credential) return STATUS_INVALID_PARAMETER;
    return session_credential_add(id, package, key, credential);
}

/* Takes the value out, which is the caller's from then on (service_heap_free). */
static NTSTATUS value_give(const struct session_credential *found, LSA_STRING *out)
{
    char *value = service_heap_allocate(found->value.Length + 1u);
    if (!value) return STATUS_NO_MEMORY;
    memcpy(value, found->value.Buffer, found->value.Length);
    *out = (LSA_STRING){found->value.Length, found->value.Length, value};
    return STATUS_SUCCESS;
}

/* One credential a call. A key that does not fit is asked for again with more room. */
NTSTATUS NTAPI service_credentials_get(PLUID id, ULONG package, PULONG query, BOOLEAN all,
                                       PLSA_STRING key, PULONG key_size, PLSA_STRING credentials)
{
    if (!id || !query || !key || !credentials) return STATUS_INVALID_PARAMETER;
    struct session_credential *found = NULL;
    ULONG position = *query;
    NTSTATUS status = session_credential_get(id, package, all ? NULL : key, &position, &found);
    if (status < 0) return status;
    if (all && key_size) *key_size = found->key.Length;
    if (all && (!key->Buffer || key->MaximumLength < found->key.Length))
        status = STATUS_MORE_ENTRIES;
    else status = value_give(found, credentials);
    if (status == STATUS_SUCCESS) {
        if (all) {
            memcpy(key->Buffer, found->key.Buffer, found->key.Length);
            key->Length = found->key.Length;
        }
        *query = position;
    }
    session_credential_free(found);
    return status;
}

NTSTATUS NTAPI service_credential_delete(PLUID id, ULONG package, PLSA_STRING key)
{
    if (!id || !key) return STATUS_INVALID_PARAMETER;
    return session_credential_delete(id, package, key);
}

/* ---- tokens ---- */

NTSTATUS NTAPI service_token_create(PLUID id, PTOKEN_SOURCE source, SECURITY_LOGON_TYPE type,
                                    SECURITY_IMPERSONATION_LEVEL level,
                                    LSA_TOKEN_INFORMATION_TYPE info_type, PVOID info,
                                    PTOKEN_GROUPS groups, PUNICODE_STRING account,
                                    PUNICODE_STRING authority, PUNICODE_STRING workstation,
                                    PUNICODE_STRING profile, PHANDLE token, PNTSTATUS sub_status)
{
    if (!id || !token) return STATUS_INVALID_PARAMETER;
    if (!session_exists(id)) return STATUS_NO_SUCH_LOGON_SESSION;
    NTSTATUS status = account_token(info_type, info, type, level, groups, token);
    if (sub_status) *sub_status = status;
    return status;
}

NTSTATUS NTAPI service_token_create_ex(PLUID id, PTOKEN_SOURCE source, SECURITY_LOGON_TYPE type,
                                       SECURITY_IMPERSONATION_LEVEL level,
                                       LSA_TOKEN_INFORMATION_TYPE info_type, PVOID info,
                                       PTOKEN_GROUPS groups, PUNICODE_STRING workstation,
                                       PUNICODE_STRING profile, PVOID session,
                                       SECPKG_SESSIONINFO_TYPE kind, PHANDLE token,
                                       PNTSTATUS sub_status)
{
    return service_token_create(id, source, type, level, info_type, info, groups, NULL, NULL,
                                workstation, profile, token, sub_status);
}

/* Authorization data are those of a domain's account, which the user of a prefix is not. */
NTSTATUS NTAPI service_token_convert(PVOID data, ULONG size, SECURITY_IMPERSONATION_LEVEL level,
                                     PTOKEN_SOURCE source, SECURITY_LOGON_TYPE type,
                                     PUNICODE_STRING authority, PHANDLE token, PLUID id,
                                     PUNICODE_STRING account, PNTSTATUS sub_status)
{
    if (!data || !token) return STATUS_INVALID_PARAMETER;
    WARN("refused: no token for an account of a domain\n");
    if (sub_status) *sub_status = STATUS_NOT_SUPPORTED;
    return STATUS_NOT_SUPPORTED;
}

/* Every session here is one of the user of the process, except the system's. */
NTSTATUS NTAPI service_token_open(PLUID id, HANDLE *token)
{
    if (!id || !token) return STATUS_INVALID_PARAMETER;
    struct session_facts facts = {0};
    NTSTATUS status = session_facts_get(id, &facts);
    if (status < 0) return status;
    bool has_user = facts.sid != NULL;
    session_facts_free(&facts);
    if (!has_user) return STATUS_ACCESS_DENIED;
    return OpenProcessToken(GetCurrentProcess(), MAXIMUM_ALLOWED, token) ? STATUS_SUCCESS
                                                                         : STATUS_ACCESS_DENIED;
}

NTSTATUS NTAPI service_user_protected(HANDLE token, BOOLEAN *is_protected)
{
    if (!is_protected) return STATUS_INVALID_PARAMETER;
    return account_is_protected(token, is_protected);
}
