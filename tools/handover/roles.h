/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The subcommands of handover. Each takes the arguments after its name (ended by NULL) and answers
 * with an exit code. */
#pragma once

int role_client(char **arguments);
int role_demo(char **arguments);
int role_listener(char **arguments);
int role_make_blob(char **arguments);
int role_worker(char **arguments);
