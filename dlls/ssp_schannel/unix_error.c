/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What goes wrong in the library, as statuses. Most failures are what an alert tells the peer, and
 * have that alert's status; the table has the others.
 */
#include "unix.h"

#include <stdarg.h>
#include <stdio.h>

status_t error_status(int error)
{
    static const struct {
        int error;
        status_t status;
    } meanings[] = {
        {GNUTLS_E_SUCCESS, SEC_E_OK},
        {GNUTLS_E_MEMORY_ERROR, SEC_E_INSUFFICIENT_MEMORY},
        {GNUTLS_E_SHORT_MEMORY_BUFFER, SEC_E_BUFFER_TOO_SMALL},
        {GNUTLS_E_RECORD_LIMIT_REACHED, SEC_E_CONTEXT_EXPIRED},
        {GNUTLS_E_INVALID_SESSION, SEC_E_CONTEXT_EXPIRED},
        {GNUTLS_E_SESSION_EOF, SEC_E_CONTEXT_EXPIRED}, /* a close_notify */
        /* the two sides, or a side and its policy, have nothing in common */
        {GNUTLS_E_NO_CIPHER_SUITES, SEC_E_ALGORITHM_MISMATCH},
        {GNUTLS_E_UNKNOWN_CIPHER_SUITE, SEC_E_ALGORITHM_MISMATCH},
        {GNUTLS_E_NO_COMMON_KEY_SHARE, SEC_E_ALGORITHM_MISMATCH},
        {GNUTLS_E_ECC_NO_SUPPORTED_CURVES, SEC_E_ALGORITHM_MISMATCH},
        {GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM, SEC_E_ALGORITHM_MISMATCH},
        {GNUTLS_E_NO_PRIORITIES_WERE_SET, SEC_E_ALGORITHM_MISMATCH},
        /* a client that has to show a certificate, and has not */
        {GNUTLS_E_NO_CERTIFICATE_FOUND, SEC_E_CERT_UNKNOWN},
        {GNUTLS_E_CERTIFICATE_REQUIRED, SEC_E_CERT_UNKNOWN},
        /* a peer that has become another one */
        {GNUTLS_E_SESSION_USER_ID_CHANGED, SEC_E_CERT_UNKNOWN},
        /* certificates and keys of our own */
        {GNUTLS_E_CERTIFICATE_KEY_MISMATCH, SEC_E_UNKNOWN_CREDENTIALS},
        {GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE, SEC_E_UNKNOWN_CREDENTIALS},
        {GNUTLS_E_INSUFFICIENT_CREDENTIALS, SEC_E_NO_CREDENTIALS},
        {GNUTLS_E_PK_SIGN_FAILED, SEC_E_NO_CREDENTIALS},
        {GNUTLS_E_LARGE_PACKET, SEC_E_INVALID_PARAMETER}, /* over the MTU */
        {GNUTLS_E_INVALID_REQUEST, SEC_E_INVALID_PARAMETER},
    };
    int level;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (meanings[i].error == error) return meanings[i].status;
    return tls_alert_status((uint8_t)gnutls.error_to_alert(error, &level));
}

status_t error_explain(int error, char why[CALL_WHY_SIZE])
{
    return error_say(error_status(error), why, "%s", error ? gnutls.strerror(error) : "");
}

status_t error_say(status_t status, char why[CALL_WHY_SIZE], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, CALL_WHY_SIZE, format, arguments);
    va_end(arguments);
    return status;
}
