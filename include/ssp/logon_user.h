/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LsaApLogonUserEx2 (Microsoft: LSA_AP_LOGON_USER_EX2) of a module that is an authentication
 * package. The module judges who logs on; that a log-on is given out as a whole or not at all is
 * the same for all of them. Whether there can be a token for it is the host's affair.
 */
#pragma once

#include "ssp/logon.h"

#define LOGON_FOREVER INT64_MAX /* of a profile's times */

struct logon_request {
    PLSA_CLIENT_REQUEST client;
    SECURITY_LOGON_TYPE type;
    struct lsa_buffer submitted;
};

/* What one log-on gives out, until it can be given: heap is the LSA's. */
struct logon_outcome {
    struct slice given_user, given_domain; /* borrowed: how a log-on that fails is called */
    LUID id;                               /* of a log-on of the host's; 0 when there is none yet */
    void *profile;                         /* in the client's memory */
    ULONG profile_size;
    LSA_TOKEN_INFORMATION_TYPE type;
    void *information;
    UNICODE_STRING *account, *authority, *machine;
    SECPKG_PRIMARY_CRED primary;
};

/* The module's own: fills *out, which is empty. What it has filled when it fails is undone by its
 * caller, the log-on of the host's with logon_terminated, too. */
NTSTATUS logon_make(const struct logon_request *request, struct logon_outcome *out);
LSA_AP_LOGON_TERMINATED logon_terminated;

/* Slot of the LSA-mode table. */
logon_user_ex2_fn logon_user;

/* ---- what a module fills an outcome with ---- */

/* A log-on of the host's. */
NTSTATUS outcome_begin(struct logon_outcome *out);
/* What the host makes a token of: the user and the group of all users. Further groups and
 * privileges are the host's. */
NTSTATUS outcome_inform(struct logon_outcome *out, SID *user);
NTSTATUS outcome_name(struct logon_outcome *out, struct slice account, struct slice authority,
                      struct slice machine);
/* For the other packages, which the host tells of the log-on; once it has begun. The password is
 * NULL where there was none. */
NTSTATUS outcome_tell(struct logon_outcome *out, SID *user, const struct slice *password);
