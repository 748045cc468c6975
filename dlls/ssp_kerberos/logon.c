/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LsaApLogonUserEx2 of Kerberos (Microsoft: LSA_AP_LOGON_USER_EX2): with a password
 * (KerbInteractiveLogon, KerbWorkstationUnlockLogon) a ticket-granting ticket is got, and where the
 * host has a key of its own, that shows whether the KDC is who it says. KerbS4ULogon asks the KDC
 * for the ticket of a user who is not there (MS-SFU 3.1), by the right of this process's user. What
 * comes out is information about the account and a log-on of the host's; whether there can be a
 * token for it is the host's affair. Other kinds (smart cards, certificates, tickets that the
 * caller has) are STATUS_BAD_VALIDATION_CLASS.
 */
#include "logon.h"

#include "ssp/answer.h"
#include "ssp/foreign.h"
#include "ssp/leg.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

TRACE_CHANNEL("kerberos");

/* Who has logged on. */
struct verdict {
    struct credential *credential;
    struct blob principal;   /* name@REALM, UTF-8 */
    struct blob name, realm; /* the same as UTF-16 */
    bool own;                /* the user of this process */
    union {
        SID sid;
        uint8_t sid_room[SID_ROOM];
    };
};

static void verdict_clear(struct verdict *verdict)
{
    credential_release(verdict->credential);
    blob_clear(&verdict->principal);
    blob_clear(&verdict->name);
    blob_clear(&verdict->realm);
}

/* ---- judging ---- */

static status_t account_verify(uint64_t library, struct slice principal)
{
    struct kerberos_call_account call = {.credential = library,
                                         .principal = unixcall_slice(principal)};
    status_t status = library_call(KERBEROS_CALL_ACCOUNT, &call);
    call.why[sizeof(call.why) - 1] = 0;
    TRACE("the KDC: status %#lx %s\n", (ULONG)status, call.why);
    return status;
}

/* As the KDC calls the client: the library's principal was made without a realm, perhaps. */
static status_t principal_read(uint64_t library, struct blob *out)
{
    struct blob records;
    struct kerberos_ticket ticket;
    struct reader r;
    struct writer w;
    uint32_t count;
    status_t status = tickets_read(library, &records, &count);
    if (!status_ok(status)) return status;
    reader_init(&r, records.data, records.size);
    writer_init(&w);
    if (kerberos_ticket_read(&r, &ticket)) {
        kerberos_name_text(&w, &ticket.client);
        writer_u8(&w, '@');
        writer_slice(&w, ticket.client.realm);
        status = writer_status(&w);
    } else {
        status = SEC_E_INTERNAL_ERROR;
    }
    if (status_ok(status)) status = blob_set(out, writer_view(&w));
    writer_free(&w);
    blob_clear(&records);
    return status;
}

static status_t judge_password(const struct kerb_logon *logon, struct verdict *out)
{
    struct blob principal = {NULL, 0}, password = {NULL, 0};
    uint64_t library = 0;
    status_t status = user_principal(logon->user, logon->domain, &principal);
    if (status_ok(status)) status = utf8_make(logon->password, &password);
    if (status_ok(status))
        status = credential_from_password(blob_slice(&principal), blob_slice(&password),
                                          &out->credential);
    if (status_ok(status))
        status = credential_library(out->credential, CALL_USE_INITIATE, &library);
    if (status_ok(status)) status = principal_read(library, &out->principal);
    if (status_ok(status)) status = account_verify(library, blob_slice(&out->principal));
    blob_clear(&principal);
    blob_clear(&password);
    return status;
}

static status_t acquire(struct kerberos_call_credential_acquire *call)
{
    call->use = CALL_USE_INITIATE;
    status_t status = library_call(KERBEROS_CALL_CREDENTIAL_ACQUIRE, call);
    call->why[sizeof(call->why) - 1] = 0;
    TRACE("status %#lx %s\n", (ULONG)status, call->why);
    return status;
}

/* The credential of the user who acts goes once the other one is there. It is the process's user's,
 * and not for a thread that acts for a foreign client. */
static status_t judge_s4u(const struct kerb_logon *logon, struct verdict *out)
{
    struct blob principal = {NULL, 0};
    struct kerberos_call_credential_acquire acting = {.principal = {0, 0}}, client = {.use = 0};
    if (foreign_caller()) return SEC_E_NO_CREDENTIALS;
    status_t status = user_principal(logon->user, logon->domain, &principal);
    if (status_ok(status)) status = acquire(&acting);
    if (status_ok(status)) {
        client.principal = unixcall_slice(blob_slice(&principal));
        client.impersonator = acting.credential;
        status = acquire(&client);
    }
    if (status_ok(status)) {
        size_t size = min(client.name_size, sizeof(client.name));
        status = blob_set(&out->principal, (struct slice){(const uint8_t *)client.name, size});
    }
    if (status_ok(status))
        status = credential_from_library(client.credential, blob_slice(&out->principal),
                                         &out->credential);
    if (!out->credential) library_free(client.credential);
    library_free(acting.credential);
    blob_clear(&principal);
    return status;
}

static bool sid_find(struct verdict *verdict)
{
    if (verdict->own) return process_sid(&verdict->sid);
    return account_sid_make(blob_slice(&verdict->realm), '@', blob_slice(&verdict->name),
                            &verdict->sid);
}

static status_t judge(const struct kerb_logon *logon, struct verdict *out)
{
    struct blob wide = {NULL, 0};
    status_t status = crypto_ready();
    if (status_ok(status))
        status = logon->kind == KERB_LOGON_S4U ? judge_s4u(logon, out) : judge_password(logon, out);
    if (status_ok(status)) status = utf16_make(blob_slice(&out->principal), &wide);
    if (status_ok(status)) status = principal_split(blob_slice(&wide), &out->name, &out->realm);
    if (status_ok(status)) status = principal_find_own(blob_slice(&out->principal), &out->own);
    if (status_ok(status) && !sid_find(out)) status = SEC_E_INTERNAL_ERROR;
    blob_clear(&wide);
    return status;
}

/* ---- what the client is told ---- */

/* Which KDC it was the library does not say. */
static NTSTATUS profile_make(PLSA_CLIENT_REQUEST client, const struct verdict *verdict,
                             struct logon_outcome *out)
{
    struct image image;
    NTSTATUS status = image_open(&image, client, sizeof(KERB_INTERACTIVE_PROFILE),
                                 image_part(verdict->name.size));
    if (status < 0) return status;
    KERB_INTERACTIVE_PROFILE *profile = (KERB_INTERACTIVE_PROFILE *)image.bytes;
    profile->MessageType = KerbInteractiveProfile;
    profile->LogonTime.QuadPart = (LONGLONG)leg_time();
    profile->LogoffTime.QuadPart = profile->KickOffTime.QuadPart = LOGON_FOREVER;
    profile->PasswordMustChange.QuadPart = LOGON_FOREVER;
    image_add_text(&image, &profile->FullName, blob_slice(&verdict->name));
    return image_send(&image, &out->profile, &out->profile_size);
}

/* ---- what the host is told ---- */

static NTSTATUS names_make(const struct verdict *verdict, struct logon_outcome *out)
{
    wchar_t computer[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD length = ARRAYSIZE(computer);
    struct blob upn = {NULL, 0};
    if (!GetComputerNameW(computer, &length)) return STATUS_INTERNAL_ERROR;
    NTSTATUS status = outcome_name(out, blob_slice(&verdict->name), blob_slice(&verdict->realm),
                                   text_slice(computer, length));
    if (status < 0) return status;
    bool made = text_set(&out->primary.DnsDomainName, blob_slice(&verdict->realm)) &&
                status_ok(utf16_make(blob_slice(&verdict->principal), &upn)) &&
                text_set(&out->primary.Upn, blob_slice(&upn));
    blob_clear(&upn);
    return made ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/* ---- the log-on itself ---- */

static NTSTATUS outcome_make(PLSA_CLIENT_REQUEST client, const struct kerb_logon *logon,
                             struct verdict *verdict, struct logon_outcome *out)
{
    bool by_password = logon->kind != KERB_LOGON_S4U;
    NTSTATUS status = outcome_begin(out);
    if (status >= 0) status = protocol_status(session_add(&out->id, verdict->credential));
    if (status >= 0) status = profile_make(client, verdict, out);
    if (status >= 0) status = outcome_inform(out, &verdict->sid);
    if (status >= 0) status = names_make(verdict, out);
    if (status >= 0)
        status = outcome_tell(out, &verdict->sid, by_password ? &logon->password : NULL);
    return status;
}

/* Which types of log-on go with which kinds. Who is not there can be known to a server, and no
 * more; NewCredentials proves nothing. */
static bool type_fits(SECURITY_LOGON_TYPE type, uint32_t kind)
{
    switch (type) {
    case Network: return kind != KERB_LOGON_UNLOCK;
    case Interactive:
    case Unlock:
    case RemoteInteractive: return kind != KERB_LOGON_S4U;
    case Batch:
    case Service:
    case NetworkCleartext: return kind == KERB_LOGON_INTERACTIVE;
    default: return false;
    }
}

static NTSTATUS submission_read(const struct logon_request *request, struct kerb_logon *out)
{
    status_t status = kerb_logon_decode(&request->submitted, out);
    if (status == SEC_E_UNSUPPORTED_FUNCTION) return STATUS_BAD_VALIDATION_CLASS;
    if (!status_ok(status)) return STATUS_INVALID_PARAMETER;
    return type_fits(request->type, out->kind) ? STATUS_SUCCESS : STATUS_INVALID_LOGON_TYPE;
}

NTSTATUS logon_make(const struct logon_request *request, struct logon_outcome *out)
{
    struct kerb_logon logon = {0};
    struct verdict verdict = {.credential = NULL};
    NTSTATUS status = submission_read(request, &logon);
    out->given_user = logon.user;
    out->given_domain = logon.domain;
    if (status >= 0) status = protocol_status(judge(&logon, &verdict));
    if (status >= 0) status = outcome_make(request->client, &logon, &verdict, out);
    verdict_clear(&verdict);
    TRACE("type %d: status %#lx\n", request->type, (ULONG)status);
    return status;
}

VOID NTAPI logon_terminated(LUID *logon_id)
{
    session_remove(logon_id);
}
