/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The roles that this program plays, each with the arguments after its name. */
#pragma once

int role_certificate(char **arguments);
int role_serve(char **arguments);
int role_worker(char **arguments);
