/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials. The library lets a thread that uses one wait for another that does, even while that
 * waits for a KDC: so ours are what the library's are made of, and threads have one each. Those
 * that nobody uses are kept, since making one reads the cache of tickets or the keytab.
 *
 * First tickets from a password are got here, not when the library feels like it, so that a wrong
 * password is known. They go to a cache in memory that nobody else has.
 */
#include "unix.h"

#include "core/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static gss_OID_set_desc mechs = {1, &mech_krb5};

static struct credential default_initiator = {.use = CALL_USE_INITIATE,
                                              .lock = PTHREAD_MUTEX_INITIALIZER};
static struct credential default_acceptor = {.use = CALL_USE_ACCEPT,
                                             .lock = PTHREAD_MUTEX_INITIALIZER};

static enum error_of error_of_use(uint32_t use)
{
    return use == CALL_USE_ACCEPT ? ERROR_OF_ACCEPT : ERROR_OF_INITIATE;
}

static struct credential *credential_of(uint64_t credential, uint32_t use)
{
    if (credential) return unixcall_pointer(credential);
    return use == CALL_USE_ACCEPT ? &default_acceptor : &default_initiator;
}

static bool is_default(const struct credential *credential)
{
    return !credential->name && !credential->cache && !credential->whole;
}

/* ---- names ---- */

/* As the mechanism has it, so that no call has to make that of it anew. */
status_t name_import(struct slice text, gss_name_t *out, enum error_of of, char why[CALL_WHY_SIZE])
{
    gss_buffer_desc buffer = buffer_of(text);
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 ignored, minor, major = gss.import_name(&minor, &buffer, &name_principal, &name);
    if (!GSS_ERROR(major)) major = gss.canonicalize_name(&minor, name, &mech_krb5, out);
    gss.release_name(&ignored, &name);
    return GSS_ERROR(major) ? error_gss(of, major, minor, why) : SEC_E_OK;
}

status_t name_text(gss_name_t name, struct blob *out)
{
    gss_buffer_desc text = {0};
    OM_uint32 minor;
    if (!name || GSS_ERROR(gss.display_name(&minor, name, &text, NULL))) return SEC_E_OK;
    status_t status = blob_set(out, (struct slice){text.value, text.length});
    gss.release_buffer(&minor, &text);
    return status;
}

/* ---- spare ones ---- */

static void lease_end(struct lease *lease)
{
    OM_uint32 minor;
    if (lease->library && lease->library != lease->credential->whole)
        gss.release_cred(&minor, &lease->library);
    blob_clear(&lease->principal);
    snapshot_drop(lease->snapshot);
    *lease = (struct lease){.credential = lease->credential};
}

static void spares_end(struct credential *credential)
{
    while (credential->spare_count) lease_end(&credential->spare[--credential->spare_count]);
}

/* One with the same cache, or only that cache; under the lock. */
static void spare_find(struct credential *credential, struct slice target, struct lease *out)
{
    struct snapshot *snapshot = origin_snapshot(&credential->origin, target);
    for (size_t i = credential->spare_count; i-- > 0;) {
        if (credential->spare[i].snapshot != snapshot) continue;
        *out = credential->spare[i];
        credential->spare[i] = credential->spare[--credential->spare_count];
        snapshot_drop(snapshot); /* the spare one has it */
        return;
    }
    out->snapshot = snapshot;
}

static void spare_take(struct credential *credential, struct slice target, struct lease *out)
{
    pthread_mutex_lock(&credential->lock);
    if (is_default(credential) && !origin_holds(&credential->origin, credential->use)) {
        spares_end(credential);
        origin_set(&credential->origin, credential->use);
        credential->age++;
    }
    spare_find(credential, target, out);
    out->age = credential->age;
    pthread_mutex_unlock(&credential->lock);
}

/* The libraries tell a server that there is signing and sealing whether or not that was asked for,
 * and one that believes it waits for it (SASL GSS-SPNEGO), unless GSS_KRB5_CRED_NO_CI_FLAGS_X
 * (1.2.752.43.13.29) is set. One that does not know it does as it always did. */
static void flags_as_asked(gss_cred_id_t *library)
{
    static gss_OID_desc option = {6, (void *)"\x2a\x85\x70\x2b\x0d\x1d"};
    gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    if (gss.set_cred_option) gss.set_cred_option(&minor, library, &option, &nothing);
}

static OM_uint32 library_make(const struct lease *lease, OM_uint32 *minor, gss_cred_id_t *out)
{
    const struct credential *credential = lease->credential;
    const char *cache = lease->snapshot ? lease->snapshot->cache : credential->cache;
    gss_key_value_element_desc element = {"ccache", cache};
    const gss_key_value_set_desc store = {1, &element};
    if (cache)
        return gss.acquire_cred_from(minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE,
                                     &store, out, NULL, NULL);
    return gss.acquire_cred(minor, credential->name, GSS_C_INDEFINITE, &mechs,
                            credential->use == CALL_USE_ACCEPT ? GSS_C_ACCEPT : GSS_C_INITIATE, out,
                            NULL, NULL);
}

status_t credential_take(uint64_t number, uint32_t use, struct slice target, struct lease *out,
                         char why[CALL_WHY_SIZE])
{
    OM_uint32 minor;
    struct credential *credential = credential_of(number, use);
    *out = (struct lease){.credential = credential, .library = credential->whole};
    if (credential->use != use)
        return error_say(SEC_E_NO_CREDENTIALS, why, "these credentials are for the other side");
    if (!out->library) spare_take(credential, target, out);
    if (out->library) return SEC_E_OK;
    OM_uint32 major = library_make(out, &minor, &out->library);
    if (GSS_ERROR(major)) {
        credential_give(out);
        return error_gss(error_of_use(use), major, minor, why);
    }
    if (credential->use == CALL_USE_INITIATE) flags_as_asked(&out->library);
    return SEC_E_OK;
}

/* Whether a lease is as good as one that is taken now. */
static bool lease_holds(const struct lease *lease)
{
    const struct credential *credential = lease->credential;
    if (!is_default(credential)) return true;
    return lease->age == credential->age && origin_holds(&credential->origin, credential->use);
}

void credential_give(struct lease *lease)
{
    struct credential *credential = lease->credential;
    if (!credential) return;
    pthread_mutex_lock(&credential->lock);
    bool holds = lease_holds(lease), own = lease->library && lease->library != credential->whole;
    if (holds && lease->used_for.size) origin_learn(&credential->origin, lease->used_for);
    lease->used_for = (struct slice){0};
    if (holds && own && !lease->failed && credential->spare_count < SPARE_MAX)
        credential->spare[credential->spare_count++] = *lease;
    else lease_end(lease);
    pthread_mutex_unlock(&credential->lock);
    *lease = (struct lease){0};
}

status_t lease_principal(struct lease *lease)
{
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 minor;
    if (lease->principal.size) return SEC_E_OK;
    if (GSS_ERROR(gss.inquire_cred(&minor, lease->library, &name, NULL, NULL, NULL)))
        return SEC_E_OK;
    status_t status = name_text(name, &lease->principal);
    gss.release_name(&minor, &name);
    return status;
}

/* The cache of a named one, among those of the user. */
static krb5_error_code cache_match(gss_name_t name, krb5_context context, krb5_ccache *out)
{
    struct blob name_of = {0};
    char *text = NULL;
    krb5_principal principal = NULL;
    krb5_error_code error = 0;
    if (!status_ok(name_text(name, &name_of)) || !status_ok(text_copy(blob_slice(&name_of), &text)))
        error = ENOMEM;
    if (!error) error = krb5.parse_name(context, text, &principal);
    if (!error) error = krb5.cc_cache_match(context, principal, out);
    krb5.free_principal(context, principal);
    blob_clear(&name_of);
    free(text);
    return error;
}

status_t credential_cache(uint64_t number, krb5_context context, krb5_ccache *out,
                          char why[CALL_WHY_SIZE])
{
    const struct credential *credential = credential_of(number, CALL_USE_INITIATE);
    krb5_error_code error;
    if (credential->whole)
        return error_say(SEC_E_NOT_SUPPORTED, why, "the library does not tell where its cache is");
    if (credential->cache) error = krb5.cc_resolve(context, credential->cache, out);
    else if (is_default(credential)) error = krb5.cc_default(context, out);
    else error = cache_match(credential->name, context, out);
    return error ? error_krb5(ERROR_OF_INITIATE, context, error, why) : SEC_E_OK;
}

/* ---- whole ones ---- */

static krb5_error_code cache_fill(krb5_context context, gss_cred_id_t library, const char *client,
                                  char **out)
{
    OM_uint32 minor;
    krb5_principal principal = NULL;
    krb5_ccache cache = NULL;
    krb5_error_code error = krb5.parse_name(context, client, &principal);
    if (!error) error = krb5.cc_new_unique(context, "MEMORY", NULL, &cache);
    if (!error) error = krb5.cc_initialize(context, cache, principal);
    if (!error && GSS_ERROR(gss.krb5_copy_ccache(&minor, library, cache))) error = EINVAL;
    krb5.free_principal(context, principal);
    return cache_keep(context, cache, error, out);
}

/* The name of a cache of our own with the tickets that it has, or NULL. */
static char *cache_take(gss_cred_id_t library)
{
    struct lease lease = {.library = library};
    krb5_context context;
    char *client = NULL, *name = NULL;
    if (!krb5_found || !gss.krb5_copy_ccache || krb5.init_context(&context)) return NULL;
    if (status_ok(lease_principal(&lease)) &&
        status_ok(text_copy(blob_slice(&lease.principal), &client)))
        cache_fill(context, library, client, &name);
    krb5.free_context(context);
    blob_clear(&lease.principal);
    free(client);
    return name;
}

/* Takes it over. One thread at a time could use it: others are made of its tickets, where the
 * library gives them away. */
static void whole_set(struct credential *credential, gss_cred_id_t library)
{
    OM_uint32 minor;
    credential->cache = cache_take(library);
    if (credential->cache) {
        gss.release_cred(&minor, &library);
        return;
    }
    credential->whole = library;
    flags_as_asked(&credential->whole);
}

/* ---- making them ---- */

static struct credential *credential_new(uint32_t use)
{
    struct credential *credential = calloc(1, sizeof(*credential));
    if (!credential) return NULL;
    credential->use = use;
    pthread_mutex_init(&credential->lock, NULL);
    return credential;
}

static void credential_clear(struct credential *credential)
{
    OM_uint32 minor;
    if (!credential) return;
    spares_end(credential);
    origin_clear(&credential->origin);
    gss.release_cred(&minor, &credential->whole);
    gss.release_name(&minor, &credential->name);
    if (credential->cache) cache_destroy(credential->cache);
    free(credential->cache);
    pthread_mutex_destroy(&credential->lock);
    free(credential);
}

krb5_error_code login_options(krb5_context context, krb5_ccache cache,
                              krb5_get_init_creds_opt **out)
{
    krb5_get_init_creds_opt *options = NULL;
    krb5_error_code error = krb5.get_init_creds_opt_alloc(context, &options);
    if (error) return error;
    krb5.get_init_creds_opt_set_forwardable(options, 1);
    krb5.get_init_creds_opt_set_canonicalize(options, 1);
    error = krb5.get_init_creds_opt_set_out_ccache(context, options, cache);
    if (error) krb5.get_init_creds_opt_free(context, options);
    else *out = options;
    return error;
}

/* The first ticket of a principal into a cache, which canonicalisation may give another name. */
static krb5_error_code ticket_get(krb5_context context, krb5_principal principal,
                                  const char *password, krb5_ccache cache)
{
    krb5_creds ticket = {0};
    krb5_get_init_creds_opt *options;
    krb5_error_code error = login_options(context, cache, &options);
    if (error) return error;
    error = krb5.get_init_creds_password(context, &ticket, principal, password, NULL, NULL, 0, NULL,
                                         options);
    if (!error) krb5.free_cred_contents(context, &ticket);
    krb5.get_init_creds_opt_free(context, options);
    return error;
}

/* The same into a new one, of which the name is kept. */
static krb5_error_code cache_make(krb5_context context, const char *name, const char *password,
                                  char **out)
{
    krb5_principal principal = NULL;
    krb5_ccache cache = NULL;
    krb5_error_code error = krb5.parse_name(context, name, &principal);
    if (!error) error = krb5.cc_new_unique(context, "MEMORY", NULL, &cache);
    if (!error) error = ticket_get(context, principal, password, cache);
    krb5.free_principal(context, principal);
    return cache_keep(context, cache, error, out);
}

static status_t logon_mit(struct credential *credential, const char *name, const char *password,
                          char why[CALL_WHY_SIZE])
{
    krb5_context context;
    krb5_error_code error = krb5.init_context(&context);
    if (error) return error_krb5(ERROR_OF_LOGON, NULL, error, why);
    error = cache_make(context, name, password, &credential->cache);
    status_t status = error ? error_krb5(ERROR_OF_LOGON, context, error, why) : SEC_E_OK;
    krb5.free_context(context);
    return status;
}

static status_t logon(struct credential *credential,
                      const struct kerberos_call_credential_acquire *call, char why[CALL_WHY_SIZE])
{
    char *name = NULL, *password = NULL;
    OM_uint32 minor, major;
    if (credential->use != CALL_USE_INITIATE)
        return error_say(SEC_E_NO_CREDENTIALS, why, "a service's keys are in a keytab");
    if (!credential->name)
        return error_say(SEC_E_LOGON_DENIED, why, "there is a password, but no name");
    status_t status = text_copy(bytes_of(call->principal), &name);
    if (status_ok(status)) status = text_copy(bytes_of(call->password), &password);
    if (status_ok(status) && krb5_found) {
        status = logon_mit(credential, name, password, why);
    } else if (status_ok(status)) {
        gss_buffer_desc secret = buffer_of(bytes_of(call->password));
        major = gss.acquire_cred_with_password(&minor, credential->name, &secret, GSS_C_INDEFINITE,
                                               &mechs, GSS_C_INITIATE, &credential->whole, NULL,
                                               NULL);
        if (GSS_ERROR(major)) status = error_gss(ERROR_OF_LOGON, major, minor, why);
        else flags_as_asked(&credential->whole);
    }
    secret_free(password, (size_t)call->password.size);
    free(name);
    return status;
}

/* S4U2self: a ticket to the impersonator itself in the name of somebody else. */
static status_t impersonate(struct credential *credential, uint64_t impersonator,
                            char why[CALL_WHY_SIZE])
{
    struct lease lease;
    gss_cred_id_t made = GSS_C_NO_CREDENTIAL;
    OM_uint32 minor;
    if (!gss.acquire_cred_impersonate_name)
        return error_say(SEC_E_NOT_SUPPORTED, why, "the library has no S4U2self");
    status_t status = credential_take(impersonator, CALL_USE_INITIATE, (struct slice){0}, &lease,
                                      why);
    if (!status_ok(status)) return status;
    OM_uint32 major = gss.acquire_cred_impersonate_name(&minor, lease.library, credential->name,
                                                        GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE,
                                                        &made, NULL, NULL);
    if (GSS_ERROR(major)) status = error_gss(ERROR_OF_LOGON, major, minor, why);
    else whole_set(credential, made);
    credential_give(&lease);
    return status;
}

/* What the library knows of one that it has looked for. */
static status_t expiry_tell(struct lease *lease, struct kerberos_call_credential_acquire *call)
{
    OM_uint32 minor, left = 0;
    OM_uint32 major = gss.inquire_cred(&minor, lease->library, NULL, &left, NULL, NULL);
    if (GSS_ERROR(major)) return error_gss(ERROR_OF_INITIATE, major, minor, call->why);
    call->expiry = left == GSS_C_INDEFINITE ? 0 : (uint64_t)time(NULL) + left;
    return lease_principal(lease);
}

/* Who it is and until when; the library looks for it now if it has not yet. A keytab is for any of
 * those in it, unless one was named. */
static status_t credential_inquire(struct credential *credential,
                                   struct kerberos_call_credential_acquire *call)
{
    struct lease lease;
    status_t status = credential_take(unixcall_address(credential), credential->use,
                                      (struct slice){0}, &lease, call->why);
    if (!status_ok(status)) return status;
    if (credential->use == CALL_USE_INITIATE) status = expiry_tell(&lease, call);
    else status = name_text(credential->name, &lease.principal);
    if (status_ok(status) && lease.principal.size > sizeof(call->name))
        status = error_say(SEC_E_UNKNOWN_CREDENTIALS, call->why, "a name of %zu bytes is too long",
                           lease.principal.size);
    if (status_ok(status) && lease.principal.size)
        memcpy(call->name, lease.principal.data, lease.principal.size);
    call->name_size = (uint32_t)lease.principal.size;
    credential_give(&lease);
    return status;
}

status_t credential_acquire(void *params)
{
    struct kerberos_call_credential_acquire *call = params;
    status_t status = library_load("", call->why);
    if (!status_ok(status)) return status;
    struct credential *credential = credential_new(call->use);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    enum error_of of = call->password.size ? ERROR_OF_LOGON : error_of_use(call->use);
    if (call->principal.size)
        status = name_import(bytes_of(call->principal), &credential->name, of, call->why);
    credential->proxy = call->impersonator || call->evidence.size;
    if (status_ok(status) && call->impersonator)
        status = impersonate(credential, call->impersonator, call->why);
    else if (status_ok(status) && call->evidence.size)
        status = proxy_make(bytes_of(call->evidence), &credential->cache, call->why);
    else if (status_ok(status) && call->password.data) status = logon(credential, call, call->why);
    if (status_ok(status)) status = credential_inquire(credential, call);
    if (status_ok(status)) call->credential = unixcall_address(credential);
    else credential_clear(credential);
    return status;
}

status_t credential_free(void *params)
{
    const struct kerberos_call_free *call = params;
    credential_clear(unixcall_pointer(call->object));
    return SEC_E_OK;
}

status_t credential_adopt(gss_cred_id_t delegated, uint64_t *out)
{
    struct credential *credential = credential_new(CALL_USE_INITIATE);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    whole_set(credential, delegated);
    *out = unixcall_address(credential);
    return SEC_E_OK;
}
