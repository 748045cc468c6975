/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl packages: what EnumerateSecurityPackages answers, as a table. The system keeps a
 * list and loads no package for this, so one that is shown may still fail to load.
 */
#include "commands.h"
#include "names.h"
#include "options.h"
#include "text.h"

#include <windows.h>

#include <security.h>

#include <string.h>

static void packages_print(const SecPkgInfoW *info, int name_width)
{
    text_print_wide(stdout, info->Name);
    int padding = name_width - (int)wcslen(info->Name);
    printf("%*s  %7u  %6u  %9lu  ", padding, "", info->wVersion, info->wRPCID, info->cbMaxToken);
    text_print_wide(stdout, info->Comment);
    printf("\n    0x%08lx ", info->fCapabilities);
    names_print_capabilities(stdout, info->fCapabilities);
    printf("\n");
}

static void packages_print_all(const SecPkgInfoW *infos, ULONG count)
{
    size_t width = strlen("NAME");
    for (ULONG i = 0; i < count; i++)
        if (wcslen(infos[i].Name) > width) width = wcslen(infos[i].Name);
    printf("%-*s  VERSION  RPC ID  MAX TOKEN  COMMENT, then CAPABILITIES\n", (int)width, "NAME");
    for (ULONG i = 0; i < count; i++) packages_print(&infos[i], (int)width);
}

int command_packages(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("packages", arguments, options, &operands)) {
    case OPTIONS_HELP:
        printf("Usage: sspictl packages\n"
               "Lists the security packages that programs in this Wine prefix see.\n");
        return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    ULONG count = 0;
    SecPkgInfoW *infos = NULL;
    SECURITY_STATUS status = EnumerateSecurityPackagesW(&count, &infos);
    if (status != SEC_E_OK)
        return text_fail("cannot list the packages: %s", status_text(status).text);
    packages_print_all(infos, count);
    FreeContextBuffer(infos);
    if (!count) return text_fail("there is no security package");
    return EXIT_OK;
}
