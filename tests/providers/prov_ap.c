/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prov_ap.dll: an authentication package of the older kind, for tests of the code that hosts such
 * modules: nothing of it belongs to SSPI ([D LSA_AP_INITIALIZE_PACKAGE]). Package "TestAp" answers
 * a call with the message it got, the first byte replaced by what it was called through.
 */
#include "prov_ap.h"

#include <string.h>

static LSA_DISPATCH_TABLE *lsa;
static struct prov_ap_counters counters;

struct prov_ap_counters *WINAPI prov_ap_counters_get(void)
{
    return &counters;
}

NTSTATUS NTAPI LsaApInitializePackage(ULONG id, PLSA_DISPATCH_TABLE dispatch, PLSA_STRING database,
                                      PLSA_STRING confidentiality, PLSA_STRING *name)
{
    static const char text[] = "TestAp";
    (void)database, (void)confidentiality;
    if (!dispatch || !dispatch->AllocateLsaHeap || !name) return STATUS_INVALID_PARAMETER;
    LSA_STRING *made = dispatch->AllocateLsaHeap(sizeof(*made) + sizeof(text));
    if (!made) return STATUS_NO_MEMORY;
    made->Buffer = memcpy(made + 1, text, sizeof(text));
    made->Length = sizeof(text) - 1;
    made->MaximumLength = sizeof(text);
    *name = made;
    lsa = dispatch;
    counters.id = id;
    counters.initialized++;
    return STATUS_SUCCESS;
}

static NTSTATUS answer(char through, void *in, ULONG size, void **out, ULONG *out_size,
                       NTSTATUS *protocol_status)
{
    void *room;
    if (!size) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = lsa->AllocateClientBuffer(NULL, size, &room);
    if (status) return status;
    memcpy(room, in, size);
    *(char *)room = through;
    *out = room;
    *out_size = size;
    *protocol_status = STATUS_SUCCESS;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI LsaApCallPackage(PLSA_CLIENT_REQUEST request, PVOID in, PVOID base, ULONG size,
                                PVOID *out, PULONG out_size, PNTSTATUS protocol_status)
{
    (void)request, (void)base;
    return answer(PROV_AP_TRUSTED, in, size, out, out_size, protocol_status);
}

NTSTATUS NTAPI LsaApCallPackageUntrusted(PLSA_CLIENT_REQUEST request, PVOID in, PVOID base,
                                         ULONG size, PVOID *out, PULONG out_size,
                                         PNTSTATUS protocol_status)
{
    (void)request, (void)base;
    return answer(PROV_AP_UNTRUSTED, in, size, out, out_size, protocol_status);
}

NTSTATUS NTAPI LsaApLogonUser(PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE type, PVOID in,
                              PVOID base, ULONG size, PVOID *profile, PULONG profile_size,
                              PLUID logon_id, PNTSTATUS sub_status,
                              PLSA_TOKEN_INFORMATION_TYPE token_type, PVOID *token,
                              PLSA_UNICODE_STRING *account, PLSA_UNICODE_STRING *authority)
{
    (void)request, (void)type, (void)in, (void)base, (void)size, (void)profile, (void)profile_size;
    (void)logon_id, (void)sub_status, (void)token_type, (void)token, (void)account, (void)authority;
    counters.logons++;
    return STATUS_LOGON_FAILURE;
}

void NTAPI LsaApLogonTerminated(PLUID logon_id)
{
    (void)logon_id;
}
