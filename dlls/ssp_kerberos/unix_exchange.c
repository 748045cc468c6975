/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exchange: one call of the library for each leg, which never waits for the peer. Credentials
 * are needed for the first leg only.
 */
#include "unix.h"

#include "core/der.h"
#include "core/writer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- contexts ---- */

static void library_delete(struct context *context)
{
    OM_uint32 minor;
    if (context->library) gss.delete_sec_context(&minor, &context->library, GSS_C_NO_BUFFER);
}

status_t context_free(void *params)
{
    const struct kerberos_call_free *call = params;
    struct context *context = unixcall_pointer(call->object);
    OM_uint32 minor;
    if (!context) return SEC_E_OK;
    outcome_free(context->outcome);
    user_free(context->user);
    library_delete(context);
    gss.release_name(&minor, &context->peer);
    gss.release_cred(&minor, &context->delegated);
    blob_clear(&context->queue);
    blob_clear(&context->client_name);
    blob_clear(&context->server_name);
    free(context);
    return SEC_E_OK;
}

/* That of a call, or a new one, which the call then has. */
static struct context *context_of(struct kerberos_call_leg *call, bool server)
{
    struct context *context = unixcall_pointer(call->context);
    if (context) return context;
    context = calloc(1, sizeof(*context));
    if (!context) return NULL;
    context->server = server;
    context->asked = call->flags;
    call->context = unixcall_address(context);
    return context;
}

/* ---- channel bindings ---- */

/* None and empty ones are not the same: a client's checksum has zeros for none (RFC 4121 4.1.1.2),
 * and the digest of empty ones otherwise. */
static gss_channel_bindings_t bindings_of(const struct call_bindings *bindings,
                                          struct gss_channel_bindings_struct *out)
{
    if (!bindings->given) return GSS_C_NO_CHANNEL_BINDINGS;
    *out = (struct gss_channel_bindings_struct){
        .initiator_addrtype = bindings->initiator_type,
        .initiator_address = buffer_of(bytes_of(bindings->initiator)),
        .acceptor_addrtype = bindings->acceptor_type,
        .acceptor_address = buffer_of(bytes_of(bindings->acceptor)),
        .application_data = buffer_of(bytes_of(bindings->application_data)),
    };
    return out;
}

/* ---- tokens ---- */

/* Whether it can be a token of this mechanism: an AP-REQ as it is (MS-KILE 3.4.5.1), or anything in
 * a frame with the mechanism's name (RFC 2743 3.1). Others the library would take for one of its
 * other mechanisms, for which there are no credentials. */
static bool token_is_ours(struct slice token)
{
    struct reader r;
    reader_init(&r, token.data, token.size);
    uint8_t tag = reader_u8(&r);
    if (tag != 0x60) return tag == 0x6e || tag == 0x6f;
    uint8_t length = reader_u8(&r);
    if (length & 0x80) reader_bytes(&r, length & 0x7f);
    struct slice name = reader_bytes(&r, 2 + mech_krb5.length);
    return reader_ok(&r) && name.data[0] == 0x06 && name.data[1] == mech_krb5.length &&
           !memcmp(name.data + 2, mech_krb5.elements, mech_krb5.length);
}

/* A part of a name, with what stands for itself marked (RFC 1964 2.1.1). */
static void part_write(struct writer *w, struct slice part)
{
    for (size_t i = 0; i < part.size; i++) {
        if (memchr("/@\\", part.data[i], 3)) writer_u8(w, '\\');
        writer_u8(w, part.data[i]);
    }
}

/* It may be in a frame (RFC 2743 3.1). */
struct slice request_of(struct slice token)
{
    struct reader r, frame;
    reader_init(&r, token.data, token.size);
    if (der_optional(&r, DER_APPLICATION(0), &frame)) {
        der_bytes(&frame, DER_OID);
        reader_skip(&frame, 2);
        r = frame;
    }
    return der_element(&r, DER_APPLICATION(14));
}

/* Of a request (RFC 4120 5.5.1). */
struct slice ticket_of(struct slice token)
{
    struct reader r, ap, fields, field;
    struct slice request = request_of(token);
    reader_init(&r, request.data, request.size);
    der_enter(&r, DER_APPLICATION(14), &ap);
    der_enter(&ap, DER_SEQUENCE, &fields);
    for (uint8_t i = 0; i < 4; i++) der_enter(&fields, DER_CONTEXT(i), &field);
    return der_element(&field, DER_APPLICATION(1));
}

/* The service that a ticket is for (RFC 4120 5.3); the writer is bad when there is none. */
static void service_write(struct writer *w, struct slice ticket)
{
    struct reader r, content, fields, field, name, parts;
    reader_init(&r, ticket.data, ticket.size);
    der_enter(&r, DER_APPLICATION(1), &content);
    der_enter(&content, DER_SEQUENCE, &fields);
    der_enter(&fields, DER_CONTEXT(0), &field);
    der_enter(&fields, DER_CONTEXT(1), &field);
    struct slice realm = der_bytes(&field, DER_GENERAL_STRING);
    der_enter(&fields, DER_CONTEXT(2), &field);
    der_enter(&field, DER_SEQUENCE, &name);
    der_enter(&name, DER_CONTEXT(0), &field);
    der_enter(&name, DER_CONTEXT(1), &field);
    der_enter(&field, DER_SEQUENCE, &parts);
    for (size_t i = 0; reader_ok(&parts) && reader_left(&parts); i++) {
        if (i) writer_u8(w, '/');
        part_write(w, der_bytes(&parts, DER_GENERAL_STRING));
    }
    writer_u8(w, '@');
    part_write(w, realm);
    if (!reader_ok(&parts)) writer_fail(w);
}

/* What a client need not ask the library about: its own name, and the one in the ticket. */
static status_t names_keep(struct context *context, struct lease *lease, struct slice request)
{
    struct writer w;
    status_t status = lease_principal(lease);
    if (status_ok(status)) status = blob_set(&context->client_name, blob_slice(&lease->principal));
    if (!status_ok(status)) return status;
    writer_init(&w);
    service_write(&w, ticket_of(request));
    if (status_ok(writer_status(&w))) status = blob_set(&context->server_name, writer_view(&w));
    writer_free(&w);
    return status;
}

status_t queue_set(struct context *context, struct slice token)
{
    return token.size ? blob_set(&context->queue, token) : SEC_E_OK;
}

/* Good or bad: a failure's token says to the peer what went wrong. */
static status_t queue_take(struct context *context, gss_buffer_t token)
{
    OM_uint32 minor;
    status_t status = queue_set(context, (struct slice){token->value, token->length});
    gss.release_buffer(&minor, token);
    return status;
}

static void queue_move(struct context *context, struct kerberos_call_leg *call)
{
    size_t size = context->queue.size;
    bool fits = size <= call->output_room;
    call->output_size = fits ? size : 0;
    call->queued = fits ? 0 : size;
    if (!fits || !size) return;
    memcpy(unixcall_pointer(call->output), context->queue.data, size);
    blob_clear(&context->queue);
}

/* ---- legs ---- */

static status_t initiate(struct context *context, struct kerberos_call_leg *call)
{
    struct gss_channel_bindings_struct bindings;
    gss_buffer_desc input = buffer_of(bytes_of(call->input)), output = {0};
    struct lease lease = {0};
    OM_uint32 minor, flags = 0, left = 0;
    status_t status = SEC_E_OK;
    bool first = !context->peer;
    if (first)
        status = name_import(bytes_of(call->target), &context->peer, ERROR_OF_INITIATE, call->why);
    if (status_ok(status) && first)
        status = credential_take(call->credential, CALL_USE_INITIATE, bytes_of(call->target),
                                 &lease, call->why);
    if (!status_ok(status)) return status;
    OM_uint32 major = gss.init_sec_context(
        &minor, lease.library, &context->library, context->peer, &mech_krb5, context->asked, 0,
        bindings_of(&call->bindings, &bindings), input.length ? &input : GSS_C_NO_BUFFER, NULL,
        &output, &flags, &left);
    lease.failed = GSS_ERROR(major);
    if (lease.failed) {
        bool proxy = first && lease.credential->proxy;
        status = error_gss(proxy ? ERROR_OF_PROXY : ERROR_OF_INITIATE, major, minor, call->why);
    } else if (first) {
        status = names_keep(context, &lease, (struct slice){output.value, output.length});
        lease.used_for = bytes_of(call->target);
    }
    credential_give(&lease);
    status_t queued = queue_take(context, &output);
    if (GSS_ERROR(major)) return status;
    context->flags = flags;
    context->done = !(major & GSS_S_CONTINUE_NEEDED);
    if (left && left != GSS_C_INDEFINITE) call->expiry = (uint64_t)time(NULL) + left;
    return status_ok(status) ? queued : status;
}

static status_t accept(struct context *context, struct kerberos_call_leg *call)
{
    struct gss_channel_bindings_struct bindings;
    gss_buffer_desc input = buffer_of(bytes_of(call->input)), output = {0};
    gss_cred_id_t delegated = GSS_C_NO_CREDENTIAL;
    struct lease lease = {0};
    OM_uint32 minor, flags = 0;
    status_t status = SEC_E_OK;
    bool first = !context->library;
    if (!token_is_ours(bytes_of(call->input)))
        return error_say(SEC_E_INVALID_TOKEN, call->why, "this is no token of Kerberos");
    if (first)
        status = credential_take(call->credential, CALL_USE_ACCEPT, (struct slice){0}, &lease,
                                 call->why);
    if (!status_ok(status)) return status;
    gss.release_name(&minor, &context->peer);
    OM_uint32 major = gss.accept_sec_context(
        &minor, &context->library, lease.library, &input, bindings_of(&call->bindings, &bindings),
        &context->peer, NULL, &output, &flags, NULL, &delegated);
    OM_uint32 code = minor;
    credential_give(&lease);
    if (delegated) gss.release_cred(&minor, &context->delegated);
    if (delegated) context->delegated = delegated;
    status = queue_take(context, &output);
    /* Also of a client that is refused for its bindings. */
    if (first && call->flags & CALL_CHANNEL_TOLD)
        channel_read(context, request_of(bytes_of(call->input)));
    if (GSS_ERROR(major)) return error_gss(ERROR_OF_ACCEPT, major, code, call->why);
    context->flags = flags;
    context->done = !(major & GSS_S_CONTINUE_NEEDED);
    return status;
}

/* The caller's from here on. */
static status_t delegated_give(struct context *context, struct kerberos_call_leg *call)
{
    if (!context->done || !context->delegated) return SEC_E_OK;
    status_t status = credential_adopt(context->delegated, &call->delegated);
    if (status_ok(status)) context->delegated = GSS_C_NO_CREDENTIAL;
    return status;
}

static status_t step(struct context *context, struct kerberos_call_leg *call)
{
    if (context->asked & CALL_USER_TO_USER) return user_leg(context, call);
    return context->server ? accept(context, call) : initiate(context, call);
}

static status_t leg(struct kerberos_call_leg *call, bool server)
{
    status_t status = call->context ? SEC_E_OK : library_load("", call->why);
    if (!status_ok(status)) return status;
    struct context *context = context_of(call, server);
    if (!context) return SEC_E_INSUFFICIENT_MEMORY;
    if (!context->queue.size) {
        if (context->done || !status_ok(context->status)) return SEC_E_INVALID_HANDLE;
        context->status = step(context, call);
        if (status_ok(context->status)) context->status = delegated_give(context, call);
        if (!status_ok(context->status)) library_delete(context);
    }
    queue_move(context, call);
    bool asked = call->flags & CALL_CHANNEL_TOLD;
    call->flags = context->flags | (asked ? context->channel_told : 0);
    memcpy(call->channel, context->channel, sizeof(call->channel));
    call->done = status_ok(context->status) && context->done;
    return context->status;
}

status_t exchange_initiate(void *params)
{
    return leg(params, false);
}

status_t exchange_accept(void *params)
{
    return leg(params, true);
}
