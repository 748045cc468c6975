/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loopback connections of the foreign ends; see tcp.h. */
#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* With a time limit, both end early in a process that was stopped and goes on (signal(7)). */
static bool interrupted(ssize_t result)
{
    return result < 0 && errno == EINTR;
}

/* result: what send or recv gave. */
static const char *channel_failure(ssize_t result)
{
    return result < 0 && errno == EAGAIN ? dialogue_silent : dialogue_closed;
}

const char *tcp_write(intptr_t channel, const uint8_t *bytes, size_t count)
{
    while (count) {
        ssize_t done = send((int)channel, bytes, count, MSG_NOSIGNAL);
        if (interrupted(done)) continue;
        if (done <= 0) return channel_failure(done);
        bytes += done;
        count -= (size_t)done;
    }
    return NULL;
}

const char *tcp_read(intptr_t channel, uint8_t *bytes, size_t count)
{
    while (count) {
        ssize_t done = recv((int)channel, bytes, count, 0);
        if (interrupted(done)) continue;
        if (done <= 0) return channel_failure(done);
        bytes += done;
        count -= (size_t)done;
    }
    return NULL;
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
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

int tcp_open(const struct options *options)
{
    struct timeval patience = {.tv_sec = DIALOGUE_PATIENCE_SECONDS};
    int channel = -1;
    if (options->server) {
        int listener = listen_on_loopback();
        if (listener < 0) return -1;
        struct pollfd wait = {.fd = listener, .events = POLLIN};
        if (poll(&wait, 1, DIALOGUE_PATIENCE_SECONDS * 1000) == 1) {
            channel = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        }
        close(listener);
        if (channel < 0) {
            fprintf(stderr, "no client came\n");
            return -1;
        }
    } else {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        channel = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
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
