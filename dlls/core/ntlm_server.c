/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's two steps: MS-NLMP 3.2.5.1.1 (CHALLENGE) and 3.2.5.1.2 (AUTHENTICATE). Only
 * NTLMv2 responses are accepted.
 */
#include "ntlm_private.h"

#include "core/secret.h"

#include <string.h>

/* What a server grants of what the client asks for. */
#define GRANTED                                                                       \
    (NTLM_REQUIRED | NTLM_REQUEST_TARGET | NTLM_SIGN | NTLM_SEAL | NTLM_ALWAYS_SIGN | \
     NTLM_IDENTIFY | NTLM_VERSION | NTLM_56 | NTLM_KEY_EXCH)

#define V1_RESPONSE_SIZE 24u
#define PROOF_SIZE 16u
#define KEY_SIZE 16u

/* An OEM name equals one of ours. Names beyond ASCII never do: how they would be spelled depends
 * on the peer's code page, and a local call is an offer that may be missed. */
static bool oem_equal(struct slice oem, struct slice name)
{
    if (!oem.size || oem.size * 2 != name.size) return false;
    for (size_t i = 0; i < oem.size; i++) {
        uint8_t left = oem.data[i], right = name.data[2 * i];
        if (name.data[2 * i + 1] || left >= 0x80 || right >= 0x80) return false;
        if (left >= 'a' && left <= 'z') left = (uint8_t)(left - ('a' - 'A'));
        if (right >= 'a' && right <= 'z') right = (uint8_t)(right - ('a' - 'A'));
        if (left != right) return false;
    }
    return true;
}

bool ntlm_negotiate_is_local(const struct ntlm_negotiate *message, struct slice nb_computer,
                             struct slice nb_domain)
{
    const uint32_t needed = NTLM_OEM_DOMAIN_SUPPLIED | NTLM_OEM_WORKSTATION_SUPPLIED;
    if ((message->flags & needed) != needed || message->flags & NTLM_DATAGRAM) return false;
    return oem_equal(message->workstation, nb_computer) && oem_equal(message->domain, nb_domain);
}

/* The order is that of Windows servers. There is no pair of flags: one of value 0 makes some
 * clients compute another MIC. */
static void write_target_info(struct writer *w, const struct ntlm_server_start *params)
{
    ntlm_av_write(w, NTLM_AV_NB_DOMAIN, params->nb_domain);
    ntlm_av_write(w, NTLM_AV_NB_COMPUTER, params->nb_computer);
    ntlm_av_write(w, NTLM_AV_DNS_DOMAIN, params->dns_domain);
    ntlm_av_write(w, NTLM_AV_DNS_COMPUTER, params->dns_computer);
    writer_u16le(w, NTLM_AV_TIMESTAMP);
    writer_u16le(w, 8);
    writer_u64le(w, params->now);
    ntlm_av_write(w, NTLM_AV_EOL, (struct slice){NULL, 0});
}

/* The challenge that answers negotiate, without its target information. */
static struct ntlm_challenge plan_challenge(const struct ntlm_negotiate *negotiate,
                                            const struct ntlm_server_start *params)
{
    struct ntlm_challenge challenge;
    memset(&challenge, 0, sizeof(challenge));
    challenge.flags = (negotiate->flags & GRANTED) | NTLM_TARGET_INFO;
    if (negotiate->flags & NTLM_REQUEST_TARGET) {
        challenge.flags |= NTLM_TARGET_TYPE_SERVER;
        challenge.target_name = params->nb_computer;
    }
    /* The ticket shows only to a client that says it is on this machine. */
    if (params->local_ticket &&
        ntlm_negotiate_is_local(negotiate, params->nb_computer, params->nb_domain)) {
        challenge.flags |= NTLM_LOCAL_CALL;
        challenge.local_ticket = params->local_ticket;
    }
    memcpy(challenge.server_challenge, params->server_challenge, 8);
    memcpy(challenge.version, params->version, sizeof(challenge.version));
    return challenge;
}

status_t ntlm_server_start(struct ntlm_context *ctx, struct slice negotiate_token,
                           const struct ntlm_server_start *params, struct writer *token)
{
    struct writer w, info;
    struct blob negotiate = {NULL, 0}, challenge = {NULL, 0};
    struct ntlm_negotiate asked;

    if (ctx->role != NTLM_SERVER || ctx->stage != NTLM_STAGE_START) return SEC_E_OUT_OF_SEQUENCE;
    if (!ntlm_name_valid(params->nb_computer) || !ntlm_name_valid(params->nb_domain) ||
        !ntlm_name_valid(params->dns_computer) || !ntlm_name_valid(params->dns_domain))
        return SEC_E_INVALID_PARAMETER;
    status_t status = ntlm_negotiate_decode(negotiate_token, &asked);
    if (!status_ok(status)) return status;
    if ((asked.flags & NTLM_REQUIRED) != NTLM_REQUIRED || asked.flags & NTLM_DATAGRAM)
        return SEC_E_UNSUPPORTED_FUNCTION;

    writer_init(&w);
    writer_init(&info);
    struct ntlm_challenge message = plan_challenge(&asked, params);
    write_target_info(&info, params);
    status = writer_status(&info);
    if (!status_ok(status)) goto done;
    message.target_info = writer_view(&info);
    ntlm_challenge_encode(&w, &message);
    status = writer_take(&w, &challenge.data, &challenge.size);
    if (!status_ok(status)) goto done;
    status = blob_copy(&negotiate, negotiate_token);
    if (!status_ok(status)) goto done;
    writer_slice(token, blob_view(&challenge));
    status = writer_status(token);
    if (!status_ok(status)) goto done;

    /* From here on nothing fails. */
    ctx->negotiate_flags = message.flags;
    memcpy(ctx->server_challenge, message.server_challenge, sizeof(ctx->server_challenge));
    ctx->local_ticket = message.local_ticket;
    ctx->negotiate = negotiate;
    ctx->challenge = challenge;
    ctx->stage = NTLM_STAGE_CHALLENGE_SENT;
    negotiate = challenge = (struct blob){NULL, 0};
done:
    writer_free(&w);
    writer_free(&info);
    blob_clear(&negotiate);
    blob_clear(&challenge);
    return status;
}

/* Whether the client may leave out what the challenge granted. With a MIC that is its own wish;
 * without one it may be somebody else's, so protection has to stay. */
static bool flags_acceptable(uint32_t granted, const struct ntlm_authenticate *message)
{
    uint32_t needed = NTLM_REQUIRED;
    if (!message->has_mic) needed |= NTLM_SIGN | NTLM_SEAL | NTLM_KEY_EXCH;
    return !(granted & needed & ~message->flags);
}

/* A client that echoes our time must echo this one: an answer to another challenge does not. */
static bool time_acceptable(const struct ntlm_context *ctx, const struct ntlm_authenticate *message)
{
    struct ntlm_challenge sent;
    struct slice value;
    struct reader r;
    if (!message->timestamp) return true;
    if (!status_ok(ntlm_challenge_decode(blob_view(&ctx->challenge), &sent)) ||
        !ntlm_av_find(sent.target_info, NTLM_AV_TIMESTAMP, &value))
        return false;
    reader_init(&r, value.data, value.size);
    return reader_u64le(&r) == message->timestamp;
}

static status_t check_proof(const struct ntlm_context *ctx, struct slice nt_response,
                            const uint8_t v2_hash[16])
{
    uint8_t proof[PROOF_SIZE];
    /* What the proof covers follows it; the decoder has seen that there is enough. */
    struct slice temp = {nt_response.data + PROOF_SIZE, nt_response.size - PROOF_SIZE};
    status_t status = ntlm_v2_proof(v2_hash, ctx->server_challenge, temp, proof);
    if (status_ok(status) && !secret_equal(proof, nt_response.data, sizeof(proof)))
        status = SEC_E_LOGON_DENIED;
    secret_wipe(proof, sizeof(proof));
    return status;
}

static status_t find_session_key(uint32_t flags, const struct ntlm_authenticate *message,
                                 const uint8_t v2_hash[16], uint8_t session_key[KEY_SIZE])
{
    status_t status = ntlm_v2_session_base_key(v2_hash, message->nt_response.data, session_key);
    if (status_ok(status) && flags & NTLM_KEY_EXCH) {
        struct rc4 rc4;
        rc4_init(&rc4, session_key, KEY_SIZE);
        rc4_crypt(&rc4, message->encrypted_key.data, session_key, KEY_SIZE);
        secret_wipe(&rc4, sizeof(rc4));
    }
    return status;
}

static status_t check_mic(const struct ntlm_context *ctx, struct slice token,
                          const struct ntlm_authenticate *message,
                          const uint8_t session_key[KEY_SIZE])
{
    struct writer w;
    uint8_t mic[16];
    if (!message->has_mic) return SEC_E_OK;
    writer_init(&w);
    /* The MIC was computed over the message with zeros in its own place. */
    writer_slice(&w, token);
    static const uint8_t no_mic[sizeof(mic)];
    writer_patch_bytes(&w, NTLM_MIC_OFFSET, no_mic, sizeof(no_mic));
    status_t status = writer_status(&w);
    if (status_ok(status))
        status = ntlm_mic(session_key, blob_view(&ctx->negotiate), blob_view(&ctx->challenge),
                          writer_view(&w), mic);
    if (status_ok(status) && !secret_equal(mic, message->mic, sizeof(mic)))
        status = SEC_E_LOGON_DENIED;
    writer_free(&w);
    secret_wipe(mic, sizeof(mic));
    return status;
}

static status_t make_result(struct ntlm_result *result, uint32_t flags,
                            const struct ntlm_authenticate *message,
                            const uint8_t session_key[KEY_SIZE])
{
    status_t status = blob_copy(&result->user, message->user);
    if (status_ok(status)) status = blob_copy(&result->domain, message->domain);
    if (status_ok(status)) status = blob_copy(&result->target_name, message->target_name);
    if (status_ok(status)) status = ntlm_session_init(&result->session, flags, session_key, false);
    return status;
}

status_t ntlm_server_finish(struct ntlm_context *ctx, struct slice authenticate_token,
                            const struct ntlm_authenticate *message,
                            const struct ntlm_server_finish *params)
{
    struct ntlm_result result;
    uint8_t session_key[KEY_SIZE];

    if (ctx->role != NTLM_SERVER || ctx->stage != NTLM_STAGE_CHALLENGE_SENT)
        return SEC_E_OUT_OF_SEQUENCE;
    uint32_t flags = ctx->negotiate_flags & message->flags;
    /* A local call, which only our own client makes, has a MIC: without it a relay could take the
     * pairs out of our challenge, and with them the name of the target out of the answer. */
    if (message->nt_response.size <= V1_RESPONSE_SIZE || !(message->flags & NTLM_UNICODE) ||
        !flags_acceptable(ctx->negotiate_flags, message) || !time_acceptable(ctx, message) ||
        (params->local && (!(flags & NTLM_LOCAL_CALL) || !message->has_mic)))
        return SEC_E_LOGON_DENIED;
    /* Without signing or sealing there is no key to exchange, whatever the flag says (MS-NLMP
     * 3.2.5.1.2); some clients send one all the same, and then it keys the MIC. */
    if (!(flags & (NTLM_SIGN | NTLM_SEAL)) && !message->encrypted_key.size) flags &= ~NTLM_KEY_EXCH;
    if (flags & NTLM_KEY_EXCH && message->encrypted_key.size != KEY_SIZE)
        return SEC_E_INVALID_TOKEN;

    /* The order matters to nobody outside: each refusal below reads the same. */
    memset(&result, 0, sizeof(result));
    status_t status = check_proof(ctx, message->nt_response, params->v2_hash);
    if (!status_ok(status)) goto done;
    status = find_session_key(flags, message, params->v2_hash, session_key);
    if (!status_ok(status)) goto done;
    status = check_mic(ctx, authenticate_token, message, session_key);
    if (!status_ok(status)) goto done;
    status = make_result(&result, flags, message, session_key);
    if (status_ok(status)) ntlm_context_establish(ctx, &result, params->local, params->now);
done:
    secret_wipe(session_key, sizeof(session_key));
    ntlm_result_clear(&result);
    return status;
}
