/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames over a socket or a pipe: u32le length, then that many bytes. */
#pragma once

#include "core/writer.h"

#include <winsock2.h>

#include <windows.h>

/* Either a socket or a pipe; the other one is INVALID_SOCKET or NULL. */
struct stream {
    SOCKET socket;
    HANDLE pipe;
};

struct stream stream_of_socket(SOCKET socket);
struct stream stream_of_pipe(HANDLE pipe);

/* NULL, or what went wrong. A frame of more than max bytes is refused unread; a frame replaces
 * what the writer holds. */
const char *frame_send(struct stream stream, struct slice content);
const char *frame_receive(struct stream stream, size_t max, struct writer *content);

/* frame_receive's answer to an orderly end between two frames. */
extern const char frame_end[];
