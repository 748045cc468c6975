/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of an NTLM context. The steps that move it are in ntlm_client.c and ntlm_server.c,
 * the form in which it is written down in ntlm_body.c.
 */
#include "ntlm_private.h"

#include "core/secret.h"
#include "core/utf16.h"

#include <stdlib.h>
#include <string.h>

uint32_t ntlm_flags_missing(uint32_t flags, uint32_t required)
{
    if (!(flags & (NTLM_SIGN | NTLM_SEAL))) required &= ~(NTLM_128 | NTLM_56);
    /* What the flag promises is not kept in every session. */
    if (ntlm_key_bits(flags) < 128) flags &= ~NTLM_128;
    return required & ~flags;
}

/* Checked on the way in, so that whatever a context holds can be written down and read again. */
bool ntlm_name_valid(struct slice name)
{
    return name.size <= NTLM_NAME_MAX && utf16_valid(name);
}

void ntlm_result_clear(struct ntlm_result *result)
{
    blob_clear(&result->user);
    blob_clear(&result->domain);
    blob_clear(&result->target_name);
    ntlm_session_clear(&result->session);
}

void ntlm_context_init(struct ntlm_context *ctx, enum ntlm_role role)
{
    memset(ctx, 0, sizeof(*ctx));
    ctx->role = role;
    ctx->stage = NTLM_STAGE_START;
}

static void clear_handshake(struct ntlm_context *ctx)
{
    blob_clear(&ctx->negotiate);
    blob_clear(&ctx->challenge);
    ctx->negotiate_flags = 0;
    ctx->required = 0;
    ctx->local_ticket = 0;
    ctx->challenge_ticket = 0;
    secret_wipe(ctx->server_challenge, sizeof(ctx->server_challenge));
}

void ntlm_context_clear(struct ntlm_context *ctx)
{
    clear_handshake(ctx);
    blob_clear(&ctx->user);
    blob_clear(&ctx->domain);
    blob_clear(&ctx->target_name);
    ntlm_session_clear(&ctx->session);
    secret_wipe(ctx, sizeof(*ctx));
}

/* from is empty afterwards, so that clearing both is right whatever happened. */
static void move_blob(struct blob *to, struct blob *from)
{
    blob_clear(to);
    *to = *from;
    *from = (struct blob){NULL, 0};
}

void ntlm_context_establish(struct ntlm_context *ctx, struct ntlm_result *result, bool local,
                            uint64_t now)
{
    clear_handshake(ctx);
    move_blob(&ctx->user, &result->user);
    move_blob(&ctx->domain, &result->domain);
    /* A client keeps the name it started with. */
    if (ctx->role == NTLM_SERVER) move_blob(&ctx->target_name, &result->target_name);
    ntlm_session_clear(&ctx->session);
    ctx->session = result->session;
    secret_wipe(&result->session, sizeof(result->session));
    ctx->local = local;
    ctx->start_time = now;
    ctx->stage = NTLM_STAGE_ESTABLISHED;
}
