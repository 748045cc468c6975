/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See tls_move.h. The other process is this program, of the same word size; it gets one frame
 * through its standard input. It has no credential: what still comes in a handshake's manner (new
 * tickets, other keys) has to do without.
 */
#include "tls_move.h"

#include "../../tools/handover/frame.h"
#include "../../tools/handover/narrate.h"
#include "../../tools/handover/process.h"
#include "../../tools/sspictl/transfer.h"

#include <stdio.h>
#include <string.h>

#define JOB_MAX (1u << 18)
#define PATIENCE_MS 60000

static void write_part(struct writer *w, const void *data, size_t size)
{
    writer_u32le(w, (uint32_t)size);
    writer_bytes(w, data, size);
}

static void write_text(struct writer *w, const char *text)
{
    write_part(w, text ? text : "", text ? strlen(text) + 1 : 0);
}

static void write_options(struct writer *w, const struct tls_options *options, unsigned next)
{
    writer_u8(w, options->server);
    writer_u32le(w, options->split);
    writer_u32le(w, options->record);
    writer_u32le(w, next);
    write_text(w, options->name);
    write_text(w, options->label);
    write_text(w, options->save);
    writer_u32le(w, options->action_count);
    for (unsigned i = 0; i < options->action_count; i++) write_text(w, options->actions[i]);
}

static bool send_job(struct tls_link *link, unsigned next, const struct process *child)
{
    struct writer blob, job;
    WSAPROTOCOL_INFOW info;
    writer_init(&blob);
    writer_init(&job);
    SECURITY_STATUS status = transfer_export(&link->context, &blob);
    if (status == SEC_E_OK) link->have_context = false;
    else tls_link_fail_status(link, "export", status);
    if (WSADuplicateSocketW(link->socket, child->id, &info))
        tls_link_fail(link, "move", "cannot duplicate the socket");
    write_options(&job, link->options, next);
    write_part(&job, &info, sizeof(info));
    write_part(&job, link->input, link->input_size);
    write_part(&job, link->plain, link->plain_size);
    write_part(&job, blob.data, blob.size);
    const char *problem = link->failure[0]
                              ? NULL
                              : frame_send(stream_of_pipe(child->input), writer_view(&job));
    if (problem) tls_link_fail(link, "move", problem);
    printf("moved: %lu bytes, with %lu of the connection\n", (unsigned long)blob.size,
           (unsigned long)(link->input_size + link->plain_size));
    fflush(stdout);
    writer_free(&blob);
    writer_free(&job);
    return !link->failure[0];
}

bool tls_move_send(struct tls_link *link, unsigned next)
{
    struct process child = {NULL, 0, NULL};
    struct process_request request = {.arguments = "successor"};
    if (!process_start(&request, &child)) return tls_link_fail(link, "move", "no process");
    bool result = send_job(link, next, &child);
    /* The end of its input tells a successor that got no job. */
    process_close_handle(&child.input);
    if (!process_wait(&child, "the successor", PATIENCE_MS) && result)
        result = tls_link_fail(link, "move", "failed in the other process");
    process_close(&child);
    return result;
}

/* ---- the other process ---- */

static struct slice read_part(struct reader *r)
{
    return reader_bytes(r, reader_u32le(r));
}

static const char *read_text(struct reader *r)
{
    struct slice part = read_part(r);
    return part.size ? (const char *)part.data : NULL;
}

static void read_options(struct reader *r, struct tls_options *options, unsigned *next)
{
    options->server = reader_u8(r);
    options->split = reader_u32le(r);
    options->record = reader_u32le(r);
    *next = reader_u32le(r);
    options->name = read_text(r);
    options->label = read_text(r);
    options->save = read_text(r);
    options->action_count = reader_u32le(r);
    if (options->action_count > TLS_ACTIONS_MAX) {
        reader_fail(r);
        return;
    }
    for (unsigned i = 0; i < options->action_count; i++) options->actions[i] = read_text(r);
}

static void read_buffer(struct reader *r, uint8_t to[TLS_LINK_ROOM], size_t *size)
{
    struct slice part = read_part(r);
    if (part.size > TLS_LINK_ROOM) {
        reader_fail(r);
        return;
    }
    *size = part.size;
    if (part.size) memcpy(to, part.data, part.size);
}

static bool open_job(struct tls_link *link, WSAPROTOCOL_INFOW *info, struct slice blob)
{
    wchar_t package[] = L"Microsoft Unified Security Protocol Provider";
    link->socket = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, info, 0,
                              0);
    if (link->socket == INVALID_SOCKET)
        return tls_link_fail(link, "move", "cannot open the socket");
    SECURITY_STATUS status = transfer_import(package, blob, &link->context);
    if (status != SEC_E_OK) return tls_link_fail_status(link, "import", status);
    link->have_context = true;
    return true;
}

bool tls_move_receive(struct tls_link *link, struct tls_options *options, unsigned *next)
{
    static struct writer frame;
    WSAPROTOCOL_INFOW info;
    struct reader r;
    writer_init(&frame);
    const char *problem = frame_receive(stream_of_pipe(GetStdHandle(STD_INPUT_HANDLE)), JOB_MAX,
                                        &frame);
    if (problem) return tls_link_fail(link, "job", problem);
    reader_init(&r, frame.data, frame.size);
    read_options(&r, options, next);
    struct slice socket = read_part(&r);
    read_buffer(&r, link->input, &link->input_size);
    read_buffer(&r, link->plain, &link->plain_size);
    struct slice blob = read_part(&r);
    if (!reader_end(&r) || socket.size != sizeof(info))
        return tls_link_fail(link, "job", "is not complete");
    memcpy(&info, socket.data, sizeof(info));
    return open_job(link, &info, blob);
}
