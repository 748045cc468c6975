/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers for authentication packages, see lsa_buffer.h. */
#include "core/lsa_buffer.h"

bool lsa_buffer_kind(const struct lsa_buffer *buffer, uint32_t *kind)
{
    struct lsa_reader lsa;
    lsa_reader_init(&lsa, buffer);
    uint32_t value = reader_u32le(&lsa.r);
    if (!reader_ok(&lsa.r)) return false;
    *kind = value;
    return true;
}

void lsa_reader_init(struct lsa_reader *lsa, const struct lsa_buffer *buffer)
{
    lsa->buffer = buffer;
    reader_init(&lsa->r, buffer->bytes.data, buffer->bytes.size);
}

void lsa_reader_align(struct lsa_reader *lsa, size_t size)
{
    if (lsa->r.pos % size) reader_skip(&lsa->r, size - lsa->r.pos % size);
}

static size_t pointer_size(const struct lsa_reader *lsa)
{
    return lsa->buffer->wide ? 8 : 4;
}

uint64_t lsa_reader_pointer(struct lsa_reader *lsa)
{
    lsa_reader_align(lsa, pointer_size(lsa));
    return lsa->buffer->wide ? reader_u64le(&lsa->r) : reader_u32le(&lsa->r);
}

/* Structures begin where the largest of their members may stand. */
struct lsa_text lsa_reader_text(struct lsa_reader *lsa)
{
    struct lsa_text text;
    lsa_reader_align(lsa, pointer_size(lsa));
    text.size = reader_u16le(&lsa->r);
    reader_skip(&lsa->r, 2); /* MaximumLength */
    text.address = lsa_reader_pointer(lsa);
    return text;
}

bool lsa_reader_locate(const struct lsa_reader *lsa, uint64_t address, size_t size, size_t *offset)
{
    const struct lsa_buffer *buffer = lsa->buffer;
    uint64_t total = buffer->bytes.size, place = address;
    if (address >= buffer->base && address - buffer->base < total) place = address - buffer->base;
    if (place < lsa->r.pos || place > total || size > total - place) return false;
    *offset = (size_t)place;
    return true;
}

struct slice lsa_reader_find(struct lsa_reader *lsa, struct lsa_text text, size_t unit)
{
    const struct slice none = {NULL, 0};
    size_t offset;
    if (!text.size || !reader_ok(&lsa->r)) return none;
    if (text.size % unit || !lsa_reader_locate(lsa, text.address, text.size, &offset)) {
        reader_fail(&lsa->r);
        return none;
    }
    return reader_window(&lsa->r, offset, text.size);
}

status_t lsa_reader_status(const struct lsa_reader *lsa)
{
    return reader_ok(&lsa->r) ? SEC_E_OK : SEC_E_INVALID_PARAMETER;
}

/* Whether the caller impersonates makes no difference: the old password is what counts. */
status_t lsa_password_change_decode(const struct lsa_buffer *buffer,
                                    struct lsa_password_change *out)
{
    struct lsa_reader lsa;
    struct lsa_password_change change;
    lsa_reader_init(&lsa, buffer);
    reader_skip(&lsa.r, 4);
    struct lsa_text domain = lsa_reader_text(&lsa), user = lsa_reader_text(&lsa);
    struct lsa_text old_password = lsa_reader_text(&lsa), new_password = lsa_reader_text(&lsa);
    reader_skip(&lsa.r, 1);
    change.domain = lsa_reader_find(&lsa, domain, LSA_WIDE);
    change.user = lsa_reader_find(&lsa, user, LSA_WIDE);
    change.old_password = lsa_reader_find(&lsa, old_password, LSA_WIDE);
    change.new_password = lsa_reader_find(&lsa, new_password, LSA_WIDE);
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = change;
    return status;
}
