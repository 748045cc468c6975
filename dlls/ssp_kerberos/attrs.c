/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QueryContextAttributes (sspi.h), in the W form. What belongs to the package is known of a
 * half-open context too; everything else then gives SEC_E_INVALID_HANDLE, the one status that is
 * documented for an incomplete context. What a structure points to is memory for the application.
 *
 * What the client's domain says of him is read from the ticket's KERB_VALIDATION_INFO (MS-PAC 2.5),
 * where there is one: without it the attribute is one that this context does not have.
 */
#include "message.h"

#include "ssp/answer.h"
#include "ssp/attrs.h"
#include "ssp/trace.h"

#include <authz.h>
#include <rpc.h>
#include <wchar.h>

TRACE_CHANNEL("kerberos");

/* ---- of the package ---- */

static status_t query_package_info(struct context *context, void *buffer)
{
    (void)context;
    SecPkgContext_PackageInfoW *out = buffer;
    return package_info_give(&out->PackageInfo);
}

static status_t query_negotiation_info(struct context *context, void *buffer)
{
    SecPkgContext_NegotiationInfoW *out = buffer;
    bool complete = context->stage == STAGE_ESTABLISHED;
    status_t status = package_info_give(&out->PackageInfo);
    if (!status_ok(status)) return status;
    out->NegotiationState = complete ? SECPKG_NEGOTIATION_COMPLETE : SECPKG_NEGOTIATION_IN_PROGRESS;
    return SEC_E_OK;
}

/* A client has said all with its first token, but in DCE style, where it has the last word too
 * (MS-KILE 3.4.5.1). */
static status_t query_last_token(struct context *context, void *buffer)
{
    SecPkgContext_LastClientTokenStatus *out = buffer;
    if (context->server) return SEC_E_UNSUPPORTED_FUNCTION;
    bool more = context->stage != STAGE_ESTABLISHED &&
                context->requirements & ISC_REQ_USE_DCE_STYLE;
    out->LastClientTokenStatus = more ? SecPkgAttrLastClientTokenNo : SecPkgAttrLastClientTokenYes;
    return SEC_E_OK;
}

/* ---- of the peers ---- */

/* A server knows its client as the account that he has, if anybody has told it; otherwise he is
 * called what Kerberos calls him, name@REALM. */
static wchar_t *client_name(const struct facts *facts)
{
    if (facts->account.size)
        return answer_account(blob_slice(&facts->domain), blob_slice(&facts->account));
    return answer_text(blob_slice(&facts->client));
}

/* A principal for people. A client that has left it to the library to find the service's realm may
 * not be told which one it was. */
static struct slice principal_slice(const struct blob *principal)
{
    struct slice text = blob_slice(principal);
    const wchar_t *end = (const wchar_t *)(text.data + text.size);
    if (text.size && end[-1] == '@') text.size -= sizeof(*end);
    return text;
}

static status_t query_names(struct context *context, void *buffer)
{
    return answer_give(client_name(&context->facts), &((SecPkgContext_NamesW *)buffer)->sUserName);
}

static status_t query_native_names(struct context *context, void *buffer)
{
    SecPkgContext_NativeNamesW *out = buffer;
    return answer_give_pair(answer_text(principal_slice(&context->facts.client)),
                            answer_text(principal_slice(&context->facts.server)), &out->sClientName,
                            &out->sServerName);
}

/* Who vouches for the client. */
static status_t query_authority(struct context *context, void *buffer)
{
    SecPkgContext_AuthorityW *out = buffer;
    struct slice realm = principal_realm(blob_slice(&context->facts.client));
    return answer_give(answer_text(realm), &out->sAuthorityName);
}

/* What the application of the client has called the server. */
static status_t query_client_target(struct context *context, void *buffer)
{
    SecPkgContext_ClientSpecifiedTarget *out = buffer;
    const struct facts *facts = &context->facts;
    const struct blob *target = facts->target.size ? &facts->target : &facts->server;
    if (!target->size) return SEC_E_TARGET_UNKNOWN;
    return answer_give(answer_text(principal_slice(target)), &out->sTargetName);
}

/* A counted text of bytes, with a zero behind it that is not counted. */
static status_t give_narrow(struct slice text, ULONG *length, char **out)
{
    const wchar_t *wide = (const wchar_t *)text.data;
    int chars = (int)(text.size / sizeof(*wide)), size = 0;
    if (chars) size = WideCharToMultiByte(CP_ACP, 0, wide, chars, NULL, 0, NULL, NULL);
    char *copy = package_alloc((size_t)size + 1);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    if (chars) WideCharToMultiByte(CP_ACP, 0, wide, chars, copy, size, NULL, NULL);
    copy[size] = 0;
    *length = (ULONG)size;
    *out = copy;
    return SEC_E_OK;
}

/* The service as Kerberos calls it. */
static status_t query_target(struct context *context, void *buffer)
{
    SecPkgContext_Target *out = buffer;
    return give_narrow(principal_slice(&context->facts.server), &out->TargetLength, &out->Target);
}

/* The client as Kerberos calls him. */
static status_t query_authentication_id(struct context *context, void *buffer)
{
    SecPkgContext_AuthzID *out = buffer;
    return give_narrow(principal_slice(&context->facts.client), &out->AuthzIDLength, &out->AuthzID);
}

/* What a server of RPC decides by: the name of its client. */
static status_t query_dce_info(struct context *context, void *buffer)
{
    SecPkgContext_DceInfo *out = buffer;
    if (!context->server) return SEC_E_UNSUPPORTED_FUNCTION;
    wchar_t *name = client_name(&context->facts);
    if (!name) return SEC_E_INSUFFICIENT_MEMORY;
    *out = (SecPkgContext_DceInfo){RPC_C_AUTHZ_NAME, name};
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

/* Claims of the client that this server vouches for: none, since no claim of a ticket is read. */
static status_t query_subject_attributes(struct context *context, void *buffer)
{
    SecPkgContext_SubjectAttributes *out = buffer;
    if (!context->server) return SEC_E_UNSUPPORTED_FUNCTION;
    AUTHZ_SECURITY_ATTRIBUTES_INFORMATION *info = package_alloc(sizeof(*info));
    if (!info) return SEC_E_INSUFFICIENT_MEMORY;
    *info = (AUTHZ_SECURITY_ATTRIBUTES_INFORMATION){
        .Version = AUTHZ_SECURITY_ATTRIBUTES_INFORMATION_VERSION};
    out->AttributeInfo = info;
    return SEC_E_OK;
}

/* ---- what the client's domain says of him ---- */

/* Serialised as one type (MS-RPCE 2.2.6): two headers, the pointer, and the structure. */
#define PAC_HEADERS 20u
#define PAC_VERSION 1u
#define PAC_LITTLE_ENDIAN 0x10u

/* Where fields of KERB_VALIDATION_INFO are, in which no text comes before them. */
#define PAC_LOGOFF_TIME 8u
#define PAC_PASSWORD_MUST_CHANGE 40u
#define PAC_USER_FLAGS 116u

static status_t pac_enter(const struct context *context, size_t offset, struct reader *r)
{
    struct slice pac = blob_slice(&context->facts.pac);
    if (!pac.size) return SEC_E_UNSUPPORTED_FUNCTION;
    reader_init(r, pac.data, pac.size);
    bool known = reader_u8(r) == PAC_VERSION && reader_u8(r) == PAC_LITTLE_ENDIAN;
    reader_skip(r, PAC_HEADERS - 2 + offset);
    return known && reader_ok(r) ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION;
}

/* Zero is the time of nothing, and the end of time is never. */
static status_t give_time(uint64_t time, TimeStamp *out)
{
    const FILETIME utc = {(DWORD)time, (DWORD)(time >> 32)};
    if (time >= INT64_MAX) package_never(out);
    else if (!package_time(&utc, out)) return SEC_E_INTERNAL_ERROR;
    return SEC_E_OK;
}

static status_t pac_time(const struct context *context, size_t offset, TimeStamp *out)
{
    struct reader r;
    status_t status = pac_enter(context, offset, &r);
    if (!status_ok(status)) return status;
    uint64_t time = reader_u64le(&r);
    return reader_ok(&r) ? give_time(time, out) : SEC_E_UNSUPPORTED_FUNCTION;
}

static status_t query_password_expiry(struct context *context, void *buffer)
{
    SecPkgContext_PasswordExpiry *out = buffer;
    return pac_time(context, PAC_PASSWORD_MUST_CHANGE, &out->tsPasswordExpires);
}

static status_t query_logoff_time(struct context *context, void *buffer)
{
    SecPkgContext_LogoffTime *out = buffer;
    return pac_time(context, PAC_LOGOFF_TIME, &out->tsLogoffTime);
}

static status_t query_user_flags(struct context *context, void *buffer)
{
    SecPkgContext_UserFlags *out = buffer;
    struct reader r;
    status_t status = pac_enter(context, PAC_USER_FLAGS, &r);
    if (!status_ok(status)) return status;
    ULONG flags = reader_u32le(&r);
    if (!reader_ok(&r)) return SEC_E_UNSUPPORTED_FUNCTION;
    out->UserFlags = flags;
    return SEC_E_OK;
}

/* ---- of the session ---- */

static status_t query_sizes(struct context *context, void *buffer)
{
    SecPkgContext_Sizes *out = buffer;
    struct kerberos_sizes sizes = {LIBRARY_SIGNATURE_MAX, KERBEROS_TOKEN_MAX, LIBRARY_BLOCK_MAX};
    SecPkgInfoW info;
    package_info_get(&info);
    if (context->carried) kerberos_sizes(&context->session, &sizes);
    *out = (SecPkgContext_Sizes){
        .cbMaxToken = info.cbMaxToken,
        .cbMaxSignature = (ULONG)sizes.signature,
        .cbBlockSize = (ULONG)sizes.block,
        .cbSecurityTrailer = (ULONG)sizes.token,
    };
    return SEC_E_OK;
}

static status_t query_lifespan(struct context *context, void *buffer)
{
    SecPkgContext_Lifespan *out = buffer;
    const struct facts *facts = &context->facts;
    TimeStamp start, expiry;
    status_t status = give_time(facts->start, &start);
    if (status_ok(status)) status = give_time(facts->expiry ? facts->expiry : INT64_MAX, &expiry);
    if (!status_ok(status)) return status;
    *out = (SecPkgContext_Lifespan){start, expiry};
    return SEC_E_OK;
}

static status_t query_flags(struct context *context, void *buffer)
{
    SecPkgContext_Flags *out = buffer;
    out->Flags = context->attributes;
    return SEC_E_OK;
}

static status_t query_session_key(struct context *context, void *buffer)
{
    SecPkgContext_SessionKey *out = buffer;
    struct slice key = blob_slice(&context->facts.session_key);
    unsigned char *copy = answer_bytes(key);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    *out = (SecPkgContext_SessionKey){(ULONG)key.size, copy};
    return SEC_E_OK;
}

/* Numbers of the registries of Kerberos (RFC 3961 8); -138 is what Windows calls the checksum of
 * RC4, as with NTLM. Encryption types are called what klist calls them. */
static const struct algorithm {
    uint32_t enctype;
    LONG checksum;
    ULONG bits;
    const wchar_t *cipher, *signature;
} algorithms[] = {
    {16, 12, 168, L"DES3-CBC-SHA1", L"HMAC-SHA1-DES3"},
    {KERBEROS_AES128_SHA1, 15, 128, L"AES-128-CTS-HMAC-SHA1-96", L"HMAC-SHA1-96"},
    {KERBEROS_AES256_SHA1, 16, 256, L"AES-256-CTS-HMAC-SHA1-96", L"HMAC-SHA1-96"},
    {KERBEROS_AES128_SHA256, 19, 128, L"AES-128-CTS-HMAC-SHA256-128", L"HMAC-SHA256-128"},
    {KERBEROS_AES256_SHA384, 20, 256, L"AES-256-CTS-HMAC-SHA384-192", L"HMAC-SHA384-192"},
    {KERBEROS_RC4, KERB_CHECKSUM_HMAC_MD5, 128, L"RSADSI RC4-HMAC(NT)", L"HMAC-MD5"},
    {25, 17, 128, L"CAMELLIA-128-CTS-CMAC", L"CMAC-CAMELLIA-128"},
    {26, 18, 256, L"CAMELLIA-256-CTS-CMAC", L"CMAC-CAMELLIA-256"},
};

static const struct algorithm *algorithm_find(uint32_t enctype)
{
    for (size_t i = 0; i < ARRAYSIZE(algorithms); i++)
        if (algorithms[i].enctype == enctype) return &algorithms[i];
    return NULL;
}

/* Both names are blocks of their own, which the application frees one by one. */
static status_t query_key_info(struct context *context, void *buffer)
{
    SecPkgContext_KeyInfoW *out = buffer;
    bool carried = context->carried;
    const struct algorithm *used = algorithm_find(carried ? context->session.enctype
                                                          : context->facts.ticket_enctype);
    if (!used) return SEC_E_UNSUPPORTED_FUNCTION;
    status_t status = answer_give_pair(answer_string(used->signature), answer_string(used->cipher),
                                       &out->sSignatureAlgorithmName, &out->sEncryptAlgorithmName);
    if (!status_ok(status)) return status;
    out->KeySize = used->bits;
    out->SignatureAlgorithm = (ULONG)used->checksum;
    out->EncryptAlgorithm = used->enctype;
    return SEC_E_OK;
}

/* Everything else is refused with SEC_E_UNSUPPORTED_FUNCTION, stream sizes among it: Kerberos
 * frames no stream. */
static const struct attribute attributes[] = {
    {SECPKG_ATTR_PACKAGE_INFO, true, query_package_info},
    {SECPKG_ATTR_NEGOTIATION_INFO, true, query_negotiation_info},
    {SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, true, query_last_token},
    {SECPKG_ATTR_SIZES, false, query_sizes},
    {SECPKG_ATTR_NAMES, false, query_names},
    {SECPKG_ATTR_NATIVE_NAMES, false, query_native_names},
    {SECPKG_ATTR_AUTHORITY, false, query_authority},
    {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, false, query_client_target},
    {SECPKG_ATTR_TARGET, false, query_target},
    {SECPKG_ATTR_AUTHENTICATION_ID, false, query_authentication_id},
    {SECPKG_ATTR_DCE_INFO, false, query_dce_info},
    {SECPKG_ATTR_ACCESS_TOKEN, false, query_access_token},
    {SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES, false, query_subject_attributes},
    {SECPKG_ATTR_PASSWORD_EXPIRY, false, query_password_expiry},
    {SECPKG_ATTR_LOGOFF_TIME, false, query_logoff_time},
    {SECPKG_ATTR_USER_FLAGS, false, query_user_flags},
    {SECPKG_ATTR_LIFESPAN, false, query_lifespan},
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
