/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities as blocks; the layouts are those of SEC_WINNT_AUTH_IDENTITY_EX2,
 * SEC_WINNT_AUTH_PACKED_CREDENTIALS and SEC_WINNT_AUTH_DATA_PASSWORD in sspi.h. Credentials of
 * other types are carried and not looked into.
 *
 * Sealed packed credentials are ours:
 *   magic 4, name of the key 8, nonce 12,
 *   encrypted: packed credentials, zeros, their size 2,
 *   tag 16
 * What is encrypted is a multiple of 16 bytes long, so that the length of a password shows only
 * roughly. The header, the mode and the texts of user and domain are associated data.
 */
#include "core/identity.h"

#include "core/secret.h"

#include <string.h>

#define PACKED_HEADER 28u
#define PASSWORD_HEADER 8u
#define HEADER_MAX 0x100u

#define SEALED_MAGIC 0x49535357u /* WSSI */
#define SEALED_HEADER 24u
#define KEY_NAME_SIZE 8u
#define TAG_SIZE 16u
#define GRAIN 16u

/* SEC_WINNT_AUTH_DATA_TYPE_PASSWORD */
static const uint8_t password_type[16] = {0x2f, 0xc3, 0xbf, 0x28, 0xf6, 0x10, 0x38, 0x47,
                                          0x98, 0xd1, 0x1a, 0xc0, 0x61, 0xdf, 0x71, 0x6a};

/* ---- reading ---- */

/* An offset of 0 is where the structure itself is: there is no such part. */
static struct slice part_window(struct reader *r, size_t offset, size_t size)
{
    struct slice part = reader_window(r, offset, size);
    if (size) return part;
    return (struct slice){offset ? r->base : NULL, 0};
}

static struct slice part_read(struct reader *r)
{
    size_t offset = reader_u32le(r), size = reader_u16le(r);
    reader_skip(r, 2);
    return part_window(r, offset, size);
}

static bool is_text(struct slice part)
{
    return part.size % 2 == 0;
}

status_t identity_decode(struct slice bytes, struct identity_parts *out)
{
    struct reader r;
    struct identity_parts parts;
    reader_init(&r, bytes.data, bytes.size);
    uint32_t version = reader_u32le(&r);
    size_t header = reader_u16le(&r);
    reader_skip(&r, 2);
    size_t size = reader_u32le(&r);
    if (!reader_ok(&r) || version != IDENTITY_VERSION || size > bytes.size || size < header ||
        header < IDENTITY_HEADER_SIZE || header >= HEADER_MAX)
        return SEC_E_INVALID_TOKEN;

    reader_init(&r, bytes.data, size);
    reader_skip(&r, 12);
    parts.user = part_read(&r);
    parts.domain = part_read(&r);
    parts.packed = part_read(&r);
    parts.flags = reader_u32le(&r);
    parts.package_list = part_read(&r);
    if (!reader_ok(&r) || !is_text(parts.user) || !is_text(parts.domain) ||
        !is_text(parts.package_list))
        return SEC_E_INVALID_TOKEN;
    if (parts.flags & IDENTITY_NULL_USER) parts.user = (struct slice){NULL, 0};
    if (parts.flags & IDENTITY_NULL_DOMAIN) parts.domain = (struct slice){NULL, 0};
    *out = parts;
    return SEC_E_OK;
}

/* The place of the password is counted from the start of either structure, depending on who wrote
 * it: an offset that would fall into what precedes the password is of the inner one. */
bool identity_password_read(struct slice packed, struct slice *password)
{
    struct reader r, inner;
    uint8_t type[sizeof(password_type)];
    reader_init(&r, packed.data, packed.size);
    reader_skip(&r, 4); /* header and structure sizes */
    reader_copy(&r, type, sizeof(type));
    size_t data_offset = reader_u32le(&r), data_size = reader_u16le(&r);
    struct slice data = reader_window(&r, data_offset, data_size);
    reader_init(&inner, data.data, data.size);
    size_t offset = reader_u32le(&inner), size = reader_u16le(&inner);
    if (!reader_ok(&r) || !reader_ok(&inner) || memcmp(type, password_type, sizeof(type)))
        return false;

    struct reader *from = offset < data_offset + PASSWORD_HEADER ? &inner : &r;
    struct slice text = part_window(from, offset, size);
    if (!reader_ok(from)) return false;
    *password = text;
    return true;
}

/* ---- writing ---- */

static size_t align(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

/* Where the packed credentials are: a reader on Windows lays structures over them. */
static size_t packed_offset(const struct identity_parts *parts)
{
    return align(
        IDENTITY_HEADER_SIZE + parts->user.size + parts->domain.size + parts->package_list.size, 4);
}

static void part_write(struct writer *out, struct slice part, size_t *at)
{
    writer_u32le(out, part.data ? (uint32_t)*at : 0);
    writer_u16le(out, (uint16_t)part.size);
    writer_u16le(out, 0);
    *at += part.size;
}

static bool sizes_fit(const struct identity_parts *parts)
{
    return parts->user.size <= UINT16_MAX && parts->domain.size <= UINT16_MAX &&
           parts->packed.size <= UINT16_MAX && parts->package_list.size <= UINT16_MAX;
}

status_t identity_encode(const struct identity_parts *parts, size_t at_least, struct writer *out)
{
    if (!sizes_fit(parts) || at_least > UINT32_MAX) return SEC_E_INVALID_PARAMETER;
    size_t packed_at = packed_offset(parts), size = packed_at + parts->packed.size;
    size_t total = size > at_least ? size : at_least, at = IDENTITY_HEADER_SIZE;
    uint32_t flags = parts->flags & ~(IDENTITY_NULL_USER | IDENTITY_NULL_DOMAIN);
    if (!parts->user.data) flags |= IDENTITY_NULL_USER;
    if (!parts->domain.data) flags |= IDENTITY_NULL_DOMAIN;

    writer_u32le(out, IDENTITY_VERSION);
    writer_u16le(out, IDENTITY_HEADER_SIZE);
    writer_u16le(out, 0);
    writer_u32le(out, (uint32_t)total);
    part_write(out, parts->user, &at);
    part_write(out, parts->domain, &at);
    size_t list_at = at;
    at = packed_at;
    part_write(out, parts->packed, &at);
    writer_u32le(out, flags);
    at = list_at;
    part_write(out, parts->package_list, &at);

    writer_slice(out, parts->user);
    writer_slice(out, parts->domain);
    writer_slice(out, parts->package_list);
    writer_zero(out, packed_at - at);
    writer_slice(out, parts->packed);
    writer_zero(out, total - size);
    return writer_status(out);
}

void identity_password_write(struct slice password, struct writer *out)
{
    if (password.size > UINT16_MAX - IDENTITY_PASSWORD_OVERHEAD) {
        writer_fail(out);
        return;
    }
    writer_u16le(out, PACKED_HEADER);
    writer_u16le(out, (uint16_t)(IDENTITY_PASSWORD_OVERHEAD + password.size));
    writer_bytes(out, password_type, sizeof(password_type));
    writer_u32le(out, PACKED_HEADER);
    writer_u16le(out, (uint16_t)(PASSWORD_HEADER + password.size));
    writer_u16le(out, 0);
    writer_u32le(out, PASSWORD_HEADER);
    writer_u16le(out, (uint16_t)password.size);
    writer_u16le(out, 0);
    writer_slice(out, password);
}

/* ---- sealing ---- */

static size_t sealed_size(size_t packed_size)
{
    return SEALED_HEADER + align(packed_size + 2, GRAIN) + TAG_SIZE;
}

size_t identity_room(const struct identity_parts *parts)
{
    bool sealed = parts->flags & IDENTITY_ENCRYPTED;
    return packed_offset(parts) + (sealed ? parts->packed.size : sealed_size(parts->packed.size));
}

/* Tells keys apart and gives nothing of them away. */
static status_t key_name(const struct identity_key *key, uint8_t name[KEY_NAME_SIZE])
{
    static const char label[] = "winesspi identity key";
    const struct slice part = {(const uint8_t *)label, sizeof(label) - 1};
    uint8_t mac[32];
    status_t status = hmac_sha256((struct slice){key->bytes, sizeof(key->bytes)}, &part, 1, mac);
    if (status_ok(status)) memcpy(name, mac, KEY_NAME_SIZE);
    return status;
}

static void associated_write(const struct identity_parts *parts, uint32_t mode, struct slice header,
                             struct writer *out)
{
    writer_slice(out, header);
    writer_u32le(out, mode);
    writer_u8(out, parts->user.data != NULL);
    writer_u32le(out, (uint32_t)parts->user.size);
    writer_slice(out, parts->user);
    writer_u8(out, parts->domain.data != NULL);
    writer_u32le(out, (uint32_t)parts->domain.size);
    writer_slice(out, parts->domain);
}

status_t identity_seal(const struct identity_parts *parts, const struct identity_key *key,
                       const uint8_t nonce[12], struct writer *out)
{
    uint8_t name[KEY_NAME_SIZE], tag[TAG_SIZE];
    struct aead *aead = NULL;
    struct writer associated;
    size_t start = out->size, size = align(parts->packed.size + 2, GRAIN);
    if (parts->packed.size > UINT16_MAX) return SEC_E_INVALID_PARAMETER;
    status_t status = key_name(key, name);
    if (!status_ok(status)) return status;

    writer_init(&associated);
    writer_u32le(out, SEALED_MAGIC);
    writer_bytes(out, name, sizeof(name));
    writer_bytes(out, nonce, 12);
    writer_slice(out, parts->packed);
    writer_zero(out, size - 2 - parts->packed.size);
    writer_u16le(out, (uint16_t)parts->packed.size);
    size_t tag_at = writer_reserve(out, TAG_SIZE);
    status = writer_status(out);
    if (!status_ok(status)) goto done;
    associated_write(parts, key->mode, (struct slice){out->data + start, SEALED_HEADER},
                     &associated);
    status = writer_status(&associated);
    if (status_ok(status)) status = aead_create(AEAD_AES_256_GCM, key->bytes, &aead);
    if (status_ok(status))
        status = aead_seal(aead, nonce, writer_view(&associated), out->data + start + SEALED_HEADER,
                           size, tag);
    if (status_ok(status)) writer_patch_bytes(out, tag_at, tag, sizeof(tag));
    else writer_fail(out);
done:
    aead_free(aead);
    writer_free(&associated);
    return status;
}

struct sealed {
    struct slice header, name, nonce, body, tag;
};

static status_t sealed_decode(const struct identity_parts *parts, struct sealed *out)
{
    struct reader r;
    reader_init(&r, parts->packed.data, parts->packed.size);
    out->header = reader_window(&r, 0, SEALED_HEADER);
    uint32_t magic = reader_u32le(&r);
    out->name = reader_bytes(&r, KEY_NAME_SIZE);
    out->nonce = reader_bytes(&r, 12);
    size_t left = reader_left(&r), size = left > TAG_SIZE ? left - TAG_SIZE : 0;
    out->body = reader_bytes(&r, size);
    out->tag = reader_bytes(&r, TAG_SIZE);
    if (!reader_end(&r) || magic != SEALED_MAGIC || !size || size % GRAIN)
        return SEC_E_INVALID_TOKEN;
    return SEC_E_OK;
}

/* Opened where it lies in out, from start to its end; leaves the packed credentials there. */
static status_t body_open(const struct sealed *sealed, struct slice associated,
                          const struct identity_key *key, struct writer *out, size_t start)
{
    struct aead *aead = NULL;
    struct reader r;
    size_t size = sealed->body.size;
    status_t status = aead_create(AEAD_AES_256_GCM, key->bytes, &aead);
    if (!status_ok(status)) return status;
    status = aead_open(aead, sealed->nonce.data, associated, out->data + start, size,
                       sealed->tag.data);
    aead_free(aead);
    if (!status_ok(status)) return status;
    reader_init(&r, out->data + start + size - 2, 2);
    size_t packed_size = reader_u16le(&r);
    if (packed_size + 2 > size) return SEC_E_INVALID_TOKEN;
    secret_wipe(out->data + start + packed_size, size - packed_size);
    out->size = start + packed_size;
    return SEC_E_OK;
}

status_t identity_open(const struct identity_parts *parts, const struct identity_key *key,
                       struct writer *out)
{
    struct sealed sealed;
    uint8_t name[KEY_NAME_SIZE];
    struct writer associated;
    size_t start = out->size;
    status_t status = sealed_decode(parts, &sealed);
    if (status_ok(status)) status = key_name(key, name);
    if (!status_ok(status)) return status;
    bool same_mode = (parts->flags & IDENTITY_ENCRYPTED) == key->mode;
    if (!same_mode || !secret_equal(name, sealed.name.data, sizeof(name))) return SEC_E_NOT_OWNER;

    writer_init(&associated);
    associated_write(parts, key->mode, sealed.header, &associated);
    writer_slice(out, sealed.body);
    status = writer_status(&associated);
    if (status_ok(status)) status = writer_status(out);
    if (status_ok(status)) status = body_open(&sealed, writer_view(&associated), key, out, start);
    if (!status_ok(status)) writer_fail(out);
    writer_free(&associated);
    return status;
}

/* ---- in a block ---- */

/* The block is made anew elsewhere, and takes the old one's place when all went well. */
static status_t block_replace(uint8_t *block, size_t size, const struct identity_parts *parts)
{
    struct writer made;
    writer_init(&made);
    status_t status = identity_encode(parts, size, &made);
    if (status_ok(status) && made.size != size) status = SEC_E_BUFFER_TOO_SMALL;
    if (status_ok(status)) memcpy(block, made.data, size);
    writer_free(&made);
    return status;
}

status_t identity_seal_block(uint8_t *block, size_t size, const struct identity_key *key,
                             const uint8_t nonce[12])
{
    struct identity_parts parts;
    struct writer sealed;
    status_t status = identity_decode((struct slice){block, size}, &parts);
    if (!status_ok(status)) return status;
    if (parts.flags & IDENTITY_ENCRYPTED) return SEC_E_INVALID_PARAMETER;
    writer_init(&sealed);
    status = identity_seal(&parts, key, nonce, &sealed);
    if (status_ok(status)) {
        parts.packed = writer_view(&sealed);
        parts.flags |= key->mode;
        status = block_replace(block, size, &parts);
    }
    writer_free(&sealed);
    return status;
}

status_t identity_open_block(uint8_t *block, size_t size, const struct identity_key *key)
{
    struct identity_parts parts;
    struct writer opened;
    status_t status = identity_decode((struct slice){block, size}, &parts);
    if (!status_ok(status)) return status;
    writer_init(&opened);
    status = identity_open(&parts, key, &opened);
    if (status_ok(status)) {
        parts.packed = opened.size ? writer_view(&opened) : (struct slice){NULL, 0};
        parts.flags &= ~key->mode;
        status = block_replace(block, size, &parts);
    }
    writer_free(&opened);
    return status;
}
