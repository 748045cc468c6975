/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must not work: imports that the system has to refuse. */
#pragma once

#include "core/writer.h"

#include <stdbool.h>

#define REFUSALS_USED_MAX 2

struct refusals {
    struct writer used[REFUSALS_USED_MAX]; /* blobs that were imported in the demonstration */
    size_t used_count;
    struct writer foreign; /* a blob from another prefix; empty: that part is left out */
};

/* Appends a fresh exported context of this process. A failure is narrated. */
bool refusals_make_blob(struct writer *blob);

/* Tries them all. False when one is accepted or refused for another reason; each is narrated. */
bool refusals_run(const struct refusals *refusals);
