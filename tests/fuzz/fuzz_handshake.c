/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server with bytes in between: the first says what both want, then each message
 * is delivered as an operation of the script has it. Whatever happens, a server that does not
 * know the password's hash lets nobody in, and two established ends whose last message had a MIC
 * got every message as it was sent, have the same key, and can talk.
 */
#include "../unit/handshake.h"
#include "fuzz.h"

enum operation { INTACT, CHANGE, CUT, APPEND, REPLACE, ANOTHER, MOVE, OPERATIONS };

enum wish {
    WISH_SEAL = 1,
    WISH_LOCAL = 2,
    WISH_TICKET = 4,
    WISH_WRONG_HASH = 8,
    WISH_BINDINGS = 16,
    WISH_V1 = 32,
    WISH_DATAGRAM = 64,
    WISH_NO_ESS = 128,
};

/* In the second byte, beside the steps that are to be taken twice. */
enum more_wishes { WISH_OEM = 8, WISH_ANONYMOUS = 16, WISH_REQUIRED = 32, WISH_MIC = 64 };

/* The message as the other end gets it; other is one to put in its place. */
static void deliver(struct reader *script, enum operation operation, struct slice message,
                    struct slice other, struct writer *out)
{
    writer_slice(out, operation == ANOTHER ? other : message);
    if (operation == CHANGE) {
        for (unsigned count = 1 + reader_u8(script) % 4u; count && out->size; count--) {
            size_t at = reader_u16le(script) % out->size;
            out->data[at] ^= reader_u8(script);
        }
    } else if (operation == CUT) {
        if (out->size) out->size = reader_u16le(script) % out->size;
    } else if (operation == APPEND || operation == REPLACE) {
        if (operation == REPLACE) out->size = 0;
        struct slice bytes = reader_bytes(script, reader_left(script) / 2);
        writer_slice(out, bytes);
    }
}

/* Writes ctx down and reads it again. */
static void move(struct ntlm_context *ctx)
{
    struct ntlm_context moved;
    struct writer w;
    writer_init(&w);
    ntlm_context_write(ctx, false, &w);
    must(ntlm_context_read(&moved, writer_view(&w)) == SEC_E_OK);
    writer_free(&w);
    ntlm_context_clear(ctx);
    *ctx = moved;
}

/* The two ends see h->negotiate, challenge and authenticate; these are what was sent. */
struct sent {
    struct writer messages[3];
};

static bool unchanged(const struct writer *sent, const struct writer *got)
{
    return slices_equal(writer_view(sent), writer_view(got));
}

/* Replaces what was sent by what arrives. */
static void pass(struct reader *script, struct handshake *h, struct writer *message,
                 struct writer *sent, struct ntlm_context *next)
{
    struct writer arrived;
    enum operation operation = (enum operation)(reader_u8(script) % OPERATIONS);
    writer_init(&arrived);
    deliver(script, operation, writer_view(message), writer_view(&h->negotiate), &arrived);
    *sent = *message;
    *message = arrived;
    if (operation == MOVE) move(next);
}

static void run(struct reader *script, uint8_t twice, struct handshake *h, struct sent *sent)
{
    must(handshake_start(h) == SEC_E_OK);
    pass(script, h, &h->negotiate, &sent->messages[0], &h->server);
    if (!status_ok(handshake_challenge(h))) return;
    if (twice & 1) must(handshake_challenge(h) == SEC_E_OUT_OF_SEQUENCE);
    pass(script, h, &h->challenge, &sent->messages[1], &h->client);
    if (!status_ok(handshake_answer(h))) return;
    if (twice & 2) must(!status_ok(handshake_answer(h)));
    pass(script, h, &h->authenticate, &sent->messages[2], &h->server);
    handshake_accept(h);
    if (twice & 4) handshake_accept(h);
}

static void check(struct handshake *h, const struct sent *sent, uint8_t wishes)
{
    bool clean = unchanged(&sent->messages[0], &h->negotiate) &&
                 unchanged(&sent->messages[1], &h->challenge) &&
                 unchanged(&sent->messages[2], &h->authenticate);
    bool accepted = h->server.stage == NTLM_STAGE_ESTABLISHED;
    bool by_hash = h->server_finish.proof != NTLM_PROOF_ANONYMOUS;
    bool by_v2 = h->server_finish.proof == NTLM_PROOF_V2;
    if (wishes & WISH_WRONG_HASH && by_hash) must(!accepted);
    else if (clean) must(accepted == (by_v2 || !h->server_finish.require_mic));
    if (!accepted) return;
    struct ntlm_authenticate message;
    must(ntlm_authenticate_decode(writer_view(&h->authenticate), &message) == SEC_E_OK);
    must(!ntlm_flags_missing(h->server.session.flags, h->server_start.required));
    if (by_hash) must(h->client.stage == NTLM_STAGE_ESTABLISHED);
    if (clean) must(handshake_works(h));
    if (!message.has_mic) return;
    must(clean);
    must(handshake_works(h));
    move(&h->server);
    must(handshake_works(h));
}

static void set_wishes(struct handshake *h, uint8_t wishes, uint8_t more)
{
    h->client_start.flags = NTLM_STRONG | (wishes & WISH_SEAL ? NTLM_SIGN | NTLM_SEAL : 0);
    h->client_start.offer_local = wishes & WISH_LOCAL;
    h->server_start.local_ticket = wishes & WISH_TICKET ? 42 : 0;
    if (wishes & WISH_BINDINGS)
        h->client_finish.channel_bindings = (const uint8_t *)"sixteen bytes...";
    if (wishes & WISH_WRONG_HASH) {
        h->server_finish.v2_hash[0] ^= 1;
        h->server_finish.nt_hash[0] ^= 1;
    }
    enum ntlm_proof proof = wishes & WISH_V1 ? NTLM_PROOF_V1 : NTLM_PROOF_V2;
    if (more & WISH_ANONYMOUS) proof = NTLM_PROOF_ANONYMOUS;
    h->client_finish.proof = h->server_finish.proof = proof;
    if (wishes & WISH_NO_ESS) h->client_start.flags &= ~NTLM_ESS;
    else if (more & WISH_REQUIRED) h->server_start.required = NTLM_ESS | NTLM_128;
    if (more & WISH_OEM) h->client_start.flags ^= NTLM_UNICODE | NTLM_OEM;
    if (wishes & WISH_DATAGRAM) {
        h->client_start.flags |= NTLM_DATAGRAM;
        if (wishes & WISH_NO_ESS) h->client_start.flags &= ~NTLM_SEAL;
        h->server_start.flags = h->client_start.flags;
    }
    h->server_finish.require_mic = more & WISH_MIC;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct handshake h;
    struct sent sent;
    struct reader script;
    if (crypto_init() != SEC_E_OK) abort();
    unit_pool_used = 0;
    memset(&sent, 0, sizeof(sent));
    reader_init(&script, data, size);
    uint8_t wishes = reader_u8(&script), more = reader_u8(&script);
    handshake_init(&h);
    set_wishes(&h, wishes, more);
    run(&script, more, &h, &sent);
    check(&h, &sent, wishes);
    for (size_t i = 0; i < 3; i++) writer_free(&sent.messages[i]);
    handshake_clear(&h);
    return 0;
}
