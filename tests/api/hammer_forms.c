/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Actions of hammer.c on shared handles that go the ways beside those of hammer_actions.c: the A
 * forms, the functions that are told a size, those that set, and those that most packages refuse.
 */
#include "hammer.h"

#include "identities.h"

typedef SECURITY_STATUS(WINAPI *sized_fn)(SecHandle *, ULONG, void *, ULONG);
typedef SECURITY_STATUS(WINAPI *message_fn)(CtxtHandle *, ULONG, SecBufferDesc *, ULONG);
typedef SECURITY_STATUS(WINAPI *opened_fn)(CtxtHandle *, SecBufferDesc *, ULONG, ULONG *);

static sized_fn query_context[2], query_credential[2], set_credential[2];
static message_fn seal;
static opened_fn unseal;

static bool by_chance(struct worker *worker)
{
    return random_below(worker, 2);
}

/* ---- credentials ---- */

static SECURITY_STATUS acquire_a(struct worker *worker)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = narrow_identity("user", "DOMAIN", "secret");
    CredHandle made;
    SECURITY_STATUS status = AcquireCredentialsHandleA(
        NULL, (char *)(by_chance(worker) ? "NTLM" : "Negotiate"), SECPKG_CRED_BOTH, NULL,
        by_chance(worker) ? &identity : NULL, NULL, NULL, &made, NULL);
    if (!status) credential_share(worker, &made);
    return status;
}

/* Negotiate takes more of them, NTLM does not. */
static SECURITY_STATUS add_credentials(struct worker *worker)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(L"user", L"DOMAIN", L"secret");
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("user", "DOMAIN", "secret");
    CredHandle handle = any_credential(worker);
    if (by_chance(worker))
        return AddCredentialsA(&handle, NULL, (char *)"NTLM", SECPKG_CRED_OUTBOUND, &narrow, NULL,
                               NULL, NULL);
    return AddCredentialsW(&handle, NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, &identity, NULL,
                           NULL, NULL);
}

static SECURITY_STATUS query_credential_sized(struct worker *worker)
{
    CredHandle handle = any_credential(worker);
    unsigned way = random_below(worker, 3);
    SecPkgCredentials_NamesW names;
    SECURITY_STATUS status;
    if (way < 2)
        status = query_credential[way](&handle, SECPKG_CRED_ATTR_NAMES, &names, sizeof(names));
    else status = QueryCredentialsAttributesA(&handle, SECPKG_CRED_ATTR_NAMES, &names);
    if (!status) FreeContextBuffer(names.sUserName);
    return status;
}

static SECURITY_STATUS set_credential_name(struct worker *worker)
{
    SecPkgCredentials_NamesA names = {(char *)"name"};
    CredHandle handle = any_credential(worker);
    SECURITY_STATUS status = set_credential[random_below(worker, 2)](
        &handle, SECPKG_CRED_ATTR_NAMES, &names, sizeof(names));
    return or_refused(status, SEC_E_UNSUPPORTED_FUNCTION);
}

/* ---- contexts ---- */

static SECURITY_STATUS first_leg_a(struct worker *worker)
{
    CredHandle credential = any_credential(worker);
    SecBuffer out = {sizeof(worker->room), SECBUFFER_TOKEN, worker->room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle made;
    ULONG attrs;
    SECURITY_STATUS status;
    char target[256] = "HTTP/server";
    if (hammer_kerberos.target)
        WideCharToMultiByte(CP_ACP, 0, hammer_kerberos.target, -1, target, 256, NULL, NULL);
    if (by_chance(worker))
        status = InitializeSecurityContextA(&credential, NULL, target, SEAL_FLAGS, 0,
                                            SECURITY_NATIVE_DREP, NULL, 0, &made, &desc, &attrs,
                                            NULL);
    else
        status = SaslInitializeSecurityContextA(&credential, NULL, target, SEAL_FLAGS, 0,
                                                SECURITY_NATIVE_DREP, NULL, 0, &made, &desc, &attrs,
                                                NULL);
    if (status >= 0) context_share(worker, &made);
    return status;
}

static SECURITY_STATUS sasl_server(struct worker *worker)
{
    CredHandle credential = any_credential(worker);
    SecBuffer in = {0, SECBUFFER_TOKEN, worker->room},
              out = {sizeof(worker->room), SECBUFFER_TOKEN, worker->room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle made;
    ULONG attrs;
    SECURITY_STATUS status = SaslAcceptSecurityContext(&credential, NULL, &in_desc,
                                                       SERVER_SEAL_FLAGS, SECURITY_NATIVE_DREP,
                                                       &made, &desc, &attrs, NULL);
    if (status >= 0) context_share(worker, &made);
    return or_refused(status, SEC_E_INVALID_TOKEN);
}

static SECURITY_STATUS query_context_sized(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    SecPkgContext_Sizes sizes;
    return query_context[random_below(worker, 2)](&handle, SECPKG_ATTR_SIZES, &sizes,
                                                  sizeof(sizes));
}

static SECURITY_STATUS set_context(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    SECURITY_STATUS status = by_chance(worker)
                                 ? SetContextAttributesW(&handle, 0x5e, worker->room, 64)
                                 : SetContextAttributesA(&handle, 0x5e, worker->room, 64);
    return or_refused(status, SEC_E_UNSUPPORTED_FUNCTION);
}

static SECURITY_STATUS complete_or_control(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    SecBuffer token = {64, SECBUFFER_TOKEN, worker->room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &token};
    SECURITY_STATUS status = by_chance(worker) ? CompleteAuthToken(&handle, &desc)
                                               : ApplyControlToken(&handle, &desc);
    return or_refused(status, SEC_E_UNSUPPORTED_FUNCTION);
}

/* The names that the functions for sealing had first. */
static SECURITY_STATUS seal_or_unseal(struct worker *worker)
{
    CtxtHandle handle = any_context(worker);
    SecBuffer parts[2] = {{128, SECBUFFER_TOKEN, worker->room},
                          {256, SECBUFFER_DATA, worker->room + 128}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    if (by_chance(worker)) return seal(&handle, 0, &desc, 0);
    SECURITY_STATUS status = unseal(&handle, &desc, 0, NULL);
    return or_refused(or_refused(status, SEC_E_MESSAGE_ALTERED), SEC_E_INVALID_TOKEN);
}

static SECURITY_STATUS transfer_a(struct worker *worker)
{
    CtxtHandle handle = any_context(worker), made;
    SECURITY_STATUS status = context_export(&handle, 0, &worker->blob, NULL);
    if (status) return status;
    SecBuffer packed = {worker->blob.size, SECBUFFER_TOKEN, worker->blob.bytes};
    status = ImportSecurityContextA((char *)"NTLM", &packed, NULL, &made);
    if (status == SEC_E_INVALID_TOKEN)
        status = ImportSecurityContextA((char *)"Negotiate", &packed, NULL, &made);
    if (status == SEC_E_INVALID_TOKEN && hammer_kerberos.target)
        status = ImportSecurityContextA((char *)"Kerberos", &packed, NULL, &made);
    if (!status) context_share(worker, &made);
    return status;
}

static const struct action actions[] = {
    {"AcquireCredentialsHandleA", acquire_a, {0}},
    {"AddCredentials", add_credentials, {HANDLE_GONE, SEC_E_UNSUPPORTED_FUNCTION}},
    {"QueryCredentialsAttributesEx", query_credential_sized, {HANDLE_GONE}},
    {"SetCredentialsAttributes", set_credential_name, {HANDLE_GONE}},
    {"InitializeSecurityContextA",
     first_leg_a,
     {HANDLE_GONE, SEC_E_SECPKG_NOT_FOUND, SEC_E_NO_CREDENTIALS}},
    {"SaslAcceptSecurityContext",
     sasl_server,
     {HANDLE_GONE, SEC_E_SECPKG_NOT_FOUND, SEC_E_NO_CREDENTIALS}},
    {"QueryContextAttributesEx", query_context_sized, {HANDLE_GONE}},
    {"SetContextAttributes", set_context, {HANDLE_GONE}},
    {"CompleteAuthToken and ApplyControlToken", complete_or_control, {HANDLE_GONE}},
    {"SealMessage and UnsealMessage", seal_or_unseal, {HANDLE_GONE}},
    {"ImportSecurityContextA", transfer_a, {HANDLE_GONE, SEC_E_NOT_SUPPORTED, SEC_E_CANNOT_PACK}},
};
const struct action_group other_forms = {actions, ARRAYSIZE(actions)};

bool forms_find(void)
{
    query_context[0] = function_find("sspicli.dll", "QueryContextAttributesExW");
    query_context[1] = function_find("sspicli.dll", "QueryContextAttributesExA");
    query_credential[0] = function_find("sspicli.dll", "QueryCredentialsAttributesExW");
    query_credential[1] = function_find("sspicli.dll", "QueryCredentialsAttributesExA");
    set_credential[0] = function_find("secur32.dll", "SetCredentialsAttributesW");
    set_credential[1] = function_find("secur32.dll", "SetCredentialsAttributesA");
    seal = (message_fn)function_find("secur32.dll", "SealMessage");
    unseal = (opened_fn)function_find("secur32.dll", "UnsealMessage");
    return query_context[0] && query_context[1] && query_credential[0] && query_credential[1] &&
           set_credential[0] && set_credential[1] && seal && unseal;
}
