/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two ways to protect a message share: message.c and message_library.c. */
#pragma once

#include "kerberos_package.h"
#include "ssp/message_parts.h"

/* An application's message. Which of the fields are set depends on what is done with it. */
struct message {
    SecBuffer *token, *padding;   /* padding: NULL without */
    struct message_stream stream; /* a token in one piece; of token and padding there is none */
    bool encrypt;                 /* sealing: in; unsealing: out */
    struct message_parts parts;
};

/* What signatures and padding of the library have room in, whatever the encryption type. */
#define LIBRARY_SIGNATURE_MAX 64u
#define LIBRARY_BLOCK_MAX 16u

/* One message through the library; the context is locked in both directions. */
status_t message_library_run(struct context *context, enum call_protect operation,
                             struct message *message);
