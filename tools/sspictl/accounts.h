/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The local accounts of the NTLM server, kept in the registry. Shared by sspictl and handover. */
#pragma once

#include <stdbool.h>
#include <wchar.h>

#define ACCOUNT_USER_MAX 256
#define ACCOUNT_DOMAIN_MAX 15
#define ACCOUNT_TEXT_MAX (ACCOUNT_DOMAIN_MAX + 1 + ACCOUNT_USER_MAX)
#define ACCOUNT_PASSWORD_MAX 256

struct account {
    wchar_t domain[ACCOUNT_DOMAIN_MAX + 1], user[ACCOUNT_USER_MAX + 1];
    wchar_t text[ACCOUNT_TEXT_MAX + 1]; /* DOMAIN\User */
};

/* From "user", "DOMAIN\user", or a user and a domain apart (domain may be NULL: the computer's
 * name). NULL, or what is wrong with it; *out is then untouched. */
const char *account_parse(const wchar_t *user, const wchar_t *domain, struct account *out);

/* The results are Windows error codes. Names are compared without regard to case. */
long account_set(const struct account *account, const wchar_t *password);
long account_remove(const struct account *account); /* ERROR_FILE_NOT_FOUND */
long account_find(const struct account *account);   /* ERROR_FILE_NOT_FOUND */

/* Calls back for each account; valid is false for a value that is no account's. */
long account_each(void (*each)(void *closure, const wchar_t *text, bool valid), void *closure);
