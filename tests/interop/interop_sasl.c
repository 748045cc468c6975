/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of the interoperability test of SASL that runs on this project: a client or server of the
 * profile of a package, with or without a security layer, on loopback. Frames are as in cyrus_peer.
 */
#include "../../tools/handover/sockets.h"
#include "sspi_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_LIMIT = 16384 };

/* ---- messages ---- */

static uint32_t copy(void *context, const struct octets *from, struct octets *to)
{
    (void)context;
    if (!octets_alloc(to, from->size)) return (uint32_t)SEC_E_INSUFFICIENT_MEMORY;
    if (from->size) memcpy(to->data, from->data, from->size);
    return 0;
}

static uint32_t compare(const struct octets *one, const struct octets *other)
{
    bool same = one->size == other->size &&
                (!one->size || !memcmp(one->data, other->data, one->size));
    return (uint32_t)(same ? SEC_E_OK : SEC_E_MESSAGE_ALTERED);
}

static uint32_t compare_copies(void *context, const struct octets *text,
                               const struct octets *signature)
{
    (void)context;
    return compare(text, signature);
}

static uint32_t compare_sealed(void *context, const struct octets *text,
                               const struct octets *signature)
{
    struct octets found = {0};
    uint32_t status = sspi_side_ops.unseal(context, signature, &found);
    if (!status) status = compare(text, &found);
    octets_clear(&found);
    return status;
}

/* SASL knows one kind of message; a signature is one beside the text. */
static struct dialogue_ops ops_of(const char *layer)
{
    struct dialogue_ops ops = sspi_side_ops;
    bool none = !strcmp(layer, "none");
    if (none) ops.seal = ops.unseal = copy;
    ops.sign = ops.seal;
    ops.verify = none ? compare_copies : compare_sealed;
    return ops;
}

/* ---- handshake ---- */

static ULONG requirements_of(const struct options *options)
{
    if (!strcmp(options->layer, "privacy"))
        return options->server ? ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY
                               : ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY;
    if (!strcmp(options->layer, "integrity"))
        return options->server ? ASC_REQ_INTEGRITY : ISC_REQ_INTEGRITY;
    return 0;
}

/* The dialogue's messages are larger than what is usual. */
static SECURITY_STATUS allow_large(CtxtHandle *context)
{
    ULONG most = 0xFFFFFF;
    SECURITY_STATUS status = SaslSetContextOption(context, SASL_OPTION_SEND_SIZE, &most,
                                                  sizeof(most));
    if (status) return status;
    return SaslSetContextOption(context, SASL_OPTION_RECV_SIZE, &most, sizeof(most));
}

static SECURITY_STATUS leg(struct dialogue *dialogue, const struct options *options, SecBuffer *in,
                           SecBuffer *out)
{
    struct sspi_side *side = dialogue->context;
    WCHAR target[] = L"test/localhost";
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, in}, out_desc = {SECBUFFER_VERSION, 1, out};
    CtxtHandle *context = side->have_context ? &side->context : NULL;
    ULONG attributes;
    SECURITY_STATUS status;
    if (options->server)
        status = SaslAcceptSecurityContext(&side->credential, context, &in_desc,
                                           requirements_of(options), SECURITY_NATIVE_DREP,
                                           &side->context, &out_desc, &attributes, NULL);
    else
        status = SaslInitializeSecurityContextW(
            &side->credential, context, target, requirements_of(options), 0, SECURITY_NATIVE_DREP,
            context ? &in_desc : NULL, 0, &side->context, &out_desc, &attributes, NULL);
    if (status < 0) {
        sspi_side_fail(dialogue, options->server ? "accept" : "initiate", status);
        return status;
    }
    if (!side->have_context && status == SEC_I_CONTINUE_NEEDED && allow_large(&side->context))
        dialogue_fail(dialogue, "options", "not set");
    side->have_context = true;
    if (status == SEC_E_OK) printf("attributes: %08lx\n", attributes);
    return status;
}

static bool serve(struct dialogue *dialogue, const struct options *options)
{
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    static uint8_t made[TOKEN_LIMIT + 1];
    while (status == SEC_I_CONTINUE_NEEDED) {
        struct octets token = {0};
        if (!dialogue_receive(dialogue, &token)) return false;
        SecBuffer in = {(ULONG)token.size, SECBUFFER_TOKEN, token.data};
        SecBuffer out = {TOKEN_LIMIT, SECBUFFER_TOKEN, made + 1};
        status = leg(dialogue, options, &in, &out);
        octets_clear(&token);
        if (status < 0) return false;
        made[0] = status == SEC_E_OK;
        const struct octets frame = {made, out.cbBuffer + 1};
        if (!dialogue_send(dialogue, &frame)) return false;
    }
    return true;
}

static bool ask(struct dialogue *dialogue, const struct options *options)
{
    static uint8_t made[TOKEN_LIMIT];
    struct octets frame = {0};
    bool server_done = false;
    for (;;) {
        SecBuffer in = {0, SECBUFFER_TOKEN, NULL}, out = {TOKEN_LIMIT, SECBUFFER_TOKEN, made};
        if (frame.size) in = (SecBuffer){(ULONG)frame.size - 1, SECBUFFER_TOKEN, frame.data + 1};
        SECURITY_STATUS status = leg(dialogue, options, &in, &out);
        octets_clear(&frame);
        if (status < 0) return false;
        if (server_done)
            return status == SEC_E_OK || dialogue_fail(dialogue, "initiate", "not done");
        const struct octets answer = {made, out.cbBuffer};
        if (!dialogue_send(dialogue, &answer) || !dialogue_receive(dialogue, &frame)) return false;
        if (!frame.size) return dialogue_fail(dialogue, "receive", "an empty frame");
        server_done = frame.data[0];
        if (server_done && frame.size == 1 && status == SEC_E_OK) break;
    }
    octets_clear(&frame);
    return true;
}

/* Kerberos seals without encrypting when it is told to, NTLM when that is all there is. */
static bool is_kerberos(struct sspi_side *side)
{
    SecPkgContext_PackageInfoW info;
    if (QueryContextAttributesW(&side->context, SECPKG_ATTR_PACKAGE_INFO, &info)) return false;
    bool found = !lstrcmpW(info.PackageInfo->Name, L"Kerberos");
    FreeContextBuffer(info.PackageInfo);
    return found;
}

static SOCKET open_channel(const struct options *options)
{
    unsigned port;
    if (!options->server) return socket_connect(options->port);
    SOCKET listener = socket_listen(0, 1, &port), channel = INVALID_SOCKET;
    struct timeval patience = {.tv_sec = DIALOGUE_PATIENCE_SECONDS};
    fd_set set;
    if (listener == INVALID_SOCKET) return listener;
    printf("port: %u\n", port);
    fflush(stdout);
    FD_ZERO(&set);
    FD_SET(listener, &set);
    if (select(0, &set, NULL, NULL, &patience) == 1) channel = accept(listener, NULL, NULL);
    closesocket(listener);
    return channel;
}

static int run(const struct options *options)
{
    SOCKET channel = open_channel(options);
    if (channel == INVALID_SOCKET) return EXIT_FAILURE;
    dialogue_progress("connected");
    socket_prepare(channel, DIALOGUE_PATIENCE_SECONDS * 1000);
    const struct dialogue_ops ops = ops_of(options->layer);
    struct sspi_side side = {0};
    struct dialogue dialogue = {
        .ops = &ops,
        .context = &side,
        .channel = (intptr_t)channel,
        .server = options->server,
        .tamper = options->tamper,
        .tamper_round = options->rounds ? options->rounds - 1 : 0,
    };
    bool good = sspi_side_acquire(&dialogue, options);
    /* Only the mechanism GSSAPI has a layer that the package does not know of. */
    if (!strcmp(options->layer, "integrity") && strcmp(options->package, "Negotiate"))
        side.qop = SECQOP_WRAP_NO_ENCRYPT;
    if (good) good = options->server ? serve(&dialogue, options) : ask(&dialogue, options);
    if (good) dialogue_progress("authenticated");
    if (good && !strcmp(options->layer, "integrity") && is_kerberos(&side))
        side.qop = SECQOP_WRAP_NO_ENCRYPT;
    if (good && options->server) good = sspi_side_print_client(&dialogue);
    if (good) dialogue_run(&dialogue, 0, options->rounds);
    closesocket(channel);
    sspi_side_clear(&side);
    return options_report(&dialogue, options);
}

int main(int argc, char **argv)
{
    WSADATA data;
    struct options options;
    dialogue_progress("started");
    if (WSAStartup(MAKEWORD(2, 2), &data)) return EXIT_FAILURE;
    int result = options_parse(&options, argc, argv) ? run(&options) : 2;
    WSACleanup();
    return result;
}
