/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LsaApLogonUserEx2 of MSV1_0 (Microsoft: LSA_AP_LOGON_USER_EX2): with a password
 * (MsV1_0InteractiveLogon, MsV1_0WorkstationUnlockLogon) or the answer to a challenge
 * (MsV1_0Lm20Logon, MsV1_0NetworkLogon). What comes out is information about the account and a
 * log-on of the host's; whether there can be a token for it is the host's affair. Other kinds,
 * those that prove nothing among them (S4U), are STATUS_BAD_VALIDATION_CLASS.
 */
#include "logon.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("ntlm");

#define FOREVER INT64_MAX
#define CLEAR_PASSWORD 1u /* PRIMARY_CRED_CLEAR_PASSWORD */

/* What one log-on gives out, until it can be given: heap is the LSA's. */
struct outcome {
    struct session session;
    void *profile;
    ULONG profile_size;
    LSA_TOKEN_INFORMATION_TYPE type;
    void *information;
    UNICODE_STRING *account, *authority, *machine;
    SECPKG_PRIMARY_CRED primary;
};

/* ---- what the client is told ---- */

static NTSTATUS profile_interactive(PLSA_CLIENT_REQUEST request, const struct verdict *verdict,
                                    struct outcome *out)
{
    struct image image;
    struct slice server = name_slice(&host_get()->computer), user = name_slice(&verdict->user);
    NTSTATUS status = image_open(&image, request, sizeof(MSV1_0_INTERACTIVE_PROFILE),
                                 image_part(server.size) + image_part(user.size));
    if (status < 0) return status;
    MSV1_0_INTERACTIVE_PROFILE *profile = (MSV1_0_INTERACTIVE_PROFILE *)image.bytes;
    profile->MessageType = MsV1_0InteractiveProfile;
    profile->LogonTime.QuadPart = (LONGLONG)leg_time();
    profile->LogoffTime.QuadPart = profile->KickOffTime.QuadPart = FOREVER;
    profile->PasswordMustChange.QuadPart = FOREVER;
    image_add_text(&image, &profile->FullName, user);
    image_add_text(&image, &profile->LogonServer, server);
    profile->UserFlags = verdict->user_flags;
    status = image_send(&image, &out->profile, &out->profile_size);
    image_discard(&image);
    return status;
}

/* Nobody's key is known to everybody, and is zeros. */
static NTSTATUS profile_network(PLSA_CLIENT_REQUEST request, const struct verdict *verdict,
                                struct outcome *out)
{
    struct image image;
    struct slice server = name_slice(&host_get()->computer), domain = name_slice(&verdict->domain);
    NTSTATUS status = image_open(&image, request, sizeof(MSV1_0_LM20_LOGON_PROFILE),
                                 image_part(server.size) + image_part(domain.size));
    if (status < 0) return status;
    MSV1_0_LM20_LOGON_PROFILE *profile = (MSV1_0_LM20_LOGON_PROFILE *)image.bytes;
    profile->MessageType = MsV1_0Lm20LogonProfile;
    profile->LogoffTime.QuadPart = profile->KickOffTime.QuadPart = FOREVER;
    profile->UserFlags = verdict->user_flags;
    memcpy(profile->UserSessionKey, verdict->session_key, sizeof(profile->UserSessionKey));
    image_add_text(&image, &profile->LogonDomainName, domain);
    image_add_text(&image, &profile->LogonServer, server);
    status = image_send(&image, &out->profile, &out->profile_size);
    image_discard(&image);
    return status;
}

/* ---- what the host is told ---- */

/* One block: LsaTokenInformationV2 is freed as such. Groups and privileges are the host's. */
static NTSTATUS information_make(const struct verdict *verdict, struct outcome *out)
{
    struct block {
        LSA_TOKEN_INFORMATION_V2 information;
        uint8_t user[SID_ROOM], group[SID_ROOM];
    };
    if (verdict->anonymous) {
        LSA_TOKEN_INFORMATION_NULL *nobody = package_alloc(sizeof(*nobody));
        if (!nobody) return STATUS_NO_MEMORY;
        *nobody = (LSA_TOKEN_INFORMATION_NULL){.ExpirationTime.QuadPart = FOREVER};
        out->information = nobody;
        out->type = LsaTokenInformationNull;
        return STATUS_SUCCESS;
    }
    struct block *block = package_alloc(sizeof(*block));
    if (!block) return STATUS_NO_MEMORY;
    memset(block, 0, sizeof(*block));
    CopySid(SID_ROOM, block->user, &out->session.sid);
    CopySid(SID_ROOM, block->group, &out->session.sid);
    /* DOMAIN_GROUP_RID_USERS of the same domain */
    *GetSidSubAuthority(block->group, *GetSidSubAuthorityCount(block->group) - 1u) = 513;
    block->information.ExpirationTime.QuadPart = FOREVER;
    block->information.User.User.Sid = block->user;
    block->information.PrimaryGroup.PrimaryGroup = block->group;
    out->information = block;
    out->type = LsaTokenInformationV2;
    return STATUS_SUCCESS;
}

static NTSTATUS names_make(const struct verdict *verdict, struct outcome *out)
{
    struct slice machine = name_slice(&verdict->workstation);
    if (!machine.size) machine = name_slice(&host_get()->computer);
    out->account = text_make(name_slice(&verdict->user));
    out->authority = text_make(name_slice(&verdict->domain));
    out->machine = text_make(machine);
    return out->account && out->authority && out->machine ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/* For the other packages, which the host tells of the log-on. */
static NTSTATUS primary_make(const struct msv_logon *logon, const struct verdict *verdict,
                             struct outcome *out)
{
    SECPKG_PRIMARY_CRED *primary = &out->primary;
    primary->LogonId = out->session.id;
    bool made = text_set(&primary->DownlevelName, name_slice(&verdict->user)) &&
                text_set(&primary->DomainName, name_slice(&verdict->domain)) &&
                text_set(&primary->LogonServer, name_slice(&host_get()->computer));
    if (made && verdict->has_hash) {
        made = text_set(&primary->Password, logon->password);
        primary->Flags = CLEAR_PASSWORD;
    }
    if (made) primary->UserSid = package_alloc(SID_ROOM);
    if (!made || !primary->UserSid) return STATUS_NO_MEMORY;
    CopySid(SID_ROOM, primary->UserSid, &out->session.sid);
    return STATUS_SUCCESS;
}

/* ---- the log-on itself ---- */

static NTSTATUS session_make(SECURITY_LOGON_TYPE type, const struct verdict *verdict,
                             struct session *out)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    struct session session = {.type = type, .user = verdict->user, .domain = verdict->domain};
    if (!sid_of(verdict, &session.sid) || !AllocateLocallyUniqueId(&session.id))
        return STATUS_INTERNAL_ERROR;
    if (verdict->has_hash) {
        status_t masked = hash_mask(verdict->nt_hash, &session.nt_hash);
        if (!status_ok(masked)) return nt_status(masked);
        session.has_hash = true;
    }
    NTSTATUS status = host && host->CreateLogonSession ? host->CreateLogonSession(&session.id)
                                                       : STATUS_SUCCESS;
    if (status < 0) return status;
    status = nt_status(session_add(&session));
    if (status >= 0) *out = session;
    else if (host && host->DeleteLogonSession) host->DeleteLogonSession(&session.id);
    return status;
}

static void session_undo(const struct session *session)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    if (!session->id.LowPart && !session->id.HighPart) return;
    session_remove(&session->id);
    LUID id = session->id;
    if (host && host->DeleteLogonSession) host->DeleteLogonSession(&id);
}

static void outcome_discard(PLSA_CLIENT_REQUEST request, struct outcome *out)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    session_undo(&out->session);
    if (host && host->FreeClientBuffer && out->profile)
        host->FreeClientBuffer(request, out->profile);
    else package_free(out->profile);
    package_free(out->information);
    text_free(out->account);
    text_free(out->authority);
    text_free(out->machine);
    text_clear(&out->primary.DownlevelName);
    text_clear(&out->primary.DomainName);
    text_clear(&out->primary.LogonServer);
    text_clear(&out->primary.Password);
    package_free(out->primary.UserSid);
}

static NTSTATUS outcome_make(PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE type,
                             const struct msv_logon *logon, const struct verdict *verdict,
                             struct outcome *out)
{
    bool by_password = verdict->has_hash;
    NTSTATUS status = session_make(type, verdict, &out->session);
    if (status >= 0)
        status = by_password ? profile_interactive(request, verdict, out)
                             : profile_network(request, verdict, out);
    if (status >= 0) status = information_make(verdict, out);
    if (status >= 0) status = names_make(verdict, out);
    if (status >= 0) status = primary_make(logon, verdict, out);
    if (status < 0) outcome_discard(request, out);
    return status;
}

/* Which types of log-on go with which kinds. Nobody logs on for a service's or a batch job's sake
 * by a challenge, and NewCredentials proves nothing. */
static bool type_fits(SECURITY_LOGON_TYPE type, uint32_t kind)
{
    switch (type) {
    case Network: return kind != MSV_LOGON_UNLOCK;
    case Interactive:
    case Unlock:
    case RemoteInteractive: return kind == MSV_LOGON_INTERACTIVE || kind == MSV_LOGON_UNLOCK;
    case Batch:
    case Service:
    case NetworkCleartext: return kind == MSV_LOGON_INTERACTIVE;
    default: return false;
    }
}

static NTSTATUS submission_read(SECURITY_LOGON_TYPE type, void *submitted, void *client_base,
                                ULONG size, struct msv_logon *out)
{
    const struct lsa_buffer buffer = {
        {submitted, submitted ? size : 0}, (ULONG_PTR)client_base, sizeof(void *) == 8};
    status_t status = msv_logon_decode(&buffer, out);
    if (status == SEC_E_UNSUPPORTED_FUNCTION) return STATUS_BAD_VALIDATION_CLASS;
    if (!status_ok(status)) return STATUS_INVALID_PARAMETER;
    if (out->control & MSV1_0_SUBAUTHENTICATION_DLL) return STATUS_NO_SUCH_PACKAGE;
    return type_fits(type, out->kind) ? STATUS_SUCCESS : STATUS_INVALID_LOGON_TYPE;
}

/* The names are wanted whether or not the log-on succeeds; those of a failed one are as they were
 * given. */
static void names_of_failed(const struct msv_logon *logon, UNICODE_STRING **account,
                            UNICODE_STRING **authority)
{
    *account = text_make(logon->user);
    *authority = text_make(logon->domain);
}

NTSTATUS NTAPI logon_user(PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE type, void *submitted,
                          void *client_base, ULONG size, void **profile, ULONG *profile_size,
                          LUID *logon_id, NTSTATUS *sub_status,
                          LSA_TOKEN_INFORMATION_TYPE *information_type, void **information,
                          UNICODE_STRING **account, UNICODE_STRING **authority,
                          UNICODE_STRING **machine, SECPKG_PRIMARY_CRED *primary,
                          SECPKG_SUPPLEMENTAL_CRED_ARRAY **supplemental)
{
    struct msv_logon logon = {0};
    struct verdict verdict = {0};
    struct outcome out = {.profile = NULL};
    *account = *authority = NULL;
    *sub_status = STATUS_SUCCESS;
    NTSTATUS status = submission_read(type, submitted, client_base, size, &logon);
    if (status >= 0) status = nt_status(logon_verify(&logon, &verdict));
    if (status >= 0) status = outcome_make(request, type, &logon, &verdict, &out);
    secret_wipe(&verdict, sizeof(verdict));
    TRACE("type %d: status %#lx\n", type, (ULONG)status);
    if (status < 0) {
        names_of_failed(&logon, account, authority);
        return status;
    }
    *profile = out.profile;
    *profile_size = out.profile_size;
    *logon_id = out.session.id;
    *information_type = out.type;
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
