/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tlsworkers: an HTTPS server whose worker process is replaced again and again, while its clients
 * keep their connections: each live TLS connection is exported, and goes with its socket to the
 * next worker, in the middle of whatever is being sent or received over it.
 *
 * tools/demo tls shows it with clients that know nothing of all this.
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
    {"certificate", "put a certificate and its key into the user's store", role_certificate},
    {"serve", "serve on a loopback port and replace the worker until input ends", role_serve},
    {"worker", "do the work (started by serve)", role_worker},
};

#define ROLE_COUNT (sizeof(roles) / sizeof(*roles))

static void tlsworkers_help(void)
{
    printf("Usage: tlsworkers ROLE [OPTION...]\n"
           "An HTTPS server that hands its live connections from process to process.\n\n");
    for (size_t i = 0; i < ROLE_COUNT; i++) printf("  %-12s %s\n", roles[i].name, roles[i].summary);
    printf("\n`tlsworkers ROLE --help` explains a role. Exit status: 0 all is well, 1 failure,\n"
           "2 wrong usage.\n");
}

static int tlsworkers_run(char **arguments)
{
    const char *name = arguments[0] ? arguments[1] : NULL;
    if (!name) return text_usage("", "a role is needed");
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        tlsworkers_help();
        return EXIT_OK;
    }
    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (!strcmp(name, roles[i].name)) return roles[i].run(arguments + 2);
    return text_usage("", "unknown role %s", name);
}

int main(void)
{
    text_start("tlsworkers");
    int count;
    char **arguments = text_arguments(&count);
    if (!arguments) return text_fail("out of memory");
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    int code = error ? text_fail_windows(error, "cannot use sockets") : tlsworkers_run(arguments);
    text_arguments_free(arguments);
    if (fflush(stdout) || ferror(stdout)) return text_fail("cannot write to standard output");
    return code;
}
