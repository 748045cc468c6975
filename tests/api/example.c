/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ssp_example, the package that authors start from, does what it says: handshakes, refusals,
 * messages, attributes, export and import. All cases are ours, see api_providers.
 */
#include "hosting.h"
#include "loopback.h"

#define EXAMPLE L"Example"

static struct loopback loop;

/* ---- in the child ---- */

static SECURITY_STATUS acquire(const wchar_t *user, const wchar_t *secret, ULONG flags,
                               CredHandle *made)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = {.User = (USHORT *)user,
                                          .UserLength = (ULONG)wcslen(user),
                                          .Password = (USHORT *)secret,
                                          .PasswordLength = (ULONG)wcslen(secret),
                                          .Flags = flags};
    return AcquireCredentialsHandleW(NULL, (wchar_t *)EXAMPLE, SECPKG_CRED_BOTH, NULL, &identity,
                                     NULL, NULL, made, NULL);
}

static bool open_pair(const wchar_t *client_secret, const wchar_t *server_secret)
{
    memset(&loop, 0, sizeof(loop));
    context_forget(&loop.client);
    context_forget(&loop.server);
    loop.client_flags = SEAL_FLAGS;
    loop.server_flags = SERVER_SEAL_FLAGS;
    SECURITY_STATUS status = acquire(L"alice", client_secret, SEC_WINNT_AUTH_IDENTITY_UNICODE,
                                     &loop.client_cred);
    if (!ok(!status, "the client's credential: %08lx", status)) return false;
    status = acquire(L"server", server_secret, SEC_WINNT_AUTH_IDENTITY_UNICODE, &loop.server_cred);
    if (status) FreeCredentialsHandle(&loop.client_cred);
    return ok(!status, "the server's credential: %08lx", status);
}

static bool connect_pair(void)
{
    if (!open_pair(L"sesame", L"sesame")) return false;
    SECURITY_STATUS status = loopback_connect(&loop);
    if (status) loopback_close(&loop);
    return ok(!status, "handshake: %08lx", status);
}

static void child_handshake(void)
{
    if (!connect_pair()) return;
    ok(contexts_talk(&loop.client, &loop.server), "they do not talk");
    ok(loop.client_attrs & ISC_RET_CONFIDENTIALITY, "client's flags %lx", loop.client_attrs);
    ok(loop.server_attrs & ASC_RET_INTEGRITY, "server's flags %lx", loop.server_attrs);
    SecPkgContext_NamesW names = {NULL};
    SECURITY_STATUS status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
    if (ok(!status, "names: %08lx", status)) {
        ok(!wcscmp(names.sUserName, L"alice"), "name %ls", names.sUserName);
        ok(!FreeContextBuffer(names.sUserName), "the name is not freed");
    }
    HANDLE token;
    ok(QuerySecurityContextToken(&loop.server, &token) == SEC_E_NO_IMPERSONATION, "a token");
    loopback_close(&loop);
}

static void child_refusals(void)
{
    CredHandle made;
    if (open_pair(L"sesame", L"another")) {
        ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client");
        ok(loopback_server_leg(&loop) == SEC_E_LOGON_DENIED, "another secret is accepted");
        loopback_close(&loop);
    }
    if (open_pair(L"sesame", L"sesame")) {
        ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client");
        SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
        ok(ExportSecurityContext(&loop.client, 0, &packed, NULL) == SEC_E_INVALID_HANDLE,
           "a half-open context is exported");
        ok(loopback_server_leg(&loop) == SEC_E_OK, "server");
        BYTE answer[128];
        ULONG size = loop.token_size;
        ok(size <= sizeof(answer), "an answer of %lu bytes", size);
        memcpy(answer, loop.token, sizeof(answer));
        loop.token[10] ^= 1;
        ok(loopback_client_leg(&loop) == SEC_E_LOGON_DENIED, "a changed answer is accepted");
        memcpy(loop.token, answer, sizeof(answer));
        loop.token_size = size - 1;
        ok(loopback_client_leg(&loop) == SEC_E_INVALID_TOKEN, "a short answer is accepted");
        loop.token_size = size;
        ok(loopback_client_leg(&loop) == SEC_E_OK, "the right answer comes too late");
        ok(contexts_talk(&loop.client, &loop.server), "they do not talk");
        loopback_close(&loop);
    }
    ok(acquire(L"alice", L"sesame", SEC_WINNT_AUTH_IDENTITY_ANSI, &made) ==
           SEC_E_UNKNOWN_CREDENTIALS,
       "an ANSI identity");
    wchar_t longest[40];
    for (int i = 0; i < 39; i++) longest[i] = L'x';
    longest[39] = 0;
    ok(acquire(longest, L"sesame", SEC_WINNT_AUTH_IDENTITY_UNICODE, &made) ==
           SEC_E_UNKNOWN_CREDENTIALS,
       "a user name that is too long");
    ok(AcquireCredentialsHandleW(NULL, (wchar_t *)EXAMPLE, SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL,
                                 &made, NULL) == SEC_E_NO_CREDENTIALS,
       "there is a default credential");
}

static void child_messages(void)
{
    if (!connect_pair()) return;
    struct message one, two, three;
    message_set(&one, "one", 3);
    message_set(&two, "two", 3);
    ok(!message_seal(&loop.client, &one) && !message_seal(&loop.client, &two), "not sealed");
    ok(memcmp(one.data, "one", 3) && one.token_size == 16, "what is sealed is not");
    three = two;
    ok(message_open(&loop.server, &three) == SEC_E_MESSAGE_ALTERED, "out of order");
    three = one;
    three.data[0] ^= 1;
    ok(message_open(&loop.server, &three) == SEC_E_MESSAGE_ALTERED, "changed");
    three = one;
    ok(message_verify(&loop.server, &three) == SEC_E_MESSAGE_ALTERED, "sealed passes as signed");
    three = one;
    ok(message_open(&loop.client, &three) == SEC_E_MESSAGE_ALTERED, "sent back");
    three = one;
    ok(!message_open(&loop.server, &three) && !memcmp(three.data, "one", 3), "the first");
    ok(message_open(&loop.server, &one) == SEC_E_MESSAGE_ALTERED, "the first again");
    ok(!message_open(&loop.server, &two) && !memcmp(two.data, "two", 3), "the second");
    loopback_close(&loop);
}

static void child_export(void)
{
    static struct blob blob;
    if (!connect_pair()) return;
    ok(contexts_talk(&loop.client, &loop.server), "before");
    SECURITY_STATUS status = context_export(&loop.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob,
                                            NULL);
    ok(!status, "export: %08lx", status);
    ok(DeleteSecurityContext(&loop.server) == SEC_E_INVALID_HANDLE, "the old one is alive");
    status = context_import(EXAMPLE, blob.bytes, blob.size, &loop.server);
    if (!ok(!status, "import: %08lx", status)) return;
    ok(contexts_talk(&loop.client, &loop.server), "after");
    CtxtHandle again;
    status = context_import(EXAMPLE, blob.bytes, blob.size, &again);
    ok(status == SEC_E_CONTEXT_EXPIRED, "import again: %08lx", status);

    status = context_export(&loop.server, SECPKG_CONTEXT_EXPORT_RESET_NEW, &blob, NULL);
    ok(!status, "export as new: %08lx", status);
    status = context_import(EXAMPLE, blob.bytes, blob.size, &again);
    if (ok(!status, "import as new: %08lx", status)) {
        ok(contexts_talk(&loop.client, &loop.server), "the old one");
        struct message text;
        message_set(&text, "text", 4);
        ok(!message_seal(&loop.client, &text), "not sealed");
        ok(message_open(&again, &text) == SEC_E_MESSAGE_ALTERED, "the numbers were not reset");
        DeleteSecurityContext(&again);
    }
    loopback_close(&loop);
}

/* ---- in the parent ---- */

static const struct hosting_case child_cases[] = {CHILD(handshake), CHILD(refusals),
                                                  CHILD(messages), CHILD(export)};

static void run(const wchar_t *child)
{
    static struct hosting_names lsa;
    DWORD failures;
    memset(&lsa, 0, sizeof(lsa));
    hosting_names_add(&lsa, hosting_folder, L"ssp_example");
    bool done = hosting_run(child, &lsa, NULL, &failures);
    ok(done && !failures, "child %ls: exit status %lu", child, failures);
}

#define CASE(name)                \
    static void test_##name(void) \
    {                             \
        run(L## #name);           \
    }

CASE(handshake)
CASE(refusals)
CASE(messages)
CASE(export)

int main(int argc, char **argv)
{
    if (argc == 2) return hosting_case_run(child_cases, ARRAYSIZE(child_cases), argv[1], NULL);
    if (!hosting_begin()) {
        printf("skip api_example: a Wine prefix with a writable temporary folder\n");
        printf("api_example: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_handshake);
    RUN(test_refusals);
    RUN(test_messages);
    RUN(test_export);
    hosting_end();
    return test_end("api_example");
}
