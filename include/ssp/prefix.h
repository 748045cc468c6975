/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all processes of one Wine prefix share while its server runs: a secret in a volatile
 * registry key under HKLM\SOFTWARE\winesspi (64-bit view), made by whoever needs it first, and
 * the ledgers of things that may happen once.
 */
#pragma once

#include "core/reader.h"
#include "ssp/abi.h"

#define PREFIX_REGISTRY_KEY L"SOFTWARE\\winesspi"

struct prefix_secret {
    uint64_t epoch; /* names the secret; never 0 */
    uint8_t machine_id[32];
    uint8_t key[32]; /* the two above give nothing of it away */
};

/* Reads the secret, creating it if there is none; kept for the life of the process. Any thread. */
status_t prefix_secret_get(struct prefix_secret *out);

status_t random_bytes(void *out, size_t size);

/* crypto_init once per module, whichever thread comes first. Before anything of core/crypto.h;
 * prefix_secret_get sees to it itself. */
status_t crypto_ready(void);

/* A random key of this module in this process, made when it is first asked for. A single block of
 * memory that gets out gives nothing away that is kept under it; whoever reads all memory finds the
 * key as well. */
status_t process_key_get(struct slice *out);

/*
 * A ledger: a file-backed table shared by all processes of the prefix and changed by atomic
 * operations only. A ticket is issued once and can be redeemed once, by any process, until
 * LEDGER_TICKETS later ones of the same ledger have been issued, or half as many if nobody has
 * taken one of the ticket's batch for long; what is left of a process's batches when it ends counts
 * as issued. The ledger of an earlier secret is not looked at. The files are in
 * %ProgramData%\winesspi.
 */
#define LEDGER_TICKETS (1u << 18)
#define LEDGER_BATCH 8

enum ledger {
    LEDGER_EXPORT,    /* blobs that take their context along: imported once */
    LEDGER_CHALLENGE, /* challenges: answered once, by whichever copy of a context */
};

/* *ticket is never 0. */
status_t ledger_issue(enum ledger ledger, uint64_t *ticket);

/* SEC_E_OK for exactly one caller per ticket, SEC_E_CONTEXT_EXPIRED for every other. */
status_t ledger_redeem(enum ledger ledger, uint64_t ticket);

/* Puts a ticket back that this process redeemed and could not use after all. */
void ledger_restore(enum ledger ledger, uint64_t ticket);
