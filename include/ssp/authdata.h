/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The auth data that an application gives to AcquireCredentialsHandle: SEC_WINNT_AUTH_IDENTITY,
 * its EX form and its EX2 form, told apart as the documentation of SEC_WINNT_AUTH_IDENTITY_INFO
 * says, with ANSI or UTF-16 text as their Flags say, whichever entry point they came through.
 */
#pragma once

#include "core/reader.h"
#include "ssp/abi.h"

#define AUTHDATA_TEXT_MAX 32767u /* characters in one text: what a UNICODE_STRING holds */

/* Borrowed from the application. A text that it left out has data NULL; one that it gave and that
 * is empty has not. */
struct authdata {
    ULONG flags; /* SEC_WINNT_AUTH_IDENTITY_ bits as given */
    bool ansi;   /* the form of all texts; UTF-16 otherwise */
    struct slice user, domain, password;
    struct slice package_list; /* "Kerberos,!NTLM"; of the extended forms only */
};

/*
 * auth_data NULL leaves everything out. SEC_E_UNKNOWN_CREDENTIALS, with *out untouched, for what is
 * none of the three forms, for text that is out of bounds, for packed credentials other than a
 * password, and for an identity that SspiEncryptAuthIdentity has encrypted.
 */
status_t authdata_parse(const void *auth_data, struct authdata *out);

/* One of the texts as UTF-16, with a terminator that *length does not count; UTF-16 text is
 * copied as it is, valid or not. SEC_E_UNKNOWN_CREDENTIALS when it does not fit. The caller wipes
 * what held a password, after a failure too. */
status_t authdata_text(const struct authdata *data, struct slice text, wchar_t *out,
                       size_t capacity, size_t *length);

/* The package list in memory of malloc, terminated; NULL when none was given. */
status_t authdata_package_list(const struct authdata *data, wchar_t **out);
