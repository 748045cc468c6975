/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking for a password. Shared by sspictl and handover. */
#pragma once

#include "accounts.h"

#include <stdbool.h>

struct password {
    wchar_t text[ACCOUNT_PASSWORD_MAX + 1];
};

/* From the console without echo (twice when it is a new one), or a line of UTF-8 from a standard
 * input that is no console. NULL, or what went wrong; the caller wipes it with secret_wipe. */
const char *password_read(const char *prompt, bool is_new, struct password *out);
