/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's two legs (MS-NLMP 3.2.5.1, 3.2.5.2). A client proves a local account, by NTLMv2
 * unless the machine's policy allows what is older, or one that the host's winbind knows; or, on
 * this machine and in this prefix, that it runs as the same user by a local call; or it is nobody,
 * where the application serves that.
 *
 * Each challenge has a ticket of the prefix's ledger, which is taken before anything is compared:
 * whatever copies of a half-open context there are, one of them gets one answer looked at. Only
 * an answer that was not judged at all (no memory, no authority to ask) gives the ticket back; a
 * wrong one does not, or every copy would be one more guess against the same challenge.
 *
 * Against a local call that somebody passes on from elsewhere: the key comes from the prefix's
 * secret, which never leaves it; it is bound to our challenge and to its ticket; a MIC keeps every
 * message as it was; and a target that the client named has to be this machine, unless an
 * administrator has set DisableLoopbackCheck. What remains is a client here that names no target,
 * or a name of this machine where a hostile listener sits on another port: its messages can be
 * passed on to a server here. Such a connection is of no use to an attacker once messages are
 * signed, which only the client's key does.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("ntlm");

#define ECHOED (ASC_REQ_CONNECTION | ASC_REQ_USE_DCE_STYLE)

/* What is granted to a client that asks for it. LM_KEY and NON_NT_SESSION_KEY are not among it:
 * their keys come from LM hashes, which are not kept. */
#define GRANTED (NTLM_STRONG | NTLM_OEM | NTLM_SIGN | NTLM_SEAL | NTLM_IDENTIFY)

/* What holds by what the client asked for: an acceptor's own wishes add nothing to it, except
 * that it can do without impersonating. */
static ULONG attributes_of(uint32_t flags, ULONG requirements)
{
    ULONG attributes = requirements & (ECHOED | ASC_REQ_IDENTIFY);
    if (flags & NTLM_IDENTIFY) attributes |= ASC_RET_IDENTIFY;
    if (flags & NTLM_DATAGRAM) attributes |= ASC_RET_DATAGRAM;
    /* The keys of a null session are known to everybody, so it protects nothing. */
    if (flags & NTLM_ANONYMOUS) return attributes | ASC_RET_NULL_SESSION;
    if (flags & NTLM_SIGN)
        attributes |= ASC_RET_INTEGRITY | ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT;
    if (flags & NTLM_SEAL) attributes |= ASC_RET_CONFIDENTIALITY;
    if (flags & NTLM_KEY_EXCH) attributes |= requirements & ASC_RET_USE_SESSION_KEY;
    return attributes;
}

/* ---- first leg ---- */

/* A datagram client has sent nothing yet (MS-NLMP 3.2.5.2.1). */
static status_t negotiate_read(const struct leg *leg, struct slice *token,
                               struct ntlm_negotiate *message)
{
    status_t status = leg_token(leg->input, token);
    if (!status_ok(status) && leg->requirements & ASC_REQ_DATAGRAM) {
        *token = (struct slice){NULL, 0};
        *message = (struct ntlm_negotiate){.flags = GRANTED};
        return SEC_E_OK;
    }
    return status_ok(status) ? ntlm_negotiate_decode(*token, message) : status;
}

/* Without a ledger there are neither local calls nor copies of a waiting context (export.c);
 * everything else goes on. One that was short of memory may be there the next time. */
static status_t ticket_issue(uint64_t *ticket)
{
    status_t status = ledger_issue(LEDGER_CHALLENGE, ticket);
    if (status_ok(status)) return status;
    WARN("no ticket for a challenge: status %#lx\n", (ULONG)status);
    *ticket = 0;
    return status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_OK;
}

static status_t challenge_make(struct leg *leg, const struct host *host,
                               const struct ntlm_policy *policy, struct ntlm_context *ntlm)
{
    struct ntlm_negotiate message;
    struct slice token, computer = name_slice(&host->computer);
    status_t status = negotiate_read(leg, &token, &message);
    if (!status_ok(status)) return status;

    struct ntlm_server_start start = {
        .flags = GRANTED,
        .required = policy_required(policy->server_minimum, policy->server_level >= LEVEL_SERVER_V2,
                                    message.flags & GRANTED),
        .now = leg_time(),
        .nb_computer = computer,
        .nb_domain = computer,
        .dns_computer = name_slice(&host->dns_computer),
        .dns_domain = name_slice(&host->dns_domain),
        .oem_target = {(const uint8_t *)host->oem_computer, strlen(host->oem_computer)},
    };
    status = ticket_issue(&start.challenge_ticket);
    if (!status_ok(status)) return status;
    memcpy(start.version, package_version, sizeof(start.version));
    if (leg->requirements & ASC_REQ_DATAGRAM) start.flags |= NTLM_DATAGRAM;
    if (host->user.length && ntlm_negotiate_is_local(&message, computer, computer))
        start.local_ticket = start.challenge_ticket;
    /* A local call compares the names of this machine. */
    if (policy->winbind && !start.local_ticket) authority_names(&start);
    status = random_bytes(start.server_challenge, sizeof(start.server_challenge));
    if (status_ok(status)) status = ntlm_server_start(ntlm, token, &start, &leg->token);
    ntlm->requested = leg->requirements;
    ntlm->attributes = attributes_of(ntlm->negotiate_flags, leg->requirements);
    return status;
}

static status_t start_check(const struct credential *credential, const struct ntlm_policy *policy)
{
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (!(credential->use & SECPKG_CRED_INBOUND)) return SEC_E_NO_CREDENTIALS;
    if (policy->restrict_receiving >= RECEIVING_NONE) {
        WARN("RestrictReceivingNTLMTraffic denies everybody\n");
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
    return host_get() ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

status_t server_start(struct leg *leg, struct credential *credential, struct context **out)
{
    struct ntlm_policy policy;
    struct bindings bindings;
    struct ntlm_context ntlm;
    status_t status = policy_get(&policy);
    if (status_ok(status)) status = start_check(credential, &policy);
    if (!status_ok(status)) return status;

    ntlm_context_init(&ntlm, NTLM_SERVER);
    status = bindings_read(leg, &bindings);
    if (status_ok(status)) status = challenge_make(leg, host_get(), &policy, &ntlm);
    if (status_ok(status)) status = context_create(&ntlm, HALF_LSA, out);
    if (status_ok(status)) (*out)->bindings = bindings;
    else ntlm_context_clear(&ntlm);
    return status;
}

/* ---- second leg: whom the client speaks to ---- */

/* A client without a channel sends zeros, and no pair when it knows of no bindings or is kept from
 * sending them (MS-NLMP 3.1.5.1.2). */
static enum leg_channel channel_of(const struct bindings *own, struct slice sent)
{
    static const uint8_t none[16];
    if (!sent.size) return LEG_CHANNEL_UNSAID;
    if (sent.size != sizeof(none) || secret_equal(sent.data, none, sizeof(none)))
        return LEG_CHANNEL_NONE;
    return secret_equal(sent.data, own->hash, sizeof(own->hash)) ? LEG_CHANNEL_SAME
                                                                 : LEG_CHANNEL_OTHER;
}

/* Whether the client speaks through the channel that this server sees: asked only when the
 * application says which one that is, or that a proxy has it. Where policy does not look, the
 * application is told all the same. */
static status_t bindings_check(const struct leg *leg, const struct bindings *first_leg,
                               const struct ntlm_policy *policy,
                               const struct ntlm_authenticate *message)
{
    struct bindings own;
    status_t status = bindings_read(leg, &own);
    if (!status_ok(status)) return status;
    bool audit = own.audit || (!own.given && first_leg->audit);
    if (!own.given) own = *first_leg;
    bool proxied = leg->requirements & ASC_REQ_PROXY_BINDINGS;
    if (!own.given && !proxied) {
        leg_channel_unasked(leg->output);
        return SEC_E_OK;
    }
    const struct leg_channel_rule rule = {
        .requirements = leg->requirements,
        .required = policy->channel_bindings >= POLICY_REQUIRED,
        .audit = audit || policy->channel_bindings == POLICY_OFF,
    };
    return leg_channel_judge(leg->output, &rule, channel_of(&own, message->channel_bindings));
}

/* A client of this prefix that means another machine: its answer has been passed on to us. Windows
 * refuses that, too, unless DisableLoopbackCheck is set. */
static status_t reflection_check(const struct host *host, const struct ntlm_authenticate *message)
{
    uint8_t own[NTLM_MACHINE_ID_SIZE];
    struct slice sent = message->machine_id;
    if (!message->target_name.size || sent.size != sizeof(own)) return SEC_E_OK;
    status_t status = machine_id_get(own);
    if (!status_ok(status)) return status;
    if (memcmp(sent.data, own, sizeof(own))) return SEC_E_OK;
    if (host_is_target(host, message->target_name, &status) || !status_ok(status)) return status;
    WARN("an answer of this machine that was meant for another one is refused\n");
    return SEC_E_LOGON_DENIED;
}

/* Whether the client means this machine, where the policy asks. */
static status_t target_check(const struct ntlm_policy *policy, const struct host *host,
                             const struct ntlm_authenticate *message)
{
    status_t status = policy->loopback_check ? reflection_check(host, message) : SEC_E_OK;
    if (!status_ok(status) || policy->target_names == POLICY_OFF) return status;
    if (!message->target_name.size && policy->target_names < POLICY_REQUIRED) return SEC_E_OK;
    if (host_is_target(host, message->target_name, &status) || !status_ok(status)) return status;
    WARN("the client meant another machine or did not say which\n");
    return SEC_E_LOGON_DENIED;
}

/* A client that protects the handshake by a MIC protects the list of mechanisms that it came by as
 * well, as servers of Windows demand. Who negotiates gives the list in a MECHLIST buffer and the
 * signature that came with the token in MECHLIST_SIGNATURE, to be verified when there is a key. */
static status_t mech_list_check(const struct leg *leg, const struct ntlm_context *ntlm,
                                const struct ntlm_authenticate *message)
{
    const SecBuffer *list = secbuf_find(leg->input, SECBUFFER_MECHLIST);
    const SecBuffer *signature = secbuf_find(leg->input, SECBUFFER_MECHLIST_SIGNATURE);
    bool signs = message->has_mic && ntlm_server_flags(ntlm, message) & NTLM_SIGN;
    if (!list || !signs || (signature && signature->pvBuffer)) return SEC_E_OK;
    WARN("the client signs its messages and not the list of mechanisms\n");
    return SEC_E_INVALID_TOKEN;
}

/* ---- second leg: who the client is ---- */

/* One AUTHENTICATE. */
struct logon {
    struct ntlm_context *ntlm;
    struct slice token;
    struct ntlm_authenticate message;
    struct name user, domain, workstation; /* as the client wrote them */
    const struct host *host;
    struct ntlm_policy policy;
};

static bool oem_read(struct name *out, struct slice text)
{
    int length = 0;
    if (text.size > 2 * NAME_CHARS) return false;
    if (text.size)
        length = MultiByteToWideChar(CP_OEMCP, 0, (const char *)text.data, (int)text.size,
                                     out->text, NAME_CHARS);
    if (text.size && length <= 0) return false;
    out->length = (size_t)length;
    out->text[length] = 0;
    return true;
}

/* A name that is too long or no text is nobody's. */
static status_t names_read(struct logon *logon)
{
    const struct ntlm_authenticate *message = &logon->message;
    bool (*read)(struct name *, struct slice) = message->flags & NTLM_UNICODE ? name_set : oem_read;
    bool all = read(&logon->user, message->user) && read(&logon->domain, message->domain) &&
               read(&logon->workstation, message->workstation);
    return all ? SEC_E_OK : SEC_E_LOGON_DENIED;
}

static struct ntlm_server_finish finish_of(const struct logon *logon, enum ntlm_proof proof)
{
    return (struct ntlm_server_finish){
        .proof = proof,
        .now = leg_time(),
        .require_mic = logon->policy.require_mic,
        .timestamp_window = logon->policy.timestamp_window,
    };
}

static status_t prove(const struct logon *logon, const struct ntlm_server_finish *finish)
{
    return ntlm_server_finish(logon->ntlm, logon->token, &logon->message, finish);
}

static status_t finish_local(const struct logon *logon)
{
    struct ntlm_server_finish finish = finish_of(logon, NTLM_PROOF_LOCAL);
    const struct host *host = logon->host;
    struct ntlm_context *ntlm = logon->ntlm;
    struct prefix_secret secret;
    bool own_user = host->user.length && name_equal(&logon->user, &host->user) &&
                    name_equal(&logon->domain, &host->computer);
    if (!own_user) return SEC_E_LOGON_DENIED;
    status_t status = SEC_E_OK;
    bool elsewhere = logon->policy.loopback_check && logon->message.target_name.size &&
                     !host_is_target(host, logon->message.target_name, &status);
    if (!status_ok(status)) return status;
    if (elsewhere) {
        WARN("a local call that was meant for another machine is refused\n");
        return SEC_E_LOGON_DENIED;
    }

    status = prefix_secret_get(&secret);
    if (!status_ok(status)) return status;
    status = ntlm_local_hash(secret.key, ntlm->local_ticket, ntlm->server_challenge,
                             name_slice(&host->user), name_slice(&host->computer), finish.v2_hash);
    secret_wipe(&secret, sizeof(secret));
    if (status_ok(status)) status = prove(logon, &finish);
    secret_wipe(&finish, sizeof(finish));
    return status;
}

/* What is wrong with a message whatever the password is said before anybody is asked. */
static status_t finish_elsewhere(const struct logon *logon)
{
    struct ntlm_server_finish finish = finish_of(logon, NTLM_PROOF_AUTHORITY);
    uint8_t challenge[8];
    const struct authority_request request = {
        .user = &logon->user,
        .domain = &logon->domain,
        .workstation = &logon->workstation,
        .challenge = challenge,
        .nt_response = logon->message.nt_response,
    };
    struct authority_result result;
    status_t status = ntlm_server_check(logon->ntlm, &logon->message, &finish);
    if (status_ok(status)) status = authority_challenge(logon->ntlm, &logon->message, challenge);
    if (status_ok(status)) status = authority_verify(&request, &result);
    if (!status_ok(status)) return status;
    memcpy(finish.session_base_key, result.session_base_key, sizeof(finish.session_base_key));
    finish.user = name_slice(&result.user);
    finish.domain = name_slice(&result.domain);
    status = prove(logon, &finish);
    secret_wipe(&result, sizeof(result));
    secret_wipe(&finish, sizeof(finish));
    return status;
}

/* The proof of an unknown account is worked out against a random hash and then refused like a
 * wrong password. */
static status_t finish_account(const struct logon *logon, bool v2)
{
    struct ntlm_server_finish finish = finish_of(logon, v2 ? NTLM_PROOF_V2 : NTLM_PROOF_V1);
    struct account account;
    bool local_only = logon->policy.restrict_receiving >= RECEIVING_LOCAL;
    const struct name *domain = local_only ? &logon->host->computer : &logon->domain;
    status_t status = account_find(name_slice(&logon->user), name_slice(domain), &account);
    if (!status_ok(status)) return status;
    if (account_is_elsewhere(&account, &logon->policy)) {
        secret_wipe(&account, sizeof(account));
        return finish_elsewhere(logon);
    }

    struct name upper = logon->user;
    name_upper(&upper);
    if (v2)
        status = ntlm_v2_hash(account.nt_hash, name_slice(&upper), name_slice(&logon->domain),
                              finish.v2_hash);
    else memcpy(finish.nt_hash, account.nt_hash, sizeof(finish.nt_hash));
    /* The client may have named the account in another way than this machine does. */
    finish.user = name_slice(&account.user);
    finish.domain = name_slice(&account.domain);
    if (status_ok(status)) status = prove(logon, &finish);
    secret_wipe(&account, sizeof(account));
    secret_wipe(&finish, sizeof(finish));
    return status;
}

/* Nobody has the name that Windows gives him. */
static status_t finish_anonymous(const struct logon *logon)
{
    static const wchar_t user[] = L"ANONYMOUS LOGON", domain[] = L"NT AUTHORITY";
    struct ntlm_server_finish finish = finish_of(logon, NTLM_PROOF_ANONYMOUS);
    finish.user = text_slice(user, ARRAYSIZE(user) - 1);
    finish.domain = text_slice(domain, ARRAYSIZE(domain) - 1);
    if (logon->ntlm->requested & ASC_REQ_ALLOW_NULL_SESSION) return prove(logon, &finish);
    WARN("null sessions are not allowed here\n");
    return SEC_E_LOGON_DENIED;
}

static status_t finish_by_kind(const struct logon *logon)
{
    const struct ntlm_context *ntlm = logon->ntlm;
    uint32_t flags = ntlm_server_flags(ntlm, &logon->message);
    if (ntlm->local_ticket && flags & NTLM_LOCAL_CALL) return finish_local(logon);
    switch (ntlm_authenticate_response(&logon->message, flags)) {
    case NTLM_RESPONSE_V2: return finish_account(logon, true);
    case NTLM_RESPONSE_V1:
    case NTLM_RESPONSE_V1_ESS:
        if (logon->policy.server_level < LEVEL_SERVER_V2) return finish_account(logon, false);
        WARN("LmCompatibilityLevel is not below 5: NTLMv1 is refused\n");
        return SEC_E_LOGON_DENIED;
    case NTLM_RESPONSE_ANONYMOUS: return finish_anonymous(logon);
    case NTLM_RESPONSE_LM: /* no account here has an LM hash */
    case NTLM_RESPONSE_OTHER: break;
    }
    return SEC_E_LOGON_DENIED;
}

/* The first answer is the only one: see above. Where there is no ledger there are no copies, so the
 * context alone knows. */
static status_t finish_once(const struct logon *logon, bool *answered)
{
    uint64_t ticket = logon->ntlm->challenge_ticket;
    status_t status = *answered ? SEC_E_CONTEXT_EXPIRED : SEC_E_OK;
    if (status_ok(status) && ticket) status = ledger_redeem(LEDGER_CHALLENGE, ticket);
    if (status == SEC_E_CONTEXT_EXPIRED) {
        WARN("the challenge has been answered before\n");
        return SEC_E_LOGON_DENIED;
    }
    if (!status_ok(status)) return status;
    status = finish_by_kind(logon);
    *answered = status_ok(status) || status == SEC_E_LOGON_DENIED;
    if (ticket && !*answered) ledger_restore(LEDGER_CHALLENGE, ticket);
    return status;
}

static void trace_client(const struct logon *logon, status_t status)
{
    char user[TRACE_TEXT_MAX], domain[TRACE_TEXT_MAX];
    if (!trace_on(&trace_channel, TRACE_TRACE)) return;
    TRACE("%s user %s domain %s flags %#x: status %#lx\n",
          logon->message.flags & NTLM_LOCAL_CALL ? "local call," : "account,",
          trace_wide(user, logon->user.text, -1), trace_wide(domain, logon->domain.text, -1),
          (unsigned)logon->message.flags, (ULONG)status);
}

status_t server_finish(struct leg *leg, struct context *context)
{
    struct ntlm_context *ntlm = &context->ntlm;
    struct logon logon = {.ntlm = ntlm, .host = host_get()};
    if (ntlm->role != NTLM_SERVER) return SEC_E_INVALID_HANDLE;
    if (ntlm->stage != NTLM_STAGE_CHALLENGE_SENT) return SEC_E_OUT_OF_SEQUENCE;
    if (!logon.host) return SEC_E_INTERNAL_ERROR;
    status_t status = leg_token(leg->input, &logon.token);
    if (status_ok(status)) status = ntlm_authenticate_decode(logon.token, &logon.message);
    if (!status_ok(status)) return status;

    status = policy_get(&logon.policy);
    if (status_ok(status))
        status = bindings_check(leg, &context->bindings, &logon.policy, &logon.message);
    if (status_ok(status)) status = target_check(&logon.policy, logon.host, &logon.message);
    if (status_ok(status)) status = mech_list_check(leg, ntlm, &logon.message);
    if (status_ok(status)) status = names_read(&logon);
    if (status_ok(status)) status = finish_once(&logon, &context->answered);
    trace_client(&logon, status);
    if (status_ok(status)) ntlm->attributes = attributes_of(ntlm->session.flags, ntlm->requested);
    return status;
}
