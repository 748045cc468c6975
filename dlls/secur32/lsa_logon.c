/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LsaLogonUser and LogonUserExExW. The package judges the log-on and makes the session, the LSA
 * makes the token of what the package says of the user (Microsoft: LSA_AP_LOGON_USER_EX2); success
 * without a token there is none (lsa_account.h says whose tokens can be made).
 */
#include "exports.h"
#include "load_lsa.h"
#include "lsa_account.h"
#include "lsa_call.h"
#include "lsa_connection.h"
#include "lsa_services.h"
#include "ssp/foreign.h"
#include "ssp/trace.h"
#include "token_name.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

struct logon {
    struct package *package;
    SECURITY_LOGON_TYPE type;
    bool trusted;
    /* What the package answers; blocks of the LSA heap, except the profile. */
    LUID id;
    NTSTATUS sub_status;
    void *profile;
    ULONG profile_size;
    LSA_TOKEN_INFORMATION_TYPE token_kind;
    void *token_information;
    UNICODE_STRING *account, *authority, *machine;
    SECPKG_PRIMARY_CRED primary;
    SECPKG_SUPPLEMENTAL_CRED_ARRAY *supplemental;
};

/* ---- what a package leaves to be freed ---- */

/* Does p lie in the block? Packages allocate what belongs together in one block or in several. */
static bool in_block(const void *block, const void *p)
{
    SIZE_T size = HeapSize(GetProcessHeap(), 0, block);
    return size != (SIZE_T)-1 && (const BYTE *)p >= (const BYTE *)block &&
           (const BYTE *)p < (const BYTE *)block + size;
}

static void part_free(const void *block, void *part)
{
    if (part && !in_block(block, part)) HeapFree(GetProcessHeap(), 0, part);
}

static void string_free(UNICODE_STRING *string)
{
    if (!string) return;
    part_free(string, string->Buffer);
    HeapFree(GetProcessHeap(), 0, string);
}

/* Of version 1 each member is a block, of version 2 all of it is one (LSA_TOKEN_INFORMATION_V2). */
static void token_information_free(LSA_TOKEN_INFORMATION_TYPE kind, void *information)
{
    if (information && kind == LsaTokenInformationV1) {
        LSA_TOKEN_INFORMATION_V1 *user = information;
        TOKEN_GROUPS *groups = user->Groups;
        for (DWORD i = 0; groups && i < groups->GroupCount; i++)
            if (!in_block(groups, groups->Groups[i].Sid))
                part_free(information, groups->Groups[i].Sid);
        part_free(information, groups);
        part_free(information, user->User.User.Sid);
        part_free(information, user->PrimaryGroup.PrimaryGroup);
        part_free(information, user->Privileges);
        part_free(information, user->Owner.Owner);
        part_free(information, user->DefaultDacl.DefaultDacl);
    }
    HeapFree(GetProcessHeap(), 0, information);
}

static void secret_string_free(UNICODE_STRING *string)
{
    if (string->Buffer) SecureZeroMemory(string->Buffer, string->MaximumLength);
    HeapFree(GetProcessHeap(), 0, string->Buffer);
}

static void credentials_free(struct logon *logon)
{
    SECPKG_PRIMARY_CRED *primary = &logon->primary;
    UNICODE_STRING *const plain[] = {&primary->DownlevelName, &primary->DomainName,
                                     &primary->DnsDomainName, &primary->Upn, &primary->LogonServer};
    secret_string_free(&primary->Password);
    secret_string_free(&primary->OldPassword);
    for (size_t i = 0; i < ARRAYSIZE(plain); i++) HeapFree(GetProcessHeap(), 0, plain[i]->Buffer);
    HeapFree(GetProcessHeap(), 0, primary->UserSid);
    SECPKG_SUPPLEMENTAL_CRED_ARRAY *array = logon->supplemental;
    for (ULONG i = 0; array && i < array->CredentialCount; i++) {
        SECPKG_SUPPLEMENTAL_CRED *one = &array->Credentials[i];
        if (one->Credentials) SecureZeroMemory(one->Credentials, one->CredentialSize);
        part_free(array, one->Credentials);
        part_free(array, one->PackageName.Buffer);
    }
    HeapFree(GetProcessHeap(), 0, array);
}

static void logon_free(struct logon *logon)
{
    token_information_free(logon->token_kind, logon->token_information);
    string_free(logon->account);
    string_free(logon->authority);
    string_free(logon->machine);
    credentials_free(logon);
    HeapFree(GetProcessHeap(), 0, logon->profile);
}

/* ---- the package ---- */

static bool package_logs_on(const struct package *package)
{
    return package->lsa->LogonUserEx2 || package->lsa->LogonUserEx || package->lsa->LogonUser;
}

static NTSTATUS package_ask(struct logon *logon, void *copy, void *base, ULONG size)
{
    const SECPKG_FUNCTION_TABLE *lsa = logon->package->lsa;
    PLSA_CLIENT_REQUEST request = lsa_client_request();
    if (lsa->LogonUserEx2)
        return ((logon_user_ex2_fn *)(void *)lsa->LogonUserEx2)(
            request, logon->type, copy, base, size, &logon->profile, &logon->profile_size,
            &logon->id, &logon->sub_status, &logon->token_kind, &logon->token_information,
            &logon->account, &logon->authority, &logon->machine, &logon->primary,
            &logon->supplemental);
    if (lsa->LogonUserEx)
        return lsa->LogonUserEx(request, logon->type, copy, base, size, &logon->profile,
                                &logon->profile_size, &logon->id, &logon->sub_status,
                                &logon->token_kind, &logon->token_information, &logon->account,
                                &logon->authority, &logon->machine);
    return lsa->LogonUser(request, logon->type, copy, base, size, &logon->profile,
                          &logon->profile_size, &logon->id, &logon->sub_status, &logon->token_kind,
                          &logon->token_information, &logon->account, &logon->authority);
}

struct logon_call {
    struct logon *logon;
    void *copy, *base;
    ULONG size;
    NTSTATUS status;
};

static void logon_call(void *argument)
{
    struct logon_call *c = argument;
    c->status = package_ask(c->logon, c->copy, c->base, c->size);
}

/* The package works on a copy, as with every message (lsa_call.c). A failure leaves nothing to
 * free but the names: the rest is the package's to free then. An exception leaves nothing that
 * could be known to be a block still. */
static NTSTATUS package_logon(struct logon *logon, void *info, ULONG size)
{
    void *copy = HeapAlloc(GetProcessHeap(), 0, size ? size : 1);
    if (!copy) return STATUS_QUOTA_EXCEEDED;
    if (size) memcpy(copy, info, size);
    struct logon_call call = {logon, copy, info, size, STATUS_INTERNAL_ERROR};
    if (!lsa_call_run(logon->package, "LogonUser", logon->trusted ? SECPKG_CALL_IS_TCB : 0,
                      logon_call, &call))
        logon->account = logon->authority = logon->machine = NULL;
    NTSTATUS status = call.status;
    SecureZeroMemory(copy, size);
    HeapFree(GetProcessHeap(), 0, copy);
    if (status < 0) {
        logon->profile = logon->token_information = NULL;
        logon->supplemental = NULL;
        logon->primary = (SECPKG_PRIMARY_CRED){0};
    }
    return status;
}

/* ---- the session and the token ---- */

static WCHAR *string_text(const UNICODE_STRING *string)
{
    USHORT size = string && string->Buffer ? string->Length : 0;
    WCHAR *text = malloc(size + sizeof(*text));
    if (!text) return NULL;
    if (size) memcpy(text, string->Buffer, size);
    text[size / sizeof(*text)] = 0;
    return text;
}

static PSID logon_sid(const struct logon *logon)
{
    const LSA_TOKEN_INFORMATION_V1 *user = logon->token_information;
    return user && logon->token_kind != LsaTokenInformationNull ? user->User.User.Sid : NULL;
}

static NTSTATUS session_note(const struct logon *logon)
{
    const UNICODE_STRING *const strings[SESSION_TEXTS] = {
        [SESSION_USER] = logon->account,
        [SESSION_DOMAIN] = logon->authority,
        [SESSION_SERVER] = &logon->primary.LogonServer,
        [SESSION_DNS_DOMAIN] = &logon->primary.DnsDomainName,
        [SESSION_UPN] = &logon->primary.Upn,
    };
    struct session_facts facts = {.id = logon->id,
                                  .package_id = logon->package->id,
                                  .type = logon->type,
                                  .sid = logon_sid(logon)};
    GetSystemTimeAsFileTime((FILETIME *)&facts.time);
    bool made = true;
    for (int i = 0; i < SESSION_TEXTS; i++) {
        facts.texts[i] = i == SESSION_PACKAGE ? logon->package->info.Name : string_text(strings[i]);
        made = made && facts.texts[i];
    }
    bool full = false;
    LUID ended;
    NTSTATUS status = made ? session_describe(&facts, &full, &ended) : STATUS_NO_MEMORY;
    for (int i = 0; i < SESSION_TEXTS; i++)
        if (i != SESSION_PACKAGE) free(facts.texts[i]);
    if (full) lsa_session_end(&ended);
    return status;
}

/* DOMAIN\user; NULL without memory. */
static WCHAR *logon_name(const struct logon *logon)
{
    WCHAR *domain = string_text(logon->authority), *user = string_text(logon->account),
          *name = NULL;
    size_t length = domain && user ? wcslen(domain) + wcslen(user) + 2 : 0;
    if (length) name = malloc(length * sizeof(*name));
    if (name) swprintf(name, length, L"%ls\\%ls", domain, user);
    free(domain);
    free(user);
    return name;
}

/* Of one who comes over the network, where policy has tokens for such. Nobody is not
 * among them, who has a token without the process's user in it or none. */
static bool foreign_logon(const struct logon *logon, const TOKEN_GROUPS *groups, HANDLE *token)
{
    bool somebody = logon->token_kind != LsaTokenInformationNull;
    if (logon->type != Network || !somebody || groups || !foreign_tokens_wanted()) return false;
    WCHAR *name = logon_name(logon);
    HANDLE made = name ? foreign_token_make() : NULL;
    if (made) {
        token_name_set_logon(made, name, &logon->id);
        *token = made;
    }
    free(name);
    return made != NULL;
}

/* A right password is not enough where the account's token cannot be had. */
static NTSTATUS logon_token(struct logon *logon, const TOKEN_GROUPS *groups, HANDLE *token)
{
    NTSTATUS status = session_note(logon);
    if (status < 0) return status;
    status = account_token(logon->token_kind, logon->token_information, logon->type,
                           SecurityImpersonation, groups, token);
    if (status != STATUS_LOGON_TYPE_NOT_GRANTED) return status;
    if (foreign_logon(logon, groups, token)) return STATUS_SUCCESS;
    logon->sub_status = status;
    return STATUS_ACCOUNT_RESTRICTION;
}

/* Those of the process, whose user it is. */
static QUOTA_LIMITS quotas_read(void)
{
    QUOTA_LIMITS limits = {0};
    SIZE_T least, most;
    if (GetProcessWorkingSetSize(GetCurrentProcess(), &least, &most)) {
        limits.MinimumWorkingSetSize = least;
        limits.MaximumWorkingSetSize = most;
    }
    limits.TimeLimit.QuadPart = 0x7fffffffffffffff;
    return limits;
}

static NTSTATUS logon_run(struct logon *logon, void *info, ULONG size, const TOKEN_GROUPS *groups,
                          HANDLE *token)
{
    NTSTATUS status = package_logon(logon, info, size);
    if (status < 0) return status;
    status = logon_token(logon, groups, token);
    if (status < 0) {
        lsa_session_end(&logon->id);
        return status;
    }
    if (logon->package->lsa->LogonUserEx2) {
        logon->primary.LogonId = logon->id;
        lsa_credentials_tell(logon->type, &logon->primary, logon->supplemental);
    }
    return STATUS_SUCCESS;
}

NTSTATUS WINAPI LsaLogonUser(HANDLE handle, LSA_STRING *origin, SECURITY_LOGON_TYPE type, ULONG id,
                             void *info, ULONG size, TOKEN_GROUPS *groups, TOKEN_SOURCE *source,
                             void **profile, ULONG *profile_size, LUID *logon_id, HANDLE *token,
                             QUOTA_LIMITS *quotas, NTSTATUS *sub_status)
{
    struct lsa_connection connection;
    if (!lsa_connection_find(handle, &connection)) return STATUS_INVALID_HANDLE;
    if (!origin || !info || !source || !profile || !profile_size || !logon_id || !token ||
        !quotas || !sub_status)
        return STATUS_INVALID_PARAMETER;
    if (type < Interactive || type > CachedUnlock) return STATUS_INVALID_LOGON_TYPE;
    if (groups && !connection.trusted) return STATUS_PRIVILEGE_NOT_HELD;
    struct logon logon = {.type = type, .trusted = connection.trusted};
    NTSTATUS status = lsa_package_numbered(id, &logon.package);
    if (status < 0) return status;
    if (!package_logs_on(logon.package)) return STATUS_NO_SUCH_PACKAGE;

    HANDLE made = NULL;
    status = logon_run(&logon, info, size, groups, &made);
    TRACE("%ls, type %d: status %#lx, %#lx\n", logon.package->info.Name, type, (ULONG)status,
          (ULONG)logon.sub_status);
    *sub_status = logon.sub_status;
    if (status >= 0) {
        *profile = logon.profile;
        *profile_size = logon.profile_size;
        *logon_id = logon.id;
        *token = made;
        *quotas = quotas_read();
        logon.profile = NULL;
    }
    logon_free(&logon);
    return status;
}
