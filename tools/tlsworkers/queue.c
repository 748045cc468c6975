/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See queue.h. */
#include "queue.h"

#include <string.h>

bool queue_put(struct queue *queue, struct slice bytes)
{
    if (bytes.size > queue_room(queue)) return false;
    if (bytes.size) memcpy(queue->data + queue->size, bytes.data, bytes.size);
    queue->size += bytes.size;
    return true;
}

void queue_drop(struct queue *queue, size_t count)
{
    queue->size -= count;
    memmove(queue->data, queue->data + count, queue->size);
}
