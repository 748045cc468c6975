/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Constrained delegation (MS-SFU 3.1.5.2): with the ticket with which a client came to a service,
 * the service asks the KDC for tickets in the client's name, by the right of its own
 * ticket-granting ticket. MIT's GSS-API does that with a cache of the client's that has both of
 * them and names the service ("proxy_impersonator"); such a cache is made here.
 *
 * The service's own ticket is got with its key from the keytab. In a directory it is the account
 * that can have one, whose name need not be the service's: whoever has a key in the keytab that
 * opens the client's ticket is that account. Where none can have one, the user's cache is taken to
 * be the service's. What the keytab has given is kept until it runs out.
 */
#include "unix.h"

#include "core/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MARGIN 60             /* seconds, in which a request is certainly made */
#define NAMES_MAX 8u          /* of one key */
#define KEY_USAGE_OF_TICKET 2 /* RFC 4120 7.5.1 */

/* What is made, of what. */
struct proxy {
    krb5_context context;
    krb5_keytab keytab;
    krb5_ticket *ticket; /* the client's, opened */
    char *service;       /* the name in it */
    krb5_ccache cache;   /* the client's, in memory */
};

/* ---- what the services of this process have ---- */

struct service {
    struct service *next;
    char *name;
    char *cache;
    time_t end;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct service *services;

static void service_free(struct service *service)
{
    if (!service) return;
    if (service->cache) cache_destroy(service->cache);
    free(service->cache);
    free(service->name);
    free(service);
}

/* Under the lock. */
static struct service *service_remove(const char *name)
{
    for (struct service **at = &services; *at; at = &(*at)->next) {
        struct service *found = *at;
        if (strcmp(found->name, name)) continue;
        *at = found->next;
        return found;
    }
    return NULL;
}

/* Takes the cache over. */
static void service_keep(struct proxy *proxy, krb5_ccache cache, time_t end)
{
    char *kept;
    struct service *service = calloc(1, sizeof(*service)), *old = NULL;
    if (service) service->name = strdup(proxy->service);
    krb5_error_code error = service && service->name ? 0 : ENOMEM;
    if (cache_keep(proxy->context, cache, error, &kept)) {
        service_free(service);
        return;
    }
    service->cache = kept;
    service->end = end;
    pthread_mutex_lock(&lock);
    old = service_remove(service->name);
    service->next = services;
    services = service;
    pthread_mutex_unlock(&lock);
    service_free(old);
}

/* ---- the client's cache ---- */

/* The client's ticket, which the library looks for by the name of who acts. Whether it may be used
 * is the KDC's to say, by what is encrypted in it; older libraries end the process over one that is
 * not called forwardable in the cache. */
static krb5_error_code evidence_store(struct proxy *proxy, krb5_principal impersonator,
                                      krb5_data *bytes)
{
    const krb5_enc_tkt_part *part = proxy->ticket->enc_part2;
    krb5_creds evidence = {
        .client = part->client,
        .server = impersonator,
        .keyblock = *part->session,
        .times = part->times,
        .ticket_flags = part->flags | TKT_FLG_FORWARDABLE,
        .ticket = *bytes,
    };
    return krb5.cc_store_cred(proxy->context, proxy->cache, &evidence);
}

/* From the tickets of who acts. */
static krb5_error_code cache_fill(struct proxy *proxy, krb5_ccache own, krb5_data *evidence)
{
    krb5_context context = proxy->context;
    krb5_principal impersonator = NULL;
    char *name = NULL;
    krb5_error_code error = krb5.cc_get_principal(context, own, &impersonator);
    if (!error) error = krb5.unparse_name(context, impersonator, &name);
    if (!error) error = krb5.cc_initialize(context, proxy->cache, proxy->ticket->enc_part2->client);
    if (!error) error = krb5.cc_copy_creds(context, own, proxy->cache);
    if (!error) {
        krb5_data data = {.length = (unsigned)strlen(name), .data = name};
        error = krb5.cc_set_config(context, proxy->cache, NULL, "proxy_impersonator", &data);
    }
    if (!error) error = evidence_store(proxy, impersonator, evidence);
    if (name) krb5.free_unparsed_name(context, name);
    krb5.free_principal(context, impersonator);
    return error;
}

/* ---- the service's own ticket ---- */

static krb5_error_code key_login(struct proxy *proxy, krb5_principal principal, krb5_ccache cache,
                                 time_t *end)
{
    krb5_context context = proxy->context;
    krb5_creds ticket = {0};
    krb5_get_init_creds_opt *options;
    krb5_error_code error = login_options(context, cache, &options);
    if (error) return error;
    error = krb5.get_init_creds_keytab(context, &ticket, principal, proxy->keytab, 0, NULL,
                                       options);
    if (!error) *end = (time_t)(uint32_t)ticket.times.endtime;
    if (!error) krb5.free_cred_contents(context, &ticket);
    krb5.get_init_creds_opt_free(context, options);
    return error;
}

static bool key_opens(const struct proxy *proxy, const krb5_keytab_entry *entry)
{
    const krb5_enc_data *sealed = &proxy->ticket->enc_part;
    if (entry->key.enctype != sealed->enctype) return false;
    krb5_data plain = {.length = sealed->ciphertext.length,
                       .data = malloc(sealed->ciphertext.length)};
    krb5_error_code error = ENOMEM;
    if (plain.data)
        error = krb5.c_decrypt(proxy->context, &entry->key, KEY_USAGE_OF_TICKET, NULL, sealed,
                               &plain);
    if (plain.data) secret_free(plain.data, sealed->ciphertext.length);
    return !error;
}

static bool is_among(krb5_context context, krb5_principal *names, size_t count,
                     krb5_const_principal name)
{
    for (size_t i = 0; i < count; i++)
        if (krb5.principal_compare(context, names[i], name)) return true;
    return false;
}

/* The service's own name, and then those of the keytab that have its key. */
static size_t names_of_key(struct proxy *proxy, krb5_principal names[NAMES_MAX])
{
    krb5_context context = proxy->context;
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    size_t count = !krb5.copy_principal(context, proxy->ticket->server, &names[0]);
    if (krb5.kt_start_seq_get(context, proxy->keytab, &cursor)) return count;
    while (!krb5.kt_next_entry(context, proxy->keytab, &entry, &cursor)) {
        bool wanted = count < NAMES_MAX && !is_among(context, names, count, entry.principal);
        if (wanted && key_opens(proxy, &entry))
            count += !krb5.copy_principal(context, entry.principal, &names[count]);
        krb5.free_keytab_entry_contents(context, &entry);
    }
    krb5.kt_end_seq_get(context, proxy->keytab, &cursor);
    return count;
}

/* Into a new cache. A name that the KDC does not take for a client's is not the account's. */
static krb5_error_code service_login(struct proxy *proxy, krb5_ccache *out, time_t *end)
{
    krb5_principal names[NAMES_MAX];
    krb5_ccache cache;
    krb5_error_code error = krb5.cc_new_unique(proxy->context, "MEMORY", NULL, &cache);
    if (error) return error;
    size_t count = names_of_key(proxy, names);
    error = KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN;
    for (size_t i = 0; i < count; i++) {
        if (error == KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN)
            error = key_login(proxy, names[i], cache, end);
        krb5.free_principal(proxy->context, names[i]);
    }
    if (error) krb5.cc_destroy(proxy->context, cache);
    else *out = cache;
    return error;
}

/* ---- the whole ---- */

static bool fill_from_kept(struct proxy *proxy, krb5_data *evidence)
{
    krb5_ccache own = NULL;
    bool filled = false;
    pthread_mutex_lock(&lock);
    for (const struct service *here = services; here; here = here->next) {
        if (strcmp(here->name, proxy->service) || here->end < time(NULL) + MARGIN) continue;
        if (!krb5.cc_resolve(proxy->context, here->cache, &own))
            filled = !cache_fill(proxy, own, evidence);
        if (own) krb5.cc_close(proxy->context, own);
        break;
    }
    pthread_mutex_unlock(&lock);
    return filled;
}

/* The user's cache, unless its tickets are the client's own, which are of no use to another. */
static krb5_error_code fill_from_default(struct proxy *proxy, krb5_data *evidence)
{
    krb5_context context = proxy->context;
    krb5_principal owner = NULL;
    krb5_ccache own = NULL;
    krb5_error_code error = krb5.cc_default(context, &own);
    if (!error) error = krb5.cc_get_principal(context, own, &owner);
    if (!error && krb5.principal_compare(context, owner, proxy->ticket->enc_part2->client))
        error = KRB5_CC_NOTFOUND;
    if (!error) error = cache_fill(proxy, own, evidence);
    krb5.free_principal(context, owner);
    if (own) krb5.cc_close(context, own);
    return error;
}

static krb5_error_code fill(struct proxy *proxy, krb5_data *evidence)
{
    krb5_ccache own = NULL;
    time_t end = 0;
    if (fill_from_kept(proxy, evidence)) return 0;
    krb5_error_code error = service_login(proxy, &own, &end);
    if (error) return fill_from_default(proxy, evidence) ? error : 0;
    error = cache_fill(proxy, own, evidence);
    service_keep(proxy, own, end);
    return error;
}

static krb5_error_code ticket_open(struct proxy *proxy, const krb5_data *bytes)
{
    krb5_error_code error = krb5.decode_ticket(bytes, &proxy->ticket);
    if (!error) error = krb5.kt_default(proxy->context, &proxy->keytab);
    if (!error)
        error = krb5.server_decrypt_ticket_keytab(proxy->context, proxy->keytab, proxy->ticket);
    if (!error) error = krb5.unparse_name(proxy->context, proxy->ticket->server, &proxy->service);
    return error;
}

static void proxy_clear(struct proxy *proxy)
{
    krb5_context context = proxy->context;
    if (proxy->service) krb5.free_unparsed_name(context, proxy->service);
    krb5.free_ticket(context, proxy->ticket);
    if (proxy->keytab) krb5.kt_close(context, proxy->keytab);
    krb5.free_context(context);
}

status_t proxy_make(struct slice request, char **out, char why[CALL_WHY_SIZE])
{
    struct proxy proxy = {NULL};
    struct slice ticket = ticket_of(request);
    krb5_data evidence = data_of(ticket);
    if (!krb5_found)
        return error_say(SEC_E_NO_CREDENTIALS, why, "a service acts with MIT's library only");
    if (!ticket.size) return error_say(SEC_E_INVALID_TOKEN, why, "there is no ticket in the token");
    krb5_error_code error = krb5.init_context(&proxy.context);
    if (error) return error_krb5(ERROR_OF_PROXY, NULL, error, why);
    error = ticket_open(&proxy, &evidence);
    if (!error) error = krb5.cc_new_unique(proxy.context, "MEMORY", NULL, &proxy.cache);
    if (!error) error = fill(&proxy, &evidence);
    error = cache_keep(proxy.context, proxy.cache, error, out);
    status_t status = error ? error_krb5(ERROR_OF_PROXY, proxy.context, error, why) : SEC_E_OK;
    proxy_clear(&proxy);
    return status;
}
