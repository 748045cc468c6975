/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an exchange has settled, and its keys. For an encryption type that core knows these are
 * taken out of the library with the first question, since nothing else tells the end of the ticket:
 * to servers the library names one that is later by the clock skew that it grants.
 */
#include "unix.h"

#include "core/der.h"
#include "core/kerberos.h"
#include "core/secret.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AUTHDATA_IF_RELEVANT 1
#define AUTHDATA_PAC 128 /* MS-PAC 3 */
#define PAC_LOGON_INFO 1u

/* The session key that SSPI tells, and its encryption type as the last part of an OID. */
static gss_OID_desc inquire_key = {11, (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05"};
#define KEY_TYPE_PREFIX 10u

/* Those of core/kerberos.h, of which the library here knows nothing more than the names. */
bool enctype_is_carried(uint32_t enctype)
{
    switch (enctype) {
    case KERBEROS_AES128_SHA1:
    case KERBEROS_AES256_SHA1:
    case KERBEROS_AES128_SHA256:
    case KERBEROS_AES256_SHA384:
    case KERBEROS_RC4: return true;
    default: return false;
    }
}

void outcome_free(struct outcome *outcome)
{
    if (!outcome) return;
    blob_clear(&outcome->client);
    blob_clear(&outcome->server);
    blob_clear(&outcome->pac);
    secret_free(outcome, sizeof(*outcome));
}

/* ---- the key ---- */

static uint32_t oid_last(const gss_buffer_desc *oid)
{
    const uint8_t *bytes = oid->value;
    uint32_t number = 0;
    for (size_t i = KEY_TYPE_PREFIX; i < oid->length; i++) number = number << 7 | (bytes[i] & 0x7f);
    return number;
}

static bool key_take(gss_ctx_id_t context, struct outcome *outcome)
{
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    OM_uint32 minor, major = gss.inquire_sec_context_by_oid(&minor, context, &inquire_key, &set);
    if (GSS_ERROR(major) || !set) return false;
    bool fits = set->count == 2 && set->elements[0].length <= CALL_KEY_MAX;
    if (fits) {
        outcome->key_size = set->elements[0].length;
        memcpy(outcome->key, set->elements[0].value, outcome->key_size);
        outcome->enctype = oid_last(&set->elements[1]);
    }
    if (set->count) secret_wipe(set->elements[0].value, set->elements[0].length);
    gss.release_buffer_set(&minor, &set);
    return fits;
}

/* ---- the client's groups ---- */

/* One buffer of a PAC (MS-PAC 2.3). */
static struct slice pac_buffer(struct slice pac, uint32_t kind)
{
    struct reader r;
    reader_init(&r, pac.data, pac.size);
    uint32_t count = reader_u32le(&r);
    reader_u32le(&r); /* version */
    while (count-- && reader_ok(&r)) {
        uint32_t type = reader_u32le(&r), size = reader_u32le(&r);
        uint64_t at = reader_u64le(&r);
        if (!reader_ok(&r) || type != kind) continue;
        if (at > pac.size || size > pac.size - at) break;
        return (struct slice){pac.data + at, size};
    }
    return (struct slice){0};
}

/* What MIT has verified the signature of: it tells where the client's ticket comes from. */
static status_t pac_verified(gss_name_t client, struct blob *out)
{
    gss_buffer_desc name = {sizeof("urn:mspac:logon-info") - 1, (void *)"urn:mspac:logon-info"};
    gss_buffer_desc value = {0}, shown = {0};
    int authenticated = 0, complete = 0, more = -1;
    OM_uint32 minor;
    status_t status = SEC_E_OK;
    if (!gss.get_name_attribute ||
        GSS_ERROR(gss.get_name_attribute(&minor, client, &name, &authenticated, &complete, &value,
                                         &shown, &more)))
        return SEC_E_OK;
    if (authenticated) status = blob_set(out, (struct slice){value.value, value.length});
    gss.release_buffer(&minor, &value);
    gss.release_buffer(&minor, &shown);
    return status;
}

/* The PAC in AD-IF-RELEVANT (RFC 4120 5.2.6.1), where KDCs put it. */
static struct slice pac_among(struct slice elements)
{
    static const uint8_t pac_type[] = {AUTHDATA_PAC >> 8, AUTHDATA_PAC & 0xff};
    struct reader r, list, element, field;
    reader_init(&r, elements.data, elements.size);
    der_enter(&r, DER_SEQUENCE, &list);
    while (reader_left(&list)) {
        der_enter(&list, DER_SEQUENCE, &element);
        der_enter(&element, DER_CONTEXT(0), &field);
        struct slice type = der_bytes(&field, DER_INTEGER);
        der_enter(&element, DER_CONTEXT(1), &field);
        struct slice data = der_bytes(&field, DER_OCTET_STRING);
        bool is_pac = type.size == sizeof(pac_type) && !memcmp(type.data, pac_type, type.size);
        if (is_pac && reader_ok(&field)) return data;
    }
    return (struct slice){0};
}

/* Heimdal finds the PAC, and has verified it with the ticket. MIT gives what the ticket has on its
 * uppermost level, and this is only to see whether there is something to ask for, since that takes
 * longer than all the rest. */
static status_t pac_take(const struct context *context, struct blob *out)
{
    gss_buffer_desc found = {0};
    OM_uint32 minor;
    int type = krb5_found ? AUTHDATA_IF_RELEVANT : AUTHDATA_PAC;
    if (!gss.extract_authz_data ||
        GSS_ERROR(gss.extract_authz_data(&minor, context->library, type, &found)))
        return SEC_E_OK;
    struct slice pac = {found.value, found.length};
    if (krb5_found) pac = pac_among(pac);
    struct slice info = pac_buffer(pac, PAC_LOGON_INFO);
    status_t status = SEC_E_OK;
    if (info.size && krb5_found) status = pac_verified(context->peer, out);
    else if (info.size) status = blob_set(out, info);
    gss.release_buffer(&minor, &found);
    return status;
}

/* ---- the whole ---- */

static const gss_krb5_lucid_key_t *lucid_key(const gss_krb5_lucid_context_v1_t *lucid)
{
    if (!lucid->protocol) return &lucid->rfc1964_kd.ctx_key;
    return lucid->cfx_kd.have_acceptor_subkey ? &lucid->cfx_kd.acceptor_subkey
                                              : &lucid->cfx_kd.ctx_key;
}

/* A server that has said nothing counts from the client's number on, of which Heimdal's export
 * knows nothing, on either side. */
static status_t lucid_read(const struct context *context, const gss_krb5_lucid_context_v1_t *lucid,
                           struct outcome *outcome)
{
    const gss_krb5_lucid_key_t *key = lucid_key(lucid);
    bool answered = context->flags & GSS_C_MUTUAL_FLAG;
    if (!enctype_is_carried(key->type) || key->length > CALL_KEY_MAX)
        return SEC_E_ALGORITHM_MISMATCH;
    outcome->carried = true;
    outcome->send_sequence = answered || !context->server ? lucid->send_seq : lucid->recv_seq;
    outcome->receive_sequence = answered || context->server ? lucid->recv_seq : lucid->send_seq;
    outcome->acceptor_subkey = lucid->protocol && lucid->cfx_kd.have_acceptor_subkey;
    outcome->expiry = lucid->endtime;
    outcome->enctype = key->type;
    outcome->key_size = key->length;
    memcpy(outcome->key, key->data, key->length);
    return SEC_E_OK;
}

static status_t lucid_take(struct context *context, struct outcome *outcome)
{
    void *lucid = NULL;
    OM_uint32 minor, major;
    major = gss.krb5_export_lucid_sec_context(&minor, &context->library, 1, &lucid);
    if (GSS_ERROR(major)) return SEC_E_INTERNAL_ERROR;
    status_t status = lucid_read(context, lucid, outcome);
    gss.krb5_free_lucid_sec_context(&minor, lucid);
    return status;
}

/* Each name that is asked for costs the library a reading of its configuration. */
static status_t names_take(struct context *context, struct outcome *outcome)
{
    gss_name_t client = GSS_C_NO_NAME, server = GSS_C_NO_NAME;
    OM_uint32 minor, left = 0;
    bool known = context->client_name.size && context->server_name.size;
    OM_uint32 major = gss.inquire_context(&minor, context->library, known ? NULL : &client,
                                          known ? NULL : &server, &left, NULL, NULL, NULL, NULL);
    if (GSS_ERROR(major)) return SEC_E_INTERNAL_ERROR;
    if (left != GSS_C_INDEFINITE) outcome->expiry = (uint64_t)time(NULL) + left;
    status_t status = known ? blob_set(&outcome->client, blob_slice(&context->client_name))
                            : name_text(client, &outcome->client);
    if (status_ok(status))
        status = known ? blob_set(&outcome->server, blob_slice(&context->server_name))
                       : name_text(server, &outcome->server);
    gss.release_name(&minor, &client);
    gss.release_name(&minor, &server);
    return status;
}

/* Heimdal does not tell the key before it gives everything away. Then there is no way back for an
 * encryption type that core does not know; those that Heimdal has are out of use (RFC 8429). */
static status_t outcome_fill(struct context *context, struct outcome *outcome)
{
    OM_uint32 minor;
    int64_t start = 0;
    status_t status = names_take(context, outcome);
    if (!status_ok(status)) return status;
    if (gss.extract_authtime && !GSS_ERROR(gss.extract_authtime(&minor, context->library, &start)))
        outcome->start = (uint64_t)start;
    if (context->server) status = pac_take(context, &outcome->pac);
    if (!status_ok(status)) return status;
    bool known = key_take(context->library, outcome);
    return known && !enctype_is_carried(outcome->enctype) ? SEC_E_OK : lucid_take(context, outcome);
}

static status_t outcome_get(struct context *context, struct outcome **out)
{
    if (!context) return SEC_E_INVALID_HANDLE;
    *out = context->outcome;
    if (*out) return SEC_E_OK;
    if (!context->done || !context->library) return SEC_E_INVALID_HANDLE;
    struct outcome *outcome = calloc(1, sizeof(*outcome));
    if (!outcome) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = outcome_fill(context, outcome);
    if (status_ok(status)) *out = context->outcome = outcome;
    else outcome_free(outcome);
    return status;
}

static bool text_tell(const struct blob *text, char *out, size_t room, uint32_t *size)
{
    *size = (uint32_t)text->size;
    if (text->size && text->size <= room) memcpy(out, text->data, text->size);
    return text->size <= room;
}

status_t context_facts(void *params)
{
    struct kerberos_call_facts *call = params;
    struct outcome *outcome;
    status_t status = outcome_get(unixcall_pointer(call->context), &outcome);
    if (!status_ok(status)) return status;
    bool fits = text_tell(&outcome->client, call->client, sizeof(call->client), &call->client_size);
    fits &= text_tell(&outcome->server, call->server, sizeof(call->server), &call->server_size);
    call->start = outcome->start;
    call->expiry = outcome->expiry;
    call->key_enctype = outcome->enctype;
    call->key_size = (uint32_t)outcome->key_size;
    memcpy(call->key, outcome->key, sizeof(call->key));
    call->pac_size = outcome->pac.size;
    if (!fits || call->pac_size > call->pac_room) return SEC_E_BUFFER_TOO_SMALL;
    if (call->pac_size) memcpy(unixcall_pointer(call->pac), outcome->pac.data, outcome->pac.size);
    return SEC_E_OK;
}

status_t context_session(void *params)
{
    struct kerberos_call_session *call = params;
    struct outcome *outcome;
    status_t status = outcome_get(unixcall_pointer(call->context), &outcome);
    if (!status_ok(status)) return status;
    if (!outcome->carried)
        return error_say(SEC_E_UNSUPPORTED_FUNCTION, call->why,
                         "messages of encryption type %u are left to the library",
                         (unsigned)outcome->enctype);
    call->send_sequence = outcome->send_sequence;
    call->receive_sequence = outcome->receive_sequence;
    call->enctype = outcome->enctype;
    call->key_size = (uint32_t)outcome->key_size;
    call->acceptor_subkey = outcome->acceptor_subkey;
    memcpy(call->key, outcome->key, sizeof(call->key));
    return SEC_E_OK;
}
