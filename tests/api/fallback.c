/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When an initiator of Negotiate does without Kerberos and uses NTLM, and when it fails instead.
 * TestMech of tests/providers takes the place of Kerberos and fails as the target says. Windows
 * loads such modules at boot only, so all cases are ours; each runs in a child of this program.
 * What they go by: [D microsoft-negotiate], [D configuring-kerberos-over-ip],
 * [D KB5064479] (why NTLM was used), [D KB5011233] (targets of three parts).
 */
#include "../providers/prov_mech.h"
#include "hosting.h"
#include "spnego_peer.h"

#include <wchar.h>

#define POLICY_KEY \
    L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System\\Kerberos\\Parameters"

enum outcome { KERBEROS, NTLM, FAILS };

static const struct account of_realm = {L"REALM", L"alice", L"Password"};
static const struct account of_nobody = {L"", L"alice", L"Password"};
static const struct account with_at = {L"", L"alice@REALM", L"Password"};

static struct side client;

static bool first_leg(const struct account *account, const wchar_t *target, ULONG more_flags,
                      SECURITY_STATUS *status)
{
    *status = side_open(&client, L"Negotiate", false, account, NULL);
    if (!ok(!*status, "credential: %08lx", *status)) return false;
    client.target = target;
    client.flags |= more_flags;
    *status = side_leg(&client, NONE);
    return true;
}

/* What SPNEGO offers, or FAILS. */
static enum outcome outcome_of(SECURITY_STATUS status)
{
    struct spnego_init offer;
    if (status != SEC_I_CONTINUE_NEEDED) return FAILS;
    if (!ok(!spnego_init_decode(side_token(&client), &offer), "no NegTokenInit")) return FAILS;
    bool ntlm = spnego_kind(offer.token, NULL) == SPNEGO_RAW_NTLM;
    ok(offer.mech_count == (ntlm ? 1 : 3), "%lu identifiers", (ULONG)offer.mech_count);
    return ntlm ? NTLM : KERBEROS;
}

static void expect(const struct account *account, const wchar_t *target, enum outcome expected,
                   SECURITY_STATUS reason)
{
    SECURITY_STATUS status;
    SecPkgContext_NegoStatus last = {0};
    if (!first_leg(account, target, 0, &status)) return;
    ok(outcome_of(status) == expected, "%ls: %08lx", target, status);
    if (expected == FAILS) {
        ok(status == reason, "%ls: %08lx", target, status);
        ok(!context_present(&client.context), "%ls: a context", target);
    } else {
        /* [D SecPkgContext_NegoStatus] the error of the last attempt */
        status = QueryContextAttributesW(&client.context, SECPKG_ATTR_NEGO_STATUS, &last);
        ok(!status && (SECURITY_STATUS)last.LastStatus == reason, "%ls: last status %08lx", target,
           last.LastStatus);
    }
    side_close(&client);
}

/* [D microsoft-negotiate] an SPN, a UPN or the name of an account; "otherwise NTLM" */
static void child_targets(void)
{
    static const wchar_t *const names[] = {L"HTTP/localhost",
                                           L"HTTP/host.example:8080",
                                           L"HTTP/10.example",
                                           L"HTTP/host/name.example",
                                           L"HTTP/host@10.EXAMPLE",
                                           L"alice@REALM",
                                           L"host$"};
    for (size_t i = 0; i < ARRAYSIZE(names); i++)
        expect(NULL, names[i], KERBEROS, SEC_I_CONTINUE_NEEDED);
    expect(NULL, NULL, NTLM, SEC_E_TARGET_UNKNOWN);
    expect(NULL, L"", NTLM, SEC_E_TARGET_UNKNOWN);
}

/* [D configuring-kerberos-over-ip] NTLM, unless TryIPSPN is set */
static void child_addresses(void)
{
    static const wchar_t *const names[] = {L"HTTP/127.0.0.1", L"HTTP/127.0.0.1:8080",
                                           L"HTTP/[::1]:80",  L"HTTP/fe80::1",
                                           L"192.0.2.1",      L"HTTP/192.0.2.1@REALM"};
    static struct saved_value value;
    const DWORD one = 1, zero = 0;
    if (!ok(value_save(&value, POLICY_KEY, L"TryIPSPN"), "the registry cannot be read")) return;
    ok(value_set(&value, REG_DWORD, &zero, sizeof(zero)), "not set");
    for (size_t i = 0; i < ARRAYSIZE(names); i++)
        expect(NULL, names[i], NTLM, SEC_E_TARGET_UNKNOWN);
    ok(value_set(&value, REG_DWORD, &one, sizeof(one)), "not set");
    for (size_t i = 0; i < ARRAYSIZE(names); i++)
        expect(NULL, names[i], KERBEROS, SEC_I_CONTINUE_NEEDED);
    ok(value_restore(&value), "the registry was not put back");
}

/* [D microsoft-negotiate] "cannot be used by one of the systems": no ticket, no KDC, an unknown
 * target; whoever the client is */
static void child_unusable(void)
{
    static const SECURITY_STATUS reasons[] = {
        SEC_E_NO_CREDENTIALS,    SEC_E_NO_AUTHENTICATING_AUTHORITY,
        SEC_E_TARGET_UNKNOWN,    SEC_E_WRONG_PRINCIPAL,
        SEC_E_TIME_SKEW,         SEC_E_CONTEXT_EXPIRED,
        SEC_E_KDC_UNKNOWN_ETYPE, SEC_E_UNSUPPORTED_FUNCTION,
        SEC_E_SECPKG_NOT_FOUND,  SEC_E_MAX_REFERRALS_EXCEEDED,
    };
    const struct account *const accounts[] = {NULL, &of_realm, &of_nobody, &with_at};
    wchar_t target[64];
    for (size_t i = 0; i < ARRAYSIZE(reasons); i++) {
        wsprintfW(target, L"fails-%08lx/host.example", reasons[i]);
        for (size_t j = 0; j < ARRAYSIZE(accounts); j++)
            expect(accounts[j], target, NTLM, reasons[i]);
    }
}

/* A KDC that refuses an account of its realm has decided; where no realm was named, the account may
 * be the server's own. */
static void child_refused(void)
{
    const wchar_t *target = L"fails-8009030c/host.example";
    expect(&of_realm, target, FAILS, SEC_E_LOGON_DENIED);
    expect(&with_at, target, FAILS, SEC_E_LOGON_DENIED);
    expect(&of_nobody, target, NTLM, SEC_E_LOGON_DENIED);
    expect(NULL, target, NTLM, SEC_E_LOGON_DENIED);
    expect(NULL, L"fails-80090300/host.example", FAILS, SEC_E_INSUFFICIENT_MEMORY);
    expect(NULL, L"fails-8009035e/host.example", FAILS, SEC_E_DELEGATION_POLICY);
}

/* [D KB5011233] no NTLM where the KDC does not know a target of three parts */
static void child_three_parts(void)
{
    expect(NULL, L"fails-80090303/host/name.example", FAILS, SEC_E_TARGET_UNKNOWN);
    expect(NULL, L"fails-80090322/host/name.example", FAILS, SEC_E_WRONG_PRINCIPAL);
    expect(NULL, L"fails-80090311/host/name.example", NTLM, SEC_E_NO_AUTHENTICATING_AUTHORITY);
    expect(NULL, L"fails-8009030e/host/name.example", NTLM, SEC_E_NO_CREDENTIALS);
}

static void expect_dce(const wchar_t *target, enum outcome expected, SECURITY_STATUS wanted)
{
    SECURITY_STATUS status;
    if (!first_leg(&of_realm, target, ISC_REQ_USE_DCE_STYLE, &status)) return;
    enum spnego_kind kind = spnego_kind(side_token(&client), NULL);
    ok(status == wanted, "%ls: %08lx", target, status);
    if (expected != FAILS)
        ok(kind == (expected == NTLM ? SPNEGO_RAW_NTLM : SPNEGO_RAW_MECH), "%ls: %d", target, kind);
    side_close(&client);
}

/* Without SPNEGO, whichever of the two it is: the legs of DCE RPC leave no room for its answers. */
static void child_dce_style(void)
{
    expect_dce(L"HTTP/localhost", KERBEROS, SEC_I_CONTINUE_NEEDED);
    expect_dce(NULL, NTLM, SEC_I_CONTINUE_NEEDED);
    expect_dce(L"fails-8009030e/localhost", NTLM, SEC_I_CONTINUE_NEEDED);
    expect_dce(L"fails-8009030c/localhost", FAILS, SEC_E_LOGON_DENIED);
}

/* [H sspi.h] SECBUFFER_TARGET: the target, where the argument does not say it; UTF-16 */
static void child_target_buffer(void)
{
    static const struct {
        const wchar_t *text;
        ULONG type;
        enum outcome expected;
        ULONG missing; /* bytes of the last character */
    } rows[] = {{L"HTTP/localhost", SECBUFFER_TARGET, KERBEROS, 0},
                {L"HTTP/localhost", SECBUFFER_TARGET_HOST, KERBEROS, 0},
                {L"HTTP/127.0.0.1", SECBUFFER_TARGET, NTLM, 0},
                {L"fails-80090303/host/name.example", SECBUFFER_TARGET, FAILS, 0},
                {L"HTTP/localhost", SECBUFFER_TARGET, FAILS, 1}};
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        SecBuffer in = {(ULONG)wcslen(rows[i].text) * 2 - rows[i].missing, rows[i].type,
                        (void *)rows[i].text};
        SecBuffer out = {sizeof(client.token), SECBUFFER_TOKEN, client.token};
        SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in},
                      out_desc = {SECBUFFER_VERSION, 1, &out};
        TimeStamp expiry;
        SECURITY_STATUS status = side_open(&client, L"Negotiate", false, NULL, NULL);
        if (!ok(!status, "credential: %08lx", status)) return;
        status = InitializeSecurityContextW(&client.credential, NULL, NULL, client.flags, 0,
                                            SECURITY_NATIVE_DREP, &in_desc, 0, &client.context,
                                            &out_desc, &client.attributes, &expiry);
        client.size = status < 0 ? 0 : out.cbBuffer;
        ok(outcome_of(status) == rows[i].expected, "row %lu: %08lx", (ULONG)i, status);
        ok(status >= 0 || !out.cbBuffer, "row %lu: %lu bytes to send", (ULONG)i, out.cbBuffer);
        side_close(&client);
    }
}

static void expect_nothing_left(void)
{
    mech_counters_get_fn get = function_find("prov_kerberos.dll", "mech_counters_get");
    if (!ok(get != NULL, "no prov_kerberos.dll")) return;
    ok(!get()->contexts, "%ld contexts of TestMech are left", get()->contexts);
    ok(!get()->credentials, "%ld credentials of TestMech are left", get()->credentials);
    ok(!get()->faults, "TestMech was called wrongly %ld times", get()->faults);
}

/* ---- in the parent ---- */

static const struct hosting_case child_cases[] = {
    CHILD(targets),     CHILD(addresses), CHILD(unusable),      CHILD(refused),
    CHILD(three_parts), CHILD(dce_style), CHILD(target_buffer),
};

static void run_named(const wchar_t *child)
{
    struct hosting_names *lsa = calloc(1, sizeof(*lsa));
    DWORD failures = 99;
    if (!ok(lsa != NULL, "no memory")) return;
    hosting_names_add(lsa, hosting_scratch, MECH_KERBEROS_MODULE);
    bool done = ok(hosting_copy(L"prov_mech", hosting_scratch, MECH_KERBEROS_MODULE), "no copy") &&
                hosting_run(child, lsa, NULL, &failures);
    ok(done && !failures, "child %ls: exit status %lu", child, failures);
    free(lsa);
}

#define CASE(name)                \
    static void test_##name(void) \
    {                             \
        run_named(L## #name);     \
    }

CASE(targets)
CASE(addresses)
CASE(unusable)
CASE(refused)
CASE(three_parts)
CASE(dce_style)
CASE(target_buffer)

int main(int argc, char **argv)
{
    if (argc == 2)
        return hosting_case_run(child_cases, ARRAYSIZE(child_cases), argv[1], expect_nothing_left);
    if (!hosting_begin()) {
        printf("skip api_fallback: a Wine prefix with a writable temporary folder\n");
        printf("api_fallback: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_targets);
    RUN(test_addresses);
    RUN(test_unusable);
    RUN(test_refused);
    RUN(test_three_parts);
    RUN(test_dce_style);
    RUN(test_target_buffer);
    hosting_end();
    return test_end("api_fallback");
}
