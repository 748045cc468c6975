/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments and verdict line of the interoperability test programs; see options.h. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tamper_names[] = {
    [TAMPER_NONE] = "none",
    [TAMPER_NEGOTIATE] = "negotiate",
    [TAMPER_CHALLENGE] = "challenge",
    [TAMPER_AUTHENTICATE] = "authenticate",
    [TAMPER_TOKEN] = "token",
    [TAMPER_MECHANISMS] = "mechanisms",
    [TAMPER_MECHLISTMIC] = "mechlistmic",
    [TAMPER_CIPHERTEXT] = "ciphertext",
    [TAMPER_CHECKSUM] = "checksum",
    [TAMPER_SEQUENCE] = "sequence",
    [TAMPER_REPLAY] = "replay",
    [TAMPER_TEXT] = "text",
};

static bool parse_number(const char *text, unsigned long limit, unsigned long *number)
{
    char *end;
    *number = strtoul(text, &end, 10);
    return *text && !*end && *number <= limit;
}

static bool parse_account(struct options *options, const char *text)
{
    const char *separator = strchr(text, '\\');
    if (!separator) return false;
    size_t domain = (size_t)(separator - text), user = strlen(separator + 1);
    if (domain >= sizeof(options->domain) || user >= sizeof(options->user)) return false;
    memcpy(options->domain, text, domain);
    options->domain[domain] = 0;
    memcpy(options->user, separator + 1, user + 1);
    return true;
}

static bool read_line(char *line, size_t capacity)
{
    if (!fgets(line, (int)capacity, stdin)) return false;
    line[strcspn(line, "\r\n")] = 0;
    return true;
}

static bool parse_tamper(struct options *options, const char *text)
{
    for (unsigned i = 0; i < sizeof(tamper_names) / sizeof(tamper_names[0]); i++) {
        if (strcmp(text, tamper_names[i])) continue;
        options->tamper = (enum dialogue_tamper)i;
        return true;
    }
    return false;
}

static bool parse_word(char *word, size_t capacity, const char *text)
{
    if (strlen(text) >= capacity) return false;
    strcpy(word, text);
    return true;
}

/* Words with commas between them. */
static bool parse_ask(struct options *options, const char *text)
{
    static const char *const words[] = {"mutual", "delegate", "dce"};
    for (;;) {
        const size_t length = strcspn(text, ",");
        unsigned i = 0;
        while (i < 3 && (strlen(words[i]) != length || strncmp(text, words[i], length))) i++;
        if (i == 3) return false;
        options->ask |= 1u << i;
        if (!text[length]) return true;
        text += length + 1;
    }
}

/* Options whose value is kept as it is. */
static bool parse_text(struct options *options, const char *name, const char *value)
{
    const struct {
        const char *name;
        char *text;
        size_t capacity;
    } texts[] = {
        {"--package", options->package, sizeof(options->package)},
        {"--inside", options->inside, sizeof(options->inside)},
        {"--layer", options->layer, sizeof(options->layer)},
        {"--target", options->target, sizeof(options->target)},
        {"--bindings", options->bindings, sizeof(options->bindings)},
    };
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!strcmp(name, texts[i].name))
            return parse_word(texts[i].text, texts[i].capacity, value);
    }
    return false;
}

static bool parse_valued(struct options *options, const char *name, const char *value)
{
    unsigned long number;
    if (!strcmp(name, "--tamper")) return parse_tamper(options, value);
    if (!strcmp(name, "--ask")) return parse_ask(options, value);
    if (!strcmp(name, "--successor")) return (options->successor = value) != NULL;
    if (!strcmp(name, "--port") && parse_number(value, UINT16_MAX, &number)) {
        options->port = (uint16_t)number;
        return true;
    }
    if (!strcmp(name, "--move-after-leg") && parse_number(value, 9, &number)) {
        options->move_after_leg = (uint32_t)number;
        return true;
    }
    if (!strcmp(name, "--rounds") && parse_number(value, 100000, &number)) {
        options->rounds = (uint32_t)number;
        return true;
    }
    return parse_text(options, name, value);
}

static bool parse_all(struct options *options, int argc, char **argv)
{
    if (argc < 2 || (strcmp(argv[1], "server") && strcmp(argv[1], "client"))) return false;
    options->server = !strcmp(argv[1], "server");
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--move")) {
            options->move = true;
        } else if (!strcmp(argv[i], "--key")) {
            options->key = true;
        } else if (!strcmp(argv[i], "--sample")) {
            options->sample = true;
        } else if (!strcmp(argv[i], "--default")) {
            options->by_default = true;
        } else if (i + 1 < argc && parse_valued(options, argv[i], argv[i + 1])) {
            i++;
        } else {
            return false;
        }
    }
    return options->server || options->port;
}

bool options_read_account(struct options *options, const char *program)
{
    char account[sizeof(options->domain) + sizeof(options->user)];
    if (read_line(account, sizeof(account)) && parse_account(options, account) &&
        read_line(options->password, sizeof(options->password))) {
        return true;
    }
    fprintf(stderr, "%s: the input must be DOMAIN\\USER and the password\n", program);
    return false;
}

bool options_parse(struct options *options, int argc, char **argv)
{
    *options = (struct options){.rounds = 30,
                                .package = "NTLM",
                                .inside = "NTLM",
                                .layer = "privacy",
                                .target = "test/localhost"};
    if (!parse_all(options, argc, argv)) {
        fprintf(stderr,
                "usage: %s server|client [--port PORT] [--package NTLM|Kerberos|Negotiate]\n"
                "       [--inside NTLM|Kerberos|both] [--default] [--target PRINCIPAL]\n"
                "       [--ask mutual,delegate,dce] [--bindings TEXT]\n"
                "       [--rounds N] [--tamper WHAT] [--move] [--move-after-leg N]\n"
                "       [--successor PROGRAM] [--key] [--sample]\n"
                "       [--layer none|integrity|privacy]\n",
                argv[0]);
        return false;
    }
    if (options->server || options->by_default) return true;
    return options_read_account(options, argv[0]);
}

int options_report(const struct dialogue *dialogue, const struct options *options)
{
    if (dialogue->failure[0]) {
        printf("result: %s\n", dialogue->failure);
    } else {
        printf("result: ok after %u rounds\n", (unsigned)options->rounds);
    }
    fflush(stdout);
    return dialogue->failure[0] ? EXIT_FAILURE : EXIT_SUCCESS;
}
