/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the server answers, over one connection: GET / says who answers, GET /download is the file
 * that is served, PUT or POST to any path answers with the checksum of what was sent, as the
 * command cksum prints it. The state between two bytes is plain data.
 */
#pragma once

#include "queue.h"

#include <windows.h>

#include <stdbool.h>

enum site_stage {
    SITE_HEAD, /* waits for a request */
    SITE_BODY, /* in the middle of what the client sends */
    SITE_FILE, /* in the middle of what the client gets */
    SITE_OVER, /* no further request is answered */
};

struct site {
    enum site_stage stage;
    bool persistent;
    uint32_t requests; /* begun over this connection */
    uint64_t left;     /* bytes of the body, or of the file, that are still to come */
    uint64_t done;     /* those that are through */
    uint32_t cksum;    /* of the body so far */
};

/* What answers depend on besides. */
struct site_surroundings {
    HANDLE file;
    uint64_t file_size;
    unsigned worker;      /* number of this process */
    unsigned workers;     /* processes that have had the connection */
    const char *protocol; /* of TLS */
};

void site_init(struct site *site);

/* Takes from what the client said, and puts the next up to `most` bytes of the answer into `out`;
 * 0 when there is none for now. `most` is enough for the head of an answer. */
size_t site_run(struct site *site, const struct site_surroundings *around, struct queue *said,
                uint8_t *out, size_t most);
