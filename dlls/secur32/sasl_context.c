/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What follows the package's legs in a SASL context. GSSAPI (RFC 4752 3.1, 3.2): the server offers
 * security layers, the client chooses one and may name whom it acts for, and from then on messages
 * are limited to what was agreed. Which layers are offered and taken follows from what the
 * applications require: the server offers what its context can do and is no weaker than required;
 * the client takes the weakest of it that is no weaker than required. EXTERNAL (RFC 4422 appendix
 * A): one message of the client, which names whom it acts for. Nothing follows in other mechanisms.
 */
#include "sasl.h"

#include "core/secret.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <stdlib.h>

TRACE_CHANNEL("sspi");

#define SIZE_DEFAULT 0xFFFFu /* SaslSetContextOption's page */

struct sasl *sasl_create(enum sasl_mechanism mechanism)
{
    struct sasl *sasl = calloc(1, sizeof(*sasl));
    if (!sasl) return NULL;
    InitializeSRWLock(&sasl->lock);
    sasl->mechanism = mechanism;
    sasl->send_size = sasl->receive_size = SIZE_DEFAULT;
    return sasl;
}

void sasl_free(struct sasl *sasl)
{
    free(sasl);
}

status_t sasl_attach_external(struct context *context, struct sasl **out)
{
    enum sasl_mechanism mechanism;
    if (!context->sasl) {
        if (!context->complete) return SEC_E_INVALID_HANDLE;
        status_t status = sasl_mechanism_find(context->package, true, &mechanism);
        if (status == SEC_E_SECPKG_NOT_FOUND) return SEC_E_INVALID_HANDLE;
        if (!status_ok(status)) return status;
        struct sasl *sasl = sasl_create(mechanism);
        if (!sasl) return SEC_E_INSUFFICIENT_MEMORY;
        /* Two threads may come at once; the first stays. */
        if (InterlockedCompareExchangePointer((void *volatile *)&context->sasl, sasl, NULL))
            sasl_free(sasl);
    }
    *out = context->sasl;
    return SEC_E_OK;
}

/* ---- export and import ---- */

status_t sasl_describe(struct sasl *sasl, struct sasl_body *out)
{
    if (!sasl->done) return SEC_E_NOT_SUPPORTED;
    *out = (struct sasl_body){.layer = sasl->layer,
                              .authz_forbidden = sasl->authz_forbidden,
                              .send_size = sasl->send_size,
                              .receive_size = sasl->receive_size,
                              .authzid = {sasl->authzid, sasl->authz_size}};
    return SEC_E_OK;
}

static void authzid_keep(struct sasl *sasl, struct slice authzid)
{
    if (authzid.size) memcpy(sasl->authzid, authzid.data, authzid.size);
    sasl->authz_size = (ULONG)authzid.size;
}

struct sasl *sasl_restore(const struct sasl_body *body)
{
    struct sasl *sasl = sasl_create(body->layer ? SASL_GSSAPI : SASL_PLAIN);
    if (!sasl) return NULL;
    sasl->layer = body->layer;
    sasl->authz_forbidden = body->authz_forbidden;
    sasl->send_size = body->send_size;
    sasl->receive_size = body->receive_size;
    authzid_keep(sasl, body->authzid);
    sasl->done = TRUE;
    return sasl;
}

/* ---- what was agreed ---- */

static void sasl_finish(struct sasl *sasl, uint8_t layer, ULONG send_size)
{
    sasl->layer = layer;
    sasl->send_size = min(sasl->send_size, send_size);
    InterlockedExchange(&sasl->done, TRUE);
}

static ULONG integrity_bit(const struct context *context)
{
    return context->acceptor ? ASC_RET_INTEGRITY : ISC_RET_INTEGRITY;
}

/* What the context protects, its layer considered. */
static ULONG attributes_of_layer(const struct context *context, const struct sasl *sasl)
{
    ULONG off = 0;
    if (sasl->layer != SASL_LAYER_PRIVACY) off |= ISC_RET_CONFIDENTIALITY;
    if (sasl->layer == SASL_LAYER_NONE)
        off |= integrity_bit(context) | ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT;
    return sasl->attributes & ~off;
}

static bool requires_integrity(const struct context *context, ULONG wanted)
{
    ULONG bits = ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT;
    bits |= context->acceptor ? ASC_REQ_INTEGRITY : ISC_REQ_INTEGRITY;
    return wanted & bits;
}

/* The layers that the context can do and the application is content with. */
static uint8_t layers_possible(const struct context *context, const struct sasl *sasl, ULONG wanted)
{
    uint8_t able = SASL_LAYER_NONE | SASL_LAYER_INTEGRITY;
    if (sasl->attributes & ISC_RET_CONFIDENTIALITY) able |= SASL_LAYER_PRIVACY;
    return able &
           sasl_layers_from(requires_integrity(context, wanted), wanted & ISC_REQ_CONFIDENTIALITY);
}

/* ---- the server's half ---- */

/* There is nothing left to say. */
static void output_empty(const struct leg *leg)
{
    SecBuffer *token = secbuf_find(leg->output, SECBUFFER_TOKEN);
    if (token) token->cbBuffer = 0;
}

static status_t offer_make(const struct pinned_context *pinned, struct leg *leg, ULONG wanted)
{
    struct sasl *sasl = pinned->context->sasl;
    struct sasl_token token = {0};
    ULONG overhead;
    struct sasl_offer offer = {.layers = layers_possible(pinned->context, sasl, wanted)};
    if (!offer.layers) return SEC_E_QOP_NOT_SUPPORTED;
    if (offer.layers != SASL_LAYER_NONE) offer.size = sasl->receive_size;

    uint8_t text[SASL_OFFER_SIZE];
    struct writer w;
    writer_init_fixed(&w, text, sizeof(text));
    sasl_offer_encode(&w, &offer);
    status_t status = writer_status(&w);
    if (status_ok(status)) status = sasl_overhead(pinned, &overhead);
    if (status_ok(status)) status = sasl_token_open(&token, leg, overhead + SASL_OFFER_SIZE);
    if (status_ok(status)) status = sasl_wrap(pinned, writer_view(&w), &token);
    if (status_ok(status)) {
        sasl->offered = offer.layers;
        sasl->stage = SASL_CHOICE_NEXT;
        leg->attributes = sasl->attributes;
        leg->expiry = sasl->expiry;
        sasl_token_give(&token, leg);
        status = SEC_I_CONTINUE_NEEDED;
    }
    TRACE("layers %#x, %lu bytes: status %#lx\n", offer.layers, (ULONG)offer.size, (ULONG)status);
    sasl_token_close(&token);
    return status;
}

static status_t choice_take(const struct pinned_context *pinned, struct leg *leg)
{
    struct context *context = pinned->context;
    struct sasl *sasl = context->sasl;
    struct slice message = sasl_input(leg), text = {NULL, 0};
    struct sasl_choice choice = {0};
    BYTE *block = NULL;
    ULONG overhead;
    status_t status = sasl_overhead(pinned, &overhead);
    if (status_ok(status)) status = sasl_unwrap(pinned, message, &block, &text);
    if (status_ok(status)) status = sasl_choice_decode(text, &choice);
    if (!status_ok(status)) goto done;

    uint32_t send_size = sasl_text_size(choice.size, overhead);
    if (!(choice.layer & sasl->offered)) status = SEC_E_INVALID_TOKEN;
    else if (choice.layer != SASL_LAYER_NONE && !send_size) status = SEC_E_QOP_NOT_SUPPORTED;
    else if (sasl->authz_forbidden && choice.authzid.size) status = SEC_E_ALGORITHM_MISMATCH;
    if (!status_ok(status)) goto done;
    authzid_keep(sasl, choice.authzid);
    sasl_finish(sasl, choice.layer, send_size);
    leg->attributes = attributes_of_layer(context, sasl);
    leg->expiry = sasl->expiry;
    output_empty(leg);
done:
    TRACE("layer %#x, %lu bytes: status %#lx\n", choice.layer, (ULONG)choice.size, (ULONG)status);
    if (block) secret_wipe(block, message.size);
    HeapFree(GetProcessHeap(), 0, block);
    return status;
}

/* ---- the client's half ---- */

/* The choice that answers the offer. */
static status_t choice_make(const struct pinned_context *pinned, ULONG wanted, ULONG overhead,
                            const struct sasl_offer *offer, struct sasl_choice *choice)
{
    struct sasl *sasl = pinned->context->sasl;
    uint8_t layers = offer->layers & layers_possible(pinned->context, sasl, wanted);
    /* A layer without room for one byte protects nothing. */
    if (!sasl_text_size(offer->size, overhead)) layers &= SASL_LAYER_NONE;
    choice->authzid = (struct slice){sasl->authzid, sasl->authz_size};
    status_t status = sasl_layer_choose(layers, &choice->layer);
    if (!status_ok(status)) return status;
    choice->size = choice->layer == SASL_LAYER_NONE ? 0 : sasl->receive_size;
    return SEC_E_OK;
}

/* What was read stays, should there be no memory for the answer. */
static status_t offer_take(const struct pinned_context *pinned, struct slice message)
{
    struct sasl *sasl = pinned->context->sasl;
    struct slice text = {NULL, 0};
    BYTE *block = NULL;
    if (sasl->offer_read) return SEC_E_OK;
    status_t status = sasl_unwrap(pinned, message, &block, &text);
    if (status_ok(status)) status = sasl_offer_decode(text, &sasl->offer);
    sasl->offer_read = status_ok(status);
    if (block) secret_wipe(block, message.size);
    HeapFree(GetProcessHeap(), 0, block);
    return status;
}

static status_t offer_answer(const struct pinned_context *pinned, struct leg *leg, ULONG wanted)
{
    struct context *context = pinned->context;
    struct sasl *sasl = context->sasl;
    const struct sasl_offer *offer = &sasl->offer;
    struct sasl_choice choice = {0};
    struct sasl_token token = {0};
    uint8_t room[SASL_OFFER_SIZE + SASL_AUTHZ_MAX];
    ULONG overhead;
    struct writer w;
    if (sasl->authz_forbidden && sasl->authz_size) return SEC_E_ALGORITHM_MISMATCH;
    status_t status = sasl_overhead(pinned, &overhead);
    if (status_ok(status))
        status = sasl_token_open(&token, leg, overhead + SASL_OFFER_SIZE + sasl->authz_size);
    if (status_ok(status)) status = offer_take(pinned, sasl_input(leg));
    if (status_ok(status)) status = choice_make(pinned, wanted, overhead, offer, &choice);
    if (!status_ok(status)) goto done;

    writer_init_fixed(&w, room, sizeof(room));
    sasl_choice_encode(&w, &choice);
    status = writer_status(&w);
    if (status_ok(status)) status = sasl_wrap(pinned, writer_view(&w), &token);
    if (!status_ok(status)) goto done;
    sasl_finish(sasl, choice.layer, sasl_text_size(offer->size, overhead));
    leg->attributes = attributes_of_layer(context, sasl);
    leg->expiry = sasl->expiry;
    sasl_token_give(&token, leg);
done:
    TRACE("offered %#x, chosen %#x: status %#lx\n", offer->layers, choice.layer, (ULONG)status);
    sasl_token_close(&token);
    return status;
}

/* ---- legs ---- */

status_t sasl_round(const struct pinned_context *pinned, struct leg *leg, ULONG wanted)
{
    struct sasl *sasl = pinned->context->sasl;
    if (sasl->done) return SEC_E_OUT_OF_SEQUENCE;
    if (!leg->acceptor) return offer_answer(pinned, leg, wanted);
    if (sasl->stage == SASL_CHOICE_NEXT) return choice_take(pinned, leg);
    /* The client has its last token from us, and nothing to say to it; or its last token comes
     * again from a caller to whom the leg has failed. */
    if (sasl_input(leg).size && !sasl->offer_due) return SEC_E_INVALID_TOKEN;
    return offer_make(pinned, leg, wanted);
}

static bool has_output(const struct leg *leg)
{
    const SecBuffer *token = secbuf_find(leg->output, SECBUFFER_TOKEN);
    return token && token->cbBuffer && token->pvBuffer;
}

/* What the package wrote is not for a caller to whom the leg has failed. */
static void output_take_back(const struct leg *leg)
{
    SecBuffer *token = secbuf_find(leg->output, SECBUFFER_TOKEN);
    if (!token) return;
    bool allocated = leg->requirements & ISC_REQ_ALLOCATE_MEMORY;
    if (allocated && token->pvBuffer != leg->given.pvBuffer) FreeContextBuffer(token->pvBuffer);
    *token = leg->given;
}

static status_t rounds_begin(const struct pinned_context *pinned, struct leg *leg, ULONG wanted,
                             status_t status)
{
    struct context *context = pinned->context;
    /* The rounds would be anybody's. */
    if (!(leg->attributes & integrity_bit(context))) return SEC_E_QOP_NOT_SUPPORTED;
    context->sasl->stage = SASL_OFFER_NEXT;
    if (status == SEC_I_COMPLETE_NEEDED) return SEC_I_COMPLETE_AND_CONTINUE;
    if (!leg->acceptor || has_output(leg)) return SEC_I_CONTINUE_NEEDED;
    status = offer_make(pinned, leg, wanted);
    context->sasl->offer_due = status == SEC_E_INSUFFICIENT_MEMORY;
    return status;
}

status_t sasl_after_handshake(const struct pinned_context *pinned, struct leg *leg, ULONG wanted,
                              status_t status)
{
    struct sasl *sasl = pinned->context->sasl;
    if (status != SEC_E_OK && status != SEC_I_COMPLETE_NEEDED) return status;
    sasl->attributes = leg->attributes & ~(ULONG)ISC_RET_ALLOCATED_MEMORY;
    sasl->expiry = leg->expiry;
    if (sasl->mechanism != SASL_GSSAPI) {
        sasl_finish(sasl, 0, sasl->send_size);
        return status;
    }
    status = rounds_begin(pinned, leg, wanted, status);
    if (status_ok(status)) return status;
    output_take_back(leg);
    leg->expiry_told = false;
    return status;
}

/* The context is the package's and goes on as before; only who the client acts for is said. */
status_t sasl_external_message(struct sasl *sasl, struct leg *leg)
{
    struct sasl_token token = {0};
    if (sasl->done) return SEC_E_OUT_OF_SEQUENCE;
    if (leg->acceptor) {
        struct slice authzid = sasl_input(leg);
        if (!sasl_authzid_valid(authzid)) return SEC_E_INVALID_TOKEN;
        if (sasl->authz_forbidden && authzid.size) return SEC_E_ALGORITHM_MISMATCH;
        authzid_keep(sasl, authzid);
        output_empty(leg);
    } else {
        if (sasl->authz_forbidden && sasl->authz_size) return SEC_E_ALGORITHM_MISMATCH;
        status_t status = sasl_token_open(&token, leg, sasl->authz_size);
        if (!status_ok(status)) return status;
        token.size = sasl->authz_size;
        memcpy(token.block, sasl->authzid, sasl->authz_size);
        sasl_token_give(&token, leg);
        sasl_token_close(&token);
    }
    sasl_finish(sasl, 0, sasl->send_size);
    return SEC_E_OK;
}
