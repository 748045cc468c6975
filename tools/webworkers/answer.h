/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server answers. */
#pragma once

#include "http.h"

#define ANSWER_MAX (HTTP_BODY_MAX + 2 * HTTP_HEAD_MAX)

struct answer {
    unsigned status;
    bool close;          /* the connection ends after it */
    bool bodiless;       /* to a HEAD request: the length of the body without the body */
    struct slice fields; /* further header fields, each with its CRLF */
    struct slice body;   /* plain text; empty: the reason */
};

void answer_write(struct writer *w, const struct answer *answer);
