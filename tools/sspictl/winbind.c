/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl winbind: whether NTLM servers in this prefix ask the host's winbind about accounts that
 * they do not know themselves, and whether it can judge log-ons. It goes the way that a server
 * goes, with the library path that this program was started with.
 */
#include "commands.h"
#include "options.h"
#include "text.h"

#include <windows.h>

#include "ssp/winbind.h"

static bool winbind_is_wanted(void)
{
    DWORD wanted = 0, size = sizeof(wanted);
    LSTATUS error = RegGetValueW(HKEY_LOCAL_MACHINE, WINBIND_KEY, WINBIND_VALUE,
                                 RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY, NULL, &wanted, &size);
    return !error && wanted == 1;
}

int command_winbind(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("winbind", arguments, options, &operands)) {
    case OPTIONS_HELP:
        printf(
            "Usage: sspictl winbind\n"
            "Says whether NTLM servers in this Wine prefix ask the host's winbind about accounts\n"
            "that they do not know, and whether it can judge log-ons. Exit status 0 if it can.\n"
            "\n"
            "They ask if the value Winbind (REG_DWORD) of HKLM\\SOFTWARE\\winesspi\\NTLM is 1.\n");
        return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    printf("servers ask it:     %s\n", winbind_is_wanted() ? "yes" : "no");

    struct winbind_host host;
    char why[WINBIND_WHY_MAX];
    HMODULE module = LoadLibraryW(WINBIND_MODULE);
    if (!module) return text_fail_windows((long)GetLastError(), "cannot load ssp_winbind.dll");
    winbind_describe_fn *describe = (winbind_describe_fn *)(void *)GetProcAddress(
        module, "winbind_describe");
    winbind_check_fn *check = (winbind_check_fn *)(void *)GetProcAddress(module, "winbind_check");
    if (!describe || !check) return text_fail("ssp_winbind.dll is not of this version");
    if (!status_ok(describe(&host, why))) return text_fail("winbind cannot be asked: %s", why);
    printf("winbind answers as: ");
    text_print_wide(stdout, host.computer);
    printf("\nwith accounts of:   ");
    text_print_wide(stdout, host.domain);
    printf("\n");
    if (!status_ok(check(host.domain, why)))
        return text_fail("winbind judges no log-ons of theirs: %s", why);
    printf("log-ons:           are judged\n");
    return EXIT_OK;
}
