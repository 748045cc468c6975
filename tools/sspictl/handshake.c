/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl handshake: a client and a server in one process, and all they can say of each other. What
 * goes wrong is shown at the leg where it does. A package that can authenticate but not protect
 * messages fails at the end: this is meant for packages that do both.
 */
#include "commands.h"
#include "exchange.h"
#include "login.h"
#include "names.h"
#include "options.h"
#include "report.h"
#include "text.h"

#include <stdlib.h>

static void handshake_leg(const struct loopback_leg *leg)
{
    printf("  leg %u  %s  %5lu bytes  %s\n", leg->number,
           leg->from_client ? "client to server" : "server to client", leg->token_size,
           status_text(leg->status).text);
}

static int handshake_exchange(struct loopback *l)
{
    struct exchange exchange = {0, 0, NULL, SEC_E_OK};
    if (exchange_run(&l->client.context, &l->server.context, 1, &exchange)) {
        printf("Messages\n  one sealed and one signed message each way: all arrived unchanged\n");
        return EXIT_OK;
    }
    if (exchange.status == SEC_E_OK) return text_fail("messages: %s", exchange.problem);
    return text_fail("messages: %s failed: %s", exchange.problem,
                     status_text(exchange.status).text);
}

/* In the order in which things happen, so that the output up to a failure tells how far it went. */
static int handshake_show(struct login *login, struct loopback *l)
{
    printf("Handshake of package ");
    text_print_wide(stdout, login->package);
    if (login->explicit_user) {
        printf(" as ");
        text_print_wide(stdout, login->account.text);
        printf("\n");
    } else {
        printf(" with default credentials\n");
    }
    login->request.on_leg = handshake_leg;
    int code = login_run(login, l);
    if (code != EXIT_OK) return code;
    printf("  returned to the client  0x%08lx ", l->client.flags);
    names_print_client_flags(stdout, l->client.flags);
    printf("\n  returned to the server  0x%08lx ", l->server.flags);
    names_print_server_flags(stdout, l->server.flags);
    printf("\n");
    report_context(stdout, &l->client.context, true);
    report_context(stdout, &l->server.context, false);
    bool same = report_same_key(&l->client.context, &l->server.context);
    printf("Session keys of the two sides: %s\n", same ? "the same" : "not the same or not given");
    return handshake_exchange(l);
}

static void handshake_help(void)
{
    printf("Usage: sspictl handshake PACKAGE [--user USER] [--domain DOMAIN] [--target SPN]\n"
           "Authenticates a client to a server, both in this process, shows each leg and what the\n"
           "two contexts say of themselves, then seals and signs a message each way.\n\n"
           "  --target SPN     the service that the client means to reach, as host/name\n%s",
           login_help);
}

int command_handshake(char **arguments)
{
    struct login_options login_options = {NULL, NULL, NULL};
    const struct option options[] = {
        {"user", &login_options.user, NULL},
        {"domain", &login_options.domain, NULL},
        {"target", &login_options.target, NULL},
        {NULL, NULL, NULL},
    };
    const char *package;
    struct operands operands = {"PACKAGE", 1, 1, &package, 0};
    switch (options_parse("handshake", arguments, options, &operands)) {
    case OPTIONS_HELP: handshake_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    struct login login;
    int code = login_prepare("handshake", package, &login_options, &login);
    if (code == EXIT_OK) {
        struct loopback l;
        code = handshake_show(&login, &l);
        loopback_clear(&l);
    }
    login_clear(&login);
    return code;
}
