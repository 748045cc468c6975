/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What goes wrong in the libraries, as statuses. The errors of Kerberos say the most: those of the
 * protocol (RFC 4120 7.5.9) have the same numbers in MIT's library and in Heimdal's, and so have
 * most of the others. GSS-API's own say the rest.
 */
#include "unix.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct meaning {
    krb5_error_code error;
    status_t logon, initiate, accept;
};

#define ALL(status) (status), (status), (status)
#define CLIENT(status) (status), (status), SEC_E_LOGON_DENIED
#define NOBODY SEC_E_NO_AUTHENTICATING_AUTHORITY

static const struct meaning meanings[] = {
    {ENOMEM, ALL(SEC_E_INSUFFICIENT_MEMORY)},
    /* there is nothing to begin with */
    {KRB5_CC_NOTFOUND, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_FCC_NOFILE, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_FCC_PERM, ALL(SEC_E_NO_CREDENTIALS)},
    {ENOENT, ALL(SEC_E_NO_CREDENTIALS)}, /* a cache or a keytab */
    {EACCES, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_CC_BADNAME, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_CC_UNKNOWN_TYPE, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_CC_FORMAT, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_CCACHE_BADVNO, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_KCM_NO_SERVER, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_KT_BADNAME, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_KT_UNKNOWN_TYPE, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_KEYTAB_BADVNO, ALL(SEC_E_NO_CREDENTIALS)},
    {KRB5_KT_NOTFOUND, SEC_E_NO_CREDENTIALS, SEC_E_NO_CREDENTIALS, SEC_E_LOGON_DENIED},
    {KRB5_KT_KVNONOTFOUND, SEC_E_NO_CREDENTIALS, SEC_E_NO_CREDENTIALS, SEC_E_LOGON_DENIED},
    /* nobody to ask */
    {KRB5_KDC_UNREACH, ALL(NOBODY)},
    {KRB5_REALM_UNKNOWN, ALL(NOBODY)},
    {KRB5_REALM_CANT_RESOLVE, ALL(NOBODY)},
    {KRB5_CONFIG_NODEFREALM, ALL(NOBODY)},
    {KRB5_CONFIG_CANTOPEN, ALL(NOBODY)},
    {KRB5_CONFIG_BADFORMAT, ALL(NOBODY)},
    {KRB5_GET_IN_TKT_LOOP, ALL(NOBODY)},
    {KRB5_KDCREP_MODIFIED, ALL(NOBODY)},
    {KRB5KDC_ERR_SVC_UNAVAILABLE, ALL(NOBODY)},
    {KRB5KDC_ERR_WRONG_REALM, ALL(NOBODY)},
    /* the client is refused */
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, ALL(SEC_E_LOGON_DENIED)},
    {KRB5KDC_ERR_NAME_EXP, ALL(SEC_E_LOGON_DENIED)},
    {KRB5KDC_ERR_NULL_KEY, ALL(SEC_E_LOGON_DENIED)},
    {KRB5KDC_ERR_CLIENT_REVOKED, ALL(SEC_E_LOGON_DENIED)},
    {KRB5KDC_ERR_POLICY, ALL(SEC_E_LOGON_DENIED)},
    {KRB5KDC_ERR_KEY_EXP, ALL(SEC_E_LOGON_DENIED)},
    {KRB5KDC_ERR_PREAUTH_FAILED, ALL(SEC_E_LOGON_DENIED)},
    {KRB5KDC_ERR_PREAUTH_REQUIRED, ALL(SEC_E_LOGON_DENIED)},
    {KRB5_PREAUTH_FAILED, ALL(SEC_E_LOGON_DENIED)},
    {KRB5_LIBOS_CANTREADPWD, ALL(SEC_E_LOGON_DENIED)},
    {KRB5KRB_AP_ERR_REPEAT, ALL(SEC_E_LOGON_DENIED)},
    /* the key is another one than the peer's, or than the password's */
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, SEC_E_LOGON_DENIED, SEC_E_WRONG_PRINCIPAL, SEC_E_LOGON_DENIED},
    {KRB5KRB_AP_ERR_MODIFIED, CLIENT(SEC_E_WRONG_PRINCIPAL)},
    {KRB5KRB_AP_ERR_NOKEY, CLIENT(SEC_E_WRONG_PRINCIPAL)},
    {KRB5KRB_AP_ERR_BADKEYVER, CLIENT(SEC_E_WRONG_PRINCIPAL)},
    {KRB5KRB_AP_ERR_NOT_US, CLIENT(SEC_E_WRONG_PRINCIPAL)},
    {KRB5KRB_AP_ERR_BADMATCH, CLIENT(SEC_E_WRONG_PRINCIPAL)},
    {KRB5KRB_AP_WRONG_PRINC, CLIENT(SEC_E_WRONG_PRINCIPAL)},
    {KRB5KDC_ERR_SERVER_NOMATCH,
     CLIENT(SEC_E_WRONG_PRINCIPAL)}, /* user-to-user: another's ticket */
    {KRB5_MUTUAL_FAILED, CLIENT(SEC_E_MUTUAL_AUTH_FAILED)},
    {KRB5KRB_AP_ERR_MUT_FAIL, CLIENT(SEC_E_MUTUAL_AUTH_FAILED)},
    /* user-to-user */
    {KRB5KRB_AP_ERR_USER_TO_USER_REQUIRED, CLIENT(SEC_E_NO_TGT_REPLY)},
    {KRB5KRB_AP_ERR_NO_TGT, CLIENT(SEC_E_NO_TGT_REPLY)},
    /* the service is not known */
    {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, NOBODY, SEC_E_TARGET_UNKNOWN, SEC_E_LOGON_DENIED},
    {KRB5KDC_ERR_MUST_USE_USER2USER, CLIENT(SEC_E_TARGET_UNKNOWN)},
    {KRB5KDC_ERR_SERVICE_EXP, CLIENT(SEC_E_TARGET_UNKNOWN)},
    {KRB5KDC_ERR_SERVICE_REVOKED, CLIENT(SEC_E_TARGET_UNKNOWN)},
    {KRB5_PARSE_MALFORMED, SEC_E_LOGON_DENIED, SEC_E_TARGET_UNKNOWN, SEC_E_NO_CREDENTIALS},
    {KRB5_PARSE_ILLCHAR, SEC_E_LOGON_DENIED, SEC_E_TARGET_UNKNOWN, SEC_E_NO_CREDENTIALS},
    /* clocks */
    {KRB5KRB_AP_ERR_SKEW, ALL(SEC_E_TIME_SKEW)},
    {KRB5_KDCREP_SKEW, ALL(SEC_E_TIME_SKEW)},
    {KRB5KRB_AP_ERR_TKT_NYV, ALL(SEC_E_TIME_SKEW)},
    {KRB5KDC_ERR_CLIENT_NOTYET, ALL(SEC_E_TIME_SKEW)},
    {KRB5KDC_ERR_NEVER_VALID, ALL(SEC_E_TIME_SKEW)},
    {KRB5KRB_AP_ERR_TKT_EXPIRED, ALL(SEC_E_CONTEXT_EXPIRED)},
    /* encryption types and options */
    {KRB5KDC_ERR_ETYPE_NOSUPP, CLIENT(SEC_E_KDC_UNKNOWN_ETYPE)},
    {KRB5_CONFIG_ETYPE_NOSUPP, CLIENT(SEC_E_KDC_UNKNOWN_ETYPE)},
    {KRB5_BAD_ENCTYPE, CLIENT(SEC_E_KDC_UNKNOWN_ETYPE)},
    {KRB5KDC_ERR_BADOPTION, CLIENT(SEC_E_KDC_INVALID_REQUEST)},
    {KRB5KDC_ERR_TRTYPE_NOSUPP, CLIENT(SEC_E_KDC_INVALID_REQUEST)},
    {KRB5KDC_ERR_PADATA_TYPE_NOSUPP, CLIENT(SEC_E_KDC_INVALID_REQUEST)},
    /* bytes that are no message */
    {KRB5KRB_AP_ERR_BADVERSION, ALL(SEC_E_INVALID_TOKEN)},
    {KRB5KRB_AP_ERR_MSG_TYPE, ALL(SEC_E_INVALID_TOKEN)},
    {KRB5KRB_AP_ERR_INAPP_CKSUM, ALL(SEC_E_INVALID_TOKEN)},
    {KRB5_BADMSGTYPE, ALL(SEC_E_INVALID_TOKEN)},
};

/* What GSS-API's own say; those that are `first` say all there is to say, whatever the error
 * of Kerberos. */
static const struct {
    OM_uint32 major;
    bool first;
    status_t logon, initiate, accept;
} majors[] = {
    {GSS_S_BAD_BINDINGS, true, ALL(SEC_E_BAD_BINDINGS)},
    {GSS_S_BAD_MIC, true, ALL(SEC_E_MESSAGE_ALTERED)},
    {GSS_S_CREDENTIALS_EXPIRED, true, ALL(SEC_E_CONTEXT_EXPIRED)},
    {GSS_S_CONTEXT_EXPIRED, true, ALL(SEC_E_CONTEXT_EXPIRED)},
    {GSS_S_DEFECTIVE_TOKEN, false, ALL(SEC_E_INVALID_TOKEN)},
    {GSS_S_BAD_MECH, false, ALL(SEC_E_INVALID_TOKEN)},
    {GSS_S_NO_CRED, false, ALL(SEC_E_NO_CREDENTIALS)},
    {GSS_S_DEFECTIVE_CREDENTIAL, false, ALL(SEC_E_NO_CREDENTIALS)},
    {GSS_S_BAD_NAME, false, SEC_E_LOGON_DENIED, SEC_E_TARGET_UNKNOWN, SEC_E_NO_CREDENTIALS},
    {GSS_S_UNAUTHORIZED, false, ALL(SEC_E_LOGON_DENIED)},
    {GSS_S_UNAVAILABLE, false, ALL(SEC_E_UNSUPPORTED_FUNCTION)},
    {GSS_S_NO_CONTEXT, false, ALL(SEC_E_INVALID_HANDLE)},
    {GSS_S_BAD_QOP, false, ALL(SEC_E_QOP_NOT_SUPPORTED)},
};

static status_t status_choose(enum error_of of, status_t logon, status_t initiate, status_t accept)
{
    return of == ERROR_OF_LOGON ? logon : of == ERROR_OF_ACCEPT ? accept : initiate;
}

/* MIT's mechanism answers without an error for a request that it cannot even decode, and the
 * library around it calls that by a number that it has made up, of which the first is this. */
#define MADE_UP 100001
#define MADE_UP_END 110000

/* What a KDC says to who has no right to act for that client at that target (MS-SFU 3.2.5.2), or
 * comes with another's evidence, and who is no client of its: then there is nothing to act with. */
static bool is_refusal(krb5_error_code error)
{
    switch (error) {
    case KRB5KDC_ERR_BADOPTION:
    case KRB5KDC_ERR_POLICY:
    case KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN:
    case KRB5KRB_AP_ERR_BADMATCH:
    case KRB5KRB_AP_ERR_BAD_INTEGRITY:
    case KRB5_TKT_NOT_FORWARDABLE: return true;
    default: return false;
    }
}

/* SEC_E_OK for an error that says nothing. */
static status_t status_of_krb5(enum error_of of, krb5_error_code error)
{
    if (of == ERROR_OF_PROXY && is_refusal(error)) return SEC_E_NO_CREDENTIALS;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (meanings[i].error == error)
            return status_choose(of, meanings[i].logon, meanings[i].initiate, meanings[i].accept);
    if (error >= ASN1_BAD_TIMEFORMAT && error < ASN1_BAD_TIMEFORMAT + 256)
        return SEC_E_INVALID_TOKEN;
    if (of == ERROR_OF_ACCEPT && error >= MADE_UP && error < MADE_UP_END)
        return SEC_E_INVALID_TOKEN;
    /* Any other error of the protocol is a refusal (RFC 4120 7.5.9). */
    if (error > KRB5KDC_ERR_NONE && error < KRB5KDC_ERR_NONE + 128) return SEC_E_LOGON_DENIED;
    return SEC_E_OK;
}

/* SEC_E_OK likewise; of those that are asked before Kerberos, or of the others. */
static status_t status_of_major(enum error_of of, OM_uint32 major, bool first)
{
    if (!first && GSS_CALLING_ERROR(major)) return SEC_E_INVALID_PARAMETER;
    for (size_t i = 0; i < sizeof(majors) / sizeof(*majors); i++)
        if (majors[i].first == first && majors[i].major == GSS_ROUTINE_ERROR(major))
            return status_choose(of, majors[i].logon, majors[i].initiate, majors[i].accept);
    return SEC_E_OK;
}

/* One message of the library's into what is left of the text. */
static void text_add(OM_uint32 code, int type, char why[CALL_WHY_SIZE])
{
    OM_uint32 minor, more = 0;
    gss_buffer_desc text = {0};
    size_t used = strlen(why);
    if (GSS_ERROR(gss.display_status(&minor, code, type, &mech_krb5, &more, &text))) return;
    snprintf(why + used, CALL_WHY_SIZE - used, "%s%.*s", used ? ": " : "", (int)text.length,
             (const char *)text.value);
    gss.release_buffer(&minor, &text);
}

status_t error_gss(enum error_of of, OM_uint32 major, OM_uint32 minor, char why[CALL_WHY_SIZE])
{
    krb5_error_code error = (krb5_error_code)minor;
    why[0] = 0;
    text_add(major, GSS_C_GSS_CODE, why);
    if (minor) text_add(minor, GSS_C_MECH_CODE, why);
    /* A service without a key at all, unlike one that has not the client's. */
    if (of == ERROR_OF_ACCEPT && GSS_ROUTINE_ERROR(major) == GSS_S_NO_CRED)
        return SEC_E_NO_CREDENTIALS;
    status_t status = status_of_major(of, major, true);
    if (status == SEC_E_OK) status = status_of_krb5(of, error);
    if (status == SEC_E_OK) status = status_of_major(of, major, false);
    return status == SEC_E_OK ? SEC_E_INTERNAL_ERROR : status;
}

status_t error_krb5(enum error_of of, krb5_context context, krb5_error_code error,
                    char why[CALL_WHY_SIZE])
{
    const char *text = krb5.get_error_message(context, error);
    snprintf(why, CALL_WHY_SIZE, "%s", text);
    krb5.free_error_message(context, text);
    status_t status = status_of_krb5(of, error);
    return status == SEC_E_OK ? SEC_E_INTERNAL_ERROR : status;
}

status_t error_say(status_t status, char why[CALL_WHY_SIZE], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, CALL_WHY_SIZE, format, arguments);
    va_end(arguments);
    return status;
}
