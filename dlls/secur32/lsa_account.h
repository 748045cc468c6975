/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user of the process, and tokens of users. Wine makes no token for another user: for the user
 * of the process there is a duplicate of the process's, for nobody there is nobody's, and anybody
 * else is refused, since a token of the process would turn a stranger into its owner.
 */
#pragma once

#include "lsa_session.h"

/* What is known of the session of the process. For session_facts_free. */
bool account_session_facts(struct session_facts *out);

/*
 * A token as a log-on of that type ends with: to impersonate with after one over the network, else
 * a primary one. groups (or NULL) must be among those that the token has: none can be added.
 * STATUS_LOGON_TYPE_NOT_GRANTED for another user.
 */
NTSTATUS account_token(LSA_TOKEN_INFORMATION_TYPE kind, const void *information,
                       SECURITY_LOGON_TYPE type, SECURITY_IMPERSONATION_LEVEL level,
                       const TOKEN_GROUPS *groups, HANDLE *out);

/* Is the token of one who belongs to the group Protected Users of a domain? */
NTSTATUS account_is_protected(HANDLE token, BOOLEAN *out);
