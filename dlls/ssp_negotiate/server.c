/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The acceptor's legs (RFC 4178 3 and 5, MS-SPNG 3.2). It takes the first mechanism of the
 * initiator's list that it has. A first token of NTLM or of another mechanism without SPNEGO is
 * answered in kind, and no token at all with hints (NegTokenInit2).
 *
 * A mechListMIC is required when the mechanism is not the one that the initiator wants most,
 * returned when one came, and not asked for otherwise (RFC 4178 5): nothing can have been
 * downgraded then, and there are clients that make none. NTLM itself, which is told the list and
 * the mechListMIC, demands one of a client that signs its messages. In DCE style Windows' clients
 * always make one; those of MIT do not even when they are asked for it.
 */
#include "negotiate_package.h"

#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("negotiate");

static const char hint_name[] = "not_defined_in_RFC4178@please_ignore"; /* MS-SPNG 2.2.1 */

static void take_mech(struct context *context, const struct member *member, struct slice oid)
{
    wcscpy(context->package, member->mech.name);
    oid_set(&context->oid, oid);
}

/* ---- tokens without SPNEGO ---- */

/* A mechanism that nobody here has is a token that is not valid here. */
static status_t start_raw(struct leg *leg, struct credential *credential, struct slice oid,
                          struct context *context)
{
    struct member *member = credential_find(credential, oid);
    if (!member) return credential ? SEC_E_INVALID_TOKEN : SEC_E_INVALID_HANDLE;
    status_t status = inner_step_raw(leg, context, member);
    if (!status_ok(status)) return status;
    context->raw = true;
    take_mech(context, member, oid);
    context_set_stage(context,
                      context->inner.done ? SPNEGO_STAGE_ESTABLISHED : SPNEGO_STAGE_CHOSEN);
    return SEC_E_OK;
}

/* ---- answers ---- */

/* mechListMIC both ways: is it missing, is one to go out? */
static status_t exchange_mics(const struct leg *leg, struct context *context, struct slice received,
                              bool has_token, struct writer *mic)
{
    status_t status = SEC_E_OK;
    bool verified = context->mic_received && leg->resumed;
    if (received.data && !verified && (!context->inner.done || context->mic_received))
        return SEC_E_INVALID_TOKEN;
    if (!mic_possible(context)) return SEC_E_OK;
    if (received.data && !verified) status = mic_verify(context, received);
    if (!status_ok(status)) return status;
    /* Whose token was the last one of the mechanism had to send its MIC with it. */
    if (context->mic_required && !context->mic_received && !has_token) return SEC_E_INVALID_TOKEN;
    bool wanted = context->mic_required || context->mic_received;
    return wanted && !context->mic_sent ? mic_make(context, mic) : SEC_E_OK;
}

static status_t answer(struct leg *leg, const struct spnego_response *said, struct context *context,
                       struct slice token)
{
    struct spnego_response reply = {.token = token};
    uint8_t mic_room[MIC_MAX];
    struct writer mic;
    writer_init_fixed(&mic, mic_room, sizeof(mic_room));
    status_t status = exchange_mics(leg, context, said->mic, token.size, &mic);
    bool waits = context->mic_required && mic_possible(context) && !context->mic_received;
    bool over = context->inner.done && !waits;
    if (!status_ok(status)) goto done;

    if (over) reply.state = SPNEGO_ACCEPT_COMPLETED;
    else if (context->mic_required && !context->answered) reply.state = SPNEGO_REQUEST_MIC;
    else reply.state = SPNEGO_ACCEPT_INCOMPLETE;
    if (!context->answered) reply.mech = oid_slice(&context->oid);
    if (mic.size) reply.mic = writer_view(&mic);
    /* To an initiator that is done as well nothing is left to say. */
    bool silent = over && context->answered && !token.size && !mic.size &&
                  said->state == SPNEGO_ACCEPT_COMPLETED;
    if (!silent) spnego_response_encode(&leg->answer, &reply);
    status = writer_status(&leg->answer);
    if (!status_ok(status)) goto done;
    context->answered = true;
    context_set_stage(context, over ? SPNEGO_STAGE_ESTABLISHED : SPNEGO_STAGE_CHOSEN);

done:
    writer_free(&mic);
    return status;
}

/* The mechanism's part of a leg, then the answer. */
static status_t advance(struct leg *leg, struct member *member, const struct spnego_response *said,
                        struct context *context)
{
    SecBuffer token = {0, SECBUFFER_TOKEN, NULL};
    status_t status = SEC_E_OK;
    if (inner_resume(leg, context, &token)) {
        TRACE("the leg is repeated\n");
    } else if (context->inner.done) {
        if (said->token.size) return SEC_E_INVALID_TOKEN;
    } else {
        if (!said->token.size) return SEC_E_INVALID_TOKEN;
        leg->mic = said->mic;
        status = inner_step(leg, context, member, said->token, &context->inner, &token);
        if (status_ok(status) && !context->inner.done && !token.cbBuffer)
            status = SEC_E_INVALID_TOKEN;
    }
    if (status_ok(status))
        status = answer(leg, said, context, (struct slice){token.pvBuffer, token.cbBuffer});
    inner_token_settle(leg, context, status, &token);
    return status;
}

/* ---- the initiator's list ---- */

/* A mechanism that turns out not to be usable here counts as one that is not here; any other
 * failure is the initiator's, and is final. */
static bool is_unusable(status_t status)
{
    return status == SEC_E_NO_CREDENTIALS || status == SEC_E_SECPKG_NOT_FOUND ||
           status == SEC_E_UNSUPPORTED_FUNCTION;
}

/* What an application's own buffer has to hold before a mechanism sees a token that it takes once
 * only, as Kerberos does: an AP-REP, a mechListMIC, and what SPNEGO puts around them. */
#define ANSWER_ROOM 384u

static status_t room_check(const struct leg *leg, const struct context *context)
{
    bool again = oid_is(&context->oid, spnego_oid_ntlm); /* NTLM makes another challenge */
    status_t status = again ? SEC_E_OK : context_check_room(leg, ANSWER_ROOM);
    if (status != SEC_E_BUFFER_TOO_SMALL) return status;
    WARN("%ls may answer its first token once only, and there is no room for %u bytes\n",
         context->package, ANSWER_ROOM);
    return status;
}

/* The optimistic token counts for the first mechanism of the list only. */
static status_t choose(struct leg *leg, struct credential *credential,
                       const struct spnego_init *offer, struct context *context)
{
    status_t status = SEC_E_INVALID_TOKEN;
    const struct spnego_response said = {SPNEGO_STATE_ABSENT, .token = offer->token,
                                         .mic = offer->mic};
    const struct spnego_response nothing = {.state = SPNEGO_STATE_ABSENT};
    const struct member *unusable = NULL; /* under whichever of its identifiers */
    for (size_t i = 0; i < offer->mech_count; i++) {
        struct member *member = credential_find(credential, offer->mechs[i]);
        if (!member || member == unusable) continue;
        TRACE("%ls is number %u of %u in the list\n", member->mech.name, (unsigned)i + 1,
              (unsigned)offer->mech_count);
        take_mech(context, member, offer->mechs[i]);
        context->mic_required = i > 0;
        bool optimistic = i == 0 && offer->token.size;
        if (optimistic) status = room_check(leg, context);
        if (optimistic && !status_ok(status)) return status;
        status = optimistic ? advance(leg, member, &said, context)
                            : answer(leg, &nothing, context, nothing.token);
        if (status_ok(status) || leg->moved || !is_unusable(status)) return status;
        unusable = member;
    }
    return status;
}

static status_t start_offer(struct leg *leg, struct credential *credential, struct context *context)
{
    struct spnego_init offer;
    if (!credential) return SEC_E_INVALID_HANDLE;
    status_t status = spnego_init_decode(leg->token, &offer);
    if (!status_ok(status)) return status;
    if (mic_is_repeated(offer.token, offer.mic)) offer.mic = (struct slice){NULL, 0};
    status = blob_set(&context->mech_list, offer.mech_list);
    return status_ok(status) ? choose(leg, credential, &offer, context) : status;
}

static status_t start_hints(struct leg *leg, const struct credential *credential,
                            struct context *context)
{
    struct spnego_init hints = {.mech_count = 0};
    hints.hint_name = (struct slice){(const uint8_t *)hint_name, sizeof(hint_name) - 1};
    for (size_t i = 0; i < credential->count; i++) {
        const struct mech *mech = &credential->members[i].mech;
        for (size_t j = 0; j < mech->oid_count; j++)
            hints.mechs[hints.mech_count++] = oid_slice(&mech->oids[j]);
    }
    spnego_init_encode(&leg->answer, &hints);
    context_set_stage(context, SPNEGO_STAGE_HINTED);
    return writer_status(&leg->answer);
}

/* The initiator's first token, in any of its forms. */
static status_t start_token(struct leg *leg, struct credential *credential, struct context *context)
{
    struct slice oid;
    switch (spnego_kind(leg->token, &oid)) {
    case SPNEGO_INIT: return start_offer(leg, credential, context);
    case SPNEGO_RAW_NTLM: return start_raw(leg, credential, spnego_oid_ntlm, context);
    case SPNEGO_RAW_MECH: return start_raw(leg, credential, oid, context);
    default: return SEC_E_INVALID_TOKEN;
    }
}

status_t server_start(struct leg *leg, struct credential *credential, struct context *context)
{
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (leg->requirements & ASC_REQ_DATAGRAM) return SEC_E_UNSUPPORTED_FUNCTION;
    status_t status = inner_keep_bindings(leg, context);
    if (!status_ok(status)) return status;
    return leg->token.size ? start_token(leg, credential, context)
                           : start_hints(leg, credential, context);
}

/* ---- later legs ---- */

status_t server_next(struct leg *leg, struct credential *credential, struct context *context)
{
    struct spnego_response said;
    if (context->stage == SPNEGO_STAGE_HINTED) {
        status_t kept = inner_keep_bindings(leg, context);
        return status_ok(kept) ? start_token(leg, credential, context) : kept;
    }
    struct member *member = credential_find_name(credential, context->package);
    if (context->raw) {
        status_t raw_status = inner_step_raw(leg, context, member);
        if (status_ok(raw_status) && context->inner.done)
            context_set_stage(context, SPNEGO_STAGE_ESTABLISHED);
        return raw_status;
    }
    if (spnego_kind(leg->token, NULL) != SPNEGO_RESPONSE) return SEC_E_INVALID_TOKEN;
    status_t status = spnego_response_decode(leg->token, &said);
    if (!status_ok(status)) return status;
    if (said.state == SPNEGO_REJECT) return SEC_E_LOGON_DENIED;
    if (said.mech.data && !oid_is(&context->oid, said.mech)) return SEC_E_INVALID_TOKEN;
    if (mic_is_repeated(said.token, said.mic)) said.mic = (struct slice){NULL, 0};
    return advance(leg, member, &said, context);
}
