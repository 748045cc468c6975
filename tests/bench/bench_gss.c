/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The benchmark's figures by the host's GSS-API (RFC 2744), client and server in this process: for
 * NTLM with the mechanism gss-ntlmssp, bare or inside MIT's SPNEGO, where NTLM_USER_FILE must name
 * a file with the account BENCH:bench:Password; and for Kerberos, with the tickets and keys that
 * are there, and with both ends authenticated.
 */
#include "bench.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_THREADS = 8 };

struct bench_pair {
    gss_ctx_id_t client, server;
};

/* 1.3.6.1.4.1.311.2.2.10 */
static gss_OID_desc ntlm_oid = {10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_set_desc ntlm_set = {1, &ntlm_oid};

/* 1.3.6.1.5.5.2 */
static gss_OID_desc spnego_oid = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};
static gss_OID_set_desc spnego_set = {1, &spnego_oid};

/* 1.2.840.113554.1.2.2 */
static gss_OID_desc kerberos_oid = {9, (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_set_desc kerberos_set = {1, &kerberos_oid};

static enum { NTLM, SPNEGO, KERBEROS } measured; /* SPNEGO with gss-ntlmssp inside */

static gss_cred_id_t client_cred, server_cred;
static gss_name_t target;
static gss_buffer_desc kept_negotiate; /* answered by every half-open server */

static bool report(const char *call, OM_uint32 major)
{
    if (!GSS_ERROR(major)) return true;
    fprintf(stderr, "%s: 0x%08x\n", call, (unsigned)major);
    return false;
}

static OM_uint32 import_name(const char *text, gss_OID type, gss_name_t *name)
{
    gss_buffer_desc buffer = {strlen(text), (void *)text};
    OM_uint32 minor;
    return gss_import_name(&minor, &buffer, type, name);
}

static gss_OID_set mechanisms(void)
{
    return measured == KERBEROS ? &kerberos_set : measured == SPNEGO ? &spnego_set : &ntlm_set;
}

/* The user's tickets, or the account. */
static bool acquire_client(void)
{
    gss_buffer_desc password = {strlen("Password"), (void *)"Password"};
    gss_name_t user = GSS_C_NO_NAME;
    OM_uint32 minor;
    if (measured == KERBEROS)
        return report("gss_acquire_cred",
                      gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, mechanisms(),
                                       GSS_C_INITIATE, &client_cred, NULL, NULL));
    OM_uint32 major = import_name("BENCH\\bench", GSS_C_NT_USER_NAME, &user);
    if (!GSS_ERROR(major)) {
        major = gss_acquire_cred_with_password(&minor, user, &password, GSS_C_INDEFINITE,
                                               mechanisms(), GSS_C_INITIATE, &client_cred, NULL,
                                               NULL);
    }
    gss_release_name(&minor, &user);
    return report("gss_acquire_cred_with_password", major);
}

static bool host_set_up(void)
{
    OM_uint32 minor;
    if (!acquire_client()) return false;
    OM_uint32 major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, mechanisms(),
                                       GSS_C_ACCEPT, &server_cred, NULL, NULL);
    if (!report("gss_acquire_cred", major)) return false;
    if (measured == SPNEGO &&
        (!report("gss_set_neg_mechs", gss_set_neg_mechs(&minor, client_cred, &ntlm_set)) ||
         !report("gss_set_neg_mechs", gss_set_neg_mechs(&minor, server_cred, &ntlm_set)))) {
        return false;
    }
    return report("gss_import_name",
                  import_name("bench@localhost", GSS_C_NT_HOSTBASED_SERVICE, &target));
}

static OM_uint32 initiate(gss_ctx_id_t *context, gss_buffer_t in, gss_buffer_t out)
{
    const OM_uint32 flags = GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG |
                            GSS_C_SEQUENCE_FLAG | (measured == KERBEROS ? GSS_C_MUTUAL_FLAG : 0);
    OM_uint32 minor;
    return gss_init_sec_context(&minor, client_cred, context, target, mechanisms()->elements, flags,
                                0, GSS_C_NO_CHANNEL_BINDINGS, in, NULL, out, NULL, NULL);
}

static OM_uint32 accept_token(gss_ctx_id_t *context, gss_buffer_t in, gss_buffer_t out)
{
    OM_uint32 minor;
    return gss_accept_sec_context(&minor, context, server_cred, in, GSS_C_NO_CHANNEL_BINDINGS, NULL,
                                  NULL, out, NULL, NULL, NULL);
}

static void host_pair_free(struct bench_pair *pair)
{
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &pair->client, GSS_C_NO_BUFFER);
    gss_delete_sec_context(&minor, &pair->server, GSS_C_NO_BUFFER);
    free(pair);
}

/* Until both ends are content, or until the server has answered once. */
static bool shake_hands(struct bench_pair *pair, bool half)
{
    gss_buffer_desc from_client = GSS_C_EMPTY_BUFFER, from_server = GSS_C_EMPTY_BUFFER;
    OM_uint32 client = GSS_S_CONTINUE_NEEDED, server = GSS_S_CONTINUE_NEEDED, minor;
    for (bool more = true; more && (client || server);) {
        gss_release_buffer(&minor, &from_client);
        client = initiate(&pair->client, from_server.length ? &from_server : NULL, &from_client);
        more = report("gss_init_sec_context", client) && from_client.length;
        if (!more) break;
        gss_release_buffer(&minor, &from_server);
        server = accept_token(&pair->server, &from_client, &from_server);
        more = report("gss_accept_sec_context", server) && !half;
    }
    gss_release_buffer(&minor, &from_client);
    gss_release_buffer(&minor, &from_server);
    return half ? server == GSS_S_CONTINUE_NEEDED : !client && !server;
}

static struct bench_pair *make_pair(bool half)
{
    struct bench_pair *pair = calloc(1, sizeof(*pair));
    if (pair && shake_hands(pair, half)) return pair;
    if (pair) host_pair_free(pair);
    return NULL;
}

static struct bench_pair *host_pair_create(void)
{
    return make_pair(false);
}

static struct bench_pair *host_pair_begin(void)
{
    return make_pair(true);
}

static bool host_keep_half_open(bool server)
{
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    if (server && !kept_negotiate.value &&
        !report("gss_init_sec_context", initiate(&context, NULL, &kept_negotiate))) {
        return false;
    }
    context = GSS_C_NO_CONTEXT;
    OM_uint32 major = server ? accept_token(&context, &kept_negotiate, &token)
                             : initiate(&context, NULL, &token);
    gss_release_buffer(&minor, &token);
    return report(server ? "gss_accept_sec_context" : "gss_init_sec_context", major);
}

/* The allocated result of a slot, empty. */
static gss_buffer_t renew(void **result)
{
    OM_uint32 minor;
    if (!*result) *result = calloc(1, sizeof(gss_buffer_desc));
    if (*result) gss_release_buffer(&minor, *result);
    return *result;
}

static bool host_seal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    gss_buffer_desc in = {slot->size, slot->text};
    gss_buffer_t out = renew(&slot->sealed);
    OM_uint32 minor;
    return out && report("gss_wrap", gss_wrap(&minor, from_server ? pair->server : pair->client, 1,
                                              GSS_C_QOP_DEFAULT, &in, NULL, out));
}

static bool host_unseal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    if (!report("gss_unwrap", gss_unwrap(&minor, from_server ? pair->client : pair->server,
                                         slot->sealed, &out, NULL, NULL))) {
        return false;
    }
    bool same = out.length == slot->size;
    gss_release_buffer(&minor, &out);
    return same;
}

static bool host_sign(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    gss_buffer_desc in = {slot->size, slot->text};
    gss_buffer_t out = renew(&slot->signature);
    OM_uint32 minor;
    return out &&
           report("gss_get_mic", gss_get_mic(&minor, from_server ? pair->server : pair->client,
                                             GSS_C_QOP_DEFAULT, &in, out));
}

static bool host_verify(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    gss_buffer_desc in = {slot->size, slot->text};
    OM_uint32 minor;
    return report("gss_verify_mic",
                  gss_verify_mic(&minor, from_server ? pair->client : pair->server, &in,
                                 slot->signature, NULL));
}

static void host_slot_clear(struct bench_slot *slot)
{
    OM_uint32 minor;
    if (slot->sealed) gss_release_buffer(&minor, slot->sealed);
    if (slot->signature) gss_release_buffer(&minor, slot->signature);
    free(slot->sealed);
    free(slot->signature);
}

static bool host_export_server(struct bench_pair *pair, struct bench_blob *blob)
{
    gss_buffer_desc exported = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    if (!report("gss_export_sec_context",
                gss_export_sec_context(&minor, &pair->server, &exported))) {
        return false;
    }
    blob->data = exported.value;
    blob->size = exported.length;
    return true;
}

static bool host_import_server(struct bench_pair *pair, struct bench_blob *blob)
{
    gss_buffer_desc exported = {blob->size, blob->data};
    OM_uint32 minor;
    OM_uint32 major = gss_import_sec_context(&minor, &exported, &pair->server);
    gss_release_buffer(&minor, &exported);
    return report("gss_import_sec_context", major);
}

struct start {
    void (*work)(void *);
    void *item;
};

static void *run_thread(void *parameter)
{
    const struct start *start = parameter;
    start->work(start->item);
    return NULL;
}

static bool host_together(unsigned count, void (*work)(void *), void **items)
{
    struct start starts[MOST_THREADS];
    pthread_t threads[MOST_THREADS];
    unsigned running = 0;
    while (running < count && running < MOST_THREADS) {
        starts[running] = (struct start){work, items[running]};
        if (pthread_create(&threads[running], NULL, run_thread, &starts[running])) break;
        running++;
    }
    for (unsigned i = 0; i < running; i++) pthread_join(threads[i], NULL);
    return running == count;
}

static const struct bench_ops host_ops = {
    .set_up = host_set_up,
    .pair_create = host_pair_create,
    .pair_begin = host_pair_begin,
    .pair_free = host_pair_free,
    .keep_half_open = host_keep_half_open,
    .seal = host_seal,
    .unseal = host_unseal,
    .sign = host_sign,
    .verify = host_verify,
    .slot_clear = host_slot_clear,
    .export_server = host_export_server,
    .import_server = host_import_server,
    .together = host_together,
};

/* The first argument may be package=NTLM, package=Negotiate or package=Kerberos. */
int main(int argc, char **argv)
{
    if (argc > 1 && !strncmp(argv[1], "package=", strlen("package="))) {
        if (!strcmp(argv[1], "package=Negotiate")) measured = SPNEGO;
        if (!strcmp(argv[1], "package=Kerberos")) measured = KERBEROS;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    return bench_run(&host_ops, argc, argv);
}
