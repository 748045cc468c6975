/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of MSV1_0: the structures of ntsecapi.h and ntifs.h. */
#include "core/msv1_0.h"

#include <string.h>

/* ---- log-ons ---- */

/* MSV1_0_INTERACTIVE_LOGON */
static void read_interactive(struct lsa_reader *lsa, struct msv_logon *out)
{
    struct lsa_text domain = lsa_reader_text(lsa), user = lsa_reader_text(lsa),
                    password = lsa_reader_text(lsa);
    out->domain = lsa_reader_find(lsa, domain, LSA_WIDE);
    out->user = lsa_reader_find(lsa, user, LSA_WIDE);
    out->password = lsa_reader_find(lsa, password, LSA_WIDE);
}

/* MSV1_0_LM20_LOGON; the responses are bytes. */
static void read_network(struct lsa_reader *lsa, struct msv_logon *out)
{
    struct lsa_text domain = lsa_reader_text(lsa), user = lsa_reader_text(lsa);
    struct lsa_text workstation = lsa_reader_text(lsa);
    reader_copy(&lsa->r, out->challenge, sizeof(out->challenge));
    struct lsa_text nt = lsa_reader_text(lsa), lm = lsa_reader_text(lsa);
    uint32_t control = reader_u32le(&lsa->r);
    if (out->kind == MSV_LOGON_NETWORK) out->control = control;
    out->domain = lsa_reader_find(lsa, domain, LSA_WIDE);
    out->user = lsa_reader_find(lsa, user, LSA_WIDE);
    out->workstation = lsa_reader_find(lsa, workstation, LSA_WIDE);
    out->nt_response = lsa_reader_find(lsa, nt, 1);
    out->lm_response = lsa_reader_find(lsa, lm, 1);
}

status_t msv_logon_decode(const struct lsa_buffer *buffer, struct msv_logon *out)
{
    struct lsa_reader lsa;
    struct msv_logon logon;
    memset(&logon, 0, sizeof(logon));
    lsa_reader_init(&lsa, buffer);
    logon.kind = reader_u32le(&lsa.r);
    if (!reader_ok(&lsa.r)) return SEC_E_INVALID_PARAMETER;
    switch (logon.kind) {
    case MSV_LOGON_INTERACTIVE:
    case MSV_LOGON_UNLOCK: read_interactive(&lsa, &logon); break;
    case MSV_LOGON_LM20:
    case MSV_LOGON_NETWORK: read_network(&lsa, &logon); break;
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = logon;
    return status;
}

/* ---- messages ---- */

/* MSV1_0_GETCHALLENRESP_REQUEST and its first form, which ends with the challenge. */
status_t msv_response_request_decode(const struct lsa_buffer *buffer,
                                     struct msv_response_request *out)
{
    struct lsa_reader lsa;
    struct msv_response_request request;
    struct lsa_text user = {0, 0}, domain = {0, 0}, server = {0, 0};
    memset(&request, 0, sizeof(request));
    lsa_reader_init(&lsa, buffer);
    reader_skip(&lsa.r, 4);
    request.control = reader_u32le(&lsa.r);
    request.logon_id_low = reader_u32le(&lsa.r);
    request.logon_id_high = reader_u32le(&lsa.r);
    struct lsa_text password = lsa_reader_text(&lsa);
    reader_copy(&lsa.r, request.challenge, sizeof(request.challenge));
    if (request.control & MSV_HAS_NAMES) {
        user = lsa_reader_text(&lsa);
        domain = lsa_reader_text(&lsa);
        server = lsa_reader_text(&lsa);
    }
    bool pairs = request.control & MSV_TARGET_INFO;
    bool hash = request.control & MSV_PASSWORD_IS_HASH;
    request.password = lsa_reader_find(&lsa, password, hash ? 1 : LSA_WIDE);
    request.user = lsa_reader_find(&lsa, user, LSA_WIDE);
    request.domain = lsa_reader_find(&lsa, domain, LSA_WIDE);
    request.server = lsa_reader_find(&lsa, server, pairs ? 1 : LSA_WIDE);
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = request;
    return status;
}

/* MSV1_0_PASSTHROUGH_REQUEST */
status_t msv_passthrough_decode(const struct lsa_buffer *buffer, struct msv_passthrough *out)
{
    struct lsa_reader lsa;
    struct msv_passthrough message;
    memset(&message, 0, sizeof(message));
    lsa_reader_init(&lsa, buffer);
    reader_skip(&lsa.r, 4);
    struct lsa_text domain = lsa_reader_text(&lsa), package = lsa_reader_text(&lsa);
    message.data_size = reader_u32le(&lsa.r);
    uint64_t data = lsa_reader_pointer(&lsa);
    reader_skip(&lsa.r, 4);
    message.domain = lsa_reader_find(&lsa, domain, LSA_WIDE);
    message.package = lsa_reader_find(&lsa, package, LSA_WIDE);
    if (message.data_size &&
        !lsa_reader_locate(&lsa, data, message.data_size, &message.data_offset))
        reader_fail(&lsa.r);
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = message;
    return status;
}

status_t msv_logon_id_decode(const struct lsa_buffer *buffer, uint32_t *low, uint32_t *high)
{
    struct lsa_reader lsa;
    lsa_reader_init(&lsa, buffer);
    reader_skip(&lsa.r, 4);
    uint32_t first = reader_u32le(&lsa.r), second = reader_u32le(&lsa.r);
    status_t status = lsa_reader_status(&lsa);
    if (!status_ok(status)) return status;
    *low = first;
    *high = second;
    return SEC_E_OK;
}
