/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to MSV1_0 through LsaCallAuthenticationPackage: challenges and answers to them, log-ons,
 * what is passed on, and what nobody answers ([H ntsecapi.h], ntifs.h). What Windows does beyond
 * the declarations is not published: ours.
 */
#include "msv.h"

#include "core/ntlm.h"

static wchar_t computer[64], user[256];
static HANDLE lsa;
static ULONG package;

static NTSTATUS call(void *bytes, ULONG size, void **out, ULONG *out_size, NTSTATUS *protocol)
{
    *out = NULL;
    *out_size = 0;
    *protocol = 0x55;
    return LsaCallAuthenticationPackage(lsa, package, bytes, size, out, out_size, protocol);
}

/* A message that is to succeed, and its answer; NULL otherwise. */
static void *answer_of(void *bytes, ULONG size, ULONG *out_size)
{
    void *out;
    NTSTATUS protocol, status = call(bytes, size, &out, out_size, &protocol);
    ok(!status && !protocol && out, "status %08lx, %08lx", status, protocol);
    return out;
}

static void test_challenge(void)
{
    ULONG message[1] = {MsV1_0Lm20ChallengeRequest}, size;
    uint8_t before[8] = {0};
    if (!ours_only()) return;
    for (int i = 0; i < 2; i++) {
        MSV1_0_LM20_CHALLENGE_RESPONSE *answer = answer_of(message, sizeof(message), &size);
        if (!answer) return;
        ok(answer->MessageType == MsV1_0Lm20ChallengeRequest && size >= sizeof(*answer), "form");
        ok(memcmp(answer->ChallengeToClient, before, 8), "not a new challenge");
        memcpy(before, answer->ChallengeToClient, 8);
        LsaFreeReturnBuffer(answer);
    }
}

/* ParameterControl and MSV1_0_GETCHALLENRESP_REQUEST of [H ntifs.h], which does not go with
 * windows.h. */
#define USE_PRIMARY_PASSWORD 0x01
#define RETURN_PRIMARY_USERNAME 0x02
#define RETURN_PRIMARY_LOGON_DOMAINNAME 0x04
#define RETURN_NON_NT_USER_SESSION_KEY 0x08
#define GENERATE_CLIENT_CHALLENGE 0x10
#define GCR_NTLM3_PARMS 0x20
#define GCR_TARGET_INFO 0x40
#define GCR_USE_OEM_SET 0x200
#define GCR_MACHINE_CREDENTIAL 0x400
#define GCR_USE_OWF_PASSWORD 0x800

struct request {
    ULONG kind, control;
    LUID id;
    UNICODE_STRING password;
    BYTE challenge[8];
    UNICODE_STRING user, domain, server;
    wchar_t room[200];
};

static void put(struct request *request, UNICODE_STRING *out, ULONG at, const wchar_t *text)
{
    lstrcpyW(request->room + at, text);
    *out = (UNICODE_STRING){(USHORT)(2 * lstrlenW(text)), (USHORT)(2 * lstrlenW(text)),
                            request->room + at};
}

static void fill_request(struct request *request, ULONG control)
{
    memset(request, 0, sizeof(*request));
    request->kind = MsV1_0Lm20GetChallengeResponse;
    request->control = control;
    memcpy(request->challenge, "\1\2\3\4\5\6\7\10", 8);
    put(request, &request->password, 0, L"Secret");
    put(request, &request->user, 20, L"alice");
    put(request, &request->domain, 40, L"FARM");
    put(request, &request->server, 60, L"BARN");
}

/* [OS MS-NLMP 3.3.2]: what comes is what a server works out. */
static void test_answer(void)
{
    struct request request;
    uint8_t hash[16], proof[16], key[16];
    ULONG size;
    if (!ours_only()) return;
    fill_request(&request,
                 GCR_NTLM3_PARMS | RETURN_PRIMARY_USERNAME | RETURN_PRIMARY_LOGON_DOMAINNAME);
    MSV1_0_GETCHALLENRESP_RESPONSE *answer = answer_of(&request, sizeof(request), &size);
    if (!answer) return;
    const STRING *nt = &answer->CaseSensitiveChallengeResponse;
    v2_hash(L"ALICE", L"FARM", L"Secret", hash);
    if (ok(nt->Length >= 44, "a response of %d bytes", nt->Length)) {
        const uint8_t *bytes = (const uint8_t *)nt->Buffer;
        ntlm_v2_proof(hash, request.challenge, (struct slice){bytes + 16, nt->Length - 16u}, proof);
        ok(!memcmp(proof, bytes, sizeof(proof)), "a wrong proof");
        ntlm_v2_session_base_key(hash, proof, key);
        ok(!memcmp(answer->UserSessionKey, key, sizeof(key)), "another key");
    }
    ok(answer->CaseInsensitiveChallengeResponse.Length == 24, "no LMv2 response");
    ok(string_is(&answer->UserName, L"alice") && string_is(&answer->LogonDomainName, L"FARM"),
       "names");
    LsaFreeReturnBuffer(answer);
}

/* The form without names, an empty password, and a challenge of the client's own. */
static void test_answer_plain(void)
{
    struct request request;
    wchar_t upper[256];
    uint8_t hash[16], proof[16];
    ULONG size;
    if (!ours_only()) return;
    fill_request(&request, GENERATE_CLIENT_CHALLENGE);
    request.password.Length = 0;
    MSV1_0_GETCHALLENRESP_RESPONSE *answer = answer_of(&request, sizeof(request), &size);
    if (!answer) return;
    const STRING *nt = &answer->CaseSensitiveChallengeResponse;
    CharUpperW(lstrcpyW(upper, user));
    v2_hash(upper, computer, L"", hash);
    if (ok(nt->Length >= 44, "a response of %d bytes", nt->Length)) {
        const uint8_t *bytes = (const uint8_t *)nt->Buffer;
        ntlm_v2_proof(hash, request.challenge, (struct slice){bytes + 16, nt->Length - 16u}, proof);
        ok(!memcmp(proof, bytes, sizeof(proof)), "a wrong proof");
    }
    ok(!answer->UserName.Length && !answer->LogonDomainName.Length, "names nobody asked for");
    LsaFreeReturnBuffer(answer);
}

static void expect_answer(struct request *request, NTSTATUS expected, const char *what)
{
    void *out;
    ULONG size;
    NTSTATUS protocol, status = call(request, sizeof(*request), &out, &size, &protocol);
    ok(!status && protocol == expected, "%s: %08lx, %08lx", what, status, protocol);
    if (out) LsaFreeReturnBuffer(out);
}

static void test_answer_refused(void)
{
    static const ULONG unknown[] = {RETURN_NON_NT_USER_SESSION_KEY, GCR_USE_OEM_SET,
                                    GCR_MACHINE_CREDENTIAL};
    struct request request;
    if (!ours_only()) return;
    fill_request(&request, GCR_NTLM3_PARMS | GCR_TARGET_INFO);
    expect_answer(&request, STATUS_INVALID_PARAMETER, "a name in the place of pairs");
    fill_request(&request, GCR_NTLM3_PARMS | GCR_USE_OWF_PASSWORD);
    expect_answer(&request, STATUS_INVALID_PARAMETER, "a password in the place of a hash");
    for (size_t i = 0; i < ARRAYSIZE(unknown); i++) {
        fill_request(&request, GCR_NTLM3_PARMS | unknown[i]);
        expect_answer(&request, STATUS_NOT_SUPPORTED, "what is not made here");
    }
    fill_request(&request, GCR_NTLM3_PARMS | USE_PRIMARY_PASSWORD);
    expect_answer(&request, STATUS_NO_SUCH_LOGON_SESSION, "nobody's credentials");
    request.id.LowPart = 0x12345;
    expect_answer(&request, STATUS_ACCESS_DENIED, "somebody else's");
}

/* RestrictSendingNTLMTraffic 2: the secrets of log-ons are for servers that are excepted. */
static void test_answer_blocked(void)
{
    static struct saved_value sending;
    const DWORD denied = 2;
    struct request request;
    if (!ours_only()) return;
    value_save(&sending, L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\MSV1_0",
               L"RestrictSendingNTLMTraffic");
    value_set(&sending, REG_DWORD, &denied, sizeof(denied));
    second_pass();
    fill_request(&request, GCR_NTLM3_PARMS | USE_PRIMARY_PASSWORD);
    expect_answer(&request, STATUS_NTLM_BLOCKED, "another server");
    put(&request, &request.server, 60, computer);
    expect_answer(&request, STATUS_NO_SUCH_LOGON_SESSION, "this machine");
    fill_request(&request, GCR_NTLM3_PARMS);
    expect_answer(&request, STATUS_SUCCESS, "a password of the caller's");
    value_restore(&sending);
    second_pass();
}

/* The log-on of this process is one of them. */
static void test_users(void)
{
    ULONG message[3] = {MsV1_0EnumerateUsers}, size;
    LUID own = {0, 0};
    HANDLE token;
    TOKEN_STATISTICS statistics;
    DWORD needed;
    if (!ours_only()) return;
    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        if (GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &needed))
            own = statistics.AuthenticationId;
        CloseHandle(token);
    }
    MSV1_0_ENUMUSERS_RESPONSE *list = answer_of(message, 4, &size);
    bool found = false;
    for (ULONG i = 0; list && i < list->NumberOfLoggedOnUsers; i++)
        found = found || !memcmp(&list->LogonIds[i], &own, sizeof(own));
    ok(found, "the process's log-on is not listed");
    if (list) LsaFreeReturnBuffer(list);

    message[0] = MsV1_0GetUserInfo;
    memcpy(&message[1], &own, sizeof(own));
    MSV1_0_GETUSERINFO_RESPONSE *info = answer_of(message, sizeof(message), &size);
    if (!info) return;
    ok(string_is(&info->UserName, user) && string_is(&info->LogonDomainName, computer), "names");
    ok(IsValidSid(info->UserSid), "SID");
    ok(info->LogonType == Interactive, "type %d", info->LogonType);
    LsaFreeReturnBuffer(info);

    void *out;
    NTSTATUS protocol;
    message[1] = 0x7fffffff;
    NTSTATUS status = call(message, sizeof(message), &out, &size, &protocol);
    ok(!status && protocol == STATUS_NO_SUCH_LOGON_SESSION && !out, "%08lx, %08lx", status,
       protocol);
}

/* Only to packages of this machine, and only what is in the buffer. */
static void test_passed_on(void)
{
    struct buffer buffer = {.words = {MsV1_0GenericPassthrough}};
    ULONG inner[3] = {NegGetCallerName, 0, 0}, size;
    void *out;
    NTSTATUS protocol;
    if (!ours_only()) return;
    buffer_text(&buffer, &buffer.pass.DomainName, L"ELSEWHERE");
    buffer_text(&buffer, &buffer.pass.PackageName, L"No such package");
    buffer.pass.DataLength = sizeof(inner);
    buffer.pass.LogonData = buffer_add(&buffer, inner, sizeof(inner));
    NTSTATUS status = call(&buffer, buffer_size(&buffer), &out, &size, &protocol);
    ok(!status && protocol == STATUS_NO_SUCH_DOMAIN, "elsewhere: %08lx, %08lx", status, protocol);
    buffer.pass.DomainName.Length = 0;
    status = call(&buffer, buffer_size(&buffer), &out, &size, &protocol);
    ok(!status && protocol == STATUS_NO_SUCH_PACKAGE, "nobody: %08lx, %08lx", status, protocol);
    buffer.pass.LogonData = (BYTE *)inner;
    status = call(&buffer, buffer_size(&buffer), &out, &size, &protocol);
    ok(status == STATUS_INVALID_PARAMETER, "data elsewhere: %08lx", status);
}

/* A message in a message, with its text behind it by offset. */
struct nested {
    MSV1_0_PASSTHROUGH_REQUEST pass;
    wchar_t name[ARRAYSIZE(PACKAGE_MSV)];
};

static NTSTATUS pass_to_ntlm(const void *message, ULONG message_size, void **out)
{
    struct buffer buffer = {.words = {MsV1_0GenericPassthrough}};
    ULONG size;
    NTSTATUS protocol;
    buffer_text(&buffer, &buffer.pass.DomainName, computer);
    buffer_text(&buffer, &buffer.pass.PackageName, L"" PACKAGE_MSV);
    buffer.pass.DataLength = message_size;
    buffer.pass.LogonData = buffer_add(&buffer, message, message_size);
    NTSTATUS status = call(&buffer, buffer_size(&buffer), out, &size, &protocol);
    return status ? status : protocol;
}

/* Once: to take messages out of messages has no end but that of the stack. */
static void test_passed_on_once(void)
{
    ULONG challenge[1] = {MsV1_0Lm20ChallengeRequest};
    struct nested nested = {.pass = {.MessageType = MsV1_0GenericPassthrough}};
    void *out;
    if (!ours_only()) return;
    NTSTATUS status = pass_to_ntlm(challenge, sizeof(challenge), &out);
    if (ok(!status && out, "a message: %08lx", status)) {
        const MSV1_0_PASSTHROUGH_RESPONSE *answer = out;
        const MSV1_0_LM20_CHALLENGE_RESPONSE *passed = (void *)answer->ValidationData;
        ok(answer->MessageType == MsV1_0GenericPassthrough, "kind %d", answer->MessageType);
        ok(answer->DataLength >= sizeof(*passed), "%lu bytes", answer->DataLength);
        ok(passed->MessageType == MsV1_0Lm20ChallengeRequest, "not the answer");
        LsaFreeReturnBuffer(out);
    }
    lstrcpyW(nested.name, L"No such package");
    nested.pass.PackageName.Length = (USHORT)(2 * lstrlenW(nested.name));
    nested.pass.PackageName.Buffer = (wchar_t *)(ULONG_PTR)offsetof(struct nested, name);
    status = pass_to_ntlm(&nested, sizeof(nested), &out);
    ok(status == STATUS_NOT_SUPPORTED && !out, "a message in a message: %08lx", status);
}

static void test_others(void)
{
    ULONG message[40] = {0}, size;
    void *out;
    NTSTATUS protocol;
    if (!ours_only()) return;
    for (ULONG kind = 4; kind < 40; kind++) {
        if (kind == MsV1_0ChangePassword || kind == MsV1_0GenericPassthrough) continue;
        message[0] = kind;
        NTSTATUS status = call(message, sizeof(message), &out, &size, &protocol);
        NTSTATUS expected = kind < 25 ? STATUS_NOT_IMPLEMENTED : STATUS_INVALID_PARAMETER;
        ok(status == expected && !out && !size, "message %lu: %08lx", kind, status);
    }
    message[0] = MsV1_0GetUserInfo;
    ok(call(message, 8, &out, &size, &protocol) == STATUS_INVALID_PARAMETER, "cut off");
    ok(call(message, 3, &out, &size, &protocol) == STATUS_INVALID_PARAMETER, "no kind");
}

int main(void)
{
    DWORD size = ARRAYSIZE(computer), length = ARRAYSIZE(user);
    GetComputerNameW(computer, &size);
    GetUserNameW(user, &length);
    LSA_STRING name = {sizeof(PACKAGE_MSV) - 1, sizeof(PACKAGE_MSV), (char *)PACKAGE_MSV};
    crypto_init();
    if (LsaConnectUntrusted(&lsa) || LsaLookupAuthenticationPackage(lsa, &name, &package)) {
        printf("no " PACKAGE_MSV "\n");
        return EXIT_FAILURE;
    }
    RUN(test_challenge);
    RUN(test_answer);
    RUN(test_answer_plain);
    RUN(test_answer_refused);
    RUN(test_answer_blocked);
    RUN(test_users);
    RUN(test_passed_on);
    RUN(test_passed_on_once);
    RUN(test_others);
    LsaDeregisterLogonProcess(lsa);
    return test_end("api_msv1_0_calls");
}
