/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process that is short of memory at its very first calls, when the list of packages is read and
 * their modules are loaded. One request is refused; what fails for it can be done afterwards.
 */
#include "fault.h"

#include "fault_memory.h"
#include "msv.h"

static struct loopback loop;
static SECURITY_STATUS statuses[8];
static const char *const steps[] = {"EnumerateSecurityPackages",
                                    "NTLM",
                                    "Negotiate",
                                    "export",
                                    "GetUserNameEx",
                                    "SaslEnumerateProfiles",
                                    "LsaLookupAuthenticationPackage",
                                    "TestOne"};

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

static SECURITY_STATUS profiles(void)
{
    wchar_t *names;
    ULONG count;
    SECURITY_STATUS status = SaslEnumerateProfilesW(&names, &count);
    if (!status) FreeContextBuffer(names);
    return status || count ? status : SEC_E_INTERNAL_ERROR;
}

static SECURITY_STATUS lookup(void)
{
    LSA_STRING name = {sizeof(PACKAGE_MSV) - 1, sizeof(PACKAGE_MSV), (char *)PACKAGE_MSV};
    HANDLE lsa;
    ULONG id;
    LONG status = LsaConnectUntrusted(&lsa);
    if (!status) {
        status = LsaLookupAuthenticationPackage(lsa, &name, &id);
        LsaDeregisterLogonProcess(lsa);
    }
    return status == (LONG)0xC0000017 /* STATUS_NO_MEMORY */ ? SEC_E_INSUFFICIENT_MEMORY : status;
}

static void run(void)
{
    statuses[0] = list();
    statuses[1] = connect(L"NTLM");
    statuses[2] = connect(L"Negotiate");
    statuses[3] = transfer();
    statuses[4] = name();
    statuses[5] = profiles();
    statuses[6] = lookup();
    statuses[7] = connect(L"TestOne"); /* not of the built-in list; its module wants memory */
}

/* An answer that was meant for another machine is refused, whatever was short at first. */
static SECURITY_STATUS reflect(const struct account *account)
{
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", account);
    if (status) return status;
    loop.target = L"HTTP/elsewhere.example.com";
    status = loopback_connect(&loop);
    loopback_close(&loop);
    return status;
}

int cold_main(unsigned nth)
{
    int wrong = 0;
    struct account account;
    if (!account_create(&account) || !memory_watch() || !memory_watch_loading()) return COLD_FAILED;
    memory_refuse(nth);
    run();
    memory_give();
    for (size_t i = 0; i < ARRAYSIZE(steps); i++) {
        if (!statuses[i] || statuses[i] == SEC_E_INSUFFICIENT_MEMORY) continue;
        printf("  request %u: %s: %08lx\n", nth, steps[i], statuses[i]);
        wrong++;
    }
    bool over = !memory_was_refused();
    if (!over) run();
    SECURITY_STATUS reflected = reflect(&account);
    account_remove(&account);
    if (reflected != SEC_E_LOGON_DENIED) {
        printf("  request %u: a reflected answer afterwards: %08lx\n", nth, reflected);
        wrong++;
    }
    if (over) return wrong ? COLD_FAILED : COLD_OVER;
    for (size_t i = 0; i < ARRAYSIZE(steps); i++) {
        if (!statuses[i]) continue;
        printf("  request %u: %s afterwards: %08lx\n", nth, steps[i], statuses[i]);
        wrong++;
    }
    if (wrong) memory_print_refused();
    return wrong ? COLD_FAILED : COLD_SURVIVED;
}
