/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading and writing the messages of SPNEGO: RFC 4178 4.2, MS-SPNG 2.2.1 (NegTokenInit2), and the
 * frame of a GSS-API token (RFC 2743 3.1). What a message means is decided elsewhere. Elements that
 * a later version may append are not known to exist and are refused.
 */
#include "core/spnego.h"

#include <string.h>

#define ARC_OCTETS 5u /* of 32 bits */

static const uint8_t oid_spnego[] = {0x2b, 6, 1, 5, 5, 2};
static const uint8_t oid_ntlm[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10};
static const uint8_t oid_kerberos[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2};
static const uint8_t oid_ms_kerberos[] = {0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2};
static const uint8_t ntlm_signature[] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};

const struct slice spnego_oid_ntlm = {oid_ntlm, sizeof(oid_ntlm)};
const struct slice spnego_oid_kerberos = {oid_kerberos, sizeof(oid_kerberos)};
const struct slice spnego_oid_ms_kerberos = {oid_ms_kerberos, sizeof(oid_ms_kerberos)};

static bool is_bytes(struct slice found, const uint8_t *bytes, size_t size)
{
    return found.size == size && !memcmp(found.data, bytes, size);
}

/* ---- which message ---- */

#define KERBEROS_AP_REQ DER_APPLICATION(14) /* RFC 4120 5.5.1 */

/* Enters the GSS-API frame and passes the mechanism it names. */
static struct slice enter_frame(struct reader *r, struct reader *content)
{
    der_enter(r, DER_APPLICATION(0), content);
    return der_bytes(content, DER_OID);
}

enum spnego_kind spnego_kind(struct slice token, struct slice *mech)
{
    struct reader r, content;
    reader_init(&r, token.data, token.size);
    if (der_next_is(&r, DER_CONTEXT(1))) return SPNEGO_RESPONSE;
    if (der_next_is(&r, KERBEROS_AP_REQ)) {
        if (mech) *mech = spnego_oid_kerberos;
        return SPNEGO_RAW_MECH;
    }
    if (!der_next_is(&r, DER_APPLICATION(0))) {
        struct slice start = reader_bytes(&r, sizeof(ntlm_signature));
        bool ntlm = is_bytes(start, ntlm_signature, sizeof(ntlm_signature));
        return ntlm ? SPNEGO_RAW_NTLM : SPNEGO_UNKNOWN;
    }
    struct slice found = enter_frame(&r, &content);
    if (!reader_ok(&content) || !found.size) return SPNEGO_UNKNOWN;
    if (is_bytes(found, oid_spnego, sizeof(oid_spnego))) return SPNEGO_INIT;
    if (mech) *mech = found;
    return SPNEGO_RAW_MECH;
}

/* ---- decoding ---- */

/* The one element that the part [number] holds; data NULL when the part is left out. */
static struct slice optional_part(struct reader *r, unsigned number, uint8_t tag)
{
    struct reader part;
    if (!der_optional(r, (uint8_t)DER_CONTEXT(number), &part)) return (struct slice){NULL, 0};
    struct slice bytes = der_bytes(&part, tag);
    if (!reader_end(&part)) reader_fail(r);
    return bytes;
}

/* Enters the SEQUENCE in the choice [number], behind which nothing may stand. */
static void enter_message(struct reader *r, unsigned number, struct reader *body)
{
    struct reader choice;
    der_enter(r, (uint8_t)DER_CONTEXT(number), &choice);
    der_enter(&choice, DER_SEQUENCE, body);
    if (!reader_end(r) || !reader_end(&choice)) reader_fail(body);
}

static void read_mech_list(struct reader *r, struct spnego_init *message)
{
    struct reader part, whole, list;
    der_enter(r, DER_CONTEXT(0), &part);
    message->mech_list = der_element(&part, DER_SEQUENCE);
    reader_init(&whole, message->mech_list.data, message->mech_list.size);
    der_enter(&whole, DER_SEQUENCE, &list);
    while (reader_left(&list) && message->mech_count < SPNEGO_MECHS_MAX) {
        struct slice mech = der_bytes(&list, DER_OID);
        if (!mech.size) reader_fail(&list);
        message->mechs[message->mech_count++] = mech;
    }
    if (!reader_end(&part) || !reader_end(&list) || !message->mech_count) reader_fail(r);
}

/* [3] is mechListMIC in NegTokenInit; in NegTokenInit2 it is negHints, and mechListMIC is [4]. */
static void read_hints_and_mic(struct reader *r, struct spnego_init *message)
{
    struct reader part, hints;
    if (der_optional(r, DER_CONTEXT(3), &part)) {
        if (!der_next_is(&part, DER_SEQUENCE)) {
            message->mic = der_bytes(&part, DER_OCTET_STRING);
            if (!reader_end(&part)) reader_fail(r);
            return;
        }
        der_enter(&part, DER_SEQUENCE, &hints);
        message->hint_name = optional_part(&hints, 0, DER_GENERAL_STRING);
        optional_part(&hints, 1, DER_OCTET_STRING); /* hintAddress; nobody uses it */
        if (!reader_end(&part) || !reader_end(&hints)) reader_fail(r);
    }
    message->mic = optional_part(r, 4, DER_OCTET_STRING);
}

status_t spnego_init_decode(struct slice token, struct spnego_init *out)
{
    struct reader r, frame, body;
    struct spnego_init message;
    memset(&message, 0, sizeof(message));
    if (token.size > SPNEGO_TOKEN_MAX) return SEC_E_INVALID_TOKEN;
    reader_init(&r, token.data, token.size);
    struct slice mech = enter_frame(&r, &frame);
    if (!reader_end(&r) || !is_bytes(mech, oid_spnego, sizeof(oid_spnego)))
        return SEC_E_INVALID_TOKEN;
    enter_message(&frame, 0, &body);
    read_mech_list(&body, &message);
    optional_part(&body, 1, DER_BIT_STRING); /* reqFlags: not protected, so to be ignored */
    message.token = optional_part(&body, 2, DER_OCTET_STRING);
    read_hints_and_mic(&body, &message);
    if (!reader_end(&body)) return SEC_E_INVALID_TOKEN;
    *out = message;
    return SEC_E_OK;
}

static enum spnego_state read_state(struct reader *r)
{
    struct slice state = optional_part(r, 0, DER_ENUMERATED);
    if (!state.data) return SPNEGO_STATE_ABSENT;
    if (state.size != 1 || *state.data > SPNEGO_REQUEST_MIC) {
        reader_fail(r);
        return SPNEGO_STATE_ABSENT;
    }
    return (enum spnego_state) * state.data;
}

status_t spnego_response_decode(struct slice token, struct spnego_response *out)
{
    struct reader r, body;
    struct spnego_response message;
    if (token.size > SPNEGO_TOKEN_MAX) return SEC_E_INVALID_TOKEN;
    reader_init(&r, token.data, token.size);
    enter_message(&r, 1, &body);
    message.state = read_state(&body);
    message.mech = optional_part(&body, 1, DER_OID);
    if (message.mech.data && !message.mech.size) reader_fail(&body);
    message.token = optional_part(&body, 2, DER_OCTET_STRING);
    message.mic = optional_part(&body, 3, DER_OCTET_STRING);
    if (!reader_end(&body)) return SEC_E_INVALID_TOKEN;
    *out = message;
    return SEC_E_OK;
}

/* ---- encoding ---- */

static void write_part(struct writer *w, unsigned number, uint8_t tag, struct slice content)
{
    if (!content.data) return;
    size_t mark = der_open(w, (uint8_t)DER_CONTEXT(number));
    der_write(w, tag, content);
    der_close(w, mark);
}

/* What no peer of ours would take is not sent either. */
static void check_size(struct writer *w, size_t start)
{
    if (w->size - start > SPNEGO_TOKEN_MAX) writer_fail(w);
}

void spnego_mech_list_encode(struct writer *w, const struct slice *mechs, size_t count)
{
    size_t mark = der_open(w, DER_SEQUENCE);
    if (!count || count > SPNEGO_MECHS_MAX) writer_fail(w);
    for (size_t i = 0; i < count; i++) der_write(w, DER_OID, mechs[i]);
    der_close(w, mark);
}

static void write_hints(struct writer *w, struct slice name)
{
    size_t part = der_open(w, DER_CONTEXT(3));
    size_t hints = der_open(w, DER_SEQUENCE);
    write_part(w, 0, DER_GENERAL_STRING, name);
    der_close(w, hints);
    der_close(w, part);
}

void spnego_init_encode(struct writer *w, const struct spnego_init *message)
{
    size_t start = w->size;
    size_t frame = der_open(w, DER_APPLICATION(0));
    der_write(w, DER_OID, (struct slice){oid_spnego, sizeof(oid_spnego)});
    size_t choice = der_open(w, DER_CONTEXT(0));
    size_t body = der_open(w, DER_SEQUENCE);
    size_t list = der_open(w, DER_CONTEXT(0));
    spnego_mech_list_encode(w, message->mechs, message->mech_count);
    der_close(w, list);
    write_part(w, 2, DER_OCTET_STRING, message->token);
    if (message->hint_name.data) write_hints(w, message->hint_name);
    write_part(w, message->hint_name.data ? 4 : 3, DER_OCTET_STRING, message->mic);
    der_close(w, body);
    der_close(w, choice);
    der_close(w, frame);
    check_size(w, start);
}

void spnego_response_encode(struct writer *w, const struct spnego_response *message)
{
    size_t start = w->size;
    const uint8_t state = (uint8_t)message->state;
    size_t choice = der_open(w, DER_CONTEXT(1));
    size_t body = der_open(w, DER_SEQUENCE);
    if (message->state != SPNEGO_STATE_ABSENT)
        write_part(w, 0, DER_ENUMERATED, (struct slice){&state, 1});
    write_part(w, 1, DER_OID, message->mech);
    write_part(w, 2, DER_OCTET_STRING, message->token);
    write_part(w, 3, DER_OCTET_STRING, message->mic);
    der_close(w, body);
    der_close(w, choice);
    check_size(w, start);
}

/* ---- object identifiers ---- */

/* A decimal number of 32 bits without needless zeros; *text moves behind it. */
static bool read_arc(const char **text, uint64_t *arc)
{
    const char *at = *text;
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    if (at == *text || value > UINT32_MAX || (**text == '0' && at - *text > 1)) return false;
    *text = at;
    *arc = value;
    return true;
}

/* X.690 8.19.2: groups of seven bits, the highest first. */
static void write_arc(struct writer *w, uint64_t arc)
{
    uint8_t octets[ARC_OCTETS];
    size_t at = sizeof(octets);
    octets[--at] = arc & 0x7f;
    while (arc >>= 7) octets[--at] = (uint8_t)(0x80 | (arc & 0x7f));
    writer_bytes(w, octets + at, sizeof(octets) - at);
}

bool spnego_oid_parse(const char *text, struct writer *w)
{
    uint8_t block[SPNEGO_OID_MAX];
    struct writer oid;
    uint64_t first, arc;
    writer_init_fixed(&oid, block, sizeof(block));
    if (!read_arc(&text, &first) || first > 2 || *text++ != '.' || !read_arc(&text, &arc))
        return false;
    /* The first two share a number, which leaves room for 40 unless the first is 2. */
    if (first < 2 && arc >= 40) return false;
    write_arc(&oid, 40 * first + arc);
    while (*text) {
        if (*text++ != '.' || !read_arc(&text, &arc)) return false;
        write_arc(&oid, arc);
    }
    if (writer_status(&oid) != SEC_E_OK) return false;
    writer_slice(w, writer_view(&oid));
    return writer_status(w) == SEC_E_OK;
}
