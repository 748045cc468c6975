/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log-ons of authentication packages; see ssp/logon_user.h. */
#include "ssp/logon_user.h"

#include "core/secret.h"
#include "ssp/provider.h"
#include "ssp/token.h"

#include <string.h>

#define CLEAR_PASSWORD 1u /* PRIMARY_CRED_CLEAR_PASSWORD */

/* ---- making ---- */

NTSTATUS outcome_begin(struct logon_outcome *out)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    LUID id;
    if (!AllocateLocallyUniqueId(&id)) return STATUS_INTERNAL_ERROR;
    NTSTATUS status = host && host->CreateLogonSession ? host->CreateLogonSession(&id)
                                                       : STATUS_SUCCESS;
    if (status >= 0) out->id = id;
    return status;
}

/* One block: LsaTokenInformationV2 is freed as such. */
NTSTATUS outcome_inform(struct logon_outcome *out, SID *user)
{
    struct block {
        LSA_TOKEN_INFORMATION_V2 information;
        uint8_t user[SID_ROOM], group[SID_ROOM];
    } *block = package_alloc(sizeof(*block));
    if (!block) return STATUS_NO_MEMORY;
    memset(block, 0, sizeof(*block));
    CopySid(SID_ROOM, block->user, user);
    CopySid(SID_ROOM, block->group, user);
    /* DOMAIN_GROUP_RID_USERS of the same domain */
    *GetSidSubAuthority(block->group, *GetSidSubAuthorityCount(block->group) - 1u) = 513;
    block->information.ExpirationTime.QuadPart = LOGON_FOREVER;
    block->information.User.User.Sid = block->user;
    block->information.PrimaryGroup.PrimaryGroup = block->group;
    out->information = block;
    out->type = LsaTokenInformationV2;
    return STATUS_SUCCESS;
}

NTSTATUS outcome_name(struct logon_outcome *out, struct slice account, struct slice authority,
                      struct slice machine)
{
    out->account = text_make(account);
    out->authority = text_make(authority);
    out->machine = text_make(machine);
    bool made = out->account && out->authority && out->machine &&
                text_set(&out->primary.DownlevelName, account) &&
                text_set(&out->primary.DomainName, authority);
    return made ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

NTSTATUS outcome_tell(struct logon_outcome *out, SID *user, const struct slice *password)
{
    SECPKG_PRIMARY_CRED *primary = &out->primary;
    primary->LogonId = out->id;
    if (password && !text_set(&primary->Password, *password)) return STATUS_NO_MEMORY;
    if (password) primary->Flags = CLEAR_PASSWORD;
    primary->UserSid = package_alloc(SID_ROOM);
    if (!primary->UserSid) return STATUS_NO_MEMORY;
    CopySid(SID_ROOM, primary->UserSid, user);
    return STATUS_SUCCESS;
}

/* ---- giving ---- */

static void outcome_discard(PLSA_CLIENT_REQUEST client, struct logon_outcome *out)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    SECPKG_PRIMARY_CRED *primary = &out->primary;
    UNICODE_STRING *const texts[] = {&primary->DownlevelName, &primary->DomainName,
                                     &primary->LogonServer,   &primary->DnsDomainName,
                                     &primary->Upn,           &primary->Password};
    if (out->id.LowPart || out->id.HighPart) {
        logon_terminated(&out->id);
        if (host && host->DeleteLogonSession) host->DeleteLogonSession(&out->id);
    }
    client_free(client, out->profile);
    package_free(out->information);
    text_free(out->account);
    text_free(out->authority);
    text_free(out->machine);
    for (size_t i = 0; i < ARRAYSIZE(texts); i++) text_clear(texts[i]);
    package_free(primary->UserSid);
}

NTSTATUS NTAPI logon_user(PLSA_CLIENT_REQUEST client, SECURITY_LOGON_TYPE type, void *submitted,
                          void *client_base, ULONG size, void **profile, ULONG *profile_size,
                          LUID *logon_id, NTSTATUS *sub_status,
                          LSA_TOKEN_INFORMATION_TYPE *information_type, void **information,
                          UNICODE_STRING **account, UNICODE_STRING **authority,
                          UNICODE_STRING **machine, SECPKG_PRIMARY_CRED *primary,
                          SECPKG_SUPPLEMENTAL_CRED_ARRAY **supplemental)
{
    const struct logon_request request = {client, type,
                                          client_buffer(submitted, client_base, size)};
    struct logon_outcome out = {.profile = NULL};
    *account = *authority = NULL;
    *sub_status = STATUS_SUCCESS;
    NTSTATUS status = logon_make(&request, &out);
    if (status < 0) { /* the names are wanted all the same, as they were given */
        outcome_discard(client, &out);
        *account = text_make(out.given_user);
        *authority = text_make(out.given_domain);
        return status;
    }
    *profile = out.profile;
    *profile_size = out.profile_size;
    *logon_id = out.id;
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
