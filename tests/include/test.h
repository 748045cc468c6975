/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Test cases for native and Windows programs alike. A program runs its cases with RUN and
 * returns test_end(); the last line it prints is what tools/check adds up. One program is one
 * source file, so the state may live here.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int passed, failed, skipped; /* cases */
    int case_failures;           /* failed statements of the running case */
    bool case_skipped;
    const char *case_name;
} test_state;

__attribute__((format(printf, 4, 5), unused)) static bool test_ok(const char *file, int line,
                                                                  bool condition,
                                                                  const char *format, ...)
{
    if (condition) return true;
    const char *base = strrchr(file, '/');
    printf("  %s:%d: %s: ", base ? base + 1 : file, line, test_state.case_name);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    test_state.case_failures++;
    return false;
}

/* States a fact that holds on Windows and here. Returns the condition. */
#define ok(condition, ...) test_ok(__FILE__, __LINE__, (condition), __VA_ARGS__)

/* States a fact that does not hold here yet: it is an error when it starts to hold. */
#define todo(condition, ...) \
    test_ok(__FILE__, __LINE__, !(condition), "todo succeeded: " __VA_ARGS__)

/* Leaves the case uncounted as passed or failed; the text names what is missing. */
__attribute__((unused)) static void skip_case(const char *missing)
{
    test_state.case_skipped = true;
    printf("skip %s: %s\n", test_state.case_name, missing);
}

__attribute__((unused)) static void test_run(const char *name, void (*function)(void))
{
    test_state.case_name = name;
    test_state.case_failures = 0;
    test_state.case_skipped = false;
    function();
    if (test_state.case_failures) {
        test_state.failed++;
        printf("FAIL %s\n", name);
    } else if (test_state.case_skipped) {
        test_state.skipped++;
    } else {
        test_state.passed++;
        printf("ok   %s\n", name);
    }
    fflush(stdout);
}

#define RUN(function) test_run(#function, function)

__attribute__((unused)) static int test_end(const char *program)
{
    printf("%s: %d passed, %d failed, %d skipped\n", program, test_state.passed, test_state.failed,
           test_state.skipped);
    fflush(stdout);
    return test_state.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
