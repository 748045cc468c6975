/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the legs of the packages have in common: the buffers that an application gives to
 * InitializeSecurityContext and AcceptSecurityContext, and what it is told by them.
 */
#pragma once

#include "core/writer.h"
#include "ssp/abi.h"

#include <stdbool.h>

/* ISC_ and ASC_ share these two. */
#define LEG_REQ_ALLOCATE_MEMORY ISC_REQ_ALLOCATE_MEMORY
#define LEG_RET_ALLOCATED_MEMORY ISC_RET_ALLOCATED_MEMORY

/* Now, as a FILETIME. */
uint64_t leg_time(void);

/* ---- input ---- */

/* The TOKEN buffer; SEC_E_INVALID_TOKEN when there is none or it is empty. */
status_t leg_token(const SecBufferDesc *input, struct slice *token);

/* The name that the application gave as an argument, or else in a buffer; UTF-16, size 0 without
 * one. */
status_t leg_target(const UNICODE_STRING *target, const SecBufferDesc *input, struct slice *out);

/* Channel bindings in their parts, borrowed. Bindings that name nothing at all are the way to say
 * that there are none: they are not `given`. */
struct leg_bindings {
    bool given;
    bool audit; /* of a server: what does not match is told and not refused */
    uint32_t initiator_type, acceptor_type;
    struct slice initiator, acceptor, application_data;
};

/* Those of SECBUFFER_CHANNEL_BINDINGS, in either form (SEC_CHANNEL_BINDINGS and its EX form). */
status_t leg_bindings_read(const SecBufferDesc *input, struct leg_bindings *out);

/* What a client says of its channel: nothing, not knowing of bindings; that there is none; or which
 * one, compared with the server's. */
enum leg_channel {
    LEG_CHANNEL_UNSAID,
    LEG_CHANNEL_NONE,
    LEG_CHANNEL_SAME,
    LEG_CHANNEL_OTHER,
};

/* What policy and the application want of it. */
struct leg_channel_rule {
    ULONG requirements;
    bool required; /* neither ASC_REQ_ALLOW_MISSING_BINDINGS nor audit counts */
    bool audit;
};

/* SEC_E_OK or SEC_E_BAD_BINDINGS (Microsoft's page on extended protection in a service). Which case
 * it is goes to SECBUFFER_CHANNEL_BINDINGS_RESULT, where the application has put such a buffer
 * beside that of the token. */
status_t leg_channel_judge(const SecBufferDesc *output, const struct leg_channel_rule *rule,
                           enum leg_channel said);

/* The same where nothing is compared, since there is no channel here: no case is told. */
void leg_channel_unasked(const SecBufferDesc *output);

/* ---- output ---- */

/* Where the token of a leg goes. It is written to a block of its own, because some programs give
 * the same memory for input and output, and one no larger than their buffer, so that a leg finds
 * out that it does not fit. */
struct leg_output {
    SecBuffer *buffer; /* NULL when there is none */
    bool allocate;
    uint8_t *block;
    size_t room; /* of the block */
};

/* A block of at most `most` bytes: a small one where the application leaves its size to us. The
 * statuses for an unusable buffer are those that Wine's tests state of Windows. */
status_t leg_output_open(struct leg_output *output, const SecBufferDesc *desc, ULONG requirements,
                         bool first_leg, size_t most);

/* Room for size bytes in the place of what was there. SEC_E_BUFFER_TOO_SMALL where the application
 * has less, or no buffer: the block is then as it was. */
status_t leg_output_grow(struct leg_output *output, size_t size);

/* Gives the first size bytes of the block to the application. */
void leg_output_close(struct leg_output *output, size_t size);

/* Wipes the block; fine without one. */
void leg_output_discard(struct leg_output *output);

/* A leg that sends nothing says so in whatever buffer there is. */
void leg_output_empty(const SecBufferDesc *desc, ULONG requirements);

/* So does one that has failed, or an application that sends whatever it has would send its own
 * memory; but not for want of room or memory, when the same call can be made again. */
void leg_output_refuse(const SecBufferDesc *desc, status_t status);

/* ---- report ---- */

/* Where a host wants to be told of a leg; any of them may be NULL. */
struct leg_report {
    LSA_SEC_HANDLE *handle;
    ULONG *attributes;
    TimeStamp *expiry;
    BOOLEAN *mapped;
    SecBuffer *data;
};

/* Asks for a user half, for which nothing is packed; expiry NULL means never. */
void leg_report_fill(const struct leg_report *report, const void *context, ULONG attributes,
                     const TimeStamp *expiry);
