/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client and a server of one package, leg by leg, for checks that interfere between two legs. */
#pragma once

#include <windows.h>

#include <security.h>

#include <stdbool.h>

enum { CLIENT, SERVER };

struct pair {
    wchar_t *package, *target;           /* the latter may be NULL */
    SEC_WINNT_AUTH_IDENTITY_W *identity; /* of the client; NULL: default credentials */
    ULONG room;                          /* for a token */
    CredHandle credentials[2];
    CtxtHandle contexts[2];
    SECURITY_STATUS status[2]; /* of the side's last leg */
    BYTE *token;               /* what is under way; the pair's */
    ULONG token_size, token_longest;
    unsigned legs; /* made so far; the client makes the first */
};

/* Credentials of both sides. On failure there is nothing to close. */
SECURITY_STATUS pair_open(struct pair *pair, wchar_t *package, wchar_t *target,
                          SEC_WINNT_AUTH_IDENTITY_W *identity, ULONG room);

/* The next leg. A side that fails can be tried again with another token. */
SECURITY_STATUS pair_leg(struct pair *pair);
bool pair_done(const struct pair *pair);

/* All legs that are left. */
SECURITY_STATUS pair_finish(struct pair *pair);
void pair_close(struct pair *pair);
