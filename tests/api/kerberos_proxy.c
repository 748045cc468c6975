/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Constrained delegation (MS-SFU): a server acts for a client that has sent no tickets along, where
 * the KDC lets it, or for one that it vouches for itself (transition: the tickets of the process
 * are the server's). Arguments: what is to come of it (allowed, refused, transition), the service,
 * another one at which it may act for its clients, one at which it may not, the client's principal,
 * its name as servers are told it and, where the user of the process is not the client, its
 * password. Sources in brackets, as in api_packages.
 */
#include "loopback.h"

#include <ntsecapi.h>
#include <wchar.h>

static wchar_t outcome[16], middle[128], back[128], closed[128], principal[128], name[128];
static struct account client; /* its password may be empty */
static struct saved_value policy;
static struct loopback first, second;

static bool have_services(void)
{
    if (!outcome[0]) skip_case("a KDC with services of which one may act for its clients");
    return outcome[0];
}

/* A client that sends nothing along, and a thread of its server that acts for it. */
static bool act(const wchar_t *package, ULONG flags)
{
    const struct account *account = client.password[0] ? &client : NULL;
    SECURITY_STATUS status = loopback_open(&first, package, account);
    if (!ok(!status, "credentials: %08lx", status)) return false;
    first.target = middle;
    first.client_flags = flags;
    status = loopback_connect(&first);
    ok(!status, "connected: %08lx", status);
    ok(!(first.server_attrs & ASC_RET_DELEGATE), "attributes %08lx", first.server_attrs);
    status = ImpersonateSecurityContext(&first.server);
    if (ok(!status, "impersonated: %08lx", status)) return true;
    loopback_close(&first);
    return false;
}

static void act_end(void)
{
    ok(!RevertSecurityContext(&first.server), "reverted");
    loopback_close(&first);
}

/* That thread as a client of the other service, whose server has to know who comes. */
static SECURITY_STATUS reach(const wchar_t *package, const wchar_t *target)
{
    SecPkgContext_NamesW names = {NULL};
    SecPkgCredentials_NamesW own = {NULL};
    SECURITY_STATUS status = loopback_open(&second, package, NULL);
    if (status) return status;
    if (!wcscmp(package, L"Kerberos")) {
        status = QueryCredentialsAttributesW(&second.client_cred, SECPKG_CRED_ATTR_NAMES, &own);
        ok(!status && !wcscmp(own.sUserName, principal), "%08lx: %ls", status, own.sUserName);
        if (own.sUserName) FreeContextBuffer(own.sUserName);
    }
    second.target = target;
    second.client_flags = SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH;
    status = loopback_connect(&second);
    if (!status) {
        ok(!QueryContextAttributesW(&second.server, SECPKG_ATTR_NAMES, &names) &&
               !wcscmp(names.sUserName, name),
           "client %ls", names.sUserName);
        if (names.sUserName) FreeContextBuffer(names.sUserName);
        ok(contexts_talk(&second.client, &second.server), "messages");
    }
    loopback_close(&second);
    return status;
}

/* [OS MS-SFU 3.1.5.2]; a server is told of tickets that came along, and of no others [D
 * context-requirements]. That a refusal is one for want of credentials is [INF]. */
static void test_allowed(void)
{
    if (!ours_only() || !have_services()) return;
    if (!act(L"Kerberos", SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH)) return;
    for (int i = 0; i < 3; i++) {
        SECURITY_STATUS status = reach(L"Kerberos", back);
        ok(!status, "%d: %08lx", i, status);
        status = reach(L"Kerberos", closed);
        ok(status == SEC_E_NO_CREDENTIALS, "%d: where it may not: %08lx", i, status);
    }
    SECURITY_STATUS status = reach(L"Kerberos", L"nobody/nowhere");
    ok(status == SEC_E_TARGET_UNKNOWN, "nowhere: %08lx", status);
    act_end();
}

static void test_styles(void)
{
    static const ULONG styles[] = {0, ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_DCE_STYLE,
                                   ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE};
    if (!ours_only() || !have_services()) return;
    for (size_t i = 0; i < ARRAYSIZE(styles); i++) {
        if (!act(L"Kerberos", SEAL_FLAGS | styles[i])) continue;
        SECURITY_STATUS status = reach(L"Kerberos", back);
        ok(!status, "%08lx: %08lx", styles[i], status);
        act_end();
    }
}

static void test_negotiate(void)
{
    if (!ours_only() || !have_services()) return;
    if (!act(L"Negotiate", SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH)) return;
    SECURITY_STATUS status = reach(L"Negotiate", back);
    ok(!status, "%08lx", status);
    act_end();
}

/* [D ISC_REQ_IDENTIFY]: the server may know who the client is, and not act for it. */
static void test_identify(void)
{
    if (!ours_only() || !have_services()) return;
    if (!act(L"Kerberos", SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH | ISC_REQ_IDENTIFY)) return;
    SECURITY_STATUS status = reach(L"Kerberos", back);
    ok(status == SEC_E_NO_CREDENTIALS, "%08lx", status);
    act_end();
}

/* ours: what the server may do as the client stays in the process that has accepted it */
static void test_moved(void)
{
    static struct blob blob;
    HANDLE token = NULL;
    CtxtHandle moved;
    SecPkgContext_NamesW names = {NULL};
    if (!ours_only() || !have_services()) return;
    if (!act(L"Kerberos", SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH)) return;
    ok(!RevertSecurityContext(&first.server), "reverted");
    SECURITY_STATUS status = context_export(&first.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob,
                                            &token);
    ok(!status && token, "exported: %08lx", status);
    SecBuffer packed = {blob.size, blob.type, blob.bytes};
    status = ImportSecurityContextW((wchar_t *)L"Kerberos", &packed, token, &moved);
    ok(!status, "imported: %08lx", status);
    ok(!QueryContextAttributesW(&moved, SECPKG_ATTR_NAMES, &names) &&
           !wcscmp(names.sUserName, name),
       "client %ls", names.sUserName);
    if (names.sUserName) FreeContextBuffer(names.sUserName);
    status = ImpersonateSecurityContext(&moved);
    ok(!status, "impersonated: %08lx", status);
    status = reach(L"Kerberos", back);
    ok(status == SEC_E_NO_CREDENTIALS, "%08lx", status);
    ok(!RevertSecurityContext(&moved), "reverted");
    DeleteSecurityContext(&moved);
    if (token) CloseHandle(token);
    loopback_close(&first);
}

static NTSTATUS log_on(const wchar_t *upn, const wchar_t *realm, HANDLE *token)
{
    struct {
        KERB_S4U_LOGON logon;
        wchar_t text[128];
    } message = {.logon.MessageType = KerbS4ULogon};
    LSA_STRING caller = {4, 5, (char *)"test"}, package_name = {8, 9, (char *)"Kerberos"};
    TOKEN_SOURCE source = {.SourceName = "test"};
    USHORT size = (USHORT)(wcslen(upn) * sizeof(*upn));
    USHORT realm_size = (USHORT)(wcslen(realm) * sizeof(*realm));
    HANDLE lsa;
    ULONG package, profile_size;
    void *profile = NULL;
    LUID id;
    QUOTA_LIMITS quotas;
    NTSTATUS sub_status;
    message.logon.ClientUpn = (UNICODE_STRING){size, size, message.text};
    message.logon.ClientRealm = (UNICODE_STRING){realm_size, realm_size, message.text + 64};
    memcpy(message.text, upn, size);
    memcpy(message.text + 64, realm, realm_size);
    NTSTATUS status = LsaConnectUntrusted(&lsa);
    if (!status) status = LsaLookupAuthenticationPackage(lsa, &package_name, &package);
    if (!status)
        status = LsaLogonUser(lsa, &caller, Network, package, &message, sizeof(message), NULL,
                              &source, &profile, &profile_size, &id, token, &quotas, &sub_status);
    if (!status) LsaFreeReturnBuffer(profile);
    LsaDeregisterLogonProcess(lsa);
    return status;
}

/* [OS MS-SFU 3.1.5.1] and then 3.1.5.2; ours: the policy without which there is no token. */
static void test_transition(void)
{
    HANDLE token = NULL;
    wchar_t who[128];
    ULONG length = ARRAYSIZE(who);
    if (!ours_only() || !have_services()) return;
    NTSTATUS logged = log_on(client.user, client.domain, &token);
    if (!ok(!logged && token, "logged on: %08lx", logged)) return;
    ok(ImpersonateLoggedOnUser(token), "error %lu", GetLastError());
    ok(GetUserNameExW(NameSamCompatible, who, &length) && wcsstr(who, client.user), "acts as %ls",
       who);
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = reach(L"Kerberos", back);
        ok(!status, "%d: %08lx", i, status);
        status = reach(L"Kerberos", closed);
        ok(status == SEC_E_NO_CREDENTIALS, "%d: where it may not: %08lx", i, status);
    }
    SECURITY_STATUS status = reach(L"Negotiate", back);
    ok(!status, "%08lx", status);
    ok(RevertToSelf(), "error %lu", GetLastError());
    CloseHandle(token);
}

/* A KDC that lets nobody, or not for this client: the server has no credentials for it [INF], and
 * goes on as it is. */
static void test_refused(void)
{
    if (!ours_only() || !have_services()) return;
    if (!act(L"Kerberos", SEAL_FLAGS | ISC_REQ_MUTUAL_AUTH)) return;
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = reach(L"Kerberos", back);
        ok(status == SEC_E_NO_CREDENTIALS, "%d: %08lx", i, status);
    }
    ok(!RevertSecurityContext(&first.server), "reverted");
    ok(contexts_talk(&first.client, &first.server), "messages");
    SECURITY_STATUS status = reach(L"Kerberos", back);
    ok(!status, "the user of the process: %08lx", status);
    loopback_close(&first);
}

static void arguments_read(int count, char **arguments)
{
    wchar_t *const texts[] = {outcome, middle, back, closed, principal, name, client.password};
    for (int i = 0; count >= 6 && i < count; i++)
        MultiByteToWideChar(CP_ACP, 0, arguments[i], -1, texts[i], i ? 64 : 16);
    swscanf(principal, L"%63l[^@]@%15ls", client.user, client.domain);
}

int main(int argc, char **argv)
{
    arguments_read(argc - 1, argv + 1);
    DWORD on = 1;
    bool saved = value_save(&policy, L"SOFTWARE\\winesspi", L"ForeignTokens") &&
                 value_set(&policy, REG_DWORD, &on, sizeof(on));
    if (saved && outcome[0]) second_pass();
    if (!wcscmp(outcome, L"transition")) {
        RUN(test_transition);
    } else if (wcscmp(outcome, L"refused")) {
        RUN(test_allowed);
        RUN(test_styles);
        RUN(test_negotiate);
        RUN(test_identify);
        RUN(test_moved);
    } else {
        RUN(test_refused);
    }
    if (saved) value_restore(&policy);
    return test_end("api_kerberos_proxy");
}
