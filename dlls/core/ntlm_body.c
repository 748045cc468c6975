/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of an exported NTLM context, version 2, little endian:
 *   version 1, role 1, stage 1, local 1, requested 4, attributes 4, start time 8,
 *   user, domain, target name (each behind its size, 2)
 *   half-open:    flags 4, required flags 4, challenge ticket 8, NEGOTIATE (empty in datagrams),
 *                 and for a server CHALLENGE (each behind its size, 2)
 *   established:  flags 4, session key 16, then with extended session security two directions
 *                 (signing key 16, sealing key 16, sequence 4, its start 4, RC4 state 258),
 *                 without it one (sealing key 16 or 8, sequence 4, its start 4, RC4 state 258)
 * All keys are written, so that reading derives none. What the messages of a half-open handshake
 * say already is read from them.
 */
#include "ntlm_private.h"

#include "core/secret.h"

#include <string.h>

#define VERSION 2u

static void write_blob(struct writer *w, const struct blob *blob)
{
    size_t mark = writer_open_u16le(w);
    writer_slice(w, blob_slice(blob));
    writer_close_u16le(w, mark);
}

static void write_direction(struct writer *w, uint32_t flags,
                            const struct ntlm_direction *direction)
{
    if (flags & NTLM_ESS) writer_bytes(w, direction->sign_key, sizeof(direction->sign_key));
    writer_bytes(w, direction->seal_key, direction->seal_key_size);
    writer_u32le(w, direction->sequence);
    writer_u32le(w, direction->start);
    rc4_write(&direction->rc4, w);
}

static void write_session(struct writer *w, const struct ntlm_session *session, bool reset)
{
    /* A copy without the HMACs, which are not ours to free: writing must not touch the session. */
    struct ntlm_session copy = *session;
    if (reset) ntlm_session_rewind(&copy);
    writer_u32le(w, copy.flags);
    writer_bytes(w, copy.session_key, sizeof(copy.session_key));
    write_direction(w, copy.flags, &copy.send);
    if (copy.flags & NTLM_ESS) write_direction(w, copy.flags, &copy.receive);
    secret_wipe(&copy, sizeof(copy));
}

void ntlm_context_write(const struct ntlm_context *ctx, bool reset, struct writer *w)
{
    writer_u8(w, VERSION);
    writer_u8(w, (uint8_t)ctx->role);
    writer_u8(w, (uint8_t)ctx->stage);
    writer_u8(w, ctx->local);
    writer_u32le(w, ctx->requested);
    writer_u32le(w, ctx->attributes);
    writer_u64le(w, ctx->start_time);
    write_blob(w, &ctx->user);
    write_blob(w, &ctx->domain);
    write_blob(w, &ctx->target_name);
    if (ctx->stage == NTLM_STAGE_ESTABLISHED) {
        write_session(w, &ctx->session, reset);
    } else if (ctx->stage != NTLM_STAGE_START) {
        writer_u32le(w, ctx->negotiate_flags);
        writer_u32le(w, ctx->required);
        writer_u64le(w, ctx->challenge_ticket);
        write_blob(w, &ctx->negotiate);
        if (ctx->role == NTLM_SERVER) write_blob(w, &ctx->challenge);
    }
}

static status_t read_blob(struct reader *r, struct blob *blob)
{
    return blob_set(blob, reader_bytes(r, reader_u16le(r)));
}

static status_t read_name(struct reader *r, struct blob *name)
{
    struct slice text = reader_bytes(r, reader_u16le(r));
    if (!ntlm_name_valid(text)) return SEC_E_INVALID_TOKEN;
    return blob_set(name, text);
}

/* Each stage but the first and the last belongs to one role. */
static bool stage_fits(const struct ntlm_context *ctx)
{
    switch (ctx->stage) {
    case NTLM_STAGE_START:
    case NTLM_STAGE_ESTABLISHED: return ctx->role == NTLM_CLIENT || ctx->role == NTLM_SERVER;
    case NTLM_STAGE_NEGOTIATE_SENT: return ctx->role == NTLM_CLIENT;
    case NTLM_STAGE_CHALLENGE_SENT: return ctx->role == NTLM_SERVER;
    }
    return false;
}

static status_t read_head(struct reader *r, struct ntlm_context *ctx)
{
    uint8_t version = reader_u8(r);
    ctx->role = (enum ntlm_role)reader_u8(r);
    ctx->stage = (enum ntlm_stage)reader_u8(r);
    uint8_t local = reader_u8(r);
    ctx->local = local;
    ctx->requested = reader_u32le(r);
    ctx->attributes = reader_u32le(r);
    ctx->start_time = reader_u64le(r);
    /* What is false or zero until establishment has to be so in a body too. */
    if (version != VERSION || local > 1 || !stage_fits(ctx)) return SEC_E_INVALID_TOKEN;
    if (ctx->stage != NTLM_STAGE_ESTABLISHED && (local || ctx->start_time))
        return SEC_E_INVALID_TOKEN;

    status_t status = read_name(r, &ctx->user);
    if (status_ok(status)) status = read_name(r, &ctx->domain);
    if (status_ok(status)) status = read_name(r, &ctx->target_name);
    return status;
}

/* There is a NEGOTIATE unless the context is one of datagrams, and a client's own says the flags
 * over again. */
static status_t check_negotiate(const struct ntlm_context *ctx)
{
    struct ntlm_negotiate message;
    bool datagram = ctx->negotiate_flags & NTLM_DATAGRAM;
    if (datagram) return ctx->negotiate.size ? SEC_E_INVALID_TOKEN : SEC_E_OK;
    status_t status = ntlm_negotiate_decode(blob_slice(&ctx->negotiate), &message);
    if (!status_ok(status)) return status;
    if (message.flags & NTLM_DATAGRAM) return SEC_E_INVALID_TOKEN;
    return ctx->role == NTLM_SERVER || message.flags == ctx->negotiate_flags ? SEC_E_OK
                                                                             : SEC_E_INVALID_TOKEN;
}

/* What the server remembers beside its message is in the message. */
static status_t take_challenge(struct ntlm_context *ctx)
{
    struct ntlm_challenge message;
    status_t status = ntlm_challenge_decode(blob_slice(&ctx->challenge), &message);
    if (!status_ok(status)) return status;
    if (message.flags != ctx->negotiate_flags ||
        !(message.flags & NTLM_LOCAL_CALL) != !message.local_ticket)
        return SEC_E_INVALID_TOKEN;
    ctx->local_ticket = message.local_ticket;
    memcpy(ctx->server_challenge, message.server_challenge, sizeof(ctx->server_challenge));
    return SEC_E_OK;
}

/* The messages were made or accepted by a step, so they decode and agree with the rest. */
static status_t read_handshake(struct reader *r, struct ntlm_context *ctx)
{
    ctx->negotiate_flags = reader_u32le(r);
    ctx->required = reader_u32le(r);
    ctx->challenge_ticket = reader_u64le(r);
    if (!(ctx->negotiate_flags & NTLM_NTLM) || !(ctx->negotiate_flags & NTLM_STRINGS) ||
        ntlm_flags_missing(ctx->negotiate_flags, ctx->required))
        return SEC_E_INVALID_TOKEN;
    status_t status = read_blob(r, &ctx->negotiate);
    if (status_ok(status)) status = check_negotiate(ctx);
    if (!status_ok(status)) return status;
    if (ctx->role == NTLM_CLIENT) return ctx->challenge_ticket ? SEC_E_INVALID_TOKEN : SEC_E_OK;
    status = read_blob(r, &ctx->challenge);
    return status_ok(status) ? take_challenge(ctx) : status;
}

static void read_direction(struct reader *r, uint32_t flags, struct ntlm_direction *direction)
{
    if (flags & NTLM_ESS) reader_copy(r, direction->sign_key, sizeof(direction->sign_key));
    direction->seal_key_size = ntlm_seal_key_size(flags);
    reader_copy(r, direction->seal_key, direction->seal_key_size);
    direction->sequence = reader_u32le(r);
    direction->start = reader_u32le(r);
    rc4_read(&direction->rc4, r);
}

static void read_session(struct reader *r, struct ntlm_session *session)
{
    session->flags = reader_u32le(r);
    reader_copy(r, session->session_key, sizeof(session->session_key));
    read_direction(r, session->flags, &session->send);
    if (session->flags & NTLM_ESS) read_direction(r, session->flags, &session->receive);
}

static status_t read_rest(struct reader *r, struct ntlm_context *ctx)
{
    if (ctx->stage == NTLM_STAGE_START) return SEC_E_OK;
    if (ctx->stage != NTLM_STAGE_ESTABLISHED) return read_handshake(r, ctx);
    read_session(r, &ctx->session);
    return SEC_E_OK;
}

status_t ntlm_context_read(struct ntlm_context *ctx, struct slice body)
{
    struct reader r;
    struct ntlm_context made;
    memset(&made, 0, sizeof(made));
    reader_init(&r, body.data, body.size);
    status_t status = read_head(&r, &made);
    if (status_ok(status)) status = read_rest(&r, &made);
    if (status_ok(status) && !reader_end(&r)) status = SEC_E_INVALID_TOKEN;
    if (status_ok(status)) *ctx = made;
    else ntlm_context_clear(&made);
    secret_wipe(&made, sizeof(made));
    return status;
}
