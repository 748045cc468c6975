/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of an exported TLS context: what is known of the connection, then the session
 * (tls_session_write). Versioned, little endian, the same on 32 and 64 bit.
 */
#pragma once

#include "core/tls.h"

#define TLS_BODY_NAME_CHARS 1024u    /* of the peer's name, the zero at its end included */
#define TLS_BODY_LABEL_MAX 249u      /* RFC 8446 7.1: what is left for the label of an exporter */
#define TLS_BODY_MATERIAL_MAX 65536u /* bytes that it may be asked for */

/* Borrowed from whoever made it, or from the bytes that were read. */
struct tls_body {
    uint32_t attributes; /* ISC_RET or ASC_RET bits */
    bool resumed;
    bool close_sent, close_received;
    bool broken; /* by a fatal alert, or by a record that is none */
    uint16_t group, signature;
    uint32_t group_bits;
    struct slice alpn, session_id; /* up to 255 and 32 bytes */
    struct slice name;             /* UTF-16LE with its zero; empty without one */
    /* An exporter that was asked for: SECPKG_ATTR_KEYING_MATERIAL_INFO. */
    struct slice keying_label, keying_context;
    uint32_t keying_size;
    bool keying_has_context;
    struct slice app_data; /* SECPKG_ATTR_APP_DATA */
    uint32_t app_flags;
    struct slice peer_chain, local_chain; /* DER certificates, each behind a u24be length */
    struct slice staple;
    struct slice issuers; /* DER names of the server's request, each behind a u16be length */
    /* By what the peer's certificate is judged: SCH_CRED_ bits, and the roots that are left. */
    uint32_t judge_flags;
    struct slice roots; /* form as of a chain */
};

/* Whether the parts are such that tls_body_read takes them; who writes a body asks first. */
bool tls_body_fits(const struct tls_body *body);

void tls_body_write(const struct tls_body *body, const struct tls_session *session,
                    struct writer *w);

/* Takes all of the bytes, or answers SEC_E_INVALID_TOKEN for what tls_body_write cannot have
 * written. The caller clears the session after a success. */
status_t tls_body_read(struct slice bytes, struct tls_body *body, struct tls_session *session);

/* The next certificate of a chain; false at its end or where it is broken off. */
bool tls_chain_next(struct reader *chain, struct slice *certificate);

/* Whether a chain is whole: empty, or certificates to its end. */
bool tls_chain_valid(struct slice chain);

/* The same of issuers. */
bool tls_issuers_valid(struct slice names);
