/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts that nobody finishes: what the process uses is the same after a hundred thousand of them
 * as before (ours), for both packages and both roles, and after handshakes that were finished.
 */
#include "loopback.h"

#include "heap_use.h"

#define HALF_OPEN 25000u /* of each package and role */
#define FINISHED 2000u   /* pairs of each package */
#define WARM 500u        /* before the first look: what is kept for later is there then */
/* Freed blocks that the modules keep for the thread, and what is written to a file. */
#define SPARE 300000u

static struct loopback loop;
static const wchar_t *package;
static bool acceptor;

static bool half_open(void)
{
    loop.token_size = 0;
    if (loopback_client_leg(&loop) != SEC_I_CONTINUE_NEEDED) return false;
    if (acceptor && loopback_server_leg(&loop) != SEC_I_CONTINUE_NEEDED) return false;
    bool gone = !DeleteSecurityContext(&loop.client);
    if (acceptor) gone = !DeleteSecurityContext(&loop.server) && gone;
    context_forget(&loop.client);
    context_forget(&loop.server);
    return gone;
}

static bool finished(void)
{
    loop.token_size = 0;
    if (loopback_connect(&loop) || !contexts_talk(&loop.client, &loop.server)) return false;
    bool gone = !DeleteSecurityContext(&loop.client) && !DeleteSecurityContext(&loop.server);
    context_forget(&loop.client);
    context_forget(&loop.server);
    return gone;
}

static void run(bool (*once)(void), unsigned count)
{
    SECURITY_STATUS status = loopback_open(&loop, package, NULL);
    if (!ok(!status, "%ls: %08lx", package, status)) return;
    unsigned failed = 0;
    for (unsigned i = 0; i < WARM; i++) failed += !once();
    struct use before = use_now();
    for (unsigned i = 0; i < count; i++) failed += !once();
    struct use after = use_now();
    ok(!failed, "%ls: %u failed", package, failed);
    ok(after.handles <= before.handles, "%ls: %lu handles became %lu", package, before.handles,
       after.handles);
    ok(after.bytes < before.bytes + SPARE, "%ls: %lu bytes became %lu", package, before.bytes,
       after.bytes);
    printf("  %ls: %lu handles and %lu bytes, then %lu and %lu\n", package, before.handles,
           before.bytes, after.handles, after.bytes);
    loopback_close(&loop);
}

static void run_all(bool (*once)(void), unsigned count)
{
    if (!ours_only()) return;
    package = L"NTLM";
    run(once, count);
    package = L"Negotiate";
    run(once, count);
}

static void test_initiators(void)
{
    acceptor = false;
    run_all(half_open, HALF_OPEN);
}

static void test_acceptors(void)
{
    acceptor = true;
    run_all(half_open, HALF_OPEN);
}

static void test_finished(void)
{
    run_all(finished, FINISHED);
}

int main(void)
{
    RUN(test_initiators);
    RUN(test_acceptors);
    RUN(test_finished);
    return test_end("api_flat");
}
