/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process at the other end of the pipe, see worker.h. A request is one block: a letter and
 * what belongs to it. An answer is one block: a status and what belongs to that.
 */
#include "worker.h"

#include <stdio.h>

#define ROOM (sizeof(struct blob) + 64)

struct request {
    BYTE bytes[ROOM];
    DWORD size;
};

/* ---- the signal of a race: a page that all processes of the test see ---- */

/* A section of the process that gives the signal: other runs in the prefix have their own. */
static volatile LONG *race_signal(DWORD owner)
{
    static volatile LONG *shared;
    wchar_t name[64];
    if (shared) return shared;
    swprintf(name, sizeof(name) / sizeof(*name), L"Local\\winesspi-test-race-%lu", owner);
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name);
    if (section) shared = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 4096);
    return shared;
}

void worker_race_go(uint32_t round)
{
    InterlockedExchange(race_signal(GetCurrentProcessId()), (LONG)round);
}

/* ---- our side ---- */

const wchar_t *worker_package = L"NTLM";

bool worker_start(struct worker *worker, const wchar_t *program)
{
    wchar_t arguments[64];
    wsprintfW(arguments, L"worker %s", worker_package);
    return child_start(&worker->child, program, arguments);
}

bool worker_end(struct worker *worker)
{
    DWORD code;
    block_write(worker->child.to, "Q", 1);
    return child_end(&worker->child, &code) && code == 0;
}

static bool ask(struct worker *worker, char what, const void *more, DWORD size)
{
    struct request request = {.size = size + 1};
    if (size >= sizeof(request.bytes)) return false;
    request.bytes[0] = (BYTE)what;
    memcpy(request.bytes + 1, more, size);
    return block_write(worker->child.to, request.bytes, request.size);
}

/* The status, and what came with it behind it in answer. */
static SECURITY_STATUS answer(struct worker *worker, struct request *answer)
{
    SECURITY_STATUS status;
    if (!block_read(worker->child.from, answer->bytes, sizeof(answer->bytes), &answer->size) ||
        answer->size < sizeof(status))
        return WORKER_GONE;
    memcpy(&status, answer->bytes, sizeof(status));
    return status;
}

SECURITY_STATUS worker_import(struct worker *worker, const struct blob *blob)
{
    struct request reply;
    if (!ask(worker, 'I', blob->bytes, blob->size)) return WORKER_GONE;
    return answer(worker, &reply);
}

bool worker_export_begin(struct worker *worker, ULONG flags)
{
    return ask(worker, 'E', &flags, sizeof(flags));
}

SECURITY_STATUS worker_export_end(struct worker *worker, struct blob *blob)
{
    struct request reply;
    SECURITY_STATUS status = answer(worker, &reply);
    blob->size = 0;
    if (status) return status;
    blob->size = reply.size - sizeof(status);
    memcpy(blob->bytes, reply.bytes + sizeof(status), blob->size);
    return status;
}

SECURITY_STATUS worker_export(struct worker *worker, ULONG flags, struct blob *blob)
{
    if (!worker_export_begin(worker, flags)) return WORKER_GONE;
    return worker_export_end(worker, blob);
}

static SECURITY_STATUS pass_message(struct worker *worker, char what, struct message *message)
{
    struct request reply;
    if (!ask(worker, what, message, sizeof(*message))) return WORKER_GONE;
    SECURITY_STATUS status = answer(worker, &reply);
    if (!status && reply.size == sizeof(status) + sizeof(*message))
        memcpy(message, reply.bytes + sizeof(status), sizeof(*message));
    return status;
}

SECURITY_STATUS worker_seal(struct worker *worker, struct message *message)
{
    return pass_message(worker, 'S', message);
}

SECURITY_STATUS worker_open(struct worker *worker, struct message *message)
{
    return pass_message(worker, 'O', message);
}

SECURITY_STATUS worker_delete(struct worker *worker)
{
    struct request reply;
    return ask(worker, 'D', "", 0) ? answer(worker, &reply) : WORKER_GONE;
}

static SECURITY_STATUS ask_for_leg(struct worker *worker, char what, const void *request,
                                   ULONG request_size, BYTE *token, ULONG *size)
{
    struct request reply;
    if (!ask(worker, what, request, request_size)) return WORKER_GONE;
    SECURITY_STATUS status = answer(worker, &reply);
    *size = reply.size - sizeof(status);
    memcpy(token, reply.bytes + sizeof(status), *size);
    return status;
}

SECURITY_STATUS worker_accept(struct worker *worker, BYTE *token, ULONG *size)
{
    return ask_for_leg(worker, 'A', token, *size, token, size);
}

SECURITY_STATUS worker_initialize(struct worker *worker, const struct account *account, BYTE *token,
                                  ULONG *size)
{
    BYTE request[sizeof(*account) + 4096] = {0};
    if (*size > sizeof(request) - sizeof(*account)) return SEC_E_INSUFFICIENT_MEMORY;
    if (account) memcpy(request, account, sizeof(*account));
    memcpy(request + sizeof(*account), token, *size);
    return ask_for_leg(worker, 'L', request, sizeof(*account) + *size, token, size);
}

bool worker_talks(struct worker *worker, CtxtHandle *peer)
{
    static const char there[] = "to the worker", back[] = "and back from it";
    struct message message;
    message_set(&message, there, sizeof(there));
    if (message_seal(peer, &message) || !memcmp(message.data, there, sizeof(there))) return false;
    if (worker_open(worker, &message) || memcmp(message.data, there, sizeof(there))) return false;
    message_set(&message, back, sizeof(back));
    if (worker_seal(worker, &message) || !memcmp(message.data, back, sizeof(back))) return false;
    return !message_open(peer, &message) && !memcmp(message.data, back, sizeof(back));
}

bool worker_churn(struct worker *worker)
{
    return ask(worker, 'C', "", 0);
}

bool worker_churn_next(struct worker *worker, struct blob *blob)
{
    return block_read(worker->child.from, blob->bytes, sizeof(blob->bytes), &blob->size);
}

bool worker_race_prepare(struct worker *worker, const struct blob *blob, uint32_t round)
{
    struct request request;
    DWORD owner = GetCurrentProcessId();
    memcpy(request.bytes, &owner, 4);
    memcpy(request.bytes + 4, &round, 4);
    memcpy(request.bytes + 8, blob->bytes, blob->size);
    return race_signal(owner) && ask(worker, 'R', request.bytes, 8 + blob->size) &&
           answer(worker, &request) == SEC_E_OK;
}

SECURITY_STATUS worker_race_result(struct worker *worker)
{
    struct request reply;
    return answer(worker, &reply);
}

/* ---- the worker's side ---- */

static CtxtHandle kept;

static bool reply(HANDLE out, SECURITY_STATUS status, const void *more, DWORD size)
{
    struct request request;
    memcpy(request.bytes, &status, sizeof(status));
    memcpy(request.bytes + sizeof(status), more, size);
    return block_write(out, request.bytes, sizeof(status) + size);
}

static SECURITY_STATUS import_kept(const BYTE *bytes, DWORD size)
{
    return context_import(worker_package, bytes, size, &kept);
}

static bool serve_export(HANDLE out, const struct request *request)
{
    static struct blob blob;
    ULONG flags;
    memcpy(&flags, request->bytes + 1, sizeof(flags));
    SECURITY_STATUS status = context_export(&kept, flags, &blob, NULL);
    return reply(out, status, blob.bytes, status ? 0 : blob.size);
}

static bool serve_accept(HANDLE out, struct request *request)
{
    BYTE made[4096];
    CredHandle credential;
    SecBuffer input = {request->size - 1, SECBUFFER_TOKEN, request->bytes + 1};
    SecBuffer output = {sizeof(made), SECBUFFER_TOKEN, made};
    SecBufferDesc in = {SECBUFFER_VERSION, 1, &input}, desc = {SECBUFFER_VERSION, 1, &output};
    ULONG attributes;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)worker_package,
                                                       SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                       &credential, NULL);
    if (status) return reply(out, status, "", 0);
    status = AcceptSecurityContext(&credential, &kept, &in, SERVER_SEAL_FLAGS, SECURITY_NATIVE_DREP,
                                   &kept, &desc, &attributes, NULL);
    FreeCredentialsHandle(&credential);
    return reply(out, status, made, status < 0 ? 0 : output.cbBuffer);
}

/* An account without a name stands for default credentials. */
static bool serve_initialize(HANDLE out, const struct request *request)
{
    static struct loopback loop;
    struct account account;
    memcpy(&account, request->bytes + 1, sizeof(account));
    SECURITY_STATUS status = loopback_open(&loop, worker_package, *account.user ? &account : NULL);
    if (status) return reply(out, status, "", 0);
    loop.client = kept;
    loop.token_size = request->size - 1 - sizeof(account);
    memcpy(loop.token, request->bytes + 1 + sizeof(account), loop.token_size);
    status = loopback_client_leg(&loop);
    kept = loop.client;
    context_forget(&loop.client);
    loopback_close(&loop);
    return reply(out, status, loop.token, loop.token_size);
}

static bool serve_message(HANDLE out, const struct request *request)
{
    struct message message;
    memcpy(&message, request->bytes + 1, sizeof(message));
    SECURITY_STATUS status = request->bytes[0] == 'S' ? message_seal(&kept, &message)
                                                      : message_open(&kept, &message);
    return reply(out, status, &message, status ? 0 : sizeof(message));
}

/* Waits mostly hot, yet lets the others run: there may be fewer processors than processes. The
 * one who gives the signal may die first. */
static bool await_signal(volatile LONG *signal, uint32_t round)
{
    ULONGLONG end = GetTickCount64() + 30000;
    for (unsigned spins = 1; (uint32_t)*signal != round; spins++) {
        if (spins % 256) YieldProcessor();
        else if (GetTickCount64() > end) return false;
        else SwitchToThread();
    }
    return true;
}

static bool serve_race(HANDLE out, const struct request *request)
{
    DWORD owner;
    uint32_t round;
    memcpy(&owner, request->bytes + 1, 4);
    memcpy(&round, request->bytes + 5, 4);
    volatile LONG *signal = race_signal(owner);
    if (!signal || !reply(out, SEC_E_OK, "", 0) || !await_signal(signal, round)) return false;
    SECURITY_STATUS status = import_kept(request->bytes + 9, request->size - 9);
    if (!status) DeleteSecurityContext(&kept);
    return reply(out, status, "", 0);
}

/* Ends only when somebody kills the process or closes the pipe. */
static bool serve_churn(HANDLE out)
{
    static struct blob blob;
    for (;;) {
        if (context_export(&kept, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL)) return false;
        if (!block_write(out, blob.bytes, blob.size)) return false;
        if (import_kept(blob.bytes, blob.size)) return false;
    }
}

static bool serve(HANDLE out, struct request *request)
{
    switch (request->bytes[0]) {
    case 'I': return reply(out, import_kept(request->bytes + 1, request->size - 1), "", 0);
    case 'E': return serve_export(out, request);
    case 'S':
    case 'O': return serve_message(out, request);
    case 'A': return serve_accept(out, request);
    case 'L': return serve_initialize(out, request);
    case 'D': return reply(out, DeleteSecurityContext(&kept), "", 0);
    case 'R': return serve_race(out, request);
    case 'C': return serve_churn(out);
    default: return false;
    }
}

int worker_main(int argc, char **argv)
{
    static struct request request;
    static wchar_t package[65];
    if (argc > 2 && MultiByteToWideChar(CP_ACP, 0, argv[2], -1, package, 65))
        worker_package = package;
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    context_forget(&kept);
    while (block_read(in, request.bytes, sizeof(request.bytes), &request.size) && request.size) {
        if (request.bytes[0] == 'Q') return 0;
        if (!serve(out, &request)) return 1;
    }
    return 2;
}
