/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The package of prov_logon.h. */
#include "prov_logon.h"

#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

static struct prov_logon_record record;
static const struct lsa_function_table *table;
static bool useless;

static void fault(int line)
{
    InterlockedIncrement(&record.faults);
    InterlockedExchange(&record.last_fault, line);
}

#define EXPECT(condition) ((condition) ? (void)0 : fault(__LINE__))

struct prov_logon_record *WINAPI prov_logon_record(void)
{
    return &record;
}

static void raise(void)
{
    RaiseException(0xe0000004, 0, 0, NULL);
}

/* ---- initialisation ---- */

static NTSTATUS NTAPI initialize_package(ULONG id, PLSA_DISPATCH_TABLE dispatch,
                                         PLSA_STRING database, PLSA_STRING confidentiality,
                                         PLSA_STRING *name)
{
    EXPECT(dispatch && dispatch->AllocateLsaHeap && dispatch->CreateLogonSession);
    bool as_msv = GetEnvironmentVariableA(PROV_LOGON_AS_MSV, NULL, 0) != 0;
    const char *own = as_msv ? MSV1_0_PACKAGE_NAME : PROV_LOGON_NAME;
    USHORT length = (USHORT)strlen(own);
    LSA_STRING *made = dispatch->AllocateLsaHeap((ULONG)sizeof(*made) + length + 1);
    if (!made) return STATUS_NO_MEMORY;
    made->Buffer = memcpy(made + 1, own, length + 1u);
    made->Length = length;
    made->MaximumLength = (USHORT)(length + 1);
    record.id = id;
    *name = made;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI initialize(ULONG_PTR id, PSECPKG_PARAMETERS parameters,
                                 PLSA_SECPKG_FUNCTION_TABLE functions)
{
    EXPECT(id == record.id);
    table = (const struct lsa_function_table *)functions;
    record.functions = table;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI get_info(PSecPkgInfo ansi_name)
{
    *(PSecPkgInfoW)ansi_name = (SecPkgInfoW){
        useless ? 0 : SECPKG_FLAG_LOGON,       1, SECPKG_ID_NONE, 0, (wchar_t *)L"TestLogon",
        (wchar_t *)L"Test package for log-ons"};
    return STATUS_SUCCESS;
}

/* ---- log-ons ---- */

/* The string's text in the copy of the message, or NULL when it is not all in the message. */
static const wchar_t *text_find(const UNICODE_STRING *string, const void *copy, const void *base,
                                ULONG size)
{
    ULONG_PTR offset = (ULONG_PTR)string->Buffer - (ULONG_PTR)base;
    if (offset > size || string->Length > size - offset) return NULL;
    return (const wchar_t *)((const BYTE *)copy + offset);
}

static bool text_is(const wchar_t *text, USHORT size, const wchar_t *wanted)
{
    return size == wcslen(wanted) * sizeof(*wanted) && !memcmp(text, wanted, size);
}

/* What a log-on gives, which is nothing if a part of it is missing: then everything goes back, and
 * what was to be written has gone to the waste. */
static __thread struct {
    void *blocks[32];
    unsigned count;
    bool failed;
    BYTE waste[512];
} given;

static void *block(size_t size)
{
    void *made = table->declared.AllocateLsaHeap((ULONG)size);
    if (made && given.count < ARRAYSIZE(given.blocks)) given.blocks[given.count++] = made;
    else given.failed = true;
    return made ? made : given.waste;
}

static void given_take_back(void)
{
    while (given.count) table->declared.FreeLsaHeap(given.blocks[--given.count]);
}

/* One that was given only to be copied. */
static void block_free(void *block)
{
    for (unsigned i = 0; i < given.count; i++) {
        if (given.blocks[i] != block) continue;
        given.blocks[i] = given.blocks[--given.count];
        table->declared.FreeLsaHeap(block);
        return;
    }
}

static PSID sid_copy(PSID sid)
{
    DWORD size = GetLengthSid(sid);
    PSID copy = block(size);
    if (copy) CopySid(size, copy, sid);
    return copy;
}

static PSID process_sid(void)
{
    BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    HANDLE token;
    DWORD size;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return NULL;
    BOOL found = GetTokenInformation(token, TokenUser, room, sizeof(room), &size);
    CloseHandle(token);
    return found ? sid_copy(((TOKEN_USER *)room)->User.Sid) : NULL;
}

static PSID stranger_sid(void)
{
    SID_IDENTIFIER_AUTHORITY nt = {SECURITY_NT_AUTHORITY};
    PSID made, copy;
    if (!AllocateAndInitializeSid(&nt, 5, 21, 1, 2, 3, 1001, 0, 0, 0, &made)) return NULL;
    copy = sid_copy(made);
    FreeSid(made);
    return copy;
}

static void string_make(UNICODE_STRING *out, const wchar_t *text)
{
    USHORT size = (USHORT)(wcslen(text) * sizeof(*text));
    out->Buffer = block(size + sizeof(*text));
    memcpy(out->Buffer, text, size);
    out->Length = out->MaximumLength = size;
}

static UNICODE_STRING *string_block(const wchar_t *text)
{
    UNICODE_STRING *made = block(sizeof(*made));
    string_make(made, text);
    return made;
}

/* Version 1: each part is a block. Version 2: one block. */
static void *token_information(PSID sid, bool monolithic)
{
    DWORD size = GetLengthSid(sid);
    LSA_TOKEN_INFORMATION_V1 *made = block(sizeof(*made) + size);
    made->ExpirationTime.QuadPart = 0x7fffffffffffffff;
    made->User.User.Sid = sid;
    if (!monolithic) {
        made->PrimaryGroup.PrimaryGroup = sid_copy(sid);
        made->Groups = block(sizeof(*made->Groups));
        made->Groups->GroupCount = 1;
        made->Groups->Groups[0].Sid = sid_copy(sid);
        return made;
    }
    CopySid(size, made + 1, sid);
    made->User.User.Sid = made + 1;
    made->PrimaryGroup.PrimaryGroup = made + 1;
    block_free(sid);
    return made;
}

static NTSTATUS session_make(LUID *id)
{
    LSA_STRING key = {3, 3, (char *)"key"}, value = {6, 6, (char *)"secret"};
    AllocateLocallyUniqueId(id);
    NTSTATUS status = table->declared.CreateLogonSession(id);
    if (status) return status;
    return table->declared.AddCredential(id, (ULONG)record.id, &key, &value);
}

static void token_describe(const wchar_t *user, LSA_TOKEN_INFORMATION_TYPE *kind, void **token)
{
    *kind = wcscmp(user, L"me again") ? LsaTokenInformationV2 : LsaTokenInformationV1;
    if (!wcscmp(user, L"nobody")) {
        *kind = LsaTokenInformationNull;
        *token = block(sizeof(LSA_TOKEN_INFORMATION_NULL));
        return;
    }
    bool stranger = !wcscmp(user, L"stranger");
    *token = token_information(stranger ? stranger_sid() : process_sid(),
                               *kind == LsaTokenInformationV2);
}

static NTSTATUS judge(const MSV1_0_INTERACTIVE_LOGON *message, const void *base, ULONG size,
                      wchar_t user[64], NTSTATUS *sub_status)
{
    if (size < sizeof(*message) || message->MessageType != MsV1_0InteractiveLogon)
        return STATUS_INVALID_PARAMETER;
    const wchar_t *name = text_find(&message->UserName, message, base, size);
    const wchar_t *password = text_find(&message->Password, message, base, size);
    if (!name || !password || message->UserName.Length >= 128) return STATUS_INVALID_PARAMETER;
    memcpy(user, name, message->UserName.Length);
    user[message->UserName.Length / 2] = 0;
    if (!text_is(password, message->Password.Length, L"right")) return STATUS_LOGON_FAILURE;
    if (wcscmp(user, L"expired")) return STATUS_SUCCESS;
    *sub_status = STATUS_PASSWORD_EXPIRED;
    return STATUS_ACCOUNT_RESTRICTION;
}

static NTSTATUS NTAPI logon_user(PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE type, PVOID info,
                                 PVOID base, ULONG size, PVOID *profile, PULONG profile_size,
                                 PLUID id, PNTSTATUS sub_status, PLSA_TOKEN_INFORMATION_TYPE kind,
                                 PVOID *token, PUNICODE_STRING *account, PUNICODE_STRING *authority,
                                 PUNICODE_STRING *machine, PSECPKG_PRIMARY_CRED primary,
                                 PSECPKG_SUPPLEMENTAL_CRED_ARRAY *supplemental)
{
    wchar_t user[64] = L"";
    EXPECT(request && profile && profile_size && id && sub_status && kind && token && account);
    EXPECT(info != base); /* [D lsa_ap_logon_user_ex2] a copy, and where the original is */
    NTSTATUS status = judge(info, base, size, user, sub_status);
    if (!wcscmp(user, L"raise")) {
        *profile = *account = *authority = *machine = (void *)&record;
        raise();
    }
    given.count = given.failed = 0;
    *account = string_block(user); /* given whatever comes of it */
    *authority = string_block(L"TEST");
    if (status) return status;
    if (wcscmp(user, L"sessionless")) status = session_make(id);
    void *client = NULL;
    if (!status) status = table->declared.AllocateClientBuffer(request, 8, &client);
    if (status) table->declared.DeleteLogonSession(id);
    if (status) return status;
    table->declared.CopyToClientBuffer(request, 8, client, (void *)"profile");
    *profile = client;
    *profile_size = 8;
    token_describe(user, kind, token);
    string_make(&primary->DownlevelName, user);
    string_make(&primary->DomainName, L"TEST");
    string_make(&primary->Password, L"right");
    string_make(&primary->LogonServer, L"SERVER");
    primary->UserSid = process_sid();
    primary->Flags = PRIMARY_CRED_CLEAR_PASSWORD;
    if (!given.failed) return STATUS_SUCCESS;
    given_take_back();
    table->declared.DeleteLogonSession(id);
    table->declared.FreeClientBuffer(request, client);
    *account = *authority = NULL;
    *token = *profile = NULL;
    *profile_size = 0;
    memset(primary, 0, sizeof(*primary));
    return STATUS_NO_MEMORY;
}

static void NTAPI logon_terminated(PLUID id)
{
    record.last_terminated = *id;
    InterlockedIncrement(&record.terminated);
    if (record.frail) raise();
}

static NTSTATUS NTAPI accept_credentials(SECURITY_LOGON_TYPE type, PUNICODE_STRING account,
                                         PSECPKG_PRIMARY_CRED primary,
                                         PSECPKG_SUPPLEMENTAL_CRED supplemental)
{
    EXPECT(account && account->Length && primary && primary->Password.Length == 10);
    record.last_accepted_flags = primary->Flags;
    InterlockedIncrement(&record.accepted);
    record.frail = text_is(account->Buffer, account->Length, L"frail");
    if (record.frail) raise();
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI acquire(PUNICODE_STRING principal, ULONG use, PLUID id, PVOID auth_data,
                              PVOID get_key, PVOID get_key_argument, PLSA_SEC_HANDLE handle,
                              PTimeStamp expiry)
{
    SECPKG_CALL_INFO info;
    CredHandle made;
    if (principal && text_is(principal->Buffer, principal->Length, L"raise"))
        AcquireCredentialsHandleA(NULL, (char *)"NTLM", use, NULL, (void *)0x1000, NULL, NULL,
                                  &made, NULL); /* there is no memory at that address */
    EXPECT(table->declared.GetCallInfo(&info));
    record.acquired_attributes = info.Attributes;
    return STATUS_NO_SUCH_LOGON_SESSION;
}

static NTSTATUS NTAPI get_user_info(PLUID id, ULONG flags, PSecurityUserData *out)
{
    if (flags) {
        *out = (void *)&record;
        raise();
    }
    SecurityUserData *made = block(sizeof(*made) + 16);
    made->UserName.Buffer = memcpy(made + 1, L"asked", 10);
    made->UserName.Length = made->UserName.MaximumLength = 10;
    *out = made;
    return STATUS_SUCCESS;
}

/* ---- messages ---- */

static NTSTATUS info_fill(struct prov_call_answer *answer)
{
    EXPECT(table->declared.GetCallInfo(&answer->call));
    return table->declared.GetClientInfo(&answer->client);
}

static NTSTATUS recursive(struct prov_call_answer *answer)
{
    UNICODE_STRING name = {18, 18, (wchar_t *)L"TestLogon"};
    struct prov_call_message message = {.call = PROV_CALL_INFO};
    void *out = NULL;
    ULONG size = 0;
    NTSTATUS protocol = -1;
    NTSTATUS status = table->declared.CallPackage(&name, &message, sizeof(message), &out, &size,
                                                  &protocol);
    EXPECT(status || (size == sizeof(*answer) && !protocol));
    if (!status) *answer = *(struct prov_call_answer *)out;
    table->declared.FreeReturnBuffer(out);
    return status;
}

static NTSTATUS call(char function, PLSA_CLIENT_REQUEST request, PVOID in, PVOID base, ULONG size,
                     PVOID *out, PULONG out_size, PNTSTATUS protocol)
{
    const struct prov_call_message *message = in;
    struct prov_call_answer answer = {.function = function, .request = request != NULL};
    struct secpkg_failure_reason reason = {STATUS_WRONG_PASSWORD, 7};
    NTSTATUS status = STATUS_SUCCESS;
    EXPECT(out && out_size && protocol);
    if (size < sizeof(*message)) return STATUS_INVALID_PARAMETER;
    if (message->self) EXPECT(in != base && message->self == base);
    switch (message->call) {
    case PROV_CALL_ECHO: memcpy(answer.text, message->text, sizeof(answer.text)); break;
    case PROV_CALL_INFO: status = info_fill(&answer); break;
    case PROV_CALL_RECURSIVE: status = recursive(&answer); break;
    case PROV_CALL_REASON:
        *protocol = STATUS_LOGON_FAILURE;
        return table->SetSecpkgFailureReason(reason);
    case PROV_CALL_FAIL:
        *out = &record;
        *out_size = 99;
        *protocol = 77;
        return STATUS_UNSUCCESSFUL;
    case PROV_CALL_RAISE:
        *out = &record;
        raise();
        break;
    default: return STATUS_INVALID_PARAMETER;
    }
    if (status) return status;
    void *client = NULL;
    status = table->declared.AllocateClientBuffer(request, sizeof(answer), &client);
    if (status) return status;
    table->declared.CopyToClientBuffer(request, sizeof(answer), client, &answer);
    *out = client;
    *out_size = sizeof(answer);
    *protocol = STATUS_SUCCESS;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI call_package(PLSA_CLIENT_REQUEST request, PVOID in, PVOID base, ULONG size,
                                   PVOID *out, PULONG out_size, PNTSTATUS protocol)
{
    return call('t', request, in, base, size, out, out_size, protocol);
}

static NTSTATUS NTAPI call_untrusted(PLSA_CLIENT_REQUEST request, PVOID in, PVOID base, ULONG size,
                                     PVOID *out, PULONG out_size, PNTSTATUS protocol)
{
    return call('u', request, in, base, size, out, out_size, protocol);
}

static NTSTATUS NTAPI call_passthrough(PLSA_CLIENT_REQUEST request, PVOID in, PVOID base,
                                       ULONG size, PVOID *out, PULONG out_size, PNTSTATUS protocol)
{
    return call('p', request, in, base, size, out, out_size, protocol);
}

/* ---- passwords: anybody's is "old secret" ---- */

static NTSTATUS NTAPI change_password(UNICODE_STRING *domain, UNICODE_STRING *account,
                                      UNICODE_STRING *old_password, UNICODE_STRING *new_password,
                                      BOOLEAN impersonating, SecBufferDesc *output)
{
    SECPKG_CALL_INFO info;
    EXPECT(account && account->Length && new_password);
    if (!old_password || !text_is(old_password->Buffer, old_password->Length, L"old secret"))
        return STATUS_WRONG_PASSWORD;
    if (output->pBuffers[0].cbBuffer < sizeof(ULONG)) return STATUS_BUFFER_TOO_SMALL;
    EXPECT(table->declared.GetCallInfo(&info));
    *(ULONG *)output->pBuffers[0].pvBuffer = info.Attributes;
    output->pBuffers[0].cbBuffer = sizeof(ULONG);
    return STATUS_SUCCESS;
}

static struct package_function_table package_table = {
    .declared = {.InitializePackage = initialize_package,
                 .CallPackage = call_package,
                 .LogonTerminated = logon_terminated,
                 .CallPackageUntrusted = call_untrusted,
                 .CallPackagePassthrough = call_passthrough,
                 .Initialize = initialize,
                 .GetInfo = get_info,
                 .AcceptCredentials = accept_credentials,
                 .AcquireCredentialsHandle = acquire,
                 .GetUserInfo = get_user_info},
    .ChangeAccountPassword = change_password,
};

/* ---- the half that runs with the client ---- */

static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions, PVOID *own)
{
    EXPECT(version == SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION);
    record.dll_functions = functions;
    return STATUS_SUCCESS;
}

static SECPKG_USER_FUNCTION_TABLE user_table = {.InstanceInit = instance_init};

NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count);
NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count)
{
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = &user_table;
    *count = 1;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count);
NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count)
{
    HMODULE module;
    wchar_t path[MAX_PATH] = L"";
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                           GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                       (const wchar_t *)(void *)SpLsaModeInitialize, &module);
    GetModuleFileNameW(module, path, MAX_PATH);
    useless = wcsstr(path, PROV_LOGON_USELESS) != NULL;
    if (useless) package_table.declared.AcquireCredentialsHandle = NULL;
    package_table.declared.LogonUserEx2 = (void *)logon_user; /* see logon_user_ex2_fn */
    *package_version = SECPKG_INTERFACE_VERSION_4;
    *tables = &package_table.declared;
    *count = 1;
    return STATUS_SUCCESS;
}
