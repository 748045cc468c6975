/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of TLS 1.2 with an AEAD (RFC 5246 6.2, RFC 5288 3, RFC 6655 3, RFC 7905 2) and of TLS 1.3
 * (RFC 8446 5). Both have the same nonces, only that TLS 1.2 may write a part of them into the
 * record, and the same limits: with an AEAD a record is longer than its text by a fixed size, so
 * the limit of the text is one of the record too.
 */
#include "core/secret.h"
#include "tls_private.h"

#include <string.h>

/* By how much the length in a header exceeds the text. */
static size_t overhead(const struct tls_session *session)
{
    return tls_header_size(session) - TLS_RECORD_HEADER + tls_trailer_size(session);
}

/* What protects one record. */
struct protection {
    uint8_t nonce[12];
    uint8_t associated[13];
};

/* Written out, since compilers make one instruction of this, but not of a loop. */
static void put_u64be(uint8_t *at, uint64_t value)
{
    at[0] = (uint8_t)(value >> 56);
    at[1] = (uint8_t)(value >> 48);
    at[2] = (uint8_t)(value >> 40);
    at[3] = (uint8_t)(value >> 32);
    at[4] = (uint8_t)(value >> 24);
    at[5] = (uint8_t)(value >> 16);
    at[6] = (uint8_t)(value >> 8);
    at[7] = (uint8_t)value;
}

static uint64_t get_u64be(const uint8_t *at)
{
    return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 |
           (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 |
           (uint64_t)at[6] << 8 | (uint64_t)at[7];
}

static void put_u16be(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint16_t get_u16be(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* RFC 8446 5.3, RFC 7905 2. The end of an IV for GCM in TLS 1.2 is zero, so that the number itself
 * stands there (RFC 5288 3). */
static void make_nonce(const struct tls_direction *direction, uint64_t sequence, uint8_t nonce[12])
{
    memcpy(nonce, direction->iv, 4);
    put_u64be(nonce + 4, get_u64be(direction->iv + 4) ^ sequence);
}

/* RFC 8446 5.2: the header is associated. RFC 5246 6.2.3.3: sequence number, type and version, and
 * the size of the text. A value, since one that is written to memory and read again at once is
 * waited for. */
static struct slice associate(const struct tls_session *session, uint64_t sequence,
                              const uint8_t *header, size_t size, struct protection *out)
{
    if (tls_hides_type(session)) return (struct slice){header, TLS_RECORD_HEADER};
    put_u64be(out->associated, sequence);
    out->associated[8] = header[0];
    put_u16be(out->associated + 9, TLS_1_2);
    put_u16be(out->associated + 11, size);
    return (struct slice){out->associated, sizeof(out->associated)};
}

status_t tls_record_seal(struct tls_session *session, enum tls_type type, uint8_t *header,
                         uint8_t *data, size_t size, uint8_t *trailer)
{
    struct tls_direction *send = &session->send;
    struct protection protection;
    if (size > tls_plain_limit(session)) return SEC_E_INVALID_PARAMETER;
    if (send->sequence == UINT64_MAX) return SEC_E_CONTEXT_EXPIRED;

    size_t hidden = tls_hides_type(session) ? 1 : 0;
    header[0] = (uint8_t)(hidden ? TLS_APPLICATION_DATA : type);
    put_u16be(header + 1, TLS_1_2);
    put_u16be(header + 3, size + overhead(session));
    make_nonce(send, send->sequence, protection.nonce);
    struct slice associated = associate(session, send->sequence, header, size, &protection);
    if (tls_shows_nonce(session)) put_u64be(header + TLS_RECORD_HEADER, send->sequence);
    if (hidden) trailer[0] = (uint8_t)type;
    status_t status = aead_seal_pieces(send->aead, protection.nonce, associated, data, size,
                                       trailer, hidden, trailer + hidden);
    if (status_ok(status)) send->sequence++;
    return status;
}

/* ---- opening ---- */

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
    size_t more = overhead(session);
    if (is_clear(session, type)) return length == 1;
    return length >= more && length <= TLS_PLAIN_MAX + more;
}

/* The header at the cursor; what follows it is all there if this succeeds. */
static status_t read_header(const struct tls_session *session, struct reader *r, uint8_t *type,
                            size_t *length, size_t *missing)
{
    size_t size = reader_left(r);
    struct slice header = reader_bytes(r, TLS_RECORD_HEADER);
    if (!reader_ok(r)) {
        *missing = TLS_RECORD_HEADER - size;
        return SEC_E_INCOMPLETE_MESSAGE;
    }
    *type = header.data[0];
    *length = get_u16be(header.data + 3);
    if (get_u16be(header.data + 1) != TLS_1_2 || !type_fits(session, *type) ||
        !length_fits(session, *type, *length))
        return SEC_E_INVALID_TOKEN;
    if (*length <= size - TLS_RECORD_HEADER) return SEC_E_OK;
    *missing = *length - (size - TLS_RECORD_HEADER);
    return SEC_E_INCOMPLETE_MESSAGE;
}

status_t tls_record_measure(const struct tls_session *session, const uint8_t *bytes, size_t size,
                            size_t *whole, size_t *missing)
{
    struct reader r;
    uint8_t type;
    size_t length;
    reader_init(&r, bytes, size);
    status_t status = read_header(session, &r, &type, &length, missing);
    if (status == SEC_E_OK) *whole = TLS_RECORD_HEADER + length;
    return status;
}

struct slice tls_datagram_record(struct slice datagram)
{
    struct reader r;
    reader_init(&r, datagram.data, datagram.size);
    reader_skip(&r, DTLS_RECORD_HEADER - 2);
    reader_skip(&r, reader_u16be(&r));
    return (struct slice){datagram.data, reader_ok(&r) ? r.pos : 0};
}

uint8_t tls_record_alert(const struct tls_session *session, const uint8_t *bytes, size_t size)
{
    enum { RECORD_OVERFLOW = 22, DECODE_ERROR = 50 };
    struct reader r;
    reader_init(&r, bytes, size);
    uint8_t type = reader_u8(&r);
    uint16_t version = reader_u16be(&r);
    size_t length = reader_u16be(&r), more = session ? overhead(session) : 0;
    if (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_APPLICATION_DATA) return TLS_UNEXPECTED_MESSAGE;
    if (!reader_ok(&r) || version >> 8 != TLS_1_0 >> 8) return DECODE_ERROR;
    if (length > (session ? TLS_PLAIN_MAX + more : TLS_FRAGMENT_MAX)) return RECORD_OVERFLOW;
    bool is_short = length < more && !(session && is_clear(session, type));
    return is_short ? DECODE_ERROR : TLS_UNEXPECTED_MESSAGE;
}

/* A record in the caller's block, in its parts. */
struct parts {
    struct protection protection;
    struct slice associated;
    uint8_t *data; /* with the type and the padding of TLS 1.3 */
    size_t size;
    uint8_t *tag;
};

/* A record whose header has been read; a peer may choose its part of the nonce otherwise than from
 * the sequence number. */
static void take_apart(const struct tls_session *session, uint64_t sequence, uint8_t *bytes,
                       size_t length, struct reader *r, struct parts *out)
{
    const struct tls_direction *receive = &session->receive;
    out->size = length - tls_tag_size(session->suite);
    make_nonce(receive, sequence, out->protection.nonce);
    if (tls_shows_nonce(session)) {
        reader_copy(r, out->protection.nonce + 4, TLS_SHOWN_NONCE);
        out->size -= TLS_SHOWN_NONCE;
    }
    out->data = bytes + r->pos;
    out->tag = out->data + out->size;
    out->associated = associate(session, sequence, bytes, out->size, &out->protection);
}

/* RFC 8446 5.2 and 5.4: the last byte that is not padding is the type. Only data may be empty,
 * there as in RFC 5246 6.2.1. */
static status_t take_text(const struct tls_session *session, uint8_t type,
                          const struct parts *parts, struct tls_record *out)
{
    size_t size = parts->size;
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

static status_t take_clear(struct reader *r, uint8_t *bytes, struct tls_record *out)
{
    if (reader_u8(r) != 1) return SEC_E_INVALID_TOKEN;
    *out = (struct tls_record){TLS_CHANGE_CIPHER_SPEC, bytes + TLS_RECORD_HEADER, 1, r->pos};
    return SEC_E_OK;
}

status_t tls_record_open(struct tls_session *session, uint8_t *bytes, size_t size,
                         struct tls_record *out, size_t *missing)
{
    struct tls_direction *receive = &session->receive;
    struct reader r;
    struct parts parts;
    uint8_t type;
    size_t length;
    reader_init(&r, bytes, size);
    status_t status = read_header(session, &r, &type, &length, missing);
    if (!status_ok(status)) return status;
    if (is_clear(session, type)) return take_clear(&r, bytes, out);
    if (receive->sequence == UINT64_MAX) return SEC_E_CONTEXT_EXPIRED;
    take_apart(session, receive->sequence, bytes, length, &r, &parts);
    status = aead_open(receive->aead, parts.protection.nonce, parts.associated, parts.data,
                       parts.size, parts.tag);
    if (!status_ok(status)) return status;
    status = take_text(session, type, &parts, out);
    if (!status_ok(status)) {
        secret_wipe(parts.data, parts.size);
        return status;
    }
    out->whole = TLS_RECORD_HEADER + length;
    receive->sequence++;
    return SEC_E_OK;
}

status_t tls_record_restore(struct tls_session *session, uint8_t *bytes,
                            const struct tls_record *record)
{
    struct tls_direction *receive = &session->receive;
    struct reader r;
    struct parts parts;
    uint8_t tag[AEAD_TAG_SIZE]; /* that of the record is still there */
    uint8_t type;
    size_t length, missing;
    reader_init(&r, bytes, record->whole);
    status_t status = read_header(session, &r, &type, &length, &missing);
    if (!status_ok(status)) return status;
    if (is_clear(session, type)) return SEC_E_OK;
    if (!receive->sequence) return SEC_E_INTERNAL_ERROR;
    take_apart(session, receive->sequence - 1, bytes, length, &r, &parts);
    status = aead_seal(receive->aead, parts.protection.nonce, parts.associated, parts.data,
                       parts.size, tag);
    if (status_ok(status)) receive->sequence--;
    return status;
}
