/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions of the LSA short of memory, with an authentication package of the tests' own. */
#include "ssp/abi.h"

#include "fault.h"

#include "../providers/prov_logon.h"

#include <wchar.h>

static HANDLE lsa;
static ULONG package;

static LSA_STRING string(const char *text)
{
    USHORT length = (USHORT)strlen(text);
    return (LSA_STRING){length, length, (char *)text};
}

/* ---- connections ---- */

static LONG connect_call(void)
{
    return LsaConnectUntrusted(&answers.pointers[0]);
}

static LONG register_call(void)
{
    LSA_STRING name = string("winesspi test");
    return LsaRegisterLogonProcess(&name, &answers.pointers[0],
                                   (LSA_OPERATIONAL_MODE *)&answers.numbers[0]);
}

static bool connect_check(void)
{
    return !LsaDeregisterLogonProcess(answers.pointers[0]);
}

static LONG lookup_call(void)
{
    LSA_STRING name = string("Negotiate");
    return LsaLookupAuthenticationPackage(lsa, &name, &answers.numbers[0]);
}

/* ---- messages ---- */

static LONG message_call(void)
{
    struct prov_call_message message = {.call = PROV_CALL_ECHO, .text = "a message"};
    message.self = &message;
    NTSTATUS protocol = 0;
    void *answer = NULL;
    ULONG size = 0;
    LONG status = LsaCallAuthenticationPackage(lsa, package, &message, sizeof(message), &answer,
                                               &size, &protocol);
    if (status < 0) expect_kept(!answer && !size);
    if (status >= 0) answers.pointers[0] = answer;
    return status < 0 ? status : protocol;
}

static bool block_check(void)
{
    return !LsaFreeReturnBuffer(answers.pointers[0]);
}

/* ---- log-ons ---- */

static struct fault_logon made;

LONG fault_logon(HANDLE to, ULONG of, void *message, ULONG size, struct fault_logon *out)
{
    LSA_STRING origin = string("test");
    TOKEN_SOURCE source = {.SourceName = "test"};
    memset(out, 0, sizeof(*out));
    LONG status = LsaLogonUser(to, &origin, Network, of, message, size, NULL, &source,
                               &out->profile, &out->profile_size, &out->id, &out->token,
                               &out->quotas, &out->sub_status);
    if (status < 0) expect_kept(!out->profile && !out->token);
    return status;
}

bool fault_logon_end(struct fault_logon *logon)
{
    return CloseHandle(logon->token) && (!logon->profile || !LsaFreeReturnBuffer(logon->profile));
}

static LONG logon_call(void)
{
    BYTE room[sizeof(MSV1_0_INTERACTIVE_LOGON) + 64] = {0};
    MSV1_0_INTERACTIVE_LOGON *message = (MSV1_0_INTERACTIVE_LOGON *)room;
    wchar_t *text = (wchar_t *)(message + 1);
    memcpy(text, L"meright", 7 * sizeof(wchar_t));
    message->MessageType = MsV1_0InteractiveLogon;
    message->UserName = (UNICODE_STRING){4, 4, text};
    message->Password = (UNICODE_STRING){10, 10, text + 2};
    return fault_logon(lsa, package, message, sizeof(*message) + 14, &made);
}

static bool logon_check(void)
{
    return made.profile && fault_logon_end(&made);
}

/* Sessions are kept until there are too many. */
static void sessions_fill(void)
{
    for (int i = 0; i < 300; i++)
        if (!logon_call()) logon_check();
}

/* ---- sessions ---- */

static LONG list_call(void)
{
    return LsaEnumerateLogonSessions(&answers.numbers[0], (LUID **)&answers.pointers[0]);
}

static LONG data_call(void)
{
    return LsaGetLogonSessionData(&made.id, (SECURITY_LOGON_SESSION_DATA **)&answers.pointers[0]);
}

static LONG own_data_call(void)
{
    TOKEN_STATISTICS statistics;
    HANDLE token;
    DWORD size;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return -1;
    GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size);
    CloseHandle(token);
    return LsaGetLogonSessionData(&statistics.AuthenticationId,
                                  (SECURITY_LOGON_SESSION_DATA **)&answers.pointers[0]);
}

static LONG info_call(void)
{
    static NTSTATUS(WINAPI * get)(LUID *, ULONG, SecurityUserData **);
    if (!get) get = function_find("secur32.dll", "GetSecurityUserInfo");
    return get(NULL, 0, (SecurityUserData **)&answers.pointers[0]);
}

static LONG protected_call(void)
{
    static NTSTATUS(WINAPI * is_protected)(BOOLEAN *);
    if (!is_protected) is_protected = function_find("sspicli.dll", "SeciIsProtectedUser");
    return is_protected(&answers.bytes[0]);
}

/* ---- policy ---- */

static HANDLE event;

static LONG policy_call(void)
{
    return LsaRegisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation, event);
}

static bool policy_check(void)
{
    return !LsaUnregisterPolicyChangeNotification(PolicyNotifyAuditEventsInformation, event);
}

static bool package_open(void)
{
    wchar_t path[MAX_PATH];
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options)};
    LSA_STRING name = string(PROV_LOGON_NAME);
    if (!program_folder(path, MAX_PATH - 16)) return false;
    wcscat(path, L"prov_logon.dll");
    return !AddSecurityPackageW(path, &options) && !LsaConnectUntrusted(&lsa) &&
           !LsaLookupAuthenticationPackage(lsa, &name, &package);
}

void fault_lsa(void)
{
    static const struct scenario scenarios[] = {
        {"LsaConnectUntrusted", KIND_NT, NULL, connect_call, connect_check, NULL},
        {"LsaRegisterLogonProcess", KIND_NT, NULL, register_call, connect_check, NULL},
        {"LsaLookupAuthenticationPackage", KIND_NT, NULL, lookup_call, NULL, NULL},
        {"LsaCallAuthenticationPackage", KIND_NT, NULL, message_call, block_check, NULL},
        {"LsaLogonUser", KIND_NT, NULL, logon_call, logon_check, NULL},
        {"LsaEnumerateLogonSessions", KIND_NT, NULL, list_call, block_check, NULL},
        {"LsaGetLogonSessionData", KIND_NT, NULL, own_data_call, block_check, NULL},
        {"LsaGetLogonSessionData of a log-on", KIND_NT, NULL, data_call, block_check, NULL},
        {"GetSecurityUserInfo", KIND_NT, NULL, info_call, block_check, NULL},
        {"SeciIsProtectedUser", KIND_NT, NULL, protected_call, NULL, NULL},
        {"LsaRegisterPolicyChangeNotification", KIND_NT, NULL, policy_call, policy_check, NULL},
    };
    event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!package_open()) return;
    sessions_fill();
    for (size_t i = 0; i < ARRAYSIZE(scenarios); i++)
        scenario_run(&scenarios[i], "its own package");
    LsaDeregisterLogonProcess(lsa);
    CloseHandle(event);
}
