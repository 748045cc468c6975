/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options and operands of a subcommand. Shared by sspictl and handover. */
#pragma once

#include <stdbool.h>

struct option {
    const char *name;   /* without the dashes */
    const char **value; /* receives the value; NULL for an option without one */
    bool *given;        /* may be NULL when value is set */
};

struct operands {
    const char *names; /* for error messages: "PACKAGE FILE" */
    int min, max;
    const char **values; /* max places */
    int count;
};

enum options_result { OPTIONS_OK, OPTIONS_HELP, OPTIONS_WRONG };

/* Accepts --name value, --name=value, -h and --help, and -- before operands; options and operands
 * in any order. table ends with an empty entry. A wrong line is explained on standard error. */
enum options_result options_parse(const char *command, char **arguments, const struct option *table,
                                  struct operands *operands);

/* A decimal number within limits; explains itself otherwise. */
bool options_number(const char *command, const char *name, const char *text, unsigned long min,
                    unsigned long max, unsigned long *out);
