/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of targets. Windows does not publish the flat form of CREDENTIAL_TARGET_INFORMATION; this
 * one is ours. It is base64url (RFC 4648 5, no padding) in UTF-16LE of
 *   magic 4, version 1, which names are there 1, number of types 2, flags 4,
 *   each name with its size before it 2, each type 4
 * and then six digits of that alphabet, the most significant first, with the size in bytes of
 * the whole, themselves included: CRED_MARSHALED_TI_SIZE_SIZE (ntsecpkg.h) is the room for them.
 */
#include "core/target.h"

#include "core/utf16.h"

#define MAGIC 0x49545357u /* WSTI */
#define VERSION 1u
#define TAIL_DIGITS 6u
#define NAMES_MASK ((1u << TARGET_NAMES) - 1)

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- hosts ---- */

static unsigned unit(struct slice text, size_t index)
{
    return text.data[2 * index] | (unsigned)text.data[2 * index + 1] << 8;
}

/* Units before the first such character, or all. */
static size_t span_until(struct slice text, char end)
{
    size_t count = text.size / 2, i = 0;
    while (i < count && unit(text, i) != (unsigned char)end) i++;
    return i;
}

static struct slice skip(struct slice text, size_t units)
{
    return slice_rest(text, 2 * units);
}

static struct slice cut(struct slice text, size_t units)
{
    return (struct slice){text.data, 2 * units};
}

/* A colon alone is before a port; several are an IPv6 address. */
static struct slice without_port(struct slice host)
{
    size_t colon = span_until(host, ':');
    if (2 * colon == host.size) return host;
    struct slice rest = skip(host, colon + 1);
    return 2 * span_until(rest, ':') == rest.size ? cut(host, colon) : host;
}

struct slice target_host(struct slice name)
{
    struct slice none = {NULL, 0}, host = cut(name, name.size / 2);
    size_t slash = span_until(host, '/');
    bool has_service = 2 * slash < host.size;
    if (has_service) host = skip(host, slash + 1);
    host = cut(host, span_until(host, '/'));
    size_t at = span_until(host, '@');
    if (2 * at < host.size && !has_service) return none;
    host = cut(host, at);
    if (host.size && unit(host, 0) == '[') {
        host = skip(host, 1);
        host = cut(host, span_until(host, ']'));
    } else {
        host = without_port(host);
    }
    if (host.size && unit(host, host.size / 2 - 1) == '.') host.size -= 2;
    return host.size ? host : none;
}

/* ---- base64 in UTF-16 ---- */

static void digit_write(struct writer *out, uint32_t value)
{
    writer_u16le(out, (uint16_t)digits[value & 63]);
}

static void text_write(struct writer *out, struct slice bytes)
{
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        bits = bits << 8 | bytes.data[i];
        for (count += 8; count >= 6; count -= 6) digit_write(out, bits >> (count - 6));
    }
    if (count) digit_write(out, bits << (6 - count));
}

static bool digit_read(struct reader *r, uint32_t *value)
{
    uint16_t character = reader_u16le(r);
    uint32_t found = 0;
    while (found < 64 && (unsigned char)digits[found] != character) found++;
    if (!reader_ok(r) || found == 64) return false;
    *value = found;
    return true;
}

/* One text for each value: what does not make a whole byte at the end is zero. */
static bool text_read(struct slice text, struct writer *out)
{
    struct reader r;
    uint32_t bits = 0, digit;
    unsigned count = 0;
    reader_init(&r, text.data, text.size);
    while (reader_left(&r)) {
        if (!digit_read(&r, &digit)) return false;
        bits = bits << 6 | digit;
        count += 6;
        if (count < 8) continue;
        count -= 8;
        writer_u8(out, (uint8_t)(bits >> count));
    }
    return count < 6 && !(bits & ((1u << count) - 1)) && status_ok(writer_status(out));
}

/* ---- target information ---- */

static bool info_fits(const struct target_info *info)
{
    for (size_t i = 0; i < TARGET_NAMES; i++)
        if (info->names[i].size > UINT16_MAX || !utf16_valid(info->names[i])) return false;
    return info->type_count <= TARGET_TYPES_MAX;
}

static void info_write(struct writer *out, const struct target_info *info)
{
    unsigned mask = 0;
    for (size_t i = 0; i < TARGET_NAMES; i++) mask |= info->names[i].data ? 1u << i : 0;
    writer_u32le(out, MAGIC);
    writer_u8(out, VERSION);
    writer_u8(out, (uint8_t)mask);
    writer_u16le(out, (uint16_t)info->type_count);
    writer_u32le(out, info->flags);
    for (size_t i = 0; i < TARGET_NAMES; i++) {
        if (!info->names[i].data) continue;
        writer_u16le(out, (uint16_t)info->names[i].size);
        writer_slice(out, info->names[i]);
    }
    for (size_t i = 0; i < info->type_count; i++) writer_u32le(out, info->types[i]);
}

status_t target_info_encode(const struct target_info *info, struct writer *out)
{
    struct writer bytes;
    if (!info_fits(info)) return SEC_E_INVALID_PARAMETER;
    writer_init(&bytes);
    info_write(&bytes, info);
    size_t start = out->size;
    status_t status = writer_status(&bytes);
    if (status_ok(status)) text_write(out, writer_view(&bytes));
    else writer_fail(out);
    writer_free(&bytes);
    uint32_t size = (uint32_t)(out->size - start + 2 * TAIL_DIGITS);
    for (unsigned i = TAIL_DIGITS; i; i--) digit_write(out, size >> 6 * (i - 1));
    return status_ok(status) ? writer_status(out) : status;
}

static bool info_read(struct slice bytes, struct target_info *out)
{
    struct reader r;
    struct target_info info = {.type_count = 0};
    reader_init(&r, bytes.data, bytes.size);
    if (reader_u32le(&r) != MAGIC || reader_u8(&r) != VERSION) return false;
    unsigned mask = reader_u8(&r);
    info.type_count = reader_u16le(&r);
    info.flags = reader_u32le(&r);
    if (mask & ~NAMES_MASK || info.type_count > TARGET_TYPES_MAX) return false;
    for (size_t i = 0; i < TARGET_NAMES; i++) {
        if (!(mask & 1u << i)) continue;
        size_t size = reader_u16le(&r);
        info.names[i] = reader_bytes(&r, size);
        if (!reader_ok(&r) || !utf16_valid(info.names[i])) return false;
    }
    for (size_t i = 0; i < info.type_count; i++) info.types[i] = reader_u32le(&r);
    if (!reader_end(&r)) return false;
    *out = info;
    return true;
}

static bool tail_read(struct slice text, size_t *whole)
{
    struct reader r;
    uint64_t size = 0;
    uint32_t digit;
    if (text.size < 2 * TAIL_DIGITS) return false;
    reader_init(&r, text.data + text.size - 2 * TAIL_DIGITS, 2 * TAIL_DIGITS);
    while (reader_left(&r)) {
        if (!digit_read(&r, &digit)) return false;
        size = size << 6 | digit;
    }
    if (size % 2 || size < 2 * TAIL_DIGITS || size > text.size) return false;
    *whole = (size_t)size;
    return true;
}

status_t target_info_decode(struct slice text, struct writer *room, struct target_info *out,
                            size_t *used)
{
    size_t whole;
    if (text.size % 2 || !tail_read(text, &whole)) return SEC_E_INVALID_TOKEN;
    struct slice body = {text.data + text.size - whole, whole - 2 * TAIL_DIGITS};
    size_t start = room->size;
    if (!text_read(body, room)) {
        status_t status = writer_status(room);
        return status_ok(status) ? SEC_E_INVALID_TOKEN : status;
    }
    if (room->size == start) return SEC_E_INVALID_TOKEN;
    struct slice bytes = slice_rest(writer_view(room), start);
    if (!info_read(bytes, out)) return SEC_E_INVALID_TOKEN;
    *used = whole;
    return SEC_E_OK;
}
