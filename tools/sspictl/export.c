/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl export: makes a client and a server context, lets them talk, and writes both down, with
 * one message under way between them, for sspictl import in another process. The contexts leave
 * this process: SECPKG_CONTEXT_EXPORT_DELETE_OLD is the only way in which two processes never share
 * one key stream. Exporting a copy or a half-open handshake is not offered.
 */
#include "commands.h"
#include "container.h"
#include "exchange.h"
#include "files.h"
#include "login.h"
#include "message.h"
#include "names.h"
#include "options.h"
#include "pending.h"
#include "text.h"
#include "transfer.h"

#include <string.h>

#define EXPORT_ROUNDS 3

struct export_parts {
    struct writer client, server, pending, file;
};

static void export_parts_init(struct export_parts *parts)
{
    writer_init(&parts->client);
    writer_init(&parts->server);
    writer_init(&parts->pending);
    writer_init(&parts->file);
}

static void export_parts_clear(struct export_parts *parts)
{
    writer_free(&parts->client);
    writer_free(&parts->server);
    writer_free(&parts->pending);
    writer_free(&parts->file);
}

static int export_fail(const char *what, SECURITY_STATUS status)
{
    return text_fail("%s: %s", what, status_text(status).text);
}

/* Talks first: the counters and cipher streams that move are not those of a fresh context. */
static int export_talk(struct loopback *l, struct writer *pending)
{
    struct exchange exchange = {0, 0, NULL, SEC_E_OK};
    if (!exchange_run(&l->client.context, &l->server.context, EXPORT_ROUNDS, &exchange))
        return export_fail(exchange.problem, exchange.status);
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(&l->client.context, SECPKG_ATTR_SIZES, &sizes);
    struct slice text = {(const uint8_t *)pending_text, strlen(pending_text)};
    if (status == SEC_E_OK) status = message_seal(&l->client.context, &sizes, text, pending);
    return status == SEC_E_OK ? EXIT_OK : export_fail("cannot seal a message", status);
}

static int export_pack(const wchar_t *package, struct loopback *l, struct export_parts *parts)
{
    int code = export_talk(l, &parts->pending);
    if (code != EXIT_OK) return code;
    SECURITY_STATUS status = transfer_export(&l->client.context, &parts->client);
    if (status != SEC_E_OK) return export_fail("cannot export the client's context", status);
    status = transfer_export(&l->server.context, &parts->server);
    if (status != SEC_E_OK) return export_fail("cannot export the server's context", status);
    struct container container = {
        {(const uint8_t *)package, wcslen(package) * sizeof(*package)},
        writer_view(&parts->client),
        writer_view(&parts->server),
        writer_view(&parts->pending),
    };
    container_write(&parts->file, &container);
    return writer_status(&parts->file) == SEC_E_OK ? EXIT_OK : text_fail("out of memory");
}

static int export_run(struct login *login, const char *path)
{
    struct export_parts parts;
    export_parts_init(&parts);
    struct loopback l;
    int code = login_run(login, &l);
    if (code != EXIT_OK) goto done;
    code = export_pack(login->package, &l, &parts);
    loopback_clear(&l);
    if (code != EXIT_OK) goto done;
    long error = file_write(path, writer_view(&parts.file));
    if (error) {
        code = text_fail_windows(error, "the contexts are lost: cannot write %s", path);
        goto done;
    }
    /* Standard output may be the pipe that carries the contexts. */
    FILE *info = strcmp(path, "-") ? stdout : stderr;
    fprintf(info, "Process %lu exported two contexts of package ", GetCurrentProcessId());
    text_print_wide(info, login->package);
    fprintf(info, "; they no longer exist here.\n  client context  %lu bytes\n",
            (unsigned long)parts.client.size);
    fprintf(info, "  server context  %lu bytes\n", (unsigned long)parts.server.size);
    fprintf(info, "  under way       1 sealed message from client to server, %lu bytes\n",
            (unsigned long)parts.pending.size);
done:
    export_parts_clear(&parts);
    return code;
}

static void export_help(void)
{
    printf("Usage: sspictl export PACKAGE FILE [--user USER] [--domain DOMAIN] [--target SPN]\n"
           "Authenticates a client to a server, lets them exchange messages, and writes both\n"
           "contexts to FILE, or to standard output when FILE is -. `sspictl import FILE` goes on\n"
           "with them in another process: once, in this Wine prefix, and as long as its server\n"
           "runs (it may end with the last program; `wineserver -p` keeps it running). The\n"
           "contexts in the file are sealed.\n\n"
           "  --target SPN     the service that the client means to reach, as host/name\n%s",
           login_help);
}

int command_export(char **arguments)
{
    struct login_options login_options = {NULL, NULL, NULL};
    const struct option options[] = {
        {"user", &login_options.user, NULL},
        {"domain", &login_options.domain, NULL},
        {"target", &login_options.target, NULL},
        {NULL, NULL, NULL},
    };
    const char *values[2];
    struct operands operands = {"PACKAGE FILE", 2, 2, values, 0};
    switch (options_parse("export", arguments, options, &operands)) {
    case OPTIONS_HELP: export_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    if (file_is_console(values[1])) return text_usage("export", "- is a console: name a file");
    struct login login;
    int code = login_prepare("export", values[0], &login_options, &login);
    if (code == EXIT_OK) code = export_run(&login, values[1]);
    login_clear(&login);
    return code;
}
