/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See move.h. The bytes that the client has sent, and those that it has not taken yet, are in three
 * places: in the socket, where they stay; in the queues, which travel; and nowhere in the security
 * context, which holds keys and sequence numbers alone.
 */
#include "move.h"

#include "../handover/narrate.h"
#include "../sspictl/names.h"

bool move_send(HANDLE pipe, enum move_kind kind, struct slice content)
{
    struct writer w;
    writer_init(&w);
    writer_u8(&w, (uint8_t)kind);
    writer_slice(&w, content);
    const char *problem = writer_status(&w) == SEC_E_OK
                              ? frame_send(stream_of_pipe(pipe), writer_view(&w))
                              : "out of memory";
    writer_free(&w);
    return !problem || narrate_failure("a frame cannot be sent: %s", problem);
}

bool move_send_number(HANDLE pipe, enum move_kind kind, uint32_t number)
{
    uint8_t bytes[4] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
                        (uint8_t)(number >> 24)};
    return move_send(pipe, kind, (struct slice){bytes, sizeof(bytes)});
}

/* ---- sockets ---- */

bool move_write_socket(SOCKET socket, DWORD to, struct writer *w)
{
    WSAPROTOCOL_INFOW info;
    if (WSADuplicateSocketW(socket, to, &info))
        return narrate_failure("cannot duplicate a socket: error %d", WSAGetLastError());
    writer_bytes(w, &info, sizeof(info));
    return true;
}

SOCKET move_socket(struct reader *r)
{
    WSAPROTOCOL_INFOW info;
    reader_copy(r, &info, sizeof(info));
    SOCKET socket = INVALID_SOCKET;
    if (reader_ok(r))
        socket = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                            0);
    if (socket == INVALID_SOCKET)
        narrate_failure("cannot open a socket: error %d", WSAGetLastError());
    return socket;
}

/* ---- connections ---- */

static void move_count(const struct connection *connection, size_t blob, struct move_load *load)
{
    const struct channel *channel = &connection->channel;
    load->connections++;
    load->blobs += blob;
    load->received += channel->received.size;
    load->plain += channel->plain.size;
    load->unsent += channel->unsent.size;
    load->busy += connection->site.stage == SITE_BODY || connection->site.stage == SITE_FILE;
}

static void move_write_part(struct writer *w, struct slice part)
{
    writer_u32le(w, (uint32_t)part.size);
    writer_slice(w, part);
}

static void move_write_site(struct writer *w, const struct site *site)
{
    writer_u8(w, (uint8_t)site->stage);
    writer_u8(w, site->persistent);
    writer_u32le(w, site->requests);
    writer_u64le(w, site->left);
    writer_u64le(w, site->done);
    writer_u32le(w, site->cksum);
}

enum move_result move_write(struct connection *connection, DWORD to, struct writer *w,
                            struct move_load *load)
{
    enum move_result result = MOVE_LOST;
    struct channel *channel = &connection->channel;
    struct writer blob;
    writer_init(&blob);
    if (channel->stage != CHANNEL_OPEN || connection->finished) return MOVE_STAYS;
    SECURITY_STATUS status = channel_export(channel, &blob);
    if (status != SEC_E_OK) {
        narrate("connection %u stays: its context cannot be exported: %s", connection->number,
                status_text(status).text);
        result = SecIsValidHandle(&channel->context) ? MOVE_STAYS : MOVE_LOST;
        goto done;
    }
    writer_u32le(w, connection->number);
    writer_u32le(w, connection->workers);
    if (!move_write_socket(connection->socket, to, w)) goto done;
    move_write_site(w, &connection->site);
    move_write_part(w, writer_view(&blob));
    move_write_part(w, queue_view(&channel->received));
    move_write_part(w, queue_view(&channel->plain));
    move_write_part(w, queue_view(&channel->unsent));
    if (writer_status(w) != SEC_E_OK) {
        narrate_failure("out of memory");
        goto done;
    }
    move_count(connection, blob.size, load);
    result = MOVE_AWAY;
done:
    writer_free(&blob);
    return result;
}

static void move_read_site(struct reader *r, struct site *site)
{
    uint8_t stage = reader_u8(r);
    if (stage > SITE_OVER) reader_fail(r);
    *site = (struct site){.stage = (enum site_stage)stage};
    site->persistent = reader_u8(r) != 0;
    site->requests = reader_u32le(r);
    site->left = reader_u64le(r);
    site->done = reader_u64le(r);
    site->cksum = reader_u32le(r);
}

static void move_read_queue(struct reader *r, struct queue *queue)
{
    if (!queue_put(queue, reader_bytes(r, reader_u32le(r)))) reader_fail(r);
}

struct connection *move_read(struct slice content, struct move_load *load)
{
    struct reader r;
    reader_init(&r, content.data, content.size);
    unsigned number = reader_u32le(&r), workers = reader_u32le(&r);
    SOCKET socket = move_socket(&r);
    if (socket == INVALID_SOCKET) return NULL;
    struct connection *connection = connection_create(socket, number);
    if (!connection) return NULL;
    struct channel *channel = &connection->channel;
    connection->workers = workers + 1;
    move_read_site(&r, &connection->site);
    struct slice blob = reader_bytes(&r, reader_u32le(&r));
    move_read_queue(&r, &channel->received);
    move_read_queue(&r, &channel->plain);
    move_read_queue(&r, &channel->unsent);
    SECURITY_STATUS status = reader_end(&r) ? channel_import(channel, blob) : SEC_E_INVALID_TOKEN;
    if (status != SEC_E_OK) {
        narrate_failure("connection %u cannot go on here: %s", number, status_text(status).text);
        connection_free(connection);
        return NULL;
    }
    move_count(connection, blob.size, load);
    return connection;
}
