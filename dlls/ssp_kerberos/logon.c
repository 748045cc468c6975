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

#include "core/secret.h"
#include "ssp/foreign.h"
#include "ssp/leg.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("kerberos");

#define FOREVER INT64_MAX
#define CLEAR_PASSWORD 1u /* PRIMARY_CRED_CLEAR_PASSWORD */

/* Who has logged on. */
struct verdict {
    struct credential *credential;
    struct blob principal;   /* name@REALM, UTF-8 */
    struct blob name, realm; /* the same as UTF-16 */
    bool own;                /* the user of this process */
};

/* What one log-on gives out, until it can be given: heap is the LSA's. */
struct outcome {
    LUID id; /* of a log-on that has to be undone; 0 when there is none */
    void *profile;
    ULONG profile_size;
    void *information;
    UNICODE_STRING *account, *authority, *machine;
    SECPKG_PRIMARY_CRED primary;
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
        status = credential_library(out->credential, CALL_USE_INITIATE, false, &library);
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

static void library_free(uint64_t object)
{
    struct kerberos_call_free call = {.object = object};
    if (object) library_call(KERBEROS_CALL_CREDENTIAL_FREE, &call);
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

static status_t judge(const struct kerb_logon *logon, struct verdict *out)
{
    struct blob wide = {NULL, 0};
    status_t status = crypto_ready();
    if (status_ok(status))
        status = logon->kind == KERB_LOGON_S4U ? judge_s4u(logon, out) : judge_password(logon, out);
    if (status_ok(status)) status = utf16_make(blob_slice(&out->principal), &wide);
    if (status_ok(status)) status = principal_split(blob_slice(&wide), &out->name, &out->realm);
    if (status_ok(status)) out->own = principal_is_own(blob_slice(&out->principal));
    blob_clear(&wide);
    return status;
}

/* ---- what the client is told ---- */

/* Which KDC it was the library does not say. */
static NTSTATUS profile_make(PLSA_CLIENT_REQUEST request, const struct verdict *verdict,
                             struct outcome *out)
{
    struct image image;
    NTSTATUS status = image_open(&image, request, sizeof(KERB_INTERACTIVE_PROFILE),
                                 image_part(verdict->name.size));
    if (status < 0) return status;
    KERB_INTERACTIVE_PROFILE *profile = (KERB_INTERACTIVE_PROFILE *)image.bytes;
    profile->MessageType = KerbInteractiveProfile;
    profile->LogonTime.QuadPart = (LONGLONG)leg_time();
    profile->LogoffTime.QuadPart = profile->KickOffTime.QuadPart = FOREVER;
    profile->PasswordMustChange.QuadPart = FOREVER;
    image_add_text(&image, &profile->FullName, blob_slice(&verdict->name));
    status = image_send(&image, &out->profile, &out->profile_size);
    image_discard(&image);
    return status;
}

/* ---- what the host is told ---- */

static bool sid_of(const struct verdict *verdict, SID *out)
{
    if (verdict->own) return process_sid(out);
    return account_sid_make(blob_slice(&verdict->realm), '@', blob_slice(&verdict->name), out);
}

/* One block: LsaTokenInformationV2 is freed as such. Groups and privileges are the host's. */
static NTSTATUS information_make(const struct verdict *verdict, struct outcome *out)
{
    struct block {
        LSA_TOKEN_INFORMATION_V2 information;
        uint8_t user[SID_ROOM], group[SID_ROOM];
    };
    if (!sid_of(verdict, &out->sid)) return STATUS_INTERNAL_ERROR;
    struct block *block = package_alloc(sizeof(*block));
    if (!block) return STATUS_NO_MEMORY;
    memset(block, 0, sizeof(*block));
    CopySid(SID_ROOM, block->user, &out->sid);
    CopySid(SID_ROOM, block->group, &out->sid);
    /* DOMAIN_GROUP_RID_USERS of the same domain */
    *GetSidSubAuthority(block->group, *GetSidSubAuthorityCount(block->group) - 1u) = 513;
    block->information.ExpirationTime.QuadPart = FOREVER;
    block->information.User.User.Sid = block->user;
    block->information.PrimaryGroup.PrimaryGroup = block->group;
    out->information = block;
    return STATUS_SUCCESS;
}

static NTSTATUS names_make(const struct verdict *verdict, struct outcome *out)
{
    wchar_t computer[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD length = ARRAYSIZE(computer);
    if (!GetComputerNameW(computer, &length)) return STATUS_INTERNAL_ERROR;
    out->account = text_make(blob_slice(&verdict->name));
    out->authority = text_make(blob_slice(&verdict->realm));
    out->machine = text_make((struct slice){(const uint8_t *)computer, length * sizeof(wchar_t)});
    return out->account && out->authority && out->machine ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/* For the other packages, which the host tells of the log-on. */
static NTSTATUS primary_make(const struct kerb_logon *logon, const struct verdict *verdict,
                             struct outcome *out)
{
    SECPKG_PRIMARY_CRED *primary = &out->primary;
    struct blob upn = {NULL, 0};
    bool made = status_ok(utf16_make(blob_slice(&verdict->principal), &upn)) &&
                text_set(&primary->DownlevelName, blob_slice(&verdict->name)) &&
                text_set(&primary->DomainName, blob_slice(&verdict->realm)) &&
                text_set(&primary->DnsDomainName, blob_slice(&verdict->realm)) &&
                text_set(&primary->Upn, blob_slice(&upn));
    blob_clear(&upn);
    primary->LogonId = out->id;
    if (made && logon->kind != KERB_LOGON_S4U) {
        made = text_set(&primary->Password, logon->password);
        primary->Flags = CLEAR_PASSWORD;
    }
    if (made) primary->UserSid = package_alloc(SID_ROOM);
    if (!made || !primary->UserSid) return STATUS_NO_MEMORY;
    CopySid(SID_ROOM, primary->UserSid, &out->sid);
    return STATUS_SUCCESS;
}

/* ---- the log-on itself ---- */

static void session_end(const LUID *session)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    LUID id = *session;
    session_remove(&id);
    if (host && host->DeleteLogonSession) host->DeleteLogonSession(&id);
}

static NTSTATUS session_make(const struct verdict *verdict, struct outcome *out)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    LUID id;
    if (!AllocateLocallyUniqueId(&id)) return STATUS_INTERNAL_ERROR;
    NTSTATUS status = host && host->CreateLogonSession ? host->CreateLogonSession(&id)
                                                       : STATUS_SUCCESS;
    if (status < 0) return status;
    out->id = id;
    return protocol_status(session_add(&id, verdict->credential));
}

static void outcome_discard(PLSA_CLIENT_REQUEST request, struct outcome *out)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    SECPKG_PRIMARY_CRED *primary = &out->primary;
    UNICODE_STRING *const texts[] = {&primary->DownlevelName, &primary->DomainName,
                                     &primary->DnsDomainName, &primary->Upn, &primary->Password};
    if (out->id.LowPart || out->id.HighPart) session_end(&out->id);
    if (host && host->FreeClientBuffer && out->profile)
        host->FreeClientBuffer(request, out->profile);
    else package_free(out->profile);
    package_free(out->information);
    text_free(out->account);
    text_free(out->authority);
    text_free(out->machine);
    for (size_t i = 0; i < ARRAYSIZE(texts); i++) text_clear(texts[i]);
    package_free(primary->UserSid);
}

static NTSTATUS outcome_make(PLSA_CLIENT_REQUEST request, const struct kerb_logon *logon,
                             const struct verdict *verdict, struct outcome *out)
{
    NTSTATUS status = session_make(verdict, out);
    if (status >= 0) status = profile_make(request, verdict, out);
    if (status >= 0) status = information_make(verdict, out);
    if (status >= 0) status = names_make(verdict, out);
    if (status >= 0) status = primary_make(logon, verdict, out);
    if (status < 0) outcome_discard(request, out);
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

static NTSTATUS submission_read(SECURITY_LOGON_TYPE type, void *submitted, void *client_base,
                                ULONG size, struct kerb_logon *out)
{
    const struct lsa_buffer buffer = {
        {submitted, submitted ? size : 0}, (ULONG_PTR)client_base, sizeof(void *) == 8};
    status_t status = kerb_logon_decode(&buffer, out);
    if (status == SEC_E_UNSUPPORTED_FUNCTION) return STATUS_BAD_VALIDATION_CLASS;
    if (!status_ok(status)) return STATUS_INVALID_PARAMETER;
    return type_fits(type, out->kind) ? STATUS_SUCCESS : STATUS_INVALID_LOGON_TYPE;
}

NTSTATUS NTAPI logon_user(PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE type, void *submitted,
                          void *client_base, ULONG size, void **profile, ULONG *profile_size,
                          LUID *logon_id, NTSTATUS *sub_status,
                          LSA_TOKEN_INFORMATION_TYPE *information_type, void **information,
                          UNICODE_STRING **account, UNICODE_STRING **authority,
                          UNICODE_STRING **machine, SECPKG_PRIMARY_CRED *primary,
                          SECPKG_SUPPLEMENTAL_CRED_ARRAY **supplemental)
{
    struct kerb_logon logon = {0};
    struct verdict verdict = {.credential = NULL};
    struct outcome out = {.profile = NULL};
    *account = *authority = NULL;
    *sub_status = STATUS_SUCCESS;
    NTSTATUS status = submission_read(type, submitted, client_base, size, &logon);
    if (status >= 0) status = protocol_status(judge(&logon, &verdict));
    if (status >= 0) status = outcome_make(request, &logon, &verdict, &out);
    verdict_clear(&verdict);
    TRACE("type %d: status %#lx\n", type, (ULONG)status);
    if (status < 0) { /* the names are wanted all the same, as they were given */
        *account = text_make(logon.user);
        *authority = text_make(logon.domain);
        return status;
    }
    *profile = out.profile;
    *profile_size = out.profile_size;
    *logon_id = out.id;
    *information_type = LsaTokenInformationV2;
    *information = out.information;
    *account = out.account;
    *authority = out.authority;
    *machine = out.machine;
    *primary = out.primary;
    *supplemental = NULL;
    secret_wipe(&out, sizeof(out));
    return STATUS_SUCCESS;
}

VOID NTAPI logon_terminated(LUID *logon_id)
{
    session_remove(logon_id);
}
