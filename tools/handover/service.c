/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See service.h. The work itself is of no use: it stands for what a real server does between
 * opening a request and sealing its answer.
 */
#include "service.h"

#include "narrate.h"

/* The byte of an answer at offset i. */
static uint8_t service_byte(struct slice asked, size_t i)
{
    return asked.data[asked.size - 1 - i] ^ 0xff;
}

static bool service_reply(struct session *session, struct slice request)
{
    struct reader r;
    reader_init(&r, request.data, request.size);
    uint32_t number = reader_u32le(&r);
    struct slice content = reader_bytes(&r, reader_left(&r));
    if (!reader_ok(&r))
        return narrate_failure("a request of %lu bytes is too short", (unsigned long)request.size);
    struct writer answer;
    writer_init(&answer);
    writer_u32le(&answer, number);
    writer_u32le(&answer, GetCurrentProcessId());
    size_t start = writer_reserve(&answer, content.size);
    bool result = writer_status(&answer) == SEC_E_OK || narrate_failure("out of memory");
    if (!result) goto done;
    for (size_t i = 0; i < content.size; i++) answer.data[start + i] = service_byte(content, i);
    result = session_send(session, writer_view(&answer));
done:
    writer_free(&answer);
    return result;
}

bool service_answer(struct session *session, unsigned limit, unsigned *answered)
{
    struct writer frame;
    writer_init(&frame);
    bool result = true;
    *answered = 0;
    while (result && (!limit || *answered < limit)) {
        struct slice request;
        bool ended;
        result = session_receive(session, &frame, &request, &ended);
        if (result && ended) break;
        result = result && service_reply(session, request);
        if (result) ++*answered;
    }
    /* With a limit this is a process that wants to hand a living connection over. */
    if (result && limit && *answered < limit)
        result = narrate_failure("the client left after %u of %u requests", *answered, limit);
    writer_free(&frame);
    return result;
}

const char *service_check(struct slice request, struct slice answer, uint32_t *process)
{
    struct reader r, q;
    reader_init(&r, answer.data, answer.size);
    reader_init(&q, request.data, request.size);
    uint32_t number = reader_u32le(&r);
    uint32_t server = reader_u32le(&r);
    if (number != reader_u32le(&q)) return "it is the answer to another request";
    struct slice content = reader_bytes(&r, reader_left(&r));
    struct slice asked = reader_bytes(&q, reader_left(&q));
    if (!reader_ok(&r) || !reader_ok(&q)) return "it is too short";
    if (content.size != asked.size) return "it has another length than the request";
    for (size_t i = 0; i < content.size; i++)
        if (content.data[i] != service_byte(asked, i)) return "its content is wrong";
    *process = server;
    return NULL;
}
