/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LsaRegisterPolicyChangeNotification ([D lsaregisterpolicychangenotification]). What a change of
 * the registry has to do with it is ours: there a policy changes by its values.
 */
#include "ssp/abi.h"
#include "support.h"

#define LSA_KEY L"SYSTEM\\CurrentControlSet\\Control\\Lsa"
#define PATIENCE 5000 /* ms that a notice may take */

static const struct saved_value probe = {.key = LSA_KEY, .name = L"winesspi-test-policy"};

static bool policy_change(void)
{
    static DWORD number;
    number++;
    return value_set(&probe, REG_DWORD, &number, sizeof(number));
}

static void test_notice(void)
{
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    NTSTATUS status = LsaRegisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation,
                                                          event);
    ok(!status, "registering: %08lx", status);
    ok(WaitForSingleObject(event, 50) == WAIT_TIMEOUT, "signalled before the change");
    for (int i = 0; i < 3 && ours_only(); i++) {
        ok(policy_change(), "no change");
        ok(!WaitForSingleObject(event, PATIENCE), "change %d is not told", i);
        /* What one change causes may come in two notices. */
        while (!WaitForSingleObject(event, 100)) continue;
    }
    status = LsaUnregisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation, event);
    ok(!status, "unregistering: %08lx", status);
    ok(!running_on_ours() || policy_change(), "no change");
    ok(WaitForSingleObject(event, 200) == WAIT_TIMEOUT, "signalled afterwards");
    CloseHandle(event);
}

/* Two registrations of one class, ended in turn. */
static void test_two(void)
{
    if (!ours_only()) return;
    HANDLE events[2];
    for (int i = 0; i < 2; i++) {
        events[i] = CreateEventW(NULL, TRUE, FALSE, NULL);
        NTSTATUS status = LsaRegisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation,
                                                              events[i]);
        ok(!status, "registering: %08lx", status);
    }
    LsaUnregisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation, events[0]);
    ok(policy_change(), "no change");
    ok(!WaitForSingleObject(events[1], PATIENCE), "the second is not told");
    ok(WaitForSingleObject(events[0], 50) == WAIT_TIMEOUT, "the first is told");
    LsaUnregisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation, events[1]);
    for (int i = 0; i < 2; i++) CloseHandle(events[i]);
}

static void test_every_class(void)
{
    if (!ours_only()) return;
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    for (int class = PolicyNotifyAuditEventsInformation; class < PolicyNotifyMax; class ++) {
        NTSTATUS status = LsaRegisterPolicyChangeNotification(class, event);
        ok(!status, "class %d: %08lx", class, status);
        status = LsaUnregisterPolicyChangeNotification(class, event);
        ok(!status, "class %d, unregistering: %08lx", class, status);
    }
    CloseHandle(event);
}

static void test_refused(void)
{
    if (!ours_only()) return;
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    NTSTATUS status = LsaRegisterPolicyChangeNotification(0, event);
    ok(status == STATUS_INVALID_PARAMETER, "class 0: %08lx", status);
    status = LsaRegisterPolicyChangeNotification(PolicyNotifyMax, event);
    ok(status == STATUS_INVALID_PARAMETER, "class too high: %08lx", status);
    status = LsaRegisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation, NULL);
    ok(status == STATUS_INVALID_HANDLE, "no event: %08lx", status);
    status = LsaUnregisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation, event);
    ok(status == STATUS_INVALID_PARAMETER, "never registered: %08lx", status);
    CloseHandle(event);
}

int main(void)
{
    RUN(test_notice);
    RUN(test_two);
    RUN(test_every_class);
    RUN(test_refused);
    if (running_on_ours()) value_restore(&probe);
    return test_end("api_lsa_policy");
}
