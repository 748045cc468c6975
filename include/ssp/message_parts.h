/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An application's buffers as the parts of a message (sspi.h), for packages that sign and seal with
 * a token beside the data. DATA buffers are covered in their order: READONLY ones not at all,
 * READONLY_WITH_CHECKSUM ones by the signature alone. A MECHLIST buffer in the place of DATA is the
 * list of mechanisms of SPNEGO, of which the signature is a mechListMIC (RFC 4178 5). Other buffers
 * are left alone.
 */
#pragma once

#include "core/message_part.h"
#include "core/reader.h"
#include "core/status.h"
#include "ssp/secbuf.h"

#define MESSAGE_STACK_PARTS 16u /* more buffers than this cost an allocation */

struct message_parts {
    size_t count;
    struct message_part *list;
    struct message_part room[MESSAGE_STACK_PARTS];
};

/* The TOKEN buffer, wherever it stands; SEC_E_INVALID_TOKEN without one that has memory. */
status_t message_token(const SecBufferDesc *desc, SecBuffer **token);

/* What is covered, to be closed after a success. SEC_E_INVALID_TOKEN for data without memory. */
status_t message_parts_collect(const SecBufferDesc *desc, bool mech_list,
                               struct message_parts *parts);
void message_parts_close(struct message_parts *parts);

/* Gives the buffers the sizes that the parts have now. */
void message_parts_show(const SecBufferDesc *desc, bool mech_list,
                        const struct message_parts *parts);

/* The second form of a message that is to be unsealed: STREAM has it in one piece, and DATA is set
 * to where the plain text is found in it. SEC_E_INVALID_TOKEN without either. */
struct message_stream {
    SecBuffer *stream, *plain;
};
status_t message_stream_find(const SecBufferDesc *desc, struct message_stream *out);
void message_stream_show(const struct message_stream *message, struct slice plain);
