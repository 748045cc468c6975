/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of an exported Kerberos context, version 1, little endian:
 *   version 1, attributes 4, encryption type of the ticket's key 4, start 8, expiry 8,
 *   session key (behind its size, 1), client, server, target, account and domain (each behind its
 *   size, 2), KERB_VALIDATION_INFO (behind its size, 4), the session, to the end
 */
#include "core/kerberos_body.h"

#include "core/secret.h"

#define VERSION 1u

static bool name_fits(struct slice name)
{
    if (name.size % 2 || name.size / 2 > KERBEROS_BODY_NAME_CHARS) return false;
    for (size_t i = 0; i < name.size; i += 2)
        if (!name.data[i] && !name.data[i + 1]) return false;
    return true;
}

bool kerberos_body_fits(const struct kerberos_body *body)
{
    return body->session_key.size <= UINT8_MAX && body->pac.size <= UINT32_MAX &&
           name_fits(body->client) && name_fits(body->server) && name_fits(body->target) &&
           name_fits(body->account) && name_fits(body->domain);
}

static void write_name(struct writer *w, struct slice name)
{
    size_t mark = writer_open_u16le(w);
    writer_slice(w, name);
    writer_close_u16le(w, mark);
}

void kerberos_body_write(const struct kerberos_body *body, const struct kerberos_session *session,
                         bool reset, struct writer *w)
{
    if (!kerberos_body_fits(body)) writer_fail(w);
    writer_u8(w, VERSION);
    writer_u32le(w, body->attributes);
    writer_u32le(w, body->ticket_enctype);
    writer_u64le(w, body->start);
    writer_u64le(w, body->expiry);
    writer_u8(w, (uint8_t)body->session_key.size);
    writer_slice(w, body->session_key);
    write_name(w, body->client);
    write_name(w, body->server);
    write_name(w, body->target);
    write_name(w, body->account);
    write_name(w, body->domain);
    writer_u32le(w, (uint32_t)body->pac.size);
    writer_slice(w, body->pac);
    kerberos_session_write(session, reset, w);
}

static void read_facts(struct reader *r, struct kerberos_body *body)
{
    body->attributes = reader_u32le(r);
    body->ticket_enctype = reader_u32le(r);
    body->start = reader_u64le(r);
    body->expiry = reader_u64le(r);
    body->session_key = reader_bytes(r, reader_u8(r));
    body->client = reader_bytes(r, reader_u16le(r));
    body->server = reader_bytes(r, reader_u16le(r));
    body->target = reader_bytes(r, reader_u16le(r));
    body->account = reader_bytes(r, reader_u16le(r));
    body->domain = reader_bytes(r, reader_u16le(r));
    body->pac = reader_bytes(r, reader_u32le(r));
}

status_t kerberos_body_read(struct slice bytes, struct kerberos_body *body,
                            struct kerberos_session *session)
{
    struct reader r;
    struct kerberos_body made;
    struct kerberos_session made_session;
    reader_init(&r, bytes.data, bytes.size);
    uint8_t version = reader_u8(&r);
    read_facts(&r, &made);
    if (!reader_ok(&r) || version != VERSION || !kerberos_body_fits(&made))
        return SEC_E_INVALID_TOKEN;
    status_t status = kerberos_session_read(&made_session, &r);
    if (!status_ok(status)) return status;
    if (!reader_end(&r)) {
        kerberos_session_clear(&made_session);
        return SEC_E_INVALID_TOKEN;
    }
    *body = made;
    *session = made_session;
    secret_wipe(&made_session, sizeof(made_session)); /* its key is in *session now */
    return SEC_E_OK;
}
