/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of an exported TLS context, version 2, little endian:
 *   version 1, flags 2, attributes 4, group 2, signature 2, group bits 4,
 *   ALPN and session id (each behind its size, 1), name (behind its size, 2),
 *   keying size 4, label and context of keying material (each behind its size, 2),
 *   application data: flags 4, bytes (behind their size, 4),
 *   peer's chain, own chain, staple, issuers (each behind its size, 4),
 *   judgement: flags 4, roots (behind their size, 4),
 *   the session, to the end
 */
#include "core/tls_body.h"

#include "core/secret.h"

#define VERSION 2u

#define FLAG_RESUMED 0x01u
#define FLAG_CLOSE_SENT 0x02u
#define FLAG_CLOSE_RECEIVED 0x04u
#define FLAG_BROKEN 0x08u
#define FLAG_KEYING_CONTEXT 0x10u
#define FLAGS 0x1fu

#define SESSION_ID_MAX 32u

/* ---- writing ---- */

static void write_part8(struct writer *w, struct slice bytes)
{
    if (bytes.size > UINT8_MAX) writer_fail(w);
    writer_u8(w, (uint8_t)bytes.size);
    writer_slice(w, bytes);
}

static void write_part16(struct writer *w, struct slice bytes)
{
    size_t mark = writer_open_u16le(w);
    writer_slice(w, bytes);
    writer_close_u16le(w, mark);
}

static void write_part32(struct writer *w, struct slice bytes)
{
    if (bytes.size > UINT32_MAX) writer_fail(w);
    writer_u32le(w, (uint32_t)bytes.size);
    writer_slice(w, bytes);
}

static uint16_t flags_of(const struct tls_body *body)
{
    unsigned flags = 0;
    if (body->resumed) flags |= FLAG_RESUMED;
    if (body->close_sent) flags |= FLAG_CLOSE_SENT;
    if (body->close_received) flags |= FLAG_CLOSE_RECEIVED;
    if (body->broken) flags |= FLAG_BROKEN;
    if (body->keying_has_context) flags |= FLAG_KEYING_CONTEXT;
    return (uint16_t)flags;
}

void tls_body_write(const struct tls_body *body, const struct tls_session *session,
                    struct writer *w)
{
    writer_u8(w, VERSION);
    writer_u16le(w, flags_of(body));
    writer_u32le(w, body->attributes);
    writer_u16le(w, body->group);
    writer_u16le(w, body->signature);
    writer_u32le(w, body->group_bits);
    write_part8(w, body->alpn);
    write_part8(w, body->session_id);
    write_part16(w, body->name);
    writer_u32le(w, body->keying_size);
    write_part16(w, body->keying_label);
    write_part16(w, body->keying_context);
    writer_u32le(w, body->app_flags);
    write_part32(w, body->app_data);
    write_part32(w, body->peer_chain);
    write_part32(w, body->local_chain);
    write_part32(w, body->staple);
    write_part32(w, body->issuers);
    writer_u32le(w, body->judge_flags);
    write_part32(w, body->roots);
    tls_session_write(session, w);
}

/* ---- reading ---- */

static void set_flags(struct tls_body *body, unsigned flags)
{
    body->resumed = flags & FLAG_RESUMED;
    body->close_sent = flags & FLAG_CLOSE_SENT;
    body->close_received = flags & FLAG_CLOSE_RECEIVED;
    body->broken = flags & FLAG_BROKEN;
    body->keying_has_context = flags & FLAG_KEYING_CONTEXT;
}

bool tls_chain_next(struct reader *chain, struct slice *certificate)
{
    *certificate = reader_bytes(chain, reader_u24be(chain));
    return reader_ok(chain) && certificate->size;
}

bool tls_chain_valid(struct slice chain)
{
    struct reader r;
    struct slice certificate;
    reader_init(&r, chain.data, chain.size);
    while (reader_left(&r))
        if (!tls_chain_next(&r, &certificate)) return false;
    return reader_ok(&r);
}

bool tls_issuers_valid(struct slice names)
{
    struct reader r;
    reader_init(&r, names.data, names.size);
    while (reader_left(&r))
        if (!reader_bytes(&r, reader_u16be(&r)).size) return false;
    return reader_ok(&r);
}

/* Who uses a name looks for its end, and finds it where it is. */
static bool name_fits(struct slice name)
{
    if (!name.size) return true;
    if (name.size % 2 || name.size / 2 > TLS_BODY_NAME_CHARS) return false;
    for (size_t i = 0; i + 2 < name.size; i += 2)
        if (!name.data[i] && !name.data[i + 1]) return false;
    return !name.data[name.size - 2] && !name.data[name.size - 1];
}

/* A label is there whenever material was asked for. */
static bool keying_fits(const struct tls_body *body)
{
    bool asked = body->keying_size;
    if (body->keying_label.size > TLS_BODY_LABEL_MAX) return false;
    if (body->keying_size > TLS_BODY_MATERIAL_MAX) return false;
    if (!asked && (body->keying_label.size || body->keying_has_context)) return false;
    return body->keying_has_context || !body->keying_context.size;
}

bool tls_body_fits(const struct tls_body *body)
{
    return body->session_id.size <= SESSION_ID_MAX && name_fits(body->name) && keying_fits(body) &&
           tls_chain_valid(body->peer_chain) && tls_chain_valid(body->local_chain) &&
           tls_issuers_valid(body->issuers) && tls_chain_valid(body->roots);
}

static void read_facts(struct reader *r, struct tls_body *body)
{
    body->attributes = reader_u32le(r);
    body->group = reader_u16le(r);
    body->signature = reader_u16le(r);
    body->group_bits = reader_u32le(r);
    body->alpn = reader_bytes(r, reader_u8(r));
    body->session_id = reader_bytes(r, reader_u8(r));
    body->name = reader_bytes(r, reader_u16le(r));
    body->keying_size = reader_u32le(r);
    body->keying_label = reader_bytes(r, reader_u16le(r));
    body->keying_context = reader_bytes(r, reader_u16le(r));
    body->app_flags = reader_u32le(r);
    body->app_data = reader_bytes(r, reader_u32le(r));
    body->peer_chain = reader_bytes(r, reader_u32le(r));
    body->local_chain = reader_bytes(r, reader_u32le(r));
    body->staple = reader_bytes(r, reader_u32le(r));
    body->issuers = reader_bytes(r, reader_u32le(r));
    body->judge_flags = reader_u32le(r);
    body->roots = reader_bytes(r, reader_u32le(r));
}

status_t tls_body_read(struct slice bytes, struct tls_body *body, struct tls_session *session)
{
    struct reader r;
    struct tls_body made;
    struct tls_session made_session;
    reader_init(&r, bytes.data, bytes.size);
    uint8_t version = reader_u8(&r);
    uint16_t flags = reader_u16le(&r);
    set_flags(&made, flags);
    read_facts(&r, &made);
    if (!reader_ok(&r) || version != VERSION || flags & ~FLAGS) return SEC_E_INVALID_TOKEN;
    if (!tls_body_fits(&made)) return SEC_E_INVALID_TOKEN;
    status_t status = tls_session_read(&r, &made_session);
    if (!status_ok(status)) return status;
    if (!reader_end(&r)) {
        tls_session_clear(&made_session);
        return SEC_E_INVALID_TOKEN;
    }
    *body = made;
    *session = made_session;
    secret_wipe(&made_session, sizeof(made_session)); /* its keys are in *session now */
    return SEC_E_OK;
}
