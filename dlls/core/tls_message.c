/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of handshakes as far as somebody beside the library has to know them (RFC 8446 4,
 * RFC 5246 7.4), and alerts (RFC 8446 6) as Windows' documentation maps them to statuses.
 */
#include "core/tls.h"

#include <string.h>

#define KEY_UPDATE_REQUESTED 1u

bool tls_message_next(struct reader *r, struct tls_handshake_message *out)
{
    if (!reader_left(r)) return false;
    uint8_t type = reader_u8(r);
    struct slice body = reader_bytes(r, reader_u24be(r));
    if (!reader_ok(r)) return false;
    out->type = (enum tls_message)type;
    out->body = body;
    return true;
}

bool tls_is_hello_request(const struct tls_record *record)
{
    static const uint8_t message[] = {TLS_HELLO_REQUEST, 0, 0, 0};
    return record->size == sizeof(message) && !memcmp(record->data, message, sizeof(message));
}

status_t tls_key_update_read(struct slice body, bool *requested)
{
    struct reader r;
    reader_init(&r, body.data, body.size);
    uint8_t request = reader_u8(&r);
    if (!reader_end(&r) || request > KEY_UPDATE_REQUESTED) return SEC_E_ILLEGAL_MESSAGE;
    *requested = request == KEY_UPDATE_REQUESTED;
    return SEC_E_OK;
}

void tls_key_update_write(bool request, uint8_t out[TLS_KEY_UPDATE_SIZE])
{
    struct writer w;
    writer_init_fixed(&w, out, TLS_KEY_UPDATE_SIZE);
    writer_u8(&w, TLS_KEY_UPDATE);
    writer_u8(&w, 0);
    writer_u16be(&w, 1);
    writer_u8(&w, request ? KEY_UPDATE_REQUESTED : 0);
}

/* ---- alerts ---- */

struct alert {
    uint8_t description;
    status_t status;
};

/* The first alert of a status is the one that is sent for it. What is not here is an illegal
 * message. */
static const struct alert alerts[] = {
    {TLS_CLOSE_NOTIFY, SEC_I_CONTEXT_EXPIRED},
    {47, SEC_E_ILLEGAL_MESSAGE}, /* illegal_parameter */
    {20, SEC_E_MESSAGE_ALTERED}, /* bad_record_mac */
    {30, SEC_E_MESSAGE_ALTERED}, /* decompression_failure */
    {51, SEC_E_DECRYPT_FAILURE}, /* decrypt_error */
    {21, SEC_E_DECRYPT_FAILURE}, /* decryption_failed */
    {46, SEC_E_CERT_UNKNOWN},    /* certificate_unknown */
    {42, SEC_E_CERT_UNKNOWN},    /* bad_certificate */
    {43, SEC_E_CERT_UNKNOWN},    /* unsupported_certificate */
    {44, CRYPT_E_REVOKED},
    {45, SEC_E_CERT_EXPIRED},
    {48, SEC_E_UNTRUSTED_ROOT},                 /* unknown_ca */
    {49, SEC_E_LOGON_DENIED},                   /* access_denied */
    {70, SEC_E_UNSUPPORTED_FUNCTION},           /* protocol_version */
    {71, SEC_E_ALGORITHM_MISMATCH},             /* insufficient_security */
    {80, SEC_E_INTERNAL_ERROR},                 /* internal_error */
    {90, SEC_E_UNFINISHED_CONTEXT_DELETED},     /* user_canceled */
    {120, SEC_E_APPLICATION_PROTOCOL_MISMATCH}, /* no_application_protocol */
};

/* Statuses that no alert is received as, but that have one to tell a peer. */
static const struct alert told[] = {
    {42, SEC_E_WRONG_PRINCIPAL},     /* bad_certificate */
    {43, SEC_E_CERT_WRONG_USAGE},    /* unsupported_certificate */
    {50, SEC_E_INVALID_TOKEN},       /* decode_error */
    {80, SEC_E_INSUFFICIENT_MEMORY}, /* internal_error */
};
#define HANDSHAKE_FAILURE 40u

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

status_t tls_alert_status(uint8_t description)
{
    for (size_t i = 0; i < COUNT(alerts); i++) {
        if (alerts[i].description == description) return alerts[i].status;
    }
    return SEC_E_ILLEGAL_MESSAGE;
}

static bool find_status(const struct alert *table, size_t count, status_t status, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].status != status) continue;
        *out = table[i].description;
        return true;
    }
    return false;
}

uint8_t tls_alert_of(status_t status)
{
    uint8_t found = HANDSHAKE_FAILURE;
    if (!find_status(alerts, COUNT(alerts), status, &found))
        find_status(told, COUNT(told), status, &found);
    return found;
}
