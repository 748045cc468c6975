/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Actions of hammer.c without a shared handle: what all threads share here is inside the modules,
 * the list of packages, logon sessions, caches, and what each thread has said of its calls.
 */
#include "hammer.h"

#include "msv.h"

#include <sspi.h>
#include <wchar.h>
#include <wincred.h>

typedef PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity_t;

static struct {
    SECURITY_STATUS(WINAPI *encrypt)(ULONG, identity_t);
    SECURITY_STATUS(WINAPI *decrypt)(ULONG, identity_t);
    SECURITY_STATUS(WINAPI *unmarshal)(ULONG, char *, identity_t *);
    SECURITY_STATUS(WINAPI *computer_name)(const wchar_t *, wchar_t **);
    SECURITY_STATUS(WINAPI *cache)(void);
    SECURITY_STATUS(WINAPI *rules)(void *);
    SECURITY_STATUS(WINAPI *set_target)(BYTE *, ULONG, const wchar_t *, BOOL *);
    SECURITY_STATUS(WINAPI *set_flags)(ULONG, BOOL *);
    void(WINAPI *free_call)(void);
    SECURITY_STATUS(WINAPI *bindings)(SecPkgContext_Bindings *, ULONG);
    LONG(WINAPI *change_w)
    (const wchar_t *, const wchar_t *, const wchar_t *, const wchar_t *, const wchar_t *, BOOLEAN,
     ULONG, SecBufferDesc *);
    LONG(WINAPI *change_a)
    (const char *, const char *, const char *, const char *, const char *, BOOLEAN, ULONG,
     SecBufferDesc *);
    BOOLEAN(WINAPI *translate)(const wchar_t *, ULONG, ULONG, void *, ULONG *);
    BOOLEAN(WINAPI *translate_ex)(const wchar_t *, ULONG, ULONG, void *, ULONG *);
    SECURITY_STATUS(WINAPI *free_name)(void *);
    NTSTATUS(WINAPI *marshal_target)(CREDENTIAL_TARGET_INFORMATIONW *, USHORT **, ULONG *);
    NTSTATUS(WINAPI *unmarshal_target)(USHORT *, ULONG, CREDENTIAL_TARGET_INFORMATIONW **, ULONG *);
    NTSTATUS(WINAPI *user_info)(LUID *, ULONG, void **);
    NTSTATUS(WINAPI *is_protected)(BOOLEAN *);
    NTSTATUS(WINAPI *connect_local)(HANDLE *);
    NTSTATUS(WINAPI *certificate)(void *);
    DWORD(WINAPI *open_counters)(const wchar_t *);
    DWORD(WINAPI *collect_counters)(const wchar_t *, void **, DWORD *, DWORD *);
    DWORD(WINAPI *close_counters)(void);
    BOOL(WINAPI *logon)
    (const wchar_t *, const wchar_t *, const wchar_t *, DWORD, DWORD, TOKEN_GROUPS *, HANDLE *,
     PSID *, void **, DWORD *, QUOTA_LIMITS *);
} f;

static wchar_t own[512], module[MAX_PATH];
static char own_a[512], module_a[MAX_PATH];

/* The last error of a function that returns FALSE for it. */
static SECURITY_STATUS of_bool(BOOL done, DWORD refusal)
{
    DWORD error = done ? 0 : GetLastError();
    return error && error != refusal ? HRESULT_FROM_WIN32(error) : SEC_E_OK;
}

/* ---- packages ---- */

static SECURITY_STATUS describe(struct worker *worker)
{
    SecPkgInfoW *wide = NULL;
    SecPkgInfoA *narrow = NULL;
    bool tables = InitSecurityInterfaceW() && InitSecurityInterfaceA();
    SECURITY_STATUS status = random_below(worker, 8) ? SEC_E_OK : f.cache();
    if (!status) status = QuerySecurityPackageInfoW((wchar_t *)L"NTLM", &wide);
    if (!status) status = QuerySecurityPackageInfoA((char *)"Negotiate", &narrow);
    if (wide) FreeContextBuffer(wide);
    if (narrow) FreeContextBuffer(narrow);
    return tables ? status : SEC_E_INTERNAL_ERROR;
}

/* Others add and remove the same one meanwhile. */
static SECURITY_STATUS add_package(struct worker *worker)
{
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options), .Type = SECPKG_OPTIONS_TYPE_LSA};
    switch (random_below(worker, 4)) {
    case 0: return AddSecurityPackageW(module, &options);
    case 1: return AddSecurityPackageA(module_a, &options);
    case 2: return DeleteSecurityPackageW((wchar_t *)L"TestOne");
    default: return DeleteSecurityPackageA((char *)"TestOne");
    }
}

static SECURITY_STATUS profile(struct worker *worker)
{
    SecBuffer name = {10, SECBUFFER_TOKEN, (void *)"GSS-SPNEGO"};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &name};
    void *block = NULL;
    ULONG count;
    SECURITY_STATUS status;
    switch (random_below(worker, 5)) {
    case 0: status = SaslEnumerateProfilesA((char **)&block, &count); break;
    case 1:
        status = SaslGetProfilePackageW((wchar_t *)L"GSS-SPNEGO", (SecPkgInfoW **)&block);
        break;
    case 2: status = SaslGetProfilePackageA((char *)"GSS-SPNEGO", (SecPkgInfoA **)&block); break;
    case 3: status = SaslIdentifyPackageW(&desc, (SecPkgInfoW **)&block); break;
    default: status = SaslIdentifyPackageA(&desc, (SecPkgInfoA **)&block); break;
    }
    if (block) FreeContextBuffer(block);
    return status;
}

/* ---- identities ---- */

static SECURITY_STATUS identity_take_apart(identity_t identity)
{
    const wchar_t *texts[3] = {NULL, NULL, NULL};
    identity_t without = NULL, again = NULL;
    char *bytes = NULL;
    ULONG size = 0;
    BOOLEAN same_user, same_identity;
    SECURITY_STATUS status = SspiEncodeAuthIdentityAsStrings(identity, &texts[0], &texts[1],
                                                             &texts[2]);
    if (!status) status = SspiExcludePackage(identity, L"Kerberos", &without);
    if (!status) status = SspiCompareAuthIdentities(identity, without, &same_user, &same_identity);
    if (!status) status = SspiMarshalAuthIdentity(identity, &size, &bytes);
    if (!status) status = SspiUnmarshalAuthIdentity(size, bytes, &again);
    if (!status) status = SspiValidateAuthIdentity(again);
    if (again) SspiZeroAuthIdentity(again);
    for (int i = 0; i < 3; i++) SspiLocalFree((void *)texts[i]);
    SspiLocalFree(bytes);
    SspiFreeAuthIdentity(without);
    SspiFreeAuthIdentity(again);
    return status;
}

static SECURITY_STATUS identity_store(identity_t identity)
{
    void *blocks[4] = {NULL, NULL, NULL, NULL};
    ULONG type, size;
    SECURITY_STATUS status = SspiPrepareForCredRead(identity, L"HTTP/server", &type,
                                                    (const wchar_t **)&blocks[0]);
    if (!status)
        status = SspiPrepareForCredWrite(identity, L"HTTP/server", &type,
                                         (const wchar_t **)&blocks[1], (const wchar_t **)&blocks[2],
                                         (BYTE **)&blocks[3], &size);
    for (int i = 0; i < 4; i++) SspiLocalFree(blocks[i]);
    return status;
}

static SECURITY_STATUS identity(struct worker *worker)
{
    identity_t made;
    SECURITY_STATUS status = SspiEncodeStringsAsAuthIdentity(L"user", L"DOMAIN", L"secret", &made);
    if (status) return status;
    switch (random_below(worker, 3)) {
    case 0: status = identity_take_apart(made); break;
    case 1: status = identity_store(made); break;
    default:
        status = f.encrypt(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, made);
        if (!status && !SspiIsAuthIdentityEncrypted(made)) status = SEC_E_INTERNAL_ERROR;
        if (!status) status = f.decrypt(SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS, made);
    }
    SspiFreeAuthIdentity(made);
    return status;
}

static SECURITY_STATUS target(struct worker *worker)
{
    CREDENTIAL_TARGET_INFORMATIONW info = {.TargetName = (wchar_t *)L"server",
                                           .DnsServerName = (wchar_t *)L"server.farm.test"};
    CREDENTIAL_TARGET_INFORMATIONW *again = NULL;
    wchar_t *host = NULL;
    USHORT *text = NULL;
    ULONG size = 0, used;
    if (random_below(worker, 2)) {
        SECURITY_STATUS status = SspiGetTargetHostName(L"HTTP/www.farm.test", &host);
        SspiLocalFree(host);
        return status;
    }
    NTSTATUS status = f.marshal_target(&info, &text, &size);
    if (!status) status = f.unmarshal_target(text, size, &again, &used);
    LocalFree(text);
    LocalFree(again);
    return status;
}

/* ---- names ---- */

static SECURITY_STATUS name(struct worker *worker)
{
    ULONG size = 512;
    wchar_t *wide = (wchar_t *)worker->room;
    char *narrow = (char *)worker->room;
    switch (random_below(worker, 5)) {
    case 0: return of_bool(GetUserNameExA(NameSamCompatible, narrow, &size), 0);
    case 1:
        return of_bool(TranslateNameW(own, NameSamCompatible, NameSamCompatible, wide, &size), 0);
    case 2:
        return of_bool(TranslateNameA(own_a, NameSamCompatible, NameSamCompatible, narrow, &size),
                       0);
    case 3:
        return of_bool(GetComputerObjectNameW(NameSamCompatible, wide, &size),
                       ERROR_CANT_ACCESS_DOMAIN_INFO);
    default:
        return of_bool(GetComputerObjectNameA(NameSamCompatible, narrow, &size),
                       ERROR_CANT_ACCESS_DOMAIN_INFO);
    }
}

/* ---- log-ons ---- */

static NTSTATUS session_ask(void)
{
    LUID *ids;
    ULONG count;
    SECURITY_LOGON_SESSION_DATA *data;
    void *user;
    BOOLEAN is_protected;
    NTSTATUS status = LsaEnumerateLogonSessions(&count, &ids);
    if (status) return status;
    status = LsaGetLogonSessionData(&ids[0], &data);
    if (!status) LsaFreeReturnBuffer(data);
    LsaFreeReturnBuffer(ids);
    if (!status) status = f.user_info(NULL, 0, &user);
    if (!status) LsaFreeReturnBuffer(user);
    return status ? status : f.is_protected(&is_protected);
}

static NTSTATUS message_send(HANDLE lsa, ULONG package)
{
    ULONG request = MsV1_0Lm20ChallengeRequest, size;
    NTSTATUS protocol;
    void *answer = NULL;
    NTSTATUS status = LsaCallAuthenticationPackage(lsa, package, &request, sizeof(request), &answer,
                                                   &size, &protocol);
    if (answer) LsaFreeReturnBuffer(answer);
    return status ? status : protocol;
}

/* Denied: there is no such account. */
static NTSTATUS logon_send(HANDLE lsa, ULONG package)
{
    struct buffer buffer = {.words = {MsV1_0InteractiveLogon}};
    LSA_STRING origin = {6, 6, (char *)"hammer"};
    TOKEN_SOURCE source = {.SourceName = "hammer"};
    QUOTA_LIMITS quotas;
    NTSTATUS sub_status;
    void *profile;
    ULONG size;
    LUID id;
    HANDLE token;
    buffer_text(&buffer, &buffer.interactive.LogonDomainName, L"HAMMER");
    buffer_text(&buffer, &buffer.interactive.UserName, L"nobody");
    buffer_text(&buffer, &buffer.interactive.Password, L"wrong");
    NTSTATUS status = LsaLogonUser(lsa, &origin, Interactive, package, &buffer,
                                   buffer_size(&buffer), NULL, &source, &profile, &size, &id,
                                   &token, &quotas, &sub_status);
    return or_refused(status, STATUS_LOGON_FAILURE);
}

static SECURITY_STATUS logon_process(struct worker *worker)
{
    LSA_STRING name = {6, 6, (char *)"hammer"};
    LSA_STRING msv = {sizeof(PACKAGE_MSV) - 1, sizeof(PACKAGE_MSV), (char *)PACKAGE_MSV};
    LSA_OPERATIONAL_MODE mode;
    HANDLE lsa;
    ULONG package;
    if (!random_below(worker, 4)) return session_ask();
    NTSTATUS status = random_below(worker, 2) ? LsaRegisterLogonProcess(&name, &lsa, &mode)
                                              : LsaConnectUntrusted(&lsa);
    if (status) return status;
    status = LsaLookupAuthenticationPackage(lsa, &msv, &package);
    if (!status) status = message_send(lsa, package);
    if (!status) status = logon_send(lsa, package);
    NTSTATUS closed = LsaDeregisterLogonProcess(lsa);
    return status ? status : closed;
}

static SECURITY_STATUS logon(struct worker *worker)
{
    HANDLE token = NULL;
    (void)worker;
    BOOL done = f.logon(L"nobody", L"HAMMER", L"wrong", LOGON32_LOGON_NETWORK,
                        LOGON32_PROVIDER_DEFAULT, NULL, &token, NULL, NULL, NULL, NULL);
    if (token) CloseHandle(token);
    return of_bool(done, ERROR_LOGON_FAILURE);
}

/* With a password that is not right, so that the account stays good for the others. */
static SECURITY_STATUS change(struct worker *worker)
{
    SecBuffer answer = {0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &answer};
    LONG status = random_below(worker, 2)
                      ? f.change_w(L"NTLM", L"HAMMER", L"nobody", L"wrong", L"new", FALSE, 0, &desc)
                      : f.change_a("Negotiate", "HAMMER", "nobody", "wrong", "new", FALSE, 0,
                                   &desc);
    return or_refused(or_refused(status, SEC_E_LOGON_DENIED), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

static SECURITY_STATUS watch_policy(struct worker *worker)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    (void)worker;
    NTSTATUS status = LsaRegisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation,
                                                          event);
    if (!status)
        status = LsaUnregisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation, event);
    CloseHandle(event);
    return status;
}

/* ---- calls ---- */

static SECURITY_STATUS call_target(struct worker *worker)
{
    BYTE address[16] = {2, 0, 0x1f, 0x90, 127, 0, 0, 1};
    BOOL to_free;
    (void)worker;
    SECURITY_STATUS status = f.set_target(address, sizeof(address), L"HTTP/server", &to_free);
    if (!status) f.free_call();
    return status;
}

/* The block is replaced by a larger one. */
static SECURITY_STATUS binding_flags(struct worker *worker)
{
    SecPkgContext_Bindings bindings = {sizeof(SEC_CHANNEL_BINDINGS), NULL};
    (void)worker;
    bindings.Bindings = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, bindings.BindingsLength);
    if (!bindings.Bindings) return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = f.bindings(&bindings, 1);
    FreeContextBuffer(bindings.Bindings);
    return status;
}

/* What is there to be refused. */
static SECURITY_STATUS refused(struct worker *worker)
{
    void *made = NULL;
    HANDLE lsa;
    DWORD size = 0, types = 0;
    ULONG chars = 0;
    BOOL to_free;
    (void)worker;
    bool one_worked = !f.computer_name(L"HTTP/server", (wchar_t **)&made) || !f.rules(&made) ||
                      !f.set_flags(0, &to_free) || !f.unmarshal(0, NULL, (identity_t *)&made) ||
                      !f.free_name(made) || !f.connect_local(&lsa) || !f.certificate(made) ||
                      !f.open_counters(L"x") || !f.collect_counters(L"x", &made, &size, &types) ||
                      !f.close_counters() || f.translate(own, 2, 8, worker->room, &chars) ||
                      f.translate_ex(own, 2, 8, worker->room, &chars);
    return one_worked ? SEC_E_INTERNAL_ERROR : SEC_E_OK;
}

static const struct action actions[] = {
    {"QuerySecurityPackageInfo", describe, {0}},
    {"AddSecurityPackage and DeleteSecurityPackage", add_package, {SEC_E_SECPKG_NOT_FOUND}},
    {"SaslGetProfilePackage", profile, {0}},
    {"SspiMarshalAuthIdentity", identity, {0}},
    {"CredMarshalTargetInfo", target, {0}},
    {"TranslateName", name, {0}},
    {"LsaCallAuthenticationPackage and LsaLogonUser", logon_process, {0}},
    {"LogonUserExExW", logon, {0}},
    {"ChangeAccountPassword", change, {0}},
    {"LsaRegisterPolicyChangeNotification", watch_policy, {0}},
    {"SeciAllocateAndSetCallTarget", call_target, {0}},
    {"SspiSetChannelBindingFlags", binding_flags, {0}},
    {"what is refused", refused, {0}},
};
const struct action_group calls_alone = {actions, ARRAYSIZE(actions)};

static bool paths_find(void)
{
    if (!program_folder(module, MAX_PATH - 16) || !process_user(own, ARRAYSIZE(own))) return false;
    wcscat(module, L"prov_lsa.dll");
    return WideCharToMultiByte(CP_ACP, 0, module, -1, module_a, MAX_PATH, NULL, NULL) &&
           WideCharToMultiByte(CP_ACP, 0, own, -1, own_a, ARRAYSIZE(own_a), NULL, NULL);
}

bool alone_find(void)
{
    static const struct {
        void *place;
        const char *name;
    } functions[] = {
        {&f.encrypt, "SspiEncryptAuthIdentityEx"},
        {&f.decrypt, "SspiDecryptAuthIdentityEx"},
        {&f.unmarshal, "SspiUnmarshalAuthIdentityInternal"},
        {&f.computer_name, "SspiGetComputerNameForSPN"},
        {&f.cache, "SecCacheSspiPackages"},
        {&f.rules, "SecGetLocaleSpecificEncryptionRules"},
        {&f.set_target, "SeciAllocateAndSetCallTarget"},
        {&f.set_flags, "SeciAllocateAndSetCallFlags"},
        {&f.free_call, "SeciFreeCallContext"},
        {&f.bindings, "SspiSetChannelBindingFlags"},
        {&f.change_w, "ChangeAccountPasswordW"},
        {&f.change_a, "ChangeAccountPasswordA"},
        {&f.translate, "SecpTranslateName"},
        {&f.translate_ex, "SecpTranslateNameEx"},
        {&f.free_name, "SecpFreeMemory"},
        {&f.marshal_target, "CredMarshalTargetInfo"},
        {&f.unmarshal_target, "CredUnmarshalTargetInfo"},
        {&f.user_info, "GetSecurityUserInfo"},
        {&f.is_protected, "SeciIsProtectedUser"},
        {&f.connect_local, "LsaConnectLocalUser"},
        {&f.certificate, "LsaSetMachineCertificate"},
        {&f.open_counters, "OpenLsaPerformanceData"},
        {&f.collect_counters, "CollectLsaPerformanceData"},
        {&f.close_counters, "CloseLsaPerformanceData"},
        {&f.logon, "LogonUserExExW"},
    };
    for (size_t i = 0; i < ARRAYSIZE(functions); i++) {
        void *found = function_find("secur32.dll", functions[i].name);
        if (!found) found = function_find("sspicli.dll", functions[i].name);
        if (!found) return false;
        memcpy(functions[i].place, &found, sizeof(found));
    }
    return paths_find();
}
