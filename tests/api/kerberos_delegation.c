/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Delegation: a server that acts for its client goes on with the client's tickets. Arguments: a
 * service that the KDC calls trusted for delegation, another one, and the client's principal.
 * Sources in brackets, as in api_packages.
 */
#include "loopback.h"

#include <wchar.h>

static wchar_t trusted[128], other[128], principal[128];
static struct saved_value policy, anywhere, process_principal;

static void policy_set(DWORD value)
{
    ok(value_set(&policy, REG_DWORD, &value, sizeof(value)), "the policy is not set");
    second_pass();
}

static bool have_services(void)
{
    if (!trusted[0]) skip_case("a KDC and a trusted service");
    return trusted[0];
}

/* Of the server as it is, to the other service. */
static SECURITY_STATUS go_on(void)
{
    CredHandle cred;
    CtxtHandle context;
    TimeStamp expiry;
    BYTE room[16384];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    SecPkgCredentials_NamesW names = {NULL};
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"Kerberos", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &cred, &expiry);
    if (status) return status;
    status = QueryCredentialsAttributesW(&cred, SECPKG_CRED_ATTR_NAMES, &names);
    ok(!status && !wcscmp(names.sUserName, principal), "%08lx: %ls", status, names.sUserName);
    if (names.sUserName) FreeContextBuffer(names.sUserName);
    status = InitializeSecurityContextW(&cred, NULL, other, SEAL_FLAGS, 0, SECURITY_NATIVE_DREP,
                                        NULL, 0, &context, &out_desc, &attributes, NULL);
    if (status >= 0) DeleteSecurityContext(&context);
    FreeCredentialsHandle(&cred);
    return status;
}

static SECURITY_STATUS go_on_as_client(ULONG flags, const wchar_t *target, ULONG *attributes)
{
    static struct loopback loop;
    SECURITY_STATUS status = loopback_open(&loop, L"Kerberos", NULL);
    ok(!status, "credentials: %08lx", status);
    loop.target = target;
    loop.client_flags = flags;
    loop.server_flags = ASC_REQ_DELEGATE;
    status = loopback_connect(&loop);
    ok(!status, "connected: %08lx", status);
    *attributes = loop.server_attrs;
    status = ImpersonateSecurityContext(&loop.server);
    ok(!status, "impersonated: %08lx", status);
    if (!status) {
        status = go_on();
        RevertSecurityContext(&loop.server);
    }
    loopback_close(&loop);
    return status;
}

/* [D context-requirements] ISC_REQ_DELEGATE; RFC 4120 2.8: where the KDC trusts the service. ours:
 * the policy without which nobody is impersonated. */
static void test_delegated(void)
{
    ULONG attributes;
    if (!ours_only()) return;
    if (!have_services()) return;
    policy_set(1);
    SECURITY_STATUS status = go_on_as_client(SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE,
                                             trusted, &attributes);
    ok(!status, "with the client's tickets: %08lx", status);
    ok(attributes & ASC_RET_DELEGATE, "attributes %08lx", attributes);
    status = go_on_as_client(SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH, trusted, &attributes);
    ok(status == SEC_E_NO_CREDENTIALS, "without: %08lx", status);
    status = go_on_as_client(SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE, other,
                             &attributes);
    ok(status == SEC_E_NO_CREDENTIALS, "a service that is not trusted: %08lx", status);
    ok(!(attributes & ASC_RET_DELEGATE), "attributes %08lx", attributes);
    policy_set(0);
}

/* ours: a policy that does not ask the KDC whom it trusts */
static void test_anywhere(void)
{
    static struct loopback loop;
    DWORD on = 1;
    if (!ours_only() || !have_services()) return;
    ok(value_set(&anywhere, REG_DWORD, &on, sizeof(on)), "the policy is not set");
    second_pass();
    SECURITY_STATUS status = loopback_open(&loop, L"Kerberos", NULL);
    ok(!status, "credentials: %08lx", status);
    loop.target = other;
    loop.client_flags = ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE;
    status = loopback_connect(&loop);
    ok(!status, "connected: %08lx", status);
    ok(loop.client_attrs & ISC_RET_DELEGATE, "client's attributes %08lx", loop.client_attrs);
    ok(loop.server_attrs & ASC_RET_DELEGATE, "server's attributes %08lx", loop.server_attrs);
    loopback_close(&loop);
    value_restore(&anywhere);
    second_pass();
}

/* ours: the principal that an administrator has said is the user of this process */
static void test_process_principal(void)
{
    static struct loopback loop;
    HANDLE token;
    if (!ours_only() || !have_services()) return;
    SECURITY_STATUS status = loopback_open(&loop, L"Kerberos", NULL);
    ok(!status, "credentials: %08lx", status);
    loop.target = other;
    status = loopback_connect(&loop);
    ok(!status, "connected: %08lx", status);
    status = QuerySecurityContextToken(&loop.server, (void **)&token);
    ok(status == SEC_E_NO_IMPERSONATION, "of a stranger: %08lx", status);
    DWORD size = (DWORD)(wcslen(principal) + 1) * sizeof(*principal);
    ok(value_set(&process_principal, REG_SZ, principal, size), "the principal is not set");
    status = QuerySecurityContextToken(&loop.server, (void **)&token);
    ok(status == SEC_E_OK, "of the process's user: %08lx", status);
    if (!status) CloseHandle(token);
    value_restore(&process_principal);
    loopback_close(&loop);
}

int main(int argc, char **argv)
{
    wchar_t *const texts[] = {trusted, other, principal};
    for (int i = 0; argc == 4 && i < 3; i++)
        MultiByteToWideChar(CP_ACP, 0, argv[i + 1], -1, texts[i], 128);
    bool saved = value_save(&policy, L"SOFTWARE\\winesspi", L"ForeignTokens");
    value_save(&anywhere, L"SOFTWARE\\winesspi\\Kerberos", L"DelegateAnywhere");
    value_save(&process_principal, L"SOFTWARE\\winesspi\\Kerberos", L"ProcessPrincipal");
    RUN(test_delegated);
    RUN(test_anywhere);
    RUN(test_process_principal);
    if (saved) value_restore(&policy);
    return test_end("api_kerberos_delegation");
}
