/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See options.h. Omits short options and abbreviations, so that every line in a script can be read,
 * and refuses what it does not know: a mistyped option never changes what a command does.
 */
#include "options.h"

#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option *options_find(const struct option *table, const char *name,
                                         size_t length)
{
    for (; table->name; table++)
        if (strlen(table->name) == length && !memcmp(table->name, name, length)) return table;
    return NULL;
}

/* Takes one option; *arguments is moved over a value that stands in the next argument. */
static bool options_take(const char *command, char ***arguments, const struct option *table)
{
    const char *name = **arguments + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct option *option = options_find(table, name, length);
    if (!option) {
        text_usage(command, "unknown option --%.*s", (int)length, name);
        return false;
    }
    const char *value = equals ? equals + 1 : NULL;
    if (option->value && !value) value = *++*arguments;
    if (option->value && !value) {
        text_usage(command, "option --%s needs a value", option->name);
        return false;
    }
    if (!option->value && value) {
        text_usage(command, "option --%s takes no value", option->name);
        return false;
    }
    if (option->value) *option->value = value;
    if (option->given) *option->given = true;
    return true;
}

static bool options_operand(const char *command, const char *text, struct operands *operands)
{
    if (operands->count == operands->max) {
        text_usage(command, "one argument too many: %s", text);
        return false;
    }
    operands->values[operands->count++] = text;
    return true;
}

enum options_result options_parse(const char *command, char **arguments, const struct option *table,
                                  struct operands *operands)
{
    bool only_operands = false;
    for (; *arguments; arguments++) {
        const char *text = *arguments;
        bool is_operand = only_operands || *text != '-' || !strcmp(text, "-");
        if (is_operand) {
            if (!options_operand(command, text, operands)) return OPTIONS_WRONG;
        } else if (!strcmp(text, "--")) {
            only_operands = true;
        } else if (!strcmp(text, "-h") || !strcmp(text, "--help")) {
            return OPTIONS_HELP;
        } else if (strncmp(text, "--", 2)) {
            text_usage(command, "unknown option %s", text);
            return OPTIONS_WRONG;
        } else if (!options_take(command, &arguments, table)) {
            return OPTIONS_WRONG;
        }
    }
    if (operands->count >= operands->min) return OPTIONS_OK;
    text_usage(command, "expected: %s", operands->names);
    return OPTIONS_WRONG;
}

bool options_number(const char *command, const char *name, const char *text, unsigned long min,
                    unsigned long max, unsigned long *out)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    /* strtoul takes signs and blanks, too. */
    bool digits = *text >= '0' && *text <= '9' && !*end;
    if (digits && !errno && number >= min && number <= max) {
        *out = number;
        return true;
    }
    text_usage(command, "--%s must be a number from %lu to %lu", name, min, max);
    return false;
}
