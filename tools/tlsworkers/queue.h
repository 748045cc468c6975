/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes that wait, with room for a fixed number: what does not fit has to wait elsewhere. */
#pragma once

#include "core/reader.h"

#define QUEUE_ROOM 131072u

struct queue {
    size_t size;
    uint8_t data[QUEUE_ROOM];
};

static inline size_t queue_room(const struct queue *queue)
{
    return QUEUE_ROOM - queue->size;
}

static inline struct slice queue_view(const struct queue *queue)
{
    return (struct slice){queue->data, queue->size};
}

/* False when it does not fit; nothing has changed then. */
bool queue_put(struct queue *queue, struct slice bytes);

/* Takes so many bytes away from the front. */
void queue_drop(struct queue *queue, size_t count);
