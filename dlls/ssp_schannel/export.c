/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Export and import. A session moves when the library has no part in it any more: its keys and
 * counters are plain data, and what is known of the connection goes along. It moves, and is never
 * copied: two copies would seal two records under one nonce, which gives a GCM key away. For the
 * same reason it does not go back to its beginning. What cannot move now is refused, with the
 * reason in the trace, and goes on as it was.
 */
#include "schannel_package.h"

#include "core/secret.h"
#include "core/tls_body.h"
#include "ssp/handover.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("schannel");

#define BODY_ROOM 1024u /* enough without certificates */

/* ---- export ---- */

/* Why a context cannot move now; NULL when it can. */
static const char *obstacle(const struct context *context, ULONG flags)
{
    if (!(flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD))
        return "only with DELETE_OLD: two contexts must not use the same nonces";
    if (flags & SECPKG_CONTEXT_EXPORT_RESET_NEW)
        return "it cannot begin anew: nonces would be used twice";
    if (context->datagram) return "DTLS is the library's";
    if (!context->carried) return "the library keeps the state of this cipher suite to itself";
    if (context->renegotiating) return "the library has it, for another handshake";
    if (context->partly.size) return "part of a message has come";
    if (context->certificate_awaited) return "the client's certificate is still to come";
    if (context->eap_prf) return "the choice of EAP's keys does not move";
    if (context->message_waits) return "a message waits for a leg";
    if (context->unsent.size || context->unsent_secrets)
        return "part of a token waits for a leg that has room for it";
    if (context->shutdown_wanted || context->alert[0]) return "an alert waits for a leg";
    return NULL;
}

static struct slice name_slice(const wchar_t *name)
{
    if (!name) return (struct slice){NULL, 0};
    return (struct slice){(const uint8_t *)name, (wcslen(name) + 1) * sizeof(*name)};
}

static void body_describe(const struct context *context, struct tls_body *body)
{
    const struct connection *connection = &context->connection;
    *body = (struct tls_body){
        .attributes = connection->flags,
        .resumed = connection->resumed,
        .close_sent = context->close_sent,
        .close_received = context->close_received,
        .broken = context->broken,
        .group = connection->group,
        .signature = connection->signature,
        .group_bits = connection->group_bits,
        .alpn = {connection->alpn, connection->alpn_size},
        .session_id = {connection->session_id, connection->session_id_size},
        .name = name_slice(connection->name),
        .keying_label = blob_slice(&context->keying_label),
        .keying_context = blob_slice(&context->keying_context),
        .keying_size = context->keying_size,
        .keying_has_context = context->keying_has_context,
        .app_data = blob_slice(&context->app_data),
        .app_flags = context->app_flags,
        .peer_chain = blob_slice(&connection->peer_chain),
        .local_chain = blob_slice(&connection->local_chain),
        .staple = blob_slice(&connection->staple),
        .issuers = blob_slice(&context->issuers),
        .judge_flags = connection->judge_flags,
        .roots = blob_slice(&connection->roots),
    };
}

struct connection_body {
    struct tls_body body;
    const struct tls_session *session;
};

static void body_write(const void *object, struct writer *w)
{
    const struct connection_body *connection = object;
    tls_body_write(&connection->body, connection->session, w);
}

static status_t body_pack(const struct context *context, SecBuffer *packed)
{
    struct connection_body connection = {.session = &context->session};
    const struct tls_body *body = &connection.body;
    body_describe(context, &connection.body);
    if (!tls_body_fits(body)) {
        WARN("this connection could not be read again\n");
        return SEC_E_CANNOT_PACK;
    }
    size_t usual = BODY_ROOM + body->name.size + body->keying_context.size + body->app_data.size +
                   body->peer_chain.size + body->local_chain.size + body->staple.size +
                   body->issuers.size + body->roots.size;
    status_t status = handover_pack(body_write, &connection, usual, packed);
    if (status_ok(status) || status == SEC_E_INSUFFICIENT_MEMORY) return status;
    WARN("this connection does not fit: status %#lx\n", (ULONG)status);
    return SEC_E_CANNOT_PACK;
}

/* What context_judge needs of a credential that stays behind. */
static status_t keep_judgement(const struct credential *credential, struct connection *out)
{
    DWORD flags = credential->flags;
    status_t status = SEC_E_OK;
    if (!credential->roots) flags &= ~(DWORD)SCH_CRED_RESTRICTED_ROOTS;
    if (flags & SCH_CRED_RESTRICTED_ROOTS) status = chain_of_store(credential->roots, &out->roots);
    if (status_ok(status)) out->judge_flags = flags;
    return status;
}

static status_t export_locked(struct context *context, ULONG flags, SecBuffer *packed)
{
    if (context->exported) return SEC_E_INVALID_HANDLE;
    if (context->stage != STAGE_ESTABLISHED) {
        WARN("a handshake cannot move: the library has it\n");
        return SEC_E_NOT_SUPPORTED;
    }
    const char *why = obstacle(context, flags);
    if (why) {
        WARN("%s\n", why);
        return SEC_E_NOT_SUPPORTED;
    }
    status_t status = SEC_E_OK;
    if (context->credential) status = keep_judgement(context->credential, &context->connection);
    if (status_ok(status)) status = body_pack(context, packed);
    if (status_ok(status)) context->exported = true;
    return status;
}

/* There is no token: nobody is mapped to an account by his certificate. */
NTSTATUS NTAPI context_export(LSA_SEC_HANDLE handle, ULONG flags, SecBuffer *packed, HANDLE *token)
{
    struct context *context = context_get(handle);
    status_t status = handover_check(flags, packed);
    if (!status_ok(status)) return status;

    context_lock(context);
    status = export_locked(context, flags, packed);
    context_unlock(context);
    if (status_ok(status) && token) *token = NULL;
    TRACE("flags %#lx: status %#lx\n", flags, (ULONG)status);
    return status;
}

/* ---- import ---- */

static status_t name_copy(struct slice name, wchar_t **out)
{
    if (!name.size) return SEC_E_OK;
    wchar_t *copy = malloc(name.size);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, name.data, name.size);
    *out = copy;
    return SEC_E_OK;
}

static status_t copy_variable(struct context *context, const struct tls_body *body)
{
    struct connection *connection = &context->connection;
    status_t status = name_copy(body->name, &connection->name);
    if (status_ok(status)) status = blob_set(&connection->peer_chain, body->peer_chain);
    if (status_ok(status)) status = blob_set(&connection->local_chain, body->local_chain);
    if (status_ok(status)) status = blob_set(&connection->staple, body->staple);
    if (status_ok(status)) status = blob_set(&connection->roots, body->roots);
    if (status_ok(status)) status = blob_set(&context->issuers, body->issuers);
    if (status_ok(status)) status = blob_set(&context->keying_label, body->keying_label);
    if (status_ok(status)) status = blob_set(&context->keying_context, body->keying_context);
    if (status_ok(status)) status = blob_set(&context->app_data, body->app_data);
    return status;
}

static void copy_fixed(struct context *context, const struct tls_body *body)
{
    struct connection *connection = &context->connection;
    connection->flags = body->attributes;
    connection->resumed = body->resumed;
    connection->group = body->group;
    connection->signature = body->signature;
    connection->group_bits = body->group_bits;
    connection->alpn_size = (uint8_t)body->alpn.size;
    if (body->alpn.size) memcpy(connection->alpn, body->alpn.data, body->alpn.size);
    connection->session_id_size = (uint8_t)body->session_id.size;
    if (body->session_id.size)
        memcpy(connection->session_id, body->session_id.data, body->session_id.size);
    context->close_sent = body->close_sent;
    context->close_received = body->close_received;
    context->broken = body->broken;
    context->keying_size = body->keying_size;
    context->keying_has_context = body->keying_has_context;
    context->app_flags = body->app_flags;
    connection->judge_flags = body->judge_flags;
}

/* Takes the session over, whatever comes of it. */
static status_t context_restore(const struct tls_body *body, struct tls_session *session,
                                struct context **out)
{
    struct context *context = NULL;
    status_t status = context_create(session->server, HALF_USER, &context);
    if (!status_ok(status)) {
        tls_session_clear(session);
        return status;
    }
    context->session = *session;
    secret_wipe(session, sizeof(*session));
    context->carried = true;
    context->stage = STAGE_ESTABLISHED;
    context->version = context->session.version;
    context->suite = context->session.suite->id;
    copy_fixed(context, body);
    status = copy_variable(context, body);
    if (status_ok(status)) *out = context;
    else context_delete_user((LSA_SEC_HANDLE)context);
    return status;
}

NTSTATUS NTAPI context_import(SecBuffer *packed, HANDLE token, LSA_SEC_HANDLE *handle)
{
    struct context *context = NULL;
    struct tls_body body;
    struct tls_session session;
    if (!packed || !packed->pvBuffer) return SEC_E_INVALID_TOKEN;
    if (token) return SEC_E_INVALID_PARAMETER;
    status_t status = crypto_ready();
    if (status_ok(status))
        status = tls_body_read((struct slice){packed->pvBuffer, packed->cbBuffer}, &body, &session);
    if (status_ok(status)) status = context_restore(&body, &session, &context);
    TRACE("status %#lx\n", (ULONG)status);
    if (status_ok(status)) *handle = (LSA_SEC_HANDLE)context;
    return status;
}
