/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an SSP/AP is told of the machine when it is initialised (SECPKG_PARAMETERS). A Wine prefix
 * is a machine that belongs to no domain: the domain that its accounts have is the machine itself.
 * All is for the life of the process, since packages may keep the pointers.
 */
#include "load_lsa.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

static SECPKG_PARAMETERS parameters = {
    .Version = SECPKG_INTERFACE_VERSION,
    .MachineState = SECPKG_STATE_ENCRYPTION_PERMITTED | SECPKG_STATE_STRONG_ENCRYPTION_PERMITTED |
                    SECPKG_STATE_STANDALONE,
};

/* The name of a kind, or an empty text; never NULL. */
static void name_read(COMPUTER_NAME_FORMAT kind, WCHAR *room, DWORD capacity, UNICODE_STRING *name)
{
    DWORD length = capacity;
    if (!GetComputerNameExW(kind, room, &length)) length = 0;
    room[length] = 0;
    name->Buffer = room;
    name->Length = (USHORT)(length * sizeof(WCHAR));
    name->MaximumLength = (USHORT)((length + 1) * sizeof(WCHAR));
}

/* The SID that those of local accounts begin with; NULL when the system has none. */
static PSID machine_sid_read(void)
{
    static BYTE room[SECURITY_MAX_SID_SIZE];
    LSA_OBJECT_ATTRIBUTES attributes = {.Length = sizeof(attributes)};
    POLICY_ACCOUNT_DOMAIN_INFO *domain = NULL;
    LSA_HANDLE policy;
    if (LsaOpenPolicy(NULL, &attributes, POLICY_VIEW_LOCAL_INFORMATION, &policy)) return NULL;
    NTSTATUS status = LsaQueryInformationPolicy(policy, PolicyAccountDomainInformation,
                                                (void **)&domain);
    LsaClose(policy);
    if (status || !domain) return NULL;
    bool copied = domain->DomainSid && CopySid(sizeof(room), room, domain->DomainSid);
    LsaFreeMemory(domain);
    return copied ? room : NULL;
}

static BOOL CALLBACK parameters_read(INIT_ONCE *once, void *parameter, void **context)
{
    static WCHAR netbios_name[MAX_COMPUTERNAME_LENGTH + 1], dns_domain[256];
    (void)once;
    (void)parameter;
    (void)context;
    name_read(ComputerNameNetBIOS, netbios_name, ARRAYSIZE(netbios_name), &parameters.DomainName);
    name_read(ComputerNameDnsDomain, dns_domain, ARRAYSIZE(dns_domain), &parameters.DnsDomainName);
    parameters.DomainSid = machine_sid_read();
    if (!parameters.DomainSid) WARN("the machine has no SID\n");
    return TRUE;
}

SECPKG_PARAMETERS *lsa_parameters(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    InitOnceExecuteOnce(&once, parameters_read, NULL, NULL);
    return &parameters;
}
