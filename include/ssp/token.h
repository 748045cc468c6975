/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens: of the process, of whom the thread acts for, and of nobody. A thread that acts for
 * somebody goes on doing so, whichever of them is asked for.
 */
#pragma once

#include "ssp/abi.h"

#include <stdbool.h>

/* What a token has of that class, in memory of malloc. NULL on failure: *status, which may be left
 * out, tells want of memory from a token that cannot be asked. */
void *token_info(HANDLE token, TOKEN_INFORMATION_CLASS class, NTSTATUS *status);

/* What the process's token has of that class, where it fits in size bytes. False also for a thread
 * that acts for somebody who may not open it. */
bool process_token_info(TOKEN_INFORMATION_CLASS class, void *out, DWORD size);

/* Who the process's user is, in SID_ROOM bytes, and the log-on that the process belongs to. False
 * where its token cannot be asked. */
#define SID_ROOM SECURITY_MAX_SID_SIZE
bool process_sid(SID *out);
bool process_logon_id(LUID *out);

/* Whether the log-on is the one that the process belongs to; so is one of 0. */
bool process_logon_is(const LUID *id);

/* The token of this process, also for a thread that acts for somebody who may not open it. NULL on
 * failure. */
HANDLE process_token_open(DWORD access);

/* The token of the thread, or else of the process; impersonating, which may be left out, tells
 * which. NULL, and a last error, when it cannot be had: that of a thread which acts for nobody
 * (SecurityAnonymous) never can, and such a thread is not the process. */
HANDLE caller_token_open(DWORD access, bool *impersonating);

/* Nobody's token. STATUS_ACCESS_DENIED where the thread could not become again whom it acts for,
 * STATUS_LOGON_TYPE_NOT_GRANTED where the system lets no thread be nobody. */
NTSTATUS nobody_token_open(DWORD access, HANDLE *out);

/* Tokens that a server has of its client: of the user of this process, or of nobody. They are to be
 * impersonated, or to be looked at only. NULL on failure. */
HANDLE client_token_own(bool identify);
HANDLE client_token_nobody(bool identify);
