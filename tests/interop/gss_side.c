/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages by the host's GSS-API for an interoperability test; see gss_side.h. */
#include "gss_side.h"

#include "tcp.h"

#include <gssapi/gssapi_ext.h>
#include <stdio.h>
#include <string.h>

static const struct {
    uint32_t status;
    const char *name;
} status_names[] = {
    {GSS_S_BAD_SIG, "GSS_S_BAD_SIG"},
    {GSS_S_BAD_BINDINGS, "GSS_S_BAD_BINDINGS"},
    {GSS_S_BAD_MECH, "GSS_S_BAD_MECH"},
    {GSS_S_CREDENTIALS_EXPIRED, "GSS_S_CREDENTIALS_EXPIRED"},
    {GSS_S_DEFECTIVE_CREDENTIAL, "GSS_S_DEFECTIVE_CREDENTIAL"},
    {GSS_S_DEFECTIVE_TOKEN, "GSS_S_DEFECTIVE_TOKEN"},
    {GSS_S_FAILURE, "GSS_S_FAILURE"},
    {GSS_S_NO_CONTEXT, "GSS_S_NO_CONTEXT"},
    {GSS_S_NO_CRED, "GSS_S_NO_CRED"},
    {GSS_S_UNAUTHORIZED, "GSS_S_UNAUTHORIZED"},
    {GSS_S_DUPLICATE_TOKEN, "GSS_S_DUPLICATE_TOKEN"},
    {GSS_S_GAP_TOKEN, "GSS_S_GAP_TOKEN"},
    {GSS_S_OLD_TOKEN, "GSS_S_OLD_TOKEN"},
    {GSS_S_UNSEQ_TOKEN, "GSS_S_UNSEQ_TOKEN"},
};

const char *gss_side_status_name(uint32_t status)
{
    static char number[32];
    const uint32_t error = GSS_ERROR(status) ? GSS_ERROR(status) : status;
    for (unsigned i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++) {
        if (status_names[i].status == error) return status_names[i].name;
    }
    snprintf(number, sizeof(number), "0x%08x", (unsigned)status);
    return number;
}

/* Moves a GSS buffer into one of ours. */
static uint32_t take_buffer(uint32_t major, gss_buffer_t from, struct octets *to)
{
    uint32_t minor;
    if (GSS_ERROR(major)) return major;
    if (octets_alloc(to, from->length)) {
        memcpy(to->data, from->value, from->length);
    } else {
        major = GSS_S_FAILURE;
    }
    gss_release_buffer(&minor, from);
    return major;
}

static gss_buffer_desc as_buffer(const struct octets *octets)
{
    return (gss_buffer_desc){.length = octets->size, .value = octets->data};
}

/* ---- DCE style: the token, data and padding are apart ---- */

enum { HEADER, DATA, PADDING, PARTS };

static void set_type(gss_iov_buffer_desc iov[PARTS], OM_uint32 more)
{
    iov[HEADER].type = GSS_IOV_BUFFER_TYPE_HEADER | more;
    iov[DATA].type = GSS_IOV_BUFFER_TYPE_DATA;
    iov[PADDING].type = GSS_IOV_BUFFER_TYPE_PADDING | more;
}

static uint32_t seal_apart(struct gss_side *side, const struct octets *text, struct octets *sealed)
{
    gss_iov_buffer_desc iov[PARTS] = {{0}};
    struct octets work = {0};
    struct dialogue_parts parts;
    uint32_t major, minor;
    int confidential = 0;
    if (!octets_alloc(&work, text->size)) return GSS_S_FAILURE;
    memcpy(work.data, text->data, text->size);
    set_type(iov, GSS_IOV_BUFFER_FLAG_ALLOCATE);
    iov[DATA].buffer = as_buffer(&work);
    major = gss_wrap_iov(&minor, side->context, !side->integrity, GSS_C_QOP_DEFAULT, &confidential,
                         iov, PARTS);
    if (!GSS_ERROR(major) && !confidential != side->integrity) major = GSS_S_FAILURE;
    if (!GSS_ERROR(major)) {
        parts = (struct dialogue_parts){
            .token = {iov[HEADER].buffer.value, iov[HEADER].buffer.length},
            .data = work,
            .padding = {iov[PADDING].buffer.value, iov[PADDING].buffer.length},
        };
        if (!dialogue_join(&parts, sealed)) major = GSS_S_FAILURE;
    }
    gss_release_iov_buffer(&minor, iov, PARTS);
    octets_clear(&work);
    return major;
}

static uint32_t unseal_apart(struct gss_side *side, struct octets *sealed, struct octets *text)
{
    gss_iov_buffer_desc iov[PARTS] = {{0}};
    struct dialogue_parts parts;
    uint32_t major, minor;
    int confidential = 0;
    if (!dialogue_split(sealed, &parts)) return GSS_S_DEFECTIVE_TOKEN;
    set_type(iov, 0);
    iov[HEADER].buffer = as_buffer(&parts.token);
    iov[DATA].buffer = as_buffer(&parts.data);
    iov[PADDING].buffer = as_buffer(&parts.padding);
    major = gss_unwrap_iov(&minor, side->context, &confidential, NULL, iov, PARTS);
    if (GSS_ERROR(major)) return major;
    if (!confidential != side->integrity || !octets_alloc(text, iov[DATA].buffer.length)) {
        return GSS_S_FAILURE;
    }
    memcpy(text->data, iov[DATA].buffer.value, text->size);
    return major;
}

/* ---- dialogue_ops ---- */

static uint32_t side_seal(void *context, const struct octets *text, struct octets *sealed)
{
    struct gss_side *side = context;
    if (side->apart) return seal_apart(side, text, sealed);
    gss_buffer_desc in = as_buffer(text), out = GSS_C_EMPTY_BUFFER;
    uint32_t minor;
    int confidential = 0;
    uint32_t major = gss_wrap(&minor, side->context, !side->integrity, GSS_C_QOP_DEFAULT, &in,
                              &confidential, &out);
    major = take_buffer(major, &out, sealed);
    return major || !confidential == side->integrity ? major : GSS_S_FAILURE;
}

static uint32_t side_unseal(void *context, const struct octets *sealed, struct octets *text)
{
    struct gss_side *side = context;
    struct octets work = {0};
    gss_buffer_desc in = as_buffer(sealed), out = GSS_C_EMPTY_BUFFER;
    uint32_t major, minor;
    int confidential = 0;
    if (side->apart) {
        if (!octets_alloc(&work, sealed->size)) return GSS_S_FAILURE;
        memcpy(work.data, sealed->data, sealed->size);
        major = unseal_apart(side, &work, text);
        octets_clear(&work);
        return major;
    }
    major = gss_unwrap(&minor, side->context, &in, &out, &confidential, NULL);
    major = take_buffer(major, &out, text);
    return major || !confidential == side->integrity ? major : GSS_S_FAILURE;
}

static uint32_t side_sign(void *context, const struct octets *text, struct octets *signature)
{
    struct gss_side *side = context;
    gss_buffer_desc in = as_buffer(text), out = GSS_C_EMPTY_BUFFER;
    uint32_t minor;
    uint32_t major = gss_get_mic(&minor, side->context, GSS_C_QOP_DEFAULT, &in, &out);
    return take_buffer(major, &out, signature);
}

static uint32_t side_verify(void *context, const struct octets *text,
                            const struct octets *signature)
{
    struct gss_side *side = context;
    gss_buffer_desc in = as_buffer(text), mic = as_buffer(signature);
    uint32_t minor;
    return gss_verify_mic(&minor, side->context, &in, &mic, NULL);
}

const struct dialogue_ops gss_side_ops = {
    .seal = side_seal,
    .unseal = side_unseal,
    .sign = side_sign,
    .verify = side_verify,
    .status_name = gss_side_status_name,
    .write = tcp_write,
    .read = tcp_read,
};

bool gss_side_print_key(struct dialogue *dialogue)
{
    struct gss_side *side = dialogue->context;
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    uint32_t minor;
    uint32_t major = gss_inquire_sec_context_by_oid(&minor, side->context,
                                                    GSS_C_INQ_SSPI_SESSION_KEY, &set);
    if (GSS_ERROR(major)) return dialogue_fail(dialogue, "key", gss_side_status_name(major));
    const uint8_t *key = set->elements[0].value;
    printf("key: ");
    for (size_t i = 0; i < set->elements[0].length; i++) printf("%02x", key[i]);
    printf("\n");
    gss_release_buffer_set(&minor, &set);
    return true;
}
