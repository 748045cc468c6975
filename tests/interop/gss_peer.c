/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The foreign end of the interoperability test: the host's GSS-API (RFC 2744) with Kerberos or the
 * mechanism gss-ntlmssp, bare or inside SPNEGO, as client or as server on loopback, once per run.
 * A server knows the accounts of the file that NTLM_USER_FILE names and the keys of KRB5_KTNAME.
 * It never moves its context.
 */
#include "gss_side.h"
#include "tcp.h"

#include <gssapi/gssapi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 1.3.6.1.4.1.311.2.2.10, 1.2.840.113554.1.2.2, 1.3.6.1.5.5.2 */
static gss_OID_desc ntlm_oid = {10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_desc kerberos_oid = {9, (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_desc spnego_oid = {6, (void *)"\x2b\x06\x01\x05\x05\x02"};
/* 1.2.840.113554.1.2.2.1: RFC 1964 2.1.1 */
static gss_OID_desc principal_oid = {10, (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01"};

static bool is_spnego(const struct options *options)
{
    return !strcmp(options->package, "Negotiate");
}

static gss_OID mechanism_of(const struct options *options)
{
    if (is_spnego(options)) return &spnego_oid;
    return strcmp(options->package, "Kerberos") ? &ntlm_oid : &kerberos_oid;
}

/* What SPNEGO offers and takes; the library's own choice would be everything that it has. */
static uint32_t set_inside(const struct options *options, gss_cred_id_t cred)
{
    gss_OID_desc both[] = {kerberos_oid, ntlm_oid};
    gss_OID_set_desc set = {1, both};
    uint32_t minor;
    if (!strcmp(options->inside, "both")) set.count = 2;
    if (!strcmp(options->inside, "NTLM")) set.elements = &both[1];
    return gss_set_neg_mechs(&minor, cred, &set);
}

static uint32_t import_name(const char *text, gss_OID type, gss_name_t *name)
{
    gss_buffer_desc buffer = {.length = strlen(text), .value = (void *)text};
    uint32_t minor;
    return gss_import_name(&minor, &buffer, type, name);
}

static uint32_t import_client(const struct options *options, gss_name_t *name)
{
    char account[sizeof(options->domain) + sizeof(options->user) + 1];
    if (strcmp(options->package, "Kerberos")) {
        snprintf(account, sizeof(account), "%s\\%s", options->domain, options->user);
    } else {
        snprintf(account, sizeof(account), "%s@%s", options->user, options->domain);
    }
    return import_name(account, GSS_C_NT_USER_NAME, name);
}

static uint32_t acquire(const struct options *options, gss_cred_id_t *cred)
{
    const bool with_password = !options->server && !options->by_default;
    gss_buffer_desc password = {.length = strlen(options->password),
                                .value = (void *)options->password};
    gss_OID_set_desc set = {1, mechanism_of(options)};
    gss_name_t name = GSS_C_NO_NAME;
    uint32_t major, minor;
    if (with_password) {
        major = import_client(options, &name);
        if (!GSS_ERROR(major)) {
            major = gss_acquire_cred_with_password(&minor, name, &password, GSS_C_INDEFINITE, &set,
                                                   GSS_C_INITIATE, cred, NULL, NULL);
        }
        gss_release_name(&minor, &name);
    } else {
        major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &set,
                                 options->server ? GSS_C_ACCEPT : GSS_C_INITIATE, cred, NULL, NULL);
    }
    if (!GSS_ERROR(major) && is_spnego(options)) major = set_inside(options, *cred);
    return major;
}

/* NULL without; what it points to is the options'. */
static gss_channel_bindings_t bindings_of(const struct options *options,
                                          struct gss_channel_bindings_struct *out)
{
    if (!options->bindings[0]) return GSS_C_NO_CHANNEL_BINDINGS;
    *out = (struct gss_channel_bindings_struct){
        .application_data = {strlen(options->bindings), (void *)options->bindings}};
    return out;
}

static OM_uint32 flags_asked(const struct options *options)
{
    OM_uint32 flags = GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
    if (strcmp(options->layer, "integrity")) flags |= GSS_C_CONF_FLAG;
    if (options->ask & ASK_MUTUAL) flags |= GSS_C_MUTUAL_FLAG;
    if (options->ask & ASK_DELEGATE) flags |= GSS_C_DELEG_FLAG;
    if (options->ask & ASK_DCE_STYLE) flags |= GSS_C_DCE_STYLE;
    return flags;
}

/* Kerberos grants what is asked for and nothing else; what SPNEGO and NTLM say is theirs. */
static bool check_flags(struct dialogue *dialogue, const struct options *options, OM_uint32 flags)
{
    const OM_uint32 mask = GSS_C_MUTUAL_FLAG | GSS_C_DELEG_FLAG | GSS_C_DCE_STYLE;
    if (strcmp(options->package, "Kerberos")) return true;
    if ((flags & mask) == (flags_asked(options) & mask)) return true;
    printf("flags: 0x%x\n", (unsigned)flags);
    return dialogue_fail(dialogue, "flags", "not those that were asked for");
}

static bool initiate(struct dialogue *dialogue, const struct options *options, gss_cred_id_t cred,
                     gss_name_t target)
{
    struct gss_side *side = dialogue->context;
    struct gss_channel_bindings_struct storage;
    gss_channel_bindings_t bindings = bindings_of(options, &storage);
    struct octets token = {0};
    OM_uint32 flags = 0;
    bool good = true;
    uint32_t major, minor;
    do {
        gss_buffer_desc in = {token.size, token.data}, out = GSS_C_EMPTY_BUFFER;
        major = gss_init_sec_context(&minor, cred, &side->context, target, mechanism_of(options),
                                     flags_asked(options), 0, bindings, &in, NULL, &out, &flags,
                                     NULL);
        octets_clear(&token);
        if (GSS_ERROR(major)) {
            good = dialogue_fail(dialogue, "initiate", gss_side_status_name(major));
        } else if (out.length) {
            good = dialogue_send_token(dialogue, out.value, out.length);
        }
        gss_release_buffer(&minor, &out);
        good = good && (major != GSS_S_CONTINUE_NEEDED || dialogue_receive(dialogue, &token));
    } while (good && major == GSS_S_CONTINUE_NEEDED);
    octets_clear(&token);
    return good && check_flags(dialogue, options, flags);
}

static void print_name(const char *what, gss_name_t name)
{
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    uint32_t minor;
    if (GSS_ERROR(gss_display_name(&minor, name, &text, NULL))) return;
    printf("%s: %.*s\n", what, (int)text.length, (const char *)text.value);
    gss_release_buffer(&minor, &text);
}

/* A delegated credential is good for something: a ticket for another service comes of it. */
static bool use_delegated(struct dialogue *dialogue, gss_cred_id_t delegated)
{
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t name = GSS_C_NO_NAME, target = GSS_C_NO_NAME;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    uint32_t minor;
    uint32_t major = gss_inquire_cred(&minor, delegated, &name, NULL, NULL, NULL);
    if (!GSS_ERROR(major)) major = import_name("other/localhost", &principal_oid, &target);
    if (!GSS_ERROR(major)) {
        major = gss_init_sec_context(&minor, delegated, &context, target, &kerberos_oid, 0, 0,
                                     GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER, NULL, &out, NULL,
                                     NULL);
    }
    if (!GSS_ERROR(major)) print_name("delegated", name);
    gss_release_buffer(&minor, &out);
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    gss_release_name(&minor, &target);
    gss_release_name(&minor, &name);
    return !GSS_ERROR(major) || dialogue_fail(dialogue, "delegated", gss_side_status_name(major));
}

static bool accept_context(struct dialogue *dialogue, const struct options *options,
                           gss_cred_id_t cred, gss_name_t *client)
{
    struct gss_side *side = dialogue->context;
    struct gss_channel_bindings_struct storage;
    gss_channel_bindings_t bindings = bindings_of(options, &storage);
    gss_cred_id_t delegated = GSS_C_NO_CREDENTIAL;
    struct octets token = {0};
    OM_uint32 flags = 0;
    bool good = true;
    uint32_t major = GSS_S_CONTINUE_NEEDED, minor;
    while (good && major == GSS_S_CONTINUE_NEEDED) {
        if (!dialogue_receive(dialogue, &token)) return false;
        gss_buffer_desc in = {token.size, token.data}, out = GSS_C_EMPTY_BUFFER;
        major = gss_accept_sec_context(&minor, &side->context, cred, &in, bindings, client, NULL,
                                       &out, &flags, NULL, &delegated);
        octets_clear(&token);
        if (GSS_ERROR(major)) {
            good = dialogue_fail(dialogue, "accept", gss_side_status_name(major));
        } else if (out.length) {
            good = dialogue_send_token(dialogue, out.value, out.length);
        }
        gss_release_buffer(&minor, &out);
    }
    if (good && delegated) good = use_delegated(dialogue, delegated);
    gss_release_cred(&minor, &delegated);
    return good && check_flags(dialogue, options, flags);
}

static bool authenticate(struct dialogue *dialogue, const struct options *options)
{
    /* NTLM knows no principals. */
    const bool kerberos = !strcmp(options->package, "Kerberos") ||
                          (is_spnego(options) && !strcmp(options->inside, "Kerberos"));
    gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
    gss_name_t name = GSS_C_NO_NAME;
    bool good = false;
    uint32_t minor;
    uint32_t major = acquire(options, &cred);
    if (!GSS_ERROR(major) && !options->server) {
        major = import_name(kerberos ? options->target : "test@localhost",
                            kerberos ? &principal_oid : GSS_C_NT_HOSTBASED_SERVICE, &name);
    }
    if (GSS_ERROR(major)) {
        dialogue_fail(dialogue, "acquire", gss_side_status_name(major));
        goto done;
    }
    good = options->server ? accept_context(dialogue, options, cred, &name)
                           : initiate(dialogue, options, cred, name);
    if (good && options->server) print_name("client", name);
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
    struct gss_side side = {
        .context = GSS_C_NO_CONTEXT,
        .apart = options.ask & ASK_DCE_STYLE,
        .integrity = !strcmp(options.layer, "integrity"),
    };
    struct dialogue dialogue = {
        .ops = &gss_side_ops,
        .context = &side,
        .channel = channel,
        .server = options.server,
        .tamper = options.tamper,
        .tamper_round = options.rounds ? options.rounds - 1 : 0,
    };
    bool good = authenticate(&dialogue, &options);
    if (good) dialogue_progress("authenticated");
    good = good && dialogue_run(&dialogue, 0, options.rounds);
    if (good && options.key) gss_side_print_key(&dialogue);
    uint32_t minor;
    gss_delete_sec_context(&minor, &side.context, GSS_C_NO_BUFFER);
    close(channel);
    return options_report(&dialogue, &options);
}
