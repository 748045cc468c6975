/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Negotiate beside its contexts: messages through LsaCallAuthenticationPackage, with the edge cases
 * of Wine's tests of them, and credentials that are added for one mechanism.
 */
#include "identities.h"
#include "loopback.h"
#include "msv.h"

static struct account account;
static bool have_account;
static HANDLE lsa;

static NTSTATUS call(ULONG package, void *bytes, ULONG size, void **out, ULONG *out_size,
                     NTSTATUS *protocol)
{
    *out = (void *)(ULONG_PTR)0xdeadbeef;
    *out_size = 0xdead;
    *protocol = 0xdead;
    return LsaCallAuthenticationPackage(lsa, package, bytes, size, out, out_size, protocol);
}

/* [WM negotiate.c] */
static void test_package_id(void)
{
    LSA_STRING name = {9, 10, (char *)"Negotiate"};
    ULONG id = 0xdead;
    NTSTATUS status = LsaLookupAuthenticationPackage(lsa, &name, &id);
    ok(!status && !id, "status %08lx, id %lu", status, id);
}

/* [WM negotiate.c] a name, or no such log-on with nothing at all */
static void test_caller_name(void)
{
    NEGOTIATE_CALLER_NAME_REQUEST request = {.MessageType = NegGetCallerName};
    NEGOTIATE_CALLER_NAME_RESPONSE *answer;
    void *out;
    ULONG size;
    NTSTATUS protocol;
    NTSTATUS status = call(0, &request, sizeof(request), &out, &size, &protocol);
    ok(!status, "status %08lx", status);
    if (!protocol) {
        wchar_t own[256];
        process_user(own, ARRAYSIZE(own));
        answer = out;
        ok(size > sizeof(*answer) && answer->MessageType == NegGetCallerName, "%lu bytes", size);
        ok((BYTE *)answer->CallerName > (BYTE *)answer &&
               (BYTE *)answer->CallerName < (BYTE *)answer + size,
           "the name is not in the block");
        ok(!running_on_ours() || !lstrcmpiW(answer->CallerName, own), "%ls, not %ls",
           answer->CallerName, own);
        LsaFreeReturnBuffer(out);
    } else {
        ok(protocol == STATUS_NO_SUCH_LOGON_SESSION && !out && !size, "protocol %08lx", protocol);
    }
    request.LogonId.LowPart = 0x7ffffff1;
    status = call(0, &request, sizeof(request), &out, &size, &protocol);
    ok(!status && protocol == STATUS_NO_SUCH_LOGON_SESSION && !out && !size, "%08lx, %08lx", status,
       protocol);
}

/* [WM negotiate.c] */
static void test_calls_refused(void)
{
    NEGOTIATE_CALLER_NAME_REQUEST request = {.MessageType = NegGetCallerName};
    void *out;
    ULONG size;
    NTSTATUS protocol;
    NTSTATUS status = call(0, NULL, sizeof(request), &out, &size, &protocol);
    ok(status == STATUS_INVALID_PARAMETER && !protocol && !size, "no request: %08lx, %08lx", status,
       protocol);
    status = call(999, &request, sizeof(request), &out, &size, &protocol);
    ok(status == STATUS_NO_SUCH_PACKAGE && !protocol && !size && !out, "999: %08lx, %08lx", status,
       protocol);
}

/* [H ntsecapi.h]; which bytes is ours: NTLM is known by its signature. */
static void test_prefixes(void)
{
    ULONG message[4] = {NegEnumPackagePrefixes};
    LSA_STRING name = {4, 5, (char *)"NTLM"};
    void *out;
    ULONG size, id = 0;
    NTSTATUS protocol;
    bool found = false;
    if (!ours_only()) return;
    LsaLookupAuthenticationPackage(lsa, &name, &id);
    NTSTATUS status = call(0, message, sizeof(message), &out, &size, &protocol);
    if (!ok(!status && !protocol, "status %08lx, %08lx", status, protocol)) return;
    const NEGOTIATE_PACKAGE_PREFIXES *head = out;
    ok(head->Offset + head->PrefixCount * sizeof(NEGOTIATE_PACKAGE_PREFIX) == size,
       "%lu prefixes in %lu bytes", head->PrefixCount, size);
    const NEGOTIATE_PACKAGE_PREFIX *items = (const void *)((const BYTE *)out + head->Offset);
    for (ULONG i = 0; i < head->PrefixCount; i++)
        if (items[i].PackageId == id)
            found = items[i].PrefixLen == 8 && !memcmp(items[i].Prefix, "NTLMSSP", 8);
    ok(found, "NTLM is not among %lu", head->PrefixCount);
    LsaFreeReturnBuffer(out);
}

/* ours: the default credential of a mechanism gives way to the one that is added for it. */
static void test_added(void)
{
    static struct loopback loop;
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(account.user, account.domain,
                                                       account.password);
    SecPkgContext_NamesW names = {NULL};
    if (!ours_only() || !have_account) return;
    SECURITY_STATUS status = loopback_open(&loop, L"Negotiate", NULL);
    if (!ok(!status, "not opened: %08lx", status)) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "a leg before");
    DeleteSecurityContext(&loop.client);
    context_forget(&loop.client);
    status = AddCredentialsW(&loop.client_cred, NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND,
                             &identity, NULL, NULL, NULL);
    ok(!status, "not added: %08lx", status);
    status = loopback_connect(&loop);
    ok(!status, "no handshake: %08lx", status);
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
    if (ok(!status, "no names: %08lx", status)) {
        const wchar_t *name = wcsrchr(names.sUserName, '\\');
        ok(name && !lstrcmpiW(name + 1, account.user), "it is %ls", names.sUserName);
        FreeContextBuffer(names.sUserName);
    }
    loopback_close(&loop);
}

static void test_not_added(void)
{
    CredHandle made;
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"Negotiate", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &made, NULL);
    if (!ok(!status, "not acquired: %08lx", status)) return;
    status = AddCredentialsW(&made, NULL, (wchar_t *)L"No such package", SECPKG_CRED_OUTBOUND, NULL,
                             NULL, NULL, NULL);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "no such package: %08lx", status);
    FreeCredentialsHandle(&made);
}

int main(void)
{
    NTSTATUS status = LsaConnectUntrusted(&lsa);
    if (status) {
        printf("no connection: %08lx\n", status);
        return EXIT_FAILURE;
    }
    have_account = account_create(&account);
    RUN(test_package_id);
    RUN(test_caller_name);
    RUN(test_calls_refused);
    RUN(test_prefixes);
    RUN(test_added);
    RUN(test_not_added);
    if (have_account) account_remove(&account);
    LsaDeregisterLogonProcess(lsa);
    return test_end("api_negotiate_calls");
}
