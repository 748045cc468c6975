/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statements: what a test says about the code, counted, printed when it does not hold and, where
 * the environment variable WINESSPI_RECORD names a file, written down there with what was seen.
 * Both test.h and wine/test.h stand on this, so there is one way to count.
 *
 * A record is text, one line per statement, fields between tabs; other tabs, line ends and
 * backslashes are written \t \n \r \\. Lines that start here:
 *
 *   check PROGRAM CASE FILE:LINE VERDICT EXPECTED WORDS SEEN   passed failed todo todo-passed
 *   probe PROGRAM CASE FILE:LINE - WHAT WORDS SEEN             nothing is expected
 *   skip  PROGRAM CASE FILE:LINE - - - REASON                  not stated on this system
 *
 * WORDS are the message as it stands in the source, which together with what is expected names the
 * statement in its case whatever line it is on.
 *
 * A statement in a loop is written down the first times only, and after that when it fails.
 * One program is one source file, so the state may live here.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENT_TIMES 40 /* lines of one statement in one case */

enum { STATEMENT_SITES = 1024, STATEMENT_TEXT = 1024, STATEMENT_CONTEXTS = 8 };

static struct {
    int passed, failed, skipped;
    int todo, todo_passed; /* known not to hold; these hold, but were said not to */
    const char *program, *case_name;
    const char *file; /* for a statement that speaks for another place */
    int line;
    unsigned todo_now, flaky_now; /* a bit for each todo_if, flaky_if around the statement */
    bool around_once;             /* the innermost of these has not run yet */
    char context[256];
    size_t context_ends[STATEMENT_CONTEXTS];
    unsigned depth;
    unsigned char times[STATEMENT_SITES]; /* by line, of the running case */
    bool record_looked_for;
    FILE *record;
} statements = {.program = "test", .case_name = "main"};

__attribute__((unused)) static const char *statement_base(const char *path)
{
    const char *slash = strrchr(path, '/'), *backslash = strrchr(path, '\\');
    if (backslash > slash) slash = backslash;
    return slash ? slash + 1 : path;
}

/* Folder and name of a file, which are those of a program: "api_context". */
__attribute__((unused)) static void statement_file(char *text, size_t size, const char *path,
                                                   char between)
{
    const char *base = statement_base(path), *folder = base;
    while (folder > path && base - folder < 2) folder--;
    while (folder > path && folder[-1] != '/' && folder[-1] != '\\') folder--;
    const int length = base > folder ? (int)(base - folder) - 1 : 0;
    if (length) snprintf(text, size, "%.*s%c%s", length, folder, between, base);
    else snprintf(text, size, "%s", base);
}

/* Program and case of the statements that follow. */
__attribute__((unused)) static void statement_case(const char *program, const char *name)
{
    static char stem[64];
    statement_file(stem, sizeof(stem), program, '_');
    char *dot = strrchr(stem, '.');
    if (dot) *dot = 0;
    statements.program = stem;
    statements.case_name = name;
    statements.todo_now = statements.flaky_now = 0;
    statements.context[0] = 0;
    statements.depth = 0;
    memset(statements.times, 0, sizeof(statements.times));
}

__attribute__((unused)) static FILE *statement_record(void)
{
    if (!statements.record_looked_for) {
        const char *name = getenv("WINESSPI_RECORD");
        if (name && *name) statements.record = fopen(name, "ab");
        if (name && *name && !statements.record) fprintf(stderr, "cannot write %s\n", name);
    }
    statements.record_looked_for = true;
    return statements.record;
}

__attribute__((unused)) static void statement_field(FILE *record, const char *text, char end)
{
    for (; *text; text++) {
        switch (*text) {
        case '\t': fputs("\\t", record); break;
        case '\n': fputs("\\n", record); break;
        case '\r': fputs("\\r", record); break;
        case '\\': fputs("\\\\", record); break;
        default: fputc(*text, record);
        }
    }
    fputc(end, record);
}

/* Written out at once: what a crash interrupts is seen by what came before. */
__attribute__((unused)) static void statement_write(const char *kind, const char *file, int line,
                                                    const char *verdict, const char *expected,
                                                    const char *words, const char *seen)
{
    FILE *record = statement_record();
    char name[96], place[128];
    if (!record) return;
    statement_file(name, sizeof(name), file, '/');
    snprintf(place, sizeof(place), "%s:%d", name, line);
    statement_field(record, kind, '\t');
    statement_field(record, statements.program, '\t');
    statement_field(record, statements.case_name, '\t');
    statement_field(record, place, '\t');
    statement_field(record, verdict, '\t');
    statement_field(record, expected, '\t');
    statement_field(record, words, '\t');
    statement_field(record, seen, '\n');
    fflush(record);
}

__attribute__((unused)) static void statement_print(const char *file, int line, const char *text)
{
    printf("  %s:%d: %s: %s\n", statement_base(file), line, statements.case_name, text);
}

/* What one statement says: the words of the test behind the contexts it is in. */
__attribute__((unused)) static void statement_format(char *text, const char *format, va_list args)
{
    int used = snprintf(text, STATEMENT_TEXT, "%s", statements.context);
    vsnprintf(text + used, (size_t)(STATEMENT_TEXT - used), format, args);
    text[STATEMENT_TEXT - 1] = 0; /* the C library of Windows may leave it out */
    for (size_t end = strlen(text); end && text[end - 1] == '\n'; end--) text[end - 1] = 0;
}

__attribute__((unused)) static const char *statement_count(bool holds)
{
    const bool expected = holds == !statements.todo_now;
    if (expected || statements.flaky_now)
        return holds ? (statements.passed++, "passed") : (statements.todo++, "todo");
    statements.failed++;
    return holds ? (statements.todo_passed++, "todo-passed") : "failed";
}

__attribute__((format(printf, 5, 6), unused)) static bool statement_check(const char *file,
                                                                          int line, bool holds,
                                                                          const char *expected,
                                                                          const char *format, ...)
{
    const int failed_before = statements.failed;
    const char *verdict = statement_count(holds);
    const bool failed = statements.failed != failed_before;
    unsigned char *times = &statements.times[line % STATEMENT_SITES];
    const bool written = *times < STATEMENT_TIMES * (failed ? 2 : 1) && statement_record();
    if (!failed && !written) return holds;

    char text[STATEMENT_TEXT];
    va_list args;
    va_start(args, format);
    statement_format(text, format, args);
    va_end(args);
    if (failed && holds) printf("  todo succeeded:\n");
    if (failed) statement_print(file, line, text);
    if (written) statement_write("check", file, line, verdict, expected, format, text), ++*times;
    return holds;
}

/* For the record: a fact about the system that nobody has published, and that nothing here
 * depends on. */
__attribute__((format(printf, 4, 5), unused)) static void statement_probe(const char *file,
                                                                          int line,
                                                                          const char *what,
                                                                          const char *format, ...)
{
    char text[STATEMENT_TEXT];
    va_list args;
    va_start(args, format);
    statement_format(text, format, args);
    va_end(args);
    statement_write("probe", file, line, "-", what, format, text);
}

__attribute__((unused)) static void statement_skip(const char *file, int line, const char *reason)
{
    statements.skipped++;
    printf("skip %s: %s\n", statements.case_name, reason);
    statement_write("skip", file, line, "-", "-", "-", reason);
}

/* States a fact. Returns whether it holds. */
#define ok(condition, ...) statement_check(__FILE__, __LINE__, (condition), #condition, __VA_ARGS__)

#define probe(what, ...) statement_probe(__FILE__, __LINE__, what, __VA_ARGS__)
