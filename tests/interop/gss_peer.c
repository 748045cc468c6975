/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The foreign end of the interoperability test: NTLM by the host's GSS-API (RFC 2744) with the
 * mechanism gss-ntlmssp, as client or as server on loopback, once per run. A server knows the
 * accounts of the file that NTLM_USER_FILE names. It never moves its context.
 */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* 1.3.6.1.4.1.311.2.2.10 */
static gss_OID_desc ntlm_oid = {10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_set_desc ntlm_set = {1, &ntlm_oid};

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

/* result: what send or recv gave. */
static const char *channel_failure(ssize_t result)
{
    return result < 0 && errno == EAGAIN ? dialogue_silent : dialogue_closed;
}

static const char *peer_write(intptr_t channel, const uint8_t *bytes, size_t count)
{
    while (count) {
        ssize_t done = send((int)channel, bytes, count, MSG_NOSIGNAL);
        if (done <= 0) return channel_failure(done);
        bytes += done;
        count -= (size_t)done;
    }
    return NULL;
}

static const char *peer_read(intptr_t channel, uint8_t *bytes, size_t count)
{
    while (count) {
        ssize_t done = recv((int)channel, bytes, count, 0);
        if (done <= 0) return channel_failure(done);
        bytes += done;
        count -= (size_t)done;
    }
    return NULL;
}

static const struct dialogue_ops peer_ops = {
    .seal = peer_seal,
    .unseal = peer_unseal,
    .sign = peer_sign,
    .verify = peer_verify,
    .status_name = gss_status_name,
    .write = peer_write,
    .read = peer_read,
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
        major = gss_acquire_cred_with_password(&minor, name, &password, GSS_C_INDEFINITE, &ntlm_set,
                                               GSS_C_INITIATE, cred, NULL, NULL);
    }
    gss_release_name(&minor, &name);
    return major;
}

static bool initiate(struct dialogue *dialogue, gss_cred_id_t cred, gss_name_t target)
{
    const OM_uint32 flags = GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG |
                            GSS_C_SEQUENCE_FLAG;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    struct octets token = {0};
    enum dialogue_tamper message = TAMPER_NEGOTIATE;
    bool good = true;
    uint32_t major, minor;
    do {
        gss_buffer_desc in = as_buffer(&token), out = GSS_C_EMPTY_BUFFER;
        major = gss_init_sec_context(&minor, cred, &context, target, &ntlm_oid, flags, 0,
                                     GSS_C_NO_CHANNEL_BINDINGS, &in, NULL, &out, NULL, NULL);
        octets_clear(&token);
        dialogue->context = context;
        if (GSS_ERROR(major)) {
            good = dialogue_fail(dialogue, "initiate", gss_status_name(major));
        } else if (out.length) {
            good = dialogue_send_token(dialogue, message, out.value, out.length);
        }
        gss_release_buffer(&minor, &out);
        message = TAMPER_AUTHENTICATE;
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
            good = dialogue_send_token(dialogue, TAMPER_CHALLENGE, out.value, out.length);
        }
        gss_release_buffer(&minor, &out);
    }
    return good;
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("listen");
        close(listener);
        return -1;
    }
    printf("port: %u\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static int open_channel(const struct options *options)
{
    struct timeval patience = {.tv_sec = DIALOGUE_PATIENCE_SECONDS};
    int channel = -1;
    if (options->server) {
        int listener = listen_on_loopback();
        if (listener < 0) return -1;
        struct pollfd wait = {.fd = listener, .events = POLLIN};
        if (poll(&wait, 1, DIALOGUE_PATIENCE_SECONDS * 1000) == 1) {
            channel = accept(listener, NULL, NULL);
        }
        close(listener);
        if (channel < 0) {
            fprintf(stderr, "no client came\n");
            return -1;
        }
    } else {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        channel = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(channel, (struct sockaddr *)&address, sizeof(address))) {
            perror("connect");
            close(channel);
            return -1;
        }
    }
    dialogue_progress("connected");
    setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    setsockopt(channel, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return channel;
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
        major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &ntlm_set, GSS_C_ACCEPT,
                                 &cred, NULL, NULL);
    } else {
        major = acquire_client(options, &cred);
        if (!GSS_ERROR(major)) {
            major = import_name("test@localhost", GSS_C_NT_HOSTBASED_SERVICE, &name);
        }
    }
    if (GSS_ERROR(major)) {
        dialogue_fail(dialogue, "acquire", gss_status_name(major));
        goto done;
    }
    good = options->server ? accept_context(dialogue, cred, &name) : initiate(dialogue, cred, name);
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
    if (options.move || options.move_half_open || options.successor) {
        fprintf(stderr, "%s: this end does not move\n", argv[0]);
        return 2;
    }
    int channel = open_channel(&options);
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
