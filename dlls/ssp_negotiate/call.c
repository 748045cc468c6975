/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to Negotiate (LsaCallAuthenticationPackage, ntsecapi.h): by which bytes the packages'
 * tokens are known, and by which name a log-on's credentials go. And changes of passwords, which
 * the packages make. Omitted: NegTransferCredentials, since there are no credentials apart from
 * those of handles.
 */
#include "negotiate_package.h"

#include "core/secret.h"
#include "ssp/foreign.h"
#include "ssp/logon.h"
#include "ssp/token.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("negotiate");

#define NAME_CHARS 256u

struct call {
    PLSA_CLIENT_REQUEST request;
    struct slice in;
    void *out; /* in the client's memory */
    ULONG out_size;
};

/* client is a block of the client's that becomes the answer, or goes. */
static NTSTATUS answer_send(struct call *call, void *client, void *bytes, size_t size)
{
    NTSTATUS status = client_write(call->request, client, bytes, size);
    if (status < 0) {
        client_free(call->request, client);
        return status;
    }
    call->out = client;
    call->out_size = (ULONG)size;
    return STATUS_SUCCESS;
}

/* ---- NegEnumPackagePrefixes ---- */

struct prefixes {
    NEGOTIATE_PACKAGE_PREFIXES head;
    NEGOTIATE_PACKAGE_PREFIX items[MECHS_MAX];
};

static bool package_id(HANDLE lsa, const wchar_t *name, ULONG *id)
{
    char text[SPNEGO_PACKAGE_CHARS + 1];
    int size = WideCharToMultiByte(CP_ACP, 0, name, -1, text, sizeof(text), NULL, NULL);
    if (size <= 0) return false;
    LSA_STRING string = {(USHORT)(size - 1), (USHORT)size, text};
    return LsaLookupAuthenticationPackage(lsa, &string, id) >= 0;
}

/* What a mechanism's first token begins with: NTLM's signature, or the identifier in its head. */
static void prefix_set(const struct mech *mech, ULONG id, NEGOTIATE_PACKAGE_PREFIX *out)
{
    static const uint8_t ntlm[] = "NTLMSSP";
    const struct oid *oid = &mech->oids[0];
    memset(out, 0, sizeof(*out));
    out->PackageId = id;
    if (oid_is(oid, spnego_oid_ntlm)) {
        out->PrefixLen = sizeof(ntlm);
        memcpy(out->Prefix, ntlm, sizeof(ntlm));
        return;
    }
    if (oid->size + 2 > sizeof(out->Prefix)) return;
    out->PrefixLen = oid->size + 2;
    out->Prefix[0] = 6; /* OBJECT IDENTIFIER */
    out->Prefix[1] = (UCHAR)oid->size;
    memcpy(out->Prefix + 2, oid->bytes, oid->size);
}

static NTSTATUS list_prefixes(struct call *call)
{
    struct mechs mechs;
    struct prefixes answer = {.head = {.MessageType = NegEnumPackagePrefixes}};
    HANDLE lsa;
    void *client;
    ULONG id;
    if (!status_ok(mechs_find(&mechs))) return STATUS_INTERNAL_ERROR;
    NTSTATUS status = LsaConnectUntrusted(&lsa);
    if (status < 0) return status;
    answer.head.Offset = offsetof(struct prefixes, items);
    for (size_t i = 0; i < mechs.count; i++) {
        if (!package_id(lsa, mechs.items[i].name, &id)) continue;
        prefix_set(&mechs.items[i], id, &answer.items[answer.head.PrefixCount++]);
    }
    LsaDeregisterLogonProcess(lsa);
    size_t size = answer.head.Offset + answer.head.PrefixCount * sizeof(*answer.items);
    status = client_allocate(call->request, size, &client);
    return status < 0 ? status : answer_send(call, client, &answer, size);
}

/* ---- NegGetCallerName ---- */

/* DOMAIN\user of this process; its length counts the terminator. */
static size_t own_name(wchar_t name[2 * NAME_CHARS])
{
    DWORD size = NAME_CHARS;
    if (!GetComputerNameW(name, &size)) return 0;
    name[size] = '\\';
    DWORD rest = NAME_CHARS;
    return GetUserNameW(name + size + 1, &rest) ? size + 1 + rest : 0;
}

/* Of the log-on that is named, or for 0 of the caller's. Others have no credentials here, nor has a
 * thread that acts for a foreign client. */
static bool is_own_logon(const LUID *id)
{
    return !foreign_caller() && process_logon_is(id);
}

static NTSTATUS caller_name(struct call *call)
{
    struct {
        NEGOTIATE_CALLER_NAME_RESPONSE head;
        wchar_t name[2 * NAME_CHARS];
    } answer = {.head = {.MessageType = NegGetCallerName}};
    struct reader r;
    LUID id;
    void *client;
    reader_init(&r, call->in.data, call->in.size);
    reader_skip(&r, 4);
    id.LowPart = reader_u32le(&r);
    id.HighPart = (LONG)reader_u32le(&r);
    if (!reader_ok(&r)) return STATUS_INVALID_PARAMETER;
    size_t length = is_own_logon(&id) ? own_name(answer.name) : 0;
    if (!length) return STATUS_NO_SUCH_LOGON_SESSION;
    size_t size = (size_t)((uint8_t *)(answer.name + length) - (uint8_t *)&answer);
    NTSTATUS status = client_allocate(call->request, size, &client);
    if (status < 0) return status;
    answer.head.CallerName = (wchar_t *)((uint8_t *)client +
                                         ((uint8_t *)answer.name - (uint8_t *)&answer));
    return answer_send(call, client, &answer, size);
}

/* ---- all ---- */

static NTSTATUS call_run(struct call *call, NTSTATUS *protocol)
{
    struct reader r;
    reader_init(&r, call->in.data, call->in.size);
    ULONG kind = reader_u32le(&r);
    if (!reader_ok(&r)) return STATUS_INVALID_PARAMETER;
    switch (kind) {
    case NegEnumPackagePrefixes: *protocol = list_prefixes(call); break;
    case NegGetCallerName: *protocol = caller_name(call); break;
    default: return kind < NegCallPackageMax ? STATUS_NOT_IMPLEMENTED : STATUS_INVALID_PARAMETER;
    }
    TRACE("message %lu: status %#lx\n", kind, (ULONG)*protocol);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI package_call(PLSA_CLIENT_REQUEST request, void *submitted, void *client_base,
                            ULONG size, void **out, ULONG *out_size, NTSTATUS *protocol)
{
    (void)client_base; /* no message here has pointers in it */
    struct call call = {.request = request, .in = {submitted, submitted ? size : 0}};
    *protocol = STATUS_SUCCESS;
    NTSTATUS status = call_run(&call, protocol);
    *out = call.out;
    *out_size = call.out_size;
    return status;
}

/* ---- passwords ---- */

struct change {
    wchar_t *domain, *account, *old_password, *new_password;
};

static bool text_terminate(const UNICODE_STRING *text, wchar_t **out)
{
    if (!text || !text->Buffer) return true;
    *out = calloc(1, text->Length + sizeof(wchar_t));
    if (*out) memcpy(*out, text->Buffer, text->Length);
    return *out != NULL;
}

static void terminated_free(wchar_t *text)
{
    if (text) secret_free(text, wcslen(text) * sizeof(*text));
}

/* The first package that has a say in it decides. One that knows no passwords, or not where the
 * account is, has none; nor has one that refuses an account of which nobody said where it is. */
static bool is_decision(const struct change *change, status_t status)
{
    switch (status) {
    case SEC_E_UNSUPPORTED_FUNCTION:
    case SEC_E_SECPKG_NOT_FOUND:
    case SEC_E_NO_AUTHENTICATING_AUTHORITY: return false;
    case SEC_E_LOGON_DENIED: return change->domain && *change->domain;
    default: return true;
    }
}

static status_t change_by_any(const struct change *change, BOOLEAN impersonating,
                              SecBufferDesc *output)
{
    struct mechs mechs;
    status_t status = mechs_find(&mechs);
    if (!status_ok(status)) return status;
    status = SEC_E_UNSUPPORTED_FUNCTION;
    for (size_t i = 0; i < mechs.count; i++) {
        status_t found = ChangeAccountPasswordW(mechs.items[i].name, change->domain,
                                                change->account, change->old_password,
                                                change->new_password, impersonating, 0, output);
        TRACE("%ls: status %#lx\n", mechs.items[i].name, (ULONG)found);
        if (found != SEC_E_UNSUPPORTED_FUNCTION && found != SEC_E_SECPKG_NOT_FOUND) status = found;
        if (is_decision(change, found)) break;
    }
    return status;
}

NTSTATUS NTAPI password_change(UNICODE_STRING *domain, UNICODE_STRING *account,
                               UNICODE_STRING *old_password, UNICODE_STRING *new_password,
                               BOOLEAN impersonating, SecBufferDesc *output)
{
    struct change change = {NULL, NULL, NULL, NULL};
    status_t status = SEC_E_INSUFFICIENT_MEMORY;
    if (text_terminate(domain, &change.domain) && text_terminate(account, &change.account) &&
        text_terminate(old_password, &change.old_password) &&
        text_terminate(new_password, &change.new_password))
        status = change_by_any(&change, impersonating, output);
    terminated_free(change.domain);
    terminated_free(change.account);
    terminated_free(change.old_password);
    terminated_free(change.new_password);
    return status;
}
