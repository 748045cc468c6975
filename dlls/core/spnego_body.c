/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of an exported context of Negotiate, version 1, little endian:
 *   version 1, stage 1, flags 2, attributes 4, expiry 8, last status 4,
 *   package, identifier, mechanism list, target, bindings, pending token (each behind its size, 2),
 *   the mechanism's own export (behind its size, 4)
 */
#include "core/spnego_body.h"

#define VERSION 1u

#define FLAG_ACCEPTOR 0x01u
#define FLAG_RAW 0x02u
#define FLAG_INNER_DONE 0x04u
#define FLAG_ANSWERED 0x08u
#define FLAG_EXTRA_LEG 0x10u
#define FLAG_MIC_REQUIRED 0x20u
#define FLAG_MIC_SENT 0x40u
#define FLAG_MIC_RECEIVED 0x80u
#define FLAGS 0xffu

static void write_part(struct writer *w, struct slice bytes)
{
    size_t mark = writer_open_u16le(w);
    writer_slice(w, bytes);
    writer_close_u16le(w, mark);
}

static uint16_t flags_of(const struct spnego_body *body)
{
    unsigned flags = 0;
    if (body->acceptor) flags |= FLAG_ACCEPTOR;
    if (body->raw) flags |= FLAG_RAW;
    if (body->inner_done) flags |= FLAG_INNER_DONE;
    if (body->answered) flags |= FLAG_ANSWERED;
    if (body->extra_leg) flags |= FLAG_EXTRA_LEG;
    if (body->mic_required) flags |= FLAG_MIC_REQUIRED;
    if (body->mic_sent) flags |= FLAG_MIC_SENT;
    if (body->mic_received) flags |= FLAG_MIC_RECEIVED;
    return (uint16_t)flags;
}

void spnego_body_write(const struct spnego_body *body, struct writer *w)
{
    writer_u8(w, VERSION);
    writer_u8(w, (uint8_t)body->stage);
    writer_u16le(w, flags_of(body));
    writer_u32le(w, body->attributes);
    writer_u64le(w, body->expiry);
    writer_u32le(w, (uint32_t)body->last_status);
    write_part(w, body->package);
    write_part(w, body->oid);
    write_part(w, body->mech_list);
    write_part(w, body->target);
    write_part(w, body->bindings);
    write_part(w, body->pending);
    if (body->inner.size > UINT32_MAX) writer_fail(w);
    writer_u32le(w, (uint32_t)body->inner.size);
    writer_slice(w, body->inner);
}

static void set_flags(struct spnego_body *body, unsigned flags)
{
    body->acceptor = flags & FLAG_ACCEPTOR;
    body->raw = flags & FLAG_RAW;
    body->inner_done = flags & FLAG_INNER_DONE;
    body->answered = flags & FLAG_ANSWERED;
    body->extra_leg = flags & FLAG_EXTRA_LEG;
    body->mic_required = flags & FLAG_MIC_REQUIRED;
    body->mic_sent = flags & FLAG_MIC_SENT;
    body->mic_received = flags & FLAG_MIC_RECEIVED;
}

static struct slice read_part(struct reader *r)
{
    return reader_bytes(r, reader_u16le(r));
}

/* Who uses the target looks for its end. */
static bool is_terminated(struct slice text)
{
    if (!text.size) return true;
    return text.size % 2 == 0 && !text.data[text.size - 1] && !text.data[text.size - 2];
}

static bool parts_fit(const struct spnego_body *body)
{
    if (body->package.size % 2 || body->package.size / 2 > SPNEGO_PACKAGE_CHARS) return false;
    if (body->oid.size > SPNEGO_OID_MAX || !is_terminated(body->target)) return false;
    /* A mechanism has both or neither, and without one there is no context of it. */
    if (!body->package.size != !body->oid.size) return false;
    return body->package.size || !body->inner.size;
}

/* Who is still to say what, and what of. */
static bool stage_fits(const struct spnego_body *body)
{
    bool inner = body->inner.size, list = body->mech_list.size;
    if (body->inner_done && !inner) return false;
    switch (body->stage) {
    case SPNEGO_STAGE_HINTED: return body->acceptor && !inner && !body->raw;
    case SPNEGO_STAGE_OFFERED: return !body->acceptor && inner && !body->raw && list;
    case SPNEGO_STAGE_CHOSEN:
        if (body->raw) return inner && !body->inner_done;
        return list && body->package.size && (inner || body->acceptor);
    case SPNEGO_STAGE_ESTABLISHED: return body->inner_done;
    default: return false;
    }
}

status_t spnego_body_read(struct slice bytes, struct spnego_body *out)
{
    struct reader r;
    struct spnego_body made;
    reader_init(&r, bytes.data, bytes.size);
    uint8_t version = reader_u8(&r);
    made.stage = reader_u8(&r);
    uint16_t flags = reader_u16le(&r);
    set_flags(&made, flags);
    made.attributes = reader_u32le(&r);
    made.expiry = reader_u64le(&r);
    made.last_status = (status_t)reader_u32le(&r);
    made.package = read_part(&r);
    made.oid = read_part(&r);
    made.mech_list = read_part(&r);
    made.target = read_part(&r);
    made.bindings = read_part(&r);
    made.pending = read_part(&r);
    made.inner = reader_bytes(&r, reader_u32le(&r));
    if (!reader_end(&r) || version != VERSION || flags & ~FLAGS) return SEC_E_INVALID_TOKEN;
    if (!parts_fit(&made) || !stage_fits(&made)) return SEC_E_INVALID_TOKEN;
    *out = made;
    return SEC_E_OK;
}
