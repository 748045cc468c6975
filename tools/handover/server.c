/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's side: the listener authenticates the client, answers one request, and gives the
 * session to a worker process; a worker answers on, and may give it to the next one.
 */
#include "handoff.h"
#include "narrate.h"
#include "reports.h"
#include "roles.h"
#include "service.h"
#include "sockets.h"

#include "../sspictl/options.h"

#include <stdlib.h>

#define ACCEPT_TIMEOUT_S 60

/* ---- what all servers do with a session ---- */

static bool server_serve(struct session *session, const struct duty *duty, const char *user)
{
    unsigned answered;
    if (!service_answer(session, duty->answers, &answered)) return false;
    narrate("answered %u request%s", answered, answered == 1 ? "" : "s");
    if (duty->answers) return handoff_give(session, duty, answered, user);
    session_close(session);
    report_served(duty->report,
                  &(struct served){.hop = duty->hop, .answered = answered, .user = user});
    narrate("the client is done; ends");
    return true;
}

/* ---- listener ---- */

/* With a limit, so that a listener without a client ends by itself. */
static SOCKET server_accept(SOCKET listening)
{
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(listening, &readable);
    struct timeval limit = {ACCEPT_TIMEOUT_S, 0};
    if (select(0, &readable, NULL, NULL, &limit) != 1) {
        narrate_failure("no client came within %d seconds", ACCEPT_TIMEOUT_S);
        return INVALID_SOCKET;
    }
    SOCKET client = accept(listening, NULL, NULL);
    if (client == INVALID_SOCKET)
        narrate_failure("cannot accept a client: error %d", WSAGetLastError());
    return client;
}

static bool server_greet(struct session *session, const struct duty *duty)
{
    if (!session_authenticate_server(session)) return false;
    char *user = session_user(session);
    if (!user) return false;
    narrate("authenticated the client: it is %s", user);
    bool result = server_serve(session, duty, user);
    free(user);
    return result;
}

static bool listener_run(unsigned port, const struct duty *duty)
{
    SOCKET listening = socket_listen(port, 1, &port);
    if (listening == INVALID_SOCKET) return false;
    narrate("waits on 127.0.0.1:%u", port);
    report_port(duty->report, port);
    SOCKET client = server_accept(listening);
    /* One client is all it serves; the port is free again while the connection moves on. */
    closesocket(listening);
    if (client == INVALID_SOCKET) return false;
    struct session session;
    session_init(&session, client);
    bool result = server_greet(&session, duty);
    session_close(&session);
    return result;
}

static void listener_help(void)
{
    printf("Usage: handover listener [--port PORT] [--move-after NUMBER]\n"
           "Waits for one client on 127.0.0.1, authenticates it with NTLM, answers one request,\n"
           "gives the live connection to a worker process and ends. The worker gives it to\n"
           "another one after NUMBER requests (500).\n\n"
           "  --report HANDLE  used by `handover demo`\n");
}

int role_listener(char **arguments)
{
    const char *port_text = "0", *move_text = "500", *report_text = NULL;
    const struct option options[] = {
        {"port", &port_text, NULL},
        {"move-after", &move_text, NULL},
        {"report", &report_text, NULL},
        {NULL, NULL, NULL},
    };
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("listener", arguments, options, &operands)) {
    case OPTIONS_HELP: listener_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    unsigned long port, move_after, report = 0;
    if (!options_number("listener", "port", port_text, 0, 65535, &port) ||
        !options_number("listener", "move-after", move_text, 1, 1000000, &move_after) ||
        (report_text && !options_number("listener", "report", report_text, 1, 0x7fffffff, &report)))
        return EXIT_USAGE;
    narrate_start("listener");
    struct duty duty = {
        .hop = 0, .answers = 1, .next = (unsigned)move_after, .report = (HANDLE)(uintptr_t)report};
    return listener_run((unsigned)port, &duty) ? EXIT_OK : EXIT_FAILED;
}

/* ---- worker ---- */

/* The session is empty until handoff_take has filled it, and can be closed at any time. */
static bool worker_run(void)
{
    struct session session;
    session.stream = stream_of_socket(INVALID_SOCKET);
    SecInvalidateHandle(&session.context);
    struct duty duty;
    char *user = NULL;
    bool result = handoff_take(&session, &duty, &user) && server_serve(&session, &duty, user);
    session_close(&session);
    free(user);
    return result;
}

int role_worker(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("worker", arguments, options, &operands)) {
    case OPTIONS_HELP:
        printf("Usage: handover worker\n"
               "Goes on with a connection. Started by a listener or another worker, which give it\n"
               "the connection through its standard input.\n");
        return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    narrate_start("worker");
    return worker_run() ? EXIT_OK : EXIT_FAILED;
}
