/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts share that make NTLM the authentication package MSV1_0. */
#pragma once

#include "ntlm_package.h"

#include "core/msv1_0.h"
#include "ssp/call.h"
#include "ssp/logon_user.h"
#include "ssp/msv1_0.h"
#include "ssp/password.h"
#include "ssp/token.h"

/* ---- verify.c ---- */

struct verdict {
    bool anonymous;
    struct name user, domain, workstation; /* the account as it is called where it was found */
    bool is_own;                           /* the user of this process */
    bool has_hash;                         /* the password was given */
    uint8_t nt_hash[16];
    uint8_t session_key[16]; /* SessionBaseKey, MS-NLMP 3.3; of a network log-on */
    ULONG user_flags;        /* LOGON_ bits of the profile */
};

/* SEC_E_LOGON_DENIED for whatever is wrong, SEC_E_NO_AUTHENTICATING_AUTHORITY when nobody could
 * judge it. The caller wipes *out. */
status_t logon_verify(const struct msv_logon *logon, struct verdict *out);

/* NTLMv2's answer to a challenge (MS-NLMP 3.3.2) over AV pairs, which may be empty. */
struct v2_answer {
    struct writer nt; /* to be freed */
    uint8_t lm[24], session_key[16];
};
status_t answer_make_v2(const struct identity *identity, const uint8_t challenge[8],
                        struct slice pairs, struct v2_answer *out);

/* ---- session.c: the log-ons of this process ---- */

struct session {
    LUID id;
    SECURITY_LOGON_TYPE type;
    struct name user, domain;
    union {
        SID sid;
        uint8_t sid_room[SID_ROOM];
    };
    bool has_hash;
    struct masked_hash nt_hash;
};

status_t session_add(const struct session *session);
void session_remove(const LUID *id);
/* A log-on, or that of this process itself; an id of 0 is the latter. */
bool session_find(const LUID *id, struct session *out);
/* At most as many as there is room for; how many there are. */
size_t session_list(LUID *ids, size_t room);

/* The SID that an account goes by; SID_ROOM bytes. */
bool sid_of(const struct verdict *verdict, SID *out);
