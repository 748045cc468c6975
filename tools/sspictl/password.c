/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passwords come from a console or from standard input, never from the command line, which every
 * process of the machine can read. What passes through here is wiped.
 */
#include "password.h"

#include "core/secret.h"

#include <windows.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PASSWORD_UTF8_MAX (4 * ACCOUNT_PASSWORD_MAX)

static const char *const too_long = "the password is longer than 256 characters";

/* Byte by byte: what follows the line is left for whoever reads on. */
static const char *password_line(HANDLE input, char *line, size_t *length)
{
    *length = 0;
    bool any = false;
    for (;;) {
        char c;
        DWORD got = 0;
        if (!ReadFile(input, &c, 1, &got, NULL) || !got) break;
        any = true;
        if (c == '\n') break;
        if (*length == PASSWORD_UTF8_MAX + 1) return too_long;
        line[(*length)++] = c;
    }
    if (!any) return "there is no password on standard input";
    if (*length && line[*length - 1] == '\r') --*length;
    return NULL;
}

/* The conversion is strict: a password in another encoding would make an account that nobody can
 * use. */
static const char *password_convert(const char *line, size_t length, struct password *out)
{
    if (memchr(line, 0, length)) return "the password has a zero byte";
    int count = 0;
    if (length) {
        count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, line, (int)length, out->text,
                                    ACCOUNT_PASSWORD_MAX);
        if (!count)
            return GetLastError() == ERROR_INSUFFICIENT_BUFFER ? too_long
                                                               : "the password is not UTF-8 text";
    }
    out->text[count] = 0;
    return NULL;
}

static const char *password_from_stream(HANDLE input, struct password *out)
{
    char line[PASSWORD_UTF8_MAX + 2];
    size_t length;
    const char *problem = password_line(input, line, &length);
    if (!problem) problem = password_convert(line, length, out);
    secret_wipe(line, sizeof(line));
    return problem;
}

static const char *password_prompt(HANDLE console, const char *prompt, struct password *out)
{
    fprintf(stderr, "%s: ", prompt);
    fflush(stderr);
    wchar_t line[ACCOUNT_PASSWORD_MAX + 3];
    DWORD got = 0;
    BOOL read = ReadConsoleW(console, line, ACCOUNT_PASSWORD_MAX + 3, &got, NULL);
    const char *problem = NULL;
    fputs("\n", stderr);
    /* A line without its end is one that did not fit. */
    DWORD length = got;
    while (length && (line[length - 1] == L'\n' || line[length - 1] == L'\r')) length--;
    if (!read || !got) problem = "no password was given";
    else if (length == got || length > ACCOUNT_PASSWORD_MAX) problem = too_long;
    if (!problem) {
        memcpy(out->text, line, length * sizeof(*line));
        out->text[length] = 0;
    }
    secret_wipe(line, sizeof(line));
    return problem;
}

/* The console is left as it was found, whatever happens in between. */
static const char *password_from_console(HANDLE console, DWORD mode, const char *prompt,
                                         bool is_new, struct password *out)
{
    SetConsoleMode(console,
                   (mode & ~(DWORD)ENABLE_ECHO_INPUT) | ENABLE_LINE_INPUT | ENABLE_PROCESSED_INPUT);
    struct password again;
    memset(&again, 0, sizeof(again));
    const char *problem = password_prompt(console, prompt, out);
    if (!problem && is_new) problem = password_prompt(console, "The same again", &again);
    if (!problem && is_new && wcscmp(out->text, again.text))
        problem = "the two passwords are not the same";
    secret_wipe(&again, sizeof(again));
    SetConsoleMode(console, mode);
    return problem;
}

const char *password_read(const char *prompt, bool is_new, struct password *out)
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    DWORD mode;
    fflush(stdout);
    const char *problem = GetConsoleMode(input, &mode)
                              ? password_from_console(input, mode, prompt, is_new, out)
                              : password_from_stream(input, out);
    if (problem) secret_wipe(out, sizeof(*out));
    return problem;
}
