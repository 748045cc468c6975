/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of an exported Kerberos context: what is known of the peers, then the session
 * (kerberos_session_write). Versioned, little endian, the same on 32 and 64 bit.
 */
#pragma once

#include "core/kerberos.h"

#define KERBEROS_BODY_NAME_CHARS 1024u /* of any name, the zero at its end not included */
#define KERBEROS_BODY_GROUPS_MAX 65536u

/* Borrowed from whoever made it, or from the bytes that were read. Names are UTF-16LE without a
 * zero, and empty when they are not known. */
struct kerberos_body {
    uint32_t attributes;          /* ISC_RET or ASC_RET bits */
    uint32_t ticket_enctype;      /* of the session key of the ticket */
    struct slice session_key;     /* what SECPKG_ATTR_SESSION_KEY tells */
    uint64_t start, expiry;       /* FILETIME, UTC; 0 for none */
    struct slice client, server;  /* principals: name@REALM */
    struct slice target;          /* client: as the application named it */
    struct slice account, domain; /* server: the client as its account is called */
    struct slice pac;             /* server: the KERB_VALIDATION_INFO of the ticket, if any */
};

bool kerberos_body_fits(const struct kerberos_body *body);

void kerberos_body_write(const struct kerberos_body *body, const struct kerberos_session *session,
                         bool reset, struct writer *w);

/* Takes all of the bytes, or answers SEC_E_INVALID_TOKEN for what kerberos_body_write cannot have
 * written. The caller clears the session after a success. */
status_t kerberos_body_read(struct slice bytes, struct kerberos_body *body,
                            struct kerberos_session *session);
