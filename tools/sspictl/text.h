/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text in and out of a console program: arguments and output are UTF-8, Windows' functions get
 * UTF-16. Shared by sspictl and handover.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <wchar.h>

#define TEXT_PRINTF(text, first) __attribute__((format(__MINGW_PRINTF_FORMAT, text, first)))

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Call first: names the program for error messages and sets the streams up. */
void text_start(const char *program);

/* The command line as UTF-8, NULL-terminated; NULL when there is no memory. The caller frees it
 * with text_arguments_free. */
char **text_arguments(int *count);
void text_arguments_free(char **arguments);

/* The caller frees the result. NULL for invalid text (to_wide only) or no memory. */
wchar_t *text_to_wide(const char *utf8);
char *text_from_wide(const wchar_t *wide);

/* Prints "program: ..." as a line on standard error; the value is EXIT_FAILED. */
int text_fail(const char *format, ...) TEXT_PRINTF(1, 2);
/* The same, and points to the help of a subcommand; the value is EXIT_USAGE. */
int text_usage(const char *command, const char *format, ...) TEXT_PRINTF(2, 3);
/* text_fail for a call of Windows, with the error's number and description. */
int text_fail_windows(long error, const char *format, ...) TEXT_PRINTF(2, 3);

/* Prints wide text as UTF-8. */
void text_print_wide(FILE *to, const wchar_t *wide);
