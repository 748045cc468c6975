/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See process.h. Handles are inheritable only while the child that shall have them starts: a pipe
 * whose writing end lived on in some other process would never come to its end. This program
 * starts one process at a time, so no lock is needed for that.
 */
#include "process.h"

#include "narrate.h"

#include <stdlib.h>
#include <string.h>

#define PIPE_SIZE (1u << 18) /* the largest blob and more: nobody waits for the reader */

bool process_pipe(HANDLE *reading, HANDLE *writing)
{
    if (CreatePipe(reading, writing, NULL, PIPE_SIZE)) return true;
    return narrate_failure("cannot make a pipe: error %lu", GetLastError());
}

void process_close_handle(HANDLE *handle)
{
    if (*handle) CloseHandle(*handle);
    *handle = NULL;
}

static void process_inherit(const struct process_request *request, HANDLE input, bool on)
{
    DWORD flag = on ? HANDLE_FLAG_INHERIT : 0;
    SetHandleInformation(input, HANDLE_FLAG_INHERIT, flag);
    for (size_t i = 0; i < request->inherit_count; i++)
        SetHandleInformation(request->inherit[i], HANDLE_FLAG_INHERIT, flag);
}

static bool process_create(const struct process_request *request, const wchar_t *arguments,
                           HANDLE input, PROCESS_INFORMATION *info)
{
    wchar_t program[MAX_PATH], line[MAX_PATH + 512];
    DWORD length = GetModuleFileNameW(NULL, program, MAX_PATH);
    if (!length || length == MAX_PATH) return narrate_failure("this program's path is too long");
    swprintf(line, sizeof(line) / sizeof(*line), L"\"%ls\" %ls", program, arguments);
    STARTUPINFOW startup = {.cb = sizeof(startup),
                            .dwFlags = STARTF_USESTDHANDLES,
                            .hStdInput = input,
                            .hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE),
                            .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
    process_inherit(request, input, true);
    BOOL created = CreateProcessW(program, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL,
                                  &startup, info);
    DWORD error = GetLastError();
    process_inherit(request, input, false);
    return created || narrate_failure("cannot start a process: error %lu", error);
}

/* Suspended until it is in the job: what it starts itself is then in the job too. */
static bool process_resume(const struct process_request *request, PROCESS_INFORMATION *info)
{
    bool assigned = !request->job || AssignProcessToJobObject(request->job, info->hProcess);
    if (assigned && ResumeThread(info->hThread) != (DWORD)-1) return true;
    narrate_failure("cannot start a process: error %lu", GetLastError());
    TerminateProcess(info->hProcess, EXIT_FAILED);
    return false;
}

bool process_start(const struct process_request *request, struct process *out)
{
    bool result = false;
    HANDLE reading = NULL, writing = NULL;
    PROCESS_INFORMATION info = {NULL, NULL, 0, 0};
    wchar_t *arguments = text_to_wide(request->arguments);
    if (!arguments) {
        narrate_failure("out of memory");
        goto done;
    }
    if (!process_pipe(&reading, &writing)) goto done;
    if (!process_create(request, arguments, reading, &info)) goto done;
    if (!process_resume(request, &info)) goto done;
    *out = (struct process){info.hProcess, info.dwProcessId, writing};
    info.hProcess = NULL;
    writing = NULL;
    result = true;
done:
    free(arguments);
    process_close_handle(&reading);
    process_close_handle(&writing);
    process_close_handle(&info.hProcess);
    process_close_handle(&info.hThread);
    return result;
}

bool process_wait(const struct process *process, const char *name, DWORD timeout_ms)
{
    if (WaitForSingleObject(process->handle, timeout_ms) != WAIT_OBJECT_0)
        return narrate_failure("%s did not end in time", name);
    DWORD code;
    if (!GetExitCodeProcess(process->handle, &code)) code = EXIT_FAILED;
    return code == EXIT_OK || narrate_failure("%s ended with status %lu", name, code);
}

void process_close(struct process *process)
{
    process_close_handle(&process->handle);
    process_close_handle(&process->input);
}
