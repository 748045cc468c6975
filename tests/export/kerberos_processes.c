/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts of Kerberos move between processes while their peers go on talking: to a child, from
 * child to child, back, both ends at once, to a process of the other width, and to one that finds
 * no library of the host. Run by kerberos.sh with the name of a service and what its key is called;
 * with a step and two files for contexts that go from one program to the next.
 */
#include "moves.h"

#include <stdio.h>

static wchar_t target[256];

static SECURITY_STATUS connect_with(ULONG more)
{
    SECURITY_STATUS status = loopback_open(&loop, L"Kerberos", NULL);
    if (status) return status;
    loop.target = target;
    loop.client_flags |= ISC_REQ_MUTUAL_AUTH | ISC_REQ_SEQUENCE_DETECT | more;
    loop.server_flags |= ASC_REQ_MUTUAL_AUTH | ASC_REQ_SEQUENCE_DETECT | more;
    status = loopback_connect(&loop);
    if (status) loopback_close(&loop);
    return status;
}

static bool connect_loop(ULONG more)
{
    SECURITY_STATUS status = connect_with(more);
    return ok(!status, "no contexts: %08lx", status);
}

static bool connect_usual(void)
{
    return connect_loop(0);
}

/* [D ExportSecurityContext] each role, with and without deletion of the old context, in DCE style
 * and without */
static void test_to_a_child(void)
{
    for (int i = 0; i < 8; i++) {
        struct worker worker;
        if (!connect_loop(i & 4 ? ISC_REQ_USE_DCE_STYLE : 0) || !move_begin(&worker)) return;
        CtxtHandle *moved = i & 1 ? &loop.server : &loop.client;
        CtxtHandle *peer = i & 1 ? &loop.client : &loop.server;
        for (int j = 0; j < i; j++) ok(contexts_talk(&loop.client, &loop.server), "%d: before", i);
        if (move_export(moved, i & 2 ? DELETE_OLD : 0)) move_to(&worker, peer);
        ok(worker_end(&worker), "%d: the worker did not end well", i);
        loopback_close(&loop);
    }
}

/* Three processes, each with messages before it passes the context on, and home again. */
static void test_several_hops(void)
{
    for (int side = 0; side < 2; side++) {
        struct worker workers[3];
        if (!connect_usual()) return;
        CtxtHandle *moved = side ? &loop.server : &loop.client;
        CtxtHandle *peer = side ? &loop.client : &loop.server;
        for (int i = 0; i < 3; i++)
            if (!move_begin(&workers[i])) return;
        bool moving = move_export(moved, DELETE_OLD);
        for (int hop = 0; moving && hop < 12; hop++) {
            struct worker *worker = &workers[hop * 7 % 3];
            moving = move_to(worker, peer) && move_from(worker);
        }
        if (moving) {
            SECURITY_STATUS status = context_import(L"Kerberos", blob.bytes, blob.size, moved);
            ok(status == SEC_E_OK, "home: %08lx", status);
            if (!status) ok(contexts_talk(&loop.client, &loop.server), "at home");
            status = worker_import(&workers[0], &blob);
            ok(status == SEC_E_CONTEXT_EXPIRED, "the last blob: %08lx", status);
        }
        for (int i = 0; i < 3; i++) ok(worker_end(&workers[i]), "worker %d did not end well", i);
        loopback_close(&loop);
    }
}

/* Both ends leave this process; they talk through it. */
static void test_both_ends(void)
{
    struct worker client, server;
    if (!connect_usual() || !move_begin(&client) || !move_begin(&server)) return;
    move_both(&client, &server, 50);
}

/* ours: a blob is the same for 32 and 64 bit, with what each direction has counted */
static void test_other_width(void)
{
    move_to_other_width(connect_usual);
}

/* ---- steps: from one program to the next ---- */

static bool file_write(const char *path, CtxtHandle *context)
{
    HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return false;
    bool good = !context_export(context, DELETE_OLD, &blob, NULL) &&
                block_write(file, blob.bytes, blob.size);
    CloseHandle(file);
    context_forget(context);
    return good;
}

static bool file_read(const char *path, CtxtHandle *context)
{
    HANDLE file = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return false;
    bool good = block_read(file, blob.bytes, sizeof(blob.bytes), &blob.size);
    CloseHandle(file);
    SECURITY_STATUS status = good ? context_import(L"Kerberos", blob.bytes, blob.size, context)
                                  : SEC_E_INTERNAL_ERROR;
    if (status) printf("import: %08lx\n", (ULONG)status);
    return !status;
}

static SECURITY_STATUS acquire(void)
{
    CredHandle credential;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"Kerberos",
                                                       SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                                       &credential, NULL);
    if (!status) FreeCredentialsHandle(&credential);
    return status;
}

/* What a process without the library is told of the package, the second time, too. */
static void say_what_is_there(void)
{
    SecPkgInfoW *infos;
    ULONG count = 0, listed = 0;
    SECURITY_STATUS status = acquire(), again = acquire();
    if (EnumerateSecurityPackagesW(&count, &infos)) count = 0;
    for (ULONG i = 0; i < count; i++) listed += !lstrcmpW(infos[i].Name, L"Kerberos");
    if (count) FreeContextBuffer(infos);
    printf("credentials %08lx %08lx, listed %lu\n", (ULONG)status, (ULONG)again, listed);
}

static int step(const char *what, char **files)
{
    SECURITY_STATUS status = SEC_E_OK;
    if (!strcmp(what, "begin")) status = connect_with(0);
    else if (!file_read(files[0], &loop.client) || !file_read(files[1], &loop.server)) return 2;
    if (status) printf("no contexts: %08lx\n", (ULONG)status);
    if (status) return 1;
    say_what_is_there();
    for (int i = 0; i < 20; i++)
        if (!contexts_talk(&loop.client, &loop.server)) return 3;
    return file_write(files[0], &loop.client) && file_write(files[1], &loop.server) ? 0 : 4;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "worker")) return worker_main(argc, argv);
    worker_package = L"Kerberos";
    if (argc > 1) MultiByteToWideChar(CP_ACP, 0, argv[1], -1, target, 256);
    if (argc == 5) return step(argv[2], argv + 3);
    RUN(test_to_a_child);
    RUN(test_several_hops);
    RUN(test_both_ends);
    RUN(test_other_width);
    return test_end("kerberos_processes");
}
