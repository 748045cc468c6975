/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two record paths share: message.c and message_library.c. */
#pragma once

#include "schannel_package.h"

/* A message to be sent; all three buffers are there. */
struct outgoing {
    SecBuffer *header, *data, *trailer;
    enum tls_type type;
};

/* What was received, and how the first record lies in it. */
struct incoming {
    uint8_t *bytes;
    size_t size;
    size_t skipped;                /* before the record: what says nothing */
    size_t header, plain, trailer; /* of the record, which they make up */
    size_t missing;                /* for SEC_E_INCOMPLETE_MESSAGE */
    uint8_t alert;                 /* what the peer hears of a failure; 0: by its status */
};

/* One record through the library; the context is locked for it. */
status_t message_library_seal(struct context *context, const struct outgoing *out);
status_t message_library_open(struct context *context, struct incoming *in);

/* What an alert means for the context, and for the application. */
status_t alert_received(struct context *context, const uint8_t *alert, size_t size);
