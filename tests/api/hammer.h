/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the threads of hammer.c do, and on what. */
#pragma once

#include "loopback.h"

enum { CREDENTIALS = 12, CONTEXTS = 24, ACTIONS_MAX = 96 };

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

struct action_group {
    const struct action *actions;
    size_t count;
};

extern const struct action_group calls_on_handles;  /* hammer_actions.c */
extern const struct action_group other_forms;       /* hammer_forms.c */
extern const struct action_group calls_alone;       /* hammer_alone.c */
extern const struct action_group calls_of_kerberos; /* hammer_kerberos.c */
extern const struct account *hammer_account;        /* NULL where there is none */

/* Where there is a KDC: a service whose key and whose ticket are there, and a user of the realm. */
extern struct hammer_kerberos {
    const wchar_t *target, *realm, *user, *password; /* NULL without one */
} hammer_kerberos;

extern struct counts {
    volatile LONG contexts_made, contexts_closed, credentials_made, credentials_closed;
    volatile LONG calls[ACTIONS_MAX], successes[ACTIONS_MAX];
    volatile LONG wrong[ACTIONS_MAX]; /* a status that was not allowed */
} counts;

/* The exports that are found at run time; false when one is missing. */
bool actions_find(void);
bool forms_find(void);
bool alone_find(void);

uint32_t random_below(struct worker *worker, uint32_t limit);

/* The handle as it is now, whoever closes it meanwhile. */
SecHandle slot_peek(struct slot *slot);

CtxtHandle any_context(struct worker *worker);
CredHandle any_credential(struct worker *worker);

/* A refusal that is the right answer is as good as success. */
static inline SECURITY_STATUS or_refused(SECURITY_STATUS status, SECURITY_STATUS refusal)
{
    return status == refusal ? SEC_E_OK : status;
}

#define HANDLE_GONE SEC_E_INVALID_HANDLE

/* Puts a handle in the place of another one, which is closed. */
void credential_share(struct worker *worker, const SecHandle *made);
void context_share(struct worker *worker, const SecHandle *made);

/* Counts what was closed. */
SECURITY_STATUS credential_close(SecHandle *handle);
SECURITY_STATUS context_close(SecHandle *handle);
