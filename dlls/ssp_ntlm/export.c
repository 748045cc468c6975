/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Export and import. A context is written down at any stage: what it needs of a credential is
 * used up when it is established, and a half-open client gets its credential from the leg that
 * goes on. The host seals the body and deletes the old context when it is handed over; here it
 * stops working under its locks, before the body is given out, so that no two contexts ever go
 * on with one key stream.
 */
#include "ntlm_package.h"

#include "ssp/handover.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

TRACE_CHANNEL("ntlm");

#define BODY_ROOM 1024u /* enough but for long names and long messages */

/* What the body starts with, in bits: whether channel bindings wait for the second leg, which comes
 * with them, and an audit. */
#define BODY_BINDINGS 1u
#define BODY_AUDIT 2u

struct context_body {
    const struct context *context;
    bool reset;
};

static void body_write(const void *object, struct writer *w)
{
    const struct context_body *body = object;
    const struct context *context = body->context;
    const struct bindings *bindings = &context->bindings;
    uint8_t bound = bindings->given ? BODY_BINDINGS : 0;
    writer_u8(w, bindings->audit ? bound | BODY_AUDIT : bound);
    if (bindings->given) writer_bytes(w, bindings->hash, sizeof(bindings->hash));
    ntlm_context_write(&context->ntlm, body->reset, w);
}

/* A duplicate for the caller to close, or NULL where there is no token. */
static status_t token_hand_out(struct context *context, HANDLE *out)
{
    HANDLE own = context->token;
    if (own || status_ok(context_token(context, &own))) return handover_token(own, out);
    *out = NULL;
    return SEC_E_OK;
}

/* Two servers that wait for the answer to one challenge: it takes a ticket to make sure that one
 * of them gets it. */
static bool may_be_copied(const struct ntlm_context *ntlm)
{
    if (ntlm->role != NTLM_SERVER || ntlm->stage != NTLM_STAGE_CHALLENGE_SENT) return true;
    if (ntlm->challenge_ticket) return true;
    WARN("without a ledger a waiting server can be handed over, but not copied\n");
    return false;
}

static status_t export_locked(struct context *context, ULONG flags, SecBuffer *packed,
                              HANDLE *token)
{
    const struct context_body body = {context, flags & SECPKG_CONTEXT_EXPORT_RESET_NEW};
    SecBuffer made;
    HANDLE duplicate = NULL;
    if (context->exported) return SEC_E_INVALID_HANDLE;
    if (!(flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD) && !may_be_copied(&context->ntlm))
        return SEC_E_NOT_SUPPORTED;
    status_t status = handover_pack(body_write, &body, BODY_ROOM, &made);
    if (!status_ok(status)) return status;
    if (token) status = token_hand_out(context, &duplicate);
    if (!status_ok(status)) {
        handover_discard(&made);
        return status;
    }
    if (flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD) context->exported = true;
    else if (context->ntlm.stage == NTLM_STAGE_ESTABLISHED)
        WARN("two contexts now have one key stream: only one of them may go on sealing\n");
    *packed = made;
    if (token) *token = duplicate;
    return SEC_E_OK;
}

NTSTATUS NTAPI context_export(LSA_SEC_HANDLE handle, ULONG flags, SecBuffer *packed, HANDLE *token)
{
    struct context *context = context_get(handle);
    status_t status = handover_check(flags, packed);
    if (!status_ok(status)) return status;

    context_lock(context);
    status = export_locked(context, flags, packed, token);
    context_unlock(context);
    TRACE("flags %#lx: status %#lx\n", flags, (ULONG)status);
    return status;
}

/* ---- import ---- */

/* Whose token it is has been found out by then; a stranger who logs on later must not get it. */
static bool may_have_token(const struct ntlm_context *ntlm)
{
    return ntlm->role == NTLM_SERVER && ntlm->stage == NTLM_STAGE_ESTABLISHED;
}

static status_t body_read(const SecBuffer *packed, struct ntlm_context *ntlm,
                          struct bindings *bindings)
{
    struct reader r;
    if (!packed || !packed->pvBuffer) return SEC_E_INVALID_TOKEN;
    reader_init(&r, packed->pvBuffer, packed->cbBuffer);
    uint8_t kind = reader_u8(&r);
    *bindings = (struct bindings){.given = kind & BODY_BINDINGS, .audit = kind & BODY_AUDIT};
    if (bindings->given) reader_copy(&r, bindings->hash, sizeof(bindings->hash));
    struct slice body = reader_bytes(&r, reader_left(&r));
    if (!reader_ok(&r) || kind > (BODY_BINDINGS | BODY_AUDIT)) return SEC_E_INVALID_TOKEN;
    status_t status = ntlm_context_read(ntlm, body);
    if (status_ok(status) && kind && ntlm->stage == NTLM_STAGE_ESTABLISHED) {
        ntlm_context_clear(ntlm);
        return SEC_E_INVALID_TOKEN;
    }
    return status;
}

NTSTATUS NTAPI context_import(SecBuffer *packed, HANDLE token, LSA_SEC_HANDLE *handle)
{
    struct context *context = NULL;
    HANDLE own_token = NULL;
    struct bindings bindings;
    struct ntlm_context ntlm;

    status_t status = crypto_ready();
    if (status_ok(status)) status = body_read(packed, &ntlm, &bindings);
    if (!status_ok(status)) return status;
    if (token)
        status = may_have_token(&ntlm) ? handover_token(token, &own_token)
                                       : SEC_E_INVALID_PARAMETER; /* the caller keeps his */
    if (status_ok(status)) status = context_create(&ntlm, HALF_USER, &context);
    TRACE("status %#lx\n", (ULONG)status);
    if (!status_ok(status)) {
        if (own_token) CloseHandle(own_token);
        ntlm_context_clear(&ntlm);
        return status;
    }
    context->token = own_token;
    context->bindings = bindings;
    *handle = (LSA_SEC_HANDLE)context;
    return SEC_E_OK;
}
