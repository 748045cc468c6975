/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Windows half: turns names between UTF-16 and the UTF-8 of the host, and says in the trace
 * what the other half has to report. Without that half every log-on finds no authority.
 */
#include "ssp/winbind.h"

#include "call.h"

#include "core/secret.h"
#include "ssp/abi.h"
#include "ssp/trace.h"

#include <stdio.h>
#include <string.h>

TRACE_CHANNEL("ntlm");

_Static_assert(WINBIND_WHY_MAX == CALL_WHY_SIZE, "one line is one line");

winbind_logon_fn winbind_logon;
winbind_describe_fn winbind_describe;
winbind_check_fn winbind_check;

/* Runs a call whose parameters have `why` for what went wrong. */
static status_t half_call(enum winbind_call number, void *params, char why[CALL_WHY_SIZE])
{
    if (status_ok(unixcall_ready())) return unixcall_call(number, params);
    snprintf(why, CALL_WHY_SIZE, "Wine finds no Unix half of ssp_winbind (is WINEDLLPATH set?)");
    return SEC_E_NO_AUTHENTICATING_AUTHORITY;
}

static bool to_utf8(const wchar_t *text, char out[CALL_NAME_SIZE])
{
    return WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text, -1, out, CALL_NAME_SIZE, NULL,
                               NULL) > 0;
}

static bool to_wide(const char *text, wchar_t out[WINBIND_NAME_CHARS + 1])
{
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, out,
                               WINBIND_NAME_CHARS + 1) > 0;
}

/* Both names and the key, or nothing. */
static status_t result_take(const struct winbind_call_logon *call, struct winbind_logon *logon)
{
    wchar_t account[ARRAYSIZE(logon->account)], domain[ARRAYSIZE(logon->account_domain)];
    if (!to_wide(call->account, account) || !to_wide(call->account_domain, domain)) {
        WARN("the authority's name for the account is no UTF-8 or too long\n");
        return SEC_E_LOGON_DENIED;
    }
    memcpy(logon->account, account, sizeof(account));
    memcpy(logon->account_domain, domain, sizeof(domain));
    memcpy(logon->session_key, call->session_key, sizeof(logon->session_key));
    return SEC_E_OK;
}

status_t __cdecl winbind_logon(struct winbind_logon *logon)
{
    char user[CALL_NAME_SIZE], domain[CALL_NAME_SIZE], workstation[CALL_NAME_SIZE];
    if (!to_utf8(logon->user, user) || !to_utf8(logon->domain, domain) ||
        !to_utf8(logon->workstation, workstation))
        return SEC_E_LOGON_DENIED; /* no account has such a name */

    struct winbind_call_logon call = {
        .user = unixcall_address(user),
        .domain = unixcall_address(domain),
        .workstation = unixcall_address(workstation),
        .nt_response = unixcall_address(logon->nt_response.data),
        .nt_size = logon->nt_response.size,
    };
    memcpy(call.challenge, logon->challenge, sizeof(call.challenge));
    status_t status = half_call(WINBIND_CALL_LOGON, &call, call.why);
    if (status_ok(status)) status = result_take(&call, logon);
    else WARN("winbind: %s: status %#lx\n", call.why, (ULONG)status);
    secret_wipe(&call, sizeof(call));
    return status;
}

status_t __cdecl winbind_describe(struct winbind_host *host, char why[WINBIND_WHY_MAX])
{
    struct winbind_call_describe call = {0};
    struct winbind_host found;
    status_t status = half_call(WINBIND_CALL_DESCRIBE, &call, call.why);
    if (status_ok(status) &&
        (!to_wide(call.computer, found.computer) || !to_wide(call.domain, found.domain) ||
         !to_wide(call.dns_domain, found.dns_domain))) {
        status = SEC_E_INTERNAL_ERROR;
        snprintf(call.why, sizeof(call.why), "a name of this machine or its domain is no UTF-8");
    }
    if (status_ok(status)) *host = found;
    memcpy(why, call.why, sizeof(call.why));
    return status;
}

status_t __cdecl winbind_check(const wchar_t *domain, char why[WINBIND_WHY_MAX])
{
    char name[CALL_NAME_SIZE];
    if (!to_utf8(domain, name)) return SEC_E_INVALID_PARAMETER;
    struct winbind_call_check call = {.domain = unixcall_address(name)};
    status_t status = half_call(WINBIND_CALL_CHECK, &call, call.why);
    memcpy(why, call.why, sizeof(call.why));
    return status;
}
