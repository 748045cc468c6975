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

int main(void)
{
    RUN(messages);
    RUN(key_updates);
    RUN(alerts);
    return test_end("unit_tls_message");
}
