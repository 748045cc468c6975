/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts share that make Kerberos an authentication package. */
#pragma once

#include "kerberos_package.h"

#include "core/kerberos_lsa.h"
#include "core/kerberos_ticket.h"
#include "ssp/call.h"
#include "ssp/logon_user.h"
#include "ssp/password.h"
#include "ssp/token.h"

/* The NTSTATUS that says the same to who sends messages and logs on. */
NTSTATUS protocol_status(status_t status);

/* ---- session.c: the log-ons of this process ---- */

/* Holds the credential. */
status_t session_add(const LUID *id, struct credential *credential);
void session_remove(const LUID *id);
/* That of such a log-on, held for the caller; NULL when there is none. */
struct credential *session_credential(const LUID *id);

/* ---- tickets.c: what the library has, and answers made of it ---- */

/* The tickets that it has for a credential of its, as records; released with blob_clear. */
status_t tickets_read(uint64_t library, struct blob *out, uint32_t *count);
/* One, with its key. An empty target means the ticket-granting ticket. */
status_t ticket_get(uint64_t library, struct slice target, uint32_t flags, uint32_t enctype,
                    struct blob *out);

/* KERB_QUERY_TKT_CACHE_RESPONSE and its later forms, by the message that asks for it. */
NTSTATUS answer_tickets(PLSA_CLIENT_REQUEST request, ULONG kind, const struct blob *records,
                        uint32_t count, void **out, ULONG *size);
/* KERB_RETRIEVE_TKT_RESPONSE; as_cred has a KRB-CRED in the place of the ticket. */
NTSTATUS answer_ticket(PLSA_CLIENT_REQUEST request, const struct kerberos_ticket *ticket,
                       bool as_cred, void **out, ULONG *size);

/* ---- account.c ---- */

/* Whether the principal, name@REALM in UTF-8, is the user of this process: not when that cannot be
 * told. Fails for want of memory only. */
status_t principal_find_own(struct slice principal, bool *own);

/* ---- password.c ---- */

/* By the right of who has the credential, or of this process's user (NULL). */
NTSTATUS password_set(struct credential *credential, const struct kerb_password_set *set);
