/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The LSA functions that need no package of their own: connections, looking packages up, messages
 * that do not arrive, logon sessions. [D page] names the function's page.
 */
#include "ssp/abi.h"
#include "support.h"

#include <wchar.h>

#define NO_HANDLE ((HANDLE)(ULONG_PTR)0x12345678)

static LSA_STRING string(const char *text)
{
    USHORT length = (USHORT)strlen(text);
    return (LSA_STRING){length, length, (char *)text};
}

static HANDLE connect(void)
{
    HANDLE lsa = NULL;
    NTSTATUS status = LsaConnectUntrusted(&lsa);
    ok(!status && lsa, "connecting: %08lx", status);
    return lsa;
}

/* ---- connections ---- */

static void test_connect(void)
{
    ULONG id;
    LSA_STRING name = string("Negotiate");
    HANDLE lsa = connect(); /* [D lsaconnectuntrusted] anybody may */
    NTSTATUS status = LsaLookupAuthenticationPackage(lsa, &name, &id);
    ok(!status, "looking up: %08lx", status);
    status = LsaDeregisterLogonProcess(lsa); /* [D lsaderegisterlogonprocess] of both kinds */
    ok(!status, "closing: %08lx", status);
}

static void test_closed(void)
{
    if (!ours_only()) return;
    ULONG id = 77;
    LSA_STRING name = string("Negotiate");
    HANDLE lsa = connect();
    LsaDeregisterLogonProcess(lsa);
    const HANDLE bad[] = {lsa, NULL, INVALID_HANDLE_VALUE, NO_HANDLE};
    for (size_t i = 0; i < ARRAYSIZE(bad); i++) {
        NTSTATUS status = LsaDeregisterLogonProcess(bad[i]);
        ok(status == STATUS_INVALID_HANDLE, "closing %p: %08lx", bad[i], status);
        status = LsaLookupAuthenticationPackage(bad[i], &name, &id);
        ok(status == STATUS_INVALID_HANDLE, "looking up by %p: %08lx", bad[i], status);
        void *out = &name;
        ULONG size = 7;
        NTSTATUS protocol = 7;
        status = LsaCallAuthenticationPackage(bad[i], 0, &id, sizeof(id), &out, &size, &protocol);
        ok(status == STATUS_INVALID_HANDLE, "calling by %p: %08lx", bad[i], status);
        ok(!out && !size && !protocol, "%p: an answer", bad[i]);
    }
    ok(id == 77, "an id was written");
    NTSTATUS status = LsaConnectUntrusted(NULL);
    ok(status == STATUS_INVALID_PARAMETER, "NULL: %08lx", status);
}

/* A handle is no address, no two are one, and one that was closed is not given again at once. */
static void test_many_connections(void)
{
    if (!ours_only()) return;
    static HANDLE handles[2000];
    HANDLE first = connect();
    LsaDeregisterLogonProcess(first);
    int bad = 0;
    for (size_t i = 0; i < ARRAYSIZE(handles); i++) {
        handles[i] = NULL;
        if (LsaConnectUntrusted(&handles[i])) bad++;
        if (handles[i] == first || (i && handles[i] == handles[i - 1])) bad++;
    }
    ok(!bad, "%d of the handles are wrong", bad);
    ok(IsBadReadPtr(handles[0], 1), "a handle is an address");
    /* By now another has the place of the one that was closed. */
    NTSTATUS status = LsaDeregisterLogonProcess(first);
    ok(status == STATUS_INVALID_HANDLE, "closing a closed one: %08lx", status);
    for (size_t i = 0; i < ARRAYSIZE(handles); i++)
        bad += LsaDeregisterLogonProcess(handles[i]) != 0;
    ok(!bad, "%d handles do not close", bad);
}

static void test_register(void)
{
    static char long_name[129];
    memset(long_name, 'x', 128);
    LSA_STRING name = string("winesspi test"), too_long = string(long_name);
    LSA_OPERATIONAL_MODE mode = 77;
    HANDLE lsa = NULL;
    /* [D lsaregisterlogonprocess] who has no SeTcbPrivilege is refused */
    NTSTATUS status = LsaRegisterLogonProcess(&name, &lsa, &mode);
    ok(!status || status == STATUS_PORT_CONNECTION_REFUSED, "registering: %08lx", status);
    ok(!status == (lsa != NULL), "handle %p", lsa);
    if (running_on_ours()) ok(!status, "ours: the user of a prefix is refused: %08lx", status);
    if (!status) LsaDeregisterLogonProcess(lsa);
    /* [D lsaregisterlogonprocess] more than 127 bytes */
    lsa = NULL;
    status = LsaRegisterLogonProcess(&too_long, &lsa, &mode);
    ok(status == STATUS_NAME_TOO_LONG && !lsa, "a long name: %08lx", status);
}

/* A thread that acts for nobody is not the process, whatever that may do. */
static void test_register_anonymous(void)
{
    if (!ours_only()) return;
    LSA_STRING name = string("winesspi test");
    LSA_OPERATIONAL_MODE mode = 77;
    HANDLE lsa = NULL;
    BOOLEAN found = 77;
    NTSTATUS(WINAPI * is_protected)(BOOLEAN *);
    is_protected = function_find("sspicli.dll", "SeciIsProtectedUser");
    if (!ok(ImpersonateSelf(SecurityAnonymous), "error %lu", GetLastError())) return;
    NTSTATUS status = LsaRegisterLogonProcess(&name, &lsa, &mode);
    NTSTATUS asked = is_protected(&found);
    RevertToSelf();
    ok(status == STATUS_PORT_CONNECTION_REFUSED && !lsa && mode == 77, "%08lx", status);
    ok(asked == STATUS_ACCESS_DENIED && found == 77, "protected: %08lx", asked);
}

/* ---- packages ---- */

static void test_lookup(void)
{
    static char long_name[129];
    memset(long_name, 'x', 128);
    LSA_STRING name = string("Negotiate");
    HANDLE lsa = connect();
    ULONG id = 77;
    NTSTATUS status = LsaLookupAuthenticationPackage(lsa, &name, &id);
    ok(!status && id == 0, "Negotiate: %08lx, %lu", status, id); /* [WM negotiate.c] */
    id = 77;
    name = string("no such package");
    status = LsaLookupAuthenticationPackage(lsa, &name, &id); /* [D lsalookup...] */
    ok(status == STATUS_NO_SUCH_PACKAGE && id == 77, "unknown: %08lx, %lu", status, id);
    name = string(long_name);
    status = LsaLookupAuthenticationPackage(lsa, &name, &id); /* [D lsalookup...] */
    ok(status == STATUS_NAME_TOO_LONG && id == 77, "too long: %08lx, %lu", status, id);
    LsaDeregisterLogonProcess(lsa);
}

static void test_lookup_ours(void)
{
    if (!ours_only()) return;
    HANDLE lsa = connect();
    ULONG ntlm = 77, again = 78;
    LSA_STRING name = string("NTLM");
    NTSTATUS status = LsaLookupAuthenticationPackage(lsa, &name, &ntlm);
    ok(!status && ntlm && ntlm != 77, "NTLM: %08lx, %lu", status, ntlm);
    name = string("ntlm");
    status = LsaLookupAuthenticationPackage(lsa, &name, &again);
    ok(!status && again == ntlm, "ntlm: %08lx, %lu", status, again);
    name = string("");
    status = LsaLookupAuthenticationPackage(lsa, &name, &again);
    ok(status == STATUS_NO_SUCH_PACKAGE, "no name: %08lx", status);
    LsaDeregisterLogonProcess(lsa);
}

static void test_call(void)
{
    HANDLE lsa = connect();
    ULONG size = 7, message = 0xdead;
    void *out = &size;
    NTSTATUS protocol = 7;
    /* [WM negotiate.c] */
    NTSTATUS status = LsaCallAuthenticationPackage(lsa, 0xdeadbeef, &message, sizeof(message), &out,
                                                   &size, &protocol);
    ok(status == STATUS_NO_SUCH_PACKAGE, "unknown package: %08lx", status);
    ok(!out && !size && !protocol, "unknown package: %p, %lu, %08lx", out, size, protocol);
    size = 7;
    protocol = 7;
    status = LsaCallAuthenticationPackage(lsa, 0, NULL, 0, &out, &size, &protocol);
    ok(status == STATUS_INVALID_PARAMETER, "no message: %08lx", status);
    ok(!size && !protocol, "no message: %lu, %08lx", size, protocol);
    LsaDeregisterLogonProcess(lsa);
}

/* ---- sessions ---- */

static bool own_statistics(TOKEN_STATISTICS *out)
{
    HANDLE token;
    DWORD size;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    bool found = GetTokenInformation(token, TokenStatistics, out, sizeof(*out), &size);
    CloseHandle(token);
    return found;
}

static void test_enumerate(void)
{
    TOKEN_STATISTICS own;
    ULONG count = 0;
    LUID *list = NULL;
    if (!ok(own_statistics(&own), "no token")) return;
    NTSTATUS status = LsaEnumerateLogonSessions(&count, &list); /* [D lsaenumerate...] anybody */
    if (!ok(!status && count && list, "%08lx, %lu sessions", status, count)) return;
    int found = 0;
    for (ULONG i = 0; i < count; i++)
        found += !memcmp(&list[i], &own.AuthenticationId, sizeof(LUID));
    ok(found == 1, "the own session is there %d times", found);
    ok(!LsaFreeReturnBuffer(list), "not freed");
}

static void check_sid(PSID sid)
{
    BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    HANDLE token;
    DWORD size;
    if (!ok(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token), "no token")) return;
    GetTokenInformation(token, TokenUser, room, sizeof(room), &size);
    CloseHandle(token);
    ok(sid && EqualSid(sid, ((TOKEN_USER *)room)->User.Sid), "the user is another");
}

static bool is_account(const LSA_UNICODE_STRING *domain, const LSA_UNICODE_STRING *user)
{
    wchar_t name[512], found[512];
    if (!process_user(name, ARRAYSIZE(name))) return false;
    swprintf(found, ARRAYSIZE(found), L"%.*ls\\%.*ls", domain->Length / 2, domain->Buffer,
             user->Length / 2, user->Buffer);
    return !_wcsicmp(name, found);
}

static void test_session_data(void)
{
    TOKEN_STATISTICS own;
    SECURITY_LOGON_SESSION_DATA *data = NULL;
    if (!ok(own_statistics(&own), "no token")) return;
    NTSTATUS status = LsaGetLogonSessionData(&own.AuthenticationId, &data);
    if (!ok(!status && data, "%08lx", status)) return;
    /* [W8 main.c:269-277] */
    ok(data->Size >= sizeof(*data), "size %lu", data->Size);
    ok(!memcmp(&data->LogonId, &own.AuthenticationId, sizeof(LUID)), "another session");
    ok(data->AuthenticationPackage.Length > 0, "no package");
    /* [D lsagetlogonsessiondata] */
    check_sid(data->Sid);
    ok(is_account(&data->LogonDomain, &data->UserName), "another name");
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    ok(data->LogonTime.QuadPart > 0 && CompareFileTime((FILETIME *)&data->LogonTime, &now) <= 0,
       "logged on at %lld", data->LogonTime.QuadPart);
    ok(!LsaFreeReturnBuffer(data), "not freed");
}

static void test_session_unknown(void)
{
    LUID id = {0x7ffffff1, 0x7ffffff2};
    SECURITY_LOGON_SESSION_DATA *data = NULL;
    NTSTATUS status = LsaGetLogonSessionData(&id, &data); /* [D lsagetlogonsessiondata] */
    ok(status == STATUS_NO_SUCH_LOGON_SESSION && !data, "%08lx", status);
}

/* [D lsagetlogonsessiondata] little is told of the system's session */
static void test_session_system(void)
{
    if (!ours_only()) return;
    LUID id = {0x3e7, 0};
    SECURITY_LOGON_SESSION_DATA *data = NULL;
    NTSTATUS status = LsaGetLogonSessionData(&id, &data);
    if (!ok(!status && data, "%08lx", status)) return;
    ok(data->Size == sizeof(*data) && !memcmp(&data->LogonId, &id, sizeof(id)), "another session");
    ok(!data->UserName.Length && !data->Sid, "its user is told");
    LsaFreeReturnBuffer(data);
}

static void test_user_info(void)
{
    NTSTATUS(WINAPI * get)(LUID *, ULONG, SecurityUserData **);
    get = function_find("secur32.dll", "GetSecurityUserInfo");
    SecurityUserData *data = NULL;
    if (!ours_only()) return;
    if (!ok(get != NULL, "not exported")) return;
    NTSTATUS status = get(NULL, 0, &data);
    if (!ok(!status && data, "%08lx", status)) return;
    check_sid(data->pSid);
    ok(is_account((LSA_UNICODE_STRING *)&data->LogonDomainName,
                  (LSA_UNICODE_STRING *)&data->UserName),
       "another name");
    ok(!LsaFreeReturnBuffer(data), "not freed");
}

static void test_protected_user(void)
{
    NTSTATUS(WINAPI * is_protected)(BOOLEAN *);
    is_protected = function_find("sspicli.dll", "SeciIsProtectedUser");
    if (!ours_only()) return;
    if (!ok(is_protected != NULL, "not exported")) return;
    BOOLEAN found = 77;
    NTSTATUS status = is_protected(&found);
    ok(!status && found == FALSE, "%08lx, %d", status, found);
}

/* ---- the rest ---- */

static void test_free(void)
{
    if (!ours_only()) return;
    ok(!LsaFreeReturnBuffer(NULL), "NULL");
}

static void test_refused(void)
{
    if (!ours_only()) return;
    DWORD(WINAPI * open)(wchar_t *) = function_find("secur32.dll", "OpenLsaPerformanceData");
    NTSTATUS(WINAPI * certificate)(void *);
    NTSTATUS(WINAPI * local)(HANDLE *);
    certificate = function_find("sspicli.dll", "LsaSetMachineCertificate");
    local = function_find("sspicli.dll", "LsaConnectLocalUser");
    if (!ok(open && certificate && local, "not exported")) return;
    HANDLE handle = NULL;
    ok(open(NULL) == ERROR_NOT_SUPPORTED, "counters");
    ok(certificate(NULL) == STATUS_NOT_IMPLEMENTED, "certificate");
    ok(local(&handle) == STATUS_NOT_IMPLEMENTED && !handle, "local user");
}

/* [D changeaccountpassword] the one buffer, and the package */
static void test_password(void)
{
    if (!ours_only()) return;
    wchar_t word[] = L"test";
    SecBuffer buffers[2] = {{0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL},
                            {0, SECBUFFER_CHANGE_PASS_RESPONSE, NULL}};
    SecBufferDesc one = {SECBUFFER_VERSION, 1, buffers}, two = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status;
    status = ChangeAccountPasswordW((wchar_t *)L"no such package", word, word, word, word, FALSE, 0,
                                    &one);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "unknown package: %08lx", status);
    status = ChangeAccountPasswordW(NULL, word, word, word, word, FALSE, 0, &one);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "no package: %08lx", status);
    status = ChangeAccountPasswordW((wchar_t *)L"NTLM", word, word, word, word, FALSE, 0, &two);
    ok(status == SEC_E_INVALID_PARAMETER, "two buffers: %08lx", status);
    status = ChangeAccountPasswordW((wchar_t *)L"NTLM", word, word, word, word, FALSE, 0, NULL);
    ok(status == SEC_E_INVALID_PARAMETER, "no buffer: %08lx", status);
    status = ChangeAccountPasswordW((wchar_t *)L"NTLM", word, word, word, word, FALSE, 1, &one);
    ok(status == SEC_E_INVALID_PARAMETER, "reserved: %08lx", status);
    buffers[0].BufferType = SECBUFFER_DATA;
    status = ChangeAccountPasswordW((wchar_t *)L"NTLM", word, word, word, word, FALSE, 0, &one);
    ok(status == SEC_E_INVALID_PARAMETER, "another buffer: %08lx", status);
}

int main(void)
{
    RUN(test_connect);
    RUN(test_closed);
    RUN(test_many_connections);
    RUN(test_register);
    RUN(test_register_anonymous);
    RUN(test_lookup);
    RUN(test_lookup_ours);
    RUN(test_call);
    RUN(test_enumerate);
    RUN(test_session_data);
    RUN(test_session_unknown);
    RUN(test_session_system);
    RUN(test_user_info);
    RUN(test_protected_user);
    RUN(test_free);
    RUN(test_refused);
    RUN(test_password);
    return test_end("api_lsa");
}
