/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The foreign end of the interoperability test of SASL: Cyrus SASL with its mechanism GSS-SPNEGO or
 * GSSAPI (--package), as client or as server on loopback, once per run. A client has an account of
 * gss-ntlmssp, or whatever the host's GSS-API has by default; a GSSAPI server takes whatever that
 * takes. A frame of the server begins with whether it has succeeded. Messages go without the length
 * that Cyrus puts before them.
 */
#include "options.h"
#include "tcp.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <sasl/sasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LENGTH = 4, MOST_BYTES = 0xFFFFFF };

struct peer {
    sasl_conn_t *connection;
    const char *mechanism;
    bool layered; /* messages have a length before them */
    gss_cred_id_t credential;
};

/* 1.3.6.1.4.1.311.2.2.10 */
static gss_OID_desc ntlm_oid = {10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_set_desc ntlm_set = {1, &ntlm_oid};

/* 1.3.6.1.5.5.2 */
static gss_OID_desc spnego_oid = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};
static gss_OID_set_desc spnego_set = {1, &spnego_oid};

static const char *cyrus_status_name(uint32_t status)
{
    static char number[32];
    switch ((int)status) {
    case SASL_FAIL: return "SASL_FAIL";
    case SASL_BADPROT: return "SASL_BADPROT";
    case SASL_BADAUTH: return "SASL_BADAUTH";
    case SASL_BADMAC: return "SASL_BADMAC";
    case SASL_NOMECH: return "SASL_NOMECH";
    case SASL_TOOWEAK: return "SASL_TOOWEAK";
    case SASL_BADPARAM: return "SASL_BADPARAM";
    default: break;
    }
    snprintf(number, sizeof(number), "SASL %d", (int)status);
    return number;
}

/* ---- messages ---- */

static uint32_t peer_seal(void *context, const struct octets *text, struct octets *sealed)
{
    struct peer *peer = context;
    const char *made;
    unsigned size;
    int status = sasl_encode(peer->connection, (const char *)text->data, (unsigned)text->size,
                             &made, &size);
    if (status != SASL_OK) return (uint32_t)status;
    const size_t head = peer->layered ? LENGTH : 0;
    if (size < head || !octets_alloc(sealed, size - head)) return (uint32_t)SASL_NOMEM;
    if (sealed->size) memcpy(sealed->data, made + head, sealed->size);
    return SASL_OK;
}

static uint32_t peer_unseal(void *context, const struct octets *sealed, struct octets *text)
{
    struct peer *peer = context;
    struct octets whole = {0};
    const char *made;
    unsigned size = 0;
    const size_t head = peer->layered ? LENGTH : 0;
    if (!octets_alloc(&whole, sealed->size + head)) return (uint32_t)SASL_NOMEM;
    for (size_t i = 0; i < head; i++)
        whole.data[i] = (uint8_t)(sealed->size >> (8 * (LENGTH - 1 - i)));
    if (sealed->size) memcpy(whole.data + head, sealed->data, sealed->size);
    int status = sasl_decode(peer->connection, (const char *)whole.data, (unsigned)whole.size,
                             &made, &size);
    octets_clear(&whole);
    if (status == SASL_OK && !octets_alloc(text, size)) status = SASL_NOMEM;
    if (status == SASL_OK && size) memcpy(text->data, made, size);
    return (uint32_t)status;
}

/* SASL knows one kind of message; a signature is one beside the text. */
static uint32_t peer_verify(void *context, const struct octets *text,
                            const struct octets *signature)
{
    struct octets found = {0};
    uint32_t status = peer_unseal(context, signature, &found);
    bool same = found.size == text->size &&
                (!found.size || !memcmp(found.data, text->data, found.size));
    if (!status && !same) status = (uint32_t)SASL_BADMAC;
    octets_clear(&found);
    return status;
}

static const struct dialogue_ops peer_ops = {
    .seal = peer_seal,
    .unseal = peer_unseal,
    .sign = peer_seal,
    .verify = peer_verify,
    .status_name = cyrus_status_name,
    .write = tcp_write,
    .read = tcp_read,
};

/* ---- set-up ---- */

/* No database of passwords, no other mechanism. */
static int get_option(void *context, const char *plugin, const char *option, const char **result,
                      unsigned *length)
{
    (void)plugin;
    *result = NULL;
    if (!strcmp(option, "mech_list")) *result = context;
    if (!strcmp(option, "log_level")) *result = "0";
    if (length) *length = *result ? (unsigned)strlen(*result) : 0;
    return *result ? SASL_OK : SASL_FAIL;
}

/* A client acts for itself. */
static int get_name(void *context, int id, const char **result, unsigned *length)
{
    (void)context;
    (void)id;
    *result = "";
    if (length) *length = 0;
    return SASL_OK;
}

static sasl_callback_t callbacks[] = {
    {SASL_CB_GETOPT, (int (*)(void))(void *)get_option, NULL}, /* and the mechanism */
    {SASL_CB_USER, (int (*)(void))(void *)get_name, NULL},
    {SASL_CB_LIST_END, NULL, NULL},
};

static sasl_security_properties_t properties_of(const char *layer)
{
    sasl_security_properties_t properties = {.max_ssf = 256, .maxbufsize = MOST_BYTES};
    if (!strcmp(layer, "none")) properties.max_ssf = 0;
    if (!strcmp(layer, "integrity")) properties.min_ssf = properties.max_ssf = 1;
    if (!strcmp(layer, "privacy")) properties.min_ssf = 2;
    return properties;
}

/* The client's account, with NTLM as the only mechanism to offer. */
static bool acquire(struct peer *peer, const struct options *options)
{
    char account[sizeof(options->domain) + sizeof(options->user) + 1];
    snprintf(account, sizeof(account), "%s\\%s", options->domain, options->user);
    gss_buffer_desc text = {.length = strlen(account), .value = account};
    gss_buffer_desc password = {.length = strlen(options->password),
                                .value = (void *)options->password};
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 minor;
    OM_uint32 major = gss_import_name(&minor, &text, GSS_C_NT_USER_NAME, &name);
    if (!GSS_ERROR(major))
        major = gss_acquire_cred_with_password(&minor, name, &password, GSS_C_INDEFINITE,
                                               &spnego_set, GSS_C_INITIATE, &peer->credential, NULL,
                                               NULL);
    if (!GSS_ERROR(major)) major = gss_set_neg_mechs(&minor, peer->credential, &ntlm_set);
    gss_release_name(&minor, &name);
    return !GSS_ERROR(major) &&
           sasl_setprop(peer->connection, SASL_GSS_CREDS, peer->credential) == SASL_OK;
}

static int open_connection(struct peer *peer, const struct options *options)
{
    sasl_security_properties_t properties = properties_of(options->layer);
    callbacks[0].context = (void *)peer->mechanism;
    int status = options->server ? sasl_server_init(callbacks, "winesspi")
                                 : sasl_client_init(callbacks);
    if (status == SASL_OK && options->server)
        status = sasl_server_new("test", "localhost", NULL, NULL, NULL, callbacks, 0,
                                 &peer->connection);
    else if (status == SASL_OK)
        status = sasl_client_new("test", "localhost", NULL, NULL, callbacks, 0, &peer->connection);
    if (status == SASL_OK) status = sasl_setprop(peer->connection, SASL_SEC_PROPS, &properties);
    if (status == SASL_OK && !options->server && !options->by_default && !acquire(peer, options))
        status = SASL_FAIL;
    return status;
}

/* ---- handshake ---- */

static bool refuse(struct dialogue *dialogue, const char *step, int status)
{
    struct peer *peer = dialogue->context;
    if (peer->connection) fprintf(stderr, "%s\n", sasl_errdetail(peer->connection));
    return dialogue_fail(dialogue, step, cyrus_status_name((uint32_t)status));
}

static bool send_frame(struct dialogue *dialogue, int done, const char *token, unsigned size)
{
    struct octets frame = {0};
    const size_t head = done < 0 ? 0 : 1;
    if (!octets_alloc(&frame, size + head)) return dialogue_fail(dialogue, "send", "out of memory");
    if (head) frame.data[0] = (uint8_t)done;
    if (size) memcpy(frame.data + head, token, size);
    bool good = dialogue_send(dialogue, &frame);
    octets_clear(&frame);
    return good;
}

static bool serve(struct dialogue *dialogue)
{
    struct peer *peer = dialogue->context;
    int status = SASL_CONTINUE;
    for (bool first = true; status == SASL_CONTINUE; first = false) {
        struct octets token = {0};
        const char *out = NULL;
        unsigned size = 0;
        if (!dialogue_receive(dialogue, &token)) return false;
        const char *in = token.data ? (const char *)token.data : "";
        if (first)
            status = sasl_server_start(peer->connection, peer->mechanism, in, (unsigned)token.size,
                                       &out, &size);
        else status = sasl_server_step(peer->connection, in, (unsigned)token.size, &out, &size);
        octets_clear(&token);
        if (status != SASL_OK && status != SASL_CONTINUE) return refuse(dialogue, "accept", status);
        if (!send_frame(dialogue, status == SASL_OK, out, size)) return false;
    }
    return true;
}

static bool ask(struct dialogue *dialogue)
{
    struct peer *peer = dialogue->context;
    const char *out = NULL, *mechanism;
    unsigned size = 0;
    int status = sasl_client_start(peer->connection, peer->mechanism, NULL, &out, &size,
                                   &mechanism);
    bool done = false;
    while (status == SASL_OK || status == SASL_CONTINUE) {
        struct octets frame = {0};
        if (!done && !send_frame(dialogue, -1, out, size)) return false;
        if (done) return status == SASL_OK || refuse(dialogue, "initiate", status);
        if (!dialogue_receive(dialogue, &frame)) return false;
        done = frame.size && frame.data[0];
        if (done && frame.size == 1 && status == SASL_OK) {
            octets_clear(&frame);
            return true;
        }
        status = frame.size ? sasl_client_step(peer->connection, (const char *)frame.data + 1,
                                               (unsigned)frame.size - 1, NULL, &out, &size)
                            : SASL_BADPROT;
        octets_clear(&frame);
    }
    return refuse(dialogue, "initiate", status);
}

static void print_agreed(struct peer *peer, bool server)
{
    const void *value = NULL;
    if (sasl_getprop(peer->connection, SASL_SSF, &value) == SASL_OK) {
        printf("strength: %u\n", *(const unsigned *)value);
        peer->layered = *(const unsigned *)value > 0;
    }
    if (server && sasl_getprop(peer->connection, SASL_USERNAME, &value) == SASL_OK)
        printf("client: %s\n", (const char *)value);
}

int main(int argc, char **argv)
{
    struct options options;
    if (!options_parse(&options, argc, argv)) return 2;
    int channel = tcp_open(&options);
    if (channel < 0) return EXIT_FAILURE;
    struct peer peer = {.mechanism = options.package, .credential = GSS_C_NO_CREDENTIAL};
    struct dialogue dialogue = {
        .ops = &peer_ops,
        .context = &peer,
        .channel = channel,
        .server = options.server,
        .tamper = options.tamper,
        .tamper_round = options.rounds ? options.rounds - 1 : 0,
    };
    int status = open_connection(&peer, &options);
    bool good = status == SASL_OK ? (options.server ? serve(&dialogue) : ask(&dialogue))
                                  : refuse(&dialogue, "acquire", status);
    if (good) {
        print_agreed(&peer, options.server);
        dialogue_progress("authenticated");
        dialogue_run(&dialogue, 0, options.rounds);
    }
    OM_uint32 minor;
    sasl_dispose(&peer.connection);
    gss_release_cred(&minor, &peer.credential);
    sasl_done();
    close(channel);
    return options_report(&dialogue, &options);
}
