/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Single use under a race (ours): two processes that already run, and four threads of
 * one process, import the same DELETE_OLD blob at the same moment. Exactly one gets the context,
 * a thousand times; the others are told that it is used up.
 */
#include "worker.h"

#define ROUNDS 1000
#define THREADS 4
#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD

static struct account account;
static struct loopback loop;
static struct blob blob;

/* A fresh context in the blob; the rest of the loop stays open. */
static bool make_blob(void)
{
    SECURITY_STATUS status = loopback_make(&loop, worker_package, &account);
    if (!ok(!status, "no contexts: %08lx", status)) return false;
    status = context_export(&loop.client, DELETE_OLD, &blob, NULL);
    context_forget(&loop.client);
    return ok(!status && blob.size, "export: %08lx", status);
}

static void judge(const SECURITY_STATUS *results, int count, int round, int *wins)
{
    int winners = 0;
    for (int i = 0; i < count; i++) {
        if (results[i] == SEC_E_OK) {
            winners++;
            wins[i]++;
        } else {
            ok(results[i] == SEC_E_CONTEXT_EXPIRED, "round %d, %d: %08lx", round, i, results[i]);
        }
    }
    ok(winners == 1, "round %d: %d importers got the context", round, winners);
}

static void test_processes(void)
{
    struct worker workers[2];
    int wins[2] = {0, 0};
    for (int i = 0; i < 2; i++)
        if (!ok(worker_start(&workers[i], NULL), "no worker %d", i)) return;
    for (int round = 1; round <= ROUNDS; round++) {
        if (!make_blob()) return;
        bool ready = worker_race_prepare(&workers[0], &blob, (uint32_t)round) &&
                     worker_race_prepare(&workers[1], &blob, (uint32_t)round);
        worker_race_go((uint32_t)round);
        if (!ok(ready, "round %d: a worker is not ready", round)) return;
        SECURITY_STATUS results[2] = {worker_race_result(&workers[0]),
                                      worker_race_result(&workers[1])};
        judge(results, 2, round, wins);
        loopback_close(&loop);
    }
    printf("  processes won %d and %d of %d races\n", wins[0], wins[1], ROUNDS);
    for (int i = 0; i < 2; i++) ok(worker_end(&workers[i]), "worker %d did not end well", i);
}

static volatile LONG current_round, finished;
static SECURITY_STATUS results[THREADS];

static DWORD WINAPI import_each_round(void *argument)
{
    int index = (int)(INT_PTR)argument;
    for (LONG round = 1; round <= ROUNDS; round++) {
        CtxtHandle made;
        while (current_round < round) SwitchToThread();
        if (current_round > ROUNDS) return 1;
        results[index] = context_import(worker_package, blob.bytes, blob.size, &made);
        if (!results[index]) DeleteSecurityContext(&made);
        InterlockedIncrement(&finished);
    }
    return 0;
}

static void test_threads(void)
{
    HANDLE threads[THREADS];
    int wins[THREADS] = {0};
    for (INT_PTR i = 0; i < THREADS; i++)
        threads[i] = CreateThread(NULL, 0, import_each_round, (void *)i, 0, NULL);
    for (LONG round = 1; round <= ROUNDS; round++) {
        if (!make_blob()) break;
        finished = 0;
        InterlockedExchange(&current_round, round);
        while (finished < THREADS) SwitchToThread();
        judge(results, THREADS, round, wins);
        loopback_close(&loop);
    }
    InterlockedExchange(&current_round, ROUNDS + 1);
    WaitForMultipleObjects(THREADS, threads, TRUE, INFINITE);
    for (int i = 0; i < THREADS; i++) CloseHandle(threads[i]);
    printf("  threads won %d, %d, %d and %d of %d races\n", wins[0], wins[1], wins[2], wins[3],
           ROUNDS);
}

struct exporter {
    CtxtHandle context;
    struct blob blob;
    SECURITY_STATUS status;
    volatile LONG *go;
};

static DWORD WINAPI export_once(void *argument)
{
    struct exporter *exporter = argument;
    while (!*exporter->go) YieldProcessor();
    exporter->status = context_export(&exporter->context, DELETE_OLD, &exporter->blob, NULL);
    return 0;
}

/* Two threads export one context for good: one of them gets the blob. */
static void test_exporters(void)
{
    static struct exporter exporters[2];
    for (int round = 0; round < 300; round++) {
        volatile LONG go = 0;
        HANDLE threads[2];
        SECURITY_STATUS status = loopback_make(&loop, worker_package, &account);
        if (!ok(!status, "no contexts: %08lx", status)) return;
        for (int i = 0; i < 2; i++) {
            exporters[i].context = loop.client;
            exporters[i].go = &go;
            threads[i] = CreateThread(NULL, 0, export_once, &exporters[i], 0, NULL);
        }
        go = 1;
        WaitForMultipleObjects(2, threads, TRUE, INFINITE);
        int winner = exporters[0].status ? 1 : 0;
        ok(exporters[winner].status == SEC_E_OK, "round %d: nobody exported: %08lx, %08lx", round,
           exporters[0].status, exporters[1].status);
        ok(exporters[!winner].status == SEC_E_INVALID_HANDLE, "round %d: the other got %08lx",
           round, exporters[!winner].status);
        context_forget(&loop.client);
        status = context_import(worker_package, exporters[winner].blob.bytes,
                                exporters[winner].blob.size, &loop.client);
        ok(!status && contexts_talk(&loop.client, &loop.server), "round %d: %08lx", round, status);
        for (int i = 0; i < 2; i++) CloseHandle(threads[i]);
        loopback_close(&loop);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "worker")) return worker_main(argc, argv);
    if (!account_create(&account)) {
        printf("skip export_race: accounts of our server, which are in a Wine prefix only\n");
        printf("export_race: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_processes);
    RUN(test_threads);
    RUN(test_exporters);
    account_remove(&account);
    return test_end("export_race");
}
