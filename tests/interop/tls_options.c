/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See tls_options.h. */
#include "tls_options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: interop_tls server [OPTION...] -- ACTION...\n"
    "       interop_tls client --port PORT [OPTION...] -- ACTION...\n"
    "       interop_tls trust CERTIFICATE\n"
    "Options:\n"
    "  --versions LIST    of 1.0, 1.1, 1.2 and 1.3 with commas; else what is the default\n"
    "  --old              SCHANNEL_CRED instead of SCH_CREDENTIALS\n"
    "  --certificate FILE a PFX file, or .p7b with .p7b.key; may be given several times\n"
    "  --later FILE       for when the server asks for a certificate\n"
    "  --staple FILE      a server's OCSP response for its first certificate\n"
    "  --name NAME        the server's name; localhost without it\n"
    "  --manual, --no-default, --ask, --issuers CERTIFICATE\n"
    "  --datagram         DTLS over UDP; a server has one connection\n"
    "  --ansi             a client calls InitializeSecurityContextA\n"
    "  --alpn LIST        names with commas\n"
    "  --label LABEL      shows keying material\n"
    "  --login FILE       the account and the password, a line each, for login\n"
    "  --split N, --record N, --connections N, --save FILE\n"
    "Actions:\n"
    "  say:TEXT hear:TEXT  a line; whatever comes until there was such a text\n"
    "  send:N take:N       N numbered lines; FIRST+N: not from 0\n"
    "  echo:N mirror       N numbered lines that come back; gives back until the end\n"
    "  ask:PATH body:N     a request of HTTP; N bytes to the file (0: all until the end)\n"
    "  http                answers requests until the end; /N has N numbered lines\n"
    "  login:PACKAGE+BINDINGS  NTLM or Negotiate inside, bound by endpoint, unique or none\n"
    "  renegotiate[:ask]   another handshake; a server can ask for a certificate then\n"
    "  again[:PORT]        another connection\n"
    "  move facts await:FILE close end\n";

struct switch_option {
    const char *name;
    size_t offset; /* of a bool */
};

static const struct switch_option switches[] = {
    {"--old", offsetof(struct tls_options, old)},
    {"--manual", offsetof(struct tls_options, manual)},
    {"--ask", offsetof(struct tls_options, ask)},
    {"--no-default", offsetof(struct tls_options, no_default)},
    {"--datagram", offsetof(struct tls_options, datagram)},
    {"--ansi", offsetof(struct tls_options, ansi)},
};

struct text_option {
    const char *name;
    size_t offset; /* of a const char * */
};

static const struct text_option texts[] = {
    {"--name", offsetof(struct tls_options, name)},
    {"--alpn", offsetof(struct tls_options, alpn)},
    {"--label", offsetof(struct tls_options, label)},
    {"--save", offsetof(struct tls_options, save)},
    {"--issuers", offsetof(struct tls_options, issuers)},
    {"--later", offsetof(struct tls_options, later)},
    {"--staple", offsetof(struct tls_options, staple)},
    {"--login", offsetof(struct tls_options, login)},
};

struct number_option {
    const char *name;
    size_t offset; /* of an unsigned */
};

static const struct number_option numbers[] = {
    {"--connections", offsetof(struct tls_options, connections)},
    {"--split", offsetof(struct tls_options, split)},
    {"--record", offsetof(struct tls_options, record)},
};

static void *field(struct tls_options *options, size_t offset)
{
    return (char *)options + offset;
}

static bool parse_number(const char *text, unsigned long limit, unsigned *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (!*text || *end || !value || value > limit) return false;
    *number = (unsigned)value;
    return true;
}

static bool parse_versions(struct tls_options *options, const char *text)
{
    static const char names[4][4] = {"1.0", "1.1", "1.2", "1.3"};
    for (;;) {
        unsigned i = 0;
        while (i < 4 && strncmp(text, names[i], 3)) i++;
        if (i == 4) return false;
        options->versions |= 1u << i;
        text += 3;
        if (!*text) return true;
        if (*text++ != ',') return false;
    }
}

static bool parse_switch(struct tls_options *options, const char *name)
{
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (strcmp(name, switches[i].name)) continue;
        *(bool *)field(options, switches[i].offset) = true;
        return true;
    }
    return false;
}

static bool parse_valued(struct tls_options *options, const char *name, const char *value)
{
    unsigned number;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(name, texts[i].name)) continue;
        *(const char **)field(options, texts[i].offset) = value;
        return true;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(name, numbers[i].name)) continue;
        return parse_number(value, 100000, field(options, numbers[i].offset));
    }
    if (!strcmp(name, "--versions")) return parse_versions(options, value);
    if (!strcmp(name, "--port") && parse_number(value, UINT16_MAX, &number)) {
        options->port = (uint16_t)number;
        return true;
    }
    if (!strcmp(name, "--certificate") && options->certificate_count < TLS_CERTIFICATES_MAX) {
        options->certificates[options->certificate_count++] = value;
        return true;
    }
    return false;
}

static bool parse_actions(struct tls_options *options, int argc, char **argv)
{
    if (argc > TLS_ACTIONS_MAX) return false;
    for (int i = 0; i < argc; i++) options->actions[i] = argv[i];
    options->action_count = (unsigned)argc;
    return true;
}

static bool parse_all(struct tls_options *options, int argc, char **argv)
{
    if (argc < 2 || (strcmp(argv[1], "server") && strcmp(argv[1], "client"))) return false;
    options->server = !strcmp(argv[1], "server");
    for (int i = 2; i < argc; i++) {
        if (!strcmp(argv[i], "--")) {
            return (options->server || options->port) &&
                   parse_actions(options, argc - i - 1, argv + i + 1);
        }
        if (parse_switch(options, argv[i])) continue;
        if (i + 1 == argc || !parse_valued(options, argv[i], argv[i + 1])) return false;
        i++;
    }
    return false;
}

bool tls_options_parse(struct tls_options *options, int argc, char **argv)
{
    *options = (struct tls_options){.name = "localhost", .connections = 1};
    if (parse_all(options, argc, argv)) return true;
    fputs(usage, stderr);
    return false;
}
