/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See connection.h. The socket never waits, so that one thread serves all connections, and none of
 * them is in the middle of a call when they are to go to another process. */
#include "connection.h"

#include "../handover/narrate.h"
#include "../handover/sockets.h"

#include "core/secret.h"

#include <stdlib.h>

#define CONNECTION_TIMEOUT_MS 60000
#define READ_ROOM 32768u

struct connection *connection_create(SOCKET socket, unsigned number)
{
    struct connection *connection = malloc(sizeof(*connection));
    if (!connection) {
        narrate_failure("out of memory");
        closesocket(socket);
        return NULL;
    }
    u_long on = 1;
    socket_prepare(socket, CONNECTION_TIMEOUT_MS);
    ioctlsocket(socket, FIONBIO, &on);
    connection->socket = socket;
    connection->number = number;
    connection->workers = 1;
    connection->finished = false;
    channel_init(&connection->channel);
    site_init(&connection->site);
    return connection;
}

void connection_free(struct connection *connection)
{
    if (!connection) return;
    channel_clear(&connection->channel);
    closesocket(connection->socket);
    secret_free(connection, sizeof(*connection));
}

bool connection_wants_reading(const struct connection *connection)
{
    return !connection->finished && connection->channel.stage != CHANNEL_ENDED &&
           queue_room(&connection->channel.received) >= READ_ROOM;
}

bool connection_wants_writing(const struct connection *connection)
{
    return connection->channel.unsent.size ||
           (connection->site.stage == SITE_FILE && connection->channel.stage == CHANNEL_OPEN);
}

/* False when the client has gone. */
static bool connection_read(struct connection *connection)
{
    struct queue *received = &connection->channel.received;
    if (!connection_wants_reading(connection)) return true;
    int count = recv(connection->socket, (char *)received->data + received->size,
                     (int)queue_room(received), 0);
    if (count > 0) received->size += (size_t)count;
    return count > 0 || (count < 0 && WSAGetLastError() == WSAEWOULDBLOCK);
}

static bool connection_write(struct connection *connection)
{
    struct queue *unsent = &connection->channel.unsent;
    if (!unsent->size) return true;
    int count = send(connection->socket, (const char *)unsent->data, (int)unsent->size, 0);
    if (count > 0) queue_drop(unsent, (size_t)count);
    return count > 0 || WSAGetLastError() == WSAEWOULDBLOCK;
}

/* Answers until there is no room or nothing more to say. */
static bool connection_answer(struct connection *connection, const struct site_surroundings *around)
{
    struct channel *channel = &connection->channel;
    while (channel_can_say(channel)) {
        size_t size = site_run(&connection->site, around, &channel->plain, channel_place(channel),
                               channel_most(channel));
        if (!size) break;
        if (!channel_say(channel, size)) return false;
    }
    return true;
}

/* Answering makes room for opening more. */
static bool connection_converse(struct connection *connection, CredHandle *credentials,
                                const struct site_surroundings *around)
{
    struct channel *channel = &connection->channel;
    struct site_surroundings mine = *around;
    size_t before;
    do {
        before = channel->received.size;
        if (!channel_advance(channel, credentials)) return false;
        mine.workers = connection->workers;
        mine.protocol = channel->protocol;
        if (!connection_answer(connection, &mine)) return false;
    } while (channel->received.size && channel->received.size != before);
    return true;
}

static bool connection_finish(struct connection *connection, CredHandle *credentials)
{
    bool over = connection->channel.stage == CHANNEL_ENDED ||
                (connection->site.stage == SITE_OVER && connection->channel.stage == CHANNEL_OPEN);
    if (!over || connection->finished) return true;
    connection->finished = true;
    return channel_finish(&connection->channel, credentials);
}

bool connection_run(struct connection *connection, CredHandle *credentials,
                    const struct site_surroundings *around)
{
    if (!connection_read(connection)) return false;
    if (!connection_converse(connection, credentials, around)) {
        connection_write(connection); /* an alert, if the socket takes it at once */
        return false;
    }
    if (!connection_finish(connection, credentials) || !connection_write(connection)) return false;
    return !connection->finished || connection->channel.unsent.size;
}
