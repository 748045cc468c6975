/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package Negotiate as a program sees it, with NTLM as the mechanism: description, credentials,
 * package lists, legs with their statuses, flags and buffers, tokens without SPNEGO. What its
 * tokens look like inside, and what it does about wrong ones, is the matter of api_spnego_accept
 * and api_spnego_initiate; other mechanisms that of api_mechanisms.
 */
#include "spnego_peer.h"

#define UNTOUCHED ((ULONG_PTR)0x5ec5ec5e)
#define SECURE_BITS (ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT)

static struct account account;
static bool have_account;
static struct loopback loop;
static struct side client, server;

static const struct account *usual(void)
{
    return have_account ? &account : NULL;
}

static bool open_list(const wchar_t *list)
{
    const struct sides_options options = {.account = usual(), .client_list = list};
    return sides_open(&client, &server, &options);
}

static bool is_raw(const struct side *side)
{
    return spnego_kind(side_token(side), NULL) == SPNEGO_RAW_NTLM;
}

/* ---- the package ---- */

/* [W8 negotiate.c:358-366]; the optional bits, and comment and size, from published listings */
static void test_description(void)
{
    const ULONG base = 0x3bb3;
    const ULONG optional = SECPKG_FLAG_READONLY_WITH_CHECKSUM | SECPKG_FLAG_RESTRICTED_TOKENS |
                           0x00800000; /* APPCONTAINER_CHECKS */
    SecPkgInfoW *info;
    SECURITY_STATUS status = QuerySecurityPackageInfoW((wchar_t *)L"Negotiate", &info);
    if (!ok(!status, "%08lx", status)) return;
    ok((info->fCapabilities & ~optional) == base, "capabilities %08lx", info->fCapabilities);
    ok(info->wVersion == 1 && info->wRPCID == 9, "version %u, RPC id %u", info->wVersion,
       info->wRPCID);
    ok(!lstrcmpW(info->Name, L"Negotiate"), "name %ls", info->Name);
    ok(!lstrcmpW(info->Comment, L"Microsoft Package Negotiator"), "comment %ls", info->Comment);
    ok(info->cbMaxToken == 48256 || info->cbMaxToken == 65791 || info->cbMaxToken == 12256,
       "tokens of %lu bytes", info->cbMaxToken);
    FreeContextBuffer(info);
}

/* It comes first in all published listings. */
static void test_listed_first(void)
{
    ULONG count;
    SecPkgInfoW *list;
    if (!ok(!EnumerateSecurityPackagesW(&count, &list), "no list")) return;
    ok(!lstrcmpW(list[0].Name, L"Negotiate"), "%ls is the first", list[0].Name);
    FreeContextBuffer(list);
}

/* ---- legs ---- */

/* [CI sspilib] one token more than NTLM alone: the server's last one, which the client takes in
 * without an answer. [CI PSSPI] the flags of the first leg. */
static void run_legs(const struct account *as)
{
    static const SECURITY_STATUS expected[] = {SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED,
                                               SEC_I_CONTINUE_NEEDED, SEC_E_OK, SEC_E_OK};
    const struct sides_options options = {.account = as, .client_list = L"!Kerberos"};
    SECURITY_STATUS status = SEC_E_OK;
    if (!sides_open(&client, &server, &options)) return;
    for (int leg = 0; leg < 5 && status >= 0; leg++) {
        struct side *from = leg % 2 ? &server : &client, *to = leg % 2 ? &client : &server;
        status = side_leg(from, side_token(to));
        ok(status == expected[leg], "leg %d: %08lx", leg + 1, status);
        ok((from->size != 0) == (leg < 4), "leg %d: %lu bytes", leg + 1, from->size);
        if (leg == 0)
            ok(client.attributes == ISC_RET_INTERMEDIATE_RETURN, "first leg: attributes %08lx",
               client.attributes);
    }
    const ULONG sealed = SECURE_BITS | ISC_RET_CONFIDENTIALITY;
    ok((client.attributes & (sealed | ISC_RET_INTEGRITY)) == (sealed | ISC_RET_INTEGRITY),
       "client's attributes %08lx", client.attributes);
    ok((server.attributes & (sealed | ASC_RET_INTEGRITY)) == (sealed | ASC_RET_INTEGRITY),
       "server's attributes %08lx", server.attributes);
    ok(contexts_talk(&client.context, &server.context), "no talk");
    sides_close(&client, &server);
}

static void test_legs_default(void)
{
    run_legs(NULL);
}

static void test_legs_account(void)
{
    if (have_account) run_legs(&account);
    else skip_case("accounts of our server");
}

/* [CI sspilib] the client's legs succeed, the server says no */
static void test_wrong_password(void)
{
    struct account wrong = account;
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    lstrcpyW(wrong.password, L"password");
    SECURITY_STATUS status = loopback_open(&loop, L"Negotiate", &wrong);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 2");
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_LOGON_DENIED, "server 2: %08lx", status);
    loopback_close(&loop);
}

/* ---- tokens without SPNEGO ---- */

/* [CI sspilib] one package by name: its own tokens. [CI sspilib], [D microsoft-negotiate] NTLM and
 * Negotiate understand each other in both directions. */
static void run_raw(const wchar_t *client_package, const wchar_t *list,
                    const wchar_t *server_package)
{
    const struct sides_options options = {.client_package = client_package,
                                          .server_package = server_package,
                                          .account = usual(),
                                          .client_list = list};
    if (!sides_open(&client, &server, &options)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED && is_raw(&client), "client 1");
    ok(side_leg(&server, side_token(&client)) == SEC_I_CONTINUE_NEEDED && is_raw(&server),
       "server 1");
    ok(side_leg(&client, side_token(&server)) == SEC_E_OK && is_raw(&client), "client 2");
    ok(side_leg(&server, side_token(&client)) == SEC_E_OK && !server.size, "server 2");
    ok(contexts_talk(&client.context, &server.context), "no talk");
    sides_close(&client, &server);
}

static void test_raw(void)
{
    run_raw(L"Negotiate", L"NTLM", L"Negotiate");
    run_raw(L"Negotiate", L"NTLM", L"NTLM");
    run_raw(L"NTLM", NULL, L"Negotiate");
}

/* [CI sspilib] the last leg of an acceptor that has nothing to send needs no output */
static void test_raw_without_output(void)
{
    if (!open_list(L"NTLM")) return;
    side_leg(&client, NONE);
    side_leg(&server, side_token(&client));
    ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 2");
    SecBuffer in = {client.size, SECBUFFER_TOKEN, client.token};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &in};
    SECURITY_STATUS status = AcceptSecurityContext(&server.credential, &server.context, &desc,
                                                   SERVER_SEAL_FLAGS, SECURITY_NATIVE_DREP,
                                                   &server.context, NULL, &server.attributes, NULL);
    ok(status == SEC_E_OK, "server 2: %08lx", status);
    ok(contexts_talk(&client.context, &server.context), "no talk");
    sides_close(&client, &server);
}

/* ---- package lists ---- */

static void expect_list(const wchar_t *list, bool raw)
{
    SECURITY_STATUS status = side_open(&client, L"Negotiate", false, usual(), list);
    if (!ok(!status, "\"%ls\": %08lx", list, status)) return;
    status = side_leg(&client, NONE);
    ok(status == SEC_I_CONTINUE_NEEDED, "\"%ls\", client 1: %08lx", list, status);
    ok(is_raw(&client) == raw, "\"%ls\": %s SPNEGO", list, raw ? "with" : "without");
    side_close(&client);
}

/* [CI sspilib], [CI PSSPI] nothing that can be used is seen in one of the first two calls */
static void expect_no_list(const wchar_t *list)
{
    SECURITY_STATUS status = side_open(&client, L"Negotiate", false, usual(), list);
    if (!status) {
        status = side_leg(&client, NONE);
        side_close(&client);
    }
    ok(status == SEC_E_NO_CREDENTIALS, "\"%ls\": %08lx", list, status);
}

static void test_package_lists(void)
{
    expect_list(L"NTLM", true);
    expect_list(L"ntlm", true);
    expect_list(L"!Kerberos", false);
    expect_list(L"!kerberos,!NegoExtender", false);
    expect_no_list(L"NegoExtender");
    expect_no_list(L"!NTLM,!Kerberos,!NegoExtender,!pku2u,!CloudAP");
    if (!ours_only()) return;
    expect_list(L" NTLM ", true);
    expect_list(L",,NTLM,", true);
    expect_list(L"", false);
    expect_list(L"NTLM,Kerberos", false);
    expect_no_list(L"!NTLM,!Kerberos");
    expect_no_list(L"NTLM,!NTLM");
    expect_no_list(L"NTLMX");
    expect_no_list(L"NTL");
}

/* The narrow form has a narrow list; [D sec_winnt_auth_identity_exa] */
static void test_narrow_list(void)
{
    SEC_WINNT_AUTH_IDENTITY_EXA identity = {
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof(identity),
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
        .PackageList = (unsigned char *)"NTLM",
        .PackageListLength = 4,
    };
    SECURITY_STATUS status = side_open(&client, L"Negotiate", false, NULL, NULL);
    if (!ok(!status, "no credential: %08lx", status)) return;
    FreeCredentialsHandle(&client.credential);
    status = AcquireCredentialsHandleA(NULL, (char *)"Negotiate", SECPKG_CRED_OUTBOUND, NULL,
                                       &identity, NULL, NULL, &client.credential, NULL);
    if (!ok(!status, "%08lx", status)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED && is_raw(&client), "not NTLM's token");
    side_close(&client);
}

/* ours: an acceptor, too, can be told what to take */
static void test_acceptor_list(void)
{
    if (!ours_only()) return;
    ok(side_open(&server, L"Negotiate", true, NULL, L"!NTLM") == SEC_E_NO_CREDENTIALS, "!NTLM");
    if (!ok(!side_open(&client, L"Negotiate", false, usual(), NULL), "no credential")) return;
    if (ok(!side_open(&server, L"Negotiate", true, NULL, L"NTLM"), "no credential")) {
        side_leg(&client, NONE);
        SECURITY_STATUS status = side_leg(&server, side_token(&client));
        ok(status == SEC_I_CONTINUE_NEEDED && !is_raw(&server), "SPNEGO: %08lx", status);
        side_close(&server);
    }
    side_close(&client);
}

/* ---- credentials ---- */

static SECURITY_STATUS acquire_sized(ULONG user, ULONG domain, ULONG password)
{
    static wchar_t text[300];
    CredHandle made;
    for (int i = 0; i < 299; i++) text[i] = L'a';
    SEC_WINNT_AUTH_IDENTITY_W identity = {
        .User = (unsigned short *)text,
        .UserLength = user,
        .Domain = (unsigned short *)text,
        .DomainLength = domain,
        .Password = (unsigned short *)text,
        .PasswordLength = password,
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"Negotiate",
                                                       SECPKG_CRED_OUTBOUND, NULL, &identity, NULL,
                                                       NULL, &made, NULL);
    if (!status) FreeCredentialsHandle(&made);
    return status;
}

/* [D acquirecredentialshandle--negotiate] user and password 256, domain 15 characters */
static void test_identity_limits(void)
{
    SECURITY_STATUS status = acquire_sized(256, 15, 256);
    ok(status == SEC_E_OK, "at the limits: %08lx", status);
}

/* [D QueryCredentialsAttributes] the name behind a credential, here the user of the process */
static void test_credential_names(void)
{
    SecPkgCredentials_NamesW names;
    wchar_t self[256];
    SECURITY_STATUS status = side_open(&client, L"Negotiate", false, NULL, NULL);
    if (!ok(!status, "no credential: %08lx", status)) return;
    status = QueryCredentialsAttributesW(&client.credential, SECPKG_CRED_ATTR_NAMES, &names);
    if (ok(!status, "names: %08lx", status)) {
        ok(process_user(self, 256) && !lstrcmpiW(names.sUserName, self), "name %ls",
           names.sUserName);
        FreeContextBuffer(names.sUserName);
    }
    side_close(&client);
}

/* ---- buffers ---- */

static SECURITY_STATUS first_leg(ULONG flags, SecBufferDesc *input, SecBufferDesc *output,
                                 ULONG *attributes)
{
    *attributes = 0xfafafafa;
    client.context = (CtxtHandle){UNTOUCHED, UNTOUCHED};
    return InitializeSecurityContextW(&client.credential, NULL, NULL, flags, 0,
                                      SECURITY_NATIVE_DREP, input, 0, &client.context, output,
                                      attributes, NULL);
}

static bool is_untouched(void)
{
    return client.context.dwLower == UNTOUCHED && client.context.dwUpper == UNTOUCHED;
}

/* The usual call of programs: memory of the package, no buffer of their own. [CI PSSPI] what is
 * returned when nothing is to be sent: no buffer, and the flag not set */
static void test_allocated(void)
{
    ULONG attributes;
    SecBuffer in = {0, SECBUFFER_TOKEN, NULL}, out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    if (!open_list(L"!Kerberos")) return;
    SECURITY_STATUS status = first_leg(ISC_REQ_ALLOCATE_MEMORY, NULL, &out_desc, &attributes);
    ok(status == SEC_I_CONTINUE_NEEDED, "client 1: %08lx", status);
    ok(attributes == (ISC_RET_INTERMEDIATE_RETURN | ISC_RET_ALLOCATED_MEMORY), "client 1: %08lx",
       attributes);
    for (int leg = 2; leg <= 3 && status >= 0; leg++) {
        ok(out.pvBuffer && out.cbBuffer, "client %d: no token", leg - 1);
        status = side_leg(&server, (struct slice){out.pvBuffer, out.cbBuffer});
        ok(status >= 0, "server %d: %08lx", leg - 1, status);
        ok(FreeContextBuffer(out.pvBuffer) == SEC_E_OK, "client %d: token not freed", leg - 1);
        in = (SecBuffer){server.size, SECBUFFER_TOKEN, server.token};
        out = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
        status = InitializeSecurityContextW(
            &client.credential, &client.context, NULL, ISC_REQ_ALLOCATE_MEMORY, 0,
            SECURITY_NATIVE_DREP, &in_desc, 0, &client.context, &out_desc, &attributes, NULL);
        ok(status == (leg == 2 ? SEC_I_CONTINUE_NEEDED : SEC_E_OK), "client %d: %08lx", leg,
           status);
        ok(!(attributes & ISC_RET_ALLOCATED_MEMORY) == (leg == 3), "client %d: %08lx", leg,
           attributes);
    }
    ok(!out.pvBuffer && !out.cbBuffer, "client 3: %lu bytes at %p", out.cbBuffer, out.pvBuffer);
    sides_close(&client, &server);
}

/* [W8 ntlm.c:449-489], for NTLM; a call that fails makes no context */
static void test_no_room(void)
{
    BYTE room[16];
    ULONG attributes;
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    if (!ours_only() || !open_list(NULL)) return;
    SECURITY_STATUS status = first_leg(0, NULL, &desc, &attributes);
    ok(status == SEC_E_BUFFER_TOO_SMALL && is_untouched(), "16 bytes: %08lx", status);
    out.cbBuffer = 0;
    status = first_leg(0, NULL, &desc, &attributes);
    ok(status == SEC_E_BUFFER_TOO_SMALL && is_untouched(), "none: %08lx", status);
    out = (SecBuffer){sizeof(room), SECBUFFER_DATA, room};
    status = first_leg(0, NULL, &desc, &attributes);
    ok(status == SEC_E_BUFFER_TOO_SMALL && is_untouched(), "of data: %08lx", status);
    status = first_leg(0, NULL, NULL, &attributes);
    ok(status == SEC_E_BUFFER_TOO_SMALL && is_untouched(), "no output: %08lx", status);
    out = (SecBuffer){sizeof(room), SECBUFFER_TOKEN, NULL};
    status = first_leg(0, NULL, &desc, &attributes);
    ok(status == SEC_E_INTERNAL_ERROR && is_untouched(), "no address: %08lx", status);
    context_forget(&client.context);
    sides_close(&client, &server);
}

/* ours: the token of a later leg that does not fit is there for a second call */
static void test_no_room_later(void)
{
    if (!ours_only() || !open_list(NULL)) return;
    side_leg(&client, NONE);
    side_leg(&server, side_token(&client));
    BYTE room[16];
    SecBuffer in = {server.size, SECBUFFER_TOKEN, server.token};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle other = {UNTOUCHED, UNTOUCHED};
    SECURITY_STATUS status = InitializeSecurityContextW(
        &client.credential, &client.context, NULL, SEAL_FLAGS, 0, SECURITY_NATIVE_DREP, &in_desc, 0,
        &other, &out_desc, &client.attributes, NULL);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "16 bytes: %08lx", status);
    ok(other.dwLower == UNTOUCHED, "the handle was written");
    ok(side_leg(&client, side_token(&server)) == SEC_I_CONTINUE_NEEDED, "again, with room");
    ok(side_leg(&server, side_token(&client)) == SEC_E_OK, "server 2");
    ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 3");
    ok(contexts_talk(&client.context, &server.context), "no talk");
    sides_close(&client, &server);
}

/* .NET passes an input in the first call: an empty token, or channel bindings alone. */
static void test_first_input(void)
{
    struct bindings bindings;
    SecBuffer inputs[] = {{0, SECBUFFER_TOKEN, NULL},
                          {0, SECBUFFER_EMPTY, NULL},
                          bindings_fill(&bindings, "a channel")};
    for (int i = 0; i < 4; i++) {
        SecBuffer out = {sizeof(client.token), SECBUFFER_TOKEN, client.token};
        SecBufferDesc in_desc = {SECBUFFER_VERSION, i < 3, &inputs[i % 3]};
        SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
        if (!open_list(L"!Kerberos")) return;
        SECURITY_STATUS status = first_leg(SEAL_FLAGS, &in_desc, &out_desc, &client.attributes);
        ok(status == SEC_I_CONTINUE_NEEDED, "input %d: %08lx", i, status);
        client.size = out.cbBuffer;
        ok(side_leg(&server, side_token(&client)) == SEC_I_CONTINUE_NEEDED, "input %d, server 1",
           i);
        sides_close(&client, &server);
    }
}

/* The narrow entry point makes the same legs. */
static void test_narrow_legs(void)
{
    SecBuffer out = {sizeof(client.token), SECBUFFER_TOKEN, client.token};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    if (!open_list(L"!Kerberos")) return;
    SECURITY_STATUS status = InitializeSecurityContextA(
        &client.credential, NULL, (char *)"HTTP/localhost", SEAL_FLAGS, 0, SECURITY_NATIVE_DREP,
        NULL, 0, &client.context, &desc, &client.attributes, NULL);
    ok(status == SEC_I_CONTINUE_NEEDED, "client 1: %08lx", status);
    client.size = out.cbBuffer;
    ok(side_leg(&server, side_token(&client)) == SEC_I_CONTINUE_NEEDED, "server 1");
    ok(side_leg(&client, side_token(&server)) == SEC_I_CONTINUE_NEEDED, "client 2");
    ok(side_leg(&server, side_token(&client)) == SEC_E_OK, "server 2");
    ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 3");
    ok(contexts_talk(&client.context, &server.context), "no talk");
    sides_close(&client, &server);
}

/* ---- half-open contexts ---- */

/* Nothing can be protected, and nobody impersonated, before the negotiation is over: between the
 * end of NTLM and the mechListMIC it may still fail. */
static void test_half_open(void)
{
    HANDLE token = NULL;
    SecPkgContext_NegotiationInfoW info;
    if (!open_list(L"!Kerberos")) return;
    side_leg(&client, NONE);
    ok(!side_seals(&client), "client 1 seals");
    side_leg(&server, side_token(&client));
    ok(!side_seals(&server), "server 1 seals");
    ok(QuerySecurityContextToken(&server.context, &token) < 0 && !token, "server 1 has a token");
    ok(ImpersonateSecurityContext(&server.context) < 0, "server 1 impersonates");
    side_leg(&client, side_token(&server));
    ok(!side_seals(&client), "client 2 seals");
    if (running_on_ours()) {
        SECURITY_STATUS status = QueryContextAttributesW(&client.context,
                                                         SECPKG_ATTR_NEGOTIATION_INFO, &info);
        if (ok(!status, "negotiation info: %08lx", status)) {
            ok(info.NegotiationState == SECPKG_NEGOTIATION_IN_PROGRESS, "state %lu",
               info.NegotiationState);
            FreeContextBuffer(info.PackageInfo);
        }
    }
    ok(side_leg(&server, side_token(&client)) == SEC_E_OK, "server 2");
    ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 3");
    ok(contexts_talk(&client.context, &server.context), "no talk");
    sides_close(&client, &server);
}

/* Deleted at every stage, and a handle of one side in the other's call */
static void test_given_up(void)
{
    for (int legs = 1; legs < 5; legs++) {
        if (!open_list(NULL)) return;
        for (int leg = 0; leg < legs; leg++) {
            struct side *from = leg % 2 ? &server : &client, *to = leg % 2 ? &client : &server;
            ok(side_leg(from, side_token(to)) >= 0, "%d legs, leg %d", legs, leg + 1);
        }
        client.server = true;
        SECURITY_STATUS status = side_leg(&client, side_token(&client));
        ok(running_on_ours() ? status == SEC_E_INVALID_HANDLE : status < 0,
           "%d legs, the wrong call: %08lx", legs, status);
        client.server = false;
        CtxtHandle old = client.context;
        ok(DeleteSecurityContext(&client.context) == SEC_E_OK, "%d legs: not deleted", legs);
        ok(DeleteSecurityContext(&old) == SEC_E_INVALID_HANDLE, "%d legs: deleted twice", legs);
        context_forget(&client.context);
        sides_close(&client, &server);
    }
}

#define RACERS 4

static volatile LONG racers_ready;

/* The client's second leg, with a buffer of its own. */
static DWORD WINAPI race_leg(void *argument)
{
    struct side *own = argument;
    InterlockedIncrement(&racers_ready);
    while (racers_ready < RACERS) SwitchToThread();
    return (DWORD)side_leg(own, side_token(&server));
}

/* [D] the legs of a context must not run at the same time. ours: when they do, one of them goes
 * through, and nothing is lost. */
static void test_racing_legs(void)
{
    static struct side racers[RACERS];
    if (!ours_only()) return;
    for (int round = 0; round < 30; round++) {
        HANDLE threads[RACERS];
        int through = 0;
        if (!open_list(NULL)) return;
        side_leg(&client, NONE);
        side_leg(&server, side_token(&client));
        racers_ready = 0;
        for (int i = 0; i < RACERS; i++) {
            racers[i] = client;
            threads[i] = CreateThread(NULL, 0, race_leg, &racers[i], 0, NULL);
        }
        for (int i = 0; i < RACERS; i++) {
            DWORD status;
            WaitForSingleObject(threads[i], 20000);
            ok(GetExitCodeThread(threads[i], &status) && status != STILL_ACTIVE, "it hangs");
            CloseHandle(threads[i]);
            if (status != SEC_I_CONTINUE_NEEDED) continue;
            through++;
            client = racers[i];
        }
        ok(through == 1, "%d legs went through", through);
        ok(side_leg(&server, side_token(&client)) == SEC_E_OK, "server 2");
        ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 3");
        ok(contexts_talk(&client.context, &server.context), "no talk");
        sides_close(&client, &server);
    }
}

/* [W8 ntlm.c:496-500], for NTLM: later legs do without the credential */
static void test_no_credential_later(void)
{
    if (!open_list(L"!Kerberos")) return;
    side_leg(&client, NONE);
    side_leg(&server, side_token(&client));
    SecBuffer in = {server.size, SECBUFFER_TOKEN, server.token};
    SecBuffer out = {sizeof(client.token), SECBUFFER_TOKEN, client.token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = InitializeSecurityContextW(
        NULL, &client.context, NULL, SEAL_FLAGS, 0, SECURITY_NATIVE_DREP, &in_desc, 0,
        &client.context, &out_desc, &client.attributes, NULL);
    ok(status == SEC_I_CONTINUE_NEEDED, "client 2: %08lx", status);
    client.size = out.cbBuffer;
    ok(side_leg(&server, side_token(&client)) == SEC_E_OK, "server 2");
    ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 3");
    sides_close(&client, &server);
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_description);
    RUN(test_listed_first);
    RUN(test_legs_default);
    RUN(test_legs_account);
    RUN(test_wrong_password);
    RUN(test_raw);
    RUN(test_raw_without_output);
    RUN(test_package_lists);
    RUN(test_narrow_list);
    RUN(test_acceptor_list);
    RUN(test_identity_limits);
    RUN(test_credential_names);
    RUN(test_allocated);
    RUN(test_no_room);
    RUN(test_no_room_later);
    RUN(test_first_input);
    RUN(test_narrow_legs);
    RUN(test_half_open);
    RUN(test_given_up);
    RUN(test_racing_legs);
    RUN(test_no_credential_later);
    if (have_account) account_remove(&account);
    return test_end("api_negotiate");
}
