/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests in which the program itself is the peer of the package Negotiate: it writes and reads
 * SPNEGO with the portable library, takes the tokens of NTLM from that package through SSPI, and
 * signs and seals with a session of its own made from the session key.
 */
#pragma once

#include "core/spnego.h"
#include "loopback.h"
#include "ntlm_peer.h"

/* One side of a handshake, of any package. */
struct side {
    CredHandle credential;
    CtxtHandle context;
    bool server;
    const wchar_t *target; /* of an initiator; NULL unless set after side_open */
    ULONG flags;           /* requested; set by side_open for sealing */
    ULONG attributes;
    const char *channel; /* bindings given in each leg; NULL unless set after side_open */
    BYTE token[16384];   /* of the last leg */
    ULONG size;
};

/* account NULL means default credentials; a package list counts for initiators and acceptors. */
SECURITY_STATUS side_open(struct side *side, const wchar_t *package, bool server,
                          const struct account *account, const wchar_t *package_list);
void side_close(struct side *side);

/* All zeros is the package Negotiate, default credentials and no list for both. */
struct sides_options {
    const wchar_t *client_package, *server_package;
    const struct account *account;
    const wchar_t *client_list, *server_list;
};

/* States that both have credentials; after a failure there is nothing to close. */
bool sides_open(struct side *client, struct side *server, const struct sides_options *options);
void sides_close(struct side *client, struct side *server);

/* One leg with this token, which may be empty; a failure leaves no token. */
SECURITY_STATUS side_leg(struct side *side, struct slice token);

static inline struct slice side_token(const struct side *side)
{
    return (struct slice){side->token, side->size};
}

/* Somebody on the way, who may change what a side has just sent in a leg. */
typedef void side_tamper(struct side *from, int leg);

/* Legs of both sides, in turn, until they are done; their number is where it ended. */
SECURITY_STATUS sides_run(struct side *client, struct side *server, side_tamper *change, int *legs);

/* States which package a side has agreed on; that both agree on it in that many legs, and can use
 * it. */
void side_expect_package(struct side *side, const wchar_t *name);
void sides_expect_agreement(struct side *client, struct side *server, const wchar_t *package,
                            int expected);

/* Whether the side's context can be used for messages. */
bool side_seals(struct side *side);

/* Exports the side's context, which is gone then, and imports it again. */
bool side_move(struct side *side, const wchar_t *package);

/* Tokens in a block that the next one takes over. */
struct slice wire_init(const struct spnego_init *message);
struct slice wire_response(enum spnego_state state, struct slice mech, struct slice token,
                           struct slice mic);

#define NONE ((struct slice){NULL, 0})

/* A sealed message each way between our session and the other's context. */
bool peer_talks(struct peer_session *session, CtxtHandle *other);

/* That a leg has failed: ours gives this status, Windows some other. */
static inline void expect_failure(struct side *side, SECURITY_STATUS status, SECURITY_STATUS ours,
                                  const char *what)
{
    ok(running_on_ours() ? status == ours : status < 0, "%s: %08lx", what, status);
    ok(!side_seals(side), "%s: the context seals", what);
}
