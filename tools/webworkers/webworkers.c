/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * webworkers: a web server whose workers share nothing authenticates clients with NTLM and
 * Negotiate. The handshake takes several requests, each of which another process answers: between
 * them the half-open context is a sealed cookie that the client keeps.
 *
 * `webworkers demo` shows it, with a client of its own and with what must be refused; the exit
 * status is 0 only if everything happened as it must. `webworkers serve` is the server alone.
 */
#include "roles.h"

#include "../sspictl/text.h"

#include <winsock2.h>

#include <string.h>

struct role {
    const char *name, *summary;
    int (*run)(char **arguments);
};

static const struct role roles[] = {
    {"demo", "start a server and a client, then try what must be refused", role_demo},
    {"serve", "start the workers and serve on a loopback port", role_serve},
    {"worker", "answer requests (started by serve)", role_worker},
};

#define ROLE_COUNT (sizeof(roles) / sizeof(*roles))

static void webworkers_help(void)
{
    printf("Usage: webworkers ROLE [OPTION...]\n"
           "A web server of several processes that authenticates with sealed cookies.\n\n");
    for (size_t i = 0; i < ROLE_COUNT; i++) printf("  %-10s %s\n", roles[i].name, roles[i].summary);
    printf("\n`webworkers ROLE --help` explains a role. Exit status: 0 all is well, 1 failure,\n"
           "2 wrong usage.\n");
}

static int webworkers_run(char **arguments)
{
    const char *name = arguments[0] ? arguments[1] : NULL;
    if (!name) return text_usage("", "a role is needed");
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        webworkers_help();
        return EXIT_OK;
    }
    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (!strcmp(name, roles[i].name)) return roles[i].run(arguments + 2);
    return text_usage("", "unknown role %s", name);
}

int main(void)
{
    text_start("webworkers");
    int count;
    char **arguments = text_arguments(&count);
    if (!arguments) return text_fail("out of memory");
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    int code = error ? text_fail_windows(error, "cannot use sockets") : webworkers_run(arguments);
    text_arguments_free(arguments);
    if (fflush(stdout) || ferror(stdout)) return text_fail("cannot write to standard output");
    return code;
}
