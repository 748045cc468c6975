/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens of user-to-user authentication (draft-swift-win2k-krb-user2user-03, RFC 4120 3.7): a
 * server without a key of its own hands out its user's ticket-granting ticket, and a client has the
 * KDC make a ticket under the session key of that. What is read borrows from what it is read from.
 */
#pragma once

#include "core/kerberos_ticket.h"

/* What is in the frame (RFC 2743 3.1): RFC 4121 4.1, and section 4 of the draft. */
enum kerberos_user_kind {
    KERBEROS_USER_AP_REQ = 0x0100,
    KERBEROS_USER_AP_REP = 0x0200,
    KERBEROS_USER_ERROR = 0x0300,
    KERBEROS_USER_TGT_REQUEST = 0x0400,
    KERBEROS_USER_TGT_REPLY = 0x0401,
};

/* Whether a token names the mechanism (1.2.840.113554.1.2.2.3); it may be damaged otherwise. */
bool kerberos_user_is_token(struct slice token);

void kerberos_user_token_write(struct writer *w, enum kerberos_user_kind kind,
                               struct slice message);
/* SEC_E_INVALID_TOKEN for what is no such token, or of another kind. */
status_t kerberos_user_token_read(struct slice token, enum kerberos_user_kind *kind,
                                  struct slice *message);

/* KERB-TGT-REQUEST: which server is meant, by a name and a realm that may both be left out. */
void kerberos_user_request_write(struct writer *w, const struct kerberos_name *server);
/* The realm alone, which is empty when it was left out: a name of a service says nothing about the
 * user that it runs as. */
status_t kerberos_user_request_read(struct slice message, struct slice *realm);

/* KERB-TGT-REPLY: a Ticket as it is encoded. */
struct kerberos_user_reply {
    struct slice ticket;
    struct slice realm;    /* whose KDC has issued it */
    struct slice granting; /* for which it grants tickets; empty for the ticket of a service */
};
void kerberos_user_reply_write(struct writer *w, struct slice ticket);
status_t kerberos_user_reply_read(struct slice message, struct kerberos_user_reply *out);

/* The checksum 0x8003 in an authenticator (RFC 4121 4.1.1), without a delegated ticket. */
#define KERBEROS_CHECKSUM 0x8003u
struct kerberos_user_checksum {
    uint8_t bindings[16]; /* of the channel; zeros without */
    uint32_t flags;       /* GSS_C_ of RFC 4121 4.1.1.1 */
};
void kerberos_user_checksum_write(struct writer *w, const struct kerberos_user_checksum *checksum);
/* What follows, a ticket or extensions, is left out. */
status_t kerberos_user_checksum_read(struct slice bytes, struct kerberos_user_checksum *out);
