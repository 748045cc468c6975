/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls from ssp_winbind.dll into its Unix half; see ssp/unixcall.h for the rules. */
#pragma once

#include "ssp/unixcall.h"

enum winbind_call { WINBIND_CALL_LOGON, WINBIND_CALL_DESCRIBE, WINBIND_CALL_CHECK };

/* A name of 256 UTF-16 units has at most 768 bytes of UTF-8. */
#define CALL_NAME_SIZE 776
#define CALL_WHY_SIZE 160

/* Results are text in UTF-8, terminated; `why` says what went wrong, for the trace. */

struct winbind_call_describe {
    char computer[CALL_NAME_SIZE], domain[CALL_NAME_SIZE], dns_domain[CALL_NAME_SIZE];
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct winbind_call_describe, why, 2328, 2488);

struct winbind_call_check {
    uint64_t domain; /* const char *, UTF-8, terminated */
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct winbind_call_check, why, 8, 168);

struct winbind_call_logon {
    uint64_t user, domain, workstation; /* const char *, UTF-8, terminated */
    uint64_t nt_response;               /* const uint8_t * */
    uint64_t nt_size;
    uint8_t challenge[8];
    /* results */
    uint8_t session_key[16];
    char account[CALL_NAME_SIZE], account_domain[CALL_NAME_SIZE];
    char why[CALL_WHY_SIZE];
};
UNIXCALL_LAYOUT(struct winbind_call_logon, why, 1616, 1776);
