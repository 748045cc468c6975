/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to MSV1_0 (LsaCallAuthenticationPackage; ntsecapi.h and ntifs.h declare them). Not
 * answered are those that need what is not kept here: cached log-ons, subauthentication packages,
 * keys derived for services, log-ons to be made again.
 */
#include "logon.h"

#include "core/secret.h"
#include "ssp/foreign.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("ntlm");

static NTSTATUS answer_send(struct call *call, struct image *image)
{
    return image_send(image, &call->out, &call->out_size);
}

/* ---- challenges and answers to them ---- */

static NTSTATUS give_challenge(struct call *call, bool *read)
{
    (void)read;
    struct image image;
    NTSTATUS status = image_open(&image, call->request, sizeof(MSV1_0_LM20_CHALLENGE_RESPONSE), 0);
    if (status < 0) return status;
    MSV1_0_LM20_CHALLENGE_RESPONSE *answer = (MSV1_0_LM20_CHALLENGE_RESPONSE *)image.bytes;
    answer->MessageType = MsV1_0Lm20ChallengeRequest;
    status = nt_status(random_bytes(answer->ChallengeToClient, sizeof(answer->ChallengeToClient)));
    if (status >= 0) return answer_send(call, &image);
    image_discard(&image);
    return status;
}

/* Of a log-on with a password the hash is kept; the process's own user is who is saved for the
 * server, which is not for a thread that acts for a foreign client. Log-ons of others are for
 * trusted callers. */
static NTSTATUS find_logon(const struct call *call, const struct msv_response_request *request,
                           struct identity *out)
{
    LUID id = {request->logon_id_low, (LONG)request->logon_id_high};
    struct slice target = request->server;
    struct session session;
    struct ntlm_policy policy;
    bool own = process_logon_is(&id);
    if (own ? foreign_caller() : !call->trusted) return STATUS_ACCESS_DENIED;
    if (request->control & MSV_TARGET_INFO) target = (struct slice){NULL, 0};
    status_t known = policy_get(&policy);
    bool allowed = status_ok(known) && policy_may_send(&policy, target, &known);
    if (!status_ok(known)) return nt_status(known);
    if (!allowed) return STATUS_NTLM_BLOCKED;
    if (!session_find(&id, &session)) return STATUS_NO_SUCH_LOGON_SESSION;
    if (own) return nt_status(saved_for_target(target, out));
    if (!session.has_hash) return STATUS_NO_SUCH_LOGON_SESSION;
    out->user = session.user;
    out->domain = session.domain;
    return nt_status(hash_unmask(&session.nt_hash, out->nt_hash));
}

static NTSTATUS hash_given(const struct msv_response_request *request, struct identity *out)
{
    if (!(request->control & MSV_PASSWORD_IS_HASH))
        return nt_status(ntlm_nt_hash(request->password, out->nt_hash));
    if (request->password.size != sizeof(out->nt_hash)) return STATUS_INVALID_PARAMETER;
    memcpy(out->nt_hash, request->password.data, sizeof(out->nt_hash));
    return STATUS_SUCCESS;
}

/* Whose answer is wanted: of the log-on, or of who has the password that is given, be it empty.
 * Names in the request go before those of the log-on. */
static NTSTATUS find_identity(const struct call *call, const struct msv_response_request *request,
                              struct identity *out)
{
    struct session session;
    LUID id = {request->logon_id_low, (LONG)request->logon_id_high};
    bool primary = request->control & MSV_PRIMARY_PASSWORD;
    NTSTATUS status = primary ? find_logon(call, request, out) : hash_given(request, out);
    if (status >= 0 && !primary && !request->user.size && session_find(&id, &session)) {
        out->user = session.user;
        out->domain = session.domain;
    }
    if (status < 0) return status;
    if (request->user.size && !name_set(&out->user, request->user)) return STATUS_INVALID_PARAMETER;
    if (request->domain.size && !name_set(&out->domain, request->domain))
        return STATUS_INVALID_PARAMETER;
    return STATUS_SUCCESS;
}

/* NTLMv1, with a challenge of the client's where the caller wants one. */
static status_t make_v1(const struct identity *identity, const struct msv_response_request *request,
                        struct v2_answer *out)
{
    uint8_t nt[24];
    status_t status;
    memset(out, 0, sizeof(*out));
    writer_init(&out->nt);
    if (request->control & MSV_MAKE_CLIENT_CHALLENGE) {
        status = random_bytes(out->lm, 8);
        if (status_ok(status))
            status = ntlm_v1_ess_response(identity->nt_hash, request->challenge, out->lm, nt);
    } else {
        status = ntlm_v1_response(identity->nt_hash, request->challenge, nt);
        if (status_ok(status)) memcpy(out->lm, nt, sizeof(nt));
    }
    if (status_ok(status)) status = ntlm_v1_session_base_key(identity->nt_hash, out->session_key);
    if (status_ok(status)) {
        writer_bytes(&out->nt, nt, sizeof(nt));
        status = writer_status(&out->nt);
    }
    if (!status_ok(status)) writer_free(&out->nt);
    return status;
}

/* The pairs of the challenge, or one that names the server's domain. */
static status_t make_v2(const struct identity *identity, const struct msv_response_request *request,
                        struct v2_answer *out)
{
    struct writer w;
    writer_init(&w);
    if (request->control & MSV_TARGET_INFO) {
        writer_slice(&w, request->server);
    } else if (request->server.size) {
        ntlm_av_write(&w, NTLM_AV_NB_DOMAIN, request->server);
        ntlm_av_write(&w, NTLM_AV_EOL, (struct slice){NULL, 0});
    }
    status_t status = writer_status(&w);
    if (status_ok(status) && w.size && !status_ok(ntlm_av_check(writer_view(&w))))
        status = SEC_E_INVALID_PARAMETER;
    if (status_ok(status))
        status = answer_make_v2(identity, request->challenge, writer_view(&w), out);
    writer_free(&w);
    return status;
}

static void add_bytes(struct image *image, STRING *out, struct slice bytes)
{
    out->Length = out->MaximumLength = (USHORT)bytes.size;
    out->Buffer = image_add(image, bytes.data, bytes.size);
}

static NTSTATUS send_answer(struct call *call, const struct identity *identity, uint32_t control,
                            const struct v2_answer *answer)
{
    struct image image;
    struct slice user = name_slice(&identity->user), domain = name_slice(&identity->domain);
    if (!(control & MSV_RETURN_USER)) user.size = 0;
    if (!(control & MSV_RETURN_DOMAIN)) domain.size = 0;
    if (answer->nt.size > UINT16_MAX) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = image_open(&image, call->request, sizeof(MSV1_0_GETCHALLENRESP_RESPONSE),
                                 image_part(answer->nt.size) + image_part(sizeof(answer->lm)) +
                                     image_part(user.size) + image_part(domain.size));
    if (status < 0) return status;
    MSV1_0_GETCHALLENRESP_RESPONSE *out = (MSV1_0_GETCHALLENRESP_RESPONSE *)image.bytes;
    out->MessageType = MsV1_0Lm20GetChallengeResponse;
    add_bytes(&image, &out->CaseSensitiveChallengeResponse, writer_view(&answer->nt));
    add_bytes(&image, &out->CaseInsensitiveChallengeResponse,
              (struct slice){answer->lm, sizeof(answer->lm)});
    if (user.size) image_add_text(&image, &out->UserName, user);
    if (domain.size) image_add_text(&image, &out->LogonDomainName, domain);
    memcpy(out->UserSessionKey, answer->session_key, sizeof(out->UserSessionKey));
    return answer_send(call, &image);
}

/* NTLMv1 goes out only where the policy lets a client of this machine send it, and the caller has
 * not asked for more. Keys and texts of the LM time are not made. */
static NTSTATUS give_response(struct call *call, bool *read)
{
    struct msv_response_request request;
    struct identity identity = {0};
    struct v2_answer answer;
    struct ntlm_policy policy;
    if (!status_ok(msv_response_request_decode(&call->in, &request))) return call_unreadable(read);
    if (request.control & (MSV_RETURN_NON_NT_KEY | MSV_USE_OEM_SET | MSV_MACHINE))
        return STATUS_NOT_SUPPORTED;
    NTSTATUS status = nt_status(policy_get(&policy));
    if (status < 0) return status;
    bool v1_will_do = !(request.control & MSV_HAS_NAMES) || request.control & MSV_ALLOW_NTLM;
    bool v1 = v1_will_do && policy.client_level < LEVEL_CLIENT_V2;
    status = nt_status(crypto_ready());
    if (status >= 0) status = find_identity(call, &request, &identity);
    if (status >= 0) {
        status_t made = v1 ? make_v1(&identity, &request, &answer)
                           : make_v2(&identity, &request, &answer);
        status = nt_status(made);
        if (status >= 0) {
            status = send_answer(call, &identity, request.control, &answer);
            writer_free(&answer.nt);
        }
        secret_wipe(&answer, sizeof(answer));
    }
    secret_wipe(&identity, sizeof(identity));
    return status;
}

/* ---- log-ons ---- */

#define LOGONS_MAX 64u /* later ones are told of, the oldest are left out */

static NTSTATUS list_users(struct call *call, bool *read)
{
    (void)read;
    struct image image;
    LUID ids[LOGONS_MAX];
    size_t count = min(session_list(ids, ARRAYSIZE(ids)), ARRAYSIZE(ids));
    NTSTATUS status = image_open(&image, call->request, sizeof(MSV1_0_ENUMUSERS_RESPONSE),
                                 image_part(count * sizeof(LUID)) +
                                     image_part(count * sizeof(ULONG)));
    if (status < 0) return status;
    MSV1_0_ENUMUSERS_RESPONSE *answer = (MSV1_0_ENUMUSERS_RESPONSE *)image.bytes;
    answer->MessageType = MsV1_0EnumerateUsers;
    answer->NumberOfLoggedOnUsers = (ULONG)count;
    answer->LogonIds = image_add(&image, ids, count * sizeof(LUID));
    answer->EnumHandles = image_add(&image, NULL, count * sizeof(ULONG));
    ULONG *handles = image_room(&image, answer->EnumHandles);
    for (size_t i = 0; i < count; i++) handles[i] = ids[i].LowPart;
    return answer_send(call, &image);
}

static NTSTATUS describe_user(struct call *call, bool *read)
{
    struct image image;
    struct session session;
    uint32_t low, high;
    if (!status_ok(msv_logon_id_decode(&call->in, &low, &high))) return call_unreadable(read);
    LUID id = {low, (LONG)high};
    const struct host *host = host_get();
    if (!host || !session_find(&id, &session)) return STATUS_NO_SUCH_LOGON_SESSION;
    size_t sid_size = GetLengthSid(&session.sid);
    struct slice user = name_slice(&session.user), domain = name_slice(&session.domain);
    struct slice server = name_slice(&host->computer);
    NTSTATUS status = image_open(&image, call->request, sizeof(MSV1_0_GETUSERINFO_RESPONSE),
                                 image_part(sid_size) + image_part(user.size) +
                                     image_part(domain.size) + image_part(server.size));
    if (status >= 0) {
        MSV1_0_GETUSERINFO_RESPONSE *answer = (MSV1_0_GETUSERINFO_RESPONSE *)image.bytes;
        answer->MessageType = MsV1_0GetUserInfo;
        answer->UserSid = image_add(&image, &session.sid, sid_size);
        image_add_text(&image, &answer->UserName, user);
        image_add_text(&image, &answer->LogonDomainName, domain);
        image_add_text(&image, &answer->LogonServer, server);
        answer->LogonType = session.type;
        status = answer_send(call, &image);
    }
    secret_wipe(&session, sizeof(session));
    return status;
}

/* ---- passwords ---- */

static NTSTATUS change_password(struct call *call, bool *read)
{
    struct lsa_password_change change;
    struct image image;
    struct password_answer answered = {.has_policy = false};
    if (!status_ok(lsa_password_change_decode(&call->in, &change))) return call_unreadable(read);
    NTSTATUS status = image_open(&image, call->request, sizeof(MSV1_0_CHANGEPASSWORD_RESPONSE), 0);
    if (status < 0) return status;
    NTSTATUS changed = password_change(&change, &answered);
    MSV1_0_CHANGEPASSWORD_RESPONSE *answer = (MSV1_0_CHANGEPASSWORD_RESPONSE *)image.bytes;
    answer->MessageType = MsV1_0ChangePassword;
    answer->PasswordInfoValid = answered.has_policy;
    answer->DomainPasswordInfo = answered.policy;
    /* Where the answer cannot be sent, the status still tells what became of the password. */
    answer_send(call, &image);
    return changed;
}

/* ---- messages for other packages ---- */

static NTSTATUS send_passed(struct call *call, const void *bytes, ULONG size)
{
    struct image image;
    NTSTATUS status = image_open(&image, call->request, sizeof(MSV1_0_PASSTHROUGH_RESPONSE),
                                 image_part(size));
    if (status < 0) return status;
    MSV1_0_PASSTHROUGH_RESPONSE *answer = (MSV1_0_PASSTHROUGH_RESPONSE *)image.bytes;
    answer->MessageType = MsV1_0GenericPassthrough;
    answer->DataLength = size;
    answer->ValidationData = image_add(&image, bytes, size);
    return answer_send(call, &image);
}

/* Only to packages of this machine: there is no secure channel to another. What was passed on stays
 * here, or a message full of messages would take as many turns of the stack as it likes. */
static NTSTATUS pass_on(struct call *call, bool *read)
{
    const LSA_SECPKG_FUNCTION_TABLE *functions = package_host();
    const struct host *host = host_get();
    struct msv_passthrough message;
    struct name domain, package;
    void *answer = NULL;
    ULONG size = 0;
    NTSTATUS protocol = STATUS_SUCCESS;
    if (call->passed) return STATUS_NOT_SUPPORTED;
    if (!status_ok(msv_passthrough_decode(&call->in, &message)) ||
        !name_set(&domain, message.domain) || !name_set(&package, message.package))
        return call_unreadable(read);
    if (!host || (domain.length && !name_equal(&domain, &host->computer)))
        return STATUS_NO_SUCH_DOMAIN;
    if (!functions || !functions->CallPackagePassthrough) return STATUS_NOT_SUPPORTED;
    UNICODE_STRING name = {(USHORT)(package.length * sizeof(wchar_t)),
                           (USHORT)(package.length * sizeof(wchar_t)), package.text};
    NTSTATUS status = functions->CallPackagePassthrough(
        &name, (void *)(ULONG_PTR)(call->in.base + message.data_offset),
        (void *)(call->in.bytes.data + message.data_offset), (ULONG)message.data_size, &answer,
        &size, &protocol);
    if (status >= 0) status = protocol;
    if (status >= 0) status = send_passed(call, answer, size);
    if (answer && functions->FreeReturnBuffer) functions->FreeReturnBuffer(answer);
    return status;
}

/* ---- all ---- */

static call_answer *const answers[] = {
    [MsV1_0Lm20ChallengeRequest] = give_challenge, [MsV1_0Lm20GetChallengeResponse] = give_response,
    [MsV1_0EnumerateUsers] = list_users,           [MsV1_0GetUserInfo] = describe_user,
    [MsV1_0ChangePassword] = change_password,      [MsV1_0GenericPassthrough] = pass_on,
};
#define KINDS 25u /* of MSV1_0_PROTOCOL_MESSAGE_TYPE */

NTSTATUS call_run(struct call *call, NTSTATUS *protocol)
{
    uint32_t kind;
    bool read = true;
    if (!lsa_buffer_kind(&call->in, &kind) || kind >= KINDS) return STATUS_INVALID_PARAMETER;
    if (kind >= ARRAYSIZE(answers) || !answers[kind]) return STATUS_NOT_IMPLEMENTED;
    NTSTATUS status = answers[kind](call, &read);
    TRACE("message %u: status %#lx\n", (unsigned)kind, (ULONG)status);
    if (!read) return status;
    *protocol = status;
    return STATUS_SUCCESS;
}
