/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What only a client's handshake has: the server's name, a session to resume, and the question of
 * a certificate. The library of the host cannot wait for the answer in the middle of a flight, so
 * that of a client without a certificate is looked at before the library gets it, and the record
 * with the server's CertificateRequest (RFC 5246 7.4.4, RFC 8446 4.3.2) is kept from it until the
 * application has been asked.
 *
 * By default a certificate of the user's is taken without asking; SCH_CRED_NO_DEFAULT_CREDS and
 * ISC_REQ_USE_SUPPLIED_CREDS prevent that (Microsoft: SCHANNEL_CRED, Performing Authentication
 * Using Schannel). An application that has been asked and brings none goes on without.
 */
#include "schannel_package.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("schannel");

#define MTU_USUAL 1096u     /* SecBuffer: the default of SECBUFFER_DTLS_MTU */
#define SERVER_NAME_MAX 255 /* of a host name (RFC 1035 2.3.4) */

/* ---- the beginning ---- */

/* An address is no name (RFC 6066 3). */
static bool is_address(const wchar_t *name)
{
    size_t dots = 0;
    if (wcschr(name, ':')) return true;
    for (; *name; name++) {
        if (*name == '.') dots++;
        else if (*name < '0' || *name > '9') return false;
    }
    return dots == 3;
}

/* What the server is told of the target, in UTF-8; without the dot of the root (RFC 6066 3). */
static struct slice server_name(const wchar_t *target, char room[SERVER_NAME_MAX + 1])
{
    if (!target || is_address(target)) return (struct slice){NULL, 0};
    int size = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, target, -1, room,
                                   SERVER_NAME_MAX + 1, NULL, NULL);
    size_t length = size > 0 ? (size_t)size - 1 : 0;
    if (length && room[length - 1] == '.') length--;
    return (struct slice){(const uint8_t *)room, length};
}

/* With a terminator, which a name of the host's strings may lack. */
static status_t copy_name(struct context *context, struct slice target)
{
    if (!target.size) return SEC_E_OK;
    context->connection.name = calloc(1, target.size + sizeof(wchar_t));
    if (!context->connection.name) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(context->connection.name, target.data, target.size);
    return SEC_E_OK;
}

static void note_wishes(struct context *context, const struct leg *leg)
{
    const struct credential *credential = context->credential;
    context->datagram = leg->requirements & ISC_REQ_DATAGRAM;
    context->mtu = leg->mtu ? leg->mtu : MTU_USUAL;
    context->manual = leg->deferred || leg->requirements & ISC_REQ_MANUAL_CRED_VALIDATION ||
                      credential->flags & SCH_CRED_MANUAL_CRED_VALIDATION;
    context->flight_watched = !credential->certificate_count;
}

/* RFC 8446 4.2.6. The library cannot wait for a certificate then either. */
static bool may_show_later(const struct context *context, const struct leg *leg)
{
    const struct credential *credential = context->credential;
    return credential->certificate_count && credential->renegotiates && !leg->not_late &&
           !context->datagram;
}

status_t client_start(struct context *context, const struct leg *leg)
{
    char room[SERVER_NAME_MAX + 1];
    struct resumption former = {{NULL, 0}, {NULL, 0}};
    struct schannel_call_session_create call = {.alpn = unixcall_slice(leg->alpn)};
    note_wishes(context, leg);
    if (context->datagram) call.flags |= CALL_SESSION_DATAGRAM;
    if (may_show_later(context, leg)) call.flags |= CALL_SESSION_LATE_CERTIFICATE;
    call.mtu = context->mtu;
    status_t status = copy_name(context, leg->target);
    if (status_ok(status))
        status = credential_library(context->credential, context->datagram, &call.credentials);
    if (!status_ok(status)) return status;
    const wchar_t *name = context->connection.name;
    call.server_name = unixcall_slice(server_name(name, room));
    if (context_resumable(context) && resume_take(context->credential, name, &former))
        call.resume = unixcall_slice(blob_slice(&former.data));
    status = library_call(SCHANNEL_CALL_SESSION_CREATE, &call);
    if (status_ok(status)) context->library = call.session;
    else WARN("no session: status %#lx: %s\n", (ULONG)status, call.why);
    context->shown = former.shown;
    blob_clear(&former.data);
    return status;
}

/* ---- the question of a certificate ---- */

static status_t set_credential(struct context *context, struct credential *credential)
{
    struct schannel_call_set_credentials call = {.session = context->library};
    status_t status = credential_library(credential, context->datagram, &call.credentials);
    if (status_ok(status)) status = context_reserve_credential(context);
    if (status_ok(status)) status = library_call(SCHANNEL_CALL_SET_CREDENTIALS, &call);
    if (status_ok(status)) context_change_credential(context, credential);
    return status;
}

/* Once in a handshake: the library is past the question then. */
status_t client_change_credential(struct context *context, struct credential *credential)
{
    if (!credential || credential == context->credential || !credential->certificate_count)
        return SEC_E_OK;
    if (credential->server) return SEC_E_NO_CREDENTIALS;
    status_t status = set_credential(context, credential);
    if (status_ok(status)) context->certificate_refused = false;
    return status;
}

static bool default_allowed(const struct context *context, const struct leg *leg)
{
    return !(leg->requirements & ISC_REQ_USE_SUPPLIED_CREDS) &&
           !(context->credential->flags & SCH_CRED_NO_DEFAULT_CREDS);
}

static bool take_default(struct context *context, const struct leg *leg)
{
    struct credential *credential = NULL;
    if (!default_allowed(context, leg)) return false;
    status_t status = default_credential(context->credential, blob_slice(&context->issuers),
                                         &credential);
    if (status_ok(status)) status = set_credential(context, credential);
    credential_release(credential);
    return status_ok(status);
}

/* ---- looking ahead ---- */

/* Whether it is known how the rest of the flight is to be read. */
static bool is_settled(const struct context *context)
{
    return context->version && (context->version != TLS_1_3 || context->flight.encrypted);
}

static bool is_filled(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i]) return true;
    return false;
}

/* After a ServerHello. One that asks for another ClientHello (RFC 8446 4.1.4) settles nothing. */
static status_t learn(struct context *context)
{
    struct schannel_call_secrets secrets = {.session = context->library};
    status_t status = library_call(SCHANNEL_CALL_SECRETS, &secrets);
    if (!status_ok(status)) return status;
    const struct tls_suite *suite = tls_suite_find((uint16_t)secrets.suite);
    context->version = (uint16_t)secrets.version;
    if (context->version == TLS_1_3 && suite && secrets.secret_size <= CALL_SECRET_MAX &&
        is_filled(secrets.server_handshake, secrets.secret_size))
        status = tls_flight_decrypt(&context->flight, suite,
                                    (struct slice){secrets.server_handshake, secrets.secret_size});
    secret_wipe(&secrets, sizeof(secrets));
    return status;
}

/* From a ChangeCipherSpec of TLS 1.2 on nothing can be read, and nothing is asked. */
static bool is_over(const struct context *context, struct slice record)
{
    return record.data[0] == TLS_CHANGE_CIPHER_SPEC && is_settled(context) &&
           context->version != TLS_1_3;
}

/* Goes over records up to the one with the request, or up to one after which the library has to be
 * asked how to go on. Returns the size of those in front of that point. */
static size_t look_ahead(struct context *context, struct slice records, bool *requested)
{
    size_t at = 0;
    *requested = false;
    while (at < records.size) {
        struct slice record = first_record(slice_rest(records, at));
        if (is_over(context, record)) {
            context->flight_watched = false;
            return records.size;
        }
        status_t status = tls_flight_record(&context->flight, record, requested);
        if (status_ok(status) && *requested) return at;
        at += record.size;
        if (!is_settled(context) && record.data[0] == TLS_HANDSHAKE) return at;
    }
    return at;
}

/* The same over datagrams, where the library is told nothing but the version in between. */
static size_t look_into_datagram(struct context *context, struct slice datagram, bool *requested)
{
    size_t at = 0;
    struct slice record;
    *requested = false;
    do {
        record = tls_datagram_record(slice_rest(datagram, at));
        status_t status = SEC_E_OK;
        if (record.size) status = tls_flight_datagram(&context->flight, record, requested);
        if (status_ok(status) && *requested) return at;
        at += record.size;
    } while (record.size);
    return datagram.size;
}

/* A program that wants its own credentials to be used goes on with them, as curl does. Wine's
 * WinHTTP and WinINet do not know the question; they are told by their wish for a session key,
 * which no other program has for TLS. */
static bool can_be_asked(const struct leg *leg)
{
    return !(leg->requirements & (ISC_REQ_USE_SUPPLIED_CREDS | ISC_REQ_USE_SESSION_KEY));
}

bool client_asked(struct context *context, const struct leg *leg, struct slice records)
{
    struct slice names;
    /* In one record with the ServerHello it comes before that is known; but then it is in clear,
     * and the record has the version. */
    struct reader r;
    reader_init(&r, records.data, records.size);
    reader_skip(&r, 1);
    uint16_t version = reader_u16be(&r);
    if (context->version) version = context->version;
    status_t status = tls_flight_issuers(&context->flight, version, &names);
    if (status_ok(status)) status = blob_set(&context->issuers, names);
    context->flight_watched = false;
    if (!status_ok(status)) TRACE("the server's request cannot be read: %#lx\n", (ULONG)status);
    TRACE("the server asks for a certificate\n");
    if (take_default(context, leg) || !can_be_asked(leg)) return false;
    context->certificate_refused = true;
    return true;
}

status_t client_feed(struct context *context, struct leg *leg, struct slice records,
                     uint32_t *event)
{
    *event = CALL_EVENT_INPUT;
    while (context->flight_watched && records.size) {
        bool requested;
        size_t size = context->datagram ? look_into_datagram(context, records, &requested)
                                        : look_ahead(context, records, &requested);
        status_t status = SEC_E_OK;
        if (size) status = handshake_feed(context, leg, (struct slice){records.data, size}, event);
        if (!status_ok(status) || *event == CALL_EVENT_DONE) return status;
        records = slice_rest(records, size);
        if (requested && client_asked(context, leg, records)) {
            *event = FEED_CERTIFICATE;
            return SEC_E_OK;
        }
        if (!is_settled(context)) status = learn(context);
        if (!status_ok(status)) return context_fail(context, status);
        if (!records.size) return SEC_E_OK;
    }
    return handshake_feed(context, leg, records, event);
}
