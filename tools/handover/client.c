/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client: authenticates once and then sends sealed requests over one connection, each after the
 * answer to the one before. It is never told that the server moves; only the process ids in the
 * answers give it away. The sizes and contents are the same in every run, so that a failure can be
 * looked at again.
 */
#include "narrate.h"
#include "roles.h"
#include "service.h"
#include "sockets.h"

#include "../sspictl/options.h"
#include "../sspictl/password.h"

#include "core/secret.h"

#include <stdlib.h>

#define CONTENT_MIN 1024u
#define SERVERS_MAX 16
#define PROGRESS_STEP 250

struct client_totals {
    unsigned requests;
    uint64_t bytes;
    double longest; /* milliseconds from a request to its answer */
    unsigned longest_request;
    struct {
        uint32_t process;
        unsigned answers;
    } servers[SERVERS_MAX]; /* in the order in which they answered */
    unsigned server_count;
};

/* Enough for content that differs from request to request; nothing secret hangs on it. */
static uint32_t client_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* The shortest and the longest content come first, then sizes in between. */
static size_t client_size(unsigned number, uint32_t *state)
{
    if (number == 1) return CONTENT_MIN;
    if (number == 2) return SERVICE_CONTENT_MAX;
    return CONTENT_MIN + client_next(state) % (SERVICE_CONTENT_MAX - CONTENT_MIN + 1);
}

static bool client_make(unsigned number, uint32_t *state, struct writer *request)
{
    size_t size = client_size(number, state);
    writer_u32le(request, number);
    size_t start = writer_reserve(request, size);
    if (writer_status(request) != SEC_E_OK) return narrate_failure("out of memory");
    for (size_t i = 0; i < size; i++) request->data[start + i] = (uint8_t)client_next(state);
    return true;
}

/* A process that answers again after another one has is counted as a new one: the server only ever
 * moves on. */
static bool client_count(struct client_totals *totals, uint32_t process)
{
    unsigned last = totals->server_count;
    if (!last || totals->servers[last - 1].process != process) {
        if (last == SERVERS_MAX) return narrate_failure("too many processes answer");
        totals->servers[last].process = process;
        totals->servers[last].answers = 0;
        totals->server_count = ++last;
    }
    totals->servers[last - 1].answers++;
    return true;
}

static bool client_ask(struct session *session, struct slice request, struct writer *frame,
                       unsigned number, struct client_totals *totals)
{
    double start = narrate_clock();
    struct slice answer;
    bool ended;
    uint32_t process;
    if (!session_send(session, request)) return false;
    if (!session_receive(session, frame, &answer, &ended)) return false;
    if (ended) return narrate_failure("the server closed the connection");
    /* Without the check, which the server does not have to wait for. */
    double took = narrate_clock() - start;
    const char *problem = service_check(request, answer, &process);
    if (problem) return narrate_failure("the answer to request %u is wrong: %s", number, problem);
    if (took > totals->longest) {
        totals->longest = took;
        totals->longest_request = number;
    }
    totals->requests++;
    totals->bytes += request.size;
    return client_count(totals, process);
}

static bool client_talk(struct session *session, unsigned requests, struct client_totals *totals)
{
    struct writer frame;
    writer_init(&frame);
    bool result = true;
    uint32_t state = 2463534242u;
    /* The first request is the listener's; the others are the ones that were promised. */
    for (unsigned number = 0; result && number <= requests; number++) {
        struct writer request;
        writer_init(&request);
        result = client_make(number, &state, &request) &&
                 client_ask(session, writer_view(&request), &frame, number, totals);
        writer_free(&request);
        if (result && number && number % PROGRESS_STEP == 0)
            narrate("%u of %u answers are right", number, requests);
    }
    writer_free(&frame);
    return result;
}

static bool client_login(struct session *session, struct account *account)
{
    struct password password;
    const char *problem = password_read("Password", false, &password);
    if (problem) return narrate_failure("%s", problem);
    SEC_WINNT_AUTH_IDENTITY_W identity = {
        .User = (unsigned short *)account->user,
        .UserLength = (unsigned long)wcslen(account->user),
        .Domain = (unsigned short *)account->domain,
        .DomainLength = (unsigned long)wcslen(account->domain),
        .Password = (unsigned short *)password.text,
        .PasswordLength = (unsigned long)wcslen(password.text),
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
    /* Without a target name: on the loopback interface there is nobody else to be led to. */
    bool result = session_authenticate_client(session, &identity, NULL);
    secret_wipe(&password, sizeof(password));
    return result;
}

static bool client_summary(const struct client_totals *totals, unsigned expected, double took)
{
    narrate("%u answers, all right; %.1f MiB sealed each way in %.2f s", totals->requests,
            (double)totals->bytes / 1048576.0, took / 1000.0);
    narrate("longest wait: %.0f ms, for request %u", totals->longest, totals->longest_request);
    for (unsigned i = 0; i < totals->server_count; i++)
        narrate("answered by pid %lu: %u", (unsigned long)totals->servers[i].process,
                totals->servers[i].answers);
    /* 0 stands for any number: by hand, a listener may have been told anything. */
    if (!expected || totals->server_count == expected) return true;
    return narrate_failure("the answers came from %u processes, not %u", totals->server_count,
                           expected);
}

static bool client_run(unsigned port, struct account *account, unsigned requests,
                       unsigned processes)
{
    SOCKET connection = socket_connect(port);
    if (connection == INVALID_SOCKET) return false;
    struct session session;
    session_init(&session, connection);
    struct client_totals totals = {0};
    double start = 0;
    bool result = client_login(&session, account);
    if (result) {
        char *name = text_from_wide(account->text);
        narrate("authenticated as %s; sends 1 and then %u sealed requests", name ? name : "",
                requests);
        free(name);
        start = narrate_clock();
        result = client_talk(&session, requests, &totals);
    }
    session_close(&session);
    return result && client_summary(&totals, processes, narrate_clock() - start);
}

static void client_help(void)
{
    printf(
        "Usage: handover client --port PORT --user [DOMAIN\\]USER [--requests NUMBER]\n"
        "                       [--processes NUMBER]\n"
        "Connects to a listener, authenticates with NTLM, and sends one sealed request and then\n"
        "NUMBER more (1000) of 1 to 64 KiB, checking each answer. The password is asked for on\n"
        "the console, or read from standard input, one line.\n\n"
        "  --processes NUMBER  fail unless that many processes answered, one after the other\n");
}

int role_client(char **arguments)
{
    const char *port_text = NULL, *user_text = NULL, *requests_text = "1000", *processes_text = "0";
    const struct option options[] = {
        {"port", &port_text, NULL},
        {"user", &user_text, NULL},
        {"requests", &requests_text, NULL},
        {"processes", &processes_text, NULL},
        {NULL, NULL, NULL},
    };
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("client", arguments, options, &operands)) {
    case OPTIONS_HELP: client_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    if (!port_text || !user_text) return text_usage("client", "--port and --user are needed");
    unsigned long port, requests, processes;
    if (!options_number("client", "port", port_text, 1, 65535, &port) ||
        !options_number("client", "requests", requests_text, 1, 1000000, &requests) ||
        !options_number("client", "processes", processes_text, 0, SERVERS_MAX, &processes))
        return EXIT_USAGE;
    struct account account;
    wchar_t *user = text_to_wide(user_text);
    const char *problem = user ? account_parse(user, NULL, &account) : "out of memory";
    free(user);
    if (problem) return text_usage("client", "%s: %s", user_text, problem);
    narrate_start("client");
    return client_run((unsigned)port, &account, (unsigned)requests, (unsigned)processes)
               ? EXIT_OK
               : EXIT_FAILED;
}
