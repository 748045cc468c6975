/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ssp_winbind.dll exports: log-ons of network clients judged by Samba's winbind on the host,
 * which asks a domain or, on a stand-alone machine, Samba's own accounts. Nobody links the module;
 * who is configured to use it loads it and resolves these names.
 */
#pragma once

#include "core/reader.h"
#include "core/status.h"

#include <stddef.h>

#define WINBIND_MODULE L"ssp_winbind.dll"
/* It is used when this value (REG_DWORD, 64-bit view of HKEY_LOCAL_MACHINE) is 1. */
#define WINBIND_KEY L"SOFTWARE\\winesspi\\NTLM"
#define WINBIND_VALUE L"Winbind"
#define WINBIND_NAME_CHARS 256

/* One log-on: what a client sent (MS-NLMP 2.2.1.3), and what the authority says of it. */
struct winbind_logon {
    const wchar_t *user, *domain, *workstation; /* terminated; the last two may be empty */
    struct slice nt_response; /* alone: a true LM response beside it would do for a false one */
    uint8_t challenge[8];     /* what it answers */
    /* On success: the account as the authority calls it, and what it derived from the password. */
    wchar_t account[WINBIND_NAME_CHARS + 1], account_domain[WINBIND_NAME_CHARS + 1];
    uint8_t session_key[16]; /* SessionBaseKey, MS-NLMP 3.3; never all zero */
};

/*
 * SEC_E_LOGON_DENIED for whatever is wrong with the log-on, also of one with the right password to
 * whom the authority gives no key or no usable name; SEC_E_NO_AUTHENTICATING_AUTHORITY when nobody
 * could judge it: no Unix half, no libwbclient, no winbindd, no right to ask it, no domain
 * controller. The reason is in the trace. On failure the outputs are untouched. Blocks until
 * winbind answers; any number of threads.
 */
typedef status_t __cdecl winbind_logon_fn(struct winbind_logon *logon);

/* What winbind is to the world. A challenge that leads to a domain controller has to bear these
 * names: the controller compares them with those of the machine that asks it. */
struct winbind_host {
    wchar_t computer[WINBIND_NAME_CHARS + 1];
    wchar_t domain[WINBIND_NAME_CHARS + 1];     /* the computer's name where there is no domain */
    wchar_t dns_domain[WINBIND_NAME_CHARS + 1]; /* empty where there is no domain */
};

/* SEC_E_OK when winbindd answers. why: what is missing otherwise, one line. */
#define WINBIND_WHY_MAX 160
typedef status_t __cdecl winbind_describe_fn(struct winbind_host *host, char why[WINBIND_WHY_MAX]);

/* SEC_E_OK when log-ons of this domain, or computer, can be judged: this user may have it done,
 * and a domain controller answers and trusts this machine. Not for every log-on. */
typedef status_t __cdecl winbind_check_fn(const wchar_t *domain, char why[WINBIND_WHY_MAX]);
