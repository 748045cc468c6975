/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs the programs of tests/api, on Windows or under Wine, and has them write down what they state
 * and see: conformance_record RECORD [PROGRAM...], the programs by their names without ".exe" and
 * all others of its own folder when none is named. A program that crashes or hangs is a line of
 * the record. Beside the lines of statement.h these are written:
 *
 *   system NAME             of what the lines that follow say something
 *   begin PROGRAM
 *   end PROGRAM STATUS      the exit status, or "timeout"
 */
#include <windows.h>

#include <stdio.h>
#include <wchar.h>

#include "support.h"

#define PATIENCE_S 400

static wchar_t folder[MAX_PATH];

static bool record_line(const wchar_t *path, const char *line)
{
    FILE *record = _wfopen(path, L"ab");
    if (!record) return false;
    bool written = fputs(line, record) >= 0;
    return !fclose(record) && written;
}

/* The version that the system says it has; GetVersionEx tells programs what they want to hear. */
static void windows_version(char *text, size_t size)
{
    LONG(WINAPI * version)(RTL_OSVERSIONINFOW *) = function_find("ntdll.dll", "RtlGetVersion");
    RTL_OSVERSIONINFOW found = {.dwOSVersionInfoSize = sizeof(found)};
    if (version) version(&found);
    snprintf(text, size, "Windows %lu.%lu.%lu", found.dwMajorVersion, found.dwMinorVersion,
             found.dwBuildNumber);
}

static bool record_system(const wchar_t *path)
{
    const char *(CDECL * wine)(void) = function_find("ntdll.dll", "wine_get_version");
    const char *bits = sizeof(void *) == 8 ? "64-bit" : "32-bit";
    char version[64], line[160];
    windows_version(version, sizeof(version));
    if (!wine) snprintf(line, sizeof(line), "system\t%s, %s\n", version, bits);
    else if (running_on_ours())
        snprintf(line, sizeof(line), "system\twinesspi on Wine %s, %s\n", wine(), bits);
    else snprintf(line, sizeof(line), "system\tWine %s, %s\n", wine(), bits);
    printf("%s", strchr(line, '\t') + 1);
    return record_line(path, line);
}

/* A job, so that what the program has started ends with it. */
static HANDLE job_make(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (job)
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits));
    return job;
}

/* Its exit status, or "timeout". */
static void run(const wchar_t *name, char *outcome, size_t size)
{
    wchar_t line[MAX_PATH + 8];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    DWORD code = 0;
    HANDLE job = job_make();
    swprintf(line, ARRAY_SIZE(line), L"\"%ls%ls.exe\"", folder, name);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup,
                        &process)) {
        snprintf(outcome, size, "not started, error %lu", GetLastError());
        if (job) CloseHandle(job);
        return;
    }
    if (job) AssignProcessToJobObject(job, process.hProcess);
    ResumeThread(process.hThread);
    bool ended = WaitForSingleObject(process.hProcess, PATIENCE_S * 1000) == WAIT_OBJECT_0;
    if (!ended) TerminateProcess(process.hProcess, 99);
    if (!ended) snprintf(outcome, size, "timeout");
    else if (GetExitCodeProcess(process.hProcess, &code)) snprintf(outcome, size, "%lx", code);
    else snprintf(outcome, size, "unknown");
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    if (job) CloseHandle(job);
}

static bool record_program(const wchar_t *path, const wchar_t *name)
{
    char line[128], outcome[64];
    snprintf(line, sizeof(line), "begin\t%ls\n", name);
    if (!record_line(path, line)) return false;
    run(name, outcome, sizeof(outcome));
    printf("%-24ls %s\n", name, outcome);
    fflush(stdout);
    snprintf(line, sizeof(line), "end\t%ls\t%s\n", name, outcome);
    return record_line(path, line);
}

static bool record_all(const wchar_t *path)
{
    wchar_t pattern[MAX_PATH];
    WIN32_FIND_DATAW found;
    bool recorded = true;
    swprintf(pattern, ARRAY_SIZE(pattern), L"%ls*.exe", folder);
    HANDLE search = FindFirstFileW(pattern, &found);
    if (search == INVALID_HANDLE_VALUE) return false;
    do {
        found.cFileName[wcslen(found.cFileName) - 4] = 0;
        if (_wcsicmp(found.cFileName, L"conformance_record"))
            recorded = record_program(path, found.cFileName);
    } while (recorded && FindNextFileW(search, &found));
    FindClose(search);
    return recorded;
}

/* Called by the C library; no header declares it. */
int wmain(int argc, wchar_t **argv);
int wmain(int argc, wchar_t **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: conformance_record RECORD [PROGRAM...]\n");
        return 2;
    }
    /* No box that asks somebody what to do about a crash; the programs inherit this. */
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    /* As it was given: the programs run in this folder, too, and their C library could not open a
     * path with characters that the code page does not have. */
    const wchar_t *path = argv[1];
    if (!program_folder(folder, MAX_PATH) || !SetEnvironmentVariableW(L"WINESSPI_RECORD", path))
        return 1;
    bool recorded = record_system(path);
    if (recorded && argc == 2) recorded = record_all(path);
    for (int i = 2; recorded && i < argc; i++) recorded = record_program(path, argv[i]);
    if (!recorded) fprintf(stderr, "the record cannot be written\n");
    return recorded ? 0 : 1;
}
