/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What programs give to MSV1_0 in LsaLogonUser and LsaCallAuthenticationPackage. */
#pragma once

#include "core/lsa_buffer.h"

/* MSV1_0_LOGON_SUBMIT_TYPE, as far as it is read here */
enum msv_logon_kind {
    MSV_LOGON_INTERACTIVE = 2,
    MSV_LOGON_LM20 = 3,
    MSV_LOGON_NETWORK = 4,
    MSV_LOGON_UNLOCK = 7,
};

/* What decodes borrows from the buffer. Texts are UTF-16LE, of whole units. */
struct msv_logon {
    uint32_t kind;
    struct slice domain, user;
    struct slice password; /* interactive and unlock */
    /* the other two */
    struct slice workstation, nt_response, lm_response;
    uint8_t challenge[8];
    uint32_t control; /* ParameterControl; 0 with LM20, which has none that counts */
};

/* Bits of the ParameterControl of MSV1_0_GETCHALLENRESP_REQUEST (ntifs.h) */
#define MSV_PRIMARY_PASSWORD 0x1u /* that of the log-on, whatever is given */
#define MSV_RETURN_USER 0x2u
#define MSV_RETURN_DOMAIN 0x4u
#define MSV_RETURN_NON_NT_KEY 0x8u
#define MSV_MAKE_CLIENT_CHALLENGE 0x10u
#define MSV_HAS_NAMES 0x20u    /* GCR_NTLM3_PARMS: names follow, and NTLMv2 is asked for */
#define MSV_TARGET_INFO 0x40u  /* the server's name is a list of AV pairs */
#define MSV_ALLOW_NTLM 0x100u  /* NTLMv1 will do */
#define MSV_USE_OEM_SET 0x200u /* what is returned is OEM text */
#define MSV_MACHINE 0x400u
#define MSV_PASSWORD_IS_HASH 0x800u

struct msv_response_request {
    uint32_t control, logon_id_low, logon_id_high;
    struct slice password;
    uint8_t challenge[8];
    struct slice user, domain, server; /* with MSV_HAS_NAMES */
};

struct msv_passthrough {
    struct slice domain, package;
    size_t data_offset, data_size; /* in the buffer */
};

/* SEC_E_INVALID_PARAMETER, with *out untouched, for a buffer that is too short or has a text
 * elsewhere; logon_decode answers SEC_E_UNSUPPORTED_FUNCTION for another kind of log-on. The
 * others leave it to the caller to have looked at the kind. */
status_t msv_logon_decode(const struct lsa_buffer *buffer, struct msv_logon *out);
status_t msv_response_request_decode(const struct lsa_buffer *buffer,
                                     struct msv_response_request *out);
status_t msv_passthrough_decode(const struct lsa_buffer *buffer, struct msv_passthrough *out);
/* A message that is a number and the LUID of a log-on. */
status_t msv_logon_id_decode(const struct lsa_buffer *buffer, uint32_t *low, uint32_t *high);
