/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames between the server's first process, the master, and its workers, and the form in which a
 * connection goes through them. A frame is a kind (u8) and what belongs to it; the master passes
 * those with connections on from one worker to the next.
 */
#pragma once

#include "connection.h"

#include "../handover/frame.h"

#define MOVE_FRAME_MAX (3u * QUEUE_ROOM + 65536u)

enum move_kind {
    /* to a worker */
    MOVE_LISTEN = 1, /* WSAPROTOCOL_INFOW of the listening socket */
    MOVE_GO,         /* begin to serve; u32le number of the next connection */
    MOVE_GIVE,       /* give everything to the process u32le */
    /* from a worker */
    MOVE_READY,
    MOVE_GIVEN, /* that was all; u32le number of the next connection, u32le kept connections */
    /* both */
    MOVE_CONNECTION,
};

/* What a move took along, for the story. */
struct move_load {
    unsigned connections;
    size_t blobs, received, plain, unsent; /* bytes */
    unsigned busy;                         /* connections in the middle of a body or of a file */
};

bool move_send(HANDLE pipe, enum move_kind kind, struct slice content);
bool move_send_number(HANDLE pipe, enum move_kind kind, uint32_t number);

/* A connection for the process `to`. MOVE_AWAY: it is in the writer, and here it is only to be
 * freed. MOVE_STAYS: its context cannot be exported, and goes on here. MOVE_LOST is narrated. */
enum move_result { MOVE_AWAY, MOVE_STAYS, MOVE_LOST };
enum move_result move_write(struct connection *connection, DWORD to, struct writer *w,
                            struct move_load *load);

/* NULL, narrated, when it cannot go on here. */
struct connection *move_read(struct slice content, struct move_load *load);

/* A socket as WSADuplicateSocket wrote it. INVALID_SOCKET is narrated. */
SOCKET move_socket(struct reader *r);
bool move_write_socket(SOCKET socket, DWORD to, struct writer *w);
