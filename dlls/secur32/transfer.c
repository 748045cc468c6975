/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ExportSecurityContext and ImportSecurityContext: the provider writes the body, this file seals
 * it in the envelope of core/packed.h under the secret of the prefix, and has the ledger decide
 * about blobs that may be imported once.
 */
#include "core/packed.h"
#include "core/secret.h"
#include "sasl.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

#define EXPORT_FLAGS                                                      \
    (SECPKG_CONTEXT_EXPORT_RESET_NEW | SECPKG_CONTEXT_EXPORT_DELETE_OLD | \
     SECPKG_CONTEXT_EXPORT_TO_KERNEL)

/* Room taken before the provider is asked, enough for a context of ours unless its names are very
 * long: once a context has been handed over, want of memory should not lose it. */
#define BLOB_ROOM 4096u

/* ---- the seal ---- */

static INIT_ONCE seal_once = INIT_ONCE_STATIC_INIT;
static SRWLOCK seal_lock = SRWLOCK_INIT; /* seal_aead is for one thread at a time */
static struct aead *seal_aead;
static uint64_t seal_epoch;

/* A key of its own, since the secret also proves local calls. */
static status_t seal_key(const struct prefix_secret *secret, uint8_t key[32])
{
    static const char label[] = "winesspi exported contexts";
    const struct slice part = {(const uint8_t *)label, sizeof(label) - 1};
    return hmac_sha256((struct slice){secret->key, sizeof(secret->key)}, &part, 1, key);
}

static BOOL CALLBACK seal_init(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)context;
    status_t *status = parameter;
    struct prefix_secret secret;
    uint8_t key[32];
    *status = prefix_secret_get(&secret);
    if (!status_ok(*status)) return FALSE; /* asked again next time */
    *status = seal_key(&secret, key);
    if (status_ok(*status)) *status = aead_create(AEAD_AES_256_GCM, key, &seal_aead);
    secret_wipe(key, sizeof(key));
    seal_epoch = secret.epoch;
    secret_wipe(&secret, sizeof(secret));
    return status_ok(*status);
}

static status_t seal_ready(void)
{
    status_t status = SEC_E_INTERNAL_ERROR;
    return InitOnceExecuteOnce(&seal_once, seal_init, &status, NULL) ? SEC_E_OK : status;
}

/* ---- export ---- */

struct export_call {
    struct package *package;
    struct packed packed;
    BYTE *blob; /* process heap */
    size_t room;
    struct former_context *former; /* for export_undo */
    /* The security layer and the provider's body, where there is a layer; process heap. */
    BYTE *joined;
    size_t joined_room, joined_size;
};

/* What SASL agreed on goes before the body. Half of an agreement cannot be carried on. */
static status_t export_layer(struct export_call *call, struct sasl *sasl)
{
    struct sasl_body layer;
    struct writer w;
    if (!sasl) return SEC_E_OK;
    status_t status = sasl_describe(sasl, &layer);
    if (!status_ok(status)) return status;
    call->joined = HeapAlloc(GetProcessHeap(), 0, BLOB_ROOM);
    if (!call->joined) return SEC_E_INSUFFICIENT_MEMORY;
    call->joined_room = BLOB_ROOM;
    writer_init_fixed(&w, call->joined, BLOB_ROOM);
    sasl_body_write(&layer, &w);
    call->joined_size = w.size;
    call->packed.flags |= PACKED_SASL;
    return writer_status(&w);
}

static status_t export_join(struct export_call *call)
{
    size_t size = call->joined_size + call->packed.body.size;
    if (!call->joined) return SEC_E_OK;
    if (size > call->joined_room) {
        BYTE *larger = HeapReAlloc(GetProcessHeap(), 0, call->joined, size);
        if (!larger) return SEC_E_INSUFFICIENT_MEMORY;
        call->joined = larger;
        call->joined_room = size;
    }
    memcpy(call->joined + call->joined_size, call->packed.body.data, call->packed.body.size);
    call->joined_size = size;
    call->packed.body = (struct slice){call->joined, size};
    return SEC_E_OK;
}

static void export_close(struct export_call *call)
{
    if (call->joined) secret_wipe(call->joined, call->joined_room);
    HeapFree(GetProcessHeap(), 0, call->joined);
    HeapFree(GetProcessHeap(), 0, call->blob);
}

/* Everything that can fail before the provider lets go of the context. */
static status_t export_prepare(struct export_call *call, const struct context *context, ULONG flags)
{
    call->package = context->package;
    call->packed.flags = (context->complete ? 0 : PACKED_HALF_OPEN) |
                         (context->acceptor ? PACKED_ACCEPTOR : 0);
    call->packed.package.data = (const uint8_t *)context->package->info.Name;
    call->packed.package.size = wcslen(context->package->info.Name) * sizeof(WCHAR);
    status_t status = export_layer(call, context->sasl);
    if (status_ok(status)) status = seal_ready();
    if (status_ok(status)) status = random_bytes(call->packed.nonce, sizeof(call->packed.nonce));
    if (!status_ok(status)) return status;
    call->packed.epoch = seal_epoch;
    if (flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD) {
        call->packed.flags |= PACKED_SINGLE_USE;
        status = ledger_issue(LEDGER_EXPORT, &call->packed.ticket);
        if (!status_ok(status)) return status;
        call->former = malloc(sizeof(*call->former));
        if (!call->former) return SEC_E_INSUFFICIENT_MEMORY;
    }
    call->room = BLOB_ROOM;
    call->blob = HeapAlloc(GetProcessHeap(), 0, call->room);
    return call->blob ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static status_t export_seal(struct export_call *call, const SecBuffer *body, SecBuffer *out)
{
    if (!body->pvBuffer || !body->cbBuffer) {
        WARN("%ls exported nothing\n", call->package->info.Name);
        return SEC_E_CANNOT_PACK;
    }
    call->packed.body.data = body->pvBuffer;
    call->packed.body.size = body->cbBuffer;
    status_t status = export_join(call);
    if (!status_ok(status)) return status;
    size_t size = packed_size(&call->packed);
    if (size > call->room) {
        BYTE *larger = HeapReAlloc(GetProcessHeap(), 0, call->blob, size);
        if (!larger) return SEC_E_INSUFFICIENT_MEMORY;
        call->blob = larger;
        call->room = size;
    }
    struct writer w;
    writer_init_fixed(&w, call->blob, call->room);
    AcquireSRWLockExclusive(&seal_lock);
    status = packed_encode(&call->packed, seal_aead, &w);
    ReleaseSRWLockExclusive(&seal_lock);
    if (!status_ok(status)) return status;
    out->BufferType = SECBUFFER_TOKEN;
    out->cbBuffer = (ULONG)w.size;
    out->pvBuffer = call->blob;
    call->blob = NULL;
    return SEC_E_OK;
}

/* The provider has let go of the context, and no blob could be made of what it gave: that goes back
 * to the provider. A token that an import brought along does not come back with it. */
static void export_undo(struct export_call *call, struct context *context, SecBuffer *body)
{
    struct package *package = call->package;
    if (!call->former || !package->ops.resume_context) return;
    status_t status = package->ops.resume_context(package, &context->provider, body,
                                                  &call->former->provider);
    if (!status_ok(status)) {
        ERR("a context of %ls is lost: status %#lx\n", package->info.Name, (ULONG)status);
        return;
    }
    context->imported = true;
    struct former_context *former = call->former, *seen;
    call->former = NULL;
    do former->next = seen = context->former;
    while (InterlockedCompareExchangePointer((void *volatile *)&context->former, former, seen) !=
           seen);
}

/* The context is pinned: it stays whole even if its handle is closed meanwhile. */
static status_t export_pinned(const struct pinned_context *pinned, ULONG flags, SecBuffer *out,
                              HANDLE *token)
{
    struct context *context = pinned->context;
    struct package *package = context->package;
    struct export_call call = {0};
    SecBuffer body = {0, SECBUFFER_EMPTY, NULL}, sealed = {0, SECBUFFER_EMPTY, NULL};
    HANDLE context_token = NULL;
    if (!package->ops.export_context) return SEC_E_UNSUPPORTED_FUNCTION;

    status_t status = export_prepare(&call, context, flags);
    if (!status_ok(status)) goto done;
    status = package->ops.export_context(package, &context->provider, flags, &body,
                                         token ? &context_token : NULL);
    if (!status_ok(status)) goto done;
    status = export_seal(&call, &body, &sealed);
    if (!status_ok(status)) {
        export_undo(&call, context, &body);
        goto done;
    }
    if ((flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD) &&
        !handle_close(HANDLE_CONTEXT, &pinned->handle)) {
        /* Somebody else deleted it, or exported it, first: there must not be two of it. */
        HeapFree(GetProcessHeap(), 0, sealed.pvBuffer);
        status = SEC_E_INVALID_HANDLE;
        goto done;
    }
    context->handed_over = flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD;
    *out = sealed;
    if (token) {
        *token = context_token;
        context_token = NULL;
    }
done:
    package->ops.free_body(package, &body);
    if (context_token) CloseHandle(context_token);
    if (!status_ok(status)) context_follow(context);
    export_close(&call);
    free(call.former);
    if (!status_ok(status) && call.packed.ticket) ledger_redeem(LEDGER_EXPORT, call.packed.ticket);
    return status;
}

SECURITY_STATUS WINAPI ExportSecurityContext(CtxtHandle *handle, ULONG flags, SecBuffer *out,
                                             void **token)
{
    struct pinned_context pinned;
    status_t status = context_pin_export(handle, flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD, &pinned);
    if (!status_ok(status)) return status;
    if (!out || (flags & ~EXPORT_FLAGS)) status = SEC_E_INVALID_PARAMETER;
    else if (flags & SECPKG_CONTEXT_EXPORT_TO_KERNEL) status = SEC_E_UNSUPPORTED_FUNCTION;
    else status = export_pinned(&pinned, flags, out, token);
    TRACE("%ls, flags %#lx: status %#lx, %lu bytes\n", pinned.context->package->info.Name, flags,
          (ULONG)status, status_ok(status) ? out->cbBuffer : 0);
    context_unpin(&pinned);
    return status;
}

/* ---- import ---- */

static bool package_is(const struct packed *packed, const WCHAR *name)
{
    WCHAR text[65];
    if (packed->package.size >= sizeof(text)) return false;
    memcpy(text, packed->package.data, packed->package.size);
    text[packed->package.size / sizeof(WCHAR)] = 0;
    return package_name_equal(text, name);
}

/* Checks what can be seen of the blob without the key. */
static status_t import_check(const struct package *package, struct slice blob,
                             struct packed *packed)
{
    status_t status = packed_decode(blob, packed);
    if (!status_ok(status)) return status;
    if (!package_is(packed, package->info.Name)) {
        TRACE("the blob is of another package than %ls\n", package->info.Name);
        return SEC_E_INVALID_TOKEN;
    }
    status = seal_ready();
    if (!status_ok(status)) return status;
    if (packed->epoch == seal_epoch) return SEC_E_OK;
    TRACE("the blob was sealed in another prefix, or before its server started anew\n");
    return SEC_E_NOT_OWNER;
}

/* The opened body in the process heap; the caller wipes it. */
static status_t import_open(struct slice blob, const struct packed *packed, SecBuffer *body)
{
    size_t size = packed_body_size(packed);
    BYTE *plain = HeapAlloc(GetProcessHeap(), 0, size ? size : 1);
    if (!plain) return SEC_E_INSUFFICIENT_MEMORY;
    AcquireSRWLockExclusive(&seal_lock);
    status_t status = packed_open(blob, packed, seal_aead, plain);
    ReleaseSRWLockExclusive(&seal_lock);
    if (!status_ok(status)) {
        HeapFree(GetProcessHeap(), 0, plain);
        return status;
    }
    *body = (SecBuffer){(ULONG)size, SECBUFFER_TOKEN, plain};
    return SEC_E_OK;
}

/* Takes the security layer off the body; *sasl is NULL where there is none. */
static status_t import_layer(const struct packed *packed, SecBuffer *body, struct sasl **sasl)
{
    struct reader r;
    struct sasl_body layer;
    *sasl = NULL;
    if (!(packed->flags & PACKED_SASL)) return SEC_E_OK;
    if (packed->flags & PACKED_HALF_OPEN) return SEC_E_INVALID_TOKEN;
    reader_init(&r, body->pvBuffer, body->cbBuffer);
    status_t status = sasl_body_read(&r, &layer);
    if (!status_ok(status)) return status;
    *sasl = sasl_restore(&layer);
    if (!*sasl) return SEC_E_INSUFFICIENT_MEMORY;
    body->pvBuffer = (BYTE *)body->pvBuffer + r.pos;
    body->cbBuffer -= (ULONG)r.pos;
    return SEC_E_OK;
}

static status_t import_context(struct package *package, const struct packed *packed,
                               SecBuffer *body, HANDLE token, struct sasl *sasl, CtxtHandle *out)
{
    struct new_context made;
    status_t status = context_prepare(package, packed->flags & PACKED_ACCEPTOR, &made);
    if (!status_ok(status)) return status;
    status = package->ops.import_context(package, body, token, &made.context->provider);
    if (!status_ok(status)) {
        context_abandon(&made);
        return status;
    }
    made.context->complete = !(packed->flags & PACKED_HALF_OPEN);
    made.context->imported = true;
    made.context->sasl = sasl;
    context_follow(made.context);
    context_publish(&made, out);
    return SEC_E_OK;
}

static status_t import_body(struct package *package, const struct packed *packed,
                            const SecBuffer *body, HANDLE token, CtxtHandle *out)
{
    bool single = packed->flags & PACKED_SINGLE_USE;
    SecBuffer own = *body;
    struct sasl *sasl;
    status_t status = import_layer(packed, &own, &sasl);
    if (status_ok(status) && single) {
        status = ledger_redeem(LEDGER_EXPORT, packed->ticket);
        single = status_ok(status);
    }
    if (status_ok(status)) {
        status = import_context(package, packed, &own, token, sasl, out);
        if (!status_ok(status) && single) ledger_restore(LEDGER_EXPORT, packed->ticket);
    }
    if (!status_ok(status)) sasl_free(sasl);
    return status;
}

SECURITY_STATUS WINAPI ImportSecurityContextW(SEC_WCHAR *package_name, SecBuffer *in, void *token,
                                              CtxtHandle *out)
{
    struct package *package;
    status_t status = package_find_import(package_name, &package);
    if (!status_ok(status)) return status;
    if (!package->ops.import_context) return SEC_E_UNSUPPORTED_FUNCTION;
    if (!out) return SEC_E_INVALID_HANDLE;
    if (!in || !in->pvBuffer) return SEC_E_INVALID_PARAMETER;

    struct slice blob = {in->pvBuffer, in->cbBuffer};
    struct packed packed;
    SecBuffer body = {0, SECBUFFER_EMPTY, NULL};
    status = import_check(package, blob, &packed);
    if (status_ok(status)) status = import_open(blob, &packed, &body);
    if (status_ok(status)) status = import_body(package, &packed, &body, token, out);
    if (body.pvBuffer) {
        SecureZeroMemory(body.pvBuffer, body.cbBuffer);
        HeapFree(GetProcessHeap(), 0, body.pvBuffer);
    }
    TRACE("%ls, %lu bytes: status %#lx\n", package->info.Name, in->cbBuffer, (ULONG)status);
    return status;
}
