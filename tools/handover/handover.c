/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * handover: a live, authenticated, sealed connection moves from one process to another and on to a
 * third, and the client at its other end does not notice.
 *
 * The whole of it, with the refusals at the end:
 *     in one Wine prefix:  handover make-blob FILE
 *     in another one:      handover demo --foreign-blob FILE
 * `handover demo` alone leaves out the blob from another prefix. The exit status is 0 only if
 * everything happened as it must. The roles can be started by hand, too: see --help.
 */
#include "narrate.h"
#include "refusals.h"
#include "roles.h"

#include "../sspictl/files.h"
#include "../sspictl/options.h"

#include <winsock2.h>

#include <string.h>

struct role {
    const char *name, *summary;
    int (*run)(char **arguments);
};

static const struct role roles[] = {
    {"demo", "run everything, from the first request to the refusals", role_demo},
    {"listener", "wait for a client, authenticate it, hand the connection over", role_listener},
    {"worker", "go on with a connection (started by a listener or worker)", role_worker},
    {"client", "connect to a listener and check each answer", role_client},
    {"make-blob", "write an exported context to a file", role_make_blob},
};

#define ROLE_COUNT (sizeof(roles) / sizeof(*roles))

static void handover_help(void)
{
    printf("Usage: handover ROLE [OPTION...]\n"
           "Moves a live, authenticated, encrypted connection from process to process.\n\n");
    for (size_t i = 0; i < ROLE_COUNT; i++) printf("  %-10s %s\n", roles[i].name, roles[i].summary);
    printf("\n`handover ROLE --help` explains a role. Exit status: 0 all is well, 1 failure,\n"
           "2 wrong usage.\n");
}

static int make_blob(const char *path)
{
    struct writer blob;
    writer_init(&blob);
    int code = EXIT_FAILED;
    if (!refusals_make_blob(&blob)) goto done;
    long error = file_write(path, writer_view(&blob));
    if (error) text_fail_windows(error, "cannot write %s", path);
    else code = EXIT_OK;
    if (!error) narrate("wrote an exported context of %lu bytes", (unsigned long)blob.size);
done:
    writer_free(&blob);
    return code;
}

int role_make_blob(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    const char *path;
    struct operands operands = {"FILE", 1, 1, &path, 0};
    switch (options_parse("make-blob", arguments, options, &operands)) {
    case OPTIONS_HELP:
        printf(
            "Usage: handover make-blob FILE\n"
            "Makes a context in this Wine prefix and writes it, exported, to FILE. For `handover\n"
            "demo --foreign-blob FILE` in another prefix, which must refuse it.\n");
        return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    narrate_start("make-blob");
    return make_blob(path);
}

static int handover_run(char **arguments)
{
    const char *name = arguments[0] ? arguments[1] : NULL;
    if (!name) return text_usage("", "a role is needed");
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        handover_help();
        return EXIT_OK;
    }
    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (!strcmp(name, roles[i].name)) return roles[i].run(arguments + 2);
    return text_usage("", "unknown role %s", name);
}

int main(void)
{
    text_start("handover");
    int count;
    char **arguments = text_arguments(&count);
    if (!arguments) return text_fail("out of memory");
    WSADATA data;
    int error = WSAStartup(MAKEWORD(2, 2), &data);
    int code = error ? text_fail_windows(error, "cannot use sockets") : handover_run(arguments);
    text_arguments_free(arguments);
    if (fflush(stdout) || ferror(stdout)) return text_fail("cannot write to standard output");
    return code;
}
