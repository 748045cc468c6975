/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The actions of hammer.c, each one call or a few that belong together, and which statuses they may
 * give while other threads close what they use.
 */
#include "hammer.h"

#include "identities.h"

#include <ntsecapi.h>
#include <sspi.h>

const struct account *hammer_account;

static LONG(WINAPI *init_user)(CtxtHandle *, SecBuffer *);
static LONG(WINAPI *delete_user)(CtxtHandle *);
static LONG(WINAPI *set_address)(BYTE *, ULONG, BOOL *);
static void(WINAPI *free_call)(void);

static const wchar_t *any_package(struct worker *worker)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate", L"Kerberos"};
    return packages[random_below(worker, hammer_kerberos.target ? 3 : 2)];
}

/* ---- credentials ---- */

static SECURITY_STATUS acquire(struct worker *worker)
{
    CredHandle made;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)any_package(worker),
                                                       SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL,
                                                       &made, NULL);
    if (!status) credential_share(worker, &made);
    return status;
}

static SECURITY_STATUS free_credential(struct worker *worker)
{
    CredHandle handle = any_credential(worker);
    return credential_close(&handle);
}

static SECURITY_STATUS query_credential(struct worker *worker)
{
    CredHandle handle = any_credential(worker);
    SecPkgCredentials_NamesW names;
    SECURITY_STATUS status = QueryCredentialsAttributesW(&handle, SECPKG_CRED_ATTR_NAMES, &names);
    if (!status) FreeContextBuffer(names.sUserName);
    return status;
}

/* ---- contexts ---- */

/* Both ends with credentials of their own, and then everybody's. */
static SECURITY_STATUS connect(struct worker *worker)
{
    const wchar_t *package = any_package(worker);
    bool kerberos = !wcscmp(package, L"Kerberos");
    const struct account *account = !kerberos && random_below(worker, 2) ? hammer_account : NULL;
    SECURITY_STATUS status = loopback_open(&worker->loop, package, account);
    if (status) return status;
    /* NTLM would take it for another machine. */
    bool targeted = hammer_kerberos.target && wcscmp(package, L"NTLM") && !account;
    if (targeted) worker->loop.target = hammer_kerberos.target;
    status = loopback_connect(&worker->loop);
    if (status) loopback_close(&worker->loop);
    if (status) return status;
    context_share(worker, &worker->loop.client);
    context_share(worker, &worker->loop.server);
    credential_share(worker, &worker->loop.client_cred);
    credential_share(worker, &worker->loop.server_cred);
    return status;
}

static SECURITY_STATUS first_leg(struct worker *worker)
{
    CredHandle credential = any_credential(worker);
    SecBuffer out = {sizeof(worker->room), SECBUFFER_TOKEN, worker->room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle made;
    ULONG attrs;
    SECURITY_STATUS status = InitializeSecurityContextW(
        &credential, NULL, (wchar_t *)hammer_kerberos.target, SEAL_FLAGS, 0, SECURITY_NATIVE_DREP,
        NULL, 0, &made, &desc, &attrs, NULL);
    if (status >= 0) context_share(worker, &made);
    if (status < 0) return status;
    SecBuffer in = out, answer = {sizeof(worker->room) / 2, SECBUFFER_TOKEN, worker->room + 2048};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
    SecBufferDesc answer_desc = {SECBUFFER_VERSION, 1, &answer};
    credential = any_credential(worker);
    status = AcceptSecurityContext(&credential, NULL, &in_desc, SERVER_SEAL_FLAGS,
                                   SECURITY_NATIVE_DREP, &made, &answer_desc, &attrs, NULL);
    if (status >= 0) context_share(worker, &made);
    return status;
}

/* A leg that nobody waits for, on whatever context there is. */
static SECURITY_STATUS wild_leg(struct worker *worker)
{
    CredHandle credential = any_credential(worker);
    CtxtHandle context = any_context(worker);
    SecBuffer in = {64, SECBUFFER_TOKEN, worker->room},
              out = {2048, SECBUFFER_TOKEN, worker->room + 2048};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    ULONG attrs;
    SECURITY_STATUS status;
    if (random_below(worker, 2))
        status = AcceptSecurityContext(&credential, &context, &in_desc, 0, SECURITY_NATIVE_DREP,
                                       &context, &out_desc, &attrs, NULL);
    else
        status = InitializeSecurityContextW(&credential, &context, NULL, 0, 0, SECURITY_NATIVE_DREP,
                                            &in_desc, 0, &context, &out_desc, &attrs, NULL);
    bool refused = status == SEC_E_INVALID_TOKEN || status == SEC_E_OUT_OF_SEQUENCE ||
                   status == SEC_E_NO_CREDENTIALS || status == SEC_E_UNSUPPORTED_FUNCTION;
    return refused ? SEC_E_OK : status;
}

static SECURITY_STATUS delete_context(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    return context_close(&handle);
}

static SECURITY_STATUS query_context(struct worker *worker)
{
    static const struct {
        ULONG attribute;
        bool pointer;
    } rows[] = {{SECPKG_ATTR_SIZES, false},       {SECPKG_ATTR_NAMES, true},
                {SECPKG_ATTR_PACKAGE_INFO, true}, {SECPKG_ATTR_NEGOTIATION_INFO, true},
                {SECPKG_ATTR_FLAGS, false},       {SECPKG_ATTR_LIFESPAN, false}};
    CtxtHandle handle = any_context(worker);
    unsigned row = random_below(worker, ARRAYSIZE(rows));
    void *answer[16];
    SECURITY_STATUS status = random_below(worker, 2)
                                 ? QueryContextAttributesW(&handle, rows[row].attribute, answer)
                                 : QueryContextAttributesA(&handle, rows[row].attribute, answer);
    if (!status && rows[row].pointer) FreeContextBuffer(answer[0]);
    return status;
}

static SECURITY_STATUS use_token(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    HANDLE token;
    SECURITY_STATUS status = QuerySecurityContextToken(&handle, &token);
    if (!status) CloseHandle(token);
    return status;
}

static SECURITY_STATUS impersonate(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    SECURITY_STATUS status = ImpersonateSecurityContext(&handle);
    if (status) return status;
    /* Somebody may have deleted it; the thread is to be itself again. */
    if (RevertSecurityContext(&handle)) RevertToSelf();
    return status;
}

static SECURITY_STATUS user_half(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    return random_below(worker, 8) ? init_user(&handle, &packed) : delete_user(&handle);
}

/* ---- messages ---- */

static SECURITY_STATUS protect(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    SecBuffer parts[2] = {{128, SECBUFFER_TOKEN, worker->room},
                          {256, SECBUFFER_DATA, worker->room + 128}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    if (random_below(worker, 2)) return MakeSignature(&handle, 0, &desc, 0);
    return EncryptMessage(&handle, 0, &desc, 0);
}

/* What arrives is never right: only a thread on its own could keep the order. */
static SECURITY_STATUS unprotect(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, worker->room},
                          {256, SECBUFFER_DATA, worker->room + 16}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    SECURITY_STATUS status = random_below(worker, 2) ? VerifySignature(&handle, &desc, 0, NULL)
                                                     : DecryptMessage(&handle, &desc, 0, NULL);
    bool refused = status == SEC_E_MESSAGE_ALTERED || status == SEC_E_INVALID_TOKEN;
    return refused ? SEC_E_OK : status;
}

/* ---- export and import ---- */

static SECURITY_STATUS transfer(struct worker *worker)
{
    CtxtHandle handle = any_context(worker), made;
    ULONG flags = random_below(worker, 2) ? SECPKG_CONTEXT_EXPORT_DELETE_OLD : 0;
    HANDLE token = NULL;
    SECURITY_STATUS status = context_export(&handle, flags, &worker->blob,
                                            random_below(worker, 4) ? NULL : &token);
    if (token) CloseHandle(token);
    if (status) return status;
    if (flags) InterlockedIncrement(&counts.contexts_closed);
    /* It is of one of them. */
    status = context_import(L"NTLM", worker->blob.bytes, worker->blob.size, &made);
    if (status == SEC_E_INVALID_TOKEN)
        status = context_import(L"Negotiate", worker->blob.bytes, worker->blob.size, &made);
    if (status == SEC_E_INVALID_TOKEN && hammer_kerberos.target)
        status = context_import(L"Kerberos", worker->blob.bytes, worker->blob.size, &made);
    if (!status) context_share(worker, &made);
    return status;
}

/* ---- what has no shared handle ---- */

static SECURITY_STATUS list_packages(struct worker *worker)
{
    SecPkgInfoW *infos;
    SecPkgInfoA *narrow;
    ULONG count;
    (void)worker;
    SECURITY_STATUS status = EnumerateSecurityPackagesW(&count, &infos);
    if (!status) FreeContextBuffer(infos);
    if (!status) status = EnumerateSecurityPackagesA(&count, &narrow);
    if (!status) FreeContextBuffer(narrow);
    return status;
}

static SECURITY_STATUS identities(struct worker *worker)
{
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, copy;
    (void)worker;
    SECURITY_STATUS status = SspiEncodeStringsAsAuthIdentity(L"user", L"DOMAIN", L"secret",
                                                             &identity);
    if (status) return status;
    status = SspiEncryptAuthIdentity(identity);
    if (!status) status = SspiCopyAuthIdentity(identity, &copy);
    if (!status) status = SspiDecryptAuthIdentity(copy);
    if (!status) SspiFreeAuthIdentity(copy);
    SspiFreeAuthIdentity(identity);
    return status;
}

static SECURITY_STATUS profiles(struct worker *worker)
{
    wchar_t *list;
    ULONG count;
    (void)worker;
    SECURITY_STATUS status = SaslEnumerateProfilesW(&list, &count);
    if (!status) FreeContextBuffer(list);
    return status;
}

static SECURITY_STATUS sasl_leg(struct worker *worker)
{
    CredHandle credential = any_credential(worker);
    SecBuffer out = {sizeof(worker->room), SECBUFFER_TOKEN, worker->room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle made;
    ULONG attrs;
    SECURITY_STATUS status = SaslInitializeSecurityContextW(
        &credential, NULL, (wchar_t *)hammer_kerberos.target, SEAL_FLAGS, 0, SECURITY_NATIVE_DREP,
        NULL, 0, &made, &desc, &attrs, NULL);
    if (status >= 0) context_share(worker, &made);
    return status;
}

static SECURITY_STATUS sasl_option(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    ULONG size = 4096, needed;
    if (random_below(worker, 2))
        return SaslSetContextOption(&handle, SASL_OPTION_RECV_SIZE, &size, sizeof(size));
    return SaslGetContextOption(&handle, SASL_OPTION_RECV_SIZE, &size, sizeof(size), &needed);
}

static SECURITY_STATUS names(struct worker *worker)
{
    ULONG size = sizeof(worker->room) / sizeof(wchar_t);
    if (!GetUserNameExW(NameSamCompatible, (wchar_t *)worker->room, &size)) return -1;
    return 0;
}

static SECURITY_STATUS lsa(struct worker *worker)
{
    LSA_STRING name = {9, 9, (char *)"Negotiate"};
    HANDLE connection;
    LUID *sessions;
    ULONG count;
    (void)worker;
    NTSTATUS status = LsaConnectUntrusted(&connection);
    if (status) return status;
    status = LsaLookupAuthenticationPackage(connection, &name, &count);
    if (!status) status = LsaEnumerateLogonSessions(&count, &sessions);
    if (!status) LsaFreeReturnBuffer(sessions);
    NTSTATUS closed = LsaDeregisterLogonProcess(connection);
    return status ? status : closed;
}

static SECURITY_STATUS call_context(struct worker *worker)
{
    BYTE address[16] = {2, 0, 0x1f, 0x90, 127, 0, 0, 1};
    BOOL to_free;
    (void)worker;
    LONG status = set_address(address, sizeof(address), &to_free);
    if (!status) free_call();
    return status;
}

/* By chance it may be somebody's, which is why nothing is closed with it. */
static SECURITY_STATUS wrong_handle(struct worker *worker)
{
    SecHandle handle = any_context(worker);
    SecPkgContext_Sizes sizes;
    handle.dwLower ^= (ULONG_PTR)1 << random_below(worker, 20);
    handle.dwUpper += random_below(worker, 5);
    SECURITY_STATUS status = QueryContextAttributesW(&handle, SECPKG_ATTR_SIZES, &sizes);
    return status == SEC_E_INVALID_HANDLE ? SEC_E_OK : status;
}

static const struct action actions[] = {
    {"AcquireCredentialsHandle", acquire, {0}},
    {"FreeCredentialsHandle", free_credential, {HANDLE_GONE}},
    {"QueryCredentialsAttributes", query_credential, {HANDLE_GONE}},
    {"both legs", connect, {0}},
    /* Some credentials are of the other role. */
    {"first legs", first_leg, {HANDLE_GONE, SEC_E_INVALID_TOKEN, SEC_E_NO_CREDENTIALS}},
    {"wild leg", wild_leg, {HANDLE_GONE}},
    {"DeleteSecurityContext", delete_context, {HANDLE_GONE}},
    {"QueryContextAttributes", query_context, {HANDLE_GONE}},
    /* The client is somebody else, or not known yet. */
    {"QuerySecurityContextToken", use_token, {HANDLE_GONE, SEC_E_NO_IMPERSONATION}},
    {"ImpersonateSecurityContext", impersonate, {HANDLE_GONE, SEC_E_NO_IMPERSONATION}},
    {"SecInitUserModeContext", user_half, {HANDLE_GONE}},
    {"MakeSignature and EncryptMessage", protect, {HANDLE_GONE}},
    {"VerifySignature and DecryptMessage", unprotect, {HANDLE_GONE}},
    {"export and import", transfer, {HANDLE_GONE, SEC_E_NOT_SUPPORTED, SEC_E_CANNOT_PACK}},
    {"EnumerateSecurityPackages", list_packages, {0}},
    {"SspiEncryptAuthIdentity", identities, {0}},
    {"SaslEnumerateProfiles", profiles, {0}},
    {"SaslInitializeSecurityContext",
     sasl_leg,
     {HANDLE_GONE, SEC_E_SECPKG_NOT_FOUND, SEC_E_NO_CREDENTIALS}},
    {"SaslSetContextOption", sasl_option, {HANDLE_GONE}},
    {"GetUserNameEx", names, {0}},
    {"LsaConnectUntrusted", lsa, {0}},
    {"SeciAllocateAndSetIPAddress", call_context, {0}},
    {"a wrong handle", wrong_handle, {0}},
};
const struct action_group calls_on_handles = {actions, ARRAYSIZE(actions)};

bool actions_find(void)
{
    init_user = function_find("sspicli.dll", "SecInitUserModeContext");
    delete_user = function_find("sspicli.dll", "SecDeleteUserModeContext");
    set_address = function_find("sspicli.dll", "SeciAllocateAndSetIPAddress");
    free_call = function_find("sspicli.dll", "SeciFreeCallContext");
    return init_user && delete_user && set_address && free_call;
}
