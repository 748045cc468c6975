/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages, tokens and attributes of contexts, W forms: pin, look for the function, call it. */
#include "exports.h"
#include "ssp/message_context.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"
#include "token_name.h"

TRACE_CHANNEL("sspi");

void context_follow(struct context *context)
{
    struct package *package = context->package;
    const struct provider_context *provider = &context->provider;
    SecHandle inner = {0, 0};
    if (!package->has_inner) return; /* a place begins without one */
    bool asked = package->ops.query_context && context->complete && !context->sasl &&
                 provider->user_half;
    if (asked) {
        status_t status = package->ops.query_context(package, &context->provider,
                                                     WINESSPI_ATTR_MESSAGE_CONTEXT, &inner);
        TRACE("%ls names a context for messages: status %#lx\n", package->info.Name, (ULONG)status);
        if (!status_ok(status)) inner = (SecHandle){0, 0};
    }
    handle_set_inner(context->place, &inner);
    /* Only now, and by a look that does not come before: the application may be deleting the user
     * half. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (provider->user_closed) handle_set_inner(context->place, NULL);
}

/* The context that has the messages: another one (context_follow), while that is there. */
static status_t message_pin(const CtxtHandle *handle, const SecBufferDesc *message,
                            struct pinned_context *pinned)
{
    status_t status = context_pin_inner(handle, pinned);
    if (!status_ok(status) || secbuf_valid(message)) return status;
    context_unpin(pinned);
    return SEC_E_INVALID_TOKEN;
}

static status_t message_protect(const CtxtHandle *handle, bool seal, ULONG qop,
                                SecBufferDesc *message, ULONG sequence)
{
    struct pinned_context pinned;
    status_t status = message_pin(handle, message, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.context->package;
    status_t (*protect)(struct package *, struct provider_context *, ULONG, SecBufferDesc *,
                        ULONG) = seal ? package->ops.seal_message : package->ops.make_signature;
    if (pinned.context->sasl) status = sasl_check_send(pinned.context, seal, message, &qop);
    if (!status_ok(status)) goto done;
    status = protect ? protect(package, &pinned.context->provider, qop, message, sequence)
                     : SEC_E_UNSUPPORTED_FUNCTION;
done:
    context_unpin(&pinned);
    return status;
}

static status_t message_check(const CtxtHandle *handle, bool unseal, SecBufferDesc *message,
                              ULONG sequence, ULONG *qop)
{
    struct pinned_context pinned;
    status_t status = message_pin(handle, message, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.context->package;
    status_t (*check)(struct package *, struct provider_context *, SecBufferDesc *, ULONG,
                      ULONG *) = unseal ? package->ops.unseal_message
                                        : package->ops.verify_signature;
    if (pinned.context->sasl) status = sasl_check_receive(pinned.context, message);
    if (!status_ok(status)) goto done;
    status = check ? check(package, &pinned.context->provider, message, sequence, qop)
                   : SEC_E_UNSUPPORTED_FUNCTION;
done:
    context_unpin(&pinned);
    return status;
}

SECURITY_STATUS WINAPI MakeSignature(CtxtHandle *handle, ULONG qop, SecBufferDesc *message,
                                     ULONG sequence)
{
    return message_protect(handle, false, qop, message, sequence);
}

SECURITY_STATUS WINAPI EncryptMessage(CtxtHandle *handle, ULONG qop, SecBufferDesc *message,
                                      ULONG sequence)
{
    return message_protect(handle, true, qop, message, sequence);
}

SECURITY_STATUS WINAPI VerifySignature(CtxtHandle *handle, SecBufferDesc *message, ULONG sequence,
                                       ULONG *qop)
{
    return message_check(handle, false, message, sequence, qop);
}

SECURITY_STATUS WINAPI DecryptMessage(CtxtHandle *handle, SecBufferDesc *message, ULONG sequence,
                                      ULONG *qop)
{
    return message_check(handle, true, message, sequence, qop);
}

SECURITY_STATUS WINAPI CompleteAuthToken(CtxtHandle *handle, SecBufferDesc *token)
{
    struct pinned_context pinned;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.context->package;
    if (!secbuf_valid(token)) status = SEC_E_INVALID_TOKEN;
    else if (!package->ops.complete_token) status = SEC_E_UNSUPPORTED_FUNCTION;
    else status = package->ops.complete_token(package, &pinned.context->provider, token);
    context_unpin(&pinned);
    return status;
}

SECURITY_STATUS WINAPI ApplyControlToken(CtxtHandle *handle, SecBufferDesc *input)
{
    struct pinned_context pinned;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.context->package;
    if (!secbuf_valid(input)) status = SEC_E_INTERNAL_ERROR; /* what Windows says to NULL */
    else if (!package->ops.control_token) status = SEC_E_UNSUPPORTED_FUNCTION;
    else status = package->ops.control_token(package, &pinned.context->provider, input);
    context_unpin(&pinned);
    return status;
}

/* ---- the user half of a context (ntsecpkg.h) ---- */

SECURITY_STATUS WINAPI SecInitUserModeContext(CtxtHandle *handle, SecBuffer *packed);
SECURITY_STATUS WINAPI SecDeleteUserModeContext(CtxtHandle *handle);

SECURITY_STATUS WINAPI SecInitUserModeContext(CtxtHandle *handle, SecBuffer *packed)
{
    struct pinned_context pinned;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.context->package;
    if (!packed || (packed->cbBuffer && !packed->pvBuffer)) status = SEC_E_INVALID_PARAMETER;
    else if (!package->ops.init_user_half) status = SEC_E_UNSUPPORTED_FUNCTION;
    else status = package->ops.init_user_half(package, &pinned.context->provider, packed);
    if (status_ok(status)) context_follow(pinned.context);
    context_unpin(&pinned);
    return status;
}

SECURITY_STATUS WINAPI SecDeleteUserModeContext(CtxtHandle *handle)
{
    struct pinned_context pinned;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.context->package;
    status = package->ops.close_user_half
                 ? package->ops.close_user_half(package, &pinned.context->provider)
                 : SEC_E_UNSUPPORTED_FUNCTION;
    if (status_ok(status)) context_follow(pinned.context);
    context_unpin(&pinned);
    return status;
}

/* ---- attributes ---- */

/* Packages that do not describe themselves are described by what they are listed with. */
static status_t package_info_query(const struct package *package, void *buffer)
{
    SecPkgInfoW *info = package_info_copy(&package->info, 1);
    if (!info) return SEC_E_INSUFFICIENT_MEMORY;
    ((SecPkgContext_PackageInfoW *)buffer)->PackageInfo = info;
    return SEC_E_OK;
}

status_t context_query(const struct pinned_context *pinned, ULONG attribute, void *buffer)
{
    struct package *package = pinned->context->package;
    struct provider_context *provider = &pinned->context->provider;
    status_t status = SEC_E_UNSUPPORTED_FUNCTION;
    if (!buffer) return SEC_E_INVALID_PARAMETER;
    if (package->ops.query_context && attribute != WINESSPI_ATTR_MESSAGE_CONTEXT)
        status = package->ops.query_context(package, provider, attribute, buffer);
    if (status == SEC_E_UNSUPPORTED_FUNCTION && attribute == SECPKG_ATTR_PACKAGE_INFO)
        status = package_info_query(package, buffer);
    if (status_ok(status) && attribute == SECPKG_ATTR_ACCESS_TOKEN)
        token_name_learn(package, provider, ((SecPkgContext_AccessToken *)buffer)->AccessToken);
    return status;
}

SECURITY_STATUS WINAPI QueryContextAttributesW(CtxtHandle *handle, ULONG attribute, void *buffer)
{
    struct pinned_context pinned;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    status = context_query(&pinned, attribute, buffer);
    context_unpin(&pinned);
    TRACE("attribute %#lx: status %#lx\n", attribute, (ULONG)status);
    return status;
}

SECURITY_STATUS WINAPI SetContextAttributesW(CtxtHandle *handle, ULONG attribute, void *buffer,
                                             ULONG size)
{
    struct pinned_context pinned;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.context->package;
    if (!buffer) status = SEC_E_INVALID_PARAMETER;
    else if (!package->ops.set_context) status = SEC_E_UNSUPPORTED_FUNCTION;
    else
        status = package->ops.set_context(package, &pinned.context->provider, attribute, buffer,
                                          size);
    context_unpin(&pinned);
    return status;
}

/* ---- tokens ---- */

SECURITY_STATUS WINAPI QuerySecurityContextToken(CtxtHandle *handle, HANDLE *token)
{
    struct pinned_context pinned;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.context->package;
    if (!token) status = SEC_E_INVALID_PARAMETER;
    else if (!package->ops.query_token) status = SEC_E_UNSUPPORTED_FUNCTION;
    else status = package->ops.query_token(package, &pinned.context->provider, token);
    if (status_ok(status)) token_name_learn(package, &pinned.context->provider, *token);
    context_unpin(&pinned);
    return status;
}

static status_t context_act_as(const CtxtHandle *handle, bool client)
{
    struct pinned_context pinned;
    status_t status = context_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.context->package;
    status_t (*act)(struct package *, struct provider_context *) = client ? package->ops.impersonate
                                                                          : package->ops.revert;
    status = act ? act(package, &pinned.context->provider) : SEC_E_UNSUPPORTED_FUNCTION;
    if (status_ok(status) && client) token_name_learn_thread(package, &pinned.context->provider);
    context_unpin(&pinned);
    return status;
}

SECURITY_STATUS WINAPI ImpersonateSecurityContext(CtxtHandle *handle)
{
    return context_act_as(handle, true);
}

SECURITY_STATUS WINAPI RevertSecurityContext(CtxtHandle *handle)
{
    return context_act_as(handle, false);
}

SECURITY_STATUS WINAPI FreeContextBuffer(void *buffer)
{
    if (!buffer) return SEC_E_OK;
    return HeapFree(GetProcessHeap(), 0, buffer) ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}
