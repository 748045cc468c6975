/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proof that two contexts talk to each other: messages sealed and signed, both ways. */
#pragma once

#include <windows.h>

#include <security.h>

#include <stdbool.h>

struct exchange {
    unsigned sealed, verified; /* messages that arrived as they were sent */
    const char *problem;       /* after a failure: at which step */
    SECURITY_STATUS status;    /* SEC_E_OK when it was the content that was wrong */
};

/* Each round seals and signs one message in each direction and compares what arrives. Counts on
 * from what *exchange says. */
bool exchange_run(CtxtHandle *client, CtxtHandle *server, unsigned rounds,
                  struct exchange *exchange);
