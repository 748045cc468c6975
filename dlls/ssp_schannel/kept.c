/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions of the library that stay with established contexts, for another handshake of TLS 1.2
 * (Microsoft: Renegotiating an Schannel Connection) or for a certificate after that of TLS 1.3 (RFC
 * 8446 4.2.6).
 *
 * Nothing in the first handshake says that this will be wanted, and such a session takes more
 * memory than all the rest of a connection. So each process keeps a few on either side, which is
 * enough for one with few connections, and all once one has been wanted. What a server wants of its
 * client is a certificate, as a rule: a client that has one to show keeps them all.
 *
 * A client of TLS 1.3 keeps one until a ticket has come, too, and there are servers that give none.
 * Of these there are some more, since most wait for no longer than the first answer takes.
 */
#include "schannel_package.h"

#define KEPT_UNASKED 64 /* on either side: a megabyte each */

#define KEPT_FOR_TICKETS 128

/* The client's side, the server's. */
static volatile LONG kept[2];
static volatile LONG wanted[2];
static volatile LONG kept_for_tickets;

/* Counts a context, unless there are as many already. */
static bool keep(struct context *context, volatile LONG *count, bool limited, LONG limit)
{
    if (InterlockedIncrement(count) <= limit || !limited) context->kept = count;
    else InterlockedDecrement(count);
    return context->kept;
}

bool library_keep(struct context *context)
{
    if (context->kept || (!context->server && context->credential->certificate_count)) return true;
    return keep(context, &kept[context->server], !wanted[context->server], KEPT_UNASKED);
}

bool library_keep_for_ticket(struct context *context)
{
    return context->kept || keep(context, &kept_for_tickets, true, KEPT_FOR_TICKETS);
}

void library_let_go(struct context *context)
{
    if (context->kept) InterlockedDecrement(context->kept);
    context->kept = NULL;
}

void library_wanted(const struct context *context)
{
    InterlockedExchange(&wanted[context->server], 1);
}
