/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of the package Kerberos: the structures of ntsecapi.h. */
#include "core/kerberos_lsa.h"

#include <string.h>

static struct slice find(struct lsa_reader *lsa, struct lsa_text text)
{
    return lsa_reader_find(lsa, text, LSA_WIDE);
}

/* ---- log-ons ---- */

/* KERB_INTERACTIVE_LOGON, and KERB_INTERACTIVE_UNLOCK_LOGON that has the log-on's id behind it. */
static void read_interactive(struct lsa_reader *lsa, struct kerb_logon *out)
{
    struct lsa_text domain = lsa_reader_text(lsa), user = lsa_reader_text(lsa);
    struct lsa_text password = lsa_reader_text(lsa);
    if (out->kind == KERB_LOGON_UNLOCK) reader_skip(&lsa->r, 8);
    out->domain = find(lsa, domain);
    out->user = find(lsa, user);
    out->password = find(lsa, password);
}

static void read_s4u(struct lsa_reader *lsa, struct kerb_logon *out)
{
    out->flags = reader_u32le(&lsa->r);
    struct lsa_text user = lsa_reader_text(lsa), realm = lsa_reader_text(lsa);
    out->user = find(lsa, user);
    out->domain = find(lsa, realm);
}

status_t kerb_logon_decode(const struct lsa_buffer *buffer, struct kerb_logon *out)
{
    struct lsa_reader lsa;
    struct kerb_logon logon;
    memset(&logon, 0, sizeof(logon));
    lsa_reader_init(&lsa, buffer);
    logon.kind = reader_u32le(&lsa.r);
    if (!reader_ok(&lsa.r)) return SEC_E_INVALID_PARAMETER;
    switch (logon.kind) {
    case KERB_LOGON_INTERACTIVE:
    case KERB_LOGON_UNLOCK: read_interactive(&lsa, &logon); break;
    case KERB_LOGON_S4U: read_s4u(&lsa, &logon); break;
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = logon;
    return status;
}

/* ---- tickets ---- */

/* A LUID, behind the kind of the message. */
static void open_session(struct lsa_reader *lsa, const struct lsa_buffer *buffer,
                         struct kerb_session *out)
{
    lsa_reader_init(lsa, buffer);
    reader_skip(&lsa->r, 4);
    out->low = reader_u32le(&lsa->r);
    out->high = reader_u32le(&lsa->r);
}

/* KERB_QUERY_TKT_CACHE_REQUEST */
status_t kerb_session_decode(const struct lsa_buffer *buffer, struct kerb_session *out)
{
    struct lsa_reader lsa;
    struct kerb_session session;
    open_session(&lsa, buffer, &session);
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = session;
    return status;
}

/* A SecHandle; those of another process, and of a 32-bit one at that, mean nothing here. */
static void skip_handle(struct lsa_reader *lsa)
{
    lsa_reader_pointer(lsa);
    lsa_reader_pointer(lsa);
}

status_t kerb_retrieve_decode(const struct lsa_buffer *buffer, struct kerb_retrieve *out)
{
    struct lsa_reader lsa;
    struct kerb_retrieve request;
    open_session(&lsa, buffer, &request.session);
    struct lsa_text target = lsa_reader_text(&lsa);
    request.ticket_flags = reader_u32le(&lsa.r);
    request.options = reader_u32le(&lsa.r);
    request.enctype = (int32_t)reader_u32le(&lsa.r);
    skip_handle(&lsa);
    request.target = find(&lsa, target);
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = request;
    return status;
}

status_t kerb_purge_decode(const struct lsa_buffer *buffer, struct kerb_purge *out)
{
    struct lsa_reader lsa;
    struct kerb_purge request;
    memset(&request, 0, sizeof(request));
    open_session(&lsa, buffer, &request.session);
    struct lsa_text server = lsa_reader_text(&lsa), realm = lsa_reader_text(&lsa);
    request.server = find(&lsa, server);
    request.realm = find(&lsa, realm);
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = request;
    return status;
}

/* With a KERB_TICKET_CACHE_INFO_EX; its times make it stand where 8 bytes may, with either width of
 * pointers. */
status_t kerb_purge_ex_decode(const struct lsa_buffer *buffer, struct kerb_purge *out)
{
    struct lsa_reader lsa;
    struct kerb_purge request;
    open_session(&lsa, buffer, &request.session);
    request.flags = reader_u32le(&lsa.r);
    lsa_reader_align(&lsa, 8);
    struct lsa_text client = lsa_reader_text(&lsa), client_realm = lsa_reader_text(&lsa);
    struct lsa_text server = lsa_reader_text(&lsa), realm = lsa_reader_text(&lsa);
    reader_skip(&lsa.r, 3 * 8 + 2 * 4); /* times, EncryptionType, TicketFlags */
    request.client = find(&lsa, client);
    request.client_realm = find(&lsa, client_realm);
    request.server = find(&lsa, server);
    request.realm = find(&lsa, realm);
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = request;
    return status;
}

/* A part that is named by its offset, whatever the width. */
static struct slice part(struct lsa_reader *lsa, uint32_t offset, uint32_t size)
{
    if (size && offset < lsa->r.pos) reader_fail(&lsa->r);
    return size ? reader_window(&lsa->r, offset, size) : (struct slice){NULL, 0};
}

status_t kerb_submit_decode(const struct lsa_buffer *buffer, struct kerb_submit *out)
{
    struct lsa_reader lsa;
    struct kerb_submit request;
    open_session(&lsa, buffer, &request.session);
    request.flags = reader_u32le(&lsa.r);
    request.key_enctype = (int32_t)reader_u32le(&lsa.r);
    uint32_t key_size = reader_u32le(&lsa.r), key_offset = reader_u32le(&lsa.r);
    uint32_t size = reader_u32le(&lsa.r), offset = reader_u32le(&lsa.r);
    request.key = part(&lsa, key_offset, key_size);
    request.message = part(&lsa, offset, size);
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = request;
    return status;
}

/* ---- passwords ---- */

static status_t set_decode(const struct lsa_buffer *buffer, bool ex, struct kerb_password_set *out)
{
    struct lsa_reader lsa;
    struct kerb_password_set set;
    struct lsa_text client_realm = {0, 0}, client = {0, 0};
    open_session(&lsa, buffer, &set.session);
    skip_handle(&lsa);
    set.flags = reader_u32le(&lsa.r);
    struct lsa_text realm = lsa_reader_text(&lsa), user = lsa_reader_text(&lsa);
    struct lsa_text password = lsa_reader_text(&lsa);
    if (ex) {
        client_realm = lsa_reader_text(&lsa);
        client = lsa_reader_text(&lsa);
        reader_skip(&lsa.r, 1); /* Impersonating */
        lsa_reader_text(&lsa);  /* KdcAddress */
        reader_skip(&lsa.r, 4); /* KdcAddressType */
    }
    set.realm = find(&lsa, realm);
    set.user = find(&lsa, user);
    set.password = find(&lsa, password);
    set.client_realm = find(&lsa, client_realm);
    set.client = find(&lsa, client);
    status_t status = lsa_reader_status(&lsa);
    if (status_ok(status)) *out = set;
    return status;
}

status_t kerb_password_set_decode(const struct lsa_buffer *buffer, struct kerb_password_set *out)
{
    return set_decode(buffer, false, out);
}

status_t kerb_password_set_ex_decode(const struct lsa_buffer *buffer, struct kerb_password_set *out)
{
    return set_decode(buffer, true, out);
}
