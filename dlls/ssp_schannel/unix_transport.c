/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library's transport: it reads the input of the call that is running, and what it writes goes
 * to the session's queue. Nothing waits. Over datagrams the library gets one record at a time, as
 * if each came alone (RFC 6347 4.1.1 allows both), so that what has not been read stays with the
 * caller.
 */
#include "unix.h"

#include <errno.h>
#include <string.h>

/* The size of a whole record in these bytes by its header, 0 when it has none yet. */
static size_t record_size(bool datagram, struct reader at)
{
    size_t header = datagram ? DTLS_RECORD_HEADER : TLS_RECORD_HEADER;
    reader_skip(&at, header - 2);
    size_t length = reader_u16be(&at);
    return reader_ok(&at) ? header + length : 0;
}

size_t transport_record(const struct session *session, const struct reader *input)
{
    struct reader at;
    size_t left = reader_left(input);
    reader_init(&at, input->base + input->pos, left);
    size_t size = record_size(session->datagram, at);
    /* The library knows what to say of what cannot be one. */
    if (size > TLS_FRAGMENT_MAX + TLS_RECORD_HEADER && !session->datagram) return left;
    return size && size <= left ? size : 0;
}

static ssize_t pull(gnutls_transport_ptr_t transport, void *data, size_t size)
{
    struct session *session = transport;
    struct reader *input = &session->input;
    size_t left = reader_left(input);
    if (session->datagram) {
        /* What is cut off is dropped: the library would wait for the rest of it. */
        size_t record = transport_record(session, input);
        if (!record || record > size) reader_skip(input, left);
        left = record > size ? 0 : record;
    }
    if (!left) {
        gnutls.transport_set_errno(session->library, EAGAIN);
        return -1;
    }
    struct slice bytes = reader_bytes(input, left < size ? left : size);
    memcpy(data, bytes.data, bytes.size);
    return (ssize_t)bytes.size;
}

/* Whether there is something to read. Time has no part in it: where the library hears that nothing
 * came, it repeats its flight. Otherwise it goes to read, and finds that it has to wait. */
static int pull_timeout(gnutls_transport_ptr_t transport, unsigned milliseconds)
{
    const struct session *session = transport;
    (void)milliseconds;
    return reader_left(&session->input) > 0 || !session->repeats;
}

ssize_t transport_push(gnutls_transport_ptr_t transport, const void *data, size_t size)
{
    struct session *session = transport;
    writer_bytes(&session->queue, data, size);
    if (status_ok(writer_status(&session->queue))) return (ssize_t)size;
    gnutls.transport_set_errno(session->library, ENOMEM);
    return -1;
}

void transport_init(struct session *session)
{
    gnutls.transport_set_ptr(session->library, session);
    gnutls.transport_set_pull_function(session->library, pull);
    gnutls.transport_set_pull_timeout_function(session->library, pull_timeout);
    gnutls.transport_set_push_function(session->library, transport_push);
}

void transport_drop(struct session *session)
{
    writer_free(&session->queue);
    session->queue_sent = 0;
}

size_t transport_queued(const struct session *session)
{
    return session->queue.size - session->queue_sent;
}

/* As many whole records as go into one datagram. */
static size_t datagram_size(const struct session *session, struct reader at, size_t room)
{
    size_t size = 0;
    for (;;) {
        size_t next = record_size(true, at);
        if (!next || next > reader_left(&at) || size + next > room) return size;
        if (size && size + next > session->mtu) return size;
        reader_skip(&at, next);
        size += next;
    }
}

void transport_send(struct session *session, uint64_t output, uint64_t room, uint64_t *size)
{
    struct reader at;
    size_t moved = transport_queued(session);
    *size = 0;
    if (!moved) return;
    if (moved > room) moved = (size_t)room;
    reader_init(&at, session->queue.data + session->queue_sent, transport_queued(session));
    if (session->datagram) moved = datagram_size(session, at, (size_t)room);
    if (!moved) return;
    memcpy(unixcall_pointer(output), at.base, moved);
    *size = moved;
    session->queue_sent += moved;
    if (!transport_queued(session)) transport_drop(session);
}
