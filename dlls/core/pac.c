/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * KERB_VALIDATION_INFO; see core/pac.h. What pointers point at stands behind the structure, in the
 * order of the pointers (C706 14.3.12). Alignment is at most 4, counted from the start of the
 * object, which is 16 bytes into the whole. Members that are reserved are passed over.
 */
#include "core/pac.h"

#include "core/utf16.h"

#define HEADER_FILLER 0xccccccccu
#define COUNT_MAX 65536u /* of groups, and of SIDs: more than a token can have */
#define SID_SUBS_MAX 15u /* MS-DTYP 2.4.2.2 */

/* A string's part in the structure. */
struct string {
    uint16_t size, maximum;
    bool there;
};

static void headers_read(struct reader *r)
{
    bool version = reader_u8(r) == 1, little_endian = reader_u8(r) == 0x10;
    bool size = reader_u16le(r) == 8, filler = reader_u32le(r) == HEADER_FILLER;
    uint32_t object = reader_u32le(r);
    reader_skip(r, 4); /* filler of the private header */
    if (!version || !little_endian || !size || !filler || object > reader_left(r)) reader_fail(r);
}

static void align(struct reader *r)
{
    reader_skip(r, (4 - r->pos % 4) % 4);
}

static bool pointer_read(struct reader *r)
{
    return reader_u32le(r) != 0;
}

static struct string string_read(struct reader *r)
{
    struct string string;
    string.size = reader_u16le(r);
    string.maximum = reader_u16le(r);
    string.there = pointer_read(r);
    return string;
}

static bool has_zero(struct slice text)
{
    for (size_t i = 0; i + 1 < text.size; i += 2)
        if (!text.data[i] && !text.data[i + 1]) return true;
    return false;
}

/* A conformant and varying array of characters. */
static struct slice string_deferred(struct reader *r, struct string string)
{
    struct slice none = {NULL, 0};
    if (!string.there) {
        if (string.size) reader_fail(r);
        return none;
    }
    align(r);
    uint32_t maximum = reader_u32le(r), offset = reader_u32le(r), actual = reader_u32le(r);
    bool good = !offset && actual <= maximum && string.size % 2 == 0 &&
                actual == string.size / 2u && string.size <= string.maximum;
    if (!good) {
        reader_fail(r);
        return none;
    }
    struct slice text = reader_bytes(r, string.size);
    if (reader_ok(r) && (!utf16_valid(text) || has_zero(text))) reader_fail(r);
    return reader_ok(r) ? text : none;
}

static struct pac_groups groups_deferred(struct reader *r, uint32_t count, bool there)
{
    struct pac_groups groups = {{NULL, 0}, 0};
    if (!there) {
        if (count) reader_fail(r);
        return groups;
    }
    align(r);
    if (reader_u32le(r) != count || count > COUNT_MAX) reader_fail(r);
    if (!reader_ok(r)) return groups;
    groups.bytes = reader_bytes(r, (size_t)count * 8);
    groups.count = reader_ok(r) ? count : 0;
    return groups;
}

/* A conformant structure: the number of its sub-authorities stands in front, once more. */
static struct slice sid_deferred(struct reader *r, bool there)
{
    struct slice none = {NULL, 0};
    if (!there) return none;
    align(r);
    uint32_t count = reader_u32le(r);
    struct reader head = *r;
    bool good = reader_u8(&head) == 1 && reader_u8(&head) == count && count <= SID_SUBS_MAX;
    if (!good) {
        reader_fail(r);
        return none;
    }
    return reader_bytes(r, 8 + (size_t)count * 4);
}

static struct pac_sids sids_deferred(struct reader *r, uint32_t count, bool there)
{
    struct pac_sids sids = {0};
    if (!there) {
        if (count) reader_fail(r);
        return sids;
    }
    align(r);
    if (reader_u32le(r) != count || count > COUNT_MAX) reader_fail(r);
    if (!reader_ok(r)) return sids;
    reader_sub(r, (size_t)count * 8, &sids.entries);
    sids.sids = *r;
    sids.left = count;

    struct reader entries = sids.entries;
    for (uint32_t i = 0; i < count && reader_ok(r); i++) {
        bool there_too = pointer_read(&entries);
        reader_skip(&entries, 4);
        sid_deferred(r, there_too);
    }
    return sids;
}

/* What the structure says of what stands behind it. */
struct layout {
    struct string account, full_name, script, profile, home, home_drive, logon_server, domain;
    bool groups, domain_sid, extra, resource_sid, resource_groups;
    uint32_t group_count, extra_count, resource_count;
};

static void fixed_read(struct reader *r, struct pac_logon *logon, struct layout *layout)
{
    logon->logon_time = reader_u64le(r);
    logon->logoff_time = reader_u64le(r);
    logon->kickoff_time = reader_u64le(r);
    logon->password_set = reader_u64le(r);
    logon->password_can_change = reader_u64le(r);
    logon->password_must_change = reader_u64le(r);
    layout->account = string_read(r);
    layout->full_name = string_read(r);
    layout->script = string_read(r);
    layout->profile = string_read(r);
    layout->home = string_read(r);
    layout->home_drive = string_read(r);
    logon->logon_count = reader_u16le(r);
    logon->bad_password_count = reader_u16le(r);
    logon->user_id = reader_u32le(r);
    logon->primary_group = reader_u32le(r);
    layout->group_count = reader_u32le(r);
    layout->groups = pointer_read(r);
    logon->user_flags = reader_u32le(r);
    reader_skip(r, 16); /* UserSessionKey, which is zero in Kerberos */
    layout->logon_server = string_read(r);
    layout->domain = string_read(r);
    layout->domain_sid = pointer_read(r);
    reader_skip(r, 8);
    logon->account_control = reader_u32le(r);
    reader_skip(r, 28); /* SubAuthStatus to Reserved3 */
    layout->extra_count = reader_u32le(r);
    layout->extra = pointer_read(r);
    layout->resource_sid = pointer_read(r);
    layout->resource_count = reader_u32le(r);
    layout->resource_groups = pointer_read(r);
}

static void deferred_read(struct reader *r, const struct layout *layout, struct pac_logon *logon)
{
    logon->account = string_deferred(r, layout->account);
    logon->full_name = string_deferred(r, layout->full_name);
    logon->script = string_deferred(r, layout->script);
    logon->profile = string_deferred(r, layout->profile);
    logon->home = string_deferred(r, layout->home);
    logon->home_drive = string_deferred(r, layout->home_drive);
    logon->groups = groups_deferred(r, layout->group_count, layout->groups);
    logon->logon_server = string_deferred(r, layout->logon_server);
    logon->domain = string_deferred(r, layout->domain);
    logon->domain_sid = sid_deferred(r, layout->domain_sid);
    logon->extra = sids_deferred(r, layout->extra_count, layout->extra);
    logon->resource_sid = sid_deferred(r, layout->resource_sid);
    logon->resource_groups = groups_deferred(r, layout->resource_count, layout->resource_groups);
}

status_t pac_logon_read(struct slice bytes, struct pac_logon *out)
{
    struct reader r;
    struct pac_logon logon = {0};
    struct layout layout = {0};
    reader_init(&r, bytes.data, bytes.size);
    headers_read(&r);
    if (!pointer_read(&r)) return SEC_E_INVALID_TOKEN;
    fixed_read(&r, &logon, &layout);
    deferred_read(&r, &layout, &logon);
    if (!reader_ok(&r)) return SEC_E_INVALID_TOKEN;
    *out = logon;
    return SEC_E_OK;
}

void pac_group(const struct pac_groups *groups, uint32_t index, uint32_t *rid, uint32_t *attributes)
{
    struct reader r;
    reader_init(&r, groups->bytes.data, groups->bytes.size);
    reader_skip(&r, (size_t)index * 8);
    *rid = reader_u32le(&r);
    *attributes = reader_u32le(&r);
}

bool pac_sids_next(struct pac_sids *sids, struct slice *sid, uint32_t *attributes)
{
    if (!sids->left) return false;
    sids->left--;
    bool there = pointer_read(&sids->entries);
    *attributes = reader_u32le(&sids->entries);
    *sid = sid_deferred(&sids->sids, there);
    return true;
}
