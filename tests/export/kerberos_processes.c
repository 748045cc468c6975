/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts of Kerberos move between processes while their peers go on talking: to a child, from
 * child to child, back, both ends at once, to a process of the other width, and to one that finds
 * no library of the host. Run by kerberos.sh with the name of a service and what its key is called;
 * with a step and two files for contexts that go from one program to the next.
 */
#include "worker.h"

#include <stdio.h>

#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD

static wchar_t target[256];
static struct loopback loop;
static struct blob blob;

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

static bool export_side(CtxtHandle *context, ULONG flags)
{
    SECURITY_STATUS status = context_export(context, flags, &blob, NULL);
    if (flags & DELETE_OLD) context_forget(context);
    return ok(!status && blob.size, "export: %08lx, %lu bytes", status, blob.size);
}

static bool start(struct worker *worker)
{
    return ok(worker_start(worker, NULL), "no worker");
}

static bool hand_to(struct worker *worker, CtxtHandle *peer)
{
    SECURITY_STATUS status = worker_import(worker, &blob);
    if (!ok(status == SEC_E_OK, "import in the worker: %08lx", status)) return false;
    return ok(worker_talks(worker, peer), "the worker does not talk");
}

static bool take_from(struct worker *worker)
{
    SECURITY_STATUS status = worker_export(worker, DELETE_OLD, &blob);
    return ok(!status && blob.size, "export of the worker: %08lx", status);
}

/* The worker's context comes home, and goes on there. */
static void bring_home(struct worker *worker, CtxtHandle *moved)
{
    if (!take_from(worker)) return;
    SECURITY_STATUS status = context_import(L"Kerberos", blob.bytes, blob.size, moved);
    ok(status == SEC_E_OK, "home: %08lx", status);
    if (!status) ok(contexts_talk(&loop.client, &loop.server), "at home");
}

/* [D ExportSecurityContext] each role, with and without deletion of the old context, in DCE style
 * and without */
static void test_to_a_child(void)
{
    for (int i = 0; i < 8; i++) {
        struct worker worker;
        if (!connect_loop(i & 4 ? ISC_REQ_USE_DCE_STYLE : 0) || !start(&worker)) return;
        CtxtHandle *moved = i & 1 ? &loop.server : &loop.client;
        CtxtHandle *peer = i & 1 ? &loop.client : &loop.server;
        for (int j = 0; j < i; j++) ok(contexts_talk(&loop.client, &loop.server), "%d: before", i);
        if (export_side(moved, i & 2 ? DELETE_OLD : 0)) hand_to(&worker, peer);
        ok(worker_end(&worker), "%d: the worker did not end well", i);
        loopback_close(&loop);
    }
}

/* Three processes, each with messages before it passes the context on, and home again. */
static void test_several_hops(void)
{
    for (int side = 0; side < 2; side++) {
        struct worker workers[3];
        if (!connect_loop(0)) return;
        CtxtHandle *moved = side ? &loop.server : &loop.client;
        CtxtHandle *peer = side ? &loop.client : &loop.server;
        for (int i = 0; i < 3; i++)
            if (!start(&workers[i])) return;
        bool moving = export_side(moved, DELETE_OLD);
        for (int hop = 0; moving && hop < 12; hop++) {
            struct worker *worker = &workers[hop * 7 % 3];
            moving = hand_to(worker, peer) && take_from(worker);
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
    if (!connect_loop(0) || !start(&client) || !start(&server)) return;
    bool moved = export_side(&loop.client, DELETE_OLD) && !worker_import(&client, &blob);
    ok(moved, "the client did not move");
    moved = moved && export_side(&loop.server, DELETE_OLD) && !worker_import(&server, &blob);
    ok(moved, "the server did not move");
    for (int i = 0; moved && i < 50; i++) {
        struct worker *from = i % 3 ? &client : &server, *to = i % 3 ? &server : &client;
        struct message message;
        BYTE text[64];
        for (int j = 0; j < 64; j++) text[j] = (BYTE)(i * j + i);
        message_set(&message, text, 64);
        SECURITY_STATUS status = worker_seal(from, &message);
        ok(!status && memcmp(message.data, text, 64), "message %d, seal: %08lx", i, status);
        status = worker_open(to, &message);
        ok(!status && !memcmp(message.data, text, 64), "message %d, open: %08lx", i, status);
    }
    ok(worker_end(&client), "the client's process did not end well");
    ok(worker_end(&server), "the server's process did not end well");
    loopback_close(&loop);
}

/* False where there are no such programs. */
static bool start_other_width(struct worker *worker)
{
    const bool wide = sizeof(void *) == 8;
    wchar_t program[MAX_PATH];
    program_folder(program, MAX_PATH - 64);
    lstrcatW(program, wide ? L"..\\i386-windows\\kerberos_processes.exe"
                           : L"..\\x86_64-windows\\kerberos_processes.exe");
    if (GetFileAttributesW(program) != INVALID_FILE_ATTRIBUTES && worker_start(worker, program) &&
        worker_delete(worker) != WORKER_GONE)
        return true;
    skip_case(wide ? "32-bit Wine" : "64-bit Wine");
    return false;
}

/* ours: a blob is the same for 32 and 64 bit, with what each direction has counted */
static void test_other_width(void)
{
    for (int side = 0; side < 2; side++) {
        struct worker worker;
        if (!start_other_width(&worker)) return;
        if (!connect_loop(0)) return;
        CtxtHandle *moved = side ? &loop.server : &loop.client;
        CtxtHandle *peer = side ? &loop.client : &loop.server;
        for (int i = 0; i < 5; i++)
            ok(contexts_talk(&loop.client, &loop.server), "%d: before", side);
        if (export_side(moved, DELETE_OLD) && hand_to(&worker, peer)) bring_home(&worker, moved);
        ok(worker_end(&worker), "%d: the worker did not end well", side);
        loopback_close(&loop);
    }
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
