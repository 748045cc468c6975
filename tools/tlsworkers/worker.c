/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tlsworkers worker: serves all connections in one thread. What the master has to say comes through
 * standard input and is looked at between two turns, when no connection is in the middle of
 * anything but its bytes. What cannot leave (a handshake, a context that its package does not
 * export) is served here to its end, and then the process ends.
 */
#include "move.h"
#include "roles.h"

#include "../handover/narrate.h"
#include "../handover/process.h"
#include "../sspictl/options.h"
#include "../sspictl/text.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX (FD_SETSIZE - 1)
#define LISTEN_TO_MASTER_MS 5
#define SHAKING_MS 2000
#define KEPT_MS 60000

struct worker {
    unsigned number;
    HANDLE answers; /* pipe to the master */
    CredHandle credentials;
    SOCKET listening;
    bool serving; /* takes new connections */
    bool over;    /* the master has gone, or is not to be understood */
    uint32_t next_number;
    struct connection *connections[CONNECTIONS_MAX];
    unsigned count;
    struct move_load taken;
    struct site_surroundings around;
};

static void worker_add(struct worker *worker, struct connection *connection)
{
    if (connection) worker->connections[worker->count++] = connection;
}

/* The last one takes its place. */
static void worker_remove(struct worker *worker, unsigned place)
{
    connection_free(worker->connections[place]);
    worker->connections[place] = worker->connections[--worker->count];
}

/* ---- connections ---- */

static void worker_accept(struct worker *worker)
{
    SOCKET socket = accept(worker->listening, NULL, NULL);
    if (socket != INVALID_SOCKET)
        worker_add(worker, connection_create(socket, worker->next_number++));
}

/* Waits until there is something to do, for a few milliseconds at the most. */
static void worker_wait(struct worker *worker, fd_set *readable, fd_set *writable)
{
    struct timeval limit = {0, 1000 * LISTEN_TO_MASTER_MS};
    FD_ZERO(readable);
    FD_ZERO(writable);
    if (worker->serving && worker->count < CONNECTIONS_MAX) FD_SET(worker->listening, readable);
    for (unsigned i = 0; i < worker->count; i++) {
        const struct connection *connection = worker->connections[i];
        if (connection_wants_reading(connection)) FD_SET(connection->socket, readable);
        if (connection_wants_writing(connection)) FD_SET(connection->socket, writable);
    }
    bool any = readable->fd_count || writable->fd_count;
    if (!any) Sleep(LISTEN_TO_MASTER_MS);
    if (any && select(0, readable, writable, NULL, &limit) > 0) return;
    FD_ZERO(readable);
    FD_ZERO(writable);
}

static void worker_turn(struct worker *worker)
{
    fd_set readable, writable;
    worker_wait(worker, &readable, &writable);
    for (unsigned i = worker->count; i-- > 0;) {
        struct connection *connection = worker->connections[i];
        bool ready = FD_ISSET(connection->socket, &readable) ||
                     FD_ISSET(connection->socket, &writable);
        if (ready && !connection_run(connection, &worker->credentials, &worker->around))
            worker_remove(worker, i);
    }
    if (worker->serving && FD_ISSET(worker->listening, &readable)) worker_accept(worker);
}

/* What was handed over may have everything that an answer needs, and no byte may follow. */
static void worker_begin(struct worker *worker)
{
    for (unsigned i = worker->count; i-- > 0;)
        if (!connection_run(worker->connections[i], &worker->credentials, &worker->around))
            worker_remove(worker, i);
}

/* ---- leaving ---- */

static bool worker_any_shaking(const struct worker *worker)
{
    for (unsigned i = 0; i < worker->count; i++)
        if (worker->connections[i]->channel.stage == CHANNEL_HANDSHAKE) return true;
    return false;
}

static void worker_tell_load(const char *what, const struct move_load *load, double took)
{
    narrate("%s %u connections, %u in mid-transfer: %lu bytes of contexts, %lu not opened yet, "
            "%lu not sent yet (%.1f ms)",
            what, load->connections, load->busy, (unsigned long)load->blobs,
            (unsigned long)(load->received + load->plain), (unsigned long)load->unsent, took);
}

static bool worker_give(struct worker *worker, DWORD to)
{
    struct move_load load = {0};
    bool result = true;
    double start = narrate_clock();
    for (unsigned i = worker->count; i-- > 0;) {
        struct writer w;
        writer_init(&w);
        enum move_result moved = move_write(worker->connections[i], to, &w, &load);
        if (moved == MOVE_AWAY)
            result &= move_send(worker->answers, MOVE_CONNECTION, writer_view(&w));
        result &= moved != MOVE_LOST;
        if (moved != MOVE_STAYS) worker_remove(worker, i);
        writer_free(&w);
    }
    worker_tell_load("gives away", &load, narrate_clock() - start);
    struct writer end;
    writer_init(&end);
    writer_u32le(&end, worker->next_number);
    writer_u32le(&end, worker->count);
    result &= move_send(worker->answers, MOVE_GIVEN, writer_view(&end));
    writer_free(&end);
    return result;
}

/* Everything that can leave does; the rest is served to its end. */
static bool worker_leave(struct worker *worker, DWORD to)
{
    worker->serving = false;
    double limit = narrate_clock() + SHAKING_MS;
    while (worker_any_shaking(worker) && narrate_clock() < limit) worker_turn(worker);
    bool result = worker_give(worker, to);
    limit = narrate_clock() + KEPT_MS;
    while (worker->count && narrate_clock() < limit) worker_turn(worker);
    worker->over = true;
    return result;
}

/* ---- what the master says ---- */

static bool worker_obey(struct worker *worker, struct slice frame)
{
    struct reader r;
    reader_init(&r, frame.data, frame.size);
    enum move_kind kind = (enum move_kind)reader_u8(&r);
    struct slice content = reader_bytes(&r, reader_left(&r));
    reader_init(&r, content.data, content.size);
    switch (kind) {
    case MOVE_LISTEN:
        worker->listening = move_socket(&r);
        return worker->listening != INVALID_SOCKET;
    case MOVE_CONNECTION: {
        if (worker->count == CONNECTIONS_MAX) return narrate_failure("too many connections");
        unsigned before = worker->count;
        worker_add(worker, move_read(content, &worker->taken));
        return worker->count > before;
    }
    case MOVE_GO:
        worker->next_number = reader_u32le(&r);
        worker->serving = true;
        if (worker->count) narrate("goes on with %u connections, alone", worker->count);
        worker_begin(worker);
        return true;
    case MOVE_GIVE: return worker_leave(worker, reader_u32le(&r));
    default: return narrate_failure("the master is not to be understood");
    }
}

/* A frame of the master's, if there is one. */
static bool worker_listen_to_master(struct worker *worker)
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    DWORD waiting = 0;
    if (PeekNamedPipe(input, NULL, 0, NULL, &waiting, NULL) && !waiting) return true;
    struct writer frame;
    writer_init(&frame);
    const char *problem = frame_receive(stream_of_pipe(input), MOVE_FRAME_MAX, &frame);
    bool result = problem == frame_end;
    if (problem) worker->over = true;
    else result = worker_obey(worker, writer_view(&frame));
    writer_free(&frame);
    return result || (problem && narrate_failure("the master's frame: %s", problem));
}

static bool worker_serve(struct worker *worker)
{
    bool result = move_send(worker->answers, MOVE_READY, (struct slice){NULL, 0});
    double next = 0;
    while (result && !worker->over) {
        if (worker->serving && narrate_clock() < next) {
            worker_turn(worker);
            continue;
        }
        result = worker_listen_to_master(worker);
        next = narrate_clock() + LISTEN_TO_MASTER_MS;
        if (!worker->serving) Sleep(1);
    }
    return result;
}

static bool worker_open_file(struct worker *worker, const char *path)
{
    wchar_t *wide = text_to_wide(path);
    LARGE_INTEGER size = {.QuadPart = 0};
    if (!wide) return narrate_failure("out of memory");
    HANDLE file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    bool result = file != INVALID_HANDLE_VALUE && GetFileSizeEx(file, &size);
    if (!result) narrate_failure("cannot open %s: error %lu", path, GetLastError());
    worker->around.file = file;
    worker->around.file_size = (uint64_t)size.QuadPart;
    free(wide);
    return result;
}

static bool worker_main(unsigned number, HANDLE answers, const char *path)
{
    static struct worker worker;
    worker.number = number;
    worker.answers = answers;
    worker.listening = INVALID_SOCKET;
    worker.around.worker = number;
    narrate_as("worker %u", number);
    if (!worker_open_file(&worker, path)) return false;
    bool result = channel_credentials(&worker.credentials);
    if (result) {
        result = worker_serve(&worker);
        while (worker.count) worker_remove(&worker, 0);
        FreeCredentialsHandle(&worker.credentials);
    }
    if (worker.listening != INVALID_SOCKET) closesocket(worker.listening);
    CloseHandle(worker.around.file);
    return result;
}

int role_worker(char **arguments)
{
    const char *number_text = "0", *answers_text = NULL, *file = NULL;
    const struct option options[] = {
        {"number", &number_text, NULL},
        {"answers", &answers_text, NULL},
        {"file", &file, NULL},
        {NULL, NULL, NULL},
    };
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("worker", arguments, options, &operands)) {
    case OPTIONS_HELP:
        printf("Usage: tlsworkers worker --number NUMBER --answers HANDLE --file FILE\n"
               "Serves what `tlsworkers serve`, which starts it, gives it.\n");
        return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    if (!answers_text || !file) return text_usage("worker", "--answers and --file are needed");
    unsigned long number, answers;
    if (!options_number("worker", "number", number_text, 0, 99999, &number) ||
        !options_number("worker", "answers", answers_text, 1, 0x7fffffff, &answers))
        return EXIT_USAGE;
    narrate_start("worker");
    return worker_main((unsigned)number, (HANDLE)(uintptr_t)answers, file) ? EXIT_OK : EXIT_FAILED;
}
