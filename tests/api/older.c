/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosting of modules of the older kinds: security support providers that have a function table of
 * their own, wide or ANSI, and authentication packages, which only log-ons ask for. All cases are
 * ours, see api_providers.
 */
#include "../providers/prov_ap.h"
#include "../providers/prov_lsa.h"
#include "hosting_checks.h"
#include "sasl_peer.h"

#define LSA_KEY L"SYSTEM\\CurrentControlSet\\Control\\Lsa"

static struct loopback loop;

/* ---- in the child ---- */

static SECURITY_STATUS acquire(const wchar_t *principal, const wchar_t *package, void *auth,
                               CredHandle *made)
{
    return AcquireCredentialsHandleW((wchar_t *)principal, (wchar_t *)package, SECPKG_CRED_BOTH,
                                     NULL, auth, NULL, NULL, made, NULL);
}

static wchar_t *wide(const char *ansi)
{
    static wchar_t text[16][64];
    static int next;
    wchar_t *out = text[next++ % 16];
    MultiByteToWideChar(CP_ACP, 0, ansi, -1, out, 64);
    return out;
}

static void expect_text(wchar_t *text, const char *expected)
{
    ok(text && !wcscmp(text, wide(expected)), "text %ls, not %s", text ? text : L"(null)",
       expected);
    ok(text && !FreeContextBuffer(text), "text not freed");
}

static void expect_info(SecPkgInfoW *info)
{
    ok(info && !wcscmp(info->Name, L"TestAnsi"), "package info");
    ok(info && !FreeContextBuffer(info), "package info not freed");
}

static void ansi_attributes(CtxtHandle *context)
{
    SecPkgContext_NamesW names = {NULL};
    SecPkgContext_NativeNamesW native = {NULL, NULL};
    SecPkgContext_KeyInfoW key = {.KeySize = 0};
    SecPkgContext_PackageInfoW package = {NULL};
    SecPkgContext_NegotiationInfoW negotiation = {NULL, 0};
    SecPkgContext_CredentialNameW credential = {0, NULL};
    SecPkgContext_Sizes sizes = {0};
    ok(!QueryContextAttributesW(context, SECPKG_ATTR_NAMES, &names), "names");
    expect_text(names.sUserName, "us\xe9r");
    ok(!QueryContextAttributesW(context, SECPKG_ATTR_AUTHORITY, &names), "authority");
    expect_text(names.sUserName, "us\xe9r");
    ok(!QueryContextAttributesW(context, SECPKG_ATTR_NATIVE_NAMES, &native), "native");
    expect_text(native.sClientName, "native client");
    expect_text(native.sServerName, "native server");
    ok(!QueryContextAttributesW(context, SECPKG_ATTR_KEY_INFO, &key), "key");
    ok(key.KeySize == 40 && key.SignatureAlgorithm == 1 && key.EncryptAlgorithm == 2, "key");
    expect_text(key.sSignatureAlgorithmName, "sign");
    expect_text(key.sEncryptAlgorithmName, "seal");
    ok(!QueryContextAttributesW(context, SECPKG_ATTR_PACKAGE_INFO, &package), "package");
    expect_info(package.PackageInfo);
    ok(!QueryContextAttributesW(context, SECPKG_ATTR_NEGOTIATION_INFO, &negotiation), "negotiated");
    ok(negotiation.NegotiationState == 2, "state %lu", negotiation.NegotiationState);
    expect_info(negotiation.PackageInfo);
    ok(!QueryContextAttributesW(context, SECPKG_ATTR_CREDENTIAL_NAME, &credential), "credential");
    ok(credential.CredentialType == 7, "type %lu", credential.CredentialType);
    expect_text(credential.sCredentialName, "credential");
    ok(!QueryContextAttributesW(context, SECPKG_ATTR_SIZES, &sizes), "sizes");
    ok(sizes.cbMaxToken == 16 && sizes.cbMaxSignature == 4, "sizes");
    ULONG value = 4711;
    ok(!SetContextAttributesW(context, 1, &value, 4), "set");
    SecPkgContext_NamesA narrow = {NULL};
    ok(!QueryContextAttributesA(context, SECPKG_ATTR_NAMES, &narrow), "names A");
    ok(narrow.sUserName && !strcmp(narrow.sUserName, "us\xe9r"), "names A");
    ok(!FreeContextBuffer(narrow.sUserName), "names A not freed");
}

static void ansi_context(CredHandle *credential)
{
    static struct blob blob;
    BYTE room[16];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG attributes;
    TimeStamp expiry;
    SECURITY_STATUS status = InitializeSecurityContextW(credential, NULL, wide("t\xe4rget"), 0, 0,
                                                        SECURITY_NATIVE_DREP, NULL, 0, &context,
                                                        &desc, &attributes, &expiry);
    if (!ok(!status && expiry.QuadPart == 44, "context: %08lx", status)) return;
    ansi_attributes(&context);
    status = context_export(&context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    ok(!status, "export: %08lx", status);
    status = context_import(L"testansi", blob.bytes, blob.size, &context);
    if (!ok(!status, "import: %08lx", status)) return;
    ok(DeleteSecurityContext(&context) == SEC_E_OK, "not deleted");
}

/* [D writing-and-installing-a-security-support-provider] InitSecurityInterfaceA alone will do */
static void child_ansi(void)
{
    if (GetACP() != 1252) {
        printf("  the ANSI code page is %u, not 1252\n", GetACP());
        return;
    }
    expect_listed(L"TestAnsi", 1);
    SecPkgInfoW *info;
    if (ok(!QuerySecurityPackageInfoW((wchar_t *)L"TestAnsi", &info), "no TestAnsi")) {
        ok(!wcscmp(info->Comment, wide("Test package that speaks \xc4NSI")), "the comment");
        FreeContextBuffer(info);
    }
    wchar_t *user = wide("us\xe9r"), *password = wide("Passw\xf6");
    SEC_WINNT_AUTH_IDENTITY_W identity = {(USHORT *)user,
                                          4,
                                          (USHORT *)L"domain",
                                          6,
                                          (USHORT *)password,
                                          6,
                                          SEC_WINNT_AUTH_IDENTITY_UNICODE};
    CredHandle credential;
    SECURITY_STATUS status = acquire(L"nobody", L"TestAnsi", NULL, &credential);
    ok(status == SEC_E_NO_CREDENTIALS, "another principal: %08lx", status);
    status = acquire(NULL, L"TestAnsi", (void *)"data data data data data data data data data",
                     &credential);
    if (ok(!status, "auth data that is no identity: %08lx", status))
        FreeCredentialsHandle(&credential);
    status = acquire(wide("test\\\xfcser"), L"TestAnsi", &identity, &credential);
    if (!ok(!status, "acquire: %08lx", status)) return;
    SecPkgCredentials_NamesW names = {NULL};
    status = QueryCredentialsAttributesW(&credential, SECPKG_CRED_ATTR_NAMES, &names);
    ok(!status, "credential's name: %08lx", status);
    expect_text(names.sUserName, "us\xe9r");
    status = AddCredentialsW(&credential, NULL, (wchar_t *)L"TestAnsi", SECPKG_CRED_OUTBOUND,
                             &identity, NULL, NULL, NULL);
    ok(!status, "add: %08lx", status);
    ansi_context(&credential);
    ok(FreeCredentialsHandle(&credential) == SEC_E_OK, "not freed");
}

static void child_sspi(void)
{
    static struct blob blob;
    SECURITY_STATUS status = loopback_open(&loop, L"TestSspi", NULL);
    if (!ok(!status, "TestSspi: %08lx", status)) return;
    loop.target = L"test/other";
    ok(loopback_client_leg(&loop) == SEC_E_TARGET_UNKNOWN, "the target is not passed on");
    loop.target = L"test/target";
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client");
    ok(loop.client_expiry.QuadPart == 43, "expiry of the client");
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server");
    BYTE token[4], data[4] = "abc";
    SecBuffer parts[2] = {{4, SECBUFFER_TOKEN, token}, {4, SECBUFFER_DATA, data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    ok(MakeSignature(&loop.client, 0, &desc, 0x01020304) == SEC_E_OK, "not signed");
    ok(token[0] == 4 && token[3] == 1, "the sequence number is not passed on");
    /* The module leaves these out. */
    ok(VerifySignature(&loop.client, &desc, 0, NULL) == SEC_E_UNSUPPORTED_FUNCTION, "verify");
    ok(DecryptMessage(&loop.client, &desc, 0, NULL) == SEC_E_UNSUPPORTED_FUNCTION, "decrypt");
    ok(ImpersonateSecurityContext(&loop.server) == SEC_E_UNSUPPORTED_FUNCTION, "impersonate");
    ok(ApplyControlToken(&loop.server, &desc) == SEC_E_UNSUPPORTED_FUNCTION, "control");
    ok(SetContextAttributesW(&loop.server, 1, data, 4) == SEC_E_UNSUPPORTED_FUNCTION, "set");

    status = context_export(&loop.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    ok(!status && blob.size > 15, "export: %08lx", status);
    context_forget(&loop.server);
    status = context_import(L"TestSspi", blob.bytes, blob.size, &loop.server);
    ok(status == SEC_E_OK, "import: %08lx", status);
    SecPkgContext_Sizes sizes;
    ok(QueryContextAttributesW(&loop.server, SECPKG_ATTR_SIZES, &sizes) == SEC_E_OK, "sizes");
    loopback_close(&loop);
    /* Handles of one module mean nothing to another. */
    CredHandle credential;
    if (!ok(!acquire(NULL, L"TestOne", NULL, &credential), "no credential")) return;
    ok(!loopback_open(&loop, L"TestSspi", NULL), "no credentials");
    loop.target = L"test/target";
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client");
    CredHandle own = loop.client_cred;
    loop.client_cred = credential;
    ok(loopback_client_leg(&loop) == SEC_E_INVALID_HANDLE, "another package's credential");
    loop.client_cred = own;
    FreeCredentialsHandle(&credential);
    loopback_close(&loop);
}

struct slow_call {
    CtxtHandle context;
    SECURITY_STATUS status;
    struct blob blob;
};

static DWORD WINAPI sign_in_sspi(void *argument)
{
    struct slow_call *call = argument;
    BYTE token[4], data[4] = "abc";
    SecBuffer parts[2] = {{4, SECBUFFER_TOKEN, token}, {4, SECBUFFER_DATA, data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    call->status = MakeSignature(&call->context, 0, &desc, 0x510e);
    return 0;
}

static DWORD WINAPI hand_over(void *argument)
{
    struct slow_call *call = argument;
    call->status = context_export(&call->context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &call->blob,
                                  NULL);
    return 0;
}

/* A message that is being signed is signed before the context is handed over, and none after. */
static void child_sspi_handover(void)
{
    static struct slow_call sign, export;
    HANDLE here = CreateEventW(NULL, FALSE, FALSE, L"prov-sspi-here");
    HANDLE go_on = CreateEventW(NULL, TRUE, FALSE, L"prov-sspi-go-on");
    if (!ok(!loopback_open(&loop, L"TestSspi", NULL), "no credentials")) return;
    loop.target = L"test/target";
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client");
    ok(context_export(&loop.client, 0x80, &export.blob, NULL) < 0, "wrong flags");
    sign.context = export.context = loop.client;
    HANDLE threads[2];
    threads[0] = CreateThread(NULL, 0, sign_in_sspi, &sign, 0, NULL);
    ok(WaitForSingleObject(here, 20000) == WAIT_OBJECT_0, "the module was not called");
    threads[1] = CreateThread(NULL, 0, hand_over, &export, 0, NULL);
    ok(WaitForSingleObject(threads[1], 200) == WAIT_TIMEOUT, "handed over while it is in use");
    SetEvent(go_on);
    ok(WaitForMultipleObjects(2, threads, TRUE, 20000) == WAIT_OBJECT_0, "they do not end");
    ok(sign.status == SEC_E_OK, "sign: %08lx", sign.status);
    ok(export.status == SEC_E_OK && export.blob.size, "export: %08lx", export.status);
    ok(DeleteSecurityContext(&loop.client) == SEC_E_INVALID_HANDLE, "the old context is alive");
    context_forget(&loop.client);
    loopback_close(&loop);
    CloseHandle(threads[0]);
    CloseHandle(threads[1]);
    CloseHandle(here);
    CloseHandle(go_on);
}

struct late_message {
    CtxtHandle context;
    struct message message;
    SECURITY_STATUS status;
};

static DWORD WINAPI sign_late(void *argument)
{
    struct late_message *late = argument;
    late->status = message_sign(&late->context, &late->message);
    return 0;
}

/* A context of TestOne whose messages go to loop.client (ssp/message_context.h), and its peer. */
static bool connect_around(struct loopback *outer)
{
    prov_counters_get_fn get = function_find("prov_lsa.dll", "prov_counters_get");
    if (!ok(!loopback_open(outer, L"TestOne", NULL), "no credentials")) return false;
    get()->message_context = loop.client;
    bool good = ok(!loopback_client_leg(outer), "client");
    get()->message_context = (CtxtHandle){0, 0};
    return ok(!loopback_server_leg(outer), "server") && good;
}

/* A message that waits while the context that it goes to is handed over is its own context's then.
 */
static void child_sspi_inner(void)
{
    static struct slow_call sign, export;
    static struct late_message late;
    static struct loopback outer;
    HANDLE here = CreateEventW(NULL, FALSE, FALSE, L"prov-sspi-here");
    HANDLE go_on = CreateEventW(NULL, TRUE, FALSE, L"prov-sspi-go-on");
    if (!ok(!loopback_open(&loop, L"TestSspi", NULL), "no credentials")) return;
    loop.target = L"test/target";
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client");
    if (!connect_around(&outer)) return;
    export.context = loop.client;
    sign.context = late.context = outer.client;
    message_set(&late.message, "late", 4);
    HANDLE threads[3];
    threads[0] = CreateThread(NULL, 0, sign_in_sspi, &sign, 0, NULL);
    ok(WaitForSingleObject(here, 20000) == WAIT_OBJECT_0, "the module was not called");
    threads[1] = CreateThread(NULL, 0, hand_over, &export, 0, NULL);
    ok(WaitForSingleObject(threads[1], 200) == WAIT_TIMEOUT, "handed over while it is in use");
    threads[2] = CreateThread(NULL, 0, sign_late, &late, 0, NULL);
    ok(WaitForSingleObject(threads[2], 200) == WAIT_TIMEOUT, "does not wait");
    SetEvent(go_on);
    ok(WaitForMultipleObjects(3, threads, TRUE, 20000) == WAIT_OBJECT_0, "they do not end");
    ok(sign.status == SEC_E_OK, "sign: %08lx", sign.status);
    ok(export.status == SEC_E_OK && export.blob.size, "export: %08lx", export.status);
    ok(late.status == SEC_E_OK, "sign late: %08lx", late.status);
    ok(!message_verify(&outer.server, &late.message), "not by the keys of its own context");
    context_forget(&loop.client);
    loopback_close(&outer);
    loopback_close(&loop);
    for (int i = 0; i < 3; i++) CloseHandle(threads[i]);
    CloseHandle(here);
    CloseHandle(go_on);
}

static volatile LONG legs_done;
enum { LEGS = 50000 };

static DWORD WINAPI sasl_legs(void *argument)
{
    struct slow_call *call = argument;
    BYTE in[4] = {0}, out[64];
    for (; legs_done < LEGS; legs_done++) {
        SecBuffer parts[2] = {{sizeof(in), SECBUFFER_TOKEN, in},
                              {sizeof(out), SECBUFFER_TOKEN, out}};
        SecBufferDesc input = {SECBUFFER_VERSION, 1, parts};
        SecBufferDesc output = {SECBUFFER_VERSION, 1, parts + 1};
        call->status = SaslInitializeSecurityContextW(NULL, &call->context, NULL, 0, 0, 0, &input,
                                                      0, NULL, &output, NULL, NULL);
    }
    return 0;
}

static DWORD WINAPI sasl_exports(void *argument)
{
    struct slow_call *call = argument;
    do hand_over(call);
    while (call->status == SEC_E_NOT_SUPPORTED && legs_done < LEGS);
    return 0;
}

/* Half of what SASL agrees on cannot be exported: whoever tries waits for the leg that is being
 * made, and that goes on all the same. */
static void child_sspi_sasl(void)
{
    static struct slow_call legs, export;
    if (!ok(!loopback_open(&loop, L"TestSspi", NULL), "no credentials")) return;
    loop.target = L"test/target";
    loop.client_flags = ISC_REQ_INTEGRITY;
    SECURITY_STATUS status = sasl_client_leg(&loop);
    if (!ok(status == SEC_I_CONTINUE_NEEDED, "client: %08lx", status)) return;
    legs.context = export.context = loop.client;
    HANDLE threads[] = {CreateThread(NULL, 0, sasl_legs, &legs, 0, NULL),
                        CreateThread(NULL, 0, sasl_exports, &export, 0, NULL)};
    status = WaitForMultipleObjects(2, threads, TRUE, 20000);
    if (!ok(status == WAIT_OBJECT_0, "they do not end after %ld legs", legs_done)) return;
    ok(export.status == SEC_E_NOT_SUPPORTED, "export: %08lx", export.status);
    ok(legs.status == SEC_E_UNSUPPORTED_FUNCTION, "leg: %08lx", legs.status);
    CloseHandle(threads[0]);
    CloseHandle(threads[1]);
    loopback_close(&loop);
}

/* What a module says of its message is not believed. */
static void child_sspi_wrap(void)
{
    if (!ok(!loopback_open(&loop, L"TestSspi", NULL), "no credentials")) return;
    loop.target = L"test/target";
    loop.server_flags = ASC_REQ_INTEGRITY;
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client");
    SECURITY_STATUS status = sasl_server_leg(&loop);
    ok(status == SEC_E_INTERNAL_ERROR, "server: %08lx", status);
    loopback_close(&loop);
}

/* ---- authentication packages ---- */

static bool is_loaded(const wchar_t *module)
{
    return GetModuleHandleW(module) != NULL;
}

static NTSTATUS ap_lookup(HANDLE lsa, const char *name, ULONG *id)
{
    NTSTATUS(NTAPI * lookup)
    (HANDLE, LSA_STRING *, ULONG *) = function_find("secur32.dll",
                                                    "LsaLookupAuthenticationPackage");
    LSA_STRING string = {(USHORT)strlen(name), (USHORT)(strlen(name) + 1), (char *)name};
    return lookup(lsa, &string, id);
}

/* [D LsaLookupAuthenticationPackage] [D LsaCallAuthenticationPackage] */
static void child_ap(void)
{
    expect_listed(L"TestAp", 0);
    ok(!is_loaded(L"prov_ap.dll"), "listing loaded prov_ap.dll");
    CredHandle none;
    ok(acquire(NULL, L"TestAp", NULL, &none) == SEC_E_SECPKG_NOT_FOUND, "a credential of TestAp");
    expect_ntlm_works();
    ok(!is_loaded(L"prov_ap.dll"), "SSPI loaded prov_ap.dll");

    NTSTATUS(NTAPI * connect)(HANDLE *) = function_find("secur32.dll", "LsaConnectUntrusted");
    NTSTATUS(NTAPI * call)
    (HANDLE, ULONG, void *, ULONG, void **, ULONG *,
     NTSTATUS *) = function_find("secur32.dll", "LsaCallAuthenticationPackage");
    NTSTATUS(NTAPI * release)(void *) = function_find("secur32.dll", "LsaFreeReturnBuffer");
    HANDLE lsa;
    ULONG id = 0, size = 0;
    NTSTATUS status = connect(&lsa);
    if (!ok(!status, "connected: %08lx", status)) return;
    status = ap_lookup(lsa, "TestAp", &id);
    if (!ok(!status, "looked up: %08lx", status)) return;
    prov_ap_counters_get_fn get = function_find("prov_ap.dll", "prov_ap_counters_get");
    ok(get()->initialized == 1 && get()->id == id, "initialised %ld times, as %lu and not %lu",
       get()->initialized, get()->id, id);
    char message[4] = "abc", *answer = NULL;
    NTSTATUS protocol = STATUS_UNSUCCESSFUL;
    status = call(lsa, id, message, 4, (void **)&answer, &size, &protocol);
    if (ok(!status && !protocol && size == 4 && answer, "called: %08lx", status)) {
        ok(!memcmp(answer, "Ubc", 4), "answered %.4s", answer);
        release(answer);
    }
    expect_listed(L"TestAp", 0);
    /* One of the newer kind in the same list: hidden, and found by its name for log-ons alone. */
    expect_listed(L"TestSparse", 0);
}

/* ---- in the parent ---- */

static const struct hosting_case child_cases[] = {
    CHILD(sspi),      CHILD(sspi_handover), CHILD(sspi_inner), CHILD(sspi_sasl),
    CHILD(sspi_wrap), CHILD(ansi),          CHILD(ap)};

static void run(const wchar_t *child)
{
    static struct hosting_names lsa;
    static wchar_t providers[3 * MAX_PATH];
    DWORD failures;
    memset(&lsa, 0, sizeof(lsa));
    hosting_names_add(&lsa, hosting_folder, L"prov_lsa");
    wsprintfW(providers, L"no-such-module.dll,  %sprov_sspi.dll, %sprov_sspia", hosting_folder,
              hosting_folder);
    bool done = hosting_run(child, &lsa, providers, &failures);
    ok(done && !failures, "child %ls: exit status %lu", child, failures);
}

static void test_sspi(void)
{
    run(L"sspi");
}

static void test_sspi_handover(void)
{
    run(L"sspi_handover");
}

static void test_sspi_inner(void)
{
    run(L"sspi_inner");
}

static void test_sspi_sasl(void)
{
    static const wchar_t *const pairs[][2] = {{L"GSSAPI", L"TestSspi"}};
    if (ok(profiles_set(pairs, 1), "the profiles cannot be set")) {
        run(L"sspi_sasl");
        run(L"sspi_wrap");
    }
    ok(profiles_restore(), "not as they were");
}

static void test_ansi(void)
{
    run(L"ansi");
}

static void test_ap(void)
{
    static struct saved_value old;
    static struct hosting_names logon;
    memset(&logon, 0, sizeof(logon));
    hosting_names_add(&logon, hosting_folder, L"prov_ap");
    hosting_names_add(&logon, hosting_folder, L"prov_sparse");
    hosting_names_add(&logon, hosting_folder, L"prov_lsa"); /* in the other list as well */
    if (!ok(value_save(&old, LSA_KEY, L"Authentication Packages"), "the registry")) return;
    ok(value_set(&old, REG_MULTI_SZ, logon.text, (logon.used + 1) * sizeof(wchar_t)), "not set");
    run(L"ap");
    ok(value_restore(&old), "not put back");
}

int main(int argc, char **argv)
{
    if (argc == 2) return hosting_case_run(child_cases, ARRAYSIZE(child_cases), argv[1], NULL);
    if (!hosting_begin()) {
        printf("skip api_older: a Wine prefix with a writable temporary folder\n");
        printf("api_older: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_sspi);
    RUN(test_sspi_handover);
    RUN(test_sspi_inner);
    RUN(test_sspi_sasl);
    RUN(test_ansi);
    RUN(test_ap);
    hosting_end();
    return test_end("api_older");
}
