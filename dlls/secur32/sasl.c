/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Sasl exports that work on contexts: legs, options, and what the agreed layer lets through.
 * The package's legs go through the dispatcher as those of InitializeSecurityContext and
 * AcceptSecurityContext do.
 */
#include "sasl.h"

#include "ansi.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

TRACE_CHANNEL("sspi");

/* ---- legs ---- */

/* What the package is asked for beside what the application wants. GSSAPI (RFC 4752 3.1): integrity
 * for the rounds, and for a layer a server that has shown who it is. GSS-SPNEGO (MS-ADTS 5.1.2.1):
 * a server takes integrity that Negotiate would want for itself for a layer. */
static ULONG client_requirements(enum sasl_mechanism mechanism, ULONG wanted)
{
    bool layer = wanted & (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT |
                           ISC_REQ_SEQUENCE_DETECT);
    if (mechanism == SASL_SPNEGO) return layer ? wanted : wanted | ISC_REQ_NO_INTEGRITY;
    if (mechanism != SASL_GSSAPI) return wanted;
    wanted |= ISC_REQ_INTEGRITY;
    return layer ? wanted | ISC_REQ_MUTUAL_AUTH | ISC_REQ_SEQUENCE_DETECT : wanted;
}

static void requirements_extend(struct leg *leg, enum sasl_mechanism mechanism)
{
    if (!leg->acceptor) leg->requirements = client_requirements(mechanism, leg->requirements);
    else if (mechanism == SASL_GSSAPI) leg->requirements |= ASC_REQ_INTEGRITY;
}

static status_t mechanism_of_credential(const CredHandle *handle, enum sasl_mechanism *mechanism)
{
    SecHandle copy = *handle;
    const struct credential *credential = handle_pin(HANDLE_CREDENTIAL, &copy);
    if (!credential) return SEC_E_INVALID_HANDLE;
    status_t status = sasl_mechanism_find(credential->package, false, mechanism);
    handle_unpin(&copy);
    return status;
}

static status_t sasl_first(struct leg *leg, const CredHandle *credential, CtxtHandle *out)
{
    enum sasl_mechanism mechanism;
    ULONG wanted = leg->requirements;
    CtxtHandle made;
    struct pinned_context pinned;
    if (!out) return SEC_E_INVALID_HANDLE;
    status_t status = mechanism_of_credential(credential, &mechanism);
    if (!status_ok(status)) return status;
    struct sasl *sasl = sasl_create(mechanism);
    if (!sasl) return SEC_E_INSUFFICIENT_MEMORY;
    requirements_extend(leg, sasl->mechanism);
    status = leg_run(leg, credential, NULL, &made);
    if (!status_ok(status)) {
        sasl_free(sasl);
        return status;
    }
    status_t pin_status = context_pin(&made, &pinned);
    if (!status_ok(pin_status)) { /* somebody closed a handle that was not theirs */
        sasl_free(sasl);
        return pin_status;
    }
    pinned.context->sasl = sasl;
    status = sasl_after_handshake(&pinned, leg, wanted, status);
    context_unpin(&pinned);
    if (status_ok(status)) *out = made;
    else DeleteSecurityContext(&made);
    return status;
}

static status_t sasl_next(struct leg *leg, const CredHandle *credential,
                          const struct pinned_context *pinned)
{
    struct sasl *sasl;
    ULONG wanted = leg->requirements;
    if (pinned->context->acceptor != leg->acceptor) return SEC_E_INVALID_HANDLE;
    status_t status = sasl_attach_external(pinned->context, &sasl);
    if (!status_ok(status)) return status;
    AcquireSRWLockExclusive(&sasl->lock);
    if (sasl->mechanism == SASL_EXTERNAL) {
        status = sasl_external_message(sasl, leg);
    } else if (sasl->done || sasl->stage != SASL_HANDSHAKE) {
        status = sasl_round(pinned, leg, wanted);
    } else {
        requirements_extend(leg, sasl->mechanism);
        status = leg_run_pinned(leg, credential, pinned);
        status = sasl_after_handshake(pinned, leg, wanted, status);
    }
    ReleaseSRWLockExclusive(&sasl->lock);
    return status;
}

static status_t sasl_leg(struct leg *leg, const CredHandle *credential, const CtxtHandle *context,
                         CtxtHandle *out)
{
    struct pinned_context pinned;
    if (!credential && !context) return SEC_E_INVALID_HANDLE;
    status_t status = leg_check(leg);
    if (!status_ok(status)) return status;
    const SecBuffer *token = secbuf_find(leg->output, SECBUFFER_TOKEN);
    leg->sasl = true;
    if (token) leg->given = *token;
    if (!context) {
        status = sasl_first(leg, credential, out);
    } else {
        status = context_pin(context, &pinned);
        if (!status_ok(status)) return status;
        status = sasl_next(leg, credential, &pinned);
        if (status_ok(status) && out) *out = pinned.handle;
        context_unpin(&pinned);
    }
    TRACE("status %#lx, attributes %#lx\n", (ULONG)status, leg->attributes);
    return status;
}

SECURITY_STATUS WINAPI SaslInitializeSecurityContextW(
    CredHandle *credential, CtxtHandle *context, WCHAR *target, ULONG requirements, ULONG reserved1,
    ULONG data_representation, SecBufferDesc *input, ULONG reserved2, CtxtHandle *new_context,
    SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry)
{
    (void)reserved1;
    (void)reserved2;
    struct leg leg = {.target = target,
                      .requirements = requirements,
                      .data_representation = data_representation,
                      .input = input,
                      .output = output};
    status_t status = sasl_leg(&leg, credential, context, new_context);
    leg_report(&leg, status, attributes, expiry);
    return status;
}

SECURITY_STATUS WINAPI SaslInitializeSecurityContextA(
    CredHandle *credential, CtxtHandle *context, char *target, ULONG requirements, ULONG reserved1,
    ULONG data_representation, SecBufferDesc *input, ULONG reserved2, CtxtHandle *new_context,
    SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry)
{
    WCHAR *wide_target;
    status_t status = ansi_to_wide(target, &wide_target);
    if (!status_ok(status)) return status;
    status = SaslInitializeSecurityContextW(credential, context, wide_target, requirements,
                                            reserved1, data_representation, input, reserved2,
                                            new_context, output, attributes, expiry);
    HeapFree(GetProcessHeap(), 0, wide_target);
    return status;
}

SECURITY_STATUS WINAPI SaslAcceptSecurityContext(CredHandle *credential, CtxtHandle *context,
                                                 SecBufferDesc *input, ULONG requirements,
                                                 ULONG data_representation, CtxtHandle *new_context,
                                                 SecBufferDesc *output, ULONG *attributes,
                                                 TimeStamp *expiry)
{
    struct leg leg = {.acceptor = true,
                      .requirements = requirements,
                      .data_representation = data_representation,
                      .input = input,
                      .output = output};
    status_t status = sasl_leg(&leg, credential, context, new_context);
    leg_report(&leg, status, attributes, expiry);
    return status;
}

/* ---- options (SaslSetContextOption, SaslGetContextOption) ---- */

static status_t option_number(const void *value, ULONG size, ULONG *number)
{
    if (size < sizeof(*number)) return SEC_E_BUFFER_TOO_SMALL;
    memcpy(number, value, sizeof(*number));
    return SEC_E_OK;
}

static status_t option_set_size(ULONG *option, const void *value, ULONG size)
{
    ULONG number;
    status_t status = option_number(value, size, &number);
    if (!status_ok(status)) return status;
    if (!number || number > SASL_SIZE_MAX) return SEC_E_INVALID_PARAMETER;
    *option = number;
    return SEC_E_OK;
}

static status_t option_set_processing(struct sasl *sasl, const void *value, ULONG size)
{
    ULONG number;
    status_t status = option_number(value, size, &number);
    if (!status_ok(status)) return status;
    if (number != Sasl_AuthZIDForbidden && number != Sasl_AuthZIDProcessed)
        return SEC_E_INVALID_PARAMETER;
    sasl->authz_forbidden = number == Sasl_AuthZIDForbidden;
    return SEC_E_OK;
}

/* A terminator is no part of the string, though it may have been counted. */
static status_t option_set_string(const struct context *context, struct sasl *sasl,
                                  const void *value, ULONG size)
{
    const BYTE *bytes = value;
    if (sasl->authz_forbidden || context->acceptor) return SEC_E_UNSUPPORTED_FUNCTION;
    if (sasl->mechanism != SASL_GSSAPI && sasl->mechanism != SASL_EXTERNAL)
        return SEC_E_UNSUPPORTED_FUNCTION; /* nothing would carry it */
    if (size && !bytes[size - 1]) size--;
    if (!sasl_authzid_valid((struct slice){bytes, size})) return SEC_E_INVALID_PARAMETER;
    if (size) memcpy(sasl->authzid, bytes, size);
    sasl->authz_size = size;
    return SEC_E_OK;
}

static status_t option_set(const struct context *context, struct sasl *sasl, ULONG option,
                           const void *value, ULONG size)
{
    if (sasl->done) return SEC_E_UNSUPPORTED_FUNCTION; /* all has been said */
    switch (option) {
    case SASL_OPTION_SEND_SIZE: return option_set_size(&sasl->send_size, value, size);
    case SASL_OPTION_RECV_SIZE: return option_set_size(&sasl->receive_size, value, size);
    case SASL_OPTION_AUTHZ_STRING: return option_set_string(context, sasl, value, size);
    case SASL_OPTION_AUTHZ_PROCESSING: return option_set_processing(sasl, value, size);
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

static status_t option_get(const struct sasl *sasl, ULONG option, ULONG *number,
                           struct slice *value)
{
    *value = (struct slice){(const uint8_t *)number, sizeof(*number)};
    switch (option) {
    case SASL_OPTION_SEND_SIZE: *number = sasl->send_size; return SEC_E_OK;
    case SASL_OPTION_RECV_SIZE: *number = sasl->receive_size; return SEC_E_OK;
    case SASL_OPTION_AUTHZ_PROCESSING:
        *number = sasl->authz_forbidden ? Sasl_AuthZIDForbidden : Sasl_AuthZIDProcessed;
        return SEC_E_OK;
    case SASL_OPTION_AUTHZ_STRING:
        if (sasl->authz_forbidden) return SEC_E_UNSUPPORTED_FUNCTION;
        *value = (struct slice){sasl->authzid, sasl->authz_size};
        return SEC_E_OK;
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

SECURITY_STATUS WINAPI SaslSetContextOption(CtxtHandle *handle, ULONG option, void *value,
                                            ULONG size)
{
    struct pinned_context pinned;
    struct sasl *sasl;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    status = sasl_attach_external(pinned.context, &sasl);
    if (status_ok(status) && size && !value) status = SEC_E_INVALID_PARAMETER;
    if (status_ok(status)) {
        AcquireSRWLockExclusive(&sasl->lock);
        status = option_set(pinned.context, sasl, option, value, size);
        ReleaseSRWLockExclusive(&sasl->lock);
    }
    context_unpin(&pinned);
    return status;
}

SECURITY_STATUS WINAPI SaslGetContextOption(CtxtHandle *handle, ULONG option, void *value,
                                            ULONG size, ULONG *needed)
{
    struct pinned_context pinned;
    struct slice bytes;
    ULONG number;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct sasl *sasl = pinned.context->sasl;
    if (!sasl) {
        context_unpin(&pinned);
        return SEC_E_INVALID_HANDLE;
    }
    AcquireSRWLockShared(&sasl->lock);
    status = option_get(sasl, option, &number, &bytes);
    if (status_ok(status)) {
        if (needed) *needed = (ULONG)bytes.size;
        if (bytes.size > size) status = SEC_E_BUFFER_TOO_SMALL;
        else if (bytes.size && !value) status = SEC_E_INVALID_PARAMETER;
        else if (bytes.size) memcpy(value, bytes.data, bytes.size);
    }
    ReleaseSRWLockShared(&sasl->lock);
    context_unpin(&pinned);
    return status;
}

/* ---- messages ---- */

static ULONG bytes_of(const SecBufferDesc *message, bool protection)
{
    ULONG size = 0;
    for (ULONG i = 0; i < message->cBuffers; i++) {
        const SecBuffer *buffer = &message->pBuffers[i];
        ULONG type = secbuf_type(buffer);
        bool text = type == SECBUFFER_DATA && !(buffer->BufferType & SECBUFFER_READONLY);
        bool rest = type == SECBUFFER_TOKEN || type == SECBUFFER_STREAM ||
                    type == SECBUFFER_PADDING;
        if (!text && !(rest && protection)) continue;
        size = buffer->cbBuffer > MAXDWORD - size ? MAXDWORD : size + buffer->cbBuffer;
    }
    return size;
}

/* A layer is there when all has been agreed. */
static status_t layer_check(const struct sasl *sasl)
{
    if (!sasl->done) return SEC_E_INVALID_HANDLE;
    return sasl->layer == SASL_LAYER_NONE ? SEC_E_QOP_NOT_SUPPORTED : SEC_E_OK;
}

static bool is_limited(const struct sasl *sasl)
{
    return sasl && sasl->mechanism == SASL_GSSAPI;
}

bool sasl_owns_handshake(const struct context *context)
{
    return context->sasl && context->sasl->mechanism != SASL_EXTERNAL;
}

status_t sasl_check_send(struct context *context, bool seal, const SecBufferDesc *message,
                         ULONG *qop)
{
    const struct sasl *sasl = context->sasl;
    if (!is_limited(sasl)) return SEC_E_OK;
    status_t status = layer_check(sasl);
    if (!status_ok(status)) return status;
    bool plain = sasl->layer == SASL_LAYER_INTEGRITY;
    if (seal && plain != (*qop == SECQOP_WRAP_NO_ENCRYPT)) return SEC_E_QOP_NOT_SUPPORTED;
    if (bytes_of(message, false) > sasl->send_size) return SEC_E_BUFFER_TOO_SMALL;
    return seal && plain ? sasl_plain_qop(context, qop) : SEC_E_OK;
}

status_t sasl_check_receive(const struct context *context, const SecBufferDesc *message)
{
    const struct sasl *sasl = context->sasl;
    if (!is_limited(sasl)) return SEC_E_OK;
    status_t status = layer_check(sasl);
    if (!status_ok(status)) return status;
    return bytes_of(message, true) > sasl->receive_size ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}
