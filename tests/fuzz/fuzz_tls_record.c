/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records. The first byte chooses the suite. What follows is taken once as records that a peer
 * sent, then as the text of a record of ours, which has to come back; and, with a record made of
 * it, as the inside of one that a peer sealed.
 */
#include "../unit/tls_pair.h"
#include "fuzz.h"

/* Opens what can be opened; each record is put back and opened again. */
static void receive(struct tls_session *session, uint8_t *bytes, size_t size)
{
    while (size) {
        struct tls_record record;
        size_t whole = 0, missing = 0;
        uint64_t sequence = session->receive.sequence;
        status_t measured = tls_record_measure(session, bytes, size, &whole, &missing);
        must(measured == SEC_E_OK ? whole && whole <= size
                                  : measured == SEC_E_INVALID_TOKEN ||
                                        (measured == SEC_E_INCOMPLETE_MESSAGE && missing));
        uint8_t *copy = exact_copy(bytes, size);
        status_t status = tls_record_open(session, bytes, size, &record, &missing);
        must(status == measured || (measured == SEC_E_OK && (status == SEC_E_MESSAGE_ALTERED ||
                                                             status == SEC_E_INVALID_TOKEN)));
        if (!status_ok(status)) {
            must(session->receive.sequence == sequence);
            free(copy);
            return;
        }
        must(record.whole == whole && record.size < whole && record.data > bytes);
        must(record.data + record.size <= bytes + whole);
        must(tls_record_restore(session, bytes, &record) == SEC_E_OK);
        must(!memcmp(bytes, copy, size) && session->receive.sequence == sequence);
        must(tls_record_open(session, bytes, size, &record, &missing) == SEC_E_OK);
        free(copy);
        bytes += whole;
        size -= whole;
    }
}

/* Sealed as of that type, it opens as what it is, or not at all. */
static void sealed(struct tls_pair *pair, uint8_t type, struct slice text)
{
    size_t size;
    if (text.size > TLS_PLAIN_MAX) text.size = TLS_PLAIN_MAX;
    uint8_t *block = tls_seal(&pair->server, (enum tls_type)type, text, &size);
    pair->client.receive.sequence = pair->server.send.sequence - 1;
    receive(&pair->client, block, size);
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_pair pair;
    if (crypto_init() != SEC_E_OK) abort();
    if (size < 2 || !tls_pair_init(&pair, data[0] % TLS_KINDS)) return 0;
    uint8_t *block = exact_copy(data + 2, size - 2);
    receive(&pair.client, block, size - 2);
    free(block);
    sealed(&pair, data[1], view(data + 2, size - 2));
    if (size - 2 <= TLS_PLAIN_MAX)
        must(tls_moves(&pair.client, &pair.server, view(data + 2, size - 2)));
    tls_pair_clear(&pair);
    return 0;
}
