/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What programs give to the package Kerberos in LsaLogonUser and LsaCallAuthenticationPackage: the
 * KERB_ structures of ntsecapi.h. */
#pragma once

#include "core/lsa_buffer.h"

/* KERB_LOGON_SUBMIT_TYPE, as far as it is read here */
enum kerb_logon_kind {
    KERB_LOGON_INTERACTIVE = 2,
    KERB_LOGON_UNLOCK = 7,
    KERB_LOGON_S4U = 12,
};

/* What decodes borrows from the buffer. Texts are UTF-16LE, of whole units. */
struct kerb_logon {
    uint32_t kind;
    struct slice user, domain; /* of S4U the client's UPN and realm */
    struct slice password;     /* not with S4U */
    uint32_t flags;            /* with S4U */
};

/* Whose tickets are meant: a log-on, zero for the caller's own. */
struct kerb_session {
    uint32_t low, high;
};

/* KERB_RETRIEVE_TKT_REQUEST; the options are the header's KERB_RETRIEVE_TICKET_ bits. */
struct kerb_retrieve {
    struct kerb_session session;
    struct slice target;
    uint32_t ticket_flags, options;
    int32_t enctype;
};

/* KERB_PURGE_TKT_CACHE_REQUEST, and KERB_PURGE_TKT_CACHE_EX_REQUEST of which no more counts: the
 * client's name and realm, too, and with KERB_PURGE_ALL_TICKETS none of all. */
struct kerb_purge {
    struct kerb_session session;
    uint32_t flags;
    struct slice server, realm, client, client_realm;
};

/* KERB_SUBMIT_TKT_REQUEST; the message is a KRB-CRED (RFC 4120 5.8). */
struct kerb_submit {
    struct kerb_session session;
    uint32_t flags;
    int32_t key_enctype;
    struct slice key, message;
};

/* KERB_SETPASSWORD_REQUEST and KERB_SETPASSWORD_EX_REQUEST, of which the address of the KDC is left
 * out; the flags are the header's KERB_SETPASS_USE_ bits. */
struct kerb_password_set {
    struct kerb_session session;
    uint32_t flags;
    struct slice realm, user, password;
    struct slice client_realm, client; /* with the latter */
};

/* SEC_E_INVALID_PARAMETER, with *out untouched, for a buffer that is too short or has a part
 * elsewhere; logon_decode answers SEC_E_UNSUPPORTED_FUNCTION for another kind of log-on. The
 * others leave it to the caller to have looked at the kind. */
status_t kerb_logon_decode(const struct lsa_buffer *buffer, struct kerb_logon *out);
status_t kerb_session_decode(const struct lsa_buffer *buffer, struct kerb_session *out);
status_t kerb_retrieve_decode(const struct lsa_buffer *buffer, struct kerb_retrieve *out);
status_t kerb_purge_decode(const struct lsa_buffer *buffer, struct kerb_purge *out);
status_t kerb_purge_ex_decode(const struct lsa_buffer *buffer, struct kerb_purge *out);
status_t kerb_submit_decode(const struct lsa_buffer *buffer, struct kerb_submit *out);
status_t kerb_password_set_decode(const struct lsa_buffer *buffer, struct kerb_password_set *out);
status_t kerb_password_set_ex_decode(const struct lsa_buffer *buffer,
                                     struct kerb_password_set *out);
