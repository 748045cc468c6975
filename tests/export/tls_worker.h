/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A second process that keeps one end of a TLS connection, and does with it what the test asks for
 * through a pipe. A program that uses it calls tls_worker_main() when its first argument is
 * "worker".
 */
#pragma once

#include "../api/tls_records.h"
#include "support.h"

#define WORKER_GONE ((SECURITY_STATUS)E_ABORT)

struct tls_worker {
    struct child child;
};

/* program as for child_start. */
bool tls_worker_start(struct tls_worker *worker, const wchar_t *program);
/* False unless the worker ends well by itself. */
bool tls_worker_end(struct tls_worker *worker);

SECURITY_STATUS tls_worker_import(struct tls_worker *worker, const struct tls_bytes *blob);
SECURITY_STATUS tls_worker_export(struct tls_worker *worker, struct tls_bytes *blob);

/* Opens the record that the bytes are, answers with the same text backwards, and replaces the
 * bytes with the record that this makes. */
SECURITY_STATUS tls_worker_echo(struct tls_worker *worker, struct tls_bytes *bytes);

/* A text to the worker's end and back. */
bool tls_worker_talks(struct tls_worker *worker, CtxtHandle *peer);

int tls_worker_main(void);
