/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of an account's password by who knows the old one, through a message or through SSPI. */
#pragma once

#include "core/lsa_buffer.h"
#include "ssp/abi.h"

#include <stdbool.h>

/* What is demanded of a new password that is not good enough, where that is known. */
struct password_answer {
    bool has_policy;
    DOMAIN_PASSWORD_INFORMATION policy;
};

/* The module's own: STATUS_WRONG_PASSWORD for an account that is not there, too, and
 * STATUS_PASSWORD_RESTRICTION where the new one is not good enough. has_policy is always set. */
NTSTATUS password_change(const struct lsa_password_change *change, struct password_answer *out);

/* Slot of the LSA-mode table (Microsoft: ChangeAccountPassword). */
SpChangeAccountPasswordFn password_change_sspi;
