/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half: asks winbindd through libwbclient (wbclient.h), which is loaded by name at the
 * first call, so that a host without Samba misses nothing. Every call has a context of its own, as
 * the library's default one may not be shared by threads.
 *
 * Refused although winbind says yes: guests, who are not the user that they claim to be, a log-on
 * without a session key, whose messages would be protected by a key that everybody knows, and an
 * account that we cannot name. The password was right: were it called anything but a refusal, the
 * challenge could be answered once more.
 */
#include "call.h"

#include "core/secret.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <wbclient.h>

#define LIBRARY "libwbclient.so.0"

/* ---- the library ---- */

static struct {
    struct wbcContext *(*create)(void);
    void (*free)(struct wbcContext *);
    wbcErr (*ping)(struct wbcContext *);
    wbcErr (*describe)(struct wbcContext *, struct wbcInterfaceDetails **);
    wbcErr (*domain_info)(struct wbcContext *, const char *, struct wbcDomainInfo **);
    wbcErr (*check_trust)(struct wbcContext *, const char *, struct wbcAuthErrorInfo **);
    wbcErr (*authenticate)(struct wbcContext *, const struct wbcAuthUserParams *,
                           struct wbcAuthUserInfo **, struct wbcAuthErrorInfo **);
    void (*free_memory)(void *);
    const char *(*error_string)(wbcErr);
} wbc;

static char library_why[CALL_WHY_SIZE]; /* empty when the library is there */
static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(library_why, sizeof(library_why), "%s", dlerror());
        return;
    }
    const struct {
        void *slot;
        const char *name;
    } functions[] = {
        {&wbc.create, "wbcCtxCreate"},
        {&wbc.free, "wbcCtxFree"},
        {&wbc.ping, "wbcCtxPing"},
        {&wbc.describe, "wbcCtxInterfaceDetails"},
        {&wbc.domain_info, "wbcCtxDomainInfo"},
        {&wbc.check_trust, "wbcCtxCheckTrustCredentials"},
        {&wbc.authenticate, "wbcCtxAuthenticateUserEx"},
        {&wbc.free_memory, "wbcFreeMemory"},
        {&wbc.error_string, "wbcErrorString"},
    };
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        void *function = dlsym(library, functions[i].name);
        memcpy(functions[i].slot, &function, sizeof(function));
        if (function) continue;
        snprintf(library_why, sizeof(library_why), LIBRARY " is too old: it has no %s",
                 functions[i].name);
        dlclose(library);
        return;
    }
    /* Newer versions find out the process's name without regard to other threads, unless told. */
    void (*set_name)(const char *) = NULL;
    void *function = dlsym(library, "wbcSetClientProcessName");
    memcpy(&set_name, &function, sizeof(function));
    if (set_name) set_name("winesspi");
}

static status_t context_create(struct wbcContext **out, char why[CALL_WHY_SIZE])
{
    pthread_once(&library_once, library_load);
    if (library_why[0]) {
        memcpy(why, library_why, CALL_WHY_SIZE);
        return SEC_E_NO_AUTHENTICATING_AUTHORITY;
    }
    *out = wbc.create();
    return *out ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* ---- what the library's answers mean ---- */

static status_t status_of_error(wbcErr error)
{
    switch (error) {
    case WBC_ERR_SUCCESS: return SEC_E_OK;
    case WBC_ERR_NO_MEMORY: return SEC_E_INSUFFICIENT_MEMORY;
    case WBC_ERR_UNKNOWN_USER: return SEC_E_LOGON_DENIED;
    case WBC_ERR_WINBIND_NOT_AVAILABLE:
    case WBC_ERR_DOMAIN_NOT_FOUND: return SEC_E_NO_AUTHENTICATING_AUTHORITY;
    default: return SEC_E_INTERNAL_ERROR;
    }
}

/* MS-ERREF 2.3.1. A client that names a domain that is none is told no more than one with a wrong
 * password, and its guess counts. ACCESS_DENIED is not about the client: winbindd says it to a
 * process that may not use its privileged pipe, a domain controller to a machine that it does not
 * trust. */
static status_t status_of_nt(uint32_t nt_status)
{
    static const struct {
        uint32_t nt_status;
        status_t status;
    } meanings[] = {
        {0xC0000064, SEC_E_LOGON_DENIED},                /* NO_SUCH_USER */
        {0xC000006A, SEC_E_LOGON_DENIED},                /* WRONG_PASSWORD */
        {0xC000006D, SEC_E_LOGON_DENIED},                /* LOGON_FAILURE */
        {0xC000006E, SEC_E_LOGON_DENIED},                /* ACCOUNT_RESTRICTION */
        {0xC000006F, SEC_E_LOGON_DENIED},                /* INVALID_LOGON_HOURS */
        {0xC0000070, SEC_E_LOGON_DENIED},                /* INVALID_WORKSTATION */
        {0xC0000071, SEC_E_LOGON_DENIED},                /* PASSWORD_EXPIRED */
        {0xC0000072, SEC_E_LOGON_DENIED},                /* ACCOUNT_DISABLED */
        {0xC000015B, SEC_E_LOGON_DENIED},                /* LOGON_TYPE_NOT_GRANTED */
        {0xC00000DF, SEC_E_LOGON_DENIED},                /* NO_SUCH_DOMAIN */
        {0xC0000193, SEC_E_LOGON_DENIED},                /* ACCOUNT_EXPIRED */
        {0xC0000198, SEC_E_LOGON_DENIED},                /* NOLOGON_INTERDOMAIN_TRUST_ACCOUNT */
        {0xC0000199, SEC_E_LOGON_DENIED},                /* NOLOGON_WORKSTATION_TRUST_ACCOUNT */
        {0xC000019A, SEC_E_LOGON_DENIED},                /* NOLOGON_SERVER_TRUST_ACCOUNT */
        {0xC0000224, SEC_E_LOGON_DENIED},                /* PASSWORD_MUST_CHANGE */
        {0xC0000234, SEC_E_LOGON_DENIED},                /* ACCOUNT_LOCKED_OUT */
        {0xC00002FA, SEC_E_LOGON_DENIED},                /* SMARTCARD_LOGON_REQUIRED */
        {0xC0000413, SEC_E_LOGON_DENIED},                /* AUTHENTICATION_FIREWALL_FAILED */
        {0xC0000418, SEC_E_LOGON_DENIED},                /* NTLM_BLOCKED */
        {0xC0000022, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* ACCESS_DENIED */
        {0xC000005E, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* NO_LOGON_SERVERS */
        {0xC00000B5, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* IO_TIMEOUT */
        {0xC000018A, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* NO_TRUST_LSA_SECRET */
        {0xC000018B, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* NO_TRUST_SAM_ACCOUNT */
        {0xC000018C, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* TRUSTED_DOMAIN_FAILURE */
        {0xC000018D, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* TRUSTED_RELATIONSHIP_FAILURE */
        {0xC0000233, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* DOMAIN_CONTROLLER_NOT_FOUND */
        {0xC0000017, SEC_E_INSUFFICIENT_MEMORY},         /* NO_MEMORY */
        {0xC000009A, SEC_E_INSUFFICIENT_MEMORY},         /* INSUFFICIENT_RESOURCES */
    };
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (meanings[i].nt_status == nt_status) return meanings[i].status;
    return SEC_E_INTERNAL_ERROR;
}

/* What went wrong with a call. The library says the same of a winbindd that is not there and of
 * one whose privileged pipe, through which responses go, is closed to this user. */
static status_t failure(struct wbcContext *context, wbcErr error,
                        const struct wbcAuthErrorInfo *refusal, char why[CALL_WHY_SIZE])
{
    if (error == WBC_ERR_AUTH_ERROR && refusal) {
        snprintf(why, CALL_WHY_SIZE, "%s", refusal->nt_string ? refusal->nt_string : "");
        return status_of_nt(refusal->nt_status);
    }
    if (error == WBC_ERR_WINBIND_NOT_AVAILABLE && !wbc.ping(context))
        snprintf(why, CALL_WHY_SIZE,
                 "winbindd answers, but its privileged pipe is closed to this "
                 "user (on Debian it is for the group winbindd_priv)");
    else snprintf(why, CALL_WHY_SIZE, "%s", wbc.error_string(error));
    return status_of_error(error);
}

/* ---- the calls ---- */

static bool text_set(char out[CALL_NAME_SIZE], const char *text)
{
    return text && snprintf(out, CALL_NAME_SIZE, "%s", text) < CALL_NAME_SIZE;
}

/* A machine in no domain still has the name of a workgroup, of which winbind knows nothing; its
 * accounts are then its own. */
static wbcErr describe_domain(struct wbcContext *context, const struct wbcInterfaceDetails *details,
                              struct winbind_call_describe *call)
{
    struct wbcDomainInfo *domain = NULL;
    wbcErr error = wbc.domain_info(context, details->netbios_domain, &domain);
    if (error && error != WBC_ERR_DOMAIN_NOT_FOUND) return error;
    if (!text_set(call->computer, details->netbios_name) ||
        !text_set(call->domain, domain ? domain->short_name : details->netbios_name) ||
        !text_set(call->dns_domain, domain && domain->dns_name ? domain->dns_name : ""))
        error = WBC_ERR_INVALID_RESPONSE;
    else error = WBC_ERR_SUCCESS;
    wbc.free_memory(domain);
    return error;
}

static status_t describe(void *params)
{
    struct winbind_call_describe *call = params;
    struct wbcContext *context;
    struct wbcInterfaceDetails *details = NULL;
    status_t status = context_create(&context, call->why);
    if (!status_ok(status)) return status;
    wbcErr error = wbc.describe(context, &details);
    if (!error) error = describe_domain(context, details, call);
    if (error) status = failure(context, error, NULL, call->why);
    wbc.free_memory(details);
    wbc.free(context);
    return status;
}

static status_t check(void *params)
{
    struct winbind_call_check *call = params;
    struct wbcContext *context;
    struct wbcAuthErrorInfo *refusal = NULL;
    status_t status = context_create(&context, call->why);
    if (!status_ok(status)) return status;
    wbcErr error = wbc.check_trust(context, unixcall_pointer(call->domain), &refusal);
    if (error) status = failure(context, error, refusal, call->why);
    wbc.free_memory(refusal);
    wbc.free(context);
    return status;
}

static status_t result_take(const struct wbcAuthUserInfo *info, struct winbind_call_logon *call)
{
    static const uint8_t no_key[16];
    if (info->user_flags & WBC_AUTH_USER_INFO_GUEST) {
        snprintf(call->why, sizeof(call->why), "only a guest");
        return SEC_E_LOGON_DENIED;
    }
    if (secret_equal(info->user_session_key, no_key, sizeof(no_key))) {
        snprintf(call->why, sizeof(call->why), "no session key");
        return SEC_E_LOGON_DENIED;
    }
    if (!text_set(call->account, info->account_name) ||
        !text_set(call->account_domain, info->domain_name)) {
        snprintf(call->why, sizeof(call->why), "an account without a usable name");
        return SEC_E_LOGON_DENIED;
    }
    memcpy(call->session_key, info->user_session_key, sizeof(call->session_key));
    return SEC_E_OK;
}

static status_t logon(void *params)
{
    struct winbind_call_logon *call = params;
    struct wbcContext *context;
    struct wbcAuthUserInfo *info = NULL;
    struct wbcAuthErrorInfo *refusal = NULL;
    status_t status = context_create(&context, call->why);
    if (!status_ok(status)) return status;

    /* Machines log on to servers too, as services that run in their name do. */
    struct wbcAuthUserParams request = {
        .account_name = unixcall_pointer(call->user),
        .domain_name = unixcall_pointer(call->domain),
        .workstation_name = unixcall_pointer(call->workstation),
        .parameter_control = WBC_MSV1_0_ALLOW_WORKSTATION_TRUST_ACCOUNT |
                             WBC_MSV1_0_ALLOW_SERVER_TRUST_ACCOUNT,
        .level = WBC_AUTH_USER_LEVEL_RESPONSE,
    };
    memcpy(request.password.response.challenge, call->challenge, sizeof(call->challenge));
    request.password.response.nt_data = unixcall_pointer(call->nt_response);
    request.password.response.nt_length = (uint32_t)call->nt_size;

    wbcErr error = wbc.authenticate(context, &request, &info, &refusal);
    status = error ? failure(context, error, refusal, call->why) : result_take(info, call);
    if (info) secret_wipe(info->user_session_key, sizeof(info->user_session_key));
    if (info) secret_wipe(info->lm_session_key, sizeof(info->lm_session_key));
    wbc.free_memory(info);
    wbc.free_memory(refusal);
    wbc.free(context);
    return status;
}

UNIXCALL_TABLE(logon, describe, check);
