/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * KERB_VALIDATION_INFO (MS-PAC 2.5), the part of a ticket that says which account its client has:
 * one object of NDR (C706 14) behind the headers of type serialization (MS-RPCE 2.2.6). Whether it
 * is genuine is for whoever has the keys of the ticket.
 */
#pragma once

#include "core/reader.h"
#include "core/status.h"

#define PAC_USER_EXTRA_SIDS 0x20u       /* of user_flags: there are extra SIDs */
#define PAC_USER_RESOURCE_GROUPS 0x200u /* and groups of the resource's domain */

/* Group members as they lie there, for pac_group. */
struct pac_groups {
    struct slice bytes;
    uint32_t count;
};

/* Extra SIDs, for pac_sids_next. */
struct pac_sids {
    struct reader entries, sids;
    uint32_t left;
};

/* All borrowed. Text is UTF-16LE; a SID is in its packet form (MS-DTYP 2.4.2.2), and empty when
 * there is none. Times are FILETIMEs. */
struct pac_logon {
    uint64_t logon_time, logoff_time, kickoff_time;
    uint64_t password_set, password_can_change, password_must_change;
    struct slice account, full_name, script, profile, home, home_drive;
    uint16_t logon_count, bad_password_count;
    uint32_t user_id, primary_group;
    struct pac_groups groups;
    uint32_t user_flags;
    struct slice logon_server, domain, domain_sid;
    uint32_t account_control;
    struct pac_sids extra;
    struct slice resource_sid;
    struct pac_groups resource_groups;
};

/* SEC_E_INVALID_TOKEN, with *out untouched, for what is no such object. */
status_t pac_logon_read(struct slice bytes, struct pac_logon *out);

/* The relative id and the attributes of one of the groups; index below count. */
void pac_group(const struct pac_groups *groups, uint32_t index, uint32_t *rid,
               uint32_t *attributes);

/* The next one; false at the end. */
bool pac_sids_next(struct pac_sids *sids, struct slice *sid, uint32_t *attributes);
