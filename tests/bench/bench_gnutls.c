/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The benchmark's figures for TLS by the host's GnuTLS, used as its documentation has it. Client
 * and server are in this process and talk over memory, with certificate and key of two PEM files.
 */
#include "bench_gnutls.h"

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_ROOM = 65536, GNUTLS_KEPT = 2000 };

/* What one end has said and the other has not heard. */
struct line {
    size_t start, size;
    uint8_t *bytes; /* LINE_ROOM of them */
};

struct bench_pair {
    gnutls_session_t client, server;
    struct line to_client, to_server;
};

struct gnutls_options gnutls_options;
gnutls_certificate_credentials_t gnutls_credentials;

static gnutls_priority_t priorities;
static const char *certificate_file = "", *key_file = "";

bool gnutls_report(const char *call, int result)
{
    if (result >= 0) return true;
    fprintf(stderr, "%s: %s\n", call, gnutls_strerror(result));
    return false;
}

static bool gnutls_set_up(void)
{
    const char *text = gnutls_options.modern ? "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:"
                                               "+AES-256-GCM"
                                             : "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:"
                                               "+AES-256-GCM:-KX-ALL:+ECDHE-RSA:+ECDHE-ECDSA";
    return gnutls_report("gnutls_priority_init", gnutls_priority_init(&priorities, text, NULL)) &&
           gnutls_report("gnutls_certificate_allocate_credentials",
                         gnutls_certificate_allocate_credentials(&gnutls_credentials)) &&
           (!*certificate_file ||
            gnutls_report("gnutls_certificate_set_x509_key_file",
                          gnutls_certificate_set_x509_key_file(gnutls_credentials, certificate_file,
                                                               key_file, GNUTLS_X509_FMT_PEM)));
}

gnutls_session_t gnutls_make(unsigned flags)
{
    gnutls_session_t session = NULL;
    if (!gnutls_report("gnutls_init", gnutls_init(&session, flags))) return NULL;
    if (gnutls_report("gnutls_priority_set", gnutls_priority_set(session, priorities)) &&
        gnutls_report("gnutls_credentials_set",
                      gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, gnutls_credentials)))
        return session;
    gnutls_deinit(session);
    return NULL;
}

/* ---- memory in the place of a socket ---- */

static ssize_t push_out(gnutls_transport_ptr_t transport, const void *bytes, size_t size)
{
    struct line *line = transport;
    if (line->size + size > LINE_ROOM) line->start = line->size = 0; /* nobody opens these */
    memcpy(line->bytes + line->size, bytes, size);
    line->size += size;
    return (ssize_t)size;
}

/* -1 with EAGAIN is what a socket that does not wait answers. */
static ssize_t pull_in(gnutls_transport_ptr_t transport, void *bytes, size_t size)
{
    struct line *line = transport;
    size_t left = line->size - line->start;
    if (!left) return -1;
    if (size > left) size = left;
    memcpy(bytes, line->bytes + line->start, size);
    line->start += size;
    if (line->start == line->size) line->start = line->size = 0;
    return (ssize_t)size;
}

static int again(gnutls_transport_ptr_t transport)
{
    (void)transport;
    return 11; /* EAGAIN */
}

static void connect_ends(gnutls_session_t session, struct line *in, struct line *out)
{
    gnutls_transport_set_ptr2(session, in, out);
    gnutls_transport_set_push_function(session, push_out);
    gnutls_transport_set_pull_function(session, pull_in);
    gnutls_transport_set_errno_function(session, again);
}

/* ---- pairs ---- */

static void gnutls_pair_free(struct bench_pair *pair)
{
    if (pair->client) gnutls_deinit(pair->client);
    if (pair->server) gnutls_deinit(pair->server);
    free(pair);
}

static bool shake_hands(struct bench_pair *pair)
{
    int client = GNUTLS_E_AGAIN, server = GNUTLS_E_AGAIN;
    for (unsigned i = 0; i < 8 && (client || server); i++) {
        if (client) client = gnutls_handshake(pair->client);
        if (client && client != GNUTLS_E_AGAIN) return gnutls_report("client", client);
        if (server) server = gnutls_handshake(pair->server);
        if (server && server != GNUTLS_E_AGAIN) return gnutls_report("server", server);
    }
    return !client && !server;
}

static struct bench_pair *gnutls_pair_create(void)
{
    /* One pair talks at a time, and memory of this program is none of a session's. */
    static uint8_t rooms[2][LINE_ROOM];
    struct bench_pair *pair = calloc(1, sizeof(*pair));
    if (!pair) return NULL;
    pair->client = gnutls_make(GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    pair->server = gnutls_make(GNUTLS_SERVER | GNUTLS_NONBLOCK);
    pair->to_client.bytes = rooms[0];
    pair->to_server.bytes = rooms[1];
    bool good = pair->client && pair->server;
    if (good) {
        connect_ends(pair->client, &pair->to_client, &pair->to_server);
        connect_ends(pair->server, &pair->to_server, &pair->to_client);
        gnutls_server_name_set(pair->client, GNUTLS_NAME_DNS, "localhost", 9);
        good = shake_hands(pair);
    }
    if (good) return pair;
    gnutls_pair_free(pair);
    return NULL;
}

/* ---- messages ---- */

/* A record goes into the slot's own buffer, which has the room. Tickets that the client has not
 * taken yet stand before the first one. */
static bool gnutls_seal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    gnutls_session_t session = from_server ? pair->server : pair->client;
    struct line *line = from_server ? &pair->to_client : &pair->to_server;
    size_t before = line->size;
    ssize_t done = gnutls_record_send(session, slot->text, slot->size);
    if (!gnutls_report("gnutls_record_send", (int)done)) return false;
    if (!slot->sealed) slot->sealed = malloc(sizeof(size_t));
    if (!slot->sealed) return false;
    size_t size = line->size - before;
    if (from_server) {
        if (size > slot->size + BENCH_SIGNATURE_ROOM) return false;
        memcpy(slot->buffer, line->bytes + before, size);
        line->size = before;
        *(size_t *)slot->sealed = size;
    }
    return (size_t)done == slot->size;
}

static bool gnutls_unseal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    static uint8_t text[LINE_ROOM];
    gnutls_session_t session = from_server ? pair->client : pair->server;
    struct line *line = from_server ? &pair->to_client : &pair->to_server;
    if (from_server) {
        if (line->size + *(size_t *)slot->sealed > LINE_ROOM) return false;
        memcpy(line->bytes + line->size, slot->buffer, *(size_t *)slot->sealed);
        line->size += *(size_t *)slot->sealed;
    }
    ssize_t done = gnutls_record_recv(session, text, sizeof(text));
    slot->text = text;
    return gnutls_report("gnutls_record_recv", (int)done) && (size_t)done == slot->size;
}

static void gnutls_slot_clear(struct bench_slot *slot)
{
    free(slot->sealed);
    slot->sealed = NULL;
}

static const struct bench_ops gnutls_ops = {
    .set_up = gnutls_set_up,
    .pair_create = gnutls_pair_create,
    .pair_free = gnutls_pair_free,
    .kept = GNUTLS_KEPT,
    .seal = gnutls_seal,
    .unseal = gnutls_unseal,
    .slot_clear = gnutls_slot_clear,
    .more = gnutls_handshakes,
};

/* name=value before the groups; false when it is none of these. */
static bool take_option(const char *argument)
{
    const char *value = strchr(argument, '=');
    if (!value) return false;
    size_t name = (size_t)(value++ - argument);
    if (!strncmp(argument, "protocol", name)) gnutls_options.modern = !strcmp(value, "1.3");
    else if (!strncmp(argument, "full", name)) gnutls_options.full = (unsigned)atoi(value);
    else if (!strncmp(argument, "resumable", name))
        gnutls_options.resumable = (unsigned)atoi(value);
    else if (!strncmp(argument, "certificate", name)) certificate_file = value;
    else if (!strncmp(argument, "key", name)) key_file = value;
    else return false;
    return true;
}

int main(int argc, char **argv)
{
    while (argc > 1 && take_option(argv[1])) {
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    if (argc == 2 && !strcmp(argv[1], "server"))
        return gnutls_set_up() ? gnutls_serve() : EXIT_FAILURE;
    return bench_run(&gnutls_ops, argc, argv);
}
