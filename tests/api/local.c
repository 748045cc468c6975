/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Default credentials on one machine: client and server in one session find out that they are
 * local to each other, and the server's client is the user of the
 * process, with a token that says so. Also what a server does for a user who is somebody else.
 */
#include "loopback.h"

static struct loopback loop;

static bool token_user(HANDLE token, BYTE *sid, DWORD capacity)
{
    BYTE user[256];
    DWORD size;
    if (!GetTokenInformation(token, TokenUser, user, sizeof(user), &size)) return false;
    return CopySid(capacity, sid, ((TOKEN_USER *)user)->User.Sid);
}

static bool same_user_as_process(HANDLE token)
{
    BYTE theirs[128], ours[128];
    HANDLE process;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &process)) return false;
    bool got = token_user(process, ours, sizeof(ours)) && token_user(token, theirs, sizeof(theirs));
    CloseHandle(process);
    return got && EqualSid(ours, theirs);
}

static void test_names(void)
{
    wchar_t expected[256];
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    SecPkgContext_NamesW names = {NULL};
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
    if (ok(!status && names.sUserName, "names: %08lx", status)) {
        ok(process_user(expected, 256), "the process has no user");
        ok(!lstrcmpiW(names.sUserName, expected), "%ls, not %ls", names.sUserName, expected);
        FreeContextBuffer(names.sUserName);
    }
    ok(contexts_talk(&loop.client, &loop.server), "messages fail");
    loopback_close(&loop);
}

/* [D QuerySecurityContextToken] a token for the caller to close, with the client's user */
static void test_token(void)
{
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    HANDLE token = NULL;
    status = QuerySecurityContextToken(&loop.server, &token);
    if (ok(!status && token, "token: %08lx", status)) {
        ok(same_user_as_process(token), "the token is somebody else's");
        TOKEN_TYPE type = 0;
        DWORD size;
        ok(GetTokenInformation(token, TokenType, &type, sizeof(type), &size), "no type");
        ok(type == TokenImpersonation, "token type %d", type);
        ok(CloseHandle(token), "not closed");
    }
    /* Twice the same, and each to be closed. */
    HANDLE again = NULL;
    status = QuerySecurityContextToken(&loop.server, &again);
    if (ok(!status && again, "again: %08lx", status)) ok(CloseHandle(again), "again not closed");
    loopback_close(&loop);
}

/* [D ImpersonateSecurityContext, RevertSecurityContext] */
static void test_impersonate(void)
{
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    HANDLE token = NULL;
    ok(!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token), "impersonating already");
    status = ImpersonateSecurityContext(&loop.server);
    ok(status == SEC_E_OK, "impersonate: %08lx", status);
    if (ok(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token), "no thread token")) {
        ok(same_user_as_process(token), "the thread is somebody else");
        CloseHandle(token);
    }
    status = RevertSecurityContext(&loop.server);
    ok(status == SEC_E_OK, "revert: %08lx", status);
    ok(!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token), "still impersonating");
    loopback_close(&loop);
}

/* [D ImpersonateSecurityContext] only the server has a client */
static void test_client_cannot_impersonate(void)
{
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    status = ImpersonateSecurityContext(&loop.client);
    ok(status < 0, "client: %08lx", status);
    HANDLE token = NULL;
    ok(!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token), "the thread impersonates");
    loopback_close(&loop);
}

/* ours: no token of the process user for anybody else */
static void test_somebody_else(void)
{
    struct account account;
    if (!account_create(&account)) {
        skip_case("accounts of our server");
        return;
    }
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", &account);
    account_remove(&account);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    HANDLE token = NULL;
    status = QuerySecurityContextToken(&loop.server, &token);
    ok(status == SEC_E_NO_IMPERSONATION, "token: %08lx", status);
    ok(!token, "a token was returned all the same");
    status = ImpersonateSecurityContext(&loop.server);
    ok(status == SEC_E_NO_IMPERSONATION, "impersonate: %08lx", status);
    ok(!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token), "the thread impersonates");
    ok(contexts_talk(&loop.client, &loop.server), "messages fail");
    loopback_close(&loop);
}

/* Target names that mean this machine, or no machine in particular. */
static void test_own_targets(void)
{
    wchar_t computer[64], spn[80];
    DWORD size = 64;
    GetComputerNameW(computer, &size);
    wsprintfW(spn, L"HOST/%s", computer);
    const wchar_t *const targets[] = {NULL, L"", spn, L"HTTP/localhost", L"HTTP/127.0.0.1"};
    for (unsigned i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
        if (!ok(!status, "no credentials: %08lx", status)) return;
        loop.target = targets[i];
        status = loopback_connect(&loop);
        ok(status == SEC_E_OK, "%ls: %08lx", targets[i] ? targets[i] : L"none", status);
        loopback_close(&loop);
    }
}

/* ours: a client that asked for another host is not taken for a client of this server */
static void test_foreign_target(void)
{
    if (!ours_only()) return;
    static const wchar_t *const targets[] = {L"HTTP/elsewhere.example.org", L"cifs/192.0.2.7"};
    for (unsigned i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
        if (!ok(!status, "no credentials: %08lx", status)) return;
        loop.target = targets[i];
        status = loopback_connect(&loop);
        ok(status < 0, "%ls: %08lx", targets[i], status);
        loopback_close(&loop);
    }
}

/* A proof is good for the challenge that it was made for and for one use. */
static void test_replay(void)
{
    BYTE last[4096];
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    BYTE first[4096];
    ULONG first_size = loop.token_size;
    memcpy(first, loop.token, first_size);
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    ULONG last_size = loop.token_size;
    memcpy(last, loop.token, last_size);
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");

    /* Another server context, given both messages of the client that has just logged on. */
    DeleteSecurityContext(&loop.server);
    context_forget(&loop.server);
    memcpy(loop.token, first, first_size);
    loop.token_size = first_size;
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1 again");
    memcpy(loop.token, last, last_size);
    loop.token_size = last_size;
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_LOGON_DENIED || status == SEC_E_INVALID_TOKEN, "replayed proof: %08lx",
       status);
    loopback_close(&loop);
}

/* ours: an attacker who passes a challenge on to the very machine that issued it */
static void test_reflection(void)
{
    if (!ours_only()) return;
    static struct loopback other;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    status = loopback_open(&other, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    /* Two handshakes side by side, each client given the other's challenge. */
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_client_leg(&other) == SEC_I_CONTINUE_NEEDED, "other client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    ok(loopback_server_leg(&other) == SEC_I_CONTINUE_NEEDED, "other server 1");
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    ok(loopback_client_leg(&other) == SEC_E_OK, "other client 2");
    CtxtHandle server = loop.server;
    loop.server = other.server;
    other.server = server;
    status = loopback_server_leg(&loop);
    ok(status < 0, "a proof for another challenge: %08lx", status);
    status = loopback_server_leg(&other);
    ok(status < 0, "the other way round: %08lx", status);
    loopback_close(&loop);
    loopback_close(&other);
}

/* Everything but the server's last leg; the client's proof is in loop. */
static bool almost_connected(void)
{
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return false;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    return ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
}

/* ours: whatever is changed in the client's proof, the server refuses it. After a proof that was
 * wrong the challenge is used up; after one that could not be read the true one is taken. */
static void test_changed_proof(void)
{
    static BYTE proof[sizeof(loop.token)];
    ULONG size = 1;
    if (!ours_only()) return;
    for (ULONG i = 0; i < size; i++) {
        if (!almost_connected()) return;
        size = loop.token_size;
        memcpy(proof, loop.token, size);
        loop.token[i] ^= (BYTE)(1 << i % 8);
        SECURITY_STATUS status = loopback_server_leg(&loop);
        bool unreadable = status == SEC_E_INVALID_TOKEN;
        ok(status == SEC_E_LOGON_DENIED || unreadable, "byte %lu: %08lx", i, status);
        memcpy(loop.token, proof, size);
        loop.token_size = size;
        status = loopback_server_leg(&loop);
        ok(status == (unreadable ? SEC_E_OK : SEC_E_LOGON_DENIED),
           "byte %lu, then the true one: %08lx", i, status);
        if (!status) ok(contexts_talk(&loop.client, &loop.server), "messages fail");
        loopback_close(&loop);
    }
}

/* ours: a relay between the client and a server here takes the target information out of the
 * challenge, so that the client does not say whom it meant */
static void test_target_information_removed(void)
{
    static wchar_t foreign[] = L"HTTP/elsewhere.example.com";
    if (!ours_only()) return;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    loop.target = foreign;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    loop.token[22] &= (BYTE)~0x80; /* NTLMSSP_NEGOTIATE_TARGET_INFO */
    memset(loop.token + 40, 0, 8); /* TargetInfoFields */
    status = loopback_client_leg(&loop);
    if (!status) status = loopback_server_leg(&loop);
    ok(status == SEC_E_LOGON_DENIED, "a relayed local call: %08lx", status);
    loopback_close(&loop);
}

/* ours: one proof, two servers that hold the same challenge because one was exported as a copy */
static void test_copied_server(void)
{
    static struct blob blob;
    static struct loopback copy;
    if (!ours_only()) return;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    status = context_export(&loop.server, 0, &blob, NULL);
    ok(!status && blob.size, "export: %08lx", status);
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    copy = loop;
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
    status = context_import(L"NTLM", blob.bytes, blob.size, &copy.server);
    if (ok(!status, "import: %08lx", status)) {
        status = loopback_server_leg(&copy);
        ok(status == SEC_E_LOGON_DENIED, "the copy takes the proof too: %08lx", status);
        DeleteSecurityContext(&copy.server);
    }
    loopback_close(&loop);
}

/* The tickets of local calls do not run out. */
static void test_many_logons(void)
{
    for (int i = 0; i < 500; i++) {
        SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
        if (!ok(!status, "logon %d: %08lx", i, status)) return;
        loopback_close(&loop);
    }
}

int main(void)
{
    RUN(test_names);
    RUN(test_token);
    RUN(test_impersonate);
    RUN(test_client_cannot_impersonate);
    RUN(test_somebody_else);
    RUN(test_own_targets);
    RUN(test_foreign_target);
    RUN(test_replay);
    RUN(test_reflection);
    RUN(test_changed_proof);
    RUN(test_target_information_removed);
    RUN(test_copied_server);
    RUN(test_many_logons);
    return test_end("api_local");
}
