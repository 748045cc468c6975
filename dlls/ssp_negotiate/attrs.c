/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QueryContextAttributes and SetContextAttributes (sspi.h). An established context answers as its
 * mechanism does. Before that only what tells of the negotiation is answered: who the peer is
 * counts when the mechanisms are known not to have been tampered with.
 */
#include "negotiate_package.h"

#include "ssp/attrs.h"
#include "ssp/message_context.h"
#include "ssp/trace.h"

TRACE_CHANNEL("negotiate");

/* ---- of the negotiation ---- */

/* Its own description, while there is no mechanism to describe. */
static status_t selected_info(struct context *context, SecPkgInfoW **out)
{
    SecPkgContext_PackageInfoW info;
    if (!SecIsValidHandle(&context->inner.handle)) return package_info_give(out);
    status_t status = QueryContextAttributesW(&context->inner.handle, SECPKG_ATTR_PACKAGE_INFO,
                                              &info);
    if (status_ok(status)) *out = info.PackageInfo;
    return status;
}

static status_t query_package_info(struct context *context, void *buffer)
{
    SecPkgContext_PackageInfoW *out = buffer;
    return selected_info(context, &out->PackageInfo);
}

static status_t query_negotiation_info(struct context *context, void *buffer)
{
    SecPkgContext_NegotiationInfoW *out = buffer;
    bool optimistic = context->stage == SPNEGO_STAGE_OFFERED;
    SecPkgInfoW *info;
    status_t status = selected_info(context, &info);
    if (!status_ok(status)) return status;
    out->PackageInfo = info;
    out->NegotiationState = optimistic ? SECPKG_NEGOTIATION_OPTIMISTIC
                                       : SECPKG_NEGOTIATION_IN_PROGRESS;
    return SEC_E_OK;
}

static status_t query_sizes(struct context *context, void *buffer)
{
    if (!SecIsValidHandle(&context->inner.handle)) return SEC_E_INVALID_HANDLE;
    return QueryContextAttributesW(&context->inner.handle, SECPKG_ATTR_SIZES, buffer);
}

/* ---- of any stage ---- */

static status_t query_nego_status(struct context *context, void *buffer)
{
    SecPkgContext_NegoStatus *out = buffer;
    out->LastStatus = (ULONG)context->last_status;
    return SEC_E_OK;
}

/* Whether the token that the client is about to send is its last one. Before the mechanism is
 * through that depends on what the server will say. */
static status_t query_last_token(struct context *context, void *buffer)
{
    SecPkgContext_LastClientTokenStatus *out = buffer;
    bool last = context_established(context) || (!context->raw && context->inner.done);
    out->LastClientTokenStatus = last ? SecPkgAttrLastClientTokenYes
                                      : SecPkgAttrLastClientTokenMaybe;
    return SEC_E_OK;
}

/* message.c does nothing but pass messages on. */
static status_t query_message_context(struct context *context, void *buffer)
{
    if (!context_established(context)) return SEC_E_INVALID_HANDLE;
    *(CtxtHandle *)buffer = context->inner.handle;
    return SEC_E_OK;
}

/* Those of any stage are asked here of an established context too. */
static const struct attribute attributes[] = {
    {SECPKG_ATTR_PACKAGE_INFO, false, query_package_info},
    {SECPKG_ATTR_NEGOTIATION_INFO, false, query_negotiation_info},
    {SECPKG_ATTR_SIZES, false, query_sizes},
    {SECPKG_ATTR_NEGO_STATUS, true, query_nego_status},
    {SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, true, query_last_token},
    {WINESSPI_ATTR_MESSAGE_CONTEXT, true, query_message_context},
};

static status_t query_half_open(struct context *context, const struct attribute *attribute,
                                void *buffer)
{
    if (!attribute) return SEC_E_INVALID_HANDLE;
    lock_take(&context->lock);
    status_t status = context->exported ? SEC_E_INVALID_HANDLE : attribute->query(context, buffer);
    lock_give(&context->lock);
    return status;
}

NTSTATUS NTAPI context_query(LSA_SEC_HANDLE handle, ULONG id, void *buffer)
{
    struct context *context = context_get(handle);
    const struct attribute *attribute = attribute_find(attributes, ARRAYSIZE(attributes), id);
    status_t status;
    if (!buffer) return SEC_E_INVALID_PARAMETER;
    if (context_established(context) && !(attribute && attribute->any_stage))
        status = QueryContextAttributesW(&context->inner.handle, id, buffer);
    else status = query_half_open(context, attribute, buffer);
    TRACE("attribute %lu: status %#lx\n", id, (ULONG)status);
    return status;
}

NTSTATUS NTAPI context_set(LSA_SEC_HANDLE handle, ULONG id, void *buffer, ULONG size)
{
    struct context *context = context_get(handle);
    if (!context_established(context)) return SEC_E_INVALID_HANDLE;
    return SetContextAttributesW(&context->inner.handle, id, buffer, size);
}
