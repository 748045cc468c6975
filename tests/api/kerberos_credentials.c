/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials of the package Kerberos in all their forms, and the names of targets, against a KDC
 * of the script of the same group: its arguments are the realm, a user, the password, and a
 * service. Sources in brackets, as in api_packages.
 */
#include "identities.h"
#include "loopback.h"

#include <wchar.h>

static wchar_t realm[128], user[128], password[128], service[128];

static bool have_kdc(void)
{
    if (!service[0]) skip_case("a KDC with a user and a service");
    return service[0];
}

/* ---- legs ---- */

static SECURITY_STATUS first_leg(CredHandle *cred, const wchar_t *target)
{
    static BYTE room[16384];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG attributes;
    SECURITY_STATUS status = InitializeSecurityContextW(cred, NULL, (wchar_t *)target, SEAL_FLAGS,
                                                        0, SECURITY_NATIVE_DREP, NULL, 0, &context,
                                                        &out_desc, &attributes, NULL);
    if (status >= 0) DeleteSecurityContext(&context);
    return status;
}

static SECURITY_STATUS acquire(ULONG use, void *identity, CredHandle *out)
{
    TimeStamp expiry;
    return AcquireCredentialsHandleW(NULL, (wchar_t *)L"Kerberos", use, NULL, identity, NULL, NULL,
                                     out, &expiry);
}

/* Acquires, makes a first leg and gives its status. */
static SECURITY_STATUS use_identity(void *identity)
{
    CredHandle cred;
    SECURITY_STATUS status = acquire(SECPKG_CRED_OUTBOUND, identity, &cred);
    if (status) return status;
    status = first_leg(&cred, service);
    FreeCredentialsHandle(&cred);
    return status;
}

static SECURITY_STATUS use_names(const wchar_t *name, const wchar_t *domain, const wchar_t *secret)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(name, domain, secret);
    return use_identity(&identity);
}

/* ---- identities ---- */

/* [D sspi.h sec_winnt_auth_identity_w] domain and user, or a UPN; names of domains count in any
 * case, as names of DNS do */
static void test_domains(void)
{
    wchar_t upn[256], lower_upn[256], down[256], lower[128], label[128], joined[256];
    if (!have_kdc()) return;
    wcscpy(lower, realm);
    _wcslwr(lower);
    wcscpy(label, realm);
    *wcschr(label, '.') = 0;
    swprintf(upn, 256, L"%ls@%ls", user, realm);
    swprintf(lower_upn, 256, L"%ls@%ls", user, lower);
    swprintf(down, 256, L"%ls\\%ls", label, user);
    swprintf(joined, 256, L"%ls\\%ls", lower, user);
    const struct {
        const wchar_t *name, *domain;
    } rows[] = {{user, realm}, {user, lower}, {user, label},     {upn, NULL}, {upn, L""},
                {down, NULL},  {joined, L""}, {lower_upn, NULL}, {user, NULL}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        SECURITY_STATUS status = use_names(rows[i].name, rows[i].domain, password);
        ok(status == SEC_E_OK, "row %u: %08lx", i, status);
    }
}

/* [H sspi.h] the other forms of the same */
static void test_forms(void)
{
    char user_a[128], realm_a[128], password_a[128];
    if (!have_kdc()) return;
    WideCharToMultiByte(CP_ACP, 0, user, -1, user_a, 128, NULL, NULL);
    WideCharToMultiByte(CP_ACP, 0, realm, -1, realm_a, 128, NULL, NULL);
    WideCharToMultiByte(CP_ACP, 0, password, -1, password_a, 128, NULL, NULL);
    SEC_WINNT_AUTH_IDENTITY_A ansi = narrow_identity(user_a, realm_a, password_a);
    SECURITY_STATUS status = use_identity(&ansi);
    ok(!status, "ANSI: %08lx", status);
    SEC_WINNT_AUTH_IDENTITY_EXW extended = wide_identity_ex(user, realm, password);
    status = use_identity(&extended);
    ok(!status, "EX: %08lx", status);
    PSEC_WINNT_AUTH_IDENTITY_OPAQUE opaque;
    status = SspiEncodeStringsAsAuthIdentity(user, realm, password, &opaque);
    ok(!status, "EX2 made: %08lx", status);
    if (status) return;
    status = SspiEncryptAuthIdentity(opaque);
    ok(!status, "EX2 encrypted: %08lx", status);
    status = use_identity(opaque);
    ok(!status, "EX2: %08lx", status);
    SspiFreeAuthIdentity(opaque);
}

/* [D sspi-status-codes] the names of the statuses; a KDC is asked by the first leg [INF] */
static void test_wrong(void)
{
    if (!have_kdc()) return;
    SECURITY_STATUS status = use_names(user, realm, L"not the password");
    ok(status == SEC_E_LOGON_DENIED, "a wrong password: %08lx", status);
    status = use_names(user, realm, L"");
    ok(status == SEC_E_LOGON_DENIED, "an empty password: %08lx", status);
    status = use_names(L"nobody.knows.him", realm, password);
    ok(status == SEC_E_LOGON_DENIED, "an unknown user: %08lx", status);
    status = use_names(user, L"ELSEWHERE.TEST", password);
    ok(status == SEC_E_NO_AUTHENTICATING_AUTHORITY, "a realm without a KDC: %08lx", status);
    status = use_names(user, L"ELSEWHERE", password);
    ok(status == SEC_E_NO_AUTHENTICATING_AUTHORITY, "another domain: %08lx", status);
    status = use_names(L"", L"", L"");
    ok(status == SEC_E_NO_CREDENTIALS, "nobody: %08lx", status);
}

/* ours: a named user without a password is looked for among the user's tickets */
static void test_no_password(void)
{
    if (!have_kdc() || !ours_only()) return;
    SECURITY_STATUS status = use_names(user, realm, NULL);
    ok(status == SEC_E_OK, "with a ticket: %08lx", status);
    status = use_names(L"nobody.knows.him", realm, NULL);
    ok(status == SEC_E_NO_CREDENTIALS, "without one: %08lx", status);
}

/* ---- handles ---- */

/* [D acquirecredentialshandle--kerberos] what a handle is for, and what is none */
static void test_uses(void)
{
    static const struct {
        ULONG use;
        SECURITY_STATUS status;
    } rows[] = {
        {SECPKG_CRED_OUTBOUND, SEC_E_OK},
        {SECPKG_CRED_INBOUND, SEC_E_OK},
        {SECPKG_CRED_BOTH, SEC_E_OK},
        {SECPKG_CRED_OUTBOUND | SECPKG_CRED_DEFAULT, SEC_E_OK},
        {0, SEC_E_UNKNOWN_CREDENTIALS},
        {SECPKG_CRED_OUTBOUND | 0x100, SEC_E_UNKNOWN_CREDENTIALS},
        {SECPKG_CRED_OUTBOUND | SECPKG_CRED_PROCESS_POLICY_ONLY, SEC_E_NO_CREDENTIALS},
        {SECPKG_CRED_OUTBOUND | SECPKG_CRED_AUTOLOGON_RESTRICTED, SEC_E_NO_CREDENTIALS},
    };
    if (!have_kdc() || !ours_only()) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        CredHandle cred;
        SECURITY_STATUS status = acquire(rows[i].use, NULL, &cred);
        ok(status == rows[i].status, "use %lx: %08lx", rows[i].use, status);
        if (!status) FreeCredentialsHandle(&cred);
    }
}

/* [D querycredentialsattributes] the name of the principal; [INF] its form */
static void test_names(void)
{
    CredHandle cred;
    wchar_t expected[256];
    SecPkgCredentials_NamesW names = {NULL};
    if (!have_kdc()) return;
    swprintf(expected, 256, L"%ls@%ls", user, realm);
    SECURITY_STATUS status = acquire(SECPKG_CRED_OUTBOUND, NULL, &cred);
    ok(!status, "credentials: %08lx", status);
    status = QueryCredentialsAttributesW(&cred, SECPKG_CRED_ATTR_NAMES, &names);
    ok(!status, "names: %08lx", status);
    ok(names.sUserName && !wcscmp(names.sUserName, expected), "%ls", names.sUserName);
    if (names.sUserName) FreeContextBuffer(names.sUserName);
    BYTE other[64] = {0};
    status = QueryCredentialsAttributesW(&cred, SECPKG_CRED_ATTR_SSI_PROVIDER, other);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "another attribute: %08lx", status);
    FreeCredentialsHandle(&cred);
}

/* [CI sspilib] test_credential: proxies for KDCs can be set */
static void test_proxy(void)
{
    CredHandle cred;
    BYTE room[sizeof(SecPkgCredentials_KdcProxySettingsW) + 64] = {0};
    SecPkgCredentials_KdcProxySettingsW *settings = (void *)room;
    static const wchar_t server[] = L"proxy.example";
    if (!have_kdc()) return;
    SECURITY_STATUS status = acquire(SECPKG_CRED_OUTBOUND, NULL, &cred);
    ok(!status, "credentials: %08lx", status);
    settings->Version = KDC_PROXY_SETTINGS_V1;
    settings->ProxyServerOffset = sizeof(*settings);
    settings->ProxyServerLength = sizeof(server) - sizeof(*server);
    memcpy(settings + 1, server, sizeof(server) - sizeof(*server));
    status = SetCredentialsAttributesW(&cred, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, room,
                                       sizeof(room));
    ok(!status, "settings: %08lx", status);
    settings->Version = 99;
    status = SetCredentialsAttributesW(&cred, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, room,
                                       sizeof(room));
    ok(status < 0, "another version: %08lx", status);
    FreeCredentialsHandle(&cred);
}

/* ---- targets ---- */

/* [OS MS-KILE 3.1.5.11] service/host[:port][/name], of which all counts; [D microsoft-negotiate] a
 * UPN or an account's name. Hosts are known in lower case (RFC 4120 6.2.1). */
static void test_targets(void)
{
    static const struct {
        const wchar_t *format; /* with the realm */
        SECURITY_STATUS status;
    } rows[] = {
        {L"HTTP/barn", SEC_E_OK},
        {L"HTTP/Barn", SEC_E_OK},
        {L"HTTP/barn@%ls", SEC_E_OK},
        {L"HTTP/barn:8080", SEC_E_OK},
        {L"HTTP/barn:8081", SEC_E_TARGET_UNKNOWN},
        {L"HTTP/barn/name", SEC_E_TARGET_UNKNOWN},
        {L"HTTP/shed", SEC_E_TARGET_UNKNOWN},
        {L"keeper", SEC_E_OK},
        {L"keeper@%ls", SEC_E_OK},
        {L"barn", SEC_E_TARGET_UNKNOWN},
        {L"", SEC_E_TARGET_UNKNOWN},
        {L"/", SEC_E_TARGET_UNKNOWN},
        {L"HTTP/", SEC_E_TARGET_UNKNOWN},
        {L"/barn", SEC_E_TARGET_UNKNOWN},
        {L"@%ls", SEC_E_TARGET_UNKNOWN},
        {L"HTTP/barn@", SEC_E_TARGET_UNKNOWN},
        {L"HTTP/barn\\", SEC_E_TARGET_UNKNOWN},
        {L"\xd800/barn", SEC_E_TARGET_UNKNOWN},
    };
    CredHandle cred;
    if (!have_kdc() || !ours_only()) return;
    SECURITY_STATUS status = acquire(SECPKG_CRED_OUTBOUND, NULL, &cred);
    ok(!status, "credentials: %08lx", status);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        wchar_t target[256];
        swprintf(target, 256, rows[i].format, realm);
        if (wcschr(rows[i].format, 0xd800)) wcscpy(target, rows[i].format);
        status = first_leg(&cred, target);
        ok(status == rows[i].status, "row %u: %08lx", i, status);
    }
    status = first_leg(&cred, NULL);
    ok(status == SEC_E_TARGET_UNKNOWN, "no target: %08lx", status);
    FreeCredentialsHandle(&cred);
}

/* What fits into no call to the host is no name of anybody. [D AcquireCredentialsHandle] for the
 * status */
static void test_long_names(void)
{
    static wchar_t name[1025];
    CredHandle cred;
    wmemset(name, 'a', 1000);
    SEC_WINNT_AUTH_IDENTITY_W identity = {
        .User = (unsigned short *)name,
        .UserLength = 1000,
        .Domain = (unsigned short *)L"A.DOMAIN.OF.TWENTY.4",
        .DomainLength = 20,
        .Password = (unsigned short *)L"secret",
        .PasswordLength = 6,
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
    for (int more = 0; more < 2 && ours_only(); more++) {
        identity.UserLength = 1003 + (ULONG)more;
        wmemset(name, 'a', identity.UserLength);
        SECURITY_STATUS status = acquire(SECPKG_CRED_OUTBOUND, &identity, &cred);
        ok(status == (more ? SEC_E_UNKNOWN_CREDENTIALS : SEC_E_OK), "%d: %08lx", more, status);
        if (!status) FreeCredentialsHandle(&cred);
    }
}

/* Where the script has no realm: each handshake is told so. It counts how often the host is asked,
 * which is once a second (ours). */
static void test_no_realm(void)
{
    for (int i = 0; i < 50; i++) {
        SECURITY_STATUS status = use_names(L"somebody", i & 1 ? L"SOMEWHERE" : L"", L"secret");
        ok(status == SEC_E_NO_AUTHENTICATING_AUTHORITY, "leg %d: %08lx", i, status);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "no-realm")) {
        wcscpy(service, L"HTTP/barn");
        RUN(test_no_realm);
        return test_end("api_kerberos_credentials");
    }
    wchar_t *const texts[] = {realm, user, password, service};
    for (int i = 0; argc == 5 && i < 4; i++)
        MultiByteToWideChar(CP_ACP, 0, argv[i + 1], -1, texts[i], 128);
    RUN(test_domains);
    RUN(test_forms);
    RUN(test_wrong);
    RUN(test_no_password);
    RUN(test_uses);
    RUN(test_names);
    RUN(test_proxy);
    RUN(test_targets);
    RUN(test_long_names);
    return test_end("api_kerberos_credentials");
}
