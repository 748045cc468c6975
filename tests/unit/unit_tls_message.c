/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handshake messages, alerts and the name in a ClientHello. */
#include "core/tls.h"

#include "unit.h"

static void messages(void)
{
    struct slice record = hex("18000001 01 04000003 616263 00000000");
    for (size_t size = 0; size <= record.size; size++) {
        struct tls_handshake_message message;
        struct reader r;
        uint8_t *block = exact_copy(record.data, size);
        unsigned count = 0;
        reader_init(&r, block, size);
        while (tls_message_next(&r, &message)) {
            static const enum tls_message types[] = {TLS_KEY_UPDATE, TLS_NEW_SESSION_TICKET,
                                                     TLS_HELLO_REQUEST};
            static const size_t sizes[] = {1, 3, 0};
            ok(count < 3 && message.type == types[count] && message.body.size == sizes[count],
               "message %u", count);
            count++;
        }
        bool end = size == 0 || size == 5 || size == 12 || size == 16;
        ok(reader_end(&r) == end, "%zu bytes end there", size);
        ok(count == (size < 5 ? 0u : size < 12 ? 1u : size < 16 ? 2u : 3u), "%u messages", count);
        free(block);
    }
}

static void key_updates(void)
{
    bool requested = false;
    uint8_t out[TLS_KEY_UPDATE_SIZE];
    tls_key_update_write(true, out);
    ok(same(view(out, sizeof(out)), hex("1800000101")), "requested");
    tls_key_update_write(false, out);
    ok(same(view(out, sizeof(out)), hex("1800000100")), "not requested");
    ok(!tls_key_update_read(hex("01"), &requested) && requested, "read");
    ok(!tls_key_update_read(hex("00"), &requested) && !requested, "read again");
    ok(tls_key_update_read(hex("02"), &requested) == SEC_E_ILLEGAL_MESSAGE, "2");
    ok(tls_key_update_read(hex(""), &requested) == SEC_E_ILLEGAL_MESSAGE, "nothing");
    ok(tls_key_update_read(hex("0000"), &requested) == SEC_E_ILLEGAL_MESSAGE, "two bytes");
    ok(!requested, "untouched");
}

/* [D schannel-error-codes-for-tls-and-ssl-alerts] */
static void alerts(void)
{
    static const struct {
        uint8_t description;
        uint32_t status;
    } listed[] = {
        {0, 0x00090317},   {10, 0x80090326},  {20, 0x8009030F},  {21, 0x80090330},
        {22, 0x80090326},  {30, 0x8009030F},  {40, 0x80090326},  {42, 0x80090327},
        {43, 0x80090327},  {44, 0x80092010},  {45, 0x80090328},  {46, 0x80090327},
        {47, 0x80090326},  {48, 0x80090325},  {49, 0x8009030C},  {50, 0x80090326},
        {51, 0x80090330},  {60, 0x80090326},  {70, 0x80090302},  {71, 0x80090331},
        {80, 0x80090304},  {90, 0x80090333},  {100, 0x80090326}, {110, 0x80090326},
        {115, 0x80090326}, {120, 0x80090367}, {255, 0x80090326},
    };
    for (size_t i = 0; i < sizeof(listed) / sizeof(*listed); i++) {
        status_t status = tls_alert_status(listed[i].description);
        ok((uint32_t)status == listed[i].status, "alert %u: %x", listed[i].description,
           (unsigned)status);
        /* What is told of a status is an alert that means it. */
        ok(tls_alert_status(tls_alert_of(status)) == status, "status %x", (unsigned)status);
    }
    ok(tls_alert_of(SEC_E_MESSAGE_ALTERED) == 20, "bad_record_mac");
    ok(tls_alert_of(SEC_E_INVALID_TOKEN) == 50, "decode_error");
    ok(tls_alert_of(SEC_E_WRONG_PRINCIPAL) == 42, "bad_certificate");
    ok(tls_alert_of(SEC_E_CERT_WRONG_USAGE) == 43, "unsupported_certificate");
    ok(tls_alert_of(SEC_E_CERT_UNKNOWN) == 46, "certificate_unknown");
    ok(tls_alert_of(SEC_E_INSUFFICIENT_MEMORY) == 80, "internal_error");
    ok(tls_alert_of(SEC_E_OUT_OF_SEQUENCE) == 40, "handshake_failure for all else");
    ok(tls_alert_of(SEC_I_CONTEXT_EXPIRED) == TLS_CLOSE_NOTIFY, "close_notify");
}

static status_t name_of(struct slice hello, struct writer *name)
{
    uint8_t *block = exact_copy(hello.data, hello.size);
    writer_free(name);
    status_t status = tls_hello_server_name(view(block, hello.size), name);
    free(block);
    return status;
}

#define RANDOM "0303 0000000000000000000000000000000000000000000000000000000000000000 "
#define SUITES "00 0002 1301 01 00 " /* after a session id of no bytes */
#define NAME "000c 0000 0008 0006 00 0003 612e62"

static void check_records(const char *what, struct slice records, status_t expected,
                          const char *name)
{
    struct writer found;
    writer_init(&found);
    status_t status = name_of(records, &found);
    ok(status == expected, "%s: %x", what, (unsigned)status);
    ok(same(writer_view(&found), ascii(name)), "%s: %zu bytes", what, found.size);
    writer_free(&found);
}

static void record_write(struct writer *w, struct slice bytes)
{
    writer_u8(w, TLS_HANDSHAKE);
    writer_u16be(w, TLS_1_0);
    writer_u16be(w, (uint16_t)bytes.size);
    writer_slice(w, bytes);
}

static void message_write(struct writer *w, enum tls_message type, struct slice body)
{
    writer_u8(w, (uint8_t)type);
    writer_u8(w, 0);
    writer_u16be(w, (uint16_t)body.size);
    writer_slice(w, body);
}

static void check_hello(const char *what, const char *body, status_t expected, const char *name)
{
    struct writer message, record;
    writer_init(&message);
    writer_init(&record);
    message_write(&message, TLS_CLIENT_HELLO, hex(body));
    record_write(&record, writer_view(&message));
    check_records(what, writer_view(&record), expected, name);
    writer_free(&message);
    writer_free(&record);
}

static void hellos(void)
{
    check_hello("one", RANDOM SUITES NAME, SEC_E_OK, "a.b");
    check_hello("after others", RANDOM SUITES "0011 ff01 0001 00 0000 0008 0006 00 0003 612e62",
                SEC_E_OK, "a.b");
    check_hello("another type of name",
                RANDOM SUITES "0010 0000 000c 000a 01 0001 63 00 0003 612e62", SEC_E_OK, "a.b");
    check_hello("a session id", RANDOM "01 ff 0002 1301 01 00 " NAME, SEC_E_OK, "a.b");
    check_hello("no name", RANDOM SUITES "0005 ff01 0001 00", SEC_E_OK, "");
    check_hello("no extension", RANDOM SUITES "0000", SEC_E_OK, "");
    check_hello("no extensions", RANDOM SUITES, SEC_E_OK, "");
    check_hello("two names", RANDOM SUITES "0012 0000 000e 000c 00 0003 612e62 00 0003 612e62",
                SEC_E_INVALID_TOKEN, "");
    check_hello("an empty name", RANDOM SUITES "0009 0000 0005 0003 00 0000", SEC_E_INVALID_TOKEN,
                "");
    check_hello("a list too long", RANDOM SUITES "000c 0000 0008 0007 00 0003 612e62",
                SEC_E_INVALID_TOKEN, "");
    check_hello("a list too short", RANDOM SUITES "000c 0000 0008 0005 00 0003 612e62",
                SEC_E_INVALID_TOKEN, "");
    check_hello("something behind the list", RANDOM SUITES "000d 0000 0009 0006 00 0003 612e62 00",
                SEC_E_INVALID_TOKEN, "");
    check_hello("extensions too long", RANDOM SUITES "000d 0000 0008 0006 00 0003 612e62",
                SEC_E_INVALID_TOKEN, "");
    check_hello("something behind them", RANDOM SUITES NAME "00", SEC_E_INVALID_TOKEN, "");
    check_hello("cut in the suites", RANDOM "00 0004 1301", SEC_E_INVALID_TOKEN, "");
}

static void no_hellos(void)
{
    struct writer message, record;
    writer_init(&message);
    writer_init(&record);
    message_write(&message, TLS_SERVER_HELLO, hex(RANDOM SUITES NAME));
    record_write(&record, writer_view(&message));
    check_records("what would be a hello", writer_view(&record), SEC_E_INVALID_TOKEN, "");
    writer_free(&message);
    writer_free(&record);
    check_records("an empty hello", hex("16 0301 0004 01 000000"), SEC_E_INVALID_TOKEN, "");
    check_records("an alert", hex("15 0301 0002 0228"), SEC_E_INVALID_TOKEN, "");
    check_records("of SSL 2", hex("80 2e 01 0002 0015 0000 0010 010080"), SEC_E_INVALID_TOKEN, "");
    check_records("an empty record", hex("16 0301 0000"), SEC_E_INVALID_TOKEN, "");
    check_records("a record too large", hex("16 0301 4801 01"), SEC_E_INVALID_TOKEN, "");
    check_records("part of a record", hex("16 0301 0039 01"), SEC_E_INCOMPLETE_MESSAGE, "");
    check_records("part of a message", hex("16 0301 0001 01"), SEC_E_INCOMPLETE_MESSAGE, "");
    check_records("nothing", hex(""), SEC_E_INCOMPLETE_MESSAGE, "");
}

/* Cut into two records at each place. */
static void hello_in_parts(void)
{
    struct writer hello;
    writer_init(&hello);
    message_write(&hello, TLS_CLIENT_HELLO, hex(RANDOM SUITES NAME));
    for (size_t at = 1; at < hello.size; at++) {
        struct writer w;
        writer_init(&w);
        record_write(&w, view(hello.data, at));
        record_write(&w, view(hello.data + at, hello.size - at));
        check_records("in parts", writer_view(&w), SEC_E_OK, "a.b");
        writer_free(&w);
    }
    writer_free(&hello);
}

int main(void)
{
    RUN(messages);
    RUN(key_updates);
    RUN(alerts);
    RUN(hellos);
    RUN(no_hellos);
    RUN(hello_in_parts);
    return test_end("unit_tls_message");
}
