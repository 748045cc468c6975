/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Export and import. An established context whose messages are made here is plain data: what is
 * known of the peers, the key and the numbers of both directions. It may be copied, but one number
 * has to stand for one message: only one of two copies may go on. A context that the library has a
 * part in, because its exchange goes on or because the library makes its messages, cannot move; the
 * trace says why.
 *
 * Neither export nor import has anything to do with the library, but that an export with a token
 * has it say whose account the client's is, where nothing else does.
 */
#include "kerberos_package.h"

#include "core/secret.h"
#include "ssp/handover.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

TRACE_CHANNEL("kerberos");

#define BODY_ROOM 1024u /* enough but for long names and a PAC */

/* ---- export ---- */

/* Why a context cannot move; NULL when it can. */
static const char *obstacle(const struct context *context)
{
    if (context->stage == STAGE_EXCHANGE) return "the library has an exchange that goes on";
    if (context->stage == STAGE_FAILED) return "its exchange has failed";
    if (!context->carried) return "the library keeps the state of this encryption type to itself";
    if (context->unsent.size) return "a token waits for a leg that has room for it";
    return NULL;
}

struct context_body {
    struct kerberos_body body;
    const struct kerberos_session *session;
    bool reset;
};

static struct kerberos_body body_describe(const struct context *context)
{
    const struct facts *facts = &context->facts;
    return (struct kerberos_body){
        .attributes = context->attributes,
        .ticket_enctype = facts->ticket_enctype,
        .session_key = blob_slice(&facts->session_key),
        .start = facts->start,
        .expiry = facts->expiry,
        .client = blob_slice(&facts->client),
        .server = blob_slice(&facts->server),
        .target = blob_slice(&facts->target),
        .account = blob_slice(&facts->account),
        .domain = blob_slice(&facts->domain),
        .pac = blob_slice(&facts->pac),
    };
}

static void body_write(const void *object, struct writer *w)
{
    const struct context_body *whole = object;
    kerberos_body_write(&whole->body, whole->session, whole->reset, w);
}

static status_t body_pack(const struct context *context, ULONG flags, SecBuffer *packed)
{
    const struct context_body whole = {
        .body = body_describe(context),
        .session = &context->session,
        .reset = flags & SECPKG_CONTEXT_EXPORT_RESET_NEW,
    };
    if (!kerberos_body_fits(&whole.body)) {
        WARN("this context could not be read again\n");
        return SEC_E_CANNOT_PACK;
    }
    return handover_pack(body_write, &whole, BODY_ROOM + whole.body.pac.size, packed);
}

/* A duplicate for the caller to close, or NULL where there is no token. */
static status_t token_hand_out(struct context *context, HANDLE *out)
{
    HANDLE own;
    if (status_ok(context_token(context, &own))) return handover_token(own, out);
    *out = NULL;
    return SEC_E_OK;
}

static status_t export_locked(struct context *context, ULONG flags, SecBuffer *packed,
                              HANDLE *token)
{
    SecBuffer made;
    HANDLE duplicate = NULL;
    if (context->exported) return SEC_E_INVALID_HANDLE;
    const char *why = obstacle(context);
    if (why) {
        WARN("this context cannot move: %s\n", why);
        return SEC_E_NOT_SUPPORTED;
    }
    status_t status = body_pack(context, flags, &made);
    if (!status_ok(status)) return status;
    if (token) status = token_hand_out(context, &duplicate);
    if (!status_ok(status)) {
        handover_discard(&made);
        return status;
    }
    if (flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD) context->exported = true;
    else WARN("two contexts now number their messages alike: only one of them may go on\n");
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

static status_t facts_copy(struct facts *facts, const struct kerberos_body *body)
{
    const struct {
        struct blob *to;
        struct slice from;
    } blobs[] = {
        {&facts->session_key, body->session_key},
        {&facts->client, body->client},
        {&facts->server, body->server},
        {&facts->target, body->target},
        {&facts->account, body->account},
        {&facts->domain, body->domain},
        {&facts->pac, body->pac},
    };
    status_t status = SEC_E_OK;
    for (size_t i = 0; i < ARRAYSIZE(blobs) && status_ok(status); i++)
        status = blob_set(blobs[i].to, blobs[i].from);
    facts->ticket_enctype = body->ticket_enctype;
    facts->start = body->start;
    facts->expiry = body->expiry;
    return status;
}

/* Takes the session over, whatever comes of it. */
static status_t context_restore(const struct kerberos_body *body, struct kerberos_session *session,
                                struct context **out)
{
    struct context *context = NULL;
    status_t status = context_create(!session->initiator, HALF_USER, &context);
    if (!status_ok(status)) {
        kerberos_session_clear(session);
        return status;
    }
    context->session = *session;
    secret_wipe(session, sizeof(*session));
    context->carried = true;
    context->stage = STAGE_ESTABLISHED;
    context->attributes = body->attributes;
    status = facts_copy(&context->facts, body);
    if (status_ok(status)) *out = context;
    else context_delete_user((LSA_SEC_HANDLE)context);
    return status;
}

/* The caller keeps his handle. A client's context has no token. */
static status_t token_take(struct context *context, HANDLE given)
{
    HANDLE own;
    if (!given) return SEC_E_OK;
    if (!context->server) return SEC_E_INVALID_PARAMETER;
    status_t status = handover_token(given, &own);
    if (status_ok(status)) context->token = own;
    return status;
}

NTSTATUS NTAPI context_import(SecBuffer *packed, HANDLE token, LSA_SEC_HANDLE *handle)
{
    struct context *context = NULL;
    struct kerberos_body body;
    struct kerberos_session session;
    if (!packed || !packed->pvBuffer) return SEC_E_INVALID_TOKEN;
    status_t status = crypto_ready();
    if (status_ok(status))
        status = kerberos_body_read((struct slice){packed->pvBuffer, packed->cbBuffer}, &body,
                                    &session);
    if (status_ok(status)) status = context_restore(&body, &session, &context);
    if (context) {
        status = token_take(context, token);
        if (status_ok(status)) *handle = (LSA_SEC_HANDLE)context;
        else context_delete_user((LSA_SEC_HANDLE)context);
    }
    TRACE("status %#lx\n", (ULONG)status);
    return status;
}
