/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server's flight. The first byte chooses the version and whether what follows comes encrypted:
 * records in clear, of streams or of datagrams, each behind its size of two bytes, or the messages
 * that a server seals, cut likewise.
 */
#include "../unit/tls_pair.h"
#include "fuzz.h"

#define ENCRYPTED 0x01u
#define DATAGRAMS 0x08u
#define VERSION(choice) ((choice) >> 1 & 1 ? TLS_1_3 : (choice) >> 2 & 1 ? TLS_1_1 : TLS_1_2)

static bool look(struct tls_flight *flight, struct slice record, bool datagram)
{
    bool requested = false;
    uint8_t *block = exact_copy(record.data, record.size);
    status_t status = datagram ? tls_flight_datagram(flight, view(block, record.size), &requested)
                               : tls_flight_record(flight, view(block, record.size), &requested);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN);
    must(!record.size || !memcmp(block, record.data, record.size));
    must(!requested || (status_ok(status) && flight->has_request));
    free(block);
    return status_ok(status);
}

static bool look_sealed(struct tls_flight *flight, struct tls_session *server, struct slice text)
{
    size_t size;
    uint8_t *block = tls_seal(server, TLS_HANDSHAKE, text, &size);
    bool good = look(flight, view(block, size), false);
    free(block);
    return good;
}

static void issuers(const struct tls_flight *flight, uint16_t version)
{
    struct slice names = {NULL, 0};
    status_t status = tls_flight_issuers(flight, version, &names);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN);
    must(flight->has_request || !status_ok(status));
    if (!status_ok(status)) return;
    struct reader r;
    reader_init(&r, names.data, names.size);
    while (reader_left(&r)) reader_skip(&r, reader_u16be(&r));
    must(reader_end(&r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_session server;
    struct tls_flight flight;
    struct reader r;
    if (crypto_init() != SEC_E_OK) abort();
    reader_init(&r, data, size);
    uint8_t choice = reader_u8(&r);
    tls_session_fill(&server, 3, true);
    must(!tls_session_start(&server));
    tls_flight_init(&flight);
    if (choice & ENCRYPTED)
        must(!tls_flight_decrypt(&flight, server.suite, view(server.send.secret, 32)));
    bool good = true;
    while (good && reader_left(&r)) {
        struct slice part = reader_bytes(&r, reader_u16be(&r) & 0x3fff);
        good = choice & ENCRYPTED ? look_sealed(&flight, &server, part)
                                  : look(&flight, part, choice & DATAGRAMS);
    }
    issuers(&flight, VERSION(choice));
    tls_flight_clear(&flight);
    tls_session_clear(&server);
    return 0;
}
