/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A context moves between real processes while its peer goes on talking: to a child, from child
 * to child, back, both ends at once, and to a process of the other width. And what is left when
 * the process that exports or imports is killed at any moment: a blob that can be imported once,
 * or none, but never two contexts.
 */
#include "moves.h"

static struct account account;
static bool have_account;

static bool connect_loop(void)
{
    SECURITY_STATUS status = loopback_make(&loop, worker_package, have_account ? &account : NULL);
    return ok(!status, "no contexts: %08lx", status);
}

/* [D ExportSecurityContext] each role, with and without deletion of the old context */
static void test_to_a_child(void)
{
    for (int i = 0; i < 4; i++) {
        struct worker worker;
        if (!connect_loop() || !move_begin(&worker)) return;
        CtxtHandle *moved = i & 1 ? &loop.server : &loop.client;
        CtxtHandle *peer = i & 1 ? &loop.client : &loop.server;
        ok(contexts_talk(&loop.client, &loop.server), "%d: before", i);
        if (move_export(moved, i & 2 ? DELETE_OLD : 0)) move_to(&worker, peer);
        ok(worker_end(&worker), "%d: the worker did not end well", i);
        loopback_close(&loop);
    }
}

/* Three processes, each with messages before it passes the context on, and home again. */
static void test_several_hops(void)
{
    struct worker workers[3];
    if (!connect_loop()) return;
    for (int i = 0; i < 3; i++)
        if (!move_begin(&workers[i])) return;
    bool moving = move_export(&loop.server, DELETE_OLD);
    for (int hop = 0; moving && hop < 30; hop++) {
        struct worker *worker = &workers[hop * 7 % 3];
        moving = move_to(worker, &loop.client) && move_from(worker);
    }
    if (moving) {
        SECURITY_STATUS status = context_import(worker_package, blob.bytes, blob.size,
                                                &loop.server);
        ok(status == SEC_E_OK, "home: %08lx", status);
        if (!status) ok(contexts_talk(&loop.client, &loop.server), "at home");
        status = worker_import(&workers[0], &blob);
        ok(status == SEC_E_CONTEXT_EXPIRED || !running_on_ours(), "the last blob: %08lx", status);
    }
    for (int i = 0; i < 3; i++) ok(worker_end(&workers[i]), "worker %d did not end well", i);
    loopback_close(&loop);
}

/* Both ends leave this process; they talk through it. */
static void test_both_ends(void)
{
    struct worker client, server;
    if (!connect_loop() || !move_begin(&client) || !move_begin(&server)) return;
    move_both(&client, &server, 100);
}

/* ours: the server of a stateless front end, whose second leg is taken by another process. The
 * context goes on there, or comes home with its next token. */
static void run_half_open(bool home)
{
    struct worker worker;
    SECURITY_STATUS status = loopback_open(&loop, worker_package, have_account ? &account : NULL);
    if (!ok(!status, "no credentials: %08lx", status) || !move_begin(&worker)) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    if (move_export(&loop.server, DELETE_OLD)) {
        status = worker_import(&worker, &blob);
        ok(status == SEC_E_OK, "import in the worker: %08lx", status);
        SECURITY_STATUS client = loopback_client_leg(&loop);
        ok(client >= 0, "client 2: %08lx", client);
        status = worker_accept(&worker, loop.token, &loop.token_size);
        ok(status == SEC_E_OK, "server 2: %08lx", status);
        if (client == SEC_I_CONTINUE_NEEDED) ok(loopback_client_leg(&loop) == SEC_E_OK, "client 3");
        ok(worker_talks(&worker, &loop.client), "the worker does not talk");
        if (home && move_from(&worker)) {
            status = context_import(worker_package, blob.bytes, blob.size, &loop.server);
            ok(status == SEC_E_OK, "import: %08lx", status);
            ok(contexts_talk(&loop.client, &loop.server), "no talk");
        }
    }
    ok(worker_end(&worker), "the worker did not end well");
    loopback_close(&loop);
}

static void test_half_open(void)
{
    if (!ours_only()) return;
    run_half_open(false);
    run_half_open(true);
}

/* ---- to a process of the other width ---- */

/* ours: a blob is the same for 32 and 64 bit, with what each direction has counted */
static void test_other_width(void)
{
    if (ours_only()) move_to_other_width(connect_loop);
}

/* The server has sent its challenge; it gets the answer in the other process. */
static void finish_server(struct worker *worker)
{
    SECURITY_STATUS client = loopback_client_leg(&loop);
    ok(client >= 0, "client 2: %08lx", client);
    SECURITY_STATUS status = worker_accept(worker, loop.token, &loop.token_size);
    ok(status == SEC_E_OK, "server 2: %08lx", status);
    if (client == SEC_I_CONTINUE_NEEDED) ok(!loopback_client_leg(&loop), "client 3");
    ok(worker_talks(worker, &loop.client), "the worker does not talk");
    move_home(worker, &loop.server);
}

/* The client has sent its first message; it gets the challenge in the other process. */
static void finish_client(struct worker *worker)
{
    const struct account *known = have_account ? &account : NULL;
    SECURITY_STATUS status = worker_initialize(worker, known, loop.token, &loop.token_size);
    ok(status >= 0, "client 2: %08lx", status);
    ok(!loopback_server_leg(&loop), "server 2");
    if (status == SEC_I_CONTINUE_NEEDED)
        ok(!worker_initialize(worker, known, loop.token, &loop.token_size), "client 3");
    ok(worker_talks(worker, &loop.server), "the worker does not talk");
    move_home(worker, &loop.client);
}

/* ours: so is the blob of a context in mid-handshake, of either end */
static void test_half_open_to_other_width(void)
{
    if (!ours_only()) return;
    for (int side = 0; side < 2; side++) {
        struct worker worker;
        if (!move_begin_other_width(&worker)) return;
        SECURITY_STATUS status = loopback_open(&loop, worker_package,
                                               have_account ? &account : NULL);
        if (!ok(!status, "no credentials: %08lx", status)) return;
        ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
        ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
        if (move_export(side ? &loop.server : &loop.client, DELETE_OLD)) {
            status = worker_import(&worker, &blob);
            ok(status == SEC_E_OK, "import in the worker: %08lx", status);
            if (side) finish_server(&worker);
            else finish_client(&worker);
        }
        ok(worker_end(&worker), "%d: the worker did not end well", side);
        loopback_close(&loop);
    }
}

/* ---- killed processes ---- */

static void expect_importable_once(const char *when)
{
    CtxtHandle again;
    SECURITY_STATUS status = context_import(worker_package, blob.bytes, blob.size, &loop.server);
    if (!ok(status == SEC_E_OK, "%s: first import %08lx", when, status)) return;
    ok(contexts_talk(&loop.client, &loop.server), "%s: no talk", when);
    status = context_import(worker_package, blob.bytes, blob.size, &again);
    ok(status == SEC_E_CONTEXT_EXPIRED, "%s: second import %08lx", when, status);
    if (!status) DeleteSecurityContext(&again);
}

static void test_killed_after_export(void)
{
    if (!ours_only()) return;
    struct worker worker;
    if (!connect_loop() || !move_begin(&worker)) return;
    if (move_export(&loop.server, DELETE_OLD) && move_to(&worker, &loop.client) &&
        move_from(&worker)) {
        child_kill(&worker.child);
        expect_importable_once("killed after its export");
    }
    loopback_close(&loop);
}

/* Killed with the context, before it was asked for it: the context is gone, its blob is used. */
static void test_killed_before_export(void)
{
    if (!ours_only()) return;
    struct worker worker;
    CtxtHandle made;
    if (!connect_loop() || !move_begin(&worker)) return;
    if (move_export(&loop.server, DELETE_OLD) && move_to(&worker, &loop.client)) {
        child_kill(&worker.child);
        SECURITY_STATUS status = context_import(worker_package, blob.bytes, blob.size, &made);
        ok(status == SEC_E_CONTEXT_EXPIRED, "the used blob: %08lx", status);
        if (!status) DeleteSecurityContext(&made);
    }
    loopback_close(&loop);
}

static void spin_us(double microseconds)
{
    double end = time_ms() + microseconds / 1000;
    while (time_ms() < end) YieldProcessor();
}

/* Killed at a random moment around one export: a whole blob came out of the pipe, or nothing. */
static void test_killed_during_export(void)
{
    if (!ours_only()) return;
    uint64_t random = 7;
    int whole = 0, none = 0;
    for (int i = 0; i < 40; i++) {
        struct worker worker;
        if (!connect_loop() || !move_begin(&worker)) return;
        bool ready = move_export(&loop.server, DELETE_OLD) && !worker_import(&worker, &blob) &&
                     worker_export_begin(&worker, DELETE_OLD);
        ok(ready, "round %d: no worker with a context", i);
        spin_us((double)(random_next(&random) % 8000));
        TerminateProcess(worker.child.process, 9);
        SECURITY_STATUS status = ready ? worker_export_end(&worker, &blob) : WORKER_GONE;
        child_kill(&worker.child);
        ok(status == SEC_E_OK || status == WORKER_GONE, "round %d: %08lx", i, status);
        if (!status) expect_importable_once("killed during its export");
        whole += !status;
        none += status != 0;
        loopback_close(&loop);
    }
    printf("  killed during an export: %d blobs came out, %d did not\n", whole, none);
}

/* A process that moves its context out and in without end is killed: the last blob that it gave
 * out was taken in by it again, or is there for one import; all earlier ones are used. */
static void test_killed_while_churning(void)
{
    if (!ours_only()) return;
    uint64_t random = 11;
    int left = 0;
    for (int i = 0; i < 40; i++) {
        struct worker worker;
        static struct blob earlier, next;
        CtxtHandle made;
        if (!connect_loop() || !move_begin(&worker)) return;
        bool ready = move_export(&loop.server, DELETE_OLD) && !worker_import(&worker, &blob) &&
                     worker_churn(&worker);
        ok(ready, "round %d: no worker with a context", i);
        for (uint64_t reads = 3 + random_next(&random) % 40; ready && reads; reads--) {
            earlier = blob;
            ready = worker_churn_next(&worker, &blob);
        }
        ok(ready, "round %d: the worker stopped by itself", i);
        spin_us((double)(random_next(&random) % 100));
        TerminateProcess(worker.child.process, 9);
        while (ready && worker_churn_next(&worker, &next)) {
            earlier = blob;
            blob = next;
        }
        child_kill(&worker.child);
        SECURITY_STATUS status = context_import(worker_package, earlier.bytes, earlier.size, &made);
        ok(status == SEC_E_CONTEXT_EXPIRED, "round %d: the last blob but one: %08lx", i, status);
        if (!status) DeleteSecurityContext(&made);
        status = context_import(worker_package, blob.bytes, blob.size, &loop.server);
        ok(status == SEC_E_OK || status == SEC_E_CONTEXT_EXPIRED, "round %d: %08lx", i, status);
        if (status) context_forget(&loop.server);
        else ok(contexts_talk(&loop.client, &loop.server), "round %d: no talk", i);
        left += !status;
        status = context_import(worker_package, blob.bytes, blob.size, &made);
        ok(status == SEC_E_CONTEXT_EXPIRED, "round %d, again: %08lx", i, status);
        if (!status) DeleteSecurityContext(&made);
        loopback_close(&loop);
    }
    printf("  killed while churning: %d of 40 blobs were left to import\n", left);
}

/* An importer is killed around its import: the blob is used or not, and gives one context more at
 * most. */
static void test_killed_during_import(void)
{
    if (!ours_only()) return;
    uint64_t random = 13;
    int left = 0;
    for (int i = 0; i < 40; i++) {
        struct worker worker;
        CtxtHandle made;
        if (!connect_loop() || !move_begin(&worker)) return;
        /* A first import and deletion, so that everything is loaded. */
        if (move_export(&loop.client, 0)) ok(!worker_import(&worker, &blob), "first import");
        ok(!worker_delete(&worker), "not deleted");
        if (move_export(&loop.server, DELETE_OLD)) {
            BYTE request[sizeof(blob.bytes) + 1] = {'I'};
            memcpy(request + 1, blob.bytes, blob.size);
            block_write(worker.child.to, request, blob.size + 1);
        }
        spin_us((double)(random_next(&random) % 2000));
        child_kill(&worker.child);
        SECURITY_STATUS status = context_import(worker_package, blob.bytes, blob.size,
                                                &loop.server);
        ok(status == SEC_E_OK || status == SEC_E_CONTEXT_EXPIRED, "round %d: %08lx", i, status);
        if (status) context_forget(&loop.server);
        else ok(contexts_talk(&loop.client, &loop.server), "round %d: no talk", i);
        left += !status;
        status = context_import(worker_package, blob.bytes, blob.size, &made);
        ok(status == SEC_E_CONTEXT_EXPIRED, "round %d, again: %08lx", i, status);
        if (!status) DeleteSecurityContext(&made);
        loopback_close(&loop);
    }
    printf("  killed during an import: %d of 40 blobs were left to import\n", left);
}

/* ---- for the script tests/export/prefixes.sh: one step each, a file in between ---- */

static HANDLE open_file(const char *path, bool write)
{
    return CreateFileA(path, write ? GENERIC_WRITE : GENERIC_READ,
                       FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                       write ? CREATE_ALWAYS : OPEN_EXISTING, 0, NULL);
}

/* Writes the blob of a context that is gone with it; again and again when asked to churn. */
static int step_export(const char *path, bool churn)
{
    HANDLE file = open_file(path, true);
    if (file == INVALID_HANDLE_VALUE || loopback_make(&loop, worker_package, NULL)) return 1;
    do {
        if (context_export(&loop.server, DELETE_OLD, &blob, NULL)) return 2;
        if (!block_write(file, blob.bytes, blob.size)) return 3;
        if (churn && context_import(worker_package, blob.bytes, blob.size, &loop.server)) return 4;
    } while (churn);
    CloseHandle(file);
    return 0;
}

/* Imports the last whole blob of the file twice and prints both statuses. */
static int step_import(const char *path)
{
    static struct blob next;
    CtxtHandle made[2];
    HANDLE file = open_file(path, false);
    int count = 0;
    if (file == INVALID_HANDLE_VALUE) return 1;
    while (block_read(file, next.bytes, sizeof(next.bytes), &next.size)) {
        blob = next;
        count++;
    }
    CloseHandle(file);
    SECURITY_STATUS first = context_import(worker_package, blob.bytes, blob.size, &made[0]);
    SECURITY_STATUS second = context_import(worker_package, blob.bytes, blob.size, &made[1]);
    printf("%d %08lx %08lx\n", count, (ULONG)first, (ULONG)second);
    return count ? 0 : 2;
}

static void run_moves(void)
{
    printf("package %ls\n", worker_package);
    RUN(test_to_a_child);
    RUN(test_several_hops);
    RUN(test_both_ends);
    RUN(test_half_open);
    RUN(test_other_width);
    RUN(test_half_open_to_other_width);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "worker")) return worker_main(argc, argv);
    if (argc == 3 && !strcmp(argv[1], "export")) return step_export(argv[2], false);
    if (argc == 3 && !strcmp(argv[1], "churn")) return step_export(argv[2], true);
    if (argc == 3 && !strcmp(argv[1], "import")) return step_import(argv[2]);
    have_account = account_create(&account);
    run_moves();
    RUN(test_killed_after_export);
    RUN(test_killed_before_export);
    RUN(test_killed_during_export);
    RUN(test_killed_while_churning);
    RUN(test_killed_during_import);
    worker_package = L"Negotiate";
    run_moves();
    RUN(test_killed_after_export);
    RUN(test_killed_before_export);
    if (have_account) account_remove(&account);
    return test_end("export_process");
}
