/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of the interoperability tests that runs on the SSPI of this project: a client or server
 * of NTLM, Kerberos or Negotiate on loopback whose context, on request, goes on in another process
 * and comes back, in the middle of the conversation or of the handshake, without the peer's
 * noticing.
 */
#include "errand.h"
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static SOCKET open_socket(void)
{
    return WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED);
}

static bool is_ready(SOCKET listener)
{
    fd_set set;
    struct timeval patience = {.tv_sec = DIALOGUE_PATIENCE_SECONDS};
    FD_ZERO(&set);
    FD_SET(listener, &set);
    return select(0, &set, NULL, NULL, &patience) == 1;
}

static SOCKET accept_one(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int size = sizeof(address);
    SOCKET channel = INVALID_SOCKET, listener = open_socket();
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        fprintf(stderr, "listen: error %d\n", WSAGetLastError());
    } else {
        printf("port: %u\n", ntohs(address.sin_port));
        fflush(stdout);
        if (is_ready(listener)) channel = accept(listener, NULL, NULL);
        if (channel == INVALID_SOCKET) fprintf(stderr, "no client came\n");
    }
    closesocket(listener);
    return channel;
}

static SOCKET connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET channel = open_socket();
    if (!connect(channel, (struct sockaddr *)&address, sizeof(address))) return channel;
    fprintf(stderr, "connect: error %d\n", WSAGetLastError());
    closesocket(channel);
    return INVALID_SOCKET;
}

static bool authenticate(struct dialogue *dialogue, const struct options *options)
{
    const struct sspi_side *side = dialogue->context;
    if (!sspi_side_acquire(dialogue, options) ||
        !sspi_side_authenticate(dialogue, options->move_after_leg)) {
        return false;
    }
    if (!options->move_after_leg) return true;
    if (side->complete) return dialogue_fail(dialogue, "move", "the handshake is complete");
    const struct errand errand = {.finish_handshake = true};
    return errand_send(dialogue, options, &errand);
}

static bool converse(struct dialogue *dialogue, const struct options *options)
{
    bool (*run)(struct dialogue *, uint32_t, uint32_t) = options->sample ? sample_run
                                                                         : dialogue_run;
    if (!options->move) return run(dialogue, 0, options->rounds);
    const uint32_t third = options->rounds / 3;
    const struct errand errand = {.first = third, .count = third};
    return run(dialogue, 0, third) && errand_send(dialogue, options, &errand) &&
           run(dialogue, 2 * third, options->rounds - 2 * third);
}

static int run(const struct options *options)
{
    SOCKET channel = options->server ? accept_one() : connect_to(options->port);
    if (channel == INVALID_SOCKET) return EXIT_FAILURE;
    dialogue_progress("connected");
    const DWORD patience = DIALOGUE_PATIENCE_SECONDS * 1000, at_once = 1;
    setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, (const char *)&patience, sizeof(patience));
    setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, (const char *)&patience, sizeof(patience));
    setsockopt(channel, IPPROTO_TCP, TCP_NODELAY, (const char *)&at_once, sizeof(at_once));
    struct sspi_side side = {0};
    if (!strcmp(options->layer, "integrity")) side.qop = SECQOP_WRAP_NO_ENCRYPT;
    struct dialogue dialogue = {
        .ops = &sspi_side_ops,
        .framing = options->sample ? &sample_framing : NULL,
        .context = &side,
        .channel = (intptr_t)channel,
        .server = options->server,
        .tamper = options->tamper,
        .tamper_round = options->rounds ? options->rounds - 1 : 0,
    };
    bool good = (!options->sample || sample_begin(&dialogue)) && authenticate(&dialogue, options);
    if (good) dialogue_progress("authenticated");
    if (good && options->server) good = sspi_side_print_client(&dialogue);
    if (good && options->server && options->ask & ASK_DELEGATE) {
        good = sspi_side_use_delegated(&dialogue);
    }
    if (good) good = converse(&dialogue, options);
    if (good && options->sample) good = sample_end(&dialogue);
    if (good && options->key) sspi_side_print_key(&dialogue);
    closesocket((SOCKET)dialogue.channel);
    sspi_side_clear(&side);
    return options_report(&dialogue, options);
}

int main(int argc, char **argv)
{
    WSADATA data;
    bool successor = argc == 2 && !strcmp(argv[1], "successor");
    if (!successor) dialogue_progress("started");
    if (WSAStartup(MAKEWORD(2, 2), &data)) return EXIT_FAILURE;
    int result = 2;
    if (successor) {
        result = errand_serve();
    } else {
        struct options options;
        if (options_parse(&options, argc, argv)) result = run(&options);
    }
    WSACleanup();
    return result;
}
