/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An account that a demonstration makes for itself and removes again. */
#pragma once

#include "../sspictl/accounts.h"

#define GUEST_PASSWORD_DIGITS 32

/* Its address must not change while the account exists. */
struct guest {
    struct account account;
    char password[GUEST_PASSWORD_DIGITS + 1]; /* hexadecimal digits */
    bool made;
};

/* Makes an account with a random password, under a name of its own: an account that the user has
 * is never touched. It is removed as well when the user stops the program. A failure is
 * narrated. */
bool guest_make(struct guest *guest);

/* Wipes the password, too. Nothing happens when there is no account. */
void guest_remove(struct guest *guest);
