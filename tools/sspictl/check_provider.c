/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl check-provider: loads a module of security packages and tells what of the contract it
 * keeps. The checks run in a second process, this program started again, so that a module may crash
 * or hang as it likes: the first process watches, and names the check during which it happened.
 */
#include "commands.h"
#include "options.h"
#include "provider_check.h"

#include <stdlib.h>
#include <string.h>

#define SECONDS_USUAL 60ul
#define START "start"
#define HERE L"SSPICTL_CHECK_HERE" /* set for the second process */

/* ---- the second process ---- */

static int checks_run(const wchar_t *path, const struct login *login)
{
    struct provider_names names = {0};
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    provider_exceptions_watch();
    if (provider_load(path, &names))
        for (ULONG i = 0; i < names.count; i++) provider_package(names.names[i], login);
    return provider_sum();
}

/* ---- the process that watches ---- */

struct watch {
    HANDLE process, output; /* what the second process prints */
    char check[64];         /* the one that was announced last */
    bool line_start, announcement;
    size_t check_length;
};

static void output_take(struct watch *watch, char c)
{
    if (watch->line_start && c == PROVIDER_MARK) {
        watch->announcement = true;
        watch->check_length = 0;
    } else if (watch->announcement && c >= ' ' && watch->check_length < sizeof(watch->check) - 1) {
        watch->check[watch->check_length++] = c;
        watch->check[watch->check_length] = 0;
    } else if (!watch->announcement && c != '\r') {
        putchar(c);
    }
    watch->line_start = c == '\n';
    if (c == '\n') watch->announcement = false;
}

static DWORD WINAPI output_relay(void *argument)
{
    struct watch *watch = argument;
    char bytes[512];
    DWORD size;
    while (ReadFile(watch->output, bytes, sizeof(bytes), &size, NULL) && size)
        for (DWORD i = 0; i < size; i++) output_take(watch, bytes[i]);
    return 0;
}

/* This command line again; the pipe is its standard output. */
static bool second_start(struct watch *watch)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION started;
    wchar_t program[MAX_PATH];
    HANDLE write;
    wchar_t *line = _wcsdup(GetCommandLineW());
    if (!line || !GetModuleFileNameW(NULL, program, MAX_PATH) ||
        !CreatePipe(&watch->output, &write, &inherit, 0)) {
        free(line);
        return false;
    }
    SetHandleInformation(watch->output, HANDLE_FLAG_INHERIT, 0);
    startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = write;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    SetEnvironmentVariableW(HERE, L"1");
    bool good = CreateProcessW(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &started);
    CloseHandle(write);
    free(line);
    if (!good) {
        CloseHandle(watch->output);
        return false;
    }
    CloseHandle(started.hThread);
    watch->process = started.hProcess;
    return true;
}

/* What the end of the second process means. A module can end it with any code: the program's own is
 * one before the first check, which loads the module, or after the sum of all. */
static int end_judge(const struct watch *watch, bool in_time, unsigned long seconds)
{
    DWORD code = EXIT_FAILED;
    GetExitCodeProcess(watch->process, &code);
    bool ours = !strcmp(watch->check, START) || !strcmp(watch->check, PROVIDER_SUM);
    bool own = ours && code <= EXIT_USAGE;
    if (!in_time) printf("BREACH  %-18s no end within %lu seconds\n", watch->check, seconds);
    else if (!own)
        printf("BREACH  %-18s the module ended the process: 0x%08lx\n", watch->check, code);
    return in_time && own ? (int)code : EXIT_FAILED;
}

static int second_watch(unsigned long seconds)
{
    struct watch watch = {.line_start = true, .check = START};
    if (!second_start(&watch))
        return text_fail_windows((long)GetLastError(), "cannot start a second process");
    HANDLE relay = CreateThread(NULL, 0, output_relay, &watch, 0, NULL);
    if (!relay) {
        TerminateProcess(watch.process, EXIT_FAILED);
        return text_fail("out of memory");
    }
    bool in_time = WaitForSingleObject(watch.process, seconds * 1000) == WAIT_OBJECT_0;
    if (!in_time) TerminateProcess(watch.process, EXIT_FAILED);
    WaitForSingleObject(watch.process, INFINITE);
    WaitForSingleObject(relay, INFINITE);
    int code = end_judge(&watch, in_time, seconds);
    CloseHandle(relay);
    CloseHandle(watch.output);
    CloseHandle(watch.process);
    return code;
}

/* ---- the command ---- */

static void check_help(void)
{
    printf(
        "Usage: sspictl check-provider FILE.dll [--user USER] [--domain DOMAIN]\n"
        "                              [--target SPN] [--seconds N]\n"
        "Loads a module of security packages in a second process and tells what of the\n"
        "contract it keeps: entry points, tables, registration, and for each package its\n"
        "information, credentials, a handshake with itself, damaged tokens, messages,\n"
        "attributes, export and import at each stage, leaks. One line per check: kept, BREACH,\n"
        "or absent for what the module does not offer. Exit status 1 if there is a breach.\n"
        "Nothing is registered: other processes do not see the module.\n\n"
        "  --target SPN     the service that clients mean to reach, as host/name\n"
        "  --seconds N      take a module that needs longer for one that hangs (default %lu)\n%s",
        SECONDS_USUAL, login_help);
}

static int check_here(const char *file, const struct login_options *login_options)
{
    struct login login;
    wchar_t path[MAX_PATH];
    int code = login_prepare("check-provider", file, login_options, &login);
    if (code == EXIT_OK) {
        DWORD length = GetFullPathNameW(login.package, MAX_PATH, path, NULL);
        code = length && length < MAX_PATH ? checks_run(path, &login)
                                           : text_fail("the name of the file is too long");
    }
    login_clear(&login);
    return code;
}

int command_check_provider(char **arguments)
{
    struct login_options login_options = {NULL, NULL, NULL};
    const char *seconds_text = NULL, *file;
    unsigned long seconds = SECONDS_USUAL;
    const struct option options[] = {
        {"user", &login_options.user, NULL},
        {"domain", &login_options.domain, NULL},
        {"target", &login_options.target, NULL},
        {"seconds", &seconds_text, NULL},
        {NULL, NULL, NULL},
    };
    struct operands operands = {"FILE.dll", 1, 1, &file, 0};
    switch (options_parse("check-provider", arguments, options, &operands)) {
    case OPTIONS_HELP: check_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    if (seconds_text &&
        !options_number("check-provider", "seconds", seconds_text, 1, 86400, &seconds))
        return EXIT_USAGE;
    bool second = GetEnvironmentVariableW(HERE, NULL, 0);
    return second ? check_here(file, &login_options) : second_watch(seconds);
}
