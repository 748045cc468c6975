/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tickets as records and as KRB-CRED, see kerberos_ticket.h. */
#include "core/kerberos_ticket.h"

#include "kerberos_asn1.h"

/* ---- records ---- */

static void put_bytes(struct writer *w, struct slice bytes)
{
    if (bytes.size > UINT32_MAX) writer_fail(w);
    writer_u32le(w, (uint32_t)bytes.size);
    writer_slice(w, bytes);
}

static struct slice get_bytes(struct reader *r)
{
    return reader_bytes(r, reader_u32le(r));
}

static void put_name(struct writer *w, const struct kerberos_name *name)
{
    writer_u32le(w, name->type);
    writer_u32le(w, name->count);
    put_bytes(w, name->parts);
    put_bytes(w, name->realm);
}

bool kerberos_name_next(struct reader *parts, struct slice *out)
{
    if (!reader_left(parts)) return false;
    *out = reader_bytes(parts, reader_u16le(parts));
    return reader_ok(parts);
}

static void get_name(struct reader *r, struct kerberos_name *out)
{
    struct reader parts;
    struct slice part;
    uint32_t count = 0;
    out->type = reader_u32le(r);
    out->count = reader_u32le(r);
    out->parts = get_bytes(r);
    out->realm = get_bytes(r);
    reader_init(&parts, out->parts.data, out->parts.size);
    while (kerberos_name_next(&parts, &part)) count++;
    if (!reader_end(&parts) || count != out->count) reader_fail(r);
}

void kerberos_ticket_write(struct writer *w, const struct kerberos_ticket *ticket)
{
    put_name(w, &ticket->client);
    put_name(w, &ticket->server);
    writer_u64le(w, ticket->authenticated);
    writer_u64le(w, ticket->start);
    writer_u64le(w, ticket->end);
    writer_u64le(w, ticket->renew_until);
    writer_u32le(w, ticket->flags);
    writer_u32le(w, ticket->enctype);
    writer_u32le(w, ticket->key_enctype);
    put_bytes(w, ticket->encoded);
    put_bytes(w, ticket->key);
}

bool kerberos_ticket_read(struct reader *r, struct kerberos_ticket *out)
{
    struct kerberos_ticket ticket;
    if (!reader_left(r)) return false;
    get_name(r, &ticket.client);
    get_name(r, &ticket.server);
    ticket.authenticated = reader_u64le(r);
    ticket.start = reader_u64le(r);
    ticket.end = reader_u64le(r);
    ticket.renew_until = reader_u64le(r);
    ticket.flags = reader_u32le(r);
    ticket.enctype = reader_u32le(r);
    ticket.key_enctype = reader_u32le(r);
    ticket.encoded = get_bytes(r);
    ticket.key = get_bytes(r);
    if (!reader_ok(r)) return false;
    *out = ticket;
    return true;
}

void kerberos_name_text(struct writer *w, const struct kerberos_name *name)
{
    struct reader parts;
    struct slice part;
    bool first = true;
    reader_init(&parts, name->parts.data, name->parts.size);
    for (; kerberos_name_next(&parts, &part); first = false) {
        if (!first) writer_u8(w, '/');
        writer_slice(w, part);
    }
}

/* ---- KRB-CRED ---- */

#define DER_GENERALIZED_TIME 0x18u
#define MESSAGE_CRED 22u
#define PART_CRED 29u

void kerberos_put_integer(struct writer *w, uint8_t tag, int32_t value)
{
    size_t outer = der_open(w, tag), inner = der_open(w, DER_INTEGER);
    int size = 4;
    /* The shortest form: while the first nine bits are the same, the first byte says nothing. */
    while (size > 1 && value >> (8 * size - 9) == (value < 0 ? -1 : 0)) size--;
    while (size--) writer_u8(w, (uint8_t)(value >> (8 * size)));
    der_close(w, inner);
    der_close(w, outer);
}

void kerberos_put_wrapped(struct writer *w, uint8_t tag, uint8_t type, struct slice content)
{
    size_t outer = der_open(w, tag);
    der_write(w, type, content);
    der_close(w, outer);
}

void kerberos_put_principal(struct writer *w, uint8_t tag, const struct kerberos_name *name)
{
    struct reader parts;
    struct slice part;
    size_t outer = der_open(w, tag), inner = der_open(w, DER_SEQUENCE);
    kerberos_put_integer(w, DER_CONTEXT(0), (int32_t)name->type);
    size_t list = der_open(w, DER_CONTEXT(1)), strings = der_open(w, DER_SEQUENCE);
    reader_init(&parts, name->parts.data, name->parts.size);
    while (kerberos_name_next(&parts, &part)) der_write(w, DER_GENERAL_STRING, part);
    der_close(w, strings);
    der_close(w, list);
    der_close(w, inner);
    der_close(w, outer);
}

static void put_digits(uint8_t *to, int count, uint64_t value)
{
    while (count--) {
        to[count] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
}

/* Days of the years before, of the calendar with leap years; year from 1970 on. */
static uint64_t days_before(uint64_t year)
{
    uint64_t y = year - 1;
    return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) - 477;
}

static bool is_leap(uint64_t year)
{
    return year % 4 == 0 && (year % 100 || year % 400 == 0);
}

/* YYYYMMDDHHMMSSZ; a time that is 0 is left out. */
static void put_time(struct writer *w, uint8_t tag, uint64_t time)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint8_t text[15];
    uint64_t days = time / 86400, seconds = time % 86400, year, month = 0;
    if (!time) return;
    if (days >= days_before(10000)) {
        writer_fail(w);
        return;
    }
    for (year = 1970 + days / 366; days >= days_before(year + 1);) year++;
    for (days -= days_before(year);; month++) {
        uint64_t length = lengths[month] + (month == 1 && is_leap(year) ? 1u : 0u);
        if (days < length) break;
        days -= length;
    }
    put_digits(text, 4, year);
    put_digits(text + 4, 2, month + 1);
    put_digits(text + 6, 2, days + 1);
    put_digits(text + 8, 2, seconds / 3600);
    put_digits(text + 10, 2, seconds / 60 % 60);
    put_digits(text + 12, 2, seconds % 60);
    text[14] = 'Z';
    kerberos_put_wrapped(w, tag, DER_GENERALIZED_TIME, (struct slice){text, sizeof(text)});
}

static void put_key(struct writer *w, const struct kerberos_ticket *ticket)
{
    size_t outer = der_open(w, DER_CONTEXT(0)), inner = der_open(w, DER_SEQUENCE);
    kerberos_put_integer(w, DER_CONTEXT(0), (int32_t)ticket->key_enctype);
    kerberos_put_wrapped(w, DER_CONTEXT(1), DER_OCTET_STRING, ticket->key);
    der_close(w, inner);
    der_close(w, outer);
}

/* KrbCredInfo */
static void put_info(struct writer *w, const struct kerberos_ticket *ticket)
{
    uint32_t f = ticket->flags;
    const uint8_t flags[] = {0, (uint8_t)(f >> 24), (uint8_t)(f >> 16), (uint8_t)(f >> 8),
                             (uint8_t)f};
    size_t info = der_open(w, DER_SEQUENCE);
    put_key(w, ticket);
    kerberos_put_wrapped(w, DER_CONTEXT(1), DER_GENERAL_STRING, ticket->client.realm);
    kerberos_put_principal(w, DER_CONTEXT(2), &ticket->client);
    kerberos_put_wrapped(w, DER_CONTEXT(3), DER_BIT_STRING, (struct slice){flags, sizeof(flags)});
    put_time(w, DER_CONTEXT(4), ticket->authenticated);
    put_time(w, DER_CONTEXT(5), ticket->start);
    put_time(w, DER_CONTEXT(6), ticket->end);
    put_time(w, DER_CONTEXT(7), ticket->renew_until);
    kerberos_put_wrapped(w, DER_CONTEXT(8), DER_GENERAL_STRING, ticket->server.realm);
    kerberos_put_principal(w, DER_CONTEXT(9), &ticket->server);
    der_close(w, info);
}

/* EncryptedData that is none, of the EncKrbCredPart. */
static void put_part(struct writer *w, const struct kerberos_ticket *ticket)
{
    size_t data = der_open(w, DER_SEQUENCE);
    kerberos_put_integer(w, DER_CONTEXT(0), 0);
    size_t cipher = der_open(w, DER_CONTEXT(2)), octets = der_open(w, DER_OCTET_STRING);
    size_t part = der_open(w, DER_APPLICATION(PART_CRED)), content = der_open(w, DER_SEQUENCE);
    size_t list = der_open(w, DER_CONTEXT(0)), infos = der_open(w, DER_SEQUENCE);
    put_info(w, ticket);
    der_close(w, infos);
    der_close(w, list);
    der_close(w, content);
    der_close(w, part);
    der_close(w, octets);
    der_close(w, cipher);
    der_close(w, data);
}

void kerberos_cred_write(struct writer *w, const struct kerberos_ticket *ticket)
{
    size_t message = der_open(w, DER_APPLICATION(MESSAGE_CRED));
    size_t content = der_open(w, DER_SEQUENCE);
    kerberos_put_integer(w, DER_CONTEXT(0), 5);
    kerberos_put_integer(w, DER_CONTEXT(1), MESSAGE_CRED);
    size_t list = der_open(w, DER_CONTEXT(2)), tickets = der_open(w, DER_SEQUENCE);
    writer_slice(w, ticket->encoded);
    der_close(w, tickets);
    der_close(w, list);
    size_t part = der_open(w, DER_CONTEXT(3));
    put_part(w, ticket);
    der_close(w, part);
    der_close(w, content);
    der_close(w, message);
}
