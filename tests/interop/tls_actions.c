/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See tls_actions.h. Bulk data is numbered lines of sixteen bytes, so that nothing can be lost,
 * doubled or changed unseen, and the other end's `seq` can make the same.
 */
#include "tls_actions.h"

#include "tls_login.h"
#include "tls_move.h"
#include "tls_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 16u
#define BLOCK_LINES 1024u

struct run {
    struct tls_link *link;
    struct tls_opener *opener;
    unsigned next; /* action after this one */
    bool moved;
};

/* ---- text ---- */

static bool act_say(struct run *run, const char *text)
{
    char line[512];
    int size = snprintf(line, sizeof(line), "%s\n", text);
    return tls_link_send(run->link, line, (size_t)size);
}

/* More plain text than there is. */
static bool receive_more(struct tls_link *link, const char *step)
{
    size_t before = link->plain_size;
    if (!tls_link_receive(link)) return false;
    return link->plain_size > before || tls_link_fail(link, step, "the peer has ended");
}

/* The plain text, terminated for functions of strings. */
static const char *plain_text(struct tls_link *link)
{
    link->plain[link->plain_size] = 0;
    return (const char *)link->plain;
}

/* Everything up to the line with the text is taken. */
static bool act_hear(struct run *run, const char *text)
{
    struct tls_link *link = run->link;
    for (;;) {
        const char *plain = plain_text(link), *found = strstr(plain, text);
        const char *end = found ? strchr(found, '\n') : NULL;
        if (end) {
            printf("heard: %s\n", text);
            tls_link_take(link, (size_t)(end + 1 - plain));
            return true;
        }
        if (!receive_more(link, "hear")) return false;
    }
}

/* ---- numbered lines ---- */

static void write_lines(char *to, unsigned first, unsigned count)
{
    char line[LINE + 1];
    for (unsigned i = 0; i < count; i++) {
        snprintf(line, sizeof(line), "%015u\n", first + i);
        memcpy(to + i * LINE, line, LINE);
    }
}

static bool send_lines(struct tls_link *link, unsigned first, unsigned count)
{
    static char block[BLOCK_LINES * LINE];
    write_lines(block, first, count);
    return tls_link_send(link, block, count * LINE);
}

/* The next `count` lines, whatever pieces they come in. */
static bool take_lines(struct tls_link *link, unsigned first, unsigned count)
{
    char line[LINE];
    for (unsigned i = 0; i < count; i++) {
        while (link->plain_size < LINE)
            if (!receive_more(link, "take")) return false;
        write_lines(line, first + i, 1);
        if (memcmp(line, link->plain, LINE)) return tls_link_fail(link, "take", "other lines");
        tls_link_take(link, LINE);
    }
    return true;
}

/* lines: how many, or "FIRST+HOW MANY" when it is not from 0. */
static bool in_blocks(struct run *run, const char *lines, bool sending, bool taking)
{
    char *end;
    unsigned first = 0, count = (unsigned)strtoul(lines, &end, 10);
    if (*end == '+') {
        first = count;
        count = (unsigned)strtoul(end + 1, NULL, 10);
    }
    bool good = true;
    for (unsigned done = 0; good && done < count; done += BLOCK_LINES) {
        unsigned part = count - done < BLOCK_LINES ? count - done : BLOCK_LINES;
        if (sending) good = send_lines(run->link, first + done, part);
        if (good && taking) good = take_lines(run->link, first + done, part);
    }
    return good;
}

static bool act_send(struct run *run, const char *lines)
{
    return in_blocks(run, lines, true, false);
}

static bool act_take(struct run *run, const char *lines)
{
    return in_blocks(run, lines, false, true);
}

static bool act_echo(struct run *run, const char *lines)
{
    return in_blocks(run, lines, true, true);
}

static bool act_mirror(struct run *run, const char *none)
{
    struct tls_link *link = run->link;
    (void)none;
    while (link->end == TLS_LINK_OPEN) {
        if (!tls_link_receive(link)) return false;
        if (link->plain_size && !tls_link_send(link, link->plain, link->plain_size)) return false;
        link->plain_size = 0;
    }
    return true;
}

/* ---- HTTP ---- */

static bool act_ask(struct run *run, const char *path)
{
    char request[512];
    int size = snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path,
                        run->link->options->name);
    return tls_link_send(run->link, request, (size_t)size);
}

/* Appended, since another process may go on. */
static bool act_body(struct run *run, const char *number)
{
    struct tls_link *link = run->link;
    const unsigned long wanted = strtoul(number, NULL, 10);
    unsigned long done = 0;
    FILE *file = fopen(link->options->save, "ab");
    bool good = file != NULL || tls_link_fail(link, "body", "cannot be saved");
    while (good && (!wanted || done < wanted)) {
        if (!link->plain_size && link->end != TLS_LINK_OPEN) break;
        if (!link->plain_size) {
            good = tls_link_receive(link);
            continue;
        }
        size_t part = link->plain_size;
        if (wanted && part > wanted - done) part = wanted - done;
        good = fwrite(link->plain, 1, part, file) == part;
        tls_link_take(link, part);
        done += (unsigned long)part;
    }
    if (file && fclose(file)) good = false;
    if (good && done < wanted) good = tls_link_fail(link, "body", "is too short");
    printf("body: %lu bytes\n", done);
    return good;
}

/* The head of a request, as a string, at the front of the plain text; its size, 0 at the end. */
static bool receive_head(struct tls_link *link, size_t *size)
{
    *size = 0;
    for (;;) {
        const char *plain = plain_text(link), *end = strstr(plain, "\r\n\r\n");
        if (end) {
            *size = (size_t)(end + 4 - plain);
            return true;
        }
        if (link->end != TLS_LINK_OPEN) return true;
        if (!tls_link_receive(link)) return false;
    }
}

static bool answer(struct tls_link *link, unsigned lines)
{
    char head[160];
    int size = snprintf(head, sizeof(head),
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %u\r\n\r\n",
                        lines * LINE);
    bool good = tls_link_send(link, head, (size_t)size);
    for (unsigned done = 0; good && done < lines; done += BLOCK_LINES) {
        unsigned part = lines - done < BLOCK_LINES ? lines - done : BLOCK_LINES;
        good = send_lines(link, done, part);
    }
    return good;
}

static bool act_http(struct run *run, const char *none)
{
    struct tls_link *link = run->link;
    size_t size;
    (void)none;
    for (;;) {
        if (!receive_head(link, &size)) return false;
        if (!size) return true;
        char path[16] = "";
        unsigned lines = 1;
        if (sscanf((char *)link->plain, "GET /%15[0-9]", path) == 1)
            lines = (unsigned)strtoul(path, NULL, 10);
        printf("asked: %u lines\n", lines);
        tls_link_take(link, size);
        if (!answer(link, lines)) return false;
    }
}

/* ---- the connection ---- */

static bool act_login(struct run *run, const char *what)
{
    return tls_login_run(run->link, what);
}

/* renegotiate:ask wants a certificate then. */
static bool act_renegotiate(struct run *run, const char *what)
{
    if (!strcmp(what, "ask")) run->link->asks = true;
    return tls_link_handshake(run->link);
}

static bool act_facts(struct run *run, const char *none)
{
    (void)none;
    tls_report(run->link);
    return true;
}

static bool act_move(struct run *run, const char *none)
{
    (void)none;
    run->moved = true;
    return tls_move_send(run->link, run->next);
}

static bool act_again(struct run *run, const char *port)
{
    if (!run->opener) return tls_link_fail(run->link, "again", "is for the first process");
    tls_link_close(run->link);
    return run->opener->open(run->opener, run->link, (unsigned)strtoul(port, NULL, 10));
}

/* Somebody else makes the file, when what is to happen first has happened. */
static bool act_await(struct run *run, const char *file)
{
    for (unsigned tries = 0; tries < 1000; tries++) {
        FILE *found = fopen(file, "rb");
        if (found) return !fclose(found);
        Sleep(20);
    }
    return tls_link_fail(run->link, "await", "the file does not come");
}

/* Waits for the peer's end; what still comes is only counted. */
static bool act_end(struct run *run, const char *none)
{
    static const char *const names[] = {"open", "close_notify", "closed"};
    struct tls_link *link = run->link;
    size_t unread = 0;
    (void)none;
    do {
        unread += link->plain_size;
        link->plain_size = 0;
        if (link->end == TLS_LINK_OPEN && !tls_link_receive(link)) return false;
    } while (link->plain_size || link->end == TLS_LINK_OPEN);
    printf("end: %s, %lu bytes unread, %u renegotiations\n", names[link->end],
           (unsigned long)unread, link->renegotiations);
    return true;
}

static bool act_close(struct run *run, const char *none)
{
    (void)none;
    if (!tls_link_shutdown(run->link)) return false;
    if (run->link->options->datagram) return true; /* nobody knows when such a peer has ended */
    shutdown(run->link->socket, SD_SEND);
    return act_end(run, NULL);
}

struct action {
    const char *name;
    bool (*function)(struct run *run, const char *argument);
};

static const struct action actions[] = {
    {"say", act_say},     {"hear", act_hear},   {"send", act_send},
    {"take", act_take},   {"echo", act_echo},   {"mirror", act_mirror},
    {"ask", act_ask},     {"body", act_body},   {"http", act_http},
    {"facts", act_facts}, {"move", act_move},   {"renegotiate", act_renegotiate},
    {"again", act_again}, {"await", act_await}, {"end", act_end},
    {"close", act_close}, {"login", act_login},
};

static bool run_one(struct run *run, const char *text)
{
    size_t length = strcspn(text, ":");
    const char *argument = text[length] ? text + length + 1 : "";
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strlen(actions[i].name) != length || strncmp(actions[i].name, text, length)) continue;
        bool good = actions[i].function(run, argument);
        fflush(stdout);
        return good;
    }
    return tls_link_fail(run->link, "no action", text);
}

bool tls_actions_run(struct tls_link *link, unsigned first, struct tls_opener *opener)
{
    const struct tls_options *options = link->options;
    struct run run = {link, opener, first, false};
    bool good = true;
    while (good && !run.moved && run.next < options->action_count)
        good = run_one(&run, options->actions[run.next++]);
    return good;
}
