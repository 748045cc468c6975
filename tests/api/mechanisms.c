/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package Negotiate with two mechanisms: NTLM, and TestMech of tests/providers, which is
 * preferred to it. What is chosen, in how many legs, what happens to the token of a mechanism that
 * is not, and what somebody on the way can do about it (RFC 4178 5). Windows loads such modules at
 * boot only: all cases here are ours. Each runs in a child of this program, see api_providers.
 */
#include "../providers/prov_mech.h"
#include "hosting.h"
#include "spnego_peer.h"

#define MECHANISMS_KEY L"SOFTWARE\\winesspi\\Mechanisms"

static struct side client, server;
static const struct slice test_oid = {(const uint8_t *)MECH_OID, MECH_OID_SIZE};

/* ---- in the child ---- */

static bool open_lists(const wchar_t *client_list, const wchar_t *server_list)
{
    const struct sides_options options = {.client_list = client_list, .server_list = server_list};
    return sides_open(&client, &server, &options);
}

static void expect_offer(const struct slice *oids, size_t count)
{
    struct spnego_init offer;
    if (!ok(spnego_init_decode(side_token(&client), &offer) == SEC_E_OK, "no NegTokenInit")) return;
    if (!ok(offer.mech_count == count, "%lu mechanisms", (ULONG)offer.mech_count)) return;
    for (size_t i = 0; i < count; i++)
        ok(offer.mechs[i].size == oids[i].size &&
               !memcmp(offer.mechs[i].data, oids[i].data, oids[i].size),
           "mechanism %lu", (ULONG)i);
    ok(offer.token.size > 0, "no optimistic token");
}

/* What stands in the list, and in which order. */
static void child_offer(void)
{
    const struct slice oids[] = {test_oid, spnego_oid_ntlm};
    if (!open_lists(NULL, NULL)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    expect_offer(oids, 2);
    SecPkgContext_NegotiationInfoW info;
    SECURITY_STATUS status = QueryContextAttributesW(&client.context, SECPKG_ATTR_NEGOTIATION_INFO,
                                                     &info);
    if (ok(!status, "negotiation info: %08lx", status)) {
        ok(info.NegotiationState == SECPKG_NEGOTIATION_OPTIMISTIC, "state %lu",
           info.NegotiationState);
        ok(!lstrcmpW(info.PackageInfo->Name, MECH_PACKAGE), "package %ls", info.PackageInfo->Name);
        FreeContextBuffer(info.PackageInfo);
    }
    sides_close(&client, &server);
}

static void child_preferred(void)
{
    if (!open_lists(NULL, NULL)) return;
    sides_expect_agreement(&client, &server, MECH_PACKAGE, 3);
    sides_close(&client, &server);
}

/* The acceptor has not the one that the initiator prefers: the token of that is left alone, and
 * the other one starts in the leg in which its choice arrives. */
static void child_second(void)
{
    if (!open_lists(NULL, L"!TestMech")) return;
    sides_expect_agreement(&client, &server, L"NTLM", 7);
    sides_close(&client, &server);
}

static void child_lists(void)
{
    if (!open_lists(L"!testmech", NULL)) return;
    sides_expect_agreement(&client, &server, L"NTLM", 5);
    sides_close(&client, &server);
    if (!open_lists(L" TestMech , NTLM ", L"NTLM,TestMech")) return;
    sides_expect_agreement(&client, &server, MECH_PACKAGE, 3);
    sides_close(&client, &server);
    if (!open_lists(L"!NTLM", NULL)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    expect_offer(&test_oid, 1);
    sides_close(&client, &server);
    SECURITY_STATUS status = side_open(&client, L"Negotiate", false, NULL,
                                       L"!NTLM,!Kerberos,!TestMech");
    ok(status == SEC_E_NO_CREDENTIALS, "none: %08lx", status);
    if (!open_lists(L"!NTLM", L"!TestMech")) return;
    int legs;
    status = sides_run(&client, &server, NULL, &legs);
    ok(status == SEC_E_INVALID_TOKEN && legs == 2, "nothing in common: %08lx, leg %d", status,
       legs);
    sides_close(&client, &server);
}

/* One package by name speaks without SPNEGO, and is answered in kind. */
static void child_raw(void)
{
    struct slice oid;
    if (!open_lists(L"TestMech", NULL)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(spnego_kind(side_token(&client), &oid) == SPNEGO_RAW_MECH && oid.size == MECH_OID_SIZE,
       "a token in SPNEGO");
    ok(side_leg(&server, side_token(&client)) == SEC_E_OK, "server 1");
    ok(spnego_kind(side_token(&server), &oid) == SPNEGO_RAW_MECH, "an answer in SPNEGO");
    ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 2");
    side_expect_package(&server, MECH_PACKAGE);
    ok(contexts_talk(&client.context, &server.context), "no talk");
    sides_close(&client, &server);
}

/* A mechanism that cannot start is not offered. */
static void child_fails_at_once(void)
{
    if (!open_lists(NULL, NULL)) return;
    client.target = L"unknown/localhost";
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    expect_offer(&spnego_oid_ntlm, 1);
    DeleteSecurityContext(&client.context);
    context_forget(&client.context);
    sides_expect_agreement(&client, &server, L"NTLM", 5);
    sides_close(&client, &server);

    if (!open_lists(L"!NTLM,!Kerberos", NULL)) return;
    client.target = L"unknown/localhost";
    SECURITY_STATUS status = side_leg(&client, NONE);
    ok(status == SEC_E_TARGET_UNKNOWN, "nothing else: %08lx", status);
    ok(!context_present(&client.context), "a context");
    sides_close(&client, &server);
}

/* One without a credential is left out, too. */
static void child_no_credential(void)
{
    mech_counters_get_fn get = function_find("prov_mech.dll", "mech_counters_get");
    if (!ok(get != NULL, "no prov_mech.dll")) return;
    get()->refuse = 1;
    if (!open_lists(NULL, NULL)) return;
    sides_expect_agreement(&client, &server, L"NTLM", 5);
    sides_close(&client, &server);
    SECURITY_STATUS status = side_open(&client, L"Negotiate", false, NULL, L"!NTLM,!Kerberos");
    ok(status == SEC_E_NO_CREDENTIALS, "nothing else: %08lx", status);
}

/* The acceptor finds out that it cannot use its mechanism, and takes the next of the list; but a
 * refusal is final. */
static void child_acceptor_fails(void)
{
    int legs;
    if (!open_lists(NULL, NULL)) return;
    client.target = L"unusable/localhost";
    sides_expect_agreement(&client, &server, L"NTLM", 7);
    sides_close(&client, &server);
    if (!open_lists(NULL, NULL)) return;
    client.target = L"deny/localhost";
    SECURITY_STATUS status = sides_run(&client, &server, NULL, &legs);
    ok(status == SEC_E_LOGON_DENIED && legs == 2, "denied: %08lx, leg %d", status, legs);
    sides_close(&client, &server);
}

/* Kerberos goes by two identifiers: it is chosen under the first, and when it turns out not to be
 * usable here, it is not under the second one either. */
static void child_two_identifiers(void)
{
    const struct slice oids[] = {spnego_oid_ms_kerberos, spnego_oid_kerberos, spnego_oid_ntlm};
    if (!open_lists(NULL, NULL)) return;
    client.target = L"test/localhost";
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    expect_offer(oids, 3);
    DeleteSecurityContext(&client.context);
    context_forget(&client.context);
    sides_expect_agreement(&client, &server, L"Kerberos", 3);
    sides_close(&client, &server);
    if (!open_lists(NULL, NULL)) return;
    client.target = L"unusable/localhost";
    sides_expect_agreement(&client, &server, L"NTLM", 7);
    sides_close(&client, &server);
}

/* Bindings that cannot be kept for a mechanism that may start later are not left out in silence,
 * whether or not the one that starts now looks at them. */
static void child_huge_bindings(void)
{
    static BYTE bindings[0x10000 + sizeof(SEC_CHANNEL_BINDINGS)];
    SEC_CHANNEL_BINDINGS *head = (SEC_CHANNEL_BINDINGS *)bindings;
    head->cbApplicationDataLength = sizeof(bindings) - sizeof(*head);
    head->dwApplicationDataOffset = sizeof(*head);
    SecBuffer in = {sizeof(bindings), SECBUFFER_CHANNEL_BINDINGS, bindings};
    SecBuffer out = {sizeof(client.token), SECBUFFER_TOKEN, client.token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    for (int i = 0; i < 3; i++) {
        if (!open_lists(NULL, NULL)) return;
        if (i == 1) in.pvBuffer = NULL;
        if (i == 2) in.cbBuffer = 0; /* none at all */
        out.cbBuffer = sizeof(client.token);
        SECURITY_STATUS status = InitializeSecurityContextW(
            &client.credential, NULL, NULL, SEAL_FLAGS, 0, SECURITY_NATIVE_DREP, &in_desc, 0,
            &client.context, &out_desc, &client.attributes, NULL);
        ok(status == (i < 2 ? SEC_E_INVALID_PARAMETER : SEC_I_CONTINUE_NEEDED), "%d: %08lx", i,
           status);
        ok(context_present(&client.context) == (i == 2), "%d: a context or none", i);
        sides_close(&client, &server);
    }
}

/* RFC 4178 5: without integrity there is no mechListMIC, whatever is asked for. */
static void child_no_integrity(void)
{
    struct spnego_response answer;
    int legs;
    if (!open_lists(NULL, NULL)) return;
    client.target = L"plain/localhost";
    SECURITY_STATUS status = sides_run(&client, &server, NULL, &legs);
    ok(!status && legs == 3, "%08lx, leg %d", status, legs);
    ok(spnego_response_decode(side_token(&server), &answer) == SEC_E_OK && !answer.mic.data, "MIC");
    ok(!(client.attributes & ISC_RET_INTEGRITY), "client's attributes %08lx", client.attributes);
    ok(!(server.attributes & ASC_RET_INTEGRITY), "server's attributes %08lx", server.attributes);
    side_expect_package(&client, MECH_PACKAGE);
    sides_close(&client, &server);
}

/* The acceptor's hints limit the offer. */
static void child_hints(void)
{
    const struct slice oids[] = {test_oid, spnego_oid_ntlm};
    for (int all = 0; all < 2; all++) {
        if (!open_lists(NULL, all ? NULL : L"!TestMech")) return;
        ok(side_leg(&server, NONE) == SEC_I_CONTINUE_NEEDED, "server's hints");
        ok(side_leg(&client, side_token(&server)) == SEC_I_CONTINUE_NEEDED, "client 1");
        expect_offer(oids + !all, 1 + (size_t)all);
        SECURITY_STATUS status = side_leg(&server, side_token(&client));
        ok(status >= 0, "server 1: %08lx", status);
        sides_close(&client, &server);
    }
}

/* Lengths of three octets, and memory of the package. */
static void child_huge_token(void)
{
    struct spnego_init offer;
    if (!open_lists(NULL, NULL)) return;
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = InitializeSecurityContextW(
        &client.credential, NULL, (wchar_t *)L"huge/localhost",
        SEAL_FLAGS | ISC_REQ_ALLOCATE_MEMORY, 0, SECURITY_NATIVE_DREP, NULL, 0, &client.context,
        &desc, &client.attributes, NULL);
    if (ok(status == SEC_I_CONTINUE_NEEDED, "client 1: %08lx", status)) {
        struct slice token = {out.pvBuffer, out.cbBuffer};
        ok(client.attributes == (ISC_RET_INTERMEDIATE_RETURN | ISC_RET_ALLOCATED_MEMORY),
           "attributes %08lx", client.attributes);
        ok(spnego_init_decode(token, &offer) == SEC_E_OK && offer.token.size > MECH_HUGE, "offer");
        ok(side_leg(&server, token) == SEC_E_OK, "server 1");
        ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 2");
        ok(contexts_talk(&client.context, &server.context), "no talk");
        FreeContextBuffer(out.pvBuffer);
    }
    sides_close(&client, &server);
}

/* TestMech exports nothing, so neither does Negotiate; nothing is lost by asking. */
static void child_export(void)
{
    static struct blob blob;
    static const ULONG flags[] = {0, SECPKG_CONTEXT_EXPORT_DELETE_OLD};
    if (!open_lists(NULL, NULL)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = context_export(&client.context, flags[i], &blob, NULL);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "half open, flags %lx: %08lx", flags[i], status);
    }
    ok(side_leg(&server, side_token(&client)) == SEC_E_OK, "server 1");
    ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 2");
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = context_export(&server.context, flags[i], &blob, NULL);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "flags %lx: %08lx", flags[i], status);
    }
    ok(contexts_talk(&client.context, &server.context), "no talk");
    sides_close(&client, &server);
}

/* An initiator that moves while its offer is on the way: the credential comes with the leg that
 * goes on. */
static void child_export_before_choice(void)
{
    static struct blob blob;
    if (!open_lists(L"!TestMech", NULL)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    expect_offer(&spnego_oid_ntlm, 1);
    SECURITY_STATUS status = context_export(&client.context, SECPKG_CONTEXT_EXPORT_DELETE_OLD,
                                            &blob, NULL);
    ok(!status && blob.size, "export: %08lx", status);
    ok(side_leg(&server, side_token(&client)) == SEC_I_CONTINUE_NEEDED, "server 1");
    status = context_import(L"Negotiate", blob.bytes, blob.size, &client.context);
    if (ok(!status, "import: %08lx", status)) {
        ok(side_leg(&client, side_token(&server)) == SEC_I_CONTINUE_NEEDED, "client 2");
        ok(side_leg(&server, side_token(&client)) == SEC_E_OK, "server 2");
        ok(side_leg(&client, side_token(&server)) == SEC_E_OK, "client 3");
        ok(contexts_talk(&client.context, &server.context), "no talk");
    } else context_forget(&client.context);
    sides_close(&client, &server);
}

/* ---- somebody on the way ---- */

static void replace(struct side *from, struct slice token)
{
    if (token.size > sizeof(from->token)) return;
    memcpy(from->token, token.data, token.size);
    from->size = (ULONG)token.size;
}

static void drop_preferred(struct side *from, int leg)
{
    const struct spnego_init weaker = {.mechs = {spnego_oid_ntlm}, .mech_count = 1};
    if (leg == 1) replace(from, wire_init(&weaker));
}

static void swap_order(struct side *from, int leg)
{
    struct spnego_init offer;
    if (leg != 1 || spnego_init_decode(side_token(from), &offer) != SEC_E_OK) return;
    struct slice first = offer.mechs[0];
    offer.mechs[0] = offer.mechs[1];
    offer.mechs[1] = first;
    replace(from, wire_init(&offer));
}

static void drop_mic(struct side *from, int leg, int when)
{
    struct spnego_response said;
    if (leg != when || spnego_response_decode(side_token(from), &said) != SEC_E_OK) return;
    ok(said.mic.data != NULL, "leg %d has no mechListMIC", leg);
    replace(from, wire_response(said.state, said.mech, said.token, NONE));
}

static void drop_client_mic(struct side *from, int leg)
{
    drop_mic(from, leg, 5);
}

static void drop_server_mic(struct side *from, int leg)
{
    drop_mic(from, leg, 6);
}

/* Takes the preferred mechanism off the list and every trace of mechListMIC out of the rest. */
static void downgrade(struct side *from, int leg)
{
    struct spnego_response said;
    drop_preferred(from, leg);
    if (leg == 1 || spnego_response_decode(side_token(from), &said) != SEC_E_OK) return;
    if (said.state == SPNEGO_REQUEST_MIC) said.state = SPNEGO_ACCEPT_INCOMPLETE;
    replace(from, wire_response(said.state, said.mech, said.token, NONE));
}

static void choose_again(struct side *from, int leg)
{
    struct spnego_response said;
    if (leg != 4 || spnego_response_decode(side_token(from), &said) != SEC_E_OK) return;
    replace(from, wire_response(said.state, test_oid, NONE, NONE));
}

static void force_second(struct side *from, int leg)
{
    if (leg == 2)
        replace(from, wire_response(SPNEGO_ACCEPT_INCOMPLETE, spnego_oid_ntlm, NONE, NONE));
}

static void expect_noticed(side_tamper *change, const wchar_t *server_list,
                           SECURITY_STATUS expected, int leg)
{
    int legs;
    if (!open_lists(NULL, server_list)) return;
    SECURITY_STATUS status = sides_run(&client, &server, change, &legs);
    ok(status == expected && legs == leg, "leg %d: %08lx", legs, status);
    sides_close(&client, &server);
}

/* To a weaker mechanism: the sides sign different lists. */
static void child_downgrade(void)
{
    expect_noticed(drop_preferred, NULL, SEC_E_MESSAGE_ALTERED, 6);
    expect_noticed(downgrade, NULL, SEC_E_INVALID_TOKEN, 6);
    /* The acceptor is done with the preferred one: it has nothing more to say. */
    expect_noticed(force_second, NULL, SEC_E_INVALID_TOKEN, 5);
    expect_noticed(swap_order, NULL, SEC_E_INVALID_TOKEN, 2);
    /* A choice is made once, even among what was offered. */
    expect_noticed(choose_again, L"!TestMech", SEC_E_INVALID_TOKEN, 5);
}

/* Not with the preferred mechanism: then there has to be a mechListMIC each way. */
static void child_dropped_mic(void)
{
    expect_noticed(drop_client_mic, L"!TestMech", SEC_E_INVALID_TOKEN, 6);
    expect_noticed(drop_server_mic, L"!TestMech", SEC_E_INVALID_TOKEN, 7);
}

/* A mechanism without an identifier of its own takes no part. */
static void child_unnamed(void)
{
    struct spnego_init offer;
    ok(hosting_times_listed(MECH_PACKAGE) == 1, "TestMech is not there");
    if (!open_lists(NULL, NULL)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    expect_offer(&spnego_oid_ntlm, 1);
    ok(spnego_init_decode(side_token(&client), &offer) == SEC_E_OK &&
           spnego_kind(offer.token, NULL) == SPNEGO_RAW_NTLM,
       "a token that is not NTLM's");
    sides_close(&client, &server);
}

/* NTLM is the last resort, wherever it is listed. */
static void child_listed_last(void)
{
    const struct slice oids[] = {test_oid, spnego_oid_ntlm};
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options)};
    wchar_t path[MAX_PATH];
    program_folder(path, MAX_PATH - 16);
    lstrcatW(path, L"prov_mech.dll");
    SECURITY_STATUS status = AddSecurityPackageW(path, &options);
    if (!ok(!status, "adding TestMech: %08lx", status) || !open_lists(NULL, NULL)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    expect_offer(oids, 2);
    sides_close(&client, &server);
}

/* More than there is room for: NTLM has its place, and so has Kerberos, if without tickets. */
static void child_many(void)
{
    struct spnego_init offer;
    if (!open_lists(NULL, NULL)) return;
    ok(side_leg(&client, NONE) == SEC_I_CONTINUE_NEEDED, "client 1");
    if (ok(spnego_init_decode(side_token(&client), &offer) == SEC_E_OK, "no NegTokenInit")) {
        const struct slice *last = &offer.mechs[offer.mech_count - 1];
        ok(offer.mech_count >= 7 && last->size == spnego_oid_ntlm.size &&
               !memcmp(last->data, spnego_oid_ntlm.data, last->size),
           "NTLM is not the last of %lu", (ULONG)offer.mech_count);
    }
    sides_close(&client, &server);
}

static void expect_nothing_left(void)
{
    bool renamed = GetModuleHandleW(MECH_KERBEROS_MODULE) != NULL;
    mech_counters_get_fn get = function_find(renamed ? "prov_kerberos.dll" : "prov_mech.dll",
                                             "mech_counters_get");
    if (!ok(get != NULL, "no prov_mech.dll")) return;
    ok(!get()->contexts, "%ld contexts of TestMech are left", get()->contexts);
    ok(!get()->credentials, "%ld credentials of TestMech are left", get()->credentials);
    ok(!get()->faults, "TestMech was called wrongly %ld times", get()->faults);
}

/* ---- in the parent ---- */

static const struct hosting_case child_cases[] = {
    CHILD(offer),
    CHILD(preferred),
    CHILD(second),
    CHILD(lists),
    CHILD(raw),
    CHILD(fails_at_once),
    CHILD(no_credential),
    CHILD(acceptor_fails),
    CHILD(two_identifiers),
    CHILD(huge_bindings),
    CHILD(no_integrity),
    CHILD(hints),
    CHILD(huge_token),
    CHILD(export),
    CHILD(export_before_choice),
    CHILD(downgrade),
    CHILD(dropped_mic),
    CHILD(unnamed),
    CHILD(listed_last),
    CHILD(many),
};

static void run_named(const wchar_t *child, const wchar_t *oid, bool listed)
{
    static struct hosting_names lsa;
    static struct saved_value value;
    DWORD failures = 99;
    memset(&lsa, 0, sizeof(lsa));
    if (listed) hosting_names_add(&lsa, hosting_folder, L"prov_mech");
    if (!ok(value_save(&value, MECHANISMS_KEY, MECH_PACKAGE), "the registry cannot be read"))
        return;
    bool done = value_set(&value, REG_SZ, oid, (DWORD)(lstrlenW(oid) + 1) * sizeof(*oid)) &&
                hosting_run(child, &lsa, NULL, &failures);
    ok(value_restore(&value), "the registry was not put back");
    ok(done && !failures, "child %ls: exit status %lu", child, failures);
}

#define CASE(name)                                 \
    static void test_##name(void)                  \
    {                                              \
        run_named(L## #name, MECH_OID_TEXT, true); \
    }

CASE(offer)
CASE(preferred)
CASE(second)
CASE(lists)
CASE(raw)
CASE(fails_at_once)
CASE(no_credential)
CASE(acceptor_fails)
CASE(huge_bindings)
CASE(no_integrity)
CASE(hints)
CASE(huge_token)
CASE(export)
CASE(export_before_choice)
CASE(downgrade)
CASE(dropped_mic)

static void test_two_identifiers(void)
{
    static struct hosting_names lsa;
    DWORD failures = 99;
    hosting_names_add(&lsa, hosting_scratch, MECH_KERBEROS_MODULE);
    bool done = ok(hosting_copy(L"prov_mech", hosting_scratch, MECH_KERBEROS_MODULE), "no copy") &&
                hosting_run(L"two_identifiers", &lsa, NULL, &failures);
    ok(done && !failures, "child two_identifiers: exit status %lu", failures);
}

static void test_unnamed(void)
{
    run_named(L"unnamed", L"", true);
    run_named(L"unnamed", L"2.999.x", true);
    run_named(L"unnamed", L"1.3.6.1.4.1.311.2.2.10", true); /* NTLM has it */
}

static void test_listed_last(void)
{
    run_named(L"listed_last", MECH_OID_TEXT, false);
}

static void test_many(void)
{
    static struct hosting_names lsa;
    static struct saved_value values[9];
    static wchar_t names[9][16];
    DWORD failures = 99;
    bool done = true;
    for (unsigned i = 0; i < 9; i++) {
        wchar_t module[16], oid[16];
        wsprintfW(module, MECH_NUMBERED_MODULE L"%u", i);
        wsprintfW(oid, L"2.999.8.%u", i);
        wsprintfW(names[i], MECH_PACKAGE L"%u", i);
        hosting_names_add(&lsa, hosting_scratch, module);
        done = done && hosting_copy(L"prov_mech", hosting_scratch, module) &&
               value_save(&values[i], MECHANISMS_KEY, names[i]) &&
               value_set(&values[i], REG_SZ, oid, (DWORD)(lstrlenW(oid) + 1) * sizeof(*oid));
    }
    done = ok(done, "no copies") && hosting_run(L"many", &lsa, NULL, &failures);
    for (unsigned i = 0; i < 9; i++) ok(value_restore(&values[i]), "the registry was not put back");
    ok(done && !failures, "child many: exit status %lu", failures);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return hosting_case_run(child_cases, ARRAYSIZE(child_cases), argv[1], expect_nothing_left);
    if (!hosting_begin()) {
        printf("skip api_mechanisms: a Wine prefix with a writable temporary folder\n");
        printf("api_mechanisms: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_offer);
    RUN(test_preferred);
    RUN(test_second);
    RUN(test_lists);
    RUN(test_raw);
    RUN(test_fails_at_once);
    RUN(test_no_credential);
    RUN(test_acceptor_fails);
    RUN(test_two_identifiers);
    RUN(test_huge_bindings);
    RUN(test_no_integrity);
    RUN(test_hints);
    RUN(test_huge_token);
    RUN(test_export);
    RUN(test_export_before_choice);
    RUN(test_downgrade);
    RUN(test_dropped_mic);
    RUN(test_unnamed);
    RUN(test_listed_last);
    RUN(test_many);
    hosting_end();
    return test_end("api_mechanisms");
}
