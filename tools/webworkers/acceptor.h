/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who sent a request? The one question that a worker has to answer, from the request alone. */
#pragma once

#include "cookies.h"

#define ACCEPTOR_PACKAGES 2

struct acceptor {
    CredHandle credentials[ACCEPTOR_PACKAGES];
    bool offered[ACCEPTOR_PACKAGES];
};

struct judgement {
    unsigned status;      /* 200: the client is known; 400, 401, 500 */
    char *user;           /* as UTF-8; NULL without one */
    struct writer fields; /* of the answer */
};

/* False, narrated, when there is no package to offer. */
bool acceptor_open(struct acceptor *acceptor);
void acceptor_close(struct acceptor *acceptor);

void acceptor_judge(struct acceptor *acceptor, const struct http_head *request,
                    struct judgement *out);
void judgement_clear(struct judgement *judgement);
