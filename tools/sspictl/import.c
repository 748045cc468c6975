/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl import: goes on with the contexts that sspictl export wrote, and proves that they live:
 * opens the message that was under way, exchanges more, and is refused a second import.
 */
#include "commands.h"
#include "container.h"
#include "exchange.h"
#include "files.h"
#include "message.h"
#include "names.h"
#include "options.h"
#include "pending.h"
#include "report.h"
#include "text.h"
#include "transfer.h"

#include <stdlib.h>
#include <string.h>

#define IMPORT_ROUNDS 10

static int import_refused(const char *which, SECURITY_STATUS status)
{
    const char *reason = status_import_reason(status);
    return text_fail("the %s context is refused: %s%s%s", which, status_text(status).text,
                     reason ? ": " : "", reason ? reason : "");
}

/* The container borrows from the file's bytes, which are ours to change. */
static int import_pending(CtxtHandle *server, struct slice pending)
{
    struct slice plain;
    SECURITY_STATUS status = message_open(server, (uint8_t *)pending.data, pending.size, &plain);
    if (status != SEC_E_OK)
        return text_fail("cannot open the message that was under way: %s",
                         status_text(status).text);
    bool same = plain.size == strlen(pending_text) && !memcmp(plain.data, pending_text, plain.size);
    if (!same) return text_fail("the message that was under way has another text");
    printf("The message that was under way opens: \"%s\"\n", pending_text);
    return EXIT_OK;
}

static int import_talk(CtxtHandle *client, CtxtHandle *server)
{
    struct exchange exchange = {0, 0, NULL, SEC_E_OK};
    if (!exchange_run(client, server, IMPORT_ROUNDS, &exchange))
        return text_fail("messages: %s: %s", exchange.problem, status_text(exchange.status).text);
    printf("%u sealed and %u signed messages, half of them each way: all arrived unchanged\n",
           exchange.sealed, exchange.verified);
    return EXIT_OK;
}

/* What the export promised: nobody else goes on with the same keys. */
static int import_again(wchar_t *package, struct slice blob, const char *which)
{
    CtxtHandle context;
    SECURITY_STATUS status = transfer_import(package, blob, &context);
    if (status == SEC_E_OK) {
        DeleteSecurityContext(&context);
        return text_fail("the %s context could be imported a second time", which);
    }
    if (status != SEC_E_CONTEXT_EXPIRED)
        return text_fail("a second import of the %s context gives %s", which,
                         status_text(status).text);
    printf("A second import of the %s context is refused: %s\n", which, status_text(status).text);
    return EXIT_OK;
}

/* The contexts are shown before they are tried, so that a failure can be understood. */
static int import_prove(wchar_t *package, const struct container *container, CtxtHandle *client,
                        CtxtHandle *server)
{
    report_context(stdout, client, true);
    report_context(stdout, server, false);
    if (!report_same_key(client, server))
        return text_fail("the two sides do not give the same session key");
    int code = import_pending(server, container->pending);
    if (code == EXIT_OK) code = import_talk(client, server);
    if (code == EXIT_OK) code = import_again(package, container->client, "client");
    if (code == EXIT_OK) code = import_again(package, container->server, "server");
    if (code == EXIT_OK) printf("The contexts live on in process %lu.\n", GetCurrentProcessId());
    return code;
}

/* A context that was imported is used up in the file; when the second one is refused, the first one
 * is lost with it. */
static int import_both(wchar_t *package, const struct container *container)
{
    CtxtHandle client, server;
    SecInvalidateHandle(&client);
    SecInvalidateHandle(&server);
    SECURITY_STATUS status = transfer_import(package, container->client, &client);
    if (status != SEC_E_OK) return import_refused("client", status);
    status = transfer_import(package, container->server, &server);
    int code = status == SEC_E_OK ? import_prove(package, container, &client, &server)
                                  : import_refused("server", status);
    DeleteSecurityContext(&client);
    if (status == SEC_E_OK) DeleteSecurityContext(&server);
    return code;
}

static int import_run(const char *path)
{
    wchar_t package[CONTAINER_PACKAGE_MAX + 1];
    struct container container;
    struct writer file;
    writer_init(&file);
    int code = EXIT_FAILED;
    long error = file_read(path, CONTAINER_MAX, &file);
    if (error) {
        text_fail_windows(error, "cannot read %s", path);
        goto done;
    }
    const char *problem = container_read(writer_view(&file), &container);
    if (problem) {
        text_fail("%s: %s", path, problem);
        goto done;
    }
    memcpy(package, container.package.data, container.package.size);
    package[container.package.size / 2] = 0;
    code = import_both(package, &container);
done:
    writer_free(&file);
    return code;
}

int command_import(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    const char *path;
    struct operands operands = {"FILE", 1, 1, &path, 0};
    switch (options_parse("import", arguments, options, &operands)) {
    case OPTIONS_HELP:
        printf("Usage: sspictl import FILE\n"
               "Goes on with the contexts that `sspictl export` wrote to FILE (- is standard\n"
               "input): shows them, opens the message that was under way, exchanges sealed and\n"
               "signed messages, and checks that a second import is refused.\n");
        return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    return import_run(path);
}
