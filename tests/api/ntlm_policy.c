/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an administrator can set for NTLM in the registry: the values that Windows documents and
 * those of this project. Each case sets what it needs and puts it back. The package looks at the
 * registry once a second, so each change costs a little more than that. Sources in brackets, as
 * in api_packages.
 */
#include "loopback.h"

#define LSA L"SYSTEM\\CurrentControlSet\\Control\\Lsa"
#define MSV LSA L"\\MSV1_0"
#define OWN L"SOFTWARE\\winesspi\\NTLM"

#define NEGOTIATE_FLAGS 12
#define AUTHENTICATE_FLAGS 60
#define FLAG_SIGN 0x10u
#define FLAG_SEAL 0x20u
#define FLAG_ESS 0x80000u
#define FLAG_128 0x20000000u

static struct account account;
static bool have_account;
static struct loopback loop;
static const wchar_t elsewhere[] = L"HTTP/elsewhere.example.com";

static bool can_run(void)
{
    if (!ours_only()) return false;
    if (!have_account) skip_case("accounts of our server");
    return have_account;
}

/* ---- settings ---- */

static struct saved_value saved[2];
static unsigned saved_count;
static bool is_new; /* the package may not know yet */

static void set_bytes(const wchar_t *key, const wchar_t *name, DWORD type, const void *data,
                      DWORD size)
{
    unsigned i = 0;
    while (i < saved_count && lstrcmpW(saved[i].name, name)) i++;
    if (i == saved_count) {
        if (!ok(i < 2 && value_save(&saved[i], key, name), "%ls is not readable", name)) return;
        saved_count++;
    }
    ok(value_set(&saved[i], type, data, size), "%ls is not set", name);
    is_new = true;
}

static void set_number(const wchar_t *key, const wchar_t *name, DWORD number)
{
    set_bytes(key, name, REG_DWORD, &number, sizeof(number));
}

static void restore(void)
{
    for (; saved_count; saved_count--)
        ok(value_restore(&saved[saved_count - 1]), "%ls stays", saved[saved_count - 1].name);
    is_new = true;
}

static void settle(void)
{
    if (is_new) second_pass();
    is_new = false;
}

/* ---- handshakes ---- */

static const wchar_t *package = L"NTLM";

static bool open_loop(ULONG client_flags)
{
    settle();
    SECURITY_STATUS status = loopback_open(&loop, package, &account);
    loop.client_flags = client_flags;
    return ok(!status, "no credentials: %08lx", status);
}

static SECURITY_STATUS connect_all(ULONG client_flags)
{
    if (!open_loop(client_flags)) return SEC_E_INTERNAL_ERROR;
    SECURITY_STATUS status = loopback_connect(&loop);
    if (!status && client_flags)
        ok(contexts_talk(&loop.client, &loop.server), "the contexts do not talk");
    loopback_close(&loop);
    return status;
}

static void expect(SECURITY_STATUS status, SECURITY_STATUS expected, const char *what)
{
    ok(status == expected, "%s: %08lx", what, status);
}

/* Everything but the server's last leg. */
static bool almost_connected(void)
{
    if (!open_loop(SEAL_FLAGS)) return false;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    return ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
}

static ULONG get32(ULONG offset)
{
    ULONG value;
    memcpy(&value, loop.token + offset, sizeof(value));
    return value;
}

/* ---- LmCompatibilityLevel ---- */

/* Which responses the AUTHENTICATE in loop has (MS-NLMP 2.2.1.3, 2.2.2.3 to 2.2.2.8). */
static bool is_v2(void)
{
    return (get32(20) & 0xffff) > 24;
}

static bool same_responses(void)
{
    return !memcmp(loop.token + get32(16), loop.token + get32(24), 24);
}

/* [D network-security-lan-manager-authentication-level] what a client sends at each level; our
 * server is one of the same level, and takes it */
static void test_client_level(void)
{
    if (!can_run()) return;
    for (DWORD level = 0; level <= 5; level++) {
        set_number(LSA, L"LmCompatibilityLevel", level);
        if (!almost_connected()) break;
        ok(is_v2() == (level >= 3), "level %lu: NTLMv%d", level, is_v2() ? 2 : 1);
        bool ess = get32(AUTHENTICATE_FLAGS) & FLAG_ESS;
        ok(ess == (level > 0), "level %lu: ESS is %d", level, ess);
        if (level == 0) ok(!same_responses(), "level 0 sends no LM response");
        SECURITY_STATUS status = loopback_server_leg(&loop);
        ok(status == SEC_E_OK, "level %lu: %08lx", level, status);
        if (!status)
            ok(contexts_talk(&loop.client, &loop.server), "level %lu: messages fail", level);
        loopback_close(&loop);
    }
    restore();
}

/* [D network-security-lan-manager-authentication-level] level 5 takes NTLMv2 only; ours: so does a
 * server without the value */
static void test_server_level(void)
{
    if (!can_run()) return;
    set_number(LSA, L"LmCompatibilityLevel", 2);
    if (almost_connected()) {
        set_number(LSA, L"LmCompatibilityLevel", 5);
        settle();
        expect(loopback_server_leg(&loop), SEC_E_LOGON_DENIED, "level 5");
    }
    loopback_close(&loop);
    set_number(LSA, L"LmCompatibilityLevel", 2);
    if (almost_connected()) {
        restore();
        settle();
        expect(loopback_server_leg(&loop), SEC_E_LOGON_DENIED, "no value");
    }
    loopback_close(&loop);
    restore();
}

/* ---- NtlmMinClientSec, NtlmMinServerSec ---- */

/* [D network-security-minimum-session-security] what is required is asked for, and insisted on */
static void test_client_minimum(void)
{
    if (!can_run()) return;
    set_number(MSV, L"NtlmMinClientSec", FLAG_SIGN | FLAG_SEAL | FLAG_ESS | FLAG_128);
    if (open_loop(0)) {
        ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
        ULONG flags = get32(NEGOTIATE_FLAGS);
        ok(flags & FLAG_SIGN && flags & FLAG_SEAL, "asks for %08lx", flags);
        ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
        loop.token[20] &= (BYTE)~FLAG_SIGN;
        expect(loopback_client_leg(&loop), SEC_E_UNSUPPORTED_FUNCTION, "no signing");
    }
    loopback_close(&loop);
    expect(connect_all(0), SEC_E_OK, "with all");
    restore();
}

/* The server's first leg for a client that offers all but these flags. */
static SECURITY_STATUS ask_without(ULONG client_flags, ULONG without)
{
    if (!open_loop(client_flags)) return SEC_E_INTERNAL_ERROR;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ULONG flags = get32(NEGOTIATE_FLAGS) & ~without;
    memcpy(loop.token + NEGOTIATE_FLAGS, &flags, sizeof(flags));
    SECURITY_STATUS status = loopback_server_leg(&loop);
    loopback_close(&loop);
    return status;
}

/* [D network-security-minimum-session-security], [OS MS-NLMP 3.2.5.1.1]; ours: the length of keys
 * matters to sessions that use them */
static void test_server_minimum(void)
{
    if (!can_run()) return;
    expect(ask_without(SEAL_FLAGS, FLAG_128), SEC_E_UNSUPPORTED_FUNCTION, "short keys");
    expect(ask_without(0, FLAG_128), SEC_I_CONTINUE_NEEDED, "short keys, not used");
    expect(ask_without(SEAL_FLAGS, FLAG_ESS), SEC_E_UNSUPPORTED_FUNCTION, "no ESS");
    set_number(MSV, L"NtlmMinServerSec", 0);
    expect(ask_without(SEAL_FLAGS, FLAG_128), SEC_I_CONTINUE_NEEDED, "short keys allowed");
    set_number(MSV, L"NtlmMinServerSec", FLAG_SIGN);
    expect(connect_all(0), SEC_E_UNSUPPORTED_FUNCTION, "no signing");
    expect(connect_all(ISC_REQ_INTEGRITY), SEC_E_OK, "signing");
    expect(connect_all(ISC_REQ_CONFIDENTIALITY), SEC_E_UNSUPPORTED_FUNCTION, "sealing alone");
    restore();
}

/* ---- where NTLM may be used ---- */

static SECURITY_STATUS start_towards(const wchar_t *target)
{
    if (!open_loop(SEAL_FLAGS)) return SEC_E_INTERNAL_ERROR;
    loop.target = target;
    SECURITY_STATUS status = loopback_client_leg(&loop);
    loopback_close(&loop);
    return status;
}

/* [OS MS-NLMP 3.1.5.2.1] what is denied is not supported */
static void test_sending(void)
{
    static const wchar_t allowed[] = L"one.example.com\0*.two.example.com\0three*\0";
    if (!can_run()) return;
    set_number(MSV, L"RestrictSendingNTLMTraffic", 1);
    expect(start_towards(L"HTTP/elsewhere.example.com"), SEC_I_CONTINUE_NEEDED, "watched only");
    set_bytes(MSV, L"ClientAllowedNTLMServers", REG_MULTI_SZ, allowed, sizeof(allowed));
    set_number(MSV, L"RestrictSendingNTLMTraffic", 2);
    expect(start_towards(L"HTTP/elsewhere.example.com"), SEC_E_UNSUPPORTED_FUNCTION, "others");
    expect(start_towards(NULL), SEC_E_UNSUPPORTED_FUNCTION, "no target");
    expect(start_towards(L"HTTP/one.example.com"), SEC_I_CONTINUE_NEEDED, "one");
    expect(start_towards(L"HTTP/ONE.example.com:80"), SEC_I_CONTINUE_NEEDED, "one, case aside");
    expect(start_towards(L"HTTP/one.example.co"), SEC_E_UNSUPPORTED_FUNCTION, "shorter");
    expect(start_towards(L"cifs/host.two.example.com"), SEC_I_CONTINUE_NEEDED, "behind the star");
    expect(start_towards(L"cifs/two.example.com"), SEC_E_UNSUPPORTED_FUNCTION, "nothing before it");
    expect(start_towards(L"three.example.com"), SEC_I_CONTINUE_NEEDED, "before the star");
    expect(start_towards(L"HTTP/localhost"), SEC_I_CONTINUE_NEEDED, "this machine");
    restore();
}

static SECURITY_STATUS connect_default(void)
{
    settle();
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!status) loopback_close(&loop);
    return status;
}

/* [OS MS-NLMP 3.2.5.1.2] what is denied is not supported; ours: with 1 the accounts of other
 * domains are unknown ones */
static void test_receiving(void)
{
    if (!can_run()) return;
    set_number(MSV, L"RestrictReceivingNTLMTraffic", 1);
    expect(connect_all(SEAL_FLAGS), SEC_E_LOGON_DENIED, "account of a domain");
    expect(connect_default(), SEC_E_OK, "user of this machine");
    set_number(MSV, L"RestrictReceivingNTLMTraffic", 2);
    expect(connect_all(SEAL_FLAGS), SEC_E_UNSUPPORTED_FUNCTION, "account");
    expect(connect_default(), SEC_E_UNSUPPORTED_FUNCTION, "user");
    restore();
    expect(connect_all(SEAL_FLAGS), SEC_E_OK, "afterwards");
}

/* ---- extended protection ---- */

/* All legs; each side's channel is named by a text, an empty one for none. */
static SECURITY_STATUS connect_bound(const char *client, const char *server, ULONG more_flags)
{
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    if (!open_loop(SEAL_FLAGS)) return status;
    for (int leg = 0; leg < 4; leg++) {
        bool is_client = leg % 2 == 0;
        BYTE room[4096];
        struct bindings bindings;
        SecBuffer in[2] = {{loop.token_size, SECBUFFER_TOKEN, loop.token},
                           bindings_fill(&bindings, is_client ? client : server)};
        SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
        SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
        status = is_client
                     ? InitializeSecurityContextW(&loop.client_cred, leg ? &loop.client : NULL,
                                                  (wchar_t *)loop.target, loop.client_flags, 0, 0,
                                                  &in_desc, 0, &loop.client, &out_desc,
                                                  &loop.client_attrs, NULL)
                     : AcceptSecurityContext(&loop.server_cred, leg > 1 ? &loop.server : NULL,
                                             &in_desc, loop.server_flags | more_flags, 0,
                                             &loop.server, &out_desc, &loop.server_attrs, NULL);
        if (status < 0) break;
        loop.token_size = out.cbBuffer;
        memcpy(loop.token, room, out.cbBuffer);
    }
    loopback_close(&loop);
    return status;
}

/* A policy of NTLM is one of NTLM inside Negotiate. */
static void with_both(void (*check)(void))
{
    if (!can_run()) return;
    check();
    package = L"Negotiate";
    check();
    package = L"NTLM";
}

/* ours: HKLM\SOFTWARE\winesspi\NTLM ChannelBindings */
static void check_channel_bindings(void)
{
    const ULONG allow = ASC_REQ_ALLOW_MISSING_BINDINGS;
    expect(connect_bound("a", "b", 0), SEC_E_BAD_BINDINGS, "default, others");
    expect(connect_bound("", "b", allow), SEC_E_BAD_BINDINGS, "default, none, allowed");
    set_number(OWN, L"ChannelBindings", 0);
    expect(connect_bound("a", "b", 0), SEC_E_OK, "0, others");
    expect(connect_bound("", "b", 0), SEC_E_OK, "0, none");
    set_number(OWN, L"ChannelBindings", 2);
    expect(connect_bound("a", "b", 0), SEC_E_BAD_BINDINGS, "2, others");
    expect(connect_bound("", "b", allow), SEC_E_BAD_BINDINGS, "2, none, allowed");
    expect(connect_bound("b", "b", 0), SEC_E_OK, "2, the same");
    expect(connect_bound("b", "", 0), SEC_E_OK, "2, a server that does not say");
    restore();
}

static void test_channel_bindings(void)
{
    with_both(check_channel_bindings);
}

/* [OS MS-NLMP 3.1.5.1.2], value of KB976918: bit 0 keeps the client from sending bindings. [D
 * epa-support-in-service] such a client may be let in, behind a proxy too */
static void test_suppression(void)
{
    const ULONG allow = ASC_REQ_ALLOW_MISSING_BINDINGS;
    if (!can_run()) return;
    set_number(LSA, L"SuppressExtendedProtection", 1);
    expect(connect_bound("a", "a", 0), SEC_E_BAD_BINDINGS, "missing");
    expect(connect_bound("a", "b", allow), SEC_E_OK, "may be missing");
    expect(connect_bound("a", "", ASC_REQ_PROXY_BINDINGS), SEC_E_BAD_BINDINGS, "missing, proxy");
    expect(connect_bound("a", "", ASC_REQ_PROXY_BINDINGS | allow), SEC_E_OK, "proxy, allowed");
    set_number(OWN, L"ChannelBindings", 2);
    expect(connect_bound("a", "b", allow), SEC_E_BAD_BINDINGS, "2, missing, allowed");
    restore();
}

static SECURITY_STATUS connect_locally(const wchar_t *target)
{
    settle();
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return status;
    loop.target = target;
    status = loopback_connect(&loop);
    loopback_close(&loop);
    return status;
}

/* ours: a local call always says whom it is meant for, or anybody could pass it on to a server
 * here; the value is for servers of old, and this one is our own */
static void test_suppression_local(void)
{
    if (!ours_only()) return;
    set_number(LSA, L"SuppressExtendedProtection", 1);
    expect(connect_locally(L"HTTP/localhost"), SEC_E_OK, "direct");
    expect(connect_locally(elsewhere), SEC_E_LOGON_DENIED, "passed on");
    restore();
}

static SECURITY_STATUS connect_target(const wchar_t *target)
{
    if (!open_loop(SEAL_FLAGS)) return SEC_E_INTERNAL_ERROR;
    loop.target = target;
    SECURITY_STATUS status = loopback_connect(&loop);
    loopback_close(&loop);
    return status;
}

/* [D KB896861] names that are this machine's besides its own, and no look at them: of local calls
 * as of accounts */
static void test_loopback_check(void)
{
    static const wchar_t names[] = L"other.example.com\0Elsewhere.Example.com\0";
    static const wchar_t patterns[] = L"elsewhere\0*.example.com\0";
    if (!can_run()) return;
    expect(connect_locally(elsewhere), SEC_E_LOGON_DENIED, "local");
    set_bytes(MSV, L"BackConnectionHostNames", REG_MULTI_SZ, patterns, sizeof(patterns));
    expect(connect_locally(elsewhere), SEC_E_LOGON_DENIED, "local, names that are not whole");
    set_bytes(MSV, L"BackConnectionHostNames", REG_MULTI_SZ, names, sizeof(names));
    expect(connect_locally(elsewhere), SEC_E_OK, "local, listed");
    static wchar_t many[5200]; /* the name stands behind a thousand others */
    for (unsigned i = 0; i < 5000; i++) many[i] = i % 5 == 4 ? 0 : L'a' + i % 26;
    memcpy(many + 5000, names + 18, sizeof(names) - 18 * sizeof(*names));
    set_bytes(MSV, L"BackConnectionHostNames", REG_MULTI_SZ, many, sizeof(many));
    expect(connect_locally(elsewhere), SEC_E_OK, "local, at the end of a long list");
    set_bytes(MSV, L"BackConnectionHostNames", REG_MULTI_SZ, names, sizeof(names));
    expect(connect_target(elsewhere), SEC_E_OK, "account, listed");
    set_number(OWN, L"TargetNames", 2);
    expect(connect_target(elsewhere), SEC_E_OK, "TargetNames, listed");
    restore();
    set_number(LSA, L"DisableLoopbackCheck", 1);
    expect(connect_locally(elsewhere), SEC_E_OK, "local, no check");
    restore();
}

/* ours: HKLM\SOFTWARE\winesspi\NTLM TargetNames. [D KB896861] DisableLoopbackCheck: client and
 * server of one machine. */
static void check_target_names(void)
{
    expect(connect_target(elsewhere), SEC_E_LOGON_DENIED, "default, another, though we are here");
    set_number(LSA, L"DisableLoopbackCheck", 1);
    expect(connect_target(elsewhere), SEC_E_OK, "default, another");
    set_number(OWN, L"TargetNames", 1);
    expect(connect_target(elsewhere), SEC_E_LOGON_DENIED, "1, another");
    expect(connect_target(NULL), SEC_E_OK, "1, none");
    expect(connect_target(L"HTTP/localhost:80"), SEC_E_OK, "1, this machine");
    set_number(OWN, L"TargetNames", 2);
    expect(connect_target(elsewhere), SEC_E_LOGON_DENIED, "2, another");
    expect(connect_target(NULL), SEC_E_LOGON_DENIED, "2, none");
    expect(connect_target(L"HTTP/localhost:80"), SEC_E_OK, "2, this machine");
    restore();
}

static void test_target_names(void)
{
    with_both(check_target_names);
}

/* ours: HKLM\SOFTWARE\winesspi\NTLM RequireMic. An NTLMv1 client has none. */
static void test_require_mic(void)
{
    if (!can_run()) return;
    set_number(LSA, L"LmCompatibilityLevel", 2);
    expect(connect_all(SEAL_FLAGS), SEC_E_OK, "NTLMv1");
    set_number(OWN, L"RequireMic", 1);
    expect(connect_all(SEAL_FLAGS), SEC_E_LOGON_DENIED, "NTLMv1 with RequireMic");
    set_number(LSA, L"LmCompatibilityLevel", 3);
    expect(connect_all(SEAL_FLAGS), SEC_E_OK, "NTLMv2 with RequireMic");
    restore();
}

/* ours: HKLM\SOFTWARE\winesspi\NTLM TimestampWindow. The client repeats the time of the challenge,
 * so that the window is how long an answer may take. */
static void test_timestamp_window(void)
{
    if (!can_run()) return;
    set_number(OWN, L"TimestampWindow", 3);
    expect(connect_all(SEAL_FLAGS), SEC_E_OK, "at once");
    if (almost_connected()) {
        for (int i = 0; i < 4; i++) second_pass();
        expect(loopback_server_leg(&loop), SEC_E_LOGON_DENIED, "too late");
    }
    loopback_close(&loop);
    set_number(OWN, L"TimestampWindow", 0);
    if (almost_connected()) {
        for (int i = 0; i < 4; i++) second_pass();
        expect(loopback_server_leg(&loop), SEC_E_OK, "no window");
    }
    loopback_close(&loop);
    restore();
}

/* ours: what is no number of the documented type is not there */
static void test_other_types(void)
{
    static const DWORD zero = 0;
    static const wchar_t all[] = L"*", own_name[] = L"elsewhere.example.com";
    if (!can_run()) return;
    set_bytes(LSA, L"LmCompatibilityLevel", REG_BINARY, &zero, sizeof(zero));
    if (almost_connected()) ok(is_v2(), "bytes: NTLMv1");
    loopback_close(&loop);
    set_bytes(LSA, L"LmCompatibilityLevel", REG_DWORD, &zero, 2);
    if (almost_connected()) ok(is_v2(), "half a number: NTLMv1");
    loopback_close(&loop);
    restore();
    set_bytes(MSV, L"ClientAllowedNTLMServers", REG_SZ, all, sizeof(all));
    set_number(MSV, L"RestrictSendingNTLMTraffic", 2);
    expect(start_towards(elsewhere), SEC_E_UNSUPPORTED_FUNCTION, "servers in one string");
    restore();
    set_bytes(MSV, L"BackConnectionHostNames", REG_SZ, own_name, sizeof(own_name));
    expect(connect_target(elsewhere), SEC_E_LOGON_DENIED, "names in one string");
    restore();
}

/* ours: a number beyond the last of its meanings has the last one's */
static void test_out_of_range(void)
{
    if (!can_run()) return;
    set_number(LSA, L"LmCompatibilityLevel", 2);
    if (almost_connected()) {
        set_number(LSA, L"LmCompatibilityLevel", 6);
        settle();
        expect(loopback_server_leg(&loop), SEC_E_LOGON_DENIED, "LmCompatibilityLevel 6, NTLMv1");
    }
    loopback_close(&loop);
    expect(connect_all(SEAL_FLAGS), SEC_E_OK, "LmCompatibilityLevel 6, NTLMv2");
    restore();
    set_number(OWN, L"ChannelBindings", 3);
    set_number(OWN, L"TargetNames", 3);
    expect(connect_bound("", "b", ASC_REQ_ALLOW_MISSING_BINDINGS), SEC_E_BAD_BINDINGS,
           "ChannelBindings 3");
    expect(connect_target(NULL), SEC_E_LOGON_DENIED, "TargetNames 3");
    restore();
    set_number(OWN, L"TimestampWindow", 0xffffffff);
    expect(connect_all(SEAL_FLAGS), SEC_E_OK, "TimestampWindow 0xffffffff");
    set_number(MSV, L"RestrictReceivingNTLMTraffic", 3);
    expect(connect_all(SEAL_FLAGS), SEC_E_UNSUPPORTED_FUNCTION, "RestrictReceiving 3");
    restore();
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_client_level);
    RUN(test_server_level);
    RUN(test_client_minimum);
    RUN(test_server_minimum);
    RUN(test_sending);
    RUN(test_receiving);
    RUN(test_channel_bindings);
    RUN(test_suppression);
    RUN(test_suppression_local);
    RUN(test_target_names);
    RUN(test_loopback_check);
    RUN(test_require_mic);
    RUN(test_timestamp_window);
    RUN(test_other_types);
    RUN(test_out_of_range);
    if (have_account) account_remove(&account);
    return test_end("api_ntlm_policy");
}
