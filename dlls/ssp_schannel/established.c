/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a handshake: keys, sequence numbers and facts are taken over from the library of the
 * host, whose session goes as soon as nothing needs it. It may stay for another handshake of TLS
 * 1.2, and in TLS 1.3 for a late certificate that the client has offered; a client of TLS 1.3 keeps
 * it until it has been sent a ticket (all: kept.c).
 */
#include "schannel_package.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("schannel");

/* ---- keys ---- */

static void fill_direction(struct tls_direction *out, const uint8_t *key, const uint8_t *iv,
                           const uint8_t *secret, uint64_t sequence)
{
    out->sequence = sequence;
    memcpy(out->key, key, sizeof(out->key));
    memcpy(out->iv, iv, sizeof(out->iv));
    memcpy(out->secret, secret, sizeof(out->secret));
}

/* Of a connection whose records are the library's there are the secrets only. */
static status_t start_session(struct context *context, const struct schannel_call_secrets *secrets,
                              uint32_t limit)
{
    struct tls_session session = {
        .version = context->version == DTLS_1_2 ? TLS_1_2 : context->version, /* the PRF's */
        .suite = tls_suite_find(context->suite),
        .server = context->server,
        .extended_master_secret = secrets->extended_master_secret,
        .limit = (uint16_t)limit,
        .has_finished = secrets->finished_size == sizeof(secrets->finished),
    };
    fill_direction(&session.send, secrets->send_key, secrets->send_iv, secrets->send_secret,
                   secrets->send_sequence);
    fill_direction(&session.receive, secrets->receive_key, secrets->receive_iv,
                   secrets->receive_secret, secrets->receive_sequence);
    memcpy(session.master, secrets->master, sizeof(session.master));
    memcpy(session.client_random, secrets->client_random, sizeof(session.client_random));
    memcpy(session.server_random, secrets->server_random, sizeof(session.server_random));
    memcpy(session.finished, secrets->finished, sizeof(session.finished));
    status_t status = context->carried ? tls_session_start(&session) : SEC_E_OK;
    if (status_ok(status)) {
        tls_session_clear(&context->session);
        context->session = session;
    } else {
        tls_session_clear(&session);
    }
    secret_wipe(&session, sizeof(session));
    return status;
}

/* ---- facts ---- */

/* What the client has asked for by name; an empty name is none. */
static status_t take_name(struct connection *connection, const char *name)
{
    int length = MultiByteToWideChar(CP_UTF8, 0, name, -1, NULL, 0);
    if (length <= 1) return SEC_E_OK;
    wchar_t *wide = calloc((size_t)length, sizeof(*wide));
    if (!wide) return SEC_E_INSUFFICIENT_MEMORY;
    MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, length);
    free(connection->name);
    connection->name = wide;
    return SEC_E_OK;
}

status_t context_take_chains(struct context *context)
{
    struct connection *connection = &context->connection;
    const struct {
        enum call_read what;
        struct blob *place;
    } rows[] = {
        {CALL_READ_PEER_CHAIN, &connection->peer_chain},
        {CALL_READ_LOCAL_CHAIN, &connection->local_chain},
        {CALL_READ_STAPLE, &connection->staple},
        {CALL_READ_ISSUERS, &context->issuers},
    };
    struct blob read[ARRAYSIZE(rows)] = {0};
    status_t status = SEC_E_OK;
    for (size_t i = 0; i < ARRAYSIZE(rows) && status_ok(status); i++)
        status = library_read(context->library, rows[i].what, &read[i]);
    for (size_t i = 0; i < ARRAYSIZE(rows) && status_ok(status); i++) {
        blob_clear(rows[i].place);
        *rows[i].place = read[i];
        read[i] = (struct blob){NULL, 0};
    }
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) blob_clear(&read[i]);
    return status;
}

/* A resumed session goes on with what its client has shown, which the library does not know. It
 * offers the same session in each handshake of the connection. */
static status_t take_shown(struct context *context)
{
    struct connection *connection = &context->connection;
    if (!connection->resumed || connection->local_chain.size) return SEC_E_OK;
    return blob_set(&connection->local_chain, blob_slice(&context->shown));
}

static status_t take_facts(struct context *context, const struct schannel_call_facts *facts)
{
    struct connection *connection = &context->connection;
    if (facts->alpn_size > sizeof(connection->alpn) ||
        facts->session_id_size > sizeof(connection->session_id))
        return SEC_E_INTERNAL_ERROR;
    connection->resumed = facts->resumed;
    connection->group = (uint16_t)facts->group;
    connection->group_bits = facts->group_bits;
    connection->signature = (uint16_t)facts->signature;
    connection->alpn_size = (uint8_t)facts->alpn_size;
    memcpy(connection->alpn, facts->alpn, facts->alpn_size);
    connection->session_id_size = (uint8_t)facts->session_id_size;
    memcpy(connection->session_id, facts->session_id, facts->session_id_size);
    context->record_header = facts->record_header;
    context->record_trailer = facts->record_trailer;
    context->late_certificate = facts->late_certificate;
    return context->server ? take_name(connection, facts->server_name) : SEC_E_OK;
}

static status_t take_connection(struct context *context, const struct schannel_call_facts *facts)
{
    status_t status = take_facts(context, facts);
    if (status_ok(status)) status = context_take_chains(context);
    return status_ok(status) ? take_shown(context) : status;
}

/* ---- resumption ---- */

/* What was judged by the application may not serve a connection that is not, so a credential keeps
 * sessions of one kind only, and none that began with another credential, which may have judged
 * the server by other flags and roots. */
bool context_resumable(const struct context *context)
{
    const struct credential *credential = context->credential;
    if (context->server || context->datagram || context->unresumable || !credential) return false;
    if (context->former_count) return false;
    if (!context->connection.name || credential->flags & SCH_CRED_DISABLE_RECONNECTS) return false;
    return context->manual == !!(credential->flags & SCH_CRED_MANUAL_CRED_VALIDATION);
}

void context_store_resumption(struct context *context)
{
    const struct connection *connection = &context->connection;
    struct resumption made = {{NULL, 0}, {NULL, 0}};
    status_t status = library_read(context->library, CALL_READ_RESUMPTION, &made.data);
    if (status_ok(status)) status = blob_set(&made.shown, blob_slice(&connection->local_chain));
    if (!context->owner) context->owner = resume_owner();
    if (status_ok(status) && made.data.size)
        resume_store(context->credential, connection->name, context->owner, &made);
    resumption_clear(&made);
}

/* ---- all ---- */

static bool library_stays(struct context *context, bool resumable)
{
    bool another = renegotiation_possible(context) || late_possible(context);
    if (!context->carried || (another && library_keep(context))) return true;
    return context->version >= TLS_1_3 && resumable && library_keep_for_ticket(context);
}

static void settle_library(struct context *context)
{
    bool resumable = context_resumable(context);
    if (resumable && context->version < TLS_1_3) context_store_resumption(context);
    if (!library_stays(context, resumable)) context_drop_library(context);
}

status_t context_establish(struct context *context, struct leg *leg, bool declined)
{
    struct schannel_call_secrets secrets = {.session = context->library};
    struct schannel_call_facts facts = {.session = context->library};
    status_t status = library_call(SCHANNEL_CALL_SECRETS, &secrets);
    if (status_ok(status)) status = library_call(SCHANNEL_CALL_FACTS, &facts);
    if (status_ok(status) && !secrets.established) status = SEC_E_INTERNAL_ERROR;
    /* The library asks for a verdict; where it has not, there was no handshake that counts. */
    if (status_ok(status) && !context->server && !context->judged && !facts.resumed)
        status = SEC_E_INTERNAL_ERROR;
    if (!status_ok(status)) goto done;
    context->version = (uint16_t)secrets.version;
    context->suite = (uint16_t)secrets.suite;
    const struct tls_suite *suite = tls_suite_find(context->suite);
    context->carried = !context->datagram && !facts.library_records && suite &&
                       tls_suite_is_carried(suite, context->version);
    /* The library may have been given another certificate for a handshake that there was not. */
    if (!declined) status = take_connection(context, &facts);
    if (status_ok(status)) status = start_session(context, &secrets, facts.record_limit);
    if (!status_ok(status)) goto done;
    if (context->version == TLS_1_3) leg->secrets = &context->session;
    context->stage = STAGE_ESTABLISHED;
    context->renegotiating = false;
    context->flight_watched = false;
    tls_flight_clear(&context->flight);
    tls_flight_init(&context->flight);
    settle_library(context);
    TRACE("version %#x, suite %#x (%s), %s, %s\n", context->version, context->suite,
          suite ? suite->name : "unknown", context->connection.resumed ? "resumed" : "new",
          context->carried ? "records are made here" : "the library makes the records");
done:
    if (!status_ok(status))
        WARN("nothing is taken over: status %#lx, established %u, judged %d, resumed %u\n",
             (ULONG)status, secrets.established, context->judged, facts.resumed);
    secret_wipe(&secrets, sizeof(secrets));
    return status;
}
