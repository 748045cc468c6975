/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Over TCP: client handshakes by GnuTLS, in the form of bench_tls_client.c; and a server of records
 * for implementations that can only be clients. Such a client says two numbers (u32le), size and
 * count, and gets so many records with so many bytes.
 */
#include "bench_gnutls.h"

#include "bench.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECORD_MAX = 16384 };

static const double handshake_seconds = 0.2;

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- client ---- */

static int connect_to(unsigned port)
{
    struct sockaddr_in address = loopback(port);
    int on = 1, made = socket(AF_INET, SOCK_STREAM, 0);
    if (made >= 0 && connect(made, (struct sockaddr *)&address, sizeof(address))) {
        perror("connect");
        close(made);
        return -1;
    }
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return made;
}

/* The tickets of TLS 1.3 come with the server's first words; so with TLS 1.3 a line goes each
 * way. */
static bool converse(gnutls_session_t session, int socket)
{
    char answer[16];
    gnutls_transport_set_int(session, socket);
    if (!gnutls_report("gnutls_handshake", gnutls_handshake(session))) return false;
    if (!gnutls_options.modern) return true;
    ssize_t size = gnutls_record_send(session, "x\n", 2);
    /* A ticket is no answer, but ends the call. */
    do {
        if (size > 0 || size == GNUTLS_E_AGAIN)
            size = gnutls_record_recv(session, answer, sizeof(answer));
    } while (size == GNUTLS_E_AGAIN);
    return gnutls_report("gnutls_record_recv", (int)size);
}

/* With the data of the session before, which that of this one replaces; NULL when nothing is to be
 * resumed, for which GnuTLS would wait. */
static bool one(unsigned port, gnutls_datum_t *data, bool *resumed)
{
    int socket = connect_to(port);
    gnutls_session_t session = socket >= 0 ? gnutls_make(GNUTLS_CLIENT) : NULL;
    bool good = session != NULL;
    if (good) gnutls_server_name_set(session, GNUTLS_NAME_DNS, "localhost", 9);
    if (good && data && data->size) gnutls_session_set_data(session, data->data, data->size);
    good = good && converse(session, socket);
    if (good) *resumed = gnutls_session_is_resumed(session);
    if (data) {
        gnutls_free(data->data);
        *data = (gnutls_datum_t){NULL, 0};
    }
    if (good && data) gnutls_session_get_data2(session, data);
    if (session) gnutls_deinit(session);
    if (socket >= 0) close(socket);
    return good;
}

struct handshakes {
    const char *name;
    unsigned port;
    bool resume;
    gnutls_datum_t data;
};

static bool one_more(struct handshakes *wanted, bool *resumed)
{
    return one(wanted->port, wanted->resume ? &wanted->data : NULL, resumed);
}

static double burst(void *state)
{
    struct handshakes *wanted = state;
    uint64_t count = 0;
    double start = bench_now(), elapsed;
    do {
        bool resumed;
        if (!one_more(wanted, &resumed)) return 0;
        if (resumed != wanted->resume) {
            fprintf(stderr, "%s: a session is %s\n", wanted->name,
                    wanted->resume ? "not resumed" : "resumed");
            return 0;
        }
        count++;
        elapsed = bench_now() - start;
    } while (elapsed < handshake_seconds);
    return (double)count / elapsed;
}

static void measure(const char *name, unsigned port, bool resume)
{
    struct handshakes wanted = {name, port, resume, {NULL, 0}};
    bool resumed;
    if (one_more(&wanted, &resumed)) bench_figure(name, burst, &wanted, 1, "1/s");
    else bench_print(name, false, 0, "1/s");
    gnutls_free(wanted.data.data);
}

bool gnutls_handshakes(const char *group)
{
    if (!strcmp(group, "full") && gnutls_options.full) {
        measure("full", gnutls_options.full, false);
    } else if (!strcmp(group, "resumed") && gnutls_options.resumable) {
        measure("resumed", gnutls_options.resumable, true);
    } else {
        return false;
    }
    return true;
}

/* ---- server ---- */

static uint32_t number(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void serve_records(gnutls_session_t session)
{
    static char text[RECORD_MAX];
    uint8_t order[8];
    memset(text, 'a', sizeof(text));
    while (gnutls_record_recv(session, order, sizeof(order)) == sizeof(order)) {
        uint32_t size = number(order), count = number(order + 4);
        if (size > sizeof(text)) return;
        while (count--)
            if (gnutls_record_send(session, text, size) != (ssize_t)size) return;
    }
}

static void serve_one(int socket)
{
    int on = 1;
    gnutls_session_t session = gnutls_make(GNUTLS_SERVER);
    if (!session) return;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    gnutls_transport_set_int(session, socket);
    if (gnutls_report("gnutls_handshake", gnutls_handshake(session))) serve_records(session);
    gnutls_deinit(session);
}

int gnutls_serve(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, size) ||
        listen(listening, 8) || getsockname(listening, (struct sockaddr *)&address, &size)) {
        perror("listen");
        return EXIT_FAILURE;
    }
    printf("port: %u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int socket = accept(listening, NULL, NULL);
        if (socket < 0) continue;
        if (!fork()) {
            serve_one(socket);
            _exit(EXIT_SUCCESS);
        }
        close(socket);
    }
}
