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
#include "ssp/trace.h"

#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("negotiate");

#define EXPORT_FLAGS (SECPKG_CONTEXT_EXPORT_RESET_NEW | SECPKG_CONTEXT_EXPORT_DELETE_OLD)

#define BODY_VERSION 1u

#define BODY_ACCEPTOR 0x001u
#define BODY_RAW 0x002u
#define BODY_INNER 0x004u /* there is a context of the mechanism */
#define BODY_INNER_DONE 0x008u
#define BODY_ANSWERED 0x010u
#define BODY_EXTRA_LEG 0x020u
#define BODY_MIC_REQUIRED 0x040u
#define BODY_MIC_SENT 0x080u
#define BODY_MIC_RECEIVED 0x100u
#define BODY_FLAGS 0x1ffu

/* ---- the body ---- */

static void write_part(struct writer *w, struct slice bytes)
{
    size_t mark = writer_open_u16le(w);
    writer_slice(w, bytes);
    writer_close_u16le(w, mark);
}

static uint16_t body_flags(const struct context *context)
{
    uint16_t flags = 0;
    if (context->acceptor) flags |= BODY_ACCEPTOR;
    if (context->raw) flags |= BODY_RAW;
    if (SecIsValidHandle(&context->inner.handle)) flags |= BODY_INNER;
    if (context->inner.done) flags |= BODY_INNER_DONE;
    if (context->answered) flags |= BODY_ANSWERED;
    if (context->extra_leg) flags |= BODY_EXTRA_LEG;
    if (context->mic_required) flags |= BODY_MIC_REQUIRED;
    if (context->mic_sent) flags |= BODY_MIC_SENT;
    if (context->mic_received) flags |= BODY_MIC_RECEIVED;
    return flags;
}

static void body_write(const struct context *context, const SecBuffer *inner, struct writer *w)
{
    const struct slice package = {(const uint8_t *)context->package,
                                  wcslen(context->package) * sizeof(wchar_t)};
    writer_u8(w, BODY_VERSION);
    writer_u8(w, (uint8_t)context->stage);
    writer_u16le(w, body_flags(context));
    writer_u32le(w, context->inner.attributes);
    writer_u64le(w, (uint64_t)context->inner.expiry.QuadPart);
    writer_u32le(w, (uint32_t)context->last_status);
    write_part(w, package);
    write_part(w, oid_slice(&context->oid));
    write_part(w, block_slice(&context->mech_list));
    write_part(w, block_slice(&context->target));
    write_part(w, block_slice(&context->bindings));
    write_part(w, block_slice(&context->pending));
    writer_u32le(w, inner->cbBuffer);
    writer_bytes(w, inner->pvBuffer, inner->cbBuffer);
}

/* In memory that the host frees. */
static status_t body_pack(const struct context *context, const SecBuffer *inner, SecBuffer *out)
{
    struct writer w;
    writer_init(&w);
    body_write(context, inner, &w);
    status_t status = writer_status(&w);
    struct slice body = writer_view(&w);
    void *block = status_ok(status) ? package_alloc(body.size) : NULL;
    if (status_ok(status) && !block) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status_ok(status)) {
        memcpy(block, body.data, body.size);
        *out = (SecBuffer){(ULONG)body.size, SECBUFFER_TOKEN, block};
    }
    writer_free(&w);
    return status;
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
    if (context->stage == STAGE_FAILED) return SEC_E_CANNOT_PACK;

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
    if (flags & SECPKG_CONTEXT_EXPORT_TO_KERNEL) return SEC_E_UNSUPPORTED_FUNCTION;
    if (flags & ~EXPORT_FLAGS || !packed) return SEC_E_INVALID_PARAMETER;

    AcquireSRWLockExclusive(&context->lock);
    status_t status = export_locked(context, flags, packed, token);
    ReleaseSRWLockExclusive(&context->lock);
    TRACE("flags %#lx, stage %ld: status %#lx\n", flags, context->stage, (ULONG)status);
    return status;
}

/* ---- import ---- */

struct body {
    uint16_t flags;
    struct slice package, oid, mech_list, target, bindings, pending, inner;
};

static struct slice read_part(struct reader *r)
{
    return reader_bytes(r, reader_u16le(r));
}

static bool is_text(struct slice bytes, size_t chars_max)
{
    return bytes.size % sizeof(wchar_t) == 0 && bytes.size / sizeof(wchar_t) <= chars_max;
}

/* The kept target is used as it is, so it has to end. */
static bool is_terminated(struct slice text)
{
    static const uint8_t end[sizeof(wchar_t)];
    if (!text.size) return true;
    return is_text(text, text.size) &&
           !memcmp(text.data + text.size - sizeof(end), end, sizeof(end));
}

/* Which states there are: what a stage needs must be there. */
static bool is_consistent(const struct body *body, LONG stage)
{
    bool acceptor = body->flags & BODY_ACCEPTOR, raw = body->flags & BODY_RAW;
    bool inner = body->flags & BODY_INNER, done = body->flags & BODY_INNER_DONE;
    if (body->flags & ~BODY_FLAGS || inner != (body->inner.size > 0)) return false;
    if ((inner || stage == STAGE_CHOSEN) && (!body->package.size || !body->oid.size)) return false;
    switch (stage) {
    case STAGE_HINTED: return acceptor && !inner && !raw;
    case STAGE_OFFERED: return !acceptor && inner && !raw && body->mech_list.size;
    case STAGE_CHOSEN: return raw ? inner && !done : body->mech_list.size && (inner || acceptor);
    case STAGE_ESTABLISHED: return inner && done;
    default: return false;
    }
}

static bool body_read(const SecBuffer *packed, struct context *context, struct body *out)
{
    struct reader r;
    reader_init(&r, packed->pvBuffer, packed->cbBuffer);
    if (reader_u8(&r) != BODY_VERSION) return false;
    context->stage = reader_u8(&r);
    out->flags = reader_u16le(&r);
    context->inner.attributes = reader_u32le(&r);
    context->inner.expiry.QuadPart = (LONGLONG)reader_u64le(&r);
    context->last_status = (status_t)reader_u32le(&r);
    out->package = read_part(&r);
    out->oid = read_part(&r);
    out->mech_list = read_part(&r);
    out->target = read_part(&r);
    out->bindings = read_part(&r);
    out->pending = read_part(&r);
    out->inner = reader_bytes(&r, reader_u32le(&r));
    return reader_end(&r) && is_text(out->package, PACKAGE_CHARS) && is_terminated(out->target) &&
           is_consistent(out, context->stage);
}

static status_t body_apply(const struct body *body, struct context *context)
{
    context->acceptor = body->flags & BODY_ACCEPTOR;
    context->raw = body->flags & BODY_RAW;
    context->inner.done = body->flags & BODY_INNER_DONE;
    context->answered = body->flags & BODY_ANSWERED;
    context->extra_leg = body->flags & BODY_EXTRA_LEG;
    context->mic_required = body->flags & BODY_MIC_REQUIRED;
    context->mic_sent = body->flags & BODY_MIC_SENT;
    context->mic_received = body->flags & BODY_MIC_RECEIVED;
    memcpy(context->package, body->package.data, body->package.size);
    if (body->oid.size && !oid_set(&context->oid, body->oid)) return SEC_E_INVALID_TOKEN;

    status_t status = block_set(&context->mech_list, body->mech_list);
    if (status_ok(status)) status = block_set(&context->target, body->target);
    if (status_ok(status)) status = block_set(&context->bindings, body->bindings);
    if (status_ok(status)) status = block_set(&context->pending, body->pending);
    return status;
}

NTSTATUS NTAPI context_import(SecBuffer *packed, HANDLE token, LSA_SEC_HANDLE *handle)
{
    struct body body = {0};
    if (!packed || !packed->pvBuffer) return SEC_E_INVALID_TOKEN;
    struct context *context = context_create(false, HALF_USER);
    if (!context) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = body_read(packed, context, &body) ? SEC_E_OK : SEC_E_INVALID_TOKEN;
    if (status_ok(status)) status = body_apply(&body, context);
    if (status_ok(status) && body.inner.size) {
        SecBuffer inner = {(ULONG)body.inner.size, SECBUFFER_TOKEN, (void *)body.inner.data};
        status = ImportSecurityContextW(context->package, &inner, token, &context->inner.handle);
    }
    TRACE("stage %ld: status %#lx\n", context->stage, (ULONG)status);
    if (!status_ok(status)) {
        context_destroy(context);
        return status;
    }
    *handle = (LSA_SEC_HANDLE)context;
    return SEC_E_OK;
}
