/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of an NTLM context share. */
#pragma once

#include "core/ntlm.h"

#define NTLM_KEY_SIZE 16u
#define NTLM_PROOF_SIZE 16u
#define NTLM_V1_RESPONSE_SIZE 24u

/* What every NEGOTIATE of ours says, and every server grants that is asked for it. */
#define NTLM_ALWAYS (NTLM_NTLM | NTLM_REQUEST_TARGET | NTLM_ALWAYS_SIGN)

/* One of these has to be there (MS-NLMP 2.2.2.5). */
#define NTLM_STRINGS (NTLM_UNICODE | NTLM_OEM)

/* Datagrams are sealed with extended session security only (MS-NLMP 3.4.3). */
static inline bool ntlm_sealing_possible(uint32_t flags)
{
    return flags & NTLM_ESS || !(flags & NTLM_SEAL) || !(flags & NTLM_DATAGRAM);
}

/* Names in a context are written down behind a length of 16 bits. */
#define NTLM_NAME_MAX 65535u

bool ntlm_name_valid(struct slice name);

/* 16, or 8 where flags ask for the short keys of sessions without extended security. */
uint8_t ntlm_seal_key_size(uint32_t flags);

/* Reads one AV pair; false at the terminator and when the reader has failed. */
bool ntlm_av_next(struct reader *r, uint16_t *id, struct slice *value);

/* ---- responses (ntlm_response.c) ---- */

/* What a client sends to prove its user, and the key that comes of it (KXKEY, MS-NLMP 3.4.5.1).
 * Starts as zeros; ntlm_answer_clear releases it. */
struct ntlm_answer {
    struct writer nt;
    uint8_t lm[NTLM_V1_RESPONSE_SIZE];
    size_t lm_size;
    uint8_t exchange_key[NTLM_KEY_SIZE];
};
status_t ntlm_answer_make(struct ntlm_answer *answer, const struct ntlm_context *ctx,
                          const struct ntlm_challenge *challenge,
                          const struct ntlm_client_finish *params, uint32_t flags);
void ntlm_answer_clear(struct ntlm_answer *answer);

/* Whether a message proves what params ask for, and the key that comes of it. */
status_t ntlm_answer_check(const struct ntlm_context *ctx, const struct ntlm_authenticate *message,
                           const struct ntlm_server_finish *params, uint32_t flags,
                           uint8_t exchange_key[NTLM_KEY_SIZE]);

/* ---- the end of a handshake (ntlm_context.c) ---- */

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
