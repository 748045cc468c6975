/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of an exchange: what is known of the peers, and the keys, are taken over from the library
 * of the host, whose context goes then. Only where the encryption type is not known here it stays,
 * for the messages.
 *
 * A server calls its client by the names of the account where its own KDC says them (MS-PAC 2.5).
 * Elsewhere the realm, as a whole, stands in the place of the domain: of two realms the first
 * labels can be the same.
 */
#include "kerberos_package.h"

#include "core/pac.h"
#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("kerberos");

#define UNIX_EPOCH 11644473600u /* 1970 in seconds since 1601 */
#define SECOND 10000000u        /* of a FILETIME */
#define USUAL_PAC 2048u

uint64_t time_from_unix(uint64_t seconds)
{
    return seconds ? (seconds + UNIX_EPOCH) * SECOND : 0;
}

/* ---- facts ---- */

static status_t facts_call(struct context *context, struct kerberos_call_facts *call,
                           struct blob *pac)
{
    *call = (struct kerberos_call_facts){
        .context = context->library,
        .pac = unixcall_address(pac->data),
        .pac_room = pac->size,
    };
    return library_call(KERBEROS_CALL_FACTS, call);
}

/* *pac has its room first, and then its size. */
static status_t facts_fetch(struct context *context, struct kerberos_call_facts *call,
                            struct blob *pac)
{
    status_t status = facts_call(context, call, pac);
    if (status == SEC_E_BUFFER_TOO_SMALL && call->pac_size > pac->size) {
        uint8_t *room = malloc((size_t)call->pac_size);
        if (!room) return SEC_E_INSUFFICIENT_MEMORY;
        blob_clear(pac);
        *pac = (struct blob){room, (size_t)call->pac_size};
        status = facts_call(context, call, pac);
    }
    if (status_ok(status)) pac->size = (size_t)call->pac_size;
    return status;
}

static status_t name_take(const char *text, size_t size, size_t room, struct blob *out)
{
    if (size > room) return SEC_E_INTERNAL_ERROR;
    return utf16_make((struct slice){(const uint8_t *)text, size}, out);
}

/* A KDC says in a PAC what it likes. The server's own is believed; that of another realm might name
 * an account of this one. */
static bool pac_names_count(const struct facts *facts)
{
    struct slice client = principal_realm(blob_slice(&facts->client));
    struct slice server = principal_realm(blob_slice(&facts->server));
    return facts->pac.size && client.size && client.size == server.size &&
           !memcmp(client.data, server.data, client.size);
}

static status_t account_take(struct facts *facts)
{
    struct pac_logon logon;
    if (pac_names_count(facts) && status_ok(pac_logon_read(blob_slice(&facts->pac), &logon)) &&
        logon.account.size && logon.domain.size) {
        status_t status = blob_set(&facts->account, logon.account);
        return status_ok(status) ? blob_set(&facts->domain, logon.domain) : status;
    }
    return principal_split(blob_slice(&facts->client), &facts->account, &facts->domain);
}

static status_t facts_fill(struct facts *facts, bool server, const struct kerberos_call_facts *call,
                           struct blob *pac)
{
    if (call->key_size > sizeof(call->key)) return SEC_E_INTERNAL_ERROR;
    facts->ticket_enctype = call->key_enctype;
    facts->start = time_from_unix(call->start);
    facts->expiry = time_from_unix(call->expiry);
    status_t status = blob_set(&facts->session_key, (struct slice){call->key, call->key_size});
    if (status_ok(status))
        status = name_take(call->client, call->client_size, sizeof(call->client), &facts->client);
    if (status_ok(status))
        status = name_take(call->server, call->server_size, sizeof(call->server), &facts->server);
    if (!status_ok(status) || !server) return status;
    if (pac->size) {
        facts->pac = *pac;
        *pac = (struct blob){NULL, 0};
    }
    return account_take(facts);
}

static status_t facts_take(struct context *context)
{
    struct kerberos_call_facts call;
    struct blob pac = {NULL, 0};
    if (context->server) {
        pac.data = malloc(USUAL_PAC);
        if (!pac.data) return SEC_E_INSUFFICIENT_MEMORY;
        pac.size = USUAL_PAC;
    }
    status_t status = facts_fetch(context, &call, &pac);
    if (status_ok(status)) status = facts_fill(&context->facts, context->server, &call, &pac);
    secret_wipe(call.key, sizeof(call.key));
    blob_clear(&pac);
    return status;
}

/* ---- session ---- */

static uint32_t session_flags(const struct context *context)
{
    uint32_t flags = 0;
    if (context->attributes & ISC_RET_REPLAY_DETECT) flags |= KERBEROS_REPLAY;
    if (context->attributes & ISC_RET_SEQUENCE_DETECT) flags |= KERBEROS_SEQUENCE;
    if (context->attributes & ISC_RET_USED_DCE_STYLE) flags |= KERBEROS_DCE_STYLE;
    return flags;
}

static status_t session_start(struct context *context, const struct kerberos_call_session *call)
{
    if (call->key_size > sizeof(call->key)) return SEC_E_INTERNAL_ERROR;
    const struct kerberos_start start = {
        .initiator = !context->server,
        .acceptor_subkey = call->acceptor_subkey,
        .flags = session_flags(context),
        .enctype = call->enctype,
        .key = {call->key, call->key_size},
        .send_first = call->send_sequence,
        .receive_first = call->receive_sequence,
    };
    return kerberos_session_init(&context->session, &start);
}

static status_t session_take(struct context *context)
{
    struct kerberos_call_session call = {.context = context->library};
    status_t status = library_call(KERBEROS_CALL_SESSION, &call);
    call.why[sizeof(call.why) - 1] = 0;
    if (status == SEC_E_UNSUPPORTED_FUNCTION) {
        TRACE("messages stay with the library: %s\n", call.why);
        return SEC_E_OK;
    }
    if (status_ok(status)) status = session_start(context, &call);
    else WARN("no keys: status %#lx: %s\n", (ULONG)status, call.why);
    secret_wipe(&call, sizeof(call));
    if (!status_ok(status)) return status;
    context->carried = true;
    context_drop_library(context);
    return SEC_E_OK;
}

status_t context_establish(struct context *context, ULONG attributes)
{
    context->attributes = attributes;
    status_t status = facts_take(context);
    if (status_ok(status)) status = session_take(context);
    return status;
}
