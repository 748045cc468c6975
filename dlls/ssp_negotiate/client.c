/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The initiator's legs (RFC 4178 3 and 5, MS-SPNG 3.2). The first one offers the mechanisms, with
 * a token for the first of them; the choice of another one starts that in the same leg. A token
 * that completes the mechanism goes out with a mechListMIC whenever one can be made: servers of
 * Windows want it with NTLM, and others may have it.
 */
#include "negotiate_package.h"

#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("negotiate");

/* ---- first leg ---- */

/* DCE RPC has legs for the tokens of NTLM and of Kerberos: their third one needs no answer, while
 * that of SPNEGO does, which Wine's rpcrt4 does not wait for. Acceptors take both without SPNEGO
 * (Microsoft's page on Negotiate, MS-SPNG 3.3.5.1), so the first of them that can start is used. */
static bool speaks_raw(const struct leg *leg, const struct credential *credential)
{
    bool known = true;
    for (size_t i = 0; i < credential->count; i++) {
        const struct oid *oid = &credential->members[i].mech.oids[0];
        known = known && (oid_is(oid, spnego_oid_ntlm) || oid_is(oid, spnego_oid_ms_kerberos));
    }
    return credential->raw || (known && leg->requirements & ISC_REQ_USE_DCE_STYLE);
}

static status_t start_raw_with(struct leg *leg, struct member *member, struct context *context)
{
    status_t status = inner_step_raw(leg, context, member);
    if (!status_ok(status)) return status;
    context->raw = true;
    wcscpy(context->package, member->mech.name);
    context->oid = member->mech.oids[0];
    context_set_stage(context,
                      context->inner.done ? SPNEGO_STAGE_ESTABLISHED : SPNEGO_STAGE_CHOSEN);
    return SEC_E_OK;
}

/* A package that is asked for by name judges for itself what it can do. */
static status_t start_raw(struct leg *leg, struct credential *credential, struct context *context)
{
    status_t reason = SEC_E_OK;
    SecBuffer *buffer = secbuf_find(leg->output, SECBUFFER_TOKEN);
    SecBuffer before = buffer ? *buffer : (SecBuffer){0, 0, NULL};
    if (credential->raw) return start_raw_with(leg, &credential->members[0], context);
    for (size_t i = 0; i < credential->count; i++) {
        struct member *member = &credential->members[i];
        status_t status;
        status_t known = fallback_before(&member->mech, leg->target, leg->requirements, &status);
        if (buffer) *buffer = before; /* whatever the last one has made of it */
        leg->passed = false;
        if (!status_ok(known)) return known;
        if (status_ok(status)) status = start_raw_with(leg, member, context);
        /* Want of room is the application's to mend: it is no reason for a weaker mechanism. */
        bool over = status_ok(status) || status == SEC_E_BUFFER_TOO_SMALL;
        if (over || fallback_is_final(member, leg->target, status)) return status;
        if (status_ok(reason)) reason = status;
    }
    return reason;
}

/* An acceptor that speaks first says what it has (NegTokenInit2). Nothing protects what it says:
 * whoever can change it decides what is offered, as far as the credential's package list goes. */
static status_t read_hints(const struct leg *leg, struct spnego_init *hints)
{
    hints->mech_count = 0;
    if (!leg->token.size) return SEC_E_OK;
    if (spnego_kind(leg->token, NULL) != SPNEGO_INIT) return SEC_E_INVALID_TOKEN;
    return spnego_init_decode(leg->token, hints);
}

static bool hints_allow(const struct spnego_init *hints, const struct oid *oid)
{
    if (!hints->mech_count) return true;
    for (size_t i = 0; i < hints->mech_count; i++)
        if (oid_is(oid, hints->mechs[i])) return true;
    return false;
}

/* Adds the identifiers of a mechanism that may be offered; false when there is none. */
static bool offer_add(const struct mech *mech, const struct spnego_init *hints,
                      struct spnego_init *offer)
{
    bool any = false;
    for (size_t i = 0; i < mech->oid_count; i++) {
        if (offer->mech_count == SPNEGO_MECHS_MAX || !hints_allow(hints, &mech->oids[i])) continue;
        offer->mechs[offer->mech_count++] = oid_slice(&mech->oids[i]);
        any = true;
    }
    return any;
}

/* The mechanisms from the first that can start on, and that one's token. When none can, the most
 * preferred one's reason counts; it is also what is told of a mechanism that was passed over. */
static status_t offer_make(struct leg *leg, struct credential *credential,
                           const struct spnego_init *hints, struct context *context,
                           struct spnego_init *offer, SecBuffer *token)
{
    status_t reason = SEC_E_OK;
    for (size_t i = 0; i < credential->count; i++) {
        struct member *member = &credential->members[i];
        struct spnego_init before = *offer;
        if (!offer_add(&member->mech, hints, offer) || before.mech_count) continue;
        status_t status;
        status_t known = fallback_before(&member->mech, leg->target, leg->requirements, &status);
        if (!status_ok(known)) return known;
        if (status_ok(status))
            status = inner_step(leg, context, member, (struct slice){NULL, 0}, &context->inner,
                                token);
        if (status_ok(status)) {
            wcscpy(context->package, member->mech.name);
            oid_set(&context->oid, offer->mechs[0]);
            continue;
        }
        TRACE("without %ls: status %#lx\n", member->mech.name, (ULONG)status);
        *offer = before;
        if (fallback_is_final(member, leg->target, status)) return status;
        if (status_ok(reason)) reason = status;
    }
    TRACE("%u identifiers offered, %ls first\n", (unsigned)offer->mech_count, context->package);
    if (!status_ok(reason)) context->last_status = reason;
    if (offer->mech_count) return SEC_E_OK;
    return status_ok(reason) ? SEC_E_NO_CREDENTIALS : reason;
}

static status_t offer_write(struct leg *leg, const struct spnego_init *offer,
                            struct context *context)
{
    struct writer list;
    writer_init(&list);
    spnego_mech_list_encode(&list, offer->mechs, offer->mech_count);
    status_t status = writer_take(&list, &context->mech_list.data, &context->mech_list.size);
    writer_free(&list);
    if (!status_ok(status)) return status;
    spnego_init_encode(&leg->answer, offer);
    return writer_status(&leg->answer);
}

/* For a mechanism that starts when its choice is known: the application need not repeat them. */
static status_t start_keep(const struct leg *leg, struct context *context)
{
    status_t status = inner_keep_bindings(leg, context);
    if (!leg->target || !status_ok(status)) return status;
    size_t size = (wcslen(leg->target) + 1) * sizeof(wchar_t);
    return blob_set(&context->target, (struct slice){(const uint8_t *)leg->target, size});
}

status_t client_start(struct leg *leg, struct credential *credential, struct context *context)
{
    struct spnego_init hints, offer = {.mech_count = 0};
    SecBuffer token = {0, SECBUFFER_TOKEN, NULL};
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (leg->requirements & ISC_REQ_DATAGRAM) return SEC_E_UNSUPPORTED_FUNCTION;
    if (speaks_raw(leg, credential)) return start_raw(leg, credential, context);

    status_t status = read_hints(leg, &hints);
    if (status_ok(status)) status = start_keep(leg, context);
    if (status_ok(status)) status = offer_make(leg, credential, &hints, context, &offer, &token);
    if (!status_ok(status)) return status;
    if (token.cbBuffer) offer.token = (struct slice){token.pvBuffer, token.cbBuffer};
    status = offer_write(leg, &offer, context);
    inner_token_free(&token);
    context_set_stage(context, SPNEGO_STAGE_OFFERED);
    return status;
}

/* ---- later legs ---- */

/* The acceptor wants another mechanism than the one whose token it got, or the same one under an
 * identifier that stood behind in the list. */
static status_t switch_to(struct leg *leg, struct credential *credential, struct slice oid,
                          struct context *context, SecBuffer *token)
{
    struct inner fresh = {.done = false};
    struct member *member = credential_find(credential, oid);
    if (!member) return SEC_E_NO_CREDENTIALS; /* an imported context and another credential */
    SecInvalidateHandle(&fresh.handle);
    status_t status = inner_step(leg, context, member, (struct slice){NULL, 0}, &fresh, token);
    if (!status_ok(status)) return status;
    TRACE("the acceptor wants %ls instead of %ls: its token was for nobody\n", member->mech.name,
          context->package);
    inner_clear(&context->inner);
    context->inner = fresh;
    wcscpy(context->package, member->mech.name);
    context->mic_required = true;
    return SEC_E_OK;
}

/* Whether the acceptor has left our token alone. It counts for the first identifier of the list
 * only (RFC 4178 4.2.1), so it has if it says nothing that the mechanism would have made. Some take
 * it for either identifier of Kerberos, and answer it. */
static bool is_unread(const struct spnego_response *answer)
{
    bool waits = answer->state == SPNEGO_ACCEPT_INCOMPLETE || answer->state == SPNEGO_REQUEST_MIC;
    return waits && !answer->token.size && !answer->mic.data;
}

/* The first answer chooses; later ones may repeat the choice. A missing one means the mechanism
 * whose token was sent. *token receives that of a mechanism which starts here. */
static status_t choose(struct leg *leg, struct credential *credential,
                       const struct spnego_response *answer, struct context *context,
                       SecBuffer *token)
{
    struct slice oid = answer->mech;
    if (!oid.data || oid_is(&context->oid, oid)) return SEC_E_OK;
    if (context->stage != SPNEGO_STAGE_OFFERED) return SEC_E_INVALID_TOKEN;
    if (!mech_list_has(blob_slice(&context->mech_list), oid)) return SEC_E_INVALID_TOKEN;

    struct member *member = credential_find(credential, oid);
    bool same = member && !wcscmp(member->mech.name, context->package);
    status_t status = SEC_E_OK;
    if (!same && answer->token.size) return SEC_E_INVALID_TOKEN;
    if (!same || is_unread(answer)) status = switch_to(leg, credential, oid, context, token);
    if (status_ok(status)) oid_set(&context->oid, oid);
    return status;
}

/* The mechanism's part of the leg. */
static status_t advance(struct leg *leg, struct credential *credential, struct slice in,
                        struct context *context, SecBuffer *token)
{
    struct member *member = credential_find_name(credential, context->package);
    if (inner_resume(leg, context, token)) return SEC_E_OK;
    if (context->inner.done) return in.size ? SEC_E_INVALID_TOKEN : SEC_E_OK;
    if (!in.size) return SEC_E_INVALID_TOKEN;
    status_t status = inner_step(leg, context, member, in, &context->inner, token);
    if (!status_ok(status)) return status;
    /* A mechanism that waits has something to say. */
    return context->inner.done || token->cbBuffer ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

/* mechListMIC both ways. Once the acceptor is done it takes no more. */
static status_t exchange_mics(const struct leg *leg, struct context *context,
                              const struct spnego_response *answer, bool has_token,
                              struct writer *mic)
{
    bool completed = answer->state == SPNEGO_ACCEPT_COMPLETED;
    status_t status = SEC_E_OK;
    if (answer->state == SPNEGO_REQUEST_MIC) context->mic_required = true;
    bool verified = context->mic_received && leg->resumed;
    if (answer->mic.data && !verified && (!context->inner.done || context->mic_received))
        return SEC_E_INVALID_TOKEN;
    if (!mic_possible(context)) return SEC_E_OK;
    if (answer->mic.data && !verified) status = mic_verify(context, answer->mic);
    bool wanted = has_token || context->mic_required || context->mic_received;
    if (status_ok(status) && wanted && !completed && !context->mic_sent)
        status = mic_make(context, mic);
    return status;
}

/* Whether this side has all that it needs. */
static bool is_over(const struct context *context, bool completed)
{
    if (!context->inner.done) return false;
    if (context->mic_received) return completed || context->mic_sent;
    return completed && !(context->mic_required && mic_possible(context));
}

static status_t conclude(struct leg *leg, const struct spnego_response *answer,
                         struct context *context, struct slice token)
{
    bool completed = answer->state == SPNEGO_ACCEPT_COMPLETED;
    struct spnego_response reply = {.state = SPNEGO_ACCEPT_INCOMPLETE, .token = token};
    uint8_t mic_room[MIC_MAX];
    struct writer mic;
    writer_init_fixed(&mic, mic_room, sizeof(mic_room));
    status_t status = exchange_mics(leg, context, answer, token.size, &mic);
    if (!status_ok(status)) goto done;

    bool over = is_over(context, completed);
    if (completed && (!over || token.size)) {
        status = SEC_E_INVALID_TOKEN;
        goto done;
    }
    if (over) {
        reply.state = SPNEGO_ACCEPT_COMPLETED;
    } else if (!token.size && !mic.size) {
        /* The acceptor is not done and says not why: it gets one more leg. */
        if (context->extra_leg) status = SEC_E_INVALID_TOKEN;
        context->extra_leg = true;
    }
    if (!status_ok(status)) goto done;
    if (mic.size) reply.mic = writer_view(&mic);
    if (!completed) spnego_response_encode(&leg->answer, &reply);
    status = writer_status(&leg->answer);
    if (status_ok(status))
        context_set_stage(context, over ? SPNEGO_STAGE_ESTABLISHED : SPNEGO_STAGE_CHOSEN);

done:
    writer_free(&mic);
    return status;
}

/* With the last of its answers such a peer says nothing. */
static void drop_repeated_mic(const struct context *context, struct spnego_response *answer)
{
    if (!mic_is_repeated(answer->token, answer->mic)) return;
    answer->mic = (struct slice){NULL, 0};
    if (context->inner.done) answer->token = answer->mic;
}

status_t client_next(struct leg *leg, struct credential *credential, struct context *context)
{
    struct spnego_response answer;
    SecBuffer token = {0, SECBUFFER_TOKEN, NULL};
    status_t status;
    if (context->raw) {
        status = inner_step_raw(leg, context, credential_find_name(credential, context->package));
        if (status_ok(status) && context->inner.done)
            context_set_stage(context, SPNEGO_STAGE_ESTABLISHED);
        return status;
    }
    if (spnego_kind(leg->token, NULL) != SPNEGO_RESPONSE) return SEC_E_INVALID_TOKEN;
    status = spnego_response_decode(leg->token, &answer);
    if (!status_ok(status)) return status;
    /* The server knows why, and does not say; ISC has no other status for "you may not". */
    if (answer.state == SPNEGO_REJECT) return SEC_E_LOGON_DENIED;

    drop_repeated_mic(context, &answer);
    status = choose(leg, credential, &answer, context, &token);
    if (status_ok(status) && !token.cbBuffer)
        status = advance(leg, credential, answer.token, context, &token);
    if (status_ok(status))
        status = conclude(leg, &answer, context, (struct slice){token.pvBuffer, token.cbBuffer});
    inner_token_settle(leg, context, status, &token);
    return status;
}
