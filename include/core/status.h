/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one result type: a SECURITY_STATUS. Zero and positive values succeed, negative ones fail.
 * The values are those of winerror.h; natively they are defined here. This is the only file
 * that knows whether it is compiled for Windows.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef int32_t status_t;

#ifdef _WIN32
typedef long HRESULT; /* winerror.h needs it, and winnt.h must stay the includer's choice */
#include <winerror.h>
#else
#define SEC_E_OK ((status_t)0)
#define SEC_E_INSUFFICIENT_MEMORY ((status_t)0x80090300)
#define SEC_E_INVALID_HANDLE ((status_t)0x80090301)
#define SEC_E_UNSUPPORTED_FUNCTION ((status_t)0x80090302)
#define SEC_E_NOT_SUPPORTED SEC_E_UNSUPPORTED_FUNCTION
#define SEC_E_TARGET_UNKNOWN ((status_t)0x80090303)
#define SEC_E_INTERNAL_ERROR ((status_t)0x80090304)
#define SEC_E_SECPKG_NOT_FOUND ((status_t)0x80090305)
#define SEC_E_NOT_OWNER ((status_t)0x80090306)
#define SEC_E_INVALID_TOKEN ((status_t)0x80090308)
#define SEC_E_CANNOT_PACK ((status_t)0x80090309)
#define SEC_E_QOP_NOT_SUPPORTED ((status_t)0x8009030A)
#define SEC_E_LOGON_DENIED ((status_t)0x8009030C)
#define SEC_E_UNKNOWN_CREDENTIALS ((status_t)0x8009030D)
#define SEC_E_NO_CREDENTIALS ((status_t)0x8009030E)
#define SEC_E_MESSAGE_ALTERED ((status_t)0x8009030F)
#define SEC_E_OUT_OF_SEQUENCE ((status_t)0x80090310)
#define SEC_E_NO_AUTHENTICATING_AUTHORITY ((status_t)0x80090311)
#define SEC_I_CONTINUE_NEEDED ((status_t)0x00090312)
#define SEC_E_CONTEXT_EXPIRED ((status_t)0x80090317)
#define SEC_I_CONTEXT_EXPIRED ((status_t)0x00090317)
#define SEC_E_INCOMPLETE_MESSAGE ((status_t)0x80090318)
#define SEC_I_INCOMPLETE_CREDENTIALS ((status_t)0x00090320)
#define SEC_I_RENEGOTIATE ((status_t)0x00090321)
#define SEC_E_BUFFER_TOO_SMALL ((status_t)0x80090321)
#define SEC_E_WRONG_PRINCIPAL ((status_t)0x80090322)
#define SEC_E_TIME_SKEW ((status_t)0x80090324)
#define SEC_E_UNTRUSTED_ROOT ((status_t)0x80090325)
#define SEC_E_ILLEGAL_MESSAGE ((status_t)0x80090326)
#define SEC_E_CERT_UNKNOWN ((status_t)0x80090327)
#define SEC_E_CERT_EXPIRED ((status_t)0x80090328)
#define SEC_E_DECRYPT_FAILURE ((status_t)0x80090330)
#define SEC_E_ALGORITHM_MISMATCH ((status_t)0x80090331)
#define SEC_E_UNFINISHED_CONTEXT_DELETED ((status_t)0x80090333)
#define SEC_E_NO_TGT_REPLY ((status_t)0x80090334)
#define SEC_E_KDC_INVALID_REQUEST ((status_t)0x80090340)
#define SEC_E_KDC_UNKNOWN_ETYPE ((status_t)0x80090342)
#define SEC_E_BAD_BINDINGS ((status_t)0x80090346)
#define SEC_E_CERT_WRONG_USAGE ((status_t)0x80090349)
#define SEC_E_INVALID_PARAMETER ((status_t)0x8009035D)
#define SEC_E_MUTUAL_AUTH_FAILED ((status_t)0x80090363)
#define SEC_E_APPLICATION_PROTOCOL_MISMATCH ((status_t)0x80090367)
#define CRYPT_E_REVOKED ((status_t)0x80092010)
#endif

static inline bool status_ok(status_t status)
{
    return status >= 0;
}
