/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of the interoperability tests of TLS that runs on this project: a client or a server that
 * does on its connection what the command line says, step by step. It prints what Schannel says of
 * each connection, and how it went: "result: ok", or where and with which status it failed.
 */
#include "tls_actions.h"
#include "tls_credential.h"
#include "tls_datagram.h"
#include "tls_key.h"
#include "tls_move.h"
#include "tls_report.h"

#include "../../tools/handover/narrate.h"
#include "../../tools/handover/sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 20000, RETRY_MS = 1000 };

struct side {
    struct tls_opener opener; /* first: it is what actions know of this */
    struct tls_options options;
    CredHandle credential, later;
    SOCKET listener;
    struct tls_link link;
};

static SOCKET accept_one(SOCKET listener)
{
    fd_set set;
    struct timeval patience = {PATIENCE_MS / 1000, 0};
    FD_ZERO(&set);
    FD_SET(listener, &set);
    if (select(0, &set, NULL, NULL, &patience) != 1) return INVALID_SOCKET;
    return accept(listener, NULL, NULL);
}

static SOCKET open_socket(const struct side *side, struct tls_link *link, unsigned port)
{
    const struct tls_options *options = &side->options;
    if (!port) port = options->port;
    if (options->server && options->datagram)
        return tls_datagram_accept(side->listener, PATIENCE_MS, &link->peer);
    if (options->server) return accept_one(side->listener);
    return options->datagram ? tls_datagram_connect(port) : socket_connect(port);
}

/* A connection with its handshake. */
static bool open_link(struct tls_opener *opener, struct tls_link *link, unsigned port)
{
    struct side *side = (struct side *)opener;
    link->failure[0] = 0;
    link->renegotiations = 0;
    link->credential = &side->credential;
    link->later = side->options.later ? &side->later : NULL;
    link->socket = open_socket(side, link, port);
    if (link->socket == INVALID_SOCKET) return tls_link_fail(link, "connection", "none");
    socket_prepare(link->socket, side->options.datagram ? RETRY_MS : PATIENCE_MS);
    if (!tls_link_handshake(link)) return false;
    tls_report(link);
    return true;
}

static bool report_result(const struct tls_link *link, bool good)
{
    printf("result: %s\n", good ? "ok" : link->failure);
    fflush(stdout);
    return good;
}

static bool acquire(struct side *side)
{
    const struct tls_options *options = &side->options;
    return tls_credential_acquire(options, false, &side->credential) &&
           (!options->later || tls_credential_acquire(options, true, &side->later));
}

static int run(struct side *side)
{
    const unsigned count = side->options.server ? side->options.connections : 1;
    bool good = true;
    if (!acquire(side)) {
        printf("result: no credential\n");
        return EXIT_FAILURE;
    }
    if (side->options.server) {
        unsigned port;
        side->listener = side->options.datagram ? tls_datagram_listen(&port)
                                                : socket_listen(side->options.port, 5, &port);
        if (side->listener == INVALID_SOCKET) return EXIT_FAILURE;
        printf("port: %u\n", port);
        fflush(stdout);
    }
    for (unsigned i = 0; i < count; i++) {
        struct tls_link *link = &side->link;
        bool done = open_link(&side->opener, link, 0) && tls_actions_run(link, 0, &side->opener);
        good = report_result(link, done) && good;
        tls_link_close(link);
    }
    FreeCredentialsHandle(&side->credential);
    if (side->options.later) FreeCredentialsHandle(&side->later);
    tls_key_end();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_successor(struct side *side)
{
    unsigned next;
    bool good = tls_move_receive(&side->link, &side->options, &next) &&
                tls_actions_run(&side->link, next, NULL);
    printf("successor: %s\n", good ? "ok" : side->link.failure);
    fflush(stdout);
    tls_link_close(&side->link);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct side side = {.opener = {open_link}, .link = {.socket = INVALID_SOCKET}};
    WSADATA data;
    text_start("interop_tls");
    narrate_start("tls");
    if (WSAStartup(MAKEWORD(2, 2), &data)) return EXIT_FAILURE;
    side.link.options = &side.options;
    if (argc == 3 && !strcmp(argv[1], "trust"))
        return tls_trust(argv[2]) ? EXIT_SUCCESS : EXIT_FAILURE;
    if (argc == 2 && !strcmp(argv[1], "successor")) return run_successor(&side);
    if (!tls_options_parse(&side.options, argc, argv)) return 2;
    return run(&side);
}
