/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens for clients for whom Wine has none. The policy ForeignTokens (REG_DWORD 1 under
 * HKLM\SOFTWARE\winesspi) has packages give them out: the token of this process at identification
 * level, without privileges, and with groups that only count against it. It still names this
 * process's user; whom it stands for is known to the host that gave it out.
 */
#pragma once

#include "ssp/abi.h"

#define FOREIGN_TOKENS_VALUE L"ForeignTokens"

/* The policy, as it was a second ago at the most. Any thread. */
bool foreign_tokens_wanted(void);

/* Whether the thread acts for a foreign client, for nobody, or for one whose token it may not look
 * at. A token without rights is only one of those where policy has them or this module has seen
 * one. */
bool foreign_caller(void);

/* NULL on failure. */
HANDLE foreign_token_make(void);

/* Whether it is such a token or a copy of one; so is any whose likeness to one cannot be ruled
 * out. Needs TOKEN_QUERY. */
bool foreign_token_is(HANDLE token);
