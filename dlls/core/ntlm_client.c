/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client's two steps: MS-NLMP 3.1.5.1.1 (NEGOTIATE), 3.1.5.1.2 and 3.1.5.2.1 (AUTHENTICATE).
 * What a weaker server may be offered is up to the caller.
 */
#include "ntlm_private.h"

#include "core/secret.h"

#include <string.h>

#define OFFERABLE                                                                               \
    (NTLM_UNICODE | NTLM_OEM | NTLM_SIGN | NTLM_SEAL | NTLM_DATAGRAM | NTLM_LM_KEY |            \
     NTLM_ANONYMOUS | NTLM_ESS | NTLM_IDENTIFY | NTLM_NON_NT_SESSION_KEY | NTLM_128 | NTLM_56 | \
     NTLM_KEY_EXCH)

#define NAMES_SUPPLIED (NTLM_OEM_DOMAIN_SUPPLIED | NTLM_OEM_WORKSTATION_SUPPLIED)

/* ---- first step ---- */

static struct ntlm_negotiate plan_negotiate(const struct ntlm_client_start *params)
{
    struct ntlm_negotiate message;
    bool datagram = params->flags & NTLM_DATAGRAM;
    memset(&message, 0, sizeof(message));
    message.flags = NTLM_ALWAYS | params->flags;
    /* Nothing but signing and sealing uses an exchanged key (MS-NLMP 3.1.5.1.2), and without a
     * connection there always is one (3.2.5.2.1). */
    if (datagram) message.flags |= NTLM_KEY_EXCH;
    else if (!(params->flags & (NTLM_SIGN | NTLM_SEAL))) message.flags &= ~NTLM_KEY_EXCH;
    /* Names and version exclude each other (MS-NLMP 3.1.5.1.1). */
    if (params->offer_local && !datagram) {
        message.flags |= NAMES_SUPPLIED;
        message.domain = params->oem_domain;
        message.workstation = params->oem_workstation;
    } else {
        message.flags |= NTLM_VERSION;
        memcpy(message.version, params->version, sizeof(message.version));
    }
    return message;
}

static uint32_t plan_required(const struct ntlm_client_start *params)
{
    uint32_t required = params->required | (params->flags & (NTLM_SIGN | NTLM_SEAL));
    return params->flags & NTLM_DATAGRAM ? required | NTLM_KEY_EXCH : required;
}

static status_t check_start(const struct ntlm_client_start *params)
{
    if ((params->flags | params->required) & ~OFFERABLE) return SEC_E_UNSUPPORTED_FUNCTION;
    if (!(params->flags & NTLM_STRINGS)) return SEC_E_INVALID_PARAMETER;
    return ntlm_name_valid(params->target_name) ? SEC_E_OK : SEC_E_INVALID_PARAMETER;
}

status_t ntlm_client_start(struct ntlm_context *ctx, const struct ntlm_client_start *params,
                           struct writer *token)
{
    struct writer w;
    struct blob negotiate = {NULL, 0}, target_name = {NULL, 0};

    if (ctx->role != NTLM_CLIENT || ctx->stage != NTLM_STAGE_START) return SEC_E_OUT_OF_SEQUENCE;
    status_t status = check_start(params);
    if (!status_ok(status)) return status;
    struct ntlm_negotiate message = plan_negotiate(params);
    uint32_t required = plan_required(params);
    /* What is not even offered cannot be agreed on. */
    if (ntlm_flags_missing(message.flags, required) || !ntlm_sealing_possible(message.flags))
        return SEC_E_UNSUPPORTED_FUNCTION;

    /* The MIC will cover the message, so the context keeps it as it was sent. */
    writer_init(&w);
    if (!(message.flags & NTLM_DATAGRAM)) ntlm_negotiate_encode(&w, &message);
    status = writer_take(&w, &negotiate.data, &negotiate.size);
    if (!status_ok(status)) goto done;
    status = blob_set(&target_name, params->target_name);
    if (!status_ok(status)) goto done;
    writer_slice(token, blob_slice(&negotiate));
    status = writer_status(token);
    if (!status_ok(status)) goto done;

    ctx->negotiate_flags = message.flags;
    ctx->required = required;
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

/* ---- second step ---- */

/* The flags of the session. Protection that was asked for is not given up because the challenge,
 * which nothing protects yet, leaves it out. */
static status_t agree_flags(const struct ntlm_context *ctx, const struct ntlm_challenge *challenge,
                            enum ntlm_proof proof, uint32_t *flags)
{
    uint32_t agreed = ctx->negotiate_flags & challenge->flags;
    if (!(challenge->flags & NTLM_STRINGS)) return SEC_E_INVALID_TOKEN;
    if ((ctx->negotiate_flags ^ challenge->flags) & NTLM_DATAGRAM)
        return SEC_E_UNSUPPORTED_FUNCTION;
    if (!(agreed & NTLM_NTLM) || !(agreed & NTLM_STRINGS)) return SEC_E_UNSUPPORTED_FUNCTION;
    if (ntlm_flags_missing(agreed, ctx->required) || !ntlm_sealing_possible(agreed))
        return SEC_E_UNSUPPORTED_FUNCTION;

    /* Where both were granted the first of each pair counts (MS-NLMP 2.2.2.5). */
    if (agreed & NTLM_UNICODE) agreed &= ~NTLM_OEM;
    if (agreed & NTLM_ESS) agreed &= ~NTLM_LM_KEY;
    /* These say what NEGOTIATE contains or wishes, and nothing about the session. */
    agreed &= ~(NAMES_SUPPLIED | NTLM_ANONYMOUS);
    if (challenge->target_info.size) agreed |= NTLM_TARGET_INFO;
    if (proof == NTLM_PROOF_LOCAL) agreed |= NTLM_LOCAL_CALL;
    if (proof == NTLM_PROOF_ANONYMOUS) agreed |= NTLM_ANONYMOUS;
    *flags = agreed;
    return SEC_E_OK;
}

struct client_keys {
    uint8_t session_key[NTLM_KEY_SIZE], encrypted[NTLM_KEY_SIZE];
};

/* With key exchange the session's key is the client's choice, sent under the one derived. */
static void make_keys(struct client_keys *keys, uint32_t flags,
                      const struct ntlm_client_finish *params,
                      const uint8_t exchange_key[NTLM_KEY_SIZE])
{
    if (!(flags & NTLM_KEY_EXCH)) {
        memcpy(keys->session_key, exchange_key, NTLM_KEY_SIZE);
        return;
    }
    struct rc4 rc4;
    memcpy(keys->session_key, params->random_session_key, NTLM_KEY_SIZE);
    rc4_init(&rc4, exchange_key, NTLM_KEY_SIZE);
    rc4_crypt(&rc4, keys->session_key, keys->encrypted, NTLM_KEY_SIZE);
    secret_wipe(&rc4, sizeof(rc4));
}

/* Nobody has no name; a server that reads OEM strings gets those. */
static void set_names(struct ntlm_authenticate *message, const struct ntlm_client_finish *params)
{
    bool unicode = message->flags & NTLM_UNICODE;
    message->workstation = unicode ? params->workstation : params->oem_workstation;
    if (params->proof == NTLM_PROOF_ANONYMOUS) return;
    message->domain = unicode ? params->domain : params->oem_domain;
    message->user = unicode ? params->user : params->oem_user;
}

/* Encodes the message, then fills in the MIC that covers all three. */
static status_t encode(struct writer *w, const struct ntlm_context *ctx,
                       struct slice challenge_token, const struct ntlm_authenticate *message,
                       const uint8_t session_key[NTLM_KEY_SIZE])
{
    uint8_t mic[16];
    ntlm_authenticate_encode(w, message);
    status_t status = writer_status(w);
    if (!status_ok(status) || !message->has_mic) return status;
    status = ntlm_mic(session_key, blob_slice(&ctx->negotiate), challenge_token, writer_view(w),
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
                            const uint8_t session_key[NTLM_KEY_SIZE])
{
    status_t status = SEC_E_OK;
    if (params->proof != NTLM_PROOF_ANONYMOUS) {
        status = blob_set(&result->user, params->user);
        if (status_ok(status)) status = blob_set(&result->domain, params->domain);
    }
    if (status_ok(status)) status = ntlm_session_init(&result->session, flags, session_key, true);
    return status;
}

/* Answers in w and result; params and challenge have been checked. */
static status_t make_authenticate(struct writer *w, struct ntlm_result *result,
                                  const struct ntlm_context *ctx, struct slice challenge_token,
                                  const struct ntlm_challenge *challenge,
                                  const struct ntlm_client_finish *params, uint32_t flags)
{
    struct ntlm_answer answer;
    struct client_keys keys;
    struct ntlm_authenticate message;
    memset(&answer, 0, sizeof(answer));
    memset(&keys, 0, sizeof(keys));
    memset(&message, 0, sizeof(message));

    status_t status = ntlm_answer_make(&answer, ctx, challenge, params, flags);
    if (!status_ok(status)) goto done;
    make_keys(&keys, flags, params, answer.exchange_key);
    message.flags = flags;
    message.has_mic = params->proof == NTLM_PROOF_V2 || params->proof == NTLM_PROOF_LOCAL;
    message.nt_response = writer_view(&answer.nt);
    message.lm_response = (struct slice){answer.lm, answer.lm_size};
    if (flags & NTLM_KEY_EXCH)
        message.encrypted_key = (struct slice){keys.encrypted, sizeof(keys.encrypted)};
    memcpy(message.version, params->version, sizeof(message.version));
    set_names(&message, params);

    status = fits(&message) ? encode(w, ctx, challenge_token, &message, keys.session_key)
                            : SEC_E_INVALID_TOKEN;
    if (status_ok(status)) status = make_result(result, flags, params, keys.session_key);
done:
    ntlm_answer_clear(&answer);
    secret_wipe(&keys, sizeof(keys));
    return status;
}

/* A server that grants what was not asked for is not answered with a local proof. */
static bool local_offered(const struct ntlm_context *ctx, const struct ntlm_challenge *challenge)
{
    return ctx->negotiate_flags & NTLM_OEM_WORKSTATION_SUPPLIED &&
           challenge->flags & NTLM_LOCAL_CALL;
}

static status_t check_finish(const struct ntlm_context *ctx, const struct ntlm_challenge *challenge,
                             const struct ntlm_client_finish *params, uint32_t flags)
{
    if (!ntlm_name_valid(params->user) || !ntlm_name_valid(params->domain) ||
        !ntlm_name_valid(params->workstation))
        return SEC_E_INVALID_PARAMETER;
    /* A user that has no OEM name would be taken for nobody. */
    if (!(flags & NTLM_UNICODE) && params->user.size && !params->oem_user.size)
        return SEC_E_INVALID_PARAMETER;
    if (params->proof == NTLM_PROOF_LOCAL && !local_offered(ctx, challenge))
        return SEC_E_INVALID_PARAMETER;
    return SEC_E_OK;
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
    status_t status = agree_flags(ctx, challenge, params->proof, &flags);
    if (status_ok(status)) status = check_finish(ctx, challenge, params, flags);
    if (!status_ok(status)) return status;

    memset(&result, 0, sizeof(result));
    writer_init(&w);
    status = make_authenticate(&w, &result, ctx, challenge_token, challenge, params, flags);
    if (!status_ok(status)) goto done;
    writer_slice(token, writer_view(&w));
    status = writer_status(token);
    if (status_ok(status))
        ntlm_context_establish(ctx, &result, params->proof == NTLM_PROOF_LOCAL, params->now);
done:
    writer_free(&w);
    ntlm_result_clear(&result);
    return status;
}
