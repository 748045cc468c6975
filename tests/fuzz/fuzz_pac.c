/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* KERB_VALIDATION_INFO: all that is read of one lies within it. */
#include "fuzz.h"

#include "core/pac.h"

static void must_lie_in(struct slice part, struct slice whole)
{
    must(!part.size ||
         (part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice whole = {data, size}, sid;
    struct pac_logon logon;
    uint32_t rid, attributes;
    if (!status_ok(pac_logon_read(whole, &logon))) return 0;
    const struct slice parts[] = {logon.account,      logon.full_name,   logon.script,
                                  logon.profile,      logon.home,        logon.home_drive,
                                  logon.logon_server, logon.domain,      logon.domain_sid,
                                  logon.resource_sid, logon.groups.bytes};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) must_lie_in(parts[i], whole);
    must(logon.groups.bytes.size == (size_t)logon.groups.count * 8);
    must(logon.resource_groups.bytes.size == (size_t)logon.resource_groups.count * 8);
    for (uint32_t i = 0; i < logon.groups.count; i++)
        pac_group(&logon.groups, i, &rid, &attributes);
    while (pac_sids_next(&logon.extra, &sid, &attributes)) {
        must_lie_in(sid, whole);
        must(!sid.size || sid.size == 8 + (size_t)sid.data[1] * 4);
    }
    return 0;
}
