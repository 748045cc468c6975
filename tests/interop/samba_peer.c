/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A foreign end of the interoperability tests: Samba's ntlm_auth, found in PATH, makes and takes
 * the handshake messages of NTLM or SPNEGO; this program carries them over loopback and prints the
 * session key. ntlm_auth protects no messages, so nothing is said afterwards. Both sides read
 * account and password from standard input: as a server, ntlm_auth knows that password only, and
 * for any user. NTLM_AUTH_CONFIG may name a configuration file.
 */
#include "options.h"
#include "tcp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_LIMIT = 16384 };

/* The running ntlm_auth; a request and its answer are one line each. */
struct helper {
    FILE *to, *from;
    char answer[LINE_LIMIT];
};

static const char *helper_protocol(const struct options *options)
{
    const bool spnego = !strcmp(options->package, "Negotiate");
    if (options->server) return spnego ? "gss-spnego" : "squid-2.5-ntlmssp";
    return spnego ? "gss-spnego-client" : "ntlmssp-client-1";
}

static void helper_become(const struct options *options)
{
    char protocol[64], user[96], domain[48], password[96], config[512] = "";
    const char *file = getenv("NTLM_AUTH_CONFIG");
    snprintf(protocol, sizeof(protocol), "--helper-protocol=%s", helper_protocol(options));
    snprintf(user, sizeof(user), "--username=%s", options->user);
    snprintf(domain, sizeof(domain), "--domain=%s", options->domain);
    snprintf(password, sizeof(password), "--password=%s", options->password);
    if (file) snprintf(config, sizeof(config), "--configfile=%s", file);
    char *server[] = {"ntlm_auth", protocol, password, file ? config : NULL, NULL};
    char *client[] = {"ntlm_auth", protocol, password, user, domain, file ? config : NULL, NULL};
    execvp("ntlm_auth", options->server ? server : client);
    perror("ntlm_auth");
    _exit(127);
}

static bool helper_start(struct helper *helper, const struct options *options)
{
    int in[2], out[2];
    if (pipe(in)) return false;
    if (pipe(out)) return false;
    switch (fork()) {
    case -1: return false;
    case 0:
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        for (int i = 0; i < 2; i++) {
            close(in[i]);
            close(out[i]);
        }
        helper_become(options);
        break;
    default: break;
    }
    close(in[0]);
    close(out[1]);
    helper->to = fdopen(in[1], "w");
    helper->from = fdopen(out[0], "r");
    return helper->to && helper->from;
}

/* False when it answers with other words than these; the answer is kept. */
static bool helper_ask(struct helper *helper, const char *request, const char *token)
{
    const char *space = token[0] ? " " : "";
    helper->answer[0] = 0;
    if (fprintf(helper->to, "%s%s%s\n", request, space, token) < 0 || fflush(helper->to) ||
        !fgets(helper->answer, sizeof(helper->answer), helper->from)) {
        strcpy(helper->answer, "no answer");
        return false;
    }
    helper->answer[strcspn(helper->answer, "\n")] = 0;
    return strncmp(helper->answer, "BH", 2) && strncmp(helper->answer, "NA", 2);
}

/* The word of the answer with that number, or an empty one. */
static void helper_word(const struct helper *helper, unsigned number, char *word, size_t capacity)
{
    const char *text = helper->answer;
    while (number--) {
        text += strcspn(text, " ");
        text += *text == ' ';
    }
    snprintf(word, capacity, "%.*s", (int)strcspn(text, " "), text);
}

/* RFC 4648 4. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64_encode(const struct octets *octets, char text[LINE_LIMIT])
{
    char *out = text;
    for (size_t i = 0; i < octets->size && out + 5 < text + LINE_LIMIT; i += 3) {
        const size_t left = octets->size - i;
        uint32_t bits = (uint32_t)octets->data[i] << 16;
        if (left > 1) bits |= (uint32_t)octets->data[i + 1] << 8;
        if (left > 2) bits |= octets->data[i + 2];
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[bits & 63] : '=';
    }
    *out = 0;
}

static bool base64_decode(const char *text, struct octets *octets)
{
    uint32_t bits = 0;
    unsigned held = 0;
    if (!octets_alloc(octets, strlen(text))) return false;
    octets->size = 0;
    for (; *text && *text != '='; text++) {
        const char *digit = strchr(alphabet, *text);
        if (!digit) break;
        bits = bits << 6 | (uint32_t)(digit - alphabet);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        octets->data[octets->size++] = (uint8_t)(bits >> held);
    }
    if (!*text || *text == '=') return true;
    octets_clear(octets);
    return false;
}

/* Sends the token that is the answer's second word, if there is one. */
static bool send_answer(struct dialogue *dialogue, const struct helper *helper)
{
    char word[LINE_LIMIT];
    struct octets token = {0};
    helper_word(helper, 1, word, sizeof(word));
    if (!word[0] || !strcmp(word, "*")) return true;
    if (!base64_decode(word, &token)) return dialogue_fail(dialogue, "helper", helper->answer);
    bool sent = dialogue_send_token(dialogue, token.data, token.size);
    octets_clear(&token);
    return sent;
}

static bool receive_token(struct dialogue *dialogue, char text[LINE_LIMIT])
{
    struct octets token = {0};
    if (!dialogue_receive(dialogue, &token)) return false;
    base64_encode(&token, text);
    octets_clear(&token);
    return true;
}

/* YR (first token, or a call for it), TT (a token, and more to come), KK (a later token) and AF
 * (done); as a server, only the package SPNEGO has a token to send when it is done. */
static bool accept_client(struct dialogue *dialogue, struct helper *helper, bool spnego)
{
    char token[LINE_LIMIT];
    const char *request = "YR";
    do {
        if (!receive_token(dialogue, token)) return false;
        if (!helper_ask(helper, request, token)) {
            return dialogue_fail(dialogue, "accept", helper->answer);
        }
        const bool done = !strncmp(helper->answer, "AF", 2);
        if ((!done || spnego) && !send_answer(dialogue, helper)) return false;
        request = "KK";
    } while (strncmp(helper->answer, "AF", 2));
    helper_word(helper, spnego ? 2 : 1, token, sizeof(token));
    printf("client: %s\n", token);
    return true;
}

static bool initiate(struct dialogue *dialogue, struct helper *helper)
{
    char token[LINE_LIMIT] = "";
    const char *request = "YR";
    for (;;) {
        if (!helper_ask(helper, request, token)) {
            return dialogue_fail(dialogue, "initiate", helper->answer);
        }
        if (!send_answer(dialogue, helper)) return false;
        if (!strncmp(helper->answer, "AF", 2)) return true;
        if (!receive_token(dialogue, token)) return false;
        request = "TT";
    }
}

static bool print_key(struct dialogue *dialogue, struct helper *helper)
{
    char word[LINE_LIMIT];
    struct octets key = {0};
    bool good = helper_ask(helper, "GK", "");
    helper_word(helper, 1, word, sizeof(word));
    if (!good || !base64_decode(word, &key)) return dialogue_fail(dialogue, "key", helper->answer);
    printf("key: ");
    for (size_t i = 0; i < key.size; i++) printf("%02x", key.data[i]);
    printf("\n");
    octets_clear(&key);
    return true;
}

static void authenticate(struct dialogue *dialogue, const struct options *options)
{
    static const char features[] =
        "NTLMSSP_FEATURE_SESSION_KEY,NTLMSSP_FEATURE_SIGN,NTLMSSP_FEATURE_SEAL";
    struct helper helper = {0};
    const bool spnego = !strcmp(options->package, "Negotiate");
    if (!helper_start(&helper, options) || !helper_ask(&helper, "SF", features)) {
        dialogue_fail(dialogue, "helper", helper.answer);
    } else if (options->server ? accept_client(dialogue, &helper, spnego)
                               : initiate(dialogue, &helper)) {
        print_key(dialogue, &helper);
    }
    if (helper.to) fclose(helper.to);
    if (helper.from) fclose(helper.from);
}

static const struct dialogue_ops handshake_ops = {.write = tcp_write, .read = tcp_read};

int main(int argc, char **argv)
{
    struct options options;
    if (!options_parse(&options, argc, argv)) return 2;
    if (options.server && !options_read_account(&options, argv[0])) return 2;
    if (options.move || options.move_after_leg || options.successor || options.rounds) {
        fprintf(stderr, "%s: this end neither moves nor talks\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    /* For an ntlm_auth that does not answer. */
    alarm(DIALOGUE_PATIENCE_SECONDS + 5);
    int channel = tcp_open(&options);
    if (channel < 0) return EXIT_FAILURE;
    struct dialogue dialogue = {
        .ops = &handshake_ops,
        .channel = channel,
        .server = options.server,
        .tamper = options.tamper,
    };
    authenticate(&dialogue, &options);
    close(channel);
    return options_report(&dialogue, &options);
}
