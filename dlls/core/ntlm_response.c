/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Responses to a challenge, made by a client and checked by a server, and the key that both have
 * afterwards: MS-NLMP 3.3.1 (NTLMv1), 3.3.2 (NTLMv2), 3.4.5.1 (KXKEY), 2.2.2.1 (AV pairs).
 */
#include "ntlm_private.h"

#include "core/secret.h"

#include <string.h>

static uint32_t flags_of(struct slice value)
{
    struct reader r;
    reader_init(&r, value.data, value.size);
    return reader_u32le(&r);
}

/* ---- NTLMv2 ---- */

void ntlm_v2_response_begin(struct writer *w, uint64_t time, const uint8_t client_challenge[8])
{
    writer_reserve(w, NTLM_PROOF_SIZE);
    writer_u16le(w, 0x0101); /* RespType and HiRespType */
    writer_zero(w, 6);
    writer_u64le(w, time);
    writer_bytes(w, client_challenge, 8);
    writer_zero(w, 4);
}

status_t ntlm_v2_response_end(struct writer *w, const uint8_t v2_hash[16],
                              const uint8_t server_challenge[8])
{
    uint8_t proof[NTLM_PROOF_SIZE];
    writer_zero(w, 4);
    status_t status = writer_status(w);
    if (!status_ok(status)) return status;
    struct slice temp = slice_rest(writer_view(w), NTLM_PROOF_SIZE);
    status = ntlm_v2_proof(v2_hash, server_challenge, temp, proof);
    if (status_ok(status)) writer_patch_bytes(w, 0, proof, sizeof(proof));
    return status;
}

/* ---- the client: NTLMv2 ---- */

/* MS-NLMP 2.2.2.2; what the eight bytes in the middle say holds within one machine only. */
static void write_single_host(struct writer *w, const uint8_t machine_id[NTLM_MACHINE_ID_SIZE])
{
    const uint16_t size = 4 + 4 + 8 + NTLM_MACHINE_ID_SIZE;
    writer_u16le(w, NTLM_AV_SINGLE_HOST);
    writer_u16le(w, size);
    writer_u32le(w, size);
    writer_zero(w, 4 + 8);
    writer_bytes(w, machine_id, NTLM_MACHINE_ID_SIZE);
}

/* Pairs of these kinds are the client's to state, whatever the server sent. */
static bool is_ours(uint16_t id)
{
    return id == NTLM_AV_FLAGS || id == NTLM_AV_SINGLE_HOST || id == NTLM_AV_TARGET_NAME ||
           id == NTLM_AV_CHANNEL_BINDINGS;
}

/* The server's pairs, with ours in place of those that a client states. They are there even if the
 * server sent none: nothing protects a challenge, and whoever takes its pairs out must not take
 * the MIC and the bindings along. */
static void write_pairs(struct writer *w, const struct ntlm_context *ctx, struct slice server_pairs,
                        const struct ntlm_client_finish *params)
{
    static const uint8_t no_bindings[16];
    struct reader r;
    struct slice value;
    uint16_t id;
    uint32_t flags = NTLM_AV_FLAG_MIC;
    if (params->untrusted_target) flags |= NTLM_AV_FLAG_UNTRUSTED_TARGET;
    reader_init(&r, server_pairs.data, server_pairs.size);
    while (ntlm_av_next(&r, &id, &value)) {
        if (id == NTLM_AV_FLAGS) flags |= flags_of(value);
        if (!is_ours(id)) ntlm_av_write(w, id, value);
    }
    writer_u16le(w, NTLM_AV_FLAGS);
    writer_u16le(w, 4);
    writer_u32le(w, flags);
    if (params->machine_id) write_single_host(w, params->machine_id);
    if (params->no_extended_protection) return;
    const uint8_t *bindings = params->channel_bindings ? params->channel_bindings : no_bindings;
    ntlm_av_write(w, NTLM_AV_TARGET_NAME, blob_slice(&ctx->target_name));
    ntlm_av_write(w, NTLM_AV_CHANNEL_BINDINGS, (struct slice){bindings, 16});
}

static status_t make_v2_response(struct writer *w, const struct ntlm_context *ctx,
                                 const struct ntlm_challenge *challenge,
                                 const struct ntlm_client_finish *params)
{
    uint64_t time = params->now;
    ntlm_av_time(challenge->target_info, &time); /* the server's clock decides, where it is told */
    ntlm_v2_response_begin(w, time, params->client_challenge);
    write_pairs(w, ctx, challenge->target_info, params);
    ntlm_av_write(w, NTLM_AV_EOL, (struct slice){NULL, 0});
    return ntlm_v2_response_end(w, params->v2_hash, challenge->server_challenge);
}

static status_t make_v2(struct ntlm_answer *answer, const struct ntlm_context *ctx,
                        const struct ntlm_challenge *challenge,
                        const struct ntlm_client_finish *params)
{
    uint64_t time;
    answer->lm_size = sizeof(answer->lm);
    status_t status = make_v2_response(&answer->nt, ctx, challenge, params);
    /* A server that tells its time looks at the NT response alone; the LM response is zeros then,
     * nothing that could be attacked by itself (MS-NLMP 3.1.5.1.2). */
    if (status_ok(status) && !ntlm_av_time(challenge->target_info, &time))
        status = ntlm_v2_lm_response(params->v2_hash, challenge->server_challenge,
                                     params->client_challenge, answer->lm);
    if (!status_ok(status)) return status;
    return ntlm_v2_session_base_key(params->v2_hash, answer->nt.data, answer->exchange_key);
}

/* ---- the client: NTLMv1 and nobody ---- */

static status_t make_v1_responses(struct ntlm_answer *answer, uint8_t nt[NTLM_V1_RESPONSE_SIZE],
                                  const uint8_t server_challenge[8],
                                  const struct ntlm_client_finish *params, uint32_t flags)
{
    answer->lm_size = sizeof(answer->lm);
    if (flags & NTLM_ESS) {
        /* The LM response's place is taken by the client's challenge. */
        memcpy(answer->lm, params->client_challenge, sizeof(params->client_challenge));
        return ntlm_v1_ess_response(params->nt_hash, server_challenge, params->client_challenge,
                                    nt);
    }
    status_t status = ntlm_v1_response(params->nt_hash, server_challenge, nt);
    if (!status_ok(status)) return status;
    if (params->send_lm) return ntlm_v1_response(params->lm_hash, server_challenge, answer->lm);
    memcpy(answer->lm, nt, NTLM_V1_RESPONSE_SIZE);
    return SEC_E_OK;
}

static status_t make_v1(struct ntlm_answer *answer, const struct ntlm_challenge *challenge,
                        const struct ntlm_client_finish *params, uint32_t flags)
{
    uint8_t nt[NTLM_V1_RESPONSE_SIZE], base_key[NTLM_KEY_SIZE];
    status_t status = make_v1_responses(answer, nt, challenge->server_challenge, params, flags);
    if (!status_ok(status)) return status;
    writer_bytes(&answer->nt, nt, sizeof(nt));
    status = writer_status(&answer->nt);
    if (status_ok(status)) status = ntlm_v1_session_base_key(params->nt_hash, base_key);
    if (status_ok(status))
        status = ntlm_v1_exchange_key(flags, base_key, params->lm_hash, challenge->server_challenge,
                                      answer->lm, answer->exchange_key);
    secret_wipe(base_key, sizeof(base_key));
    return status;
}

status_t ntlm_answer_make(struct ntlm_answer *answer, const struct ntlm_context *ctx,
                          const struct ntlm_challenge *challenge,
                          const struct ntlm_client_finish *params, uint32_t flags)
{
    switch (params->proof) {
    case NTLM_PROOF_V2:
    case NTLM_PROOF_LOCAL: return make_v2(answer, ctx, challenge, params);
    case NTLM_PROOF_V1: return make_v1(answer, challenge, params, flags);
    case NTLM_PROOF_ANONYMOUS: answer->lm_size = 1; return SEC_E_OK; /* and a key of zeros */
    case NTLM_PROOF_AUTHORITY: break;
    }
    return SEC_E_INVALID_PARAMETER;
}

void ntlm_answer_clear(struct ntlm_answer *answer)
{
    writer_free(&answer->nt);
    secret_wipe(answer, sizeof(*answer));
}

/* ---- the server ---- */

static status_t compare(status_t status, const uint8_t *expected, struct slice sent)
{
    if (!status_ok(status)) return status;
    return secret_equal(expected, sent.data, sent.size) ? SEC_E_OK : SEC_E_LOGON_DENIED;
}

static status_t check_v2(const struct ntlm_context *ctx, const struct ntlm_authenticate *message,
                         const uint8_t v2_hash[16])
{
    uint8_t proof[NTLM_PROOF_SIZE];
    struct slice sent = {message->nt_response.data, sizeof(proof)};
    /* What the proof covers follows it; the decoder has seen that there is enough. */
    struct slice temp = slice_rest(message->nt_response, sizeof(proof));
    status_t status = ntlm_v2_proof(v2_hash, ctx->server_challenge, temp, proof);
    status = compare(status, proof, sent);
    secret_wipe(proof, sizeof(proof));
    return status;
}

static status_t check_v1(const struct ntlm_context *ctx, const struct ntlm_authenticate *message,
                         const struct ntlm_server_finish *params, enum ntlm_response kind)
{
    uint8_t expected[NTLM_V1_RESPONSE_SIZE];
    struct slice sent = message->nt_response;
    status_t status;
    if (kind == NTLM_RESPONSE_V1_ESS) {
        status = ntlm_v1_ess_response(params->nt_hash, ctx->server_challenge,
                                      message->lm_response.data, expected);
    } else if (kind == NTLM_RESPONSE_V1) {
        status = ntlm_v1_response(params->nt_hash, ctx->server_challenge, expected);
    } else {
        sent = message->lm_response;
        status = ntlm_v1_response(params->lm_hash, ctx->server_challenge, expected);
    }
    status = compare(status, expected, sent);
    secret_wipe(expected, sizeof(expected));
    return status;
}

/* KXKEY of what is no NTLMv2. The older key forms need half of the LM hash and the LM response. */
static status_t v1_exchange_key(const struct ntlm_context *ctx,
                                const struct ntlm_authenticate *message, uint32_t flags,
                                const uint8_t base_key[NTLM_KEY_SIZE], const uint8_t *lm_key,
                                uint8_t key[NTLM_KEY_SIZE])
{
    uint8_t lm_hash[16] = {0}, lm_response[NTLM_V1_RESPONSE_SIZE] = {0};
    if (!(flags & NTLM_ESS) && flags & (NTLM_LM_KEY | NTLM_NON_NT_SESSION_KEY)) {
        if (!lm_key || message->lm_response.size != sizeof(lm_response)) return SEC_E_LOGON_DENIED;
        memcpy(lm_hash, lm_key, 8);
    }
    if (message->lm_response.size == sizeof(lm_response))
        memcpy(lm_response, message->lm_response.data, sizeof(lm_response));
    status_t status = ntlm_v1_exchange_key(flags, base_key, lm_hash, ctx->server_challenge,
                                           lm_response, key);
    secret_wipe(lm_hash, sizeof(lm_hash));
    return status;
}

/* Which kinds of response may serve as which proof. */
static bool kind_fits(const struct ntlm_server_finish *params, enum ntlm_response kind)
{
    bool is_v1 = kind == NTLM_RESPONSE_V1 || kind == NTLM_RESPONSE_V1_ESS;
    switch (params->proof) {
    case NTLM_PROOF_V2:
    case NTLM_PROOF_LOCAL: return kind == NTLM_RESPONSE_V2;
    case NTLM_PROOF_V1:
        return is_v1 || (kind == NTLM_RESPONSE_LM && params->accept_lm && params->has_lm);
    case NTLM_PROOF_ANONYMOUS: return kind == NTLM_RESPONSE_ANONYMOUS;
    case NTLM_PROOF_AUTHORITY: return is_v1 || kind == NTLM_RESPONSE_V2 || kind == NTLM_RESPONSE_LM;
    }
    return false;
}

static status_t check_own(const struct ntlm_context *ctx, const struct ntlm_authenticate *message,
                          const struct ntlm_server_finish *params, enum ntlm_response kind,
                          uint8_t base_key[NTLM_KEY_SIZE])
{
    status_t status;
    if (kind == NTLM_RESPONSE_V2) {
        status = check_v2(ctx, message, params->v2_hash);
        if (!status_ok(status)) return status;
        return ntlm_v2_session_base_key(params->v2_hash, message->nt_response.data, base_key);
    }
    status = check_v1(ctx, message, params, kind);
    return status_ok(status) ? ntlm_v1_session_base_key(params->nt_hash, base_key) : status;
}

status_t ntlm_answer_check(const struct ntlm_context *ctx, const struct ntlm_authenticate *message,
                           const struct ntlm_server_finish *params, uint32_t flags,
                           uint8_t exchange_key[NTLM_KEY_SIZE])
{
    uint8_t base_key[NTLM_KEY_SIZE] = {0};
    status_t status = SEC_E_OK;
    bool by_authority = params->proof == NTLM_PROOF_AUTHORITY;
    enum ntlm_response kind = ntlm_authenticate_response(message, flags);
    if (!kind_fits(params, kind)) return SEC_E_LOGON_DENIED;
    if (by_authority) memcpy(base_key, params->session_base_key, sizeof(base_key));
    else if (kind != NTLM_RESPONSE_ANONYMOUS)
        status = check_own(ctx, message, params, kind, base_key);
    if (!status_ok(status)) goto done;

    if (kind == NTLM_RESPONSE_V2 || kind == NTLM_RESPONSE_ANONYMOUS) {
        memcpy(exchange_key, base_key, sizeof(base_key));
    } else {
        const uint8_t *lm_key = by_authority ? params->lm_session_key : params->lm_hash;
        status = v1_exchange_key(ctx, message, flags, base_key, params->has_lm ? lm_key : NULL,
                                 exchange_key);
    }
done:
    secret_wipe(base_key, sizeof(base_key));
    return status;
}
