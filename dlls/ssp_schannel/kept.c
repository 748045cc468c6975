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
 */
#include "schannel_package.h"

#define KEPT_UNASKED 64 /* on either side: a megabyte each */

/* The client's side, the server's. */
static volatile LONG kept[2];
static volatile LONG wanted[2];

bool library_keep(struct context *context)
{
    volatile LONG *count = &kept[context->server];
    if (context->kept || (!context->server && context->credential->certificate_count)) return true;
    context->kept = InterlockedIncrement(count) <= KEPT_UNASKED || wanted[context->server];
    if (!context->kept) InterlockedDecrement(count);
    return context->kept;
}

void library_let_go(struct context *context)
{
    if (context->kept) InterlockedDecrement(&kept[context->server]);
    context->kept = false;
}

void library_wanted(const struct context *context)
{
    InterlockedExchange(&wanted[context->server], 1);
}
