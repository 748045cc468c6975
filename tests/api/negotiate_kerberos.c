/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package Negotiate with Kerberos inside, both sides in this program. Arguments: what is here
 * (tickets: a ticket and the service's key; no-ticket, no-key, no-kdc: one of them is missing), the
 * service, its realm, and a user of the realm, whose password is "Password". On a machine of a
 * domain it runs as a user of the domain with a service whose account he is.
 */
#include "spnego_peer.h"

#include <wchar.h>

static wchar_t service[128], realm[64], user[64];
static struct side client, server;

static const wchar_t kerberos[] = L"Kerberos", ntlm[] = L"NTLM";
static const struct sides_options usual = {0};

/* ---- sides ---- */

static bool open_client(const struct account *account, const wchar_t *package_list)
{
    SECURITY_STATUS status = side_open(&client, L"Negotiate", false, account, package_list);
    client.target = service;
    return ok(!status, "client's credential: %08lx", status);
}

static bool open_both(const struct sides_options *options)
{
    bool open = sides_open(&client, &server, options);
    client.target = service;
    return open;
}

static bool is_kerberos_token(struct slice token)
{
    struct slice oid;
    return spnego_kind(token, &oid) == SPNEGO_RAW_MECH && oid.size == spnego_oid_kerberos.size &&
           !memcmp(oid.data, spnego_oid_kerberos.data, oid.size);
}

/* The client's first leg, and what it offers. */
static bool first_offer(struct spnego_init *offer)
{
    SECURITY_STATUS status = side_leg(&client, NONE);
    return ok(status == SEC_I_CONTINUE_NEEDED, "client 1: %08lx", status) &&
           ok(!spnego_init_decode(side_token(&client), offer), "no NegTokenInit");
}

static void expect_last_status(SECURITY_STATUS expected)
{
    SecPkgContext_NegoStatus last;
    SECURITY_STATUS status = QueryContextAttributesW(&client.context, SECPKG_ATTR_NEGO_STATUS,
                                                     &last);
    ok(!status && (SECURITY_STATUS)last.LastStatus == expected, "%08lx, last status %08lx", status,
       last.LastStatus);
}

/* NTLM alone is offered, for that reason. */
static void expect_ntlm(SECURITY_STATUS reason)
{
    struct spnego_init offer;
    if (!first_offer(&offer)) return;
    ok(offer.mech_count == 1 && spnego_kind(offer.token, NULL) == SPNEGO_RAW_NTLM,
       "%lu identifiers", (ULONG)offer.mech_count);
    if (running_on_ours()) expect_last_status(reason);
}

/* ---- what is chosen ---- */

/* [D microsoft-negotiate] Kerberos; its two identifiers and then NTLM's in the list; [D
 * SECPKG_ATTR_NEGOTIATION_INFO] before the end, too. RFC 4178 5: no mechListMIC */
static void test_preferred(void)
{
    const struct slice oids[] = {spnego_oid_ms_kerberos, spnego_oid_kerberos, spnego_oid_ntlm};
    struct spnego_init offer;
    struct spnego_response answer;
    SecPkgContext_NegotiationInfoW info;
    if (!open_both(&usual)) return;
    if (first_offer(&offer)) {
        ok(is_kerberos_token(offer.token), "another token than Kerberos'");
        for (size_t i = 0; i < ARRAYSIZE(oids) && running_on_ours(); i++)
            ok(offer.mech_count == 3 && offer.mechs[i].size == oids[i].size &&
                   !memcmp(offer.mechs[i].data, oids[i].data, oids[i].size),
               "identifier %lu of %lu", (ULONG)i, (ULONG)offer.mech_count);
        ok(!QueryContextAttributesW(&client.context, SECPKG_ATTR_NEGOTIATION_INFO, &info), "info");
        ok(info.NegotiationState == SECPKG_NEGOTIATION_OPTIMISTIC, "state %lu",
           info.NegotiationState);
        ok(!lstrcmpW(info.PackageInfo->Name, kerberos), "package %ls", info.PackageInfo->Name);
        FreeContextBuffer(info.PackageInfo);
        SECURITY_STATUS status = side_leg(&server, side_token(&client));
        ok(!status, "server: %08lx", status);
        ok(!spnego_response_decode(side_token(&server), &answer), "no NegTokenResp");
        ok(answer.state == SPNEGO_ACCEPT_COMPLETED && !answer.mic.data, "state %d", answer.state);
        ok(answer.mech.size && !memcmp(answer.mech.data, oids[0].data, oids[0].size), "choice");
        status = side_leg(&client, side_token(&server));
        ok(!status && !client.size, "client 2: %08lx", status);
        side_expect_package(&client, kerberos);
        side_expect_package(&server, kerberos);
        ok(contexts_talk(&client.context, &server.context), "no talk");
    }
    sides_close(&client, &server);
}

/* [D ISC_REQ_MUTUAL_AUTH] passed on, and told of when all is done */
static void test_flags(void)
{
    int legs;
    if (!open_both(&usual)) return;
    client.flags |= ISC_REQ_MUTUAL_AUTH | ISC_REQ_SEQUENCE_DETECT;
    SECURITY_STATUS status = sides_run(&client, &server, NULL, &legs);
    ok(!status && legs == 3, "leg %d: %08lx", legs, status);
    const ULONG wanted = ISC_RET_MUTUAL_AUTH | ISC_RET_SEQUENCE_DETECT | ISC_RET_INTEGRITY |
                         ISC_RET_CONFIDENTIALITY;
    ok((client.attributes & wanted) == wanted, "client's attributes %08lx", client.attributes);
    ok(server.attributes & ASC_RET_MUTUAL_AUTH, "server's attributes %08lx", server.attributes);
    ok(contexts_talk(&client.context, &server.context), "no talk");
    sides_close(&client, &server);
}

/* RFC 4178 4.2.2: the identifier that was offered; [OS MS-SPNG 1.9] the right one of Kerberos is
 * as good as the one with the mistake */
static void test_other_identifier(void)
{
    struct spnego_init offer;
    struct spnego_response answer;
    if (!open_both(&usual)) return;
    if (first_offer(&offer)) {
        offer.mechs[0] = spnego_oid_kerberos;
        offer.mech_count = 1;
        SECURITY_STATUS status = side_leg(&server, wire_init(&offer));
        ok(!status, "server: %08lx", status);
        ok(!spnego_response_decode(side_token(&server), &answer), "no NegTokenResp");
        ok(answer.mech.size == spnego_oid_kerberos.size &&
               !memcmp(answer.mech.data, spnego_oid_kerberos.data, answer.mech.size),
           "answered with another identifier");
        status = side_leg(&client, side_token(&server));
        ok(!status, "client: %08lx", status);
        ok(contexts_talk(&client.context, &server.context), "no talk");
    }
    sides_close(&client, &server);
}

/* [D microsoft-negotiate] a server takes Kerberos without SPNEGO and answers in kind */
static void test_bare(void)
{
    static const ULONG flags[] = {0, ISC_REQ_MUTUAL_AUTH,
                                  ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_DCE_STYLE};
    for (size_t i = 0; i < ARRAYSIZE(flags); i++) {
        int legs;
        if (!open_both(&(struct sides_options){.client_package = kerberos})) return;
        client.flags |= flags[i];
        server.flags |= flags[i] & ISC_REQ_USE_DCE_STYLE; /* ASC_REQ_ has the same bit */
        SECURITY_STATUS status = sides_run(&client, &server, NULL, &legs);
        ok(!status && legs == (i < 2 ? 2 + (int)i : 4), "%lu: leg %d: %08lx", (ULONG)i, legs,
           status);
        side_expect_package(&server, kerberos);
        sides_close(&client, &server);
    }
}

/* [CI sspilib] a list of one package: its own tokens; one left out: SPNEGO of what is left */
static void test_lists(void)
{
    struct spnego_init offer;
    int legs;
    if (!open_client(NULL, kerberos)) return;
    SECURITY_STATUS status = side_leg(&client, NONE);
    ok(status >= 0 && is_kerberos_token(side_token(&client)), "Kerberos: %08lx", status);
    side_close(&client);
    if (!open_client(NULL, L"!Kerberos")) return;
    if (first_offer(&offer))
        ok(spnego_kind(offer.token, NULL) == SPNEGO_RAW_NTLM, "!Kerberos: another token");
    side_close(&client);
    if (!open_both(&(struct sides_options){.client_list = L"!NTLM"})) return;
    status = sides_run(&client, &server, NULL, &legs);
    ok(!status && legs == 3, "!NTLM: leg %d, %08lx", legs, status);
    side_expect_package(&server, kerberos);
    sides_close(&client, &server);
    if (!open_both(&(struct sides_options){.server_list = L"!Kerberos"})) return;
    sides_expect_agreement(&client, &server, ntlm, 7);
    sides_close(&client, &server);
}

/* [OS RFC 4120 3.2.3] A server takes a client's token once: it must not be taken where there is no
 * room to answer, so that the same leg can be had with more. */
static void test_no_room(void)
{
    BYTE room[16];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    if (!ours_only() || !open_both(&usual)) return;
    side_leg(&client, NONE);
    SecBuffer in = {client.size, SECBUFFER_TOKEN, client.token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in};
    SECURITY_STATUS status = AcceptSecurityContext(&server.credential, NULL, &in_desc, server.flags,
                                                   SECURITY_NATIVE_DREP, &server.context, &out_desc,
                                                   &server.attributes, NULL);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "16 bytes: %08lx", status);
    status = side_leg(&server, side_token(&client));
    ok(status >= 0, "again, with room: %08lx", status);
    sides_close(&client, &server);
}

/* ---- mechListMIC ---- */

static bool sign_list(struct slice list, BYTE *mic, struct slice *out)
{
    SecBuffer buffers[2] = {{(ULONG)list.size, SECBUFFER_DATA, (void *)list.data},
                            {64, SECBUFFER_TOKEN, mic}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = MakeSignature(&client.context, 0, &desc, 0);
    *out = (struct slice){mic, buffers[1].cbBuffer};
    return ok(!status, "MakeSignature: %08lx", status);
}

static SECURITY_STATUS verify_list(struct slice list, struct slice mic)
{
    SecBuffer buffers[2] = {{(ULONG)list.size, SECBUFFER_DATA, (void *)list.data},
                            {(ULONG)mic.size, SECBUFFER_TOKEN, (void *)mic.data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    return VerifySignature(&client.context, &desc, 0, NULL);
}

/* The test writes SPNEGO for a client of bare Kerberos, who prefers something else. */
static bool offer_second(struct slice *list, struct slice *token)
{
    static BYTE list_room[64], token_room[16384];
    static const struct slice example = {(const uint8_t *)"\x88\x37\x07", 3}; /* 2.999.7 */
    const struct slice mechs[] = {example, spnego_oid_ms_kerberos};
    struct spnego_init offer = {.mechs = {mechs[0], mechs[1]}, .mech_count = 2};
    struct spnego_response answer;
    struct writer w;
    if (!open_both(&(struct sides_options){.client_package = kerberos})) return false;
    writer_init_fixed(&w, list_room, sizeof(list_room));
    spnego_mech_list_encode(&w, mechs, 2);
    *list = writer_view(&w);
    SECURITY_STATUS status = side_leg(&client, NONE);
    ok(!status, "client: %08lx", status);
    memcpy(token_room, client.token, client.size);
    *token = (struct slice){token_room, client.size};
    status = side_leg(&server, wire_init(&offer));
    ok(status == SEC_I_CONTINUE_NEEDED, "server 1: %08lx", status);
    /* [OS RFC 4178 5] not the first of the list: a mechListMIC is asked for */
    return ok(!spnego_response_decode(side_token(&server), &answer) &&
                  answer.state == SPNEGO_REQUEST_MIC,
              "no request");
}

/* [OS RFC 4178 5] with Kerberos as with any mechanism */
static void test_required_mic(void)
{
    struct slice list, token, mic;
    struct spnego_response answer;
    BYTE room[64];
    for (int i = 0; i < 3; i++) {
        if (!offer_second(&list, &token) || !sign_list(list, room, &mic)) return;
        if (i == 1) mic = NONE;
        if (i == 2) room[mic.size - 1] ^= 1;
        SECURITY_STATUS status = side_leg(
            &server, wire_response(SPNEGO_ACCEPT_INCOMPLETE, NONE, token, mic));
        if (i == 0) {
            ok(!status, "server 2: %08lx", status);
            ok(!spnego_response_decode(side_token(&server), &answer) && answer.mic.data &&
                   answer.state == SPNEGO_ACCEPT_COMPLETED,
               "no mechListMIC in return");
            ok(!verify_list(list, answer.mic), "a wrong mechListMIC in return");
            ok(contexts_talk(&client.context, &server.context), "no talk");
        } else {
            expect_failure(&server, status, i == 1 ? SEC_E_INVALID_TOKEN : SEC_E_MESSAGE_ALTERED,
                           i == 1 ? "without" : "changed");
        }
        sides_close(&client, &server);
    }
}

/* ---- targets ---- */

/* [D microsoft-negotiate], [D KB5064479] no target and unknown ones: NTLM; [D sspi-status-codes]
 * where there is nothing else, the reason */
static void test_targets(void)
{
    if (!open_client(NULL, NULL)) return;
    client.target = NULL;
    expect_ntlm(SEC_E_TARGET_UNKNOWN);
    side_close(&client);
    if (!open_client(NULL, NULL)) return;
    client.target = L"nobody/nowhere.invalid";
    expect_ntlm(SEC_E_TARGET_UNKNOWN);
    side_close(&client);
    if (!open_client(NULL, L"!NTLM")) return;
    client.target = L"nobody/nowhere.invalid";
    SECURITY_STATUS status = side_leg(&client, NONE);
    ok(status == SEC_E_TARGET_UNKNOWN, "nothing else: %08lx", status);
    side_close(&client);
}

/* ---- identities ---- */

/* [D SEC_WINNT_AUTH_IDENTITY] user and domain, or user@realm; without either, ours */
static void test_identities(void)
{
    struct account accounts[3] = {
        {L"", L"", L"Password"}, {L"", L"", L"Password"}, {L"", L"", L"Password"}};
    lstrcpynW(accounts[0].domain, realm, ARRAYSIZE(accounts[0].domain));
    lstrcpynW(accounts[0].user, user, ARRAYSIZE(accounts[0].user));
    wsprintfW(accounts[1].user, L"%ls@%ls", user, realm);
    lstrcpynW(accounts[2].user, user, ARRAYSIZE(accounts[2].user));
    for (size_t i = 0; i < (running_on_ours() ? 3 : 2); i++) {
        int legs;
        if (!open_both(&(struct sides_options){.account = &accounts[i]})) return;
        SECURITY_STATUS status = sides_run(&client, &server, NULL, &legs);
        ok(!status && legs == 3, "%lu: leg %d, %08lx", (ULONG)i, legs, status);
        side_expect_package(&server, kerberos);
        sides_close(&client, &server);

        lstrcpyW(accounts[i].password, L"wrong");
        if (!open_client(&accounts[i], NULL)) return;
        if (i == 2) {
            /* ours: nobody said whose account it is */
            expect_ntlm(SEC_E_LOGON_DENIED);
        } else {
            status = side_leg(&client, NONE);
            ok(status == SEC_E_LOGON_DENIED, "%lu, wrong: %08lx", (ULONG)i, status);
        }
        side_close(&client);
    }
}

/* An account of a machine, which no KDC knows: NTLM [D KB5064479] */
static void test_account_of_machine(void)
{
    struct account account;
    if (!ours_only()) return;
    if (!ok(account_create(&account), "no account")) return;
    if (open_both(&(struct sides_options){.account = &account})) {
        sides_expect_agreement(&client, &server, ntlm, 5);
        sides_close(&client, &server);
    }
    account_remove(&account);
}

/* ---- what an established context has ---- */

/* [D querycontextattributes--negotiate] as Kerberos answers */
static void test_attributes(void)
{
    SecPkgContext_SessionKey keys[2] = {{0, NULL}, {0, NULL}};
    SecPkgContext_LastClientTokenStatus last;
    SecPkgContext_NamesW names;
    SecPkgContext_Sizes sizes;
    int legs;
    if (!open_both(&usual)) return;
    if (!ok(!sides_run(&client, &server, NULL, &legs), "no contexts")) return;
    for (int i = 0; i < 2; i++) {
        CtxtHandle *context = i ? &server.context : &client.context;
        ok(!QueryContextAttributesW(context, SECPKG_ATTR_SIZES, &sizes), "sizes");
        ok(sizes.cbMaxToken > 2888 && sizes.cbMaxSignature && sizes.cbSecurityTrailer,
           "tokens %lu, signature %lu, trailer %lu", sizes.cbMaxToken, sizes.cbMaxSignature,
           sizes.cbSecurityTrailer);
        ok(!QueryContextAttributesW(context, SECPKG_ATTR_SESSION_KEY, &keys[i]), "session key");
        ok(!QueryContextAttributesW(context, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &last) &&
               last.LastClientTokenStatus == SecPkgAttrLastClientTokenYes,
           "last token");
        if (!ok(!QueryContextAttributesW(context, SECPKG_ATTR_NAMES, &names), "names")) continue;
        ok(wcsstr(names.sUserName, user) != NULL, "name %ls", names.sUserName);
        FreeContextBuffer(names.sUserName);
    }
    ok(keys[0].SessionKeyLength && keys[0].SessionKeyLength == keys[1].SessionKeyLength &&
           !memcmp(keys[0].SessionKey, keys[1].SessionKey, keys[0].SessionKeyLength),
       "the keys differ");
    for (int i = 0; i < 2; i++) FreeContextBuffer(keys[i].SessionKey);
    sides_close(&client, &server);
}

/* [D ImpersonateSecurityContext]; whom it can be done for is a matter of Wine */
static void test_impersonation(void)
{
    static struct saved_value policy;
    wchar_t name[256] = L"", expected[256];
    ULONG size = ARRAYSIZE(name);
    const DWORD one = 1;
    int legs;
    if (!ours_only()) return;
    if (!value_save(&policy, L"SOFTWARE\\winesspi", L"ForeignTokens") || !open_both(&usual)) return;
    if (!ok(!sides_run(&client, &server, NULL, &legs), "no contexts")) return;
    SECURITY_STATUS status = ImpersonateSecurityContext(&server.context);
    ok(status == SEC_E_NO_IMPERSONATION, "without the policy: %08lx", status);
    value_set(&policy, REG_DWORD, &one, sizeof(one));
    second_pass();
    status = ImpersonateSecurityContext(&server.context);
    if (ok(!status, "impersonate: %08lx", status)) {
        wsprintfW(expected, L"%ls\\%ls", realm, user);
        ok(GetUserNameExW(NameSamCompatible, name, &size), "GetUserNameEx: %lu", GetLastError());
        ok(!lstrcmpiW(name, expected), "acting for %ls", name);
        ok(!RevertSecurityContext(&server.context), "not reverted");
    }
    value_restore(&policy);
    second_pass();
    sides_close(&client, &server);
}

/* [D ExportSecurityContext] for either side, again and again */
static void test_export(void)
{
    int legs;
    if (!open_both(&usual)) return;
    client.flags |= ISC_REQ_MUTUAL_AUTH;
    if (!ok(!sides_run(&client, &server, NULL, &legs), "no contexts")) return;
    for (int i = 0; i < 2; i++) {
        ok(side_move(&client, L"Negotiate"), "the client's does not move");
        ok(contexts_talk(&client.context, &server.context), "no talk");
        ok(side_move(&server, L"Negotiate"), "the server's does not move");
        ok(contexts_talk(&client.context, &server.context), "no talk");
    }
    side_expect_package(&server, kerberos);
    sides_close(&client, &server);
}

/* ours: with Kerberos half open, refused, and the context goes on */
static void test_export_half_open(void)
{
    struct spnego_init offer;
    struct blob blob;
    if (!ours_only() || !open_both(&usual)) return;
    client.flags |= ISC_REQ_MUTUAL_AUTH;
    if (first_offer(&offer)) {
        SECURITY_STATUS status = context_export(&client.context, SECPKG_CONTEXT_EXPORT_DELETE_OLD,
                                                &blob, NULL);
        ok(status == SEC_E_NOT_SUPPORTED, "half open: %08lx", status);
        status = side_leg(&server, side_token(&client));
        ok(!status, "server: %08lx", status);
        status = side_leg(&client, side_token(&server));
        ok(!status, "client: %08lx", status);
        ok(contexts_talk(&client.context, &server.context), "no talk");
    }
    sides_close(&client, &server);
}

/* ---- where something is missing ---- */

/* [D AcquireCredentialsHandle] succeeds; [D sspi-status-codes] the reason where nothing else is */
static void test_no_ticket(void)
{
    if (!open_client(NULL, NULL)) return;
    expect_ntlm(SEC_E_NO_CREDENTIALS);
    side_close(&client);
    if (!open_client(NULL, L"!NTLM")) return;
    SECURITY_STATUS status = side_leg(&client, NONE);
    ok(status == SEC_E_NO_CREDENTIALS, "nothing else: %08lx", status);
    side_close(&client);
}

/* [OS RFC 4178 5] the second of the list, with a mechListMIC each way */
static void test_no_key(void)
{
    int legs;
    if (!open_both(&usual)) return;
    sides_expect_agreement(&client, &server, ntlm, 7);
    sides_close(&client, &server);
    if (!open_both(&(struct sides_options){.client_list = L"!NTLM"})) return;
    SECURITY_STATUS status = sides_run(&client, &server, NULL, &legs);
    ok(status < 0 && legs == 2, "nothing in common: leg %d, %08lx", legs, status);
    sides_close(&client, &server);
}

/* ours: a handle is there at once, whatever becomes of the KDC */
static void test_no_kdc(void)
{
    struct account account = {L"", L"", L"Password"};
    lstrcpynW(account.domain, realm, ARRAYSIZE(account.domain));
    lstrcpynW(account.user, user, ARRAYSIZE(account.user));
    double start = time_ms();
    if (!open_client(&account, NULL)) return;
    ok(time_ms() - start < 1000, "the credential took %.0f ms", time_ms() - start);
    start = time_ms();
    expect_ntlm(SEC_E_NO_AUTHENTICATING_AUTHORITY);
    ok(time_ms() - start < 1000, "the first leg took %.0f ms", time_ms() - start);
    side_close(&client);
}

/* ours: nor does it wait for one that is silent */
static void test_silent_kdc(void)
{
    struct account account = {L"", L"", L"Password"};
    lstrcpynW(account.domain, realm, ARRAYSIZE(account.domain));
    lstrcpynW(account.user, user, ARRAYSIZE(account.user));
    double start = time_ms();
    if (!open_client(&account, NULL)) return;
    ok(time_ms() - start < 1000, "the credential took %.0f ms", time_ms() - start);
    side_close(&client);
}

/* [D ChangeAccountPassword] the KDC changes that of an account of its realm, and NTLM its own */
static void test_password(void)
{
    static wchar_t before[] = L"Password", after[] = L"Another-Password-1";
    struct account account, changed = {L"", L"", L"Another-Password-1"};
    DOMAIN_PASSWORD_INFORMATION rules;
    SecBuffer buffer = {sizeof(rules), SECBUFFER_CHANGE_PASS_RESPONSE, &rules};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &buffer};
    int legs;
    wchar_t negotiate[] = L"Negotiate";
    if (!ours_only()) return;
    lstrcpynW(changed.domain, realm, ARRAYSIZE(changed.domain));
    lstrcpynW(changed.user, user, ARRAYSIZE(changed.user));
    SECURITY_STATUS status = ChangeAccountPasswordW(negotiate, realm, user, after, before, FALSE, 0,
                                                    &desc);
    ok(status == SEC_E_LOGON_DENIED, "a wrong one: %08lx", status);
    status = ChangeAccountPasswordW(negotiate, realm, user, before, after, FALSE, 0, &desc);
    if (!ok(!status, "of the realm: %08lx", status)) return;
    if (!open_both(&(struct sides_options){.account = &changed})) return;
    status = sides_run(&client, &server, NULL, &legs);
    ok(!status && legs == 3, "with the new one: %08lx, leg %d", status, legs);
    sides_close(&client, &server);

    if (!ok(account_create(&account), "no account")) return;
    status = ChangeAccountPasswordW(negotiate, account.domain, account.user, account.password,
                                    after, FALSE, 0, &desc);
    ok(!status, "of the machine: %08lx", status);
    account_remove(&account);
}

static void run_with_tickets(void)
{
    RUN(test_preferred);
    RUN(test_flags);
    RUN(test_other_identifier);
    RUN(test_bare);
    RUN(test_lists);
    RUN(test_no_room);
    RUN(test_required_mic);
    RUN(test_targets);
    RUN(test_identities);
    RUN(test_account_of_machine);
    RUN(test_attributes);
    RUN(test_impersonation);
    RUN(test_export);
    RUN(test_export_half_open);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr,
                "usage: %s tickets|no-ticket|no-key|no-kdc|silent-kdc|password SERVICE "
                "REALM USER\n",
                argv[0]);
        return 2;
    }
    swprintf(service, ARRAYSIZE(service), L"%hs", argv[2]);
    swprintf(realm, ARRAYSIZE(realm), L"%hs", argv[3]);
    swprintf(user, ARRAYSIZE(user), L"%hs", argv[4]);
    if (!strcmp(argv[1], "tickets")) run_with_tickets();
    if (!strcmp(argv[1], "no-ticket")) RUN(test_no_ticket);
    if (!strcmp(argv[1], "no-key")) RUN(test_no_key);
    if (!strcmp(argv[1], "no-kdc")) RUN(test_no_kdc);
    if (!strcmp(argv[1], "silent-kdc")) RUN(test_silent_kdc);
    if (!strcmp(argv[1], "password")) RUN(test_password);
    return test_end("negotiate_kerberos");
}
