/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* KERB_VALIDATION_INFO: what is read of a whole one, and what is refused. */
#include "core/pac.h"
#include "pac_sample.h"

#define FIXED 20u                 /* where the structure begins: behind the headers and a pointer */
#define ACCOUNT (FIXED + 48)      /* EffectiveName in it */
#define GROUP_COUNT (FIXED + 108) /* GroupCount */
#define DEFERRED (FIXED + 216)    /* what stands behind it: EffectiveName first */

static void names_and_numbers(void)
{
    struct pac_logon logon;
    ok(pac_logon_read(pac_sample(), &logon) == SEC_E_OK, "a whole one");
    ok(same(logon.account, wide("alice")) && same(logon.domain, wide("FARM")), "account");
    ok(same(logon.full_name, wide("Alice of the Farm")) && !logon.script.size, "other names");
    ok(same(logon.home, wide("home")) && same(logon.home_drive, wide("H:")), "home");
    ok(same(logon.logon_server, wide("BARN")), "server");
    ok(logon.logon_time == 0x100000001u && logon.password_must_change == 0x600000006u, "times");
    ok(logon.logon_count == 11 && logon.bad_password_count == 12, "counts");
    ok(logon.user_id == 1104 && logon.primary_group == 513, "ids");
    ok(logon.user_flags == (PAC_USER_EXTRA_SIDS | PAC_USER_RESOURCE_GROUPS), "flags");
    ok(logon.account_control == 0x210, "account control");
}

static void groups_and_sids(void)
{
    struct pac_logon logon;
    struct slice sid;
    uint32_t rid, attributes, count = 0;
    ok(pac_logon_read(pac_sample(), &logon) == SEC_E_OK, "a whole one");
    ok(logon.groups.count == 2 && logon.resource_groups.count == 3, "counts");
    pac_group(&logon.groups, 1, &rid, &attributes);
    ok(rid == 514 && attributes == 7, "the second group is %u", (unsigned)rid);
    pac_group(&logon.resource_groups, 2, &rid, &attributes);
    ok(rid == 515, "the third group is %u", (unsigned)rid);
    ok(same(logon.domain_sid, hex("0102 000000000005 15000000 e8030000")), "domain");
    ok(same(logon.resource_sid, hex("0102 000000000005 15000000 d0070000")), "resource's domain");
    while (pac_sids_next(&logon.extra, &sid, &attributes)) {
        count++;
        ok(sid.size == 16 && sid.data[12] == count && attributes == 6 + count, "extra SID %u",
           (unsigned)count);
    }
    ok(count == 2, "%u extra SIDs", (unsigned)count);
}

/* Nothing is there that may be missing. */
static void prefixes(void)
{
    struct slice sample = pac_sample();
    for (size_t size = 0; size < sample.size; size++) {
        struct pac_logon logon = {.user_id = 77};
        uint8_t *copy = exact_copy(sample.data, size);
        status_t status = pac_logon_read(view(copy, size), &logon);
        ok(status == SEC_E_INVALID_TOKEN && logon.user_id == 77, "%zu bytes", size);
        free(copy);
    }
}

static void refused(size_t at, const char *bytes, const char *what)
{
    struct slice sample = pac_sample(), change = hex(bytes);
    struct pac_logon logon;
    uint8_t *copy = exact_copy(sample.data, sample.size);
    memcpy(copy + at, change.data, change.size);
    ok(pac_logon_read(view(copy, sample.size), &logon) == SEC_E_INVALID_TOKEN, "%s", what);
    free(copy);
}

static void damage(void)
{
    refused(0, "02", "another version");
    refused(1, "00", "big endian");
    refused(8, "ffffff7f", "an object that is larger than what is there");
    refused(16, "00000000", "no object");
    refused(ACCOUNT, "0b00", "half a character");
    refused(ACCOUNT, "0c00", "a size that is larger than the maximum");
    refused(ACCOUNT + 4, "00000000", "a size without a text");
    refused(DEFERRED, "04000000", "more characters than the maximum");
    refused(DEFERRED + 4, "01000000", "an offset");
    refused(DEFERRED + 12, "00d8", "half a surrogate pair");
    refused(DEFERRED + 12, "0000", "a zero in a name");
    refused(GROUP_COUNT, "03000000", "another number of groups than in the array");
    refused(GROUP_COUNT + 4, "00000000", "groups without an array");
}

/* Whatever a byte is changed to, nothing outside is read: the sanitizers look on. */
static void each_byte(void)
{
    struct slice sample = pac_sample();
    uint8_t *copy = exact_copy(sample.data, sample.size);
    size_t good = 0;
    for (size_t i = 0; i < 8 * sample.size; i++) {
        struct pac_logon logon;
        copy[i / 8] ^= (uint8_t)(1 << i % 8);
        if (status_ok(pac_logon_read(view(copy, sample.size), &logon))) {
            struct slice sid;
            uint32_t attributes, rid;
            for (uint32_t n = 0; n < logon.groups.count; n++)
                pac_group(&logon.groups, n, &rid, &attributes);
            while (pac_sids_next(&logon.extra, &sid, &attributes)) good += sid.size;
        }
        copy[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    ok(good > 0, "most bits are numbers");
    free(copy);
}

int main(void)
{
    RUN(names_and_numbers);
    RUN(groups_and_sids);
    RUN(prefixes);
    RUN(damage);
    RUN(each_byte);
    return test_end("unit_pac");
}
