/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the threads of hammer.c do, and on what. */
#pragma once

#include "loopback.h"

enum { CREDENTIALS = 12, CONTEXTS = 24, ACTIONS_MAX = 64 };

/* One handle that all threads use and any of them replaces. */
struct slot {
    SRWLOCK lock;
    SecHandle handle;
};

extern struct slot credential_slots[CREDENTIALS], context_slots[CONTEXTS];

struct worker {
    uint64_t random;
    struct loopback loop;
    struct blob blob;
    BYTE room[4096];
};

struct action {
    const char *name;
    SECURITY_STATUS (*function)(struct worker *worker);
    SECURITY_STATUS allowed[8]; /* besides success */
};

extern const struct action actions[];
extern const size_t action_count;
extern const struct account *hammer_account; /* NULL where there is none */

extern struct counts {
    volatile LONG contexts_made, contexts_closed, credentials_made, credentials_closed;
    volatile LONG calls[ACTIONS_MAX], successes[ACTIONS_MAX];
    volatile LONG wrong[ACTIONS_MAX]; /* a status that was not allowed */
} counts;

/* False when an export is missing. */
bool actions_find(void);

uint32_t random_below(struct worker *worker, uint32_t limit);

/* The handle as it is now, whoever closes it meanwhile. */
SecHandle slot_peek(struct slot *slot);

/* Puts a handle in the place of another one, which is closed. */
void credential_share(struct worker *worker, const SecHandle *made);
void context_share(struct worker *worker, const SecHandle *made);

/* Counts what was closed. */
SECURITY_STATUS credential_close(SecHandle *handle);
SECURITY_STATUS context_close(SecHandle *handle);
