/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QueryContextAttributes (sspi.h), in the W form. What belongs to the package
 * is known of a half-open context too; everything else then gives SEC_E_INVALID_HANDLE, the one
 * status that is documented for an incomplete context. What a structure points to is memory for
 * the application.
 */
#include "ntlm_package.h"

#include "ssp/attrs.h"
#include "ssp/trace.h"

#include <rpc.h>

TRACE_CHANNEL("ntlm");

/* ---- of the package ---- */

static status_t query_sizes(struct context *context, void *buffer)
{
    (void)context;
    SecPkgContext_Sizes *sizes = buffer;
    *sizes = (SecPkgContext_Sizes){
        .cbMaxToken = MAX_TOKEN,
        .cbMaxSignature = NTLM_SIGNATURE_SIZE,
        .cbBlockSize = 0,
        .cbSecurityTrailer = NTLM_SIGNATURE_SIZE,
    };
    return SEC_E_OK;
}

static status_t query_package_info(struct context *context, void *buffer)
{
    (void)context;
    SecPkgContext_PackageInfoW *out = buffer;
    return package_info_give(&out->PackageInfo);
}

static status_t query_negotiation_info(struct context *context, void *buffer)
{
    SecPkgContext_NegotiationInfoW *out = buffer;
    bool complete = context->ntlm.stage == NTLM_STAGE_ESTABLISHED;
    status_t status = package_info_give(&out->PackageInfo);
    if (!status_ok(status)) return status;
    out->NegotiationState = complete ? SECPKG_NEGOTIATION_COMPLETE : SECPKG_NEGOTIATION_IN_PROGRESS;
    return SEC_E_OK;
}

/* ---- of the peers ---- */

static status_t query_names(struct context *context, void *buffer)
{
    SecPkgContext_NamesW *out = buffer;
    const struct ntlm_context *ntlm = &context->ntlm;
    return answer_give(answer_account(blob_slice(&ntlm->domain), blob_slice(&ntlm->user)),
                       &out->sUserName);
}

/* NTLM proves no name of the server: it is called what the client called it, perhaps nothing. */
static status_t query_native_names(struct context *context, void *buffer)
{
    SecPkgContext_NativeNamesW *out = buffer;
    const struct ntlm_context *ntlm = &context->ntlm;
    return answer_give_pair(answer_account(blob_slice(&ntlm->domain), blob_slice(&ntlm->user)),
                            answer_text(blob_slice(&ntlm->target_name)), &out->sClientName,
                            &out->sServerName);
}

/* Who vouches for the client: on a server the machine whose account it is. */
static status_t query_authority(struct context *context, void *buffer)
{
    SecPkgContext_AuthorityW *out = buffer;
    return answer_give(answer_text(blob_slice(&context->ntlm.domain)), &out->sAuthorityName);
}

static status_t query_target(struct context *context, void *buffer)
{
    SecPkgContext_ClientSpecifiedTarget *out = buffer;
    if (!context->ntlm.target_name.size) return SEC_E_TARGET_UNKNOWN;
    return answer_give(answer_text(blob_slice(&context->ntlm.target_name)), &out->sTargetName);
}

/* What a server of RPC decides by: the name of its client. */
static status_t query_dce_info(struct context *context, void *buffer)
{
    SecPkgContext_DceInfo *out = buffer;
    const struct ntlm_context *ntlm = &context->ntlm;
    wchar_t *name;
    if (ntlm->role != NTLM_SERVER) return SEC_E_UNSUPPORTED_FUNCTION;
    status_t status = answer_give(
        answer_account(blob_slice(&ntlm->domain), blob_slice(&ntlm->user)), &name);
    if (status_ok(status)) *out = (SecPkgContext_DceInfo){RPC_C_AUTHZ_NAME, name};
    return status;
}

/* The client has the last word: what it sends in its second leg. */
static status_t query_last_token(struct context *context, void *buffer)
{
    SecPkgContext_LastClientTokenStatus *out = buffer;
    if (context->ntlm.role != NTLM_CLIENT) return SEC_E_UNSUPPORTED_FUNCTION;
    bool complete = context->ntlm.stage == NTLM_STAGE_ESTABLISHED;
    out->LastClientTokenStatus = complete ? SecPkgAttrLastClientTokenYes
                                          : SecPkgAttrLastClientTokenNo;
    return SEC_E_OK;
}

/* The context keeps the handle: the application must not close it. */
static status_t query_access_token(struct context *context, void *buffer)
{
    SecPkgContext_AccessToken *out = buffer;
    HANDLE token;
    status_t status = context_token(context, &token);
    if (status_ok(status)) out->AccessToken = token;
    return status;
}

/* ---- of the session ---- */

static status_t query_lifespan(struct context *context, void *buffer)
{
    SecPkgContext_Lifespan *out = buffer;
    uint64_t start = context->ntlm.start_time;
    const FILETIME utc = {(DWORD)start, (DWORD)(start >> 32)};
    if (!package_time(&utc, &out->tsStart)) return SEC_E_INTERNAL_ERROR;
    package_never(&out->tsExpiry);
    return SEC_E_OK;
}

/* Local accounts have passwords without end; a client does not know of its own. */
static status_t query_password_expiry(struct context *context, void *buffer)
{
    SecPkgContext_PasswordExpiry *out = buffer;
    if (context->ntlm.role != NTLM_SERVER) return SEC_E_UNSUPPORTED_FUNCTION;
    package_never(&out->tsPasswordExpires);
    return SEC_E_OK;
}

static status_t query_flags(struct context *context, void *buffer)
{
    SecPkgContext_Flags *out = buffer;
    out->Flags = context->ntlm.attributes;
    return SEC_E_OK;
}

static status_t query_session_key(struct context *context, void *buffer)
{
    SecPkgContext_SessionKey *out = buffer;
    const struct ntlm_session *session = &context->ntlm.session;
    const struct slice own = {session->session_key, sizeof(session->session_key)};
    unsigned char *key = answer_bytes(own);
    if (!key) return SEC_E_INSUFFICIENT_MEMORY;
    out->SessionKeyLength = sizeof(session->session_key);
    out->SessionKey = key;
    return SEC_E_OK;
}

/* Both names are blocks of their own, which the application frees one by one. */
static status_t query_key_info(struct context *context, void *buffer)
{
    SecPkgContext_KeyInfoW *out = buffer;
    uint32_t flags = context->ntlm.session.flags;
    bool ess = flags & NTLM_ESS;
    status_t status = answer_give_pair(answer_string(ess ? L"HMAC-MD5" : L"RSADSI RC4-CRC32"),
                                       answer_string(L"RSADSI RC4"), &out->sSignatureAlgorithmName,
                                       &out->sEncryptAlgorithmName);
    if (!status_ok(status)) return status;
    out->KeySize = ntlm_key_bits(flags);
    out->SignatureAlgorithm = ess ? 0xffffff76 : 0xffffff7c; /* [W8 ntlm.c:914-929] */
    out->EncryptAlgorithm = 0x6801;                          /* CALG_RC4 */
    return SEC_E_OK;
}

/* Everything else is refused with SEC_E_UNSUPPORTED_FUNCTION: stream sizes, since NTLM frames no
 * stream, and what has no published form (TARGET_INFORMATION, IS_LOOPBACK) or means nothing without
 * a domain's log-on (USER_FLAGS). */
static const struct attribute attributes[] = {
    {SECPKG_ATTR_SIZES, true, query_sizes},
    {SECPKG_ATTR_PACKAGE_INFO, true, query_package_info},
    {SECPKG_ATTR_NEGOTIATION_INFO, true, query_negotiation_info},
    {SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, true, query_last_token},
    {SECPKG_ATTR_NAMES, false, query_names},
    {SECPKG_ATTR_NATIVE_NAMES, false, query_native_names},
    {SECPKG_ATTR_AUTHORITY, false, query_authority},
    {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, false, query_target},
    {SECPKG_ATTR_DCE_INFO, false, query_dce_info},
    {SECPKG_ATTR_ACCESS_TOKEN, false, query_access_token},
    {SECPKG_ATTR_LIFESPAN, false, query_lifespan},
    {SECPKG_ATTR_PASSWORD_EXPIRY, false, query_password_expiry},
    {SECPKG_ATTR_FLAGS, false, query_flags},
    {SECPKG_ATTR_SESSION_KEY, false, query_session_key},
    {SECPKG_ATTR_KEY_INFO, false, query_key_info},
};

static status_t query_locked(struct context *context, const struct attribute *attribute,
                             void *buffer)
{
    if (context->exported) return SEC_E_INVALID_HANDLE;
    status_t status = attribute->any_stage ? SEC_E_OK : context_check_session(context);
    return status_ok(status) ? attribute->query(context, buffer) : status;
}

NTSTATUS NTAPI context_query(LSA_SEC_HANDLE handle, ULONG id, void *buffer)
{
    struct context *context = context_get(handle);
    const struct attribute *attribute = attribute_find(attributes, ARRAYSIZE(attributes), id);
    status_t status = SEC_E_UNSUPPORTED_FUNCTION;
    if (!buffer) return SEC_E_INVALID_PARAMETER;
    if (attribute) {
        lock_take(&context->send);
        status = query_locked(context, attribute, buffer);
        lock_give(&context->send);
    }
    TRACE("attribute %lu: status %#lx\n", id, (ULONG)status);
    return status;
}
