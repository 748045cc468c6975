/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contexts that move to workers, see moves.h. */
#include "moves.h"

#include <wchar.h>

struct loopback loop;
struct blob blob;

bool move_begin(struct worker *worker)
{
    return ok(worker_start(worker, NULL), "no worker");
}

bool move_export(CtxtHandle *context, ULONG flags)
{
    SECURITY_STATUS status = context_export(context, flags, &blob, NULL);
    if (flags & DELETE_OLD) context_forget(context);
    return ok(!status && blob.size, "export: %08lx, %lu bytes", status, blob.size);
}

bool move_to(struct worker *worker, CtxtHandle *peer)
{
    SECURITY_STATUS status = worker_import(worker, &blob);
    if (!ok(status == SEC_E_OK, "import in the worker: %08lx", status)) return false;
    return ok(worker_talks(worker, peer), "the worker does not talk");
}

bool move_from(struct worker *worker)
{
    SECURITY_STATUS status = worker_export(worker, DELETE_OLD, &blob);
    return ok(!status && blob.size, "export of the worker: %08lx", status);
}

void move_home(struct worker *worker, CtxtHandle *moved)
{
    if (!move_from(worker)) return;
    SECURITY_STATUS status = context_import(worker_package, blob.bytes, blob.size, moved);
    ok(status == SEC_E_OK, "home: %08lx", status);
    if (!status) ok(contexts_talk(&loop.client, &loop.server), "at home");
}

/* ---- to a process of the other width ---- */

/* Wine starts the process in any case, and it ends at once. */
bool move_begin_other_width(struct worker *worker)
{
    const bool wide = sizeof(void *) == 8;
    wchar_t program[2 * MAX_PATH], own[MAX_PATH];
    program_folder(program, MAX_PATH);
    GetModuleFileNameW(NULL, own, MAX_PATH);
    lstrcatW(program, wide ? L"..\\i386-windows\\" : L"..\\x86_64-windows\\");
    lstrcatW(program, wcsrchr(own, '\\') + 1);
    if (GetFileAttributesW(program) != INVALID_FILE_ATTRIBUTES && worker_start(worker, program) &&
        worker_delete(worker) != WORKER_GONE)
        return true;
    skip_case(wide ? "32-bit Wine" : "64-bit Wine");
    return false;
}

void move_to_other_width(bool (*connect)(void))
{
    for (int side = 0; side < 2; side++) {
        struct worker worker;
        if (!move_begin_other_width(&worker)) return;
        if (!connect()) return;
        CtxtHandle *moved = side ? &loop.server : &loop.client;
        CtxtHandle *peer = side ? &loop.client : &loop.server;
        for (int i = 0; i < 5; i++)
            ok(contexts_talk(&loop.client, &loop.server), "%d: before", side);
        if (move_export(moved, DELETE_OLD) && move_to(&worker, peer)) move_home(&worker, moved);
        ok(worker_end(&worker), "%d: the worker did not end well", side);
        loopback_close(&loop);
    }
}

/* ---- both ends ---- */

void move_both(struct worker *client, struct worker *server, int messages)
{
    bool moved = move_export(&loop.client, DELETE_OLD);
    SECURITY_STATUS status = moved ? worker_import(client, &blob) : SEC_E_OK;
    ok(status == SEC_E_OK, "client: %08lx", status);
    moved = moved && move_export(&loop.server, DELETE_OLD);
    status = moved ? worker_import(server, &blob) : SEC_E_OK;
    ok(status == SEC_E_OK, "server: %08lx", status);
    for (int i = 0; moved && i < messages; i++) {
        struct worker *from = i % 3 ? client : server, *to = i % 3 ? server : client;
        struct message message;
        BYTE text[64];
        for (int j = 0; j < 64; j++) text[j] = (BYTE)(i * j + i);
        message_set(&message, text, 64);
        status = worker_seal(from, &message);
        ok(!status && memcmp(message.data, text, 64), "message %d, seal: %08lx", i, status);
        status = worker_open(to, &message);
        ok(!status && !memcmp(message.data, text, 64), "message %d, open: %08lx", i, status);
    }
    ok(worker_end(client), "the client's process did not end well");
    ok(worker_end(server), "the server's process did not end well");
    loopback_close(&loop);
}
