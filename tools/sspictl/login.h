/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options --user, --domain and --target of the commands that authenticate. */
#pragma once

#include "loopback.h"
#include "password.h"

#include <stdio.h>

/* For the table of options: see login_prepare. */
struct login_options {
    const char *user, *domain, *target;
};

struct login {
    bool explicit_user; /* otherwise default credentials */
    struct account account;
    struct password password;
    SEC_WINNT_AUTH_IDENTITY_W identity;
    wchar_t *package, *target;
    struct loopback_request request;
};

/* Converts names and reads the password when a user is named. Answers with an exit code; login is
 * to be cleared in any case. */
int login_prepare(const char *command, const char *package, const struct login_options *options,
                  struct login *login);

/* Runs the handshake and explains a failure; the value is an exit code. */
int login_run(struct login *login, struct loopback *l);

/* Wipes the password. */
void login_clear(struct login *login);

/* The paragraph of --help. */
extern const char login_help[];
