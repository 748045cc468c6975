/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Export and import of the context, WSADuplicateSocket, and the pipes between the two processes;
 * see errand.h. Both ends are this program, perhaps of another word size: what goes through the
 * pipes are structures without pointers, whose layout is the same for both.
 */
#include "errand.h"

#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOB_LIMIT = 65536 };

/* The parcel's head; the exported context follows it. */
struct parcel {
    char failure[160];
    char domain[16], user[64], password[64];
    char package[16], target[64], bindings[64];
    uint32_t ask, qop;
    uint32_t server, sample, tamper, tamper_round, opened, legs;
    uint32_t finish_handshake, complete, first, count;
    uint32_t sender; /* process id */
    uint32_t blob_size;
    WSAPROTOCOL_INFOW socket;
};

struct successor {
    HANDLE process, input, output;
    DWORD pid;
};

static bool pipe_write(HANDLE pipe, const void *bytes, size_t count)
{
    DWORD done;
    return WriteFile(pipe, bytes, (DWORD)count, &done, NULL) && done == count;
}

/* A pipe has no limit of time of its own. */
static bool pipe_wait(HANDLE pipe)
{
    const ULONGLONG end = GetTickCount64() + DIALOGUE_PATIENCE_SECONDS * 1000;
    DWORD there;
    while (PeekNamedPipe(pipe, NULL, 0, NULL, &there, NULL)) {
        if (there) return true;
        if (GetTickCount64() > end) return false;
        Sleep(1);
    }
    return false;
}

static bool pipe_read(HANDLE pipe, void *bytes, size_t count)
{
    for (size_t have = 0; have < count;) {
        DWORD done;
        if (!pipe_wait(pipe)) return false;
        if (!ReadFile(pipe, (char *)bytes + have, (DWORD)(count - have), &done, NULL)) return false;
        if (!done) return false;
        have += done;
    }
    return true;
}

static bool import_side(struct dialogue *dialogue, struct octets *blob)
{
    struct sspi_side *side = dialogue->context;
    SECURITY_STATUS status = sspi_side_import(side, blob, &side->context);
    if (status != SEC_E_OK) return sspi_side_fail(dialogue, "import", status);
    side->have_context = true;
    return true;
}

/* The exported context must be gone here, and its blob must be used up once it is imported. */
static bool check_old_context(struct dialogue *dialogue)
{
    struct sspi_side *side = dialogue->context;
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_SIZES, &sizes);
    if (status == SEC_E_INVALID_HANDLE) return true;
    return sspi_side_fail(dialogue, "exported context is alive:", status);
}

static bool check_used_blob(struct dialogue *dialogue, struct octets *blob)
{
    CtxtHandle context;
    SECURITY_STATUS status = sspi_side_import(dialogue->context, blob, &context);
    if (status == SEC_E_CONTEXT_EXPIRED) return true;
    if (status == SEC_E_OK) DeleteSecurityContext(&context);
    return sspi_side_fail(dialogue, "second import:", status);
}

/* Exports the side, and writes the parcel for the process with that id. */
static bool send_parcel(struct dialogue *dialogue, struct parcel *parcel, DWORD pid, HANDLE pipe,
                        struct octets *blob)
{
    struct sspi_side *side = dialogue->context;
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    SECURITY_STATUS status = ExportSecurityContext(&side->context, SECPKG_CONTEXT_EXPORT_DELETE_OLD,
                                                   &packed, NULL);
    if (status != SEC_E_OK) return sspi_side_fail(dialogue, "export", status);
    side->have_context = false;
    bool good = octets_alloc(blob, packed.cbBuffer);
    if (good) memcpy(blob->data, packed.pvBuffer, blob->size);
    FreeContextBuffer(packed.pvBuffer);
    if (!good) return dialogue_fail(dialogue, "export", "out of memory");
    if (!check_old_context(dialogue)) return false;
    if (WSADuplicateSocketW((SOCKET)dialogue->channel, pid, &parcel->socket)) {
        return dialogue_fail(dialogue, "move", "cannot duplicate the socket");
    }
    memcpy(parcel->package, side->package, sizeof(parcel->package));
    parcel->ask = side->ask;
    parcel->qop = side->qop;
    parcel->opened = side->opened;
    parcel->legs = side->legs;
    parcel->complete = side->complete;
    parcel->blob_size = (uint32_t)blob->size;
    if (pipe_write(pipe, parcel, sizeof(*parcel)) && pipe_write(pipe, blob->data, blob->size)) {
        return true;
    }
    return dialogue_fail(dialogue, "move", "pipe closed");
}

/* Reads a parcel, and makes its socket and context those of the dialogue. */
static bool receive_parcel(struct dialogue *dialogue, struct parcel *parcel, HANDLE pipe)
{
    struct sspi_side *side = dialogue->context;
    struct octets blob = {0};
    bool good = false;
    if (!pipe_read(pipe, parcel, sizeof(*parcel)) || parcel->blob_size > BLOB_LIMIT) {
        return dialogue_fail(dialogue, "move", "no parcel came");
    }
    if (parcel->failure[0]) return dialogue_fail(dialogue, "successor:", parcel->failure);
    if (!octets_alloc(&blob, parcel->blob_size) || !pipe_read(pipe, blob.data, blob.size)) {
        dialogue_fail(dialogue, "move", "no context came");
        goto done;
    }
    SOCKET channel = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO,
                                &parcel->socket, 0, 0);
    if (channel == INVALID_SOCKET) {
        dialogue_fail(dialogue, "move", "cannot open the socket");
        goto done;
    }
    if (dialogue->channel) closesocket((SOCKET)dialogue->channel);
    dialogue->channel = (intptr_t)channel;
    memcpy(side->package, parcel->package, sizeof(side->package));
    side->ask = parcel->ask;
    side->qop = parcel->qop;
    side->opened = parcel->opened;
    side->legs = parcel->legs;
    side->complete = parcel->complete;
    good = import_side(dialogue, &blob);
done:
    octets_clear(&blob);
    return good;
}

static void close_handle(HANDLE *handle)
{
    if (*handle) CloseHandle(*handle);
    *handle = NULL;
}

static bool start_process(struct successor *successor, const char *program, HANDLE in, HANDLE out)
{
    WCHAR path[MAX_PATH], command[MAX_PATH + 16];
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    if (program ? !MultiByteToWideChar(CP_ACP, 0, program, -1, path, MAX_PATH)
                : !GetModuleFileNameW(NULL, path, MAX_PATH)) {
        return false;
    }
    _snwprintf(command, MAX_PATH + 16, L"\"%ls\" successor", path);
    startup.hStdInput = in;
    startup.hStdOutput = out;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessW(path, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) {
        return false;
    }
    CloseHandle(process.hThread);
    successor->process = process.hProcess;
    successor->pid = process.dwProcessId;
    return true;
}

static bool start_successor(struct successor *successor, const char *program)
{
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    HANDLE in = NULL, out = NULL;
    bool good = CreatePipe(&in, &successor->input, &inherited, BLOB_LIMIT) &&
                CreatePipe(&successor->output, &out, &inherited, BLOB_LIMIT) &&
                SetHandleInformation(successor->input, HANDLE_FLAG_INHERIT, 0) &&
                SetHandleInformation(successor->output, HANDLE_FLAG_INHERIT, 0) &&
                start_process(successor, program, in, out);
    close_handle(&in);
    close_handle(&out);
    return good;
}

static void fill_parcel(struct parcel *parcel, const struct dialogue *dialogue,
                        const struct options *options, const struct errand *errand)
{
    memset(parcel, 0, sizeof(*parcel));
    memcpy(parcel->domain, options->domain, sizeof(parcel->domain));
    memcpy(parcel->user, options->user, sizeof(parcel->user));
    memcpy(parcel->password, options->password, sizeof(parcel->password));
    memcpy(parcel->target, options->target, sizeof(parcel->target));
    memcpy(parcel->bindings, options->bindings, sizeof(parcel->bindings));
    parcel->sender = GetCurrentProcessId();
    parcel->server = dialogue->server;
    parcel->sample = options->sample;
    parcel->tamper = dialogue->tamper;
    parcel->tamper_round = dialogue->tamper_round;
    parcel->finish_handshake = errand->finish_handshake;
    parcel->first = errand->first;
    parcel->count = errand->count;
}

/* Waits for its end, and makes one if none comes. */
static bool end_process(HANDLE process)
{
    const DWORD patience = DIALOGUE_PATIENCE_SECONDS * 1000;
    if (WaitForSingleObject(process, patience) == WAIT_OBJECT_0) return true;
    TerminateProcess(process, EXIT_FAILURE);
    return false;
}

bool errand_send(struct dialogue *dialogue, const struct options *options,
                 const struct errand *errand)
{
    struct successor successor = {0};
    struct parcel parcel;
    struct octets blob = {0};
    bool good = false;

    dialogue_progress("starting the successor");
    if (!start_successor(&successor, options->successor)) {
        dialogue_fail(dialogue, "move", "cannot start the successor");
        goto done;
    }
    fill_parcel(&parcel, dialogue, options, errand);
    if (!send_parcel(dialogue, &parcel, successor.pid, successor.input, &blob)) goto done;
    printf("moved: from process %lu to %lu with %lu bytes\n", GetCurrentProcessId(), successor.pid,
           (unsigned long)blob.size);
    fflush(stdout);
    if (!receive_parcel(dialogue, &parcel, successor.output)) goto done;
    printf("moved: back with %lu bytes\n", (unsigned long)parcel.blob_size);
    good = check_used_blob(dialogue, &blob);
done:
    /* The end of its input tells the successor that its socket was taken over. */
    close_handle(&successor.input);
    if (successor.process && !end_process(successor.process)) {
        good = dialogue_fail(dialogue, "move", "the successor does not end");
    }
    close_handle(&successor.process);
    close_handle(&successor.output);
    octets_clear(&blob);
    return good;
}

static bool run_errand(struct dialogue *dialogue, const struct parcel *parcel)
{
    if (!parcel->finish_handshake) {
        return parcel->sample ? sample_run(dialogue, parcel->first, parcel->count)
                              : dialogue_run(dialogue, parcel->first, parcel->count);
    }
    struct options options = {.server = dialogue->server, .ask = parcel->ask};
    memcpy(options.domain, parcel->domain, sizeof(options.domain));
    memcpy(options.user, parcel->user, sizeof(options.user));
    memcpy(options.password, parcel->password, sizeof(options.password));
    memcpy(options.package, parcel->package, sizeof(options.package));
    memcpy(options.target, parcel->target, sizeof(options.target));
    memcpy(options.bindings, parcel->bindings, sizeof(options.bindings));
    return sspi_side_acquire(dialogue, &options) && sspi_side_authenticate(dialogue, 0);
}

int errand_serve(void)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    struct sspi_side side = {0};
    struct dialogue dialogue = {.ops = &sspi_side_ops, .context = &side};
    struct parcel parcel = {0};
    struct octets blob = {0};
    char end;

    bool good = receive_parcel(&dialogue, &parcel, in);
    dialogue.server = parcel.server;
    if (parcel.sample) dialogue.framing = &sample_framing;
    dialogue.tamper = (enum dialogue_tamper)parcel.tamper;
    dialogue.tamper_round = parcel.tamper_round;
    good = good && run_errand(&dialogue, &parcel) &&
           send_parcel(&dialogue, &parcel, parcel.sender, out, &blob);
    if (good) {
        /* The socket lives here until the other process has opened its own. */
        good = !pipe_read(in, &end, 1);
    } else {
        memcpy(parcel.failure, dialogue.failure, sizeof(parcel.failure));
        parcel.blob_size = 0;
        pipe_write(out, &parcel, sizeof(parcel));
    }
    if (dialogue.channel) closesocket((SOCKET)dialogue.channel);
    octets_clear(&blob);
    sspi_side_clear(&side);
    return good ? 0 : 1;
}
