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

/* ---- what the client is told ---- */

static NTSTATUS profile_interactive(PLSA_CLIENT_REQUEST client, const struct verdict *verdict,
                                    struct logon_outcome *out)
{
    struct image image;
    struct slice server = name_slice(&host_get()->computer), user = name_slice(&verdict->user);
    NTSTATUS status = image_open(&image, client, sizeof(MSV1_0_INTERACTIVE_PROFILE),
                                 image_part(server.size) + image_part(user.size));
    if (status < 0) return status;
    MSV1_0_INTERACTIVE_PROFILE *profile = (MSV1_0_INTERACTIVE_PROFILE *)image.bytes;
    profile->MessageType = MsV1_0InteractiveProfile;
    profile->LogonTime.QuadPart = (LONGLONG)leg_time();
    profile->LogoffTime.QuadPart = profile->KickOffTime.QuadPart = LOGON_FOREVER;
    profile->PasswordMustChange.QuadPart = LOGON_FOREVER;
    image_add_text(&image, &profile->FullName, user);
    image_add_text(&image, &profile->LogonServer, server);
    profile->UserFlags = verdict->user_flags;
    return image_send(&image, &out->profile, &out->profile_size);
}

/* Nobody's key is known to everybody, and is zeros. */
static NTSTATUS profile_network(PLSA_CLIENT_REQUEST client, const struct verdict *verdict,
                                struct logon_outcome *out)
{
    struct image image;
    struct slice server = name_slice(&host_get()->computer), domain = name_slice(&verdict->domain);
    NTSTATUS status = image_open(&image, client, sizeof(MSV1_0_LM20_LOGON_PROFILE),
                                 image_part(server.size) + image_part(domain.size));
    if (status < 0) return status;
    MSV1_0_LM20_LOGON_PROFILE *profile = (MSV1_0_LM20_LOGON_PROFILE *)image.bytes;
    profile->MessageType = MsV1_0Lm20LogonProfile;
    profile->LogoffTime.QuadPart = profile->KickOffTime.QuadPart = LOGON_FOREVER;
    profile->UserFlags = verdict->user_flags;
    memcpy(profile->UserSessionKey, verdict->session_key, sizeof(profile->UserSessionKey));
    image_add_text(&image, &profile->LogonDomainName, domain);
    image_add_text(&image, &profile->LogonServer, server);
    return image_send(&image, &out->profile, &out->profile_size);
}

/* ---- what the host is told ---- */

static NTSTATUS information_make(const struct verdict *verdict, SID *user,
                                 struct logon_outcome *out)
{
    if (!verdict->anonymous) return outcome_inform(out, user);
    LSA_TOKEN_INFORMATION_NULL *nobody = package_alloc(sizeof(*nobody));
    if (!nobody) return STATUS_NO_MEMORY;
    *nobody = (LSA_TOKEN_INFORMATION_NULL){.ExpirationTime.QuadPart = LOGON_FOREVER};
    out->information = nobody;
    out->type = LsaTokenInformationNull;
    return STATUS_SUCCESS;
}

static NTSTATUS names_make(const struct verdict *verdict, struct logon_outcome *out)
{
    struct slice computer = name_slice(&host_get()->computer);
    struct slice machine = name_slice(&verdict->workstation);
    NTSTATUS status = outcome_name(out, name_slice(&verdict->user), name_slice(&verdict->domain),
                                   machine.size ? machine : computer);
    if (status < 0) return status;
    return text_set(&out->primary.LogonServer, computer) ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/* ---- the log-on itself ---- */

static NTSTATUS session_make(SECURITY_LOGON_TYPE type, const struct verdict *verdict,
                             struct session *session, struct logon_outcome *out)
{
    *session = (struct session){.type = type, .user = verdict->user, .domain = verdict->domain};
    if (!sid_of(verdict, &session->sid)) return STATUS_INTERNAL_ERROR;
    if (verdict->has_hash) {
        status_t masked = hash_mask(verdict->nt_hash, &session->nt_hash);
        if (!status_ok(masked)) return nt_status(masked);
        session->has_hash = true;
    }
    NTSTATUS status = outcome_begin(out);
    if (status < 0) return status;
    session->id = out->id;
    return nt_status(session_add(session));
}

static NTSTATUS outcome_make(const struct logon_request *request, const struct msv_logon *logon,
                             const struct verdict *verdict, struct logon_outcome *out)
{
    bool by_password = verdict->has_hash;
    struct session session;
    NTSTATUS status = session_make(request->type, verdict, &session, out);
    if (status >= 0)
        status = by_password ? profile_interactive(request->client, verdict, out)
                             : profile_network(request->client, verdict, out);
    if (status >= 0) status = information_make(verdict, &session.sid, out);
    if (status >= 0) status = names_make(verdict, out);
    if (status >= 0)
        status = outcome_tell(out, &session.sid, by_password ? &logon->password : NULL);
    secret_wipe(&session, sizeof(session));
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

static NTSTATUS submission_read(const struct logon_request *request, struct msv_logon *out)
{
    status_t status = msv_logon_decode(&request->submitted, out);
    if (status == SEC_E_UNSUPPORTED_FUNCTION) return STATUS_BAD_VALIDATION_CLASS;
    if (!status_ok(status)) return STATUS_INVALID_PARAMETER;
    if (out->control & MSV1_0_SUBAUTHENTICATION_DLL) return STATUS_NO_SUCH_PACKAGE;
    return type_fits(request->type, out->kind) ? STATUS_SUCCESS : STATUS_INVALID_LOGON_TYPE;
}

NTSTATUS logon_make(const struct logon_request *request, struct logon_outcome *out)
{
    struct msv_logon logon = {0};
    struct verdict verdict = {0};
    NTSTATUS status = submission_read(request, &logon);
    out->given_user = logon.user;
    out->given_domain = logon.domain;
    if (status >= 0) status = nt_status(logon_verify(&logon, &verdict));
    if (status >= 0) status = outcome_make(request, &logon, &verdict, out);
    secret_wipe(&verdict, sizeof(verdict));
    TRACE("type %d: status %#lx\n", request->type, (ULONG)status);
    return status;
}

VOID NTAPI logon_terminated(LUID *logon_id)
{
    session_remove(logon_id);
}
