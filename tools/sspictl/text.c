/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arguments, conversions and error messages. Output is binary UTF-8 with plain line feeds, so
 * that it reads the same in a Windows console and in a Unix pipe.
 */
#include "text.h"

#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *text_program = "";
static UINT text_code_page; /* of the console before this program; 0: not changed */

static void text_end(void)
{
    fflush(stdout);
    fflush(stderr);
    if (text_code_page) SetConsoleOutputCP(text_code_page);
}

void text_start(const char *program)
{
    text_program = program;
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    /* Whole lines reach a shared stream in one piece; error messages flush standard output. */
    setvbuf(stdout, NULL, _IOFBF, 8192);
    setvbuf(stderr, NULL, _IOFBF, 2048);
    DWORD mode;
    if (GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &mode)) {
        text_code_page = GetConsoleOutputCP();
        SetConsoleOutputCP(CP_UTF8);
    }
    atexit(text_end);
}

char **text_arguments(int *count)
{
    int wide_count = 0;
    char **arguments = NULL;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &wide_count);
    if (!wide) goto done;
    arguments = calloc((size_t)wide_count + 1, sizeof(*arguments));
    if (!arguments) goto done;
    for (int i = 0; i < wide_count; i++) {
        arguments[i] = text_from_wide(wide[i]);
        if (arguments[i]) continue;
        text_arguments_free(arguments);
        arguments = NULL;
        goto done;
    }
    *count = wide_count;
done:
    LocalFree(wide);
    return arguments;
}

void text_arguments_free(char **arguments)
{
    for (char **argument = arguments; argument && *argument; argument++) free(*argument);
    free(arguments);
}

wchar_t *text_to_wide(const char *utf8)
{
    int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, utf8, -1, NULL, 0);
    if (!length) return NULL;
    wchar_t *wide = malloc((size_t)length * sizeof(*wide));
    if (wide) MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, utf8, -1, wide, length);
    return wide;
}

char *text_from_wide(const wchar_t *wide)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *utf8 = size ? malloc((size_t)size) : NULL;
    if (utf8) WideCharToMultiByte(CP_UTF8, 0, wide, -1, utf8, size, NULL, NULL);
    return utf8;
}

/* One write for the whole line: other processes may write to the same place. */
static void text_complain(const char *format, va_list args)
{
    char line[1024];
    vsnprintf(line, sizeof(line), format, args);
    fflush(stdout);
    char whole[1200];
    int size = snprintf(whole, sizeof(whole), "%s: %s\n", text_program, line);
    fwrite(whole, 1, (size_t)size, stderr);
    fflush(stderr);
}

int text_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_complain(format, args);
    va_end(args);
    return EXIT_FAILED;
}

int text_usage(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_complain(format, args);
    va_end(args);
    fprintf(stderr, "Try: %s%s%s --help\n", text_program, *command ? " " : "", command);
    return EXIT_USAGE;
}

int text_fail_windows(long error, const char *format, ...)
{
    wchar_t message[256] = L"";
    FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, (DWORD)error,
                   0, message, 256, NULL);
    message[wcscspn(message, L"\r\n")] = 0;
    char *utf8 = text_from_wide(message);
    char what[768];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    text_fail("%s: error %ld (%s)", what, error, utf8 && *utf8 ? utf8 : "no description");
    free(utf8);
    return EXIT_FAILED;
}

void text_print_wide(FILE *to, const wchar_t *wide)
{
    char *utf8 = text_from_wide(wide);
    fputs(utf8 ? utf8 : "(no memory)", to);
    free(utf8);
}
