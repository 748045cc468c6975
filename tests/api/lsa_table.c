/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions that the LSA gives to packages, called as a package calls them: the test module
 * prov_logon.dll leads to its table. [D name] is the page of the function's type in ntsecpkg.h.
 */
#include "lsa_provider.h"

#include <wchar.h>

static struct lsa_provider provider;
static const LSA_SECPKG_FUNCTION_TABLE *lsa;

static LSA_STRING string(const char *text)
{
    USHORT length = (USHORT)strlen(text);
    return (LSA_STRING){length, length, (char *)text};
}

/* ---- sessions and credentials ---- */

static NTSTATUS credential_get(LUID *id, ULONG package, const char *name, char *value)
{
    LSA_STRING key = string(name), found = {0, 0, NULL};
    ULONG position = 0;
    NTSTATUS status = lsa->GetCredentials(id, package, &position, FALSE, &key, NULL, &found);
    if (status) return status;
    memcpy(value, found.Buffer, found.Length);
    value[found.Length] = 0;
    lsa->FreeLsaHeap(found.Buffer);
    return status;
}

static void child_sessions(void)
{
    LUID id, unknown = {1, 77};
    char value[64];
    LSA_STRING key = string("key"), secret = string("a secret"), other = string("other");
    AllocateLocallyUniqueId(&id);
    NTSTATUS status = lsa->CreateLogonSession(&id);
    ok(!status, "creating: %08lx", status);
    status = lsa->CreateLogonSession(&id); /* [D lsa_create_logon_session] */
    ok(status == STATUS_LOGON_SESSION_COLLISION, "again: %08lx", status);
    /* [D lsa_add_credential], [D lsa_get_credentials], [D lsa_delete_credential] */
    status = lsa->AddCredential(&id, 5, &key, &secret);
    ok(!status, "adding: %08lx", status);
    status = lsa->AddCredential(&id, 5, &key, &secret);
    ok(status == STATUS_OBJECT_NAME_COLLISION, "adding again: %08lx", status);
    status = lsa->AddCredential(&unknown, 5, &key, &secret);
    ok(status == STATUS_NO_SUCH_LOGON_SESSION, "adding nowhere: %08lx", status);
    status = credential_get(&id, 5, "key", value);
    ok(!status && !strcmp(value, "a secret"), "getting: %08lx", status);
    status = credential_get(&id, 6, "key", value);
    ok(status == STATUS_UNSUCCESSFUL, "another package's: %08lx", status);
    status = lsa->DeleteCredential(&id, 5, &other);
    ok(status == STATUS_OBJECT_NAME_NOT_FOUND, "deleting another: %08lx", status);
    ok(!lsa->DeleteCredential(&id, 5, &key), "deleting");
    status = credential_get(&id, 5, "key", value);
    ok(status == STATUS_UNSUCCESSFUL, "deleted: %08lx", status);
    ok(!lsa->DeleteLogonSession(&id), "ending");
    status = lsa->DeleteLogonSession(&id);
    ok(status == STATUS_NO_SUCH_LOGON_SESSION, "ending again: %08lx", status);
    status = credential_get(&id, 5, "key", value);
    ok(status == STATUS_NO_SUCH_LOGON_SESSION, "of an ended session: %08lx", status);
    LUID system = {0x3e7, 0};
    status = lsa->DeleteLogonSession(&system);
    ok(status == STATUS_BAD_LOGON_SESSION_STATE, "ending the system's: %08lx", status);
}

/* [D lsa_get_credentials] one by one, each once, the position kept by the caller */
static void child_enumerate(void)
{
    LUID id;
    char room[8], big[32];
    LSA_STRING found, key = {0, 2, room};
    ULONG position = 0, size = 0, seen = 0;
    AllocateLocallyUniqueId(&id);
    ok(!lsa->CreateLogonSession(&id), "creating");
    for (int i = 0; i < 5; i++) {
        char name[] = "key 0", value[] = "value 0";
        name[4] = (char)('0' + i);
        value[6] = (char)('0' + i);
        LSA_STRING one = string(name), secret = string(value);
        ok(!lsa->AddCredential(&id, 5, &one, &secret), "adding %d", i);
    }
    NTSTATUS status = lsa->GetCredentials(&id, 5, &position, TRUE, &key, &size, &found);
    ok(status == STATUS_MORE_ENTRIES && size == 5 && !position, "no room: %08lx, %lu", status,
       size);
    key = (LSA_STRING){0, sizeof(big), big};
    for (int i = 0; i < 6; i++) {
        status = lsa->GetCredentials(&id, 5, &position, TRUE, &key, &size, &found);
        if (status) break;
        ok(key.Length == 5 && found.Length == 7 && big[4] == found.Buffer[6], "%.5s", big);
        seen |= 1u << (big[4] - '0');
        lsa->FreeLsaHeap(found.Buffer);
    }
    ok(status == STATUS_UNSUCCESSFUL && seen == 0x1f, "end %08lx, seen %lx", status, seen);
    ok(!lsa->DeleteLogonSession(&id), "ending");
}

/* ---- secrets ---- */

static void child_protect(void)
{
    for (ULONG size = 1; size <= 100; size++) {
        BYTE plain[100], bytes[100], moved[100];
        for (ULONG i = 0; i < size; i++) plain[i] = (BYTE)(i * 7 + size);
        memcpy(bytes, plain, size);
        lsa->LsaProtectMemory(bytes, size);
        ok(size == 1 || memcmp(bytes, plain, size), "%lu bytes are as they were", size);
        memcpy(moved, bytes, size);
        lsa->LsaUnprotectMemory(moved, size);
        ok(!memcmp(moved, plain, size), "%lu bytes do not come back", size);
        if (size < 17) continue;
        int same = 0;
        for (ULONG i = 0; i < size; i++) same += bytes[i] == plain[i];
        ok(same < 8, "%d of %lu bytes are as they were", same, size);
    }
    lsa->LsaProtectMemory(NULL, 0);
}

/* ---- tokens ---- */

static void child_tokens(void)
{
    TOKEN_STATISTICS own;
    BYTE user[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    HANDLE token, made = NULL;
    DWORD size;
    LUID unknown = {1, 77}, system = {0x3e7, 0};
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    GetTokenInformation(token, TokenStatistics, &own, sizeof(own), &size);
    GetTokenInformation(token, TokenUser, user, sizeof(user), &size);
    /* [D lsa_open_token_by_logon_id] */
    NTSTATUS status = lsa->OpenTokenByLogonId(&own.AuthenticationId, &made);
    ok(!status && made, "the own session's: %08lx", status);
    CloseHandle(made);
    status = lsa->OpenTokenByLogonId(&unknown, &made);
    ok(status == STATUS_NO_SUCH_LOGON_SESSION, "an unknown session's: %08lx", status);
    status = lsa->OpenTokenByLogonId(&system, &made);
    ok(status == STATUS_ACCESS_DENIED, "the system's: %08lx", status);
    /* [D lsa_create_token] for the user of the process: ours */
    LSA_TOKEN_INFORMATION_V2 information = {.User = *(TOKEN_USER *)user};
    TOKEN_SOURCE source = {.SourceName = "test"};
    NTSTATUS sub_status = 1;
    made = NULL;
    status = lsa->CreateToken(&own.AuthenticationId, &source, Network, SecurityIdentification,
                              LsaTokenInformationV2, &information, NULL, NULL, NULL, NULL, NULL,
                              &made, &sub_status);
    ok(!status && made, "creating: %08lx", status);
    TOKEN_STATISTICS statistics;
    ok(GetTokenInformation(made, TokenStatistics, &statistics, sizeof(statistics), &size) &&
           statistics.TokenType == TokenImpersonation &&
           statistics.ImpersonationLevel == SecurityIdentification,
       "another token");
    HANDLE copy = NULL;
    status = provider.record->functions->DuplicateTokenHandle(made, &copy);
    ok(!status && copy && copy != made, "duplicating: %08lx", status);
    CloseHandle(copy);
    CloseHandle(made);
    BOOLEAN is_protected = 77;
    status = provider.record->functions->CheckProtectedUserByToken(token, &is_protected);
    ok(!status && is_protected == FALSE, "protected: %08lx", status);
    *GetSidSubAuthority(information.User.User.Sid, 0) += 1;
    status = lsa->CreateTokenEx(&own.AuthenticationId, &source, Network, SecurityIdentification,
                                LsaTokenInformationV2, &information, NULL, NULL, NULL, NULL, 0,
                                &made, &sub_status);
    ok(status == STATUS_LOGON_TYPE_NOT_GRANTED, "a stranger's: %08lx", status);
    CloseHandle(token);
}

/* ---- notifications ---- */

struct told {
    HANDLE event;
    volatile LONG count;
    HANDLE notification; /* to be cancelled by the function itself */
    DWORD delay;
};

static DWORD WINAPI tell(void *argument)
{
    struct told *told = argument;
    if (told->delay) Sleep(told->delay);
    InterlockedIncrement(&told->count);
    if (told->notification) {
        NTSTATUS status = lsa->CancelNotification(told->notification);
        if (status) told->count = -1000;
    }
    SetEvent(told->event);
    return 0;
}

static void told_begin(struct told *told)
{
    *told = (struct told){.event = CreateEventW(NULL, FALSE, FALSE, NULL)};
}

static bool was_told(const struct told *told)
{
    return WaitForSingleObject(told->event, 5000) == WAIT_OBJECT_0;
}

/* [D lsa_register_notification] each kind of source */
static void child_handle_wait(void)
{
    struct told told;
    told_begin(&told);
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    HANDLE n = lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_HANDLE_WAIT, 0, 0, 0, event);
    ok(n != NULL, "registering");
    for (int i = 0; i < 3; i++) {
        SetEvent(event);
        ok(was_told(&told), "signal %d is not told", i);
    }
    ok(!lsa->CancelNotification(n), "cancelling");
    SetEvent(event);
    ok(WaitForSingleObject(told.event, 100) == WAIT_TIMEOUT, "told afterwards");
    ok(told.count == 3, "told %ld times", told.count);
    NTSTATUS status = lsa->CancelNotification(n);
    ok(status == STATUS_INVALID_HANDLE, "cancelling again: %08lx", status);
    ok(!lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_HANDLE_WAIT, 0, 0, 0, NULL),
       "no event");
    ok(!lsa->RegisterNotification(tell, &told, 99, 0, 0, 0, NULL), "no such kind");
    ok(!lsa->RegisterNotification(NULL, &told, NOTIFIER_TYPE_IMMEDIATE, 0, 0, 0, NULL),
       "no function");
}

static void child_interval(void)
{
    struct told told;
    told_begin(&told);
    HANDLE n = lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_INTERVAL, 0,
                                         NOTIFIER_FLAG_SECONDS | NOTIFIER_FLAG_NEW_THREAD, 1, NULL);
    ok(n && was_told(&told) && was_told(&told), "two seconds are not told");
    ok(!lsa->CancelNotification(n), "cancelling");
    n = lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_INTERVAL, 0, 0, 1, NULL);
    ok(n && WaitForSingleObject(told.event, 1200) == WAIT_TIMEOUT, "a minute is a second");
    ok(!lsa->CancelNotification(n), "cancelling");
    ok(!lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_INTERVAL, 0, 0, 0, NULL),
       "no interval");
}

static void child_once(void)
{
    struct told told;
    told_begin(&told);
    HANDLE event = CreateEventW(NULL, TRUE, TRUE, NULL); /* stays signalled */
    HANDLE n = lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_IMMEDIATE, 0, 0, 0, NULL);
    ok(n && was_told(&told), "at once");
    n = lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_HANDLE_WAIT, 0, NOTIFIER_FLAG_ONE_SHOT,
                                  0, event);
    ok(n && was_told(&told), "one shot");
    ok(WaitForSingleObject(told.event, 200) == WAIT_TIMEOUT, "told again");
    NTSTATUS status = lsa->CancelNotification(n);
    ok(status == STATUS_INVALID_HANDLE, "cancelling what is over: %08lx", status);
    ok(told.count == 2, "told %ld times", told.count);
}

/* Cancelling waits for the function, unless it is the function that cancels. */
static void child_cancel(void)
{
    struct told told;
    told_begin(&told);
    HANDLE event = CreateEventW(NULL, FALSE, TRUE, NULL);
    told.delay = 300;
    HANDLE n = lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_HANDLE_WAIT, 0, 0, 0, event);
    Sleep(100);
    ok(!lsa->CancelNotification(n), "cancelling");
    ok(told.count == 1, "the function has run %ld times", told.count);
    told_begin(&told);
    told.delay = 50;
    told.notification = lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_HANDLE_WAIT, 0, 0, 0,
                                                  event);
    SetEvent(event);
    ok(was_told(&told), "not told");
    SetEvent(event);
    ok(WaitForSingleObject(told.event, 200) == WAIT_TIMEOUT && told.count == 1, "told %ld times",
       told.count);
}

static DWORD WINAPI tell_and_raise(void *argument)
{
    struct told *told = argument;
    InterlockedIncrement(&told->count);
    SetEvent(told->event);
    RaiseException(0xe0000005, 0, 0, NULL);
    return 0;
}

/* An exception of the function ends that call, and neither the process nor the notification. */
static void child_raise(void)
{
    struct told told;
    told_begin(&told);
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    HANDLE n = lsa->RegisterNotification(tell_and_raise, &told, NOTIFIER_TYPE_HANDLE_WAIT, 0, 0, 0,
                                         event);
    SetEvent(event);
    ok(n && was_told(&told), "once");
    SetEvent(event);
    ok(was_told(&told), "twice");
    ok(!lsa->CancelNotification(n) && told.count == 2, "told %ld times", told.count);
}

static DWORD WINAPI tell_event(void *argument)
{
    const SECPKG_EVENT_NOTIFY *notify = argument;
    struct told *told = notify->PackageParameter;
    InterlockedExchange(&told->count, (LONG)notify->EventClass);
    SetEvent(told->event);
    return 0;
}

static DWORD WINAPI tell_loaded(void *argument)
{
    const SECPKG_EVENT_NOTIFY *notify = argument;
    const SECPKG_EVENT_PACKAGE_CHANGE *change = notify->EventData;
    struct told *told = notify->PackageParameter;
    bool good = notify->EventClass == NOTIFY_CLASS_PACKAGE_CHANGE &&
                notify->EventDataSize == sizeof(*change) &&
                change->ChangeType == SECPKG_PACKAGE_CHANGE_LOAD &&
                change->PackageName.Length == 8 && !memcmp(change->PackageName.Buffer, L"NTLM", 8);
    told->count = good ? (LONG)change->PackageId : -1;
    SetEvent(told->event);
    return 0;
}

static void child_changes(void)
{
    static const struct saved_value probe = {.key = L"SYSTEM\\CurrentControlSet\\Control\\Lsa",
                                             .name = L"winesspi-test-notify"};
    struct told told;
    DWORD number = 1;
    told_begin(&told);
    HANDLE n = lsa->RegisterNotification(tell_event, &told, NOTIFIER_TYPE_NOTIFY_EVENT,
                                         NOTIFY_CLASS_REGISTRY_CHANGE, 0, 0, NULL);
    ok(n && value_set(&probe, REG_DWORD, &number, sizeof(number)), "no change");
    ok(was_told(&told) && told.count == NOTIFY_CLASS_REGISTRY_CHANGE, "told of %ld", told.count);
    ok(!lsa->CancelNotification(n), "cancelling");
    ok(value_restore(&probe), "not restored");
    n = lsa->RegisterNotification(tell, &told, NOTIFIER_TYPE_STATE_CHANGE, 0, 0, 0, NULL);
    ok(n && !lsa->CancelNotification(n), "state");
    /* NTLM has not been used yet. */
    struct told loaded;
    told_begin(&loaded);
    n = lsa->RegisterNotification(tell_loaded, &loaded, NOTIFIER_TYPE_NOTIFY_EVENT,
                                  NOTIFY_CLASS_PACKAGE_CHANGE, 0, 0, NULL);
    ULONG id = 0;
    LSA_STRING name = string("NTLM");
    ok(n && !LsaLookupAuthenticationPackage(provider.lsa, &name, &id), "NTLM");
    ok(was_told(&loaded) && (ULONG)loaded.count == id, "told of package %ld", loaded.count);
    ok(!lsa->CancelNotification(n), "cancelling");
}

/* ---- threads: the same lists from many sides ---- */

static volatile LONG thread_faults;

static DWORD WINAPI thread_tell(void *argument)
{
    InterlockedIncrement((volatile LONG *)argument);
    return 0;
}

static bool round_of_sessions(LUID *id)
{
    LSA_STRING key = string("key"), secret = string("a secret of a thread");
    char value[64] = "";
    HANDLE connection;
    bool good = !lsa->CreateLogonSession(id) && !lsa->AddCredential(id, 5, &key, &secret);
    good = good && !credential_get(id, 5, "key", value) && !strcmp(value, secret.Buffer);
    good = good && !lsa->DeleteLogonSession(id);
    return good && !LsaConnectUntrusted(&connection) && !LsaDeregisterLogonProcess(connection);
}

/* The function may be about to run when its notification is cancelled; it does not after it. */
static bool round_of_notices(HANDLE event)
{
    volatile LONG *told = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*told));
    HANDLE n = lsa->RegisterNotification(thread_tell, (void *)told, NOTIFIER_TYPE_HANDLE_WAIT, 0, 0,
                                         0, event);
    SetEvent(event);
    bool good = n && !lsa->CancelNotification(n);
    LONG before = *told;
    SetEvent(event);
    good = good && *told == before && before <= 1;
    ResetEvent(event);
    HeapFree(GetProcessHeap(), 0, (void *)told);
    return good;
}

static DWORD WINAPI thread_main(void *argument)
{
    LUID id = {(DWORD)(ULONG_PTR)argument, 4711};
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    for (int i = 0; i < 200; i++) {
        if (!round_of_sessions(&id)) InterlockedIncrement(&thread_faults);
        if (i % 4 == 0 && !round_of_notices(event)) InterlockedIncrement(&thread_faults);
    }
    CloseHandle(event);
    return 0;
}

static void child_threads(void)
{
    HANDLE threads[8];
    for (ULONG_PTR i = 0; i < ARRAYSIZE(threads); i++)
        threads[i] = CreateThread(NULL, 0, thread_main, (void *)(i + 1), 0, NULL);
    DWORD result = WaitForMultipleObjects(ARRAYSIZE(threads), threads, TRUE, 20000);
    ok(result < ARRAYSIZE(threads), "the threads do not end");
    ok(!thread_faults, "%ld rounds went wrong", thread_faults);
}

/* ---- packages, callbacks, the client ---- */

static void child_packages(void)
{
    UNICODE_STRING name = {18, 18, (wchar_t *)L"TestLogon"}, none = {8, 8, (wchar_t *)L"none"};
    struct prov_call_message message = {.call = PROV_CALL_ECHO, .text = "by name"};
    struct prov_call_answer *answer = NULL;
    ULONG size;
    NTSTATUS protocol;
    NTSTATUS status = lsa->CallPackage(&none, &message, sizeof(message), (void **)&answer, &size,
                                       &protocol);
    ok(status == STATUS_NO_SUCH_PACKAGE, "unknown: %08lx", status);
    status = lsa->CallPackagePassthrough(&name, NULL, &message, sizeof(message), (void **)&answer,
                                         &size, &protocol);
    ok(!status && answer->function == 'p' && !strcmp(answer->text, "by name"), "%08lx", status);
    lsa->FreeReturnBuffer(answer);
    status = lsa->CallPackageEx(&name, &message, &message, sizeof(message), (void **)&answer, &size,
                                &protocol);
    ok(!status && answer->function == 't', "%08lx", status);
    lsa->FreeReturnBuffer(answer);
}

/* ---- accounts and stored credentials ---- */

static void child_accounts(void)
{
    wchar_t name[512];
    UNICODE_STRING in, cracked = {0}, domain, none = {18, 18, (wchar_t *)L"nobody at"};
    ULONG sub_status = 77;
    void *user = NULL;
    NTSTATUS status = lsa->OpenSamUser((PSECURITY_STRING)&none, SecNameSamCompatible, NULL, FALSE,
                                       0, &user);
    ok(status == STATUS_NO_SUCH_USER && !user, "opening: %08lx", status);
    status = lsa->CloseSamUser(&name);
    ok(status == STATUS_INVALID_HANDLE, "closing: %08lx", status);
    ok(process_user(name, ARRAYSIZE(name)), "no user");
    in = (UNICODE_STRING){(USHORT)(wcslen(name) * 2), (USHORT)(wcslen(name) * 2), name};
    status = lsa->CrackSingleName(2, FALSE, &in, NULL, 2, &cracked, &domain, &sub_status);
    if (ok(!status && !sub_status, "cracking: %08lx, %lu", status, sub_status)) {
        ok(cracked.Length == in.Length && !_wcsnicmp(cracked.Buffer, name, in.Length / 2), "%ls",
           cracked.Buffer);
        lsa->FreeLsaHeap(cracked.Buffer);
    }
    status = lsa->CrackSingleName(2, FALSE, &none, NULL, 2, &cracked, &domain, &sub_status);
    ok(status == STATUS_NONE_MAPPED && sub_status == 2, "nobody: %08lx, %lu", status, sub_status);
    status = lsa->CrackSingleName(2, FALSE, &in, NULL, 8, &cracked, &domain, &sub_status);
    ok(status == STATUS_NONE_MAPPED && sub_status == 4, "a UPN: %08lx, %lu", status, sub_status);
}

static void child_stored(void)
{
    wchar_t target[] = L"winesspi-test-target", user[] = L"user";
    BYTE secret[] = "a stored secret, in two blocks";
    ENCRYPTED_CREDENTIALW made = {.Cred = {.Type = CRED_TYPE_GENERIC,
                                           .TargetName = target,
                                           .UserName = user,
                                           .CredentialBlob = secret,
                                           .CredentialBlobSize = sizeof(secret),
                                           .Persist = CRED_PERSIST_SESSION},
                                  .ClearCredentialBlobSize = sizeof(secret)};
    ENCRYPTED_CREDENTIALW *found = NULL;
    NTSTATUS status = lsa->CrediWrite(NULL, CREDP_FLAGS_CLEAR_PASSWORD, &made, 0);
    if (!ok(!status, "writing: %08lx", status)) return;
    status = lsa->CrediRead(NULL, CREDP_FLAGS_CLEAR_PASSWORD, target, CRED_TYPE_GENERIC, 0, &found);
    if (ok(!status, "reading: %08lx", status)) {
        ok(!wcscmp(found->Cred.TargetName, target) && !wcscmp(found->Cred.UserName, user), "names");
        ok(found->Cred.CredentialBlobSize == sizeof(secret) &&
               !memcmp(found->Cred.CredentialBlob, secret, sizeof(secret)),
           "clear");
        lsa->CrediFreeCredentials(1, &found);
    }
    status = lsa->CrediRead(NULL, 0, target, CRED_TYPE_GENERIC, 0, &found);
    if (ok(!status, "reading: %08lx", status)) {
        ok(found->ClearCredentialBlobSize == sizeof(secret), "size");
        ok(memcmp(found->Cred.CredentialBlob, secret, sizeof(secret)), "not protected");
        /* As it is, it can be written again. */
        status = lsa->CrediWrite(NULL, 0, found, 0);
        ok(!status, "writing: %08lx", status);
        lsa->LsaUnprotectMemory(found->Cred.CredentialBlob, found->Cred.CredentialBlobSize);
        ok(!memcmp(found->Cred.CredentialBlob, secret, sizeof(secret)), "another secret");
        lsa->CrediFreeCredentials(1, &found);
    }
    status = lsa->CrediRead(NULL, CREDP_FLAGS_CLEAR_PASSWORD, target, CRED_TYPE_GENERIC, 0, &found);
    ok(!status && !memcmp(found->Cred.CredentialBlob, secret, sizeof(secret)), "%08lx", status);
    if (!status) lsa->CrediFreeCredentials(1, &found);
    ok(CredDeleteW(target, CRED_TYPE_GENERIC, 0), "not deleted");
    status = lsa->CrediRead(NULL, 0, target, CRED_TYPE_GENERIC, 0, &found);
    ok(status == STATUS_NOT_FOUND, "deleted: %08lx", status);
    LUID other = {1, 77};
    status = lsa->CrediRead(&other, 0, target, CRED_TYPE_GENERIC, 0, &found);
    ok(status == STATUS_NO_SUCH_LOGON_SESSION, "another session's: %08lx", status);
}

static const struct hosting_case child_cases[] = {
    CHILD(sessions), CHILD(enumerate), CHILD(protect), CHILD(tokens),  CHILD(handle_wait),
    CHILD(interval), CHILD(once),      CHILD(cancel),  CHILD(changes), CHILD(packages),
    CHILD(accounts), CHILD(stored),    CHILD(threads), CHILD(raise),
};

/* ---- in the parent ---- */

#define TEST(name)                   \
    static void test_##name(void)    \
    {                                \
        lsa_provider_run(L"" #name); \
    }

TEST(sessions)
TEST(enumerate)
TEST(protect)
TEST(tokens)
TEST(handle_wait)
TEST(interval)
TEST(once)
TEST(cancel)
TEST(raise)
TEST(changes)
TEST(packages)
TEST(accounts)
TEST(stored)
TEST(threads)

int main(int argc, char **argv)
{
    if (argc == 2)
        return lsa_provider_case_run(&provider, &lsa, child_cases, ARRAYSIZE(child_cases), argv[1]);
    if (!hosting_begin()) {
        printf("skip api_lsa_table: a Wine prefix with a writable temporary folder\n");
        printf("api_lsa_table: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_sessions);
    RUN(test_enumerate);
    RUN(test_protect);
    RUN(test_tokens);
    RUN(test_handle_wait);
    RUN(test_interval);
    RUN(test_once);
    RUN(test_cancel);
    RUN(test_raise);
    RUN(test_changes);
    RUN(test_packages);
    RUN(test_accounts);
    RUN(test_stored);
    RUN(test_threads);
    hosting_end();
    return test_end("api_lsa_table");
}
