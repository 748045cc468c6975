/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of passwords at the KDC (RFC 3244; Microsoft: ChangeAccountPassword,
 * KERB_CHANGEPASSWORD_REQUEST, KERB_SETPASSWORD_REQUEST). What a KDC demands of passwords only
 * those of Windows say.
 */
#include "logon.h"

#include "core/secret.h"
#include "ssp/trace.h"

TRACE_CHANNEL("kerberos");

/* Result codes (RFC 3244 2) */
enum { REFUSED_BY_RIGHT = 3, REFUSED_BY_POLICY = 4, REFUSED_ACCESS = 5 };

/* Ages are durations: less than 0 in units of 100 ns, the least number for no end. */
static LARGE_INTEGER duration(uint64_t age)
{
    bool ends = age && age < INT64_MAX;
    return (LARGE_INTEGER){.QuadPart = ends ? -(LONGLONG)age : age ? INT64_MIN : 0};
}

static NTSTATUS refusal(const struct kerberos_call_password *call, struct password_answer *out)
{
    switch (call->refused) {
    case 0: return STATUS_SUCCESS;
    case REFUSED_BY_RIGHT:
    case REFUSED_ACCESS: return STATUS_ACCESS_DENIED;
    case REFUSED_BY_POLICY: break;
    default: return STATUS_UNSUCCESSFUL;
    }
    out->has_policy = call->has_policy;
    out->policy = (DOMAIN_PASSWORD_INFORMATION){
        .MinPasswordLength = (USHORT)min(call->least_length, UINT16_MAX),
        .PasswordHistoryLength = (USHORT)min(call->history, UINT16_MAX),
        .PasswordProperties = call->properties,
        .MaxPasswordAge = duration(call->most_age),
        .MinPasswordAge = duration(call->least_age),
    };
    return STATUS_PASSWORD_RESTRICTION;
}

static NTSTATUS ask(struct kerberos_call_password *call, struct password_answer *out)
{
    status_t status = library_call(KERBEROS_CALL_PASSWORD, call);
    call->why[sizeof(call->why) - 1] = 0;
    TRACE("status %#lx, refused %u%s%s\n", (ULONG)status, (unsigned)call->refused,
          call->why[0] ? ": " : "", call->why);
    if (status == SEC_E_LOGON_DENIED && call->principal.size) return STATUS_WRONG_PASSWORD;
    return status_ok(status) ? refusal(call, out) : protocol_status(status);
}

/* What names nobody is refused like a wrong password. */
static NTSTATUS name_status(status_t status)
{
    return status == SEC_E_UNKNOWN_CREDENTIALS ? STATUS_WRONG_PASSWORD : protocol_status(status);
}

NTSTATUS password_change(const struct lsa_password_change *change, struct password_answer *out)
{
    struct blob principal = {NULL, 0}, old_password = {NULL, 0}, new_password = {NULL, 0};
    out->has_policy = false;
    status_t status = user_principal(change->user, change->domain, &principal);
    if (status_ok(status)) status = utf8_make(change->old_password, &old_password);
    if (status_ok(status)) status = utf8_make(change->new_password, &new_password);
    NTSTATUS result = name_status(status);
    if (status_ok(status)) {
        struct kerberos_call_password call = {
            .principal = unixcall_slice(blob_slice(&principal)),
            .old_password = unixcall_slice(blob_slice(&old_password)),
            .new_password = unixcall_slice(blob_slice(&new_password)),
        };
        result = ask(&call, out);
    }
    blob_clear(&principal);
    blob_clear(&old_password);
    blob_clear(&new_password);
    return result;
}

/* A log-on with a password has that looked at again: not every KDC takes its tickets for it. */
NTSTATUS password_set(struct credential *credential, const struct kerb_password_set *set)
{
    struct blob target = {NULL, 0}, password = {NULL, 0}, own_password = {NULL, 0};
    struct password_answer answer;
    struct kerberos_call_password call = {.credential = 0};
    status_t status = user_principal(set->user, set->realm, &target);
    if (status_ok(status)) status = utf8_make(set->password, &password);
    if (status_ok(status) && credential) {
        status = credential_library(credential, CALL_USE_INITIATE, &call.credential);
        if (status_ok(status)) status = credential_password(credential, &own_password);
        if (status_ok(status) && own_password.size)
            call.principal = unixcall_slice(blob_slice(&credential->principal));
    }
    NTSTATUS result = name_status(status);
    if (status_ok(status)) {
        call.old_password = unixcall_slice(blob_slice(&own_password));
        call.new_password = unixcall_slice(blob_slice(&password));
        call.target = unixcall_slice(blob_slice(&target));
        result = ask(&call, &answer);
    }
    blob_clear(&target);
    blob_clear(&password);
    blob_clear(&own_password);
    return result;
}
