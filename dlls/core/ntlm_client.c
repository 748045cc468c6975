/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client's two steps: MS-NLMP 3.1.5.1.1 (NEGOTIATE) and 3.1.5.1.2 (AUTHENTICATE). NTLMv2
 * only; LM and NTLMv1 responses are never sent, nor is an anonymous one.
 */
#include "ntlm_private.h"

#include "core/secret.h"

#include <string.h>

/* What a client always asks for, and what the application may add. */
#define ALWAYS_ASKED (NTLM_REQUIRED | NTLM_REQUEST_TARGET | NTLM_ALWAYS_SIGN | NTLM_56)
#define MAY_BE_ADDED (NTLM_SIGN | NTLM_SEAL | NTLM_IDENTIFY)

#define PROOF_SIZE 16u
#define KEY_SIZE 16u

status_t ntlm_client_start(struct ntlm_context *ctx, const struct ntlm_client_start *params,
                           struct writer *token)
{
    struct writer w;
    struct blob negotiate = {NULL, 0}, target_name = {NULL, 0};
    struct ntlm_negotiate message;

    if (ctx->role != NTLM_CLIENT || ctx->stage != NTLM_STAGE_START) return SEC_E_OUT_OF_SEQUENCE;
    if (params->flags & ~(ALWAYS_ASKED | MAY_BE_ADDED | NTLM_KEY_EXCH))
        return SEC_E_UNSUPPORTED_FUNCTION;
    if (!ntlm_name_valid(params->target_name)) return SEC_E_INVALID_PARAMETER;

    memset(&message, 0, sizeof(message));
    message.flags = ALWAYS_ASKED | (params->flags & ~NTLM_KEY_EXCH);
    /* Nothing but signing and sealing uses an exchanged key (MS-NLMP 3.1.5.1.2). */
    if (params->flags & (NTLM_SIGN | NTLM_SEAL)) message.flags |= NTLM_KEY_EXCH;
    /* Names and version exclude each other (MS-NLMP 3.1.5.1.1). */
    if (params->offer_local) {
        message.flags |= NTLM_OEM_DOMAIN_SUPPLIED | NTLM_OEM_WORKSTATION_SUPPLIED;
        message.domain = params->oem_domain;
        message.workstation = params->oem_workstation;
    } else {
        message.flags |= NTLM_VERSION;
        memcpy(message.version, params->version, sizeof(message.version));
    }

    /* The MIC will cover the message, so the context keeps it as it was sent. */
    writer_init(&w);
    ntlm_negotiate_encode(&w, &message);
    status_t status = writer_take(&w, &negotiate.data, &negotiate.size);
    if (!status_ok(status)) goto done;
    status = blob_copy(&target_name, params->target_name);
    if (!status_ok(status)) goto done;
    writer_slice(token, blob_view(&negotiate));
    status = writer_status(token);
    if (!status_ok(status)) goto done;

    ctx->negotiate_flags = message.flags;
    ctx->negotiate = negotiate;
    ctx->target_name = target_name;
    ctx->stage = NTLM_STAGE_NEGOTIATE_SENT;
    negotiate = target_name = (struct blob){NULL, 0};
done:
    writer_free(&w);
    blob_clear(&negotiate);
    blob_clear(&target_name);
    return status;
}

/* The flags of the session. Protection that was asked for is not given up because the challenge,
 * which nothing protects yet, leaves it out. */
static status_t agree_flags(const struct ntlm_context *ctx, const struct ntlm_challenge *challenge,
                            bool local, uint32_t *flags)
{
    const uint32_t kept = NTLM_REQUIRED | NTLM_SIGN | NTLM_SEAL;
    uint32_t agreed = ctx->negotiate_flags & challenge->flags;
    if ((ctx->negotiate_flags & kept) != (agreed & kept)) return SEC_E_UNSUPPORTED_FUNCTION;
    if (challenge->flags & NTLM_DATAGRAM) return SEC_E_UNSUPPORTED_FUNCTION;
    if (challenge->target_info.size) agreed |= NTLM_TARGET_INFO;
    if (local) agreed |= NTLM_LOCAL_CALL;
    /* These two say what NEGOTIATE contains and nothing about the session. */
    *flags = agreed & ~(NTLM_OEM_DOMAIN_SUPPLIED | NTLM_OEM_WORKSTATION_SUPPLIED);
    return SEC_E_OK;
}

static uint64_t number(struct slice value)
{
    struct reader r;
    reader_init(&r, value.data, value.size);
    return value.size == 8 ? reader_u64le(&r) : reader_u32le(&r);
}

/* The server's pairs, with ours in place of those that a client states. */
static void write_pairs(struct writer *w, const struct ntlm_context *ctx, struct slice server_pairs,
                        const uint8_t *channel_bindings, bool with_mic)
{
    static const uint8_t no_bindings[16];
    struct reader r;
    struct slice value;
    uint16_t id;
    uint32_t flags = with_mic ? NTLM_AV_FLAG_MIC : 0;
    reader_init(&r, server_pairs.data, server_pairs.size);
    while (ntlm_av_next(&r, &id, &value)) {
        if (id == NTLM_AV_FLAGS) flags |= (uint32_t)number(value);
        else if (id != NTLM_AV_TARGET_NAME && id != NTLM_AV_CHANNEL_BINDINGS)
            ntlm_av_write(w, id, value);
    }
    /* A pair of value 0 makes some peers compute another MIC. */
    if (flags) {
        writer_u16le(w, NTLM_AV_FLAGS);
        writer_u16le(w, 4);
        writer_u32le(w, flags);
    }
    if (!channel_bindings) channel_bindings = no_bindings;
    ntlm_av_write(w, NTLM_AV_TARGET_NAME, blob_view(&ctx->target_name));
    ntlm_av_write(w, NTLM_AV_CHANNEL_BINDINGS, (struct slice){channel_bindings, 16});
}

/* The NTLMv2 response: the proof and what it proves (MS-NLMP 3.3.2, temp). */
static status_t make_response(struct writer *w, const struct ntlm_context *ctx,
                              const struct ntlm_challenge *challenge,
                              const struct ntlm_client_finish *params, bool with_mic)
{
    struct slice timestamp;
    uint64_t time = params->now;
    /* The server's clock decides, where it tells its time. */
    if (ntlm_av_find(challenge->target_info, NTLM_AV_TIMESTAMP, &timestamp))
        time = number(timestamp);
    size_t proof_offset = writer_reserve(w, PROOF_SIZE);
    writer_u16le(w, 0x0101);
    writer_zero(w, 6);
    writer_u64le(w, time);
    writer_bytes(w, params->client_challenge, sizeof(params->client_challenge));
    writer_zero(w, 4);
    /* A server that sends no pairs is older than those that we would add; bindings are not given
     * up because a challenge, which nothing protects yet, leaves its pairs out. */
    if (challenge->target_info.size || params->channel_bindings)
        write_pairs(w, ctx, challenge->target_info, params->channel_bindings, with_mic);
    ntlm_av_write(w, NTLM_AV_EOL, (struct slice){NULL, 0});
    writer_zero(w, 4);
    status_t status = writer_status(w);
    if (!status_ok(status)) return status;

    uint8_t proof[PROOF_SIZE];
    struct slice temp = {w->data + PROOF_SIZE, w->size - PROOF_SIZE};
    status = ntlm_v2_proof(params->v2_hash, challenge->server_challenge, temp, proof);
    if (status_ok(status)) writer_patch_bytes(w, proof_offset, proof, sizeof(proof));
    return status;
}

struct client_keys {
    uint8_t session_key[KEY_SIZE], encrypted[KEY_SIZE];
};

/* With key exchange the session's key is the client's choice, sent under the one derived. */
static status_t make_keys(struct client_keys *keys, uint32_t flags,
                          const struct ntlm_client_finish *params, const uint8_t *proof)
{
    uint8_t base_key[KEY_SIZE];
    status_t status = ntlm_v2_session_base_key(params->v2_hash, proof, base_key);
    if (status_ok(status) && flags & NTLM_KEY_EXCH) {
        struct rc4 rc4;
        memcpy(keys->session_key, params->random_session_key, KEY_SIZE);
        rc4_init(&rc4, base_key, KEY_SIZE);
        rc4_crypt(&rc4, keys->session_key, keys->encrypted, KEY_SIZE);
        secret_wipe(&rc4, sizeof(rc4));
    } else if (status_ok(status)) {
        memcpy(keys->session_key, base_key, KEY_SIZE);
    }
    secret_wipe(base_key, sizeof(base_key));
    return status;
}

/* Encodes the message, then fills in the MIC that covers all three. */
static status_t encode(struct writer *w, const struct ntlm_context *ctx,
                       struct slice challenge_token, const struct ntlm_authenticate *message,
                       const uint8_t session_key[KEY_SIZE])
{
    uint8_t mic[16];
    ntlm_authenticate_encode(w, message);
    status_t status = writer_status(w);
    if (!status_ok(status) || !message->has_mic) return status;
    status = ntlm_mic(session_key, blob_view(&ctx->negotiate), challenge_token, writer_view(w),
                      mic);
    if (status_ok(status)) writer_patch_bytes(w, NTLM_MIC_OFFSET, mic, sizeof(mic));
    return status;
}

/* A server can make the answer too long by what it wants to have echoed. */
static bool fits(const struct ntlm_authenticate *message)
{
    size_t size = NTLM_MIC_OFFSET + 16 + message->domain.size + message->user.size +
                  message->workstation.size + message->lm_response.size +
                  message->nt_response.size + message->encrypted_key.size;
    return size <= NTLM_MESSAGE_MAX;
}

static status_t make_result(struct ntlm_result *result, uint32_t flags,
                            const struct ntlm_client_finish *params,
                            const uint8_t session_key[KEY_SIZE])
{
    status_t status = blob_copy(&result->user, params->user);
    if (status_ok(status)) status = blob_copy(&result->domain, params->domain);
    if (status_ok(status)) status = ntlm_session_init(&result->session, flags, session_key, true);
    return status;
}

/* Answers in w and result; params and challenge have been checked. */
static status_t answer(struct writer *w, struct ntlm_result *result, const struct ntlm_context *ctx,
                       struct slice challenge_token, const struct ntlm_challenge *challenge,
                       const struct ntlm_client_finish *params, uint32_t flags)
{
    struct writer response;
    struct client_keys keys;
    struct ntlm_authenticate message;
    struct slice timestamp;
    uint8_t lm_response[24] = {0};
    memset(&keys, 0, sizeof(keys));
    memset(&message, 0, sizeof(message));
    writer_init(&response);

    message.flags = flags;
    message.has_mic = ntlm_av_find(challenge->target_info, NTLM_AV_TIMESTAMP, &timestamp);
    message.domain = params->domain;
    message.user = params->user;
    message.workstation = params->workstation;
    memcpy(message.version, params->version, sizeof(message.version));
    status_t status = make_response(&response, ctx, challenge, params, message.has_mic);
    if (!status_ok(status)) goto done;
    message.nt_response = writer_view(&response);
    /* With the MIC goes an LM response of zeros: nothing that could be attacked by itself. */
    if (!message.has_mic)
        status = ntlm_v2_lm_response(params->v2_hash, challenge->server_challenge,
                                     params->client_challenge, lm_response);
    if (!status_ok(status)) goto done;
    message.lm_response = (struct slice){lm_response, sizeof(lm_response)};
    status = make_keys(&keys, flags, params, response.data);
    if (!status_ok(status)) goto done;
    if (flags & NTLM_KEY_EXCH) message.encrypted_key = (struct slice){keys.encrypted, KEY_SIZE};

    status = fits(&message) ? encode(w, ctx, challenge_token, &message, keys.session_key)
                            : SEC_E_INVALID_TOKEN;
    if (status_ok(status)) status = make_result(result, flags, params, keys.session_key);
done:
    writer_free(&response);
    secret_wipe(&keys, sizeof(keys));
    secret_wipe(lm_response, sizeof(lm_response));
    return status;
}

/* A server that grants what was not asked for is not answered with a local proof. */
static bool local_offered(const struct ntlm_context *ctx, const struct ntlm_challenge *challenge)
{
    return ctx->negotiate_flags & NTLM_OEM_WORKSTATION_SUPPLIED &&
           challenge->flags & NTLM_LOCAL_CALL;
}

status_t ntlm_client_finish(struct ntlm_context *ctx, struct slice challenge_token,
                            const struct ntlm_challenge *challenge,
                            const struct ntlm_client_finish *params, struct writer *token)
{
    struct writer w;
    struct ntlm_result result;
    uint32_t flags;

    if (ctx->role != NTLM_CLIENT || ctx->stage != NTLM_STAGE_NEGOTIATE_SENT)
        return SEC_E_OUT_OF_SEQUENCE;
    if (!ntlm_name_valid(params->user) || !ntlm_name_valid(params->domain) ||
        !ntlm_name_valid(params->workstation) || (params->local && !local_offered(ctx, challenge)))
        return SEC_E_INVALID_PARAMETER;
    status_t status = agree_flags(ctx, challenge, params->local, &flags);
    if (!status_ok(status)) return status;

    memset(&result, 0, sizeof(result));
    writer_init(&w);
    status = answer(&w, &result, ctx, challenge_token, challenge, params, flags);
    if (!status_ok(status)) goto done;
    writer_slice(token, writer_view(&w));
    status = writer_status(token);
    if (status_ok(status)) ntlm_context_establish(ctx, &result, params->local, params->now);
done:
    writer_free(&w);
    ntlm_result_clear(&result);
    return status;
}
