/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tlsworkers serve: the master. It owns the port, starts a worker, and every so often a new one to
 * take its place: the new one has made itself ready before the old one is told to leave, gets each
 * connection through the master, and serves only when the old process has ended. Clients notice a
 * pause of some milliseconds at the most: what they send waits in the sockets.
 */
#include "move.h"
#include "roles.h"

#include "../handover/narrate.h"
#include "../handover/process.h"
#include "../handover/sockets.h"
#include "../sspictl/options.h"
#include "../sspictl/text.h"

#include <stdlib.h>
#include <string.h>

#define WORKER_END_MS 70000
#define KEPT_MAX 64

struct worker_process {
    struct process process;
    HANDLE answers;
    unsigned number;
};

struct master {
    const char *file;
    SOCKET listening;
    unsigned port;
    HANDLE job; /* ends all workers with this process */
    HANDLE end; /* event: standard input has ended */
    struct worker_process worker;
};

/* ---- one worker ---- */

static void worker_process_close(struct worker_process *worker)
{
    process_close(&worker->process);
    process_close_handle(&worker->answers);
}

/* The next frame of a worker; *content borrows from the frame. */
static bool master_hear(struct worker_process *worker, struct writer *frame, enum move_kind *kind,
                        struct slice *content)
{
    const char *problem = frame_receive(stream_of_pipe(worker->answers), MOVE_FRAME_MAX, frame);
    if (problem) return narrate_failure("worker %u: %s", worker->number, problem);
    struct slice view = writer_view(frame);
    if (!view.size) return narrate_failure("worker %u is not to be understood", worker->number);
    *kind = (enum move_kind)view.data[0];
    *content = (struct slice){view.data + 1, view.size - 1};
    return true;
}

static bool master_listen(struct master *master, struct worker_process *worker)
{
    struct writer w;
    writer_init(&w);
    bool result = move_write_socket(master->listening, worker->process.id, &w) &&
                  move_send(worker->process.input, MOVE_LISTEN, writer_view(&w));
    writer_free(&w);
    return result;
}

/* Started, ready, and waiting for connections. */
static bool master_start_worker(struct master *master, unsigned number,
                                struct worker_process *worker)
{
    HANDLE writing = NULL;
    char arguments[MAX_PATH * 3 + 80];
    if (!process_pipe(&worker->answers, &writing)) return false;
    snprintf(arguments, sizeof(arguments), "worker --number %u --answers %lu --file \"%s\"", number,
             (unsigned long)(uintptr_t)writing, master->file);
    worker->number = number;
    struct process_request request = {arguments, &writing, 1, master->job};
    bool result = process_start(&request, &worker->process);
    process_close_handle(&writing);
    if (!result) return false;
    struct writer frame;
    struct slice content;
    enum move_kind kind;
    writer_init(&frame);
    result = master_hear(worker, &frame, &kind, &content) && kind == MOVE_READY &&
             master_listen(master, worker);
    writer_free(&frame);
    if (result) narrate("worker %u (pid %lu) is ready", number, worker->process.id);
    return result;
}

/* ---- the replacement ---- */

/* Everything that the old worker gives, to the new one. *next is the number of the next connection,
 * *kept how many the old one keeps. */
static bool master_pass_on(struct worker_process *from, struct worker_process *to, uint32_t *next,
                           uint32_t *kept)
{
    struct writer frame;
    struct slice content;
    enum move_kind kind = MOVE_CONNECTION;
    writer_init(&frame);
    bool result = true;
    while (result && kind == MOVE_CONNECTION) {
        result = master_hear(from, &frame, &kind, &content);
        if (result && kind == MOVE_CONNECTION)
            result = move_send(to->process.input, MOVE_CONNECTION, content);
    }
    struct reader r;
    reader_init(&r, content.data, result ? content.size : 0);
    *next = reader_u32le(&r);
    *kept = reader_u32le(&r);
    result = result && kind == MOVE_GIVEN && reader_end(&r);
    writer_free(&frame);
    return result || narrate_failure("worker %u does not give everything", from->number);
}

static bool master_replace(struct master *master)
{
    struct worker_process next = {{NULL, 0, NULL}, NULL, 0};
    struct worker_process *old = &master->worker;
    uint32_t number, kept;
    bool result = master_start_worker(master, old->number + 1, &next);
    double start = narrate_clock();
    result = result && move_send_number(old->process.input, MOVE_GIVE, next.process.id) &&
             master_pass_on(old, &next, &number, &kept);
    /* A process that still serves what could not leave ends by itself, later. */
    if (result && !kept) result = process_wait(&old->process, "the old worker", WORKER_END_MS);
    if (result && kept) narrate("worker %u keeps %u connections", old->number, (unsigned)kept);
    result = result && move_send_number(next.process.input, MOVE_GO, number);
    if (result)
        narrate("worker %u is replaced by worker %u after a pause of %.1f ms", old->number,
                next.number, narrate_clock() - start);
    worker_process_close(result ? old : &next);
    if (result) *old = next;
    return result;
}

/* ---- all of it ---- */

/* Until standard input ends: then nobody needs the server any more. */
static DWORD WINAPI master_await_end(void *parameter)
{
    struct master *master = parameter;
    char byte;
    DWORD got;
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &got, NULL) && got) continue;
    SetEvent(master->end);
    return 0;
}

static bool master_open(struct master *master, unsigned port)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    memset(&limits, 0, sizeof(limits));
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    master->job = CreateJobObjectW(NULL, NULL);
    master->end = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!master->job || !master->end ||
        !SetInformationJobObject(master->job, JobObjectExtendedLimitInformation, &limits,
                                 sizeof(limits)))
        return narrate_failure("cannot make a job object: error %lu", GetLastError());
    HANDLE thread = CreateThread(NULL, 0, master_await_end, master, 0, NULL);
    if (!thread) return narrate_failure("cannot start a thread: error %lu", GetLastError());
    CloseHandle(thread);
    master->listening = socket_listen(port, SOMAXCONN, &port);
    if (master->listening == INVALID_SOCKET) return false;
    narrate("listens on 127.0.0.1:%u", port);
    master->port = port;
    return true;
}

static bool master_begin(struct master *master)
{
    if (!master_start_worker(master, 1, &master->worker) ||
        !move_send_number(master->worker.process.input, MOVE_GO, 1))
        return false;
    printf("port: %u\n", master->port);
    fflush(stdout);
    return true;
}

static bool master_run(struct master *master, unsigned port, DWORD every_ms)
{
    bool result = master_open(master, port) && master_begin(master);
    while (result && WaitForSingleObject(master->end, every_ms) == WAIT_TIMEOUT)
        result = master_replace(master);
    process_close_handle(&master->worker.process.input);
    if (master->worker.process.handle)
        result &= process_wait(&master->worker.process, "the last worker", WORKER_END_MS);
    worker_process_close(&master->worker);
    process_close_handle(&master->job);
    return result;
}

static void serve_help(void)
{
    printf("Usage: tlsworkers serve --file FILE [--port PORT] [--every MILLISECONDS]\n"
           "Serves HTTPS on 127.0.0.1, on PORT or on a free one, with the certificate that\n"
           "`tlsworkers certificate` has put into the store; prints \"port: PORT\", replaces its\n"
           "worker process every so often (1000), and ends when its standard input does.\n\n"
           "  GET /           which process answers\n"
           "  GET /download   FILE\n"
           "  PUT or POST     the checksum of what is sent, as the command cksum prints it\n");
}

int role_serve(char **arguments)
{
    const char *port_text = "0", *every_text = "1000", *file = NULL;
    const struct option options[] = {
        {"port", &port_text, NULL},
        {"every", &every_text, NULL},
        {"file", &file, NULL},
        {NULL, NULL, NULL},
    };
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("serve", arguments, options, &operands)) {
    case OPTIONS_HELP: serve_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    if (!file) return text_usage("serve", "--file is needed");
    unsigned long port, every;
    if (!options_number("serve", "port", port_text, 0, 65535, &port) ||
        !options_number("serve", "every", every_text, 1, 3600000, &every))
        return EXIT_USAGE;
    narrate_start("master");
    static struct master master = {.listening = INVALID_SOCKET};
    master.file = file;
    return master_run(&master, (unsigned)port, every) ? EXIT_OK : EXIT_FAILED;
}
