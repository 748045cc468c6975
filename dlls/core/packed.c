/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The envelope of an exported context:
 *   magic 4, version 1, flags 1, size of name 2, epoch 8, ticket 8, nonce 12, size of body 4,
 *   name, body, tag 16
 * Everything before the body is associated data.
 */
#include "core/packed.h"

#include "core/secret.h"
#include "core/utf16.h"

#include <string.h>

#define MAGIC 0x58505357u /* WSPX */
#define VERSION 1u
#define CLEAR_SIZE 40u
#define TAG_SIZE 16u
#define NAME_SIZE_MAX (64u * 2)

static bool name_fits(struct slice name)
{
    return name.size >= 2 && name.size <= NAME_SIZE_MAX && utf16_valid(name);
}

/* A single-use blob has a ticket, and only such a one. */
static bool flags_fit(const struct packed *packed)
{
    if (packed->flags & ~PACKED_FLAGS) return false;
    return !(packed->flags & PACKED_SINGLE_USE) == !packed->ticket;
}

size_t packed_size(const struct packed *packed)
{
    return CLEAR_SIZE + packed->package.size + packed->body.size + TAG_SIZE;
}

static void write_clear(struct writer *out, const struct packed *packed)
{
    writer_u32le(out, MAGIC);
    writer_u8(out, VERSION);
    writer_u8(out, packed->flags);
    writer_u16le(out, (uint16_t)packed->package.size);
    writer_u64le(out, packed->epoch);
    writer_u64le(out, packed->ticket);
    writer_bytes(out, packed->nonce, sizeof(packed->nonce));
    writer_u32le(out, (uint32_t)(packed->body.size + TAG_SIZE));
    writer_slice(out, packed->package);
}

status_t packed_encode(const struct packed *packed, struct aead *aead, struct writer *out)
{
    if (!name_fits(packed->package) || !flags_fit(packed) || packed->body.size > PACKED_BODY_MAX)
        return SEC_E_INVALID_PARAMETER;
    size_t start = out->size;
    write_clear(out, packed);
    size_t clear_size = out->size - start;
    writer_slice(out, packed->body);
    size_t tag_offset = writer_reserve(out, TAG_SIZE);
    status_t status = writer_status(out);
    if (!status_ok(status)) return status;

    /* The body is sealed where it lies, so that no second copy of it has to be wiped. */
    uint8_t tag[TAG_SIZE];
    struct slice clear = {out->data + start, clear_size};
    status = aead_seal(aead, packed->nonce, clear, out->data + start + clear_size,
                       packed->body.size, tag);
    if (status_ok(status)) writer_patch_bytes(out, tag_offset, tag, sizeof(tag));
    else writer_fail(out);
    return status;
}

status_t packed_decode(struct slice blob, struct packed *out)
{
    struct reader r;
    struct packed packed;
    reader_init(&r, blob.data, blob.size);
    if (reader_u32le(&r) != MAGIC || reader_u8(&r) != VERSION) return SEC_E_INVALID_TOKEN;
    packed.flags = reader_u8(&r);
    size_t name_size = reader_u16le(&r);
    packed.epoch = reader_u64le(&r);
    packed.ticket = reader_u64le(&r);
    reader_copy(&r, packed.nonce, sizeof(packed.nonce));
    size_t body_size = reader_u32le(&r);
    packed.package = reader_bytes(&r, name_size);
    packed.body = reader_bytes(&r, body_size);
    if (!reader_end(&r) || !name_fits(packed.package) || !flags_fit(&packed) ||
        body_size < TAG_SIZE || body_size - TAG_SIZE > PACKED_BODY_MAX)
        return SEC_E_INVALID_TOKEN;
    *out = packed;
    return SEC_E_OK;
}

size_t packed_body_size(const struct packed *packed)
{
    return packed->body.size - TAG_SIZE;
}

status_t packed_open(struct slice blob, const struct packed *packed, struct aead *aead,
                     uint8_t *plain)
{
    size_t size = packed_body_size(packed);
    struct slice clear = {blob.data, blob.size - packed->body.size};
    if (size) memcpy(plain, packed->body.data, size);
    return aead_open(aead, packed->nonce, clear, plain, size, packed->body.data + size);
}
