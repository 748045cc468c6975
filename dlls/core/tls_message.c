/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of handshakes as far as somebody beside the library has to know them (RFC 8446 4,
 * RFC 5246 7.4), and alerts (RFC 8446 6) as Windows' documentation maps them to statuses.
 */
#include "core/tls.h"

#define RECORD_MAX (TLS_PLAIN_MAX + 2048u) /* RFC 5246 6.2.3; ours is not decided yet here */
#define EXTENSION_SERVER_NAME 0u
#define NAME_TYPE_HOST 0u
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

/* ---- ClientHello ---- */

/* Appends what is in handshake records until there is a whole message. */
static status_t gather(struct slice records, struct writer *out)
{
    struct reader r, head;
    reader_init(&r, records.data, records.size);
    for (;;) {
        reader_init(&head, out->data, out->size);
        uint8_t type = reader_u8(&head);
        size_t size = reader_u24be(&head);
        if (out->size && type != TLS_CLIENT_HELLO) return SEC_E_INVALID_TOKEN;
        if (reader_ok(&head) && size <= reader_left(&head)) return SEC_E_OK;

        if (reader_left(&r) < TLS_RECORD_HEADER) return SEC_E_INCOMPLETE_MESSAGE;
        uint8_t record = reader_u8(&r);
        uint16_t version = reader_u16be(&r);
        size_t length = reader_u16be(&r);
        if (record != TLS_HANDSHAKE || version >> 8 != 3 || !length || length > RECORD_MAX)
            return SEC_E_INVALID_TOKEN;
        if (length > reader_left(&r)) return SEC_E_INCOMPLETE_MESSAGE;
        writer_slice(out, reader_bytes(&r, length));
        if (!status_ok(writer_status(out))) return writer_status(out);
    }
}

/* RFC 6066 3: a list of names, at most one of a type. */
static struct slice host_name(struct reader *extension)
{
    struct reader list;
    struct slice found = {NULL, 0};
    reader_sub(extension, reader_u16be(extension), &list);
    while (reader_left(&list)) {
        uint8_t type = reader_u8(&list);
        struct slice name = reader_bytes(&list, reader_u16be(&list));
        if (type != NAME_TYPE_HOST) continue;
        if (!name.size || found.size) reader_fail(extension);
        found = name;
    }
    if (!reader_end(&list) || !reader_end(extension)) reader_fail(extension);
    return found;
}

/* RFC 8446 4.1.2. A hello of old may end before the extensions. */
static status_t find_name(struct reader *r, struct slice *name)
{
    struct reader extensions, extension;
    reader_skip(r, 2 + 32);
    reader_skip(r, reader_u8(r));    /* legacy_session_id */
    reader_skip(r, reader_u16be(r)); /* cipher_suites */
    reader_skip(r, reader_u8(r));    /* legacy_compression_methods */
    if (reader_end(r)) return SEC_E_OK;
    reader_sub(r, reader_u16be(r), &extensions);
    while (reader_left(&extensions)) {
        uint16_t type = reader_u16be(&extensions);
        reader_sub(&extensions, reader_u16be(&extensions), &extension);
        if (type == EXTENSION_SERVER_NAME && reader_ok(&extension)) *name = host_name(&extension);
        if (!reader_ok(&extension)) return SEC_E_INVALID_TOKEN;
    }
    return reader_end(r) ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

status_t tls_hello_server_name(struct slice records, struct writer *name)
{
    struct writer hello;
    struct reader r, body;
    struct slice found = {NULL, 0};
    writer_init(&hello);
    status_t status = gather(records, &hello);
    if (!status_ok(status)) goto done;
    reader_init(&r, hello.data, hello.size);
    reader_skip(&r, 1);
    reader_sub(&r, reader_u24be(&r), &body);
    status = find_name(&body, &found);
    if (!status_ok(status)) goto done;
    writer_slice(name, found);
    status = writer_status(name);
done:
    writer_free(&hello);
    return status;
}
