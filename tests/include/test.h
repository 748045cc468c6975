/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Test cases for native and Windows programs alike. A program runs its cases with RUN and
 * returns test_end(); the last line it prints is what tools/check adds up. What the cases state is
 * the matter of statement.h.
 */
#pragma once

#include "statement.h"

static struct {
    int passed, failed, skipped; /* cases */
    bool case_skipped;
} test_state;

/* Leaves the case uncounted as passed or failed; the text names what is missing. */
#define skip_case(missing) \
    (test_state.case_skipped = true, statement_skip(__FILE__, __LINE__, missing))

__attribute__((unused)) static void test_case_run(const char *program, const char *name,
                                                  void (*function)(void))
{
    const int failed_before = statements.failed;
    statement_case(program, name);
    test_state.case_skipped = false;
    function();
    if (statements.failed != failed_before) {
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

#define test_run(name, function) test_case_run(__FILE__, name, function)
#define RUN(function) test_run(#function, function)

__attribute__((unused)) static int test_end(const char *program)
{
    printf("%s: %d passed, %d failed, %d skipped\n", program, test_state.passed, test_state.failed,
           test_state.skipped);
    fflush(stdout);
    return test_state.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
