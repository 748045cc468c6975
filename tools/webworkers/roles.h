/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The subcommands of webworkers. Each takes the arguments after its name (ended by NULL) and
 * answers with an exit code. */
#pragma once

int role_demo(char **arguments);
int role_serve(char **arguments);
int role_worker(char **arguments);
