/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_winbind, called directly: what it passes to libwbclient, and what it makes
 * of each answer. The library is one of this program's own; the linker's --wrap puts it in.
 */
#include "unit.h"

#include "call.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <wbclient.h>

extern unixcall_function *const __wine_unix_call_wow64_funcs[];

/* ---- a library ---- */

enum library { LIBRARY_COMPLETE, LIBRARY_TOO_OLD, LIBRARY_MISSING };

static struct {
    enum library kind;
    /* what it answers */
    wbcErr error, domain_error, ping_error;
    struct wbcAuthUserInfo info;
    struct wbcAuthErrorInfo refusal;
    struct wbcInterfaceDetails details;
    struct wbcDomainInfo domain;
    /* what it was asked */
    struct wbcAuthUserParams request;
    bool named;
    int contexts, blocks; /* that are not given back yet */
} fake;

static struct wbcContext *fake_create(void)
{
    fake.contexts++;
    return (struct wbcContext *)&fake;
}

static void fake_free(struct wbcContext *context)
{
    fake.contexts -= context == (struct wbcContext *)&fake;
}

static void *fake_block(const void *data, size_t size)
{
    fake.blocks++;
    return exact_copy(data, size);
}

static void fake_free_memory(void *block)
{
    fake.blocks -= block != NULL;
    free(block);
}

static const char *fake_error_string(wbcErr error)
{
    return error == WBC_ERR_WINBIND_NOT_AVAILABLE ? "not available" : "some error";
}

static wbcErr fake_authenticate(struct wbcContext *context, const struct wbcAuthUserParams *request,
                                struct wbcAuthUserInfo **info, struct wbcAuthErrorInfo **refusal)
{
    (void)context;
    fake.request = *request;
    if (!fake.error) *info = fake_block(&fake.info, sizeof(fake.info));
    if (fake.error == WBC_ERR_AUTH_ERROR)
        *refusal = fake_block(&fake.refusal, sizeof(fake.refusal));
    return fake.error;
}

static wbcErr fake_ping(struct wbcContext *context)
{
    (void)context;
    return fake.ping_error;
}

static wbcErr fake_check_trust(struct wbcContext *context, const char *domain,
                               struct wbcAuthErrorInfo **refusal)
{
    (void)context;
    if (strcmp(domain, "CORP")) return WBC_ERR_INVALID_PARAM;
    if (fake.error == WBC_ERR_AUTH_ERROR)
        *refusal = fake_block(&fake.refusal, sizeof(fake.refusal));
    return fake.error;
}

static void fake_set_name(const char *name)
{
    fake.named = !strcmp(name, "winesspi");
}

static wbcErr fake_describe(struct wbcContext *context, struct wbcInterfaceDetails **details)
{
    (void)context;
    if (!fake.error) *details = fake_block(&fake.details, sizeof(fake.details));
    return fake.error;
}

static wbcErr fake_domain_info(struct wbcContext *context, const char *name,
                               struct wbcDomainInfo **domain)
{
    (void)context;
    if (strcmp(name, fake.details.netbios_domain)) return WBC_ERR_INVALID_PARAM;
    if (!fake.domain_error) *domain = fake_block(&fake.domain, sizeof(fake.domain));
    return fake.domain_error;
}

void *__real_dlopen(const char *name, int mode);
void *__wrap_dlopen(const char *name, int mode);
void *__wrap_dlsym(void *library, const char *name);
int __wrap_dlclose(void *library);

void *__wrap_dlopen(const char *name, int mode)
{
    if (strcmp(name, "libwbclient.so.0")) abort();
    return fake.kind == LIBRARY_MISSING ? __real_dlopen("/nonexistent.so", mode) : &fake;
}

int __wrap_dlclose(void *library)
{
    return library == &fake ? 0 : -1;
}

void *__wrap_dlsym(void *library, const char *name)
{
    static const struct {
        const char *name;
        void (*function)(void);
    } functions[] = {
        {"wbcCtxCreate", (void (*)(void))fake_create},
        {"wbcCtxFree", (void (*)(void))fake_free},
        {"wbcFreeMemory", (void (*)(void))fake_free_memory},
        {"wbcErrorString", (void (*)(void))fake_error_string},
        {"wbcCtxAuthenticateUserEx", (void (*)(void))fake_authenticate},
        {"wbcCtxPing", (void (*)(void))fake_ping},
        {"wbcCtxCheckTrustCredentials", (void (*)(void))fake_check_trust},
        {"wbcSetClientProcessName", (void (*)(void))fake_set_name},
        {"wbcCtxInterfaceDetails", (void (*)(void))fake_describe},
        {"wbcCtxDomainInfo", (void (*)(void))fake_domain_info},
    };
    if (library != &fake) abort();
    if (fake.kind == LIBRARY_TOO_OLD && strstr(name, "Ctx")) return NULL;
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
        if (!strcmp(name, functions[i].name)) return (void *)functions[i].function;
    return NULL;
}

/* ---- helpers ---- */

/* A log-on to which the library says yes. */
static void fake_accepts(void)
{
    static char account[] = "alice", domain[] = "CORP";
    memset(&fake.info, 0, sizeof(fake.info));
    fake.error = WBC_ERR_SUCCESS;
    fake.info.account_name = account;
    fake.info.domain_name = domain;
    memset(fake.info.user_session_key, 0x11, sizeof(fake.info.user_session_key));
}

static status_t call_logon(struct winbind_call_logon *call)
{
    static const uint8_t nt[60] = {2};
    *call = (struct winbind_call_logon){
        .user = unixcall_address("al"),
        .domain = unixcall_address("corp"),
        .workstation = unixcall_address("PC"),
        .nt_response = unixcall_address(nt),
        .nt_size = sizeof(nt),
        .challenge = {1, 2, 3, 4, 5, 6, 7, 8},
    };
    status_t status = __wine_unix_call_funcs[WINBIND_CALL_LOGON](call);
    ok(!fake.contexts && !fake.blocks, "%d contexts and %d blocks are left", fake.contexts,
       fake.blocks);
    return status;
}

/* No key and no name goes out with a refusal. */
static void refused(status_t expected, const char *why)
{
    struct winbind_call_logon call;
    static const uint8_t none[sizeof(call.session_key)];
    status_t status = call_logon(&call);
    ok(status == expected, "%s: status %#x, expected %#x", why, (unsigned)status,
       (unsigned)expected);
    ok(!memcmp(call.session_key, none, sizeof(none)), "%s: no key", why);
    ok(strlen(call.why) < sizeof(call.why) && strstr(call.why, why), "why: %s", call.why);
}

/* ---- cases ---- */

static int without_library(enum library kind, const char *why)
{
    struct winbind_call_logon logon;
    struct winbind_call_describe describe = {0};
    fake.kind = kind;
    bool first = call_logon(&logon) == SEC_E_NO_AUTHENTICATING_AUTHORITY;
    status_t again = __wine_unix_call_funcs[WINBIND_CALL_DESCRIBE](&describe);
    return first && again == SEC_E_NO_AUTHENTICATING_AUTHORITY && strstr(logon.why, why) &&
           strstr(describe.why, why);
}

/* The library is looked for once per process, so each of these is one. */
static void library(void)
{
    static const struct {
        enum library kind;
        const char *why;
    } kinds[] = {{LIBRARY_MISSING, "/nonexistent.so"}, {LIBRARY_TOO_OLD, "it has no wbcCtx"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        int result = -1;
        pid_t child = fork();
        if (!child) _exit(without_library(kinds[i].kind, kinds[i].why) ? 0 : 1);
        ok(child > 0 && waitpid(child, &result, 0) == child && !result, "%s", kinds[i].why);
    }
}

static void passed_on(void)
{
    struct winbind_call_logon call;
    const struct wbcAuthUserParams *got = &fake.request;
    fake_accepts();
    ok(call_logon(&call) == SEC_E_OK, "accepted");
    ok(fake.named, "no process name is looked for");
    ok(!strcmp(got->account_name, "al") && !strcmp(got->domain_name, "corp") &&
           !strcmp(got->workstation_name, "PC"),
       "names");
    ok(got->level == WBC_AUTH_USER_LEVEL_RESPONSE && !got->flags, "level");
    ok(got->password.response.challenge[0] == 1 && got->password.response.challenge[7] == 8,
       "challenge");
    ok(!got->password.response.lm_length && !got->password.response.lm_data, "no LM");
    ok(got->password.response.nt_length == 60 && got->password.response.nt_data[0] == 2, "NT");

    ok(!strcmp(call.account, "alice") && !strcmp(call.account_domain, "CORP"), "names are theirs");
    ok(call.session_key[0] == 0x11 && call.session_key[15] == 0x11, "session key");
}

static void refused_anyway(void)
{
    char long_name[CALL_NAME_SIZE + 1];
    memset(long_name, 'x', CALL_NAME_SIZE);
    long_name[CALL_NAME_SIZE] = 0;

    fake_accepts();
    fake.info.user_flags = WBC_AUTH_USER_INFO_GUEST;
    refused(SEC_E_LOGON_DENIED, "guest");
    fake_accepts();
    memset(fake.info.user_session_key, 0, sizeof(fake.info.user_session_key));
    refused(SEC_E_LOGON_DENIED, "no session key");
    fake_accepts();
    fake.info.account_name = NULL;
    refused(SEC_E_LOGON_DENIED, "name");
    fake_accepts();
    fake.info.domain_name = long_name;
    refused(SEC_E_LOGON_DENIED, "name");
    long_name[CALL_NAME_SIZE - 1] = 0;
    struct winbind_call_logon call;
    ok(call_logon(&call) == SEC_E_OK && !strcmp(call.account_domain, long_name), "it just fits");
}

static void nt_statuses(void)
{
    static const struct {
        uint32_t nt_status;
        status_t status;
    } table[] = {
        {0xC0000064, SEC_E_LOGON_DENIED},                /* no such user */
        {0xC000006A, SEC_E_LOGON_DENIED},                /* wrong password */
        {0xC0000072, SEC_E_LOGON_DENIED},                /* disabled */
        {0xC0000198, SEC_E_LOGON_DENIED},                /* the account of a trust */
        {0xC000019A, SEC_E_LOGON_DENIED},                /* of a domain controller */
        {0xC0000224, SEC_E_LOGON_DENIED},                /* must change the password */
        {0xC0000234, SEC_E_LOGON_DENIED},                /* locked out */
        {0xC0000022, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* we may not ask */
        {0xC000005E, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* no domain controller */
        {0xC000018D, SEC_E_NO_AUTHENTICATING_AUTHORITY}, /* it does not trust us */
        {0xC0000017, SEC_E_INSUFFICIENT_MEMORY},
        {0xC0000001, SEC_E_INTERNAL_ERROR}, /* says nothing */
        {0, SEC_E_INTERNAL_ERROR},          /* a refusal that is none */
    };
    static char text[] = "NT_STATUS_SOMETHING";
    fake.error = WBC_ERR_AUTH_ERROR;
    fake.refusal.nt_string = text;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        fake.refusal.nt_status = table[i].nt_status;
        refused(table[i].status, text);
    }
    fake.refusal.nt_string = NULL;
    refused(SEC_E_INTERNAL_ERROR, "");
}

static void errors(void)
{
    static const struct {
        wbcErr error;
        status_t status;
        const char *why;
    } table[] = {
        {WBC_ERR_WINBIND_NOT_AVAILABLE, SEC_E_NO_AUTHENTICATING_AUTHORITY, "not available"},
        {WBC_ERR_DOMAIN_NOT_FOUND, SEC_E_NO_AUTHENTICATING_AUTHORITY, "some error"},
        {WBC_ERR_UNKNOWN_USER, SEC_E_LOGON_DENIED, "some error"},
        {WBC_ERR_NO_MEMORY, SEC_E_INSUFFICIENT_MEMORY, "some error"},
        {WBC_ERR_INVALID_RESPONSE, SEC_E_INTERNAL_ERROR, "some error"},
    };
    fake.ping_error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        fake.error = table[i].error;
        refused(table[i].status, table[i].why);
    }
}

/* A user who may ask winbindd for names but not for log-ons. */
static void no_privilege(void)
{
    fake.error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    fake.ping_error = WBC_ERR_SUCCESS;
    refused(SEC_E_NO_AUTHENTICATING_AUTHORITY, "privileged pipe");
    fake.ping_error = WBC_ERR_WINBIND_NOT_AVAILABLE;
}

static status_t call_check(struct winbind_call_check *call)
{
    *call = (struct winbind_call_check){.domain = unixcall_address("CORP")};
    status_t status = __wine_unix_call_funcs[WINBIND_CALL_CHECK](call);
    ok(!fake.contexts && !fake.blocks, "%d contexts and %d blocks are left", fake.contexts,
       fake.blocks);
    return status;
}

static void check(void)
{
    static char text[] = "NT_STATUS_NO_LOGON_SERVERS";
    struct winbind_call_check call;
    fake.error = WBC_ERR_SUCCESS;
    ok(call_check(&call) == SEC_E_OK && !call.why[0], "it is trusted");
    fake.error = WBC_ERR_AUTH_ERROR;
    fake.refusal.nt_status = 0xC000005E;
    fake.refusal.nt_string = text;
    ok(call_check(&call) == SEC_E_NO_AUTHENTICATING_AUTHORITY, "no domain controller");
    ok(!strcmp(call.why, text), "why: %s", call.why);
    fake.error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    ok(call_check(&call) == SEC_E_NO_AUTHENTICATING_AUTHORITY, "no winbindd");
}

static status_t call_describe(struct winbind_call_describe *call)
{
    memset(call, 0, sizeof(*call));
    status_t status = __wine_unix_call_funcs[WINBIND_CALL_DESCRIBE](call);
    ok(!fake.contexts && !fake.blocks, "%d contexts and %d blocks are left", fake.contexts,
       fake.blocks);
    return status;
}

static void describe(void)
{
    static char computer[] = "SERVER", workgroup[] = "CORP", dns[] = "corp.example";
    struct winbind_call_describe call;
    fake.error = fake.domain_error = WBC_ERR_SUCCESS;
    fake.details.netbios_name = computer;
    fake.details.netbios_domain = workgroup;
    fake.domain.short_name = workgroup;
    fake.domain.dns_name = dns;
    ok(call_describe(&call) == SEC_E_OK, "a member of a domain");
    ok(!strcmp(call.computer, computer) && !strcmp(call.domain, workgroup) &&
           !strcmp(call.dns_domain, dns),
       "%s %s %s", call.computer, call.domain, call.dns_domain);

    fake.domain_error = WBC_ERR_DOMAIN_NOT_FOUND;
    ok(call_describe(&call) == SEC_E_OK, "no member");
    ok(!strcmp(call.domain, computer) && !call.dns_domain[0], "%s %s", call.domain,
       call.dns_domain);

    fake.domain_error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    ok(call_describe(&call) == SEC_E_NO_AUTHENTICATING_AUTHORITY, "it went away");
    fake.domain_error = WBC_ERR_SUCCESS;
    fake.details.netbios_name = NULL;
    ok(call_describe(&call) == SEC_E_INTERNAL_ERROR, "no name");
    fake.error = WBC_ERR_WINBIND_NOT_AVAILABLE;
    ok(call_describe(&call) == SEC_E_NO_AUTHENTICATING_AUTHORITY, "it is not there");
    ok(!strcmp(call.why, "not available"), "why: %s", call.why);
}

static void tables(void)
{
    ok(__wine_unix_call_wow64_funcs[WINBIND_CALL_LOGON] == __wine_unix_call_funcs[0] &&
           __wine_unix_call_wow64_funcs[WINBIND_CALL_DESCRIBE] == __wine_unix_call_funcs[1] &&
           __wine_unix_call_wow64_funcs[WINBIND_CALL_CHECK] == __wine_unix_call_funcs[2],
       "32-bit callers have the same functions");
}

int main(void)
{
    RUN(library); /* first: this process has not looked yet */
    RUN(passed_on);
    RUN(refused_anyway);
    RUN(nt_statuses);
    RUN(errors);
    RUN(no_privilege);
    RUN(describe);
    RUN(check);
    RUN(tables);
    return test_end("unit_winbind");
}
