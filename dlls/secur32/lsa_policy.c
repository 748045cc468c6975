/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LsaRegisterPolicyChangeNotification: an event that is signalled when the registry changes where
 * the policy of a class is kept. Nothing is watched while nobody has registered.
 */
#include "exports.h"
#include "ssp/trace.h"
#include "watch.h"

#include <stdlib.h>

TRACE_CHANNEL("sspi");

#define CONTROL_KEY L"SYSTEM\\CurrentControlSet\\Control\\"
#define SERVICES_KEY L"SYSTEM\\CurrentControlSet\\Services\\"

static const WCHAR *const class_keys[PolicyNotifyMax] = {
    [PolicyNotifyAuditEventsInformation] = CONTROL_KEY L"Lsa",
    [PolicyNotifyAccountDomainInformation] = CONTROL_KEY L"ComputerName",
    [PolicyNotifyServerRoleInformation] = CONTROL_KEY L"ProductOptions",
    [PolicyNotifyDnsDomainInformation] = SERVICES_KEY L"Tcpip\\Parameters",
    [PolicyNotifyDomainEfsInformation] = L"SOFTWARE\\Policies\\Microsoft\\SystemCertificates\\EFS",
    [PolicyNotifyDomainKerberosTicketInformation] = CONTROL_KEY L"Lsa\\Kerberos",
    [PolicyNotifyMachineAccountPasswordInformation] = SERVICES_KEY L"Netlogon\\Parameters",
    [PolicyNotifyGlobalSaclInformation] = CONTROL_KEY L"Lsa",
};

struct registration {
    struct registration *next;
    POLICY_NOTIFICATION_INFORMATION_CLASS class;
    HANDLE given; /* by which the caller unregisters */
    HANDLE event; /* ours, of the same event */
    struct watch *watch;
};

static SRWLOCK registrations_lock = SRWLOCK_INIT;
static struct registration *registrations;

static void policy_changed(void *argument)
{
    const struct registration *registration = argument;
    TRACE("class %d\n", registration->class);
    SetEvent(registration->event);
}

static void registration_free(struct registration *registration)
{
    watch_free(registration->watch);
    if (registration->event) CloseHandle(registration->event);
    free(registration);
}

NTSTATUS WINAPI LsaRegisterPolicyChangeNotification(POLICY_NOTIFICATION_INFORMATION_CLASS class,
                                                    HANDLE event)
{
    if (class < PolicyNotifyAuditEventsInformation || class >= PolicyNotifyMax)
        return STATUS_INVALID_PARAMETER;
    struct registration *made = calloc(1, sizeof(*made));
    if (!made) return STATUS_NO_MEMORY;
    made->class = class;
    made->given = event;
    HANDLE process = GetCurrentProcess();
    if (!DuplicateHandle(process, event, process, &made->event, EVENT_MODIFY_STATE, FALSE, 0)) {
        registration_free(made);
        return STATUS_INVALID_HANDLE;
    }
    made->watch = watch_create(class_keys[class], policy_changed, made);
    if (!made->watch) {
        registration_free(made);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    AcquireSRWLockExclusive(&registrations_lock);
    made->next = registrations;
    registrations = made;
    ReleaseSRWLockExclusive(&registrations_lock);
    return STATUS_SUCCESS;
}

NTSTATUS WINAPI LsaUnregisterPolicyChangeNotification(POLICY_NOTIFICATION_INFORMATION_CLASS class,
                                                      HANDLE event)
{
    AcquireSRWLockExclusive(&registrations_lock);
    struct registration **at = &registrations;
    while (*at && ((*at)->class != class || (*at)->given != event)) at = &(*at)->next;
    struct registration *found = *at;
    if (found) *at = found->next;
    ReleaseSRWLockExclusive(&registrations_lock);
    if (!found) return STATUS_INVALID_PARAMETER;
    registration_free(found);
    return STATUS_SUCCESS;
}
