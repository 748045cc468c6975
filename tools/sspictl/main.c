/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl: looks at and tries out the security packages that Windows programs see. It is an
 * ordinary SSPI application: what works here works for any other program in the same Wine prefix.
 */
#include "commands.h"
#include "text.h"

#include <string.h>

struct command {
    const char *name, *summary;
    int (*run)(char **arguments);
};

static const struct command commands[] = {
    {"packages", "list the security packages", command_packages},
    {"handshake", "authenticate to oneself and show every detail", command_handshake},
    {"account", "add, remove and list local accounts", command_account},
    {"config", "show and change the policies of this prefix", command_config},
    {"certificate", "add, remove and list certificates with their keys", command_certificate},
    {"export", "make a context and write it to a file or pipe", command_export},
    {"import", "read such a context and prove that it lives", command_import},
    {"check-provider", "tell what a module of packages does right", command_check_provider},
    {"tickets", "list, get and remove Kerberos tickets", command_tickets},
    {"winbind", "say whether the host's winbind can be asked", command_winbind},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))

static void main_help(void)
{
    printf("Usage: sspictl COMMAND [ARGUMENT...]\n"
           "Looks at and tries out the security packages (SSPI) that Windows programs see.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-14s %s\n", commands[i].name, commands[i].summary);
    printf("\n`sspictl COMMAND --help` explains a command. Exit status: 0 success, 1 failure,\n"
           "2 wrong usage.\n");
}

static int main_run(char **arguments)
{
    const char *name = arguments[0] ? arguments[1] : NULL;
    if (!name) return text_usage("", "a command is needed");
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        main_help();
        return EXIT_OK;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(name, commands[i].name)) return commands[i].run(arguments + 2);
    return text_usage("", "unknown command %s", name);
}

int main(void)
{
    text_start("sspictl");
    int count;
    char **arguments = text_arguments(&count);
    if (!arguments) return text_fail("out of memory");
    int code = main_run(arguments);
    text_arguments_free(arguments);
    if (fflush(stdout) || ferror(stdout)) return text_fail("cannot write to standard output");
    return code;
}
