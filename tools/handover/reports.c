/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See reports.h. Both ends are the same program, yet the demonstration checks what it reads: a
 * report that came out wrong must fail the run and not crash it.
 */
#include "reports.h"

#include "narrate.h"

#include <string.h>

#define REPORT_MAX (1u << 17)

enum report_kind { REPORT_PORT = 1, REPORT_SERVED = 2 };

static void report_send(HANDLE report, const struct writer *w)
{
    const char *problem = writer_status(w) == SEC_E_OK
                              ? frame_send(stream_of_pipe(report), writer_view(w))
                              : "out of memory";
    if (problem) narrate_failure("the report: %s", problem);
}

void report_port(HANDLE report, unsigned port)
{
    if (!report) return;
    struct writer w;
    writer_init(&w);
    writer_u8(&w, REPORT_PORT);
    writer_u32le(&w, port);
    report_send(report, &w);
    writer_free(&w);
}

void report_served(HANDLE report, const struct served *served)
{
    if (!report) return;
    struct writer w;
    writer_init(&w);
    writer_u8(&w, REPORT_SERVED);
    writer_u32le(&w, served->hop);
    writer_u32le(&w, GetCurrentProcessId());
    writer_u32le(&w, served->answered);
    /* With its terminator, so that it can be borrowed as it stands. */
    writer_u32le(&w, (uint32_t)strlen(served->user) + 1);
    writer_bytes(&w, served->user, strlen(served->user) + 1);
    writer_slice(&w, served->blob);
    report_send(report, &w);
    writer_free(&w);
}

bool report_read_port(HANDLE report, unsigned *port)
{
    struct writer frame;
    writer_init(&frame);
    const char *problem = frame_receive(stream_of_pipe(report), REPORT_MAX, &frame);
    struct reader r;
    reader_init(&r, frame.data, frame.size);
    bool is_port = reader_u8(&r) == REPORT_PORT;
    unsigned number = reader_u32le(&r);
    bool result = !problem && is_port && reader_end(&r);
    if (result) *port = number;
    writer_free(&frame);
    return result || narrate_failure("the listener does not say its port");
}

bool report_read_served(HANDLE report, struct writer *frame, struct served *served, bool *ended)
{
    const char *problem = frame_receive(stream_of_pipe(report), REPORT_MAX, frame);
    *ended = problem == frame_end;
    if (*ended) return false;
    if (problem) return narrate_failure("a server process's report: %s", problem);
    struct reader r;
    reader_init(&r, frame->data, frame->size);
    bool is_served = reader_u8(&r) == REPORT_SERVED;
    served->hop = reader_u32le(&r);
    served->process = reader_u32le(&r);
    served->answered = reader_u32le(&r);
    struct slice user = reader_bytes(&r, reader_u32le(&r));
    served->blob = reader_bytes(&r, reader_left(&r));
    bool has_user = user.size && !user.data[user.size - 1];
    served->user = has_user ? (const char *)user.data : "";
    return (is_served && has_user && reader_ok(&r)) ||
           narrate_failure("a server process sends an unknown report");
}
