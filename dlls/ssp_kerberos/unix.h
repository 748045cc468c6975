/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the Unix half share: the functions of the host's libraries, which are found by
 * name at the first call, and the half's two kinds of objects.
 */
#pragma once

#include "call.h"

#include "core/blob.h"
#include "core/kerberos_ticket.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>

#include <pthread.h>
#include <sys/stat.h>

/* ---- unix.c ---- */

/* Of GSS-API, which MIT and Heimdal have alike. */
#define GSS_FUNCTIONS(X)             \
    X(accept_sec_context)            \
    X(acquire_cred)                  \
    X(acquire_cred_with_password)    \
    X(canonicalize_name)             \
    X(delete_sec_context)            \
    X(display_name)                  \
    X(display_status)                \
    X(get_mic)                       \
    X(import_name)                   \
    X(init_sec_context)              \
    X(inquire_context)               \
    X(inquire_cred)                  \
    X(inquire_sec_context_by_oid)    \
    X(krb5_export_lucid_sec_context) \
    X(krb5_free_lucid_sec_context)   \
    X(release_buffer)                \
    X(release_buffer_set)            \
    X(release_cred)                  \
    X(release_name)                  \
    X(unwrap)                        \
    X(unwrap_iov)                    \
    X(verify_mic)                    \
    X(wrap_iov)                      \
    X(wrap_iov_length)

/* Of GSS-API, NULL where a library or a version of it lacks them. */
#define GSS_MORE_FUNCTIONS(X)        \
    X(acquire_cred_from)             \
    X(acquire_cred_impersonate_name) \
    X(get_name_attribute)            \
    X(krb5_copy_ccache)              \
    X(set_cred_option)

/* Of MIT's libkrb5; all NULL where that is not the library in use. */
#define KRB5_FUNCTIONS(X)                  \
    X(cc_cache_match)                      \
    X(cc_close)                            \
    X(cc_copy_creds)                       \
    X(cc_default)                          \
    X(cc_default_name)                     \
    X(cc_destroy)                          \
    X(cc_get_full_name)                    \
    X(cc_get_principal)                    \
    X(cc_initialize)                       \
    X(cc_new_unique)                       \
    X(cc_resolve)                          \
    X(free_context)                        \
    X(free_cred_contents)                  \
    X(free_default_realm)                  \
    X(free_error_message)                  \
    X(free_principal)                      \
    X(free_string)                         \
    X(free_unparsed_name)                  \
    X(get_default_realm)                   \
    X(get_error_message)                   \
    X(get_init_creds_opt_alloc)            \
    X(get_init_creds_opt_free)             \
    X(get_init_creds_opt_set_canonicalize) \
    X(get_init_creds_opt_set_forwardable)  \
    X(get_init_creds_opt_set_out_ccache)   \
    X(get_init_creds_password)             \
    X(init_context)                        \
    X(parse_name)                          \
    X(unparse_name)

/* Of the same, for tickets and passwords. */
#define KRB5_TICKET_FUNCTIONS(X)         \
    X(aname_to_localname)                \
    X(auth_con_free)                     \
    X(auth_con_init)                     \
    X(auth_con_setflags)                 \
    X(auth_con_setuseruserkey)           \
    X(build_principal_ext)               \
    X(cc_end_seq_get)                    \
    X(cc_next_cred)                      \
    X(cc_remove_cred)                    \
    X(cc_retrieve_cred)                  \
    X(cc_start_seq_get)                  \
    X(cc_store_cred)                     \
    X(chpw_message)                      \
    X(copy_creds)                        \
    X(decode_ticket)                     \
    X(free_creds)                        \
    X(free_data_contents)                \
    X(free_tgt_creds)                    \
    X(free_ticket)                       \
    X(get_credentials)                   \
    X(get_init_creds_opt_set_proxiable)  \
    X(get_init_creds_opt_set_renew_life) \
    X(get_init_creds_opt_set_tkt_life)   \
    X(is_config_principal)               \
    X(kuserok)                           \
    X(principal_compare)                 \
    X(rd_cred)                           \
    X(set_password)                      \
    X(set_password_using_ccache)         \
    X(verify_init_creds)

/* Of the same, for a service that acts for its client. */
#define KRB5_PROXY_FUNCTIONS(X)   \
    X(c_decrypt)                  \
    X(cc_set_config)              \
    X(copy_principal)             \
    X(free_keytab_entry_contents) \
    X(get_init_creds_keytab)      \
    X(kt_close)                   \
    X(kt_default)                 \
    X(kt_end_seq_get)             \
    X(kt_next_entry)              \
    X(kt_start_seq_get)           \
    X(server_decrypt_ticket_keytab)

/* Of the same, for user-to-user. */
#define KRB5_USER_FUNCTIONS(X)     \
    X(auth_con_getauthenticator)   \
    X(auth_con_getkey)             \
    X(auth_con_getlocalseqnumber)  \
    X(auth_con_getrecvsubkey)      \
    X(auth_con_getremoteseqnumber) \
    X(auth_con_getsendsubkey)      \
    X(auth_con_set_req_cksumtype)  \
    X(find_authdata)               \
    X(free_authdata)               \
    X(free_ap_rep_enc_part)        \
    X(free_authenticator)          \
    X(free_error)                  \
    X(free_keyblock)               \
    X(mk_rep)                      \
    X(mk_req_extended)             \
    X(rd_error)                    \
    X(rd_rep)                      \
    X(rd_req)

#define KRB5_ALL_FUNCTIONS(X) \
    KRB5_FUNCTIONS(X)         \
    KRB5_TICKET_FUNCTIONS(X)  \
    KRB5_PROXY_FUNCTIONS(X)   \
    KRB5_USER_FUNCTIONS(X)

struct gss_library {
#define LIBRARY_SLOT(function) __typeof__(gss_##function) *function;
    GSS_FUNCTIONS(LIBRARY_SLOT)
    GSS_MORE_FUNCTIONS(LIBRARY_SLOT)
#undef LIBRARY_SLOT
    /* Seconds since 1970, of which MIT writes the low half only. */
    OM_uint32 (*extract_authtime)(OM_uint32 *, gss_ctx_id_t, int64_t *);
    __typeof__(gsskrb5_extract_authz_data_from_sec_context) *extract_authz_data;
};

struct krb5_library {
#define LIBRARY_SLOT(function) __typeof__(krb5_##function) *function;
    KRB5_ALL_FUNCTIONS(LIBRARY_SLOT)
#undef LIBRARY_SLOT
};

/* Filled once, before there is any object; never changed. */
extern struct gss_library gss;
extern struct krb5_library krb5;
extern bool krb5_found; /* the second one is filled */

extern gss_OID_desc mech_krb5, name_principal; /* RFC 4121 1, RFC 1964 2.1.1 */

/* Loads the libraries if that has not been tried, the named one or the first that is there;
 * SEC_E_SECPKG_NOT_FOUND when they are of no use. */
status_t library_load(const char *name, char why[CALL_WHY_SIZE]);

/* A context for what needs no configuration: it is there, too, when that cannot be read any more.
 * For one thread at a time, until it gives it back; NULL when there never was one. */
krb5_context keeper_take(void);
void keeper_give(void);

static inline struct slice bytes_of(struct unixcall_bytes bytes)
{
    return (struct slice){unixcall_pointer(bytes.data), (size_t)bytes.size};
}

static inline gss_buffer_desc buffer_of(struct slice bytes)
{
    return (gss_buffer_desc){bytes.size, (void *)(uintptr_t)bytes.data};
}

static inline krb5_data data_of(struct slice bytes)
{
    return (krb5_data){.length = (unsigned)bytes.size, .data = (char *)(uintptr_t)bytes.data};
}

static inline struct slice slice_of(const krb5_data *data)
{
    return (struct slice){(const uint8_t *)data->data, data->length};
}

/* A copy with a zero at its end, for secret_free or free. SEC_E_INVALID_PARAMETER for a text with a
 * zero in it. */
status_t text_copy(struct slice text, char **out);

/* ---- unix_error.c ---- */

/* On whose behalf something failed: the same error is not the same to each. */
enum error_of {
    ERROR_OF_LOGON,    /* first tickets, from a password or a key */
    ERROR_OF_INITIATE, /* a client's exchange, tickets for services */
    ERROR_OF_PROXY,    /* the same, of a service in its client's name */
    ERROR_OF_ACCEPT,
};

/* What an error of a library means, with the library's words for it. */
status_t error_gss(enum error_of of, OM_uint32 major, OM_uint32 minor, char why[CALL_WHY_SIZE]);
status_t error_krb5(enum error_of of, krb5_context context, krb5_error_code error,
                    char why[CALL_WHY_SIZE]);

/* Says why a call fails, and gives the status back. */
__attribute__((format(printf, 3, 4))) status_t error_say(status_t status, char why[CALL_WHY_SIZE],
                                                         const char *format, ...);

/* ---- unix_origin.c ---- */

/* A copy in memory of a cache in a file. Counted under the lock of its credential. */
struct snapshot {
    char *cache; /* its name */
    unsigned users;
};

#define ORIGIN_TARGETS 16u

/* What a default credential is made of: good for as long as that has not changed. Under the lock of
 * the credential. */
struct origin {
    char *variable;   /* the environment's name for the cache or the keytab; NULL without one */
    char *cache;      /* path of the cache; NULL when it is in no file, or for a keytab */
    struct stat stat; /* of that path */
    struct blob known[ORIGIN_TARGETS]; /* services of which the cache has tickets */
    size_t known_count;
    struct snapshot *snapshot; /* NULL until it is needed */
};

void origin_clear(struct origin *origin);
/* As it is now, before something is made of it. */
void origin_set(struct origin *origin, uint32_t use);
/* Whether what was made of it is still what would be made now. */
bool origin_holds(const struct origin *origin, uint32_t use);

/* Remembers that a ticket for a target was there; a copy for the sake of such a one, or NULL. The
 * caller drops it. */
void origin_learn(struct origin *origin, struct slice target);
struct snapshot *origin_snapshot(struct origin *origin, struct slice target);
void snapshot_drop(struct snapshot *snapshot); /* NULL is fine */

/* Of a cache in memory. */
void cache_destroy(const char *name);

/* What one has in the place of what another had. */
krb5_error_code cache_copy(krb5_context context, krb5_ccache from, krb5_ccache to);

/* The end of making a cache in memory: closes it and gives its name. When that fails, or making it
 * has failed, the cache goes, if there is one, and the error is given back. */
krb5_error_code cache_keep(krb5_context context, krb5_ccache cache, krb5_error_code error,
                           char **name);

/* ---- unix_credentials.c ---- */

/* What the library has for a credential. It lets one thread wait for another that uses the same, so
 * each has its own until it gives it back. */
struct lease {
    struct credential *credential;
    gss_cred_id_t library;
    unsigned age;              /* that the credential had */
    struct snapshot *snapshot; /* the cache that it has in the place of the file; NULL without */
    struct slice used_for;     /* the target of an exchange that succeeded */
    bool failed;               /* one did not: the cache that this found may be gone */
    struct blob principal;     /* initiating: whose tickets they are; empty before the first use */
};

#define SPARE_MAX 8u

/* Not changed any more once it is made, but for what is spare. */
struct credential {
    uint32_t use;        /* one of CALL_USE_ */
    gss_name_t name;     /* NULL for the default one */
    char *cache;         /* MIT: a cache of its own, which goes with it; NULL without */
    bool proxy;          /* its tickets are got by the right of a service */
    gss_cred_id_t whole; /* one that cannot be had again; NULL when name or cache give others */
    pthread_mutex_t lock;
    struct lease spare[SPARE_MAX]; /* which nobody has at the moment */
    size_t spare_count;
    struct origin origin; /* of spare ones of the defaults */
    unsigned age;         /* how often that has changed */
};

unixcall_function credential_acquire, credential_free;

/* A lease of a credential, or for 0 of the default one; to initiate, the target is why. */
status_t credential_take(uint64_t credential, uint32_t use, struct slice target, struct lease *out,
                         char why[CALL_WHY_SIZE]);
void credential_give(struct lease *lease); /* one without a credential is fine */

/* Finds out whose tickets those of a lease are, once they have been used. */
status_t lease_principal(struct lease *lease);

/* The cache of tickets of a credential that initiates, or for 0 the default one; the caller closes
 * it. MIT only. */
status_t credential_cache(uint64_t credential, krb5_context context, krb5_ccache *out,
                          char why[CALL_WHY_SIZE]);

/* A principal's name to the library and back; nothing for GSS_C_NO_NAME. */
status_t name_import(struct slice text, gss_name_t *out, enum error_of of, char why[CALL_WHY_SIZE]);
status_t name_text(gss_name_t name, struct blob *out);

/* How first tickets are asked for, and into which cache they go. */
krb5_error_code login_options(krb5_context context, krb5_ccache cache,
                              krb5_get_init_creds_opt **out);

/* One that has come along with a client; takes it over after a success. */
status_t credential_adopt(gss_cred_id_t delegated, uint64_t *out);

/* ---- unix_proxy.c ---- */

/* The name of a new cache in memory, with which a service acts for the client of a request that it
 * has accepted. MIT only. May wait for a KDC. */
status_t proxy_make(struct slice request, char **out, char why[CALL_WHY_SIZE]);

/* ---- unix_exchange.c ---- */

struct context {
    gss_ctx_id_t library; /* NULL once it is not needed any more */
    bool server;
    bool done;         /* established */
    status_t status;   /* of the last leg */
    uint32_t asked;    /* flags */
    uint32_t flags;    /* granted */
    struct blob queue; /* to be sent */
    gss_name_t peer;   /* client: the target; server: the client, with what its ticket says */
    struct blob client_name,
        server_name; /* of a client, where they are known without the library */
    gss_cred_id_t delegated;
    uint32_t channel_told; /* server: CALL_CHANNEL_TOLD and perhaps _AWARE, once that is known */
    uint8_t channel[16];
    struct user *user;       /* user-to-user: all that is between the legs */
    struct outcome *outcome; /* once it has been asked for */
};

/* The request (AP-REQ) of a client's first token, and its ticket; empty when there is none. */
struct slice request_of(struct slice token);
struct slice ticket_of(struct slice token);

unixcall_function exchange_initiate, exchange_accept, context_free;

/* What a leg has made, for the queue. */
status_t queue_set(struct context *context, struct slice token);

/* ---- unix_channel.c ---- */

/* Keeps what an authenticator says of the client's channel, and that of a request, which it
 * verifies; nothing when that cannot be read. */
void channel_keep(struct context *context, krb5_context library,
                  const krb5_authenticator *authenticator);
void channel_read(struct context *context, struct slice request);

/* ---- unix_facts.c ---- */

/* What an exchange has settled. */
struct outcome {
    struct blob client, server;
    uint64_t start, expiry;
    uint32_t enctype;
    size_t key_size;
    uint8_t key[CALL_KEY_MAX];
    struct blob pac;
    bool carried;         /* what follows; not for an encryption type that core does not know */
    bool acceptor_subkey; /* where the key comes from */
    uint64_t send_sequence, receive_sequence;
};

void outcome_free(struct outcome *outcome); /* wipes; NULL is fine */

/* Whether core makes messages of it. */
bool enctype_is_carried(uint32_t enctype);

unixcall_function context_facts, context_session;

/* ---- unix_protect.c ---- */

unixcall_function message_protect;

/* ---- unix_user.c ---- */

/* A leg of user-to-user, of either side; the last one makes the outcome. */
status_t user_leg(struct context *context, struct kerberos_call_leg *call);
void user_free(struct user *user); /* NULL is fine */

/* ---- unix_tickets.c ---- */

/* A library context with the cache that a call is about. */
struct tickets {
    krb5_context context;
    krb5_ccache cache;
    krb5_principal client; /* NULL when the cache is empty */
    char *why;
};

/* Nothing to close after a failure. */
status_t tickets_open(uint64_t credential, char why[CALL_WHY_SIZE], struct tickets *out);
void tickets_close(struct tickets *tickets);

/* The principal of the ticket-granting ticket; the caller frees it. */
krb5_error_code tickets_granting(const struct tickets *tickets, krb5_principal *out);

/* Whoever reads the name borrows from w, in which the parts are, and from the principal. */
status_t tickets_name(struct writer *w, krb5_const_principal principal, struct kerberos_name *out);

unixcall_function tickets_list, ticket_retrieve, ticket_submit, tickets_purge;

/* ---- unix_password.c ---- */

unixcall_function password_change, account_of;
