/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pair of contexts, one of which moves to a worker and perhaps home again. */
#pragma once

#include "worker.h"

#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD

extern struct loopback loop; /* the pair of the running case */
extern struct blob blob;     /* what was exported last */

/* Each is a statement: false when it does not hold. */
bool move_begin(struct worker *worker);
bool move_export(CtxtHandle *context, ULONG flags);
/* The worker takes the blob over and talks with our peer; and gives it back. */
bool move_to(struct worker *worker, CtxtHandle *peer);
bool move_from(struct worker *worker);
/* The worker's context comes home, and goes on there. */
void move_home(struct worker *worker, CtxtHandle *moved);

/* The same program of the other width; false, and a skipped case, where there are no such ones. */
bool move_begin_other_width(struct worker *worker);
/* A worker of the other width has each side for a time; connect makes a pair. */
void move_to_other_width(bool (*connect)(void));

/* Both ends leave this process; they talk through it. */
void move_both(struct worker *client, struct worker *server, int messages);
