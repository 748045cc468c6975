/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See handoff.h. The order matters: export, start the worker, give it everything, wait until it
 * has taken over, and only then close the socket here. Between export and import no process has
 * the context; requests that arrive meanwhile wait in the socket.
 */
#include "handoff.h"

#include "narrate.h"
#include "process.h"
#include "reports.h"

#include "../sspictl/names.h"
#include "../sspictl/transfer.h"

#include <stdlib.h>
#include <string.h>

#define JOB_MAX (1u << 17)
#define TAKE_OVER_MS 30000
#define USER_MAX 1200u

/* A handle that is inherited has the same value in the child; 64 bits hold it for either width. */
static uint64_t handle_number(HANDLE handle)
{
    return (uint64_t)(uintptr_t)handle;
}

static HANDLE handle_from_number(uint64_t number)
{
    return (HANDLE)(uintptr_t)number;
}

/* The handles that a worker inherits, beside its standard streams. */
struct handoff_handles {
    HANDLE ready;  /* written by the worker when it has taken over */
    HANDLE parent; /* this process, to wait for its end */
    HANDLE report; /* may be NULL */
};

/* ---- the giving side ---- */

static bool handoff_job(struct session *session, const struct duty *duty, struct slice blob,
                        const struct handoff_handles *handles, const char *user,
                        const struct process *child)
{
    /* Made for one process, whose id is known only now. */
    WSAPROTOCOL_INFOW info;
    if (WSADuplicateSocketW(session->stream.socket, child->id, &info))
        return narrate_failure("cannot duplicate the socket: error %d", WSAGetLastError());
    struct writer job;
    writer_init(&job);
    writer_u32le(&job, duty->hop + 1);
    writer_u32le(&job, duty->next);
    writer_u64le(&job, handle_number(handles->ready));
    writer_u64le(&job, handle_number(handles->parent));
    writer_u64le(&job, handle_number(handles->report));
    writer_u32le(&job, (uint32_t)strlen(user));
    writer_bytes(&job, user, strlen(user));
    writer_bytes(&job, &info, sizeof(info));
    writer_u32le(&job, (uint32_t)blob.size);
    writer_slice(&job, blob);
    const char *problem = writer_status(&job) == SEC_E_OK
                              ? frame_send(stream_of_pipe(child->input), writer_view(&job))
                              : "out of memory";
    writer_free(&job);
    return !problem || narrate_failure("the worker's job: %s", problem);
}

/* Starts the worker, gives it the job, and comes back when the worker has said that it is ready. */
static bool handoff_start(struct session *session, const struct duty *duty, struct slice blob,
                          const char *user)
{
    bool result = false;
    struct process child = {NULL, 0, NULL};
    HANDLE ready_read = NULL;
    struct handoff_handles handles = {NULL, NULL, duty->report};
    struct writer ready;
    writer_init(&ready);
    if (!process_pipe(&ready_read, &handles.ready)) goto done;
    handles.parent = OpenProcess(SYNCHRONIZE, FALSE, GetCurrentProcessId());
    if (!handles.parent) {
        narrate_failure("cannot open this process: error %lu", GetLastError());
        goto done;
    }
    HANDLE inherit[3] = {handles.ready, handles.parent, handles.report};
    struct process_request request = {"worker", inherit, duty->report ? 3 : 2, NULL};
    if (!process_start(&request, &child)) goto done;
    narrate("started worker %u (pid %lu), gives it the blob and the socket", duty->hop + 1,
            child.id);
    if (!handoff_job(session, duty, blob, &handles, user, &child)) goto done;
    /* Our copy of the writing end would hide that the worker has gone. */
    process_close_handle(&handles.ready);
    const char *problem = frame_receive(stream_of_pipe(ready_read), 16, &ready);
    result = !problem || narrate_failure("the worker did not take over: %s", problem);
done:
    writer_free(&ready);
    process_close_handle(&ready_read);
    process_close_handle(&handles.ready);
    process_close_handle(&handles.parent);
    process_close(&child);
    return result;
}

bool handoff_give(struct session *session, const struct duty *duty, unsigned answered,
                  const char *user)
{
    bool result = false;
    struct writer blob;
    writer_init(&blob);
    double start = narrate_clock();
    SECURITY_STATUS status = transfer_export(&session->context, &blob);
    if (status != SEC_E_OK) {
        narrate_failure("exporting the context: %s", status_text(status).text);
        goto done;
    }
    narrate("exported the context (%lu bytes, %.2f ms); its own handle is now dead",
            (unsigned long)blob.size, narrate_clock() - start);
    if (!handoff_start(session, duty, writer_view(&blob), user)) goto done;
    session_close(session);
    report_served(duty->report, &(struct served){.hop = duty->hop,
                                                 .answered = answered,
                                                 .user = user,
                                                 .blob = writer_view(&blob)});
    narrate("the worker has taken over; closes the socket and ends");
    result = true;
done:
    writer_free(&blob);
    return result;
}

/* ---- the taking side ---- */

struct handoff_job {
    unsigned hop, next;
    struct handoff_handles handles;
    char user[USER_MAX + 1];
    WSAPROTOCOL_INFOW info;
    struct slice blob; /* borrows from the frame */
};

static bool handoff_read_job(struct slice frame, struct handoff_job *job)
{
    struct reader r;
    reader_init(&r, frame.data, frame.size);
    job->hop = reader_u32le(&r);
    job->next = reader_u32le(&r);
    job->handles.ready = handle_from_number(reader_u64le(&r));
    job->handles.parent = handle_from_number(reader_u64le(&r));
    job->handles.report = handle_from_number(reader_u64le(&r));
    uint32_t user_size = reader_u32le(&r);
    if (user_size > USER_MAX) reader_fail(&r);
    reader_copy(&r, job->user, user_size > USER_MAX ? 0 : user_size);
    job->user[user_size > USER_MAX ? 0 : user_size] = 0;
    reader_copy(&r, &job->info, sizeof(job->info));
    job->blob = reader_bytes(&r, reader_u32le(&r));
    return reader_end(&r) || narrate_failure("the job on standard input is not complete");
}

/* The socket is a second handle to the same connection: nothing of it is lost or read twice. */
static bool handoff_socket(struct handoff_job *job, struct session *session)
{
    SOCKET socket = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
                               &job->info, 0, 0);
    if (socket == INVALID_SOCKET)
        return narrate_failure("cannot open the socket: error %d", WSAGetLastError());
    session_init(session, socket);
    return true;
}

/* The name must survive the move: a server that took its client for somebody else would be worse
 * than one that stopped. */
static bool handoff_context(const struct handoff_job *job, struct session *session, char **user)
{
    wchar_t package[] = SESSION_PACKAGE;
    CtxtHandle context;
    double start = narrate_clock();
    SECURITY_STATUS status = transfer_import(package, job->blob, &context);
    if (status != SEC_E_OK)
        return narrate_failure("importing the context: %s", status_text(status).text);
    double took = narrate_clock() - start;
    if (!session_adopt(session, &context)) return false;
    char *name = session_user(session);
    if (!name) return false;
    bool same = !strcmp(name, job->user);
    if (same)
        narrate("imported the context (%.2f ms with loading the package); the client is %s", took,
                name);
    else narrate_failure("the client was %s and is now %s", job->user, name);
    *user = name;
    return same;
}

/* Going on only when the other process has ended shows that nothing of it is needed any more. */
static bool handoff_say_ready(struct handoff_job *job)
{
    static const uint8_t yes[1] = {1};
    const char *problem = frame_send(stream_of_pipe(job->handles.ready),
                                     (struct slice){yes, sizeof(yes)});
    process_close_handle(&job->handles.ready);
    if (problem) return narrate_failure("cannot tell that the session is here: %s", problem);
    if (WaitForSingleObject(job->handles.parent, TAKE_OVER_MS) != WAIT_OBJECT_0)
        return narrate_failure("the process before this one does not end");
    process_close_handle(&job->handles.parent);
    narrate("the process before this one has ended; goes on alone");
    return true;
}

bool handoff_take(struct session *session, struct duty *duty, char **user)
{
    struct writer frame;
    writer_init(&frame);
    struct handoff_job job;
    const char *problem = frame_receive(stream_of_pipe(GetStdHandle(STD_INPUT_HANDLE)), JOB_MAX,
                                        &frame);
    bool result = !problem || narrate_failure("the job on standard input: %s", problem);
    result = result && handoff_read_job(writer_view(&frame), &job);
    if (result) narrate_as("worker %u", job.hop);
    result = result && handoff_socket(&job, session);
    result = result && handoff_context(&job, session, user);
    result = result && handoff_say_ready(&job);
    if (result) *duty = (struct duty){job.hop, job.next, 0, job.handles.report};
    writer_free(&frame);
    return result;
}
