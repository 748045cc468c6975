/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The auth data that an application gives to AcquireCredentialsHandle: SEC_WINNT_AUTH_IDENTITY,
 * its EX form and its EX2 form, told apart as the documentation of SEC_WINNT_AUTH_IDENTITY_INFO
 * says, with ANSI or UTF-16 text as their Flags say, whichever entry point they came through.
 */
#pragma once

#include "core/identity.h"
#include "core/reader.h"
#include "ssp/abi.h"

#define AUTHDATA_TEXT_MAX 32767u /* characters in one text: what a UNICODE_STRING holds */

/* Borrowed from the application, except for what was opened. A text that it left out has data
 * NULL; one that it gave and that is empty has not. */
struct authdata {
    size_t size;   /* of the structure; of the EX2 form with all that is behind it */
    ULONG flags;   /* SEC_WINNT_AUTH_IDENTITY_ bits as given */
    bool extended; /* the EX form or the EX2 form */
    bool ansi;     /* the form of all texts; UTF-16 otherwise */
    struct slice user, domain, password;
    struct slice package_list; /* "Kerberos,!NTLM"; of the extended forms only */
    struct slice packed;       /* of the EX2 form: in place of a password */
    uint8_t *opened;           /* what packed was decrypted to */
    size_t opened_size;
};

/*
 * Finds the parts and looks into no secret: of the EX2 form, packed is set and password is not.
 * auth_data NULL leaves everything out. SEC_E_UNKNOWN_CREDENTIALS, with *out untouched, for what is
 * none of the three forms, and for text that is out of bounds. Nothing to clear.
 */
status_t authdata_read(const void *auth_data, struct authdata *out);

/*
 * The same with the password, decrypted where SspiEncryptAuthIdentity has encrypted it. On success
 * the caller clears *out. SEC_E_UNKNOWN_CREDENTIALS also for packed credentials other than a
 * password, and for an identity that was encrypted elsewhere.
 */
status_t authdata_parse(const void *auth_data, struct authdata *out);

/* Wipes what was decrypted; the password is gone then. */
void authdata_clear(struct authdata *data);

/* One of the texts as UTF-16, with a terminator that *length does not count; UTF-16 text is
 * copied as it is, valid or not. SEC_E_UNKNOWN_CREDENTIALS when it does not fit. The caller wipes
 * what held a password, after a failure too. */
status_t authdata_text(const struct authdata *data, struct slice text, wchar_t *out,
                       size_t capacity, size_t *length);

/* The package list in memory of malloc, terminated; NULL when none was given. */
status_t authdata_package_list(const struct authdata *data, wchar_t **out);

/*
 * The key under which identities with these SEC_WINNT_AUTH_IDENTITY_FLAGS_ are encrypted in this
 * process, and by the logon session that the calling thread acts for; the caller wipes it.
 * SEC_E_UNSUPPORTED_FUNCTION for USER_PROTECTED and for none.
 */
status_t authdata_key(ULONG flags, struct identity_key *out);
