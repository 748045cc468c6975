/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QueryContextAttributes of the packages: each has a table of those attributes that it answers. */
#pragma once

#include "ssp/abi.h"

#include <stdbool.h>
#include <stddef.h>

struct context;

/* Fills the application's structure. What that points to is memory for FreeContextBuffer. */
typedef status_t attribute_query(struct context *context, void *buffer);

struct attribute {
    ULONG id;
    bool any_stage; /* whatever the handshake has come to */
    attribute_query *query;
};

/* NULL for what is not in the table. */
static inline const struct attribute *attribute_find(const struct attribute *table, size_t count,
                                                     ULONG id)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].id == id) return &table[i];
    return NULL;
}
