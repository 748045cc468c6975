/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a session, and the session as bytes:
 *   version 1, flags 1, protocol 2, suite 2, sending direction, receiving direction,
 *   master (48, or the size of the hash in TLS 1.3), client_random 32, server_random 32,
 *   Finished 12 and the limit of records 2 if the flags say so
 * A direction is sequence 8, key, IV (4 or 12), and in TLS 1.3 its secret. Keys are there beside
 * the secrets that they come from, since deriving them would be most of the time of an import.
 * Little endian, and the same on 32 and 64 bit.
 */
#include "core/secret.h"
#include "tls_private.h"

#include <string.h>

#define VERSION 1u
#define FLAG_SERVER 0x01u
#define FLAG_EXTENDED_MASTER_SECRET 0x02u
#define FLAG_FINISHED 0x04u
#define FLAG_LIMIT 0x08u
#define FLAGS (FLAG_SERVER | FLAG_EXTENDED_MASTER_SECRET | FLAG_FINISHED | FLAG_LIMIT)

status_t tls_session_start(struct tls_session *session)
{
    status_t status = SEC_E_OK;
    if (!tls_suite_is_carried(session->suite, session->version)) return SEC_E_NOT_SUPPORTED;
    if (session->version == TLS_1_3) {
        status = tls_direction_derive(session, &session->send);
        if (status_ok(status)) status = tls_direction_derive(session, &session->receive);
    }
    if (status_ok(status)) status = tls_direction_start(session, &session->send);
    if (status_ok(status)) status = tls_direction_start(session, &session->receive);
    return status;
}

void tls_session_clear(struct tls_session *session)
{
    tls_direction_clear(&session->send);
    tls_direction_clear(&session->receive);
    secret_wipe(session, sizeof(*session));
}

/* ---- as bytes ---- */

static size_t secret_size(const struct tls_session *session)
{
    return hash_size(tls_suite_hash(session->suite));
}

static size_t master_size(const struct tls_session *session)
{
    return session->version == TLS_1_3 ? secret_size(session) : sizeof(session->master);
}

static void write_direction(const struct tls_session *session,
                            const struct tls_direction *direction, struct writer *w)
{
    writer_u64le(w, direction->sequence);
    writer_bytes(w, direction->key, tls_key_size(session->suite));
    writer_bytes(w, direction->iv, tls_iv_size(session));
    if (session->version == TLS_1_3) writer_bytes(w, direction->secret, secret_size(session));
}

void tls_session_write(const struct tls_session *session, struct writer *w)
{
    uint8_t flags = 0;
    bool limited = tls_plain_limit(session) < TLS_PLAIN_MAX;
    if (session->server) flags |= FLAG_SERVER;
    if (session->extended_master_secret) flags |= FLAG_EXTENDED_MASTER_SECRET;
    if (session->has_finished) flags |= FLAG_FINISHED;
    if (limited) flags |= FLAG_LIMIT;
    writer_u8(w, VERSION);
    writer_u8(w, flags);
    writer_u16le(w, session->version);
    writer_u16le(w, session->suite->id);
    write_direction(session, &session->send, w);
    write_direction(session, &session->receive, w);
    writer_bytes(w, session->master, master_size(session));
    writer_bytes(w, session->client_random, sizeof(session->client_random));
    writer_bytes(w, session->server_random, sizeof(session->server_random));
    if (session->has_finished) writer_bytes(w, session->finished, sizeof(session->finished));
    if (limited) writer_u16le(w, session->limit);
}

static void read_direction(struct reader *r, const struct tls_session *session,
                           struct tls_direction *direction)
{
    direction->sequence = reader_u64le(r);
    reader_copy(r, direction->key, tls_key_size(session->suite));
    reader_copy(r, direction->iv, tls_iv_size(session));
    if (session->version == TLS_1_3) reader_copy(r, direction->secret, secret_size(session));
}

static status_t read_fields(struct reader *r, struct tls_session *session)
{
    uint8_t version = reader_u8(r), flags = reader_u8(r);
    session->version = reader_u16le(r);
    session->suite = tls_suite_find(reader_u16le(r));
    session->server = flags & FLAG_SERVER;
    session->extended_master_secret = flags & FLAG_EXTENDED_MASTER_SECRET;
    session->has_finished = flags & FLAG_FINISHED;
    if (version != VERSION || flags & ~FLAGS ||
        !tls_suite_is_carried(session->suite, session->version))
        return SEC_E_INVALID_TOKEN;
    read_direction(r, session, &session->send);
    read_direction(r, session, &session->receive);
    reader_copy(r, session->master, master_size(session));
    reader_copy(r, session->client_random, sizeof(session->client_random));
    reader_copy(r, session->server_random, sizeof(session->server_random));
    if (session->has_finished) reader_copy(r, session->finished, sizeof(session->finished));
    if (flags & FLAG_LIMIT) {
        session->limit = reader_u16le(r);
        if (!session->limit || session->limit >= TLS_PLAIN_MAX) return SEC_E_INVALID_TOKEN;
    }
    return reader_ok(r) ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

status_t tls_session_read(struct reader *r, struct tls_session *out)
{
    struct tls_session made;
    memset(&made, 0, sizeof(made));
    status_t status = read_fields(r, &made);
    if (status_ok(status)) status = tls_direction_start(&made, &made.send);
    if (status_ok(status)) status = tls_direction_start(&made, &made.receive);
    if (status_ok(status)) *out = made;
    else tls_session_clear(&made);
    secret_wipe(&made, sizeof(made));
    return status;
}
