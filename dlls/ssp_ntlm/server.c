/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's two legs (MS-NLMP 3.2.5.1). A client proves a local account by NTLMv2, or, on
 * this machine and in this prefix, that it runs as the same user by a local call.
 *
 * Against a local call that somebody passes on from elsewhere: the key comes from the prefix's
 * secret, which never leaves it; it is bound to our challenge and to a ticket of the prefix's
 * ledger, which is taken once, whichever copy of an exported context asks for it; a MIC keeps
 * every message as it was; and a target that the client named has to be this machine. What
 * remains is a client here that names no target, or a name of this machine where a hostile
 * listener sits on another port: its messages can be passed on to a server here. Such a connection
 * is of no use to an attacker once messages are signed, which only the client's key does.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("ntlm");

#define ECHOED (ASC_REQ_CONNECTION | ASC_REQ_USE_DCE_STYLE)
#define REFUSED ASC_REQ_DATAGRAM

/* What holds by what the client asked for: an acceptor's own wishes add nothing to it. */
static ULONG attributes_of(uint32_t flags, ULONG requirements)
{
    ULONG attributes = requirements & ECHOED;
    if (flags & NTLM_SIGN)
        attributes |= ASC_RET_INTEGRITY | ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT;
    if (flags & NTLM_SEAL) attributes |= ASC_RET_CONFIDENTIALITY;
    if (flags & NTLM_IDENTIFY) attributes |= ASC_RET_IDENTIFY;
    return attributes;
}

/* ---- first leg ---- */

/* A ticket for a client that may be in this prefix. Without a ledger no local call is offered,
 * everything else goes on. */
static uint64_t ticket_for(const struct ntlm_negotiate *message, const struct host *host)
{
    struct slice computer = name_slice(&host->computer);
    uint64_t ticket = 0;
    if (!host->user.length || !ntlm_negotiate_is_local(message, computer, computer)) return 0;
    status_t status = ledger_issue(LEDGER_LOCAL_CALL, &ticket);
    if (!status_ok(status)) WARN("no local call: status %#lx\n", (ULONG)status);
    return ticket;
}

static status_t challenge_make(struct leg *leg, const struct host *host, struct ntlm_context *ntlm)
{
    struct ntlm_negotiate message;
    struct slice token;
    status_t status = leg_input(leg, &token);
    if (status_ok(status)) status = ntlm_negotiate_decode(token, &message);
    if (!status_ok(status)) return status;

    struct ntlm_server_start start = {
        .flags = NTLM_STRONG | NTLM_SIGN | NTLM_SEAL | NTLM_IDENTIFY,
        .required = NTLM_ESS | NTLM_128,
        .now = leg_time(),
        .local_ticket = ticket_for(&message, host),
        .nb_computer = name_slice(&host->computer),
        .nb_domain = name_slice(&host->computer),
        .dns_computer = name_slice(&host->dns_computer),
        .dns_domain = name_slice(&host->dns_domain),
    };
    memcpy(start.version, package_version, sizeof(start.version));
    status = random_bytes(start.server_challenge, sizeof(start.server_challenge));
    if (status_ok(status)) status = ntlm_server_start(ntlm, token, &start, &leg->token);
    ntlm->requested = leg->requirements;
    ntlm->attributes = attributes_of(ntlm->negotiate_flags, leg->requirements);
    return status;
}

status_t server_start(struct leg *leg, struct credential *credential, struct context **out)
{
    const struct host *host = host_get();
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (!(credential->use & SECPKG_CRED_INBOUND)) return SEC_E_NO_CREDENTIALS;
    if (leg->requirements & REFUSED) return SEC_E_UNSUPPORTED_FUNCTION;
    if (!host) return SEC_E_INTERNAL_ERROR;

    struct bindings bindings;
    struct ntlm_context ntlm;
    ntlm_context_init(&ntlm, NTLM_SERVER);
    status_t status = leg_bindings(leg, &bindings);
    if (status_ok(status)) status = challenge_make(leg, host, &ntlm);
    if (status_ok(status)) status = context_create(&ntlm, HALF_LSA, out);
    if (status_ok(status)) (*out)->bindings = bindings;
    else ntlm_context_clear(&ntlm);
    return status;
}

/* ---- second leg ---- */

/* Whether the client speaks through the channel that this server sees: asked only when the
 * application says which one that is. A client without bindings sends zeros, or no pair. */
static status_t bindings_check(const struct leg *leg, const struct bindings *first_leg,
                               const struct ntlm_authenticate *message)
{
    static const uint8_t none[16];
    struct bindings own;
    struct slice sent = message->channel_bindings;
    status_t status = leg_bindings(leg, &own);
    if (!status_ok(status)) return status;
    if (!own.given) own = *first_leg;
    if (!own.given) return SEC_E_OK;

    bool missing = sent.size != sizeof(none) || secret_equal(sent.data, none, sizeof(none));
    if (missing)
        return leg->requirements & ASC_REQ_ALLOW_MISSING_BINDINGS ? SEC_E_OK : SEC_E_BAD_BINDINGS;
    return secret_equal(sent.data, own.hash, sizeof(own.hash)) ? SEC_E_OK : SEC_E_BAD_BINDINGS;
}

static bool is_own_user(const struct ntlm_authenticate *message, const struct host *host)
{
    struct name user, domain;
    return host->user.length && name_set(&user, message->user) &&
           name_set(&domain, message->domain) && name_equal(&user, &host->user) &&
           name_equal(&domain, &host->computer);
}

static status_t finish_local(struct ntlm_context *ntlm, struct slice token,
                             const struct ntlm_authenticate *message, const struct host *host)
{
    struct ntlm_server_finish finish = {.proof = NTLM_PROOF_LOCAL, .now = leg_time()};
    struct prefix_secret secret;
    if (!is_own_user(message, host)) return SEC_E_LOGON_DENIED;
    if (message->target_name.size && !host_is_target(host, message->target_name)) {
        WARN("a local call that was meant for another machine is refused\n");
        return SEC_E_LOGON_DENIED;
    }

    status_t status = prefix_secret_get(&secret);
    if (!status_ok(status)) return status;
    status = ntlm_local_hash(secret.key, ntlm->local_ticket, ntlm->server_challenge,
                             name_slice(&host->user), name_slice(&host->computer), finish.v2_hash);
    secret_wipe(&secret, sizeof(secret));

    uint64_t ticket = ntlm->local_ticket;
    if (status_ok(status)) {
        status = ledger_redeem(LEDGER_LOCAL_CALL, ticket);
        if (status == SEC_E_CONTEXT_EXPIRED) status = SEC_E_LOGON_DENIED;
    }
    if (status_ok(status)) {
        status = ntlm_server_finish(ntlm, token, message, &finish);
        if (!status_ok(status)) ledger_restore(LEDGER_LOCAL_CALL, ticket);
    }
    secret_wipe(&finish, sizeof(finish));
    return status;
}

/* The proof of an unknown account is worked out against a random hash and then refused like a
 * wrong password. */
static status_t finish_account(struct ntlm_context *ntlm, struct slice token,
                               const struct ntlm_authenticate *message)
{
    struct ntlm_server_finish finish = {.now = leg_time()};
    struct blob user = {0}, domain = {0};
    struct account account;
    struct name upper = {0};
    status_t status = account_find(message->user, message->domain, &account);
    if (!status_ok(status)) goto done;
    status = blob_set(&user, name_slice(&account.user));
    if (status_ok(status)) status = blob_set(&domain, name_slice(&account.domain));
    if (!status_ok(status)) goto done;

    name_set(&upper, message->user);
    name_upper(&upper);
    status = ntlm_v2_hash(account.nt_hash, name_slice(&upper), message->domain, finish.v2_hash);
    if (!status_ok(status)) goto done;
    status = ntlm_server_finish(ntlm, token, message, &finish);
    if (!status_ok(status)) goto done;

    /* The client may have named the account in another way than this machine does. */
    struct blob sent = ntlm->user;
    ntlm->user = user;
    user = sent;
    sent = ntlm->domain;
    ntlm->domain = domain;
    domain = sent;

done:
    secret_free(user.data, user.size);
    secret_free(domain.data, domain.size);
    secret_wipe(&account, sizeof(account));
    secret_wipe(&finish, sizeof(finish));
    return status;
}

static void trace_client(const struct ntlm_authenticate *message, status_t status)
{
    char user[TRACE_TEXT_MAX], domain[TRACE_TEXT_MAX];
    struct name user_name = {0}, domain_name = {0};
    if (!trace_on(&trace_channel, TRACE_TRACE)) return;
    name_set(&user_name, message->user);
    name_set(&domain_name, message->domain);
    TRACE("%s user %s domain %s flags %#x: status %#lx\n",
          message->flags & NTLM_LOCAL_CALL ? "local call," : "account,",
          trace_wide(user, user_name.text, -1), trace_wide(domain, domain_name.text, -1),
          (unsigned)message->flags, (ULONG)status);
}

status_t server_finish(struct leg *leg, struct context *context)
{
    struct ntlm_context *ntlm = &context->ntlm;
    struct ntlm_authenticate message;
    struct slice token;
    const struct host *host = host_get();
    if (ntlm->role != NTLM_SERVER) return SEC_E_INVALID_HANDLE;
    if (ntlm->stage != NTLM_STAGE_CHALLENGE_SENT) return SEC_E_OUT_OF_SEQUENCE;
    if (!host) return SEC_E_INTERNAL_ERROR;
    status_t status = leg_input(leg, &token);
    if (status_ok(status)) status = ntlm_authenticate_decode(token, &message);
    if (!status_ok(status)) return status;

    status = bindings_check(leg, &context->bindings, &message);
    if (!status_ok(status)) return status;

    bool local = ntlm->local_ticket && message.flags & NTLM_LOCAL_CALL;
    status = local ? finish_local(ntlm, token, &message, host)
                   : finish_account(ntlm, token, &message);
    trace_client(&message, status);
    if (status_ok(status)) ntlm->attributes = attributes_of(ntlm->session.flags, ntlm->requested);
    return status;
}
