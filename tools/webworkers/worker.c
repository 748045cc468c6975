/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * webworkers worker: answers requests, each by itself. Between two requests it keeps its own
 * credentials and nothing of any client.
 */
#include "worker.h"

#include "acceptor.h"
#include "roles.h"

#include "../handover/narrate.h"
#include "../sspictl/options.h"

#include <string.h>

/* What the client asked for: who it is, who says so, and what it sent. */
static void worker_body(struct writer *w, const struct judgement *judgement, struct slice sent)
{
    char line[64];
    http_write_text(w, "user: ");
    http_write_text(w, judgement->user);
    snprintf(line, sizeof(line), "\nworker: %lu\nsent: %lu\n", GetCurrentProcessId(),
             (unsigned long)sent.size);
    http_write_text(w, line);
    writer_slice(w, sent);
}

/* RFC 9110 9.1: methods have their case. */
static bool worker_method_is(const struct http_head *request, const char *method)
{
    size_t size = strlen(method);
    return request->method.size == size && !memcmp(request->method.data, method, size);
}

static void worker_answer(struct acceptor *acceptor, const struct http_head *request,
                          struct slice sent, struct writer *answer)
{
    struct judgement judgement;
    struct writer body;
    writer_init(&body);
    acceptor_judge(acceptor, request, &judgement);
    if (judgement.status == 200) worker_body(&body, &judgement, sent);
    bool whole = writer_status(&body) == SEC_E_OK && writer_status(&judgement.fields) == SEC_E_OK;
    if (!whole) narrate_failure("out of memory");
    answer_write(answer, &(struct answer){.status = whole ? judgement.status : 500,
                                          .close = !request->persistent,
                                          .bodiless = worker_method_is(request, "HEAD"),
                                          .fields = writer_view(&judgement.fields),
                                          .body = writer_view(&body)});
    writer_free(&body);
    judgement_clear(&judgement);
}

/* The front has looked at the request already; it is parsed here again, since what a process
 * trusts should be its own work. */
static void worker_request(struct acceptor *acceptor, struct slice frame, struct writer *answer)
{
    struct http_head request;
    size_t size = http_head_size(frame);
    unsigned refusal = http_request_parse((struct slice){frame.data, size}, HTTP_BODY_MAX,
                                          &request);
    bool known = !refusal &&
                 (worker_method_is(&request, "GET") || worker_method_is(&request, "HEAD") ||
                  worker_method_is(&request, "POST"));
    if (!refusal && !known) refusal = 501;
    if (refusal) {
        answer_write(answer, &(struct answer){.status = refusal, .close = true});
        return;
    }
    narrate("%.*s %.*s", (int)request.method.size, (const char *)request.method.data,
            (int)(request.target.size < 60 ? request.target.size : 60),
            (const char *)request.target.data);
    struct slice sent = {frame.data + size, frame.size - size};
    worker_answer(acceptor, &request, sent, answer);
}

/* Until the front closes the pipe. */
static bool worker_serve(struct acceptor *acceptor, HANDLE answers)
{
    struct writer frame, answer;
    writer_init(&frame);
    const char *problem;
    for (;;) {
        problem = frame_receive(stream_of_pipe(GetStdHandle(STD_INPUT_HANDLE)), WORKER_REQUEST_MAX,
                                &frame);
        if (problem) break;
        writer_init(&answer);
        worker_request(acceptor, writer_view(&frame), &answer);
        problem = writer_status(&answer) == SEC_E_OK
                      ? frame_send(stream_of_pipe(answers), writer_view(&answer))
                      : "out of memory";
        writer_free(&answer);
        if (problem) break;
    }
    writer_free(&frame);
    return problem == frame_end || narrate_failure("%s", problem);
}

static bool worker_run(unsigned number, HANDLE answers)
{
    struct acceptor acceptor;
    narrate_as("worker %u", number);
    if (!acceptor_open(&acceptor)) return false;
    bool result = worker_serve(&acceptor, answers);
    acceptor_close(&acceptor);
    return result;
}

int role_worker(char **arguments)
{
    const char *number_text = "0", *answers_text = NULL;
    const struct option options[] = {
        {"number", &number_text, NULL},
        {"answers", &answers_text, NULL},
        {NULL, NULL, NULL},
    };
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("worker", arguments, options, &operands)) {
    case OPTIONS_HELP:
        printf("Usage: webworkers worker --number NUMBER --answers HANDLE\n"
               "Answers the requests that `webworkers serve`, which starts it, gives it.\n");
        return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    if (!answers_text) return text_usage("worker", "--answers is needed");
    unsigned long number, answers;
    if (!options_number("worker", "number", number_text, 0, 99, &number) ||
        !options_number("worker", "answers", answers_text, 1, 0x7fffffff, &answers))
        return EXIT_USAGE;
    narrate_start("worker");
    return worker_run((unsigned)number, (HANDLE)(uintptr_t)answers) ? EXIT_OK : EXIT_FAILED;
}
