/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of an NTLM context share. */
#pragma once

#include "core/ntlm.h"

/* Flags without which no handshake goes on, whatever the peer's age. */
#define NTLM_REQUIRED (NTLM_UNICODE | NTLM_NTLM | NTLM_ESS | NTLM_128)

/* Names in a context are written down behind a length of 16 bits. */
#define NTLM_NAME_MAX 65535u

/* *to must be empty; it stays so on failure. */
status_t blob_copy(struct blob *to, struct slice from);
void blob_clear(struct blob *blob);
struct slice blob_view(const struct blob *blob);

bool ntlm_name_valid(struct slice name);

/* 16, or 8 where flags ask for the short keys of sessions without extended security. */
uint8_t ntlm_seal_key_size(uint32_t flags);

/* Reads one AV pair; false at the terminator and when the reader has failed. */
bool ntlm_av_next(struct reader *r, uint16_t *id, struct slice *value);

/* What a handshake step leaves in the context: the parts that are made before anything can fail
 * no more. Moved into a context by ntlm_context_establish, else cleared. */
struct ntlm_result {
    struct blob user, domain, target_name;
    struct ntlm_session session;
};

void ntlm_result_clear(struct ntlm_result *result);

/* Empties the handshake and moves result, which is empty afterwards, into ctx. */
void ntlm_context_establish(struct ntlm_context *ctx, struct ntlm_result *result, bool local,
                            uint64_t now);
