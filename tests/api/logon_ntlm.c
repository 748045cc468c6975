/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log-ons with MSV1_0 through LsaLogonUser: a password, the answer to a challenge, nobody; what is
 * told of the account; and that a refusal says nothing of the reason. Accounts are this project's,
 * so that all of it is ours but for the forms and the statuses: those are of [D LsaLogonUser].
 */
#include "msv.h"

#include "core/ntlm.h"

static wchar_t computer[64], user[256], upper[256];
static HANDLE lsa;
static ULONG package;
static const uint8_t challenge[8] = {1, 2, 3, 4, 5, 6, 7, 8};

struct result {
    NTSTATUS status, sub_status;
    void *profile;
    ULONG profile_size;
    LUID id;
    HANDLE token;
    QUOTA_LIMITS quotas;
};

static NTSTATUS log_on(SECURITY_LOGON_TYPE type, struct buffer *buffer, ULONG size,
                       struct result *out)
{
    LSA_STRING origin = {4, 5, (char *)"test"};
    TOKEN_SOURCE source = {.SourceName = "test"};
    memset(out, 0, sizeof(*out));
    out->status = LsaLogonUser(lsa, &origin, type, package, buffer, size, NULL, &source,
                               &out->profile, &out->profile_size, &out->id, &out->token,
                               &out->quotas, &out->sub_status);
    return out->status;
}

static void result_free(struct result *result)
{
    if (result->profile) LsaFreeReturnBuffer(result->profile);
    if (result->token) CloseHandle(result->token);
}

static void fill_interactive(struct buffer *buffer, const wchar_t *domain, const wchar_t *name,
                             const wchar_t *password)
{
    memset(buffer, 0, sizeof(*buffer));
    buffer->interactive.MessageType = MsV1_0InteractiveLogon;
    buffer_text(buffer, &buffer->interactive.LogonDomainName, domain);
    buffer_text(buffer, &buffer->interactive.UserName, name);
    buffer_text(buffer, &buffer->interactive.Password, password);
}

/* NTLMv2 over an empty list of pairs; wrong changes the proof. */
static void fill_network(struct buffer *buffer, const wchar_t *domain, const wchar_t *password,
                         bool wrong, uint8_t key[16])
{
    uint8_t hash[16], response[16 + 28 + 8] = {0};
    memset(buffer, 0, sizeof(*buffer));
    buffer->network.MessageType = MsV1_0NetworkLogon;
    v2_hash(upper, domain, password, hash);
    response[16] = response[17] = 1;
    ntlm_v2_proof(hash, challenge, (struct slice){response + 16, sizeof(response) - 16}, response);
    ntlm_v2_session_base_key(hash, response, key);
    if (wrong) response[3] ^= 1;
    memcpy(buffer->network.ChallengeToClient, challenge, 8);
    buffer_text(buffer, &buffer->network.LogonDomainName, domain);
    buffer_text(buffer, &buffer->network.UserName, user);
    buffer_text(buffer, &buffer->network.Workstation, L"BARN");
    buffer_bytes(buffer, &buffer->network.CaseSensitiveChallengeResponse, response,
                 sizeof(response));
}

static bool prepare(void)
{
    if (!ours_only()) return false;
    second_pass(); /* names of the case before */
    return ok(account_write(computer, user, L"Secret"), "no account");
}

/* [D LsaLogonUser] a primary token and an interactive profile; [H ntsecapi.h] */
static void test_password(void)
{
    struct buffer buffer;
    struct result result;
    if (!prepare()) return;
    fill_interactive(&buffer, computer, user, L"Secret");
    NTSTATUS status = log_on(Interactive, &buffer, buffer_size(&buffer), &result);
    if (ok(!status, "status %08lx, %08lx", status, result.sub_status)) {
        TOKEN_TYPE type = 0;
        DWORD size;
        MSV1_0_INTERACTIVE_PROFILE *profile = result.profile;
        ok(profile->MessageType == MsV1_0InteractiveProfile, "kind %d", profile->MessageType);
        ok(string_is(&profile->LogonServer, computer), "server");
        ok(string_is(&profile->FullName, user), "full name");
        ok((BYTE *)profile->LogonServer.Buffer + profile->LogonServer.Length <=
               (BYTE *)profile + result.profile_size,
           "not one block of %lu bytes", result.profile_size);
        GetTokenInformation(result.token, TokenType, &type, sizeof(type), &size);
        ok(type == TokenPrimary, "token of type %d", type);
        ok(result.id.LowPart || result.id.HighPart, "no id");
    }
    result_free(&result);
    fill_interactive(&buffer, L".", upper, L"Secret");
    ok(!log_on(Network, &buffer, buffer_size(&buffer), &result), "of this machine: %08lx",
       result.status);
    result_free(&result);
    account_write(computer, user, NULL);
}

/* [D LsaLogonUser] an impersonation token; [OS MS-NLMP 3.3.2] the key */
static void test_response(void)
{
    struct buffer buffer;
    struct result result;
    uint8_t key[16];
    if (!prepare()) return;
    fill_network(&buffer, L"ANY", L"Secret", false, key);
    NTSTATUS status = log_on(Network, &buffer, buffer_size(&buffer), &result);
    if (ok(!status, "status %08lx, %08lx", status, result.sub_status)) {
        TOKEN_TYPE type = 0;
        DWORD size;
        MSV1_0_LM20_LOGON_PROFILE *profile = result.profile;
        ok(profile->MessageType == MsV1_0Lm20LogonProfile, "kind %d", profile->MessageType);
        ok(!memcmp(profile->UserSessionKey, key, sizeof(key)), "another key");
        ok(string_is(&profile->LogonDomainName, computer), "domain");
        ok(profile->UserFlags & LOGON_NTLMV2_ENABLED, "flags %08lx", profile->UserFlags);
        GetTokenInformation(result.token, TokenType, &type, sizeof(type), &size);
        ok(type == TokenImpersonation, "token of type %d", type);
    }
    result_free(&result);
    buffer.network.MessageType = MsV1_0Lm20Logon;
    ok(!log_on(Network, &buffer, buffer_size(&buffer), &result), "Lm20Logon: %08lx", result.status);
    result_free(&result);
    buffer.network.ChallengeToClient[0] ^= 1;
    status = log_on(Network, &buffer, buffer_size(&buffer), &result);
    ok(status == STATUS_LOGON_FAILURE, "another challenge: %08lx", status);
    account_write(computer, user, NULL);
}

/* MS-NLMP 3.3.1, which policy refuses unless it says otherwise */
static void test_v1(void)
{
    static struct saved_value level;
    const DWORD low = 2;
    struct buffer buffer;
    struct result result;
    uint8_t hash[16], response[24], key[16];
    if (!prepare()) return;
    fill_network(&buffer, computer, L"Secret", false, key);
    ntlm_nt_hash(text_bytes(L"Secret"), hash);
    ntlm_v1_response(hash, challenge, response);
    buffer_bytes(&buffer, &buffer.network.CaseSensitiveChallengeResponse, response, 24);
    NTSTATUS status = log_on(Network, &buffer, buffer_size(&buffer), &result);
    ok(status == STATUS_LOGON_FAILURE, "NTLMv1: %08lx", status);
    value_save(&level, L"SYSTEM\\CurrentControlSet\\Control\\Lsa", L"LmCompatibilityLevel");
    value_set(&level, REG_DWORD, &low, sizeof(low));
    second_pass();
    status = log_on(Network, &buffer, buffer_size(&buffer), &result);
    if (ok(!status, "NTLMv1, allowed: %08lx", status)) {
        MSV1_0_LM20_LOGON_PROFILE *profile = result.profile;
        ntlm_v1_session_base_key(hash, key);
        ok(!memcmp(profile->UserSessionKey, key, sizeof(key)), "another key");
    }
    result_free(&result);
    buffer.network.CaseSensitiveChallengeResponse.Buffer[5] ^= 1;
    status = log_on(Network, &buffer, buffer_size(&buffer), &result);
    ok(status == STATUS_LOGON_FAILURE, "wrong NTLMv1: %08lx", status);
    value_restore(&level);
    second_pass();
    account_write(computer, user, NULL);
}

/* MS-NLMP 3.3.1 with a challenge of the client's, where the LM response would be [H ntsecapi.h
 * MSV1_0_USE_CLIENT_CHALLENGE] */
static void test_client_challenge(void)
{
    static struct saved_value level;
    const DWORD low = 2;
    struct buffer buffer;
    struct result result;
    uint8_t hash[16], response[24], lm[24] = {8, 7, 6, 5, 4, 3, 2, 1}, key[16];
    if (!prepare()) return;
    value_save(&level, L"SYSTEM\\CurrentControlSet\\Control\\Lsa", L"LmCompatibilityLevel");
    value_set(&level, REG_DWORD, &low, sizeof(low));
    second_pass();
    fill_network(&buffer, computer, L"Secret", false, key);
    ntlm_nt_hash(text_bytes(L"Secret"), hash);
    ntlm_v1_ess_response(hash, challenge, lm, response);
    buffer_bytes(&buffer, &buffer.network.CaseSensitiveChallengeResponse, response, 24);
    buffer_bytes(&buffer, &buffer.network.CaseInsensitiveChallengeResponse, lm, sizeof(lm));
    buffer.network.ParameterControl = MSV1_0_USE_CLIENT_CHALLENGE;
    NTSTATUS status = log_on(Network, &buffer, buffer_size(&buffer), &result);
    ok(!status, "with the client's half: %08lx", status);
    result_free(&result);
    buffer.network.ParameterControl = 0;
    status = log_on(Network, &buffer, buffer_size(&buffer), &result);
    ok(status == STATUS_LOGON_FAILURE, "without it: %08lx", status);
    value_restore(&level);
    second_pass();
    account_write(computer, user, NULL);
}

/* Nobody has no name, gives no answer, and gets no key that could be a secret; and no log-on where
 * Wine cannot be nobody. */
static void test_nobody(void)
{
    static const uint8_t none[16];
    struct buffer buffer = {.network = {.MessageType = MsV1_0NetworkLogon}};
    struct result result;
    if (!ours_only()) return;
    buffer_bytes(&buffer, &buffer.network.CaseInsensitiveChallengeResponse, none, 1);
    NTSTATUS status = log_on(Network, &buffer, buffer_size(&buffer), &result);
    if (status) {
        ok(status == STATUS_ACCOUNT_RESTRICTION && !result.token, "%08lx", status);
    } else {
        const MSV1_0_LM20_LOGON_PROFILE *profile = result.profile;
        BYTE room[128];
        DWORD size;
        ok(string_is(&profile->LogonDomainName, L"NT AUTHORITY"), "domain");
        ok(!memcmp(profile->UserSessionKey, none, sizeof(none)), "a key");
        ok(GetTokenInformation(result.token, TokenUser, room, sizeof(room), &size) &&
               IsWellKnownSid(((TOKEN_USER *)room)->User.Sid, WinAnonymousSid),
           "the token is somebody's");
    }
    result_free(&result);
    status = log_on(Interactive, &buffer, buffer_size(&buffer), &result);
    ok(status == STATUS_INVALID_LOGON_TYPE, "at the machine: %08lx", status);
    result_free(&result);
}

static void expect(struct buffer *buffer, SECURITY_LOGON_TYPE type, NTSTATUS expected,
                   const char *what)
{
    struct result result;
    NTSTATUS status = log_on(type, buffer, buffer_size(buffer), &result);
    ok(status == expected, "%s: %08lx", what, status);
    ok(!result.token && !result.profile, "%s: something came out", what);
    result_free(&result);
}

/* [D LsaLogonUser] STATUS_LOGON_FAILURE, and no sub-status that tells more */
static void test_refused(void)
{
    struct buffer buffer;
    uint8_t key[16];
    if (!prepare()) return;
    fill_interactive(&buffer, computer, user, L"secret");
    expect(&buffer, Interactive, STATUS_LOGON_FAILURE, "wrong password");
    fill_interactive(&buffer, computer, user, L"");
    expect(&buffer, Interactive, STATUS_LOGON_FAILURE, "no password");
    fill_interactive(&buffer, computer, L"nobody-at-all", L"Secret");
    expect(&buffer, Interactive, STATUS_LOGON_FAILURE, "no such user");
    fill_interactive(&buffer, computer, L"", L"Secret");
    expect(&buffer, Interactive, STATUS_LOGON_FAILURE, "no user");
    fill_network(&buffer, computer, L"Secret", true, key);
    expect(&buffer, Network, STATUS_LOGON_FAILURE, "wrong response");
    fill_network(&buffer, computer, L"secret", false, key);
    expect(&buffer, Network, STATUS_LOGON_FAILURE, "response of a wrong password");
    fill_network(&buffer, computer, L"Secret", false, key);
    buffer.network.CaseSensitiveChallengeResponse.Length = 43;
    expect(&buffer, Network, STATUS_LOGON_FAILURE, "a response too short");
    account_write(computer, user, NULL);
}

/* A right password of somebody for whom there can be no token: never a success without one. */
static void test_stranger(void)
{
    struct buffer buffer;
    if (!ours_only() || !account_write(computer, L"stranger", L"Secret")) return;
    second_pass();
    fill_interactive(&buffer, computer, L"stranger", L"Secret");
    expect(&buffer, Interactive, STATUS_ACCOUNT_RESTRICTION, "a stranger");
    account_write(computer, L"stranger", NULL);
}

/* RestrictReceivingNTLMTraffic 1: a domain's accounts are nobody's, here as in NTLM itself. */
static void test_domain_denied(void)
{
    static struct saved_value receiving;
    const DWORD local = 1;
    struct buffer buffer;
    uint8_t key[16];
    if (!ours_only() || !account_write(L"ELSEWHERE", user, L"Secret")) return;
    second_pass();
    fill_network(&buffer, L"ELSEWHERE", L"Secret", false, key);
    expect(&buffer, Network, STATUS_ACCOUNT_RESTRICTION, "allowed, and without a token");
    value_save(&receiving, L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\MSV1_0",
               L"RestrictReceivingNTLMTraffic");
    value_set(&receiving, REG_DWORD, &local, sizeof(local));
    second_pass();
    expect(&buffer, Network, STATUS_LOGON_FAILURE, "denied");
    value_restore(&receiving);
    second_pass();
    account_write(L"ELSEWHERE", user, NULL);
}

/* [D LsaLogonUser] STATUS_BAD_VALIDATION_CLASS, and strings that have to follow the structure */
static void test_forms(void)
{
    struct buffer buffer;
    struct result result;
    if (!ours_only()) return;
    fill_interactive(&buffer, computer, user, L"Secret");
    for (ULONG kind = 0; kind < 100; kind++) {
        if (kind == 2 || kind == 3 || kind == 4 || kind == 7) continue;
        buffer.words[0] = kind;
        expect(&buffer, Interactive, STATUS_BAD_VALIDATION_CLASS, "another kind");
    }
    fill_interactive(&buffer, computer, user, L"Secret");
    buffer.interactive.Password.Buffer = user;
    expect(&buffer, Interactive, STATUS_INVALID_PARAMETER, "a text elsewhere");
    fill_interactive(&buffer, computer, user, L"Secret");
    for (ULONG size = 0; size < sizeof(buffer.interactive); size++) {
        NTSTATUS status = log_on(Interactive, &buffer, size, &result);
        ok(status == STATUS_INVALID_PARAMETER, "%lu bytes: %08lx", size, status);
    }
    expect(&buffer, NewCredentials, STATUS_INVALID_LOGON_TYPE, "NewCredentials");
    expect(&buffer, Proxy, STATUS_INVALID_LOGON_TYPE, "Proxy");
}

int main(void)
{
    DWORD size = ARRAYSIZE(computer), length = ARRAYSIZE(user);
    GetComputerNameW(computer, &size);
    GetUserNameW(user, &length);
    CharUpperW(lstrcpyW(upper, user));
    LSA_STRING name = {sizeof(PACKAGE_MSV) - 1, sizeof(PACKAGE_MSV), (char *)PACKAGE_MSV};
    crypto_init();
    if (LsaConnectUntrusted(&lsa) || LsaLookupAuthenticationPackage(lsa, &name, &package)) {
        printf("no " PACKAGE_MSV "\n");
        return EXIT_FAILURE;
    }
    RUN(test_password);
    RUN(test_response);
    RUN(test_v1);
    RUN(test_client_challenge);
    RUN(test_nobody);
    RUN(test_refused);
    RUN(test_stranger);
    RUN(test_domain_denied);
    RUN(test_forms);
    LsaDeregisterLogonProcess(lsa);
    return test_end("api_logon_ntlm");
}
