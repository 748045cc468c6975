/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LsaLookupAuthenticationPackage and LsaCallAuthenticationPackage. A package never works on the
 * caller's memory itself: the message may change under its eyes there. It is given a copy and the
 * address of the original, and moves the pointers of its messages (Microsoft: LSA_AP_CALL_PACKAGE).
 */
#include "lsa_call.h"

#include "exports.h"
#include "load_lsa.h"
#include "lsa_connection.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("sspi");

#define PACKAGE_NAME_MAX 127u

PLSA_CLIENT_REQUEST lsa_client_request(void)
{
    static void *request; /* only its address means something */
    return (PLSA_CLIENT_REQUEST)&request;
}

/* ---- finding a package ---- */

static NTSTATUS find_answer(status_t status)
{
    if (status_ok(status)) return STATUS_SUCCESS;
    return status == SEC_E_INSUFFICIENT_MEMORY ? STATUS_NO_MEMORY : STATUS_NO_SUCH_PACKAGE;
}

static status_t find_open_lsa(const WCHAR *name, struct package **out)
{
    status_t status = package_find_open(name, out);
    return status_ok(status) && !(*out)->lsa ? SEC_E_SECPKG_NOT_FOUND : status;
}

NTSTATUS lsa_package_named(const char *name, USHORT length, struct package **out)
{
    WCHAR wide[PACKAGE_NAME_MAX + 1];
    LSA_STRING logon_name = {length, length, (char *)name};
    struct package *package;
    if (!length || length > PACKAGE_NAME_MAX) return STATUS_NO_SUCH_PACKAGE;
    int count = MultiByteToWideChar(CP_ACP, 0, name, length, wide, PACKAGE_NAME_MAX);
    wide[count] = 0;
    status_t status = find_open_lsa(wide, &package);
    if (!status_ok(status) && status != SEC_E_INSUFFICIENT_MEMORY)
        status = package_find_logon(&logon_name, &package);
    if (status_ok(status)) *out = package;
    return find_answer(status);
}

/* Programs take Negotiate's id for granted and ask for it without having looked it up. */
NTSTATUS lsa_package_numbered(ULONG id, struct package **out)
{
    struct package *package = lsa_package_find(id);
    status_t status = package ? SEC_E_OK : SEC_E_SECPKG_NOT_FOUND;
    if (!package && !id) status = find_open_lsa(NEGOSSP_NAME_W, &package);
    if (status_ok(status) && package->id != id) status = SEC_E_SECPKG_NOT_FOUND;
    if (status_ok(status)) *out = package;
    return find_answer(status);
}

NTSTATUS WINAPI LsaLookupAuthenticationPackage(HANDLE handle, LSA_STRING *name, ULONG *id)
{
    struct lsa_connection connection;
    if (!name || !name->Buffer || !id) return STATUS_INVALID_PARAMETER;
    if (!lsa_connection_find(handle, &connection)) return STATUS_INVALID_HANDLE;
    if (name->Length > PACKAGE_NAME_MAX) return STATUS_NAME_TOO_LONG;
    struct package *package;
    NTSTATUS status = lsa_package_named(name->Buffer, name->Length, &package);
    TRACE("%.*s: status %#lx\n", name->Length, name->Buffer, (ULONG)status);
    if (status >= 0) *id = (ULONG)package->id;
    return status;
}

/* ---- calling it ---- */

static PLSA_AP_CALL_PACKAGE call_function(const struct package *package, enum lsa_call_kind kind)
{
    if (kind == LSA_CALL_TRUSTED) return package->lsa->CallPackage;
    if (kind == LSA_CALL_UNTRUSTED) return package->lsa->CallPackageUntrusted;
    return package->lsa->CallPackagePassthrough;
}

struct message_call {
    PLSA_AP_CALL_PACKAGE function;
    PLSA_CLIENT_REQUEST request;
    void *copy;
    const struct lsa_message *message;
    struct lsa_answer given;
    NTSTATUS status;
};

static void message_call(void *argument)
{
    struct message_call *c = argument;
    c->status = c->function(c->request, c->copy, c->message->client_base, c->message->size,
                            &c->given.block, &c->given.size, &c->given.protocol_status);
}

NTSTATUS lsa_package_call(struct package *package, enum lsa_call_kind kind, bool from_client,
                          const struct lsa_message *message, struct lsa_answer *answer)
{
    PLSA_AP_CALL_PACKAGE function = call_function(package, kind);
    *answer = (struct lsa_answer){NULL, 0, STATUS_SUCCESS};
    if (!function) return STATUS_NOT_SUPPORTED;
    void *copy = HeapAlloc(GetProcessHeap(), 0, message->size ? message->size : 1);
    if (!copy) return STATUS_QUOTA_EXCEEDED;
    if (message->size) memcpy(copy, message->submit, message->size);

    struct message_call call = {.function = function,
                                .request = from_client ? lsa_client_request() : NULL,
                                .copy = copy,
                                .message = message,
                                .given = *answer};
    bool tcb = kind == LSA_CALL_TRUSTED && from_client;
    if (!lsa_call_run(package, "CallPackage", tcb ? SECPKG_CALL_IS_TCB : 0, message_call, &call))
        call.status = STATUS_INTERNAL_ERROR;
    SecureZeroMemory(copy, message->size);
    HeapFree(GetProcessHeap(), 0, copy);
    /* What a package that failed has left in the answer is not known to be a block still. */
    if (call.status >= 0) *answer = call.given;
    return call.status;
}

NTSTATUS WINAPI LsaCallAuthenticationPackage(HANDLE handle, ULONG id, void *submit, ULONG size,
                                             void **out, ULONG *out_size, NTSTATUS *protocol_status)
{
    struct lsa_connection connection;
    struct lsa_answer answer = {NULL, 0, STATUS_SUCCESS};
    NTSTATUS status = STATUS_SUCCESS;
    struct package *package = NULL;
    if (!lsa_connection_find(handle, &connection)) status = STATUS_INVALID_HANDLE;
    if (!status) status = lsa_package_numbered(id, &package);
    if (!status && !submit) status = STATUS_INVALID_PARAMETER;
    if (!status) {
        const struct lsa_message message = {submit, size, submit};
        status = lsa_package_call(package,
                                  connection.trusted ? LSA_CALL_TRUSTED : LSA_CALL_UNTRUSTED, true,
                                  &message, &answer);
    }
    TRACE("package %lu, %lu bytes: status %#lx, of the package %#lx\n", id, size, (ULONG)status,
          (ULONG)answer.protocol_status);
    if (out) *out = answer.block;
    else HeapFree(GetProcessHeap(), 0, answer.block);
    if (out_size) *out_size = answer.size;
    if (protocol_status) *protocol_status = answer.protocol_status;
    return status;
}

NTSTATUS WINAPI LsaFreeReturnBuffer(void *buffer)
{
    return !buffer || HeapFree(GetProcessHeap(), 0, buffer) ? STATUS_SUCCESS
                                                            : STATUS_INVALID_PARAMETER;
}
