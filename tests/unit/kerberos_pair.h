/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two ends of a Kerberos session, whose key is made up, and messages in buffers. */
#pragma once

#include "core/kerberos.h"
#include "unit.h"

struct kerberos_pair {
    struct kerberos_session client, server;
};

static const struct {
    uint32_t enctype, flags;
    bool acceptor_subkey;
} kerberos_kinds[] = {
    {KERBEROS_AES128_SHA1, KERBEROS_REPLAY | KERBEROS_SEQUENCE, true},
    {KERBEROS_AES256_SHA1, KERBEROS_REPLAY | KERBEROS_SEQUENCE, false},
    {KERBEROS_AES256_SHA1, KERBEROS_REPLAY | KERBEROS_SEQUENCE | KERBEROS_DCE_STYLE, true},
    {KERBEROS_AES128_SHA256, KERBEROS_REPLAY | KERBEROS_SEQUENCE, true},
    {KERBEROS_AES128_SHA256, KERBEROS_REPLAY | KERBEROS_SEQUENCE | KERBEROS_DCE_STYLE, true},
    {KERBEROS_AES256_SHA384, KERBEROS_REPLAY | KERBEROS_SEQUENCE, false},
    {KERBEROS_RC4, KERBEROS_REPLAY | KERBEROS_SEQUENCE, false},
    {KERBEROS_RC4, KERBEROS_REPLAY | KERBEROS_SEQUENCE | KERBEROS_DCE_STYLE, false},
};
#define KERBEROS_KINDS (sizeof(kerberos_kinds) / sizeof(*kerberos_kinds))
#define KERBEROS_CLIENT_FIRST 0x2f1e0d3cu
#define KERBEROS_SERVER_FIRST 0x10u

static const uint8_t kerberos_confounder[KERBEROS_CONFOUNDER] = "sixteen bytes...";

static inline struct kerberos_start kerberos_start_of(size_t kind, bool initiator)
{
    static const uint8_t key[KERBEROS_KEY_MAX] = "a session's key, of 32 bytes....";
    return (struct kerberos_start){
        .initiator = initiator,
        .acceptor_subkey = kerberos_kinds[kind].acceptor_subkey,
        .flags = kerberos_kinds[kind].flags,
        .enctype = kerberos_kinds[kind].enctype,
        .key = {key, kerberos_key_size(kerberos_kinds[kind].enctype)},
        .send_first = initiator ? KERBEROS_CLIENT_FIRST : KERBEROS_SERVER_FIRST,
        .receive_first = initiator ? KERBEROS_SERVER_FIRST : KERBEROS_CLIENT_FIRST,
    };
}

static inline bool kerberos_pair_init(struct kerberos_pair *pair, size_t kind)
{
    struct kerberos_start client = kerberos_start_of(kind, true);
    struct kerberos_start server = kerberos_start_of(kind, false);
    return ok(!kerberos_session_init(&pair->client, &client) &&
                  !kerberos_session_init(&pair->server, &server),
              "start of kind %u", (unsigned)kind);
}

static inline void kerberos_pair_clear(struct kerberos_pair *pair)
{
    kerberos_session_clear(&pair->client);
    kerberos_session_clear(&pair->server);
}

/* What EncryptMessage makes, in blocks of exactly their size; free it. */
struct kerberos_sent {
    uint8_t *token, *data, *padding;
    size_t token_size, data_size, padding_size;
};

static inline void kerberos_sent_free(struct kerberos_sent *sent)
{
    free(sent->token);
    free(sent->data);
    free(sent->padding);
}

static inline status_t kerberos_send(struct kerberos_session *from, struct slice text, bool encrypt,
                                     struct kerberos_sent *sent)
{
    uint8_t token[KERBEROS_TOKEN_MAX], padding[KERBEROS_TOKEN_MAX];
    struct kerberos_sizes sizes;
    kerberos_sizes(from, &sizes);
    uint8_t *data = exact_copy(text.data, text.size);
    struct message_part part = {data, text.size, true};
    struct kerberos_wrapping wrapping = {encrypt, token, sizes.token, padding, sizes.block};
    status_t status = kerberos_wrap(from, kerberos_confounder, &part, 1, &wrapping);
    if (!status_ok(status)) wrapping.token_size = wrapping.padding_size = 0;
    *sent = (struct kerberos_sent){
        exact_copy(token, wrapping.token_size),
        data,
        exact_copy(padding, wrapping.padding_size),
        wrapping.token_size,
        text.size,
        wrapping.padding_size,
    };
    return status;
}

static inline status_t kerberos_receive(struct kerberos_session *to, struct kerberos_sent *sent,
                                        bool *encrypted)
{
    struct message_part part = {sent->data, sent->data_size, true};
    struct kerberos_wrapping wrapping = {false, sent->token, sent->token_size, sent->padding,
                                         sent->padding_size};
    status_t status = kerberos_unwrap(to, &part, 1, &wrapping);
    if (status_ok(status)) *encrypted = wrapping.encrypt;
    return status;
}

/* All of it in one piece. */
static inline uint8_t *kerberos_stream(const struct kerberos_sent *sent, size_t *size)
{
    *size = sent->token_size + sent->data_size + sent->padding_size;
    uint8_t *stream = malloc(*size ? *size : 1);
    if (!stream) abort();
    memcpy(stream, sent->token, sent->token_size);
    memcpy(stream + sent->token_size, sent->data, sent->data_size);
    memcpy(stream + sent->token_size + sent->data_size, sent->padding, sent->padding_size);
    return stream;
}

/* Whether this text goes from one end to the other, sealed, in clear and signed. */
static inline bool kerberos_moves(struct kerberos_session *from, struct kerberos_session *to,
                                  struct slice text)
{
    bool good = true;
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        struct kerberos_sent sent;
        bool encrypted = !encrypt;
        good = !kerberos_send(from, text, encrypt, &sent) && good;
        good = (text.size < 8 || encrypt != !memcmp(sent.data, text.data, text.size)) && good;
        good = !kerberos_receive(to, &sent, &encrypted) && encrypted == encrypt && good;
        good = same(view(sent.data, sent.data_size), text) && good;
        kerberos_sent_free(&sent);
    }
    uint8_t token[KERBEROS_TOKEN_MAX];
    size_t size;
    struct message_part part = {(uint8_t *)(uintptr_t)text.data, text.size, true};
    return !kerberos_sign(from, &part, 1, token, sizeof(token), &size) &&
           !kerberos_verify(to, &part, 1, view(token, size)) && good;
}
