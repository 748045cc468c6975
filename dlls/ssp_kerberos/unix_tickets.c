/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tickets of a cache of the host: what there is, tickets for services, tickets that come from
 * elsewhere, and their removal. By MIT's libkrb5; what it keeps in caches beside tickets
 * (krb5_cc_set_config) is nobody's business.
 */
#include "unix.h"

#include "core/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void tickets_close(struct tickets *tickets)
{
    if (tickets->client) krb5.free_principal(tickets->context, tickets->client);
    if (tickets->cache) krb5.cc_close(tickets->context, tickets->cache);
    if (tickets->context) krb5.free_context(tickets->context);
}

static status_t failed(const struct tickets *tickets, krb5_error_code error)
{
    return error_krb5(ERROR_OF_INITIATE, tickets->context, error, tickets->why);
}

/* A cache that is not there is empty; one that cannot be read must not be taken for that, or else
 * tickets that come from elsewhere would replace what it has. */
static status_t client_find(struct tickets *tickets)
{
    krb5_error_code error = krb5.cc_get_principal(tickets->context, tickets->cache,
                                                  &tickets->client);
    if (!error) return SEC_E_OK;
    tickets->client = NULL;
    return error == KRB5_FCC_NOFILE || error == KRB5_CC_NOTFOUND ? SEC_E_OK
                                                                 : failed(tickets, error);
}

status_t tickets_open(uint64_t credential, char why[CALL_WHY_SIZE], struct tickets *out)
{
    *out = (struct tickets){.why = why};
    if (!krb5_found)
        return error_say(SEC_E_UNSUPPORTED_FUNCTION, why, "there is no libkrb5 of MIT");
    if (krb5.init_context(&out->context))
        return error_say(SEC_E_INSUFFICIENT_MEMORY, why, "no context of the library");
    status_t status = credential_cache(credential, out->context, &out->cache, why);
    if (status_ok(status)) status = client_find(out);
    if (!status_ok(status)) tickets_close(out);
    return status;
}

/* ---- records ---- */

status_t tickets_name(struct writer *w, krb5_const_principal principal, struct kerberos_name *out)
{
    for (krb5_int32 i = 0; i < principal->length; i++) {
        size_t mark = writer_open_u16le(w);
        writer_slice(w, slice_of(&principal->data[i]));
        writer_close_u16le(w, mark);
    }
    *out = (struct kerberos_name){.type = (uint32_t)principal->type,
                                  .count = (uint32_t)principal->length,
                                  .parts = writer_view(w),
                                  .realm = slice_of(&principal->realm)};
    return writer_status(w);
}

/* Times of the library are 32 bits that go on until 2106. */
static uint64_t time_of(krb5_timestamp time)
{
    return (uint32_t)time;
}

/* The ticket itself says best whom it is for: a cache has it under the name that was asked for, of
 * which the realm may be open. */
static status_t record_write(struct writer *w, krb5_context context, const krb5_creds *creds,
                             bool secret)
{
    struct writer client, server;
    krb5_ticket *inner;
    struct kerberos_ticket ticket = {
        .authenticated = time_of(creds->times.authtime),
        .start = time_of(creds->times.starttime ? creds->times.starttime : creds->times.authtime),
        .end = time_of(creds->times.endtime),
        .renew_until = time_of(creds->times.renew_till),
        .flags = (uint32_t)creds->ticket_flags,
        .key_enctype = (uint32_t)creds->keyblock.enctype,
    };
    if (krb5.decode_ticket(&creds->ticket, &inner)) inner = NULL;
    writer_init(&client);
    writer_init(&server);
    status_t status = tickets_name(&client, creds->client, &ticket.client);
    if (status_ok(status))
        status = tickets_name(&server, inner ? inner->server : creds->server, &ticket.server);
    if (inner) ticket.enctype = (uint32_t)inner->enc_part.enctype;
    if (secret) {
        ticket.encoded = slice_of(&creds->ticket);
        ticket.key = (struct slice){creds->keyblock.contents, creds->keyblock.length};
    }
    if (status_ok(status)) kerberos_ticket_write(w, &ticket);
    writer_free(&client);
    writer_free(&server);
    if (inner) krb5.free_ticket(context, inner);
    return status_ok(status) ? writer_status(w) : status;
}

static status_t give(struct writer *w, uint64_t output, uint64_t room, uint64_t *size)
{
    struct slice made = writer_view(w);
    *size = made.size;
    if (made.size > room) return SEC_E_BUFFER_TOO_SMALL;
    if (made.size) memcpy(unixcall_pointer(output), made.data, made.size);
    return SEC_E_OK;
}

/* ---- one after the other ---- */

/* What is done with a ticket of the cache; a failure ends it. */
typedef status_t each_fn(void *argument, krb5_context context, krb5_creds *creds);

static status_t tickets_each(struct tickets *tickets, each_fn *each, void *argument)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    status_t status = SEC_E_OK;
    if (!tickets->client) return SEC_E_OK;
    krb5_error_code error = krb5.cc_start_seq_get(tickets->context, tickets->cache, &cursor);
    if (error) return failed(tickets, error);
    while (status_ok(status) &&
           !(error = krb5.cc_next_cred(tickets->context, tickets->cache, &cursor, &creds))) {
        if (!krb5.is_config_principal(tickets->context, creds.server))
            status = each(argument, tickets->context, &creds);
        krb5.free_cred_contents(tickets->context, &creds);
    }
    krb5.cc_end_seq_get(tickets->context, tickets->cache, &cursor);
    if (status_ok(status) && error != KRB5_CC_END) status = failed(tickets, error);
    return status;
}

struct listing {
    struct writer w;
    uint32_t count;
};

static status_t list_one(void *argument, krb5_context context, krb5_creds *creds)
{
    struct listing *listing = argument;
    listing->count++;
    return record_write(&listing->w, context, creds, false);
}

status_t tickets_list(void *params)
{
    struct kerberos_call_tickets *call = params;
    struct listing listing = {.count = 0};
    struct tickets tickets;
    call->size = call->count = 0;
    status_t status = tickets_open(call->credential, call->why, &tickets);
    if (!status_ok(status)) return status;
    writer_init(&listing.w);
    status = tickets_each(&tickets, list_one, &listing);
    if (status_ok(status)) status = give(&listing.w, call->output, call->room, &call->size);
    call->count = listing.count;
    writer_free(&listing.w);
    tickets_close(&tickets);
    return status;
}

/* ---- a ticket for a service ---- */

krb5_error_code tickets_granting(const struct tickets *tickets, krb5_principal *out)
{
    const krb5_data *realm = &tickets->client->realm;
    return krb5.build_principal_ext(tickets->context, out, realm->length, realm->data, 6, "krbtgt",
                                    realm->length, realm->data, 0);
}

static status_t target_make(const struct tickets *tickets, struct slice target, krb5_principal *out)
{
    char *text;
    if (!target.size) {
        krb5_error_code error = tickets_granting(tickets, out);
        return error ? failed(tickets, error) : SEC_E_OK;
    }
    status_t status = text_copy(target, &text);
    if (!status_ok(status)) return status;
    krb5_error_code error = krb5.parse_name(tickets->context, text, out);
    free(text);
    return error ? failed(tickets, error) : SEC_E_OK;
}

/* Of a cache in memory that has nothing but the ticket-granting ticket, and goes with it. */
static krb5_error_code cache_of_granting(const struct tickets *tickets, krb5_ccache *out)
{
    krb5_creds wanted = {.client = tickets->client}, found = {0};
    krb5_ccache cache = NULL;
    krb5_error_code error = tickets_granting(tickets, &wanted.server);
    if (error) return error;
    error = krb5.cc_retrieve_cred(tickets->context, tickets->cache, 0, &wanted, &found);
    if (!error) error = krb5.cc_new_unique(tickets->context, "MEMORY", NULL, &cache);
    if (!error) error = krb5.cc_initialize(tickets->context, cache, tickets->client);
    if (!error) error = krb5.cc_store_cred(tickets->context, cache, &found);
    krb5.free_cred_contents(tickets->context, &found);
    krb5.free_principal(tickets->context, wanted.server);
    if (error && cache) krb5.cc_destroy(tickets->context, cache);
    if (!error) *out = cache;
    return error;
}

static krb5_error_code creds_get(const struct tickets *tickets,
                                 const struct kerberos_call_ticket_retrieve *call,
                                 krb5_principal server, krb5_creds **out)
{
    krb5_creds wanted = {.client = tickets->client, .server = server};
    krb5_flags options = call->flags & CALL_RETRIEVE_CACHED ? KRB5_GC_CACHED : 0;
    krb5_ccache cache = tickets->cache;
    bool fresh = call->flags & CALL_RETRIEVE_FRESH && call->target.size;
    wanted.keyblock.enctype = (krb5_enctype)call->enctype;
    krb5_error_code error = fresh ? cache_of_granting(tickets, &cache) : 0;
    if (error) return error;
    error = krb5.get_credentials(tickets->context, options, cache, &wanted, out);
    if (fresh) krb5.cc_destroy(tickets->context, cache);
    return error;
}

static status_t retrieve(const struct tickets *tickets, struct kerberos_call_ticket_retrieve *call)
{
    krb5_principal server;
    krb5_creds *creds;
    struct writer w;
    if (!tickets->client) return error_say(SEC_E_NO_CREDENTIALS, call->why, "there are no tickets");
    status_t status = target_make(tickets, bytes_of(call->target), &server);
    if (!status_ok(status)) return status;
    krb5_error_code error = creds_get(tickets, call, server, &creds);
    krb5.free_principal(tickets->context, server);
    if (error) {
        status = failed(tickets, error);
        return error == KRB5_CC_NOT_KTYPE ? SEC_E_NO_CREDENTIALS : status;
    }
    writer_init(&w);
    status = record_write(&w, tickets->context, creds, true);
    if (status_ok(status)) status = give(&w, call->output, call->room, &call->size);
    writer_free(&w);
    krb5.free_creds(tickets->context, creds);
    return status;
}

status_t ticket_retrieve(void *params)
{
    struct kerberos_call_ticket_retrieve *call = params;
    struct tickets tickets;
    call->size = 0;
    status_t status = tickets_open(call->credential, call->why, &tickets);
    if (!status_ok(status)) return status;
    status = retrieve(&tickets, call);
    tickets_close(&tickets);
    return status;
}

/* ---- tickets from elsewhere ---- */

/* What a cache has, in one in memory. */
static krb5_error_code copy_make(const struct tickets *tickets, krb5_ccache *out)
{
    krb5_error_code error = krb5.cc_new_unique(tickets->context, "MEMORY", NULL, out);
    if (!error) error = cache_copy(tickets->context, tickets->cache, *out);
    return error;
}

/* All of them, or the cache is as it was: one that was not there is not there then. */
static krb5_error_code store_all(struct tickets *tickets, krb5_creds **creds)
{
    krb5_ccache before = NULL;
    krb5_error_code error = tickets->client ? copy_make(tickets, &before)
                                            : krb5.cc_initialize(tickets->context, tickets->cache,
                                                                 creds[0]->client);
    bool copied = before && !error;
    for (size_t i = 0; !error && creds[i]; i++)
        error = krb5.cc_store_cred(tickets->context, tickets->cache, creds[i]);
    if (error && copied) {
        cache_copy(tickets->context, before, tickets->cache);
    } else if (error && !tickets->client) {
        krb5.cc_destroy(tickets->context, tickets->cache);
        tickets->cache = NULL;
    }
    if (before) krb5.cc_destroy(tickets->context, before);
    return error;
}

static status_t store(struct tickets *tickets, krb5_creds **creds)
{
    if (!creds[0]) return error_say(SEC_E_INVALID_TOKEN, tickets->why, "there is no ticket in it");
    krb5_principal client = tickets->client ? tickets->client : creds[0]->client;
    for (size_t i = 0; creds[i]; i++)
        if (!krb5.principal_compare(tickets->context, creds[i]->client, client))
            return error_say(SEC_E_WRONG_PRINCIPAL, tickets->why, "tickets of another client");
    krb5_error_code error = store_all(tickets, creds);
    return error ? failed(tickets, error) : SEC_E_OK;
}

/* Neither times nor addresses of the message count: nobody knows who gave it to the program. */
static krb5_error_code reading_begin(krb5_context context,
                                     const struct kerberos_call_ticket_submit *call,
                                     krb5_auth_context *out)
{
    krb5_keyblock key = {.enctype = (krb5_enctype)call->key_enctype,
                         .length = (unsigned)call->key.size,
                         .contents = unixcall_pointer(call->key.data)};
    krb5_auth_context reading = NULL;
    krb5_error_code error = krb5.auth_con_init(context, &reading);
    if (!error) error = krb5.auth_con_setflags(context, reading, 0);
    if (!error && call->key_enctype) error = krb5.auth_con_setuseruserkey(context, reading, &key);
    if (error && reading) krb5.auth_con_free(context, reading);
    if (!error) *out = reading;
    return error;
}

status_t ticket_submit(void *params)
{
    struct kerberos_call_ticket_submit *call = params;
    struct tickets tickets;
    krb5_auth_context reading;
    krb5_creds **creds;
    if (call->message.size > UINT32_MAX || call->key.size > CALL_KEY_MAX)
        return SEC_E_INVALID_TOKEN;
    status_t status = tickets_open(call->credential, call->why, &tickets);
    if (!status_ok(status)) return status;
    krb5_data message = data_of(bytes_of(call->message));
    krb5_error_code error = reading_begin(tickets.context, call, &reading);
    if (error) {
        status = failed(&tickets, error);
    } else {
        error = krb5.rd_cred(tickets.context, reading, &message, &creds, NULL);
        if (error) failed(&tickets, error); /* for its words */
        status = error == ENOMEM ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_INVALID_TOKEN;
        if (!error) {
            status = store(&tickets, creds);
            krb5.free_tgt_creds(tickets.context, creds);
        }
        krb5.auth_con_free(tickets.context, reading);
    }
    tickets_close(&tickets);
    return status;
}

/* ---- removal ---- */

struct removal {
    struct slice server, realm;
    krb5_creds **found;
    size_t count;
};

/* Names of Windows have no case. */
static bool equal(struct slice a, struct slice b)
{
    return a.size == b.size &&
           (!a.size || !strncasecmp((const char *)a.data, (const char *)b.data, a.size));
}

static status_t is_wanted(const struct removal *removal, krb5_context context,
                          const krb5_creds *creds, bool *out)
{
    struct writer record, text;
    struct kerberos_ticket ticket;
    struct reader r;
    *out = !removal->server.size && !removal->realm.size;
    if (*out) return SEC_E_OK;
    writer_init(&record);
    writer_init(&text);
    status_t status = record_write(&record, context, creds, false);
    reader_init(&r, record.data, record.size);
    if (status_ok(status) && !kerberos_ticket_read(&r, &ticket)) status = SEC_E_INTERNAL_ERROR;
    if (status_ok(status)) {
        kerberos_name_text(&text, &ticket.server);
        status = writer_status(&text);
        *out = equal(writer_view(&text), removal->server) &&
               equal(ticket.server.realm, removal->realm);
    }
    writer_free(&record);
    writer_free(&text);
    return status;
}

static status_t find_one(void *argument, krb5_context context, krb5_creds *creds)
{
    struct removal *removal = argument;
    bool wanted;
    status_t status = is_wanted(removal, context, creds, &wanted);
    if (!status_ok(status) || !wanted) return status;
    krb5_creds **more = realloc(removal->found, (removal->count + 1) * sizeof(*more));
    if (!more) return SEC_E_INSUFFICIENT_MEMORY;
    removal->found = more;
    if (krb5.copy_creds(context, creds, &more[removal->count])) return SEC_E_INSUFFICIENT_MEMORY;
    removal->count++;
    return SEC_E_OK;
}

/* Not while the cache is being read. */
static status_t remove_found(const struct tickets *tickets, const struct removal *removal)
{
    const krb5_flags exactly = KRB5_TC_MATCH_TIMES_EXACT | KRB5_TC_MATCH_KTYPE;
    krb5_error_code error = 0;
    if (!removal->server.size && !removal->realm.size && removal->count)
        error = krb5.cc_initialize(tickets->context, tickets->cache, tickets->client);
    else
        for (size_t i = 0; !error && i < removal->count; i++)
            error = krb5.cc_remove_cred(tickets->context, tickets->cache, exactly,
                                        removal->found[i]);
    return error ? failed(tickets, error) : SEC_E_OK;
}

status_t tickets_purge(void *params)
{
    struct kerberos_call_tickets_purge *call = params;
    struct removal removal = {.server = bytes_of(call->server), .realm = bytes_of(call->realm)};
    struct tickets tickets;
    call->count = 0;
    status_t status = tickets_open(call->credential, call->why, &tickets);
    if (!status_ok(status)) return status;
    status = tickets_each(&tickets, find_one, &removal);
    if (status_ok(status)) status = remove_found(&tickets, &removal);
    if (status_ok(status)) call->count = (uint32_t)removal.count;
    for (size_t i = 0; i < removal.count; i++) krb5.free_creds(tickets.context, removal.found[i]);
    free(removal.found);
    tickets_close(&tickets);
    return status;
}
