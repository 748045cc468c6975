/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mechanism of a context: its legs, with what the application gave besides tokens passed on in
 * each of them, and mechListMIC (RFC 4178 5), which only the mechanism can make and verify.
 */
#include "negotiate_package.h"

#include "ssp/leg.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("negotiate");

#define INPUT_BUFFERS_MAX 16u
#define ANSWER_MAX 512u /* SPNEGO's part of a token, with a mechListMIC */
#define TOKEN_ROOM 65536u
#define BINDINGS_KEPT_MAX 65535u
#define UNKNOWN_TOKEN_MAX 12288u /* of a mechanism that no credential of ours has */

/* Room for a token of the mechanism, which may be larger than the package says when names are long.
 * Not every package can allocate it (Wine's Kerberos cannot). */
static status_t inner_token_make(ULONG token_max, SecBuffer *token)
{
    ULONG size = token_max > TOKEN_ROOM ? token_max : TOKEN_ROOM;
    *token = (SecBuffer){size, SECBUFFER_TOKEN, malloc(size)};
    return token->pvBuffer ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

void inner_token_free(SecBuffer *token)
{
    free(token->pvBuffer);
    *token = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
}

void inner_token_settle(const struct leg *leg, struct context *context, status_t status,
                        SecBuffer *token)
{
    if (status != SEC_E_INSUFFICIENT_MEMORY || !leg->resumable) {
        inner_token_free(token);
        return;
    }
    context->kept = *token;
    context->has_kept = true;
}

bool inner_resume(struct leg *leg, struct context *context, SecBuffer *token)
{
    if (!context->has_kept) return false;
    *token = context->kept;
    context->kept = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    context->has_kept = false;
    leg->moved = leg->resumable = leg->resumed = true;
    return true;
}

void inner_clear(struct inner *inner)
{
    if (SecIsValidHandle(&inner->handle)) DeleteSecurityContext(&inner->handle);
    SecInvalidateHandle(&inner->handle);
}

/* ---- legs ---- */

struct input {
    SecBuffer buffers[INPUT_BUFFERS_MAX];
    SecBufferDesc desc;
};

static bool input_add(struct input *input, ULONG type, struct slice bytes)
{
    if (input->desc.cBuffers == INPUT_BUFFERS_MAX) return false;
    SecBuffer *buffer = &input->buffers[input->desc.cBuffers++];
    *buffer = (SecBuffer){(ULONG)bytes.size, type, (void *)bytes.data};
    return true;
}

/* NTLM demands a signature of the list from a client that signs its messages. No other package is
 * known to look at these buffers, and some refuse what they do not know. */
static bool input_add_list(const struct leg *leg, const struct context *context,
                           struct input *input)
{
    if (!context->acceptor || !oid_is(&context->oid, spnego_oid_ntlm)) return true;
    return input_add(input, SECBUFFER_MECHLIST, blob_slice(&context->mech_list)) &&
           input_add(input, SECBUFFER_MECHLIST_SIGNATURE, leg->mic);
}

/* Bindings that name nothing are not those of a channel. */
status_t inner_keep_bindings(const struct leg *leg, struct context *context)
{
    const SecBuffer *bindings = secbuf_find(leg->input, SECBUFFER_CHANNEL_BINDINGS);
    struct leg_bindings parts;
    status_t status = leg_bindings_read(leg->input, &parts);
    if (!status_ok(status) || !bindings || !bindings->cbBuffer) return status;
    if (context->bindings.size && !parts.given) return SEC_E_OK;
    /* To go on without what the application wants to be bound to is no choice. */
    if (bindings->cbBuffer > BINDINGS_KEPT_MAX) return SEC_E_INVALID_PARAMETER;
    return blob_set(&context->bindings, (struct slice){bindings->pvBuffer, bindings->cbBuffer});
}

/* The application's buffers, with the mechanism's token in the place of its own, and the channel
 * bindings of an earlier leg where this one has none. */
static status_t input_fill(const struct leg *leg, const struct context *context, struct slice token,
                           struct input *input)
{
    bool fits = true;
    struct leg_bindings parts;
    const SecBufferDesc *given = leg->input;
    status_t status = leg_bindings_read(given, &parts);
    if (!status_ok(status)) return status;
    bool kept = context->bindings.size && !parts.given;
    input->desc = (SecBufferDesc){SECBUFFER_VERSION, 0, input->buffers};
    if (token.size) fits = input_add(input, SECBUFFER_TOKEN, token);
    for (ULONG i = 0; given && i < given->cBuffers && fits; i++) {
        const SecBuffer *buffer = &given->pBuffers[i];
        ULONG type = secbuf_type(buffer);
        if (type == SECBUFFER_TOKEN || type == SECBUFFER_EMPTY) continue;
        struct slice bytes = {buffer->pvBuffer, buffer->cbBuffer};
        if (type == SECBUFFER_CHANNEL_BINDINGS && kept) continue;
        fits = input_add(input, buffer->BufferType, bytes);
    }
    if (fits && kept)
        fits = input_add(input, SECBUFFER_CHANNEL_BINDINGS, blob_slice(&context->bindings));
    fits = fits && input_add_list(leg, context, input);
    return fits ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

/* Integrity is what mechListMIC needs. */
static ULONG initiator_requirements(ULONG asked)
{
    ULONG requirements = asked & ~(ULONG)LEG_REQ_ALLOCATE_MEMORY;
    return asked & ISC_REQ_NO_INTEGRITY ? requirements & ~ISC_REQ_NO_INTEGRITY
                                        : requirements | ISC_REQ_INTEGRITY;
}

static status_t inner_call(struct leg *leg, struct context *context, CredHandle *credential,
                           struct input *input, struct inner *inner, SecBufferDesc *output)
{
    CtxtHandle *old = SecIsValidHandle(&inner->handle) ? &inner->handle : NULL;
    SecBufferDesc *in = input->desc.cBuffers ? &input->desc : NULL;
    wchar_t *target = leg->target ? leg->target : (wchar_t *)context->target.data;
    CtxtHandle handle = inner->handle;
    status_t status;
    if (context->acceptor)
        status = AcceptSecurityContext(
            credential, old, in, leg->requirements & ~(ULONG)LEG_REQ_ALLOCATE_MEMORY,
            leg->representation, &handle, output, &inner->attributes, &inner->expiry);
    else
        status = InitializeSecurityContextW(
            credential, old, target, initiator_requirements(leg->requirements), 0,
            leg->representation, in, 0, &handle, output, &inner->attributes, &inner->expiry);
    if (status_ok(status)) inner->handle = handle;
    return status;
}

/* Some packages sign a token once it is whole. */
static status_t inner_complete(struct inner *inner, SecBufferDesc *output, status_t status)
{
    if (status != SEC_I_COMPLETE_NEEDED && status != SEC_I_COMPLETE_AND_CONTINUE) return status;
    status_t completed = CompleteAuthToken(&inner->handle, output);
    if (!status_ok(completed)) return completed;
    return status == SEC_I_COMPLETE_NEEDED ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
}

status_t inner_step(struct leg *leg, struct context *context, struct member *member,
                    struct slice in, struct inner *inner, SecBuffer *out)
{
    struct input input;
    SecBuffer made[2], *result = secbuf_find(leg->output, SECBUFFER_CHANNEL_BINDINGS_RESULT);
    SecBufferDesc output = {SECBUFFER_VERSION, result ? 2 : 1, made};
    *out = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    bool first = !SecIsValidHandle(&inner->handle);
    ULONG token_max = member ? member->mech.token_max : UNKNOWN_TOKEN_MAX;
    status_t status = input_fill(leg, context, in, &input);
    if (status_ok(status)) status = writer_prepare(&leg->answer, token_max + ANSWER_MAX);
    if (status_ok(status)) status = inner_token_make(token_max, out);
    if (!status_ok(status)) return status;

    struct inner next = *inner;
    made[0] = *out;
    if (result) made[1] = *result;
    status = inner_call(leg, context, member ? &member->handle : NULL, &input, &next, &output);
    context->last_status = status;
    if (status_ok(status)) {
        leg->moved = true;
        status = inner_complete(&next, &output, status);
        if (!status_ok(status) && first) inner_clear(&next);
    }
    if (result) result->cbBuffer = made[1].cbBuffer;
    out->cbBuffer = made[0].cbBuffer;
    TRACE("%ls: status %#lx\n", member ? member->mech.name : context->package, (ULONG)status);
    if (!status_ok(status)) {
        inner_token_free(out);
        return status;
    }
    if (!out->cbBuffer) inner_token_free(out); /* no token is another thing than an empty one */
    next.done = status == SEC_E_OK;
    *inner = next;
    leg->resumable = true;
    return SEC_E_OK;
}

status_t inner_step_raw(struct leg *leg, struct context *context, struct member *member)
{
    struct inner *inner = &context->inner;
    CtxtHandle *old = SecIsValidHandle(&inner->handle) ? &inner->handle : NULL;
    CredHandle *credential = member ? &member->handle : NULL;
    CtxtHandle handle = inner->handle;
    SecBufferDesc *in = leg->input;
    struct input input;
    status_t status = SEC_E_OK;
    /* Hints came first: what was given with them is for the mechanism, which keeps it then. */
    if (!old && context->bindings.size) {
        status = input_fill(leg, context, leg->token, &input);
        in = &input.desc;
    }
    if (!status_ok(status)) return status;
    leg->passed = true;
    if (context->acceptor)
        status = AcceptSecurityContext(credential, old, in, leg->requirements, leg->representation,
                                       &handle, leg->output, &inner->attributes, &inner->expiry);
    else
        status = InitializeSecurityContextW(credential, old, leg->target, leg->requirements, 0,
                                            leg->representation, in, 0, &handle, leg->output,
                                            &inner->attributes, &inner->expiry);
    context->last_status = status;
    TRACE("%ls without SPNEGO: status %#lx\n", member ? member->mech.name : context->package,
          (ULONG)status);
    if (!status_ok(status)) return status;
    inner->handle = handle;
    inner->done = status == SEC_E_OK || status == SEC_I_COMPLETE_NEEDED;
    leg->status = status;
    return SEC_E_OK;
}

/* ---- mechListMIC ---- */

bool mic_possible(const struct context *context)
{
    ULONG integrity = context->acceptor ? ASC_RET_INTEGRITY : ISC_RET_INTEGRITY;
    return context->inner.done && context->inner.attributes & integrity;
}

bool mic_is_repeated(struct slice token, struct slice mic)
{
    return mic.size && mic.size == token.size && !memcmp(mic.data, token.data, mic.size);
}

/* With NTLM the cipher stream starts anew after a mechListMIC (MS-SPNG 3.3.5.1), so it has to be
 * told that this is one. */
static SecBuffer mic_covered(const struct context *context)
{
    bool ntlm = oid_is(&context->oid, spnego_oid_ntlm);
    return (SecBuffer){(ULONG)context->mech_list.size, ntlm ? SECBUFFER_MECHLIST : SECBUFFER_DATA,
                       context->mech_list.data};
}

status_t mic_verify(struct context *context, struct slice mic)
{
    SecBuffer buffers[2] = {mic_covered(context),
                            {(ULONG)mic.size, SECBUFFER_TOKEN, (void *)mic.data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    SecPkgContext_Sizes sizes;
    ULONG qop;
    status_t status = QueryContextAttributesW(&context->inner.handle, SECPKG_ATTR_SIZES, &sizes);
    if (!status_ok(status)) return status;
    /* Packages take a larger buffer and leave alone what stands behind the signature. */
    if (mic.size > sizes.cbMaxSignature) return SEC_E_MESSAGE_ALTERED;
    status = VerifySignature(&context->inner.handle, &desc, 0, &qop);
    TRACE("mechListMIC received: status %#lx\n", (ULONG)status);
    if (status == SEC_E_INSUFFICIENT_MEMORY) return status;
    if (!status_ok(status)) return SEC_E_MESSAGE_ALTERED;
    context->mic_received = true;
    return SEC_E_OK;
}

status_t mic_make(struct context *context, struct writer *out)
{
    uint8_t mic[MIC_MAX];
    SecPkgContext_Sizes sizes;
    SecBuffer buffers[2] = {mic_covered(context), {sizeof(mic), SECBUFFER_TOKEN, mic}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    status_t status = QueryContextAttributesW(&context->inner.handle, SECPKG_ATTR_SIZES, &sizes);
    if (!status_ok(status)) return status;
    if (sizes.cbMaxSignature > sizeof(mic)) return SEC_E_BUFFER_TOO_SMALL;
    buffers[1].cbBuffer = sizes.cbMaxSignature;
    status = MakeSignature(&context->inner.handle, 0, &desc, 0);
    TRACE("mechListMIC made: status %#lx\n", (ULONG)status);
    if (!status_ok(status)) return status;
    context->mic_sent = true;
    writer_bytes(out, mic, buffers[1].cbBuffer);
    return writer_status(out);
}
