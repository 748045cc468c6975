/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of what SSPI gives as numbers. Shared by sspictl and handover. */
#pragma once

#include <stdint.h>
#include <stdio.h>

/* "SEC_E_INVALID_TOKEN (0x80090308)"; by value, so it can stand in a printf argument. */
struct status_text {
    char text[64];
};
struct status_text status_text(int32_t status);

/* Why ImportSecurityContext refused, in a sentence; NULL for a status without a special meaning. */
const char *status_import_reason(int32_t status);

/* The names of the set bits, separated by blanks; unknown bits as a number; "none" for 0. */
void names_print_capabilities(FILE *to, uint32_t capabilities);
void names_print_client_flags(FILE *to, uint32_t flags);
void names_print_server_flags(FILE *to, uint32_t flags);
