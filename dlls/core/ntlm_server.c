/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's two steps: MS-NLMP 3.2.5.1.1 and 3.2.5.2.1 (CHALLENGE), 3.2.5.1.2 and 3.2.5.2.2
 * (AUTHENTICATE). Which features are granted and which proof will do is up to the caller.
 */
#include "ntlm_private.h"

#include "core/secret.h"

#include <string.h>

/* What a server may grant of what the client asks for. */
#define GRANTABLE                                                                               \
    (NTLM_UNICODE | NTLM_OEM | NTLM_SIGN | NTLM_SEAL | NTLM_LM_KEY | NTLM_ESS | NTLM_IDENTIFY | \
     NTLM_NON_NT_SESSION_KEY | NTLM_128 | NTLM_56 | NTLM_KEY_EXCH)

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

/* ---- first step ---- */

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

/* Without a connection there is no NEGOTIATE; the server proposes what it would grant, and always
 * an exchanged key (MS-NLMP 3.2.5.2.1). */
static struct ntlm_negotiate no_negotiate(const struct ntlm_server_start *params)
{
    struct ntlm_negotiate asked;
    memset(&asked, 0, sizeof(asked));
    asked.flags = NTLM_ALWAYS | NTLM_VERSION | (params->flags & (GRANTABLE | NTLM_DATAGRAM)) |
                  NTLM_KEY_EXCH;
    return asked;
}

static status_t read_negotiate(struct slice token, const struct ntlm_server_start *params,
                               struct ntlm_negotiate *asked)
{
    if (!token.size && params->flags & NTLM_DATAGRAM) {
        *asked = no_negotiate(params);
        return SEC_E_OK;
    }
    status_t status = ntlm_negotiate_decode(token, asked);
    if (!status_ok(status)) return status;
    if (!(asked->flags & NTLM_STRINGS)) return SEC_E_INVALID_TOKEN;
    return asked->flags & NTLM_NTLM && !(asked->flags & NTLM_DATAGRAM) ? SEC_E_OK
                                                                       : SEC_E_UNSUPPORTED_FUNCTION;
}

static status_t grant_flags(const struct ntlm_negotiate *asked,
                            const struct ntlm_server_start *params, uint32_t *granted)
{
    uint32_t may = NTLM_ALWAYS | NTLM_VERSION | (params->flags & GRANTABLE);
    if (asked->flags & NTLM_DATAGRAM) may |= NTLM_DATAGRAM | NTLM_KEY_EXCH;
    uint32_t flags = asked->flags & may;
    if (!ntlm_sealing_possible(flags)) flags &= ~NTLM_SEAL;
    if (!(flags & NTLM_STRINGS)) return SEC_E_UNSUPPORTED_FUNCTION;
    if (ntlm_flags_missing(flags, params->required)) return SEC_E_UNSUPPORTED_FUNCTION;
    /* Where both are possible the first of each pair is granted (MS-NLMP 2.2.2.5). */
    if (flags & NTLM_UNICODE) flags &= ~NTLM_OEM;
    if (flags & NTLM_ESS) flags &= ~NTLM_LM_KEY;
    *granted = flags | NTLM_TARGET_INFO;
    return SEC_E_OK;
}

/* The challenge that answers asked, without its target information. */
static struct ntlm_challenge plan_challenge(const struct ntlm_negotiate *asked, uint32_t granted,
                                            const struct ntlm_server_start *params)
{
    struct ntlm_challenge challenge;
    memset(&challenge, 0, sizeof(challenge));
    challenge.flags = granted;
    if (granted & NTLM_REQUEST_TARGET) {
        challenge.flags |= NTLM_TARGET_TYPE_SERVER;
        challenge.target_name = granted & NTLM_UNICODE ? params->nb_computer : params->oem_target;
    }
    /* The ticket shows only to a client that says it is on this machine. */
    if (params->local_ticket &&
        ntlm_negotiate_is_local(asked, params->nb_computer, params->nb_domain)) {
        challenge.flags |= NTLM_LOCAL_CALL;
        challenge.local_ticket = params->local_ticket;
    }
    memcpy(challenge.server_challenge, params->server_challenge, 8);
    memcpy(challenge.version, params->version, sizeof(challenge.version));
    return challenge;
}

/* *out receives the encoded challenge; message gets its target information for the time being. */
static status_t encode_challenge(struct ntlm_challenge *message,
                                 const struct ntlm_server_start *params, struct blob *out)
{
    struct writer w, info;
    writer_init(&w);
    writer_init(&info);
    write_target_info(&info, params);
    status_t status = writer_status(&info);
    if (!status_ok(status)) goto done;
    message->target_info = writer_view(&info);
    ntlm_challenge_encode(&w, message);
    message->target_info = (struct slice){NULL, 0};
    status = writer_take(&w, &out->data, &out->size);
done:
    writer_free(&w);
    writer_free(&info);
    return status;
}

status_t ntlm_server_start(struct ntlm_context *ctx, struct slice negotiate_token,
                           const struct ntlm_server_start *params, struct writer *token)
{
    struct blob negotiate = {NULL, 0}, challenge = {NULL, 0};
    struct ntlm_negotiate asked;
    uint32_t granted;

    if (ctx->role != NTLM_SERVER || ctx->stage != NTLM_STAGE_START) return SEC_E_OUT_OF_SEQUENCE;
    if (!ntlm_name_valid(params->nb_computer) || !ntlm_name_valid(params->nb_domain) ||
        !ntlm_name_valid(params->dns_computer) || !ntlm_name_valid(params->dns_domain))
        return SEC_E_INVALID_PARAMETER;
    status_t status = read_negotiate(negotiate_token, params, &asked);
    if (status_ok(status)) status = grant_flags(&asked, params, &granted);
    if (!status_ok(status)) return status;

    struct ntlm_challenge message = plan_challenge(&asked, granted, params);
    status = encode_challenge(&message, params, &challenge);
    if (!status_ok(status)) goto done;
    status = blob_set(&negotiate, negotiate_token);
    if (!status_ok(status)) goto done;
    writer_slice(token, blob_slice(&challenge));
    status = writer_status(token);
    if (!status_ok(status)) goto done;

    /* From here on nothing fails. */
    ctx->negotiate_flags = message.flags;
    ctx->required = params->required;
    memcpy(ctx->server_challenge, message.server_challenge, sizeof(ctx->server_challenge));
    ctx->local_ticket = message.local_ticket;
    ctx->challenge_ticket = params->challenge_ticket;
    ctx->negotiate = negotiate;
    ctx->challenge = challenge;
    ctx->stage = NTLM_STAGE_CHALLENGE_SENT;
    negotiate = challenge = (struct blob){NULL, 0};
done:
    blob_clear(&negotiate);
    blob_clear(&challenge);
    return status;
}

/* ---- second step ---- */

uint32_t ntlm_server_flags(const struct ntlm_context *ctx, const struct ntlm_authenticate *message)
{
    uint32_t flags = ctx->negotiate_flags & message->flags;
    /* Without signing or sealing there is no key to exchange, whatever the flag says (MS-NLMP
     * 3.2.5.1.2); some clients send one all the same, and then it keys the MIC. */
    if (!(flags & (NTLM_SIGN | NTLM_SEAL)) && !message->encrypted_key.size) flags &= ~NTLM_KEY_EXCH;
    return flags;
}

/* Whether the client may leave out what the challenge granted. With a MIC that is its own wish;
 * without one it may be somebody else's, so protection has to stay as strong as it was. In
 * datagrams the challenge only proposed: what has to stay is what the caller required. */
static bool flags_acceptable(uint32_t granted, const struct ntlm_authenticate *message)
{
    uint32_t needed = NTLM_NTLM;
    if ((granted ^ message->flags) & (NTLM_UNICODE | NTLM_DATAGRAM)) return false;
    if (!message->has_mic && !(granted & NTLM_DATAGRAM)) {
        needed |= NTLM_SIGN | NTLM_SEAL | NTLM_ESS | NTLM_128;
        if (!(granted & NTLM_128)) needed |= NTLM_56;
        if (granted & (NTLM_SIGN | NTLM_SEAL)) needed |= NTLM_KEY_EXCH;
    }
    return !(granted & needed & ~message->flags);
}

/* A client that echoes our time must echo this one: an answer to another challenge does not. */
static bool echo_acceptable(const struct ntlm_context *ctx, const struct ntlm_authenticate *message)
{
    struct ntlm_challenge sent;
    struct slice value;
    struct reader r;
    if (!message->timestamp) return true;
    if (!status_ok(ntlm_challenge_decode(blob_slice(&ctx->challenge), &sent)) ||
        !ntlm_av_find(sent.target_info, NTLM_AV_TIMESTAMP, &value))
        return false;
    reader_init(&r, value.data, value.size);
    return reader_u64le(&r) == message->timestamp;
}

/* Only an NTLMv2 response says when it was made. */
static bool time_acceptable(const struct ntlm_authenticate *message,
                            const struct ntlm_server_finish *params)
{
    uint64_t now = params->now, time = message->time;
    if (!params->timestamp_window || message->nt_response.size <= NTLM_V1_RESPONSE_SIZE)
        return true;
    return (now > time ? now - time : time - now) <= params->timestamp_window;
}

status_t ntlm_server_check(const struct ntlm_context *ctx, const struct ntlm_authenticate *message,
                           const struct ntlm_server_finish *params)
{
    if (ctx->role != NTLM_SERVER || ctx->stage != NTLM_STAGE_CHALLENGE_SENT)
        return SEC_E_OUT_OF_SEQUENCE;
    uint32_t flags = ntlm_server_flags(ctx, message);
    bool local = params->proof == NTLM_PROOF_LOCAL;
    if (!flags_acceptable(ctx->negotiate_flags, message) || !echo_acceptable(ctx, message) ||
        !time_acceptable(message, params))
        return SEC_E_LOGON_DENIED;
    /* A local call, which only our own client makes, has a MIC: without it a relay could take the
     * pairs out of our challenge, and with them the name of the target out of the answer. */
    if ((local || params->require_mic) && !message->has_mic) return SEC_E_LOGON_DENIED;
    if (local && !(flags & NTLM_LOCAL_CALL)) return SEC_E_LOGON_DENIED;
    if (ntlm_flags_missing(flags, ctx->required) || !ntlm_sealing_possible(flags))
        return SEC_E_UNSUPPORTED_FUNCTION;
    if (flags & NTLM_KEY_EXCH && message->encrypted_key.size != NTLM_KEY_SIZE)
        return SEC_E_INVALID_TOKEN;
    return SEC_E_OK;
}

/* The exchange key, or what was sent under it (MS-NLMP 3.2.5.1.2). */
static void find_session_key(uint32_t flags, const struct ntlm_authenticate *message,
                             uint8_t key[NTLM_KEY_SIZE])
{
    if (!(flags & NTLM_KEY_EXCH)) return;
    struct rc4 rc4;
    rc4_init(&rc4, key, NTLM_KEY_SIZE);
    rc4_crypt(&rc4, message->encrypted_key.data, key, NTLM_KEY_SIZE);
    secret_wipe(&rc4, sizeof(rc4));
}

static status_t check_mic(const struct ntlm_context *ctx, struct slice token,
                          const struct ntlm_authenticate *message,
                          const uint8_t session_key[NTLM_KEY_SIZE])
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
        status = ntlm_mic(session_key, blob_slice(&ctx->negotiate), blob_slice(&ctx->challenge),
                          writer_view(&w), mic);
    if (status_ok(status) && !secret_equal(mic, message->mic, sizeof(mic)))
        status = SEC_E_LOGON_DENIED;
    writer_free(&w);
    secret_wipe(mic, sizeof(mic));
    return status;
}

static status_t make_result(struct ntlm_result *result, uint32_t flags,
                            const struct ntlm_authenticate *message,
                            const struct ntlm_server_finish *params,
                            const uint8_t session_key[NTLM_KEY_SIZE])
{
    const struct slice none = {NULL, 0};
    bool unicode = flags & NTLM_UNICODE;
    struct slice user = unicode ? message->user : none, domain = unicode ? message->domain : none;
    if (params->user.data) user = params->user;
    if (params->domain.data) domain = params->domain;
    if (!ntlm_name_valid(user) || !ntlm_name_valid(domain)) return SEC_E_INVALID_PARAMETER;
    status_t status = blob_set(&result->user, user);
    if (status_ok(status)) status = blob_set(&result->domain, domain);
    if (status_ok(status)) status = blob_set(&result->target_name, message->target_name);
    if (status_ok(status)) status = ntlm_session_init(&result->session, flags, session_key, false);
    return status;
}

status_t ntlm_server_finish(struct ntlm_context *ctx, struct slice authenticate_token,
                            const struct ntlm_authenticate *message,
                            const struct ntlm_server_finish *params)
{
    struct ntlm_result result;
    uint8_t key[NTLM_KEY_SIZE];

    uint32_t flags = ntlm_server_flags(ctx, message);
    status_t status = ntlm_server_check(ctx, message, params);
    if (!status_ok(status)) return status;

    /* The order matters to nobody outside: each refusal below reads the same. */
    memset(&result, 0, sizeof(result));
    status = ntlm_answer_check(ctx, message, params, flags, key);
    if (!status_ok(status)) goto done;
    find_session_key(flags, message, key);
    status = check_mic(ctx, authenticate_token, message, key);
    if (!status_ok(status)) goto done;
    if (params->proof == NTLM_PROOF_ANONYMOUS) flags |= NTLM_ANONYMOUS;
    status = make_result(&result, flags, message, params, key);
    if (status_ok(status))
        ntlm_context_establish(ctx, &result, params->proof == NTLM_PROOF_LOCAL, params->now);
done:
    secret_wipe(key, sizeof(key));
    ntlm_result_clear(&result);
    return status;
}
