/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client's two legs (MS-NLMP 3.1.5.1). With credentials of its own a client proves an
 * account by NTLMv2. With default credentials there is no password to prove anything with: the
 * client offers a local call, and goes on only when the server takes the offer up. Omitted:
 * anonymous logons and the connectionless style.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("ntlm");

/* What an application may ask for besides protection, and will be told that it has. */
#define ECHOED (ISC_REQ_IDENTIFY | ISC_REQ_CONNECTION | ISC_REQ_USE_DCE_STYLE)
#define REFUSED (ISC_REQ_DATAGRAM | ISC_REQ_NULL_SESSION)
#define SIGNING (ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)

static uint32_t wire_flags(ULONG requirements)
{
    uint32_t flags = 0;
    if (requirements & SIGNING) flags |= NTLM_SIGN;
    if (requirements & ISC_REQ_CONFIDENTIALITY) flags |= NTLM_SEAL;
    if (requirements & ISC_REQ_IDENTIFY) flags |= NTLM_IDENTIFY;
    return flags;
}

/* By what was agreed on, whatever was asked for: any signature also tells replays and gaps. */
static ULONG final_attributes(const struct ntlm_context *ntlm)
{
    ULONG attributes = ntlm->requested & ECHOED;
    if (ntlm->session.flags & NTLM_SIGN) attributes |= SIGNING;
    if (ntlm->session.flags & NTLM_SEAL) attributes |= ISC_RET_CONFIDENTIALITY;
    return attributes;
}

static struct slice target_slice(const UNICODE_STRING *target)
{
    if (!target || !target->Buffer) return (struct slice){NULL, 0};
    return text_slice(target->Buffer, target->Length / sizeof(wchar_t));
}

/* ---- first leg ---- */

/* What is refused here would otherwise be granted as something else: a program that asks for an
 * anonymous or a datagram context must not go on with a named or a connected one. */
static status_t start_check(const struct leg *leg, const struct credential *credential)
{
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (!(credential->use & SECPKG_CRED_OUTBOUND)) return SEC_E_NO_CREDENTIALS;
    if (!(leg->requirements & REFUSED)) return SEC_E_OK;
    WARN("neither datagram contexts nor anonymous ones are offered\n");
    return SEC_E_UNSUPPORTED_FUNCTION;
}

/* Default credentials are offered by the names of this machine, by which a server here knows its
 * own client; for others they change nothing. */
static status_t negotiate(struct leg *leg, const struct credential *credential,
                          struct ntlm_context *ntlm)
{
    struct ntlm_client_start start = {
        .flags = NTLM_STRONG | wire_flags(leg->requirements),
        .required = NTLM_ESS | NTLM_128,
        .offer_local = credential->identity.is_default,
        .target_name = target_slice(leg->target),
    };
    memcpy(start.version, package_version, sizeof(start.version));
    if (start.offer_local) {
        const struct host *host = host_get();
        if (!host) return SEC_E_INTERNAL_ERROR;
        start.oem_domain.data = (const uint8_t *)host->oem_computer;
        start.oem_domain.size = strlen(host->oem_computer);
        start.oem_workstation = start.oem_domain;
    }
    status_t status = ntlm_client_start(ntlm, &start, &leg->token);
    ntlm->requested = leg->requirements;
    ntlm->attributes = leg->requirements & (ECHOED | SIGNING | ISC_REQ_CONFIDENTIALITY);
    return status;
}

status_t client_start(struct leg *leg, struct credential *credential, struct context **out)
{
    struct context *context = NULL;
    struct bindings bindings;
    status_t status = start_check(leg, credential);
    if (status_ok(status)) status = leg_bindings(leg, &bindings);
    if (!status_ok(status)) return status;

    struct ntlm_context ntlm;
    ntlm_context_init(&ntlm, NTLM_CLIENT);
    status = negotiate(leg, credential, &ntlm);
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

/* NTOWFv2 of the user, whose name counts in upper case (MS-NLMP 3.3.2). */
static status_t account_proof(const struct identity *identity, struct ntlm_client_finish *finish)
{
    struct name upper = identity->user;
    name_upper(&upper);
    finish->user = name_slice(&identity->user);
    finish->domain = name_slice(&identity->domain);
    return ntlm_v2_hash(identity->nt_hash, name_slice(&upper), finish->domain, finish->v2_hash);
}

static status_t local_proof(const struct host *host, const struct ntlm_challenge *challenge,
                            struct ntlm_client_finish *finish)
{
    struct prefix_secret secret;
    if (!(challenge->flags & NTLM_LOCAL_CALL)) {
        TRACE("default credentials hold on this machine only, and the server is not here\n");
        return SEC_E_NO_CREDENTIALS;
    }
    if (!host->user.length) return SEC_E_NO_CREDENTIALS;
    status_t status = prefix_secret_get(&secret);
    if (!status_ok(status)) return status;
    finish->proof = NTLM_PROOF_LOCAL;
    finish->user = name_slice(&host->user);
    finish->domain = name_slice(&host->computer);
    status = ntlm_local_hash(secret.key, challenge->local_ticket, challenge->server_challenge,
                             finish->user, finish->domain, finish->v2_hash);
    secret_wipe(&secret, sizeof(secret));
    return status;
}

static status_t finish_fill(const struct credential *credential, const struct host *host,
                            const struct ntlm_challenge *challenge,
                            struct ntlm_client_finish *finish)
{
    status_t status = random_bytes(finish->client_challenge, sizeof(finish->client_challenge));
    if (status_ok(status))
        status = random_bytes(finish->random_session_key, sizeof(finish->random_session_key));
    if (!status_ok(status)) return status;
    finish->now = leg_time();
    finish->workstation = name_slice(&host->computer);
    memcpy(finish->version, package_version, sizeof(finish->version));
    return credential->identity.is_default ? local_proof(host, challenge, finish)
                                           : account_proof(&credential->identity, finish);
}

/* credential is looked at for an imported context only; the others have kept theirs. */
status_t client_finish(struct leg *leg, struct credential *credential, struct context *context)
{
    struct ntlm_challenge challenge;
    struct slice token;
    struct bindings bindings;
    const struct host *host = host_get();
    if (context->credential) credential = context->credential;
    if (context->ntlm.role != NTLM_CLIENT) return SEC_E_INVALID_HANDLE;
    if (context->ntlm.stage != NTLM_STAGE_NEGOTIATE_SENT) return SEC_E_OUT_OF_SEQUENCE;
    if (!credential) return SEC_E_NO_CREDENTIALS;
    if (!(credential->use & SECPKG_CRED_OUTBOUND)) return SEC_E_NO_CREDENTIALS;
    if (!host) return SEC_E_INTERNAL_ERROR;

    status_t status = leg_bindings(leg, &bindings);
    if (status_ok(status)) status = leg_input(leg, &token);
    if (status_ok(status)) status = ntlm_challenge_decode(token, &challenge);
    if (!status_ok(status)) return status;

    struct ntlm_client_finish finish = {0};
    if (!bindings.given) bindings = context->bindings;
    if (bindings.given) finish.channel_bindings = bindings.hash;
    status = finish_fill(credential, host, &challenge, &finish);
    if (status_ok(status))
        status = ntlm_client_finish(&context->ntlm, token, &challenge, &finish, &leg->token);
    secret_wipe(&finish, sizeof(finish));
    if (status_ok(status)) context->ntlm.attributes = final_attributes(&context->ntlm);
    return status;
}
