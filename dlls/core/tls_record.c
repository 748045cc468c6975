/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of TLS 1.2 with an AEAD (RFC 5246 6.2, RFC 5288 3, RFC 7905 2) and of TLS 1.3 (RFC 8446 5).
 * Both have the same nonces but where TLS 1.2 writes one part of them into the record, and the same
 * limits: with an AEAD a record is longer than its text by a fixed size, so the limit of the text is
 * one for the record.
 */
#include "core/secret.h"
#include "tls_private.h"

#include <string.h>

#define SHOWN_NONCE 8u

/* What protects one record. */
struct protection {
    uint8_t nonce[12];
    uint8_t associated[13];
    size_t associated_size;
};

size_t tls_header_size(const struct tls_session *session)
{
    return tls_shows_nonce(session) ? TLS_RECORD_HEADER + SHOWN_NONCE : TLS_RECORD_HEADER;
}

size_t tls_trailer_size(const struct tls_session *session)
{
    return tls_hides_type(session) ? AEAD_TAG_SIZE + 1 : AEAD_TAG_SIZE;
}

static void put_big(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = size; i-- > 0; value >>= 8) at[i] = (uint8_t)value;
}

/* RFC 8446 5.2: the header is associated. RFC 5246 6.2.3.3: sequence number, type and version, and
 * the size of the text. */
static void protect(const struct tls_session *session, const struct tls_direction *direction,
                    uint64_t sequence, const uint8_t header[TLS_RECORD_HEADER], size_t size,
                    struct protection *out)
{
    uint8_t number[8];
    put_big(number, sequence, sizeof(number));
    memcpy(out->nonce, direction->iv, sizeof(out->nonce));
    /* The end of an IV for GCM in TLS 1.2 is zero: the number itself is what this gives there. */
    for (size_t i = 0; i < sizeof(number); i++) out->nonce[4 + i] ^= number[i];
    if (tls_hides_type(session)) {
        memcpy(out->associated, header, TLS_RECORD_HEADER);
        out->associated_size = TLS_RECORD_HEADER;
        return;
    }
    memcpy(out->associated, number, sizeof(number));
    memcpy(out->associated + 8, header, 3);
    put_big(out->associated + 11, size, 2);
    out->associated_size = 13;
}

static struct slice associated(const struct protection *protection)
{
    return (struct slice){protection->associated, protection->associated_size};
}

status_t tls_record_seal(struct tls_session *session, enum tls_type type, uint8_t *header,
                         uint8_t *data, size_t size, uint8_t *trailer)
{
    struct tls_direction *send = &session->send;
    struct protection protection;
    if (size > TLS_PLAIN_MAX) return SEC_E_INVALID_PARAMETER;
    if (send->sequence == UINT64_MAX) return SEC_E_CONTEXT_EXPIRED;

    size_t hidden = tls_hides_type(session) ? 1 : 0;
    size_t more = tls_header_size(session) - TLS_RECORD_HEADER + tls_trailer_size(session);
    header[0] = (uint8_t)(hidden ? TLS_APPLICATION_DATA : type);
    put_big(header + 1, TLS_1_2, 2);
    put_big(header + 3, size + more, 2);
    protect(session, send, send->sequence, header, size, &protection);
    if (tls_shows_nonce(session))
        memcpy(header + TLS_RECORD_HEADER, protection.nonce + 4, SHOWN_NONCE);
    if (hidden) trailer[0] = (uint8_t)type;
    status_t status = aead_seal_pieces(send->aead, protection.nonce, associated(&protection), data,
                                       size, trailer, hidden, trailer + hidden);
    if (status_ok(status)) send->sequence++;
    return status;
}

/* A record in the caller's block, in its parts. */
struct parts {
    struct protection protection;
    uint8_t type;  /* of the header */
    uint8_t *data; /* with the type and the padding of TLS 1.3 */
    size_t size;
    uint8_t *tag;
};

static bool type_fits(const struct tls_session *session, uint8_t type)
{
    if (tls_hides_type(session))
        return type == TLS_APPLICATION_DATA || type == TLS_CHANGE_CIPHER_SPEC;
    return type >= TLS_CHANGE_CIPHER_SPEC && type <= TLS_APPLICATION_DATA;
}

static bool is_clear(const struct tls_session *session, uint8_t type)
{
    return tls_hides_type(session) && type == TLS_CHANGE_CIPHER_SPEC;
}

static bool length_fits(const struct tls_session *session, uint8_t type, size_t length)
{
    size_t more = tls_header_size(session) - TLS_RECORD_HEADER + tls_trailer_size(session);
    if (is_clear(session, type)) return length == 1;
    return length >= more && length <= TLS_PLAIN_MAX + more;
}

status_t tls_record_measure(const struct tls_session *session, const uint8_t *bytes, size_t size,
                            size_t *whole, size_t *missing)
{
    struct reader r;
    reader_init(&r, bytes, size);
    uint8_t type = reader_u8(&r);
    uint16_t version = reader_u16be(&r);
    size_t length = reader_u16be(&r), left = reader_left(&r);
    if (!reader_ok(&r)) {
        *missing = TLS_RECORD_HEADER - size;
        return SEC_E_INCOMPLETE_MESSAGE;
    }
    if (version != TLS_1_2 || !type_fits(session, type) || !length_fits(session, type, length))
        return SEC_E_INVALID_TOKEN;
    if (length > left) {
        *missing = length - left;
        return SEC_E_INCOMPLETE_MESSAGE;
    }
    *whole = TLS_RECORD_HEADER + length;
    return SEC_E_OK;
}

/* A whole record, with what protects it under that sequence number. */
static void take_apart(const struct tls_session *session, uint64_t sequence, uint8_t *bytes,
                       size_t whole, struct parts *out)
{
    struct reader r;
    uint8_t header[TLS_RECORD_HEADER], shown[SHOWN_NONCE];
    reader_init(&r, bytes, whole);
    reader_copy(&r, header, sizeof(header));
    out->type = header[0];
    if (tls_shows_nonce(session)) reader_copy(&r, shown, sizeof(shown));
    out->data = bytes + r.pos;
    out->size = reader_left(&r) - AEAD_TAG_SIZE;
    out->tag = out->data + out->size;
    protect(session, &session->receive, sequence, header, out->size, &out->protection);
    /* A peer may choose this part otherwise than from its sequence number. */
    if (tls_shows_nonce(session)) memcpy(out->protection.nonce + 4, shown, sizeof(shown));
}

/* RFC 8446 5.2 and 5.4: the last byte that is not padding is the type. Only data may be empty, there
 * as in RFC 5246 6.2.1. */
static status_t take_text(const struct tls_session *session, const struct parts *parts,
                          struct tls_record *out)
{
    size_t size = parts->size;
    uint8_t type = parts->type;
    if (tls_hides_type(session)) {
        while (size && !parts->data[size - 1]) size--;
        type = size ? parts->data[--size] : 0;
        if (type < TLS_ALERT || type > TLS_APPLICATION_DATA) return SEC_E_INVALID_TOKEN;
    }
    if (!size && type != TLS_APPLICATION_DATA) return SEC_E_INVALID_TOKEN;
    out->type = (enum tls_type)type;
    out->data = parts->data;
    out->size = size;
    return SEC_E_OK;
}

status_t tls_record_open(struct tls_session *session, uint8_t *bytes, size_t size,
                         struct tls_record *out, size_t *missing)
{
    struct tls_direction *receive = &session->receive;
    struct tls_record record;
    struct parts parts;
    status_t status = tls_record_measure(session, bytes, size, &record.whole, missing);
    if (!status_ok(status)) return status;
    if (is_clear(session, bytes[0])) {
        if (bytes[TLS_RECORD_HEADER] != 1) return SEC_E_INVALID_TOKEN;
        *out = (struct tls_record){TLS_CHANGE_CIPHER_SPEC, bytes + TLS_RECORD_HEADER, 1,
                                   record.whole};
        return SEC_E_OK;
    }
    if (receive->sequence == UINT64_MAX) return SEC_E_CONTEXT_EXPIRED;
    take_apart(session, receive->sequence, bytes, record.whole, &parts);
    status = aead_open(receive->aead, parts.protection.nonce, associated(&parts.protection),
                       parts.data, parts.size, parts.tag);
    if (!status_ok(status)) return status;
    status = take_text(session, &parts, &record);
    if (!status_ok(status)) {
        secret_wipe(parts.data, parts.size);
        return status;
    }
    receive->sequence++;
    *out = record;
    return SEC_E_OK;
}

status_t tls_record_restore(struct tls_session *session, uint8_t *bytes,
                            const struct tls_record *record)
{
    struct tls_direction *receive = &session->receive;
    struct parts parts;
    uint8_t tag[AEAD_TAG_SIZE]; /* that of the record is still there */
    if (is_clear(session, bytes[0])) return SEC_E_OK;
    if (!receive->sequence) return SEC_E_INTERNAL_ERROR;
    take_apart(session, receive->sequence - 1, bytes, record->whole, &parts);
    status_t status = aead_seal(receive->aead, parts.protection.nonce,
                                associated(&parts.protection), parts.data, parts.size, tag);
    if (status_ok(status)) receive->sequence--;
    return status;
}
