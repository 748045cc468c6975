/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables of names: status codes as winerror.h has them, flags and capabilities as sspi.h has them,
 * without their common prefixes. A value that has no name here is shown as a number, never left
 * out. The 64-bit flags of newer Windows have no place in the calls that are used here.
 */
#include "names.h"

#include <windows.h>

#include <security.h>

#include <stdbool.h>
#include <stddef.h>

struct name {
    uint32_t value;
    const char *text;
};

#define STATUS(code) (uint32_t)(code), #code
static const struct name status_names[] = {
    {STATUS(SEC_E_OK)},
    {STATUS(SEC_E_INSUFFICIENT_MEMORY)},
    {STATUS(SEC_E_INVALID_HANDLE)},
    {STATUS(SEC_E_UNSUPPORTED_FUNCTION)},
    {STATUS(SEC_E_TARGET_UNKNOWN)},
    {STATUS(SEC_E_INTERNAL_ERROR)},
    {STATUS(SEC_E_SECPKG_NOT_FOUND)},
    {STATUS(SEC_E_NOT_OWNER)},
    {STATUS(SEC_E_CANNOT_INSTALL)},
    {STATUS(SEC_E_INVALID_TOKEN)},
    {STATUS(SEC_E_CANNOT_PACK)},
    {STATUS(SEC_E_QOP_NOT_SUPPORTED)},
    {STATUS(SEC_E_NO_IMPERSONATION)},
    {STATUS(SEC_E_LOGON_DENIED)},
    {STATUS(SEC_E_UNKNOWN_CREDENTIALS)},
    {STATUS(SEC_E_NO_CREDENTIALS)},
    {STATUS(SEC_E_MESSAGE_ALTERED)},
    {STATUS(SEC_E_OUT_OF_SEQUENCE)},
    {STATUS(SEC_E_NO_AUTHENTICATING_AUTHORITY)},
    {STATUS(SEC_I_CONTINUE_NEEDED)},
    {STATUS(SEC_I_COMPLETE_NEEDED)},
    {STATUS(SEC_I_COMPLETE_AND_CONTINUE)},
    {STATUS(SEC_I_LOCAL_LOGON)},
    {STATUS(SEC_I_GENERIC_EXTENSION_RECEIVED)},
    {STATUS(SEC_E_BAD_PKGID)},
    {STATUS(SEC_E_CONTEXT_EXPIRED)},
    {STATUS(SEC_I_CONTEXT_EXPIRED)},
    {STATUS(SEC_E_INCOMPLETE_MESSAGE)},
    {STATUS(SEC_E_INCOMPLETE_CREDENTIALS)},
    {STATUS(SEC_E_BUFFER_TOO_SMALL)},
    {STATUS(SEC_I_INCOMPLETE_CREDENTIALS)},
    {STATUS(SEC_I_RENEGOTIATE)},
    {STATUS(SEC_E_WRONG_PRINCIPAL)},
    {STATUS(SEC_I_NO_LSA_CONTEXT)},
    {STATUS(SEC_E_TIME_SKEW)},
    {STATUS(SEC_E_UNTRUSTED_ROOT)},
    {STATUS(SEC_E_ILLEGAL_MESSAGE)},
    {STATUS(SEC_E_CERT_UNKNOWN)},
    {STATUS(SEC_E_CERT_EXPIRED)},
    {STATUS(SEC_E_ENCRYPT_FAILURE)},
    {STATUS(SEC_E_DECRYPT_FAILURE)},
    {STATUS(SEC_E_ALGORITHM_MISMATCH)},
    {STATUS(SEC_E_SECURITY_QOS_FAILED)},
    {STATUS(SEC_E_UNFINISHED_CONTEXT_DELETED)},
    {STATUS(SEC_E_NO_TGT_REPLY)},
    {STATUS(SEC_E_NO_IP_ADDRESSES)},
    {STATUS(SEC_E_WRONG_CREDENTIAL_HANDLE)},
    {STATUS(SEC_E_CRYPTO_SYSTEM_INVALID)},
    {STATUS(SEC_E_MAX_REFERRALS_EXCEEDED)},
    {STATUS(SEC_E_MUST_BE_KDC)},
    {STATUS(SEC_E_STRONG_CRYPTO_NOT_SUPPORTED)},
    {STATUS(SEC_E_TOO_MANY_PRINCIPALS)},
    {STATUS(SEC_E_NO_PA_DATA)},
    {STATUS(SEC_E_PKINIT_NAME_MISMATCH)},
    {STATUS(SEC_E_SMARTCARD_LOGON_REQUIRED)},
    {STATUS(SEC_E_SHUTDOWN_IN_PROGRESS)},
    {STATUS(SEC_E_KDC_INVALID_REQUEST)},
    {STATUS(SEC_E_KDC_UNABLE_TO_REFER)},
    {STATUS(SEC_E_KDC_UNKNOWN_ETYPE)},
    {STATUS(SEC_E_UNSUPPORTED_PREAUTH)},
    {STATUS(SEC_E_DELEGATION_REQUIRED)},
    {STATUS(SEC_E_BAD_BINDINGS)},
    {STATUS(SEC_E_MULTIPLE_ACCOUNTS)},
    {STATUS(SEC_E_NO_KERB_KEY)},
    {STATUS(SEC_E_CERT_WRONG_USAGE)},
    {STATUS(SEC_E_DOWNGRADE_DETECTED)},
    {STATUS(SEC_E_SMARTCARD_CERT_REVOKED)},
    {STATUS(SEC_E_ISSUING_CA_UNTRUSTED)},
    {STATUS(SEC_E_REVOCATION_OFFLINE_C)},
    {STATUS(SEC_E_PKINIT_CLIENT_FAILURE)},
    {STATUS(SEC_E_SMARTCARD_CERT_EXPIRED)},
    {STATUS(SEC_E_NO_S4U_PROT_SUPPORT)},
    {STATUS(SEC_E_CROSSREALM_DELEGATION_FAILURE)},
    {STATUS(SEC_E_REVOCATION_OFFLINE_KDC)},
    {STATUS(SEC_E_ISSUING_CA_UNTRUSTED_KDC)},
    {STATUS(SEC_E_KDC_CERT_EXPIRED)},
    {STATUS(SEC_E_KDC_CERT_REVOKED)},
    {STATUS(SEC_I_SIGNATURE_NEEDED)},
    {STATUS(SEC_E_INVALID_PARAMETER)},
    {STATUS(SEC_E_DELEGATION_POLICY)},
    {STATUS(SEC_E_POLICY_NLTM_ONLY)},
    {STATUS(SEC_I_NO_RENEGOTIATION)},
    {STATUS(SEC_E_NO_CONTEXT)},
    {STATUS(SEC_E_PKU2U_CERT_FAILURE)},
    {STATUS(SEC_E_MUTUAL_AUTH_FAILED)},
    {STATUS(SEC_I_MESSAGE_FRAGMENT)},
    {STATUS(SEC_E_ONLY_HTTPS_ALLOWED)},
    {STATUS(SEC_I_CONTINUE_NEEDED_MESSAGE_OK)},
    {STATUS(SEC_E_APPLICATION_PROTOCOL_MISMATCH)},
    {STATUS(SEC_I_ASYNC_CALL_PENDING)},
    {STATUS(SEC_E_INVALID_UPN_NAME)},
    {STATUS(SEC_E_EXT_BUFFER_TOO_SMALL)},
    {STATUS(SEC_E_INSUFFICIENT_BUFFERS)},
};
#undef STATUS

#define CAPABILITY(bit) SECPKG_FLAG_##bit, #bit
static const struct name capability_names[] = {
    {CAPABILITY(INTEGRITY)},
    {CAPABILITY(PRIVACY)},
    {CAPABILITY(TOKEN_ONLY)},
    {CAPABILITY(DATAGRAM)},
    {CAPABILITY(CONNECTION)},
    {CAPABILITY(MULTI_REQUIRED)},
    {CAPABILITY(CLIENT_ONLY)},
    {CAPABILITY(EXTENDED_ERROR)},
    {CAPABILITY(IMPERSONATION)},
    {CAPABILITY(ACCEPT_WIN32_NAME)},
    {CAPABILITY(STREAM)},
    {CAPABILITY(NEGOTIABLE)},
    {CAPABILITY(GSS_COMPATIBLE)},
    {CAPABILITY(LOGON)},
    {CAPABILITY(ASCII_BUFFERS)},
    {CAPABILITY(FRAGMENT)},
    {CAPABILITY(MUTUAL_AUTH)},
    {CAPABILITY(DELEGATION)},
    {CAPABILITY(READONLY_WITH_CHECKSUM)},
    {CAPABILITY(RESTRICTED_TOKENS)},
    {CAPABILITY(NEGO_EXTENDER)},
    {CAPABILITY(NEGOTIABLE2)},
    {CAPABILITY(APPCONTAINER_PASSTHROUGH)},
    {CAPABILITY(APPCONTAINER_CHECKS)},
    {CAPABILITY(CREDENTIAL_ISOLATION_ENABLED)},
    {CAPABILITY(APPLY_LOOPBACK)},
};
#undef CAPABILITY

#define FLAG(bit) ISC_RET_##bit, #bit
static const struct name client_flag_names[] = {
    {FLAG(DELEGATE)},
    {FLAG(MUTUAL_AUTH)},
    {FLAG(REPLAY_DETECT)},
    {FLAG(SEQUENCE_DETECT)},
    {FLAG(CONFIDENTIALITY)},
    {FLAG(USE_SESSION_KEY)},
    {FLAG(USED_COLLECTED_CREDS)},
    {FLAG(USED_SUPPLIED_CREDS)},
    {FLAG(ALLOCATED_MEMORY)},
    {FLAG(USED_DCE_STYLE)},
    {FLAG(DATAGRAM)},
    {FLAG(CONNECTION)},
    {FLAG(INTERMEDIATE_RETURN)},
    {FLAG(CALL_LEVEL)},
    {FLAG(EXTENDED_ERROR)},
    {FLAG(STREAM)},
    {FLAG(INTEGRITY)},
    {FLAG(IDENTIFY)},
    {FLAG(NULL_SESSION)},
    {FLAG(MANUAL_CRED_VALIDATION)},
    {FLAG(RESERVED1)},
    {FLAG(FRAGMENT_ONLY)},
    {FLAG(FORWARD_CREDENTIALS)},
    {FLAG(USED_HTTP_STYLE)},
    {FLAG(NO_ADDITIONAL_TOKEN)},
    {FLAG(REAUTHENTICATION)},
    {FLAG(CONFIDENTIALITY_ONLY)},
};
#undef FLAG

#define FLAG(bit) ASC_RET_##bit, #bit
/* From 0x4000 on the same names stand for other bits than on the client's side. */
static const struct name server_flag_names[] = {
    {FLAG(DELEGATE)},
    {FLAG(MUTUAL_AUTH)},
    {FLAG(REPLAY_DETECT)},
    {FLAG(SEQUENCE_DETECT)},
    {FLAG(CONFIDENTIALITY)},
    {FLAG(USE_SESSION_KEY)},
    {FLAG(SESSION_TICKET)},
    {FLAG(ALLOCATED_MEMORY)},
    {FLAG(USED_DCE_STYLE)},
    {FLAG(DATAGRAM)},
    {FLAG(CONNECTION)},
    {FLAG(CALL_LEVEL)},
    {FLAG(THIRD_LEG_FAILED)},
    {FLAG(EXTENDED_ERROR)},
    {FLAG(STREAM)},
    {FLAG(INTEGRITY)},
    {FLAG(LICENSING)},
    {FLAG(IDENTIFY)},
    {FLAG(NULL_SESSION)},
    {FLAG(ALLOW_NON_USER_LOGONS)},
    {FLAG(ALLOW_CONTEXT_REPLAY)},
    {FLAG(FRAGMENT_ONLY)},
    {FLAG(NO_TOKEN)},
    {FLAG(NO_ADDITIONAL_TOKEN)},
};
#undef FLAG

/* What this project's ImportSecurityContext means by a status; other calls mean other things. */
static const struct name import_reasons[] = {
    {(uint32_t)SEC_E_INVALID_TOKEN, "it is not a whole exported context"},
    {(uint32_t)SEC_E_MESSAGE_ALTERED, "it was changed after the export"},
    {(uint32_t)SEC_E_NOT_OWNER,
     "it was made in another Wine prefix, or before this prefix's server last ended"},
    {(uint32_t)SEC_E_CONTEXT_EXPIRED, "it has been imported before, and that works once"},
    {(uint32_t)SEC_E_SECPKG_NOT_FOUND, "its package is not installed here"},
    {(uint32_t)SEC_E_UNSUPPORTED_FUNCTION, "its package cannot import contexts"},
    {(uint32_t)SEC_E_INVALID_PARAMETER, "the call was not valid"},
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const char *name_find(const struct name *table, size_t count, uint32_t value)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].value == value) return table[i].text;
    return NULL;
}

struct status_text status_text(int32_t status)
{
    const char *name = name_find(status_names, COUNT(status_names), (uint32_t)status);
    struct status_text result;
    snprintf(result.text, sizeof(result.text), "%s (0x%08x)", name ? name : "unknown status",
             (unsigned)status);
    return result;
}

const char *status_import_reason(int32_t status)
{
    return name_find(import_reasons, COUNT(import_reasons), (uint32_t)status);
}

static void names_print(FILE *to, const struct name *table, size_t count, uint32_t bits)
{
    if (!bits) fputs("none", to);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (!(bits & table[i].value)) continue;
        fprintf(to, "%s%s", first ? "" : " ", table[i].text);
        first = false;
        bits &= ~table[i].value;
    }
    if (bits) fprintf(to, "%s0x%08x", first ? "" : " ", (unsigned)bits);
}

void names_print_capabilities(FILE *to, uint32_t capabilities)
{
    names_print(to, capability_names, COUNT(capability_names), capabilities);
}

void names_print_client_flags(FILE *to, uint32_t flags)
{
    names_print(to, client_flag_names, COUNT(client_flag_names), flags);
}

void names_print_server_flags(FILE *to, uint32_t flags)
{
    names_print(to, server_flag_names, COUNT(server_flag_names), flags);
}
