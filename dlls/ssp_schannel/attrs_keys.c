/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes made of secrets: keying material (RFC 5705, RFC 8446 7.5), the keys of EAP-TLS (RFC
 * 5216 2.3, RFC 9190 2.3) and EAP-TTLS (RFC 5281 8 and 11.1, RFC 9427 2.1), channel bindings
 * (RFC 5929). TLS 1.3 has no tls-unique; its bindings for RFC 9266 are keying material under the
 * label EXPORTER-Channel-Binding.
 */
#include "attrs.h"

#include "core/secret.h"
#include "core/tls_binding.h"
#include "core/tls_body.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("schannel");

/* IANA's Method Types of EAP. */
#define EAP_TYPE_TLS 13u
#define EAP_TYPE_TTLS 21u

/* ---- keying material ---- */

/* What to make of the secrets. has_context tells an empty context from none. */
struct keying {
    struct slice label, context;
    bool has_context;
    DWORD size;
};

/* Before TLS 1.2 there was no exporter. */
static status_t material_make(const struct context *context, const struct keying *keying,
                              uint8_t **out)
{
    if (!context->session.suite) return SEC_E_UNSUPPORTED_FUNCTION;
    uint8_t *made = package_alloc(keying->size);
    if (!made) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = tls_export_keys(&context->session, keying->label,
                                      keying->has_context ? &keying->context : NULL, made,
                                      keying->size);
    if (status_ok(status)) *out = made;
    else package_free(made);
    return status;
}

/* The label counts its terminator. */
static status_t keying_read(WORD label_size, const char *label, WORD context_size,
                            const BYTE *context, DWORD size, struct keying *out)
{
    if (!label || !label_size || label[label_size - 1]) return SEC_E_INVALID_PARAMETER;
    if (label_size - 1u > TLS_BODY_LABEL_MAX || !size || size > TLS_BODY_MATERIAL_MAX)
        return SEC_E_INVALID_PARAMETER;
    if (context_size && !context) return SEC_E_INVALID_PARAMETER;
    *out = (struct keying){
        .label = {(const uint8_t *)label, label_size - 1u},
        .context = {context, context_size},
        .has_context = context != NULL,
        .size = size,
    };
    return SEC_E_OK;
}

status_t set_keying_material_info(struct context *context, const void *buffer, ULONG size)
{
    const SecPkgContext_KeyingMaterialInfo *given = buffer;
    struct blob label = {NULL, 0}, value = {NULL, 0};
    struct keying keying;
    if (size < sizeof(*given)) return SEC_E_BUFFER_TOO_SMALL;
    status_t status = keying_read(given->cbLabel, given->pszLabel, given->cbContextValue,
                                  given->pbContextValue, given->cbKeyingMaterial, &keying);
    if (status_ok(status)) status = blob_set(&label, keying.label);
    if (status_ok(status)) status = blob_set(&value, keying.context);
    if (!status_ok(status)) {
        blob_clear(&label);
        return status;
    }
    blob_clear(&context->keying_label);
    blob_clear(&context->keying_context);
    context->keying_label = label;
    context->keying_context = value;
    context->keying_has_context = keying.has_context;
    context->keying_size = keying.size;
    return SEC_E_OK;
}

/* As SECPKG_ATTR_KEYING_MATERIAL_INFO has asked for it. */
status_t query_keying_material(struct context *context, void *buffer)
{
    SecPkgContext_KeyingMaterial *out = buffer;
    const struct keying keying = {
        .label = blob_slice(&context->keying_label),
        .context = blob_slice(&context->keying_context),
        .has_context = context->keying_has_context,
        .size = context->keying_size,
    };
    uint8_t *made;
    if (!keying.size) return SEC_E_INVALID_PARAMETER;
    status_t status = material_make(context, &keying, &made);
    if (status_ok(status)) *out = (SecPkgContext_KeyingMaterial){keying.size, made};
    return status;
}

/* The same in one call. */
status_t query_keying_material_now(struct context *context, void *buffer)
{
    SecPkgContext_KeyingMaterial_Inproc *asked = buffer;
    struct keying keying;
    uint8_t *made;
    status_t status = keying_read(asked->cbLabel, asked->pszLabel, asked->cbContextValue,
                                  asked->pbContextValue, asked->cbKeyingMaterial, &keying);
    if (status_ok(status)) status = material_make(context, &keying, &made);
    if (status_ok(status)) asked->pbKeyingMaterial = made;
    return status;
}

/* ---- EAP ---- */

/* What SECPKG_ATTR_EAP_PRF_INFO chooses from. Microsoft's page has the randoms of EAP-TTLS in the
 * other order than RFC 5281 8; peers have them in this one. */
static const struct eap_method {
    const char *label;        /* TLS 1.2 */
    const char *modern_label; /* TLS 1.3: RFC 9190 2.3, RFC 9427 2.1 and 2.3 */
    uint8_t type;             /* its context; 0: none */
    bool has_ivs;
} eap_methods[] = {
    {"client EAP encryption", "EXPORTER_EAP_TLS_Key_Material", EAP_TYPE_TLS, true},
    {"ttls keying material", "EXPORTER_EAP_TLS_Key_Material", EAP_TYPE_TTLS, false},
    {"ttls challenge", "ttls challenge", 0, false},
};
#define EAP_PRF_FAST 3u /* RFC 4851 5.1: bytes behind those of the records' keys */

static struct slice label_slice(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

/* RFC 5216: keys from the master secret, IVs from an empty one, which to HMAC is one of zeros. */
static status_t eap_block_1_2(const struct tls_session *session, const struct eap_method *method,
                              SecPkgContext_EapKeyBlock *out)
{
    const struct slice label = label_slice(method->label);
    status_t status = tls_export_keys(session, label, NULL, out->rgbKeys, sizeof(out->rgbKeys));
    if (!status_ok(status) || !method->has_ivs) return status;
    struct tls_session empty = *session;
    secret_wipe(empty.master, sizeof(empty.master));
    status = tls_export_keys(&empty, label, NULL, out->rgbIVs, sizeof(out->rgbIVs));
    secret_wipe(&empty, sizeof(empty));
    return status;
}

/* RFC 9190 has no IVs any more. */
static status_t eap_block_1_3(const struct tls_session *session, const struct eap_method *method,
                              SecPkgContext_EapKeyBlock *out)
{
    const struct slice type = {&method->type, 1};
    return tls_export_keys(session, label_slice(method->modern_label), method->type ? &type : NULL,
                           out->rgbKeys, sizeof(out->rgbKeys));
}

status_t query_eap_key_block(struct context *context, void *buffer)
{
    SecPkgContext_EapKeyBlock block = {{0}, {0}};
    const struct tls_session *session = &context->session;
    const struct eap_method *method = &eap_methods[context->eap_prf];
    if (!session->suite) return SEC_E_UNSUPPORTED_FUNCTION;
    status_t status = session->version == TLS_1_3 ? eap_block_1_3(session, method, &block)
                                                  : eap_block_1_2(session, method, &block);
    if (status_ok(status)) memcpy(buffer, &block, sizeof(block));
    secret_wipe(&block, sizeof(block));
    return status;
}

status_t set_eap_prf_info(struct context *context, const void *buffer, ULONG size)
{
    const SecPkgContext_EapPrfInfo *given = buffer;
    DWORD number;
    if (size < sizeof(*given)) return SEC_E_BUFFER_TOO_SMALL;
    if (given->dwVersion || given->cbPrfData != sizeof(number) || !given->pbPrfData)
        return SEC_E_INVALID_PARAMETER;
    memcpy(&number, given->pbPrfData, sizeof(number));
    if (number == EAP_PRF_FAST) {
        WARN("keys for EAP-FAST are not made\n");
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
    if (number >= ARRAYSIZE(eap_methods)) return SEC_E_INVALID_PARAMETER;
    context->eap_prf = (uint8_t)number;
    return SEC_E_OK;
}

/* ---- channel bindings ---- */

/* One block: the structure, all zero but for its last two members, and the data behind it. */
static status_t bindings_give(const char *prefix, struct slice data, SecPkgContext_Bindings *out)
{
    size_t prefix_size = strlen(prefix), size = prefix_size + data.size;
    SEC_CHANNEL_BINDINGS *bindings = package_alloc(sizeof(*bindings) + size);
    if (!bindings) return SEC_E_INSUFFICIENT_MEMORY;
    *bindings = (SEC_CHANNEL_BINDINGS){
        .cbApplicationDataLength = (ULONG)size,
        .dwApplicationDataOffset = sizeof(*bindings),
    };
    uint8_t *at = (uint8_t *)(bindings + 1);
    memcpy(at, prefix, prefix_size);
    memcpy(at + prefix_size, data.data, data.size);
    *out = (SecPkgContext_Bindings){(ULONG)(sizeof(*bindings) + size), bindings};
    return SEC_E_OK;
}

status_t query_unique_bindings(struct context *context, void *buffer)
{
    const struct tls_session *session = &context->session;
    if (!session->has_finished || context->version == TLS_1_3) {
        TRACE("this connection has no tls-unique\n");
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
    return bindings_give(
        "tls-unique:", (struct slice){session->finished, sizeof(session->finished)}, buffer);
}

status_t query_endpoint_bindings(struct context *context, void *buffer)
{
    uint8_t digest[HASH_SIZE_MAX];
    struct slice certificate = server_certificate(context);
    if (!certificate.size) return SEC_E_NO_CREDENTIALS;
    enum crypto_hash hash = tls_binding_hash(certificate);
    status_t status = hash_digest(hash, &certificate, 1, digest);
    if (!status_ok(status)) return status;
    return bindings_give("tls-server-end-point:", (struct slice){digest, hash_size(hash)}, buffer);
}
