/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens of user-to-user authentication, see kerberos_user.h. The draft's two messages:
 *   KERB-TGT-REQUEST ::= SEQUENCE { pvno [0] 5, msg-type [1] 16,
 *                                   server-name [2] PrincipalName OPTIONAL,
 *                                   realm [3] Realm OPTIONAL }
 *   KERB-TGT-REPLY ::= SEQUENCE { pvno [0] 5, msg-type [1] 17, ticket [2] Ticket }
 */
#include "core/kerberos_user.h"

#include "kerberos_asn1.h"

#include <string.h>

#define VERSION 5
#define MESSAGE_TGT_REQUEST 16
#define MESSAGE_TGT_REPLY 17
#define TICKET 1u /* RFC 4120 5.3 */

#define BINDINGS_SIZE 16u

static const uint8_t mechanism[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x03};

/* ---- the frame ---- */

static bool is_mechanism(struct slice name)
{
    return name.size == sizeof(mechanism) && !memcmp(name.data, mechanism, sizeof(mechanism));
}

bool kerberos_user_is_token(struct slice token)
{
    struct reader r;
    reader_init(&r, token.data, token.size);
    if (reader_u8(&r) != DER_APPLICATION(0)) return false;
    uint8_t length = reader_u8(&r);
    if (length & 0x80) reader_skip(&r, length & 0x7f);
    struct slice name = der_bytes(&r, DER_OID);
    return reader_ok(&r) && is_mechanism(name);
}

void kerberos_user_token_write(struct writer *w, enum kerberos_user_kind kind, struct slice message)
{
    size_t frame = der_open(w, DER_APPLICATION(0));
    der_write(w, DER_OID, (struct slice){mechanism, sizeof(mechanism)});
    writer_u16be(w, (uint16_t)kind);
    writer_slice(w, message);
    der_close(w, frame);
}

static bool kind_is_known(uint16_t kind)
{
    switch (kind) {
    case KERBEROS_USER_AP_REQ:
    case KERBEROS_USER_AP_REP:
    case KERBEROS_USER_ERROR:
    case KERBEROS_USER_TGT_REQUEST:
    case KERBEROS_USER_TGT_REPLY: return true;
    default: return false;
    }
}

status_t kerberos_user_token_read(struct slice token, enum kerberos_user_kind *kind,
                                  struct slice *message)
{
    struct reader r, frame;
    reader_init(&r, token.data, token.size);
    der_enter(&r, DER_APPLICATION(0), &frame);
    struct slice name = der_bytes(&frame, DER_OID);
    uint16_t found = reader_u16be(&frame);
    struct slice content = reader_bytes(&frame, reader_left(&frame));
    if (!reader_end(&r) || !reader_ok(&frame) || !is_mechanism(name) || !kind_is_known(found) ||
        !content.size)
        return SEC_E_INVALID_TOKEN;
    *kind = found;
    *message = content;
    return SEC_E_OK;
}

/* ---- parts of messages ---- */

/* A number of one byte, which must be this one. */
static void expect_number(struct reader *r, uint8_t tag, uint8_t value)
{
    struct reader field;
    der_enter(r, tag, &field);
    struct slice number = der_bytes(&field, DER_INTEGER);
    if (!reader_end(&field) || number.size != 1 || number.data[0] != value) reader_fail(r);
}

/* The names of a PrincipalName, of which there is one at least. */
static void read_names(struct reader *r, uint8_t tag, struct reader *names)
{
    struct reader field, name, part;
    der_enter(r, tag, &field);
    der_enter(&field, DER_SEQUENCE, &name);
    der_enter(&name, DER_CONTEXT(0), &part);
    struct slice type = der_bytes(&part, DER_INTEGER);
    bool typed = reader_end(&part) && type.size && type.size <= 5;
    der_enter(&name, DER_CONTEXT(1), &part);
    der_enter(&part, DER_SEQUENCE, names);
    struct reader ahead = *names;
    while (reader_left(&ahead)) der_bytes(&ahead, DER_GENERAL_STRING);
    bool whole = reader_end(&field) && reader_end(&name) && reader_end(&part) &&
                 reader_end(&ahead) && reader_left(names);
    if (!typed || !whole) reader_fail(r);
}

static struct slice read_string(struct reader *r, uint8_t tag)
{
    struct reader field;
    der_enter(r, tag, &field);
    struct slice text = der_bytes(&field, DER_GENERAL_STRING);
    if (!reader_end(&field) || !text.size) reader_fail(r);
    return text;
}

static void message_open(struct slice message, uint8_t type, struct reader *r,
                         struct reader *fields)
{
    reader_init(r, message.data, message.size);
    der_enter(r, DER_SEQUENCE, fields);
    expect_number(fields, DER_CONTEXT(0), VERSION);
    expect_number(fields, DER_CONTEXT(1), type);
}

/* ---- KERB-TGT-REQUEST ---- */

void kerberos_user_request_write(struct writer *w, const struct kerberos_name *server)
{
    size_t fields = der_open(w, DER_SEQUENCE);
    kerberos_put_integer(w, DER_CONTEXT(0), VERSION);
    kerberos_put_integer(w, DER_CONTEXT(1), MESSAGE_TGT_REQUEST);
    if (server->count) kerberos_put_principal(w, DER_CONTEXT(2), server);
    if (server->realm.size)
        kerberos_put_wrapped(w, DER_CONTEXT(3), DER_GENERAL_STRING, server->realm);
    der_close(w, fields);
}

status_t kerberos_user_request_read(struct slice message, struct slice *realm)
{
    struct reader r, fields, names;
    struct slice found = {NULL, 0};
    message_open(message, MESSAGE_TGT_REQUEST, &r, &fields);
    if (der_next_is(&fields, DER_CONTEXT(2))) read_names(&fields, DER_CONTEXT(2), &names);
    if (der_next_is(&fields, DER_CONTEXT(3))) found = read_string(&fields, DER_CONTEXT(3));
    if (!reader_end(&r) || !reader_end(&fields)) return SEC_E_INVALID_TOKEN;
    *realm = found;
    return SEC_E_OK;
}

/* ---- KERB-TGT-REPLY ---- */

void kerberos_user_reply_write(struct writer *w, struct slice ticket)
{
    size_t fields = der_open(w, DER_SEQUENCE);
    kerberos_put_integer(w, DER_CONTEXT(0), VERSION);
    kerberos_put_integer(w, DER_CONTEXT(1), MESSAGE_TGT_REPLY);
    size_t field = der_open(w, DER_CONTEXT(2));
    writer_slice(w, ticket);
    der_close(w, field);
    der_close(w, fields);
}

/* krbtgt/REALM (RFC 4120 7.3) */
static struct slice granting_of(struct reader *names)
{
    static const char service[] = "krbtgt";
    struct slice first = der_bytes(names, DER_GENERAL_STRING);
    struct slice realm = der_bytes(names, DER_GENERAL_STRING);
    bool is_granting = reader_end(names) && first.size == sizeof(service) - 1 &&
                       !memcmp(first.data, service, sizeof(service) - 1);
    return is_granting ? realm : (struct slice){NULL, 0};
}

/* All but what is encrypted, which is for the KDC. */
static bool ticket_read(struct slice bytes, struct kerberos_user_reply *out)
{
    struct reader r, ticket, fields, names, field, encrypted;
    reader_init(&r, bytes.data, bytes.size);
    der_enter(&r, DER_APPLICATION(TICKET), &ticket);
    der_enter(&ticket, DER_SEQUENCE, &fields);
    expect_number(&fields, DER_CONTEXT(0), VERSION);
    struct slice realm = read_string(&fields, DER_CONTEXT(1));
    read_names(&fields, DER_CONTEXT(2), &names);
    der_enter(&fields, DER_CONTEXT(3), &field);
    der_enter(&field, DER_SEQUENCE, &encrypted);
    bool whole = reader_end(&r) && reader_end(&ticket) && reader_end(&fields) &&
                 reader_end(&field) && reader_left(&encrypted);
    if (!whole) return false;
    *out = (struct kerberos_user_reply){bytes, realm, granting_of(&names)};
    return true;
}

status_t kerberos_user_reply_read(struct slice message, struct kerberos_user_reply *out)
{
    struct reader r, fields, field;
    message_open(message, MESSAGE_TGT_REPLY, &r, &fields);
    der_enter(&fields, DER_CONTEXT(2), &field);
    struct slice ticket = reader_bytes(&field, reader_left(&field));
    bool whole = reader_end(&r) && reader_end(&fields) && reader_ok(&field);
    return whole && ticket_read(ticket, out) ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

/* ---- the checksum ---- */

void kerberos_user_checksum_write(struct writer *w, const struct kerberos_user_checksum *checksum)
{
    writer_u32le(w, BINDINGS_SIZE);
    writer_bytes(w, checksum->bindings, BINDINGS_SIZE);
    writer_u32le(w, checksum->flags);
}

status_t kerberos_user_checksum_read(struct slice bytes, struct kerberos_user_checksum *out)
{
    struct kerberos_user_checksum found;
    struct reader r;
    reader_init(&r, bytes.data, bytes.size);
    if (reader_u32le(&r) != BINDINGS_SIZE) return SEC_E_INVALID_TOKEN;
    reader_copy(&r, found.bindings, BINDINGS_SIZE);
    found.flags = reader_u32le(&r);
    if (!reader_ok(&r)) return SEC_E_INVALID_TOKEN;
    *out = found;
    return SEC_E_OK;
}
