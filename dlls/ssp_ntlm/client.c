/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client's two legs (MS-NLMP 3.1.5.1, 3.1.5.2). With credentials of its own a client proves
 * an account, by NTLMv2 unless the machine's policy is older. With default credentials there is
 * no password to prove anything with: the client offers a local call, and where the server does
 * not take the offer up it goes on with the account that the user has saved for that server, or
 * not at all. An application may also ask to be nobody (a null session).
 *
 * Requirements that NTLM has no answer to (delegation, mutual authentication, extended errors,
 * streams, fragments, supplied credentials) are not refused but not returned either;
 * ISC_REQ_NO_INTEGRITY is for Negotiate and Kerberos.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("ntlm");

/* What an application may ask for besides protection, and will be told that it has. */
#define ECHOED (ISC_REQ_IDENTIFY | ISC_REQ_CONNECTION | ISC_REQ_DATAGRAM | ISC_REQ_USE_DCE_STYLE)
#define SIGNING (ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define PROTECTION (SIGNING | ISC_REQ_CONFIDENTIALITY)

static bool is_anonymous(ULONG requirements)
{
    return requirements & ISC_REQ_NULL_SESSION;
}

static uint32_t wire_flags(ULONG requirements)
{
    uint32_t flags = 0;
    if (requirements & SIGNING) flags |= NTLM_SIGN;
    if (requirements & ISC_REQ_CONFIDENTIALITY) flags |= NTLM_SEAL;
    if (requirements & ISC_REQ_IDENTIFY) flags |= NTLM_IDENTIFY;
    if (requirements & ISC_REQ_DATAGRAM) flags |= NTLM_DATAGRAM;
    if (is_anonymous(requirements)) flags |= NTLM_ANONYMOUS;
    return flags;
}

/* The keys of a null session are known to everybody, so it protects nothing. */
static ULONG first_attributes(ULONG requirements)
{
    if (is_anonymous(requirements)) return (requirements & ECHOED) | ISC_RET_NULL_SESSION;
    return requirements & (ECHOED | PROTECTION);
}

/* By what was agreed on, whatever was asked for: any signature also tells replays and gaps. */
static ULONG final_attributes(const struct ntlm_context *ntlm)
{
    uint32_t flags = ntlm->session.flags;
    ULONG attributes = ntlm->requested & ECHOED;
    /* A server that does not know of identification may impersonate. */
    if (!(flags & NTLM_IDENTIFY)) attributes &= ~ISC_RET_IDENTIFY;
    if (is_anonymous(ntlm->requested)) return attributes | ISC_RET_NULL_SESSION;
    if (flags & NTLM_SIGN) attributes |= SIGNING;
    if (flags & NTLM_SEAL) attributes |= ISC_RET_CONFIDENTIALITY;
    if (flags & NTLM_KEY_EXCH) attributes |= ntlm->requested & ISC_RET_USE_SESSION_KEY;
    return attributes;
}

/* ---- first leg ---- */

/* Default credentials are offered by the names of this machine, by which a server here knows its
 * own client; for others they change nothing. There is no local call by datagrams. */
static status_t offer_local(struct ntlm_client_start *start)
{
    const struct host *host = host_get();
    if (!host) return SEC_E_INTERNAL_ERROR;
    start->offer_local = true;
    start->oem_domain.data = (const uint8_t *)host->oem_computer;
    start->oem_domain.size = strlen(host->oem_computer);
    start->oem_workstation = start->oem_domain;
    return SEC_E_OK;
}

static status_t negotiate(struct leg *leg, const struct credential *credential,
                          struct slice target_name, const struct ntlm_policy *policy,
                          struct ntlm_context *ntlm)
{
    const uint32_t not_local = NTLM_ANONYMOUS | NTLM_DATAGRAM;
    ULONG requirements = leg->requirements;
    if (credential->identity.anonymous) requirements |= ISC_REQ_NULL_SESSION;
    struct ntlm_client_start start = {
        .flags = NTLM_STRONG | NTLM_OEM | wire_flags(requirements),
        .target_name = target_name,
    };
    memcpy(start.version, package_version, sizeof(start.version));
    start.required = policy_required(policy->client_minimum,
                                     policy->client_level >= LEVEL_CLIENT_V2, start.flags);
    /* What has to be there is asked for; the lowest level does not know ESS. */
    start.flags |= start.required;
    if (!policy->client_level) start.flags &= ~NTLM_ESS;

    status_t status = SEC_E_OK;
    if (credential->identity.is_default && !(start.flags & not_local)) status = offer_local(&start);
    if (status_ok(status)) status = ntlm_client_start(ntlm, &start, &leg->token);
    ntlm->requested = requirements;
    ntlm->attributes = first_attributes(requirements);
    return status;
}

static status_t start_check(const struct credential *credential, const struct ntlm_policy *policy,
                            struct slice target_name)
{
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (!(credential->use & SECPKG_CRED_OUTBOUND)) return SEC_E_NO_CREDENTIALS;
    status_t status = SEC_E_OK;
    bool allowed = policy_may_send(policy, target_name, &status);
    if (!status_ok(status)) return status;
    return allowed ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION;
}

status_t client_start(struct leg *leg, struct credential *credential, struct context **out)
{
    struct context *context = NULL;
    struct bindings bindings;
    struct ntlm_policy policy;
    struct slice target_name;
    status_t status = policy_get(&policy);
    if (status_ok(status)) status = leg_target(leg->target, leg->input, &target_name);
    if (status_ok(status)) status = start_check(credential, &policy, target_name);
    if (status_ok(status)) status = bindings_read(leg, &bindings);
    if (!status_ok(status)) return status;

    struct ntlm_context ntlm;
    ntlm_context_init(&ntlm, NTLM_CLIENT);
    status = negotiate(leg, credential, target_name, &policy, &ntlm);
    if (status_ok(status)) status = context_create(&ntlm, HALF_LSA, &context);
    if (!status_ok(status)) {
        ntlm_context_clear(&ntlm);
        return status;
    }
    context->credential = credential_hold(credential);
    context->bindings = bindings;
    *out = context;
    return SEC_E_OK;
}

/* ---- second leg ---- */

/* NTOWFv2 of the user, whose name counts in upper case (MS-NLMP 3.3.2); below level 3 the older
 * responses. An identity has an LM hash at the two lowest levels only. */
static status_t account_proof(const struct identity *identity, const struct ntlm_policy *policy,
                              struct ntlm_client_finish *finish)
{
    finish->user = name_slice(&identity->user);
    finish->domain = name_slice(&identity->domain);
    if (policy->client_level < LEVEL_CLIENT_V2) {
        finish->proof = NTLM_PROOF_V1;
        memcpy(finish->nt_hash, identity->nt_hash, sizeof(finish->nt_hash));
        memcpy(finish->lm_hash, identity->lm_hash, sizeof(finish->lm_hash));
        finish->send_lm = identity->has_lm && policy->client_level < LEVEL_CLIENT_NO_LM;
        return SEC_E_OK;
    }
    struct name upper = identity->user;
    name_upper(&upper);
    finish->proof = NTLM_PROOF_V2;
    return ntlm_v2_hash(identity->nt_hash, name_slice(&upper), finish->domain, finish->v2_hash);
}

static status_t local_proof(const struct host *host, const struct ntlm_challenge *challenge,
                            struct ntlm_client_finish *finish)
{
    struct prefix_secret secret;
    if (!host->user.length) return SEC_E_NO_CREDENTIALS;
    status_t status = prefix_secret_get(&secret);
    if (!status_ok(status)) return status;
    finish->proof = NTLM_PROOF_LOCAL;
    /* By the target's name the server tells a call that somebody passes on to it. */
    finish->no_extended_protection = false;
    finish->user = name_slice(&host->user);
    finish->domain = name_slice(&host->computer);
    status = ntlm_local_hash(secret.key, challenge->local_ticket, challenge->server_challenge,
                             finish->user, finish->domain, finish->v2_hash);
    secret_wipe(&secret, sizeof(secret));
    return status;
}

/* identity is kept by the caller for as long as finish. */
static status_t proof_fill(const struct ntlm_context *ntlm, const struct credential *credential,
                           const struct ntlm_challenge *challenge, const struct ntlm_policy *policy,
                           struct identity *identity, struct ntlm_client_finish *finish)
{
    if (is_anonymous(ntlm->requested)) {
        finish->proof = NTLM_PROOF_ANONYMOUS;
        return SEC_E_OK;
    }
    if (credential->identity.is_default && challenge->flags & NTLM_LOCAL_CALL)
        return local_proof(host_get(), challenge, finish);
    status_t status = credential_for_target(credential, blob_slice(&ntlm->target_name), identity);
    if (!status_ok(status)) TRACE("nothing to prove to this server: status %#lx\n", (ULONG)status);
    return status_ok(status) ? account_proof(identity, policy, finish) : status;
}

/* machine_id is kept by the caller for as long as finish. */
static status_t finish_fill(const struct host *host, const struct ntlm_policy *policy,
                            const struct context *context, uint8_t machine_id[NTLM_MACHINE_ID_SIZE],
                            struct ntlm_client_finish *finish)
{
    status_t status = machine_id_get(machine_id);
    if (status_ok(status))
        status = random_bytes(finish->client_challenge, sizeof(finish->client_challenge));
    if (status_ok(status))
        status = random_bytes(finish->random_session_key, sizeof(finish->random_session_key));
    if (!status_ok(status)) return status;
    finish->now = leg_time();
    finish->workstation = name_slice(&host->computer);
    finish->machine_id = machine_id;
    finish->untrusted_target = context->ntlm.requested & ISC_REQ_UNVERIFIED_TARGET_NAME;
    finish->no_extended_protection = policy->no_extended_protection;
    memcpy(finish->version, package_version, sizeof(finish->version));
    return SEC_E_OK;
}

/* The names of a message to a server that knows OEM text only. A name that cannot be written so
 * must not become another one. */
struct oem_names {
    char user[2 * NAME_CHARS], domain[2 * NAME_CHARS], workstation[2 * NAME_CHARS];
};

static status_t oem_convert(struct slice text, char room[2 * NAME_CHARS], struct slice *out)
{
    BOOL lost = FALSE;
    int length = 0;
    if (text.size)
        length = WideCharToMultiByte(CP_OEMCP, WC_NO_BEST_FIT_CHARS, (const wchar_t *)text.data,
                                     (int)(text.size / sizeof(wchar_t)), room, 2 * NAME_CHARS, NULL,
                                     &lost);
    if (lost || (text.size && length <= 0)) return SEC_E_UNSUPPORTED_FUNCTION;
    *out = (struct slice){(const uint8_t *)room, (size_t)length};
    return SEC_E_OK;
}

static status_t oem_fill(struct oem_names *names, struct ntlm_client_finish *finish)
{
    status_t status = oem_convert(finish->user, names->user, &finish->oem_user);
    if (status_ok(status)) status = oem_convert(finish->domain, names->domain, &finish->oem_domain);
    if (status_ok(status))
        status = oem_convert(finish->workstation, names->workstation, &finish->oem_workstation);
    return status;
}

static status_t finish_check(const struct credential *credential, const struct context *context)
{
    if (context->ntlm.role != NTLM_CLIENT) return SEC_E_INVALID_HANDLE;
    if (context->ntlm.stage != NTLM_STAGE_NEGOTIATE_SENT) return SEC_E_OUT_OF_SEQUENCE;
    if (!credential || !(credential->use & SECPKG_CRED_OUTBOUND)) return SEC_E_NO_CREDENTIALS;
    return host_get() ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

/* credential is looked at for an imported context only; the others have kept theirs. */
status_t client_finish(struct leg *leg, struct credential *credential, struct context *context)
{
    struct ntlm_challenge challenge;
    struct slice token;
    struct bindings bindings;
    struct ntlm_policy policy;
    if (context->credential) credential = context->credential;
    status_t status = finish_check(credential, context);
    if (status_ok(status)) status = bindings_read(leg, &bindings);
    if (status_ok(status)) status = leg_token(leg->input, &token);
    if (status_ok(status)) status = ntlm_challenge_decode(token, &challenge);
    if (!status_ok(status)) return status;

    struct ntlm_client_finish finish = {0};
    struct identity identity = {0};
    struct oem_names oem_names;
    uint8_t machine_id[NTLM_MACHINE_ID_SIZE];
    if (!bindings.given) bindings = context->bindings;
    if (bindings.given) finish.channel_bindings = bindings.hash;
    status = policy_get(&policy);
    if (status_ok(status)) status = finish_fill(host_get(), &policy, context, machine_id, &finish);
    if (status_ok(status))
        status = proof_fill(&context->ntlm, credential, &challenge, &policy, &identity, &finish);
    if (status_ok(status) && !(challenge.flags & NTLM_UNICODE))
        status = oem_fill(&oem_names, &finish);
    if (status_ok(status))
        status = ntlm_client_finish(&context->ntlm, token, &challenge, &finish, &leg->token);
    secret_wipe(&identity, sizeof(identity));
    secret_wipe(&finish, sizeof(finish));
    if (status_ok(status)) context->ntlm.attributes = final_attributes(&context->ntlm);
    return status;
}
