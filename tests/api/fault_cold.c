/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process that is short of memory at its very first calls, when the list of packages is read and
 * their modules are loaded. One request is refused; what fails for it can be done afterwards.
 */
#include "fault.h"

#include "fault_memory.h"

static struct loopback loop;
static SECURITY_STATUS statuses[8];
static const char *const steps[] = {"EnumerateSecurityPackages", "NTLM", "Negotiate", "export",
                                    "GetUserNameEx"};

static SECURITY_STATUS list(void)
{
    SecPkgInfoW *infos;
    ULONG count;
    SECURITY_STATUS status = EnumerateSecurityPackagesW(&count, &infos);
    if (!status) FreeContextBuffer(infos);
    return status;
}

static SECURITY_STATUS connect(const wchar_t *package)
{
    SECURITY_STATUS status = loopback_make(&loop, package, NULL);
    if (status) return status;
    struct message message;
    message_set(&message, "text", 4);
    status = message_seal(&loop.client, &message);
    if (!status) status = message_open(&loop.server, &message);
    loopback_close(&loop);
    return status;
}

static SECURITY_STATUS transfer(void)
{
    static struct blob blob;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (status) return status;
    status = context_export(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    if (!status) context_forget(&loop.client);
    if (!status) status = context_import(L"NTLM", blob.bytes, blob.size, &loop.client);
    loopback_close(&loop);
    return status;
}

static SECURITY_STATUS name(void)
{
    wchar_t text[512];
    ULONG size = 512;
    LONG status = win32_answer(GetUserNameExW(NameSamCompatible, text, &size));
    return status == HRESULT_FROM_WIN32(ERROR_NOT_ENOUGH_MEMORY) ? SEC_E_INSUFFICIENT_MEMORY
                                                                 : status;
}

static void run(void)
{
    statuses[0] = list();
    statuses[1] = connect(L"NTLM");
    statuses[2] = connect(L"Negotiate");
    statuses[3] = transfer();
    statuses[4] = name();
}

int cold_main(unsigned nth)
{
    int wrong = 0;
    if (!memory_watch() || !memory_watch_loading()) return COLD_FAILED;
    memory_refuse(nth);
    run();
    memory_give();
    for (size_t i = 0; i < ARRAYSIZE(steps); i++) {
        /* What there was no memory to list is not there yet. */
        bool expected = statuses[i] == SEC_E_INSUFFICIENT_MEMORY ||
                        statuses[i] == SEC_E_SECPKG_NOT_FOUND ||
                        statuses[i] == SEC_E_NO_CREDENTIALS;
        if (!statuses[i] || expected) continue;
        printf("  request %u: %s: %08lx\n", nth, steps[i], statuses[i]);
        wrong++;
    }
    if (!memory_was_refused()) return wrong ? COLD_FAILED : COLD_OVER;
    run();
    for (size_t i = 0; i < ARRAYSIZE(steps); i++) {
        if (!statuses[i]) continue;
        printf("  request %u: %s afterwards: %08lx\n", nth, steps[i], statuses[i]);
        wrong++;
    }
    if (wrong) memory_print_refused();
    return wrong ? COLD_FAILED : COLD_SURVIVED;
}
