/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two ends of a TLS session, whose keys are made up, and whole records. */
#pragma once

#include "core/secret.h"
#include "core/tls.h"
#include "unit.h"

struct tls_pair {
    struct tls_session client, server;
};

static const struct {
    uint16_t version, suite;
} tls_kinds[] = {{TLS_1_2, 0xc02f}, {TLS_1_2, 0xc030}, {TLS_1_2, 0xcca8}, {TLS_1_3, 0x1301},
                 {TLS_1_3, 0x1302}, {TLS_1_3, 0x1303}, {TLS_1_2, 0xc0ad}, {TLS_1_2, 0xc0ae},
                 {TLS_1_3, 0x1304}, {TLS_1_3, 0x1305}};
#define TLS_KINDS (sizeof(tls_kinds) / sizeof(*tls_kinds))

static inline void tls_fill(uint8_t *out, size_t size, uint8_t first)
{
    for (size_t i = 0; i < size; i++) out[i] = (uint8_t)(first + i * 7);
}

static inline void tls_direction_fill(struct tls_direction *direction, uint8_t first)
{
    tls_fill(direction->key, sizeof(direction->key), first);
    tls_fill(direction->iv, sizeof(direction->iv), (uint8_t)(first + 1));
    tls_fill(direction->secret, sizeof(direction->secret), (uint8_t)(first + 2));
}

/* A session that is not started yet. */
static inline void tls_session_fill(struct tls_session *session, size_t kind, bool server)
{
    memset(session, 0, sizeof(*session));
    session->version = tls_kinds[kind].version;
    session->suite = tls_suite_find(tls_kinds[kind].suite);
    session->server = server;
    tls_direction_fill(&session->send, server ? 100 : 50);
    tls_direction_fill(&session->receive, server ? 50 : 100);
    tls_fill(session->master, sizeof(session->master), 3);
    tls_fill(session->client_random, 32, 4);
    tls_fill(session->server_random, 32, 5);
}

static inline bool tls_pair_init(struct tls_pair *pair, size_t kind)
{
    tls_session_fill(&pair->client, kind, false);
    tls_session_fill(&pair->server, kind, true);
    return ok(!tls_session_start(&pair->client) && !tls_session_start(&pair->server),
              "start of kind %u", (unsigned)kind);
}

static inline void tls_pair_clear(struct tls_pair *pair)
{
    tls_session_clear(&pair->client);
    tls_session_clear(&pair->server);
}

/* A record in a block of exactly its size; free it. */
static inline uint8_t *tls_seal(struct tls_session *session, enum tls_type type, struct slice text,
                                size_t *size)
{
    size_t head = tls_header_size(session);
    *size = head + text.size + tls_trailer_size(session);
    uint8_t *block = malloc(*size);
    if (!block) abort();
    if (text.size) memcpy(block + head, text.data, text.size);
    ok(tls_record_seal(session, type, block, block + head, text.size, block + head + text.size) ==
           SEC_E_OK,
       "seal %u bytes", (unsigned)text.size);
    return block;
}

/* Whether this text goes from one end to the other. */
static inline bool tls_moves(struct tls_session *from, struct tls_session *to, struct slice text)
{
    struct tls_record record;
    size_t size, missing;
    uint8_t *block = tls_seal(from, TLS_APPLICATION_DATA, text, &size);
    bool moved = tls_record_open(to, block, size, &record, &missing) == SEC_E_OK &&
                 record.type == TLS_APPLICATION_DATA && record.whole == size &&
                 same(view(record.data, record.size), text);
    free(block);
    return moved;
}
