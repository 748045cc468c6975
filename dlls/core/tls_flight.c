/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking for a CertificateRequest in a server's flight (RFC 5246 7.4.4, RFC 8446 4.3.2). Messages
 * may be cut anywhere by records; all but the request are counted off. What TLS 1.2 encrypts is at
 * the end of a handshake and of no interest; the records of one inside a session are for the caller
 * to open.
 */
#include "core/secret.h"
#include "tls_private.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX (1u << 17) /* lists of 65,535 bytes, and some */
#define EXTENSION_AUTHORITIES 47u

void tls_flight_init(struct tls_flight *flight)
{
    memset(flight, 0, sizeof(*flight));
    writer_init(&flight->request);
}

void tls_flight_clear(struct tls_flight *flight)
{
    tls_session_clear(&flight->session);
    writer_free(&flight->request);
    secret_wipe(flight, sizeof(*flight));
}

status_t tls_flight_decrypt(struct tls_flight *flight, const struct tls_suite *suite,
                            struct slice secret)
{
    struct tls_session session;
    if (!tls_suite_is_carried(suite, TLS_1_3)) return SEC_E_NOT_SUPPORTED;
    if (secret.size != hash_size(tls_suite_hash(suite))) return SEC_E_INVALID_PARAMETER;
    memset(&session, 0, sizeof(session));
    session.version = TLS_1_3;
    session.suite = suite;
    memcpy(session.receive.secret, secret.data, secret.size);
    status_t status = tls_direction_derive(&session, &session.receive);
    if (status_ok(status)) status = tls_direction_start(&session, &session.receive);
    if (status_ok(status)) {
        tls_session_clear(&flight->session);
        flight->session = session;
        session.receive.aead = NULL;
        flight->encrypted = true;
    }
    tls_session_clear(&session);
    return status;
}

static bool head_complete(const struct tls_flight *flight)
{
    return flight->head_size == sizeof(flight->head);
}

static bool in_request(const struct tls_flight *flight)
{
    return head_complete(flight) && flight->head[0] == TLS_CERTIFICATE_REQUEST;
}

/* The head of a message byte by byte, since a record may end within it. */
static status_t take_head(struct tls_flight *flight, struct reader *r)
{
    struct reader head;
    flight->head[flight->head_size++] = reader_u8(r);
    if (!head_complete(flight)) return SEC_E_OK;
    reader_init(&head, flight->head + 1, sizeof(flight->head) - 1);
    flight->left = reader_u24be(&head);
    if (!in_request(flight)) return SEC_E_OK;
    if (flight->has_request || flight->left > REQUEST_MAX) return SEC_E_INVALID_TOKEN;
    return SEC_E_OK;
}

static status_t take_body(struct tls_flight *flight, struct reader *r)
{
    size_t left = reader_left(r), size = left < flight->left ? left : flight->left;
    struct slice part = reader_bytes(r, size);
    if (in_request(flight)) {
        writer_slice(&flight->request, part);
        if (!status_ok(writer_status(&flight->request))) return writer_status(&flight->request);
    }
    flight->left -= size;
    return SEC_E_OK;
}

status_t tls_flight_text(struct tls_flight *flight, struct slice text, bool *requested)
{
    struct reader r;
    bool found = false;
    reader_init(&r, text.data, text.size);
    while (reader_left(&r)) {
        status_t status = head_complete(flight) ? take_body(flight, &r) : take_head(flight, &r);
        if (!status_ok(status)) return status;
        if (!head_complete(flight) || flight->left) continue;
        if (in_request(flight)) flight->has_request = found = true;
        flight->head_size = 0;
    }
    *requested = found;
    return SEC_E_OK;
}

static status_t take_clear(struct tls_flight *flight, struct slice record, bool *requested)
{
    struct reader r;
    reader_init(&r, record.data, record.size);
    uint8_t type = reader_u8(&r);
    uint16_t version = reader_u16be(&r);
    struct slice text = reader_bytes(&r, reader_u16be(&r));
    if (!reader_end(&r) || version >> 8 != 3) return SEC_E_INVALID_TOKEN;
    *requested = false;
    switch (type) {
    case TLS_CHANGE_CIPHER_SPEC: flight->hidden = true; return SEC_E_OK;
    case TLS_ALERT: return SEC_E_OK;
    case TLS_HANDSHAKE: break;
    default: return SEC_E_INVALID_TOKEN;
    }
    return flight->hidden ? SEC_E_OK : tls_flight_text(flight, text, requested);
}

/* A copy is opened: the library needs the record as it is. */
static status_t take_encrypted(struct tls_flight *flight, struct slice bytes, bool *requested)
{
    struct tls_record record;
    size_t missing;
    uint8_t *copy = malloc(bytes.size ? bytes.size : 1);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    if (bytes.size) memcpy(copy, bytes.data, bytes.size);
    status_t status = tls_record_open(&flight->session, copy, bytes.size, &record, &missing);
    if (!status_ok(status) || record.whole != bytes.size) {
        status = SEC_E_INVALID_TOKEN;
    } else if (record.type == TLS_HANDSHAKE) {
        status = tls_flight_text(flight, (struct slice){record.data, record.size}, requested);
    } else {
        *requested = false;
    }
    secret_free(copy, bytes.size);
    return status;
}

status_t tls_flight_record(struct tls_flight *flight, struct slice record, bool *requested)
{
    return flight->encrypted ? take_encrypted(flight, record, requested)
                             : take_clear(flight, record, requested);
}

/* ---- datagrams ---- */

/* A part of a message. Of a request whose parts come in another order, or again, nothing is told:
 * it may be with the library already. */
static status_t take_fragment(struct tls_flight *flight, struct reader *r, bool *requested)
{
    uint8_t type = reader_u8(r);
    size_t whole = reader_u24be(r);
    reader_skip(r, 2); /* message_seq */
    size_t at = reader_u24be(r);
    struct slice part = reader_bytes(r, reader_u24be(r));
    if (!reader_ok(r)) return SEC_E_INVALID_TOKEN;
    if (type != TLS_CERTIFICATE_REQUEST || flight->has_request) return SEC_E_OK;
    if (at != flight->request.size || whole > REQUEST_MAX) return SEC_E_OK;
    if (at > whole || part.size > whole - at) return SEC_E_INVALID_TOKEN;
    writer_slice(&flight->request, part);
    flight->has_request = *requested = flight->request.size == whole;
    return writer_status(&flight->request);
}

status_t tls_flight_datagram(struct tls_flight *flight, struct slice record, bool *requested)
{
    struct reader r, parts;
    reader_init(&r, record.data, record.size);
    uint8_t type = reader_u8(&r);
    reader_skip(&r, 2); /* version */
    uint16_t epoch = reader_u16be(&r);
    reader_skip(&r, 6); /* sequence_number */
    reader_sub(&r, reader_u16be(&r), &parts);
    *requested = false;
    if (!reader_end(&r)) return SEC_E_INVALID_TOKEN;
    if (type != TLS_HANDSHAKE || epoch) return SEC_E_OK;
    while (reader_left(&parts)) {
        status_t status = take_fragment(flight, &parts, requested);
        if (!status_ok(status)) return status;
    }
    return SEC_E_OK;
}

/* ---- the request ---- */

/* Behind the certificate types, and from (D)TLS 1.2 on the signature algorithms. */
static void old_names(struct reader *r, uint16_t version, struct reader *names)
{
    reader_skip(r, reader_u8(r));
    if (version >= TLS_1_2 && version != DTLS_1_0) reader_skip(r, reader_u16be(r));
    reader_sub(r, reader_u16be(r), names);
}

/* In an extension, which need not be there. */
static void new_names(struct reader *r, struct reader *names)
{
    struct reader extensions, extension;
    reader_skip(r, reader_u8(r)); /* certificate_request_context */
    reader_sub(r, reader_u16be(r), &extensions);
    while (reader_left(&extensions)) {
        uint16_t type = reader_u16be(&extensions);
        reader_sub(&extensions, reader_u16be(&extensions), &extension);
        if (type != EXTENSION_AUTHORITIES) continue;
        reader_sub(&extension, reader_u16be(&extension), names);
        if (!reader_end(&extension)) reader_fail(r);
    }
    if (!reader_end(&extensions)) reader_fail(r);
}

status_t tls_flight_issuers(const struct tls_flight *flight, uint16_t version, struct slice *names)
{
    struct reader r, list;
    if (!flight->has_request) return SEC_E_INVALID_TOKEN;
    reader_init(&r, flight->request.data, flight->request.size);
    reader_init(&list, NULL, 0);
    if (version == TLS_1_3) new_names(&r, &list);
    else old_names(&r, version, &list);
    if (!reader_end(&r)) return SEC_E_INVALID_TOKEN;
    struct slice whole = {list.base, list.size};
    while (reader_left(&list)) {
        size_t size = reader_u16be(&list);
        reader_skip(&list, size);
        if (!size) return SEC_E_INVALID_TOKEN;
    }
    if (!reader_end(&list)) return SEC_E_INVALID_TOKEN;
    *names = whole;
    return SEC_E_OK;
}
