/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A second process of an export test: it keeps one context and does with it what the test asks
 * for through a pipe. The program that uses it calls worker_main() when its first argument is
 * "worker".
 */
#pragma once

#include "loopback.h"

/* What a call answers when the worker is not there any more. */
#define WORKER_GONE ((SECURITY_STATUS)E_ABORT)

/* The package of the running cases, NTLM unless somebody sets another before worker_start. */
extern const wchar_t *worker_package;

struct worker {
    struct child child;
};

/* program as for child_start. */
bool worker_start(struct worker *worker, const wchar_t *program);
/* False unless the worker ends well by itself. */
bool worker_end(struct worker *worker);

SECURITY_STATUS worker_import(struct worker *worker, const struct blob *blob);
SECURITY_STATUS worker_export(struct worker *worker, ULONG flags, struct blob *blob);
SECURITY_STATUS worker_seal(struct worker *worker, struct message *message);
SECURITY_STATUS worker_open(struct worker *worker, struct message *message);
SECURITY_STATUS worker_delete(struct worker *worker);

/* The worker's context takes the next leg of the server; the token is replaced by its answer. */
SECURITY_STATUS worker_accept(struct worker *worker, BYTE *token, ULONG *size);
/* The same for the client; account NULL means default credentials. */
SECURITY_STATUS worker_initialize(struct worker *worker, const struct account *account, BYTE *token,
                                  ULONG *size);

/* One sealed message each way between the worker's context and ours. */
bool worker_talks(struct worker *worker, CtxtHandle *peer);

/* The two halves of worker_export, for a test that does something in between. */
bool worker_export_begin(struct worker *worker, ULONG flags);
SECURITY_STATUS worker_export_end(struct worker *worker, struct blob *blob);

/* From now on the worker exports with DELETE_OLD and imports again, writing each blob before it
 * imports it. worker_churn_next reads one; false when the pipe has ended. */
bool worker_churn(struct worker *worker);
bool worker_churn_next(struct worker *worker, struct blob *blob);

/* For races: the worker takes the blob, says that it is ready, and waits in a busy loop for the
 * signal of worker_go before it imports, so that two of them import at the same moment. */
bool worker_race_prepare(struct worker *worker, const struct blob *blob, uint32_t round);
void worker_race_go(uint32_t round);
SECURITY_STATUS worker_race_result(struct worker *worker);

/* With the arguments of the program, which begin with "worker". */
int worker_main(int argc, char **argv);
