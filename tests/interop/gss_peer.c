/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The foreign end of the interoperability test: the host's GSS-API (RFC 2744) with the mechanism
 * gss-ntlmssp, bare or inside MIT's SPNEGO, as client or as server on loopback, once per run. A
 * server knows the accounts of the file that NTLM_USER_FILE names. It never moves its context.
 */
#include "options.h"
#include "tcp.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 1.3.6.1.4.1.311.2.2.10 */
static gss_OID_desc ntlm_oid = {10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_set_desc ntlm_set = {1, &ntlm_oid};

/* 1.3.6.1.5.5.2 */
static gss_OID_desc spnego_oid = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};
static gss_OID_set_desc spnego_set = {1, &spnego_oid};

static bool is_spnego(const struct options *options)
{
    return !strcmp(options->package, "Negotiate");
}

static const char *gss_status_name(uint32_t status)
{
    static char number[32];
    switch (GSS_ROUTINE_ERROR(status)) {
    case GSS_S_BAD_SIG: return "GSS_S_BAD_SIG";
    case GSS_S_NO_CRED: return "GSS_S_NO_CRED";
    case GSS_S_NO_CONTEXT: return "GSS_S_NO_CONTEXT";
    case GSS_S_DEFECTIVE_TOKEN: return "GSS_S_DEFECTIVE_TOKEN";
    case GSS_S_DEFECTIVE_CREDENTIAL: return "GSS_S_DEFECTIVE_CREDENTIAL";
    case GSS_S_FAILURE: return "GSS_S_FAILURE";
    case GSS_S_UNAUTHORIZED: return "GSS_S_UNAUTHORIZED";
    case GSS_S_BAD_MECH: return "GSS_S_BAD_MECH";
    default: break;
    }
    snprintf(number, sizeof(number), "0x%08x", (unsigned)status);
    return number;
}

/* Moves a GSS buffer into one of ours. */
static uint32_t take_buffer(uint32_t major, gss_buffer_t from, struct octets *to)
{
    uint32_t minor;
    if (GSS_ERROR(major)) return major;
    if (octets_alloc(to, from->length)) {
        memcpy(to->data, from->value, from->length);
    } else {
        major = GSS_S_FAILURE;
    }
    gss_release_buffer(&minor, from);
    return GSS_ERROR(major);
}

static gss_buffer_desc as_buffer(const struct octets *octets)
{
    return (gss_buffer_desc){.length = octets->size, .value = octets->data};
}

static uint32_t peer_seal(void *context, const struct octets *text, struct octets *sealed)
{
    gss_buffer_desc in = as_buffer(text), out = GSS_C_EMPTY_BUFFER;
    uint32_t minor;
    int confidential = 0;
    uint32_t major = gss_wrap(&minor, context, 1, GSS_C_QOP_DEFAULT, &in, &confidential, &out);
    major = take_buffer(major, &out, sealed);
    return major || confidential ? major : GSS_S_FAILURE;
}

static uint32_t peer_unseal(void *context, const struct octets *sealed, struct octets *text)
{
    gss_buffer_desc in = as_buffer(sealed), out = GSS_C_EMPTY_BUFFER;
    uint32_t minor;
    int confidential = 0;
    uint32_t major = gss_unwrap(&minor, context, &in, &out, &confidential, NULL);
    major = take_buffer(major, &out, text);
    return major || confidential ? major : GSS_S_FAILURE;
}

static uint32_t peer_sign(void *context, const struct octets *text, struct octets *signature)
{
    gss_buffer_desc in = as_buffer(text), out = GSS_C_EMPTY_BUFFER;
    uint32_t minor;
    uint32_t major = gss_get_mic(&minor, context, GSS_C_QOP_DEFAULT, &in, &out);
    return take_buffer(major, &out, signature);
}

static uint32_t peer_verify(void *context, const struct octets *text,
                            const struct octets *signature)
{
    gss_buffer_desc in = as_buffer(text), mic = as_buffer(signature);
    uint32_t minor;
    return GSS_ERROR(gss_verify_mic(&minor, context, &in, &mic, NULL));
}

static const struct dialogue_ops peer_ops = {
    .seal = peer_seal,
    .unseal = peer_unseal,
    .sign = peer_sign,
    .verify = peer_verify,
    .status_name = gss_status_name,
    .write = tcp_write,
    .read = tcp_read,
};

static uint32_t import_name(const char *text, gss_OID type, gss_name_t *name)
{
    gss_buffer_desc buffer = {.length = strlen(text), .value = (void *)text};
    uint32_t minor;
    return gss_import_name(&minor, &buffer, type, name);
}

static uint32_t acquire_client(const struct options *options, gss_cred_id_t *cred)
{
    char account[sizeof(options->domain) + sizeof(options->user) + 1];
    snprintf(account, sizeof(account), "%s\\%s", options->domain, options->user);
    gss_buffer_desc password = {.length = strlen(options->password),
                                .value = (void *)options->password};
    gss_name_t name = GSS_C_NO_NAME;
    uint32_t minor;
    uint32_t major = import_name(account, GSS_C_NT_USER_NAME, &name);
    if (!GSS_ERROR(major)) {
        major = gss_acquire_cred_with_password(&minor, name, &password, GSS_C_INDEFINITE,
                                               is_spnego(options) ? &spnego_set : &ntlm_set,
                                               GSS_C_INITIATE, cred, NULL, NULL);
    }
    gss_release_name(&minor, &name);
    return major;
}

static bool initiate(struct dialogue *dialogue, gss_cred_id_t cred, gss_name_t target,
                     gss_OID mechanism)
{
    const OM_uint32 flags = GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG |
                            GSS_C_SEQUENCE_FLAG;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    struct octets token = {0};
    bool good = true;
    uint32_t major, minor;
    do {
        gss_buffer_desc in = as_buffer(&token), out = GSS_C_EMPTY_BUFFER;
        major = gss_init_sec_context(&minor, cred, &context, target, mechanism, flags, 0,
                                     GSS_C_NO_CHANNEL_BINDINGS, &in, NULL, &out, NULL, NULL);
        octets_clear(&token);
        dialogue->context = context;
        if (GSS_ERROR(major)) {
            good = dialogue_fail(dialogue, "initiate", gss_status_name(major));
        } else if (out.length) {
            good = dialogue_send_token(dialogue, out.value, out.length);
        }
        gss_release_buffer(&minor, &out);
        good = good && (major != GSS_S_CONTINUE_NEEDED || dialogue_receive(dialogue, &token));
    } while (good && major == GSS_S_CONTINUE_NEEDED);
    octets_clear(&token);
    return good;
}

static bool accept_context(struct dialogue *dialogue, gss_cred_id_t cred, gss_name_t *client)
{
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    struct octets token = {0};
    bool good = true;
    uint32_t major = GSS_S_CONTINUE_NEEDED, minor;
    while (good && major == GSS_S_CONTINUE_NEEDED) {
        if (!dialogue_receive(dialogue, &token)) return false;
        gss_buffer_desc in = as_buffer(&token), out = GSS_C_EMPTY_BUFFER;
        major = gss_accept_sec_context(&minor, &context, cred, &in, GSS_C_NO_CHANNEL_BINDINGS,
                                       client, NULL, &out, NULL, NULL, NULL);
        octets_clear(&token);
        dialogue->context = context;
        if (GSS_ERROR(major)) {
            good = dialogue_fail(dialogue, "accept", gss_status_name(major));
        } else if (out.length) {
            good = dialogue_send_token(dialogue, out.value, out.length);
        }
        gss_release_buffer(&minor, &out);
    }
    return good;
}

static void print_client(gss_name_t client)
{
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    uint32_t minor;
    if (GSS_ERROR(gss_display_name(&minor, client, &text, NULL))) return;
    printf("client: %.*s\n", (int)text.length, (const char *)text.value);
    gss_release_buffer(&minor, &text);
}

static bool authenticate(struct dialogue *dialogue, const struct options *options)
{
    gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
    gss_name_t name = GSS_C_NO_NAME;
    uint32_t major, minor;
    bool good = false;

    if (options->server) {
        major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
                                 is_spnego(options) ? &spnego_set : &ntlm_set, GSS_C_ACCEPT, &cred,
                                 NULL, NULL);
    } else {
        major = acquire_client(options, &cred);
        if (!GSS_ERROR(major)) {
            major = import_name("test@localhost", GSS_C_NT_HOSTBASED_SERVICE, &name);
        }
    }
    /* The library's SPNEGO would offer every mechanism that it has. */
    if (!GSS_ERROR(major) && is_spnego(options)) {
        major = gss_set_neg_mechs(&minor, cred, &ntlm_set);
    }
    if (GSS_ERROR(major)) {
        dialogue_fail(dialogue, "acquire", gss_status_name(major));
        goto done;
    }
    good = options->server
               ? accept_context(dialogue, cred, &name)
               : initiate(dialogue, cred, name, is_spnego(options) ? &spnego_oid : &ntlm_oid);
    if (good && options->server) print_client(name);
done:
    gss_release_name(&minor, &name);
    gss_release_cred(&minor, &cred);
    return good;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!options_parse(&options, argc, argv)) return 2;
    if (options.move || options.move_after_leg || options.successor) {
        fprintf(stderr, "%s: this end does not move\n", argv[0]);
        return 2;
    }
    int channel = tcp_open(&options);
    if (channel < 0) return EXIT_FAILURE;
    struct dialogue dialogue = {
        .ops = &peer_ops,
        .channel = channel,
        .server = options.server,
        .tamper = options.tamper,
        .tamper_round = options.rounds ? options.rounds - 1 : 0,
    };
    if (authenticate(&dialogue, &options)) {
        dialogue_progress("authenticated");
        dialogue_run(&dialogue, 0, options.rounds);
    }
    uint32_t minor;
    gss_ctx_id_t context = dialogue.context;
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    close(channel);
    return options_report(&dialogue, &options);
}
