/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of an exported context: what is read is written to the same bytes, and the context
 * that came of it can be used. */
#include "fuzz.h"

static void use(struct ntlm_context *ctx)
{
    uint8_t data[40] = "some text", signature[NTLM_SIGNATURE_SIZE];
    struct message_part part = {data, sizeof(data), true};
    struct ntlm_authenticate message;
    struct ntlm_server_finish params;
    memset(&message, 0, sizeof(message));
    memset(&params, 0, sizeof(params));
    if (ctx->stage == NTLM_STAGE_CHALLENGE_SENT)
        must(ntlm_server_finish(ctx, (struct slice){NULL, 0}, &message, &params) ==
             SEC_E_LOGON_DENIED);
    if (ctx->stage != NTLM_STAGE_ESTABLISHED) return;
    bool can_seal = ctx->session.flags & NTLM_ESS || !(ctx->session.flags & NTLM_DATAGRAM);
    must(status_ok(ntlm_seal(&ctx->session, 0, &part, 1, signature)) == can_seal);
    must(ntlm_sign(&ctx->session, 0, &part, 1, signature) == SEC_E_OK);
    ntlm_unseal(&ctx->session, 0, &part, 1, signature);
    ntlm_session_rewind(&ctx->session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice body = {data, size};
    struct ntlm_context ctx;
    struct writer w;
    if (crypto_init() != SEC_E_OK) abort();
    status_t status = ntlm_context_read(&ctx, body);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN);
    if (!status_ok(status)) return 0;
    writer_init(&w);
    ntlm_context_write(&ctx, false, &w);
    must(slices_equal(writer_view(&w), body));
    writer_free(&w);
    use(&ctx);
    ntlm_context_clear(&ctx);
    return 0;
}
