/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens. The first byte chooses the kind of session, the second where things are cut and changed.
 * What follows is taken as what a peer sent: in one piece, as a signature, and as the buffers of a
 * message; then as the text of messages of ours, which have to come back.
 */
#include "../unit/kerberos_pair.h"
#include "fuzz.h"

/* What is refused has changed nothing. */
static void refused(const struct kerberos_session *session, const uint8_t *bytes,
                    struct slice before, status_t status)
{
    must(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED ||
         status == SEC_E_OUT_OF_SEQUENCE);
    must(!before.size || !memcmp(bytes, before.data, before.size));
    must(session->receive.next == KERBEROS_SERVER_FIRST && !session->receive.received);
}

static void take_stream(struct kerberos_session *session, struct slice stream)
{
    struct slice plain;
    bool encrypted;
    uint8_t *block = exact_copy(stream.data, stream.size);
    status_t status = kerberos_unwrap_stream(session, block, stream.size, &encrypted, &plain);
    if (status_ok(status)) {
        must(plain.data >= block && plain.size < stream.size);
        must(plain.data + plain.size <= block + stream.size);
        kerberos_session_rewind(session);
    } else {
        refused(session, block, stream, status);
    }
    free(block);
}

static void take_buffers(struct kerberos_session *session, struct slice all, size_t cut)
{
    if (cut > all.size) cut = all.size;
    uint8_t *token = exact_copy(all.data, cut), *data = exact_copy(all.data + cut, all.size - cut);
    struct message_part parts[] = {
        {data, (all.size - cut) / 2, true},
        {data + (all.size - cut) / 2, all.size - cut - (all.size - cut) / 2, true}};
    struct kerberos_wrapping wrapping = {.token = token, .token_size = cut};
    status_t status = kerberos_verify(session, parts, 2, view(token, cut));
    if (status_ok(status)) kerberos_session_rewind(session);
    else refused(session, token, view(all.data, cut), status);
    status = kerberos_unwrap(session, parts, 2, &wrapping);
    if (status_ok(status)) kerberos_session_rewind(session);
    else refused(session, data, view(all.data + cut, all.size - cut), status);
    free(token);
    free(data);
}

/* There and back; with one bit changed it is refused, unless it is one of the rotation, which is
 * nobody's secret. */
static void send_text(struct kerberos_pair *pair, struct slice text, uint8_t choice)
{
    struct kerberos_sent sent;
    struct slice plain;
    bool encrypted = false, encrypt = choice & 1;
    size_t size;
    must(kerberos_send(&pair->server, text, encrypt, &sent) == SEC_E_OK);
    uint8_t *stream = kerberos_stream(&sent, &size);
    size_t at = size * choice / 256;
    stream[at] ^= 0x10;
    status_t status = kerberos_unwrap_stream(&pair->client, stream, size, &encrypted, &plain);
    if (status_ok(status)) {
        must((at == 6 || at == 7) && same(plain, text));
        kerberos_session_rewind(&pair->client);
    }
    must(kerberos_receive(&pair->client, &sent, &encrypted) == SEC_E_OK && encrypted == encrypt);
    must(same(view(sent.data, sent.data_size), text));
    free(stream);
    kerberos_sent_free(&sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kerberos_pair pair;
    if (crypto_init() != SEC_E_OK) abort();
    if (size < 2 || !kerberos_pair_init(&pair, data[0] % KERBEROS_KINDS)) return 0;
    take_stream(&pair.client, view(data + 2, size - 2));
    take_buffers(&pair.client, view(data + 2, size - 2), data[1]);
    send_text(&pair, view(data + 2, size - 2), data[1]);
    kerberos_pair_clear(&pair);
    return 0;
}
