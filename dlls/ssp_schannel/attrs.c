/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QueryContextAttributes and SetContextAttributes (sspi.h, schannel.h). What a handshake settles is
 * not known before its end: SEC_E_INVALID_HANDLE, the one status that is documented for an
 * incomplete context. The peer's certificate and the issuers that a server names are known earlier,
 * and serve who has to choose a certificate in the middle of a handshake.
 *
 * The package's own description is left to the host, which knows by which of the three names the
 * context goes.
 */
#include "attrs.h"

#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("schannel");

#define APP_DATA_MAX 65536u

/* ---- small ones ---- */

static status_t query_flags(struct context *context, void *buffer)
{
    SecPkgContext_Flags *out = buffer;
    out->Flags = context->connection.flags;
    return SEC_E_OK;
}

static status_t query_app_data(struct context *context, void *buffer)
{
    SecPkgContext_SessionAppData *out = buffer;
    BYTE *copy = NULL;
    if (context->app_data.size) {
        copy = answer_bytes(blob_slice(&context->app_data));
        if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    }
    *out = (SecPkgContext_SessionAppData){context->app_flags, (DWORD)context->app_data.size, copy};
    return SEC_E_OK;
}

/* Callers pass a WORD or an ULONG: the smaller one fits in both. */
static status_t query_mtu(struct context *context, void *buffer)
{
    if (!context->datagram) return SEC_E_UNSUPPORTED_FUNCTION;
    memcpy(buffer, &context->mtu, sizeof(context->mtu));
    return SEC_E_OK;
}

/* ---- queries ---- */

static const struct attribute attributes[] = {
    {SECPKG_ATTR_APP_DATA, true, query_app_data},
    {SECPKG_ATTR_DTLS_MTU, true, query_mtu},
    {SECPKG_ATTR_ISSUER_LIST, true, query_issuers},
    {SECPKG_ATTR_ISSUER_LIST_EX, true, query_issuers_ex},
    {SECPKG_ATTR_REMOTE_CERT_CONTEXT, true, query_remote_certificate},
    {SECPKG_ATTR_REMOTE_CERT_CHAIN, true, query_remote_certificate},
    {SECPKG_ATTR_CERT_CHECK_RESULT, true, query_certificate_check},
    {SECPKG_ATTR_CERT_CHECK_RESULT_INPROC, false, query_certificate_check},
    {SECPKG_ATTR_SUPPORTED_SIGNATURES, true, query_supported_signatures},
    {SECPKG_ATTR_LOCAL_CERT_CONTEXT, false, query_local_certificate},
    {SECPKG_ATTR_SIZES, false, query_sizes},
    {SECPKG_ATTR_STREAM_SIZES, false, query_stream_sizes},
    {SECPKG_ATTR_NAMES, false, query_names},
    {SECPKG_ATTR_AUTHORITY, false, query_authority},
    {SECPKG_ATTR_LIFESPAN, false, query_lifespan},
    {SECPKG_ATTR_FLAGS, false, query_flags},
    {SECPKG_ATTR_KEY_INFO, false, query_key_info},
    {SECPKG_ATTR_PROTO_INFO, false, query_proto_info},
    {SECPKG_ATTR_CONNECTION_INFO, false, query_connection_info},
    {SECPKG_ATTR_CONNECTION_INFO_EX, false, query_connection_info_ex},
    {SECPKG_ATTR_CIPHER_INFO, false, query_cipher_info},
    {SECPKG_ATTR_SESSION_INFO, false, query_session_info},
    {SECPKG_ATTR_APPLICATION_PROTOCOL, false, query_application_protocol},
    {SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, false, query_tls_extensions},
    {SECPKG_ATTR_UNIQUE_BINDINGS, false, query_unique_bindings},
    {SECPKG_ATTR_ENDPOINT_BINDINGS, false, query_endpoint_bindings},
    {SECPKG_ATTR_EAP_KEY_BLOCK, false, query_eap_key_block},
    {SECPKG_ATTR_KEYING_MATERIAL, false, query_keying_material},
    {SECPKG_ATTR_KEYING_MATERIAL_INPROC, false, query_keying_material_now},
};

static status_t query_locked(struct context *context, const struct attribute *attribute,
                             void *buffer)
{
    if (context->exported) return SEC_E_INVALID_HANDLE;
    bool settled = context->stage == STAGE_ESTABLISHED || context->renegotiating;
    if (!attribute->any_stage && !settled) return SEC_E_INVALID_HANDLE;
    return attribute->query(context, buffer);
}

NTSTATUS NTAPI context_query(LSA_SEC_HANDLE handle, ULONG id, void *buffer)
{
    struct context *context = context_get(handle);
    const struct attribute *attribute = attribute_find(attributes, ARRAYSIZE(attributes), id);
    status_t status = SEC_E_UNSUPPORTED_FUNCTION;
    if (!buffer) return SEC_E_INVALID_PARAMETER;
    if (attribute) {
        lock_take(&context->send);
        status = query_locked(context, attribute, buffer);
        lock_give(&context->send);
    }
    TRACE("attribute %#lx: status %#lx\n", id, (ULONG)status);
    return status;
}

/* ---- what can be set ---- */

static status_t set_app_data(struct context *context, const void *buffer, ULONG size)
{
    const SecPkgContext_SessionAppData *given = buffer;
    if (size < sizeof(*given)) return SEC_E_BUFFER_TOO_SMALL;
    if (given->cbAppData > APP_DATA_MAX || (given->cbAppData && !given->pbAppData))
        return SEC_E_INVALID_PARAMETER;
    status_t status = blob_set(&context->app_data,
                               (struct slice){given->pbAppData, given->cbAppData});
    if (status_ok(status)) context->app_flags = given->dwFlags;
    return status;
}

/* A handshake that has begun keeps what it was begun with. */
static status_t set_mtu(struct context *context, const void *buffer, ULONG size)
{
    ULONG mtu = 0;
    if (!context->datagram) return SEC_E_UNSUPPORTED_FUNCTION;
    if (size < sizeof(WORD)) return SEC_E_BUFFER_TOO_SMALL;
    memcpy(&mtu, buffer, size < sizeof(mtu) ? sizeof(WORD) : sizeof(mtu));
    if (mtu < MTU_MIN || mtu > UINT16_MAX) return SEC_E_INVALID_PARAMETER;
    context->mtu = (uint16_t)mtu;
    return SEC_E_OK;
}

static status_t set_locked(struct context *context, ULONG id, const void *buffer, ULONG size)
{
    if (context->exported) return SEC_E_INVALID_HANDLE;
    switch (id) {
    case SECPKG_ATTR_APP_DATA: return set_app_data(context, buffer, size);
    case SECPKG_ATTR_DTLS_MTU: return set_mtu(context, buffer, size);
    case SECPKG_ATTR_EAP_PRF_INFO: return set_eap_prf_info(context, buffer, size);
    case SECPKG_ATTR_KEYING_MATERIAL_INFO: return set_keying_material_info(context, buffer, size);
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

NTSTATUS NTAPI context_set(LSA_SEC_HANDLE handle, ULONG id, void *buffer, ULONG size)
{
    struct context *context = context_get(handle);
    if (!buffer) return SEC_E_INVALID_PARAMETER;
    lock_take(&context->send);
    status_t status = set_locked(context, id, buffer, size);
    lock_give(&context->send);
    TRACE("attribute %#lx: status %#lx\n", id, (ULONG)status);
    return status;
}
