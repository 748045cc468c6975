/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * webworkers serve: owns the port and the connections, and knows nothing of authentication. Each
 * request goes to the next worker, whichever connection it came over, so that a handshake of two
 * requests is always the work of two processes. Requests that are not HTTP are answered here.
 *
 * One thread reads each connection; a worker does one request at a time.
 */
#include "answer.h"
#include "roles.h"
#include "worker.h"

#include "../handover/narrate.h"
#include "../handover/process.h"
#include "../handover/reports.h"
#include "../handover/sockets.h"
#include "../sspictl/options.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

#define WORKERS 3
#define CONNECTIONS_MAX 64
#define IDLE_MS 60000
#define DRAIN_MS 1000
#define WORKER_END_MS 30000

struct channel {
    struct process process;
    HANDLE answers;
    SRWLOCK lock; /* one exchange at a time */
};

struct front {
    SOCKET listening;
    struct channel workers[WORKERS];
    volatile LONG turn, connections;
};

struct connection {
    struct front *front;
    SOCKET socket;
    size_t size; /* bytes of data that are there */
    uint8_t data[HTTP_HEAD_MAX + HTTP_BODY_MAX];
};

/* ---- workers ---- */

static bool front_start_worker(struct channel *channel, unsigned number)
{
    HANDLE writing = NULL;
    char arguments[64];
    if (!process_pipe(&channel->answers, &writing)) return false;
    snprintf(arguments, sizeof(arguments), "worker --number %u --answers %lu", number,
             (unsigned long)(uintptr_t)writing);
    struct process_request request = {arguments, &writing, 1, NULL};
    bool started = process_start(&request, &channel->process);
    /* The pipe has to end when the worker ends. */
    process_close_handle(&writing);
    if (started) narrate("started worker %u (pid %lu)", number, channel->process.id);
    return started;
}

/* A worker ends when its input does. That it ends well is part of what this program promises. */
static bool front_end_worker(struct channel *channel)
{
    AcquireSRWLockExclusive(&channel->lock);
    bool started = channel->process.handle != NULL;
    process_close_handle(&channel->process.input);
    bool result = !started || process_wait(&channel->process, "a worker", WORKER_END_MS);
    process_close(&channel->process);
    process_close_handle(&channel->answers);
    ReleaseSRWLockExclusive(&channel->lock);
    return result;
}

static bool channel_exchange(struct channel *channel, struct slice request, struct writer *answer)
{
    AcquireSRWLockExclusive(&channel->lock);
    const char *problem = "the worker has ended";
    if (channel->process.input)
        problem = frame_send(stream_of_pipe(channel->process.input), request);
    if (!problem) problem = frame_receive(stream_of_pipe(channel->answers), ANSWER_MAX, answer);
    /* What is left of this answer must not become that of somebody else's request. */
    if (problem) process_close_handle(&channel->process.input);
    ReleaseSRWLockExclusive(&channel->lock);
    return !problem || narrate_failure("a request finds no worker: %s", problem);
}

/* ---- one connection ---- */

static bool connection_send(struct connection *connection, struct slice bytes)
{
    while (bytes.size) {
        int count = send(connection->socket, (const char *)bytes.data, (int)bytes.size, 0);
        if (count <= 0) return false;
        bytes.data += count;
        bytes.size -= (size_t)count;
    }
    return true;
}

/* Reads on; false when the client has ended, or has been silent for too long. */
static bool connection_read(struct connection *connection)
{
    size_t room = sizeof(connection->data) - connection->size;
    int count = recv(connection->socket, (char *)connection->data + connection->size, (int)room, 0);
    if (count <= 0) return false;
    connection->size += (size_t)count;
    return true;
}

/* What follows a request that was refused must not be taken for another one; but a connection that
 * is closed with unread bytes in it may lose the answer, too. */
static void connection_refuse(struct connection *connection, unsigned status)
{
    struct writer answer;
    writer_init(&answer);
    narrate("a request that is not HTTP as it must be: %u %s", status, http_reason(status));
    answer_write(&answer, &(struct answer){.status = status, .close = true});
    connection_send(connection, writer_view(&answer));
    writer_free(&answer);
    shutdown(connection->socket, SD_SEND);
    socket_prepare(connection->socket, DRAIN_MS);
    size_t drained = 0;
    while (drained < sizeof(connection->data)) {
        connection->size = 0;
        if (!connection_read(connection)) return;
        drained += connection->size;
    }
}

/* Waits for a whole head and the body after it. False when the connection is at its end. */
static bool connection_request(struct connection *connection, struct http_head *head, size_t *size)
{
    size_t head_size;
    for (;;) {
        struct slice have = {connection->data, connection->size};
        if (have.size > HTTP_HEAD_MAX) have.size = HTTP_HEAD_MAX;
        head_size = http_head_size(have);
        if (head_size) break;
        if (have.size == HTTP_HEAD_MAX) {
            connection_refuse(connection, 431);
            return false;
        }
        if (!connection_read(connection)) return false;
    }
    unsigned refusal = http_request_parse((struct slice){connection->data, head_size},
                                          HTTP_BODY_MAX, head);
    if (refusal) {
        connection_refuse(connection, refusal);
        return false;
    }
    static const uint8_t go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    *size = head_size + head->body_size;
    if (head->expects_continue && connection->size < *size &&
        !connection_send(connection, (struct slice){go_on, sizeof(go_on) - 1}))
        return false;
    while (connection->size < *size)
        if (!connection_read(connection)) return false;
    return true;
}

/* One request and its answer; false when it was the last. */
static bool connection_serve(struct connection *connection)
{
    struct http_head head;
    size_t size;
    if (!connection_request(connection, &head, &size)) return false;
    struct front *front = connection->front;
    unsigned worker = (unsigned)(InterlockedIncrement(&front->turn) - 1) % WORKERS;
    struct writer answer;
    writer_init(&answer);
    bool persistent = head.persistent;
    bool result = channel_exchange(&front->workers[worker], (struct slice){connection->data, size},
                                   &answer);
    if (!result) {
        persistent = false;
        /* There may be a part of one in it. */
        writer_free(&answer);
        writer_init(&answer);
        answer_write(&answer, &(struct answer){.status = 503, .close = true});
    }
    result = connection_send(connection, writer_view(&answer));
    writer_free(&answer);
    /* A client need not wait for an answer before it sends on. */
    connection->size -= size;
    memmove(connection->data, connection->data + size, connection->size);
    return result && persistent;
}

static DWORD WINAPI connection_run(void *parameter)
{
    struct connection *connection = parameter;
    socket_prepare(connection->socket, IDLE_MS);
    while (connection_serve(connection)) continue;
    closesocket(connection->socket);
    InterlockedDecrement(&connection->front->connections);
    /* It held tokens and cookies. */
    secret_free(connection, sizeof(*connection));
    return 0;
}

static void connection_start(struct front *front, SOCKET socket)
{
    struct connection *connection = NULL;
    HANDLE thread = NULL;
    if (InterlockedIncrement(&front->connections) <= CONNECTIONS_MAX)
        connection = malloc(sizeof(*connection));
    if (connection) {
        connection->front = front;
        connection->socket = socket;
        connection->size = 0;
        thread = CreateThread(NULL, 0, connection_run, connection, 0, NULL);
    }
    if (thread) {
        CloseHandle(thread);
        return;
    }
    narrate("too many connections: closes the newest");
    InterlockedDecrement(&front->connections);
    free(connection);
    closesocket(socket);
}

/* ---- all of it ---- */

static DWORD WINAPI front_accept(void *parameter)
{
    struct front *front = parameter;
    for (;;) {
        SOCKET socket = accept(front->listening, NULL, NULL);
        if (socket != INVALID_SOCKET) connection_start(front, socket);
        /* A client that has gone before it was let in is nobody's failure. */
        else if (WSAGetLastError() != WSAECONNRESET) break;
    }
    narrate_failure("cannot accept a client: error %d", WSAGetLastError());
    return 0;
}

/* Until standard input ends: then nobody needs the server any more. */
static void front_wait(void)
{
    char byte;
    DWORD got;
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &got, NULL) && got) continue;
}

static bool front_run(unsigned port, HANDLE report)
{
    static struct front front;
    bool result = true;
    for (unsigned i = 0; i < WORKERS; i++) InitializeSRWLock(&front.workers[i].lock);
    for (unsigned i = 0; result && i < WORKERS; i++)
        result = front_start_worker(&front.workers[i], i + 1);
    if (result) front.listening = socket_listen(port, SOMAXCONN, &port);
    result = result && front.listening != INVALID_SOCKET;
    HANDLE thread = result ? CreateThread(NULL, 0, front_accept, &front, 0, NULL) : NULL;
    if (thread) {
        narrate("waits on 127.0.0.1:%u", port);
        if (report) report_port(report, port);
        else printf("port: %u\n", port);
        fflush(stdout);
        front_wait();
        CloseHandle(thread);
    }
    for (unsigned i = 0; i < WORKERS; i++) result &= front_end_worker(&front.workers[i]);
    return result && thread;
}

static void serve_help(void)
{
    printf("Usage: webworkers serve [--port PORT]\n"
           "Starts %u workers and a web server on 127.0.0.1, on PORT or on a free one, prints\n"
           "\"port: PORT\", and serves until its standard input ends.\n\n"
           "  --report HANDLE  used by `webworkers demo`\n",
           WORKERS);
}

int role_serve(char **arguments)
{
    const char *port_text = "0", *report_text = NULL;
    const struct option options[] = {
        {"port", &port_text, NULL},
        {"report", &report_text, NULL},
        {NULL, NULL, NULL},
    };
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("serve", arguments, options, &operands)) {
    case OPTIONS_HELP: serve_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    unsigned long port, report = 0;
    if (!options_number("serve", "port", port_text, 0, 65535, &port) ||
        (report_text && !options_number("serve", "report", report_text, 1, 0x7fffffff, &report)))
        return EXIT_USAGE;
    narrate_start("front");
    return front_run((unsigned)port, (HANDLE)(uintptr_t)report) ? EXIT_OK : EXIT_FAILED;
}
