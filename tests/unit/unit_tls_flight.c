/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking for a CertificateRequest in flights of TLS 1.2 and TLS 1.3. */
#include "tls_pair.h"

/* Two names, each behind its size, and the requests of both versions that hold them. */
#define NAMES "0003 616263 0002 6465"
#define REQUEST_1_2 "0d 000014 02 0140 0004 0401 0403 0009 " NAMES
#define REQUEST_1_1 "0d 00000f 02 0140 000a " NAMES "00"
#define REQUEST_1_3 "0d 00001a 01 ff 0016 000d 0004 0002 0403 002f 000a 0008 0003 616263 0001 64"

static uint8_t *record_of(uint8_t type, struct slice text, size_t *size)
{
    struct writer w;
    uint8_t *block = NULL;
    writer_init(&w);
    writer_u8(&w, type);
    writer_u16be(&w, TLS_1_2);
    writer_u16be(&w, (uint16_t)text.size);
    writer_slice(&w, text);
    if (!status_ok(writer_take(&w, &block, size))) abort();
    return block;
}

/* Looks at a record in clear, in a block of its size. */
static status_t look(struct tls_flight *flight, uint8_t type, struct slice text, bool *requested)
{
    size_t size;
    uint8_t *block = record_of(type, text, &size), *exact = exact_copy(block, size);
    status_t status = tls_flight_record(flight, view(exact, size), requested);
    ok(!memcmp(exact, block, size), "not changed");
    free(exact);
    free(block);
    return status;
}

/* ServerHello, Certificate, CertificateRequest and ServerHelloDone, cut at each place. */
static void clear_flight(void)
{
    struct slice flight_bytes = hex("02 000003 aabbcc 0b 000002 0d00 " REQUEST_1_2 "0e 000000");
    size_t end = 7 + 6 + 4 + 0x14;
    for (size_t at = 1; at < flight_bytes.size; at++) {
        struct tls_flight flight;
        struct slice names = {NULL, 0};
        bool first = true, second = true;
        tls_flight_init(&flight);
        ok(tls_flight_issuers(&flight, TLS_1_2, &names) == SEC_E_INVALID_TOKEN, "not yet");
        ok(!look(&flight, TLS_HANDSHAKE, view(flight_bytes.data, at), &first), "first");
        ok(first == (at >= end), "at %zu: %d", at, first);
        ok(!look(&flight, TLS_HANDSHAKE, view(flight_bytes.data + at, flight_bytes.size - at),
                 &second),
           "second");
        ok(second == (at < end), "at %zu: %d", at, second);
        ok(!tls_flight_issuers(&flight, TLS_1_2, &names) && same(names, hex(NAMES)), "names");
        tls_flight_clear(&flight);
    }
}

/* Two messages in the text of one record, then the request in that of another. */
static void opened_flight(void)
{
    struct tls_flight flight;
    struct slice names;
    bool requested = true;
    tls_flight_init(&flight);
    ok(!tls_flight_text(&flight, hex("02 000003 aabbcc 0b 000002 0d00"), &requested), "text");
    ok(!requested, "no request yet");
    ok(!tls_flight_text(&flight, hex(REQUEST_1_2), &requested) && requested, "the request");
    ok(!tls_flight_issuers(&flight, TLS_1_2, &names) && same(names, hex(NAMES)), "names");
    tls_flight_clear(&flight);
}

static void no_request(void)
{
    struct tls_flight flight;
    bool requested = true;
    tls_flight_init(&flight);
    ok(!look(&flight, TLS_HANDSHAKE, hex("02 000003 0d0000 0b 000001 0d 0e 000000"), &requested) &&
           !requested,
       "bodies are not looked into");
    ok(!look(&flight, TLS_ALERT, hex("0d00"), &requested) && !requested, "alert");
    ok(!look(&flight, TLS_CHANGE_CIPHER_SPEC, hex("01"), &requested) && !requested, "change");
    ok(!look(&flight, TLS_HANDSHAKE, hex(REQUEST_1_2), &requested) && !requested,
       "what looks like a request is encrypted in TLS 1.2");
    ok(look(&flight, TLS_APPLICATION_DATA, hex("0d"), &requested) == SEC_E_INVALID_TOKEN, "data");
    tls_flight_clear(&flight);
}

static void broken_records(void)
{
    static const char *const records[] = {"",
                                          "16",
                                          "16 0303 00",
                                          "16 0303 0002 0d",
                                          "16 0303 0001 0d00",
                                          "16 0200 0001 0d",
                                          "18 0303 0001 0d"};
    for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
        struct tls_flight flight;
        bool requested = false;
        tls_flight_init(&flight);
        ok(tls_flight_record(&flight, hex(records[i]), &requested) == SEC_E_INVALID_TOKEN, "%s",
           records[i]);
        tls_flight_clear(&flight);
    }
    struct tls_flight flight;
    bool requested = false;
    tls_flight_init(&flight);
    ok(look(&flight, TLS_HANDSHAKE, hex("0d 020001"), &requested) == SEC_E_INVALID_TOKEN, "large");
    tls_flight_clear(&flight);
    tls_flight_init(&flight);
    ok(!look(&flight, TLS_HANDSHAKE, hex(REQUEST_1_2), &requested) && requested, "one");
    ok(look(&flight, TLS_HANDSHAKE, hex(REQUEST_1_2), &requested) == SEC_E_INVALID_TOKEN, "two");
    tls_flight_clear(&flight);
}

static void check_names(const char *what, uint16_t version, const char *request, status_t expected,
                        const char *names)
{
    struct tls_flight flight;
    struct slice found = {NULL, 0};
    bool requested = false;
    tls_flight_init(&flight);
    ok(!look(&flight, TLS_HANDSHAKE, hex(request), &requested) && requested, "%s: asked", what);
    status_t status = tls_flight_issuers(&flight, version, &found);
    ok(status == expected && same(found, hex(names)), "%s: %x, %zu", what, (unsigned)status,
       found.size);
    tls_flight_clear(&flight);
}

static void names(void)
{
    check_names("TLS 1.2", TLS_1_2, REQUEST_1_2, SEC_E_OK, NAMES);
    check_names("TLS 1.1", TLS_1_1, "0d 00000e 02 0140 0009 " NAMES, SEC_E_OK, NAMES);
    check_names("TLS 1.3", TLS_1_3, REQUEST_1_3, SEC_E_OK, "0003 616263 0001 64");
    check_names("none in TLS 1.2", TLS_1_2, "0d 00000a 01 01 0004 0401 0403 0000", SEC_E_OK, "");
    check_names("none in TLS 1.3", TLS_1_3, "0d 00000b 00 0008 000d 0004 0002 0403", SEC_E_OK, "");
    check_names("too much", TLS_1_1, REQUEST_1_1, SEC_E_INVALID_TOKEN, "");
    check_names("too short", TLS_1_2, "0d 000006 01 01 0004 0401", SEC_E_INVALID_TOKEN, "");
    check_names("an empty name", TLS_1_2, "0d 00000a 01 01 0002 0401 0002 0000",
                SEC_E_INVALID_TOKEN, "");
    check_names("a name too long", TLS_1_2, "0d 00000b 01 01 0002 0401 0003 0002 61",
                SEC_E_INVALID_TOKEN, "");
    check_names("an extension too long", TLS_1_3, "0d 00000b 00 0008 000d 0005 0002 0403",
                SEC_E_INVALID_TOKEN, "");
    check_names("more in the extension", TLS_1_3, "0d 00000b 00 0008 002f 0004 0000 0000",
                SEC_E_INVALID_TOKEN, "");
    check_names("nothing in TLS 1.3", TLS_1_3, "0d 000000", SEC_E_INVALID_TOKEN, "");
}

/* The flight is cut at each place into two encrypted records. */
static void encrypted_flight(void)
{
    struct slice bytes = hex("08 000002 0000 " REQUEST_1_3 "0b 000001 00");
    size_t end = 6 + 4 + 0x1a;
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        if (tls_kinds[kind].version != TLS_1_3) continue;
        for (size_t at = 1; at < bytes.size; at++) {
            struct tls_session server;
            struct tls_flight flight;
            struct slice found = {NULL, 0};
            bool requested = true;
            tls_session_fill(&server, kind, true);
            struct slice secret = view(server.send.secret, hash_size(tls_suite_hash(server.suite)));
            ok(!tls_session_start(&server), "start");
            tls_flight_init(&flight);
            ok(!look(&flight, TLS_HANDSHAKE, hex("02 000003 aabbcc"), &requested) && !requested,
               "ServerHello");
            ok(!tls_flight_decrypt(&flight, server.suite, secret), "secret");
            ok(!look(&flight, TLS_CHANGE_CIPHER_SPEC, hex("01"), &requested) && !requested,
               "change");
            for (unsigned part = 0; part < 2; part++) {
                size_t size;
                uint8_t *block = tls_seal(
                    &server, TLS_HANDSHAKE,
                    part ? view(bytes.data + at, bytes.size - at) : view(bytes.data, at), &size);
                uint8_t *copy = exact_copy(block, size);
                ok(!tls_flight_record(&flight, view(block, size), &requested), "part %u", part);
                ok(!memcmp(block, copy, size), "not changed");
                ok(requested == (part ? at < end : at >= end), "%zu, part %u", at, part);
                free(block);
                free(copy);
            }
            ok(!tls_flight_issuers(&flight, TLS_1_3, &found) &&
                   same(found, hex("0003 616263 0001 64")),
               "names");
            tls_flight_clear(&flight);
            tls_session_clear(&server);
        }
    }
}

/* What is no handshake record inside, and a record with something behind it. */
static void other_records(void)
{
    struct tls_session server;
    struct tls_flight flight;
    bool requested = true;
    size_t size;
    tls_session_fill(&server, 3, true);
    ok(!tls_session_start(&server), "start");
    tls_flight_init(&flight);
    ok(!tls_flight_decrypt(&flight, server.suite, view(server.send.secret, 32)), "secret");
    uint8_t *block = tls_seal(&server, TLS_ALERT, hex(REQUEST_1_3), &size);
    ok(!tls_flight_record(&flight, view(block, size), &requested) && !requested, "an alert");
    free(block);
    block = tls_seal(&server, TLS_HANDSHAKE, hex(REQUEST_1_3), &size);
    uint8_t *more = malloc(size + 1);
    if (!more) abort();
    memcpy(more, block, size);
    more[size] = 0;
    ok(tls_flight_record(&flight, view(more, size + 1), &requested) == SEC_E_INVALID_TOKEN, "more");
    ok(!requested && !flight.has_request, "nothing was asked");
    free(more);
    free(block);
    tls_flight_clear(&flight);
    tls_session_clear(&server);
}

static void other_keys(void)
{
    struct tls_session server;
    struct tls_flight flight;
    bool requested = false;
    size_t size;
    tls_session_fill(&server, 3, true);
    ok(!tls_session_start(&server), "start");
    tls_flight_init(&flight);
    ok(tls_flight_decrypt(&flight, tls_suite_find(0xc02f), view(server.master, 32)) ==
           SEC_E_NOT_SUPPORTED,
       "TLS 1.2");
    ok(tls_flight_decrypt(&flight, NULL, view(server.master, 32)) == SEC_E_NOT_SUPPORTED, "none");
    ok(tls_flight_decrypt(&flight, server.suite, view(server.master, 48)) ==
           SEC_E_INVALID_PARAMETER,
       "the size of another hash");
    ok(!flight.encrypted, "still in clear");
    ok(!tls_flight_decrypt(&flight, server.suite, view(server.master, 32)), "another secret");
    uint8_t *block = tls_seal(&server, TLS_HANDSHAKE, hex(REQUEST_1_3), &size);
    ok(tls_flight_record(&flight, view(block, size), &requested) == SEC_E_INVALID_TOKEN,
       "cannot be read");
    ok(tls_flight_record(&flight, view(block, size - 1), &requested) == SEC_E_INVALID_TOKEN, "cut");
    ok(!requested, "nothing was asked");
    free(block);
    tls_flight_clear(&flight);
    tls_session_clear(&server);
}

/* ---- datagrams ---- */

#define RECORD "16 fefd 0000 000000000001"
#define REQUEST "01 01 0002 0401 0004 0002 3000" /* types, algorithms, names */

static status_t look_datagram(struct tls_flight *flight, const char *record, bool *requested)
{
    struct slice bytes = hex(record);
    uint8_t *copy = exact_copy(bytes.data, bytes.size);
    status_t status = tls_flight_datagram(flight, view(copy, bytes.size), requested);
    free(copy);
    return status;
}

/* RFC 6347 4.2.2, 4.2.3: a header of twelve bytes, and parts in any cut */
static void datagrams(void)
{
    static const struct {
        const char *what, *records[2];
        status_t status;
        bool requested;
    } rows[] = {
        {"whole", {RECORD "0018 0d00000c 0003 000000 00000c" REQUEST}, SEC_E_OK, true},
        {"behind another one",
         {RECORD "0026 0c000002 0002 000000 000002 aabb 0d00000c 0003 000000 00000c" REQUEST},
         SEC_E_OK,
         true},
        {"in parts",
         {RECORD "000f 0d00000c 0003 000000 000003 010100",
          RECORD "0015 0d00000c 0003 000003 000009 02 0401 0004 0002 3000"},
         SEC_E_OK,
         true},
        {"the second part first",
         {RECORD "0015 0d00000c 0003 000003 000009 02 0401 0004 0002 3000",
          RECORD "000f 0d00000c 0003 000000 000003 010100"},
         SEC_E_OK,
         false},
        {"longer than it is",
         {RECORD "000f 0d000002 0003 000000 000003 010100"},
         SEC_E_INVALID_TOKEN,
         false},
        {"encrypted",
         {"16 fefd 0001 000000000001 0018 0d00000c 0003 000000 00000c" REQUEST},
         SEC_E_OK,
         false},
        {"no handshake", {"15 fefd 0000 000000000001 0002 0100"}, SEC_E_OK, false},
        {"cut off", {RECORD "0018 0d00000c 0003 000000 00000c 01"}, SEC_E_INVALID_TOKEN, false},
        {"a part cut off",
         {RECORD "000d 0d00000c 0003 000000 00000c 01"},
         SEC_E_INVALID_TOKEN,
         false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct tls_flight flight;
        struct slice names = {NULL, 0};
        bool requested = false;
        tls_flight_init(&flight);
        status_t status = look_datagram(&flight, rows[i].records[0], &requested);
        if (rows[i].records[1]) {
            ok(!requested, "%s: already", rows[i].what);
            status = look_datagram(&flight, rows[i].records[1], &requested);
        }
        ok(status == rows[i].status && requested == rows[i].requested, "%s: %x, %d", rows[i].what,
           (unsigned)status, requested);
        if (requested)
            ok(!tls_flight_issuers(&flight, TLS_1_2, &names) && same(names, hex("0002 3000")),
               "%s: names", rows[i].what);
        tls_flight_clear(&flight);
    }
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(clear_flight);
    RUN(opened_flight);
    RUN(no_request);
    RUN(broken_records);
    RUN(names);
    RUN(encrypted_flight);
    RUN(other_records);
    RUN(other_keys);
    RUN(datagrams);
    return test_end("unit_tls_flight");
}
