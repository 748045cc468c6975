/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The subcommands of sspictl. Each takes the arguments after its name (ended by NULL) and answers
 * with an exit code. */
#pragma once

int command_account(char **arguments);
int command_certificate(char **arguments);
int command_config(char **arguments);
int command_check_provider(char **arguments);
int command_export(char **arguments);
int command_handshake(char **arguments);
int command_import(char **arguments);
int command_packages(char **arguments);
int command_tickets(char **arguments);
int command_winbind(char **arguments);
