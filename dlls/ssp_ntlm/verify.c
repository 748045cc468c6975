/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log-ons of MSV1_0: a password, or the answer to a challenge that the caller has given, judged by
 * the local accounts and, where the policy says so, by the host's winbind (MS-NLMP 3.3, MS-APDS
 * 3.1.5). An account that is not there is worked out against a random hash and refused like a wrong
 * password. Omitted: LM responses, against which nothing is kept; clear-text passwords in the place
 * of responses, whatever ParameterControl allows; guest accounts.
 */
#include "logon.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("ntlm");

#define PROOF_SIZE 16u
#define V1_RESPONSE_SIZE 24u
#define V2_RESPONSE_MIN 44u /* a proof and NTLMv2_CLIENT_CHALLENGE, MS-NLMP 2.2.2.7 */

/* ---- NTLMv2 ---- */

static status_t v2_hash_of(const struct identity *identity, uint8_t hash[16])
{
    struct name upper = identity->user;
    name_upper(&upper);
    return ntlm_v2_hash(identity->nt_hash, name_slice(&upper), name_slice(&identity->domain), hash);
}

/* A server that tells its time wants it back, and no LM response (MS-NLMP 3.1.5.1.2). */
static status_t make_v2(const uint8_t v2_hash[16], const uint8_t challenge[8], struct slice pairs,
                        struct v2_answer *out)
{
    static const uint8_t end[4]; /* MsvAvEOL */
    uint8_t client_challenge[8];
    uint64_t time = leg_time();
    bool has_time = ntlm_av_time(pairs, &time);
    status_t status = random_bytes(client_challenge, sizeof(client_challenge));
    if (!status_ok(status)) return status;
    ntlm_v2_response_begin(&out->nt, time, client_challenge);
    writer_slice(&out->nt, pairs.size ? pairs : (struct slice){end, sizeof(end)});
    status = ntlm_v2_response_end(&out->nt, v2_hash, challenge);
    if (status_ok(status) && !has_time)
        status = ntlm_v2_lm_response(v2_hash, challenge, client_challenge, out->lm);
    if (!status_ok(status)) return status;
    return ntlm_v2_session_base_key(v2_hash, out->nt.data, out->session_key);
}

status_t answer_make_v2(const struct identity *identity, const uint8_t challenge[8],
                        struct slice pairs, struct v2_answer *out)
{
    uint8_t v2_hash[16];
    memset(out, 0, sizeof(*out));
    writer_init(&out->nt);
    status_t status = v2_hash_of(identity, v2_hash);
    if (status_ok(status)) status = make_v2(v2_hash, challenge, pairs, out);
    secret_wipe(v2_hash, sizeof(v2_hash));
    if (status_ok(status)) return status;
    writer_free(&out->nt);
    secret_wipe(out, sizeof(*out));
    return status;
}

/* ---- who is meant ---- */

/* A log-on while it is looked at: the names as given, and whose account they stand for. */
struct trial {
    const struct msv_logon *logon;
    struct identity given; /* with the hash of the password, where there is one */
    struct name workstation;
    struct account account;
    struct ntlm_policy policy;
};

/* A name that is too long or no text is nobody's; a dot is this machine. */
static status_t names_read(struct trial *trial)
{
    const struct msv_logon *logon = trial->logon;
    const struct host *host = host_get();
    struct name *domain = &trial->given.domain;
    if (!host) return SEC_E_INTERNAL_ERROR;
    if (!name_set(&trial->given.user, logon->user) || !name_set(domain, logon->domain) ||
        !name_set(&trial->workstation, logon->workstation))
        return SEC_E_LOGON_DENIED;
    if (domain->length == 1 && domain->text[0] == '.') *domain = host->computer;
    return SEC_E_OK;
}

static void take_account(const struct trial *trial, struct verdict *verdict)
{
    verdict->user = trial->account.user;
    verdict->domain = trial->account.domain;
}

/* ---- somebody else's accounts ---- */

static status_t ask_authority(const struct trial *trial, const uint8_t challenge[8],
                              struct slice nt_response, struct verdict *verdict)
{
    const struct authority_request request = {
        .user = &trial->given.user,
        .domain = &trial->given.domain,
        .workstation = &trial->workstation,
        .challenge = challenge,
        .nt_response = nt_response,
    };
    struct authority_result result;
    status_t status = authority_verify(&request, &result);
    if (!status_ok(status)) return status;
    verdict->user = result.user;
    verdict->domain = result.domain;
    memcpy(verdict->session_key, result.session_base_key, sizeof(verdict->session_key));
    secret_wipe(&result, sizeof(result));
    return SEC_E_OK;
}

/* The authority judges answers to challenges, so the password answers one of ours. */
static status_t ask_with_password(const struct trial *trial, struct verdict *verdict)
{
    uint8_t challenge[8];
    struct v2_answer answer;
    status_t status = random_bytes(challenge, sizeof(challenge));
    if (!status_ok(status)) return status;
    status = answer_make_v2(&trial->given, challenge, (struct slice){NULL, 0}, &answer);
    if (!status_ok(status)) return status;
    status = ask_authority(trial, challenge, writer_view(&answer.nt), verdict);
    writer_free(&answer.nt);
    secret_wipe(&answer, sizeof(answer));
    return status;
}

/* ---- the two kinds ---- */

static status_t verify_password(struct trial *trial, struct verdict *verdict)
{
    struct slice password = trial->logon->password;
    if (password.size > NAME_CHARS * sizeof(wchar_t)) return SEC_E_LOGON_DENIED;
    status_t status = ntlm_nt_hash(password, trial->given.nt_hash);
    if (!status_ok(status)) return status;
    if (account_is_elsewhere(&trial->account, &trial->policy)) {
        status = ask_with_password(trial, verdict);
    } else {
        bool same = secret_equal(trial->given.nt_hash, trial->account.nt_hash, 16);
        if (!same || !trial->account.known) return SEC_E_LOGON_DENIED;
        take_account(trial, verdict);
    }
    if (!status_ok(status)) return status;
    memcpy(verdict->nt_hash, trial->given.nt_hash, sizeof(verdict->nt_hash));
    verdict->has_hash = true;
    return SEC_E_OK;
}

static status_t verify_v2(struct trial *trial, struct verdict *verdict)
{
    const struct msv_logon *logon = trial->logon;
    struct slice sent = logon->nt_response;
    struct slice temp = slice_rest(sent, PROOF_SIZE);
    uint8_t v2_hash[16], proof[PROOF_SIZE];
    memcpy(trial->given.nt_hash, trial->account.nt_hash, sizeof(trial->given.nt_hash));
    /* What the client called its domain counts, also where it was called nothing. */
    name_set(&trial->given.domain, logon->domain);
    status_t status = v2_hash_of(&trial->given, v2_hash);
    if (status_ok(status)) status = ntlm_v2_proof(v2_hash, logon->challenge, temp, proof);
    if (status_ok(status) && !secret_equal(proof, sent.data, sizeof(proof)))
        status = SEC_E_LOGON_DENIED;
    if (status_ok(status)) status = ntlm_v2_session_base_key(v2_hash, proof, verdict->session_key);
    secret_wipe(v2_hash, sizeof(v2_hash));
    secret_wipe(proof, sizeof(proof));
    return status;
}

/* With a challenge of the client, its half is where the LM response would be. */
static bool has_client_challenge(const struct msv_logon *logon)
{
    return logon->control & MSV1_0_USE_CLIENT_CHALLENGE &&
           logon->lm_response.size == V1_RESPONSE_SIZE;
}

static status_t v1_challenge(const struct msv_logon *logon, uint8_t challenge[8])
{
    if (has_client_challenge(logon))
        return ntlm_v1_ess_challenge(logon->challenge, logon->lm_response.data, challenge);
    memcpy(challenge, logon->challenge, sizeof(logon->challenge));
    return SEC_E_OK;
}

static status_t verify_v1(const struct trial *trial, struct verdict *verdict)
{
    uint8_t challenge[8], expected[V1_RESPONSE_SIZE];
    status_t status = v1_challenge(trial->logon, challenge);
    if (status_ok(status)) status = ntlm_v1_response(trial->account.nt_hash, challenge, expected);
    if (status_ok(status) &&
        !secret_equal(expected, trial->logon->nt_response.data, sizeof(expected)))
        status = SEC_E_LOGON_DENIED;
    if (status_ok(status))
        status = ntlm_v1_session_base_key(trial->account.nt_hash, verdict->session_key);
    secret_wipe(expected, sizeof(expected));
    return status;
}

static status_t verify_response(struct trial *trial, struct verdict *verdict)
{
    const struct msv_logon *logon = trial->logon;
    uint8_t challenge[8];
    bool v1 = logon->nt_response.size == V1_RESPONSE_SIZE;
    if (!v1 && logon->nt_response.size < V2_RESPONSE_MIN) return SEC_E_LOGON_DENIED;
    if (v1 && trial->policy.server_level >= LEVEL_SERVER_V2) {
        WARN("LmCompatibilityLevel is not below 5: NTLMv1 is refused\n");
        return SEC_E_LOGON_DENIED;
    }
    verdict->user_flags = v1 ? 0 : LOGON_NTLMV2_ENABLED | LOGON_NT_V2;
    if (account_is_elsewhere(&trial->account, &trial->policy)) {
        memcpy(challenge, logon->challenge, sizeof(challenge));
        status_t status = v1 ? v1_challenge(logon, challenge) : SEC_E_OK;
        return status_ok(status) ? ask_authority(trial, challenge, logon->nt_response, verdict)
                                 : status;
    }
    status_t status = v1 ? verify_v1(trial, verdict) : verify_v2(trial, verdict);
    if (status_ok(status) && !trial->account.known) status = SEC_E_LOGON_DENIED;
    if (status_ok(status)) take_account(trial, verdict);
    return status;
}

/* ---- all ---- */

static bool is_network(const struct msv_logon *logon)
{
    return logon->kind == MSV_LOGON_LM20 || logon->kind == MSV_LOGON_NETWORK;
}

/* Nobody: no name, and no answer but perhaps one byte in the place of the LM response. */
static bool is_nobody(const struct msv_logon *logon)
{
    return is_network(logon) && !logon->user.size && !logon->nt_response.size &&
           logon->lm_response.size <= 1;
}

static void set_nobody(struct verdict *out)
{
    static const wchar_t user[] = L"ANONYMOUS LOGON", domain[] = L"NT AUTHORITY";
    name_set(&out->user, text_slice(user, ARRAYSIZE(user) - 1));
    name_set(&out->domain, text_slice(domain, ARRAYSIZE(domain) - 1));
    out->anonymous = true;
}

static status_t verify(struct trial *trial, struct verdict *verdict)
{
    status_t status = policy_get(&trial->policy);
    if (!status_ok(status)) return status;
    bool network = is_network(trial->logon);
    if (network && trial->policy.restrict_receiving >= RECEIVING_NONE) return SEC_E_LOGON_DENIED;
    status = names_read(trial);
    if (!status_ok(status)) return status;
    verdict->workstation = trial->workstation;
    if (is_nobody(trial->logon)) {
        set_nobody(verdict);
        return SEC_E_OK;
    }
    bool local_only = network && trial->policy.restrict_receiving >= RECEIVING_LOCAL;
    const struct host *host = host_get();
    const struct name *domain = local_only ? &host->computer : &trial->given.domain;
    status = account_find(name_slice(&trial->given.user), name_slice(domain), &trial->account);
    if (!status_ok(status)) return status;
    status = network ? verify_response(trial, verdict) : verify_password(trial, verdict);
    verdict->is_own = status_ok(status) && host->user.length &&
                      name_equal(&verdict->user, &host->user) &&
                      name_equal(&verdict->domain, &host->computer);
    return status;
}

status_t logon_verify(const struct msv_logon *logon, struct verdict *out)
{
    struct trial trial = {.logon = logon};
    struct verdict verdict = {0};
    char user[TRACE_TEXT_MAX];
    status_t status = crypto_ready();
    if (status_ok(status)) status = verify(&trial, &verdict);
    TRACE("log-on of kind %u, user %s: status %#lx\n", (unsigned)logon->kind,
          trace_wide(user, trial.given.user.text, -1), (ULONG)status);
    if (status_ok(status)) *out = verdict;
    secret_wipe(&trial, sizeof(trial));
    secret_wipe(&verdict, sizeof(verdict));
    return status;
}
