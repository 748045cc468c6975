/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Accounts that somebody else knows: where the configuration asks for it, the responses of a
 * client without a local account go to the host's winbind (MS-APDS 3.1.5 describes what a server
 * and its domain say to each other). Its module is loaded the first time that it is needed.
 *
 * Everything here blocks for as long as winbind does, a domain controller's time-out at worst. No
 * lock of the package is held meanwhile; the context's own, which the leg holds, keeps those
 * waiting who want the same half-open context, and they need this leg's outcome anyway.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/trace.h"
#include "ssp/winbind.h"

#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("ntlm");

/* ---- the module ---- */

static winbind_logon_fn *winbind_logon;
static winbind_describe_fn *winbind_describe;

static BOOL CALLBACK module_load(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    HMODULE module = LoadLibraryW(WINBIND_MODULE);
    if (!module) {
        ERR("winbind cannot be asked: ssp_winbind.dll: error %lu\n", GetLastError());
        return FALSE;
    }
    winbind_logon = (winbind_logon_fn *)(void *)GetProcAddress(module, "winbind_logon");
    winbind_describe = (winbind_describe_fn *)(void *)GetProcAddress(module, "winbind_describe");
    return winbind_logon && winbind_describe;
}

static bool module_ready(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    return InitOnceExecuteOnce(&once, module_load, NULL, NULL);
}

/* ---- names ---- */

static SRWLOCK host_lock = SRWLOCK_INIT;
static bool host_known; /* from then on `host` stays as it is */
static struct winbind_host host;

/* Kept for the life of the process once winbind has answered. Threads that find nothing yet all
 * ask: none of them has to wait for another one's answer. */
static bool host_ready(void)
{
    struct winbind_host found;
    char why[WINBIND_WHY_MAX];
    AcquireSRWLockShared(&host_lock);
    bool known = host_known;
    ReleaseSRWLockShared(&host_lock);
    if (known) return true;

    status_t status = winbind_describe(&found, why);
    if (!status_ok(status)) {
        WARN("winbind: %s: status %#lx\n", why, (ULONG)status);
        return false;
    }
    AcquireSRWLockExclusive(&host_lock);
    if (!host_known) host = found;
    host_known = true;
    ReleaseSRWLockExclusive(&host_lock);
    return true;
}

static struct slice wide_slice(const wchar_t *text)
{
    return text_slice(text, wcslen(text));
}

void authority_names(struct ntlm_server_start *start)
{
    if (!module_ready() || !host_ready()) return;
    start->nb_computer = wide_slice(host.computer);
    start->nb_domain = wide_slice(host.domain);
    if (host.dns_domain[0]) start->dns_domain = wide_slice(host.dns_domain);
}

/* ---- log-on ---- */

static bool result_set(struct authority_result *out, const struct winbind_logon *logon)
{
    struct name user, domain;
    if (!name_set(&user, wide_slice(logon->account)) ||
        !name_set(&domain, wide_slice(logon->account_domain)))
        return false;
    out->user = user;
    out->domain = domain;
    memcpy(out->session_base_key, logon->session_key, sizeof(out->session_base_key));
    return true;
}

bool account_is_elsewhere(const struct account *account, const struct ntlm_policy *policy)
{
    if (!policy->winbind || policy->restrict_receiving >= RECEIVING_LOCAL) return false;
    return !account->known || !account->is_named;
}

status_t authority_challenge(const struct ntlm_context *ntlm,
                             const struct ntlm_authenticate *message, uint8_t challenge[8])
{
    uint32_t flags = ntlm_server_flags(ntlm, message);
    if (ntlm_authenticate_response(message, flags) == NTLM_RESPONSE_V1_ESS)
        return ntlm_v1_ess_challenge(ntlm->server_challenge, message->lm_response.data, challenge);
    memcpy(challenge, ntlm->server_challenge, sizeof(ntlm->server_challenge));
    return SEC_E_OK;
}

/* An authority is given the NT response alone: it would take a true LM response (LMv2, or LM) for a
 * false NT response beside it, and that is where the client says that there is a MIC, what its
 * channel is and whom it means. */
status_t authority_verify(const struct authority_request *request, struct authority_result *out)
{
    struct winbind_logon logon = {
        .user = request->user->text,
        .domain = request->domain->text,
        .workstation = request->workstation->text,
        .nt_response = request->nt_response,
    };
    if (!request->user->length) return SEC_E_LOGON_DENIED;
    if (!module_ready()) return SEC_E_NO_AUTHENTICATING_AUTHORITY;
    memcpy(logon.challenge, request->challenge, sizeof(logon.challenge));
    status_t status = winbind_logon(&logon);
    if (status_ok(status) && !result_set(out, &logon)) {
        WARN("winbind: the account's name cannot be used\n");
        status = SEC_E_LOGON_DENIED;
    }
    secret_wipe(&logon, sizeof(logon));
    return status;
}
