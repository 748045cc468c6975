/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What packages want of other packages: messages, news of credentials, reasons of failures. */
#include "load_lsa.h"
#include "lsa_call.h"
#include "lsa_services.h"
#include "lsa_session.h"
#include "ssp/trace.h"

#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

TRACE_CHANNEL("sspi");

static NTSTATUS package_named(const UNICODE_STRING *name, struct package **out)
{
    char text[128];
    if (!name || !name->Buffer) return STATUS_NO_SUCH_PACKAGE;
    int length = WideCharToMultiByte(CP_ACP, 0, name->Buffer, name->Length / 2, text, sizeof(text),
                                     NULL, NULL);
    return length > 0 ? lsa_package_named(text, (USHORT)length, out) : STATUS_NO_SUCH_PACKAGE;
}

static NTSTATUS package_call(enum lsa_call_kind kind, const UNICODE_STRING *name, void *client_base,
                             const void *in, ULONG in_size, void **out, ULONG *out_size,
                             NTSTATUS *protocol_status)
{
    struct lsa_answer answer;
    const struct lsa_message message = {in, in_size, client_base};
    if (!in || !out || !out_size || !protocol_status) return STATUS_INVALID_PARAMETER;
    struct package *package;
    NTSTATUS status = package_named(name, &package);
    if (status < 0) return status;
    status = lsa_package_call(package, kind, false, &message, &answer);
    *out = answer.block;
    *out_size = answer.size;
    *protocol_status = answer.protocol_status;
    return status;
}

NTSTATUS NTAPI service_package_call(PUNICODE_STRING package, PVOID in, ULONG in_size, PVOID *out,
                                    PULONG out_size, PNTSTATUS protocol_status)
{
    return package_call(LSA_CALL_TRUSTED, package, in, in, in_size, out, out_size, protocol_status);
}

NTSTATUS NTAPI service_package_call_ex(PUNICODE_STRING package, PVOID client_base, PVOID in,
                                       ULONG in_size, PVOID *out, PULONG out_size,
                                       PNTSTATUS protocol_status)
{
    return package_call(LSA_CALL_TRUSTED, package, client_base, in, in_size, out, out_size,
                        protocol_status);
}

NTSTATUS NTAPI service_package_passthrough(PUNICODE_STRING package, PVOID client_base, PVOID in,
                                           ULONG in_size, PVOID *out, PULONG out_size,
                                           PNTSTATUS protocol_status)
{
    return package_call(LSA_CALL_PASSTHROUGH, package, client_base, in, in_size, out, out_size,
                        protocol_status);
}

/* ---- credentials ---- */

/* They would go into a database of users, which there is none of. */
NTSTATUS NTAPI service_supplemental_save(PLUID id, ULONG size, PVOID credentials,
                                         BOOLEAN synchronous)
{
    if (!id || (size && !credentials)) return STATUS_INVALID_PARAMETER;
    return session_exists(id) ? STATUS_NOT_SUPPORTED : STATUS_NO_SUCH_LOGON_SESSION;
}

NTSTATUS NTAPI service_credentials_update(PSECPKG_PRIMARY_CRED primary,
                                          PSECPKG_SUPPLEMENTAL_CRED_ARRAY supplemental)
{
    if (!primary) return STATUS_INVALID_PARAMETER;
    if (!session_exists(&primary->LogonId)) return STATUS_NO_SUCH_LOGON_SESSION;
    SECPKG_PRIMARY_CRED updated = *primary;
    updated.Flags |= PRIMARY_CRED_UPDATE;
    lsa_credentials_tell(Interactive, &updated, supplemental);
    return STATUS_SUCCESS;
}

static SECPKG_SUPPLEMENTAL_CRED *supplemental_find(SECPKG_SUPPLEMENTAL_CRED_ARRAY *array,
                                                   const WCHAR *name)
{
    for (ULONG i = 0; array && i < array->CredentialCount; i++) {
        const UNICODE_STRING *own = &array->Credentials[i].PackageName;
        if (CompareStringOrdinal(own->Buffer, own->Length / 2, name, -1, TRUE) == CSTR_EQUAL)
            return &array->Credentials[i];
    }
    return NULL;
}

struct accept_call {
    const struct package *package;
    SECURITY_LOGON_TYPE type;
    SECPKG_PRIMARY_CRED *primary;
    SECPKG_SUPPLEMENTAL_CRED *supplemental;
};

static void accept_call(void *argument)
{
    struct accept_call *c = argument;
    NTSTATUS status = c->package->lsa->AcceptCredentials(c->type, &c->primary->DownlevelName,
                                                         c->primary, c->supplemental);
    TRACE("%ls: status %#lx\n", c->package->info.Name, (ULONG)status);
}

void lsa_credentials_tell(SECURITY_LOGON_TYPE type, SECPKG_PRIMARY_CRED *primary,
                          SECPKG_SUPPLEMENTAL_CRED_ARRAY *supplemental)
{
    for (ULONG_PTR id = 0; id < LSA_PACKAGES_MAX; id++) {
        struct package *package = lsa_package_find(id);
        if (!package || !package->lsa->AcceptCredentials) continue;
        struct accept_call call = {package, type, primary,
                                   supplemental_find(supplemental, package->info.Name)};
        lsa_call_run(package, "AcceptCredentials", 0, accept_call, &call);
    }
}

struct terminated_call {
    const struct package *package;
    LUID id;
};

static void terminated_call(void *argument)
{
    struct terminated_call *c = argument;
    c->package->lsa->LogonTerminated(&c->id);
}

/* A session that stays, as the process's own does, is not to be told of. */
void lsa_session_end(const LUID *id)
{
    LUID copy = *id;
    if (session_delete(&copy) < 0) return;
    for (ULONG_PTR at = 0; at < LSA_PACKAGES_MAX; at++) {
        struct package *package = lsa_package_find(at);
        struct terminated_call call = {package, copy};
        if (package && package->lsa->LogonTerminated)
            lsa_call_run(package, "LogonTerminated", 0, terminated_call, &call);
    }
}

/* ---- why a call failed ---- */

static SRWLOCK reasons_lock = SRWLOCK_INIT;
static struct {
    bool given;
    struct secpkg_failure_reason reason;
} reasons[LSA_PACKAGES_MAX]; /* the last one of each package */

NTSTATUS NTAPI service_failure_get(ULONG_PTR id, struct secpkg_failure_reason *reason)
{
    if (!reason || id >= LSA_PACKAGES_MAX) return STATUS_INVALID_PARAMETER;
    AcquireSRWLockShared(&reasons_lock);
    bool given = reasons[id].given;
    if (given) *reason = reasons[id].reason;
    ReleaseSRWLockShared(&reasons_lock);
    return given ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* Whose reason it is follows from the call that the package is in. */
NTSTATUS NTAPI service_failure_set(struct secpkg_failure_reason reason)
{
    ULONG_PTR id = lsa_call_current().package_id;
    if (id >= LSA_PACKAGES_MAX) return STATUS_INVALID_SERVER_STATE;
    AcquireSRWLockExclusive(&reasons_lock);
    reasons[id].given = true;
    reasons[id].reason = reason;
    ReleaseSRWLockExclusive(&reasons_lock);
    return STATUS_SUCCESS;
}
