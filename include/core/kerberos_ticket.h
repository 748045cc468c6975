/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets as they pass between the Windows half and the library: records of our own; and as
 * programs pass them to each other: KRB-CRED (RFC 4120 5.8). Text is UTF-8, times are seconds since
 * 1970, UTC, and 0 where there is none. What is read borrows from what it is read from.
 */
#pragma once

#include "core/reader.h"
#include "core/status.h"
#include "core/writer.h"

struct kerberos_name {
    uint32_t type;      /* RFC 4120 6.2 */
    uint32_t count;     /* of parts */
    struct slice parts; /* each behind its size (u16le) */
    struct slice realm;
};

struct kerberos_ticket {
    struct kerberos_name client, server;
    uint64_t authenticated, start, end, renew_until;
    uint32_t flags;                /* RFC 4120 5.3, the first bit in the highest */
    uint32_t enctype, key_enctype; /* of the ticket and of the session key */
    struct slice encoded, key;     /* Ticket, and a secret; empty where only told of */
};

/* Those of a list are behind one another; false at its end and for a bad one, which reader_end
 * tells apart. */
void kerberos_ticket_write(struct writer *w, const struct kerberos_ticket *ticket);
bool kerberos_ticket_read(struct reader *r, struct kerberos_ticket *out);

/* The parts, one after the other; false when there are no more. */
bool kerberos_name_next(struct reader *parts, struct slice *out);

/* The parts with slashes in between. */
void kerberos_name_text(struct writer *w, const struct kerberos_name *name);

/* A KRB-CRED with the one ticket; its part that is meant to be encrypted is not (encryption type
 * 0), as Windows gives it out. A secret. */
void kerberos_cred_write(struct writer *w, const struct kerberos_ticket *ticket);
