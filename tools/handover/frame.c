/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See frame.h. Nothing is read ahead: what follows a frame stays in the socket, for whichever
 * process reads on. A frame is sent with one call, so that its length does not travel alone.
 */
#include "frame.h"

const char frame_end[] = "the other side closed the connection";

struct stream stream_of_socket(SOCKET socket)
{
    return (struct stream){socket, NULL};
}

struct stream stream_of_pipe(HANDLE pipe)
{
    return (struct stream){INVALID_SOCKET, pipe};
}

static const char *socket_problem(void)
{
    switch (WSAGetLastError()) {
    case WSAETIMEDOUT: return "nothing came within the time limit";
    case WSAECONNRESET:
    case WSAECONNABORTED: return "the connection broke";
    default: return "the socket does not work";
    }
}

/* Reads what there is, at most size bytes; *got is 0 at the end. */
static const char *stream_read(struct stream stream, void *to, size_t size, size_t *got)
{
    if (stream.socket != INVALID_SOCKET) {
        int count = recv(stream.socket, to, (int)size, 0);
        if (count < 0) return socket_problem();
        *got = (size_t)count;
        return NULL;
    }
    DWORD count = 0;
    if (!ReadFile(stream.pipe, to, (DWORD)size, &count, NULL) &&
        GetLastError() != ERROR_BROKEN_PIPE)
        return "the pipe does not work";
    *got = count;
    return NULL;
}

/* The end of the stream is orderly only before the first byte. */
static const char *stream_read_all(struct stream stream, void *to, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t got = 0;
        const char *problem = stream_read(stream, (char *)to + done, size - done, &got);
        if (problem) return problem;
        if (!got) return done ? "the other side stopped in the middle of a frame" : frame_end;
        done += got;
    }
    return NULL;
}

static const char *stream_write(struct stream stream, struct slice content)
{
    while (content.size) {
        size_t done;
        if (stream.socket != INVALID_SOCKET) {
            int count = send(stream.socket, (const char *)content.data, (int)content.size, 0);
            if (count < 0) return socket_problem();
            done = (size_t)count;
        } else {
            DWORD count = 0;
            if (!WriteFile(stream.pipe, content.data, (DWORD)content.size, &count, NULL))
                return "the pipe does not work";
            done = count;
        }
        content.data += done;
        content.size -= done;
    }
    return NULL;
}

const char *frame_send(struct stream stream, struct slice content)
{
    struct writer w;
    writer_init(&w);
    writer_u32le(&w, (uint32_t)content.size);
    writer_slice(&w, content);
    const char *problem = writer_status(&w) == SEC_E_OK ? stream_write(stream, writer_view(&w))
                                                        : "out of memory";
    writer_free(&w);
    return problem;
}

const char *frame_receive(struct stream stream, size_t max, struct writer *content)
{
    uint8_t header[4];
    const char *problem = stream_read_all(stream, header, sizeof(header));
    if (problem) return problem;
    struct reader r;
    reader_init(&r, header, sizeof(header));
    uint32_t size = reader_u32le(&r);
    /* Before anything is allocated: the length is what a stranger says. */
    if (size > max) return "a frame is longer than it may be";
    /* What the last frame held may have been opened in place; it is wiped here. */
    writer_free(content);
    writer_init(content);
    writer_zero(content, size);
    if (writer_status(content) != SEC_E_OK) return "out of memory";
    problem = stream_read_all(stream, content->data, size);
    return problem == frame_end ? "the other side stopped in the middle of a frame" : problem;
}
