/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Export and import, at any stage. What is exported is the state of the negotiation and, inside,
 * what the mechanism's package exports of its own context, sealed by the host like any other. A
 * half-open initiator gets its credential from the leg that goes on.
 *
 * With DELETE_OLD the mechanism's context is handed over with that flag too, so that nobody goes
 * on with its keys; should anything fail after that, it is imported again, and the old context
 * goes on.
 */
#include "negotiate_package.h"

#include "core/secret.h"
#include "ssp/handover.h"
#include "ssp/trace.h"

#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("negotiate");

#define BODY_ROOM 1024u /* enough but for long names and kept tokens */

/* ---- the body ---- */

struct negotiation_body {
    const struct context *context;
    const SecBuffer *inner;
};

static void body_write(const void *object, struct writer *w)
{
    const struct negotiation_body *negotiation = object;
    const struct context *context = negotiation->context;
    const SecBuffer *inner = negotiation->inner;
    const struct spnego_body body = {
        .stage = (enum spnego_stage)context->stage,
        .acceptor = context->acceptor,
        .raw = context->raw,
        .inner_done = context->inner.done,
        .answered = context->answered,
        .extra_leg = context->extra_leg,
        .mic_required = context->mic_required,
        .mic_sent = context->mic_sent,
        .mic_received = context->mic_received,
        .attributes = context->inner.attributes,
        .expiry = (uint64_t)context->inner.expiry.QuadPart,
        .last_status = context->last_status,
        .package = {(const uint8_t *)context->package, wcslen(context->package) * sizeof(wchar_t)},
        .oid = oid_slice(&context->oid),
        .mech_list = blob_slice(&context->mech_list),
        .target = blob_slice(&context->target),
        .bindings = blob_slice(&context->bindings),
        .pending = blob_slice(&context->pending),
        .inner = {inner->pvBuffer, inner->cbBuffer},
    };
    spnego_body_write(&body, w);
}

static status_t body_pack(const struct context *context, const SecBuffer *inner, SecBuffer *out)
{
    const struct negotiation_body negotiation = {context, inner};
    return handover_pack(body_write, &negotiation, BODY_ROOM + inner->cbBuffer, out);
}

/* ---- export ---- */

static void inner_restore(struct context *context, SecBuffer *inner, HANDLE token)
{
    CtxtHandle handle;
    status_t status = ImportSecurityContextW(context->package, inner, token, &handle);
    if (status_ok(status)) context->inner.handle = handle;
    else ERR("the context of %ls is lost: status %#lx\n", context->package, (ULONG)status);
}

static status_t export_locked(struct context *context, ULONG flags, SecBuffer *packed,
                              HANDLE *token_out)
{
    SecBuffer inner = {0, SECBUFFER_EMPTY, NULL};
    bool has_inner = SecIsValidHandle(&context->inner.handle);
    bool delete_old = flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD;
    HANDLE token = NULL;
    status_t status = SEC_E_OK;
    if (context->exported) return SEC_E_INVALID_HANDLE;
    if (context->stage == SPNEGO_STAGE_FAILED || context->has_kept) return SEC_E_CANNOT_PACK;

    if (has_inner)
        status = ExportSecurityContext(&context->inner.handle, flags, &inner,
                                       token_out ? &token : NULL);
    if (!status_ok(status)) return status;
    status = body_pack(context, &inner, packed);
    if (status_ok(status)) {
        context->exported = delete_old;
        if (token_out) *token_out = token;
    } else {
        if (has_inner && delete_old) inner_restore(context, &inner, token);
        if (token) CloseHandle(token);
    }
    if (inner.pvBuffer) secret_wipe(inner.pvBuffer, inner.cbBuffer);
    FreeContextBuffer(inner.pvBuffer);
    return status;
}

NTSTATUS NTAPI context_export(LSA_SEC_HANDLE handle, ULONG flags, SecBuffer *packed, HANDLE *token)
{
    struct context *context = context_get(handle);
    status_t status = handover_check(flags, packed);
    if (!status_ok(status)) return status;

    lock_take(&context->lock);
    status = export_locked(context, flags, packed, token);
    lock_give(&context->lock);
    TRACE("flags %#lx, stage %ld: status %#lx\n", flags, context->stage, (ULONG)status);
    return status;
}

/* ---- import ---- */

static status_t body_apply(const struct spnego_body *body, struct context *context)
{
    context->stage = body->stage;
    context->acceptor = body->acceptor;
    context->raw = body->raw;
    context->inner.done = body->inner_done;
    context->answered = body->answered;
    context->extra_leg = body->extra_leg;
    context->mic_required = body->mic_required;
    context->mic_sent = body->mic_sent;
    context->mic_received = body->mic_received;
    context->inner.attributes = body->attributes;
    context->inner.expiry.QuadPart = (LONGLONG)body->expiry;
    context->last_status = body->last_status;
    memcpy(context->package, body->package.data, body->package.size);
    oid_set(&context->oid, body->oid);

    status_t status = blob_set(&context->mech_list, body->mech_list);
    if (status_ok(status)) status = blob_set(&context->target, body->target);
    if (status_ok(status)) status = blob_set(&context->bindings, body->bindings);
    if (status_ok(status)) status = blob_set(&context->pending, body->pending);
    return status;
}

NTSTATUS NTAPI context_import(SecBuffer *packed, HANDLE token, LSA_SEC_HANDLE *handle)
{
    struct spnego_body body;
    if (!packed || !packed->pvBuffer) return SEC_E_INVALID_TOKEN;
    status_t status = spnego_body_read((struct slice){packed->pvBuffer, packed->cbBuffer}, &body);
    if (!status_ok(status)) return status;
    struct context *context = context_create(body.acceptor, HALF_USER);
    if (!context) return SEC_E_INSUFFICIENT_MEMORY;
    status = body_apply(&body, context);
    if (status_ok(status) && body.inner.size) {
        SecBuffer inner = {(ULONG)body.inner.size, SECBUFFER_TOKEN, (void *)body.inner.data};
        status = ImportSecurityContextW(context->package, &inner, token, &context->inner.handle);
    }
    TRACE("stage %ld: status %#lx\n", context->stage, (ULONG)status);
    if (!status_ok(status)) {
        context_free(context);
        return status;
    }
    *handle = (LSA_SEC_HANDLE)context;
    return SEC_E_OK;
}
